// SPDX-License-Identifier: GPL-2.0-only
/*
 * New pages of private memory: they are filled first and mapped then, many at a
 * time. So they need not be cleared before, and nobody can see what was in them.
 * What is less simple is left to the ordinary page fault: pages that are there
 * already, private pages of files, policies, huge pages of which the image has a part.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/oom.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/swap.h>

#include <asm/pgalloc.h>

#include "fresh.h"

/**
 * ckpt_fresh_begin - begin with new pages
 *
 * Return: to be given to ckpt_fresh_end(), or NULL: there is no memory.
 */
struct ckpt_fresh *ckpt_fresh_begin(void)
{
	struct ckpt_fresh *f = kmalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	BUILD_BUG_ON(CKPT_CHUNK_PAGES > PTRS_PER_PTE);
	if (f) {
		f->nr_runs = 0;
		f->huge = NULL;
		f->full = NULL;
	}
	return f;
}

/**
 * ckpt_fresh_end - release new pages that were not mapped
 * @f: of ckpt_fresh_begin(); the pages that it gave were released
 */
void ckpt_fresh_end(struct ckpt_fresh *f)
{
	if (f->huge)
		folio_put(f->huge);
	if (f->full)
		folio_put(f->full);
	kfree(f);
}

static bool may_be_new(struct vm_area_struct *vma)
{
	return vma && vma_is_anonymous(vma) && is_cow_mapping(vma->vm_flags) &&
	       !(vma->vm_flags & VM_SPECIAL);
}

/* How many of @nr pages in one page table are not there. */
static u32 count_absent(pmd_t *pmd, u64 addr, u32 nr)
{
	spinlock_t *ptl;	/* of the page table */
	pte_t *pte;
	u32 n;

	if (pmd_none(pmdp_get_lockless(pmd)))
		return nr;
	pte = pte_offset_map_lock(current->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	for (n = 0; n < nr && pte_none(ptep_get(pte + n)); n++)
		;
	pte_unmap_unlock(pte, ptl);
	return n;
}

static long get_small(struct ckpt_fresh *f, struct vm_area_struct *vma, u64 addr, u32 nr,
		      struct page **pages)
{
	struct folio *folio;
	u32 i;

	for (i = 0; i < nr; i++) {
		folio = vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, vma, addr + i * PAGE_SIZE, false);
		if (!folio)
			break;
		if (mem_cgroup_charge(folio, vma->vm_mm, GFP_KERNEL)) {
			folio_put(folio);
			break;
		}
		folio_throttle_swaprate(folio, GFP_KERNEL);
		pages[i] = &folio->page;
	}
	if (!i)
		return -ENOMEM;
	f->runs[f->nr_runs++] = (struct ckpt_fresh_run){ .addr = addr, .pages = pages, .nr = i };
	return i;
}

/* All of it is asked for, one part after the other. */
static long give_huge(struct ckpt_fresh *f, u32 nr, struct page **pages)
{
	u32 i, rest = folio_nr_pages(f->huge) - f->huge_given;

	nr = min(nr, rest);
	for (i = 0; i < nr; i++)
		pages[i] = folio_page(f->huge, f->huge_given + i);
	folio_ref_add(f->huge, nr);
	f->huge_given += nr;
	if (nr == rest) {
		/* One in a chunk, which has less pages. */
		f->full = f->huge;
		f->full_addr = f->huge_addr;
		f->huge = NULL;
	}
	return nr;
}

/* 0: what a page fault would do is something else. */
static long get_new(struct ckpt_fresh *f, struct vm_area_struct *vma, u64 addr, u32 nr, u64 more,
		    struct page **pages)
{
	unsigned long orders = thp_vma_allowable_orders(vma, vma->vm_flags,
							TVA_IN_PF | TVA_ENFORCE_SYSFS,
							THP_ORDERS_ALL_ANON);
	u64 huge_addr = addr & PMD_MASK;
	pmd_t *pmd;

	if (anon_vma_prepare(vma))
		return -ENOMEM;
	pmd = ckpt_alloc_pmd(vma->vm_mm, addr);
	if (!pmd)
		return -ENOMEM;
	/* A part of one stays a part: a page fault might make a whole one of it. */
	if (orders & BIT(PMD_ORDER) && thp_vma_suitable_order(vma, huge_addr, PMD_ORDER) &&
	    pmd_none(pmdp_get_lockless(pmd)) && addr == huge_addr && more >= PTRS_PER_PTE)
		return ckpt_fresh_huge_get(f, vma, addr) ? give_huge(f, nr, pages) : 0;
	nr = min_t(u64, nr, (vma->vm_end - addr) >> PAGE_SHIFT);
	nr = count_absent(pmd, addr, nr);
	return nr ? get_small(f, vma, addr, nr, pages) : 0;
}

/**
 * ckpt_fresh_get - get new pages for memory of current
 * @f: those that were got before, for this chunk
 * @addr: address
 * @nr: how many would be welcome, all in one page table
 * @more: how many there will be from @addr on
 * @pages: gets them, each with a reference; until ckpt_fresh_map() they stay there
 *
 * Return: how many; 0: they have to be faulted in, or a negative errno.
 */
long ckpt_fresh_get(struct ckpt_fresh *f, u64 addr, u32 nr, u64 more, struct page **pages)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	long got = 0;

	if (f->huge)
		return give_huge(f, nr, pages);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, addr);
	if (may_be_new(vma))
		got = get_new(f, vma, addr, nr, more, pages);
	mmap_read_unlock(mm);
	return got;
}

static void map_one(struct vm_area_struct *vma, u64 addr, pte_t *pte, struct page *page)
{
	struct folio *folio = page_folio(page);
	pte_t entry = pte_mkdirty(mk_pte(page, vma->vm_page_prot));

	if (vma->vm_flags & VM_WRITE)
		entry = pte_mkwrite(entry, vma);
	folio_get(folio);
	folio_add_new_anon_rmap(folio, vma, addr, RMAP_EXCLUSIVE);
	folio_add_lru_vma(folio, vma);
	set_pte_at(vma->vm_mm, addr, pte, entry);
	update_mmu_cache(vma, addr, pte);
}

/* Returns how many, up to one where there is another page by now. */
static int map_small(struct vm_area_struct *vma, u64 addr, struct page **pages, u32 nr)
{
	pmd_t *pmd = ckpt_alloc_pmd(vma->vm_mm, addr);
	spinlock_t *ptl;	/* of the page table */
	pte_t *pte;
	u32 n;

	if (!pmd || pte_alloc(vma->vm_mm, pmd))
		return -ENOMEM;
	pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	if (check_stable_address_space(vma->vm_mm))
		nr = 0;
	for (n = 0; n < nr && pte_none(ptep_get(pte + n)); n++)
		map_one(vma, addr + n * PAGE_SIZE, pte + n, pages[n]);
	add_mm_counter(vma->vm_mm, MM_ANONPAGES, n);
	pte_unmap_unlock(pte, ptl);
	return n;
}

/* A page that has come meanwhile, as a part of a huge one, gets the content. */
static int copy_one(u64 addr, struct page *from)
{
	struct page *page;
	long got = ckpt_get_private_pages(addr, 1, &page);

	if (got != 1)
		return got < 0 ? got : -EFAULT;
	if (PageAnon(page)) {
		copy_highpage(page, from);
		folio_mark_dirty(page_folio(page));
	}
	got = PageAnon(page) ? 0 : -EFAULT;
	put_page(page);
	return got;
}

static int map_run(const struct ckpt_fresh_run *run)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	u32 done = 0;
	u64 addr;
	int ret;

	while (done < run->nr) {
		addr = run->addr + done * PAGE_SIZE;
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		vma = vma_lookup(mm, addr);
		ret = may_be_new(vma) ?
		      map_small(vma, addr, run->pages + done, run->nr - done) : -EFAULT;
		mmap_read_unlock(mm);
		if (ret < 0)
			return ret;
		done += ret;
		if (done == run->nr)
			break;
		ret = copy_one(run->addr + done * PAGE_SIZE, run->pages[done]);
		if (ret)
			return ret;
		done++;
	}
	return 0;
}

static int map_huge(struct ckpt_fresh *f)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	long i, nr = folio_nr_pages(f->full);
	int ret = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, f->full_addr);
	ret = may_be_new(vma) ? ckpt_fresh_huge_map(vma, f->full_addr, f->full) : -EFAULT;
	mmap_read_unlock(mm);
	for (i = 0; !ret && i < nr; i++)
		ret = copy_one(f->full_addr + i * PAGE_SIZE, folio_page(f->full, i));
	if (ret < 0)
		return ret;
	folio_put(f->full);
	f->full = NULL;
	return 0;
}

/**
 * ckpt_fresh_map - map the new pages of a chunk
 * @f: pages that have their content; the huge one may still lack some
 * @addr: gets where it failed
 *
 * Return: 0 or a negative errno.
 */
int ckpt_fresh_map(struct ckpt_fresh *f, u64 *addr)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < f->nr_runs && !ret; i++) {
		*addr = f->runs[i].addr;
		ret = map_run(&f->runs[i]);
	}
	f->nr_runs = 0;
	if (ret || !f->full)
		return ret;
	*addr = f->full_addr;
	return map_huge(f);
}

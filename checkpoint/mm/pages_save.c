// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages of an address space, from the page tables to the image.
 *
 * The bulk path: page tables are walked once, and references to pages are
 * gathered (batch.c). What is not there, the zero page and pages of a file that
 * were never written to are not saved. Swapped-out pages are brought in one by one.
 * Pages that were saved for another process are referred to: see cow_save.c.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/swapops.h>

#include "huge.h"

/* While pages of processes are being swapped out, references become wrong. */
#define MAX_TRIES	4

/**
 * struct walk - an address space on its way to the image
 * @b: pages for one PAGES record
 * @next: where the walk goes on
 * @swapped: the page at @next has to be brought in first
 * @cow: references to pages that were saved before, or NULL
 */
struct walk {
	struct ckpt_batch b;
	unsigned long next;
	bool swapped;
	struct ckpt_cow *cow;
};

static u32 room(const struct walk *w)
{
	return w->cow ? min(ckpt_batch_room(&w->b), ckpt_cow_room(w->cow)) :
			ckpt_batch_room(&w->b);
}

static void add_pages(struct walk *w, unsigned long addr, struct page *page, u32 nr)
{
	w->next = addr + nr * PAGE_SIZE;
	if (w->cow && PageAnon(page) && !PageAnonExclusive(page) &&
	    ckpt_cow_add(w->cow, page, addr, nr))
		return;
	ckpt_batch_add(&w->b, addr, page, nr);
}

static int walk_huge(struct walk *w, pmd_t pmd, unsigned long addr, unsigned long next,
		     struct vm_area_struct *vma)
{
	u32 nr = (next - addr) >> PAGE_SHIFT;
	struct page *page;

	if (!pmd_present(pmd)) {
		/* Under migration: its pages come one by one. */
		w->next = addr;
		w->swapped = room(w);
		return 1;
	}
	if (is_huge_zero_pmd(pmd))
		return 0;
	page = vm_normal_page_pmd(vma, addr, pmd);
	if (!page || !PageAnon(page))
		return 0;
	if (room(w) < nr) {
		w->next = addr;
		return 1;
	}
	page += (addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT;
	add_pages(w, addr, page, nr);
	return 0;
}

/* 1: stop at this page, 0: go on, -errno. */
static int walk_pte(struct walk *w, pte_t pte, unsigned long addr, struct vm_area_struct *vma)
{
	struct page *page;

	if (pte_none(pte))
		return 0;
	if (!room(w)) {
		w->next = addr;
		return 1;
	}
	if (!pte_present(pte)) {
		w->next = addr;
		w->swapped = true;
		return 1;
	}
	page = vm_normal_page(vma, addr, pte);
	if (!page && !is_zero_pfn(pte_pfn(pte)))
		return -EOPNOTSUPP;
	/* KSM puts the zero page over pages of files, too. */
	if (!page && vma_is_anonymous(vma))
		return 0;
	if (!page)
		page = pte_page(pte);
	else if (!PageAnon(page))
		return 0;
	add_pages(w, addr, page, 1);
	return 0;
}

static int walk_pmd(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct walk *w = walk->private;
	pte_t *pte, *first;
	spinlock_t *ptl;	/* of the page table */
	int ret = 0;

	ptl = pmd_trans_huge_lock(pmd, walk->vma);
	if (ptl) {
		ret = walk_huge(w, *pmd, addr, end, walk->vma);
		spin_unlock(ptl);
		return ret;
	}
	first = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!first) {
		walk->action = ACTION_AGAIN;
		return 0;
	}
	for (pte = first; addr < end && !ret; pte++, addr += PAGE_SIZE)
		ret = walk_pte(w, ptep_get(pte), addr, walk->vma);
	pte_unmap_unlock(first, ptl);
	cond_resched();
	return ret;
}

/* A huge page may be larger than a batch. */
static int walk_hugetlb(pte_t *pte, unsigned long hmask, unsigned long addr,
			unsigned long next, struct mm_walk *walk)
{
	struct page *page = ckpt_huge_get_page(walk->vma, addr, pte);
	struct walk *w = walk->private;
	u32 nr = min((next - addr) >> PAGE_SHIFT, (unsigned long)room(w));
	int ret = 0;

	if (!page)
		return 0;
	if (IS_ERR(page) || (PageAnon(page) && !nr)) {
		w->next = addr;
		w->swapped = IS_ERR(page) && nr;
		ret = 1;
	} else if (PageAnon(page)) {
		add_pages(w, addr, page, nr);
		ret = w->next != next;
	}
	if (!IS_ERR(page))
		put_page(page);
	cond_resched();
	return ret;
}

static int test_vma(unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	/* Shared content is the file's; a private mapping without anon_vma has none. */
	return walk->vma->vm_flags & VM_MAYSHARE || !walk->vma->anon_vma ||
	       ckpt_arch_vma_is_special(walk->vma);
}

static const struct mm_walk_ops walk_ops = {
	.pmd_entry = walk_pmd,
	.hugetlb_entry = walk_hugetlb,
	.test_walk = test_vma,
	.walk_lock = PGWALK_RDLOCK,
};

/* Brings the page at @w->next in and adds it. */
static int fetch_swapped(struct walk *w, struct mm_struct *mm)
{
	unsigned long addr = w->next;
	struct page *page;
	int locked = 1;
	long nr;

	w->swapped = false;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	nr = get_user_pages_remote(mm, addr, 1, FOLL_FORCE, &page, &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (nr != 1)
		return nr < 0 ? nr : -EFAULT;
	if (PageAnon(page))
		add_pages(w, addr, page, 1);
	else
		w->next = addr + PAGE_SIZE;
	put_page(page);
	return 0;
}

/* Fills the batch; 0: the address space is through, 1: the batch is full. */
static int fill_once(struct walk *w, struct ckpt_ctx *ctx, struct ckpt_task *t,
		     struct mm_struct *mm)
{
	int ret;

	for (;;) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		ret = walk_page_range(mm, w->next, mm->task_size, &walk_ops, w);
		mmap_read_unlock(mm);
		if (ret != 1 || !w->swapped)
			break;
		ret = fetch_swapped(w, mm);
		if (ret)
			break;
	}
	if (ret < 0)
		ckpt_error(ctx, CKPT_AT_RANGE(t, w->next, w->next + PAGE_SIZE), CKPT_WHY_MAPPING,
			   ret, "a page cannot be read");
	return ret;
}

/* @alone: the next one has no references. */
static void empty(struct walk *w, bool alone)
{
	ckpt_batch_empty(&w->b);
	if (w->cow)
		ckpt_cow_empty(w->cow, alone);
}

/* As fill_once(); references are as good as what they replace. */
static int fill(struct walk *w, struct ckpt_ctx *ctx, struct ckpt_task *t,
		struct mm_struct *mm)
{
	unsigned long start = w->next;
	int ret, bad, tries = 0;

	do {
		/* Those that were wrong are not made again, and in the end none at all. */
		empty(w, tries == MAX_TRIES);
		w->next = start;
		ret = fill_once(w, ctx, t, mm);
		bad = ret >= 0 && w->cow ? ckpt_cow_check(ctx, w->cow) : 0;
	} while (bad == -EAGAIN && tries++ < MAX_TRIES);
	return bad ?: ret;
}

/* Neighbours in one folio are remembered by the first of them. */
static void keep_pages(struct walk *w)
{
	const struct ckpt_rec_extent *e = w->b.extents;
	u64 done = 0;
	u32 i, nr, part;

	for (i = 0; i < w->b.nr_bv; i++) {
		for (nr = 0; nr < w->b.bv[i].bv_len >> PAGE_SHIFT; nr += part) {
			if (done == e->nr_pages) {
				e++;
				done = 0;
			}
			part = min_t(u64, e->nr_pages - done,
				     (w->b.bv[i].bv_len >> PAGE_SHIFT) - nr);
			ckpt_cow_keep(w->cow, w->b.bv[i].bv_page + nr, e->addr + done * PAGE_SIZE);
			done += part;
		}
	}
	cond_resched();
}

static int write_walk(struct ckpt_ctx *ctx, struct walk *w)
{
	int ret = 0;

	/* First: restarting does not put pages of its own where these will be. */
	if (w->cow)
		ret = ckpt_cow_write(ctx, w->cow);
	if (!ret)
		ret = ckpt_batch_write(ctx, &w->b);
	if (!ret && w->cow)
		keep_pages(w);
	return ret;
}

static void free_walk(struct ckpt_ctx *ctx, struct walk *w)
{
	ckpt_cow_end(w->cow);
	ckpt_batch_free(ctx, &w->b);
	kfree(w);
}

/**
 * ckpt_pages_save - save the private pages of an address space
 * @ctx: context
 * @t: leader of its process
 * @mm: address space of a frozen process
 *
 * Context: may sleep; mmap_lock is taken, but never while the image is written.
 * Return: 0 or a negative errno.
 */
int ckpt_pages_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm)
{
	struct walk *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	int ret, more = 1;

	if (!w)
		return -ENOMEM;
	ret = ckpt_batch_alloc(ctx, &w->b) ?: ckpt_cow_begin(ctx, t, &w->cow);
	while (!ret && more) {
		more = fill(w, ctx, t, mm);
		ret = more < 0 ? more : write_walk(ctx, w);
		empty(w, false);
	}
	free_walk(ctx, w);
	return ret;
}

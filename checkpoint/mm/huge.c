// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of hugetlb pages: whether they can be saved, their private pages, and
 * those that processes share since fork(2).
 *
 * Who has reserved pages for a private mapping is kept: the mapping that fork(2)
 * has made has no reserve of its own, and would need one too many otherwise.
 */
#include <linux/checkpoint_state.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/rmap.h>

#include "huge.h"
#include "vma.h"

/**
 * ckpt_huge_collect - look for what keeps a mapping of huge pages from being saved
 * @ctx: context
 * @where: the mapping
 * @vma: the same; mmap_lock is held
 */
void ckpt_huge_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		       struct vm_area_struct *vma)
{
	u64 end = ((u64)vma->vm_pgoff << PAGE_SHIFT) + vma->vm_end - vma->vm_start;

	/* mmap(2) would make the file longer, or reserve what is not there. */
	if (end > i_size_read(file_inode(vma->vm_file)))
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING_FLAG,
			      "hugetlb pages beyond the end of their file");
	if (!(vma->vm_flags & VM_MAYSHARE) && checkpoint_hugetlb_owner(vma) < 0)
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING_FLAG,
			      "hugetlb pages that were taken for the parent of the process");
}

/**
 * ckpt_huge_missing - report that there are not enough huge pages
 * @ctx: context of a restart
 * @where: what needs them
 * @h: of this size
 * @nr: so many
 * @err: why it failed; what is no lack of pages is returned as it is
 *
 * Return: a negative errno.
 */
int ckpt_huge_missing(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		      struct hstate *h, u64 nr, int err)
{
	unsigned long free, kb = huge_page_size(h) / SZ_1K;

	if (err != -ENOMEM && err != -ENOSPC && err != -EFAULT)
		return ckpt_error(ctx, where, CKPT_WHY_LIMIT, err,
				  "cannot have huge pages of %lu kB", kb);
	spin_lock_irq(&hugetlb_lock);
	free = h->free_huge_pages - min(h->free_huge_pages, h->resv_huge_pages);
	spin_unlock_irq(&hugetlb_lock);
	return ckpt_error(ctx, where, CKPT_WHY_LIMIT, -ENOMEM,
			  "%llu more huge pages of %lu kB are needed here, and %lu are free; their number is set in /sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages",
			  nr, kb, free, kb);
}

/**
 * ckpt_huge_get_page - page at an address
 * @vma: mapping of huge pages; mmap_lock is held
 * @addr: address in it
 * @pte: where the huge page is in the page table
 *
 * Return: the page, referenced; NULL: there is none, or an ERR_PTR(): on its way.
 */
struct page *ckpt_huge_get_page(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{
	struct hstate *h = hstate_vma(vma);
	unsigned long start = addr & huge_page_mask(h);
	spinlock_t *ptl;	/* of the page table */
	struct page *page = NULL;
	pte_t entry;

	ptl = huge_pte_lock(h, vma->vm_mm, pte);
	entry = huge_ptep_get(vma->vm_mm, start, pte);
	if (pte_present(entry)) {
		page = pte_page(entry) + ((addr - start) >> PAGE_SHIFT);
		get_page(page);
	} else if (!huge_pte_none(entry)) {
		page = ERR_PTR(-EAGAIN);
	}
	spin_unlock(ptl);
	return page;
}

/**
 * ckpt_huge_fit - may mappings share huge pages?
 * @from: one of them
 * @from_addr: address in it
 * @vma: the other one
 * @addr: address in it, for the same page
 *
 * Return: true if they may, or have none.
 */
bool ckpt_huge_fit(struct vm_area_struct *from, u64 from_addr, struct vm_area_struct *vma,
		   u64 addr)
{
	if (!is_vm_hugetlb_page(from) && !is_vm_hugetlb_page(vma))
		return true;
	return is_vm_hugetlb_page(from) && is_vm_hugetlb_page(vma) &&
	       hstate_vma(from) == hstate_vma(vma) &&
	       !((from_addr ^ addr) & ~huge_page_mask(hstate_vma(vma)));
}

/* As copy_hugetlb_page_range(), of one page; both page tables are locked. */
static bool share_pte(struct vm_area_struct *vma, unsigned long addr, pte_t *dst,
		      struct vm_area_struct *from, unsigned long start, pte_t *src)
{
	pte_t old = huge_ptep_get(from->vm_mm, start, src);
	pte_t now = huge_ptep_get(vma->vm_mm, addr, dst);
	struct hstate *h = hstate_vma(vma);
	struct folio *folio;
	pte_t new;

	if (!pte_present(old))
		return false;
	/* By another part of it. */
	if (!huge_pte_none(now))
		return pte_present(now) && pte_pfn(now) == pte_pfn(old);
	folio = page_folio(pte_page(old));
	if (!folio_test_anon(folio) || !ckpt_cow_move_to_root(folio, from) ||
	    hugetlb_try_dup_anon_rmap(folio, from))
		return false;
	folio_get(folio);
	huge_ptep_set_wrprotect(from->vm_mm, start, src);
	new = arch_make_huge_pte(mk_huge_pte(&folio->page, vma->vm_page_prot),
				 huge_page_shift(h), vma->vm_flags);
	if (huge_pte_dirty(old))
		new = huge_pte_mkdirty(new);
	set_huge_pte_at(vma->vm_mm, addr, dst, huge_pte_wrprotect(new), huge_page_size(h));
	hugetlb_count_add(pages_per_huge_page(h), vma->vm_mm);
	return true;
}

static bool share_one(struct vm_area_struct *vma, unsigned long addr,
		      struct vm_area_struct *from, unsigned long start)
{
	struct hstate *h = hstate_vma(vma);
	spinlock_t *src_ptl, *dst_ptl;	/* of page tables; that of @from nests inside */
	pte_t *src, *dst;
	bool done;

	src = hugetlb_walk(from, start, huge_page_size(h));
	dst = src ? huge_pte_alloc(vma->vm_mm, vma, addr, huge_page_size(h)) : NULL;
	if (!dst)
		return false;
	dst_ptl = huge_pte_lock(h, vma->vm_mm, dst);
	src_ptl = huge_pte_lockptr(h, from->vm_mm, src);
	spin_lock_nested(src_ptl, SINGLE_DEPTH_NESTING);
	done = share_pte(vma, addr, dst, from, start, src);
	spin_unlock(src_ptl);
	spin_unlock(dst_ptl);
	return done;
}

/* Of two processes, the one that comes later may be the one that reserved them. */
static bool share_counted(struct vm_area_struct *vma, unsigned long addr,
			  struct vm_area_struct *from, unsigned long start)
{
	int reserved = checkpoint_hugetlb_begin_use(vma, addr);
	bool done;

	if (reserved < 0)
		return false;
	done = share_one(vma, addr, from, start);
	if (reserved)
		checkpoint_hugetlb_end_use(vma, addr, done);
	return done;
}

/**
 * ckpt_huge_share - share huge pages with another process
 * @vma: mapping of current; its mmap_lock is held for writing, as the other's
 * @addr: address in it
 * @from: mapping of the other process, which fits
 * @start: address in it
 * @end: behind the last
 *
 * Return: up to where they are shared, in the other process.
 */
unsigned long ckpt_huge_share(struct vm_area_struct *vma, unsigned long addr,
			      struct vm_area_struct *from, unsigned long start,
			      unsigned long end)
{
	unsigned long mask = huge_page_mask(hstate_vma(vma)), next;

	for (; start < end; addr += next - start, start = next) {
		next = min(end, (start & mask) + ~mask + 1);
		if (!share_counted(vma, addr & mask, from, start & mask))
			break;
		cond_resched();
	}
	return start;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages of an address space, from the page tables to the image.
 *
 * The bulk path: page tables are walked once, references to pages are gathered
 * in a batch with a bounded table of extents, and the batch is handed to the
 * file as it is, without copying. What is not there, the zero page and pages
 * of a file that were never written to are not saved. Swapped-out pages are
 * brought in one by one.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/swapops.h>
#include <linux/xxhash.h>

#include "../internal.h"

/**
 * struct batch - pages for one PAGES record
 * @extents: runs of addresses
 * @bv: runs of pages; one reference is held for each entry
 * @sums: a checksum for each chunk
 * @nr_extents: entries in @extents
 * @nr_bv: entries in @bv
 * @nr_pages: pages in all
 * @next: where the walk goes on
 * @swapped: the page at @next has to be brought in first
 */
struct batch {
	struct ckpt_rec_extent *extents;
	struct bio_vec *bv;
	u64 *sums;
	u32 nr_extents;
	u32 nr_bv;
	u32 nr_pages;
	unsigned long next;
	bool swapped;
};

static bool is_full(const struct batch *b, u32 more)
{
	return b->nr_pages + more > CKPT_MAX_RECORD_PAGES ||
	       b->nr_extents == CKPT_MAX_EXTENTS;
}

static void add_extent(struct batch *b, unsigned long addr, u32 nr)
{
	struct ckpt_rec_extent *last = b->extents + b->nr_extents - 1;

	if (b->nr_extents && last->addr + last->nr_pages * PAGE_SIZE == addr) {
		last->nr_pages += nr;
		return;
	}
	b->extents[b->nr_extents++] = (struct ckpt_rec_extent){ .addr = addr, .nr_pages = nr };
}

/* Takes over a reference to the folio of @page. */
static void add_pages(struct batch *b, unsigned long addr, struct page *page, u32 nr)
{
	struct bio_vec *last = b->bv + b->nr_bv - 1;

	add_extent(b, addr, nr);
	b->nr_pages += nr;
	b->next = addr + nr * PAGE_SIZE;
	/* Neighbours in one folio need one entry and one reference. */
	if (b->nr_bv && page_folio(last->bv_page) == page_folio(page) &&
	    last->bv_page + (last->bv_len >> PAGE_SHIFT) == page) {
		last->bv_len += nr * PAGE_SIZE;
		folio_put(page_folio(page));
		return;
	}
	bvec_set_page(&b->bv[b->nr_bv++], page, nr * PAGE_SIZE, 0);
}

static int walk_huge(struct batch *b, pmd_t pmd, unsigned long addr, unsigned long next,
		     struct vm_area_struct *vma)
{
	u32 nr = (next - addr) >> PAGE_SHIFT;
	struct page *page;

	if (!pmd_present(pmd)) {
		/* Under migration: its pages come one by one. */
		b->next = addr;
		b->swapped = true;
		return 1;
	}
	if (is_huge_zero_pmd(pmd))
		return 0;
	page = vm_normal_page_pmd(vma, addr, pmd);
	if (!page || !PageAnon(page))
		return 0;
	if (is_full(b, nr)) {
		b->next = addr;
		return 1;
	}
	page += (addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT;
	folio_get(page_folio(page));
	add_pages(b, addr, page, nr);
	return 0;
}

/* 1: stop at this page, 0: go on, -errno. */
static int walk_pte(struct batch *b, pte_t pte, unsigned long addr, struct vm_area_struct *vma)
{
	struct page *page;

	if (pte_none(pte))
		return 0;
	if (is_full(b, 1)) {
		b->next = addr;
		return 1;
	}
	if (!pte_present(pte)) {
		b->next = addr;
		b->swapped = true;
		return 1;
	}
	page = vm_normal_page(vma, addr, pte);
	if (!page)
		return is_zero_pfn(pte_pfn(pte)) ? 0 : -EOPNOTSUPP;
	if (!PageAnon(page))
		return 0;
	folio_get(page_folio(page));
	add_pages(b, addr, page, 1);
	return 0;
}

static int walk_pmd(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct batch *b = walk->private;
	pte_t *pte, *first;
	spinlock_t *ptl;	/* of the page table */
	int ret = 0;

	ptl = pmd_trans_huge_lock(pmd, walk->vma);
	if (ptl) {
		ret = walk_huge(b, *pmd, addr, end, walk->vma);
		spin_unlock(ptl);
		return ret;
	}
	first = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!first) {
		walk->action = ACTION_AGAIN;
		return 0;
	}
	for (pte = first; addr < end && !ret; pte++, addr += PAGE_SIZE)
		ret = walk_pte(b, ptep_get(pte), addr, walk->vma);
	pte_unmap_unlock(first, ptl);
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
	.test_walk = test_vma,
	.walk_lock = PGWALK_RDLOCK,
};

/* Brings the page at @b->next in and adds it. */
static int fetch_swapped(struct batch *b, struct mm_struct *mm)
{
	unsigned long addr = b->next;
	struct page *page;
	int locked = 1;
	long nr;

	b->swapped = false;
	mmap_read_lock(mm);
	nr = get_user_pages_remote(mm, addr, 1, FOLL_FORCE, &page, &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (nr != 1)
		return nr < 0 ? nr : -EFAULT;
	if (PageAnon(page)) {
		add_pages(b, addr, page, 1);
	} else {
		put_page(page);
		b->next = addr + PAGE_SIZE;
	}
	return 0;
}

/* Fills the batch; 0: the address space is through, 1: the batch is full. */
static int fill(struct batch *b, struct ckpt_ctx *ctx, struct ckpt_task *t,
		struct mm_struct *mm)
{
	int ret;

	for (;;) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		ret = walk_page_range(mm, b->next, mm->task_size, &walk_ops, b);
		mmap_read_unlock(mm);
		if (ret != 1 || !b->swapped)
			break;
		ret = fetch_swapped(b, mm);
		if (ret)
			break;
	}
	if (ret < 0)
		ckpt_error(ctx, CKPT_AT_RANGE(t, b->next, b->next + PAGE_SIZE), CKPT_WHY_MAPPING,
			   ret, "a page cannot be read");
	return ret;
}

static void sum_chunks(struct batch *b)
{
	u32 left = CKPT_CHUNK_PAGES * PAGE_SIZE;
	struct xxh64_state state;
	u32 i, off, len, chunk = 0;

	xxh64_reset(&state, 0);
	for (i = 0; i < b->nr_bv; i++) {
		for (off = 0; off < b->bv[i].bv_len; off += len) {
			len = min(left, b->bv[i].bv_len - off);
			xxh64_update(&state, page_address(b->bv[i].bv_page) + off, len);
			left -= len;
			if (left)
				continue;
			b->sums[chunk++] = xxh64_digest(&state);
			xxh64_reset(&state, 0);
			left = CKPT_CHUNK_PAGES * PAGE_SIZE;
		}
		cond_resched();
	}
	if (left != CKPT_CHUNK_PAGES * PAGE_SIZE)
		b->sums[chunk] = xxh64_digest(&state);
}

static int write_batch(struct ckpt_ctx *ctx, struct batch *b)
{
	int ret;

	if (!b->nr_pages)
		return 0;
	sum_chunks(b);
	ret = ckpt_write_record(ctx, CKPT_REC_PAGES, 0, sizeof(*b->extents), b->extents,
				b->nr_extents * sizeof(*b->extents), NULL, 0);
	if (!ret)
		ret = ckpt_write_padding(ctx);
	if (!ret)
		ret = ckpt_write_bvecs(ctx, b->bv, b->nr_bv, (size_t)b->nr_pages << PAGE_SHIFT);
	ctx->nr_pages += b->nr_pages;
	return ret ?: ckpt_write_record(ctx, CKPT_REC_SUMS, 0, sizeof(u64), b->sums,
			DIV_ROUND_UP(b->nr_pages, CKPT_CHUNK_PAGES) * sizeof(u64), NULL, 0);
}

static void empty_batch(struct batch *b)
{
	u32 i;

	for (i = 0; i < b->nr_bv; i++)
		folio_put(page_folio(b->bv[i].bv_page));
	b->nr_bv = 0;
	b->nr_pages = 0;
	b->nr_extents = 0;
}

static void free_batch(struct batch *b)
{
	kvfree(b->extents);
	kvfree(b->bv);
	kvfree(b->sums);
}

static int alloc_batch(struct batch *b)
{
	b->extents = kvmalloc_array(CKPT_MAX_EXTENTS, sizeof(*b->extents), GFP_KERNEL_ACCOUNT);
	b->bv = kvmalloc_array(CKPT_MAX_RECORD_PAGES, sizeof(*b->bv), GFP_KERNEL_ACCOUNT);
	b->sums = kvmalloc_array(CKPT_MAX_RECORD_PAGES / CKPT_CHUNK_PAGES, sizeof(*b->sums),
				 GFP_KERNEL_ACCOUNT);
	return b->extents && b->bv && b->sums ? 0 : -ENOMEM;
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
	struct batch b = {};
	int ret, more;

	ret = alloc_batch(&b);
	while (!ret) {
		more = fill(&b, ctx, t, mm);
		ret = more < 0 ? more : write_batch(ctx, &b);
		empty_batch(&b);
		if (!more)
			break;
	}
	free_batch(&b);
	return ret;
}

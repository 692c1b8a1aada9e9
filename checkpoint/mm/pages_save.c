// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages of an address space, from the page tables to the image.
 *
 * The bulk path: page tables are walked once, references to pages are gathered
 * in a batch with a bounded table of extents, and the batch is handed to the
 * file as it is, without copying, while its checksums are taken. What is not
 * there, the zero page and pages of a file that were never written to are not
 * saved. Swapped-out pages are brought in one by one. Pages that were saved for
 * another process are referred to: see cow_save.c.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/swapops.h>

#include "../internal.h"

/* While pages of processes are being swapped out, references become wrong. */
#define MAX_TRIES	4

/**
 * struct batch - pages for one PAGES record
 * @extents: runs of addresses
 * @bv: runs of pages; one reference is held for each entry
 * @sums: a checksum for each chunk; no entry of @bv goes beyond the end of one
 * @nr_extents: entries in @extents
 * @nr_bv: entries in @bv
 * @nr_pages: pages in all
 * @next: where the walk goes on
 * @swapped: the page at @next has to be brought in first
 * @cow: references to pages that were saved before, or NULL
 */
struct batch {
	struct ckpt_rec_extent *extents;
	struct bio_vec *bv;
	struct ckpt_sums sums;
	u32 nr_extents;
	u32 nr_bv;
	u32 nr_pages;
	unsigned long next;
	bool swapped;
	struct ckpt_cow *cow;
};

static bool is_full(const struct batch *b, u32 more)
{
	return b->nr_pages + more > CKPT_MAX_RECORD_PAGES ||
	       b->nr_extents == CKPT_MAX_EXTENTS ||
	       (b->cow && ckpt_cow_is_full(b->cow, more));
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

/* Up to the end of a chunk; neighbours in one folio need one entry and one reference. */
static void add_run(struct batch *b, struct page *page, u32 nr)
{
	struct bio_vec *last = b->bv + b->nr_bv - 1;
	bool starts = b->nr_pages % CKPT_CHUNK_PAGES == 0;

	if (starts)
		b->sums.first[b->nr_pages / CKPT_CHUNK_PAGES] = b->nr_bv;
	b->nr_pages += nr;
	if (!starts && page_folio(last->bv_page) == page_folio(page) &&
	    last->bv_page + (last->bv_len >> PAGE_SHIFT) == page) {
		last->bv_len += nr * PAGE_SIZE;
		return;
	}
	folio_get(page_folio(page));
	bvec_set_page(&b->bv[b->nr_bv++], page, nr * PAGE_SIZE, 0);
}

static void add_pages(struct batch *b, unsigned long addr, struct page *page, u32 nr)
{
	u32 part;

	b->next = addr + nr * PAGE_SIZE;
	if (b->cow && PageAnon(page) && !PageAnonExclusive(page) &&
	    ckpt_cow_add(b->cow, page, addr, nr))
		return;
	add_extent(b, addr, nr);
	for (; nr; nr -= part, page += part) {
		part = min(nr, CKPT_CHUNK_PAGES - b->nr_pages % CKPT_CHUNK_PAGES);
		add_run(b, page, part);
	}
}

static int walk_huge(struct batch *b, pmd_t pmd, unsigned long addr, unsigned long next,
		     struct vm_area_struct *vma)
{
	u32 nr = (next - addr) >> PAGE_SHIFT;
	struct page *page;

	if (!pmd_present(pmd)) {
		/* Under migration: its pages come one by one. */
		b->next = addr;
		b->swapped = !is_full(b, 1);
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
	if (!page && !is_zero_pfn(pte_pfn(pte)))
		return -EOPNOTSUPP;
	/* KSM puts the zero page over pages of files, too. */
	if (!page && vma_is_anonymous(vma))
		return 0;
	if (!page)
		page = pte_page(pte);
	else if (!PageAnon(page))
		return 0;
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
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	nr = get_user_pages_remote(mm, addr, 1, FOLL_FORCE, &page, &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (nr != 1)
		return nr < 0 ? nr : -EFAULT;
	if (PageAnon(page))
		add_pages(b, addr, page, 1);
	else
		b->next = addr + PAGE_SIZE;
	put_page(page);
	return 0;
}

/* Fills the batch; 0: the address space is through, 1: the batch is full. */
static int fill_once(struct batch *b, struct ckpt_ctx *ctx, struct ckpt_task *t,
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

/* @alone: the next one has no references. */
static void empty_batch(struct batch *b, bool alone)
{
	u32 i;

	for (i = 0; i < b->nr_bv; i++)
		folio_put(page_folio(b->bv[i].bv_page));
	b->nr_bv = 0;
	b->nr_pages = 0;
	b->nr_extents = 0;
	if (b->cow)
		ckpt_cow_empty(b->cow, alone);
}

/* As fill_once(); references are as good as what they replace. */
static int fill(struct batch *b, struct ckpt_ctx *ctx, struct ckpt_task *t,
		struct mm_struct *mm)
{
	unsigned long start = b->next;
	int ret, bad, tries = 0;

	do {
		/* Those that were wrong are not made again, and in the end none at all. */
		empty_batch(b, tries == MAX_TRIES);
		b->next = start;
		ret = fill_once(b, ctx, t, mm);
		bad = ret >= 0 && b->cow ? ckpt_cow_check(ctx, b->cow) : 0;
	} while (bad == -EAGAIN && tries++ < MAX_TRIES);
	return bad ?: ret;
}

/* Neighbours in one folio are remembered by the first of them. */
static void keep_pages(struct batch *b)
{
	const struct ckpt_rec_extent *e = b->extents;
	u64 done = 0;
	u32 i, nr, part;

	for (i = 0; i < b->nr_bv; i++) {
		for (nr = 0; nr < b->bv[i].bv_len >> PAGE_SHIFT; nr += part) {
			if (done == e->nr_pages) {
				e++;
				done = 0;
			}
			part = min_t(u64, e->nr_pages - done,
				     (b->bv[i].bv_len >> PAGE_SHIFT) - nr);
			ckpt_cow_keep(b->cow, b->bv[i].bv_page + nr, e->addr + done * PAGE_SIZE);
			done += part;
		}
	}
	cond_resched();
}

static int write_pages(struct ckpt_ctx *ctx, struct batch *b)
{
	u32 nr = DIV_ROUND_UP(b->nr_pages, CKPT_CHUNK_PAGES);
	int ret;

	if (!nr)
		return 0;
	b->sums.bv = b->bv;
	b->sums.first[nr] = b->nr_bv;
	ckpt_sums_start(&b->sums, nr);
	ret = ckpt_write_record(ctx, CKPT_REC_PAGES, 0, sizeof(*b->extents), b->extents,
				b->nr_extents * sizeof(*b->extents), NULL, 0);
	if (!ret)
		ret = ckpt_write_padding(ctx);
	if (!ret)
		ret = ckpt_write_bvecs(ctx, b->bv, b->nr_bv, (size_t)b->nr_pages << PAGE_SHIFT);
	ctx->nr_pages += b->nr_pages;
	if (ret) {
		ckpt_sums_stop(&b->sums);
		return ret;
	}
	ckpt_sums_finish(&b->sums);
	return ckpt_write_record(ctx, CKPT_REC_SUMS, 0, sizeof(u64), b->sums.sums,
				 nr * sizeof(u64), NULL, 0);
}

static int write_batch(struct ckpt_ctx *ctx, struct batch *b)
{
	int ret = 0;

	/* First: restarting does not put pages of its own where these will be. */
	if (b->cow)
		ret = ckpt_cow_write(ctx, b->cow);
	if (!ret)
		ret = write_pages(ctx, b);
	if (!ret && b->cow)
		keep_pages(b);
	return ret;
}

static void free_batch(struct ckpt_ctx *ctx, struct batch *b)
{
	ckpt_cow_end(b->cow);
	ckpt_spare_give(ctx, CKPT_SPARE_EXTENTS, b->extents);
	ckpt_spare_give(ctx, CKPT_SPARE_PAGES, b->bv);
	kfree(b);
}

static struct batch *alloc_batch(struct ckpt_ctx *ctx)
{
	struct batch *b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);

	if (!b)
		return NULL;
	ckpt_sums_init(&b->sums);
	b->extents = ckpt_spare_take(ctx, CKPT_SPARE_EXTENTS,
				     CKPT_MAX_EXTENTS * sizeof(*b->extents));
	b->bv = ckpt_spare_take(ctx, CKPT_SPARE_PAGES, CKPT_MAX_RECORD_PAGES * sizeof(*b->bv));
	if (b->extents && b->bv)
		return b;
	free_batch(ctx, b);
	return NULL;
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
	struct batch *b = alloc_batch(ctx);
	int ret = 0, more = 1;

	if (!b)
		return -ENOMEM;
	ret = ckpt_cow_begin(ctx, t, &b->cow);
	while (!ret && more) {
		more = fill(b, ctx, t, mm);
		ret = more < 0 ? more : write_batch(ctx, b);
		empty_batch(b, false);
	}
	free_batch(ctx, b);
	return ret;
}

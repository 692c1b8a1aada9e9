// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages of an address space, from the page tables to the image.
 *
 * The bulk path: page tables are walked once, and references to pages are
 * gathered (batch.c). What is not there, the zero page and pages of a file that
 * were never written to are not saved. Swapped-out pages are brought in one by one, and
 * sent back when they are in the image: a save needs little memory.
 * Pages that were saved for another process are referred to: see cow_save.c.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/swapops.h>

#include "huge.h"

/* While pages of processes are being swapped out, references become wrong. */
#define MAX_TRIES	4

/* So many runs of pages that were swapped out are brought in for one record. */
#define MAX_FETCHED	256

/* Pages that were swapped out, from the address on. */
struct fetched {
	unsigned long addr;
	unsigned long nr;
};

/**
 * struct walk - an address space on its way to the image
 * @b: pages for one PAGES record
 * @next: where the walk goes on
 * @swapped: the page at @next has to be brought in first
 * @on_swap: from swap space
 * @nr_fetched: entries in @fetched
 * @fetched: what was brought in from there
 * @cow: references to pages that were saved before, or NULL
 */
struct walk {
	struct ckpt_batch b;
	unsigned long next;
	bool swapped;
	bool on_swap;
	u32 nr_fetched;
	struct fetched fetched[MAX_FETCHED];
	struct ckpt_cow *cow;
};

static u32 room(const struct walk *w)
{
	if (!w->cow)
		return ckpt_batch_room(&w->b);
	if (w->b.nr_extents > CKPT_ENOUGH_EXTENTS)
		return 0;
	return min(ckpt_batch_room(&w->b), ckpt_cow_room(w->cow));
}

static void add_pages(struct walk *w, unsigned long addr, struct page *page, u32 nr)
{
	w->next = addr + nr * PAGE_SIZE;
	if (!w->cow || !PageAnon(page) || PageAnonExclusive(page)) {
		ckpt_batch_add(&w->b, addr, page, nr);
		return;
	}
	for (; nr; nr--, page++, addr += PAGE_SIZE)
		if (!ckpt_cow_add(w->cow, page, addr))
			ckpt_batch_add(&w->b, addr, page, 1);
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
		if (w->cow && is_swap_pte(pte) && ckpt_cow_add_swapped(w->cow, pte, addr)) {
			w->next = addr + PAGE_SIZE;
			return 0;
		}
		w->next = addr;
		/* A full table makes this the last page for now. */
		w->swapped = w->nr_fetched < MAX_FETCHED;
		w->on_swap = w->swapped && is_swap_pte(pte) &&
			     !non_swap_entry(pte_to_swp_entry(pte));
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

static void note_fetched(struct walk *w, unsigned long addr)
{
	struct fetched *last = w->fetched + w->nr_fetched - 1;

	if (w->nr_fetched && last->addr + last->nr * PAGE_SIZE == addr)
		last->nr++;
	else
		w->fetched[w->nr_fetched++] = (struct fetched){ .addr = addr, .nr = 1 };
}

/* Those that nobody else has mapped meanwhile; what fails just stays. */
static void send_back(struct walk *w, struct mm_struct *mm)
{
	u32 i;

	for (i = 0; i < w->nr_fetched && !fatal_signal_pending(current); i++)
		do_madvise(mm, w->fetched[i].addr, w->fetched[i].nr * PAGE_SIZE, MADV_PAGEOUT);
	w->nr_fetched = 0;
}

/* Brings the page at @w->next in and adds it. */
static int fetch_swapped(struct walk *w, struct mm_struct *mm)
{
	unsigned long addr = w->next;
	struct page *page;
	int locked = 1;
	long nr;

	w->swapped = false;
	if (w->on_swap)
		note_fetched(w, addr);
	w->on_swap = false;
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

/* Pages that follow each other, in a folio and in the address space. */
struct piece {
	struct page *page;
	u64 addr;
	u32 nr;
};

static bool extend(struct piece *p, struct page *page, u64 addr, u32 nr)
{
	if (!p->nr || page != p->page + p->nr || addr != p->addr + p->nr * PAGE_SIZE ||
	    page_folio(page) != page_folio(p->page))
		return false;
	p->nr += nr;
	return true;
}

/* Remembers all pages of the batch. */
static void keep_pages(struct walk *w)
{
	const struct ckpt_rec_extent *e = w->b.extents;
	struct piece p = {};
	struct page *page;
	u64 done = 0, addr;
	u32 i, nr, part;

	for (i = 0; i < w->b.nr_bv; i++) {
		page = w->b.bv[i].bv_page;
		for (nr = w->b.bv[i].bv_len >> PAGE_SHIFT; nr; nr -= part, page += part) {
			if (done == e->nr_pages) {
				e++;
				done = 0;
			}
			part = min_t(u64, e->nr_pages - done, nr);
			addr = e->addr + done * PAGE_SIZE;
			done += part;
			if (extend(&p, page, addr, part))
				continue;
			if (p.nr)
				ckpt_cow_keep(w->cow, p.page, p.addr, p.nr);
			p = (struct piece){ .page = page, .addr = addr, .nr = part };
		}
	}
	if (p.nr)
		ckpt_cow_keep(w->cow, p.page, p.addr, p.nr);
	ckpt_cow_next(w->cow);
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
		send_back(w, mm);
	}
	free_walk(ctx, w);
	return ret;
}

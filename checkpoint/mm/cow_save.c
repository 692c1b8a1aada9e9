// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages that processes share since fork(2): their data is in the image
 * once, and is referred to by those that come later.
 *
 * A table finds the address at which a page was saved before. It holds no
 * references, so that memory can be reclaimed meanwhile, and may be wrong:
 * before a batch of references is written, it is seen that the other process
 * still has the very pages at these addresses. Both are frozen, so the content
 * that was saved is that of the page. Sharing that was not seen (pages swapped
 * out, merged by KSM, or beyond the size of the table) is only lost.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>

#include "huge.h"
#include "vma.h"

#define MIN_BITS	12
#define OWNER_BITS	24

static_assert(CKPT_MAX_TASKS <= 1 << OWNER_BITS);

/**
 * struct saved_page - a page that was saved, the first one of a folio
 * @key: its frame number, then the index of the task that has it; 0: none
 * @page: its address, in pages
 */
struct saved_page {
	u64 key;
	u64 page;
};

/**
 * struct ckpt_cow_table - shared pages that were saved, by frame number
 * @bits: size of the table
 * @nr: entries in use
 * @pages: the table
 */
struct ckpt_cow_table {
	u32 bits;
	u32 nr;
	struct saved_page *pages;
};

/**
 * struct ckpt_cow - references to be written
 * @ctx: the save
 * @table: where pages were saved before
 * @owner: index of the task whose pages are saved
 * @off: they are saved as if they were not shared
 * @nr_runs: entries in @runs
 * @nr_pages: entries in @pages
 * @runs: references; @mm is the index of a task until they are checked
 * @pages: pages that they are about, each referenced
 */
struct ckpt_cow {
	struct ckpt_ctx *ctx;
	struct ckpt_cow_table *table;
	u32 owner;
	bool off;
	u32 nr_runs;
	u32 nr_pages;
	struct ckpt_rec_shared_pages *runs;
	struct page **pages;
};

/* Neighbours stay neighbours, for the cache's sake, but in small groups only. */
static u32 first_slot(const struct ckpt_cow_table *table, u64 pfn)
{
	return hash_64(pfn >> 4, table->bits - 4) << 4 | (pfn & 15);
}

/* The page's entry, or the free one that it would get. */
static struct saved_page *find_slot(const struct ckpt_cow_table *table, u64 pfn)
{
	u32 i = first_slot(table, pfn);

	while (table->pages[i].key && table->pages[i].key >> OWNER_BITS != pfn)
		i = (i + 1) & (BIT(table->bits) - 1);
	return &table->pages[i];
}

/* Makes room for one more; false: there is none. */
static bool grow(struct ckpt_cow_table *table)
{
	struct ckpt_cow_table bigger = { .nr = table->nr };
	u32 i;

	if (table->pages && table->nr < BIT(table->bits) / 4 * 3)
		return true;
	bigger.bits = table->pages ? table->bits + 1 : MIN_BITS;
	if (bigger.bits > CKPT_COW_BITS)
		return false;
	bigger.pages = kvcalloc(BIT(bigger.bits), sizeof(*bigger.pages),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!bigger.pages)
		return false;
	for (i = 0; table->pages && i < BIT(table->bits); i++)
		if (table->pages[i].key)
			*find_slot(&bigger, table->pages[i].key >> OWNER_BITS) = table->pages[i];
	kvfree(table->pages);
	*table = bigger;
	return true;
}

/**
 * ckpt_cow_free - forget what was saved
 * @ctx: context
 */
void ckpt_cow_free(struct ckpt_ctx *ctx)
{
	if (!ctx->cow)
		return;
	kvfree(ctx->cow->pages);
	kfree(ctx->cow);
}

/* By processes of the tree, or by others. */
static bool may_be_shared(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (!PageAnon(page) || PageAnonExclusive(page) || folio_test_ksm(folio))
		return false;
	/* Of one in the swap cache the others may have swap entries. */
	return folio_likely_mapped_shared(folio) || folio_test_swapcache(folio);
}

static void add_run(struct ckpt_cow *c, u64 addr, u64 from, u64 nr, u32 owner)
{
	struct ckpt_rec_shared_pages *last = c->runs + c->nr_runs - 1;

	if (c->nr_runs && last->mm == owner && last->addr + last->nr_pages * PAGE_SIZE == addr &&
	    last->from + last->nr_pages * PAGE_SIZE == from) {
		last->nr_pages += nr;
		return;
	}
	c->runs[c->nr_runs++] = (struct ckpt_rec_shared_pages){
		.addr = addr, .from = from, .nr_pages = nr, .mm = owner,
	};
}

/**
 * ckpt_cow_add - refer to pages, if they were saved before
 * @c: references, with room
 * @page: first page, of a folio that has them all
 * @addr: its address
 * @nr: how many
 *
 * Context: page table lock is held.
 * Return: false: they have to be saved.
 */
bool ckpt_cow_add(struct ckpt_cow *c, struct page *page, unsigned long addr, u32 nr)
{
	struct folio *folio = page_folio(page);
	const struct saved_page *saved;
	u32 owner;

	if (c->off || !c->table->nr || !may_be_shared(page))
		return false;
	saved = find_slot(c->table, folio_pfn(folio));
	owner = saved->key & (BIT(OWNER_BITS) - 1);
	if (!saved->key || owner == c->owner)
		return false;
	add_run(c, addr, (saved->page + folio_page_idx(folio, page)) << PAGE_SHIFT, nr, owner);
	for (; nr; nr--, page++) {
		get_page(page);
		c->pages[c->nr_pages++] = page;
	}
	return true;
}

/**
 * ckpt_cow_room - is there room?
 * @c: references
 *
 * Return: for so many pages.
 */
u32 ckpt_cow_room(const struct ckpt_cow *c)
{
	return c->nr_runs == CKPT_MAX_EXTENTS ? 0 : CKPT_MAX_RECORD_PAGES - c->nr_pages;
}

/**
 * ckpt_cow_keep - remember where pages were saved
 * @c: references
 * @page: first page, of a folio that has them all
 * @addr: its address
 */
void ckpt_cow_keep(struct ckpt_cow *c, struct page *page, unsigned long addr)
{
	struct folio *folio = page_folio(page);
	u64 pfn = folio_pfn(folio);
	struct saved_page *slot;

	if (!may_be_shared(page) || !grow(c->table))
		return;
	slot = find_slot(c->table, pfn);
	c->table->nr += !slot->key;
	slot->key = pfn << OWNER_BITS | c->owner;
	slot->page = (addr >> PAGE_SHIFT) - folio_page_idx(folio, page);
}

/* What one reference says the other process has. */
struct check {
	struct page **pages;
	unsigned long next;
};

static bool is_same(struct check *c, struct page *page)
{
	if (page != *c->pages)
		return false;
	c->pages++;
	c->next += PAGE_SIZE;
	return true;
}

static int check_huge(struct check *c, pmd_t pmd, unsigned long end, struct vm_area_struct *vma)
{
	struct page *page;

	page = pmd_present(pmd) ? vm_normal_page_pmd(vma, c->next, pmd) : NULL;
	if (!page)
		return 1;
	page += (c->next & ~HPAGE_PMD_MASK) >> PAGE_SHIFT;
	while (c->next < end && is_same(c, page))
		page++;
	return c->next < end;
}

static int check_pmd(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct check *c = walk->private;
	pte_t *pte, *first;
	spinlock_t *ptl;	/* of the page table */
	int ret;

	if (addr != c->next)
		return 1;
	ptl = pmd_trans_huge_lock(pmd, walk->vma);
	if (ptl) {
		ret = check_huge(c, *pmd, end, walk->vma);
		spin_unlock(ptl);
		return ret;
	}
	first = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!first)
		return 1;
	for (pte = first; c->next < end; pte++)
		if (!pte_present(ptep_get(pte)) ||
		    !is_same(c, vm_normal_page(walk->vma, c->next, ptep_get(pte))))
			break;
	pte_unmap_unlock(first, ptl);
	cond_resched();
	return c->next < end;
}

static int check_hugetlb(pte_t *pte, unsigned long hmask, unsigned long addr,
			 unsigned long end, struct mm_walk *walk)
{
	struct check *c = walk->private;
	struct page *page, *first;

	first = addr == c->next ? ckpt_huge_get_page(walk->vma, addr, pte) : NULL;
	if (IS_ERR_OR_NULL(first))
		return 1;
	page = first;
	while (c->next < end && is_same(c, page))
		page++;
	put_page(first);
	cond_resched();
	return c->next < end;
}

static const struct mm_walk_ops check_ops = {
	.pmd_entry = check_pmd,
	.hugetlb_entry = check_hugetlb,
	.walk_lock = PGWALK_RDLOCK,
};

/* As if this process had been the one to save it. */
static void forget(struct ckpt_cow *c, struct page *page)
{
	u64 pfn = folio_pfn(page_folio(page));

	find_slot(c->table, pfn)->key = pfn << OWNER_BITS | c->owner;
}

static int check_run(struct ckpt_cow *c, const struct ckpt_rec_shared_pages *run,
		     struct page **pages, struct mm_struct *mm)
{
	struct check check = { .pages = pages, .next = run->from };
	unsigned long end = run->from + run->nr_pages * PAGE_SIZE;
	int ret = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	while (check.next != end) {
		walk_page_range(mm, check.next, end, &check_ops, &check);
		if (check.next == end)
			break;
		ret = -EAGAIN;
		forget(c, *check.pages++);
		check.next += PAGE_SIZE;
		cond_resched();
	}
	mmap_read_unlock(mm);
	return ret;
}

/**
 * ckpt_cow_check - see that references lead to the pages that they are about
 * @ctx: context
 * @c: references; get the tags of address spaces
 *
 * Return: 0; -EAGAIN: some do not, and will not be made again; another errno.
 */
int ckpt_cow_check(struct ckpt_ctx *ctx, struct ckpt_cow *c)
{
	struct ckpt_rec_shared_pages *run = c->runs;
	struct page **pages = c->pages;
	struct ckpt_task *owner;
	struct mm_struct *mm;
	int ret = 0, again = 0;

	for (; run < c->runs + c->nr_runs && ret != -EINTR; run++) {
		owner = ctx->tasks[run->mm];
		mm = get_task_mm(owner->task);
		if (!mm)
			return ckpt_error(ctx, CKPT_AT(owner), CKPT_WHY_GONE, -ESRCH,
					  "has exited");
		ret = check_run(c, run, pages, mm);
		run->mm = ckpt_tag_of(ctx, mm);
		pages += run->nr_pages;
		mmput(mm);
		again = ret ?: again;
	}
	return again;
}

/**
 * ckpt_cow_write - write references that were checked
 * @ctx: context
 * @c: references
 *
 * Return: 0 or a negative errno.
 */
int ckpt_cow_write(struct ckpt_ctx *ctx, struct ckpt_cow *c)
{
	if (!c->nr_runs)
		return 0;
	return ckpt_write_record(ctx, CKPT_REC_SHARED_PAGES, 0, sizeof(*c->runs), c->runs,
				 c->nr_runs * sizeof(*c->runs), NULL, 0);
}

/**
 * ckpt_cow_empty - drop all references
 * @c: references
 * @off: true: make none until it is emptied again
 */
void ckpt_cow_empty(struct ckpt_cow *c, bool off)
{
	u32 i;

	for (i = 0; i < c->nr_pages; i++)
		put_page(c->pages[i]);
	c->nr_pages = 0;
	c->nr_runs = 0;
	c->off = off;
}

/**
 * ckpt_cow_begin - prepare for references of one address space
 * @ctx: context
 * @t: first living thread of its process
 * @cp: what ckpt_cow_end() releases; NULL: there is nobody to share pages with
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_cow_begin(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_cow **cp)
{
	struct ckpt_cow *c;

	*cp = NULL;
	if (ctx->nr_processes == 1)
		return 0;
	if (!ctx->cow)
		ctx->cow = kzalloc(sizeof(*ctx->cow), GFP_KERNEL_ACCOUNT);
	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c || !ctx->cow) {
		kfree(c);
		return -ENOMEM;
	}
	c->ctx = ctx;
	c->table = ctx->cow;
	c->owner = t->index;
	c->runs = ckpt_spare_take(ctx, CKPT_SPARE_COW_RUNS,
				  CKPT_MAX_EXTENTS * sizeof(*c->runs));
	c->pages = ckpt_spare_take(ctx, CKPT_SPARE_COW_PAGES,
				   CKPT_MAX_RECORD_PAGES * sizeof(*c->pages));
	*cp = c;
	return c->runs && c->pages ? 0 : -ENOMEM;
}

/**
 * ckpt_cow_end - release what ckpt_cow_begin() has made
 * @c: references, or NULL
 */
void ckpt_cow_end(struct ckpt_cow *c)
{
	if (!c)
		return;
	ckpt_cow_empty(c, false);
	ckpt_spare_give(c->ctx, CKPT_SPARE_COW_RUNS, c->runs);
	ckpt_spare_give(c->ctx, CKPT_SPARE_COW_PAGES, c->pages);
	kfree(c);
}

/* Mappings that come from one, by fork(2), mprotect(2) and the like, are a family. */
static int family_of(struct ckpt_ctx *ctx, struct vm_area_struct *vma, u32 *family)
{
	struct anon_vma *root = vma->anon_vma ? vma->anon_vma->root : NULL;

	/* It counts as its own child. */
	if (!root || READ_ONCE(root->num_children) < 2)
		return 0;
	*family = ckpt_tag_of(ctx, root) ?: ckpt_new_tag(ctx, root);
	return *family ? 0 : -ENOMEM;
}

/**
 * ckpt_cow_families - note which mappings may share pages with other processes
 * @ctx: context
 * @mm: address space of a frozen process
 * @vmas: its mappings
 *
 * Return: 0 or a negative errno.
 */
int ckpt_cow_families(struct ckpt_ctx *ctx, struct mm_struct *mm, struct ckpt_vmas *vmas)
{
	struct vm_area_struct *vma;
	int ret = 0;
	u32 i;

	if (ctx->nr_processes == 1)
		return 0;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for (i = 0; i < vmas->nr && !ret; i++) {
		vma = vma_lookup(mm, vmas->recs[i].start);
		if (vma && !(vma->vm_flags & VM_MAYSHARE))
			ret = family_of(ctx, vma, &vmas->recs[i].family);
	}
	mmap_read_unlock(mm);
	return ret;
}

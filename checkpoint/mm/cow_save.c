// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages that processes share since fork(2): their data is in the image
 * once, and is referred to by those that come later.
 *
 * A table finds the address at which a page, or all of a folio, was saved before.
 * When it is full, processes that the present one may come from are supposed to
 * have the page at the same address. The table holds no references, so that memory
 * can be reclaimed meanwhile, and may be wrong as suppositions are: before a batch
 * of references is written, it is seen that the other process still has the very
 * pages at these addresses. Both are frozen, so the content that was saved is that
 * of the page. Pages that are swapped out, or were when they were saved, are known by
 * their place on swap space. Sharing that was not seen (pages merged by KSM) is only
 * lost.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "huge.h"
#include "vma.h"

#define MIN_BITS	12
#define OWNER_BITS	22

static_assert(CKPT_MAX_TASKS <= 1 << OWNER_BITS);

/* What an entry of the table is about; a page has a number of so many bits. */
enum kind {
	ONE_PAGE,
	ALL_OF_FOLIO,
	ON_SWAP,
};

#define KIND_BITS	2
#define NUMBER_BITS	(64 - OWNER_BITS - KIND_BITS)
#define SWAP_TYPE_BITS	MAX_SWAPFILES_SHIFT

/* Suppositions about one page, all of which have to fit into fill()'s tries. */
#define MAX_ANCESTORS	2

/**
 * struct saved_page - a page that was saved, or the first one of a folio
 * @key: which (see id_of()), then the index of the task that has it; 0: none
 * @page: its address, in pages
 */
struct saved_page {
	u64 key;
	u64 page;
};

/**
 * struct ckpt_cow_table - shared pages that were saved
 * @bits: size of the table
 * @nr: entries in use
 * @full: some were left out
 * @pages: the table
 */
struct ckpt_cow_table {
	u32 bits;
	u32 nr;
	bool full;
	struct saved_page *pages;
};

/**
 * struct ckpt_cow - references to be written
 * @ctx: the save
 * @table: where pages were saved before
 * @owner: index of the task whose pages are saved
 * @ancestors: indexes of tasks that may have them, too, the nearest first
 * @nr_ancestors: entries in @ancestors
 * @tried: of this batch, by number of the page: how often it was not found
 * @off: they are saved as if they were not shared
 * @nr_runs: entries in @runs
 * @nr_pages: entries in @items
 * @runs: references; @mm is the index of a task until they are checked
 * @items: what they are about: pages, each referenced, and swap entries, as values
 */
struct ckpt_cow {
	struct ckpt_ctx *ctx;
	struct ckpt_cow_table *table;
	u32 owner;
	u32 ancestors[MAX_ANCESTORS];
	u32 nr_ancestors;
	struct xarray tried;
	bool off;
	u32 nr_runs;
	u32 nr_pages;
	struct ckpt_rec_shared_pages *runs;
	void **items;
};

static u64 id_of(u64 number, enum kind kind)
{
	return number << KIND_BITS | kind;
}

/* 0: it has none. */
static u64 swap_id(swp_entry_t entry)
{
	u64 offset = swp_offset(entry);

	if (!entry.val || offset >> (NUMBER_BITS - SWAP_TYPE_BITS))
		return 0;
	return id_of(offset << SWAP_TYPE_BITS | swp_type(entry), ON_SWAP);
}

/* Where a page has been on swap space, if it can still be found by that; or 0. */
static swp_entry_t swap_of(struct page *page)
{
	return folio_test_swapcache(page_folio(page)) ? page_swap_entry(page) :
							(swp_entry_t){};
}

/* Neighbours stay neighbours, for the cache's sake, but in small groups only. */
static u32 first_slot(const struct ckpt_cow_table *table, u64 id)
{
	u32 kind = id & (BIT(KIND_BITS) - 1);
	u64 number = id >> KIND_BITS;

	return hash_64((number >> 4) << KIND_BITS | kind, table->bits - 4) << 4 | (number & 15);
}

/* Its entry, or the free one that it would get. */
static struct saved_page *find_slot(const struct ckpt_cow_table *table, u64 id)
{
	u32 i = first_slot(table, id);

	while (table->pages[i].key && table->pages[i].key >> OWNER_BITS != id)
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
	if (table->bits == CKPT_COW_BITS)
		return false;
	/* At last by more than twice: there are two tables for a moment. */
	bigger.bits = !table->pages ? MIN_BITS :
		      table->bits < CKPT_COW_BITS - 2 ? table->bits + 1 : CKPT_COW_BITS;
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

static void add_run(struct ckpt_cow *c, u64 addr, u64 from, u32 owner)
{
	struct ckpt_rec_shared_pages *last = c->runs + c->nr_runs - 1;

	if (c->nr_runs && last->mm == owner && last->addr + last->nr_pages * PAGE_SIZE == addr &&
	    last->from + last->nr_pages * PAGE_SIZE == from) {
		last->nr_pages++;
		return;
	}
	c->runs[c->nr_runs++] = (struct ckpt_rec_shared_pages){
		.addr = addr, .from = from, .nr_pages = 1, .mm = owner,
	};
}

/* The entry of a page by itself, or of the folio in which it is number @offset; or NULL. */
static const struct saved_page *find_page(const struct ckpt_cow_table *table,
					  struct page *page, u64 *offset)
{
	struct folio *folio = page_folio(page);
	const struct saved_page *saved;

	saved = find_slot(table, id_of(page_to_pfn(page), ONE_PAGE));
	if (saved->key)
		return saved;
	*offset = folio_page_idx(folio, page);
	saved = find_slot(table, id_of(folio_pfn(folio), ALL_OF_FOLIO));
	return saved->key ? saved : NULL;
}

static const struct saved_page *find_swapped(const struct ckpt_cow_table *table,
					     swp_entry_t entry)
{
	const struct saved_page *saved;
	u64 id = swap_id(entry);

	if (!id)
		return NULL;
	saved = find_slot(table, id);
	return saved->key ? saved : NULL;
}

static swp_entry_t to_swap(const void *item)
{
	return xa_is_value(item) ? (swp_entry_t){ xa_to_value(item) } :
				   swap_of((struct page *)item);
}

/* Where a page was saved; false: that is not known. */
static bool find_saved(const struct ckpt_cow_table *table, void *item, u32 *owner, u64 *from)
{
	const struct saved_page *saved = NULL;
	u64 offset = 0;

	if (!table->nr)
		return false;
	if (!xa_is_value(item))
		saved = find_page(table, item, &offset);
	if (!saved) {
		saved = find_swapped(table, to_swap(item));
		offset = 0;
	}
	if (!saved)
		return false;
	*owner = saved->key & (BIT(OWNER_BITS) - 1);
	*from = (saved->page + offset) << PAGE_SHIFT;
	return true;
}

/* How often a page was looked for in vain. */
static u32 nr_tried(struct ckpt_cow *c, u64 addr)
{
	const void *tried = xa_load(&c->tried, addr >> PAGE_SHIFT);

	return tried ? xa_to_value(tried) : 0;
}

/* Where to look for a page next; false: nowhere, it has to be saved. */
static bool find_owner(struct ckpt_cow *c, void *item, u64 addr, u32 *owner, u64 *from)
{
	u32 n = nr_tried(c, addr);

	if (find_saved(c->table, item, owner, from)) {
		if (!n)
			return *owner != c->owner;
		n--;
	}
	if (!c->table->full || n >= c->nr_ancestors)
		return false;
	*owner = c->ancestors[n];
	*from = addr;
	return true;
}

/**
 * ckpt_cow_add - refer to a page, if it was saved before
 * @c: references, with room
 * @page: the page
 * @addr: its address
 *
 * Context: page table lock is held.
 * Return: false: it has to be saved.
 */
bool ckpt_cow_add(struct ckpt_cow *c, struct page *page, unsigned long addr)
{
	u32 owner;
	u64 from;

	if (c->off || !may_be_shared(page) || !find_owner(c, page, addr, &owner, &from))
		return false;
	add_run(c, addr, from, owner);
	get_page(page);
	c->items[c->nr_pages++] = page;
	return true;
}

/**
 * ckpt_cow_add_swapped - the same, of a page that is swapped out
 * @c: references, with room
 * @pte: its page table entry
 * @addr: its address
 *
 * Context: page table lock is held.
 * Return: false: it has to be brought in, or is something else.
 */
bool ckpt_cow_add_swapped(struct ckpt_cow *c, pte_t pte, unsigned long addr)
{
	swp_entry_t entry = pte_to_swp_entry(pte);
	u32 owner;
	u64 from;

	if (c->off || non_swap_entry(entry) || pte_swp_exclusive(pte) ||
	    !find_owner(c, xa_mk_value(entry.val), addr, &owner, &from))
		return false;
	add_run(c, addr, from, owner);
	c->items[c->nr_pages++] = xa_mk_value(entry.val);
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
	return c->nr_runs > CKPT_ENOUGH_EXTENTS ? 0 : CKPT_MAX_RECORD_PAGES - c->nr_pages;
}

static void keep(struct ckpt_cow *c, u64 id, u64 page_nr)
{
	struct saved_page *slot;

	if (c->table->full || !grow(c->table)) {
		c->table->full = true;
		return;
	}
	slot = find_slot(c->table, id);
	c->table->nr += !slot->key;
	slot->key = id << OWNER_BITS | c->owner;
	slot->page = page_nr;
}

static void keep_one(struct ckpt_cow *c, struct page *page, u64 page_nr, bool alone)
{
	u64 id = swap_id(swap_of(page));

	if (!may_be_shared(page))
		return;
	if (alone)
		keep(c, id_of(page_to_pfn(page), ONE_PAGE), page_nr);
	/* Others have it there, or it will be there again. */
	if (id)
		keep(c, id, page_nr);
}

/**
 * ckpt_cow_keep - remember where pages were saved
 * @c: references
 * @page: first page, of a folio that has them all
 * @addr: its address
 * @nr: how many
 */
void ckpt_cow_keep(struct ckpt_cow *c, struct page *page, unsigned long addr, u32 nr)
{
	struct folio *folio = page_folio(page);
	u64 page_nr = addr >> PAGE_SHIFT;
	/* Hugetlb pages come in parts, but are shared as a whole. */
	bool all = nr == folio_nr_pages(folio) || folio_test_hugetlb(folio);

	if (all && may_be_shared(page))
		keep(c, id_of(folio_pfn(folio), ALL_OF_FOLIO),
		     page_nr - folio_page_idx(folio, page));
	if (all && !folio_test_swapcache(folio))
		return;
	for (; nr; nr--, page++, page_nr++)
		keep_one(c, page, page_nr, !all);
}

/* What one reference says the other process has. */
struct check {
	void **items;
	unsigned long next;
};

/* @page: it is there, NULL: it is swapped out, to @entry. What has one entry is one page. */
static bool is_item(struct check *c, struct page *page, swp_entry_t entry)
{
	if (page != *c->items && (!entry.val || entry.val != to_swap(*c->items).val))
		return false;
	c->items++;
	c->next += PAGE_SIZE;
	return true;
}

static bool is_same(struct check *c, struct page *page)
{
	return is_item(c, page, swap_of(page));
}

static bool check_pte(struct check *c, pte_t pte, struct vm_area_struct *vma)
{
	struct page *page;

	if (pte_present(pte)) {
		page = vm_normal_page(vma, c->next, pte);
		return page && is_same(c, page);
	}
	return is_swap_pte(pte) && !non_swap_entry(pte_to_swp_entry(pte)) &&
	       is_item(c, NULL, pte_to_swp_entry(pte));
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
	for (pte = first; c->next < end && check_pte(c, ptep_get(pte), walk->vma); pte++)
		;
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

/* It is looked for elsewhere the next time. */
static int note_tried(struct ckpt_cow *c, u64 addr)
{
	void *tried = xa_mk_value(nr_tried(c, addr) + 1);

	return xa_err(xa_store(&c->tried, addr >> PAGE_SHIFT, tried, GFP_KERNEL_ACCOUNT));
}

/* @saved: the address space is in the image. */
static int check_run(struct ckpt_cow *c, const struct ckpt_rec_shared_pages *run,
		     void **items, struct mm_struct *mm, bool saved)
{
	struct check check = { .items = items, .next = run->from };
	unsigned long end = run->from + run->nr_pages * PAGE_SIZE;
	int err = 0, again = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	while (!err) {
		if (saved)
			walk_page_range(mm, check.next, end, &check_ops, &check);
		if (check.next == end)
			break;
		again = -EAGAIN;
		err = note_tried(c, run->addr + (check.next - run->from));
		check.items++;
		check.next += PAGE_SIZE;
		cond_resched();
	}
	mmap_read_unlock(mm);
	return err ?: again;
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
	void **items = c->items;
	struct ckpt_task *owner;
	struct mm_struct *mm;
	int ret = 0, again = 0;

	for (; run < c->runs + c->nr_runs && (!ret || ret == -EAGAIN); run++) {
		owner = ctx->tasks[run->mm];
		mm = get_task_mm(owner->task);
		if (!mm)
			return ckpt_error(ctx, CKPT_AT(owner), CKPT_WHY_GONE, -ESRCH,
					  "has exited");
		run->mm = ckpt_tag_of(ctx, mm);
		ret = check_run(c, run, items, mm, run->mm);
		items += run->nr_pages;
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
 * ckpt_cow_next - go on with other pages
 * @c: references, of a batch that was written
 */
void ckpt_cow_next(struct ckpt_cow *c)
{
	xa_destroy(&c->tried);
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
		if (!xa_is_value(c->items[i]))
			put_page(c->items[i]);
	c->nr_pages = 0;
	c->nr_runs = 0;
	c->off = off;
}

/* The process from which @t may have been forked, if it is alive; NULL: none in the tree. */
static struct ckpt_task *ancestor_of(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_task *parent;

	rcu_read_lock();
	parent = xa_load(&ctx->task_index, task_pid_nr(rcu_dereference(t->task->real_parent)));
	rcu_read_unlock();
	parent = parent ? parent->leader->main : NULL;
	return parent && parent->index < t->index ? parent : NULL;
}

static void find_ancestors(struct ckpt_cow *c, struct ckpt_task *t)
{
	while (c->nr_ancestors < MAX_ANCESTORS && (t = ancestor_of(c->ctx, t)))
		c->ancestors[c->nr_ancestors++] = t->index;
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
	xa_init(&c->tried);
	find_ancestors(c, t);
	c->runs = ckpt_spare_take(ctx, CKPT_SPARE_COW_RUNS,
				  CKPT_MAX_EXTENTS * sizeof(*c->runs));
	c->items = ckpt_spare_take(ctx, CKPT_SPARE_COW_PAGES,
				   CKPT_MAX_RECORD_PAGES * sizeof(*c->items));
	*cp = c;
	return c->runs && c->items ? 0 : -ENOMEM;
}

/**
 * ckpt_cow_end - release what ckpt_cow_begin() has made
 * @c: references, or NULL
 */
void ckpt_cow_end(struct ckpt_cow *c)
{
	if (!c)
		return;
	ckpt_cow_next(c);
	ckpt_cow_empty(c, false);
	ckpt_spare_give(c->ctx, CKPT_SPARE_COW_RUNS, c->runs);
	ckpt_spare_give(c->ctx, CKPT_SPARE_COW_PAGES, c->items);
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

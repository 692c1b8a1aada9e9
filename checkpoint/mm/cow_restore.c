// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages that processes share since fork(2) are shared again.
 *
 * The mappings of a family were forked, split or moved from one. The first one
 * that is restored becomes the root of the others' anon_vmas, as if each other
 * process had been forked from its process; this is done before they have
 * pages. A page that another process has restored is then mapped as fork(2)
 * does it. Should that not be possible its content is copied.
 *
 * The other process had its turn to read before, has completed its address
 * space, which its tag keeps, and may be killed. Nobody else takes the locks of
 * two address spaces: that of current, which is the newer one, nests inside as
 * in fork(2).
 */
#include <linux/checkpoint_state.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/oom.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/slab.h>

#include <asm/tlbflush.h>

#include "huge.h"
#include "vma.h"

/**
 * struct family - mappings that may share pages
 * @owner: process with the first one
 * @root: an address in it
 */
struct family {
	struct ckpt_task *owner;
	u64 root;
};

static bool may_have_anon(const struct vm_area_struct *vma)
{
	return vma && !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) &&
	       (is_vm_hugetlb_page(vma) || !(vma->vm_flags & VM_SPECIAL));
}

/* For writing: page tables and anon_vmas may change. */
static int lock_both(struct mm_struct *from, struct mm_struct *mm)
{
	if (mmap_write_lock_killable(from))
		return -EINTR;
	if (from != mm)
		mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	return 0;
}

static void unlock_both(struct mm_struct *from, struct mm_struct *mm)
{
	if (from != mm)
		mmap_write_unlock(mm);
	mmap_write_unlock(from);
}

/* In one process they have one anon_vma, in another a child of the first process'. */
static int link_vma(struct vm_area_struct *vma, struct vm_area_struct *relative)
{
	vma_start_write(relative);
	vma_start_write(vma);
	if (relative->vm_mm != vma->vm_mm)
		return anon_vma_fork(vma, relative);
	vma->anon_vma = relative->anon_vma;
	return anon_vma_clone(vma, relative);
}

/* A mapping that has pages, or was joined with one that does, is left alone. */
static int link_to(struct mm_struct *from, u64 relative_addr, u64 addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma, *relative;
	int ret;

	ret = lock_both(from, mm);
	if (ret)
		return ret;
	vma = vma_lookup(mm, addr);
	relative = vma_lookup(from, relative_addr);
	if (may_have_anon(vma) && !vma->anon_vma && relative && relative->anon_vma)
		ret = link_vma(vma, relative);
	unlock_both(from, mm);
	return ret;
}

static int begin_family(u64 addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int ret;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, addr);
	ret = may_have_anon(vma) ? anon_vma_prepare(vma) : -EBADMSG;
	mmap_write_unlock(mm);
	return ret;
}

/* @mine: of each family that was met here, the page where it was met last. */
static int join_family(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct ckpt_rec_vma *v,
		       struct xarray *mine)
{
	struct family *f = xa_load(&ctx->families, v->family);
	void *last = xa_load(mine, v->family);
	int ret;

	if (last)
		ret = link_to(current->mm, (u64)xa_to_value(last) << PAGE_SHIFT, v->start);
	else if (f->owner == t)
		ret = begin_family(v->start);
	else
		ret = ckpt_mm_wait(f->owner) ?: link_to(f->owner->mm, f->root, v->start);
	return ret ?: xa_err(xa_store(mine, v->family, xa_mk_value(v->start >> PAGE_SHIFT),
				      GFP_KERNEL_ACCOUNT));
}

/**
 * ckpt_cow_note - note where families of mappings begin
 * @ctx: context
 * @t: leader, current, whose turn it is to read, unless all was noted before
 * @rec: VMAS record
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_cow_note(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_vma *v = ckpt_rec_data(rec);
	u64 nr = ckpt_rec_count(rec);
	struct family *f;
	int ret;

	for (; nr; nr--, v++) {
		f = v->family ? xa_load(&ctx->families, v->family) : NULL;
		if (!v->family || f)
			continue;
		f = kmalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
		if (!f)
			return -ENOMEM;
		*f = (struct family){ .owner = t, .root = v->start };
		ret = xa_insert(&ctx->families, v->family, f, GFP_KERNEL_ACCOUNT);
		if (ret) {
			kfree(f);
			return ret;
		}
		cond_resched();
	}
	return 0;
}

/**
 * ckpt_cow_link - make mappings of current relatives of those that are there
 * @ctx: context
 * @t: leader, current, its mappings restored, without pages
 * @rec: VMAS record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_cow_link(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_vma *v = ckpt_rec_data(rec);
	u64 nr = ckpt_rec_count(rec);
	struct xarray mine;
	int ret;

	/* On the stack a lock has no key of its own. */
	xa_init(&mine);
	ret = ckpt_cow_note(ctx, t, rec);
	for (; nr && !ret; nr--, v++) {
		if (!v->family)
			continue;
		ret = join_family(ctx, t, v, &mine);
		if (ret)
			ckpt_error(ctx, CKPT_AT_RANGE(t, v->start, v->end),
				   CKPT_WHY_MAPPING, ret, "cannot share pages there");
		cond_resched();
	}
	xa_destroy(&mine);
	return ret;
}

/**
 * ckpt_cow_forget - forget all families
 * @ctx: context
 */
void ckpt_cow_forget(struct ckpt_ctx *ctx)
{
	unsigned long nr;
	struct family *f;

	xa_for_each(&ctx->families, nr, f)
		kfree(f);
	xa_destroy(&ctx->families);
}

/**
 * struct share - a range of pages that is being shared
 * @vma: where they go, locked for writing
 * @offset: what has to be added to the address in the other process
 * @next: address in the other process of what is shared next
 * @nr: pages shared
 */
struct share {
	struct vm_area_struct *vma;
	unsigned long offset;
	unsigned long next;
	long nr;
};

/**
 * ckpt_cow_move_to_root - let a folio be shared in its family
 * @folio: anonymous, in a page table that is locked
 * @vma: its mapping
 *
 * The family's root is the one anon_vma that both mappings have for sure.
 *
 * Return: false: it is busy.
 */
bool ckpt_cow_move_to_root(struct folio *folio, struct vm_area_struct *vma)
{
	if ((void *)folio->mapping == (void *)vma->anon_vma->root + PAGE_MAPPING_ANON)
		return true;
	if (!folio_trylock(folio))
		return false;
	checkpoint_anon_rmap_root(folio);
	folio_unlock(folio);
	return true;
}

/* As fork(2) does it; false: it may be pinned. */
static bool make_shared(struct folio *folio, struct page *page, struct vm_area_struct *from)
{
	if (!PageAnonExclusive(page))
		return true;
	if (folio_needs_cow_for_dma(from, folio))
		return false;
	ClearPageAnonExclusive(page);
	return true;
}

/* Pages that are pinned, merged, swapped out or on their way are not shared. */
static bool share_pte(struct share *s, struct vm_area_struct *from, pte_t *src, pte_t *dst)
{
	unsigned long addr = s->next + s->offset;
	pte_t pte = ptep_get(src);
	struct folio *folio;
	struct page *page;
	pte_t new;

	if (!pte_present(pte) || !pte_none(ptep_get(dst)))
		return false;
	page = vm_normal_page(from, s->next, pte);
	if (!page || !PageAnon(page))
		return false;
	folio = page_folio(page);
	if (folio_test_ksm(folio) || !ckpt_cow_move_to_root(folio, from) ||
	    !make_shared(folio, page, from))
		return false;
	if (pte_write(pte))
		ptep_set_wrprotect(from->vm_mm, s->next, src);
	/* Unlike what fork(2) does, this also counts that it is locked. */
	folio_get(folio);
	folio_add_anon_rmap_pte(folio, page, s->vma, addr, RMAP_NONE);
	new = mk_pte(page, s->vma->vm_page_prot);
	if (pte_dirty(pte))
		new = pte_mkdirty(new);
	set_pte_at(s->vma->vm_mm, addr, dst, pte_mkold(pte_wrprotect(new)));
	return true;
}

/* The end, in the other process, of what one page table here can have. */
static unsigned long table_end(const struct share *s, unsigned long end)
{
	unsigned long addr = s->next + s->offset;

	return min(end, pmd_addr_end(addr, end + s->offset) - s->offset);
}

/* In one page table on either side. Returns 0: all up to @end are shared. */
static int share_ptes(struct share *s, pmd_t *pmd, unsigned long end,
		      struct vm_area_struct *from)
{
	unsigned long start = s->next, addr = start + s->offset;
	spinlock_t *src_ptl, *dst_ptl;	/* of page tables; that of @from nests inside */
	pte_t *src, *dst;
	long nr = 0;

	end = table_end(s, end);
	dst = get_locked_pte(s->vma->vm_mm, addr, &dst_ptl);
	if (!dst)
		return -ENOMEM;
	src = pte_offset_map_nolock(from->vm_mm, pmd, start, &src_ptl);
	if (!src) {
		pte_unmap_unlock(dst, dst_ptl);
		return 1;
	}
	spin_lock_nested(src_ptl, SINGLE_DEPTH_NESTING);
	for (; s->next < end && share_pte(s, from, src + nr, dst + nr); nr++)
		s->next += PAGE_SIZE;
	pte_unmap_unlock(src, src_ptl);
	add_mm_counter(s->vma->vm_mm, MM_ANONPAGES, nr);
	pte_unmap_unlock(dst, dst_ptl);
	s->nr += nr;
	cond_resched();
	return s->next < end;
}

/* The lock keeps it from being migrated or split. */
static struct folio *lock_huge(pmd_t *pmd, unsigned long addr, struct vm_area_struct *vma)
{
	struct folio *folio = NULL;
	struct page *page = NULL;
	spinlock_t *ptl;	/* of the page table */

	ptl = pmd_trans_huge_lock(pmd, vma);
	if (!ptl)
		return NULL;
	if (pmd_present(*pmd) && !is_huge_zero_pmd(*pmd))
		page = vm_normal_page_pmd(vma, addr, *pmd);
	if (page && PageAnon(page) && folio_trylock(page_folio(page))) {
		folio = page_folio(page);
		folio_get(folio);
		checkpoint_anon_rmap_root(folio);
	}
	spin_unlock(ptl);
	return folio;
}

/**
 * ckpt_alloc_pmd - have the page table above those of pages
 * @mm: address space, mmap_lock is held
 * @addr: address
 *
 * Return: the entry for @addr, or NULL: there is no memory.
 */
pmd_t *ckpt_alloc_pmd(struct mm_struct *mm, unsigned long addr)
{
	p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;

	return pud ? pmd_alloc(mm, pud, addr) : NULL;
}

/* A huge page that is shared as a whole stays one. */
static bool share_huge(struct share *s, pmd_t *pmd, unsigned long end,
		       struct vm_area_struct *from)
{
	struct mm_struct *mm = s->vma->vm_mm;
	unsigned long addr = s->next;
	struct folio *folio;
	pmd_t *dst;
	bool done;

	if (!pmd_trans_huge(*pmd) || end - addr != HPAGE_PMD_SIZE || s->offset ||
	    !vma_is_anonymous(s->vma) || !vma_is_anonymous(from) ||
	    s->vma->vm_flags & VM_LOCKED ||
	    pgprot_val(s->vma->vm_page_prot) != pgprot_val(from->vm_page_prot))
		return false;
	folio = lock_huge(pmd, addr, from);
	if (!folio)
		return false;
	dst = ckpt_alloc_pmd(mm, addr);
	done = dst && pmd_none(*dst) &&
	       !copy_huge_pmd(mm, from->vm_mm, dst, pmd, addr, s->vma, from);
	folio_unlock(folio);
	folio_put(folio);
	return done;
}

/* Page tables are locked, and so is the folio that @pmd maps, which has a reference. */
static int map_part(struct share *s, pmd_t *pmd, unsigned long end,
		    struct vm_area_struct *from, struct folio *folio, pte_t *dst)
{
	struct page *page = folio_page(folio, (s->next & ~PMD_MASK) >> PAGE_SHIFT);
	pte_t entry;
	long nr;

	/* As if it had been shared as a whole, and been split here by a page fault. */
	if (folio_try_dup_anon_rmap_pmd(folio, &folio->page, from))
		return -EAGAIN;
	if (pmd_write(*pmd))
		pmdp_set_wrprotect(from->vm_mm, s->next & PMD_MASK, pmd);
	if (pmd_dirty(*pmd))
		folio_mark_dirty(folio);
	for (nr = 0; s->next < end && pte_none(ptep_get(dst + nr)); nr++, page++) {
		folio_get(folio);
		folio_add_anon_rmap_pte(folio, page, s->vma, s->next + s->offset, RMAP_NONE);
		entry = pte_mkold(pte_wrprotect(mk_pte(page, s->vma->vm_page_prot)));
		set_pte_at(s->vma->vm_mm, s->next + s->offset, dst + nr, entry);
		s->next += PAGE_SIZE;
	}
	folio_remove_rmap_pmd(folio, &folio->page, s->vma);
	add_mm_counter(s->vma->vm_mm, MM_ANONPAGES, nr);
	s->nr += nr;
	return 0;
}

/* Who might split it needs the folio's lock, or that of the address space. */
static int lock_and_map_part(struct share *s, pmd_t *pmd, unsigned long end,
			     struct vm_area_struct *from, struct folio *folio)
{
	spinlock_t *src_ptl = pmd_lockptr(from->vm_mm, pmd);	/* inside of @dst_ptl */
	spinlock_t *dst_ptl;	/* of the page table */
	pte_t *dst;
	int ret;

	dst = get_locked_pte(s->vma->vm_mm, s->next + s->offset, &dst_ptl);
	if (!dst)
		return -ENOMEM;
	spin_lock_nested(src_ptl, SINGLE_DEPTH_NESTING);
	ret = map_part(s, pmd, end, from, folio, dst);
	spin_unlock(src_ptl);
	pte_unmap_unlock(dst, dst_ptl);
	return ret;
}

/*
 * A huge page of which a part is shared stays one where it is whole. Returns as
 * share_ptes(), or -EAGAIN: it has to be split.
 */
static int share_part(struct share *s, pmd_t *pmd, unsigned long end,
		      struct vm_area_struct *from)
{
	struct folio *folio;
	int ret;

	/* What is locked is counted by page. */
	if (!pmd_trans_huge(*pmd) || s->vma->vm_flags & VM_LOCKED)
		return -EAGAIN;
	folio = lock_huge(pmd, s->next, from);
	if (!folio)
		return -EAGAIN;
	end = table_end(s, end);
	ret = lock_and_map_part(s, pmd, end, from, folio);
	folio_unlock(folio);
	folio_put(folio);
	cond_resched();
	return ret ?: s->next < end;
}

static int share_pmd(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct share *s = walk->private;
	int ret = addr != s->next;

	if (!ret && share_huge(s, pmd, end, walk->vma)) {
		s->nr += (end - addr) >> PAGE_SHIFT;
		s->next = end;
		return 0;
	}
	while (!ret && s->next < end) {
		ret = share_part(s, pmd, end, walk->vma);
		if (ret != -EAGAIN)
			continue;
		split_huge_pmd(walk->vma, pmd, addr);
		ret = share_ptes(s, pmd, end, walk->vma);
	}
	return ret;
}

static const struct mm_walk_ops share_ops = {
	.pmd_entry = share_pmd,
	.walk_lock = PGWALK_WRLOCK,
};

static int share_hugetlb(struct share *s, struct vm_area_struct *from, unsigned long end)
{
	unsigned long start = s->next;

	s->next = ckpt_huge_share(s->vma, start + s->offset, from, start, end);
	s->nr += (s->next - start) >> PAGE_SHIFT;
	return 0;
}

/* As copy_page_range(), of a part. */
static int share_range(struct share *s, struct vm_area_struct *from, unsigned long end)
{
	unsigned long start = s->next, len = end - start;
	unsigned long first = max(start & PMD_MASK, from->vm_start);
	unsigned long last = min(ALIGN(end, PMD_SIZE), from->vm_end);
	struct mm_struct *mm = from->vm_mm;
	struct mmu_notifier_range range;
	int ret;

	/* A huge page may have come there for the sake of its neighbours. */
	if (!is_vm_hugetlb_page(from))
		zap_page_range_single(s->vma, start + s->offset, len, NULL);
	/* All of a huge page may become read-only. */
	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_PAGE, 0, mm, first, last);
	mmu_notifier_invalidate_range_start(&range);
	/* Not the checked variant: the mmap_lock is enough, as in fork(2). */
	raw_write_seqcount_begin(&mm->write_protect_seq);
	ret = is_vm_hugetlb_page(from) ? share_hugetlb(s, from, end) :
	      walk_page_range(mm, start, end, &share_ops, s);
	raw_write_seqcount_end(&mm->write_protect_seq);
	flush_tlb_range(from, first, last);
	mmu_notifier_invalidate_range_end(&range);
	return min(ret, 0);
}

/* An index of a page is the same in all mappings that have it. */
static bool may_share(struct vm_area_struct *from, u64 from_addr,
		      struct vm_area_struct *vma, u64 addr)
{
	if (!may_have_anon(from) || !may_have_anon(vma) || !from->anon_vma || !vma->anon_vma ||
	    (from->vm_flags | vma->vm_flags) & VM_DROPPABLE)
		return false;
	return from->anon_vma->root == vma->anon_vma->root &&
	       ckpt_huge_fit(from, from_addr, vma, addr) &&
	       linear_page_index(from, from_addr) == linear_page_index(vma, addr);
}

/*
 * Shares the pages of a run. Returns how many; fewer: something is in the way of
 * the next. @apart gets how many pages the mappings do not share.
 */
static long share(struct mm_struct *from_mm, const struct ckpt_rec_shared_pages *run, u64 *apart)
{
	struct share s = { .offset = run->addr - run->from, .next = run->from };
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *from;
	int ret;
	u64 nr;

	*apart = 0;
	ret = lock_both(from_mm, mm);
	if (ret)
		return ret;
	from = vma_lookup(from_mm, run->from);
	s.vma = vma_lookup(mm, run->addr);
	if (!from || !s.vma || check_stable_address_space(from_mm)) {
		unlock_both(from_mm, mm);
		return -EBADMSG;
	}
	nr = min3(run->nr_pages, (u64)(from->vm_end - run->from) >> PAGE_SHIFT,
		  (u64)(s.vma->vm_end - run->addr) >> PAGE_SHIFT);
	if (may_share(from, run->from, s.vma, run->addr)) {
		vma_start_write(from);
		vma_start_write(s.vma);
		ret = share_range(&s, from, run->from + nr * PAGE_SIZE);
	} else {
		*apart = nr;
	}
	unlock_both(from_mm, mm);
	return ret ?: s.nr;
}

/* A reference to a page of the other process, which is brought in if need be. */
static int get_private_page(struct mm_struct *mm, u64 addr, struct page **page)
{
	int locked = 1;
	long nr;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	nr = get_user_pages_remote(mm, addr, 1, FOLL_FORCE, page, &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (nr != 1)
		return nr == -ENOMEM || nr == -EINTR ? nr : -EBADMSG;
	if (PageAnon(*page))
		return 0;
	put_page(*page);
	return -EBADMSG;
}

static int copy_from(struct page *from, u64 addr)
{
	struct page *page;
	long nr;

	nr = ckpt_get_private_pages(addr, 1, &page);
	if (nr != 1)
		return nr == -ENOMEM || nr == -EINTR ? nr : -EBADMSG;
	if (PageAnon(page)) {
		copy_highpage(page, from);
		set_page_dirty_lock(page);
	}
	nr = PageAnon(page) ? 0 : -EBADMSG;
	put_page(page);
	return nr;
}

/* One that is swapped out, perhaps, and can be shared when it is brought in. */
static int share_or_copy_one(struct mm_struct *mm, const struct ckpt_rec_shared_pages *run,
			     bool copy)
{
	struct ckpt_rec_shared_pages one = *run;
	struct page *page;
	u64 apart;
	long ret;

	one.nr_pages = 1;
	ret = get_private_page(mm, run->from, &page);
	if (ret)
		return ret;
	ret = copy ? 0 : share(mm, &one, &apart);
	if (!ret)
		ret = copy_from(page, run->addr);
	put_page(page);
	return min(ret, 0L);
}

static void advance(struct ckpt_rec_shared_pages *run, u64 nr)
{
	run->addr += nr * PAGE_SIZE;
	run->from += nr * PAGE_SIZE;
	run->nr_pages -= nr;
}

/* Takes the pages that are done off the run. */
static int restore_some(struct mm_struct *mm, struct ckpt_rec_shared_pages *run)
{
	u64 i, apart;
	long ret;

	ret = share(mm, run, &apart);
	if (ret < 0)
		return ret;
	advance(run, ret);
	/* Those that are not shared, or the one that is in the way. */
	apart = ret || !run->nr_pages ? 0 : max(apart, 1ULL);
	for (i = 0, ret = 0; i < apart && !ret; i++) {
		ret = share_or_copy_one(mm, run, apart > 1);
		if (!ret)
			advance(run, 1);
		cond_resched();
	}
	return ret;
}

/* The process whose pages are shared; its turn was before the present one. */
static struct ckpt_task *owner_of(struct ckpt_ctx *ctx, struct ckpt_task *t,
				  const struct ckpt_rec_shared_pages *run)
{
	struct ckpt_task *owner = ckpt_get_tag(ctx, run->mm, &ckpt_mm_ops);

	return owner && owner->index < t->index ? owner : NULL;
}

static int refuse(struct ckpt_ctx *ctx, struct ckpt_task *t,
		  const struct ckpt_rec_shared_pages *run, int err)
{
	return ckpt_error(ctx, CKPT_AT_RANGE(t, run->addr, run->addr + PAGE_SIZE),
			  err == -ENOMEM ? CKPT_WHY_LIMIT : CKPT_WHY_IMAGE, err,
			  "the pages of another process cannot be shared there");
}

/**
 * ckpt_shared_pages_restore - restore the pages of one record
 * @ctx: context
 * @t: leader, current, its mappings restored
 * @rec: SHARED_PAGES record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_shared_pages_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct ckpt_rec_shared_pages *run = ckpt_rec_data(rec);
	u64 nr = ckpt_rec_count(rec);
	struct ckpt_task *owner;
	int ret = 0;

	for (; nr && !ret; nr--, run++) {
		owner = owner_of(ctx, t, run);
		ret = owner ? ckpt_mm_wait(owner) : -EBADMSG;
		while (!ret && run->nr_pages)
			ret = restore_some(owner->mm, run);
		if (ret)
			refuse(ctx, t, run, ret);
		cond_resched();
	}
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages, from the image straight into the pages of current.
 *
 * Most are new pages that are mapped when they have their content (fresh.c). Others
 * are faulted in for writing a chunk at a time, without the detour of an exception
 * for each. What the image does not have is left as the mapping has it.
 */
#include <linux/mm.h>

#include "fresh.h"
#include "huge.h"

/*
 * What FOLL_FORCE does not do to huge pages that are only read. Returns how many
 * pages there are to the end of the huge one.
 */
static long unshare(u64 addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	vm_fault_t fault = 0;
	long ret = -EFAULT;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, addr);
	if (vma && is_vm_hugetlb_page(vma) && is_cow_mapping(vma->vm_flags) &&
	    !(vma->vm_flags & VM_WRITE)) {
		/* The first one only brings in the page of the file, if there is one. */
		fault = handle_mm_fault(vma, addr, FAULT_FLAG_UNSHARE, NULL);
		if (!(fault & VM_FAULT_ERROR))
			fault = handle_mm_fault(vma, addr, FAULT_FLAG_UNSHARE, NULL);
		ret = fault & VM_FAULT_ERROR ? -ENOMEM :
		      (huge_page_size(hstate_vma(vma)) -
		       (addr & ~huge_page_mask(hstate_vma(vma)))) >> PAGE_SHIFT;
	}
	mmap_read_unlock(mm);
	return ret;
}

/**
 * ckpt_get_private_pages - pages of current to write to, its own
 * @addr: address, in a private mapping
 * @nr: how many would be welcome
 * @pages: gets them, each with a reference; they may be another's: see PageAnon()
 *
 * Return: how many, at least one, or a negative errno.
 */
long ckpt_get_private_pages(u64 addr, u32 nr, struct page **pages)
{
	long got = get_user_pages_unlocked(addr, nr, pages, FOLL_WRITE | FOLL_FORCE);
	long in_page;

	if (got != -EFAULT)
		return got ?: -EFAULT;
	in_page = unshare(addr);
	return in_page < 0 ? in_page :
	       get_user_pages_unlocked(addr, min_t(u64, nr, in_page), pages, FOLL_FORCE);
}

static long fault_in(u64 addr, u32 nr, struct page **pages)
{
	long i, got;

	got = ckpt_get_private_pages(addr, nr, pages);
	/* Content of shared mappings is not the image's to give. */
	for (i = 0; i < got; i++)
		if (!PageAnon(pages[i]))
			break;
	if (i >= got)
		return got;
	release_pages(pages, got);
	return -EFAULT;
}

/* In one page table at a time: what is in the next may have to be got in another way. */
static long get(const struct ckpt_page_target *target, u64 addr, u32 nr, u64 more,
		struct page **pages)
{
	long got;

	nr = min_t(u64, nr, (ALIGN(addr + 1, PMD_SIZE) - addr) >> PAGE_SHIFT);
	got = ckpt_fresh_get(target->fresh, addr, nr, more, pages);
	return got ?: fault_in(addr, nr, pages);
}

/* Of the huge pages there, or NULL. */
static struct hstate *hstate_at(u64 addr)
{
	struct vm_area_struct *vma;
	struct hstate *h = NULL;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	if (vma && is_vm_hugetlb_page(vma))
		h = hstate_vma(vma);
	mmap_read_unlock(current->mm);
	return h;
}

static int failed(struct ckpt_ctx *ctx, struct ckpt_task *t,
		  const struct ckpt_page_target *target, u64 addr, u32 nr, int err)
{
	struct hstate *h = hstate_at(addr);

	if (h && err != -EINTR)
		return ckpt_huge_missing(ctx, CKPT_AT_RANGE(t, addr, addr + nr * PAGE_SIZE), h, 1,
					 err);
	return ckpt_error(ctx, CKPT_AT_RANGE(t, addr, addr + nr * PAGE_SIZE),
			  err == -ENOMEM ? CKPT_WHY_LIMIT : CKPT_WHY_IMAGE,
			  err == -EFAULT ? -EBADMSG : err, "pages cannot be put there");
}

static int filled(struct ckpt_ctx *ctx, struct ckpt_task *t,
		  const struct ckpt_page_target *target)
{
	u64 addr;
	int ret = ckpt_fresh_map(target->fresh, &addr);

	return ret ? failed(ctx, t, target, addr, 1, ret) : 0;
}

/**
 * ckpt_pages_restore - restore the pages of one record
 * @ctx: context
 * @t: leader, current, its mappings restored
 * @rec: PAGES record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_pages_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct ckpt_page_target target = { .get = get, .filled = filled, .failed = failed };
	int ret;

	target.fresh = ckpt_fresh_begin();
	if (!target.fresh)
		return -ENOMEM;
	ret = ckpt_pages_read(ctx, t, rec, &target);
	ckpt_fresh_end(target.fresh);
	return ret;
}

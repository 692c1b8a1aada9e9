// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings, made again: each through the ordinary mmap() and madvise(), with
 * their checks and limits, and never merged with its neighbour: what
 * /proc/PID/maps shows is the same afterwards.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pkeys.h>
#include <linux/security.h>

#include "../optional.h"
#include "huge.h"
#include "vma.h"

/*
 * The kernel never merges or moves mappings that may not be expanded. All have
 * this flag until the last one is there: flags, offsets or anon_vmas by which
 * neighbours differed may only differ later, or no more.
 */
#define VM_APART	VM_DONTEXPAND

/*
 * Memory that was written to and made read-only later stays accounted for.
 * mprotect() cannot do that to memory that is still empty.
 */
static int account(struct vm_area_struct *vma, const struct ckpt_rec_vma *v)
{
	int ret;

	if (!(v->flags & CKPT_VMA_ACCOUNT) || v->flags & CKPT_VMA_SHARED ||
	    vma->vm_flags & VM_ACCOUNT)
		return 0;
	ret = security_vm_enough_memory_mm(vma->vm_mm, vma_pages(vma));
	if (!ret)
		vm_flags_set(vma, VM_ACCOUNT);
	return ret;
}

/* As mlock(); pages are locked as they come. */
static int lock(struct vm_area_struct *vma, const struct ckpt_rec_vma *v)
{
	struct mm_struct *mm = vma->vm_mm;

	if (!(v->flags & CKPT_VMA_LOCKED))
		return 0;
	if (!can_do_mlock())
		return -EPERM;
	if (mm->locked_vm + vma_pages(vma) > rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT &&
	    !capable(CAP_IPC_LOCK))
		return -ENOMEM;
	/* This mlock() leaves alone. */
	if (vma_is_dax(vma))
		return -EINVAL;
	mm->locked_vm += vma_pages(vma);
	vm_flags_set(vma, VM_LOCKED |
		     (v->flags & CKPT_VMA_LOCKONFAULT ? VM_LOCKONFAULT : 0));
	return 0;
}

/* As if it had been mapped under F_SEAL_FUTURE_WRITE, which the memory gets later. */
static void make_readonly(struct vm_area_struct *vma)
{
	if (!vma_is_shared_maywrite(vma))
		return;
	mapping_unmap_writable(vma->vm_file->f_mapping);
	vm_flags_clear(vma, VM_MAYWRITE);
}

/* What mmap() and madvise() cannot do; mmap_lock is held. */
static int finish_locked(const struct ckpt_rec_vma *v)
{
	struct vm_area_struct *vma = vma_lookup(current->mm, v->start);
	int ret;

	if (!vma || vma->vm_start != v->start || vma->vm_end != v->end || vma->anon_vma)
		return -EBADMSG;
	/* None of those that are saved has these. */
	if (vma->vm_flags & VM_SPECIAL & ~(is_vm_hugetlb_page(vma) ? VM_DONTEXPAND :
					   ckpt_is_ring(vma) ? CKPT_RING_VM_FLAGS : 0))
		return -ENOEXEC;
	if (is_vm_hugetlb_page(vma) ? v->flags & (CKPT_VMA_LOCKED | CKPT_VMA_ACCOUNT) :
				      v->flags & CKPT_VMA_UNRESERVED)
		return -EBADMSG;
	vma_start_write(vma);
	/* Memory that was moved keeps its offsets, by which its pages are found. */
	if (!vma->vm_file)
		vma->vm_pgoff = v->pgoff;
	/* One that can only be executed may have got one already. */
	if (vma_pkey(vma) != v->pkey) {
		if (!arch_pkeys_enabled())
			return -ENOEXEC;
		vm_flags_clear(vma, ARCH_VM_PKEY_FLAGS);
		vm_flags_set(vma, ckpt_pkey_flags(v->pkey));
		vma_set_page_prot(vma);
	}
	if (v->flags & CKPT_VMA_UNRESERVED)
		vm_flags_clear(vma, VM_NORESERVE);
	if (v->flags & CKPT_VMA_READONLY)
		make_readonly(vma);
	ret = account(vma, v) ?: lock(vma, v);
	/* Seals are last: they keep system calls from what is done here. */
	vm_flags_set(vma, VM_APART | (v->flags & CKPT_VMA_SEALED ? VM_SEALED : 0));
	return ret;
}

static int finish(const struct ckpt_rec_vma *v)
{
	int ret;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	ret = finish_locked(v);
	mmap_write_unlock(current->mm);
	return ret;
}

static unsigned long type_of(const struct ckpt_rec_vma *v)
{
	if (v->flags & CKPT_VMA_DROPPABLE)
		return MAP_DROPPABLE;
	return v->flags & CKPT_VMA_SHARED ? MAP_SHARED : MAP_PRIVATE;
}

#define NORESERVE	(CKPT_VMA_NORESERVE | CKPT_VMA_UNRESERVED)

static int map(struct ckpt_ctx *ctx, const struct ckpt_rec_vma *v)
{
	unsigned long prot = (v->prot & CKPT_PROT_READ ? PROT_READ : 0) |
			     (v->prot & CKPT_PROT_WRITE ? PROT_WRITE : 0) |
			     (v->prot & CKPT_PROT_EXEC ? PROT_EXEC : 0);
	unsigned long flags = MAP_FIXED_NOREPLACE | type_of(v) |
			      (v->flags & CKPT_VMA_GROWSDOWN ? MAP_GROWSDOWN : 0) |
			      (v->flags & NORESERVE ? MAP_NORESERVE : 0) |
			      (v->file ? 0 : MAP_ANONYMOUS);
	u64 offset = v->file ? v->pgoff << PAGE_SHIFT : 0;
	struct file *file = NULL;
	unsigned long addr;

	if (v->file) {
		file = ckpt_get_tag(ctx, v->file, &ckpt_file_ops);
		if (!file || offset >> PAGE_SHIFT != v->pgoff)
			return -EBADMSG;
		if (io_is_uring_fops(file))
			return ckpt_ring_map(file, v);
	}
	addr = vm_mmap(file, v->start, v->end - v->start, prot, flags, offset);
	if (IS_ERR_VALUE(addr))
		return addr;
	return addr == v->start ? 0 : -EBADMSG;
}

/* What this kernel has made of it: by other settings it may be something else. */
static bool is_same(struct vm_area_struct *vma, const struct ckpt_rec_vma *v)
{
	struct ckpt_rec_vma now = { .file = v->file, .family = v->family };

	ckpt_vma_fill(vma, &now);
	/* Accounted for by the file. */
	if (v->flags & CKPT_VMA_SHARED)
		now.flags = (now.flags & ~CKPT_VMA_ACCOUNT) | (v->flags & CKPT_VMA_ACCOUNT);
	return !memcmp(v, &now, sizeof(now));
}

/* First mapping that is not as saved, else 0; all may merge from now on. */
static u64 release(struct mm_struct *mm, const struct ckpt_rec_vma *v, u64 nr)
{
	const struct ckpt_rec_vma *end = v + nr;
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma) {
		if (ckpt_arch_vma_is_special(vma))
			continue;
		vma_start_write(vma);
		if (!is_vm_hugetlb_page(vma) && !ckpt_is_ring(vma))
			vm_flags_clear(vma, VM_APART);
		if (v == end || !is_same(vma, v))
			return vma->vm_start;
		v++;
	}
	return v == end ? 0 : v->start;
}

/**
 * ckpt_vmas_settle - are the mappings those that were saved?
 * @ctx: context
 * @t: leader, current, its mappings complete
 * @rec: VMAS record
 *
 * From now on they may be merged and moved.
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_vmas_settle(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	u64 other;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	other = release(current->mm, ckpt_rec_data(rec), ckpt_rec_count(rec));
	mmap_write_unlock(current->mm);
	if (other)
		return ckpt_error(ctx, CKPT_AT_RANGE(t, other, other + PAGE_SIZE),
				  CKPT_WHY_MISMATCH, -ENOEXEC,
				  "the same mapping would be another one here");
	return 0;
}

/* Bytes that private mappings from @v on reserve of huge pages of a size. */
static u64 to_reserve(struct ckpt_ctx *ctx, const struct ckpt_rec_vma *v, u64 nr,
		      struct hstate *h)
{
	struct file *file;
	u64 bytes = 0;

	for (; nr; nr--, v++) {
		file = v->file ? ckpt_get_tag(ctx, v->file, &ckpt_file_ops) : NULL;
		if (file && is_file_hugepages(file) && hstate_file(file) == h &&
		    !(v->flags & (NORESERVE | CKPT_VMA_SHARED)))
			bytes += v->end - v->start;
	}
	return bytes;
}

static int map_failed(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct ckpt_rec_vma *v,
		      u64 nr, int err)
{
	struct file *file = v->file ? ckpt_get_tag(ctx, v->file, &ckpt_file_ops) : NULL;
	const struct ckpt_where *where = CKPT_AT_RANGE(t, v->start, v->end);
	struct hstate *h;

	if (err == -ENOMEM && file && is_file_hugepages(file)) {
		h = hstate_file(file);
		return ckpt_huge_missing(ctx, where, h,
					 to_reserve(ctx, v, nr, h) >> huge_page_shift(h), err);
	}
	return ckpt_error(ctx, where, err == -ENOMEM ? CKPT_WHY_LIMIT : CKPT_WHY_MAPPING,
			  err, "cannot map this again");
}

/**
 * ckpt_vmas_restore - map what was mapped
 * @ctx: context
 * @t: leader, current, its address space empty but for the vDSO
 * @rec: VMAS record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_vmas_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_vma *v = ckpt_rec_data(rec);
	u64 i, nr = ckpt_rec_count(rec);
	int ret;

	for (i = 0; i < nr; i++, v++) {
		ret = map(ctx, v);
		if (!ret)
			ret = ckpt_vma_advise(v);
		if (!ret)
			ret = finish(v);
		if (ret)
			return map_failed(ctx, t, v, nr - i, ret);
		cond_resched();
	}
	return ckpt_vmas_settle(ctx, t, rec);
}

/* First range from @addr on that mlock() would have filled. */
static bool next_locked(struct mm_struct *mm, unsigned long *addr, unsigned long *end)
{
	struct vm_area_struct *vma;
	bool found = false;

	VMA_ITERATOR(vmi, mm, *addr);

	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		if ((vma->vm_flags & (VM_LOCKED | VM_LOCKONFAULT)) != VM_LOCKED ||
		    !vma_is_accessible(vma))
			continue;
		*addr = max(*addr, vma->vm_start);
		*end = vma->vm_end;
		found = true;
		break;
	}
	mmap_read_unlock(mm);
	return found;
}

/**
 * ckpt_vmas_populate - bring in what is left out of locked memory
 *
 * Of current, whose pages are there. What the image does not have, such as
 * pages of files, must be in memory, too. They are only read: if mlock() had
 * made them private, the image would have them.
 *
 * Return: 0 or -EINTR.
 */
int ckpt_vmas_populate(void)
{
	unsigned long addr = 0, end;
	long got;

	while (next_locked(current->mm, &addr, &end)) {
		got = get_user_pages_unlocked(addr, (end - addr) >> PAGE_SHIFT, NULL, FOLL_FORCE);
		/* Behind the end of a file there is nothing. */
		addr = got > 0 ? addr + (got << PAGE_SHIFT) : end;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

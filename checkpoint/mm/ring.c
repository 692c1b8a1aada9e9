// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of the memory of io_uring(7): rings and submissions. They are mappings as
 * others, but mmap(2) does not let the process choose their address.
 */
#include <linux/checkpoint_state.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/security.h>
#include <linux/userfaultfd_k.h>

#include "../file/event.h"
#include "vma.h"

/* A ring of provided buffers, which has a number. */
static bool is_group(u64 pgoff)
{
	return pgoff >> (32 - PAGE_SHIFT) == 0 &&
	       (pgoff << PAGE_SHIFT & IORING_OFF_MMAP_MASK) == IORING_OFF_PBUF_RING;
}

static bool is_place(u64 pgoff)
{
	return is_group(pgoff) || pgoff == IORING_OFF_SQ_RING >> PAGE_SHIFT ||
	       pgoff == IORING_OFF_CQ_RING >> PAGE_SHIFT ||
	       pgoff == IORING_OFF_SQES >> PAGE_SHIFT;
}

/* As a whole, and not of a former group with this number. */
static bool is_whole_group(struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	struct checkpoint_io_uring_group group = {};
	struct page *page, *first;
	bool same;

	offset = (offset & ~IORING_OFF_MMAP_MASK) >> IORING_OFF_PBUF_SHIFT;
	/* If it is in use that is told elsewhere. */
	if (checkpoint_io_uring_group(vma->vm_file, offset, &group) < 0)
		return true;
	if (group.bgid != offset || !group.mapped || vma_pages(vma) < group.nr_pages ||
	    get_user_pages_remote(vma->vm_mm, vma->vm_start, 1, FOLL_NOFAULT, &page, NULL) != 1)
		return false;
	first = ckpt_group_page(vma->vm_file, offset, 0);
	same = page == first;
	put_page(page);
	if (first)
		put_page(first);
	return same;
}

/**
 * ckpt_ring_collect - look for what keeps such a mapping from being saved
 * @ctx: context of a save
 * @where: the mapping
 * @vma: the same; mmap_lock is held
 */
void ckpt_ring_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		       struct vm_area_struct *vma)
{
	struct checkpoint_io_uring state;
	bool good = is_place(vma->vm_pgoff) && (vma->vm_flags & VM_MAYSHARE) &&
		    !(vma->vm_flags & VM_EXEC);

	/* The kernel maps submissions as a whole. If it is in use that is told elsewhere. */
	if (good && vma->vm_pgoff == IORING_OFF_SQES >> PAGE_SHIFT &&
	    !checkpoint_io_uring_show(vma->vm_file, &state))
		good = vma->vm_end - vma->vm_start >= state.sqes_size;
	if (good && is_group(vma->vm_pgoff))
		good = is_whole_group(vma);
	if (!good)
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING,
			      "memory of io_uring that was mapped in part, or in another way");
}

/**
 * ckpt_ring_map - map the memory of an instance again
 * @file: the instance
 * @v: record of the mapping
 *
 * The range is reserved by an ordinary mapping, with all its checks, and replaced.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_ring_map(struct file *file, const struct ckpt_rec_vma *v)
{
	unsigned long prot = (v->prot & CKPT_PROT_READ ? PROT_READ : 0) |
			     (v->prot & CKPT_PROT_WRITE ? PROT_WRITE : 0);
	vm_flags_t flags = calc_vm_prot_bits(prot, 0) | VM_SHARED | VM_MAYSHARE |
			   VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	unsigned long addr;
	LIST_HEAD(uf);
	int ret;

	if (!is_place(v->pgoff) || !(v->flags & CKPT_VMA_SHARED) || v->prot & CKPT_PROT_EXEC)
		return -EBADMSG;
	ret = security_mmap_file(file, prot, MAP_SHARED);
	if (ret)
		return ret;
	if (path_noexec(&file->f_path))
		flags &= ~VM_MAYEXEC;
	addr = vm_mmap(NULL, v->start, v->end - v->start, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		       MAP_NORESERVE | MAP_FIXED_NOREPLACE, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	if (addr != v->start)
		return -EBADMSG;
	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	addr = mmap_region(file, v->start, v->end - v->start, flags, v->pgoff, &uf);
	mmap_write_unlock(current->mm);
	userfaultfd_unmap_complete(current->mm, &uf);
	/* Of a smaller instance than the image says. */
	if (addr == -EFAULT)
		return -EBADMSG;
	if (IS_ERR_VALUE(addr))
		return addr;
	return addr == v->start ? 0 : -EBADMSG;
}

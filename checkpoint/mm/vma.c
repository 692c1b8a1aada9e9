// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings. Private ones, anonymous or of a file, and shared ones of a regular
 * file; with the advice that persists. Every flag that is not known here is an
 * obstacle.
 */
#include <linux/checkpoint_state.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/pkeys.h>
#include <linux/sched/coredump.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "../optional.h"
#include "huge.h"
#include "vma.h"

/* Flags with their counterpart in the image, and the advice that sets them. */
static const struct {
	unsigned long vm;
	u32 saved;
	int advice;
} advices[] = {
	{ VM_DONTCOPY, CKPT_VMA_DONTFORK, MADV_DONTFORK },
	{ VM_DONTDUMP, CKPT_VMA_DONTDUMP, MADV_DONTDUMP },
	{ VM_WIPEONFORK, CKPT_VMA_WIPEONFORK, MADV_WIPEONFORK },
	{ VM_SEQ_READ, CKPT_VMA_SEQUENTIAL, MADV_SEQUENTIAL },
	{ VM_RAND_READ, CKPT_VMA_RANDOM, MADV_RANDOM },
	{ VM_HUGEPAGE, CKPT_VMA_HUGEPAGE, MADV_HUGEPAGE },
	{ VM_NOHUGEPAGE, CKPT_VMA_NOHUGEPAGE, MADV_NOHUGEPAGE },
	{ VM_MERGEABLE, CKPT_VMA_MERGEABLE, MADV_MERGEABLE },
};

/* Flags that are saved, or follow from what is. */
#define KNOWN_FLAGS	(VM_READ | VM_WRITE | VM_EXEC | VM_SHARED | VM_MAYREAD | VM_MAYWRITE | \
			 VM_MAYEXEC | VM_MAYSHARE | VM_GROWSDOWN | VM_ACCOUNT | VM_NORESERVE | \
			 VM_DONTCOPY | VM_DONTDUMP | VM_WIPEONFORK | VM_SEQ_READ | \
			 VM_RAND_READ | VM_HUGEPAGE | VM_NOHUGEPAGE | VM_MERGEABLE | \
			 VM_SOFTDIRTY | VM_LOCKED | VM_LOCKONFAULT | VM_DROPPABLE | VM_SEALED | \
			 ARCH_VM_PKEY_FLAGS)

/* Flags that have a better name than their number. */
static const struct {
	unsigned long vm;
	const char *text;
} refused[] = {
	{ VM_PFNMAP | VM_IO | VM_MIXEDMAP, "memory of a device" },
	{ __VM_UFFD_FLAGS, "memory of a userfaultfd" },
	{ VM_SHADOW_STACK, "a shadow stack" },
};

static void collect_flags(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct vm_area_struct *vma)
{
	unsigned long unknown = vma->vm_flags & ~KNOWN_FLAGS;
	int i;

	if (is_vm_hugetlb_page(vma))
		unknown &= ~(VM_HUGETLB | VM_DONTEXPAND);
	if (ckpt_is_ring(vma))
		unknown &= ~CKPT_RING_VM_FLAGS;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		if (!(unknown & refused[i].vm))
			continue;
		unknown &= ~refused[i].vm;
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING_FLAG, "%s", refused[i].text);
	}
	if (unknown)
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING_FLAG,
			      "a mapping with unknown flags 0x%lx", unknown);
}

/**
 * ckpt_vma_collect - look for properties of a mapping that cannot be saved
 * @ctx: context
 * @t: leader of its process
 * @vma: mapping; mmap_lock is held
 */
void ckpt_vma_collect(struct ckpt_ctx *ctx, struct ckpt_task *t, struct vm_area_struct *vma)
{
	const struct ckpt_where *where = CKPT_AT_RANGE(t, vma->vm_start, vma->vm_end);

	if (ckpt_arch_vma_is_special(vma)) {
		if (vma->anon_vma)
			ckpt_obstacle(ctx, where, CKPT_WHY_VDSO, "a vDSO that was written to");
		return;
	}
	/* aio.c has contexts, and their rings. */
	if (ckpt_is_aio_ring(vma))
		return;
	collect_flags(ctx, where, vma);
	if (is_vm_hugetlb_page(vma))
		ckpt_huge_collect(ctx, where, vma);
	if (ckpt_is_ring(vma))
		ckpt_ring_collect(ctx, where, vma);
	if (vma->vm_file)
		ckpt_file_collect(ctx, where, vma->vm_file);
	else if (vma->vm_flags & VM_SHARED || (vma->vm_ops && !vma_is_anonymous(vma)))
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING, "a special mapping of the kernel");
}

/* Private huge pages of a process that was forked: its parent has the reserve. */
static bool is_unreserved(struct vm_area_struct *vma)
{
	return is_vm_hugetlb_page(vma) && !(vma->vm_flags & (VM_MAYSHARE | VM_NORESERVE)) &&
	       !checkpoint_hugetlb_owner(vma);
}

/* It may not become writable, although its file is: it was mapped under a seal. */
static bool is_readonly(struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_SHARED;
}

/**
 * ckpt_vma_fill - describe a mapping, but for its file
 * @vma: mapping; mmap_lock is held
 * @rec: its record
 */
void ckpt_vma_fill(struct vm_area_struct *vma, struct ckpt_rec_vma *rec)
{
	int i;

	rec->start = vma->vm_start;
	rec->end = vma->vm_end;
	rec->pgoff = vma->vm_pgoff;
	rec->prot = (vma->vm_flags & VM_READ ? CKPT_PROT_READ : 0) |
		    (vma->vm_flags & VM_WRITE ? CKPT_PROT_WRITE : 0) |
		    (vma->vm_flags & VM_EXEC ? CKPT_PROT_EXEC : 0);
	/* A shared mapping of a file opened for reading only is not VM_SHARED. */
	rec->flags = (vma->vm_flags & VM_MAYSHARE ? CKPT_VMA_SHARED : 0) |
		     (vma->vm_flags & VM_GROWSDOWN ? CKPT_VMA_GROWSDOWN : 0) |
		     (vma->vm_flags & VM_NORESERVE ? CKPT_VMA_NORESERVE : 0) |
		     (vma->vm_flags & VM_ACCOUNT ? CKPT_VMA_ACCOUNT : 0) |
		     (vma->vm_flags & VM_LOCKED ? CKPT_VMA_LOCKED : 0) |
		     (vma->vm_flags & VM_LOCKONFAULT ? CKPT_VMA_LOCKONFAULT : 0) |
		     (vma->vm_flags & VM_DROPPABLE ? CKPT_VMA_DROPPABLE : 0) |
		     (vma->vm_flags & VM_SEALED ? CKPT_VMA_SEALED : 0) |
		     (is_unreserved(vma) ? CKPT_VMA_UNRESERVED : 0) |
		     (is_readonly(vma) ? CKPT_VMA_READONLY : 0);
	rec->pkey = vma_pkey(vma);
	for (i = 0; i < ARRAY_SIZE(advices); i++)
		if (vma->vm_flags & advices[i].vm)
			rec->flags |= advices[i].saved;
}

/**
 * ckpt_vma_advise - give memory of current the saved advice
 * @v: record of its mapping
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_advise(const struct ckpt_rec_vma *v)
{
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(advices) && !ret; i++)
		if (v->flags & advices[i].saved)
			ret = do_madvise(current->mm, v->start, v->end - v->start,
					 advices[i].advice);
	/* Where all memory is merged this has been taken out. */
	if (!ret && !(v->flags & CKPT_VMA_MERGEABLE) &&
	    test_bit(MMF_VM_MERGE_ANY, &current->mm->flags))
		ret = do_madvise(current->mm, v->start, v->end - v->start, MADV_UNMERGEABLE);
	return ret;
}

/**
 * ckpt_vmas_gather - list the mappings of an address space
 * @mm: address space of a frozen process
 * @vmas: the list, released with ckpt_vmas_free() also on failure
 *
 * Return: 0, -ENOMEM, -EBUSY: the mappings changed meanwhile, -EINTR.
 */
int ckpt_vmas_gather(struct mm_struct *mm, struct ckpt_vmas *vmas)
{
	u32 max = READ_ONCE(mm->map_count);
	struct vm_area_struct *vma;
	int ret = 0;

	VMA_ITERATOR(vmi, mm, 0);

	vmas->recs = kvcalloc(max, sizeof(*vmas->recs), GFP_KERNEL_ACCOUNT);
	vmas->files = kvcalloc(max, sizeof(*vmas->files), GFP_KERNEL_ACCOUNT);
	if (!vmas->recs || !vmas->files)
		return -ENOMEM;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for_each_vma(vmi, vma) {
		if (ckpt_arch_vma_is_special(vma) || ckpt_is_aio_ring(vma))
			continue;
		if (vmas->nr == max) {
			ret = -EBUSY;
			break;
		}
		ckpt_vma_fill(vma, &vmas->recs[vmas->nr]);
		if (vma->vm_file)
			vmas->files[vmas->nr] = get_file(vma->vm_file);
		vmas->nr++;
	}
	mmap_read_unlock(mm);
	return ret;
}

/**
 * ckpt_vmas_tag - save the files of mappings
 * @ctx: context
 * @t: leader of the process
 * @vmas: mappings; get the tags of their files
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vmas_tag(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_vmas *vmas)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < vmas->nr && !ret; i++)
		if (vmas->files[i])
			ret = ckpt_file_save(ctx, t, vmas->files[i], &vmas->recs[i].file);
	return ret;
}

/**
 * ckpt_vmas_free - release what ckpt_vmas_gather() has taken
 * @vmas: mappings
 */
void ckpt_vmas_free(struct ckpt_vmas *vmas)
{
	u32 i;

	for (i = 0; i < vmas->nr; i++)
		if (vmas->files[i])
			fput(vmas->files[i]);
	kvfree(vmas->files);
	kvfree(vmas->recs);
}

static u32 list_vmas(struct mm_struct *mm, void *recs, size_t unit, u32 max,
		     bool (*fill)(struct vm_area_struct *vma, void *rec))
{
	struct vm_area_struct *vma;
	u32 nr = 0;

	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma)
		nr += fill(vma, nr < max ? recs + nr * unit : NULL);
	return nr;
}

/**
 * ckpt_vmas_list - save what some of the mappings have
 * @ctx: context
 * @mm: address space of a frozen process
 * @type: of the record, an array; none is written if no mapping has it
 * @unit: bytes of an element
 * @fill: says whether a mapping has it, and fills an element, unless that is NULL
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vmas_list(struct ckpt_ctx *ctx, struct mm_struct *mm, u32 type, size_t unit,
		   bool (*fill)(struct vm_area_struct *vma, void *rec))
{
	void *recs;
	u32 nr;
	int ret;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	nr = list_vmas(mm, NULL, unit, 0, fill);
	mmap_read_unlock(mm);
	if (!nr)
		return 0;
	recs = kvcalloc(nr, unit, GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	mmap_read_lock(mm);
	ret = list_vmas(mm, recs, unit, nr, fill) == nr ? 0 : -EBUSY;
	mmap_read_unlock(mm);
	if (!ret)
		ret = ckpt_write_record(ctx, type, 0, unit, recs, nr * unit, NULL, 0);
	kvfree(recs);
	return ret;
}

static bool fill_name(struct vm_area_struct *vma, void *rec)
{
	struct anon_vma_name *name = anon_vma_name(vma);
	struct ckpt_rec_vma_name *v = rec;

	if (name && v) {
		v->start = vma->vm_start;
		v->end = vma->vm_end;
		strscpy_pad(v->name, name->name);
	}
	return name;
}

/**
 * ckpt_vma_names_save - save the names of anonymous memory
 * @ctx: context
 * @mm: address space of a frozen process
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_names_save(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	return ckpt_vmas_list(ctx, mm, CKPT_REC_VMA_NAMES, sizeof(struct ckpt_rec_vma_name),
			      fill_name);
}

/*
 * Names have the borders of mappings. They are not given by madvise(), which
 * would make one mapping of two that were apart.
 */
static int set_name(struct mm_struct *mm, const struct ckpt_rec_vma_name *v)
{
	struct vm_area_struct *vma = vma_lookup(mm, v->start);
	struct anon_vma_name *name;

	if (!vma || vma->vm_start != v->start || vma->vm_end != v->end || anon_vma_name(vma) ||
	    (vma->vm_file && !vma_is_anon_shmem(vma)))
		return -EBADMSG;
	name = anon_vma_name_alloc(v->name);
	if (!name)
		return -ENOMEM;
	vma_start_write(vma);
	return ckpt_give_vma_name(vma, name);
}

/**
 * ckpt_vma_names_restore - name anonymous memory of current
 * @rec: VMA_NAMES record; the memory is mapped
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_names_restore(struct ckpt_rec *rec)
{
	const struct ckpt_rec_vma_name *v = ckpt_rec_data(rec);
	struct mm_struct *mm = current->mm;
	u64 nr = ckpt_rec_count(rec);
	int ret = 0;

	for (; nr && !ret; nr--, v++) {
		if (mmap_write_lock_killable(mm))
			return -EINTR;
		ret = set_name(mm, v);
		mmap_write_unlock(mm);
		cond_resched();
	}
	return ret;
}

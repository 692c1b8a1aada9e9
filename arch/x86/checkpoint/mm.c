// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is special about an address space on x86-64: vDSO and vvar, LDT; address
 * masking, protection keys and the vsyscall page are looked at.
 */
#include <linux/checkpoint_state.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include <asm/elf.h>
#include <asm/mmu.h>
#include <asm/mmu_context.h>
#include <asm/pkru.h>
#include <asm/vdso.h>

#include "../../../checkpoint/internal.h"
#include "optional.h"

static unsigned long vdso_of(struct mm_struct *mm)
{
	return (unsigned long)mm->context.vdso;
}

static bool is_named(struct vm_area_struct *vma, const char *name)
{
	const struct vm_special_mapping *special = vma->vm_private_data;

	/* Such mappings have no file; only they have these operations. */
	return !vma->vm_file && vma->vm_ops && vma->vm_ops->name &&
	       vma->vm_ops->name(vma) && !strcmp(vma->vm_ops->name(vma), name) && special;
}

/**
 * ckpt_arch_vma_is_special - is this mapping the vDSO, or its data?
 * @vma: mapping; mmap_lock is held
 *
 * Return: true if it is.
 */
bool ckpt_arch_vma_is_special(struct vm_area_struct *vma)
{
	return is_named(vma, "[vdso]") || is_named(vma, "[vvar]");
}

static bool is_compat(struct mm_struct *mm)
{
	return test_bit(MM_CONTEXT_UPROBE_IA32, &mm->context.flags);
}

/*
 * Both parts whole and side by side, or neither. The kernel itself lets signal
 * handlers of 32-bit programs return to where it was mapped.
 */
static bool vdso_is_whole(struct mm_struct *mm)
{
	const struct vdso_image *image = mm->context.vdso_image;
	unsigned long vdso = vdso_of(mm);
	struct vm_area_struct *vma;
	int parts = 0;

	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma) {
		if (!ckpt_arch_vma_is_special(vma))
			continue;
		if (!vdso || !image)
			return false;
		if (is_named(vma, "[vdso]") &&
		    (vma->vm_start != vdso || vma->vm_end != vdso + image->size))
			return false;
		if (is_named(vma, "[vvar]") &&
		    (vma->vm_start != vdso + image->sym_vvar_start || vma->vm_end != vdso))
			return false;
		parts++;
	}
	return parts == 2 || (!parts && (!vdso || !is_compat(mm)));
}

/**
 * ckpt_arch_collect_mm - look for parts of an address space that cannot be saved
 * @ctx: context
 * @t: leader of its process
 * @mm: address space; mmap_lock is held
 */
void ckpt_arch_collect_mm(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm)
{
	if (!vdso_is_whole(mm))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_VDSO,
			      is_compat(mm) ? "has unmapped its vDSO, or moved a part of it" :
					      "has moved or unmapped a part of its vDSO");
	if (has_tagged_addresses(mm))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_PRCTL, "uses tagged addresses (LAM)");
	if (test_bit(MM_CONTEXT_HAS_VSYSCALL, &mm->context.flags) ==
	    test_bit(MM_CONTEXT_UPROBE_IA32, &mm->context.flags))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_MM, "is an address space of another kind");
}

static u64 vdso_sum(const struct vdso_image *image)
{
	static u64 known;	/* of most processes; it never changes */
	u64 sum = image == vdso_image(false) ? READ_ONCE(known) : 0;

	if (sum)
		return sum;
	sum = xxh64(image->data, image->size, (u64)-image->sym_vvar_start);
	if (image == vdso_image(false))
		WRITE_ONCE(known, sum);
	return sum;
}

/* The kernel does not forget where it was when it is unmapped. */
static bool has_vdso(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	bool found;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, vdso_of(mm));
	found = vma && ckpt_arch_vma_is_special(vma);
	mmap_read_unlock(mm);
	return found;
}

/**
 * ckpt_arch_save_mm - save where the vDSO is, and which one
 * @mm: address space
 * @rec: its record
 */
void ckpt_arch_save_mm(struct mm_struct *mm, struct ckpt_rec_mm *rec)
{
	if (is_compat(mm))
		rec->flags |= CKPT_MMF_COMPAT;
	save_bases(mm, rec);
	save_pkeys(mm, rec);
	if (!has_vdso(mm))
		return;
	rec->vdso = vdso_of(mm);
	rec->vdso_sum = vdso_sum(mm->context.vdso_image);
	rec->vvar = rec->vdso + mm->context.vdso_image->sym_vvar_start;
}

/* As exec() does. */
static void set_kind(struct mm_struct *mm, const struct ckpt_rec_mm *rec)
{
	if (rec->flags & CKPT_MMF_COMPAT) {
		set_thread_flag(TIF_ADDR32);
		set_bit(MM_CONTEXT_UPROBE_IA32, &mm->context.flags);
	} else {
		set_bit(MM_CONTEXT_HAS_VSYSCALL, &mm->context.flags);
	}
	mm->task_size = TASK_SIZE;
	restore_bases(mm, rec);
}

/**
 * ckpt_arch_restore_mm - map the vDSO where it was
 * @ctx: context
 * @t: leader, current
 * @rec: record of its address space
 *
 * Return: 0, -ENOEXEC: this kernel has another vDSO; or another negative errno.
 */
int ckpt_arch_restore_mm(struct ckpt_ctx *ctx, struct ckpt_task *t,
			 const struct ckpt_rec_mm *rec)
{
	const struct vdso_image *image = vdso_image(rec->flags & CKPT_MMF_COMPAT);
	int ret;

	if (!image)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_COMPAT, -ENOEXEC,
				  "this kernel cannot run 32-bit programs");
	set_kind(current->mm, rec);
	if (!rec->vdso)
		return 0;
	if (rec->vdso_sum != vdso_sum(image) || rec->vvar != rec->vdso + image->sym_vvar_start)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_VDSO, -ENOEXEC,
				  "this kernel's vDSO is not the one of the image");
	/* In a copy of another address space it is there. */
	if (vdso_of(current->mm) == rec->vdso)
		return 0;
	ret = map_vdso_once(image, rec->vvar);
	if (!ret && vdso_of(current->mm) != rec->vdso)
		ret = -EBADMSG;
	if (ret)
		return ckpt_error(ctx, CKPT_AT_RANGE(t, rec->vvar, rec->vdso + image->size),
				  CKPT_WHY_VDSO, ret, "cannot map the vDSO");
	return 0;
}

/**
 * ckpt_arch_restore_pkeys - allocate the protection keys of current
 * @ctx: context
 * @t: leader, current, its mappings restored
 * @rec: record of its address space
 *
 * Until its registers are restored, current itself may use all memory.
 *
 * Return: 0, or -ENOEXEC: this processor has no protection keys.
 */
int ckpt_arch_restore_pkeys(struct ckpt_ctx *ctx, struct ckpt_task *t,
			    const struct ckpt_rec_mm *rec)
{
	/* Mappings that can only be executed may have taken one. */
	if (!restore_pkeys(current->mm, rec) && rec->pkeys)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MISMATCH, -ENOEXEC,
				  "this processor or kernel has no memory protection keys");
	write_pkru(0);
	return 0;
}

/**
 * ckpt_arch_save_ldt - save the local descriptor table
 * @ctx: context
 * @mm: address space
 *
 * Return: 0 or a negative errno.
 */
int ckpt_arch_save_ldt(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	const void *entries;
	u64 *copy = NULL;
	u32 nr = 0;
	int ret;

	/* It is replaced as a whole, and the old one freed. */
	down_read(&mm->context.ldt_usr_sem);
	entries = ldt_of(mm, &nr);
	if (nr)
		copy = kvmalloc_array(nr, sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (copy)
		memcpy(copy, entries, nr * sizeof(*copy));
	up_read(&mm->context.ldt_usr_sem);
	if (!nr)
		return 0;
	if (!copy)
		return -ENOMEM;
	ret = ckpt_write_record(ctx, CKPT_REC_LDT, 0, sizeof(*copy), copy,
				nr * sizeof(*copy), NULL, 0);
	kvfree(copy);
	return ret;
}

/**
 * ckpt_arch_restore_ldt - give current its local descriptor table
 * @rec: LDT record
 *
 * Return: 0 or a negative errno.
 */
int ckpt_arch_restore_ldt(struct ckpt_rec *rec)
{
	int ret = checkpoint_set_ldt(ckpt_rec_data(rec), ckpt_rec_count(rec));

	return ret == -EINVAL || ret == -EBUSY ? -EBADMSG : ret;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State that an x86-64 kernel may be built without: "it has none" then.
 */
#ifndef _X86_CHECKPOINT_OPTIONAL_H
#define _X86_CHECKPOINT_OPTIONAL_H

#include <linux/checkpoint_image.h>
#include <linux/elf.h>
#include <linux/mm_types.h>
#include <linux/regset.h>
#include <asm/ia32.h>
#include <asm/io_bitmap.h>
#include <asm/ldt.h>
#include <asm/mmu_context.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/vdso.h>

#include "../kernel/tls.h"

static inline bool has_shadow_stack(struct thread_struct *thread)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return thread->features || thread->features_locked;
#else
	return false;
#endif
}

/* Entries of the local descriptor table, and their number. */
static inline const void *ldt_of(struct mm_struct *mm, u32 *nr)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (mm->context.ldt) {
		*nr = mm->context.ldt->nr_entries;
		return mm->context.ldt->entries;
	}
#endif
	return NULL;
}

/* Bits of I/O ports, clear where the thread may use one; NULL: it may use none. */
static inline const unsigned long *io_ports_of(struct thread_struct *thread)
{
#ifdef CONFIG_X86_IOPL_IOPERM
	return thread->io_bitmap ? thread->io_bitmap->bitmap : NULL;
#else
	return NULL;
#endif
}

static inline u32 io_level_of(struct thread_struct *thread)
{
#ifdef CONFIG_X86_IOPL_IOPERM
	return thread->iopl_emul;
#else
	return 0;
#endif
}

static inline bool has_tagged_addresses(struct mm_struct *mm)
{
#ifdef CONFIG_ADDRESS_MASKING
	return mm->context.lam_cr3_mask;
#else
	return false;
#endif
}

/* The vDSO of 64-bit or of 32-bit programs, NULL: there are none. */
static inline const struct vdso_image *vdso_image(bool compat)
{
	if (!compat)
		return &vdso_image_64;
#ifdef CONFIG_IA32_EMULATION
	return ia32_enabled() ? &vdso_image_32 : NULL;
#else
	return NULL;
#endif
}

/* Where mmap(2) begins to search for room, besides mmap_base. */
static inline void save_bases(struct mm_struct *mm, struct ckpt_rec_mm *rec)
{
	rec->mmap_legacy_base = mm->mmap_legacy_base;
#ifdef CONFIG_HAVE_ARCH_COMPAT_MMAP_BASES
	rec->mmap_compat_base = mm->mmap_compat_base;
	rec->mmap_compat_legacy_base = mm->mmap_compat_legacy_base;
#endif
}

static inline void restore_bases(struct mm_struct *mm, const struct ckpt_rec_mm *rec)
{
	mm->mmap_legacy_base = rec->mmap_legacy_base;
#ifdef CONFIG_HAVE_ARCH_COMPAT_MMAP_BASES
	mm->mmap_compat_base = rec->mmap_compat_base;
	mm->mmap_compat_legacy_base = rec->mmap_compat_legacy_base;
#endif
}

/* Key 0 is always there. */
static inline void save_pkeys(struct mm_struct *mm, struct ckpt_rec_mm *rec)
{
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	if (mm->context.pkey_allocation_map & ~1)
		rec->pkeys = mm->context.pkey_allocation_map;
	if (mm->context.execute_only_pkey > 0)
		rec->exec_pkey = mm->context.execute_only_pkey;
#endif
}

/* Of an address space without threads; false: there are no keys here. */
static inline bool restore_pkeys(struct mm_struct *mm, const struct ckpt_rec_mm *rec)
{
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	if (!cpu_feature_enabled(X86_FEATURE_OSPKE))
		return false;
	mm->context.pkey_allocation_map = rec->pkeys;
	mm->context.execute_only_pkey = rec->exec_pkey ?: -1;
	return true;
#else
	return false;
#endif
}

/* The TLS segments, which regsets have only for 32-bit programs. */
static inline const struct user_regset *tls_segments(void)
{
#ifdef CONFIG_IA32_EMULATION
	static const struct user_regset tls = {
		.core_note_type = NT_386_TLS,
		.n = GDT_ENTRY_TLS_ENTRIES,
		.size = sizeof(struct user_desc),
		.active = regset_tls_active,
		.regset_get = regset_tls_get,
		.set = regset_tls_set,
	};

	return &tls;
#else
	return NULL;
#endif
}

#endif /* _X86_CHECKPOINT_OPTIONAL_H */

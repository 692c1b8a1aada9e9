/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State that an x86-64 kernel may be built without: "it has none" then.
 */
#ifndef _X86_CHECKPOINT_OPTIONAL_H
#define _X86_CHECKPOINT_OPTIONAL_H

#include <linux/mm_types.h>
#include <asm/processor.h>

static inline bool has_shadow_stack(struct thread_struct *thread)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return thread->features || thread->features_locked;
#else
	return false;
#endif
}

static inline bool has_ldt(struct mm_struct *mm)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	return mm->context.ldt;
#else
	return false;
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

/* Key 0 is always there. */
static inline bool has_protection_keys(struct mm_struct *mm)
{
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	return mm->context.pkey_allocation_map & ~1;
#else
	return false;
#endif
}

#endif /* _X86_CHECKPOINT_OPTIONAL_H */

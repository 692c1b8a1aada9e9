// SPDX-License-Identifier: GPL-2.0-only
/*
 * Properties of an x86-64 thread: the TSC and CPUID instructions, the level of
 * iopl(2), TLS segments. They are set by the system calls of the program.
 */
#include <linux/elf.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched.h>

#include <asm/prctl.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/thread_info.h>
#include <asm/unistd.h>

#include "../../../checkpoint/internal.h"
#include "ioports.h"
#include "optional.h"

/**
 * ckpt_arch_save_attrs - save properties of a thread
 * @task: thread, parked
 * @attrs: its record
 */
void ckpt_arch_save_attrs(struct task_struct *task, struct ckpt_rec_attrs *attrs)
{
	if (test_tsk_thread_flag(task, TIF_NOTSC))
		attrs->flags |= CKPT_ATTR_NO_TSC;
	if (test_tsk_thread_flag(task, TIF_NOCPUID))
		attrs->flags |= CKPT_ATTR_NO_CPUID;
	attrs->iopl = io_level_of(&task->thread);
	if (test_tsk_thread_flag(task, TIF_ADDR32))
		attrs->flags |= CKPT_ATTR_COMPAT;
	if (task->restart_block.arch_data & TS_COMPAT)
		attrs->flags |= CKPT_ATTR_RESTART_COMPAT;
}

static int set_tsc(bool off)
{
	u64 args[6] = { PR_SET_TSC, off ? PR_TSC_SIGSEGV : PR_TSC_ENABLE };

	return ckpt_arch_call(__NR_prctl, args);
}

static int set_cpuid(bool off)
{
	u64 args[6] = { ARCH_SET_CPUID, !off };

	if (off == test_thread_flag(TIF_NOCPUID))
		return 0;
	return ckpt_arch_call(__NR_arch_prctl, args);
}

static int set_io_level(u32 level)
{
	u64 args[6] = { level };

	if (level == io_level_of(&current->thread))
		return 0;
	return ckpt_arch_call(__NR_iopl, args);
}

/**
 * ckpt_arch_apply_attrs - give current the saved properties of its thread
 * @ctx: context
 * @t: current; its identity is still the caller's
 * @attrs: its record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_arch_apply_attrs(struct ckpt_ctx *ctx, struct ckpt_task *t,
			  const struct ckpt_rec_attrs *attrs)
{
	bool compat = attrs->flags & CKPT_ATTR_COMPAT;
	int ret;

	if (compat != test_thread_flag(TIF_ADDR32))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a 32-bit thread in a 64-bit program, or the reverse");
	/* What its registers are called depends on it. */
	if (compat)
		current_pt_regs()->cs = __USER32_CS;
	current->restart_block.arch_data =
		attrs->flags & CKPT_ATTR_RESTART_COMPAT ? TS_COMPAT : 0;
	/* Those of the restarter; those of the image come with the registers. */
	memset(current->thread.tls_array, 0, sizeof(current->thread.tls_array));
	ret = set_tsc(attrs->flags & CKPT_ATTR_NO_TSC);
	if (!ret)
		ret = set_cpuid(attrs->flags & CKPT_ATTR_NO_CPUID);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MISMATCH, -ENOEXEC,
				  "the TSC or CPUID instruction cannot be disabled here (%d)",
				  ret);
	ret = set_io_level(attrs->iopl);
	if (!ret)
		ret = apply_io_ports(t);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, ret,
				  "the right to use I/O ports is not the caller's to give");
	return 0;
}

/**
 * ckpt_arch_own_regset - processor state that the regsets of a 64-bit thread lack
 *
 * Return: a regset, NULL: there is none.
 */
const struct user_regset *ckpt_arch_own_regset(void)
{
	return tls_segments();
}

/**
 * ckpt_arch_saves_regset - has this processor state a record of its own?
 * @note_type: its type
 *
 * Return: true if it has.
 */
bool ckpt_arch_saves_regset(u32 note_type)
{
	return note_type == NT_386_IOPERM;
}

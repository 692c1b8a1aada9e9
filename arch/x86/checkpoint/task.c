// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the regsets do not cover of an x86-64 thread: most of it is refused.
 * And the few places where system call registers are looked at.
 */
#include <linux/elf.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>

#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xstate.h>
#include <asm/processor.h>
#include <asm/syscall.h>
#include <asm/thread_info.h>
#include <asm/unistd.h>
#include <asm/user.h>

#include "../../../checkpoint/internal.h"
#include "optional.h"

/* System calls that end with -EINTR when they are disturbed, as 32-bit programs call them. */
#define COMPAT_NR_RESTART	0

static const struct {
	int compat;
	int native;
} compat_calls[] = {
	{ 3, __NR_read }, { 4, __NR_write }, { 145, __NR_readv }, { 146, __NR_writev },
	{ 256, __NR_epoll_wait }, { 319, __NR_epoll_pwait }, { 441, __NR_epoll_pwait2 },
	{ 177, __NR_rt_sigtimedwait }, { 421, __NR_rt_sigtimedwait },
	{ 247, __NR_io_getevents }, { 385, __NR_io_pgetevents }, { 416, __NR_io_pgetevents },
	{ 420, __NR_semtimedop }, { 426, __NR_io_uring_enter },
	{ 371, __NR_recvfrom }, { 372, __NR_recvmsg }, { 369, __NR_sendto },
	{ 370, __NR_sendmsg }, { 364, __NR_accept4 },
	{ 362, __NR_connect }, { 337, __NR_recvmmsg }, { 417, __NR_recvmmsg },
	{ 345, __NR_sendmmsg },
	{ 240, __NR_futex }, { 422, __NR_futex },
};

/**
 * ckpt_arch_is_compat - is this a 32-bit task, or one in a 32-bit system call?
 * @task: parked, or current
 *
 * Return: true if it is.
 */
bool ckpt_arch_is_compat(struct task_struct *task)
{
	return !user_64bit_mode(task_pt_regs(task)) || test_tsk_thread_flag(task, TIF_ADDR32) ||
	       task_thread_info(task)->status & TS_COMPAT;
}

/**
 * ckpt_arch_compat_call - pretend that current is in a 32-bit system call, or not
 * @on: it is
 */
void ckpt_arch_compat_call(bool on)
{
	if (on)
		current_thread_info()->status |= TS_COMPAT;
	else
		current_thread_info()->status &= ~TS_COMPAT;
}

/**
 * ckpt_arch_in_compat_call - is a task in a 32-bit system call?
 * @task: parked, current, or asleep
 *
 * Return: true if it is.
 */
bool ckpt_arch_in_compat_call(struct task_struct *task)
{
	return task_thread_info(task)->status & TS_COMPAT;
}

/**
 * ckpt_arch_restart_nr - the system call that resumes current's
 *
 * Return: number of restart_syscall(2).
 */
long ckpt_arch_restart_nr(void)
{
	return ckpt_arch_in_compat_call(current) ? COMPAT_NR_RESTART : __NR_restart_syscall;
}

/**
 * ckpt_arch_cpu_features - extended processor state that programs may use
 *
 * Return: bits as in XCR0.
 */
u64 ckpt_arch_cpu_features(void)
{
	return fpu_user_cfg.max_features;
}

/**
 * ckpt_arch_collect_task - look for processor state that cannot be saved
 * @ctx: context
 * @t: thread, parked
 */
void ckpt_arch_collect_task(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	bool long_mode = user_64bit_mode(task_pt_regs(t->task));
	struct thread_struct *thread = &t->task->thread;
	int i;

	if (long_mode == test_tsk_thread_flag(t->task, TIF_ADDR32))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_COMPAT,
			      "mixes 32-bit and 64-bit code");
	else if (long_mode && ckpt_arch_in_compat_call(t->task))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_COMPAT,
			      "is a 64-bit program in a 32-bit system call");
	for (i = 0; i < HBP_NUM; i++)
		if (thread->ptrace_bps[i])
			break;
	if (i < HBP_NUM)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_PTRACE, "has a hardware breakpoint");
	if (has_shadow_stack(thread))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_CPU, "has a shadow stack");
	if ((thread->fpu.perm.__state_perm | thread->fpu.guest_perm.__state_perm) &
	    XFEATURE_MASK_USER_DYNAMIC)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_CPU,
			      "has asked for further processor state (AMX)");
}

/**
 * ckpt_arch_syscall - number of the system call in which a task is
 * @task: parked, current, or asleep
 *
 * Return: the number, -1: none, or a 32-bit one of which nobody has to know.
 */
long ckpt_arch_syscall(struct task_struct *task)
{
	long nr = syscall_get_nr(task, task_pt_regs(task));
	int i;

	if (!ckpt_arch_in_compat_call(task))
		return nr;
	for (i = 0; i < ARRAY_SIZE(compat_calls); i++)
		if (compat_calls[i].compat == nr)
			return compat_calls[i].native;
	return -1;
}

/**
 * ckpt_arch_result - result that an interrupted system call has left
 * @task: parked, or current
 *
 * Return: a negative errno, 0: it is not in a system call, or has no error.
 */
long ckpt_arch_result(struct task_struct *task)
{
	struct pt_regs *regs = task_pt_regs(task);

	return syscall_get_nr(task, regs) == -1 ? 0 : syscall_get_error(task, regs);
}

/**
 * ckpt_arch_set_result - replace the result of a system call
 * @task: current, or parked
 * @result: what the call returns, or a negative errno
 */
void ckpt_arch_set_result(struct task_struct *task, long result)
{
	syscall_set_return_value(task, task_pt_regs(task), result, 0);
}

static unsigned long *arg_reg(struct pt_regs *regs, int arg)
{
	unsigned long *const args[] = {
		&regs->di, &regs->si, &regs->dx, &regs->r10, &regs->r8, &regs->r9,
	};

	return args[arg];
}

/**
 * ckpt_arch_call - make a system call in the name of current
 * @nr: number; its arguments are no user addresses
 * @args: six arguments
 *
 * Return: its result.
 */
long ckpt_arch_call(long nr, const u64 *args)
{
	struct pt_regs regs = { .orig_ax = nr };
	int i;

	for (i = 0; i < 6; i++)
		*arg_reg(&regs, i) = args[i];
	return x64_sys_call(&regs, nr);
}

#define RED_ZONE	128

/**
 * ckpt_arch_call_timed - make the call of current's registers with another timeout
 * @nr: number
 * @arg: argument that is the timeout
 * @ms: it is in milliseconds, not the address of a timespec
 * @left: new timeout, in nanoseconds
 *
 * A timespec is put below the red zone of the stack, where a signal frame
 * would be.
 *
 * Return: the call's result.
 */
long ckpt_arch_call_timed(long nr, int arg, bool ms, u64 left)
{
	struct pt_regs regs = *current_pt_regs();
	struct __kernel_timespec __user *uts;
	struct timespec64 ts;

	regs.orig_ax = nr;
	if (ms) {
		*arg_reg(&regs, arg) = min_t(u64, DIV_ROUND_UP(left, NSEC_PER_MSEC), INT_MAX);
		return x64_sys_call(&regs, nr);
	}
	uts = (void __user *)((regs.sp - RED_ZONE - sizeof(*uts)) & ~15UL);
	ts = ns_to_timespec64(left);
	if (put_timespec64(&ts, uts))
		return -EINTR;
	*arg_reg(&regs, arg) = (unsigned long)uts;
	return x64_sys_call(&regs, nr);
}

/**
 * ckpt_arch_finish_call - let a saved thread be behind its system call
 * @rec: a regset record of the thread
 * @data: its data
 * @result: what the call returns in the restarted copy
 */
void ckpt_arch_finish_call(struct ckpt_rec_regset *rec, void *data, long result)
{
	struct user_regs_struct *regs = data;

	if (rec->note_type != NT_PRSTATUS)
		return;
	regs->ax = result;
	regs->orig_ax = -1;
}

/**
 * ckpt_arch_repeat_call - let a saved thread call its system call again
 * @rec: a regset record of the thread
 * @data: its data
 */
void ckpt_arch_repeat_call(struct ckpt_rec_regset *rec, void *data)
{
	struct user_regs_struct *regs = data;

	if (rec->note_type == NT_PRSTATUS)
		regs->ax = -ERESTARTNOHAND;
}

/**
 * ckpt_arch_call_args - arguments of the system call in which a task is
 * @task: parked
 * @args: gets six
 */
void ckpt_arch_call_args(struct task_struct *task, unsigned long *args)
{
	syscall_get_arguments(task, task_pt_regs(task), args);
}

/**
 * ckpt_arch_regset_covered - is all of a regset in another one, too?
 * @note_type: its type
 *
 * Return: true: it need not be saved.
 */
bool ckpt_arch_regset_covered(u32 note_type)
{
	return note_type == NT_PRFPREG && cpu_feature_enabled(X86_FEATURE_XSAVE);
}

/**
 * ckpt_arch_regset_size - bytes that setting a regset takes
 * @regset: the regset
 * @note_type: its type
 *
 * Return: the size.
 */
u32 ckpt_arch_regset_size(const struct user_regset *regset, u32 note_type)
{
	if (note_type == NT_X86_XSTATE)
		return fpu_user_cfg.max_size;
	return regset->n * regset->size;
}

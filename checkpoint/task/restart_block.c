// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupted system calls.
 *
 * Most leave -ERESTARTNOINTR, -ERESTARTSYS or -ERESTARTNOHAND and are simply
 * called again. Some leave a restart block: nanosleep(2), poll(2) and futex(2)
 * with the time at which they end; it is saved as the time that is left.
 *
 * A third kind answers any interruption with -EINTR (signal(7) lists them).
 * Being saved is no signal, so a parked task turns that into a restart: with
 * the original arguments where there is no timeout, else through a restart
 * block of ours, which calls them again with the time that is left. That time
 * is read off the timer on which the task sleeps, before it is woken.
 */
#include <linux/aio_abi.h>
#include <linux/checkpoint_state.h>
#include <linux/hrtimer.h>
#include <linux/restart_block.h>
#include <linux/sched/signal.h>
#include <linux/thread_info.h>
#include <linux/uaccess.h>

#include <asm/unistd.h>

#include "../../kernel/futex/futex.h"
#include "../internal.h"

/* Format of FUTEX restart arguments; the kernel's flags are not. */
#define FUTEX_IS_SHARED		BIT(0)
#define FUTEX_IS_REALTIME	BIT(1)
#define FUTEX_HAS_TIMEOUT	BIT(2)

/* Others are not known to this kernel, which trusts restart blocks. */
#define MAX_TIMESPEC	(IS_ENABLED(CONFIG_COMPAT_32BIT_TIME) ? TT_COMPAT : TT_NATIVE)

enum timeout_kind {
	TIMEOUT_NONE,
	TIMEOUT_MS,		/* milliseconds in a register */
	TIMEOUT_TIMESPEC,	/* address of a struct __kernel_timespec */
};

/* System calls that end with -EINTR when they are disturbed. */
static const struct eintr_call {
	int nr;
	enum timeout_kind kind;
	int arg;
} eintr_calls[] = {
	{ __NR_epoll_wait, TIMEOUT_MS, 3 },
	{ __NR_epoll_pwait, TIMEOUT_MS, 3 },
	{ __NR_epoll_pwait2, TIMEOUT_TIMESPEC, 3 },
	{ __NR_rt_sigtimedwait, TIMEOUT_TIMESPEC, 2 },
	{ __NR_semop, TIMEOUT_NONE, 0 },
	{ __NR_semtimedop, TIMEOUT_TIMESPEC, 3 },
	{ __NR_io_getevents, TIMEOUT_TIMESPEC, 4 },
	{ __NR_io_pgetevents, TIMEOUT_TIMESPEC, 4 },
	{ __NR_io_uring_enter, TIMEOUT_NONE, 0 },
	/* On a socket with SO_RCVTIMEO or SO_SNDTIMEO, whose time begins anew. */
	{ __NR_read, TIMEOUT_NONE, 0 },
	{ __NR_readv, TIMEOUT_NONE, 0 },
	{ __NR_recvfrom, TIMEOUT_NONE, 0 },
	{ __NR_recvmsg, TIMEOUT_NONE, 0 },
	{ __NR_write, TIMEOUT_NONE, 0 },
	{ __NR_writev, TIMEOUT_NONE, 0 },
	{ __NR_sendto, TIMEOUT_NONE, 0 },
	{ __NR_sendmsg, TIMEOUT_NONE, 0 },
	{ __NR_accept, TIMEOUT_NONE, 0 },
	{ __NR_accept4, TIMEOUT_NONE, 0 },
	{ __NR_connect, TIMEOUT_NONE, 0 },
	/* With an EINTR they have taken or sent nothing. */
	{ __NR_recvmmsg, TIMEOUT_NONE, 0 },
	{ __NR_sendmmsg, TIMEOUT_NONE, 0 },
};

static const struct eintr_call *find_call(long nr)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(eintr_calls); i++)
		if (eintr_calls[i].nr == nr)
			return &eintr_calls[i];
	return NULL;
}

/* Our restart block: the call is in futex.val, its end in futex.time. */
static long restart_timed(struct restart_block *restart)
{
	const struct eintr_call *call = find_call(restart->futex.val);
	s64 left = restart->futex.time - ktime_get();

	restart->fn = do_no_restart_syscall;
	if (!call)
		return -EINTR;
	return ckpt_arch_call_timed(call->nr, call->arg, call->kind == TIMEOUT_MS,
				    max_t(s64, left, 0));
}

/* The system call in which a task is, also when it was restarted by us. */
static const struct eintr_call *current_call(struct task_struct *task)
{
	long nr = ckpt_arch_syscall(task);

	if (nr == __NR_restart_syscall)
		nr = READ_ONCE(task->restart_block.futex.val);
	return find_call(nr);
}

/**
 * ckpt_timed_note - note when the sleep of a thread ends, before it is woken
 * @t: thread, perhaps in a system call
 */
void ckpt_timed_note(struct ckpt_task *t)
{
	const struct eintr_call *call;
	ktime_t left;

	/* Registers of a thread that runs mean nothing, but do no harm. */
	if (!(READ_ONCE(t->task->__state) & TASK_INTERRUPTIBLE))
		return;
	call = current_call(t->task);
	if (call && call->kind != TIMEOUT_NONE && checkpoint_sleeper_expires(t->task, &left))
		t->timed = ktime_add_safe(ktime_get(), left);
}

static bool in_restart_block(struct task_struct *task)
{
	return ckpt_arch_result(task) == -ERESTART_RESTARTBLOCK;
}

/**
 * ckpt_timed_resume - make an -EINTR that we have caused a restart
 * @t: current, about to park
 *
 * And the other way round, where seccomp filters would not let it restart: to
 * be told of an interruption is better than to be killed.
 */
void ckpt_timed_resume(struct ckpt_task *t)
{
	struct restart_block *restart = &current->restart_block;
	const struct eintr_call *call;

	if (t->rec)
		return;
	if (in_restart_block(current) && !checkpoint_seccomp_allows(ckpt_arch_restart_nr()))
		ckpt_arch_set_result(current, -EINTR);
	if (ckpt_arch_result(current) != -EINTR)
		return;
	call = current_call(current);
	if (!call)
		return;
	/* The time of a 32-bit call begins anew. */
	if (t->timed == KTIME_MAX || ckpt_arch_in_compat_call(current)) {
		ckpt_arch_set_result(current, -ERESTARTNOHAND);
		return;
	}
	if (!checkpoint_seccomp_allows(ckpt_arch_restart_nr()))
		return;
	restart->futex.val = call->nr;
	restart->futex.time = t->timed;
	ckpt_arch_set_result(current, set_restart_fn(restart, restart_timed));
}

static u32 kind_of(const struct restart_block *restart)
{
	if (restart->fn == checkpoint_restart_nanosleep)
		return CKPT_RESTART_NANOSLEEP;
	if (restart->fn == checkpoint_restart_poll)
		return CKPT_RESTART_POLL;
	if (restart->fn == checkpoint_restart_futex)
		return CKPT_RESTART_FUTEX;
	if (restart->fn == restart_timed)
		return CKPT_RESTART_TIMED;
	return CKPT_RESTART_NONE;
}

/**
 * ckpt_restart_collect - look for an interrupted system call of unknown kind
 * @ctx: context
 * @t: thread, parked
 */
void ckpt_restart_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	if (in_restart_block(t->task) &&
	    kind_of(&t->task->restart_block) == CKPT_RESTART_NONE)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SYSCALL,
			      "is in a timed wait (system call %ld) that cannot be resumed",
			      ckpt_arch_syscall(t->task));
}

static bool clock_now(clockid_t clock, ktime_t *now)
{
	switch (clock) {
	case CLOCK_MONOTONIC:
		*now = ktime_get();
		return true;
	case CLOCK_REALTIME:
		*now = ktime_get_real();
		return true;
	case CLOCK_BOOTTIME:
		*now = ktime_get_boottime();
		return true;
	case CLOCK_TAI:
		*now = ktime_get_clocktai();
		return true;
	}
	return false;
}

static u64 left_until(u64 end, ktime_t now)
{
	return (s64)end > now ? end - now : 0;
}

static void save_nanosleep(const struct restart_block *r, struct ckpt_rec_thread *rec)
{
	ktime_t now = 0;

	clock_now(r->nanosleep.clockid, &now);
	rec->restart_remaining_ns = left_until(r->nanosleep.expires, now);
	rec->restart_args[0] = r->nanosleep.clockid;
	rec->restart_args[1] = r->nanosleep.type;
	rec->restart_args[2] = (unsigned long)r->nanosleep.rmtp;
}

static void save_poll(const struct restart_block *r, struct ckpt_rec_thread *rec)
{
	if (r->poll.has_timeout)
		rec->restart_remaining_ns =
			left_until(ktime_set(r->poll.tv_sec, r->poll.tv_nsec), ktime_get());
	rec->restart_args[0] = (unsigned long)r->poll.ufds;
	rec->restart_args[1] = r->poll.nfds;
	rec->restart_args[2] = r->poll.has_timeout;
}

static void save_futex(const struct restart_block *r, struct ckpt_rec_thread *rec)
{
	rec->restart_args[0] = (unsigned long)r->futex.uaddr;
	rec->restart_args[1] = r->futex.val;
	if (r->futex.flags & FLAGS_SHARED)
		rec->restart_args[2] |= FUTEX_IS_SHARED;
	if (r->futex.flags & FLAGS_HAS_TIMEOUT)
		rec->restart_args[2] |= FUTEX_HAS_TIMEOUT;
	rec->restart_args[3] = r->futex.bitset;
	/* A time of day stays what it is. */
	rec->restart_remaining_ns = left_until(r->futex.time, ktime_get());
	if (r->futex.flags & FLAGS_CLOCKRT) {
		rec->restart_args[2] |= FUTEX_IS_REALTIME;
		rec->restart_remaining_ns = r->futex.time;
	}
}

/**
 * ckpt_restart_save - save an interrupted system call
 * @t: thread, parked, of a kind that ckpt_restart_collect() has accepted
 * @rec: its record
 */
void ckpt_restart_save(struct ckpt_task *t, struct ckpt_rec_thread *rec)
{
	const struct restart_block *r = &t->task->restart_block;

	if (t->state == CKPT_TASK_SELF || !in_restart_block(t->task))
		return;
	rec->restart_kind = kind_of(r);
	switch (rec->restart_kind) {
	case CKPT_RESTART_NANOSLEEP:
		save_nanosleep(r, rec);
		break;
	case CKPT_RESTART_POLL:
		save_poll(r, rec);
		break;
	case CKPT_RESTART_FUTEX:
		save_futex(r, rec);
		break;
	case CKPT_RESTART_TIMED:
		rec->restart_remaining_ns = left_until(r->futex.time, ktime_get());
		rec->restart_args[0] = r->futex.val;
		break;
	}
}

static int apply_nanosleep(struct restart_block *r, const struct ckpt_rec_thread *rec)
{
	ktime_t now;

	if (rec->restart_args[1] > MAX_TIMESPEC || !clock_now(rec->restart_args[0], &now))
		return -EBADMSG;
	r->nanosleep.clockid = rec->restart_args[0];
	r->nanosleep.type = rec->restart_args[1];
	r->nanosleep.rmtp = u64_to_user_ptr(rec->restart_args[2]);
	r->nanosleep.expires = ktime_add_safe(now, rec->restart_remaining_ns);
	set_restart_fn(r, checkpoint_restart_nanosleep);
	return 0;
}

static int apply_poll(struct restart_block *r, const struct ckpt_rec_thread *rec)
{
	struct timespec64 end;

	end = ktime_to_timespec64(ktime_add_safe(ktime_get(), rec->restart_remaining_ns));
	r->poll.ufds = u64_to_user_ptr(rec->restart_args[0]);
	r->poll.nfds = rec->restart_args[1];
	r->poll.has_timeout = !!rec->restart_args[2];
	r->poll.tv_sec = end.tv_sec;
	r->poll.tv_nsec = end.tv_nsec;
	set_restart_fn(r, checkpoint_restart_poll);
	return 0;
}

static int apply_futex(struct restart_block *r, const struct ckpt_rec_thread *rec)
{
	u64 flags = rec->restart_args[2];

	if (flags & ~(FUTEX_IS_SHARED | FUTEX_IS_REALTIME | FUTEX_HAS_TIMEOUT))
		return -EBADMSG;
	r->futex.uaddr = u64_to_user_ptr(rec->restart_args[0]);
	r->futex.val = rec->restart_args[1];
	r->futex.flags = FLAGS_SIZE_32 | (flags & FUTEX_IS_SHARED ? FLAGS_SHARED : 0) |
			 (flags & FUTEX_IS_REALTIME ? FLAGS_CLOCKRT : 0) |
			 (flags & FUTEX_HAS_TIMEOUT ? FLAGS_HAS_TIMEOUT : 0);
	r->futex.bitset = rec->restart_args[3];
	r->futex.time = rec->restart_remaining_ns;
	if (!(flags & FUTEX_IS_REALTIME))
		r->futex.time = ktime_add_safe(ktime_get(), rec->restart_remaining_ns);
	set_restart_fn(r, checkpoint_restart_futex);
	return 0;
}

static int apply_timed(struct restart_block *r, const struct ckpt_rec_thread *rec)
{
	if (rec->restart_args[0] > INT_MAX || !find_call(rec->restart_args[0]))
		return -EBADMSG;
	r->futex.val = rec->restart_args[0];
	r->futex.time = ktime_add_safe(ktime_get(), rec->restart_remaining_ns);
	set_restart_fn(r, restart_timed);
	return 0;
}

/**
 * ckpt_restart_apply - set the restart block of current
 * @ctx: context
 * @t: current
 * @rec: its record
 *
 * Return: 0 or -EBADMSG, reported.
 */
int ckpt_restart_apply(struct ckpt_ctx *ctx, struct ckpt_task *t,
		       const struct ckpt_rec_thread *rec)
{
	struct restart_block *r = &current->restart_block;
	int ret = -EBADMSG;

	r->fn = do_no_restart_syscall;
	if (rec->restart_kind == CKPT_RESTART_NONE)
		return 0;
	if (rec->restart_remaining_ns > KTIME_MAX)
		goto out;
	switch (rec->restart_kind) {
	case CKPT_RESTART_NANOSLEEP:
		ret = apply_nanosleep(r, rec);
		break;
	case CKPT_RESTART_POLL:
		ret = apply_poll(r, rec);
		break;
	case CKPT_RESTART_FUTEX:
		ret = apply_futex(r, rec);
		break;
	case CKPT_RESTART_TIMED:
		ret = apply_timed(r, rec);
		break;
	}
out:
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
			   "the image has an impossible interrupted system call");
	return ret;
}

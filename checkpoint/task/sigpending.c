// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pending signals, those of the thread and, with the first one, those of the
 * process, with their siginfo and in the order of their queues. The signal of a
 * POSIX timer belongs to the timer (posix_timers.c): only its place is saved
 * here, and it is put there when the tasks are complete.
 */
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>

#include "../internal.h"

static_assert(sizeof(siginfo_t) == sizeof_field(struct ckpt_rec_siginfo, info));
static_assert(_NSIG == 64);

/* The first thread that is alive carries the signals of the process. */
static bool is_main(struct ckpt_task *t)
{
	return t == t->leader->main;
}

static u32 count(struct sigpending *pending)
{
	struct sigqueue *q;
	u32 nr = hweight64(pending->signal.sig[0]);

	list_for_each_entry(q, &pending->list, list)
		nr++;
	return nr;
}

/* Its handler, about to run, gets more of the processor's state than we save. */
static bool is_fault(struct task_struct *task, struct sigqueue *q)
{
	int sig = q->info.si_signo;

	return (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE ||
		sig == SIGTRAP) && q->info.si_code > 0 && !sigismember(&task->blocked, sig);
}

static void collect_queue(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sigpending *pending)
{
	struct sigqueue *q;
	unsigned long flags;
	int faults = 0;

	if (!lock_task_sighand(t->task, &flags))
		return;
	list_for_each_entry(q, &pending->list, list)
		if (is_fault(t->task, q))
			faults++;
	unlock_task_sighand(t->task, &flags);
	if (faults)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SIGNAL,
			      "has just made a fault, whose signal is pending");
}

static int sigpending_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	collect_queue(ctx, t, &t->task->pending);
	if (is_main(t))
		collect_queue(ctx, t, &t->task->signal->shared_pending);
	return 0;
}

static void add(struct ckpt_rec_siginfo *rec, u32 shared, int signo, struct sigqueue *q)
{
	rec->shared = shared;
	rec->signo = signo;
	rec->has_info = !!q;
	if (!q)
		return;
	rec->timer = !!(q->flags & SIGQUEUE_PREALLOC);
	memcpy(rec->info, &q->info, sizeof(q->info));
}

/* Queued ones in their order, then those that are only a bit in the mask. */
static u32 fill(struct ckpt_rec_siginfo *recs, u32 max, u32 shared, struct sigpending *pending)
{
	u64 bits = pending->signal.sig[0];
	struct sigqueue *q;
	u32 nr = 0;

	/* These are state of the process: see process.c. */
	bits &= ~(sigmask(SIGSTOP) | sigmask(SIGKILL));
	list_for_each_entry(q, &pending->list, list) {
		if (nr == max)
			return nr;
		if (q->info.si_signo == SIGSTOP || q->info.si_signo == SIGKILL)
			continue;
		add(&recs[nr++], shared, q->info.si_signo, q);
		bits &= ~sigmask(q->info.si_signo);
	}
	for (; bits && nr < max; bits &= bits - 1)
		add(&recs[nr++], shared, __ffs64(bits) + 1, NULL);
	return nr;
}

static int sigpending_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct sigpending *shared = &t->task->signal->shared_pending;
	struct ckpt_rec_siginfo *recs;
	unsigned long flags;
	u32 nr, max;
	int ret;

	if (!lock_task_sighand(t->task, &flags))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH, "was killed");
	max = count(&t->task->pending) + (is_main(t) ? count(shared) : 0);
	unlock_task_sighand(t->task, &flags);
	if (!max)
		return 0;
	if (max > CKPT_MAX_SIGPENDING)
		return -E2BIG;
	recs = kvcalloc(max, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	/* One that comes after the count is as if sent after the checkpoint. */
	if (!lock_task_sighand(t->task, &flags)) {
		kvfree(recs);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH, "was killed");
	}
	nr = fill(recs, max, 0, &t->task->pending);
	if (is_main(t))
		nr += fill(recs + nr, max - nr, 1, shared);
	unlock_task_sighand(t->task, &flags);
	ret = ckpt_write_record(ctx, CKPT_REC_SIGPENDING, 0, sizeof(*recs), recs,
				nr * sizeof(*recs), NULL, 0);
	kvfree(recs);
	return ret;
}

static int sigpending_restore(struct ckpt_ctx *ctx, struct ckpt_task *leader,
			      struct ckpt_rec *rec)
{
	struct ckpt_task *t = ckpt_thread_being_read(ctx, leader);

	if (!t || t->pending) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has pending signals in a wrong place");
	}
	t->pending = rec;
	return 0;
}

static int queue(struct ckpt_task *t, const struct ckpt_rec_siginfo *saved)
{
	struct kernel_siginfo info;
	unsigned long flags;
	int ret;

	memcpy(&info, saved->info, sizeof(info));
	info.si_signo = saved->signo;
	if (saved->signo == SIGKILL || saved->signo == SIGSTOP)
		return -EBADMSG;
	if (saved->timer)
		return 0;
	if (saved->signo == SIGALRM && saved->shared &&
	    !ckpt_alarm_counts(t->leader, saved->has_info ? &info : NULL))
		return 0;
	if (!lock_task_sighand(current, &flags))
		return -ESRCH;
	ret = send_signal_locked(saved->signo, saved->has_info ? &info : SEND_SIG_NOINFO,
				 current, saved->shared ? PIDTYPE_TGID : PIDTYPE_PID);
	unlock_task_sighand(current, &flags);
	return ret;
}

/**
 * ckpt_sigpending_apply - queue the saved signals of current
 * @ctx: context
 * @t: current, all its signals blocked
 *
 * A thread may send itself any signal with any siginfo, so this gives no right
 * that the image's owner does not have.
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_sigpending_apply(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct ckpt_rec_siginfo *saved;
	u64 i, nr;
	int ret;

	if (!t->pending)
		return 0;
	saved = ckpt_rec_data(t->pending);
	nr = ckpt_rec_count(t->pending);
	for (i = 0; i < nr; i++) {
		ret = queue(t, &saved[i]);
		if (ret)
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_SIGNAL, ret,
					  "pending signal %u cannot be queued", saved[i].signo);
	}
	return 0;
}

/* Puts the signal of a timer at @at in a queue; returns where the next one is. */
static struct list_head *insert(struct ckpt_task *t, struct sigpending *pending,
				struct list_head *at, const struct ckpt_rec_siginfo *saved)
{
	struct kernel_siginfo info;
	struct sigqueue *q;

	if (!saved->timer) {
		/* It may not have been queued, if it did not count. */
		if (at->next == &pending->list)
			return at;
		q = list_first_entry(at, struct sigqueue, list);
		return q->info.si_signo == saved->signo ? &q->list : at;
	}
	memcpy(&info, saved->info, sizeof(info));
	q = ckpt_posix_timer_signal(t->leader, info.si_tid);
	if (!q || !list_empty(&q->list))
		return at;
	list_add(&q->list, at);
	sigaddset(&pending->signal, q->info.si_signo);
	return &q->list;
}

/**
 * ckpt_sigpending_commit - put signals of POSIX timers among those pending
 * @t: thread, which sleeps; it looks at its signals when it is released
 *
 * Context: process context; takes siglock.
 */
void ckpt_sigpending_commit(struct ckpt_task *t)
{
	const struct ckpt_rec_siginfo *saved;
	struct sigpending *shared, *own;
	struct list_head *at, *shared_at;
	unsigned long flags;
	u64 i, nr;

	if (!t->pending || !lock_task_sighand(t->task, &flags))
		return;
	own = &t->task->pending;
	shared = &t->task->signal->shared_pending;
	at = &own->list;
	shared_at = &shared->list;
	saved = ckpt_rec_data(t->pending);
	nr = ckpt_rec_count(t->pending);
	for (i = 0; i < nr; i++) {
		if (saved[i].shared)
			shared_at = insert(t, shared, shared_at, &saved[i]);
		else
			at = insert(t, own, at, &saved[i]);
	}
	unlock_task_sighand(t->task, &flags);
}

const struct ckpt_obj_ops ckpt_sigpending_ops = {
	.name = "pending signals",
	.rec = CKPT_REC_SIGPENDING,
	.collect = sigpending_collect,
	.save = sigpending_save,
	.restore = sigpending_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stopping a tree and letting it go.
 *
 * Every thread gets a task work, which get_signal() runs: there the thread is
 * at the user boundary, and an interrupted system call has left its -ERESTART*
 * result in place. It parks there, killable, until it is released. A thread
 * that job control has stopped is at the same place already and counts as
 * parked; its work stays queued, so that it cannot slip away to user mode.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "internal.h"

/*
 * Sets the state of a thread that was asked to park: one less to wait for,
 * unless note_stopped() has counted it already.
 */
static void settle(struct ckpt_task *t, int state)
{
	struct ckpt_ctx *ctx = t->ctx;

	/* A full barrier: others look at the thread once they see its state. */
	if (xchg(&t->state, state) == CKPT_TASK_ASKED && atomic_dec_and_test(&ctx->nr_busy))
		wake_up(&ctx->wait);
}

/*
 * Waits to be released. The call may be looking at this task just now: one that
 * is killed only makes the call fail, at once, and dies when it is let go.
 */
static void hold(struct ckpt_task *t)
{
	struct ckpt_ctx *ctx = t->ctx;
	DEFINE_WAIT(wait);

	/* Asleep in the eyes of wait_task_inactive() before anyone may ask it. */
	prepare_to_wait(&ctx->hold, &wait, TASK_KILLABLE);
	settle(t, CKPT_TASK_PARKED);
	while (!READ_ONCE(ctx->released) && !fatal_signal_pending(current)) {
		schedule();
		prepare_to_wait(&ctx->hold, &wait, TASK_KILLABLE);
	}
	finish_wait(&ctx->hold, &wait);
	if (READ_ONCE(ctx->released))
		return;
	WRITE_ONCE(ctx->killed, true);
	settle(t, CKPT_TASK_GONE);
	if (t->rec)
		ckpt_restore_fail(ctx, t, -ESRCH);
	set_notify_signal(ctx->caller);
	wait_event(ctx->hold, READ_ONCE(ctx->released));
}

static void park(struct callback_head *work)
{
	struct ckpt_task *t = container_of(work, struct ckpt_task, work);
	struct ckpt_ctx *ctx = t->ctx;

	if (current->flags & PF_EXITING) {
		settle(t, CKPT_TASK_GONE);
	} else {
		ckpt_timed_resume(t);
		hold(t);
		if (t->rec && !READ_ONCE(ctx->failed))
			ckpt_thread_commit(t);
	}
	ckpt_ctx_put(ctx);
}

static int queue_park(struct ckpt_task *t)
{
	int ret;

	init_task_work(&t->work, park);
	kref_get(&t->ctx->ref);
	atomic_inc(&t->ctx->nr_busy);
	WRITE_ONCE(t->state, CKPT_TASK_ASKED);
	ret = task_work_add(t->task, &t->work, TWA_SIGNAL);
	if (!ret)
		return 0;
	/* The thread is past its last task work: it exits. */
	settle(t, CKPT_TASK_GONE);
	ckpt_ctx_put(t->ctx);
	return ret;
}

/**
 * ckpt_park_new - park current, a thread that restart is building
 * @t: its entry, which was counted in nr_busy when the thread was created
 *
 * The thread parks on its way to user mode. If that is impossible it is being
 * killed, which the caller of restart() sees as a thread that is gone.
 */
void ckpt_park_new(struct ckpt_task *t)
{
	init_task_work(&t->work, park);
	kref_get(&t->ctx->ref);
	WRITE_ONCE(t->state, CKPT_TASK_ASKED);
	if (task_work_add(current, &t->work, TWA_SIGNAL)) {
		settle(t, CKPT_TASK_GONE);
		ckpt_ctx_put(t->ctx);
	}
}

/**
 * ckpt_may_use - may current save this task?
 * @task: the task
 *
 * The right is the one to attach to it with ptrace(2).
 *
 * Return: true if it may.
 */
bool ckpt_may_use(struct task_struct *task)
{
	return task == current || ptrace_may_access(task, PTRACE_MODE_ATTACH_REALCREDS);
}

/*
 * References up to @max threads of the tree that the context does not know;
 * for the moment descendants are only looked for to be refused.
 */
static int find_new(struct ckpt_ctx *ctx, struct task_struct *root,
		    struct task_struct **found, int max)
{
	struct task_struct *thread;
	int nr = 0;

	rcu_read_lock();
	for_each_thread(root, thread) {
		if (xa_load(&ctx->task_index, thread->pid))
			continue;
		if (thread->exit_state || (thread->flags & PF_EXITING && thread != root))
			continue;
		found[nr++] = get_task_struct(thread);
		if (nr == max)
			break;
	}
	rcu_read_unlock();
	return nr;
}

static int take(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_task *t;
	int ret;

	t = ckpt_add_task(ctx, task);
	if (IS_ERR(t))
		return PTR_ERR(t);
	t->leader = ctx->tasks[0];
	if (!ckpt_may_use(task))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, -EPERM,
				  "no right to this process (it takes the right to trace it)");
	ret = xa_err(xa_store(&ctx->task_index, task->pid, t, GFP_KERNEL_ACCOUNT));
	if (ret)
		return ret;
	ret = ckpt_claim(t);
	if (ret == -EBUSY)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, -EBUSY,
				  "another checkpoint or restart has this process");
	if (ret)
		return ret;
	if (task == current) {
		t->state = CKPT_TASK_SELF;
		return 0;
	}
	ckpt_timed_note(t);
	queue_park(t);
	return 0;
}

#define FIND_BATCH	64

/* Asks all threads that are new since the last time; returns their number. */
static int take_new(struct ckpt_ctx *ctx, struct task_struct *root)
{
	struct task_struct *found[FIND_BATCH];
	int total = 0;
	int nr, i, ret;

	do {
		nr = find_new(ctx, root, found, FIND_BATCH);
		ret = 0;
		for (i = 0; i < nr; i++) {
			if (!ret)
				ret = take(ctx, found[i]);
			put_task_struct(found[i]);
		}
		if (ret)
			return ret;
		total += nr;
	} while (nr == FIND_BATCH);
	return total;
}

/* Counts threads that job control holds as parked. */
static void note_stopped(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (READ_ONCE(t->state) != CKPT_TASK_ASKED || !task_is_stopped(t->task))
			continue;
		t->stopped_csw = wait_task_inactive(t->task, __TASK_STOPPED);
		if (!t->stopped_csw)
			continue;
		/* It may wake and park itself at this very moment. */
		if (cmpxchg(&t->state, CKPT_TASK_ASKED, CKPT_TASK_STOPPED) == CKPT_TASK_ASKED &&
		    atomic_dec_and_test(&ctx->nr_busy))
			wake_up(&ctx->wait);
	}
}

static bool waits_for_vfork(struct task_struct *task)
{
	struct task_struct *child;
	bool found = false;

	read_lock(&tasklist_lock);
	list_for_each_entry(child, &task->children, sibling)
		if (child->vfork_done)
			found = true;
	read_unlock(&tasklist_lock);
	return found;
}

/* Names the threads that have not parked; true: one of them never will. */
static bool name_busy(struct ckpt_ctx *ctx, bool deadline)
{
	bool never = false;
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (READ_ONCE(t->state) != CKPT_TASK_ASKED)
			continue;
		if (waits_for_vfork(t->task)) {
			ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_VFORK,
				      "waits for its vfork() child");
			never = true;
		} else if (READ_ONCE(t->task->ptrace)) {
			ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_PTRACE, "is being traced");
			never = true;
		} else if (deadline) {
			ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_TIMEOUT, -ETIMEDOUT,
				   "did not stop in time (it may wait for a device or a file server)");
		}
	}
	return never;
}

static int wait_parked(struct ckpt_ctx *ctx, unsigned long deadline)
{
	unsigned long poll = msecs_to_jiffies(CKPT_FREEZE_POLL_MS);
	long ret;

	for (;;) {
		note_stopped(ctx);
		ret = wait_event_interruptible_timeout(ctx->wait, !atomic_read(&ctx->nr_busy),
						       poll);
		if (ret < 0)
			return -ERESTARTNOHAND;
		if (ret > 0)
			return 0;
		if (name_busy(ctx, false))
			return -EOPNOTSUPP;
		if (time_after(jiffies, deadline)) {
			name_busy(ctx, true);
			return -ETIMEDOUT;
		}
	}
}

/* A thread that exits on its own while we stop the others is no loss. */
static void drop_gone(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i, n = 1;

	for (i = 1; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		/* One that was killed while parked still waits for its release. */
		if (READ_ONCE(t->state) != CKPT_TASK_GONE || READ_ONCE(ctx->killed)) {
			ctx->tasks[n++] = t;
			continue;
		}
		xa_erase(&ctx->task_index, t->task->pid);
		ckpt_unclaim(t);
		put_task_struct(t->task);
		/* Its work has run or was never queued: nobody else knows it. */
		kfree(t);
	}
	ctx->nr_tasks = n;
}

/* Off their processors, so that their registers can be read and set. */
static int wait_inactive(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (READ_ONCE(t->state) != CKPT_TASK_PARKED)
			continue;
		/* It may have been stopped for a while before. */
		t->stopped_csw = 0;
		if (!wait_task_inactive(t->task, TASK_KILLABLE))
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH,
					  "died while it was being saved");
	}
	return 0;
}

/**
 * ckpt_freeze - stop a tree
 * @ctx: context; gets the threads, the root first
 * @root: leader of the root process
 *
 * On failure the caller still has to call ckpt_release().
 *
 * Context: may sleep.
 * Return: 0; -EPERM; -EBUSY; -ESRCH; -ETIMEDOUT; -EOPNOTSUPP: a thread cannot
 * be stopped; -ERESTARTNOHAND: current has a signal; -ENOMEM.
 */
int ckpt_freeze(struct ckpt_ctx *ctx, struct task_struct *root)
{
	unsigned long deadline = jiffies + ctx->timeout;
	int ret;

	ctx->t_frozen = ktime_get();
	ret = take(ctx, root);
	if (ret)
		return ret;
	for (;;) {
		ret = take_new(ctx, root);
		if (ret < 0)
			return ret;
		if (!ret && !atomic_read(&ctx->nr_busy))
			break;
		ret = wait_parked(ctx, deadline);
		if (ret)
			return ret;
		drop_gone(ctx);
		if (READ_ONCE(ctx->killed))
			return ckpt_error(ctx, CKPT_AT(ctx->tasks[0]), CKPT_WHY_GONE, -ESRCH,
					  "was killed while it was being saved");
	}
	ctx->nr_processes = 1;
	ctx->tasks[0]->nr_threads = ctx->nr_tasks;
	if (READ_ONCE(ctx->tasks[0]->state) == CKPT_TASK_GONE)
		return ckpt_error(ctx, CKPT_AT(ctx->tasks[0]), CKPT_WHY_GONE, -ESRCH,
				  "the process has exited");
	return wait_inactive(ctx);
}

/**
 * ckpt_still_frozen - has the tree stayed as it was?
 * @ctx: context, after ckpt_freeze()
 *
 * Return: 0, -ESRCH: a thread was killed, -EBUSY: a stopped one ran.
 */
int ckpt_still_frozen(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (READ_ONCE(t->state) == CKPT_TASK_GONE ||
		    (t->state != CKPT_TASK_SELF && fatal_signal_pending(t->task)))
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH,
					  "was killed while it was being saved");
		if (t->stopped_csw && (READ_ONCE(t->state) != CKPT_TASK_STOPPED ||
				       wait_task_inactive(t->task, __TASK_STOPPED) !=
				       t->stopped_csw))
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, -EBUSY,
					  "was continued while it was being saved");
	}
	return 0;
}

/**
 * ckpt_release - let all threads go
 * @ctx: context
 * @failed: restart: the threads are not complete, and have been killed
 */
void ckpt_release(struct ckpt_ctx *ctx, bool failed)
{
	struct ckpt_task *t;
	u32 i;

	WRITE_ONCE(ctx->failed, failed);
	/* Threads that see @released see @failed, too. */
	smp_wmb();
	WRITE_ONCE(ctx->released, true);
	wake_up_all(&ctx->hold);
	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (!t->task)
			continue;
		ckpt_unclaim(t);
		/* If the work has begun, or begins later, it drops its own reference. */
		if (t->task != current && task_work_cancel(t->task, &t->work))
			ckpt_ctx_put(ctx);
	}
}

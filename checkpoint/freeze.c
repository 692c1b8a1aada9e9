// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stopping a tree and letting it go.
 *
 * Every thread gets a task work, which get_signal() runs: there the thread is
 * at the user boundary, and an interrupted system call has left its -ERESTART*
 * result in place. It parks there, killable, until it is released. A thread
 * that job control has stopped is at the same place already and counts as
 * parked; its work stays queued, so that it cannot slip away to user mode. So
 * does one that waits in vfork(2) for a child that is parked.
 */
#include <linux/checkpoint_state.h>
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

static bool may_go(struct ckpt_task *t)
{
	return READ_ONCE(t->ctx->released) || READ_ONCE(t->bury);
}

/* Requests of io_uring complete in the context of who has submitted them. */
static bool did_io_work(struct ckpt_task *t)
{
	/* Pairs with the release of who asks for it. */
	if (!smp_load_acquire(&t->io_work))
		return false;
	__set_current_state(TASK_RUNNING);
	checkpoint_io_uring_work();
	/* What has completed is seen by who sees this. */
	smp_store_release(&t->io_work, false);
	return true;
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
	while (!may_go(t) && !fatal_signal_pending(current)) {
		if (!did_io_work(t))
			schedule();
		prepare_to_wait(&ctx->hold, &wait, TASK_KILLABLE);
	}
	finish_wait(&ctx->hold, &wait);
	if (may_go(t))
		return;
	WRITE_ONCE(ctx->killed, true);
	settle(t, CKPT_TASK_GONE);
	if (t->rec)
		ckpt_restore_fail(ctx, t, -ESRCH);
	set_notify_signal(ctx->caller);
	wait_event(ctx->hold, may_go(t));
}

/* Waits in vfork(2), as the saved thread did, until the child lets go of it. */
static void wait_vfork(struct ckpt_task *t)
{
	struct task_struct *child = t->vfork_child->task;

	if (!wait_for_completion_state(&t->vfork, TASK_KILLABLE | TASK_FREEZABLE))
		return;
	task_lock(child);
	child->vfork_done = NULL;
	task_unlock(child);
}

/* Last steps of a restored thread, in its own context. */
static void become(struct ckpt_task *t)
{
	struct ckpt_ctx *ctx = t->ctx;
	long code = t->rec->exit_code;

	if (READ_ONCE(ctx->failed)) {
		ckpt_ctx_put(ctx);
		do_group_exit(SIGKILL);
	}
	if (t->dead) {
		ckpt_ctx_put(ctx);
		do_exit(code);
	}
	ckpt_thread_commit(t);
	if (t->vfork_child)
		wait_vfork(t);
}

static void park(struct callback_head *work)
{
	struct ckpt_task *t = container_of(work, struct ckpt_task, work);
	struct ckpt_ctx *ctx = t->ctx;

	/* Works that were queued before come behind, and could not run meanwhile: let them. */
	if (work->next && !task_work_add(current, work, TWA_SIGNAL))
		return;
	if (current->flags & PF_EXITING) {
		settle(t, CKPT_TASK_GONE);
	} else {
		ckpt_timed_resume(t);
		hold(t);
		if (t->rec)
			become(t);
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

/* Is this a thread that the context has to ask, or to note as dead? */
static bool is_new(struct ckpt_ctx *ctx, struct task_struct *thread)
{
	if (xa_load(&ctx->task_index, thread->pid) || ckpt_is_io_worker(thread))
		return false;
	if (thread_group_leader(thread) && thread->exit_state)
		return thread->exit_state == EXIT_ZOMBIE;
	return !thread->exit_state && !(READ_ONCE(thread->flags) & PF_EXITING);
}

/* References up to @max threads of the tree that the context does not know. */
static int find_new(struct ckpt_ctx *ctx, struct task_struct *root,
		    struct task_struct **found, int max)
{
	struct task_struct *p, *thread;
	int nr = 0;

	read_lock(&tasklist_lock);
	for (p = root; p; p = ckpt_next_process(ctx, root, p)) {
		for_each_thread(p, thread) {
			if (!is_new(ctx, thread))
				continue;
			found[nr++] = get_task_struct(thread);
			if (nr == max)
				goto full;
		}
	}
full:
	read_unlock(&tasklist_lock);
	return nr;
}

static int check_right(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	if (ckpt_may_use(t->task))
		return 0;
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, -EPERM,
			  "no right to this process (it takes the right to trace it)");
}

static int take(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_task *t;
	int ret;

	t = ckpt_add_task(ctx, task);
	if (IS_ERR(t))
		return PTR_ERR(t);
	/* Until the tree is put in order it answers for itself. */
	t->leader = t;
	ret = check_right(ctx, t);
	if (!ret)
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
	} else if (task->exit_state) {
		t->dead = true;
		t->state = CKPT_TASK_DEAD;
	} else {
		ckpt_timed_note(t);
		queue_park(t);
	}
	return 0;
}

#define FIND_BATCH	1024

/* Asks all threads that are new since the last time; returns their number. */
static int take_new(struct ckpt_ctx *ctx, struct task_struct *root)
{
	struct task_struct **found;
	int total = 0;
	int nr, i, ret;

	found = kvmalloc_array(FIND_BATCH, sizeof(*found), GFP_KERNEL_ACCOUNT);
	if (!found)
		return -ENOMEM;
	do {
		nr = find_new(ctx, root, found, FIND_BATCH);
		ret = 0;
		for (i = 0; i < nr; i++) {
			if (!ret)
				ret = take(ctx, found[i]);
			put_task_struct(found[i]);
		}
		total += nr;
	} while (nr == FIND_BATCH && !ret);
	kvfree(found);
	return ret ?: total;
}

/**
 * ckpt_vfork_child - child for which a thread waits in vfork(2)
 * @ctx: context of a save
 * @t: the thread
 *
 * Return: its pid, as the thread will see it, or 0: there is none.
 */
pid_t ckpt_vfork_child(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct task_struct *child;
	pid_t nr = 0;

	read_lock(&tasklist_lock);
	list_for_each_entry(child, &t->task->children, sibling)
		if (READ_ONCE(child->vfork_done))
			nr = task_tgid_nr_ns(child, task_active_pid_ns(t->task));
	read_unlock(&tasklist_lock);
	return nr;
}

/* Is a thread with this stack, where it waits, to be woken by @child? */
static bool is_waited_for(struct task_struct *child, const void *stack)
{
	const void *done = READ_ONCE(child->vfork_done);

	return done >= stack && done < stack + THREAD_SIZE;
}

/*
 * By clone(2) one can wait as in vfork(2) for a sibling (CLONE_PARENT), or for a
 * thread, which the image has no place for.
 */
static bool waits_for_other(struct task_struct *task)
{
	const void *stack = task_stack_page(task);
	struct task_struct *other, *parent;
	bool found = false;

	if (!stack || !(READ_ONCE(task->__state) & TASK_WAKEKILL))
		return false;
	read_lock(&tasklist_lock);
	/* One that has been reaped points to a parent that may be gone. */
	if (pid_alive(task)) {
		parent = rcu_dereference_protected(task->real_parent,
						   lockdep_tasklist_lock_is_held());
		list_for_each_entry(other, &parent->children, sibling)
			found |= is_waited_for(other, stack);
		for_each_thread(task, other)
			found |= is_waited_for(other, stack);
	}
	read_unlock(&tasklist_lock);
	return found;
}

/* Counts a thread that sleeps where it cannot park, but stays, as parked. */
static void note_held(struct ckpt_task *t, unsigned int task_state, int state)
{
	t->held_csw = wait_task_inactive(t->task, task_state);
	/* It may wake and park itself at this very moment. */
	if (t->held_csw &&
	    cmpxchg(&t->state, CKPT_TASK_ASKED, state) == CKPT_TASK_ASKED &&
	    atomic_dec_and_test(&t->ctx->nr_busy))
		wake_up(&t->ctx->wait);
}

/* Threads that job control has stopped, and those in vfork(2). */
static void note_all_held(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (READ_ONCE(t->state) != CKPT_TASK_ASKED)
			continue;
		if (task_is_stopped(t->task))
			note_held(t, __TASK_STOPPED, CKPT_TASK_STOPPED);
		else if (!(ctx->flags & CHECKPOINT_ONLY) && ckpt_vfork_child(ctx, t))
			note_held(t, TASK_WAKEKILL, CKPT_TASK_VFORK);
	}
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
		if (ctx->flags & CHECKPOINT_ONLY && ckpt_vfork_child(ctx, t)) {
			ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_VFORK,
				      "waits for its vfork() child");
			never = true;
		} else if (waits_for_other(t->task)) {
			ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_VFORK,
				      "waits for a sibling or thread that it has created (CLONE_VFORK)");
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
		note_all_held(ctx);
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

/*
 * A thread that exits on its own while we stop the others is no loss; a process
 * that does so comes back as a zombie, until its parent has waited for it.
 */
static void drop_gone(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i, n = 0;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		/* One that was killed while parked still waits for its release. */
		if ((READ_ONCE(t->state) != CKPT_TASK_GONE || READ_ONCE(ctx->killed)) &&
		    !(t->dead && READ_ONCE(t->task->exit_state) != EXIT_ZOMBIE)) {
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
		t->held_csw = 0;
		if (!wait_task_inactive(t->task, TASK_KILLABLE))
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH,
					  "died while it was being saved");
	}
	return 0;
}

/* Has a thread that could not park slept all the time? */
static bool is_held(struct ckpt_task *t)
{
	switch (READ_ONCE(t->state)) {
	case CKPT_TASK_STOPPED:
		return wait_task_inactive(t->task, __TASK_STOPPED) == t->held_csw;
	case CKPT_TASK_VFORK:
		return wait_task_inactive(t->task, TASK_WAKEKILL) == t->held_csw;
	case CKPT_TASK_PARKED:
		t->held_csw = 0;
		return true;
	}
	return false;
}

static bool all_held(struct ckpt_ctx *ctx)
{
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++)
		if (ctx->tasks[i]->held_csw && !is_held(ctx->tasks[i]))
			return false;
	return true;
}

/* All known tasks are at rest: is that the whole tree? */
static int look_again(struct ckpt_ctx *ctx, struct task_struct *root, unsigned long deadline)
{
	int ret = all_held(ctx) ? ckpt_tree_order(ctx, root) : -EAGAIN;

	if (ret != -EAGAIN)
		return ret;
	if (time_after(jiffies, deadline))
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_TIMEOUT, -ETIMEDOUT,
				  "the tree did not come to rest in time");
	/* One is on its way out, or to its park. */
	schedule_timeout_killable(1);
	return -EAGAIN;
}

/* A parked task that was killed. */
static struct ckpt_task *find_killed(struct ckpt_ctx *ctx)
{
	u32 i = 0;

	while (i + 1 < ctx->nr_tasks && READ_ONCE(ctx->tasks[i]->state) != CKPT_TASK_GONE)
		i++;
	return ctx->tasks[i];
}

/* -EAGAIN: there may be tasks that were not asked yet. */
static int freeze_once(struct ckpt_ctx *ctx, struct task_struct *root, unsigned long deadline)
{
	int ret = take_new(ctx, root);

	if (ret < 0)
		return ret;
	if (!ret && !atomic_read(&ctx->nr_busy)) {
		ret = look_again(ctx, root, deadline);
		if (ret != -EAGAIN)
			return ret;
	}
	ret = wait_parked(ctx, deadline);
	if (ret)
		return ret;
	drop_gone(ctx);
	if (READ_ONCE(ctx->killed))
		return ckpt_error(ctx, CKPT_AT(find_killed(ctx)), CKPT_WHY_GONE, -ESRCH,
				  "was killed while it was being saved");
	return fatal_signal_pending(current) ? -EINTR : -EAGAIN;
}

/**
 * ckpt_freeze - stop a tree
 * @ctx: context; gets the tasks, see ckpt_tree_order()
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
	do {
		ret = freeze_once(ctx, root, deadline);
	} while (ret == -EAGAIN);
	if (ret)
		return ret;
	if (!ctx->tasks[0]->main)
		return ckpt_error(ctx, CKPT_AT(ctx->tasks[0]), CKPT_WHY_GONE, -ESRCH,
				  "the process has exited");
	ret = ckpt_io_uring_wait(ctx, deadline);
	return ret ?: wait_inactive(ctx) ?: ckpt_aio_wait(ctx, deadline);
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
		if (t->dead)
			continue;
		if (READ_ONCE(t->state) == CKPT_TASK_GONE ||
		    (t->state != CKPT_TASK_SELF && fatal_signal_pending(t->task)))
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH,
					  "was killed while it was being saved");
		if (t->held_csw && !is_held(t))
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
		if (t->dead)
			continue;
		/* If the work has begun, or begins later, it drops its own reference. */
		if (t->task != current && task_work_cancel(t->task, &t->work))
			ckpt_ctx_put(ctx);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pids of a tree that is restarted may still be those of the killed one: its
 * tasks are about to exit, or were not waited for yet.
 */
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>

#include "internal.h"

/* The signal is gone before it exits; what was decided for the process stays. */
static bool is_ending(struct task_struct *task)
{
	return READ_ONCE(task->flags) & PF_EXITING || fatal_signal_pending(task) ||
	       READ_ONCE(task->signal->flags) & SIGNAL_GROUP_EXIT;
}

/*
 * Is a pid only still in use because its process is being killed, or was not
 * waited for yet? Init waits for those of a killed tree, in its own time.
 */
static bool is_dying(u32 nr)
{
	struct task_struct *task;
	bool dying;

	rcu_read_lock();
	task = find_task_by_vpid(nr);
	dying = !task || is_ending(task);
	rcu_read_unlock();
	return dying;
}

/* Does a task with this pid still have what it gives back when it exits? */
static bool is_on_its_way(u32 nr)
{
	struct task_struct *task;
	bool found;

	rcu_read_lock();
	task = find_task_by_vpid(nr);
	found = task && is_ending(task) && !READ_ONCE(task->exit_state);
	rcu_read_unlock();
	return found;
}

/**
 * ckpt_wait_pid - wait for a pid that is about to become free
 * @nr: the pid, of which an allocation has just failed
 * @deadline: in jiffies
 *
 * Return: true: try again.
 */
bool ckpt_wait_pid(u32 nr, unsigned long deadline)
{
	if (!is_dying(nr) || time_after(jiffies, deadline))
		return false;
	return !schedule_timeout_killable(1) && !fatal_signal_pending(current);
}

/**
 * ckpt_wait_predecessors - wait until a killed tree is gone, before it is restarted
 * @ctx: context of a restart, its tasks known
 *
 * The tree that was saved may have been killed a moment ago. Its terminals, locks
 * and addresses are free when its tasks are gone, so nothing is built before. Who
 * does not go in time is met, and named, where its number or its things are taken.
 *
 * Context: may sleep.
 */
void ckpt_wait_predecessors(struct ckpt_ctx *ctx)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(CKPT_PID_WAIT_MS);
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++)
		while (is_on_its_way(ctx->tasks[i]->rec->tid) &&
		       !time_after(jiffies, deadline) && !fatal_signal_pending(current))
			schedule_timeout_killable(1);
}

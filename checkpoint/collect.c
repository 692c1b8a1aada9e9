// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking for obstacles on the frozen tree: all of them, before anything is
 * written.
 */
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "internal.h"

/**
 * ckpt_used_outside - is an object used by a task outside of a process?
 * @leader: leader of the process
 * @uses: does the task use the object? Called under RCU, without other locks.
 * @obj: the object
 *
 * Reference counts do not tell: a reader in /proc holds references, too.
 *
 * Return: true if it is.
 */
bool ckpt_used_outside(struct task_struct *leader,
		       bool (*uses)(struct task_struct *task, const void *obj),
		       const void *obj)
{
	struct task_struct *p, *thread;
	bool found = false;

	rcu_read_lock();
	for_each_process_thread(p, thread)
		if (p->signal != leader->signal && uses(thread, obj))
			found = true;
	rcu_read_unlock();
	return found;
}

/* A child is not part of the tree yet, and must not be lost. */
static void collect_children(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct task_struct *child;
	int children = 0, zombies = 0;

	read_lock(&tasklist_lock);
	list_for_each_entry(child, &t->task->children, sibling) {
		if (child->exit_state)
			zombies++;
		else
			children++;
	}
	read_unlock(&tasklist_lock);
	if (zombies)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_ZOMBIE,
			      "%d child processes have exited and were not waited for", zombies);
	if (children)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_CHILD,
			      "%d child processes (trees of processes are not supported yet)",
			      children);
}

static int collect_table(struct ckpt_ctx *ctx, struct ckpt_task *t,
			 const struct ckpt_obj_ops *const *table)
{
	int ret;

	for (; *table; table++) {
		if (!(*table)->collect)
			continue;
		ret = (*table)->collect(ctx, t);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * ckpt_collect - find all obstacles of a frozen tree
 * @ctx: context
 *
 * Context: may sleep.
 * Return: 0, -EOPNOTSUPP: there are some, or the errno with which looking failed.
 */
int ckpt_collect(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	int ret = 0;
	u32 i;

	for (i = 0; i < ctx->nr_tasks && !ret; i++) {
		t = ctx->tasks[i];
		if (t == t->leader)
			ret = collect_table(ctx, t, ckpt_process_objs);
		if (!ret)
			ret = collect_table(ctx, t, ckpt_thread_objs);
		if (!(ctx->flags & CHECKPOINT_ONLY))
			collect_children(ctx, t);
	}
	if (!ret && ctx->nr_obstacles)
		ret = -EOPNOTSUPP;
	return ret;
}

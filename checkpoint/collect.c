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
 * ckpt_used_outside - is an object used by a task outside of the tree?
 * @ctx: context of a save
 * @uses: does the task use the object? Called under RCU, without other locks.
 * @obj: the object
 *
 * Reference counts do not tell: a reader in /proc holds references, too.
 *
 * Return: true if it is.
 */
bool ckpt_used_outside(struct ckpt_ctx *ctx,
		       bool (*uses)(struct task_struct *task, const void *obj),
		       const void *obj)
{
	struct task_struct *p, *thread;
	bool found = false;
	pid_t pid;

	rcu_read_lock();
	for_each_process_thread(p, thread) {
		/* Workers of io_uring have all that their process has. */
		pid = ckpt_is_io_worker(thread) ? thread->tgid : thread->pid;
		if (uses(thread, obj) && !xa_load(&ctx->task_index, pid))
			found = true;
	}
	rcu_read_unlock();
	return found;
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

static int collect_process(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	struct ckpt_task *t;
	int ret = 0;
	u32 i;

	if (leader->main)
		ret = collect_table(ctx, leader->main, ckpt_process_objs);
	for (i = leader->index; !ret && i < leader->index + leader->nr_threads; i++) {
		t = ctx->tasks[i];
		if (!t->dead)
			ret = collect_table(ctx, t, ckpt_thread_objs);
		else if (t->task->ptrace)
			ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_PTRACE, "is being traced");
		cond_resched();
	}
	return ret;
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
	int ret;

	ret = ckpt_ns_collect(ctx) ?: ckpt_cgroup_collect(ctx);
	if (!ret)
		ret = ckpt_refs_count(ctx);
	if (!ret)
		ckpt_tree_collect(ctx);
	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t))
		ret = collect_process(ctx, t);
	if (!ret)
		ret = ckpt_inflight_collect(ctx);
	if (!ret && ctx->nr_obstacles)
		ret = -EOPNOTSUPP;
	return ret;
}

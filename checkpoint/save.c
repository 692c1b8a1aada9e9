// SPDX-License-Identifier: GPL-2.0-only
/*
 * checkpoint(): freeze, collect, save, release. All work is done in the
 * caller's context on parked tasks.
 */
#include <linux/atomic.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "internal.h"

/* Ids of checkpoints, unique since boot. */
static atomic_long_t last_id;

static int save_table(struct ckpt_ctx *ctx, struct ckpt_task *t,
		      const struct ckpt_obj_ops *const *table)
{
	int ret;

	for (; *table; table++) {
		ret = (*table)->save(ctx, t);
		if (ret)
			return ret;
	}
	return 0;
}

/* Of a dead thread only that is left which its parent or /proc may ask for. */
static int save_thread(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	int ret = save_table(ctx, t, t->dead ? ckpt_dead_objs : ckpt_thread_objs);

	return ret ?: ckpt_write_record(ctx, CKPT_REC_THREAD_END, 0, 0, NULL, 0, NULL, 0);
}

static int save_process(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	int ret;
	u32 i;

	if (leader->main)
		ret = save_table(ctx, leader->main, ckpt_process_objs);
	else
		ret = save_table(ctx, leader, ckpt_dead_process_objs);
	for (i = leader->index; !ret && i < leader->index + leader->nr_threads; i++)
		ret = save_thread(ctx, ctx->tasks[i]);
	return ret ?: ckpt_write_record(ctx, CKPT_REC_PROCESS_END, 0, 0, NULL, 0, NULL, 0);
}

static int save_all(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	int ret;

	ret = ckpt_write_header(ctx);
	if (!ret)
		ret = ckpt_tree_save(ctx);
	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t))
		ret = save_process(ctx, t);
	if (!ret)
		ret = ckpt_still_frozen(ctx);
	return ret ?: ckpt_write_trailer(ctx);
}

static u64 lap(ktime_t *since)
{
	ktime_t now = ktime_get();
	u64 ns = ktime_to_ns(ktime_sub(now, *since));

	*since = now;
	return ns;
}

/* What happens to the tree now that its image is complete. */
static void finish_tree(struct ckpt_ctx *ctx)
{
	int sig = ctx->flags & CHECKPOINT_KILL ? SIGKILL :
		  ctx->flags & CHECKPOINT_STOP ? SIGSTOP : 0;
	u32 i;

	if (!sig)
		return;
	for (i = 0; i < ctx->nr_tasks; i++)
		if (ctx->tasks[i] == ctx->tasks[i]->leader)
			do_send_sig_info(sig, SEND_SIG_PRIV, ctx->tasks[i]->task, PIDTYPE_TGID);
}

static int freeze_and_save(struct ckpt_ctx *ctx, struct task_struct *root)
{
	ktime_t t = ktime_get();
	int ret;

	ret = ckpt_freeze(ctx, root);
	ctx->stats.freeze_ns = lap(&t);
	if (ret)
		return ret;
	ret = ckpt_collect(ctx);
	ckpt_list_unused(ctx, &ctx->outside->external, CKPT_WHY_EXTERNAL);
	ctx->stats.collect_ns = lap(&t);
	if (ret || ctx->flags & CHECKPOINT_DRY_RUN)
		return ret;
	ret = save_all(ctx);
	ctx->stats.save_ns = lap(&t);
	if (!ret)
		finish_tree(ctx);
	return ret;
}

static int check_root(struct ckpt_ctx *ctx, struct task_struct *root)
{
	struct ckpt_task where = { .task = root };

	if (!ckpt_may_use(root))
		return ckpt_error(ctx, CKPT_AT(&where), CKPT_WHY_PERMISSION, -EPERM,
				  "no right to this process (it takes the right to trace it)");
	if (root->flags & PF_KTHREAD || task_pid_nr_ns(root, ctx->pidns) == 1) {
		ckpt_obstacle(ctx, CKPT_AT(&where), CKPT_WHY_KERNEL_TASK,
			      "is a kernel thread or the caller's init process");
		return -EOPNOTSUPP;
	}
	if (root->exit_state && thread_group_empty(root))
		return ckpt_error(ctx, CKPT_AT(&where), CKPT_WHY_GONE, -ESRCH,
				  "the process has exited");
	return 0;
}

static struct task_struct *find_root(pid_t pid)
{
	struct task_struct *root;

	if (!pid)
		return get_task_struct(current->group_leader);
	root = find_get_task_by_vpid(pid);
	if (root && !thread_group_leader(root)) {
		put_task_struct(root);
		root = NULL;
	}
	return root;
}

static void fill_stats(struct ckpt_ctx *ctx, struct checkpoint_stats *stats, ktime_t start)
{
	ctx->stats.image_bytes = ctx->offset;
	ctx->stats.page_bytes = ctx->nr_pages << PAGE_SHIFT;
	ctx->stats.tasks = ctx->nr_tasks;
	ctx->stats.processes = ctx->nr_processes;
	ctx->stats.total_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	*stats = ctx->stats;
}

/**
 * ckpt_do_checkpoint - save a tree
 * @pid: root process, in the caller's pid namespace; 0: the caller
 * @file: image, open for writing; NULL for a dry run
 * @log: where messages go, or NULL
 * @flags: CHECKPOINT_*, checked
 * @args: further arguments
 * @outside: what the caller has decided about the outside
 * @stats: filled
 *
 * Context: may sleep; no locks held.
 * Return: a positive id, or a negative errno.
 */
long ckpt_do_checkpoint(pid_t pid, struct file *file, struct file *log,
			unsigned long flags, const struct checkpoint_args *args,
			const struct ckpt_outside *outside, struct checkpoint_stats *stats)
{
	ktime_t start = ktime_get();
	struct task_struct *root;
	struct ckpt_ctx *ctx;
	ktime_t t;
	long ret;

	ctx = ckpt_ctx_alloc(file, flags);
	if (!ctx)
		return -ENOMEM;
	ctx->outside = outside;
	ctx->log_file = log;
	if (args->timeout_ms)
		ctx->timeout = msecs_to_jiffies(args->timeout_ms);
	if (file)
		ctx->pos = file->f_flags & O_APPEND ? i_size_read(file_inode(file)) : file->f_pos;
	root = find_root(pid);
	if (!root) {
		ret = ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_GONE, -ESRCH,
				 "there is no process %d", pid);
		goto out;
	}
	ret = check_root(ctx, root);
	if (!ret) {
		ret = freeze_and_save(ctx, root);
		t = ktime_get();
		ckpt_sockets_free(ctx);
		ckpt_registered_free(ctx);
		ckpt_inflight_free(ctx);
		ckpt_release(ctx, false);
		ctx->stats.release_ns = lap(&t);
		ctx->stats.frozen_ns = ktime_to_ns(ktime_sub(t, ctx->t_frozen));
	}
	put_task_struct(root);
	if (file && !(file->f_mode & FMODE_STREAM))
		file->f_pos = ctx->pos;
out:
	ckpt_flush_log(ctx, log);
	fill_stats(ctx, stats, start);
	ckpt_ctx_put(ctx);
	return ret ?: atomic_long_inc_return(&last_id);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Some state takes all tasks, or all files, of a tree that is restarted: pidfds,
 * what epoll instances watch. When all records are read, and all tasks exist,
 * the caller of restart() makes that, while the tree waits. Then each process
 * takes its descriptors.
 */
#include <linux/atomic.h>
#include <linux/wait.h>

#include "file/event.h"

/**
 * ckpt_arrive - a task exists, and its leader has read its records
 * @ctx: context of a restart
 */
void ckpt_arrive(struct ckpt_ctx *ctx)
{
	/* Orders what was restored before the caller's looking at it. */
	if (atomic_inc_return(&ctx->nr_arrived) == ctx->nr_tasks)
		wake_up(&ctx->wait);
}

/**
 * ckpt_all_arrived - have all tasks arrived?
 * @ctx: context of a restart
 *
 * Return: true if they have.
 */
bool ckpt_all_arrived(struct ckpt_ctx *ctx)
{
	return atomic_read_acquire(&ctx->nr_arrived) == ctx->nr_tasks;
}

/**
 * ckpt_assemble - make what takes all tasks and files, and let the tree go on
 * @ctx: context of a restart; all tasks have arrived
 *
 * Context: the caller of restart().
 * Return: 0 or a negative errno, reported.
 */
int ckpt_assemble(struct ckpt_ctx *ctx)
{
	int ret = ckpt_removed_dirs_finish(ctx);

	if (!ret)
		ret = ckpt_files_late(ctx) ?: ckpt_fs_late(ctx);
	if (!ret)
		ret = ckpt_ptys_hang_up(ctx);
	if (!ret)
		ret = ckpt_io_urings_assemble(ctx);
	if (!ret)
		ret = ckpt_sockets_assemble(ctx);
	if (!ret)
		ret = ckpt_inotifies_fill(ctx);
	if (!ret)
		ret = ckpt_epolls_assemble(ctx);
	if (!ret)
		ret = ckpt_inotifies_watch(ctx);
	if (ret)
		return ret;
	/* Pairs with the acquire in is_assembled(). */
	store_release_wake_up(&ctx->assembled, true);
	return 0;
}

static bool is_assembled(struct ckpt_ctx *ctx)
{
	/* What the caller has made is seen by who sees this. */
	return smp_load_acquire(&ctx->assembled);
}

/**
 * ckpt_join - wait for the rest of the tree, and take what takes all of it
 * @ctx: context of a restart
 * @leader: current, whose threads exist
 *
 * Return: 0 or a negative errno, reported unless current is being killed.
 */
int ckpt_join(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	int ret;

	ckpt_arrive(ctx);
	ret = wait_var_event_killable(&ctx->assembled, is_assembled(ctx));
	if (ret)
		return -EINTR;
	ret = ckpt_epolls_join(ctx, leader);
	return ret ?: ckpt_fds_apply(ctx, leader);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Membership in cgroups of the unified hierarchy (version 2): the path of each
 * task's cgroup, as the caller's cgroup namespace has it, is always recorded. A
 * restart creates the tasks in cgroups of these paths below a directory that it
 * is given, with the rights of clone3(2), CLONE_INTO_CGROUP; or, if it is given
 * none, in that of the restarter. Hierarchies of version 1 are the restarter's.
 */
#include <linux/cgroup.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/nsproxy.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../internal.h"
#include "../optional.h"

/**
 * ckpt_cgroup_collect - find the cgroups of all tasks
 * @ctx: context of a save, its tasks in order
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_cgroup_collect(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	struct cgroup *cgrp;
	u32 i;
	int ret;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		cgrp = ckpt_get_cgroup(t->task);
		if (!cgrp)
			continue;
		t->cgroup = xa_to_value(xa_load(&ctx->cgroup_index, (unsigned long)cgrp >> 3) ?:
					xa_mk_value(0));
		if (t->cgroup) {
			ckpt_put_cgroup(cgrp);
			continue;
		}
		ret = xa_err(xa_store(&ctx->cgroups, ctx->nr_cgroups + 1, cgrp,
				      GFP_KERNEL_ACCOUNT));
		if (ret) {
			ckpt_put_cgroup(cgrp);
			return ret;
		}
		t->cgroup = ++ctx->nr_cgroups;
		ret = xa_err(xa_store(&ctx->cgroup_index, (unsigned long)cgrp >> 3,
				      xa_mk_value(t->cgroup), GFP_KERNEL_ACCOUNT));
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * ckpt_cgroup_save - write the paths of all cgroups
 * @ctx: context of a save
 *
 * Return: 0 or a negative errno.
 */
int ckpt_cgroup_save(struct ckpt_ctx *ctx)
{
	struct ckpt_rec_cgroup rec = {};
	struct cgroup *cgrp;
	unsigned long nr;
	char *path;
	int ret = 0;

	path = kmalloc(CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT);
	if (!path)
		return -ENOMEM;
	xa_for_each(&ctx->cgroups, nr, cgrp) {
		ret = ckpt_cgroup_path(cgrp, path, CKPT_PATH_MAX, ctx->nsproxy);
		if (ret < 0)
			break;
		rec.path_len = strlen(path);
		ret = ckpt_write_record(ctx, CKPT_REC_CGROUP, 0, sizeof(rec), &rec, sizeof(rec),
					path, rec.path_len);
		if (ret)
			break;
	}
	kfree(path);
	return ret;
}

static int open_cgroup(struct ckpt_ctx *ctx, u32 nr, struct ckpt_rec *rec)
{
	const struct ckpt_rec_cgroup *saved = ckpt_rec_data(rec);
	char *path = kmemdup_nul(ckpt_rec_tail(rec), saved->path_len, GFP_KERNEL_ACCOUNT);
	struct file *dir;
	int ret;

	if (!path)
		return -ENOMEM;
	/* One that is not below the root of a namespace begins with "..". */
	if (strstr(path, "/.."))
		dir = ERR_PTR(-ENOENT);
	else
		dir = file_open_root(&ctx->outside->cgroups->f_path, path + 1,
				     O_RDONLY | O_DIRECTORY, 0);
	ret = PTR_ERR_OR_ZERO(dir);
	if (!ret) {
		ret = xa_err(xa_store(&ctx->cgroups, nr, dir, GFP_KERNEL_ACCOUNT));
		if (ret)
			fput(dir);
	}
	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_CGROUP, ret,
			   "the cgroup %s cannot be opened", path);
	kfree(path);
	return ret;
}

/**
 * ckpt_cgroup_read - read the paths of all cgroups, and open those that are wanted
 * @ctx: context of a restart, its tasks added
 * @nr: how many the tree has
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_cgroup_read(struct ckpt_ctx *ctx, u32 nr)
{
	struct ckpt_rec *rec;
	int ret = 0;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++)
		if (ctx->tasks[i]->rec->cgroup > nr)
			return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has a task in an impossible cgroup");
	for (i = 1; i <= nr && !ret; i++) {
		ret = ckpt_next_record(ctx, &rec);
		if (ret)
			return ret;
		if (rec->type != CKPT_REC_CGROUP)
			ret = ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
					 "the image has no description of a cgroup");
		else if (ctx->outside->cgroups)
			ret = open_cgroup(ctx, i, rec);
		ckpt_free_record(rec);
	}
	return ret;
}

/**
 * ckpt_cgroup_enter - let the next task that current creates be in its cgroup
 * @t: the task
 * @args: of clone
 *
 * Threads are where their leader is, but for those that are not.
 *
 * Return: 0 or a negative errno; on success ckpt_cgroup_leave() must follow.
 */
int ckpt_cgroup_enter(struct ckpt_task *t, struct kernel_clone_args *args)
{
	struct file *dir = xa_load(&t->ctx->cgroups, t->rec->cgroup);
	int fd;

	if (!dir || (t != t->leader && t->rec->cgroup == t->leader->rec->cgroup))
		return 0;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	fd_install(fd, get_file(dir));
	args->cgroup = fd;
	args->flags |= CLONE_INTO_CGROUP;
	return 0;
}

/**
 * ckpt_cgroup_leave - end what ckpt_cgroup_enter() has begun
 * @args: of clone
 */
void ckpt_cgroup_leave(struct kernel_clone_args *args)
{
	if (args->flags & CLONE_INTO_CGROUP)
		close_fd(args->cgroup);
}

/**
 * ckpt_cgroup_free - drop what a context knows of cgroups
 * @ctx: context
 */
void ckpt_cgroup_free(struct ckpt_ctx *ctx)
{
	unsigned long nr;
	void *entry;

	xa_for_each(&ctx->cgroups, nr, entry) {
		if (ctx->nr_cgroups)
			ckpt_put_cgroup(entry);
		else
			fput(entry);
	}
	xa_destroy(&ctx->cgroups);
	xa_destroy(&ctx->cgroup_index);
}

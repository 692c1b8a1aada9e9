// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a context, the state of one call. The call holds one reference and
 * every queued park work another, because a task that does not come to its
 * work before the call ends comes to it later.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/random.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "internal.h"

/**
 * ckpt_ctx_alloc - make a context for a call of current
 * @file: the image, or NULL for a dry run; the caller keeps its reference
 *	until the call ends
 * @flags: of the call
 *
 * Return: the context, to be dropped with ckpt_ctx_put(), or NULL.
 */
struct ckpt_ctx *ckpt_ctx_alloc(struct file *file, unsigned long flags)
{
	struct ckpt_ctx *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);

	if (!ctx)
		return NULL;
	ctx->buf = kvmalloc(CKPT_BUF_BYTES, GFP_KERNEL_ACCOUNT);
	if (!ctx->buf) {
		kfree(ctx);
		return NULL;
	}
	kref_init(&ctx->ref);
	init_waitqueue_head(&ctx->wait);
	init_waitqueue_head(&ctx->hold);
	spin_lock_init(&ctx->log_lock);
	xa_init(&ctx->task_index);
	xa_init(&ctx->mm_index);
	xa_init(&ctx->late_files);
	xa_init(&ctx->late_dirs);
	xa_init(&ctx->sockets);
	xa_init(&ctx->rings);
	xa_init(&ctx->carriers);
	xa_init(&ctx->inflight);
	xa_init(&ctx->gone_pids);
	xa_init(&ctx->families);
	spin_lock_init(&ctx->templates_lock);
	hash_init(ctx->templates);
	xa_init(&ctx->file_states);
	xa_init(&ctx->lost_pids);
	xa_init(&ctx->pid_index);
	xa_init(&ctx->cgroups);
	xa_init(&ctx->cgroup_index);
	xa_init(&ctx->terminals);
	xa_init(&ctx->objs);
	ctx->next_tag = 1;
	ctx->flags = flags;
	ctx->timeout = msecs_to_jiffies(CKPT_TIMEOUT_MS);
	ctx->file = file;
	ctx->caller = get_task_struct(current);
	ctx->pidns = get_pid_ns(task_active_pid_ns(current));
	ctx->userns = get_user_ns(current_user_ns());
	ctx->nsproxy = current->nsproxy;
	get_nsproxy(ctx->nsproxy);
	get_random_bytes(ctx->image_id, sizeof(ctx->image_id));
	get_fs_root(current->fs, &ctx->root);
	return ctx;
}

static void free_entry(struct ckpt_task *t)
{
	int i;

	ckpt_free_record(t->thread);
	ckpt_free_record(t->cred);
	ckpt_free_record(t->pending);
	ckpt_free_record(t->attrs);
	ckpt_free_record(t->io_ports);
	ckpt_free_record(t->process);
	ckpt_free_record(t->usage);
	ckpt_free_record(t->timers);
	ckpt_free_record(t->posix_timers);
	ckpt_free_record(t->thread_usage);
	ckpt_free_record(t->fds);
	ckpt_free_record(t->io_rings);
	ckpt_free_record(t->mm_rec);
	ckpt_kept_free(t);
	kvfree(t->k_timers);
	for (i = 0; i < t->nr_regsets; i++)
		ckpt_free_record(t->regsets[i]);
	ckpt_locks_forget(t);
	put_pid(t->pid);
	put_pid(t->group);
	put_pid(t->session);
	if (t->task) {
		/* One that was killed on its way in may have come too late. */
		ckpt_unclaim(t);
		put_task_struct(t->task);
	}
	kfree(t);
}

static void free_ctx(struct kref *ref)
{
	struct ckpt_ctx *ctx = container_of(ref, struct ckpt_ctx, ref);
	struct ckpt_rec *rec;
	unsigned long tag;
	u32 i;

	xa_for_each(&ctx->late_files, tag, rec)
		ckpt_free_record(rec);
	xa_destroy(&ctx->late_files);
	xa_destroy(&ctx->late_dirs);
	for (i = 0; i < ctx->nr_tasks; i++)
		free_entry(ctx->tasks[i]);
	for (i = 0; i < ARRAY_SIZE(ctx->std); i++)
		if (ctx->std[i])
			fput(ctx->std[i]);
	kvfree(ctx->tasks);
	kvfree(ctx->buf);
	kfree(ctx->scratch);
	for (i = 0; i < CKPT_SPARE_NR; i++)
		kvfree(ctx->spare[i]);
	kvfree(ctx->index);
	kvfree(ctx->log);
	ckpt_free_record(ctx->tree);
	xa_destroy(&ctx->task_index);
	xa_destroy(&ctx->mm_index);
	ckpt_cow_free(ctx);
	ckpt_cow_forget(ctx);
	ckpt_templates_free(ctx);
	ckpt_tree_forget(ctx);
	ckpt_terminals_forget(ctx);
	ckpt_refs_free(ctx);
	ckpt_states_free(ctx);
	ckpt_sockets_free(ctx);
	ckpt_inflight_free(ctx);
	ckpt_gone_pids_free(ctx);
	xa_destroy(&ctx->objs);
	ckpt_ptr_free(&ctx->tags, NULL);
	path_put(&ctx->seen_dir);
	path_put(&ctx->root);
	put_task_struct(ctx->caller);
	ckpt_ns_free(ctx);
	ckpt_cgroup_free(ctx);
	put_nsproxy(ctx->nsproxy);
	put_user_ns(ctx->userns);
	put_pid_ns(ctx->pidns);
	kfree(ctx);
}

/**
 * ckpt_ctx_put - drop a reference to a context
 * @ctx: the context
 *
 * Context: may sleep, when it is the last one.
 */
void ckpt_ctx_put(struct ckpt_ctx *ctx)
{
	kref_put(&ctx->ref, free_ctx);
}

/**
 * ckpt_spare_take - large memory that is needed for each process
 * @ctx: context of a save
 * @which: what for
 * @size: bytes, the same each time
 *
 * Return: the memory, not cleared, for ckpt_spare_give(), or NULL.
 */
void *ckpt_spare_take(struct ckpt_ctx *ctx, enum ckpt_spare which, size_t size)
{
	void *buf = ctx->spare[which];

	ctx->spare[which] = NULL;
	return buf ?: kvmalloc(size, GFP_KERNEL_ACCOUNT);
}

/**
 * ckpt_spare_give - give back what ckpt_spare_take() has returned
 * @ctx: context of a save
 * @which: what it was for
 * @buf: the memory, or NULL
 */
void ckpt_spare_give(struct ckpt_ctx *ctx, enum ckpt_spare which, void *buf)
{
	if (ctx->spare[which])
		kvfree(buf);
	else
		ctx->spare[which] = buf;
}

static int grow_tasks(struct ckpt_ctx *ctx)
{
	u32 cap = max(16U, ctx->cap_tasks * 2);
	struct ckpt_task **tasks;

	if (cap > CKPT_MAX_TASKS)
		return -E2BIG;
	tasks = kvmalloc_array(cap, sizeof(*tasks), GFP_KERNEL_ACCOUNT);
	if (!tasks)
		return -ENOMEM;
	if (ctx->nr_tasks)
		memcpy(tasks, ctx->tasks, ctx->nr_tasks * sizeof(*tasks));
	kvfree(ctx->tasks);
	ctx->tasks = tasks;
	ctx->cap_tasks = cap;
	return 0;
}

/**
 * ckpt_add_task - append a thread to the tree
 * @ctx: the context
 * @task: the thread, or NULL for one that restart will create
 *
 * Return: the new entry, which the context owns, or an ERR_PTR().
 */
struct ckpt_task *ckpt_add_task(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_task *t;
	int ret;

	if (ctx->nr_tasks == ctx->cap_tasks) {
		ret = grow_tasks(ctx);
		if (ret)
			return ERR_PTR(ret);
	}
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->ctx = ctx;
	t->timed = KTIME_MAX;
	t->index = ctx->nr_tasks;
	INIT_LIST_HEAD(&t->kept);
	init_completion(&t->vfork);
	if (task)
		t->task = get_task_struct(task);
	ctx->tasks[ctx->nr_tasks++] = t;
	return t;
}

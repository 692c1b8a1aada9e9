// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces that were made inside of the tree: user and pid namespaces. They
 * get numbers in the order in which they have to be made again, before any
 * process. user.c and pids.c have what is special to each type. A task in
 * another namespace of any other type is an obstacle (task/cred.c).
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "../internal.h"

/**
 * ckpt_ns_nr - number of a namespace of the tree
 * @ctx: context of a save
 * @ns: user or pid namespace
 *
 * Return: the number, 0: the caller's, or none of the tree.
 */
u32 ckpt_ns_nr(struct ckpt_ctx *ctx, const void *ns)
{
	u32 i;

	for (i = 0; i < ctx->nr_ns; i++)
		if (ctx->ns[i].user == ns || ctx->ns[i].pid == ns)
			return i + 1;
	return 0;
}

/* Takes over the reference to the namespace. */
static int add(struct ckpt_ctx *ctx, const struct ckpt_ns *new)
{
	struct ckpt_ns *bigger = NULL;

	if (ctx->nr_ns < CKPT_MAX_NAMESPACES)
		bigger = krealloc_array(ctx->ns, ctx->nr_ns + 1, sizeof(*new),
					GFP_KERNEL_ACCOUNT);
	if (!bigger) {
		if (new->user)
			put_user_ns(new->user);
		if (new->pid)
			put_pid_ns(new->pid);
		return -ENOMEM;
	}
	ctx->ns = bigger;
	ctx->ns[ctx->nr_ns++] = *new;
	return 0;
}

/* Adds a user namespace, and before it those above it up to the caller's. */
static int add_user(struct ckpt_ctx *ctx, struct user_namespace *ns)
{
	struct user_namespace *top;
	int ret = 0;

	while (!ret && ns != ctx->userns && in_userns(ctx->userns, ns) && !ckpt_ns_nr(ctx, ns)) {
		for (top = ns; top->parent != ctx->userns && !ckpt_ns_nr(ctx, top->parent);)
			top = top->parent;
		ret = add(ctx, &(struct ckpt_ns){
			.rec.type = CKPT_NS_USER,
			.rec.parent = ckpt_ns_nr(ctx, top->parent),
			.user = get_user_ns(top),
		});
	}
	return ret;
}

static int add_pid(struct ckpt_ctx *ctx, struct pid_namespace *ns)
{
	struct pid_namespace *top;
	int ret = 0;

	while (!ret && ns->level > ctx->pidns->level && !ckpt_ns_nr(ctx, ns)) {
		for (top = ns; top->parent != ctx->pidns && !ckpt_ns_nr(ctx, top->parent);)
			top = top->parent;
		ret = add_user(ctx, top->user_ns);
		if (!ret)
			ret = add(ctx, &(struct ckpt_ns){
				.rec.type = CKPT_NS_PID,
				.rec.parent = ckpt_ns_nr(ctx, top->parent),
				.rec.owner = ckpt_ns_nr(ctx, top->user_ns),
				.pid = get_pid_ns(top),
			});
	}
	return ret;
}

/* Those of one task; it may be killed, and lose its references, at any time. */
static int add_of_task(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const struct cred *cred = get_task_cred(task);
	struct pid_namespace *active, *children = NULL;
	int ret = add_user(ctx, cred->user_ns);

	put_cred(cred);
	rcu_read_lock();
	active = task_active_pid_ns(task);
	if (active)
		get_pid_ns(active);
	rcu_read_unlock();
	task_lock(task);
	if (task->nsproxy)
		children = get_pid_ns(task->nsproxy->pid_ns_for_children);
	task_unlock(task);
	if (active) {
		ret = ret ?: add_pid(ctx, active);
		put_pid_ns(active);
	}
	if (children) {
		ret = ret ?: add_pid(ctx, children);
		put_pid_ns(children);
	}
	return ret;
}

/**
 * ckpt_ns_collect - find the namespaces of a tree, and what keeps them from it
 * @ctx: context of a save, its tasks in order
 *
 * Return: 0 or -ENOMEM, also for too many.
 */
int ckpt_ns_collect(struct ckpt_ctx *ctx)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < ctx->nr_tasks && !ret; i++)
		ret = add_of_task(ctx, ctx->tasks[i]->task);
	for (i = 0; i < ctx->nr_ns && !ret; i++) {
		if (ctx->ns[i].user)
			ckpt_user_ns_collect(ctx, &ctx->ns[i]);
		else
			ckpt_pid_ns_collect(ctx, &ctx->ns[i]);
	}
	if (!ret && ctx->nr_ns)
		ret = ckpt_pid_ns_collect_sharers(ctx);
	return ret;
}

/**
 * ckpt_ns_of_task - note the pid namespaces of a task in its record
 * @ctx: context of a save
 * @t: the task
 * @rec: its record in the tree
 */
void ckpt_ns_of_task(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_task *rec)
{
	if (!ctx->nr_ns)
		return;
	rcu_read_lock();
	rec->pid_ns = ckpt_ns_nr(ctx, task_active_pid_ns(t->task));
	rcu_read_unlock();
	rec->children_pid_ns = rec->pid_ns;
	task_lock(t->task);
	if (t->task->nsproxy)
		rec->children_pid_ns = ckpt_ns_nr(ctx, t->task->nsproxy->pid_ns_for_children);
	task_unlock(t->task);
}

/**
 * ckpt_ns_save - write the namespaces of a tree, if it has any
 * @ctx: context of a save
 * @tasks: what was written as the tree
 *
 * Return: 0 or a negative errno.
 */
int ckpt_ns_save(struct ckpt_ctx *ctx, const struct ckpt_rec_task *tasks)
{
	struct ckpt_rec_namespace *recs;
	int ret;
	u32 i;

	if (!ctx->nr_ns)
		return 0;
	recs = kcalloc(ctx->nr_ns, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	for (i = 0; i < ctx->nr_ns; i++) {
		recs[i] = ctx->ns[i].rec;
		if (ctx->ns[i].user)
			ckpt_user_ns_fill(ctx, ctx->ns[i].user, &recs[i]);
		else
			recs[i].next_pid = idr_get_cursor(&ctx->ns[i].pid->idr);
	}
	ret = ckpt_write_record(ctx, CKPT_REC_NAMESPACES, 0, sizeof(*recs), recs,
				ctx->nr_ns * sizeof(*recs), NULL, 0);
	kfree(recs);
	if (!ret)
		ret = ckpt_id_maps_save(ctx);
	return ret ?: ckpt_pids_save(ctx, tasks);
}

static int damaged(struct ckpt_ctx *ctx, const char *what)
{
	return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image has %s", what);
}

static int next(struct ckpt_ctx *ctx, u32 type, struct ckpt_rec **rec)
{
	int ret = ckpt_next_record(ctx, rec);

	if (!ret && (*rec)->type != type)
		ret = damaged(ctx, "no description of the namespaces of its tree");
	return ret;
}

/**
 * ckpt_ns_at - namespace of a number
 * @ctx: context of a restart
 * @nr: the number, not trusted
 * @type: the type that it must have
 *
 * Return: the namespace, or NULL: there is none, or of another type.
 */
struct ckpt_ns *ckpt_ns_at(struct ckpt_ctx *ctx, u32 nr, u32 type)
{
	struct ckpt_ns *ns = nr && nr <= ctx->nr_ns ? &ctx->ns[nr - 1] : NULL;

	return ns && ns->rec.type == type ? ns : NULL;
}

/* What a namespace names is before it, and is of the right type. */
static bool is_possible(struct ckpt_ctx *ctx, u32 i)
{
	const struct ckpt_rec_namespace *rec = &ctx->ns[i].rec;

	return (!rec->parent ||
		(rec->parent <= i && ckpt_ns_at(ctx, rec->parent, rec->type))) &&
	       (!rec->owner ||
		(rec->owner <= i && ckpt_ns_at(ctx, rec->owner, CKPT_NS_USER)));
}

static int take_namespaces(struct ckpt_ctx *ctx, struct ckpt_rec *rec, u32 nr)
{
	const struct ckpt_rec_namespace *saved = ckpt_rec_data(rec);
	u32 i;

	if (ckpt_rec_count(rec) != nr)
		return damaged(ctx, "a wrong number of namespaces");
	ctx->ns = kcalloc(nr, sizeof(*ctx->ns), GFP_KERNEL_ACCOUNT);
	if (!ctx->ns)
		return -ENOMEM;
	ctx->nr_ns = nr;
	for (i = 0; i < nr; i++)
		ctx->ns[i].rec = saved[i];
	for (i = 0; i < nr; i++)
		if (!is_possible(ctx, i))
			return damaged(ctx, "an impossible namespace");
	return 0;
}

/**
 * ckpt_ns_read - read the namespaces of a tree
 * @ctx: context of a restart, its tasks added
 * @nr: how many the tree has
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_ns_read(struct ckpt_ctx *ctx, u32 nr)
{
	struct ckpt_rec *rec = NULL;
	int ret = 0;

	if (nr) {
		ret = next(ctx, CKPT_REC_NAMESPACES, &rec);
		if (!ret)
			ret = take_namespaces(ctx, rec, nr);
		ckpt_free_record(rec);
		if (!ret)
			ret = next(ctx, CKPT_REC_ID_MAPS, &ctx->id_maps);
		if (!ret)
			ret = next(ctx, CKPT_REC_PIDS, &ctx->pids);
	}
	return ret ?: ckpt_pids_read(ctx);
}

/**
 * ckpt_ns_create - make the namespaces of a tree
 * @ctx: context of a restart
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_ns_create(struct ckpt_ctx *ctx)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < ctx->nr_ns && !ret; i++)
		ret = ctx->ns[i].rec.type == CKPT_NS_USER ?
		      ckpt_user_ns_create(ctx, i + 1) : ckpt_pid_ns_create(ctx, i + 1);
	return ret;
}

/**
 * ckpt_ns_free - drop what a context knows of namespaces
 * @ctx: context
 */
void ckpt_ns_free(struct ckpt_ctx *ctx)
{
	u32 i;

	for (i = 0; i < ctx->nr_ns; i++) {
		if (ctx->ns[i].nsproxy)
			put_nsproxy(ctx->ns[i].nsproxy);
		if (ctx->ns[i].pid)
			put_pid_ns(ctx->ns[i].pid);
		if (ctx->ns[i].user)
			put_user_ns(ctx->ns[i].user);
	}
	kfree(ctx->ns);
	ckpt_free_record(ctx->id_maps);
	ckpt_free_record(ctx->pids);
	xa_destroy(&ctx->pid_index);
}

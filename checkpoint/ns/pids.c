// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pid namespaces of the tree, and the numbers that its tasks, process groups and
 * sessions have in them. Everywhere else in the image a pid is what the caller
 * of checkpoint() sees.
 */
#include <linux/capability.h>
#include <linux/checkpoint_state.h>
#include <linux/err.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "../internal.h"

/* A task that would be missing from the namespace, as the caller sees its pid. */
static pid_t find_outside(struct ckpt_ctx *ctx, struct pid_namespace *ns)
{
	struct task_struct *task;
	pid_t found = 0;
	struct pid *pid;
	int nr;

	rcu_read_lock();
	idr_for_each_entry(&ns->idr, pid, nr) {
		task = pid_task(pid, PIDTYPE_PID);
		if (!task || xa_load(&ctx->task_index, task->pid))
			continue;
		/* It is on its way out. */
		if (READ_ONCE(task->exit_state) &&
		    (!thread_group_leader(task) || task->exit_state == EXIT_DEAD))
			continue;
		found = pid_nr_ns(pid, ctx->pidns);
		break;
	}
	rcu_read_unlock();
	return found;
}

static struct ckpt_task *find_init(struct ckpt_ctx *ctx, struct pid_namespace *ns)
{
	struct ckpt_task *init = NULL;
	struct task_struct *task;
	struct pid *pid;

	rcu_read_lock();
	pid = find_pid_ns(1, ns);
	task = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
	if (task)
		init = xa_load(&ctx->task_index, task->pid);
	rcu_read_unlock();
	return init;
}

/* Init is created before all others, also before who shares memory with it. */
static bool has_earlier_mm(struct ckpt_ctx *ctx, struct ckpt_task *init)
{
	struct ckpt_task *t;

	if (!init->main)
		return false;
	for (t = ckpt_next_leader(ctx, NULL); t != init; t = ckpt_next_leader(ctx, t))
		if (t->main && READ_ONCE(t->main->task->mm) == READ_ONCE(init->main->task->mm))
			return true;
	return false;
}

static bool is_below(struct pid_namespace *ns, struct pid_namespace *above)
{
	while (ns && ns->level > above->level)
		ns = ns->parent;
	return ns == above;
}

/* A process is created by the first that has its memory, which must see it. */
static int collect_sharer(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_task *owner;
	struct mm_struct *mm;
	bool sees;

	task_lock(t->main->task);
	mm = t->main->task->mm;
	task_unlock(t->main->task);
	if (!mm)
		return 0;
	owner = ckpt_mm_owner(ctx, t, mm);
	if (IS_ERR(owner))
		return PTR_ERR(owner);
	rcu_read_lock();
	sees = is_below(task_active_pid_ns(t->task), task_active_pid_ns(owner->task) ?: ctx->pidns);
	rcu_read_unlock();
	if (!sees)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_NAMESPACE,
			      "shares the memory of a process that is in a pid namespace below its own");
	return 0;
}

/**
 * ckpt_pid_ns_collect_sharers - look for processes that nobody could create again
 * @ctx: context of a save
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_pid_ns_collect_sharers(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	int ret = 0;

	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t))
		if (t->main)
			ret = collect_sharer(ctx, t);
	return ret;
}

/**
 * ckpt_pid_ns_collect - look for what of a pid namespace cannot be saved
 * @ctx: context of a save
 * @ns: the namespace
 */
void ckpt_pid_ns_collect(struct ckpt_ctx *ctx, const struct ckpt_ns *ns)
{
	struct ckpt_task *init = find_init(ctx, ns->pid);
	pid_t outside = find_outside(ctx, ns->pid);

	if (outside)
		ckpt_obstacle(ctx, CKPT_AT(NULL), CKPT_WHY_NAMESPACE,
			      "process %d is in a pid namespace of the tree, but not in the tree",
			      outside);
	else if (!init && ns->pid->pid_allocated != PIDNS_ADDING)
		ckpt_obstacle(ctx, CKPT_AT(NULL), CKPT_WHY_NAMESPACE,
			      "the init process of a pid namespace of the tree has exited");
	if (init && has_earlier_mm(ctx, init))
		ckpt_obstacle(ctx, CKPT_AT(init), CKPT_WHY_NAMESPACE,
			      "is the init process of a pid namespace, and shares the memory of another");
	if (ns->pid->user_ns != ctx->userns && !ckpt_ns_nr(ctx, ns->pid->user_ns))
		ckpt_obstacle(ctx, CKPT_AT(init), CKPT_WHY_NAMESPACE,
			      "a pid namespace of the tree is owned by a user namespace outside of it");
}

/* The numbers of a pid, as they are collected. */
struct numbers {
	struct xarray seen;
	struct ckpt_rec_pid *recs;
	u32 nr;
	u32 cap;
};

static int grow(struct numbers *n)
{
	u32 cap = max(64U, n->cap * 2);
	struct ckpt_rec_pid *bigger = kvmalloc_array(cap, sizeof(*bigger), GFP_KERNEL_ACCOUNT);

	if (!bigger)
		return -ENOMEM;
	if (n->nr)
		memcpy(bigger, n->recs, n->nr * sizeof(*bigger));
	kvfree(n->recs);
	n->recs = bigger;
	n->cap = cap;
	return 0;
}

/* Adds the numbers of a pid at the levels below the caller's. */
static int add_numbers(struct ckpt_ctx *ctx, struct numbers *n, u32 nr)
{
	struct pid *pid;
	int level, ret;

	if (!nr)
		return 0;
	ret = xa_insert(&n->seen, nr, xa_mk_value(1), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? 0 : ret;
	while (n->cap - n->nr < MAX_PID_NS_LEVEL) {
		ret = grow(n);
		if (ret)
			return ret;
	}
	rcu_read_lock();
	pid = find_pid_ns(nr, ctx->pidns);
	for (level = ctx->pidns->level + 1; pid && level <= pid->level; level++)
		n->recs[n->nr++] = (struct ckpt_rec_pid){
			.pid = nr,
			.ns = ckpt_ns_nr(ctx, pid->numbers[level].ns),
			.nr = pid->numbers[level].nr,
		};
	rcu_read_unlock();
	return 0;
}

/**
 * ckpt_pids_save - write the numbers of all pids of the tree
 * @ctx: context of a save that has namespaces
 * @tasks: the tree as it was written
 *
 * Return: 0 or a negative errno.
 */
int ckpt_pids_save(struct ckpt_ctx *ctx, const struct ckpt_rec_task *tasks)
{
	struct numbers n = {};
	int ret = 0;
	u32 i;

	xa_init(&n.seen);
	for (i = 0; i < ctx->nr_tasks && !ret; i++)
		ret = add_numbers(ctx, &n, tasks[i].tid);
	for (i = 0; i < ctx->nr_tasks && !ret; i++)
		ret = add_numbers(ctx, &n, tasks[i].pgid) ?: add_numbers(ctx, &n, tasks[i].sid);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_PIDS, 0, sizeof(*n.recs), n.recs,
					n.nr * sizeof(*n.recs), NULL, 0);
	xa_destroy(&n.seen);
	kvfree(n.recs);
	return ret;
}

static int damaged(struct ckpt_ctx *ctx, u32 pid, const char *what)
{
	return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image has a pid %u that %s", pid, what);
}

static const struct ckpt_rec_pid *numbers_of(struct ckpt_ctx *ctx, u32 pid, u32 *nr)
{
	const struct ckpt_rec_pid *first, *end, *last;
	void *at = xa_load(&ctx->pid_index, pid);

	*nr = 0;
	if (!at)
		return NULL;
	first = ckpt_rec_data(ctx->pids);
	end = first + ckpt_rec_count(ctx->pids);
	first += xa_to_value(at);
	for (last = first; last < end && last->pid == pid; last++)
		(*nr)++;
	return first;
}

/* The namespace of a pid is the innermost in which it has a number. */
static u32 ns_of_pid_nr(struct ckpt_ctx *ctx, u32 pid)
{
	u32 nr;
	const struct ckpt_rec_pid *rec = numbers_of(ctx, pid, &nr);

	return nr ? rec[nr - 1].ns : 0;
}

static int index_numbers(struct ckpt_ctx *ctx)
{
	const struct ckpt_rec_pid *rec = ctx->pids ? ckpt_rec_data(ctx->pids) : NULL;
	u64 i, nr = ctx->pids ? ckpt_rec_count(ctx->pids) : 0;
	struct ckpt_ns *ns;
	bool first;
	int ret;

	for (i = 0; i < nr; i++) {
		first = !i || rec[i].pid != rec[i - 1].pid;
		ns = ckpt_ns_at(ctx, rec[i].ns, CKPT_NS_PID);
		if (!ns || ns->rec.parent != (first ? 0 : rec[i - 1].ns))
			return damaged(ctx, rec[i].pid, "is in an impossible namespace");
		if (!first)
			continue;
		ret = xa_insert(&ctx->pid_index, rec[i].pid, xa_mk_value(i), GFP_KERNEL_ACCOUNT);
		if (ret)
			return ret == -EBUSY ? damaged(ctx, rec[i].pid, "is there twice") : ret;
	}
	return 0;
}

/* Finds the init processes, which come into being before all others. */
static int find_inits(struct ckpt_ctx *ctx)
{
	const struct ckpt_rec_pid *rec = ctx->pids ? ckpt_rec_data(ctx->pids) : NULL;
	u64 i, nr = ctx->pids ? ckpt_rec_count(ctx->pids) : 0;
	struct ckpt_task *t;
	struct ckpt_ns *ns;

	for (i = 0; i < nr; i++) {
		if (rec[i].nr != 1)
			continue;
		ns = ckpt_ns_at(ctx, rec[i].ns, CKPT_NS_PID);
		t = xa_load(&ctx->task_index, rec[i].pid);
		if (!t || t != t->leader || ns->init || t->rec->mm_owner ||
		    t->rec->pid_ns != rec[i].ns)
			return damaged(ctx, rec[i].pid, "is an impossible init process");
		ns->init = t;
	}
	/* One that has exited has outlived all others; nobody can be without. */
	for (i = 0; i < nr; i++) {
		ns = ckpt_ns_at(ctx, rec[i].ns, CKPT_NS_PID);
		if (!ns->init || (!ns->init->main && ns->init->rec->tid != rec[i].pid))
			return damaged(ctx, rec[i].pid, "is in a namespace without init process");
	}
	return 0;
}

/**
 * ckpt_ns_below - is a namespace another one, or below it?
 * @ctx: context of a restart
 * @nr: number of the namespace, not trusted, 0: the caller's
 * @above: number of the other one, of the same type
 * @type: CKPT_NS_*
 *
 * Return: true if it is.
 */
bool ckpt_ns_below(struct ckpt_ctx *ctx, u32 nr, u32 above, u32 type)
{
	struct ckpt_ns *ns;

	while (nr != above) {
		ns = ckpt_ns_at(ctx, nr, type);
		if (!ns)
			return false;
		nr = ns->rec.parent;
	}
	return true;
}

static bool is_owned(struct ckpt_ctx *ctx, u32 pid_ns, u32 user_ns)
{
	struct ckpt_ns *ns = ckpt_ns_at(ctx, pid_ns, CKPT_NS_PID);

	return !ns || ckpt_ns_below(ctx, user_ns, ns->rec.owner, CKPT_NS_USER);
}

/**
 * ckpt_may_be_in_pid_ns - may current, who is in a user namespace, be in its pid namespaces?
 * @ctx: context of a restart
 * @rec: its record in the tree
 * @user_ns: number of the user namespace, not trusted
 *
 * By clone(2) one gets into a namespace that a user namespace owns only together
 * with that one; by setns(2), with rights in both.
 *
 * Return: true if it may.
 */
bool ckpt_may_be_in_pid_ns(struct ckpt_ctx *ctx, const struct ckpt_rec_task *rec, u32 user_ns)
{
	return (is_owned(ctx, rec->pid_ns, user_ns) &&
		is_owned(ctx, rec->children_pid_ns, user_ns)) ||
	       ns_capable(ctx->userns, CAP_SYS_ADMIN);
}

/**
 * ckpt_pids_read - check the numbers of all pids against the tree
 * @ctx: context of a restart, its tasks and namespaces read
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_pids_read(struct ckpt_ctx *ctx)
{
	const struct ckpt_rec_task *rec;
	int ret = index_numbers(ctx);
	u32 i;

	if (!ret)
		ret = find_inits(ctx);
	for (i = 0; i < ctx->nr_tasks && !ret; i++) {
		rec = ctx->tasks[i]->rec;
		if (rec->pid_ns != ns_of_pid_nr(ctx, rec->tid) ||
		    rec->pid_ns != ctx->tasks[i]->leader->rec->pid_ns ||
		    !ckpt_ns_below(ctx, rec->children_pid_ns, rec->pid_ns, CKPT_NS_PID))
			ret = damaged(ctx, rec->tid, "is a task in an impossible namespace");
	}
	return ret;
}

/**
 * ckpt_pid_ns_create - make a pid namespace of the tree
 * @ctx: context of a restart
 * @nr: its number; those before it exist
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_pid_ns_create(struct ckpt_ctx *ctx, u32 nr)
{
	struct ckpt_ns *ns = &ctx->ns[nr - 1];
	struct ckpt_ns *above = ckpt_ns_at(ctx, ns->rec.parent, CKPT_NS_PID);
	struct ckpt_ns *owner = ckpt_ns_at(ctx, ns->rec.owner, CKPT_NS_USER);
	struct user_namespace *user = owner ? owner->user : ctx->userns;
	int ret = -EPERM;

	if (ns_capable(user, CAP_SYS_ADMIN)) {
		ns->pid = checkpoint_create_pid_ns(user, above ? above->pid : ctx->pidns);
		ret = PTR_ERR_OR_ZERO(ns->pid);
		if (ret)
			ns->pid = NULL;
	}
	if (!ret) {
		ns->nsproxy = checkpoint_nsproxy(ns->pid);
		ret = PTR_ERR_OR_ZERO(ns->nsproxy);
		if (ret)
			ns->nsproxy = NULL;
	}
	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL),
			   ret == -EPERM ? CKPT_WHY_PERMISSION : CKPT_WHY_NAMESPACE, ret,
			   "the caller cannot make a pid namespace of the tree again");
	return ret;
}

/**
 * ckpt_pid_ns_use - let the next tasks that current creates be in a pid namespace
 * @ctx: context of a restart
 * @nr: number of the namespace, 0: the caller's
 *
 * Return: what current had, with a reference, for ckpt_pid_ns_back().
 */
struct nsproxy *ckpt_pid_ns_use(struct ckpt_ctx *ctx, u32 nr)
{
	struct nsproxy *old = current->nsproxy;
	struct nsproxy *new = nr ? ctx->ns[nr - 1].nsproxy : ctx->nsproxy;

	get_nsproxy(old);
	if (new != old) {
		get_nsproxy(new);
		switch_task_namespaces(current, new);
	}
	return old;
}

/**
 * ckpt_pid_ns_back - end what ckpt_pid_ns_use() has begun
 * @old: what it returned
 */
void ckpt_pid_ns_back(struct nsproxy *old)
{
	if (current->nsproxy != old)
		switch_task_namespaces(current, old);
	else
		put_nsproxy(old);
}

/**
 * ckpt_pid_ns_has_ended - does a pid namespace take no tasks any more?
 * @ctx: context of a restart
 * @nr: its number, 0: the caller's
 *
 * Return: true when its init process was killed, after which clone(2) fails with ENOMEM.
 */
bool ckpt_pid_ns_has_ended(struct ckpt_ctx *ctx, u32 nr)
{
	struct nsproxy *proxy = nr ? ctx->ns[nr - 1].nsproxy : ctx->nsproxy;

	return !(READ_ONCE(proxy->pid_ns_for_children->pid_allocated) & PIDNS_ADDING);
}

/**
 * ckpt_pid_numbers - numbers for a pid that is about to be allocated
 * @ctx: context of a restart
 * @pid: number of a task, group or session in the image
 * @set: filled from the innermost namespace outwards, as alloc_pid() takes them
 * @ns: number of its pid namespace
 *
 * With fresh pids only the caller's namespace gives one: the others are as new
 * as the pids in them.
 *
 * Return: how many.
 */
size_t ckpt_pid_numbers(struct ckpt_ctx *ctx, u32 pid, pid_t set[CKPT_PID_LEVELS], u32 *ns)
{
	u32 nr;
	const struct ckpt_rec_pid *rec = numbers_of(ctx, pid, &nr);
	size_t count = 0;

	*ns = nr ? rec[nr - 1].ns : 0;
	for (; nr && count < MAX_PID_NS_LEVEL; nr--)
		set[count++] = rec[nr - 1].nr;
	if (!(ctx->flags & RESTART_NEW_PIDS))
		set[count++] = pid;
	return count;
}

/**
 * ckpt_pid_of_child - number that a child has for the caller of restart()
 * @ctx: context of a restart
 * @nr: its number for current, which has just created it
 *
 * Return: the number; 0: it is gone.
 */
pid_t ckpt_pid_of_child(struct ckpt_ctx *ctx, pid_t nr)
{
	pid_t found;

	if (task_active_pid_ns(current) == ctx->pidns)
		return nr;
	rcu_read_lock();
	found = pid_nr_ns(find_vpid(nr), ctx->pidns);
	rcu_read_unlock();
	return found;
}

/**
 * ckpt_pid_for_current - number that a pid has for current
 * @ctx: context of a restart
 * @nr: its number for the caller
 *
 * Return: the number; 0: it is gone, or not visible.
 */
pid_t ckpt_pid_for_current(struct ckpt_ctx *ctx, pid_t nr)
{
	pid_t found;

	rcu_read_lock();
	found = pid_vnr(find_pid_ns(nr, ctx->pidns));
	rcu_read_unlock();
	return found;
}

/**
 * ckpt_pid_ns_commit - let new pids go on from where they were
 * @ctx: context of a restart that succeeds
 */
void ckpt_pid_ns_commit(struct ckpt_ctx *ctx)
{
	u32 i;

	for (i = 0; i < ctx->nr_ns; i++)
		if (ctx->ns[i].pid)
			idr_set_cursor(&ctx->ns[i].pid->idr, ctx->ns[i].rec.next_pid);
}

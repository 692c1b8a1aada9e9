// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shape of a tree while it is saved: which processes belong to it, their
 * order, and the ids that tie them together. tree_restart.c makes it again.
 */
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/tty.h>

#include "internal.h"

static struct task_struct *parent_of(struct task_struct *p)
{
	return rcu_dereference_protected(p->real_parent, lockdep_tasklist_lock_is_held());
}

/* First child of a thread of the list that starts at @thread. */
static struct task_struct *first_child(struct task_struct *thread)
{
	for (; thread; thread = __next_thread(thread))
		if (!list_empty(&thread->children))
			return list_first_entry(&thread->children, struct task_struct, sibling);
	return NULL;
}

static struct task_struct *first_thread(struct task_struct *p)
{
	return list_first_entry_or_null(&p->signal->thread_head, struct task_struct,
					thread_node);
}

/**
 * ckpt_next_process - walk over the processes of a tree, parents first
 * @ctx: context of a save
 * @root: leader of the root process
 * @p: leader of a process of the tree
 *
 * Siblings come in the order in which they were created.
 *
 * Context: tasklist_lock is held.
 * Return: leader of the next process, or NULL.
 */
struct task_struct *ckpt_next_process(struct ckpt_ctx *ctx, struct task_struct *root,
				      struct task_struct *p)
{
	struct task_struct *parent, *child;

	if (ctx->flags & CHECKPOINT_ONLY)
		return NULL;
	child = first_child(first_thread(p));
	while (!child && p != root) {
		parent = parent_of(p);
		child = list_is_last(&p->sibling, &parent->children) ?
			first_child(__next_thread(parent)) : list_next_entry(p, sibling);
		p = parent->group_leader;
	}
	return child;
}

/* Puts the known threads of a process in order; -EAGAIN: there is an unknown one. */
static int order_process(struct ckpt_ctx *ctx, struct task_struct *p,
			 struct ckpt_task **sorted, u32 *nr)
{
	struct ckpt_task *leader = xa_load(&ctx->task_index, p->pid), *t;
	struct task_struct *thread;

	/* A child that its parent leaves to itself ends without a trace. */
	if (!leader)
		return p->exit_state == EXIT_DEAD ? 0 : -EAGAIN;
	leader->leader = leader;
	leader->main = leader->dead ? NULL : leader;
	leader->nr_threads = 0;
	leader->index = *nr;
	sorted[(*nr)++] = leader;
	for_each_thread(p, thread) {
		if (ckpt_is_io_worker(thread))
			continue;
		t = xa_load(&ctx->task_index, thread->pid);
		/* One that exits still writes to its memory until it is dead. */
		if (!t && thread != p && thread->exit_state)
			continue;
		if (!t)
			return -EAGAIN;
		leader->nr_threads++;
		if (t == leader)
			continue;
		t->leader = leader;
		t->index = *nr;
		leader->main = leader->main ?: t;
		sorted[(*nr)++] = t;
	}
	ctx->nr_processes++;
	return 0;
}

static int order_all(struct ckpt_ctx *ctx, struct task_struct *root,
		     struct ckpt_task **sorted, u32 *nr)
{
	struct task_struct *p;
	int ret = 0;

	ctx->nr_processes = 0;
	read_lock(&tasklist_lock);
	for (p = root; p && !ret; p = ckpt_next_process(ctx, root, p))
		ret = order_process(ctx, p, sorted, nr);
	read_unlock(&tasklist_lock);
	return ret;
}

/* A zombie has been waited for; a process has got a parent outside. */
static int is_lost(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	if (t->dead)
		return -EAGAIN;
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, -EBUSY,
			  "has left the tree while it was being stopped");
}

/**
 * ckpt_tree_order - put a stopped tree in order
 * @ctx: context of a save; its tasks are in the order in which they were found
 * @root: leader of the root process
 *
 * Afterwards the root is first, parents are before their children, and each
 * leader is directly before its threads.
 *
 * Return: 0; -EAGAIN: there are others in it now; -EBUSY: some have left it,
 * reported; -ENOMEM.
 */
int ckpt_tree_order(struct ckpt_ctx *ctx, struct task_struct *root)
{
	struct ckpt_task **sorted;
	u32 nr = 0, i;
	int ret;

	sorted = kvmalloc_array(ctx->cap_tasks, sizeof(*sorted), GFP_KERNEL_ACCOUNT);
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < ctx->nr_tasks; i++)
		ctx->tasks[i]->index = U32_MAX;
	ret = order_all(ctx, root, sorted, &nr);
	for (i = 0; i < ctx->nr_tasks && !ret && nr < ctx->nr_tasks; i++)
		if (ctx->tasks[i]->index == U32_MAX)
			ret = is_lost(ctx, ctx->tasks[i]);
	if (ret) {
		kvfree(sorted);
		return ret;
	}
	kvfree(ctx->tasks);
	ctx->tasks = sorted;
	return 0;
}

/**
 * ckpt_next_leader - walk over the processes of a context
 * @ctx: context, its tasks in order
 * @t: leader of a process, NULL: start
 *
 * Return: leader of the next process, or NULL.
 */
struct ckpt_task *ckpt_next_leader(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	u32 next = t ? t->index + t->nr_threads : 0;

	return next < ctx->nr_tasks ? ctx->tasks[next] : NULL;
}

static bool in_tree(struct ckpt_ctx *ctx, struct task_struct *task)
{
	return xa_load(&ctx->task_index, task->pid);
}

/*
 * Does a group or session belong to the tree? It does if its leader does; one
 * that has lost its leader, if all its members do.
 */
static bool is_inside(struct ckpt_ctx *ctx, struct pid *pid, enum pid_type type)
{
	struct task_struct *task = pid_task(pid, PIDTYPE_TGID);
	bool inside = true;

	if (task)
		return in_tree(ctx, task);
	do_each_pid_task(pid, type, task) {
		if (!in_tree(ctx, task))
			inside = false;
	} while_each_pid_task(pid, type, task);
	return inside;
}

/**
 * ckpt_pid_inside - does a group or session belong to the tree?
 * @ctx: context of a save
 * @pid: the group or session, referenced
 * @type: PIDTYPE_PGID or PIDTYPE_SID
 *
 * Return: true if it does.
 */
bool ckpt_pid_inside(struct ckpt_ctx *ctx, struct pid *pid, enum pid_type type)
{
	bool ret;

	read_lock(&tasklist_lock);
	ret = is_inside(ctx, pid, type);
	read_unlock(&tasklist_lock);
	return ret;
}

/**
 * ckpt_group_is_inside - does a process group belong to the tree?
 * @ctx: context of a save
 * @pid: the group; it has members
 *
 * Return: true if it does, and some process of the tree is in it.
 */
bool ckpt_group_is_inside(struct ckpt_ctx *ctx, struct pid *pid)
{
	struct task_struct *task;
	bool member = false;

	read_lock(&tasklist_lock);
	do_each_pid_task(pid, PIDTYPE_PGID, task) {
		member |= in_tree(ctx, task);
	} while_each_pid_task(pid, PIDTYPE_PGID, task);
	member = member && is_inside(ctx, pid, PIDTYPE_PGID);
	read_unlock(&tasklist_lock);
	return member;
}

/* Number of the group or session if it is inside of the tree, else 0. */
static u32 inside_nr(struct ckpt_ctx *ctx, struct task_struct *task, enum pid_type type)
{
	struct pid *pid = type == PIDTYPE_SID ? task_session(task) : task_pgrp(task);

	return pid && is_inside(ctx, pid, type) ? pid_nr_ns(pid, ctx->pidns) : 0;
}

/* What of a process cannot be told from its ids alone. */
static void collect_process(struct ckpt_ctx *ctx, struct ckpt_task *t,
			    struct pid *outside_group, struct pid *outside_session)
{
	struct task_struct *task = t->task;
	bool own_session, own_group, other, terminal;

	read_lock(&tasklist_lock);
	own_session = inside_nr(ctx, task, PIDTYPE_SID);
	own_group = inside_nr(ctx, task, PIDTYPE_PGID);
	other = (!own_session && task_session(task) != outside_session) ||
		(!own_group && task_pgrp(task) != outside_group);
	terminal = READ_ONCE(task->signal->tty);
	read_unlock(&tasklist_lock);
	if (own_session && !own_group)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SESSION,
			      "is in a process group that is led from outside of the tree");
	else if (other)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SESSION,
			      "is in another session or process group outside of the tree than others");
	if (terminal)
		ckpt_terminal_collect(ctx, t, own_session);
}

/**
 * ckpt_tree_collect - look for ties between processes that cannot be saved
 * @ctx: context of a save, its tasks in order
 */
void ckpt_tree_collect(struct ckpt_ctx *ctx)
{
	struct pid *group = NULL, *session = NULL;
	struct ckpt_task *t;

	/* All that lead outside become the restarter's: they must be one. */
	read_lock(&tasklist_lock);
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t)) {
		if (!session && !inside_nr(ctx, t->task, PIDTYPE_SID))
			session = task_session(t->task);
		if (!group && !inside_nr(ctx, t->task, PIDTYPE_PGID))
			group = task_pgrp(t->task);
	}
	read_unlock(&tasklist_lock);
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		collect_process(ctx, t, group, session);
}

/**
 * ckpt_mm_owner - first process that has an address space
 * @ctx: context of a save
 * @leader: process that has it
 * @mm: the address space
 *
 * Return: the process, perhaps @leader itself, or an ERR_PTR().
 */
struct ckpt_task *ckpt_mm_owner(struct ckpt_ctx *ctx, struct ckpt_task *leader,
				struct mm_struct *mm)
{
	unsigned long key = (unsigned long)mm >> 3;
	int ret = xa_insert(&ctx->mm_index, key, leader, GFP_KERNEL_ACCOUNT);

	if (ret == -EBUSY)
		return xa_load(&ctx->mm_index, key);
	return ret ? ERR_PTR(ret) : leader;
}

static int fill_mm_owner(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_task *rec)
{
	struct ckpt_task *owner;
	struct mm_struct *mm;

	if (!t->main)
		return 0;
	task_lock(t->main->task);
	mm = t->main->task->mm;
	task_unlock(t->main->task);
	owner = ckpt_mm_owner(ctx, t, mm);
	if (IS_ERR(owner))
		return PTR_ERR(owner);
	if (owner != t)
		rec->mm_owner = task_tgid_nr_ns(owner->task, ctx->pidns);
	return 0;
}

/* As wait(2) tells it: what ended the group, or the leader alone. */
static u32 exit_status(struct task_struct *task)
{
	return task->signal->flags & SIGNAL_GROUP_EXIT ? task->signal->group_exit_code :
							 task->exit_code;
}

static void fill_leader(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_task *rec)
{
	struct task_struct *task = t->task;
	struct task_struct *parent;

	read_lock(&tasklist_lock);
	parent = parent_of(task);
	rec->pgid = inside_nr(ctx, task, PIDTYPE_PGID);
	rec->sid = inside_nr(ctx, task, PIDTYPE_SID);
	if (rec->pgid && !rec->sid && ckpt_has_foreground(task))
		rec->flags |= CKPT_TASKF_FOREGROUND;
	if (t->index) {
		rec->parent = task_pid_nr_ns(parent, ctx->pidns);
		rec->exit_signal = task->exit_signal;
		if (task->parent_exec_id != READ_ONCE(parent->self_exec_id))
			rec->flags |= CKPT_TASKF_PARENT_EXEC;
		if (READ_ONCE(task->vfork_done))
			rec->flags |= CKPT_TASKF_VFORK;
	}
	read_unlock(&tasklist_lock);
}

static int fill_task(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_task *rec)
{
	rec->tid = task_pid_nr_ns(t->task, ctx->pidns);
	rec->tgid = task_tgid_nr_ns(t->task, ctx->pidns);
	ckpt_ns_of_task(ctx, t, rec);
	rec->cgroup = t->cgroup;
	if (t->task->flags & PF_FORKNOEXEC)
		rec->flags |= CKPT_TASKF_NO_EXEC;
	if (t->dead) {
		rec->flags |= CKPT_TASKF_DEAD;
		rec->exit_code = t->main ? t->task->exit_code : exit_status(t->task);
	}
	if (t != t->leader)
		return 0;
	fill_leader(ctx, t, rec);
	return fill_mm_owner(ctx, t, rec);
}

/**
 * ckpt_tree_save - write the ids of all tasks
 * @ctx: context of a save, its tasks in order
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tree_save(struct ckpt_ctx *ctx)
{
	struct ckpt_rec_tree tree = {
		.nr_tasks = ctx->nr_tasks,
		.nr_processes = ctx->nr_processes,
		.nr_namespaces = ctx->nr_ns,
		.nr_cgroups = ctx->nr_cgroups,
	};
	struct ckpt_rec_task *tasks;
	int ret = 0;
	u32 i;

	tasks = kvcalloc(ctx->nr_tasks, sizeof(*tasks), GFP_KERNEL_ACCOUNT);
	if (!tasks)
		return -ENOMEM;
	for (i = 0; i < ctx->nr_tasks && !ret; i++)
		ret = fill_task(ctx, ctx->tasks[i], &tasks[i]);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_TREE, 0, sizeof(tree), &tree, sizeof(tree),
					tasks, ctx->nr_tasks * sizeof(*tasks));
	if (!ret)
		ret = ckpt_ns_save(ctx, tasks);
	if (!ret)
		ret = ckpt_cgroup_save(ctx);
	kvfree(tasks);
	return ret;
}

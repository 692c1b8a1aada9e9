// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shape of a tree while it is restarted. All processes are made as children
 * of the caller, which can end them there without a trace. Only when all of them
 * are complete are they tied together: zombies exit, everyone gets its parent,
 * process group and session. Nothing of that can fail.
 */
#include <linux/err.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <linux/wait.h>

#include "internal.h"

/* A process group or session that has lost its leader, but not its number. */
struct lost {
	struct pid *pid;
	u32 session;	/* of the group's members */
};

static int damaged(struct ckpt_ctx *ctx, const struct ckpt_rec_task *rec, const char *what)
{
	return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image has a tree in which task %u %s", rec->tid, what);
}

static struct ckpt_task *find(struct ckpt_ctx *ctx, u32 tid)
{
	return xa_load(&ctx->task_index, tid);
}

/* Adds a task; the image has it directly behind its leader. */
static int add_task(struct ckpt_ctx *ctx, const struct ckpt_rec_task *rec)
{
	struct ckpt_task *t = ckpt_add_task(ctx, NULL);
	int ret;

	if (IS_ERR(t))
		return PTR_ERR(t);
	t->rec = rec;
	t->dead = rec->flags & CKPT_TASKF_DEAD;
	t->leader = rec->tid == rec->tgid ? t : ctx->tasks[t->index - 1]->leader;
	t->leader->nr_threads++;
	if (!t->dead && !t->leader->main)
		t->leader->main = t;
	ret = xa_insert(&ctx->task_index, rec->tid, t, GFP_KERNEL_ACCOUNT);
	return ret == -EBUSY ? damaged(ctx, rec, "is there twice") : ret;
}

static int find_parent(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	t->parent = find(ctx, t->rec->parent);
	if (!t->parent || t->parent->index >= t->index || t->parent->dead ||
	    !ckpt_ns_below(ctx, t->rec->pid_ns, t->parent->rec->pid_ns, CKPT_NS_PID))
		return damaged(ctx, t->rec, "has an impossible parent");
	if (!(t->rec->flags & CKPT_TASKF_VFORK))
		return 0;
	if (t->dead || t->parent->vfork_child)
		return damaged(ctx, t->rec, "is waited for in an impossible vfork()");
	t->parent->vfork_child = t;
	return 0;
}

static int find_mm_owner(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_task *owner = find(ctx, t->rec->mm_owner);

	if (!owner || owner->index >= t->index || owner != owner->leader || !owner->main ||
	    owner->rec->mm_owner || !t->main ||
	    !ckpt_ns_below(ctx, t->rec->pid_ns, owner->rec->pid_ns, CKPT_NS_PID))
		return damaged(ctx, t->rec, "has an impossible address space");
	t->next_sharer = owner->sharers;
	owner->sharers = t;
	return 0;
}

static int find_relations(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	int ret = 0;

	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t)) {
		if (t->index)
			ret = find_parent(ctx, t);
		else if (!t->main)
			ret = damaged(ctx, t->rec, "is the root, but dead");
		if (!ret && t->rec->mm_owner)
			ret = find_mm_owner(ctx, t);
	}
	return ret;
}

/**
 * ckpt_tree_read - read the ids of all tasks
 * @ctx: context of a restart
 * @pid: 0, or what the root's process id must be
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_tree_read(struct ckpt_ctx *ctx, pid_t pid)
{
	const struct ckpt_rec_task *rec;
	struct ckpt_rec_tree *tree;
	int ret;
	u32 i;

	ret = ckpt_next_record(ctx, &ctx->tree);
	if (ret)
		return ret;
	if (ctx->tree->type != CKPT_REC_TREE)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has no tree of tasks");
	tree = ckpt_rec_data(ctx->tree);
	rec = ckpt_rec_tail(ctx->tree);
	if (pid && pid != rec->tid)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_OTHER, -EINVAL,
				  "the image is of process %u, not of %d", rec->tid, pid);
	for (i = 0; i < tree->nr_tasks && !ret; i++)
		ret = add_task(ctx, rec + i);
	ctx->nr_processes = tree->nr_processes;
	atomic_set(&ctx->nr_busy, ctx->nr_tasks);
	if (!ret)
		ret = ckpt_ns_read(ctx, tree->nr_namespaces);
	if (!ret)
		ret = ckpt_cgroup_read(ctx, tree->nr_cgroups);
	return ret ?: find_relations(ctx);
}

static struct lost *add_lost(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 nr)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(CKPT_PID_WAIT_MS);
	struct lost *lost = kzalloc(sizeof(*lost), GFP_KERNEL_ACCOUNT);
	pid_t set[CKPT_PID_LEVELS];
	int ret = -ENOMEM;
	size_t count;
	u32 ns;

	if (!lost)
		return ERR_PTR(ret);
	count = ckpt_pid_numbers(ctx, nr, set, &ns);
	do {
		lost->pid = alloc_pid(ns ? ctx->ns[ns - 1].pid : ctx->pidns,
				      count ? set : NULL, count);
	} while (lost->pid == ERR_PTR(-EEXIST) && ckpt_wait_pid(nr, deadline));
	if (IS_ERR(lost->pid)) {
		ret = PTR_ERR(lost->pid);
	} else {
		ret = xa_insert(&ctx->lost_pids, nr, lost, GFP_KERNEL_ACCOUNT);
		if (!ret)
			return lost;
		free_pid(lost->pid);
	}
	kfree(lost);
	ckpt_error(ctx, CKPT_AT(t), ret == -EEXIST ? CKPT_WHY_PID_IN_USE : CKPT_WHY_LIMIT, ret,
		   "the process group or session %u cannot be made", nr);
	return ERR_PTR(ret);
}

/* Finds the process group with this number, or the session itself. */
static int resolve(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 nr, u32 session,
		   struct pid **pid)
{
	struct ckpt_task *leader = find(ctx, nr);
	struct lost *lost;

	if (leader) {
		if (leader != leader->leader || leader->rec->sid != session)
			return damaged(ctx, t->rec, "is in an impossible session");
		*pid = get_task_pid(leader->task, PIDTYPE_TGID);
		return *pid ? 0 : -ESRCH;
	}
	lost = xa_load(&ctx->lost_pids, nr) ?: add_lost(ctx, t, nr);
	if (IS_ERR(lost))
		return PTR_ERR(lost);
	/* A group without a session of the tree is in the caller's. */
	session = session ?: U32_MAX;
	if (!lost->session)
		lost->session = session;
	if (lost->session != session)
		return damaged(ctx, t->rec, "is in an impossible process group");
	*pid = get_pid(lost->pid);
	return 0;
}

/**
 * ckpt_tree_prepare - find or make the process groups and sessions of the tree
 * @ctx: context of a restart, all tasks parked
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_tree_prepare(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	int ret = 0;

	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t)) {
		if (t->rec->sid)
			ret = resolve(ctx, t, t->rec->sid, t->rec->sid, &t->session);
		if (!ret && t->rec->pgid)
			ret = resolve(ctx, t, t->rec->pgid, t->rec->sid, &t->group);
	}
	return ret ?: ckpt_terminals_prepare(ctx);
}

/**
 * ckpt_session_group - find or make a process group of the session of a process
 * @ctx: context of a restart
 * @t: leader of the process
 * @nr: number of the group
 * @pid: gets a reference to it
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_session_group(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 nr, struct pid **pid)
{
	return resolve(ctx, t, nr, t->rec->sid, pid);
}

/**
 * ckpt_tree_group - process group of the tree
 * @ctx: context of a restart, prepared
 * @nr: its number in the image
 *
 * Return: the group, referenced, or NULL: no process will be in it.
 */
struct pid *ckpt_tree_group(struct ckpt_ctx *ctx, u32 nr)
{
	struct ckpt_task *t;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (t->rec->pgid == nr)
			return get_pid(t->group);
	return NULL;
}

/**
 * ckpt_tree_bury - let those that were dead exit
 * @ctx: context of a restart, prepared
 *
 * They are still children of the caller, and send it no signal.
 */
void ckpt_tree_bury(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (!t->dead)
			continue;
		/* Another thread of the caller may wait for it, and its pid is gone. */
		t->pid = t->pid ?: get_task_pid(t->task, PIDTYPE_PID);
		WRITE_ONCE(t->bury, true);
		wake_up_process(t->task);
	}
	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (!t->dead)
			continue;
		/* Only the end of the whole process wakes those who wait for it. */
		while (t->pid && !wait_event_timeout(t->pid->wait_pidfd,
						     READ_ONCE(t->task->exit_state), 1))
			;
		/* Until its last switch of context it uses processor time. */
		while (!wait_task_inactive(t->task, TASK_DEAD))
			schedule_timeout_uninterruptible(1);
	}
}

/* May links be changed? Not those of one that was killed, and waited for, meanwhile. */
static bool is_linked(struct task_struct *task)
{
	return task->exit_state != EXIT_DEAD && task->sighand;
}

static void set_parent(struct ckpt_task *t)
{
	struct task_struct *task = t->task, *parent = t->parent->task, *thread;
	struct signal_struct *up = parent->signal;

	task->exit_signal = t->rec->exit_signal;
	if (parent->exit_state || !is_linked(parent))
		return;
	for_each_thread(task, thread) {
		rcu_assign_pointer(thread->real_parent, parent);
		rcu_assign_pointer(thread->parent, parent);
	}
	list_move_tail(&task->sibling, &parent->children);
	task->parent_exec_id = parent->self_exec_id -
			       !!(t->rec->flags & CKPT_TASKF_PARENT_EXEC);
	task->signal->has_child_subreaper = up->has_child_subreaper || up->is_child_subreaper;
}

/*
 * A number dies with its last task: that of a leader who was killed, and waited
 * for, meanwhile cannot be given to others any more.
 */
static bool is_alive(struct ckpt_ctx *ctx, struct pid *pid)
{
	struct lost *lost;
	unsigned long nr;

	if (pid_has_task(pid, PIDTYPE_TGID) || pid_has_task(pid, PIDTYPE_PGID) ||
	    pid_has_task(pid, PIDTYPE_SID))
		return true;
	xa_for_each(&ctx->lost_pids, nr, lost)
		if (lost->pid == pid)
			return true;
	return false;
}

static void set_session(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct task_struct *task = t->task;
	const struct ckpt_rec_process *p = ckpt_rec_data(t->process);

	if (t->session && task_session(task) != t->session && is_alive(ctx, t->session))
		change_pid(task, PIDTYPE_SID, t->session);
	if (t->group && task_pgrp(task) != t->group && is_alive(ctx, t->group))
		change_pid(task, PIDTYPE_PGID, t->group);
	if (t->session || !(p->flags & CKPT_PROC_TERMINAL))
		proc_clear_tty(task);
	if (t->rec->sid == t->rec->tid && t->main)
		task->signal->leader = 1;
}

/**
 * ckpt_tree_tie - give all processes their parents, groups and sessions
 * @ctx: context of a restart, prepared, the dead buried
 */
void ckpt_tree_tie(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	struct lost *lost;
	unsigned long nr;

	write_lock_irq(&tasklist_lock);
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t)) {
		if (!is_linked(t->task))
			continue;
		if (t->parent)
			set_parent(t);
		else
			t->task->exit_signal = SIGCHLD;
		set_session(ctx, t);
		if (t->rec->flags & CKPT_TASKF_VFORK)
			t->task->vfork_done = &t->parent->vfork;
	}
	/* From its first member on a number lives and dies with the members. */
	xa_for_each(&ctx->lost_pids, nr, lost) {
		if (!pid_has_task(lost->pid, PIDTYPE_PGID) &&
		    !pid_has_task(lost->pid, PIDTYPE_SID))
			free_pid(lost->pid);
		lost->pid = NULL;
	}
	write_unlock_irq(&tasklist_lock);
}

/**
 * ckpt_tree_forget - drop numbers that nobody has got
 * @ctx: context
 */
void ckpt_tree_forget(struct ckpt_ctx *ctx)
{
	struct lost *lost;
	unsigned long nr;

	xa_for_each(&ctx->lost_pids, nr, lost) {
		if (lost->pid)
			free_pid(lost->pid);
		kfree(lost);
	}
	xa_destroy(&ctx->lost_pids);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * restart(): the caller reads the header and the tree and creates all processes
 * as its children. Each reads its own records when its turn comes, creates its
 * threads, builds itself in its own context, so that the ordinary permission
 * checks apply to it, and parks. When all are parked the caller reads the
 * trailer, sets registers and commits: see tree_restart.c. Nothing runs in user
 * mode before everything has succeeded; otherwise all are killed and reaped.
 */
#include <linux/checkpoint_state.h>
#include <linux/binfmts.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/wait.h>
#include <uapi/linux/wait.h>

#include <asm/unistd.h>

#include "internal.h"

/* How often the caller looks whether the tree is still alive. */
#define POLL_MS		50

/**
 * ckpt_next_record - read a record, and name what is wrong with the image
 * @ctx: context of a restart
 * @recp: the record, released with ckpt_free_record()
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, reported.
 */
int ckpt_next_record(struct ckpt_ctx *ctx, struct ckpt_rec **recp)
{
	struct ckpt_reader *r = &ctx->reader;
	int ret;

	r->why = "reading it failed";
	ret = ckpt_read_record(r, recp);
	if (!ret)
		return 0;
	return ckpt_error(ctx, CKPT_AT(NULL),
			  ret == -ENOEXEC ? CKPT_WHY_MISMATCH : CKPT_WHY_IMAGE, ret,
			  "the image, at offset %llu: %s", r->offset, r->why);
}

/**
 * ckpt_read_padding_reported - skip the zero bytes before page data
 * @ctx: context of a restart
 * @t: task of which it is, whose turn it is to read
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, reported.
 */
int ckpt_read_padding_reported(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	if (!ckpt_read_padding(&ctx->reader))
		return 0;
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image, at offset %llu: bad space before page data",
			  ctx->reader.offset);
}

/**
 * ckpt_count_time - add to a figure to which several tasks add
 * @ctx: context of a restart
 * @sum: the figure
 * @start: when it began
 */
void ckpt_count_time(struct ckpt_ctx *ctx, __u64 *sum, ktime_t start)
{
	u64 ns = ktime_to_ns(ktime_sub(ktime_get(), start));

	spin_lock(&ctx->log_lock);
	*sum += ns;
	spin_unlock(&ctx->log_lock);
}

/**
 * ckpt_restore_fail - a task cannot be built
 * @ctx: context
 * @t: the task
 * @err: negative errno
 *
 * The first error is the one that restart() returns.
 *
 * Return: @err.
 */
int ckpt_restore_fail(struct ckpt_ctx *ctx, struct ckpt_task *t, int err)
{
	spin_lock(&ctx->log_lock);
	if (!ctx->error)
		ctx->error = err;
	spin_unlock(&ctx->log_lock);
	wake_up(&ctx->wait);
	return err;
}

/* In the new task: nothing but SIGKILL may disturb it from now on. */
static int enter(struct ckpt_task *t)
{
	sigset_t all;
	int ret;

	t->task = get_task_struct(current);
	sigfillset(&all);
	set_current_blocked(&all);
	ret = ckpt_claim(t);
	if (ret)
		ckpt_error(t->ctx, CKPT_AT(t), CKPT_WHY_CHANGED, ret,
			   "another checkpoint or restart has this task");
	return ret;
}

/* What fails without a message of its own has at least a name. */
static int cannot_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, const char *what, int err)
{
	return ckpt_unexplained(ctx, CKPT_AT(t),
				err == -EBADMSG ? CKPT_WHY_IMAGE : CKPT_WHY_OTHER, err,
				"cannot be restored: %s", what);
}

static int leave(struct ckpt_task *t, int err)
{
	if (err) {
		/* What fails in a task that is being killed says nothing of the image. */
		if (fatal_signal_pending(current))
			err = -EINTR;
		cannot_restore(t->ctx, t, "one of its threads", err);
		ckpt_restore_fail(t->ctx, t, err);
		do_group_exit(SIGKILL);
	}
	/* Files to be closed: one that ends while it is parked runs no other work. */
	task_work_run();
	ckpt_park_new(t);
	return 0;
}

static int restart_leader(void *arg);

static int restart_thread(void *arg)
{
	struct ckpt_task *t = arg;
	int ret = enter(t);

	if (!ret) {
		ckpt_arrive(t->ctx);
		ret = ckpt_thread_apply(t->ctx, t);
	}
	return leave(t, ret);
}

static int create_task(struct ckpt_task *t, u64 flags, int (*fn)(void *))
{
	unsigned long deadline = jiffies + msecs_to_jiffies(CKPT_PID_WAIT_MS);
	struct ckpt_ctx *ctx = t->ctx;
	pid_t set[CKPT_PID_LEVELS];
	struct kernel_clone_args args = {
		.flags = flags | CLONE_VM | CLONE_UNTRACED,
		.fn = fn,
		.fn_arg = t,
	};
	struct nsproxy *old;
	pid_t nr;
	u32 ns;

	args.set_tid_size = ckpt_pid_numbers(ctx, t->rec->tid, set, &ns);
	if (args.set_tid_size)
		args.set_tid = set;
	nr = ckpt_cgroup_enter(t, &args);
	if (nr)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, nr,
				  "no descriptor is left for the cgroup");
	old = ckpt_pid_ns_use(ctx, ns);
	do {
		nr = kernel_clone(&args);
	} while (nr == -EEXIST && ckpt_wait_pid(t->rec->tid, deadline));
	ckpt_pid_ns_back(old);
	ckpt_cgroup_leave(&args);
	if (nr > 0) {
		t->pid = find_get_pid(nr);
		WRITE_ONCE(t->nr, ckpt_pid_of_child(ctx, nr));
		return 0;
	}
	if (nr == -EEXIST)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PID_IN_USE, nr,
				  "pid %u is in use", t->rec->tid);
	if (nr == -EPERM)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, nr,
				  "choosing pids takes CAP_CHECKPOINT_RESTORE; fresh pids do not");
	/* It was killed, or it has failed, and told so before it has ended. */
	if (nr == -ENOMEM && ckpt_pid_ns_has_ended(ctx, ns))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE,
				  READ_ONCE(ctx->error) ?: -ESRCH,
				  "the init process of its pid namespace has ended");
	if (args.flags & CLONE_INTO_CGROUP && nr != -EAGAIN && nr != -ENOMEM)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CGROUP, nr,
				  "cannot be created in its cgroup");
	if (nr == -ERESTARTNOINTR)
		nr = -EINTR;
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, nr, "cannot create a task");
}

static int create_threads(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	u32 i, end = leader->index + leader->nr_threads;
	int ret = 0;

	for (i = leader->index + 1; i < end && !ret; i++)
		ret = create_task(ctx->tasks[i], CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				  CLONE_THREAD | CLONE_SYSVSEM, restart_thread);
	return ret;
}

/*
 * An init process must not create siblings, of which another would have to take
 * care: ours have the caller. Only SIGKILL reaches it now, which it gets anyway.
 */
static bool set_killable(bool killable)
{
	unsigned long flags;
	bool was;

	/* It is there as long as current runs. */
	lock_task_sighand(current, &flags);
	was = current->signal->flags & SIGNAL_UNKILLABLE;
	if (killable)
		current->signal->flags &= ~SIGNAL_UNKILLABLE;
	else
		current->signal->flags |= SIGNAL_UNKILLABLE;
	unlock_task_sighand(current, &flags);
	return was;
}

/* Processes with the address space of current, which is complete; the caller's children. */
static int create_sharers(struct ckpt_task *leader)
{
	bool init = set_killable(true);
	struct ckpt_task *t;
	int ret = 0;

	for (t = leader->sharers; t && !ret; t = t->next_sharer)
		ret = create_task(t, CLONE_PARENT, restart_leader);
	if (init)
		set_killable(false);
	return ret;
}

/**
 * ckpt_change_mm - give current another address space, as exec does
 * @mm: address space that nobody else uses; taken over on success
 *
 * Return: 0 or -EINTR.
 */
int ckpt_change_mm(struct mm_struct *mm)
{
	int ret;

	sched_mm_cid_before_execve(current);
	ret = checkpoint_exec_mmap(mm);
	sched_mm_cid_after_execve(current);
	/* Taken on success, against those who look at a process in between. */
	if (!ret)
		up_write(&current->signal->exec_update_lock);
	return ret;
}

/**
 * ckpt_clear_memory - leave the caller's memory behind
 *
 * Return: 0 or a negative errno.
 */
int ckpt_clear_memory(void)
{
	struct linux_binfmt *binfmt = current->mm->binfmt;
	struct mm_struct *mm = mm_alloc();
	int ret;

	if (!mm)
		return -ENOMEM;
	arch_pick_mmap_layout(mm, &current->signal->rlim[RLIMIT_STACK]);
	mm->task_size = current->mm->task_size;
	ret = ckpt_change_mm(mm);
	if (ret) {
		mmput(mm);
		return ret;
	}
	set_binfmt(binfmt);
	return 0;
}

static int clear_process(struct ckpt_task *leader)
{
	int ret = leader->rec->mm_owner ? 0 : ckpt_clear_memory();

	if (ret)
		return ret;
	/* The saved descriptors may be above the caller's soft limit. */
	task_lock(current->group_leader);
	current->signal->rlim[RLIMIT_NOFILE].rlim_cur =
		current->signal->rlim[RLIMIT_NOFILE].rlim_max;
	task_unlock(current->group_leader);
	return __close_range(0, UINT_MAX, 0);
}

/* The image has one process behind the other: so they are read. */
static int wait_turn(struct ckpt_task *leader)
{
	return wait_var_event_killable(&leader->turn, READ_ONCE(leader->turn));
}

static void pass_turn(struct ckpt_task *to)
{
	if (!to)
		return;
	/* Pairs with the other's reading of what is shared. */
	store_release_wake_up(&to->turn, true);
}

static int share(struct ckpt_ctx *ctx, struct ckpt_task *leader, struct ckpt_rec *rec)
{
	const struct ckpt_rec_use *use = ckpt_rec_data(rec);
	const struct ckpt_obj_ops *ops = ckpt_find_ops(use->type);
	void *obj = ops && ops->share ? ckpt_get_tag(ctx, use->tag, ops) : NULL;
	int ret = obj ? ops->share(ctx, leader, obj) : -EBADMSG;

	ckpt_free_record(rec);
	if (ret)
		ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, ret,
			   "the image has a process that shares what is not there");
	return ret;
}

/* Reads the records of one process; those of its threads are only kept. */
static int read_process(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	const struct ckpt_obj_ops *ops;
	struct ckpt_rec *rec;
	bool end = false;
	int ret;

	while (!end) {
		ret = ckpt_next_record(ctx, &rec);
		if (ret)
			return ret;
		ops = ckpt_find_ops(rec->type);
		if (ops) {
			ret = ops->restore(ctx, leader, rec);
			if (ret)
				return cannot_restore(ctx, leader, ops->name, ret);
			continue;
		}
		if (rec->type == CKPT_REC_USE) {
			ret = share(ctx, leader, rec);
			if (ret)
				return ret;
			continue;
		}
		end = rec->type == CKPT_REC_PROCESS_END;
		ret = end || rec->type == CKPT_REC_THREAD_END ? 0 :
		      ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				 "the image has a %s record in a wrong place",
				 ckpt_rec_name(rec->type));
		ckpt_free_record(rec);
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_complete(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	struct ckpt_task *t;
	u32 i;

	if (!leader->process || !leader->cred)
		return false;
	if (!leader->main && (leader->fds || leader->seen_fds || leader->seen_mm ||
			      leader->seen_fs || leader->seen_sighand))
		return false;
	if (leader->main && (!leader->seen_mm || !leader->seen_fs || !leader->seen_fds ||
			     !leader->seen_sighand))
		return false;
	for (i = leader->index; i < leader->index + leader->nr_threads; i++) {
		t = ctx->tasks[i];
		if (!t->thread || (!t->dead && (!t->nr_regsets || !t->attrs)))
			return false;
	}
	return true;
}

static u32 user_ns_of(struct ckpt_task *leader)
{
	const struct ckpt_rec_cred *c = ckpt_rec_data(leader->cred);

	return c->user_ns;
}

/*
 * Who is privileged in a user namespace must not have the root directory of
 * somebody outside: as clone(2), unshare(2) and setns(2).
 */
static bool may_share_fs(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	struct ckpt_task *t;

	if (!leader->shares_fs)
		return true;
	for (t = ctx->tasks[0]; t != leader; t = ckpt_next_leader(ctx, t))
		if (t->main && t->task && READ_ONCE(t->task->fs) == current->fs &&
		    user_ns_of(t) != user_ns_of(leader))
			return false;
	return true;
}

static int read_in_turn(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	int ret = wait_turn(leader);

	if (ret)
		return -EINTR;
	ret = read_process(ctx, leader);
	if (!ret && (!is_complete(ctx, leader) || !may_share_fs(ctx, leader)))
		ret = ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				 "the image lacks a part of a process, or has one that cannot be shared");
	if (!ret)
		pass_turn(ckpt_next_leader(ctx, leader));
	return ret;
}

static int build_process(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	int ret;

	ret = clear_process(leader);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_OTHER, ret,
				  "cannot make an empty process");
	ret = read_in_turn(ctx, leader);
	if (!ret && leader->mm_later)
		ret = ckpt_mm_build(ctx, leader);
	if (!ret)
		ret = create_threads(ctx, leader);
	if (!ret)
		ret = create_sharers(leader);
	if (!ret)
		ret = ckpt_join(ctx, leader);
	if (!ret)
		ret = ckpt_process_apply(ctx, leader);
	return ret ?: ckpt_thread_apply(ctx, leader);
}

static int restart_leader(void *arg)
{
	struct ckpt_task *t = arg;
	int ret = enter(t);

	if (!ret)
		ret = build_process(t->ctx, t);
	return leave(t, ret);
}

static int read_start(struct ckpt_ctx *ctx, pid_t pid)
{
	struct ckpt_rec_header *h;
	struct ckpt_rec *rec;
	u64 lacking;
	int ret;

	ret = ckpt_next_record(ctx, &rec);
	if (ret)
		return ret;
	h = ckpt_rec_data(rec);
	lacking = h->cpu_features & ~ckpt_arch_cpu_features();
	ckpt_free_record(rec);
	if (lacking)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_MISMATCH, -ENOEXEC,
				  "the image is of a processor with more features (0x%llx)",
				  lacking);
	return ckpt_tree_read(ctx, pid);
}

/* The trailer makes the image complete: without it nothing is restarted. */
static int read_end(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *rec;
	u32 type;
	int ret;

	do {
		ret = ckpt_next_record(ctx, &rec);
		if (ret)
			return ret;
		type = rec->type;
		ckpt_free_record(rec);
	} while (type == CKPT_REC_INDEX);
	if (type != CKPT_REC_TRAILER)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a %s record instead of its end",
				  ckpt_rec_name(type));
	ckpt_read_finish(ctx);
	return 0;
}

static bool all_parked(struct ckpt_ctx *ctx)
{
	return !atomic_read(&ctx->nr_busy);
}

/* One that dies where it cannot tell us is seen here. */
static struct ckpt_task *find_killed(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (READ_ONCE(t->task) && READ_ONCE(t->task->flags) & PF_EXITING && !t->dead)
			return t;
	return NULL;
}

static int wait_tree(struct ckpt_ctx *ctx, bool (*done)(struct ckpt_ctx *ctx))
{
	struct ckpt_task *killed;
	long ret;

	do {
		ret = wait_event_interruptible_timeout(ctx->wait,
						       done(ctx) || READ_ONCE(ctx->error),
						       msecs_to_jiffies(POLL_MS));
		if (ret < 0)
			return -EINTR;
		if (READ_ONCE(ctx->error))
			return ctx->error;
		killed = ret ? NULL : find_killed(ctx);
		if (killed)
			return ckpt_error(ctx, CKPT_AT(killed), CKPT_WHY_GONE, -ESRCH,
					  "was killed while it was being restarted");
	} while (!ret);
	return 0;
}

static int set_registers(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;
	int ret;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (READ_ONCE(t->state) != CKPT_TASK_PARKED ||
		    !wait_task_inactive(t->task, TASK_KILLABLE))
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH,
					  "was killed while it was being restarted");
		ret = t->dead ? 0 : ckpt_regset_apply(ctx, t) ?: ckpt_new_tid_finish(t);
		if (ret)
			return ret;
	}
	return 0;
}

/* From here on nothing can fail. */
static void commit(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;

	ckpt_tree_bury(ctx);
	ckpt_commit_dead(ctx);
	ckpt_tree_tie(ctx);
	ckpt_terminals_tie(ctx);
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (t->main)
			ckpt_process_commit(ctx, t);
	ckpt_commit_all(ctx);
	ckpt_pid_ns_commit(ctx);
	ckpt_outer_tie(ctx);
	/* The tree must not see references of ours. */
	ckpt_templates_free(ctx);
	ckpt_free_tags(ctx);
	ckpt_release(ctx, false);
}

static void kill_process(struct ckpt_task *t)
{
	/* Not by its number, which may be that of a stranger by now. */
	kill_pid(t->pid, SIGKILL, 1);
}

/* Will none of its threads run again, whoever has yet to wait for them? */
static bool is_over(struct ckpt_task *t)
{
	struct task_struct *task, *thread;
	bool over = true;

	rcu_read_lock();
	task = pid_task(t->pid, PIDTYPE_TGID);
	if (task)
		for_each_thread(task, thread)
			over = over && READ_ONCE(thread->exit_state);
	rcu_read_unlock();
	return over;
}

/* A tracer may keep a zombie; it must not keep a caller who was killed. */
static bool may_leave(struct ckpt_task *t)
{
	return fatal_signal_pending(current) && is_over(t);
}

static void reap_process(struct ckpt_task *t)
{
	if (!READ_ONCE(t->nr))
		return;
	/* It may have been created after the first round, by one that is dead now. */
	kill_process(t);
	/* A signal of ours must not leave a zombie behind. */
	while (kernel_wait4(t->nr, NULL, __WALL, NULL) == -ERESTARTSYS && !may_leave(t))
		schedule_timeout_uninterruptible(1);
	WRITE_ONCE(t->nr, 0);
}

static bool is_init(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	return t->rec->pid_ns && ctx->ns[t->rec->pid_ns - 1].init == t;
}

/* It may have created processes after the first round, for which it waits. */
static void reap_init(struct ckpt_task *init)
{
	struct ckpt_task *t;
	long ret;

	if (!READ_ONCE(init->nr))
		return;
	kill_process(init);
	do {
		for (t = init->sharers; t; t = t->next_sharer)
			reap_process(t);
		ret = kernel_wait4(init->nr, NULL, __WALL | WNOHANG, NULL);
		if (!ret || ret == -ERESTARTSYS)
			schedule_timeout_uninterruptible(1);
	} while ((!ret || ret == -ERESTARTSYS) && !may_leave(init));
	WRITE_ONCE(init->nr, 0);
}

/* All processes are still children of current. */
static void kill_tree(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (READ_ONCE(t->nr))
			kill_process(t);
	ckpt_release(ctx, true);
	/* Init waits until all numbers of its namespace are free: it comes last. */
	ckpt_tree_forget(ctx);
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (!is_init(ctx, t))
			reap_process(t);
	for (i = ctx->nr_ns; i--;)
		if (ctx->ns[i].init)
			reap_init(ctx->ns[i].init);
	ckpt_removed_dirs_forget(ctx);
	ckpt_free_tags(ctx);
}

/*
 * The init processes of pid namespaces come first: nobody else can be there
 * without. Those that share an address space are created by the first that has it.
 */
static int create_processes(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	int ret = 0;
	u32 i;

	for (i = 0; i < ctx->nr_ns && !ret; i++)
		if (ctx->ns[i].init)
			ret = create_task(ctx->ns[i].init, 0, restart_leader);
	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t))
		if (!t->rec->mm_owner && !is_init(ctx, t))
			ret = create_task(t, 0, restart_leader);
	return ret;
}

static long restart_tree(struct ckpt_ctx *ctx)
{
	ktime_t start = ktime_get();
	int ret;

	ctx->t_frozen = start;
	ckpt_wait_predecessors(ctx);
	pass_turn(ctx->tasks[0]);
	ret = ckpt_ns_create(ctx);
	if (!ret)
		ret = create_processes(ctx);
	ctx->stats.freeze_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	if (!ret)
		ret = wait_tree(ctx, ckpt_all_arrived);
	if (!ret)
		ret = ckpt_assemble(ctx);
	if (!ret)
		ret = wait_tree(ctx, all_parked);
	ctx->stats.save_ns = ktime_to_ns(ktime_sub(ktime_get(), start)) - ctx->stats.freeze_ns;
	if (!ret)
		ret = read_end(ctx);
	if (!ret)
		ret = set_registers(ctx);
	if (!ret)
		ret = ckpt_tree_prepare(ctx);
	if (!ret)
		ret = ckpt_states_apply(ctx);
	start = ktime_get();
	if (!ret)
		commit(ctx);
	else
		kill_tree(ctx);
	ctx->stats.release_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	ctx->stats.frozen_ns = ktime_to_ns(ktime_sub(ktime_get(), ctx->t_frozen));
	return ret ?: ctx->tasks[0]->nr;
}

/**
 * ckpt_do_restart - bring back a tree
 * @pid: 0, or the pid that the image's root must have
 * @file: image, open for reading
 * @log: where messages go, or NULL
 * @flags: RESTART_*, checked
 * @outside: what the caller has decided about the outside
 * @stats: filled
 *
 * Context: may sleep; no locks held.
 * Return: pid of the root, or a negative errno.
 */
long ckpt_do_restart(pid_t pid, struct file *file, struct file *log, unsigned long flags,
		     const struct ckpt_outside *outside, struct checkpoint_stats *stats)
{
	ktime_t start = ktime_get();
	struct ckpt_ctx *ctx;
	long ret;
	int i;

	ctx = ckpt_ctx_alloc(file, flags);
	if (!ctx)
		return -ENOMEM;
	ctx->outside = outside;
	ckpt_read_init(ctx);
	for (i = 0; i < ARRAY_SIZE(ctx->std); i++)
		ctx->std[i] = fget(i);
	if (ckpt_arch_is_compat(current))
		ret = ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_COMPAT, -ENOEXEC,
				 "the caller of restart() is a 32-bit program");
	else
		ret = read_start(ctx, pid);
	if (!ret)
		ret = restart_tree(ctx);
	if (ret > 0) {
		ckpt_list_unused(ctx, &outside->inherit, CKPT_WHY_EXTERNAL);
		ckpt_list_unused(ctx, &outside->relocate, CKPT_WHY_FILE_MISSING);
	} else {
		cannot_restore(ctx, NULL, "the tree as a whole", ret);
	}
	ckpt_flush_log(ctx, log);
	ctx->stats.image_bytes = ctx->reader.offset;
	ctx->stats.page_bytes = ctx->reader.nr_pages << PAGE_SHIFT;
	ctx->stats.tasks = ctx->nr_tasks;
	ctx->stats.processes = ctx->nr_processes;
	ctx->stats.total_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	*stats = ctx->stats;
	ckpt_ctx_put(ctx);
	return ret;
}

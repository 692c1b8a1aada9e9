// SPDX-License-Identifier: GPL-2.0-only
/*
 * restart(): the caller reads the header and the tree and creates the root;
 * each task then builds itself in its own context, so that the ordinary
 * permission checks apply to it, and parks. When all are parked the caller
 * reads the trailer, sets registers and commits. Nothing runs in user mode
 * before everything has succeeded; otherwise all tasks are killed and reaped.
 */
#include <linux/checkpoint_state.h>
#include <linux/binfmts.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
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

static int leave(struct ckpt_task *t, int err)
{
	if (err) {
		ckpt_restore_fail(t->ctx, t, err);
		do_group_exit(SIGKILL);
	}
	ckpt_park_new(t);
	return 0;
}

static int restart_thread(void *arg)
{
	struct ckpt_task *t = arg;
	int ret = enter(t);

	if (!ret)
		ret = ckpt_thread_apply(t->ctx, t);
	return leave(t, ret);
}

static pid_t create_task(struct ckpt_task *t, u64 flags, int (*fn)(void *))
{
	struct ckpt_ctx *ctx = t->ctx;
	pid_t tid = t->rec->tid;
	struct kernel_clone_args args = {
		.flags = flags | CLONE_VM | CLONE_UNTRACED,
		.fn = fn,
		.fn_arg = t,
		.set_tid = ctx->flags & RESTART_NEW_PIDS ? NULL : &tid,
		.set_tid_size = ctx->flags & RESTART_NEW_PIDS ? 0 : 1,
	};
	pid_t nr = kernel_clone(&args);

	t->nr = nr;
	if (nr > 0)
		return nr;
	if (nr == -EEXIST)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PID_IN_USE, nr,
				  "pid %u is in use", t->rec->tid);
	if (nr == -EPERM)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, nr,
				  "choosing pids takes CAP_CHECKPOINT_RESTORE; fresh pids do not");
	if (nr == -ERESTARTNOINTR)
		nr = -EINTR;
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, nr, "cannot create a task");
}

static int create_threads(struct ckpt_ctx *ctx, struct ckpt_task *leader, u32 first)
{
	pid_t nr;
	u32 i;

	for (i = first + 1; i < first + leader->nr_threads; i++) {
		nr = create_task(ctx->tasks[i], CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			    CLONE_THREAD | CLONE_SYSVSEM, restart_thread);
		if (nr < 0)
			return nr;
	}
	return 0;
}

/* Leaves the caller's memory and files behind, as exec does. */
static int clear_process(void)
{
	struct linux_binfmt *binfmt = current->mm->binfmt;
	struct mm_struct *mm = mm_alloc();
	int ret;

	if (!mm)
		return -ENOMEM;
	arch_pick_mmap_layout(mm, &current->signal->rlim[RLIMIT_STACK]);
	mm->task_size = current->mm->task_size;
	sched_mm_cid_before_execve(current);
	ret = checkpoint_exec_mmap(mm);
	sched_mm_cid_after_execve(current);
	if (ret) {
		mmput(mm);
		return ret;
	}
	/* Taken on success, against those who look at a process in between. */
	up_write(&current->signal->exec_update_lock);
	set_binfmt(binfmt);
	/* The saved descriptors may be above the caller's soft limit. */
	task_lock(current->group_leader);
	current->signal->rlim[RLIMIT_NOFILE].rlim_cur =
		current->signal->rlim[RLIMIT_NOFILE].rlim_max;
	task_unlock(current->group_leader);
	return __close_range(0, UINT_MAX, 0);
}

static int join_session(const struct ckpt_rec_task *rec)
{
	u64 none[6] = {};
	int ret = 0;

	if (rec->sid)
		ret = ksys_setsid();
	else if (rec->pgid)
		ret = ckpt_arch_call(__NR_setpgid, none);
	return ret < 0 ? ret : 0;
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

/* Everything that a process cannot do without must have been there. */
static int check_complete(struct ckpt_ctx *ctx, struct ckpt_task *leader, u32 first)
{
	struct ckpt_task *t;
	u32 i;

	if (!leader->process || !leader->seen_mm || !leader->seen_fs ||
	    !leader->seen_fds || !leader->seen_sighand)
		goto damaged;
	for (i = first; i < first + leader->nr_threads; i++) {
		t = ctx->tasks[i];
		if (!t->thread || !t->cred || !t->nr_regsets)
			goto damaged;
	}
	return 0;
damaged:
	return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image lacks a part of a process");
}

static int build_process(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	ktime_t start = ktime_get();
	int ret;

	ret = clear_process();
	if (!ret)
		ret = join_session(leader->rec);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_OTHER, ret,
				  "cannot make an empty process");
	ret = read_process(ctx, leader);
	if (!ret)
		ret = check_complete(ctx, leader, 0);
	ctx->stats.save_ns += ktime_to_ns(ktime_sub(ktime_get(), start));
	if (!ret)
		ret = create_threads(ctx, leader, 0);
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

static int read_tree(struct ckpt_ctx *ctx, pid_t pid)
{
	const struct ckpt_rec_task *rec;
	struct ckpt_rec_tree *tree;
	struct ckpt_task *t;
	u32 i;
	int ret;

	ret = ckpt_next_record(ctx, &ctx->tree);
	if (ret)
		return ret;
	if (ctx->tree->type != CKPT_REC_TREE)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has no tree of tasks");
	tree = ckpt_rec_data(ctx->tree);
	rec = ckpt_rec_tail(ctx->tree);
	if (tree->nr_processes != 1)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_MISMATCH, -ENOEXEC,
				  "the image has several processes, which this kernel cannot restart");
	if (pid && pid != rec->tid)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_OTHER, -EINVAL,
				  "the image is of process %u, not of %d", rec->tid, pid);
	for (i = 0; i < tree->nr_tasks; i++) {
		t = ckpt_add_task(ctx, NULL);
		if (IS_ERR(t))
			return PTR_ERR(t);
		t->rec = &rec[i];
		t->leader = ctx->tasks[0];
	}
	ctx->nr_processes = 1;
	ctx->tasks[0]->nr_threads = ctx->nr_tasks;
	atomic_set(&ctx->nr_busy, ctx->nr_tasks);
	return 0;
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
	return read_tree(ctx, pid);
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

static bool settled(struct ckpt_ctx *ctx)
{
	return !atomic_read(&ctx->nr_busy) || READ_ONCE(ctx->error);
}

static int wait_built(struct ckpt_ctx *ctx, struct task_struct *root)
{
	long ret;

	do {
		ret = wait_event_interruptible_timeout(ctx->wait, settled(ctx),
						       msecs_to_jiffies(POLL_MS));
		if (ret < 0)
			return -EINTR;
		if (READ_ONCE(ctx->error))
			return ctx->error;
		if (!ret && READ_ONCE(root->flags) & PF_EXITING)
			return ckpt_error(ctx, CKPT_AT(ctx->tasks[0]), CKPT_WHY_GONE, -ESRCH,
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
		ret = ckpt_regset_apply(ctx, t);
		if (ret)
			return ret;
	}
	return 0;
}

/* From here on nothing can fail. */
static void commit(struct ckpt_ctx *ctx, struct task_struct *root)
{
	struct ckpt_rec_process *p = ckpt_rec_data(ctx->tasks[0]->process);

	write_lock_irq(&tasklist_lock);
	root->exit_signal = SIGCHLD;
	write_unlock_irq(&tasklist_lock);
	if (ctx->flags & RESTART_FROZEN || p->flags & CKPT_PROC_STOPPED)
		do_send_sig_info(SIGSTOP, SEND_SIG_PRIV, root, PIDTYPE_TGID);
	ckpt_commit_all(ctx);
	ckpt_release(ctx, false);
}

static void kill_tree(struct ckpt_ctx *ctx, struct task_struct *root, pid_t nr)
{
	do_send_sig_info(SIGKILL, SEND_SIG_PRIV, root, PIDTYPE_TGID);
	ckpt_release(ctx, true);
	/* A signal of ours must not leave a zombie behind. */
	while (kernel_wait4(nr, NULL, __WALL, NULL) == -ERESTARTSYS)
		schedule_timeout_uninterruptible(1);
}

static long restart_tree(struct ckpt_ctx *ctx)
{
	ktime_t start = ktime_get();
	struct task_struct *root;
	pid_t nr;
	int ret;

	nr = create_task(ctx->tasks[0], 0, restart_leader);
	if (nr < 0)
		return nr;
	root = find_get_task_by_vpid(nr);
	if (!root)
		return -ESRCH;
	ctx->t_frozen = start;
	ret = wait_built(ctx, root);
	ctx->stats.freeze_ns = ktime_to_ns(ktime_sub(ktime_get(), start)) - ctx->stats.save_ns;
	if (!ret)
		ret = read_end(ctx);
	if (!ret)
		ret = set_registers(ctx);
	start = ktime_get();
	if (!ret)
		commit(ctx, root);
	else
		kill_tree(ctx, root, nr);
	ctx->stats.release_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	ctx->stats.frozen_ns = ktime_to_ns(ktime_sub(ktime_get(), ctx->t_frozen));
	put_task_struct(root);
	return ret ?: nr;
}

/**
 * ckpt_do_restart - bring back a tree
 * @pid: 0, or the pid that the image's root must have
 * @file: image, open for reading
 * @log: where messages go, or NULL
 * @flags: RESTART_*, checked
 * @stats: filled
 *
 * Context: may sleep; no locks held.
 * Return: pid of the root, or a negative errno.
 */
long ckpt_do_restart(pid_t pid, struct file *file, struct file *log,
		     unsigned long flags, struct checkpoint_stats *stats)
{
	ktime_t start = ktime_get();
	struct ckpt_ctx *ctx;
	long ret;
	int i;

	ctx = ckpt_ctx_alloc(file, flags);
	if (!ctx)
		return -ENOMEM;
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
	ckpt_free_tags(ctx);
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

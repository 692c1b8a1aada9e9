// SPDX-License-Identifier: GPL-2.0-only
/*
 * pidfd_open(2): of processes and threads of the tree, dead ones included, and
 * of those that were waited for already, of which nothing is left. With fresh
 * pids a pidfd follows its process. It is made when all tasks exist. One of a
 * process outside of the tree is an obstacle, and one whose process is gone but
 * lives on as the number of a process group or session.
 */
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/pidfs.h>
#include <linux/sched/signal.h>
#include <uapi/linux/pidfd.h>

#include "event.h"

static bool pidfd_probe(struct ckpt_task *t, struct file *file)
{
	return !IS_ERR(pidfd_pid(file));
}

/* Its thread, NULL: it is gone, or an ERR_PTR(): it is not of the tree. */
static struct ckpt_task *find_task(struct ckpt_ctx *ctx, struct pid *pid)
{
	struct task_struct *task;
	struct ckpt_task *t = NULL;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	if (task)
		t = xa_load(&ctx->task_index, task->pid) ?: ERR_PTR(-EOPNOTSUPP);
	else if (pid_has_task(pid, PIDTYPE_PGID) || pid_has_task(pid, PIDTYPE_SID))
		t = ERR_PTR(-ESRCH);
	rcu_read_unlock();
	return t;
}

static void pidfd_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *file)
{
	struct pid *pid = pidfd_pid(file);
	struct ckpt_task *t = find_task(ctx, pid);

	if (t == ERR_PTR(-EOPNOTSUPP))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE, file,
				  "a pidfd of process %d, which is not of the tree",
				  pid_nr_ns(pid, ctx->pidns));
	else if (IS_ERR(t))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE, file,
				  "a pidfd of process %d, of which only the process group is left",
				  pid_nr_ns(pid, ctx->pidns));
	if (file->f_flags & (O_APPEND | O_DIRECT | O_NOATIME))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "unusual flags (%#o) of a pidfd",
			      file->f_flags);
}

static int pidfd_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		      struct ckpt_rec_file *rec, char *name)
{
	struct ckpt_rec_event event = { .kind = CKPT_FILE_PIDFD };
	struct pid *pid = pidfd_pid(file);
	struct ckpt_task *of = find_task(ctx, pid);

	if (IS_ERR(of))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, -EBUSY,
				  "the process of a pidfd has changed");
	if (of)
		event.value = pid_nr_ns(pid, ctx->pidns);
	return ckpt_event_save(ctx, pid, &event, rec, name);
}

/* What is left of a process that was waited for: a struct pid without a number. */
static struct pid *gone_pid(void)
{
	struct pid *pid = alloc_pid(current->nsproxy->pid_ns_for_children, NULL, 0);

	if (!IS_ERR(pid)) {
		get_pid(pid);
		free_pid(pid);
	}
	return pid;
}

static struct pid *pid_of(struct ckpt_ctx *ctx, struct ckpt_event *event, bool thread)
{
	const struct ckpt_rec_event *state = ckpt_rec_data(event->rec);
	struct ckpt_task *t;
	struct pid *pid;

	if (state->value) {
		t = xa_load(&ctx->task_index, state->value);
		if (!t || (!thread && t != t->leader))
			return ERR_PTR(-EBADMSG);
		return get_task_pid(t->task, PIDTYPE_PID) ?: ERR_PTR(-ESRCH);
	}
	if (!event->pid) {
		pid = gone_pid();
		if (IS_ERR(pid))
			return pid;
		event->pid = pid;
	}
	return get_pid(event->pid);
}

static struct file *pidfd_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				  const struct ckpt_rec_file *rec, const char *name)
{
	struct ckpt_event *event = ckpt_event_of(ctx, rec);
	bool thread = rec->flags & CKPT_FILEF_THREAD;
	struct file *file;
	struct pid *pid;

	if (!event)
		return ckpt_event_missing(ctx, t);
	pid = pid_of(ctx, event, thread);
	if (IS_ERR(pid)) {
		file = ERR_CAST(pid);
	} else {
		file = pidfs_alloc_file(pid, O_RDWR | (rec->flags & CKPT_FILEF_NONBLOCK ?
						       O_NONBLOCK : 0));
		put_pid(pid);
	}
	if (IS_ERR(file))
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE, PTR_ERR(file),
					  "cannot make a pidfd"));
	if (thread)
		file->f_flags |= PIDFD_THREAD;
	return file;
}

const struct ckpt_file_kind ckpt_pidfd_kind = {
	.name = "pidfd",
	.kind = CKPT_FILE_PIDFD,
	.late = true,
	.probe = pidfd_probe,
	.collect = pidfd_collect,
	.save = pidfd_save,
	.restore = pidfd_restore,
};

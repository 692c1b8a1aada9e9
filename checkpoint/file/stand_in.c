// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of processes and threads that are gone: a child of the caller of
 * restart() opens them in its own directory of /proc, and ends. What is read
 * from them afterwards is what is read of one who is gone. The child has no
 * memory, which such a file might keep. If it may, and if nobody has it, it gets the
 * number of the one who is gone, which readlink(2) of the descriptor shows.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <uapi/linux/wait.h>

#include "procfs.h"

struct stand_in {
	struct ckpt_ctx *ctx;
	const struct ckpt_rec_file *rec;
	const char *was;
	struct file *file;
	struct completion done;
};

static struct file *open_own(struct stand_in *s)
{
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT);
	struct file *file;
	int nr = buf ? ckpt_proc_name(s->ctx, s->rec, s->was, buf) : -ENOMEM;

	file = nr < 0 ? ERR_PTR(nr) : ckpt_procfs_open(buf, nr, s->rec);
	kfree(buf);
	return file;
}

/* It never returns to user mode, and touches @arg until it says that it is done. */
static int stand_in(void *arg)
{
	struct stand_in *s = arg;
	int ret = ckpt_clear_memory();

	s->file = ret ? ERR_PTR(ret) : open_own(s);
	complete(&s->done);
	do_group_exit(0);
}

static void kill_it(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);

	kill_pid(pid, SIGKILL, 1);
	put_pid(pid);
}

static void reap(pid_t nr)
{
	/* A signal of ours must not leave a zombie; who takes over from us waits for it. */
	while (kernel_wait4(nr, NULL, __WALL, NULL) == -ERESTARTSYS &&
	       !fatal_signal_pending(current))
		schedule_timeout_uninterruptible(1);
}

static pid_t start(struct stand_in *s)
{
	pid_t wanted = s->rec->object, nr;
	struct kernel_clone_args args = {
		.flags = CLONE_VM | CLONE_UNTRACED,
		.fn = stand_in,
		.fn_arg = s,
		.set_tid = &wanted,
		.set_tid_size = 1,
	};

	nr = kernel_clone(&args);
	if (nr != -EEXIST && nr != -EPERM && nr != -EINVAL)
		return nr;
	args.set_tid_size = 0;
	return kernel_clone(&args);
}

/**
 * ckpt_stand_in_open - open a file of a process that is gone
 * @ctx: context of a restart
 * @rec: its record
 * @was: its name when it was saved
 *
 * Context: the caller of restart(), may sleep.
 * Return: the file, or an ERR_PTR().
 */
struct file *ckpt_stand_in_open(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec,
				const char *was)
{
	struct stand_in s = {
		.ctx = ctx,
		.rec = rec,
		.was = was,
		.done = COMPLETION_INITIALIZER_ONSTACK(s.done),
	};
	struct nsproxy *old = ckpt_pid_ns_use(ctx, 0);
	pid_t nr = start(&s);

	ckpt_pid_ns_back(old);
	if (nr < 0)
		return ERR_PTR(nr == -ERESTARTNOINTR ? -EINTR : nr);
	/* However it is killed, it gets there; until then the number is its own. */
	if (wait_for_completion_killable(&s.done)) {
		kill_it(nr);
		wait_for_completion(&s.done);
	}
	reap(nr);
	return s.file;
}

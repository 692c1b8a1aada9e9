// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two system calls. Only this file and file/outside.c, which copies lists,
 * see user pointers of the calls.
 */
#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/stddef.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

#include "internal.h"

#define CHECKPOINT_FLAGS	(CHECKPOINT_KILL | CHECKPOINT_STOP | CHECKPOINT_ONLY | \
				 CHECKPOINT_DRY_RUN | CHECKPOINT_SHARED_FILES | CHECKPOINT_ARGS)
#define RESTART_FLAGS		(RESTART_FROZEN | RESTART_NEW_PIDS | RESTART_CGROUPS | \
				 RESTART_ARGS)

/* The sizes are ABI. */
static_assert(sizeof(struct checkpoint_args) == CHECKPOINT_ARGS_SIZE_VER1);
static_assert(sizeof(struct restart_args) == RESTART_ARGS_SIZE_VER1);
static_assert(sizeof(struct checkpoint_stats) == CHECKPOINT_STATS_SIZE_VER0);

/* A descriptor with its position locked, as read(2) and write(2) take it. */
DEFINE_CLASS(fd_pos, struct fd, fdput_pos(_T), fdget_pos(fd), int fd)

static int copy_args(void *dst, size_t ksize, size_t min, const void __user *src, size_t usize)
{
	if (usize < min)
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(dst, ksize, src, usize);
}

static int copy_stats(const struct checkpoint_stats *stats, u64 addr, u32 size)
{
	if (!addr)
		return 0;
	if (copy_to_user(u64_to_user_ptr(addr), stats, min_t(size_t, size, sizeof(*stats))))
		return -EFAULT;
	return 0;
}

static int check_stats(u64 addr, u32 size)
{
	if (addr && size < CHECKPOINT_STATS_SIZE_VER0)
		return -EINVAL;
	if (addr && clear_user(u64_to_user_ptr(addr), size))
		return -EFAULT;
	return 0;
}

/* The log, or NULL; a log that cannot be written is the caller's mistake. */
static struct file *get_log(int fd)
{
	struct file *log;

	if (fd == -1)
		return NULL;
	log = fget(fd);
	if (log && log->f_mode & FMODE_WRITE)
		return log;
	if (log)
		fput(log);
	return ERR_PTR(-EBADF);
}

static long checkpoint_to(struct fd f, pid_t pid, struct file *log, unsigned long flags,
			  const struct checkpoint_args *args, const struct ckpt_outside *outside,
			  struct checkpoint_stats *stats)
{
	if (flags & CHECKPOINT_DRY_RUN)
		return ckpt_do_checkpoint(pid, NULL, log, flags, args, outside, stats);
	if (!fd_file(f) || !(fd_file(f)->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!(fd_file(f)->f_mode & FMODE_CAN_WRITE) || !fd_file(f)->f_op->write_iter)
		return -EINVAL;
	return ckpt_do_checkpoint(pid, fd_file(f), log, flags, args, outside, stats);
}

static void free_outside(struct ckpt_outside *outside)
{
	ckpt_list_free(&outside->external);
	ckpt_list_free(&outside->inherit);
	ckpt_list_free(&outside->relocate);
	ckpt_list_free(&outside->changed);
	if (outside->cgroups)
		fput(outside->cgroups);
}

DEFINE_CLASS(outside, struct ckpt_outside, free_outside(&_T), (struct ckpt_outside){}, void)

static long restart_outside(const struct restart_args *args, unsigned long flags,
			    struct ckpt_outside *outside)
{
	int ret;

	if ((!(flags & RESTART_CGROUPS) && args->cgroup_fd) || args->reserved2 ||
	    args->allow_changed & ~RESTART_CHANGED_ALL)
		return -EINVAL;
	outside->allow_changed = args->allow_changed;
	if (flags & RESTART_CGROUPS) {
		outside->cgroups = fget_raw(args->cgroup_fd);
		if (!outside->cgroups)
			return -EBADF;
	}
	ret = ckpt_list_copy(&outside->inherit, CKPT_LIST_INHERIT, args->inherit,
			     args->nr_inherit);
	if (!ret)
		ret = ckpt_list_copy(&outside->relocate, CKPT_LIST_RELOCATE, args->relocate,
				     args->nr_relocate);
	if (!ret)
		ret = ckpt_list_copy(&outside->changed, CKPT_LIST_CHANGED, args->changed,
				     args->nr_changed);
	return ret;
}

/**
 * sys_checkpoint - save a tree of processes into an image
 * @pid: root of the tree, 0: the caller
 * @fd: open for writing: a file, pipe or socket; not used by a dry run
 * @flags: CHECKPOINT_*
 * @uargs: with CHECKPOINT_ARGS: struct checkpoint_args
 * @usize: with CHECKPOINT_ARGS: its size
 *
 * See checkpoint(2), and the UAPI header for errno values.
 *
 * Return: a positive id in the call that saves; 0 in the restarted copy of a
 * caller that is in the image; a negative errno.
 */
SYSCALL_DEFINE5(checkpoint, pid_t, pid, int, fd, unsigned long, flags,
		const struct checkpoint_args __user *, uargs, size_t, usize)
{
	struct checkpoint_args args = { .log_fd = -1 };
	struct checkpoint_stats stats = {};
	struct file *log;
	long ret;

	CLASS(outside, outside)();

	if (flags & ~CHECKPOINT_FLAGS || pid < 0)
		return -EINVAL;
	if ((flags & CHECKPOINT_KILL && flags & CHECKPOINT_STOP) ||
	    (flags & CHECKPOINT_DRY_RUN && flags & (CHECKPOINT_KILL | CHECKPOINT_STOP)))
		return -EINVAL;
	if (flags & CHECKPOINT_ARGS) {
		ret = copy_args(&args, sizeof(args), CHECKPOINT_ARGS_SIZE_VER0, uargs, usize);
		if (!ret && (args.reserved || args.reserved2))
			ret = -EINVAL;
		if (!ret)
			ret = check_stats(args.stats, args.stats_size);
		if (!ret)
			ret = ckpt_list_copy(&outside.external, CKPT_LIST_EXTERNAL, args.external,
					     args.nr_external);
		if (ret)
			return ret;
	}
	log = get_log(args.log_fd);
	if (IS_ERR(log))
		return PTR_ERR(log);
	/* A reference would look like one that somebody outside has. */
	CLASS(fd_pos, f)(flags & CHECKPOINT_DRY_RUN ? -1 : fd);
	ret = checkpoint_to(f, pid, log, flags, &args, &outside, &stats);
	if (log)
		fput(log);
	return copy_stats(&stats, args.stats, args.stats_size) ?: ret;
}

/**
 * sys_restart - bring back a tree of processes from an image
 * @pid: 0, or the pid of the saved root, which is then checked
 * @fd: open for reading: a file, pipe or socket
 * @flags: RESTART_*
 * @uargs: with RESTART_ARGS: struct restart_args
 * @usize: with RESTART_ARGS: its size
 *
 * See restart(2), and the UAPI header for errno values.
 *
 * Return: pid of the root process, a child of the caller; a negative errno.
 */
SYSCALL_DEFINE5(restart, pid_t, pid, int, fd, unsigned long, flags,
		const struct restart_args __user *, uargs, size_t, usize)
{
	struct restart_args args = { .log_fd = -1 };
	struct checkpoint_stats stats = {};
	struct file *log;
	long ret;

	CLASS(outside, outside)();

	if (flags & ~RESTART_FLAGS || pid < 0)
		return -EINVAL;
	if (flags & RESTART_CGROUPS && !(flags & RESTART_ARGS))
		return -EBADF;
	if (flags & RESTART_ARGS) {
		ret = copy_args(&args, sizeof(args), RESTART_ARGS_SIZE_VER0, uargs, usize);
		if (!ret)
			ret = restart_outside(&args, flags, &outside);
		if (!ret)
			ret = check_stats(args.stats, args.stats_size);
		if (ret)
			return ret;
	}
	CLASS(fd_pos, f)(fd);
	if (!fd_file(f) || !(fd_file(f)->f_mode & FMODE_READ))
		return -EBADF;
	if (!(fd_file(f)->f_mode & FMODE_CAN_READ) || !fd_file(f)->f_op->read_iter)
		return -EINVAL;
	log = get_log(args.log_fd);
	if (IS_ERR(log))
		return PTR_ERR(log);
	ret = ckpt_do_restart(pid, fd_file(f), log, flags, &outside, &stats);
	if (log)
		fput(log);
	/* The tree runs already: a bad pointer cannot undo that. */
	if (ret > 0)
		copy_stats(&stats, args.stats, args.stats_size);
	return ret;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* The system calls. */
#include <unistd.h>
#include <sys/syscall.h>

#include "internal.h"

/**
 * checkpoint() - save a tree of processes into an image
 * @pid: its root, 0: the caller
 * @fd: where the image goes: a file, pipe or socket, open for writing;
 *	-1 is allowed with CHECKPOINT_DRY_RUN
 * @flags: CHECKPOINT_KILL, CHECKPOINT_STOP, CHECKPOINT_ONLY,
 *	CHECKPOINT_DRY_RUN and CHECKPOINT_SHARED_FILES, or 0
 *
 * The tree goes on after the image is complete, unless @flags say otherwise.
 * If the call fails it goes on, too.
 *
 * Errors: EINVAL (an unknown flag, or CHECKPOINT_KILL with CHECKPOINT_STOP),
 * EBADF (@fd is not open for writing), ESRCH (no such process, or it ended
 * meanwhile), EPERM (no right to one of the tasks, as for ptrace(2)),
 * EOPNOTSUPP (an obstacle), EBUSY (the tree changed), ETIMEDOUT (a task did not
 * stop in time), EINTR (a signal ended the call), ENOMEM, ENOSYS (a kernel
 * without this call), and those of write(2), such as ENOSPC and EPIPE.
 *
 * Return: a positive number, unique since boot, on the side that goes on; 0 in
 * the restarted copy if the caller is part of the image; -1 and errno if it
 * failed.
 */
EXPORT long checkpoint(pid_t pid, int fd, unsigned long flags)
{
	return syscall(__NR_checkpoint, pid, fd, flags & ~CHECKPOINT_ARGS, NULL, 0UL);
}

/**
 * checkpoint_ext() - checkpoint() with further arguments
 * @pid: as for checkpoint()
 * @fd: as for checkpoint()
 * @flags: as for checkpoint(); CHECKPOINT_ARGS is added
 * @args: where messages and figures go, the deadline, and the keys of what is
 *	left to the outside
 * @size: sizeof(*@args)
 *
 * Errors: those of checkpoint(), and EBADF (log_fd is neither -1 nor open for
 * writing), EFAULT (a bad pointer), EINVAL (@size is smaller than
 * CHECKPOINT_ARGS_SIZE_VER0 or a reserved member is not 0), E2BIG (@args has
 * members that this kernel does not know, and that are not 0).
 *
 * Return: as checkpoint().
 */
EXPORT long checkpoint_ext(pid_t pid, int fd, unsigned long flags,
			   const struct checkpoint_args *args, size_t size)
{
	return syscall(__NR_checkpoint, pid, fd, flags | CHECKPOINT_ARGS, args, size);
}

/**
 * restart() - bring back a tree of processes from an image
 * @pid: 0, or the pid that the root of the saved tree must have had
 * @fd: where the image comes from: a file, pipe or socket, open for reading
 * @flags: RESTART_FROZEN and RESTART_NEW_PIDS, or 0
 *
 * The root of the tree becomes a child of the caller, that can be waited for.
 * If the call fails, nothing is left behind.
 *
 * Errors: EINVAL (an unknown flag, or the image is not of @pid), EBADF (@fd is not open
 * for reading), EBADMSG (the image is empty, truncated, damaged or none),
 * E2BIG (the image has something that this kernel does not know), ENOEXEC (the
 * image is for another architecture, byte order, format version, page size,
 * processor or vDSO), ESTALE (a file is missing or has changed), EEXIST (a pid
 * is in use), EPERM (the caller may not have the pids or the identity), EINTR
 * (a signal ended the call), ENOMEM, ENOSYS (a kernel without this call), and
 * those of read(2) and open(2).
 *
 * Return: the pid of the root; -1 and errno if it failed.
 */
EXPORT long restart(pid_t pid, int fd, unsigned long flags)
{
	return syscall(__NR_restart, pid, fd, flags & ~RESTART_ARGS, NULL, 0UL);
}

/**
 * restart_ext() - restart() with further arguments
 * @pid: as for restart()
 * @fd: as for restart()
 * @flags: as for restart(); RESTART_ARGS is added
 * @args: where messages and figures go, what takes the place of what is
 *	outside, where files are now, and which may have changed
 * @size: sizeof(*@args)
 *
 * Errors: those of restart(), and EBADF, EFAULT, EINVAL and E2BIG because of
 * @args, as for checkpoint_ext().
 *
 * Return: as restart().
 */
EXPORT long restart_ext(pid_t pid, int fd, unsigned long flags,
			const struct restart_args *args, size_t size)
{
	return syscall(__NR_restart, pid, fd, flags | RESTART_ARGS, args, size);
}

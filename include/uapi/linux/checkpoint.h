/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * System calls that save a tree of processes into an image and bring it back.
 *
 * See checkpoint(2), restart(2) and Documentation/checkpoint/api.rst.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_H
#define _UAPI_LINUX_CHECKPOINT_H

#include <linux/types.h>

/**
 * DOC: errno values of checkpoint() and restart()
 *
 * Both calls use the same meanings:
 *
 *  - EINVAL: an unknown flag, flags that exclude each other, or a bad argument.
 *  - E2BIG: the argument struct, or a record of the image, has non-zero bytes
 *    that this kernel does not know.
 *  - EBADF: fd or log_fd is not open in the mode that is needed.
 *  - ESRCH: the process does not exist, has exited, or died meanwhile.
 *  - EPERM: the caller has no right to the task (checkpoint), or may not have
 *    the identity or the pids that the image asks for (restart).
 *  - EOPNOTSUPP: an obstacle: the tree has state that cannot be saved. Every
 *    obstacle is named in a message.
 *  - EBUSY: the tree changed while it was being saved.
 *  - ETIMEDOUT: a task did not stop before the deadline.
 *  - EBADMSG: the image is empty, truncated or damaged, or is not an image.
 *  - ENOEXEC: the image is whole, but for another architecture, byte order,
 *    format version, page size, processor or vDSO.
 *  - ESTALE: a file that the image names is missing or has changed.
 *  - EEXIST: a pid that the image asks for is in use.
 *  - EINTR: a signal ended the call; nothing was left behind.
 *
 * Errors of the file written or read (ENOSPC, EPIPE, EFBIG, EIO, ...) and of a lack
 * of resources (ENOMEM, EAGAIN, ENFILE, ENOBUFS) are passed through.
 */

/* flags of checkpoint() */
#define CHECKPOINT_KILL		(1UL << 0) /* kill the tree once the image is complete */
#define CHECKPOINT_STOP		(1UL << 1) /* leave the tree stopped, as by SIGSTOP */
#define CHECKPOINT_ONLY		(1UL << 2) /* the process alone, without descendants */
#define CHECKPOINT_DRY_RUN	(1UL << 3) /* list all obstacles, write nothing */
#define CHECKPOINT_SHARED_FILES (1UL << 4) /* positions that others share become the copy's own */
#define CHECKPOINT_ARGS		(1UL << 30) /* 4th and 5th argument are given */

/* flags of restart() */
#define RESTART_FROZEN		(1UL << 0) /* leave the tree stopped, as by SIGSTOP */
#define RESTART_NEW_PIDS	(1UL << 1) /* fresh pids instead of the saved ones */
#define RESTART_CGROUPS		(1UL << 2) /* in the saved cgroups, below restart_args.cgroup_fd */
#define RESTART_ARGS		(1UL << 30) /* 4th and 5th argument are given */

/**
 * struct checkpoint_entry - an entry of a list in the further arguments
 * @name: user pointer to a key or a path, without a terminating zero
 * @value: user pointer to another path, or 0
 * @name_len: bytes of @name
 * @value_len: bytes of @value
 * @fd: a descriptor; -1 where there could be one
 * @reserved: must be 0
 *
 * Members that a list does not use are 0. A list has at most
 * CHECKPOINT_ENTRIES_MAX entries, a name 4095 bytes. Paths are absolute.
 */
struct checkpoint_entry {
	__aligned_u64 name;
	__aligned_u64 value;
	__u32 name_len;
	__u32 value_len;
	__s32 fd;
	__u32 reserved;
};

#define CHECKPOINT_ENTRIES_MAX		1024

/**
 * DOC: keys of what leads outside
 *
 * What reaches outside of the tree has a key, which messages name:
 * "pipe:[1234]" and "socket:[1234]", as in /proc/PID/fd; "tty:/dev/pts/3";
 * "fifo:/path", "dev:/path", "dir:/path" and "file:/path", with the path that the
 * caller of checkpoint() sees, "(unreachable)" before a path that it does not see, and
 * " (deleted)" behind one that was removed; "memfd:[1234]" with an inode number,
 * "pidfd:[1234]" with that of the process, "net:[1234]" and the like of a namespace.
 * Other descriptors without a name are called by their kind, as in /proc/PID/fd, and
 * by any descriptor of the tree that refers to them, "eventfd:PID/FD".
 */

/**
 * struct checkpoint_args - further arguments of checkpoint()
 * @log_fd: where messages go, one line each (see CKPT_MSG), or -1
 * @timeout_ms: deadline for stopping the tree, in milliseconds; 0: 10 s
 * @stats: user pointer to a struct checkpoint_stats to fill, or 0
 * @stats_size: size of that struct, in bytes
 * @reserved: must be 0
 * @external: user pointer to struct checkpoint_entry: in @name, keys of what is
 *	left to the outside; who restarts has to supply it
 * @nr_external: how many
 * @reserved2: must be 0
 *
 * Versioned by size: new members go to the end, and missing ones are zero.
 */
struct checkpoint_args {
	__s32 log_fd;
	__u32 timeout_ms;
	__aligned_u64 stats;
	__u32 stats_size;
	__u32 reserved;
	__aligned_u64 external;
	__u32 nr_external;
	__u32 reserved2;
};

#define CHECKPOINT_ARGS_SIZE_VER0	24
#define CHECKPOINT_ARGS_SIZE_VER1	40

/* restart_args.allow_changed: classes of files that may have changed */
#define RESTART_CHANGED_DATA		(1U << 0) /* what is in no other class */
#define RESTART_CHANGED_LOG		(1U << 1) /* open for appending */
#define RESTART_CHANGED_PROGRAM		(1U << 2) /* programs and libraries */
#define RESTART_CHANGED_REPLACED	(1U << 3) /* another inode, else the same */
#define RESTART_CHANGED_ALL		((1U << 4) - 1)

/**
 * struct restart_args - further arguments of restart()
 * @log_fd: where messages go, one line each (see CKPT_MSG), or -1
 * @cgroup_fd: with RESTART_CGROUPS: a directory of a cgroup2 file system, open in any
 *	mode, that is the root of the saved paths; else must be 0
 * @stats: user pointer to a struct checkpoint_stats to fill, or 0
 * @stats_size: size of that struct, in bytes
 * @reserved2: must be 0
 * @inherit: user pointer to struct checkpoint_entry: @name is the key of something
 *	external, @fd takes its place, or, if it is -1, @value is opened, in the
 *	mode that was saved. A key may occur more than once: for each file the
 *	first is taken that is open in the mode that is needed
 * @relocate: user pointer to struct checkpoint_entry: names that begin with the
 *	directories @name begin with @value instead; the first that fits is taken
 * @changed: user pointer to struct checkpoint_entry: in @name, files that may have
 *	changed, by the names by which they are opened
 * @nr_inherit: entries of @inherit
 * @nr_relocate: entries of @relocate
 * @nr_changed: entries of @changed
 * @allow_changed: RESTART_CHANGED_*
 */
struct restart_args {
	__s32 log_fd;
	__s32 cgroup_fd;
	__aligned_u64 stats;
	__u32 stats_size;
	__u32 reserved2;
	__aligned_u64 inherit;
	__aligned_u64 relocate;
	__aligned_u64 changed;
	__u32 nr_inherit;
	__u32 nr_relocate;
	__u32 nr_changed;
	__u32 allow_changed;
};

#define RESTART_ARGS_SIZE_VER0		24
#define RESTART_ARGS_SIZE_VER1		64

/**
 * struct checkpoint_stats - what a call did and how long it took
 * @image_bytes: length of the image
 * @page_bytes: bytes of page data in it
 * @tasks: threads in the tree
 * @processes: thread groups in the tree
 * @freeze_ns: stopping the tree (restart: creating the tasks)
 * @collect_ns: looking for obstacles and shared objects
 * @save_ns: saving (restart: restoring, once they are created) everything, memory
 *	included
 * @memory_ns: the part of @save_ns spent on page data; restart: the sum over all
 *	processes, which work at the same time
 * @write_ns: the part of @save_ns spent in the file's write or read function, as
 *	@memory_ns
 * @release_ns: letting the tree go (restart: the commit)
 * @frozen_ns: from the first task asked to stop to the last one released
 * @total_ns: the whole call
 *
 * Versioned by size, as the argument structs are: the kernel fills as much as
 * the caller's size allows. Times are in nanoseconds of CLOCK_MONOTONIC.
 */
struct checkpoint_stats {
	__aligned_u64 image_bytes;
	__aligned_u64 page_bytes;
	__aligned_u64 tasks;
	__aligned_u64 processes;
	__aligned_u64 freeze_ns;
	__aligned_u64 collect_ns;
	__aligned_u64 save_ns;
	__aligned_u64 memory_ns;
	__aligned_u64 write_ns;
	__aligned_u64 release_ns;
	__aligned_u64 frozen_ns;
	__aligned_u64 total_ns;
};

#define CHECKPOINT_STATS_SIZE_VER0	96

/**
 * DOC: CKPT_MSG, the message channel
 *
 * A message is one line of text of at most CKPT_MSG_MAX bytes, written to
 * log_fd by one write, so that lines never mix::
 *
 *	obstacle code=12 err=95 pid=71 tid=72 fd=5 start=0x0 end=0x0 comm=cat: socket
 *
 * The first word is "obstacle", "error" or "note". All fields are always
 * there, in this order; pid and tid are 0, fd is -1 and start and end are 0
 * where they do not apply. In comm every byte that is not printable, a space,
 * a colon or a backslash is written as \xHH. The text after the colon is for
 * people. code is one of enum ckpt_reason; err is the positive errno that this
 * message leads to, 0 for a note.
 */
#define CKPT_MSG_MAX	1024

/**
 * enum ckpt_reason - reason codes of messages, append-only
 * @CKPT_WHY_OTHER: none of the others
 * @CKPT_WHY_PERMISSION: the caller has no right to this
 * @CKPT_WHY_TIMEOUT: a task did not stop before the deadline
 * @CKPT_WHY_CHANGED: the tree changed while it was being saved
 * @CKPT_WHY_GONE: a task died meanwhile
 * @CKPT_WHY_CHILD: a child process
 * @CKPT_WHY_ZOMBIE: an exited process or thread that was not reaped
 * @CKPT_WHY_VFORK: a vfork() in progress
 * @CKPT_WHY_PTRACE: a traced task, or a hardware breakpoint
 * @CKPT_WHY_KERNEL_TASK: a kernel thread, pid 1, or a kernel helper thread
 * @CKPT_WHY_COMPAT: a 32-bit task
 * @CKPT_WHY_FILE: an open file of a kind that cannot be saved
 * @CKPT_WHY_FILE_DELETED: an open or mapped file without a name
 * @CKPT_WHY_FILE_UNREACHABLE: a file outside of the caller's root or mounts
 * @CKPT_WHY_FILE_LOCK: a file lock or lease
 * @CKPT_WHY_FILE_OWNER: signal-driven I/O on a file
 * @CKPT_WHY_FILE_SHARED: a descriptor table, fs struct or file position shared by
 *	processes
 * @CKPT_WHY_MAPPING: a mapping of a kind that cannot be saved
 * @CKPT_WHY_MAPPING_FLAG: a property of a mapping that cannot be saved
 * @CKPT_WHY_VDSO: a vDSO that was moved or removed in part
 * @CKPT_WHY_MM: a property of the address space that cannot be saved
 * @CKPT_WHY_TIMER: a timer
 * @CKPT_WHY_SIGNAL: a pending signal that cannot be saved
 * @CKPT_WHY_SYSCALL: an interrupted system call that cannot be resumed
 * @CKPT_WHY_CRED: an identity that cannot be saved
 * @CKPT_WHY_KEYRING: a keyring
 * @CKPT_WHY_SECCOMP: a seccomp filter or mode
 * @CKPT_WHY_LSM: a security module's domain
 * @CKPT_WHY_NAMESPACE: a namespace that is not the caller's
 * @CKPT_WHY_SCHED: a scheduling property
 * @CKPT_WHY_PRCTL: a property set with prctl() or arch_prctl()
 * @CKPT_WHY_IO: asynchronous I/O or io_uring
 * @CKPT_WHY_IPC: System V semaphore undo
 * @CKPT_WHY_PERF: performance events
 * @CKPT_WHY_CPU: processor state that cannot be saved
 * @CKPT_WHY_IMAGE: the image is damaged
 * @CKPT_WHY_MISMATCH: the image does not fit this system
 * @CKPT_WHY_FILE_MISSING: restart: a file cannot be opened
 * @CKPT_WHY_FILE_CHANGED: restart: a file has changed
 * @CKPT_WHY_PID_IN_USE: restart: a pid is in use
 * @CKPT_WHY_LIMIT: restart: a resource limit or a lack of memory
 * @CKPT_WHY_EXTERNAL: something that belongs to the outside
 * @CKPT_WHY_SESSION: a session, process group or controlling terminal
 * @CKPT_WHY_CGROUP: a cgroup that cannot be entered
 * @CKPT_WHY_NR: number of codes
 */
enum ckpt_reason {
	CKPT_WHY_OTHER,
	CKPT_WHY_PERMISSION,
	CKPT_WHY_TIMEOUT,
	CKPT_WHY_CHANGED,
	CKPT_WHY_GONE,
	CKPT_WHY_CHILD,
	CKPT_WHY_ZOMBIE,
	CKPT_WHY_VFORK,
	CKPT_WHY_PTRACE,
	CKPT_WHY_KERNEL_TASK,
	CKPT_WHY_COMPAT,
	CKPT_WHY_FILE,
	CKPT_WHY_FILE_DELETED,
	CKPT_WHY_FILE_UNREACHABLE,
	CKPT_WHY_FILE_LOCK,
	CKPT_WHY_FILE_OWNER,
	CKPT_WHY_FILE_SHARED,
	CKPT_WHY_MAPPING,
	CKPT_WHY_MAPPING_FLAG,
	CKPT_WHY_VDSO,
	CKPT_WHY_MM,
	CKPT_WHY_TIMER,
	CKPT_WHY_SIGNAL,
	CKPT_WHY_SYSCALL,
	CKPT_WHY_CRED,
	CKPT_WHY_KEYRING,
	CKPT_WHY_SECCOMP,
	CKPT_WHY_LSM,
	CKPT_WHY_NAMESPACE,
	CKPT_WHY_SCHED,
	CKPT_WHY_PRCTL,
	CKPT_WHY_IO,
	CKPT_WHY_IPC,
	CKPT_WHY_PERF,
	CKPT_WHY_CPU,
	CKPT_WHY_IMAGE,
	CKPT_WHY_MISMATCH,
	CKPT_WHY_FILE_MISSING,
	CKPT_WHY_FILE_CHANGED,
	CKPT_WHY_PID_IN_USE,
	CKPT_WHY_LIMIT,
	CKPT_WHY_EXTERNAL,
	CKPT_WHY_SESSION,
	CKPT_WHY_CGROUP,
	CKPT_WHY_NR
};

#endif /* _UAPI_LINUX_CHECKPOINT_H */

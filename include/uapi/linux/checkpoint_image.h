/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Records of a checkpoint image. The text that specifies them is
 * Documentation/checkpoint/image-format.rst.
 *
 * All numbers are in the byte order of the machine that wrote the image; the
 * header says which. Offsets are relative to the first byte of the image.
 * Reserved members are zero. Records only grow at their end and types are only
 * appended. Flag values are the format's own, not the kernel's.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_H

#include <linux/types.h>

#define CKPT_IMAGE_MAGIC	0x0a1a544e49504b43ULL	/* "CKPINT\x1a\n" in little endian */
#define CKPT_IMAGE_VERSION	1
#define CKPT_IMAGE_BYTE_ORDER	0x01020304U
#define CKPT_IMAGE_ARCH_X86_64	62U			/* EM_X86_64 of elf(5) */

#define CKPT_PAGE_SHIFT		12	/* page data is aligned to header.page_size */
#define CKPT_CHUNK_PAGES	256	/* pages under one checksum */
#define CKPT_PATH_MAX		4096
#define CKPT_COMM_LEN		16

/**
 * enum ckpt_rec_type - record types, append-only
 * @CKPT_REC_HEADER: struct ckpt_rec_header, always the first
 * @CKPT_REC_TREE: struct ckpt_rec_tree and its tasks
 * @CKPT_REC_PROCESS: struct ckpt_rec_process, starts a thread group
 * @CKPT_REC_FILE: struct ckpt_rec_file and its path; has a tag
 * @CKPT_REC_MM: struct ckpt_rec_mm; has a tag
 * @CKPT_REC_VMAS: array of struct ckpt_rec_vma
 * @CKPT_REC_PAGES: array of struct ckpt_rec_extent, then page data follows
 * @CKPT_REC_SHARED_PAGES: array of struct ckpt_rec_shared_pages
 * @CKPT_REC_SUMS: array of __u64, one for each chunk of the page data before
 * @CKPT_REC_MM_END: no payload, ends the pages of an address space
 * @CKPT_REC_FS: struct ckpt_rec_fs and its two paths; has a tag
 * @CKPT_REC_PTY: struct ckpt_rec_pty, its path and its buffers; has a tag
 * @CKPT_REC_FDS: array of struct ckpt_rec_fd; has a tag
 * @CKPT_REC_UNLINKED: struct ckpt_rec_unlinked and the path of its directory; has
 *	a tag; SHMEM_DATA records with its content follow
 * @CKPT_REC_LOCKS: array of struct ckpt_rec_lock, of the open file or descriptor
 *	table before
 * @CKPT_REC_FILE_STATE: struct ckpt_rec_file_state, of the open file before
 * @CKPT_REC_SIGHAND: array of 64 struct ckpt_rec_sigaction, signals 1 to 64; has a tag
 * @CKPT_REC_SIGPENDING: array of struct ckpt_rec_siginfo
 * @CKPT_REC_THREAD: struct ckpt_rec_thread, starts a thread
 * @CKPT_REC_CRED: struct ckpt_rec_cred and its groups, of the thread before; one
 *	that has none has that of its process' first thread
 * @CKPT_REC_REGSET: struct ckpt_rec_regset and data, of the thread before
 * @CKPT_REC_THREAD_END: no payload, ends a thread
 * @CKPT_REC_PROCESS_END: no payload, ends a thread group
 * @CKPT_REC_INDEX: array of struct ckpt_rec_index_entry; skippable
 * @CKPT_REC_TRAILER: struct ckpt_rec_trailer, makes the image complete
 * @CKPT_REC_PIPE: struct ckpt_rec_pipe and its content; has a tag
 * @CKPT_REC_EVENT: struct ckpt_rec_event; has a tag
 * @CKPT_REC_EPOLL: array of struct ckpt_rec_epoll_item; has a tag
 * @CKPT_REC_INOTIFY: struct ckpt_rec_inotify and its watches and events; has a tag
 * @CKPT_REC_USE: struct ckpt_rec_use, in place of what the process shares
 * @CKPT_REC_SECCOMP: struct ckpt_rec_seccomp and its program; has a tag
 * @CKPT_REC_ATTRS: struct ckpt_rec_attrs, of the thread before
 * @CKPT_REC_VMA_NAMES: array of struct ckpt_rec_vma_name
 * @CKPT_REC_LDT: array of __u64, local descriptor table of a process
 * @CKPT_REC_IO_PORTS: array of struct ckpt_rec_io_ports, of the thread before
 * @CKPT_REC_USAGE: struct ckpt_rec_usage
 * @CKPT_REC_TIMERS: struct ckpt_rec_timers
 * @CKPT_REC_POSIX_TIMERS: array of struct ckpt_rec_posix_timer
 * @CKPT_REC_THREAD_USAGE: struct ckpt_rec_thread_usage, of the thread before
 * @CKPT_REC_SHMEM: struct ckpt_rec_shmem and its name; has a tag
 * @CKPT_REC_SHMEM_DATA: struct ckpt_rec_shmem_data and so many bytes
 * @CKPT_REC_NAMESPACES: array of struct ckpt_rec_namespace, behind the tree
 * @CKPT_REC_ID_MAPS: array of struct ckpt_rec_id_map, behind the namespaces
 * @CKPT_REC_PIDS: array of struct ckpt_rec_pid, behind the maps
 * @CKPT_REC_CGROUP: struct ckpt_rec_cgroup and its path, behind tree and namespaces
 * @CKPT_REC_VMA_POLICIES: array of struct ckpt_rec_vma_policy
 * @CKPT_REC_SYSV_SHM: struct ckpt_rec_sysv_shm; has a tag
 * @CKPT_REC_SOCKET: struct ckpt_rec_socket and its filter; has a tag
 * @CKPT_REC_UNIX: struct ckpt_rec_unix, groups, name and path, of a socket before
 * @CKPT_REC_UNIX_MSG: struct ckpt_rec_unix_msg, its files and bytes, of a socket before
 * @CKPT_REC_TERMINAL: struct ckpt_rec_terminal, of the first process
 * @CKPT_REC_MEMORY: struct ckpt_rec_memory; the record behind it, PAGES, VMA_POLICIES
 *	or HUGE_REGIONS, is about this memory, and has offsets for addresses
 * @CKPT_REC_HUGETLB: struct ckpt_rec_hugetlb and its name; has a tag
 * @CKPT_REC_HUGE_REGIONS: array of struct ckpt_rec_huge_region, behind MEMORY
 * @CKPT_REC_AIO: struct ckpt_rec_aio and its ring
 * @CKPT_REC_INET: struct ckpt_rec_inet and its options, of a socket before
 * @CKPT_REC_TCP: struct ckpt_rec_tcp and its bytes, behind the sockets of both ends
 * @CKPT_REC_IO_URING: struct ckpt_rec_io_uring, its rings and submissions; has a tag
 * @CKPT_REC_IO_REGISTERED: struct ckpt_rec_io_registered and its slots, of an IO_URING
 *	before
 * @CKPT_REC_IO_BUFFERS: struct ckpt_rec_io_buffers and its buffers, of an IO_URING before
 * @CKPT_REC_IO_RINGS: array of struct ckpt_rec_io_ring, of a process
 * @CKPT_REC_NR: first unknown type
 */
enum ckpt_rec_type {
	CKPT_REC_HEADER		= 1,
	CKPT_REC_TREE,
	CKPT_REC_PROCESS,
	CKPT_REC_FILE,
	CKPT_REC_MM,
	CKPT_REC_VMAS,
	CKPT_REC_PAGES,
	CKPT_REC_SUMS,
	CKPT_REC_MM_END,
	CKPT_REC_FS,
	CKPT_REC_FDS,
	CKPT_REC_SIGHAND,
	CKPT_REC_SIGPENDING,
	CKPT_REC_THREAD,
	CKPT_REC_CRED,
	CKPT_REC_REGSET,
	CKPT_REC_THREAD_END,
	CKPT_REC_PROCESS_END,
	CKPT_REC_INDEX,
	CKPT_REC_TRAILER,
	CKPT_REC_PIPE,
	CKPT_REC_USE,
	CKPT_REC_SECCOMP,
	CKPT_REC_ATTRS,
	CKPT_REC_VMA_NAMES,
	CKPT_REC_LDT,
	CKPT_REC_IO_PORTS,
	CKPT_REC_USAGE,
	CKPT_REC_TIMERS,
	CKPT_REC_POSIX_TIMERS,
	CKPT_REC_THREAD_USAGE,
	CKPT_REC_SHMEM,
	CKPT_REC_SHMEM_DATA,
	CKPT_REC_NAMESPACES,
	CKPT_REC_ID_MAPS,
	CKPT_REC_PIDS,
	CKPT_REC_CGROUP,
	CKPT_REC_VMA_POLICIES,
	CKPT_REC_SYSV_SHM,
	CKPT_REC_EVENT,
	CKPT_REC_EPOLL,
	CKPT_REC_INOTIFY,
	CKPT_REC_SHARED_PAGES,
	CKPT_REC_PTY,
	CKPT_REC_UNLINKED,
	CKPT_REC_LOCKS,
	CKPT_REC_FILE_STATE,
	CKPT_REC_SOCKET,
	CKPT_REC_UNIX,
	CKPT_REC_UNIX_MSG,
	CKPT_REC_TERMINAL,
	CKPT_REC_MEMORY,
	CKPT_REC_HUGETLB,
	CKPT_REC_HUGE_REGIONS,
	CKPT_REC_AIO,
	CKPT_REC_INET,
	CKPT_REC_TCP,
	CKPT_REC_IO_URING,
	CKPT_REC_IO_REGISTERED,
	CKPT_REC_IO_BUFFERS,
	CKPT_REC_IO_RINGS,
	CKPT_REC_NR
};

#define CKPT_RECF_SKIPPABLE	(1U << 0)	/* a reader may ignore it */
#define CKPT_RECF_PACKED	(1U << 1)	/* the payload is a struct ckpt_rec_packed */

/**
 * struct ckpt_rec - head of every record
 * @type: enum ckpt_rec_type
 * @flags: CKPT_RECF_*
 * @tag: the number by which later records name this object, or 0
 * @unit: bytes of the payload's struct, or of one element where it is an array,
 *	unpacked;
 *	more than the reader knows: what it does not know must be zero;
 *	less: what is missing counts as zero
 * @length: bytes of payload; zero bytes pad it to a multiple of 8
 * @sum: xxh64, seed 0, of this head (with sum 0), the payload and its padding
 */
struct ckpt_rec {
	__u32 type;
	__u32 flags;
	__u32 tag;
	__u32 unit;
	__aligned_u64 length;
	__aligned_u64 sum;
};

/**
 * struct ckpt_rec_packed - payload of a packed record; the packed bytes follow
 * @length: bytes of payload when it is unpacked
 */
struct ckpt_rec_packed {
	__aligned_u64 length;
};

/**
 * struct ckpt_rec_header - what wrote the image, when, and what it needs
 * @magic: CKPT_IMAGE_MAGIC
 * @version: CKPT_IMAGE_VERSION
 * @byte_order: CKPT_IMAGE_BYTE_ORDER
 * @arch: ELF machine number
 * @page_size: in bytes
 * @features: features that a reader may ignore; none yet
 * @need_features: features that a reader must know; none yet
 * @time_ns: CLOCK_REALTIME of the save, in nanoseconds
 * @image_id: random
 * @cpu_features: extended processor state in use, as XCR0 has it (x86)
 * @release: of uname(2)
 * @version_text: of uname(2)
 * @machine: of uname(2)
 * @reserved: 0
 */
struct ckpt_rec_header {
	__aligned_u64 magic;
	__u32 version;
	__u32 byte_order;
	__u32 arch;
	__u32 page_size;
	__aligned_u64 features;
	__aligned_u64 need_features;
	__aligned_u64 time_ns;
	__u8 image_id[16];
	__aligned_u64 cpu_features;
	char release[65];
	char version_text[65];
	char machine[65];
	__u8 reserved[5];
};

/**
 * struct ckpt_rec_tree - the tree; @nr_tasks struct ckpt_rec_task follow
 * @nr_tasks: threads of all processes
 * @nr_processes: thread groups
 * @nr_namespaces: namespaces inside of the tree; if there are any, NAMESPACES,
 *	ID_MAPS and PIDS records follow the tree, in this order
 * @nr_cgroups: CGROUP records that follow then
 *
 * The root process comes first. Each leader is directly before its threads, and
 * each process behind its parent.
 */
struct ckpt_rec_tree {
	__u32 nr_tasks;
	__u32 nr_processes;
	__u32 nr_namespaces;
	__u32 nr_cgroups;
};

/* ckpt_rec_task.flags */
#define CKPT_TASKF_DEAD		(1U << 0)	/* has exited: a zombie, or the leader of others */
#define CKPT_TASKF_VFORK	(1U << 1)	/* its parent waits in vfork(2) for it */
#define CKPT_TASKF_NO_EXEC	(1U << 2)	/* has not executed a program since fork(2) */
#define CKPT_TASKF_PARENT_EXEC	(1U << 3)	/* its parent has executed one since */
#define CKPT_TASKF_FOREGROUND	(1U << 4)	/* its group had the terminal from outside */
#define CKPT_TASKF_ALL		((1U << 5) - 1)

/**
 * struct ckpt_rec_task - one thread; ids are those of the caller's pid namespace
 * @tid: thread id
 * @tgid: process id; equals @tid for the leader
 * @parent: leader: tid of the thread that is its parent, 0 for the root
 * @pgid: leader: process group, 0: a group from outside of the tree
 * @sid: leader: session, 0: a session from outside of the tree
 * @exit_signal: leader: what its end sends to the parent, 0: nothing; the root
 *	sends SIGCHLD to the restarter
 * @exit_code: dead: as wait(2) gives it
 * @flags: CKPT_TASKF_*
 * @mm_owner: leader: earlier process of which it shares the address space, 0: none
 * @pid_ns: number of its pid namespace, 0: the caller's
 * @children_pid_ns: number of that in which its children will be
 * @cgroup: number of its cgroup, that of the first CGROUP record is 1; 0: none
 *
 * A group or session whose leader is not in the tree has lost it.
 */
struct ckpt_rec_task {
	__u32 tid;
	__u32 tgid;
	__u32 parent;
	__u32 pgid;
	__u32 sid;
	__u32 exit_signal;
	__u32 exit_code;
	__u32 flags;
	__u32 mm_owner;
	__u32 pid_ns;
	__u32 children_pid_ns;
	__u32 cgroup;
};

/* ckpt_rec_namespace.type */
#define CKPT_NS_USER		1U
#define CKPT_NS_PID		2U

/* ckpt_rec_namespace.flags */
#define CKPT_NSF_SETGROUPS	(1U << 0)	/* user: setgroups(2) is not denied */
#define CKPT_NSF_ALL		((1U << 1) - 1)

/**
 * struct ckpt_rec_namespace - a namespace that was made inside of the tree
 * @type: CKPT_NS_*
 * @flags: CKPT_NSF_*
 * @parent: number of the namespace of this type above it, 0: the caller's
 * @owner: pid: number of the user namespace that owns it, 0: the caller's
 * @uid: user: who has made it, in the caller's user namespace
 * @gid: user: the group of who has made it
 * @next_pid: pid: from where on the next pid is looked for
 * @reserved: 0
 *
 * The first one has number 1. What a namespace names is before it.
 */
struct ckpt_rec_namespace {
	__u32 type;
	__u32 flags;
	__u32 parent;
	__u32 owner;
	__u32 uid;
	__u32 gid;
	__u32 next_pid;
	__u32 reserved;
};

/* ckpt_rec_id_map.kind */
#define CKPT_ID_UID		0U
#define CKPT_ID_GID		1U
#define CKPT_ID_PROJID		2U

/**
 * struct ckpt_rec_id_map - a line of a map of user_namespaces(7)
 * @ns: number of the user namespace
 * @kind: CKPT_ID_*
 * @first: first id in the namespace
 * @lower: first id in the namespace above it
 * @count: how many
 * @reserved: 0
 */
struct ckpt_rec_id_map {
	__u32 ns;
	__u32 kind;
	__u32 first;
	__u32 lower;
	__u32 count;
	__u32 reserved;
};

/**
 * struct ckpt_rec_pid - number that a pid has in a namespace of the tree
 * @pid: its number in the caller's pid namespace, as other records have it
 * @ns: number of the pid namespace
 * @nr: its number there
 * @reserved: 0
 *
 * Those of one pid follow each other, from outside to inside.
 */
struct ckpt_rec_pid {
	__u32 pid;
	__u32 ns;
	__u32 nr;
	__u32 reserved;
};

/**
 * struct ckpt_rec_cgroup - a cgroup of the unified hierarchy; the path follows
 * @path_len: bytes of the path, without a terminating zero
 * @reserved: 0
 *
 * The path begins with a slash. It is relative to the root of the cgroup namespace
 * of the caller of checkpoint(), and begins with "/.." if it is not below that.
 */
struct ckpt_rec_cgroup {
	__u32 path_len;
	__u32 reserved;
};

/**
 * struct ckpt_rec_use - a process shares what another one has brought along
 * @type: CKPT_REC_MM, CKPT_REC_FDS, CKPT_REC_FS or CKPT_REC_SIGHAND
 * @tag: of that record
 */
struct ckpt_rec_use {
	__u32 type;
	__u32 tag;
};

#define CKPT_NR_RLIMITS		16

/* ckpt_rec_process.flags */
#define CKPT_PROC_STOPPED	(1U << 0)	/* stopped by job control */
#define CKPT_PROC_SUBREAPER	(1U << 1)	/* PR_SET_CHILD_SUBREAPER */
#define CKPT_PROC_STOPPING	(1U << 2)	/* job control is about to stop it */
#define CKPT_PROC_CONTINUED	(1U << 3)	/* its parent may still learn of a SIGCONT */
#define CKPT_PROC_TERMINAL	(1U << 4)	/* has a controlling terminal */
#define CKPT_PROC_ALL		((1U << 5) - 1)

struct ckpt_rec_rlimit {
	__aligned_u64 soft;	/* all ones: no limit */
	__aligned_u64 hard;
};

/**
 * struct ckpt_rec_process - state that the threads of a process share
 * @tgid: process id
 * @nr_threads: including the leader
 * @flags: CKPT_PROC_*
 * @stop_signal: the signal that stopped it
 * @stop_code: what a parent that waits for the stop still learns, or 0
 * @oom_score_adj: of proc(5)
 * @oom_score_adj_min: what it may be set to without CAP_SYS_RESOURCE
 * @reserved: 0
 * @rlimits: by resource number of getrlimit(2)
 */
struct ckpt_rec_process {
	__u32 tgid;
	__u32 nr_threads;
	__u32 flags;
	__u32 stop_signal;
	__s32 oom_score_adj;
	__u32 stop_code;
	__s32 oom_score_adj_min;
	__u32 reserved;
	struct ckpt_rec_rlimit rlimits[CKPT_NR_RLIMITS];
};

/* ckpt_rec_file.kind */
#define CKPT_FILE_PATH		1U	/* opened by its path */
#define CKPT_FILE_EXTERNAL	2U	/* handed over by the restarter */
#define CKPT_FILE_PIPE		3U	/* end of a pipe that is in the image */
#define CKPT_FILE_SHMEM		4U	/* shared memory that is in the image */
#define CKPT_FILE_SYSV_SHM	5U	/* System V shared memory, mapped by shmat(2) */
#define CKPT_FILE_EVENTFD	6U	/* of eventfd(2) */
#define CKPT_FILE_TIMERFD	7U	/* of timerfd_create(2) */
#define CKPT_FILE_SIGNALFD	8U	/* of signalfd(2) */
#define CKPT_FILE_PIDFD		9U	/* of pidfd_open(2) */
#define CKPT_FILE_EPOLL		10U	/* of epoll_create(2) */
#define CKPT_FILE_INOTIFY	11U	/* of inotify_init(2) */
#define CKPT_FILE_PTY		12U	/* end of a pseudoterminal that is in the image */
#define CKPT_FILE_TERMINAL	13U	/* /dev/tty: the restarter's terminal */
#define CKPT_FILE_UNLINKED	14U	/* file or directory that has no name any more */
#define CKPT_FILE_OPATH		15U	/* opened by its path, with O_PATH */
#define CKPT_FILE_FIFO		16U	/* end of a FIFO, opened by its path */
#define CKPT_FILE_PROCFS	17U	/* of /proc or sysfs, opened by its path */
#define CKPT_FILE_SOCKET	18U	/* socket that is in the image */
#define CKPT_FILE_HUGETLB	19U	/* memory of huge pages that is in the image */
#define CKPT_FILE_NAMESPACE	20U	/* of /proc/PID/ns, by its type */
#define CKPT_FILE_IO_URING	21U	/* of io_uring_setup(2) */
#define CKPT_FILE_NR		22U	/* first unknown kind */

/* ckpt_rec_file.flags */
#define CKPT_FILEF_READ		(1U << 0)
#define CKPT_FILEF_WRITE	(1U << 1)
#define CKPT_FILEF_APPEND	(1U << 2)
#define CKPT_FILEF_NONBLOCK	(1U << 3)
#define CKPT_FILEF_DSYNC	(1U << 4)
#define CKPT_FILEF_SYNC		(1U << 5)
#define CKPT_FILEF_DIRECT	(1U << 6)
#define CKPT_FILEF_DIRECTORY	(1U << 7)
#define CKPT_FILEF_NOATIME	(1U << 8)
#define CKPT_FILEF_LARGEFILE	(1U << 9)
#define CKPT_FILEF_NOFOLLOW	(1U << 10)
#define CKPT_FILEF_EXEC		(1U << 11)	/* opened as a program to execute */
#define CKPT_FILEF_IMAGE	(1U << 12)	/* the image itself, which was still growing */
#define CKPT_FILEF_THREAD	(1U << 13)	/* PIDFD_THREAD of pidfd_open(2) */
#define CKPT_FILEF_NO_WRITER	(1U << 14)	/* FIFO: no writer has come since it was opened */
#define CKPT_FILEF_TMPFILE	(1U << 15)	/* opened with O_TMPFILE */
#define CKPT_FILEF_GONE		(1U << 16)	/* of /proc: its process or thread has ended */
#define CKPT_FILEF_HUNG_UP	(1U << 17)	/* of a terminal: hung up since it was opened */
#define CKPT_FILEF_ALL		((1U << 18) - 1)

/* ckpt_rec_file.std_fd */
#define CKPT_NO_STREAM		0xffffffffU

/**
 * struct ckpt_rec_file - one open file; the path follows
 * @kind: CKPT_FILE_*
 * @flags: CKPT_FILEF_*
 * @pos: file offset
 * @size: in bytes; compared for regular files other than the image
 * @mtime_ns: modification time; compared for regular files other than the image
 * @ino: inode number; compared on the same file system, unless it is a program
 * @dev: device number as makedev(3) gives it, for information
 * @rdev: device number of a device file; compared
 * @generation: inode generation; compared as @ino
 * @mode: type and permission bits, as in stat(2); the type is compared
 * @std_fd: external: the standard stream (0, 1 or 2) that it is, or
 *	CKPT_NO_STREAM: it has to be supplied by its key
 * @path_len: bytes of the path, without a terminating zero
 * @build_id_len: bytes of @build_id in use, 0: not an ELF file or none
 * @build_id: build-id of a mapped ELF file; compared, and in place of @mtime_ns
 * @object: other kinds: tag of the PIPE, SHMEM, SYSV_SHM, EVENT, EPOLL, INOTIFY, PTY,
 *	UNLINKED, SOCKET or HUGETLB record; in /proc: number of the process, in the
 *	path, 0: none
 *	UNLINKED or SOCKET record; in /proc: number of the process, in the path, 0: none;
 *	namespace: its number, 0: the restarter's
 * @reserved: 0
 * @fs_uuid: of the file system, 0: it has none
 *
 * The path is the file's name below the root directory of the task that
 * called checkpoint(). For an external file it is its key.
 */
struct ckpt_rec_file {
	__u32 kind;
	__u32 flags;
	__aligned_u64 pos;
	__aligned_u64 size;
	__aligned_s64 mtime_ns;
	__aligned_u64 ino;
	__aligned_u64 dev;
	__aligned_u64 rdev;
	__aligned_u64 generation;
	__u32 mode;
	__u32 std_fd;
	__u32 path_len;
	__u32 build_id_len;
	__u8 build_id[32];
	__u32 object;
	__u32 reserved;
	__u8 fs_uuid[16];
};

/* ckpt_rec_pipe.flags */
#define CKPT_PIPE_FIFO		(1U << 0)	/* its ends are opened by a path */
#define CKPT_PIPE_ALL		((1U << 1) - 1)

#define CKPT_PIPE_PACKET	(1U << 31)	/* with the length of a packet */

/**
 * struct ckpt_rec_pipe - a pipe; lengths of its pieces, and its content follow
 * @capacity: in bytes, of fcntl(2), F_GETPIPE_SZ
 * @data_len: bytes of content
 * @flags: CKPT_PIPE_*
 * @nr_pieces: pieces of the content, 0: it has no packets (O_DIRECT); for each a
 *	__u32 with its length, and CKPT_PIPE_PACKET if it is one
 */
struct ckpt_rec_pipe {
	__u32 capacity;
	__u32 data_len;
	__u32 flags;
	__u32 nr_pieces;
};

/* ckpt_rec_socket.flags: options of socket(7), where nothing else is said */
#define CKPT_SOCK_OOBINLINE	(1U << 0)	/* SO_OOBINLINE */
#define CKPT_SOCK_KEEPALIVE	(1U << 1)	/* SO_KEEPALIVE */
#define CKPT_SOCK_LINGER	(1U << 2)	/* SO_LINGER is on */
#define CKPT_SOCK_BROADCAST	(1U << 3)	/* SO_BROADCAST */
#define CKPT_SOCK_DEBUG		(1U << 4)	/* SO_DEBUG */
#define CKPT_SOCK_TIMESTAMP	(1U << 5)	/* SO_TIMESTAMP or SO_TIMESTAMPNS */
#define CKPT_SOCK_TIMESTAMPNS	(1U << 6)	/* SO_TIMESTAMPNS */
#define CKPT_SOCK_TIMESTAMP_NEW	(1U << 7)	/* with 64-bit times */
#define CKPT_SOCK_DONTROUTE	(1U << 8)	/* SO_DONTROUTE */
#define CKPT_SOCK_RXQ_OVFL	(1U << 9)	/* SO_RXQ_OVFL */
#define CKPT_SOCK_ZEROCOPY	(1U << 10)	/* SO_ZEROCOPY */
#define CKPT_SOCK_WIFI_STATUS	(1U << 11)	/* SO_WIFI_STATUS */
#define CKPT_SOCK_NOFCS		(1U << 12)	/* SO_NOFCS */
#define CKPT_SOCK_LOCK_FILTER	(1U << 13)	/* SO_LOCK_FILTER */
#define CKPT_SOCK_SELECT_ERR	(1U << 14)	/* SO_SELECT_ERR_QUEUE */
#define CKPT_SOCK_TXTIME	(1U << 15)	/* SO_TXTIME */
#define CKPT_SOCK_TXTIME_LATE	(1U << 16)	/* its SOF_TXTIME_DEADLINE_MODE */
#define CKPT_SOCK_TXTIME_ERRORS	(1U << 17)	/* its SOF_TXTIME_REPORT_ERRORS */
#define CKPT_SOCK_RCVMARK	(1U << 18)	/* SO_RCVMARK */
#define CKPT_SOCK_REUSEADDR	(1U << 19)	/* SO_REUSEADDR */
#define CKPT_SOCK_REUSEPORT	(1U << 20)	/* SO_REUSEPORT */
#define CKPT_SOCK_PASSCRED	(1U << 21)	/* SO_PASSCRED */
#define CKPT_SOCK_PASSPIDFD	(1U << 22)	/* SO_PASSPIDFD */
#define CKPT_SOCK_PASSSEC	(1U << 23)	/* SO_PASSSEC */
#define CKPT_SOCK_SNDBUF_SET	(1U << 24)	/* SOCK_SNDBUF_LOCK of SO_BUF_LOCK */
#define CKPT_SOCK_RCVBUF_SET	(1U << 25)	/* SOCK_RCVBUF_LOCK of SO_BUF_LOCK */
#define CKPT_SOCK_NO_CHECK	(1U << 26)	/* SO_NO_CHECK */
#define CKPT_SOCK_PREFER_BUSY	(1U << 27)	/* SO_PREFER_BUSY_POLL */
#define CKPT_SOCK_NOSPACE	(1U << 28)	/* O_ASYNC: a signal for room to write is due */
#define CKPT_SOCK_NO_FILE	(1U << 29)	/* nobody has it open: is closed, or not accepted */
#define CKPT_SOCK_STAMPS	(1U << 30)	/* it notes when packets arrive (SIOCGSTAMP) */
#define CKPT_SOCK_ALL		((1U << 31) - 1)

/**
 * struct ckpt_rec_socket - what all sockets have; a filter follows
 * @family: AF_*
 * @type: SOCK_*
 * @protocol: of socket(2)
 * @state: TCP_*, as /proc/net/tcp shows it: 1: connected, 7: closed, 10: listening
 * @connected: SS_* of linux/net.h
 * @shutdown: 1: for receiving, 2: for sending
 * @flags: CKPT_SOCK_*
 * @mode: permission bits of its inode
 * @uid: owner of its inode
 * @gid: group of its inode
 * @rcvbuf: SO_RCVBUF
 * @sndbuf: SO_SNDBUF
 * @rcvlowat: SO_RCVLOWAT
 * @peek_off: SO_PEEK_OFF
 * @priority: SO_PRIORITY
 * @mark: SO_MARK
 * @error: SO_ERROR, a positive number of errno(3)
 * @soft_error: the same, of errors that do not end it
 * @backlog: of listen(2); of datagram sockets: messages that it takes
 * @busy_poll: SO_BUSY_POLL
 * @busy_budget: SO_BUSY_POLL_BUDGET
 * @timestamping: flags of SO_TIMESTAMPING
 * @timestamp_key: number of the next timestamp of what is sent
 * @zerocopy_key: number of the next message of MSG_ZEROCOPY
 * @drops: messages that were dropped
 * @incoming_cpu: SO_INCOMING_CPU
 * @txtime_clock: SO_TXTIME: its clock
 * @linger: SO_LINGER, in seconds
 * @txrehash: SO_TXREHASH
 * @nr_insns: instructions of the filter, 0: none; 8 bytes each
 * @rcvtimeo_ns: SO_RCVTIMEO, -1: none
 * @sndtimeo_ns: SO_SNDTIMEO, -1: none
 * @pacing_rate: SO_MAX_PACING_RATE
 * @stamp_ns: SIOCGSTAMP: arrival of the last packet, -1: not known
 * @device: SO_BINDTODEVICE
 *
 * A socket with CKPT_SOCK_NO_FILE has no @connected, @mode, @uid and @gid. Of families
 * other than AF_INET and AF_INET6, and in older images, it has only @family, @type,
 * @protocol, @state, @shutdown, @error, and what its family needs.
 */
struct ckpt_rec_socket {
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 state;
	__u32 connected;
	__u32 shutdown;
	__u32 flags;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__s32 rcvbuf;
	__s32 sndbuf;
	__s32 rcvlowat;
	__s32 peek_off;
	__u32 priority;
	__u32 mark;
	__u32 error;
	__u32 soft_error;
	__u32 backlog;
	__u32 busy_poll;
	__u32 busy_budget;
	__u32 timestamping;
	__u32 timestamp_key;
	__u32 zerocopy_key;
	__u32 drops;
	__s32 incoming_cpu;
	__u32 txtime_clock;
	__u32 linger;
	__u32 txrehash;
	__u32 nr_insns;
	__aligned_s64 rcvtimeo_ns;
	__aligned_s64 sndtimeo_ns;
	__aligned_u64 pacing_rate;
	__aligned_s64 stamp_ns;
	char device[16];
};

/* ckpt_rec_unix.flags */
#define CKPT_UNIX_BOUND		(1U << 0)	/* others find it by its name */
#define CKPT_UNIX_FILE		(1U << 1)	/* the name is that of a file, at the path */
#define CKPT_UNIX_CLOSED	(1U << 2)	/* it is closed; others still refer to it */
#define CKPT_UNIX_PEER_CRED	(1U << 3)	/* it knows who the peer is */
#define CKPT_UNIX_PEER_GONE	(1U << 4)	/* that process is not, or no longer, in the tree */
#define CKPT_UNIX_ALL		((1U << 5) - 1)

/**
 * struct ckpt_rec_unix - what a socket of AF_UNIX has; groups, name, path follow
 * @socket: tag of the socket
 * @peer: tag of the socket to which it is connected, 0: none
 * @listener: tag of the socket that has yet to accept it, 0: none
 * @flags: CKPT_UNIX_*
 * @name_len: bytes of the name: sun_path of unix(7), 0: none
 * @path_len: bytes of the file's path, without a terminating zero
 * @nr_groups: SO_PEERGROUPS: groups of the peer, a __u32 each
 * @peer_pid: SO_PEERCRED: process of the peer, 0: unknown
 * @peer_uid: SO_PEERCRED: its user
 * @peer_gid: SO_PEERCRED: its group
 * @mode: of the file: permission bits
 * @uid: of the file: owner
 * @gid: of the file: group
 * @reserved: 0
 * @ino: of the file: inode number; compared on the same file system
 * @generation: of the file: inode generation; compared as @ino
 * @fs_uuid: of its file system, 0: it has none
 */
struct ckpt_rec_unix {
	__u32 socket;
	__u32 peer;
	__u32 listener;
	__u32 flags;
	__u32 name_len;
	__u32 path_len;
	__u32 nr_groups;
	__u32 peer_pid;
	__u32 peer_uid;
	__u32 peer_gid;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 reserved;
	__aligned_u64 ino;
	__aligned_u64 generation;
	__u8 fs_uuid[16];
};

/* ckpt_rec_unix_msg.flags */
#define CKPT_MSG_CRED		(1U << 0)	/* it says who has sent it */
#define CKPT_MSG_OOB		(1U << 1)	/* its byte is out of band (MSG_OOB) */
#define CKPT_MSG_READ		(1U << 2)	/* its byte, out of band, was read */
#define CKPT_MSG_GONE		(1U << 3)	/* its process is not, or no longer, in the tree */
#define CKPT_MSG_ALL		((1U << 4) - 1)

#define CKPT_NO_ID		0xffffffffU	/* a user or group is not known */

/**
 * struct ckpt_rec_unix_msg - a message that waits in a socket; files, bytes follow
 * @socket: tag of the socket in which it is, after those before
 * @sender: tag of the socket that has sent it
 * @flags: CKPT_MSG_*
 * @len: bytes, without those of a stream that were read
 * @truesize: bytes that it takes from the sender's buffer
 * @nr_files: descriptors under way with it: tags of open files, a __u32 each
 * @pid: process of SCM_CREDENTIALS, 0: unknown
 * @uid: user of SCM_CREDENTIALS, or CKPT_NO_ID
 * @gid: group of SCM_CREDENTIALS, or CKPT_NO_ID
 * @reserved: 0
 * @stamp_ns: when it was sent (SO_TIMESTAMP), 0: not known
 */
struct ckpt_rec_unix_msg {
	__u32 socket;
	__u32 sender;
	__u32 flags;
	__u32 len;
	__u32 truesize;
	__u32 nr_files;
	__u32 pid;
	__u32 uid;
	__u32 gid;
	__u32 reserved;
	__aligned_s64 stamp_ns;
};

/* ckpt_rec_inet.flags */
#define CKPT_INET_BOUND		(1U << 0)	/* it has its local port */
#define CKPT_INET_BIND_ADDR	(1U << 1)	/* bind(2) has said which address */
#define CKPT_INET_BIND_PORT	(1U << 2)	/* bind(2) or the program has said which port */
#define CKPT_INET_DONE		(1U << 3)	/* TCP: the other end sends no more */
#define CKPT_INET_ALL		((1U << 4) - 1)

/**
 * struct ckpt_rec_inet_addr - an address and a port
 * @addr: as in struct sockaddr_in, or sockaddr_in6; rest 0
 * @scope: of IPv6: index of the network device of a link-local address
 * @port: port, 0: none
 * @reserved: 0
 */
struct ckpt_rec_inet_addr {
	__u8 addr[16];
	__u32 scope;
	__u16 port;
	__u16 reserved;
};

/**
 * struct ckpt_rec_inet_option - an integer that setsockopt(2) has set
 * @level: SOL_IP, SOL_IPV6, SOL_TCP or SOL_UDP
 * @name: of the option
 * @value: what getsockopt(2) tells
 */
struct ckpt_rec_inet_option {
	__u16 level;
	__u16 name;
	__s32 value;
};

/**
 * struct ckpt_rec_inet - what a socket of AF_INET or AF_INET6 has; options follow
 * @socket: tag of the socket
 * @flags: CKPT_INET_*
 * @nr_options: struct ckpt_rec_inet_option, those of the table of inet.c
 * @user_mss: TCP_MAXSEG, 0: not set
 * @local: its address
 * @peer: where it is, or was, connected to
 * @congestion: TCP_CONGESTION, without a terminating zero if all are in use
 * @syn_device: of an accepted connection: device on which it has arrived, 0: none
 * @syn_ttl: its TTL or hop limit then
 * @syn_tos: its TOS then, or flow information in network order
 * @reserved: 0
 */
struct ckpt_rec_inet {
	__u32 socket;
	__u32 flags;
	__u32 nr_options;
	__u32 user_mss;
	struct ckpt_rec_inet_addr local;
	struct ckpt_rec_inet_addr peer;
	char congestion[16];
	__u32 syn_device;
	__u32 syn_ttl;
	__u32 syn_tos;
	__u32 reserved;
};

/* ckpt_rec_tcp_end.flags */
#define CKPT_TCP_FIN_SENT	(1U << 0)	/* sends no more (shutdown(2), close(2)) */
#define CKPT_TCP_FIN_SEEN	(1U << 1)	/* the other end has been told */
#define CKPT_TCP_NONE		(1U << 2)	/* the kernel has forgotten this end */
#define CKPT_TCP_PINGPONG	(1U << 3)	/* acknowledges with data (TCP_QUICKACK is off) */
#define CKPT_TCP_END_ALL	((1U << 4) - 1)

/**
 * struct ckpt_rec_tcp_end - one end of a connection
 * @socket: tag of its socket, 0: it is closed, or there is none
 * @flags: CKPT_TCP_FIN_SENT and the following
 * @listener: tag of the socket that has yet to accept it, 0: none
 * @place: place in the queue of @listener
 * @seq: sequence number of what it writes next
 * @unread: bytes that have arrived
 * @unsent: bytes that were written, and have not arrived at the other end
 * @window: bytes more that it has said to take
 * @max_window: largest window that it was ever offered
 * @window_clamp: TCP_WINDOW_CLAMP, or the one that the kernel has chosen
 * @rcv_ssthresh: largest window that it will offer now
 * @rcvq_space: what its reader has taken in a round trip
 * @mss: largest segment that it may send
 * @advmss: largest segment that it has said to take
 * @wscale: shift of the windows that it offers
 * @sndbuf: SO_SNDBUF; of one that is open, the SOCKET record's is the same
 * @rcvbuf: SO_RCVBUF; the same
 * @reserved: 0
 * @bytes_sent: as in struct tcp_info, without what was sent in vain
 * @bytes_received: as in struct tcp_info
 * @segs_in: as in struct tcp_info
 * @segs_out: the same
 * @data_segs_in: the same
 * @data_segs_out: the same
 */
struct ckpt_rec_tcp_end {
	__u32 socket;
	__u32 flags;
	__u32 listener;
	__u32 place;
	__u32 seq;
	__u32 unread;
	__u32 unsent;
	__u32 window;
	__u32 max_window;
	__u32 window_clamp;
	__u32 rcv_ssthresh;
	__u32 rcvq_space;
	__u32 mss;
	__u32 advmss;
	__u32 wscale;
	__s32 sndbuf;
	__s32 rcvbuf;
	__u32 reserved;
	__aligned_u64 bytes_sent;
	__aligned_u64 bytes_received;
	__u32 segs_in;
	__u32 segs_out;
	__u32 data_segs_in;
	__u32 data_segs_out;
};

/* ckpt_rec_tcp.flags: what the two ends have agreed upon */
#define CKPT_TCP_WSCALE		(1U << 0)	/* windows are shifted */
#define CKPT_TCP_SACK		(1U << 1)	/* selective acknowledgements */
#define CKPT_TCP_TIMESTAMPS	(1U << 2)	/* timestamps */
#define CKPT_TCP_ECN		(1U << 3)	/* explicit congestion notification */
#define CKPT_TCP_IPV6		(1U << 4)	/* the addresses are those of IPv6 */
#define CKPT_TCP_DEAD		(1U << 5)	/* there is no connection any more */
#define CKPT_TCP_ALL		((1U << 6) - 1)

/**
 * struct ckpt_rec_tcp - a connection of the tree, or what is left of one
 * @flags: CKPT_TCP_WSCALE and the following
 * @reserved: 0
 * @addr: address and port of each end; of IPv4 also for sockets of AF_INET6
 * @ends: the ends
 *
 * Of the first end, then of the second, there follow the bytes that have arrived,
 * then those that have not arrived at the other end.
 */
struct ckpt_rec_tcp {
	__u32 flags;
	__u32 reserved;
	struct ckpt_rec_inet_addr addr[2];
	struct ckpt_rec_tcp_end ends[2];
};

/* ckpt_rec_event.flags */
#define CKPT_EVENT_SEMAPHORE	(1U << 0)	/* eventfd: EFD_SEMAPHORE */
#define CKPT_EVENT_ARMED	(1U << 1)	/* timerfd: it will expire */
#define CKPT_EVENT_EXPIRED	(1U << 2)	/* timerfd: with an interval, reading arms it */
#define CKPT_EVENT_ABSOLUTE	(1U << 3)	/* timerfd: it expires at a time of its clock */
#define CKPT_EVENT_CANCEL	(1U << 4)	/* timerfd: canceled when the clock is set */
#define CKPT_EVENT_CANCELED	(1U << 5)	/* timerfd: that has happened, and was not read */
#define CKPT_EVENT_FLAG_ABSTIME	(1U << 6)	/* timerfd: TFD_TIMER_ABSTIME was given last */
#define CKPT_EVENT_FLAG_CANCEL	(1U << 7)	/* timerfd: TFD_TIMER_CANCEL_ON_SET was */
#define CKPT_EVENT_ALL		((1U << 8) - 1)

/**
 * struct ckpt_rec_event - state of an eventfd, timerfd, signalfd or pidfd
 * @kind: CKPT_FILE_EVENTFD, _TIMERFD, _SIGNALFD or _PIDFD
 * @flags: CKPT_EVENT_*
 * @value: eventfd: the count; timerfd: expiries that were not read; signalfd:
 *	mask of signals, bit 0 is signal 1; pidfd: id of the thread, 0: it was
 *	waited for already
 * @clock: timerfd: CLOCK_* of clock_gettime(2)
 * @reserved: 0
 * @expires_ns: timerfd: absolute: when it expires; otherwise the time to its
 *	expiry, negative: since
 * @interval_ns: timerfd: its interval
 */
struct ckpt_rec_event {
	__u32 kind;
	__u32 flags;
	__aligned_u64 value;
	__u32 clock;
	__u32 reserved;
	__aligned_s64 expires_ns;
	__aligned_s64 interval_ns;
};

/* ckpt_rec_epoll_item.flags */
#define CKPT_EPOLL_READY	(1U << 0)	/* it counts as ready */
#define CKPT_EPOLL_REPORTED	(1U << 1)	/* edge-triggered: what is there was reported */
#define CKPT_EPOLL_ALL		((1U << 2) - 1)

/**
 * struct ckpt_rec_epoll_item - a file that an epoll instance watches
 * @fd: number by which it was known when it was added
 * @file: tag of the file
 * @events: of epoll_ctl(2); without events: disabled by EPOLLONESHOT
 * @flags: CKPT_EPOLL_*
 * @data: of epoll_ctl(2)
 * @process: signalfd: id of the process for whose signals it waits, else 0
 * @reserved: 0
 *
 * Those that are ready come first, in the order in which they will be reported.
 */
struct ckpt_rec_epoll_item {
	__u32 fd;
	__u32 file;
	__u32 events;
	__u32 flags;
	__aligned_u64 data;
	__u32 process;
	__u32 reserved;
};

/**
 * struct ckpt_rec_inotify - an inotify instance
 * @next_wd: watch descriptor from which on a free one is searched for
 * @nr_watches: so many struct ckpt_rec_notify follow, each with its path
 * @nr_events: behind them so many, each with its name, were not read yet
 * @reserved: 0
 */
struct ckpt_rec_inotify {
	__u32 next_wd;
	__u32 nr_watches;
	__u32 nr_events;
	__u32 reserved;
};

/**
 * struct ckpt_rec_notify - a watch or an event; its name follows, padded with zeros
 *	to a multiple of 8 bytes
 * @wd: watch descriptor; event: -1: events were lost
 * @mask: of inotify(7); event: or bit 27: of a file in a directory
 * @cookie: event: of a renaming
 * @mode: watch: type of the file, as in stat(2), compared
 * @name_len: bytes of the path (watch) or of the name (event), without a zero
 * @reserved: 0
 */
struct ckpt_rec_notify {
	__s32 wd;
	__u32 mask;
	__u32 cookie;
	__u32 mode;
	__u32 name_len;
	__u32 reserved;
};

/* ckpt_rec_io_uring.flags: of io_uring_setup(2) */
#define CKPT_RING_CQSIZE	(1U << 0)	/* IORING_SETUP_CQSIZE */
#define CKPT_RING_CLAMP		(1U << 1)	/* IORING_SETUP_CLAMP */
#define CKPT_RING_SUBMIT_ALL	(1U << 2)	/* IORING_SETUP_SUBMIT_ALL */
#define CKPT_RING_COOP		(1U << 3)	/* IORING_SETUP_COOP_TASKRUN */
#define CKPT_RING_TASKRUN	(1U << 4)	/* IORING_SETUP_TASKRUN_FLAG */
#define CKPT_RING_SINGLE	(1U << 5)	/* IORING_SETUP_SINGLE_ISSUER */
#define CKPT_RING_DEFER		(1U << 6)	/* IORING_SETUP_DEFER_TASKRUN */
#define CKPT_RING_DISABLED	(1U << 7)	/* IORING_SETUP_R_DISABLED, not enabled yet */
#define CKPT_RING_SQE128	(1U << 8)	/* IORING_SETUP_SQE128 */
#define CKPT_RING_CQE32		(1U << 9)	/* IORING_SETUP_CQE32 */
#define CKPT_RING_NO_ARRAY	(1U << 10)	/* IORING_SETUP_NO_SQARRAY */
/* its state */
#define CKPT_RING_DRAIN_NEXT	(1U << 11)	/* the next submission is behind a drain */
#define CKPT_RING_DRAIN_ACTIVE	(1U << 12)	/* submissions are queued since a drain */
#define CKPT_RING_NO_DRAIN	(1U << 13)	/* there cannot be a drain any more */
#define CKPT_RING_TIMEOUTS	(1U << 14)	/* a timeout has waited for completions */
#define CKPT_RING_BOOTTIME	(1U << 15)	/* clock of IORING_REGISTER_CLOCK */
#define CKPT_RING_ACCOUNTED	(1U << 16)	/* memory is accounted for to @uid */
#define CKPT_RING_ALL		((1U << 17) - 1)

/**
 * struct ckpt_rec_io_uring - an instance of io_uring(7) with nothing under way
 * @flags: CKPT_RING_*
 * @sq_entries: of the submission queue, a power of two
 * @cq_entries: of the completion queue, a power of two, not less than @sq_entries
 * @submitter: tid of the thread that alone may submit, 0: any
 * @array_offset: where in the rings the indices of submissions are; compared
 * @sq_head: submissions that were taken
 * @cq_tail: completions that were posted
 * @cq_extra: difference between the two, for IOSQE_IO_DRAIN
 * @timeouts: completions of timeouts
 * @last_flush: completions when timeouts were last looked at
 * @next_personality: from where on a number for a personality is looked for
 * @uid: who accounts for memory, in the caller's user namespace
 * @rings_len: bytes of the rings that are here
 * @sqes_len: bytes of the submissions that are here
 * @nr_groups: groups of provided buffers that are here
 * @restricted: 1: only some operations are allowed once it is enabled
 * @sqe_flags_allowed: flags of a submission that may be set; IOSQE_*
 * @sqe_flags_required: flags that must be set
 * @reserved: 0
 * @register_ops: a bit for each operation of io_uring_register(2) that is allowed
 * @sqe_ops: a bit for each operation of a submission that is allowed
 *
 * The groups follow, as struct ckpt_rec_io_group, and for each of them its ring of
 * struct io_uring_buf or its buffers as struct ckpt_rec_io_provided; then the memory of
 * the rings and that of the submissions, each without the zero bytes at its end.
 */
struct ckpt_rec_io_uring {
	__u32 flags;
	__u32 sq_entries;
	__u32 cq_entries;
	__u32 submitter;
	__u32 array_offset;
	__u32 sq_head;
	__u32 cq_tail;
	__u32 cq_extra;
	__u32 timeouts;
	__u32 last_flush;
	__u32 next_personality;
	__u32 uid;
	__u32 rings_len;
	__u32 sqes_len;
	__u32 nr_groups;
	__u8 restricted;
	__u8 sqe_flags_allowed;
	__u8 sqe_flags_required;
	__u8 reserved;
	__aligned_u64 register_ops;
	__aligned_u64 sqe_ops[2];
};

/* ckpt_rec_io_group.flags */
#define CKPT_IO_GROUP_RING	(1U << 0)	/* of IORING_REGISTER_PBUF_RING */
#define CKPT_IO_GROUP_INC	(1U << 1)	/* IOU_PBUF_RING_INC */
#define CKPT_IO_GROUP_ALL	((1U << 2) - 1)

/**
 * struct ckpt_rec_io_group - a group of buffers that an instance was provided with
 * @addr: where the process has its ring; 0: the kernel has it, or there is none
 * @bgid: its number, above that of the one before
 * @flags: CKPT_IO_GROUP_*
 * @count: entries of its ring, a power of two, or buffers
 * @head: entries of the ring that were taken
 * @min_left: what has to be left of a buffer for it to be used again
 * @reserved: 0
 */
struct ckpt_rec_io_group {
	__aligned_u64 addr;
	__u32 bgid;
	__u32 flags;
	__u32 count;
	__u32 head;
	__u32 min_left;
	__u32 reserved;
};

/**
 * struct ckpt_rec_io_provided - a provided buffer
 * @addr: its address
 * @len: bytes
 * @bid: its number
 */
struct ckpt_rec_io_provided {
	__aligned_u64 addr;
	__u32 len;
	__u32 bid;
};

/* ckpt_rec_io_registered.flags */
#define CKPT_IO_EVENTFD		(1U << 0)	/* there is an eventfd */
#define CKPT_IO_EVENTFD_ASYNC	(1U << 1)	/* of IORING_REGISTER_EVENTFD_ASYNC */
#define CKPT_IO_REG_ALL		((1U << 2) - 1)

/**
 * struct ckpt_rec_io_registered - what is registered with an instance; slots follow
 * @ring: tag of the instance
 * @flags: CKPT_IO_*
 * @eventfd: tag of a file: completions are counted in it
 * @last_tail: completions when it was signalled last
 * @nr_files: slots of the table of files, 0: there is none
 * @alloc_start: first slot that the kernel may choose for a file
 * @alloc_end: behind the last one
 * @alloc_hint: from where on it looks for a free one
 * @nr_slots: slots in use, which follow
 * @reserved: 0
 */
struct ckpt_rec_io_registered {
	__u32 ring;
	__u32 flags;
	__u32 eventfd;
	__u32 last_tail;
	__u32 nr_files;
	__u32 alloc_start;
	__u32 alloc_end;
	__u32 alloc_hint;
	__u32 nr_slots;
	__u32 reserved;
};

/* ckpt_rec_io_slot.flags */
#define CKPT_IO_SLOT_NOWAIT	(1U << 0)	/* it could be asked not to wait */
#define CKPT_IO_SLOT_ALL	((1U << 1) - 1)

/**
 * struct ckpt_rec_io_slot - a registered file
 * @index: its slot, above that of the one before
 * @file: its tag
 * @flags: CKPT_IO_SLOT_*
 * @reserved: 0
 * @tag: what the program is told when the kernel lets the file go, 0: nothing
 */
struct ckpt_rec_io_slot {
	__u32 index;
	__u32 file;
	__u32 flags;
	__u32 reserved;
	__u64 tag;
};

/**
 * struct ckpt_rec_io_buffers - memory that is registered with an instance; buffers and
 *	rings follow
 * @ring: tag of the instance
 * @process: whose memory it is
 * @counted: process whose pinned memory it counts as, 0: none of the tree
 * @reserved: 0
 * @nr_slots: of the table of buffers, 0: there is none
 * @nr_buffers: slots in use, which follow
 * @nr_rings: rings of provided buffers, which follow as struct ckpt_rec_io_group
 * @reserved2: 0
 */
struct ckpt_rec_io_buffers {
	__u32 ring;
	__u32 process;
	__u32 counted;
	__u32 reserved;
	__u32 nr_slots;
	__u32 nr_buffers;
	__u32 nr_rings;
	__u32 reserved2;
};

/**
 * struct ckpt_rec_io_buffer - a registered buffer
 * @index: its slot, above that of the one before
 * @reserved: 0
 * @addr: its address
 * @length: bytes
 * @tag: what the program is told when the kernel lets the buffer go, 0: nothing
 */
struct ckpt_rec_io_buffer {
	__u32 index;
	__u32 reserved;
	__aligned_u64 addr;
	__aligned_u64 length;
	__aligned_u64 tag;
};

#define CKPT_IO_RING_SLOTS	16	/* instances that a thread may register */

/**
 * struct ckpt_rec_io_ring - an instance that a thread has registered with itself
 * @tid: the thread
 * @index: number that it uses instead of a descriptor, below CKPT_IO_RING_SLOTS
 * @file: tag of the open file
 * @reserved: 0
 */
struct ckpt_rec_io_ring {
	__u32 tid;
	__u32 index;
	__u32 file;
	__u32 reserved;
};

/* ckpt_rec_shmem.flags */
#define CKPT_SHMEM_NORESERVE	(1U << 0)	/* memory is accounted for when it is used */
#define CKPT_SHMEM_PRIVATE	(1U << 1)	/* only reached by mappings: shared anonymous */
#define CKPT_SHMEM_ALL		((1U << 2) - 1)

/**
 * struct ckpt_rec_shmem - shared memory that has no name; its former name follows
 * @size: in bytes
 * @seals: of fcntl(2), F_GET_SEALS
 * @mode: permission bits, as in stat(2)
 * @uid: its user, in the caller's user namespace
 * @gid: its group
 * @atime_ns: time of the last access
 * @mtime_ns: time of the last change
 * @flags: CKPT_SHMEM_*
 * @name_len: bytes of the name, which is only for people
 */
struct ckpt_rec_shmem {
	__aligned_u64 size;
	__u32 seals;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__aligned_s64 atime_ns;
	__aligned_s64 mtime_ns;
	__u32 flags;
	__u32 name_len;
};

/**
 * struct ckpt_rec_shmem_data - a piece of its content, which follows
 * @offset: in bytes; what no record has is a hole
 * @shmem: tag of the SHMEM, SYSV_SHM or UNLINKED record
 * @len: bytes, at most 1 MiB
 */
struct ckpt_rec_shmem_data {
	__aligned_u64 offset;
	__u32 shmem;
	__u32 len;
};

/**
 * struct ckpt_rec_memory - shared memory that the record behind this one is about
 * @memory: tag of the SHMEM, SYSV_SHM or HUGETLB record
 * @reserved: 0
 *
 * Of PAGES, with its sums: content, where there is none is a hole.
 */
struct ckpt_rec_memory {
	__u32 memory;
	__u32 reserved;
};

/**
 * struct ckpt_rec_hugetlb - memory of huge pages without a name; its former name follows
 * @size: in bytes
 * @atime_ns: time of the last access
 * @mtime_ns: time of the last change
 * @page_shift: binary logarithm of the size of its pages
 * @seals: of fcntl(2), F_GET_SEALS
 * @mode: permission bits, as in stat(2)
 * @uid: its user, in the caller's user namespace
 * @gid: its group
 * @name_len: bytes of the name, which is only for people
 */
struct ckpt_rec_hugetlb {
	__aligned_u64 size;
	__aligned_s64 atime_ns;
	__aligned_s64 mtime_ns;
	__u32 page_shift;
	__u32 seals;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 name_len;
};

/**
 * struct ckpt_rec_huge_region - huge pages that are there, or reserved for shared use
 * @start: index of the first, in huge pages
 * @end: behind the last
 */
struct ckpt_rec_huge_region {
	__aligned_u64 start;
	__aligned_u64 end;
};

/* ckpt_rec_sysv_shm.flags */
#define CKPT_SYSV_REMOVED	(1U << 0)	/* goes with its last user: IPC_RMID */
#define CKPT_SYSV_LOCKED	(1U << 1)	/* SHM_LOCK */
#define CKPT_SYSV_NORESERVE	(1U << 2)	/* memory is accounted for when it is used */
#define CKPT_SYSV_ALL		((1U << 3) - 1)

/**
 * struct ckpt_rec_sysv_shm - a segment of System V shared memory
 * @size: in bytes; content may go up to the end of its last page
 * @atime: this and the following are as in shmctl(2)
 * @dtime: see there
 * @ctime: see there
 * @id: see there
 * @key: see there
 * @mode: permission bits
 * @flags: CKPT_SYSV_*
 * @uid: its user, in the caller's user namespace
 * @gid: its group
 * @cuid: the user who made it
 * @cgid: the group who made it
 * @creator: process id of who made it, 0: not known
 * @last: process id of who attached or detached it last, 0: not known
 * @huge_shift: of huge pages: binary logarithm of their size, else 0
 * @named_key: one that was removed: the key in its name in /proc/PID/maps; else 0
 */
struct ckpt_rec_sysv_shm {
	__aligned_u64 size;
	__aligned_s64 atime;
	__aligned_s64 dtime;
	__aligned_s64 ctime;
	__u32 id;
	__u32 key;
	__u32 mode;
	__u32 flags;
	__u32 uid;
	__u32 gid;
	__u32 cuid;
	__u32 cgid;
	__u32 creator;
	__u32 last;
	__u32 huge_shift;
	__u32 named_key;
};

/* ckpt_rec_mm.flags */
#define CKPT_MMF_THP_DISABLE	(1U << 0)	/* PR_SET_THP_DISABLE */
#define CKPT_MMF_TOPDOWN	(1U << 1)	/* mmap(2) searches downwards */
#define CKPT_MMF_MDWE		(1U << 2)	/* PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN */
#define CKPT_MMF_MDWE_NO_INHERIT (1U << 3)	/* the same, PR_MDWE_NO_INHERIT */
#define CKPT_MMF_MERGE_ANY	(1U << 4)	/* PR_SET_MEMORY_MERGE */
#define CKPT_MMF_COMPAT		(1U << 5)	/* of a 32-bit program */
#define CKPT_MMF_LOCK_FUTURE	(1U << 6)	/* mlockall(2), MCL_FUTURE */
#define CKPT_MMF_LOCK_ONFAULT	(1U << 7)	/* the same, with MCL_ONFAULT */
#define CKPT_MMF_ALL		((1U << 8) - 1)

#define CKPT_AUXV_MAX		64

/**
 * struct ckpt_rec_mm - an address space
 * @start_code: this and the following are as in prctl(2), PR_SET_MM
 * @end_code: see there
 * @start_data: see there
 * @end_data: see there
 * @start_brk: see there
 * @brk: see there
 * @start_stack: see there
 * @arg_start: see there
 * @arg_end: see there
 * @env_start: see there
 * @env_end: see there
 * @mmap_base: where mmap(2) starts to search for room
 * @vdso: address of the vDSO, 0: none
 * @vdso_sum: xxh64 of the vDSO's text, which must be the same at restart
 * @vvar: address of the pages of data below the vDSO, 0: none
 * @exe: tag of the executed file
 * @nr_vmas: number of mappings, vDSO and vvar not counted
 * @flags: CKPT_MMF_*
 * @dumpable: of prctl(2), PR_SET_DUMPABLE
 * @coredump_filter: of core(5)
 * @nr_auxv: entries of @auxv in use
 * @auxv: the auxiliary vector
 * @mmap_legacy_base: where mmap(2) searches upwards
 * @mmap_compat_base: as @mmap_base, for 32-bit system calls
 * @mmap_compat_legacy_base: as @mmap_legacy_base, for 32-bit system calls
 * @user_ns: number of the user namespace that it belongs to, 0: the caller's
 * @reserved: 0
 * @pkeys: mask of the protection keys in use, of pkey_alloc(2); 0: key 0 only
 * @exec_pkey: of them, the key of memory that can only be executed, 0: none
 */
struct ckpt_rec_mm {
	__aligned_u64 start_code;
	__aligned_u64 end_code;
	__aligned_u64 start_data;
	__aligned_u64 end_data;
	__aligned_u64 start_brk;
	__aligned_u64 brk;
	__aligned_u64 start_stack;
	__aligned_u64 arg_start;
	__aligned_u64 arg_end;
	__aligned_u64 env_start;
	__aligned_u64 env_end;
	__aligned_u64 mmap_base;
	__aligned_u64 vdso;
	__aligned_u64 vdso_sum;
	__aligned_u64 vvar;
	__u32 exe;
	__u32 nr_vmas;
	__u32 flags;
	__u32 dumpable;
	__u32 coredump_filter;
	__u32 nr_auxv;
	__aligned_u64 auxv[CKPT_AUXV_MAX];
	__aligned_u64 mmap_legacy_base;
	__aligned_u64 mmap_compat_base;
	__aligned_u64 mmap_compat_legacy_base;
	__u32 user_ns;
	__u32 reserved;
	__u32 pkeys;
	__u32 exec_pkey;
};

#define CKPT_NR_PKEYS		16

/* ckpt_rec_vma.prot */
#define CKPT_PROT_READ		(1U << 0)
#define CKPT_PROT_WRITE		(1U << 1)
#define CKPT_PROT_EXEC		(1U << 2)
#define CKPT_PROT_ALL		((1U << 3) - 1)

/* ckpt_rec_vma.flags */
#define CKPT_VMA_SHARED		(1U << 0)
#define CKPT_VMA_GROWSDOWN	(1U << 1)
#define CKPT_VMA_NORESERVE	(1U << 2)
#define CKPT_VMA_DONTFORK	(1U << 3)
#define CKPT_VMA_DONTDUMP	(1U << 4)
#define CKPT_VMA_WIPEONFORK	(1U << 5)
#define CKPT_VMA_SEQUENTIAL	(1U << 6)
#define CKPT_VMA_RANDOM		(1U << 7)
#define CKPT_VMA_HUGEPAGE	(1U << 8)
#define CKPT_VMA_NOHUGEPAGE	(1U << 9)
#define CKPT_VMA_ACCOUNT	(1U << 10)	/* counted as committed, also if not writable */
#define CKPT_VMA_MERGEABLE	(1U << 11)	/* MADV_MERGEABLE */
#define CKPT_VMA_LOCKED		(1U << 12)	/* mlock(2) */
#define CKPT_VMA_LOCKONFAULT	(1U << 13)	/* mlock2(2), MLOCK_ONFAULT; with LOCKED */
#define CKPT_VMA_DROPPABLE	(1U << 14)	/* MAP_DROPPABLE */
#define CKPT_VMA_SEALED		(1U << 15)	/* mseal(2) */
#define CKPT_VMA_UNRESERVED	(1U << 16)	/* huge pages, not reserved since fork(2) */
#define CKPT_VMA_READONLY	(1U << 17)	/* shared, and for good; F_SEAL_FUTURE_WRITE */
#define CKPT_VMA_ALL		((1U << 18) - 1)

/**
 * struct ckpt_rec_vma - one mapping
 * @start: first address
 * @end: address behind the last
 * @pgoff: offset in the file, or of the name of anonymous memory, in pages
 * @file: tag of the mapped file, 0: anonymous
 * @prot: CKPT_PROT_*
 * @flags: CKPT_VMA_*
 * @pkey: protection key, of pkey_mprotect(2)
 * @family: number of the mappings that may share pages with it, 0: none
 * @reserved: 0
 */
struct ckpt_rec_vma {
	__aligned_u64 start;
	__aligned_u64 end;
	__aligned_u64 pgoff;
	__u32 file;
	__u32 prot;
	__u32 flags;
	__u32 pkey;
	__u32 family;
	__u32 reserved;
};

#define CKPT_VMA_NAME_LEN	80

/**
 * struct ckpt_rec_vma_name - name of anonymous memory, of prctl(2), PR_SET_VMA
 * @start: first address
 * @end: address behind the last
 * @name: ends with a zero byte
 */
struct ckpt_rec_vma_name {
	__aligned_u64 start;
	__aligned_u64 end;
	char name[CKPT_VMA_NAME_LEN];
};

#define CKPT_NODE_WORDS		16

/**
 * struct ckpt_rec_aio - a context of asynchronous I/O, of io_setup(2)
 * @addr: where its ring is mapped, by which system calls name it
 * @nr_pages: of the ring
 * @max_reqs: how many requests were asked for
 * @id: its place in the kernel's table, which the ring has, too
 * @tail: where in the ring the next event goes
 * @completed: requests that have completed, and whose slots count as in use still
 * @ring_len: bytes of the ring that are here
 *
 * The ring follows, without the zero bytes at its end. No requests are under way.
 */
struct ckpt_rec_aio {
	__aligned_u64 addr;
	__u32 nr_pages;
	__u32 max_reqs;
	__u32 id;
	__u32 tail;
	__u32 completed;
	__u32 ring_len;
};

/**
 * struct ckpt_rec_vma_policy - NUMA policy of a private mapping, of mbind(2)
 * @start: first address
 * @end: address behind the last
 * @mode: mode and mode flags
 * @home_node: of set_mempolicy_home_node(2), plus 1; 0: none
 * @node_words: words of @nodes in use
 * @reserved: 0
 * @nodes: mask of nodes
 */
struct ckpt_rec_vma_policy {
	__aligned_u64 start;
	__aligned_u64 end;
	__u32 mode;
	__u32 home_node;
	__u32 node_words;
	__u32 reserved;
	__aligned_u64 nodes[CKPT_NODE_WORDS];
};

/**
 * struct ckpt_rec_extent - a run of pages of the address space
 * @addr: address of the first
 * @nr_pages: how many
 *
 * The data of all extents of a record lies behind it, in their order, without
 * gaps, from the next offset that is a multiple of the page size; the bytes
 * before that are zero.
 */
struct ckpt_rec_extent {
	__aligned_u64 addr;
	__aligned_u64 nr_pages;
};

/**
 * struct ckpt_rec_shared_pages - a run of pages that another process has, too
 * @addr: address of the first
 * @from: its address in the other address space
 * @nr_pages: how many
 * @mm: tag of the other address space, which was complete before
 * @reserved: 0
 *
 * They are shared until one of the processes writes to them.
 */
struct ckpt_rec_shared_pages {
	__aligned_u64 addr;
	__aligned_u64 from;
	__aligned_u64 nr_pages;
	__u32 mm;
	__u32 reserved;
};

/**
 * struct ckpt_rec_fs - file system context; the paths of root and cwd follow
 * @umask: of umask(2)
 * @root_len: bytes of the root directory's path
 * @cwd_len: bytes of the current directory's path
 * @cwd: tag of its UNLINKED record if the current directory was removed; the path
 *	is that of the directory it was in; tag of a FILE record if it is in that of a
 *	process in /proc; else 0
 */
struct ckpt_rec_fs {
	__u32 umask;
	__u32 root_len;
	__u32 cwd_len;
	__u32 cwd;
};

/* ckpt_rec_pty.flags */
#define CKPT_PTY_LOCKED		(1U << 0)	/* TIOCSPTLCK: the slave cannot be opened */
#define CKPT_PTY_PACKET		(1U << 1)	/* TIOCPKT */
#define CKPT_PTY_HUNG_UP	(1U << 2)	/* the master is closed */
#define CKPT_PTY_SLAVE_CLOSED	(1U << 3)	/* the slave was open, and is closed */
#define CKPT_PTY_SLAVE_HUNG_UP	(1U << 4)	/* vhangup(2), and not opened since */
#define CKPT_PTY_ALL		((1U << 5) - 1)

/* ckpt_rec_pty_end.flags */
#define CKPT_TTY_EXCLUSIVE	(1U << 0)	/* TIOCEXCL */
#define CKPT_TTY_STOPPED	(1U << 1)	/* output is stopped */
#define CKPT_TTY_TCO_STOPPED	(1U << 2)	/* by tcflow(3), TCOOFF */
#define CKPT_TTY_LNEXT		(1U << 3)	/* the next character is taken literally */
#define CKPT_TTY_ERASING	(1U << 4)	/* characters were erased by ECHOPRT */
#define CKPT_TTY_PUSH		(1U << 5)	/* the complete lines end without a line end */
#define CKPT_TTY_ALL		((1U << 6) - 1)

/**
 * struct ckpt_rec_pty_end - one end of a pseudoterminal
 * @flags: CKPT_TTY_*
 * @read_len: bytes that the line discipline has ready, or of a partial line
 * @canon_len: of them, bytes of complete lines
 * @commit_len: of them, bytes that can be read in raw mode
 * @echo_len: bytes of echoes under way
 * @echo_commit: of them, bytes that go out next
 * @echo_mark: of them, bytes that may go out
 * @column: where the cursor is
 * @canon_column: where it was at the start of the line
 * @queue_len: bytes behind those of @read_len, for which there was no room
 */
struct ckpt_rec_pty_end {
	__u32 flags;
	__u32 read_len;
	__u32 canon_len;
	__u32 commit_len;
	__u32 echo_len;
	__u32 echo_commit;
	__u32 echo_mark;
	__u32 column;
	__u32 canon_column;
	__u32 queue_len;
};

/**
 * struct ckpt_rec_pty - a pseudoterminal; a path, then the buffers of both ends follow
 * @index: its number, N of /dev/pts/N
 * @flags: CKPT_PTY_*
 * @session: whose controlling terminal it is, 0: none
 * @pgrp: the session's foreground process group
 * @uid: owner of /dev/pts/N, in the caller's user namespace
 * @gid: its group
 * @mode: its permission bits, as in stat(2)
 * @pktstatus: what a master in packet mode still learns, of ioctl_tty(2), TIOCPKT
 * @iflag: this and the following are as in termios(3), the kernel's form
 * @oflag: see there
 * @cflag: see there
 * @lflag: see there
 * @ispeed: in bits per second
 * @ospeed: in bits per second
 * @line: of termios(3)
 * @cc: control characters
 * @rows: window size, of ioctl_tty(2), TIOCGWINSZ
 * @cols: see there
 * @xpixel: see there
 * @ypixel: see there
 * @ends: the master, then the slave
 * @path_len: bytes of the path of /dev/ptmx
 * @reserved: 0
 * @locked_iflag: this and the following are as of ioctl_tty(2), TIOCGLCKTRMIOS
 * @locked_oflag: see there
 * @locked_cflag: see there
 * @locked_lflag: see there
 * @locked_line: see there
 * @locked_cc: see there
 *
 * The buffers are for the master, then for the slave: @read_len bytes, a bit for
 * each of them that is set where a line ends, @echo_len and @queue_len bytes.
 */
struct ckpt_rec_pty {
	__u32 index;
	__u32 flags;
	__u32 session;
	__u32 pgrp;
	__u32 uid;
	__u32 gid;
	__u32 mode;
	__u32 pktstatus;
	__u32 iflag;
	__u32 oflag;
	__u32 cflag;
	__u32 lflag;
	__u32 ispeed;
	__u32 ospeed;
	__u8 line;
	__u8 cc[31];
	__u16 rows;
	__u16 cols;
	__u16 xpixel;
	__u16 ypixel;
	struct ckpt_rec_pty_end ends[2];
	__u32 path_len;
	__u32 reserved;
	__u32 locked_iflag;
	__u32 locked_oflag;
	__u32 locked_cflag;
	__u32 locked_lflag;
	__u8 locked_line;
	__u8 locked_cc[31];
};

/**
 * struct ckpt_rec_terminal - the terminal from outside
 * @session: session of the tree whose controlling terminal it is, 0: that from
 *	outside, of which the tree, or the group of the root, was in the foreground
 * @pgrp: foreground process group of @session; 0 if that is 0
 * @iflag: this and the following are as in termios(3), the kernel's form
 * @oflag: see there
 * @lflag: see there
 * @cc: control characters
 * @rows: window size, of ioctl_tty(2), TIOCGWINSZ
 * @cols: see there
 * @xpixel: see there
 * @ypixel: see there
 * @reserved: 0
 */
struct ckpt_rec_terminal {
	__u32 session;
	__u32 pgrp;
	__u32 iflag;
	__u32 oflag;
	__u32 lflag;
	__u8 cc[32];
	__u16 rows;
	__u16 cols;
	__u16 xpixel;
	__u16 ypixel;
	__u32 reserved;
};

#define CKPT_FD_CLOEXEC		(1U << 0)

/**
 * struct ckpt_rec_fd - one file descriptor
 * @fd: its number; ascending in the array
 * @file: tag of the file
 * @flags: CKPT_FD_*
 * @reserved: 0
 */
struct ckpt_rec_fd {
	__u32 fd;
	__u32 file;
	__u32 flags;
	__u32 reserved;
};

/* ckpt_rec_unlinked.flags */
#define CKPT_UNLINKED_LINKABLE	(1U << 0)	/* linkat(2) can name it: O_TMPFILE */
#define CKPT_UNLINKED_ALL	((1U << 1) - 1)

/**
 * struct ckpt_rec_unlinked - a file or directory that has no name any more; the path
 *	of the directory in which it was follows, or of the nearest above that was there
 * @size: in bytes; 0 for a directory
 * @atime_ns: time of the last access
 * @mtime_ns: time of the last change
 * @mode: type and permission bits, as in stat(2)
 * @uid: its user, in the caller's user namespace
 * @gid: its group
 * @flags: CKPT_UNLINKED_*
 * @dir_len: bytes of the path
 * @parent: of a directory that was in another that has no name any more: the tag of
 *	that one; 0: it was in the directory of the path
 *
 * Behind the path are '/' and its former name, which for a file begins with those of
 * the removed directories in which it was. Older images have neither.
 */
struct ckpt_rec_unlinked {
	__aligned_u64 size;
	__aligned_s64 atime_ns;
	__aligned_s64 mtime_ns;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 flags;
	__u32 dir_len;
	__u32 parent;
};

/* ckpt_rec_lock.kind */
#define CKPT_LOCK_POSIX		1U	/* fcntl(2), F_SETLK: of the descriptor table */
#define CKPT_LOCK_OFD		2U	/* fcntl(2), F_OFD_SETLK: of the open file */
#define CKPT_LOCK_FLOCK		3U	/* flock(2): of the open file */
#define CKPT_LOCK_LEASE		4U	/* fcntl(2), F_SETLEASE: of the open file */

/**
 * struct ckpt_rec_lock - a lock or lease
 * @start: POSIX, OFD: first byte
 * @end: POSIX, OFD: last byte
 * @file: tag of the open file
 * @kind: CKPT_LOCK_*
 * @write: 1: a write or exclusive lock, 0: a read or shared lock
 * @tgid: process that took it, for people; 0: not known
 * @fd: POSIX: a descriptor of the file; lease: the one that its signal tells
 * @reserved: 0
 */
struct ckpt_rec_lock {
	__aligned_u64 start;
	__aligned_u64 end;
	__u32 file;
	__u32 kind;
	__u32 write;
	__u32 tgid;
	__s32 fd;
	__u32 reserved;
};

/* ckpt_rec_file_state.flags */
#define CKPT_FSTATE_OWNER	(1U << 0)	/* the owner's members are in use */
#define CKPT_FSTATE_ASYNC	(1U << 1)	/* O_ASYNC */
#define CKPT_FSTATE_SHOWS_ASYNC	(1U << 2)	/* O_ASYNC of open(2): it has no effect */
#define CKPT_FSTATE_ALL		((1U << 3) - 1)

/* ckpt_rec_file_state.owner_type */
#define CKPT_OWNER_TID		0U
#define CKPT_OWNER_TGID		1U
#define CKPT_OWNER_PGRP		2U

/**
 * struct ckpt_rec_file_state - what fcntl(2) has set on an open file
 * @file: its tag
 * @flags: CKPT_FSTATE_*
 * @owner_type: CKPT_OWNER_*, of F_SETOWN_EX
 * @owner: id of that task, process or process group, 0: nobody
 * @uid: real user who has set the owner
 * @euid: effective user who has set the owner
 * @signo: of F_SETSIG
 * @async_fd: O_ASYNC: descriptor that the signal tells
 * @write_hint: of F_SET_RW_HINT, of the inode
 * @reserved: 0
 */
struct ckpt_rec_file_state {
	__u32 file;
	__u32 flags;
	__u32 owner_type;
	__u32 owner;
	__u32 uid;
	__u32 euid;
	__u32 signo;
	__s32 async_fd;
	__u32 write_hint;
	__u32 reserved;
};

/* ckpt_rec_sigaction.flags, besides SA_*: set by a 32-bit system call */
#define CKPT_SA_COMPAT		(1U << 25)

/**
 * struct ckpt_rec_sigaction - as in rt_sigaction(2), the kernel's form
 * @handler: address, 0: default, 1: ignore
 * @flags: SA_*, CKPT_SA_COMPAT
 * @restorer: address
 * @mask: blocked meanwhile
 */
struct ckpt_rec_sigaction {
	__aligned_u64 handler;
	__aligned_u64 flags;
	__aligned_u64 restorer;
	__aligned_u64 mask;
};

/**
 * struct ckpt_rec_siginfo - one pending signal, in the order of the queue
 * @shared: 1: pending for the process, 0: for the thread
 * @signo: the signal
 * @has_info: 0: it was queued without information
 * @timer: 1: of the POSIX timer whose id is in @info; the timer's record says
 *	whether it counts
 * @info: siginfo_t
 */
struct ckpt_rec_siginfo {
	__u32 shared;
	__u32 signo;
	__u32 has_info;
	__u32 timer;
	__u8 info[128];
};

/* ckpt_rec_thread.restart_kind */
#define CKPT_RESTART_NONE	0U
#define CKPT_RESTART_NANOSLEEP	1U
#define CKPT_RESTART_POLL	2U
#define CKPT_RESTART_FUTEX	3U
#define CKPT_RESTART_TIMED	4U	/* a system call that is called again with less time */

/**
 * struct ckpt_rec_thread - one thread
 * @tid: thread id
 * @personality: of personality(2)
 * @comm: name
 * @blocked: blocked signals
 * @sas_sp: alternate signal stack, as in sigaltstack(2)
 * @sas_size: its size
 * @sas_flags: its flags
 * @pdeath_signal: of prctl(2)
 * @clear_child_tid: of set_tid_address(2)
 * @set_child_tid: of clone(2)
 * @robust_list: of set_robust_list(2)
 * @rseq: address of the rseq area, 0: none
 * @rseq_len: its length
 * @rseq_sig: its signature
 * @membarrier: registered commands, MEMBARRIER_CMD_* bits of membarrier(2)
 * @policy: scheduling policy, SCHED_* of sched(7)
 * @sched_flags: bit 0: SCHED_RESET_ON_FORK
 * @nice: -20 to 19
 * @rt_priority: of a real-time policy
 * @timer_slack_ns: of prctl(2), PR_SET_TIMERSLACK
 * @affinity_words: words of @affinity in use, 0: never set
 * @restart_kind: how an interrupted system call goes on, CKPT_RESTART_*
 * @reserved: 0
 * @restart_remaining_ns: time that was left
 * @restart_args: by kind: NANOSLEEP {clock, type, rmtp}; POLL {ufds, nfds,
 *	has_timeout}; FUTEX {uaddr, val, flags, bitset}; TIMED {system call
 *	number, its six arguments}
 * @affinity: mask of processors, of sched_setaffinity(2)
 */
struct ckpt_rec_thread {
	__u32 tid;
	__u32 personality;
	char comm[CKPT_COMM_LEN];
	__aligned_u64 blocked;
	__aligned_u64 sas_sp;
	__aligned_u64 sas_size;
	__u32 sas_flags;
	__u32 pdeath_signal;
	__aligned_u64 clear_child_tid;
	__aligned_u64 set_child_tid;
	__aligned_u64 robust_list;
	__aligned_u64 rseq;
	__u32 rseq_len;
	__u32 rseq_sig;
	__u32 membarrier;
	__u32 policy;
	__u32 sched_flags;
	__s32 nice;
	__u32 rt_priority;
	__u32 affinity_words;
	__aligned_u64 timer_slack_ns;
	__u32 restart_kind;
	__u32 reserved;
	__aligned_u64 restart_remaining_ns;
	__aligned_u64 restart_args[7];
	__aligned_u64 affinity[16];
};

/**
 * struct ckpt_rec_cred - identity; @nr_groups __u32 follow
 * @uid: this and the following are as in credentials(7), in the caller's user
 *	namespace, whatever that of the task is
 * @euid: effective
 * @suid: saved
 * @fsuid: for access to files
 * @gid: real group
 * @egid: effective
 * @sgid: saved
 * @fsgid: for access to files
 * @securebits: of capabilities(7)
 * @flags: bit 0: no_new_privs
 * @nr_groups: supplementary groups
 * @user_ns: number of its user namespace, 0: the caller's
 * @cap_inheritable: this and the following are the sets of capabilities(7)
 * @cap_permitted: see there
 * @cap_effective: see there
 * @cap_bset: see there
 * @cap_ambient: see there
 */
struct ckpt_rec_cred {
	__u32 uid, euid, suid, fsuid;
	__u32 gid, egid, sgid, fsgid;
	__u32 securebits;
	__u32 flags;
	__u32 nr_groups;
	__u32 user_ns;
	__aligned_u64 cap_inheritable;
	__aligned_u64 cap_permitted;
	__aligned_u64 cap_effective;
	__aligned_u64 cap_bset;
	__aligned_u64 cap_ambient;
};

/**
 * struct ckpt_rec_regset - processor state in the form of ptrace(2); data follows
 * @note_type: NT_* of elf(5)
 * @data_len: bytes of data
 */
struct ckpt_rec_regset {
	__u32 note_type;
	__u32 data_len;
};

/**
 * struct ckpt_rec_counters - what has been used, since the start
 * @utime_ns: processor time in user mode, as sampled
 * @stime_ns: processor time in the kernel, as sampled
 * @gtime_ns: of @utime_ns, the time spent for a virtual machine
 * @runtime_ns: processor time as the scheduler measures it
 * @shown_utime_ns: user time that getrusage(2) has told last
 * @shown_stime_ns: system time that getrusage(2) has told last
 * @min_flt: page faults without input and output
 * @maj_flt: page faults with input and output
 * @nvcsw: voluntary context switches
 * @nivcsw: involuntary context switches
 * @rchar: this and the following are as in /proc/PID/io of proc(5)
 * @wchar: see there
 * @syscr: see there
 * @syscw: see there
 * @read_bytes: see there
 * @write_bytes: see there
 * @cancelled_write_bytes: see there
 *
 * All numbers of usage are at most 2^62, except for the two integrals.
 */
struct ckpt_rec_counters {
	__aligned_u64 utime_ns;
	__aligned_u64 stime_ns;
	__aligned_u64 gtime_ns;
	__aligned_u64 runtime_ns;
	__aligned_u64 shown_utime_ns;
	__aligned_u64 shown_stime_ns;
	__aligned_u64 min_flt;
	__aligned_u64 maj_flt;
	__aligned_u64 nvcsw;
	__aligned_u64 nivcsw;
	__aligned_u64 rchar;
	__aligned_u64 wchar;
	__aligned_u64 syscr;
	__aligned_u64 syscw;
	__aligned_u64 read_bytes;
	__aligned_u64 write_bytes;
	__aligned_u64 cancelled_write_bytes;
};

/**
 * struct ckpt_rec_usage - resource usage of a process
 * @dead: sum of threads that have ended; but the times shown are of all threads
 * @inblock: of getrusage(2), of threads that have ended
 * @oublock: of getrusage(2), of threads that have ended
 * @maxrss_kb: of getrusage(2), of the process
 * @children_utime_ns: this and the following are of children waited for, as
 *	in getrusage(2), RUSAGE_CHILDREN
 * @children_stime_ns: see there
 * @children_gtime_ns: of the user time, the time spent for virtual machines
 * @children_min_flt: see there
 * @children_maj_flt: see there
 * @children_nvcsw: see there
 * @children_nivcsw: see there
 * @children_inblock: see there
 * @children_oublock: see there
 * @children_maxrss_kb: see there
 */
struct ckpt_rec_usage {
	struct ckpt_rec_counters dead;
	__aligned_u64 inblock;
	__aligned_u64 oublock;
	__aligned_u64 maxrss_kb;
	__aligned_u64 children_utime_ns;
	__aligned_u64 children_stime_ns;
	__aligned_u64 children_gtime_ns;
	__aligned_u64 children_min_flt;
	__aligned_u64 children_maj_flt;
	__aligned_u64 children_nvcsw;
	__aligned_u64 children_nivcsw;
	__aligned_u64 children_inblock;
	__aligned_u64 children_oublock;
	__aligned_u64 children_maxrss_kb;
};

/**
 * struct ckpt_rec_thread_usage - resource usage of a thread
 * @own: what it has used
 * @age_ns: time since its start, without that in which the system slept
 * @boot_age_ns: time since its start
 * @nr_runs: how often it got a processor
 * @run_delay_ns: how long it waited for one
 * @rss_integral: of taskstats, memory in use over time
 * @vm_integral: of taskstats, address space over time
 */
struct ckpt_rec_thread_usage {
	struct ckpt_rec_counters own;
	__aligned_u64 age_ns;
	__aligned_u64 boot_age_ns;
	__aligned_u64 nr_runs;
	__aligned_u64 run_delay_ns;
	__aligned_u64 rss_integral;
	__aligned_u64 vm_integral;
};

/* ckpt_rec_timers.flags */
#define CKPT_TIMERS_REAL_ARMED		(1U << 0)	/* ITIMER_REAL runs */
#define CKPT_TIMERS_ALARM_PENDING	(1U << 1)	/* SIGALRM was pending at that moment */
#define CKPT_TIMERS_ALL			((1U << 2) - 1)

/**
 * struct ckpt_rec_timers - timers of setitimer(2)
 * @flags: CKPT_TIMERS_*
 * @next_posix_id: id with which timer_create(2) begins to look for a free one
 * @real_left_ns: ITIMER_REAL: time to its expiry, negative: since
 * @real_interval_ns: its interval
 * @virtual_expires_ns: ITIMER_VIRTUAL: user time at which it expires, 0: never
 * @virtual_interval_ns: its interval
 * @prof_expires_ns: ITIMER_PROF: processor time at which it expires, 0: never
 * @prof_interval_ns: its interval
 *
 * Without CKPT_TIMERS_ALARM_PENDING a pending SIGALRM of the kernel (SI_KERNEL)
 * is that of a timer that is still armed in this record, and does not count.
 */
struct ckpt_rec_timers {
	__u32 flags;
	__u32 next_posix_id;
	__aligned_s64 real_left_ns;
	__aligned_s64 real_interval_ns;
	__aligned_s64 virtual_expires_ns;
	__aligned_s64 virtual_interval_ns;
	__aligned_s64 prof_expires_ns;
	__aligned_s64 prof_interval_ns;
};

/* ckpt_rec_posix_timer.clock: CLOCK_* of clock_gettime(2), or a CPU time clock */
#define CKPT_CLOCK_CPU		(1U << 8)	/* plus 0: PROF, 1: VIRT, 2: SCHED */
#define CKPT_CLOCK_WHICH	3U
#define CKPT_CLOCK_THREAD	(1U << 2)	/* of a thread, not of the process */
#define CKPT_CLOCK_BY_ID	(1U << 3)	/* the clock's number names its owner */

/* ckpt_rec_posix_timer.flags */
#define CKPT_TIMER_ACTIVE	(1U << 0)	/* armed, has not expired yet */
#define CKPT_TIMER_ABSOLUTE	(1U << 1)	/* it expires at a time of its clock */
#define CKPT_TIMER_QUEUED	(1U << 2)	/* its signal is pending */
#define CKPT_TIMER_REARM	(1U << 3)	/* delivery of that signal arms it */
#define CKPT_TIMER_EXPIRED	(1U << 4)	/* an interval timer that waits for delivery */
#define CKPT_TIMER_ALL		((1U << 5) - 1)

/**
 * struct ckpt_rec_posix_timer - one timer of timer_create(2)
 * @id: its id; ascending in the array
 * @clock: CLOCK_*, or CKPT_CLOCK_CPU with other bits
 * @clock_tid: CPU time clock: id of the thread or process
 * @notify: SIGEV_* of sigevent(3type)
 * @signo: signal
 * @notify_tid: SIGEV_THREAD_ID: the thread
 * @flags: CKPT_TIMER_*
 * @signal_overrun: expiries since its signal was queued
 * @value: sigval of the signal
 * @expires_ns: absolute: when it expires; otherwise the time to its expiry,
 *	negative: since
 * @interval_ns: its interval
 * @overrun: overruns since the last delivery, plus -1
 * @overrun_last: overruns of the last delivery, of timer_getoverrun(2)
 */
struct ckpt_rec_posix_timer {
	__u32 id;
	__u32 clock;
	__u32 clock_tid;
	__u32 notify;
	__s32 signo;
	__u32 notify_tid;
	__u32 flags;
	__s32 signal_overrun;
	__aligned_u64 value;
	__aligned_s64 expires_ns;
	__aligned_s64 interval_ns;
	__aligned_s64 overrun;
	__aligned_s64 overrun_last;
};

/**
 * struct ckpt_rec_index_entry - where a record lies
 * @offset: of its head
 * @type: CKPT_REC_MM, CKPT_REC_PAGES or CKPT_REC_PROCESS
 * @tag: of the record
 */
struct ckpt_rec_index_entry {
	__aligned_u64 offset;
	__u32 type;
	__u32 tag;
};

/**
 * struct ckpt_rec_trailer - totals
 * @image_id: as in the header
 * @nr_records: this one included
 * @nr_pages: pages of data
 * @length: of the image, this record included
 * @index_offset: of the CKPT_REC_INDEX record, 0: none
 */
struct ckpt_rec_trailer {
	__u8 image_id[16];
	__aligned_u64 nr_records;
	__aligned_u64 nr_pages;
	__aligned_u64 length;
	__aligned_u64 index_offset;
};

/* ckpt_rec_seccomp.flags */
#define CKPT_SECCOMP_LOG		(1U << 0)	/* SECCOMP_FILTER_FLAG_LOG */
#define CKPT_SECCOMP_WAIT_KILLABLE	(1U << 1)	/* .._FLAG_WAIT_KILLABLE_RECV */
#define CKPT_SECCOMP_ALL		((1U << 2) - 1)

/**
 * struct ckpt_rec_seccomp - a seccomp filter; its program follows
 * @prev: tag of the filter that was installed before it, 0: none
 * @flags: CKPT_SECCOMP_*
 * @nr_insns: instructions of the program, 8 bytes each (struct sock_filter)
 * @reserved: 0
 */
struct ckpt_rec_seccomp {
	__u32 prev;
	__u32 flags;
	__u32 nr_insns;
	__u32 reserved;
};

/* ckpt_rec_attrs.flags */
#define CKPT_ATTR_NO_TSC	(1U << 0)	/* PR_SET_TSC, PR_TSC_SIGSEGV */
#define CKPT_ATTR_NO_CPUID	(1U << 1)	/* ARCH_SET_CPUID (x86) */
#define CKPT_ATTR_MCE_KILL	(1U << 2)	/* PR_MCE_KILL_SET */
#define CKPT_ATTR_MCE_EARLY	(1U << 3)	/* PR_MCE_KILL_EARLY */
#define CKPT_ATTR_IO_FLUSHER	(1U << 4)	/* PR_SET_IO_FLUSHER */
#define CKPT_ATTR_DISPATCH	(1U << 5)	/* PR_SET_SYSCALL_USER_DISPATCH */
#define CKPT_ATTR_UCLAMP_MIN	(1U << 6)	/* SCHED_FLAG_UTIL_CLAMP_MIN */
#define CKPT_ATTR_UCLAMP_MAX	(1U << 7)	/* SCHED_FLAG_UTIL_CLAMP_MAX */
#define CKPT_ATTR_DL_RECLAIM	(1U << 8)	/* SCHED_FLAG_RECLAIM */
#define CKPT_ATTR_DL_OVERRUN	(1U << 9)	/* SCHED_FLAG_DL_OVERRUN */
#define CKPT_ATTR_COMPAT	(1U << 10)	/* of a 32-bit program */
#define CKPT_ATTR_RESTART_COMPAT (1U << 11)	/* restart_kind is of a 32-bit system call */
#define CKPT_ATTR_ALL		((1U << 12) - 1)

#define CKPT_NR_SPECULATION	3

/**
 * struct ckpt_rec_attrs - further properties of a thread
 * @flags: CKPT_ATTR_*
 * @seccomp_mode: SECCOMP_MODE_* of seccomp(2)
 * @seccomp: tag of the filter that was installed last, 0: none
 * @ioprio: of ioprio_set(2)
 * @speculation: by number of prctl(2), PR_GET_SPECULATION_CTRL, its result
 * @iopl: of iopl(2) (x86)
 * @dispatch_selector: of prctl(2), PR_SET_SYSCALL_USER_DISPATCH: its address
 * @dispatch_offset: start of the code that is not concerned
 * @dispatch_len: its length
 * @sched_runtime: of sched_setattr(2), of SCHED_DEADLINE or where it was set
 * @sched_deadline: the same, of SCHED_DEADLINE
 * @sched_period: the same
 * @uclamp_min: of sched_setattr(2)
 * @uclamp_max: the same
 * @default_slack_ns: what PR_SET_TIMERSLACK with 0 sets; 0: not known
 * @mempolicy: of set_mempolicy(2): mode and mode flags
 * @node_words: words of @nodes in use
 * @nodes: mask of nodes, of set_mempolicy(2)
 * @compat_robust_list: as the thread's robust_list, of a 32-bit system call
 */
struct ckpt_rec_attrs {
	__u32 flags;
	__u32 seccomp_mode;
	__u32 seccomp;
	__u32 ioprio;
	__u32 speculation[CKPT_NR_SPECULATION];
	__u32 iopl;
	__aligned_u64 dispatch_selector;
	__aligned_u64 dispatch_offset;
	__aligned_u64 dispatch_len;
	__aligned_u64 sched_runtime;
	__aligned_u64 sched_deadline;
	__aligned_u64 sched_period;
	__u32 uclamp_min;
	__u32 uclamp_max;
	__aligned_u64 default_slack_ns;
	__u32 mempolicy;
	__u32 node_words;
	__aligned_u64 nodes[CKPT_NODE_WORDS];
	__aligned_u64 compat_robust_list;
};

#define CKPT_LDT_ENTRIES	8192
#define CKPT_NR_IO_PORTS	65536

/**
 * struct ckpt_rec_io_ports - a run of I/O ports, of ioperm(2)
 * @from: first port; ascending in the array
 * @num: how many may be used
 */
struct ckpt_rec_io_ports {
	__u32 from;
	__u32 num;
};

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_H */

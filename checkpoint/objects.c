// SPDX-License-Identifier: GPL-2.0-only
/*
 * All object types. Start reading here: each names the file of its handler.
 *
 * A process is saved as the records of its objects in the order of the first
 * table; its threads follow, each with the objects of the second table. State
 * without a handler is an obstacle: collect methods look for it.
 */
#include "file/event.h"

/*
 * What the threads of a process share, in the order of the image. The file
 * system context comes behind all files: their names are the caller's.
 */
const struct ckpt_obj_ops *const ckpt_process_objs[] = {
	&ckpt_process_ops,	/* task/process.c: limits, group state */
	&ckpt_outer_terminal_ops, /* file/outer_terminal.c: the terminal from outside */
	&ckpt_mm_ops,		/* mm/mm.c: address space; mm/vma.c, mm/pages_*.c */
	&ckpt_fds_ops,		/* file/fds.c: descriptor table */
	&ckpt_io_rings_ops,	/* file/io_rings.c: io_uring(7) instances of its threads */
	&ckpt_fs_ops,		/* file/fs.c: root and current directory, umask */
	&ckpt_sighand_ops,	/* task/sighand.c: signal actions */
	&ckpt_usage_ops,	/* task/usage.c: processor time and other usage */
	&ckpt_timers_ops,	/* task/timers.c: interval timers */
	&ckpt_posix_timers_ops,	/* task/posix_timers.c: POSIX timers */
	NULL
};

/* What each thread has of its own, in the order of the image. */
const struct ckpt_obj_ops *const ckpt_thread_objs[] = {
	&ckpt_thread_ops,	/* task/thread.c: name, masks, registrations, scheduling */
	&ckpt_cred_ops,		/* task/cred.c: identity and capabilities */
	&ckpt_sigpending_ops,	/* task/sigpending.c: pending signals */
	&ckpt_regset_ops,	/* task/regset.c: processor state */
	&ckpt_attrs_ops,	/* task/attrs.c: prctl(2), seccomp, more of scheduling */
	&ckpt_thread_usage_ops,	/* task/usage.c: processor time and other usage */
	&ckpt_arch_io_ports_ops, /* arch/x86/checkpoint/ioports.c: ioperm(2) */
	NULL
};

/* What is left of a process, and of a thread, that is dead. */
const struct ckpt_obj_ops *const ckpt_dead_process_objs[] = {
	&ckpt_process_ops,
	&ckpt_usage_ops,
	NULL
};

const struct ckpt_obj_ops *const ckpt_dead_objs[] = {
	&ckpt_thread_ops,
	&ckpt_cred_ops,
	&ckpt_thread_usage_ops,
	NULL
};

/* Objects that others name by a tag. */
static const struct ckpt_obj_ops *const tagged_objs[] = {
	&ckpt_file_ops,		/* file/file.c: open files; file/path.c, file/external.c */
	&ckpt_pty_ops,		/* file/pty.c: pseudoterminals, of which files are the ends */
	&ckpt_shmem_ops,	/* file/shmem.c: memory without a name */
	&ckpt_shmem_data_ops,
	&ckpt_sysv_shm_ops,	/* ipc/shm.c: System V shared memory */
	&ckpt_hugetlb_ops,	/* file/hugetlb.c: memory of huge pages without a name */
	&ckpt_memory_ops,	/* mm/memory.c: content and policies of these three */
	&ckpt_unlinked_ops,	/* file/unlinked.c: files on disk without a name */
	&ckpt_locks_ops,	/* file/locks.c: locks and leases of files and tables */
	&ckpt_file_state_ops,	/* file/state.c: who gets signals of a file */
	&ckpt_pipe_ops,		/* file/pipe.c: pipes, of which files are the ends */
	&ckpt_socket_ops,	/* net/socket.c, net/options.c: sockets */
	&ckpt_unix_ops,		/* net/unix.c, net/unix_*.c: Unix sockets */
	&ckpt_unix_msg_ops,	/* what waits in them */
	&ckpt_inet_ops,		/* net/inet.c: internet sockets */
	&ckpt_tcp_ops,		/* net/tcp.c, net/tcp_restore.c: connections */
	&ckpt_event_ops,	/* file/event.c: eventfd.c, timerfd.c, signalfd.c, pidfd.c */
	&ckpt_epoll_ops,	/* file/epoll.c: what epoll instances watch */
	&ckpt_inotify_ops,	/* file/inotify.c: watches and events */
	&ckpt_io_uring_ops,	/* file/io_uring.c: rings; mm/ring.c maps them */
	&ckpt_io_registered_ops, /* file/io_registered.c: what is registered with them */
	&ckpt_io_buffers_ops,	/* file/io_buffers.c: memory that is */
	&ckpt_seccomp_ops,	/* task/seccomp.c: filters */
	NULL
};

static const struct ckpt_obj_ops *find(const struct ckpt_obj_ops *const *table, u32 rec)
{
	for (; *table; table++)
		if ((*table)->rec == rec)
			return *table;
	return NULL;
}

/**
 * ckpt_find_ops - type of object that a record starts
 * @rec: enum ckpt_rec_type
 *
 * Return: its methods; NULL: it starts none.
 */
const struct ckpt_obj_ops *ckpt_find_ops(u32 rec)
{
	return find(ckpt_process_objs, rec) ?: find(ckpt_thread_objs, rec) ?:
	       find(tagged_objs, rec);
}

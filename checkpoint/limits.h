/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every numeric bound of checkpoint and restart.
 */
#ifndef _CHECKPOINT_LIMITS_H
#define _CHECKPOINT_LIMITS_H

/* Default deadline for stopping a tree, and how often the wait looks around. */
#define CKPT_TIMEOUT_MS		10000
#define CKPT_FREEZE_POLL_MS	10

/* How long a save waits for asynchronous requests that themselves wait for events. */
#define CKPT_IO_WAIT_MS		200

/* How long a restart waits for instances of io_uring that have just ended. */
#define CKPT_IO_END_MS		1000

/* Where a save searches for another name of a removed file: names, and their bytes. */
#define CKPT_MAX_SEARCHED	100000
#define CKPT_SEARCH_BYTES	(256 * 1024)

/* How many removed directories may have been one in the other. */
#define CKPT_MAX_REMOVED_DIRS	64

/* How often a save looks again at references that may be there for a moment only. */
#define CKPT_TRANSIENT_TRIES	20

/* How long a restart waits for pids of processes that are dead already. */
#define CKPT_PID_WAIT_MS	20000

/* Messages kept until the tree has been released; more are only counted. */
#define CKPT_LOG_BYTES		(256 * 1024)

/* Small records are gathered in, and read through, a buffer of this size. */
#define CKPT_BUF_BYTES		(64 * 1024)

/* Of a save: most records are made in as much memory, kept from one to the next. */
#define CKPT_SCRATCH_BYTES	(16 * 1024)

/* A reader believes a length only step by step, as bytes really arrive. */
#define CKPT_READ_STEP		(64 * 1024)

/* A packed record may be so long when it is unpacked; shorter ones are not worth it. */
#define CKPT_PACKED_MAX		CKPT_READ_STEP
#define CKPT_PACKED_MIN		64

/* So much of the records of one process is read before it is used. */
#define CKPT_KEEP_BYTES		(1024 * 1024)

/* Bounds of what an image may ask for. */
#define CKPT_MAX_RECORD		(512 * 1024 * 1024)
#define CKPT_MAX_NAMESPACES	4096
#define CKPT_MAX_ID_LINES	(3 * 340)	/* of one user namespace, as the kernel has it */
#define CKPT_MAX_TASKS		(4 * 1024 * 1024)
#define CKPT_MAX_VMAS		(4 * 1024 * 1024)
#define CKPT_MAX_POLICIES	(2 * 1024 * 1024)
#define CKPT_MAX_FDS		(16 * 1024 * 1024)
#define CKPT_MAX_LOCKS		(4 * 1024 * 1024)
#define CKPT_MAX_FILES		(32 * 1024 * 1024)
#define CKPT_MAX_SIGPENDING	(1024 * 1024)
#define CKPT_MAX_POSIX_TIMERS	(1024 * 1024)
#define CKPT_MAX_GROUPS		65536
#define CKPT_MAX_REGSET		(64 * 1024)
#define CKPT_MAX_REGSETS	16
/* The programs of a chain of filters have 32768 instructions, and 4 for each. */
#define CKPT_MAX_INSNS		4096
#define CKPT_MAX_FILTERS	8192
#define CKPT_MAX_PIPE		(64 * 1024 * 1024)
/* Of a socket of AF_UNIX: its name, with the zero that ends a path; what waits in it. */
#define CKPT_MAX_UNIX_NAME	109
#define CKPT_MAX_UNIX		(CKPT_MAX_UNIX_NAME + CKPT_PATH_MAX + \
				 CKPT_MAX_GROUPS * 4)
#define CKPT_MAX_UNIX_MSG	(16 * 1024 * 1024)
#define CKPT_MAX_UNIX_FILES	253
#define CKPT_MAX_INET_OPTIONS	256
/* What is under way in a connection, in both directions; and a window. */
#define CKPT_MAX_TCP		(128 * 1024 * 1024)
#define CKPT_MAX_TCP_WINDOW	0x40000000
#define CKPT_MAX_EPOLL		(4 * 1024 * 1024)
#define CKPT_MAX_INOTIFY	(256 * 1024 * 1024)
/* Of one end of a pseudoterminal: of its line discipline, and waiting for it. */
#define CKPT_MAX_TTY_BUFFER	4096
#define CKPT_MAX_TTY_QUEUE	(32 * 1024)
#define CKPT_MAX_PTY		(CKPT_PATH_MAX + 2 * (3 * CKPT_MAX_TTY_BUFFER + CKPT_MAX_TTY_QUEUE))
#define CKPT_MAX_PTY_INDEX	((1 << 20) - 1)
#define CKPT_MAX_SHMEM_DATA	(1024 * 1024)
#define CKPT_MAX_HUGE_REGIONS	(4 * 1024 * 1024)
/* The kernel allows for so many bytes of events. */
#define CKPT_MAX_AIO_RING	(256 * 1024 * 1024)
/* Of io_uring(7): the kernel's limits, and memory of both rings and of submissions. */
#define CKPT_MAX_RING_ENTRIES	32768
#define CKPT_MAX_IO_URING	(16 * 1024 * 1024)
#define CKPT_MAX_IO_GROUP	65535		/* of provided buffers; the same */
#define CKPT_MAX_IO_PROVIDED	(8 * 1024 * 1024)	/* bytes of provided buffers in it */
#define CKPT_MAX_IO_FILES	(1024 * 1024)	/* registered; as the kernel has it */
#define CKPT_MAX_IO_BUFFERS	16384		/* the same */
#define CKPT_MAX_IO_BUFFER	0x40000000ULL	/* bytes of one, as the kernel has it */
#define CKPT_MAX_IO_RINGS	65536		/* registered by all threads of a process */
#define CKPT_MAX_INDEX		(16 * 1024 * 1024)

/* Of times and counters, 2^62: the sum of two does not overflow. */
#define CKPT_MAX_COUNT		0x4000000000000000ULL

/* One PAGES record: a bounded extent table, so that a save needs little memory. */
#define CKPT_MAX_EXTENTS	2048
#define CKPT_MAX_RECORD_PAGES	32768
/* Pages of a huge page may go either way, one by one: as many entries have to be left. */
#define CKPT_ENOUGH_EXTENTS	(CKPT_MAX_EXTENTS - PTRS_PER_PTE)

/* Lists of different mappings of a tree, in a restart. */
#define CKPT_TEMPLATE_BITS	8

/* A save remembers so many shared pages (or folios), in 16 bytes each. */
#define CKPT_COW_BITS		19

#endif /* _CHECKPOINT_LIMITS_H */

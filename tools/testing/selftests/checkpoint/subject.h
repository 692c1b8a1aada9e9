/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program under test. A mode prepares some state, calls stage() once or
 * several times, and checks after each that its state is what it was. Only the
 * test at the other end of the standard streams knows what happened meanwhile.
 */
#ifndef CHECKPOINT_SUBJECT_H
#define CHECKPOINT_SUBJECT_H

#include "common.h"

#include <errno.h>
#include <string.h>

struct mode {
	const char *name;
	void (*run)(int argc, char **argv);	/* the arguments of the mode */
};

extern const struct mode basic_modes[];
extern const struct mode thread_modes[];
extern const struct mode memory_modes[];
extern const struct mode memory2_modes[];
extern const struct mode cow_modes[];
extern const struct mode vma_modes[];
extern const struct mode twin_modes[];
extern const struct mode page_modes[];
extern const struct mode mapgen_modes[];
extern const struct mode sysv_modes[];
extern const struct mode huge_modes[];
extern const struct mode cpu_modes[];
extern const struct mode file_modes[];
extern const struct mode tty_modes[];
extern const struct mode tty2_modes[];
extern const struct mode regular_modes[];
extern const struct mode proc_modes[];
extern const struct mode lock_modes[];
extern const struct mode files2_modes[];
extern const struct mode signal_modes[];
extern const struct mode syscall_modes[];
extern const struct mode timed_modes[];
extern const struct mode id_modes[];
extern const struct mode timer_modes[];
extern const struct mode usage_modes[];
extern const struct mode obstacle_modes[];
extern const struct mode tie_modes[];
extern const struct mode process_modes[];
extern const struct mode ns_modes[];
extern const struct mode tree_modes[];
extern const struct mode shmem_modes[];
extern const struct mode outside_modes[];
extern const struct mode outer_modes[];
extern const struct mode event_modes[];
extern const struct mode epoll_modes[];
extern const struct mode sockopt_modes[];
extern const struct mode aio_modes[];
extern const struct mode uring_modes[];
extern const struct mode uring2_modes[];
extern const struct mode uring3_modes[];
extern const struct mode name_modes[];
extern const struct mode unix_modes[];
extern const struct mode pending_modes[];
extern const struct mode inet_modes[];
extern const struct mode inet2_modes[];
extern const struct mode state_modes[];
extern const struct mode seccomp_modes[];

/* subject.c */
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fail_at(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void ready(void);
void wait_go(void);
bool gone_on(void);
void stage(void);
bool run_mode(int argc, char **argv);

#define fail(fmt, ...)	fail_at(__FILE__, __LINE__, fmt, ##__VA_ARGS__)

#define check(cond) do {						\
	if (!(cond))							\
		fail("%s (errno %d)", #cond, errno);			\
} while (0)

#define check_eq(want, got) do {					\
	long long __want = (long long)(want), __got = (long long)(got);	\
	if (__want != __got)						\
		fail("%s is %lld = %#llx, not %lld = %#llx (errno %d)",	\
		     #got, __got, __got, __want, __want, errno);	\
} while (0)

/* Without this the rest of the mode makes no sense. */
#define need(cond) do {							\
	if (!(cond)) {							\
		fail("needed: %s (errno %d)", #cond, errno);		\
		_exit(1);						\
	}								\
} while (0)

/* Is there a SIGBUS, as behind the end of what is mapped? */
bool faults(volatile char *p);

#endif /* CHECKPOINT_SUBJECT_H */

// SPDX-License-Identifier: GPL-2.0-only
/* Programs that confine themselves with seccomp(2). */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "state.h"

/* A filter that answers the system call with an action, and allows the rest. */
static int install(int nr, unsigned int action, unsigned int flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(insns), .filter = insns };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int install_errno(int nr, int error, unsigned int flags)
{
	return install(nr, SECCOMP_RET_ERRNO | error, flags);
}

#define CHECK_ERRNO(error, call) do {		\
	errno = 0;				\
	check_eq(-1, call);			\
	check_eq(error, errno);			\
} while (0)

static int count_filters(void)
{
	char status[8192], *p;

	need(read_file("/proc/thread-self/status", status, sizeof(status)) > 0);
	p = strstr(status, "Seccomp_filters:");
	return p ? atoi(p + 16) : -1;
}

static int filters(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ?:
	       install_errno(SYS_getppid, 71, SECCOMP_FILTER_FLAG_LOG) ?:
	       install_errno(SYS_getpgrp, 72, SECCOMP_FILTER_FLAG_SPEC_ALLOW) ?:
	       install_errno(SYS_getppid, 73, 0);
}

static void filters_check(void)
{
	/* Of two answers with an error the one of the last filter counts. */
	CHECK_ERRNO(73, syscall(SYS_getppid));
	CHECK_ERRNO(72, syscall(SYS_getpgrp));
	check_eq(getpid(), syscall(SYS_getpid));
	check_eq(3, count_filters());
	check_eq(0, install_errno(SYS_getsid, 74, 0));
	CHECK_ERRNO(74, syscall(SYS_getsid, 0));
	check_eq(4, count_filters());
}

/* Installed with CAP_SYS_ADMIN in place of no_new_privs. */
static int privileged_filter(void)
{
	return install_errno(SYS_getppid, 75, 0);
}

static void privileged_filter_check(void)
{
	CHECK_ERRNO(75, syscall(SYS_getppid));
	check_eq(0, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

/* Every kind of instruction, and the longest program. */
static int long_filter(void)
{
	struct sock_filter *insns = calloc(BPF_MAXINSNS, sizeof(*insns));
	struct sock_fprog program = { .len = BPF_MAXINSNS, .filter = insns };
	static const struct sock_filter start[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_ST, 3),
		BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 3),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0),
		/* The length has to be the same in both. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 76),
	};
	size_t i;

	memcpy(insns, start, sizeof(start));
	for (i = ARRAY_SIZE(start); i < BPF_MAXINSNS - 1; i++)
		insns[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, i);
	insns[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ?:
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void long_filter_check(void)
{
	CHECK_ERRNO(76, syscall(SYS_getppid));
	check_eq(1, count_filters());
}

/* Its system call is not one to be killed for. */
static int no_restart(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ?:
	       install(SYS_restart_syscall, SECCOMP_RET_KILL_PROCESS, 0);
}

static void no_restart_check(void)
{
	check_eq(1, count_filters());
}

const struct state seccomp_states[] = {
	{ "filters", filters, filters_check },
	{ "privileged_filter", privileged_filter, privileged_filter_check },
	{ "long_filter", long_filter, long_filter_check },
	{ "no_restart", no_restart, no_restart_check },
	{}
};

static pthread_barrier_t barrier;

static void *sharing_thread(void *arg)
{
	bool apart = *(bool *)arg;

	if (apart)
		check_eq(0, install_errno(SYS_getpgrp, 81, 0));
	pthread_barrier_wait(&barrier);
	/* Saved and restarted here. */
	pthread_barrier_wait(&barrier);
	CHECK_ERRNO(80, syscall(SYS_getppid));
	if (apart)
		CHECK_ERRNO(81, syscall(SYS_getpgrp));
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	if (apart) {
		check_eq(getpid(), syscall(SYS_getpgid, 0));
		check_eq(2, count_filters());
	} else {
		CHECK_ERRNO(82, syscall(SYS_getpgid, 0));
		check_eq(2, count_filters());
	}
	return NULL;
}

/*
 * sharing [apart]: a filter can be given to all threads if theirs are among
 * those of the thread that does it. With apart one has another.
 */
static void sharing(int argc, char **argv)
{
	bool apart = argc > 0;
	pthread_t thread;

	need(!setpgid(0, 0));
	need(!pthread_barrier_init(&barrier, NULL, 2));
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(!install_errno(SYS_getppid, 80, 0));
	need(!pthread_create(&thread, NULL, sharing_thread, &apart));
	pthread_barrier_wait(&barrier);
	stage();
	stage();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	check_eq(1, count_filters());
	check_eq(getpid(), syscall(SYS_getpgrp));
	/* The answer is 0, or the thread that prevents it. */
	if (apart)
		check(install_errno(SYS_getpgid, 82, SECCOMP_FILTER_FLAG_TSYNC) > 0);
	else
		check_eq(0, install_errno(SYS_getpgid, 82, SECCOMP_FILTER_FLAG_TSYNC));
	pthread_barrier_wait(&barrier);
	need(!pthread_join(thread, NULL));
	check_eq(apart ? 1 : 2, count_filters());
}

/* strict: only read, write and _exit are allowed; strict KILL: uses another. */
static void strict(int argc, char **argv)
{
	ready();
	need(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	wait_go();
	if (argc)
		syscall(SYS_getppid);
	tell("done");
	syscall(SYS_exit, 0);
}

/* timed: in a wait for input that filters do not let be restarted. */
static void timed(int argc, char **argv)
{
	struct pollfd pfd = { .fd = 0, .events = POLLIN };
	int n;

	need(!no_restart());
	ready();
	n = poll(&pfd, 1, 600 * 1000);
	/* Not interrupted at all, or told so. */
	if (n < 0)
		check_eq(EINTR, errno);
	else
		check_eq(1, n);
	wait_go();
	no_restart_check();
}

/* listener: somebody decides about its system calls. */
static void listener(int argc, char **argv)
{
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(install(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER) > 0);
	stage();
}

const struct mode seccomp_modes[] = {
	{ "sharing", sharing },
	{ "strict", strict },
	{ "pollfilter", timed },
	{ "listener", listener },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processes of random trees set about themselves. Most of it is passed
 * on to their children, who may set it again. What /proc shows is compared from
 * outside; the rest has a function that looks.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ioprio.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "treestate.h"

#define LONG	1000000		/* seconds: no timer ends while a test runs */

static void be_nicer(unsigned int v)
{
	need(!setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + v % 5));
}

/* There is no way back from SCHED_IDLE for everybody. */
static void set_policy(unsigned int v)
{
	struct sched_param param = {};

	if (sched_getscheduler(0) == SCHED_OTHER)
		need(!sched_setscheduler(0, v % 2 ? SCHED_BATCH : SCHED_IDLE, &param));
}

static void set_cpus(unsigned int v)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(v % 2, &set);
	need(!sched_setaffinity(0, sizeof(set), &set));
}

static void raise_oom_score(unsigned int v)
{
	char text[16] = "";
	int score;

	need(read_file("/proc/self/oom_score_adj", text, sizeof(text)) > 0);
	score = atoi(text) + v % 100;
	snprintf(text, sizeof(text), "%d", score > 1000 ? 1000 : score);
	need(!write_file("/proc/self/oom_score_adj", text, strlen(text)));
}

static void set_umask(unsigned int v)
{
	umask(v & 0777);
}

static void change_directory(unsigned int v)
{
	static const char * const names[] = { "/", "/usr", "/tmp", "/etc" };

	need(!chdir(names[v % ARRAY_SIZE(names)]));
}

static void lower_limits(unsigned int v)
{
	static const int which[] = { RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_MSGQUEUE };
	int resource = which[v % ARRAY_SIZE(which)];
	struct rlimit limit;

	need(!getrlimit(resource, &limit));
	if (limit.rlim_cur > (1 << 30) + v % 1000)
		limit.rlim_cur = (1 << 30) + v % 1000;
	need(!setrlimit(resource, &limit));
}

static void set_slack(unsigned int v)
{
	need(!prctl(PR_SET_TIMERSLACK, 60000 + v % 1000));
}

static void set_personality(unsigned int v)
{
	need(personality(v % 2 ? ADDR_NO_RANDOMIZE : ADDR_LIMIT_3GB | STICKY_TIMEOUTS) >= 0);
}

static void drop_bounding(unsigned int v)
{
	need(!prctl(PR_CAPBSET_DROP, 20 + v % 20));
}

static void no_new_privs(unsigned int v)
{
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void handle_signals(unsigned int v)
{
	struct sigaction sa = { .sa_handler = v % 3 ? SIG_IGN : SIG_DFL, .sa_flags = SA_NODEFER };

	sigaddset(&sa.sa_mask, 50 + v % 7);
	need(!sigaction(57 + v % 5, &sa, NULL));
}

static void handle_signals_check(unsigned int v)
{
	struct sigaction sa = {};

	check_eq(0, sigaction(57 + v % 5, NULL, &sa));
	check(sa.sa_handler == (v % 3 ? SIG_IGN : SIG_DFL));
	check_eq(SA_NODEFER, sa.sa_flags & ~0x04000000);
	check(sigismember(&sa.sa_mask, 50 + v % 7));
}

static char other_stack[65536];

static void other_stack_set(unsigned int v)
{
	stack_t stack = { .ss_sp = other_stack + v % 16 * 16, .ss_size = 32768 + v % 100 };

	need(!sigaltstack(&stack, NULL));
}

static void other_stack_check(unsigned int v)
{
	stack_t stack = {};

	check_eq(0, sigaltstack(NULL, &stack));
	check(stack.ss_sp == other_stack + v % 16 * 16);
	check_eq(32768 + v % 100, stack.ss_size);
	check_eq(0, stack.ss_flags);
}

static void io_priority(unsigned int v)
{
	need(!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, v % 8)));
}

static void io_priority_check(unsigned int v)
{
	check_eq(IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, v % 8),
		 syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
}

static void no_huge_pages(unsigned int v)
{
	need(!prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
}

static void no_huge_pages_check(unsigned int v)
{
	check_eq(1, prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
}

static void keep_caps(unsigned int v)
{
	need(!prctl(PR_SET_KEEPCAPS, 1));
}

static void keep_caps_check(unsigned int v)
{
	check_eq(1, prctl(PR_GET_KEEPCAPS));
}

/* A filter gives an error of its own to a call that does not exist. */
#define NO_CALL(v)	(700 + (v) % 20)
#define NO_ERROR(v)	(200 + (v) % 50)

static void filter_calls(unsigned int v)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NO_CALL(v), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | NO_ERROR(v)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_SIZE(code), code };

	no_new_privs(0);
	need(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

static void filter_calls_check(unsigned int v)
{
	check_eq(-1, syscall(NO_CALL(v)));
	check_eq(NO_ERROR(v), errno);
}

static void interval_timer(unsigned int v)
{
	struct itimerval value = { .it_interval = { v % 100, v }, .it_value = { LONG + v, 0 } };

	need(!setitimer(v % 2 ? ITIMER_REAL : ITIMER_PROF, &value, NULL));
}

static void interval_timer_check(unsigned int v)
{
	struct itimerval value = {};

	check_eq(0, getitimer(v % 2 ? ITIMER_REAL : ITIMER_PROF, &value));
	check_eq(v % 100, value.it_interval.tv_sec);
	check(value.it_value.tv_sec <= LONG + v && value.it_value.tv_sec > LONG + v - 3600);
}

static timer_t posix_timer;

/* The signal says who has made it, as a child has none of these timers. */
static void posix_timer_set(unsigned int v)
{
	struct itimerspec value = { .it_value = { LONG + v, 5 }, .it_interval = { v, 7 } };
	struct sigevent event = {
		.sigev_notify = v % 2 ? SIGEV_SIGNAL : SIGEV_NONE, .sigev_signo = 62,
		.sigev_value.sival_int = getpid(),
	};

	need(!timer_create(v % 3 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &event, &posix_timer));
	need(!timer_settime(posix_timer, 0, &value, NULL));
}

static void posix_timer_check(unsigned int v)
{
	struct itimerspec value = {};

	check_eq(0, timer_gettime(posix_timer, &value));
	check_eq(v, value.it_interval.tv_sec);
	check_eq(7, value.it_interval.tv_nsec);
	check(value.it_value.tv_sec <= LONG + v && value.it_value.tv_sec > LONG + v - 3600);
}

/* New ones come before the end: the bits of a seed are what they were. */
static const struct {
	void (*set)(unsigned int v);
	void (*look)(unsigned int v);
	bool own;	/* its children do not have it */
} tree_states[] = {
	{ be_nicer },
	{ set_policy },
	{ set_cpus },
	{ raise_oom_score },
	{ set_umask },
	{ change_directory },
	{ lower_limits },
	{ set_slack },
	{ set_personality },
	{ drop_bounding },
	{ no_new_privs },
	{ handle_signals, handle_signals_check },
	{ other_stack_set, other_stack_check },
	{ io_priority, io_priority_check },
	{ no_huge_pages, no_huge_pages_check },
	{ keep_caps, keep_caps_check },
	{ filter_calls, filter_calls_check },
	{ interval_timer, interval_timer_check, true },
	{ posix_timer_set, posix_timer_check, true },
};

/* Bits, and numbers, of what this process has: of its own, or from its creator. */
static uint64_t have;
static unsigned int values[ARRAY_SIZE(tree_states)];

void treestate_set(uint64_t states, uint64_t seed)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tree_states); i++) {
		if (tree_states[i].own)
			have &= ~(1ULL << i);
		if (!(states & 1ULL << i))
			continue;
		values[i] = (seed * 2654435761U >> 8) % 100000 + i;
		have |= 1ULL << i;
		tree_states[i].set(values[i]);
	}
}

void treestate_check(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tree_states); i++)
		if (have & 1ULL << i && tree_states[i].look)
			tree_states[i].look(values[i]);
}

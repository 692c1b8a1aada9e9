// SPDX-License-Identifier: GPL-2.0-only
/* What a process, its dead threads and its children have used, and its age. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

#include "subject.h"

#define SECOND	1000000000LL
#define BURN_NS	(SECOND / 5)

static long long cpu_clock(clockid_t clock)
{
	struct timespec ts = {};

	check_eq(0, clock_gettime(clock, &ts));
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

/* Uses up processor time, half of it in the kernel. */
static void *burn(void *arg)
{
	long long end = cpu_clock(CLOCK_THREAD_CPUTIME_ID) + BURN_NS;
	uint64_t state = 1;
	char buf[64];

	while (cpu_clock(CLOCK_THREAD_CPUTIME_ID) < end) {
		state = chain(state, 1000);
		need(read_file("/proc/self/stat", buf, sizeof(buf)) > 0);
	}
	return arg;
}

static long long to_ns(struct timeval tv)
{
	return tv.tv_sec * SECOND + tv.tv_usec * 1000LL;
}

/* Everything that only grows, in the same order each time. */
enum {
	PROCESS_CLOCK, THREAD_CLOCK, USER, SYSTEM, THREAD_USER, THREAD_SYSTEM, MIN_FLT, MAJ_FLT,
	NVCSW, NIVCSW, MAXRSS, INBLOCK, OUBLOCK, TICKS_USER, TICKS_SYSTEM, RCHAR, WCHAR, SYSCR,
	SYSCW, NR_RUNS,
	/* And what does not change here. */
	CHILD_USER, CHILD_SYSTEM, CHILD_MIN_FLT, CHILD_MAXRSS, CHILD_NVCSW, CHILD_TICKS,
	NR_VALUES
};

static void look_children(long long *v)
{
	struct rusage use;
	struct tms tms;

	check_eq(0, getrusage(RUSAGE_CHILDREN, &use));
	v[CHILD_USER] = to_ns(use.ru_utime);
	v[CHILD_SYSTEM] = to_ns(use.ru_stime);
	v[CHILD_MIN_FLT] = use.ru_minflt;
	v[CHILD_MAXRSS] = use.ru_maxrss;
	v[CHILD_NVCSW] = use.ru_nvcsw;
	times(&tms);
	v[CHILD_TICKS] = tms.tms_cutime + tms.tms_cstime;
	v[TICKS_USER] = tms.tms_utime;
	v[TICKS_SYSTEM] = tms.tms_stime;
}

static void look_files(long long *v)
{
	unsigned long long run, delay;
	char buf[1024];

	check(read_file("/proc/self/io", buf, sizeof(buf)) > 0);
	check_eq(4, sscanf(buf, "rchar: %lld\nwchar: %lld\nsyscr: %lld\nsyscw: %lld", &v[RCHAR],
			   &v[WCHAR], &v[SYSCR], &v[SYSCW]));
	check(read_file("/proc/thread-self/schedstat", buf, sizeof(buf)) > 0);
	check_eq(3, sscanf(buf, "%llu %llu %lld", &run, &delay, &v[NR_RUNS]));
}

static void look(long long *v)
{
	struct rusage use;

	check_eq(0, getrusage(RUSAGE_SELF, &use));
	v[USER] = to_ns(use.ru_utime);
	v[SYSTEM] = to_ns(use.ru_stime);
	v[MIN_FLT] = use.ru_minflt;
	v[MAJ_FLT] = use.ru_majflt;
	v[NVCSW] = use.ru_nvcsw;
	v[NIVCSW] = use.ru_nivcsw;
	v[MAXRSS] = use.ru_maxrss;
	v[INBLOCK] = use.ru_inblock;
	v[OUBLOCK] = use.ru_oublock;
	check_eq(0, getrusage(RUSAGE_THREAD, &use));
	v[THREAD_USER] = to_ns(use.ru_utime);
	v[THREAD_SYSTEM] = to_ns(use.ru_stime);
	look_children(v);
	look_files(v);
	v[PROCESS_CLOCK] = cpu_clock(CLOCK_PROCESS_CPUTIME_ID);
	v[THREAD_CLOCK] = cpu_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* Since it was saved, it has not used more time than has passed. */
static void check_grown(const long long *before, const long long *now, long long elapsed)
{
	int i;

	for (i = 0; i < NR_VALUES; i++) {
		if (i >= CHILD_USER)
			check_eq(before[i], now[i]);
		if (now[i] < before[i])
			fail("value %d was %lld and is %lld", i, before[i], now[i]);
	}
	check(now[PROCESS_CLOCK] - before[PROCESS_CLOCK] <= elapsed);
	check(now[THREAD_CLOCK] - before[THREAD_CLOCK] <= elapsed);
}

static void prepare(void)
{
	size_t size = 32 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;
	pid_t pid;

	/* A peak of memory, and faults. */
	need(memory != MAP_FAILED);
	memset(memory, 1, size);
	munmap(memory, size);
	need(!pthread_create(&thread, NULL, burn, NULL) && !pthread_join(thread, NULL));
	burn(NULL);
	pid = fork();
	if (!pid) {
		burn(NULL);
		_exit(0);
	}
	need(waitpid(pid, NULL, 0) == pid);
}

/* usage: two threads, one of them dead, and a child. */
static void usage(int argc, char **argv)
{
	long long before[NR_VALUES], now[NR_VALUES];
	uint64_t begin;
	int i;

	prepare();
	for (i = 0; i < 2; i++) {
		begin = now_ns();
		look(before);
		/* It does not speak of a process that has just begun. */
		check(before[PROCESS_CLOCK] >= 2 * BURN_NS);
		check(before[THREAD_CLOCK] >= BURN_NS);
		check(before[MIN_FLT] > 8192 && before[MAXRSS] > 32 << 10);
		check(before[CHILD_USER] + before[CHILD_SYSTEM] >= BURN_NS);
		stage();
		look(now);
		check_grown(before, now, now_ns() - begin);
	}
}

/* In nanoseconds, in steps of a hundredth of a second. */
static long long age(void)
{
	unsigned long long start = 0;
	char buf[1024], *p;
	struct timespec ts;
	int i;

	need(read_file("/proc/thread-self/stat", buf, sizeof(buf)) > 0);
	p = strrchr(buf, ')');
	for (i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	need(p && sscanf(p, "%llu", &start) == 1);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec - (long long)start * (SECOND / 100);
}

/* age: tells "aged BY ELAPSED", in nanoseconds, at every stage. */
static void aging(int argc, char **argv)
{
	long long before, begin, by;
	int i;

	for (i = 0; i < 2; i++) {
		begin = now_ns();
		before = age();
		stage();
		by = age() - before;
		tell("aged %lld %lld", by, (long long)now_ns() - begin);
	}
}

static volatile int exceeded;

static void on_limit(int sig)
{
	exceeded = sig;
}

/* cpulimit: what was used before the stages counts for RLIMIT_CPU. */
static void cpulimit(int argc, char **argv)
{
	struct rlimit limit = { 2, RLIM_INFINITY };
	/* Of ticks, as the limit is, and less exact than the other clocks. */
	const clockid_t clock = ~0U << 3;
	long long begin;
	uint64_t state = 1;

	signal(SIGXCPU, on_limit);
	while (cpu_clock(clock) < 4 * BURN_NS)
		burn(NULL);
	need(!setrlimit(RLIMIT_CPU, &limit));
	stage();
	stage();
	check_eq(0, exceeded);
	begin = cpu_clock(clock);
	check(begin >= 4 * BURN_NS);
	while (!exceeded && cpu_clock(clock) < 10 * SECOND)
		state = chain(state, 10000);
	check_eq(SIGXCPU, exceeded);
	check(cpu_clock(clock) >= 2 * SECOND);
	check(cpu_clock(clock) - begin < 2 * SECOND && state);
	check_eq(0, getrlimit(RLIMIT_CPU, &limit));
	check_eq(3, limit.rlim_cur);
}

/* What wait(2) will tell of a zombie, which stays one. */
static struct rusage look_dead(pid_t pid)
{
	struct rusage use = {};
	siginfo_t info;

	check_eq(0, syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, &use));
	check_eq(pid, info.si_pid);
	return use;
}

static void check_same(const struct rusage *a, const struct rusage *b)
{
	check_eq(to_ns(a->ru_utime), to_ns(b->ru_utime));
	check_eq(to_ns(a->ru_stime), to_ns(b->ru_stime));
	check_eq(a->ru_maxrss, b->ru_maxrss);
	check_eq(a->ru_minflt, b->ru_minflt);
	check_eq(a->ru_majflt, b->ru_majflt);
	check_eq(a->ru_inblock, b->ru_inblock);
	check_eq(a->ru_oublock, b->ru_oublock);
	check_eq(a->ru_nvcsw, b->ru_nvcsw);
	check_eq(a->ru_nivcsw, b->ru_nivcsw);
}

/*
 * dead_usage: a child has ended, and its own, which it has waited for. Its parent has
 * used nothing by them until it waits.
 */
static void dead_usage(int argc, char **argv)
{
	struct rusage children, before, now;
	int status = -1;
	pid_t pid;

	pid = fork();
	need(pid >= 0);
	if (!pid) {
		if (!fork()) {
			burn(NULL);
			_exit(0);
		}
		wait(NULL);
		burn(NULL);
		_exit(5);
	}
	before = look_dead(pid);
	check(to_ns(before.ru_utime) + to_ns(before.ru_stime) > BURN_NS);
	check(before.ru_maxrss > 0 && before.ru_minflt > 0);
	stage();
	stage();
	now = look_dead(pid);
	check_same(&before, &now);
	check_eq(0, getrusage(RUSAGE_CHILDREN, &children));
	check_eq(0, to_ns(children.ru_utime) + to_ns(children.ru_stime));
	check_eq(0, children.ru_minflt);
	check_eq(pid, wait4(pid, &status, 0, &now));
	check_eq(5 << 8, status);
	check_same(&before, &now);
	check_eq(0, getrusage(RUSAGE_CHILDREN, &children));
	check_same(&before, &children);
}

const struct mode usage_modes[] = {
	{ "dead_usage", dead_usage },
	{ "usage", usage },
	{ "age", aging },
	{ "cpulimit", cpulimit },
	{}
};

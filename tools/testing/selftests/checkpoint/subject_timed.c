// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that end by themselves after a time, one thread for each. The time in
 * which the process is dead does not count.
 */
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/time.h>
#include <time.h>

#include "subject.h"

static long timeout_ms;
static int semaphore;
static uint32_t futex_word;

static struct timespec timeout(void)
{
	struct timespec ts = {
		.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000,
	};

	return ts;
}

static struct timespec deadline(clockid_t clock)
{
	struct timespec now, ts = timeout();

	clock_gettime(clock, &now);
	ts.tv_sec += now.tv_sec + (ts.tv_nsec + now.tv_nsec) / 1000000000;
	ts.tv_nsec = (ts.tv_nsec + now.tv_nsec) % 1000000000;
	return ts;
}

static void by_nanosleep(void)
{
	struct timespec ts = timeout();

	check_eq(0, nanosleep(&ts, NULL));
}

static void by_monotonic(void)
{
	struct timespec ts = timeout();

	check_eq(0, syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL));
}

static void by_realtime(void)
{
	struct timespec ts = timeout();

	check_eq(0, clock_nanosleep(CLOCK_REALTIME, 0, &ts, NULL));
}

static void by_poll(void)
{
	check_eq(0, poll(NULL, 0, timeout_ms));
}

static void by_ppoll(void)
{
	struct timespec ts = timeout();

	check_eq(0, ppoll(NULL, 0, &ts, NULL));
}

static void by_select(void)
{
	struct timeval tv = {
		.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000,
	};

	check_eq(0, select(0, NULL, NULL, NULL, &tv));
}

static void by_pselect(void)
{
	struct timespec ts = timeout();

	check_eq(0, pselect(0, NULL, NULL, NULL, &ts, NULL));
}

static void by_futex(void)
{
	struct timespec ts = timeout();

	check_eq(-1, syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, &ts));
	check_eq(ETIMEDOUT, errno);
}

static void by_sigtimedwait(void)
{
	struct timespec ts = timeout();
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	check_eq(-1, sigtimedwait(&set, NULL, &ts));
	check_eq(EAGAIN, errno);
}

static void by_semtimedop(void)
{
	struct timespec ts = timeout();
	struct sembuf op = { .sem_op = -1 };

	check_eq(-1, semtimedop(semaphore, &op, 1, &ts));
	check_eq(EAGAIN, errno);
}

/* These end at a time, not after one; also if it has passed meanwhile. */
static void until_monotonic(void)
{
	struct timespec ts = deadline(CLOCK_MONOTONIC);

	check_eq(0, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL));
}

static void until_realtime(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME);

	check_eq(0, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL));
}

static void until_futex(void)
{
	struct timespec ts = deadline(CLOCK_MONOTONIC);

	check_eq(-1, syscall(SYS_futex, &futex_word, FUTEX_WAIT_BITSET_PRIVATE, 0, &ts, NULL, ~0));
	check_eq(ETIMEDOUT, errno);
}

struct timed {
	const char *name;
	void (*run)(void);
	pthread_t thread;
	pid_t tid;
	uint64_t elapsed;
};

static struct timed timed[] = {
	{ "nanosleep", by_nanosleep }, { "monotonic", by_monotonic },
	{ "realtime", by_realtime }, { "poll", by_poll }, { "ppoll", by_ppoll },
	{ "select", by_select }, { "pselect", by_pselect }, { "futex", by_futex },
	{ "sigtimedwait", by_sigtimedwait }, { "semtimedop", by_semtimedop },
	{ "until_monotonic", until_monotonic }, { "until_realtime", until_realtime },
	{ "until_futex", until_futex },
};

static pthread_barrier_t start;

static void *run_timed(void *arg)
{
	struct timed *t = arg;
	uint64_t begin;

	t->tid = syscall(SYS_gettid);
	pthread_barrier_wait(&start);
	begin = now_ns();
	t->run();
	t->elapsed = now_ns() - begin;
	return NULL;
}

/*
 * timed MS: every call in a thread of its own; tells how long each took in
 * microseconds, those until a point in time with a "-" before.
 */
static void run_all(int argc, char **argv)
{
	sigset_t set;
	size_t i;

	timeout_ms = atol(argv[0]);
	semaphore = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	need(semaphore >= 0);
	tell("use %d", semaphore);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pthread_barrier_init(&start, NULL, ARRAY_SIZE(timed) + 1);
	for (i = 0; i < ARRAY_SIZE(timed); i++)
		need(!pthread_create(&timed[i].thread, NULL, run_timed, &timed[i]));
	pthread_barrier_wait(&start);
	ready();
	for (i = 0; i < ARRAY_SIZE(timed); i++) {
		check_eq(0, pthread_join(timed[i].thread, NULL));
		tell("took %s%lld %s", strncmp(timed[i].name, "until", 5) ? "" : "-",
		     (long long)timed[i].elapsed / 1000, timed[i].name);
	}
}

const struct mode timed_modes[] = {
	{ "timed", run_all },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers that are running, have expired, or neither. What a timer has left is
 * told to the test, which knows for how long the process did not exist:
 *
 *	left SET LEFT LEAST MOST
 *
 * It was set to SET and has LEFT nanoseconds; since then the process has lived
 * for at least LEAST, and at most MOST of them, if it was always there.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "subject.h"

#define SIGNAL		(SIGRTMIN + 3)
#define SECOND		1000000000LL
#define LONG_SECONDS	1000
#define ALIVE_NS	20000000LL

static long long to_ns(struct timespec ts)
{
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static struct timespec from_ns(long long ns)
{
	return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

static long long read_clock(clockid_t clock)
{
	struct timespec ts = {};

	check_eq(0, syscall(SYS_clock_gettime, clock, &ts));
	return to_ns(ts);
}

/* The kernel's form: glibc has its own idea of a timer_t. */
static int create(clockid_t clock, int notify, pid_t tid, int signal, long value)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = signal };
	int id = -1;

	event.sigev_value.sival_ptr = (void *)value;
	event._sigev_un._tid = tid;
	return syscall(SYS_timer_create, clock, &event, &id) ? -1 : id;
}

static int set_timer(int id, int flags, long long value, long long interval)
{
	struct itimerspec its = { .it_value = from_ns(value), .it_interval = from_ns(interval) };

	return syscall(SYS_timer_settime, id, flags, &its, NULL);
}

static long long get_timer(int id, long long *interval)
{
	struct itimerspec its = {};

	check_eq(0, syscall(SYS_timer_gettime, id, &its));
	if (interval)
		*interval = to_ns(its.it_interval);
	return to_ns(its.it_value);
}

/* Computes until so much time has passed since then. */
static long long live_until(long long begin, long long ns)
{
	uint64_t state = 1;

	while ((long long)now_ns() - begin < ns)
		state = chain(state, 100);
	return state ? now_ns() - begin : 0;
}

/* Where the expiry of a timer of this clock lies, as narrow as we can see. */
struct span {
	long long low, high;
};

static void check_overlap(const struct span *a, const struct span *b)
{
	if (a->high < b->low || b->high < a->low)
		fail("expiry was in %lld to %lld, is in %lld to %lld", a->low, a->high,
		     b->low, b->high);
}

/* A second thread: target of signals, and owner of a clock. */
static pthread_t other;
static pid_t other_tid;
static char other_status[64];
static clockid_t other_clock;
static pthread_barrier_t barrier;
static siginfo_t taken;

/* The signal, which comes for sure, perhaps only if this thread computes. */
static void take(void)
{
	struct timespec zero = {};
	uint64_t state = 1;
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	do {
		state = chain(state, 100);
		memset(&taken, 0, sizeof(taken));
		ret = syscall(SYS_rt_sigtimedwait, &set, &taken, &zero, 8);
	} while (ret < 0 && errno == EAGAIN && state);
	check_eq(SIGNAL, ret);
}

static void expect_nothing(void)
{
	struct timespec zero = {};
	sigset_t set;

	sigfillset(&set);
	check_eq(-1, sigtimedwait(&set, NULL, &zero));
	check_eq(EAGAIN, errno);
}

static void expect_taken(int id, long value)
{
	check_eq(SI_TIMER, taken.si_code);
	check_eq(id, taken.si_timerid);
	check_eq(value, (long)taken.si_value.sival_ptr);
}

static void *other_thread(void *arg)
{
	char path[32] = "";

	other_tid = syscall(SYS_gettid);
	/* By its number in the namespace of /proc. */
	need(readlink("/proc/thread-self", path, sizeof(path) - 1) > 0);
	snprintf(other_status, sizeof(other_status), "/proc/%s/status", path);
	need(!pthread_getcpuclockid(pthread_self(), &other_clock));
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	if (*(bool *)arg)
		take();
	return NULL;
}

static bool by_other;

/* A child, or else the parent, which uses processor time when it is told. */
static pid_t kin;
static int burn[2];

static void start_other(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	pthread_barrier_init(&barrier, NULL, 2);
	need(!pthread_create(&other, NULL, other_thread, &by_other));
	pthread_barrier_wait(&barrier);
}

static void end_other(bool takes)
{
	by_other = takes;
	pthread_barrier_wait(&barrier);
	check_eq(0, pthread_join(other, NULL));
}

/* Lets the other thread, or else this one, take the signal. */
static void take_by(bool other_does)
{
	end_other(other_does);
	if (!other_does)
		take();
}

enum kind {
	LEFT,		/* keeps the time left */
	UNTIL,		/* keeps the time at which it ends */
	USED,		/* of processor time, which goes on with the process */
};

static const struct clock {
	const char *name;
	clockid_t clock;
	bool absolute;
	enum kind kind;
} clocks[] = {
	{ "realtime", CLOCK_REALTIME, false, LEFT },
	{ "realtime_abs", CLOCK_REALTIME, true, UNTIL },
	{ "monotonic", CLOCK_MONOTONIC, false, LEFT },
	{ "monotonic_abs", CLOCK_MONOTONIC, true, LEFT },
	{ "boottime", CLOCK_BOOTTIME, false, LEFT },
	{ "boottime_abs", CLOCK_BOOTTIME, true, LEFT },
	{ "tai", CLOCK_TAI, false, UNTIL },
	{ "realtime_alarm", CLOCK_REALTIME_ALARM, true, UNTIL },
	{ "boottime_alarm", CLOCK_BOOTTIME_ALARM, false, LEFT },
	{ "process", CLOCK_PROCESS_CPUTIME_ID, false, USED },
	{ "process_prof", ~0U << 3 | 0, true, USED },
	{ "process_virtual", ~0U << 3 | 1, false, USED },
	{ "thread", CLOCK_THREAD_CPUTIME_ID, true, USED },
	{ "other_thread", 0, false, USED },
	{ "process_id", 0, false, USED },
	{ "kin", 0, false, USED },
};

static const struct clock *find_clock(const char *name, clockid_t *id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(clocks) - 1 && strcmp(clocks[i].name, name); i++)
		;
	*id = clocks[i].clock;
	if (!strcmp(name, "other_thread"))
		*id = other_clock;
	if (!strcmp(name, "process_id"))
		need(!clock_getcpuclockid(getpid(), id));
	if (!strcmp(name, "kin"))
		need(!clock_getcpuclockid(kin ?: getppid(), id));
	return &clocks[i];
}

static struct span find_expiry(int id, clockid_t clock)
{
	long long before = read_clock(clock), left = get_timer(id, NULL);

	return (struct span){ before + left, read_clock(clock) + left };
}

static const long long set_ns = LONG_SECONDS * SECOND + 123456789, interval_ns = 7 * SECOND + 3;

static void check_running(int id, clockid_t clock, enum kind kind, const struct span *expiry,
			  long long begin, long long least)
{
	long long interval, left = get_timer(id, &interval);
	struct span now = find_expiry(id, clock);

	check_eq(interval_ns, interval);
	if (kind == LEFT)
		tell("left %lld %lld %lld %lld", set_ns, left, least, now_ns() - begin);
	else
		check_overlap(expiry, &now);
}

static int notify_of(const char *name)
{
	return !strcmp(name, "none") ? SIGEV_NONE :
	       !strcmp(name, "thread") ? SIGEV_THREAD_ID : SIGEV_SIGNAL;
}

/* timer CLOCK NOTIFY: one that runs, and in the end expires. */
static void timer(int argc, char **argv)
{
	int notify = notify_of(argv[1]), id, i;
	long long begin, least, start;
	const struct clock *c;
	struct span expiry;
	clockid_t clock;
	bool is_other;

	start_other();
	c = find_clock(argv[0], &clock);
	is_other = notify == SIGEV_THREAD_ID || clock == other_clock;
	id = create(clock, notify, notify == SIGEV_THREAD_ID ? other_tid : 0, SIGNAL, 0x1234567890);
	if (id < 0 && errno == EOPNOTSUPP) {
		tell("SKIP no such clock");
		return;
	}
	need(id >= 0);
	begin = now_ns();
	start = c->absolute ? read_clock(clock) : 0;
	need(!set_timer(id, c->absolute ? TIMER_ABSTIME : 0, start + set_ns, interval_ns));
	expiry = find_expiry(id, clock);
	if (c->kind != LEFT && c->absolute)
		check(expiry.low <= start + set_ns && start + set_ns <= expiry.high);
	least = live_until(begin, ALIVE_NS);
	for (i = 0; i < 2; i++) {
		stage();
		find_clock(argv[0], &clock);
		check_running(id, clock, c->kind, &expiry, begin, least);
	}
	if (notify == SIGEV_NONE) {
		check_eq(0, set_timer(id, 0, 1, 0));
		end_other(false);
		expect_nothing();
		return;
	}
	check_eq(0, set_timer(id, 0, 1, 0));
	if (burn[1])
		need(write(burn[1], "b", 1) == 1);
	take_by(is_other);
	expect_taken(id, 0x1234567890);
	check_eq(0, get_timer(id, NULL));
	expect_nothing();
}

/* Computes as long as there is a child, or else the parent, which kills it then. */
static void burn_for(bool child)
{
	uint64_t state = 1;
	int status = -1;
	char c;

	need(read(burn[0], &c, 1) == 1);
	while (!child || !waitpid(-1, &status, WNOHANG))
		state = chain(state, 100);
	check_eq(0, status);
}

/*
 * timer_kin up|down NOTIFY: a timer of the processor time of the parent of who has
 * it, or of a child.
 */
static void timer_kin(int argc, char **argv)
{
	bool up = !strcmp(argv[0], "up");
	pid_t pid;

	need(!pipe(burn));
	pid = fork();
	need(pid >= 0);
	if (!pid)
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	if (up == !!pid) {
		burn_for(pid);
		return;
	}
	kin = pid;
	timer(2, (char *[]){ "kin", argv[1] });
	if (up)
		_exit(0);
	need(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

/* itimer WHICH: one of setitimer(2), which runs. */
static void itimer(int argc, char **argv)
{
	int which = !strcmp(argv[0], "real") ? ITIMER_REAL :
		    !strcmp(argv[0], "virtual") ? ITIMER_VIRTUAL : ITIMER_PROF;
	clockid_t clock = ~0U << 3 | (which == ITIMER_VIRTUAL);
	struct itimerval set = { { 7, 3 }, { LONG_SECONDS, 123456 } }, now;
	long long begin, least, left, before;
	struct span first = {}, span;
	int i;

	begin = now_ns();
	need(!setitimer(which, &set, NULL));
	least = live_until(begin, ALIVE_NS);
	for (i = 0; i < 3; i++) {
		if (i)
			stage();
		before = read_clock(clock);
		check_eq(0, getitimer(which, &now));
		check_eq(7, now.it_interval.tv_sec);
		check_eq(3, now.it_interval.tv_usec);
		left = now.it_value.tv_sec * SECOND + now.it_value.tv_usec * 1000;
		span = (struct span){ before + left, read_clock(clock) + left + 1000 };
		if (!i)
			first = span;
		else if (which == ITIMER_REAL)
			tell("left %lld %lld %lld %lld",
			     (long long)LONG_SECONDS * SECOND + 123456000, left, least,
			     now_ns() - begin);
		else
			check_overlap(&first, &span);
	}
}

/* ids: numbers of timers, and which is given next. */
static void ids(int argc, char **argv)
{
	int i, id;

	for (i = 0; i < 6; i++)
		need(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, SIGNAL, i) == i);
	need(!syscall(SYS_timer_delete, 1));
	need(!syscall(SYS_timer_delete, 4));
	need(!syscall(SYS_timer_create, CLOCK_REALTIME, NULL, &id));
	stage();
	for (i = 0; i < 7; i++) {
		struct itimerspec its = {};

		check_eq(i == 1 || i == 4 ? -1 : 0, syscall(SYS_timer_gettime, i, &its));
		check_eq(0, to_ns(its.it_value));
	}
	check_eq(7, create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0));
	for (i = 0; i < 8; i++)
		check_eq(i == 1 || i == 4 ? -1 : 0, syscall(SYS_timer_delete, i));
	stage();
	check_eq(8, create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0));
	check_eq(0, set_timer(8, 0, SECOND, 0));
	check_eq(0, syscall(SYS_timer_delete, 8));
}

static bool is_pending(void)
{
	char status[4096], *line;
	uint64_t own = 0, shared = 0;

	need(read_file(other_status, status, sizeof(status)) > 0);
	line = strstr(status, "SigPnd:\t");
	need(line && sscanf(line, "SigPnd:\t%llx\nShdPnd:\t%llx", (unsigned long long *)&own,
			    (unsigned long long *)&shared) == 2);
	return (own | shared) & 1ULL << (SIGNAL - 1);
}

static void wait_pending(void)
{
	while (!is_pending())
		sched_yield();
}

/* Longer than a tick: without high resolution that is the shortest interval. */
#define SHORT_NS	20000000LL

/*
 * pending once: its signal was sent and is not taken yet.
 * thread: to a certain thread. settled: and the timer was set again since.
 * deleted: and there is no such timer any more.
 */
static void pending(int argc, char **argv)
{
	bool thread = !strcmp(argv[0], "thread"), settled = !strcmp(argv[0], "settled");
	bool deleted = !strcmp(argv[0], "deleted");
	long long interval = 0, left;
	int id;

	start_other();
	id = create(CLOCK_MONOTONIC, thread ? SIGEV_THREAD_ID : SIGEV_SIGNAL,
		    thread ? other_tid : 0, SIGNAL, 77);
	need(id >= 0 && !set_timer(id, 0, SHORT_NS, settled ? SHORT_NS : 0));
	wait_pending();
	if (settled)
		need(!set_timer(id, 0, set_ns, interval_ns));
	if (deleted)
		need(!syscall(SYS_timer_delete, id));
	stage();
	check(is_pending());
	stage();
	take_by(thread);
	expect_taken(id, 77);
	expect_nothing();
	if (deleted)
		return;
	left = get_timer(id, &interval);
	check_eq(settled ? interval_ns : 0, interval);
	check_eq(settled, left > 0);
}

/*
 * overrun: an interval timer that goes on when its signal is taken. Tells
 *	overrun NUMBER LEAST MOST
 * where the latter are the numbers if the process was there for as long as it
 * knows, and all the time.
 */
static void overrun(int argc, char **argv)
{
	long long begin, next, least;
	int id, i, n;

	start_other();
	id = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, SIGNAL, 99);
	begin = now_ns();
	need(id >= 0 && !set_timer(id, 0, SHORT_NS, SHORT_NS));
	for (i = 0; i < 2; i++) {
		wait_pending();
		least = live_until(now_ns(), 5 * SHORT_NS);
		stage();
		next = now_ns();
		take();
		expect_taken(id, 99);
		n = syscall(SYS_timer_getoverrun, id);
		check_eq(taken.si_overrun, n);
		tell("overrun %d %lld %lld", n, least / SHORT_NS, (now_ns() - begin) / SHORT_NS);
		begin = next - SHORT_NS;
	}
	/* It was armed again. */
	take_by(false);
	expect_taken(id, 99);
}

/* order: among others of the same number. */
static void order(int argc, char **argv)
{
	union sigval value = {};
	int id[2], i;

	start_other();
	for (i = 0; i < 6; i++) {
		value.sival_int = i;
		if (i != 2 && i != 5) {
			need(!sigqueue(getpid(), SIGNAL, value));
			continue;
		}
		id[i / 3] = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, SIGNAL, i);
		need(!set_timer(id[i / 3], 0, 1, 0));
		while (get_timer(id[i / 3], NULL))
			sched_yield();
	}
	stage();
	stage();
	for (i = 0; i < 6; i++) {
		take();
		check_eq(i, taken.si_value.sival_int);
		if (i == 2 || i == 5)
			expect_taken(id[i / 3], i);
		else
			check_eq(SI_QUEUE, taken.si_code);
	}
	expect_nothing();
	end_other(false);
}

static volatile int expired;

static void count(int signal)
{
	expired++;
}

/* periodic KIND: expires again and again, with a handler. */
static void periodic(int argc, char **argv)
{
	struct itimerval it = { { 0, 10000 }, { 0, 10000 } };
	bool posix = !strcmp(argv[0], "posix"), cpu = !strcmp(argv[0], "cpu");
	struct sigaction sa = { .sa_handler = count, .sa_flags = SA_RESTART };
	uint64_t state = 1;
	int i, n, id;

	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGVTALRM, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	if (posix || cpu) {
		id = create(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_REALTIME, SIGEV_SIGNAL, 0,
			    SIGALRM, 0);
		need(!set_timer(id, 0, SECOND / 100, SECOND / 100));
	} else {
		need(!setitimer(!strcmp(argv[0], "real") ? ITIMER_REAL :
				!strcmp(argv[0], "virtual") ? ITIMER_VIRTUAL : ITIMER_PROF,
				&it, NULL));
	}
	for (i = 0; i < 3; i++) {
		for (n = expired; expired < n + 3;)
			state = chain(state, 100);
		if (i < 2 && state)
			stage();
	}
}

/* alarm: its SIGALRM is pending; as one of an interval timer it then goes on. */
static void pending_alarm(int argc, char **argv)
{
	struct itimerval it = { { argc ? 0 : 7, argc ? 10000 : 0 }, { 0, 1000 } }, now;
	sigset_t set, pending;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	need(!setitimer(ITIMER_REAL, &it, NULL));
	do {
		need(!sigpending(&pending));
	} while (!sigismember(&pending, SIGALRM));
	stage();
	check_eq(0, getitimer(ITIMER_REAL, &now));
	check_eq(0, now.it_value.tv_sec | now.it_value.tv_usec);
	stage();
	check_eq(SIGALRM, sigwaitinfo(&set, &info));
	check_eq(SI_KERNEL, info.si_code);
	check_eq(0, getitimer(ITIMER_REAL, &now));
	/* It runs again, or has already expired again: its next time may be near. */
	check(now.it_value.tv_sec | now.it_value.tv_usec ||
	      (!sigpending(&pending) && sigismember(&pending, SIGALRM)));
	if (argc)
		check_eq(SIGALRM, sigwaitinfo(&set, &info));
	else
		expect_nothing();
}

/* expires KIND MS: once, while the process may not be there. Tells "took US". */
static void expires(int argc, char **argv)
{
	long long ns = atol(argv[1]) * 1000000LL, begin;
	struct itimerval it = { .it_value = { ns / SECOND, ns % SECOND / 1000 } };
	sigset_t set;
	int id;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	begin = now_ns();
	if (!strcmp(argv[0], "real")) {
		need(!setitimer(ITIMER_REAL, &it, NULL));
	} else {
		id = create(!strcmp(argv[0], "realtime") ? CLOCK_REALTIME : CLOCK_MONOTONIC,
			    SIGEV_SIGNAL, 0, SIGALRM, 0);
		need(!set_timer(id, 0, ns, 0));
	}
	stage();
	check_eq(SIGALRM, sigwaitinfo(&set, NULL));
	tell("took %lld", ((long long)now_ns() - begin) / 1000);
	expect_nothing();
}

#define BURST	1000

/* burst MS: many that expire once, at any moment of a save; each does so once. */
static void burst(int argc, char **argv)
{
	static int got[BURST];
	long long step = atol(argv[0]) * 1000000LL / BURST;
	struct timespec zero = {};
	siginfo_t info;
	sigset_t set;
	int i, id;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	for (i = 0; i < BURST; i++) {
		id = create(i % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, SIGEV_SIGNAL, 0, SIGNAL, i);
		need(id >= 0 && !set_timer(id, 0, (i + 1) * step, 0));
	}
	stage();
	stage();
	stage();
	for (i = 0; i < BURST; i++) {
		check_eq(SIGNAL, sigwaitinfo(&set, &info));
		got[info.si_value.sival_int % BURST]++;
	}
	for (i = 0; i < BURST; i++)
		check_eq(1, got[i]);
	check_eq(-1, sigtimedwait(&set, &info, &zero));
}

const struct mode timer_modes[] = {
	{ "timer", timer },
	{ "timer_kin", timer_kin },
	{ "itimer", itimer },
	{ "timer_ids", ids },
	{ "timer_pending", pending },
	{ "timer_overrun", overrun },
	{ "timer_order", order },
	{ "periodic", periodic },
	{ "pending_alarm", pending_alarm },
	{ "expires", expires },
	{ "burst", burst },
	{}
};

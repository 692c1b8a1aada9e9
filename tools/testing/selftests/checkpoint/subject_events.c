// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors that event loops hold: eventfd, timerfd, signalfd, pidfd, inotify. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#include "subject.h"

#define SECOND		1000000000LL
#define MANY		(UINT64_MAX - 1)

#ifndef PIDFD_THREAD
#define PIDFD_THREAD	O_EXCL
#endif
#ifndef P_PIDFD
#define P_PIDFD		3
#endif

static bool is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1 && pfd.revents & POLLIN;
}

static uint64_t read_count(int fd)
{
	uint64_t count = 0;

	check_eq(sizeof(count), read(fd, &count, sizeof(count)));
	return count;
}

static void add_count(int fd, uint64_t count)
{
	check_eq(sizeof(count), write(fd, &count, sizeof(count)));
}

static bool would_block(int fd)
{
	char bytes[256];

	return read(fd, bytes, sizeof(bytes)) < 0 && errno == EAGAIN;
}

static void reap(pid_t pid, int status)
{
	int got = -1;

	check_eq(pid, waitpid(pid, &got, 0));
	check_eq(status, got);
}

static pid_t new_child(void)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid)
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	return pid;
}

/* eventfd: counts, kinds and flags; one file under two numbers. */
static void eventfds(int argc, char **argv)
{
	int plain = eventfd(5, EFD_CLOEXEC), semaphore = eventfd(3, EFD_SEMAPHORE);
	int empty = eventfd(0, EFD_NONBLOCK), full = eventfd(0, EFD_NONBLOCK), again = dup(full);
	uint64_t one = 1;

	need(plain >= 0 && semaphore >= 0 && empty >= 0 && again >= 0);
	add_count(full, MANY);
	stage();
	check_eq(5, read_count(plain));
	check_eq(FD_CLOEXEC, fcntl(plain, F_GETFD));
	check_eq(1, read_count(semaphore));
	check(would_block(empty) && !is_readable(empty));
	check(write(again, &one, sizeof(one)) < 0 && errno == EAGAIN);
	check(!fcntl(full, F_SETFL, 0) && !(fcntl(again, F_GETFL) & O_NONBLOCK));
	stage();
	check_eq(MANY, read_count(again));
	check(!is_readable(full));
	check_eq(1, read_count(semaphore));
	check_eq(1, read_count(semaphore));
	check(!is_readable(semaphore));
}

/* eventfd_wake: children sleep in read() until the parent writes. */
static void eventfd_wake(int argc, char **argv)
{
	int go = eventfd(0, EFD_SEMAPHORE), end = eventfd(0, EFD_SEMAPHORE), i;
	int done = eventfd(0, 0);
	pid_t pids[2];

	need(go >= 0 && end >= 0 && done >= 0);
	for (i = 0; i < 2; i++) {
		pids[i] = new_child();
		if (!pids[i]) {
			check_eq(1, read_count(go));
			add_count(done, i + 1);
			check_eq(1, read_count(end));
			_exit(i);
		}
	}
	stage();
	add_count(go, 2);
	while (!is_readable(done))
		poll_pause();
	stage();
	for (i = read_count(done); i < 3; i += read_count(done))
		;
	stage();
	add_count(end, 2);
	reap(pids[0], 0);
	reap(pids[1], 1 << 8);
}

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

	check_eq(0, clock_gettime(clock, &ts));
	return to_ns(ts);
}

static int new_timer(clockid_t clock, int flags, long long value, long long interval)
{
	struct itimerspec its = { .it_value = from_ns(value), .it_interval = from_ns(interval) };
	int fd = timerfd_create(clock, TFD_NONBLOCK);

	need(fd >= 0);
	check_eq(0, timerfd_settime(fd, flags, &its, NULL));
	return fd;
}

static long long left_of(int fd, long long *interval)
{
	struct itimerspec its = {};

	check_eq(0, timerfd_gettime(fd, &its));
	if (interval)
		*interval = to_ns(its.it_interval);
	return to_ns(its.it_value);
}

/* A word of /proc/self/fdinfo, as it stands there. */
static void get_info(int fd, const char *word, char *to, size_t size)
{
	char path[64], text[1024] = "", *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	need(read_file(path, text, sizeof(text)) > 0);
	at = strstr(text, word);
	need(at);
	snprintf(to, size, "%.*s", (int)strcspn(at, "\n"), at);
}

/* timerfd: what is left, in all clocks; SET is so far away that it never expires. */
static void timerfds(int argc, char **argv)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM,
		CLOCK_BOOTTIME_ALARM,
	};
	long long set = 1000 * SECOND, begin[ARRAY_SIZE(clocks)], interval, least, left;
	int fds[ARRAY_SIZE(clocks)], n, rounds;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		begin[i] = now_ns();
		fds[i] = new_timer(clocks[i], 0, set, 7);
	}
	for (rounds = 0; rounds < 2; rounds++) {
		least = now_ns();
		for (n = 0; n < 20; n++)
			poll_pause();
		least = now_ns() - least;
		stage();
		for (i = 0; i < ARRAY_SIZE(clocks); i++) {
			left = left_of(fds[i], &interval);
			tell("left %lld %lld %lld %lld", set, left, least,
			     (long long)now_ns() - begin[i]);
			check_eq(7, interval);
			check(would_block(fds[i]));
		}
	}
}

/* timerfd_absolute: times of the day, which stay what they are; other clocks' do not. */
static void timerfd_absolute(int argc, char **argv)
{
	long long at = read_clock(CLOCK_REALTIME) + 1000 * SECOND, left;
	long long begin = now_ns(), set = 1000 * SECOND;
	int day = new_timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, at, 0);
	int alarm = new_timer(CLOCK_REALTIME_ALARM, TFD_TIMER_ABSTIME, at, 0);
	int mono = new_timer(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, begin + set, 0);
	char before[100], after[100];

	get_info(day, "settime flags", before, sizeof(before));
	stage();
	left = left_of(day, NULL) + read_clock(CLOCK_REALTIME) - at;
	check(left <= 0 || left < SECOND / 2);
	check(left > -SECOND / 2);
	left = left_of(alarm, NULL) + read_clock(CLOCK_REALTIME) - at;
	check(left > -SECOND / 2 && left < SECOND / 2);
	left = left_of(mono, NULL);
	tell("left %lld %lld %lld %lld", set, left, 0LL, (long long)now_ns() - begin);
	get_info(day, "settime flags", after, sizeof(after));
	check(!strcmp(before, after));
	check(would_block(day) && would_block(alarm) && would_block(mono));
}

/*
 * timerfd_ticks: expiries that were not read; one that expires in a moment; one
 * that has expired, and one that was never set.
 */
static void timerfd_ticks(int argc, char **argv)
{
	long long begin = now_ns(), soon = SECOND / 2;
	int ticking = new_timer(CLOCK_MONOTONIC, 0, SECOND / 100, SECOND / 100);
	int alarm = new_timer(CLOCK_BOOTTIME_ALARM, 0, SECOND / 100, SECOND / 100);
	int once = new_timer(CLOCK_BOOTTIME, 0, 1, 0);
	int never = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	int near, read_one = new_timer(CLOCK_MONOTONIC, 0, 1, 0);
	uint64_t least, ticks;
	struct pollfd pfd;

	while (!is_readable(ticking) || !is_readable(once) || !is_readable(alarm) ||
	       now_ns() - begin < SECOND / 5)
		poll_pause();
	check_eq(1, read_count(read_one));
	near = new_timer(CLOCK_MONOTONIC, 0, soon, 0);
	least = (now_ns() - begin) / (SECOND / 100);
	stage();
	ticks = read_count(ticking);
	tell("ticks %llu %llu %llu", (unsigned long long)ticks, (unsigned long long)least,
	     (unsigned long long)(now_ns() - begin) / (SECOND / 100));
	ticks = read_count(alarm);
	tell("ticks %llu %llu %llu", (unsigned long long)ticks, (unsigned long long)least,
	     (unsigned long long)(now_ns() - begin) / (SECOND / 100));
	check_eq(1, read_count(once));
	check(would_block(once) && would_block(never) && would_block(read_one));
	check_eq(0, left_of(once, NULL));
	check_eq(0, left_of(never, NULL));
	/* It comes, and so does the next of the others. */
	pfd = (struct pollfd){ .fd = near, .events = POLLIN };
	check_eq(1, poll(&pfd, 1, 10000));
	check_eq(1, read_count(near));
	pfd.fd = ticking;
	check_eq(1, poll(&pfd, 1, 10000));
	pfd.fd = alarm;
	check_eq(1, poll(&pfd, 1, 10000));
	stage();
	check(read_count(ticking) >= 1);
}

/* signalfd: pending signals, which are read from it, and its mask. */
static void signalfds(int argc, char **argv)
{
	struct signalfd_siginfo info;
	sigset_t set, other;
	int fd, empty;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 2);
	sigemptyset(&other);
	sigaddset(&other, SIGUSR2);
	need(!sigprocmask(SIG_BLOCK, &set, NULL) && !sigprocmask(SIG_BLOCK, &other, NULL));
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	empty = signalfd(-1, &other, SFD_NONBLOCK);
	need(fd >= 0 && empty >= 0);
	need(!sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 77 }));
	stage();
	check(!is_readable(empty) && would_block(empty));
	check_eq(sizeof(info), read(fd, &info, sizeof(info)));
	check_eq(SIGRTMIN + 2, info.ssi_signo);
	check_eq(77, info.ssi_int);
	check(!is_readable(fd));
	check(!kill(getpid(), SIGUSR1) && !kill(getpid(), SIGUSR2));
	stage();
	check_eq(sizeof(info), read(fd, &info, sizeof(info)));
	check_eq(SIGUSR1, info.ssi_signo);
	check_eq(sizeof(info), read(empty, &info, sizeof(info)));
	check_eq(SIGUSR2, info.ssi_signo);
}

static int pidfd_open(pid_t pid, unsigned int flags)
{
	return syscall(SYS_pidfd_open, pid, flags);
}

static int signal_pidfd(int fd, int signal)
{
	return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
}

static pid_t other_tid;

static void *other_thread(void *arg)
{
	char byte;

	__atomic_store_n(&other_tid, gettid(), __ATOMIC_SEQ_CST);
	check_eq(1, read(*(int *)arg, &byte, 1));
	return NULL;
}

static void wait_pidfd(int fd, pid_t pid, int status)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	siginfo_t info = {};

	check_eq(1, poll(&pfd, 1, 50000));
	check_eq(0, waitid(P_PIDFD, fd, &info, WEXITED));
	check_eq(pid, info.si_pid);
	check_eq(status, info.si_status);
}

/* pidfd: of oneself, a living child, a zombie, one waited for, and a thread. */
static void pidfds(int argc, char **argv)
{
	int go[2], stop[2], self = pidfd_open(getpid(), 0), live, dead, gone, gone2, thread;
	struct pollfd pfd;
	pid_t child, zombie, reaped;
	struct stat a, b;
	pthread_t other;
	char byte;

	need(!pipe(go) && !pipe(stop) && !pthread_create(&other, NULL, other_thread, &stop[0]));
	while (!__atomic_load_n(&other_tid, __ATOMIC_SEQ_CST))
		poll_pause();
	thread = pidfd_open(other_tid, PIDFD_THREAD);
	if (thread < 0 && errno == EINVAL)
		thread = -1;	/* Linux 6.8 */
	child = new_child();
	if (!child) {
		need(read(go[0], &byte, 1) == 1);
		_exit(3);
	}
	zombie = new_child();
	if (!zombie)
		_exit(4);
	reaped = new_child();
	if (!reaped)
		_exit(5);
	live = pidfd_open(child, O_NONBLOCK);
	dead = pidfd_open(zombie, 0);
	gone = pidfd_open(reaped, 0);
	gone2 = pidfd_open(reaped, 0);
	need(self >= 0 && live >= 0 && dead >= 0 && gone >= 0);
	wait_pidfd(gone, reaped, 5);
	while (!is_readable(dead))
		poll_pause();
	stage();
	check(!is_readable(self) && !is_readable(live) && is_readable(dead));
	check(!signal_pidfd(self, 0) && !signal_pidfd(live, 0) && !signal_pidfd(dead, 0));
	check_eq(O_NONBLOCK, fcntl(live, F_GETFL) & O_NONBLOCK);
	pfd = (struct pollfd){ .fd = gone, .events = POLLIN };
	check_eq(1, poll(&pfd, 1, 0));
	check_eq(POLLIN | POLLHUP, pfd.revents);
	check(signal_pidfd(gone, 0) < 0 && errno == ESRCH);
	need(!fstat(gone, &a) && !fstat(gone2, &b));
	check_eq(a.st_ino, b.st_ino);
	if (thread >= 0) {
		check(!is_readable(thread) && fcntl(thread, F_GETFL) & PIDFD_THREAD);
		check_eq(1, write(stop[1], "", 1));
		pfd.fd = thread;
		check_eq(1, poll(&pfd, 1, 50000));
		need(!pthread_join(other, NULL));
	}
	check_eq(1, write(go[1], "", 1));
	wait_pidfd(live, child, 3);
	stage();
	wait_pidfd(dead, zombie, 4);
	check(is_readable(live) && is_readable(dead));
	need(!fstat(gone, &a) && !fstat(live, &b));
	check(a.st_ino != b.st_ino);
}

static const struct inotify_event *next_event(int fd)
{
	static char buf[1024] __attribute__((aligned(8)));
	/* One at a time: what fits exactly. */
	const struct inotify_event *event = (const void *)buf;
	ssize_t n = read(fd, buf, sizeof(*event));

	if (n < 0 && errno == EINVAL)
		n = read(fd, buf, sizeof(*event) + 16);

	need(n >= (ssize_t)sizeof(*event));
	return event;
}

static void expect_event(int fd, int wd, uint32_t mask, const char *name)
{
	const struct inotify_event *event = next_event(fd);

	check_eq(wd, event->wd);
	check_eq(mask, event->mask);
	check(!strcmp(name, event->len ? event->name : ""));
}

static void touch(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	need(fd >= 0 && !close(fd));
}

/* inotify: watches with gaps, events that were not read, and new ones. */
static void inotifies(int argc, char **argv)
{
	int fd = inotify_init1(IN_NONBLOCK), empty = inotify_init1(IN_NONBLOCK), dir, file, sub;
	const struct inotify_event *event;
	uint32_t cookie;

	need(fd >= 0 && empty >= 0 && !mkdir("watched", 0700) && !mkdir("watched/sub", 0700));
	touch("watched/a");
	need(inotify_add_watch(fd, "/", IN_DELETE) == 1);
	dir = inotify_add_watch(fd, "watched", IN_CREATE | IN_MOVE | IN_DELETE | IN_EXCL_UNLINK);
	need(dir == 2 && inotify_add_watch(fd, "/usr", IN_DELETE) == 3);
	file = inotify_add_watch(fd, "watched/a", IN_ATTRIB | IN_ONESHOT);
	sub = inotify_add_watch(fd, "watched/sub", 0xfff);
	need(file == 4 && sub == 5 && inotify_add_watch(fd, "/usr", IN_ISDIR) == 3);
	need(!inotify_rm_watch(fd, 1) && inotify_add_watch(fd, "/lib", IN_DELETE) == 6);
	need(!inotify_rm_watch(fd, 6));
	touch("watched/b");
	need(!rename("watched/b", "watched/c"));
	stage();
	check(would_block(empty));
	expect_event(fd, 1, IN_IGNORED, "");
	expect_event(fd, 6, IN_IGNORED, "");
	expect_event(fd, dir, IN_CREATE, "b");
	event = next_event(fd);
	cookie = event->cookie;
	check(event->mask == IN_MOVED_FROM && cookie && !strcmp(event->name, "b"));
	event = next_event(fd);
	check(event->mask == IN_MOVED_TO && event->cookie == cookie && !strcmp(event->name, "c"));
	check(would_block(fd));
	check_eq(0, chmod("watched/a", 0640));
	stage();
	expect_event(fd, file, IN_ATTRIB, "");
	expect_event(fd, file, IN_IGNORED, "");
	check(would_block(fd));
	check_eq(0, unlink("watched/c"));
	expect_event(fd, dir, IN_DELETE, "c");
	/* The next number, and what a number stands for. */
	check_eq(7, inotify_add_watch(fd, "/bin", IN_DELETE));
	check_eq(dir, inotify_add_watch(fd, "watched", IN_CREATE));
	check_eq(0, rmdir("watched/sub"));
	check_eq(sub, next_event(fd)->wd);
	check_eq(1, inotify_add_watch(empty, ".", IN_CREATE));
	touch("new");
	expect_event(empty, 1, IN_CREATE, "new");
}

/* inotify_unnamed: a watched file that has lost its name. */
static void inotify_unnamed(int argc, char **argv)
{
	int fd = inotify_init(), file = open("file", O_CREAT | O_RDWR, 0600);

	need(fd >= 0 && file >= 0);
	need(inotify_add_watch(fd, "file", IN_MODIFY) == 1 && !unlink("file"));
	stage();
	check(!is_readable(fd));
	check_eq(1, write(file, "x", 1));
	expect_event(fd, 1, IN_MODIFY, "");
}

/* pidfd_fresh: for a restart with other ids, of oneself and of a child. */
static void pidfd_fresh(int argc, char **argv)
{
	int self = pidfd_open(getpid(), 0), child;
	char info[100], want[100];
	siginfo_t dead = {};
	pid_t pid;

	pid = new_child();
	if (!pid)
		for (;;)
			pause();
	child = pidfd_open(pid, 0);
	need(self >= 0 && child >= 0);
	stage();
	get_info(self, "Pid:", info, sizeof(info));
	snprintf(want, sizeof(want), "Pid:\t%ld", syscall(SYS_getpid));
	check(!strcmp(info, want));
	check(!is_readable(child));
	check_eq(0, signal_pidfd(child, SIGTERM));
	check_eq(0, waitid(P_PIDFD, child, &dead, WEXITED));
	check_eq(SIGTERM, dead.si_status);
	check(is_readable(child));
}

/* python: a loop over four children's pipes and pidfds, and an eventfd. */
static void python(int argc, char **argv)
{
	static const char script[] =
		"import os, selectors, subprocess, sys\n"
		"def stage():\n"
		"    os.write(1, b'ready\\n')\n"
		"    assert os.read(0, 1) == b'g'\n"
		"child = 'import sys\\nfor line in sys.stdin:'\n"
		"child += '\\n    print(int(line) ** 2, flush=True)'\n"
		"child += '\\nsys.exit(int(sys.argv[1]))'\n"
		"loop = selectors.EpollSelector()\n"
		"wake = os.eventfd(0)\n"
		"loop.register(wake, selectors.EVENT_READ, None)\n"
		"kids = []\n"
		"for i in range(4):\n"
		"    kid = subprocess.Popen([sys.executable, '-c', child, str(i)],\n"
		"                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
		"    loop.register(kid.stdout, selectors.EVENT_READ, (kid, 'says'))\n"
		"    loop.register(os.pidfd_open(kid.pid), selectors.EVENT_READ, (kid, 'ends'))\n"
		"    kids.append(kid)\n"
		"for n in range(1, 4):\n"
		"    for i, kid in enumerate(kids):\n"
		"        kid.stdin.write(b'%d\\n' % (10 * n + i))\n"
		"        kid.stdin.flush()\n"
		"    os.eventfd_write(wake, n)\n"
		"    stage()\n"
		"    said, woken = {}, 0\n"
		"    while len(said) < 4 or not woken:\n"
		"        for key, events in loop.select():\n"
		"            if key.data is None:\n"
		"                woken += os.eventfd_read(wake)\n"
		"            else:\n"
		"                assert key.data[1] == 'says', key.data\n"
		"                said[key.data[0]] = int(key.fileobj.readline())\n"
		"    assert [said[k] for k in kids] == [(10 * n + i) ** 2 for i in range(4)], said\n"
		"    assert woken == n, woken\n"
		"ended = set()\n"
		"for kid in kids:\n"
		"    loop.unregister(kid.stdout)\n"
		"    kid.stdin.close()\n"
		"stage()\n"
		"while len(ended) < 4:\n"
		"    for key, events in loop.select():\n"
		"        ended.add(key.data[0])\n"
		"        loop.unregister(key.fileobj)\n"
		"assert [kid.wait() for kid in kids] == [0, 1, 2, 3]\n"
		"os.write(1, b'done\\n')\n";

	execl("/usr/bin/python3", "python3", "-c", script, NULL);
	need(!"python3 is there");
}

const struct mode event_modes[] = {
	{ "eventfd", eventfds }, { "eventfd_wake", eventfd_wake },
	{ "timerfd", timerfds }, { "timerfd_absolute", timerfd_absolute },
	{ "timerfd_ticks", timerfd_ticks }, { "signalfd", signalfds },
	{ "pidfd", pidfds }, { "pidfd_fresh", pidfd_fresh }, { "python", python },
	{ "inotify", inotifies }, { "inotify_unnamed", inotify_unnamed },
	{ }
};

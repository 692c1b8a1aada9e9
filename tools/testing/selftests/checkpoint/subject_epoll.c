// SPDX-License-Identifier: GPL-2.0-only
/* epoll sets: what they watch, and what they report. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "subject.h"

#define MAX	16

static void add(int set, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	need(!epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
}

static void modify(int set, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	check_eq(0, epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
}

/* The data of all that is ready, one digit each, in order; -1: more than asked. */
static long long look(int set, int timeout)
{
	struct epoll_event events[MAX];
	int i, n = epoll_wait(set, events, MAX, timeout);
	long long sum = 0;

	check(n >= 0);
	for (i = 0; i < n; i++)
		sum = sum * 10 + events[i].data.u64 % 10;
	return sum;
}

static long long ready_now(int set)
{
	return look(set, 0);
}

static void count(int fd, uint64_t n)
{
	check_eq(sizeof(n), write(fd, &n, sizeof(n)));
}

static uint64_t take(int fd)
{
	uint64_t n = 0;

	check_eq(sizeof(n), read(fd, &n, sizeof(n)));
	return n;
}

/* level: pipes, eventfds and what is not ready; the order of what is. */
static void level(int argc, char **argv)
{
	int set = epoll_create1(EPOLL_CLOEXEC), two = epoll_create1(0), ends[2], e, f, again;
	char byte;

	e = eventfd(0, 0);
	f = eventfd(0, 0);
	need(set >= 0 && two >= 0 && !pipe(ends) && e >= 0 && f >= 0);
	add(set, e, EPOLLIN, 1);
	add(set, ends[0], EPOLLIN, 0x1234567812345672ULL / 10 * 10 + 2);
	add(set, f, EPOLLIN, 3);
	add(two, e, EPOLLIN | EPOLLOUT, 4);
	again = dup(set);
	need(again >= 0);
	count(f, 1);
	need(write(ends[1], "x", 1) == 1);
	stage();
	check_eq(32, ready_now(set));
	check_eq(32, ready_now(again));
	check_eq(1, take(f));
	check_eq(2, ready_now(set));
	check_eq(4, ready_now(two));
	count(e, 1);
	stage();
	check_eq(21, ready_now(again));
	check_eq(1, read(ends[0], &byte, 1));
	check_eq(1, ready_now(set));
	check_eq(1, take(e));
	check_eq(0, ready_now(set));
	check_eq(4, ready_now(two));
}

/* edge: reported edges do not fire again, pending ones do so once. */
static void edge(int argc, char **argv)
{
	int set = epoll_create1(0), done = eventfd(0, 0), pending = eventfd(0, 0), ends[2];
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec its = { .it_value.tv_nsec = 1 };

	need(set >= 0 && done >= 0 && pending >= 0 && !pipe(ends) && timer >= 0);
	add(set, done, EPOLLIN | EPOLLET, 1);
	add(set, pending, EPOLLIN | EPOLLET, 2);
	add(set, ends[0], EPOLLIN | EPOLLET, 3);
	add(set, timer, EPOLLIN | EPOLLET, 4);
	count(done, 5);
	need(write(ends[1], "x", 1) == 1);
	need(!timerfd_settime(timer, 0, &its, NULL));
	while (look(set, 1000) % 10 != 4)
		;
	check_eq(0, ready_now(set));
	count(pending, 1);
	stage();
	check_eq(2, ready_now(set));
	check_eq(0, ready_now(set));
	count(done, 1);
	check_eq(1, ready_now(set));
	check_eq(0, ready_now(set));
	need(write(ends[1], "x", 1) == 1);
	stage();
	check_eq(3, ready_now(set));
	check_eq(0, ready_now(set));
	check_eq(6, take(done));
	check_eq(1, take(timer));
	count(done, 1);
	check_eq(1, ready_now(set));
	its.it_value.tv_nsec = 1000;
	need(!timerfd_settime(timer, 0, &its, NULL));
	check_eq(4, look(set, 10000));
}

/* oneshot: what has fired waits to be armed again. */
static void oneshot(int argc, char **argv)
{
	int set = epoll_create1(0), fired = eventfd(0, 0), armed = eventfd(0, 0);

	add(set, fired, EPOLLIN | EPOLLONESHOT, 1);
	add(set, armed, EPOLLIN | EPOLLONESHOT | EPOLLET, 2);
	count(fired, 1);
	check_eq(1, ready_now(set));
	stage();
	check_eq(0, ready_now(set));
	count(fired, 1);
	check_eq(0, ready_now(set));
	count(armed, 1);
	stage();
	check_eq(2, ready_now(set));
	count(armed, 1);
	check_eq(0, ready_now(set));
	modify(set, fired, EPOLLIN | EPOLLONESHOT, 3);
	check_eq(3, ready_now(set));
	check_eq(0, ready_now(set));
	modify(set, armed, EPOLLIN, 4);
	check_eq(4, ready_now(set));
	check_eq(4, ready_now(set));
}

/* numbers: one file under several, closed ones, and one that has another file now. */
static void numbers(int argc, char **argv)
{
	int set = epoll_create1(0), a = eventfd(1, 0), b = dup(a), c = dup(a), other;
	struct epoll_event event;

	add(set, a, EPOLLIN, 1);
	add(set, b, EPOLLIN, 2);
	add(set, c, EPOLLIN, 3);
	need(!close(b) && !close(c));
	other = eventfd(0, 0);
	need(other == b);
	add(set, other, EPOLLIN, 4);
	check_eq(123, ready_now(set));
	stage();
	check_eq(123, ready_now(set));
	count(other, 1);
	check_eq(1234, ready_now(set));
	check(epoll_ctl(set, EPOLL_CTL_DEL, c, &event) && errno == EBADF);
	stage();
	check_eq(1234, ready_now(set));
	/* Under its old number it can be taken out again. */
	need(dup2(a, c) == c);
	check_eq(0, epoll_ctl(set, EPOLL_CTL_DEL, c, &event));
	check_eq(124, ready_now(set));
	check_eq(0, epoll_ctl(set, EPOLL_CTL_DEL, b, &event));
	check_eq(12, ready_now(set));
	need(!close(a) && !close(c));
	check_eq(0, ready_now(set));
}

/* nested: sets in sets. */
static void nested(int argc, char **argv)
{
	int inner = epoll_create1(0), middle = epoll_create1(0), outer = epoll_create1(0);
	int e = eventfd(0, 0), f = eventfd(0, 0);
	struct epoll_event event = { .events = EPOLLIN };

	add(inner, e, EPOLLIN, 1);
	add(middle, inner, EPOLLIN, 2);
	add(outer, middle, EPOLLIN, 3);
	add(outer, f, EPOLLIN, 4);
	add(outer, inner, EPOLLIN | EPOLLET, 5);
	stage();
	check_eq(0, ready_now(outer));
	count(e, 1);
	check(look(outer, 0) > 10);
	check_eq(3, ready_now(outer));
	check(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event) && errno == ELOOP);
	count(f, 1);
	stage();
	check_eq(1, ready_now(inner));
	check_eq(2, ready_now(middle));
	check_eq(1, take(e));
	check_eq(1, take(f));
	check_eq(0, ready_now(inner));
	count(f, 1);
	check_eq(4, look(outer, 0) % 10);
}

/* shared: by parent and child, with a file of the child's; a task that waits. */
static void shared(int argc, char **argv)
{
	int set = epoll_create1(0), go = eventfd(0, 0), ends[2], own, status;
	pid_t pid;

	need(!pipe(ends));
	add(set, go, EPOLLIN | EPOLLEXCLUSIVE, 1);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
		own = eventfd(0, 0);
		add(set, own, EPOLLIN, 2);
		need(write(ends[1], "x", 1) == 1);
		check_eq(1, look(set, -1));
		count(own, take(go));
		while (look(set, 1000))
			poll_pause();
		_exit(6);
	}
	need(read(ends[0], &own, 1) == 1);
	stage();
	count(go, 7);
	/* The child's: known here, too, but not by a descriptor. */
	while (ready_now(set) != 2)
		poll_pause();
	stage();
	check_eq(2, ready_now(set));
	check_eq(0, kill(pid, SIGKILL));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, ready_now(set));
	count(go, 1);
	check_eq(1, ready_now(set));
}

/* mixed: signals, children, timers and files. */
static void mixed(int argc, char **argv)
{
	int set = epoll_create1(0), signals, timer, child, files, go[2], dead;
	struct itimerspec its = { .it_value.tv_sec = 1 };
	struct signalfd_siginfo info;
	pid_t pid, zombie;
	siginfo_t end;
	sigset_t mask;
	char buf[512];
	int seen = 0;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	need(!pipe(go) && !sigprocmask(SIG_BLOCK, &mask, NULL));
	signals = signalfd(-1, &mask, 0);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	files = inotify_init();
	pid = fork();
	if (!pid) {
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL) && read(go[0], buf, 1) == 1);
		_exit(0);
	}
	zombie = fork();
	if (!zombie)
		_exit(0);
	/* Its SIGCHLD would wake who waits for signals once more. */
	need(!waitid(P_PID, zombie, &end, WEXITED | WNOWAIT));
	child = syscall(SYS_pidfd_open, pid, 0);
	dead = syscall(SYS_pidfd_open, zombie, 0);
	need(signals >= 0 && timer >= 0 && files >= 0 && child >= 0 && dead >= 0);
	need(!mkdir("dir", 0700) && inotify_add_watch(files, "dir", IN_CREATE) == 1);
	add(set, signals, EPOLLIN | EPOLLET, 1);
	add(set, timer, EPOLLIN, 2);
	add(set, child, EPOLLIN | EPOLLET, 3);
	add(set, files, EPOLLIN | EPOLLET, 4);
	add(set, dead, EPOLLIN | EPOLLET, 5);
	need(!kill(getpid(), SIGUSR1) && !mkdir("dir/one", 0700));
	/* Signal, file and dead child are reported, and stay what they are. */
	while (seen != 1 + 4 + 5)
		for (pid_t n = look(set, 1000); n; n /= 10)
			seen += n % 10;
	check_eq(0, ready_now(set));
	need(!timerfd_settime(timer, 0, &its, NULL));
	stage();
	while (look(set, 10000) != 2)
		;
	check_eq(1, take(timer));
	check_eq(0, kill(getpid(), SIGUSR2));
	check_eq(1, ready_now(set));
	check_eq(0, mkdir("dir/two", 0700));
	check_eq(4, ready_now(set));
	stage();
	check_eq(0, ready_now(set));
	check_eq(sizeof(info), read(signals, &info, sizeof(info)));
	check_eq(SIGUSR1, info.ssi_signo);
	check(read(files, buf, sizeof(buf)) == 2 * (sizeof(struct inotify_event) + 16));
	check_eq(1, write(go[1], "x", 1));
	check_eq(3, look(set, 20000));
	check_eq(zombie, waitpid(zombie, NULL, 0));
	check_eq(pid, waitpid(pid, NULL, 0));
}

/* signals: a child waits for its own signals, in a set that it has from its parent. */
static void own_signals(int argc, char **argv)
{
	int set = epoll_create1(0), ends[2], status;
	struct signalfd_siginfo info;
	sigset_t mask;
	pid_t pid;
	char byte;
	int fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	need(!pipe(ends));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL) && !sigprocmask(SIG_BLOCK, &mask, NULL));
		fd = signalfd(-1, &mask, 0);
		add(set, fd, EPOLLIN, 1);
		need(write(ends[1], "x", 1) == 1);
		check_eq(1, look(set, -1));
		check_eq(sizeof(info), read(fd, &info, sizeof(info)));
		check_eq(2, info.ssi_int);
		_exit(6);
	}
	need(read(ends[0], &byte, 1) == 1);
	stage();
	stage();
	check_eq(0, sigqueue(pid, SIGUSR1, (union sigval){ .sival_int = 2 }));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(6 << 8, status);
}

/* leaked: to a child that is not saved; it has what the parent has closed, too. */
static void leaked(int argc, char **argv)
{
	int set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0), ends[2];
	int lost = eventfd(0, 0), event = eventfd(0, 0), files = inotify_init(), child;
	pid_t pid;

	need(!pipe2(ends, O_CLOEXEC) && timer >= 0 && files >= 0 && event >= 0);
	add(set, lost, EPOLLIN, 2);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL) && !close(ends[1]));
		pid = read(ends[0], &child, 1);
		_exit(0);
	}
	child = syscall(SYS_pidfd_open, pid, 0);
	need(child >= 0 && !close(lost) && !close(ends[0]));
	stage();
	check_eq(0, close(ends[1]));
	check_eq(pid, waitpid(pid, NULL, 0));
	check_eq(0, ready_now(set));
}

const struct mode epoll_modes[] = {
	{ "epoll_level", level }, { "epoll_edge", edge }, { "epoll_oneshot", oneshot },
	{ "epoll_numbers", numbers }, { "epoll_nested", nested }, { "epoll_shared", shared },
	{ "epoll_mixed", mixed }, { "epoll_leaked", leaked },
	{ "epoll_signals", own_signals },
	{ }
};

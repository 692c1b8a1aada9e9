// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processes of random trees open. Their children have it too, so every
 * open file may have many holders; each looks into all that it has.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#include "treestate.h"

#define MAX_FILES	512

struct opened {
	int kind;
	int fd[2];
	unsigned int v;
};

static struct opened files[MAX_FILES];
static int nr_files;

static int open_event(struct opened *o)
{
	return o->fd[0] = eventfd(o->v, EFD_NONBLOCK | (o->v % 2 ? EFD_SEMAPHORE : 0));
}

/* What it counts is in its fdinfo. */
static void check_event(const struct opened *o)
{
	check(fcntl(o->fd[0], F_GETFL) & O_NONBLOCK);
}

static int open_timer(struct opened *o)
{
	struct itimerspec value = { .it_value = { 1000000 + o->v, 0 }, .it_interval = { o->v, 0 } };

	o->fd[0] = timerfd_create(o->v % 2 ? CLOCK_MONOTONIC : CLOCK_BOOTTIME, TFD_CLOEXEC);
	return o->fd[0] < 0 ? -1 : timerfd_settime(o->fd[0], 0, &value, NULL);
}

static void check_timer(const struct opened *o)
{
	struct itimerspec value = {};

	check_eq(0, timerfd_gettime(o->fd[0], &value));
	check_eq(o->v, value.it_interval.tv_sec);
	check(value.it_value.tv_sec <= 1000000 + o->v &&
	      value.it_value.tv_sec > 1000000 - 3600 + o->v);
}

static int open_signals(struct opened *o)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, 35 + o->v % 5);
	return o->fd[0] = signalfd(-1, &set, SFD_NONBLOCK);
}

static void check_signals(const struct opened *o)
{
	struct signalfd_siginfo info;

	check(read(o->fd[0], &info, sizeof(info)) < 0 && errno == EAGAIN);
}

/* Watches an event counter that can be read, for one of two reasons. */
static int open_epoll(struct opened *o)
{
	struct epoll_event event = { .events = EPOLLIN | (o->v % 2 ? EPOLLPRI : 0) };

	o->fd[0] = epoll_create1(0);
	o->fd[1] = eventfd(1 + o->v, 0);
	event.data.u64 = o->v;
	return o->fd[0] < 0 || o->fd[1] < 0 ||
	       epoll_ctl(o->fd[0], EPOLL_CTL_ADD, o->fd[1], &event) ? -1 : 0;
}

static void check_epoll(const struct opened *o)
{
	struct epoll_event event = {};

	check_eq(1, epoll_wait(o->fd[0], &event, 1, 0));
	check_eq(o->v, event.data.u64);
	check_eq(EPOLLIN, event.events);
}

static int open_inotify(struct opened *o)
{
	o->fd[0] = inotify_init1(IN_NONBLOCK);
	return o->fd[0] < 0 ? -1 : inotify_add_watch(o->fd[0], "/etc", IN_MOVED_TO | IN_ONLYDIR);
}

static void check_inotify(const struct opened *o)
{
	char event[4096];

	check(read(o->fd[0], event, sizeof(event)) < 0 && errno == EAGAIN);
}

/* Data waits in it. */
static int open_sockets(struct opened *o)
{
	if (socketpair(AF_UNIX, o->v % 2 ? SOCK_STREAM : SOCK_SEQPACKET, 0, o->fd))
		return -1;
	return send(o->fd[0], &o->v, sizeof(o->v), 0) == sizeof(o->v) ? 0 : -1;
}

static void check_sockets(const struct opened *o)
{
	unsigned int v = 0;

	check_eq(sizeof(v), recv(o->fd[1], &v, sizeof(v), MSG_PEEK | MSG_DONTWAIT));
	check_eq(o->v, v);
}

static int open_memory(struct opened *o)
{
	o->fd[0] = memfd_create("tree", MFD_ALLOW_SEALING);
	if (o->fd[0] < 0 || pwrite(o->fd[0], &o->v, sizeof(o->v), o->v) != sizeof(o->v))
		return -1;
	return fcntl(o->fd[0], F_ADD_SEALS, o->v % 2 ? F_SEAL_GROW : F_SEAL_WRITE);
}

static void check_memory(const struct opened *o)
{
	unsigned int v = 0;

	check_eq(sizeof(v), pread(o->fd[0], &v, sizeof(v), o->v));
	check_eq(o->v, v);
	check_eq(o->v % 2 ? F_SEAL_GROW : F_SEAL_WRITE, fcntl(o->fd[0], F_GET_SEALS));
}

/* It has no name; its position is in its fdinfo. */
static int open_nameless(struct opened *o)
{
	o->fd[0] = open("/tmp", O_TMPFILE | O_RDWR | (o->v % 2 ? O_APPEND : 0), 0600);
	if (o->fd[0] < 0)
		return -1;
	return write(o->fd[0], &o->v, sizeof(o->v)) == sizeof(o->v) ? 0 : -1;
}

static void check_nameless(const struct opened *o)
{
	unsigned int v = 0;

	check_eq(sizeof(v), pread(o->fd[0], &v, sizeof(v), 0));
	check_eq(o->v, v);
}

static int open_directory(struct opened *o)
{
	static const char * const names[] = { "/", "/usr/lib", "/etc/passwd", "/dev/zero" };

	return o->fd[0] = open(names[o->v % 4], O_RDONLY | (o->v % 3 ? 0 : O_PATH));
}

static void check_directory(const struct opened *o)
{
	check_eq(o->v % 3 ? 0 : O_PATH, fcntl(o->fd[0], F_GETFL) & O_PATH);
}

static const struct {
	int (*open)(struct opened *o);
	void (*look)(const struct opened *o);
} tree_files[] = {
	{ open_event, check_event },
	{ open_timer, check_timer },
	{ open_signals, check_signals },
	{ open_epoll, check_epoll },
	{ open_inotify, check_inotify },
	{ open_sockets, check_sockets },
	{ open_memory, check_memory },
	{ open_nameless, check_nameless },
	{ open_directory, check_directory },
};

void treefiles_open(uint64_t bits, uint64_t seed)
{
	struct opened *o;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tree_files); i++) {
		if (!(bits & 1ULL << i) || nr_files == MAX_FILES)
			continue;
		o = &files[nr_files++];
		*o = (struct opened){ .kind = i, .v = (seed * 2654435761U >> 9) % 100000 + i };
		need(tree_files[i].open(o) >= 0);
	}
}

void treefiles_check(void)
{
	int i;

	for (i = 0; i < nr_files; i++)
		tree_files[files[i].kind].look(&files[i]);
}

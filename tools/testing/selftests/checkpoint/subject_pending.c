// SPDX-License-Identifier: GPL-2.0-only
/*
 * under_way KIND: open files of all kinds that are under way in a socket and nowhere
 * else. They are received later, and must do what they would have done.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "subject_socket.h"
#include "subject_tty.h"

#define MAX_PENDING	3

/**
 * struct pending - open files that are sent together
 * @name: of the kind
 * @make: opens them, the number of descriptors that it returns
 * @look: at what was received
 */
struct pending {
	const char *name;
	int (*make)(int *fd);
	void (*look)(const int *fd);
};

static bool would_block(int fd)
{
	char bytes[512];

	return read(fd, bytes, sizeof(bytes)) < 0 && errno == EAGAIN;
}

static void read_number(int fd, uint64_t want)
{
	uint64_t n = 0;

	check_eq(sizeof(n), read(fd, &n, sizeof(n)));
	check_eq(want, n);
}

static int counters(int *fd)
{
	fd[0] = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	fd[1] = eventfd(1ULL << 31, EFD_NONBLOCK);
	return 2;
}

static void look_counters(const int *fd)
{
	read_number(fd[0], 1);
	read_number(fd[0], 1);
	check(would_block(fd[0]));
	read_number(fd[1], 1ULL << 31);
}

/* One that has expired, one that does long afterwards, one that was never set. */
static int timers(int *fd)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 };
	struct itimerspec late = { .it_value.tv_sec = 1000000, .it_interval.tv_nsec = 7 };
	struct pollfd expired = { .events = POLLIN };
	int i;

	for (i = 0; i < 3; i++)
		fd[i] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	need(fd[2] >= 0 && !timerfd_settime(fd[0], 0, &soon, NULL));
	need(!timerfd_settime(fd[1], 0, &late, NULL));
	expired.fd = fd[0];
	need(poll(&expired, 1, -1) == 1);
	return 3;
}

static void look_timers(const int *fd)
{
	struct itimerspec value = {};

	read_number(fd[0], 1);
	check(would_block(fd[0]) && would_block(fd[1]) && would_block(fd[2]));
	check(!timerfd_gettime(fd[1], &value) && value.it_interval.tv_nsec == 7);
	check(value.it_value.tv_sec <= 1000000 && value.it_value.tv_sec > 1000000 - 3600);
	check(!timerfd_gettime(fd[2], &value) && !value.it_value.tv_sec);
}

static int signals(int *fd)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	fd[0] = signalfd(-1, &set, SFD_NONBLOCK);
	need(!sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 55 }));
	return 1;
}

static void look_signals(const int *fd)
{
	struct signalfd_siginfo info;

	check_eq(sizeof(info), read(fd[0], &info, sizeof(info)));
	check_eq(SIGRTMIN + 3, info.ssi_signo);
	check_eq(55, info.ssi_int);
	check(would_block(fd[0]));
}

static void make_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	need(fd >= 0 && !close(fd));
}

/* An event that was not read; more come. */
static int watches(int *fd)
{
	need(!mkdir("watched", 0700));
	fd[0] = inotify_init1(IN_NONBLOCK);
	need(inotify_add_watch(fd[0], "watched", IN_CREATE) == 1);
	make_file("watched/before");
	return 1;
}

static void look_event(int fd, const char *name)
{
	char bytes[512];
	struct inotify_event *event = (struct inotify_event *)bytes;

	need(read(fd, bytes, sizeof(bytes)) > (ssize_t)sizeof(*event));
	check_eq(1, event->wd);
	check_eq(IN_CREATE, event->mask);
	check(!strcmp(name, event->name));
}

static void look_watches(const int *fd)
{
	look_event(fd[0], "before");
	check(would_block(fd[0]));
	make_file("watched/after");
	look_event(fd[0], "after");
}

static pid_t child;

static int processes(int *fd)
{
	child = fork();
	need(child >= 0);
	if (!child) {
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
		for (;;)
			pause();
	}
	fd[0] = syscall(SYS_pidfd_open, child, 0);
	return 1;
}

static void look_processes(const int *fd)
{
	struct pollfd ended = { .fd = fd[0], .events = POLLIN };
	int status = 0;

	check_eq(0, poll(&ended, 1, 0));
	check_eq(0, syscall(SYS_pidfd_send_signal, fd[0], SIGTERM, NULL, 0));
	check_eq(1, poll(&ended, 1, -1));
	check_eq(child, waitpid(child, &status, 0));
	check_eq(SIGTERM, status);
}

static void watch(int epoll, int fd, uint64_t data)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = data };

	need(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

static int here;

static int sets(int *fd)
{
	fd[0] = epoll_create1(0);
	here = eventfd(0, 0);
	watch(fd[0], here, 123);
	return 1;
}

static void look_set(int set, int watched, uint64_t data)
{
	struct epoll_event event = {};
	uint64_t one = 1;

	check_eq(0, epoll_wait(set, &event, 1, 0));
	check_eq(sizeof(one), write(watched, &one, sizeof(one)));
	check_eq(1, epoll_wait(set, &event, 1, 10000));
	check_eq(data, event.data.u64);
	check_eq(EPOLLIN, event.events);
	check_eq(0, epoll_wait(set, &event, 1, 0));
}

static void look_sets(const int *fd)
{
	look_set(fd[0], here, 123);
}

static int memory(int *fd)
{
	fd[0] = memfd_create("pending", MFD_ALLOW_SEALING);
	need(write(fd[0], "0123456789", 10) == 10 && lseek(fd[0], 4, SEEK_SET) == 4);
	need(!fcntl(fd[0], F_ADD_SEALS, F_SEAL_SHRINK));
	return 1;
}

static void look_text(int fd)
{
	char text[16] = "";

	check_eq(6, read(fd, text, sizeof(text)));
	check(!strcmp(text, "456789"));
	check_eq(4, pread(fd, text, 4, 0));
	check(!memcmp(text, "0123", 4));
}

static void look_memory(const int *fd)
{
	look_text(fd[0]);
	check_eq(F_SEAL_SHRINK, fcntl(fd[0], F_GET_SEALS));
	check(ftruncate(fd[0], 5) < 0 && errno == EPERM);
}

/* On a disk, and on a tmpfs. */
static int removed(int *fd)
{
	static const char * const names[] = { "/var/tmp/ckpt-pending", "/tmp/ckpt-pending" };
	int i;

	for (i = 0; i < 2; i++) {
		fd[i] = open(names[i], O_RDWR | O_CREAT | O_EXCL, 0600);
		need(fd[i] >= 0 && !unlink(names[i]) && write(fd[i], "0123456789", 10) == 10);
		need(lseek(fd[i], 4, SEEK_SET) == 4);
	}
	return 2;
}

static void look_removed(const int *fd)
{
	struct stat st;
	int i;

	for (i = 0; i < 2; i++) {
		look_text(fd[i]);
		check(!fstat(fd[i], &st) && !st.st_nlink && st.st_size == 10);
	}
}

/* Both ends; what was typed and what was written was not read. */
static int terminal(int *fd)
{
	struct pty p = pty_open();

	fd[0] = p.master;
	fd[1] = p.slave;
	type(p.master, "typed\n");
	check_read(HERE, p.master, "typed\r\n");
	type(p.slave, "shown\n");
	return 2;
}

static void look_terminal(const int *fd)
{
	check_read(HERE, fd[1], "typed\n");
	check_read(HERE, fd[0], "shown\r\n");
	type(fd[0], "more\n");
	check_read(HERE, fd[1], "more\n");
	check_read(HERE, fd[0], "more\r\n");
}

static int lock_byte(int fd, int type)
{
	struct flock lock = { .l_type = type, .l_start = 5, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock);
}

static int locks(int *fd)
{
	fd[0] = open("flock", O_RDWR | O_CREAT, 0600);
	fd[1] = open("ofd", O_RDWR | O_CREAT, 0600);
	need(!flock(fd[0], LOCK_EX) && !lock_byte(fd[1], F_WRLCK));
	return 2;
}

/* They belong to what was under way, and go with it. */
static void look_locks(const int *fd)
{
	int other = open("flock", O_RDWR), byte = open("ofd", O_RDWR);

	check(flock(other, LOCK_SH | LOCK_NB) < 0 && errno == EAGAIN);
	check(lock_byte(byte, F_RDLCK) < 0 && errno == EAGAIN);
	check(!flock(fd[0], LOCK_UN) && !lock_byte(fd[1], F_UNLCK));
	check(!flock(other, LOCK_EX | LOCK_NB) && !lock_byte(byte, F_WRLCK));
}

static const struct pending kinds[] = {
	{ "eventfd", counters, look_counters }, { "timerfd", timers, look_timers },
	{ "signalfd", signals, look_signals }, { "inotify", watches, look_watches },
	{ "pidfd", processes, look_processes }, { "epoll", sets, look_sets },
	{ "memfd", memory, look_memory }, { "unlinked", removed, look_removed },
	{ "pty", terminal, look_terminal }, { "locks", locks, look_locks },
	{}
};

static void under_way(int argc, char **argv)
{
	int fd[MAX_PENDING], socket[2], nr, i;
	const struct pending *kind = kinds;

	while (kind->name && strcmp(kind->name, argv[0]))
		kind++;
	need(kind->name && !socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socket));
	nr = kind->make(fd);
	for (i = 0; i < nr; i++) {
		need(fd[i] >= 0);
		send_fd(socket[0], "under way", fd[i]);
		need(!close(fd[i]));
	}
	stage();
	for (i = 0; i < nr; i++)
		fd[i] = receive_fd(socket[1], "under way");
	stage();
	kind->look(fd);
}

const struct mode pending_modes[] = {
	{ "under_way", under_way },
	{}
};

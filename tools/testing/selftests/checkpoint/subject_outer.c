// SPDX-License-Identifier: GPL-2.0-only
/*
 * A descriptor of each kind that a child has, too, at number 20. The test saves
 * the process without the child, and hands over one of its own at the restart.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "subject.h"

#define FD	20

static pid_t child;
static char *mapped;

/* The child has what we have, and perhaps a namespace of its own. */
static void start_child(int unshared)
{
	int p[2];
	char c;

	need(!pipe(p));
	child = fork();
	need(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		need(!unshared || !unshare(unshared));
		close(p[0]);
		close(p[1]);
		for (;;)
			pause();
	}
	close(p[1]);
	check_eq(0, read(p[0], &c, 1));
	close(p[0]);
}

static int make_eventfd(void)
{
	return eventfd(0, 0);
}

static void use_eventfd(void)
{
	check(!eventfd_write(FD, 5));
}

static int make_timerfd(void)
{
	return timerfd_create(CLOCK_MONOTONIC, 0);
}

static void use_timerfd(void)
{
	uint64_t expired = 0;

	check_eq(8, read(FD, &expired, 8));
	check_eq(1, expired);
}

static int make_signalfd(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	need(!sigprocmask(SIG_BLOCK, &mask, NULL));
	sigdelset(&mask, SIGUSR2);
	return signalfd(-1, &mask, 0);
}

/* That of the test is for the other signal. */
static void use_signalfd(void)
{
	struct signalfd_siginfo info = {};

	need(!raise(SIGUSR1) && !raise(SIGUSR2));
	check_eq(sizeof(info), read(FD, &info, sizeof(info)));
	check_eq(SIGUSR2, info.ssi_signo);
}

static int make_epoll(void)
{
	return epoll_create1(0);
}

static void use_epoll(void)
{
	struct epoll_event event = {};

	check_eq(1, epoll_wait(FD, &event, 1, -1));
	check_eq(42, event.data.u64);
}

static int make_inotify(void)
{
	return inotify_init();
}

/* That of the test watches our directory. */
static void use_inotify(void)
{
	struct {
		struct inotify_event event;
		char name[256];
	} got = {};

	need(!write_file("made", "", 0));
	check(read(FD, &got, sizeof(got)) > (ssize_t)sizeof(got.event));
	check(!strcmp(got.event.name, "made"));
}

static int make_pidfd(void)
{
	start_child(0);
	return syscall(SYS_pidfd_open, child, 0);
}

static void use_pidfd(void)
{
	check(!syscall(SYS_pidfd_send_signal, FD, SIGTERM, NULL, 0));
}

static int make_memfd(void)
{
	int fd = memfd_create("outer", 0);

	need(!ftruncate(fd, 4096));
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(mapped != MAP_FAILED);
	return fd;
}

static void use_memfd(void)
{
	char text[8] = "";

	check(!strcmp(mapped, "given"));
	check_eq(5, pread(FD, text, 5, 0));
	check(!strcmp(text, "given"));
	strcpy(mapped, "taken");
}

static int make_uts(void)
{
	char path[40];

	start_child(CLONE_NEWUTS);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", child);
	return open(path, O_RDONLY);
}

static void use_uts(void)
{
	char name[65] = "";
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(setns(FD, CLONE_NEWUTS) || gethostname(name, sizeof(name)) ||
		      strcmp(name, "given"));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
}

/* In a file system that is mounted nowhere any more. */
static int make_dir(void)
{
	int fd;

	need(!mkdir("mount", 0700) && !mount("outer", "mount", "tmpfs", 0, NULL));
	need(!mkdir("mount/inner", 0700));
	fd = open("mount/inner", O_RDONLY | O_DIRECTORY);
	need(!umount2("mount", MNT_DETACH) && !rmdir("mount"));
	return fd;
}

static void use_dir(void)
{
	char text[8] = "";
	int fd = openat(FD, "there", O_RDONLY);

	check(fd >= 0);
	check_eq(5, read(fd, text, 5));
	check(!strcmp(text, "given"));
	close(fd);
}

static int make_removed(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	need(write(fd, "outer", 5) == 5 && !unlink(path));
	return fd;
}

/* Here it is memory. */
static int make_unlinked(void)
{
	return make_removed("outer");
}

static int make_deleted(void)
{
	return make_removed("/var/tmp/ckpt-outer");
}

static void use_unlinked(void)
{
	char text[8] = "";

	check_eq(5, pread(FD, text, 5, 0));
	check(!strcmp(text, "given"));
}

static int make_fifo(void)
{
	int fd;

	need(!mkfifo("outer", 0600));
	fd = open("outer", O_RDWR);
	need(!unlink("outer"));
	return fd;
}

static void use_fifo(void)
{
	check_eq(5, write(FD, "hello", 5));
}

static int make_pty(void)
{
	return posix_openpt(O_RDWR | O_NOCTTY);
}

static const struct {
	const char *how;
	int (*make)(void);
	void (*use)(void);
} kinds[] = {
	{ "eventfd", make_eventfd, use_eventfd },
	{ "timerfd", make_timerfd, use_timerfd },
	{ "signalfd", make_signalfd, use_signalfd },
	{ "epoll", make_epoll, use_epoll },
	{ "inotify", make_inotify, use_inotify },
	{ "pidfd", make_pidfd, use_pidfd },
	{ "memfd", make_memfd, use_memfd },
	{ "uts", make_uts, use_uts },
	{ "dir", make_dir, use_dir },
	{ "unlinked", make_unlinked, use_unlinked },
	{ "deleted", make_deleted, use_unlinked },
	{ "fifo", make_fifo, use_fifo },
	{ "pty", make_pty, use_fifo },
};

/* outer HOW: what a child has, too, at first; after the stage it is the test's. */
static void outer(int argc, char **argv)
{
	size_t i = 0;
	int fd;

	need(argc == 1);
	while (strcmp(kinds[i].how, argv[0]))
		need(++i < ARRAY_SIZE(kinds));
	fd = kinds[i].make();
	need(fd >= 0 && dup2(fd, FD) == FD && !close(fd));
	if (!child)
		start_child(0);
	stage();
	kinds[i].use();
	stage();
}

const struct mode outer_modes[] = {
	{ "outer", outer },
	{}
};

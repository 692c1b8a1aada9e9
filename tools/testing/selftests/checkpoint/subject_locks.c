// SPDX-License-Identifier: GPL-2.0-only
/* Locks, leases, FIFOs, and pipes with packets or reopened ends. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "subject.h"

static int open_file(const char *name, int flags)
{
	int fd = open(name, flags | O_CREAT, 0600);

	need(fd >= 0);
	return fd;
}

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &fl);
}

/* Errno with which another process, and open file, gets this lock. */
static int others_errno(const char *name, int cmd, int type, off_t start, off_t len)
{
	int status, fd;
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		fd = open(name, O_RDWR);
		if (cmd == LOCK_NB)
			_exit(flock(fd, type | LOCK_NB) ? errno : 0);
		_exit(lock(fd, cmd, type, start, len) ? errno : 0);
	}
	need(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void check_owner(const char *name, off_t start, pid_t pid)
{
	struct flock fl = { .l_type = F_WRLCK, .l_start = start, .l_len = 1 };
	int fd = open(name, O_RDWR);

	/* A lock of ours does not show: ask as somebody else, by an OFD lock. */
	need(fd >= 0 && !fcntl(fd, F_OFD_GETLK, &fl));
	check_eq(pid, fl.l_pid);
}

static void check_posix(const char *name)
{
	check_eq(EAGAIN, others_errno(name, F_SETLK, F_RDLCK, 5, 1));
	check_eq(EAGAIN, others_errno(name, F_SETLK, F_WRLCK, 100, 1));
	check_eq(0, others_errno(name, F_SETLK, F_RDLCK, 100, 1));
	check_eq(0, others_errno(name, F_SETLK, F_WRLCK, 50, 1));
	check_eq(EAGAIN, others_errno(name, F_SETLK, F_WRLCK, 1L << 40, 1));
}

/* posix: of one file through two descriptors, and to the end of all files. */
static void posix(int argc, char **argv)
{
	int fd = open_file("posix", O_RDWR), twin = dup(fd), ro = open_file("posix", O_RDONLY);

	need(!lock(fd, F_SETLK, F_WRLCK, 0, 10) && !lock(fd, F_SETLK, F_WRLCK, 1L << 32, 0));
	need(!lock(ro, F_SETLK, F_RDLCK, 100, 10) && !lock(twin, F_SETLK, F_WRLCK, 20, 5));
	check_posix("posix");
	stage();
	check_posix("posix");
	check_eq(EAGAIN, others_errno("posix", F_SETLK, F_RDLCK, 24, 1));
	check(!lock(fd, F_SETLK, F_UNLCK, 0, 10));
	check_eq(0, others_errno("posix", F_SETLK, F_WRLCK, 5, 1));
	stage();
	check_eq(0, others_errno("posix", F_SETLK, F_WRLCK, 5, 1));
	/* With any descriptor all locks of the process go. */
	need(!close(twin));
	check_eq(0, others_errno("posix", F_SETLK, F_WRLCK, 0, 0));
}

/* ofd: owned by open files, two of the same process, one shared with a child. */
static void ofd(int argc, char **argv)
{
	int a = open_file("ofd", O_RDWR), b = open_file("ofd", O_RDWR), p[2], status;
	pid_t pid;
	char c;

	need(!lock(a, F_OFD_SETLK, F_WRLCK, 0, 10) && !lock(b, F_OFD_SETLK, F_RDLCK, 10, 10));
	need(!pipe(p));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(p[1]);
		while (read(p[0], &c, 1) == 1)
			;
		/* The parent has closed it; the lock is also ours. */
		_exit(others_errno("ofd", F_OFD_SETLK, F_WRLCK, 0, 1) == EAGAIN ? 4 : 5);
	}
	stage();
	check_eq(-1, lock(b, F_OFD_SETLK, F_WRLCK, 0, 1));
	check_eq(-1, lock(a, F_OFD_SETLK, F_WRLCK, 15, 1));
	check_eq(EAGAIN, others_errno("ofd", F_SETLK, F_RDLCK, 0, 1));
	check_eq(0, others_errno("ofd", F_SETLK, F_RDLCK, 10, 1));
	check_owner("ofd", 5, -1);
	stage();
	need(!close(a) && !close(p[1]));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(4 << 8, status);
	check_eq(0, others_errno("ofd", F_SETLK, F_WRLCK, 0, 1));
}

/* flock: exclusive, shared; on a pipe, too. */
static void flocks(int argc, char **argv)
{
	int ex = open_file("ex", O_RDONLY), sh = open_file("sh", O_RDWR), p[2];
	int sh2 = open_file("sh", O_WRONLY), other = open_file("ex", O_RDONLY);

	need(!flock(ex, LOCK_EX) && !flock(sh, LOCK_SH) && !flock(sh2, LOCK_SH));
	need(!pipe(p) && !flock(p[0], LOCK_EX));
	stage();
	check_eq(EAGAIN, others_errno("ex", LOCK_NB, LOCK_SH, 0, 0));
	check_eq(0, others_errno("sh", LOCK_NB, LOCK_SH, 0, 0));
	check_eq(EAGAIN, others_errno("sh", LOCK_NB, LOCK_EX, 0, 0));
	check(flock(other, LOCK_SH | LOCK_NB) && errno == EAGAIN);
	check(flock(p[1], LOCK_SH | LOCK_NB) && errno == EAGAIN);
	stage();
	need(!close(ex));
	check(!flock(other, LOCK_EX | LOCK_NB));
	check(!flock(sh, LOCK_UN) && !flock(sh2, LOCK_UN));
	check_eq(0, others_errno("sh", LOCK_NB, LOCK_EX, 0, 0));
}

static void wait_call(pid_t pid, long nr)
{
	char path[64], buf[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (read_file(path, buf, sizeof(buf)) <= 0 || atol(buf) != nr)
		poll_pause();
}

/* waiter: a child waits for locks of its parent. */
static void waiter(int argc, char **argv)
{
	int fd = open_file("posix", O_RDWR), ex = open_file("flock", O_RDWR), status;
	struct flock fl = { .l_type = F_WRLCK, .l_len = 1 };
	pid_t posix_waiter, flock_waiter;

	need(!lock(fd, F_SETLK, F_WRLCK, 0, 10) && !flock(ex, LOCK_EX));
	posix_waiter = fork();
	if (!posix_waiter) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(lock(fd, F_SETLKW, F_WRLCK, 5, 1) ? errno : 3);
	}
	flock_waiter = fork();
	if (!flock_waiter) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(flock(open("flock", O_RDWR), LOCK_EX) ? errno : 3);
	}
	need(posix_waiter > 0 && flock_waiter > 0);
	wait_call(posix_waiter, SYS_fcntl);
	wait_call(flock_waiter, SYS_flock);
	stage();
	check_eq(0, waitpid(-1, &status, WNOHANG));
	need(!lock(fd, F_SETLK, F_UNLCK, 0, 0) && !flock(ex, LOCK_UN));
	check_eq(posix_waiter, waitpid(posix_waiter, &status, 0));
	check_eq(3 << 8, status);
	check_eq(flock_waiter, waitpid(flock_waiter, &status, 0));
	check_eq(3 << 8, status);
	fl.l_type = F_WRLCK;
	check(!fcntl(fd, F_GETLK, &fl) && fl.l_type == F_UNLCK);
}

static volatile int got_signal, got_fd;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	got_signal = sig;
	got_fd = info->si_fd;
}

/* A child opens it; returns when the signal of the lease has come. */
static void check_break(const char *name, int flags, int fd, int sig)
{
	int status;
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		fd = open(name, flags | O_NONBLOCK);
		_exit(fd < 0 ? errno : 0);
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(EAGAIN << 8, status);
	while (!got_signal)
		poll_pause();
	check_eq(sig, got_signal);
	check_eq(fd, got_fd);
	got_signal = 0;
}

/* lease: for reading and for writing; it breaks when another one opens the file. */
static void lease(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
	int rd = open_file("rd", O_RDONLY), wr = open_file("wr", O_RDWR), high;

	need(!sigaction(SIGIO, &sa, NULL) && !sigaction(SIGUSR1, &sa, NULL));
	high = fcntl(wr, F_DUPFD, 50);
	need(!fcntl(rd, F_SETLEASE, F_RDLCK) && !fcntl(high, F_SETLEASE, F_WRLCK));
	need(!fcntl(high, F_SETSIG, SIGUSR1) && !fcntl(rd, F_SETSIG, SIGIO));
	stage();
	check_eq(0, got_signal);
	check_eq(F_RDLCK, fcntl(rd, F_GETLEASE));
	check_eq(F_WRLCK, fcntl(wr, F_GETLEASE));
	check_break("rd", O_WRONLY, rd, SIGIO);
	check_break("wr", O_RDONLY, high, SIGUSR1);
	need(!fcntl(rd, F_SETLEASE, F_UNLCK) && !fcntl(wr, F_SETLEASE, F_UNLCK));
	check(open("rd", O_WRONLY | O_NONBLOCK) >= 0);
	stage();
}

static void check_read(int fd, const char *want)
{
	char buf[64] = "";

	check_eq(strlen(want), read(fd, buf, sizeof(buf) - 1));
	if (strcmp(buf, want))
		fail("\"%s\", not \"%s\"", buf, want);
}

static int hangs_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	need(poll(&p, 1, 0) >= 0);
	return p.revents & POLLHUP;
}

/* fifo: all kinds of ends, content, what becomes of the last ends. */
static void fifo(int argc, char **argv)
{
	int rd, rd2, wr, both, quiet, old, pid, status;

	need(!mkfifo("one", 0600) && !mkfifo("two", 0600) && !mkfifo("three", 0600));
	rd = open("one", O_RDONLY | O_NONBLOCK);
	wr = open("one", O_WRONLY);
	rd2 = open("one", O_RDONLY);
	both = open("two", O_RDWR | O_NONBLOCK);
	quiet = open("three", O_RDONLY | O_NONBLOCK);
	need(rd >= 0 && wr >= 0 && rd2 >= 0 && both >= 0 && quiet >= 0);
	need(fcntl(both, F_SETPIPE_SZ, 1 << 20) == 1 << 20);
	old = hangs_up(quiet);
	need(write(wr, "in one", 6) == 6 && write(both, "in two", 6) == 6);
	stage();
	check_eq(old, hangs_up(quiet));
	check_read(rd, "in one");
	check_read(both, "in two");
	check_eq(1 << 20, fcntl(both, F_GETPIPE_SZ));
	check_eq(O_NONBLOCK, fcntl(rd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	check_eq(0, fcntl(rd2, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	check(read(rd, &status, 1) < 0 && errno == EAGAIN);
	need(write(wr, "rest", 4) == 4 && !close(wr));
	stage();
	/* Nobody writes to it any more, and nobody has it open besides. */
	check_read(rd2, "rest");
	check_eq(0, read(rd2, &status, 1));
	check(open("two", O_WRONLY | O_NONBLOCK) >= 0);
	need(!close(both));
	check(open("two", O_WRONLY | O_NONBLOCK) < 0 && errno == ENXIO);
	pid = fork();
	if (!pid)
		_exit(write(open("one", O_WRONLY), "new", 3));
	check_eq(pid, waitpid(pid, &status, 0));
	check_read(rd2, "new");
	check_eq(!old ? 0 : POLLHUP, hangs_up(quiet));
}

/* fifo_tree: the reader is a child. */
static void fifo_tree(int argc, char **argv)
{
	int fd, status;
	pid_t pid;
	char c;

	need(!mkfifo("tree", 0600));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = open("tree", O_RDONLY);
		for (status = 0; read(fd, &c, 1) == 1;)
			status += c;
		_exit(status);
	}
	fd = open("tree", O_WRONLY);
	need(pid > 0 && fd >= 0);
	stage();
	check_eq(2, write(fd, "\1\2", 2));
	need(!close(fd));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(3 << 8, status);
}

/* fifo_outside: the test has it open, too. */
static void fifo_outside(int argc, char **argv)
{
	need(!mkfifo("outside", 0600) && open("outside", O_RDWR) >= 0);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	stage();
}

/* packets: boundaries stay, also between packets and other bytes. */
static void packets(int argc, char **argv)
{
	static char big[8192];
	int p[2], n;

	need(!pipe2(p, O_DIRECT) && write(p[1], "first", 5) == 5 && write(p[1], "2nd", 3) == 3);
	need(!fcntl(p[1], F_SETFL, 0) && write(p[1], big, 3000) == 3000);
	/* It does not fit into the same page, and so is a packet of its own. */
	need(!fcntl(p[1], F_SETFL, O_DIRECT) && write(p[1], big, 2000) == 2000);
	stage();
	check_eq(O_WRONLY | O_DIRECT, fcntl(p[1], F_GETFL));
	need(!ioctl(p[0], FIONREAD, &n));
	check_eq(5008, n);
	check_eq(4, write(p[1], "more", 4));
	check_read(p[0], "first");
	check_read(p[0], "2nd");
	check_eq(1000, read(p[0], big, 1000));
	need(write(p[1], "a", 1) == 1);
	stage();
	/* Now it would fit; a read goes on until a packet ends. */
	check_eq(4000, read(p[0], big, sizeof(big)));
	check_read(p[0], "more");
	need(write(p[1], "b", 1) == 1);
	check_read(p[0], "a");
	check_read(p[0], "b");
}

static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, flags);
	need(fd >= 0);
	return fd;
}

/* reopened: ends of a pipe opened through /proc; one end closed. */
static void reopened(int argc, char **argv)
{
	int p[2], half[2], rd, wr, both, i;
	char c;

	need(!pipe(p) && !pipe(half));
	rd = reopen(p[0], O_RDONLY | O_NONBLOCK);
	wr = reopen(p[1], O_WRONLY);
	both = reopen(p[0], O_RDWR);
	need(write(wr, "text", 4) == 4 && write(half[1], "left", 4) == 4 && !close(half[1]));
	stage();
	check_read(rd, "text");
	check(read(rd, &c, 1) < 0 && errno == EAGAIN);
	check_read(half[0], "left");
	check_eq(0, read(half[0], &c, 1));
	for (i = 0; i < 3; i++)
		need(write(i == 0 ? p[1] : i == 1 ? wr : both, "x", 1) == 1);
	check_read(p[0], "xxx");
	need(!close(p[1]) && !close(wr));
	check(read(rd, &c, 1) < 0 && errno == EAGAIN);
	need(!close(both));
	check_eq(0, read(rd, &c, 1));
	stage();
	check_eq(0, read(p[0], &c, 1));
}

/* many: as many files, locks and unlinked files as time shows. */
static void many(int argc, char **argv)
{
	int n = atoi(argv[0]), i, *fd = calloc(n, sizeof(*fd));
	char name[32];

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		fd[i] = open_file(name, O_RDWR);
		need(write(fd[i], "x", 1) == 1 && !lock(fd[i], F_SETLK, F_WRLCK, i, 1));
		need(!(i & 1) || !unlink(name));
	}
	stage();
	for (i = 0; i < n; i += 2) {
		snprintf(name, sizeof(name), "many%d", i);
		if (i % 64 == 0)
			check_eq(EAGAIN, others_errno(name, F_SETLK, F_WRLCK, i, 1));
		need(!unlink(name));
	}
}

const struct mode lock_modes[] = {
	{ "lock_posix", posix },
	{ "lock_ofd", ofd },
	{ "lock_flock", flocks },
	{ "lock_waiter", waiter },
	{ "lock_lease", lease },
	{ "fifo", fifo },
	{ "fifo_tree", fifo_tree },
	{ "fifo_outside", fifo_outside },
	{ "pipe_packets", packets },
	{ "pipe_reopened", reopened },
	{ "many_files", many },
	{}
};

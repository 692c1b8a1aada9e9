// SPDX-License-Identifier: GPL-2.0-only
/* Files and events in rarer states. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#include "subject.h"

#define SECTOR	4096UL

/* direct DIR: a file past the page cache, where its file system can do that. */
static void direct(int argc, char **argv)
{
	char path[300], *mem = mmap(NULL, 2 * SECTOR, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	snprintf(path, sizeof(path), "%s/direct", argv[0]);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_DIRECT | O_DSYNC, 0600);
	need(fd >= 0 && mem != MAP_FAILED);
	memset(mem, 'a', SECTOR);
	memset(mem + SECTOR, 'b', SECTOR);
	need(write(fd, mem, 2 * SECTOR) == 2 * SECTOR);
	need(lseek(fd, SECTOR, SEEK_SET) == SECTOR);
	stage();
	check_eq(O_DIRECT | O_DSYNC, fcntl(fd, F_GETFL) & (O_DIRECT | O_DSYNC));
	memset(mem, 0, 2 * SECTOR);
	check_eq(SECTOR, read(fd, mem, 2 * SECTOR));
	check(mem[0] == 'b' && mem[SECTOR - 1] == 'b' && !mem[SECTOR]);
	memset(mem, 'c', SECTOR);
	check_eq(SECTOR, pwrite(fd, mem, SECTOR, 0));
	stage();
	check_eq(SECTOR, pread(fd, mem + SECTOR, SECTOR, 0));
	check(!memcmp(mem, mem + SECTOR, SECTOR));
	need(!unlink(path));
}

/* fifo_on DIR: what subject_locks.c does with FIFOs, in a directory of its own. */
static void fifo_on(int argc, char **argv)
{
	static const char * const names[] = { "one", "two", "three" };
	char path[300], *mode[] = { "fifo" };
	size_t i;

	snprintf(path, sizeof(path), "%s/fifos", argv[0]);
	need(!mkdir(path, 0700) && !chdir(path));
	need(run_mode(1, mode));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		check(!unlink(names[i]));
	need(!chdir("..") && !rmdir(path));
}

/* bound DIR: a file of DIR/a that is also in DIR/b, opened there. */
static void mounted_twice(int argc, char **argv)
{
	char a[300], b[300], path[64], link[300];
	int fd, other;
	ssize_t n;

	snprintf(a, sizeof(a), "%s/a/file", argv[0]);
	snprintf(b, sizeof(b), "%s/b/file", argv[0]);
	fd = open(b, O_RDWR);
	other = open(a, O_RDWR);
	need(fd >= 0 && other >= 0 && lseek(fd, 3, SEEK_SET) == 3);
	stage();
	/* The harness compares the mounts of both, by number. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	need(n > 0);
	link[n] = 0;
	check(!strcmp(b, link));
	check_eq(1, write(fd, "x", 1));
	check_eq(4, lseek(fd, 0, SEEK_CUR));
	check_eq(1, pread(other, link, 1, 3));
	check_eq('x', link[0]);
	stage();
}

static void wait_blocked(pid_t pid, long nr)
{
	char path[64], text[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (read_file(path, text, sizeof(text)) <= 0 || strtol(text, NULL, 10) != nr ||
	       text[0] == 'r')
		poll_pause();
}

#define BLOCKED_BYTES	300000

/* What has come to a stop in the middle returns what it has done. */
static int write_all(int fd, const void *data, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = write(fd, data + done, size - done);
		if (n <= 0)
			return -1;
		done += n;
	}
	return 0;
}

/* full_pipe: a child sleeps in write(), half of which has been done. */
static void full_pipe(int argc, char **argv)
{
	static uint64_t data[BLOCKED_BYTES / 8], got[BLOCKED_BYTES / 8];
	size_t part = 0;
	int p[2], status;
	ssize_t n;
	pid_t pid;

	fill_memory(data, sizeof(data), 4711);
	need(!pipe(p));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(p[0]);
		_exit(write_all(p[1], data, sizeof(data)) ? 8 : 7);
	}
	close(p[1]);
	wait_blocked(pid, SYS_write);
	stage();
	check_eq(0, waitpid(pid, &status, WNOHANG));
	check_eq(10000, read(p[0], got, 10000));
	part = 10000;
	wait_blocked(pid, SYS_write);
	stage();
	while ((n = read(p[0], (char *)got + part, sizeof(got) - part)) > 0)
		part += n;
	check_eq(sizeof(got), part);
	check(!memcmp(data, got, sizeof(got)));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(7 << 8, status);
}

static int day_timer(void)
{
	struct itimerspec value = {};
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);

	need(fd >= 0 && !clock_gettime(CLOCK_REALTIME, &value.it_value));
	value.it_value.tv_sec += 100000;
	need(!timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &value, NULL));
	return fd;
}

static void set_day(void)
{
	struct timespec now;

	need(!clock_gettime(CLOCK_REALTIME, &now));
	now.tv_nsec = (now.tv_nsec + 1000000) % 1000000000;
	need(!clock_settime(CLOCK_REALTIME, &now));
}

static void check_canceled(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint64_t n;

	check_eq(1, poll(&ready, 1, 10000));
	check(read(fd, &n, sizeof(n)) < 0 && errno == ECANCELED);
}

/*
 * timerfd_cancel: the clock was set before, which was not read; it is set later; a
 * restart does not set it. Who was told is not told again.
 */
static void timerfd_cancel(int argc, char **argv)
{
	int before = day_timer(), after, told = day_timer();
	uint64_t n;

	set_day();
	check_canceled(told);
	after = day_timer();
	stage();
	check_canceled(before);
	check(read(before, &n, sizeof(n)) < 0 && errno == EAGAIN);
	check(read(after, &n, sizeof(n)) < 0 && errno == EAGAIN);
	check(read(told, &n, sizeof(n)) < 0 && errno == EAGAIN);
	set_day();
	check_canceled(after);
	check_canceled(told);
	stage();
	check(read(after, &n, sizeof(n)) < 0 && errno == EAGAIN);
}

#define QUEUE	"/proc/sys/fs/inotify/max_queued_events"

/* Makes files n to m, and removes them. */
static void make_files(int n, int m)
{
	char name[32];
	int fd;

	for (; n < m; n++) {
		snprintf(name, sizeof(name), "file%d", n);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		need(fd >= 0 && !close(fd) && !unlink(name));
	}
}

/* inotify_overflow: more has happened than there was room for. */
static void inotify_overflow(int argc, char **argv)
{
	char events[4096], limit[32] = "", *p = events;
	int fd, i;
	struct inotify_event *event;
	ssize_t n;

	need(read_file(QUEUE, limit, sizeof(limit)) > 0);
	need(!write_file(QUEUE, "5", 1));
	fd = inotify_init1(IN_NONBLOCK);
	need(!write_file(QUEUE, limit, strlen(limit)));
	need(fd >= 0 && inotify_add_watch(fd, ".", IN_CREATE) == 1);
	make_files(0, 20);
	stage();
	n = read(fd, events, sizeof(events));
	check(n > 0);
	for (i = 0; i < 6 && p < events + n; i++, p += sizeof(*event) + event->len) {
		event = (struct inotify_event *)p;
		check_eq(i < 5 ? 1 : -1, event->wd);
		check_eq(i < 5 ? IN_CREATE : IN_Q_OVERFLOW, event->mask);
		check(i == 5 || atoi(event->name + 4) == i);
	}
	check_eq(6, i);
	check_eq(events + n, p);
	make_files(30, 31);
	check(read(fd, events, sizeof(events)) > 0);
	event = (struct inotify_event *)events;
	check_eq(1, event->wd);
	check(!strcmp("file30", event->name));
}

/* Another open file of the same nameless one. */
static int another(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDWR);
	need(fd >= 0);
	return fd;
}

static int lock_bytes(int fd, int cmd, int type, off_t at)
{
	struct flock lock = { .l_type = type, .l_start = at, .l_len = 10 };

	return fcntl(fd, cmd, &lock) ? errno : 0;
}

/* What another process gets: that of us is not in its way for ourselves. */
static int others_lock(int fd, int type, off_t at)
{
	int status;
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid)
		_exit(lock_bytes(fd, F_SETLK, type, at));
	need(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void check_locks(int fd, int other)
{
	check_eq(EAGAIN, others_lock(other, F_RDLCK, 0));
	check_eq(0, others_lock(other, F_WRLCK, 20));
	check_eq(EAGAIN, lock_bytes(other, F_OFD_SETLK, F_WRLCK, 100));
	check_eq(0, lock_bytes(other, F_OFD_SETLK, F_RDLCK, 100));
	check_eq(0, lock_bytes(other, F_OFD_SETLK, F_UNLCK, 100));
	check(flock(other, LOCK_SH | LOCK_NB) < 0 && errno == EAGAIN);
}

static void lock_all(int fd)
{
	need(!lock_bytes(fd, F_SETLK, F_WRLCK, 0) && !lock_bytes(fd, F_OFD_SETLK, F_RDLCK, 100));
	need(!flock(fd, LOCK_EX));
}

/* lock_nameless DIR: all kinds of locks, of an unlinked file and of memory. */
static void lock_nameless(int argc, char **argv)
{
	char path[300];
	int fd[2], other[2], i;

	snprintf(path, sizeof(path), "%s/nameless", argv[0]);
	fd[0] = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	fd[1] = memfd_create("nameless", 0);
	need(fd[0] >= 0 && fd[1] >= 0 && !unlink(path));
	for (i = 0; i < 2; i++) {
		other[i] = another(fd[i]);
		lock_all(fd[i]);
		check_locks(fd[i], other[i]);
	}
	stage();
	for (i = 0; i < 2; i++)
		check_locks(fd[i], other[i]);
	stage();
	for (i = 0; i < 2; i++) {
		check_locks(fd[i], other[i]);
		need(!close(fd[i]));
		check_eq(0, others_lock(other[i], F_WRLCK, 0));
		check(!flock(other[i], LOCK_EX | LOCK_NB));
	}
}

static volatile pid_t owner_tid, told_tid;

static void on_told(int sig)
{
	told_tid = gettid();
}

static void *own_pipe(void *arg)
{
	struct f_owner_ex owner = { F_OWNER_TID, gettid() };
	int fd = *(int *)arg;

	need(!fcntl(fd, F_SETOWN_EX, &owner) && !fcntl(fd, F_SETSIG, SIGRTMIN + 4));
	need(!fcntl(fd, F_SETFL, O_ASYNC));
	__atomic_store_n(&owner_tid, gettid(), __ATOMIC_RELEASE);
	for (;;)
		pause();
	return NULL;
}

/* owner_thread: signals of a file go to a thread that is not the first one. */
static void owner_thread(int argc, char **argv)
{
	struct sigaction told = { .sa_handler = on_told, .sa_flags = SA_RESTART };
	struct f_owner_ex owner = {};
	pthread_t thread;
	int p[2], i;
	char c;

	need(!pipe(p) && !sigaction(SIGRTMIN + 4, &told, NULL));
	need(!pthread_create(&thread, NULL, own_pipe, &p[0]));
	while (!__atomic_load_n(&owner_tid, __ATOMIC_ACQUIRE))
		poll_pause();
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(0, told_tid);
		check(!fcntl(p[0], F_GETOWN_EX, &owner));
		check_eq(F_OWNER_TID, owner.type);
		check_eq(owner_tid, owner.pid);
		check_eq(1, write(p[1], "x", 1));
		while (!told_tid)
			poll_pause();
		check_eq(owner_tid, told_tid);
		told_tid = 0;
		check_eq(1, read(p[0], &c, 1));
	}
}

#define FLAG_KINDS	14

/* Some make sense for none of these, but are shown, and must stay. */
static int open_all(int *fd)
{
	sigset_t set;

	sigemptyset(&set);
	need(!pipe(fd) && !socketpair(AF_UNIX, SOCK_STREAM, 0, fd + 2));
	fd[4] = eventfd(0, 0);
	fd[5] = timerfd_create(CLOCK_MONOTONIC, 0);
	fd[6] = signalfd(-1, &set, 0);
	fd[7] = inotify_init1(0);
	fd[8] = epoll_create1(0);
	fd[9] = memfd_create("flags", 0);
	fd[10] = posix_openpt(O_RDWR | O_NOCTTY);
	fd[11] = open(".", O_RDONLY | O_DIRECTORY);
	fd[12] = open("/dev/null", O_RDWR);
	fd[13] = open("flags", O_RDWR | O_CREAT, 0600);
	return FLAG_KINDS;
}

/* set_flags FLAGS: what fcntl(F_SETFL) can set, of files of all kinds. */
static void set_flags(int argc, char **argv)
{
	int fd[FLAG_KINDS], got[FLAG_KINDS], flags = strtol(argv[0], NULL, 0), nr, i, j;

	nr = open_all(fd);
	for (i = 0; i < nr; i++) {
		need(fd[i] >= 0 && !fcntl(fd[i], F_SETFL, flags));
		got[i] = fcntl(fd[i], F_GETFL);
		check_eq(flags, got[i] & flags);
	}
	for (j = 0; j < 2; j++) {
		stage();
		for (i = 0; i < nr; i++)
			if (fcntl(fd[i], F_GETFL) != got[i])
				fail("flags of file %d: %#x, not %#x", i, fcntl(fd[i], F_GETFL),
				     got[i]);
	}
}

/* rooted DIR: what was all of the file system has become a part of another one. */
static void rooted(int argc, char **argv)
{
	char path[300], text[8] = "";
	struct stat before, root;
	int fd;

	snprintf(path, sizeof(path), "%s/data", argv[0]);
	fd = open(path, O_RDONLY);
	need(fd >= 0 && lseek(fd, 2, SEEK_SET) == 2 && !stat("/", &before));
	stage();
	check_eq(3, read(fd, text, 3));
	check(!strcmp(text, "ta!"));
	check(!stat("/", &root) && root.st_ino != before.st_ino);
	snprintf(path, sizeof(path), "%s/inside", argv[0]);
	check(!access(path, F_OK));
	check(access("/etc", F_OK) && errno == ENOENT);
	check(chdir("/..") == 0 && access("etc", F_OK) && errno == ENOENT);
	stage();
}

const struct mode files2_modes[] = {
	{ "direct", direct }, { "fifo_on", fifo_on }, { "mounted_twice", mounted_twice },
	{ "full_pipe", full_pipe }, { "timerfd_cancel", timerfd_cancel },
	{ "inotify_overflow", inotify_overflow }, { "lock_nameless", lock_nameless },
	{ "owner_thread", owner_thread }, { "rooted", rooted },
	{ "set_flags", set_flags },
	{}
};

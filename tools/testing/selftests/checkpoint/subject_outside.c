// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reaches outside of the process. Children hold it; the test saves the
 * process without them.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "subject.h"

/* A child that does nothing with what it has inherited. */
static pid_t holder(void)
{
	pid_t pid = fork();

	need(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

/* The same, once it has closed this descriptor. */
static void holder_without(int fd)
{
	int p[2];
	char c;

	need(!pipe(p));
	if (fork()) {
		close(p[1]);
		check_eq(0, read(p[0], &c, 1));
		close(p[0]);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(fd);
	close(p[0]);
	close(p[1]);
	for (;;)
		pause();
}

/* A descriptor of this file in flight, from and to a process outside. */
static void send_away(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int p[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	need(sendmsg(p[0], &msg, 0) == 1);
	holder_without(fd);
	close(p[0]);
	close(p[1]);
}

static void map_outside(int fd)
{
	void *map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);

	need(map != MAP_FAILED);
	holder_without(fd);
}

/* position HOW: a position that a child may move; ours goes on from where it was. */
static void position(int argc, char **argv)
{
	static const struct {
		const char *how;
		const char *path;
		int flags;
	} kinds[] = {
		{ "write", "shared", O_WRONLY }, { "read", "shared", O_RDONLY },
		{ "append", "shared", O_WRONLY | O_APPEND },
		{ "readappend", "shared", O_RDWR | O_APPEND },
		{ "null", "/dev/null", O_RDWR }, { "directory", ".", O_RDONLY | O_DIRECTORY },
		{ "alone", "shared", O_RDWR }, { "mapped", "shared", O_RDWR },
		{ "flight", "shared", O_RDWR },
	};
	size_t i = 0;
	int fd;

	while (strcmp(kinds[i].how, argv[0]))
		need(++i < ARRAY_SIZE(kinds));
	need(!write_file("shared", "0123456789", 10) && !truncate("shared", 8192));
	fd = open(kinds[i].path, kinds[i].flags);
	need(fd >= 0);
	need(lseek(fd, 0, SEEK_SET) == 0);
	if (!(kinds[i].flags & O_DIRECTORY))
		lseek(fd, 5, SEEK_SET);
	if (!strcmp(argv[0], "mapped"))
		map_outside(fd);
	else if (!strcmp(argv[0], "flight"))
		send_away(fd);
	else if (strcmp(argv[0], "alone"))
		holder();
	stage();
	if (!strcmp(kinds[i].path, "shared"))
		check_eq(5, lseek(fd, 0, SEEK_CUR));
	stage();
}

/* locked PATH FLAGS: a lock of an open file that a child has, too, until the next stage. */
static void locked(int argc, char **argv)
{
	pid_t pid;
	int fd;

	need(argc == 2 && !write_file("shared", "0123456789", 10));
	fd = open(argv[0], strcmp(argv[1], "append") ? O_RDONLY : O_WRONLY | O_APPEND);
	need(fd >= 0 && !flock(fd, LOCK_EX));
	pid = holder();
	stage();
	need(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	stage();
	close(fd);
	fd = open(argv[0], O_RDONLY);
	check_eq(0, flock(fd, LOCK_EX | LOCK_NB));
}

/* ends HOW: an end of a pipe or socket that leads to a child, or both, at 20 and 21. */
static void ends(int argc, char **argv)
{
	bool both = !strcmp(argv[0], "both"), is_socket = !strcmp(argv[0], "socket");
	char text[16] = "";
	int p[2];

	need(!(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, p) : pipe(p)));
	need(dup2(p[1], 20) == 20 && (!both || dup2(p[0], 21) == 21));
	holder();
	close(p[0]);
	close(p[1]);
	stage();
	check_eq(6, write(20, "hello\n", 6));
	if (both) {
		check_eq(3, read(21, text, 3));
		check(!strcmp(text, "abc"));
	}
	stage();
}

static int open_at(const char *name, int flags, off_t pos)
{
	int fd = open(name, flags, 0600);

	need(fd >= 0);
	need(lseek(fd, pos, SEEK_SET) == pos);
	return fd;
}

/* world: "data", "rw" and "log" are open; "library", of which we have a copy, is mapped. */
static void world(int argc, char **argv)
{
	int lib = open("library", O_RDONLY), data, rw, log;
	const unsigned char *map;
	unsigned char head[16];
	char text[8] = "", where[200] = "";

	need(lib >= 0);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, lib, 0);
	need(map != MAP_FAILED);
	memcpy(head, (const void *)map, sizeof(head));
	close(lib);
	need(!write_file("data", "0123456789", 10) && !write_file("rw", "0123456789", 10));
	data = open_at("data", O_RDONLY, 3);
	rw = open_at("rw", O_RDWR, 4);
	log = open_at("log", O_WRONLY | O_APPEND | O_CREAT, 0);
	check_eq(5, write(log, "start", 5));
	stage();
	check_eq(1, read(data, text, 1));
	check(*text >= '3');
	check_eq(4, lseek(rw, 0, SEEK_CUR));
	check(!memcmp(head, (const void *)map, sizeof(head)));
	check_eq(3, write(log, "end", 3));
	check(!access("data", R_OK));
	if (argc > 0)
		tell("in %s", getcwd(where, sizeof(where)));
}

/* Reaches this descriptor the file that has this name now? */
static bool is_there(int fd, const char *name)
{
	struct stat there, named;

	return !fstat(fd, &there) && !stat(name, &named) && there.st_ino == named.st_ino &&
	       there.st_dev == named.st_dev;
}

/* places: a directory, a FIFO, and a file and a directory that O_PATH names. */
static void places(int argc, char **argv)
{
	int dir, fifo, path, place;

	need(!mkdir("dir", 0755) && !mkdir("place", 0755) && !mkfifo("fifo", 0600));
	need(!write_file("path", "0123456789", 10));
	dir = open("dir", O_RDONLY | O_DIRECTORY);
	fifo = open("fifo", O_RDWR);
	path = open("path", O_PATH);
	place = open("place", O_PATH | O_DIRECTORY);
	need(dir >= 0 && fifo >= 0 && path >= 0 && place >= 0);
	check_eq(3, write(fifo, "abc", 3));
	stage();
	check(is_there(dir, "dir") && is_there(fifo, "fifo"));
	check(is_there(path, "path") && is_there(place, "place"));
}

const struct mode outside_modes[] = {
	{ "locked", locked }, { "position", position },
	{ "ends", ends }, { "places", places },
	{ "world", world },
	{}
};

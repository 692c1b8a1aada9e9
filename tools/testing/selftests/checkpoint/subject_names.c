// SPDX-License-Identifier: GPL-2.0-only
/* Files that have lost the name by which they were opened, and open namespaces. */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "subject.h"

static ino_t ino_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

/* What nobody uses is known to the kernel no more. */
static void forget_names(void)
{
	need(!write_file("/proc/sys/vm/drop_caches", "2", 1));
}

static void enter(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/names.XXXXXX", dir);
	need(mkdtemp(path) && !chdir(path));
	need(!mkdir("tmp", 0700) && !mkdir("new", 0700) && !mkdir("other", 0700));
	need(!mkdir("other/deep", 0700));
}

static void leave(void)
{
	char command[600], path[512];

	need(getcwd(path, sizeof(path)) && strstr(path, "/names.") && !chdir("/"));
	snprintf(command, sizeof(command), "exec rm -r %s", path);
	need(!system(command));
}

static int linked_file(const char *name, const char *other)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	need(fd >= 0 && write(fd, "content", 7) == 7);
	need(!link(name, other) && !unlink(name));
	return fd;
}

static void check_linked(int fd, const char *other, char c)
{
	struct stat st;
	char buf[8] = "";
	int again = open(other, O_RDONLY);

	check(!fstat(fd, &st));
	check_eq(1, st.st_nlink);
	check_eq(st.st_ino, ino_of(other));
	check_eq(1, pwrite(fd, &c, 1, 3));
	check_eq(7, pread(again, buf, 7, 0));
	check_eq(c, buf[3]);
	check_eq(7, lseek(fd, 0, SEEK_CUR));
	close(again);
}

/* linked DIR: the other name is in the same directory, in the next, in the one above. */
static void linked(int argc, char **argv)
{
	static const char *const others[] = { "tmp/other", "new/two", "three" };
	int fds[4], status, i, mode = 06751;
	struct statfs fs;
	struct stat st;

	enter(argv[0]);
	/* There it is memory, which is refused with such bits. */
	need(!statfs(".", &fs));
	if (fs.f_type == TMPFS_MAGIC)
		mode = 0751;
	fds[0] = linked_file("tmp/one", others[0]);
	fds[1] = linked_file("tmp/two", others[1]);
	fds[2] = linked_file("tmp/three", others[2]);
	/* One without any, that others may execute as its owner. */
	fds[3] = open("tmp/four", O_RDWR | O_CREAT, 0600);
	need(fds[3] >= 0 && !fchmod(fds[3], mode) && !unlink("tmp/four"));
	forget_names();
	stage();
	for (i = 0; i < 3; i++)
		check_linked(fds[i], others[i], 'a' + i);
	check(!fstat(fds[3], &st));
	check_eq(S_IFREG | mode, st.st_mode);
	check_eq(0, st.st_nlink);
	if (!fork()) {
		stage();
		for (i = 0; i < 3; i++)
			check_linked(fds[i], others[i], 'A' + i);
		_exit(0);
	}
	check(wait(&status) > 0);
	check_eq(0, status);
	leave();
}

/* linked_far DIR: farther away, where nobody searches. */
static void linked_far(int argc, char **argv)
{
	char path[512];
	int fd;

	enter(argv[0]);
	need(getcwd(path, sizeof(path)));
	tell("in %s", path);
	fd = linked_file("tmp/one", "other/deep/one");
	forget_names();
	stage();
	check_linked(fd, "other/deep/one", 'x');
	leave();
}

static const struct {
	const char *name;
	int type;
} types[] = {
	{ "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID }, { "net", CLONE_NEWNET },
	{ "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS },
	{ "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
};

#define NR_TYPES	ARRAY_SIZE(types)

static int open_ns(pid_t pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	fd = open(path, O_RDONLY | flags);
	need(fd >= 0);
	return fd;
}

static void check_ns(int fd, pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	check(!fstat(fd, &st));
	check_eq(ino_of(path), st.st_ino);
}

/* namespaces_own: all that it is in, under two numbers and in a child, too. */
static void namespaces_own(int argc, char **argv)
{
	int fds[NR_TYPES], again, status;
	size_t i;

	for (i = 0; i < NR_TYPES; i++)
		fds[i] = open_ns(getpid(), types[i].name, i & 1 ? O_CLOEXEC : 0);
	again = dup(fds[3]);
	stage();
	for (i = 0; i < NR_TYPES; i++) {
		check_ns(fds[i], getpid(), types[i].name);
		check_eq(types[i].type, ioctl(fds[i], NS_GET_NSTYPE));
		check_eq(i & 1 ? FD_CLOEXEC : 0, fcntl(fds[i], F_GETFD));
		check_eq(O_RDONLY | 0100000, fcntl(fds[i], F_GETFL));
	}
	check(!setns(again, CLONE_NEWUTS) && !setns(fds[2], CLONE_NEWNET));
	if (!fork()) {
		stage();
		check(!setns(again, CLONE_NEWUTS) && !setns(fds[4], CLONE_NEWIPC));
		_exit(0);
	}
	check(wait(&status) > 0);
	check_eq(0, status);
	check_ns(again, getpid(), "uts");
}

static void be_apart(int out, int in)
{
	char c = 'c';

	need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	need(!unshare(CLONE_NEWUSER | CLONE_NEWPID));
	if (!fork()) {
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
		need(write(out, &c, 1) == 1);
		pause();
	}
	check_eq(1, read(in, &c, 1));
	_exit(0);
}

/* In it, as the second process that it has. */
static void enter_both(int user, int pid)
{
	int status;
	pid_t child = fork();

	if (!child) {
		check(!setns(user, CLONE_NEWUSER) && !setns(pid, CLONE_NEWPID));
		child = fork();
		if (!child) {
			check(getpid() > 1 && getpid() < 10);
			_exit(5);
		}
		check_eq(child, waitpid(child, &status, 0));
		check_eq(5 << 8, status);
		_exit(6);
	}
	check_eq(child, waitpid(child, &status, 0));
	check_eq(6 << 8, status);
}

/* namespaces_tree: of a child, which has made them. */
static void namespaces_tree(int argc, char **argv)
{
	int out[2], in[2], user, pid, of_children, round;
	pid_t child;
	char c;

	need(!pipe(out) && !pipe(in));
	child = fork();
	if (!child)
		be_apart(out[1], in[0]);
	need(read(out[0], &c, 1) == 1);
	user = open_ns(child, "user", 0);
	of_children = open_ns(child, "pid_for_children", 0);
	pid = ioctl(user, NS_GET_USERNS);
	need(pid < 0 || !close(pid));
	pid = open_ns(getpid(), "pid", 0);
	for (round = 0; round < 2; round++) {
		stage();
		check_ns(user, child, "user");
		check_ns(of_children, child, "pid_for_children");
		check_ns(pid, getpid(), "pid");
		enter_both(user, of_children);
	}
	check_eq(1, write(in[1], "x", 1));
	check_eq(child, waitpid(child, &round, 0));
	check_eq(0, round);
}

const struct mode name_modes[] = {
	{ "linked", linked },
	{ "linked_far", linked_far },
	{ "namespaces_own", namespaces_own },
	{ "namespaces_tree", namespaces_tree },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/* Files without a name, directories, O_PATH, and who gets signals of a file. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "subject.h"

#define PAGE	4096UL
#define FAR	(1L << 30)

static int open_in(const char *dir, const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags, 0640);
	need(fd >= 0);
	return fd;
}

static void unlink_in(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	need(!unlink(path));
}

static int open_again(int fd, int flags)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags);
	need(again >= 0);
	return again;
}

static struct stat stat_of(int fd)
{
	struct stat st;

	need(!fstat(fd, &st));
	return st;
}

static void check_at(int fd, off_t at, const char *want)
{
	char buf[64] = "";

	check_eq(strlen(want), pread(fd, buf, strlen(want), at));
	if (strcmp(buf, want))
		fail("\"%s\" at %lld, not \"%s\"", buf, (long long)at, want);
}

/* In a child, which shares the open files: it reads and writes there. */
static void in_child(void (*fn)(int), int fd)
{
	int status;
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid) {
		fn(fd);
		_exit(0);
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
}

static void read_three(int fd)
{
	char buf[3];

	check_eq(3, read(fd, buf, 3));
}

/* unlinked DIR: with holes, a name that was taken again, several open files. */
static void unlinked(int argc, char **argv)
{
	int fd = open_in(argv[0], "gone", O_RDWR | O_CREAT | O_EXCL);
	int twin, again, append;
	char *priv, *shared;
	struct stat before, st;

	need(write(fd, "0123456789", 10) == 10);
	need(pwrite(fd, "far away", 8, FAR) == 8);
	need(!ftruncate(fd, 2 * FAR) && !fchmod(fd, 0604));
	unlink_in(argv[0], "gone");
	twin = dup(fd);
	again = open_again(fd, O_RDONLY);
	append = open_again(fd, O_WRONLY | O_APPEND | O_CLOEXEC);
	priv = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(priv != MAP_FAILED && shared != MAP_FAILED);
	priv[PAGE] = 'p';
	need(lseek(fd, 5, SEEK_SET) == 5 && lseek(again, 7, SEEK_SET) == 7);
	before = stat_of(fd);
	stage();
	st = stat_of(again);
	check_eq(0, st.st_nlink);
	check_eq(before.st_mode, st.st_mode);
	check_eq(before.st_uid, st.st_uid);
	check_eq(before.st_size, st.st_size);
	check_eq(before.st_mtim.tv_sec, st.st_mtim.tv_sec);
	check_eq(before.st_mtim.tv_nsec, st.st_mtim.tv_nsec);
	check(st.st_blocks < 1000);
	check_eq(st.st_ino, stat_of(fd).st_ino);
	check_eq(st.st_ino, stat_of(append).st_ino);
	check_at(fd, 0, "0123456789");
	check_at(fd, FAR, "far away");
	check_eq(5, lseek(twin, 0, SEEK_CUR));
	check_eq(7, lseek(again, 0, SEEK_CUR));
	in_child(read_three, fd);
	check_eq(8, lseek(twin, 0, SEEK_CUR));
	need(lseek(fd, 5, SEEK_SET) == 5);
	check_eq('p', priv[PAGE]);
	check(!memcmp(priv, "0123456789", 10));
	shared[1] = 'x';
	check_at(again, 0, "0x23456789");
	check_eq('x', priv[1]);
	shared[1] = '1';
	check_eq(3, write(append, "end", 3));
	check_at(again, 2 * FAR, "end");
	need(!ftruncate(fd, 2 * FAR));
	stage();
	check_at(again, 0, "0123456789");
	check(fcntl(append, F_GETFL) & O_APPEND);
	/* The name is free, and nothing of ours is in the directory. */
	close(open_in(argv[0], "gone", O_RDWR | O_CREAT | O_EXCL));
	unlink_in(argv[0], "gone");
}

/* What a mapping maps; it needs no descriptor. */
static int open_mapped(const char *p, size_t size)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)p,
		 (unsigned long)p + size);
	fd = open(path, O_RDWR | O_CLOEXEC);
	need(fd >= 0);
	return fd;
}

/* unlinked_mapped DIR: nobody has it open; with holes, and a part behind what is mapped. */
static void unlinked_mapped(int argc, char **argv)
{
	int fd = open_in(argv[0], "mapped", O_RDWR | O_CREAT | O_EXCL), i;
	const size_t size = 64 * PAGE;
	char *p, *q;
	struct stat st;

	need(!ftruncate(fd, FAR + PAGE) && pwrite(fd, "far away", 8, FAR) == 8);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 40 * PAGE);
	need(p != MAP_FAILED && q != MAP_FAILED);
	close(fd);
	unlink_in(argv[0], "mapped");
	fill_memory(p + 3 * PAGE, PAGE, 1);
	fill_memory(q + PAGE, PAGE, 2);
	for (i = 0; i < 2; i++) {
		uint64_t hash = hash_memory(p, size);

		stage();
		check_eq(hash, hash_memory(p, size));
		check_eq(0, memcmp(p + 40 * PAGE, q, 8 * PAGE));
		fd = open_mapped(p, size);
		st = stat_of(fd);
		check_eq(0, st.st_nlink);
		check_eq(FAR + PAGE, st.st_size);
		/* Room for three pages, and what the file system needs. */
		check(st.st_blocks < 1000);
		check_at(fd, FAR, "far away");
		/* It is one file, which all write to. */
		p[44 * PAGE] = 5 + i;
		check_eq(5 + i, q[4 * PAGE]);
		check(pread(fd, &q[5 * PAGE], 1, 44 * PAGE) == 1 && p[45 * PAGE] == 5 + i);
		close(fd);
	}
}

/* unlinked_tree DIR: parent and child have it, the child alone has a mapping. */
static void unlinked_tree(int argc, char **argv)
{
	int fd = open_in(argv[0], "both", O_RDWR | O_CREAT | O_EXCL), p[2], status;
	pid_t pid;
	char *mem, c;

	need(write(fd, "0123456789", 10) == 10 && !lseek(fd, 0, SEEK_SET) && !pipe(p));
	unlink_in(argv[0], "both");
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		close(p[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		while (read(p[0], &c, 1) == 1) {
			mem[0]++;
			read_three(fd);
		}
		_exit(7);
	}
	close(p[0]);
	stage();
	need(write(p[1], "x", 1) == 1);
	while (lseek(fd, 0, SEEK_CUR) != 3)
		poll_pause();
	check_at(fd, 0, "1123");
	stage();
	check_eq(3, lseek(fd, 0, SEEK_CUR));
	close(p[1]);
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(7 << 8, status);
}

/* tmpfile DIR: one may get a name, the other must not. */
static void tmpfile_mode(int argc, char **argv)
{
	int fd = open(argv[0], O_TMPFILE | O_RDWR, 0600);
	int never = open(argv[0], O_TMPFILE | O_RDWR | O_EXCL, 0600);
	char path[64], name[256];
	int flags;

	need(fd >= 0 && never >= 0 && write(fd, "tmp", 3) == 3 && write(never, "no", 2) == 2);
	flags = fcntl(fd, F_GETFL);
	stage();
	check_at(fd, 0, "tmp");
	check_at(never, 0, "no");
	check_eq(flags, fcntl(fd, F_GETFL));
	check_eq(3, lseek(fd, 0, SEEK_CUR));
	check_eq(0, stat_of(fd).st_nlink);
	snprintf(name, sizeof(name), "%s/linked", argv[0]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", never);
	/* On a tmpfs it is memory now. */
	check(linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW) &&
	      (errno == ENOENT || errno == EXDEV));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check(!linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
	check_eq(1, stat_of(fd).st_nlink);
	/* Overlayfs knows the name only when somebody has asked for it. */
	check(!access(name, F_OK));
	stage();
	check_at(fd, 0, "tmp");
	check_eq(flags, fcntl(fd, F_GETFL));
	check_eq(1, stat_of(fd).st_nlink);
	need(!unlink(name));
	check_eq(0, stat_of(fd).st_nlink);
}

/* unlinked_exe DIR: runs a copy of itself that is gone. */
static void unlinked_exe(int argc, char **argv)
{
	char path[512], link[512];
	ssize_t n;

	if (argc == 1) {
		char command[600];

		snprintf(path, sizeof(path), "%s/copy", argv[0]);
		snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), path);
		need(!system(command));
		execl(path, "copy", "unlinked_exe", argv[0], "gone", NULL);
		need(false);
	}
	unlink_in(argv[0], "copy");
	stage();
	n = readlink("/proc/self/exe", link, sizeof(link) - 1);
	need(n > 10);
	link[n] = 0;
	check(!strcmp(link + n - 10, " (deleted)"));
	/* It can be executed through /proc, and not be written to. */
	check(open("/proc/self/exe", O_RDWR) < 0 && errno == ETXTBSY);
	check_eq(0, system("/proc/$PPID/exe regular_none >/dev/null"));
	stage();
}

static void regular_none(int argc, char **argv)
{
}

/* removed DIR: the current directory and an open one are removed ones. */
static void removed(int argc, char **argv)
{
	char path[512], link[300];
	int fd;

	snprintf(path, sizeof(path), "%s/dir", argv[0]);
	need(!mkdir(path, 0750));
	fd = open(path, O_RDONLY | O_DIRECTORY);
	need(fd >= 0 && !chdir(path) && !rmdir(path));
	stage();
	check(!getcwd(link, sizeof(link)) && errno == ENOENT);
	check(open("new", O_RDWR | O_CREAT, 0600) < 0 && errno == ENOENT);
	check_eq(S_IFDIR | 0750, stat_of(fd).st_mode);
	check_eq(stat_of(fd).st_ino, stat_of(open(".", O_RDONLY)).st_ino);
	check(!fchdir(fd));
	stage();
	check(!chdir(argv[0]));
}

/* What a restart had to create for a moment. */
static int count_leftovers(const char *name)
{
	struct dirent *e;
	DIR *d = opendir(name);
	int n = 0;

	need(d);
	while ((e = readdir(d)))
		n += !strncmp(e->d_name, ".checkpoint", 11);
	closedir(d);
	return n;
}

static struct stat stat_at(const char *name)
{
	struct stat st;

	need(!stat(name, &st));
	return st;
}

/* What can be seen of three removed directories, one in the other; we are in the last. */
struct look {
	struct stat at[3];
};

static struct look look_around(void)
{
	return (struct look){ { stat_at("."), stat_at(".."), stat_at("../..") } };
}

static void compare_looks(const struct look *a, const struct look *b)
{
	int i;

	for (i = 0; i < 3; i++) {
		check_eq(a->at[i].st_mode, b->at[i].st_mode);
		check_eq(a->at[i].st_mtim.tv_sec, b->at[i].st_mtim.tv_sec);
		check_eq(a->at[i].st_mtim.tv_nsec, b->at[i].st_mtim.tv_nsec);
	}
}

/*
 * removed_nested DIR: files and directories of a tree of directories that was removed,
 * from the innermost on; a child is in another of them. "kept" stays.
 */
static void removed_nested(int argc, char **argv)
{
	char a[300], b[320], c[340], text[8] = "";
	int file, tmp, dir, kept, p[2], q[2], status = 0;
	struct look was, is;
	const char *map;
	pid_t pid;

	snprintf(a, sizeof(a), "%s/nested", argv[0]);
	snprintf(b, sizeof(b), "%s/b", a);
	snprintf(c, sizeof(c), "%s/c", b);
	need(!mkdir(a, 0711) && !mkdir(b, 0750) && !mkdir(c, 0500) && !chdir(c));
	file = open_in(b, "file", O_RDWR | O_CREAT | O_EXCL);
	need(write(file, "content", 7) == 7);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
	tmp = open(b, O_RDWR | O_TMPFILE, 0600);
	need(map != MAP_FAILED && tmp >= 0 && write(tmp, "unnamed", 7) == 7);
	dir = open(b, O_RDONLY | O_DIRECTORY);
	kept = open_in(argv[0], "kept", O_RDWR | O_CREAT);
	need(dir >= 0 && !pipe(p) && !pipe(q));
	pid = fork();
	if (!pid) {
		need(!chdir(a) && !close(p[1]) && write(q[1], "x", 1) == 1);
		check_eq(0, read(p[0], text, 1));
		_exit(stat_at(".").st_ino != stat_of(openat(dir, "..", O_RDONLY)).st_ino);
	}
	check_eq(1, read(q[0], text, 1));
	unlink_in(b, "file");
	need(!rmdir(c) && !rmdir(b) && !rmdir(a));
	was = look_around();
	stage();
	is = look_around();
	compare_looks(&was, &is);
	check(!getcwd(text, sizeof(text)) && errno == ENOENT);
	check(open("../new", O_RDWR | O_CREAT, 0600) < 0 && errno == ENOENT);
	check_eq(stat_of(dir).st_ino, is.at[1].st_ino);
	check_eq(stat_at(argv[0]).st_ino, stat_at("../../..").st_ino);
	check_eq(7, pread(file, text, 7, 0));
	check(!strcmp(text, "content") && !memcmp(map, "content", 7));
	check_eq(7, pread(tmp, text, 7, 0));
	check(!strcmp(text, "unnamed"));
	check_eq(0, count_leftovers(argv[0]));
	stage();
	close(p[1]);
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
	close(kept);
	unlink_in(argv[0], "kept");
	check(!chdir(argv[0]));
}

/* renamed DIR: what was renamed while it was open; positions in directories. */
static void renamed(int argc, char **argv)
{
	char a[256], b[256], c[32];
	struct dirent *e;
	int fd, sub, i;
	long at;
	DIR *d;

	snprintf(a, sizeof(a), "%s/ren1", argv[0]);
	snprintf(b, sizeof(b), "%s/ren2", argv[0]);
	need(!mkdir(a, 0700));
	for (i = 0; i < 20; i++) {
		snprintf(c, sizeof(c), "file%d", i);
		fd = open_in(a, c, O_RDWR | O_CREAT);
		if (i < 19)
			close(fd);
	}
	d = opendir(a);
	need(d && write(fd, "text", 4) == 4);
	sub = open(a, O_PATH);
	for (i = 0; i < 5; i++)
		need(readdir(d));
	at = telldir(d);
	seekdir(d, at);
	need(!rename(a, b));
	stage();
	check_eq(4, lseek(fd, 0, SEEK_CUR));
	check_eq(stat_of(fd).st_ino, stat_of(openat(sub, "file19", O_RDONLY)).st_ino);
	check_eq(at, telldir(d));
	for (i = 5; (e = readdir(d)); i++)
		;
	check_eq(22, i);
	closedir(d);
	for (i = 0; i < 20; i++) {
		snprintf(c, sizeof(c), "file%d", i);
		unlink_in(b, c);
	}
	need(!rmdir(b));
}

/* opath DIR: a file, a directory, a link, a FIFO. */
static void opath(int argc, char **argv)
{
	int flags[] = { O_PATH, O_PATH | O_DIRECTORY, O_PATH | O_NOFOLLOW, O_PATH | O_CLOEXEC };
	static const char * const names[] = { "file", "dir", "link", "fifo" };
	mode_t types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO };
	char target[64];
	int fd[4], fl[4], i;
	ino_t ino[4];

	need(!chdir(argv[0]) && !mkdir("dir", 0700) && !symlink("nowhere", "link"));
	need(!mkfifo("fifo", 0600) && close(open("file", O_RDWR | O_CREAT, 0600)) == 0);
	for (i = 0; i < 4; i++) {
		fd[i] = open(names[i], flags[i]);
		need(fd[i] >= 0);
		fl[i] = fcntl(fd[i], F_GETFL);
		ino[i] = stat_of(fd[i]).st_ino;
	}
	stage();
	for (i = 0; i < 4; i++) {
		check_eq(fl[i], fcntl(fd[i], F_GETFL));
		check_eq(ino[i], stat_of(fd[i]).st_ino);
		check_eq(types[i], stat_of(fd[i]).st_mode & S_IFMT);
		check(read(fd[i], target, 1) < 0 && errno == EBADF);
	}
	check_eq(FD_CLOEXEC, fcntl(fd[3], F_GETFD));
	check_eq(7, readlinkat(fd[2], "", target, sizeof(target)));
	check(openat(fd[1], "x", O_RDWR | O_CREAT, 0600) >= 0 && !unlink("dir/x"));
	need(!unlink("file") && !unlink("link") && !unlink("fifo") && !rmdir("dir"));
}

static volatile int got_signal, got_fd;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	got_signal = sig;
	got_fd = info->si_fd;
}

static void catch(int sig)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };

	need(!sigaction(sig, &sa, NULL));
}

static void check_signal(int sig, int fd)
{
	while (!got_signal)
		poll_pause();
	check_eq(sig, got_signal);
	check_eq(fd, got_fd);
	got_signal = 0;
}

/* owner: signals of a pipe, to ourselves; owner and signal of other files. */
static void owner(int argc, char **argv)
{
	int p[2], fd = open_in(".", "owned", O_RDWR | O_CREAT), half[2];
	struct f_owner_ex ex = { F_OWNER_PID, getpid() }, tid = { F_OWNER_TID, gettid() };
	struct f_owner_ex group = { F_OWNER_PGRP, 0 };
	uint64_t hint = RWH_WRITE_LIFE_LONG, now;
	char c;

	catch(SIGRTMIN);
	catch(SIGIO);
	need(!setpgid(0, 0) && !pipe(p) && !pipe(half));
	group.pid = getpgrp();
	need(!fcntl(p[0], F_SETOWN_EX, &ex) && !fcntl(p[0], F_SETSIG, SIGRTMIN));
	need(!fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	/* No signal for the other end, which was closed before. */
	close(half[1]);
	need(!fcntl(half[0], F_SETOWN, getpid()) && !fcntl(half[0], F_SETFL, O_ASYNC));
	need(!fcntl(fd, F_SETOWN_EX, &group) && !fcntl(fd, F_SETSIG, SIGUSR2));
	need(!fcntl(p[1], F_SETOWN_EX, &tid) && !fcntl(fd, F_SET_RW_HINT, &hint));
	stage();
	check_eq(0, got_signal);
	check_eq(1, write(p[1], "x", 1));
	check_signal(SIGRTMIN, p[0]);
	check_eq(1, read(p[0], &c, 1));
	check_eq(SIGRTMIN, fcntl(p[0], F_GETSIG));
	check_eq(O_ASYNC | O_NONBLOCK, fcntl(p[0], F_GETFL));
	check(!fcntl(p[0], F_GETOWN_EX, &ex) && ex.type == F_OWNER_PID && ex.pid == getpid());
	check(!fcntl(fd, F_GETOWN_EX, &ex) && ex.type == F_OWNER_PGRP && ex.pid == getpgrp());
	check(!fcntl(p[1], F_GETOWN_EX, &ex) && ex.type == F_OWNER_TID && ex.pid == gettid());
	check_eq(SIGUSR2, fcntl(fd, F_GETSIG));
	check(!fcntl(fd, F_GET_RW_HINT, &now) && now == hint);
	need(!fcntl(p[0], F_SETFL, O_NONBLOCK));
	stage();
	check_eq(1, write(p[1], "x", 1));
	check_eq(1, read(p[0], &c, 1));
	check_eq(0, got_signal);
}

/* owner_child: the owner is a child, which is told by its number; a dead owner. */
static void owner_child(int argc, char **argv)
{
	struct f_owner_ex ex = { F_OWNER_PID, 0 };
	int p[2], end[2], dead, status;
	pid_t child, gone;
	char c;

	need(!pipe(p) && !pipe(end));
	child = fork();
	need(child >= 0);
	if (!child) {
		close(end[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		catch(SIGIO);
		while (read(end[0], &c, 1) == 1)
			;
		_exit(got_signal == SIGIO ? 5 : 6);
	}
	close(end[0]);
	ex.pid = child;
	need(!fcntl(p[0], F_SETOWN_EX, &ex) && !fcntl(p[0], F_SETFL, O_ASYNC));
	gone = fork();
	if (!gone)
		_exit(0);
	dead = open_in(".", "dead", O_RDWR | O_CREAT);
	need(!fcntl(dead, F_SETOWN, gone) && waitpid(gone, &status, 0) == gone);
	stage();
	check_eq(0, fcntl(dead, F_GETOWN));
	check(!fcntl(p[0], F_GETOWN_EX, &ex) && ex.pid == child);
	check_eq(1, write(p[1], "x", 1));
	need(!close(end[1]));
	check_eq(child, waitpid(child, &status, 0));
	check_eq(5 << 8, status);
}

static void check_rest(int fd, const char *name)
{
	static char a[65536], b[65536];
	off_t at = lseek(fd, 0, SEEK_CUR);
	int fresh = open(name, O_RDONLY);
	ssize_t n = 0, m, part;

	while ((part = read(fd, a + n, sizeof(a) - n)) > 0)
		n += part;
	m = pread(fresh, b, sizeof(b), at);
	need(!close(fresh));
	check(n > 0 && m > 0);
	/* Counters change; the start of what is left does not. */
	if (strcmp(name, "/proc/meminfo"))
		check(!memcmp(a, b, 16));
	check(lseek(fd, at, SEEK_SET) == at);
}

/* proc: files of ourselves and of the system, in the middle; directories. */
static void proc(int argc, char **argv)
{
	static const char * const names[] = {
		"/proc/self/status", "/proc/self/maps", "/proc/self/limits", "/proc/meminfo",
		"/proc/self/cmdline", "/sys/kernel/notes", "/proc/version",
	};
	int fd[7], dir = open("/proc/self", O_RDONLY | O_DIRECTORY), sub, i, status;
	char buf[64], first[7];
	pid_t pid;

	for (i = 0; i < 7; i++) {
		fd[i] = open(names[i], O_RDONLY | O_CLOEXEC);
		need(fd[i] >= 0 && read(fd[i], buf, 7) == 7);
		if (i == 4)
			memcpy(first, buf, 7);
	}
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		stage();
		/* Still of the parent. */
		need(lseek(fd[4], 0, SEEK_SET) == 0 && read(fd[4], buf, 7) == 7);
		_exit(memcmp(buf, first, 7) ? 4 : 3);
	}
	check(waitpid(-1, &status, 0) > 0);
	for (i = 0; i < 7; i++)
		if (i != 4)
			check_rest(fd[i], names[i]);
	sub = openat(dir, "stat", O_RDONLY);
	check(sub >= 0 && read(sub, buf, sizeof(buf)) > 8);
	check_eq(getpid(), atoi(buf));
	check_eq(3 << 8, status);
}

/* unlinked_leaked DIR: one that is left out of the tree has it, too. */
static void unlinked_leaked(int argc, char **argv)
{
	int fd = open_in(argv[0], "leaked", O_RDWR | O_CREAT);

	need(write(fd, "x", 1) == 1);
	unlink_in(argv[0], "leaked");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	stage();
}

/*
 * unlinked_library DIR [writer]: it is only mapped, as others have it, too, of whom one
 * may write to it.
 */
static void unlinked_library(int argc, char **argv)
{
	int i, writer = open_in(argv[0], "library", O_RDWR | O_CREAT);
	const size_t size = 3 * 4096 + 16;
	unsigned char *mem;
	char maps[65536];
	uint64_t hash;

	need(!ftruncate(writer, size));
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
	need(mem != MAP_FAILED);
	fill_memory(mem, size, 5);
	hash = hash_memory(mem, size);
	need(!munmap(mem, size) && !close(writer));
	/* Through a file that was opened for reading only, as libraries are. */
	i = open_in(argv[0], "library", O_RDONLY);
	mem = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, i, 0);
	need(mem != MAP_FAILED && !close(i));
	writer = argc > 1 ? open_in(argv[0], "library", O_RDWR) : -1;
	unlink_in(argv[0], "library");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	close(writer);
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(hash, hash_memory(mem, size));
		/* It may be called otherwise. */
		check(read_file("/proc/self/maps", maps, sizeof(maps)) > 0 &&
		      strstr(maps, "/var/tmp/") && strstr(maps, " (deleted)"));
	}
}

const struct mode regular_modes[] = {
	{ "unlinked", unlinked },
	{ "unlinked_mapped", unlinked_mapped },
	{ "unlinked_tree", unlinked_tree },
	{ "unlinked_exe", unlinked_exe },
	{ "unlinked_leaked", unlinked_leaked },
	{ "unlinked_library", unlinked_library },
	{ "tmpfile", tmpfile_mode },
	{ "removed", removed },
	{ "removed_nested", removed_nested },
	{ "renamed", renamed },
	{ "opath", opath },
	{ "owner", owner },
	{ "proc", proc },
	{ "owner_child", owner_child },
	{ "regular_none", regular_none },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/* Open files, standard streams, and the place in the file system. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "subject.h"

static int open_file(const char *name, int flags)
{
	int fd = open(name, flags, 0644);

	if (fd < 0)
		fail("open of %s", name);
	need(fd >= 0);
	return fd;
}

static off_t at(int fd)
{
	return lseek(fd, 0, SEEK_CUR);
}

static void put(int fd, const char *text)
{
	check_eq(strlen(text), write(fd, text, strlen(text)));
}

static void check_content(const char *name, const char *want)
{
	char buf[1024];
	int n = read_file(name, buf, sizeof(buf));

	if (n != (int)strlen(want) || strcmp(buf, want))
		fail("%s has \"%s\", not \"%s\"", name, buf, want);
}

/* regular: offsets, each open file with its own, dup()s with a common one. */
static void regular(int argc, char **argv)
{
	int rw = open_file("rw", O_RDWR | O_CREAT);
	int again, twin, ro, wo;
	char c = 0;

	put(rw, "0123456789");
	again = open_file("rw", O_RDWR);
	twin = dup(rw);
	ro = open_file("rw", O_RDONLY | O_CLOEXEC);
	wo = open_file("rw", O_WRONLY);
	check_eq(4, lseek(rw, 4, SEEK_SET));
	check_eq(7, lseek(again, 7, SEEK_SET));
	check_eq(1000, lseek(wo, 1000, SEEK_SET));
	stage();
	check_eq(4, at(rw));
	check_eq(4, at(twin));
	check_eq(7, at(again));
	check_eq(0, at(ro));
	check_eq(1000, at(wo));
	check_eq(1, read(twin, &c, 1));
	check_eq('4', c);
	check_eq(5, at(rw));
	check_eq(-1, write(ro, "x", 1));
	check_eq(EBADF, errno);
	check_eq(-1, read(wo, &c, 1));
	check_eq(EBADF, errno);
	stage();
	check_eq(1, read(rw, &c, 1));
	check_eq('5', c);
	check_eq(6, at(twin));
	put(again, "x");
	check_content("rw", "0123456x89");
}

/* flags: of descriptors and of open files; the test compares them as well. */
static void flags(int argc, char **argv)
{
	static const int some[] = {
		O_APPEND, O_NONBLOCK, O_DSYNC, O_SYNC, O_NOATIME, O_NOFOLLOW, O_CLOEXEC,
		O_APPEND | O_NONBLOCK | O_CLOEXEC, O_EXCL, O_TRUNC, O_NOCTTY,
	};
	int fd[ARRAY_SIZE(some)], fl[ARRAY_SIZE(some)], fdfl[ARRAY_SIZE(some)], twin;
	char name[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		snprintf(name, sizeof(name), "f%zu", i);
		fd[i] = open_file(name, O_RDWR | O_CREAT | some[i]);
		put(fd[i], "some text");
		fl[i] = fcntl(fd[i], F_GETFL);
		fdfl[i] = fcntl(fd[i], F_GETFD);
	}
	twin = fcntl(fd[0], F_DUPFD_CLOEXEC, 0);
	/* Flags can change after the open, both ways. */
	check_eq(0, fcntl(fd[1], F_SETFL, O_APPEND));
	fl[1] = fcntl(fd[1], F_GETFL);
	stage();
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		check_eq(fl[i], fcntl(fd[i], F_GETFL));
		check_eq(fdfl[i], fcntl(fd[i], F_GETFD));
		check_eq(9, at(fd[i]));
	}
	check_eq(FD_CLOEXEC, fcntl(twin, F_GETFD));
	check_eq(0, lseek(fd[0], 0, SEEK_SET));
	check_eq(0, lseek(fd[3], 0, SEEK_SET));
	put(fd[0], "!");
	put(fd[3], "!");
	check_content("f0", "some text!");
	check_content("f3", "!ome text");
}

/* numbers: gaps, high numbers, and none that was not there. */
static void numbers(int argc, char **argv)
{
	static const int want[] = { 5, 17, 64, 255, 1000, 1023 };
	int fd = open_file("numbers", O_RDWR | O_CREAT);
	size_t i, j = 0;
	int n;

	for (i = 0; i < ARRAY_SIZE(want); i++)
		need(dup2(fd, want[i]) == want[i]);
	close(fd);
	stage();
	for (n = 3; n < 2000; n++) {
		bool is_open = fcntl(n, F_GETFD) >= 0;
		bool expected = j < ARRAY_SIZE(want) && want[j] == n;

		if (is_open != expected)
			fail("fd %d is %s", n, is_open ? "open" : "closed");
		j += expected;
	}
	check_eq(3, open("numbers", O_RDONLY));
}

/* above: a descriptor above the restarter's limit, which root may raise. */
static void above(int argc, char **argv)
{
	const struct rlimit high = { 100001, 100001 }, low = { 100, 200 };
	int fd = open_file("above", O_RDWR | O_CREAT);
	struct rlimit now;

	need(!setrlimit(RLIMIT_NOFILE, &high));
	need(dup2(fd, 100000) == 100000);
	need(!setrlimit(RLIMIT_NOFILE, &low));
	close(fd);
	stage();
	need(!getrlimit(RLIMIT_NOFILE, &now));
	check_eq(low.rlim_cur, now.rlim_cur);
	check_eq(low.rlim_max, now.rlim_max);
	check_eq(5, write(100000, "above", 5));
	check_content("above", "above");
}

/* The numbers of all descriptors but the one that is used to look; to be freed. */
static int *all_numbers(int *nr)
{
	DIR *dir = opendir("/proc/self/fd");
	int *numbers = calloc(100, sizeof(int));
	struct dirent *entry;

	need(dir && numbers);
	for (*nr = 0; (entry = readdir(dir)) && *nr < 100;)
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
			numbers[(*nr)++] = atoi(entry->d_name);
	closedir(dir);
	return numbers;
}

/* million: a limit of a million, and the highest descriptor that it allows. */
static void million(int argc, char **argv)
{
	const struct rlimit limit = { 1000000, 1000000 };
	static const int want[] = { 999999, 999998, 524288, 65536, 64 };
	int fd = open_file("million", O_RDWR | O_CREAT), before, after, *were, *are;
	struct rlimit now;
	size_t i;

	need(!setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < ARRAY_SIZE(want); i++)
		need(dup3(fd, want[i], i & 1 ? O_CLOEXEC : 0) == want[i]);
	close(fd);
	were = all_numbers(&before);
	stage();
	need(!getrlimit(RLIMIT_NOFILE, &now));
	check_eq(limit.rlim_cur, now.rlim_cur);
	are = all_numbers(&after);
	check_eq(before, after);
	check(!memcmp(were, are, before * sizeof(int)));
	for (i = 0; i < ARRAY_SIZE(want); i++)
		check_eq(i & 1 ? FD_CLOEXEC : 0, fcntl(want[i], F_GETFD));
	check_eq(7, write(999999, "million", 7));
	check_eq(7, lseek(524288, 0, SEEK_CUR));
	check_content("million", "million");
	/* The lowest free number is found as before. */
	fd = dup(64);
	check(fd < 64);
	close(fd);
	stage();
	free(were);
	were = all_numbers(&before);
	check_eq(after, before);
	check(!memcmp(were, are, before * sizeof(int)));
	free(were);
	free(are);
}

/* appending: what is written goes on exactly, and three times. */
static void appending(int argc, char **argv)
{
	FILE *file = fopen("out", "w");
	int fd = open_file("log", O_WRONLY | O_CREAT | O_APPEND);
	int i, n;
	FILE *in;

	need(file);
	for (i = 0; i < 3000; i++) {
		fprintf(file, "line %d\n", i);
		dprintf(fd, "line %d\n", i);
		if (i % 1000 == 500)
			stage();
	}
	check_eq(0, fclose(file));
	for (n = 0; n < 2; n++) {
		in = fopen(n ? "log" : "out", "r");
		need(in);
		for (i = 0; i < 3000; i++) {
			int got = -1;

			if (fscanf(in, "line %d\n", &got) != 1 || got != i) {
				fail("line %d is %d", i, got);
				break;
			}
		}
		check_eq(EOF, fgetc(in));
		fclose(in);
	}
}

/* directory: reading one goes on where it was. */
static void directory(int argc, char **argv)
{
	int seen[200] = {}, i, total = 0;
	struct dirent *entry;
	char name[32];
	DIR *dir;

	need(!mkdir("d", 0755));
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "d/a%s%d", i % 3 ? "" : "longername", i);
		close(open_file(name, O_WRONLY | O_CREAT));
	}
	/* One entry at a time, so that the kernel's position is used. */
	dir = opendir("d");
	need(dir);
	for (i = 0; (entry = readdir(dir)); i++) {
		if (entry->d_name[0] == 'a') {
			total++;
			seen[atoi(entry->d_name + strcspn(entry->d_name, "0123456789"))]++;
		}
		if (i == 50)
			seekdir(dir, telldir(dir));
		if (i == 50 || i == 100)
			stage();
	}
	check_eq(200, total);
	for (i = 0; i < 200; i++)
		if (seen[i] != 1)
			fail("entry %d was read %d times", i, seen[i]);
	rewinddir(dir);
	check(readdir(dir));
	check_eq(0, faccessat(dirfd(dir), "a1", F_OK, 0));
	closedir(dir);
}

/* devices: those that are only memory. */
static void devices(int argc, char **argv)
{
	int null = open_file("/dev/null", O_RDWR), zero = open_file("/dev/zero", O_RDONLY);
	int full = open_file("/dev/full", O_RDWR), random = open_file("/dev/random", O_RDONLY);
	int urandom = open_file("/dev/urandom", O_RDWR | O_NONBLOCK);
	char buf[64], other[64];

	stage();
	check_eq(0, read(null, buf, 8));
	check_eq(8, write(null, buf, 8));
	memset(buf, 1, sizeof(buf));
	check_eq(64, read(zero, buf, 64));
	check_eq(0, buf[0] | buf[63]);
	check_eq(-1, write(full, buf, 8));
	check_eq(ENOSPC, errno);
	check_eq(64, read(random, buf, 64));
	check_eq(64, read(urandom, other, 64));
	check(memcmp(buf, other, 64));
}

/* place: working directory and umask. */
static void place(int argc, char **argv)
{
	char *before, *after;
	struct stat st;
	int fd;

	need(!mkdir("sub", 0755) && !mkdir("sub/dir", 0700) && !chdir("sub/dir"));
	umask(027);
	before = getcwd(NULL, 0);
	stage();
	after = getcwd(NULL, 0);
	check(before && after && !strcmp(before, after));
	fd = open_file("new", O_WRONLY | O_CREAT | O_TRUNC);
	check_eq(0, fchmod(fd, 0666 & ~027));
	check_eq(027, umask(0));
	check_eq(0, stat("../../sub/dir/new", &st));
	check_eq(0640, st.st_mode & 0777);
}

/* newroot: a root directory of its own, and a file opened within. */
static void newroot(int argc, char **argv)
{
	char cwd[PATH_MAX];
	int fd;

	need(!mkdir("root", 0755) && !mkdir("root/inside", 0755));
	need(!chroot("root") && !chdir("/inside"));
	fd = open_file("/file", O_RDWR | O_CREAT);
	put(fd, "hello");
	stage();
	check(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/inside"));
	check_eq(0, access("/file", F_OK));
	check_eq(-1, access("/proc", F_OK));
	check_eq(0, chdir(".."));
	check(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
	put(fd, "!");
	check_content("/file", "hello!");
}

/* names: of files that were renamed, and names that are hard to write. */
static void names(int argc, char **argv)
{
	static const char * const list[] = {
		"with blank", "new\nline", "back\\slash", "\xc3\xa4\xff\x01", "%s%n", "->", " ",
		"(deleted)", "x (deleted)", "//", "..x",
	};
	int fd[ARRAY_SIZE(list)], deep, i;
	char part[201] = "";
	size_t n;

	for (n = 0; n < ARRAY_SIZE(list); n++) {
		if (!strcmp(list[n], "//"))
			fd[n] = open_file(".", O_RDONLY | O_DIRECTORY);
		else
			fd[n] = open_file(list[n], O_RDWR | O_CREAT);
	}
	need(!rename("with blank", "renamed"));
	need(!symlink("renamed", "link"));
	close(fd[0]);
	fd[0] = open_file("link", O_RDWR);
	memset(part, 'n', 200);
	for (i = 0; i < 15; i++)
		need(!mkdir(part, 0755) && !chdir(part));
	deep = open_file("deep", O_RDWR | O_CREAT);
	stage();
	put(fd[0], "a");
	put(fd[1], "b");
	put(deep, "c");
	check_content("deep", "c");
	for (i = 0; i < 15; i++)
		check_eq(0, chdir(".."));
	check_content("renamed", "a");
	check_content("new\nline", "b");
}

/* streams: copies of the standard streams under other numbers. */
static void streams(int argc, char **argv)
{
	int in = dup(0), out = fcntl(1, F_DUPFD_CLOEXEC, 200);

	need(in == 3 && out == 200);
	close(2);
	stage();
	check_eq(-1, fcntl(2, F_GETFD));
	check_eq(FD_CLOEXEC, fcntl(out, F_GETFD));
	check_eq(0, syscall(SYS_kcmp, getpid(), getpid(), 0, 0, in));
	check_eq(0, syscall(SYS_kcmp, getpid(), getpid(), 0, 1, out));
	check(syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 1) != 0);
	close(0);
	close(1);
	check_eq(0, dup(in));
	check_eq(1, dup(out));
	stage();
}

/* streamfile: standard error goes to a file, which is no outside stream. */
static void streamfile(int argc, char **argv)
{
	int fd = open_file("errors", O_WRONLY | O_CREAT | O_APPEND);

	need(dup2(fd, 2) == 2);
	close(fd);
	fputs("one\n", stderr);
	stage();
	fputs("two\n", stderr);
	check_content("errors", "one\ntwo\n");
}

static void *read_pipe(void *arg)
{
	char c = 0;

	check_eq(1, read((long)arg, &c, 1));
	return (void *)(long)c;
}

/* pipes: within the process, with what is in them and who waits for them. */
static void pipes(int argc, char **argv)
{
	int p[2], small[2], done[2], broken[2], wait[2], twin;
	static char data[70000], got[70000];
	pthread_t thread;
	void *result;

	fill_memory(data, sizeof(data), 1);
	need(!pipe(p) && !pipe2(small, O_NONBLOCK | O_CLOEXEC) && !pipe(done) &&
	     !pipe(broken) && !pipe(wait));
	need(fcntl(p[1], F_SETPIPE_SZ, 131072) == 131072);
	need(write(p[1], data, sizeof(data)) == sizeof(data));
	need(fcntl(small[0], F_SETPIPE_SZ, 4096) == 4096);
	twin = dup(small[1]);
	put(done[1], "rest");
	close(done[1]);
	close(broken[0]);
	signal(SIGPIPE, SIG_IGN);
	need(!pthread_create(&thread, NULL, read_pipe, (void *)(long)wait[0]));
	stage();
	check_eq(131072, fcntl(p[0], F_GETPIPE_SZ));
	check_eq(sizeof(data), read(p[0], got, sizeof(got)));
	check_eq(0, memcmp(data, got, sizeof(data)));
	check_eq(4096, fcntl(small[1], F_GETPIPE_SZ));
	check_eq(-1, read(small[0], got, 10));
	check_eq(EAGAIN, errno);
	check_eq(4096, write(twin, data, 5000));
	check_eq(4, read(done[0], got, 10));
	check_eq(0, read(done[0], got, 10));
	check_eq(-1, write(broken[1], "x", 1));
	check_eq(EPIPE, errno);
	put(wait[1], "w");
	check_eq(0, pthread_join(thread, &result));
	check_eq('w', (long)result);
	stage();
	check_eq(4096, read(small[0], got, 5000));
	check_eq(0, memcmp(data, got, 4096));
}

static void *hold(void *arg)
{
	pause();
	return NULL;
}

/* holder [THREADS]: has a file open, one mapped, and is in a directory. */
static void holder(int argc, char **argv)
{
	int n = argc > 0 ? atoi(argv[0]) : 1;
	int fd = open_file("mapped", O_RDWR | O_CREAT);
	pthread_t thread;
	char *p;

	put(fd, "mapped file");
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	need(p != MAP_FAILED);
	close(fd);
	fd = open_file("open", O_RDWR | O_CREAT);
	put(fd, "open file");
	need(!mkdir("cwd", 0755) && !chdir("cwd"));
	while (--n > 0)
		need(!pthread_create(&thread, NULL, hold, NULL));
	stage();
	check_eq(9, at(fd));
	check_eq(0, strcmp(p, "mapped file"));
}

const struct mode file_modes[] = {
	{ "pipes", pipes },
	{ "holder", holder },
	{ "regular", regular },
	{ "flags", flags },
	{ "numbers", numbers },
	{ "above", above },
	{ "million", million },
	{ "appending", appending },
	{ "directory", directory },
	{ "devices", devices },
	{ "place", place },
	{ "newroot", newroot },
	{ "names", names },
	{ "streams", streams },
	{ "streamfile", streamfile },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors from the outside: what each is, all of its fdinfo, and which of them
 * are the same open file. Only numbers that are new by nature are left out: those of
 * inodes that have no name, of which it is said which are the same one.
 */
#include <dirent.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "snap.h"

#define FDINFO_LINES	256

/* The same inode has the same number, in the order in which they are seen. */
int snap_inode(struct snap *snap, uint64_t dev, uint64_t ino)
{
	size_t i;

	for (i = 0; i < snap->nr; i++)
		if (snap->inodes[i].dev == dev && snap->inodes[i].ino == ino)
			return i;
	if (i == SNAP_INODES)
		return -1;
	snap->inodes[snap->nr++] = (struct snap_inode){ dev, ino };
	return i;
}

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* What comes back with its process is another one. A key is a name as well. */
bool is_nameless(const char *target)
{
	return (target[0] != '/' || ends_in(target, " (deleted)")) &&
	       strncmp(target, "/SYSV", 5);
}

/* A namespace that is ours as well is not made again. */
static bool is_own_namespace(const char *target)
{
	char path[64], own[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/ns/%.*s", (int)strcspn(target, ":"), target);
	n = readlink(path, own, sizeof(own) - 1);
	return n > 0 && !strncmp(own, target, n) && !target[n];
}

/* What a descriptor is; false: it is closed by now. */
static bool add_target(struct snap *snap, const char *dir, const char *fd, char *target,
		       size_t size)
{
	char path[128];
	ssize_t n;

	snprintf(path, sizeof(path), "%.100s/fd/%.20s", dir, fd);
	n = readlink(path, target, size - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	if (strstr(target, ":[") && strncmp(target, "anon_inode:", 11) &&
	    !is_own_namespace(target))
		*strchr(target, ':') = 0;
	add(snap, "fd %s -> %s\n", fd, target);
	return true;
}

static int line_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_inode(struct snap *snap, const char *fd, uint64_t dev, uint64_t ino)
{
	add(snap, "fd %s: inode %d\n", fd, snap_inode(snap, dev, ino));
}

/* "N: " of a lock: they are numbered in the order in which they came. */
static void hide_lock_number(char *line)
{
	char *rest = strstr(line, ": ");

	if (rest)
		memmove(line + 5, rest + 1, strlen(rest));
}

/* " MAJOR:MINOR:INODE " of a lock on what has no name. */
static void hide_lock_inode(char *line)
{
	char *word = strchr(line + 5, ':'), *end;

	if (!word)
		return;
	end = word + strcspn(word, " ");
	while (word > line && word[-1] != ' ')
		word--;
	memmove(word, end, strlen(end) + 1);
}

/* "tfd: N events: E data: D  pos:P ino:I sdev:S": what is watched, which has no name. */
static void number_watched(struct snap *snap, char *line, size_t room)
{
	unsigned long ino, sdev;
	char *at = strstr(line, " ino:");

	if (at && sscanf(at, " ino:%lx sdev:%lx", &ino, &sdev) == 2)
		snprintf(at, room - (at - line), " i%d", snap_inode(snap, sdev, ino));
}

/* Event counters are numbered in the order in which they are made. */
static bool want_fdinfo(const char *line)
{
	return strncmp(line, "eventfd-id:", 11);
}

/* One line, without what is new by nature, and without the time that passes. */
static void add_info_line(struct snap *snap, const char *fd, char *line, bool nameless)
{
	char text[512];

	snprintf(text, sizeof(text), "%s", line);
	if (!strncmp(text, "tfd:", 4))
		number_watched(snap, text, sizeof(text));
	if (!strncmp(text, "lock:", 5) && nameless)
		hide_lock_inode(text);
	if (!strncmp(text, "ticks:", 6))
		text[6] = 0;
	if (!strncmp(text, "it_value:", 9))
		text[9] = 0;
	add(snap, "fd %s: %s\n", fd, text);
}

/*
 * Processes have new files in /proc with each lookup. A file that was removed may come
 * back on another file system.
 */
static void add_fdinfo(struct snap *snap, const char *dir, const char *fd, const char *target)
{
	bool deleted = ends_in(target, " (deleted)") && strncmp(target, "/memfd:", 7);
	bool nameless = is_nameless(target) || !strncmp(target, "/proc/", 6);
	char path[128], *lines[FDINFO_LINES], *save, *line, *buf;
	size_t nr = 0, i;
	uint64_t dev = 0;
	struct stat st;
	int len;

	snprintf(path, sizeof(path), "%.100s/fd/%.20s", dir, fd);
	if (!stat(path, &st))
		dev = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);
	snprintf(path, sizeof(path), "%s/fdinfo", dir);
	buf = proc_file(path, fd, &len);
	if (!buf)
		return;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!want_fdinfo(line) || (deleted && !strncmp(line, "mnt_id:", 7)))
			continue;
		if (!strncmp(line, "lock:", 5))
			hide_lock_number(line);
		if (nameless && !strncmp(line, "ino:", 4))
			add_inode(snap, fd, dev, strtoull(line + 4, NULL, 10));
		else if (nr < FDINFO_LINES)
			lines[nr++] = line;
	}
	/* What is watched comes in the order of addresses in the kernel. */
	qsort(lines, nr, sizeof(*lines), line_order);
	for (i = 0; i < nr; i++)
		add_info_line(snap, fd, lines[i], nameless);
	free(buf);
}

void add_fds(struct snap *snap, const char *dir)
{
	char path[128], target[512];
	struct dirent **names;
	int i, n;

	snprintf(path, sizeof(path), "%s/fd", dir);
	n = scandir(path, &names, is_number, number_order);
	for (i = 0; i < n; i++) {
		if (add_target(snap, dir, names[i]->d_name, target, sizeof(target)))
			add_fdinfo(snap, dir, names[i]->d_name, target);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* A descriptor; @process is its place in a list of processes. */
struct holder {
	pid_t pid;
	int process, fd, file;
};

static int kcmp_file(const struct holder *a, const struct holder *b)
{
	return syscall(SYS_kcmp, a->pid, b->pid, KCMP_FILE, a->fd, b->fd);
}

static int place_order(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;

	return a->process != b->process ? a->process - b->process : a->fd - b->fd;
}

/* In the order of open files, which kcmp(2) has for us, and then of places. */
static int file_order(const void *left, const void *right)
{
	int order = kcmp_file(left, right);

	if (order == 1 || order == 2)
		return order == 1 ? -1 : 1;
	return place_order(left, right);
}

static int holders_of(pid_t pid, int process, struct holder **all, int nr)
{
	char path[64];
	struct dirent **names;
	int i, n;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	n = scandir(path, &names, is_number, number_order);
	if (n < 0)
		return nr;
	*all = realloc(*all, (nr + n + 1) * sizeof(**all));
	if (!*all)
		abort();
	for (i = 0; i < n; i++) {
		(*all)[nr++] = (struct holder){ pid, process, atoi(names[i]->d_name), -1 };
		free(names[i]);
	}
	free(names);
	return nr;
}

/* Which descriptors of all these processes are the same open file. */
void add_open_files(struct snap *snap, const pid_t *pids, int nr_pids)
{
	int i, nr = 0, *file_of;
	struct holder *all = NULL;

	for (i = 0; i < nr_pids; i++)
		nr = holders_of(pids[i], i, &all, nr);
	qsort(all, nr, sizeof(*all), file_order);
	/* The first place of each file is its name: order by pointers says nothing. */
	for (i = 0; i < nr; i++)
		all[i].file = i && !kcmp_file(&all[i - 1], &all[i]) ? all[i - 1].file : i;
	file_of = calloc(nr + 1, sizeof(*file_of));
	if (!file_of)
		abort();
	for (i = 0; i < nr; i++)
		file_of[i] = all[i].process * 10000 + all[i].fd;
	for (i = 0; i < nr; i++)
		all[i].file = file_of[all[i].file];
	free(file_of);
	qsort(all, nr, sizeof(*all), place_order);
	for (i = 0; i < nr; i++)
		if (all[i].file != all[i].process * 10000 + all[i].fd)
			add(snap, "open: process %d fd %d is process %d fd %d\n", all[i].process,
			    all[i].fd, all[i].file / 10000, all[i].file % 10000);
	free(all);
}

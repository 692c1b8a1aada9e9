// SPDX-License-Identifier: GPL-2.0-only
/*
 * A picture of a process from the outside: everything in /proc that must be
 * the same before and after, as lines of text. What may differ (times, the use of
 * memory but for pages of the process's own, counters) is left out here.
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snap.h"

#define SNAP_PROCESSES	256

void add(struct snap *snap, const char *fmt, ...)
{
	va_list ap;
	int n;

	for (;;) {
		va_start(ap, fmt);
		n = vsnprintf(snap->text + snap->used, snap->size - snap->used, fmt, ap);
		va_end(ap);
		if (n < 0 || (size_t)n < snap->size - snap->used)
			break;
		snap->size = snap->size * 2 + n;
		snap->text = realloc(snap->text, snap->size);
		if (!snap->text)
			abort();
	}
	snap->used += n;
}

static struct snap *new_snap(void)
{
	struct snap *snap = calloc(1, sizeof(*snap));

	if (!snap)
		abort();
	snap->size = 65536;
	snap->text = calloc(1, snap->size);
	if (!snap->text)
		abort();
	return snap;
}

/* A file of /proc/PID as one string, long enough for any map. */
char *proc_file(const char *dir, const char *name, int *len)
{
	size_t size = 4 << 20;
	char path[128], *buf = malloc(size), *fit;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	*len = buf ? read_file(path, buf, size) : -1;
	if (*len < 0) {
		free(buf);
		return NULL;
	}
	fit = realloc(buf, *len + 1);
	return fit ? fit : buf;
}

static void add_lines(struct snap *snap, const char *dir, const char *name,
		      bool (*want)(const char *line))
{
	int len;
	char *save, *line, *buf = proc_file(dir, name, &len);

	if (!buf)
		return;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!want || want(line))
			add(snap, "%s: %s\n", name, line);
	free(buf);
}

static void add_bytes(struct snap *snap, const char *dir, const char *name)
{
	int i, len;
	char *buf = proc_file(dir, name, &len);

	if (!buf)
		return;
	add(snap, "%s: %d", name, len);
	for (i = 0; i < len; i++)
		add(snap, "%s%02x", i % 32 ? "" : " ", (unsigned char)buf[i]);
	add(snap, "\n");
	free(buf);
}

static void add_link(struct snap *snap, const char *dir, const char *name)
{
	char path[128], target[512], own[512];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = 0;
	/* A namespace that was made inside of the tree has another number. */
	snprintf(path, sizeof(path), "/proc/self/%s", name);
	if (!strncmp(name, "ns/", 3) &&
	    (readlink(path, own, sizeof(own)) != n || memcmp(own, target, n)))
		target[strcspn(target, "[")] = 0;
	add(snap, "%s -> %s\n", name, target);
}

static bool want_status(const char *line)
{
	static const char * const skip[] = {
		"State:", "VmPeak:", "VmHWM:", "VmRSS:", "RssAnon:", "RssFile:", "RssShmem:",
		"VmPTE:", "VmSwap:", "HugetlbPages:", "SigQ:", "FDSize:",
		"voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(skip); i++)
		if (!strncmp(line, skip[i], strlen(skip[i])))
			return false;
	return true;
}

/* The fields of /proc/PID/stat that stay, numbered as in proc(5). */
static void add_stat(struct snap *snap, const char *dir)
{
	static const char keep[] = {
		4, 5, 6, 7, 18, 19, 20, 23, 25, 26, 27, 28, 31, 32, 33, 34, 38, 40, 41,
		45, 46, 47, 48, 49, 50, 51, 52,
	};
	int field = 3, len;
	char *save, *word, *buf = proc_file(dir, "stat", &len);

	if (!buf)
		return;
	word = strrchr(buf, ')');
	word = word ? strtok_r(word + 1, " \n", &save) : NULL;
	for (; word; word = strtok_r(NULL, " \n", &save)) {
		if (memchr(keep, field, sizeof(keep)))
			add(snap, "stat[%d]: %s\n", field, word);
		if (field == 3)
			add(snap, "stopped: %d\n", *word == 'T');
		field++;
	}
	free(buf);
}

static bool has_file(const char *head)
{
	unsigned long inode = 0;

	return sscanf(head, "%*x-%*x %*s %*x %*x:%*x %lu", &inode) == 1 && inode;
}

/* The head of a mapping without the number of what comes back as another file. */
void snapshot_hide_inode(char *line)
{
	int at = 0, name = 0;

	(void)sscanf(line, "%*s %*s %*s %n%*x:%*x %*u %n", &at, &name);
	if (name && is_nameless(line + name))
		memmove(line + at, line + name, strlen(line + name) + 1);
}

/*
 * The head of a mapping. What has no name comes back as another file: also memory of
 * the kernel, and of what was removed perhaps on another file system.
 */
static void add_map(struct snap *snap, char *line)
{
	unsigned int major, minor;
	unsigned long ino;
	int at = 0, name = 0;

	if (sscanf(line, "%*s %*s %*s %n%x:%x %lu %n", &at, &major, &minor, &ino, &name) != 3 ||
	    !name || !ino || !is_nameless(line + name)) {
		add(snap, "map: %s\n", line);
		return;
	}
	add(snap, "map: %.*sinode %d %s\n", at, line,
	    snap_inode(snap, (uint64_t)major << 20 | minor, ino), line + name);
}

static void add_flags(struct snap *snap, char *list)
{
	char *flag, *words;

	add(snap, "flags:");
	for (flag = strtok_r(list, " ", &words); flag; flag = strtok_r(NULL, " ", &words))
		/* Soft-dirty; accounted, of what was writable once. */
		if (strcmp(flag, "sd") && strcmp(flag, "ac"))
			add(snap, " %s", flag);
	add(snap, "\n");
}

/* What smaps says of a mapping, in kB. */
struct pages {
	bool file;
	long anon, huge, swap;
};

static void read_pages(struct pages *p, const char *line)
{
	if (sscanf(line, "Anonymous: %ld", &p->anon) != 1 &&
	    sscanf(line, "AnonHugePages: %ld", &p->huge) != 1)
		sscanf(line, "Swap: %ld", &p->swap);
}

/*
 * How much of a mapping is of the process itself, in memory or on swap space, from
 * which a restart brings it back. Left out are:
 * - Rss, Pss and Locked of what is mapped from files or shared: they depend on who has
 *   used the file last, and come back with use; Swap of a tmpfs is likewise the file's;
 * - mappings that KSM works on: it goes on, and its pages of zeroes do not count;
 * - mappings with MADV_HUGEPAGE: what processes share since fork(2) is huge in the first
 *   of them if it has all of it, and then in those that have had it huge.
 */
static void add_pages(struct snap *snap, const struct pages *p, const char *flags)
{
	long own = p->anon + (p->file ? 0 : p->swap);

	if (strstr(flags, " mg") || strstr(flags, " hg"))
		return;
	add(snap, "own: %ld kB, huge: %ld kB\n", own, p->huge);
}

static void add_smaps(struct snap *snap, const char *dir)
{
	int len;
	char *save, *line, *buf = proc_file(dir, "smaps", &len);
	struct pages pages = {};

	if (!buf)
		return;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		/* The head of a mapping: the only line with a range. */
		if (line[strspn(line, "0123456789abcdef")] == '-') {
			pages.file = has_file(line);
			add_map(snap, line);
		} else if (!strncmp(line, "VmFlags:", 8)) {
			add_pages(snap, &pages, line);
			add_flags(snap, line + 8);
		} else {
			read_pages(&pages, line);
		}
	}
	free(buf);
}

int number_order(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

int is_number(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

static void add_thread(struct snap *snap, const char *dir, bool moving)
{
	add(snap, "thread %s\n", dir);
	add_lines(snap, dir, "status", want_status);
	add_stat(snap, dir);
	add_lines(snap, dir, "comm", NULL);
	add_lines(snap, dir, "personality", NULL);
	add_lines(snap, dir, "timerslack_ns", NULL);
	if (!moving)
		add_lines(snap, dir, "syscall", NULL);
}

static void add_threads(struct snap *snap, pid_t pid, bool moving)
{
	char path[128];
	struct dirent **names;
	int i, n;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	n = scandir(path, &names, is_number, number_order);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s", pid, names[i]->d_name);
		add_thread(snap, path, moving);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* Every process below one, not itself, in the order of their numbers. */
static int descendants(pid_t pid, pid_t *all, int nr)
{
	char path[64], *text, *p, *end;
	struct dirent **names;
	int i, n, len, from = nr;
	long child;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	n = scandir(path, &names, is_number, number_order);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s", pid, names[i]->d_name);
		free(names[i]);
		text = proc_file(path, "children", &len);
		for (p = text; p && (child = strtol(p, &end, 10)) && nr < SNAP_PROCESSES; p = end)
			all[nr++] = child;
		free(text);
	}
	if (n >= 0)
		free(names);
	for (i = from, n = nr; i < n; i++)
		nr = descendants(all[i], all, nr);
	return nr;
}

static int pid_order(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

/* Descriptors of all that descend from it, and what open files they share. */
static void add_tree(struct snap *snap, pid_t pid)
{
	pid_t all[SNAP_PROCESSES + 1] = { pid };
	int i, nr = descendants(pid, all, 1);
	char dir[32];

	qsort(all + 1, nr - 1, sizeof(*all), pid_order);
	for (i = 1; i < nr; i++) {
		add(snap, "child %d\n", all[i]);
		snprintf(dir, sizeof(dir), "/proc/%d", all[i]);
		add_fds(snap, dir);
	}
	add_open_files(snap, all, nr);
}

/* Which descriptors of several processes are the same open file: text to be freed. */
char *snapshot_open_files(const pid_t *pids, int nr)
{
	struct snap *snap = new_snap();
	char *text;

	add_open_files(snap, pids, nr);
	text = snap->text;
	free(snap);
	return text;
}

/*
 * Returns text to be freed, or NULL if there is no such process. SNAP_MOVING: it does
 * something; SNAP_TREE: also of what descends from it; SNAP_FILES: only descriptors.
 */
char *snapshot_take(pid_t pid, unsigned int flags)
{
	static const char * const lines[] = {
		"limits", "oom_score_adj", "coredump_filter", "timerslack_ns", "uid_map",
		"loginuid", "timers",
	};
	static const char * const links[] = {
		"exe", "cwd", "root", "ns/mnt", "ns/pid", "ns/user", "ns/net", "ns/uts", "ns/ipc",
	};
	static const char * const bytes[] = { "cmdline", "environ", "auxv" };
	struct snap *snap;
	char dir[32], *text;
	size_t i;

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	if (access(dir, F_OK))
		return NULL;
	snap = new_snap();
	for (i = 0; i < ARRAY_SIZE(lines) && !(flags & SNAP_FILES); i++)
		add_lines(snap, dir, lines[i], NULL);
	for (i = 0; i < ARRAY_SIZE(links) && !(flags & SNAP_FILES); i++)
		add_link(snap, dir, links[i]);
	for (i = 0; i < ARRAY_SIZE(bytes) && !(flags & SNAP_FILES); i++)
		add_bytes(snap, dir, bytes[i]);
	add_fds(snap, dir);
	if (!(flags & SNAP_FILES)) {
		add_smaps(snap, dir);
		add_threads(snap, pid, flags & SNAP_MOVING);
	}
	if (flags & SNAP_TREE)
		add_tree(snap, pid);
	text = snap->text;
	free(snap);
	return text;
}

static const char *next_line(const char *p)
{
	p += strcspn(p, "\n");
	return p + (*p == '\n');
}

static bool same_line(const char *a, const char *b)
{
	size_t n = strcspn(a, "\n");

	return n == strcspn(b, "\n") && !memcmp(a, b, n);
}

/* In how many lines is @line found again in @text? -1: not soon. */
static int found_in(const char *line, const char *text)
{
	int n;

	for (n = 0; n < 60 && *text; n++, text = next_line(text))
		if (same_line(line, text))
			return n;
	return -1;
}

static void show_line(const char *what, const char *line, int *n, bool quiet)
{
	int len = strcspn(line, "\n");

	if (!quiet && *n < 20)
		say("%s %.*s", what, len > 200 ? 200 : len, line);
	++*n;
}

/* Returns the number of lines that differ, and shows the first few. */
int snapshot_compare(const char *before, const char *after, bool quiet)
{
	int different = 0, ahead;

	while (*before || *after) {
		if (same_line(before, after)) {
			before = next_line(before);
			after = next_line(after);
			continue;
		}
		ahead = *before ? found_in(before, after) : 1;
		if (ahead < 0) {
			show_line("before:", before, &different, quiet);
			before = next_line(before);
		} else {
			show_line("after: ", after, &different, quiet);
			after = next_line(after);
		}
	}
	return different;
}

static bool has_ended(pid_t pid)
{
	char path[64], buf[512], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, buf, sizeof(buf)) <= 0)
		return true;
	p = strrchr(buf, ')');
	/* Other threads may go on behind a dead first one. */
	return p && p[2] == 'Z' && strstr(p, " 1 0 ");
}

/* Waits for the process to look as before; -1 and the difference if never. */
int snapshot_same(const char *before, pid_t pid, unsigned int flags)
{
	uint64_t deadline = now_ns() + 10 * 1000000000ULL;
	char *after;
	int ret;

	for (;;) {
		after = has_ended(pid) ? NULL : snapshot_take(pid, flags);
		if (!after) {
			say("process %d has ended", pid);
			return -1;
		}
		ret = snapshot_compare(before, after, now_ns() < deadline);
		free(after);
		if (!ret)
			return 0;
		if (now_ns() > deadline)
			return -1;
		poll_pause();
	}
}

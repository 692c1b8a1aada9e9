// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random mappings of several processes, saved and killed, restarted, and compared
 * with what they were: contents by the processes, borders and flags by
 * /proc/PID/smaps, which also has how much of each is there and locked.
 * CKPT_SEED=N CKPT_MAPS=10 repeats those of a seed.
 */
#include "kselftest_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common.h"
#include "mapgen.h"
#include "swap.h"

#define DISK		"/tmp/ckpt-maps"
#define DISK_IMAGE	"/tmp/ckpt-maps.img"
#define NO_COLLAPSE	"/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none"
#define TEXT		(1 << 22)	/* of smaps of one process */

/**
 * struct totals - what there was in a run
 * @forked: processes, besides the first of each subject
 * @shared: pages of shared memory to which they wrote after a restart
 * @private: private ones
 * @huge: maps with huge pages
 * @swapped: kB that were on swap space when they were saved
 */
struct totals {
	int forked, shared, private, huge;
	long swapped;
};

FIXTURE(maps) {
	struct subject s;
	uint64_t seed;
	int nr;
	bool disk;
	char none[16];
};

FIXTURE_VARIANT(maps) {
	bool swap;
};

FIXTURE_VARIANT_ADD(maps, memory) { .swap = false };
FIXTURE_VARIANT_ADD(maps, swap) { .swap = true };

/* There is swap space. */
static bool swapping;

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static bool mount_disk(void)
{
	mkdir(DISK, 0755);
	return !system("truncate -s 32M " DISK_IMAGE " && mkfs.ext4 -q -F " DISK_IMAGE
		       " && dev=$(losetup -f --show " DISK_IMAGE
		       ") && mount $dev " DISK " && losetup -d $dev");
}

FIXTURE_SETUP(maps)
{
	self->seed = number("CKPT_SEED", now_ns() / 1000 % 1000000000);
	self->nr = number("CKPT_MAPS", debug_kernel() ? 30 : variant->swap ? 100 : 300);
	if (variant->swap && access(SWAP_DEVICE, F_OK))
		SKIP(return, "no " SWAP_DEVICE);
	swapping = variant->swap;
	if (swapping)
		ASSERT_EQ(0, swap_on());
	self->disk = mount_disk();
	if (!self->disk)
		say("no ext4 on a loop device");
	/* Pages that nobody has touched must not come in the background. */
	if (read_file(NO_COLLAPSE, self->none, sizeof(self->none)) > 0)
		write_file(NO_COLLAPSE, "0", 1);
}

FIXTURE_TEARDOWN(maps)
{
	subject_destroy(&self->s);
	if (variant->swap)
		EXPECT_EQ(0, swap_off());
	write_file(NO_COLLAPSE, self->none, strlen(self->none));
	if (self->disk)
		/* After a failure children may still be on their way out. */
		EXPECT_EQ(0, umount2(DISK, MNT_DETACH));
	unlink(DISK_IMAGE);
	rmdir(DISK);
}

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* A mapping, as smaps tells of it. */
struct mapping {
	bool ours, file, aligned;
	long rss, anon, swap;
};

static bool has_head(const char *line)
{
	return line[0] >= '0' && line[strspn(line, "0123456789abcdef")] == '-';
}

/* The first line of a mapping: is it a random one? */
static void begin_mapping(struct mapping *m, const char *line)
{
	unsigned long start, end, inode, huge = 2UL << 20;
	unsigned int major, minor;
	char prot[5];

	memset(m, 0, sizeof(*m));
	if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu", &start, &end, prot, &major, &minor,
		   &inode) != 6)
		return;
	m->ours = start >= MAPGEN_START && end <= MAPGEN_END;
	m->file = inode;
	m->aligned = (start + huge - 1) / huge < end / huge;
}

/*
 * How much of it is there, or on swap space, from which it is back afterwards; of files
 * only what was written. A part of a huge page may come back as a whole one.
 */
static void end_mapping(const struct mapping *m, const char *flags, FILE *out)
{
	long swap = m->file ? 0 : m->swap;

	if (m->aligned && strstr(flags, " hg")) {
		fprintf(out, "Anonymous: %s\n", m->anon + swap ? "some" : "none");
		return;
	}
	if (!m->file)
		fprintf(out, "Rss: %ld kB\n", m->rss + swap);
	/* What a file has on swap space cannot be told from copies of its pages. */
	if (!m->file || !swapping)
		fprintf(out, "Anonymous: %ld kB\n", m->anon + swap);
}

struct look {
	FILE *out;
	char *text, *buf;
	size_t size;
	long swapped;
	bool huge;
	bool alone;	/* there is one process */
};

static void look_at_line(struct look *l, struct mapping *m, char *line)
{
	long huge;

	if (has_head(line)) {
		begin_mapping(m, line);
		snapshot_hide_inode(line);
		if (m->ours)
			fprintf(l->out, "%s\n", line);
		return;
	}
	if (!m->ours)
		return;
	sscanf(line, "Rss: %ld", &m->rss);
	sscanf(line, "Anonymous: %ld", &m->anon);
	if (sscanf(line, "Swap: %ld", &m->swap) == 1)
		l->swapped += m->swap;
	if (sscanf(line, "AnonHugePages: %ld", &huge) == 1 && huge)
		l->huge = true;
	/*
	 * Shared pages count in part: what was not locked here may be the copy then. What
	 * is on swap space does not count, but is locked when it is back.
	 */
	if ((starts(line, "Locked:") && !m->file && l->alone && !swapping) ||
	    starts(line, "ProtectionKey:"))
		fprintf(l->out, "%s\n", line);
	if (starts(line, "VmFlags:")) {
		end_mapping(m, line, l->out);
		fprintf(l->out, "%s\n", line);
	}
}

/* A process and, in the order in which /proc has them, its children. */
static int look_at_tree(struct look *l, pid_t pid)
{
	char path[64], children[256], *save, *line, *child;
	struct mapping m = {};

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	if (read_file(path, children, sizeof(children)) < 0)
		return -1;
	if (children[0])
		l->alone = false;
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	/* That of a zombie is empty. */
	if (read_file(path, l->buf, TEXT) < 0)
		return -1;
	fprintf(l->out, "process %d has children %s\n", pid, children);
	for (line = strtok_r(l->buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		look_at_line(l, &m, line);
	for (child = strtok_r(children, " ", &save); child; child = strtok_r(NULL, " ", &save))
		if (look_at_tree(l, atoi(child)))
			return -1;
	return 0;
}

/* All random mappings of all processes; to be freed, or NULL. */
static char *look(pid_t pid, struct totals *totals)
{
	struct look l = { .alone = true, .buf = malloc(TEXT) };
	int ret;

	l.out = open_memstream(&l.text, &l.size);
	ret = look_at_tree(&l, pid);
	fclose(l.out);
	free(l.buf);
	if (totals) {
		totals->huge += l.huge;
		totals->swapped += l.swapped;
	}
	if (!ret)
		return l.text;
	free(l.text);
	return NULL;
}

/* The first line that differs. */
static void show_difference(const char *a, const char *b)
{
	const char *head = a, *process = a, *line = a;

	for (; *a && *a == *b; a++, b++) {
		if (a[0] != '\n')
			continue;
		line = a + 1;
		if (has_head(line))
			head = line;
		if (starts(line, "process"))
			process = line;
	}
	say("in %.*s", (int)strcspn(process, "\n"), process);
	say("in %.*s", (int)strcspn(head, "\n"), head);
	b -= a - line;
	say("before: %.*s", (int)strcspn(line, "\n"), line);
	say("after:  %.*s", (int)strcspn(b, "\n"), b);
}

static int compare(pid_t pid, const char *before)
{
	char *after = look(pid, NULL);
	int ret = before && after && !strcmp(before, after) ? 0 : -1;

	if (!before || !after)
		say("cannot see all processes");
	else if (ret)
		show_difference(before, after);
	free(after);
	return ret;
}

static int one_map(struct subject *s, struct totals *totals)
{
	char *before;
	int ret;

	if (subject_expect(s, "ready") || s->failures)
		return -1;
	before = look(s->pid, totals);
	ret = subject_cycle(s, way_now(WAY_KILL)) ?: compare(s->pid, before);
	free(before);
	return ret ?: subject_go(s);
}

static int run(struct subject *s, uint64_t seed, bool disk, struct totals *totals)
{
	int i, forked, shared, private;
	char command[100];

	snprintf(command, sizeof(command), "mapgen %llu %d %s", (unsigned long long)seed,
		 MAPGEN_ROUNDS, disk ? DISK : ".");
	if (subject_start(s, command))
		return -1;
	for (i = 0; i < MAPGEN_ROUNDS; i++) {
		/* The rest of /proc is not what is random here. */
		s->nosnap = i % 4 != 3;
		if (one_map(s, totals))
			return -1;
	}
	if (subject_read(s) ||
	    sscanf(s->line, "written %d %d %d", &forked, &shared, &private) != 3)
		return -1;
	totals->forked += forked;
	totals->shared += shared;
	totals->private += private;
	return subject_end(s);
}

TEST_F_TIMEOUT(maps, random, 3 * TEST_TIMEOUT)
{
	struct totals totals = {};
	int i;

	say("%d maps from seed %llu on", self->nr, (unsigned long long)self->seed);
	for (i = 0; i < self->nr / MAPGEN_ROUNDS; i++) {
		ASSERT_EQ(0, subject_init(&self->s));
		ASSERT_EQ(0, run(&self->s, self->seed + i, self->disk, &totals))
			say("CKPT_SEED=%llu CKPT_MAPS=10 repeats it",
			    (unsigned long long)self->seed + i);
		subject_destroy(&self->s);
	}
	say("%d processes were forked, %d maps had huge pages", totals.forked, totals.huge);
	say("children wrote to %d shared and %d private pages after restarts", totals.shared,
	    totals.private);
	EXPECT_LT(0, totals.forked);
	EXPECT_LT(0, totals.shared);
	EXPECT_LT(0, totals.private);
	say("%ld kB were swapped out", totals.swapped);
	EXPECT_EQ(variant->swap, totals.swapped > 0);
	ASSERT_EQ(0, subject_init(&self->s));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random mappings, saved and killed, restarted, and compared with what they
 * were: contents by the subject, borders and flags by /proc/PID/smaps, which
 * also has how much of each is there and locked. CKPT_SEED=N CKPT_MAPS=10
 * repeats those of a seed.
 */
#include "kselftest_harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "common.h"
#include "mapgen.h"

#define ROUNDS	10	/* maps of one process */

FIXTURE(maps) {
	struct subject s;
	uint64_t seed;
	int nr;
};

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

FIXTURE_SETUP(maps)
{
	self->seed = number("CKPT_SEED", now_ns() / 1000 % 1000000000);
	self->nr = number("CKPT_MAPS", debug_kernel() ? 60 : 300);
}

FIXTURE_TEARDOWN(maps)
{
	subject_destroy(&self->s);
}

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* Is this the first line of a random mapping? And is a file mapped? */
static bool is_ours(const char *line, bool *file)
{
	unsigned long start, end, inode;
	unsigned int major, minor;
	char prot[5];

	*file = false;
	if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu", &start, &end, prot, &major, &minor,
		   &inode) != 6)
		return false;
	*file = inode;
	return start >= MAPGEN_START && end <= MAPGEN_END;
}

/* How much of each random mapping is there; of files only what was written. */
static int look(pid_t pid, char *text, size_t size)
{
	char path[64], *line, *save, *buf = malloc(size);
	bool ours = false, file = false;
	size_t used = 0;
	int ret = -1;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	if (!buf || read_file(path, buf, size) <= 0)
		goto out;
	text[0] = 0;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] >= '0' && line[strspn(line, "0123456789abcdef")] == '-')
			ours = is_ours(line, &file);
		else if (!starts(line, "Anonymous:") && !starts(line, "VmFlags:") &&
			 (file || (!starts(line, "Rss:") && !starts(line, "Locked:"))))
			continue;
		if (ours)
			used += snprintf(text + used, size - used, "%s\n", line);
		if (used >= size)
			goto out;
	}
	ret = 0;
out:
	free(buf);
	return ret;
}

/* The first line that differs. */
static void show_difference(const char *a, const char *b)
{
	const char *head = a;

	for (; *a && *a == *b; a++, b++)
		if (a[0] == '\n' && a[1] >= '0' && a[1] <= '9')
			head = a + 1;
	say("in %.*s", (int)strcspn(head, "\n"), head);
	while (a > head && a[-1] != '\n') {
		a--;
		b--;
	}
	say("before: %.*s", (int)strcspn(a, "\n"), a);
	say("after:  %.*s", (int)strcspn(b, "\n"), b);
}

static int one_map(struct subject *s, enum way way)
{
	static char before[1 << 20], after[1 << 20];

	if (subject_expect(s, "ready") || look(s->pid, before, sizeof(before)))
		return -1;
	if (way != WAY_NONE && (subject_cycle(s, way) || look(s->pid, after, sizeof(after))))
		return -1;
	if (way != WAY_NONE && strcmp(before, after)) {
		show_difference(before, after);
		return -1;
	}
	return subject_go(s);
}

static int run(struct subject *s, uint64_t seed, enum way way)
{
	char command[100];
	int i;

	snprintf(command, sizeof(command), "mapgen %llu %d", (unsigned long long)seed, ROUNDS);
	if (subject_start(s, command))
		return -1;
	for (i = 0; i < ROUNDS; i++)
		if (one_map(s, way))
			return -1;
	return subject_end(s);
}

TEST_F_TIMEOUT(maps, random, TEST_TIMEOUT)
{
	int i;

	for (i = 0; i < self->nr / ROUNDS; i++) {
		ASSERT_EQ(0, subject_init(&self->s));
		ASSERT_EQ(0, run(&self->s, self->seed + i, way_now(WAY_KILL)))
			say("CKPT_SEED=%llu CKPT_MAPS=10 repeats it",
			    (unsigned long long)self->seed + i);
		subject_destroy(&self->s);
	}
	say("%d maps from seed %llu on", self->nr, (unsigned long long)self->seed);
	ASSERT_EQ(0, subject_init(&self->s));
}

TEST_HARNESS_MAIN

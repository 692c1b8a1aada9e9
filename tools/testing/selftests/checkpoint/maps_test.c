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
#include "swap.h"

#define ROUNDS	10	/* maps of one process */

FIXTURE(maps) {
	struct subject s;
	uint64_t seed;
	int nr;
};

FIXTURE_VARIANT(maps) {
	bool swap;
};

FIXTURE_VARIANT_ADD(maps, memory) { .swap = false };
FIXTURE_VARIANT_ADD(maps, swap) { .swap = true };

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

FIXTURE_SETUP(maps)
{
	self->seed = number("CKPT_SEED", now_ns() / 1000 % 1000000000);
	self->nr = number("CKPT_MAPS", (debug_kernel() ? 60 : 300) / (variant->swap ? 3 : 1));
	ASSERT_EQ(0, subject_init(&self->s));
	if (!variant->swap)
		return;
	if (access(SWAP_DEVICE, F_OK))
		SKIP(return, "no " SWAP_DEVICE);
	ASSERT_EQ(0, swap_on());
}

FIXTURE_TEARDOWN(maps)
{
	subject_destroy(&self->s);
	if (variant->swap)
		swap_off();
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

/* What smaps says of one mapping, in kB. */
struct numbers {
	long rss, anonymous, huge, swap, locked;
};

static void take_number(struct numbers *n, const char *line)
{
	if (sscanf(line, "Rss: %ld", &n->rss) != 1 &&
	    sscanf(line, "Anonymous: %ld", &n->anonymous) != 1 &&
	    sscanf(line, "AnonHugePages: %ld", &n->huge) != 1 &&
	    sscanf(line, "Swap: %ld", &n->swap) != 1)
		sscanf(line, "Locked: %ld", &n->locked);
}

/*
 * What must be the same of a mapping: pages on swap space are back in memory
 * afterwards. Of a file only what was written: other pages are there if somebody has
 * used them, in any mapping of the file, and "Locked" is divided among these.
 */
static int put_numbers(char *text, size_t size, const struct numbers *n, bool file,
		       const char *flags)
{
	long swap = file ? 0 : n->swap;
	int used = snprintf(text, size, "own %ld kB, huge %ld kB\n", n->anonymous + swap, n->huge);

	if (!file && used < (int)size)
		used += snprintf(text + used, size - used, "all %ld kB, locked %ld kB\n",
				 n->rss + swap,
				 n->locked + (strstr(flags, " lo ") ? swap : 0));
	if (used < (int)size)
		used += snprintf(text + used, size - used, "%s\n", flags);
	return used;
}

/* How much of each random mapping is there; adds what is on swap space. */
static int look(pid_t pid, char *text, size_t size, long *swapped)
{
	char path[64], *line, *save, *buf = malloc(size);
	bool ours = false, file = false;
	struct numbers n = {};
	size_t used = 0;
	int ret = -1;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	if (!buf || read_file(path, buf, size) <= 0)
		goto out;
	text[0] = 0;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[strspn(line, "0123456789abcdef")] == '-') {
			ours = is_ours(line, &file);
			if (ours)
				used += snprintf(text + used, size - used, "%s\n", line);
		} else if (ours && !strncmp(line, "VmFlags:", 8)) {
			used += put_numbers(text + used, size - used, &n, file, line);
			*swapped += n.swap;
		} else {
			take_number(&n, line);
		}
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

static int one_map(struct subject *s, long *swapped, enum way way)
{
	static char before[1 << 20], after[1 << 20];
	long now = 0;

	if (subject_expect(s, "ready") || look(s->pid, before, sizeof(before), swapped))
		return -1;
	if (way != WAY_NONE && (subject_cycle(s, way) || look(s->pid, after, sizeof(after), &now)))
		return -1;
	if (way != WAY_NONE && strcmp(before, after)) {
		show_difference(before, after);
		return -1;
	}
	return subject_go(s);
}

static int run(struct subject *s, uint64_t seed, long *swapped, enum way way)
{
	char command[100];
	int i;

	snprintf(command, sizeof(command), "mapgen %llu %d", (unsigned long long)seed, ROUNDS);
	if (subject_start(s, command))
		return -1;
	for (i = 0; i < ROUNDS; i++)
		if (one_map(s, swapped, way))
			return -1;
	return subject_end(s);
}

TEST_F_TIMEOUT(maps, random, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	long swapped = 0;
	int i;

	for (i = 0; i < self->nr / ROUNDS; i++) {
		ASSERT_EQ(0, run(s, self->seed + i, &swapped, way_now(WAY_KILL)))
			say("CKPT_SEED=%llu CKPT_MAPS=10 repeats it",
			    (unsigned long long)self->seed + i);
		subject_destroy(s);
		ASSERT_EQ(0, subject_init(s));
	}
	say("%d maps from seed %llu on, %ld kB swapped out", self->nr,
	    (unsigned long long)self->seed, swapped);
	EXPECT_EQ(variant->swap, swapped > 0);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of mapping. The subject compares contents and behaviour; mappings
 * with their borders and flags are compared through /proc.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>

#include "common.h"

FIXTURE(memory2) {
	struct subject s;
};

FIXTURE_VARIANT(memory2) {
	enum way way;
};

FIXTURE_VARIANT_ADD(memory2, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(memory2, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(memory2, kill) { .way = WAY_KILL };

FIXTURE_SETUP(memory2)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(memory2)
{
	subject_destroy(&self->s);
}

#define MEMORY_TEST(name, command)					\
TEST_F_TIMEOUT(memory2, name, TEST_TIMEOUT)				\
{									\
	struct subject *s = &self->s;					\
									\
	ASSERT_EQ(0, subject_run(s, command, variant->way));		\
	if (*s->skipped)						\
		SKIP(return, "%s", s->skipped);				\
}

MEMORY_TEST(apart, "apart")
MEMORY_TEST(locks, "locks")
MEMORY_TEST(lock_current, "lockall 1")
MEMORY_TEST(lock_future, "lockall 2")
MEMORY_TEST(lock_all, "lockall 3")
MEMORY_TEST(lock_all_on_fault, "lockall 7")
MEMORY_TEST(sealed, "sealed")
MEMORY_TEST(droppable, "droppable")
MEMORY_TEST(keys, "keys")
MEMORY_TEST(nodes, "nodes")
MEMORY_TEST(guarded, "guarded")

/* What grows with the size must grow with nothing else. */
FIXTURE(costs) {
	struct subject s;
};

FIXTURE_SETUP(costs)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(costs)
{
	subject_destroy(&self->s);
}

static int save_stats(struct subject *s, struct checkpoint_stats *stats)
{
	struct checkpoint_args args = {
		.log_fd = s->log_fd, .stats = (uintptr_t)stats, .stats_size = sizeof(*stats),
	};
	int fd = open(s->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	long ret;

	if (fd < 0)
		return -1;
	ret = sys_checkpoint(s->pid, fd, CHECKPOINT_KILL | CHECKPOINT_ARGS, &args, sizeof(args));
	close(fd);
	return ret > 0 ? 0 : -1;
}

static int restart_stats(struct subject *s, struct checkpoint_stats *stats)
{
	uint64_t start = now_ns();

	memset(stats, 0, sizeof(*stats));
	if (subject_restart(s, 0)) {
		messages_show(s);
		return -1;
	}
	stats->total_ns = now_ns() - start;
	return 0;
}

/* Saves, kills and restarts; tells in milliseconds what that took. */
static int cost(struct subject *s, const char *command, unsigned long *save,
		unsigned long *restart)
{
	struct checkpoint_stats stats;

	if (subject_start(s, command) || subject_expect(s, "ready") ||
	    save_stats(s, &stats) || subject_reap(s, SIGKILL))
		return -1;
	*save = stats.total_ns / 1000000 + 1;
	if (restart_stats(s, &stats) || subject_go(s) || subject_end(s))
		return -1;
	*restart = stats.total_ns / 1000000 + 1;
	say("%s: saved in %lu ms, restarted in %lu ms", command, *save, *restart);
	subject_destroy(s);
	return subject_init(s);
}

/* Eight times as many mappings: 64 times as long would be quadratic. */
TEST_F_TIMEOUT(costs, many_mappings, TEST_TIMEOUT)
{
	unsigned long save[2], restart[2];

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing is saved");
	ASSERT_EQ(0, cost(&self->s, "vmas 7500", &save[0], &restart[0]));
	ASSERT_EQ(0, cost(&self->s, "vmas 60000", &save[1], &restart[1]));
	EXPECT_GT(30 * save[0], save[1]);
	EXPECT_GT(30 * restart[0], restart[1]);
}

/* A thousand times the room for the same data. */
TEST_F_TIMEOUT(costs, scattered, TEST_TIMEOUT)
{
	unsigned long save[2], restart[2];

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing is saved");
	ASSERT_EQ(0, cost(&self->s, "scattered 1", &save[0], &restart[0]));
	ASSERT_EQ(0, cost(&self->s, "scattered 1024", &save[1], &restart[1]));
	EXPECT_GT(4 * save[0], save[1]);
	EXPECT_GT(4 * restart[0], restart[1]);
}

TEST_HARNESS_MAIN

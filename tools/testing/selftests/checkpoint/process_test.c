// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ties between the processes of a tree: who is whose child, who has exited or
 * is stopped, groups and sessions, and what clone(2) lets them share.
 */
#include "kselftest_harness.h"

#include <sched.h>
#include <stdio.h>

#include "common.h"

FIXTURE(process) {
	struct subject s;
};

FIXTURE_VARIANT(process) {
	enum way way;
};

FIXTURE_VARIANT_ADD(process, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(process, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(process, kill) { .way = WAY_KILL };

FIXTURE_SETUP(process)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(process)
{
	subject_destroy(&self->s);
}

#define PROCESS_TEST(name, command)					\
TEST_F_TIMEOUT(process, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

PROCESS_TEST(child, "child")
PROCESS_TEST(waiting, "waiting")
PROCESS_TEST(zombies, "zombies")
PROCESS_TEST(stopped, "stopped")
PROCESS_TEST(stopped_collected, "stopped collected")
PROCESS_TEST(was_continued, "was_continued")
PROCESS_TEST(subreaper, "subreaper")
PROCESS_TEST(sibling, "sibling")
PROCESS_TEST(group_without_leader, "leaderless")
PROCESS_TEST(session_without_leader, "leaderless session")
PROCESS_TEST(data_under_way, "data")
PROCESS_TEST(exit_signals, "exitsignal")

/* Restarted, it waits in the kernel, but no longer in that system call. */
TEST_F_TIMEOUT(process, vforked, TEST_TIMEOUT)
{
	self->s.moving = true;
	ASSERT_EQ(0, subject_run(&self->s, "vforked", variant->way));
}

/* Its first thread is dead: there is little in /proc to compare. */
TEST_F_TIMEOUT(process, zombie_leader, TEST_TIMEOUT)
{
	self->s.nosnap = true;
	ASSERT_EQ(0, subject_run(&self->s, "zombie_leader", variant->way));
}

/* All mixes of what can be shared; signal actions take the address space. */
TEST_F_TIMEOUT(process, shared, TEST_TIMEOUT)
{
	static const unsigned long bits[] = { CLONE_FS, CLONE_FILES, CLONE_VM, CLONE_SIGHAND };
	unsigned long flags;
	char command[64];
	unsigned int i, j;

	for (i = 0; i < 16; i++) {
		for (flags = 0, j = 0; j < 4; j++)
			flags |= i & 1U << j ? bits[j] : 0;
		if (flags & CLONE_SIGHAND && !(flags & CLONE_VM))
			continue;
		snprintf(command, sizeof(command), "clone %lx", flags);
		EXPECT_EQ(0, subject_run(&self->s, command, variant->way)) {
			say("with flags %#lx", flags);
			break;
		}
	}
}

TEST_HARNESS_MAIN

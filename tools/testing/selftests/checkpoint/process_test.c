// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ties between the processes of a tree: who is whose child, who has exited or
 * is stopped, groups and sessions, and what clone(2) lets them share.
 */
#include "kselftest_harness.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "common.h"
#include "outside.h"

FIXTURE(process) {
	struct subject s;
};

FIXTURE_VARIANT(process) {
	enum way way;
	enum place place;
};

FIXTURE_VARIANT_ADD(process, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(process, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(process, kill) { .way = WAY_KILL };
FIXTURE_VARIANT_ADD(process, beside) { .way = WAY_KILL, .place = PLACE_SIBLING };
FIXTURE_VARIANT_ADD(process, nested) { .way = WAY_KILL, .place = PLACE_NESTED };

FIXTURE_SETUP(process)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.place = variant->place;
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
PROCESS_TEST(parents_end, "pdeath")
PROCESS_TEST(end_of_parent_thread, "pdeath thread")

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

FIXTURE(fresh) {
	struct subject s;
	struct subject copy;
};

FIXTURE_SETUP(fresh)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(fresh)
{
	subject_destroy(&self->s);
}

/* Saves the subject, which stays where it is, and restarts the image beside it. */
static int copy_subject(struct subject *s, struct subject *copy)
{
	if (subject_expect(s, "ready") || subject_save(s, 0) || kill(s->pid, SIGSTOP) ||
	    subject_in_state(s->pid, 'T'))
		return -1;
	*copy = *s;
	if (subject_restart(copy, RESTART_NEW_PIDS)) {
		messages_show(copy);
		return -1;
	}
	return copy->pid == s->pid ? -1 : 0;
}

/* The copy has ended; so does the original, of which nothing is expected. */
static int end_original(struct subject *s)
{
	return kill(s->pid, SIGKILL) || kill(s->pid, SIGCONT) || subject_reap(s, SIGKILL);
}

TEST_F_TIMEOUT(fresh, tree, TEST_TIMEOUT)
{
	struct subject *s = &self->s, *copy = &self->copy;
	int now, before;

	ASSERT_EQ(0, subject_start(s, "kin"));
	ASSERT_EQ(0, copy_subject(s, copy));
	ASSERT_EQ(0, subject_go(copy));
	ASSERT_EQ(0, subject_expect(copy, "ready"));
	ASSERT_EQ(0, subject_go(copy));
	ASSERT_EQ(0, subject_read(copy));
	ASSERT_EQ(2, sscanf(copy->line, "pid %d was %d", &now, &before));
	ASSERT_EQ(copy->pid, now);
	ASSERT_EQ(s->pid, before);
	ASSERT_EQ(0, subject_end(copy));
	ASSERT_EQ(0, end_original(s));
}

TEST_F_TIMEOUT(fresh, robust_locks, TEST_TIMEOUT)
{
	struct subject *s = &self->s, *copy = &self->copy;

	ASSERT_EQ(0, subject_start(s, "robust_locks"));
	ASSERT_EQ(0, copy_subject(s, copy));
	ASSERT_EQ(0, subject_go(copy));
	/* A second time, with locks that a thread is about to leave behind. */
	ASSERT_EQ(0, subject_expect(copy, "ready"));
	ASSERT_EQ(0, subject_save(copy, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(copy, SIGKILL));
	ASSERT_EQ(0, subject_restart(copy, RESTART_NEW_PIDS)) messages_show(copy);
	ASSERT_EQ(0, subject_go(copy));
	ASSERT_EQ(0, subject_end(copy));
	ASSERT_EQ(0, end_original(s));
}

/* Whoever waits for it finds who has it. */
TEST_F_TIMEOUT(fresh, awaited_lock, TEST_TIMEOUT)
{
	struct subject *s = &self->s, *copy = &self->copy;

	ASSERT_EQ(0, subject_start(s, "pi"));
	ASSERT_EQ(0, copy_subject(s, copy));
	ASSERT_EQ(0, subject_go(copy));
	ASSERT_EQ(0, subject_end(copy));
	ASSERT_EQ(0, end_original(s));
}

/* vfork(2) returns the number that the child has now. */
TEST_F_TIMEOUT(fresh, vfork, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	pid_t before;

	ASSERT_EQ(0, subject_start(s, "vforked"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	before = s->pid;
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_NE(before, s->pid);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

FIXTURE(fixed_lock) {
	struct subject s;
};

FIXTURE_VARIANT(fixed_lock) {
	const char *command;
};

FIXTURE_VARIANT_ADD(fixed_lock, robust) { .command = "fixed_lock robust" };
FIXTURE_VARIANT_ADD(fixed_lock, pi) { .command = "fixed_lock pi" };

FIXTURE_SETUP(fixed_lock)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(fixed_lock)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(fixed_lock, refused, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(-1, subject_restart(s, RESTART_NEW_PIDS));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_SYSCALL, "futex", "cannot be changed"));
	/* Who waits, and waits anew, may write to it, or that fails. */
	if (strstr(variant->command, "pi"))
		return;
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

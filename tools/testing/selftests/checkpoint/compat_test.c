// SPDX-License-Identifier: GPL-2.0-only
/* 32-bit programs. */
#include "kselftest_harness.h"

#include <signal.h>

#include "common.h"

FIXTURE(compat) {
	struct subject s;
};

FIXTURE_VARIANT(compat) {
	enum way way;
	enum place place;
};

FIXTURE_VARIANT_ADD(compat, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(compat, stop) { .way = WAY_STOP };
FIXTURE_VARIANT_ADD(compat, kill) { .way = WAY_KILL };
FIXTURE_VARIANT_ADD(compat, beside) { .way = WAY_KILL, .place = PLACE_SIBLING };
FIXTURE_VARIANT_ADD(compat, nested) { .way = WAY_KILL, .place = PLACE_NESTED };

FIXTURE_SETUP(compat)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "compat";
	self->s.place = variant->place;
	if (access(subject_path(self->s.program), X_OK))
		SKIP(return, "no compiler for 32 bits");
}

FIXTURE_TEARDOWN(compat)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(compat, idle, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "idle", variant->way));
}

TEST_F_TIMEOUT(compat, everything, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "everything", variant->way));
}

TEST_F_TIMEOUT(compat, vdso, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "vdso", variant->way));
}

TEST_F_TIMEOUT(compat, threads, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "threads", variant->way));
}

TEST_F_TIMEOUT(compat, sleepers, TEST_TIMEOUT)
{
	/* They wait in the system call itself, or in the one that resumes it. */
	self->s.files_only = true;
	ASSERT_EQ(0, subject_run(&self->s, "sleepers", variant->way));
}

TEST_F_TIMEOUT(compat, patience, TEST_TIMEOUT)
{
	if (variant->way == WAY_STOP)
		SKIP(return, "a stop signal ends it with EINTR, always");
	ASSERT_EQ(0, subject_run(&self->s, "patience", variant->way));
}

TEST_F_TIMEOUT(compat, epoll, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	pid_t pid;
	int i;

	if (variant->way == WAY_STOP)
		SKIP(return, "a stop signal ends it with EINTR, always");
	ASSERT_EQ(0, subject_start(s, "epoll"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, subject_expect(s, "ready"));
		pid = subject_inner(s);
		ASSERT_EQ(0, subject_in_syscall(pid, pid, 3));
		ASSERT_EQ(0, subject_cycle(s, variant->way)) messages_show(s);
		ASSERT_EQ(0, subject_go(s));
	}
	ASSERT_EQ(0, subject_end(s));
}

/* 32-bit processes, one of them dead, that a 64-bit one has started. */
#define OTHERS_TEST(name)							\
TEST_F_TIMEOUT(compat, others_##name, TEST_TIMEOUT)				\
{										\
	char command[300];							\
										\
	if (variant->way == WAY_STOP)						\
		SKIP(return, "the test continues only one process");		\
	snprintf(command, sizeof(command), "others %s " #name, subject_path("compat"));	\
	self->s.program = "subject";						\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way))		\
		messages_show(&self->s);					\
}

OTHERS_TEST(everything)
OTHERS_TEST(threads)
OTHERS_TEST(idle)

/* The id in a lock of a 32-bit program is that which its thread has now. */
TEST_F_TIMEOUT(compat, fresh_robust, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	if (variant->way != WAY_KILL || variant->place)
		SKIP(return, "one way is enough");
	ASSERT_EQ(0, subject_start(s, "robust"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

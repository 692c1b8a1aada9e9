// SPDX-License-Identifier: GPL-2.0-only
/*
 * What threads set about themselves: confinement by seccomp, prctl(2),
 * scheduling, descriptor tables, I/O ports. All of it is there again, in the
 * thread that had it; and nobody gets by a restart what takes a right to get.
 */
#include "kselftest_harness.h"

#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "common.h"

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE	40
#endif

FIXTURE(state) {
	struct subject s;
};

FIXTURE_VARIANT(state) {
	enum way way;
	const char *mode;
};

FIXTURE_VARIANT_ADD(state, go_on) { .way = WAY_GO_ON, .mode = "state" };
FIXTURE_VARIANT_ADD(state, kill) { .way = WAY_KILL, .mode = "state" };
FIXTURE_VARIANT_ADD(state, thread_kill) { .way = WAY_KILL, .mode = "threadstate" };

FIXTURE_SETUP(state)
{
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(state)
{
	subject_destroy(&self->s);
}

#define STATE_TEST(test, names)						\
TEST_F_TIMEOUT(state, test, TEST_TIMEOUT)				\
{									\
	char command[200];						\
									\
	snprintf(command, sizeof(command), "%s %s", variant->mode, names);	\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
	if (self->s.skipped[0])						\
		SKIP(return, "%s", self->s.skipped);			\
}

STATE_TEST(filters, "filters")
STATE_TEST(privileged_filter, "privileged_filter")
STATE_TEST(long_filter, "long_filter")
STATE_TEST(tsc, "tsc")
STATE_TEST(cpuid, "cpuid")
STATE_TEST(mce_early, "mce_early")
STATE_TEST(mce_late, "mce_late")
STATE_TEST(ssb_off, "ssb_off")
STATE_TEST(ssb_forced, "ssb_forced")
STATE_TEST(ssb_noexec, "ssb_noexec")
STATE_TEST(branch_off, "branch_off")
STATE_TEST(branch_forced, "branch_forced")
STATE_TEST(dispatch, "dispatch")
STATE_TEST(flusher, "flusher")
STATE_TEST(deadline, "deadline")
STATE_TEST(slice, "slice")
STATE_TEST(clamps, "clamps")
STATE_TEST(io_priority, "io_priority")
STATE_TEST(slack, "slack")
STATE_TEST(policy_bind, "policy_bind")
STATE_TEST(policy_interleave, "policy_interleave")
STATE_TEST(policy_local, "policy_local")
STATE_TEST(policy_static, "policy_static")
STATE_TEST(mdwe, "mdwe")
STATE_TEST(mdwe_no_inherit, "mdwe_no_inherit")
STATE_TEST(merge_some, "merge_some")
STATE_TEST(merge_all, "merge_all")
STATE_TEST(names, "names")
STATE_TEST(ldt, "ldt")
STATE_TEST(tls, "tls")
STATE_TEST(ports, "ports")
STATE_TEST(io_level, "io_level")
STATE_TEST(oom_min, "oom_min")
STATE_TEST(all, "mce_early dispatch flusher slice clamps io_priority slack policy_local names ldt "
		"tls ports filters")

FIXTURE(process) {
	struct subject s;
};

FIXTURE_VARIANT(process) {
	enum way way;
	enum place place;
};

FIXTURE_VARIANT_ADD(process, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(process, stop) { .way = WAY_STOP };
FIXTURE_VARIANT_ADD(process, kill) { .way = WAY_KILL };
FIXTURE_VARIANT_ADD(process, beside) { .way = WAY_KILL, .place = PLACE_SIBLING };
FIXTURE_VARIANT_ADD(process, nested) { .way = WAY_KILL, .place = PLACE_NESTED };

FIXTURE_SETUP(process)
{
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
	self->s.place = variant->place;
}

FIXTURE_TEARDOWN(process)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(process, all_states, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "state mce_late dispatch flusher slice clamps "
				 "io_priority slack policy_bind mdwe names ldt tls ports filters",
				 variant->way));
	ASSERT_STREQ("", self->s.skipped);
}

/* A filter for all threads needs that they share the ones before. */
TEST_F_TIMEOUT(process, shared_filters, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "sharing", variant->way));
}

TEST_F_TIMEOUT(process, different_filters, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "sharing apart", variant->way));
}

TEST_F_TIMEOUT(process, strict, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "strict"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_in_syscall(subject_inner(s), subject_inner(s), SYS_read));
	ASSERT_EQ(0, subject_cycle(s, variant->way));
	ASSERT_EQ(0, subject_cycle(s, variant->way));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(process, strict_is_kept, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	if (variant->place)
		SKIP(return, "its own end is what is looked at");
	ASSERT_EQ(0, subject_start(s, "strict kill"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_in_syscall(subject_inner(s), subject_inner(s), SYS_read));
	ASSERT_EQ(0, subject_cycle(s, variant->way));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

/* It is not killed by its own filter for a call that we have interrupted. */
TEST_F_TIMEOUT(process, poll_without_restart, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "pollfilter"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_in_syscall(subject_inner(s), subject_inner(s), SYS_poll));
	/* Job control interrupts it as well, which is not ours to prevent. */
	if (variant->way == WAY_STOP)
		SKIP(return, "a stop signal kills it");
	/* What it waits in is not the same afterwards. */
	s->files_only = true;
	ASSERT_EQ(0, subject_cycle(s, variant->way));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* What took a right to get takes it to get it back. */
FIXTURE(right) {
	struct subject s;
};

FIXTURE_VARIANT(right) {
	const char *command;
};

FIXTURE_VARIANT_ADD(right, filter) { .command = "privileged privileged_filter" };
FIXTURE_VARIANT_ADD(right, flusher) { .command = "privileged flusher" };
FIXTURE_VARIANT_ADD(right, io_priority) { .command = "privileged io_priority" };
FIXTURE_VARIANT_ADD(right, deadline) { .command = "privileged deadline" };
FIXTURE_VARIANT_ADD(right, ports) { .command = "privileged ports" };
FIXTURE_VARIANT_ADD(right, io_level) { .command = "privileged io_level" };
FIXTURE_VARIANT_ADD(right, sock_mark) { .command = "privileged sock_mark" };
FIXTURE_VARIANT_ADD(right, sock_priority) { .command = "privileged sock_priority" };
FIXTURE_VARIANT_ADD(right, sock_buffer) { .command = "privileged sock_buffer" };
FIXTURE_VARIANT_ADD(right, tcp_buffer) { .command = "privileged tcp_buffer" };
FIXTURE_VARIANT_ADD(right, sock_transparent) { .command = "privileged sock_transparent" };
FIXTURE_VARIANT_ADD(right, tcp_filter) { .command = "privileged tcp_filter" };

FIXTURE_SETUP(right)
{
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(right)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(right, not_for_users, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_become_user(s, CAP_CHECKPOINT_RESTORE));
	ASSERT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(EPERM, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_PERMISSION)) messages_show(s);
}

TEST_F_TIMEOUT(right, for_root, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, variant->command, WAY_KILL));
}

FIXTURE(special) {
	struct subject s;
};

FIXTURE_SETUP(special)
{
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(special)
{
	subject_destroy(&self->s);
}

static int refused(struct subject *s)
{
	if (!subject_save(s, 0))
		return -1;
	return s->err == EOPNOTSUPP && message_has(s, "obstacle", CKPT_WHY_SECCOMP) ? 0 : -1;
}

TEST_F_TIMEOUT(special, listener, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "listener"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, refused(s)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Filters with no_new_privs need no right to put back, but one to read. */
TEST_F_TIMEOUT(special, filters_of_user, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	s->uid = TEST_USER;
	ASSERT_EQ(0, subject_start(s, "state filters"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_become_user(s, CAP_CHECKPOINT_RESTORE));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	/* The image of root is not the user's to overwrite. */
	ASSERT_EQ(0, unlink(s->image));
	ASSERT_EQ(0, refused(s)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* What the restarter has of this kind is not inherited. */
TEST_F_TIMEOUT(special, nothing_of_the_restarter, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "plain"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	ASSERT_EQ(0, prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0));
	ASSERT_EQ(0, syscall(SYS_iopl, 3));
	ASSERT_EQ(0, syscall(SYS_ioperm, 0x80, 1, 1));
	ASSERT_EQ(0, syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 7));
	ASSERT_EQ(0, syscall(SYS_set_mempolicy, 4, NULL, 0));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

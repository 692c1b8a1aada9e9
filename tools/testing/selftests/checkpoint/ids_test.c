// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identity, limits and scheduling are kept; and nobody gets more by a restart
 * than by normal system calls.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/prctl.h>

#include "common.h"

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE	40
#endif

FIXTURE(ids) {
	struct subject s;
};

FIXTURE_VARIANT(ids) {
	enum way way;
	enum place place;
};

FIXTURE_VARIANT_ADD(ids, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(ids, kill) { .way = WAY_KILL };
FIXTURE_VARIANT_ADD(ids, beside) { .way = WAY_KILL, .place = PLACE_SIBLING };
FIXTURE_VARIANT_ADD(ids, nested) { .way = WAY_KILL, .place = PLACE_NESTED };

FIXTURE_SETUP(ids)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
	self->s.place = variant->place;
}

FIXTURE_TEARDOWN(ids)
{
	subject_destroy(&self->s);
}

#define ID_TEST(name, command)						\
TEST_F_TIMEOUT(ids, name, TEST_TIMEOUT)					\
{									\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

ID_TEST(user_with_capabilities, "user")
ID_TEST(different_ids, "mixed")
ID_TEST(root_without_capabilities, "nocaps")
ID_TEST(thread_of_its_own, "perthread")
ID_TEST(limits, "limits")
ID_TEST(policy_other, "policy other")
ID_TEST(policy_batch, "policy batch")
ID_TEST(policy_idle, "policy idle")
ID_TEST(policy_fifo, "policy fifo")
ID_TEST(policy_rr, "policy rr")
ID_TEST(properties, "properties")
ID_TEST(limit_of_cpu_time, "cpulimit")

/* setpgid(2) tells whether a child has executed a program. */
TEST_F_TIMEOUT(ids, program_was_executed, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_start(&self->s, "idle"));
	ASSERT_EQ(0, subject_expect(&self->s, "ready"));
	ASSERT_EQ(0, subject_cycle(&self->s, variant->way));
	EXPECT_EQ(-1, setpgid(self->s.pid, 0));
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, subject_go(&self->s));
	ASSERT_EQ(0, subject_end(&self->s));
}

FIXTURE(user) {
	struct subject s;
};

FIXTURE_SETUP(user)
{
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(user)
{
	subject_destroy(&self->s);
}

/* Everybody may save and restart what is theirs, but not choose pids. */
TEST_F_TIMEOUT(user, own_process, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_become_user(s, -1));
	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(EPERM, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_PERMISSION)) messages_show(s);
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_in_syscall(s->pid, s->pid, SYS_read));
}

TEST_F_TIMEOUT(user, computing_process, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	unsigned long long rounds, state;

	ASSERT_EQ(0, subject_become_user(s, -1));
	ASSERT_EQ(0, subject_start(s, "compute"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_read(s));
	ASSERT_EQ(2, sscanf(s->line, "rounds %llu state %llx", &rounds, &state));
	ASSERT_EQ(chain(1, rounds), state);
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(user, own_pid_with_capability, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_become_user(s, CAP_CHECKPOINT_RESTORE));
	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Another user's process: may not be saved. */
TEST_F_TIMEOUT(user, process_of_root, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_become_user(s, -1));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	EXPECT_EQ(EPERM, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_PERMISSION)) messages_show(s);
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(EPERM, s->err);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* An image with the identity of root gives nobody else that identity. */
TEST_F_TIMEOUT(user, image_of_root, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_become_user(s, CAP_CHECKPOINT_RESTORE));
	ASSERT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(EPERM, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_PERMISSION)) messages_show(s);
	ASSERT_EQ(-1, subject_restart(s, RESTART_NEW_PIDS));
	EXPECT_EQ(EPERM, s->err);
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ(ECHILD, errno);
}

/* no_new_privs of the restarter is not shaken off by a restart. */
TEST_F_TIMEOUT(user, no_new_privs_stays, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char path[64], status[4096];

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (subject_restart(s, 0)) {
		/* A refusal is as good. */
		EXPECT_EQ(EPERM, s->err);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/status", s->pid);
	ASSERT_LT(0, read_file(path, status, sizeof(status)));
	ASSERT_NE(NULL, strstr(status, "NoNewPrivs:\t1"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* A user's process to which root gave what the user could not take. */
FIXTURE(raised) {
	struct subject s;
};

FIXTURE_VARIANT(raised) {
	const char *command;
};

FIXTURE_VARIANT_ADD(raised, nice) { .command = "raised nice" };
FIXTURE_VARIANT_ADD(raised, policy) { .command = "raised policy" };
FIXTURE_VARIANT_ADD(raised, limit) { .command = "raised limit" };
FIXTURE_VARIANT_ADD(raised, descriptor) { .command = "raised descriptor" };
FIXTURE_VARIANT_ADD(raised, oom) { .command = "raised oom" };
FIXTURE_VARIANT_ADD(raised, group) { .command = "raised group" };
FIXTURE_VARIANT_ADD(raised, caps) { .command = "raised caps" };

FIXTURE_SETUP(raised)
{
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(raised)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(raised, not_for_users, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_become_user(s, CAP_CHECKPOINT_RESTORE));
	ASSERT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(EPERM, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_PERMISSION) ||
		    message_has(s, "error", CKPT_WHY_LIMIT)) messages_show(s);
}

TEST_F_TIMEOUT(raised, for_root, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, variant->command, WAY_KILL));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Shared memory, in one process and between several. */
#include "kselftest_harness.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "common.h"

FIXTURE(shmem) {
	struct subject s;
};

FIXTURE_VARIANT(shmem) {
	enum way way;
};

FIXTURE_VARIANT_ADD(shmem, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(shmem, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(shmem, kill) { .way = WAY_KILL };

FIXTURE_SETUP(shmem)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(shmem)
{
	subject_destroy(&self->s);
}

#define SHMEM_TEST(name)						\
TEST_F_TIMEOUT(shmem, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, "shared_" #name, variant->way)); \
}

SHMEM_TEST(anonymous)
SHMEM_TEST(devzero)
SHMEM_TEST(beyond)
SHMEM_TEST(parts)
SHMEM_TEST(sealed)
SHMEM_TEST(sealed_exec)
SHMEM_TEST(sealed_shared)
SHMEM_TEST(deleted)
SHMEM_TEST(named)
SHMEM_TEST(program)

/* As after a reboot: what has a name is not in the image. */
TEST_F_TIMEOUT(shmem, gone, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	if (variant->way != WAY_KILL)
		SKIP(return, "it takes a restart");
	ASSERT_EQ(0, subject_start(s, "shared_named"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, unlink("/dev/shm/ckpt-named"));
	ASSERT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(ESTALE, s->err);
	EXPECT_EQ(1, messages_count(s, "error", CKPT_WHY_FILE_MISSING,
				    "/dev/shm/ckpt-named is missing")) {
		messages_show(s);
	}
}

/* Memory that others have is refused, and goes through with all that have it. */
TEST_F_TIMEOUT(shmem, leaked, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "shared_leaked"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	ASSERT_TRUE(message_has(s, "obstacle", CKPT_WHY_MAPPING)) messages_show(s);
	ASSERT_EQ(0, subject_save(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

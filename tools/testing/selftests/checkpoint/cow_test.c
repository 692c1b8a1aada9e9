// SPDX-License-Identifier: GPL-2.0-only
/* Private memory that processes share since fork(2). */
#include "kselftest_harness.h"

#include <signal.h>
#include <sys/stat.h>

#include "common.h"

FIXTURE(cow) {
	struct subject s;
};

FIXTURE_VARIANT(cow) {
	enum way way;
};

FIXTURE_VARIANT_ADD(cow, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(cow, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(cow, kill) { .way = WAY_KILL };

FIXTURE_SETUP(cow)
{
	ASSERT_EQ(0, subject_init(&self->s));
	/* The inode of shared memory is new, and /proc shows it. */
	self->s.nosnap = true;
}

FIXTURE_TEARDOWN(cow)
{
	subject_destroy(&self->s);
}

#define COW_TEST(name)							\
TEST_F_TIMEOUT(cow, name, TEST_TIMEOUT)					\
{									\
	ASSERT_EQ(0, subject_run(&self->s, "cow_" #name, variant->way)); \
}

COW_TEST(workers)
COW_TEST(orphans)
COW_TEST(moved)
COW_TEST(huge)
COW_TEST(file)

/* Nine processes with 8 MiB: what they share is in the image once. */
TEST_F_TIMEOUT(cow, same, TEST_TIMEOUT)
{
	struct stat st;

	ASSERT_EQ(0, subject_run(&self->s, "cow_same", variant->way));
	if (variant->way == WAY_NONE)
		return;
	ASSERT_EQ(0, stat(self->s.image, &st));
	ASSERT_GT(st.st_size, 8 << 20);
	ASSERT_LT(st.st_size, 12 << 20);
}

TEST_HARNESS_MAIN

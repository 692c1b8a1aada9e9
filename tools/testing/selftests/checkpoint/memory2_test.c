// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of mapping. The subject compares contents and behaviour; mappings
 * with their borders and flags are compared through /proc.
 */
#include "kselftest_harness.h"

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

TEST_HARNESS_MAIN

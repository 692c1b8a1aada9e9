// SPDX-License-Identifier: GPL-2.0-only
/* Processes with threads, in every way of interruption. */
#include "kselftest_harness.h"

#include "common.h"

FIXTURE(threads) {
	struct subject s;
};

FIXTURE_VARIANT(threads) {
	enum way way;
};

FIXTURE_VARIANT_ADD(threads, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(threads, stop) { .way = WAY_STOP };
FIXTURE_VARIANT_ADD(threads, kill) { .way = WAY_KILL };

FIXTURE_SETUP(threads)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(threads)
{
	subject_destroy(&self->s);
}

#define THREAD_TEST(name, command, is_moving)				\
TEST_F_TIMEOUT(threads, name, TEST_TIMEOUT)				\
{									\
	self->s.moving = is_moving;					\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

THREAD_TEST(one, "threads 1", false)
THREAD_TEST(four, "threads 4", false)
THREAD_TEST(sixty_four, "threads 64", false)
THREAD_TEST(spinning, "spinners 8", true)
THREAD_TEST(computing, "counters 4", true)
THREAD_TEST(robust_mutex, "robust", false)
THREAD_TEST(pi_mutex, "pi", false)
THREAD_TEST(barrier, "barrier 4", false)
THREAD_TEST(rseq, "rseq", true)

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Processor state of threads that compute, and of threads that are blocked. */
#include "kselftest_harness.h"

#include "common.h"

FIXTURE(cpu) {
	struct subject s;
};

FIXTURE_VARIANT(cpu) {
	enum way way;
};

FIXTURE_VARIANT_ADD(cpu, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(cpu, stop) { .way = WAY_STOP };
FIXTURE_VARIANT_ADD(cpu, kill) { .way = WAY_KILL };

FIXTURE_SETUP(cpu)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(cpu)
{
	subject_destroy(&self->s);
}

#define CPU_TEST(name, command, is_moving)				\
TEST_F_TIMEOUT(cpu, name, TEST_TIMEOUT)					\
{									\
	self->s.moving = is_moving;					\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
	if (self->s.skipped[0])						\
		SKIP(return, "%s", self->s.skipped);			\
}

CPU_TEST(general_registers, "general", true)
CPU_TEST(sse, "sse", true)
CPU_TEST(avx, "avx", true)
CPU_TEST(avx512, "avx512", true)
CPU_TEST(x87_and_modes, "x87", true)
CPU_TEST(blocked_in_call, "blocked", false)
CPU_TEST(segment_bases, "gs", false)
CPU_TEST(segment_selectors, "selectors", false)
CPU_TEST(xcr0, "xcr0", false)

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces. The subject compares contents; mappings, their flags, the
 * arguments, environment and auxiliary vector are compared through /proc.
 */
#include "kselftest_harness.h"

#include <sys/stat.h>

#include "common.h"

FIXTURE(memory) {
	struct subject s;
};

FIXTURE_VARIANT(memory) {
	enum way way;
};

FIXTURE_VARIANT_ADD(memory, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(memory, kill) { .way = WAY_KILL };

FIXTURE_SETUP(memory)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(memory)
{
	subject_destroy(&self->s);
}

#define MEMORY_TEST(name, command)					\
TEST_F_TIMEOUT(memory, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

MEMORY_TEST(heap, "heap")
MEMORY_TEST(stack, "stack")
MEMORY_TEST(protections, "anon")
MEMORY_TEST(growsdown, "growsdown")
MEMORY_TEST(advice, "advice")
MEMORY_TEST(huge_pages, "huge")
MEMORY_TEST(many_mappings, "many")
MEMORY_TEST(bulk, "bulk 16")
MEMORY_TEST(vdso, "vdso")
MEMORY_TEST(run_time_code, "jit")
MEMORY_TEST(lowest_and_highest, "edges")
MEMORY_TEST(private_file, "private")
MEMORY_TEST(shared_file, "sharedfile")
MEMORY_TEST(dev_zero, "devzero")
MEMORY_TEST(programs, "programs")
MEMORY_TEST(arguments, "title xxxxxxxxxxxx")
MEMORY_TEST(dumpable, "dumpable")
MEMORY_TEST(truncated_file, "cutfile")

/* Mappings that were two for no visible reason may be one afterwards. */
TEST_F_TIMEOUT(memory, moved, TEST_TIMEOUT)
{
	self->s.nosnap = true;
	ASSERT_EQ(0, subject_run(&self->s, "moved", variant->way));
}

static off_t image_size(struct subject *s)
{
	struct stat st;

	return stat(s->image, &st) ? -1 : st.st_size;
}

/* Also: memory that is not there takes no place in the image. */
TEST_F_TIMEOUT(memory, sparse, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "sparse", variant->way));
	if (way_now(variant->way) != WAY_NONE)
		EXPECT_GT(1 << 20, image_size(&self->s));
}

TEST_F_TIMEOUT(memory, zero_pages, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "zeropages", variant->way));
	if (way_now(variant->way) != WAY_NONE)
		EXPECT_GT(1 << 20, image_size(&self->s));
}

/* Private bytes plus 2 % plus 16 KiB; the rest of the program is about 200 KiB. */
TEST_F_TIMEOUT(memory, image_size, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "bulk 8", variant->way));
	if (way_now(variant->way) != WAY_NONE) {
		EXPECT_LE(8 << 20, image_size(&self->s));
		EXPECT_GT((8 << 20) * 102LL / 100 + (400 << 10), image_size(&self->s));
	}
}

TEST_HARNESS_MAIN

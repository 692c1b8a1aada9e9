// SPDX-License-Identifier: GPL-2.0-only
/* What sockets of all families have. */
#include "kselftest_harness.h"

#include "common.h"

FIXTURE(sockets) {
	struct subject s;
};

FIXTURE_VARIANT(sockets) {
	enum way way;
};

FIXTURE_VARIANT_ADD(sockets, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(sockets, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(sockets, kill) { .way = WAY_KILL };

FIXTURE_SETUP(sockets)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(sockets)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(sockets, options, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "sockopts", variant->way));
}

TEST_HARNESS_MAIN

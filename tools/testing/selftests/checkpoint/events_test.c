// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors that event loops hold, alone, shared, and together. */
#include "kselftest_harness.h"

#include <signal.h>
#include <stdio.h>

#include "common.h"

FIXTURE(events) {
	struct subject s;
};

FIXTURE_VARIANT(events) {
	enum way way;
};

FIXTURE_VARIANT_ADD(events, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(events, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(events, kill) { .way = WAY_KILL };

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(events)
{
	subject_destroy(&self->s);
}

/* See subject_events.c for what it tells. */
static int judge(struct subject *s)
{
	long long left, least, most;
	int ret = subject_judge_left(s);

	if (ret <= 0)
		return ret;
	if (sscanf(s->line, "ticks %lld %lld %lld", &left, &least, &most) != 3)
		return 1;
	most -= s->dead_ns / 10000000;
	if (left >= least - 1 && left <= most + 1)
		return 0;
	say("%lld ticks, not %lld to %lld", left, least, most);
	return -1;
}

#define EVENTS_TEST(name)						\
TEST_F_TIMEOUT(events, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run_judged(&self->s, #name, variant->way, judge)); \
}

EVENTS_TEST(eventfd)
EVENTS_TEST(eventfd_wake)
EVENTS_TEST(timerfd)
EVENTS_TEST(timerfd_absolute)
EVENTS_TEST(timerfd_ticks)
EVENTS_TEST(timerfd_cancel)
EVENTS_TEST(signalfd)
EVENTS_TEST(pidfd)
EVENTS_TEST(inotify)
EVENTS_TEST(inotify_overflow)
EVENTS_TEST(epoll_level)
EVENTS_TEST(epoll_edge)
EVENTS_TEST(epoll_oneshot)
EVENTS_TEST(epoll_numbers)
EVENTS_TEST(epoll_nested)
EVENTS_TEST(epoll_shared)
EVENTS_TEST(epoll_signals)
EVENTS_TEST(epoll_mixed)

/* A real program. */
TEST_F_TIMEOUT(events, python, TEST_TIMEOUT)
{
	if (access("/usr/bin/python3", X_OK))
		SKIP(return, "there is no python3");
	self->s.children_move = true;
	ASSERT_EQ(0, subject_run_judged(&self->s, "python", variant->way, judge));
}

/* A pidfd goes with its process. */
TEST_F_TIMEOUT(events, pidfd_fresh, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	pid_t before;

	if (variant->way != WAY_KILL)
		SKIP(return, "it takes a restart");
	ASSERT_EQ(0, subject_start(s, "pidfd_fresh"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	before = s->pid;
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_NE(before, s->pid);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

FIXTURE(refused_events) {
	struct subject s;
};

FIXTURE_SETUP(refused_events)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(refused_events)
{
	subject_destroy(&self->s);
}

/* What others have is refused, and goes through with all that have it. */
TEST_F_TIMEOUT(refused_events, leaked, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "epoll_leaked"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	/* The set, the timerfd, the eventfd and the inotify instance. */
	EXPECT_EQ(4, messages_count(s, "obstacle", -1, "outside of the tree hold"))
		messages_show(s);
	EXPECT_EQ(1, messages_count(s, "obstacle", -1, "is not open in the tree"))
		messages_show(s);
	EXPECT_EQ(1, messages_count(s, "obstacle", -1, "a pidfd of process")) messages_show(s);
	ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(refused_events, unnamed_watch, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "inotify_unnamed"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	EXPECT_EQ(1, messages_count(s, "obstacle", -1, "an inotify watch (1)")) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

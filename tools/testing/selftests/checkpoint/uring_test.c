// SPDX-License-Identifier: GPL-2.0-only
/* io_uring(7): rings with what waits in them, and requests under way. */
#include "kselftest_harness.h"

#include <signal.h>

#include "common.h"

FIXTURE(uring) {
	struct subject s;
};

FIXTURE_VARIANT(uring) {
	enum way way;
};

FIXTURE_VARIANT_ADD(uring, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(uring, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(uring, kill) { .way = WAY_KILL };

FIXTURE_SETUP(uring)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(uring)
{
	subject_destroy(&self->s);
}

#define URING_TEST(name, command)				\
TEST_F_TIMEOUT(uring, name, TEST_TIMEOUT)			\
{								\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

URING_TEST(plain, "uring")
/* CQSIZE is not needed; CLAMP, SUBMIT_ALL, COOP_TASKRUN, TASKRUN_FLAG */
URING_TEST(coop, "uring 0x390")
/* SINGLE_ISSUER, DEFER_TASKRUN */
URING_TEST(deferred, "uring 0x3000")
URING_TEST(shared, "uring_shared")
URING_TEST(issuer, "uring_issuer")
URING_TEST(wait, "uring_wait")
URING_TEST(epoll, "uring_epoll")

/* How many threads there are, with workers, is not what it was. */
TEST_F_TIMEOUT(uring, flight, TEST_TIMEOUT)
{
	self->s.nosnap = true;
	ASSERT_EQ(0, subject_run(&self->s, "uring_flight", variant->way));
}

TEST_F_TIMEOUT(uring, flight_deferred, TEST_TIMEOUT)
{
	self->s.nosnap = true;
	ASSERT_EQ(0, subject_run(&self->s, "uring_flight 0x3000", variant->way));
}

FIXTURE(refused_uring) {
	struct subject s;
};

FIXTURE_VARIANT(refused_uring) {
	const char *command;
	const char *words;
	int code;
	bool then;
};

#define REFUSED(_name, _command, _code, _words, _then)			\
FIXTURE_VARIANT_ADD(refused_uring, _name) {				\
	.command = _command, .code = CKPT_WHY_##_code, .words = _words, .then = _then,	\
}

REFUSED(poll, "uring_poll", IO, "1 requests wait for events", true);
REFUSED(read, "uring_read", IO, "1 requests wait for events", true);
REFUSED(sqpoll, "uring_sqpoll", IO, "(SQPOLL)", false);
REFUSED(files, "uring_has files", IO, "with registered files", false);
REFUSED(buffers, "uring_has buffers", IO, "with registered buffers", false);
REFUSED(eventfd, "uring_has eventfd", IO, "with a registered eventfd", false);
REFUSED(personality, "uring_has personality", IO, "with registered personalities", false);
REFUSED(ring, "uring_has ring", IO, "IORING_REGISTER_RING_FDS", false);
REFUSED(part, "uring_has part", MAPPING, "mapped in part", false);

FIXTURE_SETUP(refused_uring)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(refused_uring)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(refused_uring, by_name, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	s->nosnap = true;
	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	EXPECT_EQ(1, messages_count(s, "", variant->code, variant->words)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	/* What it waited for has come. */
	if (variant->then) {
		ASSERT_EQ(0, subject_expect(s, "ready"));
		ASSERT_EQ(0, subject_cycle(s, WAY_KILL)) messages_show(s);
		ASSERT_EQ(0, subject_go(s));
	}
	ASSERT_EQ(0, subject_end(s));
}

/* Changes an instance to what io_uring_setup(2) would not make, or that has no owner. */
static bool lie(struct ckpt_rec_io_uring *ring, int i, int *err)
{
	*err = EBADMSG;
	switch (i) {
	case 0:
		ring->submitter++;
		return true;
	case 1:
		ring->flags |= CKPT_RING_CQE32;
		*err = ENOEXEC;
		return true;
	case 2:
		ring->array_offset += 64;
		*err = ENOEXEC;
		return true;
	case 3:
		ring->sq_entries *= 2;
		return true;
	case 4:
		/* The layout is another one. */
		ring->flags |= CKPT_RING_CQSIZE;
		ring->cq_entries *= 8;
		*err = ENOEXEC;
		return true;
	case 5:
		ring->submitter = 0;
		return true;
	}
	return false;
}

/* Instances that cannot be, each in a good image, leave nothing behind. */
TEST_F_TIMEOUT(uring, lies, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct ckpt_rec_io_uring *ring, good;
	struct image image;
	int i, tasks, err;

	if (variant->way != WAY_KILL)
		SKIP(return, "it takes a restart");
	tasks = count_tasks();
	ASSERT_EQ(0, subject_start(s, "uring_one"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&image, s->image));
	ASSERT_EQ(0, image_unpack(&image, CKPT_REC_IO_URING, 0));
	ring = image_payload(&image, CKPT_REC_IO_URING, 0);
	ASSERT_NE(NULL, ring);
	good = *ring;
	for (i = 0; lie(ring, i, &err); i++) {
		image_seal(&image, image_find(&image, CKPT_REC_IO_URING, 0));
		ASSERT_EQ(0, image_store(&image, s->image));
		EXPECT_EQ(-1, subject_restart(s, 0));
		EXPECT_EQ(err, s->err) {
			say("lie %d", i);
			messages_show(s);
		}
		EXPECT_EQ(tasks, count_tasks());
		*ring = good;
	}
	/* Of these only the process itself has the damage. */
	ring->flags |= CKPT_RING_DRAIN_ACTIVE | CKPT_RING_TIMEOUTS | CKPT_RING_NO_DRAIN;
	ring->last_flush = ~0U;
	ring->cq_extra = ~0U;
	ring->timeouts = ~0U;
	image_seal(&image, image_find(&image, CKPT_REC_IO_URING, 0));
	ASSERT_EQ(0, image_store(&image, s->image));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	image_free(&image);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Asynchronous I/O: rings with what was not read yet, and requests under way. */
#include "kselftest_harness.h"

#include <signal.h>

#include "common.h"

FIXTURE(aio) {
	struct subject s;
};

FIXTURE_VARIANT(aio) {
	enum way way;
};

FIXTURE_VARIANT_ADD(aio, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(aio, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(aio, kill) { .way = WAY_KILL };

FIXTURE_SETUP(aio)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(aio)
{
	subject_destroy(&self->s);
}

#define AIO_TEST(name)						\
TEST_F_TIMEOUT(aio, name, TEST_TIMEOUT)				\
{								\
	ASSERT_EQ(0, subject_run(&self->s, #name, variant->way));	\
}

AIO_TEST(aio)
AIO_TEST(aio_full)
AIO_TEST(aio_moved)
AIO_TEST(aio_shared)

TEST_F_TIMEOUT(aio, flight, TEST_TIMEOUT)
{
	/* What it counts goes on and on. */
	self->s.nosnap = true;
	ASSERT_EQ(0, subject_run(&self->s, "aio_flight", variant->way));
}

FIXTURE(refused_aio) {
	struct subject s;
};

FIXTURE_VARIANT(refused_aio) {
	const char *command;
	const char *words;
};

FIXTURE_VARIANT_ADD(refused_aio, waiting) {
	.command = "aio_wait", .words = "1 requests wait for events (IOCB_CMD_POLL)",
};

FIXTURE_VARIANT_ADD(refused_aio, forked) {
	.command = "aio_forked", .words = "the ring of another process's",
};

FIXTURE_VARIANT_ADD(refused_aio, changed) {
	.command = "aio_changed", .words = "whose ring was mapped in another way",
};

FIXTURE_SETUP(refused_aio)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(refused_aio)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(refused_aio, by_name, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	EXPECT_EQ(1, messages_count(s, "", CKPT_WHY_IO, variant->words)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	/* What it waited for has come. */
	if (!strcmp(variant->command, "aio_wait")) {
		ASSERT_EQ(0, subject_expect(s, "ready"));
		ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
		ASSERT_EQ(0, subject_go(s));
	}
	ASSERT_EQ(0, subject_end(s));
}

/* Contexts that cannot be, each in a good image, leave nothing behind. */
TEST_F_TIMEOUT(aio, lies, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct ckpt_rec_aio *aio, good;
	struct image image;
	int i, tasks;

	if (variant->way != WAY_KILL)
		SKIP(return, "it takes a restart");
	tasks = count_tasks();
	ASSERT_EQ(0, subject_start(s, "aio"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&image, s->image));
	ASSERT_EQ(0, image_unpack(&image, CKPT_REC_AIO, 1));
	aio = image_payload(&image, CKPT_REC_AIO, 1);
	ASSERT_NE(NULL, aio);
	good = *aio;
	for (i = 0; i < 6; i++) {
		*aio = good;
		if (i == 0)
			aio->id = 0;		/* that of the first one */
		else if (i == 1)
			aio->id = 0x7fffffff;
		else if (i == 2)
			aio->addr = ((struct ckpt_rec_aio *)image_payload(&image, CKPT_REC_AIO,
									  0))->addr;
		else if (i == 3)
			aio->max_reqs = 0x7fffffff;
		else if (i == 4)
			aio->nr_pages += 1;
		else
			aio->addr = 1UL << 62;
		image_seal(&image, image_find(&image, CKPT_REC_AIO, 1));
		ASSERT_EQ(0, image_store(&image, s->image));
		EXPECT_EQ(-1, subject_restart(s, 0));
		EXPECT_TRUE(s->err == EBADMSG || s->err == EAGAIN || s->err == ENOEXEC ||
			    s->err == ENOMEM) {
			say("lie %d: errno %d", i, s->err);
			messages_show(s);
		}
		EXPECT_EQ(tasks, count_tasks());
	}
	*aio = good;
	image_seal(&image, image_find(&image, CKPT_REC_AIO, 1));
	ASSERT_EQ(0, image_store(&image, s->image));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, subject_go(s));
		ASSERT_EQ(0, subject_expect(s, "ready"));
	}
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	image_free(&image);
}

TEST_HARNESS_MAIN

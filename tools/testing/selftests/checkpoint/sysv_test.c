// SPDX-License-Identifier: GPL-2.0-only
/* System V shared memory that is mapped. */
#include "kselftest_harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "common.h"

FIXTURE(sysv) {
	struct subject s;
};

FIXTURE_VARIANT(sysv) {
	enum way way;
};

FIXTURE_VARIANT_ADD(sysv, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(sysv, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(sysv, kill) { .way = WAY_KILL };

FIXTURE_SETUP(sysv)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(sysv)
{
	subject_destroy(&self->s);
}

#define SYSV_TEST(name, command)					\
TEST_F_TIMEOUT(sysv, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

SYSV_TEST(removed, "sysv_removed")
SYSV_TEST(removed_keyed, "sysv_removed keyed")
SYSV_TEST(keyed, "sysv_keyed")
SYSV_TEST(locked, "sysv_keyed locked")

TEST_F_TIMEOUT(sysv, bound, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "bound", variant->way));
}

FIXTURE(segment) {
	struct subject s;
	int id;
};

FIXTURE_SETUP(segment)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	ASSERT_EQ(0, subject_start(s, "sysv_stays"));
	ASSERT_EQ(0, subject_read(s));
	ASSERT_EQ(1, sscanf(s->line, "id %d", &self->id));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

FIXTURE_TEARDOWN(segment)
{
	shmctl(self->id, IPC_RMID, NULL);
	subject_destroy(&self->s);
}

static int restarts(struct subject *s)
{
	if (subject_restart(s, 0)) {
		messages_show(s);
		return -1;
	}
	return subject_go(s) ?: subject_end(s);
}

static int refused(struct subject *s, int error)
{
	if (!subject_restart(s, 0)) {
		say("it was restarted");
		return -1;
	}
	if (s->err != error || !message_has(s, "error", CKPT_WHY_CHANGED)) {
		messages_show(s);
		return -1;
	}
	return 0;
}

/* What it has is what the image has; nobody else has it, so it may be changed. */
TEST_F_TIMEOUT(segment, changed_content, TEST_TIMEOUT)
{
	char *p = shmat(self->id, NULL, 0);

	ASSERT_NE((void *)-1, (void *)p);
	p[4096] = 99;
	ASSERT_EQ(0, shmdt(p));
	ASSERT_EQ(0, restarts(&self->s));
}

/* After a new start of the system there is none; its id is free. */
TEST_F_TIMEOUT(segment, gone, TEST_TIMEOUT)
{
	ASSERT_EQ(0, shmctl(self->id, IPC_RMID, NULL));
	ASSERT_EQ(0, restarts(&self->s));
	EXPECT_EQ(-1, shmctl(self->id, IPC_RMID, NULL));
}

TEST_F_TIMEOUT(segment, in_use, TEST_TIMEOUT)
{
	char *p = shmat(self->id, NULL, 0);

	ASSERT_NE((void *)-1, (void *)p);
	p[4096] = 99;
	ASSERT_EQ(0, refused(&self->s, EEXIST));
	ASSERT_EQ(99, p[4096]);
	ASSERT_EQ(0, shmdt(p));
	ASSERT_EQ(0, restarts(&self->s));
}

TEST_F_TIMEOUT(segment, other_mode, TEST_TIMEOUT)
{
	struct shmid_ds ds;

	ASSERT_EQ(0, shmctl(self->id, IPC_STAT, &ds));
	ds.shm_perm.mode = 0644;
	ASSERT_EQ(0, shmctl(self->id, IPC_SET, &ds));
	ASSERT_EQ(0, refused(&self->s, EEXIST));
}

/* Another one has taken its place, or only its key. */
TEST_F_TIMEOUT(segment, other_key, TEST_TIMEOUT)
{
	struct shmid_ds ds;
	int other;

	ASSERT_EQ(0, shmctl(self->id, IPC_STAT, &ds));
	ASSERT_EQ(0, shmctl(self->id, IPC_RMID, NULL));
	other = shmget(ds.shm_perm.__key, 100, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, refused(&self->s, EEXIST));
	EXPECT_EQ(0, shmctl(other, IPC_STAT, &ds));
	EXPECT_EQ(100, ds.shm_segsz);
	ASSERT_EQ(0, shmctl(other, IPC_RMID, NULL));
	ASSERT_EQ(0, restarts(&self->s));
}

/* A failed restart leaves no segment behind: a file that it needs is not there. */
TEST_F_TIMEOUT(segment, nothing_left, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct image image;
	struct shmid_ds ds;
	size_t at;

	ASSERT_EQ(0, shmctl(self->id, IPC_RMID, NULL));
	ASSERT_EQ(0, image_load(&image, s->image));
	at = image_find(&image, CKPT_REC_TRAILER, 0);
	image.size = at;
	ASSERT_EQ(0, image_store(&image, s->image));
	image_free(&image);
	EXPECT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(EBADMSG, s->err);
	EXPECT_EQ(-1, shmctl(self->id, IPC_STAT, &ds));
}

/* Memory that others have is refused, and goes through with all that have it. */
FIXTURE(others) {
	struct subject s;
};

FIXTURE_SETUP(others)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(others)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(others, leaked, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "sysv_leaked"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	ASSERT_TRUE(message_has(s, "obstacle", CKPT_WHY_MAPPING)) messages_show(s);
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Private memory that processes share since fork(2). */
#include "kselftest_harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
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
COW_TEST(stirred)
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

/* References that lead nowhere. */
FIXTURE(wrong) {
	struct subject s;
	struct image image;
	int tasks;
};

FIXTURE_SETUP(wrong)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	self->tasks = count_tasks();
	ASSERT_EQ(0, subject_start(s, "cow_workers"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&self->image, s->image));
}

/* Nothing is left, and the image as it was is good. */
FIXTURE_TEARDOWN(wrong)
{
	struct subject *s = &self->s;

	EXPECT_EQ(self->tasks, count_tasks());
	EXPECT_EQ(0, image_store(&self->image, s->image));
	EXPECT_EQ(0, subject_restart(s, RESTART_FROZEN)) messages_show(s);
	kill(s->pid, SIGKILL);
	EXPECT_EQ(0, subject_reap(s, SIGKILL));
	image_free(&self->image);
	subject_destroy(s);
}

/* Where the packed record has the byte at @offset of its payload, which is not zero. */
static uint8_t *packed_byte(struct image *image, size_t offset)
{
	struct ckpt_rec *rec = (void *)(image->data +
					image_find(image, CKPT_REC_SHARED_PAGES, 0));
	uint8_t *p = (uint8_t *)(rec + 1);
	size_t at;
	int i;

	if (!(rec->flags & CKPT_RECF_PACKED))
		return p + offset;
	p += sizeof(struct ckpt_rec_packed);
	for (at = 0; at <= offset; at += 8) {
		uint8_t mask = *p++;

		for (i = 0; i < 8; i++) {
			if (at + i == offset && mask & 1 << i)
				return p;
			p += mask >> i & 1;
		}
		if (!mask)
			at += *p++ * 8;
	}
	return NULL;
}

/* Restarts with @value in place of a byte of the run with number @nr. */
static int restart_with(struct subject *s, struct image *image, unsigned int nr,
			size_t member, uint8_t value)
{
	uint8_t *byte = packed_byte(image, nr * sizeof(struct ckpt_rec_shared_pages) + member);
	uint8_t good;
	int ret;

	if (!byte || *byte == value)
		return -1;
	good = *byte;
	*byte = value;
	image_seal(image, image_find(image, CKPT_REC_SHARED_PAGES, 0));
	ret = image_store(image, s->image) ? -1 : subject_restart(s, 0) ? s->err : 0;
	*byte = good;
	image_seal(image, image_find(image, CKPT_REC_SHARED_PAGES, 0));
	return ret;
}

TEST_F_TIMEOUT(wrong, reference, TEST_TIMEOUT)
{
	const size_t mm = offsetof(struct ckpt_rec_shared_pages, mm);
	const size_t from = offsetof(struct ckpt_rec_shared_pages, from);
	struct image *image = &self->image;
	struct ckpt_rec_shared_pages *runs = image_payload(image, CKPT_REC_SHARED_PAGES, 0);
	struct subject *s = &self->s;
	unsigned int nr = 0;

	ASSERT_NE(NULL, runs);
	while (runs[nr].addr < 0x7f0000000000)
		nr++;
	/* A tag that there is not, and one that a file has. */
	EXPECT_EQ(EBADMSG, restart_with(s, image, nr, mm, 0xff));
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_IMAGE)) messages_show(s);
	EXPECT_EQ(EBADMSG, restart_with(s, image, nr, mm, 1));
	/* Nothing is there, on either side. */
	EXPECT_EQ(EBADMSG, restart_with(s, image, nr, from + 5, 0x11));
	EXPECT_EQ(EBADMSG, restart_with(s, image, nr, from + 5, 0xff));
	nr = 0;
	while (runs[nr + 1].addr > runs[nr].addr)
		nr++;
	EXPECT_EQ(EBADMSG, restart_with(s, image, nr, 5, 0xff));
}

TEST_HARNESS_MAIN

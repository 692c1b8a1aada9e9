// SPDX-License-Identifier: GPL-2.0-only
/* Private memory that processes share since fork(2). */
#include "kselftest_harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "swap.h"

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
COW_TEST(locked)
COW_TEST(huge)
COW_TEST(file)

/* Pages that are mapped one by one are huge afterwards if the first process has them all. */
TEST_F_TIMEOUT(cow, huge_owner, TEST_TIMEOUT)
{
	self->s.nosnap = true;
	ASSERT_EQ(0, subject_run(&self->s, "cow_huge_owner", variant->way));
}

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

/* The image is memory of the same group: it would be swapped out in place of ours. */
static int run_swapped(struct subject *s, enum way way)
{
	int i;

	/* It compares itself; what smaps says of memory changes as it is sent away. */
	s->nosnap = true;
	if (subject_start(s, way == WAY_KILL ? "cow_swapped " SWAP_GROUP "/memory.reclaim" :
			     "cow_swapped " SWAP_GROUP "/memory.reclaim stay"))
		return -1;
	for (i = 0; i < 2; i++) {
		if (subject_expect(s, "ready") || subject_cycle(s, way))
			return -1;
		if (unlink(s->image) && errno != ENOENT)
			return -1;
		if (subject_go(s))
			return -1;
	}
	return subject_end(s);
}

/* A part of the pages is on swap space. */
TEST_F_TIMEOUT(cow, swapped, TEST_TIMEOUT)
{
	int ret;

	if (access(SWAP_DEVICE, F_OK))
		SKIP(return, "no " SWAP_DEVICE);
	ASSERT_EQ(0, swap_on());
	ASSERT_EQ(0, swap_group_enter());
	ret = run_swapped(&self->s, variant->way);
	/* Also after a failure: others want the device. */
	subject_destroy(&self->s);
	EXPECT_EQ(0, subject_init(&self->s));
	EXPECT_EQ(0, swap_group_leave());
	EXPECT_EQ(0, swap_off());
	ASSERT_EQ(0, ret);
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

/* What was there before may have ended meanwhile. */
static int wait_tasks(int nr)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	while (count_tasks() > nr && now_ns() < deadline)
		poll_pause();
	return count_tasks() > nr ? -1 : 0;
}

/* Its workers are stopped, and would not end with their parent. */
static int end_tree(struct subject *s, struct image *image)
{
	struct ckpt_rec_tree *tree = image_payload(image, CKPT_REC_TREE, 0);
	struct ckpt_rec_task *tasks = (struct ckpt_rec_task *)(tree + 1);
	uint32_t i;

	for (i = 0; i < tree->nr_tasks; i++)
		kill(tasks[i].tid, SIGKILL);
	return subject_reap(s, SIGKILL);
}

/* Nothing is left, and the image as it was is good. */
FIXTURE_TEARDOWN(wrong)
{
	struct subject *s = &self->s;

	EXPECT_EQ(0, wait_tasks(self->tasks));
	EXPECT_EQ(0, image_store(&self->image, s->image));
	EXPECT_EQ(0, subject_restart(s, RESTART_FROZEN)) messages_show(s);
	EXPECT_EQ(0, end_tree(s, &self->image));
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

static uint32_t mm_tag(const struct image *image, unsigned int nr)
{
	return ((struct ckpt_rec *)(image->data + image_find(image, CKPT_REC_MM, nr)))->tag;
}

/* To itself, and to one that comes later: they would wait for each other. */
TEST_F_TIMEOUT(wrong, circle, TEST_TIMEOUT)
{
	const size_t mm = offsetof(struct ckpt_rec_shared_pages, mm);
	struct image *image = &self->image;
	struct subject *s = &self->s;
	unsigned int nr;

	for (nr = 1; nr < 4; nr++) {
		ASSERT_GT(256, mm_tag(image, nr));
		EXPECT_EQ(EBADMSG, restart_with(s, image, 0, mm, mm_tag(image, nr)));
		EXPECT_TRUE(message_has(s, "error", CKPT_WHY_IMAGE)) messages_show(s);
	}
}

/* Behind the zero bytes that fill up to a page. */
static size_t data_of(const struct image *image, unsigned int nr)
{
	size_t at = image_find(image, CKPT_REC_PAGES, nr);
	const struct ckpt_rec *rec = (const void *)(image->data + at);

	return (at + sizeof(*rec) + rec->length + 4095) & ~4095UL;
}

/* Pages of any of the processes, which read them while others do. */
TEST_F_TIMEOUT(wrong, page_data, TEST_TIMEOUT)
{
	struct image *image = &self->image;
	struct subject *s = &self->s;
	size_t size = image->size, at;
	unsigned int nr;

	for (nr = 0; nr < 5; nr++) {
		at = data_of(image, nr);
		image->data[at + 4000] ^= 0x10;
		ASSERT_EQ(0, image_store(image, s->image));
		image->data[at + 4000] ^= 0x10;
		EXPECT_NE(0, subject_restart(s, 0));
		EXPECT_EQ(EBADMSG, s->err);
		EXPECT_TRUE(message_has(s, "error", CKPT_WHY_IMAGE)) messages_show(s);
		image->size = at + 100;
		ASSERT_EQ(0, image_store(image, s->image));
		image->size = size;
		EXPECT_NE(0, subject_restart(s, 0));
		EXPECT_EQ(EBADMSG, s->err);
	}
}

/* Kills a process of the tree soon after it has appeared. */
static pid_t start_killer(pid_t victim, unsigned int delay_us)
{
	pid_t killer = fork();

	if (killer)
		return killer;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (kill(victim, 0))
		;
	usleep(delay_us);
	_exit(!!kill(victim, SIGKILL));
}

#define KILLS	40

/* While all of them make their address spaces, and wait for those of others. */
TEST_F_TIMEOUT(wrong, killed, TEST_TIMEOUT)
{
	struct ckpt_rec_tree *tree;
	struct ckpt_rec_task *tasks;
	struct subject *s = &self->s;
	int i, ret, killed = 0;
	pid_t killer;

	tree = image_payload(&self->image, CKPT_REC_TREE, 0);
	tasks = (struct ckpt_rec_task *)(tree + 1);
	ASSERT_EQ(0, image_store(&self->image, s->image));
	for (i = 0; i < KILLS; i++) {
		killer = start_killer(tasks[i % tree->nr_tasks].tid, i * i * 50);
		ret = subject_restart(s, RESTART_FROZEN);
		if (ret) {
			killed++;
			ASSERT_TRUE(s->err == ESRCH || s->err == EINTR) messages_show(s);
			kill(killer, SIGKILL);
		}
		waitpid(killer, NULL, 0);
		if (!ret)
			ASSERT_EQ(0, end_tree(s, &self->image));
		ASSERT_EQ(0, wait_tasks(self->tasks));
	}
	say("%d of %d restarts were disturbed", killed, i);
}

TEST_HARNESS_MAIN

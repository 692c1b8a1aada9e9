// SPDX-License-Identifier: GPL-2.0-only
/* Memory of hugetlb pages. */
#include "kselftest_harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "pool.h"

#define GIGANTIC "/sys/kernel/mm/hugepages/hugepages-1048576kB/"
#define MOUNT	"/run/ckpt-huge"

FIXTURE(huge) {
	struct subject s;
};

FIXTURE_VARIANT(huge) {
	enum way way;
};

FIXTURE_VARIANT_ADD(huge, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(huge, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(huge, kill) { .way = WAY_KILL };

FIXTURE_SETUP(huge)
{
	ASSERT_EQ(0, subject_init(&self->s));
	if (!set_pool("10"))
		SKIP(return, "no 10 huge pages to be had");
}

/* Nothing is left in use or reserved. */
FIXTURE_TEARDOWN(huge)
{
	subject_destroy(&self->s);
	EXPECT_TRUE(pool_is_unused());
	write_file(POOL "nr_hugepages", "0", 1);
}

#define HUGE_TEST(name, command)					\
TEST_F_TIMEOUT(huge, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

HUGE_TEST(private, "huge_private")
HUGE_TEST(shared, "huge_shared")
HUGE_TEST(memfd, "huge_memfd")
HUGE_TEST(sysv, "huge_sysv")
HUGE_TEST(sysv_removed, "huge_sysv removed")

/* All that there are: each page that is not shared any more would be one too many. */
TEST_F_TIMEOUT(huge, forked, TEST_TIMEOUT)
{
	ASSERT_TRUE(set_pool("5"));
	ASSERT_EQ(0, subject_run(&self->s, "huge_forked", variant->way));
}

/* Of a process: its record is not packed. */
static struct ckpt_rec_vma *huge_mapping(struct image *image, int process)
{
	const struct ckpt_rec *rec = (void *)(image->data +
					      image_find(image, CKPT_REC_VMAS, process));
	struct ckpt_rec_vma *v = (void *)(rec + 1);
	size_t i;

	for (i = 0; i < rec->length / sizeof(*v); i++)
		if (v[i].end - v[i].start == 4 * (2UL << 20))
			return &v[i];
	return NULL;
}

/* The child has the reserve, says the image: what it shares was not taken from it. */
TEST_F_TIMEOUT(huge, other_owner, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct ckpt_rec_vma *v;
	struct image image;
	int i;

	if (variant->way != WAY_KILL)
		SKIP(return, "it takes a restart");
	ASSERT_EQ(0, subject_start(s, "huge_forked"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&image, s->image));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, image_unpack(&image, CKPT_REC_VMAS, i));
		v = huge_mapping(&image, i);
		ASSERT_NE(NULL, v);
		ASSERT_EQ(i ? CKPT_VMA_UNRESERVED : 0, v->flags & CKPT_VMA_UNRESERVED);
		v->flags ^= CKPT_VMA_UNRESERVED;
		image_seal(&image, image_find(&image, CKPT_REC_VMAS, i));
	}
	ASSERT_EQ(0, image_store(&image, s->image));
	image_free(&image);
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	/* One of four is not there yet. */
	EXPECT_EQ(1, pool_file(POOL "resv_hugepages"));
}

static int on_hugetlbfs(struct subject *s, const char *command, enum way way)
{
	int ret;

	mkdir(MOUNT, 0755);
	if (mount("none", MOUNT, "hugetlbfs", 0, "pagesize=2M"))
		return -1;
	ret = subject_run(s, command, way);
	umount2(MOUNT, MNT_DETACH);
	rmdir(MOUNT);
	return ret;
}

TEST_F_TIMEOUT(huge, file, TEST_TIMEOUT)
{
	ASSERT_EQ(0, on_hugetlbfs(&self->s, "huge_file " MOUNT "/file", variant->way));
}

TEST_F_TIMEOUT(huge, removed, TEST_TIMEOUT)
{
	ASSERT_EQ(0, on_hugetlbfs(&self->s, "huge_file " MOUNT "/file removed", variant->way));
}

/* Of the other size, where the guest has room for it. */
FIXTURE(gigantic) {
	struct subject s;
	long nr;
};

FIXTURE_VARIANT(gigantic) {
	enum way way;
};

FIXTURE_VARIANT_ADD(gigantic, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(gigantic, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(gigantic, kill) { .way = WAY_KILL };

FIXTURE_SETUP(gigantic)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.nosnap = true;
	self->nr = pool_file(GIGANTIC "nr_hugepages");
	if (self->nr < 1)
		SKIP(return, "no page of 1 GiB to be had (hugepagesz=1G hugepages=1)");
	ASSERT_TRUE(pool_becomes(GIGANTIC "free_hugepages", self->nr));
}

FIXTURE_TEARDOWN(gigantic)
{
	subject_destroy(&self->s);
	if (self->nr < 1)
		return;
	EXPECT_TRUE(pool_becomes(GIGANTIC "resv_hugepages", 0));
	EXPECT_TRUE(pool_becomes(GIGANTIC "free_hugepages", self->nr));
}

#define GIGANTIC_TEST(name)						\
TEST_F_TIMEOUT(gigantic, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, "huge_gigantic " #name, variant->way)); \
	ASSERT_FALSE(*self->s.skipped);					\
}

GIGANTIC_TEST(private)
GIGANTIC_TEST(shared)
GIGANTIC_TEST(memfd)

FIXTURE(few) {
	struct subject s;
	int tasks;
};

FIXTURE_VARIANT(few) {
	const char *command;
	const char *nr;
	const char *needed;
};

FIXTURE_VARIANT_ADD(few, private) {
	.command = "huge_private", .nr = "2", .needed = "3 more huge pages of 2048 kB",
};

/* Reserved pages are enough, the others are not. */
FIXTURE_VARIANT_ADD(few, unreserved) {
	.command = "huge_private", .nr = "4", .needed = "1 more huge pages of 2048 kB",
};

FIXTURE_VARIANT_ADD(few, shared) {
	.command = "huge_shared", .nr = "2", .needed = "3 more huge pages of 2048 kB",
};

FIXTURE_VARIANT_ADD(few, memfd) {
	.command = "huge_memfd", .nr = "3", .needed = "4 more huge pages of 2048 kB",
};

FIXTURE_VARIANT_ADD(few, sysv) {
	.command = "huge_sysv removed", .nr = "1", .needed = "3 more huge pages of 2048 kB",
};

FIXTURE_SETUP(few)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	if (!set_pool("10"))
		SKIP(return, "no 10 huge pages to be had");
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	self->tasks = count_tasks();
	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

FIXTURE_TEARDOWN(few)
{
	subject_destroy(&self->s);
	EXPECT_TRUE(pool_is_unused());
	write_file(POOL "nr_hugepages", "0", 1);
}

/* Too few of them are an error that says so, and leaves none in use. */
TEST_F_TIMEOUT(few, refused, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_TRUE(set_pool(variant->nr));
	EXPECT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(ENOMEM, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_LIMIT)) messages_show(s);
	EXPECT_LT(0, messages_count(s, "", -1, variant->needed)) messages_show(s);
	EXPECT_LT(0, messages_count(s, "", -1, POOL "nr_hugepages")) messages_show(s);
	EXPECT_EQ(self->tasks, count_tasks());
	EXPECT_TRUE(pool_is_unused());
	ASSERT_TRUE(set_pool("10"));
	ASSERT_EQ(0, subject_restart(s, RESTART_FROZEN)) messages_show(s);
	kill(s->pid, SIGKILL);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

/* What would change the file when it is mapped again. */
TEST_F_TIMEOUT(huge, beyond, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "huge_beyond"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	ASSERT_TRUE(message_has(s, "obstacle", CKPT_WHY_MAPPING_FLAG)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

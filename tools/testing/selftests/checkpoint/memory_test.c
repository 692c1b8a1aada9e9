// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces. The subject compares contents; mappings, their flags, the
 * arguments, environment and auxiliary vector are compared through /proc.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "common.h"
#include "pool.h"

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
	leave_small_pages();
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
MEMORY_TEST(without_vdso, "novdso")
MEMORY_TEST(run_time_code, "jit")
MEMORY_TEST(lowest_and_highest, "edges")
MEMORY_TEST(private_file, "private")
MEMORY_TEST(shared_file, "sharedfile")
/* The directory of the subject is on a tmpfs, this one on an overlayfs. */
MEMORY_TEST(private_overlay, "private /var/tmp")
MEMORY_TEST(shared_overlay, "sharedfile /var/tmp")
MEMORY_TEST(dev_zero, "devzero")
MEMORY_TEST(programs, "programs")
MEMORY_TEST(arguments, "title xxxxxxxxxxxx")
MEMORY_TEST(dumpable, "dumpable")
MEMORY_TEST(truncated_file, "cutfile")
MEMORY_TEST(moved, "moved")

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

/* Page data of many chunks, whose checksums another processor may take. */
FIXTURE(bulk) {
	struct subject s;
};

FIXTURE_SETUP(bulk)
{
	ASSERT_EQ(0, subject_init(&self->s));
	ASSERT_EQ(0, subject_start(&self->s, "bulk 24"));
	ASSERT_EQ(0, subject_expect(&self->s, "ready"));
}

FIXTURE_TEARDOWN(bulk)
{
	subject_destroy(&self->s);
}

/* Reads so much of a pipe and goes away. */
static pid_t start_reader(const int *p, size_t bytes)
{
	static char buf[1 << 16];
	pid_t pid = fork();
	ssize_t n;

	if (pid)
		return pid;
	close(p[1]);
	while (bytes) {
		n = read(p[0], buf, bytes < sizeof(buf) ? bytes : sizeof(buf));
		if (n <= 0)
			_exit(1);
		bytes -= n;
	}
	_exit(0);
}

TEST_F_TIMEOUT(bulk, reader_gone, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int i, p[2], status;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
		pid = start_reader(p, 10000 + i * 1100000);
		close(p[0]);
		EXPECT_EQ(-1, subject_save_fd(s, p[1], CHECKPOINT_KILL));
		EXPECT_EQ(EPIPE, s->err);
		close(p[1]);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(bulk, damaged, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	off_t size, at;
	uint8_t byte;
	int fd;

	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	size = image_size(s);
	fd = open(s->image, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (at = 300000; at < size; at += 2500000) {
		ASSERT_EQ(1, pread(fd, &byte, 1, at));
		byte ^= 1;
		ASSERT_EQ(1, pwrite(fd, &byte, 1, at));
		EXPECT_EQ(-1, subject_restart(s, 0));
		EXPECT_EQ(EBADMSG, s->err);
		byte ^= 1;
		ASSERT_EQ(1, pwrite(fd, &byte, 1, at));
	}
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	for (at = size - 1; at > 0; at -= 2500000) {
		ASSERT_EQ(0, ftruncate(fd, at));
		EXPECT_EQ(-1, subject_restart(s, 0));
		EXPECT_EQ(EBADMSG, s->err);
	}
	close(fd);
}

TEST_HARNESS_MAIN

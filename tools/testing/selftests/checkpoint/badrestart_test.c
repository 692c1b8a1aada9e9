// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restarts of good images that the system does not allow: pids in use, files
 * that are missing or are not what they were. Nothing is left behind.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "common.h"

/* Restarts that fail because of the system: the image is good. */
FIXTURE(restart) {
	struct subject s;
	int fds, tasks;
	pid_t pid;
};

FIXTURE_VARIANT(restart) {
	const char *command;
};

FIXTURE_VARIANT_ADD(restart, one_thread) { .command = "holder" };
FIXTURE_VARIANT_ADD(restart, threads) { .command = "holder 4" };

FIXTURE_SETUP(restart)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	s->program = "subject-static";
	self->fds = count_fds();
	self->tasks = count_tasks();
	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	self->pid = s->pid;
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

/* Nothing is left, and when the cause is gone the restart succeeds. */
FIXTURE_TEARDOWN(restart)
{
	struct subject *s = &self->s;

	EXPECT_EQ(self->fds, count_fds());
	EXPECT_EQ(self->tasks, count_tasks());
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
	if (!s->pid) {
		EXPECT_EQ(0, subject_restart(s, 0)) messages_show(s);
		EXPECT_EQ(0, subject_go(s));
		EXPECT_EQ(0, subject_end(s));
	}
	subject_destroy(s);
}

static int refused(struct subject *s, int err, int code, const char *name)
{
	struct message m[16];
	int i, n;

	if (!subject_restart(s, 0) || s->err != err) {
		say("restart: %s", strerror(s->err));
		messages_show(s);
		return -1;
	}
	n = messages_read(s, m, ARRAY_SIZE(m));
	for (i = 0; i < n; i++)
		if (!strcmp(m[i].word, "error") && m[i].code == code && m[i].err == err &&
		    strstr(m[i].text, name))
			return 0;
	say("no message with code %d and \"%s\"", code, name);
	messages_show(s);
	return -1;
}

/* A process that has this very pid. */
static pid_t occupy(pid_t pid)
{
	char text[16];
	pid_t got = 0;
	int i, n;

	for (i = 0; i < 100 && got != pid; i++) {
		if (got > 0) {
			kill(got, SIGKILL);
			waitpid(got, NULL, 0);
		}
		n = snprintf(text, sizeof(text), "%d", pid - 1);
		if (write_file("/proc/sys/kernel/ns_last_pid", text, n))
			return -1;
		got = fork();
		if (!got) {
			pause();
			_exit(0);
		}
	}
	return got;
}

TEST_F_TIMEOUT(restart, pid_in_use, TEST_TIMEOUT)
{
	char text[16];
	pid_t pid = occupy(self->pid);

	ASSERT_EQ(self->pid, pid);
	snprintf(text, sizeof(text), "%d", pid);
	EXPECT_EQ(0, refused(&self->s, EEXIST, CKPT_WHY_PID_IN_USE, text));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* Of the last thread, when all others exist already. */
TEST_F_TIMEOUT(restart, tid_in_use, TEST_TIMEOUT)
{
	struct ckpt_rec_tree *tree;
	struct ckpt_rec_task *task;
	struct image image;
	char text[16];
	pid_t pid, tid;

	ASSERT_EQ(0, image_load(&image, self->s.image));
	tree = image_payload(&image, CKPT_REC_TREE, 0);
	ASSERT_NE(NULL, tree);
	task = (void *)(tree + 1);
	tid = task[tree->nr_tasks - 1].tid;
	image_free(&image);
	pid = occupy(tid);
	ASSERT_EQ(tid, pid);
	snprintf(text, sizeof(text), "%d", tid);
	EXPECT_EQ(0, refused(&self->s, EEXIST, CKPT_WHY_PID_IN_USE, text));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

static char *in_dir(struct subject *s, const char *name)
{
	static char path[2][120];
	static int n;

	n = !n;
	snprintf(path[n], sizeof(path[n]), "%s/%s", s->dir, name);
	return path[n];
}

/* The holder has "open" open, "mapped" mapped, and is in "cwd". */
FIXTURE(changed) {
	struct subject s;
};

FIXTURE_VARIANT(changed) {
	const char *name;
};

FIXTURE_VARIANT_ADD(changed, open_file) { .name = "open" };
FIXTURE_VARIANT_ADD(changed, mapped_file) { .name = "mapped" };

FIXTURE_SETUP(changed)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	s->program = "subject-static";
	ASSERT_EQ(0, subject_start(s, "holder"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

FIXTURE_TEARDOWN(changed)
{
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(changed, missing, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, rename(in_dir(s, variant->name), in_dir(s, "away")));
	EXPECT_EQ(0, refused(s, ESTALE, CKPT_WHY_FILE_MISSING, variant->name));
	ASSERT_EQ(0, rename(in_dir(s, "away"), in_dir(s, variant->name)));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(changed, longer, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, truncate(in_dir(s, variant->name), 100000));
	EXPECT_EQ(0, refused(s, ESTALE, CKPT_WHY_FILE_CHANGED, variant->name));
}

/* Of the same size, but written to. */
TEST_F_TIMEOUT(changed, written, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct stat st;
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	struct timespec before;
	int fd = open(in_dir(s, variant->name), O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	before = st.st_mtim;
	/* The clock of files is coarse. */
	do {
		ASSERT_EQ(1, pwrite(fd, "x", 1, 0));
		ASSERT_EQ(0, fstat(fd, &st));
	} while (!memcmp(&before, &st.st_mtim, sizeof(before)) && now_ns() < deadline);
	close(fd);
	EXPECT_EQ(0, refused(s, ESTALE, CKPT_WHY_FILE_CHANGED, variant->name));
}

TEST_F_TIMEOUT(changed, is_directory, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, unlink(in_dir(s, variant->name)));
	ASSERT_EQ(0, mkdir(in_dir(s, variant->name), 0755));
	EXPECT_EQ(0, refused(s, ESTALE, CKPT_WHY_FILE_CHANGED, variant->name));
}

TEST_F_TIMEOUT(changed, directory_missing, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, rmdir(in_dir(s, "cwd")));
	EXPECT_EQ(0, refused(s, ESTALE, CKPT_WHY_FILE_MISSING, "cwd"));
	ASSERT_EQ(0, write_file(in_dir(s, "cwd"), "x", 1));
	EXPECT_EQ(0, refused(s, ESTALE, CKPT_WHY_FILE_MISSING, "cwd"));
}

TEST_HARNESS_MAIN

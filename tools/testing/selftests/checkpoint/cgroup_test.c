// SPDX-License-Identifier: GPL-2.0-only
/* Membership in cgroups: always recorded, put back if the restarter asks. */
#include "kselftest_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common.h"

#define ROOT	"/sys/fs/cgroup"

FIXTURE(cgroup) {
	struct subject s;
	char top[64], inner[80];
	int root;
};

FIXTURE_SETUP(cgroup)
{
	snprintf(self->top, sizeof(self->top), ROOT "/ckpt-test-%d", getpid());
	snprintf(self->inner, sizeof(self->inner), "%s/inner", self->top);
	self->root = open(ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mkdir(self->top, 0755))
		SKIP(return, "no cgroup2 at " ROOT);
	ASSERT_EQ(0, mkdir(self->inner, 0755));
	ASSERT_EQ(0, subject_init(&self->s));
}

/* A cgroup can be removed as soon as all in it have been waited for. */
static int remove_cgroup(const char *path)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	while (rmdir(path) && errno == EBUSY && now_ns() < deadline)
		poll_pause();
	return access(path, F_OK) ? 0 : -1;
}

FIXTURE_TEARDOWN(cgroup)
{
	subject_destroy(&self->s);
	EXPECT_EQ(0, remove_cgroup(self->inner));
	EXPECT_EQ(0, remove_cgroup(self->top));
	close(self->root);
}

static int put(const char *cgroup, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	return write_file(path, text, strlen(text));
}

static int enter(const char *cgroup, const char *file, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return put(cgroup, file, text);
}

/* Its cgroup as a path below the root, or "". */
static const char *cgroup_of(pid_t pid, pid_t tid)
{
	static char text[512];
	char path[64], *line;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/cgroup", pid, tid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return "";
	line = strstr(text, "0::/");
	if (!line)
		return "";
	line[strcspn(line, "\n")] = 0;
	return line + 3;
}

/* The one child, or another thread, of a process. */
static pid_t other(pid_t pid, const char *what)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, pid, what);
	return read_file(path, text, sizeof(text)) > 0 ? atoi(text) : 0;
}

static pid_t other_thread(pid_t pid)
{
	struct dirent *entry;
	pid_t found = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) && atoi(entry->d_name) != pid)
			found = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

TEST_F_TIMEOUT(cgroup, processes, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	const char *here;
	pid_t child;

	ASSERT_EQ(0, subject_start(s, "child"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	child = other(s->pid, "children");
	ASSERT_LT(0, child);
	ASSERT_EQ(0, enter(self->inner, "cgroup.procs", child));
	ASSERT_EQ(0, enter(self->top, "cgroup.procs", s->pid));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	/* By default in ours. */
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	here = strdup(cgroup_of(getpid(), getpid()));
	EXPECT_STREQ(here, cgroup_of(s->pid, s->pid));
	EXPECT_STREQ(here, cgroup_of(child, child));
	ASSERT_EQ(0, kill(s->pid, SIGKILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	s->cgroup_fd = self->root;
	ASSERT_EQ(0, subject_restart(s, RESTART_CGROUPS)) messages_show(s);
	EXPECT_STREQ(self->top + strlen(ROOT), cgroup_of(s->pid, s->pid));
	EXPECT_STREQ(self->inner + strlen(ROOT), cgroup_of(child, child));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(cgroup, threads, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	pid_t tid;

	ASSERT_EQ(0, put(self->inner, "cgroup.type", "threaded"));
	ASSERT_EQ(0, subject_start(s, "threads 3"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	tid = other_thread(s->pid);
	ASSERT_LT(0, tid);
	ASSERT_EQ(0, enter(self->top, "cgroup.procs", s->pid));
	ASSERT_EQ(0, enter(self->inner, "cgroup.threads", tid));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	s->cgroup_fd = self->root;
	ASSERT_EQ(0, subject_restart(s, RESTART_CGROUPS)) messages_show(s);
	EXPECT_STREQ(self->top + strlen(ROOT), cgroup_of(s->pid, s->pid));
	EXPECT_STREQ(self->inner + strlen(ROOT), cgroup_of(s->pid, tid));
	ASSERT_EQ(0, kill(s->pid, SIGKILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

/* Not there any more, not a cgroup at all, no descriptor. */
TEST_F_TIMEOUT(cgroup, gone, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int tasks = count_tasks();

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	ASSERT_EQ(0, enter(self->inner, "cgroup.procs", s->pid));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, remove_cgroup(self->inner));
	s->cgroup_fd = self->root;
	EXPECT_EQ(-1, subject_restart(s, RESTART_CGROUPS));
	EXPECT_EQ(ENOENT, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_CGROUP)) messages_show(s);
	s->cgroup_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(0, chdir("/"));
	EXPECT_EQ(-1, subject_restart(s, RESTART_CGROUPS));
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_CGROUP)) messages_show(s);
	close(s->cgroup_fd);
	s->cgroup_fd = 1 << 20;
	EXPECT_EQ(-1, subject_restart(s, RESTART_CGROUPS));
	EXPECT_EQ(EBADF, s->err);
	EXPECT_EQ(tasks, count_tasks());
	s->cgroup_fd = 0;
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of mapping. The subject compares contents and behaviour; mappings
 * with their borders and flags are compared through /proc.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"
#include "pool.h"
#include "swap.h"

FIXTURE(memory2) {
	struct subject s;
};

FIXTURE_VARIANT(memory2) {
	enum way way;
};

FIXTURE_VARIANT_ADD(memory2, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(memory2, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(memory2, kill) { .way = WAY_KILL };

FIXTURE_SETUP(memory2)
{
	leave_small_pages();
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(memory2)
{
	subject_destroy(&self->s);
}

#define MEMORY_TEST(name, command)					\
TEST_F_TIMEOUT(memory2, name, TEST_TIMEOUT)				\
{									\
	struct subject *s = &self->s;					\
									\
	ASSERT_EQ(0, subject_run(s, command, variant->way));		\
	if (*s->skipped)						\
		SKIP(return, "%s", s->skipped);				\
}

MEMORY_TEST(apart, "apart")
MEMORY_TEST(locks, "locks")
MEMORY_TEST(lock_current, "lockall 1")
MEMORY_TEST(lock_future, "lockall 2")
MEMORY_TEST(lock_all, "lockall 3")
MEMORY_TEST(lock_all_on_fault, "lockall 7")
MEMORY_TEST(sealed, "sealed")
MEMORY_TEST(droppable, "droppable")
MEMORY_TEST(keys, "keys")
MEMORY_TEST(nodes, "nodes")
MEMORY_TEST(guarded, "guarded")
MEMORY_TEST(merged, "merged")
MEMORY_TEST(lazyfree, "lazyfree")
MEMORY_TEST(stays_huge, "stays_huge")
MEMORY_TEST(twins, "twins equal")
MEMORY_TEST(twins_unequal, "twins unequal")
MEMORY_TEST(twins_locked, "twins locked")
MEMORY_TEST(twins_unlike_fork, "twins unlike_fork")
MEMORY_TEST(twins_named, "twins named")
MEMORY_TEST(twins_sysv, "twins sysv")
MEMORY_TEST(soft_dirty, "softdirty")
MEMORY_TEST(limits, "memlimits")

/* Never ends by itself: the kernel moves all pages that it can, again and again. */
static pid_t start_moving(void)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "1", 1) != 1)
			_exit(1);
		close(fd);
	}
}

/* Pages are under migration while they are saved, and while they are restored. */
TEST_F_TIMEOUT(memory2, migrating, TEST_TIMEOUT)
{
	pid_t pid = start_moving();
	int ret, status;

	ASSERT_LT(0, pid);
	ret = subject_run(&self->s, "bulk 16", variant->way);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	ASSERT_EQ(0, ret);
}

TEST_F_TIMEOUT(memory2, swapped, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int ret;

	if (swap_on())
		SKIP(return, "no swap device: %s", strerror(errno));
	ret = subject_run(s, "swapped", variant->way);
	EXPECT_EQ(0, swap_off());
	ASSERT_EQ(0, ret);
	if (*s->skipped)
		SKIP(return, "%s", s->skipped);
}

/* Locked memory takes what mlock() takes: a limit, or a capability. */
FIXTURE(limited) {
	struct subject s;
};

FIXTURE_SETUP(limited)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(limited)
{
	subject_destroy(&self->s);
}

static int drop_ipc_lock(rlim_t limit)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	struct rlimit rl = { limit, limit };

	if (syscall(SYS_capget, &head, data))
		return -1;
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	data[0].permitted &= ~(1U << CAP_IPC_LOCK);
	return setrlimit(RLIMIT_MEMLOCK, &rl) || syscall(SYS_capset, &head, data);
}

/* In a process of its own: the error of the restart, which must fail. */
static int restart_limited(struct subject *s, rlim_t limit)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(drop_ipc_lock(limit) || !subject_restart(s, 0) ? 255 : s->err);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F_TIMEOUT(limited, locked, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing is saved");
	ASSERT_EQ(0, subject_start(s, "sealed"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	EXPECT_EQ(EPERM, restart_limited(s, 0));
	EXPECT_EQ(ENOMEM, restart_limited(s, 3 * 4096)) messages_show(s);
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* What grows with the size must grow with nothing else. */
FIXTURE(costs) {
	struct subject s;
};

FIXTURE_SETUP(costs)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(costs)
{
	subject_destroy(&self->s);
}

static int save_stats(struct subject *s, struct checkpoint_stats *stats)
{
	struct checkpoint_args args = {
		.log_fd = s->log_fd, .stats = (uintptr_t)stats, .stats_size = sizeof(*stats),
	};
	int fd = open(s->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	long ret;

	if (fd < 0)
		return -1;
	ret = sys_checkpoint(s->pid, fd, CHECKPOINT_KILL | CHECKPOINT_ARGS, &args, sizeof(args));
	close(fd);
	return ret > 0 ? 0 : -1;
}

static int restart_stats(struct subject *s, struct checkpoint_stats *stats)
{
	uint64_t start = now_ns();

	memset(stats, 0, sizeof(*stats));
	if (subject_restart(s, 0)) {
		messages_show(s);
		return -1;
	}
	stats->total_ns = now_ns() - start;
	return 0;
}

/* Saves, kills and restarts; tells in milliseconds what that took. */
static int cost(struct subject *s, const char *command, unsigned long *save,
		unsigned long *restart)
{
	struct checkpoint_stats stats;

	if (subject_start(s, command) || subject_expect(s, "ready") ||
	    save_stats(s, &stats) || subject_reap(s, SIGKILL))
		return -1;
	*save = stats.total_ns / 1000000 + 1;
	if (restart_stats(s, &stats) || subject_go(s) || subject_end(s))
		return -1;
	*restart = stats.total_ns / 1000000 + 1;
	say("%s: saved in %lu ms, restarted in %lu ms", command, *save, *restart);
	subject_destroy(s);
	return subject_init(s);
}

/* Eight times as many mappings: 64 times as long would be quadratic. */
TEST_F_TIMEOUT(costs, many_mappings, TEST_TIMEOUT)
{
	unsigned long save[2], restart[2];

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing is saved");
	ASSERT_EQ(0, cost(&self->s, "vmas 7500", &save[0], &restart[0]));
	ASSERT_EQ(0, cost(&self->s, "vmas 60000", &save[1], &restart[1]));
	EXPECT_GT(30 * save[0], save[1]);
	EXPECT_GT(30 * restart[0], restart[1]);
}

static off_t image_size(struct subject *s)
{
	struct stat st;

	return stat(s->image, &st) ? -1 : st.st_size;
}

/* Address space alone costs neither time nor a byte of the image. */
TEST_F_TIMEOUT(costs, reserved, TEST_TIMEOUT)
{
	static const char * const commands[] = { "reserved 1", "reserved 64" };
	struct subject *s = &self->s;
	struct checkpoint_stats stats;
	unsigned long ms[2][2];
	off_t size[2];
	int i;

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing is saved");
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, cost(s, commands[i], &ms[i][0], &ms[i][1]));
		ASSERT_EQ(0, subject_start(s, commands[i]));
		ASSERT_EQ(0, subject_expect(s, "ready"));
		ASSERT_EQ(0, save_stats(s, &stats));
		ASSERT_EQ(0, subject_reap(s, SIGKILL));
		size[i] = image_size(s);
	}
	ASSERT_LT(0, size[0]);
	/* Where the stack begins is random, and so whether one page more is in use. */
	EXPECT_GE(2 * 4096, labs(size[1] - size[0])) say("%ld, %ld", size[0], size[1]);
	EXPECT_GT(4 * ms[0][0], ms[1][0]);
	EXPECT_GT(4 * ms[0][1], ms[1][1]);
}

/* A thousand times the room for the same data. */
TEST_F_TIMEOUT(costs, scattered, TEST_TIMEOUT)
{
	unsigned long save[2], restart[2];

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing is saved");
	ASSERT_EQ(0, cost(&self->s, "scattered 1", &save[0], &restart[0]));
	ASSERT_EQ(0, cost(&self->s, "scattered 1024", &save[1], &restart[1]));
	EXPECT_GT(4 * save[0], save[1]);
	EXPECT_GT(4 * restart[0], restart[1]);
}

TEST_HARNESS_MAIN

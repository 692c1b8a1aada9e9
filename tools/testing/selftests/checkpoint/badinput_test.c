// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that must fail: each with its errno and, where it is about a thing, a
 * message; the process, the caller and the system are as before.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common.h"

/* A computing process that must not notice anything. */
FIXTURE(save) {
	struct subject s;
	int fds, tasks;
	int image;
	char mounted[100];
};

FIXTURE_SETUP(save)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	s->program = "subject-static";
	self->image = open(s->image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->image);
	ASSERT_EQ(0, subject_start(s, "compute"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	self->fds = count_fds();
	self->tasks = count_tasks();
}

/* Nothing has changed, the result is right, and it can be saved. */
static int unharmed(struct subject *s, int fds, int tasks)
{
	unsigned long long rounds, state;

	if (count_fds() != fds || count_tasks() != tasks) {
		say("fds %d, now %d; tasks %d, now %d", fds, count_fds(), tasks, count_tasks());
		return -1;
	}
	if (way_now(WAY_KILL) != WAY_NONE && subject_save(s, 0)) {
		say("cannot be saved any more: %s", strerror(s->err));
		messages_show(s);
		return -1;
	}
	if (subject_go(s) || subject_read(s) ||
	    sscanf(s->line, "rounds %llu state %llx", &rounds, &state) != 2 ||
	    chain(1, rounds) != state)
		return -1;
	return subject_end(s);
}

FIXTURE_TEARDOWN(save)
{
	EXPECT_EQ(0, unharmed(&self->s, self->fds, self->tasks));
	if (self->mounted[0])
		umount2(self->mounted, MNT_DETACH);
	subject_destroy(&self->s);
	close(self->image);
}

/* A save of another process than the subject, with messages to its log. */
static int save_other(struct subject *s, pid_t pid, int fd)
{
	struct subject other = *s;
	int ret;

	other.pid = pid;
	ret = subject_save_fd(&other, fd, CHECKPOINT_KILL);
	return ret ? other.err : 0;
}

TEST_F_TIMEOUT(save, no_such_process, TEST_TIMEOUT)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_EQ(ESRCH, save_other(&self->s, pid, self->image));
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_GONE));
	ASSERT_EQ(ESRCH, save_other(&self->s, 0x7ffffff0, self->image));
	ASSERT_EQ(EINVAL, save_other(&self->s, -1, self->image));
}

TEST_F_TIMEOUT(save, zombie, TEST_TIMEOUT)
{
	pid_t pid = fork();
	siginfo_t info;

	if (!pid)
		_exit(0);
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(ESRCH, save_other(&self->s, pid, self->image));
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_GONE));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

static void *sleeper(void *arg)
{
	*(volatile pid_t *)arg = syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

/* A thread is no process, and its id not that of one. */
TEST_F_TIMEOUT(save, thread_id, TEST_TIMEOUT)
{
	volatile pid_t tid = 0;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, sleeper, (void *)&tid));
	while (!tid)
		poll_pause();
	EXPECT_EQ(ESRCH, save_other(&self->s, tid, self->image));
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

TEST_F_TIMEOUT(save, kernel_thread, TEST_TIMEOUT)
{
	char comm[32];

	if (read_file("/proc/2/comm", comm, sizeof(comm)) < 0 || strcmp(comm, "kthreadd\n"))
		SKIP(return, "no kernel threads here");
	EXPECT_EQ(EOPNOTSUPP, save_other(&self->s, 2, self->image));
	EXPECT_TRUE(message_has(&self->s, "obstacle", CKPT_WHY_KERNEL_TASK));
}

TEST_F_TIMEOUT(save, init, TEST_TIMEOUT)
{
	EXPECT_EQ(EOPNOTSUPP, save_other(&self->s, 1, self->image));
	EXPECT_TRUE(message_has(&self->s, "obstacle", CKPT_WHY_KERNEL_TASK));
}

/* Errno of a plain save of the subject into this file. */
static int save_errno(struct subject *s, int fd, unsigned long flags)
{
	return sys_checkpoint(s->pid, fd, flags, NULL, 0) < 0 ? errno : 0;
}

TEST_F_TIMEOUT(save, bad_fd, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int read_only = open(s->image, O_RDONLY | O_CLOEXEC);
	int path = open(s->image, O_PATH | O_CLOEXEC);
	int dir = open(s->dir, O_RDONLY | O_CLOEXEC);

	EXPECT_EQ(EBADF, save_errno(s, -1, CHECKPOINT_KILL));
	EXPECT_EQ(EBADF, save_errno(s, 987, CHECKPOINT_KILL));
	EXPECT_EQ(EBADF, save_errno(s, read_only, CHECKPOINT_KILL));
	EXPECT_EQ(EBADF, save_errno(s, path, CHECKPOINT_KILL));
	EXPECT_EQ(EBADF, save_errno(s, dir, CHECKPOINT_KILL));
	close(read_only);
	close(path);
	close(dir);
}

TEST_F_TIMEOUT(save, bad_log_fd, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int fds[] = { -2, 987, open("/dev/null", O_RDONLY | O_CLOEXEC) };
	struct checkpoint_args args = {};
	struct restart_args rargs = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		args.log_fd = fds[i];
		rargs.log_fd = fds[i];
		EXPECT_EQ(-1, sys_checkpoint(s->pid, self->image, CHECKPOINT_ARGS, &args,
					     sizeof(args)));
		EXPECT_EQ(EBADF, errno);
		EXPECT_EQ(-1, sys_restart(0, self->image, RESTART_ARGS, &rargs, sizeof(rargs)));
		EXPECT_EQ(EBADF, errno);
	}
	close(fds[2]);
}

TEST_F_TIMEOUT(save, flags, TEST_TIMEOUT)
{
	const unsigned long known = CHECKPOINT_KILL | CHECKPOINT_STOP | CHECKPOINT_ONLY |
				    CHECKPOINT_DRY_RUN | CHECKPOINT_SHARED_FILES |
				    CHECKPOINT_ARGS;
	const unsigned long restart_known = RESTART_FROZEN | RESTART_NEW_PIDS |
					    RESTART_CGROUPS | RESTART_ARGS;
	struct subject *s = &self->s;
	int bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(known & (1UL << bit)))
			EXPECT_EQ(EINVAL, save_errno(s, self->image, 1UL << bit)) say("%d", bit);
		if (restart_known & (1UL << bit))
			continue;
		EXPECT_EQ(-1, sys_restart(0, self->image, 1UL << bit, NULL, 0));
		EXPECT_EQ(EINVAL, errno) say("bit %d", bit);
	}
	EXPECT_EQ(EINVAL, save_errno(s, self->image, CHECKPOINT_KILL | CHECKPOINT_STOP));
	EXPECT_EQ(EINVAL, save_errno(s, self->image, CHECKPOINT_KILL | CHECKPOINT_DRY_RUN));
	EXPECT_EQ(EINVAL, save_errno(s, self->image, CHECKPOINT_STOP | CHECKPOINT_DRY_RUN));
	EXPECT_EQ(-1, sys_restart(-1, self->image, 0, NULL, 0));
	EXPECT_EQ(EINVAL, errno);
}

/* The argument structs of both calls, too small, too large, and nowhere. */
TEST_F_TIMEOUT(save, argument_struct, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	uint8_t space[8192] = {};
	struct checkpoint_args *args = (void *)space;
	struct restart_args *rargs = (void *)space;
	size_t size;

	args->log_fd = -1;
	for (size = 0; size <= sizeof(space); size += size < 40 ? 1 : 613) {
		int want = size < 24 ? EINVAL : size > 4096 ? E2BIG : 0;
		long ret = sys_checkpoint(s->pid, self->image, CHECKPOINT_DRY_RUN | CHECKPOINT_ARGS,
					  space, size);

		EXPECT_EQ(want, ret < 0 ? errno : 0) say("size %zu", size);
		if (!want)
			continue;
		EXPECT_EQ(-1, sys_restart(0, self->image, RESTART_ARGS, space, size));
		EXPECT_EQ(want, errno) say("size %zu", size);
	}
	for (size = sizeof(*rargs); size < 100; size += 25) {
		space[size] = 1;
		EXPECT_EQ(-1, sys_checkpoint(s->pid, self->image, CHECKPOINT_ARGS, space, 100));
		EXPECT_EQ(E2BIG, errno);
		EXPECT_EQ(-1, sys_restart(0, self->image, RESTART_ARGS, space, 100));
		EXPECT_EQ(E2BIG, errno);
		space[size] = 0;
	}
	EXPECT_EQ(-1, sys_checkpoint(s->pid, self->image, CHECKPOINT_ARGS, (void *)8, 24));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, sys_restart(0, self->image, RESTART_ARGS, NULL, 24));
	EXPECT_EQ(EFAULT, errno);
	args->reserved = 1;
	EXPECT_EQ(-1, sys_checkpoint(s->pid, self->image, CHECKPOINT_ARGS, space, 24));
	EXPECT_EQ(EINVAL, errno);
	args->reserved = 0;
	rargs->cgroup_fd = 1;
	EXPECT_EQ(-1, sys_restart(0, self->image, RESTART_ARGS, space, 24));
	EXPECT_EQ(EINVAL, errno);
	rargs->cgroup_fd = 0;
	rargs->reserved2 = 1;
	EXPECT_EQ(-1, sys_restart(0, self->image, RESTART_ARGS, space, 24));
	EXPECT_EQ(EINVAL, errno);
}

/* The disk is full in the middle: at several places. */
TEST_F_TIMEOUT(save, disk_full, TEST_TIMEOUT)
{
	static const char * const sizes[] = { "size=4k", "size=16k", "size=24k" };
	struct subject *s = &self->s;
	char path[120];
	size_t i;
	int fd;

	snprintf(self->mounted, sizeof(self->mounted), "%s/small", s->dir);
	snprintf(path, sizeof(path), "%s/image", self->mounted);
	ASSERT_EQ(0, mkdir(self->mounted, 0700));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (mount("none", self->mounted, "tmpfs", 0, sizes[i]))
			SKIP(return, "cannot mount");
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		EXPECT_LE(0, fd);
		EXPECT_EQ(-1, subject_save_fd(s, fd, CHECKPOINT_KILL));
		EXPECT_EQ(ENOSPC, s->err) messages_show(s);
		close(fd);
		ASSERT_EQ(0, umount2(self->mounted, 0));
	}
}

TEST_F_TIMEOUT(save, file_too_large, TEST_TIMEOUT)
{
	struct rlimit limit = { 20000, 20000 };

	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(EFBIG, save_errno(&self->s, self->image, CHECKPOINT_KILL));
	/* So that the check at the end can write an image. */
	limit.rlim_cur = RLIM_INFINITY;
	limit.rlim_max = RLIM_INFINITY;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
}

TEST_F_TIMEOUT(save, reader_gone, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char buf[100];
	int p[2];
	pid_t pid;

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	close(p[0]);
	EXPECT_EQ(EPIPE, save_errno(s, p[1], CHECKPOINT_KILL));
	close(p[1]);

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p));
	close(p[0]);
	EXPECT_EQ(EPIPE, save_errno(s, p[1], CHECKPOINT_KILL));
	close(p[1]);

	/* Gone after the first bytes; the pipe is so small that no image fits. */
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(4096, fcntl(p[1], F_SETPIPE_SZ, 4096));
	pid = fork();
	if (!pid) {
		close(p[1]);
		_exit(read(p[0], buf, 1) > 0 ? 0 : 1);
	}
	close(p[0]);
	EXPECT_EQ(EPIPE, save_errno(s, p[1], CHECKPOINT_KILL));
	close(p[1]);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

TEST_F_TIMEOUT(save, full_pipe, TEST_TIMEOUT)
{
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC | O_NONBLOCK));
	ASSERT_EQ(4096, fcntl(p[1], F_SETPIPE_SZ, 4096));
	EXPECT_EQ(EAGAIN, save_errno(&self->s, p[1], CHECKPOINT_KILL));
	close(p[0]);
	close(p[1]);
}

/* The log is full or gone: a save is not worth less for that. */
TEST_F_TIMEOUT(save, log_full, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct checkpoint_args args = { .log_fd = open("/dev/full", O_WRONLY | O_CLOEXEC) };

	ASSERT_LE(0, args.log_fd);
	EXPECT_LT(0, sys_checkpoint(s->pid, self->image, CHECKPOINT_ARGS, &args, sizeof(args)));
	EXPECT_EQ(-1, sys_checkpoint(1, self->image, CHECKPOINT_ARGS, &args, sizeof(args)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(args.log_fd);
}

TEST_HARNESS_MAIN

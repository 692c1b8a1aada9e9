// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls themselves: every flag, every kind of image file, both sides of a
 * save, generations of restarts, on idle and on computing processes.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common.h"

FIXTURE(basic) {
	struct subject s;
};

FIXTURE_SETUP(basic)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(basic)
{
	subject_destroy(&self->s);
}

/* Modes that need no more than to be interrupted. */
FIXTURE(way) {
	struct subject s;
};

FIXTURE_VARIANT(way) {
	enum way way;
};

FIXTURE_VARIANT_ADD(way, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(way, stop) { .way = WAY_STOP };
FIXTURE_VARIANT_ADD(way, kill) { .way = WAY_KILL };

FIXTURE_SETUP(way)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(way)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(way, idle, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "idle", variant->way));
}

TEST_F_TIMEOUT(way, static_program, TEST_TIMEOUT)
{
	self->s.program = "subject-static";
	ASSERT_EQ(0, subject_run(&self->s, "idle", variant->way));
}

TEST_F_TIMEOUT(way, process_group, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "group", variant->way));
}

TEST_F_TIMEOUT(way, session, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "session", variant->way));
}

/* Ends a computing subject; -1 if its result is wrong. */
static int compute_end(struct subject *s)
{
	unsigned long long rounds, state;

	if (subject_go(s) || subject_read(s))
		return -1;
	if (sscanf(s->line, "rounds %llu state %llx", &rounds, &state) != 2) {
		say("subject says \"%s\"", s->line);
		return -1;
	}
	if (chain(1, rounds) != state) {
		say("wrong result after %llu rounds", rounds);
		return -1;
	}
	return subject_end(s);
}

TEST_F_TIMEOUT(way, compute, TEST_TIMEOUT)
{
	self->s.moving = true;
	ASSERT_EQ(0, subject_start(&self->s, "compute"));
	ASSERT_EQ(0, subject_expect(&self->s, "ready"));
	ASSERT_EQ(0, subject_cycle(&self->s, variant->way));
	ASSERT_EQ(0, compute_end(&self->s));
}

/* Each restarted process is saved again. */
TEST_F_TIMEOUT(way, generations, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_run(&self->s, "idle 3", variant->way));
}

/* A stopped process stays stopped, here and there. */
TEST_F_TIMEOUT(way, stopped_before, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	/* Left out: after STOP the process would be continued too early. */
	if (variant->way == WAY_STOP)
		return;
	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, kill(s->pid, SIGSTOP));
	ASSERT_EQ(0, subject_in_state(s->pid, 'T'));
	ASSERT_EQ(0, subject_cycle(s, variant->way));
	ASSERT_EQ(0, subject_in_state(s->pid, 'T'));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, kill(s->pid, SIGCONT));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(basic, generations_computing, TEST_TIMEOUT)
{
	int i;

	self->s.moving = true;
	ASSERT_EQ(0, subject_start(&self->s, "compute"));
	ASSERT_EQ(0, subject_expect(&self->s, "ready"));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, subject_cycle(&self->s, WAY_KILL));
	ASSERT_EQ(0, compute_end(&self->s));
}

/* The original ends well, and then so does the copy; and once more. */
TEST_F_TIMEOUT(basic, restart_after_end, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	pid_t pid;
	int i;

	ASSERT_EQ(0, subject_start(s, "compute"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	pid = s->pid;
	ASSERT_EQ(0, subject_save(s, 0));
	ASSERT_EQ(0, compute_end(s));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
		ASSERT_EQ(pid, s->pid);
		ASSERT_EQ(0, compute_end(s));
	}
}

TEST_F_TIMEOUT(basic, dry_run, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct stat st;

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_DRY_RUN)) messages_show(s);
	ASSERT_EQ(0, stat(s->image, &st));
	ASSERT_EQ(0, st.st_size);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Nothing runs before it is told to. */
TEST_F_TIMEOUT(basic, frozen, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct pollfd pfd = { .fd = s->out, .events = POLLIN };

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_restart(s, RESTART_FROZEN)) messages_show(s);
	ASSERT_EQ(0, subject_in_state(s->pid, 'T'));
	ASSERT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, kill(s->pid, SIGCONT));
	ASSERT_EQ(0, subject_end(s));
}

/* The original and a copy with another pid at the same time. */
TEST_F_TIMEOUT(basic, new_pids, TEST_TIMEOUT)
{
	struct subject *s = &self->s, copy = *s;
	int in, out, old;

	ASSERT_EQ(0, subject_start(s, "fresh"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, 0));

	ASSERT_EQ(-1, subject_restart(s, 0));
	ASSERT_EQ(EEXIST, s->err);
	ASSERT_TRUE(message_has(s, "error", CKPT_WHY_PID_IN_USE)) messages_show(s);

	ASSERT_EQ(0, subject_restart(&copy, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_NE(s->pid, copy.pid);
	/* Both read the same pipe: one after the other. */
	ASSERT_EQ(0, subject_in_syscall(copy.pid, copy.pid, SYS_read));
	ASSERT_EQ(0, kill(s->pid, SIGSTOP));
	ASSERT_EQ(0, subject_in_state(s->pid, 'T'));
	ASSERT_EQ(0, subject_go(&copy));
	ASSERT_EQ(0, subject_read(&copy));
	ASSERT_EQ(2, sscanf(copy.line, "pid %d was %d", &in, &old));
	out = copy.pid;
	ASSERT_EQ(out, in);
	ASSERT_EQ(s->pid, old);
	ASSERT_EQ(0, subject_expect(&copy, "ready"));
	ASSERT_EQ(0, subject_go(&copy));
	ASSERT_EQ(0, subject_end(&copy));
	ASSERT_EQ(0, kill(s->pid, SIGCONT));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_read(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Ids are positive and never the same. */
TEST_F_TIMEOUT(basic, ids, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	long id[3];
	int i;

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, subject_save(s, 0));
		id[i] = s->id;
		ASSERT_LT(0, id[i]);
	}
	ASSERT_NE(id[0], id[1]);
	ASSERT_NE(id[1], id[2]);
	ASSERT_NE(id[0], id[2]);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Without arguments, by number, as the plainest C program would. */
TEST_F_TIMEOUT(basic, three_arguments, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int fd = open(s->image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_LT(0, syscall(__NR_checkpoint, s->pid, fd, CHECKPOINT_KILL, -1L, -1L));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	/* It lives on standard streams that are ours and would mix up TAP. */
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	s->pid = syscall(__NR_restart, 0, fd, RESTART_FROZEN, -1L, -1L);
	ASSERT_LT(0, s->pid);
	ASSERT_EQ(0, kill(s->pid, SIGKILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	close(fd);
}

static void check_stats(struct __test_metadata *_metadata, const struct checkpoint_stats *st,
			uint64_t elapsed)
{
	EXPECT_EQ(1, st->tasks);
	EXPECT_EQ(1, st->processes);
	EXPECT_LT(0, st->page_bytes);
	EXPECT_LT(st->page_bytes, st->image_bytes);
	EXPECT_LT(0, st->save_ns);
	EXPECT_LE(st->memory_ns, st->save_ns);
	EXPECT_LE(st->write_ns, st->save_ns);
	EXPECT_LE(st->freeze_ns, st->total_ns);
	EXPECT_LE(st->save_ns + st->release_ns, st->total_ns);
	EXPECT_LE(st->total_ns, elapsed);
}

TEST_F_TIMEOUT(basic, stats, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct checkpoint_stats stats = {};
	struct checkpoint_args args = {
		.log_fd = -1, .stats = (uintptr_t)&stats, .stats_size = sizeof(stats),
	};
	struct restart_args rargs = {
		.log_fd = -1, .stats = (uintptr_t)&stats, .stats_size = sizeof(stats),
	};
	int fd = open(s->image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	uint64_t start;
	struct stat st;

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	start = now_ns();
	ASSERT_LT(0, sys_checkpoint(s->pid, fd, CHECKPOINT_KILL | CHECKPOINT_ARGS, &args,
				    sizeof(args)));
	check_stats(_metadata, &stats, now_ns() - start);
	EXPECT_LT(0, stats.frozen_ns);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(st.st_size, stats.image_bytes);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));

	memset(&stats, 0, sizeof(stats));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	start = now_ns();
	s->pid = sys_restart(0, fd, RESTART_FROZEN | RESTART_ARGS, &rargs, sizeof(rargs));
	ASSERT_LT(0, s->pid);
	check_stats(_metadata, &stats, now_ns() - start);
	EXPECT_EQ(st.st_size, stats.image_bytes);
	close(fd);
}

/* A program that saves itself has the image open, which grows meanwhile. */
TEST_F_TIMEOUT(basic, saves_itself, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char command[200];
	int i;

	snprintf(command, sizeof(command), "selffile %s", s->image);
	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_expect(s, "original"));
	ASSERT_EQ(0, subject_end(s));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
		ASSERT_EQ(0, subject_expect(s, "copy"));
		ASSERT_EQ(0, subject_end(s));
	}
}

/* A caller's struct that is larger than the kernel's: the rest is zero. */
TEST_F_TIMEOUT(basic, stats_sizes, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	union {
		struct checkpoint_stats stats;
		uint64_t words[sizeof(struct checkpoint_stats) / 8 + 2];
	} u;
	struct checkpoint_args args = {
		.log_fd = -1, .stats = (uintptr_t)&u, .stats_size = sizeof(u) - 8,
	};
	int fd = open(s->image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	memset(&u, 0xff, sizeof(u));
	ASSERT_LT(0, sys_checkpoint(s->pid, fd, CHECKPOINT_ARGS, &args, sizeof(args)));
	EXPECT_EQ(1, u.stats.tasks);
	EXPECT_EQ(0, u.words[ARRAY_SIZE(u.words) - 2]);
	EXPECT_EQ(~0ULL, u.words[ARRAY_SIZE(u.words) - 1]);

	args.stats_size = CHECKPOINT_STATS_SIZE_VER0 - 8;
	ASSERT_EQ(-1, sys_checkpoint(s->pid, fd, CHECKPOINT_ARGS, &args, sizeof(args)));
	EXPECT_EQ(EINVAL, errno);
	args.stats = 8;
	args.stats_size = sizeof(u.stats);
	ASSERT_EQ(-1, sys_checkpoint(s->pid, fd, CHECKPOINT_ARGS, &args, sizeof(args)));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	close(fd);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals: what a program has set up, what is pending, what is running, and
 * what arrives while it is frozen.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "common.h"

FIXTURE(signals) {
	struct subject s;
};

FIXTURE_VARIANT(signals) {
	enum way way;
	enum place place;
};

FIXTURE_VARIANT_ADD(signals, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(signals, stop) { .way = WAY_STOP };
FIXTURE_VARIANT_ADD(signals, kill) { .way = WAY_KILL };
FIXTURE_VARIANT_ADD(signals, beside) { .way = WAY_KILL, .place = PLACE_SIBLING };
FIXTURE_VARIANT_ADD(signals, nested) { .way = WAY_KILL, .place = PLACE_NESTED };

FIXTURE_SETUP(signals)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.place = variant->place;
}

FIXTURE_TEARDOWN(signals)
{
	subject_destroy(&self->s);
}

#define SIGNAL_TEST(name, command, is_moving)				\
TEST_F_TIMEOUT(signals, name, TEST_TIMEOUT)				\
{									\
	self->s.moving = is_moving;					\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

SIGNAL_TEST(within_handler, "running", false)
SIGNAL_TEST(ignored, "ignored", false)
SIGNAL_TEST(altstack_autodisarm, "disarm", false)

/* SIGCONT takes pending stop signals away: not for these two. */
TEST_F_TIMEOUT(signals, actions, TEST_TIMEOUT)
{
	if (variant->way == WAY_STOP)
		return;
	ASSERT_EQ(0, subject_run(&self->s, "actions", variant->way));
}

TEST_F_TIMEOUT(signals, pending, TEST_TIMEOUT)
{
	if (variant->way == WAY_STOP)
		return;
	self->s.moving = true;
	ASSERT_EQ(0, subject_run(&self->s, "pending", variant->way));
}

SIGNAL_TEST(queued_information, "faultinfo", false)

TEST_F_TIMEOUT(signals, information_of_others, TEST_TIMEOUT)
{
	/* SIGCONT would be pending, too. */
	if (variant->way == WAY_STOP)
		return;
	ASSERT_EQ(0, subject_run(&self->s, "siginfo", variant->way));
}

/* A call that changes the mask for as long as it waits. */
static void run_mask(struct __test_metadata *_metadata, struct subject *s, const char *command,
		     long nr, enum way way)
{
	pid_t pid;

	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	pid = subject_inner(s);
	ASSERT_EQ(0, subject_in_syscall(pid, pid, nr));
	ASSERT_EQ(0, subject_cycle(s, way));
	ASSERT_EQ(0, subject_in_syscall(pid, pid, nr));
	ASSERT_EQ(0, subject_cycle(s, way));
	ASSERT_EQ(0, subject_in_syscall(pid, pid, nr));
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	ASSERT_EQ(0, kill(pid, SIGUSR2));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(signals, sigsuspend, TEST_TIMEOUT)
{
	run_mask(_metadata, &self->s, "mask sigsuspend", SYS_rt_sigsuspend, variant->way);
}

TEST_F_TIMEOUT(signals, ppoll, TEST_TIMEOUT)
{
	run_mask(_metadata, &self->s, "mask ppoll", SYS_ppoll, variant->way);
}

TEST_F_TIMEOUT(signals, pselect, TEST_TIMEOUT)
{
	run_mask(_metadata, &self->s, "mask pselect", SYS_pselect6, variant->way);
}

FIXTURE(frozen) {
	struct subject s;
	pid_t saver;
	int image;
};

/*
 * A saver whose image goes into a pipe that nobody reads: it stands still in
 * the middle of the image, and the subject is frozen, for as long as we like.
 */
static int start_saver(struct subject *s, pid_t *saver, unsigned long flags)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	int p[2], have = 0;
	long ret;

	/* So small that no image fits. */
	if (pipe2(p, O_CLOEXEC) || fcntl(p[1], F_SETPIPE_SZ, 4096) != 4096)
		return -1;
	*saver = fork();
	if (!*saver) {
		close(p[0]);
		ret = sys_checkpoint(s->pid, p[1], flags, NULL, 0);
		_exit(ret > 0 ? 0 : errno);
	}
	close(p[1]);
	/* The first 4 KiB are not written before everything is frozen. */
	while (have < 4096 && now_ns() < deadline) {
		if (ioctl(p[0], FIONREAD, &have) || waitpid(*saver, NULL, WNOHANG)) {
			say("the saver has ended");
			return -1;
		}
		poll_pause();
	}
	return have < 4096 ? -1 : p[0];
}

/* Reads the rest; returns the saver's exit status. */
static int end_saver(pid_t saver, int image)
{
	char buf[65536];
	int status;

	while (read(image, buf, sizeof(buf)) > 0)
		;
	close(image);
	if (waitpid(saver, &status, 0) != saver)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

FIXTURE_SETUP(frozen)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(frozen)
{
	subject_destroy(&self->s);
}

static int queue_signal(pid_t pid, int value)
{
	union sigval sigval = { .sival_int = value };

	return sigqueue(pid, SIGRTMIN, sigval);
}

/* What arrives while it is frozen is handled after. */
TEST_F_TIMEOUT(frozen, signal_arrives, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "count"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	self->image = start_saver(s, &self->saver, 0);
	ASSERT_LE(0, self->image);
	ASSERT_EQ(0, queue_signal(s->pid, 400));
	ASSERT_EQ(0, queue_signal(s->pid, 600));
	ASSERT_EQ(0, end_saver(self->saver, self->image));
	ASSERT_EQ(0, subject_expect(s, "sum 1000"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(frozen, stop_and_continue_arrive, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "count"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	self->image = start_saver(s, &self->saver, 0);
	ASSERT_LE(0, self->image);
	ASSERT_EQ(0, kill(s->pid, SIGSTOP));
	ASSERT_EQ(0, end_saver(self->saver, self->image));
	ASSERT_EQ(0, subject_in_state(s->pid, 'T'));
	ASSERT_EQ(0, queue_signal(s->pid, 1000));
	ASSERT_EQ(0, kill(s->pid, SIGCONT));
	ASSERT_EQ(0, subject_expect(s, "sum 1000"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* A frozen process can be killed, and the saver is told. */
TEST_F_TIMEOUT(frozen, killed, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "counters 3"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	self->image = start_saver(s, &self->saver, 0);
	ASSERT_LE(0, self->image);
	ASSERT_EQ(0, kill(s->pid, SIGKILL));
	ASSERT_EQ(ESRCH, end_saver(self->saver, self->image));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

/* The saver can be killed, and the process goes on. */
TEST_F_TIMEOUT(frozen, saver_killed, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "counters 3"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	self->image = start_saver(s, &self->saver, CHECKPOINT_KILL);
	ASSERT_LE(0, self->image);
	ASSERT_EQ(0, kill(self->saver, SIGKILL));
	ASSERT_EQ(1000 + SIGKILL, end_saver(self->saver, self->image));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Two savers at the same time: the second is refused, not confused. */
TEST_F_TIMEOUT(frozen, second_saver, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "counters 3"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	self->image = start_saver(s, &self->saver, 0);
	ASSERT_LE(0, self->image);
	ASSERT_EQ(-1, subject_save(s, 0));
	EXPECT_EQ(EBUSY, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_CHANGED)) messages_show(s);
	ASSERT_EQ(0, end_saver(self->saver, self->image));
	ASSERT_EQ(0, subject_save(s, 0));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Pseudoterminals of a tree, sessions that they control, programs in them. */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>

#include "common.h"

FIXTURE(tty) {
	struct subject s;
};

FIXTURE_VARIANT(tty) {
	enum way way;
};

FIXTURE_VARIANT_ADD(tty, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(tty, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(tty, kill) { .way = WAY_KILL };

FIXTURE_SETUP(tty)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(tty)
{
	subject_destroy(&self->s);
}

#define TTY_TEST(name)							\
TEST_F_TIMEOUT(tty, name, TEST_TIMEOUT)					\
{									\
	ASSERT_EQ(0, subject_run(&self->s, #name, variant->way));	\
}

TTY_TEST(pty_lines)
TTY_TEST(pty_marks)
TTY_TEST(pty_raw)
TTY_TEST(pty_modes)
TTY_TEST(pty_packets)
TTY_TEST(pty_flow)
TTY_TEST(pty_ends)
TTY_TEST(pty_opens)
TTY_TEST(pty_session)

#define PROGRAM_TEST(name, program)					\
TEST_F_TIMEOUT(tty, name, TEST_TIMEOUT)					\
{									\
	if (access(program, X_OK))					\
		SKIP(return, "there is no %s", program);		\
	ASSERT_EQ(0, subject_run(&self->s, #name, variant->way));	\
}

PROGRAM_TEST(tty_bash, "/usr/bin/bash")
PROGRAM_TEST(tty_readline, "/usr/bin/bash")
PROGRAM_TEST(tty_python, "/usr/bin/python3")
PROGRAM_TEST(tty_vim, "/usr/bin/vim.basic")

FIXTURE(alone) {
	struct subject s;
};

FIXTURE_SETUP(alone)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(alone)
{
	subject_destroy(&self->s);
}

static int refuse(struct subject *s, const char *command, unsigned long flags, int code)
{
	if (subject_start(s, command) || subject_expect(s, "ready"))
		return -1;
	if (!subject_save(s, CHECKPOINT_KILL | flags)) {
		say("%s was saved", command);
		return -1;
	}
	if (s->err != EOPNOTSUPP || !message_has(s, "obstacle", code)) {
		messages_show(s);
		return -1;
	}
	return subject_go(s) || subject_end(s);
}

TEST_F_TIMEOUT(alone, discipline, TEST_TIMEOUT)
{
	ASSERT_EQ(0, refuse(&self->s, "pty_refused discipline", 0, CKPT_WHY_FILE));
}

TEST_F_TIMEOUT(alone, locked, TEST_TIMEOUT)
{
	ASSERT_EQ(0, refuse(&self->s, "pty_refused locked", 0, CKPT_WHY_FILE));
}

/* Its child has both ends, too, and is not saved with it. */
TEST_F_TIMEOUT(alone, split, TEST_TIMEOUT)
{
	ASSERT_EQ(0, refuse(&self->s, "pty_refused split", CHECKPOINT_ONLY, CKPT_WHY_FILE));
}

TEST_F_TIMEOUT(alone, console, TEST_TIMEOUT)
{
	if (access("/dev/ttyS0", F_OK))
		SKIP(return, "there is no serial line");
	ASSERT_EQ(0, refuse(&self->s, "pty_refused console", 0, CKPT_WHY_FILE));
}

/* What has come from the subject's side, which ends with a line. */
static int read_until(int master, const char *want)
{
	char buf[256] = "";
	size_t len = 0;
	ssize_t n;

	while (!strstr(buf, want) && len < sizeof(buf) - 1) {
		n = read(master, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			return -1;
		len += n;
		buf[len] = 0;
	}
	return 0;
}

/* In a session of our own, as a shell; the subject is a job of several groups. */
static int run_outer(struct subject *s)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	signal(SIGTTOU, SIG_IGN);
	if (setsid() < 0 || master < 0 || grantpt(master) || unlockpt(master))
		return 1;
	slave = open(ptsname(master), O_RDWR | O_CLOEXEC);
	if (slave < 0 || tcgetpgrp(slave) != getpid())
		return 2;
	if (subject_start(s, "tty_outer") || subject_expect(s, "ready") ||
	    read_until(master, "before\r\n"))
		return 3;
	if (subject_save(s, CHECKPOINT_KILL) || subject_reap(s, SIGKILL)) {
		messages_show(s);
		return 4;
	}
	if (tcsetpgrp(slave, getpgrp()))
		return 5;
	if (subject_restart(s, 0)) {
		messages_show(s);
		return 6;
	}
	if (subject_go(s) || read_until(master, "after\r\n") || write(master, "\003", 1) != 1)
		return 8;
	return subject_end(s) ? 9 : tcgetpgrp(slave) != getpgrp();
}

TEST_F_TIMEOUT(alone, outer_terminal, TEST_TIMEOUT)
{
	int status = -1;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(run_outer(&self->s));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

/* A terminal has the number that it had, or none. */
TEST_F_TIMEOUT(alone, number_in_use, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int fd[64], i;

	ASSERT_EQ(0, subject_start(s, "pty_opens"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	for (i = 0; i < 64; i++)
		fd[i] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ASSERT_LE(0, fd[63]);
	ASSERT_EQ(-1, subject_restart(s, 0));
	ASSERT_EQ(EBUSY, s->err);
	ASSERT_TRUE(message_has(s, "error", CKPT_WHY_FILE_MISSING)) messages_show(s);
	for (i = 0; i < 64; i++)
		close(fd[i]);
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

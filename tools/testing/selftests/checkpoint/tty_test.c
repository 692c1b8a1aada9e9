// SPDX-License-Identifier: GPL-2.0-only
/* Pseudoterminals of a tree, sessions that they control, programs in them. */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
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
TTY_TEST(pty_locked)
TTY_TEST(pty_hung_up)
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
PROGRAM_TEST(tty_emacs, "/usr/bin/emacs")

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

/* Who may not lock settings does not by a restart. */
TEST_F_TIMEOUT(alone, locks_of_root, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_start(s, "pty_locked"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_become_user(s, CAP_SETUID));
	ASSERT_EQ(-1, subject_restart(s, RESTART_NEW_PIDS));
	EXPECT_EQ(EPERM, s->err);
	EXPECT_EQ(1, messages_count(s, "error", CKPT_WHY_PERMISSION, "locked settings"))
		messages_show(s);
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

/* What a restart says after bytes of the PTY record were changed; 0: it has succeeded. */
static int changed_errno(struct subject *s, struct image *image, size_t at, const void *value,
			 size_t size)
{
	size_t offset = image_find(image, CKPT_REC_PTY, 0);
	uint8_t *field = (uint8_t *)image_payload(image, CKPT_REC_PTY, 0) + at, good[8];
	int ret;

	memcpy(good, field, size);
	memcpy(field, value, size);
	image_seal(image, offset);
	ret = image_store(image, s->image) ? -1 : subject_restart(s, RESTART_FROZEN) ? s->err : 0;
	if (!ret) {
		kill(s->pid, SIGKILL);
		subject_reap(s, SIGKILL);
	}
	memcpy(field, good, size);
	image_seal(image, offset);
	return ret;
}

#define CHANGED(member, value) ({					\
	typeof(((struct ckpt_rec_pty *)0)->member) __value = (value);	\
	changed_errno(s, &image, offsetof(struct ckpt_rec_pty, member),	\
		      &__value, sizeof(__value)); })

static int free_number(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), nr = -1;

	if (fd < 0 || ioctl(fd, TIOCGPTN, &nr))
		nr = -1;
	close(fd);
	return nr;
}

/* Images that lie: refused, or as tcsetattr(3) would take it; nothing stays behind. */
TEST_F_TIMEOUT(alone, lies, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct image image = {};
	int fds, number;

	s->program = "subject-static";
	ASSERT_EQ(0, subject_start(s, "pty_opens"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&image, s->image));
	ASSERT_EQ(0, image_unpack(&image, CKPT_REC_PTY, 0));
	number = free_number();
	fds = count_fds();
	EXPECT_EQ(EBADMSG, CHANGED(index, 1 << 20));
	EXPECT_NE(0, CHANGED(index, 3000));
	EXPECT_EQ(EBADMSG, CHANGED(flags, CKPT_PTY_HUNG_UP));
	EXPECT_EQ(EBADMSG, CHANGED(session, 1));
	/* The terminal of a session that is not in the tree. */
	EXPECT_EQ(EBADMSG, changed_errno(s, &image, offsetof(struct ckpt_rec_pty, session),
					 "\1\0\0\0\1\0\0", 8));
	EXPECT_EQ(EBADMSG, CHANGED(ends[0].read_len, 4097));
	EXPECT_EQ(EBADMSG, CHANGED(ends[1].echo_len, 1));
	EXPECT_EQ(EBADMSG, CHANGED(path_len, 1));
	/* Another device than /dev/ptmx. */
	EXPECT_EQ(ENODEV, changed_errno(s, &image, sizeof(struct ckpt_rec_pty) + 5, "zero", 4));
	EXPECT_EQ(0, CHANGED(cflag, ~0U));
	EXPECT_EQ(0, CHANGED(lflag, ~0U));
	EXPECT_EQ(0, CHANGED(iflag, ~0U));
	EXPECT_EQ(0, CHANGED(line, 0xff));
	EXPECT_EQ(0, CHANGED(ends[1].flags, CKPT_TTY_ALL));
	EXPECT_EQ(0, CHANGED(flags, CKPT_PTY_LOCKED | CKPT_PTY_PACKET | CKPT_PTY_SLAVE_CLOSED));
	EXPECT_EQ(number, free_number());
	EXPECT_EQ(fds, count_fds());
	image_free(&image);
}

TEST_HARNESS_MAIN

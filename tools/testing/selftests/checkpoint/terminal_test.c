// SPDX-License-Identifier: GPL-2.0-only
/*
 * Terminals whose other end is outside of what is saved: a job of a shell gets
 * that of the restarter, with the settings that it had; a session of its own gets
 * a new one, by ckpt restart --pty or from a restarter that leads a session.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "term.h"

static const char * const bash[] = { "/bin/bash", "--norc", "--noprofile", "--noediting", NULL };

FIXTURE(terminal) {
	struct subject s;	/* only its directory and image */
	struct term one, two;
};

FIXTURE_SETUP(terminal)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(terminal)
{
	term_destroy(&self->one);
	term_destroy(&self->two);
	subject_destroy(&self->s);
}

static int save_kill(struct subject *s, pid_t pid)
{
	return run_ckpt("save %d -q -o %s --kill >&2", pid, s->image);
}

/* ckpt restart --pty on a terminal of this size. */
static int restart_on(struct term *t, struct subject *s, int rows, int cols)
{
	const char * const argv[] = { ckpt_command(), "restart", "--pty", s->image, NULL };

	return term_start(t, s->dir, rows, cols, argv);
}

#define DO(call)	ASSERT_EQ(0, call)

/* A session with job control: its variables, settings, stopped job, size, status. */
TEST_F_TIMEOUT(terminal, session, TEST_TIMEOUT)
{
	struct term *one = &self->one, *two = &self->two;
	pid_t shell;

	DO(term_start(one, self->s.dir, 24, 80, bash));
	shell = one->pid;
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "stty -ixon susp ^X; x=$((6 * 7)); sleep 1000\n"));
	DO(term_wait_job(one->pid, "sleep"));
	DO(term_type(one, "\030"));
	DO(term_expect(one, "Stopped"));
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "echo typed ah"));
	DO(term_expect(one, "typed ah"));
	DO(save_kill(&self->s, one->pid));
	DO(term_end(one, SIGKILL));

	DO(restart_on(two, &self->s, 30, 100));
	DO(term_type(two, "\025echo x is $x, $(stty size), $(stty -a | grep -ow -- -ixon)\n"));
	DO(term_expect(two, "x is 42, 30 100, -ixon\r\n"));
	DO(term_expect(two, "ready> "));
	DO(term_type(two, "test $(tty) = $(readlink /proc/$$/fd/255) && jobs\n"));
	DO(term_expect(two, "Stopped"));
	DO(term_expect(two, "ready> "));
	DO(term_type(two, "fg\n"));
	DO(term_expect(two, "\nsleep 1000\r\n"));
	DO(term_wait_job(shell, "sleep"));
	DO(term_type(two, "\030"));
	DO(term_expect(two, "Stopped"));
	DO(term_expect(two, "ready> "));
	DO(ioctl(two->fd, TIOCSWINSZ, &(struct winsize){ .ws_row = 11, .ws_col = 77 }));
	DO(term_type(two, "until [ \"$(stty size)\" = '11 77' ]; do sleep 0.1; done\n"));
	DO(term_type(two, "echo re''sized\n"));
	DO(term_expect(two, "resized\r\n"));
	DO(term_type(two, "kill -9 %1; wait; exit 7\nexit 7\n"));
	DO(term_end(two, 7 << 8));
}

/* Saved on the terminal that it has got, and again. */
TEST_F_TIMEOUT(terminal, again, TEST_TIMEOUT)
{
	struct term *one = &self->one, *two = &self->two;
	char command[64];
	pid_t pid;
	int i;

	DO(term_start(one, self->s.dir, 24, 80, bash));
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "x=start\n"));
	DO(term_expect(one, "ready> "));
	pid = one->pid;
	DO(save_kill(&self->s, pid));
	DO(term_end(one, SIGKILL));
	for (i = 0; i < 3; i++) {
		DO(restart_on(two, &self->s, 24 + i, 80));
		snprintf(command, sizeof(command), "x=$x.%d; echo is $x, $(stty size)\n", i);
		DO(term_type(two, command));
		DO(term_expect(two, i ? "is start.0.1" : "is start.0, 24 80"));
		DO(term_expect(two, "ready> "));
		if (i == 2)
			break;
		DO(save_kill(&self->s, pid));
		DO(term_end(two, SIGKILL));
		term_destroy(two);
	}
	DO(term_type(two, "exit 3\n"));
	DO(term_end(two, 3 << 8));
}

/* Who has no terminal to give says so, by name, and nothing is left behind. */
TEST_F_TIMEOUT(terminal, without, TEST_TIMEOUT)
{
	struct term *one = &self->one;
	int tasks;

	DO(term_start(one, self->s.dir, 24, 80, bash));
	DO(term_expect(one, "ready> "));
	DO(save_kill(&self->s, one->pid));
	DO(term_end(one, SIGKILL));
	tasks = count_tasks();
	ASSERT_EQ(-1, subject_restart(&self->s, 0));
	EXPECT_EQ(EBADF, self->s.err);
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_EXTERNAL)) messages_show(&self->s);
	EXPECT_EQ(64, run_ckpt("restart --pty --detach %s 2>/dev/null", self->s.image));
	EXPECT_EQ(tasks, count_tasks());
}

/* A member of a session that has a terminal cannot give it away. */
TEST_F_TIMEOUT(terminal, not_the_leader, TEST_TIMEOUT)
{
	struct term *one = &self->one, *two = &self->two;
	char command[200];

	DO(term_start(one, self->s.dir, 24, 80, bash));
	DO(term_expect(one, "ready> "));
	DO(save_kill(&self->s, one->pid));
	DO(term_end(one, SIGKILL));
	DO(term_start(two, self->s.dir, 24, 80, bash));
	DO(term_expect(two, "ready> "));
	snprintf(command, sizeof(command), "%s restart %s; echo status $?\n", ckpt_command(),
		 self->s.image);
	DO(term_type(two, command));
	DO(term_expect(two, "--pty"));
	DO(term_expect(two, "status 70\r\n"));
	DO(term_type(two, "exit\n"));
	DO(term_end(two, 0));
}

/* restart() by who leads a session on a terminal, as sshd(8) or script(1) would. */
static int lead_and_restart(struct subject *s, struct term *t)
{
	int fd = open(s->image, O_RDONLY), status;
	long pid;

	t->pid = forkpty(&t->fd, NULL, NULL, &(struct winsize){ .ws_row = 20, .ws_col = 70 });
	if (t->pid)
		return t->pid < 0 || fd < 0 || close(fd);
	pid = sys_restart(0, fd, 0, NULL, 0);
	if (pid <= 0)
		_exit(1);
	/* The terminal is not ours any more. */
	if (open("/dev/tty", O_RDWR) >= 0 || getsid(pid) != pid || tcgetpgrp(0) >= 0)
		_exit(2);
	if (waitpid(pid, &status, 0) != pid || status != 5 << 8)
		_exit(3);
	_exit(0);
}

TEST_F_TIMEOUT(terminal, given_by_leader, TEST_TIMEOUT)
{
	struct term *one = &self->one, *two = &self->two;

	DO(term_start(one, self->s.dir, 24, 80, bash));
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "exec 7<>/dev/tty; echo op''en\n"));
	DO(term_expect(one, "open\r\n"));
	DO(term_expect(one, "ready> "));
	DO(save_kill(&self->s, one->pid));
	DO(term_end(one, SIGKILL));
	DO(lead_and_restart(&self->s, two));
	DO(term_type(two, "stty size <&7; echo on $(ps -o tty= $$)\n"));
	DO(term_expect(two, "20 70\r\n"));
	DO(term_expect(two, "on pts/"));
	DO(term_expect(two, "ready> "));
	DO(term_type(two, "exit 5\n"));
	DO(term_end(two, 0));
}

static int read_in(struct subject *s, const char *name, char *text, size_t size)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return read_file(path, text, size);
}

/* What comes from a pipe is typed, the end of it is a key, and the size the saved one. */
TEST_F_TIMEOUT(terminal, pipes, TEST_TIMEOUT)
{
	static const char * const cat[] = { "/bin/cat", NULL };
	struct term *one = &self->one;
	char line[5000], out[2000] = "";

	DO(term_start(one, self->s.dir, 33, 99, bash));
	DO(term_expect(one, "ready> "));
	DO(save_kill(&self->s, one->pid));
	DO(term_end(one, SIGKILL));
	snprintf(line, sizeof(line), "printf 'echo $((40 + 2)) $(stty size)\\nexit 9\\n' | "
		 "%s restart --pty %s >%s/out", ckpt_command(), self->s.image, self->s.dir);
	ASSERT_EQ(9 << 8, system(line));
	ASSERT_LT(0, read_in(&self->s, "out", out, sizeof(out)));
	EXPECT_NE(NULL, strstr(out, "42 33 99\r\n")) say("%s", out);

	term_destroy(one);
	DO(term_start(one, self->s.dir, 33, 99, cat));
	DO(term_type(one, "first\n"));
	DO(term_expect(one, "first\r\nfirst\r\n"));
	DO(save_kill(&self->s, one->pid));
	DO(term_end(one, SIGKILL));
	snprintf(line, sizeof(line), "echo text | %s restart --pty %s >%s/out", ckpt_command(),
		 self->s.image, self->s.dir);
	ASSERT_EQ(0, system(line));
	ASSERT_LT(0, read_in(&self->s, "out", out, sizeof(out)));
	EXPECT_STREQ("text\r\ntext\r\n", out);
}

/* The shell's terminal is as the shell left it. */
static int same_settings(struct term *t)
{
	return term_type(t, "stty -a >after; cmp before after && echo sa''me\n") ||
	       term_expect(t, "same\r\n") || term_expect(t, "ready> ");
}

/* A job of a shell that uses the whole screen: there, and the shell's own settings. */
TEST_F_TIMEOUT(terminal, job, TEST_TIMEOUT)
{
	struct term *one = &self->one;
	char command[300], text[64] = "";
	pid_t pid;

	if (access("/usr/bin/vim.basic", X_OK))
		SKIP(return, "there is no vim");
	DO(term_start(one, self->s.dir, 24, 80, bash));
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "stty -a >before; exec vim.basic -u NONE -n & fg\n"));
	DO(term_expect(one, "~"));
	DO(term_type(one, "ihello"));
	DO(term_expect(one, "hello"));
	pid = tcgetpgrp(one->fd);
	ASSERT_LT(0, pid);
	DO(save_kill(&self->s, pid));
	DO(term_expect(one, "ready> "));
	/* Another size: it is told, and draws itself again. */
	DO(ioctl(one->fd, TIOCSWINSZ, &(struct winsize){ .ws_row = 20, .ws_col = 70 }));
	snprintf(command, sizeof(command),
		 "stty rows 21; stty sane; stty -a >before; %s restart %s\n",
		 ckpt_command(), self->s.image);
	DO(term_type(one, command));
	DO(term_expect(one, "hello"));
	DO(term_type(one, " world"));
	DO(term_expect(one, "world"));
	/* Stopped by its key, and continued by the shell. */
	DO(term_type(one, "\033\032"));
	DO(term_expect(one, "Stopped"));
	DO(term_expect(one, "ready> "));
	DO(same_settings(one));
	DO(term_type(one, "fg\n"));
	DO(term_expect(one, "hello world"));
	DO(term_type(one, ":w! out\r"));
	DO(term_expect(one, "written"));
	DO(term_type(one, ":q!\r"));
	DO(term_expect(one, "ready> "));
	DO(same_settings(one));
	DO(term_type(one, "exit\n"));
	DO(term_end(one, 0));
	ASSERT_LT(0, read_in(&self->s, "out", text, sizeof(text)));
	EXPECT_STREQ("hello world\n", text);
}

/* The same on a terminal of its own, of which the shell's job is only the relay. */
TEST_F_TIMEOUT(terminal, job_pty, TEST_TIMEOUT)
{
	struct term *one = &self->one;
	char command[300];
	pid_t pid;

	if (access("/usr/bin/less", X_OK))
		SKIP(return, "there is no less");
	DO(term_start(one, self->s.dir, 24, 80, bash));
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "seq 1000 >lines; stty -a >before; less lines\n"));
	DO(term_wait_job(one->pid, "less"));
	DO(term_expect(one, "23\r\n"));
	DO(term_type(one, "/777\n"));
	DO(term_expect(one, "778"));
	pid = tcgetpgrp(one->fd);
	DO(save_kill(&self->s, pid));
	DO(term_expect(one, "ready> "));
	DO(ioctl(one->fd, TIOCSWINSZ, &(struct winsize){ .ws_row = 10, .ws_col = 70 }));
	snprintf(command, sizeof(command),
		 "stty sane; stty -a >before; %s restart --pty %s\n",
		 ckpt_command(), self->s.image);
	DO(term_type(one, command));
	DO(term_expect(one, "777"));
	DO(term_expect(one, "785"));
	DO(term_type(one, "\032"));
	DO(term_expect(one, "Stopped"));
	DO(term_expect(one, "ready> "));
	DO(same_settings(one));
	DO(term_type(one, "fg\n"));
	DO(term_expect(one, "777"));
	DO(term_type(one, "G"));
	DO(term_expect(one, "1000"));
	DO(term_type(one, "q"));
	DO(term_expect(one, "ready> "));
	DO(same_settings(one));
	DO(term_type(one, "exit\n"));
	DO(term_end(one, 0));
}

/* --detach leaves the terminal to whom it belongs, as it was. */
TEST_F_TIMEOUT(terminal, detached, TEST_TIMEOUT)
{
	struct term *one = &self->one;
	char command[300];
	pid_t pid;

	DO(term_start(one, self->s.dir, 24, 80, bash));
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "stty -icanon -echo; sleep 1000; stty sane\n"));
	DO(term_wait_job(one->pid, "sleep"));
	pid = tcgetpgrp(one->fd);
	DO(save_kill(&self->s, pid));
	DO(term_expect(one, "ready> "));
	snprintf(command, sizeof(command),
		 "stty -a >before; bash -c '%s restart --detach %s; stty -a >after; ps -o tpgid= $$; echo own $$'; cmp before after && echo sa''me\n",
		 ckpt_command(), self->s.image);
	DO(term_type(one, command));
	DO(term_expect(one, "same\r\n"));
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "pkill -x -KILL sleep; exit\n"));
	DO(term_end(one, 0));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* Sessions with a pseudoterminal of the tree, job control, real programs in it. */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "subject.h"
#include "subject_tty.h"

/* Of bash without a configuration. */
#define PROMPT	"bash-"

/* In the background: reads from the terminal once it may. */
static void background(int gate)
{
	char c;

	need(!setpgid(0, 0));
	need(read(gate, &c, 1) == 1);
	(void)!read(0, &c, 1);
	_exit(0);
}

static void set_foreground(int fd, pid_t group)
{
	signal(SIGTTOU, SIG_IGN);
	need(!tcsetpgrp(fd, group));
}

/* The session's leader: tells on the terminal what becomes of its jobs. */
static void lead(const char *name)
{
	int fd, status, gate[2], other;
	pid_t job, back;

	need(setsid() > 0);
	fd = open(name, O_RDWR);
	other = open("/dev/tty", O_RDWR);
	need(fd >= 0 && other >= 0 && !pipe2(gate, O_CLOEXEC));
	need(dup2(fd, 0) == 0);
	job = fork();
	if (!job) {
		setpgid(0, 0);
		pause();
	}
	back = fork();
	if (!back)
		background(gate[0]);
	need(job > 0 && back > 0);
	setpgid(job, job);
	setpgid(back, back);
	set_foreground(fd, job);
	dprintf(other, "ready\n");
	need(waitpid(job, &status, 0) == job);
	dprintf(other, "job %d\n", status);
	need(write(gate[1], "x", 1) == 1);
	need(waitpid(back, &status, WUNTRACED) == back);
	kill(back, SIGKILL);
	need(waitpid(back, NULL, 0) == back);
	set_foreground(fd, getpid());
	dprintf(other, "background %d\n", status);
	check_eq(getpid(), tcgetpgrp(other));
	check_eq(getpid(), tcgetsid(fd));
	pause();
	_exit(0);
}

/* Interrupts the foreground group, not others; a background read stops. */
static void pty_session(int argc, char **argv)
{
	struct pty p = pty_open();
	pid_t pid = fork(), group;
	int status;

	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(p.master);
		close(p.slave);
		lead(p.name);
	}
	check_read(HERE, p.master, "ready\r\n");
	close(p.slave);
	group = tcgetpgrp(p.master);
	stage();
	check_eq(pid, tcgetsid(p.master));
	check_eq(group, tcgetpgrp(p.master));
	check(group != pid);
	type(p.master, "\003");
	check_read(HERE, p.master, "^Cjob 2\r\nbackground 5503\r\n");
	stage();
	check_eq(pid, tcgetsid(p.master));
	check_eq(pid, tcgetpgrp(p.master));
	close(p.master);
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(SIGHUP, status);
}

/* A job that has the terminal from outside, which /dev/tty is. */
static void tty_outer(int argc, char **argv)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC), status;
	pid_t job = fork();

	need(fd >= 0 && job >= 0);
	if (!job) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	need(!setpgid(job, job));
	set_foreground(fd, job);
	dprintf(fd, "before\n");
	stage();
	check_eq(job, tcgetpgrp(fd));
	check_eq(getsid(0), tcgetsid(fd));
	dprintf(fd, "after\n");
	check_eq(job, waitpid(job, &status, 0));
	check_eq(SIGINT, status);
	set_foreground(fd, getpgrp());
}

/* Behind what is there, without zeroes: they give a slow terminal time. */
static size_t add_text(char *buf, size_t len, size_t more)
{
	size_t i, end = len + more;

	for (i = len; i < end; i++)
		if (buf[i])
			buf[len++] = buf[i];
	buf[len] = 0;
	return len;
}

/* Reads until a text has come, or for too long; what follows it stays. */
static void expect(int fd, const char *want)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	static char buf[65536];
	static size_t len;
	char *found;
	ssize_t n;

	while (!(found = strstr(buf, want))) {
		n = poll(&ready, 1, WAIT_TIMEOUT * 1000) == 1 ?
		    read(fd, buf + len, sizeof(buf) - 1 - len) : 0;
		if (n <= 0) {
			fail("no \"%s\" (errno %d) in: %s", want, errno, buf);
			return;
		}
		len = add_text(buf, len, n);
	}
	found += strlen(want);
	len -= found - buf;
	memmove(buf, found, len + 1);
}

static int run(pid_t *pid, const char *program, const char *arg1, const char *arg2)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int master;

	*pid = forkpty(&master, NULL, NULL, &size);
	need(*pid >= 0);
	if (!*pid) {
		setenv("TERM", "vt100", 1);
		setenv("HISTFILE", "", 1);
		execlp(program, program, arg1, arg2, NULL);
		_exit(127);
	}
	return master;
}

/* Until the foreground group is that of a program. */
static void wait_job(int fd, const char *program)
{
	uint64_t end = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char path[32], name[32];

	do {
		poll_pause();
		snprintf(path, sizeof(path), "/proc/%d/comm", tcgetpgrp(fd));
		name[0] = 0;
		read_file(path, name, sizeof(name));
		name[strcspn(name, "\n")] = 0;
	} while (strcmp(name, program) && now_ns() < end);
	check(!strcmp(name, program));
}

static void ends_with(pid_t pid, int status)
{
	int got;

	check_eq(pid, waitpid(pid, &got, 0));
	check_eq(status << 8, got);
}

/* bash: a stopped job, one in the foreground, one in the background. */
static void tty_bash(int argc, char **argv)
{
	pid_t pid;
	int fd = run(&pid, "bash", "--norc", "--noediting");

	expect(fd, PROMPT);
	type(fd, "sleep 1000\n");
	wait_job(fd, "sleep");
	type(fd, "\032");
	expect(fd, "Stopped");
	expect(fd, PROMPT);
	stage();
	type(fd, "echo $((6 * 7))\n");
	expect(fd, "\n42\r\n");
	expect(fd, PROMPT);
	type(fd, "jobs\n");
	expect(fd, "Stopped                 sleep 1000");
	expect(fd, PROMPT);
	type(fd, "fg\n");
	expect(fd, "\nsleep 1000\r\n");
	wait_job(fd, "sleep");
	stage();
	type(fd, "\003");
	expect(fd, PROMPT);
	type(fd, "echo status $?\n");
	expect(fd, "\nstatus 130\r\n");
	expect(fd, PROMPT);
	type(fd, "cat & until jobs | grep -q Stopped; do sleep 0.1; done; echo found\n");
	expect(fd, "\nfound\r\n");
	expect(fd, PROMPT);
	stage();
	type(fd, "fg\n");
	expect(fd, "\ncat\r\n");
	wait_job(fd, "cat");
	type(fd, "here I am\n");
	expect(fd, "\nhere I am\r\n");
	type(fd, "\004exit 3\n");
	ends_with(pid, 3);
}

/* bash edits lines itself, in raw mode. */
static void tty_readline(int argc, char **argv)
{
	pid_t pid;
	int fd = run(&pid, "bash", "--norc", NULL);

	expect(fd, PROMPT);
	type(fd, "echo $((7 *");
	expect(fd, "7 *");
	stage();
	type(fd, " 8))\n");
	expect(fd, "56\r\n");
	expect(fd, PROMPT);
	stage();
	type(fd, "\020\n");
	expect(fd, "56\r\n");
	type(fd, "exit 4\n");
	ends_with(pid, 4);
}

static void tty_python(int argc, char **argv)
{
	pid_t pid;
	int fd = run(&pid, "python3", "-q", NULL);

	expect(fd, ">>> ");
	type(fd, "x = 6\n");
	expect(fd, ">>> ");
	stage();
	type(fd, "print(x * 7)\n");
	expect(fd, "\n42\r\n");
	expect(fd, ">>> ");
	type(fd, "y = inp");
	stage();
	type(fd, "ut('name: ')\n");
	expect(fd, "name: ");
	stage();
	type(fd, "somebody\n");
	expect(fd, ">>> ");
	type(fd, "import os\n");
	type(fd, "print(y, os.isatty(0), os.getpgrp() == os.tcgetpgrp(0))\n");
	expect(fd, "\nsomebody True True\r\n");
	type(fd, "exit(5)\n");
	ends_with(pid, 5);
}

/* What an editor has written. */
static void check_written(void)
{
	int out = open("out.txt", O_RDONLY);
	char text[64] = "";

	check(out >= 0 && read(out, text, sizeof(text) - 1) == 12 &&
	      !strcmp(text, "hello world\n"));
	unlink("out.txt");
}

/* vi: the whole screen, and a file that it writes. */
static void tty_vim(int argc, char **argv)
{
	pid_t pid;
	int fd = run(&pid, "vim.basic", "-u", "NONE");

	expect(fd, "~");
	type(fd, ":set nomodeline noswapfile\r");
	type(fd, "ihello");
	expect(fd, "hello");
	stage();
	type(fd, " world\033");
	expect(fd, "world");
	stage();
	type(fd, ":w! out.txt\r");
	expect(fd, "written");
	type(fd, ":q!\r");
	ends_with(pid, 0);
	check_written();
}

/* emacs: an unsaved buffer; it has its terminal send signals for input. */
static void tty_emacs(int argc, char **argv)
{
	pid_t pid;
	int fd = run(&pid, "emacs", "-nw", "-Q");

	expect(fd, "*scratch*");
	type(fd, "\030\006\001\013out.txt\r");
	expect(fd, "(New file)");
	type(fd, "hello");
	expect(fd, "hello");
	stage();
	type(fd, " wold\002\002");
	expect(fd, "wold");
	stage();
	type(fd, "r\005\r\030\023");
	expect(fd, "Wrote");
	stage();
	type(fd, "\030\003");
	ends_with(pid, 0);
	check_written();
}

const struct mode tty2_modes[] = {
	{ "pty_session", pty_session },
	{ "tty_outer", tty_outer },
	{ "tty_bash", tty_bash },
	{ "tty_readline", tty_readline },
	{ "tty_python", tty_python },
	{ "tty_vim", tty_vim },
	{ "tty_emacs", tty_emacs },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ckpt restart --pty: a new terminal for the program. A child of ours leads a
 * session on it and restarts the image there; we pass on what is typed and shown,
 * as script(1) does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "ckpt.h"

int pty_slave = -1;		/* in the child that restarts */

static int pty_tell = -1;	/* in that child: the program runs */
static int streams[3] = { -1, -1, -1 };

static volatile sig_atomic_t resized, continued;
static volatile sig_atomic_t helper;

/* What is typed and does not fit yet. */
struct typed {
	char bytes[4096];
	size_t len;
};

struct relay {
	int in;			/* where keys come from, -1: nowhere any more */
	int out;
	int master;		/* -1: all have closed the terminal */
	int slave;		/* so that it is not hung up while nobody has it open */
	int started;		/* tells when the program runs, then -1 */
	bool keyboard;		/* @in is a terminal */
	bool raw;
	struct termios own;
	struct typed typed;
};

static void note(int sig, siginfo_t *info, void *unused)
{
	int err = errno;

	(void)unused;
	if (sig == SIGWINCH)
		resized = 1;
	else if (sig == SIGCONT)
		continued = 1;
	else if (sig != SIGCHLD && helper && info->si_pid != helper)
		kill(helper, sig);
	errno = err;
}

/* They come only while we wait for something. */
static void catch_signals(sigset_t *while_waiting)
{
	static const int signals[] = {
		SIGCHLD, SIGWINCH, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1,
		SIGUSR2, SIGALRM, SIGTSTP,
	};
	struct sigaction act = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	sigset_t set;
	size_t i;

	sigfillset(&act.sa_mask);
	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, while_waiting);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &act, NULL);
}

static void set_size(const struct relay *r)
{
	struct winsize size;

	resized = 0;
	if (!ioctl(r->in >= 0 && r->keyboard ? r->in : r->out, TIOCGWINSZ, &size))
		ioctl(r->slave, TIOCSWINSZ, &size);
}

static void set_raw(struct relay *r)
{
	struct termios raw = r->own;

	if (!r->keyboard)
		return;
	cfmakeraw(&raw);
	r->raw = !tcsetattr(r->in, TCSANOW, &raw);
}

static void set_own(struct relay *r)
{
	if (r->raw)
		tcsetattr(r->in, TCSANOW, &r->own);
	r->raw = false;
}

/* Messages of ours are not for the new terminal. */
void pty_streams(bool program)
{
	int fd;

	if (pty_slave < 0)
		return;
	for (fd = 0; fd <= 2; fd++) {
		if (program)
			streams[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (program)
			dup2(pty_slave, fd);
		else if (streams[fd] < 0)
			close(fd);
		else
			dup2(streams[fd], fd);
		if (program)
			continue;
		close(streams[fd]);
		streams[fd] = -1;
	}
}

/* The program runs: the terminal is its own from now on. */
void pty_started(void)
{
	if (pty_tell < 0)
		return;
	(void)!write(pty_tell, "", 1);
	close(pty_tell);
	pty_tell = -1;
}

/* In the child: a session of its own on the new terminal. */
static int lead(const struct relay *r, int tell)
{
	close(r->master);
	pty_tell = tell;
	pty_slave = r->slave;
	if (setsid() < 0 || ioctl(pty_slave, TIOCSCTTY, 0)) {
		warn_errno(errno, "a new terminal");
		exit(STATUS_OTHER);
	}
	return 0;
}

static void show_all(const struct relay *r, const char *bytes, ssize_t len)
{
	ssize_t done = 0, n;

	while (done < len) {
		n = write(r->out, bytes + done, (size_t)(len - done));
		if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ .fd = r->out, .events = POLLOUT }, 1, -1);
		else if (n < 0 && errno != EINTR)
			return;
		else if (n > 0)
			done += n;
	}
}

/* Returns whether there was something. */
static bool show(struct relay *r)
{
	char bytes[4096];
	ssize_t n = read(r->master, bytes, sizeof(bytes));

	if (n > 0)
		show_all(r, bytes, n);
	/* After the last one has closed it, or was hung up, nothing comes any more. */
	else if (!n || (errno != EAGAIN && errno != EINTR))
		r->master = -1;
	return n > 0;
}

static void read_keys(struct relay *r)
{
	ssize_t n = read(r->in, r->typed.bytes, sizeof(r->typed.bytes));
	struct termios t;

	if (n > 0) {
		r->typed.len = (size_t)n;
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* The end of a file or pipe is what a key says to who reads lines. */
	if (!n && !r->keyboard && !tcgetattr(r->slave, &t) && t.c_lflag & ICANON &&
	    t.c_cc[VEOF] != _POSIX_VDISABLE) {
		r->typed.bytes[0] = (char)t.c_cc[VEOF];
		r->typed.len = 1;
	}
	r->in = -1;
}

static void pass_keys(struct relay *r)
{
	ssize_t n = write(r->master, r->typed.bytes, r->typed.len);

	if (n > 0) {
		r->typed.len -= (size_t)n;
		memmove(r->typed.bytes, r->typed.bytes + n, r->typed.len);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		r->typed.len = 0;
	}
}

static void start(struct relay *r)
{
	char byte;
	ssize_t n = read(r->started, &byte, 1);

	if (n < 0 && errno == EINTR)
		return;
	close(r->started);
	r->started = -1;
	if (n == 1)
		set_raw(r);
}

static void wait_some(struct relay *r, const sigset_t *mask)
{
	bool running = r->started < 0;
	struct pollfd fds[] = {
		{ .fd = r->started, .events = POLLIN },
		{ .fd = running && !r->typed.len ? r->in : -1, .events = POLLIN },
		{ .fd = running ? r->master : -1,
		  .events = (short)(POLLIN | (r->typed.len ? POLLOUT : 0)) },
	};

	if (ppoll(fds, 3, NULL, mask) <= 0)
		return;
	if (fds[0].revents)
		start(r);
	if (fds[1].revents)
		read_keys(r);
	if (fds[2].revents & POLLOUT)
		pass_keys(r);
	if (fds[2].revents & ~POLLOUT)
		show(r);
}

/* The program has stopped, and the child that waits for it: so do we, for our shell. */
static void suspend(struct relay *r)
{
	sigset_t stop, old;

	set_own(r);
	sigfillset(&stop);
	sigprocmask(SIG_SETMASK, &stop, &old);
	raise(SIGSTOP);
	sigprocmask(SIG_SETMASK, &old, NULL);
	set_raw(r);
	set_size(r);
	kill(helper, SIGCONT);
}

static int end(struct relay *r, int status)
{
	helper = 0;
	while (r->started < 0 && r->master >= 0 && show(r))
		;
	set_own(r);
	if (WIFSIGNALED(status))
		die_by(WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* Until the child ends; returns its exit status. */
static int pass_on(struct relay *r, const sigset_t *mask)
{
	pid_t pid;
	int status;

	for (;;) {
		pid = waitpid(helper, &status, WNOHANG | WUNTRACED);
		if (pid < 0)
			return STATUS_OTHER;
		if (pid && !WIFSTOPPED(status))
			return end(r, status);
		if (pid)
			suspend(r);
		if (continued && r->started < 0) {
			continued = 0;
			set_raw(r);
			resized = 1;
		}
		if (resized)
			set_size(r);
		wait_some(r, mask);
	}
}

static int open_pair(struct relay *r)
{
	const char *name;

	r->master = above_std(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
	name = r->master < 0 || grantpt(r->master) || unlockpt(r->master) ? NULL :
	       ptsname(r->master);
	r->slave = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	return r->slave;
}

/*
 * Returns twice, as fork(2): 0 in a child, which is to restart the image; 1 in the
 * parent when the child has ended, and its exit status.
 */
int pty_run(bool image_from_stdin, int *status)
{
	struct relay r = { .in = STDIN_FILENO, .out = STDOUT_FILENO };
	sigset_t mask;
	int tell[2];
	pid_t pid;

	if (image_from_stdin)
		r.in = above_std(open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
	if (open_pair(&r) < 0 || pipe2(tell, O_CLOEXEC)) {
		warn_errno(errno, "a new terminal");
		*status = STATUS_OTHER;
		return 1;
	}
	r.keyboard = r.in >= 0 && !tcgetattr(r.in, &r.own);
	if (r.keyboard)
		tcsetattr(r.slave, TCSANOW, &r.own);
	set_size(&r);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(tell[0]);
		return lead(&r, tell[1]);
	}
	close(tell[1]);
	r.started = tell[0];
	if (pid < 0) {
		warn_errno(errno, "a new terminal");
		*status = STATUS_OTHER;
		return 1;
	}
	helper = pid;
	catch_signals(&mask);
	*status = pass_on(&r, &mask);
	return 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Programs in terminals, used from outside. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>

#include "term.h"

int term_start(struct term *t, const char *dir, int rows, int cols, const char * const *argv)
{
	struct winsize size = { .ws_row = rows, .ws_col = cols };

	memset(t, 0, sizeof(*t));
	fflush(NULL);
	t->pid = forkpty(&t->fd, NULL, NULL, &size);
	if (t->pid < 0) {
		t->pid = 0;
		say("forkpty: %m");
		return -1;
	}
	if (t->pid) {
		fcntl(t->fd, F_SETFD, FD_CLOEXEC);
		return 0;
	}
	if (chdir(dir))
		_exit(100);
	close_range(3, ~0U, 0);
	setenv("TERM", "vt100", 1);
	setenv("HISTFILE", "", 1);
	setenv("PS1", "ready> ", 1);
	unsetenv("LESS");
	execvp(argv[0], (char **)argv);
	_exit(101);
}

int term_type(struct term *t, const char *keys)
{
	size_t len = strlen(keys);

	if (write(t->fd, keys, len) == (ssize_t)len)
		return 0;
	say("typing: %m");
	return -1;
}

/* Waits until a text has come; what comes after it stays. */
int term_expect(struct term *t, const char *want)
{
	uint64_t end = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	struct pollfd ready = { .fd = t->fd, .events = POLLIN };
	char *found;
	ssize_t n;

	while (!(found = memmem(t->text, t->len, want, strlen(want)))) {
		/* Of a long text only the last part can matter. */
		if (t->len > sizeof(t->text) / 2) {
			memmove(t->text, t->text + t->len / 2, t->len - t->len / 2);
			t->len -= t->len / 2;
		}
		if (now_ns() > end || poll(&ready, 1, 1000) < 0)
			break;
		n = ready.revents ? read(t->fd, t->text + t->len, sizeof(t->text) - 1 - t->len) : 0;
		if (n < 0 && errno != EINTR)
			break;
		t->len += n > 0 ? n : 0;
	}
	if (!found) {
		t->text[t->len] = 0;
		say("no \"%s\" (%m) in %zu bytes: %s", want, t->len,
		    t->text + (t->len > 500 ? t->len - 500 : 0));
		return -1;
	}
	found += strlen(want);
	t->len -= found - t->text;
	memmove(t->text, found, t->len);
	return 0;
}

/* Field 8 of /proc/PID/stat: the foreground group of the terminal of a process. */
static pid_t foreground_of(pid_t pid)
{
	char path[32], stat[256];
	pid_t group = -1;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, stat, sizeof(stat)) <= 0 ||
	    sscanf(stat, "%*d (%*[^)]) %*c %*d %*d %*d %*d %d", &group) != 1)
		return -1;
	return group;
}

/* Until a program has the terminal of its shell, and runs: not stopped. */
int term_wait_job(pid_t shell, const char *comm)
{
	uint64_t end = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char path[32], stat[256], name[32], state;

	do {
		poll_pause();
		snprintf(path, sizeof(path), "/proc/%d/stat", foreground_of(shell));
		if (read_file(path, stat, sizeof(stat)) > 0 &&
		    sscanf(stat, "%*d (%31[^)]) %c", name, &state) == 2 &&
		    !strcmp(name, comm) && state != 'T')
			return 0;
	} while (now_ns() < end);
	say("the terminal is not of a running %s", comm);
	return -1;
}

/* The leader must end like that, as wait(2) tells; what it still shows is kept. */
int term_end(struct term *t, int status)
{
	uint64_t end = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	struct pollfd ready = { .fd = t->fd, .events = POLLIN };
	pid_t pid = t->pid;
	int got = -1;
	ssize_t n;

	while (waitpid(pid, &got, WNOHANG) != pid) {
		if (now_ns() > end) {
			say("%d does not end", pid);
			return -1;
		}
		if (poll(&ready, 1, 10) != 1)
			continue;
		n = read(t->fd, t->text, sizeof(t->text) / 2);
		t->len = n > 0 ? n : 0;
		if (n < 0)
			poll_pause();
	}
	t->pid = 0;
	if (got == status)
		return 0;
	t->text[t->len] = 0;
	say("status %#x, not %#x: %s", got, status, t->text);
	return -1;
}

void term_destroy(struct term *t)
{
	if (t->pid) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
	}
	if (t->fd > 0)
		close(t->fd);
	memset(t, 0, sizeof(*t));
}

const char *ckpt_command(void)
{
	static char path[4096];

	if (!path[0] && !realpath(subject_path("../tools/ckpt"), path))
		snprintf(path, sizeof(path), "ckpt");
	return path;
}

/* "%" of the format is that of printf(3); returns the exit status, or -1. */
int run_ckpt(const char *format, ...)
{
	char args[800], line[5000];
	va_list ap;
	int status;

	va_start(ap, format);
	vsnprintf(args, sizeof(args), format, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "%s %s", ckpt_command(), args);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ckpt restart in the foreground: to a shell and to whoever sends signals we
 * look like the restarted program itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "ckpt.h"

static volatile sig_atomic_t child;		/* 0: not there yet, or not any more */
static volatile sig_atomic_t child_group;	/* 0: it is in our own group */
static volatile sig_atomic_t child_stopped;

static int owned = -1;	/* the terminal, if we are in its foreground */
static struct termios own;	/* its settings before the child had it */
static int tty = -1;	/* the same, once it is lent to a group of the child's tree */
static pid_t lent_to;	/* that group */

/*
 * What the terminal sends reaches the child by itself if it is in our process
 * group; only what a process has sent to us alone is passed on then.
 */
static void forward(int sig, siginfo_t *info, void *unused)
{
	bool by_kernel = info->si_code > 0;
	int err = errno;

	(void)unused;
	if (!child) {
		if (sig != SIGCONT && sig != SIGWINCH && sig != SIGTSTP)
			interrupted = sig;
	} else if (!by_kernel) {
		if (info->si_code == SI_QUEUE)
			sigqueue(child, sig, info->si_value);
		else
			kill(child, sig);
	} else if (child_group) {
		kill(-child_group, sig);
	}
	/* Asked to stop while the child is stopped already: it will not tell. */
	if (sig == SIGTSTP && (!child || child_stopped))
		raise(SIGSTOP);
	errno = err;
}

/* Only who owns the terminal may lend it; the kernel does, and sets it up for the tree. */
void terminal_remember(void)
{
	int fd;

	if (pty_slave >= 0)
		owned = pty_slave;
	for (fd = 0; fd <= 2 && owned < 0; fd++)
		if (tcgetpgrp(fd) == getpgrp() && !tcgetattr(fd, &own))
			owned = fd;
}

void forward_signals(void)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
		SIGALRM, SIGCONT, SIGTSTP, SIGWINCH,
	};
	struct sigaction act = { .sa_sigaction = forward, .sa_flags = SA_SIGINFO };
	struct sigaction old;
	size_t i;

	sigfillset(&act.sa_mask);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &act, &old);
		if (signals[i] == SIGHUP && old.sa_handler == SIG_IGN)	/* nohup(1) */
			sigaction(signals[i], &old, NULL);
	}
}

/* The kernel has lent it already if a group of the tree had it when it was saved. */
static void find_terminal(pid_t pid)
{
	pid_t now = owned < 0 ? -1 : tcgetpgrp(owned);

	if (now < 0 || getsid(pid) != getsid(0) || (now == getpgrp() && !child_group))
		return;
	tty = owned;
	lent_to = now == getpgrp() ? child_group : now;
}

static void set_terminal_group(pid_t group)
{
	if (tty < 0)
		return;
	/* We may be in the background at this moment. */
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(tty, group);
	signal(SIGTTOU, SIG_DFL);
}

/* The group, then the settings, which only the foreground may change. */
void terminal_take_back(void)
{
	if (owned < 0)
		return;
	signal(SIGTTOU, SIG_IGN);
	if (tcgetpgrp(owned) > 0)
		tcsetpgrp(owned, getpgrp());
	if (pty_slave < 0 && tcgetpgrp(owned) == getpgrp())
		tcsetattr(owned, TCSANOW, &own);
	signal(SIGTTOU, SIG_DFL);
}

/* As a shell's job: stop, too, so that the shell takes over. */
static void child_has_stopped(int sig)
{
	struct termios theirs;
	bool known;

	child_stopped = 1;
	/* Who sent SIGSTOP to the child itself will continue it itself. */
	if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
		return;
	/* It wanted the terminal before we had lent it. */
	if (tty >= 0 && sig != SIGTSTP && tcgetpgrp(tty) == lent_to) {
		kill(child_group ? -child_group : child, SIGCONT);
		return;
	}
	known = owned >= 0 && !tcgetattr(owned, &theirs);
	terminal_take_back();
	raise(SIGSTOP);
	if (owned >= 0 && tcgetpgrp(owned) == getpgrp()) {
		if (known)
			tcsetattr(owned, TCSANOW, &theirs);
		set_terminal_group(lent_to);
	}
	kill(child_group ? -child_group : child, SIGCONT);
}

static int child_has_ended(pid_t pid, const siginfo_t *info)
{
	int sig = info->si_status;

	/* Not before this can its pid be another's. */
	child = 0;
	waitpid(pid, NULL, 0);
	terminal_take_back();
	if (info->si_code == CLD_EXITED)
		return info->si_status;
	die_by(sig);
}

/*
 * We share the program's streams. Of a file that would mean a position that
 * somebody outside of the program uses, too, the next time that it is saved.
 */
static void let_files_go(void)
{
	struct stat st;
	int fd, other;

	for (fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &st) || !S_ISREG(st.st_mode))
			continue;
		/* Messages go to the end of the file. */
		other = fd == 2 ? open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_CLOEXEC) :
				  open("/dev/null", O_RDWR | O_CLOEXEC);
		if (other < 0)
			continue;
		dup2(other, fd);
		close(other);
	}
}

/* Waits for the restarted program and returns its exit status. */
int run_in_foreground(pid_t pid, bool frozen)
{
	pid_t group = getpgid(pid);
	siginfo_t info;

	let_files_go();
	child_group = group > 0 && group != getpgrp() ? group : 0;
	child_stopped = frozen;
	find_terminal(pid);
	set_terminal_group(lent_to);
	child = pid;
	if (interrupted)
		kill(pid, interrupted);
	for (;;) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT)) {
			if (errno == EINTR)
				continue;
			warn_errno(errno, "waiting for %d", (int)pid);
			return STATUS_OTHER;
		}
		if (info.si_code == CLD_STOPPED || info.si_code == CLD_CONTINUED)
			waitid(P_PID, (id_t)pid, &info, WSTOPPED | WCONTINUED | WNOHANG);
		if (info.si_code == CLD_CONTINUED)
			child_stopped = 0;
		else if (info.si_code == CLD_STOPPED && info.si_pid)
			child_has_stopped(info.si_status);
		else if (info.si_pid)
			return child_has_ended(pid, &info);
	}
}

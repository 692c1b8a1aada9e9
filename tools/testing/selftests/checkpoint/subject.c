// SPDX-License-Identifier: GPL-2.0-only
/* Entry of the program under test, and the simplest modes. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "subject.h"

/* One write for one line: threads do not mix, and no buffer is saved. */
void tell(const char *fmt, ...)
{
	char line[SUBJECT_LINE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(1, line, n) != n)
		_exit(1);
}

static sigjmp_buf bus_env;

static void on_bus(int sig)
{
	siglongjmp(bus_env, 1);
}

bool faults(volatile char *p)
{
	signal(SIGBUS, on_bus);
	if (sigsetjmp(bus_env, 1))
		return true;
	return *p == 'x' && false;
}

void fail_at(const char *file, int line, const char *fmt, ...)
{
	char text[SUBJECT_LINE - 100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	file = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	tell("FAIL %s:%d: %s", file, line, text);
}

void ready(void)
{
	tell("ready");
}

/* A stop must not be seen: no EINTR. The end of the test is our end. */
void wait_go(void)
{
	char c = 0;
	ssize_t n = read(0, &c, 1);

	if (n == 0)
		_exit(1);
	check_eq(1, n);
	check_eq('g', c);
}

/* Has the test said so? For who cannot wait. */
bool gone_on(void)
{
	struct pollfd pfd = { .fd = 0, .events = POLLIN };
	int n;

	/* A signal with a handler may come at any time. */
	do {
		n = poll(&pfd, 1, 0);
	} while (n < 0 && errno == EINTR);
	check(n >= 0);
	if (n <= 0)
		return false;
	wait_go();
	return true;
}

void stage(void)
{
	ready();
	wait_go();
}

/* idle [STAGES]: waits for input. */
static void idle(int argc, char **argv)
{
	int i, n = argc > 0 ? atoi(argv[0]) : 1;
	pid_t pid = getpid(), ppid = getppid(), pgid = getpgrp(), sid = getsid(0);

	for (i = 0; i < n; i++) {
		stage();
		check_eq(pid, getpid());
		check_eq(pid, syscall(SYS_gettid));
		check_eq(ppid, getppid());
		check_eq(pgid, getpgrp());
		check_eq(sid, getsid(0));
	}
}

/* group: the same in a process group, session: in a session of its own. */
static void group(int argc, char **argv)
{
	need(!setpgid(0, 0));
	idle(argc, argv);
}

static void session(int argc, char **argv)
{
	need(setsid() == getpid());
	idle(argc, argv);
}

/* lines: waits for a line, as from a terminal. */
static void lines(int argc, char **argv)
{
	char line[100] = "";

	ready();
	check(read(0, line, sizeof(line) - 1) > 0);
	line[strcspn(line, "\n")] = 0;
	tell("got %s", line);
}

/* fresh: nothing about ids is as before. */
static void fresh(int argc, char **argv)
{
	volatile pid_t before = getpid();

	stage();
	tell("pid %d was %d", getpid(), before);
	stage();
}

/*
 * compute: counts rounds of a computation until told to go on, then tells
 * how many and the result, which the test computes as well.
 */
static void compute(int argc, char **argv)
{
	uint64_t rounds = 0, state = 1;

	ready();
	do {
		state = chain(state, 1000);
		rounds += 1000;
	} while (!gone_on());
	tell("rounds %llu state %llx", (unsigned long long)rounds, (unsigned long long)state);
}

/*
 * self: saves itself to standard output, tells on standard error which of
 * both sides it is, and ends there.
 */
static void self(int argc, char **argv)
{
	volatile uint64_t before = chain(7, 1000);
	long ret;

	ret = sys_checkpoint(0, 1, 0, NULL, 0);
	if (ret < 0)
		dprintf(2, "FAIL self: %s\n", strerror(errno));
	else
		dprintf(2, "%s\n", ret ? "original" : "copy");
	if (before != chain(7, 1000))
		dprintf(2, "FAIL self: memory\n");
	_exit(0);
}

/* selffile FILE: the same into a file that it has opened itself. */
static void selffile(int argc, char **argv)
{
	FILE *file = fopen(argv[0], "w+e");
	long ret;

	need(file);
	ret = sys_checkpoint(0, fileno(file), 0, NULL, 0);
	if (ret < 0)
		fail("self: %s", strerror(errno));
	else
		tell(ret ? "original" : "copy");
}

const struct mode basic_modes[] = {
	{ "idle", idle },
	{ "group", group },
	{ "session", session },
	{ "lines", lines },
	{ "fresh", fresh },
	{ "compute", compute },
	{ "self", self },
	{ "selffile", selffile },
	{}
};

/* Is the mode that argv[0] names; false: there is none. */
bool run_mode(int argc, char **argv)
{
	const struct mode * const tables[] = {
		basic_modes, thread_modes, memory_modes, memory2_modes, cow_modes,
		cpu_modes, file_modes, regular_modes, proc_modes, lock_modes, vma_modes, sysv_modes,
		mapgen_modes, page_modes, huge_modes, twin_modes,
		signal_modes, syscall_modes, timed_modes, id_modes, obstacle_modes,
		tie_modes, process_modes, ns_modes, tree_modes,
		state_modes, seccomp_modes, timer_modes, usage_modes,
		shmem_modes, outside_modes, outer_modes, event_modes, epoll_modes,
		tty_modes, tty2_modes, sockopt_modes, unix_modes, aio_modes,
		uring_modes, uring2_modes, uring3_modes, name_modes,
		inet_modes, inet2_modes, pending_modes, files2_modes,
	};
	const struct mode *mode;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (mode = tables[i]; mode->name; mode++) {
			if (strcmp(mode->name, argv[0]))
				continue;
			mode->run(argc - 1, argv + 1);
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: subject MODE [ARG]...\n");
		return 2;
	}
	if (!run_mode(argc - 1, argv + 1)) {
		fail("no mode %s", argv[1]);
		return 2;
	}
	tell("done");
	return 0;
}

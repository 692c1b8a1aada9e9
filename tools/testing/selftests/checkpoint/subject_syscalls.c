// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that are interrupted by a save. None may end before its time,
 * or with EINTR but for a signal that has a handler.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "subject.h"

#define LONG	1000	/* seconds: longer than the test */

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	signals++;
}

static void catch_usr1(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	need(!sigaction(SIGUSR1, &sa, NULL));
}

/* The call must have been ended by the handler of SIGUSR1. */
static void check_signalled(long ret)
{
	check_eq(-1, ret);
	check_eq(EINTR, errno);
	check_eq(1, signals);
}

static const struct timespec long_time = { .tv_sec = LONG, .tv_nsec = 5 };

static void call_readv(void)
{
	char a, b;
	struct iovec iov[2] = { { &a, 1 }, { &b, 1 } };

	check_eq(1, readv(0, iov, 2));
	check_eq('g', a);
}

static void wait_poll(int timeout)
{
	struct pollfd pfd = { .fd = 0, .events = POLLIN };

	check_eq(1, poll(&pfd, 1, timeout));
	check_eq(POLLIN, pfd.revents);
	wait_go();
}

static void call_poll(void)
{
	wait_poll(-1);
}

static void call_poll_long(void)
{
	wait_poll(LONG * 1000);
}

static void wait_select(struct timeval *tv)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(0, &set);
	/* glibc's function calls pselect6(). */
	check_eq(1, syscall(SYS_select, 1, &set, NULL, NULL, tv));
	check(FD_ISSET(0, &set));
	wait_go();
}

static void call_select(void)
{
	wait_select(NULL);
}

static void call_select_long(void)
{
	struct timeval tv = { .tv_sec = LONG };

	wait_select(&tv);
	check(tv.tv_sec > LONG - 500 && tv.tv_sec < LONG);
}

static void call_ppoll(void)
{
	struct pollfd pfd = { .fd = 0, .events = POLLIN };

	check_eq(1, ppoll(&pfd, 1, &long_time, NULL));
	wait_go();
}

static void call_pselect(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(0, &set);
	check_eq(1, pselect(1, &set, NULL, NULL, &long_time, NULL));
	wait_go();
}

static void call_pause(void)
{
	catch_usr1();
	check_signalled(pause());
}

static void call_sigsuspend(void)
{
	sigset_t none;

	catch_usr1();
	sigemptyset(&none);
	check_signalled(sigsuspend(&none));
}

static void wait_signal(const struct timespec *timeout)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	tell("ready");
	check_eq(SIGUSR1, sigtimedwait(&set, &info, timeout));
	check_eq(SI_USER, info.si_code);
}

static void call_sigwaitinfo(void)
{
	wait_signal(NULL);
}

static void call_sigtimedwait(void)
{
	wait_signal(&long_time);
}

static void check_rest(const struct timespec *rest)
{
	check(rest->tv_sec > LONG - 500 && rest->tv_sec < LONG);
}

/* The rest that is told counts from before the save. */
static void call_nanosleep(void)
{
	struct timespec rest = {};

	catch_usr1();
	check_signalled(nanosleep(&long_time, &rest));
	check_rest(&rest);
}

static void call_clock_nanosleep(void)
{
	struct timespec rest = {};

	catch_usr1();
	check_eq(EINTR, clock_nanosleep(CLOCK_BOOTTIME, 0, &long_time, &rest));
	check_rest(&rest);
}

static uint32_t futex_word;

static void call_futex(void)
{
	catch_usr1();
	check_signalled(syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, NULL));
}

static void call_futex_long(void)
{
	catch_usr1();
	check_signalled(syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, &long_time));
}

static void call_futex_waitv(void)
{
	struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} waiter = { .uaddr = (uintptr_t)&futex_word, .flags = 2 | FUTEX_PRIVATE_FLAG };

	catch_usr1();
	check_signalled(syscall(449, &waiter, 1, 0, NULL, 0));
}

static int own_semaphore(void)
{
	int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);

	need(id >= 0);
	tell("use %d", id);
	tell("ready");
	return id;
}

static void call_semop(void)
{
	struct sembuf op = { .sem_op = -1 };

	check_eq(0, semop(own_semaphore(), &op, 1));
}

static void call_semtimedop(void)
{
	struct sembuf op = { .sem_op = -1 };

	check_eq(0, semtimedop(own_semaphore(), &op, 1, &long_time));
}

static void call_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} message = {};
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	need(id >= 0);
	tell("use %d", id);
	tell("ready");
	check_eq(3, msgrcv(id, &message, 8, 0, 0));
	check_eq(0, strcmp(message.text, "hi"));
}

static void call_flock(void)
{
	int fd = open("lock", O_RDWR);

	check_eq(0, flock(fd, LOCK_EX));
	close(fd);
}

static void call_setlkw(void)
{
	struct flock fl = { .l_type = F_WRLCK };
	int fd = open("lock", O_RDWR);

	check_eq(0, fcntl(fd, F_SETLKW, &fl));
	close(fd);
}

static void call_open_fifo(void)
{
	int fd = open("fifo", O_RDONLY);

	check(fd >= 0);
	close(fd);
}

static void call_write(void)
{
	static char line[256] = "fill";
	int i;

	/* More lines than the pipe can hold: the test reads and counts. */
	memset(line + 4, '.', sizeof(line) - 5);
	line[255] = '\n';
	for (i = 0; i < 300; i++)
		check_eq(256, write(1, line, sizeof(line)));
}

/* Standard input is a socket with a time-out, which turns stops into EINTR. */
static void call_recv(void)
{
	struct timeval tv = { .tv_sec = LONG };
	char c = 0;

	need(!setsockopt(0, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	check_eq(1, recv(0, &c, 1, 0));
	check_eq('g', c);
}

static void call_epoll_wait(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	need(!epoll_ctl(fd, EPOLL_CTL_ADD, 0, &event));
	check_eq(1, epoll_wait(fd, &event, 1, LONG * 1000));
	wait_go();
}

static void call_epoll_pwait(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(0);
	sigset_t none;

	sigemptyset(&none);
	need(!epoll_ctl(fd, EPOLL_CTL_ADD, 0, &event));
	check_eq(1, epoll_pwait(fd, &event, 1, -1, &none));
	wait_go();
}

/* With state that cannot be saved: a try must not disturb. */
static void call_io_getevents(void)
{
	aio_context_t context = 0;
	struct io_event event;
	int efd = eventfd(0, 0);
	uint64_t value;
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = 0, .aio_buf = POLLIN,
	}, *list = &cb;

	need(efd >= 0 && !syscall(SYS_io_setup, 4, &context));
	need(syscall(SYS_io_submit, context, 1, &list) == 1);
	check_eq(1, syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
	check(event.res & POLLIN);
	(void)value;
	wait_go();
}

static void call_wait4(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		wait_go();
		_exit(5);
	}
	check_eq(pid, wait4(pid, &status, 0, NULL));
	check_eq(5, WEXITSTATUS(status));
}

static void call_inotify(void)
{
	char buf[512];
	int fd = inotify_init();

	need(!mkdir("watched", 0755));
	need(inotify_add_watch(fd, "watched", IN_CREATE) >= 0);
	check(read(fd, buf, sizeof(buf)) > 0);
}

static const struct {
	const char *name;
	void (*run)(void);
	bool says_ready;
} calls[] = {
	{ "readv", call_readv }, { "poll", call_poll }, { "poll_long", call_poll_long },
	{ "select", call_select }, { "select_long", call_select_long },
	{ "ppoll", call_ppoll }, { "pselect", call_pselect }, { "pause", call_pause },
	{ "sigsuspend", call_sigsuspend }, { "sigwaitinfo", call_sigwaitinfo, true },
	{ "sigtimedwait", call_sigtimedwait, true }, { "nanosleep", call_nanosleep },
	{ "clock_nanosleep", call_clock_nanosleep }, { "futex", call_futex },
	{ "futex_long", call_futex_long }, { "futex_waitv", call_futex_waitv },
	{ "semop", call_semop, true }, { "semtimedop", call_semtimedop, true },
	{ "msgrcv", call_msgrcv, true }, { "flock", call_flock }, { "setlkw", call_setlkw },
	{ "open_fifo", call_open_fifo }, { "write", call_write }, { "recv", call_recv },
	{ "epoll_wait", call_epoll_wait }, { "epoll_pwait", call_epoll_pwait },
	{ "io_getevents", call_io_getevents }, { "wait4", call_wait4 },
	{ "inotify", call_inotify },
};

/* call NAME: calls it once; the test ends it. */
static void call(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].name, argv[0]))
			continue;
		if (!calls[i].says_ready)
			ready();
		calls[i].run();
		return;
	}
	fail("no call %s", argv[0]);
}

const struct mode syscall_modes[] = {
	{ "call", call },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/* Signal actions, masks, pending signals, and handlers that are running. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "subject.h"

struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static long action(int sig, const struct kernel_action *act, struct kernel_action *old)
{
	return syscall(SYS_rt_sigaction, sig, act, old, 8);
}

static volatile sig_atomic_t handled[65];
static volatile int last_value;

static void handler(int sig, siginfo_t *info, void *context)
{
	handled[sig]++;
	last_value = info->si_value.sival_int;
}

static void catch(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	need(!sigaction(sig, &sa, NULL));
}

/* actions: all signals, with different flags and masks; the kernel's form. */
static void actions(int argc, char **argv)
{
	static const unsigned long flags[] = {
		SA_SIGINFO, SA_NOCLDSTOP, SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_RESETHAND,
		SA_RESTART | SA_NODEFER | SA_SIGINFO, SA_NOCLDWAIT,
	};
	struct kernel_action old[65] = {}, now, act;
	struct sigaction template;
	int sig;

	catch(SIGUSR1, 0);
	need(!action(SIGUSR1, NULL, &act));
	for (sig = 1; sig <= 64; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		old[sig] = act;
		old[sig].flags = flags[sig % ARRAY_SIZE(flags)] | 0x04000000;
		old[sig].mask = 0x123456789abcULL << sig % 16;
		if (sig % 5 == 0)
			old[sig].handler = SIG_IGN;
		if (sig % 7 == 0)
			old[sig].handler = SIG_DFL;
		need(!action(sig, &old[sig], NULL));
		/* The kernel leaves some bits out. */
		need(!action(sig, NULL, &old[sig]));
	}
	stage();
	for (sig = 1; sig <= 64; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		check_eq(0, action(sig, NULL, &now));
		if (memcmp(&now, &old[sig], sizeof(now)))
			fail("signal %d: handler %p flags %#lx restorer %p mask %#llx", sig,
			     now.handler, now.flags, now.restorer, (long long)now.mask);
	}
	/* And they work, with what is blocked meanwhile. */
	check_eq(0, sigaction(SIGUSR2, NULL, &template));
	catch(SIGUSR2, 0);
	check_eq(0, raise(SIGUSR2));
	check_eq(1, handled[SIGUSR2]);
	check_eq(0, raise(SIGCHLD));
}

/* pending: for the process and for threads, in their order and in full. */
static volatile pid_t thread_tid;
static volatile int thread_go;

static void expect_signal(int sig, int code, int value, pid_t pid)
{
	struct timespec zero = {};
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	memset(&info, 0, sizeof(info));
	/* glibc's function changes what the kernel says. */
	check_eq(sig, syscall(SYS_rt_sigtimedwait, &set, &info, &zero, 8));
	check_eq(sig, info.si_signo);
	check_eq(code, info.si_code);
	check_eq(pid, info.si_pid);
	if (code == SI_QUEUE)
		check_eq(value, info.si_value.sival_int);
}

static void expect_nothing(void)
{
	struct timespec zero = {};
	sigset_t set;

	sigfillset(&set);
	check_eq(-1, sigtimedwait(&set, NULL, &zero));
	check_eq(EAGAIN, errno);
}

static void *pending_thread(void *arg)
{
	pid_t pid = getpid();

	thread_tid = syscall(SYS_gettid);
	while (!thread_go)
		sched_yield();
	expect_signal(SIGUSR2, SI_TKILL, 0, pid);
	expect_signal(SIGRTMIN + 1, SI_TKILL, 0, pid);
	/* Those of the process are for everybody. */
	return NULL;
}

static void queue(int sig, int value)
{
	union sigval sigval = { .sival_int = value };

	need(!sigqueue(getpid(), sig, sigval));
}

static void pending(int argc, char **argv)
{
	pid_t pid = getpid();
	pthread_t thread;
	sigset_t all;
	int i;

	sigfillset(&all);
	need(!sigprocmask(SIG_BLOCK, &all, NULL));
	need(!pthread_create(&thread, NULL, pending_thread, NULL));
	while (!thread_tid)
		sched_yield();
	need(!kill(pid, SIGUSR1));
	need(!kill(pid, SIGUSR1));
	queue(SIGTERM, 77);
	for (i = 0; i < 10; i++) {
		queue(SIGRTMIN + 5, i);
		queue(SIGRTMIN + 2, 100 + i);
	}
	need(!syscall(SYS_tgkill, pid, thread_tid, SIGUSR2));
	need(!syscall(SYS_tgkill, pid, thread_tid, SIGRTMIN + 1));
	need(!syscall(SYS_tgkill, pid, pid, SIGHUP));
	stage();
	stage();
	thread_go = 1;
	check_eq(0, pthread_join(thread, NULL));
	expect_signal(SIGUSR1, SI_USER, 0, pid);
	expect_signal(SIGTERM, SI_QUEUE, 77, pid);
	expect_signal(SIGHUP, SI_TKILL, 0, pid);
	for (i = 0; i < 10; i++) {
		expect_signal(SIGRTMIN + 5, SI_QUEUE, i, pid);
		expect_signal(SIGRTMIN + 2, SI_QUEUE, 100 + i, pid);
	}
	expect_nothing();
}

/* A program of another user, as far as the receivers of its signals can tell. */
static void send_all(pid_t to, pid_t tid, const int go[2])
{
	union sigval sigval = { .sival_ptr = (void *)0x123456789abcdef };
	char c;

	need(!setresuid(getuid() ? -1 : TEST_USER, -1, -1));
	need(!sigqueue(to, SIGRTMIN + 1, sigval));
	sigval.sival_ptr = (void *)0xfedcba987654321;
	need(!sigqueue(to, SIGRTMIN + 1, sigval));
	need(!kill(to, SIGRTMIN + 1));
	need(!syscall(SYS_tgkill, to, tid, SIGRTMIN + 1));
	need(!sigqueue(to, SIGUSR2, sigval));
	/* Standard signals are not queued: the first one stays. */
	need(!kill(to, SIGUSR2));
	need(read(go[0], &c, 1) == 1);
	_exit(77);
}

static siginfo_t take(int sig)
{
	struct timespec zero = {};
	siginfo_t info = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	check_eq(sig, syscall(SYS_rt_sigtimedwait, &set, &info, &zero, 8));
	check_eq(sig, info.si_signo);
	return info;
}

static void expect_info(int sig, int code, pid_t pid, uint64_t value)
{
	siginfo_t info = take(sig);

	check_eq(code, info.si_code);
	check_eq(pid, info.si_pid);
	check_eq(getuid() ?: TEST_USER, info.si_uid);
	check_eq(value, (uintptr_t)info.si_value.sival_ptr);
}

static void expect_child(pid_t pid)
{
	siginfo_t info = take(SIGCHLD);

	check_eq(CLD_EXITED, info.si_code);
	check_eq(pid, info.si_pid);
	check_eq(getuid() ?: TEST_USER, info.si_uid);
	check_eq(77, info.si_status);
	check_eq(pid, waitpid(pid, NULL, 0));
}

static void expect_io(int fd)
{
	siginfo_t info = take(SIGRTMIN + 2);

	check_eq(POLL_IN, info.si_code);
	check_eq(fd, info.si_fd);
	check_eq(POLLIN | POLLRDNORM, info.si_band);
}

/* siginfo: of signals from another process, in full and in their order. */
static void all_info(int argc, char **argv)
{
	int go[2], ready[2];
	sigset_t all;
	pid_t pid;

	sigfillset(&all);
	need(!sigprocmask(SIG_BLOCK, &all, NULL) && !pipe(go) && !pipe(ready));
	need(!fcntl(ready[0], F_SETOWN, getpid()) && !fcntl(ready[0], F_SETSIG, SIGRTMIN + 2));
	need(!fcntl(ready[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	pid = fork();
	need(pid >= 0);
	if (!pid)
		send_all(getppid(), getppid(), go);
	need(write(ready[1], "x", 1) == 1 && write(go[1], "x", 1) == 1);
	need(!waitid(P_PID, pid, &(siginfo_t){}, WEXITED | WNOWAIT));
	stage();
	stage();
	/* First those of the thread, then those of the process. */
	expect_info(SIGRTMIN + 1, SI_TKILL, pid, 0);
	expect_info(SIGRTMIN + 1, SI_QUEUE, pid, 0x123456789abcdef);
	expect_info(SIGRTMIN + 1, SI_QUEUE, pid, 0xfedcba987654321);
	expect_info(SIGRTMIN + 1, SI_USER, pid, 0);
	expect_info(SIGUSR2, SI_QUEUE, pid, 0xfedcba987654321);
	expect_io(ready[0]);
	expect_child(pid);
	expect_nothing();
}

/* faultinfo: a synchronous signal's information that was queued by hand. */
static void faultinfo(int argc, char **argv)
{
	siginfo_t info = {}, got = {};
	struct timespec zero = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGCHLD);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	info.si_signo = SIGSEGV;
	info.si_code = -77;
	info.si_addr = (void *)0x123456789;
	need(!syscall(SYS_rt_sigqueueinfo, getpid(), SIGSEGV, &info));
	stage();
	check_eq(SIGSEGV, sigtimedwait(&set, &got, &zero));
	check_eq(-77, got.si_code);
	check_eq(0x123456789, (long)got.si_addr);
}

static void in_handler(int sig)
{
	volatile char data[1000];
	stack_t ss;

	memset((char *)data, 7, sizeof(data));
	check_eq(0, sigaltstack(NULL, &ss));
	check_eq(SS_ONSTACK, ss.ss_flags);
	handled[sig]++;
	stage();
	check_eq(0, sigaltstack(NULL, &ss));
	check_eq(SS_ONSTACK, ss.ss_flags);
	check_eq(7, data[0] + data[999] - 7);
}

/* running: interrupted within a handler, on an alternate stack. */
static void running(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = in_handler, .sa_flags = SA_ONSTACK };
	stack_t ss = { .ss_size = 65536 };
	volatile double d = 1.0 / 3.0;
	sigset_t mask, now;

	ss.ss_sp = mmap(NULL, ss.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	need(!sigaltstack(&ss, NULL));
	sigaddset(&sa.sa_mask, SIGUSR2);
	need(!sigaction(SIGUSR1, &sa, NULL));
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	need(!sigprocmask(SIG_SETMASK, &mask, NULL));
	check_eq(0, raise(SIGUSR1));
	check_eq(1, handled[SIGUSR1]);
	check(d == 1.0 / 3.0);
	check_eq(0, sigprocmask(SIG_SETMASK, NULL, &now));
	check_eq(0, memcmp(&mask, &now, 8));
	check_eq(0, sigaltstack(NULL, &ss));
	check_eq(0, ss.ss_flags);
	check_eq(0, raise(SIGUSR1));
	check_eq(2, handled[SIGUSR1]);
}

/* ignored: what is ignored stays so. */
static void ignored(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGRTMIN, SIG_IGN);
	stage();
	check_eq(0, raise(SIGTERM));
	check_eq(0, raise(SIGRTMIN));
	check_eq(0, raise(SIGPIPE));
}

/* disarm: an alternate stack that disarms itself while it is in use. */
static void disarm(int argc, char **argv)
{
	static char area[65536];
	stack_t ss = { .ss_sp = area, .ss_size = sizeof(area), .ss_flags = 1U << 31 }, now;

	need(!sigaltstack(&ss, NULL));
	stage();
	check_eq(0, sigaltstack(NULL, &now));
	check_eq((long)area, (long)now.ss_sp);
	check_eq(sizeof(area), now.ss_size);
	check_eq(1U << 31, (unsigned int)now.ss_flags);
}

/*
 * mask CALL: waits in a call that blocks other signals meanwhile. SIGUSR2 is
 * only let in by the call, and only by it; SIGUSR1 is blocked by it.
 */
static void mask(int argc, char **argv)
{
	struct pollfd pfd = { .fd = 0, .events = 0 };
	sigset_t normal, meanwhile, now;
	int ret;

	catch(SIGUSR1, 0);
	catch(SIGUSR2, 0);
	sigemptyset(&normal);
	sigaddset(&normal, SIGUSR2);
	sigaddset(&normal, SIGTERM);
	need(!sigprocmask(SIG_SETMASK, &normal, NULL));
	sigemptyset(&meanwhile);
	sigaddset(&meanwhile, SIGUSR1);
	ready();
	if (!strcmp(argv[0], "sigsuspend"))
		ret = sigsuspend(&meanwhile);
	else if (!strcmp(argv[0], "ppoll"))
		ret = ppoll(&pfd, 1, NULL, &meanwhile);
	else
		ret = pselect(0, NULL, NULL, NULL, NULL, &meanwhile);
	check_eq(-1, ret);
	check_eq(EINTR, errno);
	check_eq(1, handled[SIGUSR2]);
	/* SIGUSR1 had to wait for the call's end. */
	check_eq(1, handled[SIGUSR1]);
	check_eq(0, sigprocmask(SIG_SETMASK, NULL, &now));
	check_eq(0, memcmp(&normal, &now, 8));
	raise(SIGUSR2);
	check_eq(1, handled[SIGUSR2]);
}

/* count: computes, and counts signals with the sum of their values. */
static volatile int sum;

static void count_handler(int sig, siginfo_t *info, void *context)
{
	sum += info->si_value.sival_int;
}

static void count(int argc, char **argv)
{
	struct sigaction sa = {
		.sa_sigaction = count_handler, .sa_flags = SA_SIGINFO | SA_RESTART,
	};
	uint64_t state = 1, rounds = 0;

	need(!sigaction(SIGRTMIN, &sa, NULL));
	ready();
	do {
		state = chain(state, 1000);
		rounds += 1000;
	} while (sum < 1000 && !gone_on());
	check_eq(chain(1, rounds), state);
	tell("sum %d", sum);
	stage();
}

const struct mode signal_modes[] = {
	{ "actions", actions },
	{ "pending", pending },
	{ "siginfo", all_info },
	{ "faultinfo", faultinfo },
	{ "running", running },
	{ "ignored", ignored },
	{ "disarm", disarm },
	{ "mask", mask },
	{ "count", count },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/* State that cannot be saved: ties to processes outside of the tree, and within it. */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "obstacles.h"
#include "subject_uring.h"

#define ARCH_ENABLE_TAGGED_ADDR	0x4002

/* A child that only is there. */
static pid_t idle_child(unsigned long flags)
{
	pid_t pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

/* As with fork(2), but whose it is are others: it leaves the tree, and ends with @of. */
static void leave_tree(pid_t of, int ready, void (*prepare)(const void *arg), const void *arg)
{
	struct pollfd end = { .fd = syscall(SYS_pidfd_open, of, 0), .events = POLLIN };
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		_exit(0);
	while (getppid() == parent)
		poll_pause();
	prepare(arg);
	pid = getpid();
	need(write(ready, &pid, sizeof(pid)) == sizeof(pid));
	/* What the tree has open it has to have alone. */
	need(dup2(end.fd, 3) == 3 && !close_range(4, ~0U, 0));
	end.fd = 3;
	close_range(0, 2, 0);
	poll(&end, 1, -1);
	_exit(0);
}

static pid_t outsider(void (*prepare)(const void *arg), const void *arg)
{
	pid_t self = getpid(), middle, pid = -1;
	int ready[2];

	need(!pipe2(ready, O_CLOEXEC));
	middle = fork();
	need(middle >= 0);
	if (!middle)
		leave_tree(self, ready[1], prepare, arg);
	need(waitpid(middle, NULL, 0) == middle);
	need(read(ready[0], &pid, sizeof(pid)) == sizeof(pid));
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void lead_group(const void *arg)
{
	need(!setpgid(0, 0));
}

/* A child is in the group of somebody who is not in the tree. */
static int outer_group(void)
{
	pid_t child = idle_child(0);

	return setpgid(child, outsider(lead_group, NULL));
}

/* The same, but it is a group of a session that is in the tree. */
static int led_from_outside(void)
{
	return setsid() < 0 ? -1 : outer_group();
}

static void take_terminal(const void *name)
{
	need(setsid() > 0 && open(name, O_RDWR) >= 0);
}

/* Both ends of a terminal, which controls another session. */
static int terminal_of_other(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	need(master >= 0 && !grantpt(master) && !unlockpt(master));
	outsider(take_terminal, ptsname(master));
	return open(ptsname(master), O_RDWR | O_NOCTTY);
}

static int shared_io(void)
{
	need(!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 3)));
	return idle_child(CLONE_IO);
}

static int idle(void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

/* An address space that a child has, too. */
static int shared_memory(void)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(stack != MAP_FAILED);
	return clone(idle, stack + 65536, CLONE_VM | SIGCHLD, NULL);
}

/* A lock with priority inheritance, for which a child waits. */
static int awaited_lock(void)
{
	int fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	volatile uint32_t *word;
	pid_t pid;

	need(fd >= 0 && !ftruncate(fd, 4096));
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(word != MAP_FAILED && !close(fd));
	*word = getpid();
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		syscall(SYS_futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
		_exit(0);
	}
	while (!(*word & FUTEX_WAITERS))
		sched_yield();
	return 0;
}

static pid_t caller;

static void begin_call(void)
{
	__atomic_store_n(&caller, gettid(), __ATOMIC_RELEASE);
}

static int call_by_thread(void *(*call)(void *arg), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, call, arg))
		return -1;
	while (!sleeps(__atomic_load_n(&caller, __ATOMIC_ACQUIRE)))
		sched_yield();
	return 0;
}

/* The time that remains is not told by a restart block that is known. */
static void *sleep_long(void *arg)
{
	const struct timespec time = { .tv_sec = 100000 };

	begin_call();
	check_eq(0, clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &time, NULL));
	return NULL;
}

static int process_sleep(void)
{
	return call_by_thread(sleep_long, NULL);
}

static void *wait_for_ring(void *arg)
{
	begin_call();
	fail("the call returns %d", enter(arg, 0, 1));
	return NULL;
}

/* Somebody waits in it who cannot call it again. */
static int closed_ring(void)
{
	static struct uring u;

	u = setup(4, 0);
	return call_by_thread(wait_for_ring, &u) ?: close(u.fd);
}

static int tagged_addresses(void)
{
	return syscall(SYS_arch_prctl, ARCH_ENABLE_TAGGED_ADDR, 6);
}

const struct obstacle tie_obstacles[] = {
	{ "outer_group", outer_group }, { "led_from_outside", led_from_outside },
	{ "terminal_of_other", terminal_of_other }, { "shared_io", shared_io },
	{ "shared_memory", shared_memory }, { "awaited_lock", awaited_lock },
	{ "process_sleep", process_sleep }, { "closed_ring", closed_ring },
	{ "tagged_addresses", tagged_addresses },
	{}
};

/* In the meantime its creator waits. */
static int end_later(void *arg)
{
	stage();
	syscall(SYS_exit, 0);
	return 0;
}

static void wait_for_sibling(void)
{
	pid_t pid = syscall(SYS_clone, CLONE_VFORK | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	need(pid >= 0);
	if (!pid)
		end_later(NULL);
	_exit(0);
}

/* Without storage of its own for what is local to a thread: only one of both runs. */
static void wait_for_thread(void)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM | CLONE_VFORK;
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(stack != MAP_FAILED && clone(end_later, stack + 65536, flags, NULL) > 0);
}

/* vfork_other sibling|thread: waits, as in vfork(2), for who is not its child. */
static void vfork_other(int argc, char **argv)
{
	int i, status = -1;
	pid_t pid;

	if (!strcmp(argv[0], "thread")) {
		wait_for_thread();
		return;
	}
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		wait_for_sibling();
	}
	for (i = 0; i < 2; i++) {
		check(wait(&status) > 0);
		check_eq(0, status);
	}
}

static volatile sig_atomic_t nr_faults;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	nr_faults += info->si_code == CLD_EXITED;
}

/*
 * pending_fault: in vfork(2), where it is not looked at, the signal of a child's end
 * is one like that of a fault.
 */
static void pending_fault(int argc, char **argv)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	static int gate[2];
	static pid_t dead;
	int status = -1;
	pid_t pid;

	need(!sigaction(SIGSEGV, &act, NULL) && !pipe(gate));
	dead = syscall(SYS_clone, SIGSEGV, 0, 0, 0, 0);
	need(dead >= 0);
	if (!dead) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(read(gate[0], &status, 1));
	}
	pid = vfork();
	if (!pid) {
		need(write(gate[1], "x", 1) == 1);
		while (!is_in_state(dead, 'Z'))
			sched_yield();
		stage();
		_exit(nr_faults);
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
	check_eq(1, nr_faults);
	check_eq(dead, waitpid(dead, &status, __WALL));
	check_eq(1 << 8, status);
}

const struct mode tie_modes[] = {
	{ "vfork_other", vfork_other },
	{ "pending_fault", pending_fault },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/* State that cannot be saved: of the process and its relations. */
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/hw_breakpoint.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "obstacles.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE		65
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME		0x80
#endif

/* Of the processor time of somebody else. */
static int timer_of_other(void)
{
	clockid_t clock;
	timer_t timer;

	return clock_getcpuclockid(getppid(), &clock) ?: timer_create(clock, NULL, &timer);
}

static pthread_barrier_t created;

/* It lives while a timer of its clock, and one that notifies it, is created. */
static void *short_life(void *arg)
{
	*(pid_t *)arg = syscall(SYS_gettid);
	pthread_barrier_wait(&created);
	pthread_barrier_wait(&created);
	return NULL;
}

static int timer_of_dead(bool clock)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	pthread_t thread;
	clockid_t id;
	pid_t tid;
	int timer, ret;

	pthread_barrier_init(&created, NULL, 2);
	need(!pthread_create(&thread, NULL, short_life, &tid));
	pthread_barrier_wait(&created);
	event._sigev_un._tid = tid;
	need(!pthread_getcpuclockid(thread, &id));
	ret = syscall(SYS_timer_create, clock ? id : CLOCK_MONOTONIC, clock ? NULL : &event,
		      &timer);
	pthread_barrier_wait(&created);
	need(!pthread_join(thread, NULL));
	/* The thread is reaped only after it has said that it ends. */
	while (!syscall(SYS_tgkill, getpid(), tid, 0))
		sched_yield();
	return ret;
}

static int timer_of_dead_thread(void)
{
	return timer_of_dead(true);
}

static int timer_for_dead_thread(void)
{
	return timer_of_dead(false);
}

static int child(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	/* Ends with its parent, at the latest. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pause();
	_exit(0);
}

static int landlock_domain(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE };
	int fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, fd, 0))
		return -1;
	return close(fd);
}

#define NAMESPACE(name, flag)			\
	static int name##_namespace(void)	\
	{					\
		return unshare(flag);		\
	}

NAMESPACE(uts, CLONE_NEWUTS)
NAMESPACE(net, CLONE_NEWNET)
NAMESPACE(mnt, CLONE_NEWNS)
NAMESPACE(ipc, CLONE_NEWIPC)
NAMESPACE(cgroup, CLONE_NEWCGROUP)
NAMESPACE(time, CLONE_NEWTIME)

static int keyring(int which)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, which, 1);
}

static int session_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ? -1 : 0;
}

static int process_keyring(void)
{
	return keyring(KEY_SPEC_PROCESS_KEYRING) < 0 ? -1 : 0;
}

static int thread_keyring(void)
{
	return keyring(KEY_SPEC_THREAD_KEYRING) < 0 ? -1 : 0;
}

static int semaphore_undo(void)
{
	struct sembuf op = { .sem_op = 1, .sem_flg = SEM_UNDO };
	int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);

	if (id < 0 || semop(id, &op, 1))
		return -1;
	/* Removed by the test, which is told; undo goes with the set. */
	tell("use %d", id);
	return 0;
}

static int aio_context(void)
{
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLERR }, *list = &cb;
	aio_context_t context = 0;
	int fds[2];

	if (syscall(SYS_io_setup, 8, &context) || pipe(fds))
		return -1;
	cb.aio_fildes = fds[1];
	return syscall(SYS_io_submit, context, 1, &list) == 1 ? 0 : -1;
}

static void *apart(void *arg)
{
	check_eq(0, unshare((long)arg));
	*(volatile int *)&errno = 0;
	for (;;)
		pause();
	return NULL;
}

static int thread_apart(long what)
{
	pthread_t thread;
	char path[64], buf[256];

	if (pthread_create(&thread, NULL, apart, (void *)what))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", getpid() + 1);
	do {
		if (read_file(path, buf, sizeof(buf)) < 0)
			return -1;
	} while (atoi(buf) != SYS_pause || buf[0] == 'r');
	return 0;
}

static int thread_files(void)
{
	return thread_apart(CLONE_FILES);
}

static int thread_fs(void)
{
	return thread_apart(CLONE_FS);
}

static int shared_files(void)
{
	pid_t pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pause();
	_exit(0);
}

static int core_scheduling(void)
{
	return prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, 0, 0);
}

static char watched;

static int breakpoint(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched, .bp_len = HW_BREAKPOINT_LEN_1,
		.exclude_kernel = 1, .exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/* Ends up in 32-bit code, below 4 GiB, and stays there. */
static void *in_32_bits(void *low)
{
	uint32_t flag = (uintptr_t)low + 128;
	uint8_t code[] = { 0xc7, 5, 0, 0, 0, 0, 1, 0, 0, 0,	/* movl $1, flag */
			   0xeb, 0xfe };			/* 1: jmp 1b */
	struct {
		uint32_t offset;
		uint16_t segment;
	} __attribute__((packed)) target = { (uintptr_t)low, 0x23 };

	memcpy(code + 2, &flag, sizeof(flag));
	memcpy(low, code, sizeof(code));
	asm volatile("movl $0x2b, %%eax\n\t"
		     "movl %%eax, %%ds\n\t"
		     "ljmp *%0" : : "m" (target) : "rax", "memory");
	return NULL;
}

static int mixed_code(void)
{
	volatile char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	pthread_t thread;

	need(low != MAP_FAILED);
	need(!pthread_create(&thread, NULL, in_32_bits, (void *)low));
	while (!low[128])
		;
	return 0;
}

static int vdso_removed(void)
{
	unsigned long start, end;
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "r");

	/* It can only be removed as a whole. */
	while (maps && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			return fclose(maps) ?: munmap((void *)start, end - start);
	}
	return -1;
}

const struct obstacle other_obstacles[] = {
	{ "timer_of_other", timer_of_other }, { "timer_of_dead_thread", timer_of_dead_thread },
	{ "timer_for_dead_thread", timer_for_dead_thread },
	{ "child", child }, { "landlock_domain", landlock_domain },
	{ "uts_namespace", uts_namespace },
	{ "net_namespace", net_namespace }, { "mnt_namespace", mnt_namespace },
	{ "ipc_namespace", ipc_namespace },
	{ "cgroup_namespace", cgroup_namespace }, { "time_namespace", time_namespace },
	{ "session_keyring", session_keyring },
	{ "process_keyring", process_keyring }, { "thread_keyring", thread_keyring },
	{ "semaphore_undo", semaphore_undo }, { "aio_context", aio_context },
	{ "thread_files", thread_files }, { "thread_fs", thread_fs },
	{ "shared_files", shared_files }, { "core_scheduling", core_scheduling },
	{ "breakpoint", breakpoint }, { "vdso_removed", vdso_removed },
	{ "mixed_code", mixed_code },
	{}
};

static int make_one(const char *name)
{
	const struct obstacle *tables[] = {
		file_obstacles, more_file_obstacles, other_obstacles, further_obstacles,
		tie_obstacles,
	};
	const struct obstacle *o;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (o = tables[i]; o->name; o++)
			if (!strcmp(o->name, name))
				return o->make();
	fail("no obstacle %s", name);
	return 0;
}

/* obstacle NAME...: has these, and computes until told to go on. */
static void obstacle(int argc, char **argv)
{
	uint64_t state = 1, rounds = 0;

	for (; argc > 0; argc--, argv++) {
		errno = 0;
		if (make_one(argv[0]) < 0) {
			tell("SKIP %s: %s", argv[0], strerror(errno));
			return;
		}
	}
	ready();
	do {
		state = chain(state, 1000);
		rounds += 1000;
	} while (!gone_on());
	check_eq(chain(1, rounds), state);
}

const struct mode obstacle_modes[] = {
	{ "obstacle", obstacle },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * tree SEED FEATURES: a process tree by plan (treegen.h). Each process tells
 * "up NUMBER PID" when it has all that it should have, and on a signal tells
 * what it sees: "see NUMBER ..." with its ids, threads, memory, pipes.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "subject.h"
#include "treegen.h"
#include "treestate.h"

struct shared_pipe {
	int node, out, in;
};

static struct tree tree;
static int self;
static pid_t pids[TREE_NODES];	/* those that I have or my creators had forked */
static struct shared_pipe pipes[TREE_NODES];
static int nr_pipes;
static void *memory;

static struct tree_thread {
	pthread_t thread;
	pid_t tid;
	volatile int seen;
	uint64_t canary;
	enum tree_wait wait;
	uint64_t mask;
} threads[TREE_THREADS];

static __thread struct tree_thread *this_thread;
static __thread volatile sig_atomic_t disturbed;
static volatile sig_atomic_t asked;

static const struct tree_node *me(void)
{
	return &tree.node[self];
}

static uint64_t own_seed(void)
{
	return tree_seed_of(&tree, self);
}

static size_t memory_size(void)
{
	return me()->pages * 4096UL;
}

/* Bytes of a shared pipe: looked at, not taken out. */
static void check_pipe(const struct shared_pipe *p)
{
	size_t i, size = tree.node[p->node].pipe_bytes;
	uint64_t data[1024], want[1024];
	ssize_t n = 0, got = 0;
	int copy[2];

	if (pipe2(copy, O_CLOEXEC | O_NONBLOCK)) {
		fail("pipe");
		return;
	}
	n = tee(p->out, copy[1], 65536, SPLICE_F_NONBLOCK);
	check_eq(size, n);
	while (got < n) {
		ssize_t part = read(copy[0], (char *)data + got, n - got);

		if (part <= 0)
			break;
		got += part;
	}
	fill_memory(want, sizeof(want), tree_seed_of(&tree, p->node) ^ ~0ULL);
	for (i = 0; i < size && i < (size_t)got; i++)
		if (((char *)data)[i] != ((char *)want)[i])
			break;
	if (i != size)
		fail("node %d: pipe of %d is different from byte %zu on", self, p->node, i);
	close(copy[0]);
	close(copy[1]);
}

static void check_memory(void)
{
	static uint64_t want[8 * 512];

	fill_memory(want, memory_size(), own_seed());
	if (memcmp(want, memory, memory_size()))
		fail("node %d: memory is different", self);
}

/* Every thread has to answer. */
static void check_threads(void)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	int i, seen;

	for (i = 0; i < me()->nr_threads; i++) {
		seen = threads[i].seen;
		if (syscall(SYS_tgkill, getpid(), threads[i].tid, TREE_SIGNAL_THREAD)) {
			fail("node %d: no thread %d", self, threads[i].tid);
			continue;
		}
		while (threads[i].seen == seen && now_ns() < deadline)
			sched_yield();
		if (threads[i].seen != seen + 1)
			fail("node %d: thread %d does not answer", self, threads[i].tid);
	}
}

/* Children that have exited are still to be waited for. */
static int count_zombies(void)
{
	const struct tree_node *node;
	siginfo_t info;
	int i, n = 0;

	for (i = 0; i < tree.nr; i++) {
		node = &tree.node[i];
		if (node->parent != self || node->creator != self || !node->exits || node->reaped)
			continue;
		n++;
		memset(&info, 0, sizeof(info));
		check_eq(0, waitid(P_PID, pids[i], &info, WEXITED | WNOHANG | WNOWAIT));
		check_eq(pids[i], info.si_pid);
		check_eq(node->status & 0x7f ? CLD_KILLED : CLD_EXITED, info.si_code);
		check_eq(node->status & 0x7f ?: node->status >> 8, info.si_status);
	}
	return n;
}

static void see(void)
{
	uint64_t pending = 0, mask = 0;
	char tids[60] = "";
	int i, n = 0;

	check_memory();
	check_threads();
	treestate_check();
	treefiles_check();
	for (i = 0; i < nr_pipes; i++)
		check_pipe(&pipes[i]);
	for (i = 0; i < me()->nr_threads; i++)
		n += snprintf(tids + n, sizeof(tids) - n, " %d", threads[i].tid);
	syscall(SYS_rt_sigpending, &pending, 8);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
	tell("see %d pid %d ppid %d pgid %d sid %d zombies %d pending %llx mask %llx tids%s", self,
	     getpid(), getppid(), getpgrp(), getsid(0), count_zombies(),
	     (unsigned long long)pending & ~(1ULL << (SIGCHLD - 1)), (unsigned long long)mask,
	     tids);
}

/* The first thread only waits: nothing is half done. But one that computes is asked. */
static void on_see(int sig)
{
	int err = errno;

	disturbed = 1;
	if (me()->wait == TREE_SPIN)
		asked = 1;
	else
		see();
	errno = err;
}

static void on_thread(int sig)
{
	int err = errno;

	disturbed = 1;
	if (this_thread->canary != own_seed() + (this_thread - threads) ||
	    gettid() != this_thread->tid)
		fail("node %d: thread %d is %d", self, this_thread->tid, gettid());
	this_thread->seen++;
	errno = err;
}

static void set_mask(uint64_t mask)
{
	need(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8));
}

static void spin(void)
{
	uint64_t start = own_seed() | 1, want = chain(start, 10000);

	/* Others have to get on, too. */
	need(!setpriority(PRIO_PROCESS, 0, 19));
	for (;;) {
		check_eq(want, chain(start, 10000));
		if (!asked)
			continue;
		asked = 0;
		see();
	}
}

/* They live as long as the test. */
static void wait_child(int ret)
{
	fail("node %d: waiting has returned %d (errno %d)", self, ret, errno);
	_exit(1);
}

static void wait_once(enum tree_wait wait, int empty, int *futex)
{
	const struct timespec long_time = { 1000000, 0 };
	uint64_t mask = me()->mask;
	siginfo_t info;
	char c;

	switch (wait) {
	case TREE_PAUSE:
		pause();
		break;
	case TREE_READ:
		need(read(empty, &c, 1) < 0);
		break;
	case TREE_FUTEX:
		syscall(SYS_futex, futex, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		break;
	case TREE_SLEEP:
		nanosleep(&long_time, NULL);
		break;
	case TREE_POLL:
		poll(NULL, 0, -1);
		break;
	case TREE_SIGSUSPEND:
		syscall(SYS_rt_sigsuspend, &mask, 8);
		break;
	case TREE_WAIT4:
		wait_child(wait4(pids[me()->wait_for], NULL, 0, NULL));
		break;
	case TREE_WAITID:
		wait_child(waitid(P_PID, pids[me()->wait_for], &info, WEXITED | WNOWAIT));
		break;
	case TREE_SPIN:
		spin();
	}
}

static void wait_forever(enum tree_wait wait)
{
	int empty[2] = { -1, -1 }, futex = 0;

	if (wait == TREE_READ)
		need(!pipe(empty));
	for (;;) {
		wait_once(wait, empty[0], &futex);
		if (!disturbed) {
			fail("node %d: wait %d has ended by itself", self, wait);
			_exit(1);
		}
		disturbed = 0;
	}
}

static void *run_thread(void *arg)
{
	this_thread = arg;
	set_mask(this_thread->mask | 1ULL << (TREE_SIGNAL_SEE - 1));
	__atomic_store_n(&this_thread->tid, gettid(), __ATOMIC_RELEASE);
	wait_forever(this_thread->wait);
	return NULL;
}

static void start_threads(void)
{
	pthread_attr_t attr;
	int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < me()->nr_threads; i++) {
		threads[i].canary = own_seed() + i;
		threads[i].wait = me()->thread_wait[i];
		threads[i].mask = me()->thread_mask[i];
		need(!pthread_create(&threads[i].thread, &attr, run_thread, &threads[i]));
		while (!__atomic_load_n(&threads[i].tid, __ATOMIC_ACQUIRE))
			sched_yield();
	}
}

static void enter_group(void)
{
	switch (me()->group) {
	case TREE_GROUP_STAYS:
		break;
	case TREE_GROUP_OWN:
		need(!setpgid(0, 0));
		break;
	case TREE_GROUP_JOIN:
		need(!setpgid(0, pids[me()->join]));
		break;
	case TREE_GROUP_SESSION:
		need(setsid() == getpid());
	}
	if (me()->subreaper)
		need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
}

static void make_own(void)
{
	uint64_t data[1024];
	int p[2];

	/* Side by side with its parent's it would be one mapping after a restart. */
	memory = mmap((void *)(0x100000000000UL + ((uint64_t)self << 20)), memory_size(),
		      PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	need(memory != MAP_FAILED);
	fill_memory(memory, memory_size(), own_seed());
	if (!me()->pipe_bytes)
		return;
	need(!pipe(p));
	fill_memory(data, sizeof(data), own_seed() ^ ~0ULL);
	need(write(p[1], data, me()->pipe_bytes) == me()->pipe_bytes);
	pipes[nr_pipes++] = (struct shared_pipe){ self, p[0], p[1] };
}

static void set_signals(void)
{
	struct sigaction see = { .sa_handler = on_see, .sa_flags = SA_RESTART };
	struct sigaction thread = { .sa_handler = on_thread, .sa_flags = SA_RESTART };
	int sig;

	need(!sigaction(TREE_SIGNAL_SEE, &see, NULL));
	need(!sigaction(TREE_SIGNAL_THREAD, &thread, NULL));
	set_mask(me()->mask);
	for (sig = 1; sig <= 64; sig++)
		if (me()->pending & 1ULL << (sig - 1))
			need(!sigqueue(getpid(), sig, (union sigval){ .sival_int = self }));
}

/* Exits, or is killed by a signal. */
static void leave(int status)
{
	int sig = status & 0x7f;

	if (!sig)
		_exit(status >> 8);
	kill(getpid(), sig);
	for (;;)
		pause();
}

static void build(int done);

/* A table of files that both have is the creator's to tidy up. */
static bool own_files(int node)
{
	return !(tree.node[node].shares & CLONE_FILES);
}

static void create(int child, int my_done)
{
	const struct tree_node *node = &tree.node[child];
	int flags = node->shares | (node->sibling ? CLONE_PARENT : 0);
	int p[2];
	char c;

	need(!pipe2(p, O_CLOEXEC));
	pids[child] = flags ? syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0) : fork();
	if (!pids[child]) {
		self = child;
		pids[child] = getpid();
		if (own_files(child)) {
			close(p[0]);
			if (my_done >= 0)
				close(my_done);
		}
		build(p[1]);
	}
	need(pids[child] > 0);
	if (own_files(child))
		close(p[1]);
	need(read(p[0], &c, 1) == 1);
	if (!own_files(child))
		close(p[1]);
	close(p[0]);
	if (tree.node[child].exits)
		need(!waitid(P_PID, pids[child], NULL,
			     WEXITED | (tree.node[child].reaped ? 0 : WNOWAIT)));
}

/* Never returns. */
static void build(int done)
{
	int i;

	enter_group();
	make_own();
	treestate_set(me()->states, own_seed());
	treefiles_open(me()->files, own_seed());
	for (i = self + 1; i < tree.nr; i++)
		if (tree.node[i].creator == self)
			create(i, done);
	if (!me()->exits) {
		start_threads();
		set_signals();
	}
	tell("up %d %d", self, getpid());
	if (done >= 0) {
		need(write(done, "d", 1) == 1);
		if (own_files(self))
			close(done);
	}
	if (me()->exits)
		leave(me()->status);
	wait_forever(me()->wait);
}

static void run_tree(int argc, char **argv)
{
	need(argc == 2);
	tree_plan(&tree, strtoull(argv[0], NULL, 0), strtoul(argv[1], NULL, 0));
	pids[0] = getpid();
	build(-1);
}

const struct mode tree_modes[] = {
	{ "tree", run_tree },
	{}
};

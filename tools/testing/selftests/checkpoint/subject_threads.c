// SPDX-License-Identifier: GPL-2.0-only
/* Threads: what each has of its own, and what they wait for. */
#include <linux/futex.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>

#include "subject.h"

#define PAGE	4096

#define MAX_THREADS	256

/* What a thread recorded about itself before. */
struct worker {
	pthread_t thread;
	int nr;
	pid_t tid;
	stack_t altstack;
	void *robust_list;
	void *pointer;
	sigset_t mask;
	cpu_set_t cpus;
};

static struct worker workers[MAX_THREADS];
static __thread uint64_t tls_words[16];
static atomic_int nr_prepared, go_flag;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;

static uint64_t tls_value(int nr, int word)
{
	return chain(nr + 1, word + 1);
}

static void *thread_pointer(void)
{
	return __builtin_thread_pointer();
}

static void worker_prepare(struct worker *w)
{
	size_t i, size, len = 64 * 1024;
	char name[16];

	w->tid = syscall(SYS_gettid);
	w->pointer = thread_pointer();
	for (i = 0; i < ARRAY_SIZE(tls_words); i++)
		tls_words[i] = tls_value(w->nr, i);
	snprintf(name, sizeof(name), "t%d (x) %d", w->nr, w->nr % 7);
	check_eq(0, prctl(PR_SET_NAME, name));
	check_eq(0, prctl(PR_SET_TIMERSLACK, 60000 + w->nr));
	check_eq(0, setpriority(PRIO_PROCESS, 0, w->nr % 5));
	sigemptyset(&w->mask);
	sigaddset(&w->mask, SIGRTMIN + w->nr % 20);
	check_eq(0, pthread_sigmask(SIG_SETMASK, &w->mask, NULL));
	w->altstack.ss_sp = malloc(len);
	w->altstack.ss_size = len - w->nr;
	check_eq(0, sigaltstack(&w->altstack, NULL));
	check_eq(0, syscall(SYS_get_robust_list, 0, &w->robust_list, &size));
	CPU_ZERO(&w->cpus);
	CPU_SET(w->nr % 2 && sysconf(_SC_NPROCESSORS_ONLN) > 1, &w->cpus);
	check_eq(0, sched_setaffinity(0, sizeof(w->cpus), &w->cpus));
	check_eq(0, sched_getaffinity(0, sizeof(w->cpus), &w->cpus));
}

static void worker_check(struct worker *w)
{
	char name[16] = "", want[16];
	cpu_set_t cpus;
	sigset_t mask;
	stack_t ss;
	size_t i, size;
	void *list;

	check_eq(w->tid, syscall(SYS_gettid));
	check_eq((long)w->pointer, (long)thread_pointer());
	for (i = 0; i < ARRAY_SIZE(tls_words); i++)
		check_eq(tls_value(w->nr, i), tls_words[i]);
	snprintf(want, sizeof(want), "t%d (x) %d", w->nr, w->nr % 7);
	check_eq(0, prctl(PR_GET_NAME, name));
	check_eq(0, strcmp(name, want));
	check_eq(60000 + w->nr, prctl(PR_GET_TIMERSLACK));
	errno = 0;
	check_eq(w->nr % 5, getpriority(PRIO_PROCESS, 0));
	check_eq(0, pthread_sigmask(SIG_BLOCK, NULL, &mask));
	check_eq(0, memcmp(&mask, &w->mask, 8));
	check_eq(0, sigaltstack(NULL, &ss));
	check_eq((long)w->altstack.ss_sp, (long)ss.ss_sp);
	check_eq(w->altstack.ss_size, ss.ss_size);
	check_eq(0, ss.ss_flags);
	check_eq(0, syscall(SYS_get_robust_list, 0, &list, &size));
	check_eq((long)w->robust_list, (long)list);
	check_eq(0, sched_getaffinity(0, sizeof(cpus), &cpus));
	check(CPU_EQUAL(&cpus, &w->cpus));
	check(CPU_ISSET(sched_getcpu(), &cpus));
}

/* Every thread waits in another way. */
static void worker_wait(int nr, bool spin)
{
	switch (nr % 4) {
	case 0:
		pthread_mutex_lock(&lock);
		while (!go_flag)
			pthread_cond_wait(&cond, &lock);
		pthread_mutex_unlock(&lock);
		break;
	case 1:
		check_eq(0, sem_wait(&semaphore));
		break;
	case 2:
		check_eq(0, pthread_rwlock_rdlock(&rwlock));
		check_eq(0, pthread_rwlock_unlock(&rwlock));
		break;
	case 3:
		while (spin && !go_flag)
			chain(nr, 100);
		if (!spin)
			check_eq(0, sem_wait(&semaphore));
		break;
	}
}

static void release_all(int n)
{
	pthread_mutex_lock(&lock);
	go_flag = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&lock);
	while (n--)
		sem_post(&semaphore);
	pthread_rwlock_unlock(&rwlock);
}

static void *worker(void *arg)
{
	struct worker *w = arg;

	worker_prepare(w);
	nr_prepared++;
	worker_wait(w->nr, false);
	worker_check(w);
	return (void *)(w->nr + 1L);
}

static void *spinner(void *arg)
{
	struct worker *w = arg;

	worker_prepare(w);
	nr_prepared++;
	worker_wait(w->nr, true);
	worker_check(w);
	return (void *)(w->nr + 1L);
}

static void run_threads(int n, void *(*fn)(void *arg))
{
	void *result;
	int i;

	need(n > 0 && n <= MAX_THREADS);
	sem_init(&semaphore, 0, 0);
	pthread_rwlock_wrlock(&rwlock);
	for (i = 1; i < n; i++) {
		workers[i].nr = i;
		need(!pthread_create(&workers[i].thread, NULL, fn, &workers[i]));
	}
	worker_prepare(&workers[0]);
	while (nr_prepared < n - 1)
		sched_yield();
	stage();
	worker_check(&workers[0]);
	release_all(n);
	for (i = 1; i < n; i++) {
		check_eq(0, pthread_join(workers[i].thread, &result));
		check_eq(i + 1, (long)result);
	}
}

static void *nothing(void *arg)
{
	return arg;
}

/* threads N: waiting in many ways; new threads can be had afterwards. */
static void threads(int argc, char **argv)
{
	pthread_t thread;
	void *result;

	run_threads(argc > 0 ? atoi(argv[0]) : 4, worker);
	check_eq(0, pthread_create(&thread, NULL, nothing, workers));
	check_eq(0, pthread_join(thread, &result));
	check(result == workers);
}

/* spinners N: some of them computing. */
static void spinners(int argc, char **argv)
{
	run_threads(argc > 0 ? atoi(argv[0]) : 4, spinner);
}

struct counting {
	pthread_t thread;
	uint64_t rounds, state;
};

static void *count(void *arg)
{
	struct counting *c = arg;

	nr_prepared++;
	while (!go_flag) {
		c->state = chain(c->state, 500);
		c->rounds += 500;
	}
	return NULL;
}

/* counters N: computing threads with a result of their own each. */
static void counters(int argc, char **argv)
{
	int i, n = argc > 0 ? atoi(argv[0]) : 4;
	struct counting c[64] = {};

	need(n <= (int)ARRAY_SIZE(c));
	for (i = 0; i < n; i++) {
		c[i].state = i + 1;
		need(!pthread_create(&c[i].thread, NULL, count, &c[i]));
	}
	while (nr_prepared < n)
		sched_yield();
	stage();
	go_flag = 1;
	for (i = 0; i < n; i++) {
		check_eq(0, pthread_join(c[i].thread, NULL));
		check(c[i].rounds > 0);
		check_eq(chain(i + 1, c[i].rounds), c[i].state);
	}
}

/* Mutexes of a kind that the kernel knows about. */
static pthread_mutex_t special;
static sem_t held, finish;
static int waiter_result;

static void *owner(void *arg)
{
	bool robust = arg;

	check_eq(0, pthread_mutex_lock(&special));
	sem_post(&held);
	check_eq(0, sem_wait(&finish));
	if (!robust)
		check_eq(0, pthread_mutex_unlock(&special));
	return NULL;
}

static void *waiter(void *arg)
{
	waiter_result = pthread_mutex_lock(&special);
	if (waiter_result == EOWNERDEAD)
		pthread_mutex_consistent(&special);
	check_eq(0, pthread_mutex_unlock(&special));
	return NULL;
}

static void special_mutex(bool robust)
{
	pthread_mutexattr_t attr;
	pthread_t a, b;

	pthread_mutexattr_init(&attr);
	if (robust)
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	else
		pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	need(!pthread_mutex_init(&special, &attr));
	sem_init(&held, 0, 0);
	sem_init(&finish, 0, 0);
	need(!pthread_create(&a, NULL, owner, robust ? &attr : NULL));
	sem_wait(&held);
	need(!pthread_create(&b, NULL, waiter, NULL));
	while (!(*(volatile int *)&special.__data.__lock & FUTEX_WAITERS))
		sched_yield();
	stage();
	sem_post(&finish);
	check_eq(0, pthread_join(a, NULL));
	check_eq(0, pthread_join(b, NULL));
	check_eq(robust ? EOWNERDEAD : 0, waiter_result);
}

/* robust: the owner dies afterwards, and the waiter is told. */
static void robust(int argc, char **argv)
{
	special_mutex(true);
}

/* pi: priority inheritance; the kernel knows owner and waiter. */
static void pi(int argc, char **argv)
{
	special_mutex(false);
}

static pthread_mutex_t robusts[2];

static void *try_lock(void *arg)
{
	int i;

	for (i = 0; i < 2; i++)
		check_eq(EBUSY, pthread_mutex_trylock(&robusts[i]));
	return NULL;
}

static void *lock_and_die(void *arg)
{
	int i;

	for (i = 0; i < 2; i++)
		check_eq(0, pthread_mutex_lock(&robusts[i]));
	stage();
	return NULL;
}

/* robust_locks: locks that hold the id of the thread that has them. */
static void robust_locks(int argc, char **argv)
{
	pthread_mutexattr_t attr;
	pthread_t thread;
	int i;

	need(!pthread_mutexattr_init(&attr));
	need(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	need(!pthread_mutex_init(&robusts[0], &attr));
	need(!pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	need(!pthread_mutex_init(&robusts[1], &attr));
	for (i = 0; i < 2; i++)
		check_eq(0, pthread_mutex_lock(&robusts[i]));
	stage();
	need(!pthread_create(&thread, NULL, try_lock, NULL));
	need(!pthread_join(thread, NULL));
	for (i = 0; i < 2; i++)
		check_eq(0, pthread_mutex_unlock(&robusts[i]));
	/* That its owner has died is told after it has got a fresh id, too. */
	need(!pthread_create(&thread, NULL, lock_and_die, NULL));
	need(!pthread_join(thread, NULL));
	for (i = 0; i < 2; i++)
		check_eq(EOWNERDEAD, pthread_mutex_lock(&robusts[i]));
}

/* A lock alone on a page, and one that waits for it. */
static pthread_mutex_t *fixed;

static void *lock_fixed(void *arg)
{
	int ret = pthread_mutex_lock(fixed);

	check_eq(0, ret);
	if (!ret)
		check_eq(0, pthread_mutex_unlock(fixed));
	return NULL;
}

/* fixed_lock robust|pi: a lock that is held, and may not be written to at the time. */
static void fixed_lock(int argc, char **argv)
{
	bool pi = argc == 1 && !strcmp(argv[0], "pi");
	pthread_mutexattr_t attr;
	pthread_t thread;

	fixed = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(fixed != MAP_FAILED && !pthread_mutexattr_init(&attr));
	if (pi)
		need(!pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	else
		need(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	need(!pthread_mutex_init(fixed, &attr) && !pthread_mutex_lock(fixed));
	if (pi) {
		need(!pthread_create(&thread, NULL, lock_fixed, NULL));
		while (!(__atomic_load_n((uint32_t *)fixed, __ATOMIC_RELAXED) & FUTEX_WAITERS))
			sched_yield();
	}
	need(!mprotect(fixed, PAGE, PROT_READ));
	stage();
	need(!mprotect(fixed, PAGE, PROT_READ | PROT_WRITE));
	check_eq(0, pthread_mutex_unlock(fixed));
	if (pi)
		need(!pthread_join(thread, NULL));
}

static pthread_barrier_t barrier_all;

static void *at_barrier(void *arg)
{
	int ret = pthread_barrier_wait(&barrier_all);

	return (void *)(long)(ret == PTHREAD_BARRIER_SERIAL_THREAD);
}

/* barrier N: all threads but one have arrived. */
static void barrier(int argc, char **argv)
{
	int i, n = argc > 0 ? atoi(argv[0]) : 4;
	long serial;
	void *result;

	need(!pthread_barrier_init(&barrier_all, NULL, n));
	for (i = 1; i < n; i++)
		need(!pthread_create(&workers[i].thread, NULL, at_barrier, NULL));
	stage();
	serial = (long)at_barrier(NULL);
	for (i = 1; i < n; i++) {
		check_eq(0, pthread_join(workers[i].thread, &result));
		serial += (long)result;
	}
	check_eq(1, serial);
}

static struct rseq *rseq_area(void)
{
	return (struct rseq *)((char *)thread_pointer() + __rseq_offset);
}

static uint32_t critical_stop, critical_aborts, critical_moved;

/*
 * Stays in a restartable sequence until told to stop. Within it the number of
 * the processor cannot change: a change means that an abort was forgotten.
 */
static void *critical(void *arg)
{
	nr_prepared++;
	asm volatile(".pushsection __rseq_cs, \"aw\"\n"
		     ".balign 32\n"
		     "3:	.long 0, 0\n"
		     "	.quad 1f, 2f - 1f, 4f\n"
		     ".popsection\n"
		     "0:	lea	3b(%%rip), %%rax\n"
		     "	mov	%%rax, 8(%[rseq])\n"
		     "1:	mov	4(%[rseq]), %%ecx\n"
		     "6:	cmp	4(%[rseq]), %%ecx\n"
		     "	jne	7f\n"
		     "	cmpl	$0, %[stop]\n"
		     "	je	6b\n"
		     "2:	jmp	5f\n"
		     "7:	movl	$1, %[moved]\n"
		     "	jmp	5f\n"
		     "	.byte	0x0f, 0xb9, 0x3d\n"
		     "	.long	0x53053053\n"
		     "4:	incl	%[aborts]\n"
		     "	jmp	0b\n"
		     "5:	movq	$0, 8(%[rseq])\n"
		     : [aborts] "+m" (critical_aborts), [moved] "+m" (critical_moved)
		     : [rseq] "r" (rseq_area()), [stop] "m" (critical_stop)
		     : "rax", "rcx", "memory", "cc");
	return NULL;
}

static void check_rseq_cpu(void)
{
	long cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	for (cpu = 0; cpu < cpus && cpu < 4; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		check_eq(0, sched_setaffinity(0, sizeof(set), &set));
		check_eq(cpu, *(volatile uint32_t *)&rseq_area()->cpu_id);
		check_eq(cpu, *(volatile uint32_t *)&rseq_area()->cpu_id_start);
	}
}

/* rseq: the registration of both threads, one of them within a sequence. */
static void rseq(int argc, char **argv)
{
	pthread_t thread;

	need(__rseq_size >= 20);
	check_rseq_cpu();
	need(!pthread_create(&thread, NULL, critical, NULL));
	while (!nr_prepared)
		sched_yield();
	stage();
	check_rseq_cpu();
	/* Registered still: only the same registration is refused like this. */
	check_eq(-1, syscall(SYS_rseq, rseq_area(), 32, 0, 0x53053053));
	check_eq(EBUSY, errno);
	stage();
	*(volatile uint32_t *)&critical_stop = 1;
	check_eq(0, pthread_join(thread, NULL));
	check_eq(0, critical_moved);
}

const struct mode thread_modes[] = {
	{ "threads", threads },
	{ "spinners", spinners },
	{ "counters", counters },
	{ "robust", robust },
	{ "pi", pi },
	{ "robust_locks", robust_locks },
	{ "fixed_lock", fixed_lock },
	{ "barrier", barrier },
	{ "rseq", rseq },
	{}
};

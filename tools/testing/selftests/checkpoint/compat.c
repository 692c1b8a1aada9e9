// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program, for compat_test: compat MODE. It knows nothing of the other
 * subjects, which are built for 64 bits.
 */
#include <elf.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void tell(const char *fmt, ...)
{
	char line[200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	line[n++] = '\n';
	if (write(1, line, n) != n)
		_exit(1);
}

#define check(cond) do {						\
	if (!(cond))							\
		tell("FAIL compat.c:%d: %s (errno %d)", __LINE__, #cond, errno); \
} while (0)

static void wait_go(void)
{
	char c = 0;
	int n = read(0, &c, 1);

	if (!n)
		_exit(1);
	check(n == 1 && c == 'g');
}

static void stage(void)
{
	tell("ready");
	wait_go();
}

static void idle(void)
{
	stage();
	stage();
}

/* robust: a lock that holds the id of the thread that has it. */
static void robust(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t lock;

	check(!pthread_mutexattr_init(&attr));
	check(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	check(!pthread_mutex_init(&lock, &attr) && !pthread_mutex_lock(&lock));
	stage();
	check(!pthread_mutex_unlock(&lock));
}

static __thread int tls_number;
static volatile int handled;
static char *handler_stack;

static void handler(int sig, siginfo_t *info, void *context)
{
	char here;

	if (&here > handler_stack && &here < handler_stack + 65536 && info->si_pid == getpid())
		handled = sig;
}

static void old_handler(int sig)
{
	handled = -sig;
}

static void set_signals(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = 65536 };

	handler_stack = malloc(65536);
	stack.ss_sp = handler_stack;
	sa.sa_sigaction = handler;
	check(!sigaltstack(&stack, NULL));
	check(!sigaction(SIGUSR1, &sa, NULL));
	signal(SIGUSR2, old_handler);
}

static void check_signals(void)
{
	handled = 0;
	check(!raise(SIGUSR1));
	check(handled == SIGUSR1);
	check(!raise(SIGUSR2));
	check(handled == -SIGUSR2);
}

/* The upper half of the registers is none of its business; these are. */
static int check_registers(void)
{
	float f[4] = { 1.5, 2.5, 3.5, 4.5 }, g[4];
	struct { long double is, want; } x87 = { 1, 1.25L };
	int ret, i;

	/* read(0, &c, 1), with values in registers that it has to keep. */
	static char c;

	tell("ready");
	asm volatile("movups %[f], %%xmm5\n\t"
		     "fldt %[want]\n\t"
		     "int $0x80\n\t"
		     "fstpt %[x87]\n\t"
		     "movups %%xmm5, %[g]\n\t"
		     : "=a" (ret), [x87] "=m" (x87.is), [g] "=m" (g)
		     : "a" (3), "b" (0), "c" (&c), "d" (1), [f] "m" (f), [want] "m" (x87.want)
		     : "memory", "xmm5", "st", "st(1)");
	check(ret == 1 && c == 'g');
	check(x87.is == x87.want);
	for (i = 0; i < 4; i++)
		check(f[i] == g[i]);
	return ret;
}

static void everything(void)
{
	uint32_t *heap = malloc(1 << 20);
	void *robust = NULL, *robust_now = NULL;
	size_t size;
	int i;

	check(sizeof(void *) == 4);
	for (i = 0; i < 1 << 18; i++)
		heap[i] = i * 2654435761U;
	tls_number = 12345;
	check(!syscall(SYS_get_robust_list, 0, &robust, &size));
	check(personality(ADDR_COMPAT_LAYOUT) >= 0);
	set_signals();
	stage();
	check_signals();
	stage();
	check_registers();
	check_signals();
	check(tls_number == 12345);
	for (i = 0; i < 1 << 18; i++)
		if (heap[i] != i * 2654435761U)
			break;
	check(i == 1 << 18);
	check(!syscall(SYS_get_robust_list, 0, &robust_now, &size));
	check(robust && robust == robust_now);
	check(personality(0xffffffff) == ADDR_COMPAT_LAYOUT);
	check(malloc(4 << 20));
	check(time(NULL) > 1600000000);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int go;
static volatile int nr_waiting;

static void *worker(void *arg)
{
	tls_number = (intptr_t)arg;
	pthread_mutex_lock(&lock);
	nr_waiting++;
	while (!go)
		pthread_cond_wait(&cond, &lock);
	pthread_mutex_unlock(&lock);
	check(tls_number == (intptr_t)arg);
	return arg;
}

static void threads(void)
{
	pthread_t thread[5];
	void *ret;
	int i;

	for (i = 0; i < 5; i++)
		check(!pthread_create(&thread[i], NULL, worker, (void *)(intptr_t)(i + 7)));
	tls_number = 1;
	/* What a new thread does first is not what is looked at. */
	while (nr_waiting < 5)
		sched_yield();
	stage();
	stage();
	pthread_mutex_lock(&lock);
	go = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&lock);
	for (i = 0; i < 5; i++) {
		check(!pthread_join(thread[i], &ret));
		check((intptr_t)ret == i + 7);
	}
	check(tls_number == 1);
	check(!pthread_create(&thread[0], NULL, worker, (void *)3));
	check(!pthread_join(thread[0], &ret));
}

static double since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec + (now.tv_nsec - start->tv_nsec) / 1e9;
}

static int waiting_end[2];

/* What is done here is undisturbed: it ends when its time is over. */
static void *sleeper(void *arg)
{
	struct timespec time = { 3, 0 }, start;
	struct pollfd pfd = { .fd = waiting_end[0], .events = POLLIN };
	int64_t time64[2] = { 3, 0 };
	int32_t time32[2] = { 3, 0 }, left32[2];
	int word = 5;

	clock_gettime(CLOCK_MONOTONIC, &start);
	switch ((intptr_t)arg) {
	case 0:
		check(!nanosleep(&time, NULL));
		break;
	case 1:
		check(poll(&pfd, 1, 3000) == 0);
		break;
	case 2:
		check(syscall(SYS_futex_time64, &word, 128, 5, time64, NULL, 0) == -1);
		check(errno == ETIMEDOUT);
		break;
	case 3:
		/* With the times of 32 bits. */
		check(!syscall(SYS_nanosleep, time32, left32));
		break;
	}
	check(since(&start) > 2.9);
	return NULL;
}

static void sleepers(void)
{
	pthread_t thread[4];
	int i;

	check(!pipe(waiting_end));
	for (i = 0; i < 4; i++)
		check(!pthread_create(&thread[i], NULL, sleeper, (void *)(intptr_t)i));
	stage();
	for (i = 0; i < 4; i++)
		check(!pthread_join(thread[i], NULL));
}

/* Calls that answer any interruption with EINTR: being saved is none. */
static void *patient(void *arg)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set;
	int fd;

	nr_waiting++;
	if (arg) {
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		check(sigwaitinfo(&set, NULL) == SIGRTMIN);
		return NULL;
	}
	fd = epoll_create1(0);
	check(!epoll_ctl(fd, EPOLL_CTL_ADD, waiting_end[0], &event));
	check(epoll_wait(fd, &event, 1, -1) == 1);
	close(fd);
	return NULL;
}

static void patience(void)
{
	pthread_t thread;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	check(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	check(!pthread_create(&thread, NULL, patient, (void *)1));
	while (!nr_waiting)
		sched_yield();
	stage();
	stage();
	check(!pthread_kill(thread, SIGRTMIN));
	check(!pthread_join(thread, NULL));
}

/* The same with a file that can only go on, not be restarted. */
static void epoll(void)
{
	pthread_t thread;

	check(!pipe(waiting_end));
	check(!pthread_create(&thread, NULL, patient, NULL));
	while (!nr_waiting)
		sched_yield();
	stage();
	stage();
	check(write(waiting_end[1], "x", 1) == 1);
	check(!pthread_join(thread, NULL));
}

/* Where a function of the vDSO is. */
static void *vdso_function(const char *name)
{
	char *base = (char *)getauxval(AT_SYSINFO_EHDR), *names = NULL;
	Elf32_Ehdr *header = (void *)base;
	Elf32_Phdr *part = (void *)(base + header->e_phoff);
	Elf32_Sym *symbols = NULL;
	Elf32_Dyn *dyn = NULL;
	uint32_t i, *hash = NULL;

	for (i = 0; i < header->e_phnum; i++)
		if (part[i].p_type == PT_DYNAMIC)
			dyn = (void *)(base + part[i].p_vaddr);
	for (; dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_STRTAB)
			names = base + dyn->d_un.d_ptr;
		if (dyn->d_tag == DT_SYMTAB)
			symbols = (void *)(base + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_HASH)
			hash = (void *)(base + dyn->d_un.d_ptr);
	}
	for (i = 0; i < hash[1]; i++)
		if (!strcmp(names + symbols[i].st_name, name))
			return base + symbols[i].st_value;
	return NULL;
}

static bool is_later(const int64_t *a, const int64_t *b)
{
	return a[0] > b[0] || (a[0] == b[0] && a[1] >= b[1]);
}

/* Through addresses from before: the time, system calls, the end of signal handlers. */
static void vdso(void)
{
	int (*gettime)(clockid_t clock, int64_t *time) = vdso_function("__vdso_clock_gettime64");
	void *vsyscall = vdso_function("__kernel_vsyscall");
	int64_t times[4][2];
	int i, pid;

	check(vsyscall && (unsigned long)vsyscall == getauxval(AT_SYSINFO));
	check(!gettime(CLOCK_REALTIME, times[0]));
	set_signals();
	stage();
	check(!syscall(SYS_clock_gettime64, CLOCK_REALTIME, times[1]));
	check(!gettime(CLOCK_REALTIME, times[2]));
	check(!syscall(SYS_clock_gettime64, CLOCK_REALTIME, times[3]));
	for (i = 1; i < 4; i++)
		check(is_later(times[i], times[i - 1]));
	asm volatile("call *%[entry]"
		     : "=a" (pid) : "a" (SYS_getpid), [entry] "S" (vsyscall) : "memory");
	check(pid == getpid());
	check_signals();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "idle", idle }, { "robust", robust }, { "everything", everything },
		{ "threads", threads }, { "sleepers", sleepers }, { "patience", patience },
		{ "epoll", epoll }, { "vdso", vdso },
	};
	unsigned int i;

	for (i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, argv[1]))
			continue;
		modes[i].run();
		tell("done");
		return 0;
	}
	tell("FAIL no such mode");
	return 2;
}

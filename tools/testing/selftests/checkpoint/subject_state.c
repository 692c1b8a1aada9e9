// SPDX-License-Identifier: GPL-2.0-only
/* What a thread can set about itself with prctl(2) and calls for few. */
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <grp.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "state.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE		65
#define PR_GET_MDWE		66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#define PR_GET_MEMORY_MERGE	68
#endif

static int tsc(void)
{
	return prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
}

static void tsc_check(void)
{
	int mode = 0;

	check_eq(0, prctl(PR_GET_TSC, &mode));
	check_eq(PR_TSC_SIGSEGV, mode);
}

static int cpuid(void)
{
	return syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
}

static void cpuid_check(void)
{
	check_eq(0, syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0));
}

static int mce_early(void)
{
	return prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
}

static void mce_early_check(void)
{
	check_eq(PR_MCE_KILL_EARLY, prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
}

static int mce_late(void)
{
	return prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0);
}

static void mce_late_check(void)
{
	check_eq(PR_MCE_KILL_LATE, prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
}

static int speculate(int which, int how)
{
	return prctl(PR_SET_SPECULATION_CTRL, which, how, 0, 0);
}

static void speculate_check(int which, int how)
{
	check_eq(PR_SPEC_PRCTL | how, prctl(PR_GET_SPECULATION_CTRL, which, 0, 0, 0));
}

#define SPECULATION(name, which, how)			\
	static int name(void)				\
	{						\
		return speculate(which, how);		\
	}						\
	static void name##_check(void)			\
	{						\
		speculate_check(which, how);		\
	}

SPECULATION(ssb_off, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE)
SPECULATION(ssb_forced, PR_SPEC_STORE_BYPASS, PR_SPEC_FORCE_DISABLE)
SPECULATION(ssb_noexec, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE_NOEXEC)
SPECULATION(branch_off, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_DISABLE)
SPECULATION(branch_forced, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_FORCE_DISABLE)

static volatile char selector;
static volatile int dispatched;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	selector = 0;
	dispatched = info->si_syscall;
}

static int dispatch(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	return sigaction(SIGSYS, &sa, NULL) ?:
	       prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0x1000, 0x2000, &selector);
}

static void dispatch_check(void)
{
	dispatched = -1;
	selector = 1;
	syscall(SYS_getppid);
	check_eq(SYS_getppid, dispatched);
	check_eq(0, selector);
}

static int flusher(void)
{
	return prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
}

/* As prctl() tells only to those with CAP_SYS_RESOURCE: the flags of stat. */
static bool is_flusher(void)
{
	char stat[1024] = "";
	unsigned int flags = 0;

	need(read_file("/proc/thread-self/stat", stat, sizeof(stat)) > 0);
	need(sscanf(strrchr(stat, ')'), ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1);
	return (flags & 0x180000) == 0x180000;
}

static void flusher_check(void)
{
	check(is_flusher());
}

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static int set_attr(struct attr *attr)
{
	attr->size = sizeof(*attr);
	return syscall(SYS_sched_setattr, 0, attr, 0);
}

static void get_attr(struct attr *attr)
{
	check_eq(0, syscall(SYS_sched_getattr, 0, attr, sizeof(*attr), 0));
}

#define RECLAIM		0x02
#define DL_OVERRUN	0x04
#define KEEP_ALL	0x18
#define CLAMP_MIN	0x20
#define CLAMP_MAX	0x40

static int deadline(void)
{
	struct attr attr = {
		.policy = 6, .flags = RECLAIM | DL_OVERRUN, .runtime = 10000000,
		.deadline = 100000000, .period = 200000000,
	};

	signal(SIGXCPU, SIG_IGN);
	return set_attr(&attr);
}

static void deadline_check(void)
{
	struct attr attr = {};

	get_attr(&attr);
	check_eq(6, attr.policy);
	check_eq(RECLAIM | DL_OVERRUN, attr.flags);
	check_eq(10000000, attr.runtime);
	check_eq(100000000, attr.deadline);
	check_eq(200000000, attr.period);
}

static int slice(void)
{
	struct attr attr = { .nice = 3, .runtime = 5000000 };

	return set_attr(&attr);
}

static void slice_check(void)
{
	struct attr attr = {};

	get_attr(&attr);
	check_eq(3, attr.nice);
	check_eq(5000000, attr.runtime);
}

static int clamps(void)
{
	struct attr attr = {
		.flags = KEEP_ALL | CLAMP_MIN | CLAMP_MAX, .util_min = 100, .util_max = 512,
	};

	return set_attr(&attr);
}

static void clamps_check(void)
{
	struct attr attr = {};

	get_attr(&attr);
	check_eq(100, attr.util_min);
	check_eq(512, attr.util_max);
}

static int io_priority(void)
{
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		       IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 2));
}

static void io_priority_check(void)
{
	check_eq(IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 2),
		 syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
}

/* A new thread's default is its creator's slack. */
static void *slack_thread(void *arg)
{
	*(int *)arg = prctl(PR_GET_TIMERSLACK);
	return NULL;
}

static int slack_of_new_thread(void)
{
	pthread_t thread;
	int slack = 0;

	need(!pthread_create(&thread, NULL, slack_thread, &slack));
	need(!pthread_join(thread, NULL));
	return slack;
}

static int slack(void)
{
	return prctl(PR_SET_TIMERSLACK, 70000);
}

static void slack_check(void)
{
	check_eq(70000, prctl(PR_GET_TIMERSLACK));
	check_eq(70000, slack_of_new_thread());
	check_eq(0, prctl(PR_SET_TIMERSLACK, 0));
	check_eq(50000, prctl(PR_GET_TIMERSLACK));
}

#define MPOL_PREFERRED		1
#define MPOL_BIND		2
#define MPOL_INTERLEAVE		3
#define MPOL_LOCAL		4
#define MPOL_F_STATIC_NODES	(1 << 15)

static int policy(int mode, unsigned long nodes)
{
	return syscall(SYS_set_mempolicy, mode, &nodes, 64);
}

static void policy_check(int mode, unsigned long nodes)
{
	unsigned long now[16] = {};
	int is = -1;

	check_eq(0, syscall(SYS_get_mempolicy, &is, now, 1024, 0, 0));
	check_eq(mode, is);
	check_eq(nodes, now[0]);
}

#define MEMORY_POLICY(name, mode, nodes)		\
	static int name(void)				\
	{						\
		return policy(mode, nodes);		\
	}						\
	static void name##_check(void)			\
	{						\
		policy_check(mode, nodes);		\
	}

MEMORY_POLICY(policy_bind, MPOL_BIND, 1)
MEMORY_POLICY(policy_interleave, MPOL_INTERLEAVE, 1)
MEMORY_POLICY(policy_local, MPOL_LOCAL, 0)
MEMORY_POLICY(policy_static, MPOL_PREFERRED | MPOL_F_STATIC_NODES, 1)

static int mdwe(void)
{
	return prctl(PR_SET_MDWE, 1, 0, 0, 0);
}

static void mdwe_check(void)
{
	check_eq(1, prctl(PR_GET_MDWE, 0, 0, 0, 0));
	check(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
}

/* With memory that was written and executed before. */
static int mdwe_no_inherit(void)
{
	need(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	     MAP_FAILED);
	return prctl(PR_SET_MDWE, 3, 0, 0, 0);
}

static void mdwe_no_inherit_check(void)
{
	check_eq(3, prctl(PR_GET_MDWE, 0, 0, 0, 0));
}

static char *area;

static void map_area(void)
{
	area = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(area != MAP_FAILED);
	memset(area, 7, 16 * 4096);
}

/* Counts the mappings of the area, and those that are marked mergeable. */
static void mergeable(int *all, int *merged)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	bool inside = false;
	char line[512];

	*all = *merged = 0;
	need(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start < (unsigned long)area + 16 * 4096 &&
				 end > (unsigned long)area;
		if (inside && !strncmp(line, "VmFlags:", 8)) {
			(*all)++;
			*merged += !!strstr(line, " mg");
		}
	}
	fclose(smaps);
}

static int merge_some(void)
{
	map_area();
	return madvise(area + 4096, 8 * 4096, MADV_MERGEABLE);
}

static void merge_some_check(void)
{
	int all, merged;

	mergeable(&all, &merged);
	check_eq(3, all);
	check_eq(1, merged);
	check_eq(7, area[9 * 4096 - 1]);
}

static int merge_all(void)
{
	map_area();
	return prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) ?:
	       madvise(area + 8 * 4096, 4096, MADV_UNMERGEABLE);
}

static void merge_all_check(void)
{
	int all, merged;

	check_eq(1, prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0));
	mergeable(&all, &merged);
	check_eq(all - 1, merged);
	map_area();
	mergeable(&all, &merged);
	check_eq(all, merged);
}

static int names(void)
{
	map_area();
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area, 4096, "first name") ?:
	       prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area + 8192, 4096, "second") ?:
	       prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area + 3 * 4096, 4096, "");
}

static void names_check(void)
{
	char line[512], want[100];
	FILE *maps = fopen("/proc/self/maps", "r");
	int found = 0;

	need(maps);
	while (fgets(line, sizeof(line), maps)) {
		snprintf(want, sizeof(want), "%lx-", (unsigned long)area);
		if (!strncmp(line, want, strlen(want)))
			found |= strstr(line, "[anon:first name]") ? 1 : 0;
		snprintf(want, sizeof(want), "%lx-", (unsigned long)area + 8192);
		if (!strncmp(line, want, strlen(want)))
			found |= strstr(line, "[anon:second]") ? 2 : 0;
		snprintf(want, sizeof(want), "%lx-", (unsigned long)area + 3 * 4096);
		if (!strncmp(line, want, strlen(want)))
			found |= strstr(line, "[anon:]") ? 4 : 0;
	}
	fclose(maps);
	check_eq(7, found);
}

static int set_ldt(int entry, unsigned int base, unsigned int limit)
{
	struct user_desc desc = {
		.entry_number = entry, .base_addr = base, .limit = limit, .seg_32bit = 1,
		.useable = entry & 1,
	};

	return syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc)) ? -1 : 0;
}

static unsigned int limit_of(unsigned int selector)
{
	unsigned int limit = 0xdeadbeef;

	asm volatile("lsl %1, %0" : "+r" (limit) : "r" (selector));
	return limit;
}

static uint64_t ldt_sum;

static uint64_t sum_ldt(void)
{
	static char table[65536];

	need(syscall(SYS_modify_ldt, 0, table, sizeof(table)) == sizeof(table));
	return hash_memory(table, sizeof(table));
}

static int ldt(void)
{
	if (set_ldt(0, 0x10000, 0x123) || set_ldt(1, 0x80000000, 0x4567) ||
	    set_ldt(700, 0, 0xfffff))
		return -1;
	ldt_sum = sum_ldt();
	return 0;
}

static void ldt_check(void)
{
	check_eq(ldt_sum, sum_ldt());
	check_eq(0x123, limit_of(0 << 3 | 7));
	check_eq(0x4567, limit_of(1 << 3 | 7));
	check_eq(0xfffff, limit_of(700 << 3 | 7));
	check_eq(0xdeadbeef, limit_of(2 << 3 | 7));
	check_eq(0, set_ldt(3, 0, 0x77));
	check_eq(0x77, limit_of(3 << 3 | 7));
}

/* get_thread_area() and set_thread_area(), which a 64-bit program reaches so. */
static int thread_area(int nr, struct user_desc *desc)
{
	struct user_desc *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret;

	need(low != MAP_FAILED);
	*low = *desc;
	asm volatile("int $0x80" : "=a" (ret) : "a" (nr), "b" (low) : "memory", "r8", "r9",
		     "r10", "r11");
	*desc = *low;
	munmap(low, 4096);
	errno = -ret;
	return ret ? -1 : 0;
}

static int tls(void)
{
	struct user_desc desc = {
		.entry_number = 13, .base_addr = 0x10000, .limit = 0xabcd, .seg_32bit = 1,
		.useable = 1,
	};

	return thread_area(243, &desc);
}

static void tls_check(void)
{
	struct user_desc desc = { .entry_number = 13 };

	check_eq(0xabcd, limit_of(13 << 3 | 3));
	check_eq(0, thread_area(244, &desc));
	check_eq(0x10000, desc.base_addr);
	check_eq(0xabcd, desc.limit);
	check_eq(1, desc.useable);
	desc.entry_number = 12;
	check_eq(0, thread_area(244, &desc));
	check_eq(1, desc.seg_not_present);
}

static sigjmp_buf no_port;

static void on_segv(int sig)
{
	siglongjmp(no_port, 1);
}

static bool may_use(int port)
{
	struct sigaction sa = { .sa_handler = on_segv }, old;
	volatile bool may = false;

	need(!sigaction(SIGSEGV, &sa, &old));
	if (!sigsetjmp(no_port, 1)) {
		inb(port);
		may = true;
	}
	need(!sigaction(SIGSEGV, &old, NULL));
	return may;
}

static int ports(void)
{
	return ioperm(0x80, 1, 1) ?: ioperm(0x84, 2, 1) ?: ioperm(0xfff0, 16, 1);
}

static void ports_check(void)
{
	check(!may_use(0x7f));
	check(may_use(0x80));
	check(!may_use(0x81));
	check(may_use(0x85));
	check(!may_use(0x86));
	check(!may_use(0xffe0));
	check(may_use(0xffff));
}

static int io_level(void)
{
	return iopl(3);
}

static void io_level_check(void)
{
	check(may_use(0x80));
	check(may_use(0xffff));
}

static int oom_min(void)
{
	/* With the capability the minimum follows. */
	return write_file("/proc/self/oom_score_adj", "300", 3);
}

static void oom_min_check(void)
{
	char text[32] = "";

	check(read_file("/proc/self/oom_score_adj", text, sizeof(text)) > 0);
	check_eq(300, atoi(text));
	need(!setresuid(1000, 1000, 1000) && !prctl(PR_SET_DUMPABLE, 1));
	check_eq(0, write_file("/proc/self/oom_score_adj", "301", 3));
	check(write_file("/proc/self/oom_score_adj", "299", 3));
}

static const struct state states[] = {
	STATE(tsc), STATE(cpuid), STATE(mce_early), STATE(mce_late), STATE(ssb_off),
	STATE(ssb_forced), STATE(ssb_noexec), STATE(branch_off), STATE(branch_forced),
	STATE(dispatch), STATE(flusher), STATE(deadline), STATE(slice), STATE(clamps),
	STATE(io_priority), STATE(slack), STATE(policy_bind), STATE(policy_interleave),
	STATE(policy_local), STATE(policy_static), STATE(mdwe), STATE(mdwe_no_inherit),
	STATE(merge_some), STATE(merge_all), STATE(names), STATE(ldt), STATE(tls),
	STATE(ports), STATE(io_level), STATE(oom_min),
	{}
};

static const struct state *find_state(const char *name)
{
	const struct state *s;

	for (s = states; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	for (s = seccomp_states; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	for (s = socket_states; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	fail("no state %s", name);
	_exit(1);
}

static void run_states(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		errno = 0;
		if (find_state(argv[i])->make() < 0) {
			tell("SKIP %s: %s", argv[i], strerror(errno));
			return;
		}
	}
	/* Twice: what was restored can be saved. */
	stage();
	stage();
	for (i = 0; i < argc; i++)
		find_state(argv[i])->verify();
}

/* state NAME...: the first thread has these. */
static void state(int argc, char **argv)
{
	run_states(argc, argv);
}

static char **thread_argv;
static int thread_argc;

static void *state_thread(void *arg)
{
	run_states(thread_argc, thread_argv);
	return NULL;
}

/* threadstate NAME...: the second thread has them, the first sleeps. */
static void threadstate(int argc, char **argv)
{
	pthread_t thread;

	thread_argc = argc;
	thread_argv = argv;
	need(!pthread_create(&thread, NULL, state_thread, NULL));
	need(!pthread_join(thread, NULL));
}

/* privileged WHAT: root gave it, to an ordinary user. */
static void privileged(int argc, char **argv)
{
	const struct state *s = find_state(argv[0]);

	need(s->make() >= 0);
	need(!setgroups(0, NULL));
	need(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	need(!prctl(PR_SET_DUMPABLE, 1));
	stage();
	s->verify();
}

/* plain: has none of it. */
static void plain(int argc, char **argv)
{
	int mode = 0;

	stage();
	check_eq(0, prctl(PR_GET_TSC, &mode));
	check_eq(PR_TSC_ENABLE, mode);
	check_eq(PR_MCE_KILL_DEFAULT, prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	check(!is_flusher());
	check_eq(0, syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) >> IOPRIO_CLASS_SHIFT &
		    ~IOPRIO_CLASS_BE);
	check(!may_use(0x80));
	policy_check(0, 0);
}

const struct mode state_modes[] = {
	{ "plain", plain },
	{ "state", state },
	{ "threadstate", threadstate },
	{ "privileged", privileged },
	{}
};

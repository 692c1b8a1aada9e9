// SPDX-License-Identifier: GPL-2.0-only
/* Identity, limits, scheduling, and other properties of a process. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "subject.h"

/* Newer than the C library's headers. */
#define GET_REGISTRATIONS	(1 << 9)

#define CAP_BIT(cap)	(1U << (cap))

static void set_caps(uint32_t effective, uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { effective, permitted, inheritable } };

	check_eq(0, syscall(SYS_capset, &head, data));
}

static void check_caps(uint32_t effective, uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	check_eq(0, syscall(SYS_capget, &head, data));
	check_eq(effective, data[0].effective);
	check_eq(permitted, data[0].permitted);
	check_eq(inheritable, data[0].inheritable);
	check_eq(0, data[1].effective | data[1].permitted | data[1].inheritable);
}

static void check_ids(uid_t r, uid_t e, uid_t s, uid_t fs, gid_t g)
{
	uid_t a, b, c;

	check_eq(0, getresuid(&a, &b, &c));
	check_eq(r, a);
	check_eq(e, b);
	check_eq(s, c);
	check_eq(fs, setfsuid(-1));
	check_eq(0, getresgid(&a, &b, &c));
	check_eq(g, a);
	check_eq(g, b);
	check_eq(g + 1, c);
}

/* user: root has become a user with a few capabilities. */
static void user(int argc, char **argv)
{
	const gid_t groups[] = { 5, 1000, 70000, 4000000 };
	const uint32_t caps = CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_NET_RAW);
	gid_t now[10];

	need(!setgroups(4, groups) && !setresgid(1001, 1001, 1002));
	need(!prctl(PR_CAPBSET_DROP, CAP_SYS_TIME));
	need(!prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP));
	need(!setresuid(1000, 1000, 1000));
	set_caps(CAP_BIT(CAP_CHOWN), caps, caps);
	need(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	stage();
	check_ids(1000, 1000, 1000, 1000, 1001);
	check_eq(4, getgroups(10, now));
	check_eq(0, memcmp(groups, now, sizeof(groups)));
	check_caps(CAP_BIT(CAP_CHOWN), caps, caps);
	check_eq(0, prctl(PR_CAPBSET_READ, CAP_SYS_TIME));
	check_eq(1, prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN));
	check_eq(1, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0));
	check_eq(0, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	check_eq(SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP, prctl(PR_GET_SECUREBITS));
	check_eq(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	check_eq(-1, setuid(0));
}

/* mixed: all user ids are different. */
static void mixed(int argc, char **argv)
{
	need(!setresgid(7, 7, 8) && !setresuid(1, 2, 3));
	setfsuid(1);
	stage();
	check_ids(1, 2, 3, 1, 7);
	check_caps(0, 0, 0);
	check_eq(0, setresuid(-1, 3, -1));
}

/* nocaps: root without any right. */
static void nocaps(int argc, char **argv)
{
	need(!prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
	set_caps(0, 0, 0);
	stage();
	check_eq(0, getuid());
	check_caps(0, 0, 0);
	check_eq(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, prctl(PR_GET_SECUREBITS));
}

static pthread_barrier_t barrier;

static void *other_user(void *arg)
{
	/* Of this thread only: glibc's function would change all. */
	check_eq(0, syscall(SYS_setresgid, 7, 7, 8));
	check_eq(0, syscall(SYS_setresuid, 1000, 1000, 1000));
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	check_ids(1000, 1000, 1000, 1000, 7);
	check_caps(0, 0, 0);
	return NULL;
}

/* perthread: a thread with an identity of its own. */
static void perthread(int argc, char **argv)
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	need(!pthread_create(&thread, NULL, other_user, NULL));
	pthread_barrier_wait(&barrier);
	/* Its change of identity has made the process undumpable. */
	check_eq(0, prctl(PR_SET_DUMPABLE, 1));
	stage();
	pthread_barrier_wait(&barrier);
	check_eq(0, pthread_join(thread, NULL));
	check_eq(0, getuid());
}

/* limits: all of them, some of which are below what is in use. */
static void limits(int argc, char **argv)
{
	struct rlimit set[RLIM_NLIMITS], now;
	int i, fd = open("file", O_RDWR | O_CREAT, 0600);

	need(dup2(fd, 500) == 500);
	for (i = 0; i < (int)RLIM_NLIMITS; i++) {
		need(!getrlimit(i, &set[i]));
		if (i == RLIMIT_NOFILE) {
			set[i].rlim_cur = 100;
			set[i].rlim_max = 200;
		} else if (i == RLIMIT_AS || i == RLIMIT_DATA || i == RLIMIT_NPROC) {
			set[i].rlim_cur = 1 << 20;
			set[i].rlim_max = 1 << 20;
		} else if (i == RLIMIT_FSIZE) {
			set[i].rlim_cur = 1000;
			set[i].rlim_max = 2000;
		} else if (i == RLIMIT_STACK) {
			set[i].rlim_cur = 1 << 19;
		} else if (i == RLIMIT_SIGPENDING || i == RLIMIT_MEMLOCK ||
			   i == RLIMIT_MSGQUEUE || i == RLIMIT_CORE || i == RLIMIT_RTTIME) {
			set[i].rlim_cur = 100 + i;
			set[i].rlim_max = 20000 + i;
		}
		need(!setrlimit(i, &set[i]));
	}
	stage();
	for (i = 0; i < (int)RLIM_NLIMITS; i++) {
		check_eq(0, getrlimit(i, &now));
		check_eq(set[i].rlim_cur, now.rlim_cur);
		check_eq(set[i].rlim_max, now.rlim_max);
	}
	check_eq(0, fcntl(500, F_GETFD));
	check_eq(-1, dup2(fd, 150));
	signal(SIGXFSZ, SIG_IGN);
	check_eq(-1, pwrite(fd, "x", 1, 1000));
	check_eq(EFBIG, errno);
}

/* policy NAME: a scheduling policy. */
static void policy(int argc, char **argv)
{
	static const struct {
		const char *name;
		int policy, priority;
	} all[] = {
		{ "other", SCHED_OTHER, 0 }, { "batch", SCHED_BATCH, 0 }, { "idle", SCHED_IDLE, 0 },
		{ "fifo", SCHED_FIFO, 10 }, { "rr", SCHED_RR | SCHED_RESET_ON_FORK, 20 },
	};
	struct sched_param param = {};
	cpu_set_t cpus, now;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all) && strcmp(all[i].name, argv[0]); i++)
		;
	need(i < ARRAY_SIZE(all));
	need(!setpriority(PRIO_PROCESS, 0, 7));
	param.sched_priority = all[i].priority;
	need(!sched_setscheduler(0, all[i].policy, &param));
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	need(!sched_setaffinity(0, sizeof(cpus), &cpus));
	stage();
	check_eq(all[i].policy, sched_getscheduler(0));
	check_eq(0, sched_getparam(0, &param));
	check_eq(all[i].priority, param.sched_priority);
	check_eq(7, getpriority(PRIO_PROCESS, 0));
	check_eq(0, sched_getaffinity(0, sizeof(now), &now));
	check(CPU_EQUAL(&cpus, &now));
}

/* properties: the rest of what a process can set about itself. */
static void properties(int argc, char **argv)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY), sig = 0, reaper = 0;
	char text[32] = "", name[17] = "";

	need(write(fd, "123", 3) == 3);
	close(fd);
	need(personality(ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS) >= 0);
	need(!prctl(PR_SET_TIMERSLACK, 123456));
	need(!prctl(PR_SET_NAME, "na me:\\)\n\xff"));
	need(!prctl(PR_SET_PDEATHSIG, SIGWINCH));
	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	need(!syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	need(!syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0));
	stage();
	check(read_file("/proc/self/oom_score_adj", text, sizeof(text)) > 0);
	check_eq(123, atoi(text));
	check_eq(ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS, personality(0xffffffff));
	check_eq(123456, prctl(PR_GET_TIMERSLACK));
	check_eq(0, prctl(PR_GET_NAME, name));
	check_eq(0, strcmp(name, "na me:\\)\n\xff"));
	check_eq(0, prctl(PR_GET_PDEATHSIG, &sig));
	check_eq(SIGWINCH, sig);
	check_eq(0, prctl(PR_GET_CHILD_SUBREAPER, &reaper));
	check_eq(1, reaper);
	check_eq(0, syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	check_eq(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
		 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
		 syscall(SYS_membarrier, GET_REGISTRATIONS, 0, 0));
}

static void take_high_descriptor(void)
{
	const struct rlimit high = { 100001, 100001 };
	struct rlimit limit;

	need(!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_max <= 100000);
	need(!setrlimit(RLIMIT_NOFILE, &high));
	need(dup2(0, 100000) == 100000);
	need(!setrlimit(RLIMIT_NOFILE, &limit));
}

/* raised WHAT: what an ordinary user could not have set, then becomes one. */
static void raised(int argc, char **argv)
{
	struct sched_param param = { .sched_priority = 5 };
	struct rlimit limit = { 5000000, 5000000 };
	int fd;

	if (!strcmp(argv[0], "nice")) {
		need(!setpriority(PRIO_PROCESS, 0, -5));
	} else if (!strcmp(argv[0], "policy")) {
		need(!sched_setscheduler(0, SCHED_FIFO, &param));
	} else if (!strcmp(argv[0], "limit")) {
		need(!setrlimit(RLIMIT_MSGQUEUE, &limit));
	} else if (!strcmp(argv[0], "descriptor")) {
		take_high_descriptor();
	} else if (!strcmp(argv[0], "oom")) {
		fd = open("/proc/self/oom_score_adj", O_WRONLY);
		need(write(fd, "-500", 4) == 4);
		close(fd);
	} else if (!strcmp(argv[0], "group")) {
		need(!setgroups(1, (gid_t []){ 0 }));
	} else if (!strcmp(argv[0], "caps")) {
		need(!prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS));
	}
	if (strcmp(argv[0], "group"))
		need(!setgroups(0, NULL));
	need(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	if (!strcmp(argv[0], "caps"))
		set_caps(0, CAP_BIT(CAP_CHOWN), 0);
	need(!prctl(PR_SET_DUMPABLE, 1));
	stage();
}

static volatile sig_atomic_t limit_hit;

static void on_limit(int sig)
{
	limit_hit = 1;
}

/* cpulimit: two seconds of processor time, of which some were used before. */
static void cpulimit(int argc, char **argv)
{
	struct rlimit limit = { 2, 100 };
	struct timespec used = {};
	uint64_t state = 1;

	signal(SIGXCPU, on_limit);
	need(!setrlimit(RLIMIT_CPU, &limit));
	stage();
	check_eq(0, limit_hit);
	while (!limit_hit && used.tv_sec < 20) {
		state = chain(state, 1000);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	}
	check_eq(1, limit_hit);
	check(state);
}

const struct mode id_modes[] = {
	{ "raised", raised },
	{ "user", user },
	{ "mixed", mixed },
	{ "nocaps", nocaps },
	{ "perthread", perthread },
	{ "limits", limits },
	{ "policy", policy },
	{ "properties", properties },
	{ "cpulimit", cpulimit },
	{}
};

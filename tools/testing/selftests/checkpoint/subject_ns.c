// SPDX-License-Identifier: GPL-2.0-only
/* Processes in pid and user namespaces of their own. */
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "subject.h"

static void put_file(const char *path, const char *text)
{
	need(!write_file(path, text, strlen(text)));
}

/* As unshare(1) with --map-root-user. */
static void enter_user_ns(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	need(!unshare(CLONE_NEWUSER));
	put_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	put_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	put_file("/proc/self/gid_map", map);
}

/* Maps that only root may give another process, of more lines than fit in place. */
static void put_maps(pid_t pid)
{
	const char *map = "0 0 1000\n5000 6000 10\n6000 5000 10\n7000 9000 1\n"
			  "8000 7000 5\n9000 8000 7\n100000 100000 65536\n";
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	put_file(path, map);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	put_file(path, map);
	snprintf(path, sizeof(path), "/proc/%d/projid_map", pid);
	put_file(path, "0 0 10");
}

static void be_mapped(int fds[2])
{
	gid_t groups[3] = { 5, 5003, 100007 };
	char c;

	need(!unshare(CLONE_NEWUSER));
	need(write(fds[1], "m", 1) == 1 && read(fds[0], &c, 1) == 1);
	close(fds[0]);
	close(fds[1]);
	need(!setgroups(3, groups));
	need(!setresgid(5001, 0, 100001) && !setresuid(8002, 0, 5005));
}

/* In the child returns; the parent waits for it, and ends. */
static void fork_and_wait(bool map)
{
	int status = -1, fds[2];
	char c;
	pid_t pid;

	need(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
		close(fds[1]);
		fds[1] = fds[0];
		if (map)
			be_mapped(fds);
		close(fds[0]);
		return;
	}
	close(fds[0]);
	if (map) {
		need(read(fds[1], &c, 1) == 1);
		put_maps(pid);
		need(write(fds[1], "m", 1) == 1);
	}
	close(fds[1]);
	/* Its number may be a fresh one. */
	check(wait(&status) > 0);
	check_eq(0, status);
	while (wait(NULL) > 0)
		;
	_exit(0);
}

static void on_alarm(int sig)
{
}

static void set_own_state(void)
{
	struct itimerval later = { .it_value = { 100000, 0 } };
	struct rlimit limit = { 54321, 65432 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	need(!sigprocmask(SIG_BLOCK, &set, NULL) && !raise(SIGUSR2));
	need(signal(SIGALRM, on_alarm) != SIG_ERR);
	need(!setitimer(ITIMER_REAL, &later, NULL));
	need(!prctl(PR_SET_NAME, "brother") && nice(5) == 5);
	need(!setrlimit(RLIMIT_MEMLOCK, &limit));
	umask(0123);
}

static void check_own_state(void)
{
	struct itimerval left = {};
	struct rlimit limit = {};
	char name[16] = "";
	sigset_t set;

	check(!sigpending(&set) && sigismember(&set, SIGUSR2) && !sigismember(&set, SIGALRM));
	check(!sigprocmask(SIG_BLOCK, NULL, &set));
	check(sigismember(&set, SIGUSR2) && !sigismember(&set, SIGUSR1));
	check(signal(SIGALRM, SIG_IGN) == on_alarm);
	check(!getitimer(ITIMER_REAL, &left) && left.it_value.tv_sec > 90000);
	check(!prctl(PR_GET_NAME, name) && !strcmp(name, "brother"));
	check_eq(5, getpriority(PRIO_PROCESS, 0));
	check(!getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur == 54321);
	check_eq(0123, umask(0));
}

/* What the process under test has is not its brother's, and the other way round. */
static void be_brother(int fds[2])
{
	char c;

	need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	set_own_state();
	need(write(fds[1], "b", 1) == 1);
	close(fds[1]);
	/* Until everybody else has ended. */
	check_eq(0, read(fds[0], &c, 1));
	check_own_state();
	_exit(0);
}

/* In the child returns; the parent waits for both, and ends. */
static void fork_beside_brother(void)
{
	int status = -1, to[2], from[2];
	pid_t pid;
	char c;

	need(!pipe(to) && !pipe(from));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		close(to[1]);
		close(from[0]);
		be_brother((int[]){ to[0], from[1] });
	}
	close(to[0]);
	close(from[1]);
	need(read(from[0], &c, 1) == 1);
	close(from[0]);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		close(to[1]);
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
		return;
	}
	check(wait(&status) > 0);
	check_eq(0, status);
	close(to[1]);
	check(wait(&status) > 0);
	check_eq(0, status);
	_exit(0);
}

/*
 * nested HOW MODE [ARG]...: does as HOW says, letter by letter, then is MODE.
 *	u: enters a new user namespace
 *	m: a child goes on in one of which this process gives it the maps
 *	p: a child is the init process of a new pid namespace, and goes on
 *	c: a child goes on
 *	b: a child goes on, which has a brother
 */
static void nested(int argc, char **argv)
{
	pid_t pid = fork();
	int status = -1;
	const char *how;

	need(pid >= 0 && argc > 1);
	if (pid) {
		check(wait(&status) > 0);
		check_eq(0, status);
		return;
	}
	need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	for (how = argv[0]; *how; how++) {
		if (*how == 'u')
			enter_user_ns();
		if (*how == 'p')
			need(!unshare(CLONE_NEWPID));
		if (*how == 'b')
			fork_beside_brother();
		else if (*how != 'u')
			fork_and_wait(*how == 'm');
		if (*how == 'p')
			check_eq(1, getpid());
	}
	need(run_mode(argc - 1, argv + 1));
	_exit(0);
}

/* execute PROGRAM [ARG]...: is another program. */
static void execute(int argc, char **argv)
{
	need(argc > 0);
	execv(argv[0], argv);
	fail("exec of %s", argv[0]);
}

#define TEXT	4096

/* Lines of status(5) that tell of ids and rights. */
static void read_ids(char *text)
{
	static const char * const names[] = {
		"NStgid:", "NSpid:", "NSpgid:", "NSsid:", "Uid:", "Gid:", "Groups:",
		"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
	};
	char status[TEXT], map[512], *line;
	size_t i, len = 0;

	need(read_file("/proc/self/status", status, sizeof(status)) > 0);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		line = strstr(status, names[i]);
		need(line);
		len += snprintf(text + len, TEXT - len, "%.*s\n", (int)strcspn(line, "\n"), line);
	}
	for (i = 0; i < 3; i++) {
		static const char * const files[] = { "uid_map", "gid_map", "setgroups" };
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/%s", files[i]);
		need(read_file(path, map, sizeof(map)) >= 0);
		len += snprintf(text + len, TEXT - len, "%s", map);
	}
}

/* ns_state: ids in all namespaces, and which pid comes next. */
static void state(int argc, char **argv)
{
	char before[TEXT], after[TEXT];
	pid_t self = getpid(), parent = getppid(), next = 0, pid;
	int i, status = -1;

	read_ids(before);
	for (i = 0; i < 3; i++) {
		pid = fork();
		need(pid >= 0);
		if (!pid)
			_exit(next && getpid() != next);
		check_eq(pid, waitpid(pid, &status, 0));
		check_eq(0, status);
		next = pid + 1;
		/* In the outermost namespace others may come in between. */
		if (self > 2)
			next = 0;
		stage();
		check_eq(self, getpid());
		check_eq(parent, getppid());
		read_ids(after);
		if (strcmp(before, after))
			fail("was %s is %s", before, after);
	}
}

/* ns_later: only its children will be in a new pid namespace. */
static void later(int argc, char **argv)
{
	char own[64] = "", child[64] = "";
	int status = -1;
	pid_t pid;

	need(!unshare(CLONE_NEWPID));
	stage();
	pid = fork();
	if (!pid) {
		check_eq(1, getpid());
		check_eq(0, getppid());
		stage();
		check_eq(1, getpid());
		_exit(3);
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(3 << 8, status);
	check(readlink("/proc/self/ns/pid", own, sizeof(own) - 1) > 0);
	check(readlink("/proc/self/ns/pid_for_children", child, sizeof(child) - 1) >= 0);
	check(strcmp(own, child));
}

/* ns_zombie: an init process that has ended, and was not waited for. */
static void zombie(int argc, char **argv)
{
	int status = -1;
	siginfo_t info;
	pid_t pid;

	need(!unshare(CLONE_NEWPID));
	pid = fork();
	if (!pid) {
		/* Its last child ends with it. */
		if (!fork())
			pause();
		_exit(5);
	}
	need(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	stage();
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(5 << 8, status);
	/* Nobody can be born there any more. */
	check_eq(-1, fork());
	check_eq(ENOMEM, errno);
}

/* ns_end: the end of init is the end of all. */
static void end(int argc, char **argv)
{
	int fds[2], status = -1;
	pid_t pid;
	char c;

	need(!unshare(CLONE_NEWPID) && !pipe(fds));
	pid = fork();
	if (!pid) {
		if (!fork()) {
			setsid();
			for (;;)
				pause();
		}
		close(fds[1]);
		/* The child has the only other writer. */
		stage();
		_exit(0);
	}
	close(fds[1]);
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
	check_eq(0, read(fds[0], &c, 1));
}

const struct mode ns_modes[] = {
	{ "nested", nested },
	{ "execute", execute },
	{ "ns_state", state },
	{ "ns_later", later },
	{ "ns_zombie", zombie },
	{ "ns_end", end },
	{}
};

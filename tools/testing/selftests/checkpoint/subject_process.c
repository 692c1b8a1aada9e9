// SPDX-License-Identifier: GPL-2.0-only
/* Ties between processes: parents, zombies, stops, groups, what clone shares. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "subject.h"

#define STACK	(256 * 1024)

/* What parent and child tell each other: memory that both have, and its address. */
static struct shared {
	volatile int value;
} *shared;

/* A pipe by which a parent makes its child go on; the child ends with the parent. */
struct channel {
	int to_child[2];
	int to_parent[2];
};

static void open_channel(struct channel *c)
{
	need(!pipe2(c->to_child, O_CLOEXEC) && !pipe2(c->to_parent, O_CLOEXEC));
}

/* In the child: waits for the parent's question; false: there are no more. */
static bool asked(struct channel *c)
{
	char byte;

	return read(c->to_child[0], &byte, 1) == 1;
}

static void answer(struct channel *c, int value)
{
	need(write(c->to_parent[1], &value, sizeof(value)) == sizeof(value));
}

static int ask(struct channel *c)
{
	int value = -1;

	need(write(c->to_child[1], "?", 1) == 1);
	need(read(c->to_parent[0], &value, sizeof(value)) == sizeof(value));
	return value;
}

/* In the child: only the parent's end keeps the other side open. */
static void child_side(struct channel *c)
{
	close(c->to_child[1]);
	close(c->to_parent[0]);
}

static void parent_side(struct channel *c)
{
	close(c->to_child[0]);
	close(c->to_parent[1]);
}

static void hang_up(struct channel *c)
{
	close(c->to_child[1]);
	close(c->to_parent[0]);
}

static pid_t fork_child(struct channel *c)
{
	pid_t pid;

	open_channel(c);
	pid = fork();
	need(pid >= 0);
	if (pid)
		parent_side(c);
	else
		child_side(c);
	/* A test that fails leaves nobody behind, stopped or not. */
	if (!pid)
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	return pid;
}

static void reap(pid_t pid, int status)
{
	int got = -1;

	check_eq(pid, waitpid(pid, &got, __WALL));
	check_eq(status, got);
}

/* child: one that computes, asks who it is, and knows its parent. */
static void child(int argc, char **argv)
{
	struct channel c;
	pid_t self = getpid(), pid = fork_child(&c);
	uint64_t state = 1, rounds = 0;

	if (!pid) {
		pid = getpid();
		while (asked(&c)) {
			state = chain(state, 1000);
			rounds += 1000;
			check_eq(chain(1, rounds), state);
			check_eq(pid, getpid());
			check_eq(self, getppid());
			answer(&c, getpid());
		}
		_exit(7);
	}
	check_eq(pid, ask(&c));
	stage();
	check_eq(pid, ask(&c));
	stage();
	check_eq(pid, ask(&c));
	hang_up(&c);
	reap(pid, 7 << 8);
}

/* waiting: the parent is blocked in wait4() while its child is. */
static void waiting(int argc, char **argv)
{
	pid_t pid = fork();

	if (!pid) {
		stage();
		stage();
		_exit(9);
	}
	reap(pid, 9 << 8);
}

static pid_t spawn_dead(int status)
{
	siginfo_t info;
	pid_t pid = fork();

	if (!pid) {
		if (!(status & 0x7f))
			_exit(status >> 8);
		signal(status, SIG_DFL);
		kill(getpid(), status);
		pause();
	}
	need(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	return pid;
}

/* zombies: they keep their status, and nobody is told a second time. */
static void zombies(int argc, char **argv)
{
	pid_t exited, killed, quiet;
	sigset_t set;
	int status;

	exited = spawn_dead(42 << 8);
	killed = spawn_dead(SIGUSR2);
	quiet = spawn_dead(0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	signal(SIGCHLD, SIG_DFL);
	stage();
	sigpending(&set);
	check(!sigismember(&set, SIGCHLD));
	reap(killed, SIGUSR2);
	stage();
	sigpending(&set);
	check(!sigismember(&set, SIGCHLD));
	reap(exited, 42 << 8);
	reap(quiet, 0);
	check_eq(-1, waitpid(-1, &status, WNOHANG));
	check_eq(ECHILD, errno);
}

static void *run_on(void *arg)
{
	uint64_t rounds = 0, state = 1;
	/* The number of the process may be another one there. */
	const char *path = "/proc/self/stat";
	char line[64];
	int i;

	/* The first thread's death shows in its state. */
	do {
		need(read_file(path, line, sizeof(line)) > 0);
	} while (!strstr(line, ") Z"));
	for (i = 0; i < 2; i++) {
		ready();
		do {
			state = chain(state, 1000);
			rounds += 1000;
		} while (!gone_on());
		check_eq(chain(1, rounds), state);
		need(read_file(path, line, sizeof(line)) > 0);
		check(strstr(line, ") Z"));
	}
	tell("done");
	_exit(0);
}

/* zombie_leader: the first thread has exited, another one goes on. */
static void zombie_leader(int argc, char **argv)
{
	pthread_t thread;

	need(!pthread_create(&thread, NULL, run_on, NULL));
	syscall(SYS_exit, 3);
}

static volatile int continued;

static void on_cont(int sig)
{
	continued++;
}

/* stopped: stays so, is reported once, and goes on with SIGCONT. */
static void stopped(int argc, char **argv)
{
	int status, collect = argc > 0;
	struct channel c;
	siginfo_t info;
	pid_t pid = fork_child(&c);

	if (!pid) {
		signal(SIGCONT, on_cont);
		while (asked(&c))
			answer(&c, continued);
		_exit(5);
	}
	check_eq(0, ask(&c));
	need(!kill(pid, SIGTSTP));
	need(!waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT));
	check_eq(SIGTSTP, info.si_status);
	if (collect)
		check_eq(pid, waitpid(pid, &status, WUNTRACED));
	stage();
	/* What was not collected yet still can be, once. */
	if (!collect) {
		check_eq(pid, waitpid(pid, &status, WUNTRACED | WNOHANG));
		check_eq(SIGTSTP << 8 | 0x7f, status);
	}
	check_eq(0, waitpid(pid, &status, WUNTRACED | WNOHANG));
	stage();
	check_eq(0, waitpid(pid, &status, WUNTRACED | WNOHANG));
	need(!kill(pid, SIGCONT));
	check_eq(pid, waitpid(pid, &status, WCONTINUED));
	check_eq(0xffff, status);
	check_eq(1, ask(&c));
	hang_up(&c);
	reap(pid, 5 << 8);
}

/* continued: that it goes on was not collected yet. */
static void was_continued(int argc, char **argv)
{
	struct channel c;
	siginfo_t info;
	int status;
	pid_t pid = fork_child(&c);

	if (!pid) {
		while (asked(&c))
			answer(&c, 1);
		_exit(5);
	}
	need(!kill(pid, SIGSTOP));
	need(!waitid(P_PID, pid, &info, WSTOPPED));
	need(!kill(pid, SIGCONT));
	need(!waitid(P_PID, pid, &info, WCONTINUED | WNOWAIT));
	stage();
	check_eq(pid, waitpid(pid, &status, WCONTINUED | WNOHANG));
	check_eq(0xffff, status);
	check_eq(0, waitpid(pid, &status, WCONTINUED | WNOHANG));
	stage();
	hang_up(&c);
	reap(pid, 5 << 8);
}

/* vforked: waits for a child that shares its memory. */
static void vforked(int argc, char **argv)
{
	static volatile pid_t self;
	int status = 0;
	pid_t pid;

	self = 0;
	pid = vfork();
	if (!pid) {
		stage();
		stage();
		/* Its parent goes on no sooner than this. */
		self = getpid();
		_exit(3);
	}
	check_eq(pid, self);
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(3, WEXITSTATUS(status));
	stage();
}

static struct channel clone_channel;

static void on_usr1(int sig)
{
}

/* Changes what it may share, and answers with what it sees. */
static int cloned(void *arg)
{
	struct channel *c = &clone_channel;

	need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	while (asked(c)) {
		shared->value++;
		umask(0700 | shared->value);
		signal(SIGUSR1, SIG_IGN);
		close(900);
		answer(c, shared->value);
	}
	_exit(shared->value);
}

static bool is_ignored(int sig)
{
	struct sigaction act;

	need(!sigaction(sig, NULL, &act));
	return act.sa_handler == SIG_IGN;
}

/*
 * clone FLAGS: a process that shares what the flags say. What one changes the
 * other sees, or does not see.
 */
static void clone_some(int argc, char **argv)
{
	unsigned long flags = strtoul(argv[0], NULL, 16);
	int n, status;
	char *stack;
	pid_t pid;

	shared = malloc(sizeof(*shared));
	stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(shared && stack != MAP_FAILED);
	shared->value = 0;
	open_channel(&clone_channel);
	pid = clone(cloned, stack + STACK, flags | SIGCHLD, NULL);
	need(pid > 0);
	for (n = 1; n <= 3; n++) {
		signal(SIGUSR1, on_usr1);
		umask(0);
		need(dup2(1, 900) == 900);
		check_eq(n, ask(&clone_channel));
		check_eq(flags & CLONE_VM ? n : 0, shared->value);
		check_eq(!!(flags & CLONE_FS), umask(0) != 0);
		check_eq(!!(flags & CLONE_SIGHAND), is_ignored(SIGUSR1));
		check_eq(!!(flags & CLONE_FILES), fcntl(900, F_GETFD) < 0);
		if (n < 3)
			stage();
	}
	need(!kill(pid, SIGKILL));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(SIGKILL, status);
}

/* Waits until a process has another parent than the one that is dead. */
static void wait_adopted(pid_t parent)
{
	while (getppid() == parent)
		poll_pause();
}

/* subreaper: an orphan came to us, and others will. */
static void subreaper(int argc, char **argv)
{
	pid_t self = getpid(), middle, orphan;
	struct channel c;

	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	open_channel(&c);
	middle = fork();
	if (!middle) {
		middle = getpid();
		if (fork())
			_exit(0);
		child_side(&c);
		wait_adopted(middle);
		while (asked(&c))
			answer(&c, getppid() == self ? getpid() : 0);
		_exit(6);
	}
	parent_side(&c);
	reap(middle, 0);
	orphan = ask(&c);
	check(orphan > 0);
	stage();
	check_eq(orphan, ask(&c));
	/* Children of those that come later are adopted, too. */
	middle = fork();
	if (!middle) {
		if (fork())
			_exit(0);
		_exit(4);
	}
	reap(middle, 0);
	check(waitpid(-1, NULL, 0) > 0);
	stage();
	check_eq(orphan, ask(&c));
	hang_up(&c);
	reap(orphan, 6 << 8);
}

/* sibling: a child that its brother has made (CLONE_PARENT). */
static void sibling(int argc, char **argv)
{
	pid_t self = getpid(), brother, pid = 0;
	struct channel c;

	open_channel(&c);
	brother = fork();
	if (!brother) {
		pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
		if (pid)
			_exit(0);
		child_side(&c);
		while (asked(&c))
			answer(&c, getppid() == self ? getpid() : 0);
		_exit(8);
	}
	parent_side(&c);
	reap(brother, 0);
	pid = ask(&c);
	check(pid > 0);
	stage();
	check_eq(pid, ask(&c));
	stage();
	hang_up(&c);
	reap(pid, 8 << 8);
}

/* leaderless [session]: a group, or session, whose leader has been waited for. */
static void leaderless(int argc, char **argv)
{
	bool session = argc > 0;
	pid_t leader, member, self = getpid();
	struct channel c;

	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	open_channel(&c);
	leader = fork();
	if (!leader) {
		need(session ? setsid() > 0 : !setpgid(0, 0));
		leader = getpid();
		if (fork())
			_exit(0);
		child_side(&c);
		wait_adopted(leader);
		while (asked(&c)) {
			check_eq(leader, getpgrp());
			check_eq(session ? leader : getsid(self), getsid(0));
			check_eq(self, getppid());
			answer(&c, getpid());
		}
		_exit(2);
	}
	parent_side(&c);
	reap(leader, 0);
	member = ask(&c);
	stage();
	check_eq(member, ask(&c));
	check_eq(0, kill(-leader, 0));
	stage();
	check_eq(member, ask(&c));
	hang_up(&c);
	reap(member, 2 << 8);
	check_eq(-1, kill(-leader, 0));
}

/* data: a pipe between two processes with something in it, and one file offset. */
static void data(int argc, char **argv)
{
	static char text[5000], got[5000];
	struct channel c;
	int p[2], fd, value;
	pid_t pid;

	fill_memory(text, sizeof(text), 99);
	fd = open("data", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && !pipe2(p, O_CLOEXEC));
	pid = fork_child(&c);
	if (!pid) {
		close(p[1]);
		while (asked(&c)) {
			need(write(fd, "12345", 5) == 5);
			memset(got, 0, sizeof(got));
			need(read(p[0], got, sizeof(got)) == sizeof(got));
			answer(&c, memcmp(got, text, sizeof(got)));
		}
		_exit(read(p[0], got, 1));
	}
	close(p[0]);
	for (value = 1; value <= 3; value++) {
		need(write(p[1], text, sizeof(text)) == sizeof(text));
		if (value < 3)
			stage();
		check_eq(0, ask(&c));
		check_eq(5 * value, lseek(fd, 0, SEEK_CUR));
	}
	close(p[1]);
	hang_up(&c);
	reap(pid, 0);
}

static volatile int dying;

static void on_parents_end(int sig, siginfo_t *info, void *context)
{
	dying = info->si_code == SI_USER ? info->si_pid : -1;
}

/* The child is told when the thread that has made it has ended, not when another has. */
static void *make_mortal(void *arg)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO | SA_RESTART };
	struct channel *up = ((struct channel **)arg)[0], *end = ((struct channel **)arg)[1];
	pid_t parent = getpid(), pid = fork();

	need(pid >= 0);
	if (pid) {
		while (asked(end))
			answer(end, pid);
		return NULL;
	}
	act.sa_sigaction = on_parents_end;
	need(!sigaction(SIGUSR1, &act, NULL) && !prctl(PR_SET_PDEATHSIG, SIGUSR1));
	close(end->to_child[0]);
	close(end->to_parent[1]);
	while (asked(up))
		answer(up, dying ? (dying == parent ? 1 : -1) : 0);
	_exit(9);
}

/* pdeath [thread]: who asked for a signal at the end of its parent gets it then. */
static void pdeath(int argc, char **argv)
{
	struct channel up, end, rest, *channels[2] = { &up, &end };
	pthread_t thread;
	pid_t middle, pid;

	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	open_channel(&up);
	open_channel(&end);
	middle = fork_child(&rest);
	if (!middle) {
		child_side(&up);
		child_side(&end);
		if (argc > 0)
			need(!pthread_create(&thread, NULL, make_mortal, channels));
		else
			make_mortal(channels);
		while (argc > 0 && asked(&rest))
			answer(&rest, 1);
		_exit(8);
	}
	parent_side(&up);
	parent_side(&end);
	pid = ask(&end);
	check_eq(0, ask(&up));
	stage();
	check_eq(pid, ask(&end));
	check_eq(0, ask(&up));
	stage();
	hang_up(&end);
	while (!ask(&up))
		poll_pause();
	check_eq(1, ask(&up));
	/* The process of that thread may be there. */
	if (argc > 0)
		check_eq(1, ask(&rest));
	hang_up(&rest);
	reap(middle, 8 << 8);
	hang_up(&up);
	reap(pid, 9 << 8);
}

/* exitsignal: a child whose end sends another signal, and one that sends none. */
static void exit_signals(int argc, char **argv)
{
	struct channel c;
	pid_t loud, quiet;
	sigset_t set;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR2);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	open_channel(&c);
	quiet = syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
	loud = quiet ? syscall(SYS_clone, SIGUSR2, NULL, NULL, NULL, 0) : 0;
	if (!quiet || !loud) {
		child_side(&c);
		while (asked(&c))
			;
		_exit(0);
	}
	parent_side(&c);
	stage();
	stage();
	hang_up(&c);
	check_eq(SIGUSR2, sigwaitinfo(&set, &info));
	check_eq(loud, info.si_pid);
	check_eq(loud, waitpid(loud, NULL, __WCLONE));
	check_eq(quiet, waitpid(quiet, NULL, __WCLONE));
	sigpending(&set);
	check(!sigismember(&set, SIGCHLD));
}

/* kin: relations without numbers, which are allowed to change. */
static void kin(int argc, char **argv)
{
	struct channel c;
	pid_t old = getpid();
	int i;

	if (!fork_child(&c)) {
		need(setsid() == getpid());
		while (asked(&c)) {
			check_eq(getpid(), getpgrp());
			check_eq(getpid(), getsid(0));
			check_eq(getpid(), syscall(SYS_gettid));
			answer(&c, getppid());
		}
		_exit(0);
	}
	for (i = 0; i < 3; i++) {
		check_eq(getpid(), ask(&c));
		if (i < 2)
			stage();
	}
	tell("pid %d was %d", getpid(), old);
	hang_up(&c);
	check(wait(&i) > 0);
	check_eq(0, i);
}

/* The other program, by pipes in place of what the test gives to this one. */
static pid_t start_other(char **argv, int *in, FILE **out)
{
	int to[2], from[2];
	pid_t pid;

	need(!pipe(to) && !pipe(from));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		need(dup2(to[0], 0) == 0 && dup2(from[1], 1) == 1);
		close(to[1]);
		close(from[0]);
		execv(argv[0], argv);
		_exit(99);
	}
	close(to[0]);
	close(from[1]);
	*in = to[1];
	*out = fdopen(from[0], "r");
	need(*out);
	return pid;
}

/* others PROGRAM MODE...: runs two, each in its stages, and leaves one dead behind. */
static void others(int argc, char **argv)
{
	pid_t pid[3];
	char line[200];
	int in[2], i, alive;
	FILE *out[2];

	need(argc >= 2);
	for (i = 0; i < 2; i++)
		pid[i] = start_other(argv, &in[i], &out[i]);
	/* It finds its standard input at its end. */
	pid[2] = start_other(argv, &alive, &(FILE *){ NULL });
	close(alive);
	need(!waitid(P_PID, pid[2], &(siginfo_t){}, WEXITED | WNOWAIT));
	do {
		for (i = alive = 0; i < 2; i++) {
			if (!out[i])
				continue;
			need(fgets(line, sizeof(line), out[i]));
			if (!strcmp(line, "ready\n")) {
				alive++;
				continue;
			}
			if (strcmp(line, "done\n"))
				fail("%s", line);
			fclose(out[i]);
			out[i] = NULL;
			reap(pid[i], 0);
		}
		stage();
		for (i = 0; i < 2; i++)
			if (out[i])
				need(write(in[i], "g", 1) == 1);
	} while (alive);
	reap(pid[2], 1 << 8);
}

static void *idle_thread(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

/* In the middle of the family: a thread, a child in a session of its own. */
static void be_parent(struct channel *c)
{
	struct channel below;
	pthread_t thread;
	pid_t pid;

	need(!pthread_create(&thread, NULL, idle_thread, NULL));
	pid = fork_child(&below);
	if (!pid) {
		need(setsid() > 0);
		while (asked(&below))
			answer(&below, getsid(0) == getpid());
		_exit(1);
	}
	while (asked(c))
		answer(c, ask(&below));
	hang_up(&below);
	reap(pid, 1 << 8);
	_exit(2);
}

/* family: a bit of everything, three generations. */
static void family(int argc, char **argv)
{
	struct channel c;
	pthread_t thread;
	pid_t middle, dead, sharer;
	char *stack;

	middle = fork_child(&c);
	if (!middle)
		be_parent(&c);
	dead = spawn_dead(42 << 8);
	need(!pthread_create(&thread, NULL, idle_thread, NULL));
	shared = malloc(sizeof(*shared));
	stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(shared && stack != MAP_FAILED);
	shared->value = 0;
	open_channel(&clone_channel);
	sharer = clone(cloned, stack + STACK, CLONE_VM | CLONE_FS | SIGCHLD, NULL);
	need(sharer > 0 && ask(&clone_channel) == 1);
	stage();
	check_eq(1, ask(&c));
	check_eq(2, ask(&clone_channel));
	check_eq(2, shared->value);
	need(!kill(sharer, SIGKILL));
	reap(sharer, SIGKILL);
	reap(dead, 42 << 8);
	hang_up(&c);
	reap(middle, 2 << 8);
}

const struct mode process_modes[] = {
	{ "family", family },
	{ "kin", kin },
	{ "others", others },
	{ "child", child },
	{ "waiting", waiting },
	{ "zombies", zombies },
	{ "zombie_leader", zombie_leader },
	{ "stopped", stopped },
	{ "was_continued", was_continued },
	{ "vforked", vforked },
	{ "clone", clone_some },
	{ "subreaper", subreaper },
	{ "sibling", sibling },
	{ "leaderless", leaderless },
	{ "data", data },
	{ "exitsignal", exit_signals },
	{ "pdeath", pdeath },
	{}
};

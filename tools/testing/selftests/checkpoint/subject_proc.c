// SPDX-License-Identifier: GPL-2.0-only
/* Files of processes, threads, and who has ended, in /proc; O_ASYNC of all files. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "subject.h"

static volatile int marker = 1;

/* What is open of one process or thread. */
struct of {
	int nr;
	int dir, status, environ, mem, opath, exe;
};

static int open_of(const char *dir, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC);
	need(fd >= 0);
	return fd;
}

static struct of open_all(const char *dir, int nr)
{
	return (struct of){
		.nr = nr,
		.dir = open_of(dir, ".", O_RDONLY | O_DIRECTORY),
		.status = open_of(dir, "status", O_RDONLY),
		.environ = open_of(dir, "environ", O_RDONLY),
		.mem = open_of(dir, "mem", O_RDWR),
		.opath = open_of(dir, "comm", O_PATH),
		.exe = open_of(dir, "exe", O_PATH | O_NOFOLLOW),
	};
}

static struct of open_process(pid_t pid)
{
	char dir[32];

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	return open_all(dir, pid);
}

static struct of open_thread(pid_t tid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/proc/self/task/%d", tid);
	return open_all(dir, tid);
}

static void check_status(const struct of *of, const char *state)
{
	char buf[2048] = "", want[32];

	check(pread(of->status, buf, sizeof(buf) - 1, 0) > 0);
	snprintf(want, sizeof(want), "\nPid:\t%d\n", of->nr);
	check(strstr(buf, want));
	check(strstr(buf, state));
}

static void check_alive(const struct of *of, int want)
{
	char link[256] = "", name[32] = "";
	int fd, got = 0;
	struct stat st;

	check_status(of, "\nState:\t");
	check(pread(of->environ, name, 4, 0) == 4);
	check_eq(sizeof(got), pread(of->mem, &got, sizeof(got), (off_t)&marker));
	check_eq(want, got);
	fd = openat(of->dir, "comm", O_RDONLY | O_CLOEXEC);
	check(fd >= 0 && read(fd, name, sizeof(name)) > 0);
	check(!strncmp(name, "subject", 7));
	close(fd);
	check(!fstat(of->opath, &st) && S_ISREG(st.st_mode));
	check(fcntl(of->opath, F_GETFL) & O_PATH);
	check(readlinkat(of->exe, "", link, sizeof(link) - 1) > 0);
	check(strstr(link, "subject"));
}

/* Reading behaves as it did; what was open when it had memory has none now. */
static void check_no_memory(const struct of *of)
{
	char buf[64];

	check_eq(0, pread(of->environ, buf, sizeof(buf), 0));
	check_eq(0, pread(of->mem, buf, sizeof(buf), (off_t)&marker));
}

static void check_gone(const struct of *of)
{
	char buf[64];

	check(pread(of->status, buf, sizeof(buf), 0) < 0 && errno == ESRCH);
	check(openat(of->dir, "comm", O_RDONLY) < 0 && (errno == ENOENT || errno == ESRCH));
	check(readlinkat(of->exe, "", buf, sizeof(buf)) < 0);
}

static pid_t start_child(int value)
{
	int p[2];
	char c;
	pid_t pid;

	need(!pipe(p));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		marker = value;
		need(write(p[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	need(read(p[0], &c, 1) == 1);
	close(p[0]);
	close(p[1]);
	return pid;
}

static void end_child(pid_t pid, int options)
{
	siginfo_t info;

	need(!kill(pid, SIGKILL));
	need(!waitid(P_PID, pid, &info, WEXITED | options));
}

static void write_new(int fd, const char *text)
{
	char buf[32] = "";

	check(!lseek(fd, 0, SEEK_SET));
	check_eq(strlen(text), write(fd, text, strlen(text)));
	check(pread(fd, buf, sizeof(buf) - 1, 0) > 0);
	check(!strncmp(buf, text, strlen(text)));
}

/* proc_child: of a child, which comes later in the image. */
static void proc_child(int argc, char **argv)
{
	pid_t pid = start_child(7);
	struct of of = open_process(pid);
	int dup_of = dup(of.status), value = 9;

	check_alive(&of, 7);
	stage();
	check_alive(&of, 7);
	check(lseek(dup_of, 5, SEEK_SET) == 5 && lseek(of.status, 0, SEEK_CUR) == 5);
	check_eq(sizeof(value), pwrite(of.mem, &value, sizeof(value), (off_t)&marker));
	check_alive(&of, 9);
	end_child(pid, 0);
	check_gone(&of);
}

/* proc_zombie: of one who has ended, and nobody has waited for. */
static void proc_zombie(int argc, char **argv)
{
	pid_t pid = start_child(7);
	struct of of = open_process(pid);

	end_child(pid, WNOWAIT);
	check_status(&of, "\nState:\tZ");
	stage();
	check_status(&of, "\nState:\tZ");
	check_no_memory(&of);
	check_eq(pid, waitpid(pid, NULL, 0));
	check_gone(&of);
}

static void check_comm(const char *want)
{
	char got[32] = "";

	check(read_file("comm", got, sizeof(got) - 1) > 0);
	got[strcspn(got, "\n")] = 0;
	check(!strcmp(want, got));
}

static void check_cwd(const char *want)
{
	char got[64] = "";

	check(getcwd(got, sizeof(got)) && !strcmp(want, got));
}

/* proc_cwd: a child is in our directory of /proc, and we in the child's; then in others. */
static void proc_cwd(int argc, char **argv)
{
	char own[32], of_child[32], list[40], c;
	int up[2], down[2], status = -1;
	pid_t pid;

	snprintf(own, sizeof(own), "/proc/%d", getpid());
	need(!pipe(up) && !pipe(down));
	pid = fork();
	if (!pid) {
		need(!prctl(PR_SET_NAME, "child") && !chdir(own) && write(up[1], "x", 1) == 1);
		check_eq(1, read(down[0], &c, 1));
		check_cwd(own);
		check_comm("parent");
		_exit(7);
	}
	snprintf(of_child, sizeof(of_child), "/proc/%d", pid);
	snprintf(list, sizeof(list), "%s/task", of_child);
	need(!prctl(PR_SET_NAME, "parent") && read(up[0], &c, 1) == 1 && !chdir(of_child));
	stage();
	check_cwd(of_child);
	check_comm("child");
	need(!chdir("task"));
	stage();
	check_cwd(list);
	need(!chdir(of_child) && write(down[1], "x", 1) == 1);
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(7 << 8, status);
	/* Of one who is gone. */
	stage();
	check(!getcwd(list, sizeof(list)) && errno == ENOENT);
	check(open("comm", O_RDONLY) < 0 && (errno == ENOENT || errno == ESRCH));
	/* Of nobody. */
	need(!chdir("/proc/sys/kernel"));
	stage();
	check_cwd("/proc/sys/kernel");
	need(!chdir("/"));
}

/* proc_gone: of one who was waited for. */
static void proc_gone(int argc, char **argv)
{
	pid_t pid = start_child(7);
	struct of of = open_process(pid);

	end_child(pid, 0);
	check_gone(&of);
	check_no_memory(&of);
	stage();
	check_gone(&of);
	check_no_memory(&of);
	/* No child has come from it. */
	check(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
}

static pthread_barrier_t started;
static pid_t thread_id;
static int thread_pipe[2];

static void *thread(void *arg)
{
	char c;

	thread_id = gettid();
	pthread_barrier_wait(&started);
	need(read(thread_pipe[0], &c, 1) == 1);
	return NULL;
}

/* proc_thread: of a thread, then of one that has ended. */
static void proc_thread(int argc, char **argv)
{
	pthread_t id;
	struct of of;
	int comm;

	need(!pipe(thread_pipe) && !pthread_barrier_init(&started, NULL, 2));
	need(!pthread_create(&id, NULL, thread, NULL));
	pthread_barrier_wait(&started);
	of = open_thread(thread_id);
	comm = openat(of.dir, "comm", O_RDWR | O_CLOEXEC);
	need(comm >= 0);
	check_alive(&of, 1);
	stage();
	check_alive(&of, 1);
	write_new(comm, "renamed");
	need(write(thread_pipe[1], "x", 1) == 1);
	need(!pthread_join(id, NULL));
	/* Joined, it has yet to disappear. */
	while (!tgkill(getpid(), thread_id, 0))
		usleep(1000);
	check_gone(&of);
	/* Its memory is still there: that cannot be had again. */
	close(of.environ);
	close(of.mem);
	stage();
	check_gone(&of);
}

/* proc_write: open for writing. */
static void proc_write(int argc, char **argv)
{
	int comm = open("/proc/self/comm", O_RDWR), name = open("/proc/self/comm", O_WRONLY);
	int oom = open("/proc/self/oom_score_adj", O_RDWR);
	int sys = open("/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan", O_RDWR);
	int sysctl = open("/proc/sys/kernel/panic", O_RDWR);
	char buf[32] = "";
	ssize_t n;

	need(comm >= 0 && name >= 0 && oom >= 0 && sys >= 0 && sysctl >= 0);
	write_new(oom, "17");
	stage();
	write_new(comm, "first");
	check_eq(6, write(name, "second", 6));
	check(pread(comm, buf, sizeof(buf), 0) == 7 && !memcmp(buf, "second", 6));
	check(pread(oom, buf, sizeof(buf), 0) == 3 && !memcmp(buf, "17", 2));
	write_new(oom, "18");
	n = pread(sys, buf, sizeof(buf), 0);
	check(n > 0 && pwrite(sys, buf, n, 0) == n);
	n = pread(sysctl, buf, sizeof(buf), 0);
	check(n > 0 && pwrite(sysctl, buf, n, 0) == n);
}

/* proc_refused WHAT: files that cannot be had again. */
static void proc_refused(int argc, char **argv)
{
	int fd = -1;

	if (!strcmp(argv[0], "outside"))
		fd = open("/proc/1/status", O_RDONLY);
	else if (!strcmp(argv[0], "descriptor"))
		fd = open("/proc/self/fdinfo/0", O_RDONLY);
	else if (!strcmp(argv[0], "map"))
		fd = open("/proc/self/uid_map", O_RDWR);
	else if (!strcmp(argv[0], "opath"))
		fd = open("/proc/1/status", O_PATH);
	else if (!strcmp(argv[0], "before"))
		fd = open("/proc/self/mem", O_RDWR);
	else if (!strcmp(argv[0], "after"))
		fd = 3;
	if (!strcmp(argv[0], "before") && fd >= 0)
		execl("/proc/self/exe", "subject", "proc_refused", "after", NULL);
	need(fd >= 0 && fcntl(fd, F_GETFD) >= 0);
	stage();
}

static void check_no_other(int fd)
{
	const struct timespec more = { .tv_nsec = 100000000 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	while (sigtimedwait(&set, &info, &more) > 0)
		check_eq(fd, info.si_fd);
}

/* Signals, one or more, that tell a descriptor; they may come one after the other. */
static void check_signal(int fd)
{
	const struct timespec limit = { .tv_sec = 20 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	check_eq(SIGRTMIN + 3, sigtimedwait(&set, &info, &limit));
	check_eq(fd, info.si_fd);
	check_no_other(fd);
}

static void send_signals(int fd)
{
	need(!fcntl(fd, F_SETSIG, SIGRTMIN + 3) && !fcntl(fd, F_SETOWN, getpid()));
	need(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

/* async_files: a terminal, an inotify instance; and what only shows O_ASYNC. */
static void async_files(int argc, char **argv)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, notify = inotify_init();
	int shown = open("shown", O_RDWR | O_CREAT | O_ASYNC, 0600), quiet;
	char buf[4096];
	sigset_t set;
	int i;

	need(master >= 0 && !unlockpt(master) && notify >= 0 && shown >= 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	quiet = open(ptsname(master), O_RDWR | O_NOCTTY | O_ASYNC);
	need(slave >= 0 && quiet >= 0 && !mkdir("watched", 0700));
	/* Not ".", where the image appears. */
	need(inotify_add_watch(notify, "watched", IN_CREATE) > 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	send_signals(slave);
	send_signals(notify);
	for (i = 0; i < 2; i++) {
		check_eq(6, write(master, "input\n", 6));
		check_signal(slave);
		check_eq(6, read(slave, buf, sizeof(buf)));
		/* Reading lets the terminal look at its input again. */
		check_no_other(slave);
		need(!close(open("watched/made", O_RDWR | O_CREAT, 0600)));
		need(!unlink("watched/made"));
		check_signal(notify);
		check(read(notify, buf, sizeof(buf)) > 0);
		check(fcntl(shown, F_GETFL) & O_ASYNC && fcntl(quiet, F_GETFL) & O_ASYNC);
		check_eq(getpid(), fcntl(slave, F_GETOWN));
		if (!i)
			stage();
	}
	/* It still goes away. */
	need(!fcntl(slave, F_SETFL, 0) && write(master, "input\n", 6) == 6);
	check(sigtimedwait(&set, NULL, &(struct timespec){ .tv_nsec = 200000000 }) < 0);
}

const struct mode proc_modes[] = {
	{ "async_files", async_files },
	{ "proc_child", proc_child },
	{ "proc_zombie", proc_zombie },
	{ "proc_cwd", proc_cwd },
	{ "proc_gone", proc_gone },
	{ "proc_thread", proc_thread },
	{ "proc_write", proc_write },
	{ "proc_refused", proc_refused },
	{}
};

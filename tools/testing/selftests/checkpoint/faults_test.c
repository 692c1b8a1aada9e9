// SPDX-License-Identifier: GPL-2.0-only
/*
 * Something goes wrong in the middle: a task is killed, a pid is taken, there is
 * no memory. A restart that fails leaves nothing behind, and the same image can
 * be restarted afterwards; a save that fails does the tree no harm.
 */
#include "kselftest_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"

/* Of memory that is accounted for. */
#define CACHES	"kmalloc-cg"

/* What lacks: small pieces, or whole pages, of memory. */
#define SLAB	"failslab"
#define PAGES	"fail_page_alloc"

/* What a restart that fails must not leave behind. */
struct left {
	int fds, tasks, zombies, names;
};

/* Where the subject has what was removed. */
#define REMOVED_IN	"/var/tmp"

FIXTURE(faults) {
	struct subject s;
	char program[128];
	struct image image;
	struct left before;
};

FIXTURE_VARIANT(faults) {
	const char *command;
	int victims;	/* that can be killed in its restarts, at least */
	int runs;	/* with a lack of memory */
	int places;	/* in the image, where each is killed; 0: 7 */
};

/* Shared tables, zombies, threads, pipes. */
FIXTURE_VARIANT_ADD(faults, family) { "family", 20, 120 };
/* The same below an init process of its own. */
FIXTURE_VARIANT_ADD(faults, nested) { "nested upc family", 20, 45 };
/* A session on a pseudoterminal, with jobs. */
FIXTURE_VARIANT_ADD(faults, session) { "pty_session", 5, 45 };
/* What is made when all tasks are there. */
FIXTURE_VARIANT_ADD(faults, epoll) { "epoll_shared", 3, 45 };
FIXTURE_VARIANT_ADD(faults, inotify) { "inotify", 3, 45 };
/* Messages under way, with descriptors; both ends of connections. */
FIXTURE_VARIANT_ADD(faults, unix_rights) { "unix_rights", 3, 45 };
FIXTURE_VARIANT_ADD(faults, inet_forked) { "inet_forked", 3, 45 };
/* Pages that processes share. */
FIXTURE_VARIANT_ADD(faults, cow) { "cow_same", 3, 45, .places = 3 };
/* Directories that have a name for a while. */
FIXTURE_VARIANT_ADD(faults, removed) { "removed_nested " REMOVED_IN, 3, 45 };

static int count_zombies(void)
{
	char path[64], stat[512], *end;
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/stat", entry->d_name);
		if (read_file(path, stat, sizeof(stat)) <= 0)
			continue;
		end = strrchr(stat, ')');
		n += end && end[2] == 'Z';
	}
	closedir(dir);
	return n;
}

/* Of what is to have none. */
static int count_names(void)
{
	struct dirent *entry;
	DIR *dir = opendir(REMOVED_IN);
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		n += !strncmp(entry->d_name, ".checkpoint-", 12);
	closedir(dir);
	return n;
}

static const struct {
	const char *limit;
	int flag;
} ns_kinds[] = {
	{ "/proc/sys/user/max_pid_namespaces", CLONE_NEWPID },
	{ "/proc/sys/user/max_user_namespaces", CLONE_NEWUSER },
};

/* The kernel tells how many there are only by a limit: may there be one, as the first? */
static bool may_be_first(int kind)
{
	int status = -1, length;
	char before[32];
	pid_t pid;

	length = read_file(ns_kinds[kind].limit, before, sizeof(before));
	write_file(ns_kinds[kind].limit, "1", 1);
	pid = fork();
	if (!pid)
		_exit(unshare(ns_kinds[kind].flag) ? 1 : 0);
	waitpid(pid, &status, 0);
	write_file(ns_kinds[kind].limit, before, length);
	return !status;
}

/* It frees them in its own time. */
static int no_namespace_left(void)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	int kind;

	for (kind = 0; kind < 2; kind++) {
		while (!may_be_first(kind)) {
			if (now_ns() > deadline) {
				say("%s: there still is one", ns_kinds[kind].limit);
				return -1;
			}
			poll_pause();
		}
	}
	return 0;
}

static int copy_program(const struct subject *s, char *path, size_t size)
{
	struct image program = {};
	int ret;

	snprintf(path, size, "%s/family", s->dir);
	ret = image_load(&program, subject_path("subject-static")) ||
	      image_store(&program, path) || chmod(path, 0755);
	image_free(&program);
	return ret;
}

FIXTURE_SETUP(faults)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	/* On a tmpfs: file systems that lack memory are not what is tested here. */
	ASSERT_EQ(0, copy_program(s, self->program, sizeof(self->program)));
	s->program = self->program;
	self->before = (struct left){ count_fds(), count_tasks(), count_zombies(), 0 };
	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
}

FIXTURE_TEARDOWN(faults)
{
	image_free(&self->image);
	subject_destroy(&self->s);
	EXPECT_EQ(0, no_namespace_left());
}

/* Init waits for those of a killed tree, in its own time. */
static int nothing_left(const struct left *before)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	while ((count_tasks() > before->tasks || count_zombies() > before->zombies) &&
	       now_ns() < deadline)
		poll_pause();
	if (count_tasks() <= before->tasks && count_zombies() <= before->zombies &&
	    count_fds() == before->fds && count_names() == before->names)
		return 0;
	say("fds %d, now %d; tasks %d, now %d; zombies %d, now %d; names %d, now %d",
	    before->fds, count_fds(), before->tasks, count_tasks(), before->zombies,
	    count_zombies(), before->names, count_names());
	return -1;
}

static int save_and_kill(struct subject *s)
{
	if (subject_save(s, CHECKPOINT_KILL) || subject_reap(s, SIGKILL)) {
		messages_show(s);
		return -1;
	}
	return 0;
}

/* All is well: it is restarted, looks at itself, and ends. */
static int restart_and_end(struct subject *s)
{
	if (subject_restart(s, 0)) {
		messages_show(s);
		return -1;
	}
	do {
		if (subject_go(s) || subject_read(s))
			return -1;
	} while (!strcmp(s->line, "ready"));
	if (strcmp(s->line, "done")) {
		say("subject says \"%s\"", s->line);
		return -1;
	}
	return subject_reap(s, 0) || s->failures ? -1 : 0;
}

static int feed(int fd, const uint8_t *data, size_t size)
{
	ssize_t n;

	for (; size; data += n, size -= n) {
		n = write(fd, data, size);
		if (n <= 0)
			return -1;
	}
	return 0;
}

/* Waits until the reader has taken all, and wants more. */
static void wait_taken(int fd)
{
	int have = 1;

	while (!ioctl(fd, FIONREAD, &have) && have)
		poll_pause();
}

/*
 * Restarts from a pipe. When the first bytes of the image have been taken, a
 * process of ours does something; then comes the rest. Returns restart's errno,
 * or 0 if there was nobody yet to do it to.
 */
static int restart_with(struct subject *s, const struct image *image, size_t at,
			bool (*disturb)(pid_t pid), pid_t victim)
{
	int p[2], status = 0;
	bool done = false;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) || fcntl(p[1], F_SETPIPE_SZ, 4096) < 0)
		return -1;
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_IGN);
		close(p[0]);
		if (!feed(p[1], image->data, at)) {
			wait_taken(p[1]);
			done = disturb(victim);
			feed(p[1], image->data + at, image->size - at);
		}
		_exit(done);
	}
	close(p[1]);
	subject_restart_fd(s, p[0], 0);
	close(p[0]);
	waitpid(pid, &status, 0);
	if (status || s->err)
		return s->err;
	return save_and_kill(s);
}

static bool kill_it(pid_t pid)
{
	return !kill(pid, SIGKILL);
}

/* Every process of the tree, at many places of the image. */
TEST_F_TIMEOUT(faults, killed, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct ckpt_rec_tree *tree;
	struct ckpt_rec_task *tasks;
	size_t at, step;
	int err, killed = 0;
	uint32_t i;

	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, image_load(&self->image, s->image));
	tree = image_payload(&self->image, CKPT_REC_TREE, 0);
	tasks = (struct ckpt_rec_task *)(tree + 1);
	step = self->image.size / (variant->places ?: 7);
	for (i = 0; i < tree->nr_tasks; i++) {
		if (tasks[i].tid != tasks[i].tgid)
			continue;
		for (at = step - step * i / tree->nr_tasks; at < self->image.size; at += step) {
			err = restart_with(s, &self->image, at, kill_it, tasks[i].tid);
			ASSERT_TRUE(!err || err == ESRCH || err == EINTR) {
				say("pid %u at %zu of %zu: %s", tasks[i].tid, at,
				    self->image.size, strerror(err));
				system("ps -eo pid,ppid,pgid,stat,args >&2");
				messages_show(s);
			}
			killed += err != 0;
			ASSERT_EQ(0, nothing_left(&self->before));
		}
	}
	ASSERT_LT(variant->victims, killed);
	ASSERT_EQ(0, restart_and_end(s));
}

/* A process of ours gets this id, and ends when told by the end of the feeder. */
static bool take_pid(pid_t pid)
{
	char text[16], before[16];
	int i, n, length = read_file("/proc/sys/kernel/ns_last_pid", before, sizeof(before));

	for (i = 0; i < 100; i++) {
		n = snprintf(text, sizeof(text), "%d", pid - 1);
		write_file("/proc/sys/kernel/ns_last_pid", text, n);
		n = fork();
		if (!n) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
		}
		if (n == pid || n < 0)
			break;
		kill(n, SIGKILL);
		waitpid(n, NULL, 0);
	}
	/* The next ones would be those of the tree, which has to come back. */
	write_file("/proc/sys/kernel/ns_last_pid", before, length);
	return n == pid;
}

/* The id of a thread is taken when its process exists already. */
TEST_F_TIMEOUT(faults, tid_taken, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct ckpt_rec_tree *tree;
	struct ckpt_rec_task *tasks;
	uint32_t i = 0;

	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, image_load(&self->image, s->image));
	tree = image_payload(&self->image, CKPT_REC_TREE, 0);
	tasks = (struct ckpt_rec_task *)(tree + 1);
	while (i < tree->nr_tasks && tasks[i].tid == tasks[i].tgid)
		i++;
	if (i == tree->nr_tasks || tasks[i].pid_ns)
		SKIP(goto end, "it has no threads, or they are there before others");
	ASSERT_EQ(EEXIST, restart_with(s, &self->image,
				       image_find(&self->image, CKPT_REC_VMAS, 0), take_pid,
				       tasks[i].tid)) messages_show(s);
	ASSERT_EQ(0, nothing_left(&self->before));
end:
	ASSERT_EQ(0, restart_and_end(s));
}

/* The restart fails while somebody traces one of its processes, and is killed then. */
TEST_F_TIMEOUT(faults, traced, TEST_TIMEOUT)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	struct subject *s = &self->s;
	struct ckpt_rec_tree *tree;
	struct ckpt_rec_task *root;
	pid_t restarter, ended = 0;
	int p[2];

	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, image_load(&self->image, s->image));
	tree = image_payload(&self->image, CKPT_REC_TREE, 0);
	root = (struct ckpt_rec_task *)(tree + 1);
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	restarter = fork();
	if (!restarter) {
		close(p[1]);
		subject_restart_fd(s, p[0], 0);
		_exit(0);
	}
	close(p[0]);
	ASSERT_EQ(0, feed(p[1], self->image.data, image_find(&self->image, CKPT_REC_VMAS, 0)));
	wait_taken(p[1]);
	while (ptrace(PTRACE_SEIZE, root->tid, 0, 0) && now_ns() < deadline)
		poll_pause();
	close(p[1]);
	/* The restarter cannot reap its child, which is ours. */
	while (kill(restarter, SIGKILL) == 0 && !ended && now_ns() < deadline) {
		poll_pause();
		ended = waitpid(restarter, NULL, WNOHANG);
	}
	EXPECT_EQ(restarter, ended);
	EXPECT_EQ(root->tid, waitpid(root->tid, NULL, __WALL));
	if (!ended)
		waitpid(restarter, NULL, 0);
	ASSERT_EQ(0, nothing_left(&self->before));
	ASSERT_EQ(0, restart_and_end(s));
}

static int set_knob(const char *fault, const char *knob, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", fault, knob);
	return write_file(path, value, strlen(value));
}

/* The caches that kmalloc() of ours uses: others complain when memory is denied. */
static int choose_caches(void)
{
	char path[96];
	int size, n = 0;

	for (size = 8; size <= 8192; size *= 2) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s-%d%s/failslab", CACHES,
			 size < 1024 ? size : size / 1024, size < 1024 ? "" : "k");
		n += !write_file(path, "1", 1);
	}
	return n ? 0 : -1;
}

/* Of memory of ours; or all pages, of files and programs, too: who runs faults once more. */
static int choose_what(const char *fault)
{
	if (!strcmp(fault, SLAB))
		return set_knob(fault, "cache-filter", "Y") || choose_caches() ? -1 : 0;
	return set_knob(fault, "min-order", "0") || set_knob(fault, "ignore-gfp-highmem", "N");
}

/* Allocations of tasks that asked for it, and of their children, fail now and then. */
static int prepare_faults(const char *fault)
{
	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (set_knob(fault, "probability", "0") || set_knob(fault, "task-filter", "Y") ||
	    set_knob(fault, "ignore-gfp-wait", "N") || set_knob(fault, "verbose", "0") ||
	    choose_what(fault))
		return -1;
	return write_file("/proc/self/make-it-fail", "1", 1);
}

/*
 * Ever later ones, one in each run: in the end all places have had their turn. Pages
 * are asked for more rarely than pieces.
 */
static void allow_faults(const char *fault, int run, int runs)
{
	int last = strcmp(fault, PAGES) ? 600 : 20;
	char interval[16];

	snprintf(interval, sizeof(interval), "%d", 2 + last * run / runs);
	set_knob(fault, "times", "1");
	set_knob(fault, "interval", interval);
	set_knob(fault, "probability", "100");
}

/* To say so may fail as well. */
static void stop_faults(const char *fault)
{
	while (set_knob(fault, "probability", "0"))
		;
}

static bool injects(const char *fault)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s", fault);
	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	return !access(path, F_OK);
}

/* A save takes so few pages that some rounds may be needed until one of them lacks. */
#define ROUNDS	20

/* Some of the saves fail, with a reason that is true. Returns how many, or -1. */
static int save_without(struct subject *s, const char *fault, int runs)
{
	int i, fd, ret, failed = 0;

	if (prepare_faults(fault))
		return -1;
	for (i = 0; i < runs || (!failed && i < ROUNDS * runs); i++) {
		fd = open(s->image, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			return -1;
		allow_faults(fault, i % runs, runs);
		ret = subject_save_fd(s, fd, 0);
		stop_faults(fault);
		close(fd);
		if (!ret)
			continue;
		failed++;
		if (s->err == ENOMEM || s->err == ENOSPC || s->err == EAGAIN)
			continue;
		say("save: %s", strerror(s->err));
		messages_show(s);
		return -1;
	}
	say("%d of %d saves failed", failed, i);
	return failed;
}

/* The same with restarts, which leave nothing behind. */
static int restart_without(struct subject *s, const char *fault, int runs,
			   const struct left *before)
{
	int i, fd, ret, failed = 0;

	if (prepare_faults(fault))
		return -1;
	for (i = 0; i < runs; i++) {
		fd = open(s->image, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		allow_faults(fault, i, runs);
		ret = subject_restart_fd(s, fd, 0);
		stop_faults(fault);
		close(fd);
		if (!ret) {
			if (save_and_kill(s))
				return -1;
			continue;
		}
		failed++;
		/* ENFILE is what pipe(2) says, ENOBUFS is what sendmsg(2) does. */
		if (s->err != ENOMEM && s->err != EAGAIN && s->err != ENFILE &&
		    s->err != ENOBUFS) {
			say("restart: %s", strerror(s->err));
			messages_show(s);
			return -1;
		}
		if (nothing_left(before))
			return -1;
	}
	say("%d of %d restarts failed", failed, i);
	return failed;
}

TEST_F_TIMEOUT(faults, no_memory_to_save, TEST_TIMEOUT)
{
	if (!injects(SLAB))
		SKIP(return, "this kernel injects no faults");
	ASSERT_LT(0, save_without(&self->s, SLAB, variant->runs));
	ASSERT_EQ(0, save_and_kill(&self->s));
	ASSERT_EQ(0, restart_and_end(&self->s));
}

TEST_F_TIMEOUT(faults, no_pages_to_save, TEST_TIMEOUT)
{
	if (!injects(PAGES))
		SKIP(return, "this kernel injects no faults");
	ASSERT_LT(0, save_without(&self->s, PAGES, variant->runs / 3));
	ASSERT_EQ(0, save_and_kill(&self->s));
	ASSERT_EQ(0, restart_and_end(&self->s));
}

/* Saved and restarted once without: our own descriptor table has to be large enough. */
static int prepare_restarts(struct subject *s)
{
	return save_and_kill(s) || subject_restart(s, 0) || save_and_kill(s) ? -1 : 0;
}

TEST_F_TIMEOUT(faults, no_memory_to_restart, TEST_TIMEOUT)
{
	if (!injects(SLAB))
		SKIP(return, "this kernel injects no faults");
	ASSERT_EQ(0, prepare_restarts(&self->s));
	ASSERT_LT(0, restart_without(&self->s, SLAB, variant->runs, &self->before));
	ASSERT_EQ(0, restart_and_end(&self->s));
}

TEST_F_TIMEOUT(faults, no_pages_to_restart, TEST_TIMEOUT)
{
	if (!injects(PAGES))
		SKIP(return, "this kernel injects no faults");
	ASSERT_EQ(0, prepare_restarts(&self->s));
	ASSERT_LT(0, restart_without(&self->s, PAGES, variant->runs / 3, &self->before));
	ASSERT_EQ(0, restart_and_end(&self->s));
}

TEST_HARNESS_MAIN

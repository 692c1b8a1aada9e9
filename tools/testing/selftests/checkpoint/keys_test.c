// SPDX-License-Identifier: GPL-2.0-only
/*
 * What others have, too, by its kind: refused with the key to type, accepted by it,
 * and replaced at the restart by one of the same kind, with which the program works.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <termios.h>

#include "outside.h"

/**
 * struct given - what the test hands over
 * @fd: the descriptor
 * @other: what else is needed to look at it, or -1
 * @child: process of the test, or 0
 * @map: of memory
 */
struct given {
	int fd;
	int other;
	pid_t child;
	char *map;
};

static void give_eventfd(struct subject *s, struct given *g)
{
	g->fd = eventfd(0, EFD_CLOEXEC);
}

static bool saw_eventfd(struct given *g)
{
	eventfd_t count;

	return !eventfd_read(g->fd, &count) && count == 5;
}

static void give_timerfd(struct subject *s, struct given *g)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 };

	g->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	timerfd_settime(g->fd, 0, &soon, NULL);
}

static void give_signalfd(struct subject *s, struct given *g)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	g->fd = signalfd(-1, &mask, SFD_CLOEXEC);
}

static void give_epoll(struct subject *s, struct given *g)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 42 };

	g->fd = epoll_create1(EPOLL_CLOEXEC);
	g->other = eventfd(1, EFD_CLOEXEC);
	epoll_ctl(g->fd, EPOLL_CTL_ADD, g->other, &event);
}

static void give_inotify(struct subject *s, struct given *g)
{
	g->fd = inotify_init1(IN_CLOEXEC);
	inotify_add_watch(g->fd, s->dir, IN_CREATE);
}

/* A child, in a namespace of its own or in ours, once it is there. */
static void start_child(struct given *g, bool unshared)
{
	int p[2];
	char c;

	if (pipe2(p, O_CLOEXEC))
		return;
	g->child = fork();
	if (!g->child) {
		if (unshared && (unshare(CLONE_NEWUTS) || sethostname("given", 5)))
			_exit(1);
		close_range(3, ~0U, 0);
		for (;;)
			pause();
	}
	close(p[1]);
	if (read(p[0], &c, 1))
		g->child = 0;
	close(p[0]);
}

static void give_pidfd(struct subject *s, struct given *g)
{
	start_child(g, false);
	g->fd = syscall(SYS_pidfd_open, g->child, 0);
	fcntl(g->fd, F_SETFD, FD_CLOEXEC);
}

static bool saw_pidfd(struct given *g)
{
	int status = 0;
	pid_t pid = waitpid(g->child, &status, 0);

	g->child = 0;
	return pid > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
}

static void give_memfd(struct subject *s, struct given *g)
{
	g->fd = memfd_create("test", MFD_CLOEXEC);
	if (ftruncate(g->fd, 4096) || pwrite(g->fd, "given", 5, 0) != 5)
		return;
	g->map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, g->fd, 0);
}

static bool saw_memfd(struct given *g)
{
	return !strcmp(g->map, "taken");
}

static void give_uts(struct subject *s, struct given *g)
{
	char path[40];

	start_child(g, true);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", g->child);
	g->fd = open(path, O_RDONLY | O_CLOEXEC);
}

static void give_dir(struct subject *s, struct given *g)
{
	if (!mkdir(in_dir(s, "instead"), 0700) &&
	    !write_file(in_dir(s, "instead/there"), "given", 5))
		g->fd = open(in_dir(s, "instead"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void give_file(struct subject *s, struct given *g)
{
	if (!write_file(in_dir(s, "instead"), "given", 5))
		g->fd = open(in_dir(s, "instead"), O_RDWR | O_CLOEXEC);
}

static void give_fifo(struct subject *s, struct given *g)
{
	if (!mkfifo(in_dir(s, "instead"), 0600))
		g->fd = open(in_dir(s, "instead"), O_RDWR | O_CLOEXEC);
}

static void give_pty(struct subject *s, struct given *g)
{
	struct termios raw;

	g->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (unlockpt(g->fd))
		return;
	g->other = open(ptsname(g->fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tcgetattr(g->other, &raw))
		return;
	cfmakeraw(&raw);
	tcsetattr(g->other, TCSANOW, &raw);
}

static bool saw_text(struct given *g)
{
	char text[8] = "";

	return read(g->fd, text, 5) == 5 && !strcmp(text, "hello");
}

FIXTURE(keys) {
	struct subject s;
	struct given given;
	char key[200];
};

FIXTURE_VARIANT(keys) {
	const char *how;
	const char *sort;	/* with what its key begins */
	enum { BY_FD, BY_INODE, BY_LINK, BY_PID, BY_NAME } by;
	int why;
	void (*give)(struct subject *s, struct given *g);
	bool (*saw)(struct given *g);	/* NULL: the subject looks */
};

#define KEY(__how, __sort, __by, __why, __give, __saw)		\
	FIXTURE_VARIANT_ADD(keys, __how) {			\
		.how = #__how, .sort = __sort, .by = __by,	\
		.why = __why, .give = __give, .saw = __saw }

KEY(eventfd, "eventfd", BY_FD, CKPT_WHY_FILE, give_eventfd, saw_eventfd);
KEY(timerfd, "timerfd", BY_FD, CKPT_WHY_FILE, give_timerfd, NULL);
KEY(signalfd, "signalfd", BY_FD, CKPT_WHY_FILE, give_signalfd, NULL);
KEY(epoll, "eventpoll", BY_FD, CKPT_WHY_FILE, give_epoll, NULL);
KEY(inotify, "inotify", BY_FD, CKPT_WHY_FILE, give_inotify, NULL);
KEY(pidfd, "pidfd", BY_PID, CKPT_WHY_FILE, give_pidfd, saw_pidfd);
KEY(memfd, "memfd", BY_INODE, CKPT_WHY_MAPPING, give_memfd, saw_memfd);
KEY(uts, "uts", BY_LINK, CKPT_WHY_FILE, give_uts, NULL);
KEY(dir, "dir", BY_NAME, CKPT_WHY_FILE_UNREACHABLE, give_dir, NULL);
KEY(unlinked, "file", BY_LINK, CKPT_WHY_MAPPING, give_file, NULL);
KEY(deleted, "file", BY_LINK, CKPT_WHY_FILE_DELETED, give_file, NULL);
KEY(fifo, "fifo", BY_LINK, CKPT_WHY_FILE, give_fifo, saw_text);
KEY(pty, "tty", BY_LINK, CKPT_WHY_FILE, give_pty, NULL);

FIXTURE_SETUP(keys)
{
	char command[40];

	self->given = (struct given){ .fd = -1, .other = -1 };
	ASSERT_EQ(0, subject_init(&self->s));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be saved");
	snprintf(command, sizeof(command), "outer %s", variant->how);
	ASSERT_EQ(0, subject_start(&self->s, command));
	ASSERT_EQ(0, subject_expect(&self->s, "ready"));
}

FIXTURE_TEARDOWN(keys)
{
	if (self->given.child) {
		kill(self->given.child, SIGKILL);
		waitpid(self->given.child, NULL, 0);
	}
	subject_destroy(&self->s);
}

static int save(struct subject *s, unsigned long flags, const char *key)
{
	struct checkpoint_entry list = entry(key ?: "", NULL, 0);
	struct checkpoint_args args = {
		.log_fd = s->log_fd,
		.external = key ? (uintptr_t)&list : 0,
		.nr_external = !!key,
	};
	int fd = open(s->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	long ret;

	if (ftruncate(s->log_fd, 0))
		return -1;
	ret = sys_checkpoint(s->pid, fd, flags | CHECKPOINT_ONLY | CHECKPOINT_ARGS, &args,
			     sizeof(args));
	s->err = ret < 0 ? errno : 0;
	close(fd);
	return ret > 0 || (!ret && flags & CHECKPOINT_DRY_RUN) ? 0 : -1;
}

/* What the numbers and links in /proc make of it. */
static int make_key(struct subject *s, const FIXTURE_VARIANT(keys) *v, char *key, size_t size)
{
	char path[40], link[160] = "", info[400] = "", *pid;
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/20", s->pid);
	if (stat(path, &st) || readlink(path, link, sizeof(link) - 1) < 0)
		return -1;
	switch (v->by) {
	case BY_FD:
		snprintf(key, size, "%s:%d/20", v->sort, s->pid);
		break;
	case BY_INODE:
		snprintf(key, size, "%s:[%lu]", v->sort, (unsigned long)st.st_ino);
		break;
	case BY_LINK:
		snprintf(key, size, "%s%s%s", *link == '/' ? v->sort : "",
			 *link == '/' ? ":" : "", link);
		break;
	case BY_PID:
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/20", s->pid);
		if (read_file(path, info, sizeof(info) - 1) < 0)
			return -1;
		pid = strstr(info, "Pid:\t");
		if (!pid)
			return -1;
		snprintf(key, size, "%s:[%d]", v->sort, atoi(pid + 5));
		break;
	case BY_NAME:
		snprintf(key, size, "%s:(unreachable)/inner", v->sort);
		break;
	}
	return 0;
}

TEST_F_TIMEOUT(keys, refused_accepted_given, TEST_TIMEOUT)
{
	struct given *g = &self->given, wrong = { .fd = -1 };
	struct checkpoint_entry give;
	struct restart_args args = { .inherit = (uintptr_t)&give, .nr_inherit = 1 };
	bool any_type = !strcmp(variant->how, "fifo") || !strcmp(variant->how, "pty");
	struct subject *s = &self->s;
	char words[300];

	ASSERT_EQ(0, make_key(s, variant, self->key, sizeof(self->key)));
	/* The words to type. */
	ASSERT_EQ(-1, save(s, 0, NULL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	snprintf(words, sizeof(words), "; --external '%s' leaves it to the restarter", self->key);
	EXPECT_TRUE(told(s, "obstacle", variant->why, words, words));
	/* Those of another one do not help. */
	snprintf(words, sizeof(words), "%s:%d/21", variant->sort, s->pid);
	ASSERT_EQ(-1, save(s, 0, words));
	EXPECT_TRUE(told(s, "note", CKPT_WHY_EXTERNAL, words, "there is no"));
	ASSERT_EQ(0, save(s, CHECKPOINT_DRY_RUN, self->key)) messages_show(s);
	snprintf(words, sizeof(words), "--inherit '%s=FD'", self->key);
	EXPECT_TRUE(told(s, "note", CKPT_WHY_EXTERNAL, words, "external"));
	ASSERT_EQ(0, save(s, CHECKPOINT_KILL, self->key)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(-1, subject_restart(s, 0));
	ASSERT_EQ(EBADF, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_EXTERNAL, words, "outside"));
	/* A terminal or FIFO may be replaced by almost anything. */
	if (any_type)
		wrong.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else if (variant->give == give_eventfd)
		give_timerfd(s, &wrong);
	else
		give_eventfd(s, &wrong);
	give = entry(self->key, NULL, wrong.fd);
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_EQ(EBADF, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_EXTERNAL, self->key, any_type ? "not open for" :
			 variant->give == give_eventfd ? "another type: timerfd" :
			 "another type: eventfd"));
	ASSERT_LE(0, wrong.fd);
	close(wrong.fd);
	/* One of the right kind takes its place. */
	variant->give(s, g);
	ASSERT_LE(0, g->fd);
	give = entry(self->key, NULL, g->fd);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (variant->saw)
		EXPECT_TRUE(variant->saw(g));
	if (variant->give == give_pty) {
		g->fd = g->other;
		EXPECT_TRUE(saw_text(g));
	}
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* By a name, as a namespace is kept in /run/netns. */
TEST_F_TIMEOUT(keys, given_by_name, TEST_TIMEOUT)
{
	struct given *g = &self->given;
	struct checkpoint_entry give;
	struct restart_args args = { .inherit = (uintptr_t)&give, .nr_inherit = 1 };
	struct subject *s = &self->s;
	char path[40], wrong[40];

	if (variant->give != give_uts && variant->give != give_dir)
		SKIP(return, "has no name");
	ASSERT_EQ(0, make_key(s, variant, self->key, sizeof(self->key)));
	ASSERT_EQ(0, save(s, CHECKPOINT_KILL, self->key)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	variant->give(s, g);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), g->fd);
	snprintf(wrong, sizeof(wrong), "/proc/self/ns/net");
	give = entry(self->key, wrong, -1);
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_TRUE(told(s, "error", CKPT_WHY_EXTERNAL, self->key, "another type: net"));
	give = entry(self->key, path, -1);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

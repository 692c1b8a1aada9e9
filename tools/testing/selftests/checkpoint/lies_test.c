// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images of every kind of state in which something is not true, although every
 * record is possible and has a valid sum: restart() refuses them, or makes of
 * them what a program could have made itself, and leaves nothing behind.
 *
 * CKPT_SEED=N repeats the lies of a seed, CKPT_LIES=N tells more of them or
 * fewer, CKPT_KEEP=DIR keeps the latest lie there, should it be the last, and
 * those that were not answered as they should.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/shm.h>

#include "pool.h"

FIXTURE(lies) {
	struct subject s;
	char lie[128];		/* path of the image that is one */
	int fds, tasks;
	int master, slave;	/* of our terminal, if we have one */
	unsigned long long seed;
};

FIXTURE_VARIANT(lies) {
	const char *command;
	bool spent;		/* a failed restart may have used up what it needs */
	bool huge;		/* it uses huge pages */
	bool terminal;		/* it is a job of our session */
};

#define LIES(name, what)	FIXTURE_VARIANT_ADD(lies, name) { .command = what }
#define SPENT(name, what)	FIXTURE_VARIANT_ADD(lies, name) { .command = what, .spent = true }
#define HUGE(name, what)	FIXTURE_VARIANT_ADD(lies, name) { .command = what, .huge = true }

LIES(threads, "counters 2");
LIES(relatives, "kin");
LIES(zombies, "zombies");
LIES(vfork, "vforked");
LIES(clone, "clone f00");
LIES(stopped, "stopped");
LIES(leaderless, "leaderless session");
LIES(pending, "pending");
LIES(posix_timers, "timer_ids");
LIES(pending_timer, "timer_pending once");
LIES(interval_timer, "itimer real");
LIES(credentials, "perthread");
LIES(state, "state filters dispatch slice clamps io_priority slack names ldt ports");
LIES(sharing, "sharing");
LIES(twins, "twins equal");
LIES(namespaces, "nested upcup ns_state");
LIES(namespace_zombies, "nested c ns_zombie");
LIES(mappings, "vmas 1");
LIES(memory_locks, "locks");
LIES(memory_policies, "nodes");
LIES(forked_memory, "cow_workers");
LIES(moved_memory, "cow_moved");
LIES(shared_memory, "shared_parts");
LIES(sealed_memory, "shared_sealed");
SPENT(sysv_memory, "sysv_keyed");
LIES(sysv_removed, "sysv_removed");
LIES(files, "regular");
LIES(unlinked, "unlinked_tree /var/tmp");
LIES(removed, "removed /var/tmp");
LIES(removed_nested, "removed_nested /var/tmp");
LIES(tmpfile, "tmpfile /var/tmp");
LIES(fifo, "fifo_tree");
LIES(pipes, "pipe_packets");
LIES(posix_locks, "lock_posix");
LIES(flock, "lock_flock");
LIES(leases, "lock_lease");
LIES(owners, "owner_child");
LIES(proc, "proc");
LIES(proc_cwd, "proc_cwd");
LIES(eventfd, "eventfd");
LIES(timerfd, "timerfd");
LIES(signalfd, "signalfd");
LIES(pidfd, "pidfd");
LIES(inotify, "inotify");
LIES(epoll, "epoll_nested");
LIES(epoll_shared, "epoll_shared");
LIES(terminal, "pty_lines");
LIES(terminal_ends, "pty_ends");
LIES(session, "pty_session");
FIXTURE_VARIANT_ADD(lies, outer_terminal) { .command = "tty_outer", .terminal = true };
LIES(unix_pairs, "unix_pair");
LIES(unix_rights, "unix_rights");
LIES(unix_waiting, "unix_accept");
LIES(unix_names, "unix_names");
LIES(unix_datagrams, "unix_dgram");
LIES(unix_credentials, "unix_cred");
LIES(unix_urgent, "unix_oob");
LIES(socket_options, "sockopts");
LIES(tcp_pair, "inet_pair");
LIES(tcp_waiting, "inet_queue");
LIES(tcp_own_options, "inet_own_options");
LIES(tcp_half, "inet_half");
LIES(tcp_closed, "inet_closed");
LIES(tcp_options, "inet_options");
LIES(tcp_bound, "inet_bound");
LIES(udp, "inet_udp");
LIES(aio, "aio");
LIES(aio_moved, "aio_moved");
HUGE(huge_private, "huge_private");
HUGE(huge_shared, "huge_shared");
HUGE(huge_memfd, "huge_memfd");
HUGE(huge_forked, "huge_forked");
LIES(shared_policies, "bound");
LIES(namespace_files, "namespaces_tree");

static void kill_children(void)
{
	char path[64], text[4096], *at;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	if (read_file(path, text, sizeof(text)) < 0)
		return;
	for (at = strtok(text, " "); at; at = strtok(NULL, " "))
		kill(atoi(at), SIGKILL);
}

/* Ends our child, and its descendants, who become ours; how many others there were. */
static int reap_all(pid_t pid)
{
	int others = 0;
	pid_t child;

	for (;;) {
		kill_children();
		child = waitpid(-1, NULL, __WALL);
		if (child < 0)
			return others;
		others += child != pid;
	}
}

/* A session of our own, with a terminal, as a shell has it. */
static int lead_session(int *master, int *slave)
{
	signal(SIGTTOU, SIG_IGN);
	/* The leader of a group cannot begin a session. */
	if (setpgid(0, getpgid(getppid())) || setsid() < 0)
		return -1;
	return openpty(master, slave, NULL, NULL, NULL) || fcntl(*master, F_SETFD, FD_CLOEXEC) ||
	       fcntl(*slave, F_SETFD, FD_CLOEXEC) || ioctl(*slave, TIOCSCTTY, 0);
}

FIXTURE_SETUP(lies)
{
	struct subject *s = &self->s;
	const char *seed = getenv("CKPT_SEED"), *keep = getenv("CKPT_KEEP");

	if (getuid())
		SKIP(return, "needs root");
	if (variant->huge && !set_pool("10"))
		SKIP(return, "no 10 huge pages to be had");
	ASSERT_EQ(0, subject_init(s));
	s->program = "subject-static";
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	if (variant->terminal)
		ASSERT_EQ(0, lead_session(&self->master, &self->slave));
	snprintf(self->lie, sizeof(self->lie), "%s/lie", keep ?: s->dir);
	self->fds = count_fds();
	self->tasks = count_tasks();
	self->seed = seed ? strtoull(seed, NULL, 0) : now_ns() / 1000000 * 1000;
	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to lie about");
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	reap_all(0);
	say("CKPT_SEED=%llu", self->seed);
}

/* In the end the true image can still be restarted. */
FIXTURE_TEARDOWN(lies)
{
	struct subject *s = &self->s;

	EXPECT_EQ(self->fds, count_fds());
	EXPECT_EQ(self->tasks, count_tasks());
	if (variant->huge)
		EXPECT_TRUE(pool_is_unused());
	if (variant->terminal)
		EXPECT_EQ(0, tcsetpgrp(self->slave, getpgrp()));
	if (!variant->spent) {
		EXPECT_EQ(0, subject_restart(s, 0)) messages_show(s);
		reap_all(s->pid);
		s->pid = 0;
	} else {
		EXPECT_EQ(0, shmctl(shmget(SUBJECT_SHM_KEY, 0, 0), IPC_RMID, NULL));
	}
	subject_destroy(s);
	if (variant->huge) {
		EXPECT_TRUE(pool_is_unused());
		write_file(POOL "nr_hugepages", "0", 1);
	}
}

static int make_lie(struct subject *s, unsigned long long seed, const char *path)
{
	const char *program = subject_path("lie");
	char number[32];
	char *argv[5] = { "lie", s->image, number, (char *)path };
	int status;
	pid_t pid;

	snprintf(number, sizeof(number), "%llu", seed);
	if (posix_spawn(&pid, program, NULL, NULL, argv, environ) ||
	    waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

/* The errno, 0: it was taken for true; -1: there are tasks that must not be. */
static int attempt(struct subject *s, const char *path, unsigned long flags)
{
	struct restart_args args = { .log_fd = s->log_fd };
	int fd = open(path, O_RDONLY | O_CLOEXEC), err, extra;
	pid_t pid;

	if (fd < 0 || ftruncate(s->log_fd, 0))
		return -1;
	pid = sys_restart(0, fd, RESTART_FROZEN | RESTART_ARGS | flags, &args, sizeof(args));
	err = pid < 0 ? errno : 0;
	close(fd);
	extra = reap_all(pid);
	if (pid < 0 && extra) {
		say("%d children are left of what failed", extra);
		return -1;
	}
	return err;
}

/* Each failure has a cause in words. */
static bool has_reason(struct subject *s)
{
	struct message m[16];
	int i, n = messages_read(s, m, ARRAY_SIZE(m));

	for (i = 0; i < n; i++)
		if (!strcmp(m[i].word, "error") && m[i].text[0])
			return true;
	return false;
}

static void keep_lie(const char *lie, const char *command, unsigned long long nr)
{
	char path[256];

	if (!getenv("CKPT_KEEP"))
		return;
	snprintf(path, sizeof(path), "%s.%.*s.%llu", lie, (int)strcspn(command, " "), command, nr);
	if (rename(lie, path))
		say("%s: %m", path);
}

TEST_F_TIMEOUT(lies, told, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	const char *env = getenv("CKPT_LIES");
	unsigned long long i, n = env ? strtoull(env, NULL, 0) : debug_kernel() ? 1 : 6;
	int counts[200] = {}, err;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, make_lie(s, self->seed + i, self->lie));
		/* The terminal goes to who is restarted, and then back to us. */
		if (variant->terminal)
			ASSERT_EQ(0, tcsetpgrp(self->slave, getpgrp()));
		err = attempt(s, self->lie, i % 4 ? 0 : RESTART_NEW_PIDS);
		EXPECT_TRUE(err == 0 || (err > 0 && err < 200 && has_reason(s))) {
			say("seed %llu: %s", self->seed + i, strerror(err));
			messages_show(s);
			keep_lie(self->lie, variant->command, i);
		}
		if (variant->huge && !pool_is_unused()) {
			EXPECT_TRUE(false) {
				say("seed %llu: huge pages are lost", self->seed + i);
				say("%ld are free, %ld reserved", pool_file(POOL "free_hugepages"),
				    pool_file(POOL "resv_hugepages"));
				messages_show(s);
			}
			keep_lie(self->lie, variant->command, i);
			break;
		}
		if (err >= 0 && err < 200)
			counts[err]++;
	}
	for (err = 0; err < (int)ARRAY_SIZE(counts); err++)
		if (counts[err])
			say("%4d times: %s", counts[err], strerror(err));
}

TEST_HARNESS_MAIN

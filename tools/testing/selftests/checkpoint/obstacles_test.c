// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that cannot be saved is refused with its reason, also by a dry
 * run, and the process does not notice. A kind that is supported one day
 * moves from here to a test of its own.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/stat.h>

#include "common.h"

FIXTURE(obstacle) {
	struct subject s;
	int semaphore;
};

FIXTURE_VARIANT(obstacle) {
	const char *name;
	int code;
};

#define OBSTACLE(__name, __code)					\
	FIXTURE_VARIANT_ADD(obstacle, __name) { .name = #__name, .code = CKPT_WHY_##__code }

OBSTACLE(raw_socket, FILE);
OBSTACLE(fifo, FILE_DELETED);
OBSTACLE(fanotify, FILE);
OBSTACLE(memfd, FILE);
OBSTACLE(perf_event, FILE);
OBSTACLE(landlock_ruleset, FILE);
OBSTACLE(mount_fd, FILE);
OBSTACLE(fs_context, FILE);
OBSTACLE(namespace_file, FILE);
OBSTACLE(proc_file, FILE);
OBSTACLE(message_queue, FILE);
OBSTACLE(path_fd, FILE);
OBSTACLE(device, FILE);
OBSTACLE(foreign_cwd, FILE);
OBSTACLE(deleted_cwd, FILE_DELETED);
OBSTACLE(deleted_deep, FILE_DELETED);
OBSTACLE(outside_lock, FILE_LOCK);
OBSTACLE(broken_lease, FILE_LOCK);
OBSTACLE(dir_notify, FILE_OWNER);
OBSTACLE(file_owner, FILE_OWNER);
OBSTACLE(file_signal, FILE_OWNER);
OBSTACLE(mapped_secret, MAPPING);
OBSTACLE(mapped_device, MAPPING_FLAG);
OBSTACLE(user_faults, MAPPING_FLAG);
OBSTACLE(timer_of_other, TIMER);
OBSTACLE(timer_of_dead_thread, TIMER);
OBSTACLE(timer_for_dead_thread, TIMER);
OBSTACLE(landlock_domain, LSM);
OBSTACLE(uts_namespace, NAMESPACE);
OBSTACLE(net_namespace, NAMESPACE);
OBSTACLE(mnt_namespace, NAMESPACE);
OBSTACLE(ipc_namespace, NAMESPACE);
OBSTACLE(cgroup_namespace, NAMESPACE);
OBSTACLE(time_namespace, NAMESPACE);
OBSTACLE(session_keyring, KEYRING);
OBSTACLE(process_keyring, KEYRING);
OBSTACLE(thread_keyring, KEYRING);
OBSTACLE(semaphore_undo, IPC);
OBSTACLE(aio_context, IO);
OBSTACLE(thread_files, FILE_SHARED);
OBSTACLE(thread_fs, FILE_SHARED);
OBSTACLE(core_scheduling, SCHED);
OBSTACLE(breakpoint, FILE);
OBSTACLE(vdso_removed, VDSO);
OBSTACLE(key_destination, KEYRING);
OBSTACLE(shadow_stack_lock, CPU);
OBSTACLE(call_of_32_bits, COMPAT);
OBSTACLE(mixed_code, COMPAT);
OBSTACLE(removed_xattr, FILE_DELETED);
OBSTACLE(removed_dir_xattr, FILE_DELETED);
OBSTACLE(removed_lease, FILE_LOCK);
OBSTACLE(memory_xattr, FILE);
OBSTACLE(memory_lease, FILE_LOCK);
OBSTACLE(hung_master, FILE);
OBSTACLE(reset_connection, FILE);
OBSTACLE(unread_datagram, FILE);
OBSTACLE(peeked_datagram, FILE);
OBSTACLE(pending_datagram, FILE);
OBSTACLE(corked_socket, FILE);
OBSTACLE(bpf_map, FILE);
OBSTACLE(tun_device, FILE);
OBSTACLE(idle_faults, FILE);
OBSTACLE(terminal_of_other, SESSION);
OBSTACLE(shared_io, SCHED);
OBSTACLE(process_sleep, SYSCALL);
OBSTACLE(closed_ring, SYSCALL);
OBSTACLE(tagged_addresses, PRCTL);

FIXTURE_SETUP(obstacle)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
	self->semaphore = -1;
}

FIXTURE_TEARDOWN(obstacle)
{
	subject_destroy(&self->s);
	if (self->semaphore >= 0)
		semctl(self->semaphore, 0, IPC_RMID);
}

/* A save that must be refused for this reason, in the form of an obstacle. */
static int refused(struct subject *s, unsigned long flags, int code)
{
	struct message m[64];
	struct stat st;
	int i, n, ret = -1;

	if (!subject_save(s, flags)) {
		say("saved, in spite of all");
		return -1;
	}
	n = messages_read(s, m, ARRAY_SIZE(m));
	for (i = 0; i < n; i++) {
		if (strcmp(m[i].word, "obstacle") || m[i].code != code)
			continue;
		if (m[i].err == EOPNOTSUPP && m[i].pid == s->pid)
			ret = 0;
	}
	if (ret || s->err != EOPNOTSUPP) {
		say("refused with \"%s\", and not with code %d", strerror(s->err), code);
		messages_show(s);
		return -1;
	}
	/* Nothing is written before everything was looked at. */
	if (stat(s->image, &st) || st.st_size) {
		say("there is an image of %lld bytes", (long long)st.st_size);
		return -1;
	}
	return 0;
}

TEST_F_TIMEOUT(obstacle, refused, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char command[100];

	snprintf(command, sizeof(command), "obstacle %s", variant->name);
	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_read(s));
	if (sscanf(s->line, "use %d", &self->semaphore) == 1)
		ASSERT_EQ(0, subject_read(s));
	if (!strncmp(s->line, "SKIP ", 5))
		SKIP(return, "%s", s->line + 5);
	ASSERT_STREQ("ready", s->line);
	if (way_now(WAY_KILL) != WAY_NONE) {
		EXPECT_EQ(0, refused(s, CHECKPOINT_KILL, variant->code));
		EXPECT_EQ(0, refused(s, CHECKPOINT_DRY_RUN, variant->code));
	}
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

FIXTURE(special) {
	struct subject s;
};

FIXTURE_SETUP(special)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(special)
{
	subject_destroy(&self->s);
}

/* A dry run tells all reasons, not only the first. */
TEST_F_TIMEOUT(special, all_are_listed, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "obstacle fs_context outside_lock mapped_secret "
				      "timer_of_other aio_context process_keyring"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_DRY_RUN));
	EXPECT_EQ(EOPNOTSUPP, s->err);
	EXPECT_TRUE(message_has(s, "obstacle", CKPT_WHY_FILE));
	EXPECT_TRUE(message_has(s, "obstacle", CKPT_WHY_FILE_LOCK));
	EXPECT_TRUE(message_has(s, "obstacle", CKPT_WHY_MAPPING));
	EXPECT_TRUE(message_has(s, "obstacle", CKPT_WHY_TIMER));
	EXPECT_TRUE(message_has(s, "obstacle", CKPT_WHY_KEYRING));
	EXPECT_TRUE(message_has(s, "obstacle", CKPT_WHY_IO)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* A message names the descriptor, and a mapping its range. */
TEST_F_TIMEOUT(special, where, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct message m[16];
	bool fd = false, range = false;
	int i, n;

	ASSERT_EQ(0, subject_start(s, "obstacle fs_context mapped_secret"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, 0));
	n = messages_read(s, m, ARRAY_SIZE(m));
	ASSERT_LE(2, n);
	for (i = 0; i < n; i++) {
		EXPECT_STREQ("subject-static", m[i].comm);
		if (m[i].code == CKPT_WHY_FILE && m[i].fd == 3)
			fd = true;
		if (m[i].code == CKPT_WHY_MAPPING && m[i].start &&
		    m[i].end - m[i].start == 4 * 4096)
			range = true;
	}
	EXPECT_TRUE(fd);
	EXPECT_TRUE(range) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Of what is only mapped extended attributes are found when it is saved. */
TEST_F_TIMEOUT(special, mapped_xattr, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "obstacle mapped_xattr"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	EXPECT_EQ(EOPNOTSUPP, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_FILE_DELETED)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* CHECKPOINT_ONLY leaves the child out. */
TEST_F_TIMEOUT(special, without_child, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "obstacle child"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_ONLY)) messages_show(s);
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

static void run_refused(struct __test_metadata *_metadata, struct subject *s,
			const char *command, unsigned long flags, int code)
{
	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, refused(s, flags | CHECKPOINT_KILL, code));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

#define SPECIAL_TEST(name, command, flags, code)			\
TEST_F_TIMEOUT(special, name, TEST_TIMEOUT)				\
{									\
	run_refused(_metadata, &self->s, command, flags, code);		\
}

/* What is left out of a tree must not be shared with the rest. */
SPECIAL_TEST(shared_with_child, "obstacle shared_files", CHECKPOINT_ONLY, CKPT_WHY_FILE_SHARED)
SPECIAL_TEST(pipe_to_child, "obstacle outside_pipe", CHECKPOINT_ONLY, CKPT_WHY_FILE)
SPECIAL_TEST(memory_of_child, "obstacle shared_memory", CHECKPOINT_ONLY, CKPT_WHY_MM)
SPECIAL_TEST(lock_for_child, "obstacle awaited_lock", CHECKPOINT_ONLY, CKPT_WHY_SYSCALL)
SPECIAL_TEST(pending_fault, "pending_fault", 0, CKPT_WHY_SIGNAL)

TEST_F_TIMEOUT(special, vfork_child_left_out, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int i;

	ASSERT_EQ(0, subject_start(s, "vforked"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, subject_expect(s, "ready"));
		ASSERT_EQ(0, refused(s, CHECKPOINT_ONLY | CHECKPOINT_KILL, CKPT_WHY_VFORK));
		ASSERT_EQ(0, subject_go(s));
	}
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* It is refused because of one of its descendants. */
static void run_refused_below(struct __test_metadata *_metadata, struct subject *s,
			      const char *command, int code, const char *text)
{
	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	EXPECT_EQ(EOPNOTSUPP, s->err);
	EXPECT_EQ(1, messages_count(s, "obstacle", code, text)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(special, group_from_outside, TEST_TIMEOUT)
{
	run_refused_below(_metadata, &self->s, "obstacle outer_group", CKPT_WHY_SESSION,
			  "than others");
}

TEST_F_TIMEOUT(special, group_led_from_outside, TEST_TIMEOUT)
{
	run_refused_below(_metadata, &self->s, "obstacle led_from_outside", CKPT_WHY_SESSION,
			  "led from outside");
}

/* Named at once: it would stop no sooner than its sibling ends, which is stopped. */
TEST_F_TIMEOUT(special, vfork_of_sibling, TEST_TIMEOUT)
{
	run_refused_below(_metadata, &self->s, "vfork_other sibling", CKPT_WHY_VFORK, "sibling");
}

TEST_F_TIMEOUT(special, vfork_of_thread, TEST_TIMEOUT)
{
	run_refused_below(_metadata, &self->s, "vfork_other thread", CKPT_WHY_VFORK, "thread");
}

/* An identity that has no number for the caller, who has gone into a user namespace. */
static int run_unmapped(struct subject *s)
{
	char map[32];

	if (setgid(TEST_USER) || unshare(CLONE_NEWUSER))
		return 1;
	snprintf(map, sizeof(map), "0 %d 1", 0);
	if (write_file("/proc/self/uid_map", map, strlen(map)))
		return 2;
	if (subject_start(s, "idle") || subject_expect(s, "ready"))
		return 3;
	if (refused(s, CHECKPOINT_KILL, CKPT_WHY_CRED))
		return 4;
	return subject_go(s) || subject_end(s) ? 5 : 0;
}

TEST_F_TIMEOUT(special, unmapped_group, TEST_TIMEOUT)
{
	int status = -1;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(run_unmapped(&self->s));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

TEST_F_TIMEOUT(special, traced, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int status;

	ASSERT_EQ(0, subject_start(s, "compute"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, s->pid, NULL, NULL));
	ASSERT_EQ(0, refused(s, CHECKPOINT_KILL, CKPT_WHY_PTRACE));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, s->pid, NULL, NULL));
	ASSERT_EQ(s->pid, waitpid(s->pid, &status, __WALL));
	/* In a ptrace stop now. */
	ASSERT_EQ(0, refused(s, CHECKPOINT_KILL, CKPT_WHY_PTRACE));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, s->pid, NULL, NULL));
	ASSERT_EQ(0, subject_cycle(s, WAY_GO_ON));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_read(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

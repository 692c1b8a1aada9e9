// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees with pid and user namespaces of their own: what processes do there is
 * what they do elsewhere, and they come back with the same ids at all levels.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common.h"

FIXTURE(ns) {
	struct subject s;
};

FIXTURE_VARIANT(ns) {
	enum way way;
};

FIXTURE_VARIANT_ADD(ns, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(ns, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(ns, kill) { .way = WAY_KILL };

FIXTURE_SETUP(ns)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(ns)
{
	subject_destroy(&self->s);
}

#define NS_TEST(name, command)						\
TEST_F_TIMEOUT(ns, name, TEST_TIMEOUT)					\
{									\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

NS_TEST(init, "nested p ns_state")
NS_TEST(child_of_init, "nested pc ns_state")
NS_TEST(pid_in_pid, "nested pp ns_state")
NS_TEST(pid_in_pid_in_pid, "nested pcpcpc ns_state")
NS_TEST(user, "nested u ns_state")
NS_TEST(user_in_user, "nested uu ns_state")
NS_TEST(user_of_many_ids, "nested m ns_state")
NS_TEST(pid_of_user_of_many_ids, "nested mpc ns_state")
NS_TEST(user_and_pid, "nested up ns_state")
NS_TEST(both_in_both, "nested upcup ns_state")
NS_TEST(for_children, "nested c ns_later")
NS_TEST(for_children_of_init, "nested p ns_later")
NS_TEST(dead_init, "nested c ns_zombie")
NS_TEST(end_of_init, "nested c ns_end")

/* What other tests look at elsewhere, and in a child of an init process. */
NS_TEST(child_by_init, "nested p child")
NS_TEST(session_without_leader, "nested pcp leaderless session")
NS_TEST(threads, "nested pc threads 5")
NS_TEST(threads_of_init, "nested p threads 5")
NS_TEST(shared_memory_of_init, "nested p clone 100")
NS_TEST(everything_shared, "nested upc clone f00")

FIXTURE(ns_user) {
	struct subject s;
};

FIXTURE_SETUP(ns_user)
{
	struct subject *s = &self->s;
	char log[100];

	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(s));
	snprintf(log, sizeof(log), "%s/messages", s->dir);
	ASSERT_EQ(0, chown(s->dir, 1000, 1000));
	ASSERT_EQ(0, chown(log, 1000, 1000));
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(1000, 1000, 1000));
	ASSERT_EQ(0, setresuid(1000, 1000, 1000));
}

FIXTURE_TEARDOWN(ns_user)
{
	subject_destroy(&self->s);
}

/* Without any privilege: a user who is root, and chooses pids, in a corner of the system. */
static int run_as_user(struct subject *s, const char *command, int stages)
{
	if (subject_start(s, command))
		return -1;
	for (; stages; stages--) {
		if (subject_expect(s, "ready"))
			return -1;
		if (subject_save(s, CHECKPOINT_KILL) || subject_reap(s, SIGKILL) ||
		    subject_restart(s, RESTART_NEW_PIDS)) {
			messages_show(s);
			return -1;
		}
		if (subject_go(s))
			return -1;
	}
	return subject_end(s);
}

TEST_F_TIMEOUT(ns_user, pid_and_user, TEST_TIMEOUT)
{
	ASSERT_EQ(0, run_as_user(&self->s, "nested up threads 3", 1));
}

TEST_F_TIMEOUT(ns_user, nested, TEST_TIMEOUT)
{
	ASSERT_EQ(0, run_as_user(&self->s, "nested upcup child", 2));
}

/* Nobody gets into the pid namespace of a user namespace without that one. */
TEST_F_TIMEOUT(ns_user, escape, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct ckpt_rec_cred *cred;
	struct image image = {};
	int tasks = count_tasks();

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "no image");
	ASSERT_EQ(0, subject_start(s, "nested up idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&image, s->image));
	/* The first process is outside, the second has made both, the third is init. */
	ASSERT_EQ(0, image_unpack(&image, CKPT_REC_CRED, 2));
	cred = image_payload(&image, CKPT_REC_CRED, 2);
	ASSERT_NE(NULL, cred);
	ASSERT_EQ(1, cred->user_ns);
	cred->user_ns = 0;
	image_seal(&image, image_find(&image, CKPT_REC_CRED, 2));
	ASSERT_EQ(0, image_store(&image, s->image));
	EXPECT_EQ(-1, subject_restart(s, RESTART_NEW_PIDS));
	EXPECT_EQ(EPERM, s->err) messages_show(s);
	EXPECT_EQ(tasks, count_tasks());
	cred->user_ns = 1;
	image_seal(&image, image_find(&image, CKPT_REC_CRED, 2));
	ASSERT_EQ(0, image_store(&image, s->image));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	image_free(&image);
}

FIXTURE(ns_bad) {
	struct subject s;
};

FIXTURE_SETUP(ns_bad)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(ns_bad)
{
	subject_destroy(&self->s);
}

static void join_and_wait(pid_t pid, int ready)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWPID))
		_exit(1);
	pid = fork();
	if (!pid) {
		if (write(ready, "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	waitpid(pid, NULL, 0);
	_exit(0);
}

/* Somebody who is not of the tree has entered its namespace. */
TEST_F_TIMEOUT(ns_bad, visitor, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int fds[2];
	pid_t pid;
	char c;

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be refused");
	/* Its namespace for children is the one of the visitor, too. */
	ASSERT_EQ(0, subject_start(s, "ns_later"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid)
		join_and_wait(s->pid, fds[1]);
	ASSERT_EQ(1, read(fds[0], &c, 1));
	EXPECT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	EXPECT_EQ(EOPNOTSUPP, s->err);
	EXPECT_TRUE(message_has(s, "obstacle", CKPT_WHY_NAMESPACE)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* A restart that fails at its end leaves no process and no namespace. */
TEST_F_TIMEOUT(ns_bad, truncated, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct image image = {};
	size_t cut[4];
	unsigned int i;
	int tasks;

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "no image");
	tasks = count_tasks();
	ASSERT_EQ(0, subject_start(s, "nested pcupc child"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&image, s->image));
	cut[0] = image_find(&image, CKPT_REC_TRAILER, 0);
	cut[1] = image_find(&image, CKPT_REC_PROCESS, 3);
	cut[2] = image_find(&image, CKPT_REC_PROCESS, 1);
	cut[3] = image_find(&image, CKPT_REC_PIDS, 0);
	for (i = 0; i < ARRAY_SIZE(cut); i++) {
		ASSERT_NE(0, cut[i]);
		ASSERT_EQ(0, truncate(s->image, cut[i]));
		EXPECT_EQ(-1, subject_restart(s, 0));
		EXPECT_EQ(EBADMSG, s->err) messages_show(s);
		EXPECT_EQ(tasks, count_tasks());
	}
	ASSERT_EQ(0, image_store(&image, s->image));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	image_free(&image);
}

#define NR(rec)		(sizeof(rec) / sizeof(rec[0]))

/* Lies about namespaces, each in a good image, are found before anything is made. */
TEST_F_TIMEOUT(ns_bad, lies, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct ckpt_rec_namespace *ns;
	struct ckpt_rec_pid *pid;
	struct ckpt_rec_task *task;
	struct image image = {};
	uint32_t *member, was;
	struct {
		uint32_t type, *at, value;
	} lie[7];
	unsigned int i;
	int tasks;

	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "no image");
	tasks = count_tasks();
	ASSERT_EQ(0, subject_start(s, "nested pup child"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&image, s->image));
	ASSERT_EQ(0, image_unpack(&image, CKPT_REC_TREE, 0));
	ASSERT_EQ(0, image_unpack(&image, CKPT_REC_NAMESPACES, 0));
	ASSERT_EQ(0, image_unpack(&image, CKPT_REC_PIDS, 0));
	task = image_payload(&image, CKPT_REC_TREE, 0) + sizeof(struct ckpt_rec_tree);
	ns = image_payload(&image, CKPT_REC_NAMESPACES, 0);
	pid = image_payload(&image, CKPT_REC_PIDS, 0);
	ASSERT_TRUE(task && ns && pid);
	/* Numbers: 1: pid, 2: user, 3: pid in it. Tasks: outside, 1, 2, 3, child. */
	i = 0;
#define LIE(_type, _at, _value) lie[i].type = _type, lie[i].at = _at, lie[i++].value = _value
	LIE(CKPT_REC_TREE, &task[0].pid_ns, 1);
	LIE(CKPT_REC_TREE, &task[0].children_pid_ns, 2);
	LIE(CKPT_REC_TREE, &task[2].children_pid_ns, 0);
	LIE(CKPT_REC_NAMESPACES, &ns[0].type, CKPT_NS_USER);
	LIE(CKPT_REC_NAMESPACES, &ns[2].parent, 2);
	LIE(CKPT_REC_PIDS, &pid[0].nr, 7);
	LIE(CKPT_REC_PIDS, &pid[1].pid, task[0].tid);
	for (i = 0; i < NR(lie); i++) {
		member = lie[i].at;
		was = *member;
		*member = lie[i].value;
		image_seal(&image, image_find(&image, lie[i].type, 0));
		ASSERT_EQ(0, image_store(&image, s->image));
		EXPECT_EQ(-1, subject_restart(s, 0)) say("lie %u", i);
		EXPECT_EQ(EBADMSG, s->err) messages_show(s);
		EXPECT_EQ(tasks, count_tasks());
		*member = was;
		image_seal(&image, image_find(&image, lie[i].type, 0));
	}
	ASSERT_EQ(0, image_store(&image, s->image));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	image_free(&image);
	ASSERT_EQ(0, kill(s->pid, SIGKILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

TEST_HARNESS_MAIN

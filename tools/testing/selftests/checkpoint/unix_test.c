// SPDX-License-Identifier: GPL-2.0-only
/* Sockets of AF_UNIX: exactly as they were, or refused. */
#include "kselftest_harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common.h"

FIXTURE(unix_sockets) {
	struct subject s;
};

FIXTURE_VARIANT(unix_sockets) {
	enum way way;
};

FIXTURE_VARIANT_ADD(unix_sockets, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(unix_sockets, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(unix_sockets, kill) { .way = WAY_KILL };

FIXTURE_SETUP(unix_sockets)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(unix_sockets)
{
	subject_destroy(&self->s);
}

#define UNIX_TEST(name)							\
TEST_F_TIMEOUT(unix_sockets, name, TEST_TIMEOUT)			\
{									\
	ASSERT_EQ(0, subject_run(&self->s, "unix_" #name, variant->way)); \
}

UNIX_TEST(pair)
UNIX_TEST(full)
UNIX_TEST(shut)
UNIX_TEST(names)
UNIX_TEST(accept)
UNIX_TEST(dgram)
UNIX_TEST(oob)
UNIX_TEST(rights)
UNIX_TEST(cred)
UNIX_TEST(block)
UNIX_TEST(events)

/* Open files that are under way in a socket, and nowhere else. */
FIXTURE(pending) {
	struct subject s;
};

FIXTURE_VARIANT(pending) {
	const char *kind;
};

#define PENDING(__kind)	FIXTURE_VARIANT_ADD(pending, __kind) { .kind = #__kind }

PENDING(eventfd);
PENDING(timerfd);
PENDING(signalfd);
PENDING(inotify);
PENDING(pidfd);
PENDING(epoll);
PENDING(memfd);
PENDING(unlinked);
PENDING(pty);
PENDING(locks);

FIXTURE_SETUP(pending)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(pending)
{
	subject_destroy(&self->s);
}

#define PENDING_TEST(name, way)						\
TEST_F_TIMEOUT(pending, name, TEST_TIMEOUT)				\
{									\
	char command[64];						\
									\
	snprintf(command, sizeof(command), "under_way %s", variant->kind);	\
	ASSERT_EQ(0, subject_run(&self->s, command, way));		\
}

PENDING_TEST(none, WAY_NONE)
PENDING_TEST(go_on, WAY_GO_ON)
PENDING_TEST(kill, WAY_KILL)

FIXTURE(unix_more) {
	struct subject s;
};

FIXTURE_SETUP(unix_more)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(unix_more)
{
	subject_destroy(&self->s);
}

/* Saved and killed. */
static int killed(struct subject *s, const char *command)
{
	if (subject_start(s, command) || subject_expect(s, "ready"))
		return -1;
	if (subject_save(s, CHECKPOINT_KILL)) {
		messages_show(s);
		return -1;
	}
	return subject_reap(s, SIGKILL);
}

TEST_F_TIMEOUT(unix_more, fresh_pids, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, killed(s, "unix_fresh"));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Who has the other end is not saved. */
TEST_F_TIMEOUT(unix_more, leaked, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "unix_leaked"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	EXPECT_EQ(1, messages_count(s, "obstacle", -1, "whose other end is outside"))
		messages_show(s);
	EXPECT_EQ(2, messages_count(s, "obstacle", -1, "others outside of the tree hold"))
		messages_show(s);
	EXPECT_EQ(3, messages_count(s, "obstacle", -1, "--external 'socket:[")) messages_show(s);
	ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

static int client_of(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

FIXTURE(unix_server) {
	struct subject s;
	char path[100];
};

FIXTURE_SETUP(unix_server)
{
	char command[130];

	ASSERT_EQ(0, subject_init(&self->s));
	snprintf(self->path, sizeof(self->path), "%s/server", self->s.dir);
	snprintf(command, sizeof(command), "unix_server %s", self->path);
	ASSERT_EQ(0, subject_start(&self->s, command));
	ASSERT_EQ(0, subject_expect(&self->s, "ready"));
}

FIXTURE_TEARDOWN(unix_server)
{
	subject_destroy(&self->s);
}

static int save_and_kill(struct subject *s)
{
	return subject_save(s, CHECKPOINT_KILL) || subject_reap(s, SIGKILL) ? -1 : 0;
}

static int serve(struct subject *s, const char *path)
{
	int fd = client_of(path);

	if (fd < 0 || write(fd, "hello", 5) != 5 || subject_go(s) || subject_expect(s, "ready"))
		return -1;
	close(fd);
	return subject_go(s) || subject_end(s) ? -1 : 0;
}

/* A client from outside that waits is a reason to wait. */
TEST_F_TIMEOUT(unix_server, outside_client, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int fd = client_of(self->path);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(5, write(fd, "hello", 5));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	EXPECT_EQ(1, messages_count(s, "obstacle", -1, "not accepted yet")) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	close(fd);
}

/* The name is in use as long as the original runs. */
TEST_F_TIMEOUT(unix_server, in_use, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_save(s, 0));
	ASSERT_EQ(-1, subject_restart(s, RESTART_NEW_PIDS));
	EXPECT_EQ(EADDRINUSE, s->err);
	ASSERT_EQ(0, serve(s, self->path));
}

/* The file is gone, and is made again. */
TEST_F_TIMEOUT(unix_server, file_gone, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct stat st;

	ASSERT_EQ(0, chmod(self->path, 0720));
	ASSERT_EQ(0, chown(self->path, 5, 6));
	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(S_IFSOCK | 0720, st.st_mode);
	EXPECT_EQ(5, st.st_uid);
	EXPECT_EQ(6, st.st_gid);
	ASSERT_EQ(0, serve(s, self->path));
}

/* Another file is in its place. */
TEST_F_TIMEOUT(unix_server, file_replaced, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, write_file(self->path, "data", 4));
	ASSERT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(ESTALE, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_FILE_CHANGED)) messages_show(s);
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, serve(s, self->path));
}

TEST_HARNESS_MAIN

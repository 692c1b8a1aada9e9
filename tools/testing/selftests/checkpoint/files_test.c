// SPDX-License-Identifier: GPL-2.0-only
/* Files; links and flags of all descriptors are compared through /proc too. */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "common.h"

FIXTURE(files) {
	struct subject s;
};

FIXTURE_VARIANT(files) {
	enum way way;
};

FIXTURE_VARIANT_ADD(files, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(files, kill) { .way = WAY_KILL };

FIXTURE_SETUP(files)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(files)
{
	subject_destroy(&self->s);
}

#define FILE_TEST(name, command)					\
TEST_F_TIMEOUT(files, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

FILE_TEST(regular, "regular")
FILE_TEST(flags, "flags")
FILE_TEST(numbers, "numbers")
FILE_TEST(above_the_limit, "above")
FILE_TEST(a_million, "million")
FILE_TEST(appending, "appending")
FILE_TEST(directory, "directory")
FILE_TEST(devices, "devices")
FILE_TEST(cwd_and_umask, "place")
FILE_TEST(root, "newroot")
FILE_TEST(names, "names")
FILE_TEST(pipes, "pipes")
FILE_TEST(streams, "streams")
FILE_TEST(stream_to_file, "streamfile")

FIXTURE(streams) {
	struct subject s;
};

FIXTURE_SETUP(streams)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(streams)
{
	subject_destroy(&self->s);
}

static int replace(int *in, int *out)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return -1;
	close(*in);
	close(*out);
	*in = p[0];
	*out = p[1];
	return 0;
}

/* The restarter hands over streams that are not those of before. */
TEST_F_TIMEOUT(streams, other_pipes, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "idle 2"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, replace(&s->child_in, &s->in));
	ASSERT_EQ(0, replace(&s->out, &s->child_out));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* A socket does as well. */
TEST_F_TIMEOUT(streams, socket, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int p[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p));
	close(s->in);
	close(s->child_in);
	s->in = p[0];
	s->child_in = p[1];
	ASSERT_EQ(0, subject_start(s, "idle 3"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_cycle(s, WAY_GO_ON));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, replace(&s->child_in, &s->in));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* A terminal; the restarted program finds the settings of the restarter's. */
TEST_F_TIMEOUT(streams, terminal, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	ASSERT_LE(0, master);
	ASSERT_EQ(0, grantpt(master) | unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ASSERT_LE(0, slave);
	close(s->in);
	close(s->child_in);
	s->in = master;
	s->child_in = slave;
	ASSERT_EQ(0, subject_start(s, "lines"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
	ASSERT_EQ(6, write(master, "hello\n", 6));
	ASSERT_EQ(0, subject_expect(s, "got hello"));
	ASSERT_EQ(0, subject_end(s));
}

/* Without a stream to hand over, a restart cannot be. */
TEST_F_TIMEOUT(streams, closed_stream, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct restart_args args = { .log_fd = s->log_fd };
	int fd, saved;
	long ret;

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	fd = open(s->image, O_RDONLY | O_CLOEXEC);
	saved = fcntl(0, F_DUPFD_CLOEXEC, 100);
	close(0);
	ret = sys_restart(0, fd, RESTART_ARGS, &args, sizeof(args));
	s->err = errno;
	dup2(saved, 0);
	ASSERT_EQ(-1, ret);
	EXPECT_EQ(EBADF, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_EXTERNAL)) messages_show(s);
	close(fd);
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

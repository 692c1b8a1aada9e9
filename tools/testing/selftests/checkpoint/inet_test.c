// SPDX-License-Identifier: GPL-2.0-only
/* Internet sockets of the tree, and what leads outside. */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common.h"

FIXTURE(inet) {
	struct subject s;
};

FIXTURE_VARIANT(inet) {
	enum way way;
};

FIXTURE_VARIANT_ADD(inet, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(inet, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(inet, kill) { .way = WAY_KILL };

FIXTURE_SETUP(inet)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(inet)
{
	subject_destroy(&self->s);
}

#define INET_TEST(name)							\
TEST_F_TIMEOUT(inet, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, "inet_" #name, variant->way));	\
}

INET_TEST(pair)
INET_TEST(ipv6)
INET_TEST(mapped)
INET_TEST(forked)
INET_TEST(half)
INET_TEST(closed)
INET_TEST(full)
INET_TEST(queue)
INET_TEST(blocked)
INET_TEST(options)
INET_TEST(bound)
INET_TEST(epoll)
INET_TEST(many)
INET_TEST(udp)
INET_TEST(own_options)

FIXTURE(refused_inet) {
	struct subject s;
};

FIXTURE_SETUP(refused_inet)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(refused_inet)
{
	subject_destroy(&self->s);
}

/* Refused with these words, and unharmed. */
static int run_refused(struct subject *s, const char *command, const char *words)
{
	if (subject_start(s, command) || subject_expect(s, "ready"))
		return -1;
	if (!subject_save(s, CHECKPOINT_KILL) || s->err != EOPNOTSUPP ||
	    !messages_count(s, "obstacle", -1, words)) {
		messages_show(s);
		return -1;
	}
	return subject_go(s) ?: subject_end(s);
}

TEST_F_TIMEOUT(refused_inet, urgent, TEST_TIMEOUT)
{
	ASSERT_EQ(0, run_refused(&self->s, "inet_urgent", "urgent data"));
}

TEST_F_TIMEOUT(refused_inet, outside, TEST_TIMEOUT)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(in);
	char command[64];

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&in, sizeof(in)));
	ASSERT_EQ(0, listen(fd, 1));
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&in, &len));
	snprintf(command, sizeof(command), "inet_outside %d", ntohs(in.sin_port));
	ASSERT_EQ(0, run_refused(&self->s, command, "outside of the tree"));
	close(fd);
}

/* Sockets of an ordinary user, who may choose pids, but has no rights to the network. */
FIXTURE(user_sockets) {
	struct subject s;
};

FIXTURE_VARIANT(user_sockets) {
	const char *command;
};

#define USER_SOCKETS(name)	FIXTURE_VARIANT_ADD(user_sockets, name) { .command = #name }

USER_SOCKETS(inet_ipv6);
USER_SOCKETS(inet_forked);
USER_SOCKETS(inet_half);
USER_SOCKETS(inet_full);
USER_SOCKETS(inet_queue);
USER_SOCKETS(inet_options);
USER_SOCKETS(inet_bound);
USER_SOCKETS(inet_epoll);
USER_SOCKETS(inet_udp);
USER_SOCKETS(unix_pair);
USER_SOCKETS(unix_full);
USER_SOCKETS(unix_accept);
USER_SOCKETS(unix_dgram);
USER_SOCKETS(unix_oob);
USER_SOCKETS(unix_rights);
USER_SOCKETS(unix_block);

FIXTURE_SETUP(user_sockets)
{
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(user_sockets)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(user_sockets, restart, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_become_user(&self->s, CAP_CHECKPOINT_RESTORE));
	ASSERT_EQ(0, subject_run(&self->s, variant->command, WAY_KILL));
}

TEST_HARNESS_MAIN

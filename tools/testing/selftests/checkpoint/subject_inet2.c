// SPDX-License-Identifier: GPL-2.0-only
/* Connections that wait to be accepted, and options of each of their own. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "subject.h"

static struct sockaddr_in6 address_of(int fd)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(in);

	need(!getsockname(fd, (struct sockaddr *)&in, &len));
	return in;
}

static int get(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	check(!getsockopt(fd, SOL_SOCKET, option, &value, &len));
	return value;
}

static void set(int fd, int option, int value)
{
	need(!setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)));
}

/* What a connection takes over from the listening socket. */
static void set_some(int fd, bool on)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, ~0U) };
	struct sock_fprog program = { 1, all };
	struct linger linger = { on, 7 };

	set(fd, SO_KEEPALIVE, on);
	set(fd, SO_OOBINLINE, on);
	set(fd, SO_PRIORITY, on ? 4 : 0);
	set(fd, SO_MARK, on ? 0x77 : 0);
	set(fd, SO_RCVLOWAT, on ? 3 : 1);
	need(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	if (on)
		need(!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
	else
		setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &linger, sizeof(linger));
}

static void check_some(int fd, bool on)
{
	struct linger linger;
	struct sock_filter filter[4];
	socklen_t len = sizeof(linger), insns = 4;

	check_eq(on, get(fd, SO_KEEPALIVE));
	check_eq(on, get(fd, SO_OOBINLINE));
	check_eq(on ? 0x77 : 0, get(fd, SO_MARK));
	check_eq(on ? 3 : 1, get(fd, SO_RCVLOWAT));
	check(!getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len));
	check_eq(on, linger.l_onoff);
	check(!getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, filter, &insns));
	check_eq(on, insns);
}

/* Until so many wait to be accepted. */
static void wait_backlog(int fd, unsigned int nr)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	do {
		poll_pause();
		need(!getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	} while (info.tcpi_unacked != nr);
}

/* own_options: of connections in a queue, whose listening socket has others by now. */
static void own_options(int argc, char **argv)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	int listener = socket(AF_INET6, SOCK_STREAM, 0), client[3], server, round, i;
	char text[4] = "";

	need(!bind(listener, (struct sockaddr *)&in, sizeof(in)) && !listen(listener, 10));
	in = address_of(listener);
	for (i = 0; i < 3; i++) {
		set_some(listener, i == 1);
		client[i] = socket(AF_INET6, SOCK_STREAM, 0);
		need(!connect(client[i], (struct sockaddr *)&in, sizeof(in)));
		wait_backlog(listener, i + 1);
		check_eq(3, send(client[i], "one", 3, 0));
	}
	set_some(listener, true);
	for (round = 0; round < 2; round++)
		stage();
	check_some(listener, true);
	check_eq(4, get(listener, SO_PRIORITY));
	for (i = 0; i < 3; i++) {
		server = accept(listener, NULL, NULL);
		/* Which is not taken over. */
		check_eq(0, get(server, SO_PRIORITY));
		check_some(server, i == 1);
		check_eq(3, recv(server, text, 3, 0));
		check(!strcmp(text, "one"));
		check_eq(3, send(server, "two", 3, 0));
		check_eq(3, recv(client[i], text, 3, MSG_WAITALL));
		check(!strcmp(text, "two"));
	}
}

const struct mode inet2_modes[] = {
	{ "inet_own_options", own_options },
	{ }
};

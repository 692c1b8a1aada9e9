// SPDX-License-Identifier: GPL-2.0-only
/* State of sockets that takes a right to set. */
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "state.h"

#define FORCED	(64 << 20)

static int sk;

static int set(int family, int type, int level, int option, int value)
{
	sk = socket(family, type, 0);
	need(sk >= 0);
	return setsockopt(sk, level, option, &value, sizeof(value));
}

static int get(int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	check(!getsockopt(sk, level, option, &value, &len));
	return value;
}

static int sock_mark(void)
{
	return set(AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_MARK, 7);
}

static void sock_mark_check(void)
{
	check_eq(7, get(SOL_SOCKET, SO_MARK));
}

static int sock_priority(void)
{
	return set(AF_UNIX, SOCK_DGRAM, SOL_SOCKET, SO_PRIORITY, 7);
}

static void sock_priority_check(void)
{
	check_eq(7, get(SOL_SOCKET, SO_PRIORITY));
}

static int sock_buffer(void)
{
	return set(AF_UNIX, SOCK_STREAM, SOL_SOCKET, SO_RCVBUFFORCE, FORCED);
}

static void sock_buffer_check(void)
{
	check_eq(2 * FORCED, get(SOL_SOCKET, SO_RCVBUF));
}

static int tcp_buffer(void)
{
	return set(AF_INET6, SOCK_STREAM, SOL_SOCKET, SO_SNDBUFFORCE, FORCED);
}

static void tcp_buffer_check(void)
{
	check_eq(2 * FORCED, get(SOL_SOCKET, SO_SNDBUF));
}

static int sock_transparent(void)
{
	return set(AF_INET, SOCK_STREAM, SOL_IP, IP_TRANSPARENT, 1);
}

static void sock_transparent_check(void)
{
	check_eq(1, get(SOL_IP, IP_TRANSPARENT));
}

static int tcp_filter(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog filter = { .len = 1, .filter = &all };

	sk = socket(AF_INET, SOCK_STREAM, 0);
	return setsockopt(sk, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

static void tcp_filter_check(void)
{
	struct sock_filter got[4];
	socklen_t len = 4;

	check(!getsockopt(sk, SOL_SOCKET, SO_GET_FILTER, got, &len));
	check_eq(1, len);
}

const struct state socket_states[] = {
	STATE(sock_mark), STATE(sock_priority), STATE(sock_buffer), STATE(tcp_buffer),
	STATE(sock_transparent), STATE(tcp_filter),
	{}
};

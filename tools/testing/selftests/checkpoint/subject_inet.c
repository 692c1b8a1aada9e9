// SPDX-License-Identifier: GPL-2.0-only
/* Internet sockets within the tree: TCP in all its states, UDP. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "subject.h"

#define BIG	(16 << 20)	/* more than both ends take */

union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/**
 * struct conn - a connection, and the socket that has accepted it
 * @listener: bound to all addresses, or to the loopback one
 * @client: the end that has connected
 * @server: the end that was accepted
 */
struct conn {
	int listener;
	int client;
	int server;
};

static socklen_t loopback(union addr *a, int family, int port)
{
	memset(a, 0, sizeof(*a));
	a->sa.sa_family = family;
	if (family == AF_INET) {
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a->in.sin_port = htons(port);
		return sizeof(a->in);
	}
	a->in6.sin6_addr = in6addr_loopback;
	a->in6.sin6_port = htons(port);
	return sizeof(a->in6);
}

static int port_of(int fd, bool peer)
{
	union addr a;
	socklen_t len = sizeof(a);

	if (peer ? getpeername(fd, &a.sa, &len) : getsockname(fd, &a.sa, &len))
		return -errno;
	return ntohs(a.sa.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
}

static int listening(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);
	union addr a;

	need(fd >= 0 && !bind(fd, &a.sa, loopback(&a, family, 0)) && !listen(fd, 10));
	return fd;
}

static int connected_to(int listener, int family)
{
	int fd = socket(family, SOCK_STREAM, 0);
	union addr a;

	need(fd >= 0 && !connect(fd, &a.sa, loopback(&a, family, port_of(listener, false))));
	return fd;
}

static struct conn connection(int family)
{
	struct conn c = { .listener = listening(family) };

	c.client = connected_to(c.listener, family);
	c.server = accept(c.listener, NULL, NULL);
	need(c.server >= 0);
	return c;
}

static void send_text(int fd, const char *text)
{
	check_eq(strlen(text), send(fd, text, strlen(text), MSG_NOSIGNAL));
}

/* A save lets a system call end that has a part of its data, as a stop does. */
static void receive(int fd, char *buf, size_t len)
{
	ssize_t ret;
	size_t n;

	for (n = 0; n < len; n += ret) {
		ret = recv(fd, buf + n, len - n, MSG_WAITALL);
		if (ret <= 0)
			break;
	}
	check_eq(len, n);
}

static void receive_text(int fd, const char *text)
{
	char buf[200] = "";

	receive(fd, buf, strlen(text));
	if (strcmp(text, buf))
		fail("\"%s\" has arrived, not \"%s\"", buf, text);
}

static void talk(int a, int b)
{
	send_text(a, "one");
	receive_text(b, "one");
	send_text(b, "another");
	receive_text(a, "another");
}

/* Bytes that are known by their place. */
static char byte_at(size_t i)
{
	return i * 7 + (i >> 11);
}

/* Writes until there is no room; returns how many bytes. */
static size_t fill(int fd)
{
	char buf[4096];
	size_t i, n = 0;
	ssize_t ret;

	for (;;) {
		for (i = 0; i < sizeof(buf); i++)
			buf[i] = byte_at(n + i);
		ret = send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (ret <= 0)
			break;
		n += ret;
	}
	check(ret < 0 && errno == EAGAIN);
	return n;
}

/* Reads so many bytes, or to the end. */
static void drain(int fd, size_t from, size_t len)
{
	char buf[4096];
	size_t i, n = 0;
	ssize_t ret = 1;

	while (n < len && ret > 0) {
		ret = recv(fd, buf, sizeof(buf) < len - n ? sizeof(buf) : len - n, 0);
		for (i = 0; ret > 0 && i < (size_t)ret; i++)
			if (buf[i] != byte_at(from + n + i))
				break;
		if (ret > 0 && i < (size_t)ret) {
			fail("byte %zu is wrong", from + n + i);
			return;
		}
		n += ret > 0 ? ret : 0;
	}
	check_eq(len, n);
}

static int queued(int fd, unsigned long request)
{
	int n = -1;

	need(!ioctl(fd, request, &n));
	return n;
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	need(!getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	return info;
}

static void same_info(int fd, const struct tcp_info *was)
{
	struct tcp_info now = info_of(fd);

	check_eq(was->tcpi_state, now.tcpi_state);
	check_eq(was->tcpi_options, now.tcpi_options);
	check_eq(was->tcpi_snd_wscale, now.tcpi_snd_wscale);
	check_eq(was->tcpi_rcv_wscale, now.tcpi_rcv_wscale);
	check_eq(was->tcpi_advmss, now.tcpi_advmss);
	check_eq(was->tcpi_snd_mss, now.tcpi_snd_mss);
	check_eq(was->tcpi_pmtu, now.tcpi_pmtu);
}

static void pair_of(int family)
{
	struct conn c = connection(family);
	int client = port_of(c.client, false), server = port_of(c.server, false), again;
	struct tcp_info a, b;

	talk(c.client, c.server);
	send_text(c.client, "unread by the server");
	send_text(c.server, "by the client");
	a = info_of(c.client);
	b = info_of(c.server);
	again = dup(c.client);
	stage();
	same_info(c.client, &a);
	same_info(c.server, &b);
	check_eq(client, port_of(c.client, false));
	check_eq(client, port_of(c.server, true));
	check_eq(server, port_of(c.client, true));
	check_eq(server, port_of(c.listener, false));
	check_eq(20, queued(c.server, SIOCINQ));
	check_eq(0, queued(c.client, SIOCOUTQ));
	receive_text(c.server, "unread by the server");
	receive_text(again, "by the client");
	talk(c.client, c.server);
	send_text(again, "more");
	stage();
	receive_text(c.server, "more");
	check(recv(c.server, &again, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
	talk(c.server, c.client);
	/* Others can still connect. */
	client = connected_to(c.listener, family);
	server = accept(c.listener, NULL, NULL);
	talk(client, server);
	close(client);
	check_eq(0, recv(server, &again, 1, 0));
}

static void pair(int argc, char **argv)
{
	pair_of(AF_INET);
}

static void ipv6(int argc, char **argv)
{
	pair_of(AF_INET6);
}

/* mapped: a client of IPv4, a server of IPv6. */
static void mapped(int argc, char **argv)
{
	struct conn c = { .listener = socket(AF_INET6, SOCK_STREAM, 0) };
	char text[100] = "";
	union addr a = { .in6.sin6_family = AF_INET6 };
	socklen_t len = sizeof(a);

	need(!bind(c.listener, &a.sa, sizeof(a.in6)) && !listen(c.listener, 1));
	c.client = connected_to(c.listener, AF_INET);
	c.server = accept(c.listener, NULL, NULL);
	send_text(c.server, "before");
	stage();
	check_eq(0, getpeername(c.server, &a.sa, &len));
	inet_ntop(AF_INET6, &a.in6.sin6_addr, text, sizeof(text));
	check(!strcmp(text, "::ffff:127.0.0.1"));
	receive_text(c.client, "before");
	talk(c.client, c.server);
}

/* forked: the ends are in two processes, which have both for a while. */
static void forked(int argc, char **argv)
{
	struct conn c = connection(AF_INET);
	char text[20];
	pid_t pid;
	int i;

	pid = fork();
	if (!pid) {
		close(c.client);
		for (i = 0; i < 3; i++) {
			memset(text, 0, sizeof(text));
			/* The test saves us here. */
			receive(c.server, text, 5);
			send_text(c.server, text);
		}
		_exit(0);
	}
	close(c.server);
	close(c.listener);
	stage();
	send_text(c.client, "first");
	receive_text(c.client, "first");
	send_text(c.client, "oth");
	stage();
	send_text(c.client, "er");
	receive_text(c.client, "other");
	send_text(c.client, "third");
	stage();
	receive_text(c.client, "third");
	check_eq(pid, waitpid(pid, &i, 0));
	check_eq(0, i);
	check_eq(0, recv(c.client, text, 1, 0));
}

/* half: one end has said that it sends no more, and still reads. */
static void half(int argc, char **argv)
{
	struct conn a = connection(AF_INET), b = connection(AF_INET6);
	struct pollfd pfd;
	char c;

	send_text(a.client, "last words");
	need(!shutdown(a.client, SHUT_WR));
	need(!shutdown(b.server, SHUT_WR));
	stage();
	check(send(a.client, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	receive_text(a.server, "last words");
	check_eq(0, recv(a.server, &c, 1, 0));
	check_eq(0, recv(b.client, &c, 1, 0));
	pfd = (struct pollfd){ .fd = b.client, .events = POLLIN | POLLRDHUP | POLLOUT };
	check_eq(1, poll(&pfd, 1, 0));
	check_eq(POLLIN | POLLRDHUP | POLLOUT, pfd.revents);
	send_text(a.server, "answer");
	send_text(b.client, "unread");
	stage();
	receive_text(a.client, "answer");
	receive_text(b.server, "unread");
	need(!shutdown(a.server, SHUT_WR) && !shutdown(b.client, SHUT_WR));
	stage();
	check_eq(0, recv(a.client, &c, 1, 0));
	check_eq(0, recv(b.server, &c, 1, 0));
	check_eq(0, recv(a.server, &c, 1, 0));
	pfd.fd = a.server;
	check_eq(1, poll(&pfd, 1, 0));
	check(pfd.revents & POLLHUP);
}

/* closed: the other end is closed, with data under way, or has reset it. */
static void closed(int argc, char **argv)
{
	struct conn a = connection(AF_INET), b = connection(AF_INET), r = connection(AF_INET),
		    d = connection(AF_INET6);
	struct linger linger = { .l_onoff = 1 };
	size_t n = fill(a.client);
	int error;
	socklen_t len = sizeof(error);
	char c;

	close(a.client);
	send_text(b.client, "rest");
	close(b.client);
	send_text(r.client, "lost?");
	need(!setsockopt(r.client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(r.client);
	close(d.client);
	stage();
	drain(a.server, 0, n);
	check_eq(0, recv(a.server, &c, 1, 0));
	receive_text(b.server, "rest");
	check_eq(0, recv(b.server, &c, 1, 0));
	check_eq(0, getsockopt(r.server, SOL_SOCKET, SO_ERROR, &error, &len));
	check_eq(ECONNRESET, error);
	receive_text(r.server, "lost?");
	check_eq(0, recv(d.server, &c, 1, 0));
	check_eq(0, shutdown(d.server, SHUT_WR));
	stage();
	check_eq(0, getsockopt(d.server, SOL_SOCKET, SO_ERROR, &error, &len));
	check_eq(0, error);
	/* Nobody is there any more. */
	check_eq(1, send(b.server, "x", 1, MSG_NOSIGNAL));
	while (send(b.server, "x", 1, MSG_NOSIGNAL) == 1)
		poll_pause();
	check(errno == EPIPE || errno == ECONNRESET);
}

/* full: both buffers are full, in both directions. */
static void full(int argc, char **argv)
{
	struct conn c = connection(AF_INET);
	size_t there = fill(c.client), back = fill(c.server);
	int in, out;

	/* What has arrived counts in both places until that is acknowledged. */
	do {
		poll_pause();
		in = queued(c.server, SIOCINQ);
		out = queued(c.client, SIOCOUTQ);
	} while (in + out != (int)there);
	stage();
	/* The kernel still makes room now and then, and sends some more. */
	check(queued(c.server, SIOCINQ) >= in && queued(c.client, SIOCOUTQ) <= out);
	drain(c.server, 0, there / 2);
	stage();
	drain(c.server, there / 2, there - there / 2);
	drain(c.client, 0, back);
	talk(c.client, c.server);
	there = fill(c.client);
	need(!shutdown(c.client, SHUT_WR));
	stage();
	drain(c.server, 0, there);
	check_eq(0, recv(c.server, &in, 1, 0));
	send_text(c.server, "thanks");
	receive_text(c.client, "thanks");
}

/* queue: connections that wait to be accepted, in order, with data. */
static void queue(int argc, char **argv)
{
	int listener = listening(AF_INET), second = listening(AF_INET6), client[5], server, i;
	char text[2] = "";

	for (i = 0; i < 4; i++) {
		client[i] = connected_to(listener, AF_INET);
		text[0] = '0' + i;
		send_text(client[i], text);
	}
	/* This one is closed before it is accepted. */
	close(client[3]);
	client[4] = connected_to(second, AF_INET6);
	stage();
	for (i = 0; i < 4; i++) {
		server = accept(listener, NULL, NULL);
		text[0] = '0' + i;
		receive_text(server, text);
		if (i < 3)
			talk(client[i], server);
		else
			check_eq(0, recv(server, text, 1, 0));
		close(server);
	}
	check_eq(0, fcntl(listener, F_SETFL, O_NONBLOCK));
	check(accept(listener, NULL, NULL) < 0 && errno == EAGAIN);
	stage();
	server = accept(second, NULL, NULL);
	check(server >= 0);
	talk(client[4], server);
	/* A listening socket that is closed with a connection in its queue. */
	client[0] = connected_to(second, AF_INET6);
	stage();
	close(second);
	check(recv(client[0], text, 1, 0) < 0 && errno == ECONNRESET);
}

static pid_t child(void (*fn)(int fd), int fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	fn(fd);
	_exit(0);
}

static void reap(pid_t pid)
{
	int status;

	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
}

static void do_accept(int fd)
{
	int server = accept(fd, NULL, NULL);

	check(server >= 0);
	receive_text(server, "hello");
}

static void do_receive(int fd)
{
	receive_text(fd, "at last");
}

static void do_send(int fd)
{
	char *buf = malloc(BIG);
	ssize_t ret;
	size_t i;

	for (i = 0; i < BIG; i++)
		buf[i] = byte_at(i);
	for (i = 0; i < BIG; i += ret) {
		ret = send(fd, buf + i, BIG - i, MSG_NOSIGNAL);
		if (ret <= 0)
			break;
	}
	check_eq(BIG, i);
	free(buf);
}

/* With a limit, which makes the system call one that ends when it is interrupted. */
static void do_receive_timed(int fd)
{
	struct timeval tv = { .tv_sec = 1000 };

	need(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	do_receive(fd);
}

/* Asleep in a system call? */
static void wait_asleep(pid_t pid)
{
	char path[64], text[200], *state = NULL;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		poll_pause();
		if (read_file(path, text, sizeof(text)) > 0)
			state = strrchr(text, ')');
	} while (!state || state[2] != 'S');
}

/* blocked: in accept(2), recv(2) and send(2). */
static void blocked(int argc, char **argv)
{
	struct conn a = connection(AF_INET), b = connection(AF_INET6), c = connection(AF_INET);
	pid_t pids[4];
	int i, client;

	pids[0] = child(do_accept, a.listener);
	pids[1] = child(do_receive, a.server);
	pids[2] = child(do_send, b.client);
	pids[3] = child(do_receive_timed, c.client);
	for (i = 0; i < 4; i++)
		wait_asleep(pids[i]);
	stage();
	stage();
	client = connected_to(a.listener, AF_INET);
	send_text(client, "hello");
	send_text(a.client, "at last");
	drain(b.server, 0, BIG);
	send_text(c.server, "at last");
	for (i = 0; i < 4; i++)
		reap(pids[i]);
}

static const struct {
	int level;
	int name;
	int value;
} settings[] = {
	{ SOL_TCP, TCP_NODELAY, 1 }, { SOL_TCP, TCP_KEEPIDLE, 77 }, { SOL_TCP, TCP_KEEPINTVL, 5 },
	{ SOL_TCP, TCP_KEEPCNT, 3 }, { SOL_TCP, TCP_USER_TIMEOUT, 12345 },
	{ SOL_TCP, TCP_SYNCNT, 2 }, { SOL_TCP, TCP_LINGER2, 17 },
	{ SOL_TCP, TCP_NOTSENT_LOWAT, 4321 }, { SOL_TCP, TCP_INQ, 1 },
	{ SOL_TCP, TCP_DEFER_ACCEPT, 7 }, { SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1 },
	{ SOL_SOCKET, SO_KEEPALIVE, 1 }, { SOL_SOCKET, SO_SNDBUF, 20000 },
	{ SOL_SOCKET, SO_RCVBUF, 30000 }, { SOL_SOCKET, SO_PRIORITY, 3 },
	{ SOL_SOCKET, SO_REUSEADDR, 1 }, { SOL_SOCKET, SO_RCVLOWAT, 2 },
	{ SOL_IP, IP_TOS, 0x10 }, { SOL_IP, IP_TTL, 33 }, { SOL_IP, IP_MTU_DISCOVER, 0 },
	{ SOL_IP, IP_RECVERR, 1 }, { SOL_IP, IP_PKTINFO, 1 }, { SOL_IP, IP_MINTTL, 3 },
	{ SOL_IPV6, IPV6_UNICAST_HOPS, 44 }, { SOL_IPV6, IPV6_TCLASS, 0x20 },
	{ SOL_IPV6, IPV6_RECVERR, 1 },
	{ SOL_IPV6, IPV6_MTU_DISCOVER, 2 }, { SOL_IPV6, IPV6_DONTFRAG, 1 },
};

#define MAX_OPTION	64

/* All integer options of a socket, whoever has set them. */
static void get_all(int fd, int *values)
{
	static const int levels[] = { SOL_SOCKET, SOL_IP, SOL_IPV6, SOL_TCP };
	socklen_t len;
	int i, j;

	for (i = 0; i < 4; i++) {
		for (j = 0; j < MAX_OPTION; j++) {
			len = sizeof(*values);
			*values = -1;
			/* Whatever was told once is not told twice. */
			if (levels[i] != SOL_SOCKET || j != SO_ERROR)
				getsockopt(fd, levels[i], j, values, &len);
			values++;
		}
	}
}

static void compare_all(int fd, const char *who, const int *want)
{
	int got[4 * MAX_OPTION], i;

	get_all(fd, got);
	for (i = 0; i < 4 * MAX_OPTION; i++) {
		/* TCP_INFO, TCP_CC_INFO, SO_INCOMING_CPU, SO_MEMINFO, SO_COOKIE: no options. */
		if (i == 3 * MAX_OPTION + TCP_INFO || i == 3 * MAX_OPTION + 26 ||
		    i == SO_INCOMING_CPU || i == SO_MEMINFO || i == SO_COOKIE ||
		    i == 3 * MAX_OPTION + TCP_TIMESTAMP)
			continue;
		if (want[i] != got[i])
			fail("%s: option %d of level %d is %d, not %d", who, i % MAX_OPTION,
			     i / MAX_OPTION, got[i], want[i]);
	}
}

static void set_all(int fd, int family)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (settings[i].level != SOL_IPV6 || family == AF_INET6)
			need(!setsockopt(fd, settings[i].level, settings[i].name,
					 &settings[i].value, sizeof(int)));
}

/* options: of a listening socket, of those that it has accepted, of a new one. */
static void options(int argc, char **argv)
{
	static int values[4][2][4 * MAX_OPTION];
	int families[2] = { AF_INET, AF_INET6 }, fds[4][2], i, j;
	static const char * const who[] = { "listener", "client", "server", "new" };
	struct conn c;

	for (i = 0; i < 2; i++) {
		c.listener = listening(families[i]);
		set_all(c.listener, families[i]);
		c.client = connected_to(c.listener, families[i]);
		need(!setsockopt(c.client, SOL_TCP, TCP_CORK, &(int){ 1 }, sizeof(int)));
		need(!setsockopt(c.client, SOL_TCP, TCP_CONGESTION, "reno", 4));
		send_text(c.client, "first");
		c.server = accept(c.listener, NULL, NULL);
		fds[0][i] = c.listener;
		fds[1][i] = c.client;
		fds[2][i] = c.server;
		fds[3][i] = socket(families[i], SOCK_STREAM, 0);
		set_all(fds[3][i], families[i]);
	}
	for (i = 0; i < 4; i++)
		for (j = 0; j < 2; j++)
			get_all(fds[i][j], values[i][j]);
	stage();
	for (i = 0; i < 4; i++)
		for (j = 0; j < 2; j++)
			compare_all(fds[i][j], who[i], values[i][j]);
	stage();
	for (i = 0; i < 4; i++)
		for (j = 0; j < 2; j++)
			compare_all(fds[i][j], who[i], values[i][j]);
	need(!setsockopt(fds[1][0], SOL_TCP, TCP_CORK, &(int){ 0 }, sizeof(int)));
	receive_text(fds[2][0], "first");
}

/* bound: sockets that have an address, or not even that. */
static void bound(int argc, char **argv)
{
	int plain = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	int other = socket(AF_INET, SOCK_STREAM, 0), refused = socket(AF_INET, SOCK_STREAM, 0);
	int gone = listening(AF_INET), dead = port_of(gone, false), port;
	union addr a;

	close(gone);
	need(!bind(fd, &a.sa, loopback(&a, AF_INET, 0)));
	need(connect(refused, &a.sa, loopback(&a, AF_INET, dead)) < 0 && errno == ECONNREFUSED);
	port = port_of(fd, false);
	stage();
	check_eq(port, port_of(fd, false));
	check(bind(other, &a.sa, loopback(&a, AF_INET, port)) < 0 && errno == EADDRINUSE);
	check_eq(0, listen(fd, 1));
	check_eq(0, connect(plain, &a.sa, loopback(&a, AF_INET, port)));
	check_eq(0, connect(refused, &a.sa, loopback(&a, AF_INET, port)));
	stage();
	talk(plain, accept(fd, NULL, NULL));
	talk(refused, accept(fd, NULL, NULL));
}

/* epoll: sockets that do not block, in a set. */
static void epoll(int argc, char **argv)
{
	struct conn c = connection(AF_INET);
	struct epoll_event event, got[4];
	int set = epoll_create1(0), fds[3] = { c.listener, c.client, c.server }, i, late;

	for (i = 0; i < 3; i++) {
		event = (struct epoll_event){ .events = EPOLLIN, .data.u32 = i };
		need(!fcntl(fds[i], F_SETFL, O_NONBLOCK));
		need(!epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event));
	}
	send_text(c.client, "data");
	stage();
	check(fcntl(c.server, F_GETFL) & O_NONBLOCK);
	check_eq(1, epoll_wait(set, got, 4, 10000));
	check_eq(2, got[0].data.u32);
	receive_text(c.server, "data");
	check_eq(0, epoll_wait(set, got, 4, 0));
	late = connected_to(c.listener, AF_INET);
	stage();
	check_eq(1, epoll_wait(set, got, 4, 10000));
	check_eq(0, got[0].data.u32);
	i = accept(c.listener, NULL, NULL);
	talk(late, i);
	close(c.server);
	check_eq(1, epoll_wait(set, got, 4, 10000));
	check_eq(1, got[0].data.u32);
}

/* many N: so many connections, for the benchmark. */
static void many(int argc, char **argv)
{
	int i, n = argc > 0 ? atoi(argv[0]) : 100, listener = listening(AF_INET);
	int *client = calloc(n, sizeof(int)), *server = calloc(n, sizeof(int));

	for (i = 0; i < n; i++) {
		client[i] = connected_to(listener, AF_INET);
		server[i] = accept(listener, NULL, NULL);
		need(server[i] >= 0);
		send_text(client[i], "x");
	}
	stage();
	for (i = 0; i < n; i++) {
		receive_text(server[i], "x");
		talk(server[i], client[i]);
	}
}

/* udp: bound, connected, and neither. */
static void udp(int argc, char **argv)
{
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	int free = socket(AF_INET6, SOCK_DGRAM, 0), port, i;
	union addr addr;
	socklen_t len;

	need(!bind(a, &addr.sa, loopback(&addr, AF_INET, 0)));
	need(!connect(b, &addr.sa, loopback(&addr, AF_INET, port_of(a, false))));
	port = port_of(b, false);
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(port, port_of(b, false));
		check_eq(port_of(a, false), port_of(b, true));
		send_text(b, "question");
		receive_text(a, "question");
		len = loopback(&addr, AF_INET, port);
		check_eq(6, sendto(a, "answer", 6, 0, &addr.sa, len));
		receive_text(b, "answer");
		check_eq(-ENOTCONN, port_of(free, true));
	}
	check_eq(0, bind(free, &addr.sa, loopback(&addr, AF_INET6, 0)));
}

/* urgent: data out of band, which cannot be saved. */
static void urgent(int argc, char **argv)
{
	struct conn c = connection(AF_INET);
	char x;

	need(send(c.client, "!", 1, MSG_OOB) == 1);
	stage();
	check_eq(1, recv(c.server, &x, 1, MSG_OOB));
	check_eq('!', x);
	talk(c.client, c.server);
}

/* outside PORT: a connection to the test. */
static void outside(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	union addr a;

	need(argc > 0 && !connect(fd, &a.sa, loopback(&a, AF_INET, atoi(argv[0]))));
	stage();
	send_text(fd, "still here");
}

const struct mode inet_modes[] = {
	{ "inet_pair", pair },
	{ "inet_ipv6", ipv6 },
	{ "inet_mapped", mapped },
	{ "inet_forked", forked },
	{ "inet_half", half },
	{ "inet_closed", closed },
	{ "inet_full", full },
	{ "inet_queue", queue },
	{ "inet_blocked", blocked },
	{ "inet_options", options },
	{ "inet_bound", bound },
	{ "inet_epoll", epoll },
	{ "inet_many", many },
	{ "inet_udp", udp },
	{ "inet_urgent", urgent },
	{ "inet_outside", outside },
	{ }
};

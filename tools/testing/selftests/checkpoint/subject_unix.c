// SPDX-License-Identifier: GPL-2.0-only
/* Sockets of AF_UNIX: connections, names, what waits in them. */
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "subject_socket.h"

static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

static int new_socket(int type)
{
	int fd = socket(AF_UNIX, type, 0);

	need(fd >= 0);
	return fd;
}

/* "@name" is abstract. */
static socklen_t address(struct sockaddr_un *addr, const char *name)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", name);
	if (name[0] != '@')
		return offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
	addr->sun_path[0] = 0;
	return offsetof(struct sockaddr_un, sun_path) + strlen(name);
}

static int bind_to(int fd, const char *name)
{
	struct sockaddr_un addr;

	return bind(fd, (struct sockaddr *)&addr, address(&addr, name));
}

static int connect_to(int fd, const char *name)
{
	struct sockaddr_un addr;

	return connect(fd, (struct sockaddr *)&addr, address(&addr, name));
}

static int send_to(int fd, const char *name, const char *data)
{
	struct sockaddr_un addr;

	return sendto(fd, data, strlen(data), 0, (struct sockaddr *)&addr, address(&addr, name));
}

static void expect(int fd, const char *want)
{
	char got[256] = "";
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	if (n != (ssize_t)strlen(want) || strcmp(got, want))
		fail("socket %d: got \"%s\" (%zd, errno %d), not \"%s\"", fd, got, n, errno, want);
}

/* From whom it is. */
static void expect_from(int fd, const char *want, const char *name)
{
	struct sockaddr_un from = {}, addr;
	socklen_t len = sizeof(from), want_len = name ? address(&addr, name) : 0;
	char got[256] = "";
	ssize_t n = recvfrom(fd, got, sizeof(got) - 1, MSG_DONTWAIT, (struct sockaddr *)&from,
			     &len);

	if (n != (ssize_t)strlen(want) || strcmp(got, want))
		fail("socket %d: got \"%s\" (%zd, errno %d), not \"%s\"", fd, got, n, errno, want);
	else if (len != want_len || (name && memcmp(&from, &addr, len)))
		fail("\"%s\" is from \"%s\" (%u), not \"%s\"", want,
		     from.sun_path[0] ? from.sun_path : from.sun_path + 1, len, name ?: "");
}

static void expect_nothing(int fd)
{
	char got[16];

	check(recv(fd, got, sizeof(got), MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

/* What a socket looks like: options, names, queues, events. */
struct look {
	struct sockopt_value *options;
	struct sockaddr_un name, peer;
	socklen_t name_len, peer_len;
	int peer_ret, in, out, mark;
	short events;
	char fdinfo[32];
};

static struct look look_at(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };
	char path[64], info[512], *p;
	struct look l = { .in = -1, .mark = -1 };

	l.name_len = sizeof(l.name);
	l.peer_len = sizeof(l.peer);
	l.options = sockopts_get(fd);
	check(!getsockname(fd, (struct sockaddr *)&l.name, &l.name_len));
	l.peer_ret = getpeername(fd, (struct sockaddr *)&l.peer, &l.peer_len) ? errno : 0;
	ioctl(fd, SIOCINQ, &l.in);
	check(!ioctl(fd, SIOCOUTQ, &l.out));
	ioctl(fd, SIOCATMARK, &l.mark);
	check(poll(&pfd, 1, 0) >= 0);
	l.events = pfd.revents;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	need(read_file(path, info, sizeof(info)) > 0);
	p = strstr(info, "scm_fds:");
	snprintf(l.fdinfo, sizeof(l.fdinfo), "%.20s", p ?: "");
	return l;
}

static void looks_the_same(struct look *was, int fd)
{
	struct look is = look_at(fd);

	sockopts_same(was->options, fd);
	was->options = NULL;
	free(is.options);
	if (is.name_len != was->name_len || memcmp(&is.name, &was->name, is.name_len))
		fail("socket %d: name \"%s\", was \"%s\"", fd, is.name.sun_path + 1,
		     was->name.sun_path + 1);
	if (is.peer_ret != was->peer_ret || (!is.peer_ret && is.peer_len != was->peer_len) ||
	    (!is.peer_ret && memcmp(&is.peer, &was->peer, is.peer_len)))
		fail("socket %d: peer %d \"%s\", was %d \"%s\"", fd, is.peer_ret,
		     is.peer.sun_path + 1, was->peer_ret, was->peer.sun_path + 1);
	if (is.in != was->in || is.out != was->out)
		fail("socket %d: in %d out %d, was %d %d", fd, is.in, is.out, was->in, was->out);
	if (is.events != was->events || is.mark != was->mark)
		fail("socket %d: events %#x mark %d, was %#x %d", fd, is.events, is.mark,
		     was->events, was->mark);
	if (strcmp(is.fdinfo, was->fdinfo))
		fail("socket %d: %s, was %s", fd, is.fdinfo, was->fdinfo);
}

/* Looks at all sockets before, and compares after. */
static void stage_looking(const int *fds, int nr)
{
	struct look *was = calloc(nr, sizeof(*was));
	int i;

	need(was);
	for (i = 0; i < nr; i++)
		was[i] = look_at(fds[i]);
	stage();
	for (i = 0; i < nr; i++)
		looks_the_same(&was[i], fds[i]);
	free(was);
}

/* A message with bytes and, unless it is -1, a descriptor. */
void send_fd(int to, const char *data, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { (void *)data, strlen(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	check_eq(strlen(data), sendmsg(to, &msg, 0));
}

int receive_fd(int from, const char *want)
{
	char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))] = {};
	char data[64] = "";
	struct iovec iov = { data, sizeof(data) - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd = -1;

	check_eq(strlen(want), recvmsg(from, &msg, MSG_DONTWAIT));
	if (strcmp(data, want))
		fail("got \"%s\", not \"%s\"", data, want);
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (fd < 0)
		fail("no descriptor came with \"%s\"", want);
	return fd;
}

/* unix_pair: data in both directions, in all types; two descriptors of one end. */
static void pairs(int argc, char **argv)
{
	int fds[9], *p = fds, i;

	for (i = 0; i < 3; i++, p += 3) {
		need(!socketpair(AF_UNIX, types[i], 0, p));
		p[2] = dup(p[1]);
		check_eq(5, write(p[0], "first", 5));
		check_eq(6, write(p[0], "second", 6));
		check_eq(4, write(p[1], "back", 4));
	}
	check_eq(0, send(fds[3], "", 0, 0));
	check_eq(4, write(fds[3], "last", 4));
	stage_looking(fds, 9);
	expect(fds[1], "firstsecond");
	for (p = fds + 3; p < fds + 9; p += 3) {
		expect(p[1], "first");
		expect(p[2], "second");
	}
	expect(fds[4], "");
	expect(fds[4], "last");
	for (i = 0, p = fds; i < 3; i++, p += 3) {
		expect(p[0], "back");
		check_eq(3, write(p[2], "new", 3));
		expect(p[0], "new");
		expect_nothing(p[0]);
		expect_nothing(p[1]);
	}
	stage_looking(fds, 9);
}

/* unix_full: more data than fits in one piece, one direction full, a part read. */
static void full(int argc, char **argv)
{
	static char block[100000], got[100000];
	int fds[6], *p = fds, i;
	ssize_t n, total[3] = {}, at = 0, part = 12345;

	fill_memory(block, sizeof(block), 5);
	for (i = 0; i < 3; i++, p += 2) {
		need(!socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK, 0, p));
		while ((n = write(p[0], block, i ? 70000 : sizeof(block))) > 0)
			total[i] += n;
		check(errno == EAGAIN);
	}
	check_eq(part, read(fds[1], got, part));
	check(!memcmp(got, block, part));
	stage_looking(fds, 6);
	at = part;
	while ((n = read(fds[1], got, sizeof(got) - at % sizeof(block))) > 0) {
		check(!memcmp(got, block + at % sizeof(block), n));
		at += n;
	}
	check_eq(total[0], at);
	for (i = 1, p = fds + 2; i < 3; i++, p += 2) {
		for (at = 0; (n = read(p[1], got, sizeof(got))) > 0; at += n) {
			check_eq(70000, n);
			check(!memcmp(got, block, n));
		}
		check_eq(total[i], at);
	}
	for (i = 0; i < 6; i += 2)
		check_eq(70000, write(fds[i], block, 70000));
}

/* unix_shut: half-closed in all ways, and closed, with and without unread data. */
static void shut(int argc, char **argv)
{
	int fds[24], n = 0, p[2], i, how;
	char c;

	for (i = 0; i < 3; i++) {
		for (how = SHUT_RD; how <= SHUT_RDWR; how++, n += 2) {
			need(!socketpair(AF_UNIX, types[i], 0, fds + n));
			check_eq(4, write(fds[n], "data", 4));
			check(!shutdown(fds[n], how));
		}
		need(!socketpair(AF_UNIX, types[i], 0, p));
		check_eq(4, write(p[1], "left", 4));
		close(p[1]);
		fds[n++] = p[0];
		need(!socketpair(AF_UNIX, types[i], 0, p));
		check_eq(4, write(p[1], "left", 4));
		check_eq(6, write(p[0], "unread", 6));
		close(p[1]);
		fds[n++] = p[0];
	}
	need(n == ARRAY_SIZE(fds));
	need(!sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL));
	stage_looking(fds, n);
	for (i = 0; i < 3; i++) {
		int *f = fds + 8 * i;

		expect(f[1], "data");
		expect(f[3], "data");
		expect(f[5], "data");
		if (types[i] != SOCK_DGRAM) {
			check(write(f[1], "x", 1) < 0 && errno == EPIPE);
			check(recv(f[3], &c, 1, MSG_DONTWAIT) == 0);
			check_eq(1, write(f[3], "y", 1));
			expect(f[2], "y");
			check(recv(f[5], &c, 1, MSG_DONTWAIT) == 0);
		}
		expect(f[6], "left");
		/* In a stream the error comes behind the data. */
		if (types[i] == SOCK_SEQPACKET)
			check(recv(f[7], &c, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET);
		expect(f[7], "left");
		if (types[i] == SOCK_DGRAM)
			continue;
		check(recv(f[6], &c, 1, MSG_DONTWAIT) == 0);
		if (types[i] == SOCK_STREAM)
			check(recv(f[7], &c, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET);
		check(recv(f[7], &c, 1, MSG_DONTWAIT) == 0);
	}
}

/* unix_names: bound to paths, abstract, found by the kernel; removed and renamed. */
static void bound(int argc, char **argv)
{
	char cwd[64], name[100];
	int fds[20], n = 0, i, client;
	struct stat was[2], is;

	need(getcwd(cwd, sizeof(cwd)));
	for (i = 0; i < 3; i++) {
		fds[n] = new_socket(types[i]);
		snprintf(name, sizeof(name), "%s/sock%d", cwd, i);
		need(!bind_to(fds[n++], i ? name : "sock0"));
		fds[n] = new_socket(types[i]);
		snprintf(name, sizeof(name), "@%s-%d", cwd, i);
		need(!bind_to(fds[n++], name));
		fds[n] = new_socket(types[i]);
		need(!bind(fds[n++], (struct sockaddr *)&(struct sockaddr_un){ AF_UNIX },
			   sizeof(sa_family_t)));
		fds[n] = new_socket(types[i]);
		need(!bind_to(fds[n++], "removed"));
		need(!unlink("removed"));
	}
	fds[n] = new_socket(SOCK_STREAM);
	need(!bind_to(fds[n++], "old") && !rename("old", "renamed"));
	fds[n] = new_socket(SOCK_DGRAM);
	need(!bind_to(fds[n++], "replaced") && !unlink("replaced"));
	fds[n] = new_socket(SOCK_DGRAM);
	need(!bind_to(fds[n++], "replaced"));
	need(!chmod("sock1", 0640) && !chown("sock1", 7, 8));
	need(!listen(fds[0], 3) && !listen(fds[9], 3) && !listen(fds[12], 1));
	need(!stat("sock0", &was[0]) && !stat("sock1", &was[1]));
	stage_looking(fds, n);
	check(!stat("sock0", &is));
	check(is.st_ino == was[0].st_ino && is.st_mode == was[0].st_mode);
	check(!stat("sock1", &is));
	check(is.st_ino == was[1].st_ino && is.st_mode == was[1].st_mode &&
	      is.st_uid == 7 && is.st_gid == 8);
	client = new_socket(SOCK_STREAM);
	check(!connect_to(client, "sock0") && accept(fds[0], NULL, NULL) >= 0);
	client = new_socket(SOCK_STREAM);
	check(!connect_to(client, "renamed"));
	client = new_socket(SOCK_DGRAM);
	check_eq(2, send_to(client, "sock1", "to"));
	expect(fds[4], "to");
	check_eq(2, send_to(client, "replaced", "re"));
	expect(fds[14], "re");
	expect_nothing(fds[13]);
	snprintf(name, sizeof(name), "@%s-1", cwd);
	check_eq(2, send_to(client, name, "ab"));
	expect(fds[5], "ab");
	check(send_to(client, "removed", "x") < 0 && errno == ENOENT);
	check(bind_to(new_socket(SOCK_DGRAM), name) < 0 && errno == EADDRINUSE);
}

/* unix_accept: connections, accepted and not, with data; clients that are gone. */
static void pending(int argc, char **argv)
{
	int fds[16], n = 0, i, a, t;
	const int which[] = { SOCK_STREAM, SOCK_SEQPACKET };
	char name[100];

	for (t = 0; t < 2; t++) {
		snprintf(name, sizeof(name), t ? "@%d-listen" : "%d.listen", getpid());
		fds[n] = new_socket(which[t]);
		need(!bind_to(fds[n], name) && !listen(fds[n], 7));
		a = fds[n++];
		for (i = 0; i < 4; i++) {
			fds[n] = new_socket(which[t]);
			if (i == 1)
				snprintf(name, sizeof(name), "@%d-client%d", getpid(), t);
			if (i == 1)
				need(!bind_to(fds[n], name));
			snprintf(name, sizeof(name), t ? "@%d-listen" : "%d.listen", getpid());
			need(!connect_to(fds[n++], name));
		}
		check_eq(3, write(fds[n - 4], "one", 3));
		check_eq(3, write(fds[n - 3], "two", 3));
		check(!shutdown(fds[n - 3], SHUT_WR));
		check_eq(5, write(fds[n - 2], "three", 5));
		close(fds[--n - 1]);
		fds[n - 1] = fds[n];
		send_fd(fds[n - 1], "four", 1);
		fds[n++] = accept(a, NULL, NULL);
		need(fds[n - 1] >= 0);
	}
	stage_looking(fds, n);
	for (t = 0; t < 2; t++) {
		int *f = fds + 5 * t, s[3];
		struct sockaddr_un addr = {};
		socklen_t len = sizeof(addr);
		char c;

		expect(f[4], "one");
		check_eq(5, write(f[4], "reply", 5));
		expect(f[1], "reply");
		s[0] = accept(f[0], (struct sockaddr *)&addr, &len);
		check(strstr(addr.sun_path + 1, "-client"));
		expect(s[0], "two");
		check(recv(s[0], &c, 1, MSG_DONTWAIT) == 0);
		check_eq(2, write(s[0], "ok", 2));
		expect(f[2], "ok");
		s[1] = accept(f[0], NULL, NULL);
		expect(s[1], "three");
		check(recv(s[1], &c, 1, MSG_DONTWAIT) == 0);
		s[2] = accept(f[0], NULL, NULL);
		close(receive_fd(s[2], "four"));
		check(!fcntl(f[0], F_SETFL, O_NONBLOCK));
		check(accept(f[0], NULL, NULL) < 0 && errno == EAGAIN);
	}
}

/* unix_dgram: many senders to one, some of them closed; connected ones, full queues. */
static void datagrams(int argc, char **argv)
{
	int fds[6], i, n = 0, s, sent = 0;

	fds[n] = new_socket(SOCK_DGRAM);
	need(!bind_to(fds[n++], "server"));
	fds[n] = new_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	need(!bind_to(fds[n], "client") && !connect_to(fds[n], "server"));
	n++;
	fds[n++] = new_socket(SOCK_DGRAM);
	fds[n] = new_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	need(!bind_to(fds[n], "full"));
	n++;
	fds[n] = new_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	need(!connect_to(fds[n++], "full"));
	fds[n] = new_socket(SOCK_DGRAM);
	need(!bind_to(fds[n], "self") && !connect_to(fds[n], "self"));
	n++;
	check_eq(1, write(fds[5], "i", 1));
	check_eq(9, write(fds[1], "connected", 9));
	check_eq(8, send_to(fds[2], "server", "nameless"));
	s = new_socket(SOCK_DGRAM);
	need(!bind_to(s, "dead"));
	check_eq(6, send_to(s, "server", "closed"));
	close(s);
	check_eq(5, write(fds[1], "again", 5));
	while (write(fds[4], "x", 1) == 1)
		sent++;
	check(errno == EAGAIN);
	stage_looking(fds, n);
	expect_from(fds[0], "connected", "client");
	expect_from(fds[0], "nameless", NULL);
	expect_from(fds[0], "closed", "dead");
	expect_from(fds[0], "again", "client");
	expect_nothing(fds[0]);
	expect_from(fds[5], "i", "self");
	check(write(fds[4], "x", 1) < 0 && errno == EAGAIN);
	for (i = 0; i < sent; i++)
		expect(fds[3], "x");
	check_eq(1, write(fds[4], "x", 1));
	check_eq(2, send_to(fds[0], "client", "hi"));
	expect_from(fds[1], "hi", "server");
	close(fds[0]);
	check(write(fds[1], "x", 1) < 0 && errno == ECONNREFUSED);
}

/* unix_oob: urgent bytes, unread, read, in line. */
static void urgent(int argc, char **argv)
{
	int fds[8], i;
	char c;

	for (i = 0; i < 8; i += 2) {
		need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds + i));
		check_eq(3, send(fds[i], "abc", 3, 0));
		check_eq(2, send(fds[i], "dU", 2, MSG_OOB));
		if (i < 6)
			check_eq(3, send(fds[i], "efg", 3, 0));
	}
	check_eq(1, setsockopt(fds[3], SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int)) + 1);
	check_eq(1, recv(fds[5], &c, 1, MSG_OOB));
	check_eq('U', c);
	stage_looking(fds, 8);
	expect(fds[1], "abcd");
	check_eq(1, recv(fds[1], &c, 1, MSG_OOB));
	check_eq('U', c);
	expect(fds[1], "efg");
	expect(fds[3], "abcd");
	expect(fds[3], "Uefg");
	check(recv(fds[5], &c, 1, MSG_OOB) < 0 && errno == EINVAL);
	expect(fds[5], "abcd");
	expect(fds[5], "efg");
	check_eq(1, recv(fds[7], &c, 1, MSG_OOB));
	expect(fds[7], "abcd");
}

/* unix_rights: descriptors under way; some are nowhere else; nested; in a circle. */
static void rights(int argc, char **argv)
{
	int fds[7], inner[2], deep[2], file, got, p[2], i;
	char text[16] = "";

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	need(!socketpair(AF_UNIX, SOCK_DGRAM, 0, fds + 2));
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds + 4));
	file = open("under-way", O_RDWR | O_CREAT | O_TRUNC, 0600);
	fds[6] = dup(file);
	need(file >= 0 && write(file, "content", 7) == 7 && lseek(file, 3, SEEK_SET) == 3);
	send_fd(fds[0], "shared", file);
	close(file);
	need(!pipe(p));
	check_eq(4, write(p[1], "pipe", 4));
	send_fd(fds[2], "pipe", p[0]);
	send_fd(fds[2], "other", p[1]);
	close(p[0]);
	close(p[1]);
	/* A socket with data in a socket with data; both only under way. */
	need(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, inner));
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, deep));
	check_eq(4, write(deep[0], "deep", 4));
	send_fd(inner[0], "inner", deep[1]);
	send_fd(fds[0], "nested", inner[1]);
	close(deep[1]);
	close(inner[1]);
	close(inner[0]);
	/* A socket in itself, and two in each other. */
	send_fd(fds[4], "itself", fds[5]);
	send_fd(fds[5], "across", fds[4]);
	stage_looking(fds, 6);
	got = receive_fd(fds[1], "shared");
	check_eq(4, read(got, text, 16));
	check(!memcmp(text, "tent", 4));
	check_eq(7, lseek(fds[6], 0, SEEK_CUR));
	got = receive_fd(fds[1], "nested");
	i = receive_fd(got, "inner");
	expect(i, "deep");
	check_eq(2, write(i, "up", 2));
	expect(deep[0], "up");
	check(recv(got, text, 1, MSG_DONTWAIT) == 0);
	p[0] = receive_fd(fds[3], "pipe");
	p[1] = receive_fd(fds[3], "other");
	check_eq(4, read(p[0], text, 16));
	check_eq(2, write(p[1], "ok", 2));
	check_eq(2, read(p[0], text, 16));
	got = receive_fd(fds[5], "itself");
	check_eq(2, write(fds[4], "me", 2));
	expect(got, "me");
	got = receive_fd(fds[4], "across");
	check_eq(2, write(got, "it", 2));
	expect(fds[5], "it");
}

static void expect_cred(int fd, const char *want, pid_t pid, uid_t uid, gid_t gid)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = {}, data[64] = "";
	struct iovec iov = { data, sizeof(data) - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	struct ucred cred;

	check_eq(strlen(want), recvmsg(fd, &msg, MSG_DONTWAIT));
	if (strcmp(data, want))
		fail("got \"%s\", not \"%s\"", data, want);
	c = CMSG_FIRSTHDR(&msg);
	check(c && c->cmsg_type == SCM_CREDENTIALS);
	if (!c)
		return;
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	if (cred.pid != pid || cred.uid != uid || cred.gid != gid)
		fail("\"%s\" is from %d %d %d, not %d %d %d", want, cred.pid, (int)cred.uid,
		     (int)cred.gid, pid, (int)uid, (int)gid);
}

/* unix_cred: who has sent a message, and who is the peer; some of them are gone. */
static void creds(int argc, char **argv)
{
	int fds[4], on = 1, p[2], l;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	pid_t child, dead;
	char c;

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	need(!socketpair(AF_UNIX, SOCK_DGRAM, 0, fds + 2));
	need(!setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	need(!setsockopt(fds[3], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	need(!pipe(p));
	check_eq(2, write(fds[0], "me", 2));
	dead = fork();
	if (!dead) {
		need(write(fds[0], "dead", 4) == 4 && write(fds[0], "too", 3) == 3);
		_exit(0);
	}
	check_eq(dead, waitpid(dead, NULL, 0));
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		need(!setgid(34) && !setuid(12));
		need(write(fds[2], "child", 5) == 5 && write(fds[0], "child", 5) == 5);
		l = new_socket(SOCK_STREAM);
		need(!bind_to(l, "@cred-listen") && !listen(l, 1) && write(p[1], "r", 1) == 1);
		pause();
		_exit(0);
	}
	check_eq(1, read(p[0], &c, 1));
	l = new_socket(SOCK_STREAM);
	need(!connect_to(l, "@cred-listen"));
	stage_looking(fds, 4);
	expect_cred(fds[1], "me", getpid(), 0, 0);
	/* Of one writer, so in one piece. */
	expect_cred(fds[1], "deadtoo", dead, 0, 0);
	expect_cred(fds[1], "child", child, 12, 34);
	expect_cred(fds[3], "child", child, 12, 34);
	check(!getsockopt(l, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	check(cred.pid == child && cred.uid == 12 && cred.gid == 34);
	check(!kill(child, SIGKILL));
	check_eq(child, waitpid(child, NULL, 0));
}

/* unix_fresh: the same with other pids. */
static void fresh(int argc, char **argv)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int p[2], on = 1;
	pid_t before = getpid();

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	need(!setsockopt(p[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	check_eq(2, write(p[0], "me", 2));
	stage();
	check(getpid() != before);
	check(!getsockopt(p[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	check_eq(getpid(), cred.pid);
	expect_cred(p[1], "me", getpid(), 0, 0);
}

/* A signal, or a stop, ends a write early if a part is done. */
static int write_all(int fd, const char *data, size_t left)
{
	ssize_t n;

	for (; left; left -= n, data += n) {
		n = write(fd, data, left);
		if (n <= 0)
			return errno;
	}
	return 0;
}

/* unix_block: a child reads, one writes, one accepts, one connects; all wait. */
static void block(int argc, char **argv)
{
	int r[2], w[2], l, i, status, room = 4096, c;
	static char block[65536];
	const int calls[] = { 0, 1, 42, 43 };
	pid_t pids[4];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, r) && !socketpair(AF_UNIX, SOCK_STREAM, 0, w));
	l = new_socket(SOCK_STREAM);
	need(!bind_to(l, "@block") && !listen(l, 0));
	c = new_socket(SOCK_STREAM);
	need(!setsockopt(w[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)));
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (i == 0)
			_exit(read(r[1], block, 5) == 5 && !memcmp(block, "hello", 5) ? 0 : errno);
		if (i == 1)
			_exit(write_all(w[0], block, sizeof(block)));
		if (i == 2) {
			while (recv(w[1], block, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
				poll_pause();
			/* With the first the queue is full. */
			need(!connect_to(c, "@block"));
			_exit(connect_to(new_socket(SOCK_STREAM), "@block") ? errno : 0);
		}
		l = new_socket(SOCK_STREAM);
		need(!bind_to(l, "@block2") && !listen(l, 0));
		_exit(accept(l, NULL, NULL) >= 0 ? 0 : errno);
	}
	for (i = 0; i < 4; i++) {
		char path[64], stat[512];

		snprintf(path, sizeof(path), "/proc/%d/syscall", pids[i]);
		/* It is read, written, accept or connect that they wait in. */
		do {
			poll_pause();
			read_file(path, stat, sizeof(stat));
		} while (atoi(stat) != calls[i]);
	}
	stage();
	check_eq(5, write(r[0], "hello", 5));
	for (i = sizeof(block); i > 0; )
		i -= read(w[1], block, sizeof(block));
	check(accept(l, NULL, NULL) >= 0 && accept(l, NULL, NULL) >= 0);
	check(!connect_to(new_socket(SOCK_STREAM), "@block2"));
	for (i = 0; i < 4; i++) {
		check_eq(pids[i], waitpid(pids[i], &status, 0));
		check_eq(0, status);
	}
}

static volatile sig_atomic_t signals;

static void count_signal(int signo)
{
	signals++;
}

/* unix_events: epoll over sockets, edges included, and signals for them. */
static void events(int argc, char **argv)
{
	int fds[8], ep = epoll_create1(0), i, n;
	struct epoll_event ev, got[8];

	for (i = 0; i < 8; i += 2) {
		need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds + i));
		ev = (struct epoll_event){ .events = EPOLLIN | (i < 4 ? EPOLLET : 0),
					   .data.fd = i };
		need(!epoll_ctl(ep, EPOLL_CTL_ADD, fds[i + 1], &ev));
	}
	check_eq(1, write(fds[0], "a", 1));
	check_eq(1, epoll_wait(ep, got, 8, 0));
	check_eq(1, write(fds[2], "b", 1));
	check_eq(1, write(fds[4], "c", 1));
	need(!sigaction(SIGIO, &(struct sigaction){ .sa_handler = count_signal }, NULL));
	need(!fcntl(fds[6], F_SETOWN, getpid()) && !fcntl(fds[6], F_SETFL, O_ASYNC));
	check_eq(1, write(fds[7], "d", 1));
	check_eq(1, signals);
	stage_looking(fds, 8);
	/* The first edge was reported, the second was not. */
	n = epoll_wait(ep, got, 8, 0);
	check_eq(2, n);
	for (i = 0; i < n; i++)
		check(got[i].data.fd == 2 || got[i].data.fd == 4);
	check_eq(1, signals);
	check_eq(1, write(fds[7], "d", 1));
	check_eq(2, signals);
	check_eq(1, write(fds[0], "e", 1));
	n = epoll_wait(ep, got, 8, 0);
	check(n == 2);
}

/* unix_leaked: a child has the other end, or the same. For refusals. */
static void leaked(int argc, char **argv)
{
	int p[2], q[2];
	pid_t child;

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, p) && !socketpair(AF_UNIX, SOCK_DGRAM, 0, q));
	check_eq(4, write(p[0], "data", 4));
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(p[0]);
		pause();
	}
	close(p[1]);
	stage();
	check(!kill(child, SIGKILL));
	check_eq(child, waitpid(child, NULL, 0));
}

/* unix_server NAME: a listening socket; for clients from outside. */
static void server(int argc, char **argv)
{
	int l = new_socket(SOCK_STREAM), a;

	need(!bind_to(l, argv[0]) && !listen(l, 5));
	stage();
	a = accept(l, NULL, NULL);
	expect(a, "hello");
	close(a);
	stage();
	check(fcntl(l, F_GETFD) >= 0);
}

const struct mode unix_modes[] = {
	{ "unix_pair", pairs }, { "unix_full", full }, { "unix_shut", shut },
	{ "unix_names", bound }, { "unix_accept", pending }, { "unix_dgram", datagrams },
	{ "unix_oob", urgent }, { "unix_rights", rights }, { "unix_cred", creds },
	{ "unix_fresh", fresh }, { "unix_block", block }, { "unix_events", events },
	{ "unix_leaked", leaked }, { "unix_server", server },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/* What every socket has: the options of socket(7), as getsockopt(2) shows them. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <stdio.h>
#include <time.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "subject_socket.h"

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL	69
#define SO_BUSY_POLL_BUDGET	70
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK		72
#endif
#ifndef SO_TXREHASH
#define SO_TXREHASH		74
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK		75
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD		76
#endif

/* All that can be asked for and that stays. SO_ERROR is gone when it was read. */
static const int options[] = {
	SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF,
	SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK, SO_PRIORITY, SO_LINGER, SO_REUSEPORT,
	SO_PASSCRED, SO_RCVLOWAT, SO_SNDLOWAT, SO_RCVTIMEO, SO_SNDTIMEO, SO_BINDTODEVICE,
	SO_TIMESTAMP, SO_ACCEPTCONN, SO_PASSSEC, SO_MARK, SO_TIMESTAMPING, SO_PROTOCOL,
	SO_DOMAIN, SO_RXQ_OVFL, SO_WIFI_STATUS, SO_PEEK_OFF, SO_NOFCS, SO_LOCK_FILTER,
	SO_SELECT_ERR_QUEUE, SO_BUSY_POLL, SO_MAX_PACING_RATE, SO_INCOMING_CPU,
	SO_TIMESTAMPNS, SO_ZEROCOPY, SO_TXTIME, SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET,
	SO_BUF_LOCK, SO_TXREHASH, SO_RCVMARK, SO_PASSPIDFD, SO_PEERCRED, SO_TIMESTAMP_NEW,
	SO_TIMESTAMPNS_NEW, SO_TIMESTAMPING_NEW, SO_GET_FILTER, SO_PEERGROUPS,
};

/* All options, to be compared; to be freed. */
struct sockopt_value *sockopts_get(int fd)
{
	struct sockopt_value *all = calloc(ARRAY_SIZE(options) + 1, sizeof(*all)), *v = all;
	struct stat st;
	size_t i;

	need(all);
	for (i = 0; i < ARRAY_SIZE(options); i++, v++) {
		v->len = sizeof(v->bytes);
		/* There the length counts instructions. */
		if (options[i] == SO_GET_FILTER)
			v->len /= sizeof(struct sock_filter);
		v->ret = getsockopt(fd, SOL_SOCKET, options[i], v->bytes, &v->len);
		v->err = v->ret ? errno : 0;
	}
	need(!fstat(fd, &st));
	v->ret = fcntl(fd, F_GETFL);
	memcpy(v->bytes, &st.st_mode, sizeof(st.st_mode));
	memcpy(v->bytes + 8, &st.st_uid, sizeof(st.st_uid));
	memcpy(v->bytes + 16, &st.st_gid, sizeof(st.st_gid));
	return all;
}

/* Frees @was. */
void sockopts_same(struct sockopt_value *was, int fd)
{
	struct sockopt_value *is = sockopts_get(fd);
	size_t i;

	for (i = 0; i <= ARRAY_SIZE(options); i++)
		if (memcmp(&was[i], &is[i], sizeof(*is)))
			fail("socket %d: option %d: %d %d %d %#x, was %d %d %d %#x", fd,
			     i < ARRAY_SIZE(options) ? options[i] : -1, is[i].ret, is[i].err,
			     is[i].len, *(int *)is[i].bytes, was[i].ret, was[i].err, was[i].len,
			     *(int *)was[i].bytes);
	free(is);
	free(was);
}

static void set(int fd, int option, int value)
{
	if (setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)))
		fail("option %d (errno %d)", option, errno);
}

static void set_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	check(!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
}

static void set_some(int fd)
{
	struct timeval tv = { .tv_sec = 7, .tv_usec = 500000 };
	struct linger linger = { 1, 9 };

	set(fd, SO_SNDBUF, 70000);
	set(fd, SO_REUSEADDR, 1);
	set(fd, SO_KEEPALIVE, 1);
	set(fd, SO_OOBINLINE, 1);
	set(fd, SO_PRIORITY, 5);
	set(fd, SO_PASSCRED, 1);
	set(fd, SO_RCVLOWAT, 12);
	set(fd, SO_PEEK_OFF, 0);
	set(fd, SO_TIMESTAMP, 1);
	set(fd, SO_RXQ_OVFL, 1);
	check(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	check(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	linger.l_onoff = 0;
	check(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	set_filter(fd);
	check(!fcntl(fd, F_SETFL, O_NONBLOCK));
}

static void set_others(int fd)
{
	struct timeval tv = { .tv_sec = -1 };
	struct linger linger = { 1, -1 };
	struct sock_txtime txtime = { CLOCK_MONOTONIC, SOF_TXTIME_REPORT_ERRORS };

	set(fd, SO_RCVBUF, 90000);
	set(fd, SO_SNDBUFFORCE, 3000000);
	set(fd, SO_BROADCAST, 1);
	set(fd, SO_DEBUG, 1);
	set(fd, SO_DONTROUTE, 1);
	set(fd, SO_MARK, 0x1234);
	set(fd, SO_PASSPIDFD, 1);
	set(fd, SO_PASSSEC, 1);
	set(fd, SO_TIMESTAMPNS_NEW, 1);
	set(fd, SO_WIFI_STATUS, 1);
	set(fd, SO_NOFCS, 1);
	set(fd, SO_SELECT_ERR_QUEUE, 1);
	set(fd, SO_BUSY_POLL, 50);
	set(fd, SO_PREFER_BUSY_POLL, 1);
	set(fd, SO_BUSY_POLL_BUDGET, 64);
	set(fd, SO_MAX_PACING_RATE, 1000000);
	set(fd, SO_INCOMING_CPU, 1);
	set(fd, SO_NO_CHECK, 1);
	set(fd, SO_RCVMARK, 1);
	set(fd, SO_BUF_LOCK, 1);
	check(!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	check(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	check(!setsockopt(fd, SOL_SOCKET, SO_TXTIME, &txtime, sizeof(txtime)));
	check(!setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	set_filter(fd);
	set(fd, SO_LOCK_FILTER, 1);
	check(!fchmod(fd, 0640));
	check(!fchown(fd, 12, 34));
}

/* sockopts: sockets that do nothing yet, with options. */
static void sockopts(int argc, char **argv)
{
	const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct sockopt_value *was[ARRAY_SIZE(types)][3];
	int fds[ARRAY_SIZE(types)][3], dups[ARRAY_SIZE(types)];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (j = 0; j < 3; j++) {
			fds[i][j] = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
			need(fds[i][j] >= 0);
		}
		set_some(fds[i][1]);
		set_others(fds[i][2]);
		dups[i] = dup(fds[i][2]);
		for (j = 0; j < 3; j++)
			was[i][j] = sockopts_get(fds[i][j]);
	}
	stage();
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (j = 0; j < 3; j++)
			sockopts_same(was[i][j], fds[i][j]);
		/* They are one socket. */
		set(dups[i], SO_PRIORITY, 3);
		was[i][2] = sockopts_get(dups[i]);
		sockopts_same(was[i][2], fds[i][2]);
	}
}

const struct mode sockopt_modes[] = {
	{ "sockopts", sockopts },
	{}
};

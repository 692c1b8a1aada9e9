// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of AF_INET and AF_INET6: addresses and options; tcp.c has connections,
 * udp.c datagrams. Options are integers of getsockopt(2) and are set by
 * setsockopt(2), with its checks, where they differ from those of a new socket.
 * What else there is, and is not saved, is an obstacle.
 */
#include <linux/delay.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/sockptr.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock_reuseport.h>
#include <net/tcp.h>

#include "inet.h"

struct option {
	u16 level;
	u16 name;
};

/* In the order in which they are set. */
static const struct option options[] = {
	{ SOL_IPV6, IPV6_V6ONLY },
	{ SOL_IP, IP_TRANSPARENT }, { SOL_IP, IP_FREEBIND }, { SOL_IP, IP_BIND_ADDRESS_NO_PORT },
	{ SOL_IP, IP_LOCAL_PORT_RANGE }, { SOL_IP, IP_UNICAST_IF }, { SOL_IP, IP_TOS },
	{ SOL_IP, IP_TTL }, { SOL_IP, IP_MINTTL }, { SOL_IP, IP_MTU_DISCOVER },
	{ SOL_IP, IP_PKTINFO }, { SOL_IP, IP_RECVTTL }, { SOL_IP, IP_RECVTOS },
	{ SOL_IP, IP_RECVOPTS }, { SOL_IP, IP_RETOPTS }, { SOL_IP, IP_PASSSEC },
	{ SOL_IP, IP_RECVORIGDSTADDR }, { SOL_IP, IP_CHECKSUM }, { SOL_IP, IP_RECVFRAGSIZE },
	{ SOL_IP, IP_RECVERR }, { SOL_IP, IP_RECVERR_RFC4884 },
	{ SOL_IP, IP_MULTICAST_TTL }, { SOL_IP, IP_MULTICAST_LOOP }, { SOL_IP, IP_MULTICAST_ALL },
	{ SOL_IPV6, IPV6_UNICAST_IF }, { SOL_IPV6, IPV6_MULTICAST_IF },
	{ SOL_IPV6, IPV6_UNICAST_HOPS }, { SOL_IPV6, IPV6_MULTICAST_HOPS },
	{ SOL_IPV6, IPV6_MULTICAST_LOOP }, { SOL_IPV6, IPV6_MULTICAST_ALL },
	{ SOL_IPV6, IPV6_MTU_DISCOVER }, { SOL_IPV6, IPV6_TCLASS },
	{ SOL_IPV6, IPV6_MINHOPCOUNT }, { SOL_IPV6, IPV6_DONTFRAG },
	{ SOL_IPV6, IPV6_AUTOFLOWLABEL }, { SOL_IPV6, IPV6_ADDR_PREFERENCES },
	{ SOL_IPV6, IPV6_FLOWINFO_SEND }, { SOL_IPV6, IPV6_FLOWINFO },
	{ SOL_IPV6, IPV6_RECVERR }, { SOL_IPV6, IPV6_RECVERR_RFC4884 },
	{ SOL_IPV6, IPV6_RECVPKTINFO }, { SOL_IPV6, IPV6_2292PKTINFO },
	{ SOL_IPV6, IPV6_RECVHOPLIMIT }, { SOL_IPV6, IPV6_2292HOPLIMIT },
	{ SOL_IPV6, IPV6_RECVRTHDR }, { SOL_IPV6, IPV6_2292RTHDR },
	{ SOL_IPV6, IPV6_RECVHOPOPTS }, { SOL_IPV6, IPV6_2292HOPOPTS },
	{ SOL_IPV6, IPV6_RECVDSTOPTS }, { SOL_IPV6, IPV6_2292DSTOPTS },
	{ SOL_IPV6, IPV6_RECVTCLASS }, { SOL_IPV6, IPV6_RECVPATHMTU },
	{ SOL_IPV6, IPV6_RECVORIGDSTADDR }, { SOL_IPV6, IPV6_RECVFRAGSIZE },
	{ SOL_TCP, TCP_NODELAY }, { SOL_TCP, TCP_CORK }, { SOL_TCP, TCP_KEEPIDLE },
	{ SOL_TCP, TCP_KEEPINTVL }, { SOL_TCP, TCP_KEEPCNT }, { SOL_TCP, TCP_SYNCNT },
	{ SOL_TCP, TCP_LINGER2 }, { SOL_TCP, TCP_DEFER_ACCEPT }, { SOL_TCP, TCP_USER_TIMEOUT },
	{ SOL_TCP, TCP_FASTOPEN }, { SOL_TCP, TCP_FASTOPEN_CONNECT },
	{ SOL_TCP, TCP_FASTOPEN_NO_COOKIE }, { SOL_TCP, TCP_NOTSENT_LOWAT },
	{ SOL_TCP, TCP_INQ }, { SOL_TCP, TCP_SAVE_SYN }, { SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS },
	{ SOL_TCP, TCP_TX_DELAY },
};

static_assert(ARRAY_SIZE(options) <= CKPT_MAX_INET_OPTIONS);

/* TCP uses their place for what it knows of the first packet. */
static bool is_multicast(const struct option *o)
{
	if (o->level == SOL_IP)
		return o->name == IP_MULTICAST_TTL;
	return o->level == SOL_IPV6 &&
	       (o->name == IPV6_MULTICAST_IF || o->name == IPV6_MULTICAST_HOPS);
}

static bool has_option(const struct sock *sk, const struct option *o)
{
	if (sk_is_tcp(sk) && is_multicast(o))
		return false;
	return o->level == SOL_IP || (o->level == SOL_TCP && sk_is_tcp(sk)) ||
	       (o->level == SOL_IPV6 && sk->sk_family == AF_INET6);
}

static int read_option(struct sock *sk, const struct option *o, s32 *value)
{
	int len = sizeof(*value);
	sockptr_t val = KERNEL_SOCKPTR(value), size = KERNEL_SOCKPTR(&len);

	switch (o->level) {
	case SOL_IP:
		return do_ip_getsockopt(sk, SOL_IP, o->name, val, size);
	case SOL_TCP:
		return do_tcp_getsockopt(sk, SOL_TCP, o->name, val, size);
	}
	return do_ipv6_getsockopt(sk, SOL_IPV6, o->name, val, size);
}

static int write_option(struct sock *sk, const struct option *o, s32 value)
{
	sockptr_t val = KERNEL_SOCKPTR(&value);

	switch (o->level) {
	case SOL_IP:
		return do_ip_setsockopt(sk, SOL_IP, o->name, val, sizeof(value));
	case SOL_TCP:
		return do_tcp_setsockopt(sk, SOL_TCP, o->name, val, sizeof(value));
	}
	return do_ipv6_setsockopt(sk, SOL_IPV6, o->name, val, sizeof(value));
}

/* Returns how many, or a negative errno, reported. What the kernel lacks has no value. */
static int save_options(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk,
			struct ckpt_rec_inet_option *saved)
{
	int i, ret, nr = 0;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (!has_option(sk, &options[i]))
			continue;
		ret = read_option(sk, &options[i], &saved[nr].value);
		if (ret == -ENOPROTOOPT || ret == -EOPNOTSUPP)
			continue;
		if (ret)
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE, ret,
					  "option %u of level %u of a socket cannot be read",
					  options[i].name, options[i].level);
		saved[nr].level = options[i].level;
		saved[nr++].name = options[i].name;
	}
	return nr;
}

static int set_saved(struct sock *sk, const struct ckpt_rec_inet_option *saved)
{
	s32 now = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].level == saved->level && options[i].name == saved->name &&
		    has_option(sk, &options[i]))
			break;
	if (i == ARRAY_SIZE(options))
		return -EBADMSG;
	if (!read_option(sk, &options[i], &now) && now == saved->value)
		return 0;
	return write_option(sk, &options[i], saved->value);
}

/* What IP_PKTOPTIONS and IPV6_2292PKTOPTIONS tell of an accepted connection. */
static void save_syn(const struct sock *sk, struct ckpt_rec_inet *rec)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	const struct inet_sock *inet = inet_sk(sk);

	if (sk->sk_family == AF_INET6) {
		rec->syn_device = np->mcast_oif;
		rec->syn_ttl = np->mcast_hops;
		rec->syn_tos = (__force u32)np->rcv_flowinfo;
	} else {
		rec->syn_device = inet->mc_index;
		rec->syn_ttl = inet->mc_ttl;
		rec->syn_tos = inet->rcv_tos;
	}
}

static void set_syn(struct sock *sk, const struct ckpt_rec_inet *rec)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct inet_sock *inet = inet_sk(sk);

	if (sk->sk_family == AF_INET6) {
		np->mcast_oif = rec->syn_device;
		np->mcast_hops = rec->syn_ttl;
		np->rcv_flowinfo = (__force __be32)rec->syn_tos;
	} else {
		inet->mc_index = rec->syn_device;
		inet->mc_ttl = rec->syn_ttl;
		inet->rcv_tos = rec->syn_tos;
	}
}

static int apply_options(struct sock *sk, const struct ckpt_rec_inet *rec,
			 const struct ckpt_rec_inet_option *saved)
{
	sockptr_t name = KERNEL_SOCKPTR((void *)rec->congestion);
	u32 i, len = strnlen(rec->congestion, sizeof(rec->congestion));
	int ret = 0;

	for (i = 0; i < rec->nr_options && !ret; i++)
		ret = set_saved(sk, &saved[i]);
	if (ret || !sk_is_tcp(sk))
		return ret;
	set_syn(sk, rec);
	tcp_sk(sk)->rx_opt.user_mss = rec->user_mss;
	if (!strncmp(rec->congestion, inet_csk(sk)->icsk_ca_ops->name, TCP_CA_NAME_MAX))
		return 0;
	return do_tcp_setsockopt(sk, SOL_TCP, TCP_CONGESTION, name, len);
}

static const char *ipv6_trouble(const struct sock *sk)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	if (rcu_access_pointer(np->opt) || np->sticky_pktinfo.ipi6_ifindex ||
	    !ipv6_addr_any(&np->sticky_pktinfo.ipi6_addr))
		return "with IPv6 options";
	if (rcu_access_pointer(np->ipv6_mc_list) || np->ipv6_ac_list)
		return "with memberships for multicast or anycast";
	if (rcu_access_pointer(inet_sk(sk)->ipv6_fl_list) || np->flow_label)
		return "with a flow label";
	if (np->pktoptions || np->rxpmtu || np->frag_size)
		return "with unread IPv6 options, or a size of fragments";
	return NULL;
}

/**
 * ckpt_inet_trouble - what of an internet socket cannot be saved
 * @sk: the socket; it may be one that is not accepted yet
 *
 * Return: words that follow "an internet socket", or NULL: there is nothing.
 */
const char *ckpt_inet_trouble(const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (rcu_access_pointer(inet->inet_opt))
		return "with IP options";
	/* TCP keeps there where a connection has come from. */
	if (rcu_access_pointer(inet->mc_list) ||
	    (!sk_is_tcp(sk) && (READ_ONCE(inet->mc_index) || READ_ONCE(inet->mc_addr))))
		return "with memberships or a device for multicast";
	if ((sk->sk_userlocks & SOCK_BINDADDR_LOCK) && !inet->inet_num && !inet->inet_dport &&
	    !inet_test_bit(BIND_ADDRESS_NO_PORT, sk))
		return "with an address and without a port";
	return sk->sk_family == AF_INET6 ? ipv6_trouble(sk) : NULL;
}

static bool has_program(struct sock *sk)
{
	struct sock_reuseport *group;
	bool ret;

	rcu_read_lock();
	group = rcu_dereference(sk->sk_reuseport_cb);
	ret = group && rcu_access_pointer(group->prog);
	rcu_read_unlock();
	return ret;
}

static bool inet_is_inside(struct ckpt_ctx *ctx, struct sock *sk, const char **why)
{
	if (sk_is_tcp(sk)) {
		*why = "whose other end is outside of the tree";
		return ckpt_tcp_is_inside(ctx, sk);
	}
	*why = "of a kind that cannot be saved";
	return sk_is_udp(sk);
}

static void inet_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk)
{
	const char *why = ckpt_inet_trouble(sk);

	if (why)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "an internet socket %s", why);
	if (has_program(sk))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "a socket of a group (SO_REUSEPORT) with a program that selects");
	if (sk_is_tcp(sk))
		ckpt_tcp_collect(ctx, where, sk);
	else
		ckpt_udp_collect(ctx, where, sk);
}

static u32 get_flags(const struct sock *sk)
{
	return (inet_sk(sk)->inet_num ? CKPT_INET_BOUND : 0) |
	       (sk->sk_userlocks & SOCK_BINDADDR_LOCK ? CKPT_INET_BIND_ADDR : 0) |
	       (sk->sk_userlocks & SOCK_BINDPORT_LOCK ? CKPT_INET_BIND_PORT : 0) |
	       (sock_flag(sk, SOCK_DONE) ? CKPT_INET_DONE : 0);
}

static int inet_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk, u32 tag)
{
	struct ckpt_rec_inet rec = { .socket = tag, .flags = get_flags(sk) };
	struct ckpt_rec_inet_option *saved;
	int ret;

	saved = kcalloc(ARRAY_SIZE(options), sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	ckpt_inet_local(sk, &rec.local);
	ckpt_inet_remote(sk, &rec.peer);
	ret = save_options(ctx, t, sk, saved);
	if (ret < 0)
		goto out;
	rec.nr_options = ret;
	if (sk_is_tcp(sk)) {
		save_syn(sk, &rec);
		rec.user_mss = tcp_sk(sk)->rx_opt.user_mss;
		strscpy(rec.congestion, inet_csk(sk)->icsk_ca_ops->name, sizeof(rec.congestion));
	}
	ret = ckpt_write_record(ctx, CKPT_REC_INET, 0, sizeof(rec), &rec, sizeof(rec), saved,
				rec.nr_options * sizeof(*saved));
out:
	kfree(saved);
	if (ret)
		return ret;
	return sk_is_tcp(sk) ? ckpt_tcp_save(ctx, t, sk) : ckpt_udp_save(ctx, t, sk, tag);
}

static int inet_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_inet *saved = ckpt_rec_data(rec);
	struct ckpt_socket *s;

	s = ckpt_socket_find(ctx, saved->socket, AF_INET) ?:
	    ckpt_socket_find(ctx, saved->socket, AF_INET6);
	if (s && !s->more && (sk_is_tcp(s->sk) || sk_is_udp(s->sk))) {
		s->more = rec;
		return 0;
	}
	ckpt_free_record(rec);
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image has no internet socket for its addresses");
}

/**
 * ckpt_inet_wait - wait before an address is asked for again
 * @ret: result of the last try
 * @deadline: in jiffies; what is in use for longer stays in use
 *
 * Return: true: try again.
 */
bool ckpt_inet_wait(int ret, unsigned long deadline)
{
	if ((ret != -EADDRINUSE && ret != -EADDRNOTAVAIL) || time_after(jiffies, deadline) ||
	    fatal_signal_pending(current))
		return false;
	schedule_timeout_killable(msecs_to_jiffies(10));
	return true;
}

/**
 * ckpt_inet_locks - what bind(2) had said
 * @saved: INET record
 *
 * Return: bits of sk_userlocks.
 */
u32 ckpt_inet_locks(const struct ckpt_rec_inet *saved)
{
	return (saved->flags & CKPT_INET_BIND_ADDR ? SOCK_BINDADDR_LOCK : 0) |
	       (saved->flags & CKPT_INET_BIND_PORT ? SOCK_BINDPORT_LOCK : 0);
}

/* What a tree that was killed a moment ago has left must not be in the way. */
static int bind(struct socket *sock, const struct ckpt_rec_inet *saved)
{
	unsigned long deadline = jiffies + CKPT_PORT_WAIT;
	int ret = ckpt_inet_bind(sock, &saved->local);

	while (ckpt_inet_wait(ret, deadline)) {
		if (sk_is_tcp(sock->sk))
			ckpt_inet_free_port(sock->sk, saved->local.port);
		ret = ckpt_inet_bind(sock, &saved->local);
	}
	return ret;
}

static int finish(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_socket *socket = ckpt_rec_data(s->rec);
	const struct ckpt_rec_inet *saved = ckpt_rec_data(s->more);
	bool connected = socket->state != TCP_CLOSE && socket->state != TCP_LISTEN &&
			 socket->state != TCP_SYN_SENT;
	struct sock *sk = s->sk;
	u32 priority = READ_ONCE(sk->sk_priority);
	int ret;

	ret = apply_options(sk, saved, ckpt_rec_tail(s->more));
	/* IP_TOS sets that, too. */
	WRITE_ONCE(sk->sk_priority, priority);
	if (ret)
		return ckpt_socket_error(ctx, s, ret, "cannot have its internet options");
	/* Connections are for tcp_restore.c. */
	if (sk_is_tcp(sk) && connected)
		return 0;
	if (saved->flags & CKPT_INET_BOUND ||
	    (saved->flags & CKPT_INET_BIND_ADDR && !saved->peer.port))
		ret = bind(s->sock, saved);
	if (!ret && sk_is_udp(sk) && connected)
		ret = ckpt_inet_connect(s->sock, &saved->peer, 0);
	if (ret)
		return ckpt_address_error(ctx, s, ret, saved);
	lock_sock(sk);
	sk->sk_userlocks &= ~SOCK_BINDPORT_LOCK & ~SOCK_BINDADDR_LOCK;
	sk->sk_userlocks |= ckpt_inet_locks(saved);
	release_sock(sk);
	return 0;
}

static int inet_finish(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	if (s->more)
		return finish(ctx, s);
	return ckpt_socket_error(ctx, s, -EBADMSG, "has no addresses in the image");
}

static int start_listening(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);
	int ret;

	/* A port of its own is not what listen(2) may look for. */
	if (!sk_is_tcp(s->sk) || !inet_sk(s->sk)->inet_num)
		return ckpt_socket_error(ctx, s, -EBADMSG, "cannot listen");
	ret = security_socket_listen(s->sock, saved->backlog) ?:
	      s->sock->ops->listen(s->sock, saved->backlog);
	return ret ? ckpt_address_error(ctx, s, ret, ckpt_rec_data(s->more)) : 0;
}

/* It is connected anew, from the port that it had. */
static int start_connecting(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_inet *inet = ckpt_rec_data(s->more);
	int ret = -EBADMSG;

	if (sk_is_tcp(s->sk) && inet->peer.port)
		ret = ckpt_inet_connect(s->sock, &inet->peer, O_NONBLOCK);
	if (!ret || ret == -EINPROGRESS)
		return 0;
	return ckpt_socket_error(ctx, s, ret, "cannot be connected");
}

static bool is_inet(const struct ckpt_socket *s)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);

	return s->file && (saved->family == AF_INET || saved->family == AF_INET6);
}

static int listen(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_socket *s = obj;
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);

	return is_inet(s) && saved->state == TCP_LISTEN ? start_listening(ctx, s) : 0;
}

static int go_on(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_socket *s = obj;
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);

	return is_inet(s) && saved->state == TCP_SYN_SENT ? start_connecting(ctx, s) : 0;
}

/**
 * ckpt_inet_assemble - connect what belongs together
 * @ctx: context of a restart; all sockets have their options and ports
 *
 * All have their ports before the first listens, as it may have been.
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_inet_assemble(struct ckpt_ctx *ctx)
{
	int ret = ckpt_each_tag(ctx, &ckpt_socket_ops, listen, NULL);

	if (!ret)
		ret = ckpt_tcp_build_all(ctx);
	if (!ret)
		ret = ckpt_tcp_start_all(ctx);
	if (!ret)
		ret = ckpt_each_tag(ctx, &ckpt_socket_ops, go_on, NULL);
	return ret;
}

const struct ckpt_socket_family ckpt_inet_family = {
	.family = AF_INET,
	.name = "IPv4",
	.is_inside = inet_is_inside,
	.collect = inet_collect,
	.save = inet_save,
	.finish = inet_finish,
};

const struct ckpt_socket_family ckpt_inet6_family = {
	.family = AF_INET6,
	.name = "IPv6",
	.is_inside = inet_is_inside,
	.collect = inet_collect,
	.save = inet_save,
	.finish = inet_finish,
};

const struct ckpt_obj_ops ckpt_inet_ops = {
	.name = "internet socket",
	.rec = CKPT_REC_INET,
	.restore = inet_restore,
};

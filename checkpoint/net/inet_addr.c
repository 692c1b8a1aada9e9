// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses of IPv4 and IPv6, and who has which. IPv4 addresses that a socket of
 * AF_INET6 has are in the image as the program sees them, ::ffff:a.b.c.d.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/security.h>
#include <net/addrconf.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/inet_timewait_sock.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>

#include "inet.h"

static bool is_ipv6(int family)
{
	return family == AF_INET6;
}

static void set4(struct ckpt_rec_inet_addr *addr, __be32 ip)
{
	memcpy(addr->addr, &ip, sizeof(ip));
}

static __be32 get4(const struct ckpt_rec_inet_addr *addr)
{
	__be32 ip;

	memcpy(&ip, addr->addr, sizeof(ip));
	return ip;
}

static void set6(struct ckpt_rec_inet_addr *addr, const struct in6_addr *ip,
		 const struct sock *sk)
{
	memcpy(addr->addr, ip, sizeof(*ip));
	if (__ipv6_addr_needs_scope_id(ipv6_addr_type(ip)))
		addr->scope = sk->sk_bound_dev_if;
}

/**
 * ckpt_inet_local - address and port of a socket
 * @sk: the socket
 * @addr: filled
 */
void ckpt_inet_local(const struct sock *sk, struct ckpt_rec_inet_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->port = ntohs(inet_sk(sk)->inet_sport);
	if (is_ipv6(sk->sk_family))
		set6(addr, &sk->sk_v6_rcv_saddr, sk);
	else
		set4(addr, inet_sk(sk)->inet_rcv_saddr);
}

/**
 * ckpt_inet_remote - address and port to which a socket is, or was, connected
 * @sk: the socket
 * @addr: filled
 */
void ckpt_inet_remote(const struct sock *sk, struct ckpt_rec_inet_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->port = ntohs(inet_sk(sk)->inet_dport);
	if (is_ipv6(sk->sk_family))
		set6(addr, &sk->sk_v6_daddr, sk);
	else
		set4(addr, inet_sk(sk)->inet_daddr);
}

/**
 * ckpt_inet_sockaddr - an address in the form of system calls
 * @family: AF_INET or AF_INET6
 * @addr: the address
 * @ss: filled
 *
 * Return: bytes of @ss in use.
 */
int ckpt_inet_sockaddr(int family, const struct ckpt_rec_inet_addr *addr,
		       struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET) {
		in->sin_port = htons(addr->port);
		in->sin_addr.s_addr = get4(addr);
		return sizeof(*in);
	}
	in6->sin6_port = htons(addr->port);
	memcpy(&in6->sin6_addr, addr->addr, sizeof(in6->sin6_addr));
	in6->sin6_scope_id = addr->scope;
	return sizeof(*in6);
}

static bool is_mapped(const struct ckpt_rec_inet_addr *addr)
{
	return ipv6_addr_v4mapped((const struct in6_addr *)addr->addr);
}

/**
 * ckpt_inet_is_local - is an address one of this machine's own?
 * @net: network namespace
 * @family: AF_INET or AF_INET6
 * @addr: the address
 *
 * Return: true if it is.
 */
bool ckpt_inet_is_local(struct net *net, int family, const struct ckpt_rec_inet_addr *addr)
{
	struct in6_addr in6;
	__be32 ip;

	memcpy(&in6, addr->addr, sizeof(in6));
	if (!is_ipv6(family))
		ip = get4(addr);
	else if (is_mapped(addr))
		ip = in6.s6_addr32[3];
	else
		return ipv6_chk_addr(net, &in6, NULL, 0);
	return inet_addr_type(net, ip) == RTN_LOCAL;
}

/**
 * ckpt_inet_speaks_ipv6 - does a connected socket use IPv6?
 * @sk: the socket
 *
 * Return: true if so; false: IPv4, be it a socket of AF_INET6.
 */
bool ckpt_inet_speaks_ipv6(const struct sock *sk)
{
	return is_ipv6(sk->sk_family) && !ipv6_addr_v4mapped(&sk->sk_v6_daddr);
}

/**
 * ckpt_inet_pair - addresses of both ends of a connection, as they are in packets
 * @sk: the first end
 * @addr: filled: of this end, then of the other one
 */
void ckpt_inet_pair(const struct sock *sk, struct ckpt_rec_inet_addr *addr)
{
	ckpt_inet_local(sk, &addr[0]);
	ckpt_inet_remote(sk, &addr[1]);
	if (ckpt_inet_speaks_ipv6(sk))
		return;
	memset(addr[0].addr, 0, sizeof(addr[0].addr));
	memset(addr[1].addr, 0, sizeof(addr[1].addr));
	set4(&addr[0], inet_sk(sk)->inet_rcv_saddr);
	set4(&addr[1], inet_sk(sk)->inet_daddr);
}

/**
 * ckpt_inet_for - an address of a packet, for a socket of some family
 * @family: AF_INET or AF_INET6
 * @ipv6: @addr is of IPv6
 * @addr: the address
 * @out: filled
 */
void ckpt_inet_for(int family, bool ipv6, const struct ckpt_rec_inet_addr *addr,
		   struct ckpt_rec_inet_addr *out)
{
	struct in6_addr in6;

	*out = *addr;
	if (ipv6 || family != AF_INET6)
		return;
	ipv6_addr_set_v4mapped(get4(addr), &in6);
	memcpy(out->addr, &in6, sizeof(in6));
}

/**
 * ckpt_inet_peer - the other end of a connection of this machine
 * @sk: one end
 *
 * Return: the socket, or what stands for it (TIME_WAIT, NEW_SYN_RECV), referenced:
 * sock_gen_put() it; NULL: there is none.
 */
struct sock *ckpt_inet_peer(struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct net *net = sock_net(sk);
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	int dif = sk->sk_bound_dev_if ?: LOOPBACK_IFINDEX;

	if (ckpt_inet_speaks_ipv6(sk))
		return __inet6_lookup_established(net, hashinfo, &sk->sk_v6_rcv_saddr,
						  inet->inet_sport, &sk->sk_v6_daddr,
						  ntohs(inet->inet_dport), dif, 0);
	return __inet_lookup_established(net, hashinfo, inet->inet_rcv_saddr,
					 inet->inet_sport, inet->inet_daddr,
					 ntohs(inet->inet_dport), dif, 0);
}

/**
 * ckpt_inet_listener - the socket that probably has to accept a connection
 * @child: end of the connection that nobody has accepted
 *
 * Return: the listening socket, referenced, or NULL.
 */
struct sock *ckpt_inet_listener(struct sock *child)
{
	const struct inet_sock *inet = inet_sk(child);
	struct net *net = sock_net(child);
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	int dif = child->sk_bound_dev_if ?: LOOPBACK_IFINDEX;
	struct sock *sk;

	rcu_read_lock();
	if (ckpt_inet_speaks_ipv6(child))
		sk = inet6_lookup_listener(net, hashinfo, NULL, 0, &child->sk_v6_daddr,
					   inet->inet_dport, &child->sk_v6_rcv_saddr,
					   inet->inet_num, dif, 0);
	else
		sk = __inet_lookup_listener(net, hashinfo, NULL, 0, inet->inet_daddr,
					    inet->inet_dport, inet->inet_rcv_saddr,
					    inet->inet_num, dif, 0);
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	return sk;
}

/**
 * ckpt_inet_set_addrs - addresses of a socket that has no connection any more
 * @sk: the socket, locked, closed and not bound
 * @local: its address, or NULL: it is bound
 * @peer: where it was connected to
 *
 * An address that is not this machine's any more is not used.
 */
void ckpt_inet_set_addrs(struct sock *sk, const struct ckpt_rec_inet_addr *local,
			 const struct ckpt_rec_inet_addr *peer)
{
	struct inet_sock *inet = inet_sk(sk);

	inet->inet_dport = htons(peer->port);
	if (is_ipv6(sk->sk_family))
		memcpy(&sk->sk_v6_daddr, peer->addr, sizeof(sk->sk_v6_daddr));
	else
		sk_daddr_set(sk, get4(peer));
	if (!local)
		return;
	inet->inet_sport = htons(local->port);
	if (!ckpt_inet_is_local(sock_net(sk), sk->sk_family, local))
		return;
	if (is_ipv6(sk->sk_family)) {
		memcpy(&sk->sk_v6_rcv_saddr, local->addr, sizeof(sk->sk_v6_rcv_saddr));
		inet6_sk(sk)->saddr = sk->sk_v6_rcv_saddr;
	} else {
		sk_rcv_saddr_set(sk, get4(local));
		inet->inet_saddr = get4(local);
	}
}

/**
 * ckpt_inet_bind - give a socket its address, as bind(2) does
 * @sock: the socket
 * @addr: the address
 *
 * Return: 0 or a negative errno.
 */
int ckpt_inet_bind(struct socket *sock, const struct ckpt_rec_inet_addr *addr)
{
	struct sockaddr_storage ss;
	int len = ckpt_inet_sockaddr(sock->sk->sk_family, addr, &ss);
	int ret = security_socket_bind(sock, (struct sockaddr *)&ss, len);

	return ret ?: sock->ops->bind(sock, (struct sockaddr *)&ss, len);
}

/**
 * ckpt_inet_connect - connect a socket, as connect(2) does
 * @sock: the socket
 * @addr: where to
 * @flags: O_NONBLOCK or 0
 *
 * Return: 0 or a negative errno.
 */
int ckpt_inet_connect(struct socket *sock, const struct ckpt_rec_inet_addr *addr, int flags)
{
	struct sockaddr_storage ss;
	int len = ckpt_inet_sockaddr(sock->sk->sk_family, addr, &ss);
	int ret = security_socket_connect(sock, (struct sockaddr *)&ss, len);

	return ret ?: sock->ops->connect(sock, (struct sockaddr *)&ss, len, flags);
}

static bool is_within(const struct inet_timewait_sock *tw)
{
	struct ckpt_rec_inet_addr addr = {};

	if (is_ipv6(tw->tw_family)) {
		memcpy(addr.addr, &tw->tw_v6_daddr, sizeof(addr.addr));
		return ckpt_inet_is_local(twsk_net(tw), AF_INET6, &addr);
	}
	set4(&addr, tw->tw_daddr);
	return ckpt_inet_is_local(twsk_net(tw), AF_INET, &addr);
}

/**
 * ckpt_address_error - report that a socket cannot have its address
 * @ctx: context of a restart
 * @s: the socket
 * @err: negative errno
 * @saved: its INET record
 *
 * Return: @err.
 */
int ckpt_address_error(struct ckpt_ctx *ctx, struct ckpt_socket *s, int err,
		       const struct ckpt_rec_inet *saved)
{
	enum ckpt_reason why = err == -EPERM || err == -EACCES ? CKPT_WHY_PERMISSION :
			       err == -EBADMSG ? CKPT_WHY_IMAGE : CKPT_WHY_FILE;
	const char *protocol = sk_is_tcp(s->sk) ? "TCP" : "UDP";
	struct sockaddr_storage ss;

	ckpt_inet_sockaddr(s->sk->sk_family, &saved->local, &ss);
	return ckpt_error(ctx, CKPT_AT(s->t), why, err,
			  "a %s socket cannot have the address and port %pISpc", protocol, &ss);
}

/* One connection that is in TIME_WAIT at a port, referenced. */
static struct inet_timewait_sock *find_waiting(struct net *net, u16 port)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	struct inet_bind_hashbucket *head;
	struct inet_timewait_sock *found = NULL;
	struct inet_bind2_bucket *tb2;
	struct inet_bind_bucket *tb;
	struct sock *sk;

	head = &hashinfo->bhash[inet_bhashfn(net, port, hashinfo->bhash_size)];
	spin_lock_bh(&head->lock);
	inet_bind_bucket_for_each(tb, &head->chain) {
		if (!net_eq(ib_net(tb), net) || tb->port != port)
			continue;
		hlist_for_each_entry(tb2, &tb->bhash2, bhash_node) {
			sk_for_each_bound(sk, &tb2->owners)
				if (!found && sk->sk_state == TCP_TIME_WAIT &&
				    is_within(inet_twsk(sk)) &&
				    refcount_inc_not_zero(&sk->sk_refcnt))
					found = inet_twsk(sk);
		}
	}
	spin_unlock_bh(&head->lock);
	return found;
}

/**
 * ckpt_inet_free_port - forget connections in TIME_WAIT that keep a port
 * @sk: socket that is to have the port
 * @port: the port
 *
 * Only those between addresses of this machine, of which nothing can be under way:
 * what a tree leaves behind that was killed.
 */
void ckpt_inet_free_port(struct sock *sk, u16 port)
{
	struct inet_timewait_sock *tw;

	while ((tw = find_waiting(sock_net(sk), port))) {
		/* It takes locks that packets take in soft interrupts. */
		local_bh_disable();
		inet_twsk_deschedule_put(tw);
		local_bh_enable();
		cond_resched();
	}
}

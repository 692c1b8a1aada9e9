/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of checkpoint/net that deal with AF_INET and AF_INET6 share. */
#ifndef _CHECKPOINT_NET_INET_H
#define _CHECKPOINT_NET_INET_H

#include <linux/checkpoint_image.h>
#include <linux/memcontrol.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <net/sock.h>

#include "../internal.h"
#include "net.h"

/**
 * enum ckpt_tcp_peer - what the other end of a connection is
 * @CKPT_PEER_NONE: nothing: the kernel has forgotten it
 * @CKPT_PEER_OPEN: a socket that the tree has open
 * @CKPT_PEER_QUEUED: waits to be accepted by a socket of the tree
 * @CKPT_PEER_CLOSED: closed; what was written to it may still be under way
 * @CKPT_PEER_ENDING: in a moment it will be gone
 * @CKPT_PEER_REQUEST: not connected yet
 * @CKPT_PEER_OUTSIDE: not in the tree
 */
enum ckpt_tcp_peer {
	CKPT_PEER_NONE,
	CKPT_PEER_OPEN,
	CKPT_PEER_QUEUED,
	CKPT_PEER_CLOSED,
	CKPT_PEER_ENDING,
	CKPT_PEER_REQUEST,
	CKPT_PEER_OUTSIDE,
};

/* inet_addr.c */
void ckpt_inet_local(const struct sock *sk, struct ckpt_rec_inet_addr *addr);
void ckpt_inet_remote(const struct sock *sk, struct ckpt_rec_inet_addr *addr);
int ckpt_inet_sockaddr(int family, const struct ckpt_rec_inet_addr *addr,
		       struct sockaddr_storage *ss);
bool ckpt_inet_is_local(struct net *net, int family, const struct ckpt_rec_inet_addr *addr);
bool ckpt_inet_speaks_ipv6(const struct sock *sk);
void ckpt_inet_pair(const struct sock *sk, struct ckpt_rec_inet_addr *addr);
void ckpt_inet_for(int family, bool ipv6, const struct ckpt_rec_inet_addr *addr,
		   struct ckpt_rec_inet_addr *out);
struct sock *ckpt_inet_peer(struct sock *sk);
struct sock *ckpt_inet_listener(struct sock *child);
void ckpt_inet_set_addrs(struct sock *sk, const struct ckpt_rec_inet_addr *local,
			 const struct ckpt_rec_inet_addr *peer);
int ckpt_inet_bind(struct socket *sock, const struct ckpt_rec_inet_addr *addr);
int ckpt_inet_connect(struct socket *sock, const struct ckpt_rec_inet_addr *addr, int flags);
int ckpt_address_error(struct ckpt_ctx *ctx, struct ckpt_socket *s, int err,
		       const struct ckpt_rec_inet *saved);
void ckpt_inet_free_port(struct sock *sk, u16 port);

/* udp.c */
void ckpt_udp_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk);
int ckpt_udp_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk, u32 tag);

/* tcp.c */
void ckpt_tcp_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk);
bool ckpt_tcp_is_inside(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_tcp_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk);

/* tcp_restore.c */
int ckpt_tcp_build_all(struct ckpt_ctx *ctx);
int ckpt_tcp_start_all(struct ckpt_ctx *ctx);

/* inet.c */
const char *ckpt_inet_trouble(const struct sock *sk);
bool ckpt_inet_wait(int ret, unsigned long deadline);
u32 ckpt_inet_locks(const struct ckpt_rec_inet *saved);

/* A port that was just in use may be free in a moment. */
#define CKPT_PORT_WAIT	(3 * HZ)

/* What a kernel may be built without. */

static inline bool ckpt_tcp_has_keys(const struct tcp_sock *tp)
{
#ifdef CONFIG_TCP_MD5SIG
	if (rcu_access_pointer(tp->md5sig_info))
		return true;
#endif
#ifdef CONFIG_TCP_AO
	if (rcu_access_pointer(tp->ao_info))
		return true;
#endif
	return false;
}

/* It is accounted for when it is accepted. */
static inline void ckpt_sock_not_accounted(struct sock *sk)
{
#ifdef CONFIG_MEMCG
	mem_cgroup_sk_free(sk);
	sk->sk_memcg = NULL;
#endif
}

#endif /* _CHECKPOINT_NET_INET_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kinds of sockets share.
 */
#ifndef _CHECKPOINT_NET_NET_H
#define _CHECKPOINT_NET_NET_H

#include <linux/list.h>
#include <linux/net.h>
#include <net/sock.h>

#include "../internal.h"

/**
 * struct ckpt_socket - a restored SOCKET record
 * @rec: the record
 * @t: process that has read it, and whose the socket is
 * @file: its open file; NULL: it has none
 * @sock: the socket; NULL: it is not accepted yet
 * @sk: what is behind it
 * @taken: @file is in the tree
 * @more: what its family has read of it, or NULL
 * @queue: list of struct ckpt_socket_msg: messages that wait in it
 */
struct ckpt_socket {
	struct ckpt_rec *rec;
	struct ckpt_task *t;
	struct file *file;
	struct socket *sock;
	struct sock *sk;
	bool taken;
	struct ckpt_rec *more;
	struct list_head queue;
};

/**
 * struct ckpt_socket_msg - a message that waits in a socket
 * @list: link in the socket's queue
 * @rec: its record
 */
struct ckpt_socket_msg {
	struct list_head list;
	struct ckpt_rec *rec;
};

/**
 * struct ckpt_socket_family - sockets of a family
 * @family: AF_*
 * @name: for people
 * @is_inside: Optional. Is what the socket leads to in the tree, too? Says in @why what
 *	is not. Called without locks, but perhaps with mmap_lock.
 * @collect: Optional. Look for obstacles.
 * @save: Optional. Write the records of what only this family has; other sockets are
 *	named by ckpt_socket_save().
 * @prepare: Optional. All sockets and files exist; what must be there before any is filled.
 * @fill: Optional. All sockets exist, and have no options yet, and no addresses. All are
 *	filled before the first gets its options.
 * @finish: Optional. It has its options: give it its addresses and its state.
 *
 * @prepare, @fill and @finish are called in the caller of restart(), for each socket in the
 * order of the image.
 */
struct ckpt_socket_family {
	int family;
	const char *name;
	bool (*is_inside)(struct ckpt_ctx *ctx, struct sock *sk, const char **why);
	void (*collect)(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk);
	int (*save)(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk, u32 tag);
	int (*prepare)(struct ckpt_ctx *ctx, struct ckpt_socket *s);
	int (*fill)(struct ckpt_ctx *ctx, struct ckpt_socket *s);
	int (*finish)(struct ckpt_ctx *ctx, struct ckpt_socket *s);
};

extern const struct ckpt_socket_family ckpt_unix_family;
extern const struct ckpt_socket_family ckpt_inet_family;
extern const struct ckpt_socket_family ckpt_inet6_family;

/* socket.c */
int ckpt_socket_save(struct ckpt_ctx *ctx, struct sock *sk, bool has_file, u32 *tag);
struct ckpt_socket *ckpt_socket_find(struct ckpt_ctx *ctx, u32 tag, int family);
int ckpt_socket_error(struct ckpt_ctx *ctx, struct ckpt_socket *s, int err, const char *what);

/* inet.c */
int ckpt_inet_assemble(struct ckpt_ctx *ctx);

/* options.c */
const char *ckpt_sock_trouble(struct sock *sk);
void ckpt_sock_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk);
void ckpt_sock_fill(struct sock *sk, struct ckpt_rec_socket *rec);
int ckpt_sock_get_filter(struct sock *sk, void *insns, u32 nr);
int ckpt_sock_set_options(struct sock *sk, struct ckpt_rec *rec);
int ckpt_sock_set(struct ckpt_socket *s);

/* What a kernel may be built without. */

static inline bool ckpt_sock_has_policy(const struct sock *sk)
{
#ifdef CONFIG_XFRM
	return rcu_access_pointer(sk->sk_policy[0]) || rcu_access_pointer(sk->sk_policy[1]);
#else
	return false;
#endif
}

static inline bool ckpt_sock_has_bpf_storage(const struct sock *sk)
{
#ifdef CONFIG_BPF_SYSCALL
	return rcu_access_pointer(sk->sk_bpf_storage);
#else
	return false;
#endif
}

static inline void ckpt_sock_get_busy(const struct sock *sk, struct ckpt_rec_socket *rec)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	rec->busy_poll = READ_ONCE(sk->sk_ll_usec);
	rec->busy_budget = READ_ONCE(sk->sk_busy_poll_budget);
	if (READ_ONCE(sk->sk_prefer_busy_poll))
		rec->flags |= CKPT_SOCK_PREFER_BUSY;
#endif
}

#endif /* _CHECKPOINT_NET_NET_H */

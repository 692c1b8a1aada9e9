// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of AF_UNIX: restoring. First listening sockets get the connections that
 * they have not accepted, then all sockets are filled (unix_fill.c), then each gets
 * its peer and its name. The last step makes others find it.
 */
#include <linux/checkpoint_state.h>
#include <linux/net.h>
#include <linux/slab.h>

#include "unix.h"

static const struct ckpt_rec_unix *more_of(struct ckpt_socket *s)
{
	return ckpt_rec_data(s->more);
}

static bool is_closed(struct ckpt_socket *s)
{
	return more_of(s)->flags & CKPT_UNIX_CLOSED;
}

/* Of a connection both ends know each other, unless one is closed. */
static bool is_connection(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_unix *u = more_of(s);
	struct ckpt_socket *peer = ckpt_socket_find(ctx, u->peer, AF_UNIX);

	return peer && peer != s && peer->more && peer->sk->sk_type == s->sk->sk_type &&
	       (is_closed(peer) || more_of(peer)->peer == u->socket);
}

static bool fits_state(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);
	const struct ckpt_rec_unix *u = more_of(s);
	struct ckpt_socket *peer;

	if (!(saved->flags & CKPT_SOCK_NO_FILE) == (is_closed(s) || u->listener))
		return false;
	if (is_closed(s))
		return list_empty(&s->queue);
	if (s->sk->sk_type == SOCK_DGRAM) {
		peer = u->peer ? ckpt_socket_find(ctx, u->peer, AF_UNIX) : NULL;
		return !u->listener &&
		       (u->peer ? peer && peer->sk->sk_type == SOCK_DGRAM : true) &&
		       (saved->state == TCP_CLOSE || saved->state == TCP_ESTABLISHED);
	}
	switch (saved->state) {
	case TCP_ESTABLISHED:
		return is_connection(ctx, s);
	case TCP_LISTEN:
		return !u->peer && !u->listener && u->name_len;
	case TCP_CLOSE:
		return !u->peer && !u->listener && list_empty(&s->queue);
	}
	return false;
}

/* In place of the socket that was made for it: it is accepted later. */
static int add_pending(struct ckpt_ctx *ctx, struct ckpt_socket *s, struct ckpt_rec *rec)
{
	const struct ckpt_rec_unix_msg *m = ckpt_rec_data(rec);
	struct ckpt_socket *pending = ckpt_socket_find(ctx, m->sender, AF_UNIX);
	struct sock *sk;

	if (!pending || pending == s || !pending->sock || pending->file || !pending->more ||
	    more_of(pending)->listener != m->socket || m->len || m->nr_files ||
	    pending->sk->sk_type != s->sk->sk_type)
		return -EBADMSG;
	sk = checkpoint_unix_pending(s->sk);
	if (IS_ERR(sk))
		return PTR_ERR(sk);
	sock_release(pending->sock);
	pending->sock = NULL;
	pending->sk = sk;
	return 0;
}

/**
 * ckpt_unix_prepare - prepare method of sockets of AF_UNIX
 * @ctx: context of a restart
 * @s: the socket
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_unix_prepare(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);
	struct ckpt_socket_msg *msg;
	int ret = s->more && fits_state(ctx, s) ? 0 : -EBADMSG;

	if (ret)
		return ckpt_socket_error(ctx, s, ret, "is in a state that cannot be");
	if (saved->state != TCP_LISTEN || s->sk->sk_type == SOCK_DGRAM || is_closed(s))
		return 0;
	/* So that what it has is let go with it. Nobody can find it yet. */
	WRITE_ONCE(s->sk->sk_state, TCP_LISTEN);
	list_for_each_entry(msg, &s->queue, list) {
		ret = add_pending(ctx, s, msg->rec);
		if (ret)
			return ckpt_socket_error(ctx, s, ret,
						 "cannot have a connection that waited in it");
	}
	return 0;
}

static int set_peer_cred(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_unix *u = more_of(s);
	struct sock *sk = s->sk;
	const struct cred *cred;
	struct pid *pid = NULL;
	int ret;

	if (!(u->flags & CKPT_UNIX_PEER_CRED))
		return 0;
	cred = ckpt_socket_cred(u->peer_uid, u->peer_gid, ckpt_rec_tail(s->more), u->nr_groups);
	if (IS_ERR(cred))
		return PTR_ERR(cred);
	ret = ckpt_socket_pid(ctx, u->peer_pid, u->flags & CKPT_UNIX_PEER_GONE, &pid);
	if (ret) {
		put_cred(cred);
		return ret;
	}
	spin_lock(&sk->sk_peer_lock);
	swap(sk->sk_peer_cred, cred);
	swap(sk->sk_peer_pid, pid);
	spin_unlock(&sk->sk_peer_lock);
	put_cred(cred);
	put_pid(pid);
	return 0;
}

/* Its name, and what was sent from it, is all that is left. */
static int close_it(struct ckpt_socket *s)
{
	const struct ckpt_rec_unix *u = more_of(s);
	int ret = ckpt_unix_set_name(s->sk, ckpt_unix_name(s), u->name_len);

	sock_hold(s->sk);
	sock_release(s->sock);
	s->sock = NULL;
	return ret;
}

static void set_peer(struct ckpt_socket *s, struct ckpt_socket *peer)
{
	sock_hold(peer->sk);
	unix_state_lock(s->sk);
	unix_peer(s->sk) = peer->sk;
	unix_state_unlock(s->sk);
}

static void set_state(struct ckpt_socket *s)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);

	unix_state_lock(s->sk);
	WRITE_ONCE(s->sk->sk_state, saved->state);
	WRITE_ONCE(s->sk->sk_shutdown, saved->shutdown);
	WRITE_ONCE(s->sk->sk_err, saved->error);
	unix_state_unlock(s->sk);
	if (s->sock)
		s->sock->state = saved->connected;
}

/**
 * ckpt_unix_finish - finish method of sockets of AF_UNIX
 * @ctx: context of a restart
 * @s: the socket
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_unix_finish(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_unix *u = more_of(s);
	int ret;

	if (is_closed(s)) {
		ret = close_it(s);
		return ret ? ckpt_socket_error(ctx, s, ret, "cannot have its name") : 0;
	}
	ret = set_peer_cred(ctx, s);
	if (ret)
		return ckpt_socket_error(ctx, s, ret,
					 "cannot have a peer of this user, group or process");
	if (u->peer)
		set_peer(s, ckpt_socket_find(ctx, u->peer, AF_UNIX));
	set_state(s);
	if (u->flags & CKPT_UNIX_BOUND)
		return ckpt_unix_bind(ctx, s);
	ret = ckpt_unix_set_name(s->sk, ckpt_unix_name(s), u->name_len);
	return ret ? ckpt_socket_error(ctx, s, ret, "cannot have its name") : 0;
}

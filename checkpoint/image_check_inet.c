// SPDX-License-Identifier: GPL-2.0-only
/* What the records of internet sockets must be. Builds in user space, too. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

#define MIN_MSS		48	/* of any host: 88, less what options take */
#define MAX_WSCALE	14

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

/**
 * ckpt_check_inet - check an INET record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_inet(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const struct ckpt_rec_inet *s = ckpt_rec_data(rec);
	size_t len = strnlen(s->congestion, sizeof(s->congestion));

	if (!s->socket || s->flags & ~CKPT_INET_ALL || s->local.reserved || s->peer.reserved)
		return damaged(r, "an internet socket has unknown flags or no tag");
	if ((s->flags & CKPT_INET_BOUND && !s->local.port) || s->user_mss > 0xffff ||
	    s->syn_device > INT_MAX || s->syn_ttl > 0xff || s->reserved ||
	    memchr_inv(s->congestion + len, 0, sizeof(s->congestion) - len))
		return damaged(r, "an internet socket has an impossible value");
	if (rec->length - rec->unit !=
	    (u64)s->nr_options * sizeof(struct ckpt_rec_inet_option))
		return damaged(r, "an internet socket has a wrong number of options");
	return 0;
}

static bool is_end(const struct ckpt_rec_tcp_end *e)
{
	if (e->flags & ~CKPT_TCP_END_ALL || e->reserved || e->unread > CKPT_MAX_TCP ||
	    e->unsent > CKPT_MAX_TCP || (e->listener && !e->socket))
		return false;
	if (e->flags & CKPT_TCP_NONE)
		return e->flags == CKPT_TCP_NONE && !e->socket && !e->unread && !e->unsent;
	/* A closed end has read all that it will, and sends no more. */
	if (!e->socket && (e->unread || !(e->flags & CKPT_TCP_FIN_SENT)))
		return false;
	if (e->flags & CKPT_TCP_FIN_SEEN && (!(e->flags & CKPT_TCP_FIN_SENT) || e->unsent))
		return false;
	return e->window <= CKPT_MAX_TCP_WINDOW && e->max_window <= CKPT_MAX_TCP_WINDOW &&
	       e->window_clamp <= CKPT_MAX_TCP_WINDOW &&
	       e->rcv_ssthresh <= CKPT_MAX_TCP_WINDOW &&
	       e->rcvq_space <= CKPT_MAX_TCP_WINDOW && e->wscale <= MAX_WSCALE &&
	       e->sndbuf >= 0 && e->rcvbuf >= 0;
}

/* Numbers that a connection divides by, if there is one. */
static bool is_alive(const struct ckpt_rec_tcp_end *e)
{
	return e->flags & CKPT_TCP_NONE ||
	       (e->mss >= MIN_MSS && e->mss <= 0xffff && e->advmss >= MIN_MSS &&
		e->advmss <= 0xffff);
}

/**
 * ckpt_check_tcp - check a TCP record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_tcp(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const struct ckpt_rec_tcp *t = ckpt_rec_data(rec);
	const struct ckpt_rec_tcp_end *a = &t->ends[0], *b = &t->ends[1];

	if (!rec->tag || t->flags & ~CKPT_TCP_ALL || t->reserved || t->addr[0].reserved ||
	    t->addr[1].reserved)
		return damaged(r, "a connection has unknown flags or no tag");
	if (!is_end(a) || !is_end(b) || !a->socket || a->socket == b->socket)
		return damaged(r, "a connection has an impossible end");
	if (rec->length - rec->unit != (u64)a->unread + a->unsent + b->unread + b->unsent)
		return damaged(r, "a connection has a wrong length");
	if (t->flags & CKPT_TCP_DEAD)
		return b->flags & CKPT_TCP_NONE && !a->listener && !a->unsent ? 0 :
		       damaged(r, "what is left of a connection is impossible");
	/* Both would have forgotten it. */
	if (a->flags & b->flags & CKPT_TCP_FIN_SEEN)
		return damaged(r, "a connection was closed by both ends");
	if (!t->addr[0].port || !t->addr[1].port || !is_alive(a) || !is_alive(b))
		return damaged(r, "a connection has an impossible port or segment size");
	return 0;
}

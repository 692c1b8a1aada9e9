// SPDX-License-Identifier: GPL-2.0-only
/*
 * UDP: what is not an option of inet.c.
 */
#include <linux/udp.h>
#include <net/udp.h>

#include "inet.h"

static const char *trouble(struct sock *sk)
{
	const struct udp_sock *up = udp_sk(sk);

	if (READ_ONCE(up->pending) || udp_test_bit(CORK, sk))
		return "with data that is not sent yet (UDP_CORK)";
	if (READ_ONCE(up->encap_type) || udp_test_bit(ENCAP_ENABLED, sk))
		return "that decapsulates packets";
	if (READ_ONCE(up->gso_size) || udp_test_bit(GRO_ENABLED, sk))
		return "with segmentation (UDP_SEGMENT, UDP_GRO)";
	if (udp_get_no_check6_tx(sk) || udp_get_no_check6_rx(sk))
		return "without checksums";
	if (!skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	    !skb_queue_empty_lockless(&up->reader_queue))
		return "with unread datagrams";
	return NULL;
}

/**
 * ckpt_udp_collect - look for what keeps a UDP socket from being saved
 * @ctx: context of a save
 * @where: what holds it
 * @sk: the socket
 */
void ckpt_udp_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk)
{
	const char *why = trouble(sk);

	if (why)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "a UDP socket %s", why);
}

int ckpt_udp_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk, u32 tag)
{
	return trouble(sk) ? -EBUSY : 0;
}

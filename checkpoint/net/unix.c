// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of AF_UNIX.
 */
#include <linux/un.h>
#include <net/af_unix.h>
#include <net/tcp_states.h>

#include "net.h"

static void unix_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk)
{
	if (READ_ONCE(sk->sk_state) != TCP_CLOSE || READ_ONCE(unix_sk(sk)->addr) ||
	    !skb_queue_empty_lockless(&sk->sk_receive_queue) || READ_ONCE(unix_peer(sk)))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "a Unix socket that is bound or connected");
}

const struct ckpt_socket_family ckpt_unix_family = {
	.family = AF_UNIX,
	.name = "Unix",
	.collect = unix_collect,
};

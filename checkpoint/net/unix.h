/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of sockets of AF_UNIX share.
 */
#ifndef _CHECKPOINT_NET_UNIX_H
#define _CHECKPOINT_NET_UNIX_H

#include <linux/skbuff.h>
#include <linux/un.h>
#include <net/af_unix.h>
#include <net/scm.h>
#include <net/tcp_states.h>

#include "net.h"

/* Where a socket is. */
enum ckpt_unix_place {
	CKPT_UNIX_INSIDE,	/* the tree has it open */
	CKPT_UNIX_PENDING,	/* it waits in a socket that the tree has open */
	CKPT_UNIX_GONE,		/* closed */
	CKPT_UNIX_OUTSIDE,	/* somebody else has it */
};

static inline struct sk_buff *ckpt_unix_oob(struct sock *sk)
{
#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	return READ_ONCE(unix_sk(sk)->oob_skb);
#else
	return NULL;
#endif
}

static inline u32 ckpt_unix_label(const struct sk_buff *skb)
{
#ifdef CONFIG_SECURITY_NETWORK
	return UNIXCB(skb).secid;
#else
	return 0;
#endif
}

static inline bool ckpt_unix_set_oob(struct sock *sk, struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	WRITE_ONCE(unix_sk(sk)->oob_skb, skb);
	return true;
#else
	return false;
#endif
}

/* In a UNIX record, behind the groups. */
static inline const char *ckpt_unix_name(struct ckpt_socket *s)
{
	const struct ckpt_rec_unix *u = ckpt_rec_data(s->more);

	return (const char *)ckpt_rec_tail(s->more) + u->nr_groups * sizeof(u32);
}

/* unix.c */
enum ckpt_unix_place ckpt_unix_place(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_unix_save_other(struct ckpt_ctx *ctx, struct sock *sk, u32 *tag);
u32 ckpt_unix_pid(struct ckpt_ctx *ctx, struct pid *pid, bool *gone);

/* unix_queue.c */
struct sk_buff **ckpt_unix_queue(struct sock *sk, u32 *nr);
void ckpt_unix_put_queue(struct sk_buff **skbs, u32 nr);
void ckpt_unix_queue_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			     struct sock *sk);
int ckpt_unix_queue_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk, u32 tag);

/* unix_fill.c */
int ckpt_unix_fill(struct ckpt_ctx *ctx, struct ckpt_socket *s);

/* unix_restore.c */
int ckpt_unix_prepare(struct ckpt_ctx *ctx, struct ckpt_socket *s);
int ckpt_unix_finish(struct ckpt_ctx *ctx, struct ckpt_socket *s);

/* unix_bind.c */
int ckpt_unix_set_name(struct sock *sk, const void *name, u32 len);
int ckpt_unix_bind(struct ckpt_ctx *ctx, struct ckpt_socket *s);

/* identity.c */
bool ckpt_may_be_group(kgid_t gid);
int ckpt_socket_pid(struct ckpt_ctx *ctx, u32 nr, bool gone, struct pid **pid);
const struct cred *ckpt_socket_cred(u32 uid, u32 gid, const u32 *groups, u32 nr_groups);

#endif /* _CHECKPOINT_NET_UNIX_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What waits in sockets of AF_UNIX: bytes and messages with their borders, who has
 * sent them, and descriptors under way; and in a listening socket the connections
 * that are not accepted yet. Saving; filling is in unix_fill.c.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "unix.h"

/* More of a stream is saved as several messages: it has no borders. */
#define STREAM_PIECE	(32 * 1024)

/**
 * ckpt_unix_queue - all that waits in a socket
 * @sk: the socket
 * @nr: gets how many
 *
 * Return: references to all, for ckpt_unix_put_queue(), or an ERR_PTR().
 */
struct sk_buff **ckpt_unix_queue(struct sock *sk, u32 *nr)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	u32 room = skb_queue_len_lockless(queue);
	struct sk_buff **skbs, *skb;

	/* Strangers may add to it. */
	skbs = kvmalloc_array(room + 1, sizeof(*skbs), GFP_KERNEL_ACCOUNT);
	if (!skbs)
		return ERR_PTR(-ENOMEM);
	*nr = 0;
	spin_lock(&queue->lock);
	skb_queue_walk(queue, skb) {
		if (*nr == room)
			break;
		skbs[(*nr)++] = skb_get(skb);
	}
	spin_unlock(&queue->lock);
	return skbs;
}

/**
 * ckpt_unix_put_queue - release what ckpt_unix_queue() has returned
 * @skbs: that
 * @nr: how many
 */
void ckpt_unix_put_queue(struct sk_buff **skbs, u32 nr)
{
	while (nr)
		consume_skb(skbs[--nr]);
	kvfree(skbs);
}

static u32 len_of(struct sock *sk, struct sk_buff *skb)
{
	return sk->sk_type == SOCK_STREAM ? skb->len - UNIXCB(skb).consumed : skb->len;
}

static bool knows_sender(struct sk_buff *skb)
{
	struct user_namespace *ns = current_user_ns();

	return !UNIXCB(skb).pid || ((!uid_valid(UNIXCB(skb).uid) ||
				     kuid_has_mapping(ns, UNIXCB(skb).uid)) &&
				    (!gid_valid(UNIXCB(skb).gid) ||
				     kgid_has_mapping(ns, UNIXCB(skb).gid)));
}

static bool has_label(struct sock *sk, struct sk_buff *skb)
{
	return sk->sk_socket && test_bit(SOCK_PASSSEC, &sk->sk_socket->flags) &&
	       ckpt_unix_label(skb);
}

static void collect_message(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			    struct sock *sk, struct sk_buff *skb)
{
	if (!knows_sender(skb))
		ckpt_obstacle(ctx, where, CKPT_WHY_CRED,
			      "a message from an unknown user or group in a Unix socket");
	if (has_label(sk, skb))
		ckpt_obstacle(ctx, where, CKPT_WHY_LSM,
			      "a message with a security label (SO_PASSSEC) in a Unix socket");
	if (skb->len > CKPT_MAX_UNIX_MSG)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "a message of %u bytes in a Unix socket", skb->len);
}

static void collect_pending(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			    struct sock *sk)
{
	struct sock *client = unix_peer_get(sk);

	if (client && ckpt_unix_place(ctx, client) == CKPT_UNIX_OUTSIDE)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "a connection from outside of the tree that is not accepted yet; try again when it is");
	if (client)
		sock_put(client);
	ckpt_unix_queue_collect(ctx, where, sk);
}

/**
 * ckpt_unix_queue_collect - look for what cannot be saved of what waits in a socket
 * @ctx: context of a save
 * @where: what holds the socket
 * @sk: the socket
 */
void ckpt_unix_queue_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			     struct sock *sk)
{
	bool listens = READ_ONCE(sk->sk_state) == TCP_LISTEN;
	u32 i, nr;
	struct sk_buff **skbs = ckpt_unix_queue(sk, &nr);

	/* Then saving it fails, too. */
	if (IS_ERR(skbs))
		return;
	for (i = 0; i < nr; i++) {
		if (listens)
			collect_pending(ctx, where, skbs[i]->sk);
		else
			collect_message(ctx, where, sk, skbs[i]);
		cond_resched();
	}
	ckpt_unix_put_queue(skbs, nr);
}

static void fill_sender(struct ckpt_ctx *ctx, struct sk_buff *skb,
			struct ckpt_rec_unix_msg *rec)
{
	bool gone;

	rec->uid = CKPT_NO_ID;
	rec->gid = CKPT_NO_ID;
	if (uid_valid(UNIXCB(skb).uid))
		rec->uid = from_kuid(current_user_ns(), UNIXCB(skb).uid);
	if (gid_valid(UNIXCB(skb).gid))
		rec->gid = from_kgid(current_user_ns(), UNIXCB(skb).gid);
	if (!UNIXCB(skb).pid)
		return;
	rec->flags |= CKPT_MSG_CRED;
	rec->pid = ckpt_unix_pid(ctx, UNIXCB(skb).pid, &gone);
	if (gone)
		rec->flags |= CKPT_MSG_GONE;
}

static int save_files(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sk_buff *skb,
		      u32 *tags)
{
	const struct scm_fp_list *fp = UNIXCB(skb).fp;
	struct file *file;
	int i, ret = 0;

	for (i = 0; fp && i < fp->count && !ret; i++) {
		/* The callee expects a reference of ours. */
		file = get_file(fp->fp[i]);
		ret = ckpt_file_save(ctx, t, file, &tags[i]);
		fput(file);
	}
	return ret;
}

/* Writes a part of a message; its descriptors come with the first. */
static int write_piece(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sk_buff *skb,
		       struct ckpt_rec_unix_msg *rec, u32 from)
{
	size_t files;
	char *buf;
	int ret;

	rec->nr_files = !from && UNIXCB(skb).fp ? UNIXCB(skb).fp->count : 0;
	files = rec->nr_files * sizeof(u32);
	buf = kvzalloc(files + rec->len + 1, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	ret = rec->nr_files ? save_files(ctx, t, skb, (u32 *)buf) : 0;
	/* What was read is nobody's business. */
	if (!ret && !(rec->flags & CKPT_MSG_READ))
		ret = skb_copy_bits(skb, UNIXCB(skb).consumed + from, buf + files, rec->len);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_UNIX_MSG, 0, sizeof(*rec), rec,
					sizeof(*rec), buf, files + rec->len);
	kvfree(buf);
	return ret;
}

static int save_message(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk,
			struct sk_buff *skb, u32 tag)
{
	u32 len = len_of(sk, skb), from = 0, left = skb->truesize;
	struct ckpt_rec_unix_msg rec = {
		.socket = tag,
		.stamp_ns = max(ktime_to_ns(skb->tstamp), 0LL),
	};
	int ret = ckpt_unix_save_other(ctx, skb->sk, &rec.sender);

	fill_sender(ctx, skb, &rec);
	if (sk->sk_type == SOCK_STREAM && !len) {
		rec.flags |= CKPT_MSG_READ;
		len = 1;
	} else if (skb == ckpt_unix_oob(sk)) {
		rec.flags |= CKPT_MSG_OOB;
	}
	do {
		rec.len = len - from;
		if (sk->sk_type == SOCK_STREAM)
			rec.len = min_t(u32, rec.len, STREAM_PIECE);
		rec.truesize = from + rec.len < len ? rec.len : max(left, rec.len);
		left -= min(left, rec.truesize);
		if (!ret)
			ret = write_piece(ctx, t, skb, &rec, from);
		from += rec.len;
	} while (from < len && !ret);
	return ret;
}

/* Only its place in the queue: it is saved as any socket. */
static int save_pending(struct ckpt_ctx *ctx, struct sock *sk, u32 tag)
{
	struct ckpt_rec_unix_msg rec = { .socket = tag, .uid = CKPT_NO_ID, .gid = CKPT_NO_ID };
	int ret = ckpt_unix_save_other(ctx, sk, &rec.sender);

	return ret ?: ckpt_write_record(ctx, CKPT_REC_UNIX_MSG, 0, sizeof(rec), &rec,
					sizeof(rec), NULL, 0);
}

/**
 * ckpt_unix_queue_save - save what waits in a socket
 * @ctx: context of a save
 * @t: process of which descriptors are saved
 * @sk: the socket
 * @tag: its tag
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unix_queue_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk, u32 tag)
{
	bool listens = READ_ONCE(sk->sk_state) == TCP_LISTEN;
	u32 i, nr;
	struct sk_buff **skbs = ckpt_unix_queue(sk, &nr);
	int ret = 0;

	if (IS_ERR(skbs))
		return PTR_ERR(skbs);
	for (i = 0; i < nr && !ret; i++) {
		ret = listens ? save_pending(ctx, skbs[i]->sk, tag) :
				save_message(ctx, t, sk, skbs[i], tag);
		cond_resched();
	}
	ckpt_unix_put_queue(skbs, nr);
	return ret;
}

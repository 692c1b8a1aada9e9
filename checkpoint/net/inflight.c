// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors that are under way through sockets of AF_UNIX, and perhaps nowhere else:
 * the tree has them as it has those of its tables. They count as references
 * (file/refs.c), and are looked at for obstacles. A socket under way may have others
 * under way in it, so sockets are put on a list instead of being followed.
 */
#include <linux/fs.h>
#include <linux/slab.h>

#include "unix.h"

/**
 * struct ckpt_inflight - a message with descriptors
 * @t: a process that could get them
 * @skb: the message, with a reference
 */
struct ckpt_inflight {
	struct ckpt_task *t;
	struct sk_buff *skb;
};

/**
 * ckpt_inflight_note - a socket of the tree may have descriptors under way
 * @ctx: context of a save
 * @file: any open file that is counted for the first time
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_inflight_note(struct ckpt_ctx *ctx, struct file *file)
{
	struct unix_sock *u = unix_get_socket(file);
	int ret;

	if (!u)
		return 0;
	ret = xa_err(xa_store(&ctx->carriers, ctx->nr_carriers, &u->sk, GFP_KERNEL_ACCOUNT));
	if (ret)
		return ret;
	sock_hold(&u->sk);
	ctx->nr_carriers++;
	return 0;
}

static int note_message(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sk_buff *skb)
{
	struct scm_fp_list *fp = UNIXCB(skb).fp;
	struct ckpt_inflight *f;
	int i, ret;

	if (!fp)
		return 0;
	f = kmalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->t = t;
	f->skb = skb_get(skb);
	ret = xa_err(xa_store(&ctx->inflight, ctx->nr_inflight, f, GFP_KERNEL_ACCOUNT));
	if (ret) {
		consume_skb(skb);
		kfree(f);
		return ret;
	}
	ctx->nr_inflight++;
	for (i = 0; i < fp->count && !ret; i++)
		ret = ckpt_refs_add(ctx, fp->fp[i]);
	return ret;
}

/* Of a listening socket each message is a connection, which has messages itself. */
static int walk(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk, bool pending)
{
	bool listens = !pending && READ_ONCE(sk->sk_state) == TCP_LISTEN;
	u32 i, nr;
	struct sk_buff **skbs = ckpt_unix_queue(sk, &nr);
	int ret = 0;

	if (IS_ERR(skbs))
		return PTR_ERR(skbs);
	for (i = 0; i < nr && !ret; i++) {
		ret = listens ? walk(ctx, t, skbs[i]->sk, true) : note_message(ctx, t, skbs[i]);
		cond_resched();
	}
	ckpt_unix_put_queue(skbs, nr);
	return ret;
}

/**
 * ckpt_inflight_count - count the descriptors under way through what was noted
 * @ctx: context of a save
 * @t: process in whose table the sockets were found
 *
 * Return: 0 or a negative errno.
 */
int ckpt_inflight_count(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	int ret = 0;

	while (ctx->nr_walked < ctx->nr_carriers && !ret)
		ret = walk(ctx, t, xa_load(&ctx->carriers, ctx->nr_walked++), false);
	return ret;
}

/**
 * ckpt_inflight_collect - look for obstacles of files that are under way
 * @ctx: context of a save
 *
 * Return: 0 or -EINTR.
 */
int ckpt_inflight_collect(struct ckpt_ctx *ctx)
{
	struct ckpt_inflight *f;
	struct scm_fp_list *fp;
	unsigned long index;
	struct file *file;
	int i;

	xa_for_each(&ctx->inflight, index, f) {
		fp = UNIXCB(f->skb).fp;
		for (i = 0; fp && i < fp->count; i++) {
			/* The callee expects a reference of ours. */
			file = get_file(fp->fp[i]);
			ckpt_file_collect(ctx, CKPT_AT(f->t), file);
			fput(file);
		}
		if (READ_ONCE(ctx->killed))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * ckpt_inflight_find - is a file under way?
 * @ctx: context of a save
 * @file: address of a file, which may be gone
 * @holder: gets a process that could get it
 *
 * Return: a reference to the file, or NULL: it is not.
 */
struct file *ckpt_inflight_find(struct ckpt_ctx *ctx, const struct file *file,
				struct ckpt_task **holder)
{
	struct ckpt_inflight *f;
	struct scm_fp_list *fp;
	unsigned long index;
	int i;

	xa_for_each(&ctx->inflight, index, f) {
		fp = UNIXCB(f->skb).fp;
		*holder = f->t;
		for (i = 0; fp && i < fp->count; i++)
			if (fp->fp[i] == file)
				return get_file(fp->fp[i]);
	}
	return NULL;
}

/**
 * ckpt_inflight_free - forget what was noted
 * @ctx: context
 *
 * The tree must not go on before: a message counts as its sender's until it is freed.
 */
void ckpt_inflight_free(struct ckpt_ctx *ctx)
{
	struct ckpt_inflight *f;
	unsigned long index;
	struct sock *sk;

	xa_for_each(&ctx->inflight, index, f) {
		consume_skb(f->skb);
		kfree(f);
	}
	xa_destroy(&ctx->inflight);
	xa_for_each(&ctx->carriers, index, sk)
		sock_put(sk);
	xa_destroy(&ctx->carriers);
}

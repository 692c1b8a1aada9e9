// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filling sockets of AF_UNIX. Every message is sent again, from the socket from which
 * it came, by the kernel's own sendmsg(), so that it is accounted for as it was; then
 * it gets what was known of its sender, its time and its descriptors. Neither socket
 * has a peer or a limit meanwhile.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "unix.h"

/* What a sender may have on its way in all: more cannot be counted. */
#define MOST		SZ_1G

/* What is set while a message is sent. */
struct saved {
	struct sock *peer;
	unsigned char state;
	int sndbuf;
	u32 backlog;
};

static void connect_for_now(struct sock *sk, struct sock *to, struct saved *was)
{
	unix_state_lock(sk);
	was->peer = unix_peer(sk);
	was->state = sk->sk_state;
	unix_peer(sk) = to;
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	unix_state_unlock(sk);
	was->sndbuf = sk->sk_sndbuf;
	was->backlog = to->sk_max_ack_backlog;
	WRITE_ONCE(sk->sk_sndbuf, MOST);
	WRITE_ONCE(to->sk_max_ack_backlog, INT_MAX);
}

static void disconnect_again(struct sock *sk, struct sock *to, const struct saved *was)
{
	WRITE_ONCE(to->sk_max_ack_backlog, was->backlog);
	WRITE_ONCE(sk->sk_sndbuf, was->sndbuf);
	unix_state_lock(sk);
	unix_peer(sk) = was->peer;
	WRITE_ONCE(sk->sk_state, was->state);
	unix_state_unlock(sk);
}

/* Return: the message in the queue of @to, or an ERR_PTR(). */
static struct sk_buff *send(struct ckpt_socket *from, struct sock *to, void *data, u32 len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = { .iov_base = data, .iov_len = len };
	struct sk_buff_head *queue = &to->sk_receive_queue;
	u32 before = skb_queue_len_lockless(queue);
	struct saved was;
	int ret;

	connect_for_now(from->sk, to, &was);
	ret = kernel_sendmsg(from->sock, &msg, &vec, 1, len);
	disconnect_again(from->sk, to, &was);
	if (ret < 0)
		return ERR_PTR(ret);
	/* Nobody else can reach it yet. */
	if (ret != len || skb_queue_len_lockless(queue) != before + 1)
		return ERR_PTR(-EMSGSIZE);
	return skb_peek_tail(queue);
}

/* As SO_PASSCRED has it; a sender says that by SCM_CREDENTIALS. */
static int set_sender(struct ckpt_ctx *ctx, struct sk_buff *skb,
		      const struct ckpt_rec_unix_msg *m)
{
	kuid_t uid = m->uid == CKPT_NO_ID ? INVALID_UID : make_kuid(current_user_ns(), m->uid);
	kgid_t gid = m->gid == CKPT_NO_ID ? INVALID_GID : make_kgid(current_user_ns(), m->gid);
	struct pid *pid = NULL;
	int ret = 0;

	if ((uid_valid(uid) && !ckpt_may_act_as(uid)) ||
	    (gid_valid(gid) && !ckpt_may_be_group(gid)))
		return -EPERM;
	if ((m->uid != CKPT_NO_ID && !uid_valid(uid)) ||
	    (m->gid != CKPT_NO_ID && !gid_valid(gid)))
		return -EINVAL;
	if (m->flags & CKPT_MSG_CRED)
		ret = ckpt_socket_pid(ctx, m->pid, m->flags & CKPT_MSG_GONE, &pid);
	if (ret)
		return ret;
	swap(pid, UNIXCB(skb).pid);
	put_pid(pid);
	UNIXCB(skb).uid = uid;
	UNIXCB(skb).gid = gid;
	return 0;
}

/* What it takes from the sender's buffer depends on how its memory was found. */
static int set_truesize(struct sk_buff *skb, u32 truesize)
{
	struct sock *sk = skb->sk;

	if (refcount_read(&sk->sk_wmem_alloc) > MOST)
		return -EBADMSG;
	if (truesize > skb->truesize)
		refcount_add(truesize - skb->truesize, &sk->sk_wmem_alloc);
	else if (truesize < skb->truesize)
		WARN_ON_ONCE(refcount_sub_and_test(skb->truesize - truesize,
						   &sk->sk_wmem_alloc));
	skb->truesize = truesize;
	return 0;
}

static struct scm_fp_list *alloc_files(void)
{
	struct scm_fp_list *fpl = kzalloc(sizeof(*fpl), GFP_KERNEL_ACCOUNT);

	if (!fpl)
		return NULL;
	fpl->max = SCM_MAX_FD;
	fpl->user = get_uid(current_user());
	INIT_LIST_HEAD(&fpl->vertices);
	return fpl;
}

static void free_files(struct scm_fp_list *fpl)
{
	int i;

	unix_destroy_fpl(fpl);
	for (i = 0; i < fpl->count; i++)
		fput(fpl->fp[i]);
	free_uid(fpl->user);
	kfree(fpl);
}

static bool too_many(void)
{
	return READ_ONCE(current_user()->unix_inflight) > rlimit(RLIMIT_NOFILE) &&
	       !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

/* As sendmsg(2) with SCM_RIGHTS. */
static int add_files(struct ckpt_ctx *ctx, struct sk_buff *skb, struct sock *to,
		     const struct ckpt_rec_unix_msg *m, const u32 *tags)
{
	struct scm_fp_list *fpl;
	struct file *file;
	int ret = 0;
	u32 i;

	if (!m->nr_files)
		return 0;
	if (too_many())
		return -ETOOMANYREFS;
	fpl = alloc_files();
	if (!fpl)
		return -ENOMEM;
	for (i = 0; i < m->nr_files && !ret; i++) {
		file = ckpt_get_tag(ctx, tags[i], &ckpt_file_ops);
		if (!file) {
			ret = -EBADMSG;
			break;
		}
		fpl->count_unix += !!unix_get_socket(file);
		fpl->fp[fpl->count++] = get_file(file);
	}
	ret = ret ?: unix_prepare_fpl(fpl);
	if (ret) {
		free_files(fpl);
		return ret;
	}
	unix_state_lock(to);
	UNIXCB(skb).fp = fpl;
	atomic_add(fpl->count, &unix_sk(to)->scm_stat.nr_fds);
	unix_add_edges(fpl, unix_sk(to));
	unix_state_unlock(to);
	return 0;
}

static int set_oob(struct sk_buff *skb, struct sock *to, u32 flags)
{
	if (flags & CKPT_MSG_READ)
		UNIXCB(skb).consumed = 1;
	if (flags & CKPT_MSG_OOB && !ckpt_unix_set_oob(to, skb))
		return -EOPNOTSUPP;
	return 0;
}

static bool fits(struct ckpt_socket *from, struct ckpt_socket *to,
		 const struct ckpt_rec_unix_msg *m)
{
	const struct ckpt_rec_unix *u = ckpt_rec_data(to->more);

	if (!from || !from->sock || !from->more || from->sk->sk_type != to->sk->sk_type)
		return false;
	if (to->sk->sk_type != SOCK_STREAM && m->flags & (CKPT_MSG_OOB | CKPT_MSG_READ))
		return false;
	/* Others cannot write to a connection, and nothing is written to it. */
	return to->sk->sk_type == SOCK_DGRAM ||
	       (u->peer == m->sender && (m->len || to->sk->sk_type == SOCK_SEQPACKET));
}

static int fill_message(struct ckpt_ctx *ctx, struct ckpt_socket *to, struct ckpt_rec *rec)
{
	const struct ckpt_rec_unix_msg *m = ckpt_rec_data(rec);
	struct ckpt_socket *from = ckpt_socket_find(ctx, m->sender, AF_UNIX);
	u32 *files = ckpt_rec_tail(rec);
	struct sk_buff *skb;
	int ret;

	if (!fits(from, to, m))
		return -EBADMSG;
	skb = send(from, to->sk, files + m->nr_files, m->len);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	ret = set_sender(ctx, skb, m);
	if (!ret)
		ret = set_oob(skb, to->sk, m->flags);
	if (!ret)
		ret = add_files(ctx, skb, to->sk, m, files);
	skb->tstamp = ns_to_ktime(m->stamp_ns);
	return ret ?: set_truesize(skb, m->truesize);
}

/**
 * ckpt_unix_fill - fill method of sockets of AF_UNIX
 * @ctx: context of a restart
 * @s: the socket
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_unix_fill(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	struct ckpt_socket_msg *msg, *next;
	int ret = 0;

	if (s->sk->sk_state == TCP_LISTEN)
		return 0;
	list_for_each_entry_safe(msg, next, &s->queue, list) {
		ret = fill_message(ctx, s, msg->rec);
		if (ret)
			return ckpt_socket_error(ctx, s, ret,
						 "cannot have a message that was in it");
		list_del(&msg->list);
		ckpt_free_record(msg->rec);
		kfree(msg);
		cond_resched();
	}
	return 0;
}

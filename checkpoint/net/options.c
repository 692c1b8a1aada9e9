// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every socket has, of whatever family: the options of socket(7), errors,
 * a filter. They are set by setsockopt(2), with its checks, where setting does no
 * more than that. What is in struct sock, can be set by a program and is not saved
 * here is an obstacle.
 */
#include <linux/capability.h>
#include <linux/checkpoint_state.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/netdevice.h>
#include <linux/sockptr.h>
#include <net/sock.h>

#include "net.h"

/* Options that are on or off: where they are, and how they are set. */
static const struct {
	u32 saved;
	int flag;	/* enum sock_flags */
	int option;
} flags[] = {
	{ CKPT_SOCK_OOBINLINE, SOCK_URGINLINE, SO_OOBINLINE },
	{ CKPT_SOCK_KEEPALIVE, SOCK_KEEPOPEN, SO_KEEPALIVE },
	{ CKPT_SOCK_BROADCAST, SOCK_BROADCAST, SO_BROADCAST },
	{ CKPT_SOCK_DEBUG, SOCK_DBG, SO_DEBUG },
	{ CKPT_SOCK_DONTROUTE, SOCK_LOCALROUTE, SO_DONTROUTE },
	{ CKPT_SOCK_RXQ_OVFL, SOCK_RXQ_OVFL, SO_RXQ_OVFL },
	{ CKPT_SOCK_ZEROCOPY, SOCK_ZEROCOPY, SO_ZEROCOPY },
	{ CKPT_SOCK_WIFI_STATUS, SOCK_WIFI_STATUS, SO_WIFI_STATUS },
	{ CKPT_SOCK_NOFCS, SOCK_NOFCS, SO_NOFCS },
	{ CKPT_SOCK_SELECT_ERR, SOCK_SELECT_ERR_QUEUE, SO_SELECT_ERR_QUEUE },
	{ CKPT_SOCK_RCVMARK, SOCK_RCVMARK, SO_RCVMARK },
};

/* These are set by other means. */
static const struct {
	u32 saved;
	int flag;
} more_flags[] = {
	{ CKPT_SOCK_LINGER, SOCK_LINGER },
	{ CKPT_SOCK_TIMESTAMP, SOCK_RCVTSTAMP },
	{ CKPT_SOCK_TIMESTAMPNS, SOCK_RCVTSTAMPNS },
	{ CKPT_SOCK_TIMESTAMP_NEW, SOCK_TSTAMP_NEW },
	{ CKPT_SOCK_STAMPS, SOCK_TIMESTAMP },
	{ CKPT_SOCK_LOCK_FILTER, SOCK_FILTER_LOCKED },
	{ CKPT_SOCK_TXTIME, SOCK_TXTIME },
};

/* Those of struct socket. */
static const struct {
	u32 saved;
	int bit;
	int option;
} bits[] = {
	{ CKPT_SOCK_PASSCRED, SOCK_PASSCRED, SO_PASSCRED },
	{ CKPT_SOCK_PASSPIDFD, SOCK_PASSPIDFD, SO_PASSPIDFD },
	{ CKPT_SOCK_PASSSEC, SOCK_PASSSEC, SO_PASSSEC },
};

static bool has_device(struct sock *sk)
{
	char name[IFNAMSIZ];
	int len = sizeof(name);

	return !sk_getsockopt(sk, SOL_SOCKET, SO_BINDTODEVICE, KERNEL_SOCKPTR(name),
			      KERNEL_SOCKPTR(&len));
}

/**
 * ckpt_sock_trouble - what of any socket cannot be saved
 * @sk: the socket; it may be one that is not accepted yet
 *
 * Return: words that follow "a socket", or NULL: there is nothing.
 */
const char *ckpt_sock_trouble(struct sock *sk)
{
	if (sock_flag(sk, SOCK_XDP) || sock_flag(sk, SOCK_MEMALLOC))
		return "that a driver uses";
	if (READ_ONCE(sk->sk_user_data))
		return "that the kernel or a BPF map uses";
	if (READ_ONCE(sk->sk_prot) != sk->sk_prot_creator)
		return "with an upper layer protocol or in a BPF map";
	if (ckpt_sock_has_bpf_storage(sk))
		return "with storage of BPF programs";
	if (ckpt_sock_has_policy(sk))
		return "with an IPsec policy of its own";
	if (ckpt_sock_get_filter(sk, NULL, 0) < 0)
		return "with a filter that is no classic BPF program";
	if (READ_ONCE(sk->sk_reserved_mem))
		return "with reserved memory (SO_RESERVE_MEM)";
	if (READ_ONCE(sk->sk_bind_phc))
		return "with timestamps of a hardware clock";
	if (!skb_queue_empty_lockless(&sk->sk_error_queue))
		return "with messages in its error queue";
	if (!skb_queue_empty_lockless(&sk->sk_write_queue) && !sk_is_tcp(sk))
		return "with data that is not sent yet";
	if (sk->sk_reuse > SK_CAN_REUSE)
		return "under repair (TCP_REPAIR)";
	if (READ_ONCE(sk->sk_bound_dev_if) && !has_device(sk))
		return "that is bound to a network device which is gone";
	if (sk->sk_no_check_rx)
		return "that takes packets without checksums";
	return NULL;
}

/**
 * ckpt_sock_collect - look for what keeps any socket from being saved
 * @ctx: context of a save
 * @where: what holds it
 * @sk: the socket
 */
void ckpt_sock_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk)
{
	const char *why = ckpt_sock_trouble(sk);

	if (why)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "a socket %s", why);
	if (!kuid_has_mapping(ctx->userns, SOCK_INODE(sk->sk_socket)->i_uid) ||
	    !kgid_has_mapping(ctx->userns, SOCK_INODE(sk->sk_socket)->i_gid))
		ckpt_obstacle(ctx, where, CKPT_WHY_CRED, "a socket of an unknown user or group");
}

/**
 * ckpt_sock_get_filter - classic BPF program of a socket
 * @sk: the socket
 * @insns: gets the instructions, of 8 bytes each
 * @nr: room in it; 0: only count them
 *
 * Return: how many, or a negative errno: it is no classic program.
 */
int ckpt_sock_get_filter(struct sock *sk, void *insns, u32 nr)
{
	return sk_get_filter(sk, KERNEL_SOCKPTR(insns), nr);
}

static s64 get_timeout(long timeo)
{
	return timeo == MAX_SCHEDULE_TIMEOUT ? -1 : jiffies64_to_nsecs(timeo);
}

static u32 get_flags(struct sock *sk)
{
	u32 saved = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (sock_flag(sk, flags[i].flag))
			saved |= flags[i].saved;
	for (i = 0; i < ARRAY_SIZE(more_flags); i++)
		if (sock_flag(sk, more_flags[i].flag))
			saved |= more_flags[i].saved;
	if (sk->sk_reuse)
		saved |= CKPT_SOCK_REUSEADDR;
	if (sk->sk_reuseport)
		saved |= CKPT_SOCK_REUSEPORT;
	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		saved |= CKPT_SOCK_SNDBUF_SET;
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		saved |= CKPT_SOCK_RCVBUF_SET;
	if (sk->sk_no_check_tx)
		saved |= CKPT_SOCK_NO_CHECK;
	if (sk->sk_txtime_deadline_mode)
		saved |= CKPT_SOCK_TXTIME_LATE;
	if (sk->sk_txtime_report_errors)
		saved |= CKPT_SOCK_TXTIME_ERRORS;
	return saved;
}

/* What is in struct socket and in its inode. */
static void fill_open(struct socket *sock, struct ckpt_rec_socket *rec)
{
	struct inode *inode = SOCK_INODE(sock);
	int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (test_bit(bits[i].bit, &sock->flags))
			rec->flags |= bits[i].saved;
	if (test_bit(SOCKWQ_ASYNC_NOSPACE, &sock->wq.flags))
		rec->flags |= CKPT_SOCK_NOSPACE;
	rec->connected = sock->state;
	rec->mode = inode->i_mode & 07777;
	rec->uid = from_kuid(current_user_ns(), inode->i_uid);
	rec->gid = from_kgid(current_user_ns(), inode->i_gid);
}

/**
 * ckpt_sock_fill - save what every socket has
 * @sk: the socket
 * @rec: its flags may be set; filled, but for the program of a filter
 */
void ckpt_sock_fill(struct sock *sk, struct ckpt_rec_socket *rec)
{
	int len = sizeof(rec->device);

	rec->flags |= get_flags(sk);
	if (!(rec->flags & CKPT_SOCK_NO_FILE))
		fill_open(sk->sk_socket, rec);
	rec->shutdown = READ_ONCE(sk->sk_shutdown);
	rec->rcvbuf = READ_ONCE(sk->sk_rcvbuf);
	rec->sndbuf = READ_ONCE(sk->sk_sndbuf);
	rec->rcvlowat = READ_ONCE(sk->sk_rcvlowat);
	rec->peek_off = READ_ONCE(sk->sk_peek_off);
	rec->priority = READ_ONCE(sk->sk_priority);
	rec->mark = READ_ONCE(sk->sk_mark);
	rec->error = READ_ONCE(sk->sk_err);
	rec->soft_error = READ_ONCE(sk->sk_err_soft);
	rec->backlog = READ_ONCE(sk->sk_max_ack_backlog);
	rec->timestamping = READ_ONCE(sk->sk_tsflags);
	rec->timestamp_key = atomic_read(&sk->sk_tskey);
	rec->zerocopy_key = atomic_read(&sk->sk_zckey);
	rec->drops = atomic_read(&sk->sk_drops);
	rec->incoming_cpu = READ_ONCE(sk->sk_incoming_cpu);
	rec->txtime_clock = sk->sk_clockid;
	rec->linger = min_t(unsigned long, READ_ONCE(sk->sk_lingertime) / HZ, U32_MAX);
	rec->txrehash = sk->sk_txrehash;
	rec->rcvtimeo_ns = get_timeout(READ_ONCE(sk->sk_rcvtimeo));
	rec->sndtimeo_ns = get_timeout(READ_ONCE(sk->sk_sndtimeo));
	rec->pacing_rate = READ_ONCE(sk->sk_max_pacing_rate);
	rec->stamp_ns = max(ktime_to_ns(sock_read_timestamp(sk)), -1LL);
	ckpt_sock_get_busy(sk, rec);
	if (READ_ONCE(sk->sk_bound_dev_if))
		sk_getsockopt(sk, SOL_SOCKET, SO_BINDTODEVICE, KERNEL_SOCKPTR(rec->device),
			      KERNEL_SOCKPTR(&len));
}

static int set_option(struct sock *sk, int option, void *value, u32 len)
{
	return sk_setsockopt(sk, SOL_SOCKET, option, KERNEL_SOCKPTR(value), len);
}

static int set_int(struct sock *sk, int option, int value)
{
	return set_option(sk, option, &value, sizeof(value));
}

static int set_flags(struct sock *sk, const struct ckpt_rec_socket *rec)
{
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(flags) && !ret; i++)
		if (rec->flags & flags[i].saved)
			ret = set_int(sk, flags[i].option, 1);
	for (i = 0; i < ARRAY_SIZE(bits) && !ret; i++)
		if (rec->flags & bits[i].saved)
			ret = set_int(sk, bits[i].option, 1);
	if (!ret && rec->flags & CKPT_SOCK_REUSEADDR)
		ret = set_int(sk, SO_REUSEADDR, 1);
	if (!ret && rec->flags & CKPT_SOCK_REUSEPORT)
		ret = set_int(sk, SO_REUSEPORT, 1);
	if (!ret && rec->flags & CKPT_SOCK_NO_CHECK)
		ret = set_int(sk, SO_NO_CHECK, 1);
	if (!ret && rec->flags & CKPT_SOCK_PREFER_BUSY)
		ret = set_int(sk, SO_PREFER_BUSY_POLL, 1);
	return ret;
}

/* As SO_SNDBUF and SO_RCVBUF, which cannot set every value that there may be. */
static int set_buffer(int *buffer, int value, u32 max)
{
	if (value == *buffer)
		return 0;
	if (value > *buffer && value / 2 > max && !capable(CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(*buffer, value);
	return 0;
}

static int set_buffers(struct sock *sk, const struct ckpt_rec_socket *rec)
{
	u32 most_out = READ_ONCE(sysctl_wmem_max), most_in = READ_ONCE(sysctl_rmem_max);
	int ret;

	/* TCP sizes them itself, with limits of its own. */
	if (sk_is_tcp(sk)) {
		most_out = max(most_out, READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[2]) / 2U);
		most_in = max(most_in, READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[2]) / 2U);
	}
	if (rec->sndbuf < SOCK_MIN_SNDBUF || rec->rcvbuf < SOCK_MIN_RCVBUF)
		return -EBADMSG;
	ret = set_buffer(&sk->sk_sndbuf, rec->sndbuf, most_out);
	if (!ret)
		ret = set_buffer(&sk->sk_rcvbuf, rec->rcvbuf, most_in);
	if (!ret)
		ret = set_int(sk, SO_BUF_LOCK,
			      (rec->flags & CKPT_SOCK_SNDBUF_SET ? SOCK_SNDBUF_LOCK : 0) |
			      (rec->flags & CKPT_SOCK_RCVBUF_SET ? SOCK_RCVBUF_LOCK : 0));
	return ret;
}

/* As listen(2) limits it. */
static int set_backlog(struct sock *sk, u32 backlog)
{
	u32 max = max_t(u32, sk->sk_max_ack_backlog,
			READ_ONCE(sock_net(sk)->core.sysctl_somaxconn));

	if (backlog > max && !ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	return 0;
}

static int set_timestamps(struct sock *sk, const struct ckpt_rec_socket *rec)
{
	bool new = rec->flags & CKPT_SOCK_TIMESTAMP_NEW, ns = rec->flags & CKPT_SOCK_TIMESTAMPNS;
	struct so_timestamping timestamping = { .flags = rec->timestamping };
	int ret = 0;

	if (rec->timestamping)
		ret = set_option(sk, new ? SO_TIMESTAMPING_NEW : SO_TIMESTAMPING_OLD,
				 &timestamping, sizeof(timestamping));
	if (!ret && rec->flags & CKPT_SOCK_TIMESTAMP)
		sock_set_timestamp(sk, ns ? SO_TIMESTAMPNS_OLD : SO_TIMESTAMP_OLD, true);
	if (rec->flags & CKPT_SOCK_STAMPS)
		sock_enable_timestamp(sk, SOCK_TIMESTAMP);
	sock_valbool_flag(sk, SOCK_TSTAMP_NEW, new);
	atomic_set(&sk->sk_tskey, rec->timestamp_key);
	atomic_set(&sk->sk_zckey, rec->zerocopy_key);
	sock_write_timestamp(sk, rec->stamp_ns < 0 ? SK_DEFAULT_STAMP : ns_to_ktime(rec->stamp_ns));
	return ret;
}

static int set_txtime(struct sock *sk, const struct ckpt_rec_socket *rec)
{
	struct sock_txtime txtime = {
		.clockid = rec->txtime_clock,
		.flags = (rec->flags & CKPT_SOCK_TXTIME_LATE ? SOF_TXTIME_DEADLINE_MODE : 0) |
			 (rec->flags & CKPT_SOCK_TXTIME_ERRORS ? SOF_TXTIME_REPORT_ERRORS : 0),
	};

	if (!(rec->flags & CKPT_SOCK_TXTIME))
		return 0;
	return set_option(sk, SO_TXTIME, &txtime, sizeof(txtime));
}

static int set_linger(struct sock *sk, const struct ckpt_rec_socket *rec)
{
	struct linger linger = { .l_onoff = 1, .l_linger = rec->linger };
	int ret = 0;

	if (rec->linger || rec->flags & CKPT_SOCK_LINGER)
		ret = set_option(sk, SO_LINGER, &linger, sizeof(linger));
	linger.l_onoff = 0;
	if (!ret && rec->linger && !(rec->flags & CKPT_SOCK_LINGER))
		ret = set_option(sk, SO_LINGER, &linger, sizeof(linger));
	return ret;
}

static void set_timeout(long *timeo, s64 ns)
{
	WRITE_ONCE(*timeo, ns < 0 ? MAX_SCHEDULE_TIMEOUT :
		   min_t(u64, nsecs_to_jiffies64(ns), MAX_SCHEDULE_TIMEOUT - 1));
}

/* Those that no other one depends on. */
static int set_values(struct sock *sk, const struct ckpt_rec_socket *rec)
{
	unsigned long rate = rec->pacing_rate;
	int ret = 0;

	if (rec->priority != READ_ONCE(sk->sk_priority))
		ret = set_int(sk, SO_PRIORITY, rec->priority);
	if (!ret && rec->mark != READ_ONCE(sk->sk_mark))
		ret = set_int(sk, SO_MARK, rec->mark);
	if (!ret && rec->device[0])
		ret = set_option(sk, SO_BINDTODEVICE, (void *)rec->device,
				 strnlen(rec->device, sizeof(rec->device)));
	if (!ret && rate != READ_ONCE(sk->sk_max_pacing_rate))
		ret = set_option(sk, SO_MAX_PACING_RATE, &rate, sizeof(rate));
	if (!ret && rec->rcvlowat != READ_ONCE(sk->sk_rcvlowat))
		ret = set_int(sk, SO_RCVLOWAT, rec->rcvlowat);
	if (!ret && rec->peek_off != READ_ONCE(sk->sk_peek_off))
		ret = set_int(sk, SO_PEEK_OFF, rec->peek_off);
	if (!ret && rec->busy_poll)
		ret = set_int(sk, SO_BUSY_POLL, rec->busy_poll);
	if (!ret && rec->busy_budget)
		ret = set_int(sk, SO_BUSY_POLL_BUDGET, rec->busy_budget);
	if (!ret && rec->incoming_cpu != READ_ONCE(sk->sk_incoming_cpu))
		ret = set_int(sk, SO_INCOMING_CPU, rec->incoming_cpu);
	if (!ret && rec->txrehash != sk->sk_txrehash)
		ret = set_int(sk, SO_TXREHASH, rec->txrehash);
	return ret;
}

static int set_filter(struct sock *sk, struct ckpt_rec *rec)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(rec);
	int ret = 0;

	if (saved->nr_insns && sk_is_tcp(sk) &&
	    !ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (saved->nr_insns)
		ret = checkpoint_sk_attach_filter(sk, ckpt_rec_tail(rec), saved->nr_insns);
	if (!ret && saved->flags & CKPT_SOCK_LOCK_FILTER)
		ret = set_int(sk, SO_LOCK_FILTER, 1);
	return ret;
}

/* As fchmod(2) and fchown(2). */
static int set_inode(struct file *file, const struct ckpt_rec_socket *rec)
{
	struct inode *inode = file_inode(file);
	struct iattr attr = {
		.ia_mode = rec->mode | S_IFSOCK,
		.ia_uid = make_kuid(current_user_ns(), rec->uid),
		.ia_gid = make_kgid(current_user_ns(), rec->gid),
	};
	int ret = 0;

	if (!uid_valid(attr.ia_uid) || !gid_valid(attr.ia_gid))
		return -EINVAL;
	if (attr.ia_mode != inode->i_mode)
		attr.ia_valid |= ATTR_MODE;
	if (!uid_eq(attr.ia_uid, inode->i_uid))
		attr.ia_valid |= ATTR_UID;
	if (!gid_eq(attr.ia_gid, inode->i_gid))
		attr.ia_valid |= ATTR_GID;
	if (!attr.ia_valid)
		return 0;
	inode_lock(inode);
	ret = notify_change(&nop_mnt_idmap, file->f_path.dentry, &attr, NULL);
	inode_unlock(inode);
	return ret;
}

/**
 * ckpt_sock_set_options - give a socket the options of a SOCKET record
 * @sk: the socket; what waits in it is there
 * @rec: the record
 *
 * Context: the caller of restart(), may sleep.
 * Return: 0 or a negative errno.
 */
int ckpt_sock_set_options(struct sock *sk, struct ckpt_rec *rec)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(rec);
	int ret;

	ret = set_flags(sk, saved);
	if (!ret)
		ret = set_buffers(sk, saved);
	if (!ret)
		ret = set_timestamps(sk, saved);
	if (!ret)
		ret = set_txtime(sk, saved);
	if (!ret)
		ret = set_linger(sk, saved);
	if (!ret)
		ret = set_values(sk, saved);
	if (!ret)
		ret = set_filter(sk, rec);
	set_timeout(&sk->sk_rcvtimeo, saved->rcvtimeo_ns);
	set_timeout(&sk->sk_sndtimeo, saved->sndtimeo_ns);
	return ret;
}

/**
 * ckpt_sock_set - give an open socket what it has
 * @s: the socket; what waits in it is there
 *
 * Context: the caller of restart(), may sleep.
 * Return: 0 or a negative errno.
 */
int ckpt_sock_set(struct ckpt_socket *s)
{
	const struct ckpt_rec_socket *rec = ckpt_rec_data(s->rec);
	struct sock *sk = s->sk;
	int ret;

	ret = ckpt_sock_set_options(sk, s->rec);
	if (!ret)
		ret = set_backlog(sk, rec->backlog);
	if (!ret)
		ret = set_inode(s->file, rec);
	WRITE_ONCE(sk->sk_err, rec->error);
	WRITE_ONCE(sk->sk_err_soft, rec->soft_error);
	atomic_set(&sk->sk_drops, rec->drops);
	if (rec->flags & CKPT_SOCK_NOSPACE)
		set_bit(SOCKWQ_ASYNC_NOSPACE, &s->sock->wq.flags);
	return ret;
}

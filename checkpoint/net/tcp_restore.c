// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP connections are restored in steps, each for all of them: both ends are
 * connected without a packet, as TCP_REPAIR does it, with the numbers that belong
 * together, and get what was unread; then they are started, and what was unsent is
 * sent, ends that were half-closed are closed so far; then those that were not
 * accepted yet are queued, and those that were closed are closed.
 *
 * Only connections between addresses of this machine are made, of which no other
 * socket has an end: what is under way comes from the image's own sockets.
 */
#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/memcontrol.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/tcp.h>

#include "inet.h"

/**
 * struct connection - a restored TCP record
 * @rec: the record
 * @t: task that has read it
 * @socks: both ends; NULL: there is none
 * @sockets: those that the image has; NULL: closed, or none
 */
struct connection {
	struct ckpt_rec *rec;
	struct ckpt_task *t;
	struct socket *socks[2];
	struct ckpt_socket *sockets[2];
};

static const struct ckpt_rec_tcp *saved_of(const struct connection *c)
{
	return ckpt_rec_data(c->rec);
}

static void put_connection(void *obj)
{
	struct connection *c = obj;
	int i;

	for (i = 0; i < 2; i++)
		if (c->socks[i] && !c->sockets[i])
			sock_release(c->socks[i]);
	ckpt_free_record(c->rec);
	kfree(c);
}

static int tcp_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct connection *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (c) {
		c->rec = rec;
		c->t = t;
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_tcp_ops, c);
	}
	if (!ret)
		return 0;
	kfree(c);
	ckpt_free_record(rec);
	return ret == -ENOMEM ? ret :
	       ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret, "the image has a tag twice");
}

static int report(struct ckpt_ctx *ctx, struct connection *c, int err, const char *what)
{
	const struct ckpt_rec_tcp *saved = saved_of(c);
	enum ckpt_reason why = err == -EPERM || err == -EACCES ? CKPT_WHY_PERMISSION :
			       err == -EBADMSG ? CKPT_WHY_IMAGE : CKPT_WHY_FILE;
	const void *a = saved->addr[0].addr, *b = saved->addr[1].addr;

	if (saved->flags & CKPT_TCP_IPV6)
		return ckpt_error(ctx, CKPT_AT(c->t), why, err,
				  "the TCP connection of [%pI6c]:%u and [%pI6c]:%u %s", a,
				  saved->addr[0].port, b, saved->addr[1].port, what);
	return ckpt_error(ctx, CKPT_AT(c->t), why, err,
			  "the TCP connection of %pI4:%u and %pI4:%u %s", a,
			  saved->addr[0].port, b, saved->addr[1].port, what);
}

/*
 * The options of an end, or NULL: it is closed. In older images one that was not
 * accepted has no size of buffers, and those that the listening socket has.
 */
static struct ckpt_rec *options_of(struct ckpt_ctx *ctx, struct connection *c, int i)
{
	struct ckpt_socket *s = c->sockets[i];
	u32 listener = saved_of(c)->ends[i].listener;
	const struct ckpt_rec_socket *own = s ? ckpt_rec_data(s->rec) : NULL;

	if (listener && own && !own->rcvbuf)
		s = ckpt_get_tag(ctx, listener, &ckpt_socket_ops);
	return s ? s->rec : NULL;
}

static int prepare_queued(struct ckpt_ctx *ctx, struct connection *c, int i)
{
	struct ckpt_socket *l;

	l = ckpt_get_tag(ctx, saved_of(c)->ends[i].listener, &ckpt_socket_ops);
	if (!l || !l->file || !sk_is_tcp(l->sk))
		return -EBADMSG;
	ckpt_sock_not_accounted(c->socks[i]->sk);
	return ckpt_sock_set_options(c->socks[i]->sk, options_of(ctx, c, i));
}

/* Only once, and for nothing else. */
static int take_socket(struct ckpt_ctx *ctx, struct connection *c, int i)
{
	const struct ckpt_rec_tcp *saved = saved_of(c);
	u32 tag = saved->ends[i].socket;
	struct ckpt_socket *s;

	s = ckpt_socket_find(ctx, tag, AF_INET6);
	if (!s && !(saved->flags & CKPT_TCP_IPV6))
		s = ckpt_socket_find(ctx, tag, AF_INET);
	if (!s || !s->sock || !s->more || !sk_is_tcp(s->sk) || s->sk->sk_state != TCP_CLOSE ||
	    tcp_sk(s->sk)->repair)
		return -EBADMSG;
	if (!s->file != !!saved->ends[i].listener)
		return -EBADMSG;
	c->sockets[i] = s;
	c->socks[i] = s->sock;
	return saved->ends[i].listener ? prepare_queued(ctx, c, i) : 0;
}

static int take_end(struct ckpt_ctx *ctx, struct connection *c, int i)
{
	const struct ckpt_rec_tcp *saved = saved_of(c);
	int ret = 0;

	if (saved->ends[i].flags & CKPT_TCP_NONE)
		return 0;
	if (saved->ends[i].socket)
		ret = take_socket(ctx, c, i);
	else
		ret = sock_create(saved->flags & CKPT_TCP_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM,
				  IPPROTO_TCP, &c->socks[i]);
	if (ret)
		return ret;
	/* From here on closing it is not told to the other end. */
	lock_sock(c->socks[i]->sk);
	tcp_sk(c->socks[i]->sk)->repair = 1;
	tcp_sk(c->socks[i]->sk)->repair_queue = TCP_NO_QUEUE;
	release_sock(c->socks[i]->sk);
	return 0;
}

/* What a tree that was killed a moment ago has left is gone soon. */
static int connect_end(struct connection *c, int i)
{
	const struct ckpt_rec_tcp *saved = saved_of(c);
	const struct ckpt_rec_tcp_end *e = &saved->ends[i], *other = &saved->ends[!i];
	unsigned long deadline = jiffies + CKPT_PORT_WAIT;
	struct socket *sock = c->socks[i];
	struct tcp_sock *tp = tcp_sk(sock->sk);
	struct ckpt_rec_inet_addr local, peer;
	bool ipv6 = saved->flags & CKPT_TCP_IPV6, ipv6only = sock->sk->sk_ipv6only;
	int ret;

	ckpt_inet_for(sock->sk->sk_family, ipv6, &saved->addr[i], &local);
	ckpt_inet_for(sock->sk->sk_family, ipv6, &saved->addr[!i], &peer);
	lock_sock(sock->sk);
	sock->sk->sk_reuse = SK_FORCE_REUSE;
	tp->write_seq = e->seq - e->unsent;
	tp->rcv_nxt = other->seq - other->unsent - e->unread;
	tp->copied_seq = tp->rcv_nxt;
	release_sock(sock->sk);
	ret = ckpt_inet_bind(sock, &local);
	if (ret)
		return ret;
	/* An address says that, but it may not have been bound to one. */
	sock->sk->sk_ipv6only = ipv6only;
	for (;;) {
		ret = ckpt_inet_connect(sock, &peer, 0);
		if (!ckpt_inet_wait(ret, deadline))
			return ret;
		ckpt_inet_free_port(sock->sk, local.port);
	}
}

static bool is_ours(const struct connection *c)
{
	struct net *net = current->nsproxy->net_ns;
	const struct ckpt_rec_tcp *saved = saved_of(c);
	int family = saved->flags & CKPT_TCP_IPV6 ? AF_INET6 : AF_INET;

	return ckpt_inet_is_local(net, family, &saved->addr[0]) &&
	       ckpt_inet_is_local(net, family, &saved->addr[1]);
}

/* Somebody else could have the other end of a connection that has only one. */
static int check_alone(struct connection *c)
{
	struct sock *other;

	if (c->socks[1])
		return 0;
	other = ckpt_inet_peer(c->socks[0]->sk);
	if (other)
		sock_gen_put(other);
	return other ? -EADDRINUSE : 0;
}

static void agree(struct sock *sk, const struct ckpt_rec_tcp *saved, int i)
{
	const struct ckpt_rec_tcp_end *e = &saved->ends[i], *other = &saved->ends[!i];
	bool wscale = saved->flags & CKPT_TCP_WSCALE, none = other->flags & CKPT_TCP_NONE;
	struct tcp_sock *tp = tcp_sk(sk);

	tp->rx_opt.wscale_ok = wscale;
	tp->rx_opt.snd_wscale = wscale && !none ? other->wscale : 0;
	tp->rx_opt.rcv_wscale = wscale ? e->wscale : 0;
	tp->rx_opt.sack_ok = saved->flags & CKPT_TCP_SACK ? TCP_SACK_SEEN : 0;
	tp->rx_opt.tstamp_ok = !!(saved->flags & CKPT_TCP_TIMESTAMPS);
	tp->tcp_header_len = sizeof(struct tcphdr) +
			     (tp->rx_opt.tstamp_ok ? TCPOLEN_TSTAMP_ALIGNED : 0);
	tp->ecn_flags = saved->flags & CKPT_TCP_ECN ? TCP_ECN_OK : 0;
	tp->rx_opt.mss_clamp = e->mss;
	tp->advmss = e->advmss;
}

static void set_windows(struct sock *sk, const struct ckpt_rec_tcp_end *e,
			const struct ckpt_rec_tcp_end *other)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->window_clamp = e->window_clamp;
	tp->rcv_ssthresh = e->rcv_ssthresh;
	tp->rcvq_space.space = e->rcvq_space;
	tp->rcv_wup = tp->rcv_nxt;
	tp->rcv_wnd = e->window;
	tp->snd_wl1 = tp->rcv_nxt;
	/* Nobody: the first byte will tell. */
	tp->snd_wnd = other->flags & CKPT_TCP_NONE ? TCP_MSS_DEFAULT : other->window;
	tp->max_window = max(e->max_window, tp->snd_wnd);
	tp->pred_flags = 0;
	/* Segments are not larger than half of a window. */
	tcp_mtup_init(sk);
	tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
}

static void set_counters(struct tcp_sock *tp, const struct ckpt_rec_tcp_end *e)
{
	tp->bytes_sent = e->bytes_sent;
	tp->bytes_acked = e->bytes_sent;
	tp->bytes_received = e->bytes_received;
	tp->segs_in = e->segs_in;
	tp->segs_out = e->segs_out;
	tp->data_segs_in = e->data_segs_in;
	tp->data_segs_out = e->data_segs_out;
}

/* As if both had done what the FINs that have arrived made them do. */
static void set_closed(struct sock *sk, const struct ckpt_rec_tcp_end *e,
		       const struct ckpt_rec_tcp_end *other)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (other->flags & CKPT_TCP_NONE || other->flags & CKPT_TCP_FIN_SEEN) {
		tp->rcv_nxt++;
		sock_set_flag(sk, SOCK_DONE);
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
		tcp_set_state(sk, TCP_CLOSE_WAIT);
	} else if (e->flags & CKPT_TCP_FIN_SEEN) {
		tp->write_seq++;
		tp->snd_una = tp->write_seq;
		tp->snd_nxt = tp->write_seq;
		tp->snd_sml = tp->write_seq;
		tp->snd_up = tp->write_seq;
		tp->pushed_seq = tp->write_seq;
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
		tcp_set_state(sk, TCP_FIN_WAIT2);
	}
}

/* The limits that the kernel has for itself, when it sizes buffers. */
static int check_buffers(const struct sock *sk, const struct ckpt_rec_tcp_end *e)
{
	const struct netns_ipv4 *ipv4 = &sock_net(sk)->ipv4;
	u64 most_in = max_t(u64, 2ULL * READ_ONCE(sysctl_rmem_max),
			    READ_ONCE(ipv4->sysctl_tcp_rmem[2]));
	u64 most_out = max_t(u64, 2ULL * READ_ONCE(sysctl_wmem_max),
			     READ_ONCE(ipv4->sysctl_tcp_wmem[2]));

	if (capable(CAP_NET_ADMIN))
		return 0;
	return e->rcvbuf > most_in || e->unread > most_in || e->sndbuf > most_out ||
	       e->unsent > most_out ? -EPERM : 0;
}

/* It fits: nobody else can write to it. */
static int put_unread(struct sock *sk, const char *data, u32 len)
{
	int rcvbuf = sk->sk_rcvbuf, ret = 0;
	struct kvec vec;
	struct msghdr msg = {};

	sk->sk_rcvbuf = INT_MAX / 2;
	while (len && ret >= 0) {
		vec.iov_base = (void *)data;
		vec.iov_len = len;
		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, len);
		ret = tcp_send_rcvq(sk, &msg, len);
		if (ret > 0) {
			data += ret;
			len -= ret;
		}
		cond_resched();
	}
	sk->sk_rcvbuf = rcvbuf;
	return min(ret, 0);
}

static const char *bytes_of(const struct connection *c, int i)
{
	const struct ckpt_rec_tcp *saved = saved_of(c);
	const char *data = ckpt_rec_tail(c->rec);

	return i ? data + saved->ends[0].unread + saved->ends[0].unsent : data;
}

static int set_end(struct connection *c, int i)
{
	const struct ckpt_rec_tcp *saved = saved_of(c);
	const struct ckpt_rec_tcp_end *e = &saved->ends[i], *other = &saved->ends[!i];
	struct sock *sk = c->socks[i]->sk;
	int ret;

	lock_sock(sk);
	agree(sk, saved, i);
	ret = check_buffers(sk, e) ?: put_unread(sk, bytes_of(c, i), e->unread);
	set_closed(sk, e, other);
	set_windows(sk, e, other);
	set_counters(tcp_sk(sk), e);
	release_sock(sk);
	return ret;
}

/* It has no other end, and sends nothing: it only has what was not read. */
static int build_dead(struct connection *c)
{
	const struct ckpt_rec_tcp *saved = saved_of(c);
	struct sock *sk = c->socks[0]->sk;
	const struct ckpt_rec_inet *inet = ckpt_rec_data(c->sockets[0]->more);
	int ret;

	lock_sock(sk);
	ret = check_buffers(sk, &saved->ends[0]) ?:
	      put_unread(sk, bytes_of(c, 0), saved->ends[0].unread);
	ckpt_inet_set_addrs(sk, inet_sk(sk)->inet_num ? NULL : &inet->local, &inet->peer);
	sock_valbool_flag(sk, SOCK_DONE, inet->flags & CKPT_INET_DONE);
	release_sock(sk);
	return ret;
}

static int build(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct connection *c = obj;
	bool dead = saved_of(c)->flags & CKPT_TCP_DEAD;
	int i, ret = 0;

	for (i = 0; i < 2 && !ret; i++)
		ret = take_end(ctx, c, i);
	if (ret)
		return report(ctx, c, ret, "cannot be made");
	if (dead) {
		ret = build_dead(c);
		return ret ? report(ctx, c, ret, "cannot have what is left of it") : 0;
	}
	if (!is_ours(c))
		return report(ctx, c, -EADDRNOTAVAIL,
			      "is between addresses that are not both this machine's");
	for (i = 0; i < 2 && !ret; i++)
		if (c->socks[i])
			ret = connect_end(c, i);
	if (!ret)
		ret = check_alone(c);
	if (ret)
		return report(ctx, c, ret, "cannot be made: is it still in use?");
	for (i = 0; i < 2 && !ret; i++)
		if (c->socks[i])
			ret = set_end(c, i);
	return ret ? report(ctx, c, ret, "cannot be filled") : 0;
}

static const struct ckpt_rec_inet *inet_of(const struct connection *c, int i)
{
	return c->sockets[i] ? ckpt_rec_data(c->sockets[i]->more) : NULL;
}

/* From here on it sends and receives. */
static void set_going(struct ckpt_ctx *ctx, struct connection *c, int i)
{
	struct ckpt_rec *rec = options_of(ctx, c, i);
	const struct ckpt_rec_socket *options = rec ? ckpt_rec_data(rec) : NULL;
	const struct ckpt_rec_inet *inet = inet_of(c, i);
	struct sock *sk = c->socks[i]->sk;

	lock_sock(sk);
	tcp_sk(sk)->repair = 0;
	sk->sk_reuse = options && options->flags & CKPT_SOCK_REUSEADDR ? SK_CAN_REUSE :
									SK_NO_REUSE;
	sk->sk_userlocks &= ~SOCK_BINDPORT_LOCK & ~SOCK_BINDADDR_LOCK;
	if (inet)
		sk->sk_userlocks |= ckpt_inet_locks(inet);
	release_sock(sk);
}

static int send_unsent(struct socket *sock, const char *data, u32 len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	int ret;

	if (!len)
		return 0;
	WRITE_ONCE(sock->sk->sk_sndbuf, INT_MAX / 2);
	ret = kernel_sendmsg(sock, &msg, &vec, 1, len);
	if (ret < 0)
		return ret;
	return ret == len ? 0 : -ENOBUFS;
}

static void set_rest(struct ckpt_ctx *ctx, struct connection *c, int i)
{
	const struct ckpt_rec_tcp_end *e = &saved_of(c)->ends[i];
	const struct ckpt_rec_socket *saved;
	struct sock *sk = c->socks[i]->sk;

	lock_sock(sk);
	WRITE_ONCE(sk->sk_sndbuf, max_t(int, e->sndbuf, SOCK_MIN_SNDBUF));
	WRITE_ONCE(sk->sk_rcvbuf, max_t(int, e->rcvbuf, SOCK_MIN_RCVBUF));
	if (e->flags & CKPT_TCP_PINGPONG)
		inet_csk_enter_pingpong_mode(sk);
	if (c->sockets[i]) {
		saved = ckpt_rec_data(c->sockets[i]->rec);
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | saved->shutdown);
		WRITE_ONCE(sk->sk_err, saved->error);
		if (c->sockets[i]->file)
			c->socks[i]->state = saved->connected;
	}
	release_sock(sk);
}

static int start(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct connection *c = obj;
	const struct ckpt_rec_tcp *saved = saved_of(c);
	const struct ckpt_rec_tcp_end *e;
	int i, ret = 0;

	for (i = 0; i < 2; i++)
		if (c->socks[i])
			set_going(ctx, c, i);
	for (i = 0; i < 2 && !ret; i++) {
		e = &saved->ends[i];
		if (c->socks[i])
			ret = send_unsent(c->socks[i], bytes_of(c, i) + e->unread, e->unsent);
		if (!ret && c->socks[i] &&
		    (e->flags & (CKPT_TCP_FIN_SENT | CKPT_TCP_FIN_SEEN)) == CKPT_TCP_FIN_SENT)
			ret = kernel_sock_shutdown(c->socks[i], SHUT_WR);
	}
	for (i = 0; i < 2; i++)
		if (c->socks[i])
			set_rest(ctx, c, i);
	return ret ? report(ctx, c, ret, "cannot be continued") : 0;
}

/* A connection as it is before accept(2): without a struct socket. */
static void detach(struct ckpt_socket *s)
{
	struct sock *sk = s->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk_set_socket(sk, NULL);
	sk->sk_wq = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	s->sock->sk = NULL;
	sock_release(s->sock);
	s->sock = NULL;
}

static int enqueue(struct ckpt_ctx *ctx, struct connection *c, int i)
{
	struct ckpt_socket *s = c->sockets[i], *l;
	struct sock *listener, *child;
	struct request_sock *req;

	l = ckpt_get_tag(ctx, saved_of(c)->ends[i].listener, &ckpt_socket_ops);
	listener = l ? l->sk : NULL;
	if (!listener || !sk_is_tcp(listener) || listener->sk_state != TCP_LISTEN ||
	    listener->sk_family != s->sk->sk_family || sk_acceptq_is_full(listener))
		return -EBADMSG;
	req = inet_reqsk_alloc(listener->sk_family == AF_INET6 ? &tcp6_request_sock_ops :
			       &tcp_request_sock_ops, listener, false);
	if (!req)
		return -ENOMEM;
	refcount_set(&req->rsk_refcnt, 1);
	tcp_rsk(req)->tfo_listener = false;
	/* Whoever accepts it has it accounted for. */
	c->socks[i] = NULL;
	detach(s);
	child = s->sk;
	/* The reference is that of the queue from now on. */
	s->sk = NULL;
	local_bh_disable();
	child = inet_csk_reqsk_queue_add(listener, req, child);
	local_bh_enable();
	return child ? 0 : -EBADMSG;
}

struct queued {
	struct connection *c;
	int end;
	const struct ckpt_rec_tcp_end *e;
};

struct queue {
	struct queued *all;
	u32 nr;
};

static int note_queued(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct connection *c = obj;
	struct queue *q = arg;
	int i;

	for (i = 0; i < 2; i++) {
		if (!saved_of(c)->ends[i].listener)
			continue;
		if (q->all)
			q->all[q->nr] = (struct queued){ c, i, &saved_of(c)->ends[i] };
		q->nr++;
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct queued *x = a, *y = b;

	return x->e->place < y->e->place ? -1 : x->e->place > y->e->place;
}

static int enqueue_all(struct ckpt_ctx *ctx)
{
	struct queue q = {};
	int ret = 0;
	u32 i;

	ckpt_each_tag(ctx, &ckpt_tcp_ops, note_queued, &q);
	if (!q.nr)
		return 0;
	q.all = kvcalloc(q.nr, sizeof(*q.all), GFP_KERNEL_ACCOUNT);
	if (!q.all)
		return -ENOMEM;
	q.nr = 0;
	ckpt_each_tag(ctx, &ckpt_tcp_ops, note_queued, &q);
	sort(q.all, q.nr, sizeof(*q.all), by_place, NULL);
	for (i = 0; i < q.nr && !ret; i++) {
		ret = enqueue(ctx, q.all[i].c, q.all[i].end);
		if (ret)
			report(ctx, q.all[i].c, ret, "cannot wait to be accepted");
	}
	kvfree(q.all);
	return ret;
}

/**
 * ckpt_tcp_build_all - make all connections, silent yet
 * @ctx: context of a restart; sockets that listen do so
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_tcp_build_all(struct ckpt_ctx *ctx)
{
	return ckpt_each_tag(ctx, &ckpt_tcp_ops, build, NULL);
}

/**
 * ckpt_tcp_start_all - let all connections go on
 * @ctx: context of a restart; all are made
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_tcp_start_all(struct ckpt_ctx *ctx)
{
	int ret = ckpt_each_tag(ctx, &ckpt_tcp_ops, start, NULL) ?: enqueue_all(ctx);

	/* What was closed is closed before the tree sees it. */
	ckpt_drop_tags(ctx, &ckpt_tcp_ops);
	return ret;
}

const struct ckpt_obj_ops ckpt_tcp_ops = {
	.name = "TCP connection",
	.rec = CKPT_REC_TCP,
	.restore = tcp_restore,
	.put = put_connection,
};

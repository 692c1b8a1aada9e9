// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP connections whose two ends are in the tree. Both ends are locked at once and
 * become one record: for each direction the bytes that the reader has yet to read,
 * and those that the writer has written and that have not arrived. What was in
 * between, segments and acknowledgements, is as if lost, which TCP makes good.
 * An end may be open, in the queue of a listening socket, or closed.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/inet_timewait_sock.h>
#include <net/mptcp.h>
#include <net/tcp.h>

#include "inet.h"

#define FIN_SENT	(TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 | TCPF_CLOSING | TCPF_LAST_ACK)
#define FIN_ARRIVED	(TCPF_CLOSE_WAIT | TCPF_CLOSING | TCPF_LAST_ACK)

static bool in_state(const struct sock *sk, u32 states)
{
	return (1U << READ_ONCE(sk->sk_state)) & states;
}

static struct file *file_of(struct sock *sk)
{
	struct file *file;

	read_lock_bh(&sk->sk_callback_lock);
	file = sk->sk_socket ? sk->sk_socket->file : NULL;
	read_unlock_bh(&sk->sk_callback_lock);
	return file;
}

/* Place of a connection in the queue of a listening socket, or -1. */
static int place_in_queue(struct sock *listener, const struct sock *child)
{
	struct request_sock_queue *queue = &inet_csk(listener)->icsk_accept_queue;
	struct request_sock *req;
	int place = 0, found = -1;

	spin_lock_bh(&queue->rskq_lock);
	for (req = queue->rskq_accept_head; req && found < 0; req = req->dl_next, place++)
		if (req->sk == child)
			found = place;
	spin_unlock_bh(&queue->rskq_lock);
	return found;
}

/* The socket of the tree that has to accept a connection, referenced, or NULL. */
static struct sock *listener_of(struct ckpt_ctx *ctx, struct sock *child, int *place)
{
	struct sock *listener = ckpt_inet_listener(child);

	if (!listener)
		return NULL;
	*place = place_in_queue(listener, child);
	if (*place >= 0 && ckpt_file_is_known(ctx, file_of(listener)))
		return listener;
	sock_put(listener);
	return NULL;
}

static enum ckpt_tcp_peer classify(struct ckpt_ctx *ctx, struct sock *peer)
{
	struct sock *listener;
	int place;

	if (!peer)
		return CKPT_PEER_NONE;
	if (peer->sk_state == TCP_NEW_SYN_RECV)
		return CKPT_PEER_REQUEST;
	if (peer->sk_state == TCP_TIME_WAIT)
		return inet_twsk(peer)->tw_substate == TCP_FIN_WAIT2 ? CKPT_PEER_CLOSED :
								      CKPT_PEER_ENDING;
	if (sock_flag(peer, SOCK_DEAD))
		return CKPT_PEER_CLOSED;
	if (peer->sk_socket)
		return ckpt_file_is_known(ctx, file_of(peer)) ? CKPT_PEER_OPEN :
								CKPT_PEER_OUTSIDE;
	listener = listener_of(ctx, peer, &place);
	if (!listener)
		return CKPT_PEER_OUTSIDE;
	sock_put(listener);
	return CKPT_PEER_QUEUED;
}

/* What the other end is; *@peer is a reference to it if it is a whole socket. */
static enum ckpt_tcp_peer find_peer(struct ckpt_ctx *ctx, struct sock *sk, struct sock **peer)
{
	struct sock *found = ckpt_inet_peer(sk);
	enum ckpt_tcp_peer what = classify(ctx, found);
	struct ckpt_rec_inet_addr addr;

	*peer = NULL;
	ckpt_inet_remote(sk, &addr);
	if (what == CKPT_PEER_NONE && !ckpt_inet_is_local(sock_net(sk), sk->sk_family, &addr))
		what = CKPT_PEER_OUTSIDE;
	if (found && sk_fullsock(found))
		*peer = found;
	else if (found)
		sock_gen_put(found);
	return what;
}

static const char *peer_trouble(struct sock *sk, enum ckpt_tcp_peer what)
{
	switch (what) {
	case CKPT_PEER_OUTSIDE:
		return "whose other end is outside of the tree";
	case CKPT_PEER_REQUEST:
		return "which a full queue keeps from being accepted";
	case CKPT_PEER_ENDING:
		return "which is just being closed";
	case CKPT_PEER_NONE:
		/* It has told all that it had to, and nobody waits for it. */
		return in_state(sk, TCPF_CLOSE_WAIT) ? NULL : "whose other end has disappeared";
	default:
		return NULL;
	}
}

static const char *has_aux(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->inet_conn.icsk_ulp_ops || sk_is_mptcp(sk))
		return "with an upper layer protocol (TLS, MPTCP)";
	if (ckpt_tcp_has_keys(tp))
		return "with keys for authentication (MD5, TCP-AO)";
	if (tp->fastopen_req || rcu_access_pointer(tp->fastopen_rsk) ||
	    inet_test_bit(DEFER_CONNECT, sk))
		return "that is being opened by TCP Fast Open";
	if (rcu_access_pointer(inet_csk(sk)->icsk_accept_queue.fastopenq.ctx))
		return "with a key for TCP Fast Open of its own";
	if (tp->saved_syn)
		return "with a header that was kept (TCP_SAVE_SYN)";
	if (tp->repair)
		return "under repair (TCP_REPAIR)";
	if (BPF_SOCK_OPS_TEST_FLAG(tp, BPF_SOCK_OPS_ALL_CB_FLAGS))
		return "that a BPF program watches";
	return NULL;
}

/* Of a connection; all that could change it is frozen. */
static const char *stream_trouble(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (READ_ONCE(tp->urg_data) || tp->snd_up != tp->snd_una)
		return "with urgent data (MSG_OOB)";
	if (sock_flag(sk, SOCK_ZEROCOPY) && !tcp_rtx_and_write_queues_empty(sk))
		return "with data that may be sent from the program's memory (MSG_ZEROCOPY)";
	return NULL;
}

static const char *trouble(struct ckpt_ctx *ctx, struct sock *sk)
{
	enum ckpt_tcp_peer what;
	const char *why;
	struct sock *peer;

	why = has_aux(sk);
	if (why || in_state(sk, TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT))
		return why;
	what = find_peer(ctx, sk, &peer);
	why = peer == sk ? "which is connected to itself" : peer_trouble(sk, what);
	if (peer)
		sock_put(peer);
	return why ?: stream_trouble(sk);
}

/**
 * ckpt_tcp_is_inside - is the other end of a connection in the tree, or gone?
 * @ctx: context of a save
 * @sk: a TCP socket
 *
 * Return: true if so, or if it has no other end.
 */
bool ckpt_tcp_is_inside(struct ckpt_ctx *ctx, struct sock *sk)
{
	enum ckpt_tcp_peer what;
	struct sock *peer;

	if (in_state(sk, TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT))
		return true;
	what = find_peer(ctx, sk, &peer);
	if (peer)
		sock_put(peer);
	return what != CKPT_PEER_OUTSIDE;
}

/* References to the first connections of a queue; returns how many there are. */
static u32 get_queued(struct sock *listener, struct sock **children, u32 max)
{
	struct request_sock_queue *queue = &inet_csk(listener)->icsk_accept_queue;
	struct request_sock *req;
	u32 nr = 0;

	spin_lock_bh(&queue->rskq_lock);
	for (req = queue->rskq_accept_head; req; req = req->dl_next, nr++) {
		if (nr >= max)
			continue;
		children[nr] = req->sk;
		sock_hold(req->sk);
	}
	spin_unlock_bh(&queue->rskq_lock);
	return nr;
}

static int each_queued(struct ckpt_ctx *ctx, struct sock *listener,
		       int (*fn)(struct ckpt_ctx *ctx, struct sock *child, void *arg), void *arg)
{
	u32 i, nr = get_queued(listener, NULL, 0);
	struct sock **children;
	int ret = 0;

	if (!nr)
		return 0;
	children = kvcalloc(nr, sizeof(*children), GFP_KERNEL_ACCOUNT);
	if (!children)
		return -ENOMEM;
	nr = min(nr, get_queued(listener, children, nr));
	for (i = 0; i < nr; i++) {
		ret = ret ?: fn(ctx, children[i], arg);
		sock_put(children[i]);
	}
	kvfree(children);
	return ret;
}

static const char *queued_trouble(struct ckpt_ctx *ctx, struct sock *child)
{
	if (in_state(child, TCPF_CLOSE))
		return "which the other end has reset";
	return trouble(ctx, child) ?: ckpt_sock_trouble(child) ?: ckpt_inet_trouble(child);
}

static int collect_queued(struct ckpt_ctx *ctx, struct sock *child, void *arg)
{
	const char *why = queued_trouble(ctx, child);

	if (why)
		ckpt_obstacle(ctx, arg, CKPT_WHY_FILE,
			      "a TCP connection that is not accepted yet, %s", why);
	return 0;
}

/**
 * ckpt_tcp_collect - look for what keeps a TCP socket from being saved
 * @ctx: context of a save
 * @where: what holds it
 * @sk: the socket
 */
void ckpt_tcp_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk)
{
	const char *why = trouble(ctx, sk);

	if (why)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "a TCP socket %s", why);
	if (in_state(sk, TCPF_LISTEN) &&
	    each_queued(ctx, sk, collect_queued, (void *)where))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "a TCP socket with too many connections to accept");
}

/**
 * struct under_way - what is under way in one direction
 * @from: sequence number of the first byte
 * @len: bytes
 */
struct under_way {
	u32 from;
	u32 len;
};

/* What arrived and was not read. A connection's end, FIN, has a number of its own. */
static struct under_way unread(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 end = tp->rcv_nxt - (in_state(sk, FIN_ARRIVED) || sock_flag(sk, SOCK_DONE));
	struct under_way w = { .from = tp->copied_seq };

	/* Who has closed it has thrown away what was there. */
	if (!sock_flag(sk, SOCK_DEAD) && after(end, w.from))
		w.len = end - w.from;
	else
		w.from = end;
	return w;
}

/* What was written, and has not arrived where @from comes next. */
static struct under_way unsent(const struct sock *sk, u32 from)
{
	u32 end = tcp_sk(sk)->write_seq - in_state(sk, FIN_SENT);
	struct under_way w = { .from = from };

	if (!in_state(sk, TCPF_CLOSE) && after(end, from))
		w.len = end - from;
	else
		w.from = end;
	return w;
}

static int copy_skb(struct sk_buff *skb, struct under_way *w, char **to)
{
	u32 seq = TCP_SKB_CB(skb)->seq, part;
	int ret;

	if (!w->len || !before(w->from, seq + skb->len))
		return 0;
	if (before(w->from, seq))
		return -EBUSY;
	part = min(w->len, seq + skb->len - w->from);
	ret = skb_copy_bits(skb, w->from - seq, *to, part);
	w->from += part;
	w->len -= part;
	*to += part;
	return ret;
}

static int copy_unread(struct sock *sk, struct under_way w, char **to)
{
	struct sk_buff *skb;
	int ret = 0;

	skb_queue_walk(&sk->sk_receive_queue, skb)
		ret = ret ?: copy_skb(skb, &w, to);
	return ret ?: w.len ? -EBUSY : 0;
}

static int copy_unsent(struct sock *sk, struct under_way w, char **to)
{
	struct sk_buff *skb;
	int ret = 0;

	skb_rbtree_walk(skb, &sk->tcp_rtx_queue)
		ret = ret ?: copy_skb(skb, &w, to);
	skb_queue_walk(&sk->sk_write_queue, skb)
		ret = ret ?: copy_skb(skb, &w, to);
	return ret ?: w.len ? -EBUSY : 0;
}

/**
 * struct end - one end of a connection
 * @sk: its socket, or NULL
 * @unread: what it has yet to read
 * @unsent: what has yet to arrive at the other one
 */
struct end {
	struct sock *sk;
	struct under_way unread;
	struct under_way unsent;
};

static void lock_ends(const struct end *ends)
{
	struct sock *a = ends[0].sk, *b = ends[1].sk;

	if (b && a > b)
		swap(a, b);
	lock_sock(a);
	if (b)
		lock_sock_nested(b, SINGLE_DEPTH_NESTING);
}

static void unlock_ends(const struct end *ends)
{
	if (ends[1].sk)
		release_sock(ends[1].sk);
	release_sock(ends[0].sk);
}

/* The next byte that has not arrived at the other end. */
static u32 arrived(const struct end *end, const struct end *other)
{
	if (other->sk)
		return other->unread.from + other->unread.len;
	return tcp_sk(end->sk)->snd_una;
}

static void fill_end(struct ckpt_rec_tcp_end *rec, const struct end *end,
		     const struct end *other)
{
	struct sock *sk = end->sk;
	const struct tcp_sock *tp = tcp_sk(sk);
	bool fin = in_state(sk, FIN_SENT);

	rec->flags = (fin ? CKPT_TCP_FIN_SENT : 0) |
		     (fin && (other->sk ? in_state(other->sk, FIN_ARRIVED) :
			      in_state(sk, TCPF_FIN_WAIT2)) ? CKPT_TCP_FIN_SEEN : 0) |
		     (inet_csk_in_pingpong_mode(sk) ? CKPT_TCP_PINGPONG : 0);
	rec->seq = tp->write_seq - fin;
	rec->unread = end->unread.len;
	rec->unsent = end->unsent.len;
	rec->window = tcp_receive_window(tp);
	rec->max_window = tp->max_window;
	rec->window_clamp = tp->window_clamp;
	rec->rcv_ssthresh = tp->rcv_ssthresh;
	rec->rcvq_space = max(tp->rcvq_space.space, 0);
	rec->mss = tp->rx_opt.mss_clamp;
	rec->advmss = tp->advmss;
	rec->wscale = tp->rx_opt.rcv_wscale;
	rec->sndbuf = sk->sk_sndbuf;
	rec->rcvbuf = sk->sk_rcvbuf;
	rec->bytes_sent = tp->bytes_acked + arrived(end, other) - tp->snd_una;
	rec->bytes_received = tp->bytes_received;
	rec->segs_in = tp->segs_in;
	rec->segs_out = tp->segs_out;
	rec->data_segs_in = tp->data_segs_in;
	rec->data_segs_out = tp->data_segs_out;
}

/* The closed end of which the kernel only remembers that it waits for our FIN. */
static void fill_forgotten(struct ckpt_rec_tcp_end *rec, const struct end *end)
{
	const struct tcp_sock *tp = tcp_sk(end->sk);

	rec->flags = CKPT_TCP_FIN_SENT | CKPT_TCP_FIN_SEEN;
	rec->seq = tp->rcv_nxt - 1;
	rec->window = tp->snd_wnd;
	rec->max_window = tp->rcv_wnd;
	rec->mss = tp->rx_opt.mss_clamp;
	rec->advmss = tp->rx_opt.mss_clamp;
	rec->wscale = tp->rx_opt.snd_wscale;
	rec->sndbuf = end->sk->sk_sndbuf;
	rec->rcvbuf = end->sk->sk_rcvbuf;
}

static u32 common_flags(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return (tp->rx_opt.wscale_ok ? CKPT_TCP_WSCALE : 0) |
	       (tcp_is_sack(tp) ? CKPT_TCP_SACK : 0) |
	       (tp->rx_opt.tstamp_ok ? CKPT_TCP_TIMESTAMPS : 0) |
	       (tp->ecn_flags & TCP_ECN_OK ? CKPT_TCP_ECN : 0) |
	       (ckpt_inet_speaks_ipv6(sk) ? CKPT_TCP_IPV6 : 0);
}

/* Both ends are locked: lengths first, then there is room for the bytes. */
static int take(struct end *ends, struct ckpt_rec_tcp *rec, char **data, size_t *len)
{
	char *to;
	int i, ret = 0;

	for (i = 0; i < 2; i++)
		if (ends[i].sk)
			ends[i].unread = unread(ends[i].sk);
	for (i = 0; i < 2; i++) {
		if (!ends[i].sk)
			continue;
		ends[i].unsent = unsent(ends[i].sk, arrived(&ends[i], &ends[!i]));
		fill_end(&rec->ends[i], &ends[i], &ends[!i]);
		*len += (size_t)ends[i].unread.len + ends[i].unsent.len;
	}
	if (*len > CKPT_MAX_TCP)
		return -EFBIG;
	*data = kvmalloc(*len + 1, GFP_KERNEL_ACCOUNT);
	if (!*data)
		return -ENOMEM;
	to = *data;
	for (i = 0; i < 2 && !ret; i++) {
		if (!ends[i].sk)
			continue;
		if (stream_trouble(ends[i].sk))
			return -EBUSY;
		ret = copy_unread(ends[i].sk, ends[i].unread, &to) ?:
		      copy_unsent(ends[i].sk, ends[i].unsent, &to);
	}
	return ret;
}

static int name_queued(struct ckpt_ctx *ctx, struct sock *sk, struct ckpt_rec_tcp_end *rec)
{
	struct sock *listener;
	int place, ret;

	listener = listener_of(ctx, sk, &place);
	if (!listener)
		return -EBUSY;
	ret = ckpt_socket_save(ctx, listener, true, &rec->listener);
	if (!ret)
		ret = ckpt_socket_save(ctx, sk, false, &rec->socket);
	rec->place = place;
	sock_put(listener);
	return ret;
}

/* The tag of its socket, which is saved first. */
static int name_end(struct ckpt_ctx *ctx, struct sock *sk, struct ckpt_rec_tcp_end *rec)
{
	if (sock_flag(sk, SOCK_DEAD))
		return 0;
	if (!sk->sk_socket)
		return name_queued(ctx, sk, rec);
	return ckpt_socket_save(ctx, sk, true, &rec->socket);
}

/*
 * A closed end has become one that is only remembered, since it was found: its
 * connection does not wait for the tree.
 */
static int forget(struct end *ends)
{
	struct sock *sk = ends[1].sk;
	bool dead = sock_flag(sk, SOCK_DEAD);

	release_sock(sk);
	sock_put(sk);
	ends[1].sk = NULL;
	return dead && in_state(ends[0].sk, TCPF_CLOSE_WAIT) ? 0 : -EBUSY;
}

static int save_connection(struct ckpt_ctx *ctx, struct end *ends, enum ckpt_tcp_peer what,
			   u32 tag)
{
	struct ckpt_rec_tcp rec = {};
	size_t len = 0;
	char *data = NULL;
	int i, ret = 0;

	for (i = 0; i < 2 && !ret; i++)
		if (ends[i].sk)
			ret = name_end(ctx, ends[i].sk, &rec.ends[i]);
	if (ret)
		return ret;
	lock_ends(ends);
	if (ends[1].sk && in_state(ends[1].sk, TCPF_CLOSE)) {
		what = CKPT_PEER_CLOSED;
		ret = forget(ends);
	}
	rec.flags = common_flags(ends[0].sk);
	if (in_state(ends[0].sk, TCPF_CLOSE))
		rec.flags |= CKPT_TCP_DEAD;
	ckpt_inet_pair(ends[0].sk, rec.addr);
	ret = ret ?: take(ends, &rec, &data, &len);
	if (!ends[1].sk && what == CKPT_PEER_CLOSED)
		fill_forgotten(&rec.ends[1], &ends[0]);
	else if (!ends[1].sk)
		rec.ends[1].flags = CKPT_TCP_NONE;
	unlock_ends(ends);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_TCP, tag, sizeof(rec), &rec, sizeof(rec),
					data, len);
	kvfree(data);
	return ret;
}

/* One of the two stands for the connection, whichever is asked for. */
static void *key_of(struct sock *sk, struct sock *peer)
{
	return &inet_csk(peer && peer < sk ? peer : sk)->icsk_accept_queue;
}

static int save_ends(struct ckpt_ctx *ctx, struct sock *sk)
{
	bool alive = !in_state(sk, TCPF_CLOSE);
	struct end ends[2] = { { .sk = sk } };
	enum ckpt_tcp_peer what = CKPT_PEER_NONE;
	void *key;
	int ret = 0;
	u32 tag;

	if (alive)
		what = find_peer(ctx, sk, &ends[1].sk);
	key = key_of(sk, ends[1].sk);
	if (alive && peer_trouble(sk, what)) {
		ret = -EBUSY;
	} else if (!ckpt_tag_of(ctx, key)) {
		tag = ckpt_new_tag(ctx, key);
		ret = tag ? save_connection(ctx, ends, what, tag) : -ENOMEM;
	}
	if (ends[1].sk)
		sock_put(ends[1].sk);
	return ret;
}

static int save_queued(struct ckpt_ctx *ctx, struct sock *child, void *arg)
{
	return save_ends(ctx, child);
}

/* It was connected once, or has something that is still to be read. */
static bool was_connected(struct sock *sk)
{
	return !skb_queue_empty_lockless(&sk->sk_receive_queue) || inet_sk(sk)->inet_dport;
}

/**
 * ckpt_tcp_save - save what a TCP socket is connected to, and what waits in it
 * @ctx: context of a save
 * @t: task that has it
 * @sk: the socket, whose own records are written
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk)
{
	if (in_state(sk, TCPF_LISTEN))
		return each_queued(ctx, sk, save_queued, NULL);
	if (in_state(sk, TCPF_SYN_SENT))
		return 0;
	if (in_state(sk, TCPF_CLOSE) && !was_connected(sk))
		return 0;
	return save_ends(ctx, sk);
}

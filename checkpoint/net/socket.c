// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets: what all families have in common, and the table of families. A socket
 * is made when its SOCKET record is read, in the process that had it first, so
 * that it belongs to the right cgroup. It gets the rest, and what waits in it, when
 * all sockets and tasks exist, from the caller of restart(): first all are filled,
 * then each gets its options, then its addresses and its state. So nobody finds
 * one by its name before it is complete, and no filter or limit is in the way.
 *
 * A socket that leads outside, or that others have, too, is external on a standard
 * stream, or by its key, and else an obstacle.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "../file/event.h"
#include "net.h"

static const struct ckpt_socket_family *const families[] = {
	&ckpt_unix_family,	/* unix.c */
	&ckpt_inet_family,	/* inet.c: IPv4; tcp.c, udp.c */
	&ckpt_inet6_family,	/* inet.c: IPv6; tcp.c, udp.c */
};

static const struct ckpt_socket_family *find_family(int family)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i]->family == family)
			return families[i];
	return NULL;
}

static const struct ckpt_socket_family *family_of(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	return sock && sock->sk ? find_family(sock->sk->sk_family) : NULL;
}

/* Why it cannot be saved, NULL: it can, or is no socket. */
static const char *why_not(struct ckpt_ctx *ctx, struct file *file)
{
	const struct ckpt_socket_family *family = family_of(file);
	const char *why = NULL;

	if (!family)
		return "of a family that cannot be saved";
	if (!ckpt_file_is_ours(ctx, file, 1))
		return "that others outside of the tree hold, too";
	if (family->is_inside && !family->is_inside(ctx, sock_from_file(file)->sk, &why))
		return why;
	return NULL;
}

static bool socket_probe(struct ckpt_task *t, struct file *file)
{
	return sock_from_file(file) && !why_not(t->ctx, file);
}

static const char *type_name(int type)
{
	static const char *const names[] = {
		[SOCK_STREAM] = "stream", [SOCK_DGRAM] = "datagram", [SOCK_RAW] = "raw",
		[SOCK_RDM] = "reliable datagram", [SOCK_SEQPACKET] = "packet",
	};

	return type > 0 && type < ARRAY_SIZE(names) && names[type] ? names[type] : "unknown";
}

/**
 * ckpt_socket_refuse - report a socket that is of no kind
 * @ctx: context of a save
 * @where: what holds it
 * @file: any open file, to which the caller holds one reference
 *
 * Return: false: it is no socket.
 */
bool ckpt_socket_refuse(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file)
{
	const struct ckpt_socket_family *family = family_of(file);
	struct socket *sock = sock_from_file(file);
	const char *why = sock && sock->sk ? why_not(ctx, file) : NULL;

	if (!why)
		return false;
	ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE, file,
			  "a %s socket (family %d, %s, protocol %d) %s",
			  family ? family->name : sock->sk->sk_prot_creator->name,
			  sock->sk->sk_family, type_name(sock->type), sock->sk->sk_protocol, why);
	return true;
}

static void socket_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			   struct file *file)
{
	const struct ckpt_socket_family *family = family_of(file);
	struct sock *sk = sock_from_file(file)->sk;

	if (sock_net(sk) != ctx->nsproxy->net_ns)
		ckpt_obstacle(ctx, where, CKPT_WHY_NAMESPACE,
			      "a socket of another network namespace");
	if (file->f_flags & (O_DIRECT | O_NOATIME | O_DSYNC | __O_SYNC))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "unusual flags (%#o) of %pD",
			      file->f_flags, file);
	ckpt_sock_collect(ctx, where, sk);
	if (family->collect)
		family->collect(ctx, where, sk);
}

/* Room for a filter that somebody attaches meanwhile is not needed: the tree is frozen. */
static int write_socket(struct ckpt_ctx *ctx, struct sock *sk, bool has_file, u32 tag)
{
	struct ckpt_rec_socket rec = {
		.family = sk->sk_family,
		.type = sk->sk_type,
		.protocol = sk->sk_protocol,
		.state = READ_ONCE(sk->sk_state),
	};
	void *insns = NULL;
	int nr = 0;
	int ret;

	if (!has_file)
		rec.flags = CKPT_SOCK_NO_FILE;
	/* A connection that is not accepted has options of its own. */
	if (has_file || sk_is_tcp(sk)) {
		ckpt_sock_fill(sk, &rec);
		nr = ckpt_sock_get_filter(sk, NULL, 0);
	} else {
		rec.shutdown = READ_ONCE(sk->sk_shutdown);
		rec.error = READ_ONCE(sk->sk_err);
	}
	if (nr < 0)
		return -EBUSY;
	if (nr) {
		insns = kcalloc(nr, 8, GFP_KERNEL_ACCOUNT);
		if (!insns)
			return -ENOMEM;
		if (ckpt_sock_get_filter(sk, insns, nr) != nr) {
			kfree(insns);
			return -EBUSY;
		}
	}
	rec.nr_insns = nr;
	ret = ckpt_write_record(ctx, CKPT_REC_SOCKET, tag, sizeof(rec), &rec, sizeof(rec),
				insns, nr * 8);
	kfree(insns);
	return ret;
}

/**
 * ckpt_socket_save - save a socket, unless it was already
 * @ctx: context of a save
 * @sk: the socket, which is there for the call
 * @has_file: somebody has it open
 * @tag: gets its tag
 *
 * What leads to others is saved by ckpt_sockets_save(): a chain of them may be long.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_socket_save(struct ckpt_ctx *ctx, struct sock *sk, bool has_file, u32 *tag)
{
	int ret;

	*tag = ckpt_tag_of(ctx, sk);
	if (*tag)
		return 0;
	*tag = ckpt_new_tag(ctx, sk);
	if (!*tag)
		return -ENOMEM;
	ret = xa_err(xa_store(&ctx->sockets, ctx->nr_sockets, sk, GFP_KERNEL_ACCOUNT));
	if (ret)
		return ret;
	/*
	 * It stays, also if its process is killed. Of a closed one only messages that it
	 * has sent may be left: so this counts as one.
	 */
	refcount_inc(&sk->sk_wmem_alloc);
	ctx->nr_sockets++;
	return write_socket(ctx, sk, has_file, *tag);
}

static int socket_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		       struct ckpt_rec_file *rec, char *name)
{
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	snprintf(name, CKPT_PATH_MAX, "socket:[%lu]", file_inode(file)->i_ino);
	return ckpt_socket_save(ctx, sock_from_file(file)->sk, true, &rec->object);
}

/**
 * ckpt_sockets_save - save what sockets lead to, and what waits in them
 * @ctx: context of a save
 * @t: the process of which a descriptor table was saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sockets_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct ckpt_socket_family *family;
	struct sock *sk;
	int ret = 0;

	while (ctx->nr_sockets_saved < ctx->nr_sockets && !ret) {
		sk = xa_load(&ctx->sockets, ctx->nr_sockets_saved++);
		family = find_family(sk->sk_family);
		if (family->save)
			ret = family->save(ctx, t, sk, ckpt_tag_of(ctx, sk));
		cond_resched();
	}
	return ret;
}

/**
 * ckpt_sockets_free - forget what was saved
 * @ctx: context
 *
 * The tree must not go on before: it would see it.
 */
void ckpt_sockets_free(struct ckpt_ctx *ctx)
{
	unsigned long index;
	struct sock *sk;

	xa_for_each(&ctx->sockets, index, sk)
		sk_free(sk);
	xa_destroy(&ctx->sockets);
}

static void put_socket(void *obj)
{
	struct ckpt_socket *s = obj;
	struct ckpt_socket_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &s->queue, list) {
		ckpt_free_record(msg->rec);
		kfree(msg);
	}
	if (s->file)
		fput(s->file);
	else if (s->sock)
		sock_release(s->sock);
	else if (s->sk)
		sock_put(s->sk);
	ckpt_free_record(s->more);
	ckpt_free_record(s->rec);
	kfree(s);
}

static int create(struct ckpt_socket *s, const struct ckpt_rec_socket *saved)
{
	int ret = sock_create(saved->family, saved->type, saved->protocol, &s->sock);

	if (ret)
		return ret;
	s->sk = s->sock->sk;
	if (s->sk->sk_type != saved->type || s->sk->sk_protocol != saved->protocol)
		return -EBADMSG;
	if (saved->flags & CKPT_SOCK_NO_FILE)
		return 0;
	s->file = sock_alloc_file(s->sock, 0, NULL);
	if (!IS_ERR(s->file))
		return 0;
	/* It is gone. */
	s->sock = NULL;
	s->sk = NULL;
	ret = PTR_ERR(s->file);
	s->file = NULL;
	return ret;
}

/**
 * ckpt_socket_error - report that a socket cannot be restored
 * @ctx: context of a restart
 * @s: the socket
 * @err: negative errno
 * @what: what failed
 *
 * Return: @err.
 */
int ckpt_socket_error(struct ckpt_ctx *ctx, struct ckpt_socket *s, int err, const char *what)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);
	enum ckpt_reason why = err == -EPERM || err == -EACCES ? CKPT_WHY_PERMISSION :
			       err == -EBADMSG ? CKPT_WHY_IMAGE : CKPT_WHY_FILE;

	return ckpt_error(ctx, CKPT_AT(s->t), why, err,
			  "a socket (family %u, %s, protocol %u) %s", saved->family,
			  type_name(saved->type), saved->protocol, what);
}

static int socket_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_socket *saved = ckpt_rec_data(rec);
	struct ckpt_socket *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!s) {
		ckpt_free_record(rec);
		return -ENOMEM;
	}
	INIT_LIST_HEAD(&s->queue);
	s->rec = rec;
	s->t = t;
	ret = find_family(saved->family) ? create(s, saved) : -EAFNOSUPPORT;
	if (!ret)
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_socket_ops, s);
	if (!ret)
		return 0;
	ckpt_socket_error(ctx, s, ret, "cannot be made");
	put_socket(s);
	return ret;
}

/**
 * ckpt_socket_find - a socket of the image
 * @ctx: context of a restart
 * @tag: its tag, from the image
 * @family: AF_* that it must have
 *
 * Return: the socket, or NULL: there is none.
 */
struct ckpt_socket *ckpt_socket_find(struct ckpt_ctx *ctx, u32 tag, int family)
{
	struct ckpt_socket *s = ckpt_get_tag(ctx, tag, &ckpt_socket_ops);
	const struct ckpt_rec_socket *saved;

	if (!s)
		return NULL;
	saved = ckpt_rec_data(s->rec);
	return saved->family == family ? s : NULL;
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct ckpt_socket *s = ckpt_get_tag(ctx, rec->object, &ckpt_socket_ops);

	if (!s || !s->file || s->taken)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has a file of a socket without the socket"));
	s->taken = true;
	return ckpt_event_file(s->file, rec);
}

static int prepare(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_socket *s = obj;
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);
	const struct ckpt_socket_family *family = find_family(saved->family);

	return family->prepare ? family->prepare(ctx, s) : 0;
}

static int fill(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_socket *s = obj;
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);
	const struct ckpt_socket_family *family = find_family(saved->family);

	return family->fill ? family->fill(ctx, s) : 0;
}

static int finish(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_socket *s = obj;
	const struct ckpt_rec_socket *saved = ckpt_rec_data(s->rec);
	const struct ckpt_socket_family *family = find_family(saved->family);
	int ret = s->file ? ckpt_sock_set(s) : 0;

	if (ret)
		return ckpt_socket_error(ctx, s, ret, "cannot have its options");
	return family->finish ? family->finish(ctx, s) : 0;
}

/**
 * ckpt_socket_is_quiet - do events of a socket come only from the tree?
 * @file: the file of a socket that is in the tree
 *
 * Return: true if nobody else can reach it.
 */
bool ckpt_socket_is_quiet(struct file *file)
{
	struct sock *sk = sock_from_file(file)->sk;

	return sk->sk_family == AF_UNIX && sk->sk_type != SOCK_DGRAM &&
	       READ_ONCE(sk->sk_state) == TCP_ESTABLISHED;
}

/**
 * ckpt_sockets_assemble - fill all sockets, and give them their state
 * @ctx: context of a restart; all tasks and files exist
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_sockets_assemble(struct ckpt_ctx *ctx)
{
	return ckpt_each_tag(ctx, &ckpt_socket_ops, prepare, NULL) ?:
	       ckpt_each_tag(ctx, &ckpt_socket_ops, fill, NULL) ?:
	       ckpt_each_tag(ctx, &ckpt_socket_ops, finish, NULL) ?:
	       ckpt_inet_assemble(ctx);
}

const struct ckpt_file_kind ckpt_socket_kind = {
	.name = "socket",
	.kind = CKPT_FILE_SOCKET,
	.probe = socket_probe,
	.collect = socket_collect,
	.save = socket_save,
	.restore = file_restore,
};

const struct ckpt_obj_ops ckpt_socket_ops = {
	.name = "socket",
	.rec = CKPT_REC_SOCKET,
	.restore = socket_restore,
	.put = put_socket,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of AF_UNIX: saving. What waits in one is in unix_queue.c.
 *
 * A socket is in the tree if nobody else has it open, and the same is true of the
 * one to which it is connected, unless that is closed. One that is closed lives on as
 * long as others refer to it: it still has a name, for who is connected to it or gets a
 * message from it. Of a stranger who has sent a message no more than that is needed.
 * A connection that waits to be accepted must come from the tree.
 */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>

#include "unix.h"

/* A reference to the file of a socket, or to the one that has yet to accept it. */
static struct file *get_holder(struct sock *sk, struct sock **listener)
{
	struct file *file = NULL;

	*listener = NULL;
	unix_state_lock(sk);
	if (!sock_flag(sk, SOCK_DEAD)) {
		if (sk->sk_socket && sk->sk_socket->file)
			file = get_file_active(&sk->sk_socket->file);
		else if (unix_sk(sk)->listener)
			*listener = unix_sk(sk)->listener;
		if (*listener)
			sock_hold(*listener);
	}
	unix_state_unlock(sk);
	return file;
}

static bool is_ours(struct ckpt_ctx *ctx, struct file *file)
{
	return ckpt_file_is_known(ctx, file) && !ckpt_is_accepted(ctx, file) &&
	       ckpt_file_is_ours(ctx, file, 1);
}

/**
 * ckpt_unix_place - where is a socket?
 * @ctx: context of a save
 * @sk: the socket, to which the caller holds a reference
 *
 * Return: that.
 */
enum ckpt_unix_place ckpt_unix_place(struct ckpt_ctx *ctx, struct sock *sk)
{
	enum ckpt_unix_place place = CKPT_UNIX_OUTSIDE;
	struct sock *listener, *none;
	struct file *file;
	bool pending;

	if (sock_flag(sk, SOCK_DEAD))
		return CKPT_UNIX_GONE;
	file = get_holder(sk, &listener);
	pending = listener;
	if (pending) {
		file = get_holder(listener, &none);
		sock_put(listener);
	}
	if (!file)
		return CKPT_UNIX_OUTSIDE;
	if (is_ours(ctx, file))
		place = pending ? CKPT_UNIX_PENDING : CKPT_UNIX_INSIDE;
	fput(file);
	return place;
}

static bool unix_is_inside(struct ckpt_ctx *ctx, struct sock *sk, const char **why)
{
	struct sock *peer = unix_peer_get(sk);
	bool inside = true;

	if (peer) {
		/* Of its own file the caller has a reference, too. */
		inside = peer == sk || ckpt_unix_place(ctx, peer) != CKPT_UNIX_OUTSIDE;
		sock_put(peer);
	}
	*why = "whose other end is outside of the tree";
	return inside;
}

/* Is it bound, and is the file of its name still there? */
static bool has_file(struct sock *sk)
{
	struct unix_sock *u = unix_sk(sk);

	return !hlist_unhashed(&sk->sk_bind_node) && u->path.dentry &&
	       !d_unlinked(u->path.dentry);
}

static void collect_name(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk)
{
	/* A lack of memory must not look like an obstacle. */
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);

	if (IS_ERR_OR_NULL(ckpt_path_name(ctx, &unix_sk(sk)->path, buf)))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_UNREACHABLE,
			      "a Unix socket whose name is outside of the caller's root directory or mounts");
	kfree(buf);
}

static bool knows_groups(struct user_namespace *ns, const struct cred *cred)
{
	int i;

	for (i = 0; i < cred->group_info->ngroups; i++)
		if (!kgid_has_mapping(ns, cred->group_info->gid[i]))
			return false;
	return kuid_has_mapping(ns, cred->euid) && kgid_has_mapping(ns, cred->egid);
}

static const struct cred *get_peer(struct sock *sk, struct pid **pid)
{
	const struct cred *cred;

	spin_lock(&sk->sk_peer_lock);
	cred = get_cred(sk->sk_peer_cred);
	*pid = get_pid(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
	return cred;
}

static void unix_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct sock *sk)
{
	struct pid *pid;
	const struct cred *cred = get_peer(sk, &pid);

	if (cred && !knows_groups(current_user_ns(), cred))
		ckpt_obstacle(ctx, where, CKPT_WHY_CRED,
			      "a Unix socket whose other end is of an unknown user or group");
	put_cred(cred);
	put_pid(pid);
	if (has_file(sk))
		collect_name(ctx, where, sk);
	ckpt_unix_queue_collect(ctx, where, sk);
}

/**
 * ckpt_unix_save_other - save a socket that another one has named
 * @ctx: context of a save
 * @sk: the socket, to which the caller holds a reference
 * @tag: gets its tag
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unix_save_other(struct ckpt_ctx *ctx, struct sock *sk, u32 *tag)
{
	return ckpt_socket_save(ctx, sk, ckpt_unix_place(ctx, sk) == CKPT_UNIX_INSIDE, tag);
}

/**
 * ckpt_unix_pid - number of a process that a socket or message tells
 * @ctx: context of a save
 * @pid: the process, or NULL
 * @gone: gets whether it is not, or not any more, in the tree
 *
 * Return: its number, 0: it has none.
 */
u32 ckpt_unix_pid(struct ckpt_ctx *ctx, struct pid *pid, bool *gone)
{
	struct task_struct *task;
	u32 nr = pid_nr_ns(pid, ctx->pidns);

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	*gone = nr && (!task || !xa_load(&ctx->task_index, task->pid));
	rcu_read_unlock();
	return nr;
}

/* What waits to be written behind a UNIX record. */
struct tail {
	char *buf;
	size_t len;
};

static int add(struct tail *tail, const void *data, size_t len)
{
	char *more = krealloc(tail->buf, tail->len + len, GFP_KERNEL_ACCOUNT);

	if (!more)
		return -ENOMEM;
	memcpy(more + tail->len, data, len);
	tail->buf = more;
	tail->len += len;
	return 0;
}

static int save_file(struct ckpt_ctx *ctx, const struct path *path, struct ckpt_rec_unix *rec,
		     struct tail *tail)
{
	struct inode *inode = d_inode(path->dentry);
	struct super_block *sb = path->dentry->d_sb;
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT), *name;
	int ret;

	if (!buf)
		return -ENOMEM;
	name = ckpt_path_name(ctx, path, buf);
	if (IS_ERR_OR_NULL(name)) {
		kfree(buf);
		return -EBUSY;
	}
	rec->flags |= CKPT_UNIX_BOUND | CKPT_UNIX_FILE;
	rec->path_len = strlen(name);
	rec->mode = inode->i_mode & 07777;
	rec->uid = from_kuid_munged(current_user_ns(), inode->i_uid);
	rec->gid = from_kgid_munged(current_user_ns(), inode->i_gid);
	rec->ino = inode->i_ino;
	rec->generation = inode->i_generation;
	if (sb->s_uuid_len == sizeof(rec->fs_uuid))
		memcpy(rec->fs_uuid, &sb->s_uuid, sizeof(rec->fs_uuid));
	ret = add(tail, name, rec->path_len);
	kfree(buf);
	return ret;
}

static int save_name(struct ckpt_ctx *ctx, struct sock *sk, struct ckpt_rec_unix *rec,
		     struct tail *tail)
{
	/* Pairs with who binds it. */
	struct unix_address *addr = smp_load_acquire(&unix_sk(sk)->addr);
	int ret;

	if (!addr)
		return 0;
	rec->name_len = addr->len - offsetof(struct sockaddr_un, sun_path);
	ret = add(tail, addr->name->sun_path, rec->name_len);
	if (ret || rec->flags & CKPT_UNIX_CLOSED)
		return ret;
	if (has_file(sk))
		return save_file(ctx, &unix_sk(sk)->path, rec, tail);
	/* What was accepted has the name of its listener, but is not found by it. */
	if (!addr->name->sun_path[0] && sk->sk_hash > UNIX_HASH_MOD)
		rec->flags |= CKPT_UNIX_BOUND;
	return 0;
}

static int save_peer_cred(struct ckpt_ctx *ctx, struct sock *sk, struct ckpt_rec_unix *rec,
			  struct tail *tail)
{
	struct pid *pid;
	const struct cred *cred = get_peer(sk, &pid);
	bool gone;
	u32 gid;
	int i, ret = 0;

	if (!cred)
		return 0;
	rec->flags |= CKPT_UNIX_PEER_CRED;
	rec->peer_pid = ckpt_unix_pid(ctx, pid, &gone);
	if (gone)
		rec->flags |= CKPT_UNIX_PEER_GONE;
	rec->peer_uid = from_kuid(current_user_ns(), cred->euid);
	rec->peer_gid = from_kgid(current_user_ns(), cred->egid);
	rec->nr_groups = cred->group_info->ngroups;
	for (i = 0; i < cred->group_info->ngroups && !ret; i++) {
		gid = from_kgid(current_user_ns(), cred->group_info->gid[i]);
		ret = add(tail, &gid, sizeof(gid));
	}
	put_cred(cred);
	put_pid(pid);
	return ret;
}

static int save_links(struct ckpt_ctx *ctx, struct sock *sk, enum ckpt_unix_place place,
		      struct ckpt_rec_unix *rec)
{
	struct sock *peer = unix_peer_get(sk), *listener;
	struct file *file;
	int ret = 0;

	if (peer) {
		ret = ckpt_unix_save_other(ctx, peer, &rec->peer);
		sock_put(peer);
	}
	if (ret || place != CKPT_UNIX_PENDING)
		return ret;
	file = get_holder(sk, &listener);
	if (file)
		fput(file);
	if (!listener)
		return -EBUSY;
	ret = ckpt_unix_save_other(ctx, listener, &rec->listener);
	sock_put(listener);
	return ret;
}

static int unix_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct sock *sk, u32 tag)
{
	enum ckpt_unix_place place = ckpt_unix_place(ctx, sk);
	bool closed = place == CKPT_UNIX_GONE || place == CKPT_UNIX_OUTSIDE;
	struct ckpt_rec_unix rec = { .socket = tag, .flags = closed ? CKPT_UNIX_CLOSED : 0 };
	struct tail tail = {};
	int ret = closed ? 0 : save_peer_cred(ctx, sk, &rec, &tail);

	if (!ret)
		ret = save_name(ctx, sk, &rec, &tail);
	if (!ret && !closed)
		ret = save_links(ctx, sk, place, &rec);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_UNIX, 0, sizeof(rec), &rec, sizeof(rec),
					tail.buf, tail.len);
	kfree(tail.buf);
	return ret || closed ? ret : ckpt_unix_queue_save(ctx, t, sk, tag);
}

static int unix_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_unix *saved = ckpt_rec_data(rec);
	struct ckpt_socket *s = ckpt_socket_find(ctx, saved->socket, AF_UNIX);

	if (s && !s->more) {
		s->more = rec;
		return 0;
	}
	ckpt_free_record(rec);
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image has a Unix socket twice, or a part of one that is not there");
}

static int msg_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_unix_msg *saved = ckpt_rec_data(rec);
	struct ckpt_socket *s = ckpt_socket_find(ctx, saved->socket, AF_UNIX);
	struct ckpt_socket_msg *msg = kmalloc(sizeof(*msg), GFP_KERNEL_ACCOUNT);

	if (s && msg) {
		msg->rec = rec;
		list_add_tail(&msg->list, &s->queue);
		return 0;
	}
	kfree(msg);
	ckpt_free_record(rec);
	return s ? -ENOMEM : ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
					"the image has a message for a socket that is not there");
}

const struct ckpt_socket_family ckpt_unix_family = {
	.family = AF_UNIX,
	.name = "Unix",
	.is_inside = unix_is_inside,
	.collect = unix_collect,
	.save = unix_save,
	.prepare = ckpt_unix_prepare,
	.fill = ckpt_unix_fill,
	.finish = ckpt_unix_finish,
};

const struct ckpt_obj_ops ckpt_unix_ops = {
	.name = "Unix socket",
	.rec = CKPT_REC_UNIX,
	.restore = unix_restore,
};

const struct ckpt_obj_ops ckpt_unix_msg_ops = {
	.name = "message in a Unix socket",
	.rec = CKPT_REC_UNIX_MSG,
	.restore = msg_restore,
};

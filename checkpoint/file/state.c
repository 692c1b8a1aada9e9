// SPDX-License-Identifier: GPL-2.0-only
/*
 * What fcntl(2) has set on an open file: who gets a signal (F_SETOWN_EX), which
 * (F_SETSIG), whether (O_ASYNC), and the write hint of its inode. An owner
 * outside of the tree is an obstacle; so is O_ASYNC on devices other than
 * terminals. That of open(2) has no effect, but shows.
 */
#include <linux/capability.h>
#include <linux/checkpoint_state.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tty.h>

#include "event.h"
#include "pty.h"

static const enum pid_type pid_types[] = {
	[CKPT_OWNER_TID] = PIDTYPE_PID,
	[CKPT_OWNER_TGID] = PIDTYPE_TGID,
	[CKPT_OWNER_PGRP] = PIDTYPE_PGID,
};

static u32 owner_type(enum pid_type type)
{
	return type == PIDTYPE_PGID ? CKPT_OWNER_PGRP :
	       type == PIDTYPE_TGID ? CKPT_OWNER_TGID : CKPT_OWNER_TID;
}

static struct pid *get_owner(struct fown_struct *owner, enum pid_type *type)
{
	struct pid *pid;

	read_lock_irq(&owner->lock);
	pid = get_pid(owner->pid);
	*type = owner->pid_type;
	read_unlock_irq(&owner->lock);
	return pid;
}

/* Signals to a process go to any of its threads by its id: as send_sigio(). */
static bool is_alive(struct pid *pid, enum pid_type type)
{
	return pid && pid_has_task(pid, type == PIDTYPE_PGID ? type : PIDTYPE_PID);
}

static bool is_inside(struct ckpt_ctx *ctx, struct pid *pid, enum pid_type type)
{
	struct task_struct *task;
	bool inside;

	if (type == PIDTYPE_PGID)
		return ckpt_group_is_inside(ctx, pid);
	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	inside = task && xa_load(&ctx->task_index, task->pid);
	rcu_read_unlock();
	return inside;
}

/* A lease sets the flag, too. */
static bool is_async(struct file *file)
{
	return file->f_flags & FASYNC && (file->f_op->fasync || !ckpt_has_lease(file));
}

/* Of which it can be told whether they send signals. */
static bool may_be_async(struct file *file, const struct ckpt_file_kind *kind)
{
	if (kind == &ckpt_external_kind)
		return ckpt_is_terminal(file_inode(file));
	return !file->f_op->fasync || kind == &ckpt_pipe_kind || kind == &ckpt_fifo_kind ||
	       kind == &ckpt_socket_kind || kind == &ckpt_pty_kind ||
	       kind == &ckpt_terminal_kind || kind == &ckpt_inotify_kind;
}

static void collect_owner(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *file, struct fown_struct *owner)
{
	enum pid_type type;
	struct pid *pid = get_owner(owner, &type);

	/* Besides, it is how a directory that is watched (F_NOTIFY) can be told. */
	if (pid && S_ISDIR(file_inode(file)->i_mode))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_OWNER,
			      "signals for changes of the directory %pD", file);
	else if (is_alive(pid, type) && !is_inside(ctx, pid, type))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_OWNER,
			      "signals of %pD go to somebody outside of the tree", file);
	if (!kuid_has_mapping(current_user_ns(), owner->uid) ||
	    !kuid_has_mapping(current_user_ns(), owner->euid))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_OWNER,
			      "the owner of %pD was set by an unknown user", file);
	put_pid(pid);
}

/**
 * ckpt_state_collect - look for owners and signals that cannot be saved
 * @ctx: context
 * @where: what holds the file
 * @file: the file
 * @kind: its kind
 */
void ckpt_state_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file, const struct ckpt_file_kind *kind)
{
	struct fown_struct *owner = file_f_owner(file);
	bool used = owner && (READ_ONCE(owner->pid) || READ_ONCE(owner->signum));

	if ((is_async(file) && !may_be_async(file, kind)) ||
	    (used && kind == &ckpt_external_kind && !ckpt_is_terminal(file_inode(file))))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_OWNER,
			      "signal-driven input and output on %pD", file);
	else if (used)
		collect_owner(ctx, where, file, owner);
}

static int find_async_fd(struct fasync_struct *fa, struct file *file)
{
	for (; fa; fa = READ_ONCE(fa->fa_next))
		if (READ_ONCE(fa->fa_file) == file)
			return fa->fa_fd;
	return -1;
}

/* Where the signals of a socket, terminal or inotify instance are listed, or NULL. */
static struct fasync_struct **async_list(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	if (sock)
		return &sock->wq.fasync_list;
	if (ckpt_is_terminal(file_inode(file)))
		return &ckpt_tty_of(file)->fasync;
	if (checkpoint_is_inotify(file))
		return &((struct fsnotify_group *)file->private_data)->fsn_fa;
	return NULL;
}

/* The descriptor that the signals of a file tell; -1: there are none. */
static int async_fd(struct file *file)
{
	struct fasync_struct **list = async_list(file);
	struct pipe_inode_info *pipe = ckpt_pipe_of(file);
	int fd = -1;

	if (list) {
		rcu_read_lock();
		fd = find_async_fd(READ_ONCE(*list), file);
		rcu_read_unlock();
	}
	if (!pipe)
		return fd;
	mutex_lock(&pipe->mutex);
	rcu_read_lock();
	fd = find_async_fd(READ_ONCE(pipe->fasync_readers), file);
	if (fd < 0)
		fd = find_async_fd(READ_ONCE(pipe->fasync_writers), file);
	rcu_read_unlock();
	mutex_unlock(&pipe->mutex);
	return fd;
}

static void fill_owner(struct ckpt_ctx *ctx, struct fown_struct *owner,
		       struct ckpt_rec_file_state *rec)
{
	enum pid_type type;
	struct pid *pid = get_owner(owner, &type);

	rec->flags |= CKPT_FSTATE_OWNER;
	rec->signo = READ_ONCE(owner->signum);
	if (is_alive(pid, type)) {
		rec->owner_type = owner_type(type);
		rec->owner = pid_nr_ns(pid, ctx->pidns);
	}
	rec->uid = from_kuid(current_user_ns(), owner->uid);
	rec->euid = from_kuid(current_user_ns(), owner->euid);
	put_pid(pid);
}

/**
 * ckpt_state_save - save what fcntl(2) has set on an open file
 * @ctx: context
 * @file: the file, just saved
 * @tag: its tag
 *
 * Return: 0 or a negative errno.
 */
int ckpt_state_save(struct ckpt_ctx *ctx, struct file *file, u32 tag)
{
	struct ckpt_rec_file_state rec = {
		.file = tag,
		.write_hint = READ_ONCE(file_inode(file)->i_write_hint),
	};
	struct fown_struct *owner = file_f_owner(file);

	if (owner)
		fill_owner(ctx, owner, &rec);
	if (is_async(file)) {
		rec.async_fd = async_fd(file);
		rec.flags |= rec.async_fd < 0 ? CKPT_FSTATE_SHOWS_ASYNC : CKPT_FSTATE_ASYNC;
		rec.async_fd = max(rec.async_fd, 0);
	}
	if (!rec.flags && !rec.write_hint)
		return 0;
	return ckpt_write_record(ctx, CKPT_REC_FILE_STATE, 0, sizeof(rec), &rec, sizeof(rec),
				 NULL, 0);
}

/* Kept until all tasks are there: the owner may be any. */
static int state_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_file_state *saved = ckpt_rec_data(rec);
	int ret = xa_insert(&ctx->file_states, saved->file, rec, GFP_KERNEL_ACCOUNT);

	if (ret)
		ckpt_free_record(rec);
	if (ret == -EBUSY)
		ret = ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				 "the image has the state of a file twice");
	return ret;
}

/**
 * ckpt_may_act_as - may the caller act as this user?
 * @uid: the user
 *
 * Return: true if it may become this user.
 */
bool ckpt_may_act_as(kuid_t uid)
{
	const struct cred *cred = current_cred();

	return uid_valid(uid) &&
	       (uid_eq(uid, cred->uid) || uid_eq(uid, cred->euid) || uid_eq(uid, cred->suid) ||
		ns_capable(current_user_ns(), CAP_SETUID));
}

static struct pid *find_owner(struct ckpt_ctx *ctx, const struct ckpt_rec_file_state *saved)
{
	struct ckpt_task *t;

	if (saved->owner_type == CKPT_OWNER_PGRP)
		return ckpt_tree_group(ctx, saved->owner);
	t = xa_load(&ctx->task_index, saved->owner);
	return t ? get_task_pid(t->task, PIDTYPE_PID) : NULL;
}

static int set_owner(struct ckpt_ctx *ctx, struct file *file,
		     const struct ckpt_rec_file_state *saved)
{
	kuid_t uid = make_kuid(current_user_ns(), saved->uid);
	kuid_t euid = make_kuid(current_user_ns(), saved->euid);
	struct pid *pid = saved->owner ? find_owner(ctx, saved) : NULL;
	struct fown_struct *owner;
	int ret = 0;

	if (saved->owner && !pid)
		return -EBADMSG;
	if (pid && (!ckpt_may_act_as(uid) || !ckpt_may_act_as(euid)))
		ret = -EPERM;
	if (!ret)
		ret = file_f_owner_allocate(file);
	if (!ret) {
		__f_setown(file, pid, pid_types[saved->owner_type], 1);
		owner = file_f_owner(file);
		write_lock_irq(&owner->lock);
		owner->signum = saved->signo;
		if (pid) {
			owner->uid = uid;
			owner->euid = euid;
		}
		write_unlock_irq(&owner->lock);
	}
	put_pid(pid);
	return ret;
}

/* As F_SET_RW_HINT. */
static int set_hint(struct file *file, u32 hint)
{
	struct inode *inode = file_inode(file), *host = file->f_mapping->host;

	if (!hint || inode->i_write_hint == hint)
		return 0;
	if (IS_IMMUTABLE(inode))
		return -EPERM;
	WRITE_ONCE(inode->i_write_hint, hint);
	if (host != inode)
		WRITE_ONCE(host->i_write_hint, hint);
	return 0;
}

/* What an external file was replaced by may be of a kind without signals. */
static int set_async(struct file *file, const struct ckpt_rec_file_state *saved)
{
	int ret;

	if (saved->flags & CKPT_FSTATE_SHOWS_ASYNC ||
	    (!async_list(file) && !ckpt_pipe_of(file))) {
		spin_lock(&file->f_lock);
		file->f_flags |= FASYNC;
		spin_unlock(&file->f_lock);
		return 0;
	}
	/* A terminal makes current the owner; it must get the saved one then. */
	if (ckpt_is_terminal(file_inode(file)) && !(saved->flags & CKPT_FSTATE_OWNER))
		return -EBADMSG;
	ret = file->f_op->fasync(saved->async_fd, file, 1);
	return min(ret, 0);
}

static int apply(struct ckpt_ctx *ctx, const struct ckpt_rec_file_state *saved)
{
	struct file *file = ckpt_get_tag(ctx, saved->file, &ckpt_file_ops);
	int ret;

	if (!file || file->f_mode & FMODE_PATH)
		return -EBADMSG;
	ret = set_hint(file, saved->write_hint);
	if (!ret && saved->flags & (CKPT_FSTATE_ASYNC | CKPT_FSTATE_SHOWS_ASYNC))
		ret = set_async(file, saved);
	if (!ret && saved->flags & CKPT_FSTATE_OWNER)
		ret = set_owner(ctx, file, saved);
	return ret;
}

/**
 * ckpt_states_apply - give files their owners and signals
 * @ctx: context of a restart, all tasks parked, groups prepared
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_states_apply(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *rec;
	unsigned long tag;
	int ret;

	/* The last ends of pipes that are closed would send signals. */
	ckpt_drop_tags(ctx, &ckpt_pipe_ops);
	xa_for_each(&ctx->file_states, tag, rec) {
		ret = apply(ctx, ckpt_rec_data(rec));
		if (ret)
			return ckpt_error(ctx, CKPT_AT(NULL), ret == -EBADMSG ? CKPT_WHY_IMAGE :
					  CKPT_WHY_FILE_OWNER, ret,
					  "the owner or a signal of a file cannot be set");
	}
	return 0;
}

/**
 * ckpt_states_free - forget what was kept
 * @ctx: context
 */
void ckpt_states_free(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *rec;
	unsigned long tag;

	xa_for_each(&ctx->file_states, tag, rec)
		ckpt_free_record(rec);
	xa_destroy(&ctx->file_states);
}

const struct ckpt_obj_ops ckpt_file_state_ops = {
	.name = "state of a file",
	.rec = CKPT_REC_FILE_STATE,
	.restore = state_restore,
};

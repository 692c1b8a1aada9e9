// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pseudoterminal again: a new pair that moves to the number that the saved one
 * had. Everything is done as the restarter could do it by opening /dev/ptmx and
 * by ioctl(2).
 */
#include <linux/checkpoint_state.h>
#include <linux/devpts_fs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/tty.h>

#include "../internal.h"
#include "pty.h"

/* Two restarts must not take each other's numbers while they look for theirs. */
static DEFINE_MUTEX(numbers);

/* A restored pair: its master, and what is set once all its files are open. */
struct restored {
	struct file *master;
	struct ckpt_rec *rec;	/* of one that is hung up then */
	u32 flags;
	u32 ends[2];
};

/* Now nobody will open the slave any more, and a master without files closes. */
static void put_restored(void *obj)
{
	struct restored *r = obj;
	struct tty_struct *master = ckpt_tty_of(r->master);

	if (r->flags & CKPT_PTY_LOCKED)
		set_bit(TTY_PTY_LOCK, &master->flags);
	if (r->ends[0] & CKPT_TTY_EXCLUSIVE)
		set_bit(TTY_EXCLUSIVE, &master->flags);
	if (r->ends[1] & CKPT_TTY_EXCLUSIVE)
		set_bit(TTY_EXCLUSIVE, &master->link->flags);
	/* The tree must find its terminal hung up: not later. */
	__fput_sync(r->master);
	ckpt_free_record(r->rec);
	kfree(r);
}

/* Looked at before it is opened: opening a device may do something. */
static struct file *open_node(const char *name, dev_t dev, int flags)
{
	struct file *file;
	struct path path;
	bool same;
	int ret;

	ret = kern_path(name, LOOKUP_FOLLOW, &path);
	if (ret)
		return ERR_PTR(ret);
	same = S_ISCHR(d_inode(path.dentry)->i_mode) && d_inode(path.dentry)->i_rdev == dev;
	path_put(&path);
	if (!same)
		return ERR_PTR(-ENODEV);
	file = filp_open(name, flags | O_NOCTTY, 0);
	if (!IS_ERR(file) && (!S_ISCHR(file_inode(file)->i_mode) ||
			      file_inode(file)->i_rdev != dev)) {
		fput(file);
		return ERR_PTR(-ENODEV);
	}
	return file;
}

/* The flags of fcntl(2), F_SETFL, and those that open(2) has only noted. */
static void set_flags(struct file *file, const struct ckpt_rec_file *rec)
{
	int flags = ckpt_open_flags(rec) & ~(O_NOCTTY | O_NONBLOCK);

	if (rec->flags & CKPT_FILEF_NONBLOCK)
		flags |= O_NONBLOCK;
	spin_lock(&file->f_lock);
	file->f_flags = flags;
	spin_unlock(&file->f_lock);
}

/**
 * ckpt_open_node - open a device of a terminal by its name again
 * @name: the name
 * @dev: the device that it must be
 * @rec: its FILE record
 *
 * Return: the file, or an ERR_PTR().
 */
struct file *ckpt_open_node(const char *name, dev_t dev, const struct ckpt_rec_file *rec)
{
	struct file *file = open_node(name, dev, ckpt_open_flags(rec));

	if (!IS_ERR(file))
		set_flags(file, rec);
	return file;
}

static struct file *open_master(const char *name, u32 index)
{
	struct inode *inode;
	struct file *file;
	struct path path;
	int ret;

	/* Looked up before the lock is taken: that may take as long as somebody likes. */
	ret = kern_path(name, LOOKUP_FOLLOW, &path);
	if (ret)
		return ERR_PTR(ret);
	inode = d_inode(path.dentry);
	if (!S_ISCHR(inode->i_mode) || inode->i_rdev != CKPT_DEV_PTMX)
		ret = -ENODEV;
	else if (mutex_lock_killable(&numbers))
		ret = -EINTR;
	if (ret) {
		path_put(&path);
		return ERR_PTR(ret);
	}
	file = dentry_open(&path, O_RDWR | O_NOCTTY, current_cred());
	path_put(&path);
	ret = IS_ERR(file) ? 0 : checkpoint_pty_move(file, index);
	if (ret) {
		__fput_sync(file);
		file = ERR_PTR(ret);
	}
	mutex_unlock(&numbers);
	return file;
}

/* The slave, not to be read or written (O_PATH), or just to be opened. */
static struct file *open_peer(struct file *master, int flags)
{
	struct tty_struct *tty = ckpt_tty_of(master);
	struct path path = { .dentry = tty->link->driver_data };
	struct file *file;

	path.mnt = devpts_mntget(master, tty->driver_data);
	if (IS_ERR(path.mnt))
		return ERR_CAST(path.mnt);
	file = dentry_open(&path, flags, current_cred());
	mntput(path.mnt);
	return file;
}

/* As chown(2) and chmod(2) by the restarter. */
static int set_owner(struct file *master, const struct ckpt_rec_pty *saved)
{
	struct file *node = open_peer(master, O_PATH);
	struct inode *inode;
	int ret = 0;

	if (IS_ERR(node))
		return PTR_ERR(node);
	inode = file_inode(node);
	if (from_kuid_munged(current_user_ns(), inode->i_uid) != saved->uid ||
	    from_kgid_munged(current_user_ns(), inode->i_gid) != saved->gid)
		ret = vfs_fchown(node, saved->uid, saved->gid);
	if (!ret && (inode->i_mode & S_IALLUGO) != saved->mode)
		ret = vfs_fchmod(node, saved->mode);
	fput(node);
	return ret;
}

/* So that its master finds it closed, not only not yet open. */
static int open_and_close(struct file *master)
{
	struct file *slave = open_peer(master, O_RDWR | O_NOCTTY);

	if (IS_ERR(slave))
		return PTR_ERR(slave);
	__fput_sync(slave);
	return 0;
}

/* Settings that are locked, as TIOCSLCKTRMIOS. */
static bool may_lock(const struct ckpt_rec_pty *saved)
{
	const size_t from = offsetof(struct ckpt_rec_pty, locked_iflag);
	const size_t to = offsetofend(struct ckpt_rec_pty, locked_cc);

	return !memchr_inv((const u8 *)saved + from, 0, to - from) ||
	       checkpoint_restore_ns_capable(&init_user_ns);
}

static int build_pair(struct ckpt_ctx *ctx, struct restored *r, const struct ckpt_rec_pty *saved,
		      const char *buffers)
{
	struct tty_struct *master = ckpt_tty_of(r->master);
	int ret;

	clear_bit(TTY_PTY_LOCK, &master->flags);
	if (saved->flags & CKPT_PTY_HUNG_UP)
		return 0;
	ret = set_owner(r->master, saved);
	if (!ret && saved->flags & CKPT_PTY_SLAVE_CLOSED)
		ret = open_and_close(r->master);
	/* Opening one that was hung up gives it a new line discipline. */
	if (!ret && !(saved->flags & CKPT_PTY_SLAVE_HUNG_UP))
		ret = ckpt_tty_set_pair(master, saved, buffers);
	if (!ret && saved->session)
		ret = ckpt_terminal_add(ctx, master->link, saved->session, saved->pgrp, false);
	return ret;
}

static int pty_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_pty *saved = ckpt_rec_data(rec);
	const char *tail = ckpt_rec_tail(rec);
	char *name = kmemdup_nul(tail, saved->path_len, GFP_KERNEL_ACCOUNT);
	struct restored *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	const bool forbidden = !may_lock(saved);
	int ret = name && r ? 0 : -ENOMEM;

	if (!ret && forbidden)
		ret = -EPERM;
	if (!ret) {
		r->master = open_master(name, saved->index);
		ret = PTR_ERR_OR_ZERO(r->master);
	}
	if (!ret) {
		r->flags = saved->flags;
		r->ends[0] = saved->ends[0].flags;
		r->ends[1] = saved->ends[1].flags;
		ret = build_pair(ctx, r, saved, tail + saved->path_len);
		if (!ret)
			ret = ckpt_put_tag(ctx, rec->tag, &ckpt_pty_ops, r);
		if (ret)
			put_restored(r);
	} else {
		kfree(r);
	}
	if (ret == -EPERM && forbidden)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, ret,
			   "locked settings of a terminal take CAP_CHECKPOINT_RESTORE");
	else if (ret == -EBUSY)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING, ret,
			   "the terminal number %u of %s is in use", saved->index, name);
	else if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING, ret,
			   "cannot make the terminal number %u by %.*s", saved->index,
			   saved->path_len, tail);
	kfree(name);
	if (!ret && r->flags & CKPT_PTY_SLAVE_HUNG_UP)
		r->rec = rec;
	else
		ckpt_free_record(rec);
	return ret;
}

static int hang_up(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct restored *r = obj;
	const struct ckpt_rec_pty *saved;
	struct tty_struct *master;
	int ret;

	if (!r->rec)
		return 0;
	saved = ckpt_rec_data(r->rec);
	master = ckpt_tty_of(r->master);
	tty_vhangup(master->link);
	ret = ckpt_tty_set_pair(master, saved, (u8 *)ckpt_rec_tail(r->rec) + saved->path_len);
	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_LIMIT, ret,
			   "cannot fill the terminal number %u", saved->index);
	return ret;
}

/**
 * ckpt_ptys_hang_up - hang up the slaves that nobody has opened since they were
 * @ctx: context of a restart; all files exist
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_ptys_hang_up(struct ckpt_ctx *ctx)
{
	return ckpt_each_tag(ctx, &ckpt_pty_ops, hang_up, NULL);
}

/* Makes current have another controlling terminal; returns the former one. */
static struct tty_struct *swap_terminal(struct tty_struct *tty)
{
	unsigned long flags;

	/* The lock of current is always there. */
	if (!lock_task_sighand(current, &flags))
		return tty;
	swap(current->signal->tty, tty);
	unlock_task_sighand(current, &flags);
	return tty;
}

/* /dev/tty leads to the terminal of current: lend it this one. */
static struct file *open_as_terminal(struct tty_struct *tty, const char *name, int flags)
{
	struct tty_struct *own = swap_terminal(tty_kref_get(tty));
	struct file *file = open_node(name, CKPT_DEV_TTY, flags);

	tty_kref_put(swap_terminal(own));
	return file;
}

static struct file *open_end(struct restored *r, const struct ckpt_rec_file *rec,
			     const char *name)
{
	const u32 both = CKPT_FILEF_READ | CKPT_FILEF_WRITE;
	struct tty_struct *slave = ckpt_tty_of(r->master)->link;
	dev_t dev = huge_decode_dev(rec->rdev);
	struct file *file;

	if (dev == CKPT_DEV_PTMX) {
		if (r->flags & CKPT_PTY_HUNG_UP || rec->flags & CKPT_FILEF_HUNG_UP ||
		    (rec->flags & both) != both)
			return ERR_PTR(-EBADMSG);
		return get_file(r->master);
	}
	if (dev == CKPT_DEV_TTY)
		file = open_as_terminal(slave, name, ckpt_open_flags(rec));
	else if (ckpt_is_slave_node(dev))
		file = open_node(name, dev, ckpt_open_flags(rec));
	else
		return ERR_PTR(-EBADMSG);
	/* Another instance of devpts has other terminals under the same names. */
	if (!IS_ERR(file) && ckpt_tty_of(file) != slave) {
		fput(file);
		return ERR_PTR(-ENODEV);
	}
	return file;
}

/**
 * ckpt_pty_open - a file of a restored pseudoterminal
 * @ctx: context
 * @t: current
 * @rec: its FILE record
 * @name: and name
 *
 * Return: the file, or an ERR_PTR(), reported.
 */
struct file *ckpt_pty_open(struct ckpt_ctx *ctx, struct ckpt_task *t,
			   const struct ckpt_rec_file *rec, const char *name)
{
	struct restored *r = ckpt_get_tag(ctx, rec->object, &ckpt_pty_ops);
	struct file *file = r ? open_end(r, rec, name) : ERR_PTR(-EBADMSG);

	if (file == ERR_PTR(-EBADMSG))
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has an end of a missing terminal"));
	if (IS_ERR(file))
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING, PTR_ERR(file),
					  "cannot open the terminal %s", name));
	set_flags(file, rec);
	if (rec->flags & CKPT_FILEF_HUNG_UP)
		checkpoint_tty_hang_up(file);
	return file;
}

const struct ckpt_obj_ops ckpt_pty_ops = {
	.name = "pseudoterminal",
	.rec = CKPT_REC_PTY,
	.restore = pty_restore,
	.put = put_restored,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pseudoterminals whose descriptors are all in the tree being saved: a PTY
 * record has the state of the pair (pty_end.c that of each end), and each open
 * file of the master or the slave names it. pty_restore.c makes it again, and
 * terminal.c makes it a session's controlling terminal.
 *
 * A slave whose master is outside is external on a standard stream.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>

#include "../internal.h"
#include "pty.h"

/* Where the descriptors of a pair are. */
enum place {
	INSIDE,		/* all in the tree */
	OUTSIDE,	/* that of the master is elsewhere */
	SPLIT,		/* the tree shares them with others */
};

static bool is_end(const struct tty_struct *tty, int major)
{
	return tty->driver->type == TTY_DRIVER_TYPE_PTY && tty->driver->major == major;
}

/**
 * ckpt_pty_of - pseudoterminal of which a file is an end
 * @file: any open file, but not of O_PATH
 *
 * Return: the tty of its master, which may be closed; NULL: it is none.
 */
struct tty_struct *ckpt_pty_of(struct file *file)
{
	const struct inode *inode = file_inode(file);
	struct tty_struct *tty;

	if (!S_ISCHR(inode->i_mode) ||
	    (inode->i_rdev != CKPT_DEV_TTY && inode->i_rdev != CKPT_DEV_PTMX &&
	     !ckpt_is_slave_node(inode->i_rdev)))
		return NULL;
	tty = ckpt_tty_of(file);
	if (is_end(tty, UNIX98_PTY_MASTER_MAJOR))
		return tty;
	return is_end(tty, UNIX98_PTY_SLAVE_MAJOR) ? tty->link : NULL;
}

/* Files of one end: how many are the tree's alone, and how many are others', too. */
static void count_files(struct ckpt_ctx *ctx, struct tty_struct *tty, struct file *held,
			u32 *ours, u32 *others)
{
	struct tty_file_private *priv;

	*ours = 0;
	*others = 0;
	spin_lock(&tty->files_lock);
	list_for_each_entry(priv, &tty->tty_files, list) {
		if (ckpt_file_is_ours_now(ctx, priv->file, priv->file == held))
			(*ours)++;
		else
			(*others)++;
		if (ckpt_file_is_known(ctx, priv->file))
			*ours = max(*ours, 1U);
	}
	spin_unlock(&tty->files_lock);
}

/* @held: a file to which the caller has a reference, or NULL */
static enum place place_of(struct ckpt_ctx *ctx, struct tty_struct *master, struct file *held)
{
	u32 masters, other_masters, slaves, other_slaves;
	int try;

	for (try = 0; try < CKPT_TRANSIENT_TRIES; try++) {
		count_files(ctx, master, held, &masters, &other_masters);
		count_files(ctx, master->link, held, &slaves, &other_slaves);
		if (!other_masters && !other_slaves)
			return INSIDE;
		if (!masters)
			return OUTSIDE;
		usleep_range(200, 1000);
	}
	return SPLIT;
}

/**
 * ckpt_pty_is_inside - is a terminal a pseudoterminal of the tree alone?
 * @ctx: context of a save, descriptors counted
 * @tty: a terminal, referenced
 *
 * Return: true if it is the slave of one.
 */
bool ckpt_pty_is_inside(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	bool inside;

	if (!is_end(tty, UNIX98_PTY_SLAVE_MAJOR))
		return false;
	/* Until the master says that it is closed the pair is not released. */
	mutex_lock(&tty_mutex);
	inside = !test_bit(TTY_OTHER_CLOSED, &tty->flags) && tty->link->count &&
		 place_of(ctx, tty->link, NULL) == INSIDE;
	mutex_unlock(&tty_mutex);
	return inside;
}

/*
 * A file of the master, referenced, or NULL: the master is closed. As long as it
 * is open the slave's node in devpts is there.
 */
static struct file *hold_master(struct tty_struct *master)
{
	struct tty_file_private *priv;
	struct file *held = NULL;

	spin_lock(&master->files_lock);
	list_for_each_entry(priv, &master->tty_files, list) {
		/* It may be on its way out. */
		if (!atomic_long_inc_not_zero(&priv->file->f_count))
			continue;
		held = priv->file;
		break;
	}
	spin_unlock(&master->files_lock);
	return held;
}

static bool pty_probe(struct ckpt_task *t, struct file *file)
{
	struct tty_struct *master = ckpt_pty_of(file);

	return master && place_of(t->ctx, master, file) != OUTSIDE;
}

/* The name of a file; that of a slave even when its master has gone. */
static int get_name(struct ckpt_ctx *ctx, struct file *file, char *name)
{
	struct path path = file->f_path;
	bool slave = ckpt_is_slave_node(file_inode(file)->i_rdev);
	size_t len;
	char *found;

	if (slave)
		path.dentry = path.dentry->d_parent;
	found = ckpt_path_name(ctx, &path, name);
	if (IS_ERR_OR_NULL(found))
		return -EOPNOTSUPP;
	memmove(name, found, strlen(found) + 1);
	len = strlen(name);
	if (slave && snprintf(name + len, CKPT_PATH_MAX - len, "/%d", ckpt_tty_of(file)->index) >=
		     CKPT_PATH_MAX - len)
		return -EOPNOTSUPP;
	return 0;
}

/* A line discipline is gone once the terminal was hung up. */
static bool has_other_discipline(struct tty_struct *tty)
{
	struct tty_ldisc *ld = tty_ldisc_ref_wait(tty);
	bool ret = ld && ld->ops->num != N_TTY;

	if (ld)
		tty_ldisc_deref(ld);
	return ret;
}

static bool has_unknown_owner(struct tty_struct *master)
{
	struct file *held = hold_master(master);
	const struct dentry *node;
	bool ret;

	if (!held)
		return false;
	node = master->link->driver_data;
	ret = !kuid_has_mapping(current_user_ns(), d_inode(node)->i_uid) ||
	      !kgid_has_mapping(current_user_ns(), d_inode(node)->i_gid);
	fput(held);
	return ret;
}

static bool has_other_session(struct ckpt_ctx *ctx, struct tty_struct *slave)
{
	struct pid *session, *pgrp;
	bool ret = false;

	spin_lock_irq(&slave->ctrl.lock);
	session = get_pid(slave->ctrl.session);
	pgrp = get_pid(slave->ctrl.pgrp);
	spin_unlock_irq(&slave->ctrl.lock);
	if (session || pgrp)
		ret = !ckpt_pid_inside(ctx, session, PIDTYPE_SID) ||
		      !ckpt_pid_inside(ctx, pgrp, PIDTYPE_PGID);
	put_pid(session);
	put_pid(pgrp);
	return ret;
}

static const char *why_not(struct ckpt_ctx *ctx, struct file *file)
{
	struct tty_struct *master = ckpt_pty_of(file), *slave = master->link;
	const fmode_t both = FMODE_READ | FMODE_WRITE;

	if (place_of(ctx, master, file) != INSIDE)
		return "a terminal whose two ends are in the tree and outside of it";
	if (test_bit(TTY_HUPPED, &master->flags))
		return "a terminal whose master was hung up";
	if (has_other_discipline(master) || has_other_discipline(slave))
		return "a terminal with another line discipline than N_TTY";
	if (has_unknown_owner(master))
		return "a terminal of an unknown user";
	if (ckpt_tty_of(file) == master && (file->f_mode & both) != both)
		return "a master of a terminal that is not open for reading and writing";
	return NULL;
}

static void pty_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file)
{
	const char *why = why_not(ctx, file);
	char *name;

	if (why) {
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE, file, "%s: %pD", why, file);
		return;
	}
	if (has_other_session(ctx, ckpt_pty_of(file)->link))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_SESSION, file,
				  "a terminal that controls a session or group outside of the tree: %pD",
				  file);
	/* A lack of memory must not look like an obstacle. */
	name = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	if (get_name(ctx, file, name))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE_UNREACHABLE, file,
				  "a terminal outside of the caller's root directory or mounts: %pD",
				  file);
	kfree(name);
}

/* The path of /dev/ptmx; that of a closed master is where devpts says. */
static int get_ptmx(struct ckpt_ctx *ctx, struct file *file, struct file *master, char *name)
{
	struct path dir;
	char *found;

	if (master)
		return get_name(ctx, master, name);
	dir.mnt = file->f_path.mnt;
	dir.dentry = dir.mnt->mnt_root;
	found = ckpt_path_name(ctx, &dir, name);
	if (IS_ERR_OR_NULL(found))
		return -EOPNOTSUPP;
	memmove(name, found, strlen(found) + 1);
	found = strrchr(name, '/') + 1;
	if (name + CKPT_PATH_MAX - found < sizeof("ptmx"))
		return -EOPNOTSUPP;
	strscpy(found, "ptmx", CKPT_PATH_MAX - (found - name));
	return 0;
}

static void fill_session(struct ckpt_ctx *ctx, struct tty_struct *slave, struct ckpt_rec_pty *rec)
{
	spin_lock_irq(&slave->ctrl.lock);
	rec->session = pid_nr_ns(slave->ctrl.session, ctx->pidns);
	rec->pgrp = pid_nr_ns(slave->ctrl.pgrp, ctx->pidns);
	rec->pktstatus = slave->ctrl.pktstatus;
	spin_unlock_irq(&slave->ctrl.lock);
}

static void fill_flags(struct tty_struct *master, struct ckpt_rec_pty *rec)
{
	if (!master->count) {
		rec->flags = CKPT_PTY_HUNG_UP;
		return;
	}
	if (test_bit(TTY_PTY_LOCK, &master->flags))
		rec->flags |= CKPT_PTY_LOCKED;
	if (master->ctrl.packet)
		rec->flags |= CKPT_PTY_PACKET;
	if (test_bit(TTY_OTHER_CLOSED, &master->flags))
		rec->flags |= CKPT_PTY_SLAVE_CLOSED;
	if (test_bit(TTY_HUPPED, &master->link->flags))
		rec->flags |= CKPT_PTY_SLAVE_HUNG_UP;
}

static void fill_pty(struct ckpt_ctx *ctx, struct tty_struct *master, const struct inode *node,
		     struct ckpt_rec_pty *rec)
{
	struct tty_struct *slave = master->link;

	rec->index = slave->index;
	fill_flags(master, rec);
	fill_session(ctx, slave, rec);
	/* The node of a terminal that was hung up is no longer there. */
	if (node) {
		rec->uid = from_kuid_munged(current_user_ns(), node->i_uid);
		rec->gid = from_kgid_munged(current_user_ns(), node->i_gid);
		rec->mode = node->i_mode & S_IALLUGO;
	}
	ckpt_tty_save_settings(slave, rec);
}

static int write_held_pty(struct ckpt_ctx *ctx, struct file *file, struct tty_struct *master,
			  struct file *held, u32 tag)
{
	struct dentry *node = held ? master->link->driver_data : NULL;
	char *buf = kvzalloc(CKPT_MAX_PTY, GFP_KERNEL_ACCOUNT);
	struct ckpt_rec_pty rec = {};
	size_t len;
	int ret;

	ret = buf ? get_ptmx(ctx, file, held, buf) : -ENOMEM;
	if (!ret) {
		rec.path_len = strlen(buf);
		len = rec.path_len;
		fill_pty(ctx, master, node ? d_inode(node) : NULL, &rec);
		if (held)
			ret = ckpt_tty_save_pair(master, &rec, buf, &len);
	}
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_PTY, tag, sizeof(rec), &rec, sizeof(rec),
					buf, len);
	kvfree(buf);
	return ret;
}

static int write_pty(struct ckpt_ctx *ctx, struct file *file, u32 *tag)
{
	struct tty_struct *master = ckpt_pty_of(file);
	struct file *held;
	int ret;

	*tag = ckpt_tag_of(ctx, master);
	if (*tag)
		return 0;
	*tag = ckpt_new_tag(ctx, master);
	if (!*tag)
		return -ENOMEM;
	held = hold_master(master);
	/* One that is being closed just now belongs to who has been killed. */
	ret = held || !master->count ? write_held_pty(ctx, file, master, held, *tag) : -EBUSY;
	if (held)
		fput(held);
	return ret;
}

static int pty_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		    struct ckpt_rec_file *rec, char *name)
{
	/* All are once the master is closed, and then the node has gone. */
	bool closed = !ckpt_pty_of(file)->count;
	int ret = get_name(ctx, file, name);

	if (!ret && !closed)
		ret = ckpt_leads_back(ctx, name, &file->f_path);
	if (ret == -ENOMEM)
		return ret;
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_UNREACHABLE, -EOPNOTSUPP,
				  "%pD is hidden by another file or mount", file);
	if (tty_hung_up_p(file) && !closed)
		rec->flags |= CKPT_FILEF_HUNG_UP;
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	rec->rdev = huge_encode_dev(file_inode(file)->i_rdev);
	return write_pty(ctx, file, &rec->object);
}

const struct ckpt_file_kind ckpt_pty_kind = {
	.name = "pseudoterminal",
	.kind = CKPT_FILE_PTY,
	.probe = pty_probe,
	.collect = pty_collect,
	.save = pty_save,
	.restore = ckpt_pty_open,
};

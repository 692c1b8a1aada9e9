// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and directories of /proc, and of sysfs: they are opened again by their
 * name when all tasks exist, and the position set. The name of one in the
 * directory of a process or thread (procfs_task.c) has its new number; it must
 * be of the tree, or gone (stand_in.c). For writing, those of /proc are opened
 * again where the kernel asks who writes.
 */
#include <linux/cred.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>

#include "procfs.h"

static bool may_be_opened(struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	if (file->f_mode & FMODE_PATH)
		return !(file->f_mode & FMODE_NEED_UNMOUNT);
	return (S_ISREG(mode) || S_ISDIR(mode)) && file->f_mode & FMODE_LSEEK &&
	       file->f_mode & (FMODE_READ | FMODE_WRITE);
}

static bool procfs_probe(struct ckpt_task *t, struct file *file)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct pid *pid;
	bool ret;

	if (!may_be_opened(file))
		return false;
	if (sb->s_magic == SYSFS_MAGIC)
		return !d_unlinked(file->f_path.dentry);
	if (sb->s_magic != PROC_SUPER_MAGIC || proc_pid_ns(sb) != t->ctx->pidns)
		return false;
	pid = ckpt_proc_pid(file);
	if (pid)
		ret = ckpt_proc_is_gone(pid) || ckpt_proc_task(t->ctx, pid);
	else
		ret = !d_unlinked(file->f_path.dentry);
	if (file->f_mode & FMODE_WRITE)
		ret = ret && ckpt_proc_may_write(file, pid);
	put_pid(pid);
	return ret;
}

static const char *why_not(struct ckpt_ctx *ctx, struct file *file)
{
	struct pid *pid;
	const char *why;

	if (!(file->f_mode & FMODE_PATH) && file->f_pos < 0)
		return "a position beyond all files in /proc";
	if (file_inode(file)->i_sb->s_magic == SYSFS_MAGIC)
		return NULL;
	/* It shows ids as whoever has opened it sees them. */
	if (!(file->f_mode & FMODE_PATH) && file->f_cred->user_ns != current_user_ns())
		return "a file of /proc that was opened in another user namespace";
	pid = ckpt_proc_pid(file);
	why = pid ? ckpt_proc_why_not(ctx, file, pid) : NULL;
	put_pid(pid);
	return why;
}

static void procfs_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			   struct file *file)
{
	/* A lack of memory must not look like an obstacle. */
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	char *name = ckpt_path_name(ctx, &file->f_path, buf);
	const char *why = why_not(ctx, file);

	if (where->end)
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING, "a mapping of %pD", file);
	if (IS_ERR_OR_NULL(name))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_UNREACHABLE,
			      "a file outside of the caller's root directory or mounts: %pD", file);
	else if (why)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "%s: %s", why, name);
	kfree(buf);
}

static int procfs_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		       struct ckpt_rec_file *rec, char *name)
{
	const struct inode *inode = file_inode(file);
	struct pid *pid = ckpt_proc_pid(file);
	bool gone = pid && ckpt_proc_is_gone(pid);
	int ret = ckpt_name_save(ctx, t, &file->f_path, gone, name);

	put_pid(pid);
	if (ret)
		return ret;
	if (gone)
		rec->flags |= CKPT_FILEF_GONE;
	rec->object = ckpt_proc_number(file);
	rec->pos = file->f_mode & FMODE_PATH ? 0 : file->f_pos;
	rec->mode = inode->i_mode;
	rec->ino = inode->i_ino;
	rec->dev = huge_encode_dev(inode->i_sb->s_dev);
	return 0;
}

/* A name must not lead to another process, such as the caller. */
static bool is_right(struct file *file, u32 nr, const struct ckpt_rec_file *rec)
{
	unsigned long magic = file_inode(file)->i_sb->s_magic;

	if ((magic != PROC_SUPER_MAGIC && magic != SYSFS_MAGIC) ||
	    ((file_inode(file)->i_mode ^ rec->mode) & S_IFMT) ||
	    !(file->f_mode & (FMODE_PATH | FMODE_LSEEK)) || ckpt_proc_number(file) != nr)
		return false;
	return !(file->f_mode & FMODE_WRITE) || magic == SYSFS_MAGIC ||
	       ckpt_proc_may_write(file, nr);
}

static bool is_o_path(const struct ckpt_rec_file *rec)
{
	return !(rec->flags & (CKPT_FILEF_READ | CKPT_FILEF_WRITE));
}

static void set_flags(struct file *file, const struct ckpt_rec_file *rec)
{
	spin_lock(&file->f_lock);
	if (file->f_mode & FMODE_PATH)
		file->f_flags = O_PATH | (rec->flags & CKPT_FILEF_DIRECTORY ? O_DIRECTORY : 0);
	if (!(rec->flags & CKPT_FILEF_NONBLOCK))
		file->f_flags &= ~O_NONBLOCK;
	file->f_flags &= ~O_NOFOLLOW;
	if (rec->flags & CKPT_FILEF_NOFOLLOW)
		file->f_flags |= O_NOFOLLOW;
	spin_unlock(&file->f_lock);
}

/**
 * ckpt_procfs_open - open a file of /proc or sysfs by its name
 * @name: the name
 * @nr: number of the process in whose directory it must be, 0: of none
 * @rec: its record
 *
 * Return: the file, or an ERR_PTR().
 */
struct file *ckpt_procfs_open(const char *name, u32 nr, const struct ckpt_rec_file *rec)
{
	struct file *file;

	file = filp_open(name, is_o_path(rec) ? O_PATH | O_NOFOLLOW :
			 ckpt_open_flags(rec) | O_NOFOLLOW, 0);
	if (IS_ERR(file))
		return file;
	if (!is_right(file, nr, rec)) {
		fput(file);
		return ERR_PTR(-ESTALE);
	}
	/* Not by seeking, which would keep what the process is like now. */
	file->f_pos = rec->pos;
	set_flags(file, rec);
	return file;
}

static struct file *open_now(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec,
			     const char *name)
{
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT);
	struct file *file;
	int nr = buf ? ckpt_proc_name(ctx, rec, name, buf) : -ENOMEM;

	file = nr < 0 ? ERR_PTR(nr) : ckpt_procfs_open(buf, nr, rec);
	kfree(buf);
	return file;
}

static struct file *procfs_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				   const struct ckpt_rec_file *rec, const char *name)
{
	struct file *file;
	int ret;

	if (rec->flags & CKPT_FILEF_GONE)
		file = ckpt_stand_in_open(ctx, rec, name);
	else
		file = rec->object ? open_now(ctx, rec, name) :
		       ckpt_procfs_open(name, 0, rec);
	ret = PTR_ERR_OR_ZERO(file);
	if (ret == -ENOENT || ret == -ENOTDIR)
		ret = -ESTALE;
	if (ret)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), ret == -EBADMSG ? CKPT_WHY_IMAGE :
					  ret == -ESTALE ? CKPT_WHY_FILE_MISSING : CKPT_WHY_FILE,
					  ret, "cannot open %s again", name));
	return file;
}

const struct ckpt_file_kind ckpt_procfs_kind = {
	.name = "procfs",
	.kind = CKPT_FILE_PROCFS,
	.late = true,
	.probe = procfs_probe,
	.collect = procfs_collect,
	.save = procfs_save,
	.restore = procfs_restore,
};

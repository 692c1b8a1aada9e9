// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and directories of /proc, and of sysfs, that are open for reading only:
 * they are opened again by their name, and the position set. The name of one in
 * the directory of a process has the process' new number; it must be of the
 * process that has it open, or of an earlier one of the tree. Others, and those
 * of single threads, are obstacles.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../internal.h"

#define NR_LEN	12	/* a number, and a zero */

/* The entry of the root directory below which a file is. */
static void top_name(struct dentry *dentry, char *name, size_t len)
{
	struct dentry *up, *root = dentry->d_sb->s_root;

	dget(dentry);
	while (dentry != root) {
		up = dget_parent(dentry);
		if (up == root)
			snprintf(name, len, "%pd", dentry);
		dput(dentry);
		dentry = up;
	}
	dput(dentry);
}

/* Number of the process in whose directory a file is; 0: in none. */
static u32 process_of(struct file *file)
{
	char name[NR_LEN] = "";
	u32 nr;

	if (file_inode(file)->i_sb->s_magic != PROC_SUPER_MAGIC)
		return 0;
	top_name(file->f_path.dentry, name, sizeof(name));
	return kstrtou32(name, 10, &nr) ? 0 : nr;
}

/* Is it one that was read, and so will have been restored, before the file is? */
static bool is_earlier(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 nr)
{
	struct ckpt_task *owner = NULL;
	struct pid *pid;

	rcu_read_lock();
	pid = find_pid_ns(nr, ctx->pidns);
	if (pid)
		owner = xa_load(&ctx->task_index, pid_nr(pid));
	rcu_read_unlock();
	return owner && owner == owner->leader && owner->main &&
	       owner->index <= t->leader->index;
}

static bool procfs_probe(struct ckpt_task *t, struct file *file)
{
	const struct inode *inode = file_inode(file);
	const struct super_block *sb = inode->i_sb;
	u32 nr;

	if ((!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode)) ||
	    file->f_mode & (FMODE_PATH | FMODE_WRITE) || !(file->f_mode & FMODE_LSEEK) ||
	    d_unlinked(file->f_path.dentry))
		return false;
	if (sb->s_magic == SYSFS_MAGIC)
		return true;
	if (sb->s_magic != PROC_SUPER_MAGIC ||
	    proc_pid_ns((struct super_block *)sb) != t->ctx->pidns)
		return false;
	nr = process_of(file);
	return !nr || is_earlier(t->ctx, t, nr);
}

static void procfs_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			   struct file *file)
{
	/* A lack of memory must not look like an obstacle. */
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	char *name = ckpt_path_name(ctx, &file->f_path, buf);

	if (where->fd < 0)
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING, "a mapping of %pD", file);
	if (IS_ERR_OR_NULL(name))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_UNREACHABLE,
			      "a file outside of the caller's root directory or mounts: %pD", file);
	else if (process_of(file) && strstr(name, "/task/"))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "a file of a single thread in /proc: %pD", file);
	kfree(buf);
}

static int procfs_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		       struct ckpt_rec_file *rec, char *name)
{
	int ret = ckpt_path_kind.save(ctx, t, file, rec, name);

	rec->object = process_of(file);
	return ret;
}

/* The name with another number, in @buf of CKPT_PATH_MAX bytes. */
static int new_name(const char *name, u32 old, u32 new, char *buf)
{
	char part[NR_LEN + 1];
	size_t len = snprintf(part, sizeof(part), "/%u", old);
	const char *at = name;

	do {
		at = strstr(at + 1, part);
	} while (at && at[len] && at[len] != '/');
	if (!at || snprintf(buf, CKPT_PATH_MAX, "%.*s/%u%s", (int)(at - name), name, new,
			    at + len) >= CKPT_PATH_MAX)
		return -EBADMSG;
	return 0;
}

static int find_name(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct ckpt_rec_file *rec,
		     const char *name, char *buf)
{
	struct ckpt_task *owner = xa_load(&ctx->task_index, rec->object);
	struct task_struct *task;

	if (!rec->object) {
		strscpy(buf, name, CKPT_PATH_MAX);
		return 0;
	}
	task = owner ? READ_ONCE(owner->task) : NULL;
	if (!task || owner->index > t->leader->index || !owner->seen_mm)
		return -EBADMSG;
	return new_name(name, rec->object, task_tgid_nr_ns(task, ctx->pidns), buf);
}

static bool is_right(struct file *file, const struct ckpt_rec_file *rec)
{
	unsigned long magic = file_inode(file)->i_sb->s_magic;

	return (magic == PROC_SUPER_MAGIC || magic == SYSFS_MAGIC) &&
	       !((file_inode(file)->i_mode ^ rec->mode) & S_IFMT);
}

static struct file *open_again(const char *name, const struct ckpt_rec_file *rec)
{
	struct file *file = filp_open(name, ckpt_open_flags(rec) | O_NOFOLLOW, 0);

	if (IS_ERR(file))
		return file;
	if (!is_right(file, rec) || !(file->f_mode & FMODE_LSEEK)) {
		fput(file);
		return ERR_PTR(-ESTALE);
	}
	/* Not by seeking, which would keep what the process is like now. */
	file->f_pos = rec->pos;
	spin_lock(&file->f_lock);
	if (!(rec->flags & CKPT_FILEF_NONBLOCK))
		file->f_flags &= ~O_NONBLOCK;
	if (!(rec->flags & CKPT_FILEF_NOFOLLOW))
		file->f_flags &= ~O_NOFOLLOW;
	spin_unlock(&file->f_lock);
	return file;
}

static struct file *procfs_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				   const struct ckpt_rec_file *rec, const char *name)
{
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT);
	struct file *file;
	int ret = buf ? find_name(ctx, t, rec, name, buf) : -ENOMEM;

	if (!ret && rec->flags & CKPT_FILEF_WRITE)
		ret = -EBADMSG;
	file = ret ? ERR_PTR(ret) : open_again(buf, rec);
	kfree(buf);
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
	.probe = procfs_probe,
	.collect = procfs_collect,
	.save = procfs_save,
	.restore = procfs_restore,
};

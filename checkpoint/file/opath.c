// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors of open(2) with O_PATH: they only name a file, of any type, and
 * are opened again by its name. Its type must be the same. What has no name any
 * more is an obstacle. What is in /proc is left to procfs.c.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "../internal.h"

static bool opath_probe(struct ckpt_task *t, struct file *file)
{
	const struct super_block *sb = file_inode(file)->i_sb;

	/* A mount that only the descriptor holds is more than a name. */
	return (file->f_mode & (FMODE_PATH | FMODE_NEED_UNMOUNT)) == FMODE_PATH &&
	       !(sb->s_flags & SB_KERNMOUNT) &&
	       sb->s_magic != PROC_SUPER_MAGIC && sb->s_magic != NSFS_MAGIC;
}

static void opath_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *file)
{
	/* A lack of memory must not look like an obstacle. */
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);

	if (d_unlinked(file->f_path.dentry))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_DELETED,
			      "the file of an O_PATH descriptor, %pD, was deleted", file);
	else if (IS_ERR_OR_NULL(ckpt_path_name(ctx, &file->f_path, buf)))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_UNREACHABLE,
			      "a file outside of the caller's root directory or mounts: %pD", file);
	kfree(buf);
}

static int opath_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		      struct ckpt_rec_file *rec, char *name)
{
	const struct inode *inode = file_inode(file);
	char *found = ckpt_path_name(ctx, &file->f_path, name);

	if (IS_ERR_OR_NULL(found) || ckpt_leads_back(ctx, found, &file->f_path))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_UNREACHABLE, -EOPNOTSUPP,
				  "%pD is hidden by another file or mount", file);
	memmove(name, found, strlen(found) + 1);
	rec->mode = inode->i_mode;
	rec->ino = inode->i_ino;
	rec->dev = huge_encode_dev(inode->i_sb->s_dev);
	rec->rdev = huge_encode_dev(inode->i_rdev);
	rec->generation = inode->i_generation;
	return 0;
}

static struct file *opath_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				  const struct ckpt_rec_file *rec, const char *name)
{
	/* The name is that of the file itself, even if it is a link. */
	struct file *file = filp_open(name, O_PATH | O_NOFOLLOW, 0);
	const struct inode *inode;

	if (IS_ERR(file))
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING,
					  PTR_ERR(file) == -ENOENT || PTR_ERR(file) == -ENOTDIR ?
					  -ESTALE : PTR_ERR(file), "%s is missing", name));
	inode = file_inode(file);
	if ((inode->i_mode ^ rec->mode) & S_IFMT || huge_encode_dev(inode->i_rdev) != rec->rdev) {
		fput(file);
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_CHANGED, -ESTALE,
					  "%s is of another type than it was", name));
	}
	spin_lock(&file->f_lock);
	file->f_flags = O_PATH | (rec->flags & CKPT_FILEF_NOFOLLOW ? O_NOFOLLOW : 0) |
			(rec->flags & CKPT_FILEF_DIRECTORY ? O_DIRECTORY : 0);
	spin_unlock(&file->f_lock);
	return file;
}

const struct ckpt_file_kind ckpt_opath_kind = {
	.name = "O_PATH",
	.kind = CKPT_FILE_OPATH,
	.named = true,
	.probe = opath_probe,
	.collect = opath_collect,
	.save = opath_save,
	.restore = opath_restore,
};

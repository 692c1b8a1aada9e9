// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors of open(2) with O_PATH: they only name a file, of any type, and
 * are opened again by its name, and it must be the same (compare.c). What has no
 * name any more is an obstacle. What is in /proc is left to procfs.c.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/stat.h>

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
	struct kstat stat;
	int ret = ckpt_name_save(ctx, t, &file->f_path, false, name);

	if (ret)
		return ret;
	ret = ckpt_identify_path(&file->f_path, rec, &stat);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE, ret, "cannot look at %s", name);
	return 0;
}

static struct file *opath_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				  const struct ckpt_rec_file *rec, const char *name)
{
	/* The name is that of the file itself, even if it is a link. */
	struct file *file = filp_open(name, O_PATH | O_NOFOLLOW, 0);
	int ret;

	if (IS_ERR(file))
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING,
					  PTR_ERR(file) == -ENOENT || PTR_ERR(file) == -ENOTDIR ?
					  -ESTALE : PTR_ERR(file), "%s is missing", name));
	ret = ckpt_compare_path(ctx, t, &file->f_path, rec, name);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
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

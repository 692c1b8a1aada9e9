// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories that were removed while they were open or the current directory of
 * a process. One that was in another that was removed, too, is in that one after a
 * restart: so the outer ones come first, and keep a name until all are there.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "unlinked.h"

/**
 * ckpt_is_removed - was this directory removed?
 * @dentry: any directory
 *
 * Return: true if it was.
 */
bool ckpt_is_removed(const struct dentry *dentry)
{
	return d_unlinked(dentry) || IS_DEADDIR(d_inode(dentry));
}

static void collect_one(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct dentry *dentry)
{
	const struct inode *inode = d_inode(dentry);

	if (!IS_DEADDIR(inode))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_DELETED, "%pd was deleted elsewhere",
			      dentry);
	else if (inode->i_mode & (S_ISUID | S_ISGID) ||
		 !kuid_has_mapping(current_user_ns(), inode->i_uid) ||
		 !kgid_has_mapping(current_user_ns(), inode->i_gid))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_DELETED,
			      "%pd was deleted, and had a special mode or user", dentry);
	ckpt_unlinked_collect_xattrs(ctx, where, dentry);
}

/**
 * ckpt_unlinked_collect_dir - look for what keeps a removed directory from being saved
 * @ctx: context
 * @where: what holds it
 * @path: the directory
 */
void ckpt_unlinked_collect_dir(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			       const struct path *path)
{
	struct dentry *dentry = dget(path->dentry), *up;
	u32 depth = 0;

	do {
		collect_one(ctx, where, dentry);
		up = dget_parent(dentry);
		dput(dentry);
		dentry = up;
	} while (ckpt_is_removed(dentry) && ++depth < CKPT_MAX_REMOVED_DIRS);
	if (depth == CKPT_MAX_REMOVED_DIRS)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_DELETED,
			      "%pd was deleted, and more than %d directories above it",
			      path->dentry, CKPT_MAX_REMOVED_DIRS - 1);
	else
		ckpt_unlinked_collect_place(ctx, where, path);
	dput(dentry);
}

/* The outermost removed directory above that has no tag yet, or itself; referenced. */
static struct dentry *next_to_save(struct ckpt_ctx *ctx, struct dentry *dentry)
{
	struct dentry *up;

	dget(dentry);
	for (;;) {
		up = dget_parent(dentry);
		if (!ckpt_is_removed(up) || ckpt_tag_of(ctx, d_inode(up)))
			break;
		dput(dentry);
		dentry = up;
	}
	dput(up);
	return dentry;
}

static u32 parent_tag(struct ckpt_ctx *ctx, struct dentry *dentry)
{
	struct dentry *up = dget_parent(dentry);
	u32 tag = ckpt_is_removed(up) ? ckpt_tag_of(ctx, d_inode(up)) : 0;

	dput(up);
	return tag;
}

/**
 * ckpt_unlinked_save_dir - save a removed directory, and those in which it was
 * @ctx: context
 * @t: task that holds it
 * @path: the directory
 * @tag: its tag
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unlinked_save_dir(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
			   u32 *tag)
{
	struct path next = { .mnt = path->mnt };
	loff_t size;
	int ret = 0;

	*tag = ckpt_tag_of(ctx, d_inode(path->dentry));
	while (!*tag && !ret) {
		next.dentry = next_to_save(ctx, path->dentry);
		ret = ckpt_unlinked_save(ctx, t, &next, parent_tag(ctx, next.dentry), tag, &size);
		if (next.dentry != path->dentry)
			*tag = 0;
		dput(next.dentry);
	}
	return ret;
}

/* As mkdir(2), under a name that nobody has; @made gets it, referenced. */
static int make_named(const struct path *parent, struct path *made)
{
	struct inode *dir = d_inode(parent->dentry);
	char name[CKPT_UNLINKED_NAME];
	int len = ckpt_unlinked_name(name, sizeof(name));
	struct dentry *dentry;
	int ret = mnt_want_write(parent->mnt);

	if (ret)
		return ret;
	inode_lock_nested(dir, I_MUTEX_PARENT);
	dentry = lookup_one(mnt_idmap(parent->mnt), name, parent->dentry, len);
	ret = PTR_ERR_OR_ZERO(dentry);
	if (!ret && d_is_positive(dentry))
		ret = -EEXIST;
	if (!ret)
		ret = security_path_mkdir(parent, dentry, 0700) ?:
		      vfs_mkdir(mnt_idmap(parent->mnt), dir, dentry, 0700);
	if (!ret && d_is_negative(dentry))
		ret = -EOPNOTSUPP;
	inode_unlock(dir);
	mnt_drop_write(parent->mnt);
	if (ret) {
		if (!IS_ERR(dentry))
			dput(dentry);
		return ret;
	}
	made->mnt = mntget(parent->mnt);
	made->dentry = dentry;
	return 0;
}

static int make_in(struct ckpt_unlinked *r, const struct path *parent)
{
	int try, ret = -EEXIST;

	for (try = 0; try < CKPT_NAME_TRIES && ret == -EEXIST; try++)
		ret = make_named(parent, &r->path);
	r->named = !ret;
	return ret;
}

/**
 * ckpt_removed_dir_make - make a directory, for now with a name
 * @ctx: context of a restart
 * @r: what is known of it; gets it
 * @dir: path of the nearest directory above that was there when it was saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_removed_dir_make(struct ckpt_ctx *ctx, struct ckpt_unlinked *r, const char *dir)
{
	struct ckpt_unlinked *parent;
	struct path path;
	int ret;

	if (r->saved.parent) {
		parent = ckpt_get_tag(ctx, r->saved.parent, &ckpt_unlinked_ops);
		if (!parent || !parent->named)
			return -EBADMSG;
		ret = make_in(r, &parent->path);
		if (!ret) {
			r->parent = parent;
			/* Processes read their records one after the other. */
			parent->children++;
		}
		return ret;
	}
	ret = kern_path(dir, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
	if (ret)
		return ret;
	ret = make_in(r, &path);
	path_put(&path);
	return ret;
}

static int set_attributes(struct ckpt_unlinked *r)
{
	struct file *file = dentry_open(&r->path, O_RDONLY | O_DIRECTORY, current_cred());
	int ret = PTR_ERR_OR_ZERO(file);

	if (ret)
		return ret;
	ret = ckpt_unlinked_attributes(file, &r->saved);
	fput(file);
	return ret;
}

/* On failure it has one yet: who forgets it tries again. */
static int take_name(struct ckpt_unlinked *r)
{
	int ret = ckpt_unlinked_remove(&r->path);

	if (ret)
		return ret;
	r->named = false;
	if (r->parent)
		r->parent->children--;
	return 0;
}

/* From one that has nothing in it upwards. */
static int finish(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_unlinked *r = obj;
	int ret = 0;

	for (; r && r->named && !r->children && !ret; r = r->parent)
		ret = take_name(r) ?: set_attributes(r);
	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_FILE_DELETED, ret,
			   "a directory that was deleted cannot be removed again");
	return ret;
}

/**
 * ckpt_removed_dirs_finish - remove all that are to be removed
 * @ctx: context of a restart, whose processes have read their records
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_removed_dirs_finish(struct ckpt_ctx *ctx)
{
	return ckpt_each_tag(ctx, &ckpt_unlinked_ops, finish, NULL);
}

static int forget(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_unlinked *r = obj;

	for (; r && r->named && !r->children; r = r->parent)
		take_name(r);
	return 0;
}

/**
 * ckpt_removed_dirs_forget - leave none of them behind
 * @ctx: context of a restart that has failed
 */
void ckpt_removed_dirs_forget(struct ckpt_ctx *ctx)
{
	ckpt_each_tag(ctx, &ckpt_unlinked_ops, forget, NULL);
}

/**
 * ckpt_removed_dir_put - let one go
 * @r: what is known of it; that a directory has a name yet means that it has no tag
 */
void ckpt_removed_dir_put(struct ckpt_unlinked *r)
{
	if (r->named)
		take_name(r);
}

/**
 * ckpt_unlinked_dir - a directory that was removed
 * @ctx: context of a restart
 * @tag: of an UNLINKED record
 * @path: gets it, referenced
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_unlinked_dir(struct ckpt_ctx *ctx, u32 tag, struct path *path)
{
	struct ckpt_unlinked *r = ckpt_get_tag(ctx, tag, &ckpt_unlinked_ops);

	if (!r || !S_ISDIR(r->saved.mode))
		return -EBADMSG;
	*path = r->path;
	path_get(path);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The names that files and directories had which were removed: /proc shows them,
 * with "(deleted)" behind. They have them again after a restart, but only when all
 * of it is there: some network file systems find a file by its name.
 */
#include <linux/checkpoint_state.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/stringhash.h>

#include "unlinked.h"

/* The way from a directory that is there, backwards, at the end of a buffer. */
struct way {
	char *buf;
	u32 at;
	bool too_long;
};

static void add_name(struct way *way, struct dentry *dentry)
{
	struct name_snapshot name;

	take_dentry_name_snapshot(&name, dentry);
	if (name.name.len < way->at) {
		way->at -= name.name.len;
		memcpy(way->buf + way->at, name.name.name, name.name.len);
		way->buf[--way->at] = '/';
	} else {
		way->too_long = true;
	}
	release_dentry_name_snapshot(&name);
}

/* The next directory above that is still there, referenced. */
static struct dentry *find_dir(const struct path *path, struct way *way)
{
	struct dentry *dir = dget_parent(path->dentry), *above;

	add_name(way, path->dentry);
	while (ckpt_is_removed(dir)) {
		/* A directory will be in another one again. */
		if (!d_is_dir(path->dentry))
			add_name(way, dir);
		above = dget_parent(dir);
		dput(dir);
		dir = above;
	}
	return dir;
}

/**
 * ckpt_old_name - where was something that was removed?
 * @ctx: context of a save
 * @path: the file or directory
 * @dir_len: gets the length of the path of the next directory above that is there
 *
 * Return: path of that directory as the caller sees it, '/', and the name in it, or for
 * a file the way from it, to be freed by kfree(); NULL: that directory is out of the
 * caller's reach, or the way too long; or -ENOMEM as an ERR_PTR().
 */
char *ckpt_old_name(struct ckpt_ctx *ctx, const struct path *path, u32 *dir_len)
{
	char *buf = kmalloc(2 * CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT), *dir;
	struct way way = { .buf = buf, .at = 2 * CKPT_PATH_MAX };
	struct path up = { .mnt = path->mnt };

	if (!buf)
		return ERR_PTR(-ENOMEM);
	way.buf += CKPT_PATH_MAX;
	way.at -= CKPT_PATH_MAX + 1;
	way.buf[way.at] = 0;
	up.dentry = find_dir(path, &way);
	dir = ckpt_path_name(ctx, &up, buf);
	dput(up.dentry);
	if (way.too_long || IS_ERR_OR_NULL(dir)) {
		kfree(buf);
		return NULL;
	}
	*dir_len = strlen(dir);
	memmove(buf, dir, *dir_len);
	memmove(buf + *dir_len, way.buf + way.at, CKPT_PATH_MAX - way.at);
	return buf;
}

/**
 * ckpt_old_name_keep - remember a name that is to be given back
 * @dentry: what was made, on the same file system
 * @name: its name
 * @len: bytes of it
 *
 * Return: a dentry with that name, and nothing else, or NULL: no memory.
 */
struct dentry *ckpt_old_name_keep(struct dentry *dentry, const char *name, u32 len)
{
	struct dentry *root = dentry->d_sb->s_root;
	struct qstr qname = QSTR_INIT(name, len);

	qname.hash = full_name_hash(root, name, len);
	return d_alloc(root, &qname);
}

/**
 * ckpt_old_name_give - give back the name
 * @dentry: what has no name any more
 * @named: from ckpt_old_name_keep(), which is let go; NULL: nothing is done
 */
void ckpt_old_name_give(struct dentry *dentry, struct dentry *named)
{
	if (!named)
		return;
	checkpoint_dentry_rename(dentry, named);
	dput(named);
}

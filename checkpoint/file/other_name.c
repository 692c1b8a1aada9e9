// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another name of a file that was removed under the one by which it was opened. The
 * kernel knows those that are in use. Others are searched for where programs
 * make such links: in the directory of the removed name, in those next to it, and
 * in the one above.
 */
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../internal.h"

/**
 * struct search - a search for a name of a file
 * @ctx: what readers of directories call
 * @inode: the file
 * @ino: its number, as directories have it
 * @left: how many names may still be looked at
 * @buf: names, each with a zero byte behind it: directories, then files
 * @used: bytes of @buf
 * @dirs: note directories, instead of files of the number
 */
struct search {
	struct dir_context ctx;
	const struct inode *inode;
	u64 ino;
	u32 left;
	char *buf;
	size_t used;
	bool dirs;
};

static bool note_name(struct dir_context *ctx, const char *name, int len, loff_t pos, u64 ino,
		      unsigned int type)
{
	struct search *s = container_of(ctx, struct search, ctx);
	bool wanted = s->dirs ? type == DT_DIR || type == DT_UNKNOWN : ino == s->ino;

	if (!s->left)
		return false;
	s->left--;
	if (!wanted || (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))))
		return true;
	if (s->used + len + 1 > CKPT_SEARCH_BYTES)
		return false;
	memcpy(s->buf + s->used, name, len);
	s->used += len;
	s->buf[s->used++] = 0;
	return true;
}

/* Notes names of a directory behind those in the buffer. */
static int list(struct search *s, const struct path *dir, bool dirs)
{
	struct file *file = dentry_open(dir, O_RDONLY | O_DIRECTORY, current_cred());
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	s->dirs = dirs;
	s->ctx.pos = 0;
	ret = iterate_dir(file, &s->ctx);
	__fput_sync(file);
	return fatal_signal_pending(current) ? -EINTR : ret;
}

static struct dentry *look_up(const struct path *dir, const char *name)
{
	return lookup_one_positive_unlocked(mnt_idmap(dir->mnt), name, dir->dentry, strlen(name));
}

/* NULL: this name is that of another file by now. */
static struct dentry *name_of(struct search *s, const struct path *dir, const char *name)
{
	struct dentry *found = look_up(dir, name);

	if (IS_ERR(found))
		return NULL;
	if (d_inode(found) == s->inode)
		return found;
	dput(found);
	return NULL;
}

/* The file's name in a directory, referenced, or NULL. */
static struct dentry *find_in(struct search *s, const struct path *dir)
{
	size_t first = s->used;
	struct dentry *found = NULL;
	const char *name;

	if (list(s, dir, false))
		s->used = first;
	for (name = s->buf + first; name < s->buf + s->used && !found; name += strlen(name) + 1)
		found = name_of(s, dir, name);
	s->used = first;
	return found;
}

/* The same in all directories of a directory. */
static struct dentry *find_below(struct search *s, const struct path *above)
{
	struct path dir = { .mnt = above->mnt };
	struct dentry *found = NULL;
	const char *name, *end;

	if (list(s, above, true))
		return NULL;
	end = s->buf + s->used;
	for (name = s->buf; name < end && !found && s->left; name += strlen(name) + 1) {
		dir.dentry = look_up(above, name);
		if (IS_ERR(dir.dentry))
			continue;
		if (d_is_dir(dir.dentry) && !d_mountpoint(dir.dentry))
			found = find_in(s, &dir);
		dput(dir.dentry);
	}
	return found;
}

static struct dentry *search(const struct path *path)
{
	struct search s = {
		.ctx.actor = note_name,
		.inode = d_inode(path->dentry),
		.left = CKPT_MAX_SEARCHED,
		.buf = kvmalloc(CKPT_SEARCH_BYTES, GFP_KERNEL_ACCOUNT),
	};
	struct path dir = { .mnt = path->mnt, .dentry = dget_parent(path->dentry) };
	struct path above = { .mnt = path->mnt, .dentry = dget_parent(dir.dentry) };
	struct dentry *found = NULL;
	struct kstat stat;

	if (s.buf && !vfs_getattr(path, &stat, STATX_INO, AT_STATX_SYNC_AS_STAT)) {
		s.ino = stat.ino;
		found = find_in(&s, &dir);
		if (!found && dir.dentry != path->mnt->mnt_root)
			found = find_in(&s, &above) ?: find_below(&s, &above);
	}
	dput(above.dentry);
	dput(dir.dentry);
	kvfree(s.buf);
	return found;
}

/**
 * ckpt_other_name - another name of a file
 * @path: a name that was removed
 * @other: gets the other one, referenced
 * @may_search: look into directories, too; takes their locks
 *
 * Searched with the rights of current.
 *
 * Return: true, false: none was found.
 */
bool ckpt_other_name(const struct path *path, struct path *other, bool may_search)
{
	struct dentry *found = d_find_alias(d_inode(path->dentry));

	if (found && d_unlinked(found)) {
		dput(found);
		found = NULL;
	}
	if (!found && may_search)
		found = search(path);
	other->dentry = found;
	other->mnt = found ? mntget(path->mnt) : NULL;
	return found;
}

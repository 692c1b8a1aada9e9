// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regular files and directories that are open, mapped or executed, but have no
 * name any more, and O_TMPFILE files, which have none yet. One UNLINKED record
 * for each inode, with its content in SHMEM_DATA records; holes stay holes. They
 * are made again in the directory in which they were, without a name there, or in
 * the next one above that is still there; for directories see removed_dir.c.
 * Those of a tmpfs are memory without a name: shmem.c.
 *
 * What somebody outside of the tree has, too, is an obstacle (refs.c counts), unless
 * nobody can write to it. A file that has another name is opened by that, if it can be
 * found (other_name.c); a name that linkat(2) has given to a O_TMPFILE file is such a one.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/random.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "unlinked.h"

#define CHUNK_BYTES	((size_t)CKPT_CHUNK_PAGES << PAGE_SHIFT)

/* Who looks a name up makes it known to the kernel. */
#define OTHER_UNKNOWN	\
	"%pd was deleted under this name, and has another that was not found; ls -l OTHER-NAME makes it known"

static struct dentry *dentry_of(struct file *file)
{
	return file_user_path(file)->dentry;
}

/* Not even a hard link. Overlayfs keeps no count of names for O_TMPFILE files. */
static bool is_nameless(const struct dentry *dentry)
{
	const struct inode *inode = d_inode(dentry);

	return !inode->i_nlink || inode->i_state & I_LINKABLE || !d_real_inode(dentry)->i_nlink;
}

/**
 * ckpt_is_unlinked - is this a file or directory without a name?
 * @file: any open file
 *
 * Return: true if it is, and not unnamed memory.
 */
bool ckpt_is_unlinked(struct file *file)
{
	const struct dentry *dentry = dentry_of(file);

	return (d_unlinked(dentry) || !d_inode(dentry)->i_nlink) &&
	       ckpt_path_kind.probe(NULL, file) && !ckpt_is_unnamed_memory(file);
}

static bool unlinked_probe(struct ckpt_task *t, struct file *file)
{
	return ckpt_is_unlinked(file);
}

static void collect_other(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  const struct path *path)
{
	/* A lack of memory must not look like an obstacle. */
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	bool mapped = where->end;
	struct path other;
	bool found = ckpt_other_name(path, &other, !mapped);

	/* Under the lock of an address space nothing can be searched: the save does. */
	if (found ? IS_ERR_OR_NULL(ckpt_path_name(ctx, &other, buf)) : !mapped)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_DELETED, OTHER_UNKNOWN, path->dentry);
	if (found)
		path_put(&other);
	kfree(buf);
}

/* Labels of security modules are made anew. */
static bool are_lost(const char *names, ssize_t len)
{
	const char *name;

	for (name = names; name < names + len; name += strlen(name) + 1)
		if (strncmp(name, XATTR_SECURITY_PREFIX, XATTR_SECURITY_PREFIX_LEN) ||
		    !strcmp(name, XATTR_NAME_CAPS))
			return true;
	return false;
}

/* Has it extended attributes? 1: it has, 0: none that count, or a negative errno. */
static int has_xattrs(struct dentry *dentry)
{
	ssize_t len = vfs_listxattr(dentry, NULL, 0);
	char *names;
	int ret;

	if (len <= 0)
		return len == -EOPNOTSUPP ? 0 : len;
	names = kvmalloc(len + 1, GFP_KERNEL_ACCOUNT);
	if (!names)
		return -ENOMEM;
	names[len] = 0;
	len = vfs_listxattr(dentry, names, len);
	ret = len < 0 ? len : are_lost(names, len);
	kvfree(names);
	return ret;
}

/**
 * ckpt_unlinked_collect_xattrs - look for extended attributes, which are not saved
 * @ctx: context
 * @where: what holds it; under the lock of an address space the save finds them
 * @dentry: the file or directory
 */
void ckpt_unlinked_collect_xattrs(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				  struct dentry *dentry)
{
	if (!where->end && has_xattrs(dentry) > 0)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_DELETED,
			      "%pd was deleted, and has extended attributes", dentry);
}

/* The same when it is saved. */
static int check_xattrs(struct ckpt_ctx *ctx, struct ckpt_task *t, struct dentry *dentry)
{
	int ret = has_xattrs(dentry);

	if (ret > 0)
		ret = ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_DELETED, -EOPNOTSUPP,
				 "%pd was deleted, and has extended attributes", dentry);
	return ret;
}

/**
 * ckpt_unlinked_collect_place - look for where it can be made again
 * @ctx: context
 * @where: what holds it
 * @path: the file or directory
 */
void ckpt_unlinked_collect_place(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				 const struct path *path)
{
	u32 dir_len;
	char *name = ckpt_old_name(ctx, path, &dir_len);

	if (IS_ERR(name))
		return;
	if (!name)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_DELETED,
			      "%pd was deleted, and its directory is out of reach",
			      path->dentry);
	kfree(name);
}

/*
 * Nobody can write to it, or has locked it: to the tree a copy is as good, for example of
 * a library of which all programs that began later have a newer one. Who opens it for
 * writing in /proc can do that after the save as well.
 */
static bool is_constant(struct file *file)
{
	struct dentry *dentry = dentry_of(file);

	return !inode_is_open_for_write(d_inode(dentry)) &&
	       !inode_is_open_for_write(d_real_inode(dentry)) &&
	       !vfs_inode_has_locks(d_inode(dentry));
}

/* Descriptors that are shared have a position; mappings and programs do not. */
static bool may_copy(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file)
{
	return is_constant(file) && (where->fd < 0 || ckpt_file_is_ours(ctx, file, 1));
}

static void collect_inode(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *file)
{
	const struct inode *inode = d_inode(dentry_of(file));

	if (inode->i_flags & (S_APPEND | S_IMMUTABLE))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_DELETED,
			      "%pD was deleted, and may not be changed (chattr)", file);
	if (!kuid_has_mapping(current_user_ns(), inode->i_uid) ||
	    !kgid_has_mapping(current_user_ns(), inode->i_gid))
		ckpt_obstacle(ctx, where, CKPT_WHY_CRED,
			      "%pD was deleted, and is an unknown user's", file);
	/* Who looks at a descriptor, or at a program, holds a reference of its own. */
	if (!may_copy(ctx, where, file) && !ckpt_file_is_inside(ctx, file, !where->end))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE_DELETED, file,
				  "%pD was deleted, and others have it, too", file);
}

static void unlinked_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			     struct file *file)
{
	const struct path *path = file_user_path(file);
	const struct inode *inode = d_inode(path->dentry);

	if (S_ISDIR(inode->i_mode)) {
		ckpt_unlinked_collect_dir(ctx, where, path);
		return;
	}
	if (!is_nameless(path->dentry)) {
		collect_other(ctx, where, path);
		return;
	}
	if (ckpt_has_lease(file))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_LOCK,
			      "%pD was deleted, and has a lease", file);
	collect_inode(ctx, where, file);
	ckpt_unlinked_collect_place(ctx, where, path);
	ckpt_unlinked_collect_xattrs(ctx, where, path->dentry);
}

/* The next piece of data, from @pos on; false: there is none. */
static bool next_data(struct file *file, loff_t *pos, loff_t *end, loff_t size)
{
	loff_t data = *pos < size ? vfs_llseek(file, *pos, SEEK_DATA) : -ENXIO;

	if (data == -ENXIO)
		return false;
	/* Not every file system knows of holes. */
	*pos = data < 0 ? *pos : data;
	*end = vfs_llseek(file, *pos, SEEK_HOLE);
	if (*end <= *pos || *end > size)
		*end = size;
	return true;
}

static int write_content(struct ckpt_ctx *ctx, struct file *file, u32 tag, loff_t size)
{
	struct ckpt_rec_shmem_data rec = { .shmem = tag };
	size_t room = min_t(u64, size, CHUNK_BYTES), len;
	char *buf = kvmalloc(room + 1, GFP_KERNEL_ACCOUNT);
	loff_t pos = 0, end = 0, from;
	int ret = buf ? 0 : -ENOMEM;
	ssize_t got;

	while (!ret && (pos < end || next_data(file, &pos, &end, size))) {
		len = min_t(u64, end - pos, room);
		from = pos;
		got = signal_pending(current) ? -EINTR : kernel_read(file, buf, len, &from);
		if (got <= 0) {
			ret = got ?: -EBUSY;
			break;
		}
		rec.offset = pos;
		rec.len = got;
		ret = ckpt_write_record(ctx, CKPT_REC_SHMEM_DATA, 0, sizeof(rec), &rec,
					sizeof(rec), buf, got);
		pos += got;
	}
	kvfree(buf);
	return ret;
}

static int save_content(struct ckpt_ctx *ctx, struct file *file, u32 tag, loff_t size)
{
	const struct path *path = file_user_path(file);
	struct file *reader;
	int ret;

	/* Who can read it through this descriptor needs no other right. */
	ret = file->f_mode & FMODE_READ ? 0 : path_permission(path, MAY_READ);
	if (ret || !size)
		return ret;
	reader = dentry_open(path, O_RDONLY | O_LARGEFILE | O_NOATIME, current_cred());
	if (IS_ERR(reader))
		return PTR_ERR(reader);
	ret = write_content(ctx, reader, tag, size);
	fput(reader);
	return ret;
}

static int write_unlinked(struct ckpt_ctx *ctx, const struct path *path, u32 parent, u32 tag,
			  loff_t *size)
{
	struct inode *inode = d_inode(path->dentry);
	struct ckpt_rec_unlinked rec = {
		.mode = inode->i_mode,
		.flags = inode->i_state & I_LINKABLE ? CKPT_UNLINKED_LINKABLE : 0,
		.parent = parent,
	};
	char *name = ckpt_old_name(ctx, path, &rec.dir_len);
	int ret = name ? PTR_ERR_OR_ZERO(name) : -EBUSY;
	struct kstat stat;

	if (!ret)
		ret = vfs_getattr(path, &stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);
	if (!ret) {
		*size = S_ISREG(stat.mode) ? stat.size : 0;
		rec.size = *size;
		rec.uid = from_kuid(current_user_ns(), stat.uid);
		rec.gid = from_kgid(current_user_ns(), stat.gid);
		rec.atime_ns = timespec64_to_ns(&stat.atime);
		rec.mtime_ns = timespec64_to_ns(&stat.mtime);
		ret = ckpt_write_record(ctx, CKPT_REC_UNLINKED, tag, sizeof(rec), &rec,
					sizeof(rec), name, strlen(name));
	}
	if (!IS_ERR(name))
		kfree(name);
	return ret;
}

/**
 * ckpt_unlinked_save - save what has no tag yet, but for its content
 * @ctx: context
 * @t: task that has it
 * @path: the file or directory
 * @parent: tag of the removed directory in which it was, or 0
 * @tag: gets its own
 * @size: gets how much content there is
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unlinked_save(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
		       u32 parent, u32 *tag, loff_t *size)
{
	int ret;

	*tag = ckpt_new_tag(ctx, d_inode(path->dentry));
	ret = *tag ? check_xattrs(ctx, t, path->dentry) : -ENOMEM;
	return ret ?: write_unlinked(ctx, path, parent, *tag, size);
}

static int save_object(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file, u32 *tag)
{
	const struct path *path = file_user_path(file);
	loff_t size;
	int ret;

	if (S_ISDIR(d_inode(path->dentry)->i_mode))
		return ckpt_unlinked_save_dir(ctx, t, path, tag);
	*tag = ckpt_tag_of(ctx, d_inode(path->dentry));
	if (*tag)
		return 0;
	ret = ckpt_unlinked_save(ctx, t, path, 0, tag, &size);
	return ret ?: save_content(ctx, file, *tag, size);
}

static int save_other(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		      struct ckpt_rec_file *rec, char *name)
{
	struct path other;
	int ret;

	if (!ckpt_other_name(file_user_path(file), &other, true))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_DELETED, -EOPNOTSUPP,
				  OTHER_UNKNOWN, dentry_of(file));
	rec->kind = CKPT_FILE_PATH;
	ret = ckpt_path_save(ctx, t, file, &other, rec, name);
	path_put(&other);
	return ret;
}

static int unlinked_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			 struct ckpt_rec_file *rec, char *name)
{
	const struct inode *inode = d_inode(dentry_of(file));
	int ret;

	if (S_ISREG(inode->i_mode) && !is_nameless(dentry_of(file)))
		return save_other(ctx, t, file, rec, name);
	rec->mode = inode->i_mode;
	rec->ino = inode->i_ino;
	rec->pos = file->f_pos;
	snprintf(name, CKPT_PATH_MAX, "%pd (deleted)", dentry_of(file));
	ret = save_object(ctx, t, file, &rec->object);
	if (ret && ret != -EINTR && ret != -ENOMEM)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_DELETED, ret,
			   "the deleted file %pD cannot be saved", file);
	return ret;
}

static void put_restored(void *obj)
{
	struct ckpt_unlinked *r = obj;

	if (r->writer)
		__fput_sync(r->writer);
	ckpt_removed_dir_put(r);
	ckpt_old_name_give(r->path.dentry, r->old_name);
	path_put(&r->path);
	kfree(r);
}

/**
 * ckpt_unlinked_remove - take the name away from what was created a moment ago
 * @path: file or directory, as by unlink(2) and rmdir(2)
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unlinked_remove(const struct path *path)
{
	struct dentry *parent = dget_parent(path->dentry);
	const struct path up = { .mnt = path->mnt, .dentry = parent };
	struct inode *dir = d_inode(parent);
	int ret = mnt_want_write(path->mnt);

	if (ret)
		goto out;
	ret = d_is_dir(path->dentry) ? security_path_rmdir(&up, path->dentry) :
				       security_path_unlink(&up, path->dentry);
	if (ret)
		goto out_write;
	/* What nobody else refers to would lose its inode, too. */
	dget(path->dentry);
	inode_lock_nested(dir, I_MUTEX_PARENT);
	if (path->dentry->d_parent != parent || d_unhashed(path->dentry))
		ret = -ESTALE;
	else if (d_is_dir(path->dentry))
		ret = vfs_rmdir(mnt_idmap(path->mnt), dir, path->dentry);
	else
		ret = vfs_unlink(mnt_idmap(path->mnt), dir, path->dentry, NULL);
	inode_unlock(dir);
	dput(path->dentry);
out_write:
	mnt_drop_write(path->mnt);
out:
	dput(parent);
	return ret;
}

/**
 * ckpt_unlinked_name - a name that nobody has
 * @name: gets it
 * @size: of @name
 *
 * Return: its length.
 */
int ckpt_unlinked_name(char *name, size_t size)
{
	return snprintf(name, size, ".checkpoint-%016llx", get_random_u64());
}

/* The same in a directory. */
static char *new_name(const char *dir)
{
	char name[CKPT_UNLINKED_NAME];

	ckpt_unlinked_name(name, sizeof(name));
	return kasprintf(GFP_KERNEL_ACCOUNT, "%s/%s", dir, name);
}

static struct file *create_file(const char *dir)
{
	struct file *file = ERR_PTR(-EEXIST);
	int try, ret;
	char *name;

	for (try = 0; try < CKPT_NAME_TRIES && file == ERR_PTR(-EEXIST); try++) {
		name = new_name(dir);
		if (!name)
			return ERR_PTR(-ENOMEM);
		file = filp_open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_LARGEFILE, 0600);
		kfree(name);
	}
	if (IS_ERR(file))
		return file;
	ret = ckpt_unlinked_remove(&file->f_path);
	if (ret) {
		/* For a lack of memory, perhaps. It must not stay. */
		ckpt_unlinked_remove(&file->f_path);
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

static int make_file(struct ckpt_unlinked *r, const char *dir)
{
	bool linkable = r->saved.flags & CKPT_UNLINKED_LINKABLE;
	struct file *file;

	file = filp_open(dir, O_TMPFILE | O_RDWR | O_LARGEFILE | (linkable ? 0 : O_EXCL), 0600);
	if ((file == ERR_PTR(-EOPNOTSUPP) || file == ERR_PTR(-EISDIR)) && !linkable)
		file = create_file(dir);
	if (IS_ERR(file))
		return PTR_ERR(file);
	r->writer = file;
	r->path = file->f_path;
	path_get(&r->path);
	return r->saved.size ? vfs_truncate(&r->path, r->saved.size) : 0;
}

/**
 * ckpt_unlinked_attributes - as fchown(2), fchmod(2) and futimens(2)
 * @file: the file or directory
 * @saved: what it had
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unlinked_attributes(struct file *file, const struct ckpt_rec_unlinked *saved)
{
	struct timespec64 times[2] = {
		ns_to_timespec64(saved->atime_ns), ns_to_timespec64(saved->mtime_ns),
	};
	int ret = vfs_fchown(file, saved->uid, saved->gid);

	if (!ret)
		ret = vfs_fchmod(file, saved->mode & 07777);
	/* Who is not in its group cannot give it the group's rights. */
	if (!ret && (file_inode(file)->i_mode ^ saved->mode) & 07777)
		ret = -EPERM;
	return ret ?: vfs_utimes(&file->f_path, times);
}

static int restore(struct ckpt_ctx *ctx, struct ckpt_rec *rec, struct ckpt_unlinked *r)
{
	const char *old_name = ckpt_rec_tail(rec) + r->saved.dir_len + 1;
	u64 len = rec->length - rec->unit - r->saved.dir_len;
	char *dir = ckpt_name_now(ctx, ckpt_rec_tail(rec), r->saved.dir_len, true);
	int ret;

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	if (S_ISDIR(r->saved.mode))
		ret = ckpt_removed_dir_make(ctx, r, dir);
	else
		ret = make_file(r, dir);
	kfree(dir);
	/* Older images have no name. */
	if (!ret && len) {
		r->old_name = ckpt_old_name_keep(r->path.dentry, old_name, len - 1);
		ret = r->old_name ? 0 : -ENOMEM;
	}
	return ret ?: ckpt_put_tag(ctx, rec->tag, &ckpt_unlinked_ops, r);
}

static int unlinked_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_unlinked *saved = ckpt_rec_data(rec);
	struct ckpt_unlinked *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (r) {
		r->saved = *saved;
		ret = restore(ctx, rec, r);
		if (ret)
			put_restored(r);
	}
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_DELETED, ret,
			   "a deleted file or directory cannot be made again in %.*s",
			   saved->dir_len, (char *)ckpt_rec_tail(rec));
	ckpt_free_record(rec);
	return ret;
}

/**
 * ckpt_unlinked_writer - file into which content goes
 * @ctx: context of a restart
 * @tag: of an UNLINKED record
 *
 * Return: the file, which the tag keeps, or NULL.
 */
struct file *ckpt_unlinked_writer(struct ckpt_ctx *ctx, u32 tag)
{
	struct ckpt_unlinked *r = ckpt_get_tag(ctx, tag, &ckpt_unlinked_ops);

	return r ? r->writer : NULL;
}

/* It is complete. No file may be open for writing that is to be executed. */
static int finish_file(struct ckpt_unlinked *r)
{
	int ret;

	if (!r->writer)
		return 0;
	ret = ckpt_unlinked_attributes(r->writer, &r->saved);
	__fput_sync(r->writer);
	r->writer = NULL;
	return ret;
}

static struct file *open_again(struct ckpt_unlinked *r, const struct ckpt_rec_file *rec)
{
	bool read = rec->flags & CKPT_FILEF_READ, write = rec->flags & CKPT_FILEF_WRITE;
	int flags = ckpt_open_flags(rec) & ~O_NOFOLLOW;
	struct file *file;
	int ret;

	if ((!read && !write) || (S_ISDIR(r->saved.mode) && write))
		return ERR_PTR(-EBADMSG);
	ret = finish_file(r);
	if (ret)
		return ERR_PTR(ret);
	if (flags & O_NOATIME &&
	    !inode_owner_or_capable(mnt_idmap(r->path.mnt), d_inode(r->path.dentry)))
		return ERR_PTR(-EPERM);
	if (rec->flags & CKPT_FILEF_EXEC) {
		if (path_noexec(&r->path))
			return ERR_PTR(-EACCES);
		flags = (flags & ~O_ACCMODE) | O_RDONLY | __FMODE_EXEC;
	}
	file = dentry_open(&r->path, flags, current_cred());
	if (IS_ERR(file))
		return file;
	if (S_ISDIR(r->saved.mode))
		ret = vfs_llseek(file, rec->pos, SEEK_SET) == rec->pos ? 0 : -EINVAL;
	else
		file->f_pos = rec->pos;
	if (!(rec->flags & CKPT_FILEF_NONBLOCK)) {
		spin_lock(&file->f_lock);
		file->f_flags &= ~O_NONBLOCK;
		spin_unlock(&file->f_lock);
	}
	if (!ret)
		return file;
	fput(file);
	return ERR_PTR(ret);
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct ckpt_unlinked *r = ckpt_get_tag(ctx, rec->object, &ckpt_unlinked_ops);
	struct file *file = r ? open_again(r, rec) : ERR_PTR(-EBADMSG);

	if (IS_ERR(file))
		ckpt_error(ctx, CKPT_AT(t),
			   PTR_ERR(file) == -EBADMSG ? CKPT_WHY_IMAGE : CKPT_WHY_FILE_DELETED,
			   PTR_ERR(file), "a file that was deleted cannot be opened again: %s",
			   name);
	return file;
}

const struct ckpt_file_kind ckpt_unlinked_kind = {
	.name = "unlinked",
	.kind = CKPT_FILE_UNLINKED,
	.probe = unlinked_probe,
	.collect = unlinked_collect,
	.save = unlinked_save,
	.restore = file_restore,
};

const struct ckpt_obj_ops ckpt_unlinked_ops = {
	.name = "unlinked file",
	.rec = CKPT_REC_UNLINKED,
	.restore = unlinked_restore,
	.put = put_restored,
};

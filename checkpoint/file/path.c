// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are opened again by their name: regular files and directories of
 * real file systems, and the memory devices (null, zero, full, random,
 * urandom). The name is the one that the caller sees. At restart they are
 * opened with the restarter's rights and compared (compare.c). Kernel file systems,
 * and a position that is shared with the outside, are obstacles; files without a
 * name are not asked for here (unlinked.c).
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/namei.h>
#include <linux/pseudo_fs.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/stat.h>

#include "../internal.h"

/* ipc/mqueue.c keeps it to itself. */
#define MQUEUE_MAGIC	0x19800202

/**
 * ckpt_is_memory_device - is this a device that can be opened again?
 * @mode: of its inode
 * @rdev: its number
 *
 * Return: true for null, zero, full, random and urandom.
 */
bool ckpt_is_memory_device(umode_t mode, dev_t rdev)
{
	if (!S_ISCHR(mode) || MAJOR(rdev) != MEM_MAJOR)
		return false;
	switch (MINOR(rdev)) {
	case 3: /* null */
	case 5: /* zero */
	case 7: /* full */
	case 8: /* random */
	case 9: /* urandom */
		return true;
	}
	return false;
}

/* Content of their files is made when they are read. */
static bool is_kernel_fs(const struct super_block *sb)
{
	switch (sb->s_magic) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case BPF_FS_MAGIC:
	case NSFS_MAGIC:
	case BINFMTFS_MAGIC:
	case MQUEUE_MAGIC:
		return true;
	}
	return false;
}

static bool path_probe(struct ckpt_task *t, struct file *file)
{
	const struct path *path = file_user_path(file);
	const struct inode *inode = d_inode(path->dentry);

	if (ckpt_is_memory_device(inode->i_mode, inode->i_rdev))
		return true;
	return (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode)) &&
	       !(inode->i_sb->s_flags & SB_KERNMOUNT && !shmem_file(file)) &&
	       !is_kernel_fs(inode->i_sb);
}

/* A program appends where the end is, and reads a device without a position. */
static bool has_position(struct file *file)
{
	return S_ISREG(file_inode(file)->i_mode) && file->f_mode & FMODE_LSEEK &&
	       (file->f_mode & FMODE_READ || !(file->f_flags & O_APPEND));
}

/* The restarted program has a position of its own, which others do not move. */
static void collect_sharing(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			    struct file *file, const char *name)
{
	char who[64];

	if (ctx->flags & CHECKPOINT_SHARED_FILES || !has_position(file) ||
	    !ckpt_file_shared(ctx, file, who, sizeof(who)))
		return;
	ckpt_obstacle(ctx, where, CKPT_WHY_FILE_SHARED,
		      "shares its position in %s with %s: %s '%s%s' leaves the file to the restarter, %s",
		      name, who, "--external", "file:", name,
		      "--shared-files gives the restarted program a position of its own");
}

static void path_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			 struct file *file)
{
	const struct path *path = file_user_path(file);
	char *buf, *name;

	/* A lack of memory must not look like an obstacle. */
	buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	name = ckpt_path_name(ctx, path, buf);
	if (IS_ERR_OR_NULL(name))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE_UNREACHABLE, file,
				  "a file outside of the caller's root directory or mounts: %pD",
				  file);
	else if (where->fd >= 0)
		collect_sharing(ctx, where, file, name);
	kfree(buf);
}

/**
 * ckpt_path_name - name of a file as the caller sees it
 * @ctx: context
 * @path: the file
 * @buf: CKPT_PATH_MAX bytes
 *
 * Return: the name, in @buf; NULL: there is none; an ERR_PTR().
 */
char *ckpt_path_name(struct ckpt_ctx *ctx, const struct path *path, char *buf)
{
	return __d_path(path, &ctx->root, buf, CKPT_PATH_MAX);
}

/*
 * Is a file known to be found where it is, because another one of its directory
 * was, and nothing is mounted over it? Its name in the cache is then what a
 * lookup finds, unless the file system wants to be asked each time.
 */
static bool is_in_seen_dir(struct ckpt_ctx *ctx, const struct path *path)
{
	const struct dentry *dentry = path->dentry;

	return path->mnt == ctx->seen_dir.mnt && !IS_ROOT(dentry) &&
	       READ_ONCE(dentry->d_parent) == ctx->seen_dir.dentry && !d_unhashed(dentry) &&
	       !d_mountpoint(dentry) && !(dentry->d_flags & DCACHE_OP_REVALIDATE);
}

static void note_seen_dir(struct ckpt_ctx *ctx, const struct path *path)
{
	struct dentry *dir;

	if (path->dentry == path->mnt->mnt_root)
		return;
	dir = dget_parent(path->dentry);
	path_put(&ctx->seen_dir);
	ctx->seen_dir = (struct path){ .mnt = mntget(path->mnt), .dentry = dir };
}

/**
 * ckpt_leads_back - does a name lead to the file that has it?
 * @ctx: context of a save
 * @name: from ckpt_path_name()
 * @path: the file
 *
 * Another file, or a mount, may lie over it by now.
 *
 * Context: may sleep; for the caller of checkpoint() only.
 * Return: 0, -EOPNOTSUPP: to another one, or the errno with which looking failed.
 */
int ckpt_leads_back(struct ckpt_ctx *ctx, const char *name, const struct path *path)
{
	struct path found;
	int ret;

	if (is_in_seen_dir(ctx, path))
		return 0;
	ret = kern_path(name, 0, &found);
	if (ret)
		return ret;
	if (path_equal(&found, path))
		note_seen_dir(ctx, path);
	else if (d_inode(found.dentry) != d_inode(path->dentry))
		ret = -EOPNOTSUPP;
	path_put(&found);
	return ret;
}

/**
 * ckpt_name_save - find the name by which a file is opened again
 * @ctx: context of a save
 * @t: task that has it
 * @path: the file
 * @gone: what the name leads to now does not matter
 * @name: gets it, of CKPT_PATH_MAX bytes
 *
 * Context: may sleep; for the caller of checkpoint() only.
 * Return: 0 or a negative errno, reported unless it is -ENOMEM.
 */
int ckpt_name_save(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
		   bool gone, char *name)
{
	char *found = ckpt_path_name(ctx, path, name);
	int ret = IS_ERR_OR_NULL(found) ? -EOPNOTSUPP : 0;

	if (!ret && !gone)
		ret = ckpt_leads_back(ctx, found, path);
	if (ret == -ENOMEM)
		return ret;
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_UNREACHABLE, -EOPNOTSUPP,
				  "%pd is hidden by another file or mount", path->dentry);
	memmove(name, found, strlen(found) + 1);
	return 0;
}

/**
 * ckpt_path_save - save a file that is opened again by a name
 * @ctx: context
 * @t: task that has it
 * @file: the file
 * @path: the name
 * @rec: record to fill
 * @name: gets the name, of CKPT_PATH_MAX bytes
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_path_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		   const struct path *path, struct ckpt_rec_file *rec, char *name)
{
	struct kstat stat;
	int ret;

	ret = ckpt_name_save(ctx, t, path, false, name);
	if (ret)
		return ret;
	ret = ckpt_identify_path(path, rec, &stat);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE, ret, "cannot look at %s", name);
	rec->pos = file->f_pos;
	rec->size = stat.size;
	rec->mtime_ns = timespec64_to_ns(&stat.mtime);
	ckpt_identify(file, rec);
	if (file_inode(file) == file_inode(ctx->file))
		rec->flags |= CKPT_FILEF_IMAGE;
	return 0;
}

static int path_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		     struct ckpt_rec_file *rec, char *name)
{
	return ckpt_path_save(ctx, t, file, file_user_path(file), rec, name);
}

/**
 * ckpt_open_flags - O_* flags with which a file is opened again
 * @rec: its record
 *
 * Return: them, and O_NOCTTY and O_NONBLOCK.
 */
int ckpt_open_flags(const struct ckpt_rec_file *rec)
{
	bool read = rec->flags & CKPT_FILEF_READ;
	bool write = rec->flags & CKPT_FILEF_WRITE;

	/* The type was compared; O_NONBLOCK is only for the case of a race. */
	return (write ? (read ? O_RDWR : O_WRONLY) : O_RDONLY) | O_NOCTTY | O_NONBLOCK |
	       (rec->flags & CKPT_FILEF_APPEND ? O_APPEND : 0) |
	       (rec->flags & CKPT_FILEF_DSYNC ? O_DSYNC : 0) |
	       (rec->flags & CKPT_FILEF_SYNC ? O_SYNC : 0) |
	       (rec->flags & CKPT_FILEF_DIRECT ? O_DIRECT : 0) |
	       (rec->flags & CKPT_FILEF_DIRECTORY ? O_DIRECTORY : 0) |
	       (rec->flags & CKPT_FILEF_NOATIME ? O_NOATIME : 0) |
	       (rec->flags & CKPT_FILEF_NOFOLLOW ? O_NOFOLLOW : 0) |
	       (rec->flags & CKPT_FILEF_LARGEFILE ? O_LARGEFILE : 0);
}

/* A program: the right to execute it counts, not the one to read it. */
static struct file *open_program(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct file *file = open_exec(name);
	int ret;

	if (IS_ERR(file))
		return file;
	exe_file_allow_write_access(file);
	/* Nobody can save one that may not be read; the image could map it to read it. */
	ret = path_permission(&file->f_path, MAY_READ) ?:
	      ckpt_compare(ctx, t, file_user_path(file), rec, name);
	if (!ret)
		return file;
	fput(file);
	return ERR_PTR(ret);
}

static struct file *open_again(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
			       const struct ckpt_rec_file *rec, const char *name)
{
	if (rec->flags & CKPT_FILEF_EXEC)
		return open_program(ctx, t, rec, name);
	/* What was compared, whatever has this name by now. */
	return file_open_root(path, "", ckpt_open_flags(rec), 0);
}

static int set_position(struct file *file, const struct ckpt_rec_file *rec)
{
	loff_t pos = rec->pos;

	spin_lock(&file->f_lock);
	if (!(rec->flags & CKPT_FILEF_NONBLOCK))
		file->f_flags &= ~O_NONBLOCK;
	spin_unlock(&file->f_lock);
	if (!pos || !(file->f_mode & FMODE_LSEEK))
		return 0;
	if (S_ISDIR(file_inode(file)->i_mode))
		return vfs_llseek(file, pos, SEEK_SET) == pos ? 0 : -EINVAL;
	file->f_pos = pos;
	return 0;
}

static struct file *path_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct file *file;
	struct path path;
	int ret;

	/* Looked at before it is opened: opening a device may do something. */
	ret = kern_path(name, rec->flags & CKPT_FILEF_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &path);
	if (!ret) {
		ret = ckpt_compare(ctx, t, &path, rec, name);
		file = ret ? ERR_PTR(ret) : open_again(ctx, t, &path, rec, name);
		path_put(&path);
		if (ret)
			return file;
		ret = PTR_ERR_OR_ZERO(file);
	}
	if (ret == -ENOENT || ret == -ENOTDIR)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING, -ESTALE,
					  "%s is missing", name));
	if (ret)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING, ret,
					  "cannot open %s", name));
	ret = ckpt_compare_open(ctx, t, file, rec, name);
	if (!ret && set_position(file, rec))
		ret = ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_CHANGED, -ESTALE,
				 "cannot go to position %llu of %s", rec->pos, name);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

const struct ckpt_file_kind ckpt_path_kind = {
	.name = "path",
	.kind = CKPT_FILE_PATH,
	.named = true,
	.probe = path_probe,
	.collect = path_collect,
	.save = path_save,
	.restore = path_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a file still what it was? It depends on what it is for:
 *
 * - programs and libraries: the same size, and build-id; where there is none,
 *   modification time. They may be other copies;
 * - a file open for appending: it may have grown;
 * - other data: the same size and modification time; and the same inode, if it
 *   is on the same file system;
 * - directories, FIFOs, and what O_PATH only names: the same inode, if it is on the
 *   same file system. Their times change while they are in use.
 *
 * File systems are the same if they have the same UUID; where there is none, inodes
 * are not compared.
 *
 * The caller of restart() may allow more, by class or by name; never another
 * type. The image itself, in a program that saves itself, is not compared.
 */
#include <linux/buildid.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/stat.h>

#include "../internal.h"

static_assert(sizeof_field(struct ckpt_rec_file, build_id) >= BUILD_ID_SIZE_MAX);

static bool is_program(const struct ckpt_rec_file *rec)
{
	return rec->flags & CKPT_FILEF_EXEC || rec->build_id_len;
}

/* Length of its build-id, 0: none. */
static u32 read_build_id(struct file *file, u8 *id)
{
	u32 len = 0;

	if (!S_ISREG(file_inode(file)->i_mode) || !(file->f_mode & FMODE_READ) ||
	    !(file->f_mode & FMODE_CAN_READ) || !file->f_op->read_iter || file->f_op->read ||
	    build_id_parse_file(file, id, &len))
		return 0;
	return len;
}

/**
 * ckpt_identify_path - note in a record which file a name leads to
 * @path: the file
 * @rec: gets type, numbers and file system
 * @stat: gets what stat(2) would tell
 *
 * Return: 0 or a negative errno.
 */
int ckpt_identify_path(const struct path *path, struct ckpt_rec_file *rec, struct kstat *stat)
{
	const struct super_block *sb = path->dentry->d_sb;
	int ret = vfs_getattr(path, stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);

	if (ret)
		return ret;
	rec->mode = stat->mode;
	rec->ino = stat->ino;
	rec->dev = huge_encode_dev(stat->dev);
	rec->rdev = huge_encode_dev(stat->rdev);
	rec->generation = d_inode(path->dentry)->i_generation;
	/* A shorter one is of a FAT, whose inode numbers are made up. */
	if (sb->s_uuid_len == sizeof(rec->fs_uuid))
		memcpy(rec->fs_uuid, &sb->s_uuid, sizeof(rec->fs_uuid));
	return 0;
}

/**
 * ckpt_identify - note in a record by what a program or library can be recognised
 * @file: the file
 * @rec: gets build-id, if it is one
 */
void ckpt_identify(struct file *file, struct ckpt_rec_file *rec)
{
	if (file->f_mode & FMODE_WRITE)
		return;
	if (file->f_flags & __FMODE_EXEC || mapping_mapped(file->f_mapping))
		rec->build_id_len = read_build_id(file, rec->build_id);
}

static int report_change(struct ckpt_ctx *ctx, struct ckpt_task *t, const char *name,
			 const char *what, const char *class, u64 was, u64 is)
{
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_CHANGED, -ESTALE,
			  "%s has changed: its %s was %llu and is %llu%s%s%s", name, what, was, is,
			  *class ? " (--allow-changed " : "", class,
			  *class ? " accepts that)" : "");
}

static bool on_same_fs(const struct path *path, const struct ckpt_rec_file *rec)
{
	return memchr_inv(rec->fs_uuid, 0, sizeof(rec->fs_uuid)) &&
	       !memcmp(rec->fs_uuid, &path->dentry->d_sb->s_uuid, sizeof(rec->fs_uuid));
}

/* A copy of it in its place; where inode numbers mean something. */
static int compare_inode(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
			 const struct kstat *stat, const struct ckpt_rec_file *rec,
			 const char *name)
{
	if (ctx->outside->allow_changed & RESTART_CHANGED_REPLACED || !on_same_fs(path, rec))
		return 0;
	if (stat->ino != rec->ino)
		return report_change(ctx, t, name, "inode number", "replaced", rec->ino, stat->ino);
	if (d_inode(path->dentry)->i_generation != rec->generation)
		return report_change(ctx, t, name, "inode generation", "replaced", rec->generation,
				     d_inode(path->dentry)->i_generation);
	return 0;
}

static int compare_content(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
			   const struct kstat *stat, const struct ckpt_rec_file *rec,
			   const char *name)
{
	bool log = rec->flags & CKPT_FILEF_APPEND;
	const char *class = is_program(rec) ? "program" : log ? "log" : "data";

	if (log ? stat->size < rec->size : stat->size != rec->size)
		return report_change(ctx, t, name, "size", class, rec->size, stat->size);
	if (!log && !rec->build_id_len && timespec64_to_ns(&stat->mtime) != rec->mtime_ns)
		return report_change(ctx, t, name, "modification time (ns)", class, rec->mtime_ns,
				     timespec64_to_ns(&stat->mtime));
	return is_program(rec) ? 0 : compare_inode(ctx, t, path, stat, rec, name);
}

static bool may_have_changed(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec,
			     const char *name)
{
	u32 class = is_program(rec) ? RESTART_CHANGED_PROGRAM :
		    rec->flags & CKPT_FILEF_APPEND ? RESTART_CHANGED_LOG : RESTART_CHANGED_DATA;

	return rec->flags & CKPT_FILEF_IMAGE || ctx->outside->allow_changed & class ||
	       ckpt_list_find(&ctx->outside->changed, name, NULL);
}

/* Its type, which never may be another, and that of a device. */
static int compare_type(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
			struct kstat *stat, const struct ckpt_rec_file *rec, const char *name)
{
	int ret = vfs_getattr(path, stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);

	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_CHANGED, ret,
				  "cannot look at %s", name);
	if ((stat->mode ^ rec->mode) & S_IFMT)
		return report_change(ctx, t, name, "type", "", rec->mode & S_IFMT,
				     stat->mode & S_IFMT);
	if ((S_ISCHR(stat->mode) || S_ISBLK(stat->mode)) &&
	    huge_encode_dev(stat->rdev) != rec->rdev)
		return report_change(ctx, t, name, "device number", "", rec->rdev,
				     huge_encode_dev(stat->rdev));
	return 0;
}

/**
 * ckpt_compare_path - does a name lead to the file that it led to?
 * @ctx: context of a restart
 * @t: process for which it is opened
 * @path: the file that there is now
 * @rec: the file that there was
 * @name: its name
 *
 * A device is what its number says: the file may have been made anew.
 *
 * Return: 0, or a negative errno, reported.
 */
int ckpt_compare_path(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
		      const struct ckpt_rec_file *rec, const char *name)
{
	struct kstat stat;
	int ret = compare_type(ctx, t, path, &stat, rec, name);

	if (ret || S_ISCHR(stat.mode) || S_ISBLK(stat.mode) ||
	    ckpt_list_find(&ctx->outside->changed, name, NULL))
		return ret;
	return compare_inode(ctx, t, path, &stat, rec, name);
}

/**
 * ckpt_compare - is a file what it was, as far as can be told without opening it?
 * @ctx: context of a restart
 * @t: process for which it is opened
 * @path: the file that there is now
 * @rec: the file that there was
 * @name: its name
 *
 * Return: 0, or a negative errno, reported.
 */
int ckpt_compare(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
		 const struct ckpt_rec_file *rec, const char *name)
{
	struct kstat stat;
	int ret;

	if (S_ISDIR(rec->mode))
		return ckpt_compare_path(ctx, t, path, rec, name);
	ret = compare_type(ctx, t, path, &stat, rec, name);
	if (ret)
		return ret;
	if (!S_ISREG(stat.mode) && !ckpt_is_memory_device(stat.mode, stat.rdev))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a file of an impossible type: %s", name);
	if (!S_ISREG(stat.mode) || may_have_changed(ctx, rec, name))
		return 0;
	return compare_content(ctx, t, path, &stat, rec, name);
}

/**
 * ckpt_compare_open - is an open file the program or library that it was?
 * @ctx: context of a restart
 * @t: process for which it was opened
 * @file: the file
 * @rec: the file that there was
 * @name: its name
 *
 * Return: 0, or a negative errno, reported.
 */
int ckpt_compare_open(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		      const struct ckpt_rec_file *rec, const char *name)
{
	u8 id[BUILD_ID_SIZE_MAX];
	u32 len;

	if (!rec->build_id_len || may_have_changed(ctx, rec, name))
		return 0;
	len = read_build_id(file, id);
	if (len == rec->build_id_len && !memcmp(id, rec->build_id, len))
		return 0;
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_CHANGED, -ESTALE,
			  "%s has changed: its build-id was %*phN and is %*phN (%s accepts that)",
			  name, min_t(u32, rec->build_id_len, sizeof(rec->build_id)),
			  rec->build_id, len, id, "--allow-changed program");
}

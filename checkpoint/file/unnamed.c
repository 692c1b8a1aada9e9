// SPDX-License-Identifier: GPL-2.0-only
/*
 * What shared memory (shmem.c) and memory of huge pages (hugetlb.c) have in
 * common while they have no name: who has them, owner, seals, times, and the
 * files that are opened on them.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "unlinked.h"
#include "unnamed.h"

/**
 * ckpt_unnamed_collect - look for what keeps memory from being saved
 * @ctx: context
 * @where: what holds it
 * @file: a file of it
 * @what: what it is called
 */
void ckpt_unnamed_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file,
			  const char *what)
{
	const struct inode *inode = file_inode(file);

	if (inode->i_mode & (S_ISUID | S_ISGID))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "%s with a set-user-ID or set-group-ID bit: %pD", what, file);
	if (!kuid_has_mapping(current_user_ns(), inode->i_uid) ||
	    !kgid_has_mapping(current_user_ns(), inode->i_gid))
		ckpt_obstacle(ctx, where, CKPT_WHY_CRED, "%s of an unknown user: %pD", what, file);
	/* Who looks at a descriptor, or at a program, holds a reference of its own. */
	if (!ckpt_file_is_inside(ctx, file, !where->end))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_MAPPING, file,
				  "%s without a name that others have, too: %pD", what, file);
}

/*
 * The name that memory shows behind a '/', to be freed: its own, or, if it was a file
 * of a tmpfs, its path. NULL: no memory.
 */
static char *get_name(struct ckpt_ctx *ctx, const struct path *path)
{
	struct name_snapshot own;
	u32 dir_len, skip;
	char *name = NULL;

	if (!IS_ROOT(path->dentry))
		name = ckpt_old_name(ctx, path, &dir_len);
	if (IS_ERR(name))
		return NULL;
	if (name) {
		skip = dir_len == 1 ? 2 : 1;
		memmove(name, name + skip, strlen(name) + 1 - skip);
		return name;
	}
	take_dentry_name_snapshot(&own, path->dentry);
	name = kmemdup_nul(own.name.name, own.name.len, GFP_KERNEL_ACCOUNT);
	release_dentry_name_snapshot(&own);
	return name;
}

/**
 * ckpt_unnamed_write - save memory: its record, then what it is made of
 * @ctx: context
 * @file: a file of it
 * @type: of the record
 * @tag: of the memory
 * @rec: the record, but for the length of the name
 * @len: its bytes
 * @name_len: the member of @rec that gets this length
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unnamed_write(struct ckpt_ctx *ctx, struct file *file, u32 type, u32 tag,
		       void *rec, size_t len, u32 *name_len)
{
	char *name = get_name(ctx, &file->f_path);
	int ret = -ENOMEM;

	if (name) {
		*name_len = strnlen(name, CKPT_PATH_MAX - 1);
		ret = ckpt_write_record(ctx, type, tag, len, rec, len, name, *name_len);
	}
	kfree(name);
	return ret ?: ckpt_memory_save(ctx, file_inode(file), tag);
}

/**
 * ckpt_unnamed_fill - fill the record of an open file of such memory
 * @file: the file
 * @rec: its record
 */
void ckpt_unnamed_fill(struct file *file, struct ckpt_rec_file *rec)
{
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	rec->pos = file->f_pos;
}

/* As chown(2). */
static int set_owner(struct inode *inode, const struct ckpt_owner *owner)
{
	kuid_t uid = make_kuid(current_user_ns(), owner->uid);
	kgid_t gid = make_kgid(current_user_ns(), owner->gid);

	if (!uid_valid(uid) || !gid_valid(gid))
		return -EPERM;
	if ((!uid_eq(uid, inode->i_uid) || !gid_eq(gid, inode->i_gid)) && !capable(CAP_CHOWN))
		return -EPERM;
	inode->i_uid = uid;
	inode->i_gid = gid;
	inode->i_mode = S_IFREG | (owner->mode & 01777);
	return 0;
}

/**
 * ckpt_unnamed_add - memory was made: let files and mappings find it
 * @ctx: context of a restart
 * @tag: its tag
 * @ops: its handler, whose put is ckpt_unnamed_put()
 * @made: the memory, whose file becomes the tag's
 * @owner: to whom it belongs
 *
 * Return: 0; a negative errno: the file has been put.
 */
int ckpt_unnamed_add(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_obj_ops *ops,
		     const struct ckpt_unnamed *made, const struct ckpt_owner *owner)
{
	struct ckpt_unnamed *m = kmemdup(made, sizeof(*made), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!m) {
		fput(made->file);
		return -ENOMEM;
	}
	/* Content may be anywhere. */
	m->file->f_flags |= O_LARGEFILE;
	ret = set_owner(file_inode(m->file), owner) ?: ckpt_put_tag(ctx, tag, ops, m);
	if (ret)
		ckpt_unnamed_put(m);
	return ret;
}

/**
 * ckpt_unnamed_put - release restored memory
 * @obj: struct ckpt_unnamed
 *
 * All mappings are there: now it gets a seal against new writable ones.
 */
void ckpt_unnamed_put(void *obj)
{
	struct ckpt_unnamed *m = obj;

	*m->seals = m->saved_seals;
	fput(m->file);
	kfree(m);
}

/**
 * ckpt_unnamed_file - memory that is being restored
 * @ctx: context of a restart
 * @tag: its tag
 * @ops: its handler
 *
 * Return: a file, which the memory keeps; NULL: no such memory.
 */
struct file *ckpt_unnamed_file(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_obj_ops *ops)
{
	struct ckpt_unnamed *m = ckpt_get_tag(ctx, tag, ops);

	return m ? m->file : NULL;
}

static int open_flags(const struct ckpt_rec_file *rec, u32 mode)
{
	return (mode == CKPT_FILEF_READ ? O_RDONLY : mode == CKPT_FILEF_WRITE ? O_WRONLY : O_RDWR) |
	       (rec->flags & CKPT_FILEF_APPEND ? O_APPEND : 0) |
	       (rec->flags & CKPT_FILEF_NONBLOCK ? O_NONBLOCK : 0) | O_LARGEFILE;
}

/**
 * ckpt_unnamed_open - open a file of restored memory
 * @ctx: context of a restart
 * @t: current
 * @rec: record of the file
 * @ops: handler of the memory
 *
 * Return: the file, or an ERR_PTR(), reported.
 */
struct file *ckpt_unnamed_open(struct ckpt_ctx *ctx, struct ckpt_task *t,
			       const struct ckpt_rec_file *rec, const struct ckpt_obj_ops *ops)
{
	struct ckpt_unnamed *m = ckpt_get_tag(ctx, rec->object, ops);
	u32 mode = rec->flags & (CKPT_FILEF_READ | CKPT_FILEF_WRITE);
	struct inode *inode;
	struct file *file;

	if (!m || !mode)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has a file of memory that is not there"));
	inode = file_inode(m->file);
	/* All content is there. Mappings are made as they can be under these seals. */
	*m->seals = m->saved_seals & ~F_SEAL_FUTURE_WRITE;
	inode_set_mtime_to_ts(inode, ns_to_timespec64(m->mtime_ns));
	inode_set_atime_to_ts(inode, ns_to_timespec64(m->atime_ns));
	file = dentry_open(&m->file->f_path, open_flags(rec, mode), current_cred());
	if (IS_ERR(file))
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE, PTR_ERR(file),
			   "%s cannot be opened again", ops->name);
	else
		file->f_pos = rec->pos;
	return file;
}

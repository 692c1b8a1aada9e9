// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory without a name: shared anonymous memory, memfd, and files of a
 * tmpfs that were deleted, as POSIX semaphores and shared memory often are. One
 * SHMEM record for each inode; what it is made of follows (mm/memory.c). The open
 * files that name it are opened again on a new inode. SHMEM_DATA records have
 * the content of files (unlinked.c), and, in older images, of memory.
 *
 * Memory that somebody outside of the tree has, too, is an obstacle: the tree's
 * descriptors and mappings of it are counted (refs.c).
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "../internal.h"
#include "../optional.h"

/**
 * ckpt_is_unnamed_shmem - is this a file of memory that has no name?
 * @file: any open file
 *
 * Return: true if it is.
 */
bool ckpt_is_unnamed_shmem(struct file *file)
{
	/* One that may still get a name (O_TMPFILE), or is below an overlay, is a file. */
	return shmem_file(file) && !file_inode(file)->i_nlink &&
	       !(file->f_mode & FMODE_BACKING) && !(file_inode(file)->i_state & I_LINKABLE);
}

/* The file of a mapping of System V shared memory cannot be read. */
static bool shmem_probe(struct ckpt_task *t, struct file *file)
{
	return ckpt_is_unnamed_shmem(file) && file->f_op->read_iter;
}

static void shmem_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *file)
{
	const struct inode *inode = file_inode(file);

	if (inode->i_mode & (S_ISUID | S_ISGID))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "shared memory with a set-user-ID or set-group-ID bit: %pD", file);
	if (!RB_EMPTY_ROOT(&SHMEM_I(file_inode(file))->xattrs.rb_root))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "shared memory with extended attributes: %pD", file);
	if (!kuid_has_mapping(current_user_ns(), inode->i_uid) ||
	    !kgid_has_mapping(current_user_ns(), inode->i_gid))
		ckpt_obstacle(ctx, where, CKPT_WHY_CRED,
			      "shared memory of an unknown user: %pD", file);
	/* Who looks at a descriptor holds a reference of its own. */
	if (!ckpt_file_is_inside(ctx, file, where->fd >= 0))
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING,
			      "shared memory without a name that others have, too: %pD", file);
}

static int write_shmem(struct ckpt_ctx *ctx, struct file *file, u32 *tag)
{
	struct inode *inode = file_inode(file);
	struct ckpt_rec_shmem rec = {
		.size = i_size_read(inode),
		.seals = SHMEM_I(inode)->seals,
		.mode = inode->i_mode,
		.uid = from_kuid(current_user_ns(), inode->i_uid),
		.gid = from_kgid(current_user_ns(), inode->i_gid),
		.flags = (SHMEM_I(inode)->flags & VM_NORESERVE ? CKPT_SHMEM_NORESERVE : 0) |
			 (inode->i_flags & S_PRIVATE ? CKPT_SHMEM_PRIVATE : 0),
	};
	struct timespec64 atime = inode_get_atime(inode), mtime = inode_get_mtime(inode);
	struct name_snapshot name;
	int ret;

	*tag = ckpt_tag_of(ctx, inode);
	if (*tag)
		return 0;
	*tag = ckpt_new_tag(ctx, inode);
	if (!*tag)
		return -ENOMEM;
	take_dentry_name_snapshot(&name, file->f_path.dentry);
	rec.atime_ns = timespec64_to_ns(&atime);
	rec.mtime_ns = timespec64_to_ns(&mtime);
	rec.name_len = min_t(u32, name.name.len, CKPT_PATH_MAX - 1);
	ret = ckpt_write_record(ctx, CKPT_REC_SHMEM, *tag, sizeof(rec), &rec, sizeof(rec),
				name.name.name, rec.name_len);
	release_dentry_name_snapshot(&name);
	return ret ?: ckpt_memory_save(ctx, inode, *tag);
}

static int shmem_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		      struct ckpt_rec_file *rec, char *name)
{
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	rec->pos = file->f_pos;
	strscpy(name, "shared memory", CKPT_PATH_MAX);
	return write_shmem(ctx, file, &rec->object);
}

/* Restored memory: a file of it, and the seals and times that it will get. */
struct restored {
	struct file *file;
	u32 seals;
	s64 atime_ns;
	s64 mtime_ns;
};

/* A seal against new writable mappings: when all mappings are there. */
static void put_restored(void *obj)
{
	struct restored *r = obj;

	SHMEM_I(file_inode(r->file))->seals = r->seals;
	fput(r->file);
	kfree(r);
}

static struct file *create(const struct ckpt_rec_shmem *saved, const char *name)
{
	unsigned long flags = saved->flags & CKPT_SHMEM_NORESERVE ? VM_NORESERVE : 0;

	return saved->flags & CKPT_SHMEM_PRIVATE ?
	       shmem_kernel_file_setup(name, saved->size, flags) :
	       shmem_file_setup(name, saved->size, flags);
}

/* As chown(2). */
static int set_attributes(struct inode *inode, const struct ckpt_rec_shmem *saved)
{
	kuid_t uid = make_kuid(current_user_ns(), saved->uid);
	kgid_t gid = make_kgid(current_user_ns(), saved->gid);

	if (!uid_valid(uid) || !gid_valid(gid))
		return -EPERM;
	if ((!uid_eq(uid, inode->i_uid) || !gid_eq(gid, inode->i_gid)) && !capable(CAP_CHOWN))
		return -EPERM;
	inode->i_uid = uid;
	inode->i_gid = gid;
	inode->i_mode = S_IFREG | (saved->mode & 01777);
	return 0;
}

static int restore(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_rec_shmem *saved,
		   const char *name)
{
	struct restored *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!r)
		return -ENOMEM;
	r->seals = saved->seals;
	r->atime_ns = saved->atime_ns;
	r->mtime_ns = saved->mtime_ns;
	r->file = create(saved, name);
	ret = PTR_ERR_OR_ZERO(r->file);
	if (ret) {
		kfree(r);
		return ret;
	}
	/* Content may be anywhere. */
	r->file->f_flags |= O_LARGEFILE;
	ret = set_attributes(file_inode(r->file), saved) ?:
	      ckpt_put_tag(ctx, tag, &ckpt_shmem_ops, r);
	if (ret)
		put_restored(r);
	return ret;
}

static int shmem_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_shmem *saved = ckpt_rec_data(rec);
	char *name = kmemdup_nul(ckpt_rec_tail(rec), saved->name_len, GFP_KERNEL_ACCOUNT);
	int ret = name ? restore(ctx, rec->tag, saved, name) : -ENOMEM;

	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, ret,
			   "cannot make %llu bytes of shared memory", saved->size);
	kfree(name);
	ckpt_free_record(rec);
	return ret;
}

/* Into the folios: mappings have more than write(2) would put there. */
static int write_range(struct inode *inode, loff_t pos, const char *buf, size_t len)
{
	struct folio *folio;
	size_t done, part;
	int ret;

	for (done = 0; done < len; done += part) {
		part = min_t(size_t, PAGE_SIZE - offset_in_page(pos + done), len - done);
		ret = shmem_get_folio(inode, (pos + done) >> PAGE_SHIFT, 0, &folio, SGP_CACHE);
		if (ret)
			return ret;
		memcpy_to_folio(folio, offset_in_folio(folio, pos + done), buf + done, part);
		folio_mark_dirty(folio);
		folio_unlock(folio);
		folio_put(folio);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int write_file(struct file *file, loff_t pos, const void *data, size_t len)
{
	ssize_t ret = kernel_write(file, data, len, &pos);

	if (ret < 0)
		return ret;
	return ret == len ? 0 : -ENOSPC;
}

/**
 * ckpt_shmem_memory - memory that is being restored
 * @ctx: context of a restart
 * @tag: its tag
 *
 * Return: a file, which the memory keeps; NULL: no such memory.
 */
struct file *ckpt_shmem_memory(struct ckpt_ctx *ctx, u32 tag)
{
	struct restored *r = ckpt_get_tag(ctx, tag, &ckpt_shmem_ops);

	return r ? r->file : NULL;
}

/* Of pages that are not huge. */
static struct inode *memory_of(struct ckpt_ctx *ctx, u32 tag)
{
	struct file *file = ckpt_shmem_memory(ctx, tag) ?: ckpt_sysv_shm_memory(ctx, tag);

	return file && shmem_file(file) ? file_inode(file) : NULL;
}

static int data_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_shmem_data *saved = ckpt_rec_data(rec);
	struct inode *inode = memory_of(ctx, saved->shmem);
	struct file *file = inode ? NULL : ckpt_unlinked_writer(ctx, saved->shmem);
	int ret = -EBADMSG;

	if (inode && saved->offset + saved->len <= round_up(i_size_read(inode), PAGE_SIZE))
		ret = write_range(inode, saved->offset, ckpt_rec_tail(rec), saved->len);
	else if (file && saved->offset + saved->len <= i_size_read(file_inode(file)))
		ret = write_file(file, saved->offset, ckpt_rec_tail(rec), saved->len);
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), ret == -ENOMEM || ret == -ENOSPC ? CKPT_WHY_LIMIT :
			   CKPT_WHY_IMAGE, ret,
			   "the content of memory or of a file cannot be put there");
	ckpt_free_record(rec);
	return ret;
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct restored *r = ckpt_get_tag(ctx, rec->object, &ckpt_shmem_ops);
	u32 mode = rec->flags & (CKPT_FILEF_READ | CKPT_FILEF_WRITE);
	int flags = O_LARGEFILE | (rec->flags & CKPT_FILEF_APPEND ? O_APPEND : 0) |
		    (rec->flags & CKPT_FILEF_NONBLOCK ? O_NONBLOCK : 0);
	struct file *file;

	if (!r || !mode)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has a file of memory that is not there"));
	/* All content is there. Mappings are made as they can be under these seals. */
	SHMEM_I(file_inode(r->file))->seals = r->seals & ~F_SEAL_FUTURE_WRITE;
	inode_set_mtime_to_ts(file_inode(r->file), ns_to_timespec64(r->mtime_ns));
	inode_set_atime_to_ts(file_inode(r->file), ns_to_timespec64(r->atime_ns));
	flags |= mode == CKPT_FILEF_READ ? O_RDONLY : mode == CKPT_FILEF_WRITE ? O_WRONLY : O_RDWR;
	file = dentry_open(&r->file->f_path, flags, current_cred());
	if (IS_ERR(file))
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE, PTR_ERR(file),
			   "shared memory cannot be opened again");
	else
		file->f_pos = rec->pos;
	return file;
}

const struct ckpt_file_kind ckpt_shmem_kind = {
	.name = "shared memory",
	.kind = CKPT_FILE_SHMEM,
	.probe = shmem_probe,
	.collect = shmem_collect,
	.save = shmem_save,
	.restore = file_restore,
};

const struct ckpt_obj_ops ckpt_shmem_ops = {
	.name = "shared memory",
	.rec = CKPT_REC_SHMEM,
	.restore = shmem_restore,
	.put = put_restored,
};

const struct ckpt_obj_ops ckpt_shmem_data_ops = {
	.name = "content of shared memory",
	.rec = CKPT_REC_SHMEM_DATA,
	.restore = data_restore,
};

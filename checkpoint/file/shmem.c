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
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "../optional.h"
#include "unnamed.h"

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
	ckpt_unnamed_collect(ctx, where, file, "shared memory");
	if (!RB_EMPTY_ROOT(&SHMEM_I(file_inode(file))->xattrs.rb_root))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "shared memory with extended attributes: %pD", file);
}

static int write_shmem(struct ckpt_ctx *ctx, struct file *file, u32 *tag)
{
	struct inode *inode = file_inode(file);
	struct timespec64 atime = inode_get_atime(inode), mtime = inode_get_mtime(inode);
	struct ckpt_rec_shmem rec = {
		.size = i_size_read(inode),
		.atime_ns = timespec64_to_ns(&atime),
		.mtime_ns = timespec64_to_ns(&mtime),
		.seals = SHMEM_I(inode)->seals,
		.mode = inode->i_mode,
		.uid = from_kuid(current_user_ns(), inode->i_uid),
		.gid = from_kgid(current_user_ns(), inode->i_gid),
		.flags = (SHMEM_I(inode)->flags & VM_NORESERVE ? CKPT_SHMEM_NORESERVE : 0) |
			 (inode->i_flags & S_PRIVATE ? CKPT_SHMEM_PRIVATE : 0),
	};

	*tag = ckpt_tag_of(ctx, inode);
	if (*tag)
		return 0;
	*tag = ckpt_new_tag(ctx, inode);
	return *tag ? ckpt_unnamed_write(ctx, file, CKPT_REC_SHMEM, *tag, &rec, sizeof(rec),
					 &rec.name_len) : -ENOMEM;
}

static int shmem_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		      struct ckpt_rec_file *rec, char *name)
{
	ckpt_unnamed_fill(file, rec);
	strscpy(name, "shared memory", CKPT_PATH_MAX);
	return write_shmem(ctx, file, &rec->object);
}

static struct file *create(const struct ckpt_rec_shmem *saved, const char *name)
{
	unsigned long flags = saved->flags & CKPT_SHMEM_NORESERVE ? VM_NORESERVE : 0;

	return saved->flags & CKPT_SHMEM_PRIVATE ?
	       shmem_kernel_file_setup(name, saved->size, flags) :
	       shmem_file_setup(name, saved->size, flags);
}

static int restore(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_rec_shmem *saved,
		   const char *name)
{
	struct ckpt_owner owner = { saved->mode, saved->uid, saved->gid };
	struct file *file = create(saved, name);

	if (IS_ERR(file))
		return PTR_ERR(file);
	return ckpt_unnamed_add(ctx, tag, &ckpt_shmem_ops, &(struct ckpt_unnamed){
		.file = file,
		.seals = &SHMEM_I(file_inode(file))->seals,
		.saved_seals = saved->seals,
		.atime_ns = saved->atime_ns,
		.mtime_ns = saved->mtime_ns,
	}, &owner);
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
	return ckpt_unnamed_file(ctx, tag, &ckpt_shmem_ops);
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
	return ckpt_unnamed_open(ctx, t, rec, &ckpt_shmem_ops);
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
	.put = ckpt_unnamed_put,
};

const struct ckpt_obj_ops ckpt_shmem_data_ops = {
	.name = "content of shared memory",
	.rec = CKPT_REC_SHMEM_DATA,
	.restore = data_restore,
};

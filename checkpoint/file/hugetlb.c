// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of huge pages without a name: what mmap(2) makes with MAP_HUGETLB,
 * memfd_create(2) with MFD_HUGETLB, and deleted files of a hugetlbfs. One HUGETLB
 * record for each inode; what it is made of follows (mm/memory.c). It comes back
 * on the kernel's own hugetlbfs for pages of this size.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/slab.h>

#include "../mm/huge.h"
#include "../optional.h"
#include "unnamed.h"

static bool is_unnamed_hugetlb(struct file *file)
{
	return ckpt_is_huge_memory(file_inode(file)) && !file_inode(file)->i_nlink;
}

/**
 * ckpt_is_unnamed_memory - is this a file of memory, of pages of any size, without a name?
 * @file: any open file
 *
 * Return: true if it is.
 */
bool ckpt_is_unnamed_memory(struct file *file)
{
	return ckpt_is_unnamed_shmem(file) || is_unnamed_hugetlb(file);
}

/* The file of a mapping of System V shared memory cannot be read. */
static bool hugetlb_probe(struct ckpt_task *t, struct file *file)
{
	return is_unnamed_hugetlb(file) && file->f_op->read_iter;
}

static void hugetlb_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			    struct file *file)
{
	ckpt_unnamed_collect(ctx, where, file, "huge pages");
}

static int write_hugetlb(struct ckpt_ctx *ctx, struct file *file, u32 *tag)
{
	struct inode *inode = file_inode(file);
	struct timespec64 atime = inode_get_atime(inode), mtime = inode_get_mtime(inode);
	struct ckpt_rec_hugetlb rec = {
		.size = i_size_read(inode),
		.atime_ns = timespec64_to_ns(&atime),
		.mtime_ns = timespec64_to_ns(&mtime),
		.page_shift = huge_page_shift(hstate_inode(inode)),
		.seals = *ckpt_hugetlb_seals(inode),
		.mode = inode->i_mode,
		.uid = from_kuid(current_user_ns(), inode->i_uid),
		.gid = from_kgid(current_user_ns(), inode->i_gid),
	};

	*tag = ckpt_tag_of(ctx, inode);
	if (*tag)
		return 0;
	*tag = ckpt_new_tag(ctx, inode);
	return *tag ? ckpt_unnamed_write(ctx, file, CKPT_REC_HUGETLB, *tag, &rec, sizeof(rec),
					 &rec.name_len) : -ENOMEM;
}

static int hugetlb_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			struct ckpt_rec_file *rec, char *name)
{
	ckpt_unnamed_fill(file, rec);
	strscpy(name, "huge pages", CKPT_PATH_MAX);
	return write_hugetlb(ctx, file, &rec->object);
}

/* Nothing is reserved for it yet. */
static int restore(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_rec_hugetlb *saved,
		   const char *name)
{
	struct file *file = hugetlb_file_setup(name, saved->size, VM_NORESERVE,
					       HUGETLB_ANONHUGE_INODE, saved->page_shift);
	struct ckpt_owner owner = { saved->mode, saved->uid, saved->gid };

	if (IS_ERR(file))
		return PTR_ERR(file);
	return ckpt_unnamed_add(ctx, tag, &ckpt_hugetlb_ops, &(struct ckpt_unnamed){
		.file = file,
		.seals = ckpt_hugetlb_seals(file_inode(file)),
		.saved_seals = saved->seals,
		.atime_ns = saved->atime_ns,
		.mtime_ns = saved->mtime_ns,
	}, &owner);
}

static int hugetlb_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_hugetlb *saved = ckpt_rec_data(rec);
	char *name = kmemdup_nul(ckpt_rec_tail(rec), saved->name_len, GFP_KERNEL_ACCOUNT);
	int ret = name ? restore(ctx, rec->tag, saved, name) : -ENOMEM;

	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, ret,
			   "cannot make %llu bytes of memory with pages of %llu kB",
			   saved->size, (1ULL << saved->page_shift) / SZ_1K);
	kfree(name);
	ckpt_free_record(rec);
	return ret;
}

/**
 * ckpt_hugetlb_memory - memory of huge pages that is being restored
 * @ctx: context of a restart
 * @tag: its tag
 *
 * Return: a file, which the memory keeps; NULL: no such memory.
 */
struct file *ckpt_hugetlb_memory(struct ckpt_ctx *ctx, u32 tag)
{
	return ckpt_unnamed_file(ctx, tag, &ckpt_hugetlb_ops);
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	return ckpt_unnamed_open(ctx, t, rec, &ckpt_hugetlb_ops);
}

const struct ckpt_file_kind ckpt_hugetlb_kind = {
	.name = "huge pages",
	.kind = CKPT_FILE_HUGETLB,
	.probe = hugetlb_probe,
	.collect = hugetlb_collect,
	.save = hugetlb_save,
	.restore = file_restore,
};

const struct ckpt_obj_ops ckpt_hugetlb_ops = {
	.name = "memory of huge pages",
	.rec = CKPT_REC_HUGETLB,
	.restore = hugetlb_restore,
	.put = ckpt_unnamed_put,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of huge pages without a name: what mmap(2) makes with MAP_HUGETLB,
 * memfd_create(2) with MFD_HUGETLB, and deleted files of a hugetlbfs. One HUGETLB
 * record for each inode; what it is made of follows (mm/memory.c). It comes back
 * on the kernel's own hugetlbfs for pages of this size.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/slab.h>

#include "../mm/huge.h"
#include "../optional.h"

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
	const struct inode *inode = file_inode(file);

	if (inode->i_mode & (S_ISUID | S_ISGID))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "huge pages with a set-user-ID or set-group-ID bit: %pD", file);
	if (!kuid_has_mapping(current_user_ns(), inode->i_uid) ||
	    !kgid_has_mapping(current_user_ns(), inode->i_gid))
		ckpt_obstacle(ctx, where, CKPT_WHY_CRED,
			      "huge pages of an unknown user: %pD", file);
	/* Who looks at a descriptor holds a reference of its own. */
	if (!ckpt_file_is_inside(ctx, file, where->fd >= 0))
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING,
			      "huge pages without a name that others have, too: %pD", file);
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
	struct name_snapshot name;
	int ret;

	*tag = ckpt_tag_of(ctx, inode);
	if (*tag)
		return 0;
	*tag = ckpt_new_tag(ctx, inode);
	if (!*tag)
		return -ENOMEM;
	take_dentry_name_snapshot(&name, file->f_path.dentry);
	rec.name_len = min_t(u32, name.name.len, CKPT_PATH_MAX - 1);
	ret = ckpt_write_record(ctx, CKPT_REC_HUGETLB, *tag, sizeof(rec), &rec, sizeof(rec),
				name.name.name, rec.name_len);
	release_dentry_name_snapshot(&name);
	return ret ?: ckpt_memory_save(ctx, inode, *tag);
}

static int hugetlb_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			struct ckpt_rec_file *rec, char *name)
{
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	rec->pos = file->f_pos;
	strscpy(name, "huge pages", CKPT_PATH_MAX);
	return write_hugetlb(ctx, file, &rec->object);
}

/* Restored memory: a file of it, and what it gets when all mappings are there. */
struct restored {
	struct file *file;
	u32 seals;
	s64 atime_ns;
	s64 mtime_ns;
};

static void put_restored(void *obj)
{
	struct restored *r = obj;

	*ckpt_hugetlb_seals(file_inode(r->file)) = r->seals;
	fput(r->file);
	kfree(r);
}

/* As chown(2). */
static int set_attributes(struct inode *inode, const struct ckpt_rec_hugetlb *saved)
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

/* Nothing is reserved for it yet. */
static int restore(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_rec_hugetlb *saved,
		   const char *name)
{
	struct restored *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!r)
		return -ENOMEM;
	r->seals = saved->seals;
	r->atime_ns = saved->atime_ns;
	r->mtime_ns = saved->mtime_ns;
	r->file = hugetlb_file_setup(name, saved->size, VM_NORESERVE, HUGETLB_ANONHUGE_INODE,
				     saved->page_shift);
	ret = PTR_ERR_OR_ZERO(r->file);
	if (ret) {
		kfree(r);
		return ret;
	}
	r->file->f_flags |= O_LARGEFILE;
	ret = set_attributes(file_inode(r->file), saved) ?:
	      ckpt_put_tag(ctx, tag, &ckpt_hugetlb_ops, r);
	if (ret)
		put_restored(r);
	return ret;
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
	struct restored *r = ckpt_get_tag(ctx, tag, &ckpt_hugetlb_ops);

	return r ? r->file : NULL;
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct restored *r = ckpt_get_tag(ctx, rec->object, &ckpt_hugetlb_ops);
	u32 mode = rec->flags & (CKPT_FILEF_READ | CKPT_FILEF_WRITE);
	int flags = O_LARGEFILE | (rec->flags & CKPT_FILEF_APPEND ? O_APPEND : 0) |
		    (rec->flags & CKPT_FILEF_NONBLOCK ? O_NONBLOCK : 0);
	struct inode *inode;
	struct file *file;

	if (!r || !mode)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has a file of memory that is not there"));
	inode = file_inode(r->file);
	/* All content is there. Mappings are made as they can be under these seals. */
	*ckpt_hugetlb_seals(inode) = r->seals & ~F_SEAL_FUTURE_WRITE;
	inode_set_mtime_to_ts(inode, ns_to_timespec64(r->mtime_ns));
	inode_set_atime_to_ts(inode, ns_to_timespec64(r->atime_ns));
	flags |= mode == CKPT_FILEF_READ ? O_RDONLY : mode == CKPT_FILEF_WRITE ? O_WRONLY : O_RDWR;
	file = dentry_open(&r->file->f_path, flags, current_cred());
	if (IS_ERR(file))
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE, PTR_ERR(file),
			   "memory of huge pages cannot be opened again");
	else
		file->f_pos = rec->pos;
	return file;
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
	.put = put_restored,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often the descriptor tables of the tree refer to each open file, and
 * which ends of pipes are among them: what has more references is used by
 * others, too.
 */
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "../internal.h"

/* A look through /proc holds a reference for a moment. */
#define TRANSIENT_TRIES		20

/* A pipe: how many of its files are in the tree, and one for each direction. */
struct pipe_refs {
	struct file *ends[2];
	u32 files;
};

static unsigned long key(const void *ptr)
{
	return (unsigned long)ptr >> 3;
}

static int note_pipe(struct ckpt_ctx *ctx, struct pipe_inode_info *pipe, struct file *file)
{
	struct pipe_refs *refs = xa_load(&ctx->pipe_refs, key(pipe));
	int ret;

	if (!refs) {
		refs = kzalloc(sizeof(*refs), GFP_KERNEL_ACCOUNT);
		if (!refs)
			return -ENOMEM;
		ret = xa_err(xa_store(&ctx->pipe_refs, key(pipe), refs, GFP_KERNEL_ACCOUNT));
		if (ret) {
			kfree(refs);
			return ret;
		}
	}
	refs->ends[!!(file->f_mode & FMODE_WRITE)] = file;
	refs->files++;
	return 0;
}

/* One more open file of the memory that a dentry stands for. */
static int note_shmem(struct ckpt_ctx *ctx, struct file *file)
{
	unsigned long at = key(file->f_path.dentry);
	void *old = xa_load(&ctx->file_refs, at);

	return xa_err(xa_store(&ctx->file_refs, at,
			       xa_mk_value((old ? xa_to_value(old) : 0) + 1),
			       GFP_KERNEL_ACCOUNT));
}

static int count_file(struct ckpt_ctx *ctx, struct file *file)
{
	void *old = xa_load(&ctx->file_refs, key(file));
	unsigned long nr = old ? xa_to_value(old) : 0;
	struct pipe_inode_info *pipe = nr ? NULL : ckpt_pipe_of(file);
	int ret = 0;

	if (pipe)
		ret = note_pipe(ctx, pipe, file);
	else if (!nr && ckpt_is_unnamed_shmem(file))
		ret = note_shmem(ctx, file);
	return ret ?: xa_err(xa_store(&ctx->file_refs, key(file), xa_mk_value(nr + 1),
				      GFP_KERNEL_ACCOUNT));
}

static int count_table(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct files_struct *files;
	unsigned int fd;
	struct file *file;
	int ret;

	task_lock(t->task);
	files = t->task->files;
	task_unlock(t->task);
	/* Tables and files are different objects: one index does for both. */
	ret = xa_insert(&ctx->file_refs, key(files), xa_mk_value(1), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? 0 : ret;
	for (fd = 0; !ret; fd++) {
		rcu_read_lock();
		file = task_lookup_next_fdget_rcu(t->task, &fd);
		rcu_read_unlock();
		if (!file)
			break;
		ret = count_file(ctx, file);
		fput(file);
		cond_resched();
	}
	return ret;
}

/* Mappings of memory without a name, once for each address space. */
static int count_mappings(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct mm_struct *mm = get_task_mm(t->task);
	struct vm_area_struct *vma;
	int ret;

	VMA_ITERATOR(vmi, mm, 0);

	if (!mm)
		return 0;
	ret = xa_insert(&ctx->file_refs, key(mm), xa_mk_value(1), GFP_KERNEL_ACCOUNT);
	if (!ret && mmap_read_lock_killable(mm))
		ret = -EINTR;
	if (!ret) {
		for_each_vma(vmi, vma) {
			if (vma->vm_file && ckpt_is_unnamed_shmem(vma->vm_file))
				ret = count_file(ctx, vma->vm_file);
			if (ret)
				break;
		}
		mmap_read_unlock(mm);
	}
	mmput(mm);
	return ret == -EBUSY ? 0 : ret;
}

/**
 * ckpt_refs_count - count the descriptors of all processes
 * @ctx: context of a save, its tasks in order
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_refs_count(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	int ret = 0;

	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t))
		if (t->main)
			ret = count_table(ctx, t->main) ?: count_mappings(ctx, t->main);
	return ret;
}

/**
 * ckpt_refs_free - forget the counts
 * @ctx: context
 */
void ckpt_refs_free(struct ckpt_ctx *ctx)
{
	struct pipe_refs *refs;
	unsigned long index;

	xa_for_each(&ctx->pipe_refs, index, refs)
		kfree(refs);
	xa_destroy(&ctx->pipe_refs);
	xa_destroy(&ctx->file_refs);
}

/*
 * Has nobody but the tree's descriptors, and @extra, a reference? An end that
 * is closed is nobody's.
 */
static bool only_ours(struct ckpt_ctx *ctx, struct file *file, int extra)
{
	unsigned long ours;
	int try;

	if (!file)
		return true;
	ours = xa_to_value(xa_load(&ctx->file_refs, key(file)) ?: xa_mk_value(0));
	for (try = 0; try < TRANSIENT_TRIES; try++) {
		if (file_count(file) == ours + extra)
			return true;
		usleep_range(200, 1000);
	}
	return false;
}

/**
 * ckpt_file_is_known - does a descriptor of the tree refer to an open file?
 * @ctx: context of a save
 * @file: the file
 *
 * Return: true if one does.
 */
bool ckpt_file_is_known(struct ckpt_ctx *ctx, struct file *file)
{
	return xa_load(&ctx->file_refs, key(file));
}

/**
 * ckpt_file_is_ours - do only descriptors of the tree refer to an open file?
 * @ctx: context of a save
 * @file: the file
 * @extra: references to @file that the caller holds
 *
 * A reference that somebody has for a moment counts. Does not sleep.
 *
 * Return: true if there are no others.
 */
bool ckpt_file_is_ours(struct ckpt_ctx *ctx, struct file *file, int extra)
{
	void *ours = xa_load(&ctx->file_refs, key(file));

	return ours && file_count(file) == xa_to_value(ours) + extra;
}

/**
 * ckpt_file_is_inside - is memory without a name only in the tree?
 * @ctx: context of a save
 * @file: one of its files
 * @extra: references to @file that the caller holds
 *
 * Return: true if all its files, and all references to this one, are the tree's.
 */
bool ckpt_file_is_inside(struct ckpt_ctx *ctx, struct file *file, int extra)
{
	struct dentry *dentry = file->f_path.dentry;
	void *files = xa_load(&ctx->file_refs, key(dentry));

	return files && d_count(dentry) <= xa_to_value(files) && only_ours(ctx, file, extra);
}

/**
 * ckpt_pipe_is_inside - are all ends of a pipe in the tree, and only there?
 * @ctx: context of a save
 * @pipe: the pipe
 * @file: one of its files, to which the caller holds one reference
 *
 * Return: true if they are.
 */
bool ckpt_pipe_is_inside(struct ckpt_ctx *ctx, struct pipe_inode_info *pipe, struct file *file)
{
	struct pipe_refs *refs = xa_load(&ctx->pipe_refs, key(pipe));
	int nr;

	if (!refs)
		return false;
	/* Both ends the same way round would need a record of its own. */
	nr = !!refs->ends[0] + !!refs->ends[1];
	return nr == refs->files && nr == pipe->files &&
	       only_ours(ctx, refs->ends[0], refs->ends[0] == file) &&
	       only_ours(ctx, refs->ends[1], refs->ends[1] == file);
}

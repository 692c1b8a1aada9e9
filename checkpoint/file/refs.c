// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often the descriptor tables of the tree, messages with descriptors that
 * are under way in it (net/inflight.c), and its instances of io_uring(7) refer to
 * each open file, and which ends of pipes are among them: what has more references
 * is used by others, too.
 */
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "../internal.h"

/* A pipe: its files that are in the tree. */
struct pipe_refs {
	struct file **files;
	u32 nr;
	u32 cap;
	bool inside;	/* looked at: nobody else has any */
};

/* Of a file in file_refs: that others have it was told. The rest is the count. */
#define TOLD	BIT(BITS_PER_LONG - 1)

static unsigned long count_of(struct ckpt_ctx *ctx, const void *ptr)
{
	return ckpt_ptr_get(&ctx->file_refs, ptr) & ~TOLD;
}

/* One more reference to an object. */
static int count(struct ckpt_ctx *ctx, const void *ptr)
{
	return ckpt_ptr_set(&ctx->file_refs, ptr, ckpt_ptr_get(&ctx->file_refs, ptr) + 1);
}

static int add_end(struct pipe_refs *refs, struct file *file)
{
	u32 cap = max(2U, 2 * refs->cap);
	struct file **files;

	if (refs->nr == refs->cap) {
		files = krealloc_array(refs->files, cap, sizeof(*files), GFP_KERNEL_ACCOUNT);
		if (!files)
			return -ENOMEM;
		refs->files = files;
		refs->cap = cap;
	}
	refs->files[refs->nr++] = file;
	return 0;
}

static int note_pipe(struct ckpt_ctx *ctx, struct pipe_inode_info *pipe, struct file *file)
{
	struct pipe_refs *refs = (void *)ckpt_ptr_get(&ctx->pipe_refs, pipe);
	int ret;

	if (!refs) {
		refs = kzalloc(sizeof(*refs), GFP_KERNEL_ACCOUNT);
		if (!refs)
			return -ENOMEM;
		ret = ckpt_ptr_set(&ctx->pipe_refs, pipe, (unsigned long)refs);
		if (ret) {
			kfree(refs);
			return ret;
		}
	}
	return add_end(refs, file);
}

/**
 * ckpt_refs_note - count a reference of the tree to any object
 * @ctx: context of a save
 * @obj: the object
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_refs_note(struct ckpt_ctx *ctx, const void *obj)
{
	return count(ctx, obj);
}

/**
 * ckpt_refs_of - how many references to an object were counted?
 * @ctx: context of a save
 * @obj: the object
 *
 * Return: their number.
 */
unsigned long ckpt_refs_of(struct ckpt_ctx *ctx, const void *obj)
{
	return count_of(ctx, obj);
}

/* A file whose open files are counted, because nobody outside may have it. */
static bool is_counted(struct file *file)
{
	return ckpt_is_unnamed_memory(file) || ckpt_is_unlinked(file) || io_is_uring_fops(file);
}

/* Overlayfs opens a file below, which has a reference to the upper one's name. */
static struct file *file_below(struct file *file)
{
	return file_inode(file)->i_sb->s_magic == OVERLAYFS_SUPER_MAGIC &&
	       S_ISREG(file_inode(file)->i_mode) && !(file->f_mode & FMODE_PATH) ?
	       file->private_data : NULL;
}

static int count_below(struct ckpt_ctx *ctx, struct file *file)
{
	struct file *below = file_below(file);
	int ret = 0;

	if (!below)
		return 0;
	/* It may have been found, as that of a mapping, before. */
	if (!count_of(ctx, below))
		ret = count(ctx, file_user_path(below)->dentry);
	return ret ?: count(ctx, below);
}

static int count_file(struct ckpt_ctx *ctx, struct file *file)
{
	unsigned long nr = count_of(ctx, file);
	struct pipe_inode_info *pipe = nr ? NULL : ckpt_pipe_of(file);
	int ret = 0;

	if (!nr)
		ret = ckpt_inflight_note(ctx, file) ?: ckpt_registered_count(ctx, file);
	if (ret)
		return ret;
	if (pipe)
		ret = note_pipe(ctx, pipe, file);
	else if (!nr && is_counted(file))
		ret = count(ctx, file_user_path(file)->dentry) ?: count_below(ctx, file);
	return ret ?: count(ctx, file);
}

/**
 * ckpt_refs_add - count a reference of the tree to an open file
 * @ctx: context of a save
 * @file: the file
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_refs_add(struct ckpt_ctx *ctx, struct file *file)
{
	return count_file(ctx, file);
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
	/* It has just been killed, or another process of the tree has the table, too. */
	if (!files || count_of(ctx, files))
		return 0;
	/* Tables and files are different objects: one index does for both. */
	ret = count(ctx, files);
	for (fd = 0; !ret && (file = ckpt_fds_next(t->task, &fd)); fd++) {
		ret = count_file(ctx, file);
		fput(file);
		if (fatal_signal_pending(current) || READ_ONCE(ctx->killed))
			ret = ret ?: -EINTR;
		cond_resched();
	}
	return ret ?: ckpt_inflight_count(ctx, t);
}

/* The executed file. */
static int count_exe(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct file *exe = get_mm_exe_file(mm);
	int ret = 0;

	if (exe)
		ret = count_file(ctx, exe);
	if (exe)
		fput(exe);
	return ret;
}

/* Mappings of what has no name, and the program, once for each address space. */
static int count_mappings(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct mm_struct *mm = get_task_mm(t->task);
	struct vm_area_struct *vma;
	int ret = 0;

	VMA_ITERATOR(vmi, mm, 0);

	if (!mm)
		return 0;
	if (count_of(ctx, mm))
		goto out;
	ret = count(ctx, mm);
	if (!ret && mmap_read_lock_killable(mm))
		ret = -EINTR;
	if (!ret) {
		for_each_vma(vmi, vma) {
			if (vma->vm_file && is_counted(vma->vm_file))
				ret = count_file(ctx, vma->vm_file);
			/* One more mapping of memory, by its inode. */
			if (!ret && vma->vm_file && ckpt_is_unnamed_memory(vma->vm_file))
				ret = count(ctx, file_inode(vma->vm_file));
			if (ret)
				break;
		}
		mmap_read_unlock(mm);
		ret = ret ?: count_exe(ctx, mm);
	}
out:
	mmput(mm);
	return ret;
}

/**
 * ckpt_attached - how often is memory without a name mapped in the tree?
 * @ctx: context of a save
 * @inode: of the memory
 *
 * Return: mappings.
 */
unsigned long ckpt_attached(struct ckpt_ctx *ctx, struct inode *inode)
{
	return count_of(ctx, inode);
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
	u32 i;

	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t))
		if (t->main)
			ret = count_table(ctx, t->main) ?: count_mappings(ctx, t->main);
	for (i = 0; i < ctx->nr_tasks && !ret; i++)
		ret = ckpt_io_rings_count(ctx, ctx->tasks[i]);
	return ret;
}

static void put_pipe(unsigned long value)
{
	struct pipe_refs *refs = (void *)value;

	kfree(refs->files);
	kfree(refs);
}

/**
 * ckpt_refs_free - forget the counts
 * @ctx: context
 */
void ckpt_refs_free(struct ckpt_ctx *ctx)
{
	ckpt_ptr_free(&ctx->pipe_refs, put_pipe);
	ckpt_ptr_free(&ctx->file_refs, NULL);
}

/**
 * ckpt_file_is_known - has the tree this file open?
 * @ctx: context of a save
 * @file: address of a file, which may be gone
 *
 * Return: true if a descriptor of the tree refers to it.
 */
bool ckpt_file_is_known(struct ckpt_ctx *ctx, const struct file *file)
{
	return count_of(ctx, file);
}

/**
 * ckpt_file_is_ours_now - do only descriptors of the tree refer to an open file?
 * @ctx: context of a save
 * @file: the file
 * @extra: references to @file that the caller holds
 *
 * A reference that somebody has for a moment counts. Does not sleep.
 *
 * Return: true if there are no others.
 */
bool ckpt_file_is_ours_now(struct ckpt_ctx *ctx, struct file *file, int extra)
{
	return file_count(file) == count_of(ctx, file) + extra;
}

/**
 * ckpt_file_is_ours - the same, after a while if need be
 * @ctx: context of a save
 * @file: the file
 * @extra: references to @file that the caller holds
 *
 * Return: true if all references are those of the tree's descriptors.
 */
bool ckpt_file_is_ours(struct ckpt_ctx *ctx, struct file *file, int extra)
{
	int try;

	for (try = 0; try < CKPT_TRANSIENT_TRIES; try++) {
		if (ckpt_file_is_ours_now(ctx, file, extra))
			return true;
		usleep_range(200, 1000);
	}
	return false;
}

/**
 * ckpt_file_is_inside - is what has no name only in the tree?
 * @ctx: context of a save
 * @file: one of its files
 * @extra: references to @file that the caller holds
 *
 * Return: true if all its files, and all references to this one, are the tree's.
 */
bool ckpt_file_is_inside(struct ckpt_ctx *ctx, struct file *file, int extra)
{
	struct dentry *dentry = file_user_path(file)->dentry;
	unsigned long files = count_of(ctx, dentry);
	int try;

	/* Who looks at one in /proc has a reference to its name for a moment. */
	for (try = 0; files && try < CKPT_TRANSIENT_TRIES; try++) {
		if (d_count(dentry) <= files && ckpt_file_is_ours_now(ctx, file, extra))
			return true;
		usleep_range(200, 1000);
	}
	return false;
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
	struct pipe_refs *refs = (void *)ckpt_ptr_get(&ctx->pipe_refs, pipe);
	u32 i;

	if (!refs || refs->nr != pipe->files)
		return false;
	if (refs->inside)
		return ckpt_file_is_ours(ctx, file, 1);
	for (i = 0; i < refs->nr; i++)
		if (!ckpt_file_is_ours(ctx, refs->files[i], refs->files[i] == file))
			return false;
	refs->inside = true;
	return true;
}

static long count_mapped(struct file *file)
{
	struct address_space *mapping = file->f_mapping;
	struct vm_area_struct *vma;
	long nr = 0;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, 0, ULONG_MAX)
		nr += vma->vm_file == file;
	i_mmap_unlock_read(mapping);
	return nr;
}

static int is_file(const void *wanted, struct file *file, unsigned int fd)
{
	return file == wanted;
}

static bool holds(struct task_struct *task, struct file *file)
{
	bool ret;

	task_lock(task);
	ret = iterate_fd(task->files, 0, is_file, file);
	task_unlock(task);
	return ret;
}

/* Names a process outside of the tree that has the file open. */
static bool find_holder(struct ckpt_ctx *ctx, struct file *file, char *who, size_t size)
{
	struct task_struct *p, *thread;
	bool found = false;
	pid_t pid;

	rcu_read_lock();
	for_each_process_thread(p, thread) {
		if (found || xa_load(&ctx->task_index, thread->pid))
			continue;
		if (thread != p && READ_ONCE(thread->files) == READ_ONCE(p->files))
			continue;
		found = holds(thread, file);
		pid = found ? task_tgid_nr_ns(thread, ctx->pidns) : 0;
		if (pid)
			snprintf(who, size, "process %d (%s)", pid, p->comm);
	}
	rcu_read_unlock();
	return found;
}

/* After a while if need be; @who, if not NULL, gets who has the file. */
static bool used_by_others(struct ckpt_ctx *ctx, struct file *file, char *who, size_t size)
{
	/* The call has references to its own files. */
	long ours = count_of(ctx, file) + 1 + (file == ctx->log_file);
	int try;

	for (try = 0; try < CKPT_TRANSIENT_TRIES; try++) {
		if (file_count(file) <= ours || file_count(file) <= ours + count_mapped(file))
			return false;
		if (!try && who && find_holder(ctx, file, who, size))
			return true;
		usleep_range(200, 1000);
	}
	/* In flight through a socket, or in use by the kernel. */
	return true;
}

/**
 * ckpt_file_has_others - is an open file used outside of the tree, too?
 * @ctx: context of a save
 * @file: an open file, to which the caller has one reference
 *
 * Return: true if it is.
 */
bool ckpt_file_has_others(struct ckpt_ctx *ctx, struct file *file)
{
	return used_by_others(ctx, file, NULL, 0);
}

/**
 * ckpt_file_shared - is an open file used outside of the tree, too?
 * @ctx: context of a save
 * @file: an open file, to which the caller has one reference
 * @who: gets who has it
 * @size: of @who
 *
 * Mappings do not count: they have no position.
 *
 * Return: true if it is, and this was not told before.
 */
bool ckpt_file_shared(struct ckpt_ctx *ctx, struct file *file, char *who, size_t size)
{
	unsigned long ours = count_of(ctx, file);

	/* Once is enough. The call has its image. */
	if (ckpt_ptr_get(&ctx->file_refs, file) & TOLD ||
	    (ctx->file && file_inode(file) == file_inode(ctx->file)))
		return false;
	/* Of a file that was counted: there is a slot. */
	if (ours)
		ckpt_ptr_set(&ctx->file_refs, file, ours | TOLD);
	strscpy(who, "another process", size);
	return used_by_others(ctx, file, who, size);
}

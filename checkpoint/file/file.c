// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files: the table of kinds, and what all kinds have in common. A file
 * that no kind takes is an obstacle. Sharing, between descriptors and with
 * mappings, is kept by tags: one struct file is one record.
 */
#include <linux/err.h>
#include <linux/errseq.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <uapi/linux/pidfd.h>

#include "event.h"

/* In the order in which they are asked. */
static const struct ckpt_file_kind *const kinds[] = {
	&ckpt_shmem_kind,	/* shmem.c: shared memory without a name */
	&ckpt_sysv_shm_kind,	/* ipc/shm.c: System V shared memory */
	&ckpt_hugetlb_kind,	/* hugetlb.c: memory of huge pages without a name */
	&ckpt_unlinked_kind,	/* unlinked.c: files without a name */
	&ckpt_path_kind,	/* path.c: opened again by its name */
	&ckpt_pipe_kind,	/* pipe.c: pipes within the tree */
	&ckpt_fifo_kind,	/* pipe.c: pipes with a name, within the tree */
	&ckpt_socket_kind,	/* ../net/socket.c: sockets within the tree */
	&ckpt_eventfd_kind,	/* eventfd.c */
	&ckpt_timerfd_kind,	/* timerfd.c */
	&ckpt_signalfd_kind,	/* signalfd.c */
	&ckpt_pidfd_kind,	/* pidfd.c */
	&ckpt_epoll_kind,	/* epoll.c */
	&ckpt_inotify_kind,	/* inotify.c */
	&ckpt_io_uring_kind,	/* io_uring.c */
	&ckpt_pty_kind,		/* pty.c: pseudoterminals within the tree */
	&ckpt_terminal_kind,	/* terminal.c: /dev/tty */
	&ckpt_external_kind,	/* external.c: standard streams that lead outside */
	&ckpt_procfs_kind,	/* procfs.c: files of /proc and sysfs */
	&ckpt_nsfs_kind,	/* nsfs.c: namespaces */
	&ckpt_opath_kind,	/* opath.c: opened with O_PATH */
};

/* O_* flags and their counterparts in the image. */
static const struct {
	unsigned int open;
	u32 saved;
} flag_map[] = {
	{ O_APPEND, CKPT_FILEF_APPEND },
	{ O_NONBLOCK, CKPT_FILEF_NONBLOCK },
	{ O_DSYNC, CKPT_FILEF_DSYNC },
	{ __O_SYNC, CKPT_FILEF_SYNC },
	{ O_DIRECT, CKPT_FILEF_DIRECT },
	{ O_DIRECTORY, CKPT_FILEF_DIRECTORY },
	{ O_NOATIME, CKPT_FILEF_NOATIME },
	{ O_LARGEFILE, CKPT_FILEF_LARGEFILE },
	{ O_NOFOLLOW, CKPT_FILEF_NOFOLLOW },
	{ __FMODE_EXEC, CKPT_FILEF_EXEC },
	{ PIDFD_THREAD, CKPT_FILEF_THREAD },	/* no other file has it */
	{ __O_TMPFILE, CKPT_FILEF_TMPFILE },
};

static const struct ckpt_file_kind *kind_of(struct ckpt_task *t, struct file *file)
{
	int i;

	if (file->f_mode & FMODE_PATH)
		return ckpt_opath_kind.probe(t, file) ? &ckpt_opath_kind :
		       ckpt_procfs_kind.probe(t, file) ? &ckpt_procfs_kind : NULL;
	if (ckpt_is_accepted(t->ctx, file))
		return &ckpt_external_kind;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->probe(t, file))
			return kinds[i];
	return NULL;
}

static const struct ckpt_file_kind *find_kind(u32 kind)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->kind == kind)
			return kinds[i];
	return NULL;
}

static void refuse(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file)
{
	if (ckpt_socket_refuse(ctx, where, file))
		return;
	ckpt_obstacle_key(ctx, where, where->end ? CKPT_WHY_MAPPING : CKPT_WHY_FILE, file,
			  "a file that cannot be saved: %pD (%s)", file,
			  file_inode(file)->i_sb->s_type->name);
}

/**
 * ckpt_file_kind_nr - number of a file's kind
 * @t: task that holds it
 * @file: the file, to which the caller holds one reference
 *
 * Return: CKPT_FILE_*, 0: it is of no kind.
 */
u32 ckpt_file_kind_nr(struct ckpt_task *t, struct file *file)
{
	const struct ckpt_file_kind *kind = kind_of(t, file);

	return kind ? kind->kind : 0;
}

/**
 * ckpt_file_collect - look for what keeps an open file from being saved
 * @ctx: context
 * @where: what holds it: a descriptor or a mapping of a task
 * @file: the file
 */
void ckpt_file_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		       struct file *file)
{
	const struct ckpt_file_kind *kind = kind_of(where->t, file);

	if (!kind) {
		refuse(ctx, where, file);
		return;
	}
	ckpt_state_collect(ctx, where, file, kind);
	ckpt_locks_collect(ctx, where, file, kind);
	if (file->f_mode & FMODE_WRITE &&
	    errseq_check(&file->f_mapping->wb_err, READ_ONCE(file->f_wb_err)))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "an error of writing %pD back, which fsync(2) has yet to report",
			      file);
	if (kind->collect)
		kind->collect(ctx, where, file);
}

static u32 saved_flags(const struct file *file)
{
	u32 flags = (file->f_mode & FMODE_READ ? CKPT_FILEF_READ : 0) |
		    (file->f_mode & FMODE_WRITE ? CKPT_FILEF_WRITE : 0);
	int i;

	for (i = 0; i < ARRAY_SIZE(flag_map); i++)
		if (file->f_flags & flag_map[i].open)
			flags |= flag_map[i].saved;
	/* Part of O_TMPFILE; the file is none. */
	if (flags & CKPT_FILEF_TMPFILE)
		flags &= ~CKPT_FILEF_DIRECTORY;
	/* Overlayfs maps the file below with a flag that only its owner may set. */
	if (file->f_mode & FMODE_BACKING)
		flags &= ~CKPT_FILEF_NOATIME;
	return flags;
}

/**
 * ckpt_file_save - save an open file, unless it was already
 * @ctx: context
 * @t: task that holds it
 * @file: the file
 * @tag: its tag
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file, u32 *tag)
{
	struct ckpt_rec_file rec = { .flags = saved_flags(file) };
	const struct ckpt_file_kind *kind;
	char *name;
	int ret;

	*tag = ckpt_tag_of(ctx, file);
	if (*tag)
		return 0;
	kind = kind_of(t, file);
	if (!kind)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, -EBUSY,
				  "a file has appeared while the process was being saved");
	name = kmalloc(CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT);
	*tag = ckpt_new_tag(ctx, file);
	ret = name && *tag ? 0 : -ENOMEM;
	if (!ret) {
		rec.kind = kind->kind;
		name[0] = 0;
		ret = kind->save(ctx, t, file, &rec, name);
		rec.path_len = strlen(name);
	}
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_FILE, *tag, sizeof(rec), &rec,
					sizeof(rec), name, rec.path_len);
	kfree(name);
	if (!ret)
		ret = ckpt_state_save(ctx, file, *tag);
	return ret ?: ckpt_locks_save(ctx, file, *tag);
}

/* It only shows that. */
static void set_tmpfile(struct file *file, const struct ckpt_rec_file *saved)
{
	if (!(saved->flags & CKPT_FILEF_TMPFILE))
		return;
	spin_lock(&file->f_lock);
	file->f_flags |= O_TMPFILE;
	spin_unlock(&file->f_lock);
}

static char *name_of(struct ckpt_ctx *ctx, struct ckpt_task *t,
		     const struct ckpt_file_kind *kind, const struct ckpt_rec_file *saved,
		     const char *was)
{
	char *name;

	if (!kind->named)
		return kmemdup_nul(was, saved->path_len, GFP_KERNEL_ACCOUNT) ?: ERR_PTR(-ENOMEM);
	name = ckpt_name_now(ctx, was, saved->path_len, kind != &ckpt_opath_kind);
	if (name == ERR_PTR(-ENOENT) || name == ERR_PTR(-ENOTDIR))
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING, -ESTALE,
					  "%.*s is missing below the new root",
					  saved->path_len, was));
	if (IS_ERR(name))
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING, PTR_ERR(name),
			   "cannot relocate %.*s", saved->path_len, was);
	return name;
}

static int restore_now(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_file *saved = ckpt_rec_data(rec);
	const struct ckpt_file_kind *kind = find_kind(saved->kind);
	struct file *file;
	char *name;
	int ret;

	name = name_of(ctx, t, kind, saved, ckpt_rec_tail(rec));
	if (IS_ERR(name))
		return PTR_ERR(name);
	file = kind->restore(ctx, t, saved, name);
	ret = PTR_ERR_OR_ZERO(file);
	if (!ret) {
		if (kind != &ckpt_external_kind)
			set_tmpfile(file, saved);
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_file_ops, file);
		if (ret) {
			fput(file);
			ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
				   "the image has a file twice");
		}
	}
	kfree(name);
	return ret;
}

static int file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_file *saved = ckpt_rec_data(rec);
	int ret;

	if (find_kind(saved->kind)->late) {
		ret = xa_insert(&ctx->late_files, rec->tag, rec, GFP_KERNEL_ACCOUNT);
		if (!ret)
			return 0;
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret == -EBUSY ? -EBADMSG : ret,
			   "the image has a file twice");
	} else {
		ret = restore_now(ctx, t, rec);
	}
	ckpt_free_record(rec);
	return ret == -EBUSY ? -EBADMSG : ret;
}

/**
 * ckpt_files_late - restore files that take all tasks
 * @ctx: context of a restart; all tasks exist
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_files_late(struct ckpt_ctx *ctx)
{
	struct ckpt_rec *rec;
	unsigned long tag;
	int ret = 0;

	xa_for_each(&ctx->late_files, tag, rec) {
		ret = restore_now(ctx, ctx->tasks[0], rec);
		if (ret)
			break;
	}
	return ret;
}

static void file_put(void *obj)
{
	fput(obj);
}

const struct ckpt_obj_ops ckpt_file_ops = {
	.name = "open file",
	.rec = CKPT_REC_FILE,
	.restore = file_restore,
	.put = file_put,
	.common = true,
};

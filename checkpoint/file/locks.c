// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks and leases. Those of an open file (OFD, flock, lease) follow its FILE
 * record, POSIX locks the FDS record of the descriptor table that owns them. Who
 * waits for a lock is in a system call, which is called again.
 *
 * Restart takes them as the system calls would. One that somebody else has taken
 * meanwhile ends it. A lease that is being broken is an obstacle, and so are
 * locks on a file of the outside.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "../internal.h"

/* The locks to be saved of one file, in a first round only their number. */
struct found {
	struct ckpt_rec_lock *recs;
	u32 max;
	u32 nr;
};

static void add(struct found *found, const struct file_lock_core *c, u32 kind, loff_t start,
		loff_t end)
{
	if (found->nr < found->max)
		found->recs[found->nr] = (struct ckpt_rec_lock){
			.start = start,
			.end = end,
			.kind = kind,
			.write = c->flc_type == F_WRLCK,
			.tgid = c->flc_pid,
		};
	found->nr++;
}

static void find_posix(struct file_lock_context *flc, const struct file *file,
		       const void *owner, u32 kind, struct found *found)
{
	struct file_lock *fl;

	list_for_each_entry(fl, &flc->flc_posix, c.flc_list)
		if (fl->c.flc_file == file && fl->c.flc_owner == owner)
			add(found, &fl->c, kind, fl->fl_start, fl->fl_end);
}

/* Locks of an open file, or those that a table of descriptors has through it. */
static void find(struct file *file, const struct files_struct *files, struct found *found)
{
	struct file_lock_context *flc = locks_inode_context(file_inode(file));
	struct file_lock_core *c;
	struct file_lease *lease;

	found->nr = 0;
	if (!flc)
		return;
	spin_lock(&flc->flc_lock);
	if (files) {
		find_posix(flc, file, files, CKPT_LOCK_POSIX, found);
	} else {
		find_posix(flc, file, file, CKPT_LOCK_OFD, found);
		list_for_each_entry(c, &flc->flc_flock, flc_list)
			if (c->flc_file == file)
				add(found, c, CKPT_LOCK_FLOCK, 0, 0);
		list_for_each_entry(lease, &flc->flc_lease, c.flc_list)
			if (lease->c.flc_file == file) {
				add(found, &lease->c, CKPT_LOCK_LEASE, 0, 0);
				if (found->nr <= found->max && lease->fl_fasync)
					found->recs[found->nr - 1].fd = lease->fl_fasync->fa_fd;
			}
	}
	spin_unlock(&flc->flc_lock);
}

/* Those of one file, in @found->recs; released by the caller. */
static int gather(struct file *file, const struct files_struct *files, struct found *found)
{
	u32 nr;

	*found = (struct found){};
	find(file, files, found);
	nr = found->nr;
	if (!nr)
		return 0;
	found->recs = kvcalloc(nr, sizeof(*found->recs), GFP_KERNEL_ACCOUNT);
	if (!found->recs)
		return -ENOMEM;
	found->max = nr;
	find(file, files, found);
	return found->nr == nr ? 0 : -EBUSY;
}

static bool lease_is_breaking(struct file *file, bool *has)
{
	struct file_lock_context *flc = locks_inode_context(file_inode(file));
	struct file_lease *lease;
	bool breaking = false;

	*has = false;
	if (!flc)
		return false;
	spin_lock(&flc->flc_lock);
	list_for_each_entry(lease, &flc->flc_lease, c.flc_list) {
		if (lease->c.flc_file != file)
			continue;
		*has = true;
		if (lease->c.flc_flags & (FL_UNLOCK_PENDING | FL_DOWNGRADE_PENDING))
			breaking = true;
	}
	spin_unlock(&flc->flc_lock);
	return breaking;
}

/**
 * ckpt_has_lease - does an open file have a lease?
 * @file: the file
 *
 * Return: true if it does.
 */
bool ckpt_has_lease(struct file *file)
{
	bool has;

	lease_is_breaking(file, &has);
	return has;
}

/**
 * ckpt_locks_collect - look for locks that cannot be saved
 * @ctx: context
 * @where: what holds the file
 * @file: the file
 * @kind: its kind
 */
void ckpt_locks_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file, const struct ckpt_file_kind *kind)
{
	struct found own = {}, table = {};
	bool has;

	if (lease_is_breaking(file, &has))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_LOCK,
			      "a lease on %pD that is being broken", file);
	/* It could not be taken while the memory is being made. */
	if (has && (kind == &ckpt_shmem_kind || kind == &ckpt_hugetlb_kind))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_LOCK,
			      "a lease on memory without a name: %pD", file);
	find(file, NULL, &own);
	if (kind != &ckpt_external_kind) {
		/* They would keep it when the tree is killed, and share it with nobody later. */
		if (own.nr && !where->end && ckpt_file_has_others(ctx, file))
			ckpt_obstacle(ctx, where, CKPT_WHY_FILE_LOCK,
				      "a lock or lease on %pD, which others outside of the tree have open, too",
				      file);
		return;
	}
	find(file, where->t->task->files, &table);
	if (own.nr || table.nr)
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE_LOCK,
			      "a lock or lease on %pD, which is of the outside", file);
}

/* Processes by the number that the caller knows. */
static void translate(struct ckpt_ctx *ctx, struct ckpt_rec_lock *recs, u32 nr, u32 tag, u32 fd)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		rcu_read_lock();
		recs[i].tgid = pid_nr_ns(find_pid_ns(recs[i].tgid, &init_pid_ns), ctx->pidns);
		rcu_read_unlock();
		recs[i].file = tag;
		if (recs[i].kind == CKPT_LOCK_POSIX)
			recs[i].fd = fd;
	}
}

static int write_locks(struct ckpt_ctx *ctx, struct file *file, struct files_struct *files,
		       u32 tag, u32 fd)
{
	struct found found;
	int ret = gather(file, files, &found);

	if (!ret && found.nr) {
		translate(ctx, found.recs, found.nr, tag, fd);
		ret = ckpt_write_record(ctx, CKPT_REC_LOCKS, 0, sizeof(*found.recs), found.recs,
					found.nr * sizeof(*found.recs), NULL, 0);
	}
	kvfree(found.recs);
	return ret;
}

/**
 * ckpt_locks_save - save the locks that belong to an open file
 * @ctx: context
 * @file: the file, just saved
 * @tag: its tag
 *
 * Return: 0 or a negative errno.
 */
int ckpt_locks_save(struct ckpt_ctx *ctx, struct file *file, u32 tag)
{
	return write_locks(ctx, file, NULL, tag, 0);
}

/* A file that has several descriptors has its locks once. */
static int save_once(struct ckpt_ctx *ctx, struct file *file, struct files_struct *files,
		     u32 fd, struct xarray *seen)
{
	struct found found = {};
	int ret;

	find(file, files, &found);
	if (!found.nr)
		return 0;
	ret = xa_insert(seen, (unsigned long)file >> 3, xa_mk_value(1), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? 0 : ret;
	return write_locks(ctx, file, files, ckpt_tag_of(ctx, file), fd);
}

/**
 * ckpt_locks_save_table - save the POSIX locks that a descriptor table owns
 * @ctx: context
 * @t: a process that has the table
 * @files: the table, just saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_locks_save_table(struct ckpt_ctx *ctx, struct ckpt_task *t,
			  struct files_struct *files)
{
	struct xarray seen;
	struct file *file;
	unsigned int fd;
	int ret = 0;

	xa_init(&seen);
	for (fd = 0; !ret && (file = ckpt_fds_next(t->task, &fd)); fd++) {
		ret = save_once(ctx, file, files, fd, &seen);
		fput(file);
		cond_resched();
	}
	xa_destroy(&seen);
	return ret;
}

/* For /proc and F_GETLK; threads of a tree with new numbers may not be there yet. */
static pid_t owner_pid(struct ckpt_ctx *ctx, u32 tgid)
{
	struct ckpt_task *t = xa_load(&ctx->task_index, tgid);
	struct task_struct *task = t ? READ_ONCE(t->task) : NULL;

	return task ? task->tgid : current->tgid;
}

/* As fcntl(2) and flock(2) check it. */
static bool may_lock(const struct file *file, const struct ckpt_rec_lock *saved)
{
	if (saved->kind == CKPT_LOCK_FLOCK)
		return file->f_mode & (FMODE_READ | FMODE_WRITE);
	return file->f_mode & (saved->write ? FMODE_WRITE : FMODE_READ);
}

static int take(struct ckpt_ctx *ctx, struct file *file, const struct ckpt_rec_lock *saved)
{
	struct file_lock *fl = locks_alloc_lock();
	int ret;

	if (!fl)
		return -ENOMEM;
	fl->c.flc_file = file;
	fl->c.flc_owner = saved->kind == CKPT_LOCK_POSIX ? (void *)current->files : file;
	fl->c.flc_pid = owner_pid(ctx, saved->tgid);
	fl->c.flc_type = saved->write ? F_WRLCK : F_RDLCK;
	fl->fl_start = saved->start;
	fl->fl_end = saved->end;
	ret = security_file_lock(file, fl->c.flc_type);
	if (!ret && saved->kind == CKPT_LOCK_FLOCK) {
		fl->c.flc_flags = FL_FLOCK;
		fl->fl_end = OFFSET_MAX;
		ret = file->f_op->flock ? file->f_op->flock(file, F_SETLK, fl) :
					  locks_lock_file_wait(file, fl);
	} else if (!ret) {
		fl->c.flc_flags = FL_POSIX | (saved->kind == CKPT_LOCK_OFD ? FL_OFDLCK : 0);
		ret = vfs_lock_file(file, F_SETLK, fl, NULL);
	}
	locks_free_lock(fl);
	return ret;
}

/* A lock of a table goes when the descriptor does: it must be there. */
static bool has_descriptor(struct ckpt_task *t, const struct ckpt_rec_lock *saved)
{
	const struct ckpt_rec_fd *fds = t->fds ? ckpt_rec_data(t->fds) : NULL;
	u64 low = 0, mid, high = t->fds ? ckpt_rec_count(t->fds) : 0;

	/* They are in ascending order. */
	while (low < high) {
		mid = low + (high - low) / 2;
		if (fds[mid].fd == saved->fd)
			return fds[mid].file == saved->file;
		if (fds[mid].fd < saved->fd)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static int restore_lock(struct ckpt_ctx *ctx, struct ckpt_task *t,
			const struct ckpt_rec_lock *saved, struct file *file)
{
	if (file->f_mode & FMODE_PATH)
		return -EBADMSG;
	if (saved->kind == CKPT_LOCK_LEASE)
		return fcntl_setlease(saved->fd, file, saved->write ? F_WRLCK : F_RDLCK);
	if (!may_lock(file, saved))
		return -EBADMSG;
	if (saved->kind == CKPT_LOCK_POSIX && !has_descriptor(t, saved))
		return -EBADMSG;
	return take(ctx, file, saved);
}

static int report(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct ckpt_rec_lock *saved,
		  struct file *file, int err)
{
	const char *what = saved->kind == CKPT_LOCK_LEASE ? "lease" : "lock";

	if (err == -EAGAIN || err == -EACCES)
		err = -ESTALE;
	if (saved->kind == CKPT_LOCK_LEASE || saved->kind == CKPT_LOCK_FLOCK)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_LOCK, err,
				  "the %s on %pD cannot be taken: somebody else uses the file",
				  what, file);
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_LOCK, err,
			  "bytes %llu to %llu of %pD cannot be locked: somebody else has a lock",
			  saved->start, saved->end, file);
}

static int restore_or_report(struct ckpt_ctx *ctx, struct ckpt_task *t,
			     const struct ckpt_rec_lock *saved)
{
	struct file *file = ckpt_get_tag(ctx, saved->file, &ckpt_file_ops);
	int ret = file ? restore_lock(ctx, t, saved, file) : -EBADMSG;

	if (ret == -EBADMSG)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
				  "the image has a lock that its owner cannot have");
	return ret ? report(ctx, t, saved, file, ret) : 0;
}

/* Locks of a table, to be taken when its descriptors are there. */
struct ckpt_kept_locks {
	struct ckpt_kept_locks *next;
	struct ckpt_rec *rec;
};

static int keep(struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct ckpt_kept_locks *kept = kmalloc(sizeof(*kept), GFP_KERNEL_ACCOUNT);

	if (!kept)
		return -ENOMEM;
	kept->rec = rec;
	kept->next = t->locks;
	t->locks = kept;
	return 0;
}

static int locks_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_lock *saved = ckpt_rec_data(rec);
	u64 nr = ckpt_rec_count(rec);
	bool later = false;
	int ret = 0;

	for (; nr && !ret; nr--, saved++) {
		if (saved->kind == CKPT_LOCK_POSIX)
			later = true;
		else
			ret = restore_or_report(ctx, t, saved);
		cond_resched();
	}
	if (!ret && later) {
		ret = keep(t, rec);
		if (!ret)
			return 0;
	}
	ckpt_free_record(rec);
	return ret;
}

/**
 * ckpt_locks_apply - take the POSIX locks of a process
 * @ctx: context of a restart
 * @leader: current, whose descriptors are there: they go with these
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_locks_apply(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	const struct ckpt_rec_lock *saved;
	struct ckpt_kept_locks *kept;
	int ret = 0;
	u64 nr;

	for (kept = leader->locks; kept && !ret; kept = kept->next) {
		saved = ckpt_rec_data(kept->rec);
		for (nr = ckpt_rec_count(kept->rec); nr && !ret; nr--, saved++)
			if (saved->kind == CKPT_LOCK_POSIX)
				ret = restore_or_report(ctx, leader, saved);
		cond_resched();
	}
	return ret;
}

/**
 * ckpt_locks_forget - drop the locks that a process was to take
 * @t: leader of the process
 */
void ckpt_locks_forget(struct ckpt_task *t)
{
	struct ckpt_kept_locks *kept, *next;

	for (kept = t->locks; kept; kept = next) {
		next = kept->next;
		ckpt_free_record(kept->rec);
		kfree(kept);
	}
}

const struct ckpt_obj_ops ckpt_locks_ops = {
	.name = "locks",
	.rec = CKPT_REC_LOCKS,
	.restore = locks_restore,
};

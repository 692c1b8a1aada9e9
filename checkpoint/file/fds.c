// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptor table: numbers, close-on-exec, and which descriptors share a
 * file. Processes of the tree may share one. A thread with a table of its own,
 * and a table that others use, too, are obstacles.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "../internal.h"

static bool uses_files(struct task_struct *task, const void *files)
{
	return READ_ONCE(task->files) == files;
}

/* Of a table with room for a million only what is in use is looked at. */
static unsigned int next_used(struct task_struct *task, unsigned int fd)
{
	struct fdtable *fdt;

	task_lock(task);
	if (task->files) {
		fdt = files_fdtable(task->files);
		fd = find_next_bit(fdt->open_fds, fdt->max_fds, fd);
	}
	task_unlock(task);
	return fd;
}

/**
 * ckpt_fds_next - the next open descriptor of a task
 * @task: the task
 * @fd: number to begin with; becomes that of the descriptor
 *
 * Return: a reference to its file, or NULL: there is none from @fd on.
 */
struct file *ckpt_fds_next(struct task_struct *task, unsigned int *fd)
{
	struct file *file;

	rcu_read_lock();
	*fd = next_used(task, *fd);
	file = task_lookup_next_fdget_rcu(task, fd);
	rcu_read_unlock();
	return file;
}

/**
 * ckpt_fds_match - a file with a property that a process of the tree has open
 * @ctx: context of a save
 * @match: has a file the property?
 * @arg: for @match
 * @holder: gets the task that has it
 *
 * Return: a reference to the file, or NULL: there is none.
 */
struct file *ckpt_fds_match(struct ckpt_ctx *ctx,
			    bool (*match)(struct file *file, const void *arg), const void *arg,
			    struct ckpt_task **holder)
{
	struct file *found;
	struct ckpt_task *t;
	unsigned int n;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t)) {
		*holder = t->main;
		for (n = 0; t->main && (found = ckpt_fds_next(t->main->task, &n)); n++) {
			if (match(found, arg))
				return found;
			fput(found);
			cond_resched();
		}
	}
	return NULL;
}

static bool is_same(struct file *file, const void *arg)
{
	return file == arg;
}

/**
 * ckpt_fds_find - a descriptor of the tree that refers to a file
 * @ctx: context of a save
 * @file: address of the file, which may be gone
 * @fd: number that it probably has
 * @holder: gets the task that has it
 *
 * Return: a reference to the file, or NULL: no process has it open.
 */
struct file *ckpt_fds_find(struct ckpt_ctx *ctx, const struct file *file, int fd,
			   struct ckpt_task **holder)
{
	struct ckpt_task *t;
	struct file *found;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t)) {
		found = t->main ? fget_task(t->main->task, fd) : NULL;
		*holder = t->main;
		if (found && found == file)
			return found;
		if (found)
			fput(found);
	}
	if (!ckpt_file_is_known(ctx, file))
		return NULL;
	return ckpt_fds_match(ctx, is_same, file, holder) ?:
	       ckpt_inflight_find(ctx, file, holder);
}

static void collect_sharing(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct files_struct *files;
	int users;
	u32 i;

	/* A stopped task that is killed may leave its table at any time. */
	task_lock(t->task);
	files = t->task->files;
	users = files ? atomic_read(&files->count) : 0;
	task_unlock(t->task);
	for (i = t->index; i < t->leader->index + t->leader->nr_threads; i++)
		if (ctx->tasks[i]->task->files != files)
			ckpt_obstacle(ctx, CKPT_AT(ctx->tasks[i]), CKPT_WHY_FILE_SHARED,
				      "a thread has a descriptor table of its own");
	if (users > t->leader->nr_threads && ckpt_used_outside(ctx, uses_files, files))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_FILE_SHARED,
			      "another process shares the descriptor table");
}

static int fds_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	unsigned int fd;
	struct file *file;

	collect_sharing(ctx, t);
	for (fd = 0; (file = ckpt_fds_next(t->task, &fd)); fd++) {
		ckpt_file_collect(ctx, CKPT_AT_FD(t, fd), file);
		fput(file);
		if (fatal_signal_pending(current) || READ_ONCE(ctx->killed))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static bool is_cloexec(struct task_struct *task, unsigned int fd)
{
	struct files_struct *files;
	bool ret = false;

	task_lock(task);
	files = task->files;
	if (files) {
		spin_lock(&files->file_lock);
		ret = close_on_exec(fd, files);
		spin_unlock(&files->file_lock);
	}
	task_unlock(task);
	return ret;
}

static int grow(struct ckpt_rec_fd **recs, u32 nr, u32 *cap)
{
	u32 bigger = max(64U, *cap * 2);
	struct ckpt_rec_fd *new;

	new = kvcalloc(bigger, sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	if (nr)
		memcpy(new, *recs, nr * sizeof(*new));
	kvfree(*recs);
	*recs = new;
	*cap = bigger;
	return 0;
}

static int fds_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct files_struct *files = READ_ONCE(t->task->files);
	struct ckpt_rec_fd *recs = NULL;
	u32 nr = 0, cap = 0, tag, own = ckpt_tag_of(ctx, files);
	unsigned int fd;
	struct file *file;
	int ret = 0;

	if (own)
		return ckpt_write_use(ctx, CKPT_REC_FDS, own);
	own = ckpt_new_tag(ctx, files);
	if (!own)
		return -ENOMEM;
	for (fd = 0; !ret && (file = ckpt_fds_next(t->task, &fd)); fd++) {
		if (nr == cap)
			ret = grow(&recs, nr, &cap);
		if (!ret)
			ret = ckpt_file_save(ctx, t, file, &tag);
		fput(file);
		if (ret)
			break;
		recs[nr++] = (struct ckpt_rec_fd){
			.fd = fd,
			.file = tag,
			.flags = is_cloexec(t->task, fd) ? CKPT_FD_CLOEXEC : 0,
		};
		cond_resched();
	}
	if (!ret)
		ret = ckpt_registered_save(ctx, t) ?: ckpt_sockets_save(ctx, t);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_FDS, own, sizeof(*recs), recs,
					nr * sizeof(*recs), NULL, 0);
	kvfree(recs);
	return ret ?: ckpt_locks_save_table(ctx, t, files);
}

/* Who may raise the limit could have had any descriptor; process.c sets the saved one. */
static void raise_limit(u32 fd)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_NOFILE];

	if (fd < limit->rlim_cur || !capable(CAP_SYS_RESOURCE))
		return;
	task_lock(current->group_leader);
	limit->rlim_cur = max_t(u64, limit->rlim_cur, READ_ONCE(sysctl_nr_open));
	task_unlock(current->group_leader);
}

/*
 * Makes the table as large as it has to be. Each step of its growth would wait
 * for a grace period once threads, or a tag, have it, too. The descriptor is
 * replaced when all files are there.
 */
static int reserve(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_fd *saved = ckpt_rec_data(rec);
	u64 nr = ckpt_rec_count(rec);
	u32 highest = nr ? saved[nr - 1].fd : 0;
	int ret;

	if (highest < NR_OPEN_DEFAULT)
		return 0;
	raise_limit(highest);
	ret = replace_fd(highest, ctx->file, 0);
	if (ret >= 0)
		return 0;
	/* As for any other limit that the caller may not raise. */
	return ckpt_error(ctx, CKPT_AT_FD(t, highest), CKPT_WHY_LIMIT,
			  ret == -EBADF ? -EPERM : ret,
			  "this descriptor is above the caller's limit");
}

static int fds_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	int ret;

	if (t->seen_fds) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a second descriptor table of a process");
	}
	t->seen_fds = 1;
	t->fds = rec;
	ret = reserve(ctx, t, rec);
	if (!ret)
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_fds_ops, current->files);
	if (!ret)
		atomic_inc(&current->files->count);
	return ret;
}

/**
 * ckpt_fds_apply - open the descriptors of a process
 * @ctx: context of a restart; all files are there
 * @leader: current
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_fds_apply(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	const struct ckpt_rec_fd *saved;
	struct file *file;
	int ret = 0;
	u64 i, nr;

	/* It shares the table of another process, or is dead. */
	if (!leader->fds)
		return 0;
	saved = ckpt_rec_data(leader->fds);
	nr = ckpt_rec_count(leader->fds);
	for (i = 0; i < nr && ret >= 0; i++, saved++) {
		file = ckpt_get_tag(ctx, saved->file, &ckpt_file_ops);
		if (!file) {
			ret = ckpt_error(ctx, CKPT_AT_FD(leader, saved->fd), CKPT_WHY_IMAGE,
					 -EBADMSG, "the image has a descriptor without a file");
			break;
		}
		ret = replace_fd(saved->fd, file,
				 saved->flags & CKPT_FD_CLOEXEC ? O_CLOEXEC : 0);
		if (ret < 0)
			ckpt_error(ctx, CKPT_AT_FD(leader, saved->fd), CKPT_WHY_LIMIT, ret,
				   "this descriptor cannot be opened");
		cond_resched();
	}
	return ret < 0 ? ret : ckpt_locks_apply(ctx, leader);
}

static int fds_share(struct ckpt_ctx *ctx, struct ckpt_task *t, void *obj)
{
	struct files_struct *files = obj, *old = current->files;

	if (t->seen_fds)
		return -EBADMSG;
	atomic_inc(&files->count);
	task_lock(current);
	current->files = files;
	task_unlock(current);
	put_files_struct(old);
	t->seen_fds = 1;
	return 0;
}

static void fds_put(void *obj)
{
	put_files_struct(obj);
}

const struct ckpt_obj_ops ckpt_fds_ops = {
	.name = "descriptor table",
	.rec = CKPT_REC_FDS,
	.collect = fds_collect,
	.save = fds_save,
	.restore = fds_restore,
	.share = fds_share,
	.put = fds_put,
	.common = true,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event descriptors: what they have in common, and the EVENT record, which has
 * the state of an eventfd, timerfd, signalfd or pidfd. They are made with the
 * ordinary system calls, whose limits and permissions apply, and then given
 * their state. A descriptor that others hold, too, is an obstacle.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "event.h"

/**
 * ckpt_event_settle - wait a moment for what is about to be let go
 * @ctx: context of a save
 *
 * What RCU frees may take long to come. Not every object can wait as long, or a tree
 * with many that are in use for good would keep the caller, and all the others.
 *
 * Context: process context; may be called with mmap_lock held.
 */
void ckpt_event_settle(struct ckpt_ctx *ctx)
{
	if (ctx->nr_settled < CKPT_TRANSIENT_TRIES) {
		ctx->nr_settled++;
		rcu_barrier();
	}
	usleep_range(200, 1000);
}

/**
 * ckpt_event_collect - what keeps any event descriptor from being saved
 * @ctx: context of a save
 * @where: what holds it
 * @file: the file, to which the caller holds one reference
 */
void ckpt_event_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file)
{
	/* Such a mapping cannot be: this reference is that of a descriptor. */
	if (!ckpt_file_is_ours(ctx, file, 1))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE, file,
				  "others outside of the tree hold %pD, too", file);
	if (file->f_flags & (O_DIRECT | O_NOATIME | O_DSYNC | __O_SYNC))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "unusual flags (%#o) of %pD",
			      file->f_flags, file);
}

/**
 * ckpt_event_save - write an EVENT record, unless that was done
 * @ctx: context of a save
 * @obj: what its tag stands for
 * @state: the record
 * @rec: the file's record; gets the tag
 * @name: the file's name, filled
 *
 * Return: 0 or a negative errno.
 */
int ckpt_event_save(struct ckpt_ctx *ctx, void *obj, const struct ckpt_rec_event *state,
		    struct ckpt_rec_file *rec, char *name)
{
	static const char *const names[] = {
		[CKPT_FILE_EVENTFD] = "eventfd", [CKPT_FILE_TIMERFD] = "timerfd",
		[CKPT_FILE_SIGNALFD] = "signalfd", [CKPT_FILE_PIDFD] = "pidfd",
	};

	strscpy(name, names[state->kind], CKPT_PATH_MAX);
	rec->object = ckpt_tag_of(ctx, obj);
	if (rec->object)
		return 0;
	rec->object = ckpt_new_tag(ctx, obj);
	if (!rec->object)
		return -ENOMEM;
	return ckpt_write_record(ctx, CKPT_REC_EVENT, rec->object, sizeof(*state), state,
				 sizeof(*state), NULL, 0);
}

/**
 * ckpt_event_take - take the file of a fresh descriptor away from current's table
 * @fd: descriptor, or a negative errno
 *
 * Return: the file, or an ERR_PTR().
 */
struct file *ckpt_event_take(long fd)
{
	struct file *file = fd < 0 ? ERR_PTR(fd) : file_close_fd(fd);

	return file ?: ERR_PTR(-EBADF);
}

/**
 * ckpt_event_open - call the kernel for a new descriptor, and take its file
 * @nr: number of the system call
 * @arg0: first argument
 * @arg1: second argument
 *
 * Return: the file, or an ERR_PTR().
 */
struct file *ckpt_event_open(long nr, u64 arg0, u64 arg1)
{
	u64 args[6] = { arg0, arg1 };

	return ckpt_event_take(ckpt_arch_call(nr, args));
}

/**
 * ckpt_event_file - the file for a FILE record
 * @file: the file
 * @rec: gives it flags
 *
 * Return: a new reference to it.
 */
struct file *ckpt_event_file(struct file *file, const struct ckpt_rec_file *rec)
{
	spin_lock(&file->f_lock);
	if (rec->flags & CKPT_FILEF_NONBLOCK)
		file->f_flags |= O_NONBLOCK;
	if (rec->flags & CKPT_FILEF_APPEND)
		file->f_flags |= O_APPEND;
	spin_unlock(&file->f_lock);
	return get_file(file);
}

/**
 * ckpt_event_missing - report a FILE record whose object is missing
 * @ctx: context of a restart
 * @t: task
 *
 * Return: an ERR_PTR().
 */
struct file *ckpt_event_missing(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an event descriptor without its state"));
}

/**
 * ckpt_event_of - the EVENT record that a FILE record names
 * @ctx: context of a restart
 * @rec: the FILE record
 *
 * Return: what was restored from it; NULL: there is none of that kind.
 */
struct ckpt_event *ckpt_event_of(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec)
{
	struct ckpt_event *event = ckpt_get_tag(ctx, rec->object, &ckpt_event_ops);
	const struct ckpt_rec_event *state;

	if (!event)
		return NULL;
	state = ckpt_rec_data(event->rec);
	return state->kind == rec->kind ? event : NULL;
}

/**
 * ckpt_event_restore - restore method of eventfd, timerfd and signalfd
 * @ctx: context of a restart
 * @t: task
 * @rec: FILE record
 * @name: its name
 *
 * Return: a new reference to the file, or an ERR_PTR(), reported.
 */
struct file *ckpt_event_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				const struct ckpt_rec_file *rec, const char *name)
{
	struct ckpt_event *event = ckpt_event_of(ctx, rec);

	return event ? ckpt_event_file(event->file, rec) : ckpt_event_missing(ctx, t);
}

/**
 * ckpt_event_put - put method of EVENT, EPOLL and INOTIFY records
 * @obj: struct ckpt_event; freed
 */
void ckpt_event_put(void *obj)
{
	struct ckpt_event *event = obj;

	if (!IS_ERR_OR_NULL(event->file))
		fput(event->file);
	put_pid(event->pid);
	ckpt_free_record(event->rec);
	ckpt_free_record(event->more);
	ckpt_free_record(event->buffers);
	kfree(event);
}

/**
 * ckpt_event_keep - keep a fresh file for the FILE records that will name it
 * @ctx: context of a restart
 * @t: task
 * @rec: its record; taken over
 * @file: the file, NULL or an ERR_PTR(); taken over
 * @ops: handler of @rec
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_event_keep(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec,
		    struct file *file, const struct ckpt_obj_ops *ops)
{
	struct ckpt_event *event = kzalloc(sizeof(*event), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (event) {
		event->rec = rec;
		event->file = file;
		ret = PTR_ERR_OR_ZERO(file) ?: ckpt_put_tag(ctx, rec->tag, ops, event);
		if (ret)
			ckpt_event_put(event);
	} else {
		if (!IS_ERR_OR_NULL(file))
			fput(file);
		ckpt_free_record(rec);
	}
	if (ret)
		ckpt_error(ctx, CKPT_AT(t),
			   ret == -EPERM ? CKPT_WHY_PERMISSION : CKPT_WHY_LIMIT, ret,
			   "cannot make an %s", ops->name);
	return ret;
}

static struct file *create(const struct ckpt_rec_event *state)
{
	switch (state->kind) {
	case CKPT_FILE_EVENTFD:
		return ckpt_eventfd_create(state);
	case CKPT_FILE_TIMERFD:
		return ckpt_timerfd_create(state);
	case CKPT_FILE_SIGNALFD:
		return ckpt_signalfd_create(state);
	}
	/* A pidfd is made when its process is there. */
	return NULL;
}

static int event_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	return ckpt_event_keep(ctx, t, rec, create(ckpt_rec_data(rec)), &ckpt_event_ops);
}

const struct ckpt_obj_ops ckpt_event_ops = {
	.name = "event descriptor",
	.rec = CKPT_REC_EVENT,
	.restore = event_restore,
	.put = ckpt_event_put,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll(7): what an instance watches, under which numbers, and what it would
 * report next. A file is watched as long as anyone has it open, even when the
 * number by which it was added is closed, or in use for another file.
 *
 * An instance is filled when all files of the tree exist, by the caller of
 * restart(), except for signalfds: these wait for signals of the process that
 * adds them. So that such a process does it itself.
 *
 * Adding a file finds it ready if there is something to report. Level-triggered
 * items are looked at again before they are reported, but edge-triggered ones
 * that were reported already are made to wait for the next edge; not those of
 * files that belong to the outside, where an edge may have come meanwhile. That
 * is done again when dead processes and pending signals are in place.
 *
 * A file that nobody in the tree has open any more, and a signalfd that waits
 * for signals of another process, are obstacles.
 */
#include <linux/checkpoint_state.h>
#include <linux/err.h>
#include <linux/eventpoll.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <asm/unistd.h>

#include "event.h"

static bool epoll_probe(struct ckpt_task *t, struct file *file)
{
	return checkpoint_is_epoll(file);
}

/* All items, to be freed with kvfree(), or an ERR_PTR(). */
static struct checkpoint_epoll_item *list_items(struct file *file, int *nr)
{
	struct checkpoint_epoll_item *items;
	int room = checkpoint_epoll_show(file, NULL, 0);

	if (room < 0)
		return ERR_PTR(-EBUSY);
	if (room > CKPT_MAX_EPOLL)
		return ERR_PTR(-E2BIG);
	items = kvcalloc(room + 1, sizeof(*items), GFP_KERNEL_ACCOUNT);
	if (!items)
		return ERR_PTR(-ENOMEM);
	*nr = checkpoint_epoll_show(file, items, room);
	if (*nr <= room)
		return items;
	kvfree(items);
	return ERR_PTR(-EBUSY);
}

static bool is_signalfd(struct file *file)
{
	sigset_t mask;

	return checkpoint_signalfd_show(file, &mask);
}

/* The process of the tree whose signals are waited for, or NULL. */
static struct ckpt_task *signal_owner(struct ckpt_ctx *ctx, const wait_queue_head_t *queue)
{
	struct sighand_struct *sighand;
	struct ckpt_task *t;
	unsigned long flags;
	bool found;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t)) {
		sighand = t->main ? lock_task_sighand(t->main->task, &flags) : NULL;
		if (!sighand)
			continue;
		found = &sighand->signalfd_wqh == queue;
		unlock_task_sighand(t->main->task, &flags);
		if (found)
			return t;
	}
	return NULL;
}

static void collect_item(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			 const struct checkpoint_epoll_item *item)
{
	struct ckpt_task *t;
	struct file *file = ckpt_fds_find(ctx, item->file, item->fd, &t);

	if (!file) {
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "an epoll instance that watches what was descriptor %d, and is not open in the tree",
			      item->fd);
		return;
	}
	if (is_signalfd(file) && !signal_owner(ctx, item->queue))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "an epoll instance that waits for signals of a process that is not of the tree (descriptor %d)",
			      item->fd);
	fput(file);
}

static void epoll_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *file)
{
	struct checkpoint_epoll_item *items;
	int i, nr;

	ckpt_event_collect(ctx, where, file);
	if (checkpoint_epoll_busy_polls(file))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "an epoll instance with busy polling");
	items = list_items(file, &nr);
	/* Then saving it fails, too. */
	if (IS_ERR(items))
		return;
	for (i = 0; i < nr; i++) {
		collect_item(ctx, where, &items[i]);
		cond_resched();
	}
	kvfree(items);
}

/* Edges of these come only from the tree. */
static bool is_quiet(u32 kind, struct file *file)
{
	switch (kind) {
	case CKPT_FILE_PIPE:
	case CKPT_FILE_EVENTFD:
	case CKPT_FILE_TIMERFD:
	case CKPT_FILE_SIGNALFD:
	case CKPT_FILE_PIDFD:
	case CKPT_FILE_INOTIFY:
	case CKPT_FILE_IO_URING:
		return true;
	case CKPT_FILE_SOCKET:
		return ckpt_socket_is_quiet(file);
	}
	return false;
}

static int save_item(struct ckpt_ctx *ctx, const struct checkpoint_epoll_item *item,
		     struct ckpt_rec_epoll_item *rec)
{
	struct ckpt_task *t, *owner;
	struct file *file = ckpt_fds_find(ctx, item->file, item->fd, &t);
	int ret;

	if (!file)
		return -EBUSY;
	rec->fd = item->fd;
	rec->events = item->events;
	rec->data = item->data;
	if (item->ready)
		rec->flags = CKPT_EPOLL_READY;
	else if (item->events & (__force u32)EPOLLET && is_quiet(ckpt_file_kind_nr(t, file), file))
		rec->flags = CKPT_EPOLL_REPORTED;
	owner = is_signalfd(file) ? signal_owner(ctx, item->queue) : NULL;
	if (owner)
		rec->process = task_tgid_nr_ns(owner->task, ctx->pidns);
	ret = ckpt_file_save(ctx, t, file, &rec->file);
	fput(file);
	return ret;
}

static int save_items(struct ckpt_ctx *ctx, struct file *file, u32 *tag)
{
	struct checkpoint_epoll_item *items;
	struct ckpt_rec_epoll_item *recs;
	int i, nr, ret = 0;

	*tag = ckpt_tag_of(ctx, file->private_data);
	if (*tag)
		return 0;
	items = list_items(file, &nr);
	if (IS_ERR(items))
		return PTR_ERR(items);
	recs = kvcalloc(nr + 1, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	*tag = ckpt_new_tag(ctx, file->private_data);
	if (!recs || !*tag)
		ret = -ENOMEM;
	for (i = 0; i < nr && !ret; i++) {
		ret = save_item(ctx, &items[i], &recs[i]);
		cond_resched();
	}
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_EPOLL, *tag, sizeof(*recs), recs,
					nr * sizeof(*recs), NULL, 0);
	kvfree(recs);
	kvfree(items);
	return ret;
}

static int epoll_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		      struct ckpt_rec_file *rec, char *name)
{
	strscpy(name, "epoll", CKPT_PATH_MAX);
	return save_items(ctx, file, &rec->object);
}

static int epoll_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct file *file = ckpt_event_open(__NR_epoll_create1, 0, 0);

	return ckpt_event_keep(ctx, t, rec, file, &ckpt_epoll_ops);
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct ckpt_event *r = ckpt_get_tag(ctx, rec->object, &ckpt_epoll_ops);

	return r ? ckpt_event_file(r->file, rec) : ckpt_event_missing(ctx, t);
}

static int add_item(struct ckpt_ctx *ctx, struct ckpt_event *r,
		    const struct ckpt_rec_epoll_item *item)
{
	struct epoll_event event = {
		.events = (__force __poll_t)item->events,
		.data = item->data,
	};
	struct file *target = ckpt_get_tag(ctx, item->file, &ckpt_file_ops);
	int ret = target ? checkpoint_epoll_add(r->file, target, item->fd, &event) : -EBADMSG;

	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL),
			   ret == -EPERM ? CKPT_WHY_PERMISSION :
			   ret == -ENOSPC || ret == -ENOMEM ? CKPT_WHY_LIMIT : CKPT_WHY_IMAGE, ret,
			   "descriptor %u cannot be added to an epoll instance", item->fd);
	return ret;
}

static int add_items(struct ckpt_ctx *ctx, struct ckpt_event *r, u32 process)
{
	const struct ckpt_rec_epoll_item *item = ckpt_rec_data(r->rec);
	u64 count = ckpt_rec_count(r->rec);
	int ret = 0;

	for (; count && !ret; count--, item++) {
		if (item->process == process)
			ret = add_item(ctx, r, item);
		cond_resched();
	}
	return ret;
}

/* What counts as ready, in its order; @last: events from outside may have come. */
static void settle(struct ckpt_ctx *ctx, struct ckpt_event *r, bool last)
{
	const struct ckpt_rec_epoll_item *item = ckpt_rec_data(r->rec);
	u64 count = ckpt_rec_count(r->rec);
	struct file *target;

	for (; count; count--, item++) {
		target = ckpt_get_tag(ctx, item->file, &ckpt_file_ops);
		if (!item->flags || (last && !(item->flags & CKPT_EPOLL_READY) &&
				     checkpoint_is_inotify(target)))
			continue;
		checkpoint_epoll_set_ready(r->file, target, item->fd,
					   item->flags & CKPT_EPOLL_READY);
		cond_resched();
	}
}

static int assemble(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_event *r = obj;
	const struct ckpt_rec_epoll_item *item = ckpt_rec_data(r->rec);
	u64 count = ckpt_rec_count(r->rec);
	struct ckpt_task *t;

	for (; count; count--, item++) {
		t = item->process ? xa_load(&ctx->task_index, item->process) : NULL;
		if (item->process && (!t || t != t->leader || !t->main))
			return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has an epoll instance of an unknown process");
		ctx->epolls_join |= item->process != 0;
		if (!ckpt_get_tag(ctx, item->file, &ckpt_file_ops))
			return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has an epoll instance without a file of it");
	}
	return add_items(ctx, r, 0);
}

static int first_settle(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	settle(ctx, obj, false);
	return 0;
}

/**
 * ckpt_epolls_assemble - fill all instances
 * @ctx: context of a restart; all files exist
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_epolls_assemble(struct ckpt_ctx *ctx)
{
	return ckpt_each_tag(ctx, &ckpt_epoll_ops, assemble, NULL) ?:
	       ckpt_each_tag(ctx, &ckpt_epoll_ops, first_settle, NULL);
}

static int join(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_task *leader = arg;

	return add_items(ctx, obj, leader->rec->tid);
}

/**
 * ckpt_epolls_join - add what waits for signals of current
 * @ctx: context of a restart; all instances are filled otherwise
 * @leader: current
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_epolls_join(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	/* Most trees have none, and many processes would look for them. */
	return ctx->epolls_join ? ckpt_each_tag(ctx, &ckpt_epoll_ops, join, leader) : 0;
}

static int last_settle(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	settle(ctx, obj, true);
	return 0;
}

/**
 * ckpt_epolls_commit - what is ready in all instances
 * @ctx: context of a restart; what was pending is, no timer runs yet
 */
void ckpt_epolls_commit(struct ckpt_ctx *ctx)
{
	ckpt_each_tag(ctx, &ckpt_epoll_ops, last_settle, NULL);
}

const struct ckpt_file_kind ckpt_epoll_kind = {
	.name = "epoll",
	.kind = CKPT_FILE_EPOLL,
	.probe = epoll_probe,
	.collect = epoll_collect,
	.save = epoll_save,
	.restore = file_restore,
};

const struct ckpt_obj_ops ckpt_epoll_ops = {
	.name = "epoll instance",
	.rec = CKPT_REC_EPOLL,
	.restore = epoll_restore,
	.put = ckpt_event_put,
};

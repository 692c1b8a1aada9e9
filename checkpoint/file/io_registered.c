// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is registered with instances of io_uring(7): an eventfd, and files, which may
 * be open nowhere else. They count as references of the tree (refs.c), and are looked
 * at for obstacles. A registered file may lead back to the instance, as an epoll
 * instance does that watches it, so their record comes behind all files of a process.
 */
#include <linux/checkpoint_state.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/slab.h>

#include "event.h"

static int next_slot(struct file *ring, u32 index, struct checkpoint_io_uring_slot *slot)
{
	return ckpt_while_busy(checkpoint_io_uring_slot(ring, index, slot));
}

static int show_table(struct file *ring, struct checkpoint_io_uring_files *table)
{
	return ckpt_while_busy(checkpoint_io_uring_files(ring, table));
}

/* A signal that was put off comes when no processor is in an RCU section any more. */
static int look(struct ckpt_ctx *ctx, struct file *ring,
		struct checkpoint_io_uring_eventfd *state)
{
	int try, ret = -EBUSY;

	for (try = 0; try < CKPT_TRANSIENT_TRIES; try++) {
		ret = checkpoint_io_uring_eventfd(ring, state);
		if (!ret && !state->pending)
			return 0;
		ckpt_event_settle(ctx);
	}
	return -EBUSY;
}

/**
 * ckpt_registered_count - count what an instance refers to
 * @ctx: context of a save
 * @ring: any open file that is counted for the first time
 *
 * What is in use just now is not counted, and is told of later.
 *
 * Context: may be called with mmap_lock held.
 * Return: 0 or -ENOMEM.
 */
int ckpt_registered_count(struct ckpt_ctx *ctx, struct file *ring)
{
	struct checkpoint_io_uring_eventfd eventfd;
	struct checkpoint_io_uring_slot slot;
	u32 index = 0;
	int ret = 0;

	if (!io_is_uring_fops(ring))
		return 0;
	if (!look(ctx, ring, &eventfd) && eventfd.ctx)
		ret = ckpt_refs_note(ctx, eventfd.ctx);
	/* Instances cannot be registered: this goes no deeper. */
	while (!ret && next_slot(ring, index, &slot) > 0) {
		ret = ckpt_refs_add(ctx, slot.file);
		fput(slot.file);
		index = slot.index + 1;
		cond_resched();
	}
	return ret;
}

static bool is_eventfd_of(struct file *file, const void *eventfd)
{
	struct checkpoint_eventfd state;

	return file->private_data == eventfd && checkpoint_eventfd_show(file, &state);
}

static void collect_eventfd(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			    struct file *ring)
{
	struct checkpoint_io_uring_eventfd state;
	struct ckpt_task *holder;
	struct file *file;

	if (look(ctx, ring, &state)) {
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance whose eventfd is being signalled");
		return;
	}
	if (!state.ctx)
		return;
	file = ckpt_fds_match(ctx, is_eventfd_of, state.ctx, &holder);
	if (file)
		fput(file);
	else
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance with a registered eventfd that no process of the tree has open");
}

/**
 * ckpt_registered_collect - look for obstacles of what is registered with an instance
 * @ctx: context of a save
 * @where: what holds the instance
 * @ring: the instance
 *
 * Context: may be called with mmap_lock held.
 */
void ckpt_registered_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			     struct file *ring)
{
	struct checkpoint_io_uring_slot slot;
	u32 index = 0;
	int ret;

	collect_eventfd(ctx, where, ring);
	/* The callee expects one reference of ours, and none to other files. */
	while ((ret = next_slot(ring, index, &slot)) > 0) {
		ckpt_file_collect(ctx, CKPT_AT(where->t), slot.file);
		fput(slot.file);
		index = slot.index + 1;
		cond_resched();
	}
	if (ret)
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance whose files are in use");
	ckpt_buffers_collect(ctx, where, ring);
}

/**
 * ckpt_registered_note - something is registered with an instance that was saved
 * @ctx: context of a save
 * @ring: the instance
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_registered_note(struct ckpt_ctx *ctx, struct file *ring)
{
	int ret = xa_err(xa_store(&ctx->rings, ctx->nr_rings, ring, GFP_KERNEL_ACCOUNT));

	if (ret)
		return ret;
	get_file(ring);
	ctx->nr_rings++;
	return 0;
}

static int save_eventfd(struct ckpt_ctx *ctx, struct file *ring,
			struct ckpt_rec_io_registered *rec)
{
	struct checkpoint_io_uring_eventfd state;
	struct ckpt_task *holder;
	int ret = look(ctx, ring, &state);
	struct file *file;

	if (ret || !state.ctx)
		return ret;
	file = ckpt_fds_match(ctx, is_eventfd_of, state.ctx, &holder);
	if (!file)
		return -EBUSY;
	rec->flags = CKPT_IO_EVENTFD | (state.async ? CKPT_IO_EVENTFD_ASYNC : 0);
	rec->last_tail = state.last_tail;
	ret = ckpt_file_save(ctx, holder, file, &rec->eventfd);
	fput(file);
	return ret;
}

/* All slots in use: @nr of them. */
static int save_slots(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *ring,
		      struct ckpt_rec_io_slot *recs, u32 nr)
{
	struct checkpoint_io_uring_slot slot;
	u32 index = 0, i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++, index++) {
		if (next_slot(ring, index, &slot) <= 0)
			return -EBUSY;
		index = slot.index;
		recs[i].index = index;
		recs[i].flags = slot.nowait ? CKPT_IO_SLOT_NOWAIT : 0;
		recs[i].tag = slot.tag;
		ret = ckpt_file_save(ctx, t, slot.file, &recs[i].file);
		fput(slot.file);
		cond_resched();
	}
	return ret;
}

static int save_files(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *ring,
		      struct ckpt_rec_io_registered *rec)
{
	struct checkpoint_io_uring_files table;
	struct ckpt_rec_io_slot *recs;
	int ret, nr = show_table(ring, &table);

	if (nr < 0)
		return nr;
	if (!table.nr && !rec->eventfd)
		return 0;
	rec->nr_files = table.nr;
	rec->alloc_start = table.alloc_start;
	rec->alloc_end = table.alloc_end;
	rec->alloc_hint = table.alloc_hint;
	rec->nr_slots = nr;
	recs = kvcalloc(nr + 1, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	ret = save_slots(ctx, t, ring, recs, nr);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_IO_REGISTERED, 0, sizeof(*rec), rec,
					sizeof(*rec), recs, nr * sizeof(*recs));
	kvfree(recs);
	return ret;
}

/**
 * ckpt_registered_save - save what is registered with the instances that were noted
 * @ctx: context of a save
 * @t: the process of which a descriptor table was saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_registered_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec_io_registered rec;
	struct file *ring;
	int ret = 0;

	while (ctx->nr_rings_saved < ctx->nr_rings && !ret) {
		ring = xa_load(&ctx->rings, ctx->nr_rings_saved++);
		rec = (struct ckpt_rec_io_registered){
			.ring = ckpt_tag_of(ctx, ring->private_data),
		};
		ret = save_eventfd(ctx, ring, &rec) ?: save_files(ctx, t, ring, &rec);
		if (!ret)
			ret = ckpt_buffers_save(ctx, t, ring);
		if (ret == -EBUSY)
			ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, ret,
				   "an io_uring instance has changed while the process was being saved");
	}
	return ret;
}

/**
 * ckpt_registered_free - forget what was noted
 * @ctx: context
 */
void ckpt_registered_free(struct ckpt_ctx *ctx)
{
	unsigned long index;
	struct file *ring;

	xa_for_each(&ctx->rings, index, ring)
		fput(ring);
	xa_destroy(&ctx->rings);
}

static int registered_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_io_registered *saved = ckpt_rec_data(rec);
	struct ckpt_event *r = ckpt_get_tag(ctx, saved->ring, &ckpt_io_uring_ops);

	if (r && !r->more) {
		r->more = rec;
		return 0;
	}
	ckpt_free_record(rec);
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image has no io_uring instance for what is registered with it");
}

static int set_eventfd(struct ckpt_ctx *ctx, struct ckpt_event *r,
		       const struct ckpt_rec_io_registered *saved)
{
	struct file *eventfd = ckpt_get_tag(ctx, saved->eventfd, &ckpt_file_ops);
	struct checkpoint_io_uring_eventfd state = {
		.async = saved->flags & CKPT_IO_EVENTFD_ASYNC,
		.last_tail = saved->last_tail,
	};
	int ret = eventfd ? checkpoint_io_uring_set_eventfd(r->file, eventfd, &state) : -EINVAL;

	return ret == -EINVAL ? -EBADMSG : ret;
}

/* As io_uring_register(2) would take them. */
static bool may_register(struct file *file)
{
	return file && !io_is_uring_fops(file) && !(file->f_mode & FMODE_PATH);
}

static int set_files(struct ckpt_ctx *ctx, struct ckpt_event *r,
		     const struct ckpt_rec_io_registered *saved)
{
	const struct ckpt_rec_io_slot *recs = ckpt_rec_tail(r->more);
	struct checkpoint_io_uring_files table = {
		.nr = saved->nr_files,
		.alloc_start = saved->alloc_start,
		.alloc_end = saved->alloc_end,
		.alloc_hint = saved->alloc_hint,
	};
	struct checkpoint_io_uring_slot *slots;
	int ret = 0;
	u32 i;

	slots = kvcalloc(saved->nr_slots + 1, sizeof(*slots), GFP_KERNEL_ACCOUNT);
	if (!slots)
		return -ENOMEM;
	for (i = 0; i < saved->nr_slots && !ret; i++) {
		slots[i].file = ckpt_get_tag(ctx, recs[i].file, &ckpt_file_ops);
		slots[i].tag = recs[i].tag;
		slots[i].index = recs[i].index;
		slots[i].nowait = recs[i].flags & CKPT_IO_SLOT_NOWAIT;
		if (!may_register(slots[i].file))
			ret = -EBADMSG;
		cond_resched();
	}
	if (!ret)
		ret = checkpoint_io_uring_set_files(r->file, &table, slots, saved->nr_slots);
	kvfree(slots);
	return ret;
}

/**
 * ckpt_registered_apply - register with an instance what was
 * @ctx: context of a restart; all files exist
 * @r: the instance
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_registered_apply(struct ckpt_ctx *ctx, struct ckpt_event *r)
{
	const struct ckpt_rec_io_registered *saved = r->more ? ckpt_rec_data(r->more) : NULL;
	int ret = saved && saved->eventfd ? set_eventfd(ctx, r, saved) : 0;

	if (!ret && saved && saved->nr_files)
		ret = set_files(ctx, r, saved);
	if (ret == -EBADMSG)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, ret,
				  "the image has an io_uring instance with an impossible file");
	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_LIMIT, ret,
			   "cannot register files with an io_uring instance: a table as large takes RLIMIT_NOFILE");
	return ret;
}

const struct ckpt_obj_ops ckpt_io_registered_ops = {
	.name = "what is registered with an io_uring instance",
	.rec = CKPT_REC_IO_REGISTERED,
	.restore = registered_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances of io_uring(7) that threads have registered with themselves, to name them
 * by a number without a descriptor (IORING_REGISTER_RING_FDS). An IO_RINGS record has
 * those of all threads of a process. They may be open nowhere else.
 */
#include <linux/checkpoint_state.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/slab.h>

#include "../optional.h"
#include "event.h"

/* First of a thread from a number on, referenced; NULL: there are no more. */
static struct file *next_ring(struct ckpt_task *t, u32 *index)
{
	return t->dead || !ckpt_uses_io_uring(t->task) ? NULL :
	       checkpoint_io_uring_ring(t->task, index);
}

/**
 * ckpt_io_rings_count - count what a thread has registered
 * @ctx: context of a save
 * @t: thread, stopped
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_io_rings_count(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct file *ring;
	u32 index = 0;
	int ret = 0;

	for (; !ret && (ring = next_ring(t, &index)); index++) {
		ret = ckpt_refs_add(ctx, ring);
		fput(ring);
	}
	return ret;
}

/**
 * ckpt_io_ring_of - instance that a thread has registered
 * @t: thread, stopped
 * @index: number that it uses
 *
 * Return: the instance, referenced, or NULL.
 */
struct file *ckpt_io_ring_of(struct ckpt_task *t, u32 index)
{
	u32 found = index;
	struct file *ring = next_ring(t, &found);

	if (ring && found != index) {
		fput(ring);
		return NULL;
	}
	return ring;
}

static u32 count_rings(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	struct file *ring;
	u32 i, index, nr = 0;

	for (i = leader->index; i < leader->index + leader->nr_threads; i++)
		for (index = 0; (ring = next_ring(ctx->tasks[i], &index)); index++, nr++)
			fput(ring);
	return nr;
}

static int rings_collect(struct ckpt_ctx *ctx, struct ckpt_task *main)
{
	struct ckpt_task *leader = main->leader, *t;
	struct file *ring;
	u32 i, index;

	/* More would make an image that nobody reads. */
	if (count_rings(ctx, leader) > CKPT_MAX_IO_RINGS)
		ckpt_obstacle(ctx, CKPT_AT(main), CKPT_WHY_IO,
			      "has registered more than %d io_uring instances",
			      CKPT_MAX_IO_RINGS);
	for (i = leader->index; i < leader->index + leader->nr_threads; i++) {
		t = ctx->tasks[i];
		for (index = 0; (ring = next_ring(t, &index)); index++) {
			ckpt_file_collect(ctx, CKPT_AT(t), ring);
			fput(ring);
		}
	}
	return 0;
}

static int save_thread(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_io_ring **rec)
{
	struct file *ring;
	u32 index;
	int ret = 0;

	for (index = 0; !ret && (ring = next_ring(t, &index)); index++, (*rec)++) {
		(*rec)->tid = task_pid_nr_ns(t->task, ctx->pidns);
		(*rec)->index = index;
		ret = ckpt_file_save(ctx, t, ring, &(*rec)->file);
		fput(ring);
	}
	return ret;
}

static int rings_save(struct ckpt_ctx *ctx, struct ckpt_task *main)
{
	struct ckpt_task *leader = main->leader;
	u32 i, nr = count_rings(ctx, leader);
	struct ckpt_rec_io_ring *recs, *next;
	int ret = 0;

	if (!nr)
		return 0;
	recs = kvcalloc(nr, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	next = recs;
	/* Stopped threads register nothing. */
	for (i = leader->index; i < leader->index + leader->nr_threads && !ret; i++)
		ret = save_thread(ctx, ctx->tasks[i], &next);
	if (!ret)
		ret = ckpt_registered_save(ctx, main) ?: ckpt_sockets_save(ctx, main);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_IO_RINGS, 0, sizeof(*recs), recs,
					nr * sizeof(*recs), NULL, 0);
	kvfree(recs);
	return ret;
}

static bool are_ours(struct ckpt_ctx *ctx, struct ckpt_task *leader, struct ckpt_rec *rec)
{
	const struct ckpt_rec_io_ring *saved = ckpt_rec_data(rec);
	u32 i, nr = rec->length / sizeof(*saved);
	struct ckpt_task *t;

	for (i = 0; i < nr; i++) {
		t = xa_load(&ctx->task_index, saved[i].tid);
		if (!t || t->leader != leader || t->dead)
			return false;
	}
	return true;
}

static int rings_restore(struct ckpt_ctx *ctx, struct ckpt_task *leader, struct ckpt_rec *rec)
{
	if (leader->io_rings || !are_ours(ctx, leader, rec)) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has registered io_uring instances twice, or of a stranger");
	}
	leader->io_rings = rec;
	return 0;
}

static int apply(struct ckpt_ctx *ctx, const struct ckpt_rec_io_ring *saved)
{
	struct file *ring = ckpt_get_tag(ctx, saved->file, &ckpt_file_ops);
	int ret = ring && io_is_uring_fops(ring) ?
		  checkpoint_io_uring_set_ring(ring, saved->index) : -EBADMSG;

	/* The number is in use. */
	return ret == -EBUSY ? -EBADMSG : ret;
}

/**
 * ckpt_io_rings_apply - register what current had
 * @ctx: context of a restart; all files exist
 * @t: current
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_io_rings_apply(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec *rec = t->leader->io_rings;
	const struct ckpt_rec_io_ring *saved = rec ? ckpt_rec_data(rec) : NULL;
	u32 i, nr = rec ? rec->length / sizeof(*saved) : 0;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		if (saved[i].tid == t->rec->tid)
			ret = apply(ctx, saved + i);
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), ret == -EBADMSG ? CKPT_WHY_IMAGE : CKPT_WHY_LIMIT,
			   ret, "an io_uring instance cannot be registered again");
	return ret;
}

const struct ckpt_obj_ops ckpt_io_rings_ops = {
	.name = "registered io_uring instances",
	.rec = CKPT_REC_IO_RINGS,
	.collect = rings_collect,
	.save = rings_save,
	.restore = rings_restore,
};

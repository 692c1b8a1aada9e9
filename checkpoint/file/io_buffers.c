// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is registered with instances of io_uring(7). The kernel has its pages
 * since then; they can be registered again where they still are the pages that a
 * process of the tree has at that place. That process registers them.
 */
#include <linux/checkpoint_state.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "event.h"

/* A record has an array of both. */
static_assert(sizeof(struct ckpt_rec_io_group) == sizeof(struct ckpt_rec_io_buffer));

/* Pages that are compared in one go. */
#define STEP	64

static int next_buffer(struct file *ring, u32 index, struct checkpoint_io_uring_buffer *buffer)
{
	return ckpt_while_busy(checkpoint_io_uring_buffer(ring, index, buffer));
}

static int get_table(struct file *ring, const struct mm_struct **mm)
{
	return ckpt_while_busy(checkpoint_io_uring_buffers(ring, mm));
}

/* As they have to be to be registered again. */
static bool may_write(struct mm_struct *mm, u64 addr, u64 end)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, addr);

	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > addr || !(vma->vm_flags & VM_WRITE))
			return false;
		addr = vma->vm_end;
	}
	return addr >= end;
}

/* Are these pages at this address? Nothing is faulted in to find out. */
static bool has_pages(struct mm_struct *mm, u64 addr, struct page **pages, u32 nr)
{
	struct page *page;
	u32 i;

	for (i = 0; i < nr; i++, addr += PAGE_SIZE) {
		if (get_user_pages_remote(mm, addr, 1, FOLL_NOFAULT, &page, NULL) != 1)
			return false;
		put_page(page);
		if (page != pages[i])
			return false;
	}
	return true;
}

/**
 * ckpt_buffers_are_at - has a process these pages there, and may it write to them?
 * @mm: its address space, mmap_lock is held
 * @addr: where
 * @pages: the pages
 * @nr: how many
 *
 * Return: true if it is so.
 */
bool ckpt_buffers_are_at(struct mm_struct *mm, u64 addr, struct page **pages, u32 nr)
{
	return may_write(mm, addr, addr + nr * PAGE_SIZE) && has_pages(mm, addr, pages, nr);
}

/* 1: all pages of the buffer are those of the process there. */
static int has_buffer(struct mm_struct *mm, struct file *ring,
		      const struct checkpoint_io_uring_buffer *b)
{
	u64 addr = b->addr & PAGE_MASK, end = PAGE_ALIGN(b->addr + b->length);
	struct page *pages[STEP];
	int nr, ret = 1;
	u32 first;

	for (first = 0; addr < end && ret > 0; first += nr, addr += nr * PAGE_SIZE) {
		nr = min_t(u64, STEP, (end - addr) >> PAGE_SHIFT);
		ret = checkpoint_io_uring_buffer_pages(ring, b->index, first, pages, nr);
		if (ret < nr)
			return min(ret, 0);
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		ret = ckpt_buffers_are_at(mm, addr, pages, nr);
		mmap_read_unlock(mm);
		cond_resched();
	}
	return ret;
}

static int has_rings(struct mm_struct *mm, struct file *ring)
{
	struct checkpoint_io_uring_group group;
	u32 bgid = 0;
	u64 addr;
	int ret;

	while ((ret = ckpt_group_next(ring, true, bgid, &group)) > 0) {
		ret = ckpt_group_find(mm, ring, &group, &addr);
		if (ret <= 0)
			return ret;
		bgid = group.bgid + 1;
	}
	return ret ?: 1;
}

static int has_all(struct mm_struct *mm, struct file *ring)
{
	struct checkpoint_io_uring_buffer buffer;
	u32 index = 0;
	int ret;

	while ((ret = next_buffer(ring, index, &buffer)) > 0) {
		ret = has_buffer(mm, ring, &buffer);
		if (ret <= 0)
			return ret;
		index = buffer.index + 1;
	}
	return ret ?: has_rings(mm, ring);
}

static int is_owner(struct ckpt_task *t, struct file *ring)
{
	struct mm_struct *mm = t->main ? get_task_mm(t->main->task) : NULL;
	int ret = mm ? has_all(mm, ring) : 0;

	if (mm)
		mmput(mm);
	return ret;
}

/* The process whose memory it is, most likely @first; NULL: there is none. */
static struct ckpt_task *owner_of(struct ckpt_ctx *ctx, struct ckpt_task *first,
				  struct file *ring)
{
	struct ckpt_task *t;
	int ret = is_owner(first, ring);

	if (ret)
		return ret > 0 ? first : ERR_PTR(ret);
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t)) {
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		ret = t == first ? 0 : is_owner(t, ring);
		if (ret)
			return ret > 0 ? t : ERR_PTR(ret);
	}
	return NULL;
}

/* Rings of provided buffers that are memory of a process. */
static int count_rings(struct file *ring)
{
	struct checkpoint_io_uring_group group;
	u32 bgid = 0;
	int ret, nr = 0;

	for (; (ret = ckpt_group_next(ring, true, bgid, &group)) > 0; bgid = group.bgid + 1)
		nr++;
	return ret ?: nr;
}

/**
 * ckpt_buffers_collect - look for obstacles of memory that is registered
 * @ctx: context of a save
 * @where: what holds the instance
 * @ring: the instance
 */
void ckpt_buffers_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *ring)
{
	const struct mm_struct *mm;
	int nr = get_table(ring, &mm);
	int nr_rings = count_rings(ring);

	if (!nr && !nr_rings)
		return;
	if (nr_rings > CKPT_MAX_IO_BUFFERS)
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance with more than %d rings of provided buffers",
			      CKPT_MAX_IO_BUFFERS);
	/* Of a mapping: the lock of what has to be looked at is held. */
	if (where->end)
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance with registered buffers that is not open");
	else if (nr < 0 || nr_rings < 0 || IS_ERR_OR_NULL(owner_of(ctx, where->t->leader, ring)))
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance with a registered buffer whose memory was unmapped, remapped or protected since");
}

/* The process of the tree with this address space, 0: none. */
static u32 user_of(struct ckpt_ctx *ctx, const struct mm_struct *mm)
{
	struct ckpt_task *t;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (t->main && READ_ONCE(t->main->task->mm) == mm)
			return task_tgid_nr_ns(t->main->task, ctx->pidns);
	return 0;
}

/* Returns how many. */
static int get_buffers(struct file *ring, struct ckpt_rec_io_buffer *recs, u32 max)
{
	struct checkpoint_io_uring_buffer buffer;
	u32 index = 0, nr = 0;
	int ret;

	while ((ret = next_buffer(ring, index, &buffer)) > 0) {
		if (nr == max)
			return -EBUSY;
		recs[nr++] = (struct ckpt_rec_io_buffer){
			.index = buffer.index,
			.addr = buffer.addr,
			.length = buffer.length,
			.tag = buffer.tag,
		};
		index = buffer.index + 1;
	}
	return ret ?: nr;
}

/* Returns 0, or -EBUSY: they have changed. */
static int get_rings(struct file *ring, struct ckpt_task *owner, struct ckpt_rec_io_group *recs,
		     u32 nr)
{
	struct mm_struct *mm = get_task_mm(owner->main->task);
	struct checkpoint_io_uring_group group;
	u32 i, bgid = 0;
	int ret = mm ? 0 : -EBUSY;
	u64 addr = 0;

	for (i = 0; i < nr && !ret; i++, bgid = group.bgid + 1) {
		if (ckpt_group_next(ring, true, bgid, &group) <= 0 ||
		    ckpt_group_find(mm, ring, &group, &addr) <= 0) {
			ret = -EBUSY;
			break;
		}
		ckpt_group_show(&group, &recs[i]);
		recs[i].addr = addr;
	}
	if (mm)
		mmput(mm);
	return ret;
}

/**
 * ckpt_buffers_save - save which memory is registered with an instance
 * @ctx: context of a save
 * @t: a process that has it open
 * @ring: the instance, saved
 *
 * Return: 0, -EBUSY: it has changed, or another negative errno.
 */
int ckpt_buffers_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *ring)
{
	struct ckpt_rec_io_buffers rec = { .ring = ckpt_tag_of(ctx, ring->private_data) };
	struct ckpt_rec_io_buffer *recs;
	const struct mm_struct *mm;
	struct ckpt_task *owner;
	int nr = get_table(ring, &mm), nr_rings = count_rings(ring), ret;

	if (nr < 0 || nr_rings < 0)
		return -EBUSY;
	if (!nr && !nr_rings)
		return 0;
	owner = owner_of(ctx, t->leader, ring);
	if (IS_ERR_OR_NULL(owner))
		return owner ? PTR_ERR(owner) : -EBUSY;
	rec.nr_slots = nr;
	rec.process = task_tgid_nr_ns(owner->main->task, ctx->pidns);
	rec.counted = user_of(ctx, mm);
	recs = kvcalloc(nr + nr_rings, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	ret = get_buffers(ring, recs, nr);
	rec.nr_buffers = max(ret, 0);
	rec.nr_rings = nr_rings;
	if (ret >= 0)
		ret = get_rings(ring, owner, (void *)(recs + rec.nr_buffers), nr_rings);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_IO_BUFFERS, 0, sizeof(rec), &rec, sizeof(rec),
					recs, (rec.nr_buffers + nr_rings) * sizeof(*recs));
	kvfree(recs);
	return ret;
}

/* A process that is alive. */
static struct ckpt_task *process_of(struct ckpt_ctx *ctx, u32 process)
{
	struct ckpt_task *t = xa_load(&ctx->task_index, process);

	return t && t->leader == t && t->main ? t : NULL;
}

static int buffers_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_io_buffers *saved = ckpt_rec_data(rec);
	struct ckpt_event *r = ckpt_get_tag(ctx, saved->ring, &ckpt_io_uring_ops);
	struct ckpt_task *owner = process_of(ctx, saved->process);

	if (r && !r->buffers && owner &&
	    (!saved->counted || process_of(ctx, saved->counted))) {
		r->buffers = rec;
		r->next = owner->io_buffers;
		owner->io_buffers = r;
		return 0;
	}
	ckpt_free_record(rec);
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image has no io_uring instance or no process for registered buffers");
}

static int set_buffers(struct ckpt_ctx *ctx, struct ckpt_event *r)
{
	const struct ckpt_rec_io_buffers *saved = ckpt_rec_data(r->buffers);
	const struct ckpt_rec_io_buffer *recs = ckpt_rec_tail(r->buffers);
	struct ckpt_task *user = process_of(ctx, saved->counted ?: saved->process);
	struct checkpoint_io_uring_buffer *buffers;
	struct mm_struct *mm;
	int ret;
	u32 i;

	if (!saved->nr_slots)
		return 0;
	buffers = kvcalloc(saved->nr_buffers + 1, sizeof(*buffers), GFP_KERNEL_ACCOUNT);
	if (!buffers)
		return -ENOMEM;
	for (i = 0; i < saved->nr_buffers; i++) {
		buffers[i].addr = recs[i].addr;
		buffers[i].length = recs[i].length;
		buffers[i].tag = recs[i].tag;
		buffers[i].index = recs[i].index;
	}
	/* It may be being killed. */
	mm = get_task_mm(user->task);
	ret = mm ? checkpoint_io_uring_set_buffers(r->file, mm, saved->nr_slots, buffers,
						   saved->nr_buffers) : -EINTR;
	if (mm)
		mmput(mm);
	kvfree(buffers);
	return ret;
}

static int set_rings(struct ckpt_event *r)
{
	const struct ckpt_rec_io_buffers *saved = ckpt_rec_data(r->buffers);
	const struct ckpt_rec_io_group *recs;
	int ret = 0;
	u32 i;

	recs = ckpt_rec_tail(r->buffers) + saved->nr_buffers * sizeof(struct ckpt_rec_io_buffer);
	for (i = 0; i < saved->nr_rings && !ret; i++)
		ret = ckpt_group_add(r->file, &recs[i], NULL);
	return ret;
}

/**
 * ckpt_buffers_apply - register memory of current with the instances that had it
 * @ctx: context of a restart; all files exist
 * @t: leader, current, its memory complete
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_buffers_apply(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(CKPT_IO_END_MS);
	struct ckpt_event *r;
	int ret;

	for (r = t->io_buffers; r; r = r->next) {
		ret = set_buffers(ctx, r);
		/* An instance that was killed counts until the kernel gets to its end. */
		while (ret == -ENOMEM && time_before(jiffies, deadline) &&
		       !schedule_timeout_killable(1))
			ret = set_buffers(ctx, r);
		if (!ret)
			ret = set_rings(r);
		if (ret == -ENOMEM)
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, ret,
					  "cannot register buffers with an io_uring instance: they count against RLIMIT_MEMLOCK");
		if (ret)
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE,
					  ret == -EFAULT ? -EBADMSG : ret,
					  "buffers cannot be registered with an io_uring instance");
	}
	return 0;
}

const struct ckpt_obj_ops ckpt_io_buffers_ops = {
	.name = "memory registered with an io_uring instance",
	.rec = CKPT_REC_IO_BUFFERS,
	.restore = buffers_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of buffers that instances of io_uring(7) were provided with: one by one by
 * submissions, or in a ring. A ring that the kernel has made is saved with the instance;
 * one in memory of the process (io_buffers.c) comes with that memory.
 */
#include <linux/checkpoint_state.h>
#include <linux/err.h>
#include <linux/io_uring.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/slab.h>

#include "event.h"

static_assert(sizeof(struct ckpt_rec_io_provided) == sizeof(struct io_uring_buf));

static int look(struct file *ring, u32 bgid, struct checkpoint_io_uring_group *group)
{
	return ckpt_while_busy(checkpoint_io_uring_group(ring, bgid, group));
}

/**
 * ckpt_group_next - a group of provided buffers of an instance
 * @ring: the instance
 * @own: one whose ring is memory of a process, or one of the others
 * @bgid: from which number on
 * @group: gets the first one
 *
 * Return: 1, 0: there are no more, -EBUSY: the instance is in use.
 */
int ckpt_group_next(struct file *ring, bool own, u32 bgid,
		    struct checkpoint_io_uring_group *group)
{
	int ret;

	while ((ret = look(ring, bgid, group)) > 0) {
		if (own == (group->entries && !group->mapped))
			return 1;
		bgid = group->bgid + 1;
		cond_resched();
	}
	return ret;
}

/**
 * ckpt_group_page - a page of the ring of a group
 * @ring: the instance
 * @bgid: number of the group
 * @index: which one
 *
 * Return: the page, referenced; NULL: there is none, or the instance is in use.
 */
struct page *ckpt_group_page(struct file *ring, u32 bgid, u32 index)
{
	struct page *page;

	ckpt_while_busy((page = checkpoint_io_uring_group_page(ring, bgid, index)) ? 0 : -EBUSY);
	return page;
}

static void put_pages(struct page **pages, u32 nr)
{
	while (nr--)
		put_page(pages[nr]);
	kvfree(pages);
}

/* All pages of a ring, referenced: whoever has the instance, too, may let go of them. */
static struct page **get_pages(struct file *ring, const struct checkpoint_io_uring_group *group)
{
	struct page **pages = kvcalloc(group->nr_pages, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	u32 nr;

	if (!pages)
		return ERR_PTR(-ENOMEM);
	for (nr = 0; nr < group->nr_pages; nr++) {
		pages[nr] = ckpt_group_page(ring, group->bgid, nr);
		if (!pages[nr]) {
			put_pages(pages, nr);
			return ERR_PTR(-EBUSY);
		}
	}
	return pages;
}

/* Returns where they are, 0: nowhere. mmap_lock is held. */
static u64 find_pages(struct mm_struct *mm, struct page **pages, u32 nr)
{
	struct vm_area_struct *vma;
	unsigned long at;

	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma) {
		at = page_address_in_vma(pages[0], vma);
		if (at != -EFAULT && ckpt_buffers_are_at(mm, at, pages, nr))
			return at;
	}
	return 0;
}

/* What the pages belong to may go when nobody has them mapped any more; NULL: it has. */
static struct anon_vma *hold(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_test_anon(folio) ? folio_get_anon_vma(folio) : ERR_PTR(-ENOENT);
}

/**
 * ckpt_group_find - find the ring of a group in the memory of a process
 * @mm: its address space
 * @ring: the instance
 * @group: a group of it whose ring is memory of a process
 * @addr: gets where it is
 *
 * The kernel has its pages only.
 *
 * Return: 1, 0: it is not there, or a negative errno.
 */
int ckpt_group_find(struct mm_struct *mm, struct file *ring,
		    const struct checkpoint_io_uring_group *group, u64 *addr)
{
	struct page **pages = get_pages(ring, group);
	struct anon_vma *held;
	int ret = 0;

	if (IS_ERR(pages))
		return PTR_ERR(pages);
	held = hold(pages[0]);
	if (held && mmap_read_lock_killable(mm)) {
		ret = -EINTR;
	} else if (held) {
		*addr = find_pages(mm, pages, group->nr_pages);
		mmap_read_unlock(mm);
		ret = !!*addr;
	}
	if (!IS_ERR_OR_NULL(held))
		put_anon_vma(held);
	put_pages(pages, group->nr_pages);
	return ret;
}

/**
 * ckpt_group_show - fill the record of a group
 * @group: the group
 * @rec: gets it, but no address
 */
void ckpt_group_show(const struct checkpoint_io_uring_group *group, struct ckpt_rec_io_group *rec)
{
	*rec = (struct ckpt_rec_io_group){
		.bgid = group->bgid,
		.flags = (group->entries ? CKPT_IO_GROUP_RING : 0) |
			 (group->incremental ? CKPT_IO_GROUP_INC : 0),
		.count = group->entries ?: group->nr,
		.head = group->head,
		.min_left = group->min_left,
	};
}

/**
 * ckpt_provided_size - how much a save will write of groups that are not memory
 * @ring: the instance
 * @nr_groups: gets how many there are
 * @size: gets the bytes of their records and of what is in them
 *
 * Return: 0 or -EBUSY.
 */
int ckpt_provided_size(struct file *ring, u32 *nr_groups, size_t *size)
{
	struct checkpoint_io_uring_group group;
	u32 bgid = 0;
	int ret;

	*nr_groups = 0;
	*size = 0;
	for (; (ret = ckpt_group_next(ring, false, bgid, &group)) > 0; bgid = group.bgid + 1) {
		(*nr_groups)++;
		*size += sizeof(struct ckpt_rec_io_group) + (group.entries ?: group.nr) *
			 sizeof(struct ckpt_rec_io_provided);
	}
	return ret;
}

/* Buffers that were provided one by one. */
static int fill_buffers(struct file *ring, const struct checkpoint_io_uring_group *group,
			struct ckpt_rec_io_provided *recs)
{
	struct checkpoint_io_uring_provided *buffers;
	int ret;
	u32 i;

	buffers = kvcalloc(group->nr + 1, sizeof(*buffers), GFP_KERNEL_ACCOUNT);
	if (!buffers)
		return -ENOMEM;
	ret = ckpt_while_busy(checkpoint_io_uring_provided(ring, group->bgid, buffers,
							   group->nr + 1));
	for (i = 0; i < group->nr; i++) {
		recs[i].addr = buffers[i].addr;
		recs[i].len = buffers[i].len;
		recs[i].bid = buffers[i].bid;
	}
	kvfree(buffers);
	return ret == group->nr ? 0 : -EBUSY;
}

/* The ring of a group that the kernel has made. */
static int fill_ring(struct file *ring, const struct checkpoint_io_uring_group *group, void *to)
{
	return ckpt_while_busy(checkpoint_io_uring_group_ring(ring, group->bgid, to,
							      group->entries));
}

/**
 * ckpt_provided_fill - save the groups that are not memory
 * @ring: the instance
 * @data: gets them
 * @nr_groups: how many there are
 * @size: the size of it
 *
 * Return: 0, -EBUSY: they have changed, or another negative errno.
 */
int ckpt_provided_fill(struct file *ring, void *data, u32 nr_groups, size_t size)
{
	void *to = data + nr_groups * sizeof(struct ckpt_rec_io_group);
	struct checkpoint_io_uring_group group;
	struct ckpt_rec_io_group *rec = data;
	u32 i, bgid = 0;
	size_t part;
	int ret = 0;

	for (i = 0; i < nr_groups && !ret; i++, bgid = group.bgid + 1, to += part) {
		if (ckpt_group_next(ring, false, bgid, &group) <= 0)
			return -EBUSY;
		ckpt_group_show(&group, &rec[i]);
		part = rec[i].count * sizeof(struct ckpt_rec_io_provided);
		if (to + part > data + size)
			return -EBUSY;
		ret = group.entries ? fill_ring(ring, &group, to) : fill_buffers(ring, &group, to);
	}
	return ret;
}

/**
 * ckpt_group_add - provide an instance with a group again
 * @ring: the instance
 * @rec: the group, checked
 * @data: its ring or its buffers; none if the ring is memory of current
 *
 * Return: 0 or a negative errno.
 */
int ckpt_group_add(struct file *ring, const struct ckpt_rec_io_group *rec, const void *data)
{
	bool has_ring = rec->flags & CKPT_IO_GROUP_RING;
	struct checkpoint_io_uring_group group = {
		.bgid = rec->bgid,
		.nr = has_ring ? 0 : rec->count,
		.entries = has_ring ? rec->count : 0,
		.head = rec->head,
		.min_left = rec->min_left,
		.mapped = has_ring && data,
		.incremental = rec->flags & CKPT_IO_GROUP_INC,
		.addr = rec->addr,
		.ring = data,
	};
	const struct ckpt_rec_io_provided *recs = data;
	struct checkpoint_io_uring_provided *buffers;
	int ret;
	u32 i;

	buffers = kvcalloc(group.nr + 1, sizeof(*buffers), GFP_KERNEL_ACCOUNT);
	if (!buffers)
		return -ENOMEM;
	for (i = 0; i < group.nr; i++) {
		buffers[i].addr = recs[i].addr;
		buffers[i].len = recs[i].len;
		buffers[i].bid = recs[i].bid;
	}
	ret = checkpoint_io_uring_add_group(ring, &group, buffers);
	kvfree(buffers);
	return ret == -EFAULT || ret == -EEXIST ? -EBADMSG : ret;
}

/**
 * ckpt_provided_restore - provide an instance with its groups that are not memory
 * @ring: the instance
 * @data: what ckpt_provided_fill() has made, checked
 * @nr_groups: how many there are
 * @size: gets the size of it
 *
 * Return: 0 or a negative errno.
 */
int ckpt_provided_restore(struct file *ring, const void *data, u32 nr_groups, size_t *size)
{
	const struct ckpt_rec_io_group *rec = data;
	int ret = 0;
	u32 i;

	*size = nr_groups * sizeof(*rec);
	for (i = 0; i < nr_groups && !ret; i++) {
		ret = ckpt_group_add(ring, &rec[i], data + *size);
		*size += rec[i].count * sizeof(struct ckpt_rec_io_provided);
	}
	return ret;
}

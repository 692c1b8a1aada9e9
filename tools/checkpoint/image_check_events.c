// SPDX-License-Identifier: GPL-2.0-only
/* Records of event descriptors, and the names that they use. */
#include <errno.h>

#include "image.h"

static int bad(struct image *img, const char *why)
{
	return image_fail(img, EBADMSG, "%s: %s", record_name(img->rec->type), why);
}

int image_check_event(struct image *img)
{
	const struct ckpt_rec_event *event = rec_data(img);

	if (event->kind < CKPT_FILE_EVENTFD || event->kind > CKPT_FILE_PIDFD)
		return bad(img, "unknown kind of event descriptor");
	return event->flags & ~CKPT_EVENT_ALL ? bad(img, "unknown flags") : 0;
}

int image_check_epoll(struct image *img)
{
	const struct ckpt_rec_epoll_item *item = rec_data(img);
	uint64_t i, count = rec_count(img);

	for (i = 0; i < count; i++, item++)
		if (tags_find(&img->order.tags, item->file) != CKPT_REC_FILE)
			return bad(img, "a file that is watched was not named before");
	return 0;
}

int image_check_io_registered(struct image *img)
{
	const struct ckpt_rec_io_registered *g = rec_data(img);
	const struct ckpt_rec_io_slot *slot = rec_tail(img);
	uint32_t i;

	if (g->flags & ~CKPT_IO_REG_ALL)
		return bad(img, "unknown flags");
	if (rec_tail_length(img) != g->nr_slots * sizeof(*slot))
		return bad(img, "wrong length");
	if (tags_find(&img->order.tags, g->ring) != CKPT_REC_IO_URING)
		return bad(img, "an io_uring instance was not named before");
	if (g->eventfd && tags_find(&img->order.tags, g->eventfd) != CKPT_REC_FILE)
		return bad(img, "a registered file was not named before");
	for (i = 0; i < g->nr_slots; i++, slot++)
		if (tags_find(&img->order.tags, slot->file) != CKPT_REC_FILE)
			return bad(img, "a registered file was not named before");
	return 0;
}

int image_check_io_buffers(struct image *img)
{
	const struct ckpt_rec_io_buffers *g = rec_data(img);
	const struct ckpt_rec_io_buffer *b = rec_tail(img);
	uint32_t i;

	if (rec_tail_length(img) != g->nr_buffers * sizeof(*b) +
	    g->nr_rings * sizeof(struct ckpt_rec_io_group))
		return bad(img, "wrong length");
	if (tags_find(&img->order.tags, g->ring) != CKPT_REC_IO_URING)
		return bad(img, "an io_uring instance was not named before");
	for (i = 0; i < g->nr_buffers; i++, b++)
		if (b->index >= g->nr_slots || (i && b->index <= b[-1].index))
			return bad(img, "registered buffers in a wrong order");
	return 0;
}

int image_check_io_rings(struct image *img)
{
	const struct ckpt_rec_io_ring *ring = rec_data(img);
	uint64_t i, nr = rec_count(img);

	for (i = 0; i < nr; i++)
		if (ring[i].index >= CKPT_IO_RING_SLOTS ||
		    tags_find(&img->order.tags, ring[i].file) != CKPT_REC_FILE)
			return bad(img, "a registered io_uring instance was not named before");
	return 0;
}

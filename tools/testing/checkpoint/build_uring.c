// SPDX-License-Identifier: GPL-2.0-only
/* Part of build.c: an instance of io_uring(7), and what is registered with it. */
#include "pieces.h"

/* An instance of which some bytes are not zero, with a ring of buffers and one buffer. */
void build_io_uring(struct image *image, u32 tag, u32 file)
{
	struct {
		struct ckpt_rec_io_uring ring;
		struct ckpt_rec_io_group groups[2];
		struct ckpt_rec_io_provided provided[3];
		u8 data[8];
	} io_uring = {
		{ .flags = CKPT_RING_SINGLE | CKPT_RING_DEFER | CKPT_RING_ACCOUNTED,
		  .sq_entries = 4, .cq_entries = 8, .submitter = 5, .array_offset = 192,
		  .uid = 1, .rings_len = 5, .sqes_len = 3, .nr_groups = 2, .restricted = 1,
		  .sqe_ops = { 1 } },
		{ { .bgid = 3, .flags = CKPT_IO_GROUP_RING | CKPT_IO_GROUP_INC, .count = 2,
		    .head = 1, .min_left = 9 },
		  { .bgid = 7, .count = 1 } },
		{ { .addr = 4096, .len = 1 }, {}, { .addr = 8192, .len = 10, .bid = 5 } },
		{ 0, 0, 0, 0, 1, 0, 0, 2 },
	};

	struct {
		struct ckpt_rec_io_registered head;
		struct ckpt_rec_io_slot slots[2];
	} registered = {
		{ .ring = tag, .flags = CKPT_IO_EVENTFD, .eventfd = file, .last_tail = 3,
		  .nr_files = 8, .alloc_start = 2, .alloc_end = 6, .alloc_hint = 3, .nr_slots = 2 },
		{ { .index = 1, .file = file, .flags = CKPT_IO_SLOT_NOWAIT, .tag = 9 },
		  { .index = 5, .file = file } },
	};

	struct {
		struct ckpt_rec_io_buffers head;
		struct ckpt_rec_io_buffer buffers[2];
		struct ckpt_rec_io_group rings[1];
	} buffers = {
		{ .ring = tag, .process = 5, .nr_slots = 4, .nr_buffers = 2, .nr_rings = 1 },
		{ { .index = 0, .addr = 4096, .length = 1, .tag = 9 },
		  { .index = 2, .addr = 4097, .length = 8192 } },
		{ { .addr = 4096, .bgid = 9, .flags = CKPT_IO_GROUP_RING, .count = 8 } },
	};

	image_add(image, CKPT_REC_IO_URING, tag, sizeof(io_uring.ring), &io_uring,
		  sizeof(io_uring));
	image_add(image, CKPT_REC_IO_REGISTERED, 0, sizeof(registered.head), &registered,
		  sizeof(registered));
	image_add(image, CKPT_REC_IO_BUFFERS, 0, sizeof(buffers.head), &buffers,
		  sizeof(buffers));
}

/* Numbers by which two threads know it. */
void build_io_rings(struct image *image, u32 file)
{
	struct ckpt_rec_io_ring rings[2] = {
		{ .tid = 5, .index = 0, .file = file },
		{ .tid = 6, .index = CKPT_IO_RING_SLOTS - 1, .file = file },
	};

	image_add(image, CKPT_REC_IO_RINGS, 0, sizeof(rings[0]), rings, sizeof(rings));
}

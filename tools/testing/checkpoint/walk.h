/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a whole image from memory, as a restart does.
 */
#ifndef _WALK_H
#define _WALK_H

#include "../../../checkpoint/image.h"

/**
 * struct memory_source - an image in memory
 * @src: for the reader
 * @data: the image
 * @len: its length
 * @pos: bytes read
 * @reads: calls so far
 * @fail_nth: this call fails with -EIO, counted from 1; 0: none
 */
struct memory_source {
	struct ckpt_source src;
	const u8 *data;
	size_t len;
	size_t pos;
	unsigned long reads;
	unsigned long fail_nth;
};

/**
 * struct walk - one walk through an image
 * @reader: its state at the end
 * @source: where the bytes come from
 * @digest: of all that was returned, in order
 * @on_record: called with every record, or NULL
 * @private: for @on_record
 */
struct walk {
	struct ckpt_reader reader;
	struct memory_source source;
	u64 digest;
	void (*on_record)(struct walk *walk, struct ckpt_rec *rec);
	void *private;
};

void walk_start(struct walk *walk, const void *data, size_t len);
int walk_image(struct walk *walk);
int walk_bytes(const void *data, size_t len);

#endif

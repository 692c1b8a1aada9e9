/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An image as a list of pieces, which tests and the fuzzer build, take apart,
 * change and put together again. It shares no code with the kernel's writer.
 */
#ifndef _PIECES_H
#define _PIECES_H

#include <linux/checkpoint_image.h>
#include <linux/types.h>

/**
 * struct piece - one record and the page data behind it
 * @head: as written, but for the sum; its length may be a lie
 * @payload: what follows the head, without padding
 * @payload_len: bytes of @payload
 * @data: page data, after CKPT_REC_PAGES only
 * @data_len: bytes of @data
 */
struct piece {
	struct ckpt_rec head;
	u8 *payload;
	u64 payload_len;
	u8 *data;
	u64 data_len;
};

struct image {
	struct piece *pieces;
	unsigned int nr;
	unsigned int room;
};

/* An image as a run of bytes. */
struct blob {
	u8 *data;
	size_t len;
};

/* pieces.c: all copy what they are given, and none fails */
struct piece *image_insert(struct image *image, unsigned int at, const struct piece *piece);
struct piece *image_add(struct image *image, u32 type, u32 tag, u32 unit,
			const void *payload, u64 len);
void image_remove(struct image *image, unsigned int at);
void image_clear(struct image *image);
void image_copy(struct image *to, const struct image *from);
struct piece *image_find(struct image *image, u32 type, unsigned int nth);
void piece_resize(struct piece *piece, u64 len);
void piece_resize_data(struct piece *piece, u64 len);
void piece_set_unit(struct piece *piece, u32 unit);
u64 image_offset(const struct image *image, unsigned int at);

/* pieces_io.c */
void image_fix(struct image *image);
void image_fix_trailer(struct image *image);
void image_join(const struct image *image, struct blob *blob);
void image_split(struct image *image, const u8 *data, size_t len);
int image_unpack(struct image *image);
u64 padded(u64 len);

/* mutate.c: changes a few places, which depend on the seed; sums agree again */
void image_mutate(struct image *image, u64 seed);

/**
 * struct recipe - how large an image to build
 * @processes: thread groups, at least one
 * @threads: of each process, at least one
 * @pages: of each process
 * @extent_pages: pages of one extent
 * @record_extents: extents of one record
 * @vmas: anonymous mappings beside those of the program
 * @files: beside the program
 * @pipes: each with one end open
 * @groups: supplementary groups
 * @signals: pending
 * @regset: bytes of each register set
 */
struct recipe {
	unsigned int processes, threads;
	unsigned int pages, extent_pages, record_extents;
	unsigned int vmas, files, pipes, groups, signals, regset;
};

/* build.c */
extern const struct recipe small_recipe, large_recipe;
void image_build(struct image *image, const struct recipe *recipe);

/* build_uring.c */
void build_io_uring(struct image *image, u32 tag, u32 file);
void build_io_rings(struct image *image, u32 file);

#endif

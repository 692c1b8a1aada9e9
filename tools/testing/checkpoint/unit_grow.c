// SPDX-License-Identifier: GPL-2.0-only
/*
 * Structs of other kernels: longer ones, shorter ones.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdlib.h>

#include "unit.h"

static void compare_record(struct walk *walk, struct ckpt_rec *rec)
{
	const struct image *image = walk->private;
	const struct piece *piece = &image->pieces[walk->reader.nr_records - 1];

	/* Their content is about the bytes of the longer image. */
	if (rec->type == CKPT_REC_INDEX || rec->type == CKPT_REC_TRAILER)
		return;
	EXPECT_EQ(rec->unit, piece->head.unit);
	if (EXPECT_EQ(rec->length, piece->head.length))
		EXPECT(!memcmp(ckpt_rec_data(rec), piece->payload, rec->length));
}

/* Reads @grown and expects to see what @image has. */
static void expect_same(struct image *grown, struct image *image)
{
	struct walk walk;
	struct blob blob;

	image_fix(grown);
	image_join(grown, &blob);
	walk_start(&walk, blob.data, blob.len);
	walk.on_record = compare_record;
	walk.private = image;
	EXPECT_EQ(walk_image(&walk), 0);
	free(blob.data);
}

static void longer_zero(const void *recipe)
{
	static const u32 more[] = { 1, 4, 8, 12, 64, 1000 };
	struct image image, grown;
	unsigned int i, k;

	image_build(&image, recipe);
	image_copy(&grown, &image);
	for (k = 0; k < ARRAY_SIZE(more); k++) {
		for (i = 0; i < grown.nr; i++) {
			u32 unit = image.pieces[i].head.unit;

			if (!unit)
				continue;
			piece_set_unit(&grown.pieces[i], unit + more[k]);
			expect_same(&grown, &image);
			piece_set_unit(&grown.pieces[i], unit);
		}
	}
	image_clear(&grown);
	image_clear(&image);
}

/* All at once, as large as a struct may be. */
static void longer_all(const void *recipe)
{
	struct image image, grown;
	unsigned int i;

	image_build(&image, recipe);
	image_copy(&grown, &image);
	for (i = 0; i < grown.nr; i++)
		if (grown.pieces[i].head.unit)
			piece_set_unit(&grown.pieces[i], PAGE_SIZE);
	expect_same(&grown, &image);
	image_clear(&grown);
	image_clear(&image);
}

/* Any unknown byte that is not zero, in any element. */
static void longer_unknown(const void *arg)
{
	struct image image;
	unsigned int i;
	u64 at;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < image.nr; i++) {
		struct piece *piece = &image.pieces[i];
		u32 unit = piece->head.unit;

		if (!unit)
			continue;
		piece_set_unit(piece, unit + 8);
		for (at = unit; at < unit + 8; at++) {
			piece->payload[at] = 1;
			expect_refused(&image, -E2BIG);
			piece->payload[at] = 0;
		}
		piece_set_unit(piece, unit);
	}
	EXPECT_EQ(walk_pieces(&image), 0);
	image_clear(&image);
}

static void longer_unknown_last(const void *arg)
{
	struct image image;
	struct piece *piece;

	(void)arg;
	image_build(&image, &large_recipe);
	piece = image_find(&image, CKPT_REC_SIGHAND, 0);
	piece_set_unit(piece, piece->head.unit + 16);
	piece->payload[piece->payload_len - 1] = 0x80;
	expect_refused(&image, -E2BIG);
	image_clear(&image);
}

static void longer_than_page(const void *arg)
{
	struct image image;
	unsigned int i;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < image.nr; i++) {
		u32 unit = image.pieces[i].head.unit;

		if (!unit)
			continue;
		piece_set_unit(&image.pieces[i], PAGE_SIZE + 1);
		image_fix_trailer(&image);
		expect_refused(&image, -EBADMSG);
		piece_set_unit(&image.pieces[i], unit);
	}
	image_clear(&image);
}

/* Nothing has ever been shorter than in version 1. */
static void shorter(const void *arg)
{
	struct image image;
	unsigned int i;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < image.nr; i++) {
		struct piece *piece = &image.pieces[i];
		struct image copy;
		u32 unit;

		for (unit = 1; unit < piece->head.unit; unit++) {
			image_copy(&copy, &image);
			piece_set_unit(&copy.pieces[i], unit);
			image_fix_trailer(&copy);
			expect_refused(&copy, -EBADMSG);
			image_clear(&copy);
		}
	}
	image_clear(&image);
}

static void nothing_grows(const void *arg)
{
	static const u32 types[] = {
		CKPT_REC_MM_END, CKPT_REC_THREAD_END, CKPT_REC_PROCESS_END,
	};
	struct image image;
	struct piece *piece;
	unsigned int i;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		piece = image_find(&image, types[i], 0);
		piece_resize(piece, 8);
		image_fix(&image);
		expect_refused(&image, -EBADMSG);
		piece->head.unit = 8;
		expect_refused(&image, -EBADMSG);
		piece_resize(piece, 0);
		image_fix(&image);
		expect_refused(&image, -EBADMSG);
		piece->head.unit = 0;
	}
	EXPECT_EQ(walk_pieces(&image), 0);
	image_clear(&image);
}

/* later.c: what a kernel does whose structs have @size bytes */
int later_resize(struct ckpt_reader *r, struct ckpt_rec **recp, u32 size, bool array);

static struct ckpt_rec *make_record(u32 unit, u64 length)
{
	struct ckpt_rec *rec = kvzalloc(sizeof(*rec) + padded(length), 0);
	u64 i;

	rec->type = CKPT_REC_FDS;
	rec->tag = 5;
	rec->unit = unit;
	rec->length = length;
	for (i = 0; i < length; i++)
		((u8 *)(rec + 1))[i] = 1 + i;
	return rec;
}

/* Bytes that an old image lacks are zero, and the tail stays behind them. */
static void later_kernel(const void *arg)
{
	struct ckpt_reader reader = {};
	struct ckpt_rec *rec = make_record(16, 16 + 3);
	u8 *payload;

	(void)arg;
	EXPECT_EQ(later_resize(&reader, &rec, 24, false), 0);
	payload = ckpt_rec_data(rec);
	EXPECT_EQ(rec->tag, 5);
	EXPECT_EQ(rec->unit, 24);
	EXPECT_EQ(rec->length, 24 + 3);
	EXPECT_EQ(payload[15], 16);
	EXPECT(!memchr_inv(payload + 16, 0, 8));
	EXPECT_EQ(payload[24], 17);
	EXPECT_EQ(payload[26], 19);
	EXPECT(!memchr_inv(payload + 27, 0, 5));
	EXPECT(ckpt_rec_tail(rec) == payload + 24);
	ckpt_free_record(rec);
}

static void later_kernel_array(const void *arg)
{
	struct ckpt_reader reader = {};
	struct ckpt_rec *rec = make_record(16, 5 * 16);
	u8 *payload;
	int i;

	(void)arg;
	EXPECT_EQ(later_resize(&reader, &rec, 40, true), 0);
	payload = ckpt_rec_data(rec);
	EXPECT_EQ(rec->length, 5 * 40);
	EXPECT_EQ(ckpt_rec_count(rec), 5);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(payload[40 * i], 1 + 16 * i);
		EXPECT_EQ(payload[40 * i + 15], 16 + 16 * i);
		EXPECT(!memchr_inv(payload + 40 * i + 16, 0, 24));
	}
	ckpt_free_record(rec);
}

static void later_kernel_no_memory(const void *arg)
{
	struct ckpt_reader reader = {};
	struct ckpt_rec *rec = make_record(16, 32);
	struct ckpt_rec *before = rec;

	(void)arg;
	shim_memory.fail_nth = shim_memory.nr + 1;
	EXPECT_EQ(later_resize(&reader, &rec, 24, true), -ENOMEM);
	EXPECT(rec == before);
	ckpt_free_record(rec);
}

void grow_tests(void)
{
	run_test("longer structs, the rest is zero, small", longer_zero, &small_recipe);
	run_test("longer structs everywhere, small", longer_all, &small_recipe);
	run_test("longer structs everywhere, large", longer_all, &large_recipe);
	run_test("longer structs, any unknown byte", longer_unknown, NULL);
	run_test("longer structs, the last unknown byte", longer_unknown_last, NULL);
	run_test("structs longer than a page", longer_than_page, NULL);
	run_test("structs shorter than in version 1", shorter, NULL);
	run_test("records without payload stay so", nothing_grows, NULL);
	run_test("a later kernel reads an old struct", later_kernel, NULL);
	run_test("a later kernel reads an old array", later_kernel_array, NULL);
	run_test("a later kernel has no memory", later_kernel_no_memory, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records without their zero bytes.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdlib.h>

#include "../../../checkpoint/image.h"
#include "../../../checkpoint/limits.h"
#include "unit.h"

#define BYTES	8192

/* Every number of zero words, then one word of every shape. */
static void fill(u8 *bytes, unsigned int zeroes, u8 mask)
{
	unsigned int i;

	memset(bytes, 0, BYTES);
	for (i = 0; i < 8; i++)
		if (mask & 1 << i)
			bytes[zeroes * 8 + i] = 0x80 | i;
}

static void round_trips(const void *arg)
{
	static u8 bytes[BYTES], packed[2 * BYTES], again[BYTES];
	unsigned int zeroes, mask;
	size_t len;

	(void)arg;
	for (zeroes = 0; zeroes < BYTES / 8; zeroes++) {
		for (mask = 0; mask < 256; mask += 1 + zeroes % 7) {
			fill(bytes, zeroes, mask);
			len = ckpt_pack(packed, sizeof(packed), bytes, BYTES);
			memset(again, 0xee, BYTES);
			EXPECT(len && len < 50);
			EXPECT_EQ(ckpt_unpack(again, BYTES, packed, len), 0);
			EXPECT(!memcmp(bytes, again, BYTES));
			EXPECT_EQ(ckpt_unpack(again, BYTES, packed, len - 1), -EBADMSG);
			EXPECT_EQ(ckpt_unpack(again, BYTES, packed, len + 1), -EBADMSG);
			EXPECT_EQ(ckpt_unpack(again, BYTES - 8, packed, len), -EBADMSG);
		}
	}
	memset(bytes, 0xff, BYTES);
	len = ckpt_pack(packed, sizeof(packed), bytes, BYTES);
	EXPECT_EQ(len, BYTES / 8 * 9);
	EXPECT_EQ(ckpt_unpack(again, BYTES, packed, len), 0);
	EXPECT(!memcmp(bytes, again, BYTES));
	EXPECT_EQ(ckpt_pack(packed, len - 1, bytes, BYTES), 0);
	EXPECT_EQ(ckpt_pack(packed, 0, bytes, BYTES), 0);
	EXPECT_EQ(ckpt_unpack(again, 0, packed, 0), 0);
}

static bool pack_piece(struct piece *piece)
{
	struct ckpt_rec_packed *packed;
	u64 len = padded(piece->payload_len);
	u8 *from;

	if (piece->head.type == CKPT_REC_HEADER || piece->head.type == CKPT_REC_PAGES ||
	    piece->head.type == CKPT_REC_TRAILER || len > CKPT_PACKED_MAX)
		return false;
	from = calloc(1, len + 1);
	packed = malloc(sizeof(*packed) + len * 2 + 16);
	memcpy(from, piece->payload, piece->payload_len);
	packed->length = piece->payload_len;
	len = sizeof(*packed) + ckpt_pack(packed + 1, len * 2 + 16, from, len);
	free(from);
	free(piece->payload);
	piece->payload = (u8 *)packed;
	piece->payload_len = len;
	piece->head.length = len;
	piece->head.flags |= CKPT_RECF_PACKED;
	return len <= CKPT_PACKED_MAX;
}

static void compare_record(struct walk *walk, struct ckpt_rec *rec)
{
	const struct image *image = walk->private;
	const struct piece *piece = &image->pieces[walk->reader.nr_records - 1];

	if (rec->type == CKPT_REC_INDEX || rec->type == CKPT_REC_TRAILER)
		return;
	EXPECT_EQ(rec->flags, piece->head.flags);
	EXPECT_EQ(rec->unit, piece->head.unit);
	if (EXPECT_EQ(rec->length, piece->head.length))
		EXPECT(!memcmp(ckpt_rec_data(rec), piece->payload, rec->length));
}

static void expect_same(struct image *packed, struct image *image)
{
	struct walk walk;
	struct blob blob;

	image_fix_trailer(packed);
	image_join(packed, &blob);
	walk_start(&walk, blob.data, blob.len);
	walk.on_record = compare_record;
	walk.private = image;
	if (!EXPECT_EQ(walk_image(&walk), 0))
		note("%s", walk.reader.why);
	free(blob.data);
}

static void packed_records(const void *recipe)
{
	struct image image, packed;
	unsigned int i, nr = 0;

	image_build(&image, recipe);
	image_copy(&packed, &image);
	for (i = 0; i < packed.nr; i++) {
		if (packed.pieces[i].head.type == CKPT_REC_INDEX ||
		    !pack_piece(&packed.pieces[i]))
			continue;
		nr++;
		if (image.nr < 100)
			expect_same(&packed, &image);
	}
	EXPECT(nr > image.nr / 2);
	expect_same(&packed, &image);
	image_clear(&packed);
	image_clear(&image);
}

/* A length that is not that of the bytes; bytes that are too many or too few. */
static void packed_lies(const void *arg)
{
	static const u64 lengths[] = { 0, 1, 8, 64, 4096, CKPT_PACKED_MAX, CKPT_PACKED_MAX + 1,
				       CKPT_MAX_RECORD, ~0ULL - 7, ~0ULL };
	struct ckpt_rec_packed *packed;
	struct image image;
	struct piece *piece;
	unsigned int i;
	u64 good;

	(void)arg;
	image_build(&image, &small_recipe);
	piece = image_find(&image, CKPT_REC_THREAD, 0);
	EXPECT(pack_piece(piece));
	image_fix_trailer(&image);
	EXPECT_EQ(walk_pieces(&image), 0);
	packed = (struct ckpt_rec_packed *)piece->payload;
	good = packed->length;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		packed->length = lengths[i];
		expect_refused(&image, -EBADMSG);
	}
	for (i = 1; i < 9; i++) {
		packed->length = good - i;
		expect_refused(&image, -EBADMSG);
		packed->length = good + i;
		expect_refused(&image, -EBADMSG);
	}
	packed->length = good;
	EXPECT_EQ(walk_pieces(&image), 0);
	while (piece->payload_len) {
		piece_resize(piece, piece->payload_len - 1);
		image_fix_trailer(&image);
		expect_refused(&image, -EBADMSG);
	}
	image_clear(&image);
}

/* Whoever looks for these must not have to unpack. */
static void never_packed(const void *arg)
{
	static const u32 types[] = { CKPT_REC_HEADER, CKPT_REC_PAGES, CKPT_REC_TRAILER };
	struct image image;
	struct piece *piece;
	unsigned int i;
	u32 type;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		image_build(&image, &small_recipe);
		piece = image_find(&image, types[i], 0);
		type = piece->head.type;
		piece->head.type = CKPT_REC_THREAD;
		EXPECT(pack_piece(piece));
		piece->head.type = type;
		expect_refused(&image, -EBADMSG);
		image_clear(&image);
	}
}

void pack_tests(void)
{
	run_test("packing and unpacking", round_trips, NULL);
	run_test("packed records, small image", packed_records, &small_recipe);
	run_test("packed records, large image", packed_records, &large_recipe);
	run_test("packed records that lie", packed_lies, NULL);
	run_test("records that may not be packed", never_packed, NULL);
}

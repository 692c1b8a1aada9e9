// SPDX-License-Identifier: GPL-2.0-only
/*
 * Malice: heads that lie, with sums that are right. run_test() checks that no
 * lie made the reader allocate more than what was read gives it a right to.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdlib.h>

#include "../../../checkpoint/limits.h"
#include "unit.h"

static const u64 lengths[] = {
	64, 4096, CKPT_READ_STEP, CKPT_READ_STEP + 1, 1024 * 1024, CKPT_MAX_RECORD / 2,
	CKPT_MAX_RECORD - 7, CKPT_MAX_RECORD, CKPT_MAX_RECORD + 1, INT_MAX, 1ULL << 31,
	1ULL << 32, LLONG_MAX, 1ULL << 63, U64_MAX - 38, U64_MAX - 6, U64_MAX,
};

static const u32 units[] = { 0, 1, 3, 7, PAGE_SIZE + 1, 1 << 20, INT_MAX, 1U << 31, ~0U };

/* Every record claims to be longer than it is. */
static void long_lengths(const void *arg)
{
	struct image image;
	unsigned int i, k;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < image.nr; i++) {
		struct piece *piece = &image.pieces[i];

		for (k = 0; k < ARRAY_SIZE(lengths); k++) {
			if (lengths[k] <= piece->payload_len)
				continue;
			piece->head.length = lengths[k];
			expect_refused(&image, -EBADMSG);
		}
		piece->head.length = piece->payload_len;
	}
	EXPECT_EQ(walk_pieces(&image), 0);
	image_clear(&image);
}

static void short_lengths(const void *arg)
{
	struct image image;
	unsigned int i;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < image.nr; i++) {
		struct piece *piece = &image.pieces[i];
		u64 length = piece->head.length;

		while (piece->head.length) {
			piece->head.length--;
			expect_refused(&image, -EBADMSG);
		}
		piece->head.length = length;
	}
	image_clear(&image);
}

static void odd_units(const void *arg)
{
	struct image image;
	unsigned int i, k;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < image.nr; i++) {
		struct piece *piece = &image.pieces[i];
		u32 unit = piece->head.unit;

		for (k = 0; k < ARRAY_SIZE(units); k++) {
			piece->head.unit = units[k];
			if (units[k] != unit)
				expect_refused(&image, -EBADMSG);
		}
		piece->head.unit = unit;
	}
	image_clear(&image);
}

/* Both at once, over the whole length of the payload that is really there. */
static void lengths_and_units(const void *arg)
{
	struct image image;
	unsigned int i, k, n;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < image.nr; i++) {
		struct piece *piece = &image.pieces[i];
		struct ckpt_rec head = piece->head;

		for (k = 0; k < ARRAY_SIZE(lengths); k++) {
			for (n = 0; n < ARRAY_SIZE(units); n++) {
				piece->head.length = lengths[k];
				piece->head.unit = units[n];
				expect_refused(&image, -EBADMSG);
			}
		}
		piece->head = head;
	}
	image_clear(&image);
}

/* A long record is believed while its bytes come, and not longer. */
static void long_record_cut(const void *arg)
{
	struct recipe recipe = small_recipe;
	struct image image;
	struct blob blob;
	size_t len;

	(void)arg;
	recipe.signals = CKPT_MAX_SIGPENDING / 32;
	image_build(&image, &recipe);
	image_join(&image, &blob);
	for (len = 16; len < blob.len; len += len / 3)
		EXPECT_EQ(walk_bytes(blob.data, len), -EBADMSG);
	EXPECT_EQ(walk_bytes(blob.data, blob.len), 0);
	free(blob.data);
	image_clear(&image);
}

static void insert_unknown(struct image *image, u32 type, u32 flags, u64 len)
{
	struct piece piece = {
		.head = { .type = type, .flags = flags, .tag = 7, .unit = 123, .length = len },
		.payload = calloc(1, len + 1),
		.payload_len = len,
	};

	memset(piece.payload, 0xff, len);
	image_insert(image, 3, &piece);
	image_fix(image);
	free(piece.payload);
}

/* Also an unknown record that is skipped must be whole, and counts. */
static void unknown_skippable(const void *arg)
{
	static const u32 types[] = { 0, CKPT_REC_NR, CKPT_REC_NR + 1, 4711, ~0U };
	static const u64 sizes[] = { 0, 1, 13, 4096, 200000 };
	struct image image;
	unsigned int i, k;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (k = 0; k < ARRAY_SIZE(sizes); k++) {
			insert_unknown(&image, types[i], CKPT_RECF_SKIPPABLE, sizes[k]);
			EXPECT_EQ(walk_pieces(&image), 0);
			image.pieces[3].head.length = CKPT_MAX_RECORD;
			expect_refused(&image, -EBADMSG);
			image_remove(&image, 3);
			expect_refused(&image, -EBADMSG);
		}
	}
	image_clear(&image);
}

/* Also what nobody knows cannot be of any length: rounded up, some are 0. */
static void unknown_lengths(const void *arg)
{
	struct image image;
	unsigned int i;

	(void)arg;
	image_build(&image, &small_recipe);
	insert_unknown(&image, CKPT_REC_NR, CKPT_RECF_SKIPPABLE, 0);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		image.pieces[3].head.length = lengths[i];
		expect_refused(&image, -EBADMSG);
		if (lengths[i] <= CKPT_MAX_RECORD)
			continue;
		/* The head alone says so. */
		shim_memory.nr = 0;
		expect_refused(&image, -EBADMSG);
		EXPECT_EQ(shim_memory.nr, 3);
	}
	image_clear(&image);
}

/* Page data starts at the next page, wherever the record before it ends. */
static void page_data_anywhere(const void *arg)
{
	struct image image;
	u64 len;

	(void)arg;
	image_build(&image, &small_recipe);
	for (len = 0; len <= PAGE_SIZE; len += 8) {
		insert_unknown(&image, CKPT_REC_NR, CKPT_RECF_SKIPPABLE, len);
		if (!EXPECT_EQ(walk_pieces(&image), 0))
			note("%llu bytes more", len);
		image_remove(&image, 3);
	}
	image_clear(&image);
}

static void unknown_needed(const void *arg)
{
	static const u32 types[] = { 0, CKPT_REC_NR, CKPT_REC_NR + 1, 4711, ~0U };
	struct image image;
	unsigned int i;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		insert_unknown(&image, types[i], 0, 8);
		expect_refused(&image, -EBADMSG);
		image_remove(&image, 3);
	}
	image_clear(&image);
}

static void unknown_first(const void *arg)
{
	struct image image;

	(void)arg;
	image_build(&image, &small_recipe);
	insert_unknown(&image, CKPT_REC_NR, CKPT_RECF_SKIPPABLE, 8);
	image_insert(&image, 0, &image.pieces[3]);
	image_remove(&image, 4);
	image_fix(&image);
	expect_refused(&image, -EBADMSG);
	image_clear(&image);
}

static void unknown_flags(const void *arg)
{
	struct image image;
	unsigned int i, bit;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i < image.nr; i++) {
		u32 flags = image.pieces[i].head.flags;

		image.pieces[i].head.flags = CKPT_RECF_SKIPPABLE;
		EXPECT_EQ(walk_pieces(&image), 0);
		for (bit = 1; bit < 32; bit++) {
			image.pieces[i].head.flags = flags | 1U << bit;
			expect_refused(&image, -EBADMSG);
		}
		image.pieces[i].head.flags = flags;
	}
	insert_unknown(&image, CKPT_REC_NR, CKPT_RECF_SKIPPABLE | 1U << 7, 8);
	expect_refused(&image, -EBADMSG);
	image_clear(&image);
}

/* Zero bytes after an odd payload, before page data: not a place to hide in. */
static void padding(const void *arg)
{
	struct recipe recipe = small_recipe;
	struct image image;
	struct blob blob;
	struct ckpt_rec *rec;
	u64 end, at;

	(void)arg;
	recipe.regset = 3;
	image_build(&image, &recipe);
	image_join(&image, &blob);
	at = image_offset(&image, image_find(&image, CKPT_REC_REGSET, 0) - image.pieces);
	rec = (struct ckpt_rec *)(blob.data + at);
	end = at + sizeof(*rec) + rec->length;
	for (at = end; at % 8; at++) {
		blob.data[at] = 1;
		rec->sum = ckpt_rec_sum(rec);
		EXPECT_EQ(walk_bytes(blob.data, blob.len), -EBADMSG);
		blob.data[at] = 0;
	}
	rec->sum = ckpt_rec_sum(rec);
	EXPECT_EQ(walk_bytes(blob.data, blob.len), 0);

	at = image_offset(&image, image_find(&image, CKPT_REC_SUMS, 0) - image.pieces);
	for (at -= PAGE_SIZE + 1; !blob.data[at]; at--) {
		blob.data[at] = 1;
		EXPECT_EQ(walk_bytes(blob.data, blob.len), -EBADMSG);
		blob.data[at] = 0;
	}
	free(blob.data);
	image_clear(&image);
}

/* A PAGES record promises more than the image has. */
static void missing_pages(const void *arg)
{
	struct recipe recipe = small_recipe;
	struct image image;
	struct piece *piece;

	(void)arg;
	recipe.pages = 16;
	recipe.extent_pages = CKPT_MAX_RECORD_PAGES;
	image_build(&image, &recipe);
	piece = image_find(&image, CKPT_REC_PAGES, 0);
	((struct ckpt_rec_extent *)piece->payload)->nr_pages = CKPT_MAX_RECORD_PAGES;
	expect_refused(&image, -EBADMSG);
	image_clear(&image);
}

void hostile_tests(void)
{
	run_test("lengths that are too long", long_lengths, NULL);
	run_test("lengths that are too short", short_lengths, NULL);
	run_test("units that cannot be", odd_units, NULL);
	run_test("lengths and units that cannot be", lengths_and_units, NULL);
	run_test("a long record, cut", long_record_cut, NULL);
	run_test("unknown records that may be skipped", unknown_skippable, NULL);
	run_test("unknown records of any length", unknown_lengths, NULL);
	run_test("page data at any offset", page_data_anywhere, NULL);
	run_test("unknown records that may not", unknown_needed, NULL);
	run_test("an unknown record comes first", unknown_first, NULL);
	run_test("unknown flags", unknown_flags, NULL);
	run_test("padding that is not zero", padding, NULL);
	run_test("page data that is not there", missing_pages, NULL);
}

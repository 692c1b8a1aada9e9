// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was written is what is read.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdlib.h>

#include "../../../checkpoint/limits.h"
#include "unit.h"

/* Compares a record with the piece that it was made from. */
static void compare_record(struct walk *walk, struct ckpt_rec *rec)
{
	struct image *image = walk->private;
	struct piece *piece = &image->pieces[walk->reader.nr_records - 1];

	EXPECT_EQ(rec->type, piece->head.type);
	EXPECT_EQ(rec->flags, piece->head.flags);
	EXPECT_EQ(rec->tag, piece->head.tag);
	EXPECT_EQ(rec->unit, piece->head.unit);
	if (EXPECT_EQ(rec->length, piece->head.length))
		EXPECT(!memcmp(ckpt_rec_data(rec), piece->payload, rec->length));
}

static void round_trip_of(struct image *image)
{
	struct piece *trailer = &image->pieces[image->nr - 1];
	struct ckpt_rec_trailer *totals = (struct ckpt_rec_trailer *)trailer->payload;
	struct walk walk;
	struct blob blob;

	image_join(image, &blob);
	walk_start(&walk, blob.data, blob.len);
	walk.on_record = compare_record;
	walk.private = image;
	if (!EXPECT_EQ(walk_image(&walk), 0))
		note("%s", walk.reader.why);
	EXPECT_EQ(walk.reader.offset, blob.len);
	EXPECT_EQ(walk.reader.nr_records, image->nr);
	EXPECT_EQ(walk.reader.nr_pages, totals->nr_pages);
	EXPECT_EQ(walk.reader.page_size, 4096);
	EXPECT(!walk.reader.why);
	EXPECT(!memcmp(walk.reader.image_id, totals->image_id, sizeof(totals->image_id)));
	free(blob.data);
}

static void round_trip(const void *recipe)
{
	struct image image;

	image_build(&image, recipe);
	round_trip_of(&image);
	image_clear(&image);
}

/* Payloads around the step in which a reader believes a length. */
static void payload_sizes(const void *arg)
{
	static const u32 counts[] = { 1, 454, 455, 456, 909, 910, 911, 1820, 100000 };
	struct recipe recipe = small_recipe;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		recipe.signals = counts[i];
		round_trip(&recipe);
	}
}

static void unaligned_payloads(const void *arg)
{
	struct recipe recipe = small_recipe;

	(void)arg;
	for (recipe.regset = 1; recipe.regset < 40; recipe.regset++)
		round_trip(&recipe);
	recipe.regset = CKPT_MAX_REGSET;
	round_trip(&recipe);
}

/* One byte more than a chunk of page data needs a second sum. */
static void chunk_sizes(const void *arg)
{
	static const u32 counts[] = { 255, 256, 257, 512, 513 };
	struct recipe recipe = small_recipe;
	unsigned int i;

	(void)arg;
	recipe.extent_pages = 600;
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		recipe.pages = counts[i];
		round_trip(&recipe);
	}
}

static void empty_arrays(const void *arg)
{
	struct recipe recipe = small_recipe;

	(void)arg;
	recipe.pages = 0;
	recipe.files = 0;
	recipe.signals = 0;
	recipe.groups = 0;
	round_trip(&recipe);
}

static void split_and_join(const void *arg)
{
	struct blob first, second;
	struct image image, again;

	(void)arg;
	image_build(&image, &large_recipe);
	image_join(&image, &first);
	image_split(&again, first.data, first.len);
	image_fix(&again);
	image_join(&again, &second);
	EXPECT_EQ(second.len, first.len);
	EXPECT(second.len == first.len && !memcmp(first.data, second.data, first.len));
	free(first.data);
	free(second.data);
	image_clear(&image);
	image_clear(&again);
}

static void names(const void *arg)
{
	u32 i, k;

	(void)arg;
	for (i = 1; i < CKPT_REC_NR; i++) {
		EXPECT(strcmp(ckpt_rec_name(i), "unknown"));
		for (k = 1; k < i; k++)
			EXPECT(strcmp(ckpt_rec_name(i), ckpt_rec_name(k)));
	}
	EXPECT(!strcmp(ckpt_rec_name(0), "unknown"));
	EXPECT(!strcmp(ckpt_rec_name(CKPT_REC_NR), "unknown"));
	EXPECT(!strcmp(ckpt_rec_name(~0U), "unknown"));
}

/* Whatever comes after the trailer belongs to somebody else. */
static void stops_at_trailer(const void *arg)
{
	struct image image;

	(void)arg;
	image_build(&image, &small_recipe);
	image_add(&image, 4711, 0, 0, "more", 4);
	EXPECT_EQ(walk_pieces(&image), 0);
	image_clear(&image);
}

static void frees_nothing(const void *arg)
{
	(void)arg;
	ckpt_free_record(NULL);
}

/* The sum of a record with known bytes, worked out by other means. */
static void known_sum(const void *arg)
{
	struct {
		struct ckpt_rec head;
		u8 payload[8];
	} rec = {
		.head = { .type = 1, .tag = 2, .unit = 3, .length = 5, .sum = 99 },
		.payload = "hello",
	};

	(void)arg;
	EXPECT_EQ(ckpt_rec_sum(&rec.head), 0xccca82e1f63ba35dULL);
	EXPECT_EQ(rec.head.sum, 99);
}

void read_tests(void)
{
	run_test("round trip, small", round_trip, &small_recipe);
	run_test("round trip, large", round_trip, &large_recipe);
	run_test("round trip, payloads around the read step", payload_sizes, NULL);
	run_test("round trip, payloads of any alignment", unaligned_payloads, NULL);
	run_test("round trip, page data around chunks", chunk_sizes, NULL);
	run_test("round trip, empty arrays", empty_arrays, NULL);
	run_test("split and join give the same bytes", split_and_join, NULL);
	run_test("the reader stops at the trailer", stops_at_trailer, NULL);
	run_test("every type has a name of its own", names, NULL);
	run_test("freeing no record", frees_nothing, NULL);
	run_test("sum of a known record", known_sum, NULL);
}

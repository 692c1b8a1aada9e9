// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accidents: truncation, flipped bits, missing memory, failing disks. None of
 * them may look like success.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdlib.h>

#include "unit.h"

static void small_blob(struct blob *blob)
{
	struct image image;

	image_build(&image, &small_recipe);
	image_join(&image, blob);
	image_clear(&image);
}

/* In a buffer of just that size, so that reading behind its end is noticed. */
static void truncation(const void *arg)
{
	struct walk walk;
	struct blob blob;
	size_t len;
	u8 *data;
	int ret;

	(void)arg;
	small_blob(&blob);
	for (len = 0; len < blob.len; len++) {
		data = malloc(len + !len);
		memcpy(data, blob.data, len);
		walk_start(&walk, data, len);
		ret = walk_image(&walk);
		free(data);
		if (!EXPECT_EQ(ret, -EBADMSG) || !EXPECT(walk.reader.why)) {
			note("truncated to %zu bytes", len);
			break;
		}
	}
	EXPECT_EQ(walk_bytes(blob.data, blob.len), 0);
	free(blob.data);
}

static bool refused(const struct blob *blob)
{
	struct walk walk;
	int ret;

	walk_start(&walk, blob->data, blob->len);
	ret = walk_image(&walk);
	return (ret == -EBADMSG || ret == -ENOEXEC || ret == -E2BIG) && walk.reader.why &&
	       !shim_memory.nr_live;
}

static void flipped_bits(const void *arg)
{
	struct blob blob;
	u64 bit;

	(void)arg;
	small_blob(&blob);
	for (bit = 0; bit < 8 * blob.len; bit++) {
		blob.data[bit / 8] ^= 1 << bit % 8;
		if (!EXPECT(refused(&blob)))
			note("bit %llu of byte %llu", bit % 8, bit / 8);
		blob.data[bit / 8] ^= 1 << bit % 8;
	}
	EXPECT_EQ(walk_bytes(blob.data, blob.len), 0);
	free(blob.data);
}

/* Two records change places, or one is lost or doubled. */
static void moved_records(const void *arg)
{
	struct image image;
	struct piece piece;
	unsigned int i;

	(void)arg;
	image_build(&image, &small_recipe);
	for (i = 0; i + 1 < image.nr; i++) {
		image_insert(&image, i, &image.pieces[i]);
		EXPECT(walk_pieces(&image) == -EBADMSG);
		image_remove(&image, i);

		piece = image.pieces[i];
		memmove(&image.pieces[i], &image.pieces[i + 1],
			(--image.nr - i) * sizeof(piece));
		EXPECT(walk_pieces(&image) == -EBADMSG);
		memmove(&image.pieces[i + 1], &image.pieces[i],
			(image.nr++ - i) * sizeof(piece));
		image.pieces[i] = piece;
	}
	EXPECT_EQ(walk_pieces(&image), 0);
	image_clear(&image);
}

static void not_an_image(const void *arg)
{
	static const char * const texts[] = {
		"", "\177ELF\2\1\1", "#!/bin/sh\n# a script that is longer than one head\n",
		"\1\0\0\0", "CKPINT\x1a\n CKPINT\x1a\n CKPINT\x1a\n CKPINT\x1a\n",
	};
	static const char zeros[4096];
	unsigned int i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		EXPECT_EQ(walk_bytes(texts[i], strlen(texts[i])), -EBADMSG);
	EXPECT_EQ(walk_bytes(zeros, sizeof(zeros)), -EBADMSG);
}

/* A machine of the other byte order wrote it: the first record's type says so. */
static void other_byte_order(const void *arg)
{
	struct walk walk;
	struct blob blob;

	(void)arg;
	small_blob(&blob);
	blob.data[0] = 0;
	blob.data[3] = CKPT_REC_HEADER;
	walk_start(&walk, blob.data, blob.len);
	EXPECT_EQ(walk_image(&walk), -ENOEXEC);
	EXPECT(walk.reader.why);
	free(blob.data);
}

/* Fails the first allocation, then the second, ... until all goes well. */
static void no_memory(const void *recipe)
{
	struct image image;
	struct blob blob;
	unsigned long n;
	int ret;

	image_build(&image, recipe);
	/* Structs of another size need an allocation of their own. */
	piece_set_unit(image_find(&image, CKPT_REC_VMAS, 0), 64);
	image_fix(&image);
	image_join(&image, &blob);
	image_clear(&image);
	for (n = 1; ; n++) {
		shim_memory.nr = 0;
		shim_memory.fail_nth = n;
		ret = walk_bytes(blob.data, blob.len);
		EXPECT_EQ(shim_memory.nr_live, 0);
		if (shim_memory.nr < n)
			break;
		if (!EXPECT_EQ(ret, -ENOMEM))
			note("allocation %lu", n);
	}
	EXPECT_EQ(ret, 0);
	EXPECT(n > 20);
	shim_memory.fail_nth = 0;
	free(blob.data);
}

/* The same with the source: its error comes through as it is. */
static void read_errors(const void *recipe)
{
	struct image image;
	struct walk walk;
	struct blob blob;
	unsigned long n;
	int ret;

	image_build(&image, recipe);
	image_join(&image, &blob);
	image_clear(&image);
	for (n = 1; ; n++) {
		walk_start(&walk, blob.data, blob.len);
		walk.source.fail_nth = n;
		ret = walk_image(&walk);
		EXPECT_EQ(shim_memory.nr_live, 0);
		if (walk.source.reads < n)
			break;
		if (!EXPECT_EQ(ret, -EIO))
			note("read %lu", n);
	}
	EXPECT_EQ(ret, 0);
	EXPECT(n > 40);
	free(blob.data);
}

void damage_tests(void)
{
	run_test("truncation at every byte", truncation, NULL);
	run_test("every single bit flipped", flipped_bits, NULL);
	run_test("a record lost or doubled", moved_records, NULL);
	run_test("files that are no images", not_an_image, NULL);
	run_test("another byte order", other_byte_order, NULL);
	run_test("no memory at any allocation, small", no_memory, &small_recipe);
	run_test("no memory at any allocation, large", no_memory, &large_recipe);
	run_test("read errors anywhere, small", read_errors, &small_recipe);
	run_test("read errors anywhere, large", read_errors, &large_recipe);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutations that know what an image is: it is taken apart into records, some
 * are changed, and sums and totals are made to agree again. Without that no
 * mutation would ever get past the first checksum.
 */
#include <linux/kernel.h>
#include <stdlib.h>
#include <string.h>

#include "pieces.h"

#define PAGE		4096U
#define MAX_PAYLOAD	4096
#define MAX_DATA	(4 * PAGE)

/* By libFuzzer, or lie.c */
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1, const u8 *data2,
				 size_t size2, u8 *out, size_t max_out, unsigned int seed);

static u64 state;

/* splitmix64 */
static u64 any(void)
{
	u64 x = state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static u64 below(u64 n)
{
	return any() % n;
}

static u64 any_value(u64 old)
{
	static const u64 values[] = {
		0, 1, 2, 3, 7, 8, 16, 63, 64, 65, 255, 256, 4095, 4096, 4097, 32768,
		65536, INT_MAX, 1ULL << 31, ~0U, 1ULL << 32, 1ULL << 52, LLONG_MAX,
		1ULL << 63, U64_MAX - 4095, U64_MAX - 7, U64_MAX,
	};

	switch (below(4)) {
	case 0:
		return old + below(17) - 8;
	case 1:
		return old ^ 1ULL << below(64);
	case 2:
		return any() >> below(64);
	}
	return values[below(ARRAY_SIZE(values))];
}

/* A number of 4 or 8 bytes, where numbers are. */
static void change_number(struct piece *piece)
{
	size_t size = below(2) ? 4 : 8;
	u64 value = 0;
	u8 *at;

	if (piece->payload_len < 8)
		return;
	at = piece->payload + (below(piece->payload_len - 7) & ~3ULL);
	memcpy(&value, at, size);
	value = any_value(value);
	memcpy(at, &value, size);
}

static void change_bytes(struct piece *piece)
{
	u64 max = piece->payload_len + below(64);
	u64 len = piece->payload_len;

	if (!max || max > MAX_PAYLOAD)
		return;
	piece_resize(piece, max);
	piece_resize(piece, LLVMFuzzerMutate(piece->payload, len, max));
}

/* Whole elements are cut off or appended. */
static void change_count(struct piece *piece)
{
	u64 len = piece->head.unit * below(70);

	if (len <= MAX_PAYLOAD)
		piece_resize(piece, len);
}

static void change_unit(struct piece *piece)
{
	u32 unit = piece->head.unit + below(33) - 8;

	if (!piece->head.unit || !unit || unit > 2 * PAGE ||
	    piece->payload_len < piece->head.unit || piece->payload_len > MAX_PAYLOAD)
		return;
	piece_set_unit(piece, unit);
}

static void change_head(struct piece *piece)
{
	switch (below(5)) {
	case 0:
		piece->head.type = below(4) ? below(CKPT_REC_NR + 1) : any();
		break;
	case 1:
		piece->head.flags = below(4) ? below(4) : any_value(0);
		break;
	case 2:
		piece->head.tag = any_value(piece->head.tag);
		break;
	case 3:
		piece->head.unit = any_value(piece->head.unit);
		break;
	case 4:
		piece->head.length = any_value(piece->head.length);
		break;
	}
}

static u64 wanted_data(const struct piece *piece)
{
	struct ckpt_rec_extent extent;
	u64 at, nr = 0;

	for (at = 0; at + sizeof(extent) <= piece->payload_len; at += sizeof(extent)) {
		memcpy(&extent, piece->payload + at, sizeof(extent));
		if (extent.nr_pages > MAX_DATA / PAGE)
			return MAX_DATA;
		nr += extent.nr_pages;
	}
	return nr > MAX_DATA / PAGE ? MAX_DATA : nr * PAGE;
}

/* Page data is only where it can be, and mostly as much as there must be. */
static void settle_data(struct piece *piece)
{
	if (piece->head.type != CKPT_REC_PAGES)
		piece_resize_data(piece, 0);
	else if (below(8))
		piece_resize_data(piece, wanted_data(piece));
	if (piece->data_len && !below(4))
		piece->data[below(piece->data_len)] = any();
}

static void change_order(struct image *image)
{
	unsigned int from = below(image->nr), to = below(image->nr);
	struct piece piece;

	switch (below(3)) {
	case 0:
		if (image->nr < 100)
			image_insert(image, to, &image->pieces[from]);
		break;
	case 1:
		if (image->nr > 1)
			image_remove(image, from);
		break;
	case 2:
		piece = image->pieces[from];
		image->pieces[from] = image->pieces[to];
		image->pieces[to] = piece;
		break;
	}
}

/* Types of which there are few get their share. */
static struct piece *any_piece(struct image *image)
{
	unsigned int nr[CKPT_REC_NR] = {}, types = 0, pick, i;
	u32 type;

	if (below(4) == 0)
		return &image->pieces[below(image->nr)];
	for (i = 0; i < image->nr; i++) {
		type = image->pieces[i].head.type;
		if (type < CKPT_REC_NR)
			types += !nr[type]++;
	}
	pick = types ? below(types) : 0;
	for (type = 0; type < CKPT_REC_NR; type++)
		if (nr[type] && !pick--)
			return image_find(image, type, below(nr[type]));
	return &image->pieces[0];
}

static void mutate_once(struct image *image)
{
	struct piece *piece = any_piece(image);

	switch (below(8)) {
	case 0:
	case 1:
	case 2:
		change_number(piece);
		break;
	case 3:
		change_bytes(piece);
		break;
	case 4:
		change_count(piece);
		break;
	case 5:
		change_unit(piece);
		break;
	case 6:
		change_head(piece);
		break;
	case 7:
		change_order(image);
		return;
	}
	settle_data(piece);
}

/* Writes the image where libFuzzer wants it; 0: it has grown too long. */
static size_t give(struct image *image, u8 *out, size_t max)
{
	struct blob blob;
	size_t len;

	if (below(16))
		image_fix(image);
	image_join(image, &blob);
	len = blob.len <= max ? blob.len : 0;
	memcpy(out, blob.data, len);
	free(blob.data);
	image_clear(image);
	return len;
}

void image_mutate(struct image *image, u64 seed)
{
	u64 n;

	state = seed;
	for (n = 1 + below(4); n && image->nr; n--)
		mutate_once(image);
	image_fix(image);
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	struct image image;
	size_t len = 0;
	u64 n;

	state = seed;
	image_split(&image, data, size);
	if (!image.nr)
		image_build(&image, &small_recipe);
	if (!below(32)) {
		image_clear(&image);
		return LLVMFuzzerMutate(data, size, max_size);
	}
	for (n = 1 + below(4); n; n--)
		mutate_once(&image);
	len = give(&image, data, max_size);
	return len ?: LLVMFuzzerMutate(data, size, max_size);
}

/* Some records of one image go into the other. */
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1, const u8 *data2,
				 size_t size2, u8 *out, size_t max_out, unsigned int seed)
{
	struct image image, other;
	u64 n;

	state = seed;
	image_split(&image, data1, size1);
	image_split(&other, data2, size2);
	for (n = 1 + below(8); n && other.nr; n--)
		image_insert(&image, below(image.nr + 1), &other.pieces[below(other.nr)]);
	image_clear(&other);
	return give(&image, out, max_out);
}

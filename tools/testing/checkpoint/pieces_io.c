// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pieces to bytes and back, by the text of the format alone.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "pieces.h"

#define PAGE		4096ULL
#define CHUNK		(CKPT_CHUNK_PAGES * PAGE)

u64 padded(u64 len)
{
	return (len + 7) & ~7ULL;
}

static u64 page_align(u64 offset)
{
	return (offset + PAGE - 1) & ~(PAGE - 1);
}

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* The offset behind a piece that lies at @offset. */
static u64 piece_end(const struct piece *piece, u64 offset)
{
	offset += sizeof(piece->head) + padded(piece->payload_len);
	if (piece->head.type == CKPT_REC_PAGES)
		offset = page_align(offset) + piece->data_len;
	return offset;
}

/* Where a piece will be in the image; @at may be the number of pieces. */
u64 image_offset(const struct image *image, unsigned int at)
{
	u64 offset = 0;
	unsigned int i;

	for (i = 0; i < at; i++)
		offset = piece_end(&image->pieces[i], offset);
	return offset;
}

/* Elements keep their size, unless it cannot be. */
static void fix_unit(struct piece *piece, u32 least_unit)
{
	if (piece->head.unit < least_unit || piece->head.unit > PAGE)
		piece->head.unit = least_unit;
}

static void fix_sums(struct piece *sums, const struct piece *pages)
{
	u64 i, nr = (pages->data_len + CHUNK - 1) / CHUNK;

	fix_unit(sums, sizeof(u64));
	piece_resize(sums, nr * sums->head.unit);
	for (i = 0; i < nr; i++) {
		u64 len = least(CHUNK, pages->data_len - i * CHUNK);
		u64 sum = XXH64(pages->data + i * CHUNK, len, 0);

		memcpy(sums->payload + i * sums->head.unit, &sum, sizeof(sum));
	}
}

static void fix_index(const struct image *image, struct piece *index)
{
	struct ckpt_rec_index_entry entry;
	unsigned int i;
	u64 nr = 0, offset = 0;

	fix_unit(index, sizeof(entry));
	for (i = 0; &image->pieces[i] != index; i++) {
		const struct piece *piece = &image->pieces[i];

		entry.offset = offset;
		entry.type = piece->head.type;
		entry.tag = piece->head.tag;
		offset = piece_end(piece, offset);
		if (entry.type != CKPT_REC_MM && entry.type != CKPT_REC_PAGES &&
		    entry.type != CKPT_REC_PROCESS)
			continue;
		piece_resize(index, (nr + 1) * index->head.unit);
		memcpy(index->payload + nr++ * index->head.unit, &entry, sizeof(entry));
	}
	piece_resize(index, nr * index->head.unit);
}

/* Only the totals, of an image that ends in a trailer. */
void image_fix_trailer(struct image *image)
{
	unsigned int at = image->nr - 1;
	struct piece *first = &image->pieces[0];
	struct piece *piece = &image->pieces[at];
	struct ckpt_rec_trailer trailer = {};
	unsigned int i;

	if (first->payload_len >= sizeof(struct ckpt_rec_header))
		memcpy(trailer.image_id,
		       first->payload + offsetof(struct ckpt_rec_header, image_id),
		       sizeof(trailer.image_id));
	trailer.nr_records = image->nr;
	for (i = 0; i < at; i++) {
		trailer.nr_pages += image->pieces[i].data_len / PAGE;
		if (image->pieces[i].head.type == CKPT_REC_INDEX)
			trailer.index_offset = image_offset(image, i);
	}
	if (piece->payload_len < sizeof(trailer))
		piece_resize(piece, sizeof(trailer));
	trailer.length = image_offset(image, at + 1);
	memcpy(piece->payload, &trailer, sizeof(trailer));
}

/* Makes sums of page data, indexes and totals agree with everything else. */
void image_fix(struct image *image)
{
	unsigned int i;

	for (i = 0; i < image->nr; i++) {
		switch (image->pieces[i].head.type) {
		case CKPT_REC_SUMS:
			if (i && image->pieces[i - 1].head.type == CKPT_REC_PAGES)
				fix_sums(&image->pieces[i], &image->pieces[i - 1]);
			break;
		case CKPT_REC_INDEX:
			fix_index(image, &image->pieces[i]);
			break;
		}
	}
	if (image->nr && image->pieces[image->nr - 1].head.type == CKPT_REC_TRAILER)
		image_fix_trailer(image);
}

/* Writes the image as it is, right or wrong; only the records' sums are made. */
void image_join(const struct image *image, struct blob *blob)
{
	u64 sum, offset = 0;
	unsigned int i;

	blob->len = image_offset(image, image->nr);
	blob->data = calloc(1, blob->len + 1);
	if (!blob->data)
		abort();
	for (i = 0; i < image->nr; i++) {
		const struct piece *piece = &image->pieces[i];
		u8 *at = blob->data + offset;
		u64 len = sizeof(piece->head) + padded(piece->payload_len);

		memcpy(at, &piece->head, sizeof(piece->head));
		memset(at + offsetof(struct ckpt_rec, sum), 0, sizeof(sum));
		memcpy(at + sizeof(piece->head), piece->payload, piece->payload_len);
		sum = XXH64(at, len, 0);
		memcpy(at + offsetof(struct ckpt_rec, sum), &sum, sizeof(sum));
		if (piece->head.type == CKPT_REC_PAGES)
			memcpy(blob->data + page_align(offset + len), piece->data,
			       piece->data_len);
		offset = piece_end(piece, offset);
	}
}

/* Groups of 8 bytes: a mask of those that are there; after 0 how many more are zero. */
static int unpack(u8 *to, u64 len, const u8 *from, const u8 *end)
{
	u8 *last = to + len, mask;
	u64 skip;
	int i;

	while (from < end && to < last) {
		mask = *from++;
		for (i = 0; i < 8; i++)
			if (mask & 1 << i) {
				if (from == end)
					return -1;
				to[i] = *from++;
			}
		skip = 8;
		if (!mask) {
			if (from == end)
				return -1;
			skip += *from++ * 8;
		}
		if (skip > (u64)(last - to))
			return -1;
		to += skip;
	}
	return 0;
}

/* Packed records become what they are without; -1: one cannot be unpacked. */
int image_unpack(struct image *image)
{
	struct ckpt_rec_packed packed;
	struct piece *piece, plain;
	unsigned int i;
	int ret;

	for (i = 0; i < image->nr; i++) {
		piece = &image->pieces[i];
		if (!(piece->head.flags & CKPT_RECF_PACKED))
			continue;
		if (piece->payload_len < sizeof(packed))
			return -1;
		memcpy(&packed, piece->payload, sizeof(packed));
		plain = *piece;
		plain.payload = calloc(1, padded(packed.length) + 1);
		if (!plain.payload)
			abort();
		ret = unpack(plain.payload, padded(packed.length), piece->payload + sizeof(packed),
			     piece->payload + piece->payload_len);
		plain.payload_len = packed.length;
		plain.head.length = packed.length;
		plain.head.flags &= ~CKPT_RECF_PACKED;
		image_insert(image, i + 1, &plain);
		image_remove(image, i);
		free(plain.payload);
		if (ret)
			return -1;
	}
	return 0;
}

static u64 data_wanted(const struct piece *piece)
{
	struct ckpt_rec_extent extent;
	u64 offset, pages = 0;

	if (piece->head.type != CKPT_REC_PAGES || piece->head.unit < sizeof(extent))
		return 0;
	for (offset = 0; offset + sizeof(extent) <= piece->payload_len;
	     offset += piece->head.unit) {
		memcpy(&extent, piece->payload + offset, sizeof(extent));
		pages += least(extent.nr_pages, 1ULL << 32);
	}
	return pages * PAGE;
}

/* Takes anything apart: what is not an image becomes odd pieces. */
void image_split(struct image *image, const u8 *data, size_t len)
{
	struct piece piece;
	u64 offset = 0;

	memset(image, 0, sizeof(*image));
	while (len - offset >= sizeof(piece.head)) {
		memcpy(&piece.head, data + offset, sizeof(piece.head));
		offset += sizeof(piece.head);
		piece.payload = (u8 *)data + offset;
		piece.payload_len = least(piece.head.length, len - offset);
		offset = least(len, offset + padded(piece.payload_len));
		piece.data_len = data_wanted(&piece);
		if (piece.data_len)
			offset = least(len, page_align(offset));
		piece.data = (u8 *)data + offset;
		piece.data_len = least(piece.data_len, len - offset);
		offset += piece.data_len;
		image_insert(image, image->nr, &piece);
	}
}

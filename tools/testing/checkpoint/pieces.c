// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of pieces. Nothing here is under test: what cannot go on, aborts.
 */
#include <stdlib.h>
#include <string.h>

#include "pieces.h"

static u8 *copy_bytes(const void *from, u64 len)
{
	u8 *to = malloc(len + 1);

	if (!to)
		abort();
	if (len)
		memcpy(to, from, len);
	return to;
}

/* The piece is copied first: it may well be one of this image. */
struct piece *image_insert(struct image *image, unsigned int at, const struct piece *piece)
{
	struct piece copy = *piece;

	copy.payload = copy_bytes(piece->payload, piece->payload_len);
	copy.data = copy_bytes(piece->data, piece->data_len);
	if (image->nr == image->room) {
		image->room = image->room ? 2 * image->room : 32;
		image->pieces = realloc(image->pieces, image->room * sizeof(*piece));
		if (!image->pieces)
			abort();
	}
	memmove(&image->pieces[at + 1], &image->pieces[at],
		(image->nr - at) * sizeof(*piece));
	image->pieces[at] = copy;
	image->nr++;
	return &image->pieces[at];
}

struct piece *image_add(struct image *image, u32 type, u32 tag, u32 unit,
			const void *payload, u64 len)
{
	struct piece piece = {
		.head = { .type = type, .tag = tag, .unit = unit, .length = len },
		.payload = (u8 *)payload,
		.payload_len = len,
	};

	return image_insert(image, image->nr, &piece);
}

void image_remove(struct image *image, unsigned int at)
{
	free(image->pieces[at].payload);
	free(image->pieces[at].data);
	image->nr--;
	memmove(&image->pieces[at], &image->pieces[at + 1],
		(image->nr - at) * sizeof(*image->pieces));
}

void image_clear(struct image *image)
{
	while (image->nr)
		image_remove(image, image->nr - 1);
	free(image->pieces);
	memset(image, 0, sizeof(*image));
}

void image_copy(struct image *to, const struct image *from)
{
	unsigned int i;

	memset(to, 0, sizeof(*to));
	for (i = 0; i < from->nr; i++)
		image_insert(to, i, &from->pieces[i]);
}

/* The nth record of a type, counted from 0; NULL: there are not so many. */
struct piece *image_find(struct image *image, u32 type, unsigned int nth)
{
	unsigned int i;

	for (i = 0; i < image->nr; i++)
		if (image->pieces[i].head.type == type && !nth--)
			return &image->pieces[i];
	return NULL;
}

static u8 *resize_bytes(u8 *bytes, u64 old, u64 new)
{
	bytes = realloc(bytes, new + 1);
	if (!bytes)
		abort();
	if (new > old)
		memset(bytes + old, 0, new - old);
	return bytes;
}

/* Makes the payload longer by zeroes, or shorter; the head follows. */
void piece_resize(struct piece *piece, u64 len)
{
	piece->payload = resize_bytes(piece->payload, piece->payload_len, len);
	piece->payload_len = len;
	piece->head.length = len;
}

/* The same with page data. */
void piece_resize_data(struct piece *piece, u64 len)
{
	piece->data = resize_bytes(piece->data, piece->data_len, len);
	piece->data_len = len;
}

static bool is_array(u32 type)
{
	switch (type) {
	case CKPT_REC_NAMESPACES:
	case CKPT_REC_ID_MAPS:
	case CKPT_REC_PIDS:
	case CKPT_REC_VMAS:
	case CKPT_REC_PAGES:
	case CKPT_REC_SHARED_PAGES:
	case CKPT_REC_SUMS:
	case CKPT_REC_FDS:
	case CKPT_REC_LOCKS:
	case CKPT_REC_SIGHAND:
	case CKPT_REC_VMA_NAMES:
	case CKPT_REC_VMA_POLICIES:
	case CKPT_REC_HUGE_REGIONS:
	case CKPT_REC_LDT:
	case CKPT_REC_IO_PORTS:
	case CKPT_REC_SIGPENDING:
	case CKPT_REC_EPOLL:
	case CKPT_REC_IO_RINGS:
	case CKPT_REC_POSIX_TIMERS:
	case CKPT_REC_INDEX:
		return true;
	}
	return false;
}

/* Writes the same content with longer or shorter structs. */
void piece_set_unit(struct piece *piece, u32 unit)
{
	u32 old = piece->head.unit;
	u64 count = is_array(piece->head.type) ? piece->payload_len / old : 1;
	u64 tail = piece->payload_len - count * old;
	u8 *payload = calloc(1, count * unit + tail + 1);
	u64 i;

	if (!payload)
		abort();
	for (i = 0; i < count; i++)
		memcpy(payload + i * unit, piece->payload + i * old, unit < old ? unit : old);
	memcpy(payload + count * unit, piece->payload + count * old, tail);
	free(piece->payload);
	piece->payload = payload;
	piece->payload_len = count * unit + tail;
	piece->head.length = piece->payload_len;
	piece->head.unit = unit;
}

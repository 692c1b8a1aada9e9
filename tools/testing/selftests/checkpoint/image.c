// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader of images, written from the format's description and independent
 * of the kernel's: finds records, and gives a changed record a valid sum.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <xxhash.h>

#include "common.h"

#define IMAGE_PAGE	4096UL

/* Payloads of packed records, which live as long as the image. */
struct unpacked {
	struct unpacked *next;
	uint8_t data[];
};

int image_load(struct image *image, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t have = 0;
	ssize_t n;

	image->unpacked = NULL;
	if (fd < 0 || fstat(fd, &st)) {
		say("%s: %m", path);
		return -1;
	}
	image->size = st.st_size;
	image->data = malloc(image->size + 1);
	while (image->data && have < image->size) {
		n = read(fd, image->data + have, image->size - have);
		if (n <= 0)
			break;
		have += n;
	}
	close(fd);
	return have == image->size ? 0 : -1;
}

void image_free(struct image *image)
{
	struct unpacked *next;

	free(image->data);
	image->data = NULL;
	for (; image->unpacked; image->unpacked = next) {
		next = image->unpacked->next;
		free(image->unpacked);
	}
}

int image_store(const struct image *image, const char *path)
{
	return write_file(path, image->data, image->size);
}

static const struct ckpt_rec *record(const struct image *image, size_t offset)
{
	return (const struct ckpt_rec *)(image->data + offset);
}

static size_t padded(uint64_t length)
{
	return (length + 7) & ~7UL;
}

/* Offset of the record after this one, or the size of the image. */
size_t image_next(const struct image *image, size_t offset)
{
	const struct ckpt_rec *rec = record(image, offset);
	const struct ckpt_rec_extent *extent = (const void *)(rec + 1);
	uint64_t i, pages = 0;

	if (rec->length > image->size - offset)
		return image->size;
	if (rec->type == CKPT_REC_PAGES)
		for (i = 0; i < rec->length / sizeof(*extent); i++)
			pages += extent[i].nr_pages;
	offset += sizeof(*rec) + padded(rec->length);
	if (pages) {
		offset = (offset + IMAGE_PAGE - 1) & ~(IMAGE_PAGE - 1);
		offset += pages * IMAGE_PAGE;
	}
	return offset < image->size ? offset : image->size;
}

/* Offset of the nr-th (from 0) record of a type, or of no such: the size. */
size_t image_find(const struct image *image, uint32_t type, unsigned int nr)
{
	size_t offset = 0;

	while (offset + sizeof(struct ckpt_rec) <= image->size) {
		if (record(image, offset)->type == type && !nr--)
			return offset;
		offset = image_next(image, offset);
	}
	return image->size;
}

static void unpack(uint8_t *to, const uint8_t *from, const uint8_t *end)
{
	uint8_t mask;
	int i;

	while (from < end) {
		mask = *from++;
		for (i = 0; i < 8; i++)
			*to++ = mask & 1 << i ? *from++ : 0;
		if (!mask)
			to += *from++ * 8;
	}
}

/* The payload of a packed record is a copy, which lives as long as the image. */
void *image_payload(struct image *image, uint32_t type, unsigned int nr)
{
	size_t offset = image_find(image, type, nr);
	const struct ckpt_rec_packed *packed;
	const struct ckpt_rec *rec;
	struct unpacked *copy;

	if (offset == image->size)
		return NULL;
	rec = record(image, offset);
	packed = (const void *)(rec + 1);
	if (!(rec->flags & CKPT_RECF_PACKED))
		return (void *)packed;
	copy = calloc(1, sizeof(*copy) + padded(packed->length));
	if (!copy)
		return NULL;
	copy->next = image->unpacked;
	image->unpacked = copy;
	unpack(copy->data, (const uint8_t *)(packed + 1), (const uint8_t *)packed + rec->length);
	return copy->data;
}

/* Where the head of the first run of page data from here on ends, or the end of all. */
static size_t end_of_pages_head(const struct image *image, size_t offset)
{
	while (offset < image->size && record(image, offset)->type != CKPT_REC_PAGES)
		offset = image_next(image, offset);
	if (offset >= image->size)
		return image->size;
	return offset + sizeof(struct ckpt_rec) + padded(record(image, offset)->length);
}

static size_t page_aligned(size_t offset)
{
	return (offset + IMAGE_PAGE - 1) & ~(IMAGE_PAGE - 1);
}

/* Puts a packed record into the image as it is, so that it can be changed there. */
int image_unpack(struct image *image, uint32_t type, unsigned int nr)
{
	size_t offset = image_find(image, type, nr), rest, grown, head, from, to;
	struct ckpt_rec_trailer *trailer;
	const struct ckpt_rec *old;
	struct ckpt_rec *rec;
	uint64_t length;
	uint8_t *data, *payload;

	if (offset == image->size)
		return -1;
	old = record(image, offset);
	if (!(old->flags & CKPT_RECF_PACKED))
		return 0;
	payload = image_payload(image, type, nr);
	if (!payload)
		return -1;
	length = ((const struct ckpt_rec_packed *)(old + 1))->length;
	rest = offset + sizeof(*old) + padded(old->length);
	grown = padded(length) - padded(old->length);
	/* Page data stays aligned: before it there is more or less room. */
	head = end_of_pages_head(image, rest);
	from = head == image->size ? head : page_aligned(head);
	to = head == image->size ? head + grown : page_aligned(head + grown);
	data = calloc(1, to + image->size - from);
	if (!data)
		return -1;
	memcpy(data, image->data, offset + sizeof(*old));
	memcpy(data + offset + sizeof(*old), payload, padded(length));
	memcpy(data + rest + grown, image->data + rest, head - rest);
	memcpy(data + to, image->data + from, image->size - from);
	rec = (struct ckpt_rec *)(data + offset);
	rec->flags &= ~CKPT_RECF_PACKED;
	rec->length = length;
	free(image->data);
	image->data = data;
	image->size += to - from;
	image_seal(image, offset);
	trailer = image_payload(image, CKPT_REC_TRAILER, 0);
	trailer->length += to - from;
	image_seal(image, image_find(image, CKPT_REC_TRAILER, 0));
	return 0;
}

/* Gives the record at this offset the sum of its bytes. */
void image_seal(struct image *image, size_t offset)
{
	struct ckpt_rec *rec = (struct ckpt_rec *)(image->data + offset);

	rec->sum = 0;
	rec->sum = XXH64(rec, sizeof(*rec) + padded(rec->length), 0);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small images in memory, for the suites of the image reader.
 */
#ifndef _CHECKPOINT_TESTS_IMAGE_KUNIT_H
#define _CHECKPOINT_TESTS_IMAGE_KUNIT_H

#include <kunit/test.h>
#include <linux/string.h>

#include "../image.h"

/**
 * struct test_image - an image that is built and then read
 * @src: for the reader
 * @reader: reads what was built
 * @buf: the bytes
 * @room: for how many there is room
 * @len: how many there are
 * @pos: how many were read
 */
struct test_image {
	struct ckpt_source src;
	struct ckpt_reader reader;
	u8 *buf;
	size_t room;
	size_t len;
	size_t pos;
};

static inline int test_image_read(struct ckpt_source *src, void *buf, size_t len)
{
	struct test_image *image = container_of(src, struct test_image, src);

	if (len > image->len - image->pos)
		return -EBADMSG;
	memcpy(buf, image->buf + image->pos, len);
	image->pos += len;
	return 0;
}

static inline void test_image_rewind(struct test_image *image)
{
	memset(&image->reader, 0, sizeof(image->reader));
	image->reader.src = &image->src;
	image->pos = 0;
}

static inline struct test_image *test_image_alloc(struct kunit *test, size_t room)
{
	struct test_image *image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, image);
	image->buf = kunit_kzalloc(test, room, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, image->buf);
	image->room = room;
	image->src.read = test_image_read;
	test_image_rewind(image);
	return image;
}

/* Appends a record; who changes it makes its sum anew. */
static inline struct ckpt_rec *test_image_add(struct kunit *test, struct test_image *image,
					      u32 type, u32 unit, const void *payload,
					      size_t len)
{
	struct ckpt_rec *rec = (struct ckpt_rec *)(image->buf + image->len);

	image->len += sizeof(*rec) + ALIGN(len, 8);
	KUNIT_ASSERT_LE(test, image->len, image->room);
	rec->type = type;
	rec->unit = unit;
	rec->length = len;
	if (payload)
		memcpy(rec + 1, payload, len);
	rec->sum = ckpt_rec_sum(rec);
	return rec;
}

static inline struct ckpt_rec *test_image_add_header(struct kunit *test,
						     struct test_image *image)
{
	struct ckpt_rec_header header = {
		.magic = CKPT_IMAGE_MAGIC,
		.version = CKPT_IMAGE_VERSION,
		.byte_order = CKPT_IMAGE_BYTE_ORDER,
		.arch = CKPT_IMAGE_ARCH_X86_64,
		.page_size = PAGE_SIZE,
		.image_id = "0123456789abcde",
		.release = "6.12.0",
		.version_text = "#1",
		.machine = "x86_64",
	};

	return test_image_add(test, image, CKPT_REC_HEADER, sizeof(header), &header,
			      sizeof(header));
}

/* Reads a record that must be fine; it is given back by the caller. */
static inline struct ckpt_rec *test_image_next(struct kunit *test, struct test_image *image)
{
	struct ckpt_rec *rec = NULL;

	KUNIT_ASSERT_EQ_MSG(test, ckpt_read_record(&image->reader, &rec), 0, "%s",
			    image->reader.why ?: "no reason");
	KUNIT_ASSERT_NOT_NULL(test, rec);
	return rec;
}

static inline void test_image_expect_refused(struct kunit *test, struct test_image *image,
					     int error)
{
	struct ckpt_rec *rec = NULL;

	KUNIT_EXPECT_EQ(test, ckpt_read_record(&image->reader, &rec), error);
	KUNIT_EXPECT_NULL(test, rec);
	KUNIT_EXPECT_NOT_NULL(test, image->reader.why);
}

#endif /* _CHECKPOINT_TESTS_IMAGE_KUNIT_H */

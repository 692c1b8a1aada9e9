// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec of image records, as it is built into this kernel. The same code
 * is tested at length in user space (tools/testing/checkpoint/); here it is
 * shown that it works with the kernel's own checksum, allocator and types.
 */
#include "../limits.h"
#include "image_kunit.h"

static void read_skip_header(struct kunit *test, struct test_image *image)
{
	test_image_rewind(image);
	ckpt_free_record(test_image_next(test, image));
}

static void image_round_trip(struct kunit *test)
{
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);
	struct ckpt_rec_process process = { .tgid = 7, .nr_threads = 1 };
	struct ckpt_rec *rec;

	test_image_add_header(test, image);
	rec = test_image_add(test, image, CKPT_REC_PROCESS, sizeof(process), &process,
			     sizeof(process));
	rec->tag = 99;
	rec->sum = ckpt_rec_sum(rec);
	test_image_add(test, image, CKPT_REC_PROCESS_END, 0, NULL, 0);

	rec = test_image_next(test, image);
	KUNIT_EXPECT_EQ(test, rec->type, CKPT_REC_HEADER);
	KUNIT_EXPECT_EQ(test, image->reader.page_size, PAGE_SIZE);
	KUNIT_EXPECT_MEMEQ(test, image->reader.image_id, "0123456789abcde", 16);
	ckpt_free_record(rec);

	rec = test_image_next(test, image);
	KUNIT_EXPECT_EQ(test, rec->type, CKPT_REC_PROCESS);
	KUNIT_EXPECT_EQ(test, rec->tag, 99);
	KUNIT_EXPECT_EQ(test, rec->length, sizeof(process));
	KUNIT_EXPECT_MEMEQ(test, ckpt_rec_data(rec), &process, sizeof(process));
	ckpt_free_record(rec);

	rec = test_image_next(test, image);
	KUNIT_EXPECT_EQ(test, rec->type, CKPT_REC_PROCESS_END);
	ckpt_free_record(rec);
	KUNIT_EXPECT_EQ(test, image->reader.nr_records, 3);
	KUNIT_EXPECT_EQ(test, image->reader.offset, image->len);
	test_image_expect_refused(test, image, -EBADMSG);
}

static void image_tail(struct kunit *test)
{
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);
	struct {
		struct ckpt_rec_regset regset;
		u8 data[13];
	} payload = { { .note_type = 1, .data_len = 13 }, "twelve bytes" };
	struct ckpt_rec *rec;

	test_image_add_header(test, image);
	test_image_add(test, image, CKPT_REC_REGSET, sizeof(payload.regset), &payload,
		       sizeof(payload.regset) + 13);
	read_skip_header(test, image);
	rec = test_image_next(test, image);
	KUNIT_EXPECT_EQ(test, rec->length, sizeof(payload.regset) + 13);
	KUNIT_EXPECT_STREQ(test, (char *)ckpt_rec_tail(rec), "twelve bytes");
	ckpt_free_record(rec);
}

/* Sum of a record with known bytes, worked out by other means. */
static void image_known_sum(struct kunit *test)
{
	struct {
		struct ckpt_rec head;
		u8 payload[8];
	} rec = {
		.head = { .type = 1, .tag = 2, .unit = 3, .length = 5, .sum = 99 },
		.payload = "hello",
	};

	KUNIT_EXPECT_EQ(test, ckpt_rec_sum(&rec.head), 0xccca82e1f63ba35dULL);
	KUNIT_EXPECT_EQ(test, rec.head.sum, 99);
}

static void image_truncated(struct kunit *test)
{
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);
	struct ckpt_rec *rec;
	size_t len;

	test_image_add_header(test, image);
	for (len = image->len; len--; ) {
		rec = NULL;
		image->len = len;
		test_image_rewind(image);
		KUNIT_ASSERT_EQ(test, ckpt_read_record(&image->reader, &rec), -EBADMSG);
		KUNIT_ASSERT_NULL(test, rec);
	}
}

static void image_flipped_bits(struct kunit *test)
{
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);
	struct ckpt_rec *rec;
	size_t bit;

	test_image_add_header(test, image);
	for (bit = 0; bit < 8 * image->len; bit++) {
		rec = NULL;
		image->buf[bit / 8] ^= 1 << bit % 8;
		test_image_rewind(image);
		KUNIT_ASSERT_EQ_MSG(test, ckpt_read_record(&image->reader, &rec), -EBADMSG,
				    "bit %zu of byte %zu", bit % 8, bit / 8);
		image->buf[bit / 8] ^= 1 << bit % 8;
	}
	test_image_rewind(image);
	ckpt_free_record(test_image_next(test, image));
}

static void image_not_an_image(struct kunit *test)
{
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);

	image->len = 4096;
	test_image_expect_refused(test, image, -EBADMSG);

	/* The first record's type in the other byte order */
	image->buf[3] = CKPT_REC_HEADER;
	test_image_rewind(image);
	test_image_expect_refused(test, image, -ENOEXEC);
}

static void image_hostile_length(struct kunit *test)
{
	static const u64 lengths[] = {
		65536, 1 << 20, CKPT_MAX_RECORD, CKPT_MAX_RECORD + 1, U32_MAX, 1ULL << 32, S64_MAX,
		U64_MAX - 38, U64_MAX - 6, U64_MAX,
	};
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);
	struct ckpt_rec *rec;
	int i;

	test_image_add_header(test, image);
	rec = test_image_add(test, image, CKPT_REC_VMAS, sizeof(struct ckpt_rec_vma), NULL, 0);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		rec->length = lengths[i];
		read_skip_header(test, image);
		test_image_expect_refused(test, image, -EBADMSG);

		/* Also where only the head is looked at */
		rec->type = CKPT_REC_NR;
		rec->flags = CKPT_RECF_SKIPPABLE;
		read_skip_header(test, image);
		test_image_expect_refused(test, image, -EBADMSG);
		rec->type = CKPT_REC_VMAS;
		rec->flags = 0;
	}
}

/* Longer than the steps in which a length is believed. */
static void image_long_record(struct kunit *test)
{
	size_t nr = 4000, len = nr * sizeof(struct ckpt_rec_vma);
	struct test_image *image = test_image_alloc(test, len + PAGE_SIZE);
	struct ckpt_rec_vma *vma;
	struct ckpt_rec *rec;
	size_t i;

	test_image_add_header(test, image);
	rec = test_image_add(test, image, CKPT_REC_VMAS, sizeof(*vma), NULL, len);
	for (vma = ckpt_rec_data(rec), i = 0; i < nr; i++) {
		vma[i].start = i * PAGE_SIZE;
		vma[i].end = (i + 1) * PAGE_SIZE;
	}
	rec->sum = ckpt_rec_sum(rec);

	read_skip_header(test, image);
	rec = test_image_next(test, image);
	vma = ckpt_rec_data(rec);
	KUNIT_EXPECT_EQ(test, ckpt_rec_count(rec), nr);
	KUNIT_EXPECT_EQ(test, vma[nr - 1].end, nr * PAGE_SIZE);
	ckpt_free_record(rec);

	image->len -= sizeof(*vma);
	read_skip_header(test, image);
	test_image_expect_refused(test, image, -EBADMSG);
}

static void image_unknown_record(struct kunit *test)
{
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);
	struct ckpt_rec *unknown, *rec;

	test_image_add_header(test, image);
	unknown = test_image_add(test, image, CKPT_REC_NR + 5, 3, "any", 3);
	test_image_add(test, image, CKPT_REC_MM_END, 0, NULL, 0);

	read_skip_header(test, image);
	test_image_expect_refused(test, image, -EBADMSG);

	unknown->flags = CKPT_RECF_SKIPPABLE;
	unknown->sum = ckpt_rec_sum(unknown);
	read_skip_header(test, image);
	rec = test_image_next(test, image);
	KUNIT_EXPECT_EQ(test, rec->type, CKPT_REC_MM_END);
	KUNIT_EXPECT_EQ(test, image->reader.nr_records, 3);
	ckpt_free_record(rec);

	/* Damage matters, even in what nobody looks at. */
	unknown->sum++;
	read_skip_header(test, image);
	test_image_expect_refused(test, image, -EBADMSG);

	unknown->flags = CKPT_RECF_SKIPPABLE | 1U << 7;
	unknown->sum = ckpt_rec_sum(unknown);
	read_skip_header(test, image);
	test_image_expect_refused(test, image, -EBADMSG);
}

/* A struct of a later format version, and one that was always longer. */
static void image_growth(struct kunit *test)
{
	struct {
		struct ckpt_rec_process process;
		u64 more;
	} grown = { .process = { .tgid = 7, .nr_threads = 1 } };
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);
	struct ckpt_rec *added, *rec;

	test_image_add_header(test, image);
	added = test_image_add(test, image, CKPT_REC_PROCESS, sizeof(grown), &grown,
			       sizeof(grown));
	read_skip_header(test, image);
	rec = test_image_next(test, image);
	KUNIT_EXPECT_EQ(test, rec->unit, sizeof(grown.process));
	KUNIT_EXPECT_EQ(test, rec->length, sizeof(grown.process));
	KUNIT_EXPECT_MEMEQ(test, ckpt_rec_data(rec), &grown, sizeof(grown.process));
	ckpt_free_record(rec);

	((u8 *)(added + 1))[sizeof(grown) - 1] = 1;
	added->sum = ckpt_rec_sum(added);
	read_skip_header(test, image);
	test_image_expect_refused(test, image, -E2BIG);

	added->unit = sizeof(grown.process) - 8;
	added->length = added->unit;
	added->sum = ckpt_rec_sum(added);
	read_skip_header(test, image);
	test_image_expect_refused(test, image, -EBADMSG);
}

static void image_growth_array(struct kunit *test)
{
	struct {
		struct ckpt_rec_fd fd;
		u64 more;
	} fds[3] = {
		{ { .fd = 1, .file = 5 } }, { { .fd = 2, .file = 6 } }, { { .fd = 9, .file = 7 } },
	};
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);
	struct ckpt_rec *added, *rec;
	struct ckpt_rec_fd *fd;

	test_image_add_header(test, image);
	added = test_image_add(test, image, CKPT_REC_FDS, sizeof(fds[0]), fds, sizeof(fds));
	added->tag = 3;
	added->sum = ckpt_rec_sum(added);
	read_skip_header(test, image);
	rec = test_image_next(test, image);
	fd = ckpt_rec_data(rec);
	KUNIT_EXPECT_EQ(test, ckpt_rec_count(rec), 3);
	KUNIT_EXPECT_EQ(test, fd[1].file, 6);
	KUNIT_EXPECT_EQ(test, fd[2].fd, 9);
	ckpt_free_record(rec);

	((u8 *)(added + 1))[sizeof(fds) - 1] = 1;
	added->sum = ckpt_rec_sum(added);
	read_skip_header(test, image);
	test_image_expect_refused(test, image, -E2BIG);
}

static void image_padding(struct kunit *test)
{
	struct test_image *image = test_image_alloc(test, 4 * PAGE_SIZE);

	test_image_add_header(test, image);
	image->len = 2 * PAGE_SIZE;
	read_skip_header(test, image);
	KUNIT_EXPECT_EQ(test, ckpt_read_padding(&image->reader), 0);
	KUNIT_EXPECT_EQ(test, image->reader.offset, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, image->pos, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ckpt_read_padding(&image->reader), 0);
	KUNIT_EXPECT_EQ(test, image->reader.offset, PAGE_SIZE);

	image->buf[PAGE_SIZE - 1] = 1;
	read_skip_header(test, image);
	KUNIT_EXPECT_EQ(test, ckpt_read_padding(&image->reader), -EBADMSG);

	image->buf[PAGE_SIZE - 1] = 0;
	image->len = PAGE_SIZE - 1;
	read_skip_header(test, image);
	KUNIT_EXPECT_EQ(test, ckpt_read_padding(&image->reader), -EBADMSG);
}

static void image_names(struct kunit *test)
{
	u32 type, other;

	for (type = 1; type < CKPT_REC_NR; type++) {
		KUNIT_EXPECT_STRNEQ(test, ckpt_rec_name(type), "unknown");
		for (other = 1; other < type; other++)
			KUNIT_EXPECT_STRNEQ(test, ckpt_rec_name(type), ckpt_rec_name(other));
	}
	KUNIT_EXPECT_STREQ(test, ckpt_rec_name(0), "unknown");
	KUNIT_EXPECT_STREQ(test, ckpt_rec_name(CKPT_REC_NR), "unknown");
	KUNIT_EXPECT_STREQ(test, ckpt_rec_name(U32_MAX), "unknown");
}

static struct kunit_case image_cases[] = {
	KUNIT_CASE(image_round_trip),
	KUNIT_CASE(image_tail),
	KUNIT_CASE(image_known_sum),
	KUNIT_CASE(image_truncated),
	KUNIT_CASE(image_flipped_bits),
	KUNIT_CASE(image_not_an_image),
	KUNIT_CASE(image_hostile_length),
	KUNIT_CASE(image_long_record),
	KUNIT_CASE(image_unknown_record),
	KUNIT_CASE(image_growth),
	KUNIT_CASE(image_growth_array),
	KUNIT_CASE(image_padding),
	KUNIT_CASE(image_names),
	{}
};

static struct kunit_suite image_suite = {
	.name = "checkpoint-image",
	.test_cases = image_cases,
};

kunit_test_suite(image_suite);

MODULE_LICENSE("GPL");

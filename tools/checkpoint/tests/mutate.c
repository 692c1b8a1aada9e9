// SPDX-License-Identifier: GPL-2.0-only
/*
 * mutate FILE [NR]: gives every truncation and every single flipped bit of a good
 * image to the reader, which must refuse all of them as damaged; then damages
 * it with right sums, which must not make the reader crash. TAP. With a second
 * argument only the latter, with at most NR images, for a build with sanitizers.
 */
#define XXH_INLINE_ALL
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "../ckpt.h"
#include "../model.h"

static unsigned char *good, *bad;
static size_t length;
static int memory;
static char memory_path[40];

static void set_memory(const unsigned char *data, size_t len)
{
	if (ftruncate(memory, (off_t)len) || pwrite(memory, data, len, 0) != (ssize_t)len)
		abort();
}

/* Exit status for the first @len bytes of the memory file. */
static int try(size_t len, bool check_pages)
{
	struct model model = { };
	struct image *img;
	int ret;

	img = image_open(memory_path, check_pages);
	if (!img)
		abort();
	ret = model_read(&model, img);
	if (!ret && model.bytes != len)
		abort();
	model_free(&model);
	image_close(img);
	return status_of(-ret);
}

static size_t truncations(void)
{
	size_t len, wrong = 0;

	set_memory(good, length);
	for (len = length; len--;) {
		if (ftruncate(memory, (off_t)len))
			abort();
		if (try(len, true) != STATUS_DAMAGED || try(len, false) != STATUS_DAMAGED)
			wrong++;
	}
	return wrong;
}

static size_t flips(void)
{
	size_t bit, wrong = 0;

	set_memory(good, length);
	for (bit = 0; bit < length * 8; bit++) {
		unsigned char byte = good[bit / 8] ^ (unsigned char)(1 << bit % 8);

		if (pwrite(memory, &byte, 1, (off_t)bit / 8) != 1)
			abort();
		if (try(length, true) != STATUS_DAMAGED) {
			printf("# bit %zu of byte %zu\n", bit % 8, bit / 8);
			wrong++;
		}
		if (pwrite(memory, &good[bit / 8], 1, (off_t)bit / 8) != 1)
			abort();
	}
	return wrong;
}

/* The record around @at gets a right sum, if there is one. */
static void repair(size_t at)
{
	size_t offset = 0, next;
	struct ckpt_rec rec;

	while (offset + sizeof(rec) <= length) {
		memcpy(&rec, bad + offset, sizeof(rec));
		next = offset + sizeof(rec) + ((rec.length + 7) & ~7UL);
		if (rec.length > length || next > length)
			return;
		if (at >= offset && at < next)
			break;
		if (rec.type == CKPT_REC_PAGES)
			next = ((next + 4095) & ~4095UL) + 4096;
		offset = next;
	}
	if (offset + sizeof(rec) > length)
		return;
	rec.sum = 0;
	memcpy(bad + offset, &rec, sizeof(rec));
	rec.sum = XXH64(bad + offset, next - offset, 0);
	memcpy(bad + offset, &rec, sizeof(rec));
}

/* Returns how many images were tried: no more than @most, all over the image. */
static size_t repaired_damage(size_t most)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	size_t all = length * sizeof(values), step = all / (most + 1) + 1, i, nr = 0;

	/* Every value meets every place in its record. */
	if (step % sizeof(values) == 0)
		step++;
	for (i = 0; i < all; i += step, nr++) {
		size_t at = i / sizeof(values);

		memcpy(bad, good, length);
		bad[at] = values[i % sizeof(values)];
		repair(at);
		set_memory(bad, length);
		try(length, true);
	}
	return nr;
}

static int result(int number, bool ok, const char *name)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", number, name);
	return !ok;
}

static int all_tests(void)
{
	int failed = 0;

	set_memory(good, length);
	printf("1..4\n");
	failed |= result(1, !try(length, true), "the undamaged image is good");
	failed |= result(2, !truncations(), "every truncation is refused");
	failed |= result(3, !flips(), "every flipped bit is refused");
	repaired_damage(SIZE_MAX - 1);
	failed |= result(4, true, "damage with right sums does no harm");
	return failed;
}

int main(int argc, char **argv)
{
	FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
	int failed = 0;

	good = malloc(1 << 20);
	bad = malloc(1 << 20);
	memory = memfd_create("image", 0);
	if (!file || !good || !bad || memory < 0)
		return 2;
	length = fread(good, 1, 1 << 20, file);
	fclose(file);
	snprintf(memory_path, sizeof(memory_path), "/proc/self/fd/%d", memory);
	if (argc > 2)
		printf("%zu damaged images\n", repaired_damage(strtoul(argv[2], NULL, 10)));
	else
		failed = all_tests();
	free(good);
	free(bad);
	return failed;
}

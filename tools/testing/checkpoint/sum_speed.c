// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast the checksums are that an image could have, on pages: why it has
 * xxh64. Run it on the host and in the test guest: an emulated processor pays
 * for every special instruction, but not for a multiplication.
 */
#include <nmmintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#define PAGE		4096
#define NR_PAGES	64	/* in the second-level cache: not a test of memory */
#define STREAM		1360	/* a third of a page, in words */
#define POLY		0x82f63b78U

static uint32_t table[8][256];
static uint32_t shift_table[4][256];

static uint32_t crc_byte(uint32_t crc)
{
	int bit;

	for (bit = 0; bit < 8; bit++)
		crc = crc & 1 ? crc >> 1 ^ POLY : crc >> 1;
	return crc;
}

/* What a checksum becomes after STREAM zero bytes. */
static uint32_t shift_slowly(uint32_t crc)
{
	int i;

	for (i = 0; i < STREAM; i++)
		crc = crc_byte(crc);
	return crc;
}

static void make_tables(void)
{
	int i, k;

	for (i = 0; i < 256; i++) {
		table[0][i] = crc_byte(i);
		for (k = 0; k < 4; k++)
			shift_table[k][i] = shift_slowly((uint32_t)i << 8 * k);
	}
	for (k = 1; k < 8; k++)
		for (i = 0; i < 256; i++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

static uint32_t shift(uint32_t crc)
{
	return shift_table[0][crc & 255] ^ shift_table[1][crc >> 8 & 255] ^
	       shift_table[2][crc >> 16 & 255] ^ shift_table[3][crc >> 24];
}

static uint64_t word(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* Eight tables, eight bytes at a time, as the kernel has it. */
static uint64_t crc32c_table(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0U;

	for (; len >= 8; len -= 8, p += 8) {
		uint64_t x = word(p) ^ crc;

		crc = table[7][x & 255] ^ table[6][x >> 8 & 255] ^
		      table[5][x >> 16 & 255] ^ table[4][x >> 24 & 255] ^
		      table[3][x >> 32 & 255] ^ table[2][x >> 40 & 255] ^
		      table[1][x >> 48 & 255] ^ table[0][x >> 56];
	}
	while (len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
	return ~crc;
}

__attribute__((target("sse4.2")))
static uint64_t crc32c_sse(const uint8_t *p, size_t len)
{
	uint64_t crc = ~0U;

	for (; len >= 8; len -= 8, p += 8)
		crc = _mm_crc32_u64(crc, word(p));
	while (len--)
		crc = _mm_crc32_u8(crc, *p++);
	return (uint32_t)~crc;
}

/* Three streams at once hide the latency of the instruction. */
__attribute__((target("sse4.2")))
static uint64_t crc32c_sse3(const uint8_t *p, size_t len)
{
	uint64_t a = ~0U, b, c;
	size_t i;

	for (; len >= 3 * STREAM; len -= 3 * STREAM, p += 3 * STREAM) {
		b = 0;
		c = 0;
		for (i = 0; i < STREAM; i += 8) {
			a = _mm_crc32_u64(a, word(p + i));
			b = _mm_crc32_u64(b, word(p + i + STREAM));
			c = _mm_crc32_u64(c, word(p + i + 2 * STREAM));
		}
		a = shift(shift(a) ^ b) ^ c;
	}
	for (; len >= 8; len -= 8, p += 8)
		a = _mm_crc32_u64(a, word(p));
	return (uint32_t)~a;
}

static uint64_t xxh64(const uint8_t *p, size_t len)
{
	return XXH64(p, len, 0);
}

static uint64_t copy(const uint8_t *p, size_t len)
{
	static uint8_t to[PAGE];

	memcpy(to, p, len);
	return to[len - 1];
}

static const struct {
	const char *name;
	uint64_t (*sum)(const uint8_t *p, size_t len);
} sums[] = {
	{ "xxh64", xxh64 },
	{ "crc32c, instruction", crc32c_sse },
	{ "crc32c, 3 x instruction", crc32c_sse3 },
	{ "crc32c, tables", crc32c_table },
	{ "(a copy, for comparison)", copy },
};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static volatile uint64_t sink;

/* The best of many short runs, in MB/s: others may be using the machine. */
static double speed(uint64_t (*sum)(const uint8_t *p, size_t len), const uint8_t *data)
{
	double best = 0;
	int run, i;

	for (run = 0; run < 300; run++) {
		double start = seconds(), end;
		long nr = 0;

		do {
			for (i = 0; i < NR_PAGES; i++)
				sink += sum(data + i * PAGE, PAGE);
			nr += NR_PAGES;
			end = seconds();
		} while (end - start < 0.003);
		if (nr / (end - start) > best)
			best = nr / (end - start);
	}
	return best * PAGE / 1e6;
}

int main(void)
{
	uint8_t *data = malloc(NR_PAGES * PAGE);
	unsigned int i;

	if (!data)
		return 1;
	make_tables();
	for (i = 0; i < NR_PAGES * PAGE; i++)
		data[i] = i * 2654435761U >> 24;
	if (crc32c_table((const uint8_t *)"123456789", 9) != 0xe3069283 ||
	    crc32c_sse(data, PAGE) != crc32c_table(data, PAGE) ||
	    crc32c_sse3(data, PAGE) != crc32c_table(data, PAGE)) {
		fprintf(stderr, "sum_speed: the checksums are wrong\n");
		return 1;
	}
	for (i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		printf("%-26s %8.0f MB/s\n", sums[i].name, speed(sums[i].sum, data));
	return 0;
}

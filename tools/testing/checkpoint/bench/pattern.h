/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory with contents that are known, never zero and do not compress.
 */
#ifndef BENCH_PATTERN_H
#define BENCH_PATTERN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE_SIZE	(2UL << 20)

/* What memory is made of; all but the first have a letter in --case. */
enum backing {
	BACKING_PRIVATE,
	BACKING_HUGE,
	BACKING_SHARED,
	BACKING_MEMFD,
};

/* Weyl sequence through a mixer: never 0 but once in 2^64 words. */
static inline uint64_t pattern_word(uint64_t seed, size_t i)
{
	uint64_t x = seed + (i + 1) * 0x9e3779b97f4a7c15ULL;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

static inline void pattern_fill(uint64_t *words, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size / sizeof(*words); i++)
		words[i] = pattern_word(seed, i);
}

/* Returns the number of words that are not as they were. */
static inline size_t pattern_check(const uint64_t *words, size_t size, uint64_t seed)
{
	size_t bad = 0;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		bad += words[i] != pattern_word(seed, i);
	return bad;
}

/* Untouched memory; with huge pages it is aligned to them. */
static inline void *pattern_map(size_t size, enum backing backing)
{
	int fd = backing == BACKING_MEMFD ? memfd_create("pattern", MFD_CLOEXEC) : -1;
	int flags = (backing >= BACKING_SHARED ? MAP_SHARED : MAP_PRIVATE) |
		    (fd < 0 ? MAP_ANONYMOUS : 0);
	size_t skip;
	char *p;

	if (fd >= 0 && ftruncate(fd, size + HUGE_PAGE_SIZE))
		return NULL;
	p = mmap(NULL, size + HUGE_PAGE_SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	skip = -(uintptr_t)p & (HUGE_PAGE_SIZE - 1);
	if (skip)
		munmap(p, skip);
	munmap(p + skip + size, HUGE_PAGE_SIZE - skip);
	if (backing == BACKING_HUGE && madvise(p + skip, size, MADV_HUGEPAGE))
		return NULL;
	return p + skip;
}

#endif /* BENCH_PATTERN_H */

// SPDX-License-Identifier: GPL-2.0-only
/* Pages that are not simply there: swapped out, merged, huge, free to be taken. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "subject.h"

#define PAGE	4096UL
#define MIB	(1UL << 20)
#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define KSM	"/sys/kernel/mm/ksm/"

static char *map(size_t size, int flags)
{
	char *p = mmap(NULL, size, RW, flags, -1, 0);

	need(p != MAP_FAILED);
	return p;
}

/* A number of a file below /proc/self or /sys, behind a word. */
static long number(const char *path, const char *word)
{
	static char buf[1 << 20];
	char *p = buf;
	long sum = 0;

	if (read_file(path, buf, sizeof(buf)) <= 0)
		return -1;
	if (!*word)
		return strtol(buf, NULL, 10);
	for (p = strstr(p, word); p; p = strstr(p, word)) {
		p += strlen(word);
		sum += strtol(p, NULL, 10);
	}
	return sum;
}

/* swapped: private and shared memory, half of it with holes, on a swap device. */
static void swapped(int argc, char **argv)
{
	char *p = map(MIB, ANON), *q = map(MIB, MAP_SHARED | MAP_ANONYMOUS);
	uint64_t hash;
	size_t i;
	int n;

	fill_memory(p, MIB, 1);
	for (i = 0; i < MIB; i += 3 * PAGE)
		fill_memory(q + i, PAGE, i);
	hash = hash_memory(p, MIB) + hash_memory(q, MIB);
	for (n = 0; n < 2; n++) {
		need(!madvise(p, MIB, MADV_PAGEOUT) && !madvise(q, MIB, MADV_PAGEOUT));
		if (number("/proc/self/status", "VmSwap:") < 512) {
			tell("SKIP nothing was swapped out");
			return;
		}
		stage();
		check_eq(hash, hash_memory(p, MIB) + hash_memory(q, MIB));
	}
}

static void write_number(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	check_eq((long)strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

static bool merges(void)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	long pages, zero;

	do {
		poll_pause();
		pages = number("/proc/self/ksm_merging_pages", "");
		zero = number("/proc/self/ksm_stat", "ksm_zero_pages ");
	} while ((pages < 64 || zero < 128) && now_ns() < deadline);
	return pages >= 64 && zero >= 128;
}

/*
 * merged: equal pages that are one, and pages of zeroes, in anonymous memory
 * and over those of a file.
 */
static void merged(int argc, char **argv)
{
	int fd = open("merged", O_RDWR | O_CREAT | O_CLOEXEC, 0600), i;
	char *p = map(128 * PAGE, ANON), *file;
	uint64_t hash;

	if (access(KSM "use_zero_pages", W_OK)) {
		tell("SKIP no KSM");
		return;
	}
	for (i = 0; i < 64; i++) {
		fill_memory(p + i * PAGE, PAGE, 7);
		memset(p + (64 + i) * PAGE, 0, PAGE);
		need(write(fd, p, PAGE) == PAGE);
	}
	file = mmap(NULL, 64 * PAGE, RW, MAP_PRIVATE, fd, 0);
	need(file != MAP_FAILED);
	memset(file, 0, 64 * PAGE);
	need(!madvise(p, 128 * PAGE, MADV_MERGEABLE) && !madvise(file, 64 * PAGE, MADV_MERGEABLE));
	write_number(KSM "use_zero_pages", "1");
	write_number(KSM "sleep_millisecs", "1");
	write_number(KSM "pages_to_scan", "1000");
	write_number(KSM "run", "1");
	if (!merges())
		tell("SKIP nothing was merged");
	write_number(KSM "run", "0");
	hash = hash_memory(p, 128 * PAGE) + hash_memory(file, 64 * PAGE);
	stage();
	check_eq(hash, hash_memory(p, 128 * PAGE) + hash_memory(file, 64 * PAGE));
	p[0]++;
	file[0]++;
	check(p[0] != p[PAGE] && file[0] != file[PAGE]);
}

/* lazyfree: MADV_FREE: the kernel may take it, but only as a whole page. */
static void lazyfree(int argc, char **argv)
{
	char *p = map(64 * PAGE, ANON);
	int i, n;

	for (n = 0; n < 2; n++) {
		for (i = 0; i < 64; i++)
			memset(p + i * PAGE, 3, PAGE);
		need(!madvise(p, 64 * PAGE, MADV_FREE));
		stage();
		for (i = 0; i < 64; i++)
			check_eq(0, memcmp(p + i * PAGE, p + i * PAGE + 8, PAGE - 8) |
				 (p[i * PAGE] && p[i * PAGE] != 3));
	}
}

/* Was it written to since the marks were cleared? */
static bool is_marked(const char *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	need(fd >= 0 && pread(fd, &entry, sizeof(entry), (uintptr_t)p / PAGE * 8) == 8);
	close(fd);
	return entry >> 55 & 1;
}

/* softdirty: who traces changes misses none; the next clearing works as ever. */
static void softdirty(int argc, char **argv)
{
	char *p = map(8 * PAGE, ANON);
	int n;

	fill_memory(p, 8 * PAGE, 1);
	for (n = 0; n < 2; n++) {
		write_number("/proc/self/clear_refs", "4");
		if (is_marked(p + PAGE)) {
			tell("SKIP changes are not traced here");
			return;
		}
		p[3 * PAGE]++;
		stage();
		check(is_marked(p + 3 * PAGE));
	}
	write_number("/proc/self/clear_refs", "4");
	check(!is_marked(p + 3 * PAGE));
	p[5 * PAGE] = 1;
	check(is_marked(p + 5 * PAGE) && !is_marked(p + 6 * PAGE));
}

static int resident(char *p, size_t nr)
{
	unsigned char there[512];
	size_t i;
	int found = 0;

	need(nr <= sizeof(there) && !mincore(p, nr * PAGE, there));
	for (i = 0; i < nr; i++)
		found += there[i] & 1;
	return found;
}

/* stays_huge: huge pages are huge again, and parts of them parts. */
static void stays_huge(int argc, char **argv)
{
	char *p = map(10 * MIB, ANON);
	long before, after;
	uint64_t hash;

	p = (char *)(((uintptr_t)p + 2 * MIB - 1) & -(2 * MIB));
	need(!madvise(p, 8 * MIB, MADV_HUGEPAGE));
	fill_memory(p, 8 * MIB, 1);
	hash = hash_memory(p, 6 * MIB);
	/* Of the last one there is only a page. */
	need(!madvise(p + 6 * MIB + PAGE, 2 * MIB - PAGE, MADV_DONTNEED));
	before = number("/proc/self/smaps", "AnonHugePages:");
	if (before < 6 * 1024) {
		tell("SKIP no huge pages");
		return;
	}
	stage();
	after = number("/proc/self/smaps", "AnonHugePages:");
	check_eq(before, after);
	check_eq(1, resident(p + 6 * MIB, 2 * MIB / PAGE));
	check_eq(hash, hash_memory(p, 6 * MIB));
}

const struct mode page_modes[] = {
	{ "swapped", swapped },
	{ "merged", merged },
	{ "lazyfree", lazyfree },
	{ "softdirty", softdirty },
	{ "stays_huge", stays_huge },
	{}
};

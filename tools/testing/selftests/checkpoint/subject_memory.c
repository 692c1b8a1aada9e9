// SPDX-License-Identifier: GPL-2.0-only
/* Anonymous memory: heap, stack, and mappings of every kind. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "subject.h"

#define PAGE	4096UL
#define MIB	(1UL << 20)

#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

static void *map(size_t size, int prot, int flags)
{
	void *p = mmap(NULL, size, prot, flags, -1, 0);

	need(p != MAP_FAILED);
	return p;
}

/* heap: malloc and brk, which can grow and shrink afterwards. */
static void heap(int argc, char **argv)
{
	static char *chunk[200];
	static uint64_t hash[200];
	char *brk, *old;
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(chunk); i++) {
		size = 16 + i * i * 8;
		chunk[i] = malloc(size);
		fill_memory(chunk[i], size, i);
		hash[i] = hash_memory(chunk[i], size);
	}
	old = sbrk(0);
	stage();
	check(sbrk(0) == old);
	brk = sbrk(3 * MIB);
	check(brk == old);
	for (i = 0; i < 3 * MIB; i += 8)
		if (*(uint64_t *)(old + i)) {
			fail("new heap is not zero at %#zx", i);
			break;
		}
	fill_memory(old, 3 * MIB, 99);
	stage();
	check_eq(99, argc + 99);
	check(sbrk(0) == old + 3 * MIB);
	check(sbrk(-2 * (long)MIB) == old + 3 * MIB);
	stage();
	check(sbrk(0) == old + MIB);
	for (i = 0; i < ARRAY_SIZE(chunk); i++) {
		check_eq(hash[i], hash_memory(chunk[i], 16 + i * i * 8));
		free(chunk[i]);
	}
	free(malloc(5 * MIB));
}

/* Every frame has its own data; the deepest one waits. */
static uint64_t deep(int depth, bool wait)
{
	volatile uint64_t data[500];
	uint64_t below, i;

	for (i = 0; i < ARRAY_SIZE(data); i++)
		data[i] = depth * 1000 + i;
	if (depth)
		below = deep(depth - 1, wait);
	else
		below = 0;
	if (!depth && wait)
		stage();
	for (i = 0; i < ARRAY_SIZE(data); i++)
		if (data[i] != depth * 1000 + i)
			fail("stack, depth %d, word %d", depth, (int)i);
	return below + depth;
}

/* stack: waits deep in it, and can go deeper afterwards. */
static void stack(int argc, char **argv)
{
	check_eq(400 * 401 / 2, deep(400, true));
	check_eq(1200 * 1201 / 2, deep(1200, false));
}

/* anon: every protection, with contents also where nobody can look. */
static void anon(int argc, char **argv)
{
	enum { PAGES = 5 };
	uint64_t hash[8];
	char *area[8];
	int prot;

	for (prot = 0; prot < 8; prot++) {
		/* To be executed only takes a protection key, where there is one. */
		if (prot == PROT_EXEC)
			continue;
		area[prot] = map(PAGES * PAGE, RW, ANON);
		fill_memory(area[prot], PAGES * PAGE, prot);
		/* One page of zeroes that was written, and a hole. */
		memset(area[prot] + PAGE, 0, PAGE);
		hash[prot] = hash_memory(area[prot], 3 * PAGE);
		need(!munmap(area[prot] + 3 * PAGE, PAGE));
		need(!mprotect(area[prot], 3 * PAGE, prot));
	}
	stage();
	for (prot = 0; prot < 8; prot++) {
		if (prot == PROT_EXEC)
			continue;
		check_eq(0, mprotect(area[prot], 3 * PAGE, PROT_READ));
		check_eq(hash[prot], hash_memory(area[prot], 3 * PAGE));
		check_eq(-1, msync(area[prot] + 3 * PAGE, PAGE, MS_ASYNC));
		check_eq(ENOMEM, errno);
	}
}

/* zeropages: only read, or never touched: they stay zero, cost nothing. */
static void zeropages(int argc, char **argv)
{
	size_t i, size = 16 * MIB;
	volatile char *p = map(size, RW, ANON);
	volatile char *q = map(size, RW, ANON);
	uint64_t sum = 0;

	for (i = 0; i < size; i += PAGE)
		sum += p[i];
	stage();
	for (i = 0; i < size; i += 64)
		sum += p[i] + q[i];
	check_eq(0, sum);
	p[5] = 1;
	q[size - 1] = 1;
	check_eq(2, p[5] + q[size - 1]);
}

/* growsdown: grows towards lower addresses when touched, also afterwards. */
static void growsdown(int argc, char **argv)
{
	char *area = map(8 * MIB, PROT_NONE, ANON);
	volatile char *top = area + 8 * MIB - PAGE;
	int i;

	need(!munmap(area, 8 * MIB));
	need(mmap((void *)top, PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0) ==
	     (void *)top);
	top[0] = 1;
	for (i = 1; i < 10; i++)
		top[-i * (long)PAGE] = i + 1;
	stage();
	for (; i < 40; i++)
		top[-i * (long)PAGE] = i + 1;
	for (i = 0; i < 40; i++)
		check_eq(i + 1, top[-i * (long)PAGE]);
}

/* advice: kinds of mappings that only flags tell; the test compares those. */
static void advice(int argc, char **argv)
{
	static const int kinds[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_DONTFORK, MADV_DONTDUMP,
		MADV_WIPEONFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
	};
	char *area[ARRAY_SIZE(kinds)], *noreserve;
	uint64_t hash[ARRAY_SIZE(kinds)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		area[i] = map(6 * PAGE, RW, ANON);
		/* Without neighbours that it could be joined with. */
		need(!mprotect(area[i], PAGE, PROT_NONE));
		area[i] += PAGE;
		fill_memory(area[i], 5 * PAGE, i);
		hash[i] = hash_memory(area[i], 5 * PAGE);
		need(!madvise(area[i], 5 * PAGE, kinds[i]));
	}
	noreserve = map(PAGE, RW, ANON | MAP_NORESERVE);
	noreserve[0] = 42;
	stage();
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		check_eq(hash[i], hash_memory(area[i], 5 * PAGE));
	check_eq(42, noreserve[0]);
}

/* huge: 8 MiB in huge pages, and what is left of one in parts. */
static void huge(int argc, char **argv)
{
	char *area = map(12 * MIB, RW, ANON);
	char *start = (char *)(((uintptr_t)area + 2 * MIB - 1) & -(2 * MIB));
	uint64_t hash;

	need(!madvise(start, 8 * MIB, MADV_HUGEPAGE));
	fill_memory(start, 8 * MIB, 3);
	need(!madvise(start + 3 * MIB, 5 * PAGE, MADV_DONTNEED));
	need(!mprotect(start + 5 * MIB, PAGE, PROT_READ));
	hash = hash_memory(start, 8 * MIB);
	stage();
	check_eq(hash, hash_memory(start, 8 * MIB));
	fill_memory(start + 6 * MIB, MIB, 4);
	hash = hash_memory(start, 8 * MIB);
	stage();
	check_eq(hash, hash_memory(start, 8 * MIB));
}

/* sparse: a reservation of 64 GiB with a few pages in it. */
static void sparse(int argc, char **argv)
{
	static const size_t at[] = {
		0, 5 * PAGE, 2 * MIB, 1024 * MIB - PAGE, 40000 * MIB + 8, 65536 * MIB - 8,
	};
	char *area = map(65536 * MIB, RW, ANON | MAP_NORESERVE);
	volatile char *none = map(65536 * MIB, PROT_NONE, ANON | MAP_NORESERVE);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		*(uint64_t *)(area + at[i]) = at[i] ^ 0x5555;
	stage();
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		check_eq(at[i] ^ 0x5555, *(uint64_t *)(area + at[i]));
		check_eq(0, *(uint64_t *)(area + (at[i] ^ (16 * PAGE))));
	}
	check_eq(0, mprotect((void *)none, PAGE, RW));
	check_eq(0, none[1]);
}

/* many: a thousand mappings with a page each. */
static void many(int argc, char **argv)
{
	size_t i, n = 1000;
	char *area = map(n * PAGE, RW, ANON);

	for (i = 0; i < n; i++) {
		*(uint64_t *)(area + i * PAGE + 16) = i * i + 1;
		if (i % 2)
			need(!mprotect(area + i * PAGE, PAGE, PROT_READ));
	}
	stage();
	for (i = 0; i < n; i++) {
		if (*(uint64_t *)(area + i * PAGE + 16) != i * i + 1) {
			fail("page %zu is wrong", i);
			break;
		}
	}
	check_eq(0, mprotect(area, n * PAGE, RW));
	memset(area, 1, n * PAGE);
}

/* bulk MIB: much data. */
static void bulk(int argc, char **argv)
{
	size_t size = (argc > 0 ? atoi(argv[0]) : 16) * MIB;
	char *area = map(size, RW, ANON);
	uint64_t hash;

	fill_memory(area, size, 5);
	hash = hash_memory(area, size);
	stage();
	check_eq(hash, hash_memory(area, size));
}

static struct timespec raw_time(clockid_t clock)
{
	struct timespec ts = {};

	check_eq(0, syscall(SYS_clock_gettime, clock, &ts));
	return ts;
}

static bool before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec);
}

/* vdso: time without a system call is right, and never goes back. */
static void vdso(int argc, char **argv)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW,
	};
	struct timespec old[ARRAY_SIZE(clocks)], a, b, c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++)
		check_eq(0, clock_gettime(clocks[i], &old[i]));
	stage();
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		a = raw_time(clocks[i]);
		check_eq(0, clock_gettime(clocks[i], &b));
		c = raw_time(clocks[i]);
		check(before(&old[i], &a));
		check(before(&a, &b) && before(&b, &c));
	}
	check(time(NULL) >= old[0].tv_sec);
}

/* What /proc calls so is unmapped; how many there were. */
static int unmap_named(const char *name)
{
	unsigned long start, end;
	char line[256];
	int nr = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	need(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, name) || sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		need(!munmap((void *)start, end - start));
		nr++;
	}
	fclose(maps);
	return nr;
}

/* novdso: none is there any more, and none comes back. */
static void novdso(int argc, char **argv)
{
	struct timespec old;

	check_eq(1, unmap_named("[vdso]"));
	check_eq(1, unmap_named("[vvar]"));
	old = raw_time(CLOCK_REALTIME);
	stage();
	check_eq(0, unmap_named("[vdso]"));
	check_eq(0, unmap_named("[vvar]"));
	check(raw_time(CLOCK_REALTIME).tv_sec >= old.tv_sec);
}

/* jit: code that was made at run time. */
static void jit(int argc, char **argv)
{
	/* mov $0x2a, %eax; ret */
	static const unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };
	char *rwx = map(PAGE, RW | PROT_EXEC, ANON);
	char *rx = map(PAGE, RW, ANON);
	int (*fn)(void);

	memcpy(rwx, code, sizeof(code));
	memcpy(rx, code, sizeof(code));
	need(!mprotect(rx, PAGE, PROT_READ | PROT_EXEC));
	stage();
	fn = (void *)rwx;
	check_eq(42, fn());
	fn = (void *)rx;
	check_eq(42, fn());
	rwx[1] = 43;
	fn = (void *)rwx;
	check_eq(43, fn());
}

/* edges: as low and as high as a process can have memory. */
static void edges(int argc, char **argv)
{
	char *low = (char *)0x10000, *high = (char *)0x7ffffffff000 - 4 * PAGE;
	uint64_t hash;

	if (mmap(low, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) != low)
		low = NULL;
	if (mmap(high, 3 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) != high)
		high = NULL;
	need(low || high);
	if (low)
		fill_memory(low, PAGE, 1);
	if (high)
		fill_memory(high, 3 * PAGE, 2);
	hash = (low ? hash_memory(low, PAGE) : 0) + (high ? hash_memory(high, 3 * PAGE) : 0);
	stage();
	check_eq(hash, (low ? hash_memory(low, PAGE) : 0) +
		       (high ? hash_memory(high, 3 * PAGE) : 0));
}

/* moved: mappings that were moved, joined and cut with mremap(). */
static void moved(int argc, char **argv)
{
	char *a = map(4 * PAGE, RW, ANON), *b, *c;
	uint64_t hash;

	fill_memory(a, 4 * PAGE, 1);
	b = mremap(a, 4 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
	need(b != MAP_FAILED);
	fill_memory(b + 20 * PAGE, 20 * PAGE, 2);
	c = map(10 * PAGE, RW, ANON);
	need(mremap(b + 10 * PAGE, 10 * PAGE, 10 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, c) == c);
	fill_memory(c, PAGE, 3);
	hash = hash_memory(b, 10 * PAGE) + hash_memory(b + 20 * PAGE, 20 * PAGE) +
	       hash_memory(c, 10 * PAGE);
	stage();
	check_eq(hash, hash_memory(b, 10 * PAGE) + hash_memory(b + 20 * PAGE, 20 * PAGE) +
		       hash_memory(c, 10 * PAGE));
	/* The hole is one still. */
	check_eq(-1, mincore(b + 10 * PAGE, PAGE, (void *)&hash));
	check_eq(ENOMEM, errno);
}

const struct mode memory_modes[] = {
	{ "heap", heap },
	{ "stack", stack },
	{ "anon", anon },
	{ "zeropages", zeropages },
	{ "growsdown", growsdown },
	{ "advice", advice },
	{ "huge", huge },
	{ "sparse", sparse },
	{ "many", many },
	{ "bulk", bulk },
	{ "vdso", vdso },
	{ "novdso", novdso },
	{ "jit", jit },
	{ "edges", edges },
	{ "moved", moved },
	{}
};

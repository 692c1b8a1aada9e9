// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapgen SEED ROUNDS: random mappings. Each round makes some in an area of its
 * own and knows what each page must be; what earlier rounds have made stays.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "mapgen.h"
#include "subject.h"

#define PAGE		4096UL
#define PAGES		192
#define FILE_PAGES	64
#define STEPS		120
#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)

#ifndef SYS_mseal
#define SYS_mseal	462
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

/* What a page must be. */
struct page {
	uint64_t seed;	/* of what was written, 0: nothing */
	int file;	/* page of the file plus 1, 0: anonymous */
	int prot;
	bool mapped, locked, sealed;
};

static struct page pages[PAGES];
static char *area;
static uint64_t state;
static int fd;

static uint64_t next_random(uint64_t limit)
{
	state = state * 0x5851f42d4c957f2dULL + 0x14057b7ef767814fULL;
	return (state >> 33) % limit;
}

static bool all_mapped(int at, int n)
{
	for (; n; n--, at++)
		if (!pages[at].mapped)
			return false;
	return true;
}

static bool any_mapped(int at, int n)
{
	for (; n; n--, at++)
		if (pages[at].mapped)
			return true;
	return false;
}

static bool any_sealed(int at, int n)
{
	for (; n; n--, at++)
		if (pages[at].sealed)
			return true;
	return false;
}

static bool any_of_file(int at, int n)
{
	for (; n; n--, at++)
		if (pages[at].file)
			return true;
	return false;
}

static int random_prot(void)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
		PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC,
	};

	return prots[next_random(ARRAY_SIZE(prots))];
}

static void do_map(int at, int n)
{
	bool of_file = !next_random(4) && n <= FILE_PAGES;
	int prot = random_prot(), first = of_file ? next_random(FILE_PAGES - n + 1) : 0, i;
	int flags = (of_file ? MAP_PRIVATE : ANON) | (next_random(6) ? 0 : MAP_NORESERVE);
	char *p = area + at * PAGE;

	if (any_sealed(at, n))
		return;
	need(mmap(p, n * PAGE, prot, flags | MAP_FIXED, of_file ? fd : -1, first * PAGE) == p);
	for (i = at; i < at + n; i++)
		pages[i] = (struct page){
			.mapped = true, .prot = prot, .file = of_file ? first + i - at + 1 : 0,
		};
}

static void do_unmap(int at, int n)
{
	if (any_sealed(at, n))
		return;
	need(!munmap(area + at * PAGE, n * PAGE));
	memset(pages + at, 0, n * sizeof(*pages));
}

static void do_protect(int at, int n)
{
	int prot = random_prot(), i;

	if (!all_mapped(at, n) || any_sealed(at, n))
		return;
	need(!mprotect(area + at * PAGE, n * PAGE, prot));
	for (i = at; i < at + n; i++)
		pages[i].prot = prot;
}

static void do_write(int at, int n)
{
	int i;

	for (i = at; i < at + n; i++) {
		if (!pages[i].mapped || !(pages[i].prot & PROT_WRITE))
			continue;
		pages[i].seed = state | 1;
		fill_memory(area + i * PAGE, PAGE, pages[i].seed);
	}
}

/* Only to where nothing is; it fails where the range is of two mappings. */
static void do_move(int at, int n)
{
	int to = next_random(PAGES - n);
	char *from = area + at * PAGE;

	if (!all_mapped(at, n) || any_sealed(at, n) || any_mapped(to, n))
		return;
	if (mremap(from, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + to * PAGE) ==
	    MAP_FAILED)
		return;
	memcpy(pages + to, pages + at, n * sizeof(*pages));
	memset(pages + at, 0, n * sizeof(*pages));
}

static void do_advise(int at, int n)
{
	static const int advice[] = {
		MADV_RANDOM, MADV_SEQUENTIAL, MADV_NORMAL, MADV_DONTFORK, MADV_DOFORK,
		MADV_DONTDUMP, MADV_DODUMP, MADV_NOHUGEPAGE, MADV_MERGEABLE,
	};
	int i;

	if (!all_mapped(at, n) || any_sealed(at, n))
		return;
	if (next_random(3)) {
		need(!madvise(area + at * PAGE, n * PAGE, advice[next_random(ARRAY_SIZE(advice))]));
		return;
	}
	for (i = at; i < at + n; i++)
		if (pages[i].locked)
			return;
	need(!madvise(area + at * PAGE, n * PAGE, MADV_DONTNEED));
	for (i = at; i < at + n; i++)
		pages[i].seed = 0;
}

static void do_lock(int at, int n)
{
	bool unlock = !next_random(3);
	int i;

	if (!all_mapped(at, n))
		return;
	/* Memory without access is locked, too, but reported. */
	if (unlock)
		need(!munlock(area + at * PAGE, n * PAGE));
	else
		(void)mlock2(area + at * PAGE, n * PAGE, next_random(2));
	for (i = at; i < at + n; i++)
		pages[i].locked = !unlock;
}

/* To swap space, if there is some; pages of files would leave memory altogether. */
static void do_swap(int at, int n)
{
	int i;

	for (i = at; i < at + n; i++)
		if (pages[i].mapped && !pages[i].file)
			(void)madvise(area + i * PAGE, PAGE, MADV_PAGEOUT);
}

static void do_rest(int at, int n)
{
	unsigned long node = 1;
	int i;

	if (!all_mapped(at, n))
		return;
	switch (next_random(8)) {
	case 0 ... 2:
		if (any_of_file(at, n))
			return;
		(void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area + at * PAGE, n * PAGE,
			    next_random(2) ? "some" : "other");
		return;
	case 3 ... 5:
		/* A policy is the file's, where that is one of a tmpfs. */
		if (any_of_file(at, n))
			return;
		(void)syscall(SYS_mbind, area + at * PAGE, n * PAGE, 2, &node, 64, 0);
		return;
	case 6:
		if (syscall(SYS_mseal, area + at * PAGE, n * PAGE, 0))
			return;
		for (i = at; i < at + n; i++)
			pages[i].sealed = true;
	}
}

static void make_round(int nr)
{
	static void (*const steps[])(int at, int n) = {
		do_map, do_map, do_map, do_unmap, do_protect, do_protect, do_write, do_write,
		do_write, do_move, do_move, do_advise, do_lock, do_swap, do_rest,
	};
	int i, at;

	memset(pages, 0, sizeof(pages));
	area = (char *)MAPGEN_START + nr * MAPGEN_STEP;
	for (i = 0; i < STEPS; i++) {
		at = next_random(PAGES - 1);
		steps[next_random(ARRAY_SIZE(steps))](at, 1 + next_random(PAGES - 1 - at) % 24);
	}
}

static void check_round(void)
{
	static uint64_t want[PAGE / 8], zero[PAGE / 8];
	char *p;
	int i;

	for (i = 0; i < PAGES; i++) {
		p = area + i * PAGE;
		if (!pages[i].mapped) {
			check_eq(-1, msync(p, PAGE, MS_ASYNC));
			continue;
		}
		/* Who has sealed it away cannot look at it. */
		if (!(pages[i].prot & PROT_READ) &&
		    (pages[i].sealed || mprotect(p, PAGE, PROT_READ)))
			continue;
		memcpy(want, zero, PAGE);
		if (pages[i].seed)
			fill_memory(want, PAGE, pages[i].seed);
		else if (pages[i].file)
			fill_memory(want, PAGE, pages[i].file);
		if (memcmp(want, p, PAGE))
			fail("page %d of %p is wrong", i, area);
	}
}

static void mapgen(int argc, char **argv)
{
	static char page[PAGE];
	int i, rounds = atoi(argv[1]);

	state = strtoull(argv[0], NULL, 0);
	fd = open("mapped", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (i = 1; i <= FILE_PAGES; i++) {
		fill_memory(page, PAGE, i);
		need(write(fd, page, PAGE) == PAGE);
	}
	for (i = 0; i < rounds; i++) {
		make_round(i);
		stage();
		check_round();
	}
}

const struct mode mapgen_modes[] = {
	{ "mapgen", mapgen },
	{}
};

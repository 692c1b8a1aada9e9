// SPDX-License-Identifier: GPL-2.0-only
/* Mappings: where one ends and the next begins, and what each of them is. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "subject.h"

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

static char *map(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);

	need(p != MAP_FAILED);
	return p;
}

/* Room for mappings that are put side by side in it. */
static char *room(size_t pages)
{
	char *p = map(pages + 2, PROT_NONE, ANON);

	need(!munmap(p + PAGE, pages * PAGE));
	return p + PAGE;
}

static void map_at(char *p, size_t pages, int prot, int flags)
{
	need(mmap(p, pages * PAGE, prot, flags | MAP_FIXED_NOREPLACE, -1, 0) == p);
}

static void move(char *from, size_t pages, char *to)
{
	need(mremap(from, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
}

/* Two mappings whose pages belong to different places. */
static void apart_by_pages(char *p)
{
	map_at(p, 1, RW, ANON);
	p[0] = 1;
	map_at(p + 2 * PAGE, 1, RW, ANON);
	p[2 * PAGE] = 2;
	map_at(p + PAGE, 1, RW, ANON);
	p[PAGE] = 3;
}

/* Two mappings whose offsets do not follow each other. */
static void apart_by_offset(char *p)
{
	char *from = map(4, RW, ANON);

	fill_memory(from, 4 * PAGE, 1);
	move(from + 2 * PAGE, 2, p);
	move(from, 2, p + 2 * PAGE);
}

/*
 * Where they were before, they would merge: a page that was moved next to
 * others, and back again to its first place, which others have meanwhile.
 */
static void moved_in_between(char *p)
{
	map_at(p, 5, RW, ANON);
	fill_memory(p, 5 * PAGE, 2);
	move(p + 2 * PAGE, 1, p + 6 * PAGE);
	map_at(p + 2 * PAGE, 1, RW, ANON);
	p[2 * PAGE] = 9;
	map_at(p + 5 * PAGE, 1, PROT_READ, ANON);
	need(!mprotect(p + 5 * PAGE, PAGE, RW));
}

/* Shared memory of two openings, each mapped in two halves. */
static void apart_by_file(char *p)
{
	int i, fd[2];

	for (i = 0; i < 2; i++) {
		fd[i] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		need(fd[i] >= 0);
	}
	for (i = 0; i < 4; i++)
		need(mmap(p + i * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
			  fd[i / 2], i * PAGE) == p + i * PAGE);
	close(fd[0]);
	close(fd[1]);
}

/* Names, one of which is that of its neighbour behind a page of none. */
static void apart_by_name(char *p)
{
	static const char *const names[] = { "one", "two", NULL, "two", "two" };
	int i;

	for (i = 0; i < 5; i++) {
		map_at(p + i * PAGE, 1, RW, ANON);
		need(!names[i] || !prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p + i * PAGE, PAGE,
					 names[i]));
	}
}

/* apart: what /proc/PID/maps shows is the same; the test compares it. */
static void apart(int argc, char **argv)
{
	static void (*const makers[])(char *) = {
		apart_by_pages, apart_by_offset, moved_in_between, apart_by_file, apart_by_name,
	};
	uint64_t hash[ARRAY_SIZE(makers)];
	char *p[ARRAY_SIZE(makers)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(makers); i++) {
		p[i] = room(8);
		makers[i](p[i]);
		hash[i] = hash_memory(p[i], 3 * PAGE);
	}
	stage();
	for (i = 0; i < ARRAY_SIZE(makers); i++)
		check_eq(hash[i], hash_memory(p[i], 3 * PAGE));
	/* Moved memory may be made one again where its offsets fit. */
	move(p[1], 2, p[1] + 6 * PAGE);
	move(p[1] + 2 * PAGE, 2, p[1] + 4 * PAGE);
	stage();
	fill_memory(p[2], 4 * PAGE, 1);
	check_eq(0, memcmp(p[2], p[1] + 4 * PAGE, 4 * PAGE));
}

const struct mode vma_modes[] = {
	{ "apart", apart },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Things that a process can have many of: how long does one of them take, and
 * one of ten times as many?
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pattern.h"
#include "things.h"

#define PIPE_BYTES	4096

#define PAGE		4096UL
#define MIB		(1UL << 20)
#define TIB		(1UL << 40)

static int *fds;	/* of what was made, in its order */

static int *new_fds(unsigned long nr)
{
	struct rlimit limit = { nr + 100, nr + 100 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "%lu descriptors", nr);
	fds = calloc(nr, sizeof(*fds));
	if (!fds)
		err(1, "calloc");
	return fds;
}

/* Open files of their own, not copies of one. */
static void make_files(unsigned long nr)
{
	new_fds(nr);
	for (unsigned long i = 0; i < nr; i++) {
		fds[i] = open("/dev/null", i % 2 ? O_RDONLY : O_RDWR);
		if (fds[i] < 0)
			err(1, "file %lu", i);
	}
}

static unsigned long wrong_files(unsigned long nr)
{
	unsigned long wrong = 0;

	for (unsigned long i = 0; i < nr; i++)
		wrong += (fcntl(fds[i], F_GETFL) & O_ACCMODE) != (i % 2 ? O_RDONLY : O_RDWR);
	return wrong;
}

static void make_pipes(unsigned long nr)
{
	uint64_t words[PIPE_BYTES / sizeof(uint64_t)];

	new_fds(2 * nr);
	for (unsigned long i = 0; i < nr; i++) {
		pattern_fill(words, sizeof(words), i);
		if (pipe(fds + 2 * i) || write(fds[2 * i + 1], words, sizeof(words)) < 0)
			err(1, "pipe %lu", i);
	}
}

static unsigned long wrong_pipes(unsigned long nr)
{
	uint64_t words[PIPE_BYTES / sizeof(uint64_t)];
	unsigned long wrong = 0;

	for (unsigned long i = 0; i < nr; i++)
		wrong += read(fds[2 * i], words, sizeof(words)) != sizeof(words) ||
			 pattern_check(words, sizeof(words), i);
	return wrong;
}

/* Eventfds that one epoll instance watches, every third of them ready. */
static void make_watched(unsigned long nr)
{
	struct epoll_event event = { .events = EPOLLIN };

	new_fds(nr + 1);
	fds[nr] = epoll_create1(0);
	if (fds[nr] < 0)
		err(1, "epoll_create1");
	for (unsigned long i = 0; i < nr; i++) {
		event.data.u64 = i;
		fds[i] = eventfd(i % 3 == 0, 0);
		if (fds[i] < 0 || epoll_ctl(fds[nr], EPOLL_CTL_ADD, fds[i], &event))
			err(1, "watched file %lu", i);
	}
}

static unsigned long wrong_watched(unsigned long nr)
{
	struct epoll_event *events = calloc(nr, sizeof(*events));
	unsigned long wrong = 0, i;
	int got = events ? epoll_wait(fds[nr], events, nr, 0) : -1;

	for (i = 0; (int)i < got; i++)
		wrong += events[i].data.u64 % 3 != 0;
	free(events);
	return got < 0 ? nr : wrong + labs((long)(nr + 2) / 3 - got);
}

static char *area;	/* of mappings */

static void map_area(size_t size, int flags)
{
	area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags,
		    -1, 0);
	if (area == MAP_FAILED)
		err(1, "mmap");
}

/* Neighbours that differ, so that each is one; every third has a page. */
static void make_vmas(unsigned long nr)
{
	map_area(nr * PAGE, 0);
	for (unsigned long i = 0; i < nr; i++) {
		if (i % 3 == 0)
			area[i * PAGE] = i % 100 + 1;
		if (i % 2 == 0 && mprotect(area + i * PAGE, PAGE, PROT_READ))
			err(1, "mapping %lu", i);
	}
}

static unsigned long wrong_vmas(unsigned long nr)
{
	unsigned long wrong = 0;

	for (unsigned long i = 0; i < nr; i++)
		wrong += area[i * PAGE] != (i % 3 == 0 ? (char)(i % 100 + 1) : 0);
	return wrong;
}

/* So many MiB of a reservation of 1 TiB, in as many places. */
static void make_sparse(unsigned long nr)
{
	map_area(TIB, MAP_NORESERVE);
	for (unsigned long i = 0; i < nr; i++)
		pattern_fill((uint64_t *)(area + i * (TIB / nr)), MIB, i);
}

static unsigned long wrong_sparse(unsigned long nr)
{
	unsigned long wrong = 0;

	for (unsigned long i = 0; i < nr; i++)
		wrong += pattern_check((uint64_t *)(area + i * (TIB / nr)), MIB, i);
	return wrong;
}

const struct thing_kind thing_kinds[] = {
	{ "vma", make_vmas, wrong_vmas },
	{ "sparse", make_sparse, wrong_sparse },
	{ "file", make_files, wrong_files },
	{ "pipe", make_pipes, wrong_pipes },
	{ "eventfd", make_watched, wrong_watched },
	{ NULL, NULL, NULL }
};

const struct thing_kind *find_thing_kind(const char *name)
{
	const struct thing_kind *kind;

	for (kind = thing_kinds; kind->name; kind++)
		if (!strcmp(kind->name, name))
			return kind;
	return NULL;
}

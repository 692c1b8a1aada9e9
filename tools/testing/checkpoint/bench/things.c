// SPDX-License-Identifier: GPL-2.0-only
/*
 * Things that a process can have many of: how long does one of them take, and
 * one of ten times as many?
 */
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pattern.h"
#include "things.h"

#define PIPE_BYTES	4096	/* in each pipe, and in one direction of each connection */

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

/* Each has two descriptors: what is written to the second is read from the first. */
static void make_channels(unsigned long nr, int (*make)(int pair[2]))
{
	uint64_t words[PIPE_BYTES / sizeof(uint64_t)];

	new_fds(2 * nr);
	for (unsigned long i = 0; i < nr; i++) {
		pattern_fill(words, sizeof(words), i);
		if (make(fds + 2 * i) ||
		    write(fds[2 * i + 1], words, sizeof(words)) != sizeof(words))
			err(1, "pipe or connection %lu", i);
	}
}

static void make_pipes(unsigned long nr)
{
	make_channels(nr, pipe);
}

static int make_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static void make_pairs(unsigned long nr)
{
	make_channels(nr, make_pair);
}

static int listener;
static struct sockaddr_in address = { .sin_family = AF_INET };

static int make_connection(int pair[2])
{
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (pair[0] < 0 || connect(pair[0], (void *)&address, sizeof(address)))
		return -1;
	pair[1] = accept(listener, NULL, NULL);
	return pair[1] < 0 ? -1 : 0;
}

/* Over the loopback device, without a listening socket in the end. */
static void make_connections(unsigned long nr)
{
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (void *)&address, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &len))
		err(1, "listening socket");
	make_channels(nr, make_connection);
	close(listener);
}

static bool read_all(int fd, void *buf, size_t size)
{
	ssize_t n;

	for (; size; buf = (char *)buf + n, size -= n) {
		n = read(fd, buf, size);
		if (n <= 0)
			return false;
	}
	return true;
}

static unsigned long wrong_channels(unsigned long nr)
{
	uint64_t words[PIPE_BYTES / sizeof(uint64_t)];
	unsigned long wrong = 0;

	for (unsigned long i = 0; i < nr; i++)
		wrong += !read_all(fds[2 * i], words, sizeof(words)) ||
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
	{ "forked", make_forked, wrong_forked },
	{ "file", make_files, wrong_files },
	{ "pipe", make_pipes, wrong_channels },
	{ "socketpair", make_pairs, wrong_channels },
	{ "connection", make_connections, wrong_channels },
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

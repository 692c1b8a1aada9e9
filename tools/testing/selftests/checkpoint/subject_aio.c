// SPDX-License-Identifier: GPL-2.0-only
/* Asynchronous I/O: contexts of io_setup(2), their rings, and what was not read yet. */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "subject.h"

#define BLOCK		4096
#define REQUESTS	8
#define FLIGHTS		16

/* What user programs know of it; the kernel's is private. */
struct ring {
	uint32_t id, nr, head, tail;
	uint32_t magic, compat, incompat, header_length;
	struct io_event events[];
};

static aio_context_t setup(unsigned int nr)
{
	aio_context_t context = 0;

	need(!syscall(SYS_io_setup, nr, &context));
	return context;
}

static struct ring *ring_of(aio_context_t context)
{
	return (struct ring *)context;
}

static struct iocb request(int op, int fd, void *buf, size_t len, uint64_t data)
{
	return (struct iocb){
		.aio_lio_opcode = op, .aio_fildes = fd, .aio_buf = (uintptr_t)buf,
		.aio_nbytes = len, .aio_offset = data * len, .aio_data = data,
	};
}

static int submit(aio_context_t context, struct iocb *cb)
{
	return syscall(SYS_io_submit, context, 1, &cb);
}

static int get_events(aio_context_t context, int least, int most, struct io_event *events)
{
	return syscall(SYS_io_getevents, context, least, most, events, NULL);
}

/* Requests that complete by themselves, with their numbers. */
static void submit_syncs(aio_context_t context, int fd, int first, int nr)
{
	struct iocb cb;

	for (; nr; nr--, first++) {
		cb = request(IOCB_CMD_FSYNC, fd, NULL, 0, first);
		check_eq(1, submit(context, &cb));
	}
}

static void wait_tail(aio_context_t context, uint32_t tail)
{
	volatile struct ring *ring = ring_of(context);

	while (ring->tail != tail)
		poll_pause();
}

/* Each number from @first on once, in any order. */
static void check_events(aio_context_t context, int first, int nr)
{
	struct io_event events[64];
	uint64_t seen = 0;
	int i;

	check_eq(nr, get_events(context, nr, nr, events));
	for (i = 0; i < nr; i++) {
		check(events[i].data >= (uint64_t)first && events[i].data < (uint64_t)first + nr);
		seen |= 1ULL << (events[i].data - first);
	}
	check_eq((1ULL << nr) - 1, seen);
}

static int data_file(void)
{
	char block[BLOCK];
	int i, fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);

	need(fd >= 0);
	for (i = 0; i < REQUESTS; i++) {
		fill_memory(block, BLOCK, i);
		need(write(fd, block, BLOCK) == BLOCK);
	}
	return fd;
}

/* aio: reads whose events wait in the ring, an eventfd, and three contexts, one gone. */
static void aio(int argc, char **argv)
{
	static char blocks[REQUESTS][BLOCK], expected[BLOCK];
	int i, fd = data_file(), efd = eventfd(0, 0);
	aio_context_t a = setup(REQUESTS), b = setup(500), c = setup(1);
	struct iocb cb;
	uint64_t count;

	need(efd >= 0);
	check_eq(0, ring_of(a)->id);
	check_eq(2, ring_of(c)->id);
	need(!syscall(SYS_io_destroy, b));
	for (i = 0; i < REQUESTS; i++) {
		cb = request(IOCB_CMD_PREAD, fd, blocks[i], BLOCK, i);
		cb.aio_flags = IOCB_FLAG_RESFD;
		cb.aio_resfd = efd;
		check_eq(1, submit(a, &cb));
	}
	submit_syncs(c, fd, 0, 3);
	stage();
	check_eq(REQUESTS, ring_of(a)->tail);
	check_eq(sizeof(count), read(efd, &count, sizeof(count)));
	check_eq(REQUESTS, count);
	check_events(a, 0, REQUESTS / 2);
	stage();
	check_events(a, REQUESTS / 2, REQUESTS / 2);
	for (i = 0; i < REQUESTS; i++) {
		fill_memory(expected, BLOCK, i);
		check(!memcmp(blocks[i], expected, BLOCK));
	}
	check_events(c, 0, 3);
	check_eq(2, ring_of(c)->id);
	/* The place between them is free. */
	b = setup(500);
	check_eq(1, ring_of(b)->id);
	submit_syncs(b, fd, 10, 5);
	check_events(b, 10, 5);
	stage();
	check(!syscall(SYS_io_destroy, a) && !syscall(SYS_io_destroy, b));
	submit_syncs(c, fd, 7, 1);
	check_events(c, 7, 1);
	check(!syscall(SYS_io_destroy, c));
	check(syscall(SYS_io_destroy, c) && errno == EINVAL);
}

/* aio_full: as many as there is room for; the next one only when one was read. */
static void aio_full(int argc, char **argv)
{
	int fd = data_file(), nr = 0, more = 0, round;
	aio_context_t context = setup(4);
	struct io_event event;
	struct iocb cb = request(IOCB_CMD_PREAD, fd, NULL, 0, 0);

	while (submit(context, &cb) == 1)
		nr++;
	check_eq(EAGAIN, errno);
	check(nr >= 4 && nr < (int)ring_of(context)->nr);
	for (round = 0; round < 3; round++) {
		stage();
		check(submit(context, &cb) < 0 && errno == EAGAIN);
		/* User space may take them, too; slots come back in batches. */
		while (more < nr && submit(context, &cb) != 1) {
			if (round & 1)
				check_eq(1, get_events(context, 1, 1, &event));
			else
				ring_of(context)->head =
					(ring_of(context)->head + 1) % ring_of(context)->nr;
			more++;
		}
		check(more && more < nr);
		while (submit(context, &cb) == 1)
			;
		more = 0;
	}
}

/* aio_moved: a ring that has another address, and a context that has another name. */
static void aio_moved(int argc, char **argv)
{
	aio_context_t context = setup(300);
	size_t size = (sizeof(struct ring) + ring_of(context)->nr * 32 + BLOCK - 1) & -BLOCK;
	int fd = data_file(), i;
	void *to;

	submit_syncs(context, fd, 0, 2);
	wait_tail(context, 2);
	for (i = 0; i < 3; i++) {
		to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		need(to != MAP_FAILED);
		to = mremap((void *)context, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		need(to != MAP_FAILED);
		context = (uintptr_t)to;
		stage();
		check_events(context, 2 * i, 2);
		submit_syncs(context, fd, 2 * i + 2, 2);
	}
	check_events(context, 6, 2);
}

struct shared {
	aio_context_t context;
	int fd, efd;
};

static int submit_one(void *arg)
{
	struct shared *s = arg;
	uint64_t count;

	if (read(s->efd, &count, sizeof(count)) != sizeof(count))
		return 1;
	submit_syncs(s->context, s->fd, 0, 1);
	return 0;
}

static void *thread_submits(void *arg)
{
	return (void *)(long)submit_one(arg);
}

/* aio_shared: another process with this memory, and a thread, use the context. */
static void aio_shared(int argc, char **argv)
{
	struct shared s = {
		.context = setup(8), .fd = data_file(), .efd = eventfd(0, EFD_SEMAPHORE),
	};
	char *stack = malloc(65536);
	uint64_t two = 2;
	struct io_event events[2];
	pthread_t thread;
	pid_t pid;
	int status;

	need(s.efd >= 0 && stack);
	need(!pthread_create(&thread, NULL, thread_submits, &s));
	pid = clone(submit_one, stack + 65536, CLONE_VM | CLONE_FILES | SIGCHLD, &s);
	need(pid > 0);
	stage();
	check_eq(sizeof(two), write(s.efd, &two, sizeof(two)));
	check_eq(2, get_events(s.context, 2, 2, events));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
	check_eq(0, pthread_join(thread, NULL));
	stage();
	submit_syncs(s.context, s.fd, 0, 2);
	check_events(s.context, 0, 2);
}

/* aio_flight: saved at any moment of many requests: none is lost, none comes twice. */
static void aio_flight(int argc, char **argv)
{
	int fd = data_file(), efd = eventfd(0, EFD_NONBLOCK), i, n, done, first, staged = 0;
	aio_context_t context = setup(FLIGHTS);
	struct io_event events[FLIGHTS];
	uint64_t count, signals = 0;
	struct iocb cb;

	need(efd >= 0);
	ready();
	for (first = 0; staged < 5; first += FLIGHTS) {
		for (i = 0; i < FLIGHTS; i++) {
			cb = request(IOCB_CMD_FSYNC, fd, NULL, 0, first + i);
			cb.aio_flags = IOCB_FLAG_RESFD;
			cb.aio_resfd = efd;
			check_eq(1, submit(context, &cb));
		}
		if (gone_on() && ++staged < 5)
			ready();
		/* A wait that was disturbed may return with less. */
		for (done = 0; done < FLIGHTS; done += n) {
			n = get_events(context, 1, FLIGHTS - done, events);
			need(n > 0);
			for (i = 0; i < n; i++)
				check(events[i].data - first < FLIGHTS);
		}
	}
	while (read(efd, &count, sizeof(count)) == sizeof(count))
		signals += count;
	check_eq(first, signals);
}

/* aio_wait: a request for an event that only comes when the test goes on. */
static void aio_wait(int argc, char **argv)
{
	aio_context_t context = setup(4);
	int fds[2];
	struct iocb cb;

	need(!pipe(fds));
	cb = request(IOCB_CMD_POLL, fds[0], (void *)POLLIN, 0, 0);
	check_eq(1, submit(context, &cb));
	stage();
	check_eq(1, write(fds[1], "x", 1));
	check_events(context, 0, 1);
	stage();
}

/* aio_forked: a child has the ring, but not the context. */
static void aio_forked(int argc, char **argv)
{
	aio_context_t context = setup(4);
	int status, fds[2];
	pid_t pid;
	char c;

	need(!pipe(fds));
	pid = fork();
	if (!pid)
		_exit(read(fds[0], &c, 1) != 1);
	stage();
	check_eq(1, write(fds[1], "x", 1));
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
	check(!syscall(SYS_io_destroy, context));
}

/* aio_changed: a ring that can only be read. */
static void aio_changed(int argc, char **argv)
{
	aio_context_t context = setup(4);

	need(!mprotect((void *)context, BLOCK, PROT_READ));
	stage();
	check_eq(0, ring_of(context)->head);
}

const struct mode aio_modes[] = {
	{ "aio", aio },
	{ "aio_full", aio_full },
	{ "aio_moved", aio_moved },
	{ "aio_shared", aio_shared },
	{ "aio_flight", aio_flight },
	{ "aio_wait", aio_wait },
	{ "aio_forked", aio_forked },
	{ "aio_changed", aio_changed },
	{}
};

// SPDX-License-Identifier: GPL-2.0-only
/* io_uring(7): rings with what was not submitted and what was not read yet. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "subject_uring.h"

#define BLOCK		4096
#define BLOCKS		8
#define FLIGHTS		16

static int data_file(void)
{
	char block[BLOCK];
	int i, fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);

	need(fd >= 0);
	for (i = 0; i < BLOCKS; i++) {
		fill_memory(block, BLOCK, i);
		need(write(fd, block, BLOCK) == BLOCK);
	}
	return fd;
}

/* uring FLAGS: completions that wait, submissions that were not made, two instances. */
static void uring(int argc, char **argv)
{
	static char blocks[BLOCKS][BLOCK], expected[BLOCK];
	unsigned int flags = argc ? strtoul(argv[0], NULL, 0) : 0;
	struct uring u = setup(BLOCKS, flags), other = setup(1, 0);
	int i, fds[2];

	/* Reads of it need no worker. */
	need(!pipe(fds));
	for (i = 0; i < BLOCKS; i++) {
		fill_memory(expected, BLOCK, i);
		need(write(fds[1], expected, BLOCK) == BLOCK);
	}

	/* Around the ring. */
	nops(&u, 100, 3 * BLOCKS + 1);
	for (i = 0; i < BLOCKS / 2; i++) {
		prepare(&u, IORING_OP_READ, fds[0], blocks[i], BLOCK, i);
		check_eq(1, enter(&u, 1, i + 1));
	}
	for (; i < BLOCKS; i++)
		prepare(&u, IORING_OP_READ, fds[0], blocks[i], BLOCK, i);
	stage();
	check_eq(BLOCKS / 2, unread(&u));
	for (i = 0; i < BLOCKS; i++) {
		fill_memory(expected, BLOCK, i);
		check_eq(i < BLOCKS / 2, !memcmp(blocks[i], expected, BLOCK));
	}
	expect(&u, 0, BLOCK);
	expect(&u, 1, BLOCK);
	check_eq(BLOCKS / 2, enter(&u, BLOCKS / 2, BLOCKS - 2));
	stage();
	for (i = 2; i < BLOCKS; i++)
		expect(&u, i, BLOCK);
	check_eq(0, unread(&u));
	for (i = 0; i < BLOCKS; i++) {
		fill_memory(expected, BLOCK, i);
		check(!memcmp(blocks[i], expected, BLOCK));
	}
	nops(&other, 0, 3);
	stage();
	/* One that waits for all before it. */
	prepare(&u, IORING_OP_WRITE, fds[1], expected, BLOCK, 0);
	prepare(&u, IORING_OP_NOP, -1, NULL, 0, 7)->flags = IOSQE_IO_DRAIN;
	check_eq(2, enter(&u, 2, 2));
	expect(&u, 0, BLOCK);
	expect(&u, 7, 0);
	check_eq(BLOCK, read(fds[0], blocks[0], BLOCK));
	check(!memcmp(blocks[0], expected, BLOCK));
	nops(&u, 0, BLOCKS);
	nops(&other, 3, 3);
	close_ring(&other);
	close_ring(&u);
	other = setup(2, 0);
	nops(&other, 0, 1);
	close_ring(&other);
}

/* uring_shared: a child has it, too; both submit, one of them has closed it. */
static void uring_shared(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	int there[2], back[2], status, i;
	pid_t pid;
	char c = 0;

	need(!pipe(there) && !pipe(back));
	u.fd = dup2(u.fd, 50);
	need(u.fd == 50);
	nops(&u, 0, 5);
	pid = fork();
	if (!pid) {
		for (i = 0; i < 3; i++) {
			need(read(there[0], &c, 1) == 1);
			prepare(&u, IORING_OP_NOP, -1, NULL, 0, 10 + i);
			check_eq(1, enter(&u, 1, 1));
			need(write(back[1], &c, 1) == 1);
		}
		close_ring(&u);
		_exit(0);
	}
	for (i = 0; i < 3; i++) {
		stage();
		check_eq(1, write(there[1], &c, 1));
		check_eq(1, read(back[0], &c, 1));
		expect(&u, 10 + i, 0);
		nops(&u, 20 + i, 1);
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
	stage();
	nops(&u, 30, 1);
	/* The mappings keep it. */
	check(!close(u.fd));
	stage();
	check_eq(0, unread(&u));
}

struct issuer {
	struct uring u;
	int there[2], back[2];
	unsigned int flags;
};

static void *issue(void *arg)
{
	struct issuer *s = arg;
	int i;
	char c = 0;

	s->u = setup(4, s->flags);
	for (i = 0; i < 4; i++) {
		need(write(s->back[1], &c, 1) == 1);
		need(read(s->there[0], &c, 1) == 1);
		nops(&s->u, 10 * i, 6);
	}
	need(write(s->back[1], &c, 1) == 1);
	return NULL;
}

/* uring_issuer: only a thread that is not the first may submit. */
static void uring_issuer(int argc, char **argv)
{
	struct issuer s = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
	pthread_t thread;
	int i;
	char c;

	need(!pipe(s.there) && !pipe(s.back));
	need(!pthread_create(&thread, NULL, issue, &s));
	for (i = 0; i < 4; i++) {
		need(read(s.back[0], &c, 1) == 1);
		stage();
		prepare(&s.u, IORING_OP_NOP, -1, NULL, 0, 1);
		check(enter(&s.u, 1, 0) < 0 && errno == EEXIST);
		put(&s.u, s.u.p.sq_off.tail, get(&s.u, s.u.p.sq_off.tail) - 1);
		need(write(s.there[1], &c, 1) == 1);
	}
	need(read(s.back[0], &c, 1) == 1);
	check_eq(0, pthread_join(thread, NULL));
}

struct waiter {
	struct uring *u;
	bool registers;	/* the instance with itself, and closes it */
	pid_t tid;
	int result;
};

static void *wait_for_one(void *arg)
{
	struct waiter *w = arg;

	if (w->registers)
		register_ring(w->u, 7);
	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	w->result = w->registers ? enter_registered(7, 0, 1) : enter(w->u, 0, 1);
	if (w->result < 0)
		w->result = -errno;
	return NULL;
}

/* Until a thread sleeps in io_uring_enter(2). */
static void wait_asleep(pid_t *tid)
{
	char path[64], text[32];
	int fd, n;

	do {
		poll_pause();
		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall",
			 __atomic_load_n(tid, __ATOMIC_ACQUIRE));
		fd = open(path, O_RDONLY);
		n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
		text[n > 0 ? n : 0] = 0;
		if (fd >= 0)
			close(fd);
	} while (atoi(text) != SYS_io_uring_enter);
}

/* uring_wait [registers]: a thread that waits for a completion goes on waiting. */
static void uring_wait(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	struct waiter w = { .u = &u, .registers = argc };
	pthread_t thread;
	int i;

	for (i = 0; i < 2; i++) {
		w.tid = 0;
		need(!pthread_create(&thread, NULL, wait_for_one, &w));
		wait_asleep(&w.tid);
		stage();
		stage();
		wait_asleep(&w.tid);
		prepare(&u, IORING_OP_NOP, -1, NULL, 0, i);
		check_eq(1, syscall(SYS_io_uring_enter, u.fd, 1, 0, 0, NULL, 0));
		check_eq(0, pthread_join(thread, NULL));
		check_eq(0, w.result);
		expect(&u, i, 0);
	}
}

/* uring_epoll: an instance is watched, and has something to read, or not. */
static void uring_epoll(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = 5 };
	int epfd = epoll_create1(0), i;

	need(epfd >= 0);
	check(!epoll_ctl(epfd, EPOLL_CTL_ADD, u.fd, &event));
	check_eq(0, epoll_wait(epfd, &event, 1, 0));
	for (i = 0; i < 3; i++) {
		prepare(&u, IORING_OP_NOP, -1, NULL, 0, i);
		check_eq(1, enter(&u, 1, 0));
		stage();
		check_eq(1, epoll_wait(epfd, &event, 1, -1));
		check_eq(5, event.data.u64);
		stage();
		check_eq(0, epoll_wait(epfd, &event, 1, 0));
		expect(&u, i, 0);
	}
}

/* uring_flight: saved at any moment of many requests: none is lost, none comes twice. */
static void uring_flight(int argc, char **argv)
{
	static char blocks[FLIGHTS][BLOCK], expected[BLOCK];
	unsigned int flags = argc ? strtoul(argv[0], NULL, 0) : 0;
	struct uring u = setup(FLIGHTS, flags);
	int fd = data_file(), i, n, res, staged = 0;
	uint64_t data;
	uint32_t seen;

	ready();
	while (staged < 5) {
		memset(blocks, 0, sizeof(blocks));
		for (i = 0; i < FLIGHTS; i++) {
			prepare(&u, IORING_OP_READ, fd, blocks[i], BLOCK, i)->flags = IOSQE_ASYNC;
			u.sqes[(get(&u, u.p.sq_off.tail) - 1) & (u.p.sq_entries - 1)].off =
				i % BLOCKS * BLOCK;
		}
		for (n = 0; n < FLIGHTS; ) {
			i = enter(&u, FLIGHTS - n, 0);
			need(i > 0);
			n += i;
		}
		if (gone_on() && ++staged < 5)
			ready();
		for (n = 0, seen = 0; n < FLIGHTS; n++) {
			while (!unread(&u))
				check_eq(0, enter(&u, 0, 1));
			data = next(&u, &res);
			check_eq(BLOCK, res);
			check(data < FLIGHTS && !(seen & 1U << data));
			seen |= 1U << data;
		}
		for (i = 0; i < FLIGHTS; i++) {
			fill_memory(expected, BLOCK, i % BLOCKS);
			check(!memcmp(blocks[i], expected, BLOCK));
		}
	}
	check_eq(0, unread(&u));
}

/* uring_poll: a request for an event that only comes when the test goes on. */
static void uring_poll(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	int fds[2];

	need(!pipe(fds));
	prepare(&u, IORING_OP_POLL_ADD, fds[0], NULL, 0, 9)->poll32_events = POLLIN;
	check_eq(1, enter(&u, 1, 0));
	stage();
	check_eq(1, write(fds[1], "x", 1));
	check_eq(0, enter(&u, 0, 1));
	expect(&u, 9, POLLIN);
	stage();
	nops(&u, 0, 1);
}

/* uring_read: the same, of a read. */
static void uring_read(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	char c = 0;
	int fds[2];

	need(!pipe(fds));
	prepare(&u, IORING_OP_READ, fds[0], &c, 1, 9)->off = -1;
	check_eq(1, enter(&u, 1, 0));
	stage();
	check_eq(1, write(fds[1], "x", 1));
	check_eq(0, enter(&u, 0, 1));
	expect(&u, 9, 1);
	check_eq('x', c);
	stage();
	nops(&u, 0, 1);
}

/* uring_has WHAT: what stands in the way, and goes. */
static void uring_has(int argc, char **argv)
{
	struct uring u = setup(128, 0);
	int efd = eventfd(0, 0), fd = open("/proc/1/comm", O_RDONLY);

	need(argc == 1 && efd >= 0 && fd >= 0);
	if (!strcmp(argv[0], "file"))
		check_eq(0, do_register(&u, IORING_REGISTER_FILES, &fd, 1));
	else if (!strcmp(argv[0], "eventfd"))
		check_eq(0, do_register(&u, IORING_REGISTER_EVENTFD, &efd, 1));
	else if (!strcmp(argv[0], "personality"))
		check_eq(1, do_register(&u, IORING_REGISTER_PERSONALITY, NULL, 0));
	else if (!strcmp(argv[0], "part"))
		check(!munmap(u.sqes, BLOCK));
	else
		need(!strcmp(argv[0], "part"));
	/* What is registered is nowhere else. */
	check(!close(efd) && !close(fd));
	stage();
	if (!strcmp(argv[0], "part"))
		return;
	nops(&u, 0, 3);
}

/* uring_overflow: more completions than the ring has room for. */
static void uring_overflow(int argc, char **argv)
{
	struct uring u = setup(1, 0);
	int i;

	for (i = 0; i < 3; i++) {
		prepare(&u, IORING_OP_NOP, -1, NULL, 0, i);
		check_eq(1, enter(&u, 1, 0));
	}
	check_eq(2, unread(&u));
	stage();
	expect(&u, 0, 0);
	expect(&u, 1, 0);
	check_eq(0, enter(&u, 0, 1));
	stage();
	expect(&u, 2, 0);
	nops(&u, 0, 3);
}

/* uring_disabled: an instance that takes no submissions yet, but has registered a file. */
static void uring_disabled(int argc, char **argv)
{
	struct uring u = setup(4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_R_DISABLED);
	int i, fd = data_file();
	char block[BLOCK], expected[BLOCK];

	check_eq(0, do_register(&u, IORING_REGISTER_FILES, &fd, 1));
	check(!close(fd));
	fill_memory(expected, BLOCK, 1);
	prepare(&u, IORING_OP_READ, 0, block, BLOCK, 1)->flags = IOSQE_FIXED_FILE;
	for (i = 0; i < 2; i++) {
		check(enter(&u, 1, 1) < 0 && errno == EBADFD);
		stage();
	}
	check_eq(0, do_register(&u, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	check_eq(1, enter(&u, 1, 1));
	expect(&u, 1, BLOCK);
	check(!memcmp(block, expected, BLOCK));
	stage();
	nops(&u, 0, 9);
}

/* uring_sqpoll: a thread of the kernel takes submissions. */
static void uring_sqpoll(int argc, char **argv)
{
	struct uring u = setup(4, IORING_SETUP_SQPOLL);

	stage();
	prepare(&u, IORING_OP_NOP, -1, NULL, 0, 3);
	check_eq(1, syscall(SYS_io_uring_enter, u.fd, 1, 1,
			    IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, NULL, 0));
	expect(&u, 3, 0);
}

/* uring_one: the smallest. */
static void uring_one(int argc, char **argv)
{
	struct uring u = setup(1, IORING_SETUP_SINGLE_ISSUER);

	nops(&u, 0, 3);
	prepare(&u, IORING_OP_NOP, -1, NULL, 0, 4);
	check_eq(1, enter(&u, 1, 1));
	stage();
	expect(&u, 4, 0);
	nops(&u, 0, 3);
}

const struct mode uring_modes[] = {
	{ "uring", uring },
	{ "uring_shared", uring_shared },
	{ "uring_issuer", uring_issuer },
	{ "uring_wait", uring_wait },
	{ "uring_epoll", uring_epoll },
	{ "uring_flight", uring_flight },
	{ "uring_poll", uring_poll },
	{ "uring_read", uring_read },
	{ "uring_has", uring_has },
	{ "uring_sqpoll", uring_sqpoll },
	{ "uring_one", uring_one },
	{ "uring_overflow", uring_overflow },
	{ "uring_disabled", uring_disabled },
	{}
};

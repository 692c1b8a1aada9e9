// SPDX-License-Identifier: GPL-2.0-only
/* io_uring(7): what is registered with an instance. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "subject_uring.h"

#define BLOCK		512
#define BLOCKS		8
#define SLOTS		700	/* more than a page of tags */

/* A file of several blocks, each of which tells its number. */
static int numbered(void)
{
	char block[BLOCK];
	int i, fd = open("numbered", O_RDWR | O_CREAT | O_TRUNC, 0600);

	need(fd >= 0);
	for (i = 0; i < BLOCKS; i++) {
		fill_memory(block, BLOCK, i);
		need(write(fd, block, BLOCK) == BLOCK);
	}
	check_eq(0, lseek(fd, 0, SEEK_SET));
	return fd;
}

static void same_block(const char *block, int nr)
{
	char expected[BLOCK];

	fill_memory(expected, BLOCK, nr);
	check(!memcmp(block, expected, BLOCK));
}

/* A request for a registered file; -1: at its position. */
static int fixed(struct uring *u, int op, int slot, void *buf, size_t len, uint64_t off)
{
	struct io_uring_sqe *sqe = prepare(u, op, slot, buf, len, 77);
	int res;

	sqe->flags = IOSQE_FIXED_FILE;
	sqe->off = off;
	check_eq(1, enter(u, 1, 1));
	check_eq(77, next(u, &res));
	return res;
}

static void update(struct uring *u, int slot, int fd, uint64_t tag)
{
	struct io_uring_rsrc_update2 up = { .offset = slot, .data = (uintptr_t)&fd,
					    .tags = (uintptr_t)&tag, .nr = 1 };

	check_eq(1, do_register(u, IORING_REGISTER_FILES_UPDATE2, &up, sizeof(up)));
}

/* The kernel has let a file go. */
static void told(struct uring *u, uint64_t tag)
{
	while (!unread(u))
		check_eq(0, enter(u, 0, 1));
	expect(u, tag, 0);
}

/* The slot that the kernel chooses for another descriptor of a file. */
static int choose(struct uring *u, int fd)
{
	int res;

	prepare(u, IORING_OP_FILES_UPDATE, -1, &fd, 1, 78)->off = IORING_FILE_INDEX_ALLOC;
	check_eq(1, enter(u, 1, 1));
	check_eq(78, next(u, &res));
	check_eq(1, res);
	return fd;
}

static void sparse(struct uring *u, unsigned int nr)
{
	struct io_uring_rsrc_register reg = { .nr = nr, .flags = IORING_RSRC_REGISTER_SPARSE };

	check_eq(0, do_register(u, IORING_REGISTER_FILES2, &reg, sizeof(reg)));
}

/* uring_files FLAGS: a table with holes, files that are open nowhere else, tags. */
static void uring_files(int argc, char **argv)
{
	struct uring u = setup(4, argc ? strtoul(argv[0], NULL, 0) : 0);
	struct io_uring_file_index_range range = { .off = 10, .len = 5 };
	int fd = numbered(), fds[2], sv[2], i;
	char block[BLOCK];

	need(!pipe(fds) && !socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	sparse(&u, SLOTS);
	update(&u, 3, fd, 0xdead);
	check(!close(fd));
	update(&u, 600, fds[0], 0);
	update(&u, 601, fds[1], 0xbeef0001beefULL);
	/* Both ends of a connection: nothing else has them. */
	update(&u, 602, sv[0], 0);
	update(&u, 603, sv[1], 0);
	check(!close(fds[1]) && !close(sv[0]) && !close(sv[1]));
	check_eq(5, fixed(&u, IORING_OP_WRITE, 602, "hello", 5, 0));
	check_eq(0, do_register(&u, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0));
	check_eq(10, choose(&u, fds[0]));
	for (i = 0; i < 3; i++) {
		stage();
		check_eq(BLOCK, fixed(&u, IORING_OP_READ, 3, block, BLOCK, 5 * BLOCK));
		same_block(block, 5);
		check_eq(BLOCK, fixed(&u, IORING_OP_READ, 3, block, BLOCK, -1));
		same_block(block, i);
		check_eq(3, fixed(&u, IORING_OP_WRITE, 601, "abc", 3, 0));
		check_eq(3, fixed(&u, IORING_OP_READ, i ? 600 : 10, block, BLOCK, 0));
		check(!memcmp(block, "abc", 3));
		check_eq(11 + i, choose(&u, fds[0]));
		check_eq(-EBADF, fixed(&u, IORING_OP_READ, 4, block, BLOCK, 0));
		check_eq(-EBADF, fixed(&u, IORING_OP_READ, SLOTS, block, BLOCK, 0));
	}
	check_eq(5, fixed(&u, IORING_OP_READ, 603, block, BLOCK, 0));
	check(!memcmp(block, "hello", 5));
	/* What is let go is told, and at once gone. */
	update(&u, 3, -1, 0);
	told(&u, 0xdead);
	update(&u, 601, -1, 0);
	told(&u, 0xbeef0001beefULL);
	stage();
	check_eq(0, read(fds[0], block, 1));
	check_eq(-EBADF, fixed(&u, IORING_OP_READ, 3, block, BLOCK, 0));
	check_eq(0, do_register(&u, IORING_UNREGISTER_FILES, NULL, 0));
	stage();
	check_eq(-EBADF, fixed(&u, IORING_OP_READ, 600, block, BLOCK, 0));
	sparse(&u, 1);
	stage();
	nops(&u, 0, 5);
	close_ring(&u);
}

/* uring_files_shared: a child has the instance, too; a position that only it has. */
static void uring_files_shared(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	int fd = numbered(), there[2], back[2], status, i, closed = -1;
	char block[BLOCK], c = 0;
	pid_t pid;

	need(!pipe(there) && !pipe(back));
	check_eq(0, do_register(&u, IORING_REGISTER_FILES, (int[]){ closed, fd }, 2));
	check(!close(fd));
	pid = fork();
	if (!pid) {
		for (i = 0; i < 3; i++) {
			need(read(there[0], &c, 1) == 1);
			check_eq(BLOCK, fixed(&u, IORING_OP_READ, 1, block, BLOCK, -1));
			same_block(block, 2 * i);
			need(write(back[1], &c, 1) == 1);
		}
		_exit(0);
	}
	for (i = 0; i < 3; i++) {
		stage();
		check_eq(1, write(there[1], &c, 1));
		check_eq(1, read(back[0], &c, 1));
		check_eq(BLOCK, fixed(&u, IORING_OP_READ, 1, block, BLOCK, -1));
		same_block(block, 2 * i + 1);
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
	stage();
	check_eq(BLOCK, fixed(&u, IORING_OP_READ, 1, block, BLOCK, -1));
	same_block(block, 6);
}

/* uring_files_epoll: an epoll instance watches the instance with which it is registered. */
static void uring_files_epoll(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 9 };
	int epfd = epoll_create1(0), i;

	need(epfd >= 0);
	check(!epoll_ctl(epfd, EPOLL_CTL_ADD, u.fd, &event));
	check_eq(0, do_register(&u, IORING_REGISTER_FILES, &epfd, 1));
	for (i = 0; i < 2; i++) {
		prepare(&u, IORING_OP_NOP, -1, NULL, 0, i);
		check_eq(1, enter(&u, 1, 0));
		stage();
		check_eq(1, epoll_wait(epfd, &event, 1, -1));
		check_eq(9, event.data.u64);
		expect(&u, i, 0);
		check_eq(0, epoll_wait(epfd, &event, 1, 0));
	}
	/* By the registered one: a poll of it completes when there is a completion. */
	prepare(&u, IORING_OP_NOP, -1, NULL, 0, 5);
	check_eq(1, enter(&u, 1, 0));
	prepare(&u, IORING_OP_POLL_ADD, 0, NULL, 0, 6)->poll32_events = POLLIN;
	u.sqes[(get(&u, u.p.sq_off.tail) - 1) & (u.p.sq_entries - 1)].flags = IOSQE_FIXED_FILE;
	check_eq(1, enter(&u, 1, 2));
	expect(&u, 5, 0);
	expect(&u, 6, POLLIN);
}

/* How many completions were counted, which come in a moment. */
static uint64_t counted(int efd)
{
	struct pollfd p = { .fd = efd, .events = POLLIN };
	uint64_t count = 0;

	need(poll(&p, 1, WAIT_TIMEOUT * 1000) == 1);
	need(read(efd, &count, sizeof(count)) == sizeof(count));
	return count;
}

/* uring_eventfd FLAGS: completions are counted; @efd has some when it is saved. */
static void uring_eventfd(int argc, char **argv)
{
	struct uring u = setup(4, argc ? strtoul(argv[0], NULL, 0) : 0), other = setup(4, 0);
	int efd = eventfd(0, EFD_NONBLOCK), i, more = dup(efd);
	uint64_t count;

	need(efd >= 0 && more >= 0);
	check_eq(0, do_register(&u, IORING_REGISTER_EVENTFD, &efd, 1));
	check_eq(0, do_register(&other, IORING_REGISTER_EVENTFD, &more, 1));
	nops(&u, 0, 2);
	for (i = 0; i < 3; i++) {
		stage();
		check_eq(2, counted(efd));
		check(read(efd, &count, sizeof(count)) < 0 && errno == EAGAIN);
		nops(&u, 10, 1);
		check_eq(1, counted(efd));
		check_eq(-1, do_register(&u, IORING_REGISTER_EVENTFD, &efd, 1));
		stage();
		nops(&u, 20, 1);
		nops(&other, 30, 1);
	}
	check_eq(0, do_register(&other, IORING_UNREGISTER_EVENTFD, NULL, 0));
	close_ring(&other);
	stage();
	check_eq(2, counted(efd));
	/* Until the program does not want it any more. */
	put(&u, u.p.cq_off.flags, IORING_CQ_EVENTFD_DISABLED);
	nops(&u, 0, 1);
	stage();
	nops(&u, 0, 1);
	check(read(efd, &count, sizeof(count)) < 0 && errno == EAGAIN);
	put(&u, u.p.cq_off.flags, 0);
	nops(&u, 0, 1);
	check_eq(1, counted(efd));
	check_eq(0, do_register(&u, IORING_UNREGISTER_EVENTFD, NULL, 0));
	stage();
	nops(&u, 0, 3);
	check(read(efd, &count, sizeof(count)) < 0 && errno == EAGAIN);
}

/* uring_eventfd_async: only completions of workers are counted; a child has the eventfd. */
static void uring_eventfd_async(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	int efd = eventfd(0, EFD_NONBLOCK), there[2], back[2], i, status;
	uint64_t count;
	pid_t pid;
	char c = 0;

	need(efd >= 0 && !pipe(there) && !pipe(back));
	check_eq(0, do_register(&u, IORING_REGISTER_EVENTFD_ASYNC, &efd, 1));
	pid = fork();
	if (!pid) {
		close_ring(&u);
		for (i = 0; i < 2; i++) {
			need(read(there[0], &c, 1) == 1);
			check_eq(1, counted(efd));
			need(write(back[1], &c, 1) == 1);
		}
		_exit(0);
	}
	/* At last the parent has only what is registered. */
	for (i = 0; i < 2; i++) {
		stage();
		nops(&u, 0, 3);
		if (!i)
			check(read(efd, &count, sizeof(count)) < 0 && errno == EAGAIN);
		prepare(&u, IORING_OP_NOP, -1, NULL, 0, 5)->flags = IOSQE_ASYNC;
		check_eq(1, enter(&u, 1, 1));
		expect(&u, 5, 0);
		check_eq(1, write(there[1], &c, 1));
		check_eq(1, read(back[0], &c, 1));
		if (!i)
			check(!close(efd));
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
}

#define HUGE	(2UL << 20)

/* What /proc/self/status says of pages that the kernel holds, in KiB. */
static unsigned long pinned(void)
{
	char text[4096], *at;

	need(read_file("/proc/self/status", text, sizeof(text)) > 0);
	at = strstr(text, "VmPin:");
	need(at);
	return strtoul(at + 6, NULL, 10);
}

/* Moves a block between a file and a registered buffer. */
static int fixed_buffer(struct uring *u, int op, int fd, int slot, void *buf, uint64_t off)
{
	struct io_uring_sqe *sqe = prepare(u, op, fd, buf, BLOCK, 88);
	int res;

	sqe->buf_index = slot;
	sqe->off = off * BLOCK;
	check_eq(1, enter(u, 1, 1));
	check_eq(88, next(u, &res));
	return res;
}

static char *new_memory(size_t size, int flags)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	need(p != MAP_FAILED);
	return p;
}

/* Memory that begins with a huge page, if there is one. */
static char *huge_memory(size_t size)
{
	char *p = new_memory(size + HUGE, MAP_PRIVATE);

	p = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	need(!madvise(p, size, MADV_HUGEPAGE));
	return p;
}

/* What is read into the buffer comes, and what is written from it. */
static void use_buffer(struct uring *u, int fd, int slot, char *buf, int nr)
{
	char block[BLOCK];

	check_eq(BLOCK, fixed_buffer(u, IORING_OP_READ_FIXED, fd, slot, buf, nr));
	same_block(buf, nr);
	fill_memory(buf, BLOCK, BLOCKS - 1);
	check_eq(BLOCK, fixed_buffer(u, IORING_OP_WRITE_FIXED, fd, slot, buf, BLOCKS));
	check_eq(BLOCK, pread(fd, block, BLOCK, BLOCKS * BLOCK));
	same_block(block, BLOCKS - 1);
}

/* Another buffer takes a slot; what was there is told of by its tag. */
static void replace_buffer(struct uring *u, int slot, struct iovec iov, uint64_t tag, uint64_t old)
{
	struct io_uring_rsrc_update2 up = { .offset = slot, .data = (uintptr_t)&iov,
					    .tags = (uintptr_t)&tag, .nr = 1 };

	check_eq(1, do_register(u, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)));
	check_eq(0, enter(u, 0, 1));
	expect(u, old, 0);
}

/* uring_buffers FLAGS: memory of several kinds, some of it twice, an empty slot. */
static void uring_buffers(int argc, char **argv)
{
	struct uring u = setup(4, argc ? strtoul(argv[0], NULL, 0) : 0);
	char *own = new_memory(4 * 4096, MAP_PRIVATE), *shared = new_memory(4096, MAP_SHARED);
	char *huge = huge_memory(2 * HUGE);
	struct iovec iov[] = {
		{ own + 100, 3 * 4096 }, { NULL, 0 }, { shared, 4096 },
		{ huge + 8192, HUGE }, { own + 4096, 4096 },
	};
	uint64_t tags[] = { 0, 0, 5, 0, 6 };
	struct io_uring_rsrc_register table = { .nr = 5, .data = (uintptr_t)iov,
						.tags = (uintptr_t)tags };
	unsigned long held;
	int fd = numbered(), i;

	check_eq(0, do_register(&u, IORING_REGISTER_BUFFERS2, &table, sizeof(table)));
	held = pinned();
	check(held >= HUGE / 1024);
	for (i = 0; i < 3; i++) {
		stage();
		check_eq(held, pinned());
		use_buffer(&u, fd, 0, own + 4000, i);
		use_buffer(&u, fd, 0, own + 100 + 3 * 4096 - BLOCK, i + 1);
		use_buffer(&u, fd, 2, shared + 100, i + 2);
		use_buffer(&u, fd, 3, huge + HUGE - 100, i + 1);
		use_buffer(&u, fd, 4, own + 4096, i);
		check_eq(-EFAULT, fixed_buffer(&u, IORING_OP_READ_FIXED, fd, 1, own, 0));
		check_eq(-EFAULT, fixed_buffer(&u, IORING_OP_READ_FIXED, fd, 0, own, 0));
		check_eq(-EFAULT, fixed_buffer(&u, IORING_OP_READ_FIXED, fd, 5, own, 0));
		/* A second table is not taken. */
		check_eq(-1, do_register(&u, IORING_REGISTER_BUFFERS, iov, 1));
	}
	replace_buffer(&u, 2, iov[4], 7, 5);
	stage();
	use_buffer(&u, fd, 2, own + 4096, 1);
	replace_buffer(&u, 4, iov[0], 0, 6);
	replace_buffer(&u, 2, iov[1], 0, 7);
	check_eq(-EFAULT, fixed_buffer(&u, IORING_OP_READ_FIXED, fd, 2, own + 4096, 0));
	stage();
	check_eq(0, do_register(&u, IORING_UNREGISTER_BUFFERS, NULL, 0));
	check_eq(0, pinned());
	stage();
	nops(&u, 0, 2);
}

/* uring_buffers_child: it is the child that has registered memory of its own. */
static void uring_buffers_child(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	char *own = new_memory(4096, MAP_PRIVATE);
	struct iovec iov = { own, 4096 };
	int there[2], back[2], i, fd = numbered(), status;
	char c = 0;
	pid_t pid;

	need(!pipe(there) && !pipe(back));
	own[0] = 1;
	pid = fork();
	if (!pid) {
		check_eq(0, do_register(&u, IORING_REGISTER_BUFFERS, &iov, 1));
		for (i = 0; i < 3; i++) {
			need(write(back[1], &c, 1) == 1);
			need(read(there[0], &c, 1) == 1);
			same_block(own, i);
		}
		_exit(0);
	}
	for (i = 0; i < 3; i++) {
		check_eq(1, read(back[0], &c, 1));
		/* It counts as pinned by who has made the instance. */
		check_eq(4, pinned());
		stage();
		check_eq(4, pinned());
		check_eq(BLOCK, fixed_buffer(&u, IORING_OP_READ_FIXED, fd, 0, own, i));
		check_eq(1, own[0]);
		check_eq(1, write(there[1], &c, 1));
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(0, status);
}

/* uring_buffers_lost WHAT: the kernel has pages that nobody has any more. */
static void uring_buffers_lost(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	char *own = new_memory(2 * 4096, MAP_PRIVATE);
	struct iovec iov = { own, 2 * 4096 };

	need(argc == 1);
	check_eq(0, do_register(&u, IORING_REGISTER_BUFFERS, &iov, 1));
	if (!strcmp(argv[0], "unmapped"))
		need(!munmap(own + 4096, 4096));
	else if (!strcmp(argv[0], "dropped"))
		need(!madvise(own, 4096, MADV_DONTNEED));
	else
		need(!mprotect(own, 4096, PROT_READ));
	stage();
	/* It is not needed any more. */
	check_eq(0, do_register(&u, IORING_UNREGISTER_BUFFERS, NULL, 0));
	nops(&u, 0, 3);
	stage();
	nops(&u, 0, 3);
}

/* uring_lies: for images that are changed: an O_PATH descriptor is there, too. */
static void uring_lies(int argc, char **argv)
{
	struct uring u = setup(1, 0);
	int efd = eventfd(0, EFD_NONBLOCK), fd = numbered(), path = open(".", O_PATH);
	char block[BLOCK];

	need(efd >= 0 && path >= 0);
	check_eq(0, do_register(&u, IORING_REGISTER_EVENTFD, &efd, 1));
	check_eq(0, do_register(&u, IORING_REGISTER_FILES, (int[]){ fd, -1, efd, -1 }, 4));
	stage();
	check_eq(BLOCK, fixed(&u, IORING_OP_READ, 0, block, BLOCK, 0));
	check_eq(1, counted(efd));
}

#define RING_SLOTS	16

/* Which of all numbers name an instance of this thread. */
static uint32_t registered_rings(void)
{
	uint32_t found = 0;
	int i;

	for (i = 0; i < RING_SLOTS; i++)
		if (enter_registered(i, 0, 0) >= 0)
			found |= 1U << i;
		else
			check_eq(EBADF, errno);
	return found;
}

static void registered_nop(struct uring *u, int nr, uint64_t data)
{
	prepare(u, IORING_OP_NOP, -1, NULL, 0, data);
	check_eq(1, enter_registered(nr, 1, 1));
	expect(u, data, 0);
}

struct ring_user {
	struct uring *a, *b;
	int there[2], back[2];
};

/* Another thread has the same instances by other numbers. */
static void *use_rings(void *arg)
{
	struct ring_user *r = arg;
	char c = 0;

	register_ring(r->b, 15);
	register_ring(r->a, 3);
	need(write(r->back[1], &c, 1) == 1);
	while (read(r->there[0], &c, 1) == 1) {
		check_eq(1U << 15 | 1U << 3, registered_rings());
		registered_nop(r->b, 15, 21);
		registered_nop(r->a, 3, 22);
		need(write(r->back[1], &c, 1) == 1);
	}
	return NULL;
}

/* uring_rings [closed]: instances that threads have registered with themselves. */
static void uring_rings(int argc, char **argv)
{
	struct uring a = setup(4, 0), b = setup(8, 0);
	struct ring_user r = { .a = &a, .b = &b };
	struct io_uring_rsrc_update gone = { .offset = 9 };
	pthread_t thread;
	char c = 0;
	int i;

	register_ring(&a, 0);
	register_ring(&b, 3);
	register_ring(&b, 9);
	need(!pipe(r.there) && !pipe(r.back));
	need(!pthread_create(&thread, NULL, use_rings, &r));
	need(read(r.back[0], &c, 1) == 1);
	check_eq(1, do_register(&a, IORING_UNREGISTER_RING_FDS, &gone, 1));
	if (argc)
		check(!close(a.fd) && !close(b.fd));
	for (i = 0; i < 3; i++) {
		check_eq(1U << 0 | 1U << 3, registered_rings());
		registered_nop(&a, 0, i);
		registered_nop(&b, 3, i);
		need(write(r.there[1], &c, 1) == 1 && read(r.back[0], &c, 1) == 1);
		stage();
	}
	close(r.there[1]);
	check_eq(0, pthread_join(thread, NULL));
}

const struct mode uring2_modes[] = {
	{ "uring_lies", uring_lies },
	{ "uring_files", uring_files },
	{ "uring_files_shared", uring_files_shared },
	{ "uring_files_epoll", uring_files_epoll },
	{ "uring_eventfd", uring_eventfd },
	{ "uring_buffers", uring_buffers },
	{ "uring_buffers_child", uring_buffers_child },
	{ "uring_buffers_lost", uring_buffers_lost },
	{ "uring_eventfd_async", uring_eventfd_async },
	{ "uring_rings", uring_rings },
	{}
};

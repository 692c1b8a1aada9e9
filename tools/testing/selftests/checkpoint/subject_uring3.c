// SPDX-License-Identifier: GPL-2.0-only
/* io_uring: buffers that it chooses itself, restrictions. */
#include <fcntl.h>
#include <stdlib.h>

#include "subject_uring.h"

/* Of newer kernels than the headers may be. */
#define OFF_RING	0x80000000ULL
#define OFF_SHIFT	16
#define RING_MAPPED	1
#define RING_INC	2
#define RING_STATUS	26
#define MORE_LEFT	(1U << 4)

#define PART		64
#define GROUP		7
#define OTHER		2047	/* the last one whose ring can be mapped */

struct ring_of_buffers {
	uint64_t addr;
	uint32_t entries;
	uint16_t bgid, flags;
	uint32_t min_left, reserved[5];
};

struct ring_status {
	uint32_t bgid, head, reserved[8];
};

static int feeder[2];

/* A read into a buffer of a group: its number, or the error. */
static int take(struct uring *u, int bgid, uint32_t *flags)
{
	struct io_uring_sqe *sqe;
	char part[PART];
	uint32_t head;
	int res;

	fill_memory(part, PART, bgid);
	need(write(feeder[1], part, PART) == PART);
	sqe = prepare(u, IORING_OP_READ, feeder[0], NULL, PART, 5);
	sqe->off = -1;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = bgid;
	check_eq(1, enter(u, 1, 1));
	head = get(u, u->p.cq_off.head);
	*flags = ((struct io_uring_cqe *)(u->cqes + (head & (u->p.cq_entries - 1)) *
					  cqe_size(u)))->flags;
	next(u, &res);
	if (res >= 0) {
		check_eq(PART, res);
		check(*flags & IORING_CQE_F_BUFFER);
		return *flags >> IORING_CQE_BUFFER_SHIFT;
	}
	need(read(feeder[0], part, PART) == PART);
	return res;
}

/* Takes the buffer of this number, which is there. */
static void takes(struct uring *u, int bgid, int bid, const char *buf)
{
	char part[PART];
	uint32_t flags;

	fill_memory(part, PART, bgid);
	check_eq(bid, take(u, bgid, &flags));
	check(!memcmp(buf, part, PART));
	check(!(flags & MORE_LEFT));
}

static void has_none(struct uring *u, int bgid)
{
	uint32_t flags;

	check_eq(-ENOBUFS, take(u, bgid, &flags));
}

static void provide(struct uring *u, int bgid, char *buf, int nr, int bid)
{
	struct io_uring_sqe *sqe = prepare(u, IORING_OP_PROVIDE_BUFFERS, nr, buf, PART, 6);

	sqe->off = bid;
	sqe->buf_group = bgid;
	check_eq(1, enter(u, 1, 1));
	expect(u, 6, 0);
}

static int withdraw(struct uring *u, int bgid, int nr)
{
	struct io_uring_sqe *sqe = prepare(u, IORING_OP_REMOVE_BUFFERS, nr, NULL, 0, 7);
	int res;

	sqe->off = 0;
	sqe->buf_group = bgid;
	check_eq(1, enter(u, 1, 1));
	next(u, &res);
	return res;
}

static char *memory(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(p != MAP_FAILED);
	return p;
}

/* uring_provided: groups of buffers one by one, one group without any. */
static void uring_provided(int argc, char **argv)
{
	struct uring u = setup(4, argc ? strtoul(argv[0], NULL, 0) : 0);
	char *buf = memory(16 * PART);

	need(!pipe(feeder));
	provide(&u, GROUP, buf, 4, 10);
	provide(&u, GROUP, buf + 8 * PART, 1, 65535);
	provide(&u, 65535, buf + 4 * PART, 2, 0);
	provide(&u, 3, buf, 1, 0);
	check_eq(1, withdraw(&u, 3, 1));
	takes(&u, GROUP, 10, buf);
	stage();
	takes(&u, GROUP, 11, buf + PART);
	takes(&u, 65535, 0, buf + 4 * PART);
	has_none(&u, 3);
	check_eq(0, withdraw(&u, 3, 1));
	check_eq(-ENOENT, withdraw(&u, 4, 1));
	stage();
	provide(&u, GROUP, buf, 1, 10);
	takes(&u, GROUP, 12, buf + 2 * PART);
	takes(&u, GROUP, 13, buf + 3 * PART);
	stage();
	takes(&u, GROUP, 65535, buf + 8 * PART);
	takes(&u, GROUP, 10, buf);
	has_none(&u, GROUP);
	check_eq(1, withdraw(&u, 65535, 2));
	stage();
	has_none(&u, 65535);
}

/* The ring of a group: memory of ours, or of the kernel's. */
static struct io_uring_buf *buffer_ring(struct uring *u, int bgid, int flags)
{
	struct ring_of_buffers reg = { .entries = 8, .bgid = bgid, .flags = flags };
	void *ring = memory(2 * 4096);

	need(!munmap(ring + 4096, 4096));
	if (!(flags & RING_MAPPED))
		reg.addr = (uintptr_t)ring;
	check_eq(0, do_register(u, IORING_REGISTER_PBUF_RING, &reg, 1));
	if (!(flags & RING_MAPPED))
		return ring;
	ring = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
		    OFF_RING | (uint64_t)bgid << OFF_SHIFT);
	need(ring != MAP_FAILED);
	return ring;
}

/* Its tail is in the first entry. */
static void add(struct io_uring_buf *ring, char *buf, int len, int bid)
{
	uint16_t tail = ring[0].resv;

	ring[tail & 7].addr = (uintptr_t)buf;
	ring[tail & 7].len = len;
	ring[tail & 7].bid = bid;
	__atomic_store_n(&ring[0].resv, tail + 1, __ATOMIC_RELEASE);
}

static uint32_t head_of(struct uring *u, int bgid)
{
	struct ring_status status = { .bgid = bgid };

	check_eq(0, do_register(u, RING_STATUS, &status, 1));
	return status.head;
}

/* uring_buffer_ring FLAGS: as of IORING_REGISTER_PBUF_RING. */
static void uring_buffer_ring(int argc, char **argv)
{
	int i, flags = argc ? atoi(argv[0]) : 0;
	struct uring u = setup(4, 0);
	struct io_uring_buf *ring = buffer_ring(&u, GROUP, flags);
	struct io_uring_buf *other = buffer_ring(&u, OTHER, flags);
	struct ring_of_buffers reg = { .bgid = GROUP };
	char *buf = memory(16 * PART);

	need(!pipe(feeder));
	provide(&u, 0, buf, 1, 0);
	for (i = 0; i < 6; i++)
		add(ring, buf + i * PART, PART, i + 100);
	add(other, buf + 7 * PART, PART, 9);
	takes(&u, GROUP, 100, buf);
	stage();
	check_eq(1, head_of(&u, GROUP));
	check_eq(0, head_of(&u, OTHER));
	takes(&u, GROUP, 101, buf + PART);
	takes(&u, OTHER, 9, buf + 7 * PART);
	has_none(&u, OTHER);
	stage();
	for (i = 6; i < 10; i++)
		add(ring, buf + i * PART, PART, i + 100);
	for (i = 2; i < 9; i++)
		takes(&u, GROUP, i + 100, buf + i * PART);
	stage();
	check_eq(9, head_of(&u, GROUP));
	check_eq(1, head_of(&u, OTHER));
	takes(&u, GROUP, 109, buf + 9 * PART);
	has_none(&u, GROUP);
	takes(&u, 0, 0, buf);
	check_eq(0, do_register(&u, IORING_UNREGISTER_PBUF_RING, &reg, 1));
	check_eq(-1, do_register(&u, IORING_UNREGISTER_PBUF_RING, &reg, 1));
	check_eq(0, munmap(ring, 4096));
	stage();
	add(other, buf + 8 * PART, PART, 3);
	takes(&u, OTHER, 3, buf + 8 * PART);
}

/* uring_buffer_parts FLAGS: a buffer of a ring is used in parts. */
static void uring_buffer_parts(int argc, char **argv)
{
	struct uring u = setup(4, 0);
	struct io_uring_buf *ring = buffer_ring(&u, GROUP, RING_INC | (argc ? atoi(argv[0]) : 0));
	char *buf = memory(16 * PART), part[PART];
	uint32_t flags;
	int i;

	need(!pipe(feeder));
	fill_memory(part, PART, GROUP);
	add(ring, buf, 3 * PART, 55);
	add(ring, buf + 8 * PART, PART, 56);
	for (i = 0; i < 3; i++) {
		check_eq(55, take(&u, GROUP, &flags));
		check_eq(i < 2 ? MORE_LEFT : 0, flags & MORE_LEFT);
		check(!memcmp(buf + i * PART, part, PART));
		stage();
	}
	takes(&u, GROUP, 56, buf + 8 * PART);
	has_none(&u, GROUP);
}

/* uring_buffer_lost WHAT: a ring in memory that has gone, mapped still, or too many buffers. */
static void uring_buffer_lost(int argc, char **argv)
{
	bool mapped = argc && strcmp(argv[0], "unmapped");
	bool full = argc && !strcmp(argv[0], "full");
	struct uring u = setup(4, 0);
	struct io_uring_buf *ring = buffer_ring(&u, GROUP, mapped ? RING_MAPPED : 0);
	struct ring_of_buffers reg = { .bgid = GROUP };
	int i;

	need(argc == 1);
	for (i = 0; full && i < 9; i++)
		provide(&u, 0, memory(PART), 65535, 0);
	if (!mapped)
		need(!munmap(ring, 4096));
	if (!full)
		check_eq(0, !mapped ? 0 : do_register(&u, IORING_UNREGISTER_PBUF_RING, &reg, 1));
	if (!full && mapped)
		buffer_ring(&u, GROUP, RING_MAPPED);
	stage();
	if (full)
		for (i = 0; i < 9; i++)
			check_eq(65535, withdraw(&u, 0, 65535));
	else if (mapped)
		need(!munmap(ring, 4096));
	else
		check_eq(0, do_register(&u, IORING_UNREGISTER_PBUF_RING, &reg, 1));
	stage();
	nops(&u, 0, 3);
}

static int try_one(struct uring *u, int op, int flags)
{
	int res;

	prepare(u, op, -1, NULL, 0, 4)->flags = flags;
	check_eq(1, enter(u, 1, 1));
	next(u, &res);
	return res;
}

/* uring_restricted: what an instance may do once it is enabled. */
static void uring_restricted(int argc, char **argv)
{
	struct uring u = setup(4, IORING_SETUP_R_DISABLED);
	struct io_uring_restriction r[] = {
		{ .opcode = IORING_RESTRICTION_REGISTER_OP,
		  .register_op = IORING_REGISTER_ENABLE_RINGS },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
		  .sqe_flags = IOSQE_ASYNC | IOSQE_IO_DRAIN },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_IO_DRAIN },
	};
	int i;

	check_eq(0, do_register(&u, IORING_REGISTER_RESTRICTIONS, r, 4));
	stage();
	/* There are some already. */
	check_eq(-1, do_register(&u, IORING_REGISTER_RESTRICTIONS, r, 4));
	check_eq(EBUSY, errno);
	check_eq(0, do_register(&u, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(0, try_one(&u, IORING_OP_NOP, IOSQE_IO_DRAIN));
		check_eq(0, try_one(&u, IORING_OP_NOP, IOSQE_IO_DRAIN | IOSQE_ASYNC));
		check_eq(-EACCES, try_one(&u, IORING_OP_NOP, 0));
		check_eq(-EACCES, try_one(&u, IORING_OP_NOP, IOSQE_IO_DRAIN | IOSQE_IO_LINK));
		check_eq(-EACCES, try_one(&u, IORING_OP_CLOSE, IOSQE_IO_DRAIN));
		check_eq(-1, do_register(&u, IORING_REGISTER_PERSONALITY, NULL, 0));
		check_eq(EACCES, errno);
	}
}

const struct mode uring3_modes[] = {
	{ "uring_provided", uring_provided },
	{ "uring_buffer_ring", uring_buffer_ring },
	{ "uring_buffer_parts", uring_buffer_parts },
	{ "uring_buffer_lost", uring_buffer_lost },
	{ "uring_restricted", uring_restricted },
	{}
};

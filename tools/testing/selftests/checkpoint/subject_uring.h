/* SPDX-License-Identifier: GPL-2.0-only */
/* io_uring(7) by its system calls. */
#ifndef SUBJECT_URING_H
#define SUBJECT_URING_H

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "subject.h"

#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY	(1U << 16)
#endif

struct uring {
	int fd;
	struct io_uring_params p;
	char *rings;
	size_t rings_size, sqes_size;
	int wide;	/* shift of what a submission takes */
	struct io_uring_sqe *sqes;
	char *cqes;
};

static inline uint32_t *at(struct uring *u, uint32_t offset)
{
	return (uint32_t *)(u->rings + offset);
}

static inline uint32_t get(struct uring *u, uint32_t offset)
{
	return __atomic_load_n(at(u, offset), __ATOMIC_ACQUIRE);
}

static inline void put(struct uring *u, uint32_t offset, uint32_t value)
{
	__atomic_store_n(at(u, offset), value, __ATOMIC_RELEASE);
}

static inline size_t cqe_size(struct uring *u)
{
	return sizeof(struct io_uring_cqe) << !!(u->p.flags & IORING_SETUP_CQE32);
}

static inline struct uring setup(unsigned int entries, unsigned int flags)
{
	struct uring u = { .p.flags = flags };

	u.fd = syscall(SYS_io_uring_setup, entries, &u.p);
	need(u.fd >= 0);
	u.wide = !!(flags & IORING_SETUP_SQE128);
	u.rings_size = flags & IORING_SETUP_NO_SQARRAY ?
		       u.p.cq_off.cqes + u.p.cq_entries * cqe_size(&u) :
		       u.p.sq_off.array + u.p.sq_entries * sizeof(uint32_t);
	u.sqes_size = u.p.sq_entries * sizeof(struct io_uring_sqe) << u.wide;
	u.rings = mmap(NULL, u.rings_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       u.fd, IORING_OFF_SQ_RING);
	u.sqes = mmap(NULL, u.sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		      u.fd, IORING_OFF_SQES);
	need(u.rings != MAP_FAILED && u.sqes != MAP_FAILED);
	u.cqes = u.rings + u.p.cq_off.cqes;
	return u;
}

static inline int enter(struct uring *u, unsigned int submit, unsigned int least)
{
	return syscall(SYS_io_uring_enter, u->fd, submit, least, IORING_ENTER_GETEVENTS, NULL, 0);
}

/* A submission that is not made yet. */
static inline struct io_uring_sqe *prepare(struct uring *u, int op, int fd, void *buf, size_t len,
					   uint64_t data)
{
	uint32_t tail = get(u, u->p.sq_off.tail), i = tail & (u->p.sq_entries - 1);
	struct io_uring_sqe *sqe = &u->sqes[i << u->wide];

	memset(sqe, 0, sizeof(*sqe) << u->wide);
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = len;
	sqe->off = data * len;
	sqe->user_data = data;
	if (!(u->p.flags & IORING_SETUP_NO_SQARRAY))
		at(u, u->p.sq_off.array)[i] = i;
	put(u, u->p.sq_off.tail, tail + 1);
	return sqe;
}

static inline unsigned int unread(struct uring *u)
{
	return get(u, u->p.cq_off.tail) - get(u, u->p.cq_off.head);
}

/* Takes the next completion: its number and result. */
static inline uint64_t next(struct uring *u, int *res)
{
	uint32_t head = get(u, u->p.cq_off.head);
	const struct io_uring_cqe *cqe = (void *)(u->cqes +
						  (head & (u->p.cq_entries - 1)) * cqe_size(u));
	uint64_t data = cqe->user_data;

	need(unread(u));
	*res = cqe->res;
	put(u, u->p.cq_off.head, head + 1);
	return data;
}

/* The next one has this number and result. */
static inline void expect(struct uring *u, uint64_t data, int res)
{
	int got;

	check_eq(data, next(u, &got));
	check_eq(res, got);
}

static inline void nops(struct uring *u, uint64_t data, int nr)
{
	for (; nr; nr--, data++) {
		prepare(u, IORING_OP_NOP, -1, NULL, 0, data);
		check_eq(1, enter(u, 1, 1));
		expect(u, data, 0);
	}
}

static inline void close_ring(struct uring *u)
{
	check(!munmap(u->rings, u->rings_size) && !munmap(u->sqes, u->sqes_size));
	check(!close(u->fd));
}

static inline int do_register(struct uring *u, unsigned int op, const void *arg, unsigned int nr)
{
	return syscall(SYS_io_uring_register, u->fd, op, arg, nr);
}

/* By a number that the thread has registered. */
static inline int enter_registered(int nr, unsigned int submit, unsigned int least)
{
	return syscall(SYS_io_uring_enter, nr, submit, least,
		       IORING_ENTER_GETEVENTS | IORING_ENTER_REGISTERED_RING, NULL, 0);
}

static inline void register_ring(struct uring *u, int nr)
{
	struct io_uring_rsrc_update ring = { .offset = nr, .data = u->fd };

	check_eq(1, do_register(u, IORING_REGISTER_RING_FDS, &ring, 1));
	check_eq(nr, ring.offset);
}

#endif /* SUBJECT_URING_H */

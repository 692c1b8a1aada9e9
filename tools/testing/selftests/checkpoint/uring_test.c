// SPDX-License-Identifier: GPL-2.0-only
/* io_uring(7): rings with what waits in them, and requests under way. */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

FIXTURE(uring) {
	struct subject s;
};

FIXTURE_VARIANT(uring) {
	enum way way;
};

FIXTURE_VARIANT_ADD(uring, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(uring, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(uring, kill) { .way = WAY_KILL };

FIXTURE_SETUP(uring)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(uring)
{
	subject_destroy(&self->s);
}

#define URING_TEST(name, command)				\
TEST_F_TIMEOUT(uring, name, TEST_TIMEOUT)			\
{								\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way))	\
		messages_show(&self->s);				\
}

URING_TEST(plain, "uring")
/* CQSIZE is not needed; CLAMP, SUBMIT_ALL, COOP_TASKRUN, TASKRUN_FLAG */
URING_TEST(coop, "uring 0x390")
/* SINGLE_ISSUER, DEFER_TASKRUN */
URING_TEST(deferred, "uring 0x3000")
URING_TEST(shared, "uring_shared")
URING_TEST(issuer, "uring_issuer")
URING_TEST(wait, "uring_wait")
URING_TEST(epoll, "uring_epoll")
/* SQE128, CQE32, NO_SQARRAY */
URING_TEST(wide, "uring 0xc00")
URING_TEST(direct, "uring 0x10400")
URING_TEST(files_epoll, "uring_files_epoll")
URING_TEST(eventfd, "uring_eventfd")
URING_TEST(rings, "uring_rings")
URING_TEST(rings_closed, "uring_rings closed")
URING_TEST(wait_registered, "uring_wait registers")

#define LOOKED_TEST(name, command, member)			\
TEST_F_TIMEOUT(uring, name, TEST_TIMEOUT)			\
{								\
	self->s.member = true;					\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way))	\
		messages_show(&self->s);				\
}

/* How many threads there are, with workers, is not what it was. */
#define WORKERS_TEST(name, command)	LOOKED_TEST(name, command, files_only)
/* Its queues are never the same. */
#define MOVING_TEST(name, command)	LOOKED_TEST(name, command, nosnap)

WORKERS_TEST(buffers, "uring_buffers")
WORKERS_TEST(buffers_deferred, "uring_buffers 0x3000")
WORKERS_TEST(buffers_child, "uring_buffers_child")

URING_TEST(provided, "uring_provided")
URING_TEST(provided_deferred, "uring_provided 0x3000")
URING_TEST(buffer_ring, "uring_buffer_ring")
URING_TEST(buffer_ring_mapped, "uring_buffer_ring 1")
URING_TEST(buffer_parts, "uring_buffer_parts")
URING_TEST(buffer_parts_mapped, "uring_buffer_parts 1")
WORKERS_TEST(restricted, "uring_restricted")
WORKERS_TEST(disabled, "uring_disabled")
WORKERS_TEST(files, "uring_files")
WORKERS_TEST(files_deferred, "uring_files 0x3000")
WORKERS_TEST(files_shared, "uring_files_shared")
WORKERS_TEST(eventfd_async, "uring_eventfd_async")
MOVING_TEST(flight, "uring_flight")
MOVING_TEST(flight_deferred, "uring_flight 0x3000")

FIXTURE(refused_uring) {
	struct subject s;
};

FIXTURE_VARIANT(refused_uring) {
	const char *command;
	const char *words;
	int code;
	bool then;
};

#define REFUSED(_name, _command, _code, _words, _then)			\
FIXTURE_VARIANT_ADD(refused_uring, _name) {				\
	.command = _command, .code = CKPT_WHY_##_code, .words = _words, .then = _then,	\
}

REFUSED(poll, "uring_poll", IO, "1 requests wait for events", true);
REFUSED(read, "uring_read", IO, "1 requests wait for events", true);
REFUSED(sqpoll, "uring_sqpoll", IO, "(SQPOLL)", false);
REFUSED(file, "uring_has file", FILE, "comm", false);
REFUSED(unmapped, "uring_buffers_lost unmapped", IO, "buffer whose memory was unmapped", true);
REFUSED(dropped, "uring_buffers_lost dropped", IO, "buffer whose memory was unmapped", true);
REFUSED(protected, "uring_buffers_lost protected", IO, "buffer whose memory was unmapped", true);
REFUSED(ring_unmapped, "uring_buffer_lost unmapped", IO, "buffer whose memory was unmapped", true);
REFUSED(ring_former, "uring_buffer_lost mapped", MAPPING, "mapped in part", true);
REFUSED(provided, "uring_buffer_lost full", IO, "more provided buffers than an image", true);
REFUSED(eventfd, "uring_has eventfd", IO, "eventfd that no process of the tree has open", false);
REFUSED(overflow, "uring_overflow", IO, "more completions than its ring has room for", true);
REFUSED(personality, "uring_has personality", IO, "with registered personalities", false);
REFUSED(part, "uring_has part", MAPPING, "mapped in part", false);

FIXTURE_SETUP(refused_uring)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(refused_uring)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(refused_uring, by_name, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	s->files_only = true;
	ASSERT_EQ(0, subject_start(s, variant->command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	EXPECT_EQ(1, messages_count(s, "", variant->code, variant->words)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	/* What it waited for has come. */
	if (variant->then) {
		ASSERT_EQ(0, subject_expect(s, "ready"));
		ASSERT_EQ(0, subject_cycle(s, WAY_KILL)) messages_show(s);
		ASSERT_EQ(0, subject_go(s));
	}
	ASSERT_EQ(0, subject_end(s));
}

FIXTURE(user_uring) {
	struct subject s;
};

FIXTURE_VARIANT(user_uring) {
	const char *command;
};

FIXTURE_VARIANT_ADD(user_uring, plain) { .command = "uring" };
FIXTURE_VARIANT_ADD(user_uring, files) { .command = "uring_files" };
FIXTURE_VARIANT_ADD(user_uring, eventfd) { .command = "uring_eventfd" };
FIXTURE_VARIANT_ADD(user_uring, rings) { .command = "uring_rings closed" };
FIXTURE_VARIANT_ADD(user_uring, buffers) { .command = "uring_buffers" };
FIXTURE_VARIANT_ADD(user_uring, provided) { .command = "uring_provided" };
FIXTURE_VARIANT_ADD(user_uring, buffer_ring) { .command = "uring_buffer_ring" };

FIXTURE_SETUP(user_uring)
{
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(user_uring)
{
	subject_destroy(&self->s);
}

/* By a user who may choose pids, but nothing else. */
TEST_F_TIMEOUT(user_uring, restarts, TEST_TIMEOUT)
{
	ASSERT_EQ(0, subject_become_user(&self->s, CAP_CHECKPOINT_RESTORE));
	self->s.files_only = true;
	ASSERT_EQ(0, subject_run(&self->s, variant->command, WAY_KILL)) messages_show(&self->s);
}

/* Changes an instance to what io_uring_setup(2) would not make, or that has no owner. */
static bool lie(void *record, int i, int *err)
{
	struct ckpt_rec_io_uring *ring = record;

	*err = EBADMSG;
	switch (i) {
	case 0:
		ring->submitter++;
		return true;
	case 1:
		ring->flags |= CKPT_RING_CQE32;
		*err = ENOEXEC;
		return true;
	case 2:
		ring->array_offset += 64;
		*err = ENOEXEC;
		return true;
	case 3:
		ring->sq_entries *= 2;
		return true;
	case 4:
		/* The layout is another one. */
		ring->flags |= CKPT_RING_CQSIZE;
		ring->cq_entries *= 8;
		*err = ENOEXEC;
		return true;
	case 5:
		ring->submitter = 0;
		return true;
	}
	return false;
}

/* A record of a good image, and what may be wrong with it. */
struct lies {
	const char *command;
	uint32_t type;
	bool (*lie)(void *record, int i, int *err);
	int more;	/* stages of the program behind the first */
	struct image image;
	void *record;
};

static int start_lies(struct subject *s, struct lies *l)
{
	if (subject_start(s, l->command) || subject_expect(s, "ready") ||
	    subject_save(s, CHECKPOINT_KILL) || subject_reap(s, SIGKILL) ||
	    image_load(&l->image, s->image) || image_unpack(&l->image, l->type, 0))
		return -1;
	l->record = image_payload(&l->image, l->type, 0);
	return l->record ? 0 : -1;
}

static int store_lie(struct subject *s, struct lies *l)
{
	image_seal(&l->image, image_find(&l->image, l->type, 0));
	return image_store(&l->image, s->image);
}

/* Each of them is refused and leaves nothing behind; returns how many were not. */
static int refuse_lies(struct subject *s, struct lies *l)
{
	/* It is not packed: its head is before it. */
	size_t size = ((struct ckpt_rec *)l->record)[-1].length;
	int i, err, tasks = count_tasks(), bad = 0;
	char *good = malloc(size);

	memcpy(good, l->record, size);
	for (i = 0; l->lie(l->record, i, &err); i++) {
		if (store_lie(s, l) || !subject_restart(s, 0) || s->err != err ||
		    count_tasks() != tasks) {
			say("lie %d: error %d", i, s->err);
			messages_show(s);
			bad++;
		}
		memcpy(l->record, good, size);
	}
	free(good);
	return i ? bad : -1;
}

/* The image is what it was, and good. */
static int end_lies(struct subject *s, struct lies *l)
{
	int i, ret = store_lie(s, l) || subject_restart(s, 0);

	for (i = 0; i < l->more && !ret; i++)
		ret = subject_go(s) || subject_expect(s, "ready");
	image_free(&l->image);
	return ret || subject_go(s) ? -1 : subject_end(s);
}

TEST_F_TIMEOUT(uring, lies, TEST_TIMEOUT)
{
	struct lies l = { .command = "uring_one", .type = CKPT_REC_IO_URING, .lie = lie };
	struct ckpt_rec_io_uring *ring;
	struct subject *s = &self->s;

	if (variant->way != WAY_KILL)
		SKIP(return, "it takes a restart");
	ASSERT_EQ(0, start_lies(s, &l)) messages_show(s);
	ASSERT_EQ(0, refuse_lies(s, &l));
	/* Of these only the process itself has the damage. */
	ring = l.record;
	ring->flags |= CKPT_RING_DRAIN_ACTIVE | CKPT_RING_TIMEOUTS | CKPT_RING_NO_DRAIN;
	ring->last_flush = ~0U;
	ring->cq_extra = ~0U;
	ring->timeouts = ~0U;
	ASSERT_EQ(0, end_lies(s, &l)) messages_show(s);
}

/* What is registered: to what no system call would have made. */
static bool lie_registered(void *record, int i, int *err)
{
	struct ckpt_rec_io_registered *g = record;
	struct ckpt_rec_io_slot *slots = (void *)(g + 1);

	*err = EBADMSG;
	switch (i) {
	case 0:
		/* The instance itself. */
		slots[0].file = g->eventfd;
		slots[1].file = g->ring;
		return true;
	case 1:
		g->ring = g->eventfd;
		return true;
	case 2:
		/* No eventfd. */
		g->eventfd = slots[0].file;
		return true;
	case 3:
		g->eventfd = 1U << 30;
		return true;
	case 4:
		slots[0].file = 1U << 30;
		return true;
	case 5:
		slots[1].index = slots[0].index;
		return true;
	case 6:
		slots[1].index = g->nr_files;
		return true;
	case 7:
		g->nr_files = 1U << 20;
		*err = EMFILE;
		return true;
	case 8:
		g->nr_files = (1U << 20) + 1;
		return true;
	case 9:
		g->alloc_end = g->nr_files + 1;
		return true;
	}
	return false;
}

/* Memory that is not there, of a process that is not, or where it cannot be. */
static bool lie_buffers(void *record, int i, int *err)
{
	struct ckpt_rec_io_buffers *g = record;
	struct ckpt_rec_io_buffer *b = (void *)(g + 1);

	*err = EBADMSG;
	switch (i) {
	case 0:
		g->process = 1 << 20;
		return true;
	case 1:
		g->ring = 1 << 20;
		return true;
	case 2:
		b[1].addr = 4096;
		return true;
	case 3:
		b[1].addr = 1ULL << 63;
		return true;
	case 4:
		b[1].length = 1 << 30;
		return true;
	case 5:
		b[1].index = b[0].index;
		return true;
	case 6:
		g->nr_slots = b[g->nr_buffers - 1].index;
		return true;
	case 7:
		g->counted = 1 << 20;
		return true;
	}
	return false;
}

/* Instances by numbers that are taken, of a stranger, or that are something else. */
static bool lie_rings(void *record, int i, int *err)
{
	struct ckpt_rec_io_ring *r = record;

	*err = EBADMSG;
	switch (i) {
	case 0:
		r[1].index = r[0].index;
		return true;
	case 1:
		r[2].tid = 1 << 20;
		return true;
	case 2:
		r[0].file = 1 << 20;
		return true;
	case 3:
		/* The tag of the instance, not of its open file. */
		r[0].file++;
		return true;
	}
	return false;
}

/* Groups that no submission would have made, and a ring that is not there. */
static bool lie_groups(void *record, int i, int *err)
{
	struct ckpt_rec_io_uring *u = record;
	struct ckpt_rec_io_group *g = (void *)(u + 1);
	struct ckpt_rec_io_provided *p = (void *)(g + u->nr_groups);

	*err = EBADMSG;
	switch (i) {
	case 0:
		g[2].bgid = g[1].bgid;
		return true;
	case 1:
		p[0].addr = 1ULL << 63;
		return true;
	case 2:
		p[0].len = 0;
		return true;
	case 3:
		g[1].count = ~0U;
		return true;
	case 4:
		g[1].addr = 4096;
		return true;
	case 5:
		u->nr_groups = ~0U;
		return true;
	case 6:
		g[1].flags = CKPT_IO_GROUP_RING;
		g[1].count = 3;
		return true;
	case 7:
		u->restricted = 2;
		return true;
	}
	return false;
}

/* Rings of buffers where there is no memory, or twice. */
static bool lie_buffer_rings(void *record, int i, int *err)
{
	struct ckpt_rec_io_buffers *b = record;
	struct ckpt_rec_io_group *g = (void *)(b + 1);

	*err = EBADMSG;
	switch (i) {
	case 0:
		g[0].addr = 4096;
		return true;
	case 1:
		g[0].addr = 1ULL << 63;
		return true;
	case 2:
		g[0].addr++;
		return true;
	case 3:
		/* That of the group without a ring. */
		g[0].bgid = 0;
		return true;
	case 4:
		g[0].flags = 0;
		return true;
	case 5:
		g[0].count = 1 << 16;
		return true;
	case 6:
		b->nr_rings++;
		return true;
	case 7:
		g[0].head = 1 << 16;
		return true;
	}
	return false;
}

#define LIES_TEST(name, _command, _more, _type, _lie)				\
TEST_F_TIMEOUT(uring, name, TEST_TIMEOUT)					\
{										\
	struct lies l = { .command = _command, .more = _more, .type = _type,	\
			  .lie = _lie };					\
	struct subject *s = &self->s;						\
										\
	if (variant->way != WAY_KILL)						\
		SKIP(return, "it takes a restart");				\
	ASSERT_EQ(0, start_lies(s, &l)) messages_show(s);			\
	ASSERT_EQ(0, refuse_lies(s, &l));					\
	ASSERT_EQ(0, end_lies(s, &l)) messages_show(s);				\
}

LIES_TEST(registered_lies, "uring_lies", 0, CKPT_REC_IO_REGISTERED, lie_registered)
LIES_TEST(buffer_lies, "uring_buffers", 5, CKPT_REC_IO_BUFFERS, lie_buffers)
LIES_TEST(group_lies, "uring_provided", 3, CKPT_REC_IO_URING, lie_groups)
LIES_TEST(buffer_ring_lies, "uring_buffer_ring", 3, CKPT_REC_IO_BUFFERS, lie_buffer_rings)
LIES_TEST(ring_lies, "uring_rings", 2, CKPT_REC_IO_RINGS, lie_rings)

TEST_HARNESS_MAIN

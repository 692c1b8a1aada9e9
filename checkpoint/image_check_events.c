// SPDX-License-Identifier: GPL-2.0-only
/*
 * What records of event descriptors must be: eventfd, timerfd, signalfd, pidfd,
 * epoll, inotify, io_uring. Builds in user space, too.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

static bool is_timer(const struct ckpt_rec_event *e)
{
	/* CLOCK_REALTIME, MONOTONIC, BOOTTIME, REALTIME_ALARM, BOOTTIME_ALARM */
	const u32 clocks = 1U << 0 | 1U << 1 | 1U << 7 | 1U << 8 | 1U << 9;
	bool settable = e->clock == 0 || e->clock == 8;

	if (e->clock > 31 || !(clocks & 1U << e->clock) || e->flags & CKPT_EVENT_SEMAPHORE)
		return false;
	if (e->flags & (CKPT_EVENT_ABSOLUTE | CKPT_EVENT_CANCEL) && !settable)
		return false;
	if (e->flags & CKPT_EVENT_CANCELED && !(e->flags & CKPT_EVENT_CANCEL))
		return false;
	/* A timer that is armed cannot wait for a read that arms it. */
	if (e->flags & CKPT_EVENT_ARMED && e->flags & CKPT_EVENT_EXPIRED)
		return false;
	if (e->flags & CKPT_EVENT_ABSOLUTE && e->expires_ns < 0)
		return false;
	return e->expires_ns >= -(s64)CKPT_MAX_COUNT && e->interval_ns >= 0;
}

/**
 * ckpt_check_event - check an EVENT record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_event(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_event *e = ckpt_rec_data(rec);
	bool fits = false;

	if (!rec->tag || e->flags & ~CKPT_EVENT_ALL || e->reserved)
		return damaged(r, "an event descriptor has unknown flags or no tag");
	if (e->kind == CKPT_FILE_TIMERFD)
		return is_timer(e) ? 0 : damaged(r, "a timerfd has an impossible value");
	if (e->clock || e->expires_ns || e->interval_ns)
		return damaged(r, "an event descriptor has a time");
	switch (e->kind) {
	case CKPT_FILE_EVENTFD:
		fits = !(e->flags & ~CKPT_EVENT_SEMAPHORE);
		break;
	case CKPT_FILE_SIGNALFD:
		fits = !e->flags;
		break;
	case CKPT_FILE_PIDFD:
		fits = !e->flags && e->value <= INT_MAX;
		break;
	}
	return fits ? 0 : damaged(r, "an event descriptor has an impossible kind or value");
}

/**
 * ckpt_check_epoll - check an EPOLL record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_epoll(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_epoll_item *item = ckpt_rec_data(rec);
	const u32 edge = 1U << 31;
	u64 count = ckpt_rec_count(rec);

	if (!rec->tag)
		return damaged(r, "an epoll instance has no tag");
	for (; count; count--, item++) {
		if (item->fd > INT_MAX || !item->file || item->process > INT_MAX ||
		    item->flags & ~CKPT_EPOLL_ALL || item->reserved)
			return damaged(r, "an epoll instance watches an impossible file");
		if (item->flags & CKPT_EPOLL_REPORTED &&
		    (item->flags & CKPT_EPOLL_READY || !(item->events & edge)))
			return damaged(r, "an epoll instance has impossible flags");
	}
	return 0;
}

static bool is_watch(const struct ckpt_rec_notify *n)
{
	/* IN_ALL_EVENTS, IN_EXCL_UNLINK, IN_ONESHOT */
	const char *path = (const char *)(n + 1);

	return n->wd >= 1 && !(n->mask & ~0x84000fffU) && !n->cookie && n->mode <= 0xffff &&
	       n->name_len && path[0] == '/';
}

static bool is_event(const struct ckpt_rec_notify *n)
{
	/* IN_ALL_EVENTS, IN_UNMOUNT, IN_Q_OVERFLOW, IN_IGNORED, IN_ISDIR, of a child */
	const u32 known = 0x4800efffU, overflow = 0x4000;

	return n->mask && !(n->mask & ~known) && !n->mode &&
	       (n->mask & overflow ? n->wd == -1 && !n->name_len : n->wd >= 1);
}

/**
 * ckpt_check_inotify - check an INOTIFY record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_inotify(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_inotify *in = ckpt_rec_data(rec);
	u64 left = rec->length - rec->unit, i, room;
	struct ckpt_rec_notify *n = ckpt_rec_tail(rec);

	if (!rec->tag || in->next_wd > 1U << 31 || in->reserved)
		return damaged(r, "an inotify instance has an impossible value or no tag");
	for (i = 0; i < (u64)in->nr_watches + in->nr_events; i++) {
		if (left < sizeof(*n) || n->name_len >= CKPT_PATH_MAX)
			return damaged(r, "an inotify instance has an impossible length");
		room = ((u64)n->name_len + 7) & ~7ULL;
		if (left - sizeof(*n) < room)
			return damaged(r, "an inotify instance has an impossible length");
		if (n->reserved || memchr(n + 1, 0, n->name_len) ||
		    memchr_inv((char *)(n + 1) + n->name_len, 0, room - n->name_len) ||
		    !(i < in->nr_watches ? is_watch(n) : is_event(n)))
			return damaged(r, "an inotify instance has an impossible watch or event");
		left -= sizeof(*n) + room;
		n = (void *)((char *)(n + 1) + room);
	}
	return left ? damaged(r, "an inotify instance has an impossible length") : 0;
}

static bool is_power(u32 n)
{
	return n && !(n & (n - 1));
}

/* Combinations that io_uring_setup(2) would take. */
static bool is_setup(const struct ckpt_rec_io_uring *u)
{
	bool one = u->flags & CKPT_RING_SINGLE && !(u->flags & CKPT_RING_DISABLED);

	if (u->flags & ~CKPT_RING_ALL || u->submitter > INT_MAX || one != !!u->submitter)
		return false;
	if (u->flags & CKPT_RING_DEFER && !(u->flags & CKPT_RING_SINGLE))
		return false;
	if (u->flags & CKPT_RING_TASKRUN && !(u->flags & (CKPT_RING_COOP | CKPT_RING_DEFER)))
		return false;
	if (u->uid && !(u->flags & CKPT_RING_ACCOUNTED))
		return false;
	return u->flags & CKPT_RING_CQSIZE || u->cq_entries == 2 * u->sq_entries;
}

static bool is_group(const struct ckpt_rec_io_group *g, u32 above)
{
	if (g->bgid < above || g->bgid > CKPT_MAX_IO_GROUP || g->flags & ~CKPT_IO_GROUP_ALL ||
	    g->reserved)
		return false;
	if (!(g->flags & CKPT_IO_GROUP_RING))
		return !g->flags && !g->head && !g->min_left && !g->addr;
	return is_power(g->count) && g->count <= CKPT_MAX_IO_GROUP &&
	       g->head <= CKPT_MAX_IO_GROUP && (!g->min_left || g->flags & CKPT_IO_GROUP_INC);
}

static bool is_provided(const struct ckpt_rec_io_provided *p)
{
	return p->len && p->bid <= CKPT_MAX_IO_GROUP && p->addr <= U64_MAX - p->len;
}

/* Groups, then their rings or buffers; @size: of all of it, which may take up to @max. */
static bool are_groups(const struct ckpt_rec_io_uring *u, const void *data, u64 max, u64 *size)
{
	const struct ckpt_rec_io_group *g = data;
	const struct ckpt_rec_io_provided *p;
	u32 i, above = 0;

	*size = (u64)u->nr_groups * sizeof(*g);
	if (u->nr_groups > CKPT_MAX_IO_GROUP + 1 || *size > max)
		return false;
	p = data + *size;
	for (i = 0; i < u->nr_groups; above = g->bgid + 1, i++, g++) {
		*size += (u64)g->count * sizeof(*p);
		if (!is_group(g, above) || g->addr || *size > max)
			return false;
		for (; data + *size > (void *)p; p++)
			if (!(g->flags & CKPT_IO_GROUP_RING) && !is_provided(p))
				return false;
	}
	return *size <= CKPT_MAX_IO_PROVIDED;
}

/**
 * ckpt_check_io_uring - check an IO_URING record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_io_uring(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_io_uring *u = ckpt_rec_data(rec);
	const u64 page = 1 << CKPT_PAGE_SHIFT;
	u64 provided;

	if (!is_power(u->sq_entries) || u->sq_entries > CKPT_MAX_RING_ENTRIES ||
	    !is_power(u->cq_entries) || u->cq_entries > 2 * CKPT_MAX_RING_ENTRIES ||
	    u->cq_entries < u->sq_entries)
		return damaged(r, "an io_uring instance has an impossible size");
	if (!rec->tag || !is_setup(u) || u->next_personality > 65536 ||
	    !u->array_offset != !!(u->flags & CKPT_RING_NO_ARRAY) || u->reserved ||
	    u->restricted > 1)
		return damaged(r, "an io_uring instance has an impossible value or no tag");
	if (!are_groups(u, ckpt_rec_tail(rec), rec->length - rec->unit, &provided))
		return damaged(r, "an io_uring instance has impossible provided buffers");
	/* A submission takes up to 128 bytes, a completion up to 32. */
	if (u->sqes_len > u->sq_entries * 128 + page ||
	    u->rings_len > u->cq_entries * 32 + u->sq_entries * 4 + 2 * page ||
	    rec->length - rec->unit != provided + u->rings_len + u->sqes_len)
		return damaged(r, "an io_uring instance has rings of an impossible length");
	return 0;
}

static bool is_slot(const struct ckpt_rec_io_registered *g, const struct ckpt_rec_io_slot *s,
		    u32 above)
{
	return s->index >= above && s->index < g->nr_files && s->file &&
	       !(s->flags & ~CKPT_IO_SLOT_ALL) && !s->reserved;
}

/**
 * ckpt_check_io_registered - check an IO_REGISTERED record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_io_registered(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_io_registered *g = ckpt_rec_data(rec);
	struct ckpt_rec_io_slot *s = ckpt_rec_tail(rec);
	u32 i, above = 0;

	if (!g->ring || g->flags & ~CKPT_IO_REG_ALL || g->reserved ||
	    !g->eventfd != !(g->flags & CKPT_IO_EVENTFD) ||
	    (!g->eventfd && (g->flags || g->last_tail)))
		return damaged(r, "what an io_uring instance has registered is impossible");
	if (g->nr_files > CKPT_MAX_IO_FILES || g->alloc_start > g->alloc_end ||
	    g->alloc_end > g->nr_files || g->alloc_hint > g->nr_files)
		return damaged(r, "an io_uring instance has an impossible table of files");
	if (rec->length - rec->unit != (u64)g->nr_slots * sizeof(*s))
		return damaged(r, "an io_uring instance has a wrong number of files");
	for (i = 0; i < g->nr_slots; i++, s++) {
		if (!is_slot(g, s, above))
			return damaged(r, "an io_uring instance has an impossible file");
		above = s->index + 1;
	}
	return 0;
}

static bool is_buffer(const struct ckpt_rec_io_buffers *g, const struct ckpt_rec_io_buffer *b,
		      u32 above)
{
	return b->index >= above && b->index < g->nr_slots && !b->reserved && b->addr &&
	       b->length && b->length <= CKPT_MAX_IO_BUFFER && b->addr <= U64_MAX - b->length;
}

/**
 * ckpt_check_io_buffers - check an IO_BUFFERS record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_io_buffers(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_io_buffers *g = ckpt_rec_data(rec);
	struct ckpt_rec_io_buffer *b = ckpt_rec_tail(rec);
	struct ckpt_rec_io_group *ring;
	u32 i, above = 0;

	if (!g->ring || !g->process || g->process > INT_MAX || g->counted > INT_MAX ||
	    g->reserved || g->reserved2 || (!g->nr_slots && !g->nr_rings) ||
	    g->nr_slots > CKPT_MAX_IO_BUFFERS || g->nr_rings > CKPT_MAX_IO_BUFFERS ||
	    rec->length - rec->unit != (u64)g->nr_buffers * sizeof(*b) +
	    (u64)g->nr_rings * sizeof(*ring))
		return damaged(r, "an io_uring instance has an impossible table of buffers");
	for (i = 0; i < g->nr_buffers; i++, b++) {
		if (!is_buffer(g, b, above))
			return damaged(r, "an io_uring instance has an impossible buffer");
		above = b->index + 1;
	}
	above = 0;
	for (i = 0, ring = (void *)b; i < g->nr_rings; above = ring->bgid + 1, i++, ring++)
		if (!is_group(ring, above) || !ring->addr ||
		    ring->addr & ((1 << CKPT_PAGE_SHIFT) - 1))
			return damaged(r, "an io_uring instance has an impossible ring of buffers");
	return 0;
}

/**
 * ckpt_check_io_rings - check an IO_RINGS record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_io_rings(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_io_ring *ring = ckpt_rec_data(rec);
	u64 i, nr = rec->length / sizeof(*ring);

	for (i = 0; i < nr; i++, ring++)
		if (!ring->tid || ring->tid > INT_MAX || ring->index >= CKPT_IO_RING_SLOTS ||
		    !ring->file || ring->reserved)
			return damaged(r, "an impossible io_uring instance is registered");
	return 0;
}

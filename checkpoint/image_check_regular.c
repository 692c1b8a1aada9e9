// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the records of files on disk and of pipes must be, as image_check.c.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

#define TYPE_MASK	0170000
#define TYPE_DIR	0040000
#define TYPE_REG	0100000

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

/**
 * ckpt_check_unlinked - check an UNLINKED record
 * @r: reader, gets what is wrong
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_unlinked(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_unlinked *u = ckpt_rec_data(rec);
	char *dir = ckpt_rec_tail(rec);
	u64 len = rec->length - rec->unit;
	u32 type = u->mode & TYPE_MASK;

	if (!rec->tag || u->size > LLONG_MAX || u->flags & ~CKPT_UNLINKED_ALL)
		return damaged(r, "an unlinked file has an impossible value or no tag");
	if (u->mode >> 16 || (type != TYPE_DIR && type != TYPE_REG) ||
	    (type == TYPE_DIR && (u->size || u->flags || u->mode & 06000)) ||
	    (type != TYPE_DIR && u->parent))
		return damaged(r, "an unlinked file has an impossible type or mode");
	if (len < u->dir_len || !u->dir_len || u->dir_len >= CKPT_PATH_MAX ||
	    dir[0] != '/' || memchr(dir, 0, len))
		return damaged(r, "an unlinked file has an impossible directory");
	/* '/', and a name; older images have none. */
	len -= u->dir_len;
	dir += u->dir_len;
	if (len && (len == 1 || len > CKPT_PATH_MAX || dir[0] != '/' ||
		    (type == TYPE_DIR && memchr(dir + 1, '/', len - 1))))
		return damaged(r, "an unlinked file had an impossible name");
	return 0;
}

static bool is_lock(const struct ckpt_rec_lock *l)
{
	if (!l->file || !l->kind || l->kind > CKPT_LOCK_LEASE || l->write > 1 ||
	    l->tgid > INT_MAX || l->reserved)
		return false;
	if (l->fd < 0 || (l->fd && l->kind != CKPT_LOCK_POSIX && l->kind != CKPT_LOCK_LEASE))
		return false;
	if (l->kind == CKPT_LOCK_POSIX || l->kind == CKPT_LOCK_OFD)
		return l->start <= l->end && l->end <= LLONG_MAX;
	return !l->start && !l->end;
}

/**
 * ckpt_check_locks - check a LOCKS record
 * @r: reader, gets what is wrong
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_locks(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_lock *l = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);

	if (!count)
		return damaged(r, "there is no lock");
	for (; count; count--, l++)
		if (!is_lock(l))
			return damaged(r, "a lock has an impossible value");
	return 0;
}

/**
 * ckpt_check_file_state - check a FILE_STATE record
 * @r: reader, gets what is wrong
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_file_state(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_file_state *s = ckpt_rec_data(rec);

	if (!s->file || s->flags & ~CKPT_FSTATE_ALL || s->reserved || s->write_hint > 5)
		return damaged(r, "the state of a file has an impossible value");
	if (s->flags & CKPT_FSTATE_ASYNC && s->flags & CKPT_FSTATE_SHOWS_ASYNC)
		return damaged(r, "a file sends signals, and does not");
	if (s->owner_type > CKPT_OWNER_PGRP || s->owner > INT_MAX || s->signo > 64)
		return damaged(r, "a file has an impossible owner or signal");
	if (!(s->flags & CKPT_FSTATE_OWNER) &&
	    (s->owner || s->owner_type || s->uid || s->euid || s->signo))
		return damaged(r, "a file has an owner that it does not have");
	if (s->async_fd < 0 || (s->async_fd && !(s->flags & CKPT_FSTATE_ASYNC)))
		return damaged(r, "a file has an impossible descriptor for its signals");
	return 0;
}

static bool pieces_fit(const struct ckpt_rec_pipe *p, const u32 *piece)
{
	u64 sum = 0;
	u32 i, len;

	for (i = 0; i < p->nr_pieces; i++) {
		len = piece[i] & ~CKPT_PIPE_PACKET;
		if (!len || (piece[i] & CKPT_PIPE_PACKET && len > PAGE_SIZE))
			return false;
		sum += len;
	}
	return !p->nr_pieces || sum == p->data_len;
}

/**
 * ckpt_check_pipe - check a PIPE record
 * @r: reader, gets what is wrong
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_pipe(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_pipe *p = ckpt_rec_data(rec);

	if (!rec->tag || p->capacity > INT_MAX || p->flags & ~CKPT_PIPE_ALL ||
	    rec->length - rec->unit != (u64)p->nr_pieces * sizeof(u32) + p->data_len)
		return damaged(r, "a pipe has an impossible size or no tag");
	if (!pieces_fit(p, ckpt_rec_tail(rec)))
		return damaged(r, "a pipe has impossible packets");
	return 0;
}

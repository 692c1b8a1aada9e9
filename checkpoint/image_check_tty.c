// SPDX-License-Identifier: GPL-2.0-only
/* What the record of a pseudoterminal must be. Builds in user space, too. */
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

static bool is_end(const struct ckpt_rec_pty_end *e)
{
	return !(e->flags & ~CKPT_TTY_ALL) && e->read_len <= CKPT_MAX_TTY_BUFFER &&
	       e->canon_len <= e->read_len && e->commit_len <= e->read_len &&
	       e->echo_len < CKPT_MAX_TTY_BUFFER && e->echo_commit <= e->echo_len &&
	       e->echo_mark <= e->echo_len && e->queue_len <= CKPT_MAX_TTY_QUEUE;
}

/* Without a line discipline there is only what waits for one, and nothing to the master. */
static bool is_hung_up(const struct ckpt_rec_pty *p)
{
	return !p->ends[0].queue_len && !p->ends[1].read_len && !p->ends[1].echo_len;
}

static u64 end_bytes(const struct ckpt_rec_pty_end *e)
{
	return e->read_len + (e->read_len + 7) / 8 + e->echo_len + e->queue_len;
}

/**
 * ckpt_check_pty - check a PTY record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_pty(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const struct ckpt_rec_pty *p = ckpt_rec_data(rec);
	const char *path = ckpt_rec_tail(rec);

	if (!rec->tag || p->flags & ~CKPT_PTY_ALL || p->reserved)
		return damaged(r, "a pseudoterminal has unknown flags or no tag");
	if (p->index > CKPT_MAX_PTY_INDEX || p->mode & ~07777 || p->pktstatus > 0x7f ||
	    (p->flags & CKPT_PTY_HUNG_UP && p->flags != CKPT_PTY_HUNG_UP))
		return damaged(r, "a pseudoterminal has an impossible value");
	if (p->session > INT_MAX || p->pgrp > INT_MAX || !p->session != !p->pgrp ||
	    (p->session && p->flags & (CKPT_PTY_HUNG_UP | CKPT_PTY_SLAVE_HUNG_UP)))
		return damaged(r, "a pseudoterminal has an impossible session");
	if (!is_end(&p->ends[0]) || !is_end(&p->ends[1]) ||
	    (p->flags & CKPT_PTY_SLAVE_HUNG_UP && !is_hung_up(p)))
		return damaged(r, "a pseudoterminal has impossible buffers");
	if (rec->length - rec->unit != p->path_len + end_bytes(&p->ends[0]) +
	    end_bytes(&p->ends[1]))
		return damaged(r, "a pseudoterminal has a wrong length");
	if (!p->path_len || p->path_len >= CKPT_PATH_MAX || path[0] != '/' ||
	    memchr(path, 0, p->path_len))
		return damaged(r, "a pseudoterminal has an impossible path");
	return 0;
}

/**
 * ckpt_check_terminal - check a TERMINAL record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_terminal(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const struct ckpt_rec_terminal *p = ckpt_rec_data(rec);

	if (p->session > INT_MAX || p->pgrp > INT_MAX || !p->session != !p->pgrp || p->reserved)
		return damaged(r, "a terminal has an impossible session");
	return 0;
}

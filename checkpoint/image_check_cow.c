// SPDX-License-Identifier: GPL-2.0-only
/*
 * What references to the pages of another process must be. Builds in user
 * space, too.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include "image.h"
#include "limits.h"

static bool is_range(u64 addr, u64 nr_pages)
{
	return !(addr & (PAGE_SIZE - 1)) && addr <= U64_MAX - nr_pages * PAGE_SIZE;
}

static bool is_run(const struct ckpt_rec_shared_pages *s)
{
	return s->nr_pages && s->nr_pages <= CKPT_MAX_RECORD_PAGES && s->mm && !s->reserved &&
	       is_range(s->addr, s->nr_pages) && is_range(s->from, s->nr_pages);
}

/**
 * ckpt_check_shared_pages - check the content of a SHARED_PAGES record
 * @r: reader
 * @rec: record
 *
 * Return: 0, -EBADMSG.
 */
int ckpt_check_shared_pages(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const struct ckpt_rec_shared_pages *s = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	u64 pages = 0, last = 0;

	for (; count; count--, s++) {
		if (!is_run(s) || s->addr < last)
			goto damaged;
		last = s->addr + s->nr_pages * PAGE_SIZE;
		pages += s->nr_pages;
	}
	if (pages && pages <= CKPT_MAX_RECORD_PAGES)
		return 0;
damaged:
	r->why = "a run of shared pages is impossible";
	return -EBADMSG;
}

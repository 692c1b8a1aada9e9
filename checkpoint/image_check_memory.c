// SPDX-License-Identifier: GPL-2.0-only
/*
 * What records of memory must be, whoever wrote them. Builds in user space, too.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

static bool is_range(u64 start, u64 end, u64 last)
{
	return !(start & (PAGE_SIZE - 1)) && !(end & (PAGE_SIZE - 1)) && start >= last &&
	       end > start;
}

/**
 * ckpt_check_vmas - check the mappings of an address space
 * @r: reader
 * @rec: VMAS record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_vmas(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_vma *v = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	u64 last = 0;

	for (; count; count--, v++) {
		if (!is_range(v->start, v->end, last))
			return damaged(r, "a mapping has impossible addresses");
		if (v->prot & ~CKPT_PROT_ALL || v->flags & ~CKPT_VMA_ALL || v->reserved)
			return damaged(r, "a mapping has unknown flags");
		if ((v->flags & CKPT_VMA_SHARED && !v->file) ||
		    (v->flags & CKPT_VMA_GROWSDOWN && v->file))
			return damaged(r, "a mapping has impossible flags");
		if (v->pgoff > (U64_MAX - (v->end - v->start)) >> CKPT_PAGE_SHIFT)
			return damaged(r, "a mapping has an impossible offset");
		last = v->end;
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Page data, of private and of shared memory, on its way to and from the image. */
#ifndef _CHECKPOINT_MM_PAGES_H
#define _CHECKPOINT_MM_PAGES_H

#include "../internal.h"

struct ckpt_fresh;

/* mm/batch.c */

/**
 * struct ckpt_batch - pages for one PAGES record
 * @extents: runs of addresses
 * @bv: runs of pages; one reference is held for each entry
 * @sums: a checksum for each chunk; no entry of @bv goes beyond the end of one
 * @nr_extents: entries in @extents
 * @nr_bv: entries in @bv
 * @nr_pages: pages in all
 */
struct ckpt_batch {
	struct ckpt_rec_extent *extents;
	struct bio_vec *bv;
	struct ckpt_sums sums;
	u32 nr_extents;
	u32 nr_bv;
	u32 nr_pages;
};

int ckpt_batch_alloc(struct ckpt_ctx *ctx, struct ckpt_batch *b);
void ckpt_batch_free(struct ckpt_ctx *ctx, struct ckpt_batch *b);
void ckpt_batch_add(struct ckpt_batch *b, u64 addr, struct page *page, u32 nr);
void ckpt_batch_empty(struct ckpt_batch *b);
int ckpt_batch_write(struct ckpt_ctx *ctx, struct ckpt_batch *b);

/* So many pages at one address may be added. */
static inline u32 ckpt_batch_room(const struct ckpt_batch *b)
{
	return b->nr_extents == CKPT_MAX_EXTENTS ? 0 : CKPT_MAX_RECORD_PAGES - b->nr_pages;
}

/* mm/pages_read.c */

/**
 * struct ckpt_page_target - where page data goes
 * @get: Gives some of @nr pages from @addr on, the first one at least, with a
 *	reference to each; returns how many, or a negative errno. The data has
 *	@more pages from @addr on.
 * @filled: Optional. The pages that were given since the last call have their
 *	content; returns 0 or a negative errno, reported.
 * @failed: Reports why there are no @nr pages at @addr; returns an errno.
 * @memory: file of the memory, NULL: that of current
 * @fresh: new pages of current
 */
struct ckpt_page_target {
	long (*get)(const struct ckpt_page_target *target, u64 addr, u32 nr,
		    u64 more, struct page **pages);
	int (*filled)(struct ckpt_ctx *ctx, struct ckpt_task *t,
		      const struct ckpt_page_target *target);
	int (*failed)(struct ckpt_ctx *ctx, struct ckpt_task *t,
		      const struct ckpt_page_target *target, u64 addr, u32 nr, int err);
	struct file *memory;
	struct ckpt_fresh *fresh;
};

int ckpt_pages_read(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec,
		    const struct ckpt_page_target *target);

/* mm/cow_restore.c */
pmd_t *ckpt_alloc_pmd(struct mm_struct *mm, unsigned long addr);

/* mm/pages_restore.c */
long ckpt_get_private_pages(u64 addr, u32 nr, struct page **pages);

#endif /* _CHECKPOINT_MM_PAGES_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages on their way to the image: references to them are gathered, with a
 * bounded table of extents, and handed to the file as they are, without copying,
 * while their checksums are taken.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "pages.h"

static void add_extent(struct ckpt_batch *b, u64 addr, u32 nr)
{
	struct ckpt_rec_extent *last = b->extents + b->nr_extents - 1;

	if (b->nr_extents && last->addr + last->nr_pages * PAGE_SIZE == addr) {
		last->nr_pages += nr;
		return;
	}
	b->extents[b->nr_extents++] = (struct ckpt_rec_extent){ .addr = addr, .nr_pages = nr };
}

/* Up to the end of a chunk; neighbours in one folio need one entry and one reference. */
static void add_run(struct ckpt_batch *b, struct page *page, u32 nr)
{
	struct bio_vec *last = b->bv + b->nr_bv - 1;
	bool starts = b->nr_pages % CKPT_CHUNK_PAGES == 0;
	u32 chunk = b->nr_pages / CKPT_CHUNK_PAGES;

	if (starts) {
		b->sums.bv[chunk] = b->bv + b->nr_bv;
		b->sums.nr_bv[chunk] = 0;
	}
	b->nr_pages += nr;
	if (!starts && page_folio(last->bv_page) == page_folio(page) &&
	    last->bv_page + (last->bv_len >> PAGE_SHIFT) == page) {
		last->bv_len += nr * PAGE_SIZE;
		return;
	}
	folio_get(page_folio(page));
	b->sums.nr_bv[chunk]++;
	bvec_set_page(&b->bv[b->nr_bv++], page, nr * PAGE_SIZE, 0);
}

/**
 * ckpt_batch_add - add pages
 * @b: batch, with room for them
 * @addr: their address, not below what was added before
 * @page: the first of them, in a folio that has them all
 * @nr: how many
 *
 * Context: any; a reference to the folio, or a lock that has the effect of one.
 */
void ckpt_batch_add(struct ckpt_batch *b, u64 addr, struct page *page, u32 nr)
{
	u32 part;

	add_extent(b, addr, nr);
	for (; nr; nr -= part, page += part) {
		part = min(nr, CKPT_CHUNK_PAGES - b->nr_pages % CKPT_CHUNK_PAGES);
		add_run(b, page, part);
	}
}

/**
 * ckpt_batch_empty - drop all references
 * @b: batch
 */
void ckpt_batch_empty(struct ckpt_batch *b)
{
	u32 i;

	for (i = 0; i < b->nr_bv; i++)
		folio_put(page_folio(b->bv[i].bv_page));
	b->nr_bv = 0;
	b->nr_pages = 0;
	b->nr_extents = 0;
}

/**
 * ckpt_batch_write - write a PAGES record with its data, and the sums of that
 * @ctx: context of a save
 * @b: batch; nothing is written if it is empty
 *
 * Context: may sleep; no locks held.
 * Return: 0 or a negative errno.
 */
int ckpt_batch_write(struct ckpt_ctx *ctx, struct ckpt_batch *b)
{
	u32 nr = DIV_ROUND_UP(b->nr_pages, CKPT_CHUNK_PAGES);
	int ret;

	if (!nr)
		return 0;
	ckpt_sums_start(&b->sums);
	ckpt_sums_add(&b->sums, nr);
	ret = ckpt_write_record(ctx, CKPT_REC_PAGES, 0, sizeof(*b->extents), b->extents,
				b->nr_extents * sizeof(*b->extents), NULL, 0);
	if (!ret)
		ret = ckpt_write_padding(ctx);
	if (!ret)
		ret = ckpt_write_bvecs(ctx, b->bv, b->nr_bv, (size_t)b->nr_pages << PAGE_SHIFT);
	ctx->nr_pages += b->nr_pages;
	if (ret) {
		ckpt_sums_stop(&b->sums);
		return ret;
	}
	ckpt_sums_finish(&b->sums);
	return ckpt_write_record(ctx, CKPT_REC_SUMS, 0, sizeof(u64), b->sums.sums,
				 nr * sizeof(u64), NULL, 0);
}

/**
 * ckpt_batch_alloc - make an empty batch
 * @ctx: context of a save
 * @b: on the heap, zero; ckpt_batch_free() must follow, also on failure
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_batch_alloc(struct ckpt_ctx *ctx, struct ckpt_batch *b)
{
	ckpt_sums_init(&b->sums);
	b->extents = ckpt_spare_take(ctx, CKPT_SPARE_EXTENTS,
				     CKPT_MAX_EXTENTS * sizeof(*b->extents));
	b->bv = ckpt_spare_take(ctx, CKPT_SPARE_PAGES, CKPT_MAX_RECORD_PAGES * sizeof(*b->bv));
	return b->extents && b->bv ? 0 : -ENOMEM;
}

/**
 * ckpt_batch_free - release what a batch has
 * @ctx: context of a save
 * @b: batch
 */
void ckpt_batch_free(struct ckpt_ctx *ctx, struct ckpt_batch *b)
{
	ckpt_batch_empty(b);
	ckpt_spare_give(ctx, CKPT_SPARE_EXTENTS, b->extents);
	ckpt_spare_give(ctx, CKPT_SPARE_PAGES, b->bv);
}

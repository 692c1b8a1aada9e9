// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page data, from the image straight into the pages of a target, a chunk at a
 * time. The checksums of a few chunks are taken together, while the next few are
 * read.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "pages.h"

#define GROUP_CHUNKS	4
#define GROUP_PAGES	(GROUP_CHUNKS * CKPT_CHUNK_PAGES)

/**
 * struct group - pages that are read before their checksums are taken
 * @pages: pages, each referenced
 * @bv: runs of them, which end where a chunk ends
 * @nr: how many pages
 * @nr_bv: how many runs
 * @sums: a checksum for each chunk
 */
struct group {
	struct page *pages[GROUP_PAGES];
	struct bio_vec bv[GROUP_PAGES];
	u32 nr;
	u32 nr_bv;
	struct ckpt_sums sums;
};

/**
 * struct progress - how far one record has come
 * @e: extent to read next
 * @end: behind the last
 * @done: pages of @e that were read
 * @target: where they go
 * @nr_sums: checksums taken
 * @sums: their values
 */
struct progress {
	const struct ckpt_rec_extent *e;
	const struct ckpt_rec_extent *end;
	u64 done;
	const struct ckpt_page_target *target;
	u32 nr_sums;
	u64 sums[CKPT_MAX_RECORD_PAGES / CKPT_CHUNK_PAGES];
};

static void put_run(struct page *page, u32 nr)
{
	struct folio *folio;
	u32 part;

	for (; nr; nr -= part, page += part) {
		folio = page_folio(page);
		part = min_t(u32, nr, folio_nr_pages(folio) - folio_page_idx(folio, page));
		/* It may have been made ready for swapping before it was read. */
		folio_mark_dirty(folio);
		folio_put_refs(folio, part);
	}
}

static void empty_group(struct group *g)
{
	u32 i, nr = 0;

	for (i = 0; i < g->nr_bv; i++) {
		put_run(g->bv[i].bv_page, g->bv[i].bv_len >> PAGE_SHIFT);
		nr += g->bv[i].bv_len >> PAGE_SHIFT;
	}
	/* After an error there are pages that are in no run. */
	for (i = nr; i < g->nr; i++)
		put_page(g->pages[i]);
	g->nr = 0;
	g->nr_bv = 0;
}

static int get_pages(struct group *g, const struct ckpt_page_target *target, u64 addr, u32 nr)
{
	long got;

	while (nr) {
		got = target->get(target, addr, nr, g->pages + g->nr);
		if (got <= 0)
			return got ?: -EFAULT;
		g->nr += got;
		nr -= got;
		addr += got * PAGE_SIZE;
	}
	return 0;
}

/* Makes runs of the pages from @first on. */
static void make_runs(struct group *g, u32 first)
{
	struct bio_vec *last = NULL;
	u32 i;

	for (i = first; i < g->nr; i++) {
		if (last && g->pages[i] == last->bv_page + (last->bv_len >> PAGE_SHIFT)) {
			last->bv_len += PAGE_SIZE;
			continue;
		}
		last = &g->bv[g->nr_bv++];
		bvec_set_page(last, g->pages[i], PAGE_SIZE, 0);
	}
}

static int read_chunk(struct ckpt_ctx *ctx, struct ckpt_task *t, struct group *g,
		      struct progress *p)
{
	u32 first = g->nr, first_bv = g->nr_bv;
	u64 addr;
	u32 nr;
	int ret;

	while (p->e < p->end && g->nr < first + CKPT_CHUNK_PAGES) {
		nr = min_t(u64, p->e->nr_pages - p->done, first + CKPT_CHUNK_PAGES - g->nr);
		addr = p->e->addr + p->done * PAGE_SIZE;
		ret = get_pages(g, p->target, addr, nr);
		if (ret)
			return p->target->failed(ctx, t, p->target, addr, nr, ret);
		p->done += nr;
		if (p->done == p->e->nr_pages) {
			p->e++;
			p->done = 0;
		}
	}
	make_runs(g, first);
	ret = ckpt_data_read(ctx, t, g->bv + first_bv, g->nr_bv - first_bv,
			     (size_t)(g->nr - first) << PAGE_SHIFT);
	for (; !ret && first < g->nr; first++)
		if (!PageUptodate(g->pages[first]))
			SetPageUptodate(g->pages[first]);
	return ret;
}

/* Leaves the checksums of what it has read to ckpt_sums_finish(). */
static int read_group(struct ckpt_ctx *ctx, struct ckpt_task *t, struct group *g,
		      struct progress *p)
{
	u32 nr;
	int ret;

	for (nr = 0; nr < GROUP_CHUNKS && p->e < p->end; nr++) {
		g->sums.first[nr] = g->nr_bv;
		ret = read_chunk(ctx, t, g, p);
		if (ret)
			return ret;
		cond_resched();
	}
	g->sums.bv = g->bv;
	g->sums.first[nr] = g->nr_bv;
	return 0;
}

static void finish_group(struct group *g, struct progress *p)
{
	u32 nr = g->sums.nr;

	ckpt_sums_finish(&g->sums);
	memcpy(p->sums + p->nr_sums, g->sums.sums, nr * sizeof(*p->sums));
	p->nr_sums += nr;
	empty_group(g);
}

/* While the checksums of one group are taken, the next one is read. */
static int read_groups(struct ckpt_ctx *ctx, struct ckpt_task *t, struct progress *p,
		       struct group **groups)
{
	struct group *g = groups[0], *before = groups[1];
	int ret;

	while (p->e < p->end) {
		ret = read_group(ctx, t, g, p);
		if (ret)
			return ret;
		finish_group(before, p);
		ckpt_sums_start(&g->sums, DIV_ROUND_UP(g->nr, CKPT_CHUNK_PAGES));
		swap(g, before);
	}
	finish_group(before, p);
	return 0;
}

static struct group *alloc_group(void)
{
	struct group *g = kvmalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);

	if (g) {
		g->nr = 0;
		g->nr_bv = 0;
		ckpt_sums_init(&g->sums);
	}
	return g;
}

static void free_group(struct group *g)
{
	if (!g)
		return;
	ckpt_sums_stop(&g->sums);
	empty_group(g);
	kvfree(g);
}

static int check_sums(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct progress *p)
{
	u64 end = t->data_kept ? t->data_offset : ctx->reader.offset;
	struct ckpt_rec *rec;
	int ret;

	ret = p->target->memory ? ckpt_next_record(ctx, &rec) :
				  ckpt_memory_record(ctx, t, &rec);
	if (ret)
		return ret;
	if (rec->type != CKPT_REC_SUMS || ckpt_rec_count(rec) != p->nr_sums ||
	    memcmp(ckpt_rec_data(rec), p->sums, p->nr_sums * sizeof(*p->sums)))
		ret = ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				 "the image, before offset %llu: page data is damaged", end);
	ckpt_free_record(rec);
	return ret;
}

/**
 * ckpt_pages_read - read the pages of one record
 * @ctx: context of a restart
 * @t: leader, current
 * @rec: PAGES record
 * @target: where they go
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_pages_read(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec,
		    const struct ckpt_page_target *target)
{
	struct progress *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	struct group *groups[] = { alloc_group(), alloc_group() };
	int ret = p && groups[0] && groups[1] ? 0 : -ENOMEM;

	if (!ret)
		ret = ckpt_data_begin(ctx, t);
	if (!ret) {
		p->target = target;
		p->e = ckpt_rec_data(rec);
		p->end = p->e + ckpt_rec_count(rec);
		ret = read_groups(ctx, t, p, groups);
	}
	free_group(groups[0]);
	free_group(groups[1]);
	if (!ret)
		ret = check_sums(ctx, t, p);
	kfree(p);
	return ret;
}

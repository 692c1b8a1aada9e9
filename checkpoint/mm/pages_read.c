// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page data, from the image straight into the pages of a target, a chunk at a
 * time. While the next chunks are read, another processor takes the checksums of
 * those that were; if these take longer than the data, both take them.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "pages.h"

/* That are read ahead of their checksums: whoever takes one has time for it. */
#define NR_SLOTS	8

/**
 * struct slot - pages of a chunk until its checksum was taken
 * @pages: pages, each referenced
 * @bv: runs of them
 * @nr: how many pages
 * @nr_bv: how many runs
 */
struct slot {
	struct page *pages[CKPT_CHUNK_PAGES];
	struct bio_vec bv[CKPT_CHUNK_PAGES];
	u32 nr;
	u32 nr_bv;
};

/**
 * struct progress - how far one record has come
 * @e: extent to read next
 * @end: behind the last
 * @done: pages of @e that were read
 * @target: where they go
 * @nr: chunks read
 * @sums: their checksums
 * @nr_slots: how many there are
 * @slots: chunk i is in slot i modulo their number
 */
struct progress {
	const struct ckpt_rec_extent *e;
	const struct ckpt_rec_extent *end;
	u64 done;
	const struct ckpt_page_target *target;
	u32 nr;
	struct ckpt_sums sums;
	u32 nr_slots;
	struct slot slots[] __counted_by(nr_slots);
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

static void empty_slot(struct slot *slot)
{
	u32 i, nr = 0;

	for (i = 0; i < slot->nr_bv; i++) {
		put_run(slot->bv[i].bv_page, slot->bv[i].bv_len >> PAGE_SHIFT);
		nr += slot->bv[i].bv_len >> PAGE_SHIFT;
	}
	/* After an error there are pages that are in no run. */
	for (i = nr; i < slot->nr; i++)
		put_page(slot->pages[i]);
	slot->nr = 0;
	slot->nr_bv = 0;
}

static int get_pages(struct slot *slot, const struct ckpt_page_target *target, u64 addr, u32 nr,
		     u64 more)
{
	long got;

	while (nr) {
		got = target->get(target, addr, nr, more, slot->pages + slot->nr);
		if (got <= 0)
			return got ?: -EFAULT;
		slot->nr += got;
		nr -= got;
		more -= got;
		addr += got * PAGE_SIZE;
	}
	return 0;
}

static void make_runs(struct slot *slot)
{
	struct bio_vec *last = NULL;
	u32 i;

	for (i = 0; i < slot->nr; i++) {
		if (last && slot->pages[i] == last->bv_page + (last->bv_len >> PAGE_SHIFT)) {
			last->bv_len += PAGE_SIZE;
			continue;
		}
		last = &slot->bv[slot->nr_bv++];
		bvec_set_page(last, slot->pages[i], PAGE_SIZE, 0);
	}
}

static int read_chunk(struct ckpt_ctx *ctx, struct ckpt_task *t, struct slot *slot,
		      struct progress *p)
{
	u64 addr;
	u32 i, nr;
	int ret;

	while (p->e < p->end && slot->nr < CKPT_CHUNK_PAGES) {
		nr = min_t(u64, p->e->nr_pages - p->done, CKPT_CHUNK_PAGES - slot->nr);
		addr = p->e->addr + p->done * PAGE_SIZE;
		ret = get_pages(slot, p->target, addr, nr, p->e->nr_pages - p->done);
		if (ret)
			return p->target->failed(ctx, t, p->target, addr, nr, ret);
		p->done += nr;
		if (p->done == p->e->nr_pages) {
			p->e++;
			p->done = 0;
		}
	}
	make_runs(slot);
	ret = ckpt_data_read(ctx, t, slot->bv, slot->nr_bv, (size_t)slot->nr << PAGE_SHIFT);
	for (i = 0; !ret && i < slot->nr; i++)
		if (!PageUptodate(slot->pages[i]))
			SetPageUptodate(slot->pages[i]);
	if (!ret && p->target->filled)
		ret = p->target->filled(ctx, t, p->target);
	return ret;
}

static int read_chunks(struct ckpt_ctx *ctx, struct ckpt_task *t, struct progress *p)
{
	struct slot *slot;
	int ret;

	while (p->e < p->end) {
		slot = &p->slots[p->nr % p->nr_slots];
		if (p->nr >= p->nr_slots)
			ckpt_sums_await(&p->sums, p->nr - p->nr_slots);
		empty_slot(slot);
		ret = read_chunk(ctx, t, slot, p);
		if (ret)
			return ret;
		p->sums.bv[p->nr] = slot->bv;
		p->sums.nr_bv[p->nr] = slot->nr_bv;
		ckpt_sums_add(&p->sums, ++p->nr);
		cond_resched();
	}
	ckpt_sums_finish(&p->sums);
	return 0;
}

static struct progress *begin(const struct ckpt_page_target *target, struct ckpt_rec *rec)
{
	u64 nr = clamp(DIV_ROUND_UP(ckpt_count_pages(rec), CKPT_CHUNK_PAGES), 1ULL,
		       (u64)NR_SLOTS);
	struct progress *p = kvmalloc(struct_size(p, slots, nr), GFP_KERNEL_ACCOUNT);
	u32 i;

	if (!p)
		return NULL;
	p->nr_slots = nr;
	p->e = ckpt_rec_data(rec);
	p->end = p->e + ckpt_rec_count(rec);
	p->done = 0;
	p->target = target;
	p->nr = 0;
	ckpt_sums_init(&p->sums);
	for (i = 0; i < nr; i++) {
		p->slots[i].nr = 0;
		p->slots[i].nr_bv = 0;
	}
	return p;
}

static void end(struct progress *p)
{
	u32 i;

	ckpt_sums_stop(&p->sums);
	for (i = 0; i < p->nr_slots; i++)
		empty_slot(&p->slots[i]);
	kvfree(p);
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
	if (rec->type != CKPT_REC_SUMS || ckpt_rec_count(rec) != p->nr ||
	    memcmp(ckpt_rec_data(rec), p->sums.sums, p->nr * sizeof(*p->sums.sums)))
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
	struct progress *p = begin(target, rec);
	int ret = p ? 0 : -ENOMEM;

	if (!ret)
		ret = ckpt_data_begin(ctx, t);
	if (!ret)
		ret = read_chunks(ctx, t, p);
	if (!ret)
		ret = check_sums(ctx, t, p);
	if (p)
		end(p);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages, from the image straight into the pages of current.
 *
 * Pages are faulted in for writing a chunk at a time, without the detour of an
 * exception for each, the file is read into them, and the chunk's checksum is
 * taken. What the image does not have is left as the mapping has it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "../internal.h"

/**
 * struct chunk - pages under one checksum
 * @pages: pages of current, each referenced
 * @bv: runs of them
 * @nr: how many pages
 * @nr_bv: how many runs
 */
struct chunk {
	struct page *pages[CKPT_CHUNK_PAGES];
	struct bio_vec bv[CKPT_CHUNK_PAGES];
	u32 nr;
	u32 nr_bv;
};

static void put_chunk(struct chunk *c, bool dirty)
{
	u32 i;

	for (i = 0; i < c->nr; i++) {
		/* It may have been made ready for swapping before it was read. */
		if (dirty)
			set_page_dirty(c->pages[i]);
		put_page(c->pages[i]);
	}
	c->nr = 0;
	c->nr_bv = 0;
}

static int fault_in(struct chunk *c, unsigned long addr, u32 nr)
{
	long got;
	u32 i;

	while (nr) {
		got = get_user_pages_unlocked(addr, nr, c->pages + c->nr,
					      FOLL_WRITE | FOLL_FORCE);
		if (got <= 0)
			return got ?: -EFAULT;
		c->nr += got;
		/* Content of shared mappings is not the image's to give. */
		for (i = c->nr - got; i < c->nr; i++)
			if (!PageAnon(c->pages[i]))
				return -EFAULT;
		nr -= got;
		addr += got * PAGE_SIZE;
	}
	return 0;
}

static void make_runs(struct chunk *c)
{
	struct bio_vec *last = c->bv;
	u32 i;

	for (i = 0; i < c->nr; i++) {
		if (i && c->pages[i] == last->bv_page + (last->bv_len >> PAGE_SHIFT)) {
			last->bv_len += PAGE_SIZE;
			continue;
		}
		last = &c->bv[c->nr_bv++];
		bvec_set_page(last, c->pages[i], PAGE_SIZE, 0);
	}
}

static u64 sum_of(const struct chunk *c)
{
	struct xxh64_state state;
	u32 i;

	xxh64_reset(&state, 0);
	for (i = 0; i < c->nr_bv; i++)
		xxh64_update(&state, page_address(c->bv[i].bv_page), c->bv[i].bv_len);
	return xxh64_digest(&state);
}

/* Reads the next chunk of the extents from @e on, of which @done pages are done. */
static int read_chunk(struct ckpt_ctx *ctx, struct ckpt_task *t, struct chunk *c,
		      const struct ckpt_rec_extent **e, u64 *done,
		      const struct ckpt_rec_extent *end, u64 *sum)
{
	unsigned long addr;
	u32 nr;
	int ret;

	while (*e < end && c->nr < CKPT_CHUNK_PAGES) {
		nr = min_t(u64, (*e)->nr_pages - *done, CKPT_CHUNK_PAGES - c->nr);
		addr = (*e)->addr + *done * PAGE_SIZE;
		ret = fault_in(c, addr, nr);
		if (ret)
			return ckpt_error(ctx, CKPT_AT_RANGE(t, addr, addr + nr * PAGE_SIZE),
					  ret == -ENOMEM ? CKPT_WHY_LIMIT : CKPT_WHY_IMAGE,
					  ret == -EFAULT ? -EBADMSG : ret,
					  "pages cannot be put there");
		*done += nr;
		if (*done == (*e)->nr_pages) {
			(*e)++;
			*done = 0;
		}
	}
	make_runs(c);
	ret = ckpt_read_bvecs(ctx, c->bv, c->nr_bv, (size_t)c->nr << PAGE_SHIFT);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
				  "the image, at offset %llu: page data cannot be read",
				  ctx->reader.offset);
	ctx->reader.nr_pages += c->nr;
	*sum = sum_of(c);
	return 0;
}

static int check_sums(struct ckpt_ctx *ctx, struct ckpt_task *t, const u64 *sums, u32 nr)
{
	struct ckpt_rec *rec;
	int ret;

	ret = ckpt_next_record(ctx, &rec);
	if (ret)
		return ret;
	if (rec->type != CKPT_REC_SUMS || ckpt_rec_count(rec) != nr ||
	    memcmp(ckpt_rec_data(rec), sums, nr * sizeof(*sums)))
		ret = ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				 "the image, before offset %llu: page data is damaged",
				 ctx->reader.offset);
	ckpt_free_record(rec);
	return ret;
}

/**
 * ckpt_pages_restore - restore the pages of one record
 * @ctx: context
 * @t: leader, current, its mappings restored
 * @rec: PAGES record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_pages_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_extent *e = ckpt_rec_data(rec);
	const struct ckpt_rec_extent *end = e + ckpt_rec_count(rec);
	u64 *sums = kcalloc(CKPT_MAX_RECORD_PAGES / CKPT_CHUNK_PAGES, sizeof(*sums),
			    GFP_KERNEL_ACCOUNT);
	struct chunk *c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	u64 done = 0;
	u32 nr = 0;
	int ret = sums && c ? 0 : -ENOMEM;

	if (!ret && ckpt_read_padding(&ctx->reader))
		ret = ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				 "the image, at offset %llu: bad space before page data",
				 ctx->reader.offset);
	while (!ret && e < end) {
		ret = read_chunk(ctx, t, c, &e, &done, end, &sums[nr++]);
		put_chunk(c, !ret);
		cond_resched();
	}
	if (!ret)
		ret = check_sums(ctx, t, sums, nr);
	kvfree(c);
	kfree(sums);
	return ret;
}

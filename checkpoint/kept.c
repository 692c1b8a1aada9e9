// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records are read in the order of the image, by one process after the other.
 * Most of the work of a restart is to make what the records of an address space
 * say. Where page data can be read later, from its place in the file, these
 * records are kept, and the next process has its turn to read while this one
 * works on them.
 *
 * That is done for as many processes at a time as there are processors. Those that
 * share memory with earlier ones since fork(2) wait for these, which need no turn
 * any more.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "internal.h"

/**
 * struct kept - a record that was read before it is used
 * @list: in the order of the image
 * @rec: the record
 * @offset: PAGES: offset of its data in the image
 * @pos: PAGES: position of its data in the file
 */
struct kept {
	struct list_head list;
	struct ckpt_rec *rec;
	u64 offset;
	loff_t pos;
};

static void free_kept(struct kept *k)
{
	list_del(&k->list);
	ckpt_free_record(k->rec);
	kfree(k);
}

/**
 * ckpt_kept_free - forget records that were not used
 * @t: leader of their process
 */
void ckpt_kept_free(struct ckpt_task *t)
{
	struct kept *k, *next;

	list_for_each_entry_safe(k, next, &t->kept, list)
		free_kept(k);
}

/**
 * ckpt_count_pages - how many pages follow
 * @rec: PAGES record
 *
 * Return: how many.
 */
u64 ckpt_count_pages(struct ckpt_rec *rec)
{
	const struct ckpt_rec_extent *e = ckpt_rec_data(rec);
	u64 i, nr = 0;

	for (i = 0; i < ckpt_rec_count(rec); i++)
		nr += e[i].nr_pages;
	return nr;
}

static int skip_data(struct ckpt_ctx *ctx, struct ckpt_task *t, struct kept *k)
{
	u64 nr = ckpt_count_pages(k->rec);
	int ret = ckpt_read_padding_reported(ctx, t);

	if (ret)
		return ret;
	k->offset = ctx->reader.offset;
	k->pos = ckpt_skip(ctx, nr * PAGE_SIZE);
	ctx->reader.nr_pages += nr;
	return 0;
}

static int look_at(struct ckpt_ctx *ctx, struct ckpt_task *t, struct kept *k)
{
	switch (k->rec->type) {
	case CKPT_REC_VMAS:
		return ckpt_cow_note(ctx, t, k->rec);
	case CKPT_REC_PAGES:
		return skip_data(ctx, t, k);
	}
	return 0;
}

static bool may_be_later(struct ckpt_ctx *ctx)
{
	if (atomic_inc_return(&ctx->nr_builders) <= num_online_cpus())
		return true;
	atomic_dec(&ctx->nr_builders);
	return false;
}

static int keep_next(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec **recp)
{
	struct kept *k = kmalloc(sizeof(*k), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!k)
		return -ENOMEM;
	ret = ckpt_next_record(ctx, &k->rec);
	if (ret) {
		kfree(k);
		return ret;
	}
	list_add_tail(&k->list, &t->kept);
	*recp = k->rec;
	return look_at(ctx, t, k);
}

/**
 * ckpt_keep_records - read the records of an address space, and keep them
 * @ctx: context of a restart
 * @t: leader, current, whose turn it is
 *
 * Return: 1: all of them, to be used when the turn was passed; 0: some or all, to
 * be used at once, before the rest is read; a negative errno, reported.
 */
int ckpt_keep_records(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec *rec;
	size_t bytes = 0;
	int ret;

	/* Nobody waits for the turn. */
	if (!ctx->seekable || !S_ISREG(file_inode(ctx->file)->i_mode) ||
	    !ckpt_next_leader(ctx, t))
		return 0;
	while (bytes < CKPT_KEEP_BYTES) {
		ret = keep_next(ctx, t, &rec);
		if (ret)
			return ret;
		if (rec->type == CKPT_REC_MM_END)
			return may_be_later(ctx);
		bytes += sizeof(struct kept) + sizeof(*rec) + rec->length;
	}
	return 0;
}

/**
 * ckpt_memory_record - next record of the address space of a process
 * @ctx: context of a restart
 * @t: leader, current
 * @recp: the record, released with ckpt_free_record()
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_memory_record(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec **recp)
{
	struct kept *k = list_first_entry_or_null(&t->kept, struct kept, list);

	t->data_kept = k;
	if (!k && t->mm_later)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image lacks a part of an address space");
	if (!k)
		return ckpt_next_record(ctx, recp);
	t->data_offset = k->offset;
	t->data_pos = k->pos;
	*recp = k->rec;
	k->rec = NULL;
	free_kept(k);
	return 0;
}

/**
 * ckpt_data_begin - prepare for the page data behind the record just read
 * @ctx: context of a restart
 * @t: leader, current
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_data_begin(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	return t->data_kept ? 0 : ckpt_read_padding_reported(ctx, t);
}

/**
 * ckpt_data_read - read page data into pages
 * @ctx: context of a restart
 * @t: leader, current
 * @bv: where the data goes
 * @nr: entries of @bv
 * @len: bytes in all
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_data_read(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct bio_vec *bv,
		   u32 nr, size_t len)
{
	u64 offset;
	int ret;

	if (t->data_kept) {
		offset = t->data_offset;
		ret = ckpt_read_bvecs_at(ctx, bv, nr, len, &t->data_pos);
		t->data_offset += len;
	} else {
		offset = ctx->reader.offset;
		ret = ckpt_read_bvecs(ctx, bv, nr, len);
		ctx->reader.nr_pages += len >> PAGE_SHIFT;
	}
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
			   "the image, at offset %llu: page data cannot be read", offset);
	return ret;
}

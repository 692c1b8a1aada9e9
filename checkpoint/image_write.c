// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing records of an image.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/utsname.h>
#include <linux/xxhash.h>

#include "image_check.h"
#include "internal.h"

/* Remembers where the big pieces lie, for readers that can seek. */
static int add_index(struct ckpt_ctx *ctx, u32 type, u32 tag)
{
	struct ckpt_rec_index_entry *bigger;
	u32 cap;

	if (ctx->nr_index == ctx->cap_index) {
		cap = max(16U, ctx->cap_index * 2);
		if (cap > CKPT_MAX_INDEX)
			return -EFBIG;
		bigger = kvcalloc(cap, sizeof(*bigger), GFP_KERNEL_ACCOUNT);
		if (!bigger)
			return -ENOMEM;
		if (ctx->nr_index)
			memcpy(bigger, ctx->index, ctx->nr_index * sizeof(*bigger));
		kvfree(ctx->index);
		ctx->index = bigger;
		ctx->cap_index = cap;
	}
	ctx->index[ctx->nr_index++] = (struct ckpt_rec_index_entry){
		.offset = ctx->offset, .type = type, .tag = tag,
	};
	return 0;
}

static bool may_pack(u32 type, size_t length)
{
	switch (type) {
	/* These hold what has no order, or what readers look for in the file. */
	case CKPT_REC_HEADER:
	case CKPT_REC_TRAILER:
	case CKPT_REC_PAGES:
	case CKPT_REC_SUMS:
	case CKPT_REC_INDEX:
	/* Most of these is data of programs: trying costs more than all the rest. */
	case CKPT_REC_PIPE:
	case CKPT_REC_SHMEM_DATA:
	case CKPT_REC_TCP:
	case CKPT_REC_UNIX_MSG:
		return false;
	default:
		return length >= CKPT_PACKED_MIN && length <= CKPT_PACKED_MAX;
	}
}

static void zero_padding(struct ckpt_rec *rec)
{
	memset(ckpt_rec_data(rec) + rec->length, 0, ALIGN(rec->length, 8) - rec->length);
}

/* At @out there is as much room as the record takes; false: it is not worth it. */
static bool pack_record(struct ckpt_rec *out, const struct ckpt_rec *rec)
{
	struct ckpt_rec_packed *packed = ckpt_rec_data(out);
	size_t len;

	len = ckpt_pack(packed + 1, rec->length - sizeof(*packed), rec + 1, ALIGN(rec->length, 8));
	if (!len)
		return false;
	*out = *rec;
	out->flags |= CKPT_RECF_PACKED;
	out->length = sizeof(*packed) + len;
	*packed = (struct ckpt_rec_packed){ .length = rec->length };
	zero_padding(out);
	return true;
}

/* Room for a record, to be given back with put_room(). */
static void *get_room(struct ckpt_ctx *ctx, size_t size)
{
	if (size > CKPT_SCRATCH_BYTES)
		return kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!ctx->scratch)
		ctx->scratch = kmalloc(CKPT_SCRATCH_BYTES, GFP_KERNEL_ACCOUNT);
	return ctx->scratch;
}

static void put_room(struct ckpt_ctx *ctx, void *room)
{
	if (room != ctx->scratch)
		kvfree(room);
}

/**
 * ckpt_write_record - append a record to the image
 * @ctx: context of a save
 * @type: enum ckpt_rec_type
 * @tag: of the object, or 0
 * @unit: bytes of the struct, or of one element of an array
 * @data: the struct or the array
 * @len: bytes of @data
 * @tail: what follows the struct, or NULL
 * @tail_len: bytes of @tail
 *
 * Context: may sleep; no locks held.
 * Return: 0, -ENOMEM, or an errno of the file.
 */
int ckpt_write_record(struct ckpt_ctx *ctx, u32 type, u32 tag, u32 unit,
		      const void *data, size_t len, const void *tail, size_t tail_len)
{
	size_t length = len + tail_len;
	size_t total = sizeof(struct ckpt_rec) + ALIGN(length, 8);
	struct ckpt_rec *rec, *out;
	bool pack = may_pack(type, length);
	int ret = 0;

	if (length > CKPT_MAX_RECORD)
		return -EFBIG;
	/* The packed record, which is shorter, behind it. */
	rec = get_room(ctx, pack ? 2 * total : total);
	if (!rec)
		return -ENOMEM;
	*rec = (struct ckpt_rec){
		.type = type,
		.flags = type == CKPT_REC_INDEX ? CKPT_RECF_SKIPPABLE : 0,
		.tag = tag,
		.unit = unit,
		.length = length,
	};
	zero_padding(rec);
	if (len)
		memcpy(rec + 1, data, len);
	if (tail_len)
		memcpy((char *)(rec + 1) + len, tail, tail_len);
	out = (void *)rec + total;
	if (!pack || !pack_record(out, rec))
		out = rec;
	out->sum = ckpt_rec_sum(out);
	if (type == CKPT_REC_PROCESS || type == CKPT_REC_MM || type == CKPT_REC_PAGES)
		ret = add_index(ctx, type, tag);
	if (!ret)
		ret = ckpt_write_bytes(ctx, out, sizeof(*out) + ALIGN(out->length, 8));
	ctx->nr_records++;
	put_room(ctx, rec);
	return ret;
}

/**
 * ckpt_write_use - let a process share what another one has brought along
 * @ctx: context of a save
 * @type: of the record that has it
 * @tag: of that record
 *
 * Return: 0 or a negative errno.
 */
int ckpt_write_use(struct ckpt_ctx *ctx, u32 type, u32 tag)
{
	struct ckpt_rec_use use = { .type = type, .tag = tag };

	return ckpt_write_record(ctx, CKPT_REC_USE, 0, sizeof(use), &use, sizeof(use), NULL, 0);
}

/**
 * ckpt_write_padding - fill up to the next multiple of the page size
 * @ctx: context of a save
 *
 * Return: 0 or an errno of the file.
 */
int ckpt_write_padding(struct ckpt_ctx *ctx)
{
	return ckpt_write_bytes(ctx, page_address(ZERO_PAGE(0)),
				ALIGN(ctx->offset, PAGE_SIZE) - ctx->offset);
}

/**
 * ckpt_write_header - start an image
 * @ctx: context of a save
 *
 * Return: 0 or a negative errno.
 */
int ckpt_write_header(struct ckpt_ctx *ctx)
{
	struct ckpt_rec_header h = {
		.magic = CKPT_IMAGE_MAGIC,
		.version = CKPT_IMAGE_VERSION,
		.byte_order = CKPT_IMAGE_BYTE_ORDER,
		.arch = CKPT_IMAGE_ARCH_X86_64,
		.page_size = PAGE_SIZE,
		.time_ns = ktime_get_real_ns(),
		.cpu_features = ckpt_arch_cpu_features(),
	};

	memcpy(h.image_id, ctx->image_id, sizeof(h.image_id));
	strscpy(h.release, init_utsname()->release, sizeof(h.release));
	strscpy(h.version_text, init_utsname()->version, sizeof(h.version_text));
	strscpy(h.machine, init_utsname()->machine, sizeof(h.machine));
	return ckpt_write_record(ctx, CKPT_REC_HEADER, 0, sizeof(h), &h, sizeof(h), NULL, 0);
}

/**
 * ckpt_write_trailer - make the image complete
 * @ctx: context of a save
 *
 * Return: 0 or a negative errno.
 */
int ckpt_write_trailer(struct ckpt_ctx *ctx)
{
	struct ckpt_rec_trailer t = { .index_offset = ctx->offset };
	int ret;

	ret = ckpt_write_record(ctx, CKPT_REC_INDEX, 0, sizeof(*ctx->index), ctx->index,
				ctx->nr_index * sizeof(*ctx->index), NULL, 0);
	if (ret)
		return ret;
	memcpy(t.image_id, ctx->image_id, sizeof(t.image_id));
	t.nr_records = ctx->nr_records + 1;
	t.nr_pages = ctx->nr_pages;
	t.length = ctx->offset + sizeof(struct ckpt_rec) + sizeof(t);
	ret = ckpt_write_record(ctx, CKPT_REC_TRAILER, 0, sizeof(t), &t, sizeof(t), NULL, 0);
	return ret ?: ckpt_write_flush(ctx);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What shared memory that the image has is made of: its pages, which of its huge
 * pages are reserved, and its NUMA policies. A MEMORY record names the memory
 * before each of these; holes stay holes.
 *
 * Nobody uses the memory meanwhile: who has it is frozen, or does not exist yet.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "../optional.h"
#include "huge.h"
#include "vma.h"

/**
 * ckpt_memory_begin - say what memory the next record is about
 * @ctx: context of a save
 * @tag: of the memory
 *
 * Return: 0 or a negative errno.
 */
int ckpt_memory_begin(struct ckpt_ctx *ctx, u32 tag)
{
	struct ckpt_rec_memory rec = { .memory = tag };

	return ckpt_write_record(ctx, CKPT_REC_MEMORY, 0, sizeof(rec), &rec, sizeof(rec), NULL, 0);
}

/* What is there at an index, swapped out or not: the folio, NULL: a hole. */
static struct folio *get_folio(struct inode *inode, pgoff_t index)
{
	struct folio *folio = NULL;
	int ret;

	if (ckpt_is_huge_memory(inode)) {
		folio = filemap_get_folio(inode->i_mapping, index);
		return folio == ERR_PTR(-ENOENT) ? NULL : folio;
	}
	ret = shmem_get_folio(inode, index, 0, &folio, SGP_READ);
	if (ret)
		return ERR_PTR(ret);
	if (folio)
		folio_unlock(folio);
	return folio;
}

/* Reserved by fallocate(2), and never written to: it becomes zero now, not later. */
static struct folio *get_new_folio(struct inode *inode, pgoff_t index)
{
	struct folio *folio;
	int ret;

	ret = shmem_get_folio(inode, index, 0, &folio, SGP_CACHE);
	if (ret)
		return ERR_PTR(ret);
	folio_unlock(folio);
	return folio;
}

/* First folio from an index on, referenced, NULL: there are none. */
static struct folio *next_folio(struct inode *inode, unsigned long *index, pgoff_t end)
{
	struct folio *folio = *index < end ? get_folio(inode, *index) : NULL;
	unsigned long found = *index;

	if (folio || *index >= end || !xa_find(&inode->i_mapping->i_pages, &found, end - 1,
					       XA_PRESENT))
		return folio;
	if (found > *index) {
		*index = found;
		folio = get_folio(inode, found);
	}
	return folio || ckpt_is_huge_memory(inode) ? folio : get_new_folio(inode, found);
}

/* What of a folio is at an index or behind it. */
static void add_folio(struct ckpt_batch *b, struct folio *folio, unsigned long *index, pgoff_t end)
{
	u32 first = *index - folio->index;
	u32 nr = min3((u64)folio_nr_pages(folio) - first, (u64)end - *index,
		      (u64)ckpt_batch_room(b));

	ckpt_batch_add(b, (u64)*index << PAGE_SHIFT, folio_page(folio, first), nr);
	*index += nr;
}

/* What is in memory, many at a time, up to the first hole; false: there is one. */
static bool add_present(struct ckpt_batch *b, struct inode *inode, unsigned long *index,
			pgoff_t end)
{
	unsigned long first = *index, next = first;
	struct folio_batch found;
	u32 i;

	if (first >= end)
		return false;
	folio_batch_init(&found);
	filemap_get_folios_contig(inode->i_mapping, &next, end - 1, &found);
	for (i = 0; i < folio_batch_count(&found) && ckpt_batch_room(b); i++) {
		if (!folio_test_uptodate(found.folios[i]))
			break;
		add_folio(b, found.folios[i], index, end);
	}
	folio_batch_release(&found);
	return *index > first;
}

/* Fills the batch. */
static int fill(struct ckpt_batch *b, struct inode *inode, unsigned long *index)
{
	/* Mappings have the rest of the last page, too. */
	pgoff_t end = DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
	struct folio *folio;

	while (ckpt_batch_room(b)) {
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
		if (add_present(b, inode, index, end))
			continue;
		folio = next_folio(inode, index, end);
		if (IS_ERR_OR_NULL(folio))
			return PTR_ERR_OR_ZERO(folio);
		add_folio(b, folio, index, end);
		folio_put(folio);
	}
	return 0;
}

static int save_pages(struct ckpt_ctx *ctx, struct inode *inode, u32 tag, struct ckpt_batch *b)
{
	unsigned long index = 0;
	int ret;

	for (;;) {
		ret = fill(b, inode, &index);
		if (ret || !b->nr_pages)
			return ret;
		ret = ckpt_memory_begin(ctx, tag) ?: ckpt_batch_write(ctx, b);
		ckpt_batch_empty(b);
		if (ret)
			return ret;
	}
}

/**
 * ckpt_memory_save - save what memory is made of
 * @ctx: context
 * @inode: of shmem or hugetlbfs; its record was written
 * @tag: its tag
 *
 * Return: 0 or a negative errno.
 */
int ckpt_memory_save(struct ckpt_ctx *ctx, struct inode *inode, u32 tag)
{
	bool huge = ckpt_is_huge_memory(inode);
	ktime_t start = ktime_get();
	struct ckpt_batch *b;
	int ret;

	b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return -ENOMEM;
	ret = ckpt_batch_alloc(ctx, b);
	if (!ret && huge)
		ret = ckpt_memory_begin(ctx, tag) ?: ckpt_huge_regions_save(ctx, inode);
	if (!ret && !huge)
		ret = ckpt_shared_policies_save(ctx, inode, tag);
	if (!ret)
		ret = save_pages(ctx, inode, tag, b);
	ckpt_batch_free(ctx, b);
	kfree(b);
	ctx->stats.memory_ns += ktime_to_ns(ktime_sub(ktime_get(), start));
	return ret;
}

/* One folio, or a part; a new one gets its content at once. */
static long get_shmem(const struct ckpt_page_target *target, u64 addr, u32 nr,
		      u64 more, struct page **pages)
{
	struct inode *inode = file_inode(target->memory);
	struct folio *folio;
	u32 i, first;
	int ret;

	if (addr >= round_up(i_size_read(inode), PAGE_SIZE))
		return -EFAULT;
	ret = shmem_get_folio(inode, addr >> PAGE_SHIFT, 0, &folio, SGP_WRITE);
	if (ret)
		return ret;
	first = (addr >> PAGE_SHIFT) - folio->index;
	nr = min_t(u32, nr, folio_nr_pages(folio) - first);
	if (!folio_test_uptodate(folio) && nr != folio_nr_pages(folio)) {
		folio_zero_range(folio, 0, folio_size(folio));
		folio_mark_uptodate(folio);
	}
	folio_unlock(folio);
	folio_ref_add(folio, nr - 1);
	for (i = 0; i < nr; i++)
		pages[i] = folio_page(folio, first + i);
	return nr;
}

static int failed(struct ckpt_ctx *ctx, struct ckpt_task *t,
		  const struct ckpt_page_target *target, u64 addr, u32 nr, int err)
{
	struct inode *inode = file_inode(target->memory);

	if (err != -EFAULT && ckpt_is_huge_memory(inode))
		return ckpt_huge_missing(ctx, CKPT_AT(t), hstate_inode(inode), 1, err);
	if (err == -ENOMEM || err == -ENOSPC)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, err,
				  "there is no room for %llu bytes of shared memory",
				  i_size_read(inode));
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, err == -EFAULT ? -EBADMSG : err,
			  "content of memory cannot be put at offset %llu", addr);
}

static struct file *memory_of(struct ckpt_ctx *ctx, u32 tag)
{
	return ckpt_shmem_memory(ctx, tag) ?: ckpt_sysv_shm_memory(ctx, tag) ?:
	       ckpt_hugetlb_memory(ctx, tag);
}

static int restore_part(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *memory,
			struct ckpt_rec *rec)
{
	bool huge = memory && ckpt_is_huge_memory(file_inode(memory));
	struct ckpt_page_target target = {
		.get = huge ? ckpt_huge_get : get_shmem,
		.failed = failed,
		.memory = memory,
	};

	if (memory && rec->type == CKPT_REC_PAGES)
		return ckpt_pages_read(ctx, t, rec, &target);
	if (memory && huge && rec->type == CKPT_REC_HUGE_REGIONS)
		return ckpt_huge_regions_restore(ctx, t, memory, rec);
	if (memory && !huge && rec->type == CKPT_REC_VMA_POLICIES)
		return ckpt_shared_policies_restore(ctx, t, memory, rec);
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
			  "the image has a %s record of memory that cannot have it",
			  ckpt_rec_name(rec->type));
}

static int memory_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_memory *saved = ckpt_rec_data(rec);
	struct file *memory = memory_of(ctx, saved->memory);
	ktime_t start = ktime_get();
	struct ckpt_rec *part;
	int ret;

	ckpt_free_record(rec);
	/* Unlike those of an address space these records are used as they are read. */
	t->data_kept = false;
	ret = ckpt_next_record(ctx, &part);
	if (ret)
		return ret;
	ret = restore_part(ctx, t, memory, part);
	ckpt_free_record(part);
	ckpt_count_time(ctx, &ctx->stats.memory_ns, start);
	return ret;
}

const struct ckpt_obj_ops ckpt_memory_ops = {
	.name = "content of memory",
	.rec = CKPT_REC_MEMORY,
	.restore = memory_restore,
};

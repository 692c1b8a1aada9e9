// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of huge pages without a name: which pages are reserved, and content.
 */
#include <linux/checkpoint_state.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "huge.h"

/**
 * ckpt_is_huge_memory - is this a file of huge pages?
 * @inode: any inode
 *
 * Return: true if it is.
 */
bool ckpt_is_huge_memory(const struct inode *inode)
{
	return inode->i_sb->s_magic == HUGETLBFS_MAGIC && S_ISREG(inode->i_mode);
}

static u64 size_in_pages(struct inode *inode)
{
	return i_size_read(inode) >> huge_page_shift(hstate_inode(inode));
}

/**
 * ckpt_huge_regions_save - save which pages of a file are there or reserved
 * @ctx: context
 * @inode: file of huge pages; its MEMORY record was written
 *
 * What is beyond the end of the file is left out: nobody can reach it.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_huge_regions_save(struct ckpt_ctx *ctx, struct inode *inode)
{
	u32 i, nr = checkpoint_hugetlb_regions(inode, NULL, 0), used = 0;
	u64 size = size_in_pages(inode);
	struct checkpoint_hugetlb_region *regions;
	struct ckpt_rec_huge_region *recs;
	int ret = -ENOMEM;

	regions = kvcalloc(nr + 1, sizeof(*regions), GFP_KERNEL_ACCOUNT);
	recs = kvcalloc(nr + 1, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	if (!regions || !recs)
		goto out;
	ret = -EBUSY;
	if (checkpoint_hugetlb_regions(inode, regions, nr) != nr)
		goto out;
	for (i = 0; i < nr && regions[i].start < size; i++, used++) {
		recs[i].start = regions[i].start;
		recs[i].end = min(regions[i].end, size);
	}
	ret = ckpt_write_record(ctx, CKPT_REC_HUGE_REGIONS, 0, sizeof(*recs), recs,
				used * sizeof(*recs), NULL, 0);
out:
	kvfree(regions);
	kvfree(recs);
	return ret;
}

/**
 * ckpt_huge_regions_restore - reserve pages of a file, or have them refused
 * @ctx: context
 * @t: leader, current
 * @memory: file of huge pages
 * @rec: HUGE_REGIONS record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_huge_regions_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *memory,
			      struct ckpt_rec *rec)
{
	const struct ckpt_rec_huge_region *v = ckpt_rec_data(rec);
	struct inode *inode = file_inode(memory);
	u64 i, nr = ckpt_rec_count(rec), missing = 0;

	if (nr && v[nr - 1].end > size_in_pages(inode))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has huge pages beyond the end of their file");
	for (i = 0; i < nr; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		/* The rest only adds to the number that is told. */
		if (missing || !hugetlb_reserve_pages(inode, v[i].start, v[i].end, NULL, 0))
			missing += v[i].end - v[i].start;
		cond_resched();
	}
	return missing ? ckpt_huge_missing(ctx, CKPT_AT(t), hstate_inode(inode), missing,
					   -ENOMEM) : 0;
}

static struct folio *get_huge_folio(struct file *memory, pgoff_t index)
{
	struct hstate *h = hstate_file(memory);
	struct folio *folio;
	int ret;

	folio = filemap_get_folio(memory->f_mapping, index);
	if (!IS_ERR(folio))
		return folio;
	ret = vfs_fallocate(memory, FALLOC_FL_KEEP_SIZE, (loff_t)index << PAGE_SHIFT,
			    huge_page_size(h));
	return ret ? ERR_PTR(ret) : filemap_get_folio(memory->f_mapping, index);
}

/**
 * ckpt_huge_get - pages of a file, for their content
 * @target: the file
 * @addr: offset in it
 * @nr: how many would be welcome
 * @more: unused
 * @pages: gets them, each with a reference
 *
 * Return: how many, at least one, or a negative errno.
 */
long ckpt_huge_get(const struct ckpt_page_target *target, u64 addr, u32 nr,
		   u64 more, struct page **pages)
{
	struct hstate *h = hstate_file(target->memory);
	u64 start = addr & huge_page_mask(h);
	struct folio *folio;
	u32 i, first;

	if (addr >= i_size_read(file_inode(target->memory)))
		return -EFAULT;
	folio = get_huge_folio(target->memory, start >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	first = (addr - start) >> PAGE_SHIFT;
	nr = min_t(u32, nr, pages_per_huge_page(h) - first);
	folio_ref_add(folio, nr - 1);
	for (i = 0; i < nr; i++)
		pages[i] = folio_page(folio, first + i);
	return nr;
}

/**
 * ckpt_huge_clear - remove all pages of a file, and what is reserved
 * @memory: file of huge pages
 *
 * Return: 0 or a negative errno.
 */
int ckpt_huge_clear(struct file *memory)
{
	return vfs_fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			     i_size_read(file_inode(memory)));
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* New pages of private memory, which are filled before they are mapped. */
#ifndef _CHECKPOINT_MM_FRESH_H
#define _CHECKPOINT_MM_FRESH_H

#include "pages.h"

/**
 * struct ckpt_fresh_run - new pages at neighbouring addresses, in one page table
 * @addr: of the first
 * @pages: the pages
 * @nr: how many
 */
struct ckpt_fresh_run {
	u64 addr;
	struct page **pages;
	u32 nr;
};

/**
 * struct ckpt_fresh - new pages that are being filled
 * @runs: those of one chunk
 * @nr_runs: how many
 * @huge: huge page of which a part was given, referenced, or NULL
 * @huge_addr: its address
 * @huge_given: pages of it that were given
 * @full: huge page of which all was given, the last with this chunk, or NULL
 * @full_addr: its address
 */
struct ckpt_fresh {
	struct ckpt_fresh_run runs[CKPT_CHUNK_PAGES];
	u32 nr_runs;
	struct folio *huge;
	u64 huge_addr;
	u32 huge_given;
	struct folio *full;
	u64 full_addr;
};

/* mm/fresh.c */
struct ckpt_fresh *ckpt_fresh_begin(void);
void ckpt_fresh_end(struct ckpt_fresh *f);
long ckpt_fresh_get(struct ckpt_fresh *f, u64 addr, u32 nr, u64 more, struct page **pages);
int ckpt_fresh_map(struct ckpt_fresh *f, u64 *addr);

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
/* mm/fresh_huge.c */
int ckpt_fresh_huge_get(struct ckpt_fresh *f, struct vm_area_struct *vma, u64 addr);
int ckpt_fresh_huge_map(struct vm_area_struct *vma, u64 addr, struct folio *folio);
#else
static inline int ckpt_fresh_huge_get(struct ckpt_fresh *f, struct vm_area_struct *vma, u64 addr)
{
	return 0;
}

static inline int ckpt_fresh_huge_map(struct vm_area_struct *vma, u64 addr, struct folio *folio)
{
	return 0;
}
#endif

#endif /* _CHECKPOINT_MM_FRESH_H */

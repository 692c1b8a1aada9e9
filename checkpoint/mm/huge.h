/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of hugetlb; a kernel may be built without them. */
#ifndef _CHECKPOINT_MM_HUGE_H
#define _CHECKPOINT_MM_HUGE_H

#include <linux/hugetlb.h>

#include "pages.h"

#ifdef CONFIG_HUGETLBFS
/* mm/huge.c */
void ckpt_huge_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		       struct vm_area_struct *vma);
int ckpt_huge_missing(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		      struct hstate *h, u64 nr, int err);
struct page *ckpt_huge_get_page(struct vm_area_struct *vma, unsigned long addr, pte_t *pte);
bool ckpt_huge_fit(struct vm_area_struct *from, u64 from_addr, struct vm_area_struct *vma,
		   u64 addr);
unsigned long ckpt_huge_share(struct vm_area_struct *vma, unsigned long addr,
			      struct vm_area_struct *from, unsigned long start,
			      unsigned long end);

/* mm/huge_memory.c */
bool ckpt_is_huge_memory(const struct inode *inode);
int ckpt_huge_regions_save(struct ckpt_ctx *ctx, struct inode *inode);
int ckpt_huge_regions_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *memory,
			      struct ckpt_rec *rec);
long ckpt_huge_get(const struct ckpt_page_target *target, u64 addr, u32 nr,
		   u64 more, struct page **pages);
int ckpt_huge_clear(struct file *memory);
#else
static inline void ckpt_huge_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				     struct vm_area_struct *vma)
{
}

static inline int ckpt_huge_missing(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				    struct hstate *h, u64 nr, int err)
{
	return err;
}

static inline struct page *ckpt_huge_get_page(struct vm_area_struct *vma, unsigned long addr,
					      pte_t *pte)
{
	return NULL;
}

static inline bool ckpt_huge_fit(struct vm_area_struct *from, u64 from_addr,
				 struct vm_area_struct *vma, u64 addr)
{
	return true;
}

static inline unsigned long ckpt_huge_share(struct vm_area_struct *vma, unsigned long addr,
					    struct vm_area_struct *from, unsigned long start,
					    unsigned long end)
{
	return 0;
}

static inline bool ckpt_is_huge_memory(const struct inode *inode)
{
	return false;
}

static inline int ckpt_huge_regions_save(struct ckpt_ctx *ctx, struct inode *inode)
{
	return 0;
}

static inline int ckpt_huge_regions_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
					    struct file *memory, struct ckpt_rec *rec)
{
	return -EOPNOTSUPP;
}

static inline long ckpt_huge_get(const struct ckpt_page_target *target, u64 addr, u32 nr,
				 u64 more, struct page **pages)
{
	return -EOPNOTSUPP;
}

static inline int ckpt_huge_clear(struct file *memory)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* _CHECKPOINT_MM_HUGE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of checkpoint/mm/ share about mappings. */
#ifndef _CHECKPOINT_MM_VMA_H
#define _CHECKPOINT_MM_VMA_H

#include <linux/io_uring.h>
#include <linux/mm.h>

#include "../internal.h"

/* mm/vma.c */

/**
 * struct ckpt_vmas - mappings of an address space, to be saved
 * @recs: their records
 * @files: their files, referenced, or NULL
 * @nr: how many
 */
struct ckpt_vmas {
	struct ckpt_rec_vma *recs;
	struct file **files;
	u32 nr;
};

void ckpt_vma_fill(struct vm_area_struct *vma, struct ckpt_rec_vma *rec);
int ckpt_vma_advise(const struct ckpt_rec_vma *v);
void ckpt_vma_collect(struct ckpt_ctx *ctx, struct ckpt_task *t, struct vm_area_struct *vma);
int ckpt_vmas_gather(struct mm_struct *mm, struct ckpt_vmas *vmas);
int ckpt_vmas_tag(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_vmas *vmas);
void ckpt_vmas_free(struct ckpt_vmas *vmas);
int ckpt_vmas_list(struct ckpt_ctx *ctx, struct mm_struct *mm, u32 type, size_t unit,
		   bool (*fill)(struct vm_area_struct *vma, void *rec));
int ckpt_vma_names_save(struct ckpt_ctx *ctx, struct mm_struct *mm);
int ckpt_vma_names_restore(struct ckpt_rec *rec);

/* mm/vma_restore.c */
int ckpt_vmas_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec);
int ckpt_vmas_settle(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec);
int ckpt_vmas_populate(void);

/* mm/policy.c */
int ckpt_vma_policies_save(struct ckpt_ctx *ctx, struct mm_struct *mm);
int ckpt_vma_policies_restore(struct ckpt_rec *rec);
int ckpt_shared_policies_save(struct ckpt_ctx *ctx, struct inode *inode, u32 tag);
int ckpt_shared_policies_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 struct file *memory, struct ckpt_rec *rec);

/* mm/ring.c */

/* Flags that a mapping of the memory of io_uring has. */
#define CKPT_RING_VM_FLAGS	(VM_DONTEXPAND | VM_MIXEDMAP)

static inline bool ckpt_is_ring(struct vm_area_struct *vma)
{
	return vma->vm_file && io_is_uring_fops(vma->vm_file);
}

void ckpt_ring_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		       struct vm_area_struct *vma);
int ckpt_ring_map(struct file *file, const struct ckpt_rec_vma *v);

/* mm/cow_restore.c */
bool ckpt_cow_move_to_root(struct folio *folio, struct vm_area_struct *vma);

/* mm/aio.c */
bool ckpt_is_aio_ring(struct vm_area_struct *vma);
void ckpt_aio_collect(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm);
int ckpt_aio_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm);
int ckpt_aio_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec);

#endif /* _CHECKPOINT_MM_VMA_H */

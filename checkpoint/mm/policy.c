// SPDX-License-Identifier: GPL-2.0-only
/*
 * NUMA policies of private memory, of mbind(2). Those of shared memory belong
 * to the memory, and are an obstacle.
 */
#include <linux/checkpoint_state.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../internal.h"

static u32 list_policies(struct mm_struct *mm, struct ckpt_rec_vma_policy *recs, u32 max)
{
	struct vm_area_struct *vma;
	nodemask_t nodes;
	u32 nr = 0;
	int home;

	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma) {
		if (!vma_policy(vma))
			continue;
		if (nr < max) {
			recs[nr].start = vma->vm_start;
			recs[nr].end = vma->vm_end;
			recs[nr].mode = checkpoint_get_vma_policy(vma, &nodes, &home);
			recs[nr].home_node = home + 1;
			recs[nr].node_words = BITS_TO_LONGS(MAX_NUMNODES);
			bitmap_copy((unsigned long *)recs[nr].nodes, nodes_addr(nodes),
				    MAX_NUMNODES);
		}
		nr++;
	}
	return nr;
}

/**
 * ckpt_vma_policies_save - save the NUMA policies of mappings
 * @ctx: context
 * @mm: address space of a frozen process
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_policies_save(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct ckpt_rec_vma_policy *recs;
	u32 nr;
	int ret;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	nr = list_policies(mm, NULL, 0);
	mmap_read_unlock(mm);
	if (!nr)
		return 0;
	recs = kvcalloc(nr, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	mmap_read_lock(mm);
	ret = list_policies(mm, recs, nr) == nr ? 0 : -EBUSY;
	mmap_read_unlock(mm);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_VMA_POLICIES, 0, sizeof(*recs), recs,
					nr * sizeof(*recs), NULL, 0);
	kvfree(recs);
	return ret;
}

/* Where the system has other nodes, the policy would be another one. */
static bool is_same(struct vm_area_struct *vma, const struct ckpt_rec_vma_policy *v,
		    const nodemask_t *nodes)
{
	nodemask_t now;
	int home;

	return checkpoint_get_vma_policy(vma, &now, &home) == v->mode &&
	       nodes_equal(now, *nodes) && home + 1 == v->home_node;
}

static int set_policy(struct mm_struct *mm, const struct ckpt_rec_vma_policy *v)
{
	struct vm_area_struct *vma = vma_lookup(mm, v->start);
	nodemask_t nodes;
	u32 bit;
	int ret;

	if (!vma || vma->vm_start != v->start || vma->vm_end != v->end ||
	    vma->vm_flags & VM_MAYSHARE)
		return -EBADMSG;
	nodes_clear(nodes);
	for_each_set_bit(bit, (unsigned long *)v->nodes, 64 * v->node_words) {
		if (bit >= MAX_NUMNODES)
			return -ENOEXEC;
		node_set(bit, nodes);
	}
	vma_start_write(vma);
	ret = checkpoint_set_vma_policy(vma, v->mode, &nodes, (int)v->home_node - 1);
	if (ret)
		return ret == -EINVAL ? -ENOEXEC : ret;
	return is_same(vma, v, &nodes) ? 0 : -ENOEXEC;
}

/**
 * ckpt_vma_policies_restore - give memory of current its NUMA policies
 * @rec: VMA_POLICIES record; the memory is mapped
 *
 * Return: 0, -ENOEXEC: they do not fit this system, or another negative errno.
 */
int ckpt_vma_policies_restore(struct ckpt_rec *rec)
{
	const struct ckpt_rec_vma_policy *v = ckpt_rec_data(rec);
	struct mm_struct *mm = current->mm;
	u64 nr = ckpt_rec_count(rec);
	int ret = 0;

	for (; nr && !ret; nr--, v++) {
		if (mmap_write_lock_killable(mm))
			return -EINTR;
		ret = set_policy(mm, v);
		mmap_write_unlock(mm);
		cond_resched();
	}
	return ret;
}

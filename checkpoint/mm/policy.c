// SPDX-License-Identifier: GPL-2.0-only
/*
 * NUMA policies of mbind(2): those of mappings, and those of shared memory, which
 * belong to the memory and are saved with it.
 */
#include <linux/checkpoint_state.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "vma.h"

static void fill_nodes(struct ckpt_rec_vma_policy *v, const nodemask_t *nodes)
{
	v->node_words = BITS_TO_LONGS(MAX_NUMNODES);
	bitmap_copy((unsigned long *)v->nodes, nodes->bits, MAX_NUMNODES);
}

static bool fill_policy(struct vm_area_struct *vma, void *rec)
{
	struct ckpt_rec_vma_policy *v = rec;
	nodemask_t nodes;
	int home;

	if (!vma_policy(vma) || !v)
		return vma_policy(vma);
	v->start = vma->vm_start;
	v->end = vma->vm_end;
	v->mode = checkpoint_get_vma_policy(vma, &nodes, &home);
	v->home_node = home + 1;
	fill_nodes(v, &nodes);
	return true;
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
	return ckpt_vmas_list(ctx, mm, CKPT_REC_VMA_POLICIES,
			      sizeof(struct ckpt_rec_vma_policy), fill_policy);
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

static int get_nodes(const struct ckpt_rec_vma_policy *v, nodemask_t *nodes)
{
	u32 bit;

	nodes_clear(*nodes);
	for_each_set_bit(bit, (unsigned long *)v->nodes, 64 * v->node_words) {
		if (bit >= MAX_NUMNODES)
			return -ENOEXEC;
		node_set(bit, *nodes);
	}
	return 0;
}

static int set_policy(struct mm_struct *mm, const struct ckpt_rec_vma_policy *v)
{
	struct vm_area_struct *vma = vma_lookup(mm, v->start);
	nodemask_t nodes;
	bool alone;
	int ret;

	if (!vma || vma->vm_start != v->start || vma->vm_end != v->end)
		return -EBADMSG;
	ret = get_nodes(v, &nodes);
	if (ret)
		return ret;
	vma_start_write(vma);
	/* Memory that is in the image has its own policies from there. */
	alone = vma->vm_file && ckpt_is_unnamed_memory(vma->vm_file);
	ret = checkpoint_set_vma_policy(vma, v->mode, &nodes, (int)v->home_node - 1, alone);
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

static int write_policies(struct ckpt_ctx *ctx, u32 tag, const struct checkpoint_policy *p,
			  u32 nr)
{
	struct ckpt_rec_vma_policy *recs = kvcalloc(nr, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	int ret;
	u32 i;

	if (!recs)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		recs[i].start = (u64)p[i].start << PAGE_SHIFT;
		recs[i].end = (u64)p[i].end << PAGE_SHIFT;
		recs[i].mode = p[i].mode;
		recs[i].home_node = p[i].home_node + 1;
		fill_nodes(&recs[i], &p[i].nodes);
	}
	ret = ckpt_memory_begin(ctx, tag);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_VMA_POLICIES, 0, sizeof(*recs), recs,
					nr * sizeof(*recs), NULL, 0);
	kvfree(recs);
	return ret;
}

/**
 * ckpt_shared_policies_save - save the NUMA policies of shared memory
 * @ctx: context
 * @inode: the memory, of shmem
 * @tag: its tag
 *
 * Return: 0 or a negative errno.
 */
int ckpt_shared_policies_save(struct ckpt_ctx *ctx, struct inode *inode, u32 tag)
{
	struct shared_policy *sp = &SHMEM_I(inode)->policy;
	u32 nr = checkpoint_shared_policies(sp, NULL, 0);
	struct checkpoint_policy *policies;
	int ret = -EBUSY;

	if (!nr)
		return 0;
	policies = kvcalloc(nr, sizeof(*policies), GFP_KERNEL_ACCOUNT);
	if (!policies)
		return -ENOMEM;
	if (checkpoint_shared_policies(sp, policies, nr) == nr)
		ret = write_policies(ctx, tag, policies, nr);
	kvfree(policies);
	return ret;
}

static int set_shared_policy(struct inode *inode, const struct ckpt_rec_vma_policy *v)
{
	struct checkpoint_policy p = {
		.start = v->start >> PAGE_SHIFT,
		.end = v->end >> PAGE_SHIFT,
		.mode = v->mode,
		.home_node = (int)v->home_node - 1,
	};
	int ret = get_nodes(v, &p.nodes);

	if (!ret)
		ret = checkpoint_set_shared_policy(&SHMEM_I(inode)->policy, &p);
	return ret == -EINVAL ? -ENOEXEC : ret;
}

/* As is_same(), of all of them. */
static int check_policies(struct inode *inode, const struct ckpt_rec_vma_policy *v, u32 nr)
{
	struct checkpoint_policy *now = kvcalloc(nr + 1, sizeof(*now), GFP_KERNEL_ACCOUNT);
	nodemask_t nodes;
	int ret = 0;
	u32 i;

	if (!now)
		return -ENOMEM;
	if (checkpoint_shared_policies(&SHMEM_I(inode)->policy, now, nr) != nr)
		ret = -ENOEXEC;
	for (i = 0; i < nr && !ret; i++, v++) {
		ret = get_nodes(v, &nodes);
		if (now[i].mode != v->mode || now[i].home_node + 1 != v->home_node ||
		    !nodes_equal(now[i].nodes, nodes))
			ret = -ENOEXEC;
	}
	kvfree(now);
	return ret;
}

/**
 * ckpt_shared_policies_restore - give shared memory its NUMA policies
 * @ctx: context
 * @t: leader, current
 * @memory: the memory, of shmem
 * @rec: VMA_POLICIES record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_shared_policies_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 struct file *memory, struct ckpt_rec *rec)
{
	const struct ckpt_rec_vma_policy *v = ckpt_rec_data(rec);
	u64 nr = ckpt_rec_count(rec);
	int ret = 0;

	for (; nr && !ret; nr--, v++) {
		ret = set_shared_policy(file_inode(memory), v);
		cond_resched();
	}
	if (!ret)
		ret = check_policies(file_inode(memory), ckpt_rec_data(rec), ckpt_rec_count(rec));
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MM, ret,
			   "a NUMA policy of shared memory cannot be restored");
	return ret;
}

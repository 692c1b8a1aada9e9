// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that were forked from one often have the same mappings, which cost
 * most of what it takes to make an address space. The second process with the
 * same ones leaves a copy of them, without pages, as a template; all others copy
 * that, as fork(2) does it. Nobody waits for a template: who finds none maps.
 *
 * Any process of a restart may map what another one has just mapped: none has
 * an identity of its own yet.
 */
#include <linux/checkpoint_state.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "vma.h"

/**
 * struct ckpt_template - what processes with the same mappings have in common
 * @node: in the table
 * @sum: of the record of the mappings
 * @vdso: where the vDSO is
 * @flags: of the address space
 * @maker: leader of the second process that had them
 * @mm: NULL, or a copy of its address space
 */
struct ckpt_template {
	struct hlist_node node;
	u64 sum;
	u64 vdso;
	u32 flags;
	struct ckpt_task *maker;
	struct mm_struct *mm;
};

/* Those that fork(2) leaves out or changes, and those that count. */
#define NOT_COPIED	(VM_DONTCOPY | VM_WIPEONFORK | VM_LOCKED | VM_LOCKONFAULT | VM_HUGETLB | \
			 VM_MERGEABLE | VM_SPECIAL)

static bool is_like(const struct ckpt_template *p, const struct ckpt_rec_mm *saved, u64 sum)
{
	return p->sum == sum && p->vdso == saved->vdso && p->flags == saved->flags;
}

/**
 * ckpt_template_find - find the template for an address space, or begin one
 * @ctx: context of a restart
 * @t: leader, current
 * @rec: VMAS record
 *
 * Return: the template, with or without an address space; NULL: no memory.
 */
struct ckpt_template *ckpt_template_find(struct ckpt_ctx *ctx, struct ckpt_task *t,
					 struct ckpt_rec *rec)
{
	struct ckpt_template *p, *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	const struct ckpt_rec_mm *saved = ckpt_rec_data(t->mm_rec);
	u64 sum = xxh64(ckpt_rec_data(rec), rec->length, 0);

	if (!new)
		return NULL;
	new->sum = sum;
	new->vdso = saved->vdso;
	new->flags = saved->flags;
	spin_lock(&ctx->templates_lock);
	hash_for_each_possible(ctx->templates, p, node, sum) {
		if (!is_like(p, saved, sum))
			continue;
		p->maker = p->maker ?: t;
		break;
	}
	if (!p)
		hash_add(ctx->templates, &new->node, sum);
	spin_unlock(&ctx->templates_lock);
	if (p)
		kfree(new);
	return p ?: new;
}

/**
 * ckpt_template_use - give current a copy of what others have mapped
 * @p: the template, or NULL
 *
 * Its mappings are to be compared with those that were saved.
 *
 * Return: 1; 0: current has to map it itself; -EINTR.
 */
int ckpt_template_use(struct ckpt_template *p)
{
	/* Pairs with the release in ckpt_template_make(). */
	struct mm_struct *from = p ? smp_load_acquire(&p->mm) : NULL;
	struct mm_struct *mm;
	int ret;

	if (!from)
		return 0;
	mm = checkpoint_dup_mm(from, current);
	if (!mm)
		return fatal_signal_pending(current) ? -EINTR : 0;
	ret = ckpt_change_mm(mm);
	if (!ret)
		return 1;
	mmput(mm);
	return ret;
}

/* Files that know who has mapped them would take the template for a process. */
static bool may_be_copied(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	bool ret = true;

	VMA_ITERATOR(vmi, mm, 0);

	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		if (!ckpt_arch_vma_is_special(vma) &&
		    (vma->vm_flags & NOT_COPIED || (vma->vm_ops && vma->vm_ops->open)))
			ret = false;
	mmap_read_unlock(mm);
	return ret;
}

/**
 * ckpt_template_make - keep a copy of the mappings of current, if they recur
 * @p: the template, or NULL
 * @t: leader, current; its mappings are complete, without pages
 */
void ckpt_template_make(struct ckpt_template *p, struct ckpt_task *t)
{
	/* Where all memory must be there the copy would take it from others. */
	if (!p || p->maker != t || sysctl_overcommit_memory == OVERCOMMIT_NEVER ||
	    !may_be_copied(current->mm))
		return;
	/* Pairs with the acquire in ckpt_template_use(). */
	smp_store_release(&p->mm, checkpoint_dup_mm(current->mm, NULL));
}

/**
 * ckpt_templates_free - forget all templates
 * @ctx: context
 *
 * Context: may sleep; nobody uses them any more.
 */
void ckpt_templates_free(struct ckpt_ctx *ctx)
{
	struct ckpt_template *p;
	struct hlist_node *next;
	int i;

	hash_for_each_safe(ctx->templates, i, next, p, node) {
		hash_del(&p->node);
		if (p->mm)
			mmput(p->mm);
		kfree(p);
	}
}

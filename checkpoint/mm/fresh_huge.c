// SPDX-License-Identifier: GPL-2.0-only
/*
 * New transparent huge pages that are filled before they are mapped: see fresh.c.
 */
#include <linux/khugepaged.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include <asm/pgalloc.h>

#include "fresh.h"

/**
 * ckpt_fresh_huge_get - get a new huge page
 * @f: gets it
 * @vma: mapping that may have one, mmap_lock is held
 * @addr: its address
 *
 * Return: 1; 0: there is none.
 */
int ckpt_fresh_huge_get(struct ckpt_fresh *f, struct vm_area_struct *vma, u64 addr)
{
	gfp_t gfp = vma_thp_gfp_mask(vma);
	struct folio *folio;

	khugepaged_enter_vma(vma, vma->vm_flags);
	folio = vma_alloc_folio(gfp, HPAGE_PMD_ORDER, vma, addr, true);
	if (!folio)
		return 0;
	if (mem_cgroup_charge(folio, vma->vm_mm, gfp)) {
		folio_put(folio);
		return 0;
	}
	folio_throttle_swaprate(folio, gfp);
	f->huge = folio;
	f->huge_addr = addr;
	f->huge_given = 0;
	return 1;
}

static void map_locked(struct vm_area_struct *vma, u64 addr, pmd_t *pmd, struct folio *folio,
		       pgtable_t table)
{
	pmd_t entry = pmd_mkdirty(mk_huge_pmd(&folio->page, vma->vm_page_prot));

	if (vma->vm_flags & VM_WRITE)
		entry = pmd_mkwrite(entry, vma);
	folio_get(folio);
	folio_add_new_anon_rmap(folio, vma, addr, RMAP_EXCLUSIVE);
	folio_add_lru_vma(folio, vma);
	pgtable_trans_huge_deposit(vma->vm_mm, pmd, table);
	set_pmd_at(vma->vm_mm, addr, pmd, entry);
	update_mmu_cache_pmd(vma, addr, pmd);
	add_mm_counter(vma->vm_mm, MM_ANONPAGES, HPAGE_PMD_NR);
	mm_inc_nr_ptes(vma->vm_mm);
	deferred_split_folio(folio, false);
}

/**
 * ckpt_fresh_huge_map - map a huge page
 * @vma: mapping, mmap_lock is held
 * @addr: address in it
 * @folio: the page, with all of its content
 *
 * Return: 1; 0: there is something else by now; -ENOMEM.
 */
int ckpt_fresh_huge_map(struct vm_area_struct *vma, u64 addr, struct folio *folio)
{
	struct mm_struct *mm = vma->vm_mm;
	pmd_t *pmd = ckpt_alloc_pmd(mm, addr);
	pgtable_t table = pmd ? pte_alloc_one(mm) : NULL;
	spinlock_t *ptl;	/* of the page table */
	bool free;

	if (!table)
		return -ENOMEM;
	/* A barrier: the content is seen by who sees the mapping. */
	__folio_mark_uptodate(folio);
	ptl = pmd_lock(mm, pmd);
	free = pmd_none(*pmd) && !check_stable_address_space(mm);
	if (free)
		map_locked(vma, addr, pmd, folio, table);
	spin_unlock(ptl);
	if (!free)
		pte_free(mm, table);
	return free;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What records of memory must be, whoever wrote them. Builds in user space, too.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

static bool is_range(u64 start, u64 end, u64 last)
{
	return !(start & (PAGE_SIZE - 1)) && !(end & (PAGE_SIZE - 1)) && start >= last &&
	       end > start;
}

/**
 * ckpt_pkeys_fit - can these be the protection keys of an address space?
 * @mm: its record
 *
 * Return: true if they can.
 */
bool ckpt_pkeys_fit(const struct ckpt_rec_mm *mm)
{
	if (mm->pkeys >> CKPT_NR_PKEYS || (mm->pkeys && !(mm->pkeys & ~1U)))
		return false;
	if (mm->flags & CKPT_MMF_LOCK_ONFAULT && !(mm->flags & CKPT_MMF_LOCK_FUTURE))
		return false;
	return mm->exec_pkey < CKPT_NR_PKEYS &&
	       (!mm->exec_pkey || mm->pkeys & 1U << mm->exec_pkey);
}

/* Flags that go together, and flags that do not. */
static bool flags_fit(const struct ckpt_rec_vma *v)
{
	const u32 droppable = CKPT_VMA_NORESERVE | CKPT_VMA_WIPEONFORK | CKPT_VMA_DONTDUMP;
	const u32 pairs[] = {
		CKPT_VMA_SEQUENTIAL | CKPT_VMA_RANDOM,
		CKPT_VMA_HUGEPAGE | CKPT_VMA_NOHUGEPAGE,
		CKPT_VMA_DROPPABLE | CKPT_VMA_LOCKED,
		CKPT_VMA_DROPPABLE | CKPT_VMA_GROWSDOWN,
		CKPT_VMA_SHARED | CKPT_VMA_WIPEONFORK,
		CKPT_VMA_SHARED | CKPT_VMA_GROWSDOWN,
		CKPT_VMA_SHARED | CKPT_VMA_MERGEABLE,
		CKPT_VMA_UNRESERVED | CKPT_VMA_SHARED,
		CKPT_VMA_UNRESERVED | CKPT_VMA_NORESERVE,
		CKPT_VMA_UNRESERVED | CKPT_VMA_LOCKED,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		if ((v->flags & pairs[i]) == pairs[i])
			return false;
	if (v->flags & CKPT_VMA_LOCKONFAULT && !(v->flags & CKPT_VMA_LOCKED))
		return false;
	if (v->flags & CKPT_VMA_DROPPABLE && (v->flags & droppable) != droppable)
		return false;
	if (v->flags & CKPT_VMA_READONLY &&
	    (!(v->flags & CKPT_VMA_SHARED) || v->prot & CKPT_PROT_WRITE))
		return false;
	/* A file has memory of all kinds but these. */
	return v->file ? !(v->flags & (CKPT_VMA_GROWSDOWN | CKPT_VMA_DROPPABLE)) :
			 !(v->flags & (CKPT_VMA_SHARED | CKPT_VMA_UNRESERVED));
}

/**
 * ckpt_check_vmas - check the mappings of an address space
 * @r: reader
 * @rec: VMAS record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_vmas(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_vma *v = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	u64 last = 0;

	for (; count; count--, v++) {
		if (!is_range(v->start, v->end, last))
			return damaged(r, "a mapping has impossible addresses");
		if (v->prot & ~CKPT_PROT_ALL || v->flags & ~CKPT_VMA_ALL ||
		    v->pkey >= CKPT_NR_PKEYS || v->reserved)
			return damaged(r, "a mapping has unknown flags");
		if (!flags_fit(v) || (v->family && v->flags & CKPT_VMA_SHARED))
			return damaged(r, "a mapping has impossible flags");
		if (v->pgoff > (U64_MAX - (v->end - v->start)) >> CKPT_PAGE_SHIFT)
			return damaged(r, "a mapping has an impossible offset");
		last = v->end;
	}
	return 0;
}

/**
 * ckpt_check_vma_policies - check the NUMA policies of mappings
 * @r: reader
 * @rec: VMA_POLICIES record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_vma_policies(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_vma_policy *v = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	u64 last = 0;

	for (; count; count--, v++) {
		if (!is_range(v->start, v->end, last))
			return damaged(r, "a memory policy has impossible addresses");
		if (!v->mode || v->mode > 0xffff || v->home_node > 64 * CKPT_NODE_WORDS ||
		    v->reserved || v->node_words > CKPT_NODE_WORDS ||
		    memchr_inv(v->nodes + v->node_words, 0,
			       8 * (CKPT_NODE_WORDS - v->node_words)))
			return damaged(r, "a mapping has an impossible memory policy");
		last = v->end;
	}
	return 0;
}

static bool is_huge_shift(u32 shift)
{
	return shift > CKPT_PAGE_SHIFT && shift < 48;
}

/**
 * ckpt_check_sysv_shm - check a segment of System V shared memory
 * @r: reader
 * @rec: SYSV_SHM record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_sysv_shm(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_sysv_shm *s = ckpt_rec_data(rec);

	if (!rec->tag || !s->size || s->size > LLONG_MAX - PAGE_SIZE || s->id > INT_MAX ||
	    s->mode & ~0777U || s->creator > INT_MAX || s->last > INT_MAX)
		return damaged(r, "System V shared memory has an impossible value or no tag");
	if (s->flags & ~CKPT_SYSV_ALL || (s->flags & CKPT_SYSV_REMOVED && s->key))
		return damaged(r, "System V shared memory has impossible flags");
	if (s->named_key && !(s->flags & CKPT_SYSV_REMOVED))
		return damaged(r, "System V shared memory has a name of its own");
	if (s->huge_shift && !is_huge_shift(s->huge_shift))
		return damaged(r, "System V shared memory has pages of an impossible size");
	return 0;
}

/**
 * ckpt_check_memory - check what names the memory that the next record is about
 * @r: reader
 * @rec: MEMORY record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_memory(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_memory *m = ckpt_rec_data(rec);

	return !m->memory || m->reserved ? damaged(r, "memory without a tag") : 0;
}

/**
 * ckpt_check_hugetlb - check memory of huge pages
 * @r: reader
 * @rec: HUGETLB record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_hugetlb(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_hugetlb *h = ckpt_rec_data(rec);

	if (!rec->tag || !is_huge_shift(h->page_shift) || h->mode >> 16 || h->mode & 06000 ||
	    h->seals >> 16)
		return damaged(r, "memory of huge pages has an impossible value or no tag");
	if (h->size > LLONG_MAX || h->size & ((1ULL << h->page_shift) - 1))
		return damaged(r, "memory of huge pages has an impossible size");
	if (rec->length - rec->unit != h->name_len || h->name_len >= CKPT_PATH_MAX ||
	    memchr(ckpt_rec_tail(rec), 0, h->name_len))
		return damaged(r, "memory of huge pages has an impossible name");
	return 0;
}

/**
 * ckpt_check_huge_regions - check which huge pages are there or reserved
 * @r: reader
 * @rec: HUGE_REGIONS record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_huge_regions(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_huge_region *h = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	u64 last = 0;

	for (; count; count--, h++) {
		if (h->start < last || h->end <= h->start || h->end > LLONG_MAX >> CKPT_PAGE_SHIFT)
			return damaged(r, "huge pages have an impossible place");
		last = h->end;
	}
	return 0;
}

/**
 * ckpt_check_aio - check a context of asynchronous I/O
 * @r: reader
 * @rec: AIO record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_aio(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_aio *a = ckpt_rec_data(rec);
	u64 size = (u64)a->nr_pages << CKPT_PAGE_SHIFT;

	if (!is_range(a->addr, a->addr + size, PAGE_SIZE) || size > CKPT_MAX_AIO_RING ||
	    a->ring_len > size || rec->length - rec->unit != a->ring_len)
		return damaged(r, "a ring of asynchronous I/O has an impossible address or size");
	/* An event takes 32 bytes. */
	if (!a->max_reqs || a->id > INT_MAX || a->tail >= size / 32 || a->completed >= size / 32)
		return damaged(r, "a context of asynchronous I/O has an impossible value");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checksums of page data. Another processor, if one is idle, takes them while
 * the caller moves the same or the next pages; who comes first takes a chunk,
 * so that nobody waits for a worker that has not begun.
 */
#include <linux/mm.h>
#include <linux/workqueue.h>
#include <linux/xxhash.h>

#include "../internal.h"

/* The sums of so many chunks are not worth waking another processor. */
#define ALONE	1

static u64 sum_of(const struct bio_vec *bv, const struct bio_vec *end)
{
	struct xxh64_state state;

	xxh64_reset(&state, 0);
	for (; bv < end; bv++)
		xxh64_update(&state, page_address(bv->bv_page), bv->bv_len);
	return xxh64_digest(&state);
}

static void take_chunks(struct ckpt_sums *s)
{
	u32 i;

	while ((i = atomic_fetch_inc(&s->next)) < s->nr) {
		s->sums[i] = sum_of(s->bv + s->first[i], s->bv + s->first[i + 1]);
		cond_resched();
	}
}

static void sums_work(struct work_struct *work)
{
	take_chunks(container_of(work, struct ckpt_sums, work));
}

/**
 * ckpt_sums_init - prepare for the first use
 * @s: on the heap
 */
void ckpt_sums_init(struct ckpt_sums *s)
{
	INIT_WORK(&s->work, sums_work);
	atomic_set(&s->next, 0);
	s->nr = 0;
}

/**
 * ckpt_sums_start - begin with the checksums of pages
 * @s: @s->bv and @s->first are set
 * @nr: chunks
 *
 * Context: ckpt_sums_finish() or ckpt_sums_stop() must follow, and until then
 * @s and the pages must not go away.
 */
void ckpt_sums_start(struct ckpt_sums *s, u32 nr)
{
	s->nr = nr;
	atomic_set(&s->next, 0);
	if (nr > ALONE)
		queue_work(system_unbound_wq, &s->work);
}

/**
 * ckpt_sums_stop - end the work on checksums, whether or not it is done
 * @s: started, or only initialized
 *
 * Context: may sleep; waits for one chunk at most.
 */
void ckpt_sums_stop(struct ckpt_sums *s)
{
	atomic_set(&s->next, s->nr);
	if (s->nr > ALONE)
		cancel_work_sync(&s->work);
	s->nr = 0;
}

/**
 * ckpt_sums_finish - have all checksums
 * @s: started; gets @s->sums
 *
 * Context: may sleep; takes what is left.
 */
void ckpt_sums_finish(struct ckpt_sums *s)
{
	take_chunks(s);
	ckpt_sums_stop(s);
}

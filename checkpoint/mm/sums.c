// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checksums of page data. Another processor, if one is idle, takes them while
 * the caller moves the same or the next pages; who comes first takes a chunk,
 * so that nobody waits for a worker that has not begun.
 */
#include <linux/mm.h>
#include <linux/sched.h>
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

/* Takes the next chunk; false: there is none now. */
static bool take_chunk(struct ckpt_sums *s)
{
	u32 i = atomic_read(&s->next);

	do {
		/* Pairs with the release in ckpt_sums_add(): its data is seen. */
		if (i >= smp_load_acquire(&s->nr))
			return false;
	} while (!atomic_try_cmpxchg(&s->next, &i, i + 1));
	s->sums[i] = sum_of(s->bv[i], s->bv[i] + s->nr_bv[i]);
	/* Pairs with the acquire in ckpt_sums_await(): its data is not used any more. */
	smp_store_release(&s->done[i], true);
	cond_resched();
	return true;
}

static void sums_work(struct work_struct *work)
{
	while (take_chunk(container_of(work, struct ckpt_sums, work)))
		;
}

/**
 * ckpt_sums_init - prepare for the first use
 * @s: on the heap
 */
void ckpt_sums_init(struct ckpt_sums *s)
{
	INIT_WORK(&s->work, sums_work);
	s->asked = false;
	ckpt_sums_start(s);
}

/**
 * ckpt_sums_start - begin with the checksums of other chunks
 * @s: initialized, finished or stopped
 */
void ckpt_sums_start(struct ckpt_sums *s)
{
	s->nr = 0;
	atomic_set(&s->next, 0);
	memset(s->done, 0, sizeof(s->done));
}

/*
 * An idle processor that the caller may use. Work begins among those that share a
 * cache with the one it is queued on. In virtual machines that may be one alone, and
 * the caller's own: both would run there until the load is balanced, which takes ten
 * milliseconds.
 */
static int idle_processor(void)
{
	int cpu;

	for_each_cpu_wrap(cpu, current->cpus_ptr, raw_smp_processor_id())
		if (cpu_online(cpu) && available_idle_cpu(cpu))
			return cpu;
	return WORK_CPU_UNBOUND;
}

/**
 * ckpt_sums_add - let the checksums of some more chunks be taken
 * @s: started; @s->bv and @s->nr_bv of the chunks are set
 * @nr: chunks in all
 *
 * Context: ckpt_sums_finish() or ckpt_sums_stop() must follow, and until then, or
 * ckpt_sums_await(), @s and the pages must not go away.
 */
void ckpt_sums_add(struct ckpt_sums *s, u32 nr)
{
	/* Pairs with the acquire in take_chunk(). */
	smp_store_release(&s->nr, nr);
	if (nr - atomic_read(&s->next) > ALONE) {
		s->asked = true;
		/* Always the same queue, or it could run twice. */
		queue_work_on(idle_processor(), system_unbound_wq, &s->work);
	}
}

/**
 * ckpt_sums_await - have the checksum of a chunk
 * @s: started
 * @i: the chunk, which was added
 *
 * Context: may sleep; takes others itself rather than wait.
 */
void ckpt_sums_await(struct ckpt_sums *s, u32 i)
{
	/* Pairs with the release in take_chunk(). */
	while (!smp_load_acquire(&s->done[i]))
		if (!take_chunk(s))
			flush_work(&s->work);
}

/**
 * ckpt_sums_stop - end the work on checksums, whether or not it is done
 * @s: initialized
 *
 * Context: may sleep; waits for one chunk at most.
 */
void ckpt_sums_stop(struct ckpt_sums *s)
{
	WRITE_ONCE(s->nr, 0);
	if (s->asked)
		cancel_work_sync(&s->work);
	s->asked = false;
}

/**
 * ckpt_sums_finish - have all checksums
 * @s: started; gets @s->sums
 *
 * Context: may sleep; takes what is left.
 */
void ckpt_sums_finish(struct ckpt_sums *s)
{
	while (take_chunk(s))
		;
	ckpt_sums_stop(s);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allocator of the shim: malloc() behind a counter.
 */
#include <malloc.h>
#include <stdlib.h>
#include <linux/slab.h>
#include <linux/string.h>

struct shim_memory shim_memory;

void *kvmalloc(size_t size, gfp_t flags)
{
	struct shim_memory *m = &shim_memory;
	void *p;

	(void)flags;
	if (size > 2 * m->input + SHIM_FREE_BYTES ||
	    m->live + size > 3 * m->input + SHIM_FREE_BYTES)
		m->over = true;
	if (++m->nr == m->fail_nth || m->over)
		return NULL;
	p = malloc(size);
	if (!p)
		abort();
	/* Who reads what was never written shall not find zeroes. */
	memset(p, 0xa5, size);
	m->nr_live++;
	m->live += malloc_usable_size(p);
	return p;
}

void *kvzalloc(size_t size, gfp_t flags)
{
	void *p = kvmalloc(size, flags);

	return p ? memset(p, 0, size) : NULL;
}

void kvfree(const void *p)
{
	if (!p)
		return;
	shim_memory.nr_live--;
	shim_memory.live -= malloc_usable_size((void *)p);
	free((void *)p);
}

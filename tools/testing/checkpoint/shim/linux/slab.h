/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An allocator that can be made to fail, and that knows how much its user had
 * a right to ask for.
 */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <linux/types.h>

#define GFP_KERNEL		0U
#define GFP_KERNEL_ACCOUNT	0U
#define __GFP_NOWARN		0U

/* What may be asked for before anything has been read. */
#define SHIM_FREE_BYTES		(64 * 1024 + 64)

/**
 * struct shim_memory - what has been allocated, and what may be
 * @nr: allocations so far
 * @fail_nth: this one fails, counted from 1; 0: none
 * @nr_live: allocations not yet freed
 * @live: bytes not yet freed
 * @input: bytes that were read; one allocation may have twice that and
 *	SHIM_FREE_BYTES, all together three times that
 * @over: an allocation was larger than it may be
 */
struct shim_memory {
	unsigned long nr;
	unsigned long fail_nth;
	unsigned long nr_live;
	size_t live;
	size_t input;
	bool over;
};

extern struct shim_memory shim_memory;

void *kvmalloc(size_t size, gfp_t flags);
void *kvzalloc(size_t size, gfp_t flags);
void kvfree(const void *p);

#endif

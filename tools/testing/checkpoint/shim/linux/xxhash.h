/* SPDX-License-Identifier: GPL-2.0-only */
/* The library is by the author of the algorithm: an independent opinion. */
#ifndef _SHIM_LINUX_XXHASH_H
#define _SHIM_LINUX_XXHASH_H

#include <xxhash.h>
#include <linux/types.h>

static inline u64 xxh64(const void *buf, size_t len, u64 seed)
{
	return XXH64(buf, len, seed);
}

#endif

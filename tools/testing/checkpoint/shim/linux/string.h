/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_STRING_H
#define _SHIM_LINUX_STRING_H

#include <string.h>
#include <linux/types.h>

static inline void *memchr_inv(const void *start, int c, size_t len)
{
	const u8 *p = start;

	/* All alike? Then one comparison of the bytes with their neighbours says so. */
	if (len && *p == (u8)c && !memcmp(p, p + 1, len - 1))
		return NULL;
	for (; len; len--, p++)
		if (*p != (u8)c)
			return (void *)p;
	return NULL;
}

#endif

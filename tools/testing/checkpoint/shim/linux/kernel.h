/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_KERNEL_H
#define _SHIM_LINUX_KERNEL_H

#include <limits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

#define U64_MAX		((u64)~0ULL)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define min_t(type, a, b) ({ \
	type _a = (a); \
	type _b = (b); \
	_a < _b ? _a : _b; })

/* As the kernel's, it refuses to compare different types. */
#define min(a, b) ({ \
	static_assert(__builtin_types_compatible_p(typeof(a), typeof(b)), \
		      "min() of different types"); \
	min_t(typeof(a), a, b); })

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif

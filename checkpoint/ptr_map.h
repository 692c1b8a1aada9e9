/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of objects, by their address: see ptr_map.c. */
#ifndef _CHECKPOINT_PTR_MAP_H
#define _CHECKPOINT_PTR_MAP_H

#include <linux/types.h>

struct ckpt_ptr_slot {
	const void *ptr;
	unsigned long value;
};

/**
 * struct ckpt_ptr_map - a table of values by address; all zero: empty
 * @slots: the table
 * @bits: logarithm of its size
 * @nr: slots in use
 */
struct ckpt_ptr_map {
	struct ckpt_ptr_slot *slots;
	u32 bits;
	u32 nr;
};

unsigned long ckpt_ptr_get(const struct ckpt_ptr_map *map, const void *ptr);
int ckpt_ptr_set(struct ckpt_ptr_map *map, const void *ptr, unsigned long value);
void ckpt_ptr_free(struct ckpt_ptr_map *map, void (*put)(unsigned long value));

#endif /* _CHECKPOINT_PTR_MAP_H */

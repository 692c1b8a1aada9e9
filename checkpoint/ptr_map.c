// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values by the address of an object: tags, counts of references. A save asks for
 * each open file many times; an xarray has nine levels for an address, and a node
 * of memory for nearly every object. Open addressing, doubled when it fills.
 */
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/slab.h>

#include "ptr_map.h"

#define FIRST_BITS	8

/* The slot of an address, or the free one that it would get. */
static struct ckpt_ptr_slot *find(const struct ckpt_ptr_map *map, const void *ptr)
{
	u32 mask = (1U << map->bits) - 1;
	u32 i = hash_ptr(ptr, map->bits);

	while (map->slots[i].ptr && map->slots[i].ptr != ptr)
		i = (i + 1) & mask;
	return map->slots + i;
}

static int grow(struct ckpt_ptr_map *map)
{
	struct ckpt_ptr_map bigger = { .bits = map->slots ? map->bits + 1 : FIRST_BITS };
	size_t i;

	bigger.slots = kvcalloc(1UL << bigger.bits, sizeof(*bigger.slots), GFP_KERNEL_ACCOUNT);
	if (!bigger.slots)
		return -ENOMEM;
	for (i = 0; map->slots && i < 1UL << map->bits; i++)
		if (map->slots[i].ptr)
			*find(&bigger, map->slots[i].ptr) = map->slots[i];
	bigger.nr = map->nr;
	kvfree(map->slots);
	*map = bigger;
	return 0;
}

/**
 * ckpt_ptr_get - value of an object
 * @map: the table
 * @ptr: address of the object, which may be gone
 *
 * Return: the value, 0: it has none.
 */
unsigned long ckpt_ptr_get(const struct ckpt_ptr_map *map, const void *ptr)
{
	return map->slots ? find(map, ptr)->value : 0;
}

/**
 * ckpt_ptr_set - give an object a value, in place of one that it has
 * @map: the table
 * @ptr: address of the object, not NULL
 * @value: the value
 *
 * Context: may sleep. One task at a time uses a table.
 * Return: 0 or -ENOMEM.
 */
int ckpt_ptr_set(struct ckpt_ptr_map *map, const void *ptr, unsigned long value)
{
	struct ckpt_ptr_slot *slot;
	int ret;

	/* At most three quarters are in use. */
	if (!map->slots || map->nr >= (3U << map->bits) / 4) {
		ret = grow(map);
		if (ret)
			return ret;
	}
	slot = find(map, ptr);
	map->nr += !slot->ptr;
	*slot = (struct ckpt_ptr_slot){ .ptr = ptr, .value = value };
	return 0;
}

/**
 * ckpt_ptr_free - forget all
 * @map: the table, empty afterwards
 * @put: called with each value, or NULL
 */
void ckpt_ptr_free(struct ckpt_ptr_map *map, void (*put)(unsigned long value))
{
	size_t i;

	for (i = 0; put && map->slots && i < 1UL << map->bits; i++)
		if (map->slots[i].ptr)
			put(map->slots[i].value);
	kvfree(map->slots);
	*map = (struct ckpt_ptr_map){};
}

// SPDX-License-Identifier: GPL-2.0-only
/* Objects of an image by their tags. */
#include <stdlib.h>

#include "image.h"

static struct tag *find_slot(struct tag *slots, size_t nr_slots, uint32_t tag)
{
	size_t i = (tag * 2654435769U) & (nr_slots - 1);

	while (slots[i].tag && slots[i].tag != tag)
		i = (i + 1) & (nr_slots - 1);
	return &slots[i];
}

static bool grow(struct tags *tags)
{
	size_t nr_slots = tags->nr_slots ? tags->nr_slots * 2 : 64;
	struct tag *slots = calloc(nr_slots, sizeof(*slots));
	size_t i;

	if (!slots)
		return false;
	for (i = 0; i < tags->nr_slots; i++)
		if (tags->slots[i].tag)
			*find_slot(slots, nr_slots, tags->slots[i].tag) = tags->slots[i];
	free(tags->slots);
	tags->slots = slots;
	tags->nr_slots = nr_slots;
	return true;
}

/* False: the tag is taken already, or there is no memory. */
bool tags_add(struct tags *tags, uint32_t tag, uint32_t type)
{
	struct tag *slot;

	if (tags->nr_used * 2 >= tags->nr_slots && !grow(tags))
		return false;
	slot = find_slot(tags->slots, tags->nr_slots, tag);
	if (slot->tag)
		return false;
	*slot = (struct tag){ .tag = tag, .type = type };
	tags->nr_used++;
	return true;
}

/* The type of the record that has this tag, 0: none. */
uint32_t tags_find(const struct tags *tags, uint32_t tag)
{
	if (!tag || !tags->nr_slots)
		return 0;
	return find_slot(tags->slots, tags->nr_slots, tag)->type;
}

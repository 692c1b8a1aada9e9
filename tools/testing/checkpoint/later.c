// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of a later kernel, whose structs have grown. All structs still
 * have the size of version 1, so that only this shows what will happen.
 */
#define ckpt_rec_name		later_rec_name
#define ckpt_rec_sum		later_rec_sum
#define ckpt_free_record	later_free_record
#define ckpt_read_record	later_read_record
#define ckpt_read_padding	later_read_padding

#include "../../../checkpoint/image_read.c"

int later_resize(struct ckpt_reader *r, struct ckpt_rec **recp, u32 size, bool array);

int later_resize(struct ckpt_reader *r, struct ckpt_rec **recp, u32 size, bool array)
{
	const struct rec_desc desc = {
		.name = "LATER",
		.layout = array ? LAYOUT_ARRAY : LAYOUT_TAIL,
		.size = size,
		.min_size = 1,
	};

	return resize_units(r, recp, &desc);
}

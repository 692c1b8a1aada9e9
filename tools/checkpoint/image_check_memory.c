// SPDX-License-Identifier: GPL-2.0-only
/* Records of shared memory and of what it is made of. */
#include <errno.h>

#include "image.h"

static int bad(struct image *img, const char *why)
{
	return image_fail(img, EBADMSG, "%s: %s", record_name(img->rec->type), why);
}

int image_check_shmem(struct image *img)
{
	const struct ckpt_rec_shmem *shmem = rec_data(img);

	if (rec_tail_length(img) != shmem->name_len || shmem->name_len >= CKPT_PATH_MAX)
		return bad(img, "impossible name");
	return shmem->flags & ~CKPT_SHMEM_ALL ? bad(img, "unknown flags") : 0;
}

int image_check_shmem_data(struct image *img)
{
	const struct ckpt_rec_shmem_data *data = rec_data(img);

	uint32_t type = tags_find(&img->order.tags, data->shmem);

	if (type != CKPT_REC_SHMEM && type != CKPT_REC_SYSV_SHM && type != CKPT_REC_UNLINKED)
		return bad(img, "the shared memory or file was not named before");
	return rec_tail_length(img) == data->len ? 0 : bad(img, "wrong length");
}

int image_check_memory(struct image *img)
{
	const struct ckpt_rec_memory *memory = rec_data(img);
	uint32_t type = tags_find(&img->order.tags, memory->memory);

	return type == CKPT_REC_SHMEM || type == CKPT_REC_SYSV_SHM || type == CKPT_REC_HUGETLB ?
	       0 : bad(img, "the memory was not named before");
}

int image_check_hugetlb(struct image *img)
{
	const struct ckpt_rec_hugetlb *huge = rec_data(img);

	if (rec_tail_length(img) != huge->name_len || huge->name_len >= CKPT_PATH_MAX)
		return bad(img, "impossible name");
	return huge->page_shift <= CKPT_PAGE_SHIFT || huge->page_shift > 47 ||
	       huge->size & ((1ULL << huge->page_shift) - 1) ? bad(img, "impossible size") : 0;
}

int image_check_huge_regions(struct image *img)
{
	const struct ckpt_rec_huge_region *region = rec_data(img);
	uint64_t count = rec_count(img), last = 0;

	for (; count; count--, region++) {
		if (region->start < last || region->end <= region->start)
			return bad(img, "impossible place");
		last = region->end;
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: any bytes are read as an image. Beside what the sanitizers
 * see, it must not happen that
 *
 * - the reader allocates more than what it has read gives it a right to,
 * - memory is left behind, also when there is no more of it,
 * - an image is refused without a reason or for one that is not documented,
 * - an image is accepted that is not, byte by byte, what its content makes.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdio.h>
#include <stdlib.h>

#include "pieces.h"
#include "walk.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void require(bool cond, const char *text)
{
	if (cond)
		return;
	fprintf(stderr, "fuzz: not so: %s\n", text);
	abort();
}

#define REQUIRE(cond) require((cond), #cond)

static bool is_refusal(int ret)
{
	return ret == -EBADMSG || ret == -ENOEXEC || ret == -E2BIG;
}

/* There is only one way to write what has been accepted. */
static void check_accepted(const u8 *data, size_t size)
{
	struct image image;
	struct blob blob;

	image_split(&image, data, size);
	image_join(&image, &blob);
	REQUIRE(blob.len == size);
	REQUIRE(!memcmp(blob.data, data, size));
	free(blob.data);
	image_clear(&image);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct walk walk;
	int ret;

	memset(&shim_memory, 0, sizeof(shim_memory));
	walk_start(&walk, data, size);
	ret = walk_image(&walk);
	REQUIRE(!shim_memory.nr_live);
	REQUIRE(!shim_memory.over);
	REQUIRE(walk.reader.offset == walk.source.pos);
	REQUIRE(!ret || is_refusal(ret));
	REQUIRE(!ret || walk.reader.why);
	if (!ret)
		check_accepted(data, walk.reader.offset);

	/* Once more, and somewhere there is no memory. */
	if (!shim_memory.nr)
		return 0;
	shim_memory.fail_nth = 1 + size % shim_memory.nr;
	shim_memory.nr = 0;
	walk_start(&walk, data, size);
	REQUIRE(walk_image(&walk) == -ENOMEM);
	REQUIRE(!shim_memory.nr_live);
	return 0;
}

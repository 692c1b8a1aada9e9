// SPDX-License-Identifier: GPL-2.0-only
/*
 * seeds DIR: writes some valid images for the fuzzer to start from.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pieces.h"

static const struct recipe recipes[] = {
	{ .processes = 1, .threads = 1, .vmas = 0, .regset = 8 },
	{ .processes = 1, .threads = 1, .pages = 1, .extent_pages = 1, .record_extents = 1,
	  .vmas = 1, .files = 1, .pipes = 1, .groups = 1, .signals = 1, .regset = 27 * 8 },
	{ .processes = 1, .threads = 3, .pages = 3, .extent_pages = 1, .record_extents = 2,
	  .vmas = 3, .files = 3, .groups = 3, .signals = 2, .regset = 512 },
	{ .processes = 3, .threads = 2, .pages = 1, .extent_pages = 1, .record_extents = 1,
	  .vmas = 2, .files = 2, .pipes = 2, .signals = 1, .regset = 13 },
};

static void fail(const char *name)
{
	perror(name);
	exit(1);
}

static void write_seed(const char *dir, unsigned int n)
{
	struct image image;
	struct blob blob;
	char name[4096];
	FILE *file;

	image_build(&image, &recipes[n]);
	image_join(&image, &blob);
	snprintf(name, sizeof(name), "%s/seed-%u", dir, n);
	file = fopen(name, "wb");
	if (!file || fwrite(blob.data, blob.len, 1, file) != 1 || fclose(file))
		fail(name);
	free(blob.data);
	image_clear(&image);
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIR\n");
		return 2;
	}
	for (i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++)
		write_seed(argv[1], i);
	return 0;
}

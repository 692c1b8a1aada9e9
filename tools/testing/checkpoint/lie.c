// SPDX-License-Identifier: GPL-2.0-only
/*
 * lie IMAGE SEED OUT: writes a copy of an image in which a few things are not
 * true. All sums are right, and every single record is possible, as far as the
 * reader can tell: what is wrong is for those to find out who build a process
 * from it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pieces.h"
#include "walk.h"

#define TRIES		40

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);

static u64 state;

/* Some bytes become others. */
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size)
{
	size_t i, n = 1 + state % 8;

	(void)max_size;
	for (i = 0; size && i < n; i++) {
		state = state * 0x5851f42d4c957f2dULL + 0x14057b7ef767814fULL;
		data[(state >> 33) % size] = state >> 25;
	}
	return size;
}

static int load(const char *path, struct blob *blob)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	blob->data = malloc(st.st_size + 1);
	for (blob->len = 0; blob->data && blob->len < (size_t)st.st_size; blob->len += n) {
		n = read(fd, blob->data + blob->len, st.st_size - blob->len);
		if (n <= 0)
			break;
	}
	close(fd);
	return blob->data && blob->len == (size_t)st.st_size ? 0 : -1;
}

static int store(const char *path, const struct blob *blob)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t done;
	ssize_t n = 0;

	for (done = 0; fd >= 0 && done < blob->len; done += n) {
		n = write(fd, blob->data + done, blob->len - done);
		if (n <= 0)
			break;
	}
	return fd < 0 || close(fd) || done < blob->len ? -1 : 0;
}

/* The last try is taken as it is. */
static void lie(const struct image *truth, u64 seed, struct blob *blob)
{
	struct image image;
	int i;

	blob->data = NULL;
	for (i = 0; i < TRIES; i++) {
		free(blob->data);
		state = seed * TRIES + i;
		image_copy(&image, truth);
		image_mutate(&image, seed * TRIES + i);
		image_join(&image, blob);
		image_clear(&image);
		if (!walk_bytes(blob->data, blob->len))
			return;
	}
}

int main(int argc, char **argv)
{
	struct image image;
	struct blob blob;

	if (argc != 4) {
		fprintf(stderr, "usage: lie IMAGE SEED OUT\n");
		return 2;
	}
	if (load(argv[1], &blob)) {
		fprintf(stderr, "lie: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	image_split(&image, blob.data, blob.len);
	free(blob.data);
	if (image_unpack(&image)) {
		fprintf(stderr, "lie: %s: not an image\n", argv[1]);
		return 1;
	}
	image_fix(&image);
	image_join(&image, &blob);
	if (walk_bytes(blob.data, blob.len)) {
		fprintf(stderr, "lie: %s: not a true image\n", argv[1]);
		return 1;
	}
	free(blob.data);
	lie(&image, strtoull(argv[2], NULL, 0), &blob);
	image_clear(&image);
	if (store(argv[3], &blob)) {
		fprintf(stderr, "lie: %s: %s\n", argv[3], strerror(errno));
		return 1;
	}
	free(blob.data);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the unit tests; results are TAP.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static bool failed;
static unsigned int nr_tests, nr_failed;

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

bool expect(bool cond, const char *file, int line, const char *text)
{
	if (!cond) {
		note("%s:%d: expected: %s", file, line, text);
		failed = true;
	}
	return cond;
}

bool expect_eq(long long have, long long want, const char *file, int line,
	       const char *text)
{
	if (have != want) {
		note("%s:%d: %s is %lld, expected %lld", file, line, text, have, want);
		failed = true;
	}
	return have == want;
}

/* No test may leave memory behind, or have asked for more than is fair. */
void run_test(const char *name, void (*test)(const void *arg), const void *arg)
{
	memset(&shim_memory, 0, sizeof(shim_memory));
	failed = false;
	test(arg);
	EXPECT_EQ(shim_memory.nr_live, 0);
	EXPECT(!shim_memory.over);
	printf("%s %u - image: %s\n", failed ? "not ok" : "ok", ++nr_tests, name);
	nr_failed += failed;
}

int walk_pieces(const struct image *image)
{
	struct blob blob;
	int ret;

	image_join(image, &blob);
	ret = walk_bytes(blob.data, blob.len);
	free(blob.data);
	return ret;
}

/* An image that is refused must be refused with a reason for people. */
bool expect_refused(const struct image *image, int error)
{
	struct walk walk;
	struct blob blob;
	bool ok;

	image_join(image, &blob);
	walk_start(&walk, blob.data, blob.len);
	ok = EXPECT_EQ(walk_image(&walk), error) && EXPECT(walk.reader.why);
	free(blob.data);
	return ok;
}

int main(void)
{
	/* Lines must not be lost in a crash. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	read_tests();
	damage_tests();
	hostile_tests();
	grow_tests();
	pack_tests();
	check_tests();
	printf("1..%u\n", nr_tests);
	return nr_failed != 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* ckpt verify: is an image whole? */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "ckpt.h"
#include "image.h"

const char verify_help[] =
"usage: ckpt verify FILE\n"
"Read all of an image and check it: sums, the order of records, totals. FILE\n"
"may be '-' for standard input.\n"
"\n"
"  -q, --quiet           say nothing of a good image\n"
"  -h, --help            this text\n";

static int verify(const char *path, bool quiet)
{
	struct image *img = image_open(path, true);
	char size[SIZE_TEXT];
	int ret, status = STATUS_OK;

	if (!img)
		return status_of(errno);
	while ((ret = image_next(img)) > 0)
		;
	if (ret < 0)
		status = image_report(img, -ret);
	else if (!quiet)
		printf("%s: good: %llu records, %llu pages, %s\n", img->name,
		       (unsigned long long)img->nr_records, (unsigned long long)img->nr_pages,
		       size_text(size, img->offset));
	image_close(img);
	return status;
}

int cmd_verify(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool quiet = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
		if (opt == 'h')
			return print_help(verify_help);
		if (opt != 'q') {
			fprintf(stderr, "Try 'ckpt verify --help'.\n");
			return STATUS_USAGE;
		}
		quiet = true;
	}
	if (optind + 1 != argc)
		return usage_error("verify: one image, please");
	return verify(argv[optind], quiet);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * saves-itself IMAGE STEPS: a long computation that saves itself now and then.
 * Images go to IMAGE.0 and IMAGE.1 in turn, so that one is always whole. After
 * whatever has happened, `ckpt restart` of the newer one, or of the other if
 * that was just being written, goes on with the computation.
 */
#include <checkpoint.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_BETWEEN	1

static void save(const char *prefix)
{
	static unsigned int turn;
	char path[4096];
	long ret;
	int fd;

	snprintf(path, sizeof(path), "%s.%u", prefix, turn++ % 2);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		err(1, "%s", path);
	/* It returns once now, and once more in each restarted copy. */
	ret = checkpoint(0, fd, 0);
	if (ret < 0)
		warn("%s", path);
	else if (ret > 0)
		printf("saved to %s\n", path);
	else
		printf("restarted from %s\n", path);
	fflush(stdout);
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned long steps, i, x = 1;
	time_t last = time(NULL);

	if (argc != 3)
		errx(2, "usage: saves-itself IMAGE STEPS");
	steps = strtoul(argv[2], NULL, 0);
	for (i = 0; i < steps; i++) {
		x = x * 6364136223846793005 + 1442695040888963407;
		if (i % 1000000 || time(NULL) - last < SECONDS_BETWEEN)
			continue;
		printf("%lu steps\n", i);
		save(argv[1]);
		last = time(NULL);
	}
	printf("the result is %016lx\n", x);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a server that its forked workers have, too, and write little of: what
 * all of them share should be in the image once, and in memory once afterwards.
 */
#include <err.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "pattern.h"
#include "things.h"

#define WORKERS		50
#define OWN_PAGES	16	/* that each has written */
#define PAGE		4096UL
#define PAGE_WORDS	(PAGE / sizeof(uint64_t))
#define STEP		61	/* pages, from one that is looked at to the next */

static uint64_t *memory;
static unsigned long nr_pages;
static int asked[2], answered[2];

/* The pages of the workers are spread over the first half, and lie apart. */
static unsigned long own_page(int worker, int i)
{
	return (worker + i * WORKERS) * (nr_pages / 2) / (WORKERS * OWN_PAGES);
}

static void write_own(int worker)
{
	for (int i = 0; i < OWN_PAGES; i++)
		pattern_fill(memory + own_page(worker, i) * PAGE_WORDS, PAGE, worker);
}

static unsigned long wrong_page(unsigned long page, uint64_t seed)
{
	return pattern_check(memory + page * PAGE_WORDS, PAGE, seed);
}

/* All that a worker has of its own, and some of what it shares. */
static unsigned long count_wrong(int worker)
{
	unsigned long wrong = 0, page;

	for (int i = 0; worker >= 0 && i < OWN_PAGES; i++)
		wrong += wrong_page(own_page(worker, i), worker);
	for (page = nr_pages / 2; page < nr_pages; page += STEP)
		wrong += wrong_page(page, page + WORKERS);
	return wrong;
}

static void work(int worker)
{
	unsigned long wrong;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	write_own(worker);
	for (;;) {
		wrong = count_wrong(worker);
		if (write(answered[1], &wrong, sizeof(wrong)) != sizeof(wrong) ||
		    read(asked[0], &c, 1) != 1)
			_exit(1);
	}
}

static unsigned long sum_answers(void)
{
	unsigned long wrong, sum = 0;

	for (int i = 0; i < WORKERS; i++) {
		if (read(answered[0], &wrong, sizeof(wrong)) != sizeof(wrong))
			return sum + 1;
		sum += wrong;
	}
	return sum;
}

/* So many MiB. */
void make_forked(unsigned long nr)
{
	nr_pages = nr * 256;
	memory = pattern_map(nr_pages * PAGE, BACKING_PRIVATE);
	if (!memory || pipe(asked) || pipe(answered))
		err(1, "%lu MiB for workers", nr);
	for (unsigned long page = 0; page < nr_pages; page++)
		pattern_fill(memory + page * PAGE_WORDS, PAGE, page + WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "worker %d", i);
		if (!pid)
			work(i);
	}
	if (sum_answers())
		errx(1, "workers start wrong");
}

unsigned long wrong_forked(unsigned long nr)
{
	(void)nr;
	for (int i = 0; i < WORKERS; i++)
		if (write(asked[1], "?", 1) != 1)
			return 1;
	return count_wrong(-1) + sum_answers();
}

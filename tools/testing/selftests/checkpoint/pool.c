// SPDX-License-Identifier: GPL-2.0-only
/* The system's pool of huge pages, and its daemon that makes others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

long pool_file(const char *path)
{
	char buf[32];

	return read_file(path, buf, sizeof(buf)) > 0 ? atol(buf) : -1;
}

/* Those of a process that was killed are free when its end is. */
bool pool_becomes(const char *path, long nr)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	while (pool_file(path) != nr) {
		if (now_ns() > deadline)
			return false;
		poll_pause();
	}
	return true;
}

bool set_pool(const char *nr)
{
	pool_becomes(POOL "free_hugepages", pool_file(POOL "nr_hugepages"));
	write_file(POOL "nr_hugepages", nr, strlen(nr));
	return pool_file(POOL "nr_hugepages") == atol(nr) &&
	       pool_file(POOL "free_hugepages") == atol(nr);
}

bool pool_is_unused(void)
{
	return pool_becomes(POOL "resv_hugepages", 0) &&
	       pool_becomes(POOL "free_hugepages", pool_file(POOL "nr_hugepages"));
}

void leave_small_pages(void)
{
	write_file("/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none", "0", 1);
}

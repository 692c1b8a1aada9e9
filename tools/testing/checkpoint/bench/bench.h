/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "pattern.h"

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* What the machine needs at least, in nanoseconds. */
struct limits {
	uint64_t write_ns;	/* write(2) of the memory into a new file */
	uint64_t read_ns;	/* read(2) of the file into fresh memory */
	uint64_t fork_ns;	/* fork(2) of the process */
};

int measure_limits(const char *path, size_t size, enum backing backing, struct limits *limits);
void touch_free_memory(void);

/* Bytes of memory that saving a process takes, at its peak; -1: it failed, see errno. */
int64_t measure_extra(pid_t pid);

#endif /* BENCH_BENCH_H */

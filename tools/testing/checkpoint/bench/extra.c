// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory a save takes for itself: the most by which the free memory of
 * the whole machine is below what it was before the call, while the image goes
 * to /dev/null, which keeps nothing. A thread looks at it again and again; the
 * kernel's own figure may be wrong by some hundred pages for each processor.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <linux/checkpoint.h>

#include "bench.h"

#ifndef __NR_checkpoint
#define __NR_checkpoint	600
#endif

static atomic_bool started, ended;
static int64_t least;

static int64_t free_memory(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return (int64_t)info.freeram * info.mem_unit;
}

static void *watch(void *arg)
{
	int64_t now;

	(void)arg;
	while (!ended) {
		now = free_memory();
		if (now < least)
			least = now;
		started = true;
	}
	return NULL;
}

int64_t measure_extra(pid_t pid)
{
	struct checkpoint_args args = { .log_fd = -1 };
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), error;
	int64_t before;
	pthread_t thread;
	long ret;

	started = false;
	ended = false;
	least = INT64_MAX;
	if (fd < 0 || pthread_create(&thread, NULL, watch, NULL))
		return -1;
	while (!started)
		sched_yield();
	before = free_memory();
	least = before;
	ret = syscall(__NR_checkpoint, pid, fd, CHECKPOINT_ARGS, &args, sizeof(args));
	error = errno;
	ended = true;
	pthread_join(thread, NULL);
	close(fd);
	errno = error;
	return ret < 0 ? -1 : before - least;
}

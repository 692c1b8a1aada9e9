// SPDX-License-Identifier: GPL-2.0-only
/* Small helpers that test programs and subjects share. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "common.h"

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Between two looks at a condition that cannot be waited for. */
void poll_pause(void)
{
	const struct timespec ts = { .tv_nsec = 2000000 };

	nanosleep(&ts, NULL);
}

/*
 * A computation whose every step depends on all before it, on integers and on
 * floating point, so that a lost register or rounding mode shows in the end.
 * Can be done in parts that are multiples of 100 rounds.
 */
uint64_t chain(uint64_t state, uint64_t rounds)
{
	uint64_t bits, i;
	double d = 0;

	for (i = 0; i < rounds; i++) {
		if (i % 100 == 0)
			d = (double)(state >> 12) + 1.0;
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		d = d / 3.0 + (double)(state >> 40);
		memcpy(&bits, &d, sizeof(bits));
		state += bits;
	}
	return state;
}

/* A sum of memory that is quick to build and sensitive to order. */
uint64_t hash_memory(const void *data, size_t size)
{
	const uint64_t *p = data;
	uint64_t hash = size;

	for (; size >= 8; size -= 8)
		hash = (hash ^ *p++) * 0x9e3779b97f4a7c15ULL + (hash >> 29);
	return hash;
}

/* Data that is different in each page, and for each seed. */
void fill_memory(void *data, size_t size, uint64_t seed)
{
	uint64_t *p = data;

	for (; size >= 8; size -= 8) {
		seed = seed * 0x5851f42d4c957f2dULL + 0x14057b7ef767814fULL;
		*p++ = seed ^ (seed >> 31);
	}
}

bool debug_kernel(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.release, "debug");
}

static int count_entries(const char *path, bool numbers)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		if (!numbers || (entry->d_name[0] >= '0' && entry->d_name[0] <= '9'))
			n++;
	closedir(dir);
	return n;
}

/* Processes; kernel threads come and go as they like and do not count. */
int count_tasks(void)
{
	char path[64], line[16];
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/maps", entry->d_name);
		if (read_file(path, line, sizeof(line)) > 0)
			n++;
	}
	closedir(dir);
	return n;
}

int count_fds(void)
{
	return count_entries("/proc/self/fd", true);
}

/* Returns the number of bytes; what was read ends in a zero. */
int read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	do {
		n = read(fd, buf + have, size - 1 - have);
		if (n > 0)
			have += n;
	} while (n > 0 && have < size - 1);
	close(fd);
	buf[have] = 0;
	return n < 0 && !have ? -1 : (int)have;
}

int write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const char *p = data;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (size && (n = write(fd, p, size)) > 0) {
		p += n;
		size -= n;
	}
	if (close(fd) || size)
		return -1;
	return 0;
}

/* A line for people, as TAP wants it. */
void say(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	fputs("# ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	errno = err;
}

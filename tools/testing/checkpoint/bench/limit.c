// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limits: what the plain system calls take that have to move as many bytes.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "pattern.h"

/* Bytes in one call: larger and smaller ones were slower. */
#define CALL_SIZE	(256UL << 10)

static size_t at_most(size_t size)
{
	return size < CALL_SIZE ? size : CALL_SIZE;
}

static uint64_t time_write(int fd, const char *p, size_t size)
{
	uint64_t start = now_ns();
	ssize_t n;

	for (; size; p += n, size -= n) {
		n = write(fd, p, at_most(size));
		if (n <= 0)
			err(1, "write");
	}
	return now_ns() - start;
}

static uint64_t time_read(int fd, char *p, size_t size)
{
	uint64_t start = now_ns();
	ssize_t n;

	for (; size; p += n, size -= n) {
		n = read(fd, p, at_most(size));
		if (n <= 0)
			err(1, "read");
	}
	return now_ns() - start;
}

static uint64_t time_fork(void)
{
	uint64_t start = now_ns(), took;
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		_exit(0);
	took = now_ns() - start;
	waitpid(pid, NULL, 0);
	return took;
}

/* In a process of its own, whose size is that of the memory. */
static void measure(const char *path, size_t size, enum backing backing,
		    struct limits *limits)
{
	uint64_t *memory = pattern_map(size, backing);
	void *fresh = pattern_map(size, backing);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (!memory || !fresh)
		err(1, "mmap");
	if (fd < 0)
		err(1, "%s", path);
	pattern_fill(memory, size, 1);
	limits->fork_ns = time_fork();
	limits->write_ns = time_write(fd, (char *)memory, size);
	if (lseek(fd, 0, SEEK_SET))
		err(1, "lseek");
	limits->read_ns = time_read(fd, fresh, size);
	if (pattern_check(fresh, size, 1))
		errx(1, "read(2) gave other bytes");
}

int measure_limits(const char *path, size_t size, enum backing backing, struct limits *limits)
{
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(pipes))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		measure(path, size, backing, limits);
		n = write(pipes[1], limits, sizeof(*limits));
		_exit(n != sizeof(*limits));
	}
	close(pipes[1]);
	n = read(pipes[0], limits, sizeof(*limits));
	close(pipes[0]);
	waitpid(pid, &status, 0);
	unlink(path);
	return status || n != sizeof(*limits) ? -1 : 0;
}

/* The first use of a virtual machine's memory is slow: the host supplies it. */
void touch_free_memory(void)
{
	struct sysinfo info;
	size_t size;
	char *p;
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid) {
		waitpid(pid, NULL, 0);
		return;
	}
	sysinfo(&info);
	size = (info.freeram * info.mem_unit / 100 * 90) & -HUGE_PAGE_SIZE;
	p = pattern_map(size, BACKING_HUGE);
	if (p)
		memset(p, 1, size);
	_exit(0);
}

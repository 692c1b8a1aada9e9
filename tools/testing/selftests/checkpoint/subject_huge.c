// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of hugetlb pages. How many pages the system has free and reserved is the
 * same afterwards: the state of a pool that nobody else uses.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "subject.h"

#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

/* Of one page, as its binary logarithm, and the pool of such. */
static int shift = 21;
#define HUGE	(1UL << shift)

struct pool {
	long free;
	long reserved;
};

static long pool_file(const char *name)
{
	char path[128], buf[32];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%lukB/%s",
		 HUGE / 1024, name);
	return read_file(path, buf, sizeof(buf)) > 0 ? atol(buf) : -1;
}

static struct pool pool_now(void)
{
	return (struct pool){ pool_file("free_hugepages"), pool_file("resv_hugepages") };
}

static void check_pool(const struct pool *before)
{
	struct pool now = pool_now();

	check_eq(before->free, now.free);
	check_eq(before->reserved, now.reserved);
}

static char *map_huge(int pages, int flags, int fd)
{
	char *p = mmap(NULL, pages * HUGE, RW, flags | (fd < 0 ? MAP_HUGETLB : 0) |
		       (fd < 0 ? shift << MAP_HUGE_SHIFT : 0), fd, 0);

	if (p == MAP_FAILED) {
		tell("SKIP no huge pages of %lu kB", HUGE / 1024);
		_exit(0);
	}
	return p;
}

/* Of a huge page some pages only, which tell them apart; the rest is zero. */
static void fill_huge(char *p, uint64_t seed)
{
	unsigned long at;

	for (at = 0; at < HUGE; at += HUGE / 16)
		*(uint64_t *)(p + at + 8) = seed + at;
}

static void check_huge(const char *p, uint64_t seed)
{
	unsigned long at;

	for (at = 0; at < HUGE; at += HUGE / 16) {
		check_eq(seed + at, *(const uint64_t *)(p + at + 8));
		check_eq(0, *(const uint64_t *)(p + at + 4096));
	}
}

/* Bytes of huge pages that a mapping has, and the size of a page, by smaps. */
static void check_smaps(const char *p, long kb)
{
	char buf[4096], *line = NULL;
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, size = 0, has = 0, n;
	bool here = false;
	size_t len = 0;

	need(f);
	while (getline(&line, &len, f) > 0) {
		if (sscanf(line, "%lx-%*x %*4c %s", &start, buf) == 2 &&
		    !strchr(line, ':') == 0 && strchr(line, '-') < strchr(line, ' '))
			here = start == (unsigned long)p;
		if (!here)
			continue;
		if (sscanf(line, "KernelPageSize: %lu", &n) == 1)
			size = n;
		if (sscanf(line, "Private_Hugetlb: %lu", &n) == 1 ||
		    sscanf(line, "Shared_Hugetlb: %lu", &n) == 1)
			has += n;
	}
	free(line);
	fclose(f);
	check_eq(HUGE / 1024, size);
	check_eq(kb, has);
}

/* huge_private: in part there, in part only reserved, in part not even that. */
static void private(int argc, char **argv)
{
	char *p = map_huge(4, ANON, -1), *q = map_huge(4, ANON | MAP_NORESERVE, -1);
	struct pool pool;
	int i;

	fill_huge(p + HUGE, 1);
	fill_huge(p + 3 * HUGE, 3);
	fill_huge(q + 2 * HUGE, 5);
	need(!mprotect(p + 3 * HUGE, HUGE, PROT_READ));
	need(!madvise(p, HUGE, MADV_DONTFORK) && !madvise(q, HUGE, MADV_DONTDUMP));
	for (i = 0; i < 3; i++) {
		pool = pool_now();
		stage();
		check_pool(&pool);
		check_smaps(p + 3 * HUGE, HUGE / 1024);
		check_huge(p + HUGE, i ? 11 : 1);
		check_huge(p + 3 * HUGE, 3);
		check_huge(q + 2 * HUGE, 5);
		fill_huge(p + HUGE, 11);
		/* This was reserved. */
		if (i == 1)
			fill_huge(p + 2 * HUGE, 2);
		if (i == 2)
			check_huge(p + 2 * HUGE, 2);
	}
}

static pid_t serve_child(volatile uint64_t *page, void (*work)(uint64_t n))
{
	pid_t pid = fork();
	uint64_t n;

	need(pid >= 0);
	if (pid)
		return pid;
	need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	for (n = 1;; n++) {
		while (page[0] != n)
			poll_pause();
		work(n);
		page[1] = n;
	}
}

static void ask(volatile uint64_t *page, uint64_t n)
{
	page[0] = n;
	while (page[1] != n)
		poll_pause();
}

static void end_child(pid_t pid)
{
	need(!kill(pid, SIGKILL));
	check_eq(pid, waitpid(pid, NULL, 0));
}

static char *common;

static void write_common(uint64_t n)
{
	fill_huge(common + HUGE, 100 * n);
}

/* Memory of two processes at @p, of which the third page is not there. */
static void share_it(char *p, bool reserved)
{
	struct pool pool;
	pid_t pid;
	int n;

	common = p;
	fill_huge(p, 7);
	pid = serve_child((void *)(p + 4096 * 2), write_common);
	for (n = 1; n <= 3; n++) {
		ask((void *)(p + 4096 * 2), n);
		pool = pool_now();
		stage();
		check_pool(&pool);
		check_huge(p, 7);
		check_huge(p + HUGE, 100 * n);
	}
	if (reserved)
		fill_huge(p + 2 * HUGE, 9);
	end_child(pid);
}

static void shared(int argc, char **argv)
{
	share_it(map_huge(3, MAP_SHARED | MAP_ANONYMOUS, -1), true);
}

/* huge_memfd: with seals and a hole; also mapped privately, with a page of its own. */
static void memfd(int argc, char **argv)
{
	int fd = memfd_create("huge", MFD_HUGETLB | MFD_ALLOW_SEALING | shift << MAP_HUGE_SHIFT);
	const int seals = F_SEAL_GROW | F_SEAL_SHRINK;
	struct pool pool;
	struct stat st;
	char *p, *q;
	int i;

	need(fd >= 0 && !ftruncate(fd, 4 * HUGE));
	p = map_huge(4, MAP_SHARED, fd);
	q = mmap(NULL, 2 * HUGE, RW, MAP_PRIVATE, fd, 2 * HUGE);
	need(q != MAP_FAILED);
	fill_huge(p, 1);
	fill_huge(p + 2 * HUGE, 2);
	fill_huge(p + 3 * HUGE, 3);
	fill_huge(q + HUGE, 4);
	need(!fcntl(fd, F_ADD_SEALS, seals));
	for (i = 0; i < 2; i++) {
		pool = pool_now();
		stage();
		check_pool(&pool);
		check_eq(0, fstat(fd, &st));
		check_eq(4 * HUGE, st.st_size);
		check_eq(HUGE, st.st_blksize);
		check_eq(seals, fcntl(fd, F_GET_SEALS));
		check_huge(p, 1);
		check_huge(p + 3 * HUGE, 3);
		check_huge(q, 2 + 10 * i);
		check_huge(q + HUGE, 4);
		/* What is not private is that of the file. */
		fill_huge(p + 2 * HUGE, 12);
		check_huge(q, 12);
	}
	check_eq(-1, ftruncate(fd, 8 * HUGE));
	fill_huge(p + HUGE, 5);
}

/* huge_sysv: a segment of huge pages, of two processes. */
static void sysv(int argc, char **argv)
{
	int id = shmget(IPC_PRIVATE, 3 * HUGE - 5, IPC_CREAT | SHM_HUGETLB | 0600 |
			shift << MAP_HUGE_SHIFT);
	struct shmid_ds ds;
	char *p;

	p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	if (p == (void *)-1) {
		tell("SKIP no segment of huge pages");
		return;
	}
	if (argc)
		need(!shmctl(id, IPC_RMID, NULL));
	share_it(p, true);
	check_eq(0, shmctl(id, IPC_STAT, &ds));
	check_eq(3 * HUGE - 5, ds.shm_segsz);
	if (!argc)
		check_eq(0, shmctl(id, IPC_RMID, NULL));
}

/* huge_file PATH [removed]: a file of a hugetlbfs, open and mapped both ways. */
static void file(int argc, char **argv)
{
	int fd = open(argv[0], O_RDWR | O_CREAT, 0600), i;
	struct pool pool;
	char *p, *q;

	need(fd >= 0);
	p = mmap(NULL, 3 * HUGE, RW, MAP_SHARED, fd, 0);
	q = mmap(NULL, 2 * HUGE, RW, MAP_PRIVATE, fd, 0);
	need(p != MAP_FAILED && q != MAP_FAILED);
	fill_huge(p, 1);
	fill_huge(p + 2 * HUGE, 3);
	fill_huge(q + HUGE, 4);
	if (argc > 1)
		need(!unlink(argv[0]));
	for (i = 0; i < 2; i++) {
		pool = pool_now();
		stage();
		check_pool(&pool);
		check_huge(p, 1 + i);
		check_huge(q, 1 + i);
		check_huge(p + 2 * HUGE, 3);
		check_huge(q + HUGE, 4);
		fill_huge(p, 2 + i);
	}
	if (argc < 2)
		unlink(argv[0]);
}

static char *own;

static void write_own(uint64_t n)
{
	if (n == 1)
		fill_huge(own + HUGE, 50);
	if (n > 1)
		check_huge(own + HUGE, 50);
	check_huge(own, 1);
	check_huge(own + 2 * HUGE, 3);
}

static uint64_t frame_of(const char *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t frame = 0;

	need(fd >= 0 && pread(fd, &frame, 8, (uintptr_t)p / 4096 * 8) == 8);
	close(fd);
	return frame & ((1ULL << 55) - 1);
}

/*
 * huge_forked: the child has one page of its own; the others are shared, also
 * afterwards: the pool is too small for more of them.
 */
static void forked(int argc, char **argv)
{
	volatile uint64_t *board = mmap(NULL, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pool pool;
	uint64_t frame;
	pid_t pid;
	int n;

	need(board != MAP_FAILED);
	own = map_huge(4, ANON, -1);
	fill_huge(own, 1);
	fill_huge(own + HUGE, 2);
	fill_huge(own + 2 * HUGE, 3);
	pid = serve_child(board, write_own);
	for (n = 1; n <= 3; n++) {
		ask(board, n);
		pool = pool_now();
		stage();
		check_pool(&pool);
		frame = frame_of(own);
		check(frame && frame != frame_of(own + HUGE));
		check_huge(own, 1);
		check_huge(own + HUGE, 2);
		check_huge(own + 2 * HUGE, 3);
		/* The reserve is that of the parent. */
		if (n == 3)
			fill_huge(own + 3 * HUGE, 4);
	}
	end_child(pid);
}

/* At the other end of a page of 1 GiB. */
static uint64_t *far_word(void)
{
	return (uint64_t *)(common + HUGE) - 1;
}

static void write_far(uint64_t n)
{
	*far_word() = 100 * n;
}

/* Memory of two processes: each time the child has written something else. */
static void share_gigantic(int fd)
{
	struct pool pool;
	struct stat st;
	pid_t pid = serve_child((void *)(common + 4096 * 2), write_far);
	int n;

	for (n = 1; n <= 3; n++) {
		ask((void *)(common + 4096 * 2), n);
		pool = pool_now();
		stage();
		check_pool(&pool);
		check_huge(common, 7);
		check_eq(100 * n, *far_word());
		if (fd < 0)
			continue;
		check_eq(0, fstat(fd, &st));
		check_eq(HUGE, st.st_size);
		check_eq(HUGE, st.st_blksize);
	}
	end_child(pid);
}

/* huge_gigantic private|shared|memfd: one page of 1 GiB. */
static void gigantic(int argc, char **argv)
{
	bool memfd = !strcmp(argv[0], "memfd"), private = !strcmp(argv[0], "private");
	struct pool pool;
	int fd = -1;

	shift = 30;
	if (memfd) {
		fd = memfd_create("gigantic", MFD_HUGETLB | shift << MAP_HUGE_SHIFT);
		need(fd >= 0 && !ftruncate(fd, HUGE));
	}
	common = map_huge(1, private ? ANON : memfd ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd);
	fill_huge(common, 7);
	if (!private) {
		share_gigantic(fd);
		return;
	}
	write_far(1);
	pool = pool_now();
	stage();
	check_pool(&pool);
	check_huge(common, 7);
	check_eq(100, *far_word());
	check_smaps(common, HUGE / 1024);
}

/* huge_beyond: an obstacle. */
static void beyond(int argc, char **argv)
{
	int fd = memfd_create("huge", MFD_HUGETLB);

	need(fd >= 0 && !ftruncate(fd, 2 * HUGE));
	map_huge(2, MAP_SHARED, fd);
	need(!ftruncate(fd, HUGE));
	stage();
}

const struct mode huge_modes[] = {
	{ "huge_private", private },
	{ "huge_shared", shared },
	{ "huge_memfd", memfd },
	{ "huge_sysv", sysv },
	{ "huge_file", file },
	{ "huge_forked", forked },
	{ "huge_gigantic", gigantic },
	{ "huge_beyond", beyond },
	{}
};

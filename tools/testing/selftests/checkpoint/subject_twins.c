// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that one has forked, and that have the same mappings at the same
 * places: what is in them, what each of them is, and that nobody sees what
 * another one writes.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "subject.h"

#define PAGE	4096UL
#define PAGES	16
#define TWINS	6
#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

/**
 * struct board - what they tell each other, in a file that all have mapped
 * @order: number of the latest order
 * @done: number of the last one that each has done
 * @wrong: what each has found to be other than before
 */
struct board {
	volatile int order;
	volatile int done[TWINS + 1];
	volatile int wrong[TWINS + 1];
};

static struct board *board;
static char *before_fork, *mine, *text, *shared;
static int self, file, segment = -1;
static pid_t root;
static char maps[2][1 << 17];
static char data[4 * PAGE] __attribute__((aligned(4096))) = { 1 };

static char *map(size_t pages, int prot, int flags, int fd)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, fd, 0);

	need(p != MAP_FAILED);
	return p;
}

static void drop(char *line, const char *flag)
{
	char *p = strstr(line, flag);

	if (p)
		memmove(p, p + strlen(flag), strlen(p + strlen(flag)) + 1);
}

/* Heads and flags of all mappings; not soft-dirty, and accounted, of what was writable once. */
static char *list_maps(char *buf)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	char line[512], *end = buf;

	need(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (!strncmp(line, "VmFlags:", 8)) {
			drop(line, " sd");
			drop(line, " ac");
		} else if (line[strspn(line, "0123456789abcdef")] != '-') {
			continue;
		}
		end = stpcpy(end, line);
		need(end < buf + sizeof(maps[0]) - sizeof(line));
	}
	fclose(smaps);
	return buf;
}

/* What a process has written to memory of its own, and to its part of the shared one. */
static void write_own(void)
{
	int page;

	for (page = self; page < PAGES; page += 3)
		fill_memory(mine + page * PAGE, PAGE, 100 * self + page);
	fill_memory(before_fork + self * PAGE, PAGE, 1000 + self);
	fill_memory(data + PAGE, PAGE, 2000 + self);
	fill_memory(text + PAGE, PAGE, 3000 + self);
	fill_memory(shared + self * PAGE, PAGE, 4000 + self);
}

static uint64_t sum_all(void)
{
	return hash_memory(mine, PAGES * PAGE) ^ hash_memory(before_fork, PAGES * PAGE) * 3 ^
	       hash_memory(data, sizeof(data)) * 5 ^ hash_memory(text + PAGE, PAGE) * 7 ^
	       hash_memory(shared + self * PAGE, PAGE) * 11;
}

/* What is done after fork(), the same in all, by the name of the mode. */
static void map_more(const char *what)
{
	mine = map(PAGES, RW, ANON, -1);
	need(!mprotect(map(3, RW, ANON | MAP_NORESERVE, -1) + PAGE, PAGE, PROT_READ));
	need(!madvise(map(2, RW, ANON, -1), PAGE, MADV_DONTDUMP));
	map(1, PROT_NONE, ANON, -1);
	if (!strcmp(what, "locked"))
		need(!mlock(mine, 2 * PAGE));
	if (!strcmp(what, "unlike_fork")) {
		need(!madvise(mine, PAGE, MADV_WIPEONFORK));
		need(!madvise(mine + PAGE, PAGE, MADV_DONTFORK));
	}
	/* A kernel without names of memory does not know that. */
	if (!strcmp(what, "named"))
		prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, mine, 2 * PAGE, "twin");
	if (!strcmp(what, "sysv"))
		need(shmat(segment, NULL, 0) != (void *)-1);
	/* Some are others than the rest. */
	if (!strcmp(what, "unequal") && self % 3 == 1)
		need(mmap(mine + 8 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, file, 0) !=
		     MAP_FAILED);
	if (!strcmp(what, "unequal") && self % 3 == 2)
		need(!madvise(mine, PAGES * PAGE, MADV_SEQUENTIAL));
}

/* It can map, and fork, and neither changes what it has. */
static void live_on(void)
{
	char *p = map(1, RW, ANON, -1);
	int status;
	pid_t pid;

	*p = self;
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		memset(before_fork, 0, PAGES * PAGE);
		_exit(*p);
	}
	need(waitpid(pid, &status, 0) == pid);
	check_eq(self << 8, status);
	need(!munmap(p, PAGE));
}

static void serve(void)
{
	uint64_t sum = sum_all();
	int order = 0;

	/* The first time also makes room for what it takes. */
	list_maps(maps[1]);
	list_maps(maps[0]);
	board->done[self] = 1;
	for (;; poll_pause()) {
		if (kill(root, 0))
			_exit(1);
		if (board->order <= order)
			continue;
		order = board->order;
		board->wrong[self] += sum != sum_all();
		board->wrong[self] += !!strcmp(maps[0], list_maps(maps[1]));
		live_on();
		write_own();
		board->wrong[self] += sum != sum_all();
		board->done[self] = order + 1;
	}
}

static void ask_all(void)
{
	int i;

	board->order++;
	for (i = 1; i <= TWINS; i++) {
		while (board->done[i] != board->order + 1) {
			need(!waitpid(-1, NULL, WNOHANG));
			poll_pause();
		}
		check_eq(0, board->wrong[i]);
	}
}

static unsigned long nr_attached(void)
{
	struct shmid_ds ds = {};

	if (segment >= 0)
		need(!shmctl(segment, IPC_STAT, &ds));
	return ds.shm_nattch;
}

static void start(const char *what)
{
	int fd = open("board", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	file = open("twins", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	need(fd >= 0 && file >= 0);
	need(!ftruncate(fd, PAGE) && !ftruncate(file, PAGES * PAGE));
	board = (struct board *)map(1, RW, MAP_SHARED, fd);
	before_fork = map(PAGES, RW, ANON, -1);
	fill_memory(before_fork, PAGES * PAGE, 1);
	text = map(4, RW, MAP_PRIVATE, file);
	shared = map(PAGES, RW, MAP_SHARED, file);
	close(fd);
	root = getpid();
	if (!strcmp(what, "sysv")) {
		segment = shmget(IPC_PRIVATE, PAGE, 0600);
		need(segment >= 0);
	}
}

/* twins WHAT: through two stages, and each checks itself after each. */
static void twins(int argc, char **argv)
{
	unsigned long attached;
	pid_t pid[TWINS + 1];
	int i;

	need(argc == 1);
	start(argv[0]);
	for (i = 1; i <= TWINS; i++) {
		pid[i] = fork();
		need(pid[i] >= 0);
		if (pid[i])
			continue;
		self = i;
		map_more(argv[0]);
		write_own();
		serve();
	}
	for (i = 1; i <= TWINS; i++)
		while (!board->done[i])
			poll_pause();
	attached = nr_attached();
	check_eq(strcmp(argv[0], "sysv") ? 0 : TWINS, attached);
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(attached, nr_attached());
		ask_all();
	}
	for (i = 1; i <= TWINS; i++)
		need(!kill(pid[i], SIGKILL) && waitpid(pid[i], NULL, 0) == pid[i]);
	check_eq(0, nr_attached());
	if (segment >= 0)
		need(!shmctl(segment, IPC_RMID, NULL));
}

const struct mode twin_modes[] = {
	{ "twins", twins },
	{ NULL }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private memory that the processes of a tree share since fork(2): its content,
 * which pages are the same, and that nobody sees what another writes.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "subject.h"

#define PAGE	4096UL
#define PAGES	2048
#define MAX	12

enum what {
	LOOK,
	WRITE,
	LEAVE,
	REPLACE,
	MERGE,
	UNMERGE,
	LOCATE,
};

/**
 * struct board - what the processes tell each other
 * @order: number of the latest order
 * @what: the order
 * @who: whom it is for, besides looking; -1: all
 * @page: WRITE: to which page
 * @root: pid of the first
 * @nr: processes there have been
 * @alive: who is there
 * @done: number of the last order each has done
 * @hash: of all that it sees
 * @frame: of each page that it has
 * @swapped: how many pages it has on swap space
 * @huge: what it has of huge pages that are mapped as such, in kB
 */
struct board {
	volatile int order;
	volatile enum what what;
	volatile int who;
	volatile int page;
	volatile pid_t root;
	volatile int nr;
	volatile bool alive[MAX];
	volatile int done[MAX];
	uint64_t hash[MAX];
	uint64_t frame[MAX][PAGES];
	int swapped[MAX];
	int huge[MAX];
};

/*
 * The board, and what a process sees: pages @from to @to of memory at @mem, whose huge pages
 * it has as a whole if it is the first one.
 */
static struct board *board;
static unsigned char *mem;
static bool owner_has_all = true;
static int from, to = PAGES;
static int self;

static int huge_kb(void)
{
	char text[4096], *p;

	need(read_file("/proc/self/smaps_rollup", text, sizeof(text)) > 0);
	p = strstr(text, "AnonHugePages:");
	need(p);
	return atoi(strchr(p, ':') + 1);
}

/* Where the pages are; it does not bring them there. */
static void locate(void)
{
	int i, fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), swapped = 0;
	uint64_t *frames = board->frame[self];
	size_t len = (to - from) * sizeof(*frames);

	need(fd >= 0);
	memset(frames, 0, sizeof(board->frame[self]));
	need(pread(fd, frames + from, len, ((uintptr_t)mem / PAGE + from) * 8) == (ssize_t)len);
	close(fd);
	for (i = from; i < to; i++) {
		swapped += frames[i] >> 62 & 1;
		frames[i] = frames[i] >> 63 ? frames[i] & ((1ULL << 55) - 1) : 0;
	}
	board->swapped[self] = swapped;
	board->huge[self] = huge_kb();
}

/* One that is not there then has been swapped out since it was hashed. */
static void look(void)
{
	board->hash[self] = hash_memory(mem + from * PAGE, (to - from) * PAGE);
	locate();
}

/* What makes the kernel look for all mappings of a page. */
static void stir(enum what what)
{
	/* Without swap space nothing comes of it. */
	if (what == REPLACE)
		need(!madvise(mem + from * PAGE, (to - from) * PAGE, MADV_PAGEOUT));
	/* A kernel without KSM does not know these. */
	if (what == MERGE)
		madvise(mem, PAGES * PAGE, MADV_MERGEABLE);
	if (what == UNMERGE)
		madvise(mem, PAGES * PAGE, MADV_UNMERGEABLE);
}

/* What is asked of all: content and place, or the place only. */
static void report(enum what what)
{
	if (what == LOCATE)
		locate();
	else
		look();
}

static void obey(int order)
{
	stir(board->what);
	if (board->what == WRITE && board->who == self)
		mem[board->page * PAGE + 8 * self] ^= 0xff;
	if (board->what == LEAVE && (board->who == self || board->who < 0)) {
		board->alive[self] = false;
		board->done[self] = order;
		_exit(0);
	}
	report(board->what);
	board->done[self] = order;
}

static void serve(void)
{
	int order = board->order;

	board->done[self] = order;
	for (;; poll_pause()) {
		/* The test's end is the end of the first, and then of all. */
		if (kill(board->root, 0))
			_exit(1);
		if (board->order == order)
			continue;
		order = board->order;
		obey(order);
	}
}

/* A process that does @change to what it has, makes @nr_children, and serves. */
static void worker(void (*change)(void), int nr_children)
{
	pid_t pid = fork();
	int nr;

	need(pid >= 0);
	if (pid)
		return;
	nr = __atomic_fetch_add(&board->nr, 1, __ATOMIC_SEQ_CST);
	self = nr;
	need(nr < MAX);
	if (change)
		change();
	for (; nr_children; nr_children--)
		worker(change, 0);
	board->alive[nr] = true;
	serve();
}

static void wait_for(int nr)
{
	int i, alive;

	do {
		poll_pause();
		alive = 0;
		for (i = 1; i < MAX; i++)
			alive += board->alive[i];
	} while (alive < nr);
}

/* All but the first process do it; the first one only looks. */
static void order(enum what what, int who, int page)
{
	int i;

	board->what = what;
	board->who = who;
	board->page = page;
	board->order++;
	stir(what);
	if (what == WRITE && !who)
		mem[page * PAGE] ^= 0xff;
	report(what);
	for (i = 1; i < board->nr; i++)
		while (board->alive[i] && board->done[i] != board->order)
			poll_pause();
}

static void start(void)
{
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	need(board != MAP_FAILED);
	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	board->root = getpid();
	board->nr = 1;
	board->alive[0] = true;
}

static void make_memory(void)
{
	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	need(mem != MAP_FAILED);
	/* Pages, not folios of many. */
	need(!madvise(mem, PAGES * PAGE, MADV_NOHUGEPAGE));
	fill_memory(mem, PAGES * PAGE, 1);
}

static bool is_shared(const struct board *b, int i, int j, int page)
{
	return b->frame[i][page] && b->frame[i][page] == b->frame[j][page];
}

static bool is_known(const struct board *b, int i, int j, int page)
{
	return b->frame[i][page] && b->frame[j][page];
}

/* Who shares with whom is as before. */
static void compare_sharing(const struct board *before)
{
	int i, j, page, lost = 0, new = 0;

	for (i = 0; i < board->nr; i++)
		for (j = 0; j < i; j++)
			for (page = 0; page < PAGES; page++) {
				if (!is_known(before, i, j, page) ||
				    !is_known(board, i, j, page))
					continue;
				lost += is_shared(before, i, j, page) &&
					!is_shared(board, i, j, page);
				new += !is_shared(before, i, j, page) &&
				       is_shared(board, i, j, page);
			}
	check_eq(0, lost);
	check_eq(0, new);
}

/* Also in those that share a part with one that has it as a whole. */
static void compare_huge(const struct board *before)
{
	int i;

	for (i = 0; i < board->nr; i++)
		check_eq(before->huge[i], board->huge[i]);
}

static void compare_content(const struct board *before, int but)
{
	int i;

	for (i = 0; i < board->nr; i++)
		if (board->alive[i])
			check_eq(i == but, before->hash[i] != board->hash[i]);
}

static struct board *note(void)
{
	struct board *copy = malloc(sizeof(*copy));

	need(copy);
	order(LOOK, -1, 0);
	memcpy(copy, board, sizeof(*copy));
	return copy;
}

/* Nobody sees what process @i writes to @page. */
static void write_one(int i, int page)
{
	struct board *before = note();

	order(WRITE, i, page);
	compare_content(before, i);
	free(before);
}

static void end(void)
{
	order(LEAVE, -1, 0);
	while (wait(NULL) > 0)
		;
	check_eq(ECHILD, errno);
}

/* How many pairs share how many pages: there is something to be tested. */
static int nr_shared(void)
{
	int i, j, page, nr = 0;

	for (i = 0; i < board->nr; i++)
		for (j = 0; j < i; j++)
			for (page = 0; page < PAGES; page++)
				nr += is_shared(board, i, j, page);
	return nr;
}

/* Through two stages; then each writes, and goes, in its order. */
static void go_through(int min_shared)
{
	struct board *before = note();
	int i;

	check(nr_shared() >= min_shared);
	for (i = 0; i < 2; i++) {
		stage();
		order(LOOK, -1, 0);
		compare_content(before, -1);
		compare_sharing(before);
		if (owner_has_all)
			compare_huge(before);
	}
	free(before);
	for (i = 0; i < board->nr; i++)
		write_one(i, PAGES / 2 + 1 + i);
	/* All wrote to one page. */
	for (i = 0; i < board->nr; i++)
		write_one(i, PAGES / 2);
	for (i = 1; i < board->nr; i++) {
		before = note();
		order(LEAVE, i, 0);
		compare_content(before, -1);
		free(before);
	}
	end();
}

/* Once more all that is known of the pages of a number of processes is used. */
static void stirred_content(void)
{
	struct board *before = note();
	char text[32];
	int i;

	for (i = 0; i < 3; i++) {
		order(REPLACE, -1, 0);
		compare_content(before, -1);
		/* Memory is moved together; needs root. */
		write_file("/proc/sys/vm/compact_memory", "1", 1);
		order(LOOK, -1, 0);
		compare_content(before, -1);
	}
	if (read_file("/sys/kernel/mm/ksm/full_scans", text, sizeof(text)) > 0) {
		int scans = atoi(text) + 3;

		write_file("/sys/kernel/mm/ksm/pages_to_scan", "100000", 6);
		order(MERGE, -1, 0);
		write_file("/sys/kernel/mm/ksm/run", "1", 1);
		do {
			poll_pause();
			need(read_file("/sys/kernel/mm/ksm/full_scans", text, sizeof(text)) > 0);
		} while (atoi(text) < scans);
		order(REPLACE, -1, 0);
		compare_content(before, -1);
		order(UNMERGE, -1, 0);
		compare_content(before, -1);
		write_file("/sys/kernel/mm/ksm/run", "0", 1);
	}
	free(before);
}

/*
 * The group of @path gives pages back, those that are shared among them, until so
 * many of ours are swapped out. madvise(2) would leave alone what others map, too.
 */
static void swap_out(const char *path, int nr)
{
	static const char amount[] = "1M swappiness=200";
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	do {
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		need(fd >= 0);
		/* Less than that is not an error to us. */
		need(write(fd, amount, strlen(amount)) > 0 || errno == EAGAIN);
		close(fd);
		order(LOCATE, -1, 0);
		need(now_ns() < deadline);
	} while (board->swapped[0] < nr || board->swapped[1] < nr);
}

static void rewrite_some_from(int page)
{
	for (page += self; page < PAGES; page += 7)
		fill_memory(mem + page * PAGE, PAGE, self * PAGES + page);
}

static void rewrite_some(void)
{
	rewrite_some_from(0);
}

/* workers: everyone has rewritten some pages, also the parent, after the forks. */
static void workers(int argc, char **argv)
{
	int i, page;

	start();
	make_memory();
	for (i = 0; i < 3; i++)
		worker(rewrite_some, i);
	wait_for(6);
	for (page = 3; page < PAGES; page += 11)
		fill_memory(mem + page * PAGE, PAGE, page);
	go_through(15 * PAGES / 3);
}

/* same: nothing was rewritten; the image has the memory once. */
static void same(int argc, char **argv)
{
	int i;

	start();
	make_memory();
	for (i = 0; i < 8; i++)
		worker(NULL, 0);
	wait_for(8);
	go_through(36 * PAGES);
}

/* stirred: the same, and the kernel swaps, moves and merges the pages afterwards. */
static void stirred(int argc, char **argv)
{
	struct board *before;
	int i, page;

	start();
	make_memory();
	/* Some are equal, to be merged. */
	for (page = 100; page < 200; page++)
		memcpy(mem + page * PAGE, mem + (page % 10) * PAGE, PAGE);
	for (i = 0; i < 3; i++)
		worker(rewrite_some, i);
	wait_for(6);
	before = note();
	stage();
	stirred_content();
	compare_content(before, -1);
	free(before);
	for (i = 0; i < board->nr; i++)
		write_one(i, PAGES / 2 + 1 + i);
	stage();
	stirred_content();
	end();
}

static int nr_swapped(void)
{
	int i, nr = 0;

	order(LOCATE, -1, 0);
	for (i = 0; i < board->nr; i++)
		nr += board->swapped[i];
	return nr;
}

/*
 * swapped PATH [stay]: workers, some of whose pages are swapped out when they are saved:
 * all are shared as they were, and none anew; those of the saved processes stay where
 * they are.
 */
static void swapped(int argc, char **argv)
{
	struct board *before;
	int i, n, nr;

	start();
	make_memory();
	for (i = 0; i < 3; i++)
		worker(rewrite_some, i);
	wait_for(6);
	for (n = 0; n < 2; n++) {
		before = note();
		swap_out(argv[0], PAGES / 16);
		/* Not all of them are. */
		check(nr_shared() >= 15 * PAGES / 8);
		nr = nr_swapped();
		stage();
		if (argc > 1)
			check(nr_swapped() >= nr * 9 / 10);
		order(LOOK, -1, 0);
		compare_content(before, -1);
		compare_sharing(before);
		free(before);
	}
	for (i = 0; i < board->nr; i++)
		write_one(i, PAGES / 2 + 1 + i);
	end();
}

/* orphans: whom they have their memory from has gone; the first one has none of it. */
static void orphans(int argc, char **argv)
{
	pid_t pid;
	int i, status;

	start();
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		make_memory();
		for (i = 0; i < 4; i++)
			worker(rewrite_some, 0);
		wait_for(4);
		_exit(0);
	}
	need(waitpid(pid, &status, 0) == pid && !status);
	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	need(mem != MAP_FAILED);
	memset(mem, 1, PAGES * PAGE);
	go_through(6 * PAGES / 3);
}

/* Elsewhere, with a piece cut off and one that is read-only. */
static void move_away(void)
{
	unsigned char *place = mmap(NULL, (PAGES + 5) * PAGE, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(place != MAP_FAILED);
	if (self % 2) {
		need(mremap(mem, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			    place + self * PAGE) != MAP_FAILED);
		mem = place + self * PAGE;
	}
	from = self * 10;
	to = PAGES - self * 10;
	need(!munmap(mem, from * PAGE) && !munmap(mem + to * PAGE, (PAGES - to) * PAGE));
	need(!mprotect(mem + 100 * PAGE, 200 * PAGE, PROT_READ));
	fill_memory(mem + (1500 + self) * PAGE, PAGE, self);
}

/* moved: not everyone has it at the same address, nor all of it. */
static void moved(int argc, char **argv)
{
	int i;

	start();
	make_memory();
	for (i = 0; i < 4; i++)
		worker(move_away, 0);
	wait_for(4);
	need(!mprotect(mem + 300 * PAGE, 50 * PAGE, PROT_READ));
	go_through(PAGES);
}

/* What is locked is only read: nobody needs a copy of it. */
static void lock_some(void)
{
	need(!mprotect(mem + (100 + self) * PAGE, 200 * PAGE, PROT_READ));
	need(!mlock(mem + (100 + self) * PAGE, 150 * PAGE));
	rewrite_some_from(400);
}

/* locked: a part of what is shared is locked, in some by all that have it. */
static void locked(int argc, char **argv)
{
	int i;

	start();
	make_memory();
	need(!mlock(mem + 120 * PAGE, 50 * PAGE));
	for (i = 0; i < 4; i++)
		worker(lock_some, 0);
	wait_for(4);
	go_through(PAGES);
}

/* The second huge page of the memory is no longer shared as a whole. */
static void rewrite_one(void)
{
	mem[(PAGES / 4 + 5) * PAGE] ^= self;
}

/* huge: of huge pages; those who have one as a whole share it as a whole. */
static void huge(int argc, char **argv)
{
	unsigned char *area = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	start();
	need(area != MAP_FAILED);
	mem = area + (-(uintptr_t)area & (PAGES * PAGE - 1));
	need(!madvise(mem, PAGES * PAGE, MADV_HUGEPAGE));
	fill_memory(mem, PAGES * PAGE, 1);
	for (i = 0; i < 3; i++)
		worker(rewrite_one, i == 1);
	wait_for(4);
	go_through(10 * PAGES / 2);
}

/* huge_owner: the first one has all huge pages in parts, and others each as a whole. */
static void huge_owner(int argc, char **argv)
{
	unsigned char *area = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	start();
	need(area != MAP_FAILED);
	mem = area + (-(uintptr_t)area & (PAGES * PAGE - 1));
	need(!madvise(mem, PAGES * PAGE, MADV_HUGEPAGE));
	fill_memory(mem, PAGES * PAGE, 1);
	for (i = 0; i < 3; i++)
		worker(rewrite_one, i == 1);
	wait_for(4);
	for (i = 0; i < 4; i++)
		mem[(i * PAGES / 4 + 7 * i) * PAGE]++;
	owner_has_all = false;
	go_through(10 * (PAGES - 10));
}

/* file: what was written to a private mapping of a file. */
static void file(int argc, char **argv)
{
	int page, i, fd = open("cow", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	start();
	need(fd >= 0 && !ftruncate(fd, PAGES * PAGE));
	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	need(mem != MAP_FAILED);
	for (page = 0; page < PAGES; page += 2)
		fill_memory(mem + page * PAGE, PAGE, page);
	for (i = 0; i < 3; i++)
		worker(rewrite_some, 0);
	wait_for(3);
	go_through(6 * PAGES / 3);
}

const struct mode cow_modes[] = {
	{ "cow_workers", workers },
	{ "cow_same", same },
	{ "cow_stirred", stirred },
	{ "cow_swapped", swapped },
	{ "cow_orphans", orphans },
	{ "cow_moved", moved },
	{ "cow_locked", locked },
	{ "cow_huge", huge },
	{ "cow_huge_owner", huge_owner },
	{ "cow_file", file },
	{ NULL }
};

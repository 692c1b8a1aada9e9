// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapgen SEED ROUNDS DIR: random mappings of several processes. Each round makes
 * some in an area of its own; what earlier rounds have made stays and is changed
 * now and then. The first process orders the others about, one at a time, so that
 * everybody knows what each page of each process must be (subject_mapstep.c).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "subject_mapgen.h"

#define STEPS		120	/* of a round */
#define STEPS_LATER	15	/* after it was saved */
#define STEPS_MAX	8	/* that one process does in a row */

struct map_board *board;
int self;
int object_fd[FIRST_ANON];

static uint64_t plan;		/* of the first process: who does what */
static int orders[PROCESSES][2];
static int answers[2];

static uint64_t pick(uint64_t limit)
{
	return map_random(&plan, limit);
}

static void check_all(void)
{
	int i;

	for (i = 0; i < board->rounds; i++)
		map_check_round(i);
	if (!self)
		map_check_objects();
}

/* What a child must have. */
static void fork_pages(const struct map_page *from, struct map_page *to)
{
	int i;

	for (i = 0; i < PAGES; i++) {
		to[i] = from[i];
		to[i].locked = false;
		to[i].onfault = false;
		if (from[i].wipe) {
			to[i].own = false;
			to[i].seed = 0;
		}
		if (from[i].dontfork)
			memset(&to[i], 0, sizeof(to[i]));
	}
}

static void serve(void);

static void fork_one(int who)
{
	pid_t pid;
	int i;

	for (i = 0; i < board->rounds; i++)
		fork_pages(board->pages[self][i], board->pages[who][i]);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		self = who;
		serve();
	}
	board->pid[who] = pid;
	board->parent[who] = self;
}

static void wait_for(pid_t pid, bool keep)
{
	siginfo_t info = {};

	need(!waitid(P_PID, pid, &info, WEXITED | (keep ? WNOWAIT : 0)));
	check_eq(CLD_EXITED, info.si_code);
	check_eq(0, info.si_status);
}

static void obey(void)
{
	const struct map_order *o = &board->order;
	int i;

	map_select(o->round, o->random);
	switch (o->what) {
	case MAP_STEP:
		for (i = 0; i < o->steps; i++)
			map_step();
		break;
	case MAP_WRITE:
		for (i = 0; i < o->steps; i++)
			map_write();
		break;
	case MAP_LARGE:
		map_large();
		break;
	case MAP_CHECK:
		check_all();
		break;
	case MAP_FORK:
		fork_one(o->who);
		break;
	case MAP_WAIT:
		wait_for(o->pid, o->keep);
		break;
	case MAP_EXIT:
		break;
	}
}

/* The end of the first process is that of all. */
static void serve(void)
{
	enum map_what what;
	int i;
	char c;

	for (i = 0; i < PROCESSES; i++) {
		if (orders[i][1] >= 0)
			close(orders[i][1]);
		orders[i][1] = -1;
	}
	do {
		if (read(orders[self][0], &c, 1) != 1)
			_exit(1);
		obey();
		what = board->order.what;
		need(write(answers[1], &c, 1) == 1);
	} while (what != MAP_EXIT);
	_exit(0);
}

static void order(int who, struct map_order o)
{
	char c = 'o';

	o.random = pick(1ULL << 31);
	board->order = o;
	if (!who) {
		obey();
		return;
	}
	need(write(orders[who][1], &c, 1) == 1);
	need(read(answers[0], &c, 1) == 1);
}

static void check_everybody(void)
{
	int i;

	for (i = 0; i < PROCESSES; i++)
		if (board->alive[i])
			order(i, (struct map_order){ .what = MAP_CHECK });
}

static int pick_process(void)
{
	int who;

	do {
		who = pick(PROCESSES);
	} while (!board->alive[who]);
	return who;
}

/* Any of them forks, up to a number. */
static void let_fork(int parent)
{
	int who;

	for (who = 1; who < PROCESSES; who++)
		if (!board->alive[who])
			break;
	if (who == PROCESSES)
		return;
	order(parent, (struct map_order){ .what = MAP_FORK, .who = who });
	board->alive[who] = true;
	board->forked++;
}

/* The first one gets its children. */
static void let_exit(int who, bool keep)
{
	int i;

	if (!who)
		return;
	order(who, (struct map_order){ .what = MAP_EXIT });
	board->alive[who] = false;
	for (i = 0; i < PROCESSES; i++)
		if (board->parent[i] == who)
			board->parent[i] = 0;
	order(board->parent[who], (struct map_order){
		.what = MAP_WAIT, .pid = board->pid[who], .keep = keep,
	});
}

/* Returns how many steps it was. */
static int step(enum map_what what, int round)
{
	int who = pick_process(), steps = 1 + pick(STEPS_MAX);

	switch (pick(12)) {
	case 0:
		let_fork(who);
		return 1;
	case 1:
		let_exit(who, pick(2));
		return 1;
	}
	order(who, (struct map_order){ .what = what, .round = round, .steps = steps });
	return steps;
}

static void make_round(int round)
{
	int i, large = map_is_large(round) ? STEPS / 4 : STEPS;

	board->rounds = round + 1;
	for (i = 0; i < STEPS; i += step(MAP_STEP, round)) {
		if (i < large)
			continue;
		/* One goes through much of what follows, one is almost as new. */
		order(pick_process(), (struct map_order){ .what = MAP_LARGE, .round = round });
		let_fork(pick_process());
		large += STEPS / 2;
	}
}

/* Mappings are not only there: they do what they did before. */
static void go_on(void)
{
	int i = 0;

	while (i < STEPS_LATER)
		i += step(pick(4) ? MAP_WRITE : MAP_STEP, pick(board->rounds));
}

static void open_object(int object, int fd, int pages)
{
	static char page[PAGE];
	int i;

	need(fd >= 0 && map_new_object(pages) == object);
	object_fd[object] = fd;
	for (i = 0; i < pages; i++) {
		board->content[board->object[object].first + i] = object * 1000 + i;
		map_fill(page, object * 1000 + i);
		need(write(fd, page, PAGE) == PAGE);
	}
}

static void open_all(const char *dir)
{
	char path[200];
	int i;

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	need(board != MAP_FAILED);
	board->nr_objects = OBJECT_FILE;
	board->alive[0] = true;
	map_init();
	open_object(OBJECT_FILE, open("mapped", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
		    FILE_PAGES);
	snprintf(path, sizeof(path), "%s/mapped2", dir);
	open_object(OBJECT_DISK, open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
		    FILE_PAGES);
	open_object(OBJECT_MEMFD, memfd_create("mapped", MFD_CLOEXEC), MEMFD_PAGES);
	need(!pipe2(answers, O_CLOEXEC));
	for (i = 0; i < PROCESSES; i++)
		need(!pipe2(orders[i], O_CLOEXEC));
	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
}

static void end_all(void)
{
	int i;

	for (i = 1; i < PROCESSES; i++)
		if (board->alive[i])
			let_exit(i, false);
	while (wait(NULL) > 0)
		;
	check_eq(ECHILD, errno);
}

static void mapgen(int argc, char **argv)
{
	int i, rounds = atoi(argv[1]);
	uint64_t sum;

	need(argc == 3 && rounds <= MAPGEN_ROUNDS);
	plan = strtoull(argv[0], NULL, 0);
	open_all(argv[2]);
	for (i = 0; i < rounds; i++) {
		make_round(i);
		sum = hash_memory(board, sizeof(*board));
		stage();
		/* What all else is compared with. */
		need(sum == hash_memory(board, sizeof(*board)));
		check_everybody();
		board->cycles++;
		go_on();
	}
	check_everybody();
	tell("written %d %d %d", board->forked, board->shared, board->private);
	end_all();
}

const struct mode mapgen_modes[] = {
	{ "mapgen", mapgen },
	{}
};

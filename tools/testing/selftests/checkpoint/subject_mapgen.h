/* SPDX-License-Identifier: GPL-2.0-only */
/* What random mappings must be, in all processes that have them. */
#ifndef CHECKPOINT_SUBJECT_MAPGEN_H
#define CHECKPOINT_SUBJECT_MAPGEN_H

#include "mapgen.h"
#include "subject.h"

#define PAGE		4096UL
#define PROCESSES	4		/* at a time */
#define SMALL		192		/* pages of most rounds */
#define LARGE		1200		/* of those that have room for huge pages */
#define STACK_PAGES	24		/* of memory that grows down */
#define PAGES		(LARGE + STACK_PAGES)
#define STACK_OFFSET	(12UL << 20)	/* far enough from all else */
#define FILE_PAGES	64
#define MEMFD_PAGES	256
#define OBJECTS		200
#define OBJECT_PAGES	65536		/* of all objects */

/* Those that have a descriptor; others are shared memory without one. */
enum {
	NO_OBJECT,
	OBJECT_FILE,	/* where the subject is */
	OBJECT_DISK,	/* on another file system, if there is one */
	OBJECT_MEMFD,
	FIRST_ANON,
};

/**
 * struct map_page - what a page of one process must be
 * @seed: of its own content, 0: zero
 * @object: what it is a page of; private ones are until they get an @own content
 * @offset: page of the object
 * @prot: as mprotect(2) has it
 * @mapped: if not, all else is 0
 * @shared: the content is always that of the object
 * @own: the content is @seed
 * @locked: and counts as written to when it may be
 * @onfault: locked as it comes
 * @sealed: by mseal(2)
 * @dontfork: not there in a child
 * @wipe: empty in a child
 */
struct map_page {
	uint64_t seed;
	uint16_t object, offset;
	uint8_t prot;
	uint8_t mapped : 1, shared : 1, own : 1, locked : 1, onfault : 1, sealed : 1,
		dontfork : 1, wipe : 1;
};

struct map_object {
	uint32_t first;		/* of @content of the board */
	uint32_t pages;
};

enum map_what {
	MAP_STEP,		/* a random one */
	MAP_WRITE,		/* to random pages */
	MAP_LARGE,		/* new memory of huge pages */
	MAP_CHECK,		/* everything */
	MAP_FORK,		/* process @who */
	MAP_EXIT,
	MAP_WAIT,		/* for @pid */
};

struct map_order {
	enum map_what what;
	uint64_t random;
	int round;
	int steps;
	int who;
	pid_t pid;
	bool keep;		/* as a zombie */
};

/**
 * struct map_board - shared by all processes of the subject
 * @order: what one of them does now
 * @rounds: that there have been
 * @alive: of each process
 * @parent: of each process
 * @pid: of each process
 * @cycles: times that it was saved
 * @shared: pages of shared memory that children have written to since
 * @private: private ones
 * @forked: processes there have been
 */
struct map_board {
	struct map_order order;
	int rounds;
	bool alive[PROCESSES];
	int parent[PROCESSES];
	pid_t pid[PROCESSES];
	int cycles, shared, private, forked;
	int nr_objects;
	uint32_t nr_content;
	struct map_object object[OBJECTS];
	uint64_t content[OBJECT_PAGES];
	struct map_page pages[PROCESSES][MAPGEN_ROUNDS][PAGES];
};

/* subject_mapgen.c */
extern struct map_board *board;
extern int self;		/* the process's number on the board */
extern int object_fd[FIRST_ANON];

/* subject_mapstep.c */
uint64_t map_random(uint64_t *state, uint64_t limit);
void map_init(void);
int map_new_object(int pages);
void map_fill(void *page, uint64_t seed);
void map_select(int round, uint64_t random);
bool map_is_large(int round);
void map_step(void);
void map_write(void);
void map_large(void);
void map_check_round(int round);
void map_check_objects(void);

#endif /* CHECKPOINT_SUBJECT_MAPGEN_H */

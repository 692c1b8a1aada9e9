/* SPDX-License-Identifier: GPL-2.0-only */
/* A tree under test: its plan, and what was seen of it. */
#ifndef CHECKPOINT_TREE_H
#define CHECKPOINT_TREE_H

#include "treegen.h"

/**
 * struct forest - a tree under test
 * @s: its root
 * @plan: what it should be
 * @root: pid of what is saved
 * @nested: it is in namespaces of its own
 * @above: nested: who has made the namespaces, and the init process
 * @pid: of its nodes, as we see them
 * @local: as they see themselves
 * @seen: what each has told last
 * @look: what /proc had of each
 * @shared: what kcmp(2) had said of each two
 * @alive: they run
 */
struct forest {
	struct subject s;
	struct tree plan;
	pid_t root;
	bool nested;
	pid_t above[2];
	pid_t pid[TREE_NODES];
	pid_t local[TREE_NODES];
	char *seen[TREE_NODES];
	char *look[TREE_NODES];
	char *shared;
	bool alive;
};

/* tree.c: all return 0, or -1 after saying why */
int forest_start(struct forest *f, uint64_t seed, unsigned int features);
int forest_up(struct forest *f);
int forest_see(struct forest *f);
int forest_stop(struct forest *f);
int forest_look(struct forest *f);
int forest_cycle(struct forest *f, enum way way);
int forest_look_again(struct forest *f);
int forest_see_again(struct forest *f);
int forest_end(struct forest *f);
void forest_destroy(struct forest *f);

#endif /* CHECKPOINT_TREE_H */

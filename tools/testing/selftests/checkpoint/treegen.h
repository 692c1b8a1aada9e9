/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plans of process trees, made from a seed: the same in the test and in the
 * processes that it is about.
 *
 * A process builds itself, then its children one after the other, each with
 * all of its own; then it may exit, while others wait for that. So the order of
 * events is that of the numbers of the nodes, and everything is known beforehand.
 */
#ifndef CHECKPOINT_TREEGEN_H
#define CHECKPOINT_TREEGEN_H

#include "common.h"

#define TREE_NODES	25
#define TREE_THREADS	3	/* at most, besides the first */
#define TREE_OUTSIDE	(-1)	/* a parent, group or session that is not the tree's */

/* Tells a process to look at itself, and it its threads. */
#define TREE_SIGNAL_SEE		40
#define TREE_SIGNAL_THREAD	41

/* What trees may have. */
enum tree_feature {
	TREE_HAS_THREADS = 1 << 0,
	TREE_HAS_GROUPS = 1 << 1,	/* process groups and sessions */
	TREE_HAS_ZOMBIES = 1 << 2,	/* children that were not waited for */
	TREE_HAS_ORPHANS = 1 << 3,	/* parents and leaders that have exited before others */
	TREE_HAS_STOPPED = 1 << 4,
	TREE_HAS_SIBLINGS = 1 << 5,	/* CLONE_PARENT */
	TREE_HAS_PIPES = 1 << 6,	/* with data in them, shared */
	TREE_HAS_SIGNALS = 1 << 7,	/* masks, and pending ones */
	TREE_HAS_STATE = 1 << 8,	/* nice, limits, ...: subject_treestate.c */
	TREE_HAS_FILES = 1 << 9,	/* of many kinds, shared with the children */
	TREE_HAS_SHARING = 1 << 10,	/* CLONE_FS, CLONE_FILES */
	TREE_HAS_ALL = (1 << 11) - 1,
	TREE_NESTED = 1 << 16,		/* in a pid and user namespace of its own */
};

/* Where a thread waits until the end. */
enum tree_wait {
	TREE_PAUSE,
	TREE_READ,
	TREE_FUTEX,
	TREE_SLEEP,
	TREE_POLL,
	TREE_NR_THREAD_WAITS,
	TREE_SIGSUSPEND = TREE_NR_THREAD_WAITS,
	TREE_WAIT4,
	TREE_WAITID,
	TREE_SPIN,
};

/* What a process does with its session and group. */
enum tree_group {
	TREE_GROUP_STAYS,
	TREE_GROUP_OWN,
	TREE_GROUP_JOIN,
	TREE_GROUP_SESSION,
};

/**
 * struct tree_node - a process; other processes are given by their number
 * @creator: who forks it
 * @parent: who is its parent in the end
 * @group: what it does first
 * @join: whose group it enters
 * @pgid: its process group in the end
 * @sid: its session in the end
 * @sibling: made with CLONE_PARENT
 * @shares: with its creator: CLONE_FS, CLONE_FILES
 * @subreaper: adopts orphans
 * @exits: when its children are complete
 * @reaped: and its parent waits for it
 * @status: how it exits, as wait(2) tells
 * @stopped: by SIGSTOP, when the tree is complete
 * @wait: where its first thread waits
 * @wait_for: for which child
 * @nr_threads: further threads
 * @thread_wait: where they wait
 * @mask: blocked signals, bit 0 is signal 1
 * @thread_mask: of its threads
 * @pending: of those, the ones that it has sent itself
 * @pages: of memory of its own
 * @pipe_bytes: in a pipe that it shares with its children, 0: it has none
 * @states: a bit for each entry of tree_states[] that it sets
 * @files: a bit for each entry of tree_files[] that it opens
 */
struct tree_node {
	int creator, parent;
	enum tree_group group;
	int join, pgid, sid;
	bool sibling, subreaper, exits, reaped, stopped;
	int status;
	enum tree_wait wait;
	int wait_for;
	int nr_threads;
	enum tree_wait thread_wait[TREE_THREADS];
	uint64_t mask, thread_mask[TREE_THREADS], pending;
	int pages;
	int pipe_bytes;
	int shares;
	uint64_t states, files;
};

struct tree {
	uint64_t seed, random;
	unsigned int features;
	int nr, max;
	struct tree_node node[TREE_NODES];
};

void tree_plan(struct tree *tree, uint64_t seed, unsigned int features);
uint64_t tree_seed_of(const struct tree *tree, int node);
int tree_alive(const struct tree *tree);
void tree_show(const struct tree *tree, const pid_t *pids);

#endif /* CHECKPOINT_TREEGEN_H */

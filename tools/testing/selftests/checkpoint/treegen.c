// SPDX-License-Identifier: GPL-2.0-only
/* Plans of random process trees. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "treegen.h"

#define MAX_DEPTH	8

static uint64_t next_random(struct tree *tree)
{
	uint64_t x = tree->random += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* 0 to n - 1 */
static int pick(struct tree *tree, int n)
{
	return next_random(tree) % n;
}

/* True once in n times, and never if such trees are not asked for. */
static bool chance(struct tree *tree, int n, unsigned int feature)
{
	return !pick(tree, n) && (tree->features & feature) == feature;
}

/* Has it no process any more, at this moment of the plan? */
static bool is_gone(const struct tree_node *node)
{
	return node->exits && node->reaped;
}

/* Forked by @node or by one that it descends from: the pid is known there. */
static bool is_known(const struct tree *tree, int node, int other)
{
	int creator;

	for (creator = tree->node[node].creator; creator >= 0;
	     creator = tree->node[creator].creator)
		if (other == creator || tree->node[other].creator == creator)
			return true;
	return false;
}

static bool group_exists(const struct tree *tree, int group, int sid)
{
	int i;

	for (i = 0; i < tree->nr; i++)
		if (tree->node[i].pgid == group && tree->node[i].sid == sid &&
		    !is_gone(&tree->node[i]))
			return true;
	return false;
}

static void join_group(struct tree *tree, int self)
{
	struct tree_node *node = &tree->node[self];
	int tries, other;

	for (tries = 0; tries < 5 && self > 0; tries++) {
		other = pick(tree, self);
		if (other != node->pgid && is_known(tree, self, other) &&
		    group_exists(tree, other, node->sid)) {
			node->group = TREE_GROUP_JOIN;
			node->join = other;
			node->pgid = other;
			return;
		}
	}
}

static void choose_group(struct tree *tree, int self)
{
	struct tree_node *node = &tree->node[self];

	if (chance(tree, 8, TREE_HAS_GROUPS)) {
		node->group = TREE_GROUP_SESSION;
		node->sid = self;
		node->pgid = self;
	} else if (chance(tree, 4, TREE_HAS_GROUPS)) {
		node->group = TREE_GROUP_OWN;
		node->pgid = self;
	} else if (chance(tree, 3, TREE_HAS_GROUPS)) {
		join_group(tree, self);
	}
}

/* A quarter of the bits of a set of 64, of which the subject knows the first ones. */
static uint64_t choose_bits(struct tree *tree, unsigned int feature)
{
	uint64_t bits = next_random(tree) & next_random(tree);

	return tree->features & feature ? bits : 0;
}

static int add_node(struct tree *tree, int creator)
{
	int self = tree->nr++;
	struct tree_node *node = &tree->node[self];
	const struct tree_node *from = creator >= 0 ? &tree->node[creator] : NULL;

	memset(node, 0, sizeof(*node));
	node->creator = creator;
	node->parent = creator;
	node->pgid = from ? from->pgid : TREE_OUTSIDE;
	node->sid = from ? from->sid : TREE_OUTSIDE;
	if (creator > 0 && chance(tree, 6, TREE_HAS_SIBLINGS)) {
		node->sibling = true;
		node->parent = from->parent;
	}
	node->subreaper = chance(tree, creator < 0 ? 2 : 6, TREE_HAS_ORPHANS);
	node->pages = 1 + pick(tree, 8);
	if (chance(tree, 3, TREE_HAS_PIPES))
		node->pipe_bytes = 1 + pick(tree, 6000);
	if (from && chance(tree, 4, TREE_HAS_SHARING))
		node->shares |= CLONE_FS;
	if (from && chance(tree, 4, TREE_HAS_SHARING))
		node->shares |= CLONE_FILES;
	node->states = choose_bits(tree, TREE_HAS_STATE);
	node->files = choose_bits(tree, TREE_HAS_FILES);
	choose_group(tree, self);
	return self;
}

/* Who gets the children of a process that exits. */
static int adopter_of(const struct tree *tree, int self)
{
	int i;

	for (i = tree->node[self].parent; i >= 0; i = tree->node[i].parent)
		if (tree->node[i].subreaper)
			return i;
	return TREE_OUTSIDE;
}

static int status_of_exit(struct tree *tree)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGALRM, SIGUSR2, SIGHUP, SIGPIPE };

	return pick(tree, 3) ? pick(tree, 256) << 8 : signals[pick(tree, ARRAY_SIZE(signals))];
}

/* The node's children are complete: may it exit? */
static void choose_exit(struct tree *tree, int self)
{
	struct tree_node *node = &tree->node[self];
	int i, adopter = adopter_of(tree, self), children = 0;

	for (i = self + 1; i < tree->nr; i++)
		children += tree->node[i].parent == self && !is_gone(&tree->node[i]);
	if (!self || node->sibling || node->subreaper || (children && adopter < 0))
		return;
	if (!chance(tree, children ? 2 : 4, children ? TREE_HAS_ORPHANS : TREE_HAS_ZOMBIES))
		return;
	node->exits = true;
	node->status = status_of_exit(tree);
	node->reaped = chance(tree, 2, TREE_HAS_ORPHANS);
	for (i = self + 1; i < tree->nr; i++)
		if (tree->node[i].parent == self && !is_gone(&tree->node[i]))
			tree->node[i].parent = adopter;
}

static void grow(struct tree *tree, int self, int depth, int width)
{
	int n = self ? pick(tree, width + 1) : width + 1;

	while (n-- > 0 && tree->nr < tree->max && depth < MAX_DEPTH)
		grow(tree, add_node(tree, self), depth + 1, width);
	choose_exit(tree, self);
}

static uint64_t bit(int signal)
{
	return 1ULL << (signal - 1);
}

static uint64_t choose_mask(struct tree *tree)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD, 45, 46, 47, 48, 64,
	};
	uint64_t mask = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (chance(tree, 3, TREE_HAS_SIGNALS))
			mask |= bit(signals[i]);
	return mask;
}

/* A child that will not exit while it is waited for. */
static int choose_child(struct tree *tree, int self)
{
	int i, tries;

	for (tries = 0; tries < 20; tries++) {
		i = pick(tree, tree->nr);
		if (tree->node[i].creator == self && tree->node[i].parent == self &&
		    !tree->node[i].exits)
			return i;
	}
	return -1;
}

static void choose_waits(struct tree *tree, int self)
{
	struct tree_node *node = &tree->node[self];
	int i;

	node->wait = pick(tree, TREE_SIGSUSPEND + 1);
	node->wait_for = choose_child(tree, self);
	if (node->wait_for >= 0 && pick(tree, 2))
		node->wait = pick(tree, 2) ? TREE_WAIT4 : TREE_WAITID;
	else if (chance(tree, 60, TREE_HAS_ALL))
		node->wait = TREE_SPIN;
	node->mask = choose_mask(tree);
	/* SIGCHLD comes by itself. */
	node->pending = choose_mask(tree) & node->mask & ~bit(SIGCHLD);
	if (chance(tree, 3, TREE_HAS_THREADS))
		node->nr_threads = 1 + pick(tree, TREE_THREADS);
	for (i = 0; i < node->nr_threads; i++) {
		node->thread_wait[i] = pick(tree, TREE_NR_THREAD_WAITS);
		node->thread_mask[i] = node->mask | choose_mask(tree);
	}
	node->stopped = chance(tree, 5, TREE_HAS_STOPPED);
}

/* Makes the plan that belongs to this seed. */
void tree_plan(struct tree *tree, uint64_t seed, unsigned int features)
{
	int i;

	memset(tree, 0, sizeof(*tree));
	tree->seed = seed;
	tree->random = seed;
	tree->features = features;
	tree->max = 1 + pick(tree, TREE_NODES);
	grow(tree, add_node(tree, TREE_OUTSIDE), 0, 1 + pick(tree, 5));
	for (i = 0; i < tree->nr; i++)
		if (!tree->node[i].exits)
			choose_waits(tree, i);
}

/* What a node's memory is filled with. */
uint64_t tree_seed_of(const struct tree *tree, int node)
{
	return tree->seed * TREE_NODES + node;
}

int tree_alive(const struct tree *tree)
{
	int i, n = 0;

	for (i = 0; i < tree->nr; i++)
		n += !tree->node[i].exits;
	return n;
}

/* For people: what the tree was when a test has failed. */
void tree_show(const struct tree *tree, const pid_t *pids)
{
	static const char * const groups[] = { "", " own group", " joins", " session" };
	const struct tree_node *node;
	char end[40];
	int i;

	say("tree of seed %llu, features %#x", (unsigned long long)tree->seed, tree->features);
	for (i = 0; i < tree->nr; i++) {
		node = &tree->node[i];
		end[0] = 0;
		if (node->exits)
			snprintf(end, sizeof(end), " exits %#x%s", node->status,
				 node->reaped ? " reaped" : "");
		say("%2d: pid %d creator %d parent %d pgid %d sid %d threads %d wait %d%s%s%s%s%s"
		    " shares %#x states %#llx files %#llx",
		    i, pids[i], node->creator, node->parent, node->pgid, node->sid,
		    node->nr_threads, node->wait, groups[node->group],
		    node->sibling ? " sibling" : "", node->subreaper ? " subreaper" : "",
		    node->stopped ? " stopped" : "", end, node->shares,
		    (unsigned long long)node->states, (unsigned long long)node->files);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process trees of random shape. Each is built by a plan that is made from a
 * seed, compared with the plan, saved and killed, restarted, and compared with
 * what it was: from outside by /proc, by each of its processes, and by how
 * they end. CKPT_SEED=N CKPT_TREES=1 repeats the tree of a seed.
 */
#include "kselftest_harness.h"

#include <signal.h>
#include <stdlib.h>

#include "tree.h"

#define TOGETHER	5	/* trees at a time */

FIXTURE(tree) {
	struct forest forest[TOGETHER];
	uint64_t seed;
	int nr;
};

FIXTURE_VARIANT(tree) {
	enum way way;
	unsigned int features;
	int trees;
};

#define TREE(__name, __way, __features, __trees)			\
	FIXTURE_VARIANT_ADD(tree, __name) {				\
		.way = __way, .features = __features, .trees = __trees	\
	}

/* From simple to difficult: the first that fails tells most. */
TREE(processes, WAY_KILL, 0, 10);
TREE(threads, WAY_KILL, TREE_HAS_THREADS, 10);
TREE(groups, WAY_KILL, TREE_HAS_GROUPS, 15);
TREE(zombies, WAY_KILL, TREE_HAS_ZOMBIES, 10);
TREE(orphans, WAY_KILL, TREE_HAS_ORPHANS, 10);
TREE(stopped, WAY_KILL, TREE_HAS_STOPPED, 10);
TREE(siblings, WAY_KILL, TREE_HAS_SIBLINGS, 10);
TREE(pipes, WAY_KILL, TREE_HAS_PIPES, 10);
TREE(signals, WAY_KILL, TREE_HAS_SIGNALS, 10);
TREE(state, WAY_KILL, TREE_HAS_STATE, 15);
TREE(files, WAY_KILL, TREE_HAS_FILES, 15);
TREE(sharing, WAY_KILL, TREE_HAS_SHARING | TREE_HAS_FILES, 15);
TREE(leaders_gone, WAY_KILL, TREE_HAS_GROUPS | TREE_HAS_ZOMBIES | TREE_HAS_ORPHANS, 15);
TREE(all_go_on, WAY_GO_ON, TREE_HAS_ALL, 15);
TREE(all, WAY_KILL, TREE_HAS_ALL, 50);
TREE(nested_processes, WAY_KILL, TREE_NESTED, 5);
TREE(nested_state, WAY_KILL, TREE_NESTED | TREE_HAS_STATE | TREE_HAS_FILES, 10);
TREE(nested_groups, WAY_KILL, TREE_NESTED | TREE_HAS_GROUPS, 10);
TREE(nested, WAY_KILL, TREE_NESTED | TREE_HAS_ALL, 30);

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

FIXTURE_SETUP(tree)
{
	self->seed = number("CKPT_SEED", now_ns() / 1000 % 1000000000 * 1000);
	self->nr = number("CKPT_TREES", debug_kernel() ? variant->trees / 8 : variant->trees);
}

FIXTURE_TEARDOWN(tree)
{
}

#define EACH(__f, __all, __n) \
	for (__f = (__all); __f < (__all) + (__n); __f++)

/* Step by step, so that they do things at the same time. */
static int run_together(struct forest *all, int n, uint64_t seed, unsigned int features,
			enum way way)
{
	static int (*const steps[])(struct forest *f) = {
		forest_up, forest_see, forest_stop, forest_look, NULL, forest_look_again,
		forest_see_again, forest_end,
	};
	int ret = 0;
	struct forest *f;
	size_t i;

	EACH(f, all, n)
		ret |= forest_start(f, seed + (f - all), features);
	for (i = 0; i < ARRAY_SIZE(steps) && !ret; i++) {
		EACH(f, all, n) {
			ret = steps[i] ? steps[i](f) : forest_cycle(f, way);
			if (!ret)
				continue;
			say("step %zu:", i);
			tree_show(&f->plan, f->pid);
			break;
		}
	}
	EACH(f, all, n)
		forest_destroy(f);
	return ret;
}

TEST_F_TIMEOUT(tree, random, 3 * TEST_TIMEOUT)
{
	int i, n;

	say("%d trees from seed %llu on", self->nr, (unsigned long long)self->seed);
	for (i = 0; i < self->nr; i += n) {
		n = self->nr - i < TOGETHER ? self->nr - i : TOGETHER;
		ASSERT_EQ(0, run_together(self->forest, n, self->seed + i, variant->features,
					  variant->way));
	}
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECKPOINT_TREESTATE_H
#define CHECKPOINT_TREESTATE_H

#include "subject.h"

/* subject_treestate.c: a node of a random tree sets these, and looks again. */
void treestate_set(uint64_t states, uint64_t seed);
void treestate_check(void);

/* subject_treefiles.c: and opens these, which its children have too. */
void treefiles_open(uint64_t files, uint64_t seed);
void treefiles_check(void);

#endif /* CHECKPOINT_TREESTATE_H */

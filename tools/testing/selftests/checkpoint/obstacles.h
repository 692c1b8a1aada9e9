/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECKPOINT_OBSTACLES_H
#define CHECKPOINT_OBSTACLES_H

#include "subject.h"

/* Makes the state; < 0 with errno if this kernel cannot do it. */
struct obstacle {
	const char *name;
	int (*make)(void);
};

extern const struct obstacle file_obstacles[];
extern const struct obstacle other_obstacles[];
extern const struct obstacle further_obstacles[];
extern const struct obstacle more_file_obstacles[];

#endif /* CHECKPOINT_OBSTACLES_H */

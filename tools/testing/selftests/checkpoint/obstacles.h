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
extern const struct obstacle tie_obstacles[];

/* Of a thread of this process; of any process: subject_obstacles3.c */
bool sleeps(pid_t tid);
bool is_in_state(pid_t pid, char state);

#endif /* CHECKPOINT_OBSTACLES_H */

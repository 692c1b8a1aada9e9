/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECKPOINT_STATE_H
#define CHECKPOINT_STATE_H

#include "subject.h"

/**
 * struct state - something that a thread can set about itself
 * @name: of the test
 * @make: sets it; < 0 with errno if this kernel cannot do it
 * @verify: is it as it was set? Called by the same thread.
 */
struct state {
	const char *name;
	int (*make)(void);
	void (*verify)(void);
};

extern const struct state seccomp_states[];
extern const struct state socket_states[];

#define STATE(name)	{ #name, name, name##_check }

#endif /* CHECKPOINT_STATE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Things that a process can have many of.
 */
#ifndef BENCH_THINGS_H
#define BENCH_THINGS_H

#include <stddef.h>

/**
 * struct thing_kind - a kind of things
 * @name: one of them, as the table calls it and --case wants it
 * @make: makes so many, or ends the program
 * @count_wrong: how many are not as they were made; may use them up
 */
struct thing_kind {
	const char *name;
	void (*make)(unsigned long nr);
	unsigned long (*count_wrong)(unsigned long nr);
};

extern const struct thing_kind thing_kinds[];

/* forked.c */
void make_forked(unsigned long nr);
unsigned long wrong_forked(unsigned long nr);

/* NULL: there is none of this name. */
const struct thing_kind *find_thing_kind(const char *name);

#endif /* BENCH_THINGS_H */

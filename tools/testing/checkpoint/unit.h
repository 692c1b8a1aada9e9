/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tests of the image reader, in user space.
 */
#ifndef _UNIT_H
#define _UNIT_H

#include "pieces.h"
#include "walk.h"

/* Both say whether it was so, and remember if not. */
#define EXPECT(cond)		expect((cond), __FILE__, __LINE__, #cond)
#define EXPECT_EQ(have, want)	expect_eq((have), (want), __FILE__, __LINE__, #have)

/* unit.c */
bool expect(bool cond, const char *file, int line, const char *text);
bool expect_eq(long long have, long long want, const char *file, int line,
	       const char *text);
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void run_test(const char *name, void (*test)(const void *arg), const void *arg);
int walk_pieces(const struct image *image);
bool expect_refused(const struct image *image, int error);

/* One function for each file */
void read_tests(void);
void damage_tests(void);
void hostile_tests(void);
void grow_tests(void);
void pack_tests(void);
void check_tests(void);

#endif

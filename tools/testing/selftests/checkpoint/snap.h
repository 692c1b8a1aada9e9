/* SPDX-License-Identifier: GPL-2.0-only */
/* A picture in the making: snapshot.c with what is in snapfiles.c. */
#ifndef CHECKPOINT_SNAP_H
#define CHECKPOINT_SNAP_H

#include <dirent.h>

#include "common.h"

#define SNAP_INODES	8192

/**
 * struct snap - lines of text
 * @text: so far
 * @size: of its memory
 * @used: of that
 * @nr: of @inodes
 * @inodes: those whose numbers are new after a restart: each is called by its place here
 */
struct snap {
	char *text;
	size_t size, used;
	size_t nr;
	struct snap_inode {
		uint64_t dev, ino;
	} inodes[SNAP_INODES];
};

/* snapshot.c */
void add(struct snap *snap, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *proc_file(const char *dir, const char *name, int *len);
int number_order(const struct dirent **a, const struct dirent **b);
int is_number(const struct dirent *entry);

/* snapfiles.c */
int snap_inode(struct snap *snap, uint64_t dev, uint64_t ino);
bool is_nameless(const char *target);
void add_fds(struct snap *snap, const char *dir);
void add_open_files(struct snap *snap, const pid_t *pids, int nr);

#endif /* CHECKPOINT_SNAP_H */

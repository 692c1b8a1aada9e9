/* SPDX-License-Identifier: GPL-2.0-only */
/* The system's pool of huge pages, and its daemon that makes others. */
#ifndef CHECKPOINT_POOL_H
#define CHECKPOINT_POOL_H

#include "common.h"

#define POOL	"/sys/kernel/mm/hugepages/hugepages-2048kB/"

/* A number in a file, or -1. */
long pool_file(const char *path);
/* Waits until a file has this number. */
bool pool_becomes(const char *path, long nr);
/* Sets how many pages there are, and says whether there are that many, all of them free. */
bool set_pool(const char *nr);
/* Waits until none is in use or reserved. */
bool pool_is_unused(void);
/* khugepaged fills no holes: how much is there and is huge could change at any time. */
void leave_small_pages(void);

#endif /* CHECKPOINT_POOL_H */

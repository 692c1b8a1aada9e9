/* SPDX-License-Identifier: GPL-2.0-only */
/* Swap space in memory, and a group of processes whose pages can be sent there. */
#ifndef CHECKPOINT_SWAP_H
#define CHECKPOINT_SWAP_H

#define SWAP_DEVICE	"/dev/ram0"
#define SWAP_GROUP	"/sys/fs/cgroup/ckpt-swap"

/* 3.5 MiB on the device; 0, or -1 with errno set. */
int swap_on(void);
int swap_off(void);
/* The caller and what it starts or restarts is in the group from now on. */
int swap_group_enter(void);
/* The caller leaves the group, which must be empty then, and it is gone. */
int swap_group_leave(void);

#endif /* CHECKPOINT_SWAP_H */

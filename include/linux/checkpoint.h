/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checkpoint and restart: what the rest of the kernel may call.
 */
#ifndef _LINUX_CHECKPOINT_H
#define _LINUX_CHECKPOINT_H

#include <uapi/linux/checkpoint.h>

#endif /* _LINUX_CHECKPOINT_H */

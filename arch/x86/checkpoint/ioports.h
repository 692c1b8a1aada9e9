/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _X86_CHECKPOINT_IOPORTS_H
#define _X86_CHECKPOINT_IOPORTS_H

struct ckpt_task;

int apply_io_ports(struct ckpt_task *t);

#endif /* _X86_CHECKPOINT_IOPORTS_H */

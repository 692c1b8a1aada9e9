/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in the directories of processes and threads in /proc.
 */
#ifndef _CHECKPOINT_FILE_PROCFS_H
#define _CHECKPOINT_FILE_PROCFS_H

#include "../internal.h"

/* procfs_task.c */
struct pid *ckpt_proc_pid(struct file *file);
u32 ckpt_proc_number(struct file *file);
bool ckpt_proc_is_gone(struct pid *pid);
struct ckpt_task *ckpt_proc_task(struct ckpt_ctx *ctx, struct pid *pid);
bool ckpt_proc_may_write(struct file *file, bool of_process);
const char *ckpt_proc_why_not(struct ckpt_ctx *ctx, struct file *file, struct pid *pid);
int ckpt_proc_name(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec, const char *was,
		   char *buf);

/* stand_in.c */
struct file *ckpt_stand_in_open(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec,
				const char *was);

/* procfs.c */
struct file *ckpt_procfs_open(const char *name, u32 nr, const struct ckpt_rec_file *rec);

#endif /* _CHECKPOINT_FILE_PROCFS_H */

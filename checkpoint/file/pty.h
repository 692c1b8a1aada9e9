/* SPDX-License-Identifier: GPL-2.0-only */
/* Terminals: what pty.c, pty_restore.c, pty_end.c and terminal.c share. */
#ifndef _CHECKPOINT_FILE_PTY_H
#define _CHECKPOINT_FILE_PTY_H

#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/tty.h>

struct ckpt_ctx;
struct ckpt_rec_file;
struct ckpt_rec_pty;
struct ckpt_task;
struct file;

#define CKPT_DEV_TTY		MKDEV(TTYAUX_MAJOR, 0)
#define CKPT_DEV_PTMX		MKDEV(TTYAUX_MAJOR, 2)

static inline bool ckpt_is_slave_node(dev_t dev)
{
	return MAJOR(dev) >= UNIX98_PTY_SLAVE_MAJOR &&
	       MAJOR(dev) < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

/* Of a file that is known to be a terminal's. */
static inline struct tty_struct *ckpt_tty_of(struct file *file)
{
	return ((struct tty_file_private *)file->private_data)->tty;
}

/* pty.c */
struct tty_struct *ckpt_pty_of(struct file *file);

/* pty_restore.c */
struct file *ckpt_pty_open(struct ckpt_ctx *ctx, struct ckpt_task *t,
			   const struct ckpt_rec_file *rec, const char *name);
struct file *ckpt_open_node(const char *name, dev_t dev, const struct ckpt_rec_file *rec);

/* pty_end.c */
void ckpt_tty_save_settings(struct tty_struct *tty, struct ckpt_rec_pty *rec);
int ckpt_tty_save_pair(struct tty_struct *master, struct ckpt_rec_pty *rec, u8 *buf, size_t *len);
int ckpt_tty_set_pair(struct tty_struct *master, const struct ckpt_rec_pty *saved,
		      const u8 *buf);

/* terminal.c */
int ckpt_terminal_add(struct ckpt_ctx *ctx, struct tty_struct *tty, u32 session, u32 pgrp,
		      bool outer);
struct tty_struct *ckpt_terminal_of(struct ckpt_ctx *ctx, u32 session);

/* outer_terminal.c */
bool ckpt_is_outer_terminal(struct ckpt_ctx *ctx, struct tty_struct *tty);
void ckpt_outer_collect(struct ckpt_ctx *ctx, struct ckpt_task *t, struct tty_struct *tty,
			bool own);
bool ckpt_outer_give_up(struct tty_struct *tty);

#endif /* _CHECKPOINT_FILE_PTY_H */

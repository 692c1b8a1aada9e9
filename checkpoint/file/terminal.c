// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controlling terminals. That of a session of the tree is mostly a pseudoterminal
 * of the tree: pty.c saves it with the session and its foreground group, which
 * get it back here. One from outside (outer_terminal.c) is the restarter's; so is
 * what was opened there as /dev/tty.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/tty.h>

#include "../internal.h"
#include "pty.h"

/* Restart: the terminal of a session of the tree; @outer: the restarter's. */
struct terminal {
	struct tty_struct *tty;
	bool outer;
	u32 pgrp_nr;
	struct pid *session;
	struct pid *pgrp;
};

static struct tty_struct *get_terminal(struct task_struct *task)
{
	struct tty_struct *tty;
	unsigned long flags;

	if (!lock_task_sighand(task, &flags))
		return NULL;
	tty = tty_kref_get(task->signal->tty);
	unlock_task_sighand(task, &flags);
	return tty;
}

/**
 * ckpt_has_foreground - is a process in the foreground group of its terminal?
 * @task: its leader
 *
 * Context: tasklist_lock is held.
 * Return: true if it is.
 */
bool ckpt_has_foreground(struct task_struct *task)
{
	struct tty_struct *tty = get_terminal(task);
	unsigned long flags;
	bool ret;

	if (!tty)
		return false;
	spin_lock_irqsave(&tty->ctrl.lock, flags);
	ret = tty->ctrl.pgrp == task_pgrp(task);
	spin_unlock_irqrestore(&tty->ctrl.lock, flags);
	tty_kref_put(tty);
	return ret;
}

/**
 * ckpt_terminal_collect - look at the controlling terminal of a process
 * @ctx: context of a save, descriptors counted
 * @t: its leader
 * @own: its session is one of the tree
 */
void ckpt_terminal_collect(struct ckpt_ctx *ctx, struct ckpt_task *t, bool own)
{
	struct tty_struct *tty = get_terminal(t->task);

	if (tty && !(own && ckpt_pty_is_inside(ctx, tty)))
		ckpt_outer_collect(ctx, t, tty, own);
	tty_kref_put(tty);
}

static bool terminal_probe(struct ckpt_task *t, struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISCHR(inode->i_mode) && inode->i_rdev == CKPT_DEV_TTY &&
	       !tty_hung_up_p(file) && ckpt_is_outer_terminal(t->ctx, ckpt_tty_of(file));
}

static int terminal_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			 struct ckpt_rec_file *rec, char *name)
{
	char *found = ckpt_path_name(ctx, &file->f_path, name);

	if (IS_ERR_OR_NULL(found))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_UNREACHABLE, -EOPNOTSUPP,
				  "%pD is outside of the caller's root directory or mounts", file);
	memmove(name, found, strlen(found) + 1);
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	rec->rdev = huge_encode_dev(file_inode(file)->i_rdev);
	return 0;
}

/* The terminal of current is still the restarter's. */
static struct file *terminal_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				     const struct ckpt_rec_file *rec, const char *name)
{
	struct file *file = ckpt_open_node(name, CKPT_DEV_TTY, rec);

	if (IS_ERR(file))
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_EXTERNAL, PTR_ERR(file),
			   "the restarter's terminal has to take the place of %s", name);
	return file;
}

const struct ckpt_file_kind ckpt_terminal_kind = {
	.name = "terminal",
	.kind = CKPT_FILE_TERMINAL,
	.probe = terminal_probe,
	.save = terminal_save,
	.restore = terminal_restore,
};

static void free_terminal(struct terminal *term)
{
	tty_kref_put(term->tty);
	put_pid(term->session);
	put_pid(term->pgrp);
	kfree(term);
}

/**
 * ckpt_terminal_add - remember the controlling terminal of a session
 * @ctx: context of a restart
 * @tty: the terminal
 * @session: number of the session, as saved
 * @pgrp: number of its foreground process group
 * @outer: it is the restarter's
 *
 * Return: 0, -EBADMSG: the session has one already, or -ENOMEM.
 */
int ckpt_terminal_add(struct ckpt_ctx *ctx, struct tty_struct *tty, u32 session, u32 pgrp,
		      bool outer)
{
	struct terminal *term = kzalloc(sizeof(*term), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!term)
		return -ENOMEM;
	term->tty = tty_kref_get(tty);
	term->pgrp_nr = pgrp;
	term->outer = outer;
	ret = xa_insert(&ctx->terminals, session, term, GFP_KERNEL_ACCOUNT);
	if (ret)
		free_terminal(term);
	return ret == -EBUSY ? -EBADMSG : ret;
}

static bool has_terminal(struct ckpt_task *leader)
{
	const struct ckpt_rec_process *p = ckpt_rec_data(leader->process);

	return leader->rec->sid && p->flags & CKPT_PROC_TERMINAL;
}

static int damaged(struct ckpt_ctx *ctx, struct ckpt_task *t, const char *what)
{
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG, "the image has %s", what);
}

/* As tcsetpgrp(3): the group must be one of the session, whose leader is alive. */
static int prepare(struct ckpt_ctx *ctx, struct terminal *term, u32 session)
{
	struct ckpt_task *leader = xa_load(&ctx->task_index, session);

	if (!leader || leader != leader->leader || leader->rec->sid != session ||
	    !leader->main || !has_terminal(leader))
		return damaged(ctx, NULL, "a terminal of an impossible session");
	term->session = get_task_pid(leader->task, PIDTYPE_TGID);
	if (!term->session)
		return -ESRCH;
	return ckpt_session_group(ctx, leader, term->pgrp_nr, &term->pgrp);
}

/**
 * ckpt_terminals_prepare - find the sessions and groups of all terminals
 * @ctx: context of a restart, the tree's groups and sessions known
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_terminals_prepare(struct ckpt_ctx *ctx)
{
	struct terminal *term;
	unsigned long session;
	struct ckpt_task *t;
	int ret;

	xa_for_each(&ctx->terminals, session, term) {
		ret = prepare(ctx, term, session);
		if (ret)
			return ret;
	}
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (has_terminal(t) && !xa_load(&ctx->terminals, t->rec->sid))
			return damaged(ctx, t, "a session without its terminal");
	return 0;
}

/* A session whose leader is about to end has no terminal any more. */
static bool give(struct ckpt_task *t, struct tty_struct *tty)
{
	struct signal_struct *sig = t->task->signal;
	bool leader = t->rec->sid == t->rec->tid;
	unsigned long flags;
	bool ret = false;

	if (!lock_task_sighand(t->task, &flags))
		return false;
	if (!leader || !(t->main->task->flags & PF_EXITING)) {
		sig->tty = tty_kref_get(tty);
		ret = true;
	}
	unlock_task_sighand(t->task, &flags);
	return ret;
}

static void tie(struct ckpt_ctx *ctx, struct terminal *term, u32 session)
{
	struct ckpt_task *leader = xa_load(&ctx->task_index, session), *t;
	struct tty_struct *tty = term->tty;

	/* Who had it open may have been killed meanwhile. */
	if (!tty->count || test_bit(TTY_HUPPED, &tty->flags) ||
	    (term->outer && !ckpt_outer_give_up(tty)) || !give(leader, tty))
		return;
	spin_lock_irq(&tty->ctrl.lock);
	swap(tty->ctrl.session, term->session);
	swap(tty->ctrl.pgrp, term->pgrp);
	spin_unlock_irq(&tty->ctrl.lock);
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (t != leader && t->rec->sid == session && has_terminal(t))
			give(t, tty);
}

/**
 * ckpt_terminals_tie - give all sessions their terminals
 * @ctx: context of a restart; processes are in their sessions, and parked
 *
 * Nothing of it can fail.
 */
void ckpt_terminals_tie(struct ckpt_ctx *ctx)
{
	struct terminal *term;
	unsigned long session;

	xa_for_each(&ctx->terminals, session, term) {
		tty_lock(term->tty);
		read_lock(&tasklist_lock);
		tie(ctx, term, session);
		read_unlock(&tasklist_lock);
		tty_unlock(term->tty);
	}
}

/**
 * ckpt_terminal_of - terminal that a session of the tree has got
 * @ctx: context of a restart, sessions tied
 * @session: number of the session, as saved
 *
 * Return: the terminal, referenced, or NULL: it has none.
 */
struct tty_struct *ckpt_terminal_of(struct ckpt_ctx *ctx, u32 session)
{
	struct ckpt_task *leader = xa_load(&ctx->task_index, session);

	return leader ? get_terminal(leader->task) : NULL;
}

/**
 * ckpt_terminals_forget - drop what is known of terminals
 * @ctx: context
 */
void ckpt_terminals_forget(struct ckpt_ctx *ctx)
{
	struct terminal *term;
	unsigned long session;

	tty_kref_put(ctx->outer_tty);
	ckpt_free_record(ctx->outer_rec);
	xa_for_each(&ctx->terminals, session, term)
		free_terminal(term);
	xa_destroy(&ctx->terminals);
}

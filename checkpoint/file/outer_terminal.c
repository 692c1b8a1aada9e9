// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal from outside, whose other end is not in the tree. Either it is that
 * of a session from outside, of which the tree is a job, or a session of the tree
 * has it. Its settings are saved. In its place comes the restarter's: it is lent
 * to a job, and given to a session if the restarter leads one itself.
 */
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/tty.h>

#include "../internal.h"
#include "pty.h"

static bool has_tty(struct task_struct *task, const struct tty_struct *tty)
{
	return READ_ONCE(task->signal->tty) == tty;
}

/**
 * ckpt_is_outer_terminal - is a terminal from outside that of a process?
 * @ctx: context of a save
 * @tty: the terminal, no pseudoterminal of the tree
 *
 * Return: true if so.
 */
bool ckpt_is_outer_terminal(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	struct ckpt_task *t;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (has_tty(t->task, tty))
			return true;
	return false;
}

static bool has_inner_group(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	struct pid *pgrp = tty_get_pgrp(tty);
	bool ret = pgrp && ckpt_pid_inside(ctx, pgrp, PIDTYPE_PGID);

	put_pid(pgrp);
	return ret;
}

/**
 * ckpt_outer_collect - look at a controlling terminal from outside
 * @ctx: context of a save
 * @t: leader of a process that has it
 * @tty: the terminal
 * @own: the session is one of the tree
 */
void ckpt_outer_collect(struct ckpt_ctx *ctx, struct ckpt_task *t, struct tty_struct *tty,
			bool own)
{
	if (!ctx->outer_tty)
		ctx->outer_tty = tty_kref_get(tty);
	if (ctx->outer_tty != tty)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SESSION,
			      "has a terminal from outside of the tree, %s, and others have another one, %s",
			      tty_name(tty), tty_name(ctx->outer_tty));
	else if (own && !has_inner_group(ctx, tty))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SESSION,
			      "its terminal %s belongs to a process group outside of the tree",
			      tty_name(tty));
}

/* Of a session from outside it counts if a group of the tree, or the root's, has it. */
static bool is_in_foreground(struct ckpt_ctx *ctx)
{
	bool found = false;
	struct ckpt_task *t;

	read_lock(&tasklist_lock);
	for (t = ckpt_next_leader(ctx, NULL); t && !found; t = ckpt_next_leader(ctx, t))
		found = has_tty(t->task, ctx->outer_tty) && ckpt_has_foreground(t->task);
	read_unlock(&tasklist_lock);
	return found;
}

/* Returns -ENOENT: it is of no importance to the tree. */
static int fill_session(struct ckpt_ctx *ctx, struct ckpt_rec_terminal *rec)
{
	struct tty_struct *tty = ctx->outer_tty;
	struct pid *session, *pgrp;
	int ret = 0;

	spin_lock_irq(&tty->ctrl.lock);
	session = get_pid(tty->ctrl.session);
	pgrp = get_pid(tty->ctrl.pgrp);
	spin_unlock_irq(&tty->ctrl.lock);
	if (session && ckpt_pid_inside(ctx, session, PIDTYPE_SID)) {
		rec->session = pid_nr_ns(session, ctx->pidns);
		rec->pgrp = pid_nr_ns(pgrp, ctx->pidns);
		ret = rec->session && rec->pgrp ? 0 : -EBUSY;
	} else if (!is_in_foreground(ctx)) {
		ret = -ENOENT;
	}
	put_pid(session);
	put_pid(pgrp);
	return ret;
}

static void fill_settings(struct tty_struct *tty, struct ckpt_rec_terminal *rec)
{
	down_read(&tty->termios_rwsem);
	rec->iflag = tty->termios.c_iflag;
	rec->oflag = tty->termios.c_oflag;
	rec->lflag = tty->termios.c_lflag;
	memcpy(rec->cc, tty->termios.c_cc, NCCS);
	up_read(&tty->termios_rwsem);
	mutex_lock(&tty->winsize_mutex);
	rec->rows = tty->winsize.ws_row;
	rec->cols = tty->winsize.ws_col;
	rec->xpixel = tty->winsize.ws_xpixel;
	rec->ypixel = tty->winsize.ws_ypixel;
	mutex_unlock(&tty->winsize_mutex);
}

static int outer_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec_terminal rec = {};
	int ret;

	if (t->leader->index || !ctx->outer_tty)
		return 0;
	ret = fill_session(ctx, &rec);
	if (ret == -ENOENT)
		return 0;
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, ret,
				  "its terminal was taken while it was being saved");
	fill_settings(ctx->outer_tty, &rec);
	return ckpt_write_record(ctx, CKPT_REC_TERMINAL, 0, sizeof(rec), &rec, sizeof(rec),
				 NULL, 0);
}

/* Only who leads a session can let another one have its terminal. */
static bool may_give(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	bool ret;

	read_lock(&tasklist_lock);
	spin_lock_irq(&tty->ctrl.lock);
	ret = ctx->caller->signal->leader && tty->ctrl.session == task_session(ctx->caller);
	spin_unlock_irq(&tty->ctrl.lock);
	read_unlock(&tasklist_lock);
	return ret;
}

static int take(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct ckpt_rec_terminal *saved)
{
	/* The terminal of current is still the restarter's. */
	struct tty_struct *tty = get_current_tty();
	int ret;

	if (tty && may_give(ctx, tty)) {
		ret = ckpt_terminal_add(ctx, tty, saved->session, saved->pgrp, true);
		if (ret)
			ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
				   "the image has a terminal that cannot be made");
	} else {
		ret = ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_EXTERNAL, -EBADF,
				 "session %u had a terminal from outside: --pty gives it a new one",
				 saved->session);
	}
	tty_kref_put(tty);
	return ret;
}

static int outer_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_terminal *saved = ckpt_rec_data(rec);

	if (t->index || ctx->outer_rec) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a terminal in a wrong place");
	}
	ctx->outer_rec = rec;
	return saved->session ? take(ctx, t, saved) : 0;
}

const struct ckpt_obj_ops ckpt_outer_terminal_ops = {
	.name = "terminal from outside",
	.rec = CKPT_REC_TERMINAL,
	.save = outer_save,
	.restore = outer_restore,
};

/**
 * ckpt_outer_give_up - let the session of current have a terminal no longer
 * @tty: the terminal
 *
 * As ioctl(2), TIOCNOTTY, but nobody is told, since nobody uses it.
 *
 * Context: tty_lock() and tasklist_lock are held.
 * Return: true if no session has it.
 */
bool ckpt_outer_give_up(struct tty_struct *tty)
{
	struct pid *session = task_session(current);
	struct task_struct *p;
	bool free;

	spin_lock_irq(&tty->ctrl.lock);
	free = !tty->ctrl.session || tty->ctrl.session == session;
	spin_unlock_irq(&tty->ctrl.lock);
	if (!free)
		return false;
	do_each_pid_task(session, PIDTYPE_SID, p) {
		if (has_tty(p, tty))
			proc_clear_tty(p);
	} while_each_pid_task(session, PIDTYPE_SID, p);
	return true;
}

/* The group of the tree that had the terminal from outside, or that of the root. */
static struct pid *group_of_job(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;

	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (t->rec->flags & CKPT_TASKF_FOREGROUND && !t->rec->sid && t->group)
			return get_pid(t->group);
	return NULL;
}

/*
 * As tcsetpgrp(3) of the restarter, which must have the terminal itself. Returns
 * whether it had.
 */
static bool lend(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	struct pid *group = group_of_job(ctx);
	bool had;

	read_lock(&tasklist_lock);
	spin_lock_irq(&tty->ctrl.lock);
	had = tty->ctrl.session == task_session(current) &&
	      tty->ctrl.pgrp == task_pgrp(current);
	if (had && group && pid_has_task(group, PIDTYPE_PGID))
		swap(tty->ctrl.pgrp, group);
	spin_unlock_irq(&tty->ctrl.lock);
	read_unlock(&tasklist_lock);
	put_pid(group);
	return had;
}

/* What tcsetattr(3) may not change stays; so do speed and form of characters. */
static void set_termios(struct tty_struct *tty, const struct ckpt_rec_terminal *saved)
{
	struct ktermios t, locked;
	int i;

	down_read(&tty->termios_rwsem);
	t = tty->termios;
	locked = tty->termios_locked;
	up_read(&tty->termios_rwsem);
	t.c_iflag = (t.c_iflag & locked.c_iflag) | (saved->iflag & ~locked.c_iflag);
	t.c_oflag = (t.c_oflag & locked.c_oflag) | (saved->oflag & ~locked.c_oflag);
	t.c_lflag = (t.c_lflag & locked.c_lflag) | (saved->lflag & ~locked.c_lflag);
	for (i = 0; i < NCCS; i++)
		if (!locked.c_cc[i])
			t.c_cc[i] = saved->cc[i];
	tty_set_termios(tty, &t);
}

/* The window has its own size; one that has none gets the saved. True: another one. */
static bool has_other_size(struct tty_struct *tty, const struct ckpt_rec_terminal *saved)
{
	struct winsize now, was = {
		.ws_row = saved->rows,
		.ws_col = saved->cols,
		.ws_xpixel = saved->xpixel,
		.ws_ypixel = saved->ypixel,
	};

	mutex_lock(&tty->winsize_mutex);
	now = tty->winsize;
	mutex_unlock(&tty->winsize_mutex);
	if (!memcmp(&now, &was, sizeof(was)))
		return false;
	if (now.ws_row || now.ws_col)
		return true;
	if (tty->ops->resize)
		tty->ops->resize(tty, &was);
	else
		tty_do_resize(tty, &was);
	return false;
}

static void settle(struct tty_struct *tty, const struct ckpt_rec_terminal *saved)
{
	bool resized = false;
	struct pid *pgrp;

	tty_lock(tty);
	/* Who had it open may have closed it. */
	if (tty->count && !test_bit(TTY_HUPPED, &tty->flags)) {
		set_termios(tty, saved);
		resized = has_other_size(tty, saved);
	}
	tty_unlock(tty);
	pgrp = resized ? tty_get_pgrp(tty) : NULL;
	if (pgrp)
		kill_pgrp(pgrp, SIGWINCH, 1);
	put_pid(pgrp);
}

/**
 * ckpt_outer_tie - let the tree have the restarter's terminal, with its own settings
 * @ctx: context of a restart; sessions have their terminals, and all are parked
 *
 * Nothing of it can fail.
 */
void ckpt_outer_tie(struct ckpt_ctx *ctx)
{
	const struct ckpt_rec_terminal *saved = ctx->outer_rec ? ckpt_rec_data(ctx->outer_rec) :
						NULL;
	struct tty_struct *tty;
	bool has;

	if (saved && saved->session) {
		tty = ckpt_terminal_of(ctx, saved->session);
		has = tty;
	} else {
		tty = get_current_tty();
		has = tty && lend(ctx, tty);
	}
	if (saved && has)
		settle(tty, saved);
	tty_kref_put(tty);
}

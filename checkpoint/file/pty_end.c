// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ends of a pseudoterminal: settings, input that the line discipline
 * has and nobody has read, echoes under way, and bytes that wait in front of a
 * full line discipline. What one end has written is what the other one has.
 */
#include <linux/checkpoint_state.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tty.h>
#include <linux/tty_flip.h>
#include <linux/tty_ldisc.h>
#include <linux/tty_port.h>
#include <linux/workqueue.h>

#include "../internal.h"
#include "pty.h"

static_assert(N_TTY_BUF_SIZE == CKPT_MAX_TTY_BUFFER);
static_assert(sizeof_field(struct checkpoint_n_tty, read_buf) == CKPT_MAX_TTY_BUFFER);
static_assert(sizeof_field(struct ckpt_rec_pty, cc) >= NCCS);

/**
 * ckpt_tty_save_settings - what tcsetattr(3) and TIOCSWINSZ have set
 * @tty: the slave, which has the settings of the pair
 * @rec: gets them
 */
void ckpt_tty_save_settings(struct tty_struct *tty, struct ckpt_rec_pty *rec)
{
	struct ktermios t, locked;

	down_read(&tty->termios_rwsem);
	t = tty->termios;
	locked = tty->termios_locked;
	up_read(&tty->termios_rwsem);
	rec->iflag = t.c_iflag;
	rec->oflag = t.c_oflag;
	rec->cflag = t.c_cflag;
	rec->lflag = t.c_lflag;
	rec->ispeed = t.c_ispeed;
	rec->ospeed = t.c_ospeed;
	rec->line = t.c_line;
	memcpy(rec->cc, t.c_cc, NCCS);
	rec->locked_iflag = locked.c_iflag;
	rec->locked_oflag = locked.c_oflag;
	rec->locked_cflag = locked.c_cflag;
	rec->locked_lflag = locked.c_lflag;
	rec->locked_line = locked.c_line;
	memcpy(rec->locked_cc, locked.c_cc, NCCS);
	mutex_lock(&tty->winsize_mutex);
	rec->rows = tty->winsize.ws_row;
	rec->cols = tty->winsize.ws_col;
	rec->xpixel = tty->winsize.ws_xpixel;
	rec->ypixel = tty->winsize.ws_ypixel;
	mutex_unlock(&tty->winsize_mutex);
}

static void set_settings(struct tty_struct *slave, const struct ckpt_rec_pty *saved)
{
	struct winsize ws = {
		.ws_row = saved->rows,
		.ws_col = saved->cols,
		.ws_xpixel = saved->xpixel,
		.ws_ypixel = saved->ypixel,
	};
	struct ktermios t = {
		.c_iflag = saved->iflag,
		.c_oflag = saved->oflag,
		.c_cflag = saved->cflag,
		.c_lflag = saved->lflag,
		.c_ispeed = saved->ispeed,
		.c_ospeed = saved->ospeed,
		.c_line = saved->line,
	};
	struct ktermios locked = {
		.c_iflag = saved->locked_iflag,
		.c_oflag = saved->locked_oflag,
		.c_cflag = saved->locked_cflag,
		.c_lflag = saved->locked_lflag,
		.c_line = saved->locked_line,
	};

	memcpy(t.c_cc, saved->cc, NCCS);
	memcpy(locked.c_cc, saved->locked_cc, NCCS);
	tty_set_termios(slave, &t);
	down_write(&slave->termios_rwsem);
	slave->termios_locked = locked;
	up_write(&slave->termios_rwsem);
	tty_do_resize(slave, &ws);
}

/* What waits for room in the line discipline; -EFBIG: more than there can be. */
static int copy_queue(struct tty_struct *tty, u8 *to, u32 *len)
{
	struct tty_bufhead *buf = &tty->port->buf;
	struct tty_buffer *b;
	unsigned int part;
	int ret = 0;

	*len = 0;
	tty_buffer_lock_exclusive(tty->port);
	for (b = buf->head; b && !ret; b = b->next) {
		part = b->commit - b->read;
		if (*len + part > CKPT_MAX_TTY_QUEUE) {
			ret = -EFBIG;
		} else {
			memcpy(to + *len, char_buf_ptr(b, b->read), part);
			*len += part;
		}
	}
	tty_buffer_unlock_exclusive(tty->port);
	return ret;
}

static u32 end_flags(const struct tty_struct *tty, const struct checkpoint_n_tty *state)
{
	return (test_bit(TTY_EXCLUSIVE, &tty->flags) ? CKPT_TTY_EXCLUSIVE : 0) |
	       (tty->flow.stopped ? CKPT_TTY_STOPPED : 0) |
	       (tty->flow.tco_stopped ? CKPT_TTY_TCO_STOPPED : 0) |
	       (state->lnext ? CKPT_TTY_LNEXT : 0) |
	       (state->erasing ? CKPT_TTY_ERASING : 0) |
	       (state->push ? CKPT_TTY_PUSH : 0);
}

static void append(u8 *buf, size_t *len, const void *data, size_t size)
{
	memcpy(buf + *len, data, size);
	*len += size;
}

/* N_TTY, to be released; NULL: it was hung up, and has none; or an ERR_PTR(). */
static struct tty_ldisc *hold_n_tty(struct tty_struct *tty)
{
	struct tty_ldisc *ld = tty_ldisc_ref_wait(tty);

	if (!ld)
		return test_bit(TTY_HUPPED, &tty->flags) ? NULL : ERR_PTR(-EIO);
	if (ld->ops->num == N_TTY)
		return ld;
	tty_ldisc_deref(ld);
	return ERR_PTR(-EIO);
}

static int get_state(struct tty_struct *tty, struct checkpoint_n_tty *state)
{
	struct tty_ldisc *ld = hold_n_tty(tty);

	memset(state, 0, sizeof(*state));
	if (IS_ERR(ld))
		return -EBUSY;
	if (ld) {
		checkpoint_n_tty_get(tty, state);
		tty_ldisc_deref(ld);
	}
	return 0;
}

static int save_end(struct tty_struct *tty, struct checkpoint_n_tty *state,
		    struct ckpt_rec_pty_end *end, u8 *buf, size_t *len)
{
	int ret = get_state(tty, state);

	if (ret)
		return ret;
	*end = (struct ckpt_rec_pty_end){
		.flags = end_flags(tty, state),
		.read_len = state->read_len,
		.canon_len = state->canon_len,
		.commit_len = state->commit_len,
		.echo_len = state->echo_len,
		.echo_commit = state->echo_commit,
		.echo_mark = state->echo_mark,
		.column = state->column,
		.canon_column = state->canon_column,
	};
	append(buf, len, state->read_buf, state->read_len);
	append(buf, len, state->line_ends, DIV_ROUND_UP(state->read_len, 8));
	append(buf, len, state->echo_buf, state->echo_len);
	ret = copy_queue(tty, buf + *len, &end->queue_len);
	*len += end->queue_len;
	return ret;
}

/**
 * ckpt_tty_save_pair - what both ends have
 * @master: the master, whose files are all in the frozen tree
 * @rec: gets lengths
 * @buf: gets the bytes, room for CKPT_MAX_PTY of them
 * @len: bytes of @buf in use
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tty_save_pair(struct tty_struct *master, struct ckpt_rec_pty *rec, u8 *buf, size_t *len)
{
	struct checkpoint_n_tty *state = kmalloc(sizeof(*state), GFP_KERNEL_ACCOUNT);
	struct tty_struct *slave = master->link;
	int ret;

	if (!state)
		return -ENOMEM;
	/* Nobody writes any more: what still moves arrives, then its echo. */
	flush_work(&slave->port->buf.work);
	flush_work(&master->port->buf.work);
	ret = save_end(master, state, &rec->ends[0], buf, len);
	if (!ret)
		ret = save_end(slave, state, &rec->ends[1], buf, len);
	kfree(state);
	return ret;
}

static const u8 *take(void *to, const u8 *from, size_t size)
{
	memcpy(to, from, size);
	return from + size;
}

/* Puts bytes in front of the line discipline; they fit where they have been. */
static int fill_queue(struct tty_struct *tty, const u8 *data, size_t len)
{
	size_t done;

	if (!len)
		return 0;
	done = tty->link->ops->write(tty->link, data, len);
	flush_work(&tty->port->buf.work);
	return done == len ? 0 : -ENOMEM;
}

static int set_state(struct tty_struct *tty, const struct checkpoint_n_tty *state)
{
	struct tty_ldisc *ld = hold_n_tty(tty);

	if (IS_ERR(ld))
		return PTR_ERR(ld);
	if (ld) {
		checkpoint_n_tty_set(tty, state);
		tty_ldisc_deref(ld);
	}
	return 0;
}

/* Returns what follows in the image, or an ERR_PTR(). */
static const u8 *set_end(struct tty_struct *tty, struct checkpoint_n_tty *state,
			 const struct ckpt_rec_pty_end *end, const u8 *buf)
{
	int ret;

	memset(state, 0, sizeof(*state));
	state->read_len = end->read_len;
	state->canon_len = end->canon_len;
	state->commit_len = end->commit_len;
	state->echo_len = end->echo_len;
	state->echo_commit = end->echo_commit;
	state->echo_mark = end->echo_mark;
	state->column = end->column;
	state->canon_column = end->canon_column;
	state->lnext = end->flags & CKPT_TTY_LNEXT;
	state->erasing = end->flags & CKPT_TTY_ERASING;
	state->push = end->flags & CKPT_TTY_PUSH;
	buf = take(state->read_buf, buf, end->read_len);
	buf = take(state->line_ends, buf, DIV_ROUND_UP(end->read_len, 8));
	buf = take(state->echo_buf, buf, end->echo_len);
	ret = set_state(tty, state) ?: fill_queue(tty, buf, end->queue_len);
	return ret ? ERR_PTR(ret) : buf + end->queue_len;
}

/* Without telling a master in packet mode: it knows. */
static void set_flow(struct tty_struct *tty, u32 flags)
{
	spin_lock_irq(&tty->flow.lock);
	tty->flow.stopped = flags & CKPT_TTY_STOPPED;
	tty->flow.tco_stopped = flags & CKPT_TTY_TCO_STOPPED;
	spin_unlock_irq(&tty->flow.lock);
}

static void set_packet_mode(struct tty_struct *master, const struct ckpt_rec_pty *saved)
{
	struct tty_struct *slave = master->link;

	spin_lock_irq(&master->ctrl.lock);
	master->ctrl.packet = saved->flags & CKPT_PTY_PACKET;
	spin_unlock_irq(&master->ctrl.lock);
	spin_lock_irq(&slave->ctrl.lock);
	slave->ctrl.pktstatus = saved->pktstatus;
	spin_unlock_irq(&slave->ctrl.lock);
}

/**
 * ckpt_tty_set_pair - give both ends what they had
 * @master: the master of a new pair
 * @saved: its record, checked
 * @buf: the bytes behind its path
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tty_set_pair(struct tty_struct *master, const struct ckpt_rec_pty *saved, const u8 *buf)
{
	struct checkpoint_n_tty *state = kmalloc(sizeof(*state), GFP_KERNEL_ACCOUNT);
	struct tty_struct *slave = master->link;

	if (!state)
		return -ENOMEM;
	set_settings(slave, saved);
	buf = set_end(master, state, &saved->ends[0], buf);
	if (!IS_ERR(buf))
		buf = set_end(slave, state, &saved->ends[1], buf);
	set_flow(master, saved->ends[0].flags);
	set_flow(slave, saved->ends[1].flags);
	set_packet_mode(master, saved);
	kfree(state);
	return PTR_ERR_OR_ZERO(buf);
}

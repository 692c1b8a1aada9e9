// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: one line each, in the form that CKPT_MSG in the UAPI header
 * describes. They are kept in memory and written when the tree runs again, so
 * that a slow reader of the log does not keep a tree frozen.
 */
#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/pid_namespace.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "internal.h"

static void put_comm(struct seq_buf *s, struct task_struct *task)
{
	char comm[TASK_COMM_LEN];
	char *c;

	get_task_comm(comm, task);
	for (c = comm; *c; c++) {
		if (isgraph(*c) && *c != ':' && *c != '\\')
			seq_buf_putc(s, *c);
		else
			seq_buf_printf(s, "\\x%02x", (u8)*c);
	}
}

static void put_where(struct ckpt_ctx *ctx, struct seq_buf *s, const struct ckpt_where *w)
{
	struct task_struct *task = w->t ? w->t->task : NULL;
	pid_t pid = 0, tid = 0;

	if (task) {
		pid = task_tgid_nr_ns(task, ctx->pidns);
		tid = task_pid_nr_ns(task, ctx->pidns);
	}
	if (w->t && w->t->rec) {
		pid = w->t->rec->tgid;
		tid = w->t->rec->tid;
	}
	seq_buf_printf(s, " pid=%d tid=%d fd=%d start=0x%llx end=0x%llx comm=",
		       pid, tid, w->fd, w->start, w->end);
	if (task)
		put_comm(s, task);
}

static void append(struct ckpt_ctx *ctx, const char *line, size_t len)
{
	spin_lock(&ctx->log_lock);
	if (ctx->log && ctx->log_len + len <= CKPT_LOG_BYTES) {
		memcpy(ctx->log + ctx->log_len, line, len);
		ctx->log_len += len;
	} else {
		ctx->log_lost++;
	}
	spin_unlock(&ctx->log_lock);
}

/* Tasks that are restored run side by side. */
static void make_log(struct ckpt_ctx *ctx)
{
	char *log;

	if (READ_ONCE(ctx->log))
		return;
	log = kvmalloc(CKPT_LOG_BYTES, GFP_KERNEL_ACCOUNT);
	if (cmpxchg(&ctx->log, NULL, log))
		kvfree(log);
}

__printf(6, 0)
static void message(struct ckpt_ctx *ctx, const char *kind, const struct ckpt_where *where,
		    enum ckpt_reason why, int err, const char *fmt, va_list args)
{
	char *line = kmalloc(CKPT_MSG_MAX, GFP_KERNEL);
	struct seq_buf s;
	char *c;

	make_log(ctx);
	if (!line) {
		append(ctx, NULL, CKPT_LOG_BYTES + 1);
		return;
	}
	/* One byte is left for the end of the line. */
	seq_buf_init(&s, line, CKPT_MSG_MAX - 1);
	seq_buf_printf(&s, "%s code=%d err=%d", kind, why, -err);
	put_where(ctx, &s, where);
	seq_buf_puts(&s, ": ");
	seq_buf_vprintf(&s, fmt, args);
	s.len = min(seq_buf_used(&s), CKPT_MSG_MAX - 2U);
	/* File names may hold anything; a message is one line. */
	for (c = line; c < line + s.len; c++)
		if (iscntrl(*c))
			*c = '?';
	line[s.len] = '\n';
	append(ctx, line, s.len + 1);
	kfree(line);
}

/**
 * ckpt_obstacle - report state that cannot be saved
 * @ctx: context
 * @where: what has that state
 * @why: kind of obstacle
 * @fmt: text for people, without the end of the line
 *
 * The search goes on, so that all obstacles are reported.
 *
 * Context: may sleep.
 */
void ckpt_obstacle(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		   enum ckpt_reason why, const char *fmt, ...)
{
	va_list args;

	ctx->nr_obstacles++;
	va_start(args, fmt);
	message(ctx, "obstacle", where, why, -EOPNOTSUPP, fmt, args);
	va_end(args);
}

/**
 * ckpt_error - report what makes the call fail
 * @ctx: context
 * @where: what it is about
 * @why: kind of error
 * @err: negative errno of the call
 * @fmt: text for people, without the end of the line
 *
 * Context: may sleep.
 * Return: @err.
 */
int ckpt_error(struct ckpt_ctx *ctx, const struct ckpt_where *where,
	       enum ckpt_reason why, int err, const char *fmt, ...)
{
	va_list args;

	/* What fails in a task that is being killed is not what killed it. */
	if (current != ctx->caller && fatal_signal_pending(current))
		return err;
	WRITE_ONCE(ctx->explained, true);
	va_start(args, fmt);
	message(ctx, "error", where, why, err, fmt, args);
	va_end(args);
	return err;
}

/**
 * ckpt_unexplained - report what makes the call fail, if nobody has done so
 * @ctx: context
 * @where: what it is about
 * @why: kind of error
 * @err: negative errno of the call
 * @fmt: text for people, without the end of the line
 *
 * For places that know less of it than those from which the error comes, and
 * not for what a signal interrupts.
 *
 * Context: may sleep.
 * Return: @err.
 */
int ckpt_unexplained(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		     enum ckpt_reason why, int err, const char *fmt, ...)
{
	va_list args;

	if (READ_ONCE(ctx->explained) || err == -EINTR ||
	    (current != ctx->caller && fatal_signal_pending(current)))
		return err;
	WRITE_ONCE(ctx->explained, true);
	va_start(args, fmt);
	message(ctx, "error", where, why, err, fmt, args);
	va_end(args);
	return err;
}

/**
 * ckpt_note - report something that is worth knowing
 * @ctx: context
 * @where: what it is about
 * @why: kind of note
 * @fmt: text for people, without the end of the line
 *
 * Context: may sleep.
 */
void ckpt_note(struct ckpt_ctx *ctx, const struct ckpt_where *where,
	       enum ckpt_reason why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(ctx, "note", where, why, 0, fmt, args);
	va_end(args);
}

static void write_line(struct file *log, const char *line, size_t len)
{
	struct kvec kv = { .iov_base = (void *)line, .iov_len = len };
	bool stream = log->f_mode & FMODE_STREAM;
	loff_t pos = stream ? 0 : log->f_pos;
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, &kv, 1, len);
	if (vfs_iter_write(log, &iter, &pos, 0) > 0 && !stream)
		log->f_pos = pos;
}

/**
 * ckpt_flush_log - write the messages, a line at a time
 * @ctx: context, its tree released
 * @log: file open for writing, or NULL
 *
 * Errors of the log are not errors of the call.
 */
void ckpt_flush_log(struct ckpt_ctx *ctx, struct file *log)
{
	char *line = ctx->log;
	char *end, *newline;
	char lost[96];

	if (!log || !line)
		return;
	for (end = line + ctx->log_len; line < end; line = newline + 1) {
		newline = memchr(line, '\n', end - line);
		if (!newline)
			break;
		write_line(log, line, newline + 1 - line);
	}
	if (ctx->log_lost)
		write_line(log, lost,
			   scnprintf(lost, sizeof(lost), "%s comm=: %u more messages\n",
				     "note code=0 err=0 pid=0 tid=0 fd=-1 start=0x0 end=0x0",
				     ctx->log_lost));
}

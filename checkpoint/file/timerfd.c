// SPDX-License-Identifier: GPL-2.0-only
/*
 * timerfd_create(2): clock, expiry, interval, expiries that were not read, and
 * whether it is canceled when the clock is set. A timer that was set to a time
 * of day still expires then; all others have the time left that they had. So
 * does one with an interval that has expired and was not read: what it missed
 * is counted from there, without the time in which the process did not exist.
 *
 * Timers are started just before the tree is released.
 */
#include <linux/checkpoint_state.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/timekeeping.h>
#include <linux/timerfd.h>

#include <asm/unistd.h>

#include "event.h"

static const struct {
	int timerfd;
	u32 saved;
} settime_flags[] = {
	{ TFD_TIMER_ABSTIME, CKPT_EVENT_FLAG_ABSTIME },
	{ TFD_TIMER_CANCEL_ON_SET, CKPT_EVENT_FLAG_CANCEL },
};

static bool timerfd_probe(struct ckpt_task *t, struct file *file)
{
	struct checkpoint_timerfd state;

	return checkpoint_timerfd_show(file, &state);
}

/* A relative timer of CLOCK_REALTIME goes by CLOCK_MONOTONIC. */
static bool is_absolute(const struct checkpoint_timerfd *state)
{
	if (state->clock == CLOCK_REALTIME)
		return state->base == CLOCK_REALTIME;
	return state->clock == CLOCK_REALTIME_ALARM && state->flags & TFD_TIMER_ABSTIME;
}

static u32 save_flags(const struct checkpoint_timerfd *state)
{
	u32 flags = (state->armed ? CKPT_EVENT_ARMED : 0) |
		    (state->expired ? CKPT_EVENT_EXPIRED : 0) |
		    (is_absolute(state) ? CKPT_EVENT_ABSOLUTE : 0) |
		    (state->cancel ? CKPT_EVENT_CANCEL : 0) |
		    (state->canceled ? CKPT_EVENT_CANCELED : 0);
	int i;

	for (i = 0; i < ARRAY_SIZE(settime_flags); i++)
		if (state->flags & settime_flags[i].timerfd)
			flags |= settime_flags[i].saved;
	return flags;
}

static int timerfd_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			struct ckpt_rec_file *rec, char *name)
{
	struct ckpt_rec_event event = { .kind = CKPT_FILE_TIMERFD };
	struct checkpoint_timerfd state;

	if (!checkpoint_timerfd_show(file, &state))
		return -EBUSY;
	event.flags = save_flags(&state);
	event.clock = state.clock;
	event.value = state.ticks;
	event.interval_ns = state.interval;
	/* Of one that is at rest nobody can ask it. */
	if (state.armed || state.expired)
		event.expires_ns = is_absolute(&state) ? state.expires : state.left;
	return ckpt_event_save(ctx, file->private_data, &event, rec, name);
}

/**
 * ckpt_timerfd_create - make a timerfd, not started yet
 * @rec: its record
 *
 * Return: the file, or an ERR_PTR().
 */
struct file *ckpt_timerfd_create(const struct ckpt_rec_event *rec)
{
	struct checkpoint_timerfd state = {
		.clock = rec->clock,
		.base = rec->clock,
		.ticks = rec->value,
		.interval = rec->interval_ns,
		.expired = rec->flags & CKPT_EVENT_EXPIRED,
		.cancel = rec->flags & CKPT_EVENT_CANCEL,
		.canceled = rec->flags & CKPT_EVENT_CANCELED,
	};
	struct file *file;
	int i;

	if (rec->clock == CLOCK_REALTIME && !(rec->flags & CKPT_EVENT_ABSOLUTE))
		state.base = CLOCK_MONOTONIC;
	for (i = 0; i < ARRAY_SIZE(settime_flags); i++)
		if (rec->flags & settime_flags[i].saved)
			state.flags |= settime_flags[i].timerfd;
	file = ckpt_event_open(__NR_timerfd_create, rec->clock, 0);
	if (!IS_ERR(file))
		checkpoint_timerfd_set(file, &state);
	return file;
}

/* The clock by which a relative timer goes. */
static ktime_t clock_now(u32 clock)
{
	switch (clock) {
	case CLOCK_REALTIME_ALARM:
		return ktime_get_real();
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return ktime_get_boottime();
	}
	return ktime_get();
}

static int start(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_event *event = obj;
	const struct ckpt_rec_event *rec = ckpt_rec_data(event->rec);
	ktime_t expires = rec->expires_ns;

	if (rec->kind != CKPT_FILE_TIMERFD ||
	    !(rec->flags & (CKPT_EVENT_ARMED | CKPT_EVENT_EXPIRED)))
		return 0;
	if (!(rec->flags & CKPT_EVENT_ABSOLUTE))
		expires = ckpt_time_after(clock_now(rec->clock), expires);
	checkpoint_timerfd_start(event->file, expires, rec->flags & CKPT_EVENT_ARMED);
	return 0;
}

/**
 * ckpt_timerfds_commit - start all timers
 * @ctx: context of a restart; the tree is complete
 */
void ckpt_timerfds_commit(struct ckpt_ctx *ctx)
{
	ckpt_each_tag(ctx, &ckpt_event_ops, start, NULL);
}

const struct ckpt_file_kind ckpt_timerfd_kind = {
	.name = "timerfd",
	.kind = CKPT_FILE_TIMERFD,
	.probe = timerfd_probe,
	.collect = ckpt_event_collect,
	.save = timerfd_save,
	.restore = ckpt_event_restore,
};

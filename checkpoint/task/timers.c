// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interval timers of setitimer(2) and alarm(2). Those of processor time
 * expire at a value of the process's clock, which is restored as well; the
 * real one has the time left that it had, and the time in which the process
 * did not exist does not count.
 *
 * A frozen process's real timer runs on, and may expire between the moment at
 * which it is saved and that at which pending signals are. The record tells
 * whether its signal was there before; one that came later does not count.
 *
 * Timers are set up when all tasks of the restart are complete, just before
 * they are released.
 */
#include <linux/hrtimer.h>
#include <linux/posix-timers.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/time.h>

#include "../internal.h"

/* A time of which an image has the low 63 bits: 292 years. */
static s64 limit(u64 ns)
{
	return min_t(u64, ns, S64_MAX);
}

static void save_real(struct signal_struct *sig, struct ckpt_rec_timers *rec)
{
	struct hrtimer *timer = &sig->real_timer;
	bool pending = sigismember(&sig->shared_pending.signal, SIGALRM);

	/* Its function may wait for the lock that we hold, to send the signal. */
	if (hrtimer_is_queued(timer) || (hrtimer_callback_running(timer) && !pending))
		rec->flags |= CKPT_TIMERS_REAL_ARMED;
	if (pending)
		rec->flags |= CKPT_TIMERS_ALARM_PENDING;
	rec->real_interval_ns = sig->it_real_incr;
	rec->real_left_ns = hrtimer_get_remaining(timer);
}

static int timers_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct signal_struct *sig = t->task->signal;
	struct ckpt_rec_timers rec = {};
	unsigned long flags;

	if (!lock_task_sighand(t->task, &flags))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH, "was killed");
	save_real(sig, &rec);
	rec.virtual_expires_ns = limit(sig->it[CPUCLOCK_VIRT].expires);
	rec.virtual_interval_ns = limit(sig->it[CPUCLOCK_VIRT].incr);
	rec.prof_expires_ns = limit(sig->it[CPUCLOCK_PROF].expires);
	rec.prof_interval_ns = limit(sig->it[CPUCLOCK_PROF].incr);
	rec.next_posix_id = sig->next_posix_timer_id;
	unlock_task_sighand(t->task, &flags);
	return ckpt_write_record(ctx, CKPT_REC_TIMERS, 0, sizeof(rec), &rec, sizeof(rec),
				 NULL, 0);
}

static int timers_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	if (t->timers) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has timers in a wrong place");
	}
	t->timers = rec;
	return 0;
}

/**
 * ckpt_time_after - a time that is left, as a time of a clock
 * @now: the clock's time
 * @left: time left, from an image; negative: since then
 *
 * Return: the time.
 */
ktime_t ckpt_time_after(ktime_t now, s64 left)
{
	return left < 0 ? now + left : ktime_add_safe(now, left);
}

static void start_real(struct signal_struct *sig, const struct ckpt_rec_timers *rec)
{
	struct hrtimer *timer = &sig->real_timer;

	sig->it_real_incr = rec->real_interval_ns;
	hrtimer_set_expires(timer, ckpt_time_after(ktime_get(), rec->real_left_ns));
	if (rec->flags & CKPT_TIMERS_REAL_ARMED)
		hrtimer_start_expires(timer, HRTIMER_MODE_ABS);
}

static void start_cpu(struct task_struct *task, unsigned int clock, u64 expires, u64 interval)
{
	struct cpu_itimer *it = &task->signal->it[clock];

	it->expires = expires;
	it->incr = interval;
	if (expires)
		set_process_cpu_timer(task, clock, &expires, NULL);
}

/**
 * ckpt_timers_commit - set up and start the interval timers of a process
 * @t: its leader; what it has used is restored, it sleeps
 *
 * Context: process context; takes siglock.
 */
void ckpt_timers_commit(struct ckpt_task *t)
{
	const struct ckpt_rec_timers *rec;
	struct task_struct *task = t->task;
	unsigned long flags;

	if (!t->timers || !lock_task_sighand(task, &flags))
		return;
	rec = ckpt_rec_data(t->timers);
	start_real(task->signal, rec);
	start_cpu(task, CPUCLOCK_VIRT, rec->virtual_expires_ns, rec->virtual_interval_ns);
	start_cpu(task, CPUCLOCK_PROF, rec->prof_expires_ns, rec->prof_interval_ns);
	unlock_task_sighand(task, &flags);
}

/**
 * ckpt_alarm_counts - is a pending SIGALRM part of the saved state?
 * @leader: leader of the process for which it is pending
 * @info: its information, NULL: none
 *
 * Return: false if it is of an expiry that is still to come in the image.
 */
bool ckpt_alarm_counts(struct ckpt_task *leader, const struct kernel_siginfo *info)
{
	const struct ckpt_rec_timers *rec;

	if (!leader->timers)
		return true;
	rec = ckpt_rec_data(leader->timers);
	return rec->flags & CKPT_TIMERS_ALARM_PENDING ||
	       !(rec->flags & CKPT_TIMERS_REAL_ARMED) || (info && info->si_code != SI_KERNEL);
}

const struct ckpt_obj_ops ckpt_timers_ops = {
	.name = "interval timers",
	.rec = CKPT_REC_TIMERS,
	.save = timers_save,
	.restore = timers_restore,
};

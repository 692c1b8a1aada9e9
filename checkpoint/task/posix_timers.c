// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timers of timer_create(2), with their ids, clocks, signals and overruns.
 *
 * Those of processor time expire at a value of their clock, which is restored
 * as well. A timer that expires at a time of day (CLOCK_REALTIME with
 * TIMER_ABSTIME, CLOCK_TAI, CLOCK_REALTIME_ALARM) still does. All others have
 * the time left that they had: nobody else's CLOCK_MONOTONIC is as it was.
 * With CLOCK_TAI and the alarm clocks the kernel does not know whether a timer
 * was set with TIMER_ABSTIME.
 *
 * A timer has one signal, which is pending or not. It is saved with the timer,
 * in one moment; its place among the pending signals is in their record, and
 * counts only if the timer says that its signal was pending. So one that
 * expires in a frozen process while that is being saved expires once.
 *
 * Timers are created when all tasks exist, and set just before these are
 * released. They cannot go away in between: none of them runs.
 */
#include <linux/alarmtimer.h>
#include <linux/bsearch.h>
#include <linux/checkpoint_state.h>
#include <linux/hrtimer.h>
#include <linux/posix-timers.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/time.h>

#include "../../kernel/time/posix-timers.h"
#include "../internal.h"

static_assert(CPUCLOCK_PROF == 0 && CPUCLOCK_VIRT == 1 && CPUCLOCK_SCHED == 2);
static_assert(CKPT_CLOCK_WHICH == CPUCLOCK_CLOCK_MASK);

static bool is_cpu_clock(clockid_t clock)
{
	return clock < 0;
}

static bool is_alarm_clock(clockid_t clock)
{
	return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

/* The task or, for a process, the leader whose time a timer measures, or NULL. */
static struct task_struct *clock_owner(struct k_itimer *timer)
{
	return pid_task(timer->it.cpu.pid,
			CPUCLOCK_PERTHREAD(timer->it_clock) ? PIDTYPE_PID : PIDTYPE_TGID);
}

static const char *const obstacles[] = {
	"of the processor time of a process or thread that is gone",
	"of the processor time of a process outside of the tree",
	"that notifies a thread that is gone",
};

/*
 * Why a timer cannot be saved, or -1. Called with siglock held, under RCU. A process
 * may measure the time of any other as a whole; of the tree we know what that has used.
 */
static int find_obstacle(struct ckpt_ctx *ctx, struct task_struct *task, struct k_itimer *timer)
{
	struct task_struct *owner;
	struct ckpt_task *t;

	if (is_cpu_clock(timer->it_clock)) {
		owner = clock_owner(timer);
		t = owner ? xa_load(&ctx->task_index, owner->pid) : NULL;
		if (!owner || (t && !t->leader->main))
			return 0;
		if (!t)
			return 1;
	}
	if (timer->it_sigev_notify & SIGEV_THREAD_ID && !pid_task(timer->it_pid, PIDTYPE_PID))
		return 2;
	return -1;
}

static int posix_timers_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	int ids[ARRAY_SIZE(obstacles)] = {}, found[ARRAY_SIZE(obstacles)] = {};
	struct k_itimer *timer;
	unsigned long flags;
	int i;

	rcu_read_lock();
	if (lock_task_sighand(t->task, &flags)) {
		hlist_for_each_entry(timer, &t->task->signal->posix_timers, list) {
			i = find_obstacle(ctx, t->task, timer);
			if (i < 0)
				continue;
			ids[i] = timer->it_id;
			found[i]++;
		}
		unlock_task_sighand(t->task, &flags);
	}
	rcu_read_unlock();
	for (i = 0; i < ARRAY_SIZE(obstacles); i++)
		if (found[i])
			ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_TIMER,
				      "has %d POSIX timers (such as %d) %s", found[i], ids[i],
				      obstacles[i]);
	return 0;
}

static u32 save_clock(clockid_t clock)
{
	if (!is_cpu_clock(clock))
		return clock;
	return CKPT_CLOCK_CPU | CPUCLOCK_WHICH(clock) |
	       (CPUCLOCK_PERTHREAD(clock) ? CKPT_CLOCK_THREAD : 0) |
	       (CPUCLOCK_PID(clock) ? CKPT_CLOCK_BY_ID : 0);
}

static ktime_t clock_now(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return ktime_get_real();
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return ktime_get_boottime();
	case CLOCK_TAI:
		return ktime_get_clocktai();
	}
	return ktime_get();
}

static bool is_settable(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

static void save_expiry(struct k_itimer *timer, struct ckpt_rec_posix_timer *rec)
{
	struct hrtimer *hrtimer = &timer->it.real.timer;
	clockid_t clock = timer->it_clock;

	if (is_cpu_clock(clock)) {
		rec->flags |= CKPT_TIMER_ABSOLUTE;
		rec->expires_ns = min_t(u64, cpu_timer_getexpires(&timer->it.cpu), S64_MAX);
		return;
	}
	if (is_alarm_clock(clock)) {
		rec->expires_ns = timer->it.alarm.alarmtimer.node.expires;
	} else {
		/* A relative one of CLOCK_REALTIME goes by CLOCK_MONOTONIC. */
		clock = READ_ONCE(hrtimer->base)->clockid;
		rec->expires_ns = hrtimer_get_expires(hrtimer);
	}
	if (is_settable(clock))
		rec->flags |= CKPT_TIMER_ABSOLUTE;
	else
		rec->expires_ns -= clock_now(clock);
}

static void save_signal(struct task_struct *task, struct k_itimer *timer,
			struct ckpt_rec_posix_timer *rec)
{
	const struct kernel_siginfo *info = &timer->sigq->info;
	unsigned long flags;

	rec->signo = info->si_signo;
	rec->value = (unsigned long)info->si_value.sival_ptr;
	if (timer->it_requeue_pending & REQUEUE_PENDING)
		rec->flags |= CKPT_TIMER_EXPIRED;
	/* One that is being killed needs no signals any more. */
	if (!lock_task_sighand(task, &flags))
		return;
	if (!list_empty(&timer->sigq->list)) {
		rec->flags |= CKPT_TIMER_QUEUED;
		rec->signal_overrun = info->si_overrun;
		if (rec->flags & CKPT_TIMER_EXPIRED &&
		    info->si_sys_private == timer->it_requeue_pending)
			rec->flags |= CKPT_TIMER_REARM;
	}
	unlock_task_sighand(task, &flags);
}

static s64 limit_overrun(s64 overrun)
{
	return min_t(s64, overrun, CKPT_MAX_COUNT / 2);
}

/* Called with the timer's lock held. */
static void save_timer(struct ckpt_ctx *ctx, struct task_struct *task, struct k_itimer *timer,
		       struct ckpt_rec_posix_timer *rec)
{
	rec->id = timer->it_id;
	rec->clock = save_clock(timer->it_clock);
	if (is_cpu_clock(timer->it_clock))
		rec->clock_tid = pid_nr_ns(timer->it.cpu.pid, ctx->pidns);
	rec->notify = timer->it_sigev_notify;
	if (timer->it_sigev_notify & SIGEV_THREAD_ID)
		rec->notify_tid = pid_nr_ns(timer->it_pid, ctx->pidns);
	if (timer->it_active)
		rec->flags |= CKPT_TIMER_ACTIVE;
	rec->interval_ns = timer->it_interval;
	rec->overrun = limit_overrun(timer->it_overrun);
	rec->overrun_last = limit_overrun(timer->it_overrun_last);
	save_signal(task, timer, rec);
	save_expiry(timer, rec);
}

static u32 list_timers(struct task_struct *task, struct k_itimer **timers, u32 max)
{
	struct k_itimer *timer;
	unsigned long flags;
	u32 nr = 0;

	if (!lock_task_sighand(task, &flags))
		return 0;
	hlist_for_each_entry(timer, &task->signal->posix_timers, list) {
		if (timers && nr == max)
			break;
		if (timers)
			timers[nr] = timer;
		nr++;
	}
	unlock_task_sighand(task, &flags);
	return nr;
}

static int compare_ids(const void *a, const void *b)
{
	const struct ckpt_rec_posix_timer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Timers of a process that is killed meanwhile go away: RCU keeps the memory. */
static u32 save_timers(struct ckpt_ctx *ctx, struct task_struct *task,
		       struct ckpt_rec_posix_timer *recs, struct k_itimer **timers, u32 max)
{
	unsigned long flags;
	u32 i, listed, nr = 0;

	rcu_read_lock();
	listed = list_timers(task, timers, max);
	for (i = 0; i < listed; i++) {
		spin_lock_irqsave(&timers[i]->it_lock, flags);
		if (READ_ONCE(timers[i]->it_signal) == task->signal)
			save_timer(ctx, task, timers[i], &recs[nr++]);
		spin_unlock_irqrestore(&timers[i]->it_lock, flags);
	}
	rcu_read_unlock();
	sort(recs, nr, sizeof(*recs), compare_ids, NULL);
	return nr;
}

static int posix_timers_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	u32 max = list_timers(t->task, NULL, 0);
	struct ckpt_rec_posix_timer *recs;
	struct k_itimer **timers;
	int ret = -ENOMEM;
	u32 nr;

	if (!max)
		return 0;
	if (max > CKPT_MAX_POSIX_TIMERS)
		return -E2BIG;
	recs = kvcalloc(max, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	timers = kvmalloc_array(max, sizeof(*timers), GFP_KERNEL_ACCOUNT);
	if (recs && timers) {
		nr = save_timers(ctx, t->task, recs, timers, max);
		ret = ckpt_write_record(ctx, CKPT_REC_POSIX_TIMERS, 0, sizeof(*recs), recs,
					nr * sizeof(*recs), NULL, 0);
	}
	kvfree(timers);
	kvfree(recs);
	return ret;
}

static int posix_timers_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	if (t->posix_timers) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has POSIX timers in a wrong place");
	}
	t->posix_timers = rec;
	return 0;
}

/* The id that a thread of the image's process has for current, 0: it has no such. */
static pid_t thread_nr(struct ckpt_ctx *ctx, struct ckpt_task *leader, u32 tid)
{
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (t->leader == leader && t->rec->tid == tid)
			return t == leader ? task_pid_vnr(current) :
					     ckpt_pid_for_current(ctx, t->nr);
	}
	return 0;
}

/* The id that a clock's owner has for current, 0: no such timer can have been saved. */
static pid_t clock_nr(struct ckpt_ctx *ctx, struct ckpt_task *leader,
		      const struct ckpt_rec_posix_timer *rec)
{
	struct ckpt_task *t;

	if (rec->clock & CKPT_CLOCK_THREAD)
		return thread_nr(ctx, leader, rec->clock_tid);
	t = xa_load(&ctx->task_index, rec->clock_tid);
	if (t == leader)
		return task_pid_vnr(current);
	if (!t || t != t->leader || !t->main || !(rec->clock & CKPT_CLOCK_BY_ID))
		return 0;
	return ckpt_pid_for_current(ctx, t->nr);
}

static clockid_t cpu_clock_id(const struct ckpt_rec_posix_timer *rec, pid_t nr)
{
	clockid_t which = rec->clock & CKPT_CLOCK_WHICH;

	return rec->clock & CKPT_CLOCK_THREAD ? make_thread_cpuclock(nr, which) :
						make_process_cpuclock(nr, which);
}

static struct k_itimer *create_timer(struct ckpt_ctx *ctx, struct ckpt_task *leader,
				     const struct ckpt_rec_posix_timer *rec)
{
	clockid_t clock = rec->clock;
	sigevent_t event = {
		.sigev_notify = rec->notify,
		.sigev_signo = rec->signo,
		.sigev_value.sival_ptr = u64_to_user_ptr(rec->value),
	};
	struct k_itimer *timer;
	pid_t nr;

	if (rec->clock & CKPT_CLOCK_CPU) {
		nr = clock_nr(ctx, leader, rec);
		if (!nr)
			return ERR_PTR(-EBADMSG);
		clock = cpu_clock_id(rec, nr);
	}
	if (rec->notify_tid) {
		event.sigev_notify_thread_id = thread_nr(ctx, leader, rec->notify_tid);
		if (!event.sigev_notify_thread_id)
			return ERR_PTR(-EBADMSG);
	}
	timer = checkpoint_timer_create(clock, rec->id, &event);
	/* A number without an id meant the thread that created it, or its process. */
	if (!IS_ERR(timer) && rec->clock & CKPT_CLOCK_CPU && !(rec->clock & CKPT_CLOCK_BY_ID))
		timer->it_clock = cpu_clock_id(rec, 0);
	return timer;
}

static int create_error(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 id, int err)
{
	int why = err == -EBADMSG ? CKPT_WHY_IMAGE : err == -EPERM ? CKPT_WHY_PERMISSION :
		  err == -EAGAIN ? CKPT_WHY_LIMIT : CKPT_WHY_TIMER;

	return ckpt_error(ctx, CKPT_AT(t), why, err, "POSIX timer %u cannot be created", id);
}

/**
 * ckpt_posix_timers_create - create the timers of a process, not armed
 * @ctx: context
 * @leader: current; the tree exists, limits and identity are the caller's
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_posix_timers_create(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	const struct ckpt_rec_posix_timer *recs;
	const struct ckpt_rec_timers *timers;
	struct rlimit *limit = &current->signal->rlim[RLIMIT_SIGPENDING];
	struct k_itimer *timer;
	u64 i, nr;

	if (leader->posix_timers) {
		recs = ckpt_rec_data(leader->posix_timers);
		nr = ckpt_rec_count(leader->posix_timers);
		leader->k_timers = kvcalloc(nr, sizeof(*leader->k_timers), GFP_KERNEL_ACCOUNT);
		if (!leader->k_timers)
			return create_error(ctx, leader, 0, -ENOMEM);
		/* The limit may have been lowered since; its own one is set later. */
		task_lock(current->group_leader);
		limit->rlim_cur = limit->rlim_max;
		task_unlock(current->group_leader);
		for (i = 0; i < nr; i++) {
			timer = create_timer(ctx, leader, &recs[i]);
			if (IS_ERR(timer))
				return create_error(ctx, leader, recs[i].id, PTR_ERR(timer));
			leader->k_timers[i] = timer;
		}
	}
	if (leader->timers) {
		timers = ckpt_rec_data(leader->timers);
		current->signal->next_posix_timer_id = timers->next_posix_id;
	}
	return 0;
}

static void start_hrtimer(struct k_itimer *timer, const struct ckpt_rec_posix_timer *rec)
{
	struct hrtimer *hrtimer = &timer->it.real.timer;
	bool absolute = rec->flags & CKPT_TIMER_ABSOLUTE;
	ktime_t expires = rec->expires_ns;

	/* Prepares it for the right clock, and does not start it yet. */
	timer->kclock->timer_arm(timer, 0, absolute, true);
	if (!absolute)
		expires = ckpt_time_after(clock_now(hrtimer->base->clockid), expires);
	hrtimer_set_expires(hrtimer, expires);
	if (rec->flags & CKPT_TIMER_ACTIVE)
		hrtimer_start_expires(hrtimer, HRTIMER_MODE_ABS);
}

static void start_alarm(struct k_itimer *timer, const struct ckpt_rec_posix_timer *rec)
{
	struct alarm *alarm = &timer->it.alarm.alarmtimer;
	ktime_t expires = rec->expires_ns;

	if (!(rec->flags & CKPT_TIMER_ABSOLUTE))
		expires = ckpt_time_after(clock_now(timer->it_clock), expires);
	alarm->node.expires = expires;
	if (rec->flags & CKPT_TIMER_ACTIVE)
		alarm_start(alarm, expires);
}

/* Without an interval, arming it again leaves the expiry as it is. */
static void start_cpu_timer(struct k_itimer *timer, const struct ckpt_rec_posix_timer *rec)
{
	timer->it_interval = 0;
	cpu_timer_setexpires(&timer->it.cpu, rec->expires_ns);
	if (rec->flags & CKPT_TIMER_ACTIVE)
		timer->kclock->timer_rearm(timer);
}

static void start_timer(struct k_itimer *timer, const struct ckpt_rec_posix_timer *rec)
{
	unsigned long flags;

	spin_lock_irqsave(&timer->it_lock, flags);
	if (is_cpu_clock(timer->it_clock))
		start_cpu_timer(timer, rec);
	else if (is_alarm_clock(timer->it_clock))
		start_alarm(timer, rec);
	else
		start_hrtimer(timer, rec);
	timer->it_active = !!(rec->flags & CKPT_TIMER_ACTIVE);
	timer->it_interval = rec->interval_ns;
	timer->it_overrun = rec->overrun;
	timer->it_overrun_last = rec->overrun_last;
	timer->it_requeue_pending = rec->flags & CKPT_TIMER_EXPIRED ? REQUEUE_PENDING : 0;
	timer->sigq->info.si_overrun = rec->signal_overrun;
	timer->sigq->info.si_sys_private =
		rec->flags & CKPT_TIMER_REARM ? timer->it_requeue_pending : 0;
	spin_unlock_irqrestore(&timer->it_lock, flags);
}

/**
 * ckpt_posix_timer_signal - the pending signal of a restored timer
 * @leader: leader of its process, all of whose threads sleep
 * @id: the timer
 *
 * Return: its entry for a queue, in no queue yet; NULL: there is no such timer,
 * or its signal was not pending.
 */
struct sigqueue *ckpt_posix_timer_signal(struct ckpt_task *leader, int id)
{
	const struct ckpt_rec_posix_timer key = { .id = id }, *recs, *found;

	if (!leader->posix_timers)
		return NULL;
	recs = ckpt_rec_data(leader->posix_timers);
	found = bsearch(&key, recs, ckpt_rec_count(leader->posix_timers), sizeof(*recs),
			compare_ids);
	if (!found || !(found->flags & CKPT_TIMER_QUEUED))
		return NULL;
	return leader->k_timers[found - recs]->sigq;
}

/**
 * ckpt_posix_timers_commit - start the timers of a process
 * @leader: its leader, all of whose threads sleep; its signals are queued
 *
 * Context: process context; takes locks of timers and siglock.
 */
void ckpt_posix_timers_commit(struct ckpt_task *leader)
{
	const struct ckpt_rec_posix_timer *recs;
	u64 i, nr;

	if (!leader->posix_timers || !leader->k_timers)
		return;
	recs = ckpt_rec_data(leader->posix_timers);
	nr = ckpt_rec_count(leader->posix_timers);
	for (i = 0; i < nr; i++)
		start_timer(leader->k_timers[i], &recs[i]);
}

const struct ckpt_obj_ops ckpt_posix_timers_ops = {
	.name = "POSIX timers",
	.rec = CKPT_REC_POSIX_TIMERS,
	.collect = posix_timers_collect,
	.save = posix_timers_save,
	.restore = posix_timers_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process and each of its threads have used: processor time, page
 * faults, context switches, input and output, age. Processor time clocks, and
 * with them timers and RLIMIT_CPU, go on from the saved values; so do
 * getrusage(2), times(2) and what /proc tells. What the restart itself uses up
 * in the tasks does not count, nor does the time in which they did not exist.
 *
 * The numbers are set in the last moment, on tasks that sleep and will not run
 * before they are released: nobody else changes them.
 *
 * Deliberately fresh: delay accounting, scheduler statistics, the pressure of
 * the control group, high-water marks of the address space.
 */
#include <linux/checkpoint_state.h>
#include <linux/mm.h>
#include <linux/posix-timers.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>

#include "../internal.h"
#include "../optional.h"

#define KB_PER_PAGE	(PAGE_SIZE / 1024)

/* No number of a real process is that large, but a reader must believe all. */
static void limit(void *counts, size_t len)
{
	u64 *count = counts;

	for (; len; len -= sizeof(*count), count++)
		*count = min_t(u64, *count, CKPT_MAX_COUNT);
}

static void save_shown(struct prev_cputime *prev, struct ckpt_rec_counters *c)
{
	raw_spin_lock_irq(&prev->lock);
	c->shown_utime_ns = prev->utime;
	c->shown_stime_ns = prev->stime;
	raw_spin_unlock_irq(&prev->lock);
}

static void set_shown(struct prev_cputime *prev, const struct ckpt_rec_counters *c)
{
	raw_spin_lock_irq(&prev->lock);
	prev->utime = c->shown_utime_ns;
	prev->stime = c->shown_stime_ns;
	raw_spin_unlock_irq(&prev->lock);
}

static void save_dead(struct signal_struct *sig, struct ckpt_rec_usage *rec)
{
	struct ckpt_rec_counters *c = &rec->dead;

	c->utime_ns = sig->utime;
	c->stime_ns = sig->stime;
	c->gtime_ns = sig->gtime;
	c->runtime_ns = sig->sum_sched_runtime;
	c->min_flt = sig->min_flt;
	c->maj_flt = sig->maj_flt;
	c->nvcsw = sig->nvcsw;
	c->nivcsw = sig->nivcsw;
	ckpt_save_io(&sig->ioac, c);
	rec->inblock = sig->inblock;
	rec->oublock = sig->oublock;
}

static void save_children(struct signal_struct *sig, struct ckpt_rec_usage *rec)
{
	rec->children_utime_ns = sig->cutime;
	rec->children_stime_ns = sig->cstime;
	rec->children_gtime_ns = sig->cgtime;
	rec->children_min_flt = sig->cmin_flt;
	rec->children_maj_flt = sig->cmaj_flt;
	rec->children_nvcsw = sig->cnvcsw;
	rec->children_nivcsw = sig->cnivcsw;
	rec->children_inblock = sig->cinblock;
	rec->children_oublock = sig->coublock;
	rec->children_maxrss_kb = (u64)sig->cmaxrss * KB_PER_PAGE;
}

static int usage_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct signal_struct *sig = t->task->signal;
	struct ckpt_rec_usage rec = {};
	unsigned long maxrss = 0;

	task_lock(t->task);
	if (t->task->mm)
		setmax_mm_hiwater_rss(&maxrss, t->task->mm);
	task_unlock(t->task);
	read_seqlock_excl_irq(&sig->stats_lock);
	save_dead(sig, &rec);
	save_children(sig, &rec);
	rec.maxrss_kb = (u64)max(maxrss, sig->maxrss) * KB_PER_PAGE;
	read_sequnlock_excl_irq(&sig->stats_lock);
	save_shown(&sig->prev_cputime, &rec.dead);
	limit(&rec, sizeof(rec));
	return ckpt_write_record(ctx, CKPT_REC_USAGE, 0, sizeof(rec), &rec, sizeof(rec),
				 NULL, 0);
}

static int usage_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	if (t->usage) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has resource usage in a wrong place");
	}
	t->usage = rec;
	return 0;
}

static void set_dead(struct signal_struct *sig, const struct ckpt_rec_usage *rec)
{
	const struct ckpt_rec_counters *c = &rec->dead;

	sig->utime = c->utime_ns;
	sig->stime = c->stime_ns;
	sig->gtime = c->gtime_ns;
	sig->sum_sched_runtime = c->runtime_ns;
	sig->min_flt = c->min_flt;
	sig->maj_flt = c->maj_flt;
	sig->nvcsw = c->nvcsw;
	sig->nivcsw = c->nivcsw;
	ckpt_set_io(&sig->ioac, c);
	sig->inblock = rec->inblock;
	sig->oublock = rec->oublock;
	sig->maxrss = rec->maxrss_kb / KB_PER_PAGE;
}

static void set_children(struct signal_struct *sig, const struct ckpt_rec_usage *rec)
{
	sig->cutime = rec->children_utime_ns;
	sig->cstime = rec->children_stime_ns;
	sig->cgtime = rec->children_gtime_ns;
	sig->cmin_flt = rec->children_min_flt;
	sig->cmaj_flt = rec->children_maj_flt;
	sig->cnvcsw = rec->children_nvcsw;
	sig->cnivcsw = rec->children_nivcsw;
	sig->cinblock = rec->children_inblock;
	sig->coublock = rec->children_oublock;
	sig->cmaxrss = rec->children_maxrss_kb / KB_PER_PAGE;
}

/**
 * ckpt_usage_commit - give a restored process what it had used
 * @t: its leader; its threads have theirs already, and sleep
 *
 * Context: process context.
 */
void ckpt_usage_commit(struct ckpt_task *t)
{
	struct signal_struct *sig = t->task->signal;
	struct task_cputime_atomic *total = &sig->cputimer.cputime_atomic;
	const struct ckpt_rec_usage *rec;
	struct task_cputime sum;

	if (!t->usage)
		return;
	rec = ckpt_rec_data(t->usage);
	write_seqlock_irq(&sig->stats_lock);
	set_dead(sig, rec);
	set_children(sig, rec);
	write_sequnlock_irq(&sig->stats_lock);
	set_shown(&sig->prev_cputime, &rec->dead);
	/* A second account, for timers, that is only kept while it is needed. */
	thread_group_cputime(t->task, &sum);
	atomic64_set(&total->utime, sum.utime);
	atomic64_set(&total->stime, sum.stime);
	atomic64_set(&total->sum_exec_runtime, sum.sum_exec_runtime);
}

static int thread_usage_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct task_struct *task = t->task;
	struct ckpt_rec_thread_usage rec = {};
	struct ckpt_rec_counters *c = &rec.own;

	task_cputime(task, &c->utime_ns, &c->stime_ns);
	c->gtime_ns = task_gtime(task);
	c->runtime_ns = task_sched_runtime(task);
	c->min_flt = task->min_flt;
	c->maj_flt = task->maj_flt;
	c->nvcsw = task->nvcsw;
	c->nivcsw = task->nivcsw;
	ckpt_save_io(&task->ioac, c);
	save_shown(&task->prev_cputime, c);
	rec.age_ns = ktime_get_ns() - task->start_time;
	rec.boot_age_ns = ktime_get_boottime_ns() - task->start_boottime;
	ckpt_save_sched_info(task, &rec);
	limit(&rec, offsetof(struct ckpt_rec_thread_usage, rss_integral));
	ckpt_save_integrals(task, &rec);
	return ckpt_write_record(ctx, CKPT_REC_THREAD_USAGE, 0, sizeof(rec), &rec,
				 sizeof(rec), NULL, 0);
}

static int thread_usage_restore(struct ckpt_ctx *ctx, struct ckpt_task *leader,
				struct ckpt_rec *rec)
{
	struct ckpt_task *t = ckpt_thread_being_read(ctx, leader);

	if (!t || t->thread_usage) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a thread's resource usage in a wrong place");
	}
	t->thread_usage = rec;
	return 0;
}

static u64 began(u64 now, u64 age)
{
	/* It may be older than this system. */
	return now > age ? now - age : 0;
}

/**
 * ckpt_thread_usage_commit - give a restored thread what it had used
 * @t: the thread, which sleeps
 *
 * Context: process context.
 */
void ckpt_thread_usage_commit(struct ckpt_task *t)
{
	const struct ckpt_rec_thread_usage *rec;
	struct task_struct *task = t->task;
	const struct ckpt_rec_counters *c;

	if (!t->thread_usage)
		return;
	rec = ckpt_rec_data(t->thread_usage);
	c = &rec->own;
	task->utime = c->utime_ns;
	task->stime = c->stime_ns;
	task->gtime = c->gtime_ns;
	ckpt_set_runtime(task, c->runtime_ns);
	task->min_flt = c->min_flt;
	task->maj_flt = c->maj_flt;
	task->nvcsw = c->nvcsw;
	task->nivcsw = c->nivcsw;
	ckpt_set_io(&task->ioac, c);
	set_shown(&task->prev_cputime, c);
	task->start_time = began(ktime_get_ns(), rec->age_ns);
	task->start_boottime = began(ktime_get_boottime_ns(), rec->boot_age_ns);
	ckpt_set_sched_info(task, rec);
	ckpt_set_integrals(task, rec);
}

/* Adds up processor time; false if the sum is beyond what the kernel can stand. */
static bool add_up(u64 *cpu, u64 *runtime, const struct ckpt_rec_counters *c)
{
	*cpu += c->utime_ns + c->stime_ns;
	*runtime += c->runtime_ns;
	return *cpu <= CKPT_MAX_COUNT && *runtime <= CKPT_MAX_COUNT;
}

/**
 * ckpt_usage_check - do the times of a process make sense together?
 * @ctx: context
 * @leader: its leader; all its records were read
 *
 * The kernel divides by sums of them, which must not overflow to zero.
 *
 * Return: 0 or -EBADMSG, reported.
 */
int ckpt_usage_check(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	const struct ckpt_rec_thread_usage *thread;
	const struct ckpt_rec_usage *usage;
	u64 cpu = 0, runtime = 0;
	bool good = true;
	u32 i;

	if (leader->usage) {
		usage = ckpt_rec_data(leader->usage);
		good = add_up(&cpu, &runtime, &usage->dead);
	}
	for (i = leader->index; good && i < leader->index + leader->nr_threads; i++) {
		if (!ctx->tasks[i]->thread_usage)
			continue;
		thread = ckpt_rec_data(ctx->tasks[i]->thread_usage);
		good = add_up(&cpu, &runtime, &thread->own);
	}
	return good ? 0 : ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				     "the image has an impossible sum of processor time");
}

const struct ckpt_obj_ops ckpt_usage_ops = {
	.name = "resource usage",
	.rec = CKPT_REC_USAGE,
	.save = usage_save,
	.restore = usage_restore,
};

const struct ckpt_obj_ops ckpt_thread_usage_ops = {
	.name = "resource usage of a thread",
	.rec = CKPT_REC_THREAD_USAGE,
	.save = thread_usage_save,
	.restore = thread_usage_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process: resource limits, OOM score, child subreaper, job-control stop.
 * CPU time and timers are in usage.c, timers.c and posix_timers.c.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/posix-timers.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched/coredump.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>

#include <asm/unistd.h>

#include "../file/event.h"

static_assert(RLIM_NLIMITS == CKPT_NR_RLIMITS);
static_assert(RLIM_INFINITY == ~0UL);

static int process_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct signal_struct *sig = t->task->signal;

	if (sig->group_exec_task || sig->core_state || sig->flags & SIGNAL_GROUP_EXIT)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_GONE,
			      "is about to execute a program or to exit");
	return 0;
}

/* A stop signal that was not acted on yet. */
static bool stop_pending(struct ckpt_task *leader)
{
	struct ckpt_ctx *ctx = leader->ctx;
	bool found = sigismember(&leader->task->signal->shared_pending.signal, SIGSTOP);
	u32 i;

	for (i = leader->index; i < leader->index + leader->nr_threads; i++)
		found = found || sigismember(&ctx->tasks[i]->task->pending.signal, SIGSTOP);
	return found;
}

static void save_stop(struct ckpt_task *t, struct ckpt_rec_process *rec)
{
	struct signal_struct *sig = t->task->signal;
	unsigned long flags;

	if (!lock_task_sighand(t->task, &flags))
		return;
	if (sig->flags & SIGNAL_STOP_STOPPED) {
		rec->flags |= CKPT_PROC_STOPPED;
		rec->stop_signal = t->task->jobctl & JOBCTL_STOP_SIGMASK;
		rec->stop_code = sig->group_exit_code;
	} else if (sig->group_stop_count || stop_pending(t->leader)) {
		rec->flags |= CKPT_PROC_STOPPING;
	} else if (sig->flags & SIGNAL_STOP_CONTINUED) {
		rec->flags |= CKPT_PROC_CONTINUED;
	}
	unlock_task_sighand(t->task, &flags);
}

static int process_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct signal_struct *sig = t->task->signal;
	struct ckpt_rec_process rec = {
		.tgid = task_tgid_nr_ns(t->task, ctx->pidns),
		.nr_threads = t->leader->nr_threads,
		.oom_score_adj = sig->oom_score_adj,
		.oom_score_adj_min = sig->oom_score_adj_min,
	};
	int i;

	if (sig->is_child_subreaper)
		rec.flags |= CKPT_PROC_SUBREAPER;
	if (READ_ONCE(sig->tty))
		rec.flags |= CKPT_PROC_TERMINAL;
	save_stop(t, &rec);
	task_lock(t->task);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		rec.rlimits[i].soft = sig->rlim[i].rlim_cur;
		rec.rlimits[i].hard = sig->rlim[i].rlim_max;
	}
	task_unlock(t->task);
	return ckpt_write_record(ctx, CKPT_REC_PROCESS, 0, sizeof(rec), &rec, sizeof(rec),
				 NULL, 0);
}

static int process_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct ckpt_rec_process *p = ckpt_rec_data(rec);

	if (t->process || p->tgid != t->rec->tgid || p->nr_threads != t->nr_threads) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a process that is not in its tree");
	}
	t->process = rec;
	return 0;
}

static int set_rlimits(struct ckpt_ctx *ctx, struct ckpt_task *t,
		       const struct ckpt_rec_rlimit *saved)
{
	struct rlimit *rlim = current->signal->rlim;
	struct rlimit new;
	int i, ret;

	for (i = 0; i < RLIM_NLIMITS; i++) {
		new.rlim_cur = saved[i].soft;
		new.rlim_max = saved[i].hard;
		if (new.rlim_max > rlim[i].rlim_max && !capable(CAP_SYS_RESOURCE))
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, -EPERM,
					  "resource limit %d was higher than the caller's", i);
		ret = security_task_setrlimit(current->group_leader, i, &new);
		if (ret)
			return ret;
		/* The time that the restart takes does not count: commit_cpu_limit(). */
		if (i == RLIMIT_CPU)
			continue;
		task_lock(current->group_leader);
		rlim[i] = new;
		task_unlock(current->group_leader);
	}
	return 0;
}

static int set_oom_score(struct ckpt_ctx *ctx, struct ckpt_task *t, short adj, short min)
{
	struct signal_struct *sig = current->signal;

	if ((adj < sig->oom_score_adj_min || min < sig->oom_score_adj_min) &&
	    !capable(CAP_SYS_RESOURCE))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, -EPERM,
				  "oom_score_adj %d, at least %d, is below what the caller may set",
				  adj, min);
	sig->oom_score_adj = adj;
	sig->oom_score_adj_min = min;
	return 0;
}

/**
 * ckpt_process_apply - give current the saved state of its process
 * @ctx: context
 * @t: current, the leader; its identity is still the caller's
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_process_apply(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec_process *p = ckpt_rec_data(t->process);
	u64 args[6] = { PR_SET_CHILD_SUBREAPER, 1 };
	int ret;

	ret = ckpt_usage_check(ctx, t);
	if (!ret)
		ret = ckpt_posix_timers_create(ctx, t);
	if (!ret)
		ret = set_rlimits(ctx, t, p->rlimits);
	/* They count against a limit. */
	if (!ret)
		ret = ckpt_buffers_apply(ctx, t);
	if (!ret)
		ret = set_oom_score(ctx, t, p->oom_score_adj, p->oom_score_adj_min);
	if (!ret && p->flags & CKPT_PROC_SUBREAPER)
		ret = ckpt_arch_call(__NR_prctl, args);
	return ret;
}

/* Makes a thread stop where it would go to user mode, without telling the parent. */
static void stop_thread(struct ckpt_task *t, u32 signo)
{
	task_set_jobctl_pending(t->task, JOBCTL_STOP_PENDING | signo);
}

/**
 * ckpt_process_commit - stop a restored process again, if it was
 * @ctx: context
 * @leader: leader of the process, all threads of which are still parked
 *
 * Nothing is left that could fail.
 */
void ckpt_process_commit(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	struct ckpt_rec_process *p = ckpt_rec_data(leader->process);
	struct signal_struct *sig = leader->task->signal;
	unsigned long flags;
	u32 i;

	/* Before the caller can see it; changes of user ids have reset it. */
	task_lock(leader->main->task);
	if (leader->main->task->mm)
		set_dumpable(leader->main->task->mm, leader->dumpable);
	task_unlock(leader->main->task);
	if (ctx->flags & RESTART_FROZEN || p->flags & CKPT_PROC_STOPPING)
		do_send_sig_info(SIGSTOP, SEND_SIG_PRIV, leader->task, PIDTYPE_TGID);
	if (!(p->flags & (CKPT_PROC_STOPPED | CKPT_PROC_CONTINUED)) ||
	    !lock_task_sighand(leader->main->task, &flags))
		return;
	if (sig->flags & SIGNAL_GROUP_EXIT) {
		/* Killed meanwhile. */
	} else if (p->flags & CKPT_PROC_STOPPED) {
		signal_set_stop_flags(sig, SIGNAL_STOP_STOPPED);
		sig->group_exit_code = p->stop_code;
		for (i = leader->index; i < leader->index + leader->nr_threads; i++)
			if (!ctx->tasks[i]->dead)
				stop_thread(ctx->tasks[i], p->stop_signal);
	} else {
		signal_set_stop_flags(sig, SIGNAL_STOP_CONTINUED);
	}
	unlock_task_sighand(leader->main->task, &flags);
}

static void commit_cpu_limit(struct ckpt_task *t)
{
	const struct ckpt_rec_process *p = ckpt_rec_data(t->process);
	struct rlimit *limit = &t->task->signal->rlim[RLIMIT_CPU];

	task_lock(t->task);
	limit->rlim_cur = p->rlimits[RLIMIT_CPU].soft;
	limit->rlim_max = p->rlimits[RLIMIT_CPU].hard;
	task_unlock(t->task);
	if (p->rlimits[RLIMIT_CPU].soft != RLIM_INFINITY)
		update_rlimit_cpu(t->task, p->rlimits[RLIMIT_CPU].soft);
}

static void commit_timers(struct ckpt_task *t)
{
	commit_cpu_limit(t);
	ckpt_timers_commit(t);
	ckpt_posix_timers_commit(t);
}

/* Another thread of the caller may have waited for it meanwhile. */
static void commit_dead_process(struct ckpt_task *t)
{
	read_lock(&tasklist_lock);
	if (t->task->sighand)
		ckpt_usage_commit(t);
	read_unlock(&tasklist_lock);
}

/**
 * ckpt_commit_dead - resource usage of tasks that have exited again
 * @ctx: context; its other tasks are parked
 *
 * What they have used for that does not count.
 */
void ckpt_commit_dead(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (!t->dead)
			continue;
		ckpt_thread_usage_commit(t);
		if (!t->leader->main)
			commit_dead_process(t);
	}
}

/**
 * ckpt_commit_all - clocks and timers of the restored tasks, just before release
 * @ctx: context; all its tasks are parked, or dead
 *
 * None of this can fail. It is not done by the tasks themselves because none
 * may run before the others are ready, and what the restart used up in them
 * must not count.
 *
 * Context: process context, of any task.
 */
void ckpt_commit_all(struct ckpt_ctx *ctx)
{
	struct ckpt_task *t;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (t->dead)
			continue;
		ckpt_thread_usage_commit(t);
		ckpt_sigpending_commit(t);
	}
	ckpt_epolls_commit(ctx);
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (t->main)
			ckpt_usage_commit(t);
	/* A timer can be of the processor time of another process. */
	for (t = ckpt_next_leader(ctx, NULL); t; t = ckpt_next_leader(ctx, t))
		if (t->main)
			commit_timers(t);
	ckpt_timerfds_commit(ctx);
}

const struct ckpt_obj_ops ckpt_process_ops = {
	.name = "process",
	.rec = CKPT_REC_PROCESS,
	.collect = process_collect,
	.save = process_save,
	.restore = process_restore,
};

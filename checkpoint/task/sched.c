// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scheduling: policy, priority, nice, affinity if the program set one, timer
 * slack. The rest (deadline parameters, utilisation clamps, core scheduling,
 * NUMA policy, I/O priority) is an obstacle where it is set.
 */
#include <linux/cpumask.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <uapi/linux/sched/types.h>

#include "../internal.h"
#include "../optional.h"

/* The policies that are saved. */
static bool is_known(u32 policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
	       policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool has_ioprio(struct task_struct *task)
{
	bool ret = false;

	task_lock(task);
	if (task->io_context)
		ret = task->io_context->ioprio != IOPRIO_DEFAULT;
	task_unlock(task);
	return ret;
}

/**
 * ckpt_sched_collect - look for scheduling properties that cannot be saved
 * @ctx: context
 * @t: thread
 */
void ckpt_sched_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct task_struct *task = t->task;
	static const char * const text = "has %s";

	if (!is_known(task->policy))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SCHED, text,
			      "a scheduling policy of its own (SCHED_DEADLINE or SCHED_EXT)");
	if (has_ioprio(task))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SCHED, text, "an I/O priority");
	if (ckpt_has_uclamp(task))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SCHED, text, "utilisation clamps");
	if (ckpt_has_core_cookie(task))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SCHED, text, "a core scheduling cookie");
	if (ckpt_has_mempolicy(task))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SCHED, text, "a NUMA memory policy");
	if (nr_cpu_ids > 64 * ARRAY_SIZE(((struct ckpt_rec_thread *)0)->affinity) &&
	    task->user_cpus_ptr)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SCHED, text,
			      "a processor affinity with too many processors");
}

/**
 * ckpt_sched_save - save scheduling properties
 * @task: thread, parked
 * @rec: its record
 */
void ckpt_sched_save(struct task_struct *task, struct ckpt_rec_thread *rec)
{
	rec->policy = task->policy;
	rec->sched_flags = task->sched_reset_on_fork;
	rec->nice = task_nice(task);
	rec->rt_priority = task->rt_priority;
	rec->timer_slack_ns = task->timer_slack_ns;
	if (task->user_cpus_ptr) {
		rec->affinity_words = BITS_TO_LONGS(nr_cpu_ids);
		bitmap_copy((unsigned long *)rec->affinity, cpumask_bits(task->user_cpus_ptr),
			    nr_cpu_ids);
	}
}

static int set_affinity(const struct ckpt_rec_thread *rec)
{
	cpumask_var_t mask;
	u32 bit;
	int ret;

	if (!rec->affinity_words)
		return 0;
	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	for_each_set_bit(bit, (unsigned long *)rec->affinity, 64 * rec->affinity_words)
		if (bit < nr_cpu_ids)
			cpumask_set_cpu(bit, mask);
	ret = sched_setaffinity(0, mask);
	free_cpumask_var(mask);
	return ret;
}

static bool same_policy(const struct ckpt_rec_thread *rec)
{
	return current->policy == rec->policy && task_nice(current) == rec->nice &&
	       current->rt_priority == rec->rt_priority &&
	       current->sched_reset_on_fork == (rec->sched_flags & 1);
}

/**
 * ckpt_sched_apply - give current the saved scheduling properties
 * @ctx: context
 * @t: current; its identity is still the caller's
 * @rec: its record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_sched_apply(struct ckpt_ctx *ctx, struct ckpt_task *t,
		     const struct ckpt_rec_thread *rec)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = rec->policy,
		.sched_flags = rec->sched_flags & 1 ? SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = rec->nice,
		.sched_priority = rec->rt_priority,
	};
	int ret = 0;

	if (!is_known(rec->policy))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an unknown scheduling policy");
	current->timer_slack_ns = rec->timer_slack_ns;
	if (!same_policy(rec))
		ret = sched_setattr(current, &attr);
	/* Kept for later by policies that do not use it. */
	if (!ret && task_nice(current) != rec->nice) {
		if (rec->nice >= task_nice(current) || can_nice(current, rec->nice))
			set_user_nice(current, rec->nice);
		else
			ret = -EPERM;
	}
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, ret,
				  "scheduling policy %u, priority %u, nice %d are not the caller's to set",
				  rec->policy, rec->rt_priority, rec->nice);
	ret = set_affinity(rec);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MISMATCH,
				  ret == -EINVAL ? -ENOEXEC : ret,
				  "none of the processors that the thread was bound to is usable");
	return 0;
}

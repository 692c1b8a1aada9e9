// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scheduling: policy and its parameters, nice, utilisation clamps, affinity if
 * the program set one, timer slack, I/O priority, NUMA policy. Core scheduling
 * is an obstacle where it is set.
 */
#include <linux/checkpoint_state.h>
#include <linux/cpumask.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/nodemask.h>
#include <uapi/linux/mempolicy.h>
#include <uapi/linux/sched/types.h>

#include "../internal.h"
#include "../optional.h"

static_assert(MAX_NUMNODES <= 64 * CKPT_NODE_WORDS);

/* The policies that are saved. */
static bool is_known(u32 policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
	       policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE;
}

/* Another task with the same, not only an equal, context: CLONE_IO. */
static bool shares_io_context(struct task_struct *task)
{
	bool ret = false;

	task_lock(task);
	if (task->io_context)
		ret = atomic_read(&task->io_context->active_ref) > 1;
	task_unlock(task);
	return ret;
}

static u32 ioprio_of(struct task_struct *task)
{
	u32 ret = IOPRIO_DEFAULT;

	task_lock(task);
	if (task->io_context)
		ret = task->io_context->ioprio;
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
			      "a scheduling policy of its own (SCHED_EXT)");
	if (shares_io_context(task))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SCHED, text,
			      "an I/O context that it shares with another task (CLONE_IO)");
	if (ckpt_has_core_cookie(task))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SCHED, text, "a core scheduling cookie");
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

/* SCHED_DEADLINE has a runtime; others may have a slice of time of their own. */
static u64 runtime_of(struct task_struct *task)
{
	if (task->policy == SCHED_DEADLINE)
		return task->dl.dl_runtime;
	return task->se.custom_slice ? task->se.slice : 0;
}

/**
 * ckpt_sched_save_attrs - save further scheduling properties
 * @task: thread, parked
 * @attrs: its record
 */
void ckpt_sched_save_attrs(struct task_struct *task, struct ckpt_rec_attrs *attrs)
{
	nodemask_t nodes;

	attrs->ioprio = ioprio_of(task);
	attrs->default_slack_ns = task->default_timer_slack_ns;
	attrs->sched_runtime = runtime_of(task);
	if (task->policy == SCHED_DEADLINE) {
		attrs->sched_deadline = task->dl.dl_deadline;
		attrs->sched_period = task->dl.dl_period;
		if (task->dl.flags & SCHED_FLAG_RECLAIM)
			attrs->flags |= CKPT_ATTR_DL_RECLAIM;
		if (task->dl.flags & SCHED_FLAG_DL_OVERRUN)
			attrs->flags |= CKPT_ATTR_DL_OVERRUN;
	}
	if (ckpt_get_uclamp(task, false, &attrs->uclamp_min))
		attrs->flags |= CKPT_ATTR_UCLAMP_MIN;
	if (ckpt_get_uclamp(task, true, &attrs->uclamp_max))
		attrs->flags |= CKPT_ATTR_UCLAMP_MAX;
	attrs->mempolicy = checkpoint_get_mempolicy(task, &nodes);
	attrs->node_words = attrs->mempolicy ? BITS_TO_LONGS(MAX_NUMNODES) : 0;
	if (attrs->node_words)
		bitmap_copy((unsigned long *)attrs->nodes, nodes_addr(nodes), MAX_NUMNODES);
}

static bool same_policy(const struct ckpt_rec_thread *rec, const struct ckpt_rec_attrs *attrs)
{
	return current->policy == rec->policy && rec->policy != SCHED_DEADLINE &&
	       task_nice(current) == rec->nice && current->rt_priority == rec->rt_priority &&
	       current->sched_reset_on_fork == (rec->sched_flags & 1) &&
	       runtime_of(current) == attrs->sched_runtime;
}

/* A clamp of the restarter that was not there is taken off (all ones). */
static u64 set_clamps(struct sched_attr *attr, const struct ckpt_rec_attrs *attrs)
{
	u32 now_min = 0, now_max = 0;
	bool had_min = ckpt_get_uclamp(current, false, &now_min);
	bool had_max = ckpt_get_uclamp(current, true, &now_max);
	bool min = attrs->flags & CKPT_ATTR_UCLAMP_MIN;
	bool max = attrs->flags & CKPT_ATTR_UCLAMP_MAX;

	attr->sched_util_min = min ? attrs->uclamp_min : ~0U;
	attr->sched_util_max = max ? attrs->uclamp_max : ~0U;
	return (min || had_min ? SCHED_FLAG_UTIL_CLAMP_MIN : 0) |
	       (max || had_max ? SCHED_FLAG_UTIL_CLAMP_MAX : 0);
}

static int set_policy(const struct ckpt_rec_thread *rec, const struct ckpt_rec_attrs *attrs)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = rec->policy,
		.sched_nice = rec->nice,
		.sched_priority = rec->rt_priority,
		.sched_runtime = attrs->sched_runtime,
		.sched_deadline = attrs->sched_deadline,
		.sched_period = attrs->sched_period,
	};
	int ret = 0;

	attr.sched_flags = set_clamps(&attr, attrs);
	if (same_policy(rec, attrs) && !attr.sched_flags)
		return 0;
	if (rec->sched_flags & 1)
		attr.sched_flags |= SCHED_FLAG_RESET_ON_FORK;
	if (attrs->flags & CKPT_ATTR_DL_RECLAIM)
		attr.sched_flags |= SCHED_FLAG_RECLAIM;
	if (attrs->flags & CKPT_ATTR_DL_OVERRUN)
		attr.sched_flags |= SCHED_FLAG_DL_OVERRUN;
	ret = sched_setattr(current, &attr);
	/* Kept for later by policies that do not use it. */
	if (!ret && task_nice(current) != rec->nice) {
		if (rec->nice >= task_nice(current) || can_nice(current, rec->nice))
			set_user_nice(current, rec->nice);
		else
			ret = -EPERM;
	}
	return ret;
}

static int set_ioprio(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 ioprio)
{
	int ret;

	if (ioprio == ioprio_of(current))
		return 0;
	ret = ioprio_check_cap(ioprio);
	if (!ret)
		ret = set_task_ioprio(current, ioprio);
	if (ret == -EINVAL)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an impossible I/O priority");
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, ret,
				  "I/O priority 0x%x is not the caller's to set", ioprio);
	return 0;
}

static int set_mempolicy(struct ckpt_ctx *ctx, struct ckpt_task *t,
			 const struct ckpt_rec_attrs *attrs)
{
	nodemask_t nodes, now;
	int ret = 0;
	u32 bit;

	nodes_clear(nodes);
	for_each_set_bit(bit, (unsigned long *)attrs->nodes, 64 * attrs->node_words) {
		if (bit < MAX_NUMNODES)
			node_set(bit, nodes);
		else
			ret = -EINVAL;
	}
	if (!ret && checkpoint_get_mempolicy(current, &now) == attrs->mempolicy &&
	    nodes_equal(nodes, now))
		return 0;
	if (!ret)
		ret = checkpoint_set_mempolicy(attrs->mempolicy, &nodes);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MISMATCH,
				  ret == -ENOMEM ? ret : -ENOEXEC,
				  "its NUMA memory policy does not fit this system");
	return 0;
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
	const struct ckpt_rec_attrs *attrs = ckpt_rec_data(t->attrs);
	int ret;

	if (!is_known(rec->policy))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an unknown scheduling policy");
	ret = set_policy(rec, attrs);
	if (ret == -EBUSY)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MISMATCH, -ENOEXEC,
				  "this system has not the time for its SCHED_DEADLINE parameters");
	if (ret == -EINVAL)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has impossible scheduling parameters");
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, ret,
				  "scheduling policy %u, priority %u, nice %d are not the caller's to set",
				  rec->policy, rec->rt_priority, rec->nice);
	/* A change of policy has set it. */
	current->timer_slack_ns = rec->timer_slack_ns;
	if (attrs->default_slack_ns)
		current->default_timer_slack_ns = attrs->default_slack_ns;
	ret = set_affinity(rec);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MISMATCH,
				  ret == -EINVAL ? -ENOEXEC : ret,
				  "none of the processors that the thread was bound to is usable");
	ret = set_ioprio(ctx, t, attrs->ioprio);
	return ret ?: set_mempolicy(ctx, t, attrs);
}

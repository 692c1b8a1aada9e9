// SPDX-License-Identifier: GPL-2.0-only
/*
 * Thread: name, signal mask, alternate stack, what user space registered with
 * the kernel (robust list, rseq, set_tid_address, membarrier), and, from other
 * files, scheduling and an interrupted system call.
 *
 * The mask that is saved is the one that the program set: that of sigsuspend(2)
 * or ppoll(2) in progress is set again when the call is.
 */
#include <linux/nsproxy.h>
#include <linux/mutex.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mm.h>
#include <linux/personality.h>
#include <linux/ptrace.h>
#include <linux/rseq.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/uaccess.h>

#include <asm/unistd.h>

#include "../internal.h"
#include "../optional.h"

static void collect_foreign(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct task_struct *task = t->task;

	if (task->ptrace || !list_empty(&task->ptraced))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_PTRACE, "traces or is being traced");
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_KERNEL_TASK,
			      "a thread of the kernel works for the process");
	ckpt_io_uring_collect(ctx, t);
	if (ckpt_has_sem_undo(task))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_IPC,
			      "has System V semaphore adjustments (SEM_UNDO)");
}

static void collect_props(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct task_struct *task = t->task;

	if (!list_empty(&task->pi_state_list))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SYSCALL,
			      "holds a priority inheritance futex that others wait for");
}

static int thread_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	collect_foreign(ctx, t);
	collect_props(ctx, t);
	ckpt_sched_collect(ctx, t);
	ckpt_restart_collect(ctx, t);
	return 0;
}

/* State bits, and the commands with which a program asks for them. */
static const struct {
	int state;
	u32 cmd;
} membarriers[] = {
	{ MEMBARRIER_STATE_GLOBAL_EXPEDITED, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ },
};

static void save_registrations(struct ckpt_task *t, struct ckpt_rec_thread *rec)
{
	struct task_struct *task = t->task;
	int i;

	rec->clear_child_tid = (unsigned long)task->clear_child_tid;
	rec->set_child_tid = (unsigned long)task->set_child_tid;
	rec->robust_list = (unsigned long)task->robust_list;
	rec->rseq = (unsigned long)task->rseq;
	rec->rseq_len = task->rseq_len;
	rec->rseq_sig = task->rseq_sig;
	/* It belongs to the address space; the first thread carries it. */
	task_lock(task);
	for (i = 0; i < ARRAY_SIZE(membarriers) && t == t->leader->main && task->mm; i++)
		if (atomic_read(&task->mm->membarrier_state) & membarriers[i].state)
			rec->membarrier |= membarriers[i].cmd;
	task_unlock(task);
}

static int thread_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct task_struct *task = t->task;
	sigset_t *mask = test_tsk_restore_sigmask(task) ? &task->saved_sigmask : &task->blocked;
	struct ckpt_rec_thread rec = {
		.tid = task_pid_nr_ns(task, ctx->pidns),
		.personality = task->personality,
		.blocked = mask->sig[0],
		.sas_sp = task->sas_ss_sp,
		.sas_size = task->sas_ss_size,
		.sas_flags = task->sas_ss_flags,
		.pdeath_signal = task->pdeath_signal,
	};

	get_task_comm(rec.comm, task);
	ckpt_sched_save(task, &rec);
	/* The dead have no memory and no stack any more. */
	if (!t->dead) {
		save_registrations(t, &rec);
		ckpt_restart_save(t, &rec);
	}
	return ckpt_write_record(ctx, CKPT_REC_THREAD, 0, sizeof(rec), &rec, sizeof(rec),
				 NULL, 0);
}

/**
 * ckpt_thread_being_read - thread to which the record just read belongs
 * @ctx: context
 * @leader: leader of the process being read
 *
 * Return: the thread, NULL: the process has had no THREAD record yet.
 */
struct ckpt_task *ckpt_thread_being_read(struct ckpt_ctx *ctx, struct ckpt_task *leader)
{
	return leader->current_thread ? ctx->tasks[leader->index + leader->current_thread - 1] :
					NULL;
}

static int thread_restore(struct ckpt_ctx *ctx, struct ckpt_task *leader, struct ckpt_rec *rec)
{
	struct ckpt_rec_thread *saved = ckpt_rec_data(rec);
	u32 i = leader->index + leader->current_thread;

	/* Threads come in the order of the tree. */
	if (leader->current_thread >= leader->nr_threads ||
	    ctx->tasks[i]->rec->tid != saved->tid) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a thread that is not in its tree");
	}
	leader->current_thread++;
	ctx->tasks[i]->thread = rec;
	return 0;
}

static bool user_range(u64 addr, u64 size)
{
	return access_ok((void __user *)(unsigned long)addr, size);
}

static int set_rseq(const struct ckpt_rec_thread *saved)
{
	if (!saved->rseq)
		return 0;
	if (!IS_ALIGNED(saved->rseq, 32) || saved->rseq_len < 32 ||
	    saved->rseq_len > PAGE_SIZE || !user_range(saved->rseq, saved->rseq_len))
		return -EBADMSG;
	current->rseq_len = saved->rseq_len;
	current->rseq_sig = saved->rseq_sig;
	current->rseq = (struct rseq __user *)(unsigned long)saved->rseq;
	/* An interrupted critical section is aborted on the way to user mode. */
	rseq_set_notify_resume(current);
	return 0;
}

static int set_registrations(const struct ckpt_rec_thread *saved)
{
	u64 args[6] = {};
	u32 cmds = saved->membarrier;
	int ret;

	if (saved->pdeath_signal > _NSIG)
		return -EBADMSG;
	current->pdeath_signal = saved->pdeath_signal;
	current->clear_child_tid = (int __user *)(unsigned long)saved->clear_child_tid;
	current->set_child_tid = (int __user *)(unsigned long)saved->set_child_tid;
	current->robust_list =
		(struct robust_list_head __user *)(unsigned long)saved->robust_list;
	for (; cmds; cmds &= cmds - 1) {
		args[0] = 1U << __ffs(cmds);
		ret = ckpt_arch_call(__NR_membarrier, args);
		if (ret < 0)
			return ret;
	}
	return set_rseq(saved);
}

static void set_basics(struct ckpt_task *t, const struct ckpt_rec_thread *saved)
{
	if (t->rec->flags & CKPT_TASKF_NO_EXEC)
		current->flags |= PF_FORKNOEXEC;
	else
		current->flags &= ~PF_FORKNOEXEC;
	set_task_comm(current, saved->comm);
	current->personality = saved->personality;
	current->sas_ss_sp = saved->sas_sp;
	current->sas_ss_size = saved->sas_size;
	current->sas_ss_flags = saved->sas_flags;
}

/**
 * ckpt_thread_apply - give current the saved state of its thread
 * @ctx: context
 * @t: current; its process is complete
 *
 * Identity comes last: it may take the right to the rest away.
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_thread_apply(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct ckpt_rec_thread *saved = ckpt_rec_data(t->thread);
	int ret;

	set_basics(t, saved);
	if (t->dead)
		return ckpt_cred_apply(ctx, t);
	ret = set_registrations(saved);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE,
				  ret == -EINVAL ? -EBADMSG : ret,
				  "what the thread had registered with the kernel cannot be set");
	if (t->rec->children_pid_ns != t->rec->pid_ns)
		put_nsproxy(ckpt_pid_ns_use(ctx, t->rec->children_pid_ns));
	ret = ckpt_new_tid_apply(t) ?: ckpt_io_rings_apply(ctx, t);
	if (!ret)
		ret = ckpt_restart_apply(ctx, t, saved);
	if (!ret)
		ret = ckpt_sched_apply(ctx, t, saved);
	if (!ret)
		ret = ckpt_sigpending_apply(ctx, t);
	if (!ret)
		ret = ckpt_attrs_apply(ctx, t);
	return ret ?: ckpt_cred_apply(ctx, t);
}

/**
 * ckpt_thread_commit - last step of a restored thread, which cannot fail
 * @t: current, released; its registers are set
 */
void ckpt_thread_commit(struct ckpt_task *t)
{
	const struct ckpt_rec_thread *saved = ckpt_rec_data(t->thread);
	sigset_t mask = { .sig[0] = saved->blocked };

	/* A change of user id has reset it. */
	current->pdeath_signal = saved->pdeath_signal;
	set_current_blocked(&mask);
}

const struct ckpt_obj_ops ckpt_thread_ops = {
	.name = "thread",
	.rec = CKPT_REC_THREAD,
	.collect = thread_collect,
	.save = thread_save,
	.restore = thread_restore,
};

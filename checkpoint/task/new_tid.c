// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that was restarted with a fresh id: where the kernel knows of words
 * of user memory that hold the saved one, they get the new one. These are what
 * set_tid_address(2) names (in glibc the thread's own idea of its id), the
 * futexes on the robust list, see Documentation/locking/robust-futex-ABI.rst, and
 * those of priority inheritance that another thread waits for. What vfork(2) is to
 * return gets it, too. What else a program has remembered is its own business.
 */
#include <linux/compat.h>
#include <linux/mutex.h>
#include <linux/futex.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <asm/unistd.h>

#include "../internal.h"

/* Writes the new id where the word has the saved one, under @mask. */
static int rewrite(struct ckpt_task *t, unsigned long addr, u32 mask)
{
	u32 __user *word = (u32 __user *)addr;
	u32 value;

	if (get_user(value, word))
		return 0;
	if ((value & mask) != t->rec->tid)
		return 0;
	value = (value & ~mask) | task_pid_vnr(current);
	if (IS_ALIGNED(addr, sizeof(value)) && !put_user(value, word))
		return 0;
	return ckpt_error(t->ctx, CKPT_AT_RANGE(t, addr, addr + sizeof(value)), CKPT_WHY_SYSCALL,
			  -EOPNOTSUPP, "a futex holds the saved thread id and cannot be changed");
}

/* A word of a robust list of a 64-bit or a 32-bit program; 0: it cannot be read. */
static unsigned long read_word(unsigned long addr, bool compat)
{
	unsigned long value = 0;
	u32 narrow = 0;

	if (!compat)
		return get_user(value, (unsigned long __user *)addr) ? 0 : value;
	return get_user(narrow, (u32 __user *)addr) ? 0 : narrow;
}

/* As the exit of a thread walks it. What cannot be read is not a lock. */
static int rewrite_robust(struct ckpt_task *t, unsigned long head, bool compat)
{
	unsigned long word = compat ? sizeof(u32) : sizeof(u64);
	unsigned long offset = read_word(head + word, compat);
	/* The lowest bit marks a PI futex. */
	unsigned long pending = read_word(head + 2 * word, compat) & ~1UL;
	unsigned long entry = read_word(head, compat) & ~1UL;
	int ret = 0, limit = ROBUST_LIST_LIMIT;

	/* The offset may be negative. */
	if (compat)
		offset = (int)offset;
	if (pending)
		ret = rewrite(t, pending + offset, FUTEX_TID_MASK);
	for (; !ret && entry && entry != head && limit; limit--) {
		ret = rewrite(t, entry + offset, FUTEX_TID_MASK);
		entry = read_word(entry, compat) & ~1UL;
	}
	return ret;
}

/* In a namespace of the tree it has its saved id. */
static bool has_new_id(const struct ckpt_task *t)
{
	return t->ctx->flags & RESTART_NEW_PIDS && !t->rec->pid_ns;
}

/**
 * ckpt_new_tid_apply - tell user memory about the new id of current
 * @t: current, its memory and registrations restored
 *
 * Return: 0, or -EOPNOTSUPP: there is a futex that cannot be changed, reported.
 */
int ckpt_new_tid_apply(struct ckpt_task *t)
{
	const struct ckpt_rec_attrs *attrs = ckpt_rec_data(t->attrs);
	unsigned long addr = (unsigned long)current->clear_child_tid;
	unsigned long robust = (unsigned long)current->robust_list;
	int ret = 0;

	if (!has_new_id(t))
		return 0;
	if (addr)
		ret = rewrite(t, addr, ~0U);
	if (!ret && robust)
		ret = rewrite_robust(t, robust, false);
	if (!ret && attrs->compat_robust_list)
		ret = rewrite_robust(t, attrs->compat_robust_list, true);
	return ret;
}

static bool waits_for_pi(struct ckpt_task *t, unsigned long *word)
{
	unsigned long args[6];

	if (ckpt_arch_syscall(t->task) != __NR_futex ||
	    ckpt_arch_result(t->task) != -ERESTARTNOINTR)
		return false;
	ckpt_arch_call_args(t->task, args);
	*word = args[0];
	args[1] &= FUTEX_CMD_MASK;
	return args[1] == FUTEX_LOCK_PI || args[1] == FUTEX_LOCK_PI2;
}

static pid_t id_now(const struct ckpt_task *t)
{
	return task_pid_nr_ns(t->task, t->ctx->pidns);
}

static bool is_new_id(struct ckpt_ctx *ctx, pid_t id)
{
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++)
		if (id_now(ctx->tasks[i]) == id)
			return true;
	return false;
}

/* Who holds it has another id now; on the robust list it was changed already. */
static int rewrite_awaited(struct ckpt_task *t, unsigned long addr)
{
	struct ckpt_task *owner;
	u32 value, changed;

	if (access_process_vm(t->task, addr, &value, sizeof(value), 0) != sizeof(value))
		return 0;
	owner = xa_load(&t->ctx->task_index, value & FUTEX_TID_MASK);
	if (!owner || id_now(owner) == owner->rec->tid)
		return 0;
	changed = (value & ~FUTEX_TID_MASK) | id_now(owner);
	/* A new id that is the saved one of another thread, too, says nothing. */
	if (!is_new_id(t->ctx, owner->rec->tid) &&
	    access_process_vm(t->task, addr, &changed, sizeof(changed), FOLL_WRITE) ==
	    sizeof(changed))
		return 0;
	return ckpt_error(t->ctx, CKPT_AT_RANGE(t, addr, addr + sizeof(value)), CKPT_WHY_SYSCALL,
			  -EOPNOTSUPP,
			  "waits for a futex that holds the saved id %u and cannot be changed",
			  owner->rec->tid);
}

/**
 * ckpt_new_tid_finish - tell a thread about the new ids of others
 * @t: the thread, parked as all of the tree are; its registers are set
 *
 * Context: the caller of restart(); all have done ckpt_new_tid_apply().
 * Return: 0, or -EOPNOTSUPP: there is a futex that cannot be changed, reported.
 */
int ckpt_new_tid_finish(struct ckpt_task *t)
{
	unsigned long addr;

	if (!has_new_id(t))
		return 0;
	if (t->vfork_child)
		ckpt_arch_set_result(t->task, task_tgid_nr_ns(t->vfork_child->task,
							      task_active_pid_ns(t->task)));
	return waits_for_pi(t, &addr) ? rewrite_awaited(t, addr) : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that was restarted with a fresh id: where the kernel knows of words
 * of user memory that hold the saved one, they get the new one. These are what
 * set_tid_address(2) names (in glibc the thread's own idea of its id) and the
 * futexes on the robust list, see Documentation/locking/robust-futex-ABI.rst.
 * What else a program has remembered is its own business.
 */
#include <linux/mutex.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

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

static unsigned long read_link(unsigned long addr)
{
	unsigned long value;

	if (get_user(value, (unsigned long __user *)addr))
		return 0;
	/* The lowest bit marks a PI futex. */
	return value & ~1UL;
}

/* As the exit of a thread walks it. What cannot be read is not a lock. */
static int rewrite_robust(struct ckpt_task *t)
{
	unsigned long head = (unsigned long)current->robust_list;
	unsigned long entry, pending, offset;
	int ret = 0, limit = ROBUST_LIST_LIMIT;

	if (!head || get_user(offset, (unsigned long __user *)
			      (head + offsetof(struct robust_list_head, futex_offset))))
		return 0;
	pending = read_link(head + offsetof(struct robust_list_head, list_op_pending));
	if (pending)
		ret = rewrite(t, pending + offset, FUTEX_TID_MASK);
	for (entry = read_link(head); !ret && entry && entry != head && limit; limit--) {
		ret = rewrite(t, entry + offset, FUTEX_TID_MASK);
		entry = read_link(entry);
	}
	return ret;
}

/**
 * ckpt_new_tid_apply - tell user memory about the new id of current
 * @t: current, its memory and registrations restored
 *
 * Return: 0, or -EOPNOTSUPP: there is a futex that cannot be changed, reported.
 */
int ckpt_new_tid_apply(struct ckpt_task *t)
{
	unsigned long addr = (unsigned long)current->clear_child_tid;
	int ret = 0;

	/* In a namespace of the tree it has its saved id. */
	if (!(t->ctx->flags & RESTART_NEW_PIDS) || t->rec->pid_ns)
		return 0;
	if (addr)
		ret = rewrite(t, addr, ~0U);
	return ret ?: rewrite_robust(t);
}

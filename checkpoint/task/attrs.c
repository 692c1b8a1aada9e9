// SPDX-License-Identifier: GPL-2.0-only
/*
 * Properties of a thread that few programs set: those of prctl(2), speculation
 * controls, and, from other files, seccomp, scheduling and what is special to
 * the processor. A new thread has those of the restarter, so all are set.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/nospec.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/syscall_user_dispatch.h>
#include <linux/uaccess.h>

#include "../internal.h"
#include "../optional.h"

#define PF_IO_FLUSHER	(PF_MEMALLOC_NOIO | PF_LOCAL_THROTTLE)

static_assert(PR_SPEC_L1D_FLUSH < CKPT_NR_SPECULATION);

static int attrs_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	ckpt_seccomp_collect(ctx, t);
	return 0;
}

static void save_prctl(struct task_struct *task, struct ckpt_rec_attrs *attrs)
{
	int i, state;

	if (task->flags & PF_MCE_PROCESS)
		attrs->flags |= CKPT_ATTR_MCE_KILL;
	if (task->flags & PF_MCE_EARLY)
		attrs->flags |= CKPT_ATTR_MCE_EARLY;
	if ((task->flags & PF_IO_FLUSHER) == PF_IO_FLUSHER)
		attrs->flags |= CKPT_ATTR_IO_FLUSHER;
	for (i = 0; i < CKPT_NR_SPECULATION; i++) {
		state = arch_prctl_spec_ctrl_get(task, i);
		attrs->speculation[i] = max(state, 0);
	}
	if (!test_task_syscall_work(task, SYSCALL_USER_DISPATCH))
		return;
	attrs->flags |= CKPT_ATTR_DISPATCH;
	attrs->dispatch_selector = (unsigned long)task->syscall_dispatch.selector;
	attrs->dispatch_offset = task->syscall_dispatch.offset;
	attrs->dispatch_len = task->syscall_dispatch.len;
}

static int attrs_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec_attrs attrs = {};
	int ret;

	ret = ckpt_seccomp_save(ctx, t, &attrs);
	if (ret)
		return ret;
	save_prctl(t->task, &attrs);
	ckpt_sched_save_attrs(t->task, &attrs);
	ckpt_arch_save_attrs(t->task, &attrs);
	attrs.compat_robust_list = ckpt_get_compat_robust_list(t->task);
	return ckpt_write_record(ctx, CKPT_REC_ATTRS, 0, sizeof(attrs), &attrs, sizeof(attrs),
				 NULL, 0);
}

static int attrs_restore(struct ckpt_ctx *ctx, struct ckpt_task *leader, struct ckpt_rec *rec)
{
	struct ckpt_task *t = ckpt_thread_being_read(ctx, leader);

	if (!t || t->attrs) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has properties of a thread in a wrong place");
	}
	t->attrs = rec;
	return 0;
}

/* Restricted as it was, or in another way at least as much? */
static bool is_restricted(int which, u32 want, int now)
{
	if (which == PR_SPEC_L1D_FLUSH)
		return want != PR_SPEC_ENABLE;
	return want == PR_SPEC_ENABLE || now == PR_SPEC_NOT_AFFECTED || now == PR_SPEC_DISABLE ||
	       now == (PR_SPEC_PRCTL | PR_SPEC_FORCE_DISABLE);
}

static int set_speculation(struct ckpt_ctx *ctx, struct ckpt_task *t, int which, u32 saved)
{
	int now = arch_prctl_spec_ctrl_get(current, which);
	u32 want = saved & ~PR_SPEC_PRCTL;
	int ret;

	/* Without that bit it was not the thread's to choose. */
	if (!(saved & PR_SPEC_PRCTL) || now == (int)saved)
		return 0;
	ret = arch_prctl_spec_ctrl_set(current, which, want);
	if (!ret || is_restricted(which, want, now))
		return 0;
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MISMATCH, -ENOEXEC,
			  "this system cannot restrict speculation as it was (%d)", which);
}

static int set_dispatch(struct ckpt_ctx *ctx, struct ckpt_task *t,
			const struct ckpt_rec_attrs *attrs)
{
	int ret;

	if (attrs->flags & CKPT_ATTR_DISPATCH)
		ret = set_syscall_user_dispatch(PR_SYS_DISPATCH_ON, attrs->dispatch_offset,
						attrs->dispatch_len,
						u64_to_user_ptr(attrs->dispatch_selector));
	else
		ret = set_syscall_user_dispatch(PR_SYS_DISPATCH_OFF, 0, 0, NULL);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "syscall user dispatch cannot be set");
	return 0;
}

/* As prctl(2): these are bits that a thread changes only itself. */
static int set_flags(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 flags)
{
	bool flusher = (current->flags & PF_IO_FLUSHER) == PF_IO_FLUSHER;

	current->flags &= ~(PF_MCE_PROCESS | PF_MCE_EARLY);
	if (flags & CKPT_ATTR_MCE_KILL)
		current->flags |= PF_MCE_PROCESS;
	if (flags & CKPT_ATTR_MCE_EARLY)
		current->flags |= PF_MCE_EARLY;
	if (flusher == !!(flags & CKPT_ATTR_IO_FLUSHER))
		return 0;
	if (!capable(CAP_SYS_RESOURCE))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, -EPERM,
				  "to be an I/O flusher, or none, takes CAP_SYS_RESOURCE");
	current->flags ^= PF_IO_FLUSHER;
	return 0;
}

/**
 * ckpt_attrs_apply - give current the saved properties of its thread
 * @ctx: context
 * @t: current; its identity is still the caller's
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_attrs_apply(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct ckpt_rec_attrs *attrs = ckpt_rec_data(t->attrs);
	const struct ckpt_rec_cred *cred = ckpt_rec_data(t->cred ?: t->leader->cred);
	int ret, i;

	ret = set_flags(ctx, t, attrs->flags);
	for (i = 0; i < CKPT_NR_SPECULATION && !ret; i++)
		ret = set_speculation(ctx, t, i, attrs->speculation[i]);
	if (!ret)
		ret = set_dispatch(ctx, t, attrs);
	if (!ret)
		ret = ckpt_set_compat_robust_list(attrs->compat_robust_list);
	if (!ret)
		ret = ckpt_arch_apply_attrs(ctx, t, attrs);
	if (ret)
		return ret;
	/* Where filters are without CAP_SYS_ADMIN it has come before them. */
	if (cred->flags & 1)
		task_set_no_new_privs(current);
	return ckpt_seccomp_apply(ctx, t, attrs);
}

const struct ckpt_obj_ops ckpt_attrs_ops = {
	.name = "thread properties",
	.rec = CKPT_REC_ATTRS,
	.collect = attrs_collect,
	.save = attrs_save,
	.restore = attrs_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signal actions. A table shared with another process (CLONE_SIGHAND without
 * CLONE_THREAD) comes with a shared address space, which mm/mm.c refuses.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../internal.h"

static u64 from_sigset(const sigset_t *set)
{
	static_assert(sizeof(sigset_t) == sizeof(u64));
	return set->sig[0];
}

static int sighand_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec_sigaction *recs;
	struct sighand_struct *sighand;
	struct sigaction *sa;
	unsigned long flags;
	int i, ret;

	recs = kcalloc(_NSIG, sizeof(*recs), GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	sighand = lock_task_sighand(t->task, &flags);
	if (!sighand) {
		kfree(recs);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH, "was killed");
	}
	for (i = 0; i < _NSIG; i++) {
		sa = &sighand->action[i].sa;
		recs[i].handler = (unsigned long)sa->sa_handler;
		recs[i].flags = sa->sa_flags;
		recs[i].restorer = (unsigned long)sa->sa_restorer;
		recs[i].mask = from_sigset(&sa->sa_mask);
	}
	unlock_task_sighand(t->task, &flags);
	ret = ckpt_write_record(ctx, CKPT_REC_SIGHAND, 0, sizeof(*recs), recs,
				_NSIG * sizeof(*recs), NULL, 0);
	kfree(recs);
	return ret;
}

static int sighand_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct ckpt_rec_sigaction *saved = ckpt_rec_data(rec);
	struct k_sigaction act = {};
	int i, ret = 0;

	for (i = 0; i < _NSIG && !ret; i++, saved++) {
		act.sa.sa_handler = (__sighandler_t)(unsigned long)saved->handler;
		act.sa.sa_flags = saved->flags;
		act.sa.sa_restorer = (__sigrestore_t)(unsigned long)saved->restorer;
		act.sa.sa_mask.sig[0] = saved->mask;
		if (i + 1 == SIGKILL || i + 1 == SIGSTOP)
			continue;
		/* A handler is called as the system call was that set it. */
		ckpt_arch_compat_call(saved->flags & CKPT_SA_COMPAT);
		ret = do_sigaction(i + 1, &act, NULL);
		ckpt_arch_compat_call(false);
	}
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
			   "the image has an impossible action of signal %d", i);
	t->seen_sighand = 1;
	ckpt_free_record(rec);
	return ret;
}

const struct ckpt_obj_ops ckpt_sighand_ops = {
	.name = "signal actions",
	.rec = CKPT_REC_SIGHAND,
	.save = sighand_save,
	.restore = sighand_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signal actions. Processes of the tree may share a table; others cannot,
 * because that takes a shared address space, too, which mm/mm.c refuses.
 */
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "../internal.h"

static u64 from_sigset(const sigset_t *set)
{
	static_assert(sizeof(sigset_t) == sizeof(u64));
	return set->sig[0];
}

/* A parked task keeps its table. */
static struct sighand_struct *sighand_of(struct task_struct *task)
{
	return rcu_dereference_raw(task->sighand);
}

static int sighand_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec_sigaction *recs;
	struct sighand_struct *sighand;
	struct sigaction *sa;
	unsigned long flags;
	u32 tag = ckpt_tag_of(ctx, sighand_of(t->task));
	int i, ret;

	if (tag)
		return ckpt_write_use(ctx, CKPT_REC_SIGHAND, tag);
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
	tag = ckpt_new_tag(ctx, sighand);
	ret = !tag ? -ENOMEM : ckpt_write_record(ctx, CKPT_REC_SIGHAND, tag, sizeof(*recs), recs,
						 _NSIG * sizeof(*recs), NULL, 0);
	kfree(recs);
	return ret;
}

static void sighand_put(void *obj)
{
	struct ckpt_task *t = obj;

	__cleanup_sighand(t->sighand);
}

static int sighand_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct ckpt_rec_sigaction *saved = ckpt_rec_data(rec);
	struct sighand_struct *sighand = sighand_of(current);
	struct k_sigaction act = {};
	int i, ret = 0;

	if (t->seen_sighand) {
		ckpt_free_record(rec);
		return -EBADMSG;
	}
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
	t->sighand = sighand;
	refcount_inc(&sighand->count);
	if (!ret)
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_sighand_ops, t);
	if (ret)
		sighand_put(t);
	ckpt_free_record(rec);
	return ret;
}

/* Process whose address space it has. */
static u32 mm_owner_of(const struct ckpt_task *t)
{
	return t->rec->mm_owner ?: t->rec->tid;
}

/* As fs/exec.c changes it: current is the only thread of its process. */
static int sighand_share(struct ckpt_ctx *ctx, struct ckpt_task *t, void *obj)
{
	struct sighand_struct *sighand, *old = sighand_of(current);
	struct ckpt_task *owner = obj;

	/* Shared signal actions imply a shared address space. */
	if (t->seen_sighand || mm_owner_of(owner) != mm_owner_of(t))
		return -EBADMSG;
	sighand = owner->sighand;
	refcount_inc(&sighand->count);
	write_lock_irq(&tasklist_lock);
	spin_lock(&old->siglock);
	rcu_assign_pointer(current->sighand, sighand);
	spin_unlock(&old->siglock);
	write_unlock_irq(&tasklist_lock);
	__cleanup_sighand(old);
	t->seen_sighand = 1;
	return 0;
}

const struct ckpt_obj_ops ckpt_sighand_ops = {
	.name = "signal actions",
	.rec = CKPT_REC_SIGHAND,
	.save = sighand_save,
	.restore = sighand_restore,
	.share = sighand_share,
	.put = sighand_put,
	.common = true,
};

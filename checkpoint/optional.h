/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State of a task that a kernel may be built without: "it has none" then.
 */
#ifndef _CHECKPOINT_OPTIONAL_H
#define _CHECKPOINT_OPTIONAL_H

#include <linux/checkpoint_state.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/keyctl.h>
#include <linux/ksm.h>
#include <linux/sched.h>

static inline bool ckpt_uses_io_uring(struct task_struct *task)
{
#ifdef CONFIG_IO_URING
	return task->io_uring;
#else
	return false;
#endif
}

static inline bool ckpt_has_sem_undo(struct task_struct *task)
{
#ifdef CONFIG_SYSVIPC
	return checkpoint_has_sem_undo(task);
#else
	return false;
#endif
}

static inline u64 ckpt_get_compat_robust_list(struct task_struct *task)
{
#ifdef CONFIG_COMPAT
	return (unsigned long)task->compat_robust_list;
#else
	return 0;
#endif
}

static inline int ckpt_set_compat_robust_list(u64 head)
{
#ifdef CONFIG_COMPAT
	current->compat_robust_list = compat_ptr(head);
	return 0;
#else
	return head ? -EOPNOTSUPP : 0;
#endif
}

/* The utilisation clamp that a task has asked for. */
static inline bool ckpt_get_uclamp(struct task_struct *task, bool max, u32 *value)
{
#ifdef CONFIG_UCLAMP_TASK
	const struct uclamp_se *req = &task->uclamp_req[max ? UCLAMP_MAX : UCLAMP_MIN];

	if (req->user_defined)
		*value = req->value;
	return req->user_defined;
#else
	return false;
#endif
}

static inline bool ckpt_has_core_cookie(struct task_struct *task)
{
#ifdef CONFIG_SCHED_CORE
	return task->core_cookie;
#else
	return false;
#endif
}

static inline bool ckpt_has_own_keyring(const struct cred *c)
{
#ifdef CONFIG_KEYS
	return c->thread_keyring || c->process_keyring || c->request_key_auth ||
	       c->jit_keyring != KEY_REQKEY_DEFL_DEFAULT;
#else
	return false;
#endif
}

static inline bool ckpt_has_other_session(const struct cred *c)
{
#ifdef CONFIG_KEYS
	return c->session_keyring != current_cred()->session_keyring;
#else
	return false;
#endif
}

/* As prctl(PR_SET_MEMORY_MERGE); mmap_lock is held for writing. */
static inline int ckpt_merge_any(struct mm_struct *mm)
{
#ifdef CONFIG_KSM
	return ksm_enable_merge_any(mm);
#else
	return -EOPNOTSUPP;
#endif
}

#endif /* _CHECKPOINT_OPTIONAL_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State of a task that a kernel may be built without: "it has none" then.
 */
#ifndef _CHECKPOINT_OPTIONAL_H
#define _CHECKPOINT_OPTIONAL_H

#include <linux/checkpoint_state.h>
#include <linux/cred.h>
#include <linux/keyctl.h>
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

static inline bool ckpt_has_compat_robust_list(struct task_struct *task)
{
#ifdef CONFIG_COMPAT
	return task->compat_robust_list;
#else
	return false;
#endif
}

static inline bool ckpt_has_uclamp(struct task_struct *task)
{
#ifdef CONFIG_UCLAMP_TASK
	return task->uclamp_req[UCLAMP_MIN].user_defined ||
	       task->uclamp_req[UCLAMP_MAX].user_defined;
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

static inline bool ckpt_has_mempolicy(struct task_struct *task)
{
#ifdef CONFIG_NUMA
	return task->mempolicy;
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

#endif /* _CHECKPOINT_OPTIONAL_H */

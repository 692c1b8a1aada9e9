/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State of a task that a kernel may be built without: "it has none" then.
 */
#ifndef _CHECKPOINT_OPTIONAL_H
#define _CHECKPOINT_OPTIONAL_H

#include <linux/checkpoint_image.h>
#include <linux/checkpoint_state.h>
#include <linux/cgroup.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/hugetlb.h>
#include <linux/keyctl.h>
#include <linux/ksm.h>
#include <linux/nsproxy.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/cputime.h>
#include <linux/shmem_fs.h>

static inline bool ckpt_uses_io_uring(struct task_struct *task)
{
#ifdef CONFIG_IO_URING
	return task->io_uring;
#else
	return false;
#endif
}

/* Cgroup of a task in the unified hierarchy, referenced, or NULL. */
static inline struct cgroup *ckpt_get_cgroup(struct task_struct *task)
{
	struct cgroup *cgrp = NULL;
#ifdef CONFIG_CGROUPS
	rcu_read_lock();
	do {
		cgrp = task_dfl_cgroup(task);
	} while (!cgroup_tryget(cgrp));
	rcu_read_unlock();
#endif
	return cgrp;
}

static inline void ckpt_put_cgroup(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	cgroup_put(cgrp);
#endif
}

/* Its path in the cgroup namespace of @nsproxy. */
static inline int ckpt_cgroup_path(struct cgroup *cgrp, char *buf, size_t len,
				   const struct nsproxy *nsproxy)
{
#ifdef CONFIG_CGROUPS
	return cgroup_path_ns(cgrp, buf, len, nsproxy->cgroup_ns);
#else
	return -EOPNOTSUPP;
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

/* The name is the mapping's from then on; mmap_lock is held for writing. */
static inline int ckpt_give_vma_name(struct vm_area_struct *vma, struct anon_vma_name *name)
{
#ifdef CONFIG_ANON_VMA_NAME
	vma->anon_name = name;
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

static inline unsigned long ckpt_pkey_flags(u32 pkey)
{
#ifdef CONFIG_ARCH_HAS_PKEYS
	return (unsigned long)pkey << VM_PKEY_SHIFT;
#else
	return 0;
#endif
}

static inline unsigned int *ckpt_hugetlb_seals(struct inode *inode)
{
#ifdef CONFIG_HUGETLBFS
	return &HUGETLBFS_I(inode)->seals;
#else
	return NULL;
#endif
}

static inline void ckpt_save_io(const struct task_io_accounting *io,
				struct ckpt_rec_counters *c)
{
#ifdef CONFIG_TASK_XACCT
	c->rchar = io->rchar;
	c->wchar = io->wchar;
	c->syscr = io->syscr;
	c->syscw = io->syscw;
#endif
#ifdef CONFIG_TASK_IO_ACCOUNTING
	c->read_bytes = io->read_bytes;
	c->write_bytes = io->write_bytes;
	c->cancelled_write_bytes = io->cancelled_write_bytes;
#endif
}

static inline void ckpt_set_io(struct task_io_accounting *io,
			       const struct ckpt_rec_counters *c)
{
#ifdef CONFIG_TASK_XACCT
	io->rchar = c->rchar;
	io->wchar = c->wchar;
	io->syscr = c->syscr;
	io->syscw = c->syscw;
#endif
#ifdef CONFIG_TASK_IO_ACCOUNTING
	io->read_bytes = c->read_bytes;
	io->write_bytes = c->write_bytes;
	io->cancelled_write_bytes = c->cancelled_write_bytes;
#endif
}

static inline void ckpt_save_sched_info(struct task_struct *task,
					struct ckpt_rec_thread_usage *rec)
{
#ifdef CONFIG_SCHED_INFO
	rec->nr_runs = task->sched_info.pcount;
	rec->run_delay_ns = task->sched_info.run_delay;
#endif
}

static inline void ckpt_set_sched_info(struct task_struct *task,
				       const struct ckpt_rec_thread_usage *rec)
{
#ifdef CONFIG_SCHED_INFO
	task->sched_info.pcount = rec->nr_runs;
	task->sched_info.run_delay = rec->run_delay_ns;
#endif
}

static inline void ckpt_save_integrals(struct task_struct *task,
				       struct ckpt_rec_thread_usage *rec)
{
#ifdef CONFIG_TASK_XACCT
	rec->rss_integral = task->acct_rss_mem1;
	rec->vm_integral = task->acct_vm_mem1;
#endif
}

/* After the times: the integrals go on from there. */
static inline void ckpt_set_integrals(struct task_struct *task,
				      const struct ckpt_rec_thread_usage *rec)
{
#ifdef CONFIG_TASK_XACCT
	task->acct_timexpd = task->utime + task->stime;
	task->acct_rss_mem1 = rec->rss_integral;
	task->acct_vm_mem1 = rec->vm_integral;
#endif
}

/* Of a task that sleeps: the scheduler measures from where it begins to run. */
static inline void ckpt_set_runtime(struct task_struct *task, u64 runtime)
{
#ifdef CONFIG_NUMA_BALANCING
	task->last_sum_exec_runtime += runtime - task->se.sum_exec_runtime;
#endif
	task->se.prev_sum_exec_runtime += runtime - task->se.sum_exec_runtime;
	task->se.sum_exec_runtime = runtime;
}

#endif /* _CHECKPOINT_OPTIONAL_H */

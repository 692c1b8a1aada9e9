/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accessors that other subsystems offer to checkpoint/: state that cannot be
 * reached in any other way. This header is the porting layer: prototypes stay,
 * bodies are at the end of the file that owns the state.
 */
#ifndef _LINUX_CHECKPOINT_STATE_H
#define _LINUX_CHECKPOINT_STATE_H

#include <linux/ktime.h>
#include <linux/restart_block.h>

struct k_itimer;
struct mm_struct;
struct sigevent;
struct task_struct;

/* fs/exec.c: give the current, single-threaded task a fresh address space */
int checkpoint_exec_mmap(struct mm_struct *mm);

/* kernel/time/hrtimer.c, fs/select.c, kernel/futex/waitwake.c */
typedef long (*checkpoint_restart_fn)(struct restart_block *restart);
extern const checkpoint_restart_fn checkpoint_restart_nanosleep;
extern const checkpoint_restart_fn checkpoint_restart_poll;
extern const checkpoint_restart_fn checkpoint_restart_futex;

/* kernel/time/hrtimer.c: when the timer on which @task sleeps expires */
bool checkpoint_sleeper_expires(struct task_struct *task, ktime_t *remaining);

/* ipc/sem.c: semaphore adjustments that the exit of @task would undo */
bool checkpoint_has_sem_undo(struct task_struct *task);

/* kernel/time/posix-timers.c: timer_create() of current with a chosen id */
struct k_itimer *checkpoint_timer_create(clockid_t clock, timer_t id, struct sigevent *event);

#endif /* _LINUX_CHECKPOINT_STATE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accessors that other subsystems offer to checkpoint/: state that cannot be
 * reached in any other way. This header is the porting layer: prototypes stay,
 * bodies are at the end of the file that owns the state.
 */
#ifndef _LINUX_CHECKPOINT_STATE_H
#define _LINUX_CHECKPOINT_STATE_H

#include <linux/filter.h>
#include <linux/ktime.h>
#include <linux/nodemask_types.h>
#include <linux/restart_block.h>

struct file;
struct k_itimer;
struct mm_struct;
struct pts_fs_info;
struct seccomp_filter;
struct sigevent;
struct task_struct;
struct tty_struct;

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

/* net/core/filter.c: as bpf_prog_create_from_user(), from kernel memory */
int checkpoint_bpf_prog_create(struct bpf_prog **pfp, struct sock_filter *filter, u16 len,
			       bpf_aux_classic_check_t trans);

/**
 * struct checkpoint_seccomp - state of a seccomp filter
 * @prev: the filter before it, or NULL
 * @insns: its classic program
 * @len: how many instructions
 * @log: of SECCOMP_FILTER_FLAG_LOG
 * @wait_killable: of SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
 * @listener: somebody listens to it; not created
 */
struct checkpoint_seccomp {
	struct seccomp_filter *prev;
	struct sock_filter *insns;
	u32 len;
	bool log;
	bool wait_killable;
	bool listener;
};

/* kernel/seccomp.c */
#ifdef CONFIG_SECCOMP_FILTER
struct seccomp_filter *checkpoint_seccomp_get(struct task_struct *task);
void checkpoint_seccomp_put(struct seccomp_filter *filter);
int checkpoint_seccomp_show(struct seccomp_filter *filter, struct checkpoint_seccomp *state);
struct seccomp_filter *checkpoint_seccomp_create(const struct checkpoint_seccomp *state);
int checkpoint_seccomp_attach(struct seccomp_filter *filter);
bool checkpoint_seccomp_allows(int nr);
#else
static inline struct seccomp_filter *checkpoint_seccomp_get(struct task_struct *task)
{
	return NULL;
}

static inline void checkpoint_seccomp_put(struct seccomp_filter *filter)
{
}

static inline int checkpoint_seccomp_show(struct seccomp_filter *filter,
					  struct checkpoint_seccomp *state)
{
	return -EINVAL;
}

static inline struct seccomp_filter *
checkpoint_seccomp_create(const struct checkpoint_seccomp *state)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline int checkpoint_seccomp_attach(struct seccomp_filter *filter)
{
	return -EOPNOTSUPP;
}

static inline bool checkpoint_seccomp_allows(int nr)
{
	return true;
}
#endif

/* mm/mempolicy.c: policy of a task, as in set_mempolicy(2) */
#ifdef CONFIG_NUMA
int checkpoint_get_mempolicy(struct task_struct *task, nodemask_t *nodes);
int checkpoint_set_mempolicy(int mode, nodemask_t *nodes);
#else
static inline int checkpoint_get_mempolicy(struct task_struct *task, nodemask_t *nodes)
{
	bitmap_zero(nodes->bits, MAX_NUMNODES);
	return 0;
}

static inline int checkpoint_set_mempolicy(int mode, nodemask_t *nodes)
{
	return -EOPNOTSUPP;
}
#endif

/* arch/x86/kernel/ldt.c: the first LDT of current, as modify_ldt(2) reads it */
#ifdef CONFIG_MODIFY_LDT_SYSCALL
int checkpoint_set_ldt(const u64 *entries, u32 nr);
#else
static inline int checkpoint_set_ldt(const u64 *entries, u32 nr)
{
	return -EOPNOTSUPP;
}
#endif

/**
 * struct checkpoint_n_tty - what a line discipline N_TTY has that is not done yet
 * @read_len: bytes of @read_buf
 * @canon_len: of them, bytes of complete lines
 * @commit_len: of them, bytes that may be read in raw mode
 * @echo_len: bytes of @echo_buf
 * @echo_commit: of them, bytes that go out next
 * @echo_mark: of them, bytes that may go out
 * @column: where the cursor is
 * @canon_column: where it was at the start of the line
 * @lnext: the next character is taken literally
 * @erasing: characters were erased by ECHOPRT
 * @push: complete lines end without a line end
 * @read_buf: input, the oldest byte first
 * @line_ends: a bit for each byte of it
 * @echo_buf: echoes under way
 */
struct checkpoint_n_tty {
	u32 read_len;
	u32 canon_len;
	u32 commit_len;
	u32 echo_len;
	u32 echo_commit;
	u32 echo_mark;
	u32 column;
	u32 canon_column;
	bool lnext;
	bool erasing;
	bool push;
	u8 read_buf[4096];
	u8 line_ends[4096 / 8];
	u8 echo_buf[4096];
};

/* drivers/tty/n_tty.c, fs/devpts/inode.c, drivers/tty/pty.c */
void checkpoint_n_tty_get(struct tty_struct *tty, struct checkpoint_n_tty *state);
void checkpoint_n_tty_set(struct tty_struct *tty, const struct checkpoint_n_tty *state);
int checkpoint_devpts_take(struct pts_fs_info *fsi, int index);
int checkpoint_pty_move(struct file *master, int index);

/* kernel/time/posix-timers.c: timer_create() of current with a chosen id */
struct k_itimer *checkpoint_timer_create(clockid_t clock, timer_t id, struct sigevent *event);

#endif /* _LINUX_CHECKPOINT_STATE_H */

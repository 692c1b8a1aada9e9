// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes and offsets that programs and images rely on. The Makefile compiles
 * this file for 32 bits and as C++, too: they must be the same everywhere.
 */
#ifndef __cplusplus
#define static_assert _Static_assert
#endif
#include <stddef.h>

#include "../../../../include/uapi/linux/checkpoint.h"
#include "../../../../include/uapi/linux/checkpoint_image.h"

#define SIZE(type, size)	\
	static_assert(sizeof(struct type) == (size), #type)
#define OFFSET(type, member, offset)	\
	static_assert(offsetof(struct type, member) == (offset), #type "." #member)

SIZE(checkpoint_args, CHECKPOINT_ARGS_SIZE_VER1);
SIZE(checkpoint_args, 40);
OFFSET(checkpoint_args, external, CHECKPOINT_ARGS_SIZE_VER0);
SIZE(checkpoint_entry, 32);
OFFSET(checkpoint_entry, fd, 24);
OFFSET(checkpoint_args, stats, 8);
OFFSET(checkpoint_args, stats_size, 16);
SIZE(restart_args, RESTART_ARGS_SIZE_VER1);
SIZE(restart_args, 64);
OFFSET(restart_args, inherit, RESTART_ARGS_SIZE_VER0);
OFFSET(restart_args, nr_inherit, 48);
OFFSET(restart_args, stats, 8);
SIZE(checkpoint_stats, CHECKPOINT_STATS_SIZE_VER0);
SIZE(checkpoint_stats, 96);
OFFSET(checkpoint_stats, freeze_ns, 32);
OFFSET(checkpoint_stats, total_ns, 88);

static_assert(CHECKPOINT_KILL == 1 && CHECKPOINT_STOP == 2 && CHECKPOINT_ONLY == 4 &&
	      CHECKPOINT_DRY_RUN == 8 && CHECKPOINT_ARGS == 1 << 30, "flags");
static_assert(RESTART_FROZEN == 1 && RESTART_NEW_PIDS == 2 && RESTART_ARGS == 1 << 30, "flags");

/* Reason codes are append-only: the ends of the first version. */
static_assert(CKPT_WHY_OTHER == 0 && CKPT_WHY_CHILD == 5 && CKPT_WHY_FILE == 11 &&
	      CKPT_WHY_MAPPING == 17 && CKPT_WHY_TIMER == 21 && CKPT_WHY_SECCOMP == 26 &&
	      CKPT_WHY_IMAGE == 35 && CKPT_WHY_PID_IN_USE == 39 && CKPT_WHY_EXTERNAL == 41,
	      "reason codes");

SIZE(ckpt_rec, 32);
OFFSET(ckpt_rec, length, 16);
OFFSET(ckpt_rec, sum, 24);
SIZE(ckpt_rec_header, 272);
OFFSET(ckpt_rec_header, version, 8);
OFFSET(ckpt_rec_header, features, 24);
OFFSET(ckpt_rec_header, image_id, 48);
OFFSET(ckpt_rec_header, cpu_features, 64);
OFFSET(ckpt_rec_header, release, 72);
SIZE(ckpt_rec_tree, 16);
SIZE(ckpt_rec_task, 48);
SIZE(ckpt_rec_namespace, 32);
SIZE(ckpt_rec_id_map, 24);
SIZE(ckpt_rec_pid, 16);
SIZE(ckpt_rec_cgroup, 8);
SIZE(ckpt_rec_rlimit, 16);
SIZE(ckpt_rec_process, 32 + CKPT_NR_RLIMITS * 16);
SIZE(ckpt_rec_file, 136);
OFFSET(ckpt_rec_file, mode, 64);
OFFSET(ckpt_rec_file, build_id, 80);
OFFSET(ckpt_rec_file, fs_uuid, 120);
SIZE(ckpt_rec_pipe, 16);
SIZE(ckpt_rec_mm, 15 * 8 + 6 * 4 + CKPT_AUXV_MAX * 8 + 3 * 8 + 4 * 4);
SIZE(ckpt_rec_event, 40);
OFFSET(ckpt_rec_event, expires_ns, 24);
SIZE(ckpt_rec_epoll_item, 32);
OFFSET(ckpt_rec_epoll_item, data, 16);
SIZE(ckpt_rec_inotify, 16);
SIZE(ckpt_rec_notify, 24);
OFFSET(ckpt_rec_mm, exe, 120);
OFFSET(ckpt_rec_mm, auxv, 144);
SIZE(ckpt_rec_vma, 48);
SIZE(ckpt_rec_extent, 16);
SIZE(ckpt_rec_shared_pages, 32);
SIZE(ckpt_rec_fs, 16);
SIZE(ckpt_rec_pty_end, 40);
SIZE(ckpt_rec_pty, 104 + 2 * 40 + 48);
OFFSET(ckpt_rec_pty, rows, 88);
OFFSET(ckpt_rec_pty, ends, 96);
OFFSET(ckpt_rec_pty, locked_cc, 201);
SIZE(ckpt_rec_fd, 16);
SIZE(ckpt_rec_unlinked, 48);
SIZE(ckpt_rec_lock, 40);
SIZE(ckpt_rec_file_state, 40);
SIZE(ckpt_rec_sigaction, 32);
SIZE(ckpt_rec_siginfo, 144);
SIZE(ckpt_rec_thread, 328);
OFFSET(ckpt_rec_thread, clear_child_tid, 56);
OFFSET(ckpt_rec_thread, rseq_len, 88);
OFFSET(ckpt_rec_thread, timer_slack_ns, 120);
OFFSET(ckpt_rec_thread, restart_kind, 128);
OFFSET(ckpt_rec_thread, affinity, 200);
SIZE(ckpt_rec_cred, 88);
OFFSET(ckpt_rec_cred, cap_inheritable, 48);
SIZE(ckpt_rec_regset, 8);
SIZE(ckpt_rec_terminal, 64);
OFFSET(ckpt_rec_terminal, rows, 52);
SIZE(ckpt_rec_seccomp, 16);
SIZE(ckpt_rec_attrs, 104 + CKPT_NODE_WORDS * 8 + 8);
OFFSET(ckpt_rec_attrs, dispatch_selector, 32);
OFFSET(ckpt_rec_attrs, uclamp_min, 80);
OFFSET(ckpt_rec_attrs, nodes, 104);
SIZE(ckpt_rec_vma_name, 16 + CKPT_VMA_NAME_LEN);
SIZE(ckpt_rec_sysv_shm, 80);
SIZE(ckpt_rec_memory, 8);
SIZE(ckpt_rec_hugetlb, 48);
SIZE(ckpt_rec_huge_region, 16);
SIZE(ckpt_rec_aio, 32);
SIZE(ckpt_rec_vma_policy, 160);
OFFSET(ckpt_rec_vma_policy, nodes, 32);
SIZE(ckpt_rec_io_ports, 8);
SIZE(ckpt_rec_index_entry, 16);
SIZE(ckpt_rec_trailer, 48);
SIZE(ckpt_rec_shmem, 48);
OFFSET(ckpt_rec_shmem, flags, 40);
SIZE(ckpt_rec_shmem_data, 16);
SIZE(ckpt_rec_counters, 17 * 8);
SIZE(ckpt_rec_usage, 30 * 8);
SIZE(ckpt_rec_thread_usage, 23 * 8);
SIZE(ckpt_rec_timers, 56);
OFFSET(ckpt_rec_timers, real_left_ns, 8);
SIZE(ckpt_rec_posix_timer, 72);
OFFSET(ckpt_rec_posix_timer, value, 32);

static_assert(CKPT_REC_HEADER == 1 && CKPT_REC_MM == 5 && CKPT_REC_SIGHAND == 12 &&
	      CKPT_REC_TRAILER == 20 && CKPT_REC_PIPE == 21 && CKPT_REC_USE == 22 &&
	      CKPT_REC_SECCOMP == 23 && CKPT_REC_IO_PORTS == 27 && CKPT_REC_USAGE == 28 &&
	      CKPT_REC_THREAD_USAGE == 31 && CKPT_REC_SHMEM_DATA == 33 &&
	      CKPT_REC_CGROUP == 37 && CKPT_REC_SYSV_SHM == 39 && CKPT_REC_INOTIFY == 42 &&
	      CKPT_REC_SHARED_PAGES == 43 && CKPT_REC_PTY == 44 &&
	      CKPT_REC_FILE_STATE == 47 && CKPT_REC_TERMINAL == 51 &&
	      CKPT_REC_HUGE_REGIONS == 54, "record types");

#ifndef ABI_SYNTAX_ONLY
#include "kselftest_harness.h"

#include <sys/syscall.h>

/* The numbers of the calls: both check their flags before anything else. */
TEST(system_call_numbers)
{
	EXPECT_EQ(-1, syscall(600, 0, -1, ~0UL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, syscall(601, 0, -1, ~0UL));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN
#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image format is frozen at build time: sizes of all records, and the
 * offset of every member that follows one smaller than 8 bytes.
 */
#ifndef _CHECKPOINT_IMAGE_CHECK_H
#define _CHECKPOINT_IMAGE_CHECK_H

#include <linux/build_bug.h>
#include <linux/checkpoint_image.h>
#include <linux/stddef.h>

#define CKPT_CHECK_SIZE(type, size) \
	static_assert(sizeof(struct type) == (size), "size of " #type)
#define CKPT_CHECK_OFFSET(type, member, offset) \
	static_assert(offsetof(struct type, member) == (offset), \
		      "offset of " #type "." #member)

CKPT_CHECK_SIZE(ckpt_rec, 32);
CKPT_CHECK_OFFSET(ckpt_rec, length, 16);
CKPT_CHECK_SIZE(ckpt_rec_header, 272);
CKPT_CHECK_OFFSET(ckpt_rec_header, features, 24);
CKPT_CHECK_OFFSET(ckpt_rec_header, cpu_features, 64);
CKPT_CHECK_SIZE(ckpt_rec_tree, 16);
CKPT_CHECK_SIZE(ckpt_rec_task, 48);
CKPT_CHECK_SIZE(ckpt_rec_namespace, 32);
CKPT_CHECK_SIZE(ckpt_rec_id_map, 24);
CKPT_CHECK_SIZE(ckpt_rec_pid, 16);
CKPT_CHECK_SIZE(ckpt_rec_cgroup, 8);
CKPT_CHECK_SIZE(ckpt_rec_use, 8);
CKPT_CHECK_SIZE(ckpt_rec_rlimit, 16);
CKPT_CHECK_SIZE(ckpt_rec_process, 288);
CKPT_CHECK_OFFSET(ckpt_rec_process, rlimits, 32);
CKPT_CHECK_SIZE(ckpt_rec_file, 136);
CKPT_CHECK_OFFSET(ckpt_rec_file, pos, 8);
CKPT_CHECK_OFFSET(ckpt_rec_file, build_id, 80);
CKPT_CHECK_OFFSET(ckpt_rec_file, fs_uuid, 120);
CKPT_CHECK_SIZE(ckpt_rec_mm, 696);
CKPT_CHECK_OFFSET(ckpt_rec_mm, auxv, 144);
CKPT_CHECK_SIZE(ckpt_rec_vma, 48);
CKPT_CHECK_SIZE(ckpt_rec_extent, 16);
CKPT_CHECK_SIZE(ckpt_rec_shared_pages, 32);
CKPT_CHECK_SIZE(ckpt_rec_fs, 16);
CKPT_CHECK_SIZE(ckpt_rec_pty_end, 40);
CKPT_CHECK_SIZE(ckpt_rec_pty, 232);
CKPT_CHECK_OFFSET(ckpt_rec_pty, rows, 88);
CKPT_CHECK_OFFSET(ckpt_rec_pty, ends, 96);
CKPT_CHECK_OFFSET(ckpt_rec_pty, locked_cc, 201);
CKPT_CHECK_SIZE(ckpt_rec_terminal, 64);
CKPT_CHECK_OFFSET(ckpt_rec_terminal, rows, 52);
CKPT_CHECK_SIZE(ckpt_rec_fd, 16);
CKPT_CHECK_SIZE(ckpt_rec_unlinked, 48);
CKPT_CHECK_SIZE(ckpt_rec_lock, 40);
CKPT_CHECK_SIZE(ckpt_rec_file_state, 40);
CKPT_CHECK_SIZE(ckpt_rec_sigaction, 32);
CKPT_CHECK_SIZE(ckpt_rec_siginfo, 144);
CKPT_CHECK_SIZE(ckpt_rec_thread, 328);
CKPT_CHECK_OFFSET(ckpt_rec_thread, blocked, 24);
CKPT_CHECK_OFFSET(ckpt_rec_thread, clear_child_tid, 56);
CKPT_CHECK_OFFSET(ckpt_rec_thread, timer_slack_ns, 120);
CKPT_CHECK_OFFSET(ckpt_rec_thread, restart_remaining_ns, 136);
CKPT_CHECK_SIZE(ckpt_rec_cred, 88);
CKPT_CHECK_OFFSET(ckpt_rec_cred, cap_inheritable, 48);
CKPT_CHECK_SIZE(ckpt_rec_regset, 8);
CKPT_CHECK_SIZE(ckpt_rec_index_entry, 16);
CKPT_CHECK_SIZE(ckpt_rec_trailer, 48);
CKPT_CHECK_SIZE(ckpt_rec_event, 40);
CKPT_CHECK_OFFSET(ckpt_rec_event, expires_ns, 24);
CKPT_CHECK_SIZE(ckpt_rec_epoll_item, 32);
CKPT_CHECK_OFFSET(ckpt_rec_epoll_item, data, 16);
CKPT_CHECK_SIZE(ckpt_rec_inotify, 16);
CKPT_CHECK_SIZE(ckpt_rec_notify, 24);
CKPT_CHECK_SIZE(ckpt_rec_io_uring, 88);
CKPT_CHECK_OFFSET(ckpt_rec_io_uring, register_ops, 64);
CKPT_CHECK_SIZE(ckpt_rec_io_group, 32);
CKPT_CHECK_SIZE(ckpt_rec_io_provided, 16);
CKPT_CHECK_SIZE(ckpt_rec_pipe, 16);
CKPT_CHECK_SIZE(ckpt_rec_socket, 168);
CKPT_CHECK_OFFSET(ckpt_rec_socket, rcvtimeo_ns, 120);
CKPT_CHECK_SIZE(ckpt_rec_unix, 88);
CKPT_CHECK_OFFSET(ckpt_rec_unix, ino, 56);
CKPT_CHECK_SIZE(ckpt_rec_unix_msg, 48);
CKPT_CHECK_OFFSET(ckpt_rec_unix_msg, stamp_ns, 40);
CKPT_CHECK_SIZE(ckpt_rec_inet_addr, 24);
CKPT_CHECK_OFFSET(ckpt_rec_inet_addr, port, 20);
CKPT_CHECK_SIZE(ckpt_rec_inet_option, 8);
CKPT_CHECK_SIZE(ckpt_rec_inet, 96);
CKPT_CHECK_SIZE(ckpt_rec_tcp_end, 104);
CKPT_CHECK_OFFSET(ckpt_rec_tcp_end, bytes_sent, 72);
CKPT_CHECK_SIZE(ckpt_rec_tcp, 264);
CKPT_CHECK_OFFSET(ckpt_rec_tcp, ends, 56);
CKPT_CHECK_SIZE(ckpt_rec_shmem, 48);
CKPT_CHECK_OFFSET(ckpt_rec_shmem, flags, 40);
CKPT_CHECK_SIZE(ckpt_rec_shmem_data, 16);
CKPT_CHECK_SIZE(ckpt_rec_seccomp, 16);
CKPT_CHECK_SIZE(ckpt_rec_attrs, 240);
CKPT_CHECK_OFFSET(ckpt_rec_attrs, speculation, 16);
CKPT_CHECK_OFFSET(ckpt_rec_attrs, dispatch_selector, 32);
CKPT_CHECK_OFFSET(ckpt_rec_attrs, default_slack_ns, 88);
CKPT_CHECK_OFFSET(ckpt_rec_attrs, nodes, 104);
CKPT_CHECK_SIZE(ckpt_rec_vma_name, 96);
CKPT_CHECK_SIZE(ckpt_rec_sysv_shm, 80);
CKPT_CHECK_SIZE(ckpt_rec_memory, 8);
CKPT_CHECK_SIZE(ckpt_rec_hugetlb, 48);
CKPT_CHECK_SIZE(ckpt_rec_huge_region, 16);
CKPT_CHECK_SIZE(ckpt_rec_aio, 32);
CKPT_CHECK_SIZE(ckpt_rec_vma_policy, 160);
CKPT_CHECK_OFFSET(ckpt_rec_vma_policy, nodes, 32);
CKPT_CHECK_SIZE(ckpt_rec_io_ports, 8);
CKPT_CHECK_SIZE(ckpt_rec_counters, 136);
CKPT_CHECK_SIZE(ckpt_rec_usage, 240);
CKPT_CHECK_SIZE(ckpt_rec_thread_usage, 184);
CKPT_CHECK_SIZE(ckpt_rec_timers, 56);
CKPT_CHECK_OFFSET(ckpt_rec_timers, real_left_ns, 8);
CKPT_CHECK_SIZE(ckpt_rec_posix_timer, 72);
CKPT_CHECK_OFFSET(ckpt_rec_posix_timer, value, 32);

#endif /* _CHECKPOINT_IMAGE_CHECK_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Payloads of records that are fine, for image_check_kunit.c.
 */
#ifndef _CHECKPOINT_TESTS_SAMPLES_H
#define _CHECKPOINT_TESTS_SAMPLES_H

#include <linux/checkpoint_image.h>
#include <linux/mm.h>

#include "../limits.h"

#define PAGE(n)		((u64)(n) << PAGE_SHIFT)

static const struct ckpt_rec_header header = {
	.magic = CKPT_IMAGE_MAGIC, .version = CKPT_IMAGE_VERSION,
	.byte_order = CKPT_IMAGE_BYTE_ORDER, .arch = CKPT_IMAGE_ARCH_X86_64,
	.page_size = PAGE_SIZE, .machine = "x86_64",
};

static const struct {
	struct ckpt_rec_tree tree;
	struct ckpt_rec_task tasks[3];
} tree = {
	{ .nr_tasks = 3, .nr_processes = 2 },
	{ { .tid = 5, .tgid = 5, .pgid = 5, .sid = 5 },
	  { .tid = 6, .tgid = 5 },
	  { .tid = 9, .tgid = 9, .parent = 6, .pgid = 5, .sid = 5, .exit_signal = SIGCHLD,
	    .exit_code = 0x8b, .flags = CKPT_TASKF_DEAD } },
};

static const struct ckpt_rec_namespace namespaces[2] = {
	{ .type = CKPT_NS_USER, .uid = 1000, .flags = CKPT_NSF_SETGROUPS },
	{ .type = CKPT_NS_PID, .owner = 1, .next_pid = 5 },
};

static const struct ckpt_rec_id_map id_maps[1] = { { .ns = 1, .lower = 1000, .count = 1 } };
static const struct ckpt_rec_pid pids[1] = { { .pid = 9, .ns = 2, .nr = 1 } };
static const struct {
	struct ckpt_rec_cgroup cgroup;
	char path[8];
} cgroup = { { .path_len = 5 }, "/jobs" };

static const struct ckpt_rec_process process = { .tgid = 5, .nr_threads = 2 };

static const struct {
	struct ckpt_rec_file file;
	char path[8];
} file = {
	{ .kind = CKPT_FILE_PATH, .flags = CKPT_FILEF_READ, .path_len = 8 }, "/etc/foo",
};

static const struct ckpt_rec_mm mm = {
	.end_code = PAGE(1), .start_brk = PAGE(8), .brk = PAGE(9), .vdso = PAGE(20),
	.vvar = PAGE(16), .exe = 1, .nr_vmas = 2, .nr_auxv = 1,
};

static const struct ckpt_rec_vma vmas[2] = {
	{ .start = PAGE(0), .end = PAGE(1), .file = 1, .prot = CKPT_PROT_READ },
	{ .start = PAGE(4), .end = PAGE(8), .prot = CKPT_PROT_WRITE },
};

static const struct ckpt_rec_extent extents[2] = { { PAGE(4), 1 }, { PAGE(6), 2 } };
static const struct ckpt_rec_shared_pages runs[2] = {
	{ PAGE(4), PAGE(1), 1, 1 }, { PAGE(6), PAGE(0), 2, 1 },
};

static const struct {
	struct ckpt_rec_fs fs;
	char paths[8];
} fs = { { .umask = 022, .root_len = 1, .cwd_len = 4 }, "//tmp" };

static const struct ckpt_rec_fd fds[2] = { { .fd = 0, .file = 1 }, { .fd = 7, .file = 2 } };
static const struct ckpt_rec_sigaction sigactions[64];
static const struct ckpt_rec_siginfo siginfo = { .signo = 10, .has_info = 1 };
static const struct ckpt_rec_thread thread = { .tid = 5, .comm = "thread" };

static const struct {
	struct ckpt_rec_cred cred;
	u32 groups[2];
} cred = { { .nr_groups = 2 }, { 1, 2 } };

static const struct {
	struct ckpt_rec_regset regset;
	u64 data[2];
} regset = { { .note_type = 1, .data_len = 16 }, { 1, 2 } };

static const struct {
	struct ckpt_rec_shmem shmem;
	char name[8];
} shmem = { { .size = PAGE_SIZE, .mode = 0600, .name_len = 4 }, "name" };

static const struct {
	struct ckpt_rec_shmem_data data;
	char bytes[8];
} shmem_data = { { .offset = 8, .shmem = 3, .len = 8 }, "content" };

static const struct {
	struct ckpt_rec_pty pty;
	char bytes[16];
} pty = { { .session = 5, .pgrp = 6, .path_len = 9,
	    .ends = { { .read_len = 3, .echo_len = 1, .queue_len = 2 } } }, "/dev/ptmx" };

static const struct ckpt_rec_terminal terminal = { .session = 5, .pgrp = 6, .rows = 24 };

static const struct {
	struct ckpt_rec_unlinked unlinked;
	char dir[8];
} unlinked = { { .size = PAGE_SIZE, .mode = 0100600, .dir_len = 8 }, "/var/tmp" };

static const struct ckpt_rec_lock locks[2] = {
	{ .start = 10, .end = 20, .file = 3, .kind = CKPT_LOCK_POSIX },
	{ .file = 3, .kind = CKPT_LOCK_LEASE, .write = 1, .fd = 3 },
};

static const struct ckpt_rec_file_state file_state = {
	.file = 3, .flags = CKPT_FSTATE_OWNER, .owner_type = CKPT_OWNER_PGRP, .owner = 5,
	.signo = 64, .write_hint = 5,
};

static const struct {
	struct ckpt_rec_socket socket;
	u64 insns[1];
} sock = { { .family = 1, .type = 1, .state = 1, .nr_insns = 1, .device = "lo" }, { 1 } };

static const struct {
	struct ckpt_rec_unix more;
	char name[4];
	char path[4];
} unix_sock = { { .socket = 3, .name_len = 4, .path_len = 4,
		  .flags = CKPT_UNIX_BOUND | CKPT_UNIX_FILE }, "abc", "/abc" };

static const struct {
	struct ckpt_rec_unix_msg msg;
	u32 files[1];
	char bytes[4];
} unix_msg = { { .socket = 3, .sender = 4, .len = 4, .truesize = 9, .nr_files = 1 }, { 5 },
	       "byte" };

static const struct {
	struct ckpt_rec_inet more;
	struct ckpt_rec_inet_option options[1];
} inet = { { .socket = 3, .nr_options = 1, .congestion = "cubic" }, { { 6, 1, 1 } } };

static const struct {
	struct ckpt_rec_tcp tcp;
	char bytes[8];
} tcp = { { .addr = { { .port = 1 }, { .port = 2 } },
	    .ends = { { .socket = 3, .mss = 536, .advmss = 536, .unread = 8 },
		      { .flags = CKPT_TCP_FIN_SENT, .mss = 536, .advmss = 536 } } },
	  "the byte" };

static const struct ckpt_rec_use use = { .type = CKPT_REC_MM, .tag = 3 };

static const struct {
	struct ckpt_rec_pipe pipe;
	char data[8];
} pipe = { { .capacity = 4096, .data_len = 8 }, "content" };

static const struct {
	struct ckpt_rec_seccomp filter;
	u64 insns[2];
} seccomp = { { .nr_insns = 2 }, { 1, 2 } };

static const struct ckpt_rec_attrs attrs = { .seccomp_mode = 2, .seccomp = 1, .node_words = 1 };
static const struct ckpt_rec_vma_name names[2] = {
	{ .start = PAGE(4), .end = PAGE(5), .name = "a name" },
	{ .start = PAGE(5), .end = PAGE(6) },
};

static const struct ckpt_rec_sysv_shm segment = { .size = 1, .id = 1, .key = 2 };
static const struct ckpt_rec_memory memory = { .memory = 1 };
static const struct ckpt_rec_huge_region regions[] = { { 0, 1 }, { 2, 4 } };
static const struct {
	struct ckpt_rec_hugetlb huge;
	char name[8];
} hugetlb = { { .size = 8 << 20, .page_shift = 21, .mode = 0600, .name_len = 4 }, "name" };
static const struct {
	struct ckpt_rec_aio aio;
	u32 ring[4];
} aio = { { .addr = PAGE(8), .nr_pages = 1, .max_reqs = 4, .ring_len = 16 }, { 0, 126 } };

static const struct ckpt_rec_vma_policy policies[2] = {
	{ .start = PAGE(4), .end = PAGE(5), .mode = 2, .node_words = 1, .nodes = { 1 } },
	{ .start = PAGE(5), .end = PAGE(6), .mode = 4 },
};

static const u64 ldt[2] = { 0, 1 };
static const struct ckpt_rec_io_ports io_ports[2] = { { 0x80, 1 }, { 0xffff, 1 } };

static const struct ckpt_rec_usage usage = { .maxrss_kb = 1000 };
static const struct ckpt_rec_thread_usage thread_usage = { .age_ns = 1, .vm_integral = U64_MAX };
static const struct ckpt_rec_timers timers = { .real_left_ns = -1, .real_interval_ns = 5 };
static const struct ckpt_rec_posix_timer posix_timers[2] = {
	{ .id = 0, .clock = 1, .notify = 4, .signo = 34, .notify_tid = 6,
	  .flags = CKPT_TIMER_QUEUED | CKPT_TIMER_REARM | CKPT_TIMER_EXPIRED, .overrun = -1 },
	{ .id = 3, .clock = CKPT_CLOCK_CPU | CKPT_CLOCK_THREAD | 2, .clock_tid = 5, .notify = 1,
	  .flags = CKPT_TIMER_ABSOLUTE },
};

static const struct ckpt_rec_event event = {
	.kind = CKPT_FILE_TIMERFD, .flags = CKPT_EVENT_ARMED, .clock = 1, .expires_ns = -1,
};

static const struct ckpt_rec_epoll_item items[2] = {
	{ .fd = 3, .file = 1, .events = 1, .flags = CKPT_EPOLL_READY },
	{ .fd = 3, .file = 2, .events = 1U << 31, .flags = CKPT_EPOLL_REPORTED },
};

static const struct {
	struct ckpt_rec_inotify head;
	struct ckpt_rec_notify watch;
	char path[8];
	struct ckpt_rec_notify event;
	char name[8];
} inotify = {
	{ .nr_watches = 1, .nr_events = 1 }, { .wd = 1, .mask = 2, .name_len = 4 }, "/tmp",
	{ .wd = 1, .mask = 2, .name_len = 6 }, "a name",
};

static const struct {
	struct ckpt_rec_io_uring ring;
	struct ckpt_rec_io_group groups[2];
	struct ckpt_rec_io_provided provided[3];
	u8 data[8];
} io_uring = {
	{ .flags = CKPT_RING_SINGLE | CKPT_RING_DEFER | CKPT_RING_TASKRUN | CKPT_RING_ACCOUNTED,
	  .sq_entries = 4, .cq_entries = 8, .submitter = 5, .array_offset = 192, .sq_head = 1,
	  .cq_tail = 2, .uid = 1, .rings_len = 5, .sqes_len = 3, .nr_groups = 2,
	  .restricted = 1 },
	{ { .bgid = 3, .flags = CKPT_IO_GROUP_RING | CKPT_IO_GROUP_INC, .count = 2, .head = 1,
	    .min_left = 9 }, { .bgid = 7, .count = 1 } },
	{ { .addr = 4096, .len = 1 }, {}, { .addr = 8192, .len = 10, .bid = 5 } },
	{ 0, 0, 0, 0, 1, 0, 0, 2 },
};

static const struct {
	struct ckpt_rec_io_registered head;
	struct ckpt_rec_io_slot slots[2];
} io_registered = {
	{ .ring = 7, .flags = CKPT_IO_EVENTFD, .eventfd = 8, .last_tail = 3, .nr_files = 8,
	  .alloc_start = 2, .alloc_end = 6, .alloc_hint = 3, .nr_slots = 2 },
	{ { .index = 1, .file = 9, .flags = CKPT_IO_SLOT_NOWAIT, .tag = 9 },
	  { .index = 5, .file = 9 } },
};

static const struct {
	struct ckpt_rec_io_buffers head;
	struct ckpt_rec_io_buffer buffers[2];
	struct ckpt_rec_io_group rings[1];
} io_buffers = {
	{ .ring = 7, .process = 1, .nr_slots = 4, .nr_buffers = 2, .nr_rings = 1 },
	{ { .index = 0, .addr = 4096, .length = 1, .tag = 9 },
	  { .index = 3, .addr = 4097, .length = CKPT_MAX_IO_BUFFER } },
	{ { .addr = 4096, .bgid = 9, .flags = CKPT_IO_GROUP_RING, .count = 8 } },
};

static const struct ckpt_rec_io_ring io_rings[] = {
	{ .tid = 1, .index = 0, .file = 1 }, { .tid = 2, .index = 15, .file = 1 },
};

#endif /* _CHECKPOINT_TESTS_SAMPLES_H */

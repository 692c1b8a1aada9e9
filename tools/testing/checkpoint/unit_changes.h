/* SPDX-License-Identifier: GPL-2.0-only */
/* For unit_check.c: the values that it puts into members, and what comes of it. */
#ifndef UNIT_CHANGES_H
#define UNIT_CHANGES_H

#include "../../../checkpoint/limits.h"
#include "unit.h"

/* Only to name members: what is here is never looked at. */
static struct ckpt_rec_header header;
static struct { struct ckpt_rec_tree tree; struct ckpt_rec_task tasks[6]; } tree;
static struct ckpt_rec_namespace namespaces[3];
static struct ckpt_rec_id_map id_maps[2];
static struct ckpt_rec_pid pids[3];
static struct ckpt_rec_cgroup cgroup;
static struct ckpt_rec_process process;
static struct ckpt_rec_file file;
static struct ckpt_rec_mm mm;
static struct ckpt_rec_vma vmas[4];
static struct ckpt_rec_extent extents[2];
static struct ckpt_rec_shared_pages runs[2];
static struct ckpt_rec_fs fs;
static struct ckpt_rec_pty pty;
static struct ckpt_rec_terminal terminal;
static struct ckpt_rec_socket sock;
static struct {
	struct ckpt_rec_unix more;
	u32 groups[2];
	char name[5];
	char path[11];
} un;
static struct { struct ckpt_rec_unix_msg msg; u32 files[1]; } um;
static struct {
	struct ckpt_rec_inet more;
	struct ckpt_rec_inet_option options[2];
} inet;
static struct ckpt_rec_tcp tcp;
static struct ckpt_rec_fd fds[3];
static struct ckpt_rec_unlinked unlinked;
static struct ckpt_rec_lock locks[4];
static struct ckpt_rec_file_state fstate;
static struct ckpt_rec_siginfo siginfo;
static struct ckpt_rec_thread thread;
static struct ckpt_rec_cred cred;
static struct ckpt_rec_regset regset;
static struct ckpt_rec_trailer trailer;
static struct ckpt_rec_pipe pipe;
static struct ckpt_rec_event event;
static struct ckpt_rec_epoll_item items[2];
static struct {
	struct ckpt_rec_inotify head;
	struct ckpt_rec_notify watch;
	char path[8];
	struct ckpt_rec_notify notice;
	char name[8];
} inotify;
static struct {
	struct ckpt_rec_io_uring head;
	struct ckpt_rec_io_group groups[2];
	struct ckpt_rec_io_provided provided[3];
} io_uring;
static struct {
	struct ckpt_rec_io_registered head;
	struct ckpt_rec_io_slot slots[2];
} registered;
static struct {
	struct ckpt_rec_io_buffers head;
	struct ckpt_rec_io_buffer buffers[2];
	struct ckpt_rec_io_group rings[1];
} io_buffers;
static struct ckpt_rec_io_ring io_rings[2];
static struct ckpt_rec_use use;
static struct ckpt_rec_shmem shmem;
static struct ckpt_rec_shmem_data shmem_data;
static struct ckpt_rec_sysv_shm segment;
static struct ckpt_rec_memory memory;
static struct ckpt_rec_hugetlb hugetlb;
static struct ckpt_rec_huge_region regions[2];
static struct ckpt_rec_aio aio;
static struct ckpt_rec_seccomp filter;
static struct ckpt_rec_attrs attrs;
static struct ckpt_rec_vma_name names[2];
static struct ckpt_rec_vma_policy policies[2];
static struct ckpt_rec_io_ports ports[2];
static struct ckpt_rec_usage usage;
static struct ckpt_rec_thread_usage thread_usage;
static struct ckpt_rec_timers timers;
static struct ckpt_rec_posix_timer posix_timers[2];

static const void *const bases[CKPT_REC_NR] = {
	[CKPT_REC_HEADER] = &header, [CKPT_REC_TREE] = &tree,
	[CKPT_REC_NAMESPACES] = namespaces, [CKPT_REC_ID_MAPS] = id_maps,
	[CKPT_REC_PIDS] = pids, [CKPT_REC_CGROUP] = &cgroup,
	[CKPT_REC_PROCESS] = &process, [CKPT_REC_FILE] = &file, [CKPT_REC_MM] = &mm,
	[CKPT_REC_VMAS] = vmas, [CKPT_REC_PAGES] = extents, [CKPT_REC_FS] = &fs,
	[CKPT_REC_SHARED_PAGES] = runs,
	[CKPT_REC_PTY] = &pty, [CKPT_REC_TERMINAL] = &terminal,
	[CKPT_REC_SOCKET] = &sock, [CKPT_REC_UNIX] = &un, [CKPT_REC_UNIX_MSG] = &um,
	[CKPT_REC_INET] = &inet, [CKPT_REC_TCP] = &tcp,
	[CKPT_REC_FDS] = fds, [CKPT_REC_SIGPENDING] = &siginfo,
	[CKPT_REC_UNLINKED] = &unlinked, [CKPT_REC_LOCKS] = locks,
	[CKPT_REC_FILE_STATE] = &fstate,
	[CKPT_REC_THREAD] = &thread, [CKPT_REC_CRED] = &cred,
	[CKPT_REC_REGSET] = &regset, [CKPT_REC_TRAILER] = &trailer,
	[CKPT_REC_PIPE] = &pipe, [CKPT_REC_USE] = &use,
	[CKPT_REC_EVENT] = &event, [CKPT_REC_EPOLL] = items, [CKPT_REC_INOTIFY] = &inotify,
	[CKPT_REC_SHMEM] = &shmem, [CKPT_REC_SHMEM_DATA] = &shmem_data,
	[CKPT_REC_SYSV_SHM] = &segment, [CKPT_REC_MEMORY] = &memory,
	[CKPT_REC_HUGETLB] = &hugetlb, [CKPT_REC_HUGE_REGIONS] = regions,
	[CKPT_REC_AIO] = &aio, [CKPT_REC_IO_URING] = &io_uring,
	[CKPT_REC_IO_REGISTERED] = &registered, [CKPT_REC_IO_BUFFERS] = &io_buffers,
	[CKPT_REC_IO_RINGS] = io_rings,
	[CKPT_REC_SECCOMP] = &filter, [CKPT_REC_ATTRS] = &attrs,
	[CKPT_REC_VMA_NAMES] = names, [CKPT_REC_VMA_POLICIES] = policies,
	[CKPT_REC_IO_PORTS] = ports,
	[CKPT_REC_USAGE] = &usage, [CKPT_REC_THREAD_USAGE] = &thread_usage,
	[CKPT_REC_TIMERS] = &timers, [CKPT_REC_POSIX_TIMERS] = posix_timers,
};

/**
 * struct change - a value of a member, and what becomes of the image
 * @text: for people
 * @type: record type
 * @at: the member, in what @bases has for the type
 * @size: of the member
 * @value: to put there
 * @error: that refuses the image, or 0
 */
struct change {
	const char *text;
	u32 type;
	const void *at;
	u32 size;
	u64 value;
	int error;
};

#define CHANGE(_type, _member, _value, _error) \
	{ #_member " = " #_value, CKPT_REC_##_type, &(_member), sizeof(_member), \
	  (u64)(_value), _error }

#define HEADER(m, v, e)		CHANGE(HEADER, header.m, v, e)
#define TREE(m, v, e)		CHANGE(TREE, tree.tree.m, v, e)
#define TASK(i, m, v, e)	CHANGE(TREE, tree.tasks[i].m, v, e)
#define NS(i, m, v, e)		CHANGE(NAMESPACES, namespaces[i].m, v, e)
#define ID_MAP(i, m, v, e)	CHANGE(ID_MAPS, id_maps[i].m, v, e)
#define PID(i, m, v, e)		CHANGE(PIDS, pids[i].m, v, e)
#define CGROUP(m, v, e)		CHANGE(CGROUP, cgroup.m, v, e)
#define PROCESS(m, v, e)	CHANGE(PROCESS, process.m, v, e)
#define FILE_(m, v, e)		CHANGE(FILE, file.m, v, e)
#define MM(m, v, e)		CHANGE(MM, mm.m, v, e)
#define DROPPABLE		(CKPT_VMA_DROPPABLE | CKPT_VMA_NORESERVE | \
				 CKPT_VMA_WIPEONFORK | CKPT_VMA_DONTDUMP)
#define VMA(i, m, v, e)		CHANGE(VMAS, vmas[i].m, v, e)
#define EXTENT(i, m, v, e)	CHANGE(PAGES, extents[i].m, v, e)
#define RUN(i, m, v, e)		CHANGE(SHARED_PAGES, runs[i].m, v, e)
#define FS(m, v, e)		CHANGE(FS, fs.m, v, e)
#define PTY(m, v, e)		CHANGE(PTY, pty.m, v, e)
#define TERMINAL(m, v, e)	CHANGE(TERMINAL, terminal.m, v, e)
#define SOCK(m, v, e)		CHANGE(SOCKET, sock.m, v, e)
#define UNIX(m, v, e)		CHANGE(UNIX, un.m, v, e)
#define UNIX_MSG(m, v, e)	CHANGE(UNIX_MSG, um.m, v, e)
#define INET(m, v, e)		CHANGE(INET, inet.m, v, e)
#define TCP(m, v, e)		CHANGE(TCP, tcp.m, v, e)
#define FD(i, m, v, e)		CHANGE(FDS, fds[i].m, v, e)
#define UNLINKED(m, v, e)	CHANGE(UNLINKED, unlinked.m, v, e)
#define LOCK(i, m, v, e)	CHANGE(LOCKS, locks[i].m, v, e)
#define FSTATE(m, v, e)		CHANGE(FILE_STATE, fstate.m, v, e)
#define SIGINFO(m, v, e)	CHANGE(SIGPENDING, siginfo.m, v, e)
#define THREAD(m, v, e)		CHANGE(THREAD, thread.m, v, e)
#define CRED(m, v, e)		CHANGE(CRED, cred.m, v, e)
#define REGSET(m, v, e)		CHANGE(REGSET, regset.m, v, e)
#define TRAILER(m, v, e)	CHANGE(TRAILER, trailer.m, v, e)
#define PIPE(m, v, e)		CHANGE(PIPE, pipe.m, v, e)
#define EVENT(m, v, e)		CHANGE(EVENT, event.m, v, e)
#define ITEM(i, m, v, e)	CHANGE(EPOLL, items[i].m, v, e)
#define INOTIFY(m, v, e)	CHANGE(INOTIFY, inotify.m, v, e)
#define USE(m, v, e)		CHANGE(USE, use.m, v, e)
#define SHMEM(m, v, e)		CHANGE(SHMEM, shmem.m, v, e)
#define SHMEM_DATA(m, v, e)	CHANGE(SHMEM_DATA, shmem_data.m, v, e)

#define FILTER(m, v, e)		CHANGE(SECCOMP, filter.m, v, e)
#define ATTRS(m, v, e)		CHANGE(ATTRS, attrs.m, v, e)
#define NAME(i, m, v, e)	CHANGE(VMA_NAMES, names[i].m, v, e)
#define RING(m, v, e)		CHANGE(IO_URING, io_uring.head.m, v, e)
#define RING_GROUP(m, v, e)	CHANGE(IO_URING, io_uring.m, v, e)
#define IO_REG(m, v, e)		CHANGE(IO_REGISTERED, registered.m, v, e)
#define IO_BUF(m, v, e)		CHANGE(IO_BUFFERS, io_buffers.m, v, e)
#define IO_RING(i, m, v, e)	CHANGE(IO_RINGS, io_rings[i].m, v, e)
#define AIO(m, v, e)		CHANGE(AIO, aio.m, v, e)
#define SEGMENT(m, v, e)	CHANGE(SYSV_SHM, segment.m, v, e)
#define MEMORY(m, v, e)		CHANGE(MEMORY, memory.m, v, e)
#define HUGETLB(m, v, e)	CHANGE(HUGETLB, hugetlb.m, v, e)
#define REGION(i, m, v, e)	CHANGE(HUGE_REGIONS, regions[i].m, v, e)
#define POLICY(i, m, v, e)	CHANGE(VMA_POLICIES, policies[i].m, v, e)
#define PORTS(i, m, v, e)	CHANGE(IO_PORTS, ports[i].m, v, e)
#define USAGE(m, v, e)		CHANGE(USAGE, usage.m, v, e)
#define THREAD_USAGE(m, v, e)	CHANGE(THREAD_USAGE, thread_usage.m, v, e)
#define TIMERS(m, v, e)		CHANGE(TIMERS, timers.m, v, e)
#define TIMER(i, m, v, e)	CHANGE(POSIX_TIMERS, posix_timers[i].m, v, e)

#define BAD	(-EBADMSG)
#define OTHER	(-ENOEXEC)

/* Made from a recipe of three processes with two threads each. */
static const struct change changes[] = {
	HEADER(magic, 0, BAD), HEADER(magic, 0x434b50494e541a0aULL, BAD),
	HEADER(version, 0, OTHER), HEADER(version, 2, OTHER),
	HEADER(byte_order, 0x04030201, OTHER), HEADER(byte_order, 0, OTHER),
	HEADER(arch, 3, OTHER), HEADER(arch, 183, OTHER),
	HEADER(page_size, 0, OTHER), HEADER(page_size, 16384, OTHER),
	HEADER(page_size, 4097, OTHER),
	HEADER(features, ~0ULL, 0), HEADER(cpu_features, ~0ULL, 0),
	HEADER(time_ns, ~0ULL, 0), HEADER(need_features, 1, OTHER),
	HEADER(need_features, 1ULL << 63, OTHER),
	HEADER(image_id[15], 1, BAD), HEADER(reserved[0], 1, BAD), HEADER(reserved[4], 1, BAD),

	TREE(nr_tasks, 0, BAD), TREE(nr_tasks, 5, BAD), TREE(nr_tasks, 7, BAD),
	TREE(nr_tasks, ~0U, BAD), TREE(nr_processes, 0, BAD), TREE(nr_processes, 2, BAD),
	TREE(nr_processes, 4, BAD), TREE(nr_processes, ~0U, BAD),
	TASK(0, tid, 0, BAD), TASK(0, tid, 1, BAD), TASK(0, tgid, 0, BAD),
	TASK(0, tgid, 1U << 31, BAD), TASK(0, parent, 1, BAD), TASK(0, mm_owner, 1, BAD),
	TASK(0, flags, CKPT_TASKF_VFORK, BAD),
	TASK(0, pgid, 1, BAD), TASK(0, exit_code, 1, BAD), TASK(0, flags, CKPT_TASKF_DEAD, 0),
	TASK(1, tid, 0, BAD), TASK(1, tid, 1U << 31, BAD), TASK(1, tid, INT_MAX, 0),
	TASK(1, tgid, 200, BAD), TASK(1, tgid, 0, BAD), TASK(1, parent, 100, BAD),
	TASK(1, pgid, 100, BAD), TASK(1, sid, 100, BAD), TASK(1, exit_signal, 17, BAD),
	TASK(1, mm_owner, 100, BAD), TASK(1, flags, CKPT_TASKF_DEAD, BAD),
	TASK(1, flags, CKPT_TASKF_VFORK, BAD), TASK(1, flags, CKPT_TASKF_NO_EXEC, 0),
	TASK(2, parent, 0, BAD), TASK(2, parent, 1U << 31, BAD), TASK(2, parent, INT_MAX, 0),
	TASK(2, flags, CKPT_TASKF_ALL, 0), TASK(2, flags, CKPT_TASKF_ALL + 1, BAD),
	TASK(2, exit_signal, 64, 0), TASK(2, exit_signal, 65, BAD),
	TASK(2, mm_owner, INT_MAX, 0), TASK(2, mm_owner, 1U << 31, BAD),
	TASK(2, pgid, 0, BAD), TASK(2, pgid, INT_MAX, 0), TASK(2, pgid, 1U << 31, BAD),
	TASK(2, sid, 0, 0), TASK(2, sid, ~0U, BAD), TASK(5, cgroup, ~0U, 0),
	TASK(2, tid, 201, BAD), TASK(3, tid, 200, BAD),

	TREE(nr_namespaces, CKPT_MAX_NAMESPACES, 0), TREE(nr_cgroups, 7, BAD),
	TREE(nr_cgroups, 6, 0), CGROUP(path_len, 0, BAD), CGROUP(path_len, 4, BAD),
	CGROUP(path_len, ~0U, BAD), CGROUP(reserved, 1, BAD),
	TREE(nr_namespaces, CKPT_MAX_NAMESPACES + 1, BAD),

	NS(0, type, 0, BAD), NS(0, type, CKPT_NS_PID, BAD), NS(1, type, 3, BAD),
	NS(0, flags, 0, 0), NS(0, flags, CKPT_NSF_ALL + 1, BAD), NS(1, flags, 1, BAD),
	NS(0, parent, 1, BAD), NS(1, parent, 2, BAD), NS(1, parent, 1, 0), NS(1, owner, 2, BAD),
	NS(0, owner, 1, BAD), NS(0, next_pid, 1, BAD), NS(1, uid, 1, BAD), NS(1, gid, 1, BAD),
	NS(2, next_pid, 1 << 22, 0), NS(2, next_pid, (1 << 22) + 1, BAD), NS(2, reserved, 1, BAD),

	ID_MAP(0, ns, 0, BAD), ID_MAP(0, ns, CKPT_MAX_NAMESPACES + 1, BAD),
	ID_MAP(0, kind, CKPT_ID_PROJID, 0), ID_MAP(0, kind, CKPT_ID_PROJID + 1, BAD),
	ID_MAP(1, first, ~0U - 7, 0), ID_MAP(1, first, ~0U - 6, BAD),
	ID_MAP(1, lower, ~0U, BAD), ID_MAP(1, count, 0, BAD), ID_MAP(1, count, ~0U, BAD),
	ID_MAP(1, reserved, 1, BAD),

	PID(0, pid, 0, BAD), PID(0, pid, 1U << 31, BAD), PID(0, ns, 0, BAD),
	PID(0, ns, CKPT_MAX_NAMESPACES + 1, BAD), PID(1, nr, 0, BAD), PID(1, nr, 1 << 22, 0),
	PID(1, nr, (1 << 22) + 1, BAD), PID(2, reserved, 1, BAD),

	PROCESS(flags, CKPT_PROC_ALL & ~CKPT_PROC_STOPPED, 0), PROCESS(flags, 1U << 31, BAD),
	PROCESS(flags, CKPT_PROC_ALL + 1, BAD), PROCESS(flags, CKPT_PROC_STOPPED, BAD),
	PROCESS(stop_code, 19, BAD), PROCESS(stop_signal, 19, BAD), PROCESS(stop_signal, 65, BAD),
	PROCESS(oom_score_adj_min, -1000, 0), PROCESS(oom_score_adj_min, -1001, BAD),
	PROCESS(oom_score_adj_min, 1001, BAD), PROCESS(reserved, 1, BAD),
	PROCESS(nr_threads, 0, BAD), PROCESS(nr_threads, CKPT_MAX_TASKS + 1, BAD),
	PROCESS(oom_score_adj, 1000, 0), PROCESS(oom_score_adj, 1001, BAD),
	PROCESS(oom_score_adj, -1000, 0), PROCESS(oom_score_adj, -1001, BAD),
	PROCESS(rlimits[0].soft, ~0ULL, 0), PROCESS(rlimits[15].hard, 1, BAD),

	FILE_(kind, 0, BAD), FILE_(kind, CKPT_FILE_NR, BAD), FILE_(reserved, 1, BAD),
	FILE_(kind, CKPT_FILE_INOTIFY, 0), FILE_(kind, ~0U, BAD),
	FILE_(flags, CKPT_FILEF_ALL & ~(CKPT_FILEF_GONE | CKPT_FILEF_HUNG_UP), 0),
	FILE_(flags, CKPT_FILEF_HUNG_UP, BAD), FILE_(flags, CKPT_FILEF_ALL + 1, BAD),
	FILE_(pos, LLONG_MAX, 0), FILE_(pos, 1ULL << 63, BAD),
	FILE_(size, LLONG_MAX, 0), FILE_(size, 1ULL << 63, BAD),
	FILE_(build_id_len, 32, 0), FILE_(build_id_len, 33, BAD),
	FILE_(path_len, 0, BAD), FILE_(path_len, 1, BAD), FILE_(path_len, ~0U, BAD),

	MM(reserved, 1, BAD), MM(user_ns, ~0U, 0),
	MM(flags, CKPT_MMF_ALL, 0), MM(flags, CKPT_MMF_ALL + 1, BAD),
	MM(nr_auxv, CKPT_AUXV_MAX, 0), MM(nr_auxv, CKPT_AUXV_MAX + 1, BAD),
	MM(dumpable, 2, 0), MM(dumpable, 3, BAD), MM(nr_vmas, CKPT_MAX_VMAS, 0),
	MM(nr_vmas, CKPT_MAX_VMAS + 1, BAD), MM(end_code, 0, BAD), MM(end_data, 0, BAD),
	MM(brk, 0, BAD), MM(arg_start, 1, BAD), MM(env_start, ~0ULL, BAD),
	MM(start_code, ~0ULL, BAD), MM(vdso, 1, BAD), MM(vdso, 0, BAD), MM(vvar, 0, BAD),
	MM(vvar, 4095, BAD), MM(mmap_compat_base, 1ULL << 32, 0),
	MM(mmap_compat_base, (1ULL << 32) + 1, BAD), MM(mmap_compat_legacy_base, ~0ULL, BAD),
	MM(flags, CKPT_MMF_MDWE, 0), MM(flags, CKPT_MMF_MDWE_NO_INHERIT, BAD),

	VMA(0, start, 1, BAD), VMA(0, end, 0x400fff, BAD), VMA(0, end, 0x400000, BAD),
	VMA(0, end, 0, BAD), VMA(1, start, 0x3ff000, BAD), VMA(1, start, 0x400000, BAD),
	VMA(1, start, 0x401000, 0), VMA(0, prot, CKPT_PROT_ALL, 0),
	VMA(0, prot, CKPT_PROT_ALL + 1, BAD),
	VMA(0, flags, CKPT_VMA_SHARED | CKPT_VMA_LOCKED | CKPT_VMA_LOCKONFAULT |
	    CKPT_VMA_SEALED | CKPT_VMA_HUGEPAGE | CKPT_VMA_RANDOM, 0),
	VMA(0, flags, CKPT_VMA_WIPEONFORK | CKPT_VMA_MERGEABLE | CKPT_VMA_ACCOUNT, 0),
	VMA(0, flags, CKPT_VMA_LOCKONFAULT, BAD), VMA(0, flags, CKPT_VMA_READONLY, BAD),
	VMA(0, flags, CKPT_VMA_SEQUENTIAL | CKPT_VMA_RANDOM, BAD),
	VMA(0, flags, CKPT_VMA_HUGEPAGE | CKPT_VMA_NOHUGEPAGE, BAD),
	VMA(0, flags, CKPT_VMA_SHARED | CKPT_VMA_WIPEONFORK, BAD),
	VMA(0, flags, CKPT_VMA_SHARED | CKPT_VMA_MERGEABLE, BAD),
	VMA(1, flags, DROPPABLE, 0), VMA(0, flags, DROPPABLE, BAD),
	VMA(1, flags, CKPT_VMA_DROPPABLE, BAD),
	VMA(1, flags, DROPPABLE | CKPT_VMA_LOCKED, BAD),
	VMA(1, flags, DROPPABLE | CKPT_VMA_GROWSDOWN, BAD),
	VMA(1, pkey, CKPT_NR_PKEYS - 1, 0), VMA(1, pkey, CKPT_NR_PKEYS, BAD),
	VMA(1, pgoff, 1ULL << 51, 0), VMA(1, pgoff, (1ULL << 52) - 1, BAD),
	VMA(0, pgoff, ~0ULL, BAD),
	MM(pkeys, 0xffff, 0), MM(pkeys, 0x10000, BAD), MM(pkeys, 1, BAD), MM(pkeys, 2, 0),
	MM(exec_pkey, 1, BAD), MM(exec_pkey, ~0U, BAD),
	MM(flags, CKPT_MMF_LOCK_ONFAULT, BAD),
	SEGMENT(size, 0, BAD), SEGMENT(size, LLONG_MAX, BAD), SEGMENT(id, INT_MAX, 0),
	SEGMENT(id, 1U << 31, BAD), SEGMENT(mode, 0777, 0), SEGMENT(mode, 01000, BAD),
	SEGMENT(flags, CKPT_SYSV_ALL & ~CKPT_SYSV_REMOVED, 0), SEGMENT(key, 0, 0),
	SEGMENT(flags, CKPT_SYSV_REMOVED, BAD), SEGMENT(flags, CKPT_SYSV_ALL + 1, BAD),
	SEGMENT(huge_shift, 0, 0), SEGMENT(huge_shift, 30, 0), SEGMENT(huge_shift, 12, BAD),
	SEGMENT(huge_shift, 48, BAD), SEGMENT(named_key, 1, BAD),
	MEMORY(memory, 1, 0), MEMORY(memory, 0, BAD), MEMORY(reserved, 1, BAD),
	HUGETLB(size, 4 << 20, 0), HUGETLB(size, (8 << 20) + 4096, BAD),
	HUGETLB(size, ~0ULL << 30, BAD), HUGETLB(page_shift, 22, 0),
	HUGETLB(page_shift, 12, BAD), HUGETLB(page_shift, 48, BAD), HUGETLB(page_shift, 30, BAD),
	HUGETLB(seals, 0x10000, BAD), HUGETLB(mode, 0x10000, BAD), HUGETLB(mode, 04777, BAD),
	HUGETLB(name_len, 3, BAD), HUGETLB(name_len, ~0U, BAD),
	REGION(0, end, 2, 0), REGION(0, end, 3, BAD), REGION(0, end, 0, BAD),
	REGION(1, end, ~0ULL, BAD), REGION(1, start, 4, BAD),
	SEGMENT(creator, 1U << 31, BAD), SEGMENT(last, ~0U, BAD),
	POLICY(0, start, 0x10000001, BAD), POLICY(1, start, 0, BAD), POLICY(0, end, 0, BAD),
	POLICY(0, mode, 0, BAD), POLICY(0, mode, 0xffff, 0), POLICY(0, mode, 0x10000, BAD),
	POLICY(0, home_node, 64 * CKPT_NODE_WORDS, 0),
	POLICY(0, home_node, 64 * CKPT_NODE_WORDS + 1, BAD),
	POLICY(0, node_words, 0, BAD), POLICY(0, node_words, CKPT_NODE_WORDS, 0),
	POLICY(0, node_words, CKPT_NODE_WORDS + 1, BAD), POLICY(0, reserved, 1, BAD),
	VMA(0, flags, CKPT_VMA_ALL + 1, BAD), VMA(0, flags, CKPT_VMA_GROWSDOWN, BAD),
	VMA(1, flags, CKPT_VMA_SHARED, BAD), VMA(2, family, ~0U, 0), VMA(2, reserved, 1, BAD),
	VMA(3, end, ~0xfffULL, 0),

	EXTENT(0, addr, 1, BAD), EXTENT(0, addr, ~0xfffULL, BAD), EXTENT(0, nr_pages, 0, BAD),
	EXTENT(0, nr_pages, CKPT_MAX_RECORD_PAGES + 1, BAD), EXTENT(0, nr_pages, ~0ULL, BAD),
	EXTENT(0, nr_pages, 1ULL << 52, BAD), EXTENT(1, addr, 0, BAD),
	EXTENT(1, nr_pages, CKPT_MAX_RECORD_PAGES, BAD),

	RUN(0, addr, 0x20800, BAD), RUN(0, addr, ~0xfffULL, BAD), RUN(0, addr, 0x2e000, 0),
	RUN(0, addr, 0x2f000, BAD), RUN(1, addr, 0x21000, BAD), RUN(1, addr, 0x22000, 0),
	RUN(1, addr, ~0xfffULL, BAD), RUN(1, addr, ~0x1fffULL, 0),
	RUN(0, from, 0x10001, BAD), RUN(0, from, ~0xfffULL, BAD), RUN(0, from, 0x20000, 0),
	RUN(0, nr_pages, 0, BAD), RUN(0, nr_pages, 17, BAD), RUN(0, nr_pages, 16, 0),
	RUN(1, nr_pages, CKPT_MAX_RECORD_PAGES - 2, 0),
	RUN(1, nr_pages, CKPT_MAX_RECORD_PAGES - 1, BAD), RUN(1, nr_pages, ~0ULL, BAD),
	RUN(1, nr_pages, (1ULL << 52) + 1, BAD),
	RUN(0, mm, 0, BAD), RUN(0, mm, ~0U, 0), RUN(1, reserved, 1, BAD),

	FS(umask, 0777, 0), FS(umask, 01000, BAD), FS(root_len, 0, BAD),
	FS(root_len, ~0U, BAD), FS(cwd_len, 0, BAD), FS(cwd_len, 9, BAD), FS(cwd_len, 11, BAD),

	PTY(index, CKPT_MAX_PTY_INDEX, 0), PTY(index, CKPT_MAX_PTY_INDEX + 1, BAD),
	PTY(index, ~0U, BAD), PTY(reserved, 1, BAD),
	PTY(flags, CKPT_PTY_ALL & ~(CKPT_PTY_HUNG_UP | CKPT_PTY_SLAVE_HUNG_UP), 0),
	PTY(flags, CKPT_PTY_ALL + 1, BAD), PTY(flags, CKPT_PTY_ALL, BAD),
	PTY(flags, CKPT_PTY_HUNG_UP, BAD), PTY(flags, CKPT_PTY_SLAVE_HUNG_UP, BAD),
	PTY(session, 0, BAD), PTY(session, INT_MAX, 0), PTY(session, 1U << 31, BAD),
	PTY(pgrp, 0, BAD), PTY(pgrp, 1U << 31, BAD), PTY(uid, ~0U, 0),
	PTY(mode, 07777, 0), PTY(mode, 010000, BAD), PTY(pktstatus, 0x7f, 0),
	PTY(pktstatus, 0x80, BAD), PTY(line, 0xff, 0), PTY(cflag, ~0U, 0),
	PTY(path_len, 0, BAD), PTY(path_len, 8, BAD), PTY(path_len, ~0U, BAD),
	PTY(ends[0].flags, CKPT_TTY_ALL, 0), PTY(ends[0].flags, CKPT_TTY_ALL + 1, BAD),
	PTY(ends[0].read_len, 4, BAD), PTY(ends[0].read_len, ~0U, BAD),
	PTY(ends[0].canon_len, 5, 0), PTY(ends[0].canon_len, 6, BAD),
	PTY(ends[0].commit_len, 6, BAD), PTY(ends[0].queue_len, 1, BAD),
	PTY(ends[0].queue_len, ~0U, BAD), PTY(ends[1].echo_len, 4, BAD),
	PTY(ends[1].echo_len, ~0U, BAD), PTY(ends[1].echo_commit, 5, 0),
	PTY(ends[1].echo_commit, 6, BAD), PTY(ends[1].echo_mark, 6, BAD),
	PTY(ends[1].column, ~0U, 0), PTY(ends[1].canon_column, ~0U, 0),

	TERMINAL(session, 0, BAD), TERMINAL(session, INT_MAX, 0), TERMINAL(session, 1U << 31, BAD),
	TERMINAL(pgrp, 0, BAD), TERMINAL(pgrp, INT_MAX, 0), TERMINAL(pgrp, 1U << 31, BAD),
	TERMINAL(reserved, 1, BAD), TERMINAL(lflag, ~0U, 0), TERMINAL(rows, 0, 0),

	FD(1, fd, 0, BAD), FD(0, fd, 3, BAD), FD(1, fd, 1, 0), FD(2, fd, INT_MAX, 0),
	FD(2, fd, 1U << 31, BAD), FD(0, file, 0, BAD), FD(0, flags, CKPT_FD_CLOEXEC, 0),
	FD(0, flags, 2, BAD), FD(1, reserved, 1, BAD),

	SIGINFO(shared, 1, 0), SIGINFO(shared, 2, BAD), SIGINFO(signo, 0, BAD),
	SIGINFO(signo, 64, 0), SIGINFO(signo, 65, BAD), SIGINFO(has_info, 0, 0),
	SIGINFO(has_info, 2, BAD), SIGINFO(timer, 1, 0), SIGINFO(timer, 2, BAD),

	THREAD(tid, 0, BAD), THREAD(tid, INT_MAX, 0), THREAD(tid, 1U << 31, BAD),
	THREAD(reserved, 1, BAD), THREAD(nice, 19, 0), THREAD(nice, 20, BAD),
	THREAD(nice, -20, 0), THREAD(nice, -21, BAD), THREAD(rt_priority, 99, 0),
	THREAD(rt_priority, 100, BAD), THREAD(sched_flags, 1, 0), THREAD(sched_flags, 2, BAD),
	THREAD(affinity_words, 0, 0), THREAD(affinity_words, 17, BAD),
	THREAD(pdeath_signal, 64, 0), THREAD(pdeath_signal, 65, BAD),
	THREAD(restart_kind, CKPT_RESTART_TIMED + 1, BAD), THREAD(restart_kind, ~0U, BAD),

	CRED(nr_groups, 0, BAD), CRED(nr_groups, 2, BAD), CRED(nr_groups, 0x40000001, BAD),
	CRED(flags, 0, 0), CRED(flags, 2, BAD), CRED(user_ns, ~0U, 0),
	CRED(cap_permitted, ~0ULL, 0),

	REGSET(data_len, 0, BAD), REGSET(data_len, 1, BAD), REGSET(data_len, ~0U, BAD),
	REGSET(note_type, ~0U, 0),

	TRAILER(image_id[0], 0, BAD), TRAILER(nr_records, 0, BAD), TRAILER(nr_pages, 0, BAD),
	TRAILER(length, 0, BAD), TRAILER(length, ~0ULL, BAD),

	PIPE(capacity, INT_MAX, 0), PIPE(capacity, 1U << 31, BAD), PIPE(data_len, 0, BAD),
	PIPE(data_len, 13, BAD), PIPE(data_len, ~0U, BAD), PIPE(flags, 1, 0),
	PIPE(flags, 2, BAD), PIPE(nr_pieces, 1, BAD), PIPE(nr_pieces, ~0U, BAD),
	UNLINKED(size, LLONG_MAX, 0), UNLINKED(size, 1ULL << 63, BAD),
	UNLINKED(mode, 0100600, 0), UNLINKED(mode, 0101777, 0), UNLINKED(mode, 0104755, 0),
	UNLINKED(mode, 0300755, BAD), UNLINKED(mode, 040755, BAD), UNLINKED(mode, 010600, BAD),
	UNLINKED(mode, 0600, BAD), UNLINKED(flags, 1, 0), UNLINKED(flags, 2, BAD),
	UNLINKED(parent, 1, BAD), UNLINKED(dir_len, 3, BAD), UNLINKED(dir_len, 0, BAD),
	UNLINKED(dir_len, ~0U, BAD), UNLINKED(dir_len, 5, BAD), UNLINKED(dir_len, 6, 0),
	LOCK(0, start, 20, 0), LOCK(0, start, 21, BAD), LOCK(0, end, LLONG_MAX, 0),
	LOCK(0, end, 1ULL << 63, BAD), LOCK(0, end, 9, BAD), LOCK(0, file, 0, BAD),
	LOCK(0, kind, 0, BAD), LOCK(0, kind, 5, BAD), LOCK(0, kind, CKPT_LOCK_FLOCK, BAD),
	LOCK(0, write, 1, 0), LOCK(0, write, 2, BAD), LOCK(0, tgid, 1U << 31, BAD),
	LOCK(0, fd, 7, 0), LOCK(0, fd, -1, BAD), LOCK(0, reserved, 1, BAD),
	LOCK(1, fd, 1, BAD), LOCK(2, fd, 1, BAD), LOCK(2, end, 1, BAD), LOCK(2, start, 1, BAD),
	LOCK(3, fd, INT_MAX, 0), LOCK(3, fd, -1, BAD), LOCK(3, end, 1, BAD),
	FSTATE(file, 0, BAD), FSTATE(flags, CKPT_FSTATE_ALL + 1, BAD),
	FSTATE(flags, CKPT_FSTATE_ASYNC, BAD),
	FSTATE(flags, CKPT_FSTATE_ALL, BAD), FSTATE(flags, CKPT_FSTATE_OWNER, BAD),
	FSTATE(owner_type, CKPT_OWNER_PGRP, 0), FSTATE(owner_type, 3, BAD),
	FSTATE(owner, 1U << 31, BAD), FSTATE(signo, 64, 0), FSTATE(signo, 65, BAD),
	FSTATE(async_fd, -1, BAD), FSTATE(write_hint, 5, 0), FSTATE(write_hint, 6, BAD),
	FSTATE(reserved, 1, BAD),

	EVENT(kind, 0, BAD), EVENT(kind, CKPT_FILE_EVENTFD, BAD),
	EVENT(kind, CKPT_FILE_SIGNALFD, BAD), EVENT(kind, CKPT_FILE_PIDFD, BAD),
	EVENT(kind, CKPT_FILE_EPOLL, BAD), EVENT(flags, 0, 0),
	EVENT(flags, CKPT_EVENT_SEMAPHORE, BAD), EVENT(flags, CKPT_EVENT_ALL + 1, BAD),
	EVENT(flags, CKPT_EVENT_ARMED | CKPT_EVENT_EXPIRED, BAD),
	EVENT(flags, CKPT_EVENT_ABSOLUTE, BAD), EVENT(flags, CKPT_EVENT_CANCEL, BAD),
	EVENT(flags, CKPT_EVENT_CANCELED, BAD), EVENT(value, ~0ULL, 0), EVENT(clock, 0, 0),
	EVENT(clock, 2, BAD), EVENT(clock, 9, 0), EVENT(clock, 11, BAD), EVENT(clock, 33, BAD),
	EVENT(reserved, 1, BAD), EVENT(expires_ns, -(s64)CKPT_MAX_COUNT, 0),
	EVENT(expires_ns, -(s64)CKPT_MAX_COUNT - 1, BAD), EVENT(interval_ns, -1, BAD),
	EVENT(interval_ns, LLONG_MAX, 0),

	ITEM(0, fd, INT_MAX, 0), ITEM(0, fd, 1U << 31, BAD), ITEM(0, file, 0, BAD),
	ITEM(0, events, 0, 0), ITEM(0, flags, CKPT_EPOLL_REPORTED, BAD),
	ITEM(0, flags, CKPT_EPOLL_ALL + 1, BAD), ITEM(0, process, INT_MAX, 0),
	ITEM(0, process, 1U << 31, BAD), ITEM(0, reserved, 1, BAD), ITEM(1, events, 1, BAD),
	ITEM(1, flags, CKPT_EPOLL_ALL, BAD), ITEM(1, flags, 0, 0), ITEM(1, data, ~0ULL, 0),

	SOCK(family, 0, BAD), SOCK(family, 255, 0), SOCK(family, 256, BAD), SOCK(type, 0, BAD),
	SOCK(type, 10, 0), SOCK(type, 11, BAD), SOCK(protocol, 0x10000, BAD),
	SOCK(state, 0, BAD), SOCK(state, 12, 0), SOCK(state, 13, BAD), SOCK(connected, 5, BAD),
	SOCK(shutdown, 3, 0), SOCK(shutdown, 4, BAD), SOCK(flags, CKPT_SOCK_ALL, 0),
	SOCK(flags, 1U << 31, BAD), SOCK(mode, 010000, BAD), SOCK(rcvbuf, -1, BAD),
	SOCK(sndbuf, -1, BAD), SOCK(rcvlowat, -1, BAD), SOCK(peek_off, -2, BAD),
	SOCK(error, 4095, 0), SOCK(error, 4096, BAD), SOCK(soft_error, ~0U, BAD),
	SOCK(busy_poll, ~0U, BAD), SOCK(busy_budget, 0x10000, BAD), SOCK(drops, ~0U, BAD),
	SOCK(incoming_cpu, -2, BAD), SOCK(txtime_clock, 256, BAD), SOCK(txrehash, 256, BAD),
	SOCK(nr_insns, 1, BAD), SOCK(nr_insns, 3, BAD), SOCK(nr_insns, ~0U, BAD),
	SOCK(rcvtimeo_ns, -2, BAD), SOCK(rcvtimeo_ns, 1ULL << 62, 0),
	SOCK(sndtimeo_ns, (1ULL << 62) + 1, BAD), SOCK(stamp_ns, -2, BAD),
	SOCK(device[1], 0, 0), SOCK(device[3], 'x', BAD), SOCK(device[15], 'x', BAD),
	UNIX(more.socket, 0, BAD), UNIX(more.peer, 0, 0), UNIX(more.listener, 9, 0),
	UNIX(more.flags, CKPT_UNIX_ALL + 1, BAD), UNIX(more.flags, CKPT_UNIX_PEER_CRED, BAD),
	UNIX(more.flags, CKPT_UNIX_BOUND | CKPT_UNIX_PEER_CRED, BAD),
	UNIX(more.flags, CKPT_UNIX_BOUND | CKPT_UNIX_FILE, BAD),
	UNIX(more.flags, CKPT_UNIX_ALL, BAD), UNIX(more.name_len, 0, BAD),
	UNIX(more.name_len, 4, BAD), UNIX(more.name_len, ~0U, BAD), UNIX(more.path_len, 0, BAD),
	UNIX(more.path_len, ~0U, BAD), UNIX(more.nr_groups, 0, BAD),
	UNIX(more.nr_groups, ~0U, BAD), UNIX(more.peer_pid, 1U << 31, BAD),
	UNIX(more.mode, 010000, BAD), UNIX(more.reserved, 1, BAD), UNIX(name[2], 0, BAD),
	UNIX(name[4], 'x', BAD), UNIX(path[0], 'x', BAD), UNIX(path[5], 0, BAD),
	UNIX(more.uid, ~0U, 0), UNIX(more.generation, ~0ULL, 0),
	UNIX_MSG(msg.socket, 0, BAD), UNIX_MSG(msg.sender, 0, BAD),
	UNIX_MSG(msg.flags, CKPT_MSG_ALL + 1, BAD), UNIX_MSG(msg.flags, CKPT_MSG_OOB, BAD),
	UNIX_MSG(msg.flags, CKPT_MSG_READ, BAD), UNIX_MSG(msg.flags, 0, BAD),
	UNIX_MSG(msg.flags, CKPT_MSG_CRED | CKPT_MSG_GONE, 0), UNIX_MSG(msg.len, 0, BAD),
	UNIX_MSG(msg.len, 13, BAD), UNIX_MSG(msg.len, ~0U, BAD), UNIX_MSG(msg.truesize, 11, BAD),
	UNIX_MSG(msg.truesize, 12, 0), UNIX_MSG(msg.truesize, ~0U, BAD),
	UNIX_MSG(msg.nr_files, 0, BAD), UNIX_MSG(msg.nr_files, 2, BAD),
	UNIX_MSG(msg.nr_files, ~0U, BAD), UNIX_MSG(msg.pid, 1U << 31, BAD),
	UNIX_MSG(msg.uid, ~0U, 0), UNIX_MSG(msg.reserved, 1, BAD),
	UNIX_MSG(msg.stamp_ns, -1, BAD), UNIX_MSG(files[0], 0, BAD),
	INET(more.socket, 0, BAD), INET(more.flags, CKPT_INET_ALL, 0),
	INET(more.flags, CKPT_INET_ALL + 1, BAD), INET(more.local.port, 0, BAD),
	INET(more.local.reserved, 1, BAD), INET(more.peer.reserved, 1, BAD),
	INET(more.peer.port, 0, 0), INET(more.nr_options, 1, BAD),
	INET(more.nr_options, ~0U, BAD), INET(more.user_mss, 0x10000, BAD),
	INET(more.congestion[6], 'x', BAD), INET(more.syn_ttl, 256, BAD),
	INET(more.syn_device, 1U << 31, BAD), INET(more.reserved, 1, BAD),
	INET(options[0].value, ~0U, 0),
	TCP(flags, CKPT_TCP_ALL & ~CKPT_TCP_DEAD, 0), TCP(flags, CKPT_TCP_ALL + 1, BAD),
	TCP(flags, CKPT_TCP_DEAD, BAD), TCP(reserved, 1, BAD), TCP(addr[0].port, 0, BAD),
	TCP(addr[1].port, 0, BAD), TCP(addr[0].reserved, 1, BAD), TCP(ends[0].socket, 0, BAD),
	TCP(ends[0].flags, CKPT_TCP_FIN_SENT, 0), TCP(ends[0].flags, CKPT_TCP_FIN_SEEN, BAD),
	TCP(ends[0].flags, CKPT_TCP_FIN_SENT | CKPT_TCP_FIN_SEEN, BAD),
	TCP(ends[0].flags, CKPT_TCP_NONE, BAD), TCP(ends[0].flags, CKPT_TCP_END_ALL + 1, BAD),
	TCP(ends[0].unread, 4, BAD), TCP(ends[0].unread, ~0U, BAD), TCP(ends[0].unsent, 3, BAD),
	TCP(ends[1].unsent, ~0U, BAD), TCP(ends[1].unread, 1, BAD), TCP(ends[1].flags, 0, BAD),
	TCP(ends[1].flags, CKPT_TCP_NONE, BAD), TCP(ends[1].listener, 5, BAD),
	TCP(ends[0].window, 1U << 30, 0), TCP(ends[0].window, ~0U, BAD),
	TCP(ends[0].max_window, ~0U, BAD), TCP(ends[0].window_clamp, ~0U, BAD),
	TCP(ends[0].rcv_ssthresh, ~0U, BAD), TCP(ends[0].rcvq_space, ~0U, BAD),
	TCP(ends[0].mss, 47, BAD), TCP(ends[0].mss, 48, 0), TCP(ends[0].mss, 0x10000, BAD),
	TCP(ends[1].advmss, 0, BAD), TCP(ends[1].wscale, 15, BAD), TCP(ends[0].sndbuf, -1, BAD),
	TCP(ends[0].rcvbuf, -1, BAD), TCP(ends[0].reserved, 1, BAD), TCP(ends[0].seq, ~0U, 0),
	INOTIFY(head.next_wd, 1U << 31, 0), INOTIFY(head.next_wd, ~0U, BAD),
	INOTIFY(head.nr_watches, 0, BAD), INOTIFY(head.nr_watches, 2, BAD),
	INOTIFY(head.nr_watches, ~0U, BAD), INOTIFY(head.nr_events, 0, BAD),
	INOTIFY(head.nr_events, 2, BAD), INOTIFY(head.nr_events, ~0U, BAD),
	INOTIFY(head.reserved, 1, BAD), INOTIFY(watch.wd, 0, BAD), INOTIFY(watch.wd, -1, BAD),
	INOTIFY(watch.mask, 0, 0), INOTIFY(watch.mask, 0x1000, BAD), INOTIFY(watch.cookie, 1, BAD),
	INOTIFY(watch.mode, 0x10000, BAD), INOTIFY(watch.name_len, 0, BAD),
	INOTIFY(watch.name_len, 3, BAD), INOTIFY(watch.name_len, 5, BAD),
	INOTIFY(watch.name_len, 9, BAD), INOTIFY(watch.name_len, ~0U, BAD),
	INOTIFY(watch.reserved, 1, BAD), INOTIFY(path[0], 'x', BAD), INOTIFY(path[2], 0, BAD),
	INOTIFY(path[4], 'x', BAD), INOTIFY(notice.wd, 0, BAD), INOTIFY(notice.wd, -1, BAD),
	INOTIFY(notice.mask, 0, BAD), INOTIFY(notice.mask, 0x4000, BAD),
	INOTIFY(notice.mask, 0x8000, 0), INOTIFY(notice.mask, 0x1000, BAD),
	INOTIFY(notice.mask, 1U << 27 | 2, 0), INOTIFY(notice.mode, 1, BAD),
	INOTIFY(notice.cookie, ~0U, 0), INOTIFY(notice.name_len, 0, BAD), INOTIFY(name[7], 0, BAD),

	USE(type, CKPT_REC_FDS, 0), USE(type, CKPT_REC_FILE, BAD), USE(type, 0, BAD),
	USE(tag, 0, BAD), USE(tag, ~0U, 0),
	SHMEM(size, LLONG_MAX, 0), SHMEM(size, 1ULL << 63, BAD), SHMEM(seals, 0xffff, 0),
	SHMEM(seals, 0x10000, BAD), SHMEM(mode, 0x81ff, 0), SHMEM(mode, 0x10000, BAD),
	SHMEM(mode, 0x8980, BAD),
	SHMEM(flags, CKPT_SHMEM_ALL, 0), SHMEM(flags, CKPT_SHMEM_ALL + 1, BAD),
	SHMEM(name_len, 7, BAD), SHMEM(name_len, ~0U, BAD), SHMEM(uid, ~0U, 0),
	SHMEM_DATA(offset, LLONG_MAX - 16, 0), SHMEM_DATA(offset, LLONG_MAX, BAD),
	SHMEM_DATA(len, 0, BAD), SHMEM_DATA(len, 17, BAD), SHMEM_DATA(len, ~0U, BAD),
	RING(flags, CKPT_RING_ALL & ~(CKPT_RING_DISABLED | CKPT_RING_NO_ARRAY), 0),
	RING(flags, CKPT_RING_ALL, BAD), RING(flags, CKPT_RING_ALL + 1, BAD), RING(flags, 0, BAD),
	RING(flags, CKPT_RING_SINGLE, BAD), RING(flags, CKPT_RING_SINGLE | CKPT_RING_ACCOUNTED, 0),
	RING(sq_entries, 0, BAD), RING(sq_entries, 3, BAD), RING(sq_entries, 1U << 31, BAD),
	RING(cq_entries, 4, BAD), RING(cq_entries, 16, BAD), RING(cq_entries, ~0U, BAD),
	RING(submitter, 0, BAD), RING(submitter, INT_MAX, 0), RING(submitter, ~0U, BAD),
	RING(array_offset, 0, BAD), RING(array_offset, ~0U, 0),
	RING(sq_head, ~0U, 0), RING(cq_tail, ~0U, 0), RING(cq_extra, ~0U, 0),
	RING(timeouts, ~0U, 0), RING(last_flush, ~0U, 0), RING(uid, ~0U, 0),
	RING(next_personality, 65536, 0), RING(next_personality, 65537, BAD),
	RING(nr_groups, 0, BAD), RING(nr_groups, 1, BAD), RING(nr_groups, 3, BAD),
	RING(nr_groups, ~0U, BAD), RING(restricted, 1, 0), RING(restricted, 2, BAD),
	RING(reserved, 1, BAD), RING(register_ops, ~0ULL, 0),
	RING_GROUP(groups[0].bgid, 65535, BAD), RING_GROUP(groups[0].flags, 0, BAD),
	RING_GROUP(groups[0].flags, CKPT_IO_GROUP_ALL + 1, BAD),
	RING_GROUP(groups[0].flags, CKPT_IO_GROUP_RING, BAD),
	RING_GROUP(groups[0].count, 3, BAD), RING_GROUP(groups[0].count, 1U << 31, BAD),
	RING_GROUP(groups[0].head, 65535, 0), RING_GROUP(groups[0].head, 65536, BAD),
	RING_GROUP(groups[0].addr, 4096, BAD), RING_GROUP(groups[0].min_left, 0, 0),
	RING_GROUP(groups[0].reserved, 1, BAD), RING_GROUP(groups[1].bgid, 65536, BAD),
	RING_GROUP(groups[1].bgid, 3, BAD), RING_GROUP(groups[1].head, 1, BAD),
	RING_GROUP(groups[1].addr, 4096, BAD), RING_GROUP(provided[0].addr, ~0ULL, 0),
	RING_GROUP(provided[2].addr, ~0ULL, BAD), RING_GROUP(provided[2].len, 0, BAD),
	RING_GROUP(provided[2].bid, 65535, 0), RING_GROUP(provided[2].bid, 65536, BAD),
	RING(rings_len, 0, BAD), RING(rings_len, 6, BAD), RING(rings_len, ~0U, BAD),
	RING(sqes_len, 0, BAD), RING(sqes_len, ~0U, BAD),
	IO_REG(head.ring, 0, BAD), IO_REG(head.flags, CKPT_IO_REG_ALL, 0),
	IO_REG(head.flags, CKPT_IO_REG_ALL + 1, BAD), IO_REG(head.flags, 0, BAD),
	IO_REG(head.eventfd, 0, BAD), IO_REG(head.last_tail, ~0U, 0),
	IO_REG(head.nr_files, 6, 0), IO_REG(head.nr_files, 5, BAD),
	IO_REG(head.nr_files, CKPT_MAX_IO_FILES, 0),
	IO_REG(head.nr_files, CKPT_MAX_IO_FILES + 1, BAD), IO_REG(head.alloc_start, 6, 0),
	IO_REG(head.alloc_start, 7, BAD), IO_REG(head.alloc_end, 8, 0),
	IO_REG(head.alloc_end, 9, BAD), IO_REG(head.alloc_hint, 8, 0),
	IO_REG(head.alloc_hint, 9, BAD), IO_REG(head.nr_slots, 1, BAD),
	IO_REG(head.nr_slots, ~0U, BAD), IO_REG(head.reserved, 1, BAD),
	IO_REG(slots[0].index, 4, 0), IO_REG(slots[0].index, 5, BAD),
	IO_REG(slots[1].index, 8, BAD), IO_REG(slots[1].file, 0, BAD),
	IO_REG(slots[1].flags, CKPT_IO_SLOT_ALL, 0),
	IO_REG(slots[1].flags, CKPT_IO_SLOT_ALL + 1, BAD), IO_REG(slots[1].reserved, 1, BAD),
	IO_REG(slots[1].tag, ~0ULL, 0),
	IO_BUF(head.ring, 0, BAD), IO_BUF(head.process, 0, BAD), IO_BUF(head.process, ~0U, BAD),
	IO_BUF(head.process, INT_MAX, 0), IO_BUF(head.counted, ~0U, BAD),
	IO_BUF(head.counted, INT_MAX, 0), IO_BUF(head.reserved, 1, BAD),
	IO_BUF(head.nr_slots, 0, BAD),
	IO_BUF(head.nr_slots, 2, BAD), IO_BUF(head.nr_slots, 3, 0),
	IO_BUF(head.nr_slots, CKPT_MAX_IO_BUFFERS, 0),
	IO_BUF(head.nr_slots, CKPT_MAX_IO_BUFFERS + 1, BAD), IO_BUF(head.nr_buffers, 1, BAD),
	IO_BUF(head.nr_buffers, ~0U, BAD), IO_BUF(buffers[0].index, 2, BAD),
	IO_BUF(buffers[0].index, 1, 0), IO_BUF(buffers[1].index, 4, BAD),
	IO_BUF(buffers[1].reserved, 1, BAD), IO_BUF(buffers[1].addr, 0, BAD),
	IO_BUF(buffers[1].addr, ~0ULL, BAD), IO_BUF(buffers[1].addr, 1, 0),
	IO_BUF(buffers[1].length, 0, BAD), IO_BUF(buffers[1].length, CKPT_MAX_IO_BUFFER, 0),
	IO_BUF(buffers[1].length, CKPT_MAX_IO_BUFFER + 1, BAD),
	IO_BUF(buffers[1].tag, ~0ULL, 0), IO_BUF(head.nr_rings, 0, BAD),
	IO_BUF(head.nr_rings, 2, BAD), IO_BUF(head.nr_rings, ~0U, BAD),
	IO_BUF(head.reserved2, 1, BAD), IO_BUF(rings[0].addr, 0, BAD),
	IO_BUF(rings[0].addr, 4097, BAD), IO_BUF(rings[0].flags, 0, BAD),
	IO_BUF(rings[0].bgid, 65535, 0), IO_BUF(rings[0].bgid, 65536, BAD),
	IO_BUF(rings[0].count, 0, BAD), IO_BUF(rings[0].count, 65536, BAD),
	IO_BUF(rings[0].min_left, 1, BAD),
	IO_RING(0, tid, 0, BAD), IO_RING(1, tid, INT_MAX, 0), IO_RING(1, tid, 1U << 31, BAD),
	IO_RING(0, index, CKPT_IO_RING_SLOTS - 1, 0), IO_RING(0, index, CKPT_IO_RING_SLOTS, BAD),
	IO_RING(1, file, 0, BAD), IO_RING(1, file, ~0U, 0), IO_RING(0, reserved, 1, BAD),
	AIO(addr, 0, BAD), AIO(addr, 4097, BAD), AIO(addr, 4096, 0),
	AIO(addr, -4096ULL, BAD), AIO(nr_pages, 0, BAD), AIO(nr_pages, 1, 0),
	AIO(nr_pages, 65536, 0), AIO(nr_pages, 65537, BAD), AIO(nr_pages, ~0U, BAD),
	AIO(ring_len, ~0U, BAD),
	AIO(max_reqs, 0, BAD), AIO(max_reqs, ~0U, 0), AIO(id, INT_MAX, 0),
	AIO(id, 1U << 31, BAD), AIO(tail, 255, 0), AIO(tail, 256, BAD),
	AIO(completed, 255, 0), AIO(completed, 256, BAD), AIO(ring_len, 0, BAD),
	FILTER(flags, CKPT_SECCOMP_ALL, 0), FILTER(flags, CKPT_SECCOMP_ALL + 1, BAD),
	FILTER(reserved, 1, BAD), FILTER(nr_insns, 0, BAD), FILTER(nr_insns, 1, BAD),
	FILTER(nr_insns, 3, BAD), FILTER(nr_insns, 0x20000002, BAD), FILTER(nr_insns, ~0U, BAD),

	ATTRS(flags, CKPT_ATTR_ALL, 0), ATTRS(flags, CKPT_ATTR_ALL + 1, BAD),
	ATTRS(flags, CKPT_ATTR_ALL & ~CKPT_ATTR_DISPATCH, BAD),
	ATTRS(flags, CKPT_ATTR_ALL & ~CKPT_ATTR_UCLAMP_MIN, BAD),
	ATTRS(flags, CKPT_ATTR_ALL & ~CKPT_ATTR_UCLAMP_MAX, BAD),
	ATTRS(seccomp_mode, 0, BAD), ATTRS(seccomp_mode, 1, BAD), ATTRS(seccomp_mode, 3, BAD),
	ATTRS(seccomp, 0, BAD), ATTRS(ioprio, 0xffff, 0), ATTRS(ioprio, 0x10000, BAD),
	ATTRS(iopl, 3, 0), ATTRS(iopl, 4, BAD), ATTRS(uclamp_min, 1024, 0),
	ATTRS(uclamp_min, 1025, BAD), ATTRS(uclamp_max, 1025, BAD), ATTRS(uclamp_max, ~0U, BAD),
	ATTRS(sched_runtime, LLONG_MAX, 0), ATTRS(sched_runtime, 1ULL << 63, BAD),
	ATTRS(sched_deadline, 1ULL << 63, BAD), ATTRS(sched_period, 1ULL << 63, BAD),
	ATTRS(mempolicy, 0xffff, 0), ATTRS(mempolicy, 0x10000, BAD),
	ATTRS(node_words, 0, BAD), ATTRS(node_words, CKPT_NODE_WORDS, 0),
	ATTRS(node_words, CKPT_NODE_WORDS + 1, BAD), ATTRS(nodes[1], 1, BAD),
	ATTRS(nodes[15], 1, BAD), ATTRS(compat_robust_list, ~0U, 0),
	ATTRS(compat_robust_list, 1ULL << 32, BAD),

	NAME(0, start, 1, BAD), NAME(0, end, 0x1001, BAD), NAME(0, end, 0, BAD),
	NAME(1, start, 0, BAD), NAME(0, name[0], ']', BAD), NAME(0, name[0], '\\', BAD),
	NAME(0, name[1], '`', BAD), NAME(0, name[0], '$', BAD), NAME(0, name[0], '\n', BAD),
	NAME(0, name[0], 0x7f, BAD), NAME(0, name[0], 0x80, BAD), NAME(0, name[0], '~', 0),
	NAME(0, name[0], 0, 0),

	PORTS(0, num, 0, BAD), PORTS(0, num, 0xff6f, 0), PORTS(0, num, 0xff70, BAD),
	PORTS(0, from, 0xffff, BAD), PORTS(1, num, 17, BAD), PORTS(1, from, 0xfff1, BAD),
	PORTS(1, from, 0x81, BAD), PORTS(1, from, 0x82, 0), PORTS(1, num, ~0U, BAD),

	USAGE(dead.utime_ns, CKPT_MAX_COUNT, 0), USAGE(dead.utime_ns, CKPT_MAX_COUNT + 1, BAD),
	USAGE(children_maxrss_kb, CKPT_MAX_COUNT, 0), USAGE(children_maxrss_kb, ~0ULL, BAD),
	THREAD_USAGE(own.runtime_ns, CKPT_MAX_COUNT, 0),
	THREAD_USAGE(own.runtime_ns, CKPT_MAX_COUNT + 1, BAD),
	THREAD_USAGE(run_delay_ns, ~0ULL, BAD), THREAD_USAGE(rss_integral, ~0ULL, 0),
	THREAD_USAGE(vm_integral, ~0ULL, 0),

	TIMERS(flags, CKPT_TIMERS_ALL, 0), TIMERS(flags, CKPT_TIMERS_ALL + 1, BAD),
	TIMERS(next_posix_id, INT_MAX, 0), TIMERS(next_posix_id, 1U << 31, BAD),
	TIMERS(real_left_ns, -CKPT_MAX_COUNT, 0), TIMERS(real_left_ns, -CKPT_MAX_COUNT - 1, BAD),
	TIMERS(real_left_ns, LLONG_MAX, 0), TIMERS(real_interval_ns, -1, BAD),
	TIMERS(real_interval_ns, LLONG_MAX, 0), TIMERS(virtual_expires_ns, -1, BAD),
	TIMERS(virtual_interval_ns, -1, BAD), TIMERS(prof_expires_ns, -1, BAD),
	TIMERS(prof_interval_ns, -1, BAD), TIMERS(prof_expires_ns, LLONG_MAX, 0),

	TIMER(0, id, 1, 0), TIMER(0, id, 7, BAD), TIMER(1, id, 0, BAD), TIMER(1, id, INT_MAX, 0),
	TIMER(1, id, 1U << 31, BAD), TIMER(0, clock, 0, 0), TIMER(0, clock, 2, BAD),
	TIMER(0, clock, 7, 0), TIMER(0, clock, 10, BAD), TIMER(0, clock, 11, 0),
	TIMER(0, clock, 12, BAD), TIMER(0, clock, 31, BAD), TIMER(0, clock, 32, BAD),
	TIMER(0, clock, ~0U, BAD), TIMER(0, clock_tid, 1, BAD), TIMER(0, notify, 0, BAD),
	TIMER(0, notify, 3, BAD), TIMER(0, notify, 5, BAD), TIMER(0, notify_tid, 0, BAD),
	TIMER(0, notify_tid, 1U << 31, BAD), TIMER(0, signo, 64, 0), TIMER(0, signo, 65, BAD),
	TIMER(0, signo, 0, BAD), TIMER(0, flags, CKPT_TIMER_ALL, 0),
	TIMER(0, flags, CKPT_TIMER_ALL + 1, BAD), TIMER(0, flags, CKPT_TIMER_REARM, BAD),
	TIMER(0, flags, CKPT_TIMER_REARM | CKPT_TIMER_QUEUED, BAD),
	TIMER(0, signal_overrun, INT_MAX, 0), TIMER(0, signal_overrun, -1, BAD),
	TIMER(0, expires_ns, -CKPT_MAX_COUNT, 0), TIMER(0, expires_ns, -CKPT_MAX_COUNT - 1, BAD),
	TIMER(0, interval_ns, -1, BAD), TIMER(0, overrun, -1, 0), TIMER(0, overrun, -2, BAD),
	TIMER(0, overrun_last, CKPT_MAX_COUNT / 2, 0),
	TIMER(0, overrun_last, CKPT_MAX_COUNT / 2 + 1, BAD),
	TIMER(1, clock, CKPT_CLOCK_CPU, 0), TIMER(1, clock, CKPT_CLOCK_CPU | 3, BAD),
	TIMER(1, clock, CKPT_CLOCK_CPU << 1, BAD), TIMER(1, clock_tid, 0, BAD),
	TIMER(1, clock_tid, 1U << 31, BAD), TIMER(1, expires_ns, -1, BAD),
	TIMER(1, flags, 0, BAD), TIMER(1, flags, CKPT_TIMER_ABSOLUTE | CKPT_TIMER_ACTIVE, BAD),
	TIMER(1, flags, CKPT_TIMER_ABSOLUTE | CKPT_TIMER_QUEUED, BAD), TIMER(1, notify_tid, 1, BAD),
};

#endif

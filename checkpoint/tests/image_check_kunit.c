// SPDX-License-Identifier: GPL-2.0-only
/*
 * The content of records: a sample of every type is fine, and is refused with
 * a reason once a member is changed to what it cannot be.
 */
#include "../limits.h"
#include "image_kunit.h"
#include "samples.h"

/**
 * struct sample - a record that is fine
 * @type: enum ckpt_rec_type
 * @unit: of the record
 * @len: of the payload
 * @payload: the payload
 */
struct sample {
	u32 type;
	u32 unit;
	u32 len;
	const void *payload;
};

#define SAMPLE(_type, _payload, _unit) \
	{ CKPT_REC_##_type, sizeof(_unit), sizeof(_payload), &(_payload) }

static const struct sample samples[] = {
	SAMPLE(HEADER, header, header),
	SAMPLE(TREE, tree, tree.tree),
	SAMPLE(NAMESPACES, namespaces, namespaces[0]),
	SAMPLE(ID_MAPS, id_maps, id_maps[0]),
	SAMPLE(PIDS, pids, pids[0]),
	{ CKPT_REC_CGROUP, sizeof(cgroup.cgroup), sizeof(cgroup.cgroup) + 5, &cgroup },
	SAMPLE(PROCESS, process, process),
	SAMPLE(FILE, file, file.file),
	SAMPLE(MM, mm, mm),
	SAMPLE(VMAS, vmas, vmas[0]),
	SAMPLE(PAGES, extents, extents[0]),
	SAMPLE(SHARED_PAGES, runs, runs[0]),
	{ CKPT_REC_FS, sizeof(fs.fs), sizeof(fs.fs) + 5, &fs },
	SAMPLE(PTY, pty, pty.pty),
	SAMPLE(TERMINAL, terminal, terminal),
	SAMPLE(FDS, fds, fds[0]),
	SAMPLE(UNLINKED, unlinked, unlinked.unlinked),
	SAMPLE(LOCKS, locks, locks[0]),
	SAMPLE(FILE_STATE, file_state, file_state),
	SAMPLE(SIGHAND, sigactions, sigactions[0]),
	SAMPLE(SIGPENDING, siginfo, siginfo),
	SAMPLE(THREAD, thread, thread),
	SAMPLE(CRED, cred, cred.cred),
	SAMPLE(REGSET, regset, regset.regset),
	SAMPLE(PIPE, pipe, pipe.pipe),
	SAMPLE(EVENT, event, event),
	SAMPLE(EPOLL, items, items[0]),
	SAMPLE(INOTIFY, inotify, inotify.head),
	SAMPLE(IO_URING, io_uring, io_uring.ring),
	SAMPLE(IO_REGISTERED, io_registered, io_registered.head),
	SAMPLE(IO_BUFFERS, io_buffers, io_buffers.head),
	SAMPLE(IO_RINGS, io_rings, io_rings[0]),
	SAMPLE(SOCKET, sock, sock.socket),
	SAMPLE(UNIX, unix_sock, unix_sock.more),
	SAMPLE(UNIX_MSG, unix_msg, unix_msg.msg),
	SAMPLE(INET, inet, inet.more),
	SAMPLE(TCP, tcp, tcp.tcp),
	SAMPLE(USE, use, use),
	{ CKPT_REC_SHMEM, sizeof(shmem.shmem), sizeof(shmem.shmem) + 4, &shmem },
	SAMPLE(SHMEM_DATA, shmem_data, shmem_data.data),
	SAMPLE(SECCOMP, seccomp, seccomp.filter),
	SAMPLE(ATTRS, attrs, attrs),
	SAMPLE(VMA_NAMES, names, names[0]),
	SAMPLE(SYSV_SHM, segment, segment),
	SAMPLE(MEMORY, memory, memory),
	{ CKPT_REC_HUGETLB, sizeof(hugetlb.huge), sizeof(hugetlb.huge) + 4, &hugetlb },
	SAMPLE(HUGE_REGIONS, regions, regions[0]),
	SAMPLE(AIO, aio, aio.aio),
	SAMPLE(VMA_POLICIES, policies, policies[0]),
	SAMPLE(LDT, ldt, ldt[0]),
	SAMPLE(IO_PORTS, io_ports, io_ports[0]),
	SAMPLE(USAGE, usage, usage),
	SAMPLE(THREAD_USAGE, thread_usage, thread_usage),
	SAMPLE(TIMERS, timers, timers),
	SAMPLE(POSIX_TIMERS, posix_timers, posix_timers[0]),
};

/**
 * struct change - a value that a member cannot have
 * @text: for people
 * @type: of the sample that is changed
 * @at: the member in the sample
 * @size: of the member
 * @value: to put there
 * @error: that refuses it
 */
struct change {
	const char *text;
	u32 type;
	const void *at;
	u32 size;
	u64 value;
	int error;
};

#define CHANGE_OTHER(_type, _member, _value, _error) \
	{ #_type " " #_member " = " #_value, CKPT_REC_##_type, &(_member), \
	  sizeof(_member), (u64)(_value), _error }
#define CHANGE(_type, _member, _value) \
	CHANGE_OTHER(_type, _member, _value, -EBADMSG)

static const struct change changes[] = {
	CHANGE(HEADER, header.magic, 1),
	CHANGE_OTHER(HEADER, header.version, 2, -ENOEXEC),
	CHANGE_OTHER(HEADER, header.byte_order, 0x04030201, -ENOEXEC),
	CHANGE_OTHER(HEADER, header.arch, 3, -ENOEXEC),
	CHANGE_OTHER(HEADER, header.page_size, 2 * PAGE_SIZE, -ENOEXEC),
	CHANGE_OTHER(HEADER, header.need_features, 1, -ENOEXEC),
	CHANGE(HEADER, header.reserved[4], 1),

	CHANGE(TREE, tree.tree.nr_tasks, 0),
	CHANGE(TREE, tree.tree.nr_tasks, 4),
	CHANGE(TREE, tree.tree.nr_processes, 3),
	CHANGE(TREE, tree.tasks[0].tid, 0),
	CHANGE(TREE, tree.tasks[0].parent, 1),
	CHANGE(TREE, tree.tasks[0].mm_owner, 1),
	CHANGE(TREE, tree.tasks[0].flags, CKPT_TASKF_VFORK),
	CHANGE(TREE, tree.tasks[0].pgid, 4),
	CHANGE(TREE, tree.tasks[0].exit_code, 1),
	CHANGE(TREE, tree.tasks[1].parent, 5),
	CHANGE(TREE, tree.tasks[1].pgid, 5),
	CHANGE(TREE, tree.tasks[1].sid, 5),
	CHANGE(TREE, tree.tasks[1].exit_signal, 17),
	CHANGE(TREE, tree.tasks[1].mm_owner, 5),
	CHANGE(TREE, tree.tasks[1].flags, CKPT_TASKF_DEAD),
	CHANGE(TREE, tree.tasks[1].flags, CKPT_TASKF_VFORK),
	CHANGE(TREE, tree.tasks[1].tgid, 9),
	CHANGE(TREE, tree.tasks[2].tid, 0x80000000),
	CHANGE(TREE, tree.tasks[2].parent, 0),
	CHANGE(TREE, tree.tasks[2].parent, 0x80000000),
	CHANGE(TREE, tree.tasks[2].pgid, 0),
	CHANGE(TREE, tree.tasks[2].sid, 9),
	CHANGE(TREE, tree.tasks[2].mm_owner, 0x80000000),
	CHANGE(TREE, tree.tasks[2].exit_signal, 65),
	CHANGE(TREE, tree.tasks[2].exit_code, 0x10000),
	CHANGE(TREE, tree.tasks[2].flags, CKPT_TASKF_ALL + 1),
	CHANGE(TREE, tree.tasks[2].pgid, 0x80000000),
	CHANGE(TREE, tree.tasks[2].sid, 0x80000000),

	CHANGE(TREE, tree.tree.nr_namespaces, CKPT_MAX_NAMESPACES + 1),
	CHANGE(TREE, tree.tree.nr_cgroups, 4),
	CHANGE(CGROUP, cgroup.cgroup.path_len, 4),
	CHANGE(CGROUP, cgroup.cgroup.reserved, 1),
	CHANGE(CGROUP, cgroup.path[0], 'x'),
	CHANGE(CGROUP, cgroup.path[3], 0),
	CHANGE(NAMESPACES, namespaces[0].type, 0),
	CHANGE(NAMESPACES, namespaces[0].parent, 1),
	CHANGE(NAMESPACES, namespaces[0].flags, CKPT_NSF_ALL + 1),
	CHANGE(NAMESPACES, namespaces[0].next_pid, 1),
	CHANGE(NAMESPACES, namespaces[1].owner, 2),
	CHANGE(NAMESPACES, namespaces[1].uid, 1),
	CHANGE(NAMESPACES, namespaces[1].reserved, 1),
	CHANGE(ID_MAPS, id_maps[0].ns, 0),
	CHANGE(ID_MAPS, id_maps[0].kind, CKPT_ID_PROJID + 1),
	CHANGE(ID_MAPS, id_maps[0].count, 0),
	CHANGE(ID_MAPS, id_maps[0].first, U32_MAX),
	CHANGE(ID_MAPS, id_maps[0].lower, U32_MAX),
	CHANGE(ID_MAPS, id_maps[0].reserved, 1),
	CHANGE(PIDS, pids[0].pid, 0),
	CHANGE(PIDS, pids[0].ns, 0),
	CHANGE(PIDS, pids[0].nr, 0),
	CHANGE(PIDS, pids[0].nr, U32_MAX),
	CHANGE(PIDS, pids[0].reserved, 1),
	CHANGE(MM, mm.reserved, 1),

	CHANGE(PROCESS, process.flags, CKPT_PROC_ALL + 1),
	CHANGE(PROCESS, process.stop_signal, 65),
	CHANGE(PROCESS, process.nr_threads, 0),
	CHANGE(PROCESS, process.oom_score_adj, 1001),
	CHANGE(PROCESS, process.oom_score_adj, -1001),
	CHANGE(PROCESS, process.stop_code, 19),
	CHANGE(PROCESS, process.flags, CKPT_PROC_STOPPED),
	CHANGE(PROCESS, process.oom_score_adj_min, 1001),
	CHANGE(PROCESS, process.oom_score_adj_min, -1001),
	CHANGE(PROCESS, process.rlimits[3].soft, 1),

	CHANGE(PTY, pty.pty.index, CKPT_MAX_PTY_INDEX + 1),
	CHANGE(PTY, pty.pty.flags, CKPT_PTY_ALL + 1),
	CHANGE(PTY, pty.pty.flags, CKPT_PTY_HUNG_UP),
	CHANGE(PTY, pty.pty.session, 0),
	CHANGE(PTY, pty.pty.pgrp, 0x80000000),
	CHANGE(PTY, pty.pty.mode, 010000),
	CHANGE(PTY, pty.pty.pktstatus, 0x80),
	CHANGE(PTY, pty.pty.path_len, 8),
	CHANGE(PTY, pty.pty.path_len, U32_MAX),
	CHANGE(PTY, pty.pty.reserved, 1),
	CHANGE(PTY, pty.pty.flags, CKPT_PTY_SLAVE_HUNG_UP),
	CHANGE(PTY, pty.pty.ends[0].read_len, CKPT_MAX_TTY_BUFFER + 1),
	CHANGE(PTY, pty.pty.ends[0].canon_len, 4),
	CHANGE(PTY, pty.pty.ends[0].commit_len, 4),
	CHANGE(PTY, pty.pty.ends[0].echo_len, CKPT_MAX_TTY_BUFFER),
	CHANGE(PTY, pty.pty.ends[0].echo_commit, 2),
	CHANGE(PTY, pty.pty.ends[0].echo_mark, 2),
	CHANGE(PTY, pty.pty.ends[0].queue_len, U32_MAX),
	CHANGE(PTY, pty.pty.ends[1].flags, CKPT_TTY_ALL + 1),
	CHANGE(PTY, pty.bytes[0], 'x'),
	CHANGE(PTY, pty.bytes[4], 0),

	CHANGE(TERMINAL, terminal.session, 0),
	CHANGE(TERMINAL, terminal.session, 0x80000000),
	CHANGE(TERMINAL, terminal.pgrp, 0),
	CHANGE(TERMINAL, terminal.reserved, 1),

	CHANGE(FILE, file.file.kind, 0),
	CHANGE(FILE, file.file.kind, CKPT_FILE_NR),
	CHANGE(FILE, file.file.flags, CKPT_FILEF_ALL + 1),
	CHANGE(FILE, file.file.flags, CKPT_FILEF_GONE),
	CHANGE(FILE, file.file.flags, CKPT_FILEF_HUNG_UP),
	CHANGE(FILE, file.file.pos, 1ULL << 63),
	CHANGE(FILE, file.file.size, 1ULL << 63),
	CHANGE(FILE, file.file.path_len, 7),
	CHANGE(FILE, file.file.path_len, U32_MAX),
	CHANGE(FILE, file.file.build_id_len, 33),
	CHANGE(FILE, file.file.reserved, 1),
	CHANGE(FILE, file.path[0], 'x'),
	CHANGE(FILE, file.path[7], 0),

	CHANGE(MM, mm.flags, CKPT_MMF_ALL + 1),
	CHANGE(MM, mm.nr_auxv, CKPT_AUXV_MAX + 1),
	CHANGE(MM, mm.dumpable, 3),
	CHANGE(MM, mm.nr_vmas, CKPT_MAX_VMAS + 1),
	CHANGE(MM, mm.start_data, -1),
	CHANGE(MM, mm.start_code, -1),
	CHANGE(MM, mm.brk, 0),
	CHANGE(MM, mm.vdso, 0),
	CHANGE(MM, mm.vvar, 1),
	CHANGE(MM, mm.flags, CKPT_MMF_MDWE_NO_INHERIT),
	CHANGE(MM, mm.mmap_compat_base, (1ULL << 32) + 1),
	CHANGE(MM, mm.mmap_compat_legacy_base, -1),

	CHANGE(VMAS, vmas[0].start, 1),
	CHANGE(VMAS, vmas[0].end, 0),
	CHANGE(VMAS, vmas[0].end, PAGE(5)),
	CHANGE(VMAS, vmas[0].prot, CKPT_PROT_ALL + 1),
	CHANGE(VMAS, vmas[0].flags, CKPT_VMA_ALL + 1),
	CHANGE(VMAS, vmas[0].flags, CKPT_VMA_GROWSDOWN),
	CHANGE(VMAS, vmas[1].flags, CKPT_VMA_SHARED),
	CHANGE(VMAS, vmas[1].flags, CKPT_VMA_DROPPABLE),
	CHANGE(VMAS, vmas[1].flags, CKPT_VMA_LOCKONFAULT),
	CHANGE(VMAS, vmas[1].pkey, CKPT_NR_PKEYS),
	CHANGE(VMAS, vmas[1].pgoff, U64_MAX),
	CHANGE(VMAS, vmas[1].reserved, 1),

	CHANGE(PAGES, extents[0].addr, 1),
	CHANGE(PAGES, extents[0].nr_pages, 0),
	CHANGE(PAGES, extents[0].nr_pages, 3),
	CHANGE(PAGES, extents[1].nr_pages, CKPT_MAX_RECORD_PAGES),
	CHANGE(PAGES, extents[1].nr_pages, 1ULL << 52),
	CHANGE(PAGES, extents[1].addr, -PAGE(1)),
	CHANGE(SHARED_PAGES, runs[0].addr, 1),
	CHANGE(SHARED_PAGES, runs[0].nr_pages, 0),
	CHANGE(SHARED_PAGES, runs[0].nr_pages, 3),
	CHANGE(SHARED_PAGES, runs[1].addr, -PAGE(1)),
	CHANGE(SHARED_PAGES, runs[1].from, -PAGE(1)),
	CHANGE(SHARED_PAGES, runs[1].from, 1),
	CHANGE(SHARED_PAGES, runs[1].nr_pages, CKPT_MAX_RECORD_PAGES),
	CHANGE(SHARED_PAGES, runs[1].mm, 0),
	CHANGE(SHARED_PAGES, runs[1].reserved, 1),

	CHANGE(SECCOMP, seccomp.filter.flags, CKPT_SECCOMP_ALL + 1),
	CHANGE(SECCOMP, seccomp.filter.nr_insns, 0),
	CHANGE(SECCOMP, seccomp.filter.nr_insns, 3),
	CHANGE(SECCOMP, seccomp.filter.reserved, 1),

	CHANGE(ATTRS, attrs.flags, CKPT_ATTR_ALL + 1),
	CHANGE(ATTRS, attrs.seccomp_mode, 1),
	CHANGE(ATTRS, attrs.seccomp_mode, 3),
	CHANGE(ATTRS, attrs.seccomp, 0),
	CHANGE(ATTRS, attrs.dispatch_offset, 1),
	CHANGE(ATTRS, attrs.uclamp_min, 1),
	CHANGE(ATTRS, attrs.uclamp_max, 1025),
	CHANGE(ATTRS, attrs.ioprio, 0x10000),
	CHANGE(ATTRS, attrs.iopl, 4),
	CHANGE(ATTRS, attrs.sched_period, 1ULL << 63),
	CHANGE(ATTRS, attrs.mempolicy, 0x10000),
	CHANGE(ATTRS, attrs.node_words, CKPT_NODE_WORDS + 1),
	CHANGE(ATTRS, attrs.nodes[1], 1),
	CHANGE(ATTRS, attrs.compat_robust_list, 1ULL << 32),

	CHANGE(VMA_NAMES, names[0].end, PAGE(4)),
	CHANGE(VMA_NAMES, names[1].start, PAGE(4)),
	CHANGE(VMA_NAMES, names[1].name[0], '['),

	CHANGE(SYSV_SHM, segment.size, 0),
	CHANGE(SYSV_SHM, segment.id, U32_MAX),
	CHANGE(SYSV_SHM, segment.mode, 01000),
	CHANGE(SYSV_SHM, segment.flags, CKPT_SYSV_REMOVED),
	CHANGE(SYSV_SHM, segment.huge_shift, 12),
	CHANGE(MEMORY, memory.memory, 0),
	CHANGE(MEMORY, memory.reserved, 1),
	CHANGE(HUGETLB, hugetlb.huge.size, 4096),
	CHANGE(HUGETLB, hugetlb.huge.page_shift, 12),
	CHANGE(HUGETLB, hugetlb.huge.mode, 04600),
	CHANGE(HUGETLB, hugetlb.huge.name_len, 5),
	CHANGE(HUGE_REGIONS, regions[0].end, 3),
	CHANGE(HUGE_REGIONS, regions[1].end, U64_MAX),

	CHANGE(IO_URING, io_uring.ring.flags, CKPT_RING_ALL + 1),
	CHANGE(IO_URING, io_uring.ring.flags, CKPT_RING_DEFER),
	CHANGE(IO_URING, io_uring.ring.flags, CKPT_RING_SINGLE),
	CHANGE(IO_URING, io_uring.ring.flags, CKPT_RING_SINGLE | CKPT_RING_ACCOUNTED |
	       CKPT_RING_TASKRUN),
	CHANGE(IO_URING, io_uring.ring.flags, CKPT_RING_SINGLE | CKPT_RING_ACCOUNTED |
	       CKPT_RING_DISABLED),
	CHANGE(IO_URING, io_uring.ring.flags, CKPT_RING_SINGLE | CKPT_RING_ACCOUNTED |
	       CKPT_RING_NO_ARRAY),
	CHANGE(IO_URING, io_uring.ring.sq_entries, 0),
	CHANGE(IO_URING, io_uring.ring.sq_entries, 2),
	CHANGE(IO_URING, io_uring.ring.sq_entries, 3),
	CHANGE(IO_URING, io_uring.ring.sq_entries, 1U << 31),
	CHANGE(IO_URING, io_uring.ring.cq_entries, 0),
	CHANGE(IO_URING, io_uring.ring.cq_entries, 16),
	CHANGE(IO_URING, io_uring.ring.cq_entries, 1U << 31),
	CHANGE(IO_URING, io_uring.ring.submitter, 0),
	CHANGE(IO_URING, io_uring.ring.submitter, U32_MAX),
	CHANGE(IO_URING, io_uring.ring.array_offset, 0),
	CHANGE(IO_URING, io_uring.ring.next_personality, U32_MAX),
	CHANGE(IO_URING, io_uring.ring.rings_len, 4),
	CHANGE(IO_URING, io_uring.ring.rings_len, U32_MAX),
	CHANGE(IO_URING, io_uring.ring.sqes_len, U32_MAX),
	CHANGE(IO_URING, io_uring.ring.nr_groups, 1),
	CHANGE(IO_URING, io_uring.ring.nr_groups, U32_MAX),
	CHANGE(IO_URING, io_uring.ring.restricted, 2),
	CHANGE(IO_URING, io_uring.ring.reserved, 1),
	CHANGE(IO_URING, io_uring.groups[0].addr, PAGE_SIZE),
	CHANGE(IO_URING, io_uring.groups[0].flags, CKPT_IO_GROUP_ALL + 1),
	CHANGE(IO_URING, io_uring.groups[0].flags, CKPT_IO_GROUP_RING),
	CHANGE(IO_URING, io_uring.groups[0].count, 3),
	CHANGE(IO_URING, io_uring.groups[0].count, U32_MAX),
	CHANGE(IO_URING, io_uring.groups[0].head, 65536),
	CHANGE(IO_URING, io_uring.groups[0].reserved, 1),
	CHANGE(IO_URING, io_uring.groups[1].bgid, 3),
	CHANGE(IO_URING, io_uring.groups[1].bgid, 65536),
	CHANGE(IO_URING, io_uring.groups[1].head, 1),
	CHANGE(IO_URING, io_uring.provided[2].addr, U64_MAX),
	CHANGE(IO_URING, io_uring.provided[2].len, 0),
	CHANGE(IO_URING, io_uring.provided[2].bid, 65536),
	CHANGE(IO_REGISTERED, io_registered.head.ring, 0),
	CHANGE(IO_REGISTERED, io_registered.head.flags, CKPT_IO_REG_ALL + 1),
	CHANGE(IO_REGISTERED, io_registered.head.flags, CKPT_IO_EVENTFD_ASYNC),
	CHANGE(IO_REGISTERED, io_registered.head.eventfd, 0),
	CHANGE(IO_REGISTERED, io_registered.head.nr_files, 5),
	CHANGE(IO_REGISTERED, io_registered.head.nr_files, CKPT_MAX_IO_FILES + 1),
	CHANGE(IO_REGISTERED, io_registered.head.alloc_start, 7),
	CHANGE(IO_REGISTERED, io_registered.head.alloc_end, 9),
	CHANGE(IO_REGISTERED, io_registered.head.alloc_hint, 9),
	CHANGE(IO_REGISTERED, io_registered.head.nr_slots, 1),
	CHANGE(IO_REGISTERED, io_registered.head.nr_slots, U32_MAX),
	CHANGE(IO_REGISTERED, io_registered.head.reserved, 1),
	CHANGE(IO_REGISTERED, io_registered.slots[0].index, 5),
	CHANGE(IO_REGISTERED, io_registered.slots[1].index, 8),
	CHANGE(IO_REGISTERED, io_registered.slots[1].file, 0),
	CHANGE(IO_REGISTERED, io_registered.slots[1].flags, CKPT_IO_SLOT_ALL + 1),
	CHANGE(IO_REGISTERED, io_registered.slots[1].reserved, 1),
	CHANGE(IO_BUFFERS, io_buffers.head.ring, 0),
	CHANGE(IO_BUFFERS, io_buffers.head.process, 0),
	CHANGE(IO_BUFFERS, io_buffers.head.process, U32_MAX),
	CHANGE(IO_BUFFERS, io_buffers.head.counted, U32_MAX),
	CHANGE(IO_BUFFERS, io_buffers.head.reserved, 1),
	CHANGE(IO_BUFFERS, io_buffers.head.nr_slots, 0),
	CHANGE(IO_BUFFERS, io_buffers.head.nr_slots, 3),
	CHANGE(IO_BUFFERS, io_buffers.head.nr_slots, CKPT_MAX_IO_BUFFERS + 1),
	CHANGE(IO_BUFFERS, io_buffers.head.nr_buffers, 1),
	CHANGE(IO_BUFFERS, io_buffers.head.nr_buffers, U32_MAX),
	CHANGE(IO_BUFFERS, io_buffers.buffers[0].index, 3),
	CHANGE(IO_BUFFERS, io_buffers.buffers[1].index, 4),
	CHANGE(IO_BUFFERS, io_buffers.buffers[1].reserved, 1),
	CHANGE(IO_BUFFERS, io_buffers.buffers[1].addr, 0),
	CHANGE(IO_BUFFERS, io_buffers.buffers[1].addr, U64_MAX),
	CHANGE(IO_BUFFERS, io_buffers.buffers[1].length, 0),
	CHANGE(IO_BUFFERS, io_buffers.buffers[1].length, CKPT_MAX_IO_BUFFER + 1),
	CHANGE(IO_BUFFERS, io_buffers.head.nr_rings, 0),
	CHANGE(IO_BUFFERS, io_buffers.head.nr_rings, U32_MAX),
	CHANGE(IO_BUFFERS, io_buffers.head.reserved2, 1),
	CHANGE(IO_BUFFERS, io_buffers.rings[0].addr, 0),
	CHANGE(IO_BUFFERS, io_buffers.rings[0].addr, 4097),
	CHANGE(IO_BUFFERS, io_buffers.rings[0].flags, 0),
	CHANGE(IO_BUFFERS, io_buffers.rings[0].count, 65536),
	CHANGE(IO_BUFFERS, io_buffers.rings[0].bgid, 65536),

	CHANGE(IO_RINGS, io_rings[0].tid, 0),
	CHANGE(IO_RINGS, io_rings[1].tid, U32_MAX),
	CHANGE(IO_RINGS, io_rings[1].index, CKPT_IO_RING_SLOTS),
	CHANGE(IO_RINGS, io_rings[1].file, 0),
	CHANGE(IO_RINGS, io_rings[0].reserved, 1),
	CHANGE(AIO, aio.aio.addr, 0),
	CHANGE(AIO, aio.aio.addr, U64_MAX << CKPT_PAGE_SHIFT),
	CHANGE(AIO, aio.aio.nr_pages, 0),
	CHANGE(AIO, aio.aio.nr_pages, U32_MAX),
	CHANGE(AIO, aio.aio.max_reqs, 0),
	CHANGE(AIO, aio.aio.id, U32_MAX),
	CHANGE(AIO, aio.aio.tail, 128),
	CHANGE(AIO, aio.aio.completed, 128),
	CHANGE(AIO, aio.aio.ring_len, 1),
	CHANGE(AIO, aio.aio.ring_len, U32_MAX),

	CHANGE(VMA_POLICIES, policies[0].end, PAGE(4)),
	CHANGE(VMA_POLICIES, policies[1].start, PAGE(4)),
	CHANGE(VMA_POLICIES, policies[0].mode, 0),
	CHANGE(VMA_POLICIES, policies[0].home_node, U32_MAX),
	CHANGE(VMA_POLICIES, policies[0].node_words, 0),
	CHANGE(VMA_POLICIES, policies[0].reserved, 1),

	CHANGE(IO_PORTS, io_ports[0].num, 0),
	CHANGE(IO_PORTS, io_ports[1].num, 2),
	CHANGE(IO_PORTS, io_ports[1].from, 0x81),

	CHANGE(FS, fs.fs.umask, 01000),
	CHANGE(FS, fs.fs.root_len, 0),
	CHANGE(FS, fs.fs.cwd_len, 3),
	CHANGE(FS, fs.fs.root_len, U32_MAX),
	CHANGE(FS, fs.paths[1], 'x'),

	CHANGE(FDS, fds[0].fd, 7),
	CHANGE(FDS, fds[1].fd, 0x80000000),
	CHANGE(FDS, fds[1].file, 0),
	CHANGE(FDS, fds[1].flags, 2),
	CHANGE(FDS, fds[1].reserved, 1),

	CHANGE(SIGPENDING, siginfo.signo, 0),
	CHANGE(SIGPENDING, siginfo.signo, 65),
	CHANGE(SIGPENDING, siginfo.shared, 2),
	CHANGE(SIGPENDING, siginfo.has_info, 2),
	CHANGE(SIGPENDING, siginfo.timer, 2),

	CHANGE(THREAD, thread.tid, 0),
	CHANGE(THREAD, thread.nice, 20),
	CHANGE(THREAD, thread.nice, -21),
	CHANGE(THREAD, thread.rt_priority, 100),
	CHANGE(THREAD, thread.sched_flags, 2),
	CHANGE(THREAD, thread.affinity_words, 17),
	CHANGE(THREAD, thread.pdeath_signal, 65),
	CHANGE(THREAD, thread.restart_kind, CKPT_RESTART_TIMED + 1),
	CHANGE(THREAD, thread.reserved, 1),

	CHANGE(CRED, cred.cred.nr_groups, 1),
	CHANGE(CRED, cred.cred.nr_groups, 0x40000002),
	CHANGE(CRED, cred.cred.flags, 2),

	CHANGE(REGSET, regset.regset.data_len, 0),
	CHANGE(REGSET, regset.regset.data_len, 24),
	CHANGE(REGSET, regset.regset.data_len, U32_MAX),

	CHANGE(PIPE, pipe.pipe.capacity, 0x80000000),
	CHANGE(PIPE, pipe.pipe.data_len, 7),
	CHANGE(PIPE, pipe.pipe.data_len, U32_MAX),
	CHANGE(PIPE, pipe.pipe.flags, CKPT_PIPE_ALL + 1),
	CHANGE(PIPE, pipe.pipe.nr_pieces, 1),
	CHANGE(UNLINKED, unlinked.unlinked.size, 1ULL << 63),
	CHANGE(UNLINKED, unlinked.unlinked.mode, 0300600),
	CHANGE(UNLINKED, unlinked.unlinked.mode, 040700),
	CHANGE(UNLINKED, unlinked.unlinked.flags, CKPT_UNLINKED_ALL + 1),
	CHANGE(UNLINKED, unlinked.unlinked.dir_len, 7),
	CHANGE(UNLINKED, unlinked.unlinked.parent, 1),
	CHANGE(LOCKS, locks[0].start, 21),
	CHANGE(LOCKS, locks[0].end, 1ULL << 63),
	CHANGE(LOCKS, locks[0].file, 0),
	CHANGE(LOCKS, locks[0].kind, CKPT_LOCK_LEASE + 1),
	CHANGE(LOCKS, locks[0].write, 2),
	CHANGE(LOCKS, locks[1].fd, 0x80000000),
	CHANGE(LOCKS, locks[1].end, 1),
	CHANGE(FILE_STATE, file_state.file, 0),
	CHANGE(FILE_STATE, file_state.flags, 0),
	CHANGE(FILE_STATE, file_state.owner_type, 3),
	CHANGE(FILE_STATE, file_state.signo, 65),
	CHANGE(FILE_STATE, file_state.write_hint, 6),
	CHANGE(FILE_STATE, file_state.async_fd, 1),

	CHANGE(EVENT, event.kind, CKPT_FILE_EVENTFD),
	CHANGE(EVENT, event.kind, CKPT_FILE_INOTIFY),
	CHANGE(EVENT, event.flags, CKPT_EVENT_ALL + 1),
	CHANGE(EVENT, event.flags, CKPT_EVENT_ARMED | CKPT_EVENT_EXPIRED),
	CHANGE(EVENT, event.flags, CKPT_EVENT_ABSOLUTE),
	CHANGE(EVENT, event.clock, 2),
	CHANGE(EVENT, event.clock, U32_MAX),
	CHANGE(EVENT, event.reserved, 1),
	CHANGE(EVENT, event.expires_ns, S64_MIN),
	CHANGE(EVENT, event.interval_ns, -1),

	CHANGE(EPOLL, items[0].fd, 0x80000000),
	CHANGE(EPOLL, items[0].file, 0),
	CHANGE(EPOLL, items[0].flags, CKPT_EPOLL_REPORTED),
	CHANGE(EPOLL, items[1].flags, CKPT_EPOLL_ALL),
	CHANGE(EPOLL, items[1].process, 0x80000000),
	CHANGE(EPOLL, items[1].reserved, 1),

	CHANGE(SOCKET, sock.socket.type, 11),
	CHANGE(SOCKET, sock.socket.state, 13),
	CHANGE(SOCKET, sock.socket.flags, 1U << 31),
	CHANGE(SOCKET, sock.socket.nr_insns, U32_MAX),
	CHANGE(SOCKET, sock.socket.device[15], 'x'),
	CHANGE(UNIX, unix_sock.more.socket, 0),
	CHANGE(UNIX, unix_sock.more.flags, CKPT_UNIX_FILE),
	CHANGE(UNIX, unix_sock.more.name_len, U32_MAX),
	CHANGE(UNIX, unix_sock.more.nr_groups, 1),
	CHANGE(UNIX, unix_sock.path[0], 'x'),
	CHANGE(UNIX_MSG, unix_msg.msg.sender, 0),
	CHANGE(UNIX_MSG, unix_msg.msg.len, U32_MAX),
	CHANGE(UNIX_MSG, unix_msg.msg.truesize, 3),
	CHANGE(UNIX_MSG, unix_msg.msg.nr_files, U32_MAX),
	CHANGE(UNIX_MSG, unix_msg.files[0], 0),
	CHANGE(INET, inet.more.socket, 0),
	CHANGE(INET, inet.more.flags, CKPT_INET_BOUND),
	CHANGE(INET, inet.more.nr_options, U32_MAX),
	CHANGE(INET, inet.more.congestion[15], 'x'),
	CHANGE(TCP, tcp.tcp.flags, CKPT_TCP_DEAD),
	CHANGE(TCP, tcp.tcp.addr[1].port, 0),
	CHANGE(TCP, tcp.tcp.ends[0].socket, 0),
	CHANGE(TCP, tcp.tcp.ends[0].unread, U32_MAX),
	CHANGE(TCP, tcp.tcp.ends[0].unsent, 1),
	CHANGE(TCP, tcp.tcp.ends[0].mss, 0),
	CHANGE(TCP, tcp.tcp.ends[1].flags, 0),
	CHANGE(TCP, tcp.tcp.ends[1].listener, 3),
	CHANGE(TCP, tcp.tcp.ends[1].wscale, 15),
	CHANGE(TCP, tcp.tcp.ends[1].window, U32_MAX),
	CHANGE(INOTIFY, inotify.head.next_wd, U32_MAX),
	CHANGE(INOTIFY, inotify.head.nr_watches, U32_MAX),
	CHANGE(INOTIFY, inotify.head.nr_events, 2),
	CHANGE(INOTIFY, inotify.watch.wd, 0),
	CHANGE(INOTIFY, inotify.watch.mask, 0x1000),
	CHANGE(INOTIFY, inotify.watch.name_len, U32_MAX),
	CHANGE(INOTIFY, inotify.path[0], 'x'),
	CHANGE(INOTIFY, inotify.path[5], 'x'),
	CHANGE(INOTIFY, inotify.event.wd, -1),
	CHANGE(INOTIFY, inotify.event.mask, 0),
	CHANGE(INOTIFY, inotify.event.name_len, 9),

	CHANGE(USE, use.type, CKPT_REC_FILE),
	CHANGE(USE, use.type, 0),
	CHANGE(USE, use.tag, 0),

	CHANGE(SHMEM, shmem.shmem.size, 0x8000000000000000ULL),
	CHANGE(SHMEM, shmem.shmem.seals, 0x10000),
	CHANGE(SHMEM, shmem.shmem.mode, 0x10000),
	CHANGE(SHMEM, shmem.shmem.flags, CKPT_SHMEM_ALL + 1),
	CHANGE(SHMEM, shmem.shmem.name_len, 5),
	CHANGE(SHMEM_DATA, shmem_data.data.offset, S64_MAX),
	CHANGE(SHMEM_DATA, shmem_data.data.len, 7),
	CHANGE(SHMEM_DATA, shmem_data.data.len, U32_MAX),

	CHANGE(USAGE, usage.dead.utime_ns, CKPT_MAX_COUNT + 1),
	CHANGE(USAGE, usage.children_maxrss_kb, CKPT_MAX_COUNT + 1),
	CHANGE(THREAD_USAGE, thread_usage.own.shown_stime_ns, U64_MAX),
	CHANGE(THREAD_USAGE, thread_usage.run_delay_ns, CKPT_MAX_COUNT + 1),

	CHANGE(TIMERS, timers.flags, CKPT_TIMERS_ALL + 1),
	CHANGE(TIMERS, timers.next_posix_id, 0x80000000),
	CHANGE(TIMERS, timers.real_left_ns, -CKPT_MAX_COUNT - 1),
	CHANGE(TIMERS, timers.real_interval_ns, -1),
	CHANGE(TIMERS, timers.virtual_expires_ns, -1),
	CHANGE(TIMERS, timers.virtual_interval_ns, -1),
	CHANGE(TIMERS, timers.prof_expires_ns, -1),
	CHANGE(TIMERS, timers.prof_interval_ns, -1),

	CHANGE(POSIX_TIMERS, posix_timers[0].id, 3),
	CHANGE(POSIX_TIMERS, posix_timers[1].id, 0x80000000),
	CHANGE(POSIX_TIMERS, posix_timers[0].clock, 2),
	CHANGE(POSIX_TIMERS, posix_timers[0].clock, 12),
	CHANGE(POSIX_TIMERS, posix_timers[0].clock, 32),
	CHANGE(POSIX_TIMERS, posix_timers[0].clock_tid, 5),
	CHANGE(POSIX_TIMERS, posix_timers[1].clock, CKPT_CLOCK_CPU | 3),
	CHANGE(POSIX_TIMERS, posix_timers[1].clock, CKPT_CLOCK_CPU << 1),
	CHANGE(POSIX_TIMERS, posix_timers[1].clock_tid, 0),
	CHANGE(POSIX_TIMERS, posix_timers[1].expires_ns, -1),
	CHANGE(POSIX_TIMERS, posix_timers[1].flags, 0),
	CHANGE(POSIX_TIMERS, posix_timers[1].flags, CKPT_TIMER_ABSOLUTE | CKPT_TIMER_ACTIVE),
	CHANGE(POSIX_TIMERS, posix_timers[0].notify, 3),
	CHANGE(POSIX_TIMERS, posix_timers[0].notify, 0),
	CHANGE(POSIX_TIMERS, posix_timers[0].notify_tid, 0),
	CHANGE(POSIX_TIMERS, posix_timers[0].signo, 65),
	CHANGE(POSIX_TIMERS, posix_timers[0].signo, 0),
	CHANGE(POSIX_TIMERS, posix_timers[0].flags, CKPT_TIMER_ALL + 1),
	CHANGE(POSIX_TIMERS, posix_timers[0].flags, CKPT_TIMER_REARM),
	CHANGE(POSIX_TIMERS, posix_timers[0].signal_overrun, -1),
	CHANGE(POSIX_TIMERS, posix_timers[0].expires_ns, -CKPT_MAX_COUNT - 1),
	CHANGE(POSIX_TIMERS, posix_timers[0].interval_ns, -1),
	CHANGE(POSIX_TIMERS, posix_timers[0].overrun, -2),
	CHANGE(POSIX_TIMERS, posix_timers[0].overrun_last, CKPT_MAX_COUNT),
};

static const struct sample *find_sample(u32 type)
{
	const struct sample *s = samples;

	while (s->type != type)
		s++;
	return s;
}

/* A copy of a sample, as the reader would hand it to the checks. */
static struct ckpt_rec *sample_record(struct kunit *test, u32 type)
{
	const struct sample *s = find_sample(type);
	struct ckpt_rec *rec;

	rec = kunit_kzalloc(test, sizeof(*rec) + s->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec);
	rec->type = type;
	rec->tag = 1;
	rec->unit = s->unit;
	rec->length = s->len;
	memcpy(rec + 1, s->payload, s->len);
	return rec;
}

static void sample_text(const struct sample *sample, char *text)
{
	strscpy(text, ckpt_rec_name(sample->type), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sample, samples, sample_text);

static void check_sample(struct kunit *test)
{
	const struct sample *sample = test->param_value;
	struct ckpt_rec *rec = sample_record(test, sample->type);
	struct ckpt_reader reader = {};

	KUNIT_EXPECT_EQ_MSG(test, ckpt_check_record(&reader, rec), 0, "%s",
			    reader.why ?: "no reason");
	KUNIT_EXPECT_NULL(test, reader.why);
}

static void change_text(const struct change *change, char *text)
{
	strscpy(text, change->text, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(change, changes, change_text);

static void check_change(struct kunit *test)
{
	const struct change *change = test->param_value;
	struct ckpt_rec *rec = sample_record(test, change->type);
	size_t offset = change->at - find_sample(change->type)->payload;
	struct ckpt_reader reader = {};

	memcpy(ckpt_rec_data(rec) + offset, &change->value, change->size);
	KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, rec), change->error);
	KUNIT_EXPECT_NOT_NULL(test, reader.why);
}

static void check_tags(struct kunit *test)
{
	static const u32 types[] = {
		CKPT_REC_FILE, CKPT_REC_MM, CKPT_REC_PIPE, CKPT_REC_FS, CKPT_REC_FDS,
		CKPT_REC_SIGHAND, CKPT_REC_SECCOMP, CKPT_REC_SHMEM, CKPT_REC_SYSV_SHM,
		CKPT_REC_EVENT, CKPT_REC_EPOLL, CKPT_REC_INOTIFY, CKPT_REC_PTY, CKPT_REC_SOCKET,
		CKPT_REC_HUGETLB, CKPT_REC_IO_URING,
	};
	struct ckpt_reader reader = {};
	struct ckpt_rec *rec;
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		rec = sample_record(test, types[i]);
		rec->tag = 0;
		KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, rec), -EBADMSG);
	}
}

static void check_strings(struct kunit *test)
{
	struct ckpt_reader reader = {};
	struct ckpt_rec *rec = sample_record(test, CKPT_REC_THREAD);
	struct ckpt_rec_thread *t = ckpt_rec_data(rec);
	struct ckpt_rec_header *h;

	memset(t->comm, 'x', sizeof(t->comm));
	KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, rec), -EBADMSG);

	rec = sample_record(test, CKPT_REC_HEADER);
	h = ckpt_rec_data(rec);
	memset(h->release, 'x', sizeof(h->release));
	KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, rec), -EBADMSG);
}

/* The trailer's content depends on all that came before it. */
static void check_trailer(struct kunit *test)
{
	struct {
		struct ckpt_rec rec;
		struct ckpt_rec_trailer trailer;
	} last = {
		.rec = { .type = CKPT_REC_TRAILER, .unit = sizeof(last.trailer),
			 .length = sizeof(last.trailer) },
		.trailer = { .image_id = "id", .nr_records = 9, .nr_pages = 5, .length = 4096 },
	};
	const struct ckpt_reader good = {
		.image_id = "id", .nr_records = 9, .nr_pages = 5, .offset = 4096,
	};
	struct ckpt_reader reader = good;

	KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, &last.rec), 0);
	reader.image_id[15] = 1;
	KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, &last.rec), -EBADMSG);
	reader = good;
	reader.nr_records++;
	KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, &last.rec), -EBADMSG);
	reader = good;
	reader.nr_pages--;
	KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, &last.rec), -EBADMSG);
	reader = good;
	reader.offset += 8;
	KUNIT_EXPECT_EQ(test, ckpt_check_record(&reader, &last.rec), -EBADMSG);
}

static struct kunit_case image_check_cases[] = {
	KUNIT_CASE_PARAM(check_sample, sample_gen_params),
	KUNIT_CASE_PARAM(check_change, change_gen_params),
	KUNIT_CASE(check_tags),
	KUNIT_CASE(check_strings),
	KUNIT_CASE(check_trailer),
	{}
};

static struct kunit_suite image_check_suite = {
	.name = "checkpoint-image-check",
	.test_cases = image_check_cases,
};

kunit_test_suite(image_check_suite);

MODULE_LICENSE("GPL");

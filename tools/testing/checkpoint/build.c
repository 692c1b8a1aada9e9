// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds valid images of any size: what a save of some plain programs would
 * write. Tags: 1 is the program, which all processes share; every process has
 * BASE_TAG + 1000 * n for its address space, then its files.
 */
#include <stdio.h>
#include <string.h>

#include "pieces.h"

#define PAGE		4096ULL
#define PROGRAM_TAG	1
#define BASE_TAG	1000
#define FDS_TAG		900
#define FS_TAG		901
#define SIGHAND_TAG	902
#define SHMEM_TAG	903
#define EVENTS_TAG	904
#define PTY_TAG		910
#define SOCKET_TAG	930
#define INET_TAG	940
#define UNLINKED_TAG	920
#define IO_URING_TAG	950
#define FIRST_PID	100
#define CODE		0x400000ULL
#define HEAP		0x10000000ULL
#define STACK_END	0x7ffffffff000ULL
#define VVAR		0x7fff00000000ULL

const struct recipe small_recipe = {
	.processes = 1, .threads = 1, .pages = 1, .extent_pages = 1,
	.record_extents = 4, .vmas = 1, .files = 1, .pipes = 1, .groups = 1, .signals = 1,
	.regset = 27 * 8,
};

const struct recipe large_recipe = {
	.processes = 5, .threads = 4, .pages = 700, .extent_pages = 60,
	.record_extents = 5, .vmas = 3000, .files = 40, .pipes = 7, .groups = 33, .signals = 600,
	.regset = 2696,
};

static void add_header(struct image *image)
{
	struct ckpt_rec_header header = {
		.magic = CKPT_IMAGE_MAGIC,
		.version = CKPT_IMAGE_VERSION,
		.byte_order = CKPT_IMAGE_BYTE_ORDER,
		.arch = CKPT_IMAGE_ARCH_X86_64,
		.page_size = PAGE,
		.time_ns = 1700000000000000000ULL,
		.image_id = "0123456789abcde",
		.cpu_features = 7,
		.release = "6.12.0-checkpoint",
		.version_text = "#1 SMP PREEMPT_DYNAMIC",
		.machine = "x86_64",
	};

	image_add(image, CKPT_REC_HEADER, 0, sizeof(header), &header, sizeof(header));
}

/* A thread's id: leaders come first, 100, 200, ... */
static u32 tid_of(unsigned int process, unsigned int thread)
{
	return FIRST_PID * (process + 1) + thread;
}

static void add_tree(struct image *image, const struct recipe *r)
{
	struct ckpt_rec_tree tree = {
		.nr_tasks = r->processes * r->threads,
		.nr_processes = r->processes,
		.nr_namespaces = 3,
		.nr_cgroups = 1,
	};
	struct piece *piece = image_add(image, CKPT_REC_TREE, 0, sizeof(tree), &tree,
					sizeof(tree));
	unsigned int i;

	piece_resize(piece, sizeof(tree) + tree.nr_tasks * sizeof(struct ckpt_rec_task));
	for (i = 0; i < tree.nr_tasks; i++) {
		struct ckpt_rec_task task = {
			.tid = tid_of(i / r->threads, i % r->threads),
			.tgid = tid_of(i / r->threads, 0),
			.cgroup = 1,
		};

		/* A thread has what its leader has. */
		if (i % r->threads == 0) {
			task.parent = i ? tid_of(i / r->threads - 1, 0) : 0;
			task.pgid = FIRST_PID;
			task.sid = FIRST_PID;
			task.exit_signal = i ? 17 : 0;
		}
		memcpy(piece->payload + sizeof(tree) + i * sizeof(task), &task, sizeof(task));
	}
}

/* A pid namespace that a user namespace owns, with another one in it; a cgroup. */
static void add_namespaces(struct image *image)
{
	struct ckpt_rec_namespace ns[] = {
		{ .type = CKPT_NS_USER, .flags = CKPT_NSF_SETGROUPS, .uid = 1000, .gid = 100 },
		{ .type = CKPT_NS_PID, .owner = 1, .next_pid = 3 },
		{ .type = CKPT_NS_PID, .parent = 2, .next_pid = 2 },
	};
	struct ckpt_rec_id_map maps[] = {
		{ .ns = 1, .kind = CKPT_ID_UID, .lower = 1000, .count = 1 },
		{ .ns = 1, .kind = CKPT_ID_GID, .first = 5, .lower = 100, .count = 7 },
	};
	struct ckpt_rec_pid pids[] = {
		{ .pid = FIRST_PID, .ns = 2, .nr = 1 },
		{ .pid = 2 * FIRST_PID, .ns = 2, .nr = 2 },
		{ .pid = 2 * FIRST_PID, .ns = 3, .nr = 1 },
	};

	struct {
		struct ckpt_rec_cgroup rec;
		char path[5];
	} __attribute__((packed)) cgroup = { { .path_len = 5 }, "/jobs" };

	image_add(image, CKPT_REC_NAMESPACES, 0, sizeof(ns[0]), ns, sizeof(ns));
	image_add(image, CKPT_REC_ID_MAPS, 0, sizeof(maps[0]), maps, sizeof(maps));
	image_add(image, CKPT_REC_PIDS, 0, sizeof(pids[0]), pids, sizeof(pids));
	image_add(image, CKPT_REC_CGROUP, 0, sizeof(cgroup.rec), &cgroup, sizeof(cgroup));
}

static void add_process(struct image *image, const struct recipe *r, unsigned int n)
{
	struct ckpt_rec_process process = {
		.tgid = tid_of(n, 0),
		.nr_threads = r->threads,
		.oom_score_adj = n & 1 ? -1000 : 1000,
	};
	unsigned int i;

	for (i = 0; i < CKPT_NR_RLIMITS; i++) {
		process.rlimits[i].soft = 1024 * i;
		process.rlimits[i].hard = ~0ULL;
	}
	image_add(image, CKPT_REC_PROCESS, 0, sizeof(process), &process, sizeof(process));
}

static void add_file(struct image *image, u32 tag, const char *path, bool external)
{
	struct ckpt_rec_file file = {
		.kind = external ? CKPT_FILE_EXTERNAL : CKPT_FILE_PATH,
		.flags = CKPT_FILEF_READ | (external ? CKPT_FILEF_WRITE : CKPT_FILEF_EXEC),
		.pos = tag,
		.size = 123456,
		.mtime_ns = -1,
		.ino = 42,
		.mode = 0100755,
		.std_fd = external ? 2 : 0,
		.path_len = strlen(path),
		.build_id_len = external ? 0 : 20,
	};
	struct piece *piece = image_add(image, CKPT_REC_FILE, tag, sizeof(file), &file,
					sizeof(file));

	piece_resize(piece, sizeof(file) + file.path_len);
	memcpy(piece->payload + sizeof(file), path, file.path_len);
}

static void add_mm(struct image *image, const struct recipe *r, u32 tag)
{
	struct ckpt_rec_mm mm = {
		.start_code = CODE,
		.end_code = CODE + PAGE,
		.start_data = CODE + PAGE,
		.end_data = CODE + 2 * PAGE,
		.start_brk = HEAP,
		.brk = HEAP + PAGE,
		.start_stack = STACK_END - 64,
		.mmap_base = STACK_END - (1ULL << 30),
		.vdso = VVAR + 4 * PAGE,
		.vdso_sum = 0x1234,
		.vvar = VVAR,
		.exe = PROGRAM_TAG,
		.nr_vmas = r->vmas + 2,
		.dumpable = 1,
		.coredump_filter = 0x33,
		.nr_auxv = 2,
		.auxv = { 6, PAGE },
	};

	image_add(image, CKPT_REC_MM, tag, sizeof(mm), &mm, sizeof(mm));
}

static void add_vmas(struct image *image, const struct recipe *r)
{
	struct ckpt_rec_vma vma = {
		.start = CODE,
		.end = CODE + PAGE,
		.file = PROGRAM_TAG,
		.prot = CKPT_PROT_READ | CKPT_PROT_EXEC,
	};
	struct piece *piece = image_add(image, CKPT_REC_VMAS, 0, sizeof(vma), &vma,
					sizeof(vma));
	unsigned int i;

	piece_resize(piece, (r->vmas + 2) * sizeof(vma));
	vma.file = 0;
	vma.prot = CKPT_PROT_READ | CKPT_PROT_WRITE;
	for (i = 0; i < r->vmas; i++) {
		vma.start = HEAP + 2 * i * r->extent_pages * PAGE;
		vma.end = vma.start + r->extent_pages * PAGE;
		memcpy(piece->payload + (i + 1) * sizeof(vma), &vma, sizeof(vma));
	}
	vma.start = STACK_END - 4 * PAGE;
	vma.end = STACK_END;
	vma.flags = CKPT_VMA_GROWSDOWN;
	memcpy(piece->payload + (i + 1) * sizeof(vma), &vma, sizeof(vma));
}

static void add_mm_extras(struct image *image)
{
	static const struct ckpt_rec_vma_name names[2] = {
		{ .start = HEAP, .end = HEAP + PAGE, .name = "first name" },
		{ .start = STACK_END - 4 * PAGE, .end = STACK_END, .name = "" },
	};
	static const struct ckpt_rec_vma_policy policies[2] = {
		{ .start = HEAP, .end = HEAP + PAGE, .mode = 2, .node_words = 1, .nodes = { 1 } },
		{ .start = HEAP + PAGE, .end = HEAP + 2 * PAGE, .mode = 4, .home_node = 1 },
	};
	static const u64 ldt[2] = { 0, 0x00c0f30000001234ULL };
	static const struct {
		struct ckpt_rec_aio aio;
		u32 ring[16];
	} aio = {
		{ .addr = 16 * PAGE, .nr_pages = 2, .max_reqs = 4, .id = 1, .tail = 1,
		  .completed = 1, .ring_len = sizeof(aio.ring) },
		{ 1, 126, 0, 1 },
	};

	image_add(image, CKPT_REC_VMA_NAMES, 0, sizeof(names[0]), names, sizeof(names));
	image_add(image, CKPT_REC_VMA_POLICIES, 0, sizeof(policies[0]), policies,
		  sizeof(policies));
	image_add(image, CKPT_REC_LDT, 0, sizeof(ldt[0]), ldt, sizeof(ldt));
	image_add(image, CKPT_REC_AIO, 0, sizeof(aio.aio), &aio, sizeof(aio));
}

static u64 add_extents(struct piece *piece, const struct recipe *r, unsigned int first)
{
	unsigned int i, nr = 0;

	for (i = 0; i < r->record_extents && first + nr < r->pages; i++) {
		struct ckpt_rec_extent extent = {
			.addr = HEAP + 2 * first * PAGE + 2 * i * r->extent_pages * PAGE,
			.nr_pages = r->pages - first - nr,
		};

		if (extent.nr_pages > r->extent_pages)
			extent.nr_pages = r->extent_pages;
		piece_resize(piece, (i + 1) * sizeof(extent));
		memcpy(piece->payload + i * sizeof(extent), &extent, sizeof(extent));
		nr += extent.nr_pages;
	}
	return nr;
}

/* The first two extents again, as if an earlier process had them: its tag is not looked at. */
static void add_shared_pages(struct image *image)
{
	const struct ckpt_rec_shared_pages runs[] = {
		{ .addr = 0x20000, .from = 0x10000, .nr_pages = 2, .mm = 1 },
		{ .addr = 0x30000, .from = 0x20000, .nr_pages = 1, .mm = 1 },
	};

	image_add(image, CKPT_REC_SHARED_PAGES, 0, sizeof(runs[0]), runs, sizeof(runs));
}

static void add_pages(struct image *image, const struct recipe *r, unsigned int n)
{
	unsigned int first = 0;

	add_shared_pages(image);
	while (first < r->pages) {
		struct piece *piece = image_add(image, CKPT_REC_PAGES, 0,
						sizeof(struct ckpt_rec_extent), NULL, 0);
		u64 i, nr = add_extents(piece, r, first);

		piece_resize_data(piece, nr * PAGE);
		for (i = 0; i < nr * PAGE; i++)
			piece->data[i] = (first + n) * 31 + i * 7 + (i >> CKPT_PAGE_SHIFT);
		image_add(image, CKPT_REC_SUMS, 0, sizeof(u64), NULL, 0);
		first += nr;
	}
	image_add(image, CKPT_REC_MM_END, 0, 0, NULL, 0);
}

static void add_fs(struct image *image, u32 tag)
{
	static const char paths[] = "//home/user";
	struct ckpt_rec_fs fs = {
		.umask = 022,
		.root_len = 1,
		.cwd_len = sizeof(paths) - 2,
	};
	struct piece *piece = image_add(image, CKPT_REC_FS, tag, sizeof(fs), &fs, sizeof(fs));

	piece_resize(piece, sizeof(fs) + sizeof(paths) - 1);
	memcpy(piece->payload + sizeof(fs), paths, sizeof(paths) - 1);
}

/* A pseudoterminal with input of both ends, and a file of its slave. */
static void add_pty(struct image *image, u32 tag)
{
	struct {
		struct ckpt_rec_pty pty;
		char bytes[27];
	} record = { { .index = 3, .flags = CKPT_PTY_PACKET, .session = 70, .pgrp = 71,
		       .mode = 0620, .path_len = 9,
		       .ends = { { .read_len = 5, .commit_len = 5, .queue_len = 2 },
				 { .read_len = 3, .canon_len = 3, .echo_len = 5,
				   .echo_commit = 2, .echo_mark = 5 } } },
		     "/dev/ptmxinput\0qqlo\n\4echos" };
	struct {
		struct ckpt_rec_file file;
		char path[10];
	} file = { { .kind = CKPT_FILE_PTY, .flags = CKPT_FILEF_READ, .mode = 020620,
		     .rdev = 136 << 8 | 3, .object = tag, .path_len = 10 }, "/dev/pts/3" };

	image_add(image, CKPT_REC_PTY, tag, sizeof(record.pty), &record, sizeof(record.pty) + 26);
	image_add(image, CKPT_REC_FILE, tag + 1, sizeof(file.file), &file,
		  sizeof(file.file) + 10);
}

static void add_terminal(struct image *image)
{
	struct ckpt_rec_terminal terminal = { .session = 70, .pgrp = 71, .rows = 24, .cols = 80 };

	image_add(image, CKPT_REC_TERMINAL, 0, sizeof(terminal), &terminal, sizeof(terminal));
}

/* A socket with a filter, bound to a path, and in it a message with a descriptor. */
static void add_socket(struct image *image, u32 tag)
{
	struct {
		struct ckpt_rec_socket socket;
		u64 insns[2];
	} record = { { .family = 1, .type = 2, .state = 7, .connected = 1, .mode = 0777,
		       .rcvbuf = 4096, .sndbuf = 8192, .rcvlowat = 1, .peek_off = -1,
		       .incoming_cpu = -1, .nr_insns = 2, .rcvtimeo_ns = -1,
		       .sndtimeo_ns = 5, .pacing_rate = ~0ULL, .stamp_ns = -1,
		       .device = "lo" }, { 1, 2 } };
	struct {
		struct ckpt_rec_file file;
		char path[10];
	} file = { { .kind = CKPT_FILE_SOCKET, .flags = CKPT_FILEF_READ | CKPT_FILEF_WRITE,
		     .mode = 0140777, .object = tag, .path_len = 10 }, "socket:[5]" };
	struct {
		struct ckpt_rec_unix more;
		u32 groups[2];
		char name[5];
		char path[11];
	} more = { { .socket = tag, .peer = tag, .name_len = 5, .path_len = 11, .nr_groups = 2,
		     .flags = CKPT_UNIX_BOUND | CKPT_UNIX_FILE | CKPT_UNIX_PEER_CRED,
		     .peer_pid = 7, .mode = 0755, .ino = 3 }, { 5, 6 }, "name", "/tmp/a/name" };
	struct {
		struct ckpt_rec_unix_msg msg;
		u32 files[1];
		char bytes[12];
	} msg = { { .socket = tag, .sender = tag, .flags = CKPT_MSG_CRED, .len = 12,
		    .truesize = 700, .nr_files = 1, .pid = 7, .gid = CKPT_NO_ID }, { tag + 1 },
		  "under way" };

	image_add(image, CKPT_REC_SOCKET, tag, sizeof(record.socket), &record, sizeof(record));
	image_add(image, CKPT_REC_FILE, tag + 1, sizeof(file.file), &file,
		  sizeof(file.file) + 10);
	image_add(image, CKPT_REC_UNIX, 0, sizeof(more.more), &more,
		  sizeof(more.more) + 24);
	image_add(image, CKPT_REC_UNIX_MSG, 0, sizeof(msg.msg), &msg, sizeof(msg.msg) + 16);
}

/* A connection of which one end is closed, with bytes under way. */
static void add_inet(struct image *image, u32 tag)
{
	struct ckpt_rec_socket socket = {
		.family = 2, .type = 1, .protocol = 6, .state = 1, .connected = 3, .mode = 0777,
		.rcvbuf = 4096, .sndbuf = 8192, .rcvlowat = 1, .peek_off = -1,
		.incoming_cpu = -1, .rcvtimeo_ns = -1, .sndtimeo_ns = -1, .stamp_ns = -1,
	};
	struct {
		struct ckpt_rec_inet more;
		struct ckpt_rec_inet_option options[2];
	} inet = { { .socket = tag, .flags = CKPT_INET_BOUND, .nr_options = 2,
		     .local = { .addr = { 127, 0, 0, 1 }, .port = 80 },
		     .peer = { .addr = { 127, 0, 0, 1 }, .port = 81 },
		     .congestion = "cubic", .syn_ttl = 64 }, { { 6, 1, 1 }, { 0, 2, 64 } } };
	struct {
		struct ckpt_rec_tcp tcp;
		char bytes[10];
	} tcp = { { .flags = CKPT_TCP_WSCALE | CKPT_TCP_SACK,
		    .addr = { inet.more.local, inet.more.peer },
		    .ends = { { .socket = tag, .seq = 5, .unread = 3, .unsent = 2,
				.window = 1000, .mss = 536, .advmss = 1460, .wscale = 7 },
			      { .flags = CKPT_TCP_FIN_SENT, .seq = 7, .unsent = 5,
				.mss = 536, .advmss = 1460, .wscale = 14 } } },
		  "unreadsent" };

	image_add(image, CKPT_REC_SOCKET, tag, sizeof(socket), &socket, sizeof(socket));
	image_add(image, CKPT_REC_INET, 0, sizeof(inet.more), &inet, sizeof(inet));
	image_add(image, CKPT_REC_TCP, tag + 1, sizeof(tcp.tcp), &tcp, sizeof(tcp.tcp) + 10);
}

static void add_pipe(struct image *image, u32 tag, u32 file_tag)
{
	static const char data[] = "in the pipe";
	struct ckpt_rec_pipe pipe = { .capacity = 65536, .data_len = sizeof(data) };
	struct ckpt_rec_file file = {
		.kind = CKPT_FILE_PIPE,
		.flags = CKPT_FILEF_READ,
		.mode = 010600,
		.object = tag,
	};
	struct piece *piece = image_add(image, CKPT_REC_PIPE, tag, sizeof(pipe), &pipe,
					sizeof(pipe));

	piece_resize(piece, sizeof(pipe) + sizeof(data));
	memcpy(piece->payload + sizeof(pipe), data, sizeof(data));
	image_add(image, CKPT_REC_FILE, file_tag, sizeof(file), &file, sizeof(file));
}

/* A timerfd, two files in an epoll instance, and a watch with an event. */
static void add_events(struct image *image, u32 tag)
{
	struct ckpt_rec_event event = {
		.kind = CKPT_FILE_TIMERFD, .flags = CKPT_EVENT_ARMED, .value = 2,
		.clock = 1, .expires_ns = -5, .interval_ns = 1000,
	};
	struct ckpt_rec_epoll_item items[2] = {
		{ .fd = 3, .file = tag, .events = 1, .flags = CKPT_EPOLL_READY, .data = 7 },
		{ .fd = 3, .file = tag, .events = 1U << 31 | 1, .flags = CKPT_EPOLL_REPORTED },
	};
	struct {
		struct ckpt_rec_inotify head;
		struct ckpt_rec_notify watch;
		char path[8];
		struct ckpt_rec_notify notice;
		char name[8];
	} inotify = {
		.head = { .next_wd = 4, .nr_watches = 1, .nr_events = 1 },
		.watch = { .wd = 3, .mask = 2, .mode = 0040000, .name_len = 4 }, .path = "/tmp",
		.notice = { .wd = 3, .mask = 2, .cookie = 9, .name_len = 8 },
		.name = { 'a', ' ', 'n', 'a', 'm', 'e', ' ', '!' },
	};

	image_add(image, CKPT_REC_EVENT, tag, sizeof(event), &event, sizeof(event));
	image_add(image, CKPT_REC_EPOLL, tag + 1, sizeof(items[0]), items, sizeof(items));
	image_add(image, CKPT_REC_INOTIFY, tag + 2, sizeof(inotify.head), &inotify,
		  sizeof(inotify));
}

/* Memory without a name, with a piece of its content. */
static void add_shmem(struct image *image, u32 tag)
{
	struct {
		struct ckpt_rec_shmem shmem;
		char name[8];
	} memory = { { .size = PAGE, .seals = 1, .mode = 0100600, .mtime_ns = -5,
		       .flags = CKPT_SHMEM_PRIVATE, .name_len = 8 }, "dev/zero" };
	struct {
		struct ckpt_rec_shmem_data data;
		char bytes[16];
	} data = { { .offset = 512, .shmem = tag, .len = 16 }, "some bytes" };

	static const struct ckpt_rec_sysv_shm segment = {
		.size = PAGE, .id = 5, .key = 0x1234, .mode = 0600, .creator = 7,
		.huge_shift = 21,
	};
	static const struct ckpt_rec_huge_region regions[] = {
		{ .start = 0, .end = 1 }, { .start = 2, .end = 4 },
	};
	struct {
		struct ckpt_rec_hugetlb huge;
		char name[8];
	} huge = { { .size = 8 << 20, .page_shift = 21, .mode = 0100777, .seals = 1,
		     .name_len = 4 }, "huge" };
	struct ckpt_rec_memory about = { .memory = tag };
	struct ckpt_rec_extent extent = { .addr = PAGE, .nr_pages = 1 };
	struct piece *piece;

	image_add(image, CKPT_REC_SYSV_SHM, tag + 1, sizeof(segment), &segment, sizeof(segment));
	image_add(image, CKPT_REC_SHMEM, tag, sizeof(memory.shmem), &memory, sizeof(memory));
	image_add(image, CKPT_REC_SHMEM_DATA, 0, sizeof(data.data), &data, sizeof(data));
	image_add(image, CKPT_REC_MEMORY, 0, sizeof(about), &about, sizeof(about));
	piece = image_add(image, CKPT_REC_PAGES, 0, sizeof(extent), &extent, sizeof(extent));
	piece_resize_data(piece, PAGE);
	image_add(image, CKPT_REC_SUMS, 0, sizeof(u64), NULL, 0);
	image_add(image, CKPT_REC_HUGETLB, tag + 2, sizeof(huge.huge), &huge,
		  sizeof(huge.huge) + 4);
	about.memory = tag + 2;
	image_add(image, CKPT_REC_MEMORY, 0, sizeof(about), &about, sizeof(about));
	image_add(image, CKPT_REC_HUGE_REGIONS, 0, sizeof(regions[0]), regions, sizeof(regions));
}

/* A file without a name, its content, locks, and who gets its signals. */
static void add_unlinked(struct image *image, u32 tag, u32 file)
{
	struct {
		struct ckpt_rec_unlinked unlinked;
		char path[6];
	} gone = { { .size = 2 * PAGE, .mode = 0100640, .flags = CKPT_UNLINKED_LINKABLE,
		     .dir_len = 4 }, "/tmp/x" };
	struct {
		struct ckpt_rec_shmem_data data;
		char bytes[8];
	} data = { { .offset = PAGE, .shmem = tag, .len = 8 }, "content" };
	const struct ckpt_rec_lock locks[] = {
		{ .start = 10, .end = 20, .file = file, .kind = CKPT_LOCK_POSIX },
		{ .end = 1, .file = file, .kind = CKPT_LOCK_OFD, .write = 1 },
		{ .file = file, .kind = CKPT_LOCK_FLOCK, .tgid = FIRST_PID },
		{ .file = file, .kind = CKPT_LOCK_LEASE, .fd = 3 },
	};
	const struct ckpt_rec_file_state state = {
		.file = file,
		.flags = CKPT_FSTATE_OWNER | CKPT_FSTATE_ASYNC,
		.owner_type = CKPT_OWNER_TGID,
		.owner = FIRST_PID,
		.signo = 34,
		.async_fd = 3,
	};

	image_add(image, CKPT_REC_UNLINKED, tag, sizeof(gone.unlinked), &gone,
		  sizeof(gone.unlinked) + 6);
	image_add(image, CKPT_REC_SHMEM_DATA, 0, sizeof(data.data), &data, sizeof(data));
	image_add(image, CKPT_REC_LOCKS, 0, sizeof(locks[0]), locks, sizeof(locks));
	image_add(image, CKPT_REC_FILE_STATE, 0, sizeof(state), &state, sizeof(state));
}

static void add_fds(struct image *image, const struct recipe *r, u32 tag)
{
	unsigned int i, nr = r->files + r->pipes;
	struct ckpt_rec_fd fd = {};
	struct piece *piece;
	char path[32];

	for (i = 0; i < r->files; i++) {
		snprintf(path, sizeof(path), "/tmp/file %u", i);
		add_file(image, tag + i, path, !i);
	}
	for (; i < nr; i++)
		add_pipe(image, tag + nr + i, tag + i);
	piece = image_add(image, CKPT_REC_FDS, tag + FDS_TAG, sizeof(fd), NULL, 0);
	piece_resize(piece, nr * sizeof(fd));
	for (i = 0; i < nr; i++) {
		fd.fd = 3 * i;
		fd.file = tag + i;
		fd.flags = i & 1 ? CKPT_FD_CLOEXEC : 0;
		memcpy(piece->payload + i * sizeof(fd), &fd, sizeof(fd));
	}
}

/* For readers of records only: this process has one of its own, too. */
static void add_use(struct image *image, u32 type, u32 tag)
{
	struct ckpt_rec_use use = { .type = type, .tag = tag };

	image_add(image, CKPT_REC_USE, 0, sizeof(use), &use, sizeof(use));
}

static void add_sighand(struct image *image, u32 tag)
{
	struct ckpt_rec_sigaction actions[64] = {};

	actions[1].handler = CODE + 16;
	actions[1].flags = 0x04000000;
	actions[1].restorer = CODE + 32;
	actions[12].handler = 1;
	image_add(image, CKPT_REC_SIGHAND, tag, sizeof(actions[0]), actions, sizeof(actions));
}

static void add_sigpending(struct image *image, const struct recipe *r)
{
	struct ckpt_rec_siginfo siginfo = { .shared = 1, .has_info = 1 };
	struct piece *piece = image_add(image, CKPT_REC_SIGPENDING, 0, sizeof(siginfo),
					NULL, 0);
	unsigned int i;

	piece_resize(piece, r->signals * sizeof(siginfo));
	for (i = 0; i < r->signals; i++) {
		siginfo.signo = 1 + i % 64;
		siginfo.info[0] = siginfo.signo;
		memcpy(piece->payload + i * sizeof(siginfo), &siginfo, sizeof(siginfo));
	}
}

static void add_cred(struct image *image, const struct recipe *r)
{
	struct ckpt_rec_cred cred = {
		.uid = 1000, .euid = 1000, .suid = 1000, .fsuid = 1000,
		.gid = 1000, .egid = 1000, .sgid = 1000, .fsgid = 1000,
		.flags = 1,
		.nr_groups = r->groups,
		.cap_bset = ~0ULL,
	};
	struct piece *piece = image_add(image, CKPT_REC_CRED, 0, sizeof(cred), &cred,
					sizeof(cred));
	unsigned int i;

	piece_resize(piece, sizeof(cred) + r->groups * sizeof(u32));
	for (i = 0; i < r->groups; i++)
		memcpy(piece->payload + sizeof(cred) + i * sizeof(u32), &i, sizeof(u32));
}

static void add_regset(struct image *image, const struct recipe *r, u32 note_type)
{
	struct ckpt_rec_regset regset = {
		.note_type = note_type,
		.data_len = r->regset,
	};
	struct piece *piece = image_add(image, CKPT_REC_REGSET, 0, sizeof(regset), &regset,
					sizeof(regset));
	unsigned int i;

	piece_resize(piece, sizeof(regset) + r->regset);
	for (i = 0; i < r->regset; i++)
		piece->payload[sizeof(regset) + i] = i * 3 + note_type;
}

static void add_seccomp(struct image *image, u32 tag, u32 prev)
{
	static const u64 insns[2] = { 0x20, 0x7fff000000000006ULL };
	struct ckpt_rec_seccomp filter = {
		.prev = prev,
		.flags = CKPT_SECCOMP_LOG,
		.nr_insns = 2,
	};
	struct piece *piece = image_add(image, CKPT_REC_SECCOMP, tag, sizeof(filter), &filter,
					sizeof(filter));

	piece_resize(piece, sizeof(filter) + sizeof(insns));
	memcpy(piece->payload + sizeof(filter), insns, sizeof(insns));
}

/* The filters are those of the first thread of the process. */
static void add_attrs(struct image *image, u32 tag)
{
	static const struct ckpt_rec_io_ports ports[2] = { { 0x80, 1 }, { 0xfff0, 16 } };
	struct ckpt_rec_attrs attrs = {
		.flags = CKPT_ATTR_DISPATCH | CKPT_ATTR_UCLAMP_MIN | CKPT_ATTR_UCLAMP_MAX,
		.seccomp_mode = 2,
		.seccomp = tag,
		.ioprio = 2 << 13 | 7,
		.dispatch_selector = HEAP,
		.uclamp_min = 1,
		.uclamp_max = 1024,
		.default_slack_ns = 50000,
		.mempolicy = 2,
		.node_words = 1,
		.nodes = { 1 },
	};

	image_add(image, CKPT_REC_ATTRS, 0, sizeof(attrs), &attrs, sizeof(attrs));
	image_add(image, CKPT_REC_IO_PORTS, 0, sizeof(ports[0]), ports, sizeof(ports));
}

static void add_thread_usage(struct image *image)
{
	struct ckpt_rec_thread_usage usage = {
		.own = { .utime_ns = 5000000, .runtime_ns = 6000000, .nvcsw = 3 },
		.age_ns = 1000000000,
		.boot_age_ns = 2000000000,
		.rss_integral = ~0ULL,
	};

	image_add(image, CKPT_REC_THREAD_USAGE, 0, sizeof(usage), &usage, sizeof(usage));
}

static void add_usage(struct image *image)
{
	struct ckpt_rec_usage usage = { .dead.utime_ns = 7, .maxrss_kb = 1234 };

	image_add(image, CKPT_REC_USAGE, 0, sizeof(usage), &usage, sizeof(usage));
}

/* Interval timers; one that notifies a thread and waits; one of a CPU clock. */
static void add_timers(struct image *image, unsigned int n)
{
	struct ckpt_rec_timers timers = {
		.flags = CKPT_TIMERS_REAL_ARMED,
		.next_posix_id = 8,
		.real_left_ns = -1,
		.real_interval_ns = 1000,
		.prof_expires_ns = 1,
	};
	struct ckpt_rec_posix_timer posix[2] = {
		{ .id = 0, .clock = 1, .notify = 4, .signo = 34, .notify_tid = tid_of(n, 0),
		  .flags = CKPT_TIMER_ACTIVE, .expires_ns = 5, .overrun = -1 },
		{ .id = 7, .clock = CKPT_CLOCK_CPU | CKPT_CLOCK_THREAD | 2,
		  .clock_tid = tid_of(n, 0), .notify = 1, .flags = CKPT_TIMER_ABSOLUTE },
	};

	image_add(image, CKPT_REC_TIMERS, 0, sizeof(timers), &timers, sizeof(timers));
	image_add(image, CKPT_REC_POSIX_TIMERS, 0, sizeof(posix[0]), posix, sizeof(posix));
}

static void add_thread(struct image *image, const struct recipe *r, u32 tid, u32 tag, bool first)
{
	struct ckpt_rec_thread thread = {
		.tid = tid,
		.comm = "a program",
		.blocked = 1ULL << 33,
		.sas_flags = 2,
		.clear_child_tid = HEAP,
		.nice = -20,
		.timer_slack_ns = 50000,
		.affinity_words = 16,
		.restart_kind = CKPT_RESTART_TIMED,
		.restart_args = { 232, 1, 2, 3, 4, 5, 6 },
		.restart_remaining_ns = 1000000,
		.affinity = { 3 },
	};

	image_add(image, CKPT_REC_THREAD, 0, sizeof(thread), &thread, sizeof(thread));
	add_cred(image, r);
	add_sigpending(image, r);
	add_regset(image, r, 1);
	add_regset(image, r, 0x202);
	if (first) {
		add_seccomp(image, tag, 0);
		add_seccomp(image, tag + 1, tag);
	}
	add_attrs(image, tag + 1);
	add_thread_usage(image);
	image_add(image, CKPT_REC_THREAD_END, 0, 0, NULL, 0);
}

static void add_one_process(struct image *image, const struct recipe *r, unsigned int n)
{
	u32 tag = BASE_TAG * (n + 1);
	unsigned int i;

	add_process(image, r, n);
	if (!n)
		add_terminal(image);
	if (!n)
		add_file(image, PROGRAM_TAG, "/usr/bin/program", false);
	add_mm(image, r, tag);
	add_vmas(image, r);
	add_mm_extras(image);
	add_pages(image, r, n);
	add_shmem(image, tag + SHMEM_TAG);
	add_events(image, tag + EVENTS_TAG);
	add_unlinked(image, tag + UNLINKED_TAG, tag);
	add_fds(image, r, tag + 1);
	add_pty(image, tag + PTY_TAG);
	add_socket(image, tag + SOCKET_TAG);
	add_inet(image, tag + INET_TAG);
	build_io_uring(image, tag + IO_URING_TAG, PROGRAM_TAG);
	build_io_rings(image, PROGRAM_TAG);
	add_fs(image, tag + FS_TAG);
	add_sighand(image, tag + SIGHAND_TAG);
	if (n)
		add_use(image, CKPT_REC_FS, BASE_TAG + FS_TAG);
	add_usage(image);
	add_timers(image, n);
	for (i = 0; i < r->threads; i++)
		add_thread(image, r, tid_of(n, i), tag + BASE_TAG / 2, !i);
	image_add(image, CKPT_REC_PROCESS_END, 0, 0, NULL, 0);
}

/* A complete, valid image; image_clear() gives the memory back. */
void image_build(struct image *image, const struct recipe *recipe)
{
	unsigned int i;

	memset(image, 0, sizeof(*image));
	add_header(image);
	add_tree(image, recipe);
	add_namespaces(image);
	for (i = 0; i < recipe->processes; i++)
		add_one_process(image, recipe, i);
	image_add(image, CKPT_REC_INDEX, 0, sizeof(struct ckpt_rec_index_entry), NULL, 0);
	image_find(image, CKPT_REC_INDEX, 0)->head.flags = CKPT_RECF_SKIPPABLE;
	image_add(image, CKPT_REC_TRAILER, 0, sizeof(struct ckpt_rec_trailer), NULL, 0);
	image_fix(image);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a small synthetic image to standard output: gen_image VARIANT, or
 * names the variants: gen_image --list. Always the same bytes, so that it can
 * feed tests and fuzzers.
 */
#define XXH_INLINE_ALL
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <linux/checkpoint_image.h>

#define PAGE	4096
#define ROOM	(1 << 20)

enum {
	WITH_PAGES	= 1 << 0,
	WITH_THREADS	= 1 << 1,
	WITH_SIGNALS	= 1 << 2,
	WITH_CHILD	= 1 << 3,
	WITH_UNKNOWN	= 1 << 4,	/* a skippable record of a later format */
	WITH_REFUSED	= 1 << 5,	/* one that may not be skipped */
	WITH_LONGER	= 1 << 6,	/* a struct with a new member, zero */
	WITH_NEWER	= 1 << 7,	/* a struct with a new member in use */
	WITH_NO_END	= 1 << 8,	/* no trailer */
	WITH_TRAILING	= 1 << 9,	/* bytes behind the trailer */
	WITH_NO_INDEX	= 1 << 10,
	WITH_BAD_ORDER	= 1 << 11,
	WITH_BAD_TAG	= 1 << 12,
	WITH_BAD_TOTAL	= 1 << 13,
	WITH_NAMES	= 1 << 14,	/* names that are hard to print */
	WITH_PACKED	= 1 << 15,	/* records without their zero bytes */
	WITH_BAD_PACKED	= 1 << 16,	/* one that says it was longer */
	WITH_PIPE	= 1 << 17,
	WITH_EVENTS	= 1 << 29,
};

static unsigned char image[ROOM];
static size_t length;
static uint64_t nr_records, nr_pages;
static struct ckpt_rec_index_entry index_entries[64];
static size_t nr_index;
static unsigned int with;

static struct ckpt_rec_header header = {
	.magic = CKPT_IMAGE_MAGIC,
	.version = CKPT_IMAGE_VERSION,
	.byte_order = CKPT_IMAGE_BYTE_ORDER,
	.arch = CKPT_IMAGE_ARCH_X86_64,
	.page_size = PAGE,
	.time_ns = 1700000000123456789ULL,
	.image_id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	.cpu_features = 7,
	.release = "6.12.0-test",
	.version_text = "#1 SMP",
	.machine = "x86_64",
};

static void put(const void *data, size_t size)
{
	if (size > ROOM - length)
		abort();
	if (size)
		memcpy(image + length, data, size);
	length += size;
}

/* Packs what was put behind @start, the payload of a record. */
static uint64_t pack(size_t start)
{
	struct ckpt_rec_packed packed = { .length = length - start };
	static unsigned char from[ROOM];
	size_t i = 0, k, size = (length - start + 7) & ~7UL;

	memset(from, 0, size);
	memcpy(from, image + start, packed.length);
	memset(image + start, 0, packed.length);
	if (with & WITH_BAD_PACKED)
		packed.length++;
	length = start;
	put(&packed, sizeof(packed));
	while (i < size) {
		size_t mask_at = length++;
		unsigned char more = 0;

		image[mask_at] = 0;
		for (k = 0; k < 8; k++, i++) {
			if (!from[i])
				continue;
			image[mask_at] |= (unsigned char)(1 << k);
			put(&from[i], 1);
		}
		if (image[mask_at])
			continue;
		while (more < 255 && i < size && !memcmp(from + i, "\0\0\0\0\0\0\0", 8)) {
			more++;
			i += 8;
		}
		put(&more, 1);
	}
	return length - start;
}

static bool may_pack(uint32_t type, size_t size)
{
	return with & WITH_PACKED && size && type != CKPT_REC_HEADER &&
	       type != CKPT_REC_PAGES && type != CKPT_REC_TRAILER;
}

static void record_flags(uint32_t type, uint32_t flags, uint32_t tag, uint32_t unit,
			 const void *data, size_t size, const void *tail, size_t tail_size)
{
	struct ckpt_rec head = {
		.type = type, .flags = flags, .tag = tag, .unit = unit,
		.length = size + tail_size,
	};
	size_t start = length;

	if (type == CKPT_REC_PROCESS || type == CKPT_REC_MM || type == CKPT_REC_PAGES)
		index_entries[nr_index++] = (struct ckpt_rec_index_entry){
			.offset = start, .type = type, .tag = tag,
		};
	put(&head, sizeof(head));
	put(data, size);
	put(tail, tail_size);
	if (may_pack(type, size)) {
		head.flags |= CKPT_RECF_PACKED;
		head.length = pack(start + sizeof(head));
		memcpy(image + start, &head, sizeof(head));
	}
	length = (length + 7) & ~7UL;
	head.sum = XXH64(image + start, length - start, 0);
	memcpy(image + start, &head, sizeof(head));
	nr_records++;
}

#define record(type, tag, data)	\
	record_flags(type, 0, tag, sizeof(data), &(data), sizeof(data), NULL, 0)
#define record_tail(type, tag, data, tail, tail_size) \
	record_flags(type, 0, tag, sizeof(data), &(data), sizeof(data), tail, tail_size)
#define record_array(type, flags, array, count) \
	record_flags(type, flags, 0, sizeof(*(array)), array, (count) * sizeof(*(array)), NULL, 0)
#define record_array_tag(type, tag, array, count) \
	record_flags(type, 0, tag, sizeof(*(array)), array, (count) * sizeof(*(array)), NULL, 0)
#define record_empty(type)	record_flags(type, 0, 0, 0, NULL, 0, NULL, 0)

static void put_file(uint32_t tag, const char *path, uint32_t kind, uint32_t flags, uint32_t std_fd)
{
	struct ckpt_rec_file file = {
		.kind = kind, .flags = flags, .pos = 42, .size = 1234, .ino = tag, .mode = 0100644,
		.std_fd = std_fd, .path_len = (uint32_t)strlen(path),
	};

	record_tail(CKPT_REC_FILE, tag, file, path, strlen(path));
}

/* A pipe, and the file of its one end that the process has. */
static void put_pipe(uint32_t tag)
{
	struct ckpt_rec_pipe pipe = { .capacity = 65536, .data_len = 5 };
	struct ckpt_rec_file file = {
		.kind = CKPT_FILE_PIPE, .flags = CKPT_FILEF_READ, .mode = 0010600,
		.object = with & WITH_BAD_TAG ? tag + 100 : tag,
	};

	record_tail(CKPT_REC_PIPE, tag, pipe, "bytes", 5);
	record(CKPT_REC_FILE, tag + 1, file);
}

/* An eventfd, and an epoll instance that watches it. */
static void put_events(uint32_t tag)
{
	struct ckpt_rec_event event = { .kind = CKPT_FILE_EVENTFD, .value = 5 };
	struct ckpt_rec_epoll_item item = {
		.fd = 3, .file = with & WITH_BAD_TAG ? tag + 100 : tag + 1, .events = 1,
	};
	struct ckpt_rec_file file = {
		.kind = CKPT_FILE_EVENTFD, .flags = CKPT_FILEF_READ, .object = tag,
	};

	record(CKPT_REC_EVENT, tag, event);
	record(CKPT_REC_FILE, tag + 1, file);
	record_array_tag(CKPT_REC_EPOLL, tag + 2, &item, 1);
	file.kind = CKPT_FILE_EPOLL;
	file.object = tag + 2;
	record(CKPT_REC_FILE, tag + 3, file);
}

static void put_pages(uint64_t addr, uint64_t pages)
{
	struct ckpt_rec_extent extent = { .addr = addr, .nr_pages = pages };
	uint64_t sums[8];
	size_t start, i, nr_sums = 0;

	record_array(CKPT_REC_PAGES, 0, &extent, 1);
	length = (length + PAGE - 1) & ~(size_t)(PAGE - 1);
	start = length;
	for (i = 0; i < pages; i++) {
		memset(image + length, (int)(nr_pages + i + 1), PAGE);
		length += PAGE;
	}
	nr_pages += pages;
	for (i = 0; i < pages; i += CKPT_CHUNK_PAGES, nr_sums++) {
		uint64_t n = pages - i < CKPT_CHUNK_PAGES ? pages - i : CKPT_CHUNK_PAGES;

		sums[nr_sums] = XXH64(image + start + i * PAGE, n * PAGE, 0);
	}
	record_array(CKPT_REC_SUMS, 0, sums, nr_sums);
}

static void put_mm(uint32_t tag, uint32_t exe)
{
	const struct ckpt_rec_vma vmas[] = {
		{ .start = 0x400000, .end = 0x401000, .file = exe,
		  .prot = CKPT_PROT_READ | CKPT_PROT_EXEC },
		{ .start = 0x600000, .end = 0x602000,
		  .prot = CKPT_PROT_READ | CKPT_PROT_WRITE },
		{ .start = 0x7ffff000, .end = 0x80000000, .flags = CKPT_VMA_GROWSDOWN,
		  .prot = CKPT_PROT_READ | CKPT_PROT_WRITE },
	};
	struct ckpt_rec_mm mm = {
		.start_code = 0x400000, .end_code = 0x401000, .start_brk = 0x600000,
		.brk = 0x602000, .start_stack = 0x7ffff800, .exe = exe,
		.nr_vmas = 3, .dumpable = 1,
	};

	if (with & WITH_BAD_TAG && !(with & (WITH_PIPE | WITH_EVENTS)))
		mm.exe = 999;
	record(CKPT_REC_MM, tag, mm);
	record_array(CKPT_REC_VMAS, 0, vmas, 3);
	if (with & WITH_PAGES) {
		put_pages(0x601000, 1);
		put_pages(0x7ffff000, 1);
	}
	record_empty(CKPT_REC_MM_END);
}

static void put_signals(uint32_t shared)
{
	struct ckpt_rec_siginfo info = { .shared = shared, .signo = 10, .has_info = 1 };

	if (with & WITH_SIGNALS)
		record_array(CKPT_REC_SIGPENDING, 0, &info, 1);
}

static void put_thread(uint32_t tid, bool leader)
{
	struct ckpt_rec_thread thread = { .tid = tid, .comm = "test" };
	const uint32_t groups[] = { 4, 1000 };
	struct ckpt_rec_cred cred = { .uid = 1000, .euid = 1000, .nr_groups = 2 };
	struct ckpt_rec_regset regset = { .note_type = 1, .data_len = 27 };
	struct ckpt_rec_attrs attrs = { .default_slack_ns = 50000 };
	char registers[27] = "registers";

	if (with & WITH_NAMES)
		memcpy(thread.comm, "a\"\\\x1b[1m\xff\n", 10);
	record(CKPT_REC_THREAD, 0, thread);
	record_tail(CKPT_REC_CRED, 0, cred, groups, sizeof(groups));
	put_signals(leader);
	record_tail(CKPT_REC_REGSET, 0, regset, registers, sizeof(registers));
	record(CKPT_REC_ATTRS, 0, attrs);
	record_empty(CKPT_REC_THREAD_END);
}

static void put_process(uint32_t tgid, uint32_t tag)
{
	struct ckpt_rec_process process = { .tgid = tgid, .nr_threads = 1 };
	static struct ckpt_rec_sigaction actions[64];
	static const char paths[] = "//home/user";
	struct ckpt_rec_fs fs = { .umask = 022, .root_len = 1, .cwd_len = 10 };
	struct ckpt_rec_fd fds[4] = {
		{ .fd = 0 }, { .fd = 1 }, { .fd = 5, .flags = CKPT_FD_CLOEXEC }, { .fd = 6 },
	};

	if (with & WITH_THREADS)
		process.nr_threads = 2;
	record(CKPT_REC_PROCESS, 0, process);
	put_file(tag, "/usr/bin/test", CKPT_FILE_PATH, CKPT_FILEF_READ | CKPT_FILEF_EXEC, 0);
	put_mm(tag + 1, tag);
	record_tail(CKPT_REC_FS, tag + 30, fs, paths, 11);
	put_file(tag + 2, "tty:/dev/pts/0", CKPT_FILE_EXTERNAL,
		 CKPT_FILEF_READ | CKPT_FILEF_WRITE, 0);
	put_file(tag + 3, with & WITH_NAMES ? "/tmp/\x1b[31m\xe2\x82\xac\xff\"\n" : "/tmp/out",
		 CKPT_FILE_PATH, CKPT_FILEF_WRITE | CKPT_FILEF_APPEND, 0);
	fds[0].file = tag + 2;
	fds[1].file = tag + 2;
	fds[2].file = tag + 3;
	put_file(tag + 6, "pipe:[77]", CKPT_FILE_EXTERNAL, CKPT_FILEF_WRITE, CKPT_NO_STREAM);
	fds[3].file = tag + 6;
	if (with & WITH_PIPE) {
		put_pipe(tag + 4);
		fds[1].file = tag + 5;
	}
	if (with & WITH_EVENTS) {
		put_events(tag + 10);
		fds[2].file = tag + 13;
	}
	record_array_tag(CKPT_REC_FDS, tag + 31, fds, 4);
	record_array_tag(CKPT_REC_SIGHAND, tag + 32, actions, 64);
	put_thread(tgid, true);
	if (with & WITH_THREADS)
		put_thread(tgid + 1, false);
	record_empty(CKPT_REC_PROCESS_END);
}

static void put_tree(void)
{
	struct ckpt_rec_task tasks[4] = { };
	struct ckpt_rec_tree tree = { };
	uint32_t tgid, threads = with & WITH_THREADS ? 2 : 1, i;

	for (tgid = 71; tgid < (with & WITH_CHILD ? 92 : 72); tgid += 20) {
		tree.nr_processes++;
		for (i = 0; i < threads; i++)
			tasks[tree.nr_tasks++] = (struct ckpt_rec_task){
				.tid = tgid + i, .tgid = tgid, .parent = i || tgid == 71 ? 0 : 71,
			};
	}
	record_tail(CKPT_REC_TREE, 0, tree, tasks, tree.nr_tasks * sizeof(tasks[0]));
}

static void put_header(void)
{
	struct {
		struct ckpt_rec_header header;
		uint64_t later;
	} longer = { header, with & WITH_NEWER ? 1 : 0 };

	if (with & (WITH_LONGER | WITH_NEWER))
		record(CKPT_REC_HEADER, 0, longer);
	else
		record(CKPT_REC_HEADER, 0, header);
}

static void put_trailer(void)
{
	struct ckpt_rec_trailer trailer = { };

	if (!(with & WITH_NO_INDEX)) {
		trailer.index_offset = length;
		record_array(CKPT_REC_INDEX, CKPT_RECF_SKIPPABLE, index_entries, nr_index);
	}
	memcpy(trailer.image_id, header.image_id, sizeof(trailer.image_id));
	trailer.nr_records = nr_records + 1;
	trailer.nr_pages = nr_pages + (with & WITH_BAD_TOTAL ? 1 : 0);
	trailer.length = length + sizeof(struct ckpt_rec) + sizeof(trailer);
	record(CKPT_REC_TRAILER, 0, trailer);
}

static const struct {
	const char *name;
	unsigned int with;
} variants[] = {
	{ "minimal", 0 },
	{ "typical", WITH_PAGES | WITH_THREADS | WITH_SIGNALS },
	{ "tree", WITH_PAGES | WITH_CHILD },
	{ "no-index", WITH_PAGES | WITH_NO_INDEX },
	{ "names", WITH_NAMES },
	{ "packed", WITH_PAGES | WITH_THREADS | WITH_SIGNALS | WITH_PACKED | WITH_PIPE },
	{ "pipe", WITH_PIPE },
	{ "events", WITH_EVENTS },
	{ "unknown", WITH_UNKNOWN },
	{ "longer", WITH_LONGER },
	{ "bad-newer", WITH_NEWER },
	{ "bad-unknown", WITH_REFUSED },
	{ "bad-no-end", WITH_NO_END },
	{ "bad-trailing", WITH_TRAILING },
	{ "bad-order", WITH_BAD_ORDER },
	{ "bad-tag", WITH_BAD_TAG },
	{ "bad-total", WITH_BAD_TOTAL },
	{ "bad-packed", WITH_PACKED | WITH_BAD_PACKED },
	{ "bad-pipe", WITH_PIPE | WITH_BAD_TAG },
	{ "bad-events", WITH_EVENTS | WITH_BAD_TAG },
	{ "other-arch", 0 },
	{ "other-version", 0 },
	{ "other-feature", 0 },
	{ "other-byte-order", 0 },
};

static void generate(const char *name)
{
	if (!strcmp(name, "other-arch"))
		header.arch = 183;
	if (!strcmp(name, "other-version"))
		header.version = 2;
	if (!strcmp(name, "other-feature"))
		header.need_features = 1;
	put_header();
	put_tree();
	if (with & (WITH_UNKNOWN | WITH_REFUSED))
		record_flags(1000, with & WITH_UNKNOWN ? CKPT_RECF_SKIPPABLE : 0, 0, 0,
			     "later", 5, NULL, 0);
	if (with & WITH_BAD_ORDER)
		record_empty(CKPT_REC_MM_END);
	put_process(71, 1);
	if (with & WITH_CHILD)
		put_process(91, 11);
	if (!(with & WITH_NO_END))
		put_trailer();
	if (with & WITH_TRAILING)
		put("x", 1);
	/* Enough of a big-endian image to see what it is. */
	if (!strcmp(name, "other-byte-order"))
		*(uint32_t *)image = __builtin_bswap32(*(uint32_t *)image);
}

int main(int argc, char **argv)
{
	size_t i, n = sizeof(variants) / sizeof(variants[0]);

	for (i = 0; argc == 2 && i < n; i++) {
		if (!strcmp(argv[1], "--list"))
			puts(variants[i].name);
		if (strcmp(argv[1], variants[i].name))
			continue;
		with = variants[i].with;
		generate(argv[1]);
		return fwrite(image, 1, length, stdout) != length || fflush(stdout);
	}
	if (argc == 2 && !strcmp(argv[1], "--list"))
		return 0;
	fprintf(stderr, "usage: gen_image VARIANT | --list\n");
	return 2;
}

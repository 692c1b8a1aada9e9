// SPDX-License-Identifier: GPL-2.0-only
/*
 * The content of every record type: one member at a time is changed in a valid
 * image, to the last value that is fine or to the first that is not.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../../checkpoint/limits.h"
#include "unit.h"
#include "unit_changes.h"

static const struct recipe recipe = {
	.processes = 3, .threads = 2, .pages = 2, .extent_pages = 1, .record_extents = 2,
	.vmas = 2, .files = 2, .pipes = 1, .groups = 1, .signals = 2, .regset = 27 * 8,
};

static bool as_expected(const struct change *change)
{
	size_t offset = (char *)change->at - (char *)bases[change->type];
	struct image image;
	struct piece *piece;
	bool ok;

	image_build(&image, &recipe);
	piece = image_find(&image, change->type, 0);
	memcpy(piece->payload + offset, &change->value, change->size);
	if (change->error)
		ok = expect_refused(&image, change->error);
	else
		ok = EXPECT_EQ(walk_pieces(&image), 0);
	image_clear(&image);
	return ok;
}

static void changes_of_type(const void *arg)
{
	const u32 *type = arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(changes); i++)
		if (changes[i].type == *type && !as_expected(&changes[i]))
			note("with %s", changes[i].text);
}

/* Changes the first record of a type and expects it to be refused. */
static void refuse_bytes(u32 type, u64 offset, const char *bytes, size_t len)
{
	struct image image;
	struct piece *piece;

	image_build(&image, &recipe);
	piece = image_find(&image, type, 0);
	if (EXPECT(offset + len <= piece->payload_len))
		memcpy(piece->payload + offset, bytes, len);
	expect_refused(&image, -EBADMSG);
	image_clear(&image);
}

static void strings(const void *arg)
{
	char text[CKPT_VMA_NAME_LEN];

	(void)arg;
	memset(text, 'x', sizeof(text));
	refuse_bytes(CKPT_REC_HEADER, offsetof(struct ckpt_rec_header, release), text, 65);
	refuse_bytes(CKPT_REC_HEADER, offsetof(struct ckpt_rec_header, version_text), text, 65);
	refuse_bytes(CKPT_REC_HEADER, offsetof(struct ckpt_rec_header, machine), text, 65);
	refuse_bytes(CKPT_REC_THREAD, offsetof(struct ckpt_rec_thread, comm), text, 16);
	refuse_bytes(CKPT_REC_VMA_NAMES, offsetof(struct ckpt_rec_vma_name, name), text,
		     sizeof(text));
}

static void paths(const void *arg)
{
	u64 at = sizeof(struct ckpt_rec_file);

	(void)arg;
	refuse_bytes(CKPT_REC_FILE, at, "x", 1);
	refuse_bytes(CKPT_REC_FILE, at, "", 1);
	refuse_bytes(CKPT_REC_FILE, at + 15, "", 1);
	at = sizeof(struct ckpt_rec_pty);
	refuse_bytes(CKPT_REC_PTY, at, "x", 1);
	refuse_bytes(CKPT_REC_PTY, at + 8, "", 1);
	at = sizeof(struct ckpt_rec_fs);
	refuse_bytes(CKPT_REC_FS, at, "x", 1);
	refuse_bytes(CKPT_REC_FS, at + 1, "x", 1);
	refuse_bytes(CKPT_REC_FS, at + 1, "", 1);
	refuse_bytes(CKPT_REC_FS, at + 10, "", 1);
}

static int walk_with_path(u32 kind, u32 len)
{
	struct ckpt_rec_file *f;
	struct image image;
	struct piece *piece;
	int ret;

	image_build(&image, &recipe);
	piece = image_find(&image, CKPT_REC_FILE, 0);
	piece_resize(piece, sizeof(*f) + len);
	memset(piece->payload + sizeof(*f), 'x', len);
	if (len)
		piece->payload[sizeof(*f)] = '/';
	f = (struct ckpt_rec_file *)piece->payload;
	f->kind = kind;
	f->path_len = len;
	image_fix(&image);
	ret = walk_pieces(&image);
	image_clear(&image);
	return ret;
}

static void path_lengths(const void *arg)
{
	(void)arg;
	EXPECT_EQ(walk_with_path(CKPT_FILE_PATH, 0), -EBADMSG);
	EXPECT_EQ(walk_with_path(CKPT_FILE_PATH, 1), 0);
	EXPECT_EQ(walk_with_path(CKPT_FILE_PATH, CKPT_PATH_MAX - 1), 0);
	EXPECT_EQ(walk_with_path(CKPT_FILE_PATH, CKPT_PATH_MAX), -EBADMSG);
	EXPECT_EQ(walk_with_path(CKPT_FILE_PATH, CKPT_PATH_MAX + 1), -EBADMSG);
	EXPECT_EQ(walk_with_path(CKPT_FILE_EXTERNAL, 0), 0);
	EXPECT_EQ(walk_with_path(CKPT_FILE_EXTERNAL, CKPT_PATH_MAX - 1), 0);
	EXPECT_EQ(walk_with_path(CKPT_FILE_EXTERNAL, CKPT_PATH_MAX), -EBADMSG);
}

static void external_streams(const void *arg)
{
	struct ckpt_rec_file *f;
	struct image image;
	u32 i;

	(void)arg;
	image_build(&image, &recipe);
	f = (struct ckpt_rec_file *)image_find(&image, CKPT_REC_FILE, 1)->payload;
	EXPECT_EQ(f->kind, CKPT_FILE_EXTERNAL);
	for (i = 0; i <= 2; i++) {
		f->std_fd = i;
		EXPECT_EQ(walk_pieces(&image), 0);
	}
	f->std_fd = 3;
	expect_refused(&image, -EBADMSG);
	f->std_fd = CKPT_NO_STREAM - 1;
	expect_refused(&image, -EBADMSG);
	f->std_fd = CKPT_NO_STREAM;
	EXPECT_EQ(walk_pieces(&image), 0);
	f->std_fd = 2;
	((char *)(f + 1))[f->path_len - 1] = 0;
	expect_refused(&image, -EBADMSG);
	image_clear(&image);
}

static void needs_tag(const void *arg)
{
	static const u32 types[] = {
		CKPT_REC_FILE, CKPT_REC_MM, CKPT_REC_PIPE, CKPT_REC_FS, CKPT_REC_FDS,
		CKPT_REC_SIGHAND, CKPT_REC_SECCOMP, CKPT_REC_SHMEM, CKPT_REC_SYSV_SHM,
		CKPT_REC_EVENT, CKPT_REC_EPOLL, CKPT_REC_INOTIFY, CKPT_REC_PTY, CKPT_REC_SOCKET,
		CKPT_REC_UNLINKED, CKPT_REC_HUGETLB, CKPT_REC_IO_URING,
	};
	struct image image;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		image_build(&image, &recipe);
		image_find(&image, types[i], 0)->head.tag = 0;
		image_fix(&image);
		expect_refused(&image, -EBADMSG);
		image_clear(&image);
	}
}

/* An array that is one element shorter or longer than it has to be. */
static void counts(const void *arg)
{
	static const u32 types[] = { CKPT_REC_SIGHAND, CKPT_REC_SUMS };
	static const u32 never_empty[] = {
		CKPT_REC_PAGES, CKPT_REC_SHARED_PAGES, CKPT_REC_LDT, CKPT_REC_IO_PORTS,
		CKPT_REC_LOCKS,
	};
	struct image image;
	struct piece *piece;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		image_build(&image, &recipe);
		piece = image_find(&image, types[i], 0);
		piece_resize(piece, piece->payload_len + piece->head.unit);
		expect_refused(&image, -EBADMSG);
		piece_resize(piece, piece->payload_len - 2 * piece->head.unit);
		expect_refused(&image, -EBADMSG);
		image_clear(&image);
	}
	for (i = 0; i < ARRAY_SIZE(never_empty); i++) {
		image_build(&image, &recipe);
		piece_resize(image_find(&image, never_empty[i], 0), 0);
		expect_refused(&image, -EBADMSG);
		image_clear(&image);
	}
}

/* A tree without a root, and one whose root is a thread. */
static void odd_trees(const void *arg)
{
	struct ckpt_rec_task *task;
	struct ckpt_rec_tree *t;
	struct image image;
	struct piece *piece;

	(void)arg;
	image_build(&image, &recipe);
	piece = image_find(&image, CKPT_REC_TREE, 0);
	t = (struct ckpt_rec_tree *)piece->payload;
	task = (struct ckpt_rec_task *)(t + 1);
	task[0].tgid = 0;
	task[1].tgid = 0;
	t->nr_processes--;
	expect_refused(&image, -EBADMSG);
	piece_resize(piece, sizeof(*t));
	t = (struct ckpt_rec_tree *)piece->payload;
	t->nr_tasks = 0;
	t->nr_processes = 0;
	image_fix(&image);
	expect_refused(&image, -EBADMSG);
	image_clear(&image);
}

/* Without the page data, whose lack would be noticed in any case. */
static int check_extents(u64 addr1, u64 nr1, u64 addr2, u64 nr2)
{
	struct {
		struct ckpt_rec rec;
		struct ckpt_rec_extent extents[2];
	} pages = {
		.rec = { .type = CKPT_REC_PAGES, .unit = sizeof(pages.extents[0]) },
		.extents = { { addr1, nr1 }, { addr2, nr2 } },
	};
	struct ckpt_reader reader = {};

	pages.rec.length = !addr1 ? 0 : !addr2 ? pages.rec.unit : 2 * pages.rec.unit;
	return ckpt_check_record(&reader, &pages.rec);
}

static void runs_of_pages(const void *arg)
{
	const u64 max = CKPT_MAX_RECORD_PAGES, end = ~0xfffULL;

	(void)arg;
	EXPECT_EQ(check_extents(0, 0, 0, 0), -EBADMSG);
	EXPECT_EQ(check_extents(4096, 1, 0, 0), 0);
	EXPECT_EQ(check_extents(4096, 0, 0, 0), -EBADMSG);
	EXPECT_EQ(check_extents(4096, max, 0, 0), 0);
	EXPECT_EQ(check_extents(4096, max + 1, 0, 0), -EBADMSG);
	EXPECT_EQ(check_extents(4096, 1, 8192, max - 1), 0);
	EXPECT_EQ(check_extents(4096, 1, 8192, max), -EBADMSG);
	EXPECT_EQ(check_extents(4096, 2, 8192, 1), -EBADMSG);
	EXPECT_EQ(check_extents(8192, 1, 4096, 1), -EBADMSG);
	EXPECT_EQ(check_extents(end - 4096, 1, 0, 0), 0);
	EXPECT_EQ(check_extents(end, 1, 0, 0), -EBADMSG);
	/* Sums that are small again. */
	EXPECT_EQ(check_extents(4096, 1ULL << 63, 8192, 1ULL << 63), -EBADMSG);
	EXPECT_EQ(check_extents(4096, 1ULL << 52, 0, 0), -EBADMSG);
	EXPECT_EQ(check_extents(4096, (1ULL << 52) + 1, 0, 0), -EBADMSG);
	EXPECT_EQ(check_extents(4096, 1, 8192, -1ULL), -EBADMSG);
}

/* Records read before one that is too long; memory is asked for once for each. */
static unsigned long allocations(struct image *image, struct piece *piece, u64 length)
{
	piece->head.length = length;
	shim_memory.nr = 0;
	expect_refused(image, -EBADMSG);
	return shim_memory.nr;
}

/*
 * The most that a record may have, and one more, which its head alone forbids.
 * Neither is there, but only for the first does anybody look.
 */
static void bounds(const void *arg)
{
	static const struct {
		u32 type;
		u64 max;
		u32 step;
	} records[] = {
		{ CKPT_REC_TREE, CKPT_MAX_TASKS, sizeof(struct ckpt_rec_task) },
		{ CKPT_REC_FILE, CKPT_PATH_MAX, 1 },
		{ CKPT_REC_VMAS, CKPT_MAX_VMAS, 0 },
		{ CKPT_REC_PAGES, CKPT_MAX_EXTENTS, 0 },
		{ CKPT_REC_SHARED_PAGES, CKPT_MAX_EXTENTS, 0 },
		{ CKPT_REC_SUMS, CKPT_MAX_RECORD_PAGES / CKPT_CHUNK_PAGES, 0 },
		{ CKPT_REC_FS, 2 * CKPT_PATH_MAX, 1 },
		{ CKPT_REC_NAMESPACES, CKPT_MAX_NAMESPACES, 0 },
		{ CKPT_REC_ID_MAPS, CKPT_MAX_NAMESPACES * CKPT_MAX_ID_LINES, 0 },
		{ CKPT_REC_PIDS, 3 * CKPT_MAX_TASKS, 0 },
		{ CKPT_REC_CGROUP, CKPT_PATH_MAX, 1 },
		{ CKPT_REC_PTY, CKPT_MAX_PTY, 1 },
		{ CKPT_REC_SOCKET, CKPT_MAX_INSNS * 8, 1 },
		{ CKPT_REC_UNIX, CKPT_MAX_UNIX, 1 },
		{ CKPT_REC_UNIX_MSG, CKPT_MAX_UNIX_MSG + CKPT_MAX_UNIX_FILES * 4, 1 },
		{ CKPT_REC_INET, CKPT_MAX_INET_OPTIONS * 8, 1 },
		{ CKPT_REC_TCP, CKPT_MAX_TCP, 1 },
		{ CKPT_REC_FDS, CKPT_MAX_FDS, 0 },
		{ CKPT_REC_UNLINKED, 2 * CKPT_PATH_MAX, 1 },
		{ CKPT_REC_LOCKS, CKPT_MAX_LOCKS, 0 },
		{ CKPT_REC_SIGPENDING, CKPT_MAX_SIGPENDING, 0 },
		{ CKPT_REC_CRED, CKPT_MAX_GROUPS, sizeof(u32) },
		{ CKPT_REC_REGSET, CKPT_MAX_REGSET, 1 },
		{ CKPT_REC_INDEX, CKPT_MAX_INDEX, 0 },
		{ CKPT_REC_PIPE, CKPT_MAX_PIPE, 1 },
		{ CKPT_REC_EPOLL, CKPT_MAX_EPOLL, 0 },
		{ CKPT_REC_INOTIFY, CKPT_MAX_INOTIFY, 1 },
		{ CKPT_REC_IO_URING, CKPT_MAX_IO_URING, 1 },
		{ CKPT_REC_IO_REGISTERED,
		  CKPT_MAX_IO_FILES * sizeof(struct ckpt_rec_io_slot), 1 },
		{ CKPT_REC_IO_BUFFERS,
		  CKPT_MAX_IO_BUFFERS * (sizeof(struct ckpt_rec_io_buffer) +
					 sizeof(struct ckpt_rec_io_group)), 1 },
		{ CKPT_REC_IO_RINGS, CKPT_MAX_IO_RINGS, 0 },
		{ CKPT_REC_SHMEM_DATA, CKPT_MAX_SHMEM_DATA, 1 },
		{ CKPT_REC_HUGETLB, CKPT_PATH_MAX, 1 },
		{ CKPT_REC_HUGE_REGIONS, CKPT_MAX_HUGE_REGIONS, 0 },
		{ CKPT_REC_SECCOMP, CKPT_MAX_INSNS * 8, 1 },
		{ CKPT_REC_AIO, CKPT_MAX_AIO_RING, 1 },
		{ CKPT_REC_VMA_NAMES, CKPT_MAX_VMAS, 0 },
		{ CKPT_REC_VMA_POLICIES, CKPT_MAX_POLICIES, 0 },
		{ CKPT_REC_LDT, CKPT_LDT_ENTRIES, 0 },
		{ CKPT_REC_IO_PORTS, CKPT_NR_IO_PORTS / 2, 0 },
		{ CKPT_REC_POSIX_TIMERS, CKPT_MAX_POSIX_TIMERS, 0 },
	};
	struct image image;
	struct piece *piece;
	unsigned int i, before;
	u64 step, max;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(records); i++) {
		image_build(&image, &recipe);
		piece = image_find(&image, records[i].type, 0);
		before = piece - image.pieces;
		step = records[i].step ?: piece->head.unit;
		max = records[i].max * step + (records[i].step ? piece->head.unit : 0);
		EXPECT(allocations(&image, piece, max) > before);
		if (!EXPECT_EQ(allocations(&image, piece, max + step), before))
			note("with %s", ckpt_rec_name(records[i].type));
		image_clear(&image);
	}
}

static void no_registers(const void *arg)
{
	struct recipe none = recipe;
	struct image image;

	(void)arg;
	none.regset = 0;
	image_build(&image, &none);
	expect_refused(&image, -EBADMSG);
	image_clear(&image);
}

/* A type that nobody knows has nothing to be checked. */
static void unknown_content(const void *arg)
{
	struct ckpt_reader reader = {};
	struct ckpt_rec rec = { .type = ~0U };

	(void)arg;
	EXPECT_EQ(ckpt_check_record(&reader, &rec), 0);
	rec.type = CKPT_REC_NR;
	EXPECT_EQ(ckpt_check_record(&reader, &rec), 0);
}

void check_tests(void)
{
	static u32 types[CKPT_REC_NR];
	char name[64];
	u32 type, i, nr;

	for (type = 1; type < CKPT_REC_NR; type++) {
		types[type] = type;
		for (nr = 0, i = 0; i < ARRAY_SIZE(changes); i++)
			nr += changes[i].type == type;
		if (!nr)
			continue;
		snprintf(name, sizeof(name), "%u values in %s", nr, ckpt_rec_name(type));
		run_test(name, changes_of_type, &types[type]);
	}
	run_test("trees without a root", odd_trees, NULL);
	run_test("strings without an end", strings, NULL);
	run_test("paths that are none", paths, NULL);
	run_test("lengths of paths", path_lengths, NULL);
	run_test("external standard streams", external_streams, NULL);
	run_test("objects without a tag", needs_tag, NULL);
	run_test("arrays of a fixed length", counts, NULL);
	run_test("runs of pages", runs_of_pages, NULL);
	run_test("bounds of records", bounds, NULL);
	run_test("processor state without data", no_registers, NULL);
	run_test("records that nobody knows", unknown_content, NULL);
}

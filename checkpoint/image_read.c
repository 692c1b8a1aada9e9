// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading records of an image.
 *
 * The image is hostile: a length is believed only as bytes arrive, sums are
 * checked before anything is looked at, and a record is brought into the
 * layout that this kernel knows (missing bytes are zero, unknown ones must be)
 * before anyone sees it. This file builds in user space, too.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xxhash.h>

#include "image.h"
#include "limits.h"

enum rec_layout {
	LAYOUT_EMPTY,	/* no payload */
	LAYOUT_FIXED,	/* one struct */
	LAYOUT_TAIL,	/* one struct, then bytes that it describes */
	LAYOUT_ARRAY,	/* any number of structs */
};

/**
 * struct rec_desc - what is known of a record type
 * @name: for messages
 * @layout: shape of the payload
 * @size: of the struct, as this kernel knows it
 * @min_size: of the struct in format version 1
 * @max: bound of the tail in bytes, or of the number of elements
 */
struct rec_desc {
	const char *name;
	enum rec_layout layout;
	u32 size;
	u32 min_size;
	u64 max;
};

#define DESC(_name, _layout, _type, _max) \
	{ .name = (_name), .layout = (_layout), .size = sizeof(_type), \
	  .min_size = sizeof(_type), .max = (_max) }

static const struct rec_desc rec_descs[CKPT_REC_NR] = {
	[CKPT_REC_HEADER] = DESC("HEADER", LAYOUT_FIXED, struct ckpt_rec_header, 0),
	[CKPT_REC_TREE] = DESC("TREE", LAYOUT_TAIL, struct ckpt_rec_tree,
			       (u64)CKPT_MAX_TASKS * sizeof(struct ckpt_rec_task)),
	[CKPT_REC_NAMESPACES] = DESC("NAMESPACES", LAYOUT_ARRAY, struct ckpt_rec_namespace,
				     CKPT_MAX_NAMESPACES),
	[CKPT_REC_ID_MAPS] = DESC("ID_MAPS", LAYOUT_ARRAY, struct ckpt_rec_id_map,
				  CKPT_MAX_NAMESPACES * CKPT_MAX_ID_LINES),
	[CKPT_REC_PIDS] = DESC("PIDS", LAYOUT_ARRAY, struct ckpt_rec_pid,
			       3 * CKPT_MAX_TASKS),
	[CKPT_REC_CGROUP] = DESC("CGROUP", LAYOUT_TAIL, struct ckpt_rec_cgroup, CKPT_PATH_MAX),
	[CKPT_REC_PROCESS] = DESC("PROCESS", LAYOUT_FIXED, struct ckpt_rec_process, 0),
	[CKPT_REC_FILE] = DESC("FILE", LAYOUT_TAIL, struct ckpt_rec_file, CKPT_PATH_MAX),
	[CKPT_REC_MM] = DESC("MM", LAYOUT_FIXED, struct ckpt_rec_mm, 0),
	[CKPT_REC_VMAS] = DESC("VMAS", LAYOUT_ARRAY, struct ckpt_rec_vma, CKPT_MAX_VMAS),
	[CKPT_REC_PAGES] = DESC("PAGES", LAYOUT_ARRAY, struct ckpt_rec_extent,
				CKPT_MAX_EXTENTS),
	[CKPT_REC_SHARED_PAGES] = DESC("SHARED_PAGES", LAYOUT_ARRAY,
				       struct ckpt_rec_shared_pages, CKPT_MAX_EXTENTS),
	[CKPT_REC_SUMS] = DESC("SUMS", LAYOUT_ARRAY, u64,
			       CKPT_MAX_RECORD_PAGES / CKPT_CHUNK_PAGES),
	[CKPT_REC_MM_END] = { .name = "MM_END", .layout = LAYOUT_EMPTY },
	[CKPT_REC_FS] = DESC("FS", LAYOUT_TAIL, struct ckpt_rec_fs, 2 * CKPT_PATH_MAX),
	[CKPT_REC_PTY] = DESC("PTY", LAYOUT_TAIL, struct ckpt_rec_pty, CKPT_MAX_PTY),
	[CKPT_REC_TERMINAL] = DESC("TERMINAL", LAYOUT_FIXED, struct ckpt_rec_terminal, 0),
	[CKPT_REC_FDS] = DESC("FDS", LAYOUT_ARRAY, struct ckpt_rec_fd, CKPT_MAX_FDS),
	[CKPT_REC_UNLINKED] = DESC("UNLINKED", LAYOUT_TAIL, struct ckpt_rec_unlinked,
				   2 * CKPT_PATH_MAX),
	[CKPT_REC_LOCKS] = DESC("LOCKS", LAYOUT_ARRAY, struct ckpt_rec_lock, CKPT_MAX_LOCKS),
	[CKPT_REC_FILE_STATE] = DESC("FILE_STATE", LAYOUT_FIXED, struct ckpt_rec_file_state, 0),
	[CKPT_REC_SIGHAND] = DESC("SIGHAND", LAYOUT_ARRAY, struct ckpt_rec_sigaction, 64),
	[CKPT_REC_SIGPENDING] = DESC("SIGPENDING", LAYOUT_ARRAY, struct ckpt_rec_siginfo,
				     CKPT_MAX_SIGPENDING),
	[CKPT_REC_THREAD] = DESC("THREAD", LAYOUT_FIXED, struct ckpt_rec_thread, 0),
	[CKPT_REC_CRED] = DESC("CRED", LAYOUT_TAIL, struct ckpt_rec_cred,
			       CKPT_MAX_GROUPS * sizeof(u32)),
	[CKPT_REC_REGSET] = DESC("REGSET", LAYOUT_TAIL, struct ckpt_rec_regset,
				 CKPT_MAX_REGSET),
	[CKPT_REC_THREAD_END] = { .name = "THREAD_END", .layout = LAYOUT_EMPTY },
	[CKPT_REC_PROCESS_END] = { .name = "PROCESS_END", .layout = LAYOUT_EMPTY },
	[CKPT_REC_INDEX] = DESC("INDEX", LAYOUT_ARRAY, struct ckpt_rec_index_entry,
				CKPT_MAX_INDEX),
	[CKPT_REC_PIPE] = DESC("PIPE", LAYOUT_TAIL, struct ckpt_rec_pipe, CKPT_MAX_PIPE),
	[CKPT_REC_SOCKET] = DESC("SOCKET", LAYOUT_TAIL, struct ckpt_rec_socket,
				 CKPT_MAX_INSNS * 8),
	[CKPT_REC_UNIX] = DESC("UNIX", LAYOUT_TAIL, struct ckpt_rec_unix, CKPT_MAX_UNIX),
	[CKPT_REC_UNIX_MSG] = DESC("UNIX_MSG", LAYOUT_TAIL, struct ckpt_rec_unix_msg,
				   CKPT_MAX_UNIX_MSG + CKPT_MAX_UNIX_FILES * sizeof(u32)),
	[CKPT_REC_INET] = DESC("INET", LAYOUT_TAIL, struct ckpt_rec_inet,
			       CKPT_MAX_INET_OPTIONS * sizeof(struct ckpt_rec_inet_option)),
	[CKPT_REC_TCP] = DESC("TCP", LAYOUT_TAIL, struct ckpt_rec_tcp, CKPT_MAX_TCP),
	[CKPT_REC_EVENT] = DESC("EVENT", LAYOUT_FIXED, struct ckpt_rec_event, 0),
	[CKPT_REC_EPOLL] = DESC("EPOLL", LAYOUT_ARRAY, struct ckpt_rec_epoll_item,
				CKPT_MAX_EPOLL),
	[CKPT_REC_INOTIFY] = DESC("INOTIFY", LAYOUT_TAIL, struct ckpt_rec_inotify,
				  CKPT_MAX_INOTIFY),
	[CKPT_REC_IO_URING] = DESC("IO_URING", LAYOUT_TAIL, struct ckpt_rec_io_uring,
				   CKPT_MAX_IO_URING),
	[CKPT_REC_IO_REGISTERED] = DESC("IO_REGISTERED", LAYOUT_TAIL,
					struct ckpt_rec_io_registered,
					CKPT_MAX_IO_FILES * sizeof(struct ckpt_rec_io_slot)),
	[CKPT_REC_IO_BUFFERS] = DESC("IO_BUFFERS", LAYOUT_TAIL, struct ckpt_rec_io_buffers,
				     CKPT_MAX_IO_BUFFERS * (sizeof(struct ckpt_rec_io_buffer) +
							    sizeof(struct ckpt_rec_io_group))),
	[CKPT_REC_IO_RINGS] = DESC("IO_RINGS", LAYOUT_ARRAY, struct ckpt_rec_io_ring,
				   CKPT_MAX_IO_RINGS),
	[CKPT_REC_USE] = DESC("USE", LAYOUT_FIXED, struct ckpt_rec_use, 0),
	[CKPT_REC_SECCOMP] = DESC("SECCOMP", LAYOUT_TAIL, struct ckpt_rec_seccomp,
				  CKPT_MAX_INSNS * 8),
	[CKPT_REC_ATTRS] = DESC("ATTRS", LAYOUT_FIXED, struct ckpt_rec_attrs, 0),
	[CKPT_REC_VMA_NAMES] = DESC("VMA_NAMES", LAYOUT_ARRAY, struct ckpt_rec_vma_name,
				    CKPT_MAX_VMAS),
	[CKPT_REC_VMA_POLICIES] = DESC("VMA_POLICIES", LAYOUT_ARRAY,
				       struct ckpt_rec_vma_policy, CKPT_MAX_POLICIES),
	[CKPT_REC_AIO] = DESC("AIO", LAYOUT_TAIL, struct ckpt_rec_aio, CKPT_MAX_AIO_RING),
	[CKPT_REC_SYSV_SHM] = DESC("SYSV_SHM", LAYOUT_FIXED, struct ckpt_rec_sysv_shm, 0),
	[CKPT_REC_MEMORY] = DESC("MEMORY", LAYOUT_FIXED, struct ckpt_rec_memory, 0),
	[CKPT_REC_HUGETLB] = DESC("HUGETLB", LAYOUT_TAIL, struct ckpt_rec_hugetlb,
				  CKPT_PATH_MAX),
	[CKPT_REC_HUGE_REGIONS] = DESC("HUGE_REGIONS", LAYOUT_ARRAY,
				       struct ckpt_rec_huge_region, CKPT_MAX_HUGE_REGIONS),
	[CKPT_REC_LDT] = DESC("LDT", LAYOUT_ARRAY, u64, CKPT_LDT_ENTRIES),
	[CKPT_REC_IO_PORTS] = DESC("IO_PORTS", LAYOUT_ARRAY, struct ckpt_rec_io_ports,
				   CKPT_NR_IO_PORTS / 2),
	[CKPT_REC_USAGE] = DESC("USAGE", LAYOUT_FIXED, struct ckpt_rec_usage, 0),
	[CKPT_REC_TIMERS] = DESC("TIMERS", LAYOUT_FIXED, struct ckpt_rec_timers, 0),
	[CKPT_REC_POSIX_TIMERS] = DESC("POSIX_TIMERS", LAYOUT_ARRAY,
				       struct ckpt_rec_posix_timer, CKPT_MAX_POSIX_TIMERS),
	[CKPT_REC_THREAD_USAGE] = DESC("THREAD_USAGE", LAYOUT_FIXED,
				       struct ckpt_rec_thread_usage, 0),
	[CKPT_REC_SHMEM] = DESC("SHMEM", LAYOUT_TAIL, struct ckpt_rec_shmem, CKPT_PATH_MAX),
	[CKPT_REC_SHMEM_DATA] = DESC("SHMEM_DATA", LAYOUT_TAIL, struct ckpt_rec_shmem_data,
				     CKPT_MAX_SHMEM_DATA),
	[CKPT_REC_TRAILER] = DESC("TRAILER", LAYOUT_FIXED, struct ckpt_rec_trailer, 0),
};

/**
 * ckpt_rec_name - name of a record type, for messages
 * @type: enum ckpt_rec_type, any value
 *
 * Return: a constant string.
 */
const char *ckpt_rec_name(u32 type)
{
	if (type < CKPT_REC_NR && rec_descs[type].name)
		return rec_descs[type].name;
	return "unknown";
}

static u64 padded(u64 length)
{
	return (length + 7) & ~7ULL;
}

/**
 * ckpt_rec_sum - checksum of a whole record
 * @rec: head, payload and padding in one piece
 *
 * Return: what @rec->sum must be.
 */
u64 ckpt_rec_sum(struct ckpt_rec *rec)
{
	u64 saved = rec->sum;
	u64 sum;

	rec->sum = 0;
	sum = xxh64(rec, sizeof(*rec) + padded(rec->length), 0);
	rec->sum = saved;
	return sum;
}

/**
 * ckpt_free_record - release what ckpt_read_record() returned
 * @rec: the record, or NULL
 */
void ckpt_free_record(struct ckpt_rec *rec)
{
	kvfree(rec);
}

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

static int read_exact(struct ckpt_reader *r, void *buf, size_t len)
{
	int ret = r->src->read(r->src, buf, len);

	if (!ret)
		r->offset += len;
	else if (ret == -EBADMSG)
		r->why = "the image ends too early";
	return ret;
}

/* Magic and byte order come before the sum: they say what the file is. */
static int check_magic(struct ckpt_reader *r, struct ckpt_rec *head)
{
	if (head->type != CKPT_REC_HEADER) {
		if (head->type == (u32)CKPT_REC_HEADER << 24) {
			r->why = "the image has another byte order";
			return -ENOEXEC;
		}
		return damaged(r, "this is not a checkpoint image");
	}
	return 0;
}

static int check_head(struct ckpt_reader *r, const struct ckpt_rec *head,
		      const struct rec_desc *desc)
{
	u64 max = desc->max;

	switch (desc->layout) {
	case LAYOUT_EMPTY:
		if (head->length || head->unit)
			return damaged(r, "a record has a payload that it cannot have");
		return 0;
	case LAYOUT_ARRAY:
		if (head->unit > PAGE_SIZE || head->length > max * head->unit)
			return damaged(r, "a record is too long");
		if (head->unit && head->length % head->unit)
			return damaged(r, "a record has an odd length");
		break;
	case LAYOUT_FIXED:
	case LAYOUT_TAIL:
		if (head->unit > PAGE_SIZE || head->length > max + head->unit ||
		    head->length < head->unit)
			return damaged(r, "a record has an impossible length");
		break;
	}
	if (head->unit < desc->min_size)
		return damaged(r, "a record is too short");
	return 0;
}

/* Reads the payload behind @head, never asking for much more than has come. */
static int read_payload(struct ckpt_reader *r, const struct ckpt_rec *head,
			struct ckpt_rec **recp)
{
	u64 total = padded(head->length);
	u64 have = 0;
	u64 room = min_t(u64, total, CKPT_READ_STEP);
	struct ckpt_rec *rec;
	char *bigger;
	int ret;

	rec = kvmalloc(sizeof(*rec) + room, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!rec)
		return -ENOMEM;
	*rec = *head;
	for (;;) {
		ret = read_exact(r, (char *)(rec + 1) + have, room - have);
		if (ret)
			goto err_free;
		have = room;
		if (have == total)
			break;
		room = min_t(u64, total, room * 2);
		bigger = kvmalloc(sizeof(*rec) + room, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!bigger) {
			ret = -ENOMEM;
			goto err_free;
		}
		memcpy(bigger, rec, sizeof(*rec) + have);
		kvfree(rec);
		rec = (struct ckpt_rec *)bigger;
	}
	*recp = rec;
	return 0;

err_free:
	kvfree(rec);
	return ret;
}

static bool all_zero(const void *p, size_t len)
{
	return !memchr_inv(p, 0, len);
}

/* Brings the structs of a record to the size that this kernel knows. */
static int resize_units(struct ckpt_reader *r, struct ckpt_rec **recp,
			const struct rec_desc *desc)
{
	struct ckpt_rec *old = *recp;
	u32 known = min(old->unit, desc->size);
	u64 count = desc->layout == LAYOUT_ARRAY ? ckpt_rec_count(old) : 1;
	u64 tail = old->length - count * old->unit;
	struct ckpt_rec *rec;
	char *from, *to;
	u64 i;

	if (old->unit == desc->size)
		return 0;
	rec = kvzalloc(sizeof(*rec) + padded(count * desc->size + tail),
		       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!rec)
		return -ENOMEM;
	*rec = *old;
	rec->unit = desc->size;
	rec->length = count * desc->size + tail;
	for (i = 0; i < count; i++) {
		from = (char *)(old + 1) + i * old->unit;
		to = (char *)(rec + 1) + i * desc->size;
		memcpy(to, from, known);
		if (!all_zero(from + known, old->unit - known)) {
			r->why = "a record has content that this kernel does not know";
			kvfree(rec);
			return -E2BIG;
		}
	}
	memcpy((char *)(rec + 1) + count * desc->size,
	       (char *)(old + 1) + count * old->unit, tail);
	kvfree(old);
	*recp = rec;
	return 0;
}

/* What has to be understood to find the next record is never packed. */
static bool may_be_packed(u32 type)
{
	return type != CKPT_REC_HEADER && type != CKPT_REC_PAGES && type != CKPT_REC_TRAILER;
}

static int unpack(struct ckpt_reader *r, struct ckpt_rec **recp)
{
	struct ckpt_rec *old = *recp;
	struct ckpt_rec_packed *packed = ckpt_rec_data(old);
	struct ckpt_rec *rec;

	if (old->length < sizeof(*packed) || packed->length > CKPT_PACKED_MAX)
		return damaged(r, "a packed record has an impossible length");
	rec = kvzalloc(sizeof(*rec) + padded(packed->length),
		       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!rec)
		return -ENOMEM;
	*rec = *old;
	rec->flags &= ~CKPT_RECF_PACKED;
	rec->length = packed->length;
	if (ckpt_unpack(rec + 1, padded(rec->length), packed + 1, old->length - sizeof(*packed)) ||
	    !all_zero((char *)(rec + 1) + rec->length, padded(rec->length) - rec->length)) {
		kvfree(rec);
		return damaged(r, "a record is badly packed");
	}
	kvfree(old);
	*recp = rec;
	return 0;
}

static int check_sum(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const char *payload = ckpt_rec_data(rec);

	if (ckpt_rec_sum(rec) != rec->sum)
		return damaged(r, "a record is damaged");
	if (!all_zero(payload + rec->length, padded(rec->length) - rec->length))
		return damaged(r, "a record has bad padding");
	return 0;
}

static int read_one(struct ckpt_reader *r, struct ckpt_rec **recp, bool *skip)
{
	const struct rec_desc *desc = NULL;
	struct ckpt_rec *rec;
	struct ckpt_rec head;
	bool packed;
	int ret;

	ret = read_exact(r, &head, sizeof(head));
	if (!ret && !r->nr_records)
		ret = check_magic(r, &head);
	if (ret)
		return ret;
	*skip = head.type >= CKPT_REC_NR || !head.type;
	if (!*skip)
		desc = &rec_descs[head.type];
	else if (!(head.flags & CKPT_RECF_SKIPPABLE))
		return damaged(r, "a record has an unknown type");
	packed = head.flags & CKPT_RECF_PACKED;
	if (head.flags & ~(CKPT_RECF_SKIPPABLE | CKPT_RECF_PACKED) ||
	    (packed && !may_be_packed(head.type)))
		return damaged(r, "a record has unknown flags");
	if (head.length > (packed ? CKPT_PACKED_MAX : CKPT_MAX_RECORD))
		return damaged(r, "a record is too long");
	ret = *skip || packed ? 0 : check_head(r, &head, desc);
	if (ret)
		return ret;
	ret = read_payload(r, &head, &rec);
	if (ret)
		return ret;
	ret = check_sum(r, rec);
	if (!ret && !*skip && packed)
		ret = unpack(r, &rec) ?: check_head(r, rec, desc);
	if (!ret && !*skip)
		ret = resize_units(r, &rec, desc);
	if (ret) {
		kvfree(rec);
		return ret;
	}
	r->nr_records++;
	*recp = rec;
	return 0;
}

/**
 * ckpt_read_record - read the next record that this kernel knows
 * @r: reader
 * @recp: the record, whole, its sum and content checked, its structs in the
 *	layout of this kernel; released with ckpt_free_record()
 *
 * Unknown records are skipped where their flags allow it.
 *
 * Context: may sleep.
 * Return: 0; -EBADMSG: truncated or damaged; -ENOEXEC: another byte order,
 * version or architecture; -E2BIG: content that this kernel does not know;
 * -ENOMEM, or an error of the source. @r->why says more.
 */
int ckpt_read_record(struct ckpt_reader *r, struct ckpt_rec **recp)
{
	struct ckpt_rec *rec;
	bool skip;
	int ret;

	for (;;) {
		ret = read_one(r, &rec, &skip);
		if (ret)
			return ret;
		if (!skip)
			break;
		kvfree(rec);
	}
	ret = ckpt_check_record(r, rec);
	if (ret) {
		kvfree(rec);
		return ret;
	}
	*recp = rec;
	return 0;
}

/**
 * ckpt_read_padding - skip the zero bytes before page data
 * @r: reader, behind a CKPT_REC_PAGES record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno as ckpt_read_record().
 */
int ckpt_read_padding(struct ckpt_reader *r)
{
	char zero[64];
	u64 end = (r->offset + r->page_size - 1) & ~((u64)r->page_size - 1);
	int ret;

	while (r->offset < end) {
		size_t len = min_t(u64, end - r->offset, sizeof(zero));

		ret = read_exact(r, zero, len);
		if (ret)
			return ret;
		if (!all_zero(zero, len))
			return damaged(r, "the space before page data is not empty");
	}
	return 0;
}

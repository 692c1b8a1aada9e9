// SPDX-License-Identifier: GPL-2.0-only
/* Reading the records of an image, and the page data between them. */
#define XXH_INLINE_ALL
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "ckpt.h"
#include "image.h"

#define MAX_RECORD	(512ULL << 20)
#define READ_STEP	65536
#define MAX_UNIT	4096
#define MAX_PACKED	65536

enum layout {
	LAYOUT_EMPTY,	/* no payload */
	LAYOUT_FIXED,	/* one struct */
	LAYOUT_TAIL,	/* one struct, then bytes that it describes */
	LAYOUT_ARRAY,	/* any number of structs */
};

static const struct {
	const char *name;
	enum layout layout;
	uint32_t size;
} types[CKPT_REC_NR] = {
	[CKPT_REC_HEADER] = { "HEADER", LAYOUT_FIXED, sizeof(struct ckpt_rec_header) },
	[CKPT_REC_TREE] = { "TREE", LAYOUT_TAIL, sizeof(struct ckpt_rec_tree) },
	[CKPT_REC_NAMESPACES] = { "NAMESPACES", LAYOUT_ARRAY, sizeof(struct ckpt_rec_namespace) },
	[CKPT_REC_ID_MAPS] = { "ID_MAPS", LAYOUT_ARRAY, sizeof(struct ckpt_rec_id_map) },
	[CKPT_REC_CGROUP] = { "CGROUP", LAYOUT_TAIL, sizeof(struct ckpt_rec_cgroup) },
	[CKPT_REC_PIDS] = { "PIDS", LAYOUT_ARRAY, sizeof(struct ckpt_rec_pid) },
	[CKPT_REC_PROCESS] = { "PROCESS", LAYOUT_FIXED, sizeof(struct ckpt_rec_process) },
	[CKPT_REC_FILE] = { "FILE", LAYOUT_TAIL, sizeof(struct ckpt_rec_file) },
	[CKPT_REC_MM] = { "MM", LAYOUT_FIXED, sizeof(struct ckpt_rec_mm) },
	[CKPT_REC_VMAS] = { "VMAS", LAYOUT_ARRAY, sizeof(struct ckpt_rec_vma) },
	[CKPT_REC_PAGES] = { "PAGES", LAYOUT_ARRAY, sizeof(struct ckpt_rec_extent) },
	[CKPT_REC_SHARED_PAGES] = { "SHARED_PAGES", LAYOUT_ARRAY,
				    sizeof(struct ckpt_rec_shared_pages) },
	[CKPT_REC_SUMS] = { "SUMS", LAYOUT_ARRAY, sizeof(uint64_t) },
	[CKPT_REC_MM_END] = { "MM_END", LAYOUT_EMPTY, 0 },
	[CKPT_REC_FS] = { "FS", LAYOUT_TAIL, sizeof(struct ckpt_rec_fs) },
	[CKPT_REC_PTY] = { "PTY", LAYOUT_TAIL, sizeof(struct ckpt_rec_pty) },
	[CKPT_REC_TERMINAL] = { "TERMINAL", LAYOUT_FIXED, sizeof(struct ckpt_rec_terminal) },
	[CKPT_REC_FDS] = { "FDS", LAYOUT_ARRAY, sizeof(struct ckpt_rec_fd) },
	[CKPT_REC_UNLINKED] = { "UNLINKED", LAYOUT_TAIL, sizeof(struct ckpt_rec_unlinked) },
	[CKPT_REC_LOCKS] = { "LOCKS", LAYOUT_ARRAY, sizeof(struct ckpt_rec_lock) },
	[CKPT_REC_FILE_STATE] = { "FILE_STATE", LAYOUT_FIXED,
				  sizeof(struct ckpt_rec_file_state) },
	[CKPT_REC_SIGHAND] = { "SIGHAND", LAYOUT_ARRAY, sizeof(struct ckpt_rec_sigaction) },
	[CKPT_REC_SIGPENDING] = { "SIGPENDING", LAYOUT_ARRAY, sizeof(struct ckpt_rec_siginfo) },
	[CKPT_REC_THREAD] = { "THREAD", LAYOUT_FIXED, sizeof(struct ckpt_rec_thread) },
	[CKPT_REC_CRED] = { "CRED", LAYOUT_TAIL, sizeof(struct ckpt_rec_cred) },
	[CKPT_REC_REGSET] = { "REGSET", LAYOUT_TAIL, sizeof(struct ckpt_rec_regset) },
	[CKPT_REC_THREAD_END] = { "THREAD_END", LAYOUT_EMPTY, 0 },
	[CKPT_REC_PROCESS_END] = { "PROCESS_END", LAYOUT_EMPTY, 0 },
	[CKPT_REC_INDEX] = { "INDEX", LAYOUT_ARRAY, sizeof(struct ckpt_rec_index_entry) },
	[CKPT_REC_PIPE] = { "PIPE", LAYOUT_TAIL, sizeof(struct ckpt_rec_pipe) },
	[CKPT_REC_EVENT] = { "EVENT", LAYOUT_FIXED, sizeof(struct ckpt_rec_event) },
	[CKPT_REC_EPOLL] = { "EPOLL", LAYOUT_ARRAY, sizeof(struct ckpt_rec_epoll_item) },
	[CKPT_REC_SOCKET] = { "SOCKET", LAYOUT_TAIL, sizeof(struct ckpt_rec_socket) },
	[CKPT_REC_UNIX] = { "UNIX", LAYOUT_TAIL, sizeof(struct ckpt_rec_unix) },
	[CKPT_REC_UNIX_MSG] = { "UNIX_MSG", LAYOUT_TAIL, sizeof(struct ckpt_rec_unix_msg) },
	[CKPT_REC_INET] = { "INET", LAYOUT_TAIL, sizeof(struct ckpt_rec_inet) },
	[CKPT_REC_TCP] = { "TCP", LAYOUT_TAIL, sizeof(struct ckpt_rec_tcp) },
	[CKPT_REC_INOTIFY] = { "INOTIFY", LAYOUT_TAIL, sizeof(struct ckpt_rec_inotify) },
	[CKPT_REC_IO_URING] = { "IO_URING", LAYOUT_TAIL, sizeof(struct ckpt_rec_io_uring) },
	[CKPT_REC_IO_REGISTERED] = { "IO_REGISTERED", LAYOUT_TAIL,
				     sizeof(struct ckpt_rec_io_registered) },
	[CKPT_REC_IO_BUFFERS] = { "IO_BUFFERS", LAYOUT_TAIL,
				  sizeof(struct ckpt_rec_io_buffers) },
	[CKPT_REC_IO_RINGS] = { "IO_RINGS", LAYOUT_ARRAY, sizeof(struct ckpt_rec_io_ring) },
	[CKPT_REC_USE] = { "USE", LAYOUT_FIXED, sizeof(struct ckpt_rec_use) },
	[CKPT_REC_USAGE] = { "USAGE", LAYOUT_FIXED, sizeof(struct ckpt_rec_usage) },
	[CKPT_REC_TIMERS] = { "TIMERS", LAYOUT_FIXED, sizeof(struct ckpt_rec_timers) },
	[CKPT_REC_POSIX_TIMERS] = { "POSIX_TIMERS", LAYOUT_ARRAY,
				    sizeof(struct ckpt_rec_posix_timer) },
	[CKPT_REC_THREAD_USAGE] = { "THREAD_USAGE", LAYOUT_FIXED,
				    sizeof(struct ckpt_rec_thread_usage) },
	[CKPT_REC_SHMEM] = { "SHMEM", LAYOUT_TAIL, sizeof(struct ckpt_rec_shmem) },
	[CKPT_REC_SHMEM_DATA] = { "SHMEM_DATA", LAYOUT_TAIL, sizeof(struct ckpt_rec_shmem_data) },
	[CKPT_REC_TRAILER] = { "TRAILER", LAYOUT_FIXED, sizeof(struct ckpt_rec_trailer) },
	[CKPT_REC_SECCOMP] = { "SECCOMP", LAYOUT_TAIL, sizeof(struct ckpt_rec_seccomp) },
	[CKPT_REC_ATTRS] = { "ATTRS", LAYOUT_FIXED, sizeof(struct ckpt_rec_attrs) },
	[CKPT_REC_VMA_NAMES] = { "VMA_NAMES", LAYOUT_ARRAY, sizeof(struct ckpt_rec_vma_name) },
	[CKPT_REC_SYSV_SHM] = { "SYSV_SHM", LAYOUT_FIXED, sizeof(struct ckpt_rec_sysv_shm) },
	[CKPT_REC_MEMORY] = { "MEMORY", LAYOUT_FIXED, sizeof(struct ckpt_rec_memory) },
	[CKPT_REC_HUGETLB] = { "HUGETLB", LAYOUT_TAIL, sizeof(struct ckpt_rec_hugetlb) },
	[CKPT_REC_HUGE_REGIONS] = { "HUGE_REGIONS", LAYOUT_ARRAY,
				    sizeof(struct ckpt_rec_huge_region) },
	[CKPT_REC_AIO] = { "AIO", LAYOUT_TAIL, sizeof(struct ckpt_rec_aio) },
	[CKPT_REC_VMA_POLICIES] = { "VMA_POLICIES", LAYOUT_ARRAY,
				    sizeof(struct ckpt_rec_vma_policy) },
	[CKPT_REC_LDT] = { "LDT", LAYOUT_ARRAY, sizeof(uint64_t) },
	[CKPT_REC_IO_PORTS] = { "IO_PORTS", LAYOUT_ARRAY, sizeof(struct ckpt_rec_io_ports) },
};

static bool known(uint32_t type)
{
	return type < CKPT_REC_NR && types[type].name;
}

const char *record_name(uint32_t type)
{
	return known(type) ? types[type].name : "unknown";
}

/* Notes what is wrong and returns -err. */
int image_fail(struct image *img, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(img->error, sizeof(img->error), format, args);
	va_end(args);
	return -err;
}

/* Tells people, and returns the exit status. */
int image_report(const struct image *img, int err)
{
	warn_text("%s: at offset %llu: %s", img->name, (unsigned long long)img->rec_offset,
		  img->error);
	return status_of(err);
}

static uint64_t padded(uint64_t length)
{
	return (length + 7) & ~7ULL;
}

static bool all_zero(const void *data, uint64_t length)
{
	const unsigned char *p = data;

	while (length--)
		if (*p++)
			return false;
	return true;
}

/* read(2), as much as it gives; 0 at the end of the file. */
static ssize_t read_some(struct image *img, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(img->fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

static int read_exact(struct image *img, void *to, size_t len)
{
	char *buf = to;

	while (len) {
		size_t have = img->end - img->begin;
		ssize_t n;

		if (!have && len < IMAGE_BUFFER) {
			n = read_some(img, img->buf, IMAGE_BUFFER);
			img->begin = 0;
			img->end = n > 0 ? (size_t)n : 0;
		} else if (!have) {
			n = read_some(img, buf, len);
		} else {
			n = (ssize_t)(have < len ? have : len);
			memcpy(buf, img->buf + img->begin, (size_t)n);
			img->begin += (size_t)n;
		}
		if (n < 0)
			return image_fail(img, errno, "%s", strerror(errno));
		if (!n)
			return image_fail(img, EBADMSG, img->offset ?
					  "the image ends here, too early" : "the file is empty");
		if (!have && len < IMAGE_BUFFER)
			continue;
		buf += n;
		len -= (size_t)n;
		img->offset += (uint64_t)n;
	}
	return 0;
}

static int read_chunk(struct image *img, void *buf, size_t len)
{
	int err = read_exact(img, buf, len);

	if (!err && img->check_pages) {
		uint64_t *sums = img->sums;

		if (!(img->nr_sums & (img->nr_sums - 1)))
			sums = realloc(sums, (img->nr_sums ? img->nr_sums * 2 : 1) * sizeof(*sums));
		if (!sums)
			return image_fail(img, ENOMEM, "%s", strerror(ENOMEM));
		img->sums = sums;
		sums[img->nr_sums++] = XXH64(buf, len, 0);
	}
	return err;
}

/* Reads page data, whether it is wanted or cannot be skipped. */
static int read_data(struct image *img, uint64_t pages)
{
	size_t room = (pages < CKPT_CHUNK_PAGES ? pages : CKPT_CHUNK_PAGES) * img->page_size;
	void *buf = malloc(room);
	int err = 0;

	if (!buf)
		return image_fail(img, ENOMEM, "%s", strerror(ENOMEM));
	while (pages && !err) {
		uint64_t n = pages < CKPT_CHUNK_PAGES ? pages : CKPT_CHUNK_PAGES;

		err = read_chunk(img, buf, (size_t)n * img->page_size);
		pages -= n;
	}
	free(buf);
	return err;
}

static int skip_data(struct image *img, uint64_t bytes)
{
	uint64_t have = img->end - img->begin;
	uint64_t from_buf = bytes < have ? bytes : have;

	if (bytes > img->size || img->offset > img->size - bytes)
		return image_fail(img, EBADMSG, "the image ends in the page data");
	img->begin += (size_t)from_buf;
	if (bytes > from_buf && lseek(img->fd, (off_t)(bytes - from_buf), SEEK_CUR) < 0)
		return image_fail(img, errno, "%s", strerror(errno));
	img->offset += bytes;
	return 0;
}

static int read_padding(struct image *img)
{
	char zero[64];

	while (img->offset % img->page_size) {
		uint64_t rest = img->page_size - img->offset % img->page_size;
		size_t len = rest < sizeof(zero) ? (size_t)rest : sizeof(zero);
		int err = read_exact(img, zero, len);

		if (err)
			return err;
		if (!all_zero(zero, len))
			return image_fail(img, EBADMSG, "the space before page data is not empty");
	}
	return 0;
}

/* The data of the extents that were just read. Their number was checked. */
static int pass_pages(struct image *img)
{
	const struct ckpt_rec_extent *extent = rec_data(img);
	uint64_t pages = 0, i, n = rec_count(img);
	int err;

	for (i = 0; i < n; i++)
		pages += extent[i].nr_pages;
	img->nr_pages += pages;
	img->nr_sums = 0;
	err = read_padding(img);
	if (err)
		return err;
	if (img->seekable && !img->check_pages)
		return skip_data(img, pages * img->page_size);
	return read_data(img, pages);
}

/* What has to be understood to find the next record is never packed. */
static bool may_be_packed(uint32_t type)
{
	return type != CKPT_REC_HEADER && type != CKPT_REC_PAGES && type != CKPT_REC_TRAILER;
}

static int check_head(struct image *img, const struct ckpt_rec *head)
{
	if (!img->nr_records && head->type != CKPT_REC_HEADER) {
		if (head->type == (uint32_t)CKPT_REC_HEADER << 24)
			return image_fail(img, ENOEXEC, "the image has another byte order");
		return image_fail(img, EBADMSG, "this is not a checkpoint image");
	}
	if (head->flags & ~(CKPT_RECF_SKIPPABLE | CKPT_RECF_PACKED) ||
	    (head->flags & CKPT_RECF_PACKED && !may_be_packed(head->type)))
		return image_fail(img, EBADMSG, "a record has unknown flags");
	if (head->length > (head->flags & CKPT_RECF_PACKED ? MAX_PACKED : MAX_RECORD) ||
	    head->unit > MAX_UNIT)
		return image_fail(img, EBADMSG, "a record has an impossible length");
	if (!known(head->type))
		return head->flags & CKPT_RECF_SKIPPABLE ? 0 :
		       image_fail(img, EBADMSG, "unknown record type %u", head->type);
	if (head->flags & CKPT_RECF_PACKED)
		return 0;
	switch (types[head->type].layout) {
	case LAYOUT_EMPTY:
		if (!head->length && !head->unit)
			return 0;
		break;
	case LAYOUT_FIXED:
		if (head->length == head->unit && head->unit >= types[head->type].size)
			return 0;
		break;
	case LAYOUT_TAIL:
		if (head->length >= head->unit && head->unit >= types[head->type].size)
			return 0;
		break;
	case LAYOUT_ARRAY:
		if (head->unit >= types[head->type].size && head->length % head->unit == 0)
			return 0;
		break;
	}
	return image_fail(img, EBADMSG, "%s record of an impossible length",
			  types[head->type].name);
}

/* Believes the length only as bytes arrive. */
static int read_payload(struct image *img)
{
	uint64_t total = padded(img->rec->length), have = 0;

	while (have < total) {
		uint64_t room = have ? have * 2 : READ_STEP;
		int err;

		if (room > total)
			room = total;
		if (sizeof(*img->rec) + room > img->rec_room) {
			struct ckpt_rec *rec = realloc(img->rec, sizeof(*rec) + room);

			if (!rec)
				return image_fail(img, ENOMEM, "%s", strerror(ENOMEM));
			img->rec = rec;
			img->rec_room = sizeof(*rec) + room;
		}
		err = read_exact(img, (char *)(img->rec + 1) + have, room - have);
		if (err)
			return err;
		have = room;
	}
	return 0;
}

static int check_sum(struct image *img)
{
	struct ckpt_rec *rec = img->rec;
	uint64_t sum = rec->sum, total = padded(rec->length);

	rec->sum = 0;
	if (XXH64(rec, sizeof(*rec) + total, 0) != sum)
		return image_fail(img, EBADMSG, "the %s record is damaged (wrong sum)",
				  record_name(rec->type));
	if (!all_zero((char *)(rec + 1) + rec->length, total - rec->length))
		return image_fail(img, EBADMSG, "the %s record has bad padding",
				  record_name(rec->type));
	return 0;
}

static bool unpack_bytes(unsigned char *to, size_t len, const unsigned char *from, size_t from_len)
{
	const unsigned char *from_end = from + from_len;
	unsigned char *end = to + len;

	while (from < from_end && to < end) {
		unsigned char mask = *from++;
		int i;

		for (i = 0; i < 8; i++) {
			*to = 0;
			if (mask & 1 << i) {
				if (from == from_end)
					return false;
				*to = *from++;
			}
			to++;
		}
		if (mask)
			continue;
		if (from == from_end || *from * 8 > end - to)
			return false;
		memset(to, 0, *from * 8U);
		to += *from++ * 8;
	}
	return from == from_end && to == end;
}

/* Puts the payload that a packed record stands for in its place. */
static int unpack(struct image *img)
{
	const struct ckpt_rec_packed *packed = rec_data(img);
	uint64_t length = img->rec->length >= sizeof(*packed) ? packed->length : 0;
	size_t room = sizeof(*img->rec) + READ_STEP;
	struct ckpt_rec *rec;

	if (!length || length > MAX_PACKED)
		return image_fail(img, EBADMSG, "a packed record has an impossible length");
	rec = calloc(1, room);
	if (!rec)
		return image_fail(img, ENOMEM, "%s", strerror(ENOMEM));
	*rec = *img->rec;
	rec->length = length;
	rec->flags &= ~CKPT_RECF_PACKED;
	if (!unpack_bytes((unsigned char *)(rec + 1), padded(length),
			  (const unsigned char *)(packed + 1),
			  img->rec->length - sizeof(*packed)) ||
	    !all_zero((char *)(rec + 1) + length, padded(length) - length)) {
		free(rec);
		return image_fail(img, EBADMSG, "the %s record is badly packed",
				  record_name(img->rec->type));
	}
	free(img->rec);
	img->rec = rec;
	img->rec_room = room;
	return check_head(img, rec);
}

/* Structs of a later format have more members: cut them off if they are zero. */
static int cut_units(struct image *img)
{
	struct ckpt_rec *rec = img->rec;
	uint32_t size = types[rec->type].size, more = rec->unit - size;
	uint64_t i, count = types[rec->type].layout == LAYOUT_ARRAY ? rec_count(img) : 1;
	char *from = rec_data(img), *to = from;
	uint64_t tail;

	if (types[rec->type].layout == LAYOUT_EMPTY || !more)
		return 0;
	tail = rec->length - count * rec->unit;
	for (i = 0; i < count; i++, from += rec->unit, to += size) {
		if (!all_zero(from + size, more))
			return image_fail(img, E2BIG,
					  "the %s record has content of a later format",
					  record_name(rec->type));
		memmove(to, from, size);
	}
	memmove(to, from, tail);
	rec->unit = size;
	rec->length = count * size + tail;
	return 0;
}

static int read_record(struct image *img)
{
	int err;

	img->rec_offset = img->offset;
	err = read_exact(img, img->rec, sizeof(*img->rec));
	if (!err)
		err = check_head(img, img->rec);
	if (!err)
		err = read_payload(img);
	if (!err)
		err = check_sum(img);
	if (!err && known(img->rec->type) && img->rec->flags & CKPT_RECF_PACKED)
		err = unpack(img);
	if (!err && known(img->rec->type))
		err = cut_units(img);
	if (!err)
		img->nr_records++;
	return err;
}

static int check_end(struct image *img)
{
	unsigned char byte;

	img->rec_offset = img->offset;
	if (img->end > img->begin || read_some(img, &byte, 1) > 0)
		return image_fail(img, EBADMSG, "there is something behind the image");
	return 0;
}

/*
 * Reads the next record that is known. Returns 1; 0 behind the last; -errno,
 * and then image_report() tells what was wrong.
 */
int image_next(struct image *img)
{
	int err;

	if (img->order.last == CKPT_REC_TRAILER)
		return check_end(img);
	if (img->order.last == CKPT_REC_PAGES && img->rec->type == CKPT_REC_PAGES) {
		err = pass_pages(img);
		if (err) {
			img->rec_offset = img->offset;
			return err;
		}
	}
	do {
		err = read_record(img);
		if (err)
			return err;
	} while (!known(img->rec->type));
	err = image_check(img);
	return err ? err : 1;
}

/* Returns NULL after telling why; errno says it to the program. */
struct image *image_open(const char *path, bool check_pages)
{
	struct image *img = calloc(1, sizeof(*img));
	struct stat st;
	off_t pos;

	if (!img)
		return NULL;
	img->name = strcmp(path, "-") ? path : "standard input";
	img->check_pages = check_pages;
	img->rec_room = sizeof(*img->rec) + READ_STEP;
	img->rec = calloc(1, img->rec_room);
	img->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : dup(0);
	if (!img->rec || img->fd < 0 || fstat(img->fd, &st)) {
		warn_errno(errno, "%s", img->name);
		image_close(img);
		return NULL;
	}
	pos = S_ISREG(st.st_mode) ? lseek(img->fd, 0, SEEK_CUR) : -1;
	if (pos >= 0 && st.st_size >= pos) {
		img->seekable = true;
		img->size = (uint64_t)(st.st_size - pos);
	}
	return img;
}

void image_close(struct image *img)
{
	int err = errno;

	if (img->fd >= 0)
		close(img->fd);
	image_check_free(img);
	free(img->rec);
	free(img->sums);
	free(img);
	errno = err;
}

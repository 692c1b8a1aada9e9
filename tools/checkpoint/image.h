/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reader of images for people's eyes: it trusts nothing that an image says,
 * goes forward only, and so works on pipes.
 */
#ifndef CKPT_IMAGE_H
#define CKPT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/checkpoint_image.h>

#define IMAGE_BUFFER	65536

struct tag {
	uint32_t tag;		/* 0: free slot */
	uint32_t type;
};

/* Objects by tag: a hash table with open addressing. */
struct tags {
	struct tag *slots;
	size_t nr_slots;	/* a power of two */
	size_t nr_used;
};

/**
 * struct image_order - what has been read, as far as the order depends on it
 * @last: type of the last known record
 * @of_memory: this record is about shared memory, not about an address space
 * @in_process: between PROCESS and PROCESS_END
 * @in_thread: between THREAD and THREAD_END
 * @in_mm: between MM and MM_END
 * @once: bit for each record type that was read in this process
 * @thread_once: the same for a thread
 * @nr_processes: PROCESS records read
 * @nr_threads: THREAD records read in this process
 * @want_threads: how many this process has
 * @dead: this process is a zombie
 * @dead_thread: this thread is dead
 * @tgid: its id
 * @nr_tasks: THREAD records read altogether
 * @nr_vmas: mappings of this address space
 * @mm_tag: tag of this address space
 * @vmas: they
 * @tasks: the tree
 * @tree: its totals
 * @nr_cgroups: CGROUP records read
 * @index: what an index may name
 * @nr_index: how many
 * @index_offset: where the index lies, 0: none
 * @tags: objects that may be named
 */
struct image_order {
	uint32_t last;
	bool of_memory;
	bool in_process;
	bool in_thread;
	bool in_mm;
	uint64_t once;
	uint64_t thread_once;
	uint32_t nr_processes;
	uint32_t nr_threads;
	uint32_t want_threads;
	bool dead;
	bool dead_thread;
	uint32_t tgid;
	uint32_t nr_tasks;
	uint32_t nr_vmas;
	uint32_t mm_tag;
	struct ckpt_rec_vma *vmas;
	struct ckpt_rec_task *tasks;
	struct ckpt_rec_tree tree;
	uint32_t nr_cgroups;
	struct ckpt_rec_index_entry *index;
	size_t nr_index;
	uint64_t index_offset;
	struct tags tags;
};

/**
 * struct image - an image that is being read
 * @name: for messages
 * @fd: where it comes from
 * @seekable: page data may be skipped
 * @check_pages: read page data and compare its sums
 * @size: if seekable: bytes
 * @offset: bytes consumed
 * @rec_offset: where the current record begins
 * @nr_records: records read
 * @nr_pages: pages of data read or skipped
 * @page_size: from the header
 * @id: from the header
 * @rec: the current record, its payload behind it
 * @rec_room: bytes allocated at @rec
 * @sums: of the page data before
 * @nr_sums: how many
 * @order: see there
 * @error: what was wrong, for people
 * @begin: first unread byte in @buf
 * @end: end of the bytes in @buf
 * @buf: bytes that were read ahead
 */
struct image {
	const char *name;
	int fd;
	bool seekable;
	bool check_pages;
	uint64_t size;
	uint64_t offset;
	uint64_t rec_offset;
	uint64_t nr_records;
	uint64_t nr_pages;
	uint32_t page_size;
	uint8_t id[16];
	struct ckpt_rec *rec;
	size_t rec_room;
	uint64_t *sums;
	size_t nr_sums;
	struct image_order order;
	char error[200];
	size_t begin;
	size_t end;
	unsigned char buf[IMAGE_BUFFER];
};

struct image *image_open(const char *path, bool check_pages);
int image_next(struct image *img);
int image_fail(struct image *img, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int image_report(const struct image *img, int err);
void image_close(struct image *img);
const char *record_name(uint32_t type);

/* image_check.c: everything but sums */
int image_check(struct image *img);
void image_check_free(struct image *img);

/* image_check_memory.c: the same of records of shared memory */
int image_check_shmem(struct image *img);
int image_check_shmem_data(struct image *img);
int image_check_memory(struct image *img);
int image_check_hugetlb(struct image *img);
int image_check_huge_regions(struct image *img);

/* image_check_events.c */
int image_check_event(struct image *img);
int image_check_epoll(struct image *img);
int image_check_io_registered(struct image *img);
int image_check_io_buffers(struct image *img);
int image_check_io_rings(struct image *img);

/* image_check_inet.c */
int image_check_inet(struct image *img);
int image_check_tcp(struct image *img);

/* tags.c */
bool tags_add(struct tags *tags, uint32_t tag, uint32_t type);
uint32_t tags_find(const struct tags *tags, uint32_t tag);

static inline void *rec_data(const struct image *img)
{
	return img->rec + 1;
}

/* What follows the struct of a record. */
static inline void *rec_tail(const struct image *img)
{
	return (char *)(img->rec + 1) + img->rec->unit;
}

static inline uint64_t rec_tail_length(const struct image *img)
{
	return img->rec->length - img->rec->unit;
}

static inline uint64_t rec_count(const struct image *img)
{
	return img->rec->unit ? img->rec->length / img->rec->unit : 0;
}

#endif /* CKPT_IMAGE_H */

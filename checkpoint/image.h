/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading and checking image records. What is declared here has no knowledge
 * of tasks and builds in user space, too (tools/testing/checkpoint/).
 */
#ifndef _CHECKPOINT_IMAGE_H
#define _CHECKPOINT_IMAGE_H

#include <linux/types.h>
#include <linux/checkpoint_image.h>

/**
 * struct ckpt_source - where an image comes from
 * @read: reads exactly @len bytes; returns 0, -EBADMSG at the end of the file,
 *	or another negative errno. May sleep.
 */
struct ckpt_source {
	int (*read)(struct ckpt_source *src, void *buf, size_t len);
};

/**
 * struct ckpt_reader - position and totals while an image is read
 * @src: the image
 * @offset: bytes consumed
 * @nr_records: records read
 * @nr_pages: pages of data read
 * @page_size: from the header, 0 before
 * @image_id: from the header
 * @why: after an error, what was wrong with the image, for people
 */
struct ckpt_reader {
	struct ckpt_source *src;
	u64 offset;
	u64 nr_records;
	u64 nr_pages;
	u32 page_size;
	u8 image_id[16];
	const char *why;
};

static inline void *ckpt_rec_data(struct ckpt_rec *rec)
{
	return rec + 1;
}

/* What follows the fixed struct of a record. */
static inline void *ckpt_rec_tail(struct ckpt_rec *rec)
{
	return (char *)(rec + 1) + rec->unit;
}

static inline u64 ckpt_rec_count(const struct ckpt_rec *rec)
{
	return rec->unit ? rec->length / rec->unit : 0;
}

size_t ckpt_pack(void *to, size_t room, const void *from, size_t len);
int ckpt_unpack(void *to, size_t len, const void *from, size_t from_len);

const char *ckpt_rec_name(u32 type);

/* image_check_ns.c */
int ckpt_check_namespaces(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_id_maps(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_cgroup(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_pids(struct ckpt_reader *r, struct ckpt_rec *rec);

u64 ckpt_rec_sum(struct ckpt_rec *rec);
int ckpt_read_record(struct ckpt_reader *r, struct ckpt_rec **recp);
int ckpt_read_padding(struct ckpt_reader *r);
bool ckpt_pkeys_fit(const struct ckpt_rec_mm *mm);
int ckpt_check_vmas(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_sysv_shm(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_memory(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_hugetlb(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_huge_regions(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_aio(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_vma_policies(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_record(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_event(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_epoll(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_inotify(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_io_uring(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_io_registered(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_io_buffers(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_io_rings(struct ckpt_reader *r, struct ckpt_rec *rec);

/* image_check_cow.c */
int ckpt_check_shared_pages(struct ckpt_reader *r, struct ckpt_rec *rec);

int ckpt_check_unlinked(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_locks(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_file_state(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_pipe(struct ckpt_reader *r, struct ckpt_rec *rec);
void ckpt_free_record(struct ckpt_rec *rec);

/* image_check_tty.c */
int ckpt_check_pty(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_terminal(struct ckpt_reader *r, struct ckpt_rec *rec);

/* image_check_socket.c */
int ckpt_check_socket(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_unix(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_unix_msg(struct ckpt_reader *r, struct ckpt_rec *rec);

/* image_check_inet.c */
int ckpt_check_inet(struct ckpt_reader *r, struct ckpt_rec *rec);
int ckpt_check_tcp(struct ckpt_reader *r, struct ckpt_rec *rec);

#endif /* _CHECKPOINT_IMAGE_H */

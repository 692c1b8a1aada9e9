/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kinds of event descriptors share.
 */
#ifndef _CHECKPOINT_FILE_EVENT_H
#define _CHECKPOINT_FILE_EVENT_H

#include <linux/delay.h>

#include "../internal.h"

/**
 * ckpt_while_busy - ask again while an instance of io_uring(7) is in use
 * @_ask: expression; -EBUSY: it is
 *
 * Who looks at an instance in /proc has it for a moment. May sleep.
 *
 * Return: what it was in the end; after CKPT_TRANSIENT_TRIES that may be -EBUSY.
 */
#define ckpt_while_busy(_ask)						\
({									\
	int _ret, _try = 0;						\
									\
	while ((_ret = (_ask)) == -EBUSY && ++_try < CKPT_TRANSIENT_TRIES) \
		usleep_range(200, 1000);				\
	_ret;								\
})

struct checkpoint_io_uring_group;

/**
 * struct ckpt_event - a restored EVENT, EPOLL, INOTIFY or IO_URING record
 * @rec: the record
 * @file: the file; NULL: a pidfd
 * @pid: pidfd of one who is gone: what is left, once it was needed
 * @more: io_uring: its IO_REGISTERED record, or NULL
 * @buffers: io_uring: its IO_BUFFERS record, or NULL
 * @next: instance that has registered buffers of the same process, or NULL
 */
struct ckpt_event {
	struct ckpt_rec *rec;
	struct file *file;
	struct pid *pid;
	struct ckpt_rec *more;
	struct ckpt_rec *buffers;
	struct ckpt_event *next;
};

extern const struct ckpt_file_kind ckpt_eventfd_kind;
extern const struct ckpt_file_kind ckpt_timerfd_kind;
extern const struct ckpt_file_kind ckpt_signalfd_kind;
extern const struct ckpt_file_kind ckpt_pidfd_kind;
extern const struct ckpt_file_kind ckpt_epoll_kind;
extern const struct ckpt_file_kind ckpt_inotify_kind;
extern const struct ckpt_file_kind ckpt_io_uring_kind;
extern const struct ckpt_obj_ops ckpt_event_ops;
extern const struct ckpt_obj_ops ckpt_epoll_ops;
extern const struct ckpt_obj_ops ckpt_inotify_ops;
extern const struct ckpt_obj_ops ckpt_io_uring_ops;
extern const struct ckpt_obj_ops ckpt_io_registered_ops;
extern const struct ckpt_obj_ops ckpt_io_buffers_ops;
extern const struct ckpt_obj_ops ckpt_io_rings_ops;

/* event.c */
void ckpt_event_settle(struct ckpt_ctx *ctx);
void ckpt_event_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file);
int ckpt_event_save(struct ckpt_ctx *ctx, void *obj, const struct ckpt_rec_event *state,
		    struct ckpt_rec_file *rec, char *name);
struct ckpt_event *ckpt_event_of(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec);
struct file *ckpt_event_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				const struct ckpt_rec_file *rec, const char *name);
void ckpt_event_put(void *obj);
int ckpt_event_keep(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec,
		    struct file *file, const struct ckpt_obj_ops *ops);
struct file *ckpt_event_open(long nr, u64 arg0, u64 arg1);
struct file *ckpt_event_take(long fd);
struct file *ckpt_event_file(struct file *file, const struct ckpt_rec_file *rec);
struct file *ckpt_event_missing(struct ckpt_ctx *ctx, struct ckpt_task *t);

/* eventfd.c, timerfd.c, signalfd.c */
struct file *ckpt_eventfd_create(const struct ckpt_rec_event *state);
struct file *ckpt_timerfd_create(const struct ckpt_rec_event *state);
void ckpt_timerfds_commit(struct ckpt_ctx *ctx);
struct file *ckpt_signalfd_create(const struct ckpt_rec_event *state);

/* epoll.c, inotify.c */
int ckpt_epolls_assemble(struct ckpt_ctx *ctx);
int ckpt_epolls_join(struct ckpt_ctx *ctx, struct ckpt_task *leader);
void ckpt_epolls_commit(struct ckpt_ctx *ctx);
int ckpt_inotifies_fill(struct ckpt_ctx *ctx);
int ckpt_inotifies_watch(struct ckpt_ctx *ctx);

/* io_uring.c */
int ckpt_io_urings_assemble(struct ckpt_ctx *ctx);

/* io_registered.c */
void ckpt_registered_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			     struct file *ring);
int ckpt_registered_note(struct ckpt_ctx *ctx, struct file *ring);
int ckpt_registered_apply(struct ckpt_ctx *ctx, struct ckpt_event *r);

/* io_buffers.c */
void ckpt_buffers_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *ring);
int ckpt_buffers_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *ring);
bool ckpt_buffers_are_at(struct mm_struct *mm, u64 addr, struct page **pages, u32 nr);

/* io_provided.c */
int ckpt_group_next(struct file *ring, bool own, u32 bgid,
		    struct checkpoint_io_uring_group *group);
int ckpt_group_find(struct mm_struct *mm, struct file *ring,
		    const struct checkpoint_io_uring_group *group, u64 *addr);
struct page *ckpt_group_page(struct file *ring, u32 bgid, u32 index);
void ckpt_group_show(const struct checkpoint_io_uring_group *group, struct ckpt_rec_io_group *rec);
int ckpt_group_add(struct file *ring, const struct ckpt_rec_io_group *rec, const void *data);
int ckpt_provided_size(struct file *ring, u32 *nr_groups, size_t *size);
int ckpt_provided_fill(struct file *ring, void *data, u32 nr_groups, size_t size);
int ckpt_provided_restore(struct file *ring, const void *data, u32 nr_groups, size_t *size);

#endif /* _CHECKPOINT_FILE_EVENT_H */

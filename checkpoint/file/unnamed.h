/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory without a name, of pages of any size: see unnamed.c. */
#ifndef _CHECKPOINT_UNNAMED_H
#define _CHECKPOINT_UNNAMED_H

#include "../internal.h"

/**
 * struct ckpt_unnamed - restored memory
 * @file: a file of it
 * @seals: where its seals are
 * @saved_seals: those that it gets when all mappings are there
 * @atime_ns: times that it gets when all content is there
 * @mtime_ns: the same
 */
struct ckpt_unnamed {
	struct file *file;
	unsigned int *seals;
	u32 saved_seals;
	s64 atime_ns;
	s64 mtime_ns;
};

/**
 * struct ckpt_owner - to whom restored memory belongs, as in its record
 * @mode: of stat(2)
 * @uid: owner
 * @gid: group
 */
struct ckpt_owner {
	u32 mode;
	u32 uid;
	u32 gid;
};

void ckpt_unnamed_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file,
			  const char *what);
int ckpt_unnamed_write(struct ckpt_ctx *ctx, struct file *file, u32 type, u32 tag,
		       void *rec, size_t len, u32 *name_len);
void ckpt_unnamed_fill(struct file *file, struct ckpt_rec_file *rec);
int ckpt_unnamed_add(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_obj_ops *ops,
		     const struct ckpt_unnamed *made, const struct ckpt_owner *owner);
void ckpt_unnamed_put(void *obj);
struct file *ckpt_unnamed_file(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_obj_ops *ops);
struct file *ckpt_unnamed_open(struct ckpt_ctx *ctx, struct ckpt_task *t,
			       const struct ckpt_rec_file *rec, const struct ckpt_obj_ops *ops);

#endif /* _CHECKPOINT_UNNAMED_H */

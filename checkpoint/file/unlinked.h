/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What unlinked.c, removed_dir.c and old_name.c share.
 */
#ifndef _CHECKPOINT_FILE_UNLINKED_H
#define _CHECKPOINT_FILE_UNLINKED_H

#include "../internal.h"

/* How often another name is tried for what loses it at once. */
#define CKPT_NAME_TRIES		8

/* Bytes of such a name. */
#define CKPT_UNLINKED_NAME	32

/**
 * struct ckpt_unlinked - a file or directory that was made again
 * @path: its place
 * @writer: regular file: open to be filled, until it is opened otherwise
 * @saved: its record's struct
 * @old_name: dentry with the name that it gets in the end, or NULL
 * @parent: directory: the removed one in which it was, or NULL
 * @children: directory: how many of those that are in it have a name
 * @named: directory: it has a name, until the tree is complete
 */
struct ckpt_unlinked {
	struct path path;
	struct file *writer;
	struct ckpt_rec_unlinked saved;
	struct dentry *old_name;
	struct ckpt_unlinked *parent;
	u32 children;
	bool named;
};

/* unlinked.c */
int ckpt_unlinked_name(char *name, size_t size);
int ckpt_unlinked_remove(const struct path *path);
int ckpt_unlinked_attributes(struct file *file, const struct ckpt_rec_unlinked *saved);
void ckpt_unlinked_collect_xattrs(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				  struct dentry *dentry);
void ckpt_unlinked_collect_place(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				 const struct path *path);
int ckpt_unlinked_save(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
		       u32 parent, u32 *tag, loff_t *size);

/* removed_dir.c */
bool ckpt_is_removed(const struct dentry *dentry);
int ckpt_removed_dir_make(struct ckpt_ctx *ctx, struct ckpt_unlinked *r, const char *dir);
void ckpt_removed_dir_put(struct ckpt_unlinked *r);

/* old_name.c */
char *ckpt_old_name(struct ckpt_ctx *ctx, const struct path *path, u32 *dir_len);
struct dentry *ckpt_old_name_keep(struct dentry *dentry, const char *name, u32 len);
void ckpt_old_name_give(struct dentry *dentry, struct dentry *named);

#endif /* _CHECKPOINT_FILE_UNLINKED_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tags: a shared object is in the image once, before its first use, and is
 * named by its tag afterwards. While saving, the table finds the tag of an
 * object; while restarting, the object of a tag, with its type.
 */
#include <linux/slab.h>

#include "internal.h"

/* Entries other than those that every process has: these are walked. */
#define RARE	XA_MARK_0

/* What a tag stands for at restart; the entry owns a reference to @obj. */
struct tagged {
	const struct ckpt_obj_ops *ops;
	void *obj;
};

/**
 * ckpt_tag_of - tag of an object that was saved before
 * @ctx: context of a save
 * @obj: the object
 *
 * Return: the tag, 0: it was not saved yet.
 */
u32 ckpt_tag_of(struct ckpt_ctx *ctx, void *obj)
{
	return ckpt_ptr_get(&ctx->tags, obj);
}

/**
 * ckpt_new_tag - give an object a tag
 * @ctx: context of a save
 * @obj: object that lives until the save ends
 *
 * Return: the tag, 0: no memory.
 */
u32 ckpt_new_tag(struct ckpt_ctx *ctx, void *obj)
{
	u32 tag = ctx->next_tag;

	if (ckpt_ptr_set(&ctx->tags, obj, tag))
		return 0;
	ctx->next_tag++;
	return tag;
}

/**
 * ckpt_put_tag - remember a restored object by its tag
 * @ctx: context of a restart
 * @tag: tag, from the image
 * @ops: its type, with a put method
 * @obj: the object; the table takes over the caller's reference on success
 *
 * Return: 0, -EBADMSG: the tag is in use, -ENOMEM.
 */
int ckpt_put_tag(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_obj_ops *ops, void *obj)
{
	struct tagged *entry = kmalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!entry)
		return -ENOMEM;
	entry->ops = ops;
	entry->obj = obj;
	ret = xa_insert(&ctx->objs, tag, entry, GFP_KERNEL_ACCOUNT);
	if (ret)
		kfree(entry);
	else if (!ops->common)
		xa_set_mark(&ctx->objs, tag, RARE);
	return ret == -EBUSY ? -EBADMSG : ret;
}

/**
 * ckpt_get_tag - object of a tag
 * @ctx: context of a restart
 * @tag: tag, from the image
 * @ops: the type that it must have
 *
 * Return: the object, which the table keeps; NULL: no such object.
 */
void *ckpt_get_tag(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_obj_ops *ops)
{
	struct tagged *entry = xa_load(&ctx->objs, tag);

	return entry && entry->ops == ops ? entry->obj : NULL;
}

/**
 * ckpt_each_tag - do something with all objects of a type
 * @ctx: context of a restart
 * @ops: the type, not one that every process has
 * @fn: called for each; a value other than 0 ends the walk
 * @arg: for @fn
 *
 * Return: 0 or what @fn has returned.
 */
int ckpt_each_tag(struct ckpt_ctx *ctx, const struct ckpt_obj_ops *ops,
		  int (*fn)(struct ckpt_ctx *ctx, void *obj, void *arg), void *arg)
{
	struct tagged *entry;
	unsigned long tag;
	int ret = 0;

	if (WARN_ON_ONCE(ops->common))
		return -EINVAL;
	xa_for_each_marked(&ctx->objs, tag, entry, RARE) {
		if (entry->ops == ops)
			ret = fn(ctx, entry->obj, arg);
		if (ret)
			break;
	}
	return ret;
}

/**
 * ckpt_drop_tags - drop all objects of a type, whose tags are not needed any more
 * @ctx: context of a restart, all records read
 * @ops: the type
 *
 * Context: may sleep.
 */
void ckpt_drop_tags(struct ckpt_ctx *ctx, const struct ckpt_obj_ops *ops)
{
	struct tagged *entry;
	unsigned long tag;

	xa_for_each(&ctx->objs, tag, entry) {
		if (entry->ops != ops)
			continue;
		xa_erase(&ctx->objs, tag);
		ops->put(entry->obj);
		kfree(entry);
	}
}

/**
 * ckpt_free_tags - drop all objects that have a tag
 * @ctx: context of a restart
 *
 * Context: may sleep.
 */
void ckpt_free_tags(struct ckpt_ctx *ctx)
{
	struct tagged *entry;
	unsigned long tag;

	xa_for_each(&ctx->objs, tag, entry) {
		entry->ops->put(entry->obj);
		kfree(entry);
	}
	xa_destroy(&ctx->objs);
}

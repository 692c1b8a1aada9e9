// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the callers of checkpoint() and restart() have decided about what is
 * outside of the tree: keys that are accepted as external, files that take
 * their place, names that lie elsewhere by now, files that may have changed.
 * All of it comes in lists, in the further arguments of the calls.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../internal.h"

static char *copy_name(u64 addr, u32 len)
{
	char *name;

	if (!len || len >= CKPT_PATH_MAX)
		return ERR_PTR(-EINVAL);
	name = kmalloc(len + 1, GFP_KERNEL_ACCOUNT);
	if (!name)
		return ERR_PTR(-ENOMEM);
	name[len] = 0;
	if (copy_from_user(name, u64_to_user_ptr(addr), len)) {
		kfree(name);
		return ERR_PTR(-EFAULT);
	}
	if (memchr(name, 0, len)) {
		kfree(name);
		return ERR_PTR(-EINVAL);
	}
	return name;
}

/* "/dir/" becomes "/dir", and "/" the empty prefix of every name. */
static void strip_slashes(char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		path[--len] = 0;
}

static int copy_entry(struct ckpt_entry *e, const struct checkpoint_entry *arg,
		      enum ckpt_list_kind kind)
{
	bool has_value = kind == CKPT_LIST_RELOCATE ||
			 (kind == CKPT_LIST_INHERIT && arg->fd == -1);
	bool has_fd = kind == CKPT_LIST_INHERIT && !has_value;

	if (arg->reserved || (!has_value && (arg->value || arg->value_len)) ||
	    (kind != CKPT_LIST_INHERIT && arg->fd))
		return -EINVAL;
	e->name = copy_name(arg->name, arg->name_len);
	if (IS_ERR(e->name))
		return PTR_ERR(e->name);
	if (has_value) {
		e->value = copy_name(arg->value, arg->value_len);
		if (IS_ERR(e->value))
			return PTR_ERR(e->value);
		if (e->value[0] != '/')
			return -EINVAL;
	}
	if ((kind == CKPT_LIST_RELOCATE || kind == CKPT_LIST_CHANGED) && e->name[0] != '/')
		return -EINVAL;
	if (kind == CKPT_LIST_RELOCATE) {
		strip_slashes(e->name);
		strip_slashes(e->value);
	}
	if (has_fd) {
		e->file = fget(arg->fd);
		if (!e->file)
			return -EBADF;
	}
	return 0;
}

/**
 * ckpt_list_copy - take a list from the arguments of a call
 * @list: zero; to be freed with ckpt_list_free(), also after a failure
 * @kind: what it is for
 * @addr: user pointer to struct checkpoint_entry
 * @nr: how many
 *
 * Return: 0, -EINVAL, -EFAULT, -EBADF, -ENOMEM.
 */
int ckpt_list_copy(struct ckpt_list *list, enum ckpt_list_kind kind, u64 addr, u32 nr)
{
	const struct checkpoint_entry __user *args = u64_to_user_ptr(addr);
	struct checkpoint_entry arg;
	int ret;

	if (nr > CHECKPOINT_ENTRIES_MAX || (addr && !nr))
		return -EINVAL;
	if (!nr)
		return 0;
	list->entries = kvcalloc(nr, sizeof(*list->entries), GFP_KERNEL_ACCOUNT);
	if (!list->entries)
		return -ENOMEM;
	while (list->nr < nr) {
		if (copy_from_user(&arg, &args[list->nr], sizeof(arg)))
			return -EFAULT;
		ret = copy_entry(&list->entries[list->nr++], &arg, kind);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * ckpt_list_free - free what is in a list
 * @list: the list
 */
void ckpt_list_free(struct ckpt_list *list)
{
	struct ckpt_entry *e;

	for (e = list->entries; e < list->entries + list->nr; e++) {
		if (!IS_ERR(e->name))
			kfree(e->name);
		if (!IS_ERR(e->value))
			kfree(e->value);
		if (e->file)
			fput(e->file);
	}
	kvfree(list->entries);
	list->entries = NULL;
	list->nr = 0;
}

/**
 * ckpt_list_find - look a name up
 * @list: the list
 * @name: what to look for
 * @from: NULL, or the entry behind which to go on
 *
 * Return: the next entry with that name, which then counts as used; or NULL.
 */
struct ckpt_entry *ckpt_list_find(const struct ckpt_list *list, const char *name,
				  struct ckpt_entry *from)
{
	struct ckpt_entry *e;

	for (e = from ? from + 1 : list->entries; e < list->entries + list->nr; e++) {
		if (strcmp(e->name, name))
			continue;
		e->used = true;
		return e;
	}
	return NULL;
}

/**
 * ckpt_list_unused - say which entries were of no use
 * @ctx: context
 * @list: the list
 * @why: reason code of the notes
 *
 * A key with a typing mistake would otherwise be hard to find.
 */
void ckpt_list_unused(struct ckpt_ctx *ctx, const struct ckpt_list *list, enum ckpt_reason why)
{
	const struct ckpt_entry *e;

	for (e = list->entries; e < list->entries + list->nr; e++)
		if (!e->used)
			ckpt_note(ctx, CKPT_AT(NULL), why, "there is no %s",
				  *e->name ? e->name : "/");
}

/* The entry by which a name is rewritten, or NULL. */
static struct ckpt_entry *relocation_of(struct ckpt_ctx *ctx, const char *name)
{
	const struct ckpt_list *list = &ctx->outside->relocate;
	struct ckpt_entry *e;
	size_t len;

	for (e = list->entries; e < list->entries + list->nr; e++) {
		len = strlen(e->name);
		if (strncmp(name, e->name, len) || (name[len] && name[len] != '/'))
			continue;
		e->used = true;
		return e;
	}
	return NULL;
}

/* Below a directory as if that was the root: absolute links and ".." do not leave it. */
static int find_below(const char *root, const char *name, bool follow, struct path *found)
{
	struct path top;
	int ret = kern_path(*root ? root : "/", LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &top);

	if (ret)
		return ret;
	ret = vfs_path_lookup(top.dentry, top.mnt, *name ? name : "/",
			      follow ? LOOKUP_FOLLOW : 0, found);
	path_put(&top);
	return ret;
}

/* The name, without links, that it has for the caller; in @buf of CKPT_PATH_MAX bytes. */
static const char *confine(struct ckpt_ctx *ctx, const char *root, const char *name,
			   bool follow, char *buf)
{
	struct path found;
	char *now;
	int ret = find_below(root, name, follow, &found);

	if (ret)
		return ERR_PTR(ret);
	now = ckpt_path_name(ctx, &found, buf);
	path_put(&found);
	return now ?: ERR_PTR(-ENOENT);
}

/* Return: @name; or the new name, in @buf; or an ERR_PTR(). */
static const char *relocate(struct ckpt_ctx *ctx, const char *name, bool follow, char *buf)
{
	struct ckpt_entry *e = relocation_of(ctx, name);

	if (!e)
		return name;
	if (!*e->name)
		return confine(ctx, e->value, name, follow, buf);
	if (snprintf(buf, CKPT_PATH_MAX, "%s%s", e->value, name + strlen(e->name)) >=
	    CKPT_PATH_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	return *buf ? buf : "/";
}

/**
 * ckpt_name_now - where a file of the image is by now
 * @ctx: context of a restart
 * @name: its name in the image
 * @len: bytes of @name
 * @follow: a link that has this name, below another root, stands for its target
 *
 * Return: the name in memory of its own, or an ERR_PTR(): also if all files are below
 * another root, and it is not there.
 */
char *ckpt_name_now(struct ckpt_ctx *ctx, const void *name, u32 len, bool follow)
{
	char *was = kmemdup_nul(name, len, GFP_KERNEL_ACCOUNT);
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT);
	const char *now = was && buf ? relocate(ctx, was, follow, buf) : ERR_PTR(-ENOMEM);

	if (now == was) {
		kfree(buf);
		return was;
	}
	if (!IS_ERR(now))
		memmove(buf, now, strlen(now) + 1);
	kfree(was);
	if (!IS_ERR(now))
		return buf;
	kfree(buf);
	return ERR_CAST(now);
}

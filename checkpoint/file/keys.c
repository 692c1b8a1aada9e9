// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys: the names by which the callers of checkpoint() and restart() call what is
 * left to the restarter (external.c), and which kind of file each of them takes.
 *
 * What has a name or a number has that in its key. Others, descriptors of events
 * above all, have the number of a descriptor: any one of the tree that refers to
 * the file, as eventfd:PID/FD.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/magic.h>
#include <linux/pid.h>
#include <linux/proc_fs.h>
#include <linux/proc_ns.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "../internal.h"

/* Memory that memfd_create(2) has made: what the kernel makes for itself is private. */
static bool is_memfd(struct file *file)
{
	const struct inode *inode = file_inode(file);

	return ckpt_is_unnamed_memory(file) && inode->i_sb->s_flags & SB_KERNMOUNT &&
	       !IS_PRIVATE(inode) && file->f_op->read_iter;
}

/* Is it one of those that are nothing but a descriptor? */
static bool is_anonymous(struct file *file)
{
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC && !file->f_op->mmap &&
	       !io_is_uring_fops(file);
}

/* "[eventfd]" is an eventfd. */
static void anonymous_sort(struct file *file, char *sort)
{
	const char *name = file->f_path.dentry->d_name.name;
	size_t len;

	if (*name == '[')
		name++;
	len = strlen(name);
	if (len && name[len - 1] == ']')
		len--;
	snprintf(sort, CKPT_SORT_LEN, "%.*s", (int)len, name);
}

static const char *sort_of_inode(struct file *file, const struct inode *inode)
{
	if (proc_ns_file(file))
		return get_proc_ns(inode)->ops->name;
	if (!IS_ERR(pidfd_pid(file)))
		return "pidfd";
	if (is_memfd(file))
		return "memfd";
	switch (inode->i_mode & S_IFMT) {
	case S_IFSOCK:
		return "socket";
	case S_IFIFO:
		return inode->i_sb->s_magic == PIPEFS_MAGIC ? "pipe" : "fifo";
	case S_IFCHR:
		return ckpt_is_terminal(inode) ? "tty" : "dev";
	case S_IFBLK:
		return "dev";
	case S_IFDIR:
		return "dir";
	case S_IFREG:
		/* The kernel's own file systems have more of them. */
		return inode->i_sb->s_flags & SB_KERNMOUNT ? NULL : "file";
	}
	return NULL;
}

/**
 * ckpt_key_sort - with what the key of a file begins, before a colon
 * @file: any open file
 * @sort: gets it, of CKPT_SORT_LEN bytes
 *
 * Return: false: files of its kind have no key.
 */
bool ckpt_key_sort(struct file *file, char *sort)
{
	const struct inode *inode = file_inode(file);
	const char *found;

	if (file->f_mode & FMODE_PATH)
		return false;
	if (is_anonymous(file)) {
		anonymous_sort(file, sort);
		return true;
	}
	found = sort_of_inode(file, inode);
	if (found)
		strscpy(sort, found, CKPT_SORT_LEN);
	return found;
}

/**
 * ckpt_key_fits - may a file be handed over for a key?
 * @key: the key
 * @file: the file
 *
 * Return: true if keys of its kind begin in that way.
 */
bool ckpt_key_fits(const char *key, struct file *file)
{
	char sort[CKPT_SORT_LEN];
	size_t len;

	if (!ckpt_key_sort(file, sort))
		return false;
	len = strlen(sort);
	return !strncmp(key, sort, len) && key[len] == ':';
}

/* A descriptor of a process of the tree, by the number that the caller knows. */
static struct file *get_descriptor(struct ckpt_ctx *ctx, pid_t nr, unsigned int fd)
{
	struct ckpt_task *t = NULL;
	struct task_struct *task;

	rcu_read_lock();
	task = find_task_by_pid_ns(nr, ctx->pidns);
	if (task)
		t = xa_load(&ctx->task_index, task->pid);
	rcu_read_unlock();
	t = t ? t->leader->main : NULL;
	return t ? fget_task(t->task, fd) : NULL;
}

/* Does a key have the number of a descriptor that refers to this file? */
static bool leads_to(struct ckpt_ctx *ctx, const char *key, struct file *file)
{
	const char *number = strrchr(key, ':');
	unsigned int nr, fd;
	struct file *found;
	char rest;

	if (!number || sscanf(number + 1, "%u/%u%c", &nr, &fd, &rest) != 2 ||
	    !ckpt_key_fits(key, file))
		return false;
	found = get_descriptor(ctx, nr, fd);
	if (found)
		fput(found);
	return found == file;
}

/* The key by which one without a name was accepted, or NULL. */
static struct ckpt_entry *find_accepted(struct ckpt_ctx *ctx, struct file *file)
{
	const struct ckpt_list *list = &ctx->outside->external;
	struct ckpt_entry *e;

	for (e = list->entries; e < list->entries + list->nr; e++) {
		if (leads_to(ctx, e->name, file)) {
			e->used = true;
			return e;
		}
	}
	return NULL;
}

/* The one by which it was accepted, or one with the number by which it was found. */
static bool anonymous_key(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			  struct file *file, const char *sort, char *buf)
{
	const struct ckpt_entry *e = find_accepted(ctx, file);

	if (e)
		strscpy(buf, e->name, CKPT_PATH_MAX);
	else if (where && where->fd >= 0)
		snprintf(buf, CKPT_PATH_MAX, "%s:%d/%d", sort,
			 task_tgid_nr_ns(where->t->task, ctx->pidns), where->fd);
	return e || (where && where->fd >= 0);
}

/* The name of what can be reached by one; of other directories and files as much as there is. */
static bool path_key(struct ckpt_ctx *ctx, struct file *file, const char *sort, char *buf)
{
	const struct path *path = file_user_path(file);
	const char *before = "", *behind = "", *name;
	char *tmp = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	umode_t mode = file_inode(file)->i_mode;
	bool ret;

	name = ckpt_path_name(ctx, path, tmp);
	if (!IS_ERR_OR_NULL(name)) {
		behind = d_unlinked(path->dentry) ? " (deleted)" : "";
	} else {
		name = d_path(path, tmp, CKPT_PATH_MAX);
		before = S_ISREG(mode) || S_ISDIR(mode) ? "(unreachable)" : "";
	}
	ret = !IS_ERR(name) && snprintf(buf, CKPT_PATH_MAX, "%s:%s%s%s", sort, before, name,
					behind) < CKPT_PATH_MAX;
	kfree(tmp);
	return ret;
}

/* These are called by what they are. */
static bool numbered_key(struct ckpt_ctx *ctx, struct file *file, const char *sort, char *buf)
{
	const struct inode *inode = file_inode(file);
	struct pid *pid = pidfd_pid(file);
	unsigned long nr = IS_ERR(pid) ? inode->i_ino : pid_nr_ns(pid, ctx->pidns);

	snprintf(buf, CKPT_PATH_MAX, "%s:[%lu]", sort, nr);
	/* Who has no number for the caller, or none any more, has no key. */
	return nr;
}

static bool has_number(struct file *file)
{
	const struct super_block *sb = file_inode(file)->i_sb;

	return sb->s_magic == PIPEFS_MAGIC || S_ISSOCK(file_inode(file)->i_mode) ||
	       proc_ns_file(file) || !IS_ERR(pidfd_pid(file)) || is_memfd(file);
}

/**
 * ckpt_external_key - name by which the callers of the system calls call a file
 * @ctx: context of a save
 * @where: what holds it, or NULL
 * @file: any open file
 * @buf: CKPT_PATH_MAX bytes
 *
 * Return: @buf, or NULL: it has none.
 */
char *ckpt_external_key(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file, char *buf)
{
	char sort[CKPT_SORT_LEN];
	bool has;

	if (!ckpt_key_sort(file, sort))
		return NULL;
	if (is_anonymous(file))
		has = anonymous_key(ctx, where, file, sort, buf);
	else if (has_number(file))
		has = numbered_key(ctx, file, sort, buf);
	else
		has = path_key(ctx, file, sort, buf);
	return has ? buf : NULL;
}

/**
 * ckpt_is_accepted - has the caller said that a file is external?
 * @ctx: context of a save
 * @file: any open file
 *
 * Return: true if so.
 */
bool ckpt_is_accepted(struct ckpt_ctx *ctx, struct file *file)
{
	const struct ckpt_list *list = &ctx->outside->external;
	char *buf, *key;
	bool ret;

	if (!list->nr)
		return false;
	if (is_anonymous(file))
		return find_accepted(ctx, file);
	/* A lack of memory must not look like an obstacle. */
	buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	key = ckpt_external_key(ctx, NULL, file, buf);
	ret = key && ckpt_list_find(list, key, NULL);
	kfree(buf);
	return ret;
}

/**
 * ckpt_obstacle_key - report a file that cannot be saved, and the key that leaves it out
 * @ctx: context of a save
 * @where: what holds it
 * @why: kind of obstacle
 * @file: the file
 * @fmt: text for people, without the end of the line
 *
 * Context: may sleep.
 */
void ckpt_obstacle_key(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		       enum ckpt_reason why, struct file *file, const char *fmt, ...)
{
	/* A lack of memory must not look like another obstacle. */
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	bool mapped = where->end && !S_ISREG(file_inode(file)->i_mode);
	char *key = mapped ? NULL : ckpt_external_key(ctx, where, file, buf);
	struct va_format text = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	text.va = &args;
	ckpt_obstacle(ctx, where, why, "%pV%s%s%s", &text, key ? "; --external '" : "",
		      key ?: "", key ? "' leaves it to the restarter" : "");
	va_end(args);
	kfree(buf);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that belong to the outside: standard streams, that is, a terminal, a
 * pipe or a socket on descriptor 0, 1 or 2, and every other open file of the
 * same object; and what the caller has accepted by its key (keys.c). The restarter hands
 * over a file for the key, or its own stream of that number. What is under way
 * in a pipe or terminal belongs to the outside, too.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../internal.h"

#define HVC_MAJOR	229

/**
 * ckpt_is_terminal - is this the inode of a terminal?
 * @inode: any inode
 *
 * Return: true if its open files, other than those of O_PATH, are of a tty.
 */
bool ckpt_is_terminal(const struct inode *inode)
{
	if (!S_ISCHR(inode->i_mode))
		return false;
	switch (imajor(inode)) {
	case TTY_MAJOR:
	case TTYAUX_MAJOR:
	case HVC_MAJOR:
	case UNIX98_PTY_SLAVE_MAJOR ... UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT - 1:
		return true;
	}
	return false;
}

static bool may_be_external(const struct inode *inode)
{
	return S_ISFIFO(inode->i_mode) || S_ISSOCK(inode->i_mode) || ckpt_is_terminal(inode);
}

/* Number of the standard stream with the same object, or -1. */
static int standard_fd(struct ckpt_task *t, struct file *file)
{
	fmode_t need = file->f_mode & (FMODE_READ | FMODE_WRITE);
	struct file *std;
	int fd, found = -1;

	if (!may_be_external(file_inode(file)))
		return -1;
	for (fd = 0; fd < 3; fd++) {
		std = fget_task(t->task, fd);
		if (!std)
			continue;
		if (std == file)
			found = fd;
		else if (found < 0 && file_inode(std) == file_inode(file) &&
			 (std->f_mode & need) == need)
			found = fd;
		fput(std);
		if (std == file)
			break;
	}
	return found;
}

static bool external_probe(struct ckpt_task *t, struct file *file)
{
	return standard_fd(t, file) >= 0;
}

static void external_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			     struct file *file)
{
	int std = standard_fd(where->t, file);
	char *buf, *key;

	if (!(ctx->flags & CHECKPOINT_DRY_RUN))
		return;
	buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	key = ckpt_external_key(ctx, where, file, buf);
	if (key && std >= 0)
		ckpt_note(ctx, where, CKPT_WHY_EXTERNAL,
			  "%s is external: stream %d of the restarter, or --inherit '%s=FD'",
			  key, std, key);
	else if (key)
		ckpt_note(ctx, where, CKPT_WHY_EXTERNAL,
			  "%s is external: restarting takes --inherit '%s=FD'", key, key);
	kfree(buf);
}

static int external_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			 struct ckpt_rec_file *rec, char *name)
{
	struct inode *inode = file_inode(file);
	int std = standard_fd(t, file);

	rec->std_fd = std < 0 ? CKPT_NO_STREAM : std;
	rec->mode = inode->i_mode;
	rec->ino = inode->i_ino;
	rec->rdev = huge_encode_dev(inode->i_rdev);
	if (S_ISREG(inode->i_mode))
		rec->pos = file->f_pos;
	if (!ckpt_external_key(ctx, NULL, file, name))
		name[0] = 0;
	return std < 0 && !name[0] ? -EBUSY : 0;
}

/* Where it matters to the program: it asks for addresses, for a position, for events. */
static bool is_of_type(struct file *file, const struct ckpt_rec_file *rec, const char *key)
{
	switch (rec->mode & S_IFMT) {
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
		return !S_ISDIR(file_inode(file)->i_mode);
	}
	return ckpt_key_fits(key, file);
}

static bool has_access(const struct file *file, const struct ckpt_rec_file *rec)
{
	fmode_t need = (rec->flags & CKPT_FILEF_READ ? FMODE_READ : 0) |
		       (rec->flags & CKPT_FILEF_WRITE ? FMODE_WRITE : 0);

	return (file->f_mode & need) == need;
}

static bool can_stand_for(struct file *file, const struct ckpt_rec_file *rec, const char *key)
{
	return has_access(file, rec) && is_of_type(file, rec, key);
}

static int report_wrong(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			const struct ckpt_rec_file *rec, const char *key)
{
	char sort[CKPT_SORT_LEN] = "without a name";

	if (has_access(file, rec)) {
		ckpt_key_sort(file, sort);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_EXTERNAL, -EBADF,
				  "what is given for %s is of another type: %s", key, sort);
	}
	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_EXTERNAL, -EBADF,
			  "what is given for %s is not open for %s%s", key,
			  rec->flags & CKPT_FILEF_READ ? "reading" : "",
			  !(rec->flags & CKPT_FILEF_WRITE) ? "" :
			  rec->flags & CKPT_FILEF_READ ? " and writing" : "writing");
}

static struct file *open_value(const struct ckpt_rec_file *rec, const char *path)
{
	bool read = rec->flags & CKPT_FILEF_READ, write = rec->flags & CKPT_FILEF_WRITE;
	struct file *file;

	file = filp_open(path, (write ? (read ? O_RDWR : O_WRONLY) : O_RDONLY) | O_NOCTTY |
			 (rec->flags & CKPT_FILEF_APPEND ? O_APPEND : 0) |
			 (rec->flags & CKPT_FILEF_NONBLOCK ? O_NONBLOCK : 0) | O_LARGEFILE, 0);
	if (!IS_ERR(file) && S_ISREG(rec->mode) && file->f_mode & FMODE_LSEEK)
		file->f_pos = rec->pos;
	return file;
}

/* What an entry has, as far as it can be opened. */
static struct file *open_entry(struct ckpt_ctx *ctx, struct ckpt_task *t,
			       const struct ckpt_entry *e, const struct ckpt_rec_file *rec)
{
	struct file *file = e->file ? get_file(e->file) : open_value(rec, e->value);

	if (IS_ERR(file))
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_EXTERNAL, PTR_ERR(file),
			   "cannot open %s, which is given for %s", e->value, e->name);
	return file;
}

/* What the restarter has given for the key; NULL: nothing. */
static struct file *inherited(struct ckpt_ctx *ctx, struct ckpt_task *t,
			      const struct ckpt_rec_file *rec, const char *key)
{
	const struct ckpt_list *list = &ctx->outside->inherit;
	struct file *file = NULL, *wrong = NULL;
	struct ckpt_entry *e = NULL;
	int ret;

	while ((e = ckpt_list_find(list, key, e))) {
		file = open_entry(ctx, t, e, rec);
		if (IS_ERR(file) || can_stand_for(file, rec, key))
			break;
		if (wrong)
			fput(wrong);
		wrong = file;
		file = NULL;
	}
	if (!wrong)
		return file;
	ret = file ? 0 : report_wrong(ctx, t, wrong, rec, key);
	fput(wrong);
	return file ?: ERR_PTR(ret);
}

static struct file *standard_stream(struct ckpt_ctx *ctx, struct ckpt_task *t,
				    const struct ckpt_rec_file *rec, const char *key)
{
	struct file *file = ctx->std[rec->std_fd];
	fmode_t need = (rec->flags & CKPT_FILEF_READ ? FMODE_READ : 0) |
		       (rec->flags & CKPT_FILEF_WRITE ? FMODE_WRITE : 0);

	/* A terminal is often open for both where one is enough. */
	if (rec->std_fd == 0)
		need &= ~FMODE_WRITE;
	else
		need &= ~FMODE_READ;
	if (file && (file->f_mode & need) == need)
		return get_file(file);
	return ERR_PTR(ckpt_error(ctx, CKPT_AT_FD(t, rec->std_fd), CKPT_WHY_EXTERNAL, -EBADF,
				  "the restarter's descriptor %u has to take the place of %s",
				  rec->std_fd, key));
}

static struct file *external_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				     const struct ckpt_rec_file *rec, const char *name)
{
	struct file *file = inherited(ctx, t, rec, name);

	if (!file && rec->std_fd != CKPT_NO_STREAM)
		file = standard_stream(ctx, t, rec, name);
	if (file)
		return file;
	return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_EXTERNAL, -EBADF,
				  "%s belongs to the outside: --inherit '%s=FD' (or =PATH) supplies it",
				  name, name));
}

const struct ckpt_file_kind ckpt_external_kind = {
	.name = "external",
	.kind = CKPT_FILE_EXTERNAL,
	.probe = external_probe,
	.collect = external_collect,
	.save = external_save,
	.restore = external_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Standard streams that belong to the outside: a terminal, a pipe or a socket
 * on descriptor 0, 1 or 2, and every other open file of the same object. The
 * restarter hands over its own stream of that number. What is under way in a
 * pipe or terminal belongs to the outside, too.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/sched.h>

#include "../internal.h"

#define HVC_MAJOR	229

static bool is_terminal(const struct inode *inode)
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
	return S_ISFIFO(inode->i_mode) || S_ISSOCK(inode->i_mode) || is_terminal(inode);
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

static int external_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			 struct ckpt_rec_file *rec, char *name)
{
	struct inode *inode = file_inode(file);
	char *found;

	rec->std_fd = standard_fd(t, file);
	rec->mode = inode->i_mode;
	rec->ino = inode->i_ino;
	rec->rdev = huge_encode_dev(inode->i_rdev);
	found = file_path(file, name, CKPT_PATH_MAX);
	if (IS_ERR(found))
		name[0] = 0;
	else
		memmove(name, found, strlen(found) + 1);
	return 0;
}

static struct file *external_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				     const struct ckpt_rec_file *rec, const char *name)
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
				  rec->std_fd, name));
}

const struct ckpt_file_kind ckpt_external_kind = {
	.name = "external",
	.kind = CKPT_FILE_EXTERNAL,
	.probe = external_probe,
	.save = external_save,
	.restore = external_restore,
};

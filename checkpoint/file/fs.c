// SPDX-License-Identifier: GPL-2.0-only
/*
 * File system context: root and current directory, by name, and umask.
 * Processes of the tree may share one. A thread with a context of its own, and a
 * context that others use, too, are obstacles.
 *
 * A current directory of a process in /proc is saved as a descriptor of it would be
 * (procfs.c), and found when that process is there.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "procfs.h"

static bool uses_fs(struct task_struct *task, const void *fs)
{
	return READ_ONCE(task->fs) == fs;
}

/* A stopped task that is killed may leave its context at any time. */
static int get_dirs(struct task_struct *task, struct path *root, struct path *pwd, int *umask)
{
	struct fs_struct *fs;

	task_lock(task);
	fs = task->fs;
	if (fs) {
		get_fs_root(fs, root);
		get_fs_pwd(fs, pwd);
		*umask = fs->umask & 0777;
	}
	task_unlock(task);
	return fs ? 0 : -ESRCH;
}

static void collect_sharing(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct fs_struct *fs;
	int users;
	u32 i;

	task_lock(t->task);
	fs = t->task->fs;
	users = fs ? fs->users : 0;
	task_unlock(t->task);
	for (i = t->index; i < t->leader->index + t->leader->nr_threads; i++)
		if (ctx->tasks[i]->task->fs != fs)
			ckpt_obstacle(ctx, CKPT_AT(ctx->tasks[i]), CKPT_WHY_FILE_SHARED,
				      "a thread has a root and current directory of its own");
	if (users > t->leader->nr_threads && ckpt_used_outside(ctx, uses_fs, fs))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_FILE_SHARED,
			      "another process shares root and current directory");
}

/* A descriptor of a directory in that of a process in /proc, NULL: it is not there. */
static struct file *open_in_proc(const struct path *path)
{
	struct file *file;
	struct pid *pid;

	if (path->dentry->d_sb->s_magic != PROC_SUPER_MAGIC)
		return NULL;
	file = dentry_open(path, O_PATH | O_DIRECTORY, current_cred());
	if (IS_ERR(file))
		return file;
	pid = ckpt_proc_pid(file);
	put_pid(pid);
	if (pid)
		return file;
	fput(file);
	return NULL;
}

/* Is it there? Saving it fails, if it cannot be looked at. */
static bool collect_in_proc(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
			    const char *what)
{
	struct file *file = open_in_proc(path);

	if (IS_ERR_OR_NULL(file))
		return file;
	if (!strcmp(what, "root"))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_FILE,
			      "its root directory is that of a process in /proc: %pd",
			      path->dentry);
	else if (!ckpt_procfs_kind.probe(t, file))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_FILE,
			      "its current directory is in /proc, of a process that is not of the tree: %pd2",
			      path->dentry);
	else
		ckpt_procfs_kind.collect(ctx, CKPT_AT(t), file);
	fput(file);
	return true;
}

static void collect_dir(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
			const char *what)
{
	/* A lack of memory must not look like an obstacle. */
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	char *name = ckpt_path_name(ctx, path, buf);

	if (collect_in_proc(ctx, t, path, what))
		goto out;
	if (d_unlinked(path->dentry) && !strcmp(what, "root"))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_FILE_DELETED,
			      "its root directory was deleted");
	else if (d_unlinked(path->dentry))
		ckpt_unlinked_collect_dir(ctx, CKPT_AT(t), path);
	else if (IS_ERR_OR_NULL(name))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_FILE_UNREACHABLE,
			      "its %s directory is outside of the caller's root or mounts", what);
out:
	kfree(buf);
}

static int fs_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct path root, pwd;
	int umask;

	if (get_dirs(t->task, &root, &pwd, &umask))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH, "has exited");
	collect_sharing(ctx, t);
	collect_dir(ctx, t, &root, "root");
	collect_dir(ctx, t, &pwd, "current");
	path_put(&root);
	path_put(&pwd);
	return 0;
}

/* The record of a descriptor that would be opened late; its name is that of the directory. */
static int save_in_proc(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file, u32 *tag,
			char *name)
{
	struct ckpt_rec_file rec = {
		.kind = CKPT_FILE_PROCFS,
		.flags = CKPT_FILEF_DIRECTORY,
	};
	struct dentry *dentry = file->f_path.dentry;
	int ret = ckpt_procfs_kind.save(ctx, t, file, &rec, name);

	*tag = ret ? 0 : ckpt_tag_of(ctx, dentry);
	if (ret || *tag)
		return ret;
	/* The descriptor is ours, and goes; the directory stays in use. */
	*tag = ckpt_new_tag(ctx, dentry);
	rec.path_len = strlen(name);
	return *tag ? ckpt_write_record(ctx, CKPT_REC_FILE, *tag, sizeof(rec), &rec, sizeof(rec),
					name, rec.path_len) : -ENOMEM;
}

/* Of a removed directory the name of the one in which it was. */
static char *pwd_name(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *pwd,
		      struct ckpt_rec_fs *rec, char *buf)
{
	struct file *file = open_in_proc(pwd);
	struct path dir = *pwd;
	char *name;
	int ret;

	if (IS_ERR(file))
		return ERR_CAST(file);
	if (file) {
		ret = save_in_proc(ctx, t, file, &rec->cwd, buf);
		fput(file);
		return ret ? ERR_PTR(ret) : buf;
	}
	if (!d_unlinked(pwd->dentry))
		return ckpt_path_name(ctx, pwd, buf);
	ret = ckpt_unlinked_save_dir(ctx, t, pwd, &rec->cwd);
	if (ret)
		return ERR_PTR(ret);
	dir.dentry = dget_parent(pwd->dentry);
	name = ckpt_path_name(ctx, &dir, buf);
	dput(dir.dentry);
	return name;
}

/* Writes the names one behind the other; @bufs has room for both. */
static int fill_names(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_fs *rec,
		      char *tail, char *buf)
{
	struct path root, pwd;
	int ret = -EBUSY;
	char *name;
	int umask;

	if (get_dirs(t->task, &root, &pwd, &umask))
		return -ESRCH;
	rec->umask = umask;
	name = ckpt_path_name(ctx, &root, buf);
	if (!IS_ERR_OR_NULL(name)) {
		rec->root_len = strlen(name);
		memcpy(tail, name, rec->root_len);
		name = pwd_name(ctx, t, &pwd, rec, buf);
	}
	if (!IS_ERR_OR_NULL(name)) {
		rec->cwd_len = strlen(name);
		memcpy(tail + rec->root_len, name, rec->cwd_len);
		ret = 0;
	}
	path_put(&root);
	path_put(&pwd);
	return ret;
}

static int fs_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct fs_struct *fs = READ_ONCE(t->task->fs);
	u32 tag = ckpt_tag_of(ctx, fs);
	struct ckpt_rec_fs rec = {};
	char *buf;
	int ret;

	if (tag)
		return ckpt_write_use(ctx, CKPT_REC_FS, tag);
	tag = ckpt_new_tag(ctx, fs);
	if (!tag)
		return -ENOMEM;
	buf = kmalloc(3 * CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	ret = fill_names(ctx, t, &rec, buf, buf + 2 * CKPT_PATH_MAX);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_FS, tag, sizeof(rec), &rec, sizeof(rec),
					buf, rec.root_len + rec.cwd_len);
	kfree(buf);
	return ret;
}

static int find_dir(struct ckpt_ctx *ctx, const char *start, u32 len, struct path *path)
{
	char *name = ckpt_name_now(ctx, start, len, true);
	int ret;

	if (IS_ERR(name))
		return PTR_ERR(name);
	ret = kern_path(name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, path);
	kfree(name);
	if (ret)
		return ret;
	ret = path_permission(path, MAY_EXEC | MAY_CHDIR);
	if (ret)
		path_put(path);
	return ret;
}

/* What is found late is the root directory until then. */
static int find_pwd(struct ckpt_ctx *ctx, struct ckpt_rec *rec, const char *name,
		    const struct path *root, struct path *pwd)
{
	const struct ckpt_rec_fs *saved = ckpt_rec_data(rec);
	int ret;

	if (!saved->cwd)
		return find_dir(ctx, name, saved->cwd_len, pwd);
	if (!xa_load(&ctx->late_files, saved->cwd))
		return ckpt_unlinked_dir(ctx, saved->cwd, pwd);
	ret = xa_err(xa_store(&ctx->late_dirs, rec->tag, xa_mk_value(saved->cwd),
			      GFP_KERNEL_ACCOUNT));
	if (ret)
		return ret;
	*pwd = *root;
	path_get(pwd);
	return 0;
}

static int set_root(struct ckpt_ctx *ctx, const struct path *root)
{
	if (path_equal(root, &ctx->root))
		return 0;
	if (!ns_capable(current_user_ns(), CAP_SYS_CHROOT))
		return -EPERM;
	set_fs_root(current->fs, root);
	return 0;
}

static void get_fs(struct fs_struct *fs)
{
	spin_lock(&fs->lock);
	fs->users++;
	spin_unlock(&fs->lock);
}

static void put_fs(void *obj)
{
	struct fs_struct *fs = obj;
	bool last;

	spin_lock(&fs->lock);
	last = !--fs->users;
	spin_unlock(&fs->lock);
	if (last)
		free_fs_struct(fs);
}

static int fs_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_fs *saved = ckpt_rec_data(rec);
	const char *names = ckpt_rec_tail(rec);
	struct path root, pwd;
	int ret;

	ret = find_dir(ctx, names, saved->root_len, &root);
	if (ret)
		goto out;
	/* Both names are the caller's: the second is looked up before chroot. */
	ret = find_pwd(ctx, rec, names + saved->root_len, &root, &pwd);
	if (!ret) {
		ret = set_root(ctx, &root);
		if (!ret)
			set_fs_pwd(current->fs, &pwd);
		path_put(&pwd);
	}
	path_put(&root);
	current->fs->umask = saved->umask;
	if (!ret)
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_fs_ops, current->fs);
	if (!ret)
		get_fs(current->fs);
out:
	t->seen_fs = 1;
	if (ret == -ENOENT || ret == -ENOTDIR)
		ret = -ESTALE;
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_MISSING, ret,
			   "root or current directory %.*s%s%.*s is not usable", saved->root_len,
			   names, " or ", saved->cwd_len, names + saved->root_len);
	ckpt_free_record(rec);
	return ret;
}

/**
 * ckpt_fs_late - set current directories that take all tasks
 * @ctx: context of a restart; all files are there
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_fs_late(struct ckpt_ctx *ctx)
{
	struct fs_struct *fs;
	unsigned long tag;
	struct file *dir;
	void *value;
	int ret = 0;

	xa_for_each(&ctx->late_dirs, tag, value) {
		fs = ckpt_get_tag(ctx, tag, &ckpt_fs_ops);
		dir = ckpt_get_tag(ctx, xa_to_value(value), &ckpt_file_ops);
		if (!fs || !dir || !S_ISDIR(file_inode(dir)->i_mode))
			ret = -EBADMSG;
		else
			ret = path_permission(&dir->f_path, MAY_EXEC | MAY_CHDIR);
		/* In that of one who is gone nothing is to be had. */
		if (ret == -ESRCH)
			ret = 0;
		if (ret)
			return ckpt_error(ctx, CKPT_AT(NULL), ret == -EBADMSG ? CKPT_WHY_IMAGE :
					  CKPT_WHY_FILE, ret,
					  "a current directory in /proc is not usable");
		set_fs_pwd(fs, &dir->f_path);
	}
	return 0;
}

/* As unshare(2) changes it. */
static int fs_share(struct ckpt_ctx *ctx, struct ckpt_task *t, void *obj)
{
	struct fs_struct *old = current->fs;

	get_fs(obj);
	task_lock(current);
	current->fs = obj;
	task_unlock(current);
	put_fs(old);
	t->shares_fs = true;
	t->seen_fs = 1;
	return 0;
}

const struct ckpt_obj_ops ckpt_fs_ops = {
	.name = "file system context",
	.rec = CKPT_REC_FS,
	.collect = fs_collect,
	.save = fs_save,
	.restore = fs_restore,
	.share = fs_share,
	.put = put_fs,
	.common = true,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files in the directories of processes and threads in /proc: whose they are,
 * what they keep from the time when they were opened, and what their names are
 * after a restart.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "../../fs/mount.h"
#include "../../fs/proc/internal.h"
#include "procfs.h"

#define NR_LEN	12	/* a number, and a zero */

/**
 * ckpt_proc_pid - process or thread in whose directory a file is
 * @file: a file of any file system
 *
 * Return: its pid, referenced; NULL: none.
 */
struct pid *ckpt_proc_pid(struct file *file)
{
	struct dentry *up, *dentry = file->f_path.dentry;
	struct pid *pid = NULL;

	if (dentry->d_sb->s_magic != PROC_SUPER_MAGIC)
		return NULL;
	dget(dentry);
	while (!IS_ROOT(dentry)) {
		pid = get_pid(proc_pid(d_inode(dentry)));
		if (pid)
			break;
		up = dget_parent(dentry);
		dput(dentry);
		dentry = up;
	}
	dput(dentry);
	return pid;
}

/**
 * ckpt_proc_number - number below the root of /proc that leads to a file
 * @file: a file of any file system
 *
 * Return: the number; 0: it is not in the directory of a process.
 */
u32 ckpt_proc_number(struct file *file)
{
	struct dentry *up, *dentry = dget(file->f_path.dentry), *root = dentry->d_sb->s_root;
	char name[NR_LEN] = "";
	u32 nr;

	while (dentry != root) {
		up = dget_parent(dentry);
		if (up == root)
			snprintf(name, sizeof(name), "%pd", dentry);
		dput(dentry);
		dentry = up;
	}
	dput(dentry);
	if (root->d_sb->s_magic != PROC_SUPER_MAGIC || kstrtou32(name, 10, &nr))
		return 0;
	return nr;
}

/**
 * ckpt_proc_is_gone - is nothing left of a process or thread?
 * @pid: its pid
 *
 * Return: true if it was waited for, or was a thread that has ended.
 */
bool ckpt_proc_is_gone(struct pid *pid)
{
	return !pid_has_task(pid, PIDTYPE_PID);
}

/**
 * ckpt_proc_task - thread of the tree with a pid
 * @ctx: context of a save
 * @pid: the pid
 *
 * Return: the thread, NULL: it is gone, or outside of the tree.
 */
struct ckpt_task *ckpt_proc_task(struct ckpt_ctx *ctx, struct pid *pid)
{
	struct ckpt_task *t = NULL;
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	if (task)
		t = xa_load(&ctx->task_index, task->pid);
	rcu_read_unlock();
	return t;
}

static bool is_one_of(struct file *file, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(file->f_path.dentry->d_name.name, *names))
			return true;
	return false;
}

/* Is it itself in the directory of a process, not further below? */
static bool is_direct(struct file *file)
{
	struct dentry *dir = dget_parent(file->f_path.dentry);
	u32 nr;
	bool ret = proc_pid(d_inode(dir)) && !kstrtou32(dir->d_name.name, 10, &nr);

	dput(dir);
	return ret;
}

/**
 * ckpt_proc_may_write - can a file that is open for writing be opened so again?
 * @file: a file of /proc
 * @of_process: it is in the directory of a process
 *
 * Not if whoever has opened it, and not who writes, must have the right to.
 *
 * Return: true if so.
 */
bool ckpt_proc_may_write(struct file *file, bool of_process)
{
	static const char *const names[] = {
		"comm", "oom_score_adj", "oom_adj", "coredump_filter", "timerslack_ns",
		"autogroup", "sched", "clear_refs", "mem", NULL
	};

	if (!of_process)
		return PROC_I(file_inode(file))->sysctl;
	return is_direct(file) && is_one_of(file, names);
}

/* Does it keep an address space? Which (NULL: none was left) is told. */
static bool keeps_mm(struct file *file, struct mm_struct **mm)
{
	static const char *const plain[] = { "mem", "environ", "auxv", "pagemap", NULL };
	static const char *const listed[] = {
		"maps", "smaps", "smaps_rollup", "numa_maps", NULL
	};
	const struct proc_maps_private *maps;

	if (is_one_of(file, plain)) {
		*mm = file->private_data;
		return true;
	}
	if (!is_one_of(file, listed))
		return false;
	maps = ((struct seq_file *)file->private_data)->private;
	*mm = maps->mm;
	return true;
}

/* A dead address space is like another; a living one must be what the process has. */
static bool is_right_mm(struct ckpt_task *t, const struct mm_struct *mm)
{
	struct ckpt_task *main = t ? t->leader->main : NULL;

	if (main)
		return mm && READ_ONCE(main->task->mm) == mm;
	return !mm || !atomic_read(&mm->mm_users);
}

static bool has_root(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *root)
{
	struct ckpt_task *main = t ? t->leader->main : NULL;
	bool ret = false;

	if (!main)
		return path_equal(root, &ctx->root);
	task_lock(main->task);
	if (main->task->fs) {
		spin_lock(&main->task->fs->lock);
		ret = path_equal(root, &main->task->fs->root);
		spin_unlock(&main->task->fs->lock);
	}
	task_unlock(main->task);
	return ret;
}

static bool is_right_mounts(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file)
{
	static const char *const names[] = { "mounts", "mountinfo", "mountstats", NULL };
	const struct proc_mounts *p;

	if (!is_one_of(file, names))
		return true;
	p = ((struct seq_file *)file->private_data)->private;
	return p->ns == current->nsproxy->mnt_ns && has_root(ctx, t, &p->root);
}

static bool is_map_of_ids(struct file *file)
{
	static const char *const names[] = {
		"uid_map", "gid_map", "projid_map", "setgroups", NULL
	};

	return is_one_of(file, names);
}

static bool has_own_user_ns(struct ckpt_task *t)
{
	struct user_namespace *ns;

	if (!t)
		return true;
	rcu_read_lock();
	ns = __task_cred(t->task)->user_ns;
	rcu_read_unlock();
	return ns != current_user_ns();
}

/* They come and go with descriptors and mappings, of which there are none yet. */
static bool is_in_list(struct file *file)
{
	static const char *const names[] = { "fd", "fdinfo", "map_files", NULL };
	struct dentry *dir = dget_parent(file->f_path.dentry);
	bool ret = false;
	int i;

	for (i = 0; names[i]; i++)
		ret = ret || !strcmp(dir->d_name.name, names[i]);
	dput(dir);
	return ret;
}

/**
 * ckpt_proc_why_not - why can a file of a process not be opened again as it is?
 * @ctx: context of a save
 * @file: the file
 * @pid: what it is of
 *
 * Return: the reason, NULL: it can.
 */
const char *ckpt_proc_why_not(struct ckpt_ctx *ctx, struct file *file, struct pid *pid)
{
	struct ckpt_task *t = ckpt_proc_task(ctx, pid);
	struct mm_struct *mm;

	if (is_in_list(file))
		return "a file of a single descriptor or mapping in /proc";
	if (file->f_mode & FMODE_PATH || !is_direct(file))
		return NULL;
	if (keeps_mm(file, &mm) && !is_right_mm(t, mm))
		return "a file of memory in /proc that its process does not have any more";
	if (!is_right_mounts(ctx, t, file))
		return "a list of mounts in /proc that its process does not see any more";
	if (is_map_of_ids(file) && has_own_user_ns(t))
		return "a map of ids in /proc of another user namespace";
	return NULL;
}

/* What a thread of the tree is called by now; 0: there is none. */
static u32 number_now(struct ckpt_ctx *ctx, u32 was)
{
	struct ckpt_task *t = xa_load(&ctx->task_index, was);
	struct task_struct *task = t ? READ_ONCE(t->task) : NULL;

	return task ? task_pid_nr_ns(task, ctx->pidns) : 0;
}

/* What is behind the number of a process, or NULL; @len: of what is before it. */
static const char *find_number(const char *name, u32 nr, size_t *len)
{
	char part[NR_LEN + 1];
	size_t part_len = snprintf(part, sizeof(part), "/%u", nr);
	const char *at = name;

	do {
		at = strstr(at + 1, part);
	} while (at && at[part_len] && at[part_len] != '/');
	if (!at)
		return NULL;
	*len = at - name;
	return at + part_len;
}

/* The thread that a name goes on with, 0: none; @rest: what is behind it. */
static u32 thread_in(const char *name, const char **rest)
{
	char nr[NR_LEN];
	size_t len;
	u32 tid;

	if (strncmp(name, "/task/", 6))
		return 0;
	name += 6;
	len = strcspn(name, "/");
	if (len >= sizeof(nr))
		return 0;
	memcpy(nr, name, len);
	nr[len] = 0;
	if (kstrtou32(nr, 10, &tid))
		return 0;
	*rest = name + len;
	return tid;
}

/**
 * ckpt_proc_name - name of a file in the directory of a process after a restart
 * @ctx: context of a restart; all tasks exist
 * @rec: its record
 * @was: its name when it was saved
 * @buf: gets it, of CKPT_PATH_MAX bytes
 *
 * What is gone has current as its stand-in.
 *
 * Return: the number in it, or -EBADMSG.
 */
int ckpt_proc_name(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec, const char *was,
		   char *buf)
{
	bool gone = rec->flags & CKPT_FILEF_GONE;
	u32 own = task_pid_nr_ns(current, ctx->pidns), tid, now;
	const char *rest;
	char thread[24] = "";
	size_t len;

	rest = find_number(was, rec->object, &len);
	now = gone ? own : number_now(ctx, rec->object);
	if (!rest || !now)
		return -EBADMSG;
	tid = thread_in(rest, &rest);
	if (tid) {
		tid = gone ? own : number_now(ctx, tid);
		if (!tid)
			return -EBADMSG;
		snprintf(thread, sizeof(thread), "/task/%u", tid);
	}
	if (snprintf(buf, CKPT_PATH_MAX, "%.*s/%u%s%s", (int)len, was, now, thread, rest) >=
	    CKPT_PATH_MAX)
		return -EBADMSG;
	return now;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces that are open (/proc/PID/ns/NAME, ioctl_ns(2)): user and pid
 * namespaces of the tree, and those of the caller, for which the restarter's come
 * in, as they do for the processes themselves. All others are obstacles, also
 * one that the tree has made and in which none of its processes is.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/proc_ns.h>
#include <linux/user_namespace.h>

#include "../internal.h"

static const struct proc_ns_operations *const types[] = {
	IS_ENABLED(CONFIG_USER_NS) ? &userns_operations : NULL,
	IS_ENABLED(CONFIG_PID_NS) ? &pidns_operations : NULL,
	IS_ENABLED(CONFIG_NET_NS) ? &netns_operations : NULL,
	IS_ENABLED(CONFIG_UTS_NS) ? &utsns_operations : NULL,
	IS_ENABLED(CONFIG_IPC_NS) ? &ipcns_operations : NULL,
	IS_ENABLED(CONFIG_CGROUPS) ? &cgroupns_operations : NULL,
	IS_ENABLED(CONFIG_TIME_NS) ? &timens_operations : NULL,
	&mntns_operations,
};

static const struct proc_ns_operations *find_type(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i] && !strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

/* Is it that of current? */
static bool is_own(struct ns_common *ns)
{
	struct ns_common *own = ns->ops->get(current);

	if (own)
		ns->ops->put(own);
	return own == ns;
}

/* Its number in the tree, 0: it has none. */
static u32 number_of(struct ckpt_ctx *ctx, struct ns_common *ns)
{
	if (ns->ops->type == CLONE_NEWUSER)
		return ckpt_ns_nr(ctx, container_of(ns, struct user_namespace, ns));
	if (ns->ops->type == CLONE_NEWPID)
		return ckpt_ns_nr(ctx, container_of(ns, struct pid_namespace, ns));
	return 0;
}

static bool nsfs_probe(struct ckpt_task *t, struct file *file)
{
	struct ns_common *ns;

	if (!proc_ns_file(file) || file->f_mode & FMODE_WRITE)
		return false;
	ns = get_proc_ns(file_inode(file));
	return find_type(ns->ops->name) && (number_of(t->ctx, ns) || is_own(ns));
}

static int nsfs_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		     struct ckpt_rec_file *rec, char *name)
{
	struct ns_common *ns = get_proc_ns(file_inode(file));

	rec->object = number_of(ctx, ns);
	rec->mode = file_inode(file)->i_mode;
	strscpy(name, ns->ops->name, CKPT_PATH_MAX);
	return 0;
}

static struct ns_common *get_of_tree(void *data)
{
	struct ckpt_ns *ns = data;

	return ns->user ? &get_user_ns(ns->user)->ns : &get_pid_ns(ns->pid)->ns;
}

static int find(struct ckpt_ctx *ctx, const struct ckpt_rec_file *rec, const char *name,
		struct path *path)
{
	const struct proc_ns_operations *type = find_type(name);
	struct ckpt_ns *ns;

	if (!type || rec->flags & CKPT_FILEF_WRITE)
		return type ? -EBADMSG : -ENOEXEC;
	if (!rec->object)
		return ns_get_path(path, ctx->caller, type);
	ns = ckpt_ns_at(ctx, rec->object, type->type == CLONE_NEWUSER ? CKPT_NS_USER :
			type->type == CLONE_NEWPID ? CKPT_NS_PID : 0);
	return ns ? ns_get_path_cb(path, get_of_tree, ns) : -EBADMSG;
}

static struct file *nsfs_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct file *file;
	struct path path;
	int ret = find(ctx, rec, name, &path);

	if (!ret) {
		file = dentry_open(&path, ckpt_open_flags(rec) & ~(O_NOCTTY | O_NONBLOCK),
				   current_cred());
		ret = PTR_ERR_OR_ZERO(file);
		path_put(&path);
	}
	if (ret)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), ret == -EBADMSG ? CKPT_WHY_IMAGE :
					  CKPT_WHY_NAMESPACE, ret,
					  "a %s namespace cannot be opened again", name));
	if (rec->flags & CKPT_FILEF_NONBLOCK) {
		spin_lock(&file->f_lock);
		file->f_flags |= O_NONBLOCK;
		spin_unlock(&file->f_lock);
	}
	return file;
}

const struct ckpt_file_kind ckpt_nsfs_kind = {
	.name = "namespace",
	.kind = CKPT_FILE_NAMESPACE,
	.probe = nsfs_probe,
	.save = nsfs_save,
	.restore = nsfs_restore,
};

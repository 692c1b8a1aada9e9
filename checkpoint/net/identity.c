// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is at the other end of a socket, or has sent a message. Nobody else may be
 * named than whom the caller of restart() could name by ordinary system calls, since
 * a process outside may get the socket and believe it.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>

#include "unix.h"

/**
 * ckpt_may_be_group - can the caller become a member of a group?
 * @gid: the group
 *
 * Return: true if it could.
 */
bool ckpt_may_be_group(kgid_t gid)
{
	const struct cred *cred = current_cred();

	return gid_valid(gid) &&
	       (gid_eq(gid, cred->gid) || gid_eq(gid, cred->egid) || gid_eq(gid, cred->sgid) ||
		ns_capable(current_user_ns(), CAP_SETGID));
}

/*
 * A process that is not in the tree: only its number is left, which may be in use by
 * somebody else by now. With fresh pids it means nothing.
 */
static struct pid *gone_pid(struct ckpt_ctx *ctx, u32 nr)
{
	struct pid_namespace *ns = ctx->pidns;
	struct pid *pid = alloc_pid(ns, NULL, 0);
	unsigned int i;

	if (IS_ERR(pid))
		return pid;
	get_pid(pid);
	free_pid(pid);
	/* It is in no table any more. */
	for (i = 0; i <= ns->level; i++)
		pid->numbers[i].nr = 0;
	if (!(ctx->flags & RESTART_NEW_PIDS) && checkpoint_restore_ns_capable(ns->user_ns))
		pid->numbers[ns->level].nr = nr;
	return pid;
}

static struct pid *get_gone(struct ckpt_ctx *ctx, u32 nr)
{
	struct pid *pid = xa_load(&ctx->gone_pids, nr);
	int ret;

	/* Messages are told apart by it: all of one process have the same. */
	if (pid)
		return get_pid(pid);
	pid = gone_pid(ctx, nr);
	if (IS_ERR(pid))
		return pid;
	ret = xa_err(xa_store(&ctx->gone_pids, nr, pid, GFP_KERNEL_ACCOUNT));
	if (!ret)
		return get_pid(pid);
	put_pid(pid);
	return ERR_PTR(ret);
}

/**
 * ckpt_socket_pid - process that a socket or message tells
 * @ctx: context of a restart, all tasks exist
 * @nr: its number in the image, 0: it has none here
 * @gone: it is not in the tree
 * @pid: gets a reference
 *
 * Return: 0 or a negative errno.
 */
int ckpt_socket_pid(struct ckpt_ctx *ctx, u32 nr, bool gone, struct pid **pid)
{
	struct ckpt_task *t;

	if (gone || !nr) {
		*pid = get_gone(ctx, nr);
		return PTR_ERR_OR_ZERO(*pid);
	}
	t = xa_load(&ctx->task_index, nr);
	*pid = t && t->task ? get_task_pid(t->task, PIDTYPE_PID) : NULL;
	return *pid ? 0 : -EBADMSG;
}

/**
 * ckpt_gone_pids_free - forget processes that are not there
 * @ctx: context
 */
void ckpt_gone_pids_free(struct ckpt_ctx *ctx)
{
	unsigned long nr;
	struct pid *pid;

	xa_for_each(&ctx->gone_pids, nr, pid)
		put_pid(pid);
	xa_destroy(&ctx->gone_pids);
}

static bool has_groups(const struct cred *cred, const u32 *groups, u32 nr)
{
	u32 i;

	if (cred->group_info->ngroups != nr)
		return false;
	for (i = 0; i < nr; i++)
		if (!gid_eq(cred->group_info->gid[i], make_kgid(current_user_ns(), groups[i])))
			return false;
	return true;
}

static int set_cred_groups(struct cred *cred, const u32 *groups, u32 nr)
{
	struct group_info *info;
	u32 i;

	if (has_groups(cred, groups, nr))
		return 0;
	if (!ns_capable(current_user_ns(), CAP_SETGID))
		return -EPERM;
	if (nr > NGROUPS_MAX)
		return -EINVAL;
	info = groups_alloc(nr);
	if (!info)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		info->gid[i] = make_kgid(current_user_ns(), groups[i]);
		if (!gid_valid(info->gid[i])) {
			put_group_info(info);
			return -EINVAL;
		}
	}
	groups_sort(info);
	set_groups(cred, info);
	put_group_info(info);
	return 0;
}

/**
 * ckpt_socket_cred - identity of the other end of a socket
 * @uid: its user, in the caller's user namespace
 * @gid: its group
 * @groups: its other groups
 * @nr_groups: how many
 *
 * Return: a reference, or an ERR_PTR().
 */
const struct cred *ckpt_socket_cred(u32 uid, u32 gid, const u32 *groups, u32 nr_groups)
{
	const struct cred *own = current_cred();
	kuid_t kuid = make_kuid(current_user_ns(), uid);
	kgid_t kgid = make_kgid(current_user_ns(), gid);
	struct cred *cred;
	int ret;

	if (uid_eq(kuid, own->euid) && gid_eq(kgid, own->egid) &&
	    has_groups(own, groups, nr_groups))
		return get_cred(own);
	if (!ckpt_may_act_as(kuid) || !ckpt_may_be_group(kgid))
		return ERR_PTR(-EPERM);
	cred = prepare_creds();
	if (!cred)
		return ERR_PTR(-ENOMEM);
	cred->euid = kuid;
	cred->egid = kgid;
	ret = set_cred_groups(cred, groups, nr_groups);
	if (!ret)
		return cred;
	put_cred(cred);
	return ERR_PTR(ret);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identity: user and group ids, groups, capability sets, securebits,
 * no_new_privs. Ids are as the caller's user namespace has them, also those of
 * a task in a user namespace of the tree (ns/user.c).
 *
 * At restart nothing is given that the caller could not give itself by the
 * ordinary system calls; less is always possible.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/key.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/user.h>
#include <linux/securebits.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "../../security/landlock/cred.h"
#include "../internal.h"
#include "../optional.h"

static bool all_mapped(struct user_namespace *ns, const struct cred *c)
{
	int i;

	if (!kuid_has_mapping(ns, c->uid) || !kuid_has_mapping(ns, c->euid) ||
	    !kuid_has_mapping(ns, c->suid) || !kuid_has_mapping(ns, c->fsuid) ||
	    !kgid_has_mapping(ns, c->gid) || !kgid_has_mapping(ns, c->egid) ||
	    !kgid_has_mapping(ns, c->sgid) || !kgid_has_mapping(ns, c->fsgid))
		return false;
	for (i = 0; i < c->group_info->ngroups; i++)
		if (!kgid_has_mapping(ns, c->group_info->gid[i]))
			return false;
	return true;
}

static void collect_keys(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct cred *c)
{
	if (ckpt_has_own_keyring(c))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_KEYRING,
			      "has a thread or process keyring, or one to put new keys into");
	if (ckpt_has_other_session(c))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_KEYRING,
			      "has a session keyring that is not the caller's");
}

/* Two proxies may hold the same namespaces. Pid namespaces are in ns/pids.c. */
static bool same_namespaces(const struct nsproxy *a, const struct nsproxy *b)
{
	return a == b ||
	       (a->uts_ns == b->uts_ns && a->ipc_ns == b->ipc_ns && a->mnt_ns == b->mnt_ns &&
		a->net_ns == b->net_ns && a->time_ns == b->time_ns &&
		a->time_ns_for_children == b->time_ns_for_children &&
		a->cgroup_ns == b->cgroup_ns);
}

static void collect_namespaces(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	bool same;

	task_lock(t->task);
	same = t->task->nsproxy && same_namespaces(t->task->nsproxy, current->nsproxy);
	task_unlock(t->task);
	if (!same)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_NAMESPACE,
			      "is in another mount, network, IPC, UTS, time or cgroup namespace than the caller");
}

static int cred_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct cred *c = get_task_cred(t->task);

	if (c->user_ns != ctx->userns && !ckpt_ns_nr(ctx, c->user_ns))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_NAMESPACE,
			      "is in a user namespace that is not below the caller's");
	else if (!all_mapped(ctx->userns, c))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_CRED,
			      "has a user or group id that the caller's user namespace does not map");
	if (c->group_info->ngroups > CKPT_MAX_GROUPS)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_CRED, "has too many groups");
	if (IS_ENABLED(CONFIG_SECURITY_LANDLOCK) && landlock_cred(c)->domain)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_LSM, "is confined by Landlock");
	collect_keys(ctx, t, c);
	put_cred(c);
	collect_namespaces(ctx, t);
	return 0;
}

/* Threads share the identity that they were created with. */
static bool same_as_leader(struct ckpt_task *t, const struct cred *c)
{
	struct task_struct *leader = t->leader->task;
	const struct cred *of_leader = get_task_cred(leader);
	bool same = t != t->leader && of_leader == c &&
		    task_no_new_privs(leader) == task_no_new_privs(t->task);

	put_cred(of_leader);
	return same;
}

static int cred_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct cred *c = get_task_cred(t->task);
	struct user_namespace *ns = ctx->userns;
	struct ckpt_rec_cred rec = {
		.uid = from_kuid(ns, c->uid),
		.euid = from_kuid(ns, c->euid),
		.suid = from_kuid(ns, c->suid),
		.fsuid = from_kuid(ns, c->fsuid),
		.gid = from_kgid(ns, c->gid),
		.egid = from_kgid(ns, c->egid),
		.sgid = from_kgid(ns, c->sgid),
		.fsgid = from_kgid(ns, c->fsgid),
		.securebits = c->securebits,
		.flags = task_no_new_privs(t->task),
		.nr_groups = c->group_info->ngroups,
		.user_ns = ckpt_ns_nr(ctx, c->user_ns),
		.cap_inheritable = c->cap_inheritable.val,
		.cap_permitted = c->cap_permitted.val,
		.cap_effective = c->cap_effective.val,
		.cap_bset = c->cap_bset.val,
		.cap_ambient = c->cap_ambient.val,
	};
	u32 *groups;
	int i, ret = -ENOMEM;

	if (same_as_leader(t, c)) {
		put_cred(c);
		return 0;
	}
	groups = kvcalloc(max(rec.nr_groups, 1U), sizeof(*groups), GFP_KERNEL_ACCOUNT);
	if (groups) {
		for (i = 0; i < rec.nr_groups; i++)
			groups[i] = from_kgid(ns, c->group_info->gid[i]);
		ret = ckpt_write_record(ctx, CKPT_REC_CRED, 0, sizeof(rec), &rec, sizeof(rec),
					groups, rec.nr_groups * sizeof(*groups));
		kvfree(groups);
	}
	put_cred(c);
	return ret;
}

static int cred_restore(struct ckpt_ctx *ctx, struct ckpt_task *leader, struct ckpt_rec *rec)
{
	struct ckpt_task *t = ckpt_thread_being_read(ctx, leader);
	const struct ckpt_rec_cred *c = ckpt_rec_data(rec), *of_leader;

	/* What threads share, one of another user namespace must not have. */
	of_leader = leader->cred ? ckpt_rec_data(leader->cred) : c;
	if (!t || t->cred || c->user_ns != of_leader->user_ns) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an identity in a wrong place");
	}
	t->cred = rec;
	return 0;
}

static bool may_be_uid(const struct cred *old, kuid_t uid)
{
	if (!uid_valid(uid))
		return false;
	if (uid_eq(uid, old->uid) || uid_eq(uid, old->euid) || uid_eq(uid, old->suid) ||
	    uid_eq(uid, old->fsuid))
		return true;
	return kuid_has_mapping(old->user_ns, uid) &&
	       ns_capable_setid(old->user_ns, CAP_SETUID);
}

static bool may_be_gid(const struct cred *old, kgid_t gid)
{
	if (!gid_valid(gid))
		return false;
	if (gid_eq(gid, old->gid) || gid_eq(gid, old->egid) || gid_eq(gid, old->sgid) ||
	    gid_eq(gid, old->fsgid))
		return true;
	return kgid_has_mapping(old->user_ns, gid) &&
	       ns_capable_setid(old->user_ns, CAP_SETGID);
}

/* As setresuid(2) and setfsuid(2): in @old's namespace, from ids of the caller's. */
static int set_uids(struct ckpt_ctx *ctx, struct cred *new, const struct cred *old,
		    const struct ckpt_rec_cred *c)
{
	struct user_namespace *ns = ctx->userns;

	new->uid = make_kuid(ns, c->uid);
	new->euid = make_kuid(ns, c->euid);
	new->suid = make_kuid(ns, c->suid);
	new->fsuid = make_kuid(ns, c->fsuid);
	if (!may_be_uid(old, new->uid) || !may_be_uid(old, new->euid) ||
	    !may_be_uid(old, new->suid) || !may_be_uid(old, new->fsuid))
		return -EPERM;
	if (!uid_eq(new->uid, old->uid)) {
		free_uid(new->user);
		new->user = alloc_uid(new->uid);
		if (!new->user)
			return -EAGAIN;
	}
	return security_task_fix_setuid(new, old, LSM_SETID_RES);
}

/* As setresgid(2) and setfsgid(2). */
static int set_gids(struct ckpt_ctx *ctx, struct cred *new, const struct cred *old,
		    const struct ckpt_rec_cred *c)
{
	struct user_namespace *ns = ctx->userns;

	new->gid = make_kgid(ns, c->gid);
	new->egid = make_kgid(ns, c->egid);
	new->sgid = make_kgid(ns, c->sgid);
	new->fsgid = make_kgid(ns, c->fsgid);
	if (!may_be_gid(old, new->gid) || !may_be_gid(old, new->egid) ||
	    !may_be_gid(old, new->sgid) || !may_be_gid(old, new->fsgid))
		return -EPERM;
	return security_task_fix_setgid(new, old, LSM_SETID_RES);
}

/* As setgroups(2); the same groups need no right. */
static int set_groups_of(struct ckpt_ctx *ctx, struct cred *new, const struct cred *old,
			 const struct ckpt_rec_cred *c, const u32 *groups)
{
	struct group_info *info = groups_alloc(c->nr_groups);
	bool same = c->nr_groups == old->group_info->ngroups, mapped = true;
	int i, ret = 0;

	if (!info)
		return -ENOMEM;
	for (i = 0; i < c->nr_groups; i++) {
		info->gid[i] = make_kgid(ctx->userns, groups[i]);
		if (!gid_valid(info->gid[i]))
			ret = -EPERM;
		mapped = mapped && kgid_has_mapping(old->user_ns, info->gid[i]);
	}
	groups_sort(info);
	for (i = 0; same && i < c->nr_groups; i++)
		same = gid_eq(info->gid[i], old->group_info->gid[i]);
	if (!ret && !same && !(mapped && may_setgroups()))
		ret = -EPERM;
	if (!ret && !same)
		set_groups(new, info);
	put_group_info(info);
	return ret;
}

static bool within(u64 caps, kernel_cap_t limit)
{
	return !(caps & ~limit.val);
}

/* As capset(2) and prctl(2); fewer capabilities are always possible. */
static int set_caps(struct cred *new, const struct cred *old, const struct ckpt_rec_cred *c)
{
	if (!within(c->cap_permitted, old->cap_permitted) ||
	    !within(c->cap_bset, old->cap_bset) ||
	    !within(c->cap_inheritable, cap_combine(old->cap_inheritable,
						    old->cap_permitted)) ||
	    !within(c->cap_inheritable, cap_combine(old->cap_inheritable, old->cap_bset)))
		return -EPERM;
	if (old->securebits & issecure_mask(SECURE_NO_CAP_AMBIENT_RAISE) &&
	    !within(c->cap_ambient, old->cap_ambient))
		return -EPERM;
	if (c->cap_effective & ~c->cap_permitted ||
	    c->cap_ambient & ~(c->cap_permitted & c->cap_inheritable))
		return -EBADMSG;
	if (c->securebits != old->securebits &&
	    (c->securebits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS) ||
	     old->securebits & SECURE_ALL_LOCKS & ~c->securebits ||
	     (old->securebits & SECURE_ALL_LOCKS) >> 1 & (old->securebits ^ c->securebits) ||
	     !ns_capable(old->user_ns, CAP_SETPCAP)))
		return -EPERM;
	new->cap_inheritable.val = c->cap_inheritable;
	new->cap_permitted.val = c->cap_permitted;
	new->cap_effective.val = c->cap_effective;
	new->cap_bset.val = c->cap_bset;
	new->cap_ambient.val = c->cap_ambient;
	new->securebits = c->securebits;
	return 0;
}

static int build_cred(struct ckpt_ctx *ctx, struct cred *new, const struct cred *old,
		      struct ckpt_rec *rec)
{
	const struct ckpt_rec_cred *c = ckpt_rec_data(rec);
	int ret;

	ret = set_groups_of(ctx, new, old, c, ckpt_rec_tail(rec));
	if (!ret)
		ret = set_gids(ctx, new, old, c);
	if (!ret)
		ret = set_uids(ctx, new, old, c);
	/* Last: the change of user ids above has touched the capabilities. */
	if (!ret)
		ret = set_caps(new, old, c);
	return ret ?: set_cred_ucounts(new);
}

/**
 * ckpt_cred_apply - give current its saved identity
 * @ctx: context
 * @t: current
 *
 * Return: 0, -EPERM: it is not the caller's to give, or another negative
 * errno; reported.
 */
int ckpt_cred_apply(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct ckpt_rec *rec = t->cred ?: t->leader->cred;
	const struct ckpt_rec_cred *c = ckpt_rec_data(rec);
	struct cred *new = NULL;
	int ret = 0;

	ret = ckpt_may_be_in_pid_ns(ctx, t->rec, c->user_ns) ? 0 : -EPERM;
	if (!ret && c->user_ns)
		ret = ckpt_user_ns_enter(ctx, c->user_ns);
	if (!ret) {
		new = prepare_creds();
		ret = new ? build_cred(ctx, new, current_cred(), rec) : -ENOMEM;
	}
	if (ret) {
		if (new)
			abort_creds(new);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, ret,
				  "the caller may not become user %u, group %u with capabilities 0x%llx",
				  c->euid, c->egid, c->cap_permitted);
	}
	commit_creds(new);
	if (c->flags & 1)
		task_set_no_new_privs(current);
	return 0;
}

const struct ckpt_obj_ops ckpt_cred_ops = {
	.name = "identity",
	.rec = CKPT_REC_CRED,
	.collect = cred_collect,
	.save = cred_save,
	.restore = cred_restore,
};

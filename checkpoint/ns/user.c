// SPDX-License-Identifier: GPL-2.0-only
/*
 * User namespaces of the tree: who has made them, and their maps. At restart
 * one can be made, and a map written, as the ordinary calls would let the caller.
 */
#include <linux/capability.h>
#include <linux/checkpoint_state.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/securebits.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "../internal.h"

#define NR_KINDS	3

static struct uid_gid_map *map_of(struct user_namespace *ns, u32 kind)
{
	return kind == CKPT_ID_UID ? &ns->uid_map :
	       kind == CKPT_ID_GID ? &ns->gid_map : &ns->projid_map;
}

static const struct uid_gid_extent *extents_of(const struct uid_gid_map *map, u32 nr)
{
	return nr <= UID_GID_MAP_MAX_BASE_EXTENTS ? map->extent : map->forward;
}

/* Maps are written once, their number of extents last. */
static u32 nr_extents(const struct uid_gid_map *map)
{
	/* Pairs with smp_wmb() in map_write(). */
	return smp_load_acquire(&map->nr_extents);
}

/* An id as the namespace above has it: a map was made from such ids. */
static u32 lower_id(struct user_namespace *above, u32 kind, u32 id)
{
	switch (kind) {
	case CKPT_ID_UID:
		return from_kuid(above, KUIDT_INIT(id));
	case CKPT_ID_GID:
		return from_kgid(above, KGIDT_INIT(id));
	default:
		return from_kprojid(above, KPROJIDT_INIT(id));
	}
}

/**
 * ckpt_user_ns_collect - look for what of a user namespace cannot be saved
 * @ctx: context of a save
 * @ns: the namespace
 */
void ckpt_user_ns_collect(struct ckpt_ctx *ctx, const struct ckpt_ns *ns)
{
	struct user_namespace *user = ns->user;
	int i;

	if (!kuid_has_mapping(ctx->userns, user->owner) ||
	    !kgid_has_mapping(ctx->userns, user->group))
		ckpt_obstacle(ctx, CKPT_AT(NULL), CKPT_WHY_NAMESPACE,
			      "a user namespace of the tree was made by an unknown user or group");
	for (i = 0; i < UCOUNT_COUNTS; i++) {
		if (READ_ONCE(user->ucount_max[i]) == INT_MAX)
			continue;
		ckpt_obstacle(ctx, CKPT_AT(NULL), CKPT_WHY_NAMESPACE,
			      "a user namespace of the tree has limits of its own in /proc/sys/user");
		break;
	}
}

/**
 * ckpt_user_ns_fill - describe a user namespace
 * @ctx: context of a save
 * @ns: the namespace
 * @rec: its record
 */
void ckpt_user_ns_fill(struct ckpt_ctx *ctx, struct user_namespace *ns,
		       struct ckpt_rec_namespace *rec)
{
	rec->uid = from_kuid(ctx->userns, ns->owner);
	rec->gid = from_kgid(ctx->userns, ns->group);
	if (READ_ONCE(ns->flags) & USERNS_SETGROUPS_ALLOWED)
		rec->flags |= CKPT_NSF_SETGROUPS;
}

static u32 fill_map(struct user_namespace *ns, u32 nr, u32 kind, struct ckpt_rec_id_map *rec)
{
	struct uid_gid_map *map = map_of(ns, kind);
	u32 i, count = nr_extents(map);
	const struct uid_gid_extent *e = extents_of(map, count);

	for (i = 0; i < count; i++, e++)
		rec[i] = (struct ckpt_rec_id_map){
			.ns = nr,
			.kind = kind,
			.first = e->first,
			.lower = lower_id(ns->parent, kind, e->lower_first),
			.count = e->count,
		};
	return count;
}

/**
 * ckpt_id_maps_save - write the maps of all user namespaces of the tree
 * @ctx: context of a save
 *
 * Return: 0 or a negative errno.
 */
int ckpt_id_maps_save(struct ckpt_ctx *ctx)
{
	struct ckpt_rec_id_map *recs;
	u32 i, kind, nr = 0, users = 0;
	int ret;

	for (i = 0; i < ctx->nr_ns; i++)
		users += !!ctx->ns[i].user;
	recs = kvcalloc(max(users, 1U), NR_KINDS * UID_GID_MAP_MAX_EXTENTS * sizeof(*recs),
			GFP_KERNEL_ACCOUNT);
	if (!recs)
		return -ENOMEM;
	for (i = 0; i < ctx->nr_ns; i++)
		for (kind = 0; ctx->ns[i].user && kind < NR_KINDS; kind++)
			nr += fill_map(ctx->ns[i].user, i + 1, kind, recs + nr);
	ret = ckpt_write_record(ctx, CKPT_REC_ID_MAPS, 0, sizeof(*recs), recs,
				nr * sizeof(*recs), NULL, 0);
	kvfree(recs);
	return ret;
}

/* One map, of as many lines as the image has for it, or none. */
static int restore_map(struct ckpt_ctx *ctx, u32 nr, u32 kind)
{
	const int caps[NR_KINDS] = { CAP_SETUID, CAP_SETGID, -1 };
	const struct ckpt_rec_id_map *rec = ckpt_rec_data(ctx->id_maps);
	u64 i, lines = ckpt_rec_count(ctx->id_maps);
	struct uid_gid_extent *extents;
	u32 count = 0;
	int ret = 0;

	extents = kcalloc(UID_GID_MAP_MAX_EXTENTS, sizeof(*extents), GFP_KERNEL_ACCOUNT);
	if (!extents)
		return -ENOMEM;
	if (fatal_signal_pending(current))
		ret = -EINTR;
	for (i = 0; i < lines && !ret; i++, rec++) {
		if (!(i & 0xffff))
			cond_resched();
		if (rec->ns != nr || rec->kind != kind)
			continue;
		if (count == UID_GID_MAP_MAX_EXTENTS)
			ret = -EBADMSG;
		else
			extents[count++] = (struct uid_gid_extent){
				.first = rec->first,
				.lower_first = rec->lower,
				.count = rec->count,
			};
	}
	if (!ret && count)
		ret = checkpoint_set_id_map(ctx->ns[nr - 1].user, caps[kind], extents, count);
	kfree(extents);
	return ret;
}

static int create(struct ckpt_ctx *ctx, u32 nr)
{
	struct ckpt_ns *ns = &ctx->ns[nr - 1], *above;
	kuid_t owner = make_kuid(ctx->userns, ns->rec.uid);
	kgid_t group = make_kgid(ctx->userns, ns->rec.gid);
	struct user_namespace *user;
	int ret = 0;
	u32 kind;

	above = ckpt_ns_at(ctx, ns->rec.parent, CKPT_NS_USER);
	if (!uid_valid(owner) || !gid_valid(group) ||
	    (!uid_eq(owner, current_euid()) && !ns_capable(ctx->userns, CAP_SETUID)) ||
	    (!gid_eq(group, current_egid()) && !ns_capable(ctx->userns, CAP_SETGID)))
		return -EPERM;
	user = checkpoint_create_user_ns(above ? above->user : ctx->userns, owner, group);
	if (IS_ERR(user))
		return PTR_ERR(user);
	ns->user = user;
	/* Less is always possible, and before the map of groups. */
	if (!(ns->rec.flags & CKPT_NSF_SETGROUPS))
		user->flags &= ~USERNS_SETGROUPS_ALLOWED;
	for (kind = 0; kind < NR_KINDS && !ret; kind++)
		ret = restore_map(ctx, nr, kind);
	return ret;
}

/**
 * ckpt_user_ns_create - make a user namespace of the tree
 * @ctx: context of a restart
 * @nr: its number; those above it exist
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_user_ns_create(struct ckpt_ctx *ctx, u32 nr)
{
	int ret = create(ctx, nr);

	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL),
			   ret == -EPERM ? CKPT_WHY_PERMISSION : CKPT_WHY_NAMESPACE, ret,
			   "the caller cannot make the user namespace of user %u again",
			   ctx->ns[nr - 1].rec.uid);
	return ret;
}

/**
 * ckpt_user_ns_enter - move current into a user namespace of the tree
 * @ctx: context of a restart
 * @nr: number of the namespace, not trusted
 *
 * As setns(2), but that other threads may exist: they enter the same one.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_user_ns_enter(struct ckpt_ctx *ctx, u32 nr)
{
	struct ckpt_ns *ns = ckpt_ns_at(ctx, nr, CKPT_NS_USER);
	struct cred *new;
	int ret;

	if (!ns)
		return -EBADMSG;
	if (!ns_capable(ns->user, CAP_SYS_ADMIN))
		return -EPERM;
	new = prepare_creds();
	if (!new)
		return -ENOMEM;
	put_user_ns(new->user_ns);
	new->user_ns = get_user_ns(ns->user);
	new->securebits = SECUREBITS_DEFAULT;
	new->cap_inheritable = CAP_EMPTY_SET;
	new->cap_permitted = CAP_FULL_SET;
	new->cap_effective = CAP_FULL_SET;
	new->cap_ambient = CAP_EMPTY_SET;
	new->cap_bset = CAP_FULL_SET;
	ret = set_cred_ucounts(new);
	if (ret)
		abort_creds(new);
	else
		commit_creds(new);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of namespaces and cgroups: what can be told from one record alone.
 */
#include <linux/kernel.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

#define NS_PID_MAX	(4 * 1024 * 1024)

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

int ckpt_check_namespaces(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_namespace *ns = ckpt_rec_data(rec);
	u64 i, count = ckpt_rec_count(rec);

	for (i = 0; i < count; i++, ns++) {
		if (ns->type != CKPT_NS_USER && ns->type != CKPT_NS_PID)
			return damaged(r, "a namespace has an unknown type");
		if (ns->parent > i || ns->owner > i || ns->reserved)
			return damaged(r, "a namespace is before another that it names");
		if (ns->type == CKPT_NS_USER ? ns->owner || ns->next_pid :
					       ns->uid || ns->gid || ns->flags)
			return damaged(r, "a namespace has what another type has");
		if (ns->flags & ~CKPT_NSF_ALL || ns->next_pid > NS_PID_MAX)
			return damaged(r, "a namespace has an impossible value");
	}
	return 0;
}

int ckpt_check_id_maps(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_id_map *map = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);

	for (; count; count--, map++) {
		if (!map->ns || map->ns > CKPT_MAX_NAMESPACES || map->kind > CKPT_ID_PROJID ||
		    map->reserved)
			return damaged(r, "a map of ids is of an impossible kind");
		if (!map->count || (u64)map->first + map->count > UINT_MAX ||
		    (u64)map->lower + map->count > UINT_MAX)
			return damaged(r, "a map of ids has an impossible range");
	}
	return 0;
}

int ckpt_check_cgroup(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_cgroup *cgroup = ckpt_rec_data(rec);
	char *path = ckpt_rec_tail(rec);

	if (rec->length - rec->unit != cgroup->path_len || cgroup->reserved ||
	    !cgroup->path_len || cgroup->path_len >= CKPT_PATH_MAX || path[0] != '/' ||
	    memchr(path, 0, cgroup->path_len))
		return damaged(r, "a cgroup has an impossible path");
	return 0;
}

int ckpt_check_pids(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_pid *pid = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);

	for (; count; count--, pid++)
		if (!pid->pid || pid->pid > INT_MAX || !pid->ns ||
		    pid->ns > CKPT_MAX_NAMESPACES || !pid->nr || pid->nr > NS_PID_MAX ||
		    pid->reserved)
			return damaged(r, "a pid has an impossible number");
	return 0;
}

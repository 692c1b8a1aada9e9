// SPDX-License-Identifier: GPL-2.0-only
/* What the records of sockets must be. Builds in user space, too. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

static bool has_times(const struct ckpt_rec_socket *s)
{
	const s64 max = CKPT_MAX_COUNT;

	return s->rcvtimeo_ns >= -1 && s->rcvtimeo_ns <= max && s->sndtimeo_ns >= -1 &&
	       s->sndtimeo_ns <= max && s->stamp_ns >= -1 && s->stamp_ns <= max;
}

/* What is known of the device's name: that it ends. */
static bool has_device(const struct ckpt_rec_socket *s)
{
	size_t len = strnlen(s->device, sizeof(s->device));

	return len < sizeof(s->device) &&
	       !memchr_inv(s->device + len, 0, sizeof(s->device) - len);
}

/**
 * ckpt_check_socket - check a SOCKET record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_socket(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const struct ckpt_rec_socket *s = ckpt_rec_data(rec);

	if (!rec->tag || s->flags & ~CKPT_SOCK_ALL)
		return damaged(r, "a socket has unknown flags or no tag");
	if (!s->family || s->family > 255 || !s->type || s->type > 10 || s->protocol > 0xffff)
		return damaged(r, "a socket has an impossible family, type or protocol");
	if (!s->state || s->state > 12 || s->connected > 4 || s->shutdown > 3)
		return damaged(r, "a socket has an impossible state");
	if (s->mode & ~07777 || s->error > 4095 || s->soft_error > 4095 || s->rcvbuf < 0 ||
	    s->sndbuf < 0 || s->rcvlowat < 0 || s->peek_off < -1 || s->busy_poll > INT_MAX ||
	    s->busy_budget > 0xffff || s->drops > INT_MAX || s->txrehash > 0xff ||
	    s->incoming_cpu < -1 || s->txtime_clock > 0xff || !has_times(s) || !has_device(s))
		return damaged(r, "a socket has an impossible option");
	if (s->nr_insns > CKPT_MAX_INSNS || rec->length - rec->unit != (u64)s->nr_insns * 8)
		return damaged(r, "a socket has an impossible filter");
	return 0;
}

/* A path ends with a zero, which is part of the name; another one starts with it. */
static bool is_name(const struct ckpt_rec_unix *u, const char *name)
{
	if (u->name_len > CKPT_MAX_UNIX_NAME)
		return false;
	return !u->name_len || !name[0] || strnlen(name, u->name_len) == u->name_len - 1;
}

static bool is_file(const struct ckpt_rec_unix *u, const char *name, const char *path)
{
	if (!(u->flags & CKPT_UNIX_FILE))
		return !u->path_len && !u->mode && !u->uid && !u->gid && !u->ino &&
		       !u->generation && (!(u->flags & CKPT_UNIX_BOUND) || !name[0]);
	return u->flags & CKPT_UNIX_BOUND && name[0] && u->path_len &&
	       u->path_len < CKPT_PATH_MAX && path[0] == '/' && !memchr(path, 0, u->path_len) &&
	       !(u->mode & ~07777);
}

/**
 * ckpt_check_unix - check a UNIX record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_unix(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const struct ckpt_rec_unix *u = ckpt_rec_data(rec);
	const char *name;

	if (!u->socket || u->flags & ~CKPT_UNIX_ALL || u->reserved || u->listener == u->socket)
		return damaged(r, "a Unix socket has unknown flags or no tag");
	if (u->nr_groups > CKPT_MAX_GROUPS || rec->length - rec->unit !=
	    (u64)u->name_len + u->path_len + u->nr_groups * (u64)sizeof(u32))
		return damaged(r, "a Unix socket has a wrong length");
	name = (const char *)ckpt_rec_tail(rec) + u->nr_groups * sizeof(u32);
	if (!is_name(u, name) || (u->flags & CKPT_UNIX_BOUND && !u->name_len) ||
	    !is_file(u, name, name + u->name_len))
		return damaged(r, "a Unix socket has an impossible name");
	if (u->flags & CKPT_UNIX_PEER_CRED ? u->peer_pid > INT_MAX :
	    u->flags & CKPT_UNIX_PEER_GONE || u->peer_pid || u->peer_uid || u->peer_gid ||
	    u->nr_groups)
		return damaged(r, "a Unix socket has an impossible peer");
	if (u->flags & CKPT_UNIX_CLOSED && (u->flags & CKPT_UNIX_BOUND || u->peer || u->listener))
		return damaged(r, "a Unix socket that is closed is in use");
	return 0;
}

/**
 * ckpt_check_unix_msg - check a UNIX_MSG record
 * @r: reader
 * @rec: the record
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_check_unix_msg(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	const struct ckpt_rec_unix_msg *m = ckpt_rec_data(rec);
	const u32 oob = CKPT_MSG_OOB | CKPT_MSG_READ;
	const u32 *files = ckpt_rec_tail(rec);
	u32 i;

	if (!m->socket || !m->sender || m->flags & ~CKPT_MSG_ALL || m->reserved)
		return damaged(r, "a message has unknown flags, or no socket");
	if (m->len > CKPT_MAX_UNIX_MSG || m->nr_files > CKPT_MAX_UNIX_FILES ||
	    rec->length - rec->unit != m->nr_files * (u64)sizeof(u32) + m->len)
		return damaged(r, "a message has a wrong length");
	if (m->truesize < m->len || m->truesize > 4 * CKPT_MAX_UNIX_MSG || m->stamp_ns < 0 ||
	    (m->flags & oob && m->len != 1) || (m->flags & oob) == oob)
		return damaged(r, "a message has an impossible value");
	if (m->flags & CKPT_MSG_CRED ? m->pid > INT_MAX : m->flags & CKPT_MSG_GONE || m->pid)
		return damaged(r, "a message is from an impossible process");
	for (i = 0; i < m->nr_files; i++)
		if (!files[i])
			return damaged(r, "a message has a descriptor without a file");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The names that records of internet sockets use for each other. */
#include <errno.h>

#include "image.h"

static int bad(struct image *img, const char *why)
{
	return image_fail(img, EBADMSG, "%s: %s", record_name(img->rec->type), why);
}

static bool is_socket(const struct image *img, uint32_t tag)
{
	return tags_find(&img->order.tags, tag) == CKPT_REC_SOCKET;
}

int image_check_inet(struct image *img)
{
	const struct ckpt_rec_inet *sock = rec_data(img);

	if (sock->flags & ~CKPT_INET_ALL)
		return bad(img, "unknown flags");
	if (rec_tail_length(img) != sock->nr_options * sizeof(struct ckpt_rec_inet_option))
		return bad(img, "a wrong number of options");
	return is_socket(img, sock->socket) ? 0 : bad(img, "a socket was not named before");
}

int image_check_tcp(struct image *img)
{
	const struct ckpt_rec_tcp *tcp = rec_data(img);
	const struct ckpt_rec_tcp_end *end = tcp->ends;
	uint64_t len = 0;
	int i;

	if (tcp->flags & ~CKPT_TCP_ALL)
		return bad(img, "unknown flags");
	for (i = 0; i < 2; i++, end++) {
		len += (uint64_t)end->unread + end->unsent;
		if ((end->socket && !is_socket(img, end->socket)) ||
		    (end->listener && !is_socket(img, end->listener)))
			return bad(img, "a socket was not named before");
	}
	return rec_tail_length(img) == len ? 0 : bad(img, "wrong length");
}

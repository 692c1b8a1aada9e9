// SPDX-License-Identifier: GPL-2.0-only
/*
 * Payloads of records without most of their zero bytes. Register sets and
 * structs full of small numbers shrink to a third or less.
 *
 * Of each 8 bytes: a mask, whose bit i says that byte i is not zero, then these
 * bytes in their order. A mask of 0 is followed by a byte that says how many
 * more times 8 zero bytes follow. This file builds in user space, too.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

static u32 zero_words(const u8 *p, const u8 *end)
{
	u32 nr = 0;

	while (p < end && nr < 255 && !memchr_inv(p, 0, 8)) {
		p += 8;
		nr++;
	}
	return nr;
}

/**
 * ckpt_pack - leave zero bytes out
 * @to: result
 * @room: bytes at @to
 * @from: bytes to pack
 * @len: how many, a multiple of 8
 *
 * Return: bytes at @to, 0: there is not enough room.
 */
size_t ckpt_pack(void *to, size_t room, const void *from, size_t len)
{
	const u8 *in = from, *in_end = in + len;
	u8 *out = to, *out_end = out + room;
	u8 *mask;
	int i;

	while (in < in_end) {
		/* The longest that one word can become. */
		if (out_end - out < 9)
			return 0;
		mask = out++;
		*mask = 0;
		for (i = 0; i < 8; i++, in++) {
			if (!*in)
				continue;
			*mask |= 1 << i;
			*out++ = *in;
		}
		if (!*mask) {
			*out = zero_words(in, in_end);
			in += *out++ * 8;
		}
	}
	return out - (u8 *)to;
}

/**
 * ckpt_unpack - undo ckpt_pack()
 * @to: result
 * @len: bytes that it must have, a multiple of 8
 * @from: packed bytes, which may be anything
 * @from_len: how many
 *
 * Return: 0, -EBADMSG: these are not so many packed bytes.
 */
int ckpt_unpack(void *to, size_t len, const void *from, size_t from_len)
{
	const u8 *in = from, *in_end = in + from_len;
	u8 *out = to, *out_end = out + len;
	u8 mask;
	int i;

	while (in < in_end && out < out_end) {
		mask = *in++;
		for (i = 0; i < 8; i++) {
			if (!(mask & 1 << i)) {
				*out++ = 0;
				continue;
			}
			if (in == in_end)
				return -EBADMSG;
			*out++ = *in++;
		}
		if (mask)
			continue;
		if (in == in_end || *in * 8 > out_end - out)
			return -EBADMSG;
		memset(out, 0, *in * 8);
		out += *in++ * 8;
	}
	return in == in_end && out == out_end ? 0 : -EBADMSG;
}

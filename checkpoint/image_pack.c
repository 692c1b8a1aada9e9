// SPDX-License-Identifier: GPL-2.0-only
/*
 * Payloads of records without most of their zero bytes. Register sets and
 * structs full of small numbers shrink to a third or less.
 *
 * Of each 8 bytes: a mask, whose bit i says that byte i is not zero, then these
 * bytes in their order. A mask of 0 is followed by a byte that says how many
 * more times 8 zero bytes follow. This file builds in user space, too.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "image.h"
#include "limits.h"

static u32 zero_words(const u8 *p, const u8 *end)
{
	const u64 *word = (const u64 *)p;
	u32 nr = 0;

	while (word < (const u64 *)end && nr < 255 && !*word) {
		word++;
		nr++;
	}
	return nr;
}

/* Bytes of a word that are not zero, without a branch for each; returns their mask. */
static u8 pack_word(u8 *out, const u8 *in)
{
	u8 mask = 0;
	bool is_set;
	int i;

	for (i = 0; i < 8; i++) {
		*out = in[i];
		is_set = in[i];
		out += is_set;
		mask |= is_set << i;
	}
	return mask;
}

/**
 * ckpt_pack - leave zero bytes out
 * @to: result
 * @room: bytes at @to
 * @from: bytes to pack, 8-byte aligned
 * @len: how many, a multiple of 8
 *
 * Return: bytes at @to, 0: there is not enough room.
 */
size_t ckpt_pack(void *to, size_t room, const void *from, size_t len)
{
	const u8 *in = from, *in_end = in + len;
	u8 *out = to, *out_end = out + room;

	while (in < in_end) {
		/* The longest that one word can become. */
		if (out_end - out < 9)
			return 0;
		*out = pack_word(out + 1, in);
		in += 8;
		if (*out) {
			out += 1 + hweight8(*out);
		} else {
			out[1] = zero_words(in, in_end);
			in += out[1] * 8;
			out += 2;
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
	u8 mask, left;

	while (in < in_end && out < out_end) {
		mask = *in++;
		if (hweight8(mask) > in_end - in)
			return -EBADMSG;
		memset(out, 0, 8);
		for (left = mask; left; left &= left - 1)
			out[__ffs(left)] = *in++;
		out += 8;
		if (mask)
			continue;
		if (in == in_end || *in * 8 > out_end - out)
			return -EBADMSG;
		memset(out, 0, *in * 8);
		out += *in++ * 8;
	}
	return in == in_end && out == out_end ? 0 : -EBADMSG;
}

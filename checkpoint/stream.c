// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image as a file: one forward pass, without seeking. Small records go
 * through a buffer, page data goes to and from the pages themselves. A file
 * that can seek is read ahead; of a pipe or socket no byte too many is taken.
 */
#include <linux/fs.h>
#include <linux/uio.h>

#include "internal.h"

/* An interrupted call is not restarted: part of the image may be gone. */
static int file_error(ssize_t ret)
{
	switch (ret) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return -EINTR;
	}
	return ret;
}

static loff_t *position(struct ckpt_ctx *ctx)
{
	return ctx->file->f_mode & FMODE_STREAM ? NULL : &ctx->pos;
}

static int write_iter(struct ckpt_ctx *ctx, struct iov_iter *iter)
{
	loff_t none = 0;
	loff_t *pos = position(ctx) ?: &none;
	ktime_t start = ktime_get();
	ssize_t ret = 0;
	size_t left;

	while (iov_iter_count(iter)) {
		left = iov_iter_count(iter);
		ret = vfs_iter_write(ctx->file, iter, pos, 0);
		if (ret <= 0)
			break;
		/* Some file systems do not advance it. */
		iov_iter_advance(iter, ret - (left - iov_iter_count(iter)));
		ctx->offset += ret;
		ret = 0;
		if (READ_ONCE(ctx->killed) || fatal_signal_pending(current)) {
			ret = ctx->killed ? -ESRCH : -EINTR;
			break;
		}
	}
	if (!ret && iov_iter_count(iter))
		ret = -EIO;
	/* What ended the write may be that we were told so. */
	if (READ_ONCE(ctx->killed))
		ret = -ESRCH;
	ctx->stats.write_ns += ktime_to_ns(ktime_sub(ktime_get(), start));
	return file_error(ret);
}

/**
 * ckpt_write_flush - write what the buffer holds
 * @ctx: context of a save
 *
 * Return: 0 or a negative errno of the file.
 */
int ckpt_write_flush(struct ckpt_ctx *ctx)
{
	struct kvec kv = { .iov_base = ctx->buf, .iov_len = ctx->buf_len };
	struct iov_iter iter;

	if (!ctx->buf_len)
		return 0;
	iov_iter_kvec(&iter, ITER_SOURCE, &kv, 1, kv.iov_len);
	/* What is in the buffer has been counted already. */
	ctx->offset -= ctx->buf_len;
	ctx->buf_len = 0;
	return write_iter(ctx, &iter);
}

/**
 * ckpt_write_bytes - append bytes to the image
 * @ctx: context of a save
 * @data: bytes
 * @len: how many
 *
 * Context: may sleep; no locks held.
 * Return: 0 or a negative errno of the file.
 */
int ckpt_write_bytes(struct ckpt_ctx *ctx, const void *data, size_t len)
{
	size_t part;
	int ret;

	while (len) {
		part = min(len, CKPT_BUF_BYTES - ctx->buf_len);
		memcpy(ctx->buf + ctx->buf_len, data, part);
		ctx->buf_len += part;
		ctx->offset += part;
		data += part;
		len -= part;
		if (ctx->buf_len == CKPT_BUF_BYTES) {
			ret = ckpt_write_flush(ctx);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/**
 * ckpt_write_bvecs - append page data to the image
 * @ctx: context of a save
 * @bv: where the data is
 * @nr: entries of @bv
 * @len: bytes in all
 *
 * Context: may sleep; no locks held.
 * Return: 0 or a negative errno of the file.
 */
int ckpt_write_bvecs(struct ckpt_ctx *ctx, const struct bio_vec *bv, u32 nr, size_t len)
{
	struct iov_iter iter;
	int ret = ckpt_write_flush(ctx);

	if (ret)
		return ret;
	iov_iter_bvec(&iter, ITER_SOURCE, bv, nr, len);
	return write_iter(ctx, &iter);
}

static int read_iter(struct ckpt_ctx *ctx, struct iov_iter *iter, loff_t *pos)
{
	ktime_t start = ktime_get();
	loff_t none = 0;
	ssize_t ret = 0;
	size_t left;

	while (iov_iter_count(iter)) {
		left = iov_iter_count(iter);
		ret = vfs_iter_read(ctx->file, iter, pos ?: &none, 0);
		if (ret <= 0)
			break;
		iov_iter_advance(iter, ret - (left - iov_iter_count(iter)));
		ret = 0;
		if (READ_ONCE(ctx->killed) || fatal_signal_pending(current)) {
			ret = ctx->killed ? -ESRCH : -EINTR;
			break;
		}
	}
	ckpt_count_time(ctx, &ctx->stats.write_ns, start);
	if (!ret && iov_iter_count(iter))
		ret = -EBADMSG;
	return file_error(ret);
}

/* Fills the empty buffer; less than it holds is normal at the end. */
static int read_ahead(struct ckpt_ctx *ctx)
{
	struct kvec kv = { .iov_base = ctx->buf, .iov_len = CKPT_BUF_BYTES };
	struct iov_iter iter;
	ssize_t ret;

	iov_iter_kvec(&iter, ITER_DEST, &kv, 1, kv.iov_len);
	ret = vfs_iter_read(ctx->file, &iter, &ctx->pos, 0);
	if (ret < 0)
		return file_error(ret);
	ctx->buf_used = 0;
	ctx->buf_len = ret;
	return ret ? 0 : -EBADMSG;
}

static int read_direct(struct ckpt_ctx *ctx, void *buf, size_t len)
{
	struct kvec kv = { .iov_base = buf, .iov_len = len };
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_DEST, &kv, 1, len);
	return read_iter(ctx, &iter, position(ctx));
}

static int read_bytes(struct ckpt_source *src, void *buf, size_t len)
{
	struct ckpt_ctx *ctx = container_of(src, struct ckpt_ctx, source);
	size_t part;
	int ret;

	if (!ctx->seekable)
		return len ? read_direct(ctx, buf, len) : 0;
	while (len) {
		if (ctx->buf_used == ctx->buf_len) {
			ret = read_ahead(ctx);
			if (ret)
				return ret;
		}
		part = min(len, ctx->buf_len - ctx->buf_used);
		memcpy(buf, ctx->buf + ctx->buf_used, part);
		ctx->buf_used += part;
		buf += part;
		len -= part;
	}
	return 0;
}

/**
 * ckpt_read_bvecs - read page data of the image into pages
 * @ctx: context of a restart
 * @bv: where the data goes
 * @nr: entries of @bv
 * @len: bytes in all
 *
 * Context: may sleep; no locks held.
 * Return: 0, -EBADMSG: the file ends too early, or an errno of the file.
 */
int ckpt_read_bvecs(struct ckpt_ctx *ctx, const struct bio_vec *bv, u32 nr, size_t len)
{
	struct iov_iter iter;
	int ret;

	/* What was read ahead; the rest does not go through the buffer. */
	iov_iter_bvec(&iter, ITER_DEST, bv, nr, len);
	ctx->buf_used += copy_to_iter(ctx->buf + ctx->buf_used, ctx->buf_len - ctx->buf_used,
				      &iter);
	ret = read_iter(ctx, &iter, position(ctx));
	if (!ret)
		ctx->reader.offset += len;
	return ret;
}

/**
 * ckpt_read_bvecs_at - read page data from anywhere in a file that can seek
 * @ctx: context of a restart
 * @bv: where the data goes
 * @nr: entries of @bv
 * @len: bytes in all
 * @pos: position in the file; moves on
 *
 * Context: may sleep; any task, while others read.
 * Return: 0, -EBADMSG: the file ends too early, or an errno of the file.
 */
int ckpt_read_bvecs_at(struct ckpt_ctx *ctx, const struct bio_vec *bv, u32 nr, size_t len,
		       loff_t *pos)
{
	struct iov_iter iter;

	iov_iter_bvec(&iter, ITER_DEST, bv, nr, len);
	return read_iter(ctx, &iter, pos);
}

/**
 * ckpt_skip - go on behind page data of a file that can seek
 * @ctx: context of a restart
 * @len: bytes
 *
 * Return: position in the file of what is skipped.
 */
loff_t ckpt_skip(struct ckpt_ctx *ctx, u64 len)
{
	loff_t pos = ctx->pos - (ctx->buf_len - ctx->buf_used);

	if (len <= ctx->buf_len - ctx->buf_used) {
		ctx->buf_used += len;
	} else {
		ctx->pos = pos + len;
		ctx->buf_len = 0;
		ctx->buf_used = 0;
	}
	ctx->reader.offset += len;
	return pos;
}

/**
 * ckpt_read_init - start reading at the file's position
 * @ctx: context of a restart
 */
void ckpt_read_init(struct ckpt_ctx *ctx)
{
	ctx->pos = ctx->file->f_pos;
	ctx->seekable = ctx->file->f_mode & FMODE_LSEEK &&
			!(ctx->file->f_mode & FMODE_STREAM);
	ctx->source.read = read_bytes;
	ctx->reader.src = &ctx->source;
}

/**
 * ckpt_read_finish - leave the file's position behind the image
 * @ctx: context of a restart, the trailer read
 */
void ckpt_read_finish(struct ckpt_ctx *ctx)
{
	ctx->pos -= ctx->buf_len - ctx->buf_used;
	ctx->buf_len = 0;
	ctx->buf_used = 0;
	if (ctx->seekable)
		ctx->file->f_pos = ctx->pos;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes whose open ends are all in the tree being saved (refs.c counts them):
 * capacity and content, once, in a PIPE record; each end is a file that names
 * it. A pipe that others hold, too, is
 * external on a standard stream and else an obstacle; so are packet mode and
 * an end that was opened twice through /proc.
 */
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/magic.h>
#include <linux/pipe_fs_i.h>
#include <linux/slab.h>

#include "../internal.h"

/**
 * ckpt_pipe_of - pipe of which a file is an end
 * @file: any open file
 *
 * Return: the pipe, or NULL: it is none, or one with a name.
 */
struct pipe_inode_info *ckpt_pipe_of(struct file *file)
{
	if (file_inode(file)->i_sb->s_magic != PIPEFS_MAGIC)
		return NULL;
	return get_pipe_info(file, true);
}

static bool pipe_probe(struct ckpt_task *t, struct file *file)
{
	struct pipe_inode_info *pipe = ckpt_pipe_of(file);

	return pipe && ckpt_pipe_is_inside(t->ctx, pipe, file);
}

static bool has_packets(struct pipe_inode_info *pipe)
{
	unsigned int i;
	bool ret = false;

	mutex_lock(&pipe->mutex);
	for (i = pipe->tail; i != pipe->head; i++)
		if (pipe->bufs[i & (pipe->ring_size - 1)].flags & PIPE_BUF_FLAG_PACKET)
			ret = true;
	mutex_unlock(&pipe->mutex);
	return ret;
}

static void pipe_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file)
{
	if (file->f_flags & O_DIRECT || has_packets(ckpt_pipe_of(file)))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE, "a pipe in packet mode");
}

/* Copies the content; @data is NULL to learn only its length. */
static int copy_content(struct pipe_inode_info *pipe, char *data, size_t max, size_t *len)
{
	struct pipe_buffer *buf;
	unsigned int i;
	int ret = 0;

	*len = 0;
	mutex_lock(&pipe->mutex);
	for (i = pipe->tail; i != pipe->head && !ret; i++) {
		buf = &pipe->bufs[i & (pipe->ring_size - 1)];
		if (data && *len + buf->len > max)
			ret = -EBUSY;
		else if (data)
			ret = pipe_buf_confirm(pipe, buf);
		if (data && !ret)
			memcpy_from_page(data + *len, buf->page, buf->offset, buf->len);
		*len += buf->len;
	}
	mutex_unlock(&pipe->mutex);
	return ret;
}

static int write_pipe(struct ckpt_ctx *ctx, struct file *file, u32 *tag)
{
	struct pipe_inode_info *pipe = ckpt_pipe_of(file);
	struct ckpt_rec_pipe rec = { .capacity = pipe_fcntl(file, F_GETPIPE_SZ, 0) };
	size_t len, now;
	char *data;
	int ret;

	*tag = ckpt_tag_of(ctx, pipe);
	if (*tag)
		return 0;
	copy_content(pipe, NULL, 0, &len);
	if (len > CKPT_MAX_PIPE)
		return -EFBIG;
	data = kvmalloc(len + 1, GFP_KERNEL_ACCOUNT);
	*tag = ckpt_new_tag(ctx, pipe);
	ret = data && *tag ? copy_content(pipe, data, len, &now) : -ENOMEM;
	if (!ret && now != len)
		ret = -EBUSY;
	rec.data_len = len;
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_PIPE, *tag, sizeof(rec), &rec,
					sizeof(rec), data, len);
	kvfree(data);
	return ret;
}

static int pipe_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		     struct ckpt_rec_file *rec, char *name)
{
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	strscpy(name, "pipe", CKPT_PATH_MAX);
	return write_pipe(ctx, file, &rec->object);
}

/* A restored pipe: both ends, until all records are read. */
struct restored {
	struct file *ends[2];
};

static void put_restored(void *obj)
{
	struct restored *r = obj;

	fput(r->ends[0]);
	fput(r->ends[1]);
	kfree(r);
}

static int fill_pipe(struct file *writer, const struct ckpt_rec_pipe *saved, const void *data)
{
	long size = pipe_fcntl(writer, F_SETPIPE_SZ, saved->capacity);
	ssize_t ret;

	if (size < 0)
		return size;
	if (!saved->data_len)
		return 0;
	/* It fits, or the write ends early: nobody reads meanwhile. */
	writer->f_flags |= O_NONBLOCK;
	ret = kernel_write(writer, data, saved->data_len, NULL);
	writer->f_flags &= ~O_NONBLOCK;
	if (ret < 0)
		return ret;
	return ret == saved->data_len ? 0 : -EBADMSG;
}

static int pipe_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_pipe *saved = ckpt_rec_data(rec);
	struct restored *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	int ret = r ? create_pipe_files(r->ends, 0) : -ENOMEM;

	if (ret) {
		kfree(r);
		goto out;
	}
	ret = fill_pipe(r->ends[1], saved, ckpt_rec_tail(rec));
	if (!ret)
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_pipe_ops, r);
	if (ret)
		put_restored(r);
out:
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, ret,
			   "cannot make a pipe of %u bytes with %u bytes in it",
			   saved->capacity, saved->data_len);
	ckpt_free_record(rec);
	return ret;
}

static struct file *end_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				const struct ckpt_rec_file *rec, const char *name)
{
	struct restored *r = ckpt_get_tag(ctx, rec->object, &ckpt_pipe_ops);
	u32 mode = rec->flags & (CKPT_FILEF_READ | CKPT_FILEF_WRITE);
	struct file *file;

	if (!r || mode == (CKPT_FILEF_READ | CKPT_FILEF_WRITE) || !mode)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has an end of a pipe without the pipe"));
	file = get_file(r->ends[mode == CKPT_FILEF_WRITE]);
	if (rec->flags & CKPT_FILEF_NONBLOCK) {
		spin_lock(&file->f_lock);
		file->f_flags |= O_NONBLOCK;
		spin_unlock(&file->f_lock);
	}
	return file;
}

const struct ckpt_file_kind ckpt_pipe_kind = {
	.name = "pipe",
	.kind = CKPT_FILE_PIPE,
	.probe = pipe_probe,
	.collect = pipe_collect,
	.save = pipe_save,
	.restore = end_restore,
};

const struct ckpt_obj_ops ckpt_pipe_ops = {
	.name = "pipe",
	.rec = CKPT_REC_PIPE,
	.restore = pipe_restore,
	.put = put_restored,
};

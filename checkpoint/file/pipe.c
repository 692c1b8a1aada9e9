// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes and FIFOs whose open ends are all in the tree being saved (refs.c counts
 * them): capacity and content, once, in a PIPE record; each end is a file that
 * names it. A pipe is made anew, a FIFO is opened by its name and must be as
 * empty as nobody leaves it. A pipe that others hold, too, is external on a
 * standard stream and else an obstacle.
 */
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/pipe_fs_i.h>
#include <linux/slab.h>

#include "../internal.h"

/**
 * ckpt_pipe_of - pipe of which a file is an end
 * @file: any open file
 *
 * Return: the pipe, or NULL: it is none.
 */
struct pipe_inode_info *ckpt_pipe_of(struct file *file)
{
	return get_pipe_info(file, true);
}

static bool is_fifo(struct file *file)
{
	return file_inode(file)->i_sb->s_magic != PIPEFS_MAGIC;
}

static bool pipe_probe(struct ckpt_task *t, struct file *file)
{
	struct pipe_inode_info *pipe = ckpt_pipe_of(file);

	return pipe && !is_fifo(file) && ckpt_pipe_is_inside(t->ctx, pipe, file);
}

static bool fifo_probe(struct ckpt_task *t, struct file *file)
{
	struct pipe_inode_info *pipe = ckpt_pipe_of(file);

	return pipe && is_fifo(file) && ckpt_pipe_is_inside(t->ctx, pipe, file);
}

static void fifo_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file)
{
	/* A lack of memory must not look like an obstacle. */
	char *buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);

	if (d_unlinked(file->f_path.dentry))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE_DELETED, file,
				  "a FIFO that was deleted: %pD", file);
	else if (IS_ERR_OR_NULL(ckpt_path_name(ctx, &file->f_path, buf)))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE_UNREACHABLE, file,
				  "a file outside of the caller's root directory or mounts: %pD",
				  file);
	kfree(buf);
}

/**
 * struct content - what is in a pipe
 * @len: bytes
 * @nr: pieces
 * @packets: some pieces are packets
 * @pieces: length of each, with CKPT_PIPE_PACKET; NULL to learn only the sizes
 * @data: the bytes
 */
struct content {
	size_t len;
	u32 nr;
	bool packets;
	u32 *pieces;
	char *data;
};

/* A piece may lie in several pages that belong together. */
static void copy_pages(char *to, const struct pipe_buffer *buf)
{
	size_t done, offset, part;

	for (done = 0; done < buf->len; done += part) {
		offset = buf->offset + done;
		part = min_t(size_t, PAGE_SIZE - offset_in_page(offset), buf->len - done);
		memcpy_from_page(to + done, nth_page(buf->page, offset >> PAGE_SHIFT),
				 offset_in_page(offset), part);
	}
}

static int copy_piece(struct pipe_inode_info *pipe, struct pipe_buffer *buf,
		      const struct content *max, struct content *now)
{
	bool packet = buf->flags & PIPE_BUF_FLAG_PACKET;
	int ret;

	if (max) {
		if (now->nr == max->nr || now->len + buf->len > max->len)
			return -EBUSY;
		ret = pipe_buf_confirm(pipe, buf);
		if (ret)
			return ret;
		copy_pages(max->data + now->len, buf);
		max->pieces[now->nr] = buf->len | (packet ? CKPT_PIPE_PACKET : 0);
	}
	now->packets |= packet;
	now->len += buf->len;
	now->nr++;
	return 0;
}

/* Takes stock of the content, or copies it to where there is room for @max. */
static int look(struct pipe_inode_info *pipe, const struct content *max, struct content *now)
{
	struct pipe_buffer *buf;
	unsigned int i;
	int ret = 0;

	*now = (struct content){};
	mutex_lock(&pipe->mutex);
	for (i = pipe->tail; i != pipe->head && !ret; i++) {
		buf = &pipe->bufs[i & (pipe->ring_size - 1)];
		if (buf->len)
			ret = copy_piece(pipe, buf, max, now);
	}
	mutex_unlock(&pipe->mutex);
	return ret;
}

/* The content, behind the lengths of its pieces if they matter. */
static int write_content(struct ckpt_ctx *ctx, struct pipe_inode_info *pipe, u32 tag,
			 struct ckpt_rec_pipe *rec)
{
	struct content all, now;
	size_t head;
	char *buf;
	int ret;

	look(pipe, NULL, &all);
	if (all.len > CKPT_MAX_PIPE / 2)
		return -EFBIG;
	head = all.nr * sizeof(u32);
	buf = kvmalloc(head + all.len + 1, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	all.pieces = (u32 *)buf;
	all.data = buf + head;
	ret = look(pipe, &all, &now);
	if (!ret && (now.len != all.len || now.nr != all.nr))
		ret = -EBUSY;
	rec->data_len = all.len;
	rec->nr_pieces = now.packets ? all.nr : 0;
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_PIPE, tag, sizeof(*rec), rec, sizeof(*rec),
					now.packets ? buf : all.data,
					all.len + (now.packets ? head : 0));
	kvfree(buf);
	return ret;
}

static int write_pipe(struct ckpt_ctx *ctx, struct file *file, u32 *tag)
{
	struct pipe_inode_info *pipe = ckpt_pipe_of(file);
	struct ckpt_rec_pipe rec = {
		.capacity = pipe_fcntl(file, F_GETPIPE_SZ, 0),
		.flags = is_fifo(file) ? CKPT_PIPE_FIFO : 0,
	};

	*tag = ckpt_tag_of(ctx, pipe);
	if (*tag)
		return 0;
	*tag = ckpt_new_tag(ctx, pipe);
	return *tag ? write_content(ctx, pipe, *tag, &rec) : -ENOMEM;
}

static int pipe_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		     struct ckpt_rec_file *rec, char *name)
{
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	strscpy(name, "pipe", CKPT_PATH_MAX);
	return write_pipe(ctx, file, &rec->object);
}

static int fifo_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		     struct ckpt_rec_file *rec, char *name)
{
	struct pipe_inode_info *pipe = ckpt_pipe_of(file);
	int ret = ckpt_path_kind.save(ctx, t, file, rec, name);

	if (!pipe->writers && file->f_pipe && file->f_pipe == pipe->w_counter)
		rec->flags |= CKPT_FILEF_NO_WRITER;
	return ret ?: write_pipe(ctx, file, &rec->object);
}

/**
 * struct restored - a restored pipe, until all records are read
 * @ends: for reading and for writing; of a FIFO one for both, which keeps it
 *	open: the second
 * @taken: the file of the end is one of the tree's
 * @rec: FIFO: its PIPE record, until the first end is opened
 */
struct restored {
	struct file *ends[2];
	bool taken[2];
	struct ckpt_rec *rec;
};

/* The tree must not see an end that is open for a moment longer. */
static void put_restored(void *obj)
{
	struct restored *r = obj;
	int i;

	for (i = 0; i < ARRAY_SIZE(r->ends); i++)
		if (r->ends[i])
			__fput_sync(r->ends[i]);
	ckpt_free_record(r->rec);
	kfree(r);
}

static void set_flag(struct file *file, unsigned int flag, bool on)
{
	spin_lock(&file->f_lock);
	file->f_flags = on ? file->f_flags | flag : file->f_flags & ~flag;
	spin_unlock(&file->f_lock);
}

static int fill_piece(struct file *writer, const char *data, size_t len)
{
	ssize_t ret = kernel_write(writer, data, len, NULL);

	if (ret < 0)
		return ret;
	return ret == len ? 0 : -EBADMSG;
}

/* What is written next is a piece of its own. */
static void end_piece(struct file *writer)
{
	struct pipe_inode_info *pipe = ckpt_pipe_of(writer);

	mutex_lock(&pipe->mutex);
	if (!pipe_empty(pipe->head, pipe->tail))
		pipe->bufs[(pipe->head - 1) & (pipe->ring_size - 1)].flags &=
			~PIPE_BUF_FLAG_CAN_MERGE;
	mutex_unlock(&pipe->mutex);
}

static int fill_pipe(struct file *writer, struct ckpt_rec *rec)
{
	const struct ckpt_rec_pipe *saved = ckpt_rec_data(rec);
	const u32 *pieces = ckpt_rec_tail(rec);
	const char *data = (const char *)(pieces + saved->nr_pieces);
	long size = pipe_fcntl(writer, F_GETPIPE_SZ, 0);
	int ret = 0;
	u32 i, len;

	if (size != saved->capacity)
		size = pipe_fcntl(writer, F_SETPIPE_SZ, saved->capacity);
	if (size < 0)
		return size;
	/* It fits, or the write ends early: nobody reads meanwhile. */
	set_flag(writer, O_NONBLOCK, true);
	if (!saved->nr_pieces && saved->data_len)
		ret = fill_piece(writer, data, saved->data_len);
	for (i = 0; i < saved->nr_pieces && !ret; i++) {
		len = pieces[i] & ~CKPT_PIPE_PACKET;
		end_piece(writer);
		set_flag(writer, O_DIRECT, pieces[i] & CKPT_PIPE_PACKET);
		ret = fill_piece(writer, data, len);
		data += len;
	}
	set_flag(writer, O_NONBLOCK | O_DIRECT, false);
	return ret;
}

static int report(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec, int err)
{
	const struct ckpt_rec_pipe *saved = ckpt_rec_data(rec);

	return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, err,
			  "cannot make a pipe of %u bytes with %u bytes in it",
			  saved->capacity, saved->data_len);
}

static int pipe_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_pipe *saved = ckpt_rec_data(rec);
	struct restored *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!r)
		goto out;
	if (saved->flags & CKPT_PIPE_FIFO) {
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_pipe_ops, r);
		if (!ret) {
			r->rec = rec;
			return 0;
		}
		kfree(r);
		goto out;
	}
	ret = create_pipe_files(r->ends, 0);
	if (ret) {
		kfree(r);
		goto out;
	}
	ret = fill_pipe(r->ends[1], rec);
	if (!ret)
		ret = ckpt_put_tag(ctx, rec->tag, &ckpt_pipe_ops, r);
	if (ret)
		put_restored(r);
out:
	if (ret)
		report(ctx, t, rec, ret);
	ckpt_free_record(rec);
	return ret;
}

static struct file *no_pipe(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an end of a pipe without the pipe"));
}

static u32 access_mode(const struct ckpt_rec_file *rec)
{
	return rec->flags & (CKPT_FILEF_READ | CKPT_FILEF_WRITE);
}

/* The first file of an end is there; others were opened through /proc. */
static struct file *take_end(struct restored *r, const struct ckpt_rec_file *rec)
{
	u32 mode = access_mode(rec);
	int end = mode == CKPT_FILEF_WRITE;

	if (mode == (CKPT_FILEF_READ | CKPT_FILEF_WRITE))
		return dentry_open(&r->ends[0]->f_path, O_RDWR, current_cred());
	if (r->taken[end])
		return dentry_open(&r->ends[0]->f_path, end ? O_WRONLY : O_RDONLY,
				   current_cred());
	r->taken[end] = true;
	return get_file(r->ends[end]);
}

/* Those that change nothing for a pipe can be seen, or come from fcntl(2). */
static void set_flags(struct file *file, const struct ckpt_rec_file *rec)
{
	set_flag(file, O_NONBLOCK, rec->flags & CKPT_FILEF_NONBLOCK);
	set_flag(file, O_DIRECT, rec->flags & CKPT_FILEF_DIRECT);
	set_flag(file, O_APPEND, rec->flags & CKPT_FILEF_APPEND);
	set_flag(file, O_NOATIME, rec->flags & CKPT_FILEF_NOATIME);
	set_flag(file, O_LARGEFILE, rec->flags & CKPT_FILEF_LARGEFILE);
	set_flag(file, O_DSYNC, rec->flags & CKPT_FILEF_DSYNC);
	set_flag(file, __O_SYNC, rec->flags & CKPT_FILEF_SYNC);
}

static struct file *end_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				const struct ckpt_rec_file *rec, const char *name)
{
	struct restored *r = ckpt_get_tag(ctx, rec->object, &ckpt_pipe_ops);
	struct file *file;

	if (!r || !access_mode(rec) || !r->ends[0])
		return no_pipe(ctx, t);
	file = take_end(r, rec);
	if (IS_ERR(file))
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, PTR_ERR(file),
			   "an end of a pipe cannot be opened again");
	else
		set_flags(file, rec);
	return file;
}

static int report_fifo(struct ckpt_ctx *ctx, struct ckpt_task *t, const char *name, int err)
{
	bool missing = err == -ENOENT || err == -ENOTDIR;

	return ckpt_error(ctx, CKPT_AT(t), missing ? CKPT_WHY_FILE_MISSING : CKPT_WHY_FILE,
			  missing ? -ESTALE : err, "the FIFO %s cannot be opened", name);
}

/* Looked at before it is opened: opening something else may do something. */
static int check_fifo(struct ckpt_ctx *ctx, struct ckpt_task *t,
		      const struct ckpt_rec_file *rec, const char *name)
{
	struct path path;
	int ret = kern_path(name, 0, &path);

	if (ret)
		return report_fifo(ctx, t, name, ret);
	if (S_ISFIFO(d_inode(path.dentry)->i_mode))
		ret = ckpt_compare_path(ctx, t, &path, rec, name);
	else
		ret = report_fifo(ctx, t, name, -ENOENT);
	path_put(&path);
	return ret;
}

/* Opens a FIFO for us; it must be one that nobody has open. */
static struct file *open_fifo(const char *name)
{
	struct pipe_inode_info *pipe;
	struct file *file;

	file = filp_open(name, O_RDWR | O_NONBLOCK | O_NOFOLLOW, 0);
	if (IS_ERR(file))
		return file;
	pipe = ckpt_pipe_of(file);
	if (pipe && is_fifo(file) && pipe->files == 1 && pipe_empty(pipe->head, pipe->tail))
		return file;
	fput(file);
	return ERR_PTR(pipe ? -EBUSY : -ENOENT);
}

static int start_fifo(struct ckpt_ctx *ctx, struct ckpt_task *t, struct restored *r,
		      const struct ckpt_rec_file *rec, const char *name)
{
	struct file *file;
	int ret;

	ret = check_fifo(ctx, t, rec, name);
	if (ret)
		return ret;
	file = open_fifo(name);
	ret = PTR_ERR_OR_ZERO(file);
	if (ret == -EBUSY)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_CHANGED, -ESTALE,
				  "somebody else has the FIFO %s open", name);
	if (ret)
		return report_fifo(ctx, t, name, ret);
	r->ends[1] = file;
	ret = fill_pipe(file, r->rec);
	if (ret)
		return report(ctx, t, r->rec, ret);
	ckpt_free_record(r->rec);
	r->rec = NULL;
	return 0;
}

static struct file *fifo_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct restored *r = ckpt_get_tag(ctx, rec->object, &ckpt_pipe_ops);
	struct file *file;
	int ret;

	if (!r || !access_mode(rec) || r->ends[0])
		return no_pipe(ctx, t);
	ret = r->rec ? start_fifo(ctx, t, r, rec, name) : 0;
	if (ret)
		return ERR_PTR(ret);
	file = filp_open(name, ckpt_open_flags(rec) & ~O_DIRECT, 0);
	ret = PTR_ERR_OR_ZERO(file);
	if (!ret && file_inode(file) != file_inode(r->ends[1])) {
		fput(file);
		ret = -ESTALE;
	}
	if (ret)
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE, ret,
					  "the FIFO %s cannot be opened", name));
	set_flags(file, rec);
	if (rec->flags & CKPT_FILEF_NO_WRITER)
		file->f_pipe = ckpt_pipe_of(file)->w_counter;
	return file;
}

const struct ckpt_file_kind ckpt_pipe_kind = {
	.name = "pipe",
	.kind = CKPT_FILE_PIPE,
	.probe = pipe_probe,
	.save = pipe_save,
	.restore = end_restore,
};

const struct ckpt_file_kind ckpt_fifo_kind = {
	.name = "FIFO",
	.kind = CKPT_FILE_FIFO,
	.named = true,
	.probe = fifo_probe,
	.collect = fifo_collect,
	.save = fifo_save,
	.restore = fifo_restore,
};

const struct ckpt_obj_ops ckpt_pipe_ops = {
	.name = "pipe",
	.rec = CKPT_REC_PIPE,
	.restore = pipe_restore,
	.put = put_restored,
};

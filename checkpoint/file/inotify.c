// SPDX-License-Identifier: GPL-2.0-only
/*
 * inotify(7): watches with their descriptors, by the name of what they watch,
 * and the events that were not read yet.
 *
 * The kernel knows what is watched, but not by which name, and not through
 * which mount it was found: any name of it under the caller's root directory
 * does. A file that has none, or none that is still known, is an obstacle.
 *
 * At restart the events are there before an epoll instance looks at them, and
 * watching begins last, when nothing is opened any more.
 */
#include <linux/checkpoint_state.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/inotify.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>

#include <asm/unistd.h>

#include "../../fs/mount.h"
#include "event.h"

/* What an event may say in an image. */
#define EVENT_MASK	(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ISDIR | \
			 FS_EVENT_ON_CHILD)

static_assert(FS_EVENT_ON_CHILD == 1U << 27);

static bool inotify_probe(struct ckpt_task *t, struct file *file)
{
	return checkpoint_is_inotify(file);
}

/* The @nth mount of the caller's below which @dentry lies, referenced, or NULL. */
static struct vfsmount *find_mount(struct dentry *dentry, int nth)
{
	struct vfsmount *found = NULL;
	struct mount *m;

	read_seqlock_excl(&mount_lock);
	list_for_each_entry(m, &dentry->d_sb->s_mounts, mnt_instance)
		if (m->mnt_ns == current->nsproxy->mnt_ns &&
		    is_subdir(dentry, m->mnt.mnt_root) && !nth--) {
			found = mntget(&m->mnt);
			break;
		}
	read_sequnlock_excl(&mount_lock);
	return found;
}

/* Another file, or a mount, may lie over it by now. */
static bool leads_to(const char *name, const struct inode *inode)
{
	struct path found;
	bool ret;

	if (kern_path(name, 0, &found))
		return false;
	ret = d_inode(found.dentry) == inode;
	path_put(&found);
	return ret;
}

/* A name for what is watched, in @buf of CKPT_PATH_MAX bytes, or NULL. */
static char *find_name(struct ckpt_ctx *ctx, struct inode *inode, char *buf)
{
	struct dentry *dentry = d_find_alias(inode);
	char *name = NULL;
	struct path path;
	int nth = 0;

	if (!dentry)
		return NULL;
	path.dentry = dentry;
	while (!name && !d_unlinked(dentry) && (path.mnt = find_mount(dentry, nth++))) {
		name = ckpt_path_name(ctx, &path, buf);
		if (IS_ERR_OR_NULL(name) || !leads_to(name, inode))
			name = NULL;
		mntput(path.mnt);
	}
	dput(dentry);
	return name;
}

/* Watches, with references to what is watched. */
struct watches {
	struct {
		struct inode *inode;
		int wd;
		u32 mask;
	} *list;
	u32 nr;
	u32 room;
};

static int note_watch(void *arg, struct inode *inode, int wd, u32 mask)
{
	struct watches *w = arg;

	if (w->nr < w->room) {
		ihold(inode);
		w->list[w->nr].inode = inode;
		w->list[w->nr].wd = wd;
		w->list[w->nr].mask = mask;
	}
	w->nr++;
	return 0;
}

static void free_watches(struct watches *w)
{
	u32 i;

	for (i = 0; i < w->nr; i++)
		iput(w->list[i].inode);
	kvfree(w->list);
}

/* Names cannot be looked up during the walk: whoever tells of an event holds locks there. */
static int list_watches(struct file *file, struct watches *w)
{
	u32 nr;

	*w = (struct watches){};
	checkpoint_inotify_watches(file, note_watch, w);
	w->room = w->nr;
	w->nr = 0;
	w->list = kvcalloc(w->room + 1, sizeof(*w->list), GFP_KERNEL_ACCOUNT);
	if (!w->list)
		return -ENOMEM;
	checkpoint_inotify_watches(file, note_watch, w);
	nr = w->nr;
	w->nr = min(nr, w->room);
	if (nr == w->nr)
		return 0;
	free_watches(w);
	return -EBUSY;
}

static void inotify_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			    struct file *file)
{
	struct watches w;
	char *buf;
	u32 i;

	ckpt_event_collect(ctx, where, file);
	/* Then saving it fails, too. */
	if (list_watches(file, &w))
		return;
	/* A lack of memory must not look like an obstacle. */
	buf = kmalloc(CKPT_PATH_MAX, GFP_KERNEL | __GFP_NOFAIL);
	for (i = 0; i < w.nr; i++) {
		if (!find_name(ctx, w.list[i].inode, buf))
			ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
				      "an inotify watch (%d) on a file without a name that is known: inode %lu of %s",
				      w.list[i].wd, w.list[i].inode->i_ino,
				      w.list[i].inode->i_sb->s_id);
		cond_resched();
	}
	kfree(buf);
	free_watches(&w);
}

/* The tail of the record, as it grows. */
struct saved {
	struct ckpt_ctx *ctx;
	struct ckpt_rec_inotify rec;
	char *path;
	char *data;
	size_t len;
	size_t room;
	bool full;
};

static size_t entry_len(u32 name_len)
{
	return sizeof(struct ckpt_rec_notify) + ALIGN(name_len, 8);
}

static void append(struct saved *s, const struct ckpt_rec_notify *n, const char *name)
{
	char *to = s->data + s->len;

	if (s->room - s->len < entry_len(n->name_len)) {
		s->full = true;
		return;
	}
	memset(to, 0, entry_len(n->name_len));
	memcpy(to, n, sizeof(*n));
	memcpy(to + sizeof(*n), name, n->name_len);
	s->len += entry_len(n->name_len);
}

/* Room for one more entry; what was appended stays. */
static int make_room(struct saved *s, size_t len)
{
	size_t room = max(s->len + len, 2 * s->room);
	char *data;

	if (s->room - s->len >= len)
		return 0;
	if (room > CKPT_MAX_INOTIFY)
		return -E2BIG;
	data = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	if (s->len)
		memcpy(data, s->data, s->len);
	kvfree(s->data);
	s->data = data;
	s->room = room;
	return 0;
}

static int save_watch(struct saved *s, struct inode *inode, int wd, u32 mask)
{
	struct ckpt_rec_notify n = { .wd = wd, .mask = mask, .mode = inode->i_mode & S_IFMT };
	char *name = find_name(s->ctx, inode, s->path);
	int ret;

	if (!name)
		return ckpt_error(s->ctx, CKPT_AT(NULL), CKPT_WHY_CHANGED, -EBUSY,
				  "the name of a watched file has changed");
	n.name_len = strlen(name);
	ret = make_room(s, entry_len(n.name_len));
	if (!ret)
		append(s, &n, name);
	s->rec.nr_watches++;
	return ret;
}

static int save_watches(struct saved *s, struct file *file)
{
	struct watches w;
	int ret = list_watches(file, &w);
	u32 i;

	if (ret)
		return ret;
	for (i = 0; i < w.nr && !ret; i++) {
		ret = save_watch(s, w.list[i].inode, w.list[i].wd, w.list[i].mask);
		cond_resched();
	}
	free_watches(&w);
	return ret;
}

static void measure_event(void *arg, const struct checkpoint_inotify_event *e)
{
	size_t *len = arg;

	*len += entry_len(e->name_len);
}

static void save_event(void *arg, const struct checkpoint_inotify_event *e)
{
	struct ckpt_rec_notify n = {
		.wd = e->wd,
		.mask = e->mask & EVENT_MASK,
		.cookie = e->cookie,
		.name_len = e->name_len,
	};
	struct saved *s = arg;

	append(s, &n, e->name);
	s->rec.nr_events++;
}

/* Events go on coming: what comes later happened later. */
static int save_events(struct saved *s, struct file *file)
{
	struct saved start = *s;
	size_t len;
	int ret;

	do {
		s->len = start.len;
		s->rec.nr_events = 0;
		s->full = false;
		len = 0;
		checkpoint_inotify_events(file, measure_event, &len);
		ret = make_room(s, len);
		if (!ret)
			checkpoint_inotify_events(file, save_event, s);
	} while (!ret && s->full);
	return ret;
}

static int write_instance(struct ckpt_ctx *ctx, struct file *file, u32 *tag)
{
	struct saved s = { .ctx = ctx };
	int ret;

	*tag = ckpt_tag_of(ctx, file->private_data);
	if (*tag)
		return 0;
	s.path = kmalloc(CKPT_PATH_MAX, GFP_KERNEL_ACCOUNT);
	*tag = ckpt_new_tag(ctx, file->private_data);
	ret = s.path && *tag ? save_watches(&s, file) : -ENOMEM;
	s.rec.next_wd = checkpoint_inotify_next(file);
	if (!ret)
		ret = save_events(&s, file);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_INOTIFY, *tag, sizeof(s.rec), &s.rec,
					sizeof(s.rec), s.data, s.len);
	kvfree(s.data);
	kfree(s.path);
	return ret;
}

static int inotify_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			struct ckpt_rec_file *rec, char *name)
{
	strscpy(name, "inotify", CKPT_PATH_MAX);
	return write_instance(ctx, file, &rec->object);
}

static int inotify_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	struct file *file = ckpt_event_open(__NR_inotify_init1, 0, 0);

	return ckpt_event_keep(ctx, t, rec, file, &ckpt_inotify_ops);
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct ckpt_event *r = ckpt_get_tag(ctx, rec->object, &ckpt_inotify_ops);

	return r ? ckpt_event_file(r->file, rec) : ckpt_event_missing(ctx, t);
}

static struct ckpt_rec_notify *next_entry(struct ckpt_rec_notify *n)
{
	return (void *)n + entry_len(n->name_len);
}

static int queue_event(struct file *file, const struct ckpt_rec_notify *n)
{
	struct checkpoint_inotify_event e = {
		.wd = n->wd,
		.mask = n->mask,
		.cookie = n->cookie,
		.name = (const char *)(n + 1),
		.name_len = n->name_len,
	};

	return checkpoint_inotify_queue(file, &e);
}

static int fill(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_event *r = obj;
	const struct ckpt_rec_inotify *rec = ckpt_rec_data(r->rec);
	struct ckpt_rec_notify *n = ckpt_rec_tail(r->rec);
	u64 i;
	int ret = 0;

	for (i = 0; i < rec->nr_watches; i++)
		n = next_entry(n);
	for (i = 0; i < rec->nr_events && !ret; i++) {
		ret = queue_event(r->file, n);
		n = next_entry(n);
		cond_resched();
	}
	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_LIMIT, ret,
			   "an inotify instance cannot hold %u events", rec->nr_events);
	return ret;
}

/**
 * ckpt_inotifies_fill - queue all events that were not read yet
 * @ctx: context of a restart
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_inotifies_fill(struct ckpt_ctx *ctx)
{
	return ckpt_each_tag(ctx, &ckpt_inotify_ops, fill, NULL);
}

static int add_watch(struct ckpt_ctx *ctx, struct file *file, const struct ckpt_rec_notify *n)
{
	char *name = ckpt_name_now(ctx, n + 1, n->name_len, false);
	struct path path;
	int ret = IS_ERR(name) ? PTR_ERR(name) : kern_path(name, 0, &path);

	if (!ret) {
		if ((d_inode(path.dentry)->i_mode ^ n->mode) & S_IFMT)
			ret = -ESTALE;
		else
			ret = checkpoint_inotify_add(file, &path, n->wd, n->mask);
		path_put(&path);
	}
	if (ret)
		ckpt_error(ctx, CKPT_AT(NULL),
			   ret == -ESTALE ? CKPT_WHY_FILE_CHANGED :
			   ret == -ENOSPC || ret == -ENOMEM ? CKPT_WHY_LIMIT :
							      CKPT_WHY_FILE_MISSING,
			   ret == -ENOENT ? -ESTALE : ret, "%s cannot be watched again",
			   IS_ERR(name) ? "a file" : name);
	if (!IS_ERR(name))
		kfree(name);
	return ret == -ENOENT ? -ESTALE : ret;
}

static int watch(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_event *r = obj;
	const struct ckpt_rec_inotify *rec = ckpt_rec_data(r->rec);
	struct ckpt_rec_notify *n = ckpt_rec_tail(r->rec);
	int ret = 0;
	u32 i;

	for (i = 0; i < rec->nr_watches && !ret; i++) {
		ret = add_watch(ctx, r->file, n);
		n = next_entry(n);
		cond_resched();
	}
	checkpoint_inotify_set_next(r->file, rec->next_wd);
	return ret;
}

/**
 * ckpt_inotifies_watch - set all watches
 * @ctx: context of a restart; current is its caller, whose names and rights count
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_inotifies_watch(struct ckpt_ctx *ctx)
{
	return ckpt_each_tag(ctx, &ckpt_inotify_ops, watch, NULL);
}

const struct ckpt_file_kind ckpt_inotify_kind = {
	.name = "inotify",
	.kind = CKPT_FILE_INOTIFY,
	.probe = inotify_probe,
	.collect = inotify_collect,
	.save = inotify_save,
	.restore = file_restore,
};

const struct ckpt_obj_ops ckpt_inotify_ops = {
	.name = "inotify instance",
	.rec = CKPT_REC_INOTIFY,
	.restore = inotify_restore,
	.put = ckpt_event_put,
};

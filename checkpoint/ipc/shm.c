// SPDX-License-Identifier: GPL-2.0-only
/*
 * System V shared memory that is mapped: one SYSV_SHM record for each segment,
 * and what it is made of (mm/memory.c). Restart makes the segment again, with
 * its id, or takes the same one where it still exists and nobody uses it; its
 * content becomes that of the image. It keeps its key, owner, times, and that it
 * was removed (IPC_RMID) and goes with its last user.
 *
 * A segment that somebody outside of the tree has attached is an obstacle: the
 * attachments of the tree are counted (file/refs.c).
 */
#include <linux/checkpoint_state.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "../file/unlinked.h"
#include "../mm/huge.h"
#include "../optional.h"

/* As newseg() has it. */
#define SEGMENT_NAME	"SYSV%08x"

/* A segment of a restart. */
struct segment {
	struct ckpt_ctx *ctx;
	struct file *memory;
	struct dentry *old_name;
	struct checkpoint_shm state;
};

static bool shm_probe(struct ckpt_task *t, struct file *file)
{
	struct checkpoint_shm state;

	return checkpoint_shm_get(file, &state) != -EINVAL;
}

static bool has_mapping(const struct checkpoint_shm *s)
{
	struct user_namespace *ns = current_user_ns();

	return kuid_has_mapping(ns, s->uid) && kuid_has_mapping(ns, s->cuid) &&
	       kgid_has_mapping(ns, s->gid) && kgid_has_mapping(ns, s->cgid);
}

static void shm_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file)
{
	struct checkpoint_shm state;

	if (checkpoint_shm_get(file, &state)) {
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING, "System V shared memory that is gone");
		return;
	}
	if (state.outside)
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING,
			      "System V shared memory %d of another IPC namespace", state.id);
	if (!has_mapping(&state))
		ckpt_obstacle(ctx, where, CKPT_WHY_CRED,
			      "System V shared memory %d of an unknown user", state.id);
	if (state.nattch > ckpt_attached(ctx, file_inode(file)))
		ckpt_obstacle(ctx, where, CKPT_WHY_MAPPING,
			      "System V shared memory %d that others have attached, too", state.id);
}

/* Which huge pages are reserved is told one by one. */
static bool is_noreserve(struct inode *inode)
{
	return ckpt_is_huge_memory(inode) || SHMEM_I(inode)->flags & VM_NORESERVE;
}

/* Who removes a segment leaves its name in the maps of processes. */
static u32 named_key(struct file *file, const struct checkpoint_shm *s)
{
	struct name_snapshot name;
	u32 key = 0;

	take_dentry_name_snapshot(&name, file->f_path.dentry);
	if (!s->removed || sscanf(name.name.name, SEGMENT_NAME, &key) != 1)
		key = 0;
	release_dentry_name_snapshot(&name);
	return key;
}

static int write_segment(struct ckpt_ctx *ctx, struct file *file,
			 const struct checkpoint_shm *s, u32 *tag)
{
	struct inode *inode = file_inode(file);
	struct user_namespace *ns = current_user_ns();
	struct ckpt_rec_sysv_shm rec = {
		.size = s->size,
		.atime = s->atime,
		.dtime = s->dtime,
		.ctime = s->ctime,
		.id = s->id,
		.key = s->key,
		.mode = s->mode,
		.flags = (s->removed ? CKPT_SYSV_REMOVED : 0) |
			 (s->locked ? CKPT_SYSV_LOCKED : 0) |
			 (is_noreserve(inode) ? CKPT_SYSV_NORESERVE : 0),
		.uid = from_kuid(ns, s->uid),
		.gid = from_kgid(ns, s->gid),
		.cuid = from_kuid(ns, s->cuid),
		.cgid = from_kgid(ns, s->cgid),
		.creator = s->creator,
		.last = s->last,
		.huge_shift = s->huge_shift,
		.named_key = named_key(file, s),
	};
	int ret;

	*tag = ckpt_tag_of(ctx, inode);
	if (*tag)
		return 0;
	*tag = ckpt_new_tag(ctx, inode);
	if (!*tag)
		return -ENOMEM;
	ret = ckpt_write_record(ctx, CKPT_REC_SYSV_SHM, *tag, sizeof(rec), &rec, sizeof(rec),
				NULL, 0);
	return ret ?: ckpt_memory_save(ctx, inode, *tag);
}

static int shm_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		    struct ckpt_rec_file *rec, char *name)
{
	struct checkpoint_shm state;
	int ret = checkpoint_shm_get(file, &state);

	if (ret)
		return ret;
	rec->mode = file_inode(file)->i_mode;
	rec->ino = file_inode(file)->i_ino;
	snprintf(name, CKPT_PATH_MAX, "System V shared memory %d", state.id);
	return write_segment(ctx, file, &state, &rec->object);
}

static int fill_state(struct ckpt_ctx *ctx, struct checkpoint_shm *s,
		      const struct ckpt_rec_sysv_shm *rec)
{
	struct user_namespace *ns = current_user_ns();
	bool pids = !(ctx->flags & RESTART_NEW_PIDS);

	*s = (struct checkpoint_shm){
		.id = rec->id,
		.key = rec->key,
		.mode = rec->mode,
		.removed = rec->flags & CKPT_SYSV_REMOVED,
		.locked = rec->flags & CKPT_SYSV_LOCKED,
		.noreserve = rec->flags & CKPT_SYSV_NORESERVE,
		.uid = make_kuid(ns, rec->uid),
		.gid = make_kgid(ns, rec->gid),
		.cuid = make_kuid(ns, rec->cuid),
		.cgid = make_kgid(ns, rec->cgid),
		.size = rec->size,
		.atime = rec->atime,
		.dtime = rec->dtime,
		.ctime = rec->ctime,
		.creator = pids ? rec->creator : 0,
		.last = pids ? rec->last : 0,
		.huge_shift = rec->huge_shift,
	};
	return uid_valid(s->uid) && gid_valid(s->gid) && uid_valid(s->cuid) &&
	       gid_valid(s->cgid) ? 0 : -EPERM;
}

static int keep_name(struct segment *s, u32 key)
{
	char name[16];
	int len;

	if (!key)
		return 0;
	len = snprintf(name, sizeof(name), SEGMENT_NAME, key);
	s->old_name = ckpt_old_name_keep(s->memory->f_path.dentry, name, len);
	return s->old_name ? 0 : -ENOMEM;
}

static void put_segment(void *obj)
{
	struct segment *s = obj;

	ckpt_old_name_give(s->memory->f_path.dentry, s->old_name);
	checkpoint_shm_finish(s->memory, &s->state, !s->ctx->failed);
	fput(s->memory);
	kfree(s);
}

static int restore(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_rec_sysv_shm *rec)
{
	struct segment *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	int ret = s ? fill_state(ctx, &s->state, rec) : -ENOMEM;

	if (!ret) {
		s->ctx = ctx;
		s->memory = checkpoint_shm_create(&s->state);
		ret = PTR_ERR_OR_ZERO(s->memory);
	}
	if (ret) {
		kfree(s);
		return ret;
	}
	ret = keep_name(s, rec->named_key) ?: ckpt_put_tag(ctx, tag, &ckpt_sysv_shm_ops, s);
	if (ret) {
		dput(s->old_name);
		checkpoint_shm_finish(s->memory, &s->state, false);
		fput(s->memory);
		kfree(s);
		return ret;
	}
	/* What it has had since it was saved. */
	if (ckpt_is_huge_memory(file_inode(s->memory)))
		return ckpt_huge_clear(s->memory);
	shmem_truncate_range(file_inode(s->memory), 0, (loff_t)-1);
	mpol_free_shared_policy(&SHMEM_I(file_inode(s->memory))->policy);
	return 0;
}

static int shm_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_sysv_shm *saved = ckpt_rec_data(rec);
	int ret = restore(ctx, rec->tag, saved);

	if (ret == -EEXIST)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, ret,
			   "System V shared memory %u is another one, or in use", saved->id);
	else if (ret)
		ckpt_error(ctx, CKPT_AT(t),
			   ret == -EPERM || ret == -EACCES ? CKPT_WHY_PERMISSION : CKPT_WHY_LIMIT,
			   ret, "cannot make System V shared memory %u of %llu bytes",
			   saved->id, saved->size);
	ckpt_free_record(rec);
	return ret;
}

/**
 * ckpt_sysv_shm_memory - memory of a segment that is being restored
 * @ctx: context of a restart
 * @tag: its tag
 *
 * Return: a file, which the segment keeps; NULL: no such segment.
 */
struct file *ckpt_sysv_shm_memory(struct ckpt_ctx *ctx, u32 tag)
{
	struct segment *s = ckpt_get_tag(ctx, tag, &ckpt_sysv_shm_ops);

	return s ? s->memory : NULL;
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct segment *s = ckpt_get_tag(ctx, rec->object, &ckpt_sysv_shm_ops);
	struct file *file;

	if (!s || !(rec->flags & CKPT_FILEF_READ))
		return ERR_PTR(ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
					  "the image has a file of memory that is not there"));
	file = checkpoint_shm_attach(s->state.id, s->memory,
				     rec->flags & CKPT_FILEF_WRITE ? O_RDWR : O_RDONLY);
	if (IS_ERR(file))
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, PTR_ERR(file),
			   "System V shared memory %d cannot be attached", s->state.id);
	return file;
}

const struct ckpt_file_kind ckpt_sysv_shm_kind = {
	.name = "System V shared memory",
	.kind = CKPT_FILE_SYSV_SHM,
	.probe = shm_probe,
	.collect = shm_collect,
	.save = shm_save,
	.restore = file_restore,
};

const struct ckpt_obj_ops ckpt_sysv_shm_ops = {
	.name = "System V shared memory",
	.rec = CKPT_REC_SYSV_SHM,
	.restore = shm_restore,
	.put = put_segment,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of sockets of AF_UNIX. The file of a name is still there when its socket was
 * killed: it is taken over if it is the same, nobody is bound to it, and the caller of
 * restart() could remove it and bind the name again. If it is gone it is made.
 */
#include <linux/checkpoint_state.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "unix.h"

/* An address, as the kernel has it. */
struct name {
	struct sockaddr_un addr;
	char end;	/* a path may be as long as there is room, without its zero */
};

static u32 fill_name(struct name *name, const void *bytes, u32 len)
{
	*name = (struct name){ .addr.sun_family = AF_UNIX };
	memcpy((char *)name + offsetof(struct sockaddr_un, sun_path), bytes, len);
	return offsetof(struct sockaddr_un, sun_path) + len;
}

/**
 * ckpt_unix_set_name - give a socket a name by which it is not found
 * @sk: the socket
 * @name: the name, as sun_path
 * @len: its length, 0: none
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unix_set_name(struct sock *sk, const void *name, u32 len)
{
	struct unix_sock *u = unix_sk(sk);
	struct unix_address *addr;
	struct name full;

	if (!len)
		return 0;
	len = fill_name(&full, name, len);
	addr = kmalloc(sizeof(*addr) + sizeof(full), GFP_KERNEL_ACCOUNT);
	if (!addr)
		return -ENOMEM;
	refcount_set(&addr->refcnt, 1);
	addr->len = len;
	unsafe_memcpy(addr->name, &full, sizeof(full), /* room for it was allocated */);
	mutex_lock(&u->bindlock);
	/* Pairs with unix_getname(), among others. */
	smp_store_release(&u->addr, addr);
	mutex_unlock(&u->bindlock);
	return 0;
}

static int bind_abstract(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_unix *u = ckpt_rec_data(s->more);
	struct name name;
	u32 len = fill_name(&name, ckpt_unix_name(s), u->name_len);
	int ret = kernel_bind(s->sock, (struct sockaddr *)&name, len);

	return ret ? ckpt_socket_error(ctx, s, ret,
				       ret == -EADDRINUSE ? "has a name that is in use" :
							    "cannot be bound to its name") : 0;
}

/* As unlink(2) of the name. */
static int may_take(const struct path *path)
{
	struct mnt_idmap *idmap = mnt_idmap(path->mnt);
	struct dentry *parent = dget_parent(path->dentry);
	int ret = inode_permission(idmap, d_inode(parent), MAY_WRITE | MAY_EXEC);

	dput(parent);
	if (!ret)
		ret = mnt_want_write(path->mnt);
	if (ret)
		return ret;
	mnt_drop_write(path->mnt);
	return inode_owner_or_capable(idmap, d_inode(path->dentry)) ? 0 : -EACCES;
}

static bool is_same(const struct path *path, const struct ckpt_rec_unix *u)
{
	const struct super_block *sb = path->dentry->d_sb;

	if (!memchr_inv(u->fs_uuid, 0, sizeof(u->fs_uuid)) ||
	    memcmp(u->fs_uuid, &sb->s_uuid, sizeof(u->fs_uuid)))
		return true;
	return d_inode(path->dentry)->i_ino == u->ino &&
	       d_inode(path->dentry)->i_generation == u->generation;
}

/* As bind(2) makes it. */
static int make_file(const char *name, umode_t mode)
{
	struct dentry *dentry;
	struct path parent;
	int ret;

	dentry = kern_path_create(AT_FDCWD, name, &parent, 0);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	ret = security_path_mknod(&parent, dentry, S_IFSOCK | mode, 0);
	if (!ret)
		ret = vfs_mknod(mnt_idmap(parent.mnt), d_inode(parent.dentry), dentry,
				S_IFSOCK | mode, 0);
	done_path_create(&parent, dentry);
	return ret;
}

/* As chown(2) and chmod(2); of a file that was just made. */
static int set_attrs(const struct path *path, const struct ckpt_rec_unix *u)
{
	struct inode *inode = d_inode(path->dentry);
	struct iattr attr = {
		.ia_valid = ATTR_MODE,
		.ia_mode = S_IFSOCK | u->mode,
		.ia_uid = make_kuid(current_user_ns(), u->uid),
		.ia_gid = make_kgid(current_user_ns(), u->gid),
	};
	int ret;

	if (!uid_eq(attr.ia_uid, inode->i_uid))
		attr.ia_valid |= ATTR_UID;
	if (!gid_eq(attr.ia_gid, inode->i_gid))
		attr.ia_valid |= ATTR_GID;
	if (!uid_valid(attr.ia_uid) || !gid_valid(attr.ia_gid))
		return -EINVAL;
	ret = mnt_want_write(path->mnt);
	if (ret)
		return ret;
	inode_lock(inode);
	ret = notify_change(mnt_idmap(path->mnt), path->dentry, &attr, NULL);
	inode_unlock(inode);
	mnt_drop_write(path->mnt);
	return ret;
}

static int find_file(const char *name, const struct ckpt_rec_unix *u, struct path *path)
{
	int ret = kern_path(name, 0, path);
	bool made = ret == -ENOENT;

	if (made)
		ret = make_file(name, u->mode) ?: kern_path(name, 0, path);
	if (ret)
		return ret;
	if (!S_ISSOCK(d_inode(path->dentry)->i_mode) || (!made && !is_same(path, u)))
		ret = -ESTALE;
	else
		ret = made ? set_attrs(path, u) : may_take(path);
	if (ret)
		path_put(path);
	return ret;
}

static int report(struct ckpt_ctx *ctx, struct ckpt_socket *s, const char *name, int err)
{
	if (err == -EADDRINUSE)
		return ckpt_error(ctx, CKPT_AT(s->t), CKPT_WHY_FILE, err,
				  "somebody else is bound to %s", name);
	if (err == -ESTALE)
		return ckpt_error(ctx, CKPT_AT(s->t), CKPT_WHY_FILE_CHANGED, err,
				  "%s is not the file of the socket any more; remove it", name);
	return ckpt_error(ctx, CKPT_AT(s->t), err == -EACCES || err == -EPERM ?
			  CKPT_WHY_PERMISSION : CKPT_WHY_FILE_MISSING, err,
			  "a socket cannot be bound to %s", name);
}

static int bind_file(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_unix *u = ckpt_rec_data(s->more);
	const char *bytes = ckpt_unix_name(s);
	char *path_name = ckpt_name_now(ctx, bytes + u->name_len, u->path_len, true);
	struct path path;
	struct name name;
	u32 len;
	int ret;

	if (IS_ERR(path_name))
		return ckpt_socket_error(ctx, s, PTR_ERR(path_name), "has too long a name");
	ret = find_file(path_name, u, &path);
	if (!ret) {
		len = fill_name(&name, bytes, u->name_len);
		ret = checkpoint_unix_bind(s->sk, &path, &name.addr, len);
		path_put(&path);
	}
	if (ret)
		report(ctx, s, path_name, ret);
	kfree(path_name);
	return ret;
}

/**
 * ckpt_unix_bind - give a socket the name by which others find it
 * @ctx: context of a restart
 * @s: the socket, complete otherwise
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_unix_bind(struct ckpt_ctx *ctx, struct ckpt_socket *s)
{
	const struct ckpt_rec_unix *u = ckpt_rec_data(s->more);

	if (!s->sock)
		return ckpt_socket_error(ctx, s, -EBADMSG, "is in a state that cannot be");
	return u->flags & CKPT_UNIX_FILE ? bind_file(ctx, s) : bind_abstract(ctx, s);
}

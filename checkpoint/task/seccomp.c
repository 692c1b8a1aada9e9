// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seccomp: strict mode, and filters. A filter is in the image once, behind the
 * one that was installed before it, and has a tag: threads and processes that
 * shared filters share them again. A filter with a listener is an obstacle.
 *
 * Filters are read and set with the rights that ptrace(2) and seccomp(2) ask
 * for. They are added to those that the restarter has, and a thread whose
 * confinement cannot be put back makes the restart fail.
 */
#include <linux/capability.h>
#include <linux/checkpoint_state.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/slab.h>

#include <asm/unistd.h>

#include "../internal.h"

static_assert(sizeof(struct sock_filter) == 8);
static_assert(CKPT_MAX_INSNS == BPF_MAXINSNS);

/* As PTRACE_SECCOMP_GET_FILTER. */
static bool may_read_filters(void)
{
	return seccomp_mode(&current->seccomp) == SECCOMP_MODE_DISABLED &&
	       capable(CAP_SYS_ADMIN);
}

/**
 * ckpt_seccomp_collect - look for confinement that cannot be saved
 * @ctx: context
 * @t: thread
 */
void ckpt_seccomp_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct seccomp_filter *first, *filter;
	struct checkpoint_seccomp state;
	bool listener = false;
	int ret = 0;

	if (seccomp_mode(&t->task->seccomp) != SECCOMP_MODE_FILTER)
		return;
	first = checkpoint_seccomp_get(t->task);
	for (filter = first; filter && !ret; filter = state.prev) {
		ret = checkpoint_seccomp_show(filter, &state);
		listener |= state.listener;
	}
	checkpoint_seccomp_put(first);
	if (ret)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SECCOMP,
			      "has a seccomp filter that is no classic program");
	if (listener)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SECCOMP,
			      "has a seccomp filter with a listener");
	if (!may_read_filters())
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SECCOMP,
			      "has seccomp filters, which takes CAP_SYS_ADMIN and no confinement of the caller to read");
}

static int save_filter(struct ckpt_ctx *ctx, struct seccomp_filter *filter)
{
	struct ckpt_rec_seccomp rec = {};
	struct checkpoint_seccomp state;
	u32 tag;
	int ret;

	ret = checkpoint_seccomp_show(filter, &state);
	if (ret)
		return ret;
	if (state.prev)
		rec.prev = ckpt_tag_of(ctx, state.prev);
	rec.flags = (state.log ? CKPT_SECCOMP_LOG : 0) |
		    (state.wait_killable ? CKPT_SECCOMP_WAIT_KILLABLE : 0);
	rec.nr_insns = state.len;
	tag = ckpt_new_tag(ctx, filter);
	if (!tag)
		return -ENOMEM;
	return ckpt_write_record(ctx, CKPT_REC_SECCOMP, tag, sizeof(rec), &rec, sizeof(rec),
				 state.insns, state.len * sizeof(*state.insns));
}

/* Those that are not in the image yet, the oldest first. */
static int save_chain(struct ckpt_ctx *ctx, struct seccomp_filter *first)
{
	struct checkpoint_seccomp state;
	struct seccomp_filter **chain;
	struct seccomp_filter *filter;
	u32 nr = 0;
	int ret = 0;

	chain = kvmalloc_array(CKPT_MAX_FILTERS, sizeof(*chain), GFP_KERNEL_ACCOUNT);
	if (!chain)
		return -ENOMEM;
	for (filter = first; filter && !ckpt_tag_of(ctx, filter) && !ret; filter = state.prev) {
		if (nr == CKPT_MAX_FILTERS)
			ret = -E2BIG;
		else
			chain[nr++] = filter;
		ret = ret ?: checkpoint_seccomp_show(filter, &state);
	}
	while (nr && !ret)
		ret = save_filter(ctx, chain[--nr]);
	kvfree(chain);
	return ret;
}

/**
 * ckpt_seccomp_save - save the confinement of a thread
 * @ctx: context
 * @t: thread, of which ckpt_seccomp_collect() has found no obstacle
 * @attrs: gets the mode and the tag of the last filter
 *
 * Return: 0 or a negative errno.
 */
int ckpt_seccomp_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_attrs *attrs)
{
	struct seccomp_filter *filter;
	int ret;

	attrs->seccomp_mode = seccomp_mode(&t->task->seccomp);
	if (attrs->seccomp_mode != SECCOMP_MODE_FILTER)
		return 0;
	filter = checkpoint_seccomp_get(t->task);
	if (!filter)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH,
				  "died while it was being saved");
	ret = save_chain(ctx, filter);
	attrs->seccomp = ckpt_tag_of(ctx, filter);
	checkpoint_seccomp_put(filter);
	return ret;
}

static int make_filter(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	const struct ckpt_rec_seccomp *saved = ckpt_rec_data(rec);
	struct checkpoint_seccomp state = {
		.insns = ckpt_rec_tail(rec),
		.len = saved->nr_insns,
		.log = saved->flags & CKPT_SECCOMP_LOG,
		.wait_killable = saved->flags & CKPT_SECCOMP_WAIT_KILLABLE,
	};
	struct seccomp_filter *filter;
	int ret;

	if (saved->prev) {
		state.prev = ckpt_get_tag(ctx, saved->prev, &ckpt_seccomp_ops);
		if (!state.prev)
			return -EBADMSG;
	}
	filter = checkpoint_seccomp_create(&state);
	if (IS_ERR(filter))
		return PTR_ERR(filter) == -EINVAL ? -EBADMSG : PTR_ERR(filter);
	ret = ckpt_put_tag(ctx, rec->tag, &ckpt_seccomp_ops, filter);
	if (ret)
		checkpoint_seccomp_put(filter);
	return ret;
}

static int seccomp_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	int ret = make_filter(ctx, rec);

	ckpt_free_record(rec);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
				  "a seccomp filter of the image cannot be made");
	return 0;
}

static void seccomp_put(void *obj)
{
	checkpoint_seccomp_put(obj);
}

static int attach(struct ckpt_ctx *ctx, const struct ckpt_rec_attrs *attrs)
{
	struct seccomp_filter *filter;

	filter = ckpt_get_tag(ctx, attrs->seccomp, &ckpt_seccomp_ops);
	return filter ? checkpoint_seccomp_attach(filter) : -EBADMSG;
}

/**
 * ckpt_seccomp_apply - confine current as it was
 * @ctx: context
 * @t: current; no_new_privs is set if it was
 * @attrs: its record
 *
 * What it does from here on in the kernel does not pass the filters.
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_seccomp_apply(struct ckpt_ctx *ctx, struct ckpt_task *t,
		       const struct ckpt_rec_attrs *attrs)
{
	u64 strict[6] = { PR_SET_SECCOMP, SECCOMP_MODE_STRICT };
	int ret = 0;

	if (attrs->seccomp_mode == SECCOMP_MODE_STRICT)
		ret = ckpt_arch_call(__NR_prctl, strict);
	else if (attrs->seccomp_mode == SECCOMP_MODE_FILTER)
		ret = attach(ctx, attrs);
	if (ret == -EACCES)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_PERMISSION, -EPERM,
				  "seccomp filters take no_new_privs or CAP_SYS_ADMIN");
	if (ret == -EBADMSG)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, ret,
				  "a thread has a seccomp filter that the image has not");
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_SECCOMP, -EPERM,
				  "the caller is confined by seccomp in another way");
	return 0;
}

const struct ckpt_obj_ops ckpt_seccomp_ops = {
	.name = "seccomp filter",
	.rec = CKPT_REC_SECCOMP,
	.restore = seccomp_restore,
	.put = seccomp_put,
};

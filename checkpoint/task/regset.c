// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processor state, through the regsets of ptrace(2): a table that each
 * architecture keeps and that is stable ABI. The thread is off its processor.
 */
#include <linux/elf.h>
#include <linux/regset.h>
#include <linux/slab.h>

#include "../internal.h"

static const struct user_regset *find_regset(const struct user_regset_view *view, u32 note)
{
	const struct user_regset *own = ckpt_arch_own_regset();
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == note)
			return &view->regsets[i];
	return own && own->core_note_type == note ? own : NULL;
}

/* State that can be read but not set back would be lost. */
static int regset_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct user_regset_view *view = task_user_regset_view(t->task);
	const struct user_regset *regset;
	unsigned int i;

	for (i = 0; i < view->n; i++) {
		regset = &view->regsets[i];
		if (ckpt_arch_saves_regset(regset->core_note_type))
			continue;
		if (!regset->set && regset->active && regset->active(t->task, regset) > 0)
			ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_CPU,
				      "has processor state of type 0x%x that cannot be set back",
				      regset->core_note_type);
	}
	ckpt_arch_collect_task(ctx, t);
	return 0;
}

static int save_regset(struct ckpt_ctx *ctx, struct ckpt_task *t,
		       const struct user_regset *regset)
{
	struct ckpt_rec_regset rec = { .note_type = regset->core_note_type };
	void *data = NULL;
	int len, ret;

	if (!regset->set || ckpt_arch_regset_covered(regset->core_note_type) ||
	    (regset->active && regset->active(t->task, regset) <= 0))
		return 0;
	len = regset_get_alloc(t->task, regset, regset->n * regset->size, &data);
	if (len <= 0)
		return len;
	rec.data_len = len;
	if (t->state == CKPT_TASK_SELF)
		ckpt_arch_finish_call(&rec, data, 0);
	else if (t->state == CKPT_TASK_VFORK)
		ckpt_arch_finish_call(&rec, data, ckpt_vfork_child(ctx, t));
	else if (ckpt_in_io_uring(t) && ckpt_io_uring_result(t))
		ckpt_arch_finish_call(&rec, data, ckpt_io_uring_result(t));
	else if (ckpt_in_io_uring(t))
		ckpt_arch_repeat_call(&rec, data);
	ret = ckpt_write_record(ctx, CKPT_REC_REGSET, 0, sizeof(rec), &rec, sizeof(rec),
				data, len);
	kvfree(data);
	return ret;
}

static int regset_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct user_regset_view *view = task_user_regset_view(t->task);
	const struct user_regset *own = ckpt_arch_own_regset();
	unsigned int i;
	int ret = 0;

	for (i = 0; i < view->n && !ret; i++)
		ret = save_regset(ctx, t, &view->regsets[i]);
	if (!ret && own && find_regset(view, own->core_note_type) == own)
		ret = save_regset(ctx, t, own);
	return ret;
}

static int regset_restore(struct ckpt_ctx *ctx, struct ckpt_task *leader, struct ckpt_rec *rec)
{
	struct ckpt_task *t = ckpt_thread_being_read(ctx, leader);

	if (!t || t->nr_regsets == CKPT_MAX_REGSETS) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has processor state in a wrong place");
	}
	t->regsets[t->nr_regsets++] = rec;
	return 0;
}

static int apply(struct ckpt_task *t, const struct user_regset *regset, struct ckpt_rec *rec)
{
	const struct ckpt_rec_regset *saved = ckpt_rec_data(rec);
	u32 size = ckpt_arch_regset_size(regset, saved->note_type);
	void *bigger;
	int ret;

	/* More state than this processor has, or less, with the rest at zero. */
	if (saved->data_len > size)
		return -ENOEXEC;
	if (saved->data_len == size)
		return regset->set(t->task, regset, 0, size, ckpt_rec_tail(rec), NULL);
	bigger = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!bigger)
		return -ENOMEM;
	memcpy(bigger, ckpt_rec_tail(rec), saved->data_len);
	ret = regset->set(t->task, regset, 0, size, bigger, NULL);
	kvfree(bigger);
	return ret;
}

/* Segments first: what other registers mean depends on them. */
static int apply_some(struct ckpt_ctx *ctx, struct ckpt_task *t, bool segments)
{
	const struct user_regset_view *view = task_user_regset_view(t->task);
	const struct user_regset *own = ckpt_arch_own_regset();
	const struct ckpt_rec_regset *saved;
	const struct user_regset *regset;
	int i, ret;

	for (i = 0; i < t->nr_regsets; i++) {
		saved = ckpt_rec_data(t->regsets[i]);
		if (segments != (own && own->core_note_type == saved->note_type))
			continue;
		regset = find_regset(view, saved->note_type);
		ret = regset && regset->set ? apply(t, regset, t->regsets[i]) : -ENOEXEC;
		if (ret)
			return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CPU,
					  ret == -ENOMEM ? ret : -ENOEXEC,
					  "processor state of type 0x%x does not fit this system (%d)",
					  saved->note_type, ret);
	}
	return 0;
}

/**
 * ckpt_regset_apply - set the processor state of a parked thread
 * @ctx: context
 * @t: the thread, parked and off its processor
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_regset_apply(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	int ret;

	ret = apply_some(ctx, t, true);
	return ret ?: apply_some(ctx, t, false);
}

const struct ckpt_obj_ops ckpt_regset_ops = {
	.name = "processor state",
	.rec = CKPT_REC_REGSET,
	.collect = regset_collect,
	.save = regset_save,
	.restore = regset_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * signalfd(2): the mask. The signals are those of whoever reads.
 */
#include <linux/checkpoint_state.h>
#include <linux/fs.h>
#include <linux/signal.h>

#include "event.h"

static_assert(sizeof(sigset_t) == sizeof(u64));

static bool signalfd_probe(struct ckpt_task *t, struct file *file)
{
	sigset_t mask;

	return checkpoint_signalfd_show(file, &mask);
}

static int signalfd_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			 struct ckpt_rec_file *rec, char *name)
{
	struct ckpt_rec_event event = { .kind = CKPT_FILE_SIGNALFD };
	sigset_t mask;

	if (!checkpoint_signalfd_show(file, &mask))
		return -EBUSY;
	event.value = mask.sig[0];
	return ckpt_event_save(ctx, file->private_data, &event, rec, name);
}

/**
 * ckpt_signalfd_create - make a signalfd
 * @state: its record
 *
 * Return: the file, or an ERR_PTR().
 */
struct file *ckpt_signalfd_create(const struct ckpt_rec_event *state)
{
	sigset_t mask = { .sig = { state->value } };

	return ckpt_event_take(checkpoint_signalfd_create(&mask));
}

const struct ckpt_file_kind ckpt_signalfd_kind = {
	.name = "signalfd",
	.kind = CKPT_FILE_SIGNALFD,
	.probe = signalfd_probe,
	.collect = ckpt_event_collect,
	.save = signalfd_save,
	.restore = ckpt_event_restore,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * eventfd(2): the count, and whether it is a semaphore. One that something in
 * the kernel signals (asynchronous input and output, a virtual machine) is an
 * obstacle, unless these are the tree's instances of io_uring(7).
 */
#include <linux/checkpoint_state.h>
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/fs.h>

#include <asm/unistd.h>

#include "event.h"

static bool eventfd_probe(struct ckpt_task *t, struct file *file)
{
	struct checkpoint_eventfd state;

	return checkpoint_eventfd_show(file, &state);
}

/* Of an instance that is gone, or that forgot it, it is let go by RCU in a moment. */
static bool stays_used(struct ckpt_ctx *ctx, struct file *file)
{
	struct checkpoint_eventfd state;
	int try;

	for (try = 0; try < CKPT_TRANSIENT_TRIES; try++) {
		if (!checkpoint_eventfd_show(file, &state) ||
		    state.users <= ckpt_refs_of(ctx, file->private_data))
			return false;
		ckpt_event_settle(ctx);
	}
	return true;
}

static void eventfd_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			    struct file *file)
{
	ckpt_event_collect(ctx, where, file);
	if (stays_used(ctx, file))
		ckpt_obstacle_key(ctx, where, CKPT_WHY_FILE, file,
				  "an eventfd that the kernel signals");
}

static int eventfd_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
			struct ckpt_rec_file *rec, char *name)
{
	struct ckpt_rec_event event = { .kind = CKPT_FILE_EVENTFD };
	struct checkpoint_eventfd state;

	if (!checkpoint_eventfd_show(file, &state))
		return -EBUSY;
	event.flags = state.semaphore ? CKPT_EVENT_SEMAPHORE : 0;
	event.value = state.count;
	return ckpt_event_save(ctx, file->private_data, &event, rec, name);
}

/**
 * ckpt_eventfd_create - make an eventfd
 * @state: its record
 *
 * Return: the file, or an ERR_PTR().
 */
struct file *ckpt_eventfd_create(const struct ckpt_rec_event *state)
{
	int flags = state->flags & CKPT_EVENT_SEMAPHORE ? EFD_SEMAPHORE : 0;
	struct file *file = ckpt_event_open(__NR_eventfd2, 0, flags);

	if (!IS_ERR(file))
		checkpoint_eventfd_set(file, state->value);
	return file;
}

const struct ckpt_file_kind ckpt_eventfd_kind = {
	.name = "eventfd",
	.kind = CKPT_FILE_EVENTFD,
	.probe = eventfd_probe,
	.collect = eventfd_collect,
	.save = eventfd_save,
	.restore = ckpt_event_restore,
};

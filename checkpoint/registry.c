// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which threads are being saved or restored just now, system-wide: a thread
 * can be in the hands of one call only.
 */
#include <linux/sched.h>
#include <linux/xarray.h>

#include "internal.h"

static DEFINE_XARRAY(claimed);

/**
 * ckpt_claim - take a thread for a call
 * @t: entry of the thread
 *
 * Context: may sleep.
 * Return: 0, -EBUSY: another call has it, -ENOMEM.
 */
int ckpt_claim(struct ckpt_task *t)
{
	return xa_insert(&claimed, t->task->pid, t, GFP_KERNEL_ACCOUNT);
}

/**
 * ckpt_unclaim - give a thread back
 * @t: entry of the thread; nothing happens if it does not have the thread
 */
void ckpt_unclaim(struct ckpt_task *t)
{
	xa_cmpxchg(&claimed, t->task->pid, t, NULL, GFP_KERNEL);
}

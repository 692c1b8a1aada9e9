// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O ports that a thread may use (ioperm(2)). A new thread has those of the
 * restarter: they are taken away, and the saved ones are asked for as the
 * system call would be, which takes CAP_SYS_RAWIO.
 */
#include <linux/slab.h>
#include <asm/io_bitmap.h>
#include <asm/processor.h>
#include <asm/syscalls.h>

#include "../../../checkpoint/internal.h"
#include "ioports.h"
#include "optional.h"

static_assert(IO_BITMAP_BITS == CKPT_NR_IO_PORTS);

/* Runs of zeros: ports that may be used. */
static u32 list_ports(const unsigned long *bitmap, struct ckpt_rec_io_ports *ports)
{
	u32 from = 0, end, nr = 0;

	for (;;) {
		from = find_next_zero_bit(bitmap, CKPT_NR_IO_PORTS, from);
		if (from == CKPT_NR_IO_PORTS)
			return nr;
		end = find_next_bit(bitmap, CKPT_NR_IO_PORTS, from);
		if (ports) {
			ports[nr].from = from;
			ports[nr].num = end - from;
		}
		nr++;
		from = end;
	}
}

static int io_ports_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const unsigned long *bitmap = io_ports_of(&t->task->thread);
	struct ckpt_rec_io_ports *ports;
	u32 nr;
	int ret;

	if (!bitmap)
		return 0;
	nr = list_ports(bitmap, NULL);
	ports = kvcalloc(nr, sizeof(*ports), GFP_KERNEL_ACCOUNT);
	if (!ports)
		return -ENOMEM;
	list_ports(bitmap, ports);
	ret = ckpt_write_record(ctx, CKPT_REC_IO_PORTS, 0, sizeof(*ports), ports,
				nr * sizeof(*ports), NULL, 0);
	kvfree(ports);
	return ret;
}

static int io_ports_restore(struct ckpt_ctx *ctx, struct ckpt_task *leader,
			    struct ckpt_rec *rec)
{
	struct ckpt_task *t = ckpt_thread_being_read(ctx, leader);

	if (!t || t->io_ports) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(leader), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has I/O ports in a wrong place");
	}
	t->io_ports = rec;
	return 0;
}

/**
 * apply_io_ports - let current use the I/O ports that it could use
 * @t: current
 *
 * Return: 0 or a negative errno.
 */
int apply_io_ports(struct ckpt_task *t)
{
	const struct ckpt_rec_io_ports *ports;
	u64 i, nr;
	int ret = 0;

	if (io_ports_of(&current->thread))
		ret = ksys_ioperm(0, CKPT_NR_IO_PORTS, 0);
	if (ret || !t->io_ports)
		return ret;
	ports = ckpt_rec_data(t->io_ports);
	nr = ckpt_rec_count(t->io_ports);
	for (i = 0; i < nr && !ret; i++)
		ret = ksys_ioperm(ports[i].from, ports[i].num, 1);
	return ret;
}

const struct ckpt_obj_ops ckpt_arch_io_ports_ops = {
	.name = "I/O ports",
	.rec = CKPT_REC_IO_PORTS,
	.save = io_ports_save,
	.restore = io_ports_restore,
};

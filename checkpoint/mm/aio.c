// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts of asynchronous I/O (io_setup(2)). They belong to an address space,
 * and have the address of their ring as name. The ring is not among the saved
 * mappings: it is made with its context, then moved to where it was.
 *
 * A save waits for requests that are under way. What a request has written is
 * then in memory, and its event in the ring.
 */
#include <linux/aio_abi.h>
#include <linux/checkpoint_state.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <asm/unistd.h>

#include "vma.h"

static_assert(sizeof(struct io_event) == 32);

/**
 * ckpt_is_aio_ring - is this the ring of a context of asynchronous I/O?
 * @vma: any mapping
 *
 * Return: true if it is, of whatever process.
 */
bool ckpt_is_aio_ring(struct vm_area_struct *vma)
{
	return vma->vm_file && !strcmp(file_inode(vma->vm_file)->i_sb->s_type->name, "aio");
}

/* As io_setup() has mapped it. */
static bool is_plain_ring(struct vm_area_struct *vma, const struct checkpoint_aio *aio)
{
	struct ckpt_rec_vma now = {};

	if (!vma || vma->vm_file != aio->file || vma->vm_start != aio->addr ||
	    vma->vm_end - vma->vm_start != aio->size)
		return false;
	ckpt_vma_fill(vma, &now);
	return now.prot == (CKPT_PROT_READ | CKPT_PROT_WRITE) && !now.pgoff && !now.pkey &&
	       now.flags == CKPT_VMA_SHARED && !vma_policy(vma);
}

/* The context of this address space that a ring belongs to. */
static bool has_context(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct checkpoint_aio aio = {};
	unsigned int id;

	for (id = 0; checkpoint_aio_next(mm, id, &aio); id = aio.id + 1)
		if (aio.file == vma->vm_file)
			return true;
	return false;
}

/**
 * ckpt_aio_collect - look for what keeps contexts from being saved
 * @ctx: context of a save
 * @t: leader of the process
 * @mm: its address space; mmap_lock is held
 */
void ckpt_aio_collect(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm)
{
	struct checkpoint_aio aio = {};
	struct vm_area_struct *vma;
	unsigned int id;

	VMA_ITERATOR(vmi, mm, 0);

	for (id = 0; checkpoint_aio_next(mm, id, &aio); id = aio.id + 1) {
		const struct ckpt_where *where = CKPT_AT_RANGE(t, aio.addr, aio.addr + aio.size);

		if (!is_plain_ring(vma_lookup(mm, aio.addr), &aio))
			ckpt_obstacle(ctx, where, CKPT_WHY_IO,
				      "an asynchronous I/O context (io_setup) whose ring was mapped in another way");
		if (aio.waiting)
			ckpt_obstacle(ctx, where, CKPT_WHY_IO,
				      "asynchronous I/O: %u requests wait for events (IOCB_CMD_POLL)",
				      aio.waiting);
		if (aio.under_way > aio.waiting)
			ckpt_obstacle(ctx, where, CKPT_WHY_IO,
				      "asynchronous I/O: %u requests have not completed in time",
				      aio.under_way - aio.waiting);
	}
	for_each_vma(vmi, vma)
		if (ckpt_is_aio_ring(vma) && !has_context(mm, vma))
			ckpt_obstacle(ctx, CKPT_AT_RANGE(t, vma->vm_start, vma->vm_end),
				      CKPT_WHY_IO,
				      "the ring of another process's asynchronous I/O context");
}

/* 1: requests are under way, 2: they wait for events, 0: there are none. */
static int is_busy(struct mm_struct *mm)
{
	struct checkpoint_aio aio = {};
	unsigned int id;
	int busy = 0;

	for (id = 0; busy != 1 && checkpoint_aio_next(mm, id, &aio); id = aio.id + 1)
		if (aio.under_way)
			busy = aio.under_way == aio.waiting ? 2 : 1;
	return busy;
}

static int wait_for(struct mm_struct *mm, unsigned long deadline)
{
	unsigned long soon = jiffies + msecs_to_jiffies(CKPT_IO_WAIT_MS);
	int busy;

	while ((busy = is_busy(mm))) {
		if (time_after(jiffies, deadline) || (busy == 2 && time_after(jiffies, soon)))
			break;
		if (schedule_timeout_killable(1) || fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * ckpt_aio_wait - wait until all asynchronous requests of a tree have completed
 * @ctx: context of a save, its tasks stopped
 * @deadline: in jiffies; what has not completed then is an obstacle
 *
 * Return: 0 or -EINTR.
 */
int ckpt_aio_wait(struct ckpt_ctx *ctx, unsigned long deadline)
{
	struct ckpt_task *t;
	struct mm_struct *mm;
	int ret = 0;

	for (t = ckpt_next_leader(ctx, NULL); t && !ret; t = ckpt_next_leader(ctx, t)) {
		mm = t->main ? get_task_mm(t->main->task) : NULL;
		if (!mm)
			continue;
		ret = wait_for(mm, deadline);
		mmput(mm);
	}
	return ret;
}

static int save_context(struct ckpt_ctx *ctx, struct mm_struct *mm,
			const struct checkpoint_aio *aio)
{
	struct ckpt_rec_aio rec = {
		.addr = aio->addr,
		.nr_pages = aio->size >> PAGE_SHIFT,
		.max_reqs = aio->max_reqs,
		.id = aio->id,
		.tail = aio->tail,
		.completed = aio->completed,
	};
	u8 *ring = kvmalloc(aio->size, GFP_KERNEL_ACCOUNT);
	size_t len = aio->size;
	int ret = -EBUSY;

	if (!ring)
		return -ENOMEM;
	if (!aio->under_way && access_remote_vm(mm, aio->addr, ring, len, 0) == len) {
		while (len && !ring[len - 1])
			len--;
		rec.ring_len = len;
		ret = ckpt_write_record(ctx, CKPT_REC_AIO, 0, sizeof(rec), &rec, sizeof(rec),
					ring, len);
	}
	kvfree(ring);
	return ret;
}

/**
 * ckpt_aio_save - save the contexts of an address space
 * @ctx: context
 * @t: leader of the process
 * @mm: its address space
 *
 * Return: 0 or a negative errno.
 */
int ckpt_aio_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm)
{
	struct checkpoint_aio aio = {};
	unsigned int id;
	int ret = 0;

	for (id = 0; !ret && checkpoint_aio_next(mm, id, &aio); id = aio.id + 1)
		ret = save_context(ctx, mm, &aio);
	if (ret == -EBUSY)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, ret,
			   "asynchronous I/O has changed while the process was being saved");
	return ret;
}

/* The range must be free; while it is reserved the kernel makes the ring elsewhere. */
static int create_ring(const struct ckpt_rec_aio *saved)
{
	struct checkpoint_aio aio = {
		.id = saved->id,
		.size = (unsigned long)saved->nr_pages << PAGE_SHIFT,
		.max_reqs = saved->max_reqs,
		.tail = saved->tail,
		.completed = saved->completed,
	};
	u64 args[6] = { 0, aio.size, aio.size, MREMAP_MAYMOVE | MREMAP_FIXED, saved->addr };
	unsigned long addr;
	int ret;

	addr = vm_mmap(NULL, saved->addr, aio.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		       MAP_NORESERVE | MAP_FIXED_NOREPLACE, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	if (addr != saved->addr)
		return -EBADMSG;
	ret = checkpoint_aio_create(&aio);
	if (ret)
		return ret;
	args[0] = aio.addr;
	addr = ckpt_arch_call(__NR_mremap, args);
	if (IS_ERR_VALUE(addr))
		return addr;
	return addr == saved->addr ? 0 : -EBADMSG;
}

/**
 * ckpt_aio_restore - make a context of asynchronous I/O for current
 * @ctx: context of a restart
 * @t: leader, current, its other mappings restored
 * @rec: AIO record
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_aio_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_aio *saved = ckpt_rec_data(rec);
	int ret = create_ring(saved);

	if (!ret && copy_to_user((void __user *)(unsigned long)saved->addr, ckpt_rec_tail(rec),
				 saved->ring_len))
		ret = -EFAULT;
	if (ret == -ENOEXEC)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MISMATCH, ret,
				  "asynchronous I/O of %u requests has another ring here, by the number of processors",
				  saved->max_reqs);
	if (ret == -EEXIST || ret == -EINVAL || ret == -EFAULT || ret == -EBADMSG)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an impossible asynchronous I/O context");
	if (ret)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, ret,
			   "cannot make an asynchronous I/O context (see /proc/sys/fs/aio-max-nr)");
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_uring(7): instances with nothing under way, what waits in their rings, and how
 * far the kernel has come in them. mm/ring.c maps their memory, io_registered.c has
 * what is registered with them.
 *
 * A save waits for requests that are under way. They complete in the context of who
 * has submitted them, who is parked: he is asked to do that. Workers of the kernel,
 * which are threads of the process, are left out: new ones come when they are needed.
 *
 * A thread that waits in io_uring_enter(2) parks inside of the call, and goes on
 * waiting. Its copy calls it again; or has its result, if it has submitted something.
 */
#include <linux/checkpoint_state.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/unistd.h>

#include "../optional.h"
#include "event.h"

/* Flags of io_uring_setup(2) and their counterparts in the image. */
static const struct {
	u32 setup;
	u32 saved;
} setups[] = {
	{ IORING_SETUP_CQSIZE, CKPT_RING_CQSIZE },
	{ IORING_SETUP_CLAMP, CKPT_RING_CLAMP },
	{ IORING_SETUP_SUBMIT_ALL, CKPT_RING_SUBMIT_ALL },
	{ IORING_SETUP_COOP_TASKRUN, CKPT_RING_COOP },
	{ IORING_SETUP_TASKRUN_FLAG, CKPT_RING_TASKRUN },
	{ IORING_SETUP_SINGLE_ISSUER, CKPT_RING_SINGLE },
	{ IORING_SETUP_DEFER_TASKRUN, CKPT_RING_DEFER },
	{ IORING_SETUP_R_DISABLED, CKPT_RING_DISABLED },
	{ IORING_SETUP_SQE128, CKPT_RING_SQE128 },
	{ IORING_SETUP_CQE32, CKPT_RING_CQE32 },
	{ IORING_SETUP_NO_SQARRAY, CKPT_RING_NO_ARRAY },
};

/* What cannot be saved: of these, and of what an instance has besides. */
static const struct {
	u32 setup;
	u32 extra;
	const char *text;
} refused[] = {
	{ IORING_SETUP_SQPOLL, 0, "whose submissions a thread of the kernel takes (SQPOLL)" },
	{ IORING_SETUP_IOPOLL, 0, "that polls for completions (IOPOLL)" },
	{ IORING_SETUP_NO_MMAP, 0, "whose rings are memory of the process (NO_MMAP)" },
	{ 0, CHECKPOINT_RING_COMPAT, "of a 32-bit program" },
	{ 0, CHECKPOINT_RING_OVERFLOW, "with more completions than its ring has room for" },
	{ 0, CHECKPOINT_RING_PERSONALITY, "with registered personalities" },
	{ 0, CHECKPOINT_RING_WORKERS, "with a limit of workers" },
	{ 0, CHECKPOINT_RING_NAPI, "with busy polling of networks" },
	{ 0, CHECKPOINT_RING_BUSY, "with requests under way" },
};

static bool ring_probe(struct ckpt_task *t, struct file *file)
{
	return io_is_uring_fops(file);
}

static int look(struct file *file, struct checkpoint_io_uring *state)
{
	return ckpt_while_busy(checkpoint_io_uring_show(file, state));
}

/* The thread of the tree that alone may submit, or NULL. */
static struct ckpt_task *submitter_of(struct ckpt_ctx *ctx,
				      const struct checkpoint_io_uring *state)
{
	struct ckpt_task *t = xa_load(&ctx->task_index, READ_ONCE(state->submitter->pid));

	return t && t->task == state->submitter && !t->dead ? t : NULL;
}

static void collect_state(struct ckpt_ctx *ctx, const struct ckpt_where *where, struct file *file,
			  const struct checkpoint_io_uring *state)
{
	u32 nr, unknown = state->setup;
	size_t size;
	int i;

	for (i = 0; i < ARRAY_SIZE(setups); i++)
		unknown &= ~setups[i].setup;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		if (!(unknown & refused[i].setup) && !(state->extras & refused[i].extra))
			continue;
		unknown &= ~refused[i].setup;
		ckpt_obstacle(ctx, where, CKPT_WHY_IO, "an io_uring instance %s", refused[i].text);
	}
	/* These only go with one of the above. */
	if (state->setup & (IORING_SETUP_SQPOLL | IORING_SETUP_NO_MMAP))
		return;
	if (unknown)
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance with unknown flags 0x%x", unknown);
	if (ckpt_provided_size(file, &nr, &size) < 0 || size > CKPT_MAX_IO_PROVIDED)
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance with more provided buffers than an image can have");
	if (state->submitter && !submitter_of(ctx, state))
		ckpt_obstacle(ctx, where, CKPT_WHY_IO,
			      "an io_uring instance whose only submitter has ended");
}

/* Has a thread called io_uring_enter(2) for an instance that it has registered? */
static bool is_by_number(struct ckpt_task *t)
{
	unsigned long args[6];

	ckpt_arch_call_args(t->task, args);
	return args[3] & IORING_ENTER_REGISTERED_RING;
}

/* The instance for which it has called that, or NULL. */
static struct file *file_of_call(struct ckpt_task *t)
{
	unsigned long args[6];

	ckpt_arch_call_args(t->task, args);
	return is_by_number(t) ? ckpt_io_ring_of(t, args[0]) : fget_task(t->task, args[0]);
}

/* References of threads that have parked inside of io_uring_enter(2). */
static int count_inside(struct ckpt_ctx *ctx, const struct file *file)
{
	struct file *used;
	int nr = 0;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		/* A call has none of its own to what is registered. */
		if (!ckpt_in_io_uring(ctx->tasks[i]) || is_by_number(ctx->tasks[i]))
			continue;
		used = file_of_call(ctx->tasks[i]);
		nr += used == file;
		if (used)
			fput(used);
	}
	return nr;
}

static void ring_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			 struct file *file)
{
	struct checkpoint_io_uring state;
	struct ckpt_task *holder;
	struct file *open;

	/* One that is open, too, is told of as such. */
	open = where->end ? ckpt_fds_find(ctx, file, -1, &holder) : NULL;
	if (open) {
		fput(open);
		return;
	}
	if (!ckpt_file_is_ours(ctx, file, !where->end + count_inside(ctx, file)))
		ckpt_obstacle(ctx, where, CKPT_WHY_FILE,
			      "others outside of the tree hold %pD, too", file);
	if (look(file, &state))
		ckpt_obstacle(ctx, where, CKPT_WHY_IO, "an io_uring instance that is in use");
	else
		collect_state(ctx, where, file, &state);
	ckpt_registered_collect(ctx, where, file);
}

static void fill(struct ckpt_ctx *ctx, const struct checkpoint_io_uring *state,
		 struct ckpt_rec_io_uring *rec)
{
	int i;

	*rec = (struct ckpt_rec_io_uring){
		.sq_entries = state->sq_entries,
		.cq_entries = state->cq_entries,
		.array_offset = state->array_offset,
		.sq_head = state->sq_head,
		.cq_tail = state->cq_tail,
		.cq_extra = state->cq_extra,
		.timeouts = state->timeouts,
		.last_flush = state->last_flush,
		.next_personality = state->next_personality,
		.flags = (state->drain_next ? CKPT_RING_DRAIN_NEXT : 0) |
			 (state->drain_active ? CKPT_RING_DRAIN_ACTIVE : 0) |
			 (state->no_drain ? CKPT_RING_NO_DRAIN : 0) |
			 (state->counts_timeouts ? CKPT_RING_TIMEOUTS : 0) |
			 (state->boottime ? CKPT_RING_BOOTTIME : 0) |
			 (state->accounted ? CKPT_RING_ACCOUNTED : 0),
	};
	for (i = 0; i < ARRAY_SIZE(setups); i++)
		if (state->setup & setups[i].setup)
			rec->flags |= setups[i].saved;
	if (state->restricted) {
		rec->restricted = 1;
		rec->sqe_flags_allowed = state->sqe_flags_allowed;
		rec->sqe_flags_required = state->sqe_flags_required;
		rec->register_ops = state->register_ops;
		memcpy(rec->sqe_ops, state->sqe_ops, sizeof(rec->sqe_ops));
	}
	if (state->accounted)
		rec->uid = from_kuid_munged(ctx->userns, state->uid);
}

/* Copies memory, and returns its length without the zero bytes at its end. */
static u32 copy(u8 *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	while (len && !to[len - 1])
		len--;
	return len;
}

static int save_ring(struct ckpt_ctx *ctx, struct file *file, u32 tag)
{
	struct checkpoint_io_uring state;
	struct ckpt_rec_io_uring rec;
	struct ckpt_task *submitter;
	int ret = look(file, &state);
	size_t size, provided;
	u8 *data;

	if (ret)
		return ret;
	fill(ctx, &state, &rec);
	if (state.submitter) {
		submitter = submitter_of(ctx, &state);
		if (!submitter)
			return -EBUSY;
		rec.submitter = task_pid_nr_ns(submitter->task, ctx->pidns);
	}
	ret = ckpt_provided_size(file, &rec.nr_groups, &provided);
	if (ret)
		return ret;
	data = kvmalloc(provided + state.rings_size + state.sqes_size, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	ret = ckpt_provided_fill(file, data, rec.nr_groups, provided);
	rec.rings_len = copy(data + provided, state.rings, state.rings_size);
	size = provided + rec.rings_len;
	rec.sqes_len = copy(data + size, state.sqes, state.sqes_size);
	if (!ret)
		ret = ckpt_write_record(ctx, CKPT_REC_IO_URING, tag, sizeof(rec), &rec, sizeof(rec),
					data, size + rec.sqes_len);
	kvfree(data);
	if (!ret && state.extras & (CHECKPOINT_RING_EVENTFD | CHECKPOINT_RING_FILES |
				    CHECKPOINT_RING_BUFFERS | CHECKPOINT_RING_PROVIDED))
		ret = ckpt_registered_note(ctx, file);
	return ret;
}

static int ring_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		     struct ckpt_rec_file *rec, char *name)
{
	int ret;

	strscpy(name, "io_uring", CKPT_PATH_MAX);
	rec->object = ckpt_new_tag(ctx, file->private_data);
	ret = rec->object ? save_ring(ctx, file, rec->object) : -ENOMEM;
	if (ret == -EBUSY)
		ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_CHANGED, ret,
			   "an io_uring instance has changed while the process was being saved");
	return ret;
}

/* Memory is accounted for to who it was, as far as the restarter could become him. */
static kuid_t accounts(const struct ckpt_rec_io_uring *saved)
{
	kuid_t uid = make_kuid(current_user_ns(), saved->uid);

	return uid_valid(uid) && ckpt_may_act_as(uid) ? uid : current_uid();
}

/* A fresh instance is another one if it has another size or layout. */
static int set_ring(struct file *file, struct ckpt_rec *rec)
{
	const struct ckpt_rec_io_uring *saved = ckpt_rec_data(rec);
	struct checkpoint_io_uring now, state = {
		.sq_head = saved->sq_head,
		.cq_tail = saved->cq_tail,
		.cq_extra = saved->cq_extra,
		.timeouts = saved->timeouts,
		.last_flush = saved->last_flush,
		.next_personality = saved->next_personality,
		.drain_next = saved->flags & CKPT_RING_DRAIN_NEXT,
		.drain_active = saved->flags & CKPT_RING_DRAIN_ACTIVE,
		.no_drain = saved->flags & CKPT_RING_NO_DRAIN,
		.counts_timeouts = saved->flags & CKPT_RING_TIMEOUTS,
		.boottime = saved->flags & CKPT_RING_BOOTTIME,
		.accounted = saved->flags & CKPT_RING_ACCOUNTED,
		.uid = accounts(saved),
		.restricted = saved->restricted,
		.sqe_flags_allowed = saved->sqe_flags_allowed,
		.sqe_flags_required = saved->sqe_flags_required,
		.register_ops = saved->register_ops,
		.sqe_ops = { saved->sqe_ops[0], saved->sqe_ops[1] },
	};
	const u8 *data = ckpt_rec_tail(rec);
	int ret = look(file, &now);
	size_t provided;

	if (!ret)
		ret = ckpt_provided_restore(file, data, saved->nr_groups, &provided);
	if (ret)
		return ret;
	data += provided;
	if (now.sq_entries != saved->sq_entries || now.cq_entries != saved->cq_entries ||
	    now.array_offset != saved->array_offset ||
	    now.rings_size < saved->rings_len || now.sqes_size < saved->sqes_len)
		return -ENOEXEC;
	memcpy(now.rings, data, saved->rings_len);
	memcpy(now.sqes, data + saved->rings_len, saved->sqes_len);
	return checkpoint_io_uring_set(file, &state);
}

static struct file *create(struct ckpt_rec *rec)
{
	const struct ckpt_rec_io_uring *saved = ckpt_rec_data(rec);
	struct io_uring_params params = { .cq_entries = saved->cq_entries };
	struct file *file = ERR_PTR(-EFAULT);
	unsigned long at;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(setups); i++)
		if (saved->flags & setups[i].saved)
			params.flags |= setups[i].setup;
	/* The system call wants them in memory of the process. */
	at = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(at))
		return ERR_PTR(at);
	if (!copy_to_user((void __user *)at, &params, sizeof(params)))
		file = ckpt_event_open(__NR_io_uring_setup, saved->sq_entries, at);
	vm_munmap(at, PAGE_SIZE);
	if (IS_ERR(file))
		return file;
	ret = set_ring(file, rec);
	if (!ret)
		return file;
	fput(file);
	return ERR_PTR(ret);
}

static int ring_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	return ckpt_event_keep(ctx, t, rec, create(rec), &ckpt_io_uring_ops);
}

static struct file *file_restore(struct ckpt_ctx *ctx, struct ckpt_task *t,
				 const struct ckpt_rec_file *rec, const char *name)
{
	struct ckpt_event *r = ckpt_get_tag(ctx, rec->object, &ckpt_io_uring_ops);

	return r ? ckpt_event_file(r->file, rec) : ckpt_event_missing(ctx, t);
}

static int assemble(struct ckpt_ctx *ctx, void *obj, void *arg)
{
	struct ckpt_event *r = obj;
	const struct ckpt_rec_io_uring *saved = ckpt_rec_data(r->rec);
	int ret = ckpt_registered_apply(ctx, r);
	struct ckpt_task *t;

	if (ret || !saved->submitter)
		return ret;
	t = xa_load(&ctx->task_index, saved->submitter);
	if (!t || !t->task || t->dead)
		return ckpt_error(ctx, CKPT_AT(NULL), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an io_uring instance of an unknown thread");
	checkpoint_io_uring_give(r->file, t->task);
	return 0;
}

/**
 * ckpt_io_urings_assemble - register files, give instances to their only submitters
 * @ctx: context of a restart; all tasks and files exist
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_io_urings_assemble(struct ckpt_ctx *ctx)
{
	return ckpt_each_tag(ctx, &ckpt_io_uring_ops, assemble, NULL);
}

/* Has a thread parked inside of a system call, which has no result yet? */
static bool is_in_call(struct ckpt_task *t)
{
	return t->state == CKPT_TASK_PARKED && ckpt_arch_result(t->task) == -ENOSYS;
}

/**
 * ckpt_in_io_uring - has a thread parked in io_uring_enter(2)?
 * @t: thread
 *
 * Return: true: the call has no result yet.
 */
bool ckpt_in_io_uring(struct ckpt_task *t)
{
	return is_in_call(t) && ckpt_arch_syscall(t->task) == __NR_io_uring_enter;
}

/**
 * ckpt_io_uring_result - result of io_uring_enter(2) that has submitted something
 * @t: thread, parked in the call
 *
 * It has submitted all that it was asked to, or it would not wait. An interrupted
 * call returns their number.
 *
 * Return: the result, 0: it only waits.
 */
long ckpt_io_uring_result(struct ckpt_task *t)
{
	unsigned long args[6];

	ckpt_arch_call_args(t->task, args);
	return (u32)args[1];
}

/* System calls inside of which a thread parks. */
static void collect_call(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	long nr = ckpt_arch_syscall(t->task);
	struct file *file;

	if (!is_in_call(t))
		return;
	/* To cancel requests. */
	if (ckpt_uses_io_uring(t->task) &&
	    (nr == __NR_io_uring_register || nr == __NR_execve || nr == __NR_execveat))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SYSCALL,
			      "is in a system call (%ld) that waits for io_uring", nr);
	if (nr != __NR_io_uring_enter)
		return;
	file = file_of_call(t);
	if (!file || !io_is_uring_fops(file))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_SYSCALL,
			      "waits in io_uring_enter(2) for an instance that it has closed");
	if (file)
		fput(file);
}

/**
 * ckpt_io_uring_collect - look for what keeps a user of io_uring from being saved
 * @ctx: context of a save
 * @t: thread
 */
void ckpt_io_uring_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct checkpoint_io_uring_task state;

	collect_call(ctx, t);
	checkpoint_io_uring_task(t->task, &state);
	if (state.under_way)
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_IO, "io_uring: %ld requests %s",
			      state.under_way, state.waiting ? "wait for events" :
			      "have not completed in time");
}

/* Lets a thread complete what waits for it. One that job control has stopped cannot. */
static void put_to_work(struct ckpt_task *t)
{
	if (t->state == CKPT_TASK_SELF)
		checkpoint_io_uring_work();
	if (READ_ONCE(t->state) != CKPT_TASK_PARKED)
		return;
	/* Pairs with the acquire in did_io_work(). */
	smp_store_release(&t->io_work, true);
	wake_up_process(t->task);
}

/* Will a thread still look whether there is work? A killed one does not. */
static bool is_at_work(struct ckpt_task *t)
{
	/* Pairs with the release in did_io_work(). */
	return smp_load_acquire(&t->io_work) && READ_ONCE(t->state) == CKPT_TASK_PARKED;
}

/* 0: nothing is under way, 1: some requests are, 2: and some wait for events. */
static int is_busy(struct ckpt_ctx *ctx, bool wait)
{
	struct checkpoint_io_uring_task state;
	struct ckpt_task *t;
	int busy = 0;
	u32 i;

	for (i = 0; i < ctx->nr_tasks; i++) {
		t = ctx->tasks[i];
		if (t->dead || !ckpt_uses_io_uring(t->task))
			continue;
		if (is_at_work(t)) {
			busy = max(busy, 1);
			continue;
		}
		if (!wait)
			continue;
		checkpoint_io_uring_task(t->task, &state);
		if (!state.under_way && !state.work)
			continue;
		busy = max(busy, state.waiting ? 2 : 1);
		put_to_work(t);
	}
	return busy;
}

/**
 * ckpt_io_uring_wait - wait until all requests of io_uring of a tree have completed
 * @ctx: context of a save, its tasks stopped
 * @deadline: in jiffies; what has not completed then is an obstacle
 *
 * Return: 0 or -EINTR.
 */
int ckpt_io_uring_wait(struct ckpt_ctx *ctx, unsigned long deadline)
{
	unsigned long soon = jiffies + msecs_to_jiffies(CKPT_IO_WAIT_MS);
	bool wait = true;
	int busy;

	while ((busy = is_busy(ctx, wait))) {
		/* Those who are at work come to their end. */
		if (time_after(jiffies, deadline) || (busy == 2 && time_after(jiffies, soon)))
			wait = false;
		if (schedule_timeout_killable(1) || fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

const struct ckpt_file_kind ckpt_io_uring_kind = {
	.name = "io_uring",
	.kind = CKPT_FILE_IO_URING,
	.probe = ring_probe,
	.collect = ring_collect,
	.save = ring_save,
	.restore = file_restore,
};

const struct ckpt_obj_ops ckpt_io_uring_ops = {
	.name = "io_uring instance",
	.rec = CKPT_REC_IO_URING,
	.restore = ring_restore,
	.put = ckpt_event_put,
};

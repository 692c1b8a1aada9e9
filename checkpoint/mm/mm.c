// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address space: the fields of prctl(PR_SET_MM), the executed file, dump
 * settings, vDSO; then its mappings and their private pages. Content of shared
 * file mappings belongs to the file. Processes may share one; if one of them is
 * outside of the tree, it is an obstacle.
 */
#include <linux/checkpoint_state.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ksm.h>
#include <linux/mm.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/user_namespace.h>
#include <linux/wait_bit.h>

#include "../optional.h"
#include "vma.h"

static_assert(AT_VECTOR_SIZE <= CKPT_AUXV_MAX);

static bool uses_mm(struct task_struct *task, const void *mm)
{
	return READ_ONCE(task->mm) == mm && !(task->flags & PF_KTHREAD);
}

static bool shared_outside(struct ckpt_ctx *ctx, struct mm_struct *mm, struct ckpt_task *t)
{
	return atomic_read(&mm->mm_users) > t->leader->nr_threads + 1 &&
	       ckpt_used_outside(ctx, uses_mm, mm);
}

static void collect_props(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm)
{
	if (shared_outside(ctx, mm, t))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_MM,
			      "shares its address space with another process");
	if (test_bit(MMF_HAS_UPROBES, &mm->flags))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_PERF, "is being probed (uprobes)");
	if (!rcu_access_pointer(mm->exe_file))
		ckpt_obstacle(ctx, CKPT_AT(t), CKPT_WHY_MM, "has no executed file");
}

static int collect_all(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	struct file *exe;

	VMA_ITERATOR(vmi, mm, 0);

	collect_props(ctx, t, mm);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	ckpt_arch_collect_mm(ctx, t, mm);
	for_each_vma(vmi, vma)
		ckpt_vma_collect(ctx, t, vma);
	ckpt_aio_collect(ctx, t, mm);
	mmap_read_unlock(mm);
	exe = get_mm_exe_file(mm);
	if (exe) {
		ckpt_file_collect(ctx, CKPT_AT(t), exe);
		fput(exe);
	}
	return 0;
}

static int mm_collect(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct mm_struct *mm = get_task_mm(t->task);
	struct ckpt_task *owner;
	int ret = 0;

	if (!mm)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH, "has exited");
	owner = ckpt_mm_owner(ctx, t->leader, mm);
	if (IS_ERR(owner))
		ret = PTR_ERR(owner);
	else if (owner == t->leader)
		ret = collect_all(ctx, t, mm);
	mmput(mm);
	return ret;
}

static void fill_fields(struct ckpt_ctx *ctx, struct mm_struct *mm, struct ckpt_rec_mm *rec)
{
	int i;

	spin_lock(&mm->arg_lock);
	rec->start_code = mm->start_code;
	rec->end_code = mm->end_code;
	rec->start_data = mm->start_data;
	rec->end_data = mm->end_data;
	rec->start_brk = mm->start_brk;
	rec->brk = mm->brk;
	rec->start_stack = mm->start_stack;
	rec->arg_start = mm->arg_start;
	rec->arg_end = mm->arg_end;
	rec->env_start = mm->env_start;
	rec->env_end = mm->env_end;
	spin_unlock(&mm->arg_lock);
	rec->mmap_base = mm->mmap_base;
	rec->dumpable = get_dumpable(mm);
	rec->user_ns = ckpt_ns_nr(ctx, mm->user_ns);
	rec->coredump_filter = (mm->flags & MMF_DUMP_FILTER_MASK) >> MMF_DUMP_FILTER_SHIFT;
	if (test_bit(MMF_DISABLE_THP, &mm->flags))
		rec->flags |= CKPT_MMF_THP_DISABLE;
	if (test_bit(MMF_TOPDOWN, &mm->flags))
		rec->flags |= CKPT_MMF_TOPDOWN;
	if (test_bit(MMF_HAS_MDWE, &mm->flags))
		rec->flags |= CKPT_MMF_MDWE;
	if (test_bit(MMF_HAS_MDWE_NO_INHERIT, &mm->flags))
		rec->flags |= CKPT_MMF_MDWE_NO_INHERIT;
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags))
		rec->flags |= CKPT_MMF_MERGE_ANY;
	if (mm->def_flags & VM_LOCKED)
		rec->flags |= CKPT_MMF_LOCK_FUTURE;
	if (mm->def_flags & VM_LOCKONFAULT)
		rec->flags |= CKPT_MMF_LOCK_ONFAULT;
	rec->nr_auxv = AT_VECTOR_SIZE;
	for (i = 0; i < AT_VECTOR_SIZE; i++)
		rec->auxv[i] = mm->saved_auxv[i];
}

static int save_records(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm,
			struct ckpt_vmas *vmas)
{
	struct ckpt_rec_mm rec = { .nr_vmas = vmas->nr };
	struct file *exe = get_mm_exe_file(mm);
	u32 tag;
	int ret;

	ret = ckpt_vmas_tag(ctx, t, vmas);
	if (!ret)
		ret = exe ? ckpt_file_save(ctx, t, exe, &rec.exe) : -ENOENT;
	if (exe)
		fput(exe);
	if (ret)
		return ret;
	fill_fields(ctx, mm, &rec);
	ckpt_arch_save_mm(mm, &rec);
	tag = ckpt_new_tag(ctx, mm);
	if (!tag)
		return -ENOMEM;
	ret = ckpt_write_record(ctx, CKPT_REC_MM, tag, sizeof(rec), &rec, sizeof(rec), NULL, 0);
	if (ret)
		return ret;
	ret = ckpt_write_record(ctx, CKPT_REC_VMAS, 0, sizeof(*vmas->recs), vmas->recs,
				vmas->nr * sizeof(*vmas->recs), NULL, 0);
	if (!ret)
		ret = ckpt_vma_names_save(ctx, mm) ?: ckpt_vma_policies_save(ctx, mm);
	if (!ret)
		ret = ckpt_aio_save(ctx, t, mm);
	return ret ?: ckpt_arch_save_ldt(ctx, mm);
}

static int save_all(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm)
{
	struct ckpt_vmas vmas = {};
	ktime_t start;
	int ret;

	ret = ckpt_vmas_gather(mm, &vmas);
	if (!ret)
		ret = ckpt_cow_families(ctx, mm, &vmas);
	if (!ret)
		ret = save_records(ctx, t, mm, &vmas);
	ckpt_vmas_free(&vmas);
	start = ktime_get();
	if (!ret)
		ret = ckpt_pages_save(ctx, t, mm);
	ctx->stats.memory_ns += ktime_to_ns(ktime_sub(ktime_get(), start));
	return ret ?: ckpt_write_record(ctx, CKPT_REC_MM_END, 0, 0, NULL, 0, NULL, 0);
}

static int mm_save(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	struct mm_struct *mm = get_task_mm(t->task);
	u32 tag;
	int ret;

	if (!mm)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_GONE, -ESRCH, "has exited");
	tag = ckpt_tag_of(ctx, mm);
	ret = tag ? ckpt_write_use(ctx, CKPT_REC_MM, tag) : save_all(ctx, t, mm);
	mmput(mm);
	return ret;
}

/* As prctl(PR_SET_MM_MAP) checks them: they only mislead the process itself. */
static bool fields_valid(const struct ckpt_rec_mm *rec)
{
	const u64 addrs[] = {
		rec->end_code, rec->end_data, rec->brk, rec->start_stack,
		rec->arg_end, rec->env_end, rec->mmap_base, rec->mmap_legacy_base,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		if (addrs[i] > TASK_SIZE)
			return false;
	return rec->start_brk >= mmap_min_addr && rec->mmap_base >= mmap_min_addr &&
	       rec->coredump_filter < BIT(MMF_DUMP_FILTER_BITS);
}

static void set_fields(struct mm_struct *mm, const struct ckpt_rec_mm *rec)
{
	int i;

	spin_lock(&mm->arg_lock);
	mm->start_code = rec->start_code;
	mm->end_code = rec->end_code;
	mm->start_data = rec->start_data;
	mm->end_data = rec->end_data;
	mm->start_brk = rec->start_brk;
	mm->brk = rec->brk;
	mm->start_stack = rec->start_stack;
	mm->arg_start = rec->arg_start;
	mm->arg_end = rec->arg_end;
	mm->env_start = rec->env_start;
	mm->env_end = rec->env_end;
	spin_unlock(&mm->arg_lock);
	mm->mmap_base = rec->mmap_base;
	for (i = 0; i < AT_VECTOR_SIZE; i++)
		mm->saved_auxv[i] = i < rec->nr_auxv ? rec->auxv[i] : 0;
	/* The vector always ends. */
	mm->saved_auxv[AT_VECTOR_SIZE - 2] = AT_NULL;
	mm->flags &= ~(unsigned long)MMF_DUMP_FILTER_MASK;
	mm->flags |= (unsigned long)rec->coredump_filter << MMF_DUMP_FILTER_SHIFT;
	assign_bit(MMF_DISABLE_THP, &mm->flags, rec->flags & CKPT_MMF_THP_DISABLE);
	assign_bit(MMF_TOPDOWN, &mm->flags, rec->flags & CKPT_MMF_TOPDOWN);
	/* That of the restarter stays, as it does when a program is executed. */
	if (rec->flags & CKPT_MMF_MDWE)
		set_bit(MMF_HAS_MDWE, &mm->flags);
	if (rec->flags & CKPT_MMF_MDWE_NO_INHERIT)
		set_bit(MMF_HAS_MDWE_NO_INHERIT, &mm->flags);
}

/* Before there are mappings: they will be mergeable, and those that were not are told. */
static int set_merging(const struct ckpt_rec_mm *rec)
{
	struct mm_struct *mm = current->mm;
	int ret = 0;

	mmap_write_lock(mm);
	clear_bit(MMF_VM_MERGE_ANY, &mm->flags);
	if (rec->flags & CKPT_MMF_MERGE_ANY)
		ret = ckpt_merge_any(mm);
	mmap_write_unlock(mm);
	return ret;
}

static int set_exe(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 tag)
{
	struct file *exe = ckpt_get_tag(ctx, tag, &ckpt_file_ops);
	int ret;

	if (!exe || !S_ISREG(file_inode(exe)->i_mode))
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a process without an executed file");
	/* As prctl(PR_SET_MM_EXE_FILE) asks. */
	ret = path_noexec(&exe->f_path) ? -EACCES : file_permission(exe, MAY_EXEC);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_CHANGED, ret,
				  "the executed file may not be executed");
	ret = set_mm_exe_file(current->mm, exe);
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_FILE_CHANGED, ret,
				  "the executed file is open for writing");
	return 0;
}

/* Whose rights count for it. The namespace that it had is the caller's, and stays. */
static int set_user_ns(struct ckpt_ctx *ctx, u32 nr)
{
	struct ckpt_ns *ns = ckpt_ns_at(ctx, nr, CKPT_NS_USER);
	struct user_namespace *old = current->mm->user_ns;

	if (!nr)
		return 0;
	if (!ns)
		return -EBADMSG;
	if (!ns_capable(ns->user, CAP_SYS_ADMIN))
		return -EPERM;
	WRITE_ONCE(current->mm->user_ns, get_user_ns(ns->user));
	put_user_ns(old);
	return 0;
}

static int restore_part(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	int ret;

	switch (rec->type) {
	case CKPT_REC_PAGES:
		return ckpt_pages_restore(ctx, t, rec);
	case CKPT_REC_SHARED_PAGES:
		return ckpt_shared_pages_restore(ctx, t, rec);
	case CKPT_REC_AIO:
		return ckpt_aio_restore(ctx, t, rec);
	case CKPT_REC_MM_END:
		return 0;
	case CKPT_REC_VMA_NAMES:
		ret = ckpt_vma_names_restore(rec);
		break;
	case CKPT_REC_VMA_POLICIES:
		ret = ckpt_vma_policies_restore(rec);
		break;
	case CKPT_REC_LDT:
		ret = ckpt_arch_restore_ldt(rec);
		break;
	default:
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has a %s record between pages",
				  ckpt_rec_name(rec->type));
	}
	if (ret)
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_MM, ret,
				  "a %s record cannot be restored", ckpt_rec_name(rec->type));
	return 0;
}

/* The rest of the address space, up to the record that ends it. */
static int restore_pages(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	ktime_t start = ktime_get();
	struct ckpt_rec *rec;
	u32 type;
	int ret;

	do {
		ret = ckpt_memory_record(ctx, t, &rec);
		if (ret)
			return ret;
		type = rec->type;
		ret = restore_part(ctx, t, rec);
		ckpt_free_record(rec);
	} while (!ret && type != CKPT_REC_MM_END);
	ckpt_count_time(ctx, &ctx->stats.memory_ns, start);
	return ret;
}

/* All but the mappings. */
static int prepare(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct ckpt_rec_mm *saved)
{
	int ret;

	ret = set_exe(ctx, t, saved->exe);
	if (!ret)
		ret = ckpt_arch_restore_mm(ctx, t, saved);
	if (!ret)
		ret = set_merging(saved);
	return ret ?: set_user_ns(ctx, saved->user_ns);
}

static int make_vmas(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct ckpt_rec_mm *saved,
		     struct ckpt_rec *rec)
{
	struct ckpt_template *template = ckpt_template_find(ctx, t, rec);
	int copied, ret;

	copied = ckpt_template_use(template);
	if (copied < 0)
		return copied;
	ret = prepare(ctx, t, saved);
	if (ret)
		return ret;
	/* The families of those in the template, and of their copies, are the same. */
	if (copied)
		return ckpt_vmas_settle(ctx, t, rec);
	ret = ckpt_vmas_restore(ctx, t, rec) ?: ckpt_cow_link(ctx, t, rec);
	if (!ret)
		ckpt_template_make(template, t);
	return ret;
}

static int restore_vmas(struct ckpt_ctx *ctx, struct ckpt_task *t,
			const struct ckpt_rec_mm *saved)
{
	struct ckpt_rec *rec;
	int ret;

	ret = ckpt_memory_record(ctx, t, &rec);
	if (ret)
		return ret;
	if (rec->type != CKPT_REC_VMAS || ckpt_rec_count(rec) != saved->nr_vmas)
		ret = ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				 "the image has an address space without its mappings");
	else
		ret = make_vmas(ctx, t, saved, rec);
	ckpt_free_record(rec);
	return ret;
}

/* As mlockall(), of what is mapped from now on; and the rest of what is locked. */
static int lock_memory(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct ckpt_rec_mm *rec)
{
	struct mm_struct *mm = current->mm;

	if (rec->flags & CKPT_MMF_LOCK_FUTURE && !can_do_mlock())
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_LIMIT, -EPERM,
				  "locking memory takes a RLIMIT_MEMLOCK or CAP_IPC_LOCK");
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (rec->flags & CKPT_MMF_LOCK_FUTURE)
		mm->def_flags |= VM_LOCKED;
	if (rec->flags & CKPT_MMF_LOCK_ONFAULT)
		mm->def_flags |= VM_LOCKONFAULT;
	mmap_write_unlock(mm);
	return ckpt_vmas_populate();
}

/**
 * ckpt_mm_build - make the address space of current
 * @ctx: context of a restart
 * @t: leader, current; either it is its turn to read, or all records were kept
 *
 * Return: 0 or a negative errno, reported.
 */
int ckpt_mm_build(struct ckpt_ctx *ctx, struct ckpt_task *t)
{
	const struct ckpt_rec_mm *saved = ckpt_rec_data(t->mm_rec);
	int ret;

	ret = restore_vmas(ctx, t, saved);
	if (!ret)
		ret = ckpt_arch_restore_pkeys(ctx, t, saved);
	if (!ret)
		ret = restore_pages(ctx, t);
	if (!ret)
		ret = lock_memory(ctx, t, saved);
	if (ret)
		return ret;
	/* Last: mappings above would otherwise be taken for the heap. */
	set_fields(current->mm, saved);
	t->mm = current->mm;
	mmget(t->mm);
	if (t->mm_later)
		atomic_dec(&ctx->nr_builders);
	/* Pairs with the acquire in is_done(). */
	store_release_wake_up(&t->mm_done, true);
	return 0;
}

static bool is_done(struct ckpt_task *owner)
{
	/* What the owner has made is seen by who sees this. */
	return smp_load_acquire(&owner->mm_done);
}

/**
 * ckpt_mm_wait - wait until the address space of another process is complete
 * @owner: that process, whose turn to read was before that of current
 *
 * Return: 0, -EINTR: current is being killed.
 */
int ckpt_mm_wait(struct ckpt_task *owner)
{
	return wait_var_event_killable(&owner->mm_done, is_done(owner)) ? -EINTR : 0;
}

/* The tag stands for a process, which may still have to make its address space. */
static int mm_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec)
{
	const struct ckpt_rec_mm *saved = ckpt_rec_data(rec);
	int ret;

	if (t->seen_mm || t->rec->mm_owner || !fields_valid(saved)) {
		ckpt_free_record(rec);
		return ckpt_error(ctx, CKPT_AT(t), CKPT_WHY_IMAGE, -EBADMSG,
				  "the image has an impossible address space");
	}
	t->mm_rec = rec;
	t->seen_mm = 1;
	t->dumpable = saved->dumpable;
	ret = ckpt_put_tag(ctx, rec->tag, &ckpt_mm_ops, t);
	if (ret)
		return ret;
	ret = ckpt_keep_records(ctx, t);
	if (ret < 0)
		return ret;
	t->mm_later = ret;
	return t->mm_later ? 0 : ckpt_mm_build(ctx, t);
}

/* A process that shares an address space was created in it. */
static int mm_share(struct ckpt_ctx *ctx, struct ckpt_task *t, void *obj)
{
	struct ckpt_task *owner = obj;

	if (t->seen_mm || owner->rec->tid != t->rec->mm_owner || owner->mm != current->mm)
		return -EBADMSG;
	t->dumpable = owner->dumpable;
	t->seen_mm = 1;
	return 0;
}

static void mm_put(void *obj)
{
	struct ckpt_task *owner = obj;

	if (owner->mm)
		mmput(owner->mm);
}

const struct ckpt_obj_ops ckpt_mm_ops = {
	.name = "address space",
	.rec = CKPT_REC_MM,
	.collect = mm_collect,
	.save = mm_save,
	.restore = mm_restore,
	.share = mm_share,
	.put = mm_put,
	.common = true,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the content of a record must be, whoever wrote it: everything that can
 * be said without knowing the system on which it will be restored. Builds in
 * user space, too.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "image.h"
#include "image_check.h"
#include "limits.h"

static int damaged(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

static int other_system(struct ckpt_reader *r, const char *why)
{
	r->why = why;
	return -ENOEXEC;
}

static bool aligned(u64 x)
{
	return !(x & (PAGE_SIZE - 1));
}

static bool is_string(const char *s, size_t len)
{
	return strnlen(s, len) < len;
}

static int check_header(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_header *h = ckpt_rec_data(rec);

	if (h->magic != CKPT_IMAGE_MAGIC)
		return damaged(r, "this is not a checkpoint image");
	if (h->byte_order != CKPT_IMAGE_BYTE_ORDER)
		return other_system(r, "the image has another byte order");
	if (h->version != CKPT_IMAGE_VERSION)
		return other_system(r, "the image has another format version");
	if (h->arch != CKPT_IMAGE_ARCH_X86_64)
		return other_system(r, "the image is of another architecture");
	if (h->page_size != PAGE_SIZE)
		return other_system(r, "the image has another page size");
	if (h->need_features)
		return other_system(r, "the image needs a feature that this kernel lacks");
	if (!is_string(h->release, sizeof(h->release)) ||
	    !is_string(h->version_text, sizeof(h->version_text)) ||
	    !is_string(h->machine, sizeof(h->machine)))
		return damaged(r, "the header has an unterminated string");
	if (memchr_inv(h->reserved, 0, sizeof(h->reserved)))
		return damaged(r, "the header has a reserved byte set");
	r->page_size = h->page_size;
	memcpy(r->image_id, h->image_id, sizeof(r->image_id));
	return 0;
}

static bool is_id(u32 id)
{
	return id && id <= INT_MAX;
}

/* A thread has only ids; what its process has is the leader's. */
static int check_thread_of(struct ckpt_reader *r, const struct ckpt_rec_task *task, bool first)
{
	if (first || task->tgid != task[-1].tgid)
		return damaged(r, "a thread of the tree has no leader");
	if (task->parent || task->pgid || task->sid || task->exit_signal || task->mm_owner ||
	    task->flags & (CKPT_TASKF_DEAD | CKPT_TASKF_VFORK | CKPT_TASKF_PARENT_EXEC |
			   CKPT_TASKF_FOREGROUND))
		return damaged(r, "a thread of the tree has what only its leader can have");
	return 0;
}

static int check_leader(struct ckpt_reader *r, const struct ckpt_rec_task *task, bool first)
{
	if (first ? task->parent || task->mm_owner || task->flags & CKPT_TASKF_VFORK :
		    !is_id(task->parent))
		return damaged(r, "a task of the tree has an impossible parent");
	if (task->pgid > INT_MAX || task->sid > INT_MAX || task->mm_owner > INT_MAX)
		return damaged(r, "a task of the tree has an impossible id");
	/* A session has all groups of its members; its leader's is its own. */
	if ((task->sid && !task->pgid) || (task->sid == task->tid && task->pgid != task->tid))
		return damaged(r, "a process of the tree has an impossible process group");
	if (task->exit_signal > 64)
		return damaged(r, "a process of the tree has an impossible signal for its end");
	return 0;
}

static int check_task(struct ckpt_reader *r, const struct ckpt_rec_task *task, bool first)
{
	if (!is_id(task->tid) || !is_id(task->tgid))
		return damaged(r, "a task of the tree has an impossible id");
	if (task->flags & ~CKPT_TASKF_ALL)
		return damaged(r, "a task of the tree has unknown flags");
	if (task->exit_code > 0xffff || (task->exit_code && !(task->flags & CKPT_TASKF_DEAD)))
		return damaged(r, "a task of the tree has an impossible exit status");
	return task->tid == task->tgid ? check_leader(r, task, first) :
					 check_thread_of(r, task, first);
}

static int check_tree(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_tree *tree = ckpt_rec_data(rec);
	struct ckpt_rec_task *task = ckpt_rec_tail(rec);
	u64 tail = rec->length - rec->unit;
	u32 i, processes = 0;
	int ret;

	if (tree->nr_namespaces > CKPT_MAX_NAMESPACES || tree->nr_cgroups > tree->nr_tasks)
		return damaged(r, "the tree has an impossible number of namespaces or cgroups");
	if (!tree->nr_tasks || tail != (u64)tree->nr_tasks * sizeof(*task))
		return damaged(r, "the tree has a wrong number of tasks");
	for (i = 0; i < tree->nr_tasks; i++, task++) {
		ret = check_task(r, task, !i);
		if (ret)
			return ret;
		if (task->tid == task->tgid)
			processes++;
	}
	if (processes != tree->nr_processes)
		return damaged(r, "the tree has a wrong number of processes");
	return 0;
}

static int check_process(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_process *p = ckpt_rec_data(rec);
	int i;

	if (p->flags & ~CKPT_PROC_ALL || p->reserved)
		return damaged(r, "a process has unknown flags");
	if (p->stop_signal > 64 || !p->nr_threads || p->nr_threads > CKPT_MAX_TASKS)
		return damaged(r, "a process has an impossible value");
	if (p->flags & CKPT_PROC_STOPPED ? !p->stop_signal || p->stop_code > 64 :
					   p->stop_signal || p->stop_code)
		return damaged(r, "a process is stopped in an impossible way");
	if (p->oom_score_adj < -1000 || p->oom_score_adj > 1000 ||
	    p->oom_score_adj_min < -1000 || p->oom_score_adj_min > 1000)
		return damaged(r, "a process has an impossible oom_score_adj");
	for (i = 0; i < CKPT_NR_RLIMITS; i++)
		if (p->rlimits[i].soft > p->rlimits[i].hard)
			return damaged(r, "a soft limit is above the hard limit");
	return 0;
}

static int check_use(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_use *use = ckpt_rec_data(rec);

	switch (use->type) {
	case CKPT_REC_MM:
	case CKPT_REC_FDS:
	case CKPT_REC_FS:
	case CKPT_REC_SIGHAND:
		return use->tag ? 0 : damaged(r, "a process shares what has no tag");
	}
	return damaged(r, "a process shares what cannot be shared");
}

static bool is_path(const char *path, u64 len)
{
	return len && len < CKPT_PATH_MAX && path[0] == '/' && !memchr(path, 0, len);
}

static bool has_path(u32 kind)
{
	return kind == CKPT_FILE_PATH || kind == CKPT_FILE_OPATH || kind == CKPT_FILE_FIFO ||
	       kind == CKPT_FILE_PROCFS || kind == CKPT_FILE_PTY || kind == CKPT_FILE_TERMINAL;
}

static int check_file(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_file *f = ckpt_rec_data(rec);
	char *path = ckpt_rec_tail(rec);

	if (!rec->tag || rec->length - rec->unit != f->path_len)
		return damaged(r, "a file record has a wrong length or no tag");
	if (has_path(f->kind) && !is_path(path, f->path_len))
		return damaged(r, "a file has an impossible path");
	if (f->kind == CKPT_FILE_EXTERNAL && f->std_fd > 2 &&
	    (f->std_fd != CKPT_NO_STREAM || !f->path_len))
		return damaged(r, "an external file is no standard stream and has no key");
	if (!f->kind || f->kind >= CKPT_FILE_NR || f->reserved || f->flags & ~CKPT_FILEF_ALL)
		return damaged(r, "a file has an unknown kind or unknown flags");
	if (f->flags & CKPT_FILEF_HUNG_UP && f->kind != CKPT_FILE_PTY)
		return damaged(r, "a file that is no terminal was hung up");
	if (f->flags & CKPT_FILEF_GONE && (f->kind != CKPT_FILE_PROCFS || !f->object))
		return damaged(r, "a file is of a process that is none");
	if (f->path_len >= CKPT_PATH_MAX || memchr(path, 0, f->path_len))
		return damaged(r, "a file has an impossible name");
	if (f->pos > LLONG_MAX || f->size > LLONG_MAX ||
	    f->build_id_len > sizeof(f->build_id))
		return damaged(r, "a file has an impossible offset or size");
	return 0;
}

static int check_mm(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_mm *mm = ckpt_rec_data(rec);

	if (!ckpt_pkeys_fit(mm))
		return damaged(r, "an address space has impossible protection keys");
	if (!rec->tag || mm->flags & ~CKPT_MMF_ALL || mm->nr_auxv > CKPT_AUXV_MAX ||
	    mm->dumpable > 2 || mm->reserved || mm->nr_vmas > CKPT_MAX_VMAS ||
	    (mm->flags & CKPT_MMF_MDWE_NO_INHERIT && !(mm->flags & CKPT_MMF_MDWE)))
		return damaged(r, "an address space has an impossible value");
	if (mm->start_code > mm->end_code || mm->start_data > mm->end_data ||
	    mm->start_brk > mm->brk || mm->arg_start > mm->arg_end ||
	    mm->env_start > mm->env_end)
		return damaged(r, "an address space has a range that ends before it starts");
	if (mm->mmap_compat_base > 1ULL << 32 || mm->mmap_compat_legacy_base > 1ULL << 32)
		return damaged(r, "an address space has an impossible base");
	if (!aligned(mm->vdso) || !aligned(mm->vvar) || !mm->vdso != !mm->vvar)
		return damaged(r, "an address space has an impossible vDSO");
	return 0;
}

static int check_pages(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_extent *e = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	u64 pages = 0, last = 0;

	if (!count)
		return damaged(r, "page data without extents");
	for (; count; count--, e++) {
		if (!aligned(e->addr) || e->addr < last || !e->nr_pages ||
		    e->nr_pages > CKPT_MAX_RECORD_PAGES ||
		    e->addr > U64_MAX - e->nr_pages * PAGE_SIZE)
			return damaged(r, "a run of pages has an impossible address");
		last = e->addr + e->nr_pages * PAGE_SIZE;
		pages += e->nr_pages;
	}
	if (pages > CKPT_MAX_RECORD_PAGES)
		return damaged(r, "a record has too many pages");
	return 0;
}

static int check_fs(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_fs *fs = ckpt_rec_data(rec);
	char *paths = ckpt_rec_tail(rec);

	if (!rec->tag || (u64)fs->root_len + fs->cwd_len != rec->length - rec->unit ||
	    fs->umask & ~0777)
		return damaged(r, "a file system context has an impossible value");
	if (!is_path(paths, fs->root_len) || !is_path(paths + fs->root_len, fs->cwd_len))
		return damaged(r, "a root or current directory has an impossible path");
	return 0;
}

static int check_fds(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_fd *fd = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	s64 last = -1;

	if (!rec->tag)
		return damaged(r, "a descriptor table has no tag");
	for (; count; count--, fd++) {
		if (fd->fd > INT_MAX || (s64)fd->fd <= last || !fd->file ||
		    fd->flags & ~CKPT_FD_CLOEXEC || fd->reserved)
			return damaged(r, "a file descriptor has an impossible value");
		last = fd->fd;
	}
	return 0;
}

static int check_sighand(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	if (ckpt_rec_count(rec) != 64 || !rec->tag)
		return damaged(r, "there are not 64 signal actions, or they have no tag");
	return 0;
}

static int check_sigpending(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_siginfo *s = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);

	for (; count; count--, s++)
		if (!s->signo || s->signo > 64 || s->shared > 1 || s->has_info > 1 ||
		    s->timer > s->has_info)
			return damaged(r, "a pending signal has an impossible value");
	return 0;
}

static int check_thread(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_thread *t = ckpt_rec_data(rec);

	if (!t->tid || t->tid > INT_MAX || !is_string(t->comm, sizeof(t->comm)) ||
	    t->pdeath_signal > 64 || t->reserved)
		return damaged(r, "a thread has an impossible value");
	if (t->nice < -20 || t->nice > 19 || t->rt_priority > 99 ||
	    t->sched_flags > 1 || t->affinity_words > ARRAY_SIZE(t->affinity))
		return damaged(r, "a thread has an impossible scheduling value");
	if (t->restart_kind > CKPT_RESTART_TIMED)
		return damaged(r, "a thread has an unknown kind of interrupted system call");
	return 0;
}

static int check_cred(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_cred *c = ckpt_rec_data(rec);

	if (rec->length - rec->unit != (u64)c->nr_groups * sizeof(u32) ||
	    c->flags > 1)
		return damaged(r, "an identity has an impossible value");
	return 0;
}

static int check_regset(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_regset *regs = ckpt_rec_data(rec);

	if (!regs->data_len || rec->length - rec->unit != regs->data_len)
		return damaged(r, "processor state has a wrong length");
	return 0;
}

static int check_seccomp(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_seccomp *s = ckpt_rec_data(rec);

	if (!rec->tag || s->prev == rec->tag || s->flags & ~CKPT_SECCOMP_ALL || s->reserved)
		return damaged(r, "a seccomp filter has an impossible value or no tag");
	if (!s->nr_insns || s->nr_insns > CKPT_MAX_INSNS ||
	    rec->length - rec->unit != (u64)s->nr_insns * 8)
		return damaged(r, "a seccomp filter has an impossible length");
	return 0;
}

static bool attrs_fit(const struct ckpt_rec_attrs *a)
{
	if (!(a->flags & CKPT_ATTR_DISPATCH) &&
	    (a->dispatch_selector || a->dispatch_offset || a->dispatch_len))
		return false;
	if (!(a->flags & CKPT_ATTR_UCLAMP_MIN) && a->uclamp_min)
		return false;
	return a->flags & CKPT_ATTR_UCLAMP_MAX || !a->uclamp_max;
}

static int check_attrs(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_attrs *a = ckpt_rec_data(rec);
	bool filters = a->seccomp_mode == 2;

	if (a->flags & ~CKPT_ATTR_ALL || !attrs_fit(a))
		return damaged(r, "a thread has unknown or impossible properties");
	/* 0: none, 1: strict, 2: filters */
	if (a->seccomp_mode > 2 || filters != !!a->seccomp)
		return damaged(r, "a thread has an impossible seccomp mode");
	if (a->iopl > 3 || a->ioprio > 0xffff || a->uclamp_min > 1024 || a->uclamp_max > 1024 ||
	    a->sched_runtime > LLONG_MAX || a->sched_deadline > LLONG_MAX ||
	    a->sched_period > LLONG_MAX)
		return damaged(r, "a thread has an impossible priority or level");
	if (a->compat_robust_list >> 32)
		return damaged(r, "a thread has an impossible robust list");
	if (a->mempolicy > 0xffff || a->node_words > CKPT_NODE_WORDS ||
	    memchr_inv(a->nodes + a->node_words, 0, 8 * (CKPT_NODE_WORDS - a->node_words)))
		return damaged(r, "a thread has an impossible memory policy");
	return 0;
}

static bool is_vma_name(const char *name)
{
	for (; *name; name++)
		if (*name < ' ' || *name > '~' || strchr("\\`$[]", *name))
			return false;
	return true;
}

static int check_vma_names(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_vma_name *v = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	u64 last = 0;

	for (; count; count--, v++) {
		if (!aligned(v->start) || !aligned(v->end) || v->start < last ||
		    v->end <= v->start)
			return damaged(r, "a named mapping has impossible addresses");
		if (!is_string(v->name, sizeof(v->name)) || !is_vma_name(v->name))
			return damaged(r, "a mapping has an impossible name");
		last = v->end;
	}
	return 0;
}

static int check_ldt(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	if (!ckpt_rec_count(rec))
		return damaged(r, "a local descriptor table is empty");
	return 0;
}

static int check_io_ports(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_io_ports *p = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	u64 last = 0;

	if (!count)
		return damaged(r, "there is no I/O port");
	for (; count; count--, p++) {
		if (p->from < last || !p->num || (u64)p->from + p->num > CKPT_NR_IO_PORTS)
			return damaged(r, "a run of I/O ports is impossible");
		last = (u64)p->from + p->num + 1;
	}
	return 0;
}

static bool counts(const void *data, size_t len)
{
	const u64 *count = data;

	for (; len; len -= sizeof(*count), count++)
		if (*count > CKPT_MAX_COUNT)
			return false;
	return true;
}

static int check_usage(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	if (!counts(ckpt_rec_data(rec), sizeof(struct ckpt_rec_usage)))
		return damaged(r, "a process has an impossible resource usage");
	return 0;
}

static int check_thread_usage(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	/* The two integrals at the end are what they are. */
	if (!counts(ckpt_rec_data(rec), offsetof(struct ckpt_rec_thread_usage, rss_integral)))
		return damaged(r, "a thread has an impossible resource usage");
	return 0;
}

/* Times that can be added to the present one, or subtracted from it. */
static bool is_time(s64 ns)
{
	return ns >= -(s64)CKPT_MAX_COUNT;
}

static int check_timers(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_timers *t = ckpt_rec_data(rec);

	if (t->flags & ~CKPT_TIMERS_ALL || t->next_posix_id > INT_MAX ||
	    !is_time(t->real_left_ns) || t->real_interval_ns < 0 ||
	    t->virtual_expires_ns < 0 || t->virtual_interval_ns < 0 ||
	    t->prof_expires_ns < 0 || t->prof_interval_ns < 0)
		return damaged(r, "an interval timer has an impossible value");
	return 0;
}

static bool is_timer_clock(const struct ckpt_rec_posix_timer *t)
{
	/* CLOCK_REALTIME, MONOTONIC, BOOTTIME, REALTIME_ALARM, BOOTTIME_ALARM, TAI */
	const u32 clocks = 1U << 0 | 1U << 1 | 1U << 7 | 1U << 8 | 1U << 9 | 1U << 11;
	u32 cpu = t->clock & ~(CKPT_CLOCK_WHICH | CKPT_CLOCK_THREAD | CKPT_CLOCK_BY_ID);

	if (t->clock < 32)
		return clocks & 1U << t->clock && !t->clock_tid;
	return cpu == CKPT_CLOCK_CPU && (t->clock & CKPT_CLOCK_WHICH) < 3 &&
	       t->clock_tid && t->clock_tid <= INT_MAX &&
	       t->flags & CKPT_TIMER_ABSOLUTE && t->expires_ns >= 0;
}

/* SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID */
static bool is_notify(const struct ckpt_rec_posix_timer *t)
{
	switch (t->notify) {
	case 0:
	case 2:
		return t->signo >= 1 && t->signo <= 64 && !t->notify_tid;
	case 1:
		return !t->notify_tid && !(t->flags & (CKPT_TIMER_ACTIVE | CKPT_TIMER_QUEUED));
	case 4:
		return t->signo >= 1 && t->signo <= 64 &&
		       t->notify_tid && t->notify_tid <= INT_MAX;
	}
	return false;
}

static bool is_overrun(s64 overrun)
{
	return overrun >= -1 && overrun <= (s64)(CKPT_MAX_COUNT / 2);
}

static int check_posix_timers(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_posix_timer *t = ckpt_rec_data(rec);
	u64 count = ckpt_rec_count(rec);
	s64 last = -1;

	for (; count; count--, t++) {
		if (t->id > INT_MAX || (s64)t->id <= last)
			return damaged(r, "a POSIX timer has an impossible id");
		if (t->flags & ~CKPT_TIMER_ALL || !is_timer_clock(t) || !is_notify(t))
			return damaged(r, "a POSIX timer has an impossible clock or signal");
		if (t->flags & CKPT_TIMER_REARM &&
		    (~t->flags & (CKPT_TIMER_QUEUED | CKPT_TIMER_EXPIRED)))
			return damaged(r, "a POSIX timer has impossible flags");
		if (!is_time(t->expires_ns) || t->interval_ns < 0 || t->signal_overrun < 0 ||
		    !is_overrun(t->overrun) || !is_overrun(t->overrun_last))
			return damaged(r, "a POSIX timer has an impossible time or overrun");
		last = t->id;
	}
	return 0;
}

static int check_shmem(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_shmem *s = ckpt_rec_data(rec);
	char *name = ckpt_rec_tail(rec);

	if (!rec->tag || s->size > LLONG_MAX || s->mode >> 16 || s->mode & 06000 ||
	    s->seals >> 16 ||
	    s->flags & ~CKPT_SHMEM_ALL)
		return damaged(r, "shared memory has an impossible value or no tag");
	if (rec->length - rec->unit != s->name_len || s->name_len >= CKPT_PATH_MAX ||
	    memchr(name, 0, s->name_len))
		return damaged(r, "shared memory has an impossible name");
	return 0;
}

static int check_shmem_data(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_shmem_data *d = ckpt_rec_data(rec);

	if (rec->length - rec->unit != d->len || !d->len || d->offset > LLONG_MAX - d->len)
		return damaged(r, "a piece of shared memory has an impossible place");
	return 0;
}

static int check_trailer(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	struct ckpt_rec_trailer *t = ckpt_rec_data(rec);

	if (memcmp(t->image_id, r->image_id, sizeof(t->image_id)))
		return damaged(r, "the trailer is of another image");
	if (t->nr_records != r->nr_records || t->nr_pages != r->nr_pages ||
	    t->length != r->offset)
		return damaged(r, "the trailer's totals are not those of the image");
	return 0;
}

static int (*const checks[CKPT_REC_NR])(struct ckpt_reader *, struct ckpt_rec *) = {
	[CKPT_REC_HEADER] = check_header,
	[CKPT_REC_TREE] = check_tree,
	[CKPT_REC_NAMESPACES] = ckpt_check_namespaces,
	[CKPT_REC_ID_MAPS] = ckpt_check_id_maps,
	[CKPT_REC_PIDS] = ckpt_check_pids,
	[CKPT_REC_CGROUP] = ckpt_check_cgroup,
	[CKPT_REC_PROCESS] = check_process,
	[CKPT_REC_FILE] = check_file,
	[CKPT_REC_MM] = check_mm,
	[CKPT_REC_VMAS] = ckpt_check_vmas,
	[CKPT_REC_PAGES] = check_pages,
	[CKPT_REC_SHARED_PAGES] = ckpt_check_shared_pages,
	[CKPT_REC_FS] = check_fs,
	[CKPT_REC_PTY] = ckpt_check_pty,
	[CKPT_REC_TERMINAL] = ckpt_check_terminal,
	[CKPT_REC_FDS] = check_fds,
	[CKPT_REC_SOCKET] = ckpt_check_socket,
	[CKPT_REC_UNIX] = ckpt_check_unix,
	[CKPT_REC_UNIX_MSG] = ckpt_check_unix_msg,
	[CKPT_REC_INET] = ckpt_check_inet,
	[CKPT_REC_TCP] = ckpt_check_tcp,
	[CKPT_REC_UNLINKED] = ckpt_check_unlinked,
	[CKPT_REC_LOCKS] = ckpt_check_locks,
	[CKPT_REC_FILE_STATE] = ckpt_check_file_state,
	[CKPT_REC_SIGHAND] = check_sighand,
	[CKPT_REC_SIGPENDING] = check_sigpending,
	[CKPT_REC_THREAD] = check_thread,
	[CKPT_REC_CRED] = check_cred,
	[CKPT_REC_REGSET] = check_regset,
	[CKPT_REC_TRAILER] = check_trailer,
	[CKPT_REC_EVENT] = ckpt_check_event,
	[CKPT_REC_EPOLL] = ckpt_check_epoll,
	[CKPT_REC_INOTIFY] = ckpt_check_inotify,
	[CKPT_REC_IO_URING] = ckpt_check_io_uring,
	[CKPT_REC_IO_REGISTERED] = ckpt_check_io_registered,
	[CKPT_REC_IO_BUFFERS] = ckpt_check_io_buffers,
	[CKPT_REC_IO_RINGS] = ckpt_check_io_rings,
	[CKPT_REC_PIPE] = ckpt_check_pipe,
	[CKPT_REC_USE] = check_use,
	[CKPT_REC_SECCOMP] = check_seccomp,
	[CKPT_REC_ATTRS] = check_attrs,
	[CKPT_REC_VMA_NAMES] = check_vma_names,
	[CKPT_REC_AIO] = ckpt_check_aio,
	[CKPT_REC_SYSV_SHM] = ckpt_check_sysv_shm,
	[CKPT_REC_MEMORY] = ckpt_check_memory,
	[CKPT_REC_HUGETLB] = ckpt_check_hugetlb,
	[CKPT_REC_HUGE_REGIONS] = ckpt_check_huge_regions,
	[CKPT_REC_VMA_POLICIES] = ckpt_check_vma_policies,
	[CKPT_REC_LDT] = check_ldt,
	[CKPT_REC_IO_PORTS] = check_io_ports,
	[CKPT_REC_USAGE] = check_usage,
	[CKPT_REC_TIMERS] = check_timers,
	[CKPT_REC_POSIX_TIMERS] = check_posix_timers,
	[CKPT_REC_THREAD_USAGE] = check_thread_usage,
	[CKPT_REC_SHMEM] = check_shmem,
	[CKPT_REC_SHMEM_DATA] = check_shmem_data,
};

/**
 * ckpt_check_record - check the content of a record
 * @r: reader; learns the page size and the id from the header
 * @rec: record, its sum checked, its structs in the layout of this kernel
 *
 * Return: 0, -EBADMSG: impossible content, -ENOEXEC: for another system.
 */
int ckpt_check_record(struct ckpt_reader *r, struct ckpt_rec *rec)
{
	if (rec->type >= CKPT_REC_NR || !checks[rec->type])
		return 0;
	return checks[rec->type](r, rec);
}

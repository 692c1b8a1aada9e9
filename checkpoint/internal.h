/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of checkpoint/ share, in sections by file. The object types
 * are in objects.c: start reading there.
 */
#ifndef _CHECKPOINT_INTERNAL_H
#define _CHECKPOINT_INTERNAL_H

#include <linux/bvec.h>
#include <linux/checkpoint.h>
#include <linux/checkpoint_image.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "image.h"
#include "limits.h"
#include "ptr_map.h"

struct ckpt_ctx;
struct ckpt_event;
struct ckpt_kept_locks;
struct nsproxy;
struct pid_namespace;
struct user_namespace;
struct ckpt_cow;
struct ckpt_cow_table;
struct ckpt_template;
struct ckpt_vmas;
struct pipe_inode_info;
struct k_itimer;
struct kernel_clone_args;
struct kernel_siginfo;
struct kstat;
struct sigqueue;
struct tty_struct;
struct user_regset;

/* Where a ckpt_task is on its way. */
enum ckpt_task_state {
	CKPT_TASK_NEW,		/* found, not asked yet */
	CKPT_TASK_ASKED,	/* its work is queued */
	CKPT_TASK_PARKED,	/* waits in ckpt_park() at the user boundary */
	CKPT_TASK_STOPPED,	/* job control holds it at the user boundary */
	CKPT_TASK_VFORK,	/* sleeps in vfork(2) until its child lets it go */
	CKPT_TASK_DEAD,		/* a zombie */
	CKPT_TASK_SELF,		/* the caller itself */
	CKPT_TASK_GONE,		/* has exited or was killed */
};

/**
 * struct ckpt_task - one thread of the tree
 * @work: what parks the thread
 * @ctx: the call it belongs to; referenced while @work is queued
 * @task: the thread, referenced; restart: once it exists
 * @state: enum ckpt_task_state
 * @index: its place in the context's table
 * @dead: a zombie: the process has exited, or the leader before its threads
 * @leader: its thread group's leader, itself for a leader
 * @main: leader only: first thread that is alive, NULL: the process has exited
 * @nr_threads: leader only: threads, itself included
 * @held_csw: switch count of a task that could not park, to see that it never ran
 * @timed: what a timed system call, interrupted without a restart block, had left
 * @rec: restart: ids from the tree record
 * @io_work: save: asked to complete what it has under way in io_uring
 * @thread: restart: its THREAD record
 * @cred: restart: its CRED record, or NULL for that of its leader
 * @pending: restart: its SIGPENDING record
 * @regsets: restart: its REGSET records
 * @nr_regsets: how many
 * @parent: restart, leader only: thread that is to be its parent, NULL: the caller
 * @group: restart, leader only: process group, NULL: the caller's
 * @session: restart, leader only: session, NULL: the caller's
 * @sharers: restart, leader only: processes that share its address space
 * @next_sharer: restart, leader only: the next of them
 * @turn: restart, leader only: it may read its records
 * @bury: restart: dead, and to exit now
 * @vfork_child: restart: process for which it waits in vfork(2)
 * @vfork: restart: completed by that child
 * @attrs: restart: its ATTRS record
 * @io_ports: restart: its IO_PORTS record, or NULL
 * @process: restart, leader only: its PROCESS record
 * @current_thread: restart, leader only: threads of which reading has begun
 * @dumpable: restart, leader only: of prctl(2)
 * @cgroup: save: number of its cgroup, 0: none
 * @pid: restart: its pid, referenced
 * @nr: restart: its id for who has created it, 0: not created
 * @usage: restart, leader only: its USAGE record
 * @timers: restart, leader only: its TIMERS record
 * @posix_timers: restart, leader only: its POSIX_TIMERS record
 * @k_timers: restart, leader only: the timers of that record
 * @thread_usage: restart: its THREAD_USAGE record
 * @locks: restart, leader only: locks that its descriptor table has
 * @shares_fs: restart, leader only: its root and current directory are another's, too
 * @seen_mm: restart, leader only: the address space was restored
 * @seen_fs: restart, leader only: root and current directory were restored
 * @seen_fds: restart, leader only: the descriptor table was restored
 * @seen_sighand: restart, leader only: the signal actions were restored
 * @fds: restart, leader only: its FDS record
 * @io_rings: restart, leader only: its IO_RINGS record, or NULL
 * @sighand: restart, leader only: its signal actions, referenced by their tag
 * @mm: restart, leader only: its address space when complete, referenced by its tag
 * @mm_rec: restart, leader only: the MM record
 * @mm_later: restart, leader only: its address space is made when the turn was passed
 * @mm_done: restart, leader only: its address space is complete
 * @kept: restart, leader only: records that were read, but not used yet
 * @data_kept: restart, leader only: the record in use was one of them
 * @data_pos: restart, leader only: where its page data is in the file
 * @data_offset: restart, leader only: the same, in the image
 * @io_buffers: restart, leader only: io_uring instances with buffers of it, or NULL
 */
struct ckpt_task {
	struct callback_head work;
	struct ckpt_ctx *ctx;
	struct task_struct *task;
	int state;
	u32 index;
	bool dead;
	struct ckpt_task *leader;
	struct ckpt_task *main;
	u32 nr_threads;
	unsigned long held_csw;
	ktime_t timed;
	bool io_work;
	const struct ckpt_rec_task *rec;
	struct ckpt_rec *thread;
	struct ckpt_rec *cred;
	struct ckpt_rec *pending;
	struct ckpt_rec *regsets[CKPT_MAX_REGSETS];
	int nr_regsets;
	struct ckpt_task *parent;
	struct pid *group;
	struct pid *session;
	struct ckpt_task *sharers;
	struct ckpt_task *next_sharer;
	bool turn;
	bool bury;
	struct ckpt_task *vfork_child;
	struct completion vfork;
	struct ckpt_rec *attrs;
	struct ckpt_rec *io_ports;
	struct ckpt_rec *process;
	u32 current_thread;
	int dumpable;
	u32 cgroup;
	struct pid *pid;
	pid_t nr;
	struct ckpt_rec *usage;
	struct ckpt_rec *timers;
	struct ckpt_rec *posix_timers;
	struct k_itimer **k_timers;
	struct ckpt_rec *thread_usage;
	struct ckpt_kept_locks *locks;
	bool shares_fs;
	u32 seen_mm : 1;
	u32 seen_fs : 1;
	u32 seen_fds : 1;
	u32 seen_sighand : 1;
	struct ckpt_rec *fds;
	struct ckpt_rec *io_rings;
	struct sighand_struct *sighand;
	struct mm_struct *mm;
	struct ckpt_rec *mm_rec;
	bool mm_later;
	bool mm_done;
	struct list_head kept;
	bool data_kept;
	loff_t data_pos;
	u64 data_offset;
	struct ckpt_event *io_buffers;
};

/**
 * struct ckpt_ns - a namespace that was made inside of the tree
 * @rec: its type, and what it names
 * @user: user namespace, referenced, or NULL
 * @pid: pid namespace, referenced, or NULL
 * @nsproxy: restart: namespaces of a task whose children are in @pid
 * @init: restart: its init process
 */
struct ckpt_ns {
	struct ckpt_rec_namespace rec;
	struct user_namespace *user;
	struct pid_namespace *pid;
	struct nsproxy *nsproxy;
	struct ckpt_task *init;
};

/* Buffers that are kept, each of one size. */
enum ckpt_spare {
	CKPT_SPARE_EXTENTS,
	CKPT_SPARE_PAGES,
	CKPT_SPARE_COW_RUNS,
	CKPT_SPARE_COW_PAGES,
	CKPT_SPARE_NR
};

/* Of a pid, in all namespaces in which it has a number. */
#define CKPT_PID_LEVELS		(MAX_PID_NS_LEVEL + 1)

/**
 * struct ckpt_ctx - one call of checkpoint() or restart()
 * @ref: the call, and every queued park work
 * @flags: of the call
 * @timeout: for stopping the tree, in jiffies
 * @file: the image
 * @pos: position in @file
 * @seekable: reads may go ahead of what is needed
 * @source: how the reader gets bytes
 * @reader: totals while reading
 * @buf: bytes to write, or read ahead
 * @buf_len: how many
 * @buf_used: read ahead: how many of them were taken
 * @scratch: save: where records are made, or NULL
 * @spare: save: large buffers that were used for one process, for the next
 * @offset: bytes of the image written
 * @nr_records: records written
 * @nr_pages: pages of data written
 * @image_id: random
 * @index: where records lie
 * @nr_index: entries in @index
 * @cap_index: room in @index
 * @root: root directory of the caller, against which paths are made
 * @seen_dir: saving: directory in which a file was found by its name last
 * @outside: what the caller has decided about the outside
 * @log_file: save: the caller's log, or NULL
 * @std: restart: the caller's standard streams
 * @tasks: the tree, each leader directly before its threads
 * @nr_tasks: how many
 * @cap_tasks: room in @tasks
 * @nr_processes: thread groups
 * @task_index: struct ckpt_task by global pid (save) or saved tid (restart)
 * @mm_index: save: first process with an address space, by its address
 * @file_refs: save: descriptors, and mappings of unnamed memory, that refer to an
 *	open file, by its address; open files of unnamed memory, by its dentry
 * @pipe_refs: save: the tree's ends of a pipe, by its address
 * @late_files: restart: FILE records, by tag, of files that are made last
 * @late_dirs: restart: of such files the tags, by that of the FS record of whose
 *	current directory each is
 * @sockets: save: sockets that have a tag, each with a reference
 * @nr_sockets: how many
 * @nr_sockets_saved: of them, those of which everything is saved
 * @rings: save: io_uring instances with which something is registered, referenced
 * @nr_rings: how many
 * @nr_rings_saved: of them, those of which that is saved
 * @nr_settled: how often this save has waited for RCU
 * @carriers: save: Unix sockets of the tree, each with a reference
 * @nr_carriers: how many
 * @nr_walked: of them, those through which descriptors under way are counted
 * @inflight: save: messages that have descriptors
 * @nr_inflight: how many
 * @gone_pids: restart: processes that are not in the tree, by saved number
 * @nr_arrived: restart: tasks that exist and, leaders, have read their records
 * @nr_builders: restart: processes that make address spaces out of their turn
 * @assembled: restart: the tree may take its descriptors
 * @epolls_join: restart: processes have signalfds to add to epoll instances
 * @cow: save: shared pages that were saved
 * @families: restart: where a family of mappings begins, by its number
 * @templates_lock: protects the table of templates
 * @templates: restart: mappings that several processes have (mm/template.c)
 * @file_states: restart: FILE_STATE records, by the file's tag
 * @lost_pids: restart: groups and sessions without a leader, by saved number
 * @terminals: restart: terminals of sessions of the tree, by the session's saved number
 * @outer_tty: save: the terminal from outside, referenced, or NULL
 * @outer_rec: restart: its TERMINAL record, or NULL
 * @wait: the call waits here for the tree
 * @hold: parked tasks wait here
 * @nr_busy: tasks that have not parked yet
 * @released: parked tasks may go on
 * @failed: restart: released tasks must die
 * @killed: a parked task has got SIGKILL
 * @caller: task that makes the call, referenced
 * @error: restart: first error of any task
 * @tree: restart: the TREE record
 * @pidns: pid namespace of the caller
 * @userns: user namespace of the caller
 * @nsproxy: all other namespaces of the caller
 * @ns: namespaces inside of the tree; number 1 is the first
 * @nr_ns: how many
 * @id_maps: restart: the ID_MAPS record, or NULL
 * @pids: restart: the PIDS record, or NULL
 * @cgroups: by number from 1: the cgroup (save) or its directory (restart)
 * @cgroup_index: save: number of a cgroup, by its address
 * @nr_cgroups: save: how many
 * @pid_index: restart: place of its first number in @pids, by saved pid
 * @tags: save: tag of a shared object, by its address
 * @objs: restart: shared object of a tag
 * @next_tag: save: next unused tag
 * @nr_obstacles: found so far
 * @explained: there is a message of an error
 * @log: messages, to be written once the tree is released
 * @log_len: bytes in @log
 * @log_lost: messages that did not fit
 * @log_lock: protects the log and @error
 * @stats: for the caller
 * @t_frozen: when the first task was asked to stop
 *
 * Locks: the saver holds no lock of ours. It takes, one at a time and never
 * while it writes to the image: tasklist_lock, siglock, task_lock, file_lock
 * of a descriptor table, mmap_lock, page table locks, those of event descriptors.
 * Only the lock of a POSIX timer has siglock inside.
 */
struct ckpt_ctx {
	struct kref ref;
	unsigned long flags;
	unsigned long timeout;

	struct file *file;
	loff_t pos;
	bool seekable;
	struct ckpt_source source;
	struct ckpt_reader reader;
	char *buf;
	size_t buf_len;
	size_t buf_used;
	void *scratch;
	void *spare[CKPT_SPARE_NR];
	u64 offset;
	u64 nr_records;
	u64 nr_pages;
	u8 image_id[16];
	struct ckpt_rec_index_entry *index;
	u32 nr_index;
	u32 cap_index;

	struct path root;
	struct path seen_dir;
	const struct ckpt_outside *outside;
	struct file *log_file;
	struct file *std[3];

	struct ckpt_task **tasks;
	u32 nr_tasks;
	u32 cap_tasks;
	u32 nr_processes;
	struct xarray task_index;
	struct xarray mm_index;
	struct ckpt_ptr_map file_refs;
	struct ckpt_ptr_map pipe_refs;
	struct xarray late_files;
	struct xarray late_dirs;
	struct xarray sockets;
	u32 nr_sockets;
	u32 nr_sockets_saved;
	struct xarray rings;
	u32 nr_rings;
	u32 nr_rings_saved;
	u32 nr_settled;
	struct xarray carriers;
	u32 nr_carriers;
	u32 nr_walked;
	struct xarray inflight;
	u32 nr_inflight;
	struct xarray gone_pids;
	atomic_t nr_arrived;
	atomic_t nr_builders;
	bool assembled;
	bool epolls_join;
	struct ckpt_cow_table *cow;
	struct xarray families;
	spinlock_t templates_lock;	/* innermost */
	DECLARE_HASHTABLE(templates, CKPT_TEMPLATE_BITS);
	struct xarray file_states;
	struct xarray lost_pids;
	struct xarray terminals;
	struct tty_struct *outer_tty;
	struct ckpt_rec *outer_rec;
	wait_queue_head_t wait;
	wait_queue_head_t hold;
	atomic_t nr_busy;
	bool released;
	bool failed;
	bool killed;
	struct task_struct *caller;
	int error;
	struct ckpt_rec *tree;
	struct pid_namespace *pidns;
	struct user_namespace *userns;
	struct nsproxy *nsproxy;
	struct ckpt_ns *ns;
	u32 nr_ns;
	struct ckpt_rec *id_maps;
	struct ckpt_rec *pids;
	struct xarray pid_index;
	struct xarray cgroups;
	struct xarray cgroup_index;
	u32 nr_cgroups;

	struct ckpt_ptr_map tags;
	struct xarray objs;
	u32 next_tag;

	int nr_obstacles;
	bool explained;
	char *log;
	u32 log_len;
	u32 log_lost;
	spinlock_t log_lock;	/* innermost */
	struct checkpoint_stats stats;
	ktime_t t_frozen;
};

/**
 * struct ckpt_obj_ops - one type of object
 * @name: for people
 * @rec: the record that starts it in the image
 * @collect: Optional. Look for obstacles; report them all and return 0, or a
 *	negative errno when looking failed.
 * @save: Required for process objects. Write the object's records.
 * @restore: Required. Take the record @rec, which the callee owns, and what
 *	belongs to it from the image; runs in the process that is being built.
 * @put: Objects that have a tag. Drop a reference.
 * @share: Process objects that processes can share. Make current use @obj, which
 *	another process has restored.
 * @common: every process has one: not for ckpt_each_tag()
 *
 * All may sleep and are called without locks. For objects of a process @t is the
 * first thread that is alive when saving, the leader when restoring; for those
 * of a thread, the thread.
 */
struct ckpt_obj_ops {
	const char *name;
	u32 rec;
	int (*collect)(struct ckpt_ctx *ctx, struct ckpt_task *t);
	int (*save)(struct ckpt_ctx *ctx, struct ckpt_task *t);
	int (*restore)(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec);
	void (*put)(void *obj);
	int (*share)(struct ckpt_ctx *ctx, struct ckpt_task *t, void *obj);
	bool common;
};

/* objects.c */
extern const struct ckpt_obj_ops *const ckpt_process_objs[];
extern const struct ckpt_obj_ops *const ckpt_thread_objs[];
extern const struct ckpt_obj_ops *const ckpt_dead_process_objs[];
extern const struct ckpt_obj_ops *const ckpt_dead_objs[];
const struct ckpt_obj_ops *ckpt_find_ops(u32 rec);

/* task/, mm/, file/ */
extern const struct ckpt_obj_ops ckpt_process_ops;
extern const struct ckpt_obj_ops ckpt_mm_ops;
extern const struct ckpt_obj_ops ckpt_fs_ops;
extern const struct ckpt_obj_ops ckpt_pty_ops;
extern const struct ckpt_obj_ops ckpt_outer_terminal_ops;
extern const struct ckpt_obj_ops ckpt_fds_ops;
extern const struct ckpt_obj_ops ckpt_unlinked_ops;
extern const struct ckpt_obj_ops ckpt_locks_ops;
extern const struct ckpt_obj_ops ckpt_file_state_ops;
extern const struct ckpt_obj_ops ckpt_file_ops;
extern const struct ckpt_obj_ops ckpt_pipe_ops;
extern const struct ckpt_obj_ops ckpt_socket_ops;
extern const struct ckpt_obj_ops ckpt_unix_ops;
extern const struct ckpt_obj_ops ckpt_unix_msg_ops;
extern const struct ckpt_obj_ops ckpt_inet_ops;
extern const struct ckpt_obj_ops ckpt_tcp_ops;
extern const struct ckpt_obj_ops ckpt_shmem_ops;
extern const struct ckpt_obj_ops ckpt_shmem_data_ops;
extern const struct ckpt_obj_ops ckpt_sysv_shm_ops;
extern const struct ckpt_obj_ops ckpt_hugetlb_ops;
extern const struct ckpt_obj_ops ckpt_memory_ops;
extern const struct ckpt_obj_ops ckpt_sighand_ops;
extern const struct ckpt_obj_ops ckpt_thread_ops;
extern const struct ckpt_obj_ops ckpt_cred_ops;
extern const struct ckpt_obj_ops ckpt_sigpending_ops;
extern const struct ckpt_obj_ops ckpt_regset_ops;
extern const struct ckpt_obj_ops ckpt_seccomp_ops;
extern const struct ckpt_obj_ops ckpt_attrs_ops;
extern const struct ckpt_obj_ops ckpt_usage_ops;
extern const struct ckpt_obj_ops ckpt_timers_ops;
extern const struct ckpt_obj_ops ckpt_posix_timers_ops;
extern const struct ckpt_obj_ops ckpt_thread_usage_ops;

/* context.c */
struct ckpt_ctx *ckpt_ctx_alloc(struct file *file, unsigned long flags);
void ckpt_ctx_put(struct ckpt_ctx *ctx);
struct ckpt_task *ckpt_add_task(struct ckpt_ctx *ctx, struct task_struct *task);
void *ckpt_spare_take(struct ckpt_ctx *ctx, enum ckpt_spare which, size_t size);
void ckpt_spare_give(struct ckpt_ctx *ctx, enum ckpt_spare which, void *buf);

/* error.c */

/**
 * struct ckpt_where - what a message is about
 * @t: task, or NULL
 * @fd: descriptor, or -1
 * @start: first address, or 0
 * @end: address behind the last, or 0
 */
struct ckpt_where {
	struct ckpt_task *t;
	int fd;
	u64 start;
	u64 end;
};

#define CKPT_AT(_t)		(&(struct ckpt_where){ .t = (_t), .fd = -1 })
#define CKPT_AT_FD(_t, _fd)	(&(struct ckpt_where){ .t = (_t), .fd = (_fd) })
#define CKPT_AT_RANGE(_t, _start, _end) \
	(&(struct ckpt_where){ .t = (_t), .fd = -1, .start = (_start), .end = (_end) })

__printf(4, 5) void ckpt_obstacle(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				  enum ckpt_reason why, const char *fmt, ...);
__printf(5, 6) int ckpt_error(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			      enum ckpt_reason why, int err, const char *fmt, ...);
__printf(5, 6) int ckpt_unexplained(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				    enum ckpt_reason why, int err, const char *fmt, ...);
__printf(4, 5) void ckpt_note(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			      enum ckpt_reason why, const char *fmt, ...);
void ckpt_flush_log(struct ckpt_ctx *ctx, struct file *log);

/* stream.c */
int ckpt_write_bytes(struct ckpt_ctx *ctx, const void *data, size_t len);
int ckpt_write_bvecs(struct ckpt_ctx *ctx, const struct bio_vec *bv, u32 nr, size_t len);
int ckpt_write_flush(struct ckpt_ctx *ctx);
int ckpt_read_bvecs(struct ckpt_ctx *ctx, const struct bio_vec *bv, u32 nr, size_t len);
int ckpt_read_bvecs_at(struct ckpt_ctx *ctx, const struct bio_vec *bv, u32 nr, size_t len,
		       loff_t *pos);
loff_t ckpt_skip(struct ckpt_ctx *ctx, u64 len);
void ckpt_read_init(struct ckpt_ctx *ctx);
void ckpt_read_finish(struct ckpt_ctx *ctx);

/* image_write.c */
int ckpt_write_record(struct ckpt_ctx *ctx, u32 type, u32 tag, u32 unit,
		      const void *data, size_t len, const void *tail, size_t tail_len);
int ckpt_write_use(struct ckpt_ctx *ctx, u32 type, u32 tag);
int ckpt_write_padding(struct ckpt_ctx *ctx);
int ckpt_write_header(struct ckpt_ctx *ctx);
int ckpt_write_trailer(struct ckpt_ctx *ctx);

/* object.c */
u32 ckpt_tag_of(struct ckpt_ctx *ctx, void *obj);
u32 ckpt_new_tag(struct ckpt_ctx *ctx, void *obj);
int ckpt_put_tag(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_obj_ops *ops, void *obj);
void *ckpt_get_tag(struct ckpt_ctx *ctx, u32 tag, const struct ckpt_obj_ops *ops);
int ckpt_each_tag(struct ckpt_ctx *ctx, const struct ckpt_obj_ops *ops,
		  int (*fn)(struct ckpt_ctx *ctx, void *obj, void *arg), void *arg);
void ckpt_drop_tags(struct ckpt_ctx *ctx, const struct ckpt_obj_ops *ops);
void ckpt_free_tags(struct ckpt_ctx *ctx);

/* tree.c */
struct task_struct *ckpt_next_process(struct ckpt_ctx *ctx, struct task_struct *root,
				      struct task_struct *p);
int ckpt_tree_order(struct ckpt_ctx *ctx, struct task_struct *root);
struct ckpt_task *ckpt_next_leader(struct ckpt_ctx *ctx, struct ckpt_task *t);
struct ckpt_task *ckpt_mm_owner(struct ckpt_ctx *ctx, struct ckpt_task *leader,
				struct mm_struct *mm);
void ckpt_tree_collect(struct ckpt_ctx *ctx);
bool ckpt_pid_inside(struct ckpt_ctx *ctx, struct pid *pid, enum pid_type type);
bool ckpt_group_is_inside(struct ckpt_ctx *ctx, struct pid *pid);
int ckpt_tree_save(struct ckpt_ctx *ctx);

/* tree_restart.c */
int ckpt_tree_read(struct ckpt_ctx *ctx, pid_t pid);
int ckpt_tree_prepare(struct ckpt_ctx *ctx);
int ckpt_session_group(struct ckpt_ctx *ctx, struct ckpt_task *t, u32 nr, struct pid **pid);
struct pid *ckpt_tree_group(struct ckpt_ctx *ctx, u32 nr);
void ckpt_tree_bury(struct ckpt_ctx *ctx);
void ckpt_tree_tie(struct ckpt_ctx *ctx);
void ckpt_tree_forget(struct ckpt_ctx *ctx);

/* freeze.c */
int ckpt_freeze(struct ckpt_ctx *ctx, struct task_struct *root);
int ckpt_still_frozen(struct ckpt_ctx *ctx);
void ckpt_release(struct ckpt_ctx *ctx, bool failed);
void ckpt_park_new(struct ckpt_task *t);
bool ckpt_may_use(struct task_struct *task);
pid_t ckpt_vfork_child(struct ckpt_ctx *ctx, struct ckpt_task *t);

/* collect.c */
int ckpt_collect(struct ckpt_ctx *ctx);

bool ckpt_used_outside(struct ckpt_ctx *ctx,
		       bool (*uses)(struct task_struct *task, const void *obj),
		       const void *obj);

/* file/outside.c */

enum ckpt_list_kind {
	CKPT_LIST_EXTERNAL,	/* keys */
	CKPT_LIST_INHERIT,	/* keys, and a descriptor or path for each */
	CKPT_LIST_RELOCATE,	/* directories, and where they are now */
	CKPT_LIST_CHANGED,	/* paths */
};

/**
 * struct ckpt_entry - copy of a struct checkpoint_entry
 * @name: a key or path
 * @value: another path, or NULL
 * @file: the descriptor's file, or NULL
 * @used: it was of use
 */
struct ckpt_entry {
	char *name;
	char *value;
	struct file *file;
	bool used;
};

struct ckpt_list {
	struct ckpt_entry *entries;
	u32 nr;
};

/**
 * struct ckpt_outside - what the caller has decided about the outside
 * @external: save: keys of what is left to the outside
 * @inherit: restart: what takes their place
 * @relocate: restart: where directories are now
 * @changed: restart: files that may have changed
 * @allow_changed: restart: RESTART_CHANGED_*
 * @cgroups: restart: directory below which the tree's cgroups are, or NULL
 */
struct ckpt_outside {
	struct ckpt_list external;
	struct ckpt_list inherit;
	struct ckpt_list relocate;
	struct ckpt_list changed;
	u32 allow_changed;
	struct file *cgroups;
};

int ckpt_list_copy(struct ckpt_list *list, enum ckpt_list_kind kind, u64 addr, u32 nr);
void ckpt_list_free(struct ckpt_list *list);
struct ckpt_entry *ckpt_list_find(const struct ckpt_list *list, const char *name,
				  struct ckpt_entry *from);
void ckpt_list_unused(struct ckpt_ctx *ctx, const struct ckpt_list *list, enum ckpt_reason why);
char *ckpt_name_now(struct ckpt_ctx *ctx, const void *name, u32 len, bool follow);

/* save.c */
long ckpt_do_checkpoint(pid_t pid, struct file *file, struct file *log,
			unsigned long flags, const struct checkpoint_args *args,
			const struct ckpt_outside *outside, struct checkpoint_stats *stats);

/* restart.c */
long ckpt_do_restart(pid_t pid, struct file *file, struct file *log, unsigned long flags,
		     const struct ckpt_outside *outside, struct checkpoint_stats *stats);
int ckpt_next_record(struct ckpt_ctx *ctx, struct ckpt_rec **recp);
int ckpt_read_padding_reported(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_count_time(struct ckpt_ctx *ctx, __u64 *sum, ktime_t start);
bool ckpt_wait_pid(u32 nr, unsigned long deadline);
void ckpt_wait_predecessors(struct ckpt_ctx *ctx);
int ckpt_change_mm(struct mm_struct *mm);
int ckpt_clear_memory(void);
int ckpt_restore_fail(struct ckpt_ctx *ctx, struct ckpt_task *t, int err);

/* assemble.c */
void ckpt_arrive(struct ckpt_ctx *ctx);
bool ckpt_all_arrived(struct ckpt_ctx *ctx);
int ckpt_assemble(struct ckpt_ctx *ctx);
int ckpt_join(struct ckpt_ctx *ctx, struct ckpt_task *leader);

/* registry.c */
int ckpt_claim(struct ckpt_task *t);
void ckpt_unclaim(struct ckpt_task *t);

/* ns/namespaces.c */
u32 ckpt_ns_nr(struct ckpt_ctx *ctx, const void *ns);
int ckpt_ns_collect(struct ckpt_ctx *ctx);
void ckpt_ns_of_task(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_task *rec);
int ckpt_ns_save(struct ckpt_ctx *ctx, const struct ckpt_rec_task *tasks);
struct ckpt_ns *ckpt_ns_at(struct ckpt_ctx *ctx, u32 nr, u32 type);
int ckpt_ns_read(struct ckpt_ctx *ctx, u32 nr);
int ckpt_ns_create(struct ckpt_ctx *ctx);
void ckpt_ns_free(struct ckpt_ctx *ctx);

/* ns/user.c */
void ckpt_user_ns_collect(struct ckpt_ctx *ctx, const struct ckpt_ns *ns);
void ckpt_user_ns_fill(struct ckpt_ctx *ctx, struct user_namespace *ns,
		       struct ckpt_rec_namespace *rec);
int ckpt_id_maps_save(struct ckpt_ctx *ctx);
int ckpt_user_ns_create(struct ckpt_ctx *ctx, u32 nr);
int ckpt_user_ns_enter(struct ckpt_ctx *ctx, u32 nr);

/* ns/pids.c */
bool ckpt_ns_below(struct ckpt_ctx *ctx, u32 nr, u32 above, u32 type);
bool ckpt_may_be_in_pid_ns(struct ckpt_ctx *ctx, const struct ckpt_rec_task *rec, u32 user_ns);
int ckpt_pid_ns_collect_sharers(struct ckpt_ctx *ctx);
void ckpt_pid_ns_collect(struct ckpt_ctx *ctx, const struct ckpt_ns *ns);
int ckpt_pids_save(struct ckpt_ctx *ctx, const struct ckpt_rec_task *tasks);
int ckpt_pids_read(struct ckpt_ctx *ctx);
int ckpt_pid_ns_create(struct ckpt_ctx *ctx, u32 nr);
struct nsproxy *ckpt_pid_ns_use(struct ckpt_ctx *ctx, u32 nr);
void ckpt_pid_ns_back(struct nsproxy *old);
bool ckpt_pid_ns_has_ended(struct ckpt_ctx *ctx, u32 nr);
size_t ckpt_pid_numbers(struct ckpt_ctx *ctx, u32 pid, pid_t set[CKPT_PID_LEVELS], u32 *ns);
pid_t ckpt_pid_of_child(struct ckpt_ctx *ctx, pid_t nr);
pid_t ckpt_pid_for_current(struct ckpt_ctx *ctx, pid_t nr);
void ckpt_pid_ns_commit(struct ckpt_ctx *ctx);

/* task/process.c */
int ckpt_process_apply(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_process_commit(struct ckpt_ctx *ctx, struct ckpt_task *leader);
void ckpt_commit_dead(struct ckpt_ctx *ctx);
void ckpt_commit_all(struct ckpt_ctx *ctx);

/* task/thread.c */
struct ckpt_task *ckpt_thread_being_read(struct ckpt_ctx *ctx, struct ckpt_task *leader);
int ckpt_thread_apply(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_thread_commit(struct ckpt_task *t);

/* task/new_tid.c */
int ckpt_new_tid_apply(struct ckpt_task *t);
int ckpt_new_tid_finish(struct ckpt_task *t);

/* task/sched.c */
void ckpt_sched_collect(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_sched_save(struct task_struct *task, struct ckpt_rec_thread *rec);
int ckpt_sched_apply(struct ckpt_ctx *ctx, struct ckpt_task *t,
		     const struct ckpt_rec_thread *rec);
void ckpt_sched_save_attrs(struct task_struct *task, struct ckpt_rec_attrs *attrs);

/* task/seccomp.c */
void ckpt_seccomp_collect(struct ckpt_ctx *ctx, struct ckpt_task *t);
int ckpt_seccomp_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec_attrs *attrs);
int ckpt_seccomp_apply(struct ckpt_ctx *ctx, struct ckpt_task *t,
		       const struct ckpt_rec_attrs *attrs);

/* task/attrs.c */
int ckpt_attrs_apply(struct ckpt_ctx *ctx, struct ckpt_task *t);

/* task/cred.c */
int ckpt_cred_apply(struct ckpt_ctx *ctx, struct ckpt_task *t);

/* task/cgroup.c */
int ckpt_cgroup_collect(struct ckpt_ctx *ctx);
int ckpt_cgroup_save(struct ckpt_ctx *ctx);
int ckpt_cgroup_read(struct ckpt_ctx *ctx, u32 nr);
int ckpt_cgroup_enter(struct ckpt_task *t, struct kernel_clone_args *args);
void ckpt_cgroup_leave(struct kernel_clone_args *args);
void ckpt_cgroup_free(struct ckpt_ctx *ctx);

/* task/sigpending.c */
int ckpt_sigpending_apply(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_sigpending_commit(struct ckpt_task *t);

/* task/usage.c */
int ckpt_usage_check(struct ckpt_ctx *ctx, struct ckpt_task *leader);
void ckpt_usage_commit(struct ckpt_task *t);
void ckpt_thread_usage_commit(struct ckpt_task *t);

/* task/timers.c */
ktime_t ckpt_time_after(ktime_t now, s64 left);
void ckpt_timers_commit(struct ckpt_task *t);
bool ckpt_alarm_counts(struct ckpt_task *leader, const struct kernel_siginfo *info);

/* task/posix_timers.c */
int ckpt_posix_timers_create(struct ckpt_ctx *ctx, struct ckpt_task *leader);
struct sigqueue *ckpt_posix_timer_signal(struct ckpt_task *leader, int id);
void ckpt_posix_timers_commit(struct ckpt_task *leader);

/* task/restart_block.c */
void ckpt_restart_collect(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_restart_save(struct ckpt_task *t, struct ckpt_rec_thread *rec);
int ckpt_restart_apply(struct ckpt_ctx *ctx, struct ckpt_task *t,
		       const struct ckpt_rec_thread *rec);
void ckpt_timed_note(struct ckpt_task *t);
void ckpt_timed_resume(struct ckpt_task *t);

/* task/regset.c */
int ckpt_regset_apply(struct ckpt_ctx *ctx, struct ckpt_task *t);

/* mm/sums.c */

#define CKPT_MAX_CHUNKS	(CKPT_MAX_RECORD_PAGES / CKPT_CHUNK_PAGES)

/**
 * struct ckpt_sums - checksums of chunks of page data
 * @work: what takes them on another processor
 * @asked: @work was queued
 * @nr: chunks whose data is there
 * @next: first chunk that nobody has taken
 * @bv: for every chunk its data
 * @nr_bv: for every chunk the entries there
 * @done: for every chunk whether its checksum was taken
 * @sums: for every chunk its checksum
 */
struct ckpt_sums {
	struct work_struct work;
	bool asked;
	u32 nr;
	atomic_t next;
	const struct bio_vec *bv[CKPT_MAX_CHUNKS];
	u32 nr_bv[CKPT_MAX_CHUNKS];
	bool done[CKPT_MAX_CHUNKS];
	u64 sums[CKPT_MAX_CHUNKS];
};

void ckpt_sums_init(struct ckpt_sums *s);
void ckpt_sums_start(struct ckpt_sums *s);
void ckpt_sums_add(struct ckpt_sums *s, u32 nr);
void ckpt_sums_await(struct ckpt_sums *s, u32 i);
void ckpt_sums_stop(struct ckpt_sums *s);
void ckpt_sums_finish(struct ckpt_sums *s);

/* file/io_uring.c */
int ckpt_io_uring_wait(struct ckpt_ctx *ctx, unsigned long deadline);
void ckpt_io_uring_collect(struct ckpt_ctx *ctx, struct ckpt_task *t);
bool ckpt_in_io_uring(struct ckpt_task *t);
long ckpt_io_uring_result(struct ckpt_task *t);

/* file/io_rings.c */
int ckpt_io_rings_count(struct ckpt_ctx *ctx, struct ckpt_task *t);
struct file *ckpt_io_ring_of(struct ckpt_task *t, u32 index);
int ckpt_io_rings_apply(struct ckpt_ctx *ctx, struct ckpt_task *t);

/* file/io_registered.c */
int ckpt_registered_count(struct ckpt_ctx *ctx, struct file *ring);
int ckpt_registered_save(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_registered_free(struct ckpt_ctx *ctx);

/* file/io_buffers.c */
int ckpt_buffers_apply(struct ckpt_ctx *ctx, struct ckpt_task *t);

/* A thread of a process that has no life of its own: it is there when it is needed. */
static inline bool ckpt_is_io_worker(struct task_struct *task)
{
	return READ_ONCE(task->flags) & PF_IO_WORKER;
}

/* mm/aio.c */
int ckpt_aio_wait(struct ckpt_ctx *ctx, unsigned long deadline);

/* mm/pages_save.c, mm/pages_restore.c */
int ckpt_pages_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm);
int ckpt_pages_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec);

/* mm/cow_save.c */
int ckpt_cow_begin(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_cow **cp);
u32 ckpt_cow_room(const struct ckpt_cow *c);
bool ckpt_cow_add(struct ckpt_cow *c, struct page *page, unsigned long addr);
bool ckpt_cow_add_swapped(struct ckpt_cow *c, pte_t pte, unsigned long addr);
int ckpt_cow_check(struct ckpt_ctx *ctx, struct ckpt_cow *c);
int ckpt_cow_write(struct ckpt_ctx *ctx, struct ckpt_cow *c);
void ckpt_cow_keep(struct ckpt_cow *c, struct page *page, unsigned long addr, u32 nr);
void ckpt_cow_next(struct ckpt_cow *c);
void ckpt_cow_empty(struct ckpt_cow *c, bool off);
void ckpt_cow_end(struct ckpt_cow *c);
void ckpt_cow_free(struct ckpt_ctx *ctx);
int ckpt_cow_families(struct ckpt_ctx *ctx, struct mm_struct *mm, struct ckpt_vmas *vmas);

/* mm/template.c */
struct ckpt_template *ckpt_template_find(struct ckpt_ctx *ctx, struct ckpt_task *t,
					 struct ckpt_rec *rec);
int ckpt_template_use(struct ckpt_template *p);
void ckpt_template_make(struct ckpt_template *p, struct ckpt_task *t);
void ckpt_templates_free(struct ckpt_ctx *ctx);

/* kept.c */
int ckpt_keep_records(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_kept_free(struct ckpt_task *t);
u64 ckpt_count_pages(struct ckpt_rec *rec);
int ckpt_memory_record(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec **recp);
int ckpt_data_begin(struct ckpt_ctx *ctx, struct ckpt_task *t);
int ckpt_data_read(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct bio_vec *bv,
		   u32 nr, size_t len);

/* mm/mm.c */
int ckpt_mm_build(struct ckpt_ctx *ctx, struct ckpt_task *t);
int ckpt_mm_wait(struct ckpt_task *owner);

/* mm/cow_restore.c */
int ckpt_cow_note(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec);
int ckpt_cow_link(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec);
int ckpt_shared_pages_restore(struct ckpt_ctx *ctx, struct ckpt_task *t, struct ckpt_rec *rec);
void ckpt_cow_forget(struct ckpt_ctx *ctx);

/* file/file.c */

/**
 * struct ckpt_file_kind - a kind of open files
 * @name: for people
 * @kind: CKPT_FILE_*
 * @late: restore one only when all tasks exist, in the caller of restart()
 * @named: what it is opened by may have moved
 * @probe: Required. Is this file of the kind? @rec, unless NULL, gets what is
 *	needed to tell it from others of the kind.
 * @collect: Optional. Look for obstacles.
 * @save: Required. Fill the record and the name, of CKPT_PATH_MAX bytes.
 * @restore: Required. Returns a new reference to the file, or an ERR_PTR(),
 *	reported.
 *
 * All may sleep, but for @probe and @collect, which may be called with
 * mmap_lock held and must not take locks that nest outside of it.
 */
struct ckpt_file_kind {
	const char *name;
	u32 kind;
	bool late;
	bool named;
	bool (*probe)(struct ckpt_task *t, struct file *file);
	void (*collect)(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file);
	int (*save)(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		    struct ckpt_rec_file *rec, char *name);
	struct file *(*restore)(struct ckpt_ctx *ctx, struct ckpt_task *t,
				const struct ckpt_rec_file *rec, const char *name);
};

extern const struct ckpt_file_kind ckpt_path_kind;
extern const struct ckpt_file_kind ckpt_pty_kind;
extern const struct ckpt_file_kind ckpt_terminal_kind;
extern const struct ckpt_file_kind ckpt_unlinked_kind;
extern const struct ckpt_file_kind ckpt_opath_kind;
extern const struct ckpt_file_kind ckpt_fifo_kind;
extern const struct ckpt_file_kind ckpt_procfs_kind;
extern const struct ckpt_file_kind ckpt_nsfs_kind;
extern const struct ckpt_file_kind ckpt_external_kind;
extern const struct ckpt_file_kind ckpt_pipe_kind;
extern const struct ckpt_file_kind ckpt_socket_kind;
extern const struct ckpt_file_kind ckpt_shmem_kind;
extern const struct ckpt_file_kind ckpt_sysv_shm_kind;
extern const struct ckpt_file_kind ckpt_hugetlb_kind;
void ckpt_file_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
		       struct file *file);
int ckpt_file_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file, u32 *tag);
u32 ckpt_file_kind_nr(struct ckpt_task *t, struct file *file);
int ckpt_files_late(struct ckpt_ctx *ctx);

/* file/fds.c */
struct file *ckpt_fds_next(struct task_struct *task, unsigned int *fd);
struct file *ckpt_fds_find(struct ckpt_ctx *ctx, const struct file *file, int fd,
			   struct ckpt_task **holder);
struct file *ckpt_fds_match(struct ckpt_ctx *ctx,
			    bool (*match)(struct file *file, const void *arg), const void *arg,
			    struct ckpt_task **holder);
int ckpt_fds_apply(struct ckpt_ctx *ctx, struct ckpt_task *leader);

/* file/fs.c */
int ckpt_fs_late(struct ckpt_ctx *ctx);

/* file/refs.c */
int ckpt_refs_count(struct ckpt_ctx *ctx);
int ckpt_refs_add(struct ckpt_ctx *ctx, struct file *file);
int ckpt_refs_note(struct ckpt_ctx *ctx, const void *obj);
unsigned long ckpt_refs_of(struct ckpt_ctx *ctx, const void *obj);
void ckpt_refs_free(struct ckpt_ctx *ctx);
bool ckpt_file_is_inside(struct ckpt_ctx *ctx, struct file *file, int extra);
unsigned long ckpt_attached(struct ckpt_ctx *ctx, struct inode *inode);
bool ckpt_file_is_known(struct ckpt_ctx *ctx, const struct file *file);
bool ckpt_file_is_ours(struct ckpt_ctx *ctx, struct file *file, int extra);
bool ckpt_file_is_ours_now(struct ckpt_ctx *ctx, struct file *file, int extra);
bool ckpt_pipe_is_inside(struct ckpt_ctx *ctx, struct pipe_inode_info *pipe,
			 struct file *file);
bool ckpt_file_has_others(struct ckpt_ctx *ctx, struct file *file);
bool ckpt_file_shared(struct ckpt_ctx *ctx, struct file *file, char *who, size_t size);

/* net/socket.c */
bool ckpt_socket_refuse(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file);
int ckpt_sockets_save(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_sockets_free(struct ckpt_ctx *ctx);
int ckpt_sockets_assemble(struct ckpt_ctx *ctx);
bool ckpt_socket_is_quiet(struct file *file);

/* net/inflight.c */
int ckpt_inflight_note(struct ckpt_ctx *ctx, struct file *file);
int ckpt_inflight_count(struct ckpt_ctx *ctx, struct ckpt_task *t);
int ckpt_inflight_collect(struct ckpt_ctx *ctx);
struct file *ckpt_inflight_find(struct ckpt_ctx *ctx, const struct file *file,
				struct ckpt_task **holder);
void ckpt_inflight_free(struct ckpt_ctx *ctx);

/* net/identity.c */
void ckpt_gone_pids_free(struct ckpt_ctx *ctx);

/* file/external.c */
bool ckpt_is_terminal(const struct inode *inode);

/* file/keys.c */

/* Of the first part of a key: names of anonymous inodes are shorter. */
#define CKPT_SORT_LEN	64

bool ckpt_key_sort(struct file *file, char *sort);
bool ckpt_key_fits(const char *key, struct file *file);
char *ckpt_external_key(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file, char *buf);
bool ckpt_is_accepted(struct ckpt_ctx *ctx, struct file *file);
__printf(5, 6) void ckpt_obstacle_key(struct ckpt_ctx *ctx, const struct ckpt_where *where,
				      enum ckpt_reason why, struct file *file,
				      const char *fmt, ...);

/* file/compare.c */
void ckpt_identify(struct file *file, struct ckpt_rec_file *rec);
int ckpt_identify_path(const struct path *path, struct ckpt_rec_file *rec, struct kstat *stat);
int ckpt_compare_path(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
		      const struct ckpt_rec_file *rec, const char *name);
int ckpt_compare(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
		 const struct ckpt_rec_file *rec, const char *name);
int ckpt_compare_open(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		      const struct ckpt_rec_file *rec, const char *name);

/* file/shmem.c */
bool ckpt_is_unnamed_shmem(struct file *file);
bool ckpt_is_unnamed_memory(struct file *file);
struct file *ckpt_shmem_memory(struct ckpt_ctx *ctx, u32 tag);

/* file/hugetlb.c */
struct file *ckpt_hugetlb_memory(struct ckpt_ctx *ctx, u32 tag);

/* mm/memory.c */
int ckpt_memory_begin(struct ckpt_ctx *ctx, u32 tag);
int ckpt_memory_save(struct ckpt_ctx *ctx, struct inode *inode, u32 tag);

/* ipc/shm.c */
struct file *ckpt_sysv_shm_memory(struct ckpt_ctx *ctx, u32 tag);

/* file/pipe.c */
struct pipe_inode_info *ckpt_pipe_of(struct file *file);

/* file/pty.c */
bool ckpt_pty_is_inside(struct ckpt_ctx *ctx, struct tty_struct *tty);

/* file/pty_restore.c */
int ckpt_ptys_hang_up(struct ckpt_ctx *ctx);

/* file/terminal.c */
bool ckpt_has_foreground(struct task_struct *task);
void ckpt_terminal_collect(struct ckpt_ctx *ctx, struct ckpt_task *t, bool own);
int ckpt_terminals_prepare(struct ckpt_ctx *ctx);
void ckpt_terminals_tie(struct ckpt_ctx *ctx);
void ckpt_terminals_forget(struct ckpt_ctx *ctx);

/* file/outer_terminal.c */
void ckpt_outer_tie(struct ckpt_ctx *ctx);

/* file/path.c */
bool ckpt_is_memory_device(umode_t mode, dev_t rdev);
int ckpt_leads_back(struct ckpt_ctx *ctx, const char *name, const struct path *path);
int ckpt_name_save(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
		   bool gone, char *name);
int ckpt_open_flags(const struct ckpt_rec_file *rec);
int ckpt_path_save(struct ckpt_ctx *ctx, struct ckpt_task *t, struct file *file,
		   const struct path *path, struct ckpt_rec_file *rec, char *name);
/* file/removed_dir.c */
void ckpt_unlinked_collect_dir(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			       const struct path *path);
int ckpt_unlinked_save_dir(struct ckpt_ctx *ctx, struct ckpt_task *t, const struct path *path,
			   u32 *tag);
int ckpt_unlinked_dir(struct ckpt_ctx *ctx, u32 tag, struct path *path);
int ckpt_removed_dirs_finish(struct ckpt_ctx *ctx);
void ckpt_removed_dirs_forget(struct ckpt_ctx *ctx);

/* file/unlinked.c */
bool ckpt_is_unlinked(struct file *file);
struct file *ckpt_unlinked_writer(struct ckpt_ctx *ctx, u32 tag);

/* file/other_name.c */
bool ckpt_other_name(const struct path *path, struct path *other, bool may_search);

/* file/locks.c */
bool ckpt_has_lease(struct file *file);
void ckpt_locks_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file, const struct ckpt_file_kind *kind);
int ckpt_locks_save(struct ckpt_ctx *ctx, struct file *file, u32 tag);
int ckpt_locks_apply(struct ckpt_ctx *ctx, struct ckpt_task *leader);
void ckpt_locks_forget(struct ckpt_task *t);
int ckpt_locks_save_table(struct ckpt_ctx *ctx, struct ckpt_task *t,
			  struct files_struct *files);

/* file/state.c */
void ckpt_state_collect(struct ckpt_ctx *ctx, const struct ckpt_where *where,
			struct file *file, const struct ckpt_file_kind *kind);
int ckpt_state_save(struct ckpt_ctx *ctx, struct file *file, u32 tag);
bool ckpt_may_act_as(kuid_t uid);
int ckpt_states_apply(struct ckpt_ctx *ctx);
void ckpt_states_free(struct ckpt_ctx *ctx);

char *ckpt_path_name(struct ckpt_ctx *ctx, const struct path *path, char *buf);

/* arch/<arch>/checkpoint/ */
void ckpt_arch_collect_task(struct ckpt_ctx *ctx, struct ckpt_task *t);
void ckpt_arch_collect_mm(struct ckpt_ctx *ctx, struct ckpt_task *t, struct mm_struct *mm);
bool ckpt_arch_is_compat(struct task_struct *task);
void ckpt_arch_compat_call(bool on);
bool ckpt_arch_in_compat_call(struct task_struct *task);
long ckpt_arch_restart_nr(void);
u64 ckpt_arch_cpu_features(void);
void ckpt_arch_save_mm(struct mm_struct *mm, struct ckpt_rec_mm *rec);
int ckpt_arch_restore_mm(struct ckpt_ctx *ctx, struct ckpt_task *t,
			 const struct ckpt_rec_mm *rec);
int ckpt_arch_restore_pkeys(struct ckpt_ctx *ctx, struct ckpt_task *t,
			    const struct ckpt_rec_mm *rec);
bool ckpt_arch_vma_is_special(struct vm_area_struct *vma);
long ckpt_arch_syscall(struct task_struct *task);
void ckpt_arch_set_result(struct task_struct *task, long result);
long ckpt_arch_result(struct task_struct *task);
long ckpt_arch_call(long nr, const u64 *args);
long ckpt_arch_call_timed(long nr, int arg, bool ms, u64 left);
void ckpt_arch_finish_call(struct ckpt_rec_regset *rec, void *data, long result);
void ckpt_arch_repeat_call(struct ckpt_rec_regset *rec, void *data);
void ckpt_arch_call_args(struct task_struct *task, unsigned long *args);
bool ckpt_arch_regset_covered(u32 note_type);
u32 ckpt_arch_regset_size(const struct user_regset *regset, u32 note_type);
const struct user_regset *ckpt_arch_own_regset(void);
bool ckpt_arch_saves_regset(u32 note_type);
void ckpt_arch_save_attrs(struct task_struct *task, struct ckpt_rec_attrs *attrs);
int ckpt_arch_apply_attrs(struct ckpt_ctx *ctx, struct ckpt_task *t,
			  const struct ckpt_rec_attrs *attrs);
int ckpt_arch_save_ldt(struct ckpt_ctx *ctx, struct mm_struct *mm);
int ckpt_arch_restore_ldt(struct ckpt_rec *rec);
extern const struct ckpt_obj_ops ckpt_arch_io_ports_ops;

#endif /* _CHECKPOINT_INTERNAL_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accessors that other subsystems offer to checkpoint/: state that cannot be
 * reached in any other way. This header is the porting layer: prototypes stay,
 * bodies are at the end of the file that owns the state.
 */
#ifndef _LINUX_CHECKPOINT_STATE_H
#define _LINUX_CHECKPOINT_STATE_H

#include <linux/filter.h>
#include <linux/ktime.h>
#include <linux/nodemask_types.h>
#include <linux/restart_block.h>
#include <linux/signal_types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

struct epoll_event;
struct file;
struct folio;
struct inode;
struct k_itimer;
struct mm_struct;
struct nsproxy;
struct path;
struct pid_namespace;
struct pts_fs_info;
struct seccomp_filter;
struct shared_policy;
struct sigevent;
struct sock;
struct sockaddr_un;
struct task_struct;
struct tty_struct;
struct uid_gid_extent;
struct user_namespace;
struct vm_area_struct;

/* fs/exec.c: give the current, single-threaded task a fresh address space */
int checkpoint_exec_mmap(struct mm_struct *mm);

/* kernel/fork.c: copy an address space */
struct mm_struct *checkpoint_dup_mm(struct mm_struct *mm, struct task_struct *owner);

/* mm/rmap.c: let all relatives of its mappings have a folio */
void checkpoint_anon_rmap_root(struct folio *folio);

/* kernel/time/hrtimer.c, fs/select.c, kernel/futex/waitwake.c */
typedef long (*checkpoint_restart_fn)(struct restart_block *restart);
extern const checkpoint_restart_fn checkpoint_restart_nanosleep;
extern const checkpoint_restart_fn checkpoint_restart_poll;
extern const checkpoint_restart_fn checkpoint_restart_futex;

/* kernel/time/hrtimer.c: when the timer on which @task sleeps expires */
bool checkpoint_sleeper_expires(struct task_struct *task, ktime_t *remaining);

/* ipc/sem.c: semaphore adjustments that the exit of @task would undo */
bool checkpoint_has_sem_undo(struct task_struct *task);

/**
 * struct checkpoint_shm - a segment of System V shared memory
 * @id: of shmget(2)
 * @key: of shmget(2)
 * @mode: permission bits
 * @removed: it goes with its last user (IPC_RMID)
 * @locked: of shmctl(2), SHM_LOCK
 * @huge_shift: of huge pages: binary logarithm of their size, else 0
 * @outside: not of the IPC namespace of current
 * @noreserve: memory is accounted for when it is used; not told
 * @uid: this and the following are as in shmctl(2)
 * @cuid: see there
 * @gid: see there
 * @cgid: see there
 * @size: see there
 * @atime: see there
 * @dtime: see there
 * @ctime: see there
 * @creator: see there, 0: not in the pid namespace of current
 * @last: the same
 * @nattch: see there
 */
struct checkpoint_shm {
	int id;
	key_t key;
	umode_t mode;
	bool removed;
	bool locked;
	bool outside;
	bool noreserve;
	u32 huge_shift;
	kuid_t uid;
	kuid_t cuid;
	kgid_t gid;
	kgid_t cgid;
	size_t size;
	time64_t atime;
	time64_t dtime;
	time64_t ctime;
	pid_t creator;
	pid_t last;
	unsigned long nattch;
};

/* ipc/shm.c */
#ifdef CONFIG_SYSVIPC
int checkpoint_shm_get(struct file *file, struct checkpoint_shm *state);
struct file *checkpoint_shm_create(const struct checkpoint_shm *state);
struct file *checkpoint_shm_attach(int id, struct file *memory, int flags);
void checkpoint_shm_finish(struct file *memory, const struct checkpoint_shm *state, bool keep);
#else
static inline int checkpoint_shm_get(struct file *file, struct checkpoint_shm *state)
{
	return -EINVAL;
}

static inline struct file *checkpoint_shm_create(const struct checkpoint_shm *state)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline struct file *checkpoint_shm_attach(int id, struct file *memory, int flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void checkpoint_shm_finish(struct file *memory, const struct checkpoint_shm *state,
					 bool keep)
{
}
#endif

/**
 * struct checkpoint_eventfd - state of an eventfd
 * @count: its count
 * @semaphore: EFD_SEMAPHORE
 * @users: how many in the kernel signal it, too
 */
struct checkpoint_eventfd {
	u64 count;
	bool semaphore;
	unsigned int users;
};

/* fs/eventfd.c */
#ifdef CONFIG_EVENTFD
bool checkpoint_eventfd_show(struct file *file, struct checkpoint_eventfd *state);
void checkpoint_eventfd_set(struct file *file, u64 count);
#else
static inline bool checkpoint_eventfd_show(struct file *file, struct checkpoint_eventfd *state)
{
	return false;
}

static inline void checkpoint_eventfd_set(struct file *file, u64 count)
{
}
#endif

/**
 * struct checkpoint_timerfd - state of a timerfd
 * @clock: its clock
 * @base: clock by which it expires
 * @flags: of the last timerfd_settime(2)
 * @ticks: expiries that were not read
 * @interval: its interval
 * @expires: time of @base
 * @left: the same, as time that is left
 * @armed: it will expire
 * @expired: has expired, and with an interval is armed again when that is read
 * @cancel: is canceled when the clock is set
 * @canceled: was canceled, which was not read yet
 */
struct checkpoint_timerfd {
	int clock;
	int base;
	int flags;
	u64 ticks;
	ktime_t interval;
	ktime_t expires;
	ktime_t left;
	bool armed;
	bool expired;
	bool cancel;
	bool canceled;
};

/* fs/timerfd.c */
#ifdef CONFIG_TIMERFD
bool checkpoint_timerfd_show(struct file *file, struct checkpoint_timerfd *state);
void checkpoint_timerfd_set(struct file *file, const struct checkpoint_timerfd *state);
void checkpoint_timerfd_start(struct file *file, ktime_t expires, bool armed);
#else
static inline bool checkpoint_timerfd_show(struct file *file, struct checkpoint_timerfd *state)
{
	return false;
}

static inline void checkpoint_timerfd_set(struct file *file,
					  const struct checkpoint_timerfd *state)
{
}

static inline void checkpoint_timerfd_start(struct file *file, ktime_t expires, bool armed)
{
}
#endif

/* fs/signalfd.c */
#ifdef CONFIG_SIGNALFD
bool checkpoint_signalfd_show(struct file *file, sigset_t *mask);
int checkpoint_signalfd_create(sigset_t *mask);
#else
static inline bool checkpoint_signalfd_show(struct file *file, sigset_t *mask)
{
	return false;
}

static inline int checkpoint_signalfd_create(sigset_t *mask)
{
	return -EOPNOTSUPP;
}
#endif

/**
 * struct checkpoint_epoll_item - what an epoll instance watches
 * @file: an open file, only to be compared: it may be gone
 * @fd: number by which it was known when it was added
 * @events: as in epoll_ctl(2)
 * @data: as in epoll_ctl(2)
 * @queue: where it waits, or the first of such; only to be compared
 * @ready: it counts as ready
 */
struct checkpoint_epoll_item {
	struct file *file;
	int fd;
	u32 events;
	u64 data;
	wait_queue_head_t *queue;
	bool ready;
};

/* fs/eventpoll.c */
#ifdef CONFIG_EPOLL
bool checkpoint_is_epoll(struct file *file);
int checkpoint_epoll_show(struct file *file, struct checkpoint_epoll_item *items, int max);
bool checkpoint_epoll_busy_polls(struct file *file);
int checkpoint_epoll_add(struct file *file, struct file *target, int fd,
			 struct epoll_event *event);
void checkpoint_epoll_set_ready(struct file *file, struct file *target, int fd, bool ready);
#else
static inline bool checkpoint_is_epoll(struct file *file)
{
	return false;
}

static inline int checkpoint_epoll_show(struct file *file, struct checkpoint_epoll_item *items,
					int max)
{
	return -EINVAL;
}

static inline bool checkpoint_epoll_busy_polls(struct file *file)
{
	return false;
}

static inline int checkpoint_epoll_add(struct file *file, struct file *target, int fd,
				       struct epoll_event *event)
{
	return -EOPNOTSUPP;
}

static inline void checkpoint_epoll_set_ready(struct file *file, struct file *target, int fd,
					      bool ready)
{
}
#endif

/**
 * struct checkpoint_inotify_event - an event that was not read yet
 * @wd: watch descriptor, -1: events were lost
 * @mask: as in inotify(7), or FS_EVENT_ON_CHILD
 * @cookie: of a renaming
 * @name: name in a directory, or empty
 * @name_len: its length
 */
struct checkpoint_inotify_event {
	int wd;
	u32 mask;
	u32 cookie;
	const char *name;
	u32 name_len;
};

/* fs/notify/inotify/inotify_user.c */
typedef int (*checkpoint_watch_fn)(void *arg, struct inode *inode, int wd, u32 mask);
#ifdef CONFIG_INOTIFY_USER
bool checkpoint_is_inotify(struct file *file);
int checkpoint_inotify_watches(struct file *file, checkpoint_watch_fn fn, void *arg);
u32 checkpoint_inotify_next(struct file *file);
void checkpoint_inotify_events(struct file *file,
			       void (*fn)(void *arg, const struct checkpoint_inotify_event *e),
			       void *arg);
int checkpoint_inotify_add(struct file *file, const struct path *path, int wd, u32 mask);
void checkpoint_inotify_set_next(struct file *file, u32 next);
int checkpoint_inotify_queue(struct file *file, const struct checkpoint_inotify_event *e);
#else
static inline bool checkpoint_is_inotify(struct file *file)
{
	return false;
}

static inline int checkpoint_inotify_watches(struct file *file, checkpoint_watch_fn fn, void *arg)
{
	return 0;
}

static inline u32 checkpoint_inotify_next(struct file *file)
{
	return 0;
}

static inline void
checkpoint_inotify_events(struct file *file,
			  void (*fn)(void *arg, const struct checkpoint_inotify_event *e),
			  void *arg)
{
}

static inline int checkpoint_inotify_add(struct file *file, const struct path *path, int wd,
					 u32 mask)
{
	return -EOPNOTSUPP;
}

static inline void checkpoint_inotify_set_next(struct file *file, u32 next)
{
}

static inline int checkpoint_inotify_queue(struct file *file,
					   const struct checkpoint_inotify_event *e)
{
	return -EOPNOTSUPP;
}
#endif

/**
 * struct checkpoint_aio - a context of asynchronous I/O
 * @id: place in the table of its address space, which the ring has in it
 * @addr: of the ring, by which system calls name the context
 * @size: of the ring, in bytes
 * @max_reqs: of io_setup(2)
 * @tail: where the next event goes
 * @completed: requests that have completed, and whose slots were not seen free yet
 * @under_way: requests that have not completed
 * @waiting: those of them that wait for an event, and can be cancelled
 * @file: file of the ring, only to be compared; not set
 */
struct checkpoint_aio {
	unsigned int id;
	unsigned long addr;
	unsigned long size;
	unsigned int max_reqs;
	unsigned int tail;
	unsigned int completed;
	unsigned int under_way;
	unsigned int waiting;
	const struct file *file;
};

/* fs/aio.c */
#ifdef CONFIG_AIO
bool checkpoint_aio_next(struct mm_struct *mm, unsigned int id, struct checkpoint_aio *state);
int checkpoint_aio_create(struct checkpoint_aio *state);
#else
static inline bool checkpoint_aio_next(struct mm_struct *mm, unsigned int id,
				       struct checkpoint_aio *state)
{
	return false;
}

static inline int checkpoint_aio_create(struct checkpoint_aio *state)
{
	return -EOPNOTSUPP;
}
#endif

/* checkpoint_io_uring.extras: what an instance has besides its rings */
#define CHECKPOINT_RING_COMPAT		BIT(0)
#define CHECKPOINT_RING_OVERFLOW	BIT(1)
#define CHECKPOINT_RING_EVENTFD		BIT(2)
#define CHECKPOINT_RING_FILES		BIT(3)
#define CHECKPOINT_RING_BUFFERS		BIT(4)
#define CHECKPOINT_RING_PROVIDED	BIT(5)
#define CHECKPOINT_RING_PERSONALITY	BIT(6)
#define CHECKPOINT_RING_WORKERS		BIT(7)
#define CHECKPOINT_RING_NAPI		BIT(8)
#define CHECKPOINT_RING_BUSY		BIT(9)

/**
 * struct checkpoint_io_uring - state of an instance of io_uring(7)
 * @setup: IORING_SETUP_*
 * @extras: CHECKPOINT_RING_*; not set
 * @sq_entries: of the submission queue
 * @cq_entries: of the completion queue
 * @array_offset: where in the rings the indices of submissions are, 0: nowhere
 * @sq_head: submissions that were taken
 * @cq_tail: completions that were posted
 * @cq_extra: difference between the two, for IOSQE_IO_DRAIN
 * @timeouts: completions of timeouts
 * @last_flush: completions when timeouts were last looked at
 * @next_personality: from where on a number is looked for
 * @drain_next: the next submission is the first behind a drain
 * @drain_active: there was a drain since which all submissions are queued
 * @no_drain: there cannot be one any more
 * @counts_timeouts: a timeout has waited for completions
 * @boottime: of IORING_REGISTER_CLOCK
 * @accounted: memory is accounted for to a user
 * @uid: the user
 * @submitter: who alone may submit, only to be compared, or NULL; not set
 * @rings: the kernel's mapping of the memory of the rings; as long as the file is open
 * @rings_size: its size
 * @sqes: the same, of the submissions
 * @sqes_size: its size
 * @restricted: only some operations are allowed once it is enabled
 * @sqe_flags_allowed: flags of a submission that may be set
 * @sqe_flags_required: those that must be set
 * @register_ops: a bit for each operation of io_uring_register(2) that is allowed
 * @sqe_ops: a bit for each operation of a submission that is allowed
 */
struct checkpoint_io_uring {
	u32 setup;
	u32 extras;
	u32 sq_entries;
	u32 cq_entries;
	u32 array_offset;
	u32 sq_head;
	u32 cq_tail;
	u32 cq_extra;
	u32 timeouts;
	u32 last_flush;
	u32 next_personality;
	bool drain_next;
	bool drain_active;
	bool no_drain;
	bool counts_timeouts;
	bool boottime;
	bool accounted;
	kuid_t uid;
	const struct task_struct *submitter;
	void *rings;
	size_t rings_size;
	void *sqes;
	size_t sqes_size;
	bool restricted;
	u8 sqe_flags_allowed;
	u8 sqe_flags_required;
	u64 register_ops;
	u64 sqe_ops[2];
};

/**
 * struct checkpoint_io_uring_task - what a task has to do with io_uring
 * @under_way: its requests that have not completed
 * @waiting: some request in its instances waits for an event
 * @work: completions wait for it
 */
struct checkpoint_io_uring_task {
	long under_way;
	bool waiting;
	bool work;
};

/**
 * struct checkpoint_io_uring_eventfd - the eventfd of an instance
 * @ctx: what the kernel signals, only to be compared; NULL: none; not set
 * @async: of IORING_REGISTER_EVENTFD_ASYNC
 * @pending: it is just being signalled; not set
 * @last_tail: completions when it was signalled last
 */
struct checkpoint_io_uring_eventfd {
	const struct eventfd_ctx *ctx;
	bool async;
	bool pending;
	u32 last_tail;
};

/**
 * struct checkpoint_io_uring_files - table of registered files of an instance
 * @nr: slots; 0: there is no table
 * @alloc_start: first slot that the kernel may choose
 * @alloc_end: behind the last one
 * @alloc_hint: from where on it looks for a free one
 */
struct checkpoint_io_uring_files {
	u32 nr;
	u32 alloc_start;
	u32 alloc_end;
	u32 alloc_hint;
};

/**
 * struct checkpoint_io_uring_slot - a registered file
 * @file: the file
 * @tag: what the program is told when the kernel has let the file go, 0: nothing
 * @index: its slot
 * @nowait: when it was registered it could be asked not to wait
 */
struct checkpoint_io_uring_slot {
	struct file *file;
	u64 tag;
	u32 index;
	bool nowait;
};

/**
 * struct checkpoint_io_uring_buffer - a registered buffer
 * @addr: its address
 * @length: bytes
 * @tag: what the program is told when the kernel has let the buffer go, 0: nothing
 * @index: its slot
 */
struct checkpoint_io_uring_buffer {
	u64 addr;
	u64 length;
	u64 tag;
	u32 index;
};

/**
 * struct checkpoint_io_uring_group - a group of provided buffers
 * @bgid: its number
 * @nr: buffers of one without a ring
 * @entries: of its ring, 0: it has none
 * @head: entries that were taken
 * @min_left: of IOU_PBUF_RING_INC
 * @mapped: the kernel has made the ring: IOU_PBUF_RING_MMAP
 * @incremental: IOU_PBUF_RING_INC
 * @addr: where in the process the ring is that it has made itself; not shown
 * @nr_pages: pages of its ring; not set
 * @ring: what is in a ring that the kernel makes; not shown
 */
struct checkpoint_io_uring_group {
	u32 bgid;
	u32 nr;
	u32 entries;
	u32 head;
	u32 min_left;
	bool mapped;
	bool incremental;
	u64 addr;
	u32 nr_pages;
	const void *ring;
};

/**
 * struct checkpoint_io_uring_provided - a buffer of a group without a ring
 * @addr: its address
 * @len: bytes
 * @bid: its number
 */
struct checkpoint_io_uring_provided {
	u64 addr;
	u32 len;
	u32 bid;
};

/* io_uring/io_uring.c, eventfd.c, filetable.c, kbuf.c, rsrc.c */
#ifdef CONFIG_IO_URING
void checkpoint_io_uring_task(struct task_struct *task, struct checkpoint_io_uring_task *state);
void checkpoint_io_uring_work(void);
struct file *checkpoint_io_uring_ring(struct task_struct *task, u32 *index);
int checkpoint_io_uring_set_ring(struct file *file, u32 index);
int checkpoint_io_uring_show(struct file *file, struct checkpoint_io_uring *state);
int checkpoint_io_uring_set(struct file *file, const struct checkpoint_io_uring *state);
void checkpoint_io_uring_give(struct file *file, struct task_struct *task);
int checkpoint_io_uring_eventfd(struct file *file, struct checkpoint_io_uring_eventfd *state);
int checkpoint_io_uring_set_eventfd(struct file *file, struct file *eventfd,
				    const struct checkpoint_io_uring_eventfd *state);
int checkpoint_io_uring_files(struct file *file, struct checkpoint_io_uring_files *table);
int checkpoint_io_uring_slot(struct file *file, u32 index, struct checkpoint_io_uring_slot *slot);
int checkpoint_io_uring_set_files(struct file *file, const struct checkpoint_io_uring_files *table,
				  const struct checkpoint_io_uring_slot *slots, unsigned int nr);
int checkpoint_io_uring_buffers(struct file *file, const struct mm_struct **mm);
int checkpoint_io_uring_buffer(struct file *file, u32 index,
			       struct checkpoint_io_uring_buffer *buffer);
int checkpoint_io_uring_buffer_pages(struct file *file, u32 index, u32 first,
				     struct page **pages, u32 nr);
int checkpoint_io_uring_set_buffers(struct file *file, struct mm_struct *mm, u32 nr_slots,
				    const struct checkpoint_io_uring_buffer *buffers,
				    unsigned int nr);
int checkpoint_io_uring_group(struct file *file, u32 bgid,
			      struct checkpoint_io_uring_group *group);
int checkpoint_io_uring_group_ring(struct file *file, u32 bgid, void *data, u32 entries);
struct page *checkpoint_io_uring_group_page(struct file *file, u32 bgid, u32 index);
int checkpoint_io_uring_provided(struct file *file, u32 bgid,
				 struct checkpoint_io_uring_provided *buffers, u32 nr);
int checkpoint_io_uring_add_group(struct file *file, const struct checkpoint_io_uring_group *group,
				  const struct checkpoint_io_uring_provided *buffers);
#else
static inline void checkpoint_io_uring_task(struct task_struct *task,
					    struct checkpoint_io_uring_task *state)
{
	*state = (struct checkpoint_io_uring_task){};
}

static inline void checkpoint_io_uring_work(void)
{
}

static inline struct file *checkpoint_io_uring_ring(struct task_struct *task, u32 *index)
{
	return NULL;
}

static inline int checkpoint_io_uring_set_ring(struct file *file, u32 index)
{
	return -EOPNOTSUPP;
}

static inline int checkpoint_io_uring_show(struct file *file, struct checkpoint_io_uring *state)
{
	return -EBUSY;
}

static inline int checkpoint_io_uring_set(struct file *file,
					  const struct checkpoint_io_uring *state)
{
	return -EOPNOTSUPP;
}

static inline void checkpoint_io_uring_give(struct file *file, struct task_struct *task)
{
}

static inline int checkpoint_io_uring_eventfd(struct file *file,
					      struct checkpoint_io_uring_eventfd *state)
{
	return -EBUSY;
}

static inline int
checkpoint_io_uring_set_eventfd(struct file *file, struct file *eventfd,
				const struct checkpoint_io_uring_eventfd *state)
{
	return -EOPNOTSUPP;
}

static inline int checkpoint_io_uring_files(struct file *file,
					    struct checkpoint_io_uring_files *table)
{
	return -EBUSY;
}

static inline int checkpoint_io_uring_slot(struct file *file, u32 index,
					   struct checkpoint_io_uring_slot *slot)
{
	return -EBUSY;
}

static inline int
checkpoint_io_uring_set_files(struct file *file, const struct checkpoint_io_uring_files *table,
			      const struct checkpoint_io_uring_slot *slots, unsigned int nr)
{
	return -EOPNOTSUPP;
}

static inline int checkpoint_io_uring_buffers(struct file *file, const struct mm_struct **mm)
{
	return -EBUSY;
}

static inline int checkpoint_io_uring_buffer(struct file *file, u32 index,
					     struct checkpoint_io_uring_buffer *buffer)
{
	return -EBUSY;
}

static inline int checkpoint_io_uring_buffer_pages(struct file *file, u32 index, u32 first,
						   struct page **pages, u32 nr)
{
	return -EBUSY;
}

static inline int
checkpoint_io_uring_set_buffers(struct file *file, struct mm_struct *mm, u32 nr_slots,
				const struct checkpoint_io_uring_buffer *buffers,
				unsigned int nr)
{
	return -EOPNOTSUPP;
}

static inline int checkpoint_io_uring_group(struct file *file, u32 bgid,
					    struct checkpoint_io_uring_group *group)
{
	return -EBUSY;
}

static inline int checkpoint_io_uring_group_ring(struct file *file, u32 bgid, void *data,
						 u32 entries)
{
	return -EBUSY;
}

static inline struct page *checkpoint_io_uring_group_page(struct file *file, u32 bgid, u32 index)
{
	return NULL;
}

static inline int
checkpoint_io_uring_provided(struct file *file, u32 bgid,
			     struct checkpoint_io_uring_provided *buffers, u32 nr)
{
	return -EBUSY;
}

static inline int
checkpoint_io_uring_add_group(struct file *file, const struct checkpoint_io_uring_group *group,
			      const struct checkpoint_io_uring_provided *buffers)
{
	return -EOPNOTSUPP;
}
#endif

/* net/unix/af_unix.c */
struct sock *checkpoint_unix_pending(struct sock *listener);
int checkpoint_unix_bind(struct sock *sk, const struct path *path, struct sockaddr_un *name,
			 int len);

/* net/core/filter.c: as bpf_prog_create_from_user(), from kernel memory */
int checkpoint_sk_attach_filter(struct sock *sk, struct sock_filter *filter, u16 len);
int checkpoint_bpf_prog_create(struct bpf_prog **pfp, struct sock_filter *filter, u16 len,
			       bpf_aux_classic_check_t trans);

/**
 * struct checkpoint_seccomp - state of a seccomp filter
 * @prev: the filter before it, or NULL
 * @insns: its classic program
 * @len: how many instructions
 * @log: of SECCOMP_FILTER_FLAG_LOG
 * @wait_killable: of SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
 * @listener: somebody listens to it; not created
 */
struct checkpoint_seccomp {
	struct seccomp_filter *prev;
	struct sock_filter *insns;
	u32 len;
	bool log;
	bool wait_killable;
	bool listener;
};

/* kernel/seccomp.c */
#ifdef CONFIG_SECCOMP_FILTER
struct seccomp_filter *checkpoint_seccomp_get(struct task_struct *task);
void checkpoint_seccomp_put(struct seccomp_filter *filter);
int checkpoint_seccomp_show(struct seccomp_filter *filter, struct checkpoint_seccomp *state);
struct seccomp_filter *checkpoint_seccomp_create(const struct checkpoint_seccomp *state);
int checkpoint_seccomp_attach(struct seccomp_filter *filter);
bool checkpoint_seccomp_allows(int nr);
#else
static inline struct seccomp_filter *checkpoint_seccomp_get(struct task_struct *task)
{
	return NULL;
}

static inline void checkpoint_seccomp_put(struct seccomp_filter *filter)
{
}

static inline int checkpoint_seccomp_show(struct seccomp_filter *filter,
					  struct checkpoint_seccomp *state)
{
	return -EINVAL;
}

static inline struct seccomp_filter *
checkpoint_seccomp_create(const struct checkpoint_seccomp *state)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline int checkpoint_seccomp_attach(struct seccomp_filter *filter)
{
	return -EOPNOTSUPP;
}

static inline bool checkpoint_seccomp_allows(int nr)
{
	return true;
}
#endif

/**
 * struct checkpoint_policy - memory policy of a part of shared memory
 * @start: index of its first page
 * @end: behind the last
 * @mode: mode and mode flags as in mbind(2)
 * @home_node: of set_mempolicy_home_node(2), or NUMA_NO_NODE
 * @nodes: the nodes that it was given
 */
struct checkpoint_policy {
	unsigned long start;
	unsigned long end;
	int mode;
	int home_node;
	nodemask_t nodes;
};

/* mm/mempolicy.c: policy of a task, as in set_mempolicy(2) */
#ifdef CONFIG_NUMA
int checkpoint_get_mempolicy(struct task_struct *task, nodemask_t *nodes);
int checkpoint_set_mempolicy(int mode, nodemask_t *nodes);

/* the same of a mapping, as in mbind(2); mmap_lock is held */
int checkpoint_get_vma_policy(struct vm_area_struct *vma, nodemask_t *nodes, int *home_node);
int checkpoint_set_vma_policy(struct vm_area_struct *vma, int mode, nodemask_t *nodes,
			      int home_node, bool alone);

/* the same of shared memory */
u32 checkpoint_shared_policies(struct shared_policy *sp, struct checkpoint_policy *policies,
			       u32 max);
int checkpoint_set_shared_policy(struct shared_policy *sp, struct checkpoint_policy *p);
#else
static inline int checkpoint_get_mempolicy(struct task_struct *task, nodemask_t *nodes)
{
	bitmap_zero(nodes->bits, MAX_NUMNODES);
	return 0;
}

static inline int checkpoint_set_mempolicy(int mode, nodemask_t *nodes)
{
	return -EOPNOTSUPP;
}

static inline int checkpoint_get_vma_policy(struct vm_area_struct *vma, nodemask_t *nodes,
					    int *home_node)
{
	return checkpoint_get_mempolicy(NULL, nodes);
}

static inline int checkpoint_set_vma_policy(struct vm_area_struct *vma, int mode,
					    nodemask_t *nodes, int home_node, bool alone)
{
	return -EOPNOTSUPP;
}

static inline u32 checkpoint_shared_policies(struct shared_policy *sp,
					     struct checkpoint_policy *policies, u32 max)
{
	return 0;
}

static inline int checkpoint_set_shared_policy(struct shared_policy *sp,
					       struct checkpoint_policy *p)
{
	return -EOPNOTSUPP;
}
#endif

/**
 * struct checkpoint_hugetlb_region - huge pages of a file that are there or reserved
 * @start: index of the first, in huge pages
 * @end: behind the last
 */
struct checkpoint_hugetlb_region {
	u64 start;
	u64 end;
};

/* mm/hugetlb.c */
#ifdef CONFIG_HUGETLB_PAGE
int checkpoint_hugetlb_owner(struct vm_area_struct *vma);
int checkpoint_hugetlb_begin_use(struct vm_area_struct *vma, unsigned long addr);
void checkpoint_hugetlb_end_use(struct vm_area_struct *vma, unsigned long addr, bool used);
u32 checkpoint_hugetlb_regions(struct inode *inode, struct checkpoint_hugetlb_region *regions,
			       u32 max);
#else
static inline int checkpoint_hugetlb_owner(struct vm_area_struct *vma)
{
	return 0;
}

static inline u32 checkpoint_hugetlb_regions(struct inode *inode,
					     struct checkpoint_hugetlb_region *regions, u32 max)
{
	return 0;
}
#endif

/* arch/x86/kernel/ldt.c: the first LDT of current, as modify_ldt(2) reads it */
#ifdef CONFIG_MODIFY_LDT_SYSCALL
int checkpoint_set_ldt(const u64 *entries, u32 nr);
#else
static inline int checkpoint_set_ldt(const u64 *entries, u32 nr)
{
	return -EOPNOTSUPP;
}
#endif

/**
 * struct checkpoint_n_tty - what a line discipline N_TTY has that is not done yet
 * @read_len: bytes of @read_buf
 * @canon_len: of them, bytes of complete lines
 * @commit_len: of them, bytes that may be read in raw mode
 * @echo_len: bytes of @echo_buf
 * @echo_commit: of them, bytes that go out next
 * @echo_mark: of them, bytes that may go out
 * @column: where the cursor is
 * @canon_column: where it was at the start of the line
 * @lnext: the next character is taken literally
 * @erasing: characters were erased by ECHOPRT
 * @push: complete lines end without a line end
 * @read_buf: input, the oldest byte first
 * @line_ends: a bit for each byte of it
 * @echo_buf: echoes under way
 */
struct checkpoint_n_tty {
	u32 read_len;
	u32 canon_len;
	u32 commit_len;
	u32 echo_len;
	u32 echo_commit;
	u32 echo_mark;
	u32 column;
	u32 canon_column;
	bool lnext;
	bool erasing;
	bool push;
	u8 read_buf[4096];
	u8 line_ends[4096 / 8];
	u8 echo_buf[4096];
};

/* fs/dcache.c */
void checkpoint_dentry_rename(struct dentry *dentry, struct dentry *named);

/* drivers/tty/n_tty.c, fs/devpts/inode.c, drivers/tty/pty.c, tty_io.c */
void checkpoint_n_tty_get(struct tty_struct *tty, struct checkpoint_n_tty *state);
void checkpoint_n_tty_set(struct tty_struct *tty, const struct checkpoint_n_tty *state);
int checkpoint_devpts_take(struct pts_fs_info *fsi, int index);
int checkpoint_pty_move(struct file *master, int index);
void checkpoint_tty_hang_up(struct file *file);

/* kernel/time/posix-timers.c: timer_create() of current with a chosen id */
struct k_itimer *checkpoint_timer_create(clockid_t clock, timer_t id, struct sigevent *event);

/* kernel/pid_namespace.c, kernel/nsproxy.c */
#ifdef CONFIG_PID_NS
struct pid_namespace *checkpoint_create_pid_ns(struct user_namespace *user_ns,
					       struct pid_namespace *parent);
#else
static inline struct pid_namespace *checkpoint_create_pid_ns(struct user_namespace *user_ns,
							     struct pid_namespace *parent)
{
	return ERR_PTR(-EINVAL);
}
#endif
struct nsproxy *checkpoint_nsproxy(struct pid_namespace *pid_ns);

/* kernel/user_namespace.c */
#ifdef CONFIG_USER_NS
struct user_namespace *checkpoint_create_user_ns(struct user_namespace *parent,
						 kuid_t owner, kgid_t group);
int checkpoint_set_id_map(struct user_namespace *ns, int cap_setid,
			  const struct uid_gid_extent *extents, u32 nr);
#else
static inline struct user_namespace *checkpoint_create_user_ns(struct user_namespace *parent,
							       kuid_t owner, kgid_t group)
{
	return ERR_PTR(-EINVAL);
}

static inline int checkpoint_set_id_map(struct user_namespace *ns, int cap_setid,
					const struct uid_gid_extent *extents, u32 nr)
{
	return -EINVAL;
}
#endif

#endif /* _LINUX_CHECKPOINT_STATE_H */

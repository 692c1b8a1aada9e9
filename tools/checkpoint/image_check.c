// SPDX-License-Identifier: GPL-2.0-only
/* The order of records, the names they use for each other, and the totals. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

#define MAX_RECORD_PAGES	32768

static int bad(struct image *img, const char *why)
{
	return image_fail(img, EBADMSG, "%s: %s", record_name(img->rec->type), why);
}

static int no_memory(struct image *img)
{
	return image_fail(img, ENOMEM, "%s", strerror(ENOMEM));
}

static bool is_string(const char *text, size_t size)
{
	return memchr(text, 0, size);
}

static int check_header(struct image *img)
{
	const struct ckpt_rec_header *header = rec_data(img);

	if (header->magic != CKPT_IMAGE_MAGIC)
		return bad(img, "this is not a checkpoint image");
	if (header->byte_order != CKPT_IMAGE_BYTE_ORDER)
		return image_fail(img, ENOEXEC, "the image has another byte order");
	if (header->version != CKPT_IMAGE_VERSION)
		return image_fail(img, ENOEXEC, "the image has format version %u, not %d",
				  header->version, CKPT_IMAGE_VERSION);
	if (header->arch != CKPT_IMAGE_ARCH_X86_64)
		return image_fail(img, ENOEXEC, "the image is for another architecture (%u)",
				  header->arch);
	if (header->page_size < 512 || header->page_size > 1 << 20 ||
	    header->page_size & (header->page_size - 1))
		return bad(img, "impossible page size");
	if (header->need_features)
		return image_fail(img, ENOEXEC, "the image needs features %#llx",
				  (unsigned long long)header->need_features);
	if (!is_string(header->release, sizeof(header->release)) ||
	    !is_string(header->version_text, sizeof(header->version_text)) ||
	    !is_string(header->machine, sizeof(header->machine)))
		return bad(img, "a string without end");
	img->page_size = header->page_size;
	memcpy(img->id, header->image_id, sizeof(img->id));
	return 0;
}

static int check_tree(struct image *img)
{
	struct image_order *order = &img->order;
	const struct ckpt_rec_tree *tree = rec_data(img);
	const struct ckpt_rec_task *task = rec_tail(img);
	uint32_t i, processes = 0;

	if (!tree->nr_tasks || rec_tail_length(img) != (uint64_t)tree->nr_tasks * sizeof(*task))
		return bad(img, "wrong number of tasks");
	for (i = 0; i < tree->nr_tasks; i++) {
		if (!task[i].tid || task[i].tid > INT_MAX ||
		    task[i].flags & ~CKPT_TASKF_ALL)
			return bad(img, "impossible id or unknown flags");
		if (task[i].tid == task[i].tgid)
			processes++;
		else if (!i || task[i].tgid != task[i - 1].tgid)
			return bad(img, "a thread without its leader");
	}
	if (processes != tree->nr_processes)
		return bad(img, "wrong number of processes");
	order->tree = *tree;
	order->tasks = malloc(rec_tail_length(img));
	if (!order->tasks)
		return no_memory(img);
	memcpy(order->tasks, task, rec_tail_length(img));
	return 0;
}

static int check_namespaces(struct image *img)
{
	if (rec_count(img) != img->order.tree.nr_namespaces)
		return bad(img, "wrong number of namespaces");
	return 0;
}

static int check_cgroup(struct image *img)
{
	const struct ckpt_rec_cgroup *cgroup = rec_data(img);

	if (rec_tail_length(img) != cgroup->path_len)
		return bad(img, "wrong length of the path");
	img->order.nr_cgroups++;
	return 0;
}

/* The task that comes next is only a zombie. */
static bool is_dead(const struct image_order *order)
{
	return order->nr_tasks < order->tree.nr_tasks &&
	       order->tasks[order->nr_tasks].flags & CKPT_TASKF_DEAD;
}

static int check_process(struct image *img)
{
	struct image_order *order = &img->order;
	const struct ckpt_rec_process *process = rec_data(img);

	if (order->nr_tasks >= order->tree.nr_tasks ||
	    order->tasks[order->nr_tasks].tid != process->tgid)
		return bad(img, "this process does not come next in the tree");
	if (!process->nr_threads || process->flags & ~CKPT_PROC_ALL || process->reserved)
		return bad(img, "impossible value");
	order->in_process = true;
	order->once = 0;
	order->nr_threads = 0;
	order->want_threads = process->nr_threads;
	order->dead = is_dead(order) && process->nr_threads == 1;
	order->tgid = process->tgid;
	order->nr_processes++;
	return 0;
}

static int check_process_end(struct image *img)
{
	uint64_t needed = 1ULL << CKPT_REC_MM | 1ULL << CKPT_REC_FS | 1ULL << CKPT_REC_FDS |
			  1ULL << CKPT_REC_SIGHAND;

	if (!img->order.dead && (img->order.once & needed) != needed)
		return bad(img, "a part of the process is missing");
	if (img->order.nr_threads != img->order.want_threads)
		return bad(img, "wrong number of threads");
	img->order.in_process = false;
	return 0;
}

static int check_thread(struct image *img)
{
	struct image_order *order = &img->order;
	const struct ckpt_rec_thread *thread = rec_data(img);

	if (order->nr_tasks >= order->tree.nr_tasks ||
	    order->tasks[order->nr_tasks].tid != thread->tid ||
	    order->tasks[order->nr_tasks].tgid != order->tgid)
		return bad(img, "this thread does not come next in the tree");
	if (!is_string(thread->comm, sizeof(thread->comm)) || thread->affinity_words > 16)
		return bad(img, "impossible value");
	order->in_thread = true;
	order->dead_thread = is_dead(order);
	order->thread_once = 0;
	order->nr_threads++;
	order->nr_tasks++;
	return 0;
}

static int check_thread_end(struct image *img)
{
	uint32_t needed = img->order.dead_thread ? 0 :
			  1ULL << CKPT_REC_REGSET | 1ULL << CKPT_REC_ATTRS;

	/* Other threads may have the identity of the first. */
	if (img->order.nr_threads == 1)
		needed |= 1ULL << CKPT_REC_CRED;
	if ((img->order.thread_once & needed) != needed)
		return bad(img, "a part of the thread is missing");
	img->order.in_thread = false;
	return 0;
}

static uint32_t event_record(uint32_t kind)
{
	return kind == CKPT_FILE_EPOLL ? CKPT_REC_EPOLL :
	       kind == CKPT_FILE_INOTIFY ? CKPT_REC_INOTIFY : CKPT_REC_EVENT;
}

static int check_file(struct image *img)
{
	const struct ckpt_rec_file *file = rec_data(img);

	if (rec_tail_length(img) != file->path_len || file->path_len >= CKPT_PATH_MAX ||
	    memchr(rec_tail(img), 0, file->path_len))
		return bad(img, "impossible path");
	if (!file->kind || file->kind >= CKPT_FILE_NR || file->flags & ~CKPT_FILEF_ALL ||
	    file->build_id_len > sizeof(file->build_id))
		return bad(img, "unknown kind, unknown flags or impossible value");
	if (file->flags & CKPT_FILEF_GONE && (file->kind != CKPT_FILE_PROCFS || !file->object))
		return bad(img, "of a process that is none");
	if (file->flags & CKPT_FILEF_HUNG_UP && file->kind != CKPT_FILE_PTY)
		return bad(img, "hung up, and no terminal");
	if (file->kind == CKPT_FILE_EXTERNAL && file->std_fd > 2 &&
	    (file->std_fd != CKPT_NO_STREAM || !file->path_len))
		return bad(img, "neither a standard stream nor a key");
	if ((file->kind == CKPT_FILE_PIPE || file->kind == CKPT_FILE_FIFO) &&
	    tags_find(&img->order.tags, file->object) != CKPT_REC_PIPE)
		return bad(img, "a pipe was not named before");
	if (file->kind >= CKPT_FILE_EVENTFD && file->kind <= CKPT_FILE_INOTIFY &&
	    tags_find(&img->order.tags, file->object) != event_record(file->kind))
		return bad(img, "the state of an event descriptor was not named before");
	if (file->kind == CKPT_FILE_IO_URING &&
	    tags_find(&img->order.tags, file->object) != CKPT_REC_IO_URING)
		return bad(img, "an io_uring instance was not named before");
	if (file->kind == CKPT_FILE_PTY &&
	    tags_find(&img->order.tags, file->object) != CKPT_REC_PTY)
		return bad(img, "a terminal was not named before");
	if (file->kind == CKPT_FILE_SOCKET &&
	    tags_find(&img->order.tags, file->object) != CKPT_REC_SOCKET)
		return bad(img, "a socket was not named before");
	if (file->kind == CKPT_FILE_SHMEM &&
	    tags_find(&img->order.tags, file->object) != CKPT_REC_SHMEM)
		return bad(img, "its memory was not named before");
	if (file->kind == CKPT_FILE_SYSV_SHM &&
	    tags_find(&img->order.tags, file->object) != CKPT_REC_SYSV_SHM)
		return bad(img, "shared memory was not named before");
	if (file->kind == CKPT_FILE_HUGETLB &&
	    tags_find(&img->order.tags, file->object) != CKPT_REC_HUGETLB)
		return bad(img, "its huge pages were not named before");
	if (file->kind == CKPT_FILE_UNLINKED &&
	    tags_find(&img->order.tags, file->object) != CKPT_REC_UNLINKED)
		return bad(img, "an unlinked file was not named before");
	return 0;
}

static int check_unlinked(struct image *img)
{
	const struct ckpt_rec_unlinked *unlinked = rec_data(img);

	if (rec_tail_length(img) < unlinked->dir_len || !unlinked->dir_len ||
	    unlinked->dir_len >= CKPT_PATH_MAX)
		return bad(img, "impossible directory");
	if (unlinked->parent &&
	    tags_find(&img->order.tags, unlinked->parent) != CKPT_REC_UNLINKED)
		return bad(img, "a removed directory was not named before");
	return unlinked->flags & ~CKPT_UNLINKED_ALL ? bad(img, "unknown flags") : 0;
}

static int check_locks(struct image *img)
{
	const struct ckpt_rec_lock *lock = rec_data(img);
	uint64_t count = rec_count(img);

	for (; count; count--, lock++)
		if (tags_find(&img->order.tags, lock->file) != CKPT_REC_FILE)
			return bad(img, "a lock is of a file that was not named before");
	return 0;
}

static int check_file_state(struct image *img)
{
	const struct ckpt_rec_file_state *state = rec_data(img);

	if (state->flags & ~CKPT_FSTATE_ALL)
		return bad(img, "unknown flags");
	return tags_find(&img->order.tags, state->file) == CKPT_REC_FILE ? 0 :
	       bad(img, "the file was not named before");
}

static int check_pipe(struct image *img)
{
	const struct ckpt_rec_pipe *pipe = rec_data(img);

	if (rec_tail_length(img) != pipe->nr_pieces * 4ULL + pipe->data_len ||
	    pipe->capacity > INT_MAX)
		return bad(img, "impossible size");
	return 0;
}

static bool is_socket(const struct image *img, uint32_t tag)
{
	return tags_find(&img->order.tags, tag) == CKPT_REC_SOCKET;
}

static int check_socket(struct image *img)
{
	const struct ckpt_rec_socket *socket = rec_data(img);

	if (rec_tail_length(img) != socket->nr_insns * 8ULL)
		return bad(img, "a filter of a wrong length");
	return socket->flags & ~CKPT_SOCK_ALL ? bad(img, "unknown flags") : 0;
}

static int check_unix(struct image *img)
{
	const struct ckpt_rec_unix *sock = rec_data(img);

	if (sock->flags & ~CKPT_UNIX_ALL)
		return bad(img, "unknown flags");
	if (rec_tail_length(img) != (uint64_t)sock->name_len + sock->path_len +
	    sock->nr_groups * 4ULL)
		return bad(img, "wrong length");
	if (!is_socket(img, sock->socket) || (sock->peer && !is_socket(img, sock->peer)) ||
	    (sock->listener && !is_socket(img, sock->listener)))
		return bad(img, "a socket was not named before");
	return 0;
}

static int check_unix_msg(struct image *img)
{
	const struct ckpt_rec_unix_msg *msg = rec_data(img);
	const uint32_t *files = rec_tail(img);
	uint32_t i;

	if (msg->flags & ~CKPT_MSG_ALL)
		return bad(img, "unknown flags");
	if (rec_tail_length(img) != msg->nr_files * 4ULL + msg->len)
		return bad(img, "wrong length");
	if (!is_socket(img, msg->socket) || !is_socket(img, msg->sender))
		return bad(img, "a socket was not named before");
	for (i = 0; i < msg->nr_files; i++)
		if (tags_find(&img->order.tags, files[i]) != CKPT_REC_FILE)
			return bad(img, "a file under way was not named before");
	return 0;
}

static uint64_t pty_end_bytes(const struct ckpt_rec_pty_end *end)
{
	return (uint64_t)end->read_len + ((uint64_t)end->read_len + 7) / 8 + end->echo_len +
	       end->queue_len;
}

static int check_terminal(struct image *img)
{
	if (img->order.nr_processes != 1)
		return bad(img, "it is not the first process's");
	return 0;
}

static int check_pty(struct image *img)
{
	const struct ckpt_rec_pty *pty = rec_data(img);

	if (pty->flags & ~CKPT_PTY_ALL || pty->ends[0].flags & ~CKPT_TTY_ALL ||
	    pty->ends[1].flags & ~CKPT_TTY_ALL)
		return bad(img, "unknown flags");
	if (!pty->path_len || pty->path_len >= CKPT_PATH_MAX ||
	    rec_tail_length(img) != pty->path_len + pty_end_bytes(&pty->ends[0]) +
	    pty_end_bytes(&pty->ends[1]))
		return bad(img, "wrong length");
	return 0;
}

/* What another process has brought along counts as a record of its own. */
static int check_use(struct image *img)
{
	const struct ckpt_rec_use *use = rec_data(img);

	if (use->type != CKPT_REC_MM && use->type != CKPT_REC_FDS &&
	    use->type != CKPT_REC_FS && use->type != CKPT_REC_SIGHAND)
		return bad(img, "what it names cannot be shared");
	if (tags_find(&img->order.tags, use->tag) != use->type)
		return bad(img, "what it shares was not named before");
	if (img->order.once & 1ULL << use->type)
		return bad(img, "there cannot be two");
	img->order.once |= 1ULL << use->type;
	return 0;
}

static int check_mm(struct image *img)
{
	const struct ckpt_rec_mm *mm = rec_data(img);

	if (tags_find(&img->order.tags, mm->exe) != CKPT_REC_FILE)
		return bad(img, "the executed file was not named before");
	if (mm->nr_auxv > CKPT_AUXV_MAX || mm->flags & ~CKPT_MMF_ALL)
		return bad(img, "impossible value");
	img->order.in_mm = true;
	img->order.nr_vmas = mm->nr_vmas;
	img->order.mm_tag = img->rec->tag;
	return 0;
}

static int check_vmas(struct image *img)
{
	struct image_order *order = &img->order;
	const struct ckpt_rec_vma *vma = rec_data(img);
	uint64_t i, count = rec_count(img), last = 0, mask = img->page_size - 1;

	if (count != order->nr_vmas)
		return bad(img, "wrong number of mappings");
	for (i = 0; i < count; i++, vma++) {
		if ((vma->start | vma->end) & mask || vma->start < last || vma->end <= vma->start)
			return bad(img, "impossible addresses");
		if (vma->prot & ~CKPT_PROT_ALL || vma->flags & ~CKPT_VMA_ALL ||
		    vma->pkey >= CKPT_NR_PKEYS || vma->reserved)
			return bad(img, "unknown flags");
		if (vma->file && tags_find(&order->tags, vma->file) != CKPT_REC_FILE)
			return bad(img, "a mapped file was not named before");
		last = vma->end;
	}
	free(order->vmas);
	order->vmas = malloc(img->rec->length + 1);
	if (!order->vmas)
		return no_memory(img);
	memcpy(order->vmas, rec_data(img), img->rec->length);
	return 0;
}

/* Is start to end covered by mappings without a gap? */
static bool is_mapped(const struct image_order *order, uint64_t start, uint64_t end)
{
	uint32_t low = 0, high = order->nr_vmas;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (order->vmas[mid].end <= start)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < order->nr_vmas && order->vmas[low].start <= start; low++) {
		if (order->vmas[low].end >= end)
			return true;
		start = order->vmas[low].end;
	}
	return false;
}

static int check_pages(struct image *img)
{
	const struct ckpt_rec_extent *extent = rec_data(img);
	uint64_t i, count = rec_count(img), pages = 0, last = 0;

	if (!count || !(img->order.of_memory || img->order.once & 1ULL << CKPT_REC_VMAS))
		return bad(img, "pages of nothing");
	for (i = 0; i < count; i++, extent++) {
		uint64_t bytes = extent->nr_pages * img->page_size;

		if (!extent->nr_pages || extent->nr_pages > MAX_RECORD_PAGES ||
		    extent->addr & (img->page_size - 1) || extent->addr < last ||
		    extent->addr > UINT64_MAX - bytes)
			return bad(img, "impossible addresses");
		last = extent->addr + bytes;
		if (!img->order.of_memory && !is_mapped(&img->order, extent->addr, last))
			return bad(img, "pages outside of all mappings");
		pages += extent->nr_pages;
	}
	return pages > MAX_RECORD_PAGES ? bad(img, "too many pages") : 0;
}

/* The other address space is one that ends before: its tag is known, this one's is, too. */
static int check_shared_pages(struct image *img)
{
	const struct ckpt_rec_shared_pages *run = rec_data(img);
	uint64_t i, count = rec_count(img), pages = 0, last = 0;

	if (!count || !(img->order.once & 1U << CKPT_REC_VMAS))
		return bad(img, "pages of nothing");
	for (i = 0; i < count; i++, run++) {
		uint64_t bytes = run->nr_pages * img->page_size;

		if (!run->nr_pages || run->nr_pages > MAX_RECORD_PAGES || run->reserved ||
		    (run->addr | run->from) & (img->page_size - 1) || run->addr < last ||
		    run->addr > UINT64_MAX - bytes || run->from > UINT64_MAX - bytes)
			return bad(img, "impossible addresses");
		last = run->addr + bytes;
		if (!is_mapped(&img->order, run->addr, last))
			return bad(img, "pages outside of all mappings");
		if (tags_find(&img->order.tags, run->mm) != CKPT_REC_MM ||
		    run->mm == img->order.mm_tag)
			return bad(img, "the process that shares them was not there before");
		pages += run->nr_pages;
	}
	return pages > MAX_RECORD_PAGES ? bad(img, "too many pages") : 0;
}

static int check_sums(struct image *img)
{
	const uint64_t *sums = rec_data(img);
	size_t i;

	if (!img->check_pages)
		return 0;
	if (rec_count(img) != img->nr_sums)
		return bad(img, "wrong number of sums");
	for (i = 0; i < img->nr_sums; i++)
		if (sums[i] != img->sums[i])
			return image_fail(img, EBADMSG,
					  "the page data before is damaged: 1 MiB piece %zu of %zu",
					  i + 1, img->nr_sums);
	return 0;
}

static int check_mm_end(struct image *img)
{
	if (!(img->order.once & 1ULL << CKPT_REC_VMAS))
		return bad(img, "an address space without mappings");
	img->order.in_mm = false;
	return 0;
}

static int check_fs(struct image *img)
{
	const struct ckpt_rec_fs *fs = rec_data(img);

	if ((uint64_t)fs->root_len + fs->cwd_len != rec_tail_length(img) ||
	    fs->root_len >= CKPT_PATH_MAX || fs->cwd_len >= CKPT_PATH_MAX)
		return bad(img, "impossible paths");
	if (fs->cwd && tags_find(&img->order.tags, fs->cwd) != CKPT_REC_UNLINKED &&
	    tags_find(&img->order.tags, fs->cwd) != CKPT_REC_FILE)
		return bad(img, "a current directory was not named before");
	return 0;
}

static int check_fds(struct image *img)
{
	const struct ckpt_rec_fd *fd = rec_data(img);
	uint64_t i, count = rec_count(img);

	for (i = 0; i < count; i++) {
		if (fd[i].fd > INT_MAX || (i && fd[i].fd <= fd[i - 1].fd) ||
		    fd[i].flags & ~CKPT_FD_CLOEXEC || fd[i].reserved)
			return bad(img, "impossible value");
		if (tags_find(&img->order.tags, fd[i].file) != CKPT_REC_FILE)
			return bad(img, "an open file was not named before");
	}
	return 0;
}

static int check_cred(struct image *img)
{
	const struct ckpt_rec_cred *cred = rec_data(img);

	if (rec_tail_length(img) != (uint64_t)cred->nr_groups * sizeof(uint32_t))
		return bad(img, "wrong number of groups");
	return 0;
}

static int check_regset(struct image *img)
{
	const struct ckpt_rec_regset *regset = rec_data(img);

	if (!regset->data_len || rec_tail_length(img) != regset->data_len)
		return bad(img, "wrong length");
	return 0;
}

static int check_index(struct image *img)
{
	struct image_order *order = &img->order;
	const struct ckpt_rec_index_entry *entry = rec_data(img);
	uint64_t i, at = 0, count = rec_count(img);

	for (i = 0; i < count; i++, at++) {
		while (at < order->nr_index && order->index[at].offset < entry[i].offset)
			at++;
		if (at == order->nr_index || memcmp(&order->index[at], &entry[i], sizeof(*entry)))
			return bad(img, "it names a record that is not there");
	}
	order->index_offset = img->rec_offset;
	return 0;
}

static int check_seccomp(struct image *img)
{
	const struct ckpt_rec_seccomp *filter = rec_data(img);

	if (rec_tail_length(img) != filter->nr_insns * 8ULL || !filter->nr_insns)
		return bad(img, "impossible length");
	if (filter->flags & ~CKPT_SECCOMP_ALL || filter->reserved)
		return bad(img, "unknown flags");
	if (filter->prev && tags_find(&img->order.tags, filter->prev) != CKPT_REC_SECCOMP)
		return bad(img, "the filter before it was not named before");
	return 0;
}

static int check_attrs(struct image *img)
{
	const struct ckpt_rec_attrs *attrs = rec_data(img);

	if (attrs->flags & ~CKPT_ATTR_ALL || attrs->node_words > CKPT_NODE_WORDS)
		return bad(img, "unknown flags or impossible value");
	if (attrs->seccomp && tags_find(&img->order.tags, attrs->seccomp) != CKPT_REC_SECCOMP)
		return bad(img, "the seccomp filter was not named before");
	return 0;
}

static int check_trailer(struct image *img)
{
	const struct ckpt_rec_trailer *trailer = rec_data(img);
	const struct image_order *order = &img->order;

	if (memcmp(trailer->image_id, img->id, sizeof(img->id)))
		return bad(img, "it belongs to another image");
	if (trailer->nr_records != img->nr_records || trailer->nr_pages != img->nr_pages ||
	    trailer->length != img->offset || trailer->index_offset != order->index_offset)
		return bad(img, "its totals are not those of the image");
	if (order->nr_tasks != order->tree.nr_tasks ||
	    order->nr_processes != order->tree.nr_processes)
		return bad(img, "tasks of the tree are missing");
	return 0;
}

#define PROCESS_ONCE	(1ULL << CKPT_REC_MM | 1ULL << CKPT_REC_VMAS | 1ULL << CKPT_REC_FS | \
			 1ULL << CKPT_REC_FDS | 1ULL << CKPT_REC_SIGHAND | \
			 1ULL << CKPT_REC_USAGE | 1ULL << CKPT_REC_TIMERS | \
			 1ULL << CKPT_REC_POSIX_TIMERS | 1ULL << CKPT_REC_TERMINAL | \
			 1ULL << CKPT_REC_IO_RINGS)

/* Where a record may stand. */
enum place {
	PLACE_START,	/* first of all */
	PLACE_TREE,	/* second */
	PLACE_NAMESPACES, /* behind the tree, in their order */
	PLACE_CGROUPS,	/* behind these */
	PLACE_TOP,	/* outside of processes */
	PLACE_ANY,	/* anywhere but in a thread or among pages */
	PLACE_PROCESS,	/* in a process, but neither in a thread nor an address space */
	PLACE_MM,	/* in an address space */
	PLACE_SUMS,	/* behind page data */
	PLACE_MEMORY,	/* behind MEMORY, as PAGES and VMA_POLICIES may be, too */
	PLACE_THREAD,	/* in a thread */
	PLACE_SIGNALS,	/* in a process or a thread */
};

static const struct {
	enum place place;
	bool tagged;
	int (*check)(struct image *img);
} rules[CKPT_REC_NR] = {
	[CKPT_REC_HEADER] = { PLACE_START, false, check_header },
	[CKPT_REC_TREE] = { PLACE_TREE, false, check_tree },
	[CKPT_REC_NAMESPACES] = { PLACE_NAMESPACES, false, check_namespaces },
	[CKPT_REC_ID_MAPS] = { PLACE_NAMESPACES, false, NULL },
	[CKPT_REC_PIDS] = { PLACE_NAMESPACES, false, NULL },
	[CKPT_REC_CGROUP] = { PLACE_CGROUPS, false, check_cgroup },
	[CKPT_REC_PROCESS] = { PLACE_TOP, false, check_process },
	[CKPT_REC_FILE] = { PLACE_ANY, true, check_file },
	[CKPT_REC_PIPE] = { PLACE_ANY, true, check_pipe },
	[CKPT_REC_EVENT] = { PLACE_ANY, true, image_check_event },
	[CKPT_REC_EPOLL] = { PLACE_ANY, true, image_check_epoll },
	[CKPT_REC_INOTIFY] = { PLACE_ANY, true, NULL },
	[CKPT_REC_IO_URING] = { PLACE_ANY, true, NULL },
	[CKPT_REC_IO_REGISTERED] = { PLACE_ANY, false, image_check_io_registered },
	[CKPT_REC_IO_BUFFERS] = { PLACE_ANY, false, image_check_io_buffers },
	[CKPT_REC_IO_RINGS] = { PLACE_PROCESS, false, image_check_io_rings },
	[CKPT_REC_SOCKET] = { PLACE_ANY, true, check_socket },
	[CKPT_REC_UNIX] = { PLACE_ANY, false, check_unix },
	[CKPT_REC_UNIX_MSG] = { PLACE_ANY, false, check_unix_msg },
	[CKPT_REC_INET] = { PLACE_ANY, false, image_check_inet },
	[CKPT_REC_TCP] = { PLACE_ANY, true, image_check_tcp },
	[CKPT_REC_SHMEM] = { PLACE_ANY, true, image_check_shmem },
	[CKPT_REC_SHMEM_DATA] = { PLACE_ANY, false, image_check_shmem_data },
	[CKPT_REC_MM] = { PLACE_PROCESS, true, check_mm },
	[CKPT_REC_VMAS] = { PLACE_MM, false, check_vmas },
	[CKPT_REC_PAGES] = { PLACE_MM, false, check_pages },
	[CKPT_REC_SHARED_PAGES] = { PLACE_MM, false, check_shared_pages },
	[CKPT_REC_SUMS] = { PLACE_SUMS, false, check_sums },
	[CKPT_REC_MM_END] = { PLACE_MM, false, check_mm_end },
	[CKPT_REC_FS] = { PLACE_PROCESS, true, check_fs },
	[CKPT_REC_PTY] = { PLACE_ANY, true, check_pty },
	[CKPT_REC_TERMINAL] = { PLACE_PROCESS, false, check_terminal },
	[CKPT_REC_FDS] = { PLACE_PROCESS, true, check_fds },
	[CKPT_REC_UNLINKED] = { PLACE_ANY, true, check_unlinked },
	[CKPT_REC_LOCKS] = { PLACE_ANY, false, check_locks },
	[CKPT_REC_FILE_STATE] = { PLACE_ANY, false, check_file_state },
	[CKPT_REC_SIGHAND] = { PLACE_PROCESS, true, NULL },
	[CKPT_REC_SIGPENDING] = { PLACE_SIGNALS, false, NULL },
	[CKPT_REC_THREAD] = { PLACE_PROCESS, false, check_thread },
	[CKPT_REC_CRED] = { PLACE_THREAD, false, check_cred },
	[CKPT_REC_REGSET] = { PLACE_THREAD, false, check_regset },
	[CKPT_REC_THREAD_END] = { PLACE_THREAD, false, check_thread_end },
	[CKPT_REC_PROCESS_END] = { PLACE_PROCESS, false, check_process_end },
	[CKPT_REC_INDEX] = { PLACE_TOP, false, check_index },
	[CKPT_REC_USE] = { PLACE_PROCESS, false, check_use },
	[CKPT_REC_USAGE] = { PLACE_PROCESS, false, NULL },
	[CKPT_REC_TIMERS] = { PLACE_PROCESS, false, NULL },
	[CKPT_REC_POSIX_TIMERS] = { PLACE_PROCESS, false, NULL },
	[CKPT_REC_THREAD_USAGE] = { PLACE_THREAD, false, NULL },
	[CKPT_REC_TRAILER] = { PLACE_TOP, false, check_trailer },
	[CKPT_REC_SECCOMP] = { PLACE_THREAD, true, check_seccomp },
	[CKPT_REC_ATTRS] = { PLACE_THREAD, false, check_attrs },
	[CKPT_REC_VMA_NAMES] = { PLACE_MM, false, NULL },
	[CKPT_REC_SYSV_SHM] = { PLACE_ANY, true, NULL },
	[CKPT_REC_MEMORY] = { PLACE_ANY, false, image_check_memory },
	[CKPT_REC_HUGETLB] = { PLACE_ANY, true, image_check_hugetlb },
	[CKPT_REC_HUGE_REGIONS] = { PLACE_MEMORY, false, image_check_huge_regions },
	[CKPT_REC_VMA_POLICIES] = { PLACE_MM, false, NULL },
	[CKPT_REC_AIO] = { PLACE_MM, false, NULL },
	[CKPT_REC_LDT] = { PLACE_MM, false, NULL },
	[CKPT_REC_IO_PORTS] = { PLACE_THREAD, false, NULL },
};

static bool in_place(const struct image_order *order, uint32_t type)
{
	bool plain = !order->in_mm && !order->in_thread;

	/* Page data has its sums behind it, always. */
	if (order->last == CKPT_REC_PAGES)
		return rules[type].place == PLACE_SUMS;
	if (order->last == CKPT_REC_MEMORY)
		return type == CKPT_REC_PAGES || type == CKPT_REC_VMA_POLICIES ||
		       rules[type].place == PLACE_MEMORY;
	/* The three records of namespaces follow each other, behind the tree. */
	if (order->tree.nr_namespaces && order->last == CKPT_REC_TREE)
		return type == CKPT_REC_NAMESPACES;
	if (order->tasks && order->nr_cgroups < order->tree.nr_cgroups &&
	    order->last != CKPT_REC_NAMESPACES && order->last != CKPT_REC_ID_MAPS)
		return type == CKPT_REC_CGROUP;
	if (order->last == CKPT_REC_NAMESPACES || order->last == CKPT_REC_ID_MAPS)
		return type == order->last + 1;
	switch (rules[type].place) {
	case PLACE_START:
		return !order->last;
	case PLACE_TREE:
		return order->last == CKPT_REC_HEADER;
	case PLACE_NAMESPACES:
		return false;
	case PLACE_CGROUPS:
		return order->nr_cgroups < order->tree.nr_cgroups;
	case PLACE_TOP:
		return order->tasks && !order->in_process &&
		       (!order->index_offset || type == CKPT_REC_TRAILER);
	case PLACE_ANY:
		return order->tasks && !order->in_thread && !order->index_offset;
	case PLACE_PROCESS:
		return order->in_process && plain;
	case PLACE_MM:
		return order->in_mm;
	case PLACE_SUMS:
	case PLACE_MEMORY:
		return false;
	case PLACE_THREAD:
		return order->in_thread;
	case PLACE_SIGNALS:
		return order->in_process && !order->in_mm;
	}
	return false;
}

static int remember(struct image *img)
{
	struct image_order *order = &img->order;
	uint32_t type = img->rec->type;
	struct ckpt_rec_index_entry *index = order->index;

	if (rules[type].tagged && !tags_add(&order->tags, img->rec->tag, type))
		return bad(img, "its tag is taken already");
	if (type != CKPT_REC_MM && type != CKPT_REC_PAGES && type != CKPT_REC_PROCESS)
		return 0;
	if (!(order->nr_index & (order->nr_index - 1)))
		index = realloc(index, (order->nr_index ? order->nr_index * 2 : 1) *
				sizeof(*index));
	if (!index)
		return no_memory(img);
	index[order->nr_index++] = (struct ckpt_rec_index_entry){
		.offset = img->rec_offset, .type = type, .tag = img->rec->tag,
	};
	order->index = index;
	return 0;
}

/* Everything that can be said of the record that was just read. */
int image_check(struct image *img)
{
	struct image_order *order = &img->order;
	uint32_t type = img->rec->type;
	int err;

	if (!in_place(order, type))
		return bad(img, "such a record does not belong here");
	if (!rules[type].tagged != !img->rec->tag)
		return bad(img, rules[type].tagged ? "no tag" : "a tag that it cannot have");
	if (type == CKPT_REC_SIGHAND && rec_count(img) != 64)
		return bad(img, "there are not 64 signals");
	if (order->once & PROCESS_ONCE & 1ULL << type ||
	    order->thread_once & 1ULL << CKPT_REC_CRED & 1ULL << type)
		return bad(img, "there cannot be two");
	order->of_memory = order->last == CKPT_REC_MEMORY;
	err = remember(img);
	if (!err && rules[type].check)
		err = rules[type].check(img);
	order->once |= 1ULL << type;
	order->thread_once |= 1ULL << type;
	order->last = type;
	return err;
}

void image_check_free(struct image *img)
{
	free(img->order.tasks);
	free(img->order.vmas);
	free(img->order.index);
	free(img->order.tags.slots);
}

// SPDX-License-Identifier: GPL-2.0-only
/* From records to what a person asks about. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static int no_memory(struct image *img)
{
	return image_fail(img, ENOMEM, "%s", strerror(ENOMEM));
}

static void *copy(const void *data, size_t size)
{
	void *new = malloc(size + 1);

	if (new) {
		memcpy(new, data, size);
		((char *)new)[size] = '\0';
	}
	return new;
}

/* Room for one more, zeroed; the array doubles. NULL: no memory. */
static void *push(void *arrayp, size_t count, size_t size)
{
	void *array;
	char *element;

	memcpy(&array, arrayp, sizeof(array));
	if (!(count & (count - 1))) {
		array = realloc(array, (count ? count * 2 : 1) * size);
		if (!array)
			return NULL;
		memcpy(arrayp, &array, sizeof(array));
	}
	element = (char *)array + count * size;
	return memset(element, 0, size);
}

static int add_tree(struct model *model, struct image *img)
{
	model->tree = *(struct ckpt_rec_tree *)rec_data(img);
	model->tasks = copy(rec_tail(img), rec_tail_length(img));
	return model->tasks ? 0 : no_memory(img);
}

static int add_process(struct model *model, struct image *img)
{
	struct model_process *process = push(&model->processes, model->nr_processes,
					     sizeof(*process));

	if (!process)
		return no_memory(img);
	model->nr_processes++;
	process->rec = *(struct ckpt_rec_process *)rec_data(img);
	return 0;
}

static int add_file(struct model *model, struct image *img)
{
	struct model_file *file = push(&model->files, model->nr_files, sizeof(*file));

	if (!file)
		return no_memory(img);
	model->nr_files++;
	file->rec = *(struct ckpt_rec_file *)rec_data(img);
	file->tag = img->rec->tag;
	file->path = copy(rec_tail(img), rec_tail_length(img));
	if (!file->path || !tags_add(&model->by_tag, file->tag, (uint32_t)model->nr_files))
		return no_memory(img);
	return 0;
}

static int add_vmas(struct model_process *process, struct image *img)
{
	free(process->vmas);
	free(process->saved);
	free(process->shared);
	process->vmas = copy(rec_data(img), img->rec->length);
	process->saved = calloc(process->mm.nr_vmas + 1UL, sizeof(*process->saved));
	process->shared = calloc(process->mm.nr_vmas + 1UL, sizeof(*process->shared));
	return process->vmas && process->saved && process->shared ? 0 : no_memory(img);
}

/* A run lies within the mappings: the reader has checked it. Adds it to those from @at on. */
static uint32_t add_run(const struct model_process *process, uint64_t *pages, uint32_t at,
			uint64_t start, uint64_t end, uint64_t page_size)
{
	while (start < end && at < process->mm.nr_vmas) {
		const struct ckpt_rec_vma *vma = &process->vmas[at];

		if (vma->end <= start) {
			at++;
			continue;
		}
		pages[at] += ((end < vma->end ? end : vma->end) - start) / page_size;
		start = end < vma->end ? end : vma->end;
	}
	return at;
}

static void add_pages(struct model_process *process, struct image *img)
{
	const struct ckpt_rec_extent *extent = rec_data(img);
	uint64_t i, count = rec_count(img);
	uint32_t at = 0;

	for (i = 0; i < count; i++, extent++)
		at = add_run(process, process->saved, at, extent->addr,
			     extent->addr + extent->nr_pages * img->page_size, img->page_size);
}

static void add_shared_pages(struct model_process *process, struct image *img)
{
	const struct ckpt_rec_shared_pages *run = rec_data(img);
	uint64_t i, count = rec_count(img);
	uint32_t at = 0;

	for (i = 0; i < count; i++, run++)
		at = add_run(process, process->shared, at, run->addr,
			     run->addr + run->nr_pages * img->page_size, img->page_size);
}

static int add_fs(struct model_process *process, struct image *img)
{
	const char *paths = rec_tail(img);

	process->fs = *(struct ckpt_rec_fs *)rec_data(img);
	process->fs_tag = img->rec->tag;
	process->root = copy(paths, process->fs.root_len);
	process->cwd = copy(paths + process->fs.root_len, process->fs.cwd_len);
	return process->root && process->cwd ? 0 : no_memory(img);
}

static int add_fds(struct model_process *process, struct image *img)
{
	process->fds = copy(rec_data(img), img->rec->length);
	process->nr_fds = rec_count(img);
	process->fds_tag = img->rec->tag;
	return process->fds ? 0 : no_memory(img);
}

/* The earlier process that has brought along what has this tag. */
static const struct model_process *find_owner(const struct model *model, uint32_t tag)
{
	uint32_t i;

	for (i = 0; i + 1 < model->nr_processes; i++)
		if (tag == model->processes[i].mm_tag || tag == model->processes[i].fs_tag ||
		    tag == model->processes[i].fds_tag)
			return &model->processes[i];
	return NULL;
}

/* Shared things are shown with each process; the pages count once. */
static int add_use(struct model *model, struct model_process *process, struct image *img)
{
	const struct ckpt_rec_use *use = rec_data(img);
	const struct model_process *owner = find_owner(model, use->tag);

	if (!owner)
		return 0;
	if (use->type == CKPT_REC_MM) {
		process->mm = owner->mm;
		process->vmas = copy(owner->vmas, owner->mm.nr_vmas * sizeof(*owner->vmas));
		process->saved = calloc(owner->mm.nr_vmas + 1UL, sizeof(*process->saved));
		process->shared = calloc(owner->mm.nr_vmas + 1UL, sizeof(*process->shared));
		return process->vmas && process->saved && process->shared ? 0 : no_memory(img);
	}
	if (use->type == CKPT_REC_FS) {
		process->fs = owner->fs;
		process->root = copy(owner->root, owner->fs.root_len);
		process->cwd = copy(owner->cwd, owner->fs.cwd_len);
		return process->root && process->cwd ? 0 : no_memory(img);
	}
	process->nr_fds = owner->nr_fds;
	process->fds = copy(owner->fds, owner->nr_fds * sizeof(*owner->fds));
	return process->fds ? 0 : no_memory(img);
}

static int add_thread(struct model_process *process, struct image *img)
{
	struct model_thread *thread = push(&process->threads, process->nr_threads,
					   sizeof(*thread));

	if (!thread)
		return no_memory(img);
	process->nr_threads++;
	thread->rec = *(struct ckpt_rec_thread *)rec_data(img);
	/* Until it turns out that it has an identity of its own. */
	if (thread == process->threads)
		return 0;
	thread->cred = process->threads->cred;
	thread->groups = copy(process->threads->groups,
			      thread->cred.nr_groups * sizeof(*thread->groups));
	if (!thread->groups)
		return no_memory(img);
	return 0;
}

static int add_cred(struct model_thread *thread, struct image *img)
{
	free(thread->groups);
	thread->cred = *(struct ckpt_rec_cred *)rec_data(img);
	thread->groups = copy(rec_tail(img), rec_tail_length(img));
	return thread->groups ? 0 : no_memory(img);
}

static int add_record(struct model *model, struct image *img)
{
	struct model_process *process = NULL;
	struct model_thread *thread = NULL;

	if (model->nr_processes)
		process = &model->processes[model->nr_processes - 1];
	if (process && process->nr_threads)
		thread = &process->threads[process->nr_threads - 1];
	/* The reader lets records of a process only come behind PROCESS, etc. */
	switch (img->rec->type) {
	case CKPT_REC_HEADER:
		model->header = *(struct ckpt_rec_header *)rec_data(img);
		return 0;
	case CKPT_REC_TREE:
		return add_tree(model, img);
	case CKPT_REC_PROCESS:
		return add_process(model, img);
	case CKPT_REC_FILE:
		return add_file(model, img);
	case CKPT_REC_MM:
		process->mm = *(struct ckpt_rec_mm *)rec_data(img);
		process->mm_tag = img->rec->tag;
		return 0;
	case CKPT_REC_VMAS:
		return add_vmas(process, img);
	case CKPT_REC_PAGES:
		if (!img->order.of_memory)
			add_pages(process, img);
		return 0;
	case CKPT_REC_SHARED_PAGES:
		add_shared_pages(process, img);
		return 0;
	case CKPT_REC_FS:
		return add_fs(process, img);
	case CKPT_REC_FDS:
		return add_fds(process, img);
	case CKPT_REC_USE:
		return add_use(model, process, img);
	case CKPT_REC_THREAD:
		return add_thread(process, img);
	case CKPT_REC_CRED:
		return add_cred(thread, img);
	case CKPT_REC_ATTRS:
		thread->attrs = *(struct ckpt_rec_attrs *)rec_data(img);
		return 0;
	case CKPT_REC_SIGPENDING:
		if (thread)
			thread->nr_pending += (uint32_t)rec_count(img);
		return 0;
	}
	return 0;
}

/* Returns 0 or -errno; image_report() tells then. */
int model_read(struct model *model, struct image *img)
{
	int ret;

	while ((ret = image_next(img)) > 0) {
		ret = add_record(model, img);
		if (ret)
			return ret;
	}
	model->bytes = img->offset;
	model->nr_pages = img->nr_pages;
	model->nr_records = img->nr_records;
	return ret;
}

static void free_process(struct model_process *process)
{
	uint32_t i;

	for (i = 0; i < process->nr_threads; i++)
		free(process->threads[i].groups);
	free(process->threads);
	free(process->vmas);
	free(process->saved);
	free(process->shared);
	free(process->root);
	free(process->cwd);
	free(process->fds);
}

void model_free(struct model *model)
{
	size_t i;

	for (i = 0; i < model->nr_processes; i++)
		free_process(&model->processes[i]);
	for (i = 0; i < model->nr_files; i++)
		free(model->files[i].path);
	free(model->processes);
	free(model->files);
	free(model->tasks);
	free(model->by_tag.slots);
}

const struct model_file *model_file(const struct model *model, uint32_t tag)
{
	uint32_t index = tags_find(&model->by_tag, tag);

	return index ? &model->files[index - 1] : NULL;
}

const struct ckpt_rec_task *model_task(const struct model *model, uint32_t tid)
{
	uint32_t i;

	for (i = 0; i < model->tree.nr_tasks; i++)
		if (model->tasks[i].tid == tid)
			return &model->tasks[i];
	return NULL;
}

/* Has the whole process exited? */
bool model_is_dead(const struct model *model, const struct model_process *process)
{
	const struct ckpt_rec_task *task = model_task(model, process->rec.tgid);

	return task && task->flags & CKPT_TASKF_DEAD && process->nr_threads == 1;
}

/* Process id of the parent, 0: outside of the image. */
uint32_t model_parent(const struct model *model, const struct ckpt_rec_task *task)
{
	const struct ckpt_rec_task *parent = model_task(model, task->parent);

	return parent ? parent->tgid : 0;
}

static uint64_t sum_pages(const struct model_process *process, const uint64_t *pages)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < process->mm.nr_vmas; i++)
		sum += pages[i];
	return sum;
}

uint64_t model_saved_pages(const struct model_process *process)
{
	return sum_pages(process, process->saved);
}

uint64_t model_shared_pages(const struct model_process *process)
{
	return sum_pages(process, process->shared);
}

void mode_text(char text[4], uint32_t flags)
{
	text[0] = flags & CKPT_FILEF_READ ? 'r' : '-';
	text[1] = flags & CKPT_FILEF_WRITE ? 'w' : '-';
	text[2] = flags & CKPT_FILEF_APPEND ? 'a' : '-';
	text[3] = '\0';
}

/* As in /proc/PID/maps. */
void prot_text(char text[5], const struct ckpt_rec_vma *vma)
{
	text[0] = vma->prot & CKPT_PROT_READ ? 'r' : '-';
	text[1] = vma->prot & CKPT_PROT_WRITE ? 'w' : '-';
	text[2] = vma->prot & CKPT_PROT_EXEC ? 'x' : '-';
	text[3] = vma->flags & CKPT_VMA_SHARED ? 's' : 'p';
	text[4] = '\0';
}

/* NULL: neither heap nor stack. */
const char *vma_role(const struct model_process *process, const struct ckpt_rec_vma *vma)
{
	const struct ckpt_rec_mm *mm = &process->mm;

	if (vma->file)
		return NULL;
	if (vma->start < mm->brk && vma->end > mm->start_brk)
		return "[heap]";
	if (vma->start <= mm->start_stack && mm->start_stack < vma->end)
		return "[stack]";
	return NULL;
}

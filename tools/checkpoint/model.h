/* SPDX-License-Identifier: GPL-2.0-only */
/* What `ckpt show` keeps of an image: everything but page data. */
#ifndef CKPT_MODEL_H
#define CKPT_MODEL_H

#include "image.h"

struct model_file {
	struct ckpt_rec_file rec;
	uint32_t tag;
	char *path;
};

struct model_thread {
	struct ckpt_rec_thread rec;
	struct ckpt_rec_cred cred;
	struct ckpt_rec_attrs attrs;
	uint32_t *groups;
	uint32_t nr_pending;
};

/* A zombie has neither memory nor files; those of another may be shared. */
struct model_process {
	struct ckpt_rec_process rec;
	uint32_t mm_tag;
	uint32_t fs_tag;
	uint32_t fds_tag;
	struct ckpt_rec_mm mm;
	struct ckpt_rec_vma *vmas;
	uint64_t *saved;		/* pages, for each of @vmas */
	uint64_t *shared;		/* pages that an earlier process has, too */
	struct ckpt_rec_fs fs;
	char *root;
	char *cwd;
	struct ckpt_rec_fd *fds;
	size_t nr_fds;
	struct model_thread *threads;
	uint32_t nr_threads;
};

struct model {
	struct ckpt_rec_header header;
	struct ckpt_rec_tree tree;
	struct ckpt_rec_task *tasks;
	struct model_process *processes;
	uint32_t nr_processes;
	struct model_file *files;
	size_t nr_files;
	struct tags by_tag;		/* type: index in @files, plus 1 */
	uint64_t bytes;
	uint64_t nr_pages;
	uint64_t nr_records;
};

int model_read(struct model *model, struct image *img);
void model_free(struct model *model);
const struct model_file *model_file(const struct model *model, uint32_t tag);
const struct ckpt_rec_task *model_task(const struct model *model, uint32_t tid);
bool model_is_dead(const struct model *model, const struct model_process *process);
uint32_t model_parent(const struct model *model, const struct ckpt_rec_task *task);
uint64_t model_saved_pages(const struct model_process *process);
uint64_t model_shared_pages(const struct model_process *process);
void mode_text(char text[4], uint32_t file_flags);
void prot_text(char text[5], const struct ckpt_rec_vma *vma);
const char *vma_role(const struct model_process *process, const struct ckpt_rec_vma *vma);

/* show_json.c */
void show_json(const struct model *model, const char *name);

#endif /* CKPT_MODEL_H */

// SPDX-License-Identifier: GPL-2.0-only
/* ckpt show: what is in an image. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ckpt.h"
#include "model.h"

const char show_help[] =
"usage: ckpt show FILE [--json]\n"
"Show what an image holds: where it comes from, the tree of processes, their\n"
"memory and their open files. FILE may be '-' for standard input.\n"
"\n"
"      --json            for programs\n"
"  -h, --help            this text\n";

/* An image may hold anything: keep it away from the terminal. */
static void print_safe(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

static void show_header(const struct model *model, const char *name)
{
	const struct ckpt_rec_header *header = &model->header;
	time_t seconds_since = (time_t)(header->time_ns / 1000000000);
	char size[SIZE_TEXT], when[40] = "?";
	struct tm tm;
	int i;

	if (localtime_r(&seconds_since, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %z", &tm);
	printf("image:    %s, %s, format %u, %llu records\n", name,
	       size_text(size, model->bytes), header->version,
	       (unsigned long long)model->nr_records);
	printf("id:       ");
	for (i = 0; i < 16; i++)
		printf("%02x", header->image_id[i]);
	printf("\nsaved:    %s on Linux ", when);
	print_safe(header->release);
	putchar(' ');
	print_safe(header->machine);
	printf("\nkernel:   ");
	print_safe(header->version_text);
	printf("\ncpu:      extended state %#llx\n", (unsigned long long)header->cpu_features);
	printf("tree:     %u process%s, %u thread%s, %s of page data\n",
	       model->nr_processes, model->nr_processes == 1 ? "" : "es",
	       model->tree.nr_tasks, model->tree.nr_tasks == 1 ? "" : "s",
	       size_text(size, model->nr_pages * header->page_size));
}

/* How far below the root; bounded, since an image may name a circle. */
static unsigned int depth(const struct model *model, uint32_t tgid)
{
	const struct ckpt_rec_task *task = model_task(model, tgid);
	unsigned int n = 0;

	while (task && task->parent && n < 32) {
		task = model_task(model, model_parent(model, task));
		n++;
	}
	return n;
}

static void show_tree(const struct model *model)
{
	uint32_t i, j;

	for (i = 0; i < model->nr_processes; i++) {
		const struct model_process *process = &model->processes[i];
		const struct model_thread *leader = &process->threads[0];

		printf("%*s%u ", (int)(10 + 2 * depth(model, process->rec.tgid)), "",
		       process->rec.tgid);
		print_safe(leader->rec.comm);
		printf(" (uid %u, gid %u", leader->cred.euid, leader->cred.egid);
		if (process->rec.flags & CKPT_PROC_STOPPED)
			printf(", stopped");
		if (model_is_dead(model, process))
			printf(", exited with status %#x",
			       model_task(model, process->rec.tgid)->exit_code);
		if (process->nr_threads > 1) {
			printf(", %u threads:", process->nr_threads);
			for (j = 0; j < process->nr_threads && j < 8; j++)
				printf(" %u", process->threads[j].rec.tid);
			if (j < process->nr_threads)
				printf(" ...");
		}
		printf(")\n");
	}
}

static void show_title(const char *what, const struct model_process *process)
{
	printf("\n%s of %u (", what, process->rec.tgid);
	print_safe(process->threads[0].rec.comm);
	putchar(')');
}

static void show_memory(const struct model *model, const struct model_process *process)
{
	uint64_t page_size = model->header.page_size, mapped = 0;
	uint64_t all_shared = model_shared_pages(process) * page_size;
	char size[SIZE_TEXT], saved[SIZE_TEXT], shared[SIZE_TEXT], prot[5];
	uint32_t i;

	for (i = 0; i < process->mm.nr_vmas; i++)
		mapped += process->vmas[i].end - process->vmas[i].start;
	show_title("memory", process);
	printf(": %s saved of %s mapped",
	       size_text(saved, model_saved_pages(process) * page_size), size_text(size, mapped));
	if (all_shared)
		printf(", %s shared with an earlier process", size_text(shared, all_shared));
	printf("\n%-25s %-4s %11s %11s %11s  %s\n", "ADDRESSES", "MODE", "SIZE", "SAVED",
	       "SHARED", "WHAT");
	for (i = 0; i < process->mm.nr_vmas; i++) {
		const struct ckpt_rec_vma *vma = &process->vmas[i];
		const struct model_file *file = model_file(model, vma->file);
		const char *role = vma_role(process, vma);

		prot_text(prot, vma);
		printf("%012llx-%012llx %s %11s %11s %11s  ", (unsigned long long)vma->start,
		       (unsigned long long)vma->end, prot, size_text(size, vma->end - vma->start),
		       process->saved[i] ? size_text(saved, process->saved[i] * page_size) : "-",
		       process->shared[i] ? size_text(shared, process->shared[i] * page_size) :
					    "-");
		if (file)
			print_safe(file->path);
		else if (role)
			fputs(role, stdout);
		putchar('\n');
	}
}

static const char *fd_note(const struct ckpt_rec_fd *fd, const struct ckpt_rec_file *file)
{
	if (file->kind == CKPT_FILE_EXTERNAL)
		return file->std_fd == CKPT_NO_STREAM ? "  (from outside: --inherit)" :
							"  (from outside: the restarter's own)";
	if (file->kind == CKPT_FILE_TERMINAL)
		return "  (the restarter's terminal)";
	if (file->kind == CKPT_FILE_PTY)
		return "  (its terminal is in the image)";
	if (file->kind == CKPT_FILE_SHMEM || file->kind == CKPT_FILE_UNLINKED ||
	    file->kind == CKPT_FILE_HUGETLB)
		return "  (its content is in the image)";
	if ((file->kind >= CKPT_FILE_EVENTFD && file->kind <= CKPT_FILE_INOTIFY) ||
	    file->kind == CKPT_FILE_IO_URING)
		return "  (its state is in the image)";
	if (file->kind == CKPT_FILE_SOCKET)
		return "  (it is in the image, with what waits in it)";
	if (file->kind == CKPT_FILE_OPATH)
		return "  (O_PATH)";
	if (file->kind == CKPT_FILE_FIFO)
		return "  (end of a FIFO, its content is in the image)";
	if (file->kind == CKPT_FILE_PIPE)
		return fd->flags & CKPT_FD_CLOEXEC ? "  (end of a pipe, close-on-exec)" :
						     "  (end of a pipe)";
	return fd->flags & CKPT_FD_CLOEXEC ? "  (close-on-exec)" : "";
}

static void show_files(const struct model *model, const struct model_process *process)
{
	const struct model_file *exe = model_file(model, process->mm.exe);
	char mode[4];
	size_t i;

	show_title("files", process);
	printf("\n%5s %-4s %12s  %s\n", "FD", "MODE", "OFFSET", "FILE");
	printf("%5s %-4s %12s  ", "exe", "", "");
	print_safe(exe ? exe->path : "?");
	printf("\n%5s %-4s %12s  ", "cwd", "", "");
	print_safe(process->cwd);
	printf("\n%5s %-4s %12s  ", "root", "", "");
	print_safe(process->root);
	putchar('\n');
	for (i = 0; i < process->nr_fds; i++) {
		const struct model_file *file = model_file(model, process->fds[i].file);

		if (!file)
			continue;
		mode_text(mode, file->rec.flags);
		printf("%5u %-4s %12llu  ", process->fds[i].fd, mode,
		       (unsigned long long)file->rec.pos);
		print_safe(file->path);
		puts(fd_note(&process->fds[i], &file->rec));
	}
}

/* What whoever restarts may or must supply. */
static void show_external(const struct model *model)
{
	const char *title = "\nfrom outside\n";
	size_t i;

	for (i = 0; i < model->nr_files; i++) {
		const struct model_file *file = &model->files[i];
		char mode[4];

		if (file->rec.kind != CKPT_FILE_EXTERNAL)
			continue;
		mode_text(mode, file->rec.flags);
		printf("%s  %s  ", title, mode);
		title = "";
		print_safe(file->path);
		if (file->rec.std_fd == CKPT_NO_STREAM)
			printf("  takes --inherit '");
		else
			printf("  stream %u of the restarter, or --inherit '", file->rec.std_fd);
		print_safe(file->path);
		printf("=FD'\n");
	}
}

static void show_text(const struct model *model, const char *name)
{
	uint32_t i;

	show_header(model, name);
	show_tree(model);
	for (i = 0; i < model->nr_processes; i++) {
		if (model_is_dead(model, &model->processes[i]))
			continue;
		show_memory(model, &model->processes[i]);
		show_files(model, &model->processes[i]);
	}
	show_external(model);
}

static int show(const char *path, bool json)
{
	struct image *img = image_open(path, false);
	struct model model = { };
	int ret, status = STATUS_OK;

	if (!img)
		return status_of(errno);
	ret = model_read(&model, img);
	if (ret)
		status = image_report(img, -ret);
	else if (json)
		show_json(&model, img->name);
	else
		show_text(&model, img->name);
	model_free(&model);
	image_close(img);
	if (fflush(stdout) && !status)
		status = STATUS_OTHER;
	return status;
}

int cmd_show(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h')
			return print_help(show_help);
		if (opt != 'j') {
			fprintf(stderr, "Try 'ckpt show --help'.\n");
			return STATUS_USAGE;
		}
		json = true;
	}
	if (optind + 1 != argc)
		return usage_error("show: one image, please");
	return show(argv[optind], json);
}

// SPDX-License-Identifier: GPL-2.0-only
/* ckpt show --json */
#include <stdio.h>
#include <string.h>

#include "model.h"

/* Length of the UTF-8 sequence at @s, 0 if it is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t i, n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 :
		       s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;

	if (s[0] > 0xf4)
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Neither overlong forms, nor surrogates, nor beyond Unicode. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* A byte that is not UTF-8 becomes U+DC00 plus itself, as in Python's names. */
static void json_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putchar('"');
	while (*s) {
		size_t n = utf8_length(s);

		if (!n)
			printf("\\udc%02x", *s++);
		else if (n == 1 && (*s < ' ' || *s == '"' || *s == '\\' || *s == 0x7f))
			printf("\\u%04x", *s++);
		else
			s += fwrite(s, 1, n, stdout);
	}
	putchar('"');
}

static void key_string(const char *key, const char *text)
{
	printf("\"%s\": ", key);
	json_string(text);
}

static void key_number(const char *key, uint64_t value)
{
	printf("\"%s\": %llu", key, (unsigned long long)value);
}

/* Addresses do not fit into the numbers of all readers of JSON. */
static void key_address(const char *key, uint64_t value)
{
	printf("\"%s\": \"0x%llx\"", key, (unsigned long long)value);
}

static const char *comma(uint64_t i)
{
	return i ? ",\n" : "\n";
}

static void show_header(const struct model *model, const char *name)
{
	const struct ckpt_rec_header *header = &model->header;
	int i;

	printf("{\n  ");
	key_string("image", name);
	printf(",\n  ");
	key_number("bytes", model->bytes);
	printf(",\n  ");
	key_number("records", model->nr_records);
	printf(",\n  ");
	key_number("pages", model->nr_pages);
	printf(",\n  ");
	key_number("page_size", header->page_size);
	printf(",\n  ");
	key_number("format", header->version);
	printf(",\n  ");
	key_number("arch", header->arch);
	printf(",\n  \"id\": \"");
	for (i = 0; i < 16; i++)
		printf("%02x", header->image_id[i]);
	printf("\",\n  ");
	key_number("time_ns", header->time_ns);
	printf(",\n  ");
	key_address("cpu_features", header->cpu_features);
	printf(",\n  ");
	key_string("release", header->release);
	printf(",\n  ");
	key_string("version", header->version_text);
	printf(",\n  ");
	key_string("machine", header->machine);
}

static void show_thread(const struct model_thread *thread)
{
	uint32_t i;

	printf("        {");
	key_number("tid", thread->rec.tid);
	printf(", ");
	key_string("comm", thread->rec.comm);
	printf(", \"nice\": %d, ", thread->rec.nice);
	key_number("policy", thread->rec.policy);
	printf(", ");
	key_address("blocked", thread->rec.blocked);
	printf(", ");
	key_number("pending_signals", thread->nr_pending);
	printf(", ");
	key_number("uid", thread->cred.euid);
	printf(", ");
	key_number("gid", thread->cred.egid);
	printf(", \"groups\": [");
	for (i = 0; i < thread->cred.nr_groups; i++)
		printf("%s%u", i ? ", " : "", thread->groups[i]);
	printf("], ");
	key_address("cap_effective", thread->cred.cap_effective);
	printf(", \"no_new_privs\": %s, ", thread->cred.flags & 1 ? "true" : "false");
	/* 0: none, 1: strict, 2: filters */
	key_number("seccomp", thread->attrs.seccomp_mode);
	putchar('}');
}

static void show_mapping(const struct model *model, const struct model_process *process,
			 uint32_t i)
{
	const struct ckpt_rec_vma *vma = &process->vmas[i];
	const struct model_file *file = model_file(model, vma->file);
	const char *role = vma_role(process, vma);
	char prot[5];

	prot_text(prot, vma);
	printf("        {");
	key_address("start", vma->start);
	printf(", ");
	key_address("end", vma->end);
	printf(", \"mode\": \"%s\", ", prot);
	key_number("size", vma->end - vma->start);
	printf(", ");
	key_number("saved", process->saved[i] * model->header.page_size);
	printf(", ");
	key_number("shared", process->shared[i] * model->header.page_size);
	if (file) {
		printf(", ");
		key_string("file", file->path);
		printf(", ");
		key_number("offset", vma->pgoff * model->header.page_size);
	}
	if (role) {
		printf(", ");
		key_string("role", role);
	}
	putchar('}');
}

static void show_fd(const struct model *model, const struct ckpt_rec_fd *fd)
{
	const struct model_file *file = model_file(model, fd->file);
	char mode[4];

	printf("        {");
	key_number("fd", fd->fd);
	if (file) {
		mode_text(mode, file->rec.flags);
		printf(", \"mode\": \"%s\", ", mode);
		key_number("tag", file->tag);
		printf(", ");
		key_number("offset", file->rec.pos);
		printf(", ");
		key_number("size", file->rec.size);
		printf(", \"external\": %s, ",
		       file->rec.kind == CKPT_FILE_EXTERNAL ? "true" : "false");
		if (file->rec.kind == CKPT_FILE_EXTERNAL) {
			key_string("key", file->path);
			printf(", \"stream\": %d, ", (int)file->rec.std_fd);
		}
		key_string("path", file->path);
	}
	printf(", \"close_on_exec\": %s}", fd->flags & CKPT_FD_CLOEXEC ? "true" : "false");
}

static void show_ids(const struct model *model, const struct model_process *process)
{
	const struct ckpt_rec_task *task = model_task(model, process->rec.tgid);

	key_number("pid", process->rec.tgid);
	if (task) {
		printf(", ");
		key_number("ppid", model_parent(model, task));
		printf(", ");
		key_number("pgid", task->pgid);
		printf(", ");
		key_number("sid", task->sid);
	}
	printf(", \"stopped\": %s", process->rec.flags & CKPT_PROC_STOPPED ? "true" : "false");
	if (model_is_dead(model, process)) {
		printf(", ");
		key_number("exit_status", task->exit_code);
	}
}

static void show_process(const struct model *model, const struct model_process *process)
{
	const struct model_file *exe = model_file(model, process->mm.exe);
	size_t i;

	printf("    {");
	show_ids(model, process);
	printf(",\n      ");
	key_string("comm", process->threads[0].rec.comm);
	printf(",\n      ");
	key_string("exe", exe ? exe->path : "");
	printf(",\n      ");
	key_string("cwd", process->cwd ? process->cwd : "");
	printf(",\n      ");
	key_string("root", process->root ? process->root : "");
	printf(",\n      ");
	key_number("umask", process->fs.umask);
	printf(",\n      ");
	key_number("saved", model_saved_pages(process) * model->header.page_size);
	printf(",\n      ");
	key_number("shared", model_shared_pages(process) * model->header.page_size);
	printf(",\n      \"threads\": [");
	for (i = 0; i < process->nr_threads; i++) {
		fputs(comma(i), stdout);
		show_thread(&process->threads[i]);
	}
	printf("\n      ],\n      \"memory\": [");
	for (i = 0; i < process->mm.nr_vmas; i++) {
		fputs(comma(i), stdout);
		show_mapping(model, process, (uint32_t)i);
	}
	printf("\n      ],\n      \"files\": [");
	for (i = 0; i < process->nr_fds; i++) {
		fputs(comma(i), stdout);
		show_fd(model, &process->fds[i]);
	}
	printf("\n      ]}");
}

void show_json(const struct model *model, const char *name)
{
	uint32_t i;

	show_header(model, name);
	printf(",\n  \"processes\": [");
	for (i = 0; i < model->nr_processes; i++) {
		fputs(comma(i), stdout);
		show_process(model, &model->processes[i]);
	}
	printf("\n  ]\n}\n");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernels save|restart DIR: saves processes into files of DIR, or restarts them
 * on another kernel, whose vDSO of 64-bit programs is another one, while that of
 * 32-bit programs is the same. Prints a result, in TAP, for each process.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"

/* The same on both kernels: the working directory of the processes. */
#define SCRATCH "/tmp/ckpt.kernels"

static const struct process {
	const char *name;
	const char *program;
	const char *command;
	bool refused;
} processes[] = {
	{ "64-bit", "subject", "vdso", true },
	{ "32-bit", "compat", "vdso", false },
	{ "without-vdso", "subject", "novdso", false },
};

static int init(struct subject *s, const struct process *p, const char *dir)
{
	if (subject_init(s))
		return -1;
	if (rename(s->dir, SCRATCH)) {
		say("%s: %m", SCRATCH);
		return -1;
	}
	strcpy(s->dir, SCRATCH);
	s->program = p->program;
	snprintf(s->image, sizeof(s->image), "%s/%s", dir, p->name);
	return 0;
}

static int save(struct subject *s, const struct process *p)
{
	if (subject_start(s, p->command) || subject_expect(s, "ready"))
		return -1;
	if (subject_save(s, CHECKPOINT_KILL)) {
		messages_show(s);
		return -1;
	}
	return subject_reap(s, SIGKILL);
}

/* Refused by name, and nothing is left behind. */
static int is_refused(struct subject *s)
{
	int fds = count_fds(), tasks = count_tasks();
	struct message m[16];
	int i, n;

	if (!subject_restart(s, RESTART_NEW_PIDS)) {
		say("restarted, with another vDSO");
		return -1;
	}
	n = messages_read(s, m, ARRAY_SIZE(m));
	for (i = 0; i < n; i++)
		if (!strcmp(m[i].word, "error") && m[i].code == CKPT_WHY_VDSO &&
		    m[i].err == ENOEXEC && strstr(m[i].text, "vDSO is not the one of the image"))
			break;
	if (s->err != ENOEXEC || i >= n) {
		say("errno %d (%s), and not for the vDSO", s->err, strerror(s->err));
		messages_show(s);
		return -1;
	}
	if (waitpid(-1, NULL, WNOHANG) != -1 || count_fds() != fds || count_tasks() != tasks) {
		say("something is left");
		return -1;
	}
	return 0;
}

static int restart(struct subject *s, const struct process *p)
{
	if (p->refused)
		return is_refused(s);
	if (subject_restart(s, RESTART_NEW_PIDS)) {
		messages_show(s);
		return -1;
	}
	return subject_go(s) ?: subject_end(s);
}

static int run(const struct process *p, bool saving, const char *dir)
{
	const char *what = saving ? "is saved" : p->refused ? "is refused" : "is restarted";
	struct subject s;
	int ret;

	if (access(subject_path(p->program), X_OK)) {
		printf("ok - kernels: %s # SKIP no compiler for 32 bits\n", p->name);
		return 0;
	}
	ret = init(&s, p, dir);
	if (!ret)
		ret = saving ? save(&s, p) : restart(&s, p);
	subject_destroy(&s);
	printf("%s - kernels: %s %s\n", ret ? "not ok" : "ok", p->name, what);
	return ret;
}

int main(int argc, char **argv)
{
	bool saving = argc == 3 && !strcmp(argv[1], "save");
	int ret = 0;
	size_t i;

	if (argc != 3 || (!saving && strcmp(argv[1], "restart"))) {
		fprintf(stderr, "usage: kernels save|restart DIR\n");
		return 2;
	}
	for (i = 0; i < ARRAY_SIZE(processes); i++)
		ret |= run(&processes[i], saving, argv[2]);
	return ret ? 1 : 0;
}

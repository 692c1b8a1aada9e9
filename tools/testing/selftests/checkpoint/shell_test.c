// SPDX-License-Identifier: GPL-2.0-only
/*
 * What people leave running in a shell on a terminal: a script that reads a
 * here-document, and a log that is followed through a pipeline. Each is a job that is
 * saved in the middle of its files, twice, and restarted by the shell.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>

#include "term.h"

static const char * const bash[] = { "/bin/bash", "--norc", "--noprofile", "--noediting", NULL };

#define DO(call)	ASSERT_EQ(0, call)

FIXTURE(shell) {
	struct subject s;	/* only its directory and image */
	struct term term;
};

FIXTURE_SETUP(shell)
{
	ASSERT_EQ(0, subject_init(&self->s));
	DO(term_start(&self->term, self->s.dir, 24, 80, bash));
	DO(term_expect(&self->term, "ready> "));
}

FIXTURE_TEARDOWN(shell)
{
	term_destroy(&self->term);
	subject_destroy(&self->s);
}

/* Waits until a job has the terminal. */
static int wait_job(struct term *t, pid_t job)
{
	uint64_t end = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	while (tcgetpgrp(t->fd) != job) {
		if (now_ns() > end) {
			say("the terminal is of %d, not of %d", tcgetpgrp(t->fd), job);
			return -1;
		}
		poll_pause();
	}
	return 0;
}

static char *path_in(struct subject *s, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

static int append(struct subject *s, const char *text)
{
	int fd = open(path_in(s, "log"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	ssize_t n = strlen(text) ? write(fd, text, strlen(text)) : 0;

	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* The job in the foreground: saved, killed, and restarted with more text in the log. */
static int cycle_job(struct subject *s, struct term *t, const char *text, const char *options)
{
	pid_t job = tcgetpgrp(t->fd);
	char command[5000];

	if (job <= 0 || job == t->pid) {
		say("there is no job");
		return -1;
	}
	snprintf(command, sizeof(command), "%s restart %s %s\n", ckpt_command(), options,
		 s->image);
	return run_ckpt("save %d -q -o %s --kill >&2", job, s->image) ||
	       term_expect(t, "ready> ") || append(s, text) || term_type(t, command) ||
	       wait_job(t, job);
}

/* A short here-document is in a pipe, a long one in a file that has no name. */
static int write_script(struct subject *s, int lines)
{
	FILE *f = fopen(path_in(s, "script"), "w");
	int i;

	if (!f)
		return -1;
	fprintf(f, "n=0 sum=0\nwhile read -r word number; do\n"
		"n=$((n + 1)) sum=$((sum + number))\n"
		"if [ $n = %d ] || [ $n = %d ]; then\n"
		"echo at $number; read -r key </dev/tty; echo key $key\n"
		"fi\ndone <<'END'\n", lines / 3, lines / 3 * 2);
	for (i = 1; i <= lines; i++)
		fprintf(f, "line %d\n", i);
	fprintf(f, "END\necho lines $n sum $sum $word\nexit 3\n");
	return fclose(f);
}

static int run_script(struct subject *s, struct term *t, int lines)
{
	char text[100];
	int i;

	if (write_script(s, lines) || term_type(t, "bash script\n"))
		return -1;
	for (i = 1; i <= 2; i++) {
		snprintf(text, sizeof(text), "at %d\r\n", lines / 3 * i);
		if (term_expect(t, text) || cycle_job(s, t, "", ""))
			return -1;
		snprintf(text, sizeof(text), "number%d\n", i);
		if (term_type(t, text))
			return -1;
		snprintf(text, sizeof(text), "key number%d\r\n", i);
		if (term_expect(t, text))
			return -1;
	}
	snprintf(text, sizeof(text), "lines %d sum %lld\r\n", lines,
		 (long long)lines * (lines + 1) / 2);
	return term_expect(t, text) || term_expect(t, "ready> ") ||
	       term_type(t, "echo status $?\n") || term_expect(t, "status 3\r\n");
}

TEST_F_TIMEOUT(shell, short_document, TEST_TIMEOUT)
{
	DO(run_script(&self->s, &self->term, 30));
}

TEST_F_TIMEOUT(shell, long_document, TEST_TIMEOUT)
{
	DO(run_script(&self->s, &self->term, 9000));
}

/* Until a file has this content; the terminal may have had it earlier. */
static void wait_for_content(struct subject *s, const char *name, const char *content)
{
	char text[200];
	int n;

	for (;;) {
		n = read_file(path_in(s, name), text, sizeof(text) - 1);
		if (n > 0 && n == (int)strlen(content) && !memcmp(text, content, n))
			return;
		poll_pause();
	}
}

/* What is written to the log while it is dead is read afterwards, too. */
TEST_F_TIMEOUT(shell, followed_log, TEST_TIMEOUT)
{
	struct term *t = &self->term;
	struct subject *s = &self->s;

	DO(append(s, "fine\nerror 1\n"));
	DO(term_type(t, "bash -c 'tail -f log | grep --line-buffered error | tee found'\n"));
	DO(term_expect(t, "error 1\r\n"));
	DO(cycle_job(s, t, "", ""));
	DO(append(s, "fine\nerror 2\nfine\n"));
	DO(term_expect(t, "error 2\r\n"));
	DO(cycle_job(s, t, "error 3\n", "--allow-changed data"));
	DO(append(s, "error 4\n"));
	DO(term_expect(t, "error 3\r\nerror 4\r\n"));
	wait_for_content(s, "found", "error 1\nerror 2\nerror 3\nerror 4\n");
	DO(term_type(t, "\003"));
	DO(term_expect(t, "ready> "));
	DO(term_type(t, "exit 0\n"));
	DO(term_end(t, 0));
}

TEST_HARNESS_MAIN

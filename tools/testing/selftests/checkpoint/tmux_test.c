// SPDX-License-Identifier: GPL-2.0-only
/*
 * A terminal multiplexer with a shell, an editor and a program that is always busy:
 * its server is saved while no client is attached, and killed; a client that attaches
 * to the restarted one finds all as it was.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "term.h"

FIXTURE(tmux) {
	struct subject s;
	struct term one;
};

FIXTURE_SETUP(tmux)
{
	if (access("/usr/bin/tmux", X_OK) || access("/usr/bin/vim.basic", X_OK) ||
	    access("/usr/bin/top", X_OK))
		SKIP(return, "there is no tmux, vim or top");
	ASSERT_EQ(0, subject_init(&self->s));
	/* The server is a daemon: what is killed comes to us. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("TMUX");
}

FIXTURE_TEARDOWN(tmux)
{
	term_destroy(&self->one);
	subject_destroy(&self->s);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* A command to the server; its output, or NULL. */
static char *tmux(struct subject *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static char *tmux(struct subject *s, const char *format, ...)
{
	static char out[20000];
	char args[300], line[400];
	va_list ap;
	size_t n;
	FILE *f;

	va_start(ap, format);
	vsnprintf(args, sizeof(args), format, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "cd %s && tmux -S socket -f /dev/null %s", s->dir, args);
	f = popen(line, "r");
	if (!f)
		return NULL;
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = 0;
	if (!pclose(f))
		return out;
	say("tmux %s: %s", args, out);
	return NULL;
}

/* Until a pane shows a text. */
static int wait_pane(struct subject *s, int pane, const char *want)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char *shown;

	do {
		poll_pause();
		shown = tmux(s, "capture-pane -p -t work:0.%d", pane);
		if (!shown)
			return -1;
		if (strstr(shown, want))
			return 0;
	} while (now_ns() < deadline);
	say("pane %d shows no \"%s\": %s", pane, want, shown);
	return -1;
}

/* Until a program is in the foreground of a pane. */
static int wait_command(struct subject *s, int pane, const char *want)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	size_t len = strlen(want);
	char *command;

	do {
		poll_pause();
		command = tmux(s, "display-message -p -t work:0.%d '#{pane_current_command}'",
			       pane);
		if (!command)
			return -1;
		if (!strncmp(command, want, len) && command[len] == '\n')
			return 0;
	} while (now_ns() < deadline);
	say("pane %d has %s", pane, command);
	return -1;
}

/* Until the program of a pane that is always busy has shown something else. */
static int wait_change(struct subject *s, int pane)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char *shown = tmux(s, "capture-pane -p -t work:0.%d", pane);
	char *first = shown ? strdup(shown) : NULL;
	int ret = -1;

	while (first && ret && shown && now_ns() < deadline) {
		poll_pause();
		shown = tmux(s, "capture-pane -p -t work:0.%d", pane);
		if (shown && strcmp(shown, first))
			ret = 0;
	}
	if (ret)
		say("pane %d does not change: %s", pane, first ?: "");
	free(first);
	return ret;
}

static int attach(struct subject *s, struct term *t)
{
	static const char * const argv[] = {
		"/usr/bin/tmux", "-S", "socket", "attach-session", "-t", "work", NULL };

	return term_start(t, s->dir, 40, 120, argv);
}

static int detach(struct term *t)
{
	if (term_type(t, "\002d") || term_expect(t, "[detached") || term_end(t, 0))
		return -1;
	term_destroy(t);
	return 0;
}

/* A program that reads what other processes do has their files open now and then. */
static bool looks_around(struct subject *s)
{
	struct message m[16];
	int i, n = messages_read(s, m, ARRAY_SIZE(m));

	for (i = 0; i < n; i++)
		if (!strcmp(m[i].word, "obstacle") && strcmp(m[i].comm, "top"))
			return false;
	return n > 0 && s->err == EOPNOTSUPP;
}

static int save(struct subject *s)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	while (subject_save(s, CHECKPOINT_KILL)) {
		if (!looks_around(s) || now_ns() > deadline) {
			messages_show(s);
			return -1;
		}
		poll_pause();
	}
	return 0;
}

static int cycle(struct subject *s)
{
	if (way_now(WAY_KILL) == WAY_NONE)
		return 0;
	if (save(s) || subject_reap_tree(s))
		return -1;
	return run_ckpt("restart -q --detach %s >/dev/null", s->image);
}

/* Until all are gone. */
static int all_end(struct subject *s)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
	s->pid = 0;
	return errno != ECHILD;
}

#define DO(call)	ASSERT_EQ(0, call)

TEST_F_TIMEOUT(tmux, three_panes, 2 * TEST_TIMEOUT)
{
	static const char * const argv[] = {
		"/usr/bin/tmux", "-S", "socket", "-f", "/dev/null", "new-session", "-s", "work",
		"PS1='ready> ' exec bash --norc --noprofile", NULL };
	struct subject *s = &self->s;
	struct term *one = &self->one;
	char path[100], text[100] = "", *pid;
	int round;

	DO(term_start(one, s->dir, 40, 120, argv));
	DO(term_expect(one, "ready> "));
	DO(term_type(one, "x=$((6 * 7)); cd /; sleep 100000\n"));
	DO(wait_command(s, 0, "sleep"));
	DO(!tmux(s, "split-window -t work 'exec vim.basic -u NONE -n'"));
	DO(wait_pane(s, 1, "~"));
	DO(term_type(one, "ihello"));
	DO(wait_pane(s, 1, "hello"));
	DO(!tmux(s, "split-window -t work 'exec top -d 1'"));
	DO(wait_pane(s, 2, "load average"));
	DO(term_expect(one, "load average"));
	DO(detach(one));
	pid = tmux(s, "display-message -p -t work '#{pid}'");
	ASSERT_NE(NULL, pid);
	s->pid = atoi(pid);
	ASSERT_LT(1, s->pid);
	for (round = 0; round < 2; round++) {
		DO(cycle(s));
		DO(attach(s, one));
		DO(term_expect(one, "sleep 100000"));
		DO(term_expect(one, "hello"));
		DO(term_expect(one, "load average"));
		DO(wait_change(s, 2));
		/* The shell's job is stopped, and continued. */
		DO(!tmux(s, "select-pane -t work:0.0"));
		DO(term_type(one, "\032"));
		DO(wait_pane(s, 0, "Stopped"));
		DO(term_type(one, "echo $x.$PWD.$(jobs | wc -l)\n"));
		DO(wait_pane(s, 0, "42./.1"));
		DO(term_type(one, "clear; fg\n"));
		DO(wait_command(s, 0, "sleep"));
		DO(!tmux(s, "select-pane -t work:0.1"));
		DO(term_type(one, round ? "!" : " world"));
		DO(wait_pane(s, 1, round ? "hello world!" : "hello world"));
		DO(detach(one));
	}
	DO(attach(s, one));
	DO(term_type(one, "\033:w! out\r"));
	DO(wait_pane(s, 1, "written"));
	snprintf(path, sizeof(path), "%s/out", s->dir);
	ASSERT_LT(0, read_file(path, text, sizeof(text)));
	EXPECT_STREQ("hello world!\n", text);
	DO(!tmux(s, "select-pane -t work:0.2"));
	DO(term_type(one, "q"));
	DO(!tmux(s, "kill-server"));
	DO(term_expect(one, "[server exited"));
	DO(term_end(one, 1 << 8));
	DO(all_end(s));
}

TEST_HARNESS_MAIN

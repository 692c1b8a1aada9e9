// SPDX-License-Identifier: GPL-2.0-only
/* Saving and restarting a subject, and what the kernel says about it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common.h"

/* CKPT_WAY=none: run all subjects without interruption, to test the tests. */
enum way way_now(enum way way)
{
	const char *env = getenv("CKPT_WAY");

	return env && !strcmp(env, "none") ? WAY_NONE : way;
}

int subject_save_fd(struct subject *s, int fd, unsigned long flags)
{
	struct checkpoint_args args = { .log_fd = s->log_fd };
	long ret;

	if (ftruncate(s->log_fd, 0))
		return -1;
	ret = sys_checkpoint(s->pid, fd, flags | CHECKPOINT_ARGS, &args, sizeof(args));
	s->err = ret < 0 ? errno : 0;
	s->id = ret;
	if (ret == 0)
		say("checkpoint() of another process returned 0");
	return ret > 0 ? 0 : -1;
}

int subject_save(struct subject *s, unsigned long flags)
{
	int fd = open(s->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int ret;

	if (fd < 0) {
		say("%s: %m", s->image);
		return -1;
	}
	ret = subject_save_fd(s, fd, flags);
	close(fd);
	return ret;
}

/*
 * The restarted program gets the caller's standard streams, so they are those
 * of the subject for a moment.
 */
int subject_restart_fd(struct subject *s, int fd, unsigned long flags)
{
	struct restart_args args = {
		.log_fd = s->log_fd,
		.cgroup_fd = flags & RESTART_CGROUPS ? s->cgroup_fd : 0,
	};
	int i, saved[3];
	long ret;

	if (ftruncate(s->log_fd, 0))
		return -1;
	fflush(NULL);
	for (i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
	dup2(s->child_in, 0);
	dup2(s->child_out, 1);
	dup2(s->child_out, 2);
	ret = sys_restart(0, fd, flags | RESTART_ARGS, &args, sizeof(args));
	s->err = ret < 0 ? errno : 0;
	for (i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	if (ret <= 0)
		return -1;
	s->pid = ret;
	return 0;
}

int subject_restart(struct subject *s, unsigned long flags)
{
	int fd = open(s->image, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0) {
		say("%s: %m", s->image);
		return -1;
	}
	ret = subject_restart_fd(s, fd, flags);
	close(fd);
	return ret;
}

static unsigned int snap_flags(const struct subject *s)
{
	return (s->moving ? SNAP_MOVING : 0) | (s->files_only ? SNAP_FILES : 0) |
	       (s->moving || s->children_move ? 0 : SNAP_TREE);
}

/* Two equal looks in a row, while it sleeps: it has come to rest. */
static char *settled_snapshot(struct subject *s)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char *last, *snap;

	last = snapshot_take(s->pid, snap_flags(s));
	while (last && !s->moving && now_ns() < deadline) {
		poll_pause();
		snap = snapshot_take(s->pid, snap_flags(s));
		if (!snap || (!strstr(snap, "syscall: running\n") &&
			      !snapshot_compare(last, snap, true))) {
			free(last);
			return snap;
		}
		free(last);
		last = snap;
	}
	return last;
}

static int cycle_kill(struct subject *s)
{
	pid_t pid = s->pid;
	uint64_t start;

	if (subject_save(s, CHECKPOINT_KILL)) {
		say("checkpoint: %s", strerror(s->err));
		return -1;
	}
	start = now_ns();
	if (subject_reap(s, SIGKILL))
		return -1;
	s->dead_ns += now_ns() - start;
	if (subject_restart(s, 0)) {
		say("restart: %s", strerror(s->err));
		return -1;
	}
	if (s->pid != pid) {
		say("pid was %d, is %d", pid, s->pid);
		return -1;
	}
	return 0;
}

static int cycle_stop(struct subject *s)
{
	siginfo_t info = {};

	if (subject_save(s, CHECKPOINT_STOP)) {
		say("checkpoint: %s", strerror(s->err));
		return -1;
	}
	if (subject_in_state(s->pid, 'T') || kill(s->pid, SIGCONT))
		return -1;
	/* Stopped and continued are told to the parent as always. */
	if (waitid(P_PID, s->pid, &info, WCONTINUED) || info.si_code != CLD_CONTINUED) {
		say("waitid(WCONTINUED): %m, code %d", info.si_code);
		return -1;
	}
	return 0;
}

/* Interrupts a subject that is ready, in the given way; it must not notice. */
int subject_cycle(struct subject *s, enum way way)
{
	char *before = NULL;
	int ret = -1;

	way = way_now(way);
	if (!s->nosnap) {
		before = settled_snapshot(s);
		if (!before)
			return -1;
	}
	switch (way) {
	case WAY_NONE:
		ret = 0;
		break;
	case WAY_GO_ON:
		ret = subject_save(s, 0);
		if (ret)
			say("checkpoint: %s", strerror(s->err));
		break;
	case WAY_STOP:
		ret = cycle_stop(s);
		break;
	case WAY_KILL:
		ret = cycle_kill(s);
		break;
	}
	if (ret)
		messages_show(s);
	else if (before)
		ret = snapshot_same(before, s->pid, snap_flags(s));
	free(before);
	return ret;
}

/* "what code=1 err=2 pid=3 tid=3 fd=-1 start=0x0 end=0x0 comm=name: text" */
static int parse_message(const char *line, struct message *m)
{
	int n = 0;

	if (sscanf(line, "%15s code=%d err=%d pid=%d tid=%d fd=%d start=0x%lx end=0x%lx comm=%n",
		   m->word, &m->code, &m->err, &m->pid, &m->tid, &m->fd, &m->start,
		   &m->end, &n) != 8 || !n)
		return -1;
	line += n;
	n = strcspn(line, ": \n");
	if (line[n] != ':' || line[n + 1] != ' ' || n >= (int)sizeof(m->comm))
		return -1;
	memcpy(m->comm, line, n);
	m->comm[n] = 0;
	snprintf(m->text, sizeof(m->text), "%s", line + n + 2);
	if (strcmp(m->word, "obstacle") && strcmp(m->word, "error") && strcmp(m->word, "note"))
		return -1;
	if (m->code < 0 || m->code >= CKPT_WHY_NR || m->err < 0 || !m->text[0])
		return -1;
	return 0;
}

/* The messages of the last call: their number, or -1 if one is malformed. */
int messages_read(struct subject *s, struct message *m, int max)
{
	char buf[65536], *line, *save;
	ssize_t len;
	int n = 0;

	len = pread(s->log_fd, buf, sizeof(buf) - 1, 0);
	if (len < 0)
		return -1;
	buf[len] = 0;
	if (len && buf[len - 1] != '\n') {
		say("the log does not end in a newline");
		return -1;
	}
	for (line = strtok_r(buf, "\n", &save); line && n < max;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strlen(line) >= CKPT_MSG_MAX || parse_message(line, &m[n])) {
			say("malformed message: %s", line);
			return -1;
		}
		n++;
	}
	return n;
}

/* How many messages are of this kind ("" is any), with this reason (-1 is any) and text? */
int messages_count(struct subject *s, const char *word, int code, const char *text)
{
	struct message m[128];
	int i, found = 0, n = messages_read(s, m, ARRAY_SIZE(m));

	for (i = 0; i < n; i++)
		found += (!word[0] || !strcmp(m[i].word, word)) &&
			 (code < 0 || m[i].code == code) && strstr(m[i].text, text);
	return found;
}

/* Is there a message of this kind ("" is any) with this reason? */
bool message_has(struct subject *s, const char *word, int code)
{
	return messages_count(s, word, code, "") > 0;
}

void messages_show(struct subject *s)
{
	char buf[4096];
	ssize_t len = pread(s->log_fd, buf, sizeof(buf) - 1, 0);
	char *line, *save;
	int n = 0;

	if (len <= 0)
		return;
	buf[len] = 0;
	for (line = strtok_r(buf, "\n", &save); line && n++ < 10;
	     line = strtok_r(NULL, "\n", &save))
		say("log: %s", line);
}

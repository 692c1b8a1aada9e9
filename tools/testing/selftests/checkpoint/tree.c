// SPDX-License-Identifier: GPL-2.0-only
/* Builds a tree by plan, looks at it from outside, and takes it down. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tree.h"

/* Starts it; what is left of it when its parents are gone becomes ours. */
int forest_start(struct forest *f, uint64_t seed, unsigned int features)
{
	char command[64];

	memset(f, 0, sizeof(*f));
	tree_plan(&f->plan, seed, features);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || subject_init(&f->s))
		return -1;
	f->s.program = "subject-static";
	snprintf(command, sizeof(command), "tree %llu %u", (unsigned long long)seed, features);
	f->alive = true;
	return subject_start(&f->s, command);
}

static int tell_problem(const struct forest *f, int node, const char *what, const char *more)
{
	say("node %d (pid %d): %s %s", node, f->pid[node], what, more);
	return -1;
}

/* Waits until all of it is there. */
int forest_up(struct forest *f)
{
	int i, node, pid;

	for (i = 0; i < f->plan.nr; i++) {
		if (subject_read(&f->s))
			return -1;
		if (sscanf(f->s.line, "up %d %d", &node, &pid) != 2 || node < 0 ||
		    node >= f->plan.nr || f->pid[node]) {
			say("the subject says \"%s\"", f->s.line);
			return -1;
		}
		f->pid[node] = pid;
	}
	return 0;
}

static pid_t pid_of(const struct forest *f, int node, pid_t outside)
{
	return node == TREE_OUTSIDE ? outside : f->pid[node];
}

static int number_of_zombies(const struct tree *plan, int parent)
{
	int i, n = 0;

	for (i = 0; i < plan->nr; i++)
		n += plan->node[i].parent == parent && plan->node[i].creator == parent &&
		     plan->node[i].exits && !plan->node[i].reaped;
	return n;
}

/* Is it as planned? */
static int check_seen(struct forest *f, int node)
{
	const struct tree_node *n = &f->plan.node[node];
	char want[200];

	snprintf(want, sizeof(want),
		 "see %d pid %d ppid %d pgid %d sid %d zombies %d pending %llx mask ", node,
		 f->pid[node], pid_of(f, n->parent, getpid()), pid_of(f, n->pgid, getpgrp()),
		 pid_of(f, n->sid, getsid(0)), number_of_zombies(&f->plan, node),
		 (unsigned long long)n->pending);
	if (!strncmp(f->seen[node], want, strlen(want)))
		return 0;
	return tell_problem(f, node, f->seen[node], want);
}

/* Asks all processes; their answers come in any order. */
static int ask(struct forest *f, char **seen)
{
	int i, node;

	for (i = 0; i < f->plan.nr; i++)
		if (!f->plan.node[i].exits && kill(f->pid[i], TREE_SIGNAL_SEE))
			return tell_problem(f, i, "kill:", strerror(errno));
	for (i = 0; i < tree_alive(&f->plan); i++) {
		if (subject_read(&f->s))
			return -1;
		if (sscanf(f->s.line, "see %d ", &node) != 1 || node < 0 ||
		    node >= f->plan.nr || seen[node]) {
			say("the subject says \"%s\"", f->s.line);
			return -1;
		}
		seen[node] = strdup(f->s.line);
	}
	return f->s.failures ? -1 : 0;
}

int forest_see(struct forest *f)
{
	int i;

	if (ask(f, f->seen))
		return -1;
	for (i = 0; i < f->plan.nr; i++)
		if (f->seen[i] && check_seen(f, i))
			return -1;
	return 0;
}

/* Stops those that are to be stopped. */
int forest_stop(struct forest *f)
{
	int i;

	for (i = 0; i < f->plan.nr; i++)
		if (f->plan.node[i].stopped && kill(f->pid[i], SIGSTOP))
			return -1;
	for (i = 0; i < f->plan.nr; i++)
		if (f->plan.node[i].stopped && subject_in_state(f->pid[i], 'T'))
			return -1;
	return 0;
}

/* 1: it waits, as planned, or is one that computes; 0: not yet; -1: never. */
static int is_settled(const struct forest *f, int node, pid_t tid)
{
	const struct tree_node *n = &f->plan.node[node];
	char path[64], buf[512], *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", f->pid[node], tid);
	if (read_file(path, buf, sizeof(buf)) <= 0)
		return -1;
	end = strrchr(buf, ')');
	if (!end || end[2] == 'Z' || end[2] == 'X')
		return -1;
	return end[2] == (n->stopped ? 'T' : 'S') ||
	       (n->wait == TREE_SPIN && tid == f->pid[node]);
}

static int settle(struct forest *f, int node)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char *tids = strstr(f->seen[node], " tids"), *next;
	pid_t tid = f->pid[node];
	int settled;

	tids += strlen(" tids");
	while (tid > 0) {
		while ((settled = is_settled(f, node, tid)) <= 0) {
			if (settled < 0 || now_ns() > deadline)
				return tell_problem(f, node, "has ended, or does not wait", "");
			poll_pause();
		}
		tid = strtol(tids, &next, 10);
		tids = next;
	}
	return 0;
}

/* After a stop such calls go on as another call, restart_syscall(2). */
static bool changes_call(const struct tree_node *n)
{
	bool ret = n->wait == TREE_SLEEP || n->wait == TREE_POLL || n->wait == TREE_SPIN;
	int i;

	for (i = 0; i < n->nr_threads; i++)
		ret |= n->thread_wait[i] == TREE_SLEEP || n->thread_wait[i] == TREE_POLL;
	return ret;
}

/* The fields of /proc/PID/stat that a zombie keeps, and its status. */
static char *look_at_zombie(pid_t pid)
{
	char path[64], buf[1024], *end, *text = NULL;
	int ppid, pgid, sid, status;
	char state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, buf, sizeof(buf)) <= 0)
		return strdup("is gone");
	end = strrchr(buf, ')');
	if (!end || sscanf(end + 1, " %c %d %d %d", &state, &ppid, &pgid, &sid) != 4)
		return strdup("is unknown");
	status = strtol(strrchr(buf, ' '), NULL, 10);
	*strrchr(buf, ')') = 0;
	if (asprintf(&text, "%s state %c ppid %d pgid %d sid %d status %#x\n",
		     strchr(buf, '('), state, ppid, pgid, sid, status) < 0)
		return NULL;
	return text;
}

static char *look(const struct forest *f, int node)
{
	const struct tree_node *n = &f->plan.node[node];

	return n->exits ? look_at_zombie(f->pid[node]) :
			  snapshot_take(f->pid[node], changes_call(n));
}

/* A zombie as planned, or nothing at all. */
static int check_exited(struct forest *f, int node)
{
	const struct tree_node *n = &f->plan.node[node];
	char want[128];

	snprintf(want, sizeof(want), "%s state Z ppid %d pgid %d sid %d status %#x\n",
		 "(subject-static", pid_of(f, n->parent, getpid()),
		 pid_of(f, n->pgid, getpgrp()), pid_of(f, n->sid, getsid(0)), n->status);
	if (n->reaped)
		strcpy(want, "is gone");
	return strcmp(f->look[node], want) ? tell_problem(f, node, f->look[node], want) : 0;
}

/* Two equal looks: signals of children may still be on their way. */
int forest_look(struct forest *f)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char *again;
	int i;

	for (i = 0; i < f->plan.nr; i++) {
		if (!f->plan.node[i].exits && settle(f, i))
			return -1;
		f->look[i] = look(f, i);
		if (f->look[i] && f->plan.node[i].exits && check_exited(f, i))
			return -1;
	}
	for (i = 0; i < f->plan.nr; i++) {
		again = look(f, i);
		while (f->look[i] && again && strcmp(f->look[i], again) && now_ns() < deadline) {
			free(f->look[i]);
			f->look[i] = again;
			poll_pause();
			again = look(f, i);
		}
		free(again);
		if (!f->look[i] || !again)
			return tell_problem(f, i, "has gone", "");
	}
	return 0;
}

static int check_status(struct forest *f, int node, int status)
{
	const struct tree_node *n = &f->plan.node[node];
	char text[60];

	if (status == (n->exits ? n->status : SIGKILL))
		return 0;
	snprintf(text, sizeof(text), "%#x", status);
	return tell_problem(f, node, "has ended with status", text);
}

/* All of it has ended, and we are told so of each: its parents are gone. */
static int reap(struct forest *f)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	int i, ret = 0, status;
	pid_t pid;

	for (i = 0; i < f->plan.nr; i++) {
		if (f->plan.node[i].exits && f->plan.node[i].reaped)
			continue;
		for (;;) {
			pid = waitpid(f->pid[i], &status, WNOHANG | __WALL);
			if (pid > 0)
				ret |= check_status(f, i, status);
			/* A parent that is killed may wait for its child just before. */
			if (pid > 0 || (kill(f->pid[i], 0) && errno == ESRCH))
				break;
			if (now_ns() > deadline)
				return tell_problem(f, i, "does not end", "");
			poll_pause();
		}
	}
	f->alive = false;
	f->s.pid = 0;
	return ret;
}

int forest_cycle(struct forest *f, enum way way)
{
	way = way_now(way);
	if (way == WAY_NONE)
		return 0;
	if (subject_save(&f->s, way == WAY_KILL ? CHECKPOINT_KILL : 0)) {
		say("checkpoint: %s", strerror(f->s.err));
		messages_show(&f->s);
		return -1;
	}
	if (way != WAY_KILL)
		return 0;
	if (reap(f))
		return -1;
	if (subject_restart(&f->s, 0)) {
		say("restart: %s", strerror(f->s.err));
		messages_show(&f->s);
		return -1;
	}
	f->alive = true;
	return f->s.pid == f->pid[0] ? 0 : tell_problem(f, 0, "has another pid", "");
}

static int same_look(struct forest *f, int node)
{
	uint64_t deadline = now_ns() + 10 * 1000000000ULL;
	bool same;
	char *now;

	if (!f->plan.node[node].exits) {
		if (settle(f, node))
			return -1;
		if (snapshot_same(f->look[node], f->pid[node], changes_call(&f->plan.node[node])))
			return tell_problem(f, node, "is different", "");
		return 0;
	}
	/* A pid that is free may be used by anybody. */
	if (f->plan.node[node].reaped)
		return 0;
	for (;;) {
		now = look(f, node);
		same = !strcmp(now, f->look[node]);
		if (!same && now_ns() > deadline)
			tell_problem(f, node, f->look[node], now);
		free(now);
		if (same || now_ns() > deadline)
			return same ? 0 : -1;
		poll_pause();
	}
}

/* Does /proc show what it had shown? */
int forest_look_again(struct forest *f)
{
	int i, ret = 0;

	for (i = 0; i < f->plan.nr; i++)
		ret |= same_look(f, i);
	return ret;
}

/* Do the processes see what they had seen? */
int forest_see_again(struct forest *f)
{
	char *seen[TREE_NODES] = {};
	int i, ret;

	for (i = 0; i < f->plan.nr; i++)
		if (f->plan.node[i].stopped && kill(f->pid[i], SIGCONT))
			return tell_problem(f, i, "SIGCONT:", strerror(errno));
	ret = ask(f, seen);
	for (i = 0; i < f->plan.nr; i++) {
		if (!ret && f->seen[i] && strcmp(f->seen[i], seen[i])) {
			tell_problem(f, i, "had seen", f->seen[i]);
			ret = tell_problem(f, i, "   sees", seen[i]);
		}
		free(seen[i]);
	}
	return ret;
}

static void kill_all(struct forest *f)
{
	int i;

	for (i = 0; i < f->plan.nr; i++)
		if (!f->plan.node[i].exits && f->pid[i] > 0)
			kill(f->pid[i], SIGKILL);
}

int forest_end(struct forest *f)
{
	kill_all(f);
	return reap(f);
}

void forest_destroy(struct forest *f)
{
	int i;

	if (f->alive) {
		kill_all(f);
		if (f->s.pid > 0)
			kill(f->s.pid, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	for (i = 0; i < TREE_NODES; i++) {
		free(f->seen[i]);
		free(f->look[i]);
	}
	subject_destroy(&f->s);
}

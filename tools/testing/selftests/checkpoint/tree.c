// SPDX-License-Identifier: GPL-2.0-only
/* Builds a tree by plan, looks at it from outside, and takes it down. */
#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
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
	/* Its root is below the init process, which others may become children of. */
	f->nested = features & TREE_NESTED;
	snprintf(command, sizeof(command), "%stree %llu %u", f->nested ? "nested upc " : "",
		 (unsigned long long)seed, features);
	f->alive = true;
	if (subject_start(&f->s, command))
		return -1;
	f->root = f->s.pid;
	return 0;
}

static int tell_problem(const struct forest *f, int node, const char *what, const char *more)
{
	say("node %d (pid %d): %s %s", node, f->pid[node], what, more);
	return -1;
}

/* The last number of a line, if the line is the one of which this is the name. */
static pid_t last_number(const char *status, const char *name)
{
	const char *line = strstr(status, name), *end, *last;

	if (!line)
		return -1;
	end = line + strcspn(line, "\n");
	for (last = end; last[-1] >= '0' && last[-1] <= '9'; last--)
		;
	return atoi(last);
}

static pid_t child_of(pid_t pid)
{
	char path[64], child[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	read_file(path, child, sizeof(child));
	return atoi(child);
}

/* The pid namespace of the tree, as /proc calls it. */
static int namespace_of(const struct forest *f, char *name, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", f->above[0]);
	n = readlink(path, name, size - 1);
	if (n < 0)
		return -1;
	name[n] = 0;
	return 0;
}

/* Our number of a process of the tree's namespace; one that is free: it is gone. */
static pid_t outer_pid(const struct forest *f, pid_t local)
{
	char space[64], path[64], name[64], status[4096];
	struct dirent *entry;
	pid_t found = 1 << 23;
	ssize_t n;
	DIR *dir;

	if (namespace_of(f, space, sizeof(space)))
		return -1;
	dir = opendir("/proc");
	while ((entry = readdir(dir)) && found == 1 << 23) {
		snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", entry->d_name);
		n = readlink(path, name, sizeof(name) - 1);
		if (n < 0 || strncmp(name, space, n) || space[n])
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/status", entry->d_name);
		if (read_file(path, status, sizeof(status)) > 0 &&
		    last_number(status, "\nNSpid:") == local)
			found = atoi(entry->d_name);
	}
	closedir(dir);
	return found;
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
		f->local[node] = pid;
		f->pid[node] = pid;
	}
	f->above[0] = f->nested ? child_of(f->root) : 0;
	f->above[1] = f->nested ? child_of(f->above[0]) : 0;
	for (i = 0; f->nested && i < f->plan.nr; i++) {
		f->pid[i] = outer_pid(f, f->local[i]);
		if (f->pid[i] < 0)
			return tell_problem(f, i, "has no namespace", "");
	}
	return 0;
}

static pid_t pid_of(const struct forest *f, int node, pid_t outside)
{
	return node == TREE_OUTSIDE ? outside : f->pid[node];
}

/* What it sees itself; init and others are its outside. */
static pid_t seen_of(const struct forest *f, int node, pid_t outside)
{
	return node == TREE_OUTSIDE ? outside : f->local[node];
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
		 f->local[node], seen_of(f, n->parent, f->nested ? 1 : getpid()),
		 seen_of(f, n->pgid, f->nested ? 0 : getpgrp()),
		 seen_of(f, n->sid, f->nested ? 0 : getsid(0)),
		 number_of_zombies(&f->plan, node),
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
	struct dirent *entry;
	int settled = 1;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", f->pid[node]);
	dir = opendir(path);
	while (dir && settled > 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		while (!(settled = is_settled(f, node, atoi(entry->d_name))) && now_ns() < deadline)
			poll_pause();
	}
	if (!dir || settled <= 0)
		tell_problem(f, node, "has ended, or does not wait", "");
	if (dir)
		closedir(dir);
	return dir && settled > 0 ? 0 : -1;
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
			  snapshot_take(f->pid[node], changes_call(n) ? SNAP_MOVING : 0);
}

/* A zombie as planned, or nothing at all. */
static int check_exited(struct forest *f, int node)
{
	const struct tree_node *n = &f->plan.node[node];
	char want[128];

	/* Groups may have lost their leader, whose number only its namespace knows. */
	if (f->nested)
		return !strstr(f->look[node], "is gone") == n->reaped;
	snprintf(want, sizeof(want), "%s state Z ppid %d pgid %d sid %d status %#x\n",
		 "(subject-static", pid_of(f, n->parent, getpid()),
		 pid_of(f, n->pgid, getpgrp()), pid_of(f, n->sid, getsid(0)), n->status);
	if (n->reaped)
		strcpy(want, "is gone");
	return strcmp(f->look[node], want) ? tell_problem(f, node, f->look[node], want) : 0;
}

/* Which two processes have the same memory, files, directories, handlers, open files. */
static char *look_at_sharing(const struct forest *f)
{
	static const enum kcmp_type types[] = { KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND };
	char *text = NULL, *files;
	pid_t pids[TREE_NODES];
	size_t size, t;
	int i, j, n = 0;
	FILE *out = open_memstream(&text, &size);

	for (i = 0; i < f->plan.nr; i++)
		for (j = 0; j < i; j++)
			for (t = 0; t < ARRAY_SIZE(types); t++)
				if (!f->plan.node[i].exits && !f->plan.node[j].exits &&
				    !syscall(SYS_kcmp, f->pid[i], f->pid[j], types[t], 0, 0))
					fprintf(out, "%d and %d share %d\n", i, j, types[t]);
	for (i = 0; i < f->plan.nr; i++)
		if (!f->plan.node[i].exits)
			pids[n++] = f->pid[i];
	files = snapshot_open_files(pids, n);
	fputs(files, out);
	free(files);
	fclose(out);
	return text;
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
	f->shared = look_at_sharing(f);
	return 0;
}

static int check_status(struct forest *f, int node, int status)
{
	const struct tree_node *n = &f->plan.node[node];
	char text[60];

	/* Their init process is killed, and kills them. */
	if (f->nested || status == (n->exits ? n->status : SIGKILL))
		return 0;
	snprintf(text, sizeof(text), "%#x", status);
	return tell_problem(f, node, "has ended with status", text);
}

/* Waits for one that may have become ours; 1: @status says how, -1: it does not end. */
static int wait_gone(pid_t pid, int *status)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	for (;;) {
		if (waitpid(pid, status, WNOHANG | __WALL) > 0)
			return 1;
		/* A parent that is killed may wait for its child just before. */
		if (kill(pid, 0) && errno == ESRCH)
			return 0;
		if (now_ns() > deadline)
			return -1;
		poll_pause();
	}
}

/* All of it has ended, and we are told so of each: its parents are gone. */
static int reap(struct forest *f)
{
	int i, found, ret = 0, status;

	if (f->nested && (wait_gone(f->root, &status) < 0 ||
			  wait_gone(f->above[0], &status) < 0 ||
			  wait_gone(f->above[1], &status) < 0))
		return tell_problem(f, 0, "does not end", "");
	for (i = 0; i < f->plan.nr; i++) {
		if (f->plan.node[i].exits && f->plan.node[i].reaped)
			continue;
		found = wait_gone(f->pid[i], &status);
		if (found < 0)
			return tell_problem(f, i, "does not end", "");
		if (found)
			ret |= check_status(f, i, status);
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
	return f->s.pid == f->root ? 0 : tell_problem(f, 0, "has another pid", "");
}

static int same_look(struct forest *f, int node)
{
	uint64_t deadline = now_ns() + 10 * 1000000000ULL;
	bool same;
	char *now;

	if (!f->plan.node[node].exits) {
		if (settle(f, node))
			return -1;
		if (snapshot_same(f->look[node], f->pid[node],
				  changes_call(&f->plan.node[node]) ? SNAP_MOVING : 0))
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
	char *shared = look_at_sharing(f);
	int i, ret = 0;

	if (strcmp(shared, f->shared))
		ret = tell_problem(f, 0, f->shared, shared);
	free(shared);
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

	/* With it ends the init process, and all. */
	if (f->nested) {
		kill(f->root, SIGKILL);
		return;
	}
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
	free(f->shared);
	subject_destroy(&f->s);
}

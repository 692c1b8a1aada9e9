// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts a subject, talks to it line by line, and ends it.
 *
 * The subject writes "ready" when something may be done to it, waits for a
 * byte, checks itself, and at the very end writes "done". Every failed check
 * is a line that begins with "FAIL".
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <grp.h>

#include "common.h"

/* Programs lie where the test program itself lies. */
const char *subject_path(const char *program)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n < 0 || program[0] == '/')
		return program;
	path[n] = 0;
	slash = strrchr(path, '/');
	snprintf(slash + 1, sizeof(path) - (slash + 1 - path), "%s", program);
	return path;
}

int subject_init(struct subject *s)
{
	char log[80];
	int p[2];

	memset(s, 0, sizeof(*s));
	s->program = "subject";
	strcpy(s->dir, "/tmp/ckpt.XXXXXX");
	if (!mkdtemp(s->dir) || chmod(s->dir, 0777))
		goto fail;
	snprintf(s->image, sizeof(s->image), "%s/image", s->dir);
	snprintf(log, sizeof(log), "%s/messages", s->dir);
	s->log_fd = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (s->log_fd < 0 || pipe2(p, O_CLOEXEC))
		goto fail;
	s->child_in = p[0];
	s->in = p[1];
	if (pipe2(p, O_CLOEXEC))
		goto fail;
	s->out = p[0];
	s->child_out = p[1];
	return 0;
fail:
	say("subject_init: %m");
	return -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path) && errno != EACCES && errno != EPERM ? -1 : 0;
}

void subject_destroy(struct subject *s)
{
	int status;

	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, &status, 0);
		s->pid = 0;
	}
	close(s->log_fd);
	close(s->in);
	close(s->out);
	close(s->child_in);
	close(s->child_out);
	if (s->dir[0] && nftw(s->dir, remove_one, 10, FTW_DEPTH | FTW_PHYS))
		say("cannot remove %s: %m", s->dir);
}

static void become(uid_t uid)
{
	if (uid && (setgroups(0, NULL) || setgid(uid) || setuid(uid))) {
		dprintf(1, "FAIL cannot become user %u\n", uid);
		_exit(1);
	}
}

/* The rest of the test is done by an ordinary user, with this one right. */
int subject_become_user(struct subject *s, int cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	char log[100];

	snprintf(log, sizeof(log), "%s/messages", s->dir);
	if (chown(s->dir, TEST_USER, TEST_USER) || chown(log, TEST_USER, TEST_USER))
		return -1;
	prctl(PR_SET_KEEPCAPS, 1);
	if (setgroups(0, NULL) || setresgid(TEST_USER, TEST_USER, TEST_USER) ||
	    setresuid(TEST_USER, TEST_USER, TEST_USER))
		return -1;
	if (cap >= 0) {
		data[cap / 32].permitted = 1U << cap % 32;
		data[cap / 32].effective = 1U << cap % 32;
	}
	if (syscall(SYS_capset, &head, data))
		return -1;
	return prctl(PR_SET_KEEPCAPS, 0);
}

static const struct {
	const char *how;	/* see subject_ns.c */
	int depth;		/* of the process below the root */
} places[] = {
	[PLACE_SIBLING] = { "nested b ", 2 },
	[PLACE_NESTED] = { "nested pc ", 3 },
};

/* Any program can be elsewhere than at the root: the subject executes it there. */
static void make_command(const struct subject *s, const char *command, char *words, size_t size)
{
	bool other = strncmp(s->program, "subject", 7) != 0;

	if (s->place == PLACE_ALONE)
		snprintf(words, size, "%s %s", s->program, command);
	else
		snprintf(words, size, "%s %s%s%s %s", other ? "subject" : s->program,
			 places[s->place].how, other ? "execute " : "",
			 other ? subject_path(s->program) : "", command);
}

/* The command's words are separated by single blanks. */
int subject_start(struct subject *s, const char *command)
{
	char words[512], *argv[32], *save, *word;
	const char *path;
	int argc = 0;

	make_command(s, command, words, sizeof(words));
	for (word = strtok_r(words, " ", &save); word && argc < 31;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	path = subject_path(argv[0]);

	s->failures = 0;
	s->buffered = 0;
	s->pid = fork();
	if (s->pid < 0) {
		say("fork: %m");
		return -1;
	}
	if (s->pid)
		return 0;

	dup2(s->child_in, 0);
	dup2(s->child_out, 1);
	dup2(s->child_out, 2);
	close_range(3, ~0U, 0);
	if (chdir(s->dir))
		_exit(1);
	become(s->uid);
	execv(path, argv);
	dprintf(1, "FAIL exec of %s: %m\n", path);
	_exit(1);
}

/* Is there something to read, now or until the deadline? */
static int wait_readable(struct subject *s, uint64_t deadline)
{
	struct pollfd pfd = { .fd = s->out, .events = POLLIN };
	siginfo_t info = {};

	while (poll(&pfd, 1, 20) == 0) {
		if (now_ns() > deadline) {
			say("subject %d says nothing", s->pid);
			return -1;
		}
		/* The pipe is open here, too, and so does not tell its end. */
		if (waitid(P_PID, s->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    info.si_pid) {
			if (poll(&pfd, 1, 0) > 0)
				break;
			say("subject %d ended early (code %d, status %d)", s->pid,
			    info.si_code, info.si_status);
			return -1;
		}
	}
	return 0;
}

/* Reads the next line that is not about a failed check. */
int subject_read(struct subject *s)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	ssize_t n;
	char *end;

	for (;;) {
		end = memchr(s->buffer, '\n', s->buffered);
		if (end) {
			*end = 0;
			strcpy(s->line, s->buffer);
			s->buffered -= end + 1 - s->buffer;
			memmove(s->buffer, end + 1, s->buffered);
			if (strncmp(s->line, "FAIL", 4))
				return 0;
			say("subject: %s", s->line);
			s->failures++;
			continue;
		}
		if (s->buffered == sizeof(s->buffer)) {
			say("the subject's line is too long");
			return -1;
		}
		if (wait_readable(s, deadline))
			return -1;
		n = read(s->out, s->buffer + s->buffered, sizeof(s->buffer) - s->buffered);
		if (n <= 0)
			return -1;
		s->buffered += n;
	}
}

int subject_expect(struct subject *s, const char *line)
{
	if (subject_read(s))
		return -1;
	if (strcmp(s->line, line)) {
		say("subject says \"%s\", not \"%s\"", s->line, line);
		return -1;
	}
	return 0;
}

int subject_go(struct subject *s)
{
	return write(s->in, "g", 1) == 1 ? 0 : -1;
}

/* Waits until it has ended by the given signal, or by exit(0) for 0. */
int subject_reap(struct subject *s, int signal)
{
	int status;

	if (waitpid(s->pid, &status, 0) != s->pid) {
		say("waitpid: %m");
		return -1;
	}
	s->pid = 0;
	if (signal ? !WIFSIGNALED(status) || WTERMSIG(status) != signal : status) {
		say("subject ended with status %#x", status);
		return -1;
	}
	return 0;
}

/* Waits until all of it, which comes to us, is dead: the subject itself by SIGKILL. */
int subject_reap_tree(struct subject *s)
{
	int status, ret = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0)
		if (pid == s->pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			ret = 0;
	if (ret)
		say("the subject was not killed");
	return ret;
}

/* It has nothing more to say than "done". */
int subject_end(struct subject *s)
{
	if (subject_expect(s, "done") || subject_reap(s, 0))
		return -1;
	return s->failures ? -1 : 0;
}

/*
 * "left SET LEFT LEAST MOST": of so many nanoseconds so many are left, after between
 * so many, while it was dead included. Returns 0, -1: that is wrong, 1: another line.
 */
int subject_judge_left(struct subject *s)
{
	long long set, left, least, most;

	if (sscanf(s->line, "left %lld %lld %lld %lld", &set, &left, &least, &most) != 4)
		return 1;
	/* While it was dead nothing has passed. */
	most -= s->dead_ns;
	if (left <= set - least && left >= set - most)
		return 0;
	say("of %lld %lld are left after %lld to %lld", set, left, least, most);
	return -1;
}

static int no_judge(struct subject *s)
{
	return 1;
}

/*
 * A whole run, in which something is done each time it is ready. @judge looks at
 * other lines that it tells: 0, -1: a failure, 1: no such line is known.
 */
int subject_run_judged(struct subject *s, const char *command, enum way way,
		       int (*judge)(struct subject *s))
{
	int ret;

	if (subject_start(s, command))
		return -1;
	for (;;) {
		if (subject_read(s))
			return -1;
		if (!strcmp(s->line, "done"))
			break;
		if (!strncmp(s->line, "SKIP ", 5)) {
			snprintf(s->skipped, sizeof(s->skipped), "%s", s->line + 5);
			continue;
		}
		if (!strcmp(s->line, "ready")) {
			if (subject_cycle(s, way) || subject_go(s))
				return -1;
			continue;
		}
		ret = judge(s);
		if (ret > 0) {
			say("subject says \"%s\"", s->line);
			return -1;
		}
		s->failures -= ret;
	}
	if (subject_reap(s, 0))
		return -1;
	return s->failures ? -1 : 0;
}

int subject_run(struct subject *s, const char *command, enum way way)
{
	return subject_run_judged(s, command, way, no_judge);
}

/* The process that its mode runs in. It has no children, and is its parent's youngest. */
pid_t subject_inner(const struct subject *s)
{
	int depth = places[s->place].depth;
	char path[64], list[256];
	pid_t pid = s->pid;

	for (; depth && pid; depth--) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
		if (read_file(path, list, sizeof(list)) <= 0)
			return 0;
		/* Each number is followed by a blank. */
		list[strlen(list) - 1] = 0;
		pid = atoi(strrchr(list, ' ') ?: list);
	}
	return pid;
}

/* Waits for a state letter of /proc/PID/stat. */
int subject_in_state(pid_t pid, char state)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char path[64], buf[512], *p = NULL;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (;;) {
		if (read_file(path, buf, sizeof(buf)) > 0) {
			p = strrchr(buf, ')');
			if (p && p[2] == state)
				return 0;
		}
		if (now_ns() > deadline)
			break;
		poll_pause();
	}
	say("process %d is in state %c, not %c", pid, p ? p[2] : '?', state);
	return -1;
}

/* Waits until the thread is blocked in a system call. */
int subject_in_syscall(pid_t pid, pid_t tid, long nr)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char path[64], buf[256], *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	for (;;) {
		if (read_file(path, buf, sizeof(buf)) > 0 &&
		    strtol(buf, &end, 10) == nr && end != buf)
			return 0;
		if (now_ns() > deadline)
			break;
		poll_pause();
	}
	say("thread %d is not in system call %ld but: %s", tid, nr, buf);
	return -1;
}

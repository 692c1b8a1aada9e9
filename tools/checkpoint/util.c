// SPDX-License-Identifier: GPL-2.0-only
/* Small things that several subcommands need. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "ckpt.h"

/* The signal that asked us to stop, or 0. */
volatile sig_atomic_t interrupted;

static void vwarn(const char *format, va_list args, const char *reason)
{
	char line[4096 + 512];
	int n = vsnprintf(line, sizeof(line), format, args);

	if (n < 0)
		return;
	/* One write, so that lines of several programs do not mix. */
	fprintf(stderr, reason ? "ckpt: %s: %s\n" : "ckpt: %s\n", line, reason);
}

void warn_errno(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwarn(format, args, strerror(err));
	va_end(args);
}

void warn_text(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwarn(format, args, NULL);
	va_end(args);
}

int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwarn(format, args, NULL);
	va_end(args);
	fprintf(stderr, "Try 'ckpt --help'.\n");
	return STATUS_USAGE;
}

int status_of(int err)
{
	switch (err) {
	case 0:
		return STATUS_OK;
	case EPERM:
	case EACCES:
		return STATUS_PERMISSION;
	case EOPNOTSUPP:
	case EBUSY:
	case ETIMEDOUT:
		return STATUS_OBSTACLE;
	case EBADMSG:
	case E2BIG:
		return STATUS_DAMAGED;
	case ENOEXEC:
	case ESTALE:
	case EEXIST:
		return STATUS_MISMATCH;
	}
	return STATUS_OTHER;
}

/* What an errno of checkpoint() or restart() means. */
const char *reason_of(int err)
{
	switch (err) {
	case ENOSYS:
		return "this kernel cannot checkpoint and restart";
	case EOPNOTSUPP:
		return "it has state that cannot be saved";
	case EBADF:
		return "something from outside is not supplied as it is needed";
	case EBUSY:
		return "it changed while it was being saved";
	case ETIMEDOUT:
		return "a task did not stop in time";
	case EBADMSG:
		return "the image is damaged or incomplete, or this is no image";
	case E2BIG:
		return "the image has something that this kernel does not know";
	case ENOEXEC:
		return "the image is for another system";
	case ESTALE:
		return "a file is missing or has changed";
	case EEXIST:
		return "a pid is in use";
	}
	return strerror(err);
}

const char *size_text(char buf[SIZE_TEXT], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1023.95 && unit < (int)sizeof(units) - 2) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, SIZE_TEXT, "%u bytes", (unsigned int)bytes);
	else
		snprintf(buf, SIZE_TEXT, "%.1f %ciB", value, units[unit]);
	return buf;
}

bool parse_pid(const char *text, pid_t *pid)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value <= 0 || value != (pid_t)value)
		return false;
	*pid = (pid_t)value;
	return true;
}

bool parse_seconds(const char *text, uint32_t *ms)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (errno || end == text || *end || !(value >= 0.001 && value <= 4000000))
		return false;
	*ms = (uint32_t)(value * 1000 + 0.5);
	return true;
}

bool parse_stats(const char *text, enum stats_form *form)
{
	if (text && strcmp(text, "json") && strcmp(text, "text"))
		return false;
	*form = text && !strcmp(text, "json") ? STATS_JSON : STATS_TEXT;
	return true;
}

/* The name of a task; a made-up one if it cannot be known. */
void read_comm(pid_t pid, char comm[TASK_COMM])
{
	char path[40];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, comm, TASK_COMM - 1);
		close(fd);
	}
	if (n > 0 && comm[n - 1] == '\n')
		n--;
	if (n <= 0) {
		strcpy(comm, "process");
		return;
	}
	comm[n] = '\0';
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

/* An image must not become a standard stream if one of those is closed. */
int above_std(int fd)
{
	int high, err;

	if (fd < 0 || fd > 2)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	err = errno;
	close(fd);
	errno = err;
	return high;
}

static void note_signal(int sig)
{
	interrupted = sig;
}

/* From now on these signals make the system call return EINTR. */
void catch_interrupts(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction act = { .sa_handler = note_signal };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &act, &old);
		if (old.sa_handler == SIG_IGN)	/* nohup(1) */
			sigaction(signals[i], &old, NULL);
	}
}

/* End as the program that a signal ended would, but without a core file. */
void die_by(int sig)
{
	sigset_t set;

	prctl(PR_SET_DUMPABLE, 0);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);
}

void print_stats(enum stats_form form, const struct checkpoint_stats *stats, uint64_t wall_ns)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "image_bytes", stats->image_bytes }, { "page_bytes", stats->page_bytes },
		{ "tasks", stats->tasks }, { "processes", stats->processes },
		{ "freeze_ns", stats->freeze_ns }, { "collect_ns", stats->collect_ns },
		{ "save_ns", stats->save_ns }, { "memory_ns", stats->memory_ns },
		{ "write_ns", stats->write_ns }, { "release_ns", stats->release_ns },
		{ "frozen_ns", stats->frozen_ns }, { "total_ns", stats->total_ns },
		{ "wall_ns", wall_ns },
	};
	size_t i, n = sizeof(rows) / sizeof(rows[0]);

	if (form == STATS_NONE)
		return;
	for (i = 0; i < n; i++) {
		if (form == STATS_JSON)
			fprintf(stderr, "%s\"%s\": %llu%s", i ? ", " : "{", rows[i].name,
				(unsigned long long)rows[i].value, i + 1 == n ? "}\n" : "");
		else
			fprintf(stderr, "%-12s %12llu\n", rows[i].name,
				(unsigned long long)rows[i].value);
	}
}

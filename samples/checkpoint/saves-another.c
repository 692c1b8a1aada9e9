// SPDX-License-Identifier: GPL-2.0-only
/*
 * saves-another PID IMAGE: saves a process, which goes on; or tells everything
 * that stands in the way, in a form that a program can act on.
 * saves-another - IMAGE: restarts it, and waits for its end.
 */
#include <checkpoint.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void print_messages(FILE *log)
{
	struct checkpoint_messages messages;
	struct checkpoint_message message;
	char text[2 * CKPT_MSG_MAX];

	rewind(log);
	checkpoint_messages_init(&messages, fileno(log));
	while (checkpoint_next_message(&messages, &message) > 0) {
		checkpoint_format_message(&message, text, sizeof(text));
		fprintf(stderr, "%s (%s): %s\n", checkpoint_kind_name(message.kind),
			checkpoint_reason_name(message.code), text);
	}
}

static int save(pid_t pid, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct checkpoint_stats stats = { 0 };
	FILE *log = tmpfile();
	struct checkpoint_args args = {
		.stats = (unsigned long)&stats, .stats_size = sizeof(stats),
	};

	if (fd < 0 || !log)
		err(1, "%s", path);
	args.log_fd = fileno(log);
	if (checkpoint_ext(pid, fd, 0, &args, sizeof(args)) < 0) {
		warn("process %d is not saved", pid);
		print_messages(log);
		unlink(path);
		return 1;
	}
	printf("%llu bytes, it stood still for %llu us\n",
	       (unsigned long long)stats.image_bytes,
	       (unsigned long long)stats.frozen_ns / 1000);
	return 0;
}

static int bring_back(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	FILE *log = tmpfile();
	struct restart_args args = { 0 };
	int status;
	pid_t pid;

	if (fd < 0 || !log)
		err(1, "%s", path);
	args.log_fd = fileno(log);
	pid = restart_ext(0, fd, 0, &args, sizeof(args));
	if (pid < 0) {
		warn("%s is not restarted", path);
		print_messages(log);
		return 1;
	}
	printf("process %d is back\n", pid);
	fflush(stdout);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: saves-another PID|- IMAGE");
	return strcmp(argv[1], "-") ? save(atoi(argv[1]), argv[2]) : bring_back(argv[2]);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The message channel of one system call: a memfd, because a pipe that is full
 * would keep the kernel, and with it the frozen tree, waiting for us.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ckpt.h"

/* Without a log the call still works: -1 is a valid log_fd. */
int log_open(struct call_log *log)
{
	log->obstacles = 0;
	log->fd = above_std(memfd_create("ckpt-messages", MFD_CLOEXEC));
	return log->fd;
}

/* Prints all messages and closes the log. */
void log_print(struct call_log *log, bool quiet)
{
	struct checkpoint_messages *msgs;
	struct checkpoint_message msg;
	char text[CKPT_MSG_MAX * 4 + 512];
	struct stat st;
	int ret;

	if (log->fd < 0 || fstat(log->fd, &st) || !st.st_size)
		goto out;
	msgs = malloc(sizeof(*msgs));
	if (!msgs)
		goto out;
	lseek(log->fd, 0, SEEK_SET);
	checkpoint_messages_init(msgs, log->fd);
	while ((ret = checkpoint_next_message(msgs, &msg)) != 0) {
		if (ret < 0 && errno != EBADMSG)
			break;
		if (ret < 0)
			continue;
		if (msg.kind == CHECKPOINT_OBSTACLE)
			log->obstacles++;
		if (quiet && msg.kind == CHECKPOINT_NOTE)
			continue;
		checkpoint_format_message(&msg, text, sizeof(text));
		fprintf(stderr, "ckpt: %s\n", text);
	}
	free(msgs);
out:
	log_close(log);
}

void log_close(struct call_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

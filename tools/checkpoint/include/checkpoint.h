/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcheckpoint: save a tree of processes into an image and bring it back.
 *
 * See checkpoint(2), restart(2) and libcheckpoint(3).
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include <stddef.h>
#include <sys/types.h>

#include <linux/checkpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* System call numbers, for libcs that do not know them yet. */
#ifndef __NR_checkpoint
#define __NR_checkpoint	600
#endif
#ifndef __NR_restart
#define __NR_restart	601
#endif

long checkpoint(pid_t pid, int fd, unsigned long flags);
long checkpoint_ext(pid_t pid, int fd, unsigned long flags,
		    const struct checkpoint_args *args, size_t size);
long restart(pid_t pid, int fd, unsigned long flags);
long restart_ext(pid_t pid, int fd, unsigned long flags,
		 const struct restart_args *args, size_t size);

/**
 * enum checkpoint_message_kind - the first word of a message
 * @CHECKPOINT_OBSTACLE: something that keeps a task from being saved
 * @CHECKPOINT_ERROR: what made the call fail
 * @CHECKPOINT_NOTE: worth knowing; the call did not fail because of it
 */
enum checkpoint_message_kind {
	CHECKPOINT_OBSTACLE,
	CHECKPOINT_ERROR,
	CHECKPOINT_NOTE,
};

#define CHECKPOINT_COMM_MAX	64	/* bytes of a comm, final zero included */

/**
 * struct checkpoint_message - one message of checkpoint() or restart()
 * @kind: enum checkpoint_message_kind
 * @code: enum ckpt_reason; it may be one that this library does not know
 * @err: the errno value that this message leads to, 0 for a note
 * @pid: the process, 0: none
 * @tid: the thread, 0: none
 * @fd: the file descriptor, -1: none
 * @start: first address of a range
 * @end: address behind the last, 0: no range
 * @comm: name of the task, as it is (not escaped)
 * @text: for people
 */
struct checkpoint_message {
	int kind;
	int code;
	int err;
	pid_t pid;
	pid_t tid;
	int fd;
	unsigned long long start;
	unsigned long long end;
	char comm[CHECKPOINT_COMM_MAX];
	char text[CKPT_MSG_MAX];
};

/**
 * struct checkpoint_messages - reads messages one by one from a descriptor
 * @fd: a pipe or a file at the position of the first message
 * @eof: set when the end was seen
 * @begin: private
 * @end: private
 * @buf: private
 *
 * Filled by checkpoint_messages_init().
 */
struct checkpoint_messages {
	int fd;
	int eof;
	size_t begin;
	size_t end;
	char buf[4 * CKPT_MSG_MAX];
};

void checkpoint_messages_init(struct checkpoint_messages *msgs, int fd);
int checkpoint_next_message(struct checkpoint_messages *msgs,
			    struct checkpoint_message *msg);
int checkpoint_parse_message(const char *line, size_t length,
			     struct checkpoint_message *msg);
int checkpoint_format_message(const struct checkpoint_message *msg,
			      char *buf, size_t size);
const char *checkpoint_reason_name(int code);
const char *checkpoint_kind_name(int kind);

#ifdef __cplusplus
}
#endif

#endif /* CHECKPOINT_H */

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECKPOINT_SUBJECT_SOCKET_H
#define CHECKPOINT_SUBJECT_SOCKET_H

#include <sys/socket.h>

#include "subject.h"

/**
 * struct sockopt_value - what getsockopt(2) says of an option
 * @ret: what it returned
 * @err: errno
 * @len: bytes in @bytes
 * @bytes: the value
 */
struct sockopt_value {
	int ret;
	int err;
	socklen_t len;
	char bytes[64];
};

struct sockopt_value *sockopts_get(int fd);
void sockopts_same(struct sockopt_value *was, int fd);

/* subject_unix.c: a descriptor in a message with this text */
void send_fd(int to, const char *data, int fd);
int receive_fd(int from, const char *want);

#endif /* CHECKPOINT_SUBJECT_SOCKET_H */

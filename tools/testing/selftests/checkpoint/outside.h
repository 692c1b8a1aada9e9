/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests about the outside share: calls with lists, and their messages. */
#ifndef CHECKPOINT_OUTSIDE_H
#define CHECKPOINT_OUTSIDE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

static inline struct checkpoint_entry entry(const char *name, const char *value, int fd)
{
	return (struct checkpoint_entry){
		.name = (uintptr_t)name, .name_len = strlen(name),
		.value = (uintptr_t)value, .value_len = value ? strlen(value) : 0, .fd = fd,
	};
}

static inline int restart(struct subject *s, struct restart_args *args)
{
	int fd = open(s->image, O_RDONLY | O_CLOEXEC), i, saved[3];
	long ret;

	args->log_fd = s->log_fd;
	if (ftruncate(s->log_fd, 0))
		return -1;
	fflush(NULL);
	for (i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
	dup2(s->child_in, 0);
	dup2(s->child_out, 1);
	dup2(s->child_out, 2);
	ret = sys_restart(0, fd, RESTART_ARGS, args, sizeof(*args));
	s->err = ret < 0 ? errno : 0;
	for (i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	close(fd);
	if (ret <= 0)
		return -1;
	s->pid = ret;
	return 0;
}

/* Is there such a message, with all of these words? */
static inline bool told(struct subject *s, const char *kind, int code, const char *a, const char *b)
{
	struct message m[32];
	int i, n = messages_read(s, m, ARRAY_SIZE(m));

	for (i = 0; i < n; i++)
		if (!strcmp(m[i].word, kind) && m[i].code == code && strstr(m[i].text, a) &&
		    strstr(m[i].text, b))
			return true;
	say("no %s with code %d, \"%s\" and \"%s\"", kind, code, a, b);
	messages_show(s);
	return false;
}

static inline char *in_dir(struct subject *s, const char *name)
{
	static char path[4][160];
	static int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", s->dir, name);
	return path[n];
}

#endif /* CHECKPOINT_OUTSIDE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* A terminal with a program in it, and somebody who types and reads. */
#ifndef CHECKPOINT_TERM_H
#define CHECKPOINT_TERM_H

#include "common.h"

/**
 * struct term - a pseudoterminal and the leader of its session
 * @pid: the leader, 0: none
 * @fd: the master
 * @text: what has come and was not expected yet
 * @len: bytes of it
 */
struct term {
	pid_t pid;
	int fd;
	char text[65536];
	size_t len;
};

/* All return 0, or -1 after saying why. */
int term_start(struct term *t, const char *dir, int rows, int cols, const char * const *argv);
int term_type(struct term *t, const char *keys);
int term_expect(struct term *t, const char *want);
int term_wait_job(pid_t shell, const char *comm);
int term_end(struct term *t, int status);
void term_destroy(struct term *t);

/* The ckpt command that was built with the tests, or that is installed. */
const char *ckpt_command(void);
int run_ckpt(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* CHECKPOINT_TERM_H */

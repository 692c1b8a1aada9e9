/* SPDX-License-Identifier: GPL-2.0-only */
/* Pseudoterminals of the subject. */
#ifndef CHECKPOINT_SUBJECT_TTY_H
#define CHECKPOINT_SUBJECT_TTY_H

struct pty {
	int master, slave;
	char name[64];
};

#define HERE	__FILE__, __LINE__

/* subject_tty.c */
struct pty pty_open(void);
void type(int fd, const char *text);
void check_read(const char *file, int line, int fd, const char *want);

#endif /* CHECKPOINT_SUBJECT_TTY_H */

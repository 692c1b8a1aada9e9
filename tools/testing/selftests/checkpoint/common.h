/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs share: a process under test (subject), the calls that
 * save and restart it, the messages of the kernel, a picture of its /proc
 * files, and a reader of images.
 */
#ifndef CHECKPOINT_COMMON_H
#define CHECKPOINT_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "../../../../include/uapi/linux/checkpoint.h"
#include "../../../../include/uapi/linux/checkpoint_image.h"

#ifndef __NR_checkpoint
#define __NR_checkpoint	600
#define __NR_restart	601
#endif

/* Emulation and the checkers of a debug kernel make everything slow. */
#define TEST_TIMEOUT	240	/* one test, in seconds */
#define WAIT_TIMEOUT	100	/* one condition, in seconds */

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

static inline long sys_checkpoint(pid_t pid, int fd, unsigned long flags,
				  const void *args, size_t size)
{
	return syscall(__NR_checkpoint, pid, fd, flags, args, size);
}

static inline long sys_restart(pid_t pid, int fd, unsigned long flags,
			       const void *args, size_t size)
{
	return syscall(__NR_restart, pid, fd, flags, args, size);
}

/* An ordinary user. */
#define TEST_USER	1000

/* Of System V shared memory that outlives a subject. */
#define SUBJECT_SHM_KEY	0x636b7074

/* What is done to a subject each time it says that it is ready. */
enum way {
	WAY_NONE,	/* nothing: shows that the test itself is right */
	WAY_GO_ON,	/* saved, goes on */
	WAY_STOP,	/* saved and stopped, then continued */
	WAY_KILL,	/* saved and killed, then restarted */
};

/* Where the process under test is in the tree that is saved. */
enum place {
	PLACE_ALONE,	/* it is the tree */
	PLACE_SIBLING,	/* beside a brother, with a state of his own */
	PLACE_NESTED,	/* in a pid namespace that was made in the tree */
};

#define SUBJECT_LINE	512

/**
 * struct subject - a process under test
 * @pid: of the process, 0: not running
 * @dir: its scratch and working directory, removed at the end
 * @image: path of the image file
 * @log_fd: file with the messages of the last call
 * @in: our end of its standard input
 * @out: our end of its standard output and error
 * @child_in: its own end of @in, kept for the restarted process
 * @child_out: likewise of @out
 * @err: errno of the last call, 0 after success
 * @id: what the last successful checkpoint() returned
 * @dead_ns: how long it was dead (between the calls) in all cycles
 * @uid: user that it is started as
 * @place: where its mode runs; @pid is that of the root in any case
 * @program: in place of "subject"
 * @cgroup_fd: of the next restart with RESTART_CGROUPS
 * @moving: it computes or calls the kernel while it is looked at
 * @children_move: its children do, and open, close or end
 * @files_only: of /proc compare only descriptors
 * @nosnap: do not compare /proc
 * @failures: failed checks that it has told
 * @skipped: why it cannot be tested here
 * @line: the last line read from it
 */
struct subject {
	pid_t pid;
	char dir[64];
	char image[80];
	int log_fd;
	int in, out;
	int child_in, child_out;
	int err;
	long id;
	uint64_t dead_ns;
	uid_t uid;
	enum place place;
	const char *program;
	int cgroup_fd;
	bool moving;
	bool children_move;
	bool files_only;
	bool nosnap;
	int failures;
	char skipped[64];
	char line[SUBJECT_LINE];
	char buffer[SUBJECT_LINE];
	size_t buffered;
};

/* subject_control.c: all return 0, or -1 after saying why */
int subject_init(struct subject *s);
void subject_destroy(struct subject *s);
int subject_start(struct subject *s, const char *command);
int subject_read(struct subject *s);
int subject_expect(struct subject *s, const char *line);
int subject_go(struct subject *s);
int subject_end(struct subject *s);
int subject_reap(struct subject *s, int signal);
int subject_reap_tree(struct subject *s);
int subject_run(struct subject *s, const char *command, enum way way);
int subject_judge_left(struct subject *s);
int subject_run_judged(struct subject *s, const char *command, enum way way,
		       int (*judge)(struct subject *s));
int subject_become_user(struct subject *s, int cap);
pid_t subject_inner(const struct subject *s);
int subject_in_state(pid_t pid, char state);
int subject_in_syscall(pid_t pid, pid_t tid, long nr);
const char *subject_path(const char *program);

/* call.c: 0, or -1 with @err set; the image is the subject's image file */
int subject_save(struct subject *s, unsigned long flags);
int subject_save_fd(struct subject *s, int fd, unsigned long flags);
int subject_restart(struct subject *s, unsigned long flags);
int subject_restart_fd(struct subject *s, int fd, unsigned long flags);
int subject_cycle(struct subject *s, enum way way);
enum way way_now(enum way way);

/**
 * struct message - one line of the message channel
 * Members are those of the line, see CKPT_MSG.
 */
struct message {
	char word[16];
	int code, err, pid, tid, fd;
	unsigned long start, end;
	char comm[80];
	char text[256];
};

int messages_read(struct subject *s, struct message *m, int max);
int messages_count(struct subject *s, const char *word, int code, const char *text);
bool message_has(struct subject *s, const char *word, int code);
void messages_show(struct subject *s);

/* snapshot.c: what /proc tells of a process */
enum snap_flags {
	SNAP_MOVING = 1,
	SNAP_TREE = 2,
	SNAP_FILES = 4,
};

char *snapshot_take(pid_t pid, unsigned int flags);
char *snapshot_open_files(const pid_t *pids, int nr);
int snapshot_compare(const char *before, const char *after, bool quiet);
int snapshot_same(const char *before, pid_t pid, unsigned int flags);
void snapshot_hide_inode(char *line);

/* image.c: the image in memory */
struct image {
	uint8_t *data;
	size_t size;
	struct unpacked *unpacked;	/* what image_payload() gave */
};

int image_load(struct image *image, const char *path);
void image_free(struct image *image);
int image_store(const struct image *image, const char *path);
size_t image_next(const struct image *image, size_t offset);
size_t image_find(const struct image *image, uint32_t type, unsigned int nr);
void *image_payload(struct image *image, uint32_t type, unsigned int nr);
int image_unpack(struct image *image, uint32_t type, unsigned int nr);
void image_seal(struct image *image, size_t offset);

/* util.c */
uint64_t now_ns(void);
void poll_pause(void);
uint64_t chain(uint64_t state, uint64_t rounds);
uint64_t hash_memory(const void *data, size_t size);
void fill_memory(void *data, size_t size, uint64_t seed);
bool debug_kernel(void);
int count_tasks(void);
int count_fds(void);
int read_file(const char *path, char *buf, size_t size);
int write_file(const char *path, const void *data, size_t size);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* CHECKPOINT_COMMON_H */

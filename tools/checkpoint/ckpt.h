/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the ckpt command share. */
#ifndef CKPT_H
#define CKPT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <checkpoint.h>

/* Exit statuses, numbers of <sysexits.h>. */
enum status {
	STATUS_OK = 0,
	STATUS_USAGE = 64,
	STATUS_DAMAGED = 65,
	STATUS_OBSTACLE = 69,
	STATUS_OTHER = 70,
	STATUS_PERMISSION = 77,
	STATUS_MISMATCH = 78,
};

enum stats_form { STATS_NONE, STATS_TEXT, STATS_JSON };

#define SIZE_TEXT	16
#define TASK_COMM	64

/* util.c */
extern volatile sig_atomic_t interrupted;
void warn_errno(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void warn_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
int status_of(int err);
const char *reason_of(int err);
const char *size_text(char buf[SIZE_TEXT], uint64_t bytes);
bool parse_pid(const char *text, pid_t *pid);
bool parse_seconds(const char *text, uint32_t *ms);
bool parse_stats(const char *text, enum stats_form *form);
void read_comm(pid_t pid, char comm[TASK_COMM]);
uint64_t now_ns(void);
double seconds(uint64_t ns);
int above_std(int fd);
void catch_interrupts(void);
void die_by(int sig) __attribute__((noreturn));
void print_stats(enum stats_form form, const struct checkpoint_stats *stats, uint64_t wall_ns);

/* log.c: the message channel of one system call */
struct call_log {
	int fd;
	unsigned int obstacles;
};

int log_open(struct call_log *log);
void log_print(struct call_log *log, bool quiet);
void log_close(struct call_log *log);

/* outside.c: options of which each adds to a list */
struct entries {
	struct checkpoint_entry *array;
	uint32_t nr;
};

int add_external(struct entries *list, const char *key);
int add_inherit(struct entries *list, const char *arg);
int add_relocate(struct entries *list, const char *arg);
int add_root(struct entries *list, const char *dir);
int add_changed(struct entries *list, uint32_t *classes, const char *arg);

/* output.c: the file that an image is saved into */
struct output {
	int fd;
	bool temporary;		/* @temp becomes @path when complete */
	char *path;
	char *temp;
};

int output_open(struct output *out, const char *path);
int output_rewind(const struct output *out);
int output_commit(struct output *out);
void output_discard(struct output *out);
void output_keep(struct output *out);

/* progress.c */
struct progress {
	const char *what;
	int fd;			/* the image */
	bool writing;
	uint64_t expected;	/* bytes, 0: not known */
};

void progress_start(const struct progress *progress);
void progress_stop(void);

/* foreground.c */
int run_in_foreground(pid_t pid, bool frozen);
void forward_signals(void);
void terminal_remember(void);
void terminal_take_back(void);

/* pty.c */
extern int pty_slave;
int pty_run(bool image_from_stdin, int *status);
void pty_streams(bool program);
void pty_started(void);

/* The subcommands: argv[0] is the subcommand's name. */
int cmd_save(int argc, char **argv);
int cmd_restart(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_check(int argc, char **argv);

int save_short(const char *pid, const char *file);
int restart_short(const char *file);
int dry_run(pid_t pid, unsigned long flags, uint32_t timeout_ms, const struct entries *external,
	    bool quiet);
int print_help(const char *text);

extern const char save_help[], restart_help[], show_help[], verify_help[], check_help[];

#endif /* CKPT_H */

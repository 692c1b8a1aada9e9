// SPDX-License-Identifier: GPL-2.0-only
/* ckpt save: a tree of processes into an image. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ckpt.h"

const char save_help[] =
"usage: ckpt save PID [OPTION]...\n"
"       ckpt -f PID FILE\n"
"Save the process PID and its descendants into an image; they go on.\n"
"\n"
"  -o, --output FILE     where to; '-' is standard output (COMM.PID.ckpt)\n"
"      --kill            kill the tree when the image is complete\n"
"      --stop            leave the tree stopped, as by SIGSTOP\n"
"      --only            the process alone, without its descendants\n"
"      --external KEY    leave what has this key to who restarts; repeatable\n"
"      --shared-files    a position in a file that others share becomes its own\n"
"      --timeout SEC     give up if the tree has not stopped by then (10)\n"
"      --retry SEC       try for so long, if obstacles may pass\n"
"      --dry-run         list all obstacles, write nothing\n"
"      --stats[=json]    print figures to standard error\n"
"  -q, --quiet           only say what went wrong\n"
"  -h, --help            this text\n";

struct save {
	pid_t pid;
	const char *file;
	unsigned long flags;
	uint32_t timeout_ms;
	uint32_t retry_ms;
	enum stats_form stats;
	struct entries external;
	bool quiet;
	char comm[TASK_COMM];
};

enum {
	OPT_KILL = 256, OPT_STOP, OPT_ONLY, OPT_TIMEOUT, OPT_DRY_RUN, OPT_STATS, OPT_EXTERNAL,
	OPT_SHARED_FILES, OPT_RETRY,
};

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "kill", no_argument, NULL, OPT_KILL },
	{ "stop", no_argument, NULL, OPT_STOP },
	{ "only", no_argument, NULL, OPT_ONLY },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "retry", required_argument, NULL, OPT_RETRY },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "stats", optional_argument, NULL, OPT_STATS },
	{ "external", required_argument, NULL, OPT_EXTERNAL },
	{ "shared-files", no_argument, NULL, OPT_SHARED_FILES },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* COMM.PID.ckpt, whatever the program calls itself. */
static char *default_name(const struct save *save)
{
	char comm[TASK_COMM], *name, *p;

	strcpy(comm, save->comm);
	for (p = comm; *p; p++)
		if (*p == '/' || (unsigned char)*p < ' ' || *p == 0x7f ||
		    (p == comm && (*p == '.' || *p == '-')))
			*p = '_';
	return asprintf(&name, "%s.%d.ckpt", comm, (int)save->pid) < 0 ? NULL : name;
}

/* A guess: what the process has in memory that is not a file's. */
static uint64_t expected_size(pid_t pid)
{
	unsigned long long resident = 0, shared = 0;
	char path[40];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*u %llu %llu", &resident, &shared) != 2 || shared > resident) {
		resident = 0;
		shared = 0;
	}
	fclose(file);
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void start_progress(const struct save *save, int fd)
{
	static char what[TASK_COMM + 40];
	struct progress progress = { .what = what, .fd = fd, .writing = true };

	if (save->quiet || !isatty(STDERR_FILENO))
		return;
	snprintf(what, sizeof(what), "saving %d (%s)", (int)save->pid, save->comm);
	progress.expected = expected_size(save->pid);
	progress_start(&progress);
}

/* Returns 0 or an errno, with what the kernel said in @log. */
static int call_kernel(const struct save *save, int fd, struct checkpoint_stats *stats,
		       struct call_log *log)
{
	struct checkpoint_args args = {
		.timeout_ms = save->timeout_ms,
		.stats = (uintptr_t)stats,
		.stats_size = sizeof(*stats),
		.external = (uintptr_t)save->external.array,
		.nr_external = save->external.nr,
	};
	long ret;
	int err;

	args.log_fd = log_open(log);
	start_progress(save, fd);
	ret = checkpoint_ext(save->pid, fd, save->flags, &args, sizeof(args));
	err = ret < 0 ? errno : 0;
	/*
	 * We were part of the tree, and this is the restarted copy: the file is
	 * the other one's business.
	 */
	if (!ret)
		_exit(STATUS_OK);
	progress_stop();
	return err;
}

/*
 * Calls until there is no obstacle, or the time for that is over. A program that
 * looks into /proc, as top(1) does, is an obstacle only for moments: nothing tells
 * when they end.
 */
static int call_repeatedly(const struct save *save, const struct output *out,
			   struct checkpoint_stats *stats)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	uint64_t end = now_ns() + save->retry_ms * 1000000ULL;
	struct call_log log;
	int err;

	for (;;) {
		err = call_kernel(save, out->fd, stats, &log);
		if (err != EOPNOTSUPP || interrupted || now_ns() >= end || output_rewind(out))
			break;
		log_close(&log);
		nanosleep(&pause, NULL);
	}
	log_print(&log, save->quiet);
	return err;
}

static void report(const struct save *save, const struct output *out,
		   const struct checkpoint_stats *stats, uint64_t wall_ns)
{
	char size[SIZE_TEXT];

	if (!save->quiet)
		fprintf(stderr, "saved %d (%s) to %s: %s in %.2f s, frozen %.2f s\n",
			(int)save->pid, save->comm, save->file ? save->file : out->path,
			size_text(size, stats->image_bytes), seconds(wall_ns),
			seconds(stats->frozen_ns));
	print_stats(save->stats, stats, wall_ns);
}

static int save_into(const struct save *save, struct output *out)
{
	/* From the end of the call on, the image may be all that there is. */
	bool keep = save->flags & (CHECKPOINT_KILL | CHECKPOINT_STOP);
	struct checkpoint_stats stats = { };
	uint64_t start = now_ns();
	int err;

	err = interrupted ? EINTR : call_repeatedly(save, out, &stats);
	if (err || (interrupted && !keep)) {
		output_discard(out);
		if (interrupted && (!err || err == EINTR))
			die_by(interrupted);
		warn_text("%d (%s) is not saved: %s", (int)save->pid, save->comm, reason_of(err));
		return status_of(err);
	}
	err = output_commit(out);
	if (err) {
		warn_errno(err, "%s", out->path);
		if (keep)
			output_keep(out);
		else
			output_discard(out);
		return status_of(err);
	}
	report(save, out, &stats, now_ns() - start);
	return STATUS_OK;
}

static int run_save(struct save *save)
{
	char *name = NULL;
	struct output out;
	int status;

	if (save->flags & CHECKPOINT_DRY_RUN)
		return dry_run(save->pid, save->flags, save->timeout_ms, &save->external,
			       save->quiet);
	read_comm(save->pid, save->comm);
	if (!save->file)
		name = default_name(save);
	if (!save->file && !name)
		return STATUS_OTHER;
	catch_interrupts();
	status = output_open(&out, name ? name : save->file);
	if (!status && save->retry_ms && !out.temporary)
		status = usage_error("save: --retry needs a regular file");
	if (!status) {
		/* Say the name as it was given, not where a link leads. */
		if (name)
			save->file = name;
		else if (!strcmp(save->file, "-"))
			save->file = NULL;
		status = save_into(save, &out);
	}
	free(out.path);
	free(out.temp);
	free(name);
	return status;
}

static int parse_option(struct save *save, int opt)
{
	switch (opt) {
	case 'o':
		save->file = optarg;
		return 0;
	case 'q':
		save->quiet = true;
		return 0;
	case OPT_KILL:
		save->flags |= CHECKPOINT_KILL;
		return 0;
	case OPT_STOP:
		save->flags |= CHECKPOINT_STOP;
		return 0;
	case OPT_ONLY:
		save->flags |= CHECKPOINT_ONLY;
		return 0;
	case OPT_DRY_RUN:
		save->flags |= CHECKPOINT_DRY_RUN;
		return 0;
	case OPT_TIMEOUT:
		if (!parse_seconds(optarg, &save->timeout_ms))
			return usage_error("save: '%s' is not a time in seconds", optarg);
		return 0;
	case OPT_RETRY:
		if (!parse_seconds(optarg, &save->retry_ms))
			return usage_error("save: '%s' is not a time in seconds", optarg);
		return 0;
	case OPT_EXTERNAL:
		return add_external(&save->external, optarg);
	case OPT_SHARED_FILES:
		save->flags |= CHECKPOINT_SHARED_FILES;
		return 0;
	case OPT_STATS:
		if (!parse_stats(optarg, &save->stats))
			return usage_error("save: unknown form '%s' of --stats", optarg);
		return 0;
	}
	fprintf(stderr, "Try 'ckpt save --help'.\n");
	return STATUS_USAGE;
}

int cmd_save(int argc, char **argv)
{
	struct save save = { };
	int opt, status;

	while ((opt = getopt_long(argc, argv, "o:qh", options, NULL)) != -1) {
		if (opt == 'h')
			return print_help(save_help);
		status = parse_option(&save, opt);
		if (status)
			return status;
	}
	if (optind + 1 != argc)
		return usage_error("save: one PID, please");
	if (!parse_pid(argv[optind], &save.pid))
		return usage_error("save: '%s' is not a pid", argv[optind]);
	if ((save.flags & CHECKPOINT_KILL) && (save.flags & CHECKPOINT_STOP))
		return usage_error("save: --kill and --stop exclude each other");
	if (save.file && !*save.file)
		return usage_error("save: the name of the file is empty");
	return run_save(&save);
}

int save_short(const char *pid, const char *file)
{
	struct save save = { .file = file };

	if (!parse_pid(pid, &save.pid))
		return usage_error("-f: '%s' is not a pid", pid);
	return run_save(&save);
}

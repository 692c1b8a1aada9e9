// SPDX-License-Identifier: GPL-2.0-only
/* ckpt restart: a tree of processes from an image. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ckpt.h"

const char restart_help[] =
"usage: ckpt restart [FILE|-] [OPTION]...\n"
"       ckpt -t FILE\n"
"Bring back the processes that an image holds. Without FILE, or with '-', the\n"
"image comes from standard input, and a program that had its standard input\n"
"from outside gets /dev/null. Waits for the program, passes signals on to it,\n"
"and ends as it does.\n"
"\n"
"      --detach          print its pid and end at once\n"
"      --pty             a new terminal in place of the one that it had\n"
"      --pidfile FILE    write its pid into FILE\n"
"      --frozen          leave the tree stopped, as by SIGSTOP\n"
"      --pids saved|new  use the pids that it had, or new ones (saved)\n"
"      --cgroups[=DIR]          in the cgroups in which it was, below DIR\n"
"                        (/sys/fs/cgroup)\n"
"      --inherit KEY=FD|PATH    what takes the place of something external\n"
"      --relocate OLD=NEW       what was below OLD is below NEW now\n"
"      --root DIR               everything else is below DIR now\n"
"      --allow-changed CLASS|PATH  accept changed files: data, log, program,\n"
"                        replaced, all, or this one\n"
"      --stats[=json]    print figures to standard error\n"
"  -q, --quiet           only say what went wrong\n"
"  -h, --help            this text\n";

struct restart {
	const char *file;
	const char *pidfile;
	unsigned long flags;
	bool detach;
	bool pty;
	struct entries inherit;
	struct entries relocate;
	struct entries changed;
	uint32_t allow_changed;
	const char *root;
	const char *cgroups;
	enum stats_form stats;
	bool quiet;
};

enum {
	OPT_DETACH = 256, OPT_PIDFILE, OPT_FROZEN, OPT_PIDS, OPT_STATS, OPT_INHERIT,
	OPT_RELOCATE, OPT_ROOT, OPT_ALLOW_CHANGED, OPT_CGROUPS, OPT_PTY,
};

static const struct option options[] = {
	{ "detach", no_argument, NULL, OPT_DETACH },
	{ "pty", no_argument, NULL, OPT_PTY },
	{ "pidfile", required_argument, NULL, OPT_PIDFILE },
	{ "frozen", no_argument, NULL, OPT_FROZEN },
	{ "pids", required_argument, NULL, OPT_PIDS },
	{ "stats", optional_argument, NULL, OPT_STATS },
	{ "cgroups", optional_argument, NULL, OPT_CGROUPS },
	{ "inherit", required_argument, NULL, OPT_INHERIT },
	{ "relocate", required_argument, NULL, OPT_RELOCATE },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "allow-changed", required_argument, NULL, OPT_ALLOW_CHANGED },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* The image moves out of the way; the program must not read from it. */
static int take_stdin(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	int null;

	if (fd < 0)
		return -1;
	null = open("/dev/null", O_RDONLY);
	if (null < 0)
		return -1;
	dup2(null, STDIN_FILENO);
	if (null != STDIN_FILENO)
		close(null);
	return fd;
}

static void start_progress(const struct restart *restart, int fd)
{
	struct progress progress = { .what = "restarting", .fd = fd };
	struct stat st;

	if (restart->quiet || !isatty(STDERR_FILENO))
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		progress.expected = (uint64_t)st.st_size;
	progress_start(&progress);
}

/* Returns a pid, or a negative errno. */
static long call_kernel(const struct restart *restart, int fd)
{
	struct checkpoint_stats stats = { };
	struct restart_args args = {
		.stats = restart->stats ? (uintptr_t)&stats : 0,
		.stats_size = restart->stats ? sizeof(stats) : 0,
		.inherit = (uintptr_t)restart->inherit.array,
		.relocate = (uintptr_t)restart->relocate.array,
		.changed = (uintptr_t)restart->changed.array,
		.nr_inherit = restart->inherit.nr,
		.nr_relocate = restart->relocate.nr,
		.nr_changed = restart->changed.nr,
		.allow_changed = restart->allow_changed,
	};
	uint64_t start = now_ns();
	struct call_log log;
	long ret;

	if (restart->cgroups) {
		args.cgroup_fd = above_std(open(restart->cgroups,
						O_PATH | O_DIRECTORY | O_CLOEXEC));
		if (args.cgroup_fd < 0)
			return -errno;
	}
	args.log_fd = log_open(&log);
	start_progress(restart, fd);
	pty_streams(true);
	ret = restart_ext(0, fd, restart->flags, &args, sizeof(args));
	if (ret < 0)
		ret = -errno;
	pty_streams(false);
	progress_stop();
	log_print(&log, restart->quiet);
	if (ret > 0)
		print_stats(restart->stats, &stats, now_ns() - start);
	return ret;
}

/* Before the restart, since afterwards it would be too late to fail. */
static int open_pidfile(const struct restart *restart)
{
	int fd = above_std(open(restart->pidfile, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));

	if (fd < 0)
		warn_errno(errno, "%s", restart->pidfile);
	return fd;
}

static bool write_pidfile(const struct restart *restart, int fd, long pid)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld\n", pid);

	/* A device or a pipe has no length to change. */
	if ((ftruncate(fd, 0) && errno != EINVAL) || write(fd, text, (size_t)len) != len) {
		warn_errno(errno, "%s: %ld was restarted, but", restart->pidfile, pid);
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

static int run_image(const struct restart *restart, int fd)
{
	int pidfile = -1;
	bool written = true;
	long pid;

	if (restart->pidfile) {
		pidfile = open_pidfile(restart);
		if (pidfile < 0)
			return status_of(errno);
	}
	if (restart->detach)
		catch_interrupts();
	else
		forward_signals();
	terminal_remember();
	pid = interrupted ? -EINTR : call_kernel(restart, fd);
	close(fd);
	if (pid <= 0) {
		if (interrupted && pid == -EINTR)
			die_by(interrupted);
		warn_text("%s is not restarted: %s",
			  restart->file ? restart->file : "the image", reason_of((int)-pid));
		return status_of((int)-pid);
	}
	if (pidfile >= 0)
		written = write_pidfile(restart, pidfile, pid);
	if (restart->detach) {
		terminal_take_back();
		printf("%ld\n", pid);
		return fflush(stdout) || !written ? STATUS_OTHER : STATUS_OK;
	}
	if (restart->flags & RESTART_FROZEN && !restart->quiet)
		warn_text("%ld is restarted and stopped: 'kill -CONT %ld' lets it go on",
			  pid, pid);
	pty_started();
	return run_in_foreground((pid_t)pid, restart->flags & RESTART_FROZEN);
}

static int run_restart(struct restart *restart)
{
	int fd, err, status;

	if (restart->file && !strcmp(restart->file, "-"))
		restart->file = NULL;
	if (!restart->file && isatty(STDIN_FILENO))
		return usage_error("restart: an image does not come from a terminal: name a file");
	fd = restart->file ? above_std(open(restart->file, O_RDONLY | O_CLOEXEC | O_NOCTTY)) :
			     take_stdin();
	if (fd < 0) {
		err = errno;
		warn_errno(err, "%s", restart->file ? restart->file : "standard input");
		return status_of(err);
	}
	if (restart->pty && pty_run(!restart->file, &status))
		return status;
	return run_image(restart, fd);
}

static int parse_option(struct restart *restart, int opt)
{
	switch (opt) {
	case 'q':
		restart->quiet = true;
		return 0;
	case OPT_DETACH:
		restart->detach = true;
		return 0;
	case OPT_PTY:
		restart->pty = true;
		return 0;
	case OPT_PIDFILE:
		restart->pidfile = optarg;
		return 0;
	case OPT_FROZEN:
		restart->flags |= RESTART_FROZEN;
		return 0;
	case OPT_PIDS:
		if (strcmp(optarg, "saved") && strcmp(optarg, "new"))
			return usage_error("restart: --pids is 'saved' or 'new'");
		restart->flags &= ~RESTART_NEW_PIDS;
		if (!strcmp(optarg, "new"))
			restart->flags |= RESTART_NEW_PIDS;
		return 0;
	case OPT_CGROUPS:
		restart->cgroups = optarg ? optarg : "/sys/fs/cgroup";
		restart->flags |= RESTART_CGROUPS;
		return 0;
	case OPT_INHERIT:
		return add_inherit(&restart->inherit, optarg);
	case OPT_RELOCATE:
		return add_relocate(&restart->relocate, optarg);
	case OPT_ROOT:
		restart->root = optarg;
		return 0;
	case OPT_ALLOW_CHANGED:
		return add_changed(&restart->changed, &restart->allow_changed, optarg);
	case OPT_STATS:
		if (!parse_stats(optarg, &restart->stats))
			return usage_error("restart: unknown form '%s' of --stats", optarg);
		return 0;
	}
	fprintf(stderr, "Try 'ckpt restart --help'.\n");
	return STATUS_USAGE;
}

int cmd_restart(int argc, char **argv)
{
	struct restart restart = { };
	int opt, status;

	while ((opt = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
		if (opt == 'h')
			return print_help(restart_help);
		status = parse_option(&restart, opt);
		if (status)
			return status;
	}
	if (argc - optind > 1)
		return usage_error("restart: one image, please");
	if (restart.pty && restart.detach)
		return usage_error("restart: --pty stays to pass on what is typed: %s",
				   "no --detach; tmux(1) lets you leave and come back");
	restart.file = argv[optind];
	/* Last, since the first that fits is taken. */
	status = restart.root ? add_root(&restart.relocate, restart.root) : 0;
	if (status)
		return status;
	return run_restart(&restart);
}

int restart_short(const char *file)
{
	struct restart restart = { .file = file };

	return run_restart(&restart);
}

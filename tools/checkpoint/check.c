// SPDX-License-Identifier: GPL-2.0-only
/* ckpt check: what this kernel can do, or what keeps a process from being saved. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/checkpoint_image.h>

#include "ckpt.h"

const char check_help[] =
"usage: ckpt check [PID] [OPTION]...\n"
"Without PID: say what this kernel supports. With PID: list every obstacle that\n"
"keeps the process and its descendants from being saved; they go on.\n"
"\n"
"      --only            the process alone, without its descendants\n"
"      --external KEY    as for 'ckpt save'\n"
"      --shared-files    as for 'ckpt save'\n"
"      --timeout SEC     give up if the tree has not stopped by then (10)\n"
"  -q, --quiet           only say what is wrong\n"
"  -h, --help            this text\n";

struct flag {
	unsigned long flag;
	const char *name;
};

static const struct flag checkpoint_flags[] = {
	{ CHECKPOINT_KILL, "kill" },
	{ CHECKPOINT_STOP, "stop" },
	{ CHECKPOINT_ONLY, "only" },
	{ CHECKPOINT_DRY_RUN, "dry-run" },
	{ CHECKPOINT_SHARED_FILES, "shared-files" },
	{ }
};

static const struct flag restart_flags[] = {
	{ RESTART_FROZEN, "frozen" },
	{ RESTART_NEW_PIDS, "new-pids" },
	{ RESTART_CGROUPS, "cgroups" },
	{ }
};

/* The errno of a call that cannot succeed: nobody has this pid, nor this fd. */
static int probe_checkpoint(unsigned long flag)
{
	return checkpoint(INT_MAX, -1, flag) < 0 ? errno : 0;
}

static int probe_restart(unsigned long flag)
{
	return restart(0, -1, flag) < 0 ? errno : 0;
}

static int print_call(const char *name, int (*probe)(unsigned long), const struct flag *flags)
{
	const char *separator = "; flags: ";
	int err = probe(0);

	if (err == ENOSYS || (err == EPERM && probe(1UL << 29) == EPERM)) {
		printf("%s no (%s)\n", name, strerror(err));
		return STATUS_OTHER;
	}
	printf("%s yes", name);
	for (; flags->name; flags++) {
		if (probe(flags->flag) == EINVAL)
			continue;
		printf("%s%s", separator, flags->name);
		separator = ", ";
	}
	putchar('\n');
	return STATUS_OK;
}

/* CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, in the effective set. */
static bool may_choose_pids(void)
{
	unsigned long long caps = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		return !geteuid();
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(file);
	return caps & (1ULL << 21 | 1ULL << 40);
}

static int check_kernel(void)
{
	struct utsname name;
	int status;

	uname(&name);
	printf("kernel:       %s %s %s\n", name.sysname, name.release, name.machine);
	status = print_call("checkpoint():", probe_checkpoint, checkpoint_flags);
	if (print_call("restart():   ", probe_restart, restart_flags))
		status = STATUS_OTHER;
	printf("saved pids:   %s\n", may_choose_pids() ?
	       "yes" : "no (restarting with them needs CAP_CHECKPOINT_RESTORE)");
	printf("image format: %d, as this command reads it\n", CKPT_IMAGE_VERSION);
	printf("limits:       one file descriptor table, file system context and signal\n"
	       "              handler table for each process; what else cannot be saved\n"
	       "              'ckpt check PID' tells for a process\n");
	if (status)
		warn_text("%s", reason_of(ENOSYS));
	return status;
}

/* Lists the obstacles of a tree; returns an exit status. */
int dry_run(pid_t pid, unsigned long flags, uint32_t timeout_ms, const struct entries *external,
	    bool quiet)
{
	struct checkpoint_args args = {
		.timeout_ms = timeout_ms,
		.external = (uintptr_t)external->array,
		.nr_external = external->nr,
	};
	char comm[TASK_COMM];
	struct call_log log;
	int err;

	read_comm(pid, comm);
	args.log_fd = log_open(&log);
	err = checkpoint_ext(pid, -1, flags | CHECKPOINT_DRY_RUN, &args, sizeof(args)) < 0 ?
	      errno : 0;
	log_print(&log, quiet);
	if (!err && log.obstacles)
		err = EOPNOTSUPP;
	if (err && log.obstacles)
		warn_text("%d (%s) cannot be saved: %u obstacle%s", (int)pid, comm,
			  log.obstacles, log.obstacles == 1 ? "" : "s");
	else if (err)
		warn_text("%d (%s) cannot be saved: %s", (int)pid, comm, reason_of(err));
	else if (!quiet)
		printf("%d (%s) can be saved\n", (int)pid, comm);
	return status_of(err);
}

static const struct option options[] = {
	{ "only", no_argument, NULL, 'o' },
	{ "timeout", required_argument, NULL, 't' },
	{ "external", required_argument, NULL, 'e' },
	{ "shared-files", no_argument, NULL, 's' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

int cmd_check(int argc, char **argv)
{
	struct entries external = { };
	unsigned long flags = 0;
	uint32_t timeout_ms = 0;
	bool quiet = false;
	int opt, status;
	pid_t pid;

	while ((opt = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
		if (opt == 'h')
			return print_help(check_help);
		if (opt == 'o') {
			flags |= CHECKPOINT_ONLY;
		} else if (opt == 'q') {
			quiet = true;
		} else if (opt == 's') {
			flags |= CHECKPOINT_SHARED_FILES;
		} else if (opt == 'e') {
			status = add_external(&external, optarg);
			if (status)
				return status;
		} else if (opt != 't') {
			fprintf(stderr, "Try 'ckpt check --help'.\n");
			return STATUS_USAGE;
		} else if (!parse_seconds(optarg, &timeout_ms)) {
			return usage_error("check: '%s' is not a time in seconds", optarg);
		}
	}
	if (optind == argc)
		return check_kernel();
	if (optind + 1 != argc)
		return usage_error("check: one PID, please");
	if (!parse_pid(argv[optind], &pid))
		return usage_error("check: '%s' is not a pid", argv[optind]);
	return dry_run(pid, flags, timeout_ms, &external, quiet);
}

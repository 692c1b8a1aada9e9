// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures how long saving and restarting a process takes: by our command, by
 * our system calls, by CRIU, and the limits. Runs as root in the test guest;
 * writes one line of JSON for each run of each case.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <dirent.h>
#include <unistd.h>

#include <linux/checkpoint.h>

#include "bench.h"
#include "things.h"

#ifndef __NR_checkpoint
#define __NR_checkpoint	600
#define __NR_restart	601
#endif

#define KIB		1024UL
#define MIB		0x100000UL
#define ARGS_MAX	12
#define CASES_MAX	48
#define ANSWER_SECONDS	120

/* Exit status: nothing can be measured with this clock. */
#define STATUS_COARSE_CLOCK	75

struct test_case {
	size_t size;
	enum backing backing;
	int threads;
	int processes;
	const char *kind;	/* of things, or NULL */
	unsigned long things;
};

/* As --case wants them. */
static const char *const all_cases[] = {
	"1", "1x16", "1x256", "64", "64h", "256", "256h", "256s", "256m", "1024", "1024h",
	"1024s", "1024m", "0,vma=6000", "0,vma=60000", "0,sparse=64",
	"0,forked=16", "0p10", "0p100", "0p1000", "0x10", "0x100", "0x1000", "0x5000",
	"0,file=1000", "0,file=10000", "0,file=100000", "0,pipe=1000", "0,pipe=10000",
	"0,eventfd=1000", "0,eventfd=2000", "0,eventfd=20000",
	"0,socketpair=1000", "0,socketpair=10000", "0,connection=1000", "0,connection=10000",
};

/* With --quick: one process, and whether ten times as many things take ten times as long. */
static const char *const quick_cases[] = {
	"1", "1s", "0,file=200", "0,file=2000", "0,pipe=200", "0,pipe=2000", "0,eventfd=200",
	"0,eventfd=2000", "0,socketpair=200", "0,socketpair=2000", "0,connection=200",
	"0,connection=2000", "0,vma=600", "0,vma=6000", "0,sparse=2",
	"0,forked=8",
};

/* By enum backing: the letter in --case, and what messages call it. */
static const struct {
	char letter;
	const char *name;
} backings[] = { { 0, "" }, { 'h', " huge" }, { 's', " shared" }, { 'm', " memfd" } };

/* What one run of one tool gave. */
struct result {
	uint64_t save_ns;
	uint64_t gone_ns;	/* until the process has been reaped */
	uint64_t restart_ns;
	uint64_t image_bytes;
	uint64_t private_bytes;
	uint64_t pss_before, pss_after;	/* what the tree takes of the machine's memory */
	struct checkpoint_stats save, restart;
};

struct tool {
	const char *name;
	int (*save)(pid_t pid, struct result *result);
	int (*restart)(pid_t pid, struct result *result);
};

static const char *target, *dir;
static char answer[4096], image[4096], criu_dir[4096], tool_log[4096];
static char reason[1024];

static int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return -1;
}

/* Starts a program, its messages going to a file; returns its pid. */
static pid_t vstart(const char *log, bool session, const char *program, va_list args)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *argv[ARGS_MAX];
	int rc, n = 0;
	pid_t pid;

	argv[n] = (char *)program;
	while (argv[n++])
		argv[n] = va_arg(args, char *);

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, log,
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawnattr_init(&attr);
	if (session)
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	rc = posix_spawnp(&pid, program, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	errno = rc;
	return rc ? -1 : pid;
}

static pid_t start(const char *log, bool session, const char *program, ...)
{
	va_list args;
	pid_t pid;

	va_start(args, program);
	pid = vstart(log, session, program, args);
	va_end(args);
	return pid;
}

/* The first line of a file, for a message. */
static const char *first_line(const char *path)
{
	static char line[512];
	FILE *file = fopen(path, "r");

	line[0] = '\0';
	if (file) {
		if (fgets(line, sizeof(line), file))
			line[strcspn(line, "\n")] = '\0';
		fclose(file);
	}
	return line;
}

/* Runs a command and takes the time from before its start to after its end. */
static int time_command(uint64_t *took, const char *program, ...)
{
	uint64_t begin = now_ns();
	va_list args;
	int status;
	pid_t pid;

	va_start(args, program);
	pid = vstart(tool_log, false, program, args);
	va_end(args);
	if (pid < 0)
		return fail("%s: %s", program, strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "waitpid");
	*took = now_ns() - begin;
	if (status)
		return fail("%s: status %#x: %s", program, status, first_line(tool_log));
	return 0;
}

/* Waits until the target has written its file; true if it says the word. */
static bool target_says(pid_t pid, const char *word)
{
	uint64_t end = now_ns() + ANSWER_SECONDS * 1000000000ULL;

	while (access(answer, F_OK)) {
		if (now_ns() > end) {
			fail("the process %d does not answer", pid);
			return false;
		}
		if (kill(pid, 0)) {
			fail("the process %d is gone", pid);
			return false;
		}
		usleep(1000);
	}
	if (strcmp(first_line(answer), word)) {
		fail("the process: %s", first_line(answer));
		return false;
	}
	return true;
}

static pid_t start_target(const struct test_case *c)
{
	char size[32], backing[8], threads[16], processes[16], things[32];
	pid_t pid;

	snprintf(size, sizeof(size), "%zu", c->size);
	snprintf(backing, sizeof(backing), "%d", c->backing);
	snprintf(threads, sizeof(threads), "%d", c->threads);
	snprintf(processes, sizeof(processes), "%d", c->processes);
	snprintf(things, sizeof(things), "%lu", c->things);
	unlink(answer);
	pid = start("/dev/null", true, target, size, backing, threads, processes,
		    c->kind ?: "", things, answer, NULL);
	if (pid < 0)
		err(1, "%s", target);
	if (!target_says(pid, "ready"))
		errx(1, "%s", reason);
	return pid;
}

/* What smaps_rollup says of a process and its children, in bytes. */
static uint64_t tree_bytes(pid_t pid, const char *what)
{
	size_t len = strlen(what);
	char path[64], line[256];
	uint64_t sum = 0;
	FILE *file;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, what, len))
			sum = strtoul(line + len, NULL, 10) << 10;
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "r");
	while (file && fscanf(file, "%d", &child) == 1)
		sum += tree_bytes(child, what);
	if (file)
		fclose(file);
	return sum;
}

static int ckpt_save(pid_t pid, struct result *result)
{
	char number[16];
	struct stat st;

	snprintf(number, sizeof(number), "%d", pid);
	if (time_command(&result->save_ns, "ckpt", "save", "--kill", "-o", image, number, NULL))
		return -1;
	if (stat(image, &st))
		return fail("%s: %s", image, strerror(errno));
	result->image_bytes = st.st_size;
	return 0;
}

static int ckpt_restart(pid_t pid, struct result *result)
{
	(void)pid;
	return time_command(&result->restart_ns, "ckpt", "restart", "--detach", image, NULL);
}

static int call_save(pid_t pid, struct result *result)
{
	struct checkpoint_args args = {
		.log_fd = open(tool_log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
		.stats = (uintptr_t)&result->save,
		.stats_size = sizeof(result->save),
	};
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t begin = now_ns();
	long rc = syscall(__NR_checkpoint, pid, fd, CHECKPOINT_KILL | CHECKPOINT_ARGS,
			  &args, sizeof(args));

	result->save_ns = now_ns() - begin;
	if (rc < 0)
		fail("checkpoint: %s: %s", strerror(errno), first_line(tool_log));
	close(fd);
	close(args.log_fd);
	result->image_bytes = result->save.image_bytes;
	return rc < 0 ? -1 : 0;
}

static int call_restart(pid_t pid, struct result *result)
{
	struct restart_args args = {
		.log_fd = open(tool_log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
		.stats = (uintptr_t)&result->restart,
		.stats_size = sizeof(result->restart),
	};
	int fd = open(image, O_RDONLY | O_CLOEXEC);
	uint64_t begin = now_ns();
	long rc = syscall(__NR_restart, 0, fd, RESTART_ARGS, &args, sizeof(args));

	result->restart_ns = now_ns() - begin;
	if (rc < 0)
		fail("restart: %s: %s", strerror(errno), first_line(tool_log));
	else if (rc != pid)
		fail("restart: pid %ld instead of %d", rc, pid);
	close(fd);
	close(args.log_fd);
	return rc == pid ? 0 : -1;
}

/* Removes the files of a directory, which CRIU's images are; sums their sizes. */
static uint64_t empty_directory(const char *path)
{
	uint64_t bytes = 0;
	struct dirent *entry;
	struct stat st;
	DIR *d;

	mkdir(path, 0700);
	d = opendir(path);
	if (!d)
		err(1, "%s", path);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(d), entry->d_name, &st, 0))
			continue;
		bytes += st.st_size;
		unlinkat(dirfd(d), entry->d_name, 0);
	}
	closedir(d);
	return bytes;
}

static int criu_save(pid_t pid, struct result *result)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	return time_command(&result->save_ns, "criu", "dump", "-t", number,
			    "-D", criu_dir, "-v0", NULL);
}

static int criu_restart(pid_t pid, struct result *result)
{
	(void)pid;
	return time_command(&result->restart_ns, "criu", "restore", "-d",
			    "-D", criu_dir, "-v0", NULL);
}

static const struct tool ckpt = { "ckpt", ckpt_save, ckpt_restart };
static const struct tool call = { "call", call_save, call_restart };
static const struct tool criu = { "criu", criu_save, criu_restart };

static void print_stats(const char *name, const struct checkpoint_stats *s)
{
	printf(", \"%s\": {\"freeze\": %llu, \"collect\": %llu, \"save\": %llu, \"memory\": %llu",
	       name, s->freeze_ns, s->collect_ns, s->save_ns, s->memory_ns);
	printf(", \"write\": %llu, \"release\": %llu, \"frozen\": %llu, \"total\": %llu",
	       s->write_ns, s->release_ns, s->frozen_ns, s->total_ns);
	printf(", \"page_bytes\": %llu, \"tasks\": %llu}", s->page_bytes, s->tasks);
}

/* Every line starts so. */
static void print_head(const char *tool, const struct test_case *c, int run)
{
	printf("{\"tool\": \"%s\", \"size\": %zu, \"backing\": %d, \"threads\": %d, "
	       "\"processes\": %d, \"kind\": \"%s\", \"things\": %lu, \"run\": %d",
	       tool, c->size, c->backing, c->threads, c->processes, c->kind ?: "", c->things, run);
}

static void print_error(const char *text)
{
	printf(", \"error\": \"");
	for (; *text; text++)
		if (*text != '"' && *text != '\\' && *text >= ' ')
			putchar(*text);
	printf("\"}\n");
	fflush(stdout);
}

/* Children of the process, which are ours once it is dead, end, too. */
static void reap_orphans(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* Kills the process whatever it is, and waits for its end. */
static void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	reap_orphans();
}

/* Save and kill a fresh process, restart it, ask it whether all is right. */
static int cycle(const struct tool *tool, const struct test_case *c, struct result *result)
{
	uint64_t begin;
	pid_t pid;
	int rc;

	memset(result, 0, sizeof(*result));
	empty_directory(criu_dir);
	unlink(image);
	pid = start_target(c);
	result->private_bytes = tree_bytes(pid, "Anonymous:");
	result->pss_before = tree_bytes(pid, "Pss_Anon:");

	begin = now_ns();
	rc = tool->save(pid, result);
	if (rc) {
		end_process(pid);
		return rc;
	}
	if (waitpid(pid, NULL, 0) != pid)
		return fail("the process cannot be waited for");
	reap_orphans();
	result->gone_ns = now_ns() - begin;
	unlink(answer);

	rc = tool->restart(pid, result);
	if (!rc && kill(pid, SIGUSR1))
		rc = fail("the process is not there");
	if (!rc && !target_says(pid, "right"))
		rc = -1;
	result->pss_after = tree_bytes(pid, "Pss_Anon:");
	end_process(pid);
	if (tool == &criu)
		result->image_bytes = empty_directory(criu_dir);
	return rc;
}

static int measure(const struct tool *tool, const struct test_case *c, int run)
{
	struct result r;
	int rc = cycle(tool, c, &r);

	/* The first one only fills caches. */
	if (run < 0 && !rc)
		return 0;
	print_head(tool->name, c, run);
	if (rc) {
		print_error(reason);
		return rc;
	}
	printf(", \"save_ns\": %lu, \"gone_ns\": %lu, \"restart_ns\": %lu",
	       r.save_ns, r.gone_ns, r.restart_ns);
	printf(", \"image_bytes\": %lu, \"private_bytes\": %lu",
	       r.image_bytes, r.private_bytes);
	printf(", \"pss_before_bytes\": %lu, \"pss_after_bytes\": %lu",
	       r.pss_before, r.pss_after);
	if (tool == &call) {
		print_stats("save", &r.save);
		print_stats("restart", &r.restart);
	}
	printf("}\n");
	fflush(stdout);
	return 0;
}

static int limit(const struct test_case *c, int run)
{
	struct limits limits;

	if (measure_limits(image, c->size, c->backing, &limits))
		return -1;
	if (run >= 0) {
		print_head("limit", c, run);
		printf(", \"write_ns\": %lu, \"read_ns\": %lu, \"fork_ns\": %lu}\n",
		       limits.write_ns, limits.read_ns, limits.fork_ns);
	}
	return 0;
}

/* Memory that a save takes, by a run of its own: it is looked at all the time. */
static int extra(const struct test_case *c)
{
	pid_t pid = start_target(c);
	int64_t bytes = measure_extra(pid);

	if (bytes < 0)
		fail("checkpoint: %s", strerror(errno));
	end_process(pid);
	print_head("extra", c, 0);
	if (bytes < 0) {
		print_error(reason);
		return -1;
	}
	printf(", \"bytes\": %ld}\n", bytes);
	fflush(stdout);
	return 0;
}

/* What starting a program costs that does nothing. */
static void start_cost(int runs)
{
	static const struct test_case none;
	uint64_t took;

	for (int run = -1; run < runs; run++) {
		if (time_command(&took, "true", NULL) || run < 0)
			continue;
		print_head("true", &none, run);
		printf(", \"save_ns\": %lu}\n", took);
	}
}

/* Descriptors of the process are ours to raise, too: we restart it. */
static void raise_limits(void)
{
	const struct rlimit limit = { 1 << 20, 1 << 20 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "setrlimit");
}

static bool is_installed(const char *name)
{
	pid_t pid = start(tool_log, false, name, "--version", NULL);
	int status;

	if (pid < 0)
		return false;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) != 127;
}

/* All tools take turns, so that what drifts meets all of them. */
static int run_case(const struct test_case *c, int runs, const struct tool *const *tools)
{
	bool broken[3] = { false };
	int rc = 0;

	fprintf(stderr, "%zu KiB%s, %d thread%s, %d process%s", c->size / KIB,
		backings[c->backing].name, c->threads, c->threads > 1 ? "s" : "",
		c->processes, c->processes > 1 ? "es" : "");
	if (c->kind)
		fprintf(stderr, ", %lu %ss", c->things, c->kind);
	for (int run = -1; run < runs; run++) {
		fputc('.', stderr);
		rc |= limit(c, run);
		for (int i = 0; tools[i]; i++) {
			if (broken[i] || !measure(tools[i], c, run))
				continue;
			fprintf(stderr, " %s failed: %s ", tools[i]->name, reason);
			broken[i] = true;
			if (tools[i] != &criu)
				rc = -1;
		}
	}
	if (tools[0] != &criu)
		rc |= extra(c);
	fputc('\n', stderr);
	return rc;
}

static void print_machine(int runs, bool have_criu)
{
	struct utsname uts;

	uname(&uts);
	printf("{\"tool\": \"machine\", \"kernel\": \"%s\", \"cpus\": %ld, \"memory\": %ld",
	       uts.release, sysconf(_SC_NPROCESSORS_ONLN),
	       sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
	printf(", \"runs\": %d, \"criu\": \"", runs);
	if (have_criu) {
		const char *version = first_line(tool_log);

		version += strcspn(version, "0123456789");
		printf("%s\"}\n", version);
	} else {
		printf("not installed\"}\n");
	}
	fflush(stdout);
}

static void set_paths(void)
{
	snprintf(answer, sizeof(answer), "%s/answer", dir);
	snprintf(image, sizeof(image), "%s/image", dir);
	snprintf(criu_dir, sizeof(criu_dir), "%s/criu", dir);
	snprintf(tool_log, sizeof(tool_log), "%s/log", dir);
}

/* Calibration of the processor's clock can fail in a virtual machine. */
static bool clock_is_coarse(void)
{
	struct timespec resolution;

	clock_getres(CLOCK_MONOTONIC, &resolution);
	return resolution.tv_sec || resolution.tv_nsec > 1000;
}

/* "pipe=1000": so many things of that kind. */
static bool parse_things(const char *text, struct test_case *c)
{
	size_t len = strcspn(text, "=");
	char *end;

	if (!text[len])
		return false;
	c->things = strtoul(text + len + 1, &end, 10);
	for (const struct thing_kind *kind = thing_kinds; kind->name; kind++)
		if (strlen(kind->name) == len && !strncmp(kind->name, text, len))
			c->kind = kind->name;
	return c->kind && c->things > 0 && !*end;
}

/*
 * In MiB: "256", "256h" with huge pages, "256s" shared, "256m" of a memfd, "1x16"
 * with 16 threads, "0p9" 9 processes, "0,pipe=1000".
 */
static bool parse_case(const char *text, struct test_case *c)
{
	char *end;

	*c = (struct test_case){ .threads = 1, .processes = 1 };
	c->size = strtoul(text, &end, 10) * MIB ?: 64 * KIB;
	for (enum backing i = BACKING_HUGE; i <= BACKING_MEMFD; i++)
		if (*end == backings[i].letter)
			c->backing = i;
	end += c->backing != BACKING_PRIVATE;
	if (*end == 'x')
		c->threads = strtoul(end + 1, &end, 10);
	if (*end == 'p')
		c->processes = strtoul(end + 1, &end, 10);
	if (*end == ',')
		return parse_things(end + 1, c);
	return c->threads > 0 && c->processes > 0 && !*end;
}

static int print_usage(void)
{
	fprintf(stderr, "usage: bench [--runs N] [--quick] [--no-criu] [--no-ckpt]\n"
			"             [--case MIB[h|s|m][xTHREADS][pPROCESSES][,KIND=N]]... TARGET DIR\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "runs", required_argument, NULL, 'r' },
		{ "quick", no_argument, NULL, 'q' },
		{ "no-criu", no_argument, NULL, 'c' },
		{ "no-ckpt", no_argument, NULL, 'k' },
		{ "case", required_argument, NULL, 's' },
		{}
	};
	int nr_all = sizeof(all_cases) / sizeof(all_cases[0]), nr_cases = 0;
	int nr_quick = sizeof(quick_cases) / sizeof(quick_cases[0]);
	struct test_case cases[CASES_MAX];
	bool with_criu = true, with_ckpt = true, quick = false;
	const struct tool *tools[4];
	int runs = 5, nr = 0, rc = 0, opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'r':
			runs = atoi(optarg);
			break;
		case 'q':
			quick = true;
			break;
		case 'c':
			with_criu = false;
			break;
		case 'k':
			with_ckpt = false;
			break;
		case 's':
			if (nr_cases == CASES_MAX || !parse_case(optarg, &cases[nr_cases++]))
				return print_usage();
			break;
		default:
			return print_usage();
		}
	}
	if (argc - optind != 2 || runs < 1)
		return print_usage();
	target = argv[optind];
	dir = argv[optind + 1];
	set_paths();

	if (!quick && clock_is_coarse()) {
		fprintf(stderr, "bench: this machine's clock is too coarse\n");
		return STATUS_COARSE_CLOCK;
	}

	raise_limits();
	/* What the tools restart becomes our child. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!quick)
		touch_free_memory();
	if (!nr_cases)
		for (int i = 0; i < (quick ? nr_quick : nr_all); i++)
			parse_case(quick ? quick_cases[i] : all_cases[i], &cases[nr_cases++]);
	if (with_ckpt) {
		tools[nr++] = &ckpt;
		tools[nr++] = &call;
	}
	with_criu = with_criu && is_installed("criu");
	if (with_criu)
		tools[nr++] = &criu;
	tools[nr] = NULL;

	print_machine(runs, with_criu);
	start_cost(runs);
	for (int i = 0; i < nr_cases; i++)
		rc |= run_case(&cases[i], runs, tools);
	return rc ? 1 : 0;
}

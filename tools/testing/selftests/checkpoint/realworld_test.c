// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs as Debian has them. Each writes its output to a file, is saved and
 * killed when a part is there, restarted, and again; in the end the output is
 * that of an uninterrupted run, byte for byte.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common.h"

FIXTURE(program) {
	struct subject s;
	char *want;
	off_t size;
};

FIXTURE_VARIANT(program) {
	const char *argv[8];
};

FIXTURE_VARIANT_ADD(program, python3) {
	.argv = { "/usr/bin/python3", "-c",
		  "import hashlib\n"
		  "h, f = b'x', 1.0\n"
		  "for i in range(80):\n"
		  "    for j in range(300):\n"
		  "        h = hashlib.sha256(h).digest()\n"
		  "        f = f / 3 + j\n"
		  "    print(i, h.hex(), f, 3 ** (i * 7), flush=True)\n" },
};

FIXTURE_VARIANT_ADD(program, bash) {
	.argv = { "/bin/bash", "-c",
		  "for ((i = 0; i < 40; i++)); do "
		  "for ((j = 0; j < 200; j++)); do "
		  "((x = (x * 31 + i * j + 7) % 1000003)); a[j % 50]=$x; done; "
		  "printf '%d %s\\n' $i \"${a[*]}\"; done" },
};

FIXTURE_VARIANT_ADD(program, perl) {
	.argv = { "/usr/bin/perl", "-e",
		  "$| = 1; my %h; my $x = 1; for my $i (1 .. 100) {"
		  "for my $j (1 .. 1000) { $x = ($x * 69069 + $j) % 4294967296; $h{$x % 997} .= $j }"
		  "print \"$i $x \", length(join ',', map { $h{$_} } sort keys %h), \"\\n\" }" },
};

FIXTURE_VARIANT_ADD(program, awk) {
	.argv = { "/usr/bin/awk",
		  "BEGIN { for (i = 0; i < 100; i++) { for (j = 0; j < 3000; j++) {"
		  "x = (x * 1103 + j + i) % 1000003; n[x % 311]++ }"
		  "printf \"%d %d %d\\n\", i, x, n[5]; fflush() } }" },
};

FIXTURE_VARIANT_ADD(program, sqlite3) {
	.argv = { "/usr/bin/sqlite3", ":memory:",
		  "create table t(a integer primary key, b text);"
		  "with recursive c(x) as (select 1 union all select x + 1 from c where x < 5000)"
		  "insert into t select x, hex(x * x % 7919) || printf('%08d', x) from c;"
		  "select a, b, (select count(*) from t u where u.a % 50 = t.a % 50 and u.a < 700)"
		  "from t where a < 400;" },
};

FIXTURE_VARIANT_ADD(program, gzip) {
	.argv = { "/bin/gzip", "-9", "-c", "-n", "input" },
};

FIXTURE_VARIANT_ADD(program, xz_threads) {
	.argv = { "/usr/bin/xz", "-T2", "--block-size=100000", "-1", "-c", "-k", "input" },
};

/* A heap of 60 MB, most of which is garbage again and again. */
FIXTURE_VARIANT_ADD(program, node) {
	.argv = { "/usr/bin/node", "--max-old-space-size=150", "-e",
		  "let keep = [], x = 1;"
		  "for (let i = 0; i < 30; i++) {"
		  "for (let j = 0; j < 6000; j++) { x = (x * 69069 + j) % 4294967296;"
		  "keep[x % 20000] = { n: x, text: 'item ' + x, list: new Array(60).fill(j) } }"
		  "let sum = 0; for (const k of keep) if (k) sum = (sum + k.n + k.list[x % 60] +"
		  "k.text.length) % 1000000007;"
		  "require('fs').writeSync(1, i + ' ' + x + ' ' + sum + '\\n') }" },
};

/* Something to be compressed: not too well, not too badly. */
static int make_input(struct subject *s)
{
	char path[100];
	size_t i, size = 1 << 20;
	uint32_t x = 1;
	char *data = malloc(size);
	int ret;

	for (i = 0; i < size; i++) {
		x = x * 69069 + 1;
		data[i] = i > 5000 && (x >> 28) ? data[i - 4000 + (x >> 8) % 16] :
			  'a' + (x >> 20) % 26;
	}
	snprintf(path, sizeof(path), "%s/input", s->dir);
	ret = write_file(path, data, size);
	free(data);
	return ret;
}

/* Starts the program in the subject's directory, with output to this file. */
static pid_t start_program(struct subject *s, const char * const *argv, const char *output)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (chdir(s->dir))
		_exit(100);
	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
	dup2(open("errors", O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
	close_range(3, ~0U, 0);
	execv(argv[0], (char **)argv);
	_exit(101);
}

static char *output_path(struct subject *s, const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

/* The uninterrupted run. */
static off_t reference(struct subject *s, const char * const *argv, char *want)
{
	int status;
	pid_t pid;

	if (subject_init(s) || make_input(s))
		return -1;
	pid = start_program(s, argv, "want");
	if (waitpid(pid, &status, 0) != pid || status)
		return -1;
	return read_file(output_path(s, "want"), want, 4 << 20);
}

FIXTURE_SETUP(program)
{
	if (access(variant->argv[0], X_OK))
		SKIP(return, "no %s", variant->argv[0]);
	self->want = malloc(4 << 20);
	self->size = reference(&self->s, variant->argv, self->want);
	ASSERT_LT(100, self->size);
}

FIXTURE_TEARDOWN(program)
{
	subject_destroy(&self->s);
	free(self->want);
}

/* Waits until so much output is there. */
static int wait_output(struct subject *s, off_t size)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	siginfo_t info = {};
	struct stat st;

	while (stat(output_path(s, "got"), &st) || st.st_size < size) {
		waitid(P_PID, s->pid, &info, WEXITED | WNOHANG | WNOWAIT);
		if (info.si_pid || now_ns() > deadline) {
			say("%lld bytes of output, waiting for %lld", (long long)st.st_size,
			    (long long)size);
			return -1;
		}
		poll_pause();
	}
	return 0;
}

static int same_output(struct subject *s, const char *want, off_t size)
{
	char *got = malloc(4 << 20);
	off_t n = read_file(output_path(s, "got"), got, 4 << 20);
	off_t i;

	for (i = 0; i < n && i < size && got[i] == want[i]; i++)
		;
	free(got);
	if (i == n && i == size)
		return 0;
	say("%lld bytes, not %lld, different from byte %lld on", (long long)n, (long long)size,
	    (long long)i);
	return -1;
}

TEST_F_TIMEOUT(program, restarted, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int i, status;

	s->pid = start_program(s, variant->argv, "got");
	ASSERT_LT(0, s->pid);
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, wait_output(s, self->size * i / 4));
		if (way_now(WAY_KILL) == WAY_NONE)
			continue;
		ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
		ASSERT_EQ(0, subject_reap(s, SIGKILL));
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	}
	ASSERT_EQ(s->pid, waitpid(s->pid, &status, 0));
	s->pid = 0;
	ASSERT_EQ(0, status);
	ASSERT_EQ(0, same_output(s, self->want, self->size));
}

FIXTURE(command) {
	struct subject s;
};

FIXTURE_SETUP(command)
{
	if (system("command -v ckpt >/dev/null"))
		SKIP(return, "no ckpt");
}

FIXTURE_TEARDOWN(command)
{
	subject_destroy(&self->s);
}

/* By the command, as a person does it. */
TEST_F_TIMEOUT(command, save_and_restart, TEST_TIMEOUT)
{
	const char * const *argv = _program_bash_variant.argv;
	struct subject *s = &self->s;
	char command[300], *want = malloc(4 << 20);
	off_t size = reference(s, argv, want);

	ASSERT_LT(100, size);
	s->pid = start_program(s, argv, "got");
	ASSERT_LT(0, s->pid);
	ASSERT_EQ(0, wait_output(s, size / 3));
	if (way_now(WAY_KILL) != WAY_NONE) {
		snprintf(command, sizeof(command), "ckpt save %d -o %s --kill >&2", s->pid,
			 s->image);
		ASSERT_EQ(0, system(command));
		ASSERT_EQ(0, subject_reap(s, SIGKILL));
		snprintf(command, sizeof(command), "ckpt restart %s >&2", s->image);
		ASSERT_EQ(0, system(command));
	} else {
		ASSERT_EQ(0, subject_reap(s, 0));
	}
	ASSERT_EQ(0, same_output(s, want, size));
	free(want);
}

/* An obstacle that passes: a program looks at a process outside, until "go" is there. */
TEST_F_TIMEOUT(command, retry, TEST_TIMEOUT)
{
	static const char * const argv[] = { "/bin/bash", "-c",
		"exec 3</proc/$PPID/status; echo looking; until [ -e go ]; do sleep 0.01; done; "
		"exec 3<&-; until [ -e end ]; do sleep 0.01; done; echo done", NULL };
	struct subject *s = &self->s;
	char command[300];
	int status;
	pid_t pid;

	ASSERT_EQ(0, subject_init(s));
	s->pid = start_program(s, argv, "got");
	ASSERT_LT(0, s->pid);
	ASSERT_EQ(0, wait_output(s, 1));
	snprintf(command, sizeof(command), "ckpt save %d -o %s --kill --retry 0.3 >&2", s->pid,
		 s->image);
	status = system(command);
	ASSERT_TRUE(WIFEXITED(status));
	ASSERT_EQ(69, WEXITSTATUS(status));
	ASSERT_NE(0, access(s->image, F_OK));

	snprintf(command, sizeof(command), "exec ckpt save %d -o %s --kill --retry 100 >&2",
		 s->pid, s->image);
	pid = fork();
	if (!pid)
		_exit(execl("/bin/sh", "sh", "-c", command, NULL));
	snprintf(command, sizeof(command), "%s/go", s->dir);
	ASSERT_EQ(0, write_file(command, "", 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	snprintf(command, sizeof(command), "%s/end", s->dir);
	ASSERT_EQ(0, write_file(command, "", 0));
	snprintf(command, sizeof(command), "ckpt restart %s >&2", s->image);
	ASSERT_EQ(0, system(command));
	ASSERT_EQ(0, same_output(s, "looking\ndone\n", 13));
}

/*
 * stress-ng fills memory in many ways and verifies it: a wrong byte is reported,
 * and its status. The process that does it is a grandchild of the first one.
 */
FIXTURE(stress) {
	struct subject s;
};

FIXTURE_VARIANT(stress) {
	const char *method;
};

#define STRESS(name, text) FIXTURE_VARIANT_ADD(stress, name) { .method = text }

STRESS(flip, "flip");
STRESS(galpat, "galpat-0");
STRESS(move_inv, "move-inv");
STRESS(modulo_x, "modulo-x");
STRESS(rand_set, "rand-set");
STRESS(swap, "swap");

FIXTURE_SETUP(stress)
{
	if (access("/usr/bin/stress-ng", X_OK))
		SKIP(return, "no stress-ng");
	/* What is killed comes to us. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(stress)
{
	subject_destroy(&self->s);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* The last one of a line of descendants, @depth generations on; 0: it is not there. */
static pid_t descendant(pid_t pid, int depth)
{
	char path[64], children[64];

	for (; pid && depth; depth--) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
		pid = read_file(path, children, sizeof(children)) > 0 ? atoi(children) : 0;
	}
	return pid;
}

/* Processor time in user mode, in ticks. */
static long ticks_of(pid_t pid)
{
	char path[64], text[1024], *p;
	long ticks = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!pid || read_file(path, text, sizeof(text)) <= 0)
		return 0;
	p = strrchr(text, ')');
	if (!p || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld", &ticks) != 1)
		return 0;
	return ticks;
}

/* Waits until it has worked for so long. */
static int wait_ticks(struct subject *s, long ticks)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	siginfo_t info = {};

	while (ticks_of(descendant(s->pid, 2)) < ticks) {
		waitid(P_PID, s->pid, &info, WEXITED | WNOHANG | WNOWAIT);
		if (info.si_pid || now_ns() > deadline) {
			say("the grandchild %d has worked for %ld ticks", descendant(s->pid, 2),
			    ticks_of(descendant(s->pid, 2)));
			return -1;
		}
		poll_pause();
	}
	return 0;
}

TEST_F_TIMEOUT(stress, verified, TEST_TIMEOUT)
{
	const char * const argv[] = {
		"/usr/bin/stress-ng", "--vm", "1", "--vm-bytes", "8M", "--vm-method",
		variant->method, "--vm-keep", "--verify", "--timeout", "1000", NULL,
	};
	struct subject *s = &self->s;
	char text[4000] = "";
	int i, status;

	s->pid = start_program(s, argv, "got");
	ASSERT_LT(0, s->pid);
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, wait_ticks(s, 40 * i));
		if (way_now(WAY_KILL) == WAY_NONE)
			continue;
		ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
		ASSERT_EQ(0, subject_reap_tree(s));
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	}
	/* It ends in good order when it is asked to. */
	ASSERT_EQ(0, wait_ticks(s, 40 * i));
	ASSERT_EQ(0, kill(s->pid, SIGINT));
	ASSERT_EQ(s->pid, waitpid(s->pid, &status, 0));
	s->pid = 0;
	read_file(output_path(s, "errors"), text, sizeof(text));
	ASSERT_EQ(0, status) say("%s", text);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of several processes, as people run them: saved and killed in the
 * middle, restarted, and again; in the end their output is that of an
 * uninterrupted run. What they cannot do yet is refused by name, and they are
 * finished all the same.
 */
#include "kselftest_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common.h"

#define OUTPUT_MAX	(1 << 20)
#define UNITS		12	/* of the C project */

FIXTURE(program) {
	struct subject s;
	char *want;
	off_t size;
};

/* Each writes a line to "progress" now and then. */
FIXTURE_VARIANT(program) {
	const char *argv[8];
	const char *needs;	/* program of Debian, or of ours */
	int (*prepare)(struct subject *s);
	int processes;		/* when it is saved there are at least so many */
	int middle[2];		/* lines of progress */
	int obstacle;		/* why it cannot be saved yet, 0: it can */
};

static int write_in(struct subject *s, const char *name, const char *text)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return write_file(path, text, strlen(text));
}

/* A C project: one program of UNITS files that each take a while. */
static int make_project(struct subject *s)
{
	static const char makefile[] =
		"CFLAGS = -O2\n"
		"all: program\n\t./program\n"
		"program: $(patsubst %.c,%.o,$(wildcard *.c))\n\t@$(CC) -o $@ $(sort $^)\n"
		"%.o: %.c unit.h\n\t@$(CC) $(CFLAGS) -c -o $@ $<\n\t@echo $@ >>progress\n";
	char text[8192], name[20];
	int i, j, n;

	if (write_in(s, "Makefile", makefile) ||
	    write_in(s, "unit.h", "#include <stdio.h>\n#include <stdlib.h>\n"))
		return -1;
	n = snprintf(text, sizeof(text), "#include \"unit.h\"\n");
	for (i = 0; i < UNITS; i++)
		n += snprintf(text + n, sizeof(text) - n, "int unit%d(int);\n", i);
	n += snprintf(text + n, sizeof(text) - n, "int main(void)\n{\n");
	for (i = 0; i < UNITS; i++)
		n += snprintf(text + n, sizeof(text) - n,
			      "\tprintf(\"unit %d: %%d, of its many lines\\n\", unit%d(%d));\n",
			      i, i, i);
	snprintf(text + n, sizeof(text) - n, "\treturn 0;\n}\n");
	if (write_in(s, "main.c", text))
		return -1;
	for (i = 0; i < UNITS; i++) {
		n = snprintf(text, sizeof(text), "#include \"unit.h\"\nint unit%d(int x)\n{\n", i);
		for (j = 0; j < 100; j++)
			n += snprintf(text + n, sizeof(text) - n,
				      "\tif (x %% %d > %d) x = x * %d + %d; else x ^= %d;\n",
				      j + 2, j / 2, i + j, j, i * j);
		snprintf(text + n, sizeof(text) - n, "\treturn x;\n}\n");
		snprintf(name, sizeof(name), "unit%d.c", i);
		if (write_in(s, name, text))
			return -1;
	}
	return 0;
}

/* The uninterrupted run must not leave anything for make to find. */
FIXTURE_VARIANT_ADD(program, make) {
	.argv = { "/usr/bin/make", "-s", "-j4", "all" },
	.needs = "/usr/bin/gcc",
	.prepare = make_project,
	.processes = 3,
	.middle = { 3, 8 },
};

FIXTURE_VARIANT_ADD(program, pipeline) {
	.argv = { "/bin/bash", "-c",
		  "awk 'BEGIN { for (i = 0; i < 60000; i++) { x = (x * 7919 + i) % 1000003;"
		  "print x, i; if (i % 3000 == 0) {"
		  "print i >>\"progress\"; fflush(\"progress\") } } }' |"
		  "tr 0-9 a-j | gzip -9 -n | sha256sum; echo ${PIPESTATUS[*]}; wait;"
		  "for ((i = 0; i < 100; i++)); do echo $i; done" },
	.needs = "/bin/bash",
	.processes = 5,
	.middle = { 5, 13 },
};

/*
 * With job control: a pipeline of four programs in a group of its own, brought to the
 * foreground, a job that is stopped all the time, and both again afterwards.
 */
FIXTURE_VARIANT_ADD(program, job_control) {
	.argv = { "/bin/bash", "-c",
		  "set -m; sleep 1000 & kill -STOP %1; until [[ $(jobs) == *Stopped* ]]; do :; done;"
		  "awk 'BEGIN { for (i = 0; i < 60000; i++) { x = (x * 7919 + i) % 1000003;"
		  "print x, i; if (i % 3000 == 0) {"
		  "print i >>\"progress\"; fflush(\"progress\") } } }' |"
		  "tr 0-9 a-j | gzip -9 -n | sha256sum & kill -STOP %2;"
		  "until [[ $(jobs -s) == *gzip* ]]; do :; done; jobs; fg %2;"
		  "echo $?; jobs; kill -CONT %1; until [[ $(jobs -r) == *sleep* ]]; do :; done; jobs;"
		  "kill %1; wait %1; echo $?; jobs; true | sort | cat; echo ${PIPESTATUS[*]};"
		  "for ((i = 0; i < 50; i++)); do echo $i; done" },
	.needs = "/bin/bash",
	.processes = 6,
	.middle = { 5, 13 },
};

/* A log that grows, followed by inotify(7) and by the end of who writes it. */
FIXTURE_VARIANT_ADD(program, follow_log) {
	.argv = { "/bin/bash", "-c",
		  "for ((i = 0; i < 100; i++)); do echo line $i >>log;"
		  "((i % 5)) || echo $i >>progress; sleep 0.05; done & "
		  "tail -n +1 -F --pid=$! log 2>/dev/null | grep --line-buffered '[05]$' | tee copy;"
		  "echo ${PIPESTATUS[*]}; wait; cat copy" },
	.needs = "/bin/bash",
	.processes = 5,
	.middle = { 5, 12 },
};

/* Asked and answered by pipes. */
FIXTURE_VARIANT_ADD(program, coprocess) {
	.argv = { "/bin/bash", "-c",
		  "coproc C { while read -r x; do echo $((x * x)); done; };"
		  "for ((i = 0; i < 100; i++)); do echo $i >&${C[1]};"
		  "read -r -u ${C[0]} y; echo $y;"
		  "((i % 5)) || echo $i >>progress; sleep 0.03; done;"
		  "exec {C[1]}>&-; wait; echo end" },
	.needs = "/bin/bash",
	.processes = 2,
	.middle = { 5, 12 },
};

#define PYTHON_WORK							\
	"import hashlib\n"						\
	"def work(n):\n"						\
	"    h = str(n).encode()\n"					\
	"    for i in range(4000):\n"					\
	"        h = hashlib.sha256(h).digest()\n"			\
	"    with open('progress', 'a') as f:\n"			\
	"        f.write('x\\n')\n"					\
	"    return h.hex()\n"

/* With pipes only. */
FIXTURE_VARIANT_ADD(program, python_workers) {
	.argv = { "/usr/bin/python3", "-c", PYTHON_WORK
		  "from multiprocessing import Process, Pipe\n"
		  "def run(r, w):\n"
		  "    while (n := r.recv()) is not None:\n"
		  "        w.send((n, work(n)))\n"
		  "workers = []\n"
		  "for i in range(4):\n"
		  "    (r1, w1), (r2, w2) = Pipe(False), Pipe(False)\n"
		  "    p = Process(target=run, args=(r1, w2))\n"
		  "    p.start()\n"
		  "    workers.append((p, w1, r2))\n"
		  "for i in range(0, 40, 4):\n"
		  "    for j in range(4): workers[j][1].send(i + j)\n"
		  "    for j in range(4): print(workers[j][2].recv(), flush=True)\n"
		  "for p, w, r in workers:\n"
		  "    w.send(None)\n"
		  "    p.join()\n"
		  "    print(p.exitcode)\n" },
	.needs = "/usr/bin/python3",
	.processes = 5,
	.middle = { 10, 25 },
};

/* Its queues have semaphores in shared memory without a name. */
FIXTURE_VARIANT_ADD(program, python_pool) {
	.argv = { "/usr/bin/python3", "-c", PYTHON_WORK
		  "from multiprocessing import Pool\n"
		  "with Pool(4) as pool:\n"
		  "    for x in pool.imap(work, range(40)): print(x, flush=True)\n" },
	.needs = "/usr/bin/python3",
	.processes = 5,
	.middle = { 10, 25 },
};

/* An event loop, with pipes to its children and a socketpair to itself. */
FIXTURE_VARIANT_ADD(program, python_asyncio) {
	.argv = { "/usr/bin/python3", "-c",
		  "import asyncio\n"
		  "async def child(n):\n"
		  "    p = await asyncio.create_subprocess_exec(\n"
		  "        '/bin/bash', '-c', 'read n; for ((i = 0; i < 3000; i++)); do '\n"
		  "        '((n = (n * 7919 + i) % 1000003)); done; echo x >>progress; echo $n',\n"
		  "        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)\n"
		  "    out, _ = await p.communicate(b'%d\\n' % n)\n"
		  "    return n, out, p.returncode\n"
		  "async def main():\n"
		  "    for i in range(0, 32, 4):\n"
		  "        for r in await asyncio.gather(*map(child, range(i, i + 4))):\n"
		  "            print(r, flush=True)\n"
		  "asyncio.run(main())\n" },
	.needs = "/usr/bin/python3",
	.processes = 2,
	.middle = { 7, 18 },
};

/* Workers that accept on one socket; a client with a connection to each. */
FIXTURE_VARIANT_ADD(program, python_server) {
	.argv = { "/usr/bin/python3", "-c", PYTHON_WORK
		  "import os, socket\n"
		  "s = socket.socket(socket.AF_UNIX)\n"
		  "s.bind('server')\n"
		  "s.listen(8)\n"
		  "def serve():\n"
		  "    while True:\n"
		  "        c, _ = s.accept()\n"
		  "        with c, c.makefile('rw') as f:\n"
		  "            for line in f:\n"
		  "                f.write(work(int(line)) + '\\n')\n"
		  "                f.flush()\n"
		  "for i in range(4):\n"
		  "    if not os.fork(): serve()\n"
		  "def connect():\n"
		  "    c = socket.socket(socket.AF_UNIX)\n"
		  "    c.connect('server')\n"
		  "    return c.makefile('rw')\n"
		  "for i in range(0, 40, 8):\n"
		  "    files = [connect() for j in range(8)]\n"
		  "    for j, f in enumerate(files):\n"
		  "        f.write('%d\\n' % (i + j))\n"
		  "        f.flush()\n"
		  "    for f in files:\n"
		  "        print(f.readline(), end='', flush=True)\n"
		  "        f.close()\n"
		  "for p in open('/proc/self/task/%d/children' % os.getpid()).read().split():\n"
		  "    os.kill(int(p), 15)\n"
		  "    print(os.waitpid(int(p), 0)[1])\n" },
	.needs = "/usr/bin/python3",
	.processes = 5,
	.middle = { 10, 25 },
};

static int copy_mpi_program(struct subject *s)
{
	char command[300];

	snprintf(command, sizeof(command), "cp %s %s/", subject_path("mpi"), s->dir);
	return system(command);
}

/* Its processes talk to each other by TCP. */
FIXTURE_VARIANT_ADD(program, mpirun) {
	.argv = { "/usr/bin/mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "4",
		  "./mpi" },
	.needs = "mpi",
	.prepare = copy_mpi_program,
	.processes = 5,
	.middle = { 10, 30 },
};

/* Some hundred commits of files that differ from each other in part. */
static int make_repository(struct subject *s)
{
	static const char script[] =
		"cd %s && git init -q --bare repo && awk 'BEGIN { x = 1;"
		"for (i = 0; i < 1500; i++) {"
		"  data = \"\"; for (j = 0; j < 150; j++) { x = (x * 7919 + i) %% 1000003;"
		"    data = data (j %% 9 ? j * i %% 31 : x) \" words\\n\" }"
		"  printf \"blob\\nmark :%%d\\ndata %%d\\n%%s\\n\", 2 * i + 1, length(data), data;"
		"  printf \"commit refs/heads/main\\nmark :%%d\\n\", 2 * i + 2;"
		"  printf \"committer a <a@b> %%d +0000\\ndata 5\\ntext\\n\", 1000000000 + i;"
		"  if (i) printf \"from :%%d\\n\", 2 * i;"
		"  printf \"M 100644 :%%d dir%%d/file%%d\\n\", 2 * i + 1, i %% 7, i %% 60 } }' |"
		"git -C repo fast-import --quiet && git -C repo symbolic-ref HEAD refs/heads/main";
	char command[2000];

	snprintf(command, sizeof(command), script, s->dir);
	return system(command);
}

/* What it shows of its progress has carriage returns. */
FIXTURE_VARIANT_ADD(program, git_clone) {
	.argv = { "/bin/bash", "-c",
		  "git clone --progress file://$PWD/repo copy "
		  "2> >(stdbuf -oL tr '\\r' '\\n' >progress) || exit;"
		  "git -C copy log --format=%H%T | sha256sum; git -C copy fsck --full || exit;"
		  "cat copy/dir*/* | sha256sum; git -C copy status; wait" },
	.needs = "/usr/bin/git",
	.prepare = make_repository,
	.processes = 4,
	.middle = { 50, 200 },
};

static const char *path_in(struct subject *s, const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
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
	dup2(open(output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600), 1);
	dup2(open("errors", O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
	close_range(3, ~0U, 0);
	execv(argv[0], (char **)argv);
	_exit(101);
}

static int count_lines(const char *path)
{
	char text[65536];
	int i, n = 0, size = read_file(path, text, sizeof(text));

	for (i = 0; i < size; i++)
		n += text[i] == '\n';
	return n;
}

static void show_errors(struct subject *s)
{
	char text[1000], command[200];

	if (read_file(path_in(s, "errors"), text, sizeof(text)) > 0)
		say("errors: %s", text);
	if (count_lines(path_in(s, "progress")) > 0) {
		snprintf(command, sizeof(command), "tail -n 5 %s >&2", path_in(s, "progress"));
		system(command);
	}
}

/* The uninterrupted run, in a directory of its own. */
static off_t reference(const FIXTURE_VARIANT(program) *variant, char *want)
{
	struct subject s;
	off_t size = -1;
	int status;
	pid_t pid;

	if (subject_init(&s) || (variant->prepare && variant->prepare(&s)))
		return -1;
	pid = start_program(&s, variant->argv, "want");
	if (waitpid(pid, &status, 0) == pid && !status)
		size = read_file(path_in(&s, "want"), want, OUTPUT_MAX);
	else
		show_errors(&s);
	subject_destroy(&s);
	return size;
}

FIXTURE_SETUP(program)
{
	const char *needs = variant->needs;

	if (access(*needs == '/' ? needs : subject_path(needs), X_OK) ||
	    access(variant->argv[0], X_OK))
		SKIP(return, "no %s", needs);
	self->want = malloc(OUTPUT_MAX);
	/* What is killed comes to us. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, subject_init(&self->s));
	ASSERT_TRUE(!variant->prepare || !variant->prepare(&self->s));
	self->size = reference(variant, self->want);
	ASSERT_LT(100, self->size);
}

FIXTURE_TEARDOWN(program)
{
	subject_destroy(&self->s);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	free(self->want);
}

/* A process with all that descend from it. */
static int count_tree(pid_t pid)
{
	char path[64], children[1024], *p = children, *end;
	int n = 1;
	long child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	if (read_file(path, children, sizeof(children)) <= 0)
		return 1;
	for (child = strtol(p, &end, 10); end != p; child = strtol(p, &end, 10)) {
		n += count_tree(child);
		p = end;
	}
	return n;
}

/* Waits until it is so far, and not only one process of it is left. */
static int wait_middle(struct subject *s, int lines, int processes)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	siginfo_t info = {};

	while (count_lines(path_in(s, "progress")) < lines || count_tree(s->pid) < processes) {
		waitid(P_PID, s->pid, &info, WEXITED | WNOHANG | WNOWAIT);
		if (info.si_pid || now_ns() > deadline) {
			say("%d lines of progress, waiting for %d; %d processes",
			    count_lines(path_in(s, "progress")), lines, count_tree(s->pid));
			show_errors(s);
			return -1;
		}
		poll_pause();
	}
	return 0;
}

/* A program that is just being started is refused, and asked again. */
static int save(struct subject *s)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	static const int passing[] = { CKPT_WHY_VFORK, CKPT_WHY_GONE, CKPT_WHY_CHANGED };
	bool again;
	size_t i;

	do {
		if (!subject_save(s, CHECKPOINT_KILL))
			return 0;
		again = false;
		for (i = 0; i < ARRAY_SIZE(passing); i++)
			again |= message_has(s, "", passing[i]);
		poll_pause();
	} while (again && now_ns() < deadline);
	return -1;
}

static int same_output(struct subject *s, const char *want, off_t size)
{
	char *got = malloc(OUTPUT_MAX);
	off_t n = read_file(path_in(s, "got"), got, OUTPUT_MAX);
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

TEST_F_TIMEOUT(program, restarted, 2 * TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int i, status;

	s->pid = start_program(s, variant->argv, "got");
	ASSERT_LT(0, s->pid);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, wait_middle(s, variant->middle[i], variant->processes));
		if (way_now(WAY_KILL) == WAY_NONE)
			continue;
		if (variant->obstacle) {
			ASSERT_EQ(-1, save(s));
			EXPECT_EQ(EOPNOTSUPP, s->err);
			EXPECT_TRUE(message_has(s, "obstacle", variant->obstacle)) messages_show(s);
			continue;
		}
		ASSERT_EQ(0, save(s)) messages_show(s);
		ASSERT_EQ(0, subject_reap_tree(s));
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	}
	ASSERT_EQ(s->pid, waitpid(s->pid, &status, 0));
	s->pid = 0;
	ASSERT_EQ(0, status) show_errors(s);
	ASSERT_EQ(0, same_output(s, self->want, self->size));
}

TEST_HARNESS_MAIN

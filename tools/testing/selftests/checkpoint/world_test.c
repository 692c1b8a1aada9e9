// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world of files at a restart: they have changed, with both values told, or
 * lie elsewhere by now. And by the command, as a person does it.
 */
#include "kselftest_harness.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "outside.h"

FIXTURE(world) {
	struct subject s;
	char lib[160];
	char old_dir[24];	/* /tmp/ckpt.XXXXXX */
};

static int copy_file(const char *from, const char *to)
{
	struct stat st;
	char *data;
	int ret;

	if (stat(from, &st))
		return -1;
	data = malloc(st.st_size + 1);
	ret = read_file(from, data, st.st_size + 1) == st.st_size ?
	      write_file(to, data, st.st_size) : -1;
	free(data);
	return ret ?: chmod(to, 0755);
}

/* A copy in place of the file, with its size and time. */
static int replace(const char *path)
{
	struct timespec times[2];
	char copy[200];
	struct stat st;

	snprintf(copy, sizeof(copy), "%s.copy", path);
	if (stat(path, &st) || copy_file(path, copy))
		return -1;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return utimensat(AT_FDCWD, copy, times, 0) ?: rename(copy, path);
}

FIXTURE_SETUP(world)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	snprintf(self->old_dir, sizeof(self->old_dir), "%.20s", s->dir);
	snprintf(self->lib, sizeof(self->lib), "%s", in_dir(s, "library"));
	ASSERT_EQ(0, copy_file(subject_path("subject-static"), self->lib));
	/* The program, too, lies in the directory. */
	ASSERT_EQ(0, copy_file(subject_path("subject-static"), in_dir(s, "program")));
	s->program = in_dir(s, "program");
	ASSERT_EQ(0, subject_start(s, "world where"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

FIXTURE_TEARDOWN(world)
{
	subject_destroy(&self->s);
}

static int refused(struct subject *s, struct restart_args *args, const char *a, const char *b)
{
	if (!restart(s, args)) {
		say("restarted, in spite of %s", a);
		return -1;
	}
	return s->err == ESTALE && told(s, "error", CKPT_WHY_FILE_CHANGED, a, b) ? 0 : -1;
}

/* It is right, and says where it is. */
static int runs(struct subject *s, struct restart_args *args)
{
	char line[100];

	snprintf(line, sizeof(line), "in %s", s->dir);
	if (restart(s, args)) {
		say("restart: %s", strerror(s->err));
		messages_show(s);
		return -1;
	}
	return subject_go(s) ?: subject_expect(s, line) ?: subject_end(s);
}

/* The class of the file lets it through, that of others not, its name does. */
static int by_class(struct subject *s, const char *path, uint32_t class, const char *a,
		    const char *b)
{
	struct checkpoint_entry name = entry(path, NULL, 0);
	struct restart_args none = {}, one = { .allow_changed = class };
	struct restart_args others = { .allow_changed = RESTART_CHANGED_ALL & ~class };
	struct restart_args list = { .changed = (uintptr_t)&name, .nr_changed = 1 };

	return refused(s, &none, a, b) ?: refused(s, &others, a, path) ?: runs(s, &one) ?:
	       runs(s, &list);
}

TEST_F_TIMEOUT(world, unchanged, TEST_TIMEOUT)
{
	struct restart_args args = {};

	ASSERT_EQ(0, runs(&self->s, &args));
	/* The log has grown, which is right for a log. */
	ASSERT_EQ(0, runs(&self->s, &args));
}

TEST_F_TIMEOUT(world, data_time, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct timespec times[2] = { { 5, 5 }, { 1234567, 891 } };
	char *path = in_dir(s, "data"), was[60];
	struct stat st;

	ASSERT_EQ(0, stat(path, &st));
	snprintf(was, sizeof(was), "was %lld%09ld and is 1234567000000891",
		 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	ASSERT_EQ(0, utimensat(AT_FDCWD, path, times, 0));
	ASSERT_EQ(0, by_class(s, path, RESTART_CHANGED_DATA, was, "--allow-changed data"));
}

TEST_F_TIMEOUT(world, data_size, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char *path = in_dir(s, "rw");

	ASSERT_EQ(0, truncate(path, 7));
	ASSERT_EQ(0, by_class(s, path, RESTART_CHANGED_DATA, "size was 10 and is 7", path));
}

/* An exact copy is not the same file, but may do. */
TEST_F_TIMEOUT(world, data_replaced, TEST_TIMEOUT)
{
	struct restart_args args = { .allow_changed = RESTART_CHANGED_DATA };
	struct subject *s = &self->s;
	char *path = in_dir(s, "data");

	ASSERT_EQ(0, replace(path));
	args.allow_changed = RESTART_CHANGED_LOG | RESTART_CHANGED_PROGRAM;
	ASSERT_EQ(0, refused(s, &args, "inode number", "--allow-changed replaced"));
	args.allow_changed = RESTART_CHANGED_REPLACED;
	ASSERT_EQ(0, runs(s, &args));
	args.allow_changed = RESTART_CHANGED_DATA;
	ASSERT_EQ(0, runs(s, &args));
}

TEST_F_TIMEOUT(world, log_cut, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char *path = in_dir(s, "log");

	ASSERT_EQ(0, truncate(path, 4));
	/* It grows each time that the subject runs. */
	ASSERT_EQ(0, by_class(s, path, RESTART_CHANGED_LOG, "size was 5 and is 4",
			      "--allow-changed log"));
}

/* A library is what it was by its build-id: another copy with another time will do. */
TEST_F_TIMEOUT(world, library_copied, TEST_TIMEOUT)
{
	struct timespec times[2] = { { 5, 5 }, { 1234567, 891 } };
	struct subject *s = &self->s;
	struct restart_args args = {};

	ASSERT_EQ(0, replace(self->lib));
	ASSERT_EQ(0, utimensat(AT_FDCWD, self->lib, times, 0));
	ASSERT_EQ(0, runs(s, &args));
	ASSERT_EQ(0, replace(s->program));
	ASSERT_EQ(0, utimensat(AT_FDCWD, s->program, times, 0));
	ASSERT_EQ(0, runs(s, &args));
}

/* Changes the build-id, but neither size nor time. */
static int spoil_build_id(const char *path)
{
	static const char mark[] = { 4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0 };
	struct timespec times[2];
	char *data, *note;
	struct stat st;

	if (stat(path, &st))
		return -1;
	data = malloc(st.st_size + 1);
	if (read_file(path, data, st.st_size + 1) != st.st_size)
		return -1;
	note = memmem(data, st.st_size, mark, sizeof(mark));
	if (!note)
		return -1;
	note[sizeof(mark)] ^= 0x55;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (write_file(path, data, st.st_size))
		return -1;
	free(data);
	return utimensat(AT_FDCWD, path, times, 0);
}

TEST_F_TIMEOUT(world, library_changed, TEST_TIMEOUT)
{
	ASSERT_EQ(0, spoil_build_id(self->lib));
	ASSERT_EQ(0, by_class(&self->s, self->lib, RESTART_CHANGED_PROGRAM, "build-id was",
			      "--allow-changed program"));
}

TEST_F_TIMEOUT(world, program_changed, TEST_TIMEOUT)
{
	ASSERT_EQ(0, spoil_build_id(self->s.program));
	ASSERT_EQ(0, by_class(&self->s, self->s.program, RESTART_CHANGED_PROGRAM, "build-id was",
			      "--allow-changed program"));
}

/* Another type is never right. */
TEST_F_TIMEOUT(world, type, TEST_TIMEOUT)
{
	struct restart_args args = { .allow_changed = RESTART_CHANGED_ALL };
	struct subject *s = &self->s;

	ASSERT_EQ(0, unlink(in_dir(s, "data")));
	ASSERT_EQ(0, mkdir(in_dir(s, "data"), 0700));
	ASSERT_EQ(0, refused(s, &args, in_dir(s, "data"), "type"));
}

/* Everything has moved: program, library, data, and the current directory. */
TEST_F_TIMEOUT(world, relocated, TEST_TIMEOUT)
{
	struct checkpoint_entry list[3];
	struct restart_args args = { .relocate = (uintptr_t)list, .nr_relocate = 3 };
	struct subject *s = &self->s;
	char exe[200] = "", path[40], far[4096];

	snprintf(s->dir, sizeof(s->dir), "%s.moved", self->old_dir);
	ASSERT_EQ(0, rename(self->old_dir, s->dir));
	snprintf(s->image, sizeof(s->image), "%s.moved/image", self->old_dir);
	ASSERT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(ESTALE, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_FILE_MISSING, self->old_dir, "missing"));
	/* A name that only begins alike is another one. */
	list[0] = entry("/tm", "/x", 0);
	snprintf(path, sizeof(path), "%s/", self->old_dir);
	list[1] = entry(path, s->dir, 0);
	list[2] = entry(self->old_dir, "/the/second", 0);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	EXPECT_TRUE(told(s, "note", CKPT_WHY_FILE_MISSING, "/tm", "no"));
	snprintf(path, sizeof(path), "/proc/%d/exe", s->pid);
	EXPECT_LT(0, readlink(path, exe, sizeof(exe) - 1));
	EXPECT_STREQ(in_dir(s, "program"), exe);
	snprintf(exe, sizeof(exe), "in %s", s->dir);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, exe));
	ASSERT_EQ(0, subject_end(s));
	/* Too long, with what comes behind it. */
	memset(far, 'x', sizeof(far));
	far[0] = '/';
	far[4090] = 0;
	list[0] = entry(self->old_dir, far, 0);
	args.nr_relocate = 1;
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_EQ(ENAMETOOLONG, s->err);
}

/* All of it below another root, which becomes that of the program, as by chroot. */
TEST_F_TIMEOUT(world, below_root, TEST_TIMEOUT)
{
	struct checkpoint_entry list;
	struct restart_args args = { .relocate = (uintptr_t)&list, .nr_relocate = 1 };
	struct subject *s = &self->s;
	char root[32], under[60], path[40], link[200] = "", line[100];

	snprintf(root, sizeof(root), "%s.root", self->old_dir);
	snprintf(under, sizeof(under), "%s/tmp", root);
	ASSERT_EQ(0, mkdir(root, 0755) | mkdir(under, 0755));
	snprintf(under, sizeof(under), "%s%s", root, self->old_dir);
	ASSERT_EQ(0, rename(self->old_dir, under));
	snprintf(s->image, sizeof(s->image), "%s/image", under);
	snprintf(s->dir, sizeof(s->dir), "%s", root);
	list = entry("/", root, 0);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	snprintf(path, sizeof(path), "/proc/%d/root", s->pid);
	EXPECT_LT(0, readlink(path, link, sizeof(link) - 1));
	EXPECT_STREQ(root, link);
	snprintf(line, sizeof(line), "in %s", self->old_dir);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, line));
	ASSERT_EQ(0, subject_end(s));
}

/* The same where a link, to an absolute path, leads on: below that root, not outside. */
TEST_F_TIMEOUT(world, link_below_root, TEST_TIMEOUT)
{
	struct checkpoint_entry list;
	struct restart_args args = { .relocate = (uintptr_t)&list, .nr_relocate = 1 };
	struct subject *s = &self->s;
	char root[32], real[60], link[60];

	snprintf(root, sizeof(root), "%s.root", self->old_dir);
	snprintf(link, sizeof(link), "%s/tmp", root);
	ASSERT_EQ(0, mkdir(root, 0755) | mkdir(link, 0755));
	snprintf(real, sizeof(real), "%s/real", root);
	snprintf(link, sizeof(link), "%s%s", root, self->old_dir);
	ASSERT_EQ(0, rename(self->old_dir, real) | symlink("/real", link));
	snprintf(s->image, sizeof(s->image), "%s/image", real);
	snprintf(s->dir, sizeof(s->dir), "%s", root);
	list = entry("/", root, 0);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "in /real"));
	ASSERT_EQ(0, subject_end(s));
	/* What it leads to is outside: the same names, but not below the root. */
	ASSERT_EQ(0, unlink(link) | symlink(real, link));
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_EQ(ESTALE, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_FILE_MISSING, self->old_dir,
			 "missing below the new root"));
}

FIXTURE(place) {
	struct subject s;
};

FIXTURE_VARIANT(place) {
	const char *name;
	int (*make)(const char *path);
	int (*make_other)(const char *path);	/* of another type */
};

static int make_dir(const char *path)
{
	return mkdir(path, 0755);
}

static int make_fifo(const char *path)
{
	return mkfifo(path, 0600);
}

static int make_file(const char *path)
{
	return write_file(path, "0123456789", 10);
}

#define PLACE(name_, make_, other_)						\
	FIXTURE_VARIANT_ADD(place, name_) {					\
		.name = #name_, .make = make_, .make_other = other_ }

PLACE(dir, make_dir, make_file);
PLACE(fifo, make_fifo, make_file);
PLACE(path, make_file, make_fifo);
PLACE(place, make_dir, make_fifo);

FIXTURE_SETUP(place)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	ASSERT_EQ(0, subject_start(s, "places"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
}

FIXTURE_TEARDOWN(place)
{
	subject_destroy(&self->s);
}

static int runs_there(struct subject *s, struct restart_args *args)
{
	if (restart(s, args)) {
		say("restart: %s", strerror(s->err));
		messages_show(s);
		return -1;
	}
	return subject_go(s) ?: subject_end(s);
}

/* They are used while the program does not run: their times are nobody's business. */
TEST_F_TIMEOUT(place, used, TEST_TIMEOUT)
{
	struct timespec times[2] = { { 5, 5 }, { 1234567, 891 } };
	struct restart_args args = {};
	struct subject *s = &self->s;
	char *path = in_dir(s, variant->name), inner[200];

	if (variant->make == make_dir) {
		snprintf(inner, sizeof(inner), "%s/new", path);
		ASSERT_EQ(0, make_file(inner));
	}
	ASSERT_EQ(0, chmod(path, 0700));
	ASSERT_EQ(0, utimensat(AT_FDCWD, path, times, 0));
	ASSERT_EQ(0, runs_there(s, &args));
}

/* Another one of that name is not what was open. */
TEST_F_TIMEOUT(place, replaced, TEST_TIMEOUT)
{
	struct restart_args none = {}, one = { .allow_changed = RESTART_CHANGED_REPLACED };
	struct restart_args others = {
		.allow_changed = RESTART_CHANGED_ALL & ~RESTART_CHANGED_REPLACED,
	};
	struct subject *s = &self->s;
	char *path = in_dir(s, variant->name), *old, values[80];
	struct checkpoint_entry name = entry(path, NULL, 0);
	struct restart_args list = { .changed = (uintptr_t)&name, .nr_changed = 1 };
	struct stat was, is;

	old = in_dir(s, "old");
	ASSERT_EQ(0, stat(path, &was));
	ASSERT_EQ(0, rename(path, old));
	ASSERT_EQ(0, variant->make(path));
	ASSERT_EQ(0, stat(path, &is));
	snprintf(values, sizeof(values), "inode number was %lu and is %lu",
		 (unsigned long)was.st_ino, (unsigned long)is.st_ino);
	ASSERT_EQ(0, refused(s, &none, path, values));
	ASSERT_EQ(0, refused(s, &others, values, "--allow-changed replaced"));
	ASSERT_EQ(0, runs_there(s, &one));
	ASSERT_EQ(0, runs_there(s, &list));
	/* And nothing is right that is of another type. */
	ASSERT_EQ(0, variant->make == make_dir ? rmdir(path) : unlink(path));
	ASSERT_EQ(0, variant->make_other(path));
	one.allow_changed = RESTART_CHANGED_ALL;
	ASSERT_EQ(-1, restart(s, &one));
	ASSERT_EQ(ESTALE, s->err);
	EXPECT_TRUE(told(s, "error", variant->make == make_fifo ? CKPT_WHY_FILE_MISSING :
			 CKPT_WHY_FILE_CHANGED, path,
			 variant->make == make_fifo ? "FIFO" : "type was"));
}

FIXTURE(command) {
	struct subject s;
};

FIXTURE_SETUP(command)
{
	ASSERT_EQ(0, subject_init(&self->s));
	if (system("command -v ckpt >/dev/null") || way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "no ckpt");
}

FIXTURE_TEARDOWN(command)
{
	subject_destroy(&self->s);
}

/* A program that counts into its standard output until there is a file "stop". */
#define PRELUDE "set -eu -o pipefail; exec 2>&1 </dev/null; "				\
	"trap 'touch stop; kill $(jobs -p) 2>/dev/null || true' EXIT; "			\
	"count() { exec 3<data; n=0; until [ -e stop ]; do n=$((n + 1)); echo $n; sleep 0.02; "	\
	"done; read -r line <&3; echo end $line; }; "					\
	"lines() { until [ $(cat $1 2>&- | wc -l) -ge $2 ]; do sleep 0.05; done; }; "	\
	"says() { grep -qF -- \"$1\" said || { echo \"not said: $1\"; cat said; exit 1; }; }; " \
	"fails() { local want=$1 got=0; shift; \"$@\" >said 2>&1 || got=$?; "		\
	"[ $got = $want ] || { echo \"status $got: $*\"; cat said; exit 1; }; }; "		\
	"export -f count; echo first >data; "

static int bash(struct subject *s, const char *script)
{
	char command[4096];
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (chdir(s->dir))
			_exit(100);
		close_range(3, ~0U, 0);
		snprintf(command, sizeof(command), "%s%s", PRELUDE, script);
		execl("/bin/bash", "bash", "-c", command, NULL);
		_exit(101);
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Two programs write into one file, one after the other. */
TEST_F_TIMEOUT(command, subshell, TEST_TIMEOUT)
{
	static const char script[] =
		"(bash -c count & echo $! >pid; wait $! || true; echo after) >out & "
		"until [ -s pid ]; do sleep 0.05; done; lines out 3; pid=$(cat pid); "
		"fails 69 ckpt check $pid; says 'shares its position'; says \"file:$PWD/out\"; "
		"fails 69 ckpt save --kill $pid -o image; says --shared-files; "
		"ckpt save -q --shared-files --kill $pid -o image; wait; "
		"grep -qx after out; cp out before; "
		"fails 78 ckpt restart image; says 'size was'; says '--allow-changed data'; "
		"touch stop; ckpt restart image --allow-changed $PWD/out; "
		"grep -qx 'end first' out";

	ASSERT_EQ(0, bash(&self->s, script));
}

/* Without a shell that waits, nobody shares. */
TEST_F_TIMEOUT(command, background, TEST_TIMEOUT)
{
	static const char script[] =
		"bash -c count >out & pid=$!; lines out 3; "
		"ckpt save -q --kill $pid -o image; wait $pid || true; n=$(wc -l <out); "
		"ckpt restart image >unused & lines out $((n + 3)); pid=$(ckpt show --json image "
		"| sed -n 's/.*{\"pid\": \\([0-9]*\\).*/\\1/p' | head -n1); "
		/* ckpt in the foreground has the same streams, and lets them go. */
		"ckpt save -q --kill $pid -o image2; wait $! || true; touch stop; "
		"ckpt restart image2; grep -qx 'end first' out; "
		"seq $(($(wc -l <out) - 1)) | diff - <(head -n -1 out)";

	ASSERT_EQ(0, bash(&self->s, script));
}

/* A pipe to a process outside. */
TEST_F_TIMEOUT(command, pipe, TEST_TIMEOUT)
{
	static const char script[] =
		"exec 7> >(exec cat >got); (exec 5>&7 7>&- >/dev/null 2>&1; exec python3 -c \""
		"import os, time\nf, n = open('data'), 0\nwhile not os.path.exists('stop'):\n"
		" n += 1\n os.write(5, b'%d\\n' % n)\n time.sleep(0.02)\n"
		"os.write(5, b'end ' + f.readline().encode())\") "
		"& pid=$!; lines got 3; key=$(readlink /proc/$pid/fd/5); "
		"fails 69 ckpt check $pid; says \"--external '$key'\"; "
		"fails 0 ckpt check --external $key $pid; says \"--inherit '$key=FD'\"; "
		"ckpt save -q --kill --external $key $pid -o image; wait $pid || true; "
		"fails 0 ckpt show image; says \"takes --inherit '$key=FD'\"; "
		"fails 70 ckpt restart image; says \"--inherit '$key=FD'\"; touch stop; "
		"fails 64 ckpt restart image --inherit \"$key=9\"; says 'not open'; "
		"ckpt restart image --inherit \"$key=7\"; exec 7>&-; "
		"until grep -qx 'end first' got; do sleep 0.05; done; "
		": >sink; ckpt restart image --inherit \"$key=sink\"; grep -qx 'end first' sink";

	ASSERT_EQ(0, bash(&self->s, script));
}

/* Data that have changed, and a directory that has moved. */
TEST_F_TIMEOUT(command, changed_and_moved, TEST_TIMEOUT)
{
	static const char script[] =
		"mkdir one; cd one; echo first >data; bash -c count >>out & pid=$!; sleep 0.01; "
		"until [ -s out ]; do sleep 0.05; done; lines out 3; "
		"ckpt save -q --kill $pid -o ../image; wait $pid || true; "
		"echo second one >data; touch stop; "
		"fails 78 ckpt restart ../image; says 'size was 6 and is 11'; "
		"fails 78 ckpt restart ../image --allow-changed log; "
		"ckpt restart ../image --allow-changed data; grep -qx 'end second one' out; "
		"cd ..; mv one two; fails 78 ckpt restart image --allow-changed data; "
		"says 'is missing'; "
		"ckpt restart image --allow-changed $PWD/two/data --relocate $PWD/one=two; "
		"[ $(grep -cx 'end second one' two/out) = 2 ]";

	ASSERT_EQ(0, bash(&self->s, script));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files without a name, directories, O_PATH, owners, locks, FIFOs: each mode of
 * the subject in every way, those that need a directory on several file systems.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "term.h"

#define EXT4_IMAGE	"/tmp/ckpt-ext4.img"
#define EXT4_DIR	"/tmp/ckpt-ext4"

FIXTURE(regular) {
	struct subject s;
};

FIXTURE_VARIANT(regular) {
	enum way way;
};

FIXTURE_VARIANT_ADD(regular, none) { .way = WAY_NONE };
FIXTURE_VARIANT_ADD(regular, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(regular, kill) { .way = WAY_KILL };

FIXTURE_SETUP(regular)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(regular)
{
	subject_destroy(&self->s);
}

/* The directory of the subject is on a tmpfs. */
#define REGULAR_TEST(name, command)					\
TEST_F_TIMEOUT(regular, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

REGULAR_TEST(owner, "owner")
REGULAR_TEST(proc, "proc")
REGULAR_TEST(proc_child, "proc_child")
REGULAR_TEST(proc_zombie, "proc_zombie")
REGULAR_TEST(proc_write, "proc_write")
REGULAR_TEST(async_files, "async_files")
REGULAR_TEST(owner_child, "owner_child")
REGULAR_TEST(lock_posix, "lock_posix")
REGULAR_TEST(lock_ofd, "lock_ofd")
REGULAR_TEST(lock_flock, "lock_flock")
REGULAR_TEST(lock_waiter, "lock_waiter")
REGULAR_TEST(lock_lease, "lock_lease")
REGULAR_TEST(fifo, "fifo")
REGULAR_TEST(fifo_tree, "fifo_tree")
REGULAR_TEST(pipe_packets, "pipe_packets")
REGULAR_TEST(pipe_reopened, "pipe_reopened")
REGULAR_TEST(full_pipe, "full_pipe")
REGULAR_TEST(owner_thread, "owner_thread")
REGULAR_TEST(flags_nonblock, "set_flags 04000")
REGULAR_TEST(flags_append, "set_flags 02000")
REGULAR_TEST(many_files, "many_files 400")
REGULAR_TEST(namespaces_own, "namespaces_own")
REGULAR_TEST(namespaces_tree, "namespaces_tree")

REGULAR_TEST(proc_gone, "proc_gone")
REGULAR_TEST(proc_cwd, "proc_cwd")

/* What readlink(2) gives of files of a thread that is gone has the number of the stand-in. */
TEST_F_TIMEOUT(regular, proc_thread, TEST_TIMEOUT)
{
	self->s.nosnap = true;
	ASSERT_EQ(0, subject_run(&self->s, "proc_thread", variant->way));
}

/* One file, two mounts: it is open in the one where it was. */
TEST_F_TIMEOUT(regular, mounted_twice, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char a[80], b[80], name[100], command[100];
	int ret;

	snprintf(a, sizeof(a), "%s/a", s->dir);
	snprintf(b, sizeof(b), "%s/b", s->dir);
	snprintf(name, sizeof(name), "%s/file", a);
	snprintf(command, sizeof(command), "mounted_twice %s", s->dir);
	ASSERT_EQ(0, mkdir(a, 0755) || mkdir(b, 0755) || write_file(name, "012345", 6));
	ASSERT_EQ(0, mount(a, b, NULL, MS_BIND, NULL));
	ret = subject_run(s, command, variant->way);
	EXPECT_EQ(0, umount2(b, MNT_DETACH));
	ASSERT_EQ(0, ret);
}

FIXTURE(on) {
	struct subject s;
	bool mounted;
};

FIXTURE_VARIANT(on) {
	enum way way;
	const char *dir;
};

#define ON(fs, name, way_, dir_)						\
	FIXTURE_VARIANT_ADD(on, fs##_##name) { .way = way_, .dir = dir_ }

ON(tmpfs, none, WAY_NONE, "/tmp");
ON(tmpfs, go_on, WAY_GO_ON, "/tmp");
ON(tmpfs, kill, WAY_KILL, "/tmp");
ON(overlay, none, WAY_NONE, "/var/tmp");
ON(overlay, go_on, WAY_GO_ON, "/var/tmp");
ON(overlay, kill, WAY_KILL, "/var/tmp");
ON(ext4, none, WAY_NONE, EXT4_DIR);
ON(ext4, go_on, WAY_GO_ON, EXT4_DIR);
ON(ext4, kill, WAY_KILL, EXT4_DIR);

static int make_ext4(void)
{
	mkdir(EXT4_DIR, 0755);
	return system("truncate -s 64M " EXT4_IMAGE " && mkfs.ext4 -q -F " EXT4_IMAGE
		      " && dev=$(losetup -f --show " EXT4_IMAGE
		      ") && mount $dev " EXT4_DIR " && losetup -d $dev");
}

FIXTURE_SETUP(on)
{
	ASSERT_EQ(0, subject_init(&self->s));
	if (!strcmp(variant->dir, EXT4_DIR)) {
		self->mounted = !make_ext4();
		if (!self->mounted)
			SKIP(return, "no ext4 on a loop device");
	}
}

FIXTURE_TEARDOWN(on)
{
	subject_destroy(&self->s);
	if (self->mounted)
		EXPECT_EQ(0, umount(EXT4_DIR));
	unlink(EXT4_IMAGE);
}

#define ON_TEST(name)							\
TEST_F_TIMEOUT(on, name, TEST_TIMEOUT)					\
{									\
	char command[128];						\
									\
	snprintf(command, sizeof(command), #name " %s", variant->dir);	\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

/* After a restart /proc shows the name by which it was found. */
#define NAMED_TEST(name)						\
TEST_F_TIMEOUT(on, name, TEST_TIMEOUT)					\
{									\
	char command[128];						\
									\
	self->s.nosnap = variant->way == WAY_KILL;			\
	snprintf(command, sizeof(command), #name " %s", variant->dir);	\
	ASSERT_EQ(0, subject_run(&self->s, command, variant->way));	\
}

ON_TEST(unlinked)
ON_TEST(unlinked_mapped)
ON_TEST(unlinked_tree)
NAMED_TEST(tmpfile)
ON_TEST(removed)
ON_TEST(removed_nested)
ON_TEST(renamed)
NAMED_TEST(linked)
ON_TEST(opath)
ON_TEST(direct)
ON_TEST(fifo_on)
ON_TEST(lock_nameless)
/* On a tmpfs it is memory without a name. */
ON_TEST(unlinked_exe)

/* What cannot be had again, or is not the tree's alone. */
FIXTURE(refused) {
	struct subject s;
};

FIXTURE_SETUP(refused)
{
	ASSERT_EQ(0, subject_init(&self->s));
}

FIXTURE_TEARDOWN(refused)
{
	subject_destroy(&self->s);
}

static int begin(struct subject *s, const char *command)
{
	return subject_start(s, command) || subject_expect(s, "ready");
}

static int open_in(struct subject *s, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return open(path, flags | O_CLOEXEC);
}

/* Without its child, which has it, too; then with it. */
static int save_part(struct subject *s, int code)
{
	if (!subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL) || s->err != EOPNOTSUPP ||
	    !message_has(s, "obstacle", code)) {
		messages_show(s);
		return -1;
	}
	if (subject_save(s, 0)) {
		messages_show(s);
		return -1;
	}
	return subject_go(s) || subject_end(s);
}

TEST_F_TIMEOUT(refused, unlinked_leaked, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, begin(s, "unlinked_leaked /var/tmp"));
	ASSERT_EQ(0, save_part(s, CKPT_WHY_FILE_DELETED));
}

/* The message says how to make a far name known. */
TEST_F_TIMEOUT(refused, linked_far, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct message m[8];
	char path[SUBJECT_LINE];
	int i, n, found = 0;

	/* It has the name that it was found by then. */
	s->nosnap = true;
	ASSERT_EQ(0, subject_start(s, "linked_far /var/tmp"));
	ASSERT_EQ(0, subject_read(s));
	ASSERT_EQ(0, strncmp(s->line, "in ", 3));
	snprintf(path, sizeof(path), "%.400s/other/deep/one", s->line + 3);
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	n = messages_read(s, m, ARRAY_SIZE(m));
	for (i = 0; i < n; i++)
		found += m[i].code == CKPT_WHY_FILE_DELETED &&
			 strstr(m[i].text, "ls -l OTHER-NAME");
	ASSERT_EQ(1, found) messages_show(s);
	n = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, n);
	ASSERT_EQ(0, subject_cycle(s, WAY_KILL));
	close(n);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(refused, fifo_outside, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, begin(s, "fifo_outside"));
	ASSERT_EQ(0, save_part(s, CKPT_WHY_FILE));
}

/* What nobody can write to is saved although others have it; and refused if one can. */
TEST_F_TIMEOUT(refused, unlinked_library, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	/* The one who has it, too, is not in the image. */
	s->nosnap = true;
	ASSERT_EQ(0, begin(s, "unlinked_library /var/tmp"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s) || subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s) || subject_end(s));
}

TEST_F_TIMEOUT(refused, unlinked_written, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, begin(s, "unlinked_library /var/tmp writer"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL));
	ASSERT_EQ(EOPNOTSUPP, s->err);
	ASSERT_TRUE(message_has(s, "obstacle", CKPT_WHY_FILE_DELETED)) messages_show(s);
	ASSERT_EQ(0, subject_go(s) || subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s) || subject_end(s));
}

static int save_and_kill(struct subject *s)
{
	if (!subject_save(s, CHECKPOINT_KILL))
		return subject_reap(s, SIGKILL);
	messages_show(s);
	return -1;
}

/* Refused for this reason, and then possible. */
static int restart_later(struct subject *s, int fd, int code)
{
	if (subject_restart(s, 0) > 0 || s->err != ESTALE || !message_has(s, "error", code)) {
		messages_show(s);
		return -1;
	}
	close(fd);
	if (subject_restart(s, 0)) {
		messages_show(s);
		return -1;
	}
	return subject_go(s) || subject_expect(s, "ready") || subject_go(s) || subject_end(s);
}

TEST_F_TIMEOUT(refused, lock_taken, TEST_TIMEOUT)
{
	struct flock fl = { .l_type = F_RDLCK, .l_start = 24, .l_len = 1 };
	struct subject *s = &self->s;
	struct message m[8];
	bool named = false;
	int fd, i, n;

	ASSERT_EQ(0, begin(s, "lock_posix"));
	ASSERT_EQ(0, save_and_kill(s));
	fd = open_in(s, "posix", O_RDWR);
	ASSERT_EQ(0, fcntl(fd, F_SETLK, &fl));
	ASSERT_EQ(-1, subject_restart(s, 0));
	n = messages_read(s, m, 8);
	for (i = 0; i < n; i++)
		named |= !!strstr(m[i].text, "bytes 20 to 24 of posix");
	ASSERT_TRUE(named) messages_show(s);
	ASSERT_EQ(0, restart_later(s, fd, CKPT_WHY_FILE_LOCK));
}

TEST_F_TIMEOUT(refused, flock_taken, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int fd;

	ASSERT_EQ(0, begin(s, "lock_flock"));
	ASSERT_EQ(0, save_and_kill(s));
	fd = open_in(s, "ex", O_RDONLY);
	ASSERT_EQ(0, flock(fd, LOCK_SH));
	ASSERT_EQ(0, restart_later(s, fd, CKPT_WHY_FILE_LOCK));
}

TEST_F_TIMEOUT(refused, lease_in_use, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int fd;

	ASSERT_EQ(0, begin(s, "lock_lease"));
	ASSERT_EQ(0, save_and_kill(s));
	fd = open_in(s, "rd", O_WRONLY);
	ASSERT_EQ(0, restart_later(s, fd, CKPT_WHY_FILE_LOCK));
}

TEST_F_TIMEOUT(refused, fifo_in_use, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int fd;

	ASSERT_EQ(0, begin(s, "fifo"));
	ASSERT_EQ(0, save_and_kill(s));
	fd = open_in(s, "two", O_RDWR);
	ASSERT_EQ(0, restart_later(s, fd, CKPT_WHY_FILE_CHANGED));
}

/* A namespace of the tree that it does not have, and a type that there is not. */
TEST_F_TIMEOUT(refused, namespace_lies, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	struct ckpt_rec_file *f;
	struct image image;
	char *name;
	int nr = 0;

	s->nosnap = true;
	ASSERT_EQ(0, begin(s, "namespaces_tree"));
	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, image_load(&image, s->image));
	do {
		ASSERT_NE(0, image_find(&image, CKPT_REC_FILE, nr));
		ASSERT_EQ(0, image_unpack(&image, CKPT_REC_FILE, nr));
		f = image_payload(&image, CKPT_REC_FILE, nr++);
		ASSERT_NE(NULL, f);
	} while (f->kind != CKPT_FILE_NAMESPACE || !f->object);
	nr--;
	f->object += 50;
	image_seal(&image, image_find(&image, CKPT_REC_FILE, nr));
	ASSERT_EQ(0, image_store(&image, s->image));
	EXPECT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(EBADMSG, s->err) messages_show(s);
	f->object -= 50;
	name = (char *)(f + 1);
	name[0] ^= 1;
	image_seal(&image, image_find(&image, CKPT_REC_FILE, nr));
	ASSERT_EQ(0, image_store(&image, s->image));
	EXPECT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(ENOEXEC, s->err) messages_show(s);
	name[0] ^= 1;
	image_seal(&image, image_find(&image, CKPT_REC_FILE, nr));
	ASSERT_EQ(0, image_store(&image, s->image));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
	image_free(&image);
}

TEST_F_TIMEOUT(refused, proc_new_pids, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, begin(s, "proc"));
	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

static int refuse(struct subject *s, const char *command, const char *text)
{
	if (begin(s, command))
		return -1;
	if (!subject_save(s, CHECKPOINT_KILL) || s->err != EOPNOTSUPP ||
	    !messages_count(s, "obstacle", CKPT_WHY_FILE, text)) {
		messages_show(s);
		return -1;
	}
	return subject_go(s) || subject_end(s);
}

TEST_F_TIMEOUT(refused, proc_outside, TEST_TIMEOUT)
{
	ASSERT_EQ(0, refuse(&self->s, "proc_refused outside", "status"));
}

TEST_F_TIMEOUT(refused, proc_opath, TEST_TIMEOUT)
{
	ASSERT_EQ(0, refuse(&self->s, "proc_refused opath", "status"));
}

TEST_F_TIMEOUT(refused, proc_descriptor, TEST_TIMEOUT)
{
	ASSERT_EQ(0, refuse(&self->s, "proc_refused descriptor", "single descriptor"));
}

TEST_F_TIMEOUT(refused, proc_map, TEST_TIMEOUT)
{
	ASSERT_EQ(0, refuse(&self->s, "proc_refused map", "uid_map"));
}

/* It has executed a program since then. */
TEST_F_TIMEOUT(refused, proc_before, TEST_TIMEOUT)
{
	ASSERT_EQ(0, refuse(&self->s, "proc_refused before", "does not have any more"));
}

static int new_pids(struct subject *s, const char *command)
{
	if (begin(s, command) || save_and_kill(s))
		return -1;
	if (subject_restart(s, RESTART_NEW_PIDS) < 0) {
		messages_show(s);
		return -1;
	}
	return subject_go(s);
}

/* Names of files of processes have their new numbers. */
TEST_F_TIMEOUT(refused, proc_gone_new_pids, TEST_TIMEOUT)
{
	ASSERT_EQ(0, new_pids(&self->s, "proc_gone"));
	ASSERT_EQ(0, subject_end(&self->s));
}

/* With new process ids owners and locks follow their processes. */
TEST_F_TIMEOUT(refused, new_pids, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, begin(s, "owner"));
	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* ckpt restart --root DIR with the streams of the subject: it becomes a child of ours. */
static int restart_below(struct subject *s, const char *root)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(s->child_in, 0);
		dup2(s->child_out, 1);
		dup2(s->child_out, 2);
		execl(ckpt_command(), "ckpt", "restart", "--detach", "--root", root,
		      "--allow-changed", "replaced", s->image, NULL);
		_exit(1);
	}
	return waitpid(pid, &status, 0) != pid || status;
}

/* What was made for removed directories goes when the restart fails later. */
TEST_F_TIMEOUT(refused, nested_left_nothing, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char command[100], kept[100];

	snprintf(command, sizeof(command), "removed_nested %s", s->dir);
	snprintf(kept, sizeof(kept), "%s/kept", s->dir);
	ASSERT_EQ(0, begin(s, command));
	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, unlink(kept));
	ASSERT_EQ(-1, subject_restart(s, 0));
	EXPECT_EQ(ESTALE, s->err);
	EXPECT_TRUE(message_has(s, "error", CKPT_WHY_FILE_MISSING)) messages_show(s);
	snprintf(command, sizeof(command), "! ls -A %s | grep checkpoint", s->dir);
	EXPECT_EQ(0, system(command));
}

/* A copy of the program and its file in another root directory. */
TEST_F_TIMEOUT(refused, other_root, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char root[80], program[100], command[1000], path[64], link[100] = "";
	pid_t pid;

	snprintf(root, sizeof(root), "%s/root", s->dir);
	snprintf(program, sizeof(program), "%s/program", s->dir);
	snprintf(command, sizeof(command),
		 "cd %s && cp %s program && printf 'data!' >data && "
		 "mkdir -p root$PWD && cp -a program data root$PWD && touch root$PWD/inside",
		 s->dir, subject_path("subject-static"));
	ASSERT_EQ(0, system(command));
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	s->program = program;
	snprintf(command, sizeof(command), "rooted %s", s->dir);
	ASSERT_EQ(0, begin(s, command));
	pid = s->pid;
	ASSERT_EQ(0, save_and_kill(s));
	/* It is not to be had from where it was. */
	ASSERT_EQ(0, unlink(program));
	ASSERT_EQ(0, restart_below(s, root));
	s->pid = pid;
	ASSERT_EQ(0, subject_read(s));
	ASSERT_EQ(pid, atoi(s->line)) say("%s", s->line);
	snprintf(path, sizeof(path), "/proc/%d/root", s->pid);
	ASSERT_LT(0, readlink(path, link, sizeof(link) - 1));
	EXPECT_STREQ(root, link);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_HARNESS_MAIN

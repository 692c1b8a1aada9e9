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
#include <sys/stat.h>

#include "common.h"

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
	/* Inode numbers of what is made again are new, and /proc shows them. */
	self->s.nosnap = true;
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
REGULAR_TEST(many_files, "many_files 400")

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
	self->s.nosnap = true;
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

ON_TEST(unlinked)
ON_TEST(unlinked_tree)
ON_TEST(tmpfile)
ON_TEST(removed)
ON_TEST(renamed)
ON_TEST(opath)

/* One on a tmpfs is memory without a name: it stays an obstacle. */
TEST_F_TIMEOUT(on, unlinked_exe, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char command[128];

	snprintf(command, sizeof(command), "unlinked_exe %s", variant->dir);
	if (strcmp(variant->dir, "/tmp")) {
		ASSERT_EQ(0, subject_run(s, command, variant->way));
		return;
	}
	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, 0));
	ASSERT_EQ(EOPNOTSUPP, s->err);
}

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

TEST_F_TIMEOUT(refused, fifo_outside, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, begin(s, "fifo_outside"));
	ASSERT_EQ(0, save_part(s, CKPT_WHY_FILE));
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

TEST_F_TIMEOUT(refused, proc_new_pids, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, begin(s, "proc"));
	ASSERT_EQ(0, save_and_kill(s));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
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

TEST_HARNESS_MAIN

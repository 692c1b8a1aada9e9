// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reaches outside of the tree: positions that others share, and keys that
 * are accepted and supplied.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "outside.h"

#define ONLY	CHECKPOINT_ONLY

static int save(struct subject *s, unsigned long flags, const char *key)
{
	struct checkpoint_entry list = entry(key ?: "", NULL, 0);
	struct checkpoint_args args = {
		.log_fd = s->log_fd,
		.external = key ? (uintptr_t)&list : 0,
		.nr_external = !!key,
	};
	int fd = open(s->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	long ret;

	if (ftruncate(s->log_fd, 0))
		return -1;
	ret = sys_checkpoint(s->pid, fd, flags | CHECKPOINT_ARGS, &args, sizeof(args));
	s->err = ret < 0 ? errno : 0;
	close(fd);
	return ret > 0 ? 0 : -1;
}

FIXTURE(position) {
	struct subject s;
};

FIXTURE_VARIANT(position) {
	const char *how;
	bool refused;
};

#define POSITION(__how, __refused)	\
	FIXTURE_VARIANT_ADD(position, __how) { .how = #__how, .refused = __refused }

POSITION(write, true);
POSITION(read, true);
POSITION(readappend, true);
POSITION(flight, true);
POSITION(append, false);
POSITION(null, false);
POSITION(directory, false);
POSITION(alone, false);
POSITION(mapped, false);

FIXTURE_SETUP(position)
{
	char command[40];

	ASSERT_EQ(0, subject_init(&self->s));
	snprintf(command, sizeof(command), "position %s", variant->how);
	ASSERT_EQ(0, subject_start(&self->s, command));
	ASSERT_EQ(0, subject_expect(&self->s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be saved");
}

FIXTURE_TEARDOWN(position)
{
	subject_destroy(&self->s);
}

/* A position is the tree's, or it does not matter, or it takes a flag. */
TEST_F_TIMEOUT(position, shared, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	unsigned long flags = ONLY;

	if (variant->refused) {
		ASSERT_EQ(-1, save(s, ONLY, NULL));
		ASSERT_EQ(EOPNOTSUPP, s->err);
		EXPECT_TRUE(told(s, "obstacle", CKPT_WHY_FILE_SHARED, in_dir(s, "shared"),
				 "process"));
		EXPECT_TRUE(told(s, "obstacle", CKPT_WHY_FILE_SHARED, "--external 'file:/",
				 "--shared-files"));
		flags |= CHECKPOINT_SHARED_FILES;
	}
	ASSERT_EQ(0, save(s, flags, NULL)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, save(s, flags | CHECKPOINT_KILL, NULL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Who only looks is not who shares. */
TEST_F_TIMEOUT(position, readers_in_proc, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	char path[40], target[100];
	int i, fd;
	pid_t pid;

	if (strcmp(variant->how, "alone"))
		SKIP(return, "one kind is enough");
	pid = fork();
	if (!pid) {
		for (fd = 0;; fd = (fd + 1) % 6) {
			snprintf(path, sizeof(path), "/proc/%d/fd/%d", s->pid, fd);
			if (readlink(path, target, sizeof(target)) < 0)
				continue;
			snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", s->pid, fd);
			close(open(path, O_RDONLY | O_CLOEXEC));
		}
	}
	for (i = 0; i < 30; i++)
		ASSERT_EQ(0, save(s, ONLY, NULL)) messages_show(s);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* Who keeps the lock when the tree is killed would be in the way of its restart. */
TEST_F_TIMEOUT(position, locked, TEST_TIMEOUT)
{
	static const char * const commands[] = { "locked shared append", "locked . directory" };
	struct subject *s = &self->s;
	size_t i;

	if (strcmp(variant->how, "alone"))
		SKIP(return, "one kind is enough");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		subject_destroy(s);
		ASSERT_EQ(0, subject_init(s));
		ASSERT_EQ(0, subject_start(s, commands[i]));
		ASSERT_EQ(0, subject_expect(s, "ready"));
		ASSERT_EQ(-1, save(s, ONLY | CHECKPOINT_SHARED_FILES, NULL));
		ASSERT_EQ(EOPNOTSUPP, s->err);
		EXPECT_TRUE(told(s, "obstacle", CKPT_WHY_FILE_LOCK, "lock", "outside"));
		ASSERT_EQ(0, subject_go(s));
		ASSERT_EQ(0, subject_expect(s, "ready"));
		ASSERT_EQ(0, save(s, ONLY | CHECKPOINT_KILL, NULL)) messages_show(s);
		ASSERT_EQ(0, subject_reap(s, SIGKILL));
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
		ASSERT_EQ(0, subject_go(s));
		ASSERT_EQ(0, subject_end(s));
	}
}

/* The file itself is left to the restarter: from where it was in it, by name. */
TEST_F_TIMEOUT(position, external_file, TEST_TIMEOUT)
{
	struct checkpoint_entry give;
	struct restart_args args = { .inherit = (uintptr_t)&give, .nr_inherit = 1 };
	struct subject *s = &self->s;
	char key[200];

	if (!variant->refused)
		SKIP(return, "not needed");
	snprintf(key, sizeof(key), "file:%s", in_dir(s, "shared"));
	ASSERT_EQ(0, save(s, ONLY | CHECKPOINT_KILL, key)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(-1, subject_restart(s, 0));
	ASSERT_EQ(EBADF, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_EXTERNAL, key, "--inherit '"));
	ASSERT_EQ(0, write_file(in_dir(s, "other"), "another file", 12));
	give = entry(key, in_dir(s, "other"), -1);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

FIXTURE(external) {
	struct subject s;
	int fds;
	char key[64];
};

FIXTURE_SETUP(external)
{
	ASSERT_EQ(0, subject_init(&self->s));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be saved");
	self->fds = count_fds();
}

FIXTURE_TEARDOWN(external)
{
	EXPECT_EQ(self->fds, count_fds());
	subject_destroy(&self->s);
}

/* A subject that is refused, and then saved and killed by its key. */
static int save_by_key(struct subject *s, const char *command, char *key, size_t size)
{
	char path[40];
	ssize_t len;

	if (subject_start(s, command) || subject_expect(s, "ready"))
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/fd/20", s->pid);
	len = readlink(path, key, size - 1);
	if (len < 0)
		return -1;
	key[len] = 0;
	snprintf(path, sizeof(path), "--external '%.25s'", key);
	if (!save(s, ONLY, NULL) || s->err != EOPNOTSUPP ||
	    !told(s, "obstacle", CKPT_WHY_FILE, path, "restarter") ||
	    !save(s, ONLY, "pipe:[1]") || !told(s, "note", CKPT_WHY_EXTERNAL, "pipe:[1]", "no"))
		return -1;
	if (save(s, ONLY | CHECKPOINT_DRY_RUN, key) ||
	    !told(s, "note", CKPT_WHY_EXTERNAL, key, "--inherit"))
		return -1;
	if (save(s, ONLY | CHECKPOINT_KILL, key) || subject_reap(s, SIGKILL)) {
		messages_show(s);
		return -1;
	}
	return 0;
}

static int hello(int fd)
{
	char text[8] = "";

	return read(fd, text, 6) == 6 && !strcmp(text, "hello\n") ? 0 : -1;
}

TEST_F_TIMEOUT(external, pipe, TEST_TIMEOUT)
{
	struct checkpoint_entry give[2];
	struct restart_args args = { .inherit = (uintptr_t)give, .nr_inherit = 1 };
	struct subject *s = &self->s;
	int p[2];

	ASSERT_EQ(0, save_by_key(s, "ends one", self->key, sizeof(self->key)));
	ASSERT_EQ(-1, subject_restart(s, 0));
	ASSERT_EQ(EBADF, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_EXTERNAL, self->key, "--inherit '"));
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	/* The wrong end, a directory, another key, and a file that is not there. */
	give[0] = entry(self->key, NULL, p[0]);
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_EQ(EBADF, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_EXTERNAL, self->key, "writing"));
	give[0] = entry("pipe:[0]", NULL, p[1]);
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_EQ(EBADF, s->err);
	give[0] = entry(self->key, s->dir, -1);
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_EQ(EISDIR, s->err);
	give[0] = entry(self->key, in_dir(s, "none"), -1);
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_EQ(ENOENT, s->err);
	/* The second is the one that fits; what is not needed is told. */
	give[0] = entry(self->key, NULL, p[0]);
	give[1] = entry(self->key, NULL, p[1]);
	args.nr_inherit = 2;
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	EXPECT_EQ(0, hello(p[0]));
	close(p[0]);
	close(p[1]);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* A file takes the place of a pipe, opened by its name. */
TEST_F_TIMEOUT(external, path, TEST_TIMEOUT)
{
	struct checkpoint_entry give[2];
	struct restart_args args = { .inherit = (uintptr_t)give, .nr_inherit = 2 };
	struct subject *s = &self->s;
	char text[8] = "";

	ASSERT_EQ(0, save_by_key(s, "ends one", self->key, sizeof(self->key)));
	ASSERT_EQ(0, write_file(in_dir(s, "sink"), "", 0));
	give[0] = entry(self->key, in_dir(s, "sink"), -1);
	give[1] = entry("socket:[7]", NULL, s->in);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	EXPECT_TRUE(told(s, "note", CKPT_WHY_EXTERNAL, "socket:[7]", "no"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	EXPECT_EQ(6, read_file(in_dir(s, "sink"), text, sizeof(text)));
	EXPECT_STREQ("hello\n", text);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Two files with one key: each gets the end that fits. */
TEST_F_TIMEOUT(external, both_ends, TEST_TIMEOUT)
{
	struct checkpoint_entry give[2];
	struct restart_args args = { .inherit = (uintptr_t)give, .nr_inherit = 2 };
	struct subject *s = &self->s;
	int in[2], out[2];

	ASSERT_EQ(0, save_by_key(s, "ends both", self->key, sizeof(self->key)));
	ASSERT_EQ(0, pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC));
	ASSERT_EQ(3, write(in[1], "abc", 3));
	give[0] = entry(self->key, NULL, in[0]);
	give[1] = entry(self->key, NULL, out[1]);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	EXPECT_EQ(0, hello(out[0]));
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(external, socket, TEST_TIMEOUT)
{
	struct checkpoint_entry give;
	struct restart_args args = { .inherit = (uintptr_t)&give, .nr_inherit = 1 };
	struct subject *s = &self->s;
	int p[2];

	ASSERT_EQ(0, save_by_key(s, "ends socket", self->key, sizeof(self->key)));
	ASSERT_EQ(0, write_file(in_dir(s, "sink"), "", 0));
	give = entry(self->key, in_dir(s, "sink"), -1);
	ASSERT_EQ(-1, restart(s, &args));
	EXPECT_EQ(EBADF, s->err);
	EXPECT_TRUE(told(s, "error", CKPT_WHY_EXTERNAL, self->key, "type"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p));
	give = entry(self->key, NULL, p[1]);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	EXPECT_EQ(0, hello(p[0]));
	close(p[0]);
	close(p[1]);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Standard streams, too, can be supplied by key. */
TEST_F_TIMEOUT(external, stream, TEST_TIMEOUT)
{
	struct checkpoint_entry give;
	struct restart_args args = { .inherit = (uintptr_t)&give, .nr_inherit = 1 };
	struct subject *s = &self->s;
	char path[64];
	int p[2];

	ASSERT_EQ(0, subject_start(s, "idle"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	snprintf(path, sizeof(path), "/proc/%d/fd/0", s->pid);
	self->key[readlink(path, self->key, sizeof(self->key) - 1)] = 0;
	ASSERT_EQ(0, save(s, CHECKPOINT_KILL, NULL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	give = entry(self->key, NULL, p[0]);
	ASSERT_EQ(0, restart(s, &args)) messages_show(s);
	ASSERT_EQ(1, write(p[1], "g", 1));
	ASSERT_EQ(0, subject_end(s));
	close(p[0]);
	close(p[1]);
}

/* Lists that are none. */
static const struct {
	const char *name, *value;
	uint32_t name_len, value_len, reserved;
	int fd, err[4];	/* external, inherit, relocate, changed */
} bad[] = {
	{ "/a", "/b", 2, 2, 1, 0, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "/a", "/b", 2, 2, 0, 0, { EINVAL, EINVAL, 0, EINVAL } },
	{ "/a", "/b", 2, 2, 0, -1, { EINVAL, 0, EINVAL, EINVAL } },
	{ "/a", "b", 2, 1, 0, -1, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "/a", "b", 2, 1, 0, 0, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "a", "/b", 1, 2, 0, 0, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "/a", NULL, 2, 0, 0, 987, { EINVAL, EBADF, EINVAL, EINVAL } },
	{ "/a", NULL, 2, 0, 0, -2, { EINVAL, EBADF, EINVAL, EINVAL } },
	{ "/a", NULL, 2, 0, 0, -1, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "/a", NULL, 2, 0, 0, 0, { 0, 0, EINVAL, 0 } },
	{ "a", NULL, 1, 0, 0, 0, { 0, 0, EINVAL, EINVAL } },
	{ "/a", NULL, 0, 0, 0, 0, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "/a", NULL, 4096, 0, 0, 0, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "/a", NULL, 3, 0, 0, 0, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "/a", NULL, ~0U, 0, 0, 0, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ (char *)8, NULL, 5, 0, 0, 0, { EFAULT, EFAULT, EFAULT, EFAULT } },
	{ NULL, NULL, 5, 0, 0, 0, { EFAULT, EFAULT, EFAULT, EFAULT } },
	{ "/a", (char *)8, 2, 5, 0, -1, { EINVAL, EFAULT, EINVAL, EINVAL } },
	{ "/a", (char *)8, 2, 5, 0, 0, { EINVAL, EINVAL, EFAULT, EINVAL } },
};

/* Errno of a call with this list; a restart goes on to find that there is no image. */
static int try_list(int which, const void *list, uint32_t nr)
{
	struct checkpoint_args args = { .log_fd = -1, .external = (uintptr_t)list,
					.nr_external = nr };
	struct restart_args rargs = { .log_fd = -1 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), err;

	if (which == 1) {
		rargs.inherit = (uintptr_t)list;
		rargs.nr_inherit = nr;
	} else if (which == 2) {
		rargs.relocate = (uintptr_t)list;
		rargs.nr_relocate = nr;
	} else if (which == 3) {
		rargs.changed = (uintptr_t)list;
		rargs.nr_changed = nr;
	}
	if (which)
		sys_restart(0, null, RESTART_ARGS, &rargs, sizeof(rargs));
	else
		sys_checkpoint(0x7ffffff0, -1, CHECKPOINT_DRY_RUN | CHECKPOINT_ARGS, &args,
			       sizeof(args));
	err = errno == (which ? EBADMSG : ESRCH) ? 0 : errno;
	close(null);
	return err;
}

TEST_F_TIMEOUT(external, bad_lists, TEST_TIMEOUT)
{
	struct restart_args rargs = { .log_fd = -1 };
	struct checkpoint_entry list[2], *many;
	struct subject *s = &self->s;
	int which, path = open("/", O_PATH | O_CLOEXEC);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		list[0] = entry("/fine", NULL, 0);
		list[1] = (struct checkpoint_entry){
			.name = (uintptr_t)bad[i].name, .name_len = bad[i].name_len,
			.value = (uintptr_t)bad[i].value, .value_len = bad[i].value_len,
			.reserved = bad[i].reserved, .fd = bad[i].fd,
		};
		for (which = 0; which < 4; which++) {
			list[0].value = which == 2 ? list[0].name : 0;
			list[0].value_len = which == 2 ? list[0].name_len : 0;
			EXPECT_EQ(bad[i].err[which], try_list(which, list, 2))
				say("list %d, entry %zu", which, i);
		}
	}
	many = calloc(CHECKPOINT_ENTRIES_MAX + 1, sizeof(*many));
	for (i = 0; i <= CHECKPOINT_ENTRIES_MAX; i++)
		many[i] = entry("/the/same", NULL, 0);
	for (which = 0; which < 4; which++) {
		EXPECT_EQ(EFAULT, try_list(which, (void *)8, 1));
		EXPECT_EQ(EFAULT, try_list(which, NULL, 1));
		EXPECT_EQ(EINVAL, try_list(which, list, 0));
		EXPECT_EQ(EINVAL, try_list(which, list, ~0U));
		EXPECT_EQ(EINVAL, try_list(which, many, CHECKPOINT_ENTRIES_MAX + 1));
		if (which != 2)
			EXPECT_EQ(0, try_list(which, many, CHECKPOINT_ENTRIES_MAX));
	}
	free(many);
	list[0] = entry("pipe:[1]", NULL, path);
	EXPECT_EQ(EBADF, try_list(1, list, 1));
	close(path);
	rargs.allow_changed = RESTART_CHANGED_ALL + 1;
	EXPECT_EQ(-1, sys_restart(0, s->in, RESTART_ARGS, &rargs, sizeof(rargs)));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN

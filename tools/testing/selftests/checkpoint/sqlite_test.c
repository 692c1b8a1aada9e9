// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program in the middle of a transaction: its database, its journal, and its
 * POSIX locks, which keep others out also after a restart.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "common.h"

#define PYTHON	"/usr/bin/python3"

static const char * const script =
	"import os, sqlite3, time\n"
	"db = sqlite3.connect('db', isolation_level=None)\n"
	"db.execute('pragma cache_size=5')\n"
	"db.execute('create table t(i integer primary key, x blob)')\n"
	"db.execute('begin exclusive')\n"
	"for i in range(500): db.execute('insert into t values(?, ?)', (i, os.urandom(500)))\n"
	"open('ready', 'w').close()\n"
	"while not os.path.exists('go'): time.sleep(0.05)\n"
	"for i in range(500, 600): db.execute('insert into t values(?, ?)', (i, b'x'))\n"
	"db.execute('commit')\n"
	"assert db.execute('pragma integrity_check').fetchone()[0] == 'ok'\n"
	"assert db.execute('select count(*), sum(i) from t').fetchone() == (600, 179700)\n";

/* Somebody else, who does not wait. */
static const char * const intruder =
	"import sqlite3\n"
	"try: sqlite3.connect('db', timeout=0).execute('select count(*) from t')\n"
	"except sqlite3.OperationalError as e: exit(3 if 'locked' in str(e) else 4)\n";

static pid_t start(struct subject *s, const char *text)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (chdir(s->dir))
		_exit(100);
	dup2(open("/dev/null", O_RDWR), 0);
	dup2(0, 1);
	dup2(open("errors", O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
	close_range(3, ~0U, 0);
	execl(PYTHON, PYTHON, "-c", text, NULL);
	_exit(101);
}

static int run(struct subject *s, const char *text)
{
	int status;
	pid_t pid = start(s, text);

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *in_dir(struct subject *s, const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

FIXTURE(sqlite) {
	struct subject s;
};

FIXTURE_SETUP(sqlite)
{
	ASSERT_EQ(0, subject_init(&self->s));
	if (access(PYTHON, X_OK) || run(&self->s, "import sqlite3"))
		SKIP(return, "there is no python3 with sqlite3");
}

FIXTURE_TEARDOWN(sqlite)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(sqlite, transaction, TEST_TIMEOUT)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	struct subject *s = &self->s;
	int round, status;

	s->pid = start(s, script);
	while (access(in_dir(s, "ready"), F_OK)) {
		ASSERT_LT(now_ns(), deadline);
		poll_pause();
	}
	ASSERT_EQ(0, access(in_dir(s, "db-journal"), F_OK));
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
		ASSERT_EQ(0, subject_reap(s, SIGKILL));
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
		ASSERT_EQ(3, run(s, intruder));
	}
	ASSERT_EQ(0, write_file(in_dir(s, "go"), "", 0));
	ASSERT_EQ(s->pid, waitpid(s->pid, &status, 0));
	s->pid = 0;
	ASSERT_EQ(0, status);
	ASSERT_NE(0, access(in_dir(s, "db-journal"), F_OK));
}

TEST_HARNESS_MAIN

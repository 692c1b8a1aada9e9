// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program in the middle of a transaction: its database, its journal, and its
 * POSIX locks, which keep others out also after a restart. With a write-ahead log
 * these are two processes, and the index of the log is memory that they share.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"

#define PYTHON	"/usr/bin/python3"

static const char * const journal_script =
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
static const char * const journal_intruder =
	"import sqlite3\n"
	"try: sqlite3.connect('db', timeout=0).execute('select count(*) from t')\n"
	"except sqlite3.OperationalError as e: exit(3 if 'locked' in str(e) else 4)\n";

/*
 * Rows of version 1 are in the database; one more, and their version 2, are in the
 * log. The reader has seen only what was before version 2; version 3 is what the
 * writer is at. Caches are so small that both have to read again.
 */
static const char * const log_script =
	"import os, sqlite3, time\n"
	"def connect():\n"
	"    db = sqlite3.connect('db', isolation_level=None)\n"
	"    db.execute('pragma cache_size=5')\n"
	"    db.execute('pragma wal_autocheckpoint=0')\n"
	"    return db\n"
	"def tell(name, text=''):\n"
	"    with open(name + '.new', 'w') as f: f.write(str(text))\n"
	"    os.rename(name + '.new', name)\n"
	"def wait(name):\n"
	"    while not os.path.exists(name):\n"
	"        if os.getppid() != parent: os._exit(9)\n"
	"        time.sleep(0.05)\n"
	"def look(db): return db.execute('select count(x), sum(v) from t').fetchone()\n"
	"def read():\n"
	"    wait('first')\n"
	"    db = connect()\n"
	"    db.execute('begin')\n"
	"    assert look(db) == (201, 201)\n"
	"    tell('reading', os.getpid())\n"
	"    wait('go')\n"
	"    assert look(db) == (201, 201)\n"
	"    wait('second')\n"
	"    assert look(db) == (201, 201)\n"
	"    db.execute('commit')\n"
	"    assert look(db) == (301, 903)\n"
	"    db.close()\n"
	"parent = os.getpid()\n"
	"reader = os.fork()\n"
	"if not reader:\n"
	"    read()\n"
	"    os._exit(0)\n"
	"parent = os.getppid()\n"
	"db = connect()\n"
	"assert db.execute('pragma journal_mode=wal').fetchone()[0] == 'wal'\n"
	"def add(i, v): db.execute('insert into t values(?, ?, ?)', (i, os.urandom(500), v))\n"
	"db.execute('create table t(i integer primary key, x blob, v integer)')\n"
	"db.execute('begin')\n"
	"for i in range(200): add(i, 1)\n"
	"db.execute('commit')\n"
	"assert db.execute('pragma wal_checkpoint(truncate)').fetchone() == (0, 0, 0)\n"
	"add(200, 1)\n"
	"tell('first')\n"
	"wait('reading')\n"
	"db.execute('update t set v = 2')\n"
	"db.execute('begin immediate')\n"
	"db.execute('update t set v = 3')\n"
	"tell('ready')\n"
	"wait('go')\n"
	"assert look(db) == (201, 603)\n"
	"for i in range(201, 301): add(i, 3)\n"
	"db.execute('commit')\n"
	"tell('second')\n"
	"assert os.waitpid(reader, 0) == (reader, 0)\n"
	"assert db.execute('pragma integrity_check').fetchone()[0] == 'ok'\n"
	"assert db.execute('pragma wal_checkpoint').fetchone()[0] == 0\n"
	"assert look(db) == (301, 903)\n"
	"db.close()\n";

/*
 * He sees what was committed, and moves what he may from the log to the database,
 * which is not what the reader must not see yet.
 */
static const char * const log_intruder =
	"import sqlite3\n"
	"db = sqlite3.connect('db', timeout=0, isolation_level=None)\n"
	"assert db.execute('select count(x), sum(v) from t').fetchone() == (201, 402)\n"
	"busy, log, moved = db.execute('pragma wal_checkpoint').fetchone()\n"
	"assert not busy and moved < log\n"
	"try: db.execute('begin immediate')\n"
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

FIXTURE_VARIANT(sqlite) {
	const char *script;
	const char *intruder;
	const char *journal;	/* a file with content */
	const char *mapped;	/* by both processes */
};

FIXTURE_VARIANT_ADD(sqlite, journal) {
	.script = journal_script, .intruder = journal_intruder, .journal = "db-journal",
};

FIXTURE_VARIANT_ADD(sqlite, log) {
	.script = log_script, .intruder = log_intruder, .journal = "db-wal",
	.mapped = "db-shm",
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

static off_t size_in_dir(struct subject *s, const char *name)
{
	struct stat st;

	return stat(in_dir(s, name), &st) ? -1 : st.st_size;
}

/* The reader's pid is in the file by which it says that it reads. */
static pid_t reader_of(struct subject *s)
{
	char text[32];

	return read_file(in_dir(s, "reading"), text, sizeof(text)) > 0 ? atoi(text) : -1;
}

static bool maps(pid_t pid, const char *name)
{
	static char text[1 << 18];
	char path[64], word[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	snprintf(word, sizeof(word), "/%s\n", name);
	return read_file(path, text, sizeof(text)) > 0 && strstr(text, word);
}

static bool both_map(struct subject *s, const char *name)
{
	return !name || (maps(s->pid, name) && maps(reader_of(s), name));
}

/* Until the program is where it is to be saved; -1: it has failed before. */
static int wait_ready(struct subject *s)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	siginfo_t info = {};

	while (access(in_dir(s, "ready"), F_OK)) {
		if (waitid(P_PID, s->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    info.si_pid || now_ns() > deadline)
			return -1;
		poll_pause();
	}
	return 0;
}

static void show_errors(struct subject *s)
{
	char text[2000];

	if (read_file(in_dir(s, "errors"), text, sizeof(text)) > 0)
		say("%s", text);
}

TEST_F_TIMEOUT(sqlite, transaction, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int round, status;

	s->pid = start(s, variant->script);
	ASSERT_EQ(0, wait_ready(s)) show_errors(s);
	for (round = 0; round < 3; round++) {
		ASSERT_LT(0, size_in_dir(s, variant->journal));
		ASSERT_TRUE(both_map(s, variant->mapped));
		/* Also before: it is the same that keeps him out. */
		ASSERT_EQ(3, run(s, variant->intruder)) show_errors(s);
		if (round == 2 || way_now(WAY_KILL) == WAY_NONE)
			break;
		ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
		ASSERT_EQ(0, subject_reap(s, SIGKILL));
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
	}
	ASSERT_EQ(0, write_file(in_dir(s, "go"), "", 0));
	ASSERT_EQ(s->pid, waitpid(s->pid, &status, 0));
	s->pid = 0;
	ASSERT_EQ(0, status) show_errors(s);
	ASSERT_NE(0, access(in_dir(s, variant->journal), F_OK));
}

TEST_HARNESS_MAIN

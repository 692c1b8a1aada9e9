// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocked system calls. A save, and a try that is refused, must not be seen
 * by the program: the call goes on, here and in the restarted copy.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common.h"

/* What ends the call. */
enum end { END_GO, END_SIGNAL, END_SEM, END_MSG, END_UNLOCK, END_FIFO, END_DRAIN, END_CREATE };

FIXTURE(call) {
	struct subject s;
	int id;
	int lock;
	enum end end;
};

FIXTURE_VARIANT(call) {
	const char *name;
	long nr;
	enum end end;
};

#define CALL(__name, __nr, __end)						\
	FIXTURE_VARIANT_ADD(call, __name) {					\
		.name = #__name, .nr = SYS_##__nr, .end = END_##__end		\
	}

CALL(readv, readv, GO);
CALL(poll, poll, GO);
CALL(poll_long, poll, GO);
CALL(select, select, GO);
CALL(select_long, select, GO);
CALL(ppoll, ppoll, GO);
CALL(pselect, pselect6, GO);
CALL(pause, pause, SIGNAL);
CALL(sigsuspend, rt_sigsuspend, SIGNAL);
CALL(sigwaitinfo, rt_sigtimedwait, SIGNAL);
CALL(sigtimedwait, rt_sigtimedwait, SIGNAL);
CALL(nanosleep, clock_nanosleep, SIGNAL);
CALL(clock_nanosleep, clock_nanosleep, SIGNAL);
CALL(futex, futex, SIGNAL);
CALL(futex_long, futex, SIGNAL);
CALL(futex_waitv, futex_waitv, SIGNAL);
CALL(semop, semtimedop, SEM);
CALL(semtimedop, semtimedop, SEM);
CALL(msgrcv, msgrcv, MSG);
CALL(flock, flock, UNLOCK);
CALL(setlkw, fcntl, UNLOCK);
CALL(open_fifo, openat, FIFO);
CALL(write, write, DRAIN);
CALL(epoll_wait, epoll_wait, GO);
CALL(epoll_pwait, epoll_pwait, GO);
CALL(inotify, read, CREATE);

FIXTURE_SETUP(call)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
	self->id = -1;
	self->lock = -1;
	self->s.moving = true;
}

FIXTURE_TEARDOWN(call)
{
	if (self->id >= 0 && variant->end == END_SEM)
		semctl(self->id, 0, IPC_RMID);
	if (self->id >= 0 && variant->end == END_MSG)
		msgctl(self->id, IPC_RMID, NULL);
	subject_destroy(&self->s);
}

/* Is it in the call, or goes on in it by restart_syscall()? */
static int still_in(struct subject *s, long nr)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	char path[64], buf[256] = "";
	long now;

	snprintf(path, sizeof(path), "/proc/%d/syscall", s->pid);
	while (now_ns() < deadline) {
		if (read_file(path, buf, sizeof(buf)) > 0 && buf[0] >= '0' && buf[0] <= '9') {
			now = strtol(buf, NULL, 10);
			if (now == nr || now == SYS_restart_syscall)
				return 0;
		}
		poll_pause();
	}
	say("not in system call %ld but: %s", nr, buf);
	return -1;
}

static int prepare(struct subject *s, int *lock)
{
	struct flock fl = { .l_type = F_WRLCK };
	char path[100];

	snprintf(path, sizeof(path), "%s/fifo", s->dir);
	if (mkfifo(path, 0600))
		return -1;
	snprintf(path, sizeof(path), "%s/lock", s->dir);
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return *lock < 0 || flock(*lock, LOCK_EX) || fcntl(*lock, F_SETLK, &fl) ? -1 : 0;
}

static int drain(struct subject *s)
{
	int i;

	for (i = 0; i < 300; i++) {
		if (subject_read(s))
			return -1;
		if (strncmp(s->line, "fill....", 8) || strlen(s->line) != 255)
			return -1;
	}
	return 0;
}

static int end_call(struct subject *s, enum end way, int id, int lock)
{
	struct {
		long type;
		char text[3];
	} message = { 1, "hi" };
	char path[100];

	switch (way) {
	case END_GO:
		return subject_go(s);
	case END_SIGNAL:
		return kill(s->pid, SIGUSR1);
	case END_SEM:
		return semctl(id, 0, SETVAL, 1);
	case END_MSG:
		return msgsnd(id, &message, 3, 0);
	case END_UNLOCK:
		return close(lock);
	case END_FIFO:
		snprintf(path, sizeof(path), "%s/fifo", s->dir);
		return open(path, O_WRONLY | O_CLOEXEC) < 0 ? -1 : 0;
	case END_DRAIN:
		return drain(s);
	case END_CREATE:
		snprintf(path, sizeof(path), "%s/watched/new", s->dir);
		return write_file(path, "", 0);
	}
	return -1;
}

static int start_call(struct subject *s, const char *name, int *id)
{
	char command[100];

	snprintf(command, sizeof(command), "call %s", name);
	if (subject_start(s, command) || subject_read(s))
		return -1;
	if (sscanf(s->line, "use %d", id) == 1 && subject_read(s))
		return -1;
	return strcmp(s->line, "ready") ? -1 : 0;
}

static void run_call(struct __test_metadata *_metadata, struct subject *s, const char *name,
		     long nr, enum end end, int *id, int *lock, enum way way)
{
	int i;

	ASSERT_EQ(0, prepare(s, lock));
	ASSERT_EQ(0, start_call(s, name, id));
	ASSERT_EQ(0, subject_in_syscall(s->pid, s->pid, nr));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, subject_cycle(s, way));
		ASSERT_EQ(0, still_in(s, nr));
	}
	ASSERT_EQ(0, end_call(s, end, *id, *lock));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(call, go_on, TEST_TIMEOUT)
{
	run_call(_metadata, &self->s, variant->name, variant->nr, variant->end, &self->id,
		 &self->lock, WAY_GO_ON);
}

TEST_F_TIMEOUT(call, kill, TEST_TIMEOUT)
{
	run_call(_metadata, &self->s, variant->name, variant->nr, variant->end, &self->id,
		 &self->lock, WAY_KILL);
}

/* Calls of programs that cannot be saved yet, disturbed by the try. */
FIXTURE(refused) {
	struct subject s;
};

FIXTURE_VARIANT(refused) {
	const char *name;
	long nr;
	enum end end;
};

#define REFUSED(__name, __nr, __end)						\
	FIXTURE_VARIANT_ADD(refused, __name) {					\
		.name = #__name, .nr = SYS_##__nr, .end = END_##__end		\
	}

REFUSED(io_getevents, io_getevents, GO);

FIXTURE_SETUP(refused)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(refused)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(refused, goes_on, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int i, id = -1;

	ASSERT_EQ(0, start_call(s, variant->name, &id));
	ASSERT_EQ(0, subject_in_syscall(s->pid, s->pid, variant->nr));
	for (i = 0; i < 3 && way_now(WAY_KILL) != WAY_NONE; i++) {
		ASSERT_EQ(-1, subject_save(s, i % 2 ? CHECKPOINT_DRY_RUN : CHECKPOINT_KILL));
		ASSERT_EQ(EOPNOTSUPP, s->err);
		ASSERT_EQ(0, still_in(s, variant->nr));
	}
	ASSERT_EQ(0, end_call(s, variant->end, id, -1));
	ASSERT_EQ(0, subject_end(s));
}

FIXTURE(more) {
	struct subject s;
	int id;
};

FIXTURE_SETUP(more)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
	self->id = -1;
	self->s.moving = true;
}

FIXTURE_TEARDOWN(more)
{
	subject_destroy(&self->s);
	if (self->id >= 0)
		semctl(self->id, 0, IPC_RMID);
}

/* A process can wait for its child while it alone is saved. */
TEST_F_TIMEOUT(more, wait4_saved_alone, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	int id;

	ASSERT_EQ(0, start_call(s, "wait4", &id));
	ASSERT_EQ(0, subject_in_syscall(s->pid, s->pid, SYS_wait4));
	if (way_now(WAY_KILL) != WAY_NONE)
		ASSERT_EQ(0, subject_save(s, CHECKPOINT_ONLY)) messages_show(s);
	ASSERT_EQ(0, still_in(s, SYS_wait4));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* A socket with a time-out; its time-out is the socket's. */
static void run_recv(struct __test_metadata *_metadata, struct subject *s, enum way way)
{
	int p[2], id;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p));
	close(s->in);
	close(s->child_in);
	s->in = p[0];
	s->child_in = p[1];
	ASSERT_EQ(0, start_call(s, "recv", &id));
	ASSERT_EQ(0, subject_in_syscall(s->pid, s->pid, SYS_recvfrom));
	ASSERT_EQ(0, subject_cycle(s, way));
	ASSERT_EQ(0, still_in(s, SYS_recvfrom));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(more, recv_with_timeout_go_on, TEST_TIMEOUT)
{
	run_recv(_metadata, &self->s, WAY_GO_ON);
}

TEST_F_TIMEOUT(more, recv_with_timeout_kill, TEST_TIMEOUT)
{
	run_recv(_metadata, &self->s, WAY_KILL);
}

#define TIMED_MS	800

/*
 * Not for WAY_STOP: some of these end with EINTR after SIGSTOP and SIGCONT,
 * see signal(7).
 *
 * No call may take less than its time, nor count the time without a process.
 */
static void run_timed(struct __test_metadata *_metadata, struct subject *s, int *id, enum way way)
{
	char command[32], name[32];
	long long us;
	int n;

	/* It may have ended before anybody can look at it again. */
	s->nosnap = true;
	snprintf(command, sizeof(command), "timed %d", TIMED_MS);
	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_read(s));
	ASSERT_EQ(1, sscanf(s->line, "use %d", id));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_cycle(s, way));
	for (n = 0; n < 13; n++) {
		ASSERT_EQ(0, subject_read(s));
		ASSERT_EQ(2, sscanf(s->line, "took %lld %31s", &us, name));
		if (us < 0) {
			EXPECT_LE(TIMED_MS * 1000, -us) say("%s", name);
			continue;
		}
		EXPECT_LE(TIMED_MS * 1000 + (long long)s->dead_ns / 1000, us) say("%s", name);
	}
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(more, timed_go_on, TEST_TIMEOUT)
{
	run_timed(_metadata, &self->s, &self->id, WAY_GO_ON);
}

TEST_F_TIMEOUT(more, timed_kill, TEST_TIMEOUT)
{
	run_timed(_metadata, &self->s, &self->id, WAY_KILL);
}

/* The image has what was left, no more: a second save has less. */
static void run_remaining(struct __test_metadata *_metadata, struct subject *s, const char *name,
			  long nr)
{
	const uint64_t all = 1000000000005ULL;
	uint64_t begin = now_ns(), blocked, saved, last = all;
	struct image image;
	struct ckpt_rec_thread *thread;
	int i, id;

	ASSERT_EQ(0, start_call(s, name, &id));
	ASSERT_EQ(0, subject_in_syscall(s->pid, s->pid, nr));
	blocked = now_ns();
	for (i = 0; i < 2 && way_now(WAY_KILL) != WAY_NONE; i++) {
		poll_pause();
		saved = now_ns();
		ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
		ASSERT_EQ(0, subject_reap(s, SIGKILL));
		ASSERT_EQ(0, image_load(&image, s->image));
		thread = image_payload(&image, CKPT_REC_THREAD, 0);
		ASSERT_NE(NULL, thread);
		EXPECT_NE(CKPT_RESTART_NONE, thread->restart_kind);
		EXPECT_LT(thread->restart_remaining_ns, last);
		if (i == 0)
			EXPECT_LE(thread->restart_remaining_ns, all - (saved - blocked));
		EXPECT_LE(all - (now_ns() - begin), thread->restart_remaining_ns);
		last = thread->restart_remaining_ns;
		image_free(&image);
		ASSERT_EQ(0, subject_restart(s, 0)) messages_show(s);
		ASSERT_EQ(0, still_in(s, nr));
	}
	ASSERT_EQ(0, kill(s->pid, SIGUSR1));
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(more, nanosleep_remaining, TEST_TIMEOUT)
{
	run_remaining(_metadata, &self->s, "nanosleep", SYS_clock_nanosleep);
}

TEST_F_TIMEOUT(more, futex_remaining, TEST_TIMEOUT)
{
	run_remaining(_metadata, &self->s, "futex_long", SYS_futex);
}

TEST_F_TIMEOUT(more, sigtimedwait_remaining, TEST_TIMEOUT)
{
	run_remaining(_metadata, &self->s, "sigtimedwait", SYS_rt_sigtimedwait);
}

TEST_HARNESS_MAIN

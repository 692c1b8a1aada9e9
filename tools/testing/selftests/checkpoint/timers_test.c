// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers and clocks: the time in which a process does not exist does not count
 * for them, except where they are about the time of day; and what it has used
 * is not forgotten.
 */
#include "kselftest_harness.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>

#include "common.h"

FIXTURE(timers) {
	struct subject s;
};

FIXTURE_VARIANT(timers) {
	enum way way;
};

FIXTURE_VARIANT_ADD(timers, go_on) { .way = WAY_GO_ON };
FIXTURE_VARIANT_ADD(timers, stop) { .way = WAY_STOP };
FIXTURE_VARIANT_ADD(timers, kill) { .way = WAY_KILL };

FIXTURE_SETUP(timers)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
}

FIXTURE_TEARDOWN(timers)
{
	subject_destroy(&self->s);
}

/* See subject_timers.c for what it tells. */
static int judge(struct subject *s)
{
	long long n, least, most;
	int ret = subject_judge_left(s);

	if (ret <= 0)
		return ret;
	if (sscanf(s->line, "overrun %lld %lld %lld", &n, &least, &most) != 3)
		return 1;
	if (n >= least - 1 && n <= most)
		return 0;
	say("%lld overruns in %lld to %lld intervals", n, least, most);
	return -1;
}

#define TIMER_TEST(name, command)					\
TEST_F_TIMEOUT(timers, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run_judged(&self->s, command, variant->way, judge));	\
	if (self->s.skipped[0])						\
		SKIP(return, "%s", self->s.skipped);			\
}

/* Of these a stop and its end would be seen, or a signal in between. */
#define MOVING_TEST(name, command)					\
TEST_F_TIMEOUT(timers, name, TEST_TIMEOUT)				\
{									\
	self->s.files_only = true;					\
	ASSERT_EQ(0, subject_run_judged(&self->s, command, variant->way, judge));	\
}

TIMER_TEST(interval_real, "itimer real")
TIMER_TEST(interval_virtual, "itimer virtual")
TIMER_TEST(interval_prof, "itimer prof")
TIMER_TEST(realtime, "timer realtime signal")
TIMER_TEST(realtime_none, "timer realtime none")
TIMER_TEST(realtime_absolute, "timer realtime_abs signal")
TIMER_TEST(realtime_absolute_none, "timer realtime_abs none")
TIMER_TEST(monotonic, "timer monotonic signal")
TIMER_TEST(monotonic_absolute, "timer monotonic_abs signal")
TIMER_TEST(monotonic_thread, "timer monotonic thread")
TIMER_TEST(boottime, "timer boottime signal")
TIMER_TEST(boottime_absolute, "timer boottime_abs thread")
TIMER_TEST(tai, "timer tai signal")
TIMER_TEST(realtime_alarm, "timer realtime_alarm signal")
TIMER_TEST(realtime_alarm_none, "timer realtime_alarm none")
TIMER_TEST(boottime_alarm, "timer boottime_alarm thread")
TIMER_TEST(process_time, "timer process signal")
TIMER_TEST(process_time_none, "timer process none")
TIMER_TEST(process_time_thread, "timer process_prof thread")
TIMER_TEST(process_virtual_time, "timer process_virtual signal")
TIMER_TEST(process_time_by_id, "timer process_id signal")
TIMER_TEST(thread_time, "timer thread signal")
TIMER_TEST(other_threads_time, "timer other_thread signal")
TIMER_TEST(other_threads_time_thread, "timer other_thread thread")
TIMER_TEST(other_threads_time_none, "timer other_thread none")
TIMER_TEST(ids, "timer_ids")
TIMER_TEST(pending, "timer_pending once")
TIMER_TEST(pending_thread, "timer_pending thread")
TIMER_TEST(pending_and_set, "timer_pending settled")
TIMER_TEST(pending_and_deleted, "timer_pending deleted")
TIMER_TEST(pending_order, "timer_order")
TIMER_TEST(pending_alarm, "pending_alarm")
TIMER_TEST(pending_alarm_periodic, "pending_alarm periodic")
MOVING_TEST(overrun, "timer_overrun")
MOVING_TEST(periodic_real, "periodic real")
MOVING_TEST(periodic_virtual, "periodic virtual")
MOVING_TEST(periodic_prof, "periodic prof")
MOVING_TEST(periodic_posix, "periodic posix")
MOVING_TEST(periodic_processor_time, "periodic cpu")
MOVING_TEST(each_expires_once, "burst 1500")
TIMER_TEST(usage, "usage")
TIMER_TEST(usage_of_dead_child, "dead_usage")
TIMER_TEST(processor_time_limit, "cpulimit")

/* One of each kind in a larger tree. */
FIXTURE(elsewhere) {
	struct subject s;
};

FIXTURE_VARIANT(elsewhere) {
	enum place place;
};

FIXTURE_VARIANT_ADD(elsewhere, beside) { .place = PLACE_SIBLING };
FIXTURE_VARIANT_ADD(elsewhere, nested) { .place = PLACE_NESTED };

FIXTURE_SETUP(elsewhere)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
	self->s.place = variant->place;
}

FIXTURE_TEARDOWN(elsewhere)
{
	subject_destroy(&self->s);
}

#define ELSEWHERE_TEST(name, command)					\
TEST_F_TIMEOUT(elsewhere, name, TEST_TIMEOUT)				\
{									\
	ASSERT_EQ(0, subject_run_judged(&self->s, command, WAY_KILL, judge));	\
}

ELSEWHERE_TEST(interval_real, "itimer real")
ELSEWHERE_TEST(interval_virtual, "itimer virtual")
ELSEWHERE_TEST(interval_prof, "itimer prof")
ELSEWHERE_TEST(realtime_absolute, "timer realtime_abs signal")
ELSEWHERE_TEST(monotonic_thread, "timer monotonic thread")
ELSEWHERE_TEST(boottime, "timer boottime signal")
ELSEWHERE_TEST(process_time, "timer process_id signal")
ELSEWHERE_TEST(thread_time, "timer thread signal")
ELSEWHERE_TEST(other_threads_time, "timer other_thread thread")
ELSEWHERE_TEST(time_of_child, "timer_kin down thread")
ELSEWHERE_TEST(time_of_parent, "timer_kin up signal")
ELSEWHERE_TEST(ids, "timer_ids")
ELSEWHERE_TEST(pending_thread, "timer_pending thread")
ELSEWHERE_TEST(pending_order, "timer_order")
ELSEWHERE_TEST(pending_alarm, "pending_alarm")
ELSEWHERE_TEST(usage, "usage")
ELSEWHERE_TEST(usage_of_dead_child, "dead_usage")
ELSEWHERE_TEST(processor_time_limit, "cpulimit")

#define KIN_TEST(name, command)						\
TEST_F_TIMEOUT(timers, name, TEST_TIMEOUT)				\
{									\
	if (variant->way == WAY_STOP)					\
		SKIP(return, "the test continues only one process");	\
	ASSERT_EQ(0, subject_run_judged(&self->s, command, variant->way, judge));	\
}

KIN_TEST(time_of_child, "timer_kin down signal")
KIN_TEST(time_of_child_none, "timer_kin down none")
KIN_TEST(time_of_parent_thread, "timer_kin up thread")

#define EXPIRES_MS	700

/* It expires after its time, of which that without a process is no part. */
static void run_expires(struct __test_metadata *_metadata, struct subject *s, const char *kind,
			enum way way)
{
	char command[64];
	long long us;

	s->nosnap = true;
	snprintf(command, sizeof(command), "expires %s %d", kind, EXPIRES_MS);
	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_cycle(s, way));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_read(s));
	ASSERT_EQ(1, sscanf(s->line, "took %lld", &us));
	EXPECT_LE(EXPIRES_MS * 1000, us);
	ASSERT_EQ(0, subject_end(s));
}

TEST_F_TIMEOUT(timers, expires_real, TEST_TIMEOUT)
{
	run_expires(_metadata, &self->s, "real", variant->way);
}

TEST_F_TIMEOUT(timers, expires_realtime, TEST_TIMEOUT)
{
	run_expires(_metadata, &self->s, "realtime", variant->way);
}

TEST_F_TIMEOUT(timers, expires_monotonic, TEST_TIMEOUT)
{
	run_expires(_metadata, &self->s, "monotonic", variant->way);
}

/* A process gets older while it exists. Its age is told in hundredths. */
TEST_F_TIMEOUT(timers, age, TEST_TIMEOUT)
{
	struct subject *s = &self->s;
	long long by, elapsed;
	uint64_t dead;
	int i;

	ASSERT_EQ(0, subject_start(s, "age"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, subject_expect(s, "ready"));
		dead = s->dead_ns;
		ASSERT_EQ(0, subject_cycle(s, variant->way));
		dead = s->dead_ns - dead;
		ASSERT_EQ(0, subject_go(s));
		ASSERT_EQ(0, subject_read(s));
		ASSERT_EQ(2, sscanf(s->line, "aged %lld %lld", &by, &elapsed));
		EXPECT_LE(-20000000, by);
		EXPECT_LE(by, elapsed - (long long)dead + 20000000);
		if (variant->way != WAY_KILL)
			EXPECT_LE(elapsed - 20000000, by);
	}
	ASSERT_EQ(0, subject_end(s));
}

FIXTURE(timer_image) {
	struct subject s;
	struct image image;
};

FIXTURE_SETUP(timer_image)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_init(s));
	s->program = "subject-static";
	ASSERT_EQ(0, subject_start(s, "timer other_thread thread"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be damaged");
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&self->image, s->image));
}

FIXTURE_TEARDOWN(timer_image)
{
	image_free(&self->image);
	subject_destroy(&self->s);
}

/* What a restart says after a record was changed; 0: it has succeeded. */
static int changed_errno(FIXTURE_DATA(timer_image) *self, uint32_t type, unsigned int nr,
			 size_t at, const void *value, size_t size)
{
	uint8_t *field, good[8];
	size_t offset;
	int ret;

	if (image_unpack(&self->image, type, nr))
		return -1;
	offset = image_find(&self->image, type, nr);
	field = (uint8_t *)image_payload(&self->image, type, nr) + at;
	memcpy(good, field, size);
	memcpy(field, value, size);
	image_seal(&self->image, offset);
	ret = image_store(&self->image, self->s.image) ? -1 :
	      subject_restart(&self->s, RESTART_FROZEN) ? self->s.err : 0;
	if (!ret) {
		kill(self->s.pid, SIGKILL);
		subject_reap(&self->s, SIGKILL);
	}
	memcpy(field, good, size);
	image_seal(&self->image, offset);
	return ret;
}

#define CHANGED(type, nr, record, member, value) ({			\
	typeof(((struct record *)0)->member) __value = (value);		\
	changed_errno(self, CKPT_REC_##type, nr, offsetof(struct record, member), \
		      &__value, sizeof(__value)); })
#define TIMER(member, value)						\
	CHANGED(POSIX_TIMERS, 0, ckpt_rec_posix_timer, member, value)
#define THREAD_USAGE(nr, member, value)					\
	CHANGED(THREAD_USAGE, nr, ckpt_rec_thread_usage, member, value)

/* Threads that the process does not have, and times that cannot be. */
TEST_F_TIMEOUT(timer_image, lies, TEST_TIMEOUT)
{
	const uint64_t max = 1ULL << 62;
	pid_t me = getpid();

	EXPECT_EQ(EBADMSG, TIMER(clock_tid, me)) messages_show(&self->s);
	EXPECT_EQ(EBADMSG, TIMER(notify_tid, me));
	EXPECT_EQ(EBADMSG, TIMER(notify_tid, 0));
	EXPECT_EQ(EBADMSG, TIMER(clock_tid, 0));
	/* The clock of the process, but of a thread's id. */
	EXPECT_EQ(EBADMSG, TIMER(clock, CKPT_CLOCK_CPU | 2));
	EXPECT_EQ(EBADMSG, TIMER(clock, CKPT_CLOCK_CPU | CKPT_CLOCK_THREAD | 3));
	EXPECT_EQ(EBADMSG, TIMER(clock, 4));
	EXPECT_EQ(EBADMSG, TIMER(signo, 65));
	EXPECT_EQ(EBADMSG, TIMER(signo, 0));
	EXPECT_EQ(EBADMSG, TIMER(flags, CKPT_TIMER_ALL + 1));
	EXPECT_EQ(EBADMSG, TIMER(expires_ns, -1));
	EXPECT_EQ(EBADMSG, TIMER(interval_ns, -1));
	EXPECT_EQ(EBADMSG, TIMER(overrun, -2));
	EXPECT_EQ(EBADMSG, TIMER(id, 1U << 31));
	EXPECT_EQ(EBADMSG, CHANGED(TIMERS, 0, ckpt_rec_timers, real_interval_ns, -1));
	EXPECT_EQ(EBADMSG, CHANGED(TIMERS, 0, ckpt_rec_timers, flags, CKPT_TIMERS_ALL + 1));
	EXPECT_EQ(EBADMSG, THREAD_USAGE(0, own.utime_ns, max + 1));
	EXPECT_EQ(EBADMSG, THREAD_USAGE(1, own.utime_ns, max));
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_IMAGE)) messages_show(&self->s);
	EXPECT_EQ(EBADMSG, THREAD_USAGE(1, own.runtime_ns, max));
	EXPECT_EQ(EBADMSG, CHANGED(USAGE, 0, ckpt_rec_usage, dead.stime_ns, max));
}

/* Large, long past, or of no consequence: the machine stands all that. */
TEST_F_TIMEOUT(timer_image, extremes, TEST_TIMEOUT)
{
	const uint64_t max = 1ULL << 61;

	EXPECT_EQ(0, TIMER(id, INT32_MAX)) messages_show(&self->s);
	EXPECT_EQ(0, TIMER(expires_ns, 1));
	EXPECT_EQ(0, TIMER(expires_ns, INT64_MAX));
	EXPECT_EQ(0, TIMER(interval_ns, 1));
	EXPECT_EQ(0, TIMER(interval_ns, INT64_MAX));
	EXPECT_EQ(0, TIMER(overrun, max));
	EXPECT_EQ(0, TIMER(flags, CKPT_TIMER_ALL));
	EXPECT_EQ(0, THREAD_USAGE(0, own.utime_ns, max));
	EXPECT_EQ(0, THREAD_USAGE(1, own.runtime_ns, max));
	EXPECT_EQ(0, THREAD_USAGE(1, age_ns, max));
	EXPECT_EQ(0, THREAD_USAGE(1, boot_age_ns, max));
	EXPECT_EQ(0, THREAD_USAGE(0, rss_integral, UINT64_MAX));
	EXPECT_EQ(0, CHANGED(USAGE, 0, ckpt_rec_usage, maxrss_kb, max));
	EXPECT_EQ(0, CHANGED(TIMERS, 0, ckpt_rec_timers, flags, CKPT_TIMERS_REAL_ARMED));
	EXPECT_EQ(0, CHANGED(TIMERS, 0, ckpt_rec_timers, virtual_expires_ns, 1));
	EXPECT_EQ(0, CHANGED(TIMERS, 0, ckpt_rec_timers, prof_interval_ns, INT64_MAX));
	EXPECT_EQ(0, CHANGED(TIMERS, 0, ckpt_rec_timers, next_posix_id, INT32_MAX));
	/* And as it is. */
	EXPECT_EQ(0, CHANGED(TIMERS, 0, ckpt_rec_timers, flags, 0));
}

/* The owner of a timer may come back with another id, and its threads. */
static void run_new_pids(struct __test_metadata *_metadata, struct subject *s, const char *command)
{
	ASSERT_EQ(0, subject_start(s, command));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, subject_restart(s, RESTART_NEW_PIDS)) messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

FIXTURE(new_pids) {
	struct subject s;
};

FIXTURE_SETUP(new_pids)
{
	ASSERT_EQ(0, subject_init(&self->s));
	self->s.program = "subject-static";
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be restarted");
}

FIXTURE_TEARDOWN(new_pids)
{
	subject_destroy(&self->s);
}

TEST_F_TIMEOUT(new_pids, notified_thread, TEST_TIMEOUT)
{
	run_new_pids(_metadata, &self->s, "timer process thread");
}

TEST_F_TIMEOUT(new_pids, clock_of_thread, TEST_TIMEOUT)
{
	run_new_pids(_metadata, &self->s, "timer thread signal");
}

TEST_F_TIMEOUT(new_pids, clock_of_parent, TEST_TIMEOUT)
{
	run_new_pids(_metadata, &self->s, "timer_kin up signal");
}

/* What a process that is left out uses is not known when the others are restarted. */
TEST_F_TIMEOUT(new_pids, clock_left_out, TEST_TIMEOUT)
{
	struct subject *s = &self->s;

	ASSERT_EQ(0, subject_start(s, "timer_kin down signal"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(-1, subject_save(s, CHECKPOINT_ONLY | CHECKPOINT_KILL));
	EXPECT_EQ(EOPNOTSUPP, s->err);
	EXPECT_EQ(1, messages_count(s, "obstacle", CKPT_WHY_TIMER, "outside of the tree"))
		messages_show(s);
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	ASSERT_EQ(0, subject_go(s));
	ASSERT_EQ(0, subject_end(s));
}

/* Who may not wake the system may not do so by a restart. */
TEST(alarm_without_right)
{
	struct subject s;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, subject_init(&s));
	s.program = "subject-static";
	ASSERT_EQ(0, subject_start(&s, "timer boottime_alarm signal"));
	ASSERT_EQ(0, subject_read(&s));
	if (!strncmp(s.line, "SKIP", 4)) {
		subject_destroy(&s);
		SKIP(return, "no alarm clock");
	}
	ASSERT_STREQ("ready", s.line);
	ASSERT_EQ(0, subject_save(&s, CHECKPOINT_KILL)) messages_show(&s);
	ASSERT_EQ(0, subject_reap(&s, SIGKILL));
	ASSERT_EQ(0, syscall(SYS_capget, &head, data));
	data[CAP_WAKE_ALARM / 32].effective &= ~(1U << CAP_WAKE_ALARM % 32);
	ASSERT_EQ(0, syscall(SYS_capset, &head, data));
	EXPECT_EQ(-1, subject_restart(&s, 0));
	EXPECT_EQ(EPERM, s.err);
	EXPECT_TRUE(message_has(&s, "error", CKPT_WHY_PERMISSION)) messages_show(&s);
	data[CAP_WAKE_ALARM / 32].effective |= 1U << CAP_WAKE_ALARM % 32;
	ASSERT_EQ(0, syscall(SYS_capset, &head, data));
	ASSERT_EQ(0, subject_restart(&s, 0)) messages_show(&s);
	subject_destroy(&s);
}

TEST_HARNESS_MAIN

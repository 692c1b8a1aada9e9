// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line on the terminal while a save or restart takes longer than a second.
 * A thread draws it, since the first one is inside of the system call.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ckpt.h"

#define BAR_WIDTH	24
#define FIRST_MS	1000
#define NEXT_MS		200

static struct {
	struct progress job;
	uint64_t start;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool running;
	bool stop;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* How far the image is, 0 if that cannot be known. */
static uint64_t position(void)
{
	unsigned long long pos = 0;
	struct stat st;
	char path[40];
	FILE *file;

	if (state.job.writing)
		return fstat(state.job.fd, &st) || !S_ISREG(st.st_mode) ? 0 : (uint64_t)st.st_size;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", state.job.fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "pos: %llu", &pos) != 1)
		pos = 0;
	fclose(file);
	return pos;
}

static void draw(void)
{
	uint64_t pos = position(), all = state.job.expected;
	double elapsed = seconds(now_ns() - state.start);
	char bar[BAR_WIDTH + 1], done[SIZE_TEXT], total[SIZE_TEXT];
	int i, filled;

	if (!pos) {
		fprintf(stderr, "\r%s: %.1f s\033[K", state.job.what, elapsed);
		return;
	}
	size_text(done, pos);
	if (!all || pos > all) {
		fprintf(stderr, "\r%s: %s, %.1f s\033[K", state.job.what, done, elapsed);
		return;
	}
	filled = (int)(pos * BAR_WIDTH / all);
	for (i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < filled ? '=' : ' ';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r%s: [%s] %s of %s%s, %.1f s\033[K", state.job.what, bar, done,
		state.job.writing ? "about " : "", size_text(total, all), elapsed);
}

static void *watch(void *unused)
{
	uint64_t next = state.start;
	bool drawn = false;

	pthread_mutex_lock(&state.lock);
	for (;;) {
		struct timespec ts;

		next += (drawn ? NEXT_MS : FIRST_MS) * 1000000ULL;
		ts.tv_sec = (time_t)(next / 1000000000);
		ts.tv_nsec = (long)(next % 1000000000);
		while (!state.stop && !pthread_cond_timedwait(&state.wake, &state.lock, &ts))
			;
		if (state.stop)
			break;
		draw();
		drawn = true;
	}
	pthread_mutex_unlock(&state.lock);
	if (drawn)
		fprintf(stderr, "\r\033[K");
	return unused;
}

void progress_start(const struct progress *progress)
{
	pthread_condattr_t attr;
	sigset_t all, old;

	if (!isatty(STDERR_FILENO))
		return;
	state.job = *progress;
	state.start = now_ns();
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&state.wake, &attr);
	/* Signals are for the thread in the system call. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	state.running = !pthread_create(&state.thread, NULL, watch, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void progress_stop(void)
{
	if (!state.running)
		return;
	pthread_mutex_lock(&state.lock);
	state.stop = true;
	pthread_cond_signal(&state.wake);
	pthread_mutex_unlock(&state.lock);
	pthread_join(state.thread, NULL);
	state.running = false;
}

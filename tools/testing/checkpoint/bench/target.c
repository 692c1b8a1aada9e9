// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that is saved and restarted: a piece of memory with known
 * contents, threads that wait, child processes that do, and many things of one
 * kind (things.c). On SIGUSR1 it looks whether all is as it was and tells so in a
 * file.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pattern.h"
#include "things.h"

#define THREAD_BYTES	4096
#define THREAD_STACK	(64 << 10)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static unsigned long question, answers, wrong;
static __thread unsigned long thread_number;
static volatile sig_atomic_t check_wanted;

static void on_signal(int sig)
{
	(void)sig;
	check_wanted = 1;
}

static void *waiting_thread(void *arg)
{
	uint64_t words[THREAD_BYTES / sizeof(uint64_t)];
	unsigned long seen = 0;

	thread_number = (unsigned long)arg;
	pattern_fill(words, sizeof(words), thread_number);
	pthread_mutex_lock(&lock);
	for (;;) {
		answers++;
		if (thread_number != (unsigned long)arg ||
		    pattern_check(words, sizeof(words), thread_number))
			wrong++;
		pthread_cond_signal(&answered);
		while (question == seen)
			pthread_cond_wait(&asked, &lock);
		seen = question;
	}
	return NULL;
}

/* Has every thread look at its own memory; returns how many found it wrong. */
static unsigned long ask_threads(unsigned long nr)
{
	unsigned long bad;

	pthread_mutex_lock(&lock);
	answers = 0;
	question++;
	pthread_cond_broadcast(&asked);
	while (answers < nr)
		pthread_cond_wait(&answered, &lock);
	bad = wrong;
	pthread_mutex_unlock(&lock);
	return bad;
}

static void start_threads(unsigned long nr)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	for (unsigned long i = 1; i <= nr; i++)
		if (pthread_create(&thread, &attr, waiting_thread, (void *)i))
			errx(1, "cannot create thread %lu", i);
	pthread_mutex_lock(&lock);
	while (answers < nr)
		pthread_cond_wait(&answered, &lock);
	pthread_mutex_unlock(&lock);
}

/* Children that do nothing, and end with their parent. */
static pid_t *start_children(unsigned long nr)
{
	pid_t *children = calloc(nr + 1, sizeof(*children));

	if (!children)
		err(1, "calloc");
	for (unsigned long i = 0; i < nr; i++) {
		children[i] = fork();
		if (children[i] < 0)
			err(1, "fork");
		if (children[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return children;
}

/* How many children are not there, or not ours. */
static unsigned long count_lost(const pid_t *children, unsigned long nr)
{
	unsigned long lost = 0;

	for (unsigned long i = 0; i < nr; i++)
		if (waitpid(children[i], NULL, WNOHANG) != 0)
			lost++;
	return lost;
}

/* The file appears complete or not at all, and is not held open. */
static void tell(const char *path, const char *text)
{
	char tmp[4096];
	FILE *file;

	snprintf(tmp, sizeof(tmp), "%s.new", path);
	file = fopen(tmp, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) || rename(tmp, path))
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	unsigned long nr_threads, bad_threads, nr_children, lost, nr_things, bad_things;
	const struct thing_kind *kind;
	pid_t *children;
	sigset_t blocked, open;
	size_t size, bad;
	uint64_t *words;
	char text[128];

	if (argc != 8)
		errx(2, "usage: target BYTES BACKING THREADS PROCESSES KIND NUMBER FILE");
	size = strtoul(argv[1], NULL, 0);
	nr_threads = strtoul(argv[3], NULL, 0) - 1;
	nr_children = strtoul(argv[4], NULL, 0) - 1;
	kind = find_thing_kind(argv[5]);
	nr_things = strtoul(argv[6], NULL, 0);
	children = start_children(nr_children);

	/* Blocked but where it waits: a signal is never lost between. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &open);
	sigaction(SIGUSR1, &action, NULL);

	words = pattern_map(size, atoi(argv[2]));
	if (!words)
		err(1, "mmap");
	pattern_fill(words, size, size);
	start_threads(nr_threads);
	if (kind)
		kind->make(nr_things);

	tell(argv[7], "ready");
	for (;;) {
		while (!check_wanted)
			sigsuspend(&open);
		check_wanted = 0;
		bad = pattern_check(words, size, size);
		bad_threads = ask_threads(nr_threads);
		lost = count_lost(children, nr_children);
		bad_things = kind ? kind->count_wrong(nr_things) : 0;
		if (bad || bad_threads || lost || bad_things)
			snprintf(text, sizeof(text),
				 "wrong: %zu words, %lu threads, %lu processes, %lu things",
				 bad, bad_threads, lost, bad_things);
		else
			snprintf(text, sizeof(text), "right");
		tell(argv[7], text);
	}
}

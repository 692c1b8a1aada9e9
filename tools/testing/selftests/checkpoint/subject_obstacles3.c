// SPDX-License-Identifier: GPL-2.0-only
/* State that cannot be saved: fields that are easily forgotten. */
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "obstacles.h"

#define ARCH_SHSTK_LOCK	0x5003

/* Where request_key(2) puts a new key. */
static int key_destination(void)
{
	return syscall(SYS_keyctl, KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_USER_KEYRING);
}

/* Programs for shadow stacks do this also where the processor has none. */
static int shadow_stack_lock(void)
{
	return syscall(SYS_arch_prctl, ARCH_SHSTK_LOCK, 1);
}

static pid_t caller;

/* pause() as 32-bit programs call it. */
static void *call32(void *arg)
{
	long ret = 29;

	__atomic_store_n(&caller, gettid(), __ATOMIC_RELEASE);
	asm volatile("int $0x80" : "+a" (ret) : : "memory", "r8", "r9", "r10", "r11");
	fail("pause() has returned %ld", ret);
	return NULL;
}

static bool shows_state(const char *path, char state)
{
	char text[512], *end;

	if (read_file(path, text, sizeof(text)) <= 0)
		return false;
	end = strrchr(text, ')');
	return end && end[2] == state;
}

bool sleeps(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	return tid && shows_state(path, 'S');
}

bool is_in_state(pid_t pid, char state)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return shows_state(path, state);
}

static int call_of_32_bits(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, call32, NULL))
		return -1;
	while (!sleeps(__atomic_load_n(&caller, __ATOMIC_ACQUIRE)))
		sched_yield();
	return 0;
}

const struct obstacle further_obstacles[] = {
	{ "key_destination", key_destination },
	{ "shadow_stack_lock", shadow_stack_lock },
	{ "call_of_32_bits", call_of_32_bits },
	{}
};

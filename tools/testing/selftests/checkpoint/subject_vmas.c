// SPDX-License-Identifier: GPL-2.0-only
/* Mappings: where one ends and the next begins, and what each of them is. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "subject.h"

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE	0x08
#endif
#ifndef SYS_mseal
#define SYS_mseal	462
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED	24
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

static char *map(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);

	need(p != MAP_FAILED);
	return p;
}

/* Room for mappings that are put side by side in it. */
static char *room(size_t pages)
{
	char *p = map(pages + 2, PROT_NONE, ANON);

	need(!munmap(p + PAGE, pages * PAGE));
	return p + PAGE;
}

static void map_at(char *p, size_t pages, int prot, int flags)
{
	need(mmap(p, pages * PAGE, prot, flags | MAP_FIXED_NOREPLACE, -1, 0) == p);
}

static void move(char *from, size_t pages, char *to)
{
	need(mremap(from, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
}

/* Two mappings whose pages belong to different places. */
static void apart_by_pages(char *p)
{
	map_at(p, 1, RW, ANON);
	p[0] = 1;
	map_at(p + 2 * PAGE, 1, RW, ANON);
	p[2 * PAGE] = 2;
	map_at(p + PAGE, 1, RW, ANON);
	p[PAGE] = 3;
}

/* Two mappings whose offsets do not follow each other. */
static void apart_by_offset(char *p)
{
	char *from = map(4, RW, ANON);

	fill_memory(from, 4 * PAGE, 1);
	move(from + 2 * PAGE, 2, p);
	move(from, 2, p + 2 * PAGE);
}

/*
 * Where they were before, they would merge: a page that was moved next to
 * others, and back again to its first place, which others have meanwhile.
 */
static void moved_in_between(char *p)
{
	map_at(p, 5, RW, ANON);
	fill_memory(p, 5 * PAGE, 2);
	move(p + 2 * PAGE, 1, p + 6 * PAGE);
	map_at(p + 2 * PAGE, 1, RW, ANON);
	p[2 * PAGE] = 9;
	map_at(p + 5 * PAGE, 1, PROT_READ, ANON);
	need(!mprotect(p + 5 * PAGE, PAGE, RW));
}

/* Shared memory of two openings, each mapped in two halves. */
static void apart_by_file(char *p)
{
	int i, fd[2];

	for (i = 0; i < 2; i++) {
		fd[i] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		need(fd[i] >= 0);
	}
	for (i = 0; i < 4; i++)
		need(mmap(p + i * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
			  fd[i / 2], i * PAGE) == p + i * PAGE);
	close(fd[0]);
	close(fd[1]);
}

/* Names, one of which is that of its neighbour behind a page of none. */
static void apart_by_name(char *p)
{
	static const char *const names[] = { "one", "two", NULL, "two", "two" };
	int i;

	for (i = 0; i < 5; i++) {
		map_at(p + i * PAGE, 1, RW, ANON);
		need(!names[i] || !prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p + i * PAGE, PAGE,
					 names[i]));
	}
}

/* apart: what /proc/PID/maps shows is the same; the test compares it. */
static void apart(int argc, char **argv)
{
	static void (*const makers[])(char *) = {
		apart_by_pages, apart_by_offset, moved_in_between, apart_by_file, apart_by_name,
	};
	uint64_t hash[ARRAY_SIZE(makers)];
	char *p[ARRAY_SIZE(makers)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(makers); i++) {
		p[i] = room(8);
		makers[i](p[i]);
		hash[i] = hash_memory(p[i], 3 * PAGE);
	}
	stage();
	for (i = 0; i < ARRAY_SIZE(makers); i++)
		check_eq(hash[i], hash_memory(p[i], 3 * PAGE));
	/* Moved memory may be made one again where its offsets fit. */
	move(p[1], 2, p[1] + 6 * PAGE);
	move(p[1] + 2 * PAGE, 2, p[1] + 4 * PAGE);
	stage();
	fill_memory(p[2], 4 * PAGE, 1);
	check_eq(0, memcmp(p[2], p[1] + 4 * PAGE, 4 * PAGE));
}

static long status_kb(const char *name)
{
	char buf[4096], *p;

	need(read_file("/proc/self/status", buf, sizeof(buf)) > 0);
	p = strstr(buf, name);
	return p ? strtol(p + strlen(name), NULL, 10) : -1;
}

static int resident(const char *p, size_t pages)
{
	unsigned char in[64];
	size_t i, n = 0;

	need(pages <= sizeof(in) && !mincore((void *)p, pages * PAGE, in));
	for (i = 0; i < pages; i++)
		n += in[i] & 1;
	return n;
}

/* locks: mlock(2), mlock2(2), MAP_LOCKED; a part, and what is only read. */
static void locks(int argc, char **argv)
{
	char *all = map(8, RW, ANON), *part = map(8, RW, ANON), *fault = map(8, RW, ANON);
	char *flag = map(8, RW, ANON | MAP_LOCKED), *zero = map(8, PROT_READ, ANON);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), i;
	char *file = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	uint64_t hash;
	long before;

	need(file != MAP_FAILED);
	need(!mlock(all, 8 * PAGE) && !mlock(part + 2 * PAGE, 3 * PAGE) && !mlock(zero, 8 * PAGE));
	need(!mlock2(fault, 8 * PAGE, MLOCK_ONFAULT) && !mlock(file, 4 * PAGE));
	fill_memory(all + PAGE, PAGE, 1);
	fill_memory(fault + PAGE, PAGE, 2);
	hash = hash_memory(all, 8 * PAGE) + hash_memory(file, 4 * PAGE);
	before = status_kb("VmLck:");
	check_eq((8 + 3 + 8 + 8 + 8 + 4) * 4, before);
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(before, status_kb("VmLck:"));
		check_eq(8, resident(all, 8));
		check_eq(3, resident(part, 8));
		check_eq(1, resident(fault, 8));
		check_eq(8, resident(flag, 8));
		check_eq(8, resident(zero, 8));
		check_eq(4, resident(file, 4));
		check_eq(hash, hash_memory(all, 8 * PAGE) + hash_memory(file, 4 * PAGE));
	}
	/* Locked: it cannot be given back. */
	check_eq(-1, madvise(all, PAGE, MADV_DONTNEED));
	check_eq(EINVAL, errno);
	check_eq(0, munlock(all, 8 * PAGE));
	check_eq(before - 32, status_kb("VmLck:"));
	check_eq(0, munmap(flag, 8 * PAGE));
	check_eq(before - 64, status_kb("VmLck:"));
}

/* lockall FLAGS: mlockall(2); what is mapped later is locked as well. */
static void lockall(int argc, char **argv)
{
	int flags = atoi(argv[0]);
	char *old = map(8, RW, ANON), *p;

	need(!mlockall(flags));
	stage();
	check_eq(flags & MCL_CURRENT && !(flags & MCL_ONFAULT) ? 8 : 0, resident(old, 8));
	p = map(8, RW, ANON);
	check_eq(flags & MCL_FUTURE && !(flags & MCL_ONFAULT) ? 8 : 0, resident(p, 8));
	errno = 0;
	check_eq(flags & MCL_FUTURE ? -1 : 0, madvise(p, PAGE, MADV_DONTNEED));
	stage();
	check_eq(0, munlockall());
	check_eq(0, status_kb("VmLck:"));
	p = map(8, RW, ANON);
	check_eq(0, resident(p, 8));
}

/* sealed: nothing changes it any more, and it can be used as it is. */
static void sealed(int argc, char **argv)
{
	char *rw = map(4, RW, ANON), *ro = map(4, RW, ANON);
	int i;

	fill_memory(rw, 4 * PAGE, 1);
	fill_memory(ro, 4 * PAGE, 2);
	need(!mprotect(ro, 4 * PAGE, PROT_READ) && !mlock(ro, 4 * PAGE));
	if (syscall(SYS_mseal, rw, 4 * PAGE, 0) || syscall(SYS_mseal, ro, 4 * PAGE, 0)) {
		tell("SKIP no mseal()");
		return;
	}
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(-1, mprotect(rw, PAGE, PROT_READ));
		check_eq(EPERM, errno);
		check_eq(-1, munmap(ro + PAGE, PAGE));
		check_eq(EPERM, errno);
		check_eq(-1, madvise(ro, PAGE, MADV_DONTNEED_LOCKED));
		check_eq(EPERM, errno);
		fill_memory(rw, 4 * PAGE, 2);
		check_eq(0, memcmp(rw, ro, 4 * PAGE));
	}
}

/* droppable: MAP_DROPPABLE; the rest of its flags are compared by the test. */
static void droppable(int argc, char **argv)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		tell("SKIP no MAP_DROPPABLE");
		return;
	}
	p[PAGE] = 1;
	stage();
	check(p[PAGE] == 1 || p[PAGE] == 0);
	check_eq(-1, mlock(p, PAGE) ?: madvise(p, PAGE, MADV_KEEPONFORK));
	p[0] = 2;
}

static sigjmp_buf fault_env;
static volatile int fault_code;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	fault_code = info->si_code;
	siglongjmp(fault_env, 1);
}

/* 0: it can be read, or the si_code of the fault. */
static int read_code(volatile char *p)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &act, NULL);
	fault_code = 0;
	if (!sigsetjmp(fault_env, 1))
		(void)*p;
	return fault_code;
}

#define CODE_PKEY	4	/* SEGV_PKUERR */

/* keys: memory under protection keys, opened and closed by the thread. */
static void keys(int argc, char **argv)
{
	char *p = map(4, RW, ANON), *q = map(4, RW, ANON), *x = map(1, RW, ANON);
	int a = pkey_alloc(0, 0), b = pkey_alloc(0, PKEY_DISABLE_ACCESS), c, i;

	if (a < 0 || b < 0) {
		tell("SKIP no protection keys");
		return;
	}
	fill_memory(p, 4 * PAGE, 1);
	fill_memory(q, 4 * PAGE, 2);
	need(!pkey_mprotect(p, 4 * PAGE, RW, a) && !pkey_mprotect(q, 4 * PAGE, RW, b));
	/* The kernel takes a key for that. */
	*x = 0xc3;
	need(!mprotect(x, PAGE, PROT_EXEC));
	need(!pkey_set(a, PKEY_DISABLE_WRITE));
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(PKEY_DISABLE_WRITE, pkey_get(a));
		check_eq(PKEY_DISABLE_ACCESS, pkey_get(b));
		check_eq(0, read_code(p));
		check_eq(CODE_PKEY, read_code(q));
		check_eq(CODE_PKEY, read_code(x));
		((void (*)(void))x)();
		/* Handlers have keys of their own, and the jump kept those. */
		check_eq(0, pkey_set(a, PKEY_DISABLE_WRITE));
		check_eq(0, pkey_set(b, 0));
		fill_memory(q, 4 * PAGE, 1);
		check_eq(0, memcmp(p, q, 4 * PAGE));
		check_eq(0, pkey_set(b, PKEY_DISABLE_ACCESS));
	}
	c = pkey_alloc(0, 0);
	check(c > 0 && c != a && c != b);
	check_eq(0, pkey_free(c));
	check_eq(0, pkey_free(a));
	check_eq(a, pkey_alloc(0, 0));
}

#define BIND		2
#define INTERLEAVE	3
#define LOCAL		4
#define STATIC_NODES	(1 << 15)

/* nodes: NUMA policies of memory; more of them where there are more nodes. */
static void nodes(int argc, char **argv)
{
	static const int modes[] = { BIND, INTERLEAVE | STATIC_NODES, LOCAL, BIND };
	unsigned long mask = 1, got;
	char *p = map(16, RW, ANON);
	int mode, i, n;

	if (!access("/sys/devices/system/node/node1", F_OK))
		mask = 3;
	for (i = 0; i < 4; i++) {
		unsigned long *m = modes[i] == LOCAL ? NULL : &mask;

		if (syscall(SYS_mbind, p + i * 3 * PAGE, 2 * PAGE, modes[i], m, m ? 64 : 0, 0)) {
			tell("SKIP no NUMA");
			return;
		}
	}
	/* set_mempolicy_home_node() */
	need(!syscall(450, p + 9 * PAGE, 2 * PAGE, 0, 0));
	fill_memory(p, 16 * PAGE, 1);
	for (n = 0; n < 2; n++) {
		stage();
		for (i = 0; i < 4; i++) {
			got = 0;
			check_eq(0, syscall(SYS_get_mempolicy, &mode, &got, 64,
					    p + i * 3 * PAGE, 2));
			check_eq(modes[i], mode);
			check_eq(modes[i] == LOCAL ? 0 : mask, got);
		}
		check_eq(0, syscall(SYS_get_mempolicy, &mode, &got, 64, p + 2 * PAGE, 2));
		check_eq(0, mode);
	}
}

/* guarded: a gap below memory that grows down, and reservations of terabytes. */
static void guarded(int argc, char **argv)
{
	static const size_t huge = 1UL << 40;
	char *p = mmap(NULL, 4 * huge, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	char *q = mmap(NULL, 2 * huge, PROT_NONE, ANON, -1, 0), *low, *stack;
	int i;

	need(p != MAP_FAILED && q != MAP_FAILED);
	need(!mprotect(p + huge, PAGE, RW) && !mprotect(p + 3 * huge, 3 * PAGE, RW));
	p[huge] = 1;
	p[3 * huge + PAGE] = 2;
	low = room(1024);
	stack = low + 1000 * PAGE;
	map_at(low, 1, RW, ANON);
	map_at(stack, 1, RW, ANON | MAP_GROWSDOWN);
	for (i = 0; i < 2; i++) {
		stage();
		check_eq(1, p[huge]);
		check_eq(2, p[3 * huge + PAGE]);
		check_eq(0, p[3 * huge]);
		/* It grows, but not up to its neighbour. */
		check_eq(0, read_code(stack - (50 + 50 * i) * PAGE));
		check(read_code(low + 20 * PAGE) != 0);
		check_eq(0, read_code(low));
	}
}

/* vmas N: so many mappings, of one page each; some pages are written. */
static void vmas(int argc, char **argv)
{
	size_t n = atoi(argv[0]), i;
	char *p = map(n, RW, ANON);

	for (i = 0; i < n; i += 2)
		need(!mprotect(p + i * PAGE, PAGE, PROT_READ));
	for (i = 1; i < n; i += 100)
		p[i * PAGE] = i;
	stage();
	for (i = 1; i < n; i += 100)
		check_eq((char)i, p[i * PAGE]);
}

/* scattered GIB: 64 MiB of data in 64 places of a reservation. */
static void scattered(int argc, char **argv)
{
	const size_t mib = 1 << 20, size = (size_t)atoi(argv[0]) << 30, step = size / 64;
	char *p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);
	uint64_t hash = 0, again = 0;
	int i;

	need(p != MAP_FAILED);
	for (i = 0; i < 64; i++) {
		fill_memory(p + i * step, mib, i + 1);
		hash += hash_memory(p + i * step, mib);
	}
	stage();
	for (i = 0; i < 64; i++)
		again += hash_memory(p + i * step, mib);
	check_eq(hash, again);
}

/* reserved TIB: address space that nobody may touch yet. */
static void reserved(int argc, char **argv)
{
	const size_t size = (size_t)atoi(argv[0]) << 40;
	char *p = mmap(NULL, size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	need(p != MAP_FAILED);
	stage();
	check(read_code(p) != 0 && read_code(p + size - PAGE) != 0);
	check_eq(0, mprotect(p + size / 2, PAGE, RW));
	check_eq(0, p[size / 2]);
}

const struct mode vma_modes[] = {
	{ "reserved", reserved },
	{ "vmas", vmas },
	{ "scattered", scattered },
	{ "apart", apart },
	{ "locks", locks },
	{ "lockall", lockall },
	{ "sealed", sealed },
	{ "droppable", droppable },
	{ "keys", keys },
	{ "nodes", nodes },
	{ "guarded", guarded },
	{}
};

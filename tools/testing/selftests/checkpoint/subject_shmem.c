// SPDX-License-Identifier: GPL-2.0-only
/* Shared memory: anonymous, memfd, files of a tmpfs with a name and without. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "subject.h"

#define PAGE	4096UL
#define SIZE	(8 * PAGE)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#define MFD_EXEC	0x0010U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x0010
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC	0x0020
#endif

/* A word by which parent and child take turns, and where the child looks. */
struct turns {
	volatile int turn;
	volatile uint64_t hash;
};

static void wait_turn(struct turns *t, int turn)
{
	while (t->turn != turn)
		poll_pause();
}

/* The child: moves its mapping elsewhere, hashes it when asked, writes a bit. */
static void look(struct turns *t, unsigned char *mem, size_t size)
{
	unsigned char *moved = mmap(NULL, size + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
				    -1, 0);
	int n;

	need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	need(moved != MAP_FAILED);
	need(mremap(mem, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, moved + PAGE) != MAP_FAILED);
	for (n = 1; n <= 5; n += 2) {
		wait_turn(t, n);
		t->hash = hash_memory(moved + PAGE, size);
		moved[PAGE + n * PAGE] = n;
		t->turn = n + 1;
	}
	_exit(3);
}

static struct turns *new_turns(void)
{
	struct turns *t = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);

	need(t != MAP_FAILED);
	return t;
}

/* Both see what the other has written, before and after. */
static void take_turns(unsigned char *mem, size_t size)
{
	struct turns *t = new_turns();
	pid_t pid = fork();
	int n, status;

	need(pid >= 0);
	if (!pid)
		look(t, mem, size);
	for (n = 1; n <= 5; n += 2) {
		fill_memory(mem, 2 * PAGE, n);
		t->turn = n;
		wait_turn(t, n + 1);
		check_eq(n, mem[n * PAGE]);
		mem[n * PAGE] = 0;
		if (n == 1)
			fill_memory(mem, 2 * PAGE, 1);
		check(t->hash != 0);
		if (n < 5)
			stage();
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(3 << 8, status);
}

static void shared_anonymous(int argc, char **argv)
{
	unsigned char *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need(mem != MAP_FAILED);
	take_turns(mem, SIZE);
}

/* What is mapped from /dev/zero is shared memory of its own. */
static void devzero(int argc, char **argv)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	unsigned char *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	need(mem != MAP_FAILED);
	close(fd);
	take_turns(mem, SIZE);
}

/* Mappings that go on behind the end of the memory, one of which it has shrunk. */
static void beyond(int argc, char **argv)
{
	int fd = memfd_create("beyond", MFD_CLOEXEC), closed = memfd_create("closed", 0), i;
	char *p, *q;

	need(fd >= 0 && closed >= 0 && !ftruncate(fd, 6 * PAGE));
	need(!ftruncate(closed, PAGE + 1));
	p = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, closed, 0);
	need(p != MAP_FAILED && q != MAP_FAILED && !close(closed));
	fill_memory(p, 6 * PAGE, 1);
	fill_memory(q, PAGE, 2);
	q[PAGE + 100] = 3;
	need(!ftruncate(fd, 2 * PAGE));
	for (i = 0; i < 2; i++) {
		check(faults(p + 2 * PAGE) && faults(p + 5 * PAGE));
		check(faults(q + 2 * PAGE) && faults(q + 3 * PAGE));
		stage();
		check(faults(p + 2 * PAGE) && faults(p + 5 * PAGE));
		check(faults(q + 2 * PAGE) && faults(q + 3 * PAGE));
		check_eq(3, q[PAGE + 100]);
	}
	/* What had been there before does not come back. */
	check_eq(0, ftruncate(fd, 5 * PAGE));
	check_eq(0, p[2 * PAGE] | p[4 * PAGE + 8]);
	check(faults(p + 5 * PAGE));
	p[3 * PAGE] = 4;
	check(pread(fd, q, 1, 3 * PAGE) == 1 && *q == 4);
}

static void check_zero(const char *mem, size_t from, size_t to)
{
	for (; from < to; from += PAGE)
		check_eq(0, mem[from]);
}

/* Two mappings of parts, which overlap, of more memory than is mapped; holes. */
static void parts(int argc, char **argv)
{
	char *a, *b, *all;
	uint64_t hash;
	struct stat st;
	int fd;

	fd = memfd_create("parts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	need(fd >= 0 && !ftruncate(fd, 1L << 40));
	a = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 1 << 20);
	b = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (1 << 20) + 2 * PAGE);
	need(a != MAP_FAILED && b != MAP_FAILED);
	fill_memory(a + PAGE, 2 * PAGE, 4);
	hash = hash_memory(a, 4 * PAGE);
	need(pwrite(fd, "far away", 8, 1L << 39) == 8);
	need(lseek(fd, 12345, SEEK_SET) == 12345);
	need(!fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	stage();
	check_eq(hash, hash_memory(a, 4 * PAGE));
	b[0]++;
	check_eq((unsigned char)(a[2 * PAGE]), (unsigned char)b[0]);
	b[0]--;
	check_eq(12345, lseek(fd, 0, SEEK_CUR));
	check_eq(F_SEAL_SHRINK | F_SEAL_GROW, fcntl(fd, F_GET_SEALS));
	check(ftruncate(fd, 1) < 0 && errno == EPERM);
	all = malloc(16);
	check(pread(fd, all, 8, 1L << 39) == 8 && !memcmp(all, "far away", 8));
	need(!fstat(fd, &st));
	check_eq(1L << 40, st.st_size);
	/* Six pages of data: holes cost nothing. */
	check(st.st_blocks <= 8 * 8);
	check_zero(a, 0, PAGE);
	stage();
	check_eq(hash, hash_memory(a, 4 * PAGE));
}

/* All seals at once: nothing of it can be written to. */
static void sealed(int argc, char **argv)
{
	int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	char path[64], *mem;
	int again;

	need(fd >= 0 && write(fd, "sealed", 6) == 6 && !fcntl(fd, F_ADD_SEALS, seals));
	mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	need(mem != MAP_FAILED);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	need(again >= 0);
	stage();
	check(!memcmp(mem, "sealed", 6));
	check_eq(seals, fcntl(fd, F_GET_SEALS));
	check_eq(seals, fcntl(again, F_GET_SEALS));
	check(write(fd, "x", 1) < 0 && errno == EPERM);
	check(mprotect(mem, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
	stage();
}

static void check_sealed(int fd, int seals, mode_t mode, char *mem)
{
	struct stat st;

	check(!memcmp(mem, "sealed", 6));
	check_eq(seals, fcntl(fd, F_GET_SEALS));
	check_eq(0, fstat(fd, &st));
	check_eq(mode, st.st_mode & 07777);
	check(fchmod(fd, mode ^ 0100) < 0 && errno == EPERM);
	check(!fchmod(fd, mode ^ 0020) && !fchmod(fd, mode));
	check(write(fd, "x", 1) < 0 && errno == EPERM);
	check(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED &&
	      errno == EPERM);
}

/* New memory with these seals; a shared mapping would be an obstacle. */
static int new_sealed(unsigned int flags, int seals, char **mem)
{
	int fd = memfd_create("sealed", flags | MFD_ALLOW_SEALING);

	need(fd >= 0 && write(fd, "sealed", 6) == 6 && !fcntl(fd, F_ADD_SEALS, seals));
	*mem = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	need(*mem != MAP_FAILED);
	return fd;
}

/* It cannot be made a program, or is one for good; who maps it later cannot write. */
static void sealed_exec(int argc, char **argv)
{
	char *data, *program;
	int a = new_sealed(MFD_NOEXEC_SEAL, F_SEAL_FUTURE_WRITE, &data), i;
	int b = new_sealed(MFD_EXEC, F_SEAL_EXEC | F_SEAL_FUTURE_WRITE, &program);
	int seals = F_SEAL_EXEC | F_SEAL_FUTURE_WRITE, all = fcntl(b, F_GET_SEALS);

	check_eq(seals, all & seals);
	for (i = 0; i < 3; i++) {
		check_sealed(a, seals, 0666, data);
		check_sealed(b, all, 0777, program);
		if (i < 2)
			stage();
	}
	/* The last seal is open. */
	check(!fcntl(a, F_ADD_SEALS, F_SEAL_SEAL));
}

/* What was mapped before the seal goes on being written to, the rest never is. */
static void sealed_shared(int argc, char **argv)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING), i;
	char *old, *new, *read_only;

	need(fd >= 0 && !ftruncate(fd, PAGE));
	old = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	read_only = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	need(!fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	new = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	need(old != MAP_FAILED && read_only != MAP_FAILED && new != MAP_FAILED);
	for (i = 0; i < 3; i++) {
		old[i] = 'a' + i;
		check_eq('a' + i, new[i]);
		check(mprotect(new, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
		check(!mprotect(read_only, PAGE, PROT_READ | PROT_WRITE));
		read_only[PAGE - 1] = i;
		check(!mprotect(read_only, PAGE, PROT_READ));
		check(write(fd, "x", 1) < 0 && errno == EPERM);
		/* There are writers still. */
		check(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 && errno == EBUSY);
		if (i < 2)
			stage();
	}
	check(!munmap(old, PAGE) && !munmap(read_only, PAGE));
	check(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

/* As POSIX shared memory and semaphores are used: the name is gone. */
static void deleted(int argc, char **argv)
{
	unsigned char *mem;
	int fd = open("/dev/shm/ckpt-subject", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	need(fd >= 0 && !unlink("/dev/shm/ckpt-subject") && !ftruncate(fd, SIZE));
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(mem != MAP_FAILED);
	close(fd);
	take_turns(mem, SIZE);
}

/* A program that comes later finds it by its name. */
static void named(int argc, char **argv)
{
	unsigned char *mem, byte;
	int fd = open("/dev/shm/ckpt-named", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	need(fd >= 0 && !ftruncate(fd, SIZE));
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(mem != MAP_FAILED);
	close(fd);
	take_turns(mem, SIZE);
	fd = open("/dev/shm/ckpt-named", O_RDWR | O_CLOEXEC);
	mem[PAGE] = 77;
	check_eq(1, pread(fd, &byte, 1, PAGE));
	check_eq(77, byte);
	check(!unlink("/dev/shm/ckpt-named"));
}

/* One that is left out of the tree has it, too. */
static void leaked(int argc, char **argv)
{
	int fd = memfd_create("leaked", MFD_CLOEXEC);

	need(fd >= 0 && write(fd, "x", 1) == 1);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	stage();
}

/* shared_program: runs a copy of itself that has no name. */
static void program(int argc, char **argv)
{
	char path[40], before[200] = "", now[200] = "";
	static char * const copy[] = { "copy", "shared_program", "now", NULL };
	int fd, self;

	if (!argc) {
		self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		fd = memfd_create("program", 0);
		while (sendfile(fd, self, NULL, 1 << 20) > 0)
			;
		/* What is open for writing is not executed. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		self = open(path, O_RDONLY | O_CLOEXEC);
		close(fd);
		fexecve(self, copy, environ);
		need(false);
	}
	need(readlink("/proc/self/exe", before, sizeof(before) - 1) > 0);
	check(strstr(before, "memfd:program"));
	stage();
	need(readlink("/proc/self/exe", now, sizeof(now) - 1) > 0);
	check(!strcmp(before, now));
	check_eq(0, system("/proc/$PPID/exe regular_none >/dev/null"));
}

const struct mode shmem_modes[] = {
	{ "shared_anonymous", shared_anonymous },
	{ "shared_devzero", devzero },
	{ "shared_beyond", beyond },
	{ "shared_parts", parts },
	{ "shared_sealed", sealed },
	{ "shared_sealed_exec", sealed_exec },
	{ "shared_sealed_shared", sealed_shared },
	{ "shared_deleted", deleted },
	{ "shared_named", named },
	{ "shared_leaked", leaked },
	{ "shared_program", program },
	{}
};

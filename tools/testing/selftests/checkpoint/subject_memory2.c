// SPDX-License-Identifier: GPL-2.0-only
/* Memory that comes from files, and the areas that exec() made. */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "subject.h"

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)

static char buffer[16 * PAGE];

static int new_file(const char *name, size_t size, uint64_t seed)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	need(fd >= 0 && size <= sizeof(buffer));
	fill_memory(buffer, size, seed);
	need(write(fd, buffer, size) == (ssize_t)size);
	return fd;
}

/* Where the file is to be, if it matters. */
static void go_to(int argc, char **argv)
{
	need(!argc || !chdir(argv[0]));
}

static char *map_file(int fd, size_t size, int prot, int flags, off_t offset)
{
	char *p = mmap(NULL, size, prot, flags, fd, offset);

	need(p != MAP_FAILED);
	return p;
}

/*
 * private [DIR]: pages of a private file mapping that were written, were not, and
 * were hidden, a part in the middle of the file, and one behind its end.
 */
static void private(int argc, char **argv)
{
	uint64_t hash_a, hash_b, hash_ro;
	char *a, *b, *ro;
	int fd;

	go_to(argc, argv);
	fd = new_file("private", 10 * PAGE + 100, 1);
	a = map_file(fd, 12 * PAGE, RW, MAP_PRIVATE, 0);
	b = map_file(fd, 4 * PAGE, RW, MAP_PRIVATE, 5 * PAGE);
	ro = map_file(fd, 4 * PAGE, PROT_READ, MAP_PRIVATE, 2 * PAGE);
	close(fd);
	a[PAGE + 7] = 1;
	a[4 * PAGE] = 2;
	a[10 * PAGE + 200] = 3;
	b[PAGE] = 4;
	hash_a = hash_memory(a, 11 * PAGE);
	hash_b = hash_memory(b, 4 * PAGE);
	hash_ro = hash_memory(ro, 4 * PAGE);
	need(!mprotect(a + 4 * PAGE, PAGE, PROT_NONE));
	stage();
	check_eq(0, mprotect(a + 4 * PAGE, PAGE, RW));
	check_eq(hash_a, hash_memory(a, 11 * PAGE));
	check_eq(hash_b, hash_memory(b, 4 * PAGE));
	check_eq(hash_ro, hash_memory(ro, 4 * PAGE));
	check(faults(a + 11 * PAGE));
	/* The file has none of it. */
	a[2 * PAGE] = 5;
	fd = open("private", O_RDONLY);
	check_eq(10 * PAGE + 100, read(fd, buffer + PAGE, 11 * PAGE));
	close(fd);
	memmove(buffer, buffer + PAGE, 10 * PAGE);
	fill_memory(a, 10 * PAGE, 1);
	check_eq(0, memcmp(a, buffer, 10 * PAGE));
}

/* sharedfile [DIR]: a mapping that is the file, and goes on behind its end. */
static void sharedfile(int argc, char **argv)
{
	char *rw, *part, *ro;
	uint64_t hash;
	int fd;

	go_to(argc, argv);
	fd = new_file("shared", 8 * PAGE, 1);
	rw = map_file(fd, 10 * PAGE, RW, MAP_SHARED, 0);
	part = map_file(fd, 2 * PAGE, RW, MAP_SHARED, 4 * PAGE);
	ro = map_file(fd, 8 * PAGE, PROT_READ, MAP_SHARED, 0);
	rw[100] = 'a';
	part[PAGE] = 'b';
	need(!msync(rw, 8 * PAGE, MS_SYNC));
	hash = hash_memory(rw, 8 * PAGE);
	stage();
	check_eq(hash, hash_memory(rw, 8 * PAGE));
	check_eq('b', rw[5 * PAGE]);
	rw[200] = 'c';
	check_eq('c', ro[200]);
	part[1] = 'd';
	check_eq('d', ro[4 * PAGE + 1]);
	check_eq(1, pread(fd, buffer, 1, 200));
	check_eq('c', buffer[0]);
	check_eq(1, pwrite(fd, "e", 1, 3 * PAGE));
	check_eq('e', rw[3 * PAGE]);
	check(faults(rw + 8 * PAGE));
	check_eq(0, ftruncate(fd, 10 * PAGE));
	rw[9 * PAGE] = 'f';
	check_eq(1, pread(fd, buffer, 1, 9 * PAGE));
	check_eq('f', buffer[0]);
}

/* devzero: private memory with a device file's name. */
static void devzero(int argc, char **argv)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	char *p = map_file(fd, 4 * PAGE, RW, MAP_PRIVATE, 0);

	close(fd);
	fill_memory(p + PAGE, PAGE, 1);
	fill_memory(buffer, PAGE, 1);
	stage();
	check_eq(0, memcmp(p + PAGE, buffer, PAGE));
	check_eq(0, p[0] | p[2 * PAGE] | p[3 * PAGE]);
	p[0] = 1;
}

/* Sums of everything that is mapped from programs and cannot be written. */
static int hash_object(struct dl_phdr_info *info, size_t size, void *data)
{
	uint64_t *hash = data;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && !(ph->p_flags & PF_W))
			*hash += hash_memory((void *)(info->dlpi_addr + (ph->p_vaddr & -8UL)),
					     ph->p_memsz);
		if (ph->p_type == PT_GNU_RELRO)
			*hash += hash_memory((void *)(info->dlpi_addr + (ph->p_vaddr & -8UL)),
					     ph->p_memsz);
	}
	return 0;
}

static uint64_t data_words[1000] = { 1, 2, 3 };
static uint64_t bss_words[1000];
static const uint64_t const_words[3] = { 4, 5, 6 };

/* programs: text, constants, data, and what was made read-only after. */
static void programs(int argc, char **argv)
{
	uint64_t hash = 0, again = 0, i;

	for (i = 3; i < 1000; i++) {
		data_words[i] = i * i;
		bss_words[i] = i * i * i;
	}
	dl_iterate_phdr(hash_object, &hash);
	stage();
	dl_iterate_phdr(hash_object, &again);
	check_eq(hash, again);
	check_eq(3, data_words[2]);
	check_eq(5, *(volatile uint64_t *)&const_words[1]);
	check_eq(0, bss_words[2]);
	for (i = 3; i < 1000; i++)
		if (data_words[i] != i * i || bss_words[i] != i * i * i)
			fail("data %d", (int)i);
}

/* title: arguments and environment, changed in their place as some do. */
static void title(int argc, char **argv)
{
	char random[16], *p = (char *)getauxval(AT_RANDOM);

	need(p);
	memcpy(random, p, sizeof(random));
	strcpy(argv[0], "title!");
	if (getenv("PATH"))
		memset(getenv("PATH"), 'x', strlen(getenv("PATH")));
	check_eq(0, prctl(PR_SET_NAME, "another name"));
	stage();
	check_eq(0, memcmp(random, p, sizeof(random)));
	check_eq(0, strcmp(argv[0], "title!"));
	check(p == (char *)getauxval(AT_RANDOM));
}

/* dumpable: properties of the address space as a whole. */
static void dumpable(int argc, char **argv)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY);

	check_eq(3, write(fd, "0x7", 3));
	close(fd);
	check_eq(0, prctl(PR_SET_DUMPABLE, 0));
	check_eq(0, prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	stage();
	check_eq(0, prctl(PR_GET_DUMPABLE));
	check_eq(1, prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	check_eq(0, prctl(PR_SET_DUMPABLE, 1));
	check_eq(0, prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
	stage();
	check_eq(1, prctl(PR_GET_DUMPABLE));
	check_eq(0, prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
}

/* What /proc/self/status says of our memory, in bytes. */
static uint64_t status_of(const char *name)
{
	char text[4096], *at;

	need(read_file("/proc/self/status", text, sizeof(text)) > 0);
	at = strstr(text, name);
	need(at);
	return strtoull(at + strlen(name), NULL, 10) * 1024;
}

static void *one_page(void)
{
	return mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void check_limit(int which, uint64_t value)
{
	struct rlimit limit;

	check_eq(0, getrlimit(which, &limit));
	check_eq(value, limit.rlim_cur);
	check_eq(value, limit.rlim_max);
}

static void set_limit(int which, uint64_t value)
{
	const struct rlimit limit = { value, value };

	need(!setrlimit(which, &limit));
}

/* memlimits: no page is left of any limit but that of resident pages, which is exceeded. */
static void memlimits(int argc, char **argv)
{
	char *locked = map_file(-1, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0), *p;
	uint64_t all, data;

	need(!mlock(locked, 2 * PAGE));
	all = status_of("VmSize:");
	data = status_of("VmData:");
	set_limit(RLIMIT_AS, all);
	set_limit(RLIMIT_DATA, data);
	set_limit(RLIMIT_RSS, PAGE);
	set_limit(RLIMIT_MEMLOCK, 2 * PAGE);
	set_limit(RLIMIT_STACK, 256 * 1024);
	for (int i = 0; i < 2; i++) {
		stage();
		check_limit(RLIMIT_AS, all);
		check_limit(RLIMIT_DATA, data);
		check_limit(RLIMIT_RSS, PAGE);
		check_limit(RLIMIT_MEMLOCK, 2 * PAGE);
		check_limit(RLIMIT_STACK, 256 * 1024);
		check_eq(all, status_of("VmSize:"));
		check(one_page() == MAP_FAILED && errno == ENOMEM);
		/* What is given back can be had again, and not more. */
		check(!munmap(locked + PAGE, PAGE));
		p = one_page();
		check(p != MAP_FAILED);
		check(one_page() == MAP_FAILED && errno == ENOMEM);
		check(!munmap(p, PAGE));
		p = mmap(locked + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		check(p == locked + PAGE && !mlock(p, PAGE));
	}
}

/* cutfile: the file became shorter than its mapping; private pages remain. */
static void cutfile(int argc, char **argv)
{
	int fd = new_file("cut", 8 * PAGE, 1);
	char *p = map_file(fd, 8 * PAGE, RW, MAP_PRIVATE, 0);

	p[0] = 1;
	need(!ftruncate(fd, 2 * PAGE));
	close(fd);
	stage();
	check_eq(1, p[0]);
	fill_memory(buffer, 8 * PAGE, 1);
	check_eq(0, memcmp(p + PAGE, buffer + PAGE, PAGE));
	check(faults(p + 5 * PAGE));
}

const struct mode memory2_modes[] = {
	{ "private", private },
	{ "sharedfile", sharedfile },
	{ "devzero", devzero },
	{ "programs", programs },
	{ "title", title },
	{ "dumpable", dumpable },
	{ "memlimits", memlimits },
	{ "cutfile", cutfile },
	{}
};

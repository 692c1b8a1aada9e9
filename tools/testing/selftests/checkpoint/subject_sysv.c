// SPDX-License-Identifier: GPL-2.0-only
/* System V shared memory that is mapped. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "subject.h"

#define PAGE	4096UL
#define SIZE	(8 * PAGE)
#define KEY	SUBJECT_SHM_KEY

static char *attach(int id, int flags)
{
	char *p = shmat(id, NULL, flags);

	need(p != (void *)-1);
	return p;
}

static struct shmid_ds status_of(int id)
{
	struct shmid_ds ds = {};

	check_eq(0, shmctl(id, IPC_STAT, &ds));
	return ds;
}

/* All but what later attachments change. */
static void check_same(const struct shmid_ds *a, int id)
{
	struct shmid_ds b = status_of(id);

	check_eq(a->shm_perm.__key, b.shm_perm.__key);
	check_eq(a->shm_perm.mode, b.shm_perm.mode);
	check_eq(a->shm_perm.uid, b.shm_perm.uid);
	check_eq(a->shm_perm.gid, b.shm_perm.gid);
	check_eq(a->shm_perm.cuid, b.shm_perm.cuid);
	check_eq(a->shm_perm.cgid, b.shm_perm.cgid);
	check_eq(a->shm_perm.__seq, b.shm_perm.__seq);
	check_eq(a->shm_segsz, b.shm_segsz);
	check_eq(a->shm_nattch, b.shm_nattch);
	check_eq(a->shm_atime, b.shm_atime);
	check_eq(a->shm_dtime, b.shm_dtime);
	check_eq(a->shm_ctime, b.shm_ctime);
	check_eq(a->shm_cpid, b.shm_cpid);
	check_eq(a->shm_lpid, b.shm_lpid);
}

/* The child: adds what it sees to the second page when it is told to. */
static void add_up(volatile uint64_t *p)
{
	uint64_t n;

	need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	for (n = 1; n <= 3; n++) {
		while (p[0] != n)
			poll_pause();
		p[512] += p[1];
		p[0] = 100 + n;
	}
	_exit(3);
}

/*
 * sysv_removed: the usual way; removed at once, it lives while it is mapped.
 * sysv_removed keyed: only its name tells of the key that it had.
 */
static void removed(int argc, char **argv)
{
	int id = shmget(argc ? KEY : IPC_PRIVATE, SIZE, IPC_CREAT | 0600), status;
	volatile uint64_t *p;
	struct shmid_ds ds;
	uint64_t n, sum = 0;
	pid_t pid;

	need(id >= 0);
	p = (void *)attach(id, 0);
	need(!shmctl(id, IPC_RMID, NULL));
	pid = fork();
	need(pid >= 0);
	if (!pid)
		add_up(p);
	p[1023] = 4711;
	for (n = 1; n <= 3; n++) {
		ds = status_of(id);
		check_eq(2, ds.shm_nattch);
		check_eq(01000 | 0600, ds.shm_perm.mode);
		stage();
		check_same(&ds, id);
		check_eq(4711, p[1023]);
		p[1] = 7 * n;
		sum += 7 * n;
		p[0] = n;
		while (p[0] != 100 + n)
			poll_pause();
		check_eq(sum, p[512]);
	}
	check_eq(pid, waitpid(pid, &status, 0));
	check_eq(3 << 8, status);
	check_eq(0, shmdt((void *)p));
	check_eq(-1, shmctl(id, IPC_STAT, &ds));
}

/*
 * sysv_keyed: found by its key, of an odd size, attached for writing and for
 * reading, one of them in parts; it stays when all have left it.
 */
static void keyed(int argc, char **argv)
{
	int id = shmget(KEY, SIZE - 1000, IPC_CREAT | IPC_EXCL | 0640), n;
	struct shmid_ds ds = {};
	char *rw, *ro, *again;
	uint64_t hash;

	need(id >= 0);
	rw = attach(id, 0);
	ro = attach(id, SHM_RDONLY);
	fill_memory(rw + PAGE, PAGE, 1);
	/* Behind its end, in the last page. */
	fill_memory(rw + SIZE - 504, 504, 2);
	need(!mprotect(rw + 2 * PAGE, PAGE, PROT_READ) && !munmap(ro, 3 * PAGE));
	hash = hash_memory(rw, SIZE);
	ds.shm_perm.uid = argc > 0 ? 1 : 0;
	ds.shm_perm.gid = 2;
	ds.shm_perm.mode = 0666;
	need(!shmctl(id, IPC_SET, &ds));
	need(argc == 0 || !shmctl(id, SHM_LOCK, NULL));
	ds = status_of(id);
	for (n = 0; n < 2; n++) {
		stage();
		check_same(&ds, id);
		check_eq(id, shmget(KEY, 0, 0));
		check_eq(hash, hash_memory(rw, SIZE));
		check_eq(0, memcmp(rw + 3 * PAGE, ro + 3 * PAGE, 5 * PAGE));
		again = attach(id, 0);
		again[PAGE]++;
		rw[3 * PAGE]++;
		check_eq(rw[PAGE], again[PAGE]);
		check_eq(rw[3 * PAGE], ro[3 * PAGE]);
		check_eq(0, shmdt(again));
		hash = hash_memory(rw, SIZE);
		ds = status_of(id);
	}
	check_eq(0, shmctl(id, IPC_RMID, NULL));
}

/* sysv_leaked: a child that may be left out has it, too. */
static void leaked(int argc, char **argv)
{
	int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
	pid_t pid;

	need(id >= 0);
	attach(id, 0);
	need(!shmctl(id, IPC_RMID, NULL));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	stage();
	kill(pid, SIGKILL);
	check_eq(pid, waitpid(pid, NULL, 0));
}

/* sysv_stays ID: for a test that looks at the segment, which has its id told. */
static void stays(int argc, char **argv)
{
	int id = shmget(KEY + 1, SIZE, IPC_CREAT | IPC_EXCL | 0600);
	char *p;

	need(id >= 0);
	p = attach(id, 0);
	fill_memory(p, SIZE, 3);
	tell("id %d", id);
	stage();
	fill_memory(p + PAGE, PAGE, 3);
	check_eq(0, memcmp(p, p + PAGE, PAGE));
	check_eq(0, shmctl(id, IPC_RMID, NULL));
}

static bool bind_to(void *p, size_t pages, int mode, unsigned long nodes)
{
	if (!syscall(SYS_mbind, p, pages * PAGE, mode, nodes ? &nodes : NULL,
		     nodes ? 64 : 0, 0))
		return true;
	need(errno == ENOSYS);
	return false;
}

static void check_bound(const char *p, size_t page, int mode, unsigned long nodes)
{
	unsigned long now = 0;
	int is = -1;

	/* MPOL_F_ADDR */
	check_eq(0, syscall(SYS_get_mempolicy, &is, &now, 64, p + page * PAGE, 2));
	check_eq(mode, is);
	check_eq(nodes, now);
}

#define BIND	2
#define LOCAL	4

/*
 * bound: NUMA policies of shared memory belong to the memory: they hold in other
 * mappings, in one that is made later, and where nothing is mapped any more.
 */
static void bound(int argc, char **argv)
{
	int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600), fd = memfd_create("bound", 0), i;
	char *shm, *anon, *p, *again;

	need(id >= 0 && fd >= 0 && !ftruncate(fd, SIZE));
	shm = attach(id, 0);
	need(!shmctl(id, IPC_RMID, NULL));
	anon = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(anon != MAP_FAILED && p != MAP_FAILED);
	if (!bind_to(shm + PAGE, 2, BIND, 1)) {
		tell("SKIP no NUMA");
		return;
	}
	bind_to(anon + 3 * PAGE, 1, LOCAL, 0);
	bind_to(p, 2, BIND, 1);
	bind_to(p + 6 * PAGE, 1, LOCAL, 0);
	need(!munmap(p, 4 * PAGE));
	memset(anon, 1, SIZE);
	for (i = 0; i < 2; i++) {
		stage();
		check_bound(shm, 0, 0, 0);
		check_bound(shm, 2, BIND, 1);
		check_bound(shm, 3, 0, 0);
		check_bound(anon, 3, LOCAL, 0);
		check_bound(p, 6, LOCAL, 0);
		check_bound(p, 7, 0, 0);
		again = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
		need(again != MAP_FAILED);
		check_bound(again, 1, BIND, 1);
		check_bound(again, 2, 0, 0);
		check_bound(again, 6, LOCAL, 0);
		munmap(again, SIZE);
	}
}

const struct mode sysv_modes[] = {
	{ "bound", bound },
	{ "sysv_removed", removed },
	{ "sysv_keyed", keyed },
	{ "sysv_leaked", leaked },
	{ "sysv_stays", stays },
	{}
};

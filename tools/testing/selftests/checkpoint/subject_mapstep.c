// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mapgen does to the mappings of a process: random system calls, of which it
 * is known what they make of each page. Where the kernel may refuse one, because
 * borders of mappings are in the way, it must have done nothing.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "subject_mapgen.h"

#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define NOISE		1024
#define HUGE_PAGES	512

#ifndef SYS_mseal
#define SYS_mseal	462
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

static uint64_t noise[NOISE + PAGE / 8];
static struct map_page *pages;		/* of this process, in this round */
static char *area;
static int limit;			/* pages of the area */
static uint64_t state;

uint64_t map_random(uint64_t *s, uint64_t below)
{
	*s = *s * 0x5851f42d4c957f2dULL + 0x14057b7ef767814fULL;
	return (*s >> 33) % below;
}

static uint64_t next_random(uint64_t below)
{
	return map_random(&state, below);
}

/* Different for each page that is ever written to, and not 0. */
static uint64_t next_seed(void)
{
	return (next_random(1ULL << 31) << 31 | next_random(1ULL << 31)) + 1;
}

void map_init(void)
{
	fill_memory(noise, sizeof(noise), 1);
}

bool map_is_large(int round)
{
	return round % 5 == 1;
}

void map_select(int round, uint64_t random)
{
	pages = board->pages[self][round];
	area = (char *)MAPGEN_START + round * MAPGEN_STEP;
	limit = map_is_large(round) ? LARGE : SMALL;
	state = random;
}

static char *address_of(int page)
{
	return area + (page < LARGE ? page * PAGE : STACK_OFFSET + (page - LARGE) * PAGE);
}

/* Noise from some place on, and what tells it from the same noise. */
void map_fill(void *page, uint64_t seed)
{
	uint64_t *p = page;

	if (!seed) {
		memset(p, 0, PAGE);
		return;
	}
	memcpy(p, noise + seed % NOISE, PAGE);
	p[0] = seed;
	p[PAGE / 8 - 1] = ~seed;
}

static bool is_filled(const void *page, uint64_t seed)
{
	static const uint64_t zero[PAGE / 8];
	const uint64_t *p = page;

	if (!seed)
		return !memcmp(p, zero, PAGE);
	return p[0] == seed && p[PAGE / 8 - 1] == ~seed &&
	       !memcmp(p + 1, noise + seed % NOISE + 1, PAGE - 16);
}

static uint64_t *content_of(const struct map_page *p)
{
	return &board->content[board->object[p->object].first + p->offset];
}

/* Returns 0: there is no room for one more. */
int map_new_object(int nr)
{
	struct map_object *object = &board->object[board->nr_objects];

	if (board->nr_objects == OBJECTS || board->nr_content + nr > OBJECT_PAGES)
		return 0;
	*object = (struct map_object){ .first = board->nr_content, .pages = nr };
	board->nr_content += nr;
	return board->nr_objects++;
}

static bool is_anon(const struct map_page *p)
{
	return p->mapped && !p->object;
}

static bool is_unmapped(const struct map_page *p)
{
	return !p->mapped;
}

static bool is_mapped(const struct map_page *p)
{
	return p->mapped;
}

static bool is_free(const struct map_page *p)
{
	return !p->sealed;
}

static bool is_unlocked(const struct map_page *p)
{
	return !p->locked;
}

static bool is_writable(const struct map_page *p)
{
	return p->prot & PROT_WRITE;
}

static bool is_shared(const struct map_page *p)
{
	return p->shared;
}

/* Of memory that only mappings and descriptors have. */
static bool is_memory(const struct map_page *p)
{
	return !p->object || p->object >= OBJECT_MEMFD;
}

static bool all(bool (*is)(const struct map_page *p), int at, int n)
{
	for (; n; n--, at++)
		if (!is(&pages[at]))
			return false;
	return true;
}

static int random_prot(void)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
		PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC,
	};

	return prots[next_random(ARRAY_SIZE(prots))];
}

/* Private pages that may be written to are, when they are brought in. */
static void populate(int at, int n)
{
	for (; n && pages[at].prot != PROT_NONE; n--, at++) {
		if (pages[at].shared || pages[at].own || !is_writable(&pages[at]) ||
		    !pages[at].object)
			continue;
		pages[at].seed = *content_of(&pages[at]);
		pages[at].own = true;
	}
}

static int pick_object(int n)
{
	int object = OBJECT_FILE + next_random(FIRST_ANON - OBJECT_FILE);

	return n <= (int)board->object[object].pages ? object : NO_OBJECT;
}

/* Private, of nothing or of an object; shared, of one that may be new. */
static void do_map(int at, int n)
{
	bool shared = next_random(2), fill = !next_random(8);
	int object = next_random(3) ? NO_OBJECT : pick_object(n), prot = random_prot();
	int flags = MAP_FIXED | (next_random(6) ? 0 : MAP_NORESERVE) | (fill ? MAP_POPULATE : 0);
	int first = object ? next_random(board->object[object].pages - n + 1) : 0, i, fd = -1;

	if (!all(is_free, at, n))
		return;
	if (object)
		fd = object_fd[object];
	else
		flags |= MAP_ANONYMOUS;
	if (shared && !object)
		object = map_new_object(n);
	shared = shared && object;
	flags |= shared ? MAP_SHARED : MAP_PRIVATE;
	need(mmap(address_of(at), n * PAGE, prot, flags, fd, first * PAGE) == address_of(at));
	for (i = 0; i < n; i++)
		pages[at + i] = (struct map_page){
			.mapped = true, .prot = prot, .object = object, .offset = first + i,
			.shared = shared,
		};
	if (fill)
		populate(at, n);
}

static void do_unmap(int at, int n)
{
	if (!all(is_free, at, n))
		return;
	need(!munmap(address_of(at), n * PAGE));
	memset(pages + at, 0, n * sizeof(*pages));
}

static void do_protect(int at, int n)
{
	int prot = random_prot();
	bool fill;

	if (!all(is_mapped, at, n) || !all(is_free, at, n))
		return;
	need(!mprotect(address_of(at), n * PAGE, prot));
	for (; n; n--, at++) {
		/* Locked memory that becomes writable is private at once. */
		fill = pages[at].locked && !pages[at].onfault && !is_writable(&pages[at]);
		pages[at].prot = prot;
		if (fill)
			populate(at, 1);
	}
}

static void set_content(struct map_page *p, uint64_t seed)
{
	if (p->shared) {
		*content_of(p) = seed;
		return;
	}
	p->seed = seed;
	p->own = true;
}

static void do_write(int at, int n)
{
	uint64_t seed;

	for (; n; n--, at++) {
		if (!is_writable(&pages[at]))
			continue;
		seed = next_seed();
		set_content(&pages[at], seed);
		map_fill(address_of(at), seed);
		if (self && board->cycles) {
			board->shared += pages[at].shared;
			board->private += !pages[at].shared;
		}
	}
}

static int open_memory(int flags)
{
	int fd = open("/proc/self/mem", flags | O_CLOEXEC);

	need(fd >= 0);
	return fd;
}

/* As a debugger does it, where the process itself may not write. */
static void do_poke(int at, int n)
{
	static char page[PAGE];
	uint64_t seed = next_seed();
	int fd;

	if (!pages[at].mapped || pages[at].shared)
		return;
	fd = open_memory(O_RDWR);
	map_fill(page, seed);
	need(pwrite(fd, page, PAGE, (uintptr_t)address_of(at)) == PAGE);
	close(fd);
	set_content(&pages[at], seed);
}

/* Not to memory, but to what is mapped. */
static void do_pwrite(int at, int n)
{
	static char page[PAGE];
	int object = pick_object(n), first;
	uint64_t seed;

	if (!object)
		return;
	first = next_random(board->object[object].pages - n + 1);
	for (; n; n--, first++) {
		seed = next_seed();
		map_fill(page, seed);
		need(pwrite(object_fd[object], page, PAGE, first * PAGE) == PAGE);
		board->content[board->object[object].first + first] = seed;
	}
}

/* Pages that are those of their object, behind what is mapped at @at. */
static void extend(struct map_page *to, const struct map_page *last, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		to[i] = *last;
		to[i].own = false;
		to[i].seed = 0;
		if (last->object)
			to[i].offset = last->offset + 1 + i;
	}
}

static bool may_extend(const struct map_page *last, int n)
{
	return !last->object || last->offset + n < (int)board->object[last->object].pages;
}

static void populate_locked(int at, int n)
{
	if (pages[at].locked && !pages[at].onfault)
		populate(at, n);
}

/* A second mapping of the same pages. */
static void do_duplicate(int at, int n, int to)
{
	struct map_page first = pages[at];

	if (!first.shared || first.offset + n > (int)board->object[first.object].pages)
		return;
	if (mremap(address_of(at), 0, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, address_of(to)) ==
	    MAP_FAILED)
		return;
	pages[to] = first;
	extend(pages + to + 1, &first, n - 1);
}

/* The old mapping stays, empty; the kernel takes all of it for unlocked. */
static void do_leave(int at, int n, int to)
{
	int i;

	if ((at && pages[at - 1].locked) || (at + n < limit && pages[at + n].locked))
		return;
	if (mremap(address_of(at), n * PAGE, n * PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, address_of(to)) == MAP_FAILED)
		return;
	memcpy(pages + to, pages + at, n * sizeof(*pages));
	for (i = at; i < at + n; i++) {
		pages[i].own = false;
		pages[i].seed = 0;
		pages[i].locked = false;
		pages[i].onfault = false;
	}
}

/* Only to where nothing is; it fails where the range is of two mappings. */
static void do_move(int at, int n)
{
	int more = next_random(3) ? 0 : next_random(20), to = next_random(limit - n), what;

	if (to + n + more > limit)
		more = 0;
	if (!all(is_mapped, at, n) || !all(is_free, at, n) || !all(is_unmapped, to, n + more) ||
	    !may_extend(&pages[at + n - 1], more))
		return;
	what = more ? 5 : next_random(6);
	if (what == 0) {
		do_duplicate(at, n, to);
		return;
	}
	if (what <= 2) {
		do_leave(at, n, to);
		return;
	}
	if (mremap(address_of(at), n * PAGE, (n + more) * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   address_of(to)) == MAP_FAILED)
		return;
	memcpy(pages + to, pages + at, n * sizeof(*pages));
	memset(pages + at, 0, n * sizeof(*pages));
	extend(pages + to + n, &pages[to + n - 1], more);
	populate_locked(to + n, more);
}

/* In its place: larger where there is room behind it, or smaller. */
static void do_resize(int at, int n)
{
	int more = 1 + next_random(20), less = next_random(n);
	char *p = address_of(at);

	if (!all(is_mapped, at, n) || !all(is_free, at, n))
		return;
	if (less && next_random(2)) {
		need(mremap(p, n * PAGE, less * PAGE, 0) == p);
		memset(pages + at + less, 0, (n - less) * sizeof(*pages));
		return;
	}
	if (at + n + more > limit || !all(is_unmapped, at + n, more) ||
	    !may_extend(&pages[at + n - 1], more) ||
	    mremap(p, n * PAGE, (n + more) * PAGE, 0) == MAP_FAILED)
		return;
	extend(pages + at + n, &pages[at + n - 1], more);
	populate_locked(at + n, more);
}

/* What is taken away is as if it had never been written to. */
static void do_drop(int at, int n)
{
	if (!all(is_unlocked, at, n))
		return;
	if (all(is_shared, at, n) && all(is_writable, at, n) && all(is_memory, at, n) &&
	    next_random(2)) {
		need(!madvise(address_of(at), n * PAGE, MADV_REMOVE));
		for (; n; n--, at++)
			*content_of(&pages[at]) = 0;
		return;
	}
	if (all(is_anon, at, n) && all(is_writable, at, n) && next_random(2)) {
		/* Nobody knows what is there until it is written to. */
		need(!madvise(address_of(at), n * PAGE, MADV_FREE));
		do_write(at, n);
		return;
	}
	need(!madvise(address_of(at), n * PAGE, MADV_DONTNEED));
	for (; n; n--, at++) {
		pages[at].own = false;
		pages[at].seed = 0;
	}
}

/* Advice about children. */
static void do_inherit(int at, int n)
{
	bool on = next_random(2), wipe = next_random(2);

	if (wipe && !all(is_anon, at, n))
		return;
	need(!madvise(address_of(at), n * PAGE, wipe ? on ? MADV_WIPEONFORK : MADV_KEEPONFORK :
		      on ? MADV_DONTFORK : MADV_DOFORK));
	for (; n; n--, at++) {
		if (wipe)
			pages[at].wipe = on;
		else
			pages[at].dontfork = on;
	}
}

static void do_advise(int at, int n)
{
	static const int advice[] = {
		MADV_RANDOM, MADV_SEQUENTIAL, MADV_NORMAL, MADV_DONTDUMP, MADV_DODUMP,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_UNMERGEABLE,
	};
	/* These may fail, and change nothing that can be seen. */
	static const int wishes[] = {
		MADV_COLLAPSE, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_WILLNEED,
	};

	if (!all(is_mapped, at, n) || !all(is_free, at, n))
		return;
	switch (next_random(8)) {
	case 0 ... 1:
		do_drop(at, n);
		break;
	case 2 ... 3:
		do_inherit(at, n);
		break;
	case 4:
		(void)madvise(address_of(at), n * PAGE, wishes[next_random(ARRAY_SIZE(wishes))]);
		break;
	case 5:
		if (!all(is_writable, at, n))
			break;
		need(!madvise(address_of(at), n * PAGE, MADV_POPULATE_WRITE));
		populate(at, n);
		break;
	default:
		need(!madvise(address_of(at), n * PAGE,
			      advice[next_random(ARRAY_SIZE(advice))]));
	}
}

static void do_lock(int at, int n)
{
	bool unlock = !next_random(3), onfault = next_random(2);
	int i;

	if (!all(is_mapped, at, n))
		return;
	/* Memory without access is locked, too, but reported. */
	if (unlock)
		need(!munlock(address_of(at), n * PAGE));
	else
		(void)mlock2(address_of(at), n * PAGE, onfault ? MLOCK_ONFAULT : 0);
	for (i = at; i < at + n; i++) {
		pages[i].locked = !unlock;
		pages[i].onfault = !unlock && onfault;
	}
	if (!unlock && !onfault)
		populate(at, n);
}

static void do_rest(int at, int n)
{
	unsigned long node = 1;
	int i;

	if (!all(is_mapped, at, n))
		return;
	switch (next_random(8)) {
	case 0 ... 2:
		(void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address_of(at), n * PAGE,
			    next_random(2) ? "some" : "other");
		return;
	case 3 ... 5:
		/* A policy is the file's, where that is one of a tmpfs. */
		if (all(is_memory, at, n))
			(void)syscall(SYS_mbind, address_of(at), n * PAGE, 2, &node, 64, 0);
		return;
	case 6:
		if (syscall(SYS_mseal, address_of(at), n * PAGE, 0))
			return;
		for (i = at; i < at + n; i++)
			pages[i].sealed = true;
	}
}

/* A stack grows down to where it is written to. */
static void do_stack(int at, int n)
{
	int top = LARGE, more;

	while (top < PAGES && !pages[top].mapped)
		top++;
	more = 1 + next_random(4);
	if (top == PAGES) {
		top -= more;
		need(mmap(address_of(top), more * PAGE, PROT_READ | PROT_WRITE,
			  ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == address_of(top));
	} else {
		if (top - more < LARGE)
			return;
		top -= more;
	}
	for (n = top; n < top + more; n++)
		pages[n] = (struct map_page){ .mapped = true, .prot = PROT_READ | PROT_WRITE };
	do_write(top, 1);
}

/* Some pages; where there is room for huge pages many, and borders where theirs are. */
static int pick_range(int *at)
{
	int n;

	if (limit == LARGE && !next_random(12)) {
		*at = next_random(4) * HUGE_PAGES / 2;
		n = (1 + next_random(3)) * HUGE_PAGES / 2;
		return *at + n < limit ? n : limit - *at;
	}
	*at = next_random(limit - 1);
	return 1 + next_random(limit - 1 - *at) % 24;
}

/* To swap space, if there is some, page by page: it is a wish. */
static void do_swap(int at, int n)
{
	int i;

	for (i = at; i < at + n; i++)
		if (is_mapped(&pages[i]) && is_anon(&pages[i]))
			(void)madvise(address_of(i), PAGE, MADV_PAGEOUT);
}

void map_step(void)
{
	static void (*const steps[])(int at, int n) = {
		do_map, do_map, do_map, do_unmap, do_protect, do_protect, do_write, do_write,
		do_write, do_write, do_move, do_move, do_resize, do_advise, do_advise, do_lock,
		do_rest, do_poke, do_pwrite, do_stack, do_swap, do_swap,
	};
	int at, n = pick_range(&at);

	steps[next_random(ARRAY_SIZE(steps))](at, n);
}

void map_write(void)
{
	int at, n = pick_range(&at);

	do_write(at, n);
	if (!next_random(3))
		do_stack(0, 0);
}

/* One or two huge pages, if the system has them. */
void map_large(void)
{
	int at = next_random(2) * HUGE_PAGES, n = 2 * HUGE_PAGES - at, i;
	char *p = address_of(at);

	if (!all(is_free, at, n))
		return;
	need(mmap(p, n * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0) == p);
	for (i = at; i < at + n; i++)
		pages[i] = (struct map_page){ .mapped = true, .prot = PROT_READ | PROT_WRITE };
	need(!madvise(p, n * PAGE, MADV_HUGEPAGE));
	do_write(at, n);
}

static void tell_difference(int i, const uint64_t *found, uint64_t seed)
{
	uint64_t want[PAGE / 8];
	unsigned int at = 0;

	map_fill(want, seed);
	while (at < PAGE / 8 - 1 && found[at] == want[at])
		at++;
	fail("process %d: page %d, %p, %s object %d: at %u %#llx, not %#llx (%#llx, not %#llx)",
	     self, i, address_of(i), pages[i].shared ? "shared," : "private,", pages[i].object,
	     at * 8, (unsigned long long)found[at], (unsigned long long)want[at],
	     (unsigned long long)found[0], (unsigned long long)want[0]);
}

static bool check_page(int i, int *memory)
{
	const struct map_page *p = &pages[i];
	uint64_t want = p->own || !p->object ? p->seed : *content_of(p);
	static uint64_t copy[PAGE / 8];
	const uint64_t *found = (void *)address_of(i);

	/* Who may not look at it can still be looked at. */
	if (!(p->prot & PROT_READ)) {
		if (*memory < 0)
			*memory = open_memory(O_RDONLY);
		need(pread(*memory, copy, PAGE, (uintptr_t)found) == PAGE);
		found = copy;
	}
	if (is_filled(found, want))
		return true;
	tell_difference(i, found, want);
	return false;
}

/* Of each of many pages that must not be there the first and the last one. */
static void check_hole(int i)
{
	bool inside = i && i != LARGE && i + 1 < PAGES && i + 1 != LARGE &&
		      !pages[i - 1].mapped && !pages[i + 1].mapped;

	if (!inside)
		check_eq(-1, msync(address_of(i), PAGE, MS_ASYNC));
}

void map_check_round(int round)
{
	int i, memory = -1;

	map_select(round, 0);
	for (i = 0; i < PAGES; i++) {
		if (!pages[i].mapped)
			check_hole(i);
		else if (!check_page(i, &memory))
			break;
	}
	if (memory >= 0)
		close(memory);
}

/* As read(2) sees them. */
void map_check_objects(void)
{
	static char page[PAGE];
	const struct map_object *o;
	uint32_t i;
	int object;

	for (object = OBJECT_FILE; object < FIRST_ANON; object++) {
		o = &board->object[object];
		for (i = 0; i < o->pages; i++) {
			need(pread(object_fd[object], page, PAGE, i * PAGE) == PAGE);
			if (!is_filled(page, board->content[o->first + i]))
				fail("page %u of object %d is wrong", i, object);
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images that are not whole, not for this system, or lies: restart() says so
 * and leaves nothing behind.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common.h"

#define NEVER	(-1)

FIXTURE(bad) {
	struct subject s;
	struct image image;
	int fd;		/* a copy of the image */
	int fds, tasks;
	uint64_t random;
};

FIXTURE_SETUP(bad)
{
	struct subject *s = &self->s;
	const char *seed = getenv("CKPT_SEED");

	ASSERT_EQ(0, subject_init(s));
	s->program = "subject-static";
	self->fd = memfd_create("image", MFD_CLOEXEC);
	self->fds = count_fds();
	self->tasks = count_tasks();
	ASSERT_EQ(0, subject_start(s, "counters 2"));
	ASSERT_EQ(0, subject_expect(s, "ready"));
	if (way_now(WAY_KILL) == WAY_NONE)
		SKIP(return, "nothing to be damaged");
	ASSERT_EQ(0, subject_save(s, CHECKPOINT_KILL)) messages_show(s);
	ASSERT_EQ(0, subject_reap(s, SIGKILL));
	ASSERT_EQ(0, image_load(&self->image, s->image));
	ASSERT_EQ(self->image.size, pwrite(self->fd, self->image.data, self->image.size, 0));
	self->random = seed ? strtoull(seed, NULL, 0) : now_ns();
	say("image of %zu bytes; CKPT_SEED=%#llx", self->image.size,
	    (unsigned long long)self->random);
	self->random |= 1;
}

/* In the end the good image can still be restarted. */
FIXTURE_TEARDOWN(bad)
{
	struct subject *s = &self->s;

	EXPECT_EQ(self->fds, count_fds());
	EXPECT_EQ(self->tasks, count_tasks());
	EXPECT_EQ(0, subject_restart(s, 0)) messages_show(s);
	EXPECT_EQ(0, subject_go(s));
	EXPECT_EQ(0, subject_end(s));
	image_free(&self->image);
	subject_destroy(s);
}

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/*
 * The errno of a restart from this file, 0 if it succeeded after all. In any
 * case no child is there afterwards.
 */
static int attempt(struct subject *s, int fd)
{
	struct restart_args args = { .log_fd = s->log_fd };
	pid_t pid;
	int err;

	if (lseek(fd, 0, SEEK_SET) || ftruncate(s->log_fd, 0))
		return NEVER;
	pid = sys_restart(0, fd, RESTART_FROZEN | RESTART_ARGS, &args, sizeof(args));
	err = pid < 0 ? errno : 0;
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
		say("there is a child left");
		return NEVER;
	}
	return err;
}

static int copy_errno(FIXTURE_DATA(bad) *self, size_t size)
{
	return ftruncate(self->fd, size) ? NEVER : attempt(&self->s, self->fd);
}

/* Truncated: at all sizes of the start, around each record, and anywhere. */
TEST_F_TIMEOUT(bad, truncated, TEST_TIMEOUT)
{
	size_t i, n = 0, step = getenv("CKPT_ALL") ? 1 : debug_kernel() ? 61 : 7;
	size_t first = self->image.size;
	size_t *sizes = calloc(100000, sizeof(*sizes));

	for (i = 0; i < self->image.size && n < 90000; i = image_next(&self->image, i)) {
		if (i)
			sizes[n++] = i - 1;
		sizes[n++] = i;
		sizes[n++] = i + 1;
		sizes[n++] = i + sizeof(struct ckpt_rec);
	}
	sizes[n++] = self->image.size - 1;
	for (i = 0; i < (debug_kernel() ? 15 : 60); i++)
		sizes[n++] = next_random(&self->random) % self->image.size;
	/* Other ones each time; all of them with CKPT_ALL. */
	for (i = next_random(&self->random) % step; i < 4096; i += step)
		sizes[n++] = i;
	for (i = 0; i < n; i++) {
		int err;

		/* Only what was cut off has to be written again. */
		if (sizes[i] > first)
			ASSERT_LT(0, pwrite(self->fd, self->image.data + first, sizes[i] - first,
					    first));
		first = sizes[i];
		err = copy_errno(self, sizes[i]);
		ASSERT_EQ(EBADMSG, err) {
			say("truncated at %zu of %zu", sizes[i], self->image.size);
			messages_show(&self->s);
		}
	}
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_IMAGE));
	say("%zu sizes", n);
	free(sizes);
}

/* One wrong bit anywhere. */
TEST_F_TIMEOUT(bad, flipped_bit, TEST_TIMEOUT)
{
	size_t i, at, n = debug_kernel() ? 40 : 200;
	uint8_t byte, good;
	int err;

	for (i = 0; i < n; i++) {
		/* Every second one in the small records at both ends. */
		at = next_random(&self->random);
		if (i % 4 == 1)
			at %= 16384;
		else if (i % 4 == 3)
			at = self->image.size - 1 - at % 16384;
		else
			at %= self->image.size;
		good = self->image.data[at];
		byte = good ^ (1 << i % 8);
		ASSERT_EQ(1, pwrite(self->fd, &byte, 1, at));
		err = attempt(&self->s, self->fd);
		ASSERT_EQ(1, pwrite(self->fd, &good, 1, at));
		/* In the header it may look like another kind of image. */
		if (err == ENOEXEC && at < 512)
			continue;
		ASSERT_EQ(EBADMSG, err) {
			say("bit %zu of byte %zu flipped", i % 8, at);
			messages_show(&self->s);
		}
	}
}

/* Errno with other bytes in the header, which is given a valid sum. */
static int header_errno(FIXTURE_DATA(bad) *self, size_t offset, uint64_t value, size_t size)
{
	struct ckpt_rec *rec = (void *)self->image.data;
	uint8_t *header = self->image.data + sizeof(*rec);
	uint8_t good[8];
	size_t len = sizeof(*rec) + sizeof(struct ckpt_rec_header);
	int err;

	memcpy(good, header + offset, size);
	memcpy(header + offset, &value, size);
	image_seal(&self->image, 0);
	err = pwrite(self->fd, rec, len, 0) != (ssize_t)len;
	err = err ? NEVER : attempt(&self->s, self->fd);
	memcpy(header + offset, good, size);
	image_seal(&self->image, 0);
	return err;
}

#define HEADER(member, value)	\
	header_errno(self, offsetof(struct ckpt_rec_header, member), value, \
		     sizeof(((struct ckpt_rec_header *)0)->member))

/* Whole, but for another system. */
TEST_F_TIMEOUT(bad, another_system, TEST_TIMEOUT)
{
	EXPECT_EQ(EBADMSG, HEADER(magic, 0x12345678));
	EXPECT_EQ(ENOEXEC, HEADER(version, CKPT_IMAGE_VERSION + 1));
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_MISMATCH));
	EXPECT_EQ(ENOEXEC, HEADER(version, 0));
	EXPECT_EQ(ENOEXEC, HEADER(byte_order, 0x04030201));
	EXPECT_EQ(ENOEXEC, HEADER(arch, 183));
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_MISMATCH));
	EXPECT_EQ(ENOEXEC, HEADER(page_size, 65536));
	EXPECT_EQ(ENOEXEC, HEADER(need_features, 1ULL << 63));
	EXPECT_EQ(ENOEXEC, HEADER(cpu_features, 1ULL << 62));
	/* These are only told, or may be ignored. */
	EXPECT_EQ(0, HEADER(features, 1));
	EXPECT_EQ(0, HEADER(time_ns, 0));
	/* And as it is. */
	ASSERT_EQ(self->image.size, pwrite(self->fd, self->image.data, self->image.size, 0));
	EXPECT_EQ(0, attempt(&self->s, self->fd));
}

/* The same image, written by a machine of the other byte order. */
TEST_F_TIMEOUT(bad, byte_order, TEST_TIMEOUT)
{
	struct ckpt_rec *rec = (void *)self->image.data;
	uint32_t type = __builtin_bswap32(rec->type);

	ASSERT_EQ(4, pwrite(self->fd, &type, 4, offsetof(struct ckpt_rec, type)));
	EXPECT_EQ(ENOEXEC, attempt(&self->s, self->fd));
}

/* Not an image at all. */
TEST_F_TIMEOUT(bad, not_an_image, TEST_TIMEOUT)
{
	static const char * const files[] = {
		"/bin/true", "/etc/passwd", "/dev/null", "/dev/zero",
	};
	uint8_t noise[8192];
	size_t i;
	int fd;

	EXPECT_EQ(EBADMSG, copy_errno(self, 0));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		fd = open(files[i], O_RDONLY | O_CLOEXEC);
		EXPECT_EQ(EBADMSG, attempt(&self->s, fd)) say("%s", files[i]);
		EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_IMAGE));
		close(fd);
	}
	for (i = 0; i < 20; i++) {
		fill_memory(noise, sizeof(noise), next_random(&self->random));
		ASSERT_EQ(sizeof(noise), pwrite(self->fd, noise, sizeof(noise), 0));
		EXPECT_EQ(EBADMSG, copy_errno(self, sizeof(noise)));
	}
}

/* A file that cannot be read from. */
TEST_F_TIMEOUT(bad, bad_fd, TEST_TIMEOUT)
{
	int fd = open(self->s.image, O_WRONLY | O_CLOEXEC);

	EXPECT_EQ(-1, sys_restart(0, fd, 0, NULL, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, sys_restart(0, -1, 0, NULL, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, sys_restart(0, 987, 0, NULL, 0));
	EXPECT_EQ(EBADF, errno);
	close(fd);
}

/* Inserts bytes into the image in memory; the trailer has to be told. */
static void insert(FIXTURE_DATA(bad) *self, struct image *image, size_t at, const void *data,
		   size_t size, int records)
{
	struct ckpt_rec_trailer *trailer;
	size_t offset;

	image->unpacked = NULL;
	image->size = self->image.size + size;
	image->data = malloc(image->size);
	memcpy(image->data, self->image.data, at);
	memcpy(image->data + at, data, size);
	memcpy(image->data + at + size, self->image.data + at, self->image.size - at);
	offset = image_find(image, CKPT_REC_TRAILER, 0);
	trailer = image_payload(image, CKPT_REC_TRAILER, 0);
	if (!trailer)
		return;
	trailer->length += size;
	trailer->nr_records += records;
	if (trailer->index_offset)
		trailer->index_offset += size;
	image_seal(image, offset);
}

static int image_errno(FIXTURE_DATA(bad) *self, struct image *image)
{
	int err;

	if (ftruncate(self->fd, 0) ||
	    pwrite(self->fd, image->data, image->size, 0) != (ssize_t)image->size)
		return NEVER;
	err = attempt(&self->s, self->fd);
	image_free(image);
	return err;
}

/* An unknown record, before the trailer (page data stays where it is). */
static int unknown_errno(FIXTURE_DATA(bad) *self, uint32_t type, uint32_t flags)
{
	struct {
		struct ckpt_rec rec;
		uint8_t data[32];
	} unknown = { .rec = { .type = type, .flags = flags, .unit = 0, .length = 30 } };
	struct image image, one = { (void *)&unknown, sizeof(unknown) };

	memset(unknown.data, 7, 30);
	image_seal(&one, 0);
	insert(self, &image, image_find(&self->image, CKPT_REC_TRAILER, 0), &unknown,
	       sizeof(unknown), 1);
	return image_errno(self, &image);
}

TEST_F_TIMEOUT(bad, unknown_record, TEST_TIMEOUT)
{
	EXPECT_EQ(0, unknown_errno(self, 0x7000, CKPT_RECF_SKIPPABLE)) messages_show(&self->s);
	EXPECT_EQ(EBADMSG, unknown_errno(self, 0x7000, 0));
	EXPECT_EQ(EBADMSG, unknown_errno(self, 0x7000, 2));
	EXPECT_EQ(EBADMSG, unknown_errno(self, 0, 0));
	EXPECT_EQ(EBADMSG, unknown_errno(self, CKPT_REC_HEADER, 0));
}

/* One record more at the end of the last process, of which the image has a good one. */
static int appended_errno(FIXTURE_DATA(bad) *self, struct ckpt_rec *rec)
{
	struct image image, one = { (void *)rec, sizeof(*rec) + ((rec->length + 7) & ~7ULL) };

	image_seal(&one, 0);
	insert(self, &image, image_find(&self->image, CKPT_REC_PROCESS_END, 0), rec, one.size, 1);
	return image_errno(self, &image);
}

/* A process has its signal actions once, be they its own or another's. */
TEST_F_TIMEOUT(bad, second_actions, TEST_TIMEOUT)
{
	size_t at = image_find(&self->image, CKPT_REC_SIGHAND, 0);
	size_t size = image_next(&self->image, at) - at;
	struct ckpt_rec *rec = malloc(size);
	struct {
		struct ckpt_rec rec;
		struct ckpt_rec_use use;
	} shared = { .rec = { .type = CKPT_REC_USE, .unit = sizeof(shared.use),
			      .length = sizeof(shared.use) } };

	ASSERT_NE(NULL, rec);
	memcpy(rec, self->image.data + at, size);
	shared.use.type = CKPT_REC_SIGHAND;
	shared.use.tag = rec->tag;
	EXPECT_EQ(EBADMSG, appended_errno(self, &shared.rec));
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_IMAGE)) messages_show(&self->s);
	rec->tag += 1000000;
	EXPECT_EQ(EBADMSG, appended_errno(self, rec));
	EXPECT_TRUE(message_has(&self->s, "error", CKPT_WHY_IMAGE)) messages_show(&self->s);
	free(rec);
}

/* A record that has grown: by zeroes, and by what nobody here knows. */
static int grown_errno(FIXTURE_DATA(bad) *self, uint64_t more)
{
	size_t offset = image_find(&self->image, CKPT_REC_TRAILER, 0);
	struct ckpt_rec *rec;
	struct image image;

	insert(self, &image, self->image.size, &more, sizeof(more), 0);
	rec = (struct ckpt_rec *)(image.data + offset);
	rec->unit += sizeof(more);
	rec->length += sizeof(more);
	image_seal(&image, offset);
	return image_errno(self, &image);
}

TEST_F_TIMEOUT(bad, grown_record, TEST_TIMEOUT)
{
	EXPECT_EQ(0, grown_errno(self, 0)) messages_show(&self->s);
	EXPECT_EQ(E2BIG, grown_errno(self, 1));
	EXPECT_EQ(E2BIG, grown_errno(self, 1ULL << 63));
}

/* What restart() may answer to an image with valid sums but wrong content. */
static bool documented(int err)
{
	static const int all[] = {
		0, EBADMSG, ENOEXEC, E2BIG, ESTALE, EPERM, EEXIST, EBADF, EOPNOTSUPP, ENOMEM,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (err == all[i])
			return true;
	return false;
}

/* A byte of a record, of its head in one case out of four; never of the sum. */
static size_t pick_byte(FIXTURE_DATA(bad) *self, size_t *offset)
{
	const struct ckpt_rec *rec;
	size_t n = 0, i, pick;

	for (i = 0; i < self->image.size; i = image_next(&self->image, i))
		n++;
	pick = next_random(&self->random) % n;
	for (i = 0; pick--; i = image_next(&self->image, i))
		;
	*offset = i;
	rec = (void *)(self->image.data + i);
	if (!rec->length || next_random(&self->random) % 4 == 0)
		return i + next_random(&self->random) % offsetof(struct ckpt_rec, sum);
	return i + sizeof(*rec) + next_random(&self->random) % rec->length;
}

/* Wrong bits, hidden by a new sum: anything but a disaster may follow. */
TEST_F_TIMEOUT(bad, lies, TEST_TIMEOUT)
{
	size_t i, offset, at, len, n = debug_kernel() ? 60 : 300;
	int counts[200] = {}, err;
	struct ckpt_rec *rec;
	uint64_t length;
	uint8_t good;

	for (i = 0; i < n; i++) {
		at = pick_byte(self, &offset);
		rec = (void *)(self->image.data + offset);
		length = rec->length;
		good = self->image.data[at];
		self->image.data[at] ^= 1 << next_random(&self->random) % 8;
		/* The sum of a record of its old length is as good as any. */
		if (rec->length == length)
			image_seal(&self->image, offset);
		len = sizeof(*rec) + ((length + 7) & ~7UL);
		ASSERT_EQ(len, pwrite(self->fd, rec, len, offset));
		err = attempt(&self->s, self->fd);
		EXPECT_TRUE(err >= 0 && documented(err)) {
			say("%s: type %u, byte %zd", strerror(err), rec->type, at - offset);
			messages_show(&self->s);
		}
		if (err >= 0 && err < 200)
			counts[err]++;
		self->image.data[at] = good;
		image_seal(&self->image, offset);
		ASSERT_EQ(len, pwrite(self->fd, rec, len, offset));
	}
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		if (counts[i])
			say("%4d times: %s", counts[i], strerror(i));
}

TEST_HARNESS_MAIN

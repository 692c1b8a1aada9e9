// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file that an image is saved into. A regular file is written under
 * another name in the same directory and renamed when it is complete and on
 * disk, so that an older image is there until the new one is good.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ckpt.h"

static int fail(const char *path)
{
	int err = errno;

	warn_errno(err, "%s", path);
	return status_of(err);
}

/* A pipe or a device is written as it is. */
static int open_direct(struct output *out)
{
	out->fd = above_std(open(out->path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
	return out->fd < 0 ? fail(out->path) : STATUS_OK;
}

static int open_temporary(struct output *out)
{
	const char *slash = strrchr(out->path, '/');
	const char *base = slash ? slash + 1 : out->path;
	int dir_len = (int)(base - out->path);

	if (!*base || !strcmp(base, ".") || !strcmp(base, "..")) {
		errno = EISDIR;
		return fail(out->path);
	}
	/* What a name may have, less what is added to it here. */
	if (asprintf(&out->temp, "%.*s.%.200s.XXXXXX", dir_len, out->path, base) < 0) {
		out->temp = NULL;
		return fail(out->path);
	}
	out->fd = above_std(mkostemp(out->temp, O_CLOEXEC));
	if (out->fd < 0)
		return fail(out->path);
	out->temporary = true;
	return STATUS_OK;
}

/* Returns an exit status; "-" is standard output. */
int output_open(struct output *out, const char *path)
{
	struct stat st;

	*out = (struct output){ .fd = -1 };
	if (!strcmp(path, "-")) {
		if (isatty(STDOUT_FILENO))
			return usage_error("an image is not for a terminal: use -o FILE");
		out->path = strdup("standard output");
		out->fd = STDOUT_FILENO;
		return STATUS_OK;
	}
	/* A symbolic link keeps pointing to the image. */
	out->path = realpath(path, NULL);
	if (!out->path)
		out->path = strdup(path);
	if (!out->path)
		return fail(path);
	if (!stat(out->path, &st) && !S_ISREG(st.st_mode)) {
		if (S_ISDIR(st.st_mode)) {
			errno = EISDIR;
			return fail(path);
		}
		return open_direct(out);
	}
	return open_temporary(out);
}

/* Empty again, for another try. Returns 0, or an errno. */
int output_rewind(const struct output *out)
{
	if (ftruncate(out->fd, 0) || lseek(out->fd, 0, SEEK_SET) < 0)
		return errno;
	return 0;
}

/* A directory that cannot be opened or synced is no reason to fail. */
static void sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(dir);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* Returns 0, or an errno; the complete image is still in @temp then. */
int output_commit(struct output *out)
{
	if (!out->temporary) {
		/* Pipes and some devices cannot be synced. */
		if (fsync(out->fd) && errno != EINVAL && errno != EROFS)
			return errno;
		return 0;
	}
	if (fsync(out->fd))
		return errno;
	if (rename(out->temp, out->path))
		return errno;
	out->temporary = false;
	sync_directory(out->path);
	return 0;
}

void output_keep(struct output *out)
{
	warn_text("the complete image is in %s", out->temporary ? out->temp : out->path);
	out->temporary = false;
}

void output_discard(struct output *out)
{
	if (out->temporary)
		unlink(out->temp);
	out->temporary = false;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Options about what is outside of a tree: the lists for the system calls. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ckpt.h"

static struct checkpoint_entry *push(struct entries *list)
{
	struct checkpoint_entry *array;

	if (list->nr == CHECKPOINT_ENTRIES_MAX)
		return NULL;
	array = realloc(list->array, (list->nr + 1) * sizeof(*array));
	if (!array)
		return NULL;
	list->array = array;
	return memset(&array[list->nr++], 0, sizeof(*array));
}

/* The texts live as long as we do. */
static int add(struct entries *list, const char *name, size_t name_len, const char *value, int fd)
{
	struct checkpoint_entry *entry;

	if (!name_len || name_len >= PATH_MAX || (value && strlen(value) >= PATH_MAX))
		return usage_error("'%.*s' is empty or too long", (int)name_len, name);
	entry = push(list);
	if (!entry)
		return usage_error("too many of these options");
	entry->name = (uintptr_t)name;
	entry->name_len = (uint32_t)name_len;
	entry->value = (uintptr_t)value;
	entry->value_len = value ? (uint32_t)strlen(value) : 0;
	entry->fd = fd;
	return STATUS_OK;
}

/* NULL: said why. */
static const char *absolute(const char *path)
{
	char *full = *path == '/' ? strdup(path) : realpath(path, NULL);

	if (!full)
		warn_errno(errno, "%s", path);
	return full;
}

int add_external(struct entries *list, const char *key)
{
	if (!strchr(key, ':'))
		return usage_error("'%s' is no key: 'ckpt check PID' tells them", key);
	return add(list, key, strlen(key), NULL, 0);
}

/* KEY=FD or KEY=PATH: a key with a path may hold a '=' itself. */
int add_inherit(struct entries *list, const char *arg)
{
	const char *bracket = strstr(arg, "]=");
	const char *equals = bracket ? bracket + 1 : strrchr(arg, '=');
	const char *path;
	char *end;
	long fd;

	if (!equals || equals == arg || !equals[1])
		return usage_error("--inherit: '%s' is not KEY=FD or KEY=PATH", arg);
	errno = 0;
	fd = strtol(equals + 1, &end, 10);
	if (*end) {
		path = absolute(equals + 1);
		return path ? add(list, arg, (size_t)(equals - arg), path, -1) : STATUS_OTHER;
	}
	/* Now, before a file of our own gets that number. */
	if (errno || fd < 0 || fd > INT_MAX || fcntl((int)fd, F_GETFD) < 0)
		return usage_error("--inherit: descriptor %s is not open", equals + 1);
	return add(list, arg, (size_t)(equals - arg), NULL, (int)fd);
}

int add_relocate(struct entries *list, const char *arg)
{
	const char *equals = strchr(arg, '=');
	const char *path;

	if (*arg != '/' || !equals || !equals[1])
		return usage_error("--relocate: '%s' is not /OLD=NEW", arg);
	path = absolute(equals + 1);
	return path ? add(list, arg, (size_t)(equals - arg), path, 0) : STATUS_OTHER;
}

int add_root(struct entries *list, const char *dir)
{
	const char *path = absolute(dir);

	return path ? add(list, "/", 1, path, 0) : STATUS_OTHER;
}

/* A class, or a path. */
int add_changed(struct entries *list, uint32_t *classes, const char *arg)
{
	static const struct {
		const char *name;
		uint32_t class;
	} names[] = {
		{ "data", RESTART_CHANGED_DATA }, { "log", RESTART_CHANGED_LOG },
		{ "program", RESTART_CHANGED_PROGRAM }, { "replaced", RESTART_CHANGED_REPLACED },
		{ "all", RESTART_CHANGED_ALL },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(arg, names[i].name)) {
			*classes |= names[i].class;
			return STATUS_OK;
		}
	}
	if (*arg != '/')
		return usage_error("--allow-changed: '%s' is neither a class nor an absolute path",
				   arg);
	return add(list, arg, strlen(arg), NULL, 0);
}

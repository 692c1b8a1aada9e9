// SPDX-License-Identifier: GPL-2.0-only
/* State that cannot be saved: open files of other kinds, and mappings. */
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "obstacles.h"

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)

#ifndef SYS_memfd_secret
#define SYS_memfd_secret	447
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE		0x08
#endif

static int raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, 1);
}

/* Another process has it, too. */
static int an_outside_pipe(void)
{
	int p[2];

	if (pipe(p))
		return -1;
	if (fork())
		return close(p[1]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pause();
	_exit(0);
}

static int a_fifo(void)
{
	return mkfifo("fifo", 0600) || open("fifo", O_RDWR) < 0 || unlink("fifo") ? -1 : 0;
}

static int a_fanotify(void)
{
	return fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
}

/* Nobody could tell with whose rights it would run. */
static int a_memfd(void)
{
	return fchmod(memfd_create("memory", 0), 04755);
}

static int a_perf_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static int a_landlock_ruleset(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE };

	return syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
}

static int a_mount_fd(void)
{
	return syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE);
}

static int a_fs_context(void)
{
	return syscall(SYS_fsopen, "tmpfs", 0);
}

static int a_namespace_file(void)
{
	pid_t pid = fork();
	char path[64], link[2][64];
	int fd;

	if (!pid) {
		if (unshare(CLONE_NEWUTS))
			_exit(1);
		pause();
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
	memset(link, 0, sizeof(link));
	do {
		if (readlink("/proc/self/ns/uts", link[0], 63) < 0 ||
		    readlink(path, link[1], 63) < 0)
			return -1;
	} while (!strcmp(link[0], link[1]));
	fd = open(path, O_RDONLY);
	/* Only the descriptor has it from now on. */
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) == pid ? fd : -1;
}

static int a_proc_file(void)
{
	return open("/proc/1/status", O_RDONLY);
}

static int a_message_queue(void)
{
	return mq_open("/ckpt-test", O_RDWR | O_CREAT, 0600, NULL) < 0 ? -1 :
	       mq_unlink("/ckpt-test");
}

static int a_path_fd(void)
{
	return open("/proc/1/status", O_PATH);
}

static int a_device(void)
{
	return open("/dev/loop-control", O_RDWR);
}

static int a_foreign_cwd(void)
{
	return chdir("/proc/1/task");
}

/* The group of what is made again may not be that of the one above. */
static int a_deleted_cwd(void)
{
	return mkdir("gone", 0700) ?: chmod("gone", 02700) ?: mkdir("gone/too", 0700) ?:
	       chdir("gone/too") ?: chmod(".", 0700) ?: rmdir("../too") ?: rmdir("../../gone");
}

/* Too many directories, one in the other. */
static int a_deleted_deep(void)
{
	int top = open(".", O_RDONLY | O_DIRECTORY), i;
	char path[2 * 70] = "";

	for (i = 0; i < 66; i++) {
		strcat(path, i ? "/d" : "d");
		if (mkdir("d", 0700) || chdir("d"))
			return -1;
	}
	for (; i; i--) {
		path[2 * i - 1] = 0;
		if (unlinkat(top, path, AT_REMOVEDIR))
			return -1;
	}
	return close(top);
}

/* Whoever continues the standard stream does not get it. */
static int an_outside_lock(void)
{
	return flock(1, LOCK_EX);
}

static int a_broken_lease(void)
{
	int fd = open("leased", O_RDONLY | O_CREAT, 0600);

	signal(SIGIO, SIG_IGN);
	if (fd < 0 || fcntl(fd, F_SETLEASE, F_RDLCK))
		return -1;
	return open("leased", O_WRONLY | O_NONBLOCK) < 0 && errno == EAGAIN ? 0 : -1;
}

static int a_dir_notify(void)
{
	int fd = open("/", O_RDONLY);

	return fd < 0 ? -1 : fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
}

static int a_file_owner(void)
{
	int fd = open("owned", O_RDWR | O_CREAT, 0600);

	return fd < 0 ? -1 : fcntl(fd, F_SETOWN, getppid());
}

static int a_file_signal(void)
{
	return fcntl(0, F_SETSIG, SIGRTMIN);
}

static char *map(int prot, int flags, int fd)
{
	char *p = mmap(NULL, 4 * PAGE, prot, flags, fd, 0);

	if (p != MAP_FAILED && prot & PROT_WRITE)
		p[PAGE] = 1;
	return p == MAP_FAILED ? NULL : p;
}

static char *map_anon(void)
{
	return map(RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static int mapped_secret(void)
{
	int fd = syscall(SYS_memfd_secret, 0);

	return fd < 0 || ftruncate(fd, 4 * PAGE) || !map(RW, MAP_SHARED, fd) ? -1 : close(fd);
}

/* A piece of the firmware, which is no memory to the kernel. */
static int mapped_device(void)
{
	int fd = open("/dev/mem", O_RDONLY);
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0xf0000);

	return p == MAP_FAILED ? -1 : close(fd);
}

static int user_faults(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, 0);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -1;
	reg.range.start = (unsigned long)map_anon() + 2 * PAGE;
	reg.range.len = PAGE;
	return ioctl(fd, UFFDIO_REGISTER, &reg);
}

const struct obstacle file_obstacles[] = {
	{ "raw_socket", raw_socket },
	{ "outside_pipe", an_outside_pipe }, { "fifo", a_fifo },
	{ "fanotify", a_fanotify }, { "memfd", a_memfd },
	{ "perf_event", a_perf_event },
	{ "landlock_ruleset", a_landlock_ruleset }, { "mount_fd", a_mount_fd },
	{ "fs_context", a_fs_context }, { "namespace_file", a_namespace_file },
	{ "proc_file", a_proc_file }, { "message_queue", a_message_queue },
	{ "path_fd", a_path_fd }, { "device", a_device },
	{ "foreign_cwd", a_foreign_cwd }, { "deleted_cwd", a_deleted_cwd },
	{ "deleted_deep", a_deleted_deep },
	{ "outside_lock", an_outside_lock }, { "broken_lease", a_broken_lease },
	{ "dir_notify", a_dir_notify }, { "file_owner", a_file_owner },
	{ "file_signal", a_file_signal },
	{ "mapped_secret", mapped_secret }, { "mapped_device", mapped_device },
	{ "user_faults", user_faults },
	{}
};

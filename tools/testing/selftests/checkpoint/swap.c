// SPDX-License-Identifier: GPL-2.0-only
/* Swap space in memory, and a group of processes whose pages can be sent there. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include "common.h"
#include "swap.h"

/* With the head that mkswap(8) would give it. */
int swap_on(void)
{
	static char head[4096];
	uint32_t info[2] = { 1, 900 };
	int fd = open(SWAP_DEVICE, O_RDWR | O_CLOEXEC), ret = -1;

	memcpy(head + 1024, info, sizeof(info));
	memcpy(head + sizeof(head) - 10, "SWAPSPACE2", 10);
	if (fd >= 0 && write(fd, head, sizeof(head)) == sizeof(head) && !fsync(fd))
		ret = swapon(SWAP_DEVICE, 0);
	close(fd);
	return ret;
}

int swap_off(void)
{
	return swapoff(SWAP_DEVICE);
}

int swap_group_enter(void)
{
	if (mkdir(SWAP_GROUP, 0755) && errno != EEXIST)
		return -1;
	return write_file(SWAP_GROUP "/cgroup.procs", "0", 1);
}

int swap_group_leave(void)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	if (write_file("/sys/fs/cgroup/cgroup.procs", "0", 1))
		return -1;
	/* Those that were killed are in it until they have ended. */
	while (rmdir(SWAP_GROUP)) {
		if (errno != EBUSY || now_ns() > deadline)
			return -1;
		poll_pause();
	}
	return 0;
}

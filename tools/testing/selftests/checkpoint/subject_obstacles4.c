// SPDX-License-Identifier: GPL-2.0-only
/* State of files and sockets that cannot be saved, and could be lost in silence. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <termios.h>

#include "obstacles.h"

/* On a disk: a removed file of a tmpfs is memory. */
static int removed_file(void)
{
	int fd = open("/var/tmp/ckpt-removed", O_RDWR | O_CREAT | O_EXCL, 0600);

	return fd < 0 || unlink("/var/tmp/ckpt-removed") ? -1 : fd;
}

static int removed_xattr(void)
{
	int fd = removed_file();

	return fd < 0 ? -1 : fsetxattr(fd, "user.checkpoint", "value", 5, 0);
}

/* Nothing has it open but its mapping, which must be found all the same. */
static int mapped_xattr(void)
{
	int fd = removed_file();

	if (fd < 0 || fsetxattr(fd, "user.checkpoint", "value", 5, 0) || ftruncate(fd, 4096) ||
	    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		return -1;
	return close(fd);
}

static int removed_dir_xattr(void)
{
	const char *name = "/var/tmp/ckpt-removed-dir";
	int fd = mkdir(name, 0700) ? -1 : open(name, O_RDONLY | O_DIRECTORY);

	if (fd < 0 || rmdir(name))
		return -1;
	return fsetxattr(fd, "user.checkpoint", "value", 5, 0);
}

static int removed_lease(void)
{
	int fd = removed_file();

	return fd < 0 ? -1 : fcntl(fd, F_SETLEASE, F_WRLCK);
}

static int memory_xattr(void)
{
	int fd = memfd_create("memory", 0);

	return fd < 0 ? -1 : fsetxattr(fd, "trusted.checkpoint", "value", 5, 0);
}

static int memory_lease(void)
{
	int fd = memfd_create("memory", 0);

	return fd < 0 ? -1 : fcntl(fd, F_SETLEASE, F_RDLCK);
}

static int hung_master(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	return fd < 0 ? -1 : ioctl(fd, TIOCVHANGUP);
}

static int loopback_socket(int type, struct sockaddr_in *in)
{
	socklen_t len = sizeof(*in);
	int fd = socket(AF_INET, type, 0);

	*in = (struct sockaddr_in){ .sin_family = AF_INET };
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)in, len) ||
	    getsockname(fd, (struct sockaddr *)in, &len))
		return -1;
	return fd;
}

/* It waits to be accepted, and the client has reset it. */
static int reset_connection(void)
{
	struct linger linger = { .l_onoff = 1 };
	struct pollfd pfd = { .events = POLLIN };
	struct sockaddr_in in;
	int client = socket(AF_INET, SOCK_STREAM, 0);

	pfd.fd = loopback_socket(SOCK_STREAM, &in);
	if (pfd.fd < 0 || listen(pfd.fd, 5) || connect(client, (struct sockaddr *)&in, sizeof(in)))
		return -1;
	if (poll(&pfd, 1, -1) != 1 ||
	    setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		return -1;
	return close(client);
}

static int unread_datagram(void)
{
	struct pollfd pfd = { .events = POLLIN };
	struct sockaddr_in in;

	pfd.fd = loopback_socket(SOCK_DGRAM, &in);
	if (pfd.fd < 0 || sendto(pfd.fd, "to me", 5, 0, (struct sockaddr *)&in, sizeof(in)) != 5)
		return -1;
	return poll(&pfd, 1, -1) == 1 ? 0 : -1;
}

/* One was looked at, and moved to the queue of readers. */
static int peeked_datagram(void)
{
	struct sockaddr_in in;
	char text[10];
	int fd = loopback_socket(SOCK_DGRAM, &in);

	if (fd < 0 || sendto(fd, "to me", 5, 0, (struct sockaddr *)&in, sizeof(in)) != 5)
		return -1;
	return recv(fd, text, sizeof(text), MSG_PEEK) == 5 ? 0 : -1;
}

static int pending_datagram(void)
{
	struct sockaddr_in in;
	int fd = loopback_socket(SOCK_DGRAM, &in);

	if (fd < 0)
		return -1;
	return sendto(fd, "part", 4, MSG_MORE, (struct sockaddr *)&in, sizeof(in)) == 4 ? 0 : -1;
}

static int corked_socket(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	return fd < 0 ? -1 : setsockopt(fd, SOL_UDP, UDP_CORK, &(int){ 1 }, sizeof(int));
}

static int bpf_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int tun_device(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);

	return fd < 0 ? -1 : ioctl(fd, TUNSETIFF, &ifr);
}

/* It has no range yet, and will have one. */
static int idle_faults(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	return fd < 0 ? -1 : ioctl(fd, UFFDIO_API, &api);
}

const struct obstacle more_file_obstacles[] = {
	{ "bpf_map", bpf_map }, { "tun_device", tun_device }, { "idle_faults", idle_faults },
	{ "removed_xattr", removed_xattr }, { "mapped_xattr", mapped_xattr },
	{ "removed_dir_xattr", removed_dir_xattr }, { "removed_lease", removed_lease },
	{ "memory_xattr", memory_xattr }, { "memory_lease", memory_lease },
	{ "hung_master", hung_master },
	{ "reset_connection", reset_connection }, { "unread_datagram", unread_datagram },
	{ "peeked_datagram", peeked_datagram }, { "pending_datagram", pending_datagram },
	{ "corked_socket", corked_socket },
	{}
};

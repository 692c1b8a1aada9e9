// SPDX-License-Identifier: GPL-2.0-only
/* Pseudoterminals: what they have when nobody has read it yet, and settings. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "subject.h"
#include "subject_tty.h"

#define ROOM	65536

/* A pair whose number is not the lowest free one. */
struct pty pty_open(void)
{
	struct pty p = {};
	int lower = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	p.master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	need(lower >= 0 && p.master >= 0 && !grantpt(p.master) && !unlockpt(p.master));
	need(!ptsname_r(p.master, p.name, sizeof(p.name)));
	p.slave = open(p.name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	need(p.slave >= 0);
	close(lower);
	return p;
}

static void check_names(const struct pty *p)
{
	char name[64];

	check(!ptsname_r(p->master, name, sizeof(name)) && !strcmp(name, p->name));
	check(!ttyname_r(p->slave, name, sizeof(name)) && !strcmp(name, p->name));
}

void type(int fd, const char *text)
{
	need(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* What can be read now must be this; NULL: nothing. */
void check_read(const char *file, int line, int fd, const char *want)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t len = want ? strlen(want) : 0, got = 0;
	char buf[8192];
	ssize_t n;

	/* The last of it may still be on its way. */
	while (got < len && poll(&ready, 1, 10000) == 1) {
		n = read(fd, buf + got, sizeof(buf) - 1 - got);
		if (n <= 0)
			break;
		got += n;
	}
	if (!want) {
		n = read(fd, buf, sizeof(buf) - 1);
		if (n >= 0 || errno != EAGAIN)
			fail_at(file, line, "read %zd bytes (errno %d), not nothing", n, errno);
	} else if (got != len || memcmp(buf, want, len)) {
		buf[got] = 0;
		fail_at(file, line, "read %zu bytes \"%s\" (errno %d), not %zu", got, buf,
			errno, len);
	}
}

static void check_line(int fd, const char *want)
{
	char buf[256];
	ssize_t n = read(fd, buf, sizeof(buf));

	check_eq(strlen(want), n);
	check(n >= 0 && !memcmp(buf, want, n));
}

/* Complete lines, a partial one, its tab, and their echo. */
static void pty_lines(int argc, char **argv)
{
	struct pty p = pty_open();
	struct winsize size = { 33, 101, 7, 9 }, now;

	need(!ioctl(p.master, TIOCSWINSZ, &size));
	type(p.slave, "> ");
	type(p.master, "line one\nline two\na\tb\tcd");
	check_read(HERE, p.master, "> line one\r\nline two\r\na\tb\tcd");
	stage();
	check_names(&p);
	need(!ioctl(p.slave, TIOCGWINSZ, &now));
	check(!memcmp(&size, &now, sizeof(now)));
	check_line(p.slave, "line one\n");
	stage();
	type(p.master, "\177\177\177");
	/* A tab up to column 16 that began at 9. */
	check_read(HERE, p.master, "\b \b\b \b\b\b\b\b\b\b\b");
	stage();
	type(p.master, "X\n");
	check_read(HERE, p.master, "X\r\n");
	check_line(p.slave, "line two\n");
	check_line(p.slave, "a\tbX\n");
	check_read(HERE, p.slave, NULL);
	check_read(HERE, p.master, NULL);
	type(p.master, "kill me\025");
	stage();
	type(p.master, "anew\n");
	check_line(p.slave, "anew\n");
}

/* Marks of the end, a character that is taken literally, an unread echo. */
static void pty_marks(int argc, char **argv)
{
	struct pty p = pty_open();

	type(p.master, "abc\004\004def\nq\026");
	check_read(HERE, p.master, "abcdef\r\nq^\b");
	stage();
	check_line(p.slave, "abc");
	check_line(p.slave, "");
	stage();
	type(p.master, "\003\n");
	check_line(p.slave, "def\n");
	check_line(p.slave, "q\003\n");
	stage();
	check_read(HERE, p.master, "^C\r\n");
}

static struct termios settings(int fd, const struct termios *set)
{
	struct termios t;

	need(!set || !tcsetattr(fd, TCSANOW, set));
	memset(&t, 0, sizeof(t));
	need(!tcgetattr(fd, &t));
	return t;
}

static size_t fill(int fd, unsigned char *data, size_t max)
{
	size_t done = 0;
	ssize_t n;

	while (done < max) {
		n = write(fd, data + done, max - done < 777 ? max - done : 777);
		if (n < 0 && errno == EAGAIN)
			break;
		need(n > 0);
		done += n;
	}
	return done;
}

static void check_bytes(int fd, const unsigned char *want, size_t len)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	unsigned char *buf = malloc(ROOM);
	size_t got = 0;
	ssize_t n;

	while (got < len && poll(&ready, 1, 10000) == 1) {
		n = read(fd, buf + got, ROOM - got);
		if (n <= 0)
			break;
		got += n;
	}
	check_eq(len, got);
	check(!memcmp(want, buf, len));
	check(read(fd, buf, 1) < 0 && errno == EAGAIN);
	free(buf);
}

/* Raw mode, and as many bytes in both directions as there is room for. */
static void pty_raw(int argc, char **argv)
{
	unsigned char *down = malloc(ROOM), *up = malloc(ROOM);
	size_t down_len, up_len;
	struct pty p = pty_open();
	struct termios t = settings(p.slave, NULL), now;
	int waiting;

	fill_memory(down, ROOM, 1);
	fill_memory(up, ROOM, 2);
	cfmakeraw(&t);
	cfsetispeed(&t, B9600);
	cfsetospeed(&t, B115200);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 4;
	t.c_cc[VEOL2] = 'z';
	t = settings(p.slave, &t);
	down_len = fill(p.master, down, ROOM);
	up_len = fill(p.slave, up, ROOM);
	check(down_len > 4096 && down_len < ROOM && up_len > 4096 && up_len < ROOM);
	stage();
	now = settings(p.slave, NULL);
	check(!memcmp(&t, &now, sizeof(t)));
	now = settings(p.master, NULL);
	check(!memcmp(&t, &now, sizeof(t)));
	need(!ioctl(p.slave, FIONREAD, &waiting));
	check_eq(4095, waiting);
	check_bytes(p.slave, down, down_len);
	stage();
	check_bytes(p.master, up, up_len);
	stage();
	type(p.master, "again");
	check_read(HERE, p.slave, "again");
	check_names(&p);
}

/* What was typed ahead when the mode changes. */
static void pty_modes(int argc, char **argv)
{
	struct pty p = pty_open();
	struct termios cooked = settings(p.slave, NULL), raw = cooked;

	cfmakeraw(&raw);
	settings(p.slave, &raw);
	type(p.master, "typed ahead");
	check_eq(0, poll(NULL, 0, 50));
	settings(p.slave, &cooked);
	type(p.master, " more");
	check_read(HERE, p.master, " more");
	stage();
	check_line(p.slave, "typed ahead");
	check_read(HERE, p.slave, NULL);
	stage();
	settings(p.slave, &raw);
	check_read(HERE, p.slave, " more");
}

/* The master in packet mode, its unread status, an exclusive and a locked slave. */
static void pty_packets(int argc, char **argv)
{
	struct pty p = pty_open(), locked = pty_open();
	int one = 1, value;

	need(!ioctl(p.master, TIOCPKT, &one) && !ioctl(p.slave, TIOCEXCL));
	need(!ioctl(locked.master, TIOCSPTLCK, &one));
	type(p.slave, "data");
	type(p.master, "\023");
	check_eq(1, poll(&(struct pollfd){ .fd = p.master, .events = POLLPRI }, 1, 10000));
	need(!tcflush(p.slave, TCIFLUSH));
	stage();
	check_line(p.master, "\005");	/* TIOCPKT_STOP, TIOCPKT_FLUSHREAD */
	need(!ioctl(p.master, TIOCGPKT, &value));
	check_eq(1, value);
	need(!ioctl(p.slave, TIOCGEXCL, &value));
	check_eq(1, value);
	need(!ioctl(locked.master, TIOCGPTLCK, &value));
	check_eq(1, value);
	check(open(locked.name, O_RDWR | O_NOCTTY) < 0 && errno == EIO);
	stage();
	value = read(p.master, &one, 1);
	check_eq(1, value);
	check_eq(0, *(char *)&one);
	type(p.master, "\021");
	check_eq(1, poll(&(struct pollfd){ .fd = p.master, .events = POLLPRI }, 1, 10000));
	stage();
	check_line(p.master, "\010");	/* TIOCPKT_START */
	need(!ioctl(p.slave, TIOCNXCL));
}

/* Output that is stopped, by a key and by the program; echo that waits for it. */
static void pty_flow(int argc, char **argv)
{
	struct pty p = pty_open(), q = pty_open();

	type(p.master, "\023");
	check_eq(0, poll(NULL, 0, 50));
	type(p.master, "typed");
	check_eq(0, poll(NULL, 0, 50));
	need(!tcflow(q.slave, TCOOFF));
	stage();
	check(write(p.slave, "x", 1) < 0 && errno == EAGAIN);
	check(write(q.slave, "x", 1) < 0 && errno == EAGAIN);
	check_read(HERE, p.master, NULL);
	type(q.master, "\021");
	check_eq(0, poll(NULL, 0, 50));
	check(write(q.slave, "x", 1) < 0 && errno == EAGAIN);
	stage();
	type(p.master, "\021");
	check_read(HERE, p.master, "typed");
	need(!tcflow(q.slave, TCOON));
	type(q.slave, "goes on");
	check_read(HERE, q.master, "goes on");
}

/* A slave that nobody has opened, one that was closed, one that was hung up. */
static void pty_ends(int argc, char **argv)
{
	struct pty closed = pty_open(), hung = pty_open();
	int fresh = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	struct stat before, now;
	char byte, name[64], again[64];
	int fd;

	need(fresh >= 0 && !ptsname_r(fresh, name, sizeof(name)) && !fchmod(closed.slave, 0622));
	type(closed.master, "kept\n");
	check_read(HERE, closed.master, "kept\r\n");
	type(closed.slave, "left");
	close(closed.slave);
	fd = dup(hung.slave);
	close(hung.master);
	need(!fstat(hung.slave, &before));
	stage();
	check_eq(0, read(hung.slave, &byte, 1));
	check(write(fd, "x", 1) < 0 && errno == EIO);
	check(!fstat(fd, &now) && now.st_rdev == before.st_rdev);
	check(access(hung.name, F_OK) && errno == ENOENT);
	check(!ptsname_r(fresh, again, sizeof(again)) && !strcmp(name, again));
	check(read(fresh, &byte, 1) < 0 && errno == EAGAIN);
	check_read(HERE, closed.master, "left");
	check(read(closed.master, &byte, 1) < 0 && errno == EIO);
	check(!stat(closed.name, &now));
	check_eq(0622, now.st_mode & 07777);
	stage();
	closed.slave = open(closed.name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	need(closed.slave >= 0);
	check_line(closed.slave, "kept\n");
	check(read(closed.master, &byte, 1) < 0 && errno == EAGAIN);
}

/* Several descriptors and several opens of one slave, not all of them alike. */
static void pty_opens(int argc, char **argv)
{
	struct pty p = pty_open();
	int other = open(p.name, O_WRONLY | O_NOCTTY), copy = dup(p.slave);

	need(other >= 0 && copy >= 0);
	stage();
	check_eq(O_WRONLY, fcntl(other, F_GETFL) & O_ACCMODE);
	check(!(fcntl(other, F_GETFL) & O_NONBLOCK));
	need(!fcntl(copy, F_SETFL, 0));
	check(!(fcntl(p.slave, F_GETFL) & O_NONBLOCK));
	type(other, "by the other");
	check_read(HERE, p.master, "by the other");
	close(other);
	close(copy);
	stage();
	type(p.slave, "still");
	check_read(HERE, p.master, "still");
}

/* struct termios of the kernel */
struct locks {
	tcflag_t iflag, oflag, cflag, lflag;
	cc_t line, cc[19];
};

/* Settings that nobody may change, TIOCSLCKTRMIOS. */
static void pty_locked(int argc, char **argv)
{
	struct locks locks = { .iflag = IXON, .oflag = OPOST, .cflag = CREAD, .lflag = ECHO,
			       .line = 1, .cc[VINTR] = 1, .cc[18] = 1 }, now = {};
	struct pty p = pty_open();
	struct termios t = settings(p.slave, NULL);

	need(!ioctl(p.slave, TIOCSLCKTRMIOS, &locks));
	stage();
	need(!ioctl(p.master, TIOCGLCKTRMIOS, &now));
	check(!memcmp(&locks, &now, sizeof(now)));
	t.c_lflag &= ~(ECHO | ISIG);
	t.c_cc[VINTR] = 'x';
	t.c_cc[VERASE] = 'y';
	t = settings(p.slave, &t);
	check_eq(ECHO, t.c_lflag & (ECHO | ISIG));
	check_eq(3, t.c_cc[VINTR]);
	check_eq('y', t.c_cc[VERASE]);
	memset(&locks, 0, sizeof(locks));
	need(!ioctl(p.slave, TIOCSLCKTRMIOS, &locks));
	stage();
	t.c_lflag &= ~ECHO;
	t = settings(p.slave, &t);
	check_eq(0, t.c_lflag & ECHO);
}

static void check_hung_up(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct winsize size;
	char byte;

	check_eq(0, read(fd, &byte, 1));
	check(write(fd, "x", 1) < 0 && errno == EIO);
	check(ioctl(fd, TIOCGWINSZ, &size) < 0 && errno == EIO);
	check_eq(1, poll(&ready, 1, 0));
	check(ready.revents & POLLHUP);
}

static int open_again(const struct pty *p)
{
	int fd = open(p->name, O_RDWR | O_NOCTTY | O_NONBLOCK);

	need(fd >= 0);
	return fd;
}

/* vhangup(2): one that stays so, one that is opened again, one that is closed then. */
static void pty_hung_up(int argc, char **argv)
{
	struct pty hung = pty_open(), again = pty_open(), closed = pty_open();
	struct winsize size = { 33, 101, 7, 9 }, now;
	int fd, other = open_again(&hung);
	char byte;

	type(hung.slave, "left");
	check_eq(1, poll(&(struct pollfd){ .fd = hung.master, .events = POLLIN }, 1, 10000));
	need(!ioctl(hung.master, TIOCSWINSZ, &size));
	need(!ioctl(hung.slave, TIOCVHANGUP) && !ioctl(again.slave, TIOCVHANGUP) &&
	     !ioctl(closed.slave, TIOCVHANGUP));
	type(hung.master, "early\n");
	type(closed.master, "kept\n");
	fd = open_again(&again);
	close(closed.slave);
	stage();
	check_hung_up(hung.slave);
	check_hung_up(other);
	check_read(HERE, hung.master, "left");
	check_read(HERE, hung.master, NULL);
	need(!ioctl(hung.master, TIOCGWINSZ, &now));
	check(!memcmp(&size, &now, sizeof(now)));
	check(read(closed.master, &byte, 1) < 0 && errno == EIO);
	check_hung_up(again.slave);
	type(again.master, "again\n");
	check_read(HERE, again.master, "again\r\n");
	check_line(fd, "again\n");
	close(other);
	other = open_again(&hung);
	closed.slave = open_again(&closed);
	stage();
	check_hung_up(hung.slave);
	check_hung_up(again.slave);
	/* What has waited for a line discipline comes with what follows. */
	type(hung.master, "late\n");
	check_read(HERE, hung.master, "early\r\nlate\r\n");
	check_line(other, "early\n");
	check_line(other, "late\n");
	type(closed.master, "more\n");
	check_read(HERE, closed.master, "kept\r\nmore\r\n");
	check_line(closed.slave, "kept\n");
	close(other);
	check_read(HERE, hung.master, NULL);
	close(hung.slave);
	check(read(hung.master, &byte, 1) < 0 && errno == EIO);
}

/* Tests for what is refused prepare it and wait. */
static void pty_refused(int argc, char **argv)
{
	struct pty p = pty_open();
	int null = 27, fd = -1;
	pid_t pid = 0;

	if (!strcmp(argv[0], "discipline"))
		need(!ioctl(p.slave, TIOCSETD, &null));
	if (!strcmp(argv[0], "split"))
		pid = fork();
	if (!strcmp(argv[0], "console"))
		fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_NONBLOCK);
	need(pid >= 0 && (fd >= 0 || strcmp(argv[0], "console")));
	if (!pid && !strcmp(argv[0], "split")) {
		pause();
		_exit(0);
	}
	stage();
	if (pid)
		kill(pid, SIGKILL);
}

const struct mode tty_modes[] = {
	{ "pty_lines", pty_lines },
	{ "pty_marks", pty_marks },
	{ "pty_raw", pty_raw },
	{ "pty_modes", pty_modes },
	{ "pty_packets", pty_packets },
	{ "pty_flow", pty_flow },
	{ "pty_ends", pty_ends },
	{ "pty_opens", pty_opens },
	{ "pty_locked", pty_locked },
	{ "pty_hung_up", pty_hung_up },
	{ "pty_refused", pty_refused },
	{}
};

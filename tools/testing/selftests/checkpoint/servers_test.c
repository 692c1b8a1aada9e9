// SPDX-License-Identifier: GPL-2.0-only
/*
 * Servers as Debian has them. A client from outside uses one, goes away, the server
 * is saved, killed and restarted, and the client finds what it left; several times.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common.h"

#define ROUNDS	2

FIXTURE(servers) {
	struct subject s;
	struct sockaddr_in in;
	int port;
};

FIXTURE_SETUP(servers)
{
	socklen_t len = sizeof(self->in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ASSERT_EQ(0, subject_init(&self->s));
	/* What is killed comes to us. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	/* A port that is free. */
	self->in = (struct sockaddr_in){ .sin_family = AF_INET };
	self->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&self->in, len));
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&self->in, &len));
	self->port = ntohs(self->in.sin_port);
	close(fd);
}

FIXTURE_TEARDOWN(servers)
{
	subject_destroy(&self->s);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static const char *path_in(struct subject *s, const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

/* In a session of its own, as a service. */
static int start(struct subject *s, const char * const *argv)
{
	s->pid = fork();
	if (s->pid)
		return s->pid < 0;
	setsid();
	if (chdir(s->dir))
		_exit(100);
	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(open("output", O_WRONLY | O_CREAT | O_APPEND, 0600), 1);
	dup2(1, 2);
	close_range(3, ~0U, 0);
	execv(argv[0], (char **)argv);
	_exit(101);
}

static void show_output(struct subject *s)
{
	char text[2000];

	if (read_file(path_in(s, "output"), text, sizeof(text)) > 0)
		say("output: %s", text);
}

/* A client; waits for the server to come up. */
static int client(const struct sockaddr_in *in)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;
	int fd;

	do {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && !connect(fd, (const struct sockaddr *)in, sizeof(*in)))
			return fd;
		close(fd);
		poll_pause();
	} while (now_ns() < deadline);
	say("nobody answers: %m");
	return -1;
}

/* Says something, and waits for what must be in the answer. */
static int ask(int fd, const char *words, const char *want)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char text[8192] = "";
	size_t len = 0;
	ssize_t n = 0;

	if (send(fd, words, strlen(words), MSG_NOSIGNAL) != (ssize_t)strlen(words))
		return -1;
	while (!strstr(text, want)) {
		if (poll(&pfd, 1, WAIT_TIMEOUT * 1000) == 1)
			n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (n <= 0) {
			say("\"%s\" is answered by \"%s\", not \"%s\"", words, text, want);
			return -1;
		}
		len += n;
		text[len] = 0;
	}
	return 0;
}

/* Until the server has closed the connection: its end is not outside any more. */
static int wait_closed(int fd)
{
	char byte;
	ssize_t n;

	shutdown(fd, SHUT_WR);
	do {
		n = recv(fd, &byte, 1, 0);
	} while (n > 0);
	close(fd);
	return n;
}

/* A connection of a client may just be being closed. */
static int save(struct subject *s)
{
	uint64_t deadline = now_ns() + WAIT_TIMEOUT * 1000000000ULL;

	while (subject_save(s, CHECKPOINT_KILL)) {
		if (s->err != EBUSY || now_ns() > deadline) {
			messages_show(s);
			return -1;
		}
		poll_pause();
	}
	return 0;
}

/* Saved and killed, all of it, and restarted. */
static int cycle(struct subject *s)
{
	if (way_now(WAY_KILL) == WAY_NONE)
		return 0;
	if (save(s))
		return -1;
	if (subject_reap_tree(s) || subject_restart(s, 0)) {
		messages_show(s);
		return -1;
	}
	return 0;
}

static int ends_well(struct subject *s)
{
	int status = -1;

	if (waitpid(s->pid, &status, 0) != s->pid)
		return -1;
	s->pid = 0;
	if (status) {
		say("status %#x", status);
		show_output(s);
	}
	return status;
}

#define DO(call)	ASSERT_EQ(0, call) show_output(&self->s)

/* With a client in the tree, whom it keeps waiting all the time. */
TEST_F_TIMEOUT(servers, redis, TEST_TIMEOUT)
{
	const char *argv[4] = { "/bin/bash", "-c" };
	struct subject *s = &self->s;
	char script[1000], words[100], want[100], text[100] = "";
	int fd, i;

	if (access("/usr/bin/redis-server", X_OK))
		SKIP(return, "there is no redis-server");
	snprintf(script, sizeof(script),
		 "redis-server --port %d --bind 127.0.0.1 --save '' --appendonly yes & "
		 "until redis-cli -p %d ping; do :; done; "
		 "redis-cli -p %d blpop queue 0 >popped && wait", self->port, self->port,
		 self->port);
	argv[2] = script;
	DO(start(s, argv));
	fd = client(&self->in);
	DO(ask(fd, "SET key value\r\n", "+OK\r\n"));
	DO(ask(fd, "RPUSH list a b c\r\n", ":3\r\n"));
	DO(ask(fd, "SETEX lease 10000 mine\r\n", "+OK\r\n"));
	snprintf(words, sizeof(words), "redis-cli -p %d client list | grep -q cmd=blpop",
		 self->port);
	while (system(words))
		poll_pause();
	for (i = 1; i <= ROUNDS; i++) {
		DO(ask(fd, "QUIT\r\n", "+OK\r\n"));
		DO(wait_closed(fd));
		DO(cycle(s));
		fd = client(&self->in);
		DO(ask(fd, "GET key\r\n", "$5\r\nvalue\r\n"));
		DO(ask(fd, "GET lease\r\n", "$4\r\nmine\r\n"));
		snprintf(want, sizeof(want), ":%d\r\n", i);
		DO(ask(fd, "INCR count\r\n", want));
		DO(ask(fd, "LRANGE list 0 -1\r\n",
		       "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"));
	}
	/* Who has waited all the time gets it, and ends. */
	DO(ask(fd, "RPUSH queue pushed\r\n", ":1\r\n"));
	while (read_file(path_in(s, "popped"), text, sizeof(text)) < 13)
		poll_pause();
	EXPECT_STREQ("queue\npushed\n", text);
	DO(send(fd, "SHUTDOWN\r\n", 10, 0) != 10);
	DO(wait_closed(fd));
	DO(ends_well(s));
}

static int write_config(struct subject *s, int port)
{
	char text[1000];
	int len;

	len = snprintf(text, sizeof(text),
		       "daemon off; worker_processes 2; user root; pid nginx.pid;\n"
		       "events { worker_connections 64; }\n"
		       "http {\n"
		       "access_log access.log; client_body_temp_path body; proxy_temp_path proxy;\n"
		       "fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n"
		       "limit_req_zone $binary_remote_addr zone=all:1m rate=1000r/s;\n"
		       "server { listen 127.0.0.1:%d; root %s; limit_req zone=all burst=99; }\n"
		       "}\n", port, s->dir);
	return write_file(path_in(s, "nginx.conf"), text, len) ?:
	       write_file(path_in(s, "page"), "what the page says\n", 19);
}

/* A request for each worker, more or less; one connection serves several. */
static int get_pages(const struct sockaddr_in *in)
{
	static const char get[] = "GET /page HTTP/1.1\r\nHost: here\r\n\r\n";
	int fds[4], i, round;

	for (i = 0; i < 4; i++) {
		fds[i] = client(in);
		if (fds[i] < 0)
			return -1;
	}
	for (round = 0; round < 3; round++)
		for (i = 0; i < 4; i++)
			if (ask(fds[i], get, "\r\n\r\nwhat the page says\n"))
				return -1;
	for (i = 0; i < 4; i++)
		if (wait_closed(fds[i]))
			return -1;
	return 0;
}

static int count_lines(const char *path)
{
	char text[16384];
	int i, n = 0, size = read_file(path, text, sizeof(text));

	for (i = 0; i < size; i++)
		n += text[i] == '\n';
	return n;
}

/* The children of a process, up to 8. */
static int children_of(pid_t pid, int *pids)
{
	char path[64], text[200] = "", *at;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	read_file(path, text, sizeof(text));
	for (at = strtok(text, " "); at && n < 8; at = strtok(NULL, " "))
		pids[n++] = atoi(at);
	return n;
}

/* Tells the master to begin anew, and waits until its workers are others. */
static int replace_workers(pid_t master)
{
	int old[8], new[8], nr = children_of(master, old), i, j, same;

	if (nr != 2 || kill(master, SIGHUP))
		return -1;
	do {
		poll_pause();
		nr = children_of(master, new);
		for (same = 0, i = 0; i < nr; i++)
			for (j = 0; j < 2; j++)
				same += new[i] == old[j];
	} while (nr != 2 || same);
	return 0;
}

/* A master and workers, which it tells what to do by sockets. */
TEST_F_TIMEOUT(servers, nginx, TEST_TIMEOUT)
{
	const char *argv[8] = { "/usr/sbin/nginx", "-p", self->s.dir, "-c", "nginx.conf", "-e",
			       "error.log" };
	struct subject *s = &self->s;
	int i;

	if (access(argv[0], X_OK))
		SKIP(return, "there is no nginx");
	DO(write_config(s, self->port));
	DO(start(s, argv));
	for (i = 0; i < ROUNDS; i++) {
		DO(get_pages(&self->in));
		DO(cycle(s));
	}
	DO(replace_workers(s->pid));
	DO(get_pages(&self->in));
	DO(cycle(s));
	DO(get_pages(&self->in));
	EXPECT_EQ(12 * (ROUNDS + 2), count_lines(path_in(s, "access.log")));
	ASSERT_EQ(0, kill(s->pid, SIGQUIT));
	DO(ends_well(s));
}

TEST_HARNESS_MAIN

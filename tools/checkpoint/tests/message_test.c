// SPDX-License-Identifier: GPL-2.0-only
/* The message channel of libcheckpoint. TAP. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <checkpoint.h>

static int number, failed;

static void check(bool ok, const char *name)
{
	printf("%sok %d - message: %s\n", ok ? "" : "not ", ++number, name);
	failed |= !ok;
}

static int parse(const char *line, struct checkpoint_message *msg)
{
	return checkpoint_parse_message(line, strlen(line), msg);
}

static void test_good(void)
{
	struct checkpoint_message msg;
	char text[256];

	check(!parse("obstacle code=11 err=95 pid=71 tid=72 fd=5 start=0x1000 end=0x3000 "
		     "comm=a\\x20b\\x3a: socket: it=so\n", &msg), "a line is parsed");
	check(msg.kind == CHECKPOINT_OBSTACLE && msg.code == CKPT_WHY_FILE && msg.err == 95 &&
	      msg.pid == 71 && msg.tid == 72 && msg.fd == 5 && msg.start == 0x1000 &&
	      msg.end == 0x3000, "its numbers are right");
	check(!strcmp(msg.comm, "a b:") && !strcmp(msg.text, "socket: it=so"),
	      "its texts are right");
	checkpoint_format_message(&msg, text, sizeof(text));
	check(!strcmp(text, "71/72 (a b:): fd 5: 1000-3000: socket: it=so"), "it is formatted");
	check(checkpoint_format_message(&msg, text, 6) == 44 && !strcmp(text, "71/72"),
	      "formatting stays in the buffer");
	check(!parse("note code=0 err=0 pid=0 tid=0 fd=-1 start=0x0 end=0x0 later=1 comm=: hello",
		     &msg) && !strcmp(msg.text, "hello") && msg.fd == -1,
	      "fields of later kernels are skipped");
	parse("error code=1 err=1 pid=7 tid=7 fd=-1 start=0x0 end=0x0 comm=x: \033[2J", &msg);
	checkpoint_format_message(&msg, text, sizeof(text));
	check(!strcmp(text, "7 (x): \\x1b[2J"), "control characters are made visible");
}

static void test_bad(void)
{
	static const char *const lines[] = {
		"", "\n", "hello", "obstacle", "obstacle code=1", "obstacle code=x comm=a: b",
		"obstacle code=99999999999 comm=a: b", "obstacle code comm=a: b",
		"obstacle code=1 comm=a", "obstacle code=1 comm=\\x1: b", "obstacle comm=\\",
		"obstacle fd= comm=a: b",
	};
	struct checkpoint_message msg;
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		errno = 0;
		if (parse(lines[i], &msg) != -1 || errno != EBADMSG) {
			printf("# taken: %s\n", lines[i]);
			ok = false;
		}
	}
	check(ok, "bad lines are refused");
}

static void test_stream(void)
{
	static const char line[] =
		"error code=3 err=16 pid=1 tid=1 fd=-1 start=0x0 end=0x0 comm=x: text\n";
	struct checkpoint_messages msgs;
	struct checkpoint_message msg;
	int fds[2], i, n = 0, bad = 0, ret;

	if (pipe(fds))
		exit(2);
	for (i = 0; i < 200; i++) {
		ssize_t written = write(fds[1], line, sizeof(line) - 1);

		if (written < 0 || (i == 100 && write(fds[1], "junk\n", 5) != 5))
			exit(2);
	}
	if (write(fds[1], line, sizeof(line) - 2) < 0)
		exit(2);
	close(fds[1]);
	checkpoint_messages_init(&msgs, fds[0]);
	while ((ret = checkpoint_next_message(&msgs, &msg)) != 0) {
		n += ret > 0 && msg.err == 16 && !strcmp(msg.text, "text");
		bad += ret < 0;
	}
	check(n == 201 && bad == 1, "a stream of lines is read");
	close(fds[0]);
}

static void test_names(void)
{
	bool ok = true;
	int code;

	for (code = 0; code < CKPT_WHY_NR; code++)
		if (!strcmp(checkpoint_reason_name(code), "unknown"))
			ok = false;
	check(ok, "every reason has a name");
	check(!strcmp(checkpoint_reason_name(CKPT_WHY_NR), "unknown") &&
	      !strcmp(checkpoint_reason_name(-1), "unknown"), "other codes are unknown");
}

int main(void)
{
	test_good();
	test_bad();
	test_stream();
	test_names();
	printf("1..%d\n", number);
	return failed;
}

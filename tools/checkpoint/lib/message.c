// SPDX-License-Identifier: LGPL-2.1-or-later
/* The message channel: lines of text into structures. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* A part of a line. */
struct span {
	const char *at;
	const char *end;
};

/* The next word, without the space behind it; empty at the end. */
static struct span next_word(struct span *line)
{
	struct span word;

	while (line->at < line->end && *line->at == ' ')
		line->at++;
	word.at = line->at;
	while (line->at < line->end && *line->at != ' ')
		line->at++;
	word.end = line->at;
	return word;
}

static bool span_is(struct span word, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(word.end - word.at) == len && !memcmp(word.at, text, len);
}

static int parse_kind(struct span word)
{
	int kind;

	for (kind = CHECKPOINT_OBSTACLE; kind <= CHECKPOINT_NOTE; kind++)
		if (span_is(word, checkpoint_kind_name(kind)))
			return kind;
	return -1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undo \xHH up to the colon that ends the name. */
static bool parse_comm(struct span *line, char *comm, size_t size)
{
	const char *p = line->at;
	size_t n = 0;

	while (p < line->end && *p != ':') {
		char c = *p++;

		if (c == '\\') {
			if (line->end - p < 3 || *p != 'x' ||
			    hex_digit(p[1]) < 0 || hex_digit(p[2]) < 0)
				return false;
			c = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
			p += 3;
		}
		if (n + 1 >= size)
			return false;
		comm[n++] = c;
	}
	comm[n] = '\0';
	if (p == line->end)
		return false;
	line->at = p + 1;
	if (line->at < line->end && *line->at == ' ')
		line->at++;
	return true;
}

static bool parse_number(struct span value, long long *signed_out,
			 unsigned long long *unsigned_out)
{
	char digits[32], *end;
	size_t len = (size_t)(value.end - value.at);

	if (!len || len >= sizeof(digits))
		return false;
	memcpy(digits, value.at, len);
	digits[len] = '\0';
	errno = 0;
	if (unsigned_out)
		*unsigned_out = strtoull(digits, &end, 0);
	else
		*signed_out = strtoll(digits, &end, 10);
	return !errno && end == digits + len;
}

static bool parse_int(struct span value, int *out)
{
	long long number;

	if (!parse_number(value, &number, NULL) || number != (int)number)
		return false;
	*out = (int)number;
	return true;
}

/* KEY=VALUE; keys of later kernels are skipped. */
static bool parse_field(struct span word, struct checkpoint_message *msg)
{
	const char *equals = memchr(word.at, '=', (size_t)(word.end - word.at));
	struct span key, value;

	if (!equals)
		return false;
	key = (struct span){ word.at, equals };
	value = (struct span){ equals + 1, word.end };
	if (span_is(key, "code"))
		return parse_int(value, &msg->code);
	if (span_is(key, "err"))
		return parse_int(value, &msg->err);
	if (span_is(key, "pid"))
		return parse_int(value, &msg->pid);
	if (span_is(key, "tid"))
		return parse_int(value, &msg->tid);
	if (span_is(key, "fd"))
		return parse_int(value, &msg->fd);
	if (span_is(key, "start"))
		return parse_number(value, NULL, &msg->start);
	if (span_is(key, "end"))
		return parse_number(value, NULL, &msg->end);
	return true;
}

/**
 * checkpoint_parse_message() - turn one line of the channel into a structure
 * @line: the line; a newline at its end is ignored
 * @length: its length
 * @msg: is filled
 *
 * Errors: EBADMSG (the line is not a message), EINVAL (no line).
 *
 * Return: 0, or -1 and errno.
 */
EXPORT int checkpoint_parse_message(const char *line, size_t length,
				    struct checkpoint_message *msg)
{
	struct span rest;
	size_t len;

	if (!line || !msg) {
		errno = EINVAL;
		return -1;
	}
	if (length && line[length - 1] == '\n')
		length--;
	rest = (struct span){ line, line + length };
	memset(msg, 0, sizeof(*msg));
	msg->fd = -1;
	msg->kind = parse_kind(next_word(&rest));
	if (msg->kind < 0)
		goto bad;
	for (;;) {
		struct span word = next_word(&rest);

		if (word.end - word.at >= 5 && !memcmp(word.at, "comm=", 5)) {
			rest.at = word.at + 5;
			break;
		}
		if (word.at == word.end || !parse_field(word, msg))
			goto bad;
	}
	if (!parse_comm(&rest, msg->comm, sizeof(msg->comm)))
		goto bad;
	len = (size_t)(rest.end - rest.at);
	if (len >= sizeof(msg->text))
		goto bad;
	memcpy(msg->text, rest.at, len);
	return 0;
bad:
	errno = EBADMSG;
	return -1;
}

/**
 * checkpoint_messages_init() - prepare for checkpoint_next_message()
 * @msgs: is filled
 * @fd: descriptor to read from; it stays the caller's, to close
 */
EXPORT void checkpoint_messages_init(struct checkpoint_messages *msgs, int fd)
{
	msgs->fd = fd;
	msgs->eof = 0;
	msgs->begin = 0;
	msgs->end = 0;
}

/* Read more behind the rest of the last line. */
static int refill(struct checkpoint_messages *msgs)
{
	ssize_t n;

	if (msgs->begin) {
		memmove(msgs->buf, msgs->buf + msgs->begin, msgs->end - msgs->begin);
		msgs->end -= msgs->begin;
		msgs->begin = 0;
	}
	if (msgs->end == sizeof(msgs->buf)) {
		msgs->end = 0;
		errno = EBADMSG;
		return -1;
	}
	n = read(msgs->fd, msgs->buf + msgs->end, sizeof(msgs->buf) - msgs->end);
	if (n < 0)
		return -1;
	if (!n)
		msgs->eof = 1;
	msgs->end += (size_t)n;
	return 0;
}

/**
 * checkpoint_next_message() - read the next message
 * @msgs: see checkpoint_messages_init()
 * @msg: is filled
 *
 * Errors: EBADMSG (a line that is not a message; the next call goes on behind
 * it), and those of read(2), such as EAGAIN and EINTR.
 *
 * Return: 1; 0 at the end; -1 and errno.
 */
EXPORT int checkpoint_next_message(struct checkpoint_messages *msgs,
				   struct checkpoint_message *msg)
{
	for (;;) {
		const char *line = msgs->buf + msgs->begin;
		size_t avail = msgs->end - msgs->begin;
		const char *newline = avail ? memchr(line, '\n', avail) : NULL;
		size_t len = newline ? (size_t)(newline - line) + 1 : avail;

		if (newline || (msgs->eof && avail)) {
			msgs->begin += len;
			return checkpoint_parse_message(line, len, msg) ? -1 : 1;
		}
		if (msgs->eof)
			return 0;
		if (refill(msgs))
			return -1;
	}
}

/* Appends as snprintf() would, also when the buffer is full. */
static void __attribute__((format(printf, 4, 5)))
append(char *buf, size_t size, size_t *len, const char *format, ...)
{
	size_t at = *len < size ? *len : size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(size ? buf + at : NULL, size - at, format, args);
	va_end(args);
	if (n > 0)
		*len += (size_t)n;
}

/* Control characters would reach the reader's terminal. */
static void append_text(char *buf, size_t size, size_t *len, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		append(buf, size, len, c < ' ' || c == 0x7f ? "\\x%02x" : "%c", c);
	}
}

/**
 * checkpoint_format_message() - a message in plain words
 * @msg: the message
 * @buf: where the text goes, such as "71 (cat): fd 5: a socket"
 * @size: size of @buf
 *
 * Return: the length of the whole text, as snprintf(3) does.
 */
EXPORT int checkpoint_format_message(const struct checkpoint_message *msg,
				     char *buf, size_t size)
{
	size_t len = 0;

	if (size)
		buf[0] = '\0';
	if (msg->pid) {
		append(buf, size, &len, "%d", (int)msg->pid);
		if (msg->tid && msg->tid != msg->pid)
			append(buf, size, &len, "/%d", (int)msg->tid);
		if (msg->comm[0]) {
			append(buf, size, &len, " (");
			append_text(buf, size, &len, msg->comm);
			append(buf, size, &len, ")");
		}
		append(buf, size, &len, ": ");
	}
	if (msg->fd >= 0)
		append(buf, size, &len, "fd %d: ", msg->fd);
	if (msg->end)
		append(buf, size, &len, "%llx-%llx: ", msg->start, msg->end);
	append_text(buf, size, &len, msg->text);
	return (int)len;
}

// SPDX-License-Identifier: GPL-2.0-only
/* A 32-bit program that waits for a byte, for obstacles_test. */
#include <string.h>
#include <unistd.h>

static int tell(const char *line)
{
	return write(1, line, strlen(line)) == (ssize_t)strlen(line) ? 0 : 1;
}

int main(void)
{
	char c = 0;

	if (tell("ready\n"))
		return 1;
	if (read(0, &c, 1) != 1 || c != 'g')
		return tell("FAIL compat: read\n") | 1;
	return tell("done\n");
}

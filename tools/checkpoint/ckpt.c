// SPDX-License-Identifier: GPL-2.0-only
/* The command ckpt: finds the subcommand. */
#include <string.h>

#include "ckpt.h"

#ifndef CKPT_TOOL_VERSION
#define CKPT_TOOL_VERSION "unknown"
#endif

static const char help[] =
"usage: ckpt save PID [-o FILE|-] [--kill | --stop] [OPTION]...\n"
"       ckpt restart [FILE|-] [--detach] [OPTION]...\n"
"       ckpt show FILE [--json]\n"
"       ckpt verify FILE\n"
"       ckpt check [PID]\n"
"       ckpt -f PID FILE         save; the program goes on\n"
"       ckpt -t FILE             restart in the foreground\n"
"       ckpt --version\n"
"Save a running program into an image file and bring it back.\n"
"'ckpt SUBCOMMAND --help' says more, ckpt(1) everything.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "save", cmd_save },
	{ "restart", cmd_restart },
	{ "show", cmd_show },
	{ "verify", cmd_verify },
	{ "check", cmd_check },
};

/* A full disk must not look like success. */
int print_help(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) ? STATUS_OTHER : STATUS_OK;
}

static int short_form(int argc, char **argv)
{
	if (!strcmp(argv[1], "-f"))
		return argc == 4 ? save_short(argv[2], argv[3]) :
				   usage_error("-f needs a PID and a file");
	if (!strcmp(argv[1], "-t"))
		return argc == 3 ? restart_short(argv[2]) : usage_error("-t needs a file");
	return usage_error("unknown option '%s'", argv[1]);
}

int main(int argc, char **argv)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		fputs(help, stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return print_help(help);
	if (!strcmp(argv[1], "--version"))
		return print_help("ckpt " CKPT_TOOL_VERSION "\n");
	if (argv[1][0] == '-')
		return short_form(argc, argv);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return usage_error("unknown subcommand '%s'", argv[1]);
}

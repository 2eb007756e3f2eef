/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{"run", cmd_run, "run a guest in a micro-VM and trace it"},
	{"report", cmd_report, "show what a capture holds"},
	{"export", cmd_export, "turn captures into another tool's format"},
	{"sites", cmd_sites, "list the call sites of a guest or capture"},
	{"decode", cmd_decode, "show each event of a batch or capture as JSON"},
	{"encode", cmd_encode, "make a Hyperlight batch of such JSON"},
#ifdef HAVE_OTLP
	{"spool", cmd_spool, "send what an absent OTLP endpoint left behind"},
#endif
};

static int help(FILE *to, int status)
{
	fprintf(to, "usage: guesttrace COMMAND ...\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].what);
	return status;
}

int main(int argc, char **argv)
{
	int status = -1;

	if (argc < 2)
		return help(stderr, COMMAND_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return help(stdout, 0);
	if (strcmp(argv[1], "--version") == 0) {
		printf("guesttrace %s\n", GT_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			status = commands[i].run(argc - 1, argv + 1);
	if (status < 0) {
		complain("no command '%s'", argv[1]);
		return help(stderr, COMMAND_USAGE);
	}
	if (fflush(stdout) != 0 && status == 0) {
		complain("cannot write standard output");
		return COMMAND_FAILED;
	}
	return status;
}

/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int list(FILE *to, int status)
{
	fprintf(to, "usage: guesttrace COMMAND ...\n\n");
	for (size_t i = 0; commands[i]; i++)
		fprintf(to, "  %-8s %s\n", commands[i]->name,
		        commands[i]->what);
	fprintf(to, "\n`guesttrace COMMAND --help` lists a command's "
	            "options.\n");
	return status;
}

static int run(int argc, char **argv)
{
	const struct command_spec *command = command_find(argv[1]);

	if (strcmp(argv[1], "--help") == 0 ||
	    (argc == 2 && command == &command_help))
		return list(stdout, 0);
	if (strcmp(argv[1], "--version") == 0) {
		printf("guesttrace %s\n", GT_VERSION);
		return 0;
	}
	if (command)
		return command->run(argc - 1, argv + 1);
	complain("no command '%s'", argv[1]);
	return list(stderr, COMMAND_USAGE);
}

int main(int argc, char **argv)
{
	int status;

	/* Over the limit of its size a file is an error like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2)
		return list(stderr, COMMAND_USAGE);
	status = run(argc, argv);
	if (fflush(stdout) != 0 && status == 0) {
		complain("cannot write standard output");
		return COMMAND_FAILED;
	}
	return status;
}

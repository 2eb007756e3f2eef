/* SPDX-License-Identifier: MIT */
#include "leftovers.h"
#include "options.h"
#include "streams.h"

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
	bool is_run = argc > 1 && command_find(argv[1]) == &command_run;

	streams_begin(is_run);
	leftovers_catch_signals();
	return streams_end(argc < 2 ? list(stderr, COMMAND_USAGE)
	                            : run(argc, argv),
	                   is_run ? RUN_FAILED : COMMAND_FAILED);
}

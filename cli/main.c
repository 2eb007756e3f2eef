/* SPDX-License-Identifier: MIT */
#include "leftovers.h"
#include "options.h"
#include "pager.h"
#include "similar.h"
#include "streams.h"

#include <stdio.h>
#include <string.h>

static int list(FILE *to, int status)
{
	fprintf(to, "usage: guesttrace [--no-pager] COMMAND ...\n\n");
	for (size_t i = 0; commands[i]; i++)
		fprintf(to, "  %-8s %s\n", commands[i]->name,
		        commands[i]->what);
	fprintf(to, "\n`guesttrace COMMAND --help` lists a command's "
	            "options.\n");
	return status;
}

static const char *name_of(const void *unused, size_t number)
{
	(void)unused;
	return commands[number] ? commands[number]->name : NULL;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static int run(int argc, char **argv)
{
	const struct command_spec *command = command_find(argv[1]);
	const char *meant;

	if (is_one_of(argv[1], "-h", "--help") ||
	    (argc == 2 && command == &command_help))
		return list(stdout, 0);
	if (is_one_of(argv[1], "-V", "--version")) {
		printf("guesttrace %s\n", GT_VERSION);
		return 0;
	}
	if (command)
		return command->run(argc - 1, argv + 1);
	meant = similar(argv[1], name_of, NULL);
	if (meant)
		complain("no command '%s'; did you mean %s?", argv[1], meant);
	else
		complain("no command '%s'", argv[1]);
	return list(stderr, COMMAND_USAGE);
}

int main(int argc, char **argv)
{
	bool is_run;

	if (argc > 1 && strcmp(argv[1], "--no-pager") == 0) {
		pager_never();
		argc--;
		argv++;
	}
	is_run = argc > 1 && command_find(argv[1]) == &command_run;
	streams_begin(is_run);
	leftovers_catch_signals();
	return streams_end(argc < 2 ? list(stderr, COMMAND_USAGE)
	                            : run(argc, argv),
	                   is_run ? RUN_FAILED : COMMAND_FAILED);
}

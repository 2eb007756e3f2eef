/* SPDX-License-Identifier: MIT */
/* guesttrace export: captures -> another tool's format. */
#include "command.h"
#include "replayer.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int usage(void)
{
	fprintf(stderr,
	        "usage: guesttrace export --format FORMAT [-o DEST] "
	        "CAPTURE...\n"
	        "FORMAT: %s\n",
	        format_names());
	return COMMAND_USAGE;
}

int cmd_export(int argc, char **argv)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{NULL, 0, NULL, 0},
	};
	static struct outputs outputs;
	const char *format = NULL, *path = NULL;
	const struct format *found;
	int option;

	while ((option = getopt_long(argc, argv, "f:o:", options, NULL)) != -1)
		switch (option) {
		case 'f':
			format = optarg;
			break;
		case 'o':
			path = optarg;
			break;
		default:
			return usage();
		}
	if (!format || optind == argc)
		return usage();
	found = format_find(format, strlen(format));
	if (!found) {
		complain("no format '%s'; there are %s", format,
		         format_names());
		return COMMAND_USAGE;
	}
	if (outputs_add(&outputs, format, found->new_sink, path) < 0)
		return COMMAND_USAGE;
	outputs.many_runs = argc - optind > 1;
	return replay_all(&outputs, argv + optind, argc - optind);
}

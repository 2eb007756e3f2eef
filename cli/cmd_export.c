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
	        "[--spool DIR] CAPTURE...\n"
	        "FORMAT: %s\n",
	        format_names());
	return COMMAND_USAGE;
}

int cmd_export(int argc, char **argv)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"spool", required_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	static struct outputs outputs;
	const char *format = NULL, *path = NULL;
	new_sink_fn *new_sink;
	int option;

	while ((option = getopt_long(argc, argv, "f:o:", options, NULL)) != -1)
		switch (option) {
		case 'f':
			format = optarg;
			break;
		case 'o':
			path = optarg;
			break;
		case 's':
			outputs.otlp.spool = optarg;
			break;
		default:
			return usage();
		}
	if (!format || optind == argc)
		return usage();
	new_sink = format_find(format, strlen(format));
	if (!new_sink) {
		complain("no format '%s'; there are %s", format,
		         format_names());
		return COMMAND_USAGE;
	}
	outputs.otlp.offline = true;
	outputs_add(&outputs, format, new_sink, path);
	return replay_all(&outputs, argv + optind, argc - optind);
}

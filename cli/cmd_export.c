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
	        "[--by self|exits]\n"
	        "       [--spool DIR] CAPTURE...\n"
	        "FORMAT: %s\n",
	        format_names());
	return COMMAND_USAGE;
}

int cmd_export(int argc, char **argv)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"by", required_argument, NULL, 'b'},
		{"spool", required_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	static struct outputs outputs;
	const char *format = NULL, *path = NULL, *by = "self";
	const struct format *found;
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
		case 'b':
			by = optarg;
			break;
		case 's':
			outputs.otlp.spool = optarg;
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
	outputs.otlp.offline = true;
	new_sink = found->new_sink;
	if (strcmp(by, "exits") == 0 && new_sink == gt_folded_new) {
		new_sink = gt_folded_exits_new;
	} else if (strcmp(by, "self") != 0) {
		complain("--by is self, or exits of the format folded");
		return COMMAND_USAGE;
	}
	if (outputs_add(&outputs, format, new_sink, path) < 0)
		return COMMAND_USAGE;
	outputs.many_runs = argc - optind > 1;
	return replay_all(&outputs, argv + optind, argc - optind);
}

/* SPDX-License-Identifier: MIT */
/* guesttrace export: captures -> another tool's format. */
#include "options.h"
#include "replayer.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	OPTION_SPOOL = 256,
};

static const struct option_spec options[] = {
	{'f', "format", "FORMAT", "", format_names},
	{'o', "output", "DEST", "default standard output", NULL},
	{OPTION_SPOOL, "spool", "DIR", "what otlp cannot send now", NULL},
	{0},
};

static int cmd_export(int argc, char **argv)
{
	static struct outputs outputs;
	const char *format = NULL, *path = NULL;
	new_sink_fn *new_sink;
	int id;

	while ((id = options_next(&command_export, argc, argv)) != -1)
		switch (id) {
		case 'f':
			format = optarg;
			break;
		case 'o':
			path = optarg;
			break;
		case OPTION_SPOOL:
			outputs.otlp.spool = optarg;
			break;
		default:
			return options_stop(&command_export, id);
		}
	if (!format || optind == argc)
		return options_usage(&command_export);
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

const struct command_spec command_export = {
	.name = "export",
	.operands = "CAPTURE...",
	.what = "turn captures into another tool's format",
	.options = options,
	.run = cmd_export,
	.usage_status = COMMAND_USAGE,
};

/* SPDX-License-Identifier: MIT */
/* guesttrace report: what happened, for a person or as JSON. */
#include "command.h"
#include "replayer.h"

#include <getopt.h>
#include <stdio.h>

int cmd_report(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	static struct outputs outputs;
	new_sink_fn *new_sink = gt_report_new;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return COMMAND_USAGE;
		new_sink = gt_report_json_new;
	}
	if (optind == argc) {
		fprintf(stderr,
		        "usage: guesttrace report [--json] CAPTURE...\n");
		return COMMAND_USAGE;
	}
	outputs_add(&outputs, "report", new_sink, NULL);
	return replay_all(&outputs, argv + optind, argc - optind);
}

/* SPDX-License-Identifier: MIT */
/* guesttrace spool send: what an absent endpoint left behind. */
#include "confinement.h"
#include "options.h"
#include "otlp_output.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	OPTION_TO = 256,
};

static const struct option_spec options[] = {
	{OPTION_TO, "to", "URL", "instead of what the environment names", NULL},
	SANDBOX_ROW("do not give up what sending has no need of"),
	{0},
};

static int cmd_spool(int argc, char **argv)
{
	const char *url = NULL;
	int id;

	while ((id = options_next(&command_spool, argc, argv)) != -1) {
		if (id != OPTION_TO)
			return options_stop(&command_spool, id);
		url = optarg;
	}
	if (!options_operands(&command_spool, argc, argv, 2, 2))
		return COMMAND_USAGE;
	if (strcmp(argv[optind], "send") != 0) {
		complain("spool: no action '%s'; there is send", argv[optind]);
		return options_usage(&command_spool);
	}
	if (confinement_of_reading(&(struct reading){
		    .sends = true, .spool = argv[optind + 1]}) < 0)
		return COMMAND_FAILED;
	return otlp_spool_send(url, argv[optind + 1]);
}

const struct command_spec command_spool = {
	.name = "spool",
	.operands = "send DIR",
	.what = "send what an absent OTLP endpoint left behind",
	.options = options,
	.run = cmd_spool,
	.examples =
		"  guesttrace spool send spool\n"
		"  guesttrace spool --to http://localhost:4318 send spool\n",
	.usage_status = COMMAND_USAGE,
};

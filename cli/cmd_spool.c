/* SPDX-License-Identifier: MIT */
/* guesttrace spool send: what an absent endpoint left behind. */
#include "command.h"
#include "otlp_output.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int usage(void)
{
	fprintf(stderr, "usage: guesttrace spool send [--to URL] DIR\n");
	return COMMAND_USAGE;
}

int cmd_spool(int argc, char **argv)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	const char *url = NULL;
	int option;

	if (argc < 2 || strcmp(argv[1], "send") != 0)
		return usage();
	argc--;
	argv++;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 't')
			return usage();
		url = optarg;
	}
	if (optind != argc - 1)
		return usage();
	return otlp_spool_send(url, argv[optind]);
}

/* SPDX-License-Identifier: MIT */
/* guesttrace diff: what changed from one capture to another, per name. */
#include "options.h"
#include "replayer.h"
#include "screen.h"

#include <getopt.h>
#include <stdio.h>

enum {
	OPTION_JSON = 256,
	OPTION_NAME,
	OPTION_TOP,
	OPTION_COLOR,
};

static const struct option_spec options[] = {
	{OPTION_JSON, "json", NULL, "all of it as one JSON object", NULL},
	{OPTION_NAME, "name", "GLOB", "only such names", NULL},
	{OPTION_TOP, "top", "N", "as many names; 0: all", NULL},
	{OPTION_COLOR, "color", "auto|always|never", "default auto", NULL},
	{0},
};

static bool take_option(struct gt_report_options *look,
                        enum screen_colours *colours, bool *json, int id)
{
	switch (id) {
	case OPTION_JSON:
		return *json = true;
	case OPTION_NAME:
		look->name = optarg;
		return true;
	case OPTION_TOP:
		return parse_count("top", optarg, UINT32_MAX, &look->top);
	default:
		return screen_parse(optarg, colours);
	}
}

static int cmd_diff(int argc, char **argv)
{
	struct gt_report_options look = {.size = sizeof(look)};
	enum screen_colours colours = COLOURS_AUTO;
	static struct outputs outputs;
	bool json = false;
	int id;

	while ((id = options_next(&command_diff, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_diff, id);
		if (!take_option(&look, &colours, &json, id))
			return COMMAND_USAGE;
	}
	if (argc - optind != 2)
		return options_usage(&command_diff);
	outputs.says_damage = true;
	screen_look(colours, &look);
	if (json)
		outputs_add(&outputs, "diff", gt_diff_json_new, NULL);
	else
		outputs_add_text(&outputs, "diff", gt_diff_with, &look);
	return replay_all(&outputs, argv + optind, 2);
}

const struct command_spec command_diff = {
	.name = "diff",
	.operands = "CAPTURE CAPTURE",
	.what = "show what changed from the first capture to the second",
	.options = options,
	.run = cmd_diff,
	.usage_status = COMMAND_USAGE,
};

/* SPDX-License-Identifier: MIT */
/* guesttrace diff: what changed from one capture to another, per name. */
#include "options.h"
#include "replayer.h"
#include "screen.h"
#include "selecting.h"

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
	{SELECT_SORT, "sort", "total|self|count|avg|p50|p99|max",
         "whose change comes first", NULL},
	{SELECT_BY, "by", "FIELD", "a row of names for each value of it", NULL},
	{SELECT_UNIT, "unit", "ns|us|ms", "of all times, to the ns", NULL},
	SELECTING_SPANS,
	{OPTION_COLOR, "color", "auto|always|never", "default auto", NULL},
	{0},
};

struct diff {
	struct gt_report_options look;
	struct gt_analysis analysis;
	enum screen_colours colours;
	bool json;
	bool has_top;
};

static bool take_option(struct diff *diff, int id)
{
	if (is_selecting(id))
		return selecting_take(&diff->analysis, id);
	switch (id) {
	case OPTION_JSON:
		return diff->json = true;
	case OPTION_NAME:
		diff->look.name = optarg;
		return true;
	case OPTION_TOP:
		diff->has_top = true;
		return parse_count("top", optarg, UINT32_MAX, &diff->look.top);
	default:
		return screen_parse(optarg, &diff->colours);
	}
}

/* What would have no effect is refused: it would be missed. */
static bool has_a_meaning(const struct diff *diff)
{
	const char *other = !diff->json                       ? NULL
	                    : diff->look.name                 ? "--name"
	                    : diff->has_top                   ? "--top"
	                    : diff->analysis.unit             ? "--unit"
	                    : diff->colours == COLOURS_ALWAYS ? "--color always"
	                                                      : NULL;

	if (other)
		complain("%s does not go with --json", other);
	return !other && selecting_has_a_meaning(&diff->analysis);
}

static int cmd_diff(int argc, char **argv)
{
	struct diff diff = {.look.size = sizeof(diff.look),
	                    .analysis.size = sizeof(diff.analysis)};
	static struct outputs outputs;
	int id;

	while ((id = options_next(&command_diff, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_diff, id);
		if (!take_option(&diff, id))
			return COMMAND_USAGE;
	}
	if (argc - optind != 2)
		return options_usage(&command_diff);
	if (!has_a_meaning(&diff))
		return COMMAND_USAGE;
	outputs.says_damage = true;
	diff.look.analysis = &diff.analysis;
	screen_look(diff.colours, &diff.look);
	if (diff.json)
		outputs_add_text(&outputs, "diff", gt_diff_json_with,
		                 &diff.look);
	else
		outputs_add_text(&outputs, "diff", gt_diff_with, &diff.look);
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

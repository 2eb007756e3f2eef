/* SPDX-License-Identifier: MIT */
/* guesttrace report: what happened, for a person or as JSON. */
#include "options.h"
#include "replayer.h"
#include "screen.h"
#include "tail.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	OPTION_JSON = 256,
	OPTION_FOLLOW,
	OPTION_DEPTH,
	OPTION_MIN_DURATION,
	OPTION_NAME,
	OPTION_TOP,
	OPTION_HISTOGRAM,
	OPTION_EXITS,
	OPTION_COLOR,
};

static const struct option_spec options[] = {
	{OPTION_JSON, "json", NULL, "all of it as one JSON object", NULL},
	{OPTION_FOLLOW, "follow", NULL,
         "of a capture being written: show each tree when it is complete",
         NULL},
	{OPTION_DEPTH, "depth", "N", "levels of the tree; 0: no tree", NULL},
	{OPTION_MIN_DURATION, "min-duration", "DURATION",
         "only spans that took this long, such as 20us", NULL},
	{OPTION_NAME, "name", "GLOB",
         "only spans of such a name, with what is above and below", NULL},
	{OPTION_TOP, "top", "N", "rows of the table of names; 0: all", NULL},
	{OPTION_HISTOGRAM, "histogram", "NAME",
         "how long the spans of such a name took", NULL},
	{OPTION_EXITS, "exits", NULL, "VM exits in the tree", NULL},
	{OPTION_COLOR, "color", "auto|always|never", "default auto", NULL},
	{0},
};

struct report {
	struct gt_report_options look;
	enum screen_colours colours;
	bool json;
	bool follow;
	bool has_top;
};

static bool take_option(struct report *report, int id)
{
	struct gt_report_options *look = &report->look;

	switch (id) {
	case OPTION_JSON:
		return report->json = true;
	case OPTION_FOLLOW:
		return report->follow = true;
	case OPTION_DEPTH:
		if (!parse_count("depth", optarg, UINT32_MAX, &look->depth))
			return false;
		look->no_tree = look->depth == 0;
		return true;
	case OPTION_MIN_DURATION:
		return parse_duration("min-duration", optarg,
		                      &look->min_duration_ns);
	case OPTION_NAME:
		look->name = optarg;
		return true;
	case OPTION_TOP:
		report->has_top = true;
		return parse_count("top", optarg, UINT32_MAX, &look->top);
	case OPTION_HISTOGRAM:
		look->histogram = optarg;
		return true;
	case OPTION_EXITS:
		return look->exits = true;
	default:
		return screen_parse(optarg, &report->colours);
	}
}

static int show(const struct report *report, char *const *paths, int count)
{
	static struct outputs outputs;

	if (report->json)
		outputs_add(&outputs, "report", gt_report_json_new, NULL);
	else
		outputs_add_text(&outputs, "report",
		                 report->follow ? gt_follow_with
		                                : gt_report_with,
		                 &report->look);
	return report->follow ? tail(&outputs, paths[0])
	                      : replay_all(&outputs, paths, count);
}

/* An option that says what --follow does not show; NULL: there is none. */
static const char *beside_follow(const struct report *report)
{
	if (report->json)
		return "--json";
	if (report->look.histogram)
		return "--histogram";
	if (report->has_top)
		return "--top";
	return report->look.no_tree ? "--depth 0" : NULL;
}

/* An option of the tree alone; NULL: there is none. */
static const char *of_the_tree(const struct gt_report_options *look)
{
	return look->exits             ? "--exits"
	       : look->min_duration_ns ? "--min-duration"
	                               : NULL;
}

/* The same of the tree and its table. */
static const char *of_tree_and_table(const struct report *report)
{
	const struct gt_report_options *look = &report->look;

	return look->depth || look->no_tree ? "--depth"
	       : look->name                 ? "--name"
	       : report->has_top            ? "--top"
	                                    : of_the_tree(look);
}

/* What says that something else is shown; NULL: nothing does. */
static const char *other_view(const struct report *report)
{
	return report->json             ? "--json"
	       : report->look.histogram ? "--histogram"
	       : report->look.no_tree   ? "--depth 0"
	                                : NULL;
}

/* What would have no effect is refused: it would be missed. */
static bool has_a_meaning(const struct report *report)
{
	const char *view = other_view(report), *other = NULL;

	if (report->json && report->look.histogram)
		other = "--histogram";
	else if (report->json && report->colours == COLOURS_ALWAYS)
		other = "--color always";
	else if (report->json || report->look.histogram)
		other = of_tree_and_table(report);
	else if (report->look.no_tree)
		other = of_the_tree(&report->look);
	if (other)
		complain("%s does not go with %s", other, view);
	return !other;
}

static bool can_follow(const struct report *report, int captures)
{
	const char *other = beside_follow(report);

	if (other)
		complain("--follow shows trees alone: it does not go with %s",
		         other);
	else if (captures != 1)
		complain("--follow shows one capture, not %d", captures);
	return !other && captures == 1;
}

static int cmd_report(int argc, char **argv)
{
	struct report report = {.look.size = sizeof(report.look)};
	int id;

	while ((id = options_next(&command_report, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_report, id);
		if (!take_option(&report, id))
			return COMMAND_USAGE;
	}
	if (optind == argc)
		return options_usage(&command_report);
	if (report.follow ? !can_follow(&report, argc - optind)
	                  : !has_a_meaning(&report))
		return COMMAND_USAGE;
	screen_look(report.colours, &report.look);
	return show(&report, argv + optind, argc - optind);
}

const struct command_spec command_report = {
	.name = "report",
	.operands = "CAPTURE...",
	.what = "show what captures hold: tree, times, losses",
	.options = options,
	.run = cmd_report,
	.usage_status = COMMAND_USAGE,
};

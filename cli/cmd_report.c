/* SPDX-License-Identifier: MIT */
/* guesttrace report: what happened, for a person or as JSON. */
#include "confinement.h"
#include "options.h"
#include "pager.h"
#include "replayer.h"
#include "screen.h"
#include "selecting.h"
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
	OPTION_CALLS,
	OPTION_CALLERS,
	OPTION_RUNS,
	OPTION_SYMBOLS,
	OPTION_COLOR,
};

static const struct option_spec options[] = {
	{OPTION_JSON, "json", NULL, "all of it as one JSON object", NULL},
	{OPTION_FOLLOW, "follow", NULL,
         "of a capture being written: show each span when it ends",
         NULL},
	{OPTION_DEPTH, "depth", "N", "levels of the tree; 0: no tree", NULL},
	{OPTION_MIN_DURATION, "min-duration", "DURATION",
         "only spans that took this long, such as 20us", NULL},
	{OPTION_NAME, "name", "GLOB",
         "only spans of such a name, with what is above and below", NULL},
	{OPTION_TOP, "top", "N", "rows of the table of names; 0: all", NULL},
	{OPTION_HISTOGRAM, "histogram", "NAME",
         "how long the spans of such a name took", NULL},
	{OPTION_EXITS, "exits", NULL,
         "VM exits in the tree, and their times by reason and port", NULL},
	{OPTION_CALLS, "calls", NULL,
         "spans summed up by path: which name called which", NULL},
	{OPTION_CALLERS, "callers", "GLOB",
         "the same from below: who called spans of such a name", NULL},
	{OPTION_RUNS, "runs", NULL,
         "all captures in one table, and which is unlike the others", NULL},
	{SELECT_SLOWEST, "slowest", "N",
         "the N slowest spans, and what sets each apart", NULL},
	{SELECT_SORT, "sort", "total|self|count|avg|p50|p99|max",
         "by what names and paths are sorted", NULL},
	{SELECT_BY, "by", "FIELD", "a row of names for each value of it", NULL},
	{SELECT_UNIT, "unit", "ns|us|ms", "of all times, to the ns", NULL},
	SELECTING_SPANS,
	{OPTION_SYMBOLS, "symbols", "FILE",
         "an ELF that says where a guest died, if the capture does not", NULL},
	READS_IN_SANDBOX,
	{OPTION_COLOR, "color", "auto|always|never", "default auto", NULL},
	{0},
};

struct report {
	struct gt_report_options look;
	struct gt_analysis analysis;
	enum screen_colours colours;
	uint32_t given; /* BIT() of each option that was */
	const char *symbols; /* path, or NULL */
	bool json;
	bool follow;
};

#define BIT(option) (1u << ((option)-256))

static bool take_option(struct report *report, int id)
{
	struct gt_report_options *look = &report->look;

	if (is_selecting(id))
		return selecting_take(&report->analysis, id);
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
		return parse_count("top", optarg, UINT32_MAX, &look->top);
	case OPTION_HISTOGRAM:
		look->histogram = optarg;
		return true;
	case OPTION_EXITS:
		return look->exits = true;
	case OPTION_CALLS:
		return report->analysis.calls = true;
	case OPTION_RUNS:
		return report->analysis.runs = true;
	case OPTION_CALLERS:
		report->analysis.callers = optarg;
		return true;
	case OPTION_SYMBOLS:
		report->symbols = optarg;
		return true;
	default:
		return screen_parse(optarg, &report->colours);
	}
}

static int show_into(struct outputs *outputs, const struct report *report,
                     char *const *paths, int count)
{
	struct symbols symbols = {0};
	int status = COMMAND_FAILED;

	if (report->symbols && symbols_open(&symbols, report->symbols) < 0)
		return COMMAND_FAILED;
	if (!report->json && !report->follow)
		pager_begin();
	if (confinement_of_reading(&(struct reading){
		    .paths = paths, .count = count, .outputs = outputs}) == 0)
		status = report->follow ? tail(outputs, paths[0], NULL)
		         : report->symbols
		                 ? replay_named(outputs, paths, count, &symbols)
		                 : replay_all(outputs, paths, count);
	symbols_close(&symbols);
	return status;
}

static int show(struct report *report, char *const *paths, int count)
{
	static struct outputs outputs;

	report->analysis.labels = (const char *const *)paths;
	report->analysis.label_count = (uint32_t)count;

	if (report->json)
		outputs_add_text(&outputs, "report", gt_report_json_with,
		                 &report->look);
	else
		outputs_add_text(&outputs, "report",
		                 report->follow ? gt_follow_with
		                                : gt_report_with,
		                 &report->look);
	return show_into(&outputs, report, paths, count);
}

/* ---- What goes with what ------------------------------------------------- */

/* What says that something else is shown, and the options that it takes. */
struct view {
	int option;
	const char *name;
	uint32_t takes;
};

/* What all views take, for which spans count. */
#define SPANS                                                        \
	(BIT(SELECT_WHERE) | BIT(SELECT_ERRORS) | BIT(SELECT_FROM) | \
	 BIT(SELECT_TO))
/* What texts take. */
#define PLAIN_TEXT (SPANS | BIT(OPTION_COLOR) | BIT(SELECT_UNIT))
/* And those with a header. */
#define TEXT (PLAIN_TEXT | BIT(OPTION_SYMBOLS))

static const struct view views[] = {
	{OPTION_RUNS, "--runs", BIT(OPTION_JSON) | BIT(OPTION_NAME) | PLAIN_TEXT},
	{OPTION_HISTOGRAM, "--histogram", TEXT},
	{OPTION_CALLERS, "--callers",
         BIT(OPTION_JSON) | BIT(OPTION_DEPTH) | BIT(OPTION_MIN_DURATION) |
                 BIT(SELECT_SORT) | BIT(SELECT_BY) | TEXT},
	{OPTION_CALLS, "--calls",
         BIT(OPTION_JSON) | BIT(OPTION_DEPTH) | BIT(OPTION_MIN_DURATION) |
                 BIT(SELECT_SORT) | BIT(SELECT_BY) | TEXT},
	{SELECT_SLOWEST, "--slowest",
         BIT(OPTION_JSON) | BIT(OPTION_DEPTH) | BIT(OPTION_NAME) |
                 BIT(OPTION_EXITS) | TEXT},
	{OPTION_DEPTH, "--depth 0",
         BIT(OPTION_NAME) | BIT(OPTION_TOP) | BIT(OPTION_EXITS) |
                 BIT(SELECT_SORT) | BIT(SELECT_BY) | TEXT},
};

/* As JSON, with what says that it is only a part. */
static const struct view as_json = {
	OPTION_JSON, "--json",
	BIT(OPTION_CALLS) | BIT(OPTION_CALLERS) | BIT(OPTION_RUNS) |
		BIT(SELECT_SLOWEST) | BIT(SELECT_SORT) | BIT(SELECT_BY) |
		SPANS | BIT(OPTION_COLOR) | BIT(OPTION_SYMBOLS)};

#define FOLLOWED                                                     \
	(BIT(OPTION_FOLLOW) | BIT(OPTION_DEPTH) | BIT(OPTION_NAME) | \
	 BIT(OPTION_EXITS) | BIT(OPTION_MIN_DURATION) | PLAIN_TEXT)

/* Of those that were given the first one that is not among `taken`. */
static const char *first_beside(const struct report *report, uint32_t taken)
{
	const struct option_spec *spec = options;

	while (spec->id && !(report->given & BIT(spec->id) & ~taken))
		spec++;
	return spec->name;
}

static bool is_shown(const struct report *report, const struct view *view)
{
	if (view->option == OPTION_DEPTH && !report->look.no_tree)
		return false;
	return report->given & BIT(view->option);
}

/* What the view does not take; NULL: there is nothing. */
static const char *first_wrong(const struct report *report,
                               const struct view *view)
{
	uint32_t takes = view->takes | BIT(view->option);
	const char *other;

	if (view->option == OPTION_JSON && report->given & BIT(SELECT_SLOWEST))
		takes |= BIT(OPTION_NAME); /* which is not shown less, then */
	other = first_beside(report, takes);
	if (!other && view->option == OPTION_JSON &&
	    report->colours == COLOURS_ALWAYS)
		return "color always";
	if (!other && view->option != OPTION_DEPTH && report->look.no_tree)
		return "depth 0";
	return other;
}

static bool takes_all(const struct report *report, const struct view *view)
{
	const char *other =
		is_shown(report, view) ? first_wrong(report, view) : NULL;

	if (other)
		complain("--%s does not go with %s", other, view->name);
	return !other;
}

/* Of paths there is no percentile. */
static bool can_sort(const struct report *report)
{
	if (report->analysis.sort < GT_SORT_P50 ||
	    !(report->given & (BIT(OPTION_CALLS) | BIT(OPTION_CALLERS))))
		return true;
	complain("--calls and --callers are sorted by total, self, count or "
	         "avg");
	return false;
}

/* What would have no effect is refused: it would be missed. */
static bool has_a_meaning(const struct report *report)
{
	if (!takes_all(report, &as_json))
		return false;
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (!takes_all(report, &views[i]))
			return false;
	return can_sort(report) && selecting_has_a_meaning(&report->analysis);
}

static bool can_follow(const struct report *report, int captures)
{
	const char *other = report->look.no_tree
	                            ? "depth 0"
	                            : first_beside(report, FOLLOWED);

	if (other)
		complain("--follow shows spans alone: it does not go with --%s",
		         other);
	else if (captures != 1)
		complain("--follow shows one capture, not %d", captures);
	return !other && captures == 1 &&
	       selecting_has_a_meaning(&report->analysis);
}

static int cmd_report(int argc, char **argv)
{
	struct report report = {.look.size = sizeof(report.look),
	                        .analysis.size = sizeof(report.analysis)};
	int id;

	while ((id = options_next(&command_report, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_report, id);
		if (!take_option(&report, id))
			return COMMAND_USAGE;
		report.given |= BIT(id);
	}
	report.look.analysis = &report.analysis;
	if (!options_operands(&command_report, argc, argv, 1, argc))
		return COMMAND_USAGE;
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
	.examples =
		"  guesttrace report kv.gtrace\n"
		"  guesttrace report --slowest 3 --name request kv.gtrace\n",
	.usage_status = COMMAND_USAGE,
};

/* SPDX-License-Identifier: MIT */
/* guesttrace diff: what changed from one capture to another, per name. */
#include "confinement.h"
#include "options.h"
#include "pager.h"
#include "replayer.h"
#include "screen.h"
#include "selecting.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIFF_BEYOND 3 /* status: a change is beyond --fail-if */

enum {
	OPTION_JSON = 256,
	OPTION_NAME,
	OPTION_TOP,
	OPTION_BEFORE,
	OPTION_AFTER,
	OPTION_FAIL_IF,
	OPTION_COLOR,
};

static const struct option_spec options[] = {
	{OPTION_BEFORE, "before", "CAPTURE",
         "this and those behind it are one side", NULL},
	{OPTION_AFTER, "after", "CAPTURE",
         "the other side, likewise up to the next option", NULL},
	{OPTION_FAIL_IF, "fail-if", "BOUND",
         "exit with 3 if a change is beyond it: 'p99 > +5%'", NULL},
	{OPTION_JSON, "json", NULL, "all of it as one JSON object", NULL},
	{OPTION_NAME, "name", "GLOB", "only such names", NULL},
	{OPTION_TOP, "top", "N", "as many names; 0: all", NULL},
	{SELECT_SORT, "sort", "total|self|count|avg|p50|p99|max",
         "whose change comes first", NULL},
	{SELECT_BY, "by", "FIELD", "a row of names for each value of it", NULL},
	{SELECT_UNIT, "unit", "ns|us|ms", "of all times, to the ns", NULL},
	SELECTING_SPANS,
	READS_IN_SANDBOX,
	{OPTION_COLOR, "color", "auto|always|never", "default auto", NULL},
	{0},
};

struct diff {
	struct gt_report_options look;
	struct gt_analysis analysis;
	enum screen_colours colours;
	bool json;
	bool has_top;
	uint32_t failures; /* names beyond --fail-if */
	/* The captures: those before come first, there are analysis.before. */
	char **paths;
	int count;
};

static bool take_bound(struct diff *diff)
{
	const char *why;

	diff->analysis.fail_if = optarg;
	if (gt_fail_if_check(optarg, &why) == 0)
		return true;
	complain("--fail-if: %s, not '%s'", why, optarg);
	return false;
}

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
	case OPTION_FAIL_IF:
		return take_bound(diff);
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

/* ---- Which captures are before, which after ------------------------------ */

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* --before and --after take all words up to the next option. They are taken out
 * of `argv`; returns how many words are left. */
static int take_side(struct diff *diff, const char *option, int argc,
                     char **argv)
{
	size_t length = strlen(option);
	bool taking = false;
	int left = 1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], option) == 0)
			taking = true;
		else if (strncmp(argv[i], option, length) == 0 &&
		         argv[i][length] == '=')
			diff->paths[diff->count++] = argv[i] + length + 1;
		else if (taking && !is_option(argv[i]))
			diff->paths[diff->count++] = argv[i];
		else {
			taking = false;
			argv[left++] = argv[i];
		}
	}
	argv[left] = NULL;
	return left;
}

/* Complains and returns false. */
static bool take_operands(struct diff *diff, int argc, char **argv)
{
	int operands = argc - optind;

	if (diff->count == 0 && operands == 2) {
		memcpy(diff->paths, argv + optind, 2 * sizeof(*argv));
		diff->count = 2;
		return true;
	}
	if (diff->count == 0)
		return options_operands(&command_diff, argc, argv, 2, 2);
	if (operands > 0)
		return options_operands(&command_diff, argc, argv, 0, 0);
	if (diff->analysis.before > 0 &&
	    (int)diff->analysis.before < diff->count)
		return true;
	complain("--before and --after go together: each names a capture or "
	         "more");
	return false;
}

static int compare(struct diff *diff)
{
	static struct outputs outputs;
	int status;

	outputs.says_damage = true;
	diff->look.analysis = &diff->analysis;
	diff->analysis.labels = (const char *const *)diff->paths;
	diff->analysis.label_count = (uint32_t)diff->count;
	diff->analysis.failures = &diff->failures;
	screen_look(diff->colours, &diff->look);
	if (diff->json)
		outputs_add_text(&outputs, "diff", gt_diff_json_with,
		                 &diff->look);
	else
		outputs_add_text(&outputs, "diff", gt_diff_with, &diff->look);
	if (!diff->json)
		pager_begin();
	if (confinement_of_reading(&(struct reading){.paths = diff->paths,
	                                             .count = diff->count,
	                                             .outputs = &outputs}) < 0)
		return COMMAND_FAILED;
	status = replay_all(&outputs, diff->paths, diff->count);
	return status == 0 && diff->failures > 0 ? DIFF_BEYOND : status;
}

static int parse(struct diff *diff, int argc, char **argv)
{
	int id;

	argc = take_side(diff, "--before", argc, argv);
	diff->analysis.before = (uint32_t)diff->count;
	argc = take_side(diff, "--after", argc, argv);
	while ((id = options_next(&command_diff, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_diff, id);
		if (!take_option(diff, id))
			return COMMAND_USAGE;
	}
	if (!take_operands(diff, argc, argv) || !has_a_meaning(diff))
		return COMMAND_USAGE;
	return compare(diff);
}

static int cmd_diff(int argc, char **argv)
{
	struct diff diff = {.look.size = sizeof(diff.look),
	                    .analysis.size = sizeof(diff.analysis)};
	int status;

	diff.paths = calloc((size_t)argc + 2, sizeof(*diff.paths));
	if (!diff.paths) {
		complain("out of memory");
		return COMMAND_FAILED;
	}
	status = parse(&diff, argc, argv);
	free(diff.paths);
	return status;
}

const struct command_spec command_diff = {
	.name = "diff",
	.operands = "CAPTURE...",
	.what = "show what changed from the first capture to the second",
	.options = options,
	.run = cmd_diff,
	.examples = "  guesttrace diff kv.gtrace new.gtrace\n"
		    "  guesttrace diff --fail-if 'p99 > +5%' --before "
		    "kv.gtrace --after new.gtrace\n",
	.usage_status = COMMAND_USAGE,
};

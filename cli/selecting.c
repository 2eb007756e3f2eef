/* SPDX-License-Identifier: MIT */
#include "selecting.h"

#include <getopt.h>
#include <string.h>

#define SLOWEST_MAX 1000

bool is_selecting(int id)
{
	return id >= SELECT_FROM && id <= SELECT_SLOWEST;
}

static bool take_where(struct gt_analysis *analysis)
{
	const char *why;
	size_t at;

	analysis->where = optarg;
	if (gt_where_check(optarg, &at, &why) == 0)
		return true;
	complain("--where: %s, at byte %zu: '%s'", why, at, optarg + at);
	return false;
}

static bool take_sort(struct gt_analysis *analysis)
{
	static const char *const words[] = {"total", "self", "count", "avg",
	                                    "p50",   "p99",  "max",   NULL};
	unsigned index;

	if (!parse_word("sort", optarg, words, &index))
		return false;
	analysis->sort = (enum gt_sort)index;
	return true;
}

static bool take_unit(struct gt_analysis *analysis)
{
	static const char *const words[] = {"ns", "us", "ms", NULL};
	unsigned index;

	if (!parse_word("unit", optarg, words, &index))
		return false;
	analysis->unit = (enum gt_unit)(index + GT_UNIT_NS);
	return true;
}

bool selecting_take(struct gt_analysis *analysis, int id)
{
	switch (id) {
	case SELECT_FROM:
		return parse_duration("from", optarg, &analysis->from_ns);
	case SELECT_TO:
		return parse_duration("to", optarg, &analysis->to_ns);
	case SELECT_WHERE:
		return take_where(analysis);
	case SELECT_ERRORS:
		return analysis->errors = true;
	case SELECT_BY:
		analysis->by = optarg;
		return true;
	case SELECT_SORT:
		return take_sort(analysis);
	case SELECT_UNIT:
		return take_unit(analysis);
	default:
		return parse_number("slowest", optarg, 1, SLOWEST_MAX,
		                    &analysis->slowest);
	}
}

bool selecting_has_a_meaning(const struct gt_analysis *analysis)
{
	if (!analysis->to_ns || analysis->to_ns >= analysis->from_ns)
		return true;
	complain("--to is before --from");
	return false;
}

bool selects_spans(const struct gt_analysis *analysis)
{
	return analysis->where || analysis->errors || analysis->from_ns ||
	       analysis->to_ns;
}

/* SPDX-License-Identifier: MIT */
/* Options that say which spans count and in which order: of report, diff and
 * export, with the same words. */
#ifndef GT_CLI_SELECTING_H
#define GT_CLI_SELECTING_H

#include "options.h"

#include <guesttrace/analysis.h>

/* Behind those of each command's own. */
enum {
	SELECT_FROM = 256 + 20,
	SELECT_TO,
	SELECT_WHERE,
	SELECT_ERRORS,
	SELECT_BY,
	SELECT_SORT,
	SELECT_UNIT,
	SELECT_SLOWEST,
};

/* Rows of a table of options. */
#define SELECTING_SPANS                                                        \
	{SELECT_WHERE, "where", "CONDITION",                                   \
	 "only spans of which it holds: 'op=get && bytes>100'", NULL},         \
		{SELECT_ERRORS, "errors", NULL,                                \
	         "only spans whose status is an error", NULL},                 \
		{SELECT_FROM, "from", "DURATION",                              \
	         "only what was behind that time of the run", NULL},           \
	{                                                                      \
		SELECT_TO, "to", "DURATION", "only what was before that time", \
			NULL                                                   \
	}

bool is_selecting(int id);
/* Complains and returns false. */
bool selecting_take(struct gt_analysis *analysis, int id);
/* Of all that were given; complains and returns false. */
bool selecting_has_a_meaning(const struct gt_analysis *analysis);

/* Whether any span may be left out. */
bool selects_spans(const struct gt_analysis *analysis);

#endif

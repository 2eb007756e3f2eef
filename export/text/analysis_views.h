/* SPDX-License-Identifier: MIT */
/* What a report shows instead of all of a trace: analysis.h. */
#ifndef GUESTTRACE_ANALYSIS_VIEWS_H
#define GUESTTRACE_ANALYSIS_VIEWS_H

#include "export/run/collect.h"

/* Spans by path, from above or from below. */
static inline bool gt__has_paths(const struct gt_analysis *analysis)
{
	return analysis->calls || analysis->callers;
}
/* As a table whose names are a tree, as deep as `options` say. */
void gt__put_paths(struct gt__out *out, struct gt__collect *c,
                   const struct gt_summary *summary,
                   const struct gt_report_options *options,
                   const struct gt_analysis *analysis);
/* As a member of the trace. */
void gt__put_paths_json(struct gt__out *out, struct gt__collect *c,
                        const struct gt_analysis *analysis);

#endif

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

/* Spans with all below them, and what sets them apart; the same as a member. */
void gt__put_slowest(struct gt__out *out, struct gt__collect *c,
                     const struct gt_summary *summary,
                     const struct gt_report_options *options,
                     const struct gt_analysis *analysis);
void gt__put_slowest_json(struct gt__out *out, struct gt__collect *c,
                          const struct gt_report_options *options,
                          const struct gt_analysis *analysis);
/* Exits by reason and port, and by the span they were in, of these as many rows
 * as asked for (0: all); the same as members. */
void gt__put_exits(struct gt__out *out, const struct gt__collect *c,
                   const struct gt_summary *summary, uint32_t top);
void gt__put_exits_json(struct gt__out *out, const struct gt__collect *c);

/* Many runs in one table, of what is kept of each of them; gt__runs_free() is
 * of what is kept in the sink. */
void gt__runs_keep(struct gt__collect_sink *x, const struct gt__collect *c,
                   const struct gt_summary *summary);
void gt__runs_free(void *kept);
void gt__put_runs(struct gt__collect_sink *x);
void gt__put_runs_json(struct gt__collect_sink *x);

/* The median one of the name of spans[i], whose times are found as well as its
 * own; `median` is that of spans[i - 1]. False: the writer has the error. */
bool gt__find_beside(struct gt__out *out, struct gt__collect *c,
                     const uint32_t *spans, uint32_t i, uint32_t *median);
/* Of the other span the field of the same key that holds; NULL: none. */
const struct gt_field *gt__other_field(const struct gt_span_view *other,
                                       const struct gt_field *field);
bool gt__same_value(const struct gt_field *a, const struct gt_field *b);

#endif

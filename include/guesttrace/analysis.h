/* SPDX-License-Identifier: MIT */
/*
 * What of a trace is looked at, and how it is summed up: what the texts and the
 * JSON of export.h show instead of all of it. A struct gt_report_options names
 * one of these.
 */
#ifndef GUESTTRACE_ANALYSIS_H
#define GUESTTRACE_ANALYSIS_H

#include <guesttrace/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of names, the largest first. Of paths there are no percentiles: those are as
 * the total. */
enum gt_sort {
	GT_SORT_TOTAL = 0,
	GT_SORT_SELF,
	GT_SORT_COUNT,
	GT_SORT_AVG,
	GT_SORT_P50,
	GT_SORT_P99,
	GT_SORT_MAX,
};

/* Of times in texts: as it fits each of them, or one for all, to the ns. */
enum gt_unit {
	GT_UNIT_FITTING = 0,
	GT_UNIT_NS,
	GT_UNIT_US,
	GT_UNIT_MS,
};

/* Zeros are the defaults. Strings must outlive the sink. */
struct gt_analysis {
	size_t size; /* sizeof(struct gt_analysis) */
	/*
	 * Which spans count. Of a text the tree shows what is above and below
	 * them as well, for as long as it is in the range.
	 */
	const char *where; /* see gt_where_check(); NULL: all */
	bool errors;       /* only those whose status is an error */
	uint64_t from_ns; /* since the start of the run: those open after it, */
	uint64_t to_ns;   /* and before that; 0: until the end */
	/*
	 * Spans summed up by their path, those of the largest total first,
	 * instead of anything else but the header. Of a name that stands above
	 * itself on a path there is one entry: recursion is folded.
	 */
	bool calls;
	/* The same from below: the paths to spans whose name fnmatch(3) finds;
	 * NULL: none. */
	const char *callers;
	/*
	 * So many spans that took the longest, of those that `name` of the
	 * options finds, each with all below it and what sets it apart from the
	 * median one of its name; instead of anything else but the header.
	 */
	uint32_t slowest;
	enum gt_sort sort;
	enum gt_unit unit;
	/* The key of a field: in tables a name is there once for each value of
	 * it; NULL: none. */
	const char *by;
	/*
	 * All traces in one table, at the end: how the total of each name is
	 * spread over them, and which one is unlike the others.
	 */
	bool runs;
	/*
	 * Of a difference: so many traces come first that are one side of it, 0
	 * is one of two; what each trace is called, by its index, or NULL (of
	 * `runs`, too); and a bound such as "p99 > +5%" on changes, with where
	 * to count names that are beyond it, or NULL.
	 */
	uint32_t before;
	const char *const *labels;
	uint32_t label_count;
	const char *fail_if; /* see gt_fail_if_check() */
	uint32_t *failures;
};

/* As gt_report_json_new(), with what `analysis` of `options` asks for; of the
 * others no member has a meaning. `options` may be NULL. 0 or -ENOMEM. */
int gt_report_json_with(const struct gt_output *output,
                        const struct gt_report_options *options,
                        struct gt_sink **ret_sink);

/* As gt_diff_json_new(), in the same way. */
int gt_diff_json_with(const struct gt_output *output,
                      const struct gt_report_options *options,
                      struct gt_sink **ret_sink);

/*
 * What a run does now, in one picture after the other: totals and rates, what is
 * open, names, counters as they stand. Of `options` the colours, and the name,
 * which says what names are shown. It shows one run, and keeps nothing of spans
 * that have ended. At the end of the run it draws the last picture by itself.
 * 0 or -ENOMEM.
 */
int gt_top_new(const struct gt_output *output,
               const struct gt_report_options *options,
               struct gt_sink **ret_sink);
/*
 * Draws one into the output, of at most so many lines and columns (0: any).
 * Rates are since the one before. `now_ns`, since 1970-01-01 UTC, is what ages
 * count up to; 0: the last time in the trace. Nothing before a run begins or
 * behind its end. 0 or a sink's error.
 */
int gt_top_draw(struct gt_sink *sink, uint64_t now_ns, unsigned lines,
                unsigned columns);

/*
 * Whether a bound can be read: total, self, count, avg, p50, p99, max, guest or
 * exits, > or <, and a percentage. 0, or -EINVAL and what is wrong.
 */
int gt_fail_if_check(const char *fail_if, const char **ret_why);

/*
 * Whether a condition on spans can be read:
 *
 *   KEY OP VALUE   = != < <= > >= ~ !~; ~ is fnmatch(3)'s
 *   KEY            it is there, and neither false nor 0
 *   ! && || ( )
 *
 * KEY is name, target, file, message, level, status, vcpu, duration, start, or
 * a field; in quotes or behind a dot always a field. What is said of a field
 * that a span does not have is false. 0, or -EINVAL and what is wrong at which
 * byte. Of such a condition sinks are not made: they return -EINVAL, too.
 */
int gt_where_check(const char *where, size_t *ret_at, const char **ret_why);

/*
 * The selection of an analysis for any sink: what is not selected is not shown
 * to it. Whether a span is, is known when it has ended, and a sink may be shown
 * it when it begins; so each trace is replayed twice, first to the learner, a
 * sink that belongs to the selection.
 *
 * Events, counters and stretches of the host are those of selected spans, or,
 * without a condition on spans, those in the range. Losses are all shown.
 */
struct gt_selection;

/* 0, -ENOMEM, or -EINVAL as above. `analysis` is copied, its strings are not.
 */
int gt_selection_new(const struct gt_analysis *analysis,
                     struct gt_selection **ret_selection);
void gt_selection_free(struct gt_selection *selection); /* or NULL */
struct gt_sink *gt_selection_learner(struct gt_selection *selection);

/* A sink before `to`, which stays the caller's, as the selection does. Its
 * `finish` is that of `to`, its `free` leaves that alone. 0 or -ENOMEM. */
int gt_selection_sink(const struct gt_selection *selection, struct gt_sink *to,
                      struct gt_sink **ret_sink);

#ifdef __cplusplus
}
#endif

#endif

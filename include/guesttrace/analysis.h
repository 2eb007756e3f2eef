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

/* Zeros are the defaults. Strings must outlive the sink. */
struct gt_analysis {
	size_t size; /* sizeof(struct gt_analysis) */
	/*
	 * Spans summed up by their path, those of the largest total first,
	 * instead of anything else but the header. Of a name that stands above
	 * itself on a path there is one entry: recursion is folded.
	 */
	bool calls;
	/* The same from below: the paths to spans whose name fnmatch(3) finds;
	 * NULL: none. */
	const char *callers;
};

/* As gt_report_json_new(), with what `analysis` of `options` asks for; of the
 * others no member has a meaning. `options` may be NULL. 0 or -ENOMEM. */
int gt_report_json_with(const struct gt_output *output,
                        const struct gt_report_options *options,
                        struct gt_sink **ret_sink);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Finished spans, the same for each encoder that is measured: two fields, a u64
 * and a string of 8 bytes, and every third span with an event in it.
 */
#ifndef GUESTTRACE_BENCH_SPAN_SET_H
#define GUESTTRACE_BENCH_SPAN_SET_H

#include <guesttrace/export.h>

#define SPAN_SET_COUNT 10000u

struct span_set {
	struct gt_trace trace;
	struct gt_span_view spans[SPAN_SET_COUNT];
};

/* Made once; static storage. */
const struct span_set *span_set(void);

#endif

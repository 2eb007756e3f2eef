/* SPDX-License-Identifier: MIT */
/* The spans that took the longest, and what sets each apart. */
#ifndef GUESTTRACE_SLOWEST_H
#define GUESTTRACE_SLOWEST_H

#include "collect.h"

#define GT__SLOWEST_MAX 1000u

/* Indices of at most `most` spans that count, were seen whole and whose name
 * `pattern` finds; the slowest first, of equal ones the earlier. */
uint32_t gt__find_slowest(const struct gt__collect *c, const char *pattern,
                          uint32_t most, uint32_t *ret_spans);
/* What a duration is asked of: seen from its opening to its close, and counts.
 */
static inline bool gt__is_whole(const struct gt__span *span)
{
	return gt__counts(span) && !(span->view.flags & GT__UNFINISHED);
}

/* The first one of its name that has the median of their durations. False: out
 * of memory. */
bool gt__find_median(const struct gt__collect *c, uint32_t span,
                     uint32_t *ret_span);

/* A span's children of one name and target, summed up. */
struct gt__below {
	uint32_t group;
	const struct gt_site_view *site;
	uint64_t count[2]; /* of the span, then of the one it is held against */
	uint64_t ns[2];
};
/* By what they add to the difference, the most first. To be freed; NULL: out of
 * memory. */
struct gt__below *gt__find_below(const struct gt__collect *c, uint32_t span,
                                 uint32_t other, uint32_t *ret_count);

/* Exits of the span's vCPU while it was open, but those of tracing. */
uint64_t gt__count_exits(const struct gt__collect *c,
                         const struct gt__span *span);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef GUESTTRACE_HISTOGRAM_H
#define GUESTTRACE_HISTOGRAM_H

#include "tree.h"

/*
 * The durations of all spans whose name fnmatch(3) finds, in buckets of 1, 2, 5
 * times a power of ten, from the fastest to the slowest; then percentiles.
 */
void gt__put_histogram(struct gt__out *out, const struct gt__collect *c,
                       const struct gt_summary *summary, const char *pattern);

#endif

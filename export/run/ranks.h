/* SPDX-License-Identifier: MIT */
/*
 * Whether one set of durations is longer than another, by their ranks alone:
 * the test of Mann and Whitney, the shift of Hodges and Lehmann with its
 * interval, and Cliff's delta. None of these asks how durations are
 * distributed.
 */
#ifndef GUESTTRACE_RANKS_H
#define GUESTTRACE_RANKS_H

#include <stdbool.h>
#include <stdint.h>

/* What is taken for a change: a corrected p below that. */
#define GT__RANKS_P 0.01

struct gt__ranks {
	double p; /* two-sided, that as much differs by chance; 1: no data */
	double delta;     /* -1: all are shorter than before .. 1: all longer */
	int64_t shift_ns; /* the median of all differences */
	int64_t low_ns, high_ns; /* 95 % of its interval */
};

/* Sorts both. Exact for few without ties, else by the normal distribution with
 * corrections for ties and continuity. */
struct gt__ranks gt__compare_ranks(uint64_t *before, uint32_t before_count,
                                   uint64_t *after, uint32_t after_count);

/*
 * Corrects p of `count` tests, each of which is asked, so that the chance that
 * any of them is small by chance is what it would be of one (Holm, 1979).
 * False: out of memory.
 */
bool gt__correct_many(double *p, uint32_t count);

#endif

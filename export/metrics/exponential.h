/* SPDX-License-Identifier: MIT */
/*
 * Exponential histograms (OpenTelemetry, "Metrics Data Model",
 * "ExponentialHistogram"): bucket i has the values above base^i and up to
 * base^(i + 1), where base is 2^(2^-scale). It begins with the finest scale and
 * takes a coarser one whenever its values do not fit into its buckets. Numbers
 * are never below 0 here: durations.
 */
#ifndef GUESTTRACE_EXPONENTIAL_H
#define GUESTTRACE_EXPONENTIAL_H

#include <stdint.h>

#define GT__BUCKETS_MAX 160
#define GT__SCALE_MAX   20
#define GT__SCALE_MIN   (-10)
/* Nothing less is told apart from 0: the smallest normal double. */
#define GT__ZERO_MAX    0x1p-1022

struct gt__exponential {
	int scale;
	int offset; /* index of counts[0] */
	unsigned used;
	uint64_t counts[GT__BUCKETS_MAX];
	uint64_t zeros;
	uint64_t count; /* with the zeros */
	double sum, min, max;
};

void gt__exponential_init(struct gt__exponential *histogram);

/* Anything but a finite number from 0 on is left out. */
void gt__exponential_add(struct gt__exponential *histogram, double value);

/* All that `from` has, at the coarser of both scales or a coarser one. */
void gt__exponential_merge(struct gt__exponential *histogram,
                           const struct gt__exponential *from);

/* The bucket of a value above 0 at that scale. */
int gt__exponential_index(double value, int scale);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Host TSC -> CLOCK_MONOTONIC, by straight lines between paired readings. A
 * record lies between two readings, so its error is at most theirs: no
 * frequency is assumed. Integer arithmetic only, no OS calls.
 */
#ifndef GT_HOST_CLOCK_H
#define GT_HOST_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Enough for records that are held back over some drains. */
#define GT__CLOCK_SAMPLES 64u

struct gt__clock_sample {
	uint64_t tsc;
	uint64_t ns;
	uint64_t rate; /* ns per tick to the next sample, << shift */
	uint32_t shift;
};

struct gt__clock {
	struct gt__clock_sample samples[GT__CLOCK_SAMPLES]; /* by tsc */
	uint32_t count;
	uint64_t error_ns; /* the largest of all readings so far */
};

/* A reading that is not later than the last in both clocks is left out. */
void gt__clock_add(struct gt__clock *clock, uint64_t tsc, uint64_t ns,
                   uint64_t gap_ns);

/*
 * Converts `tsc`. Outside the readings the nearest one's time is stored, and
 * false returned; so with no readings at all, with time 0.
 */
bool gt__clock_convert(const struct gt__clock *clock, uint64_t tsc,
                       uint64_t *ret_ns);

#endif

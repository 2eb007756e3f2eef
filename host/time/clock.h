/* SPDX-License-Identifier: MIT */
/*
 * Ticks of the host's TSC -> CLOCK_MONOTONIC, by straight lines between paired
 * readings; docs/clocks.md. A time lies between two readings, so that no
 * frequency is assumed. Integer arithmetic only, no OS calls.
 *
 * Ticks count from the first reading of a trace, modulo 2^64: a TSC that wraps
 * is one like any other. A trace may last 2^63 ticks, 29 years at 10 GHz.
 */
#ifndef GT_HOST_CLOCK_H
#define GT_HOST_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Enough for records that are held back over some drains. */
#define GT__CLOCK_SAMPLES 64u

/*
 * Between two readings the rate may differ from the mean by one part in this
 * many: NTP slews, and crystals drift. 100 ppm.
 */
#define GT__CLOCK_WANDER 10000u

struct gt__clock_sample {
	uint64_t tick;
	uint64_t ns;
	uint64_t gap_ns;
	uint64_t rate; /* ns per tick to the next sample, << shift */
	uint32_t shift;
};

struct gt__clock {
	struct gt__clock_sample samples[GT__CLOCK_SAMPLES]; /* by tick */
	uint32_t count;
	struct gt__clock_sample first; /* of all, for the mean rate */
	uint64_t pieces;               /* lines so far */
	/* Of all readings, and of all lines that a time was placed on. */
	uint64_t error_ns;
	uint64_t doubt_ns; /* comes on top of it: gt__clock_doubt() */
};

/*
 * A reading with a TSC that is not later than the last one's is left out. Where
 * only its time is not later, both were off by most of their gaps: it is put
 * one nanosecond behind, which is as right as the larger gap.
 */
void gt__clock_add(struct gt__clock *clock, uint64_t tick, uint64_t ns,
                   uint64_t gap_ns);

/*
 * Converts `tick`. Outside the readings the nearest one's time is stored, and
 * false returned; so with no readings at all, with time 0.
 */
bool gt__clock_convert(struct gt__clock *clock, uint64_t tick,
                       uint64_t *ret_ns);

/* A time was placed at `tick` that may as well have been at the other one. */
void gt__clock_doubt(struct gt__clock *clock, uint64_t tick,
                     uint64_t other_tick);

/* Ticks per second between the first and the last reading; 0: too few. */
uint64_t gt__clock_rate_hz(const struct gt__clock *clock);

/*
 * Whether `hz` and the readings contradict each other by more than their gaps
 * and 500 ppm, the most that a kernel slews, explain.
 */
bool gt__clock_contradicts(const struct gt__clock *clock, uint64_t hz);

#endif

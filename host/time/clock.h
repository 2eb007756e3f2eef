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

#include "bend.h"

/* At most so many readings are kept, in 192 KiB. Then lines are joined. */
#define GT__CLOCK_SAMPLES 4096u

/* Of those before `fresh_tick`, which few records need, when room is short. */
#define GT__CLOCK_OLD 64u

struct gt__clock_sample {
	uint64_t tick;
	uint64_t ns;
	uint64_t gap_ns;
	/* Of the line to the next one: */
	uint64_t rate;     /* ns per tick, << shift */
	uint64_t error_ns; /* how far any time on it may be off */
	uint8_t shift;
	bool uneven; /* near its ends it is no better */
};

struct gt__clock {
	struct gt__clock_sample *samples; /* by tick */
	uint32_t count, room;
	uint32_t line; /* of the latest time */
	/* No time before the one is asked for, few before the other. */
	uint64_t oldest_tick, fresh_tick;
	struct gt__clock_sample first, second; /* of all */
	uint64_t latest_tick, latest_ns;       /* of times placed so far */
	uint64_t pieces;                       /* lines so far */
	/* Of all readings, and of all lines that a time was placed on. */
	uint64_t error_ns;
	/* Of the first line: with nothing beside it, and with what came. */
	uint64_t first_used_ns, first_error_ns;
	uint64_t doubt_ns; /* comes on top of it: gt__clock_doubt() */
	uint64_t hz;       /* what the caller knows, for a single reading */
};

/*
 * A reading with a TSC that is not later than the last one's is left out. Where
 * only its time is not later, both were off by most of their gaps: it is put
 * one nanosecond behind, which is as right as the larger gap. 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int gt__clock_add(struct gt__clock *clock,
                                                      uint64_t tick,
                                                      uint64_t ns,
                                                      uint64_t gap_ns);

void gt__clock_fini(struct gt__clock *clock);

/*
 * Converts `tick`. Outside the readings the nearest one's time is stored, the
 * distance is in the error, and false returned; so with no readings at all,
 * with time 0. Later ticks get later times, whatever lines were joined in
 * between.
 */
__attribute__((warn_unused_result)) bool
gt__clock_convert(struct gt__clock *clock, uint64_t tick, uint64_t *ret_ns);

/*
 * Records up to `fresh_tick` are here, but for some; none before `oldest_tick`
 * is to come. Readings of before may go.
 */
void gt__clock_taken(struct gt__clock *clock, uint64_t oldest_tick,
                     uint64_t fresh_tick);

/* A time was placed on the first reading that lay so many ticks before it. */
void gt__clock_early(struct gt__clock *clock, uint64_t ticks);

/* A time was placed at `tick` that may as well have been at the other one. */
void gt__clock_doubt(struct gt__clock *clock, uint64_t tick,
                     uint64_t other_tick);

/* Times that were placed may all be too late by so many ticks. */
void gt__clock_unsure(struct gt__clock *clock, uint64_t ticks);

/* How far any time may be off that was converted so far. */
uint64_t gt__clock_error(const struct gt__clock *clock);

/* Ticks per second between the first and the last reading; 0: too few. */
uint64_t gt__clock_rate_hz(const struct gt__clock *clock);

/*
 * Whether `hz` and the readings contradict each other by more than their gaps
 * and 500 ppm, the most that a kernel slews, explain.
 */
bool gt__clock_contradicts(const struct gt__clock *clock, uint64_t hz);

/* ---- samples.c ----------------------------------------------------------- */

/* As many fraction bits of the line's rate as fit behind the integer ones. */
void gt__clock_line(struct gt__clock_sample *from,
                    const struct gt__clock_sample *to);

/* Room for one more. 0; -ENOMEM: there is none for two. */
int gt__clock_room(struct gt__clock *clock);

/* After a burst, when most of what is kept is not needed any longer. */
void gt__clock_shrink(struct gt__clock *clock);

#endif

/* SPDX-License-Identifier: MIT */
#include "bend.h"

#include <stddef.h>

/*
 * Kernels slew by up to 500 ppm: two rates differ by a thousandth at most, and
 * a hundredth of that for what is left out here, as that a line's own rate is
 * not the mean of the two.
 */
#define RATES_PARTS 990u

/*
 * A rate that does not step wanders by 10 ppm to either side. Thus a line's own
 * rate and that of the one beside it are off by that, and so is the time within
 * by half of it: two and a half times 10 ppm.
 */
#define WANDER_PARTS 40000u

/* Steps are twice as far apart, at least: kernels make one in a second. */
#define STEP_NS 250000000u

__extension__ typedef unsigned __int128 u128;

uint64_t gt__scale(uint64_t value, uint64_t ticks, uint64_t of_ticks)
{
	u128 scaled;

	if (((value | ticks) >> 32) == 0)
		return value * ticks / of_ticks;
	scaled = (u128)value * ticks / of_ticks;
	return scaled > UINT64_MAX ? UINT64_MAX : (uint64_t)scaled;
}

/* Longer by what its readings may be off. */
static uint64_t length_of(const struct gt__stretch *line)
{
	return gt__add(line->ns, line->gap_ns);
}

/*
 * A step of the rate somewhere on the line bends it by at most what the line
 * beside, continued, misses the other end by: with that line's rate up to the
 * step, the clock leaves the straight line by a share of this.
 */
uint64_t gt__bend(const struct gt__stretch *line,
                  const struct gt__stretch *beside, bool *ret_uneven)
{
	uint64_t most = length_of(line) / (4 * RATES_PARTS), bend = most;
	uint64_t missed, noise, seen;

	*ret_uneven = false;
	if (beside) {
		missed = gt__apart(
			gt__scale(beside->ns, line->ticks, beside->ticks),
			line->ns);
		noise = gt__add(
			gt__add(line->gap_ns, 3),
			gt__scale(beside->gap_ns, line->ticks, beside->ticks));
		seen = gt__add(gt__add(missed, noise),
		               length_of(line) / WANDER_PARTS);
		*ret_uneven = missed > gt__add(4 * most, noise);
		if (*ret_uneven || (seen < most && line->ns <= STEP_NS &&
		                    beside->ns <= STEP_NS))
			bend = seen;
	}
	return bend < line->ns ? bend : line->ns; /* it never goes back */
}

uint64_t gt__bend_near(const struct gt__stretch *line, uint64_t ns)
{
	return gt__add(ns, line->gap_ns) / RATES_PARTS;
}

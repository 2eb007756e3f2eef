/* SPDX-License-Identifier: MIT */
/*
 * How far a clock can stray from a straight line between two readings; what is
 * taken for granted about clocks is here alone: docs/clocks.md, "The error
 * bound".
 */
#ifndef GT_HOST_BEND_H
#define GT_HOST_BEND_H

#include <stdbool.h>
#include <stdint.h>

/* What passed on both clocks between two readings. */
struct gt__stretch {
	uint64_t ticks, ns;
	uint64_t gap_ns; /* of both readings together */
};

/* No overflow: what is too large is the largest. */
static inline uint64_t gt__add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t gt__apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* value * ticks / of_ticks, which is above 0. */
uint64_t gt__scale(uint64_t value, uint64_t ticks, uint64_t of_ticks);

/*
 * The farthest from `line`, in ns, not counting the gaps at its ends. `beside`
 * ends where the line begins, or begins where it ends; NULL: there is none.
 * `ret_uneven`: the clock's rate is seen to have changed by more than a kernel
 * slews, so that gt__bend_near() says nothing.
 */
uint64_t gt__bend(const struct gt__stretch *line,
                  const struct gt__stretch *beside, bool *ret_uneven);

/* The same within so many ns of one of its ends. */
uint64_t gt__bend_near(const struct gt__stretch *line, uint64_t ns);

#endif

/* SPDX-License-Identifier: MIT */
/* Of some values, one for each of many runs, the one that is unlike the others.
 */
#ifndef GUESTTRACE_ODD_ONE_H
#define GUESTTRACE_ODD_ONE_H

#include <stdbool.h>
#include <stdint.h>

struct gt__spread {
	uint64_t min, median, max;
	uint64_t deviation; /* the median of the distances from the median */
	uint32_t odd;       /* the value farthest from the median */
	bool is_odd;        /* over 3.5 deviations of a normal distribution
	                       (Iglewicz and Hoaglin, 1993), and 1 % */
};

/* Of at least one. False: out of memory. */
bool gt__find_spread(const uint64_t *values, uint32_t count,
                     struct gt__spread *ret_spread);

#endif

/* SPDX-License-Identifier: MIT */
#include "median.h"
#include "collect.h"

static void swap(uint64_t *a, uint64_t *b)
{
	uint64_t kept = *a;

	*a = *b;
	*b = kept;
}

/* Of that rank, from 0: Hoare's selection, whose pivots nobody can foresee, so
 * that nobody can choose values for which it is slow. */
static uint64_t select_rank(uint64_t *times, uint32_t count, uint32_t rank)
{
	const struct gt__hash_key key = gt__hash_key();
	uint32_t from = 0, end = count;

	while (end - from > 1) {
		uint32_t low = from, at = from, high = end;
		uint64_t pivot = times[from + gt__hash_word(&key, rank ^ end) %
		                                      (end - from)];

		while (at < high) { /* smaller, equal, larger */
			if (times[at] < pivot)
				swap(&times[at++], &times[low++]);
			else if (times[at] > pivot)
				swap(&times[at], &times[--high]);
			else
				at++;
		}
		if (rank < low)
			end = low;
		else if (rank >= high)
			from = high;
		else
			return pivot;
	}
	return times[from];
}

uint64_t gt__median_of(uint64_t *times, uint32_t count)
{
	if (!count)
		return 0;
	return select_rank(times, count,
	                   (uint32_t)gt__nearest_rank(count, 50) - 1);
}

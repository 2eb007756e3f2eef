/* SPDX-License-Identifier: MIT */
#include "odd_one.h"
#include <stdlib.h>
#include <string.h>

#define ODD_MIN 5u /* values, below which none can be called odd */

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

bool gt__find_spread(const uint64_t *values, uint32_t count,
                     struct gt__spread *s)
{
	uint64_t *sorted = malloc(count * sizeof *sorted), far = 0;
	uint32_t i;

	*s = (struct gt__spread){0};
	if (!sorted)
		return false;
	memcpy(sorted, values, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare);
	s->min = sorted[0];
	s->median = sorted[(count - 1) / 2];
	s->max = sorted[count - 1];
	for (i = 0; i < count; i++)
		sorted[i] = distance(values[i], s->median);
	qsort(sorted, count, sizeof *sorted, compare);
	s->deviation = sorted[(count - 1) / 2];
	free(sorted);
	for (i = 0; i < count; i++) {
		if (distance(values[i], s->median) <= far)
			continue;
		far = distance(values[i], s->median);
		s->odd = i;
	}
	s->is_odd = count >= ODD_MIN && far > s->median / 100 &&
	            0.6745 * (double)far > 3.5 * (double)s->deviation;
	return true;
}

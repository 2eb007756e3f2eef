/* SPDX-License-Identifier: MIT */
/* Byte by byte, the low one first: only those that any number has. */
#include "sort_ns.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FEW 256u /* so many are compared */

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static bool is_sorted(const uint64_t *numbers, uint32_t count)
{
	uint32_t i = 1;

	while (i < count && numbers[i - 1] <= numbers[i])
		i++;
	return i >= count;
}

/* By the byte at `shift`, those that are equal there as they stood. */
static void sort_by_byte(const uint64_t *from, uint64_t *to, uint32_t count,
                         unsigned shift)
{
	uint32_t ends[256] = {0}, i, at = 0;

	for (i = 0; i < count; i++)
		ends[from[i] >> shift & 0xff]++;
	for (i = 0; i < 256; i++) {
		uint32_t here = ends[i];

		ends[i] = at;
		at += here;
	}
	for (i = 0; i < count; i++)
		to[ends[from[i] >> shift & 0xff]++] = from[i];
}

void gt__sort_ns(uint64_t *numbers, uint32_t count)
{
	uint64_t *from = numbers, *to, *room, bits = 0;
	unsigned shift;
	uint32_t i;

	if (is_sorted(numbers, count))
		return;
	room = to = count > FEW ? malloc(count * sizeof *room) : NULL;
	if (!room) {
		qsort(numbers, count, sizeof *numbers, compare);
		return;
	}
	for (i = 0; i < count; i++)
		bits |= numbers[i] ^ numbers[0];
	for (shift = 0; shift < 64; shift += 8) {
		uint64_t *other = from;

		if (!(bits >> shift & 0xff))
			continue;
		sort_by_byte(from, to, count, shift);
		from = to;
		to = other;
	}
	if (from != numbers)
		memcpy(numbers, from, count * sizeof *numbers);
	free(room);
}

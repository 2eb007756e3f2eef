/* SPDX-License-Identifier: MIT */
#include "similar.h"

#include <string.h>

#define LETTERS_MAX 40u

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment: letters put in, left out, replaced, or two that
 * stand beside each other swapped. Words are at most LETTERS_MAX long.
 */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][LETTERS_MAX + 1], a_count = strlen(a),
					b_count = strlen(b);
	size_t *before = row[0], *above = row[1], *now = row[2];

	for (size_t j = 0; j <= b_count; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_count; i++) {
		size_t *last = before;

		now[0] = i;
		for (size_t j = 1; j <= b_count; j++) {
			now[j] = least(least(above[j], now[j - 1]) + 1,
			               above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = above;
		above = now;
		now = last;
	}
	return above[b_count];
}

const char *similar(const char *text,
                    const char *(*word)(const void *context, size_t number),
                    const void *context)
{
	size_t count = strlen(text), nearest = count / 3 + 1;
	const char *found = NULL, *one;

	if (count < 2 || count > LETTERS_MAX)
		return NULL;
	for (size_t i = 0; (one = word(context, i)); i++) {
		size_t far = strncmp(one, text, count) == 0 ? 1
		             : strlen(one) > LETTERS_MAX    ? nearest + 1
		                                         : distance(text, one);

		if (far < nearest + !found) {
			nearest = far;
			found = one;
		}
	}
	return found;
}

/* SPDX-License-Identifier: MIT */
#include "ranks.h"
#include "sort_ns.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define EXACT_MAX 16u             /* of each side */
#define NS_MAX    (INT64_MAX / 8) /* so that no sum of differences overflows */
#define Z_95      1.959963984540054 /* of the normal distribution */

struct sides {
	const uint64_t *a, *b; /* before, after: sorted */
	uint32_t n, m;
};

static void sort(uint64_t *values, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (values[i] > NS_MAX)
			values[i] = NS_MAX;
	gt__sort_ns(values, count);
}

/* ---- Mann and Whitney ---------------------------------------------------- */

/* Twice the pairs in which the later is longer, a tie counting for half a pair.
 */
static double twice_u(const struct sides *s)
{
	uint32_t i = 0, k = 0, j;
	double sum = 0;

	for (j = 0; j < s->m; j++) {
		while (i < s->n && s->a[i] < s->b[j])
			i++;
		while (k < s->n && s->a[k] <= s->b[j])
			k++;
		sum += (double)i + k;
	}
	return sum;
}

/* Sum of t^3 - t over the sizes t of groups of equal values. */
static double tie_sum(const struct sides *s)
{
	uint32_t i = 0, j = 0;
	double sum = 0;

	while (i < s->n || j < s->m) {
		uint64_t value = j == s->m || (i < s->n && s->a[i] <= s->b[j])
		                         ? s->a[i]
		                         : s->b[j];
		double t = 0;

		for (; i < s->n && s->a[i] == value; i++)
			t++;
		for (; j < s->m && s->b[j] == value; j++)
			t++;
		sum += t * t * t - t;
	}
	return sum;
}

/*
 * The share of all orders in which no more than `u` pairs are of that kind. How
 * many orders have each number are the coefficients of the Gaussian binomial
 * (n + m over n), which is made factor by factor; all are whole and below 2^53.
 */
static double exact_share(uint32_t n, uint32_t m, uint32_t u)
{
	double ways[EXACT_MAX * EXACT_MAX + 1] = {1}, some = 0, all = 0;
	uint32_t i, k, last = n * m;

	for (i = 1; i <= n; i++) {
		for (k = last + 1; k-- > m + i;)
			ways[k] -= ways[k - m - i];
		for (k = i; k <= last; k++)
			ways[k] += ways[k - i];
	}
	for (k = 0; k <= last; k++) {
		all += ways[k];
		some += k <= u ? ways[k] : 0;
	}
	return some / all;
}

static double p_of(const struct sides *s, double u2)
{
	double n = s->n, m = s->m, all = n + m, ties = tie_sum(s);
	double distance = fabs(u2 / 2 - n * m / 2), variance, p;

	if (s->n <= EXACT_MAX && s->m <= EXACT_MAX && ties == 0) {
		p = 2 *
		    exact_share(s->n, s->m, (uint32_t)(n * m / 2 - distance));
		return p < 1 ? p : 1;
	}
	variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
	if (variance <= 0 || distance <= 0.5)
		return 1;
	return erfc((distance - 0.5) / sqrt(variance) / sqrt(2));
}

/* ---- Hodges and Lehmann -------------------------------------------------- */

/* Pairs whose difference is at most that. */
static uint64_t pairs_up_to(const struct sides *s, int64_t difference)
{
	uint64_t count = 0;
	uint32_t i = 0, j;

	for (j = 0; j < s->m; j++) {
		while (i < s->n &&
		       (int64_t)s->b[j] - (int64_t)s->a[i] > difference)
			i++;
		count += s->n - i;
	}
	return count;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/*
 * The difference of that rank, from 1, of all pairs. It is looked for in steps
 * that double, from `near` on: what is asked for is mostly close to something
 * that is known.
 */
static int64_t difference_at(const struct sides *s, uint64_t rank, int64_t near)
{
	int64_t least = (int64_t)s->b[0] - (int64_t)s->a[s->n - 1];
	int64_t most = (int64_t)s->b[s->m - 1] - (int64_t)s->a[0];
	int64_t low = clamp(near, least, most), high = low, step = 1;

	while (low > least && pairs_up_to(s, low - 1) >= rank) {
		high = low - 1;
		low = low - least > step ? low - step : least;
		step *= 2;
	}
	for (step = 1; high < most && pairs_up_to(s, high) < rank; step *= 2) {
		low = high + 1;
		high = most - high > step ? high + step : most;
	}
	while (low < high) {
		int64_t middle = low + (high - low) / 2;

		if (pairs_up_to(s, middle) >= rank)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void find_shift(const struct sides *s, struct gt__ranks *ranks)
{
	double n = s->n, m = s->m;
	uint64_t pairs = (uint64_t)s->n * s->m;
	double edge = floor(n * m / 2 - Z_95 * sqrt(n * m * (n + m + 1) / 12));
	uint64_t from = edge > 1 ? (uint64_t)edge : 1;
	int64_t middle = (int64_t)s->b[s->m / 2] - (int64_t)s->a[s->n / 2];
	int64_t below = difference_at(s, (pairs + 1) / 2, middle);

	ranks->shift_ns = below;
	if (pairs % 2 == 0)
		ranks->shift_ns +=
			(difference_at(s, pairs / 2 + 1, below) - below) / 2;
	ranks->low_ns = difference_at(s, from, below);
	ranks->high_ns = difference_at(s, pairs + 1 - from, below);
}

struct gt__ranks gt__compare_ranks(uint64_t *before, uint32_t before_count,
                                   uint64_t *after, uint32_t after_count)
{
	struct sides s = {before, after, before_count, after_count};
	struct gt__ranks ranks = {.p = 1};
	double u2;

	if (!s.n || !s.m)
		return ranks;
	sort(before, s.n);
	sort(after, s.m);
	u2 = twice_u(&s);
	ranks.p = p_of(&s, u2);
	ranks.delta = u2 / ((double)s.n * s.m) - 1;
	find_shift(&s, &ranks);
	return ranks;
}

/* ---- Many tests ---------------------------------------------------------- */

struct ranked {
	double p;
	uint32_t index;
};

static int compare_p(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->p != b->p)
		return a->p < b->p ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

bool gt__correct_many(double *p, uint32_t count)
{
	struct ranked *sorted = malloc((count + (size_t)1) * sizeof *sorted);
	double least = 0;
	uint32_t i;

	if (!sorted)
		return false;
	for (i = 0; i < count; i++)
		sorted[i] = (struct ranked){p[i], i};
	qsort(sorted, count, sizeof *sorted, compare_p);
	for (i = 0; i < count; i++) {
		double corrected = sorted[i].p * (count - i);

		if (corrected < least)
			corrected = least;
		least = corrected < 1 ? corrected : 1;
		p[sorted[i].index] = least;
	}
	free(sorted);
	return true;
}

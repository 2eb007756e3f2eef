/* SPDX-License-Identifier: MIT */
/*
 * Statistics against what is published of them and against a count of all that
 * is possible; and what they say of runs that are equal, and of a planted 5 %.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "export/run/ranks.h"
#include "tests/support/random64.h"

#define NEAR(a, b, error)                                         \
	do {                                                      \
		if (!(fabs((a) - (b)) <= (error)))                \
			fail_msg("%.9g is not %.9g", (double)(a), \
			         (double)(b));                    \
	} while (0)

/* Hollander and Wolfe (1973), p. 69: permeability of the chorioamnion, in 1e-2.
 * Their U is 35 of 50, one-sided p 0.1272, the shift 0.305. */
static void a_published_example_comes_out(void **state)
{
	uint64_t term[] = {80, 83, 189, 104, 145, 138, 191, 164, 73, 146};
	uint64_t early[] = {115, 88, 90, 74, 121};
	struct gt__ranks r = gt__compare_ranks(early, 5, term, 10);

	(void)state;
	NEAR(r.p, 2 * 0.12720613, 1e-7);
	NEAR(r.delta, 2 * 35.0 / 50 - 1, 1e-12);
	assert_in_range(r.shift_ns, 30, 31); /* between two differences */
	assert_true(r.low_ns < 0 && r.high_ns > 70);
}

static int compare_values(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static double u_of(const uint64_t *a, unsigned n, const uint64_t *b, unsigned m)
{
	double u = 0;

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < m; j++)
			u += a[i] < b[j] ? 1 : a[i] == b[j] ? 0.5 : 0;
	return u;
}

/* Of all ways to choose which values were before, those as far off. */
static double p_of_all(const uint64_t *values, unsigned n, unsigned m)
{
	uint64_t a[16], b[16];
	double middle = n * m / 2.0, off = 0, all = 0, far = 0;

	for (unsigned pass = 0; pass < 2; pass++)
		for (uint32_t set = 0; set < 1u << (n + m); set++) {
			unsigned k = 0, l = 0;

			if ((unsigned)__builtin_popcount(set) != n)
				continue;
			for (unsigned i = 0; i < n + m; i++)
				if (set >> i & 1)
					a[k++] = values[i];
				else
					b[l++] = values[i];
			if (pass == 0 && set != (1u << n) - 1)
				continue;
			if (pass == 0)
				off = fabs(u_of(a, n, b, m) - middle);
			else
				all++, far += fabs(u_of(a, n, b, m) - middle) >=
				              off - 1e-9;
		}
	return far / all;
}

static void small_sets_are_as_a_count_of_all_says(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		unsigned n = 1 + (unsigned)(random64() % 6);
		unsigned m = 1 + (unsigned)(random64() % 6), count = 0;
		uint64_t values[12];
		int64_t all[36];
		struct gt__ranks r;
		double p;

		for (unsigned i = 0; i < n + m; i++)
			values[i] = random64() % 1000000 * 16 + i; /* no ties */
		p = p_of_all(values, n, m);
		for (unsigned i = 0; i < n; i++)
			for (unsigned j = n; j < n + m; j++)
				all[count++] =
					(int64_t)values[j] - (int64_t)values[i];
		qsort(all, count, sizeof *all, compare_values);
		r = gt__compare_ranks(values, n, values + n, m);
		NEAR(r.p, p, 1e-9);
		NEAR((double)r.shift_ns,
		     (double)(all[(count - 1) / 2] + all[count / 2]) / 2, 1);
	}
}

static void ties_and_nothing_are_no_change(void **state)
{
	uint64_t same[8] = {5, 5, 5, 5, 5, 5, 5, 5}, other[4] = {5, 5, 5, 5};
	uint64_t huge[2] = {UINT64_MAX, UINT64_MAX}, zero[2] = {0, 0};
	struct gt__ranks r = gt__compare_ranks(same, 8, other, 4);

	(void)state;
	NEAR(r.p, 1, 0);
	assert_int_equal(r.shift_ns, 0);
	r = gt__compare_ranks(same, 8, other, 0);
	NEAR(r.p, 1, 0);
	r = gt__compare_ranks(zero, 2, huge, 2);
	assert_true(r.shift_ns > 0 && r.low_ns > 0);
	NEAR(r.delta, 1, 0);
}

static void many_tests_are_corrected_by_holm(void **state)
{
	double p[] = {0.01, 0.04, 0.03, 0.005};
	const double want[] = {0.03, 0.06, 0.06, 0.02};

	(void)state;
	assert_true(gt__correct_many(p, 4));
	for (unsigned i = 0; i < 4; i++)
		NEAR(p[i], want[i], 1e-12);
}

/* Durations as they are: skewed, and with a long tail. */
static double noise(void)
{
	double sum = 0;

	for (unsigned i = 0; i < 12; i++)
		sum += (double)(random64() >> 11) / 9007199254740992.0;
	return exp(0.1 * (sum - 6)) + (random64() % 50 == 0 ? 0.5 : 0);
}

static void fill(uint64_t *values, unsigned count, double factor)
{
	for (unsigned i = 0; i < count; i++)
		values[i] = (uint64_t)(20000 * factor * noise());
}

static void equal_runs_are_equal_and_five_percent_are_found(void **state)
{
	static uint64_t before[1000], after[1000];
	unsigned wrong = 0, found = 0;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		double p[5];

		for (unsigned name = 0; name < 5; name++) {
			fill(before, 1000, 1);
			fill(after, 1000, 1);
			p[name] =
				gt__compare_ranks(before, 1000, after, 1000).p;
		}
		gt__correct_many(p, 5);
		for (unsigned name = 0; name < 5; name++)
			if (p[name] < GT__RANKS_P) {
				wrong++;
				break;
			}
		fill(before, 1000, 1);
		fill(after, 1000, 1.05);
		p[0] = gt__compare_ranks(before, 1000, after, 1000).p;
		gt__correct_many(p, 5);
		found += p[0] < GT__RANKS_P;
	}
	print_message("%u of 200 wrong, %u found\n", wrong, found);
	assert_true(wrong < 10);
	assert_true(found > 190);
}

/* Is what was planted in the interval? Nearly always. */
static void the_interval_has_what_was_planted(void **state)
{
	uint64_t before[50], after[50];
	unsigned inside = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct gt__ranks r;

		fill(before, 50, 1);
		fill(after, 50, 1);
		for (unsigned i = 0; i < 50; i++)
			after[i] += 1234;
		r = gt__compare_ranks(before, 50, after, 50);
		inside += r.low_ns <= 1234 && 1234 <= r.high_ns;
		assert_in_range(r.shift_ns + 100000, r.low_ns + 100000,
		                r.high_ns + 100000);
	}
	print_message("%u of 400 inside\n", inside);
	assert_in_range(inside, 368, 396);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_published_example_comes_out),
		cmocka_unit_test(small_sets_are_as_a_count_of_all_says),
		cmocka_unit_test(ties_and_nothing_are_no_change),
		cmocka_unit_test(many_tests_are_corrected_by_holm),
		cmocka_unit_test(
			equal_runs_are_equal_and_five_percent_are_found),
		cmocka_unit_test(the_interval_has_what_was_planted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Exponential histograms: indices, sums, scales and merging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "bucket_vectors.h"
#include "export/metrics/exponential.h"
#include "tests/support/random64.h"

static void indices_are_those_of_the_definition(void **state)
{
	const size_t count = sizeof bucket_vectors / sizeof *bucket_vectors;
	size_t i;

	(void)state;
	for (i = 0; i < count; i++)
		assert_int_equal(gt__exponential_index(bucket_vectors[i].value,
		                                       bucket_vectors[i].scale),
		                 bucket_vectors[i].index);
}

static uint64_t sum_of(const struct gt__exponential *h)
{
	uint64_t sum = h->zeros;
	unsigned i;

	for (i = 0; i < h->used; i++)
		sum += h->counts[i];
	return sum;
}

/* Of the values, as the vectors vouch for the index. */
static uint64_t count_between(const double *values, size_t count, int scale,
                              int index)
{
	uint64_t found = 0;
	size_t i;

	for (i = 0; i < count; i++)
		found += values[i] > 0 &&
		         gt__exponential_index(values[i], scale) == index;
	return found;
}

static void assert_holds(const struct gt__exponential *h, const double *values,
                         size_t count)
{
	unsigned i;

	assert_true(h->used <= GT__BUCKETS_MAX);
	assert_int_equal(h->count, count);
	assert_int_equal(sum_of(h), count);
	for (i = 0; i < h->used; i++)
		assert_int_equal(h->counts[i],
		                 count_between(values, count, h->scale,
		                               h->offset + (int)i));
}

#define VALUES 400

/* Durations from `least` on over so many powers of ten, some of them 0. */
static void make_values(double *values, unsigned decades)
{
	size_t i;
	unsigned d;

	for (i = 0; i < VALUES; i++) {
		values[i] = 1e-9 * (double)(1 + random64() % 1000);
		for (d = (unsigned)(random64() % (decades + 1)); d; d--)
			values[i] *= 10;
		if (random64() % 50 == 0)
			values[i] = 0;
	}
}

static void every_value_is_in_its_bucket(void **state)
{
	double values[VALUES];
	unsigned decades;
	size_t i;

	(void)state;
	for (decades = 0; decades < 30; decades++) {
		struct gt__exponential h;

		make_values(values, decades);
		gt__exponential_init(&h);
		for (i = 0; i < VALUES; i++)
			gt__exponential_add(&h, values[i]);
		assert_holds(&h, values, VALUES);
		/* Not coarser than it must be. */
		assert_true(h.scale == GT__SCALE_MAX ||
		            h.used >= GT__BUCKETS_MAX / 2);
	}
}

static void merged_is_what_one_would_have_counted(void **state)
{
	double values[2 * VALUES];
	unsigned round;
	size_t i;

	(void)state;
	for (round = 0; round < 40; round++) {
		struct gt__exponential a, b;

		make_values(values, round % 9);
		make_values(values + VALUES, round % 5 * 4);
		gt__exponential_init(&a);
		gt__exponential_init(&b);
		for (i = 0; i < VALUES; i++) {
			gt__exponential_add(&a, values[i]);
			gt__exponential_add(&b, values[VALUES + i]);
		}
		gt__exponential_merge(&a, &b);
		assert_holds(&a, values, 2 * VALUES);
	}
}

static void what_is_no_duration_is_left_out(void **state)
{
	static const double values[] = {-1, 0.0 / 0.0, 1e308 * 10, -0.0, 1};
	struct gt__exponential h;
	size_t i;

	(void)state;
	gt__exponential_init(&h);
	for (i = 0; i < sizeof values / sizeof *values; i++)
		gt__exponential_add(&h, values[i]);
	assert_int_equal(h.count, 2);
	assert_int_equal(h.zeros, 1);
	assert_true(h.sum == 1 && h.min == 0 && h.max == 1);
}

/* The whole range of a double needs a scale below 0. */
static void the_extremes_fit(void **state)
{
	static const double values[] = {0x1p-1022, 1, 0x1.fffffffffffffp1023};
	struct gt__exponential h;
	size_t i;

	(void)state;
	gt__exponential_init(&h);
	for (i = 0; i < 3; i++)
		gt__exponential_add(&h, values[i]);
	assert_int_equal(h.scale, -4);
	assert_holds(&h, values, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(indices_are_those_of_the_definition),
		cmocka_unit_test(every_value_is_in_its_bucket),
		cmocka_unit_test(merged_is_what_one_would_have_counted),
		cmocka_unit_test(what_is_no_duration_is_left_out),
		cmocka_unit_test(the_extremes_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

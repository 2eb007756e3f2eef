/* SPDX-License-Identifier: MIT */
/* Ticks become nanoseconds between readings, and nowhere else. */
#include "host/time/clock.h"
#include "tests/support/random64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

__extension__ typedef unsigned __int128 u128;

/* 1..2^bits, small as often as large. */
static uint64_t random_step(unsigned bits)
{
	return 1 + (random64() >> (64 - 1 - random64() % bits));
}

static uint64_t convert(struct gt__clock *clock, uint64_t tsc, bool good)
{
	uint64_t ns = 77;

	assert_int_equal(gt__clock_convert(clock, tsc, &ns), good);
	return ns;
}

static void without_readings_there_is_no_time(void **unused)
{
	static struct gt__clock clock;

	(void)unused;
	assert_int_equal(convert(&clock, 0, false), 0);
	assert_int_equal(convert(&clock, UINT64_MAX, false), 0);
}

static void outside_the_readings_the_nearest_is_stored(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	gt__clock_add(&clock, 1000, 50, 3);
	assert_int_equal(convert(&clock, 999, false), 50);
	assert_int_equal(convert(&clock, 1000, true), 50);
	assert_int_equal(convert(&clock, 1001, false), 50);
	gt__clock_add(&clock, 2024, 178, 2);
	assert_int_equal(convert(&clock, 0, false), 50);
	assert_int_equal(convert(&clock, 1512, true), 114);
	assert_int_equal(convert(&clock, 2024, true), 178);
	assert_int_equal(convert(&clock, 2025, false), 178);
	assert_int_equal(convert(&clock, UINT64_MAX, false), 178);
	assert_true(clock.error_ns >= 3 && clock.error_ns <= 5);
}

static void a_reading_that_is_not_later_is_left_out(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	gt__clock_add(&clock, 1000, 50, 1);
	gt__clock_add(&clock, 1000, 60, 9);
	gt__clock_add(&clock, 999, 60, 9);
	assert_int_equal(clock.count, 1);
	assert_int_equal(clock.error_ns, 1);
	gt__clock_add(&clock, 1001, 51, 0);
	assert_int_equal(clock.count, 2);
}

static void a_time_that_went_back_is_as_right_as_its_gap(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	gt__clock_add(&clock, 1000, 50, 30);
	gt__clock_add(&clock, 1010, 40, 2);
	assert_int_equal(clock.count, 2);
	assert_int_equal(convert(&clock, 1010, true), 51);
	assert_in_range(clock.error_ns, 31, 33);
	gt__clock_add(&clock, 1011, 0, 0);
	assert_int_equal(convert(&clock, 1011, true), 52);
	gt__clock_add(&clock, 1012, UINT64_MAX, 0);
	gt__clock_add(&clock, 1013, UINT64_MAX, UINT64_MAX);
	assert_int_equal(clock.count, 4);
}

/* What a line says, in numbers of any size; floor. */
static uint64_t line(uint64_t tsc, const struct gt__clock_sample *from,
                     const struct gt__clock_sample *to)
{
	u128 ticks = to->tick - from->tick, ns = to->ns - from->ns;
	u128 whole = ns / ticks, rest = ns % ticks, delta = tsc - from->tick;
	u128 part = 0, remainder = 0;

	/* delta * rest / ticks, bit by bit: the product may not fit. */
	for (int bit = 63; bit >= 0; bit--) {
		part *= 2;
		remainder *= 2;
		if (delta >> bit & 1)
			remainder += rest;
		while (remainder >= ticks) {
			remainder -= ticks;
			part++;
		}
	}
	return from->ns + (uint64_t)(delta * whole + part);
}

/* Exact at readings, between its neighbours' times, never back, on the line. */
static void check_segment(struct gt__clock *clock, uint32_t i)
{
	const struct gt__clock_sample *from = &clock->samples[i],
				      *to = from + 1;
	uint64_t ticks = to->tick - from->tick;
	uint64_t last = from->ns, last_tsc = from->tick;
	uint64_t at[8] = {
		from->tick, from->tick + (ticks > 1), 0, 0, 0, 0, to->tick - 1,
		to->tick};

	for (unsigned j = 2; j < 6; j++)
		at[j] = from->tick + ticks / 6 * (j - 1) +
		        random64() % (ticks / 6 + 1);
	for (unsigned j = 0; j < 8; j++) {
		uint64_t exact = line(at[j], from, to);
		uint64_t ns = convert(clock, at[j], true);

		assert_true(ns <= exact && exact - ns <= 2 && ns <= to->ns);
		if (at[j] < last_tsc)
			continue; /* a short segment: not in order */
		assert_true(ns >= last);
		last = ns;
		last_tsc = at[j];
	}
	assert_int_equal(convert(clock, from->tick, true), from->ns);
	assert_int_equal(convert(clock, to->tick, true), to->ns);
}

static void check_random(unsigned tsc_bits, unsigned ns_bits)
{
	struct gt__clock clock = {.count = 0};
	uint64_t tsc = random64() >> 8, ns = random64() >> 8;

	for (unsigned i = 0; i < 300; i++) {
		uint64_t more_tsc = random_step(tsc_bits);
		uint64_t more_ns = random_step(ns_bits);

		if (more_tsc > ~tsc || more_ns > ~ns)
			break;
		gt__clock_add(&clock, tsc += more_tsc, ns += more_ns, i);
		assert_in_range(clock.count, 1, GT__CLOCK_SAMPLES);
		if (clock.count > 1)
			check_segment(&clock, clock.count - 2);
	}
	for (uint32_t i = 0; i + 1 < clock.count; i++)
		check_segment(&clock, i);
}

static void slow_and_fast_counters_convert_on_the_line(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 40; round++) {
		check_random(36, 33); /* several GHz */
		check_random(30, 36); /* tens of MHz */
		check_random(8, 40);  /* a clock that hardly ticks */
		check_random(40, 8);
		check_random(62, 62);
	}
}

static void the_extremes_of_64_bits_hold(void **unused)
{
	static const uint64_t ends[] = {1,
	                                2,
	                                3,
	                                UINT32_MAX,
	                                UINT64_C(1) << 32,
	                                UINT64_C(1) << 63,
	                                UINT64_MAX - 1,
	                                UINT64_MAX};

	(void)unused;
	for (unsigned i = 0; i < 8; i++)
		for (unsigned j = 0; j < 8; j++) {
			struct gt__clock clock = {.count = 0};

			gt__clock_add(&clock, 0, 0, 0);
			gt__clock_add(&clock, ends[i], ends[j], UINT64_MAX);
			check_segment(&clock, 0);
		}
}

/* A counter of 999,999,999 Hz, read once in an hour. */
static void a_long_gap_costs_no_more_than_a_short_one(void **unused)
{
	struct gt__clock clock = {.count = 0};
	uint64_t ticks = UINT64_C(3600) * 999999999;

	(void)unused;
	gt__clock_add(&clock, 0, 0, 0);
	gt__clock_add(&clock, ticks, UINT64_C(3600000000000), 0);
	assert_true(UINT64_C(3599999999999) -
	                    convert(&clock, ticks - 1, true) <=
	            2);
}

static void the_newest_readings_are_kept(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	for (unsigned i = 1; i <= 1000; i++) {
		unsigned known = i < 32 ? i : 32;

		gt__clock_add(&clock, 100 * i, 10 * i, 0);
		assert_in_range(clock.count, known, GT__CLOCK_SAMPLES);
		assert_int_equal(convert(&clock, 100 * (i - known) + 100, true),
		                 10 * (i - known) + 10);
	}
	assert_int_equal(convert(&clock, 100, false), clock.samples[0].ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_readings_there_is_no_time),
		cmocka_unit_test(outside_the_readings_the_nearest_is_stored),
		cmocka_unit_test(a_reading_that_is_not_later_is_left_out),
		cmocka_unit_test(a_time_that_went_back_is_as_right_as_its_gap),
		cmocka_unit_test(slow_and_fast_counters_convert_on_the_line),
		cmocka_unit_test(the_extremes_of_64_bits_hold),
		cmocka_unit_test(a_long_gap_costs_no_more_than_a_short_one),
		cmocka_unit_test(the_newest_readings_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

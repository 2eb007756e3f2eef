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

static void add(struct gt__clock *clock, uint64_t tick, uint64_t ns,
                uint64_t gap_ns)
{
	assert_int_equal(gt__clock_add(clock, tick, ns, gap_ns), 0);
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
	assert_true(gt__clock_error(&clock) == UINT64_MAX);
}

static void outside_the_readings_the_nearest_is_stored(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	add(&clock, 1000, 50, 3);
	assert_int_equal(convert(&clock, 1000, true), 50);
	add(&clock, 2024, 178, 2);
	assert_int_equal(convert(&clock, 1512, true), 114);
	assert_int_equal(convert(&clock, 2024, true), 178);
	assert_in_range(gt__clock_error(&clock), 3, 5);
	assert_int_equal(convert(&clock, 992, false), 50);
	assert_in_range(gt__clock_error(&clock), 1 + 3, 1 + 3 + 2);
	assert_int_equal(convert(&clock, 2024 + 8000, false), 178);
	assert_in_range(gt__clock_error(&clock), 1000 + 2, 1000 + 5);
	gt__clock_early(&clock, 16000);
	assert_in_range(gt__clock_error(&clock), 2000 + 3, 2000 + 8);
	assert_int_equal(convert(&clock, UINT64_MAX, false), 178);
	gt__clock_fini(&clock);
}

static void a_single_reading_has_the_rate_that_is_known(void **unused)
{
	struct gt__clock clock = {.hz = 500000000};

	(void)unused;
	add(&clock, 1000, 50, 3);
	assert_int_equal(convert(&clock, 2000, false), 50);
	assert_in_range(gt__clock_error(&clock), 2003, 2008);
	clock.hz = 0;
	assert_int_equal(convert(&clock, 2000, false), 50);
	assert_true(gt__clock_error(&clock) == UINT64_MAX);
	gt__clock_fini(&clock);
}

static void a_reading_that_is_not_later_is_left_out(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	add(&clock, 1000, 50, 1);
	add(&clock, 1000, 60, 9);
	add(&clock, 999, 60, 9);
	assert_int_equal(clock.count, 1);
	assert_int_equal(clock.error_ns, 1);
	add(&clock, 1001, 51, 0);
	assert_int_equal(clock.count, 2);
	gt__clock_fini(&clock);
}

/* Threat D5. */
static void a_time_that_went_back_is_as_right_as_its_gap(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	add(&clock, 1000, 50, 30);
	add(&clock, 1010, 40, 2);
	assert_int_equal(clock.count, 2);
	assert_int_equal(convert(&clock, 1010, true), 51);
	assert_in_range(clock.error_ns, 31, 33);
	add(&clock, 1011, 0, 0);
	assert_int_equal(convert(&clock, 1011, true), 52);
	add(&clock, 1012, UINT64_MAX, 0);
	add(&clock, 1013, UINT64_MAX, UINT64_MAX);
	assert_int_equal(clock.count, 4);
	gt__clock_fini(&clock);
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
		add(&clock, tsc += more_tsc, ns += more_ns, i);
		assert_in_range(clock.count, 1, GT__CLOCK_SAMPLES);
		if (clock.count > 1)
			check_segment(&clock, clock.count - 2);
	}
	for (uint32_t i = 0; i + 1 < clock.count; i++)
		check_segment(&clock, i);
	gt__clock_fini(&clock);
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

/* Threats D5, F12. */
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

			add(&clock, 0, 0, 0);
			add(&clock, ends[i], ends[j], UINT64_MAX);
			check_segment(&clock, 0);
			gt__clock_fini(&clock);
		}
}

/* A counter of 999,999,999 Hz, read once in an hour. */
static void a_long_gap_costs_no_more_than_a_short_one(void **unused)
{
	struct gt__clock clock = {.count = 0};
	uint64_t ticks = UINT64_C(3600) * 999999999;

	(void)unused;
	add(&clock, 0, 0, 0);
	add(&clock, ticks, UINT64_C(3600000000000), 0);
	assert_true(UINT64_C(3599999999999) -
	                    convert(&clock, ticks - 1, true) <=
	            2);
	gt__clock_fini(&clock);
}

/* A rate that swings by 400 ppm, and never as a straight line has it. */
static uint64_t swinging(uint64_t i)
{
	uint64_t part = i % 400;

	return 1000000 * i + 400 * (part < 200 ? part : 400 - part);
}

static void add_swinging(struct gt__clock *clock, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		add(clock, 3000000 * i, swinging(i), 20);
}

/* Against the readings there were. */
static uint64_t worst_of(struct gt__clock *clock, uint64_t from, uint64_t to)
{
	uint64_t worst = 0, off, ns;

	for (uint64_t i = from; i < to; i++) {
		ns = convert(clock, 3000000 * i, true);
		off = gt__apart(ns, swinging(i));
		worst = off > worst ? off : worst;
	}
	return worst;
}

static void all_readings_are_kept_while_there_is_room(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	add_swinging(&clock, 0, GT__CLOCK_SAMPLES);
	assert_int_equal(clock.count, GT__CLOCK_SAMPLES);
	assert_int_equal(worst_of(&clock, 0, GT__CLOCK_SAMPLES), 0);
	gt__clock_fini(&clock);
}

static void joined_lines_say_how_far_they_are_off(void **unused)
{
	const uint64_t many[] = {5000, 20000, 300000};

	(void)unused;
	for (unsigned i = 0; i < 3; i++) {
		struct gt__clock clock = {.count = 0};
		uint64_t worst;

		add_swinging(&clock, 0, many[i]);
		assert_in_range(clock.count, 1024, GT__CLOCK_SAMPLES);
		assert_int_equal(clock.room, GT__CLOCK_SAMPLES);
		worst = worst_of(&clock, 0, many[i]);
		assert_in_range(worst, 1, gt__clock_error(&clock) - 20);
		/* Thrice the swing would be no use to anybody. */
		assert_in_range(gt__clock_error(&clock), 20, 3 * 80000);
		gt__clock_fini(&clock);
	}
}

static void what_nobody_needs_is_given_back(void **unused)
{
	struct gt__clock clock = {.count = 0};
	uint64_t i = 0;

	(void)unused;
	for (; i < 100000; i++) {
		add_swinging(&clock, i, i + 1);
		gt__clock_taken(&clock, 3000000 * i, 3000000 * i);
	}
	assert_in_range(clock.room, 2, 16);
	add_swinging(&clock, i, i + 4000);
	assert_int_equal(worst_of(&clock, i, i + 4000), 0);
	i += 4000;
	gt__clock_taken(&clock, 3000000 * i, 3000000 * i);
	assert_in_range(clock.room, 2, 16);
	add_swinging(&clock, i, i + 100);
	i += 100;
	gt__clock_taken(&clock, 3000000 * i, 3000000 * i);
	assert_int_equal(clock.room, 128); /* at hand for the next ones */
	assert_int_equal(convert(&clock, 3000000 * (i - 1), true),
	                 swinging(i - 1));
	gt__clock_fini(&clock);
}

/* A vCPU that nobody hears of: all of the past is kept, in few lines. */
static void an_old_time_costs_little_room(void **unused)
{
	struct gt__clock clock = {.count = 0};
	uint64_t worst;

	(void)unused;
	for (uint64_t i = 0; i < 100000; i++) {
		add_swinging(&clock, i, i + 1);
		gt__clock_taken(&clock, 0, 3000000 * i);
	}
	assert_in_range(clock.room, 2, 4 * GT__CLOCK_OLD);
	assert_int_equal(worst_of(&clock, 99990, 100000), 0);
	assert_in_range(gt__clock_error(&clock), 20, 1000);
	worst = worst_of(&clock, 0, 100000);
	assert_in_range(worst, 1, gt__clock_error(&clock) - 20);
	gt__clock_fini(&clock);
}

static void times_keep_their_order_while_lines_are_joined(void **unused)
{
	struct gt__clock clock = {.count = 0};
	uint64_t last = 0, early = 0;

	(void)unused;
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t ns;

		add_swinging(&clock, i, i + 1);
		if (i == 0)
			continue;
		ns = convert(&clock, 3000000 * i - random64() % 3000, true);
		assert_true(ns >= last);
		last = ns;
		early = convert(&clock, 3000000 * (i / 2), true);
		assert_true(early <= last);
	}
	gt__clock_fini(&clock);
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
		cmocka_unit_test(a_single_reading_has_the_rate_that_is_known),
		cmocka_unit_test(all_readings_are_kept_while_there_is_room),
		cmocka_unit_test(joined_lines_say_how_far_they_are_off),
		cmocka_unit_test(what_nobody_needs_is_given_back),
		cmocka_unit_test(an_old_time_costs_little_room),
		cmocka_unit_test(times_keep_their_order_while_lines_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

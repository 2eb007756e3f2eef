/* SPDX-License-Identifier: MIT */
/*
 * The stated error bound against a simulated truth: a clock that the kernel
 * slews, readings that are off within their gaps, some of them by far, offsets
 * and scaling that change. docs/clocks.md.
 */
#include "host/time/clock.h"
#include "host/time/tscmap.h"
#include "tests/support/truth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

__extension__ typedef unsigned __int128 u128;

static void add(struct gt__clock *clock, uint64_t tick, uint64_t ns,
                uint64_t gap_ns)
{
	assert_int_equal(gt__clock_add(clock, tick, ns, gap_ns), 0);
}

/* What its gap was. */
static uint64_t read_clocks(struct gt__clock *clock, const struct truth *truth,
                            uint64_t base_tsc)
{
	struct truth_reading reading = truth_read(truth);

	add(clock, reading.tsc - base_tsc, reading.ns, reading.gap_ns);
	return reading.gap_ns;
}

struct stamp {
	uint64_t guest_tsc, ps;
};

static void random_tsc(struct gt__tsc *tsc)
{
	static const uint64_t halves[] = {
		0, UINT64_C(1) << 31, UINT64_C(3) << 31, UINT64_C(4660123123)};

	tsc->offset = (int64_t)(truth_random(UINT64_MAX) - (UINT64_C(1) << 40));
	tsc->ratio = halves[truth_random(4)];
	tsc->shift = 32;
}

static uint64_t guest_of(const struct gt__tsc *tsc, uint64_t host_tsc)
{
	uint64_t scaled = host_tsc;

	if (tsc->ratio)
		scaled = (uint64_t)((u128)host_tsc * tsc->ratio >> tsc->shift);
	return scaled + (uint64_t)tsc->offset;
}

/* Converted with the readings so far; how far off it is, in ps. */
static uint64_t check(struct gt__clock *clock, const struct gt__tsc_map *map,
                      const struct gt__tsc_window *window,
                      const struct stamp *stamp)
{
	struct gt__tsc_ticks ticks;
	uint64_t ns, off;

	assert_true(gt__tsc_map_tick(map, window, stamp->guest_tsc, &ticks));
	assert_true(gt__clock_convert(clock, ticks.tick, &ns));
	off = gt__apart(ns * 1000, stamp->ps);
	if (off > gt__clock_error(clock) * 1000)
		fail_msg("%llu ps off, bound %llu ns", (unsigned long long)off,
		         (unsigned long long)gt__clock_error(clock));
	return off;
}

/* Records between two readings; returns the gap of the second one. */
static uint64_t check_piece(struct gt__clock *clock, struct gt__tsc_map *map,
                            struct truth *truth, uint64_t base_tsc,
                            uint64_t ticks)
{
	struct stamp stamps[20];
	struct gt__tsc *tsc = &map->tsc[map->count - 1];
	struct gt__tsc_window window = {base_tsc, 0, 0};
	uint64_t gap_ns;

	for (unsigned i = 0; i < 20; i++) {
		truth_go_on(truth, 1 + truth_random(ticks / 20));
		stamps[i] =
			(struct stamp){guest_of(tsc, truth->tsc), truth->ps};
	}
	truth_go_on(truth, 1000 + truth_random(1000));
	gap_ns = read_clocks(clock, truth, base_tsc);
	window.to_tick = truth->tsc - base_tsc;
	for (unsigned i = 0; i < 20; i++)
		check(clock, map, &window, &stamps[i]);
	return gap_ns;
}

static void the_true_time_lies_within_the_bound(void **unused)
{
	uint64_t cases = 0;

	(void)unused;
	while (cases < 1000000) {
		struct gt__clock clock = {.count = 0};
		struct gt__tsc_map map = {.count = 0};
		struct truth truth = truth_make();
		uint64_t base_tsc = truth.tsc, gap_ns, largest_gap = 0;

		/* Far from wrapping, or scaling a host TSC would wrap, too. */
		read_clocks(&clock, &truth, base_tsc);
		for (unsigned piece = 0; piece < 50; piece++) {
			if (piece == 0 || truth_random(10) == 0) {
				struct gt__tsc tsc;

				random_tsc(&tsc);
				if (base_tsc >> 61)
					tsc.ratio = 0;
				gt__tsc_map_add(&map, &tsc,
				                truth.tsc - base_tsc);
			}
			gap_ns = check_piece(&clock, &map, &truth, base_tsc,
			                     truth.hz / 10000 * truth_step(10));
			largest_gap =
				gap_ns > largest_gap ? gap_ns : largest_gap;
			cases += 20;
		}
		assert_true(gt__clock_error(&clock) >= largest_gap);
		gt__clock_fini(&clock);
	}
}

/* In the order of time, long after: lines have been joined meanwhile. */
static void so_it_does_after_any_number_of_readings(void **unused)
{
	static struct stamp stamps[20000];
	const struct gt__tsc_map map = {.count = 0};

	(void)unused;
	for (unsigned round = 0; round < 30; round++) {
		struct gt__clock clock = {.count = 0};
		struct truth truth = truth_make();
		struct gt__tsc_window window = {truth.tsc, 0, 0};
		unsigned many = 1000 + (unsigned)truth_random(19000);

		read_clocks(&clock, &truth, window.base_tsc);
		for (unsigned i = 0; i < many; i++) {
			truth_go_on(&truth, truth_step(24));
			stamps[i] = (struct stamp){truth.tsc, truth.ps};
			truth_go_on(&truth, truth_step(24));
			read_clocks(&clock, &truth, window.base_tsc);
			if (truth_random(1000) == 0)
				gt__clock_taken(&clock, 0,
				                truth.tsc - window.base_tsc);
		}
		window.to_tick = truth.tsc - window.base_tsc;
		for (unsigned i = 0; i < many; i++)
			check(&clock, &map, &window, &stamps[i]);
		gt__clock_fini(&clock);
	}
}

/* Nothing but a step of the clock's rate, and no slack in the readings. */
static void a_step_anywhere_is_in_the_bound(void **unused)
{
	(void)unused;
	for (uint64_t at = 0; at < 5000000; at += 9973) {
		struct gt__clock clock = {.count = 0};
		/* At `at` the clock begins to gain a thousandth. */
		uint64_t second_ns = 5000000 + (5000000 - at) / 1000;
		uint64_t ns, off;

		add(&clock, 0, 0, 0);
		add(&clock, 5000000, 5000000, 0);
		add(&clock, 10000000, 5000000 + second_ns, 0);
		assert_true(gt__clock_convert(&clock, 5000000 + at, &ns));
		off = gt__apart(ns, 5000000 + at);
		assert_in_range(off, 0, gt__clock_error(&clock));
		gt__clock_fini(&clock);
	}
}

/* Each reading is off by its gap, so that the lines seem to be one. */
static void readings_that_hide_a_step_are_in_the_bound(void **unused)
{
	const uint64_t length = 5000000, gap = 600;
	struct gt__clock clock = {.count = 0};
	uint64_t ns;

	(void)unused;
	add(&clock, 0, 1000000 - gap, gap);
	add(&clock, length, 1000000 + length + gap, gap);
	/* In the middle of this line the clock began to gain 960 ppm. */
	add(&clock, 2 * length, 1000000 + 2 * length + 4 * gap - gap, gap);
	assert_true(gt__clock_convert(&clock, length + length / 2, &ns));
	assert_in_range(gt__apart(ns, 1000000 + length + length / 2),
	                2 * gap - 2, gt__clock_error(&clock));
	gt__clock_fini(&clock);
}

static void a_quiet_stream_is_bounded_by_a_microsecond(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 200; round++) {
		struct gt__clock clock = {.count = 0};
		struct truth truth = truth_make();
		uint64_t base_tsc = truth.tsc, ns;

		truth.next_step_ps += UINT64_C(1000000000000);
		for (unsigned piece = 0; piece < 50; piece++) {
			uint64_t off = truth_random(40);

			add(&clock, truth.tsc - base_tsc,
			    truth.ps / 1000 + off - 20, 21);
			truth_go_on(&truth, truth.hz / 200);
			if (piece > 0)
				assert_true(gt__clock_convert(
					&clock,
					truth.tsc - base_tsc -
						truth.hz * 3 / 400,
					&ns));
		}
		assert_in_range(gt__clock_error(&clock), 21, 400);
		gt__clock_fini(&clock);
	}
}

/* At the end of an hour without a reading a time is as good as the reading. */
static void a_time_near_a_reading_is_as_good(void **unused)
{
	const uint64_t hour = UINT64_C(3600000000000);
	struct gt__clock clock = {.count = 0};
	uint64_t ns;

	(void)unused;
	add(&clock, 0, 0, 20);
	add(&clock, 5000000, 5000000, 20);
	add(&clock, hour, hour, 20);
	assert_true(gt__clock_convert(&clock, hour - 100000, &ns));
	assert_in_range(gt__clock_error(&clock), 20 + 100, 20 + 105);
	assert_true(gt__clock_convert(&clock, hour / 2, &ns));
	assert_in_range(gt__clock_error(&clock), hour / 4000, hour / 3900);
	gt__clock_fini(&clock);
}

/* While the host was suspended its TSC went on. */
static void a_clock_that_stood_still_is_noticed(void **unused)
{
	const uint64_t hour = UINT64_C(3600000000000);
	struct gt__clock clock = {.count = 0};
	uint64_t ns;

	(void)unused;
	add(&clock, 0, 0, 20);
	add(&clock, 5000000, 5000000, 20);
	add(&clock, hour, 10000000, 20);
	/* Half of the time before, half behind: the line is no help. */
	assert_true(gt__clock_convert(&clock, 7500000, &ns));
	assert_in_range(gt__clock_error(&clock), 2500000, 5000100);
	gt__clock_fini(&clock);
}

static uint64_t other; /* of the last one */

static uint64_t tick_of(const struct gt__tsc_map *map,
                        const struct gt__tsc_window *window, uint64_t guest_tsc,
                        bool fits)
{
	struct gt__tsc_ticks ticks;

	assert_int_equal(gt__tsc_map_tick(map, window, guest_tsc, &ticks),
	                 fits);
	other = ticks.other;
	return ticks.tick;
}

/* After a century, at 10 GHz, with a TSC that wraps in the middle. */
static void a_century_of_uptime_is_as_good_as_any(void **unused)
{
	const uint64_t century_ns = UINT64_C(3155760000000000000);
	const uint64_t second = UINT64_C(10000000000); /* in ticks */
	const uint64_t base_tsc = UINT64_MAX - second / 2;
	const struct gt__tsc_map map = {.count = 0};
	struct gt__clock clock = {.count = 0};
	uint64_t ns, last = 0;

	(void)unused;
	add(&clock, 0, century_ns, 20);
	add(&clock, second, century_ns + 1000000000, 20);
	for (uint64_t i = 0; i <= 1000; i++) {
		const struct gt__tsc_window window = {base_tsc, 0, second};
		uint64_t tick = tick_of(&map, &window,
		                        base_tsc + i * (second / 1000), true);

		assert_true(gt__clock_convert(&clock, tick, &ns));
		assert_in_range(ns, century_ns + i * 1000000 - 2,
		                century_ns + i * 1000000);
		assert_true(ns >= last);
		last = ns;
	}
	assert_int_equal(gt__clock_rate_hz(&clock), second);
	gt__clock_fini(&clock);
}

static void a_rate_that_contradicts_the_readings_is_noticed(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	assert_false(gt__clock_contradicts(&clock, 1));
	add(&clock, 0, 1000, 20);
	add(&clock, UINT64_C(2000000000), UINT64_C(1000001000), 20);
	assert_false(gt__clock_contradicts(&clock, UINT64_C(2000000000)));
	assert_false(gt__clock_contradicts(&clock, UINT64_C(2000900000)));
	assert_false(gt__clock_contradicts(&clock, UINT64_C(1999100000)));
	assert_true(gt__clock_contradicts(&clock, UINT64_C(2001100000)));
	assert_true(gt__clock_contradicts(&clock, UINT64_C(1998900000)));
	assert_true(gt__clock_contradicts(&clock, UINT64_MAX));
	assert_true(gt__clock_contradicts(&clock, 1));
	gt__clock_fini(&clock);
}

static void an_older_record_finds_its_own_piece(void **unused)
{
	static const struct gt__tsc first = {.offset = 0},
				    second = {.offset = 1000000000000},
				    third = {.offset = -1000000000};
	struct gt__tsc_map map = {.count = 0};
	const uint64_t base = UINT64_C(1) << 50;
	const struct gt__tsc_window window = {base, 0, 9999};

	(void)unused;
	gt__tsc_map_add(&map, &first, 0);
	gt__tsc_map_add(&map, &second, 5000);
	gt__tsc_map_add(&map, &third, 9000);
	assert_int_equal(tick_of(&map, &window, base + 4000, true), 4000);
	assert_int_equal(other, 4000);
	assert_int_equal(
		tick_of(&map, &window, base + 6000 + 1000000000000, true),
		6000);
	assert_int_equal(tick_of(&map, &window, base + 9500 - 1000000000, true),
	                 9500);
	assert_int_equal(other, 9500);
	/* It says neither the one nor the other of these. */
	tick_of(&map, &window, base + 6000, false);
	tick_of(&map, &window, base + 4000 - 1000000000, false);
	tick_of(&map, &window, base + 10000 - 1000000000, false);
	for (uint64_t i = 0; i < 20; i++)
		gt__tsc_map_add(&map, &third, 10000 + i);
	assert_int_equal(map.count, GT__TSC_PIECES);
}

static void a_record_that_may_be_of_two_pieces_says_so(void **unused)
{
	static const struct gt__tsc first = {.offset = 0},
				    back = {.offset = -300};
	struct gt__tsc_window window = {.from_tick = 0, .to_tick = 2000};
	struct gt__tsc_map map = {.count = 0};

	(void)unused;
	gt__tsc_map_add(&map, &first, 0);
	gt__tsc_map_add(&map, &back, 1000);
	assert_int_equal(tick_of(&map, &window, 699, true), 699);
	assert_int_equal(other, 699); /* 999 was before the move */
	assert_int_equal(tick_of(&map, &window, 700, true), 1000);
	assert_int_equal(other, 700);
	assert_int_equal(tick_of(&map, &window, 1001, true), 1301);
	assert_int_equal(other, 1301);
	window.from_tick = 1000; /* all that was older has been taken */
	assert_int_equal(tick_of(&map, &window, 700, true), 1000);
	assert_int_equal(other, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_true_time_lies_within_the_bound),
		cmocka_unit_test(so_it_does_after_any_number_of_readings),
		cmocka_unit_test(a_step_anywhere_is_in_the_bound),
		cmocka_unit_test(readings_that_hide_a_step_are_in_the_bound),
		cmocka_unit_test(a_time_near_a_reading_is_as_good),
		cmocka_unit_test(a_clock_that_stood_still_is_noticed),
		cmocka_unit_test(a_quiet_stream_is_bounded_by_a_microsecond),
		cmocka_unit_test(a_century_of_uptime_is_as_good_as_any),
		cmocka_unit_test(
			a_rate_that_contradicts_the_readings_is_noticed),
		cmocka_unit_test(an_older_record_finds_its_own_piece),
		cmocka_unit_test(a_record_that_may_be_of_two_pieces_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

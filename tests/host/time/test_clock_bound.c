/* SPDX-License-Identifier: MIT */
/*
 * The stated error bound against a simulated truth: clocks that drift by up to
 * 100 ppm and wander within that, readings that are off within their gaps, some
 * of them by far, offsets and scaling that change. docs/clocks.md.
 */
#include "host/time/clock.h"
#include "host/time/tscmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

static uint64_t state = 88172645463325252u;

static uint64_t random_to(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/*
 * The truth: TSC and CLOCK_MONOTONIC as they go on together, in steps of which
 * each has a rate of its own. Picoseconds, so that the truth is finer than what
 * is claimed.
 */
struct truth {
	uint64_t tsc;
	uint64_t ps;
	uint64_t hz;
	int64_t mean_ppb, swing_ppb; /* of the step: mean +- swing */
};

static void go_on(struct truth *truth, uint64_t ticks)
{
	int64_t ppb =
		truth->mean_ppb +
		(random_to(2) ? 1 : -1) *
			(int64_t)random_to((uint64_t)truth->swing_ppb + 1);
	i128 ps = (i128)ticks * 1000000000000 / (i128)truth->hz;

	truth->tsc += ticks;
	truth->ps += (uint64_t)(ps + ps * ppb / 1000000000);
}

/* A reading whose two values are of the same moment to within its gap. */
static void read_clocks(struct gt__clock *clock, const struct truth *truth,
                        uint64_t base_tsc, uint64_t gap_ns)
{
	int64_t off_ns =
		(int64_t)random_to(2 * gap_ns - 1) - (int64_t)(gap_ns - 1);

	gt__clock_add(clock, truth->tsc - base_tsc,
	              truth->ps / 1000 + (uint64_t)off_ns, gap_ns);
}

struct stamp {
	uint64_t guest_tsc, ps;
};

static void random_tsc(struct gt__tsc *tsc)
{
	static const uint64_t halves[] = {
		0, UINT64_C(1) << 31, UINT64_C(3) << 31, UINT64_C(4660123123)};

	tsc->offset = (int64_t)(random_to(UINT64_MAX) - (UINT64_C(1) << 40));
	tsc->ratio = halves[random_to(4)];
	tsc->shift = 32;
}

static uint64_t guest_of(const struct gt__tsc *tsc, uint64_t host_tsc)
{
	uint64_t scaled = host_tsc;

	if (tsc->ratio)
		scaled = (uint64_t)((u128)host_tsc * tsc->ratio >> tsc->shift);
	return scaled + (uint64_t)tsc->offset;
}

/* Records between two readings; returns how far the worst was off, in ps. */
static uint64_t check_piece(struct gt__clock *clock, struct gt__tsc_map *map,
                            struct truth *truth, uint64_t base_tsc,
                            uint64_t ticks, uint64_t gap_ns)
{
	struct stamp stamps[20];
	struct gt__tsc *tsc = &map->tsc[map->count - 1];
	uint64_t worst = 0;

	for (unsigned i = 0; i < 20; i++) {
		go_on(truth, 1 + random_to(ticks / 20));
		stamps[i] =
			(struct stamp){guest_of(tsc, truth->tsc), truth->ps};
	}
	go_on(truth, 1000 + random_to(1000));
	read_clocks(clock, truth, base_tsc, gap_ns);
	for (unsigned i = 0; i < 20; i++) {
		const struct gt__tsc_window window = {base_tsc, 0,
		                                      truth->tsc - base_tsc};
		uint64_t ns, off, other;
		uint64_t tick = gt__tsc_map_tick(map, &window,
		                                 stamps[i].guest_tsc, &other);

		gt__clock_convert(clock, tick, &ns);
		off = ns * 1000 > stamps[i].ps ? ns * 1000 - stamps[i].ps
		                               : stamps[i].ps - ns * 1000;
		/* A stretched guest TSC does not tell every tick of the host.
		 */
		worst = off > worst ? off : worst;
		if (off > clock->error_ns * 1000)
			fail_msg("%llu ps off, bound %llu ns",
			         (unsigned long long)off,
			         (unsigned long long)clock->error_ns);
	}
	return worst;
}

static struct truth random_truth(void)
{
	struct truth truth = {
		.tsc = random_to(2) ? random_to(UINT64_C(1) << 60)
	                            : UINT64_MAX - random_to(1u << 30),
		.ps = UINT64_C(1000000000000) + random_to(1u << 30),
		.hz = UINT64_C(1000000000) + random_to(UINT64_C(4000000000)),
		.mean_ppb = (int64_t)random_to(200001) - 100000,
	};

	/* The rate wanders, and with the mean stays within 100 ppm of it. */
	truth.swing_ppb = (int64_t)random_to(95001);
	return truth;
}

static void the_true_time_lies_within_the_bound(void **unused)
{
	uint64_t cases = 0, worst = 0;

	(void)unused;
	while (cases < 1000000) {
		struct gt__clock clock = {.count = 0};
		struct gt__tsc_map map = {.count = 0};
		struct truth truth = random_truth();
		uint64_t base_tsc = truth.tsc, largest_gap = 0;

		/* Far from wrapping, or scaling a host TSC would wrap, too. */
		read_clocks(&clock, &truth, base_tsc, 20);
		for (unsigned piece = 0; piece < 50; piece++) {
			uint64_t gap = 15 + random_to(20);
			uint64_t off;

			/* Now and then the thread lost its CPU in between. */
			if (random_to(100) == 0)
				gap = 1000 + random_to(5000000);
			if (piece == 0 || random_to(10) == 0) {
				struct gt__tsc tsc;

				random_tsc(&tsc);
				if (base_tsc >> 61)
					tsc.ratio = 0;
				gt__tsc_map_add(&map, &tsc,
				                truth.tsc - base_tsc);
			}
			off = check_piece(
				&clock, &map, &truth, base_tsc,
				truth.hz / 10000 * (1 + random_to(1000)), gap);
			worst = off > worst ? off : worst;
			largest_gap = gap > largest_gap ? gap : largest_gap;
			cases += 20;
		}
		assert_true(clock.error_ns >= largest_gap);
	}
	print_message("# %llu cases, the worst %llu ns off\n",
	              (unsigned long long)cases,
	              (unsigned long long)worst / 1000);
}

static void a_quiet_stream_is_bounded_by_a_microsecond(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 200; round++) {
		struct gt__clock clock = {.count = 0};
		struct gt__tsc_map map = {.count = 1};
		struct truth truth = random_truth();
		uint64_t base_tsc = truth.tsc;

		read_clocks(&clock, &truth, base_tsc, 20);
		for (unsigned piece = 0; piece < 50; piece++)
			check_piece(&clock, &map, &truth, base_tsc,
			            truth.hz / 200, 15 + random_to(50));
		assert_in_range(clock.error_ns, 20, 1000);
	}
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
	gt__clock_add(&clock, 0, century_ns, 20);
	gt__clock_add(&clock, second, century_ns + 1000000000, 20);
	for (uint64_t i = 0; i <= 1000; i++) {
		const struct gt__tsc_window window = {base_tsc, 0, second};
		uint64_t other;
		uint64_t tick = gt__tsc_map_tick(
			&map, &window, base_tsc + i * (second / 1000), &other);

		assert_true(gt__clock_convert(&clock, tick, &ns));
		assert_in_range(ns, century_ns + i * 1000000 - 2,
		                century_ns + i * 1000000);
		assert_true(ns >= last);
		last = ns;
	}
	assert_int_equal(gt__clock_rate_hz(&clock), second);
}

static void a_rate_that_contradicts_the_readings_is_noticed(void **unused)
{
	struct gt__clock clock = {.count = 0};

	(void)unused;
	assert_false(gt__clock_contradicts(&clock, 1));
	gt__clock_add(&clock, 0, 1000, 20);
	gt__clock_add(&clock, UINT64_C(2000000000), UINT64_C(1000001000), 20);
	assert_false(gt__clock_contradicts(&clock, UINT64_C(2000000000)));
	assert_false(gt__clock_contradicts(&clock, UINT64_C(2000900000)));
	assert_false(gt__clock_contradicts(&clock, UINT64_C(1999100000)));
	assert_true(gt__clock_contradicts(&clock, UINT64_C(2001100000)));
	assert_true(gt__clock_contradicts(&clock, UINT64_C(1998900000)));
	assert_true(gt__clock_contradicts(&clock, UINT64_MAX));
	assert_true(gt__clock_contradicts(&clock, 1));
}

static void an_older_record_finds_its_own_piece(void **unused)
{
	static const struct gt__tsc first = {.offset = 0},
				    second = {.offset = 1000000000000},
				    third = {.offset = -1000000000};
	struct gt__tsc_map map = {.count = 0};
	const uint64_t base = UINT64_C(1) << 50;
	const struct gt__tsc_window window = {base, 0, 9999};
	uint64_t other;

	(void)unused;
	gt__tsc_map_add(&map, &first, 0);
	gt__tsc_map_add(&map, &second, 5000);
	gt__tsc_map_add(&map, &third, 9000);
	assert_int_equal(gt__tsc_map_tick(&map, &window, base + 4000, &other),
	                 4000);
	assert_int_equal(other, 4000);
	assert_int_equal(gt__tsc_map_tick(&map, &window,
	                                  base + 6000 + 1000000000000, &other),
	                 6000);
	assert_int_equal(gt__tsc_map_tick(&map, &window,
	                                  base + 9500 - 1000000000, &other),
	                 9500);
	assert_int_equal(other, 9500);
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
	uint64_t other;

	(void)unused;
	gt__tsc_map_add(&map, &first, 0);
	gt__tsc_map_add(&map, &back, 1000);
	assert_int_equal(gt__tsc_map_tick(&map, &window, 699, &other), 699);
	assert_int_equal(other, 699); /* 999 was before the move */
	assert_int_equal(gt__tsc_map_tick(&map, &window, 700, &other), 1000);
	assert_int_equal(other, 700);
	assert_int_equal(gt__tsc_map_tick(&map, &window, 1001, &other), 1301);
	assert_int_equal(other, 1301);
	window.from_tick = 1000; /* all that was older has been taken */
	assert_int_equal(gt__tsc_map_tick(&map, &window, 700, &other), 1000);
	assert_int_equal(other, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_true_time_lies_within_the_bound),
		cmocka_unit_test(a_quiet_stream_is_bounded_by_a_microsecond),
		cmocka_unit_test(a_century_of_uptime_is_as_good_as_any),
		cmocka_unit_test(
			a_rate_that_contradicts_the_readings_is_noticed),
		cmocka_unit_test(an_older_record_finds_its_own_piece),
		cmocka_unit_test(a_record_that_may_be_of_two_pieces_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What one guest may cost over time (threats A3, D6). */
#define GT_TARGET "quota"
#include "host/live/quota.h"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include <guesttrace/guest.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define NS_PER_S UINT64_C(1000000000)

static uint64_t next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1;
	return *state >> 33;
}

/* In no span of time more than it, a second's worth, and one thing more. */
static void a_bucket_gives_its_rate_and_a_burst(void **unused)
{
	static const uint64_t rates[] = {1, 7, 1000, 1 << 20,
	                                 UINT64_C(1) << 40};
	const uint64_t most = 5000;
	uint64_t state = 1;

	(void)unused;
	for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint64_t now_ns = 5, spent = 0;
		struct gt__bucket bucket;

		gt__bucket_init(&bucket, rates[i], now_ns);
		for (unsigned j = 0; j < 100000; j++) {
			uint64_t amount = next(&state) % most;

			now_ns += next(&state) % 300000;
			if (!gt__bucket_has(&bucket, now_ns))
				continue;
			gt__bucket_spend(&bucket, amount);
			spent += amount;
			assert_true((double)spent <=
			            (double)rates[i] * (double)now_ns /
			                            NS_PER_S +
			                    (double)(rates[i] + most));
		}
		if (rates[i] <= 1 << 20) /* it is asked for more than it has */
			assert_true((double)spent >= (double)rates[i] *
			                                     (double)now_ns /
			                                     NS_PER_S);
	}
}

static void who_asks_for_less_always_gets_it(void **unused)
{
	struct gt__bucket bucket;

	(void)unused;
	gt__bucket_init(&bucket, 1000, 0);
	for (uint64_t i = 1; i < 100000; i++) {
		assert_true(gt__bucket_has(&bucket, i * NS_PER_S / 1000));
		gt__bucket_spend(&bucket, 1);
	}
}

/* ---- A guest ------------------------------------------------------------- */

static uint64_t ring[GT_RING_BYTES_MIN / 8];

static void start(const struct gt_limits *limits, enum gt_ring_mode mode)
{
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring),
	                           .mode = mode};

	host.limits = *limits;
	inproc_clear();
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
}

static void record(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		GT_EVENT(GT_INFO, "e", gt_u64("i", i));
}

static const struct gt_losses *finish(void)
{
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	return &inproc_summary.losses;
}

static void records_over_it_are_counted_by_the_guest(void **unused)
{
	const struct gt_limits limits = {.record_bytes = 3 * sizeof(ring)};
	const struct gt_losses *losses;

	(void)unused;
	start(&limits, GT_RING_FLUSH);
	record(10000); /* 24 bytes each */
	losses = finish();
	assert_int_equal(inproc_summary.events + losses->records, 10000);
	/* A ring more than asked for, and that of the last look. */
	assert_in_range(inproc_summary.events * 24, 3 * sizeof(ring),
	                5 * sizeof(ring));
	assert_true(losses->quota_requests > 0);
	assert_int_equal(losses->bad_records, 0);
}

/* Looks that are not taken lose nothing: what the rings hold waits there. */
static void who_looks_too_often_loses_nothing(void **unused)
{
	const struct gt_limits limits = {.record_bytes_per_s = 48};

	(void)unused;
	start(&limits, GT_RING_DROP);
	for (unsigned i = 0; i < 100; i++) {
		record(1);
		assert_true(gt_host_drain(inproc_host) >= 0);
	}
	assert_int_equal(finish()->quota_requests, 0);
	assert_int_equal(inproc_summary.losses.records, 0);
	assert_int_equal(inproc_summary.events, 100);
}

static void what_a_second_brings_is_taken_again(void **unused)
{
	const struct gt_limits limits = {.record_bytes_per_s = sizeof(ring)};

	(void)unused;
	start(&limits, GT_RING_FLUSH);
	record(10000);
	for (unsigned i = 0; i < 3; i++) {
		inproc_now += 3 * NS_PER_S;
		record(10000);
	}
	assert_int_equal(finish()->records + inproc_summary.events, 40000);
	assert_in_range(inproc_summary.events * 24, 4 * sizeof(ring),
	                10 * sizeof(ring));
}

static void under_it_nothing_is_lost(void **unused)
{
	const struct gt_limits limits = {.record_bytes_per_s = 1 << 20,
	                                 .record_bytes = 1 << 20,
	                                 .exits_per_s = 1000};

	(void)unused;
	start(&limits, GT_RING_FLUSH);
	for (unsigned i = 0; i < 40; i++) {
		inproc_now += NS_PER_S / 10;
		record(1000);
	}
	assert_int_equal(finish()->records, 0);
	assert_int_equal(inproc_summary.losses.quota_requests, 0);
	assert_int_equal(inproc_summary.losses.quota_exits, 0);
	assert_int_equal(inproc_summary.events, 40000);
}

static void exits_over_it_are_counted_and_not_shown(void **unused)
{
	const struct gt_limits limits = {.exits_per_s = 100};
	const struct gt_exit exit = {
		.size = sizeof(exit), .reason = GT_EXIT_HALT, .tsc_offset = 0};
	const struct gt_losses *losses;

	(void)unused;
	start(&limits, GT_RING_DROP);
	for (unsigned i = 0; i < 5000; i++) {
		gt_host_enter(inproc_host, 0, 0);
		gt_host_exit(inproc_host, 0, &exit);
	}
	record(1);
	losses = finish();
	assert_int_equal(inproc_summary.exits[GT_EXIT_HALT] +
	                         inproc_summary.exits[GT_EXIT_IO] +
	                         losses->quota_exits,
	                 5001); /* and the announcement */
	assert_in_range(inproc_summary.exits[GT_EXIT_HALT], 99, 101);
	assert_int_equal(inproc_summary.events, 1);
}

/* A ring has 2,730 of them at most. */
static void so_many_records_are_taken_and_no_more(void **unused)
{
	const struct gt_limits limits = {.records = 6000};
	const struct gt_losses *losses;

	(void)unused;
	start(&limits, GT_RING_FLUSH);
	record(20000);
	losses = finish();
	assert_int_equal(inproc_summary.events + losses->records, 20000);
	assert_in_range(inproc_summary.events, 5900,
	                6000 + 2 * sizeof(ring) / 24);
	assert_true(losses->quota_requests > 0);
}

static void records_come_back_each_second(void **unused)
{
	const struct gt_limits limits = {.records_per_s = 3000};

	(void)unused;
	start(&limits, GT_RING_FLUSH);
	for (unsigned i = 0; i < 4; i++) {
		record(20000);
		inproc_now += 4 * NS_PER_S;
	}
	assert_int_equal(finish()->records + inproc_summary.events, 80000);
	assert_in_range(inproc_summary.events, 4 * 2900,
	                4 * (3000 + sizeof(ring) / 24) + 2 * sizeof(ring) / 24);
}

static void exits_in_all_are_as_many(void **unused)
{
	const struct gt_limits limits = {.exits_in_all = 50};
	const struct gt_exit exit = {
		.size = sizeof(exit), .reason = GT_EXIT_HALT, .tsc_offset = 0};
	struct gt_losses so_far;

	(void)unused;
	start(&limits, GT_RING_DROP);
	for (unsigned i = 0; i < 1000; i++) {
		inproc_now += NS_PER_S;
		gt_host_exit(inproc_host, 0, &exit);
	}
	gt_host_losses(inproc_host, &so_far);
	assert_int_equal(finish()->quota_exits, 1001 - 50);
	assert_int_equal(so_far.quota_exits, 1001 - 50);
	assert_int_equal(inproc_summary.exits[GT_EXIT_HALT], 49);
}

/* While it runs as at the end. */
static void losses_can_be_asked_for(void **unused)
{
	const struct gt_limits limits = {.records = 1000};
	struct gt_losses so_far;

	(void)unused;
	start(&limits, GT_RING_FLUSH);
	record(20000);
	gt_host_losses(inproc_host, &so_far);
	assert_int_equal(so_far.quota_requests, finish()->quota_requests);
	assert_true(so_far.quota_requests > 0);
	assert_true(so_far.records <= inproc_summary.losses.records);
}

/* 68 KiB of memory cannot be 256 MiB of rings, but by being it many times. */
static void rings_are_no_larger_than_the_memory(void **unused)
{
	const struct gt_limits limits = {.rings_bytes = sizeof(ring) - 8};

	(void)unused;
	start(&limits, GT_RING_DROP);
	record(10);
	assert_int_equal(finish()->bad_requests, 1);
	assert_int_equal(inproc_summary.events, 0);
}

/* ---- Spans --------------------------------------------------------------- */

static void a_span_has_as_many_fields_as_it_may(void **unused)
{
	const struct gt_limits limits = {.fields = 10};

	(void)unused;
	start(&limits, GT_RING_FLUSH);
	{
		GT_SPAN(a, GT_INFO, "a", gt_u64("first", 1));
		for (unsigned i = 0; i < 100; i++)
			GT_RECORD(a, gt_u64("late", i));
	}
	assert_int_equal(finish()->dropped_fields, 91);
	assert_non_null(strstr(inproc_text(), "late=8"));
	assert_null(strstr(inproc_text(), "late=9"));
}

/* Threat C12. */
static void a_text_is_as_long_as_it_may_be(void **unused)
{
	const struct gt_limits limits = {.value_bytes = 8};

	(void)unused;
	start(&limits, GT_RING_FLUSH);
	GT_EVENT(GT_INFO, "e", gt_str("text", "0123456789abc"));
	finish();
	assert_non_null(strstr(inproc_text(), "01234567"));
	assert_null(strstr(inproc_text(), "012345678"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, inproc_teardown)
		T(a_bucket_gives_its_rate_and_a_burst),
		T(who_asks_for_less_always_gets_it),
		T(records_over_it_are_counted_by_the_guest),
		T(who_looks_too_often_loses_nothing),
		T(what_a_second_brings_is_taken_again),
		T(under_it_nothing_is_lost),
		T(exits_over_it_are_counted_and_not_shown),
		T(so_many_records_are_taken_and_no_more),
		T(records_come_back_each_second),
		T(exits_in_all_are_as_many),
		T(losses_can_be_asked_for),
		T(rings_are_no_larger_than_the_memory),
		T(a_span_has_as_many_fields_as_it_may),
		T(a_text_is_as_long_as_it_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

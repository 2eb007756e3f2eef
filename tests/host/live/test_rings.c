/* SPDX-License-Identifier: MIT */
/* What happens when the ring is full, in each mode. */
#define GT_TARGET "rings"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include <guesttrace/guest.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t ring[GT_RING_BYTES_MIN / 8];

static void start(enum gt_ring_mode mode)
{
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring),
	                           .mode = mode};

	inproc_clear();
	inproc_doorbells = 0;
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
}

static void finish(void)
{
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
}

static void a_full_ring_is_flushed_and_nothing_is_lost(void **state)
{
	char line[32];
	const char *at;

	(void)state;
	start(GT_RING_FLUSH);
	for (uint64_t i = 0; i < 10000; i++)
		GT_EVENT(GT_INFO, "e", gt_u64("i", i));
	finish();
	at = inproc_text();
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(line, sizeof(line), "event e <0 i=%u\n", i);
		assert_int_equal(strncmp(at, line, strlen(line)), 0);
		at += strlen(line);
	}
	assert_int_equal(inproc_summary.losses.records, 0);
	assert_true(inproc_doorbells > 50 && inproc_doorbells < 80);
}

/* Threat D8. */
static void dropped_records_are_counted_exactly(void **state)
{
	(void)state;
	start(GT_RING_DROP);
	for (uint64_t i = 0; i < 10000; i++)
		GT_EVENT(GT_INFO, "e", gt_u64("i", i));
	finish();
	assert_int_equal(inproc_doorbells, 1);
	assert_int_equal(inproc_summary.events + inproc_summary.losses.records,
	                 10000);
	assert_true(inproc_summary.events > 100);
}

/* Threat H3. */
static void overwriting_keeps_the_newest_whole_records(void **state)
{
	char line[32];

	(void)state;
	start(GT_RING_OVERWRITE);
	for (uint64_t i = 0; i < 10000; i++)
		GT_EVENT(GT_INFO, "e", gt_u64("i", i));
	finish();
	for (unsigned i = 9999; i > 9880; i--) {
		snprintf(line, sizeof(line), "event e <0 i=%u\n", i);
		assert_non_null(strstr(inproc_text(), line));
	}
	assert_true(inproc_summary.losses.overwritten_bytes > 200000);
	assert_int_equal(inproc_summary.losses.bad_records, 0);
}

static void
a_host_that_does_not_answer_costs_records_not_the_guest(void **state)
{
	(void)state;
	start(GT_RING_FLUSH);
	{
		struct gt_host *host = inproc_host;

		inproc_host = NULL;
		for (uint64_t i = 0; i < 1000; i++)
			GT_EVENT(GT_INFO, "e", gt_u64("i", i));
		inproc_host = host;
	}
	finish();
	assert_int_equal(inproc_summary.events + inproc_summary.losses.records,
	                 1000);
}

/* Losing a close must not hang what follows under the lost scope. */
static void after_losses_a_sync_record_realigns_the_parents(void **state)
{
	(void)state;
	start(GT_RING_DROP);
	{
		GT_SPAN(a, GT_INFO, "a");
		for (unsigned i = 0; i < 500; i++)
			GT_EVENT(GT_INFO, "fill");
	}
	assert_true(gt_host_drain(inproc_host) >= 0);
	for (unsigned i = 0; i < 60; i++)
		GT_EVENT(GT_INFO, "after");
	finish();
	assert_non_null(strstr(inproc_text(), "close a 52 !close_lost"));
	assert_non_null(strstr(inproc_text(), "event after <0\n"));
}

/* Threat D8. */
static void a_ring_too_small_costs_every_record_and_counts_it(void **state)
{
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = GT_RING_BYTES_MIN - 8};

	(void)state;
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
	for (unsigned i = 0; i < 10; i++)
		GT_EVENT(GT_INFO, "e");
	finish();
	assert_int_equal(inproc_summary.losses.records, 10);
	assert_int_equal(inproc_summary.events, 0);
}

static void a_ring_that_is_not_aligned_is_used_from_its_first_word(void **state)
{
	static unsigned char bytes[2 * GT_RING_BYTES_MIN];
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = bytes + 1,
	                           .ring_bytes = sizeof(bytes) - 1};

	(void)state;
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
	GT_EVENT(GT_INFO, "e");
	finish();
	assert_int_equal(inproc_summary.events, 1);
}

static void a_close_that_opens_a_block_after_a_loss_is_a_close(void **state)
{
	struct gt_span a;

	(void)state;
	start(GT_RING_DROP);
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	while (gt_vcpu0.ring[0].lost == 0)
		GT_EVENT(GT_INFO, "fill");
	assert_true(gt_host_drain(inproc_host) >= 0);
	gt_close(&a);
	finish();
	assert_null(strstr(inproc_text(), "!close_lost"));
	assert_int_equal(inproc_summary.losses.unknown_spans, 0);
}

static void a_lost_switch_is_made_good_by_the_next_sync(void **state)
{
	uint64_t first;

	(void)state;
	start(GT_RING_DROP);
	{
		GT_SPAN(a, GT_INFO, "a");
		while (gt_vcpu0.ring[0].lost == 0)
			GT_EVENT(GT_INFO, "fill");
		first = gt_switch(7, 0);
		assert_true(gt_host_drain(inproc_host) >= 0);
		for (unsigned i = 0; i < 70; i++)
			GT_EVENT(GT_INFO, "in_seven");
		gt_switch(0, first);
		GT_EVENT(GT_INFO, "in_a");
	}
	finish();
	assert_non_null(strstr(inproc_text(), "event in_seven <0\n"));
	assert_non_null(strstr(inproc_text(), "event in_a <52\n"));
	assert_null(strstr(inproc_text(), "!close_lost"));
}

static void a_second_start_keeps_the_losses_of_the_first(void **state)
{
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring),
	                           .mode = GT_RING_DROP};

	(void)state;
	start(GT_RING_DROP);
	while (gt_vcpu0.ring[0].lost < 5)
		GT_EVENT(GT_INFO, "first_life");
	gt_switch(7, 0);
	assert_true(gt_host_drain(inproc_host) >= 0);
	gt_init(&guest);
	GT_EVENT(GT_INFO, "second_life");
	finish();
	assert_int_equal(inproc_summary.losses.records, 6);
	assert_non_null(strstr(inproc_text(), "event second_life <0\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, inproc_teardown)
		T(a_full_ring_is_flushed_and_nothing_is_lost),
		T(dropped_records_are_counted_exactly),
		T(overwriting_keeps_the_newest_whole_records),
		T(a_host_that_does_not_answer_costs_records_not_the_guest),
		T(after_losses_a_sync_record_realigns_the_parents),
		T(a_ring_too_small_costs_every_record_and_counts_it),
		T(a_ring_that_is_not_aligned_is_used_from_its_first_word),
		T(a_close_that_opens_a_block_after_a_loss_is_a_close),
		T(a_lost_switch_is_made_good_by_the_next_sync),
		T(a_second_start_keeps_the_losses_of_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

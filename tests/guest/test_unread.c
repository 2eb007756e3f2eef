/* SPDX-License-Identifier: MIT */
/*
 * What recording costs where nobody reads, and switching where nothing is
 * traced: VM exits and bytes of the ring, counted by who answers the doorbell,
 * and by the guest's position.
 */
#define GT_TARGET "unread"
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

#define EVENT_BYTES (GT_RECORD_BYTES + 8u) /* of one number */

static uint64_t ring[GT_RING_BYTES_MIN / 8];
static struct gt_host *absent; /* while it does not answer */

static void start(enum gt_ring_mode mode, const char *filter)
{
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring),
	                           .mode = mode};

	inproc_clear();
	host.filter = filter;
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
	inproc_doorbells = 0;
}

static void leave(void)
{
	absent = inproc_host;
	inproc_host = NULL;
}

static void come_back(void)
{
	inproc_host = absent;
	assert_true(gt_host_drain(inproc_host) >= 0);
}

static void finish(void)
{
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
}

static void record(unsigned count)
{
	for (uint64_t i = 0; i < count; i++)
		GT_EVENT(GT_INFO, "e", gt_u64("i", i));
}

static void a_ring_without_a_reader_asks_once_in_a_ring_of_records(void **state)
{
	const unsigned count = 100000;

	(void)state;
	start(GT_RING_FLUSH, "trace");
	leave();
	record(count);
	assert_true(inproc_doorbells >= 2);
	assert_true(inproc_doorbells <= count * EVENT_BYTES / sizeof(ring));
	come_back();
	finish();
	assert_int_equal(inproc_summary.events + inproc_summary.losses.records,
	                 count);
}

static void a_reader_that_comes_back_is_asked_as_before(void **state)
{
	uint64_t lost;

	(void)state;
	start(GT_RING_FLUSH, "trace");
	leave();
	record(300);
	lost = gt_vcpu0.ring[0].lost;
	assert_true(lost > 0);
	assert_int_equal(inproc_doorbells, 1);
	come_back();
	inproc_doorbells = 0;
	record(10000);
	assert_true(inproc_doorbells > 50 && inproc_doorbells < 80);
	finish();
	assert_int_equal(inproc_summary.losses.records, lost);
	assert_int_equal(inproc_summary.events, 10300 - lost);
}

/* It takes what is there, which makes room, without a doorbell. */
static void a_reader_beside_the_guest_is_enough(void **state)
{
	(void)state;
	start(GT_RING_FLUSH, "trace");
	for (unsigned i = 0; i < 50; i++) {
		leave();
		record(300);
		come_back();
	}
	assert_int_equal(inproc_doorbells, 50);
	finish();
}

static void a_switch_without_any_site_on_costs_nothing(void **state)
{
	struct gt_ring *at = &gt_vcpu0.ring[0];
	uint64_t pos;

	(void)state;
	start(GT_RING_FLUSH, "off");
	pos = at->pos;
	leave();
	for (unsigned i = 0; i < 100000; i++)
		gt_switch(i % 5, 0);
	assert_int_equal(inproc_doorbells, 0);
	assert_int_equal(at->pos, pos);
	assert_int_equal(at->lost + gt_vcpu0.lost, 0);
	come_back();
	finish();
}

static void likewise_when_a_ring_is_full(void **state)
{
	uint64_t lost;

	(void)state;
	start(GT_RING_FLUSH, "trace");
	leave();
	record(300);
	gt_set_level(GT_OFF);
	lost = gt_vcpu0.ring[0].lost;
	inproc_doorbells = 0;
	for (unsigned i = 0; i < 100000; i++)
		gt_switch(i % 5, 0);
	assert_int_equal(inproc_doorbells, 0);
	assert_int_equal(gt_vcpu0.ring[0].lost, lost);
	come_back();
	finish();
}

static void records_after_silent_switches_are_in_their_context(void **state)
{
	uint64_t before, of_nine;

	(void)state;
	start(GT_RING_FLUSH, "trace");
	{
		GT_SPAN(a, GT_INFO, "a");
		assert_true(gt_host_set_filter(inproc_host, "off") >= 0);
		before = gt_switch(7, 0);
		gt_switch(8, 0);
		gt_switch(9, 0);
		assert_true(gt_host_set_filter(inproc_host, "trace") >= 0);
		GT_SPAN(nine, GT_INFO, "nine");
		GT_EVENT(GT_INFO, "in_nine");
		assert_true(gt_host_set_filter(inproc_host, "off") >= 0);
		of_nine = gt_switch(7, 0);
		gt_switch(0, before);
		assert_true(gt_host_set_filter(inproc_host, "trace") >= 0);
		GT_EVENT(GT_INFO, "in_a");
		gt_switch(9, of_nine);
		GT_EVENT(GT_INFO, "again_in_nine");
		gt_close(&nine);
		gt_switch(0, before);
	}
	GT_EVENT(GT_INFO, "outside");
	finish();
	assert_non_null(strstr(inproc_text(), "<0\nevent in_nine <"));
	assert_null(strstr(inproc_text(), "event in_nine <0"));
	assert_null(strstr(inproc_text(), "event in_nine <52"));
	assert_non_null(strstr(inproc_text(), "event in_a <52\n"));
	assert_non_null(strstr(inproc_text(), "event again_in_nine <"));
	assert_null(strstr(inproc_text(), "event again_in_nine <0"));
	assert_null(strstr(inproc_text(), "event again_in_nine <52"));
	assert_non_null(strstr(inproc_text(), "event outside <0\n"));
	assert_null(strstr(inproc_text(), "!parent_guessed"));
	assert_null(strstr(inproc_text(), "!close_lost"));
	assert_int_equal(inproc_summary.losses.records, 0);
}

/* Whoever writes sites and leaves the word alone. */
static void a_word_that_is_wrong_costs_no_parent(void **state)
{
	uint64_t before;

	(void)state;
	start(GT_RING_FLUSH, "trace");
	gt_control.quiet = 1;
	{
		GT_SPAN(a, GT_INFO, "a");
		before = gt_switch(7, 0);
		GT_EVENT(GT_INFO, "in_seven");
		gt_switch(0, before);
		GT_EVENT(GT_INFO, "in_a");
	}
	finish();
	assert_non_null(strstr(inproc_text(), "event in_seven <0\n"));
	assert_non_null(strstr(inproc_text(), "event in_a <52\n"));
	assert_null(strstr(inproc_text(), "!parent_guessed"));
}

static void the_word_says_whether_a_site_is_on(void **state)
{
	(void)state;
	start(GT_RING_FLUSH, "off");
	assert_int_equal(gt_control.quiet, 1);
	assert_true(gt_host_set_filter(inproc_host, "off,unread=warn") >= 0);
	assert_int_equal(gt_control.quiet, 1); /* there is none so rare */
	assert_true(gt_host_set_filter(inproc_host, "off,unread=info") >= 0);
	assert_int_equal(gt_control.quiet, 0);
	gt_set_level(GT_OFF);
	assert_int_equal(gt_control.quiet, 1);
	gt_set_level(GT_TRACE);
	assert_int_equal(gt_control.quiet, 0);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, inproc_teardown)
		T(a_ring_without_a_reader_asks_once_in_a_ring_of_records),
		T(a_reader_that_comes_back_is_asked_as_before),
		T(a_reader_beside_the_guest_is_enough),
		T(a_switch_without_any_site_on_costs_nothing),
		T(likewise_when_a_ring_is_full),
		T(records_after_silent_switches_are_in_their_context),
		T(a_word_that_is_wrong_costs_no_parent),
		T(the_word_says_whether_a_site_is_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Handlers that record in the middle of a record (threat D7). */
#define GT_TARGET "levels"
#include "tests/support/inproc.h"
#include "tests/support/interrupted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t ring[64 << 10 >> 3];
static void start(size_t ring_bytes)
{
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {
		.size = sizeof(guest), .ring = ring, .ring_bytes = ring_bytes};

	inproc_clear();
	inproc_doorbells = 0;
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
}

static int setup(void **unused)
{
	(void)unused;
	start(sizeof(ring));
	return 0;
}

static int teardown(void **unused)
{
	interrupt_handler = NULL;
	return inproc_teardown(unused);
}

static void expect(const char *expected)
{
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	assert_string_equal(inproc_text(), expected);
}

static void record_nested(void)
{
	GT_EVENT(GT_INFO, "nested");
}

static void drain(void)
{
	assert_true(gt_host_drain(inproc_host) >= 0);
}

static void nested_then_drain(void)
{
	record_nested();
	drain();
}

static void a_nested_record_waits_for_the_one_below(void **unused)
{
	uint64_t limit = gt_vcpu0.ring[0].limit;

	(void)unused;
	gt_vcpu0.ring[0].limit = 0; /* somebody is inside */
	record_nested();
	assert_true(gt_vcpu0.ring[1].pos > 0);
	drain();
	drain();
	assert_string_equal(inproc_text(), "");
	gt_vcpu0.ring[0].limit = limit;
	GT_EVENT(GT_INFO, "after");
	drain();
	assert_string_equal(inproc_text(), "event nested <0\nevent after <0\n");
	expect("event nested <0\nevent after <0\n");
}

static void the_interrupted_record_comes_first(void **unused)
{
	(void)unused;
	GT_EVENT(GT_INFO, "first"); /* opens the block */
	interrupt_handler = nested_then_drain;
	GT_EVENT(GT_INFO, "outer");
	assert_string_equal(inproc_text(), "event first <0\n");
	expect("event first <0\nevent outer <0\nevent nested <0\n");
	assert_int_equal(inproc_summary.losses.late_records, 0);
}

static void nested_at_the_same_tick(void)
{
	inproc_now--;
	record_nested();
}

static void at_the_same_tick_the_interrupted_record_comes_first(void **unused)
{
	(void)unused;
	GT_EVENT(GT_INFO, "first");
	interrupt_handler = nested_at_the_same_tick;
	GT_EVENT(GT_INFO, "outer");
	expect("event first <0\nevent outer <0\nevent nested <0\n");
}

static void nested_records_are_children_of_what_they_interrupt(void **unused)
{
	(void)unused;
	{
		GT_SPAN(s, GT_INFO, "s");

		interrupt_handler = nested_then_drain;
		GT_EVENT(GT_INFO, "outer");
	}
	expect("open s 52<0\n"
	       "event outer <52\n"
	       "event nested <52\n"
	       "close s 52 events=2\n");
}

static void
a_level_that_never_returns_holds_nothing_back_at_the_end(void **unused)
{
	(void)unused;
	gt_vcpu0.ring[0].limit = 0;
	record_nested();
	drain();
	expect("event nested <0\n");
}

static void abandoning_lets_what_waited_go(void **unused)
{
	(void)unused;
	GT_EVENT(GT_INFO, "first");
	gt_vcpu0.ring[0].limit = 0;
	record_nested();
	drain();
	assert_string_equal(inproc_text(), "event first <0\n");
	gt_abandon();
	GT_EVENT(GT_INFO, "after");
	drain();
	expect("event first <0\nevent nested <0\nevent after <0\n");
}

static void beyond_the_last_level_records_are_counted(void **unused)
{
	(void)unused;
	for (unsigned level = 0; level < GT_LEVELS; level++)
		gt_vcpu0.ring[level].limit = 0;
	for (unsigned i = 0; i < 10; i++)
		GT_EVENT(GT_INFO, "lost");
	expect("");
	assert_int_equal(inproc_summary.losses.records, 10);
}

/* ---- Storms -------------------------------------------------------------- */

static uint64_t number; /* of the next event: in the order of the clock */
static unsigned depth, deepest;
static uint32_t chance = 1;

static bool one_in(unsigned n)
{
	chance = chance * 1664525 + 1013904223;
	return (chance >> 8) % n == 0;
}

static void storm(void);

static void nested_storm(void)
{
	unsigned count = 1;

	depth++;
	deepest = depth > deepest ? depth : deepest;
	while (count < 20 && !one_in(4))
		count++;
	for (unsigned i = 0; i < count; i++)
		storm();
	if (one_in(8))
		gt_flush();
	depth--;
}

static void storm(void)
{
	/* Values are taken before the ring is, and a handler comes later. */
	if (depth + 1 < GT_LEVELS && one_in(3))
		interrupt_handler = nested_storm;
	GT_EVENT(GT_INFO, "e", gt_u64("n", number++));
	interrupt_handler = NULL;
}

static void doorbell_storm(void)
{
	/* The guest is in its slow path: the level that it fills is taken. */
	inproc_on_doorbell = NULL;
	if (depth + 1 < GT_LEVELS && one_in(2)) {
		depth++;
		GT_EVENT(GT_INFO, "d");
		depth--;
	}
	inproc_on_doorbell = doorbell_storm;
}

static void expect_numbers(void)
{
	const char *at = inproc_text();
	uint64_t next = 0;
	char line[40];

	for (; *at; at = strchr(at, '\n') + 1) {
		if (strncmp(at, "event d", 7) == 0)
			continue;
		snprintf(line, sizeof(line), "event e <0 n=%llu\n",
		         (unsigned long long)next++);
		if (strncmp(at, line, strlen(line)) != 0)
			fail_msg("wanted %s, got %.30s", line, at);
	}
	assert_int_equal(next, number);
}

static void storms_of_handlers_lose_and_reorder_nothing(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 20; round++) {
		teardown(NULL);
		/* From one that is full all the time to one that never is. */
		start(sizeof(ring) >> round % 5);
		number = 0;
		inproc_on_doorbell = doorbell_storm;
		for (unsigned i = 0; i < 2000; i++)
			storm();
		assert_int_equal(
			gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
			0);
		expect_numbers();
		assert_int_equal(inproc_summary.losses.records, 0);
		assert_int_equal(inproc_summary.losses.bad_records, 0);
		assert_int_equal(inproc_summary.losses.late_records, 0);
		assert_int_equal(inproc_summary.losses.adjusted_records, 0);
	}
	assert_int_equal(deepest, GT_LEVELS - 1);
}

/* A hostile guest that is always inside: what waits is bounded. */
static void what_waits_is_bounded(void **unused)
{
	(void)unused;
	gt_vcpu0.ring[0].limit = 0;
	for (unsigned i = 0; i < 100000; i++)
		GT_EVENT(GT_INFO, "nested", gt_u64("i", i));
	drain();
	/* 32 bytes each: all but 1 MiB and a ring are shown already. */
	assert_true(strlen(inproc_text()) > 60000 * sizeof("event nested <0"));
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	assert_int_equal(inproc_summary.events, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_nested_record_waits_for_the_one_below),
		T(the_interrupted_record_comes_first),
		T(at_the_same_tick_the_interrupted_record_comes_first),
		T(nested_records_are_children_of_what_they_interrupt),
		T(a_level_that_never_returns_holds_nothing_back_at_the_end),
		T(abandoning_lets_what_waited_go),
		T(beyond_the_last_level_records_are_counted),
		T(storms_of_handlers_lose_and_reorder_nothing),
		T(what_waits_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

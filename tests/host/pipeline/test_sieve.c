/* SPDX-License-Identifier: MIT */
/*
 * The filter of the Hyperlight wires: what is shown equals what a guest would
 * have recorded with those sites off, which the native wire does.
 */
#include "host/pipeline/sieve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NONE UINT64_MAX /* it did not pass */

static struct gt__sieve sieve;

static void set(const char *text)
{
	struct gt__filter *filter;

	assert_int_equal(gt__filter_for(GT_WIRE_HYPERLIGHT_0_12, text, &filter),
	                 0);
	gt__sieve_set(&sieve, filter);
}

static int setup(void **unused)
{
	(void)unused;
	sieve.count_max = 8;
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	gt__sieve_fini(&sieve);
	return 0;
}

/* Its parent as shown; 0: a root. */
static uint64_t open_span(uint64_t id, uint64_t parent, const char *target)
{
	struct gt_hyperlight_event event = {
		.kind = GT_HYPERLIGHT_OPEN,
		.id = id,
		.parent = parent,
		.has_parent = parent != 0,
		.target = {target, strlen(target)},
	};

	return gt__sieve_passes(&sieve, &event) ? event.parent : NONE;
}

static bool of_span(enum gt_hyperlight_kind kind, uint64_t id)
{
	struct gt_hyperlight_event event = {.kind = kind, .id = id};

	if (kind == GT_HYPERLIGHT_LOG)
		event = (struct gt_hyperlight_event){.kind = kind,
		                                     .parent = id};
	return gt__sieve_passes(&sieve, &event);
}

static void without_a_filter_all_passes(void **unused)
{
	(void)unused;
	assert_int_equal(open_span(1, 0, "a"), 0);
	assert_int_equal(open_span(2, 1, "b"), 1);
	assert_true(of_span(GT_HYPERLIGHT_LOG, 2));
	assert_true(of_span(GT_HYPERLIGHT_LOG, 0));
	assert_true(of_span(GT_HYPERLIGHT_CLOSE, 2));
	assert_true(of_span(GT_HYPERLIGHT_CLOSE, 99));
}

static void off_leaves_nothing_but_the_start(void **unused)
{
	(void)unused;
	set("off");
	assert_int_equal(open_span(1, 0, "a"), NONE);
	assert_int_equal(open_span(2, 1, ""), NONE);
	assert_false(of_span(GT_HYPERLIGHT_EDIT, 2));
	assert_false(of_span(GT_HYPERLIGHT_LOG, 2));
	assert_false(of_span(GT_HYPERLIGHT_LOG, 0));
	assert_false(of_span(GT_HYPERLIGHT_CLOSE, 2));
	assert_false(of_span(GT_HYPERLIGHT_CLOSE, 1));
	assert_int_equal(sieve.count, 0);
	assert_true(of_span(GT_HYPERLIGHT_START, 0));
}

static void what_is_below_a_muted_span_moves_up(void **unused)
{
	(void)unused;
	set("trace,net=off");
	assert_int_equal(open_span(1, 0, "app"), 0);
	assert_int_equal(open_span(2, 1, "net"), NONE);
	assert_int_equal(open_span(3, 2, "net::tcp"), NONE);
	assert_int_equal(open_span(4, 3, "app"), 1);
	assert_true(of_span(GT_HYPERLIGHT_LOG, 4));
	assert_false(of_span(GT_HYPERLIGHT_LOG, 3));
	assert_false(of_span(GT_HYPERLIGHT_EDIT, 2));
	assert_true(of_span(GT_HYPERLIGHT_LOG, 0));
	assert_true(of_span(GT_HYPERLIGHT_CLOSE, 4));
	assert_false(of_span(GT_HYPERLIGHT_CLOSE, 3));
	assert_false(of_span(GT_HYPERLIGHT_CLOSE, 2));
	assert_int_equal(open_span(5, 0, "net"), NONE);
	assert_int_equal(open_span(6, 5, "app"), 0); /* a root */
}

static void what_nothing_matches_is_off(void **unused)
{
	(void)unused;
	set("net");
	assert_int_equal(open_span(1, 0, "app"), NONE);
	assert_int_equal(open_span(2, 1, "net"), 0);
	assert_false(of_span(GT_HYPERLIGHT_LOG, 0)); /* it has no target */
	assert_true(of_span(GT_HYPERLIGHT_LOG, 2));
}

static void an_id_that_comes_again_is_another_span(void **unused)
{
	(void)unused;
	set("trace,net=off");
	assert_int_equal(open_span(1, 0, "net"), NONE);
	assert_int_equal(open_span(1, 0, "app"), 0);
	assert_true(of_span(GT_HYPERLIGHT_LOG, 1));
	assert_true(of_span(GT_HYPERLIGHT_CLOSE, 1));
	assert_int_equal(open_span(1, 1, "net"), NONE); /* its own parent */
	assert_int_equal(open_span(1, 1, "net"), NONE);
	assert_int_equal(sieve.count, 1);
}

static void a_filter_that_changes_holds_from_there(void **unused)
{
	(void)unused;
	set("off");
	assert_int_equal(open_span(1, 0, "a"), NONE);
	set("trace");
	assert_false(of_span(GT_HYPERLIGHT_LOG, 1));
	assert_int_equal(open_span(2, 1, "a"), 0);
	assert_false(of_span(GT_HYPERLIGHT_CLOSE, 1));
	set("off"); /* as a site that is off: not even of open spans */
	assert_false(of_span(GT_HYPERLIGHT_LOG, 2));
	assert_false(of_span(GT_HYPERLIGHT_LOG, 99)); /* nor of unknown ones */
	assert_true(of_span(GT_HYPERLIGHT_CLOSE, 2));
}

static void memory_is_bounded(void **unused)
{
	(void)unused;
	set("off");
	for (uint64_t id = 1; id < 1000; id++)
		assert_int_equal(open_span(id, id - 1, "a"), NONE);
	assert_int_equal(sieve.count, 8);
	for (uint64_t id = 1; id < 1000; id++)
		assert_int_equal(of_span(GT_HYPERLIGHT_CLOSE, id), id > 8);
	assert_int_equal(sieve.count, 0);
}

static void another_life_has_other_spans(void **unused)
{
	(void)unused;
	set("a=off,b");
	assert_int_equal(open_span(1, 0, "a"), NONE);
	assert_int_equal(open_span(2, 1, "b"), 0);
	gt__sieve_forget(&sieve);
	assert_int_equal(open_span(2, 1, "b"), 1);
	assert_true(of_span(GT_HYPERLIGHT_CLOSE, 1));
	assert_int_equal(open_span(3, 0, "a"), NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_a_filter_all_passes),
		TEST(off_leaves_nothing_but_the_start),
		TEST(what_is_below_a_muted_span_moves_up),
		TEST(what_nothing_matches_is_off),
		TEST(an_id_that_comes_again_is_another_span),
		TEST(a_filter_that_changes_holds_from_there),
		TEST(memory_is_bounded),
		TEST(another_life_has_other_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

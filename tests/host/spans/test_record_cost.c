/* SPDX-License-Identifier: MIT */
/*
 * What a record costs does not depend on how many spans are entered (threats
 * D3, D4, D6): whatever records a guest repeats, on a deep stack they cost what
 * they cost on a shallow one. docs/security.md has the worst case of each kind.
 */
#include "spans_driver.h"
#include "tests/support/cpu_time.h"

#define SHALLOW 64u
#define DEEP    30000u
#define ROUNDS  6000u

static uint32_t depth;

/* The innermost scope, which the guest calls current. */
static uint64_t top(void)
{
	return depth;
}

static void on_two_vcpus_by_turns(uint64_t round)
{
	switch_to(round % 2, 5, top());
}

static void where_contexts_overflow(uint64_t round)
{
	switch_to(round % 2, 1000000 + round, top());
	switch_to(round % 2, 0, top());
}

static void back_to_a_scope_that_is_not_the_top(uint64_t round)
{
	(void)round;
	send_record(0, GT_RECORD_ENTER, NULL, depth + 1, NULL, 0);
	switch_to(0, 5, top());
}

static void sync_after_losses(uint64_t round)
{
	send_record(0, GT_RECORD_ENTER, NULL, depth + 1, NULL, 0);
	gt__spans_gap(&spans, 0, 0, 0, 0);
	send_sync_in(5, top(), round + 2);
}

static void entered_and_left(uint64_t round)
{
	(void)round;
	send_record(1, GT_RECORD_ENTER, NULL, 1, NULL, 0);
	send_record(1, GT_RECORD_EXIT, NULL, 1, NULL, 0);
}

static void opened_and_closed(uint64_t round)
{
	scope(depth + 2 + round);
	close_span(0, depth + 2 + round);
}

static void event_and_late_fields(uint64_t round)
{
	const uint64_t word = round;

	event(0);
	send_record(0, GT_RECORD_FIELDS, &late_site, 1 + round % depth, &word,
	            8);
}

static void abandoned_and_entered_again(uint64_t round)
{
	(void)round;
	switch_to(0, 6, 0);
	send_record(0, GT_RECORD_ENTER, NULL, top(), NULL, 0);
	send_record(0, GT_RECORD_ABANDON, NULL, 0, NULL, 0);
}

static void (*repeat)(uint64_t round);
static bool loses;

static void fill_context_5(void)
{
	switch_to(0, 5, 0);
	for (uint64_t id = 1; id <= depth; id++)
		scope(id);
	open_with_parent(depth + 1, 0);
}

/* Its own work is small beside the rounds. */
static void run(void *at)
{
	depth = *(const uint32_t *)at;
	start_spans(65536, (size_t)64 << 20, 64);
	fill_context_5();
	if (loses) /* and no sync says that it is over */
		gt__spans_lost(&spans, 0, 1, false);
	for (uint64_t i = 0; i < ROUNDS; i++)
		repeat(i);
	gt__spans_fini(&spans);
}

static void fill_alone(uint64_t round)
{
	(void)round;
}

/* Four times as long, for memory that no cache holds, beside what filling
 * costs: a walk over the stack would take hundreds of times as long. */
static void expect_bounded(void (*records)(uint64_t round), bool lossy)
{
	uint32_t deep = DEEP, shallow = SHALLOW;
	uint64_t fill_ns, shallow_ns;

	loses = lossy;
	repeat = fill_alone;
	fill_ns = cpu_fastest_ns(run, &deep);
	repeat = records;
	shallow_ns = cpu_fastest_ns(run, &shallow);
	assert_true(cpu_within(run, &deep, 2 * fill_ns + 4 * shallow_ns));
}

#define COST(name, lossy)                                \
	static void name##_costs_the_same(void **unused) \
	{                                                \
		(void)unused;                            \
		expect_bounded(name, lossy);             \
	}

COST(on_two_vcpus_by_turns, false)
COST(where_contexts_overflow, false)
COST(back_to_a_scope_that_is_not_the_top, true)
COST(sync_after_losses, false)
COST(entered_and_left, false)
COST(opened_and_closed, false)
COST(event_and_late_fields, false)
COST(abandoned_and_entered_again, false)

/* ---- What moved is as it was --------------------------------------------- */

static void a_stack_that_moved_is_the_same(void **unused)
{
	(void)unused;
	depth = 3;
	fill_context_5();
	switch_to(1, 5, 3);
	event(1);
	assert_int_equal(last_event_parent, 3);
	event(0);
	assert_int_equal(last_event_parent, 0);
	close_span(1, 3);
	event(1);
	assert_int_equal(last_event_parent, 2);
	switch_to(0, 5, 2);
	close_span(0, 2);
	event(0);
	assert_int_equal(last_event_parent, 1);
	event(1);
	assert_int_equal(last_event_parent, 0);
}

/* Its old context may be forgotten, and another take its place. */
static void what_it_moved_from_may_be_forgotten(void **unused)
{
	(void)unused;
	start_spans(65536, (size_t)64 << 20, 8);
	depth = 3;
	fill_context_5();
	switch_to(1, 5, 3);
	switch_to(0, 0, 0);
	for (uint64_t i = 100; i < 150; i++)
		switch_to(2, i, 0);
	event(1);
	assert_int_equal(last_event_parent, 3);
	switch_to(1, 0, 0);
	switch_to(0, 5, 3);
	close_span(0, 3);
	event(0);
	assert_int_equal(last_event_parent, 2);
	gt__spans_fini(&spans);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_two_vcpus_by_turns_costs_the_same),
		cmocka_unit_test(where_contexts_overflow_costs_the_same),
		cmocka_unit_test(
			back_to_a_scope_that_is_not_the_top_costs_the_same),
		cmocka_unit_test(sync_after_losses_costs_the_same),
		cmocka_unit_test(entered_and_left_costs_the_same),
		cmocka_unit_test(opened_and_closed_costs_the_same),
		cmocka_unit_test(event_and_late_fields_costs_the_same),
		cmocka_unit_test(abandoned_and_entered_again_costs_the_same),
		T(a_stack_that_moved_is_the_same),
		cmocka_unit_test(what_it_moved_from_may_be_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

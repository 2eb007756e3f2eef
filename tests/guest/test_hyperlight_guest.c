/* SPDX-License-Identifier: MIT */
/*
 * What the guest library sends on the Hyperlight wires, rule by rule: as
 * Hyperlight's own guest would (strict), and what it does instead.
 */
#define GT_TARGET "t"
#include "hyperlight_guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct gt_span a, b, c;

/* ---- Rules 1 to 3: new spans and events ---------------------------------- */

static void ids_start_at_1_and_are_never_reset(void **state)
{
	(void)state;
	start(V11, strict());
	for (int i = 0; i < 3; i++) {
		GT_OPEN(a, GT_INFO, "a");
		gt_flush();
		gt_call_begin();
	}
	expect("start t1\nopen 1 a@t t2\n--\n"
	       "start t3\nopen 2 a@t t4\n--\n"
	       "start t5\nopen 3 a@t t6\n--\n");
}

static void a_span_has_the_top_as_parent_and_is_not_entered(void **state)
{
	(void)state;
	start(V11, strict());
	GT_OPEN(a, GT_INFO, "a");
	GT_OPEN(b, GT_INFO, "b");
	gt_enter(&a);
	GT_OPEN(c, GT_INFO, "c");
	gt_flush();
	expect("start t1\nopen 1 a@t t2\nopen 2 b@t t3\nopen 3<1 c@t t4\n--\n");
}

static void the_clock_is_read_when_the_fields_are_made(void **state)
{
	(void)state;
	start(V12, strict());
	GT_OPEN(a, GT_INFO, "a", gt_u64("now", test_tsc()));
	gt_flush();
	expect("start t1\nopen 1 a@t t3 now=2\n--\n");
}

static void an_event_names_the_top_or_0(void **state)
{
	(void)state;
	start(V11, strict());
	GT_EVENT(GT_INFO, "e");
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	GT_EVENT(GT_INFO, "f", gt_i64("n", -5));
	gt_flush();
	expect("start t1\nlog <0 e t2\nopen 1 a@t t3\nlog <1 f t4 n=-5\n--\n");
}

/* ---- Rule 4: late fields ------------------------------------------------- */

static void on_0_11_late_fields_reach_a_span_in_the_batch(void **state)
{
	(void)state;
	start(V11, fixed());
	GT_OPEN(a, GT_INFO, "a");
	GT_OPEN(b, GT_INFO, "b", gt_u64("n", 1));
	GT_EVENT(GT_INFO, "e");
	GT_RECORD(b, gt_u64("n", 2), gt_str("s", "x"));
	GT_RECORD(a, gt_bool("late", true));
	GT_RECORD(b, gt_u64("n", 3));
	gt_flush();
	expect("start t1\nopen 1 a@t t2 late=true\n"
	       "open 2 b@t t3 n=1 n=2 s=x n=3\nlog <0 e t4\n--\n");
}

static void on_0_11_later_ones_are_counted(void **state)
{
	(void)state;
	start(V11, fixed());
	GT_OPEN(a, GT_INFO, "a");
	gt_flush();
	forget();
	GT_RECORD(a, gt_u64("n", 1));
	gt_flush();
	expect("");
	assert_int_equal(gt_vcpu0.lost, 1);
}

static void on_0_12_late_fields_always_go(void **state)
{
	(void)state;
	start(V12, strict());
	GT_OPEN(a, GT_INFO, "a");
	gt_flush();
	GT_RECORD(a, gt_u64("n", 1), gt_ok());
	GT_RECORD(a, gt_ok());
	gt_flush();
	expect("start t1\nopen 1 a@t t2\n--\nedit 1 n=1\nedit 1\n--\n");
}

static void what_says_no_field_is_no_late_field(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		start(i ? V12 : V11, i ? fixed() : strict());
		GT_OPEN(a, GT_INFO, "a");
		gt_flush();
		forget();
		GT_RECORD(a, gt_ok());
		gt_flush();
		expect("");
	}
}

/* ---- Rules 5 and 6: enter, exit, close ----------------------------------- */

static void enter_three_exit_middle(void)
{
	GT_OPEN(a, GT_INFO, "a");
	GT_OPEN(b, GT_INFO, "b");
	GT_OPEN(c, GT_INFO, "c");
	gt_enter(&a);
	gt_enter(&b);
	gt_enter(&c);
	gt_flush();
	forget();
	gt_exit(&b);
	GT_EVENT(GT_INFO, "e");
	gt_exit(&c);
	GT_EVENT(GT_INFO, "f");
	gt_exit(&a);
	GT_EVENT(GT_INFO, "g");
	gt_flush();
}

static void strict_exit_pops_the_top(void **state)
{
	(void)state;
	start(V12, strict());
	enter_three_exit_middle();
	expect("log <2 e t5\nlog <1 f t6\nlog <0 g t7\n--\n");
}

static void exit_removes_its_span_wherever_it_stands(void **state)
{
	(void)state;
	start(V12, fixed());
	enter_three_exit_middle();
	expect("log <3 e t5\nlog <1 f t6\nlog <0 g t7\n--\n");
}

static void strict_close_leaves_the_stack_alone(void **state)
{
	(void)state;
	start(V12, strict());
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	gt_close(&a);
	GT_EVENT(GT_INFO, "e");
	gt_flush();
	expect("start t1\nopen 1 a@t t2\nclose 1 t3\nlog <1 e t4\n--\n");
}

static void close_exits_its_span(void **state)
{
	(void)state;
	start(V12, fixed());
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	gt_close(&a);
	gt_close(&a);
	GT_EVENT(GT_INFO, "e");
	gt_flush();
	expect("start t1\nopen 1 a@t t2\nclose 1 t3\nlog <0 e t4\n--\n");
}

static void scopes_nest(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		start(V12, i ? strict() : fixed());
		{
			GT_SPAN(s, GT_INFO, "s");
			{
				GT_SPAN(u, GT_INFO, "u", gt_u64("n", 1));
			}
			GT_EVENT(GT_INFO, "e");
		}
		GT_EVENT(GT_INFO, "f");
		gt_flush();
		expect("start t1\nopen 1 s@t t2\nopen 2<1 u@t t3 n=1\n"
		       "close 2 t4\nlog <1 e t5\nclose 1 t6\nlog <0 f "
		       "t7\n--\n");
	}
}

/* ---- Rule 7: sending ----------------------------------------------------- */

static void the_30th_event_travels_in_the_batch_that_it_fills(void **state)
{
	(void)state;
	start(V11, strict());
	for (int i = 0; i < 29; i++)
		GT_EVENT(GT_INFO, "e");
	assert_int_equal(hyperlight_batches, 0);
	GT_EVENT(GT_INFO, "e");
	assert_int_equal(hyperlight_batches, 1);
	assert_int_equal(hyperlight_events, 31);
	gt_flush();
	assert_int_equal(hyperlight_batches, 1);
}

static void the_number_of_events_is_an_option(void **state)
{
	struct gt_options options = fixed();

	(void)state;
	options.batch_events = 1;
	start(V11, options);
	GT_OPEN(a, GT_INFO, "a");
	gt_close(&a);
	expect("start t1\nopen 1 a@t t2\n--\nstart t1\nclose 1 t3\n--\n");
}

static void what_does_not_fit_sends_the_others_first(void **state)
{
	static const char value[] = "01234567890123456789012345678901234567890";

	(void)state;
	start(V12, strict());
	for (int i = 0; i < 1000; i++)
		GT_EVENT(GT_INFO, "e", gt_str("s", value));
	gt_flush();
	assert_int_equal(hyperlight_events, 1001);
	assert_in_range(hyperlight_longest, 3900, 4096);
}

/* ---- Rules 8 and 9: the end of a trace ----------------------------------- */

static void the_end_closes_what_is_entered_from_the_top(void **state)
{
	(void)state;
	start(V12, strict());
	GT_OPEN(a, GT_INFO, "a");
	GT_OPEN(b, GT_INFO, "b");
	GT_OPEN(c, GT_INFO, "c");
	gt_enter(&c);
	gt_enter(&a);
	gt_flush();
	forget();
	gt_call_end();
	expect("close 1 t5\nclose 3 t6\n--\n");
	assert_int_equal(gt_current(), 0);
}

static void strict_0_11_keeps_the_end_for_the_next_exit(void **state)
{
	(void)state;
	start(V11, strict());
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	gt_call_end();
	expect("");
	gt_flush();
	expect("start t1\nopen 1 a@t t2\nclose 1 t3\n--\n");
}

static void strict_0_11_new_spans_and_events_drop_what_was_kept(void **state)
{
	(void)state;
	start(V11, strict());
	GT_OPEN(a, GT_INFO, "a");
	gt_call_end();
	gt_close(&a); /* not this */
	GT_OPEN(b, GT_INFO, "b");
	GT_EVENT(GT_INFO, "e");
	gt_call_end();
	GT_EVENT(GT_INFO, "f");
	gt_flush();
	expect("start t1\nlog <0 f t6\n--\n");
}

static void the_end_of_a_call_always_arrives(void **state)
{
	(void)state;
	start(V11, fixed());
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	gt_call_end();
	expect("start t1\nopen 1 a@t t2\nclose 1 t3\n--\n");
	gt_call_end();
	assert_int_equal(hyperlight_batches, 1);
}

static void the_end_sends_at_30_too(void **state)
{
	struct gt_span spans[29];

	(void)state;
	start(V11, strict());
	for (int i = 0; i < 29; i++) {
		GT_OPEN(spans[i], GT_INFO, "s");
		gt_enter(&spans[i]);
	}
	gt_call_end();
	assert_int_equal(hyperlight_batches, 1);
	gt_flush();
	assert_int_equal(hyperlight_events, 29 + 29 + 2);
}

/* ---- Rules 10 and 11: calls and parents ---------------------------------- */

static void explicit_parents(void)
{
	GT_OPEN(a, GT_INFO, "a");
	GT_OPEN(b, GT_INFO, "b");
	gt_enter(&b);
	gt_flush();
	forget();
	GT_OPEN(c, GT_INFO, "c", gt_parent(a), gt_u64("n", 1));
	GT_EVENT(GT_INFO, "e", gt_parent(a));
	GT_OPEN(c, GT_INFO, "d", gt_root());
	gt_flush();
}

static void strict_ignores_explicit_parents(void **state)
{
	(void)state;
	start(V12, strict());
	explicit_parents();
	expect("open 3<2 c@t t4 n=1\nlog <2 e t5\nopen 4<2 d@t t6\n--\n");
}

static void explicit_parents_hold(void **state)
{
	(void)state;
	start(V12, fixed());
	explicit_parents();
	expect("open 3<1 c@t t4 n=1\nlog <1 e t5\nopen 4 d@t t6\n--\n");
}

static void the_stack_survives_calls(void **state)
{
	(void)state;
	start(V11, strict());
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	gt_call_begin();
	GT_EVENT(GT_INFO, "e");
	gt_flush();
	expect("start t3\nopen 1 a@t t2\nlog <1 e t4\n--\n");
}

static void a_new_call_keeps_the_time_base_of_the_old_one(void **state)
{
	(void)state;
	start(V11, fixed());
	GT_EVENT(GT_INFO, "e");
	gt_call_begin();
	GT_EVENT(GT_INFO, "f");
	gt_flush();
	expect("start t1\nlog <0 e t2\n--\nstart t3\nlog <0 f t4\n--\n");
}

static void strict_0_12_drops_what_a_new_call_finds(void **state)
{
	(void)state;
	start(V12, strict());
	GT_EVENT(GT_INFO, "e");
	gt_call_begin();
	gt_flush();
	expect("start t3\n--\n");
}

static void a_new_call_sends_what_it_finds(void **state)
{
	(void)state;
	start(V12, fixed());
	GT_EVENT(GT_INFO, "e");
	gt_call_begin();
	gt_flush();
	expect("start t1\nlog <0 e t2\n--\nstart t3\n--\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test(name)
		T(ids_start_at_1_and_are_never_reset),
		T(a_span_has_the_top_as_parent_and_is_not_entered),
		T(the_clock_is_read_when_the_fields_are_made),
		T(an_event_names_the_top_or_0),
		T(on_0_11_late_fields_reach_a_span_in_the_batch),
		T(on_0_11_later_ones_are_counted),
		T(on_0_12_late_fields_always_go),
		T(what_says_no_field_is_no_late_field),
		T(strict_exit_pops_the_top),
		T(exit_removes_its_span_wherever_it_stands),
		T(strict_close_leaves_the_stack_alone),
		T(close_exits_its_span),
		T(scopes_nest),
		T(the_30th_event_travels_in_the_batch_that_it_fills),
		T(the_number_of_events_is_an_option),
		T(what_does_not_fit_sends_the_others_first),
		T(the_end_closes_what_is_entered_from_the_top),
		T(strict_0_11_keeps_the_end_for_the_next_exit),
		T(strict_0_11_new_spans_and_events_drop_what_was_kept),
		T(the_end_of_a_call_always_arrives),
		T(the_end_sends_at_30_too),
		T(strict_ignores_explicit_parents),
		T(explicit_parents_hold),
		T(the_stack_survives_calls),
		T(a_new_call_keeps_the_time_base_of_the_old_one),
		T(strict_0_12_drops_what_a_new_call_finds),
		T(a_new_call_sends_what_it_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

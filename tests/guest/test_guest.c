/* SPDX-License-Identifier: MIT */
/* What a guest records is what a sink is shown. */
#define GT_TARGET "guest.test"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include <guesttrace/guest.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t ring[64 << 10 >> 3];

static int setup(void **state)
{
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring)};

	(void)state;
	inproc_clear();
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
	return 0;
}

static void finish(void)
{
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
}

/* A guest's first span has id 52: its position, 48, behind the block's sync
 * record, and GT_ID_MARK. */
static void expect(const char *expected)
{
	finish();
	assert_string_equal(inproc_text(), expected);
}

static void an_event_keeps_every_type_of_field(void **state)
{
	static const unsigned char bytes[] = {1, 0, 255};

	(void)state;
	GT_EVENT(GT_INFO, "all", gt_u64("u", UINT64_MAX),
	         gt_i64("i", INT64_MIN), gt_f64("f", 1.5), gt_bool("t", true),
	         gt_bool("n", false), gt_str("s", "h\xc3\xa9"),
	         gt_str("null", NULL), gt_strn("part", "abcdef", 3),
	         gt_bytes("x", bytes, 3), gt_ptr("p", (void *)0x1000));
	expect("event all <0 u=18446744073709551615 i=-9223372036854775808 "
	       "f=1.5 t=true n=false s=h\xc3\xa9 null=(null) part=abc "
	       "x=0100ff p=0x1000\n");
}

static void sixteen_fields_fit(void **state)
{
	(void)state;
	GT_EVENT(GT_INFO, "many", gt_u64("a", 1), gt_u64("b", 2),
	         gt_u64("c", 3), gt_u64("d", 4), gt_u64("e", 5), gt_u64("f", 6),
	         gt_u64("g", 7), gt_u64("h", 8), gt_u64("i", 9),
	         gt_u64("j", 10), gt_u64("k", 11), gt_u64("l", 12),
	         gt_u64("m", 13), gt_u64("n", 14), gt_u64("o", 15),
	         gt_u64("p", 16));
	expect("event many <0 a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9 j=10 k=11 "
	       "l=12 m=13 n=14 o=15 p=16\n");
}

static int leave_early(int how)
{
	GT_SPAN(scope, GT_INFO, "scope", gt_i64("how", how));

	for (int i = 0; i < 3; i++) {
		GT_SPAN(inner, GT_DEBUG, "inner");

		if (how == 1)
			break;
		if (how == 2)
			return 2;
		if (how == 3)
			goto out;
		return 0;
	}
out:
	return how;
}

static void a_scope_closes_on_every_way_out(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++)
		leave_early(how);
	finish();
	for (const char *at = inproc_text(); (at = strstr(at, "open scope"));)
		assert_non_null(at = strstr(at, "\nclose inner"));
	assert_int_equal(inproc_summary.spans, 8);
	assert_null(strstr(inproc_text(), "!"));
}

static void nested_spans_have_the_innermost_entered_one_as_parent(void **state)
{
	(void)state;
	{
		GT_SPAN(a, GT_INFO, "a");
		{
			GT_SPAN(b, GT_INFO, "b");
			GT_EVENT(GT_INFO, "e");
		}
		GT_EVENT(GT_INFO, "f");
	}
	GT_EVENT(GT_INFO, "g");
	expect("open a 52<0\n"
	       "open b 68<52\n"
	       "event e <68\n"
	       "close b 68 events=1\n"
	       "event f <52\n"
	       "close a 52 events=1\n"
	       "event g <0\n");
}

static void an_open_span_is_no_parent_until_entered(void **state)
{
	struct gt_span s;

	(void)state;
	GT_OPEN(s, GT_INFO, "s", gt_u64("n", 1));
	GT_EVENT(GT_INFO, "before");
	gt_enter(&s);
	assert_int_equal(gt_current(), s.id);
	GT_EVENT(GT_INFO, "inside");
	gt_exit(&s);
	assert_int_equal(gt_current(), 0);
	GT_EVENT(GT_INFO, "after");
	GT_RECORD(s, gt_str("late", "yes"));
	gt_close(&s);
	expect("open s 52<0 n=1\n"
	       "event before <0\n"
	       "event inside <52\n"
	       "event after <0\n"
	       "close s 52 events=1 n=1 late=yes\n");
}

static void exit_removes_the_span_wherever_it_stands(void **state)
{
	struct gt_span a, b, c;

	(void)state;
	GT_OPEN(a, GT_INFO, "a");
	GT_OPEN(b, GT_INFO, "b");
	GT_OPEN(c, GT_INFO, "c");
	gt_enter(&a);
	gt_enter(&b);
	gt_enter(&c);
	gt_exit(&b);
	GT_EVENT(GT_INFO, "in_c");
	gt_exit(&c);
	GT_EVENT(GT_INFO, "in_a");
	gt_exit(&a);
	GT_EVENT(GT_INFO, "in_none");
	finish();
	assert_non_null(strstr(inproc_text(), "event in_c <84\n"));
	assert_non_null(strstr(inproc_text(), "event in_a <52\n"));
	assert_non_null(strstr(inproc_text(), "event in_none <0\n"));
}

static void closing_twice_is_harmless(void **state)
{
	struct gt_span a;

	(void)state;
	GT_OPEN(a, GT_INFO, "a");
	gt_close(&a);
	gt_close(&a);
	gt_enter(&a);
	gt_exit(&a);
	GT_RECORD(a, gt_u64("n", 1));
	expect("open a 52<0\nclose a 52\n");
	assert_int_equal(inproc_summary.losses.unknown_spans, 0);
}

static void parents_and_roots_can_be_explicit(void **state)
{
	struct gt_span far;

	(void)state;
	GT_OPEN(far, GT_INFO, "far");
	{
		GT_SPAN(a, GT_INFO, "a");
		{
			GT_SPAN(b, GT_INFO, "b", gt_parent(far),
			        gt_u64("n", 1));
			GT_SPAN(c, GT_INFO, "c", gt_root());
			GT_EVENT(GT_INFO, "e", gt_parent(far));
		}
	}
	gt_close(&far);
	finish();
	assert_non_null(strstr(inproc_text(), "open b 84<52 n=1\n"));
	assert_non_null(strstr(inproc_text(), "open c 116<0\n"));
	assert_non_null(strstr(inproc_text(), "event e <52\n"));
}

static void links_and_status_reach_the_span(void **state)
{
	struct gt_span a, b;

	(void)state;
	GT_OPEN(a, GT_INFO, "a");
	GT_OPEN(b, GT_INFO, "b", gt_link(a),
	        gt_link_remote("00-0af7651916cd43dd8448eb211c80319c-"
	                       "b7ad6b7169203331-01"),
	        gt_link_remote("nonsense"));
	GT_RECORD(a, gt_error("broken"), gt_i64("code", -5));
	GT_RECORD(b, gt_ok());
	gt_close(&a);
	gt_close(&b);
	finish();
	assert_non_null(
		strstr(inproc_text(), "close a 52 status=2(broken) code=-5\n"));
	assert_non_null(strstr(inproc_text(), "status=1() link=11.."
	                                      "1111111111111145 "
	                                      "link=0a..b7ad6b7169203331\n"));
}

static void a_link_in_an_event_does_not_link_its_span(void **state)
{
	struct gt_span far;

	(void)state;
	GT_OPEN(far, GT_INFO, "far");
	{
		GT_SPAN(s, GT_INFO, "s");
		GT_EVENT(GT_INFO, "e", gt_link(far));
	}
	gt_close(&far);
	finish();
	assert_null(strstr(inproc_text(), "link="));
}

static void counters_are_shown_as_counters(void **state)
{
	(void)state;
	GT_SPAN(s, GT_INFO, "s");
	GT_COUNTER(GT_INFO, "queue", gt_u64("depth", 7), gt_f64("load", 0.5));
	finish();
	assert_non_null(
		strstr(inproc_text(), "counter queue <52 depth=7 load=0.5\n"));
	assert_int_equal(inproc_summary.counters, 1);
}

static void a_site_that_is_off_records_nothing(void **state)
{
	int evaluated = 0;

	(void)state;
	assert_int_equal(gt_host_set_filter(inproc_host, "info"), 0);
	GT_EVENT(GT_DEBUG, "quiet", gt_i64("n", ++evaluated));
	GT_EVENT(GT_INFO, "loud", gt_i64("n", ++evaluated));
	{
		GT_SPAN(s, GT_TRACE, "quiet_span");

		assert_int_equal(s.id, 0);
		GT_RECORD(s, gt_i64("n", ++evaluated));
	}
	expect("event loud <0 n=1\n");
	assert_int_equal(evaluated, 1);
}

#undef GT_TARGET
#define GT_TARGET "other"
static void other(void)
{
	GT_EVENT(GT_DEBUG, "of_other");
}
#undef GT_TARGET
#define GT_TARGET "guest.test"

static void one_target_is_switched_while_the_guest_runs(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		other();
		GT_EVENT(GT_DEBUG, "of_test", gt_u64("round", round));
		gt_host_set_filter(inproc_host,
		                   round % 2 ? "trace" : "trace,other=off");
	}
	expect("event of_other <0\n"
	       "event of_test <0 round=0\n"
	       "event of_test <0 round=1\n"
	       "event of_other <0\n"
	       "event of_test <0 round=2\n"
	       "event of_test <0 round=3\n");
}

static void a_span_opened_before_it_was_switched_off_still_closes(void **state)
{
	(void)state;
	{
		GT_SPAN(s, GT_INFO, "s");
		gt_host_set_filter(inproc_host, "off");
		GT_RECORD(s, gt_u64("late", 1));
	}
	expect("open s 52<0\nclose s 52 late=1\n");
}

static void levels_can_be_set_without_a_host(void **state)
{
	(void)state;
	gt_set_level(GT_WARN);
	GT_EVENT(GT_WARN, "warn");
	GT_EVENT(GT_INFO, "info");
	gt_set_level(GT_OFF);
	GT_EVENT(GT_ERROR, "error");
	expect("event warn <0\n");
}

static void a_long_string_is_cut_flagged_and_counted(void **state)
{
	static char long_text[5000];
	const char *text;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	GT_EVENT(GT_INFO, "cut", gt_str("a", "whole"), gt_str("b", long_text),
	         gt_str("c", "gone"));
	finish();
	text = inproc_text();
	assert_non_null(strstr(text, "event cut <0 !cut a=whole b=xxx"));
	assert_non_null(strstr(text, "(of 4999) c=(of 4)\n"));
	assert_int_equal(inproc_summary.losses.strings_cut, 2);
}

static void a_string_is_not_cut_inside_a_character(void **state)
{
	static char text[4001];

	(void)state;
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[0] = 'x';
	text[1] = 'x';
	memmove(text + 1, text + 2, 3998);
	GT_EVENT(GT_INFO, "cut", gt_strn("s", text, 3999));
	finish();
	assert_null(strstr(inproc_text(), "\xef\xbf\xbd"));
}

static void invalid_utf8_is_replaced(void **state)
{
	(void)state;
	GT_EVENT(GT_INFO, "e", gt_str("s", "a\xff\xc3(\xed\xa0\x80z"));
	expect("event e <0 s=a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd"
	       "\xef\xbf\xbdz\n");
}

static void contexts_have_stacks_of_their_own(void **state)
{
	uint64_t first, second;

	(void)state;
	{
		GT_SPAN(a, GT_INFO, "a");
		first = gt_switch(7, 0);
		GT_EVENT(GT_INFO, "fresh");
		{
			GT_SPAN(b, GT_INFO, "b");
			second = gt_switch(0, first);
			GT_EVENT(GT_INFO, "in_a");
			gt_switch(7, second);
			GT_EVENT(GT_INFO, "in_b");
		}
		gt_switch(0, first);
	}
	finish();
	assert_non_null(strstr(inproc_text(), "event fresh <0\n"));
	assert_non_null(strstr(inproc_text(), "event in_a <52\n"));
	assert_non_null(strstr(inproc_text(), "event in_b <"));
	assert_null(strstr(inproc_text(), "event in_b <0"));
	assert_null(strstr(inproc_text(), "event in_b <52"));
}

static void abandoned_spans_stay_open_but_are_no_parents(void **state)
{
	struct gt_span a;

	(void)state;
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	gt_abandon();
	GT_EVENT(GT_INFO, "e");
	gt_close(&a);
	expect("open a 52<0\nevent e <0\nclose a 52\n");
}

static void open_spans_end_interrupted_from_the_inside_out(void **state)
{
	struct gt_span a, b;

	(void)state;
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	GT_OPEN(b, GT_INFO, "b");
	expect("open a 52<0\n"
	       "open b 92<52\n"
	       "close b 92 !interrupted\n"
	       "close a 52 !interrupted\n");
}

static void without_init_everything_is_off(void **state)
{
	(void)state;
	memset(&gt_vcpu0, 0, sizeof(gt_vcpu0));
	GT_EVENT(GT_INFO, "e");
	assert_int_equal(gt_vcpu0.lost, 1);
	finish();
	assert_string_equal(inproc_text(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, inproc_teardown)
		T(an_event_keeps_every_type_of_field),
		T(sixteen_fields_fit),
		T(a_scope_closes_on_every_way_out),
		T(nested_spans_have_the_innermost_entered_one_as_parent),
		T(an_open_span_is_no_parent_until_entered),
		T(exit_removes_the_span_wherever_it_stands),
		T(closing_twice_is_harmless),
		T(parents_and_roots_can_be_explicit),
		T(links_and_status_reach_the_span),
		T(a_link_in_an_event_does_not_link_its_span),
		T(counters_are_shown_as_counters),
		T(a_site_that_is_off_records_nothing),
		T(one_target_is_switched_while_the_guest_runs),
		T(a_span_opened_before_it_was_switched_off_still_closes),
		T(levels_can_be_set_without_a_host),
		T(a_long_string_is_cut_flagged_and_counted),
		T(a_string_is_not_cut_inside_a_character),
		T(invalid_utf8_is_replaced),
		T(contexts_have_stacks_of_their_own),
		T(abandoned_spans_stay_open_but_are_no_parents),
		T(open_spans_end_interrupted_from_the_inside_out),
		T(without_init_everything_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

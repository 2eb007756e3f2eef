/* SPDX-License-Identifier: MIT */
/*
 * What becomes of values, of too much, and of handlers that interrupt, on the
 * Hyperlight wires.
 */
#define GT_TARGET "t"
#include "hyperlight_guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct gt_span a, b;
static uint64_t memory[GT_BATCH_BYTES_MIN / 8];

/* ---- Values -------------------------------------------------------------- */

static void values_look_as_hyperlight_writes_them(void **state)
{
	static const uint8_t bytes[] = {1, 2, 255};

	(void)state;
	start(V12, fixed());
	GT_EVENT(GT_INFO, "e", gt_u64("u", UINT64_MAX), gt_i64("i", INT64_MIN),
	         gt_bool("t", 1), gt_bool("f", 0), gt_f64("d", 0.5),
	         gt_f64("w", 3), gt_bytes("x", bytes, 3),
	         gt_bytes("n", bytes, 0), gt_ptr("p", (void *)0x1000),
	         gt_ptr("z", NULL), gt_str("s", "h\xc3\xa9"), gt_str("o", NULL),
	         gt_strn("l", "abcdef", 3));
	gt_flush();
	expect("start t1\nlog <0 e t2 u=18446744073709551615 "
	       "i=-9223372036854775808 t=true f=false d=0.5 w=3.0 "
	       "x=[1, 2, 255] n=[] p=0x1000 z=0x0 s=h\xc3\xa9 o=(null) "
	       "l=abc\n--\n");
}

static void what_a_wire_has_no_room_for_is_left_out(void **state)
{
	(void)state;
	start(V12, fixed());
	GT_OPEN(a, GT_INFO, "a", gt_link_id(7), gt_u64("n", 1),
	        gt_link_remote("00-0af7651916cd43dd8448eb211c80319c-"
	                       "b7ad6b7169203331-01"),
	        gt_str("s", "x"), gt_error("broken"), gt_bool("t", true));
	GT_COUNTER(GT_INFO, "c", gt_u64("n", 1));
	gt_flush();
	expect("start t1\nopen 1 a@t t2 n=1 s=x t=true\n--\n");
	assert_int_equal(gt_vcpu0.lost, 0);
}

static void invalid_utf8_is_replaced(void **state)
{
	(void)state;
	start(V11, fixed());
	GT_EVENT(GT_INFO, "e", gt_str("s", "a\xff\xc3(\xed\xa0\x80z"),
	         gt_str("l", "0123456789\xe2\x82"));
	gt_flush();
	expect("start t1\nlog <0 e t2 s=a\xef\xbf\xbd\xef\xbf\xbd("
	       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz "
	       "l=0123456789\xef\xbf\xbd\n--\n");
}

static void a_site_looks_the_same_each_time(void **state)
{
	(void)state;
	start(V12, fixed());
	for (uint64_t i = 0; i < 3; i++)
		GT_OPEN(a, GT_INFO, "a_longer_name", gt_u64("number", i),
		        gt_link_id(3), gt_str("label", i ? "x" : "abcdefghi"));
	gt_flush();
	expect("start t1\n"
	       "open 1 a_longer_name@t t2 number=0 label=abcdefghi\n"
	       "open 2 a_longer_name@t t3 number=1 label=x\n"
	       "open 3 a_longer_name@t t4 number=2 label=x\n--\n");
}

/* ---- Limits -------------------------------------------------------------- */

static char long_text[9000];

static void events_of_any_length_arrive(void **state)
{
	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	for (int i = 0; i < 2; i++) {
		start(i ? V12 : V11, fixed());
		for (size_t n = 0; n < sizeof(long_text); n += n / 64 + 1) {
			GT_EVENT(GT_INFO, "e", gt_strn("s", long_text, n),
			         gt_u64("n", n));
			gt_flush();
			assert_int_equal(hyperlight_batches, 1);
			assert_in_range(hyperlight_longest, 1, 4096);
			assert_int_equal(gt_vcpu0.cut,
			                 !!strstr(hyperlight_text, "cut="));
			gt_vcpu0.cut = 0;
			forget();
		}
	}
}

static void an_event_too_long_is_cut_flagged_and_counted(void **state)
{
	char *cut;
	uint64_t missing;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	start(V12, fixed());
	GT_EVENT(GT_INFO, "cut", gt_str("a", "whole"),
	         gt_strn("b", long_text, 9000), gt_str("c", "gone by and by"),
	         gt_u64("d", 1234567));
	gt_flush();
	assert_int_equal(gt_vcpu0.cut, 1);
	assert_non_null(strstr(hyperlight_text, "log <0 cut t2 a=whole b=xxx"));
	cut = strstr(hyperlight_text, " guesttrace.cut=");
	assert_non_null(cut);
	missing = strtoull(cut + 16, NULL, 10);
	assert_in_range(missing, 9000 - 4096, 9000);
	for (char *x = strstr(hyperlight_text, "b="); *++x != ' ';)
		missing += *x == 'x';
	assert_in_range(missing, 9000, 9000 + 14 + 7);
}

static void a_cut_does_not_split_a_character(void **state)
{
	(void)state;
	for (size_t i = 0; i + 2 <= sizeof(long_text); i += 2)
		memcpy(long_text + i, "\xc3\xa9", 2);
	for (size_t skipped = 0; skipped < 4; skipped++) {
		start(V12, fixed());
		long_text[0] = 'a';
		GT_EVENT(GT_INFO, "e", gt_strn("s", long_text + skipped, 8000));
		gt_flush();
		assert_null(strstr(hyperlight_text + 20, "\xc3 "));
	}
}

static void bytes_are_cut_between_numbers(void **state)
{
	(void)state;
	memset(long_text, 200, sizeof(long_text));
	start(V12, fixed());
	GT_EVENT(GT_INFO, "e", gt_bytes("x", long_text, sizeof(long_text)));
	gt_flush();
	assert_non_null(strstr(hyperlight_text, " x=[200, 200"));
	assert_non_null(strstr(hyperlight_text, ", 200] guesttrace.cut=8"));
}

static void the_smallest_batch_takes_the_largest_site(void **state)
{
	struct gt_options options = fixed();

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	options.batch = memory;
	options.batch_bytes = GT_BATCH_BYTES_MIN;
#define F(k) gt_strn(k, long_text, 100)
	for (int i = 0; i < 2; i++) {
		start(i ? V12 : V11, options);
		GT_OPEN(a, GT_INFO, "sixteen", F("a"), F("b"), F("c"), F("d"),
		        F("e"), F("f"), F("g"), F("h"), F("i"), F("j"), F("k"),
		        F("l"), F("m"), F("n"), F("o"), F("p"));
		gt_flush();
		assert_non_null(
			strstr(hyperlight_text, " p=xxx guesttrace.cut=1"));
		assert_in_range(hyperlight_longest, 1, GT_BATCH_BYTES_MIN);
	}
#undef F
}

static void too_little_memory_loses_all_and_counts_it(void **state)
{
	struct gt_options options = fixed();

	(void)state;
	options.batch = memory;
	for (size_t bytes = 0; bytes < 300; bytes += 20) {
		options.batch_bytes = bytes;
		for (int i = 0; i < 2; i++) {
			start(i ? V12 : V11, options);
			GT_EVENT(GT_INFO, "a_name_that_is_not_so_short",
			         gt_u64("a", 1), gt_u64("b", 2), gt_u64("c", 3),
			         gt_u64("d", 4), gt_u64("e", 5),
			         gt_u64("f", 6));
			gt_call_end();
			assert_true(gt_vcpu0.lost > 0);
		}
	}
}

static void a_stack_too_deep_is_counted(void **state)
{
	static struct gt_span deep[300];

	(void)state;
	for (int i = 0; i < 2; i++) {
		start(V12, i ? strict() : fixed());
		for (unsigned n = 0; n < 300; n++) {
			GT_OPEN(deep[n], GT_INFO, "s");
			gt_enter(&deep[n]);
		}
		assert_int_equal(gt_vcpu0.lost, 300 - 128);
		for (unsigned n = 300; n-- > 1;) {
			gt_exit(&deep[n]);
			gt_close(&deep[n]);
		}
		assert_int_equal(gt_current(), 1);
	}
}

/* ---- Switches ------------------------------------------------------------ */

static void levels_switch_sites(void **state)
{
	struct gt_options options = fixed();

	(void)state;
	options.level = GT_WARN;
	start(V12, options);
	GT_EVENT(GT_WARN, "warn");
	GT_EVENT(GT_INFO, "info");
	gt_set_level(GT_TRACE);
	GT_EVENT(GT_TRACE, "trace");
	gt_set_level(GT_OFF);
	GT_EVENT(GT_ERROR, "error");
	gt_flush();
	expect("start t1\nlog <0 warn t2\nlog <0 trace t3\n--\n");
}

static void contexts_have_parents_of_their_own(void **state)
{
	uint64_t first;

	(void)state;
	start(V12, fixed());
	GT_OPEN(a, GT_INFO, "a");
	gt_enter(&a);
	first = gt_switch(7, 0);
	GT_EVENT(GT_INFO, "e");
	GT_OPEN(b, GT_INFO, "b");
	gt_enter(&b);
	gt_switch(0, first);
	GT_EVENT(GT_INFO, "f");
	gt_switch(7, b.id);
	gt_abandon();
	GT_EVENT(GT_INFO, "g");
	gt_flush();
	gt_call_end();
	expect("start t1\nopen 1 a@t t2\nlog <0 e t3\nopen 2 b@t t4\n"
	       "log <1 f t5\nlog <0 g t6\n--\nclose 1 t7\n--\n");
	gt_switch(0, 0);
}

/* ---- Handlers that interrupt a recording --------------------------------- */

static void record_something(void)
{
	GT_SPAN(s, GT_INFO, "nested");

	GT_EVENT(GT_INFO, "nested");
	GT_RECORD(a, gt_u64("nested", 1));
	gt_enter(&a);
	gt_exit(&a);
	gt_flush();
}

static void what_a_handler_records_meanwhile_is_lost_and_counted(void **state)
{
	(void)state;
	start(V11, fixed());
	GT_OPEN(a, GT_INFO, "a");
	hyperlight_interrupt = record_something;
	GT_EVENT(GT_INFO, "e");
	gt_flush();
	expect("start t1\nopen 1 a@t t2\nlog <0 e t3\n--\n");
	assert_int_equal(gt_vcpu0.lost, 6);
}

static void a_death_meanwhile_sends_what_is_whole(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		start(i ? V12 : V11, fixed());
		GT_OPEN(a, GT_INFO, "a");
		gt_enter(&a);
		GT_EVENT(GT_INFO, "e");
		hyperlight_interrupt = gt_call_end;
		GT_EVENT(GT_INFO, "interrupted", gt_str("s", "x"));
		expect("start t1\nopen 1 a@t t2\nlog <1 e t3\nclose 1 "
		       "t4\n--\n");
		assert_int_equal(gt_vcpu0.lost, 1);
		GT_EVENT(GT_INFO, "after");
		forget();
		gt_flush();
		assert_non_null(strstr(hyperlight_text, "after"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test(name)
		T(values_look_as_hyperlight_writes_them),
		T(what_a_wire_has_no_room_for_is_left_out),
		T(invalid_utf8_is_replaced),
		T(a_site_looks_the_same_each_time),
		T(events_of_any_length_arrive),
		T(an_event_too_long_is_cut_flagged_and_counted),
		T(a_cut_does_not_split_a_character),
		T(bytes_are_cut_between_numbers),
		T(the_smallest_batch_takes_the_largest_site),
		T(too_little_memory_loses_all_and_counts_it),
		T(a_stack_too_deep_is_counted),
		T(levels_switch_sites),
		T(contexts_have_parents_of_their_own),
		T(what_a_handler_records_meanwhile_is_lost_and_counted),
		T(a_death_meanwhile_sends_what_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

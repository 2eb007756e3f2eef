/* SPDX-License-Identifier: MIT */
/* Texts for people: what is shown, and where the time went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/report_run.h"

static void a_depth_cuts_off_what_is_below(void **state)
{
	char *text;

	(void)state;
	text = printed(gt_tree_with, (struct gt_report_options){.depth = 1});
	SHOWS(text, "outer  10.000 µs");
	SHOWS(text, "leaf");
	SHOWS_NOT(text, "inner");
	SHOWS_NOT(text, "note");
	free(text);
	text = printed(gt_report_with, (struct gt_report_options){.depth = 2});
	SHOWS(text, "└─ inner");
	SHOWS(text, "├· note");
	SHOWS(text, "1 span not shown");
	free(text);
}

static void short_spans_go_and_those_above_long_ones_stay(void **state)
{
	struct gt_report_options options = {.min_duration_ns = 4000};
	char *text;

	(void)state;
	text = printed(gt_report_with, options);
	SHOWS(text, "└─ inner");
	SHOWS_NOT(text, "─ leaf");
	SHOWS(text, "2 spans not shown");
	free(text);
}

static void a_name_keeps_what_is_above_and_below_it(void **state)
{
	struct gt_report_options options = {.name = "inn*", .top = 1};
	char *text;

	(void)state;
	text = printed(gt_tree_with, options);
	SHOWS(text, "outer");
	SHOWS(text, "└─ inner");
	SHOWS(text, "├─ leaf");
	SHOWS_NOT(text, "\nleaf");
	SHOWS_NOT(text, "├· note"); /* outer's: it is there as context only */
	free(text);
	options.name = "le[a-f]f";
	text = printed(gt_report_with, options);
	SHOWS(text, "\nleaf");
	SHOWS_NOT(text, "4.000 µs    3.500 µs"); /* inner, in the table */
	free(text);
}

static void a_name_that_no_span_has_is_said(void **state)
{
	struct gt_report_options options = {.name = "leav"};
	char *text;

	(void)state;
	text = printed(gt_report_with, options);
	SHOWS(text, "no span of that name\n");
	free(text);
	options.name = "leaf";
	text = printed(gt_report_with, options);
	SHOWS_NOT(text, "no span of that name");
	free(text);
	text = printed(gt_report_with, (struct gt_report_options){0});
	SHOWS_NOT(text, "no span of that name");
	free(text);
}

static void the_table_has_as_many_rows_as_asked_for(void **state)
{
	struct gt_report_options options = {.no_tree = true, .top = 2};
	char *text;

	(void)state;
	text = printed(gt_report_with, options);
	SHOWS(text, "1 more\n");
	SHOWS_NOT(text, "─");
	SHOWS_NOT(text, "leaf");
	free(text);
}

static void the_report_says_where_the_time_went(void **state)
{
	char *text;

	(void)state;
	text = printed(gt_report_with, (struct gt_report_options){0});
	/* 30 µs of one vCPU: 1 µs exits, 1 µs waiting, 28 µs guest. */
	SHOWS(text, "where the time went  2 vCPUs × 30.000 µs\n");
	SHOWS(text, "28.000 µs    46.7 %  guest\n");
	SHOWS(text, "1.000 µs     1.7 %  vCPU waiting for a CPU of the host "
	            "(estimated)\n");
	SHOWS(text, "1.000 µs     1.7 %  exits: io\n");
	SHOWS(text, "30.000 µs    50.0 %  not known: ");
	/* outer, 10 µs: 8 guest, 1 exits, 1 waiting. */
	SHOWS(text, "~80      ~10      ~10  outer");
	/* inner, 4 µs: 1 exits; of its 3 µs in the guest a quarter waited. */
	SHOWS(text, "~56      ~25      ~19  inner");
	SHOWS_NOT(text, "exit ");
	free(text);
}

static void exits_stand_in_the_tree_where_they_happened(void **state)
{
	char *text;

	(void)state;
	text = printed(gt_tree_with, (struct gt_report_options){.exits = true});
	SHOWS(text, "   ├· note");
	SHOWS(text, "   └○ exit   1.000 µs    +4.000 µs  vCPU 0 io "
	            "103\n");
	free(text);
}

static void a_histogram_counts_every_span_of_the_name(void **state)
{
	struct gt_report_options options = {.histogram = "leaf"};
	char *text;

	(void)state;
	text = printed(gt_report_with, options);
	SHOWS(text, "100 ns –     200 ns  █");
	SHOWS(text, "500 ns –   1.000 µs  █");
	SHOWS(text, "2 spans  min 100 ns  p50 100 ns  p90 500 ns  p99 500 ns  "
	            "max 500 ns\n");
	SHOWS_NOT(text, "outer");
	free(text);
	options.histogram = "nobody";
	text = printed(gt_report_with, options);
	SHOWS(text, "no span of that name");
	free(text);
}

/* `outer` in itself and on both vCPUs: one was open for 12 of 30 us. */
static void recurse(struct syn *s, uint32_t index, uint64_t longer_ns)
{
	struct syn_span *a, *b, *c;

	syn_begin(s, index, "g");
	a = syn_open(s, &outer, NULL, 0, 0, true);
	b = syn_open(s, &outer, a, 0, 1000, true);
	c = syn_open(s, &outer, b, 0, 2000, true);
	syn_close(s, c, 0, 3000);
	syn_close(s, b, 0, 5000);
	c = syn_open(s, &outer, NULL, 1, 4000, true);
	syn_close(s, a, 0, 10000);
	syn_close(s, c, 1, 12000 + longer_ns);
	a = syn_open(s, &inner, NULL, 0, 15000, true);
	syn_close(s, a, 0, 28000);
	syn_end(s, 30000);
}

static void a_name_inside_of_itself_counts_each_moment_once(void **state)
{
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 2};

	(void)state;
	gt__out_init(&text, &none);
	assert_int_equal(gt_report_with(&output, NULL, &s.sinks[0]), 0);
	assert_int_equal(gt_diff_with(&output, NULL, &s.sinks[1]), 0);
	recurse(&s, 0, 0);
	recurse(&s, 1, 500);
	assert_int_equal(syn_finish(&s), 0);
	gt__put_char(&text, '\0');
	SHOWS(text.bytes, "1   13.000 µs   13.000 µs   13.000 µs   13.000 µs   "
	                  "13.000 µs  inner");
	SHOWS(text.bytes, "4   12.000 µs   18.000 µs    4.000 µs   10.000 µs   "
	                  "10.000 µs  outer");
	SHOWS(text.bytes, "+500 ns     +4.2");
	assert_true(strstr(text.bytes, "µs  inner  [t]\n") <
	            strstr(text.bytes, "µs  outer  [t]\n"));
	syn_free(&s);
	gt__out_fini(&text);
}

static void cut_off(struct syn *s, struct syn_span *span, unsigned flag,
                    uint64_t at_ns)
{
	span->view.flags |= flag;
	syn_close(s, span, 0, at_ns);
}

/*
 * `leaf` twice for 1 us, and once each for how a span can be cut off: it was
 * open for 2 us, and for 7 us for all that is known; nobody knows for how long
 * the one was whose close was lost. `inner` was never seen to end.
 */
static void run_with_losses(struct syn *s, uint32_t index)
{
	struct syn_span *a;

	syn_begin(s, index, "g");
	cut_off(s, syn_open(s, &leaf, NULL, 0, 0, true), 0, 1000);
	cut_off(s, syn_open(s, &leaf, NULL, 0, 2000, true), GT_SPAN_CUT, 3000);
	a = syn_open(s, &leaf, NULL, 0, 3000, true);
	cut_off(s, a, GT_SPAN_CLOSE_LOST, 19000);
	a = syn_open(s, &leaf, NULL, 0, 4000, true);
	cut_off(s, a, GT_SPAN_REPLACED, 18000);
	a = syn_open(s, &leaf, NULL, 0, 20000, true);
	cut_off(s, a, GT_SPAN_EVICTED, 22000);
	a = syn_open(s, &leaf, NULL, 0, 23000, true);
	cut_off(s, a, GT_SPAN_OPEN_LOST, 25000);
	a = syn_open(s, &inner, NULL, 0, 26000, true);
	cut_off(s, a, GT_SPAN_CLOSE_LOST | GT_SPAN_INTERRUPTED, 30000);
	syn_open(s, &leaf, NULL, 0, 27000, true); /* until the end */
	syn_end(s, 30000);
}

static char *printed_of(struct gt_sink *sink, struct gt__out *text)
{
	struct syn s = {.sink_count = 1};

	s.sinks[0] = sink;
	run_with_losses(&s, 0);
	run_with_losses(&s, 1);
	assert_int_equal(syn_finish(&s), 0);
	syn_free(&s);
	gt__put_char(text, '\0');
	return text->bytes;
}

static void what_was_not_seen_whole_is_in_no_percentile(void **state)
{
	struct gt_report_options options = {.size = sizeof options,
	                                    .histogram = "leaf"};
	struct gt_output none = {0};
	struct gt__out texts[4];
	struct gt_output outputs[4];
	struct gt_sink *sink = NULL;
	const char *text;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		gt__out_init(&texts[i], &none);
		outputs[i] = (struct gt_output){write_all, &texts[i]};
	}
	assert_int_equal(gt_report_with(&outputs[0], NULL, &sink), 0);
	text = printed_of(sink, &texts[0]);
	SHOWS(text, "7           5    9.000 µs    9.000 µs    1.000 µs    "
	            "1.000 µs    1.000 µs  leaf");
	SHOWS(text,
	      "1           1           -           -           -           "
	      "-           -  inner");
	SHOWS(text, "6  spans not seen from opening to close: counted, not in "
	            "p50, p99 and max; 3 of them not in total and self: the "
	            "end is not known\n");
	assert_int_equal(gt_report_with(&outputs[1], &options, &sink), 0);
	text = printed_of(sink, &texts[1]);
	SHOWS(text, "2 spans  min 1.000 µs  p50 1.000 µs  p90 1.000 µs  "
	            "p99 1.000 µs  max 1.000 µs\n5 more spans not seen");
	assert_int_equal(gt_diff_with(&outputs[2], NULL, &sink), 0);
	text = printed_of(sink, &texts[2]);
	SHOWS(text, " 0 ns      0.0         7      7    1.000 µs      0.0    "
	            "1.000 µs      0.0        -           0.0 (0.0 0.0)    "
	            "noise  leaf");
	SHOWS(text,
	      "   -        -         1      1           -        -           "
	      "-        -        -                       -        -  inner");
	SHOWS(text, "not in p50 and p99: 6 before, 6 after\n");
	assert_int_equal(gt_diff_json_new(&outputs[3], &sink), 0);
	text = printed_of(sink, &texts[3]);
	SHOWS(text,
	      "{\"count\":\"7\",\"unfinished\":\"5\",\"total_ns\":\"9000\",");
	SHOWS(text, "\"avg_ns\":\"1000\",\"p50_ns\":\"1000\","
	            "\"p99_ns\":\"1000\",\"max_ns\":\"1000\",");
	SHOWS(text,
	      "{\"count\":\"1\",\"unfinished\":\"1\",\"total_ns\":\"0\",");
	SHOWS(text, "\"p50_ns\":null,\"p99_ns\":null,\"max_ns\":null,");
	for (i = 0; i < 4; i++)
		gt__out_fini(&texts[i]);
}

/* ---- Following ----------------------------------------------------------- */

/* What has been put since, which is `wanted` and something behind it. */
static void expect_line(struct gt__out *text, size_t *shown, const char *wanted)
{
	const char *line;

	assert_true(text->used > *shown);
	gt__put_char(text, '\0');
	text->used--;
	line = text->bytes + *shown;
	SHOWS(line, wanted);
	/* Above it stands what `wanted` has, and nothing else. */
	if (!strstr(wanted, " > "))
		assert_null(strstr(line, " > "));
	*shown = text->used;
}

static void each_item_is_shown_at_its_end_below_what_is_open(void **state)
{
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};
	struct syn_span *a, *b;
	size_t shown = 0;

	(void)state;
	gt__out_init(&text, &none);
	assert_int_equal(gt_follow_with(&output, NULL, &s.sinks[0]), 0);
	syn_begin(&s, 0, "g");
	a = syn_open(&s, &outer, NULL, 0, 0, true);
	b = syn_open(&s, &inner, a, 1, 10, true);
	assert_int_equal(text.used, 0);
	syn_event(&s, &note, b, 1, 20, NULL, 0);
	expect_line(&text, &shown, "outer > inner > · note ");
	syn_close(&s, a, 0, 30);
	expect_line(&text, &shown, "outer ");
	syn_event(&s, &note, NULL, 0, 35, NULL, 0);
	expect_line(&text, &shown, "· note ");
	syn_close(&s, b, 1, 40); /* its parent is not open any longer */
	expect_line(&text, &shown, "inner ");
	syn_end(&s, 50);
	assert_int_equal(syn_finish(&s), 0);
	syn_free(&s);
	gt__out_fini(&text);
}

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void following_shows_every_span_and_event_once(void **state)
{
	struct gt_output none = {0};
	uint32_t seed;

	(void)state;
	for (seed = 0; seed < 50; seed++) {
		struct gt__out text;
		struct gt_output output = {write_all, &text};
		struct syn s = {.sink_count = 1};
		size_t items;

		gt__out_init(&text, &none);
		assert_int_equal(gt_follow_with(&output, NULL, &s.sinks[0]), 0);
		syn_random(&s, 0, seed, 300);
		items = s.summary.spans + s.summary.events + s.summary.counters;
		assert_int_equal(syn_finish(&s), 0);
		gt__put_char(&text, '\0');
		/* Each item has a target in brackets. */
		assert_int_equal(count_of(text.bytes, "  ["), items);
		syn_free(&s);
		gt__out_fini(&text);
	}
}

/* ---- Differences --------------------------------------------------------- */

static void a_diff_is_sorted_by_impact_and_names_what_is_new(void **state)
{
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};

	(void)state;
	gt__out_init(&text, &none);
	assert_int_equal(gt_diff_with(&output, NULL, &s.sinks[0]), 0);
	traced(&s, 0, &outer, 1000, &inner);
	traced(&s, 1, &outer, 1250, &leaf);
	assert_int_equal(syn_finish(&s), 0);
	gt__put_char(&text, '\0');
	SHOWS(text.bytes, "+250 ns    +25.0         1      1    1.250 µs    "
	                  "+25.0    1.250 µs    +25.0        -     "
	                  "+25.0 (+25.0 +25.0)    noise  outer  [t]\n");
	SHOWS(text.bytes, "-10 ns     gone         0      1       10 ns     "
	                  "gone       10 ns     gone        -"
	                  "                       -        -  inner  [t]\n");
	SHOWS(text.bytes, "+10 ns      new         1      0       10 ns      "
	                  "new       10 ns      new        -"
	                  "                       -        -  leaf  [t]\n");
	assert_true(strstr(text.bytes, "outer") < strstr(text.bytes, "inner"));
	assert_true(strstr(text.bytes, "inner") < strstr(text.bytes, "leaf"));
	syn_free(&s);
	gt__out_fini(&text);
}

static void a_diff_says_that_no_span_has_the_name(void **state)
{
	static const char *const names[] = {"outre", "outer", NULL};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct gt_report_options options = {.size = sizeof(options),
		                                    .name = names[i]};
		struct gt_output none = {0};
		struct gt__out text;
		struct gt_output output = {write_all, &text};
		struct syn s = {.sink_count = 1};

		gt__out_init(&text, &none);
		assert_int_equal(gt_diff_with(&output, &options, &s.sinks[0]),
		                 0);
		traced(&s, 0, &outer, 1000, &inner);
		traced(&s, 1, &outer, 1250, &leaf);
		assert_int_equal(syn_finish(&s), 0);
		gt__put_char(&text, '\0');
		assert_int_equal(!strstr(text.bytes, "no span of that name\n"),
		                 i > 0);
		syn_free(&s);
		gt__out_fini(&text);
	}
}

static void a_diff_of_one_trace_is_freed(void **state)
{
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};

	(void)state;
	gt__out_init(&text, &none);
	assert_int_equal(gt_diff_json_new(&output, &s.sinks[0]), 0);
	traced(&s, 0, &outer, 1000, &inner);
	syn_free(&s);
	gt__out_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_depth_cuts_off_what_is_below),
		cmocka_unit_test(short_spans_go_and_those_above_long_ones_stay),
		cmocka_unit_test(a_name_keeps_what_is_above_and_below_it),
		cmocka_unit_test(a_name_that_no_span_has_is_said),
		cmocka_unit_test(the_table_has_as_many_rows_as_asked_for),
		cmocka_unit_test(the_report_says_where_the_time_went),
		cmocka_unit_test(exits_stand_in_the_tree_where_they_happened),
		cmocka_unit_test(a_histogram_counts_every_span_of_the_name),
		cmocka_unit_test(
			a_name_inside_of_itself_counts_each_moment_once),
		cmocka_unit_test(what_was_not_seen_whole_is_in_no_percentile),
		cmocka_unit_test(
			each_item_is_shown_at_its_end_below_what_is_open),
		cmocka_unit_test(following_shows_every_span_and_event_once),
		cmocka_unit_test(
			a_diff_is_sorted_by_impact_and_names_what_is_new),
		cmocka_unit_test(a_diff_says_that_no_span_has_the_name),
		cmocka_unit_test(a_diff_of_one_trace_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

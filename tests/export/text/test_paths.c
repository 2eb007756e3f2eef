/* SPDX-License-Identifier: MIT */
/* Calls and callers: what is summed up on which path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/report_run.h"
#include <guesttrace/analysis.h>

#define DEEP 300u

static void calls_are_a_tree_with_the_largest_first(void **state)
{
	const struct gt_analysis calls = {.size = sizeof calls, .calls = true};
	char *text;

	(void)state;
	text = printed(gt_report_with,
	               (struct gt_report_options){.analysis = &calls});
	SHOWS(text,
	      "\n"
	      "calls\n"
	      "    count       total        self      %  name\n"
	      "        1   10.000 µs    6.000 µs   99.0  outer  [t]\n"
	      "        1    4.000 µs    3.500 µs   39.6  └─ inner  [t]\n"
	      "        1      500 ns      500 ns    5.0     └─ leaf  [t]\n"
	      "        1      100 ns      100 ns    1.0  leaf  [t]\n");
	SHOWS_NOT(text, "by name");
	free(text);
}

static void callers_have_the_numbers_of_what_was_called(void **state)
{
	const struct gt_analysis callers = {.size = sizeof callers,
	                                    .callers = "lea?"};
	char *text;

	(void)state;
	text = printed(gt_report_with,
	               (struct gt_report_options){.analysis = &callers});
	SHOWS(text, "callers\n");
	SHOWS(text,
	      "        2      600 ns      600 ns  100.0  leaf  [t]\n"
	      "        1      500 ns      500 ns   83.3  └─ inner  [t]\n"
	      "        1      500 ns      500 ns   83.3     └─ outer  [t]\n");
	free(text);
}

static void a_depth_and_a_duration_leave_out_paths(void **state)
{
	const struct gt_analysis calls = {.size = sizeof calls, .calls = true};
	struct gt_report_options options = {.analysis = &calls, .depth = 2};
	char *text;

	(void)state;
	text = printed(gt_report_with, options);
	SHOWS(text, "└─ inner");
	SHOWS_NOT(text, "└─ leaf");
	SHOWS(text, "        1 path not shown\n");
	free(text);
	options = (struct gt_report_options){.analysis = &calls,
	                                     .min_duration_ns = 501};
	text = printed(gt_report_with, options);
	SHOWS(text, "└─ inner");
	SHOWS_NOT(text, "leaf");
	SHOWS(text, "        2 paths not shown\n");
	free(text);
}

/* What the JSON says of a run that `make` makes. */
static char *json_of(void (*make)(struct syn *s),
                     const struct gt_analysis *analysis)
{
	const struct gt_report_options options = {.size = sizeof options,
	                                          .analysis = analysis};
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};

	gt__out_init(&text, &none);
	assert_int_equal(gt_report_json_with(&output, &options, &s.sinks[0]),
	                 0);
	make(&s);
	assert_int_equal(syn_finish(&s), 0);
	syn_free(&s);
	gt__put_char(&text, '\0');
	return text.bytes;
}

/* outer 0..100 [inner 10..60 [outer 20..50 [leaf 30..40]], leaf 70..75] */
static void recurse(struct syn *s)
{
	struct syn_span *a, *b, *c, *d;

	syn_begin(s, 0, "g");
	a = syn_open(s, &outer, NULL, 0, 0, true);
	b = syn_open(s, &inner, a, 0, 10, true);
	c = syn_open(s, &outer, b, 0, 20, true);
	d = syn_open(s, &leaf, c, 0, 30, true);
	syn_close(s, d, 0, 40);
	syn_close(s, c, 0, 50);
	syn_close(s, b, 0, 60);
	d = syn_open(s, &leaf, a, 0, 70, true);
	syn_close(s, d, 0, 75);
	syn_close(s, a, 0, 100);
	syn_end(s, 100);
}

static void recursion_is_folded(void **state)
{
	const struct gt_analysis calls = {.size = sizeof calls, .calls = true};
	char *text = json_of(recurse, &calls);

	(void)state;
	/* Self: 45 of the outer outer, 20 of the other one. */
	SHOWS(text,
	      "\"calls\":[\n"
	      "{\"parent\":null,\"name\":\"outer\",\"target\":\"t\","
	      "\"count\":\"2\",\"total_ns\":\"100\",\"self_ns\":\"65\"},\n"
	      "{\"parent\":0,\"name\":\"inner\",\"target\":\"t\","
	      "\"count\":\"1\",\"total_ns\":\"50\",\"self_ns\":\"20\"},\n"
	      "{\"parent\":0,\"name\":\"leaf\",\"target\":\"t\","
	      "\"count\":\"2\",\"total_ns\":\"15\",\"self_ns\":\"15\"}]}");
	SHOWS_NOT(text, "\"spans\"");
	free(text);
}

/* A chain of spans, each of a name of its own, 2 ns longer than what is in it.
 */
static void dive(struct syn *s)
{
	static struct gt_site_view sites[DEEP];
	static char names[DEEP][8];
	struct syn_span *spans[DEEP], *above = NULL;
	unsigned i;

	syn_begin(s, 0, "g");
	for (i = 0; i < DEEP; i++) {
		sites[i] = outer;
		sites[i].name.bytes = names[i];
		sites[i].name.count =
			(size_t)snprintf(names[i], sizeof names[i], "n%u", i);
		above = spans[i] = syn_open(s, &sites[i], above, 0, i, true);
	}
	for (i = DEEP; i--;)
		syn_close(s, spans[i], 0, 2 * (uint64_t)DEEP - i);
	syn_end(s, 2 * DEEP);
}

static void a_path_of_too_many_names_ends(void **state)
{
	const struct gt_analysis calls = {.size = sizeof calls, .calls = true};
	char *text = json_of(dive, &calls);

	(void)state;
	/* Row 255 is 600 - 2 * 255 long, and all of that is its own. */
	SHOWS(text,
	      "{\"parent\":254,\"name\":\"n255\",\"target\":\"t\","
	      "\"count\":\"1\",\"total_ns\":\"90\",\"self_ns\":\"90\"}]}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_a_tree_with_the_largest_first),
		cmocka_unit_test(callers_have_the_numbers_of_what_was_called),
		cmocka_unit_test(a_depth_and_a_duration_leave_out_paths),
		cmocka_unit_test(recursion_is_folded),
		cmocka_unit_test(a_path_of_too_many_names_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

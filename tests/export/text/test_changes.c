/* SPDX-License-Identifier: MIT */
/* What is called a change when runs differ, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/random64.h"
#include "tests/support/report_run.h"
#include <guesttrace/analysis.h>

#define SPANS 100u

/* A run whose spans take about that long, give or take a tenth. */
static void add_run(struct syn *s, uint32_t index, uint64_t ns)
{
	uint64_t at = 0;

	syn_begin(s, index, "g");
	for (unsigned i = 0; i < SPANS; i++) {
		struct syn_span *span = syn_open(s, &leaf, NULL, 0, at, true);

		at += ns - ns / 10 + random64() % (ns / 5);
		syn_close(s, span, 0, at);
	}
	syn_end(s, at);
}

/* The JSON of runs of which `before` come first; free() it. */
static char *difference(const uint64_t *ns, uint32_t before, uint32_t count)
{
	const struct gt_analysis analysis = {.size = sizeof analysis,
	                                     .before = before};
	const struct gt_report_options options = {.size = sizeof options,
	                                          .analysis = &analysis};
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};

	gt__out_init(&text, &none);
	assert_int_equal(gt_diff_json_with(&output, &options, &s.sinks[0]), 0);
	for (uint32_t i = 0; i < count; i++)
		add_run(&s, i, ns[i]);
	assert_int_equal(syn_finish(&s), 0);
	syn_free(&s);
	gt__put_char(&text, '\0');
	return text.bytes;
}

static void runs_that_overlap_are_noise(void **state)
{
	/* All spans together differ by far, but so do equal runs. */
	const uint64_t ns[] = {10000, 12000, 10100, 11000, 13000, 12500};
	char *text = difference(ns, 3, 6);

	(void)state;
	SHOWS(text, "\"verdict\":\"noise\",\"of\":\"spans\"");
	free(text);
}

static void a_few_runs_that_are_apart_are_a_change(void **state)
{
	const uint64_t ns[] = {10000, 10300, 10100, 11500, 12000, 12500};
	const uint64_t back[] = {11500, 12000, 12500, 10000, 10300, 10100};
	char *text = difference(ns, 3, 6);

	(void)state;
	SHOWS(text, "\"verdict\":\"slower\",\"of\":\"spans\"");
	free(text);
	text = difference(back, 3, 6);
	SHOWS(text, "\"verdict\":\"faster\",\"of\":\"spans\"");
	free(text);
}

/* Ten runs a side that differ from each other by up to 6 %. */
static unsigned slower_of(unsigned rounds, uint64_t percent)
{
	unsigned found = 0;

	for (unsigned round = 0; round < rounds; round++) {
		uint64_t ns[20];
		char *text;

		for (unsigned i = 0; i < 20; i++)
			ns[i] = (10000 + random64() % 600) *
			        (i < 10 ? 100 : 100 + percent) / 100;
		text = difference(ns, 10, 20);
		SHOWS(text, "\"of\":\"runs\"");
		found += !strstr(text, "\"verdict\":\"noise\"");
		free(text);
	}
	return found;
}

static void many_runs_are_held_against_each_other(void **state)
{
	unsigned wrong = slower_of(200, 0), found = slower_of(200, 5);

	(void)state;
	print_message("%u of 200 wrong, %u found\n", wrong, found);
	assert_true(wrong < 10);
	assert_true(found > 190);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_that_overlap_are_noise),
		cmocka_unit_test(a_few_runs_that_are_apart_are_a_change),
		cmocka_unit_test(many_runs_are_held_against_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

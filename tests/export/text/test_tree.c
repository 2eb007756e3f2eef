/* SPDX-License-Identifier: MIT */
/* The tree on a terminal: what stays of a line, of deep trees, of many
 * siblings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/report_run.h"

#define SIBLINGS 100u
#define DEPTH    50u

/* A run of what `fill` makes. */
static char *tree_of(void (*fill)(struct syn *s), unsigned columns)
{
	struct gt_report_options options = {.size = sizeof options,
	                                    .columns = columns};
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};

	gt__out_init(&text, &none);
	assert_int_equal(gt_tree_with(&output, &options, &s.sinks[0]), 0);
	syn_begin(&s, 0, "guest");
	fill(&s);
	assert_int_equal(syn_finish(&s), 0);
	syn_free(&s);
	gt__put_char(&text, '\0');
	return text.bytes;
}

static unsigned count_of(const char *text, const char *what)
{
	unsigned count = 0;

	while ((text = strstr(text, what))) {
		count++;
		text += strlen(what);
	}
	return count;
}

static void die_with_long_fields(struct syn *s)
{
	const struct gt_field field = {
		.key = syn_text("statement"),
		.type = GT_TYPE_STRING,
		.value.text = syn_text("a text that is far longer than any "
	                               "line of a terminal of eighty columns"),
	};
	struct syn_span *top = syn_open(s, &outer, NULL, 0, 1000, true);
	struct syn_span *done =
		syn_open_with(s, &inner, top, 0, 2000, true, &field, 1);

	done->view.status = GT_STATUS_ERROR;
	done->view.status_text = syn_text("refused");
	syn_close(s, done, 0, 3000);
	syn_open_with(s, &leaf, top, 0, 150000000, true, &field, 1);
	s->summary.ending = GT_ENDING_ABORTED;
	syn_end(s, 200000000);
}

static void times_and_ends_are_there_on_eighty_columns(void **state)
{
	char *text = tree_of(die_with_long_fields, 80);

	(void)state;
	SHOWS(text, "+1.000 µs  ✗ INTERRUPTED  [t] vCPU 0\n");
	SHOWS(text, "inner   1.000 µs    +2.000 µs  ✗ error: refused  [t] ");
	SHOWS(text, "+150.000 ms  ✗ INTERRUPTED  ◀ it died in here");
	free(text);
}

static void open_many(struct syn *s)
{
	struct syn_span *top = syn_open(s, &outer, NULL, 0, 0, true);
	uint64_t at_ns = 0;

	for (unsigned i = 0; i < SIBLINGS; i++, at_ns += 1000) {
		struct syn_span *span =
			syn_open(s, &inner, top, 0, at_ns, true);

		syn_close(s, syn_open(s, &leaf, span, 0, at_ns, true), 0,
		          at_ns + 10);
		if (i == 50)
			span->view.status = GT_STATUS_ERROR;
		syn_close(s, span, 0, at_ns + (i == 60 ? 900 : 100));
	}
	syn_close(s, top, 0, at_ns);
	syn_end(s, at_ns);
}

/* 8 of 50 are shown, the one that failed, and 8 of 49. */
static void many_siblings_are_one_line_on_a_terminal(void **state)
{
	char *text = tree_of(open_many, 100);

	(void)state;
	SHOWS(text, "├─ … 42 more inner  avg 100 ns  max 100 ns\n");
	SHOWS(text, "✗ error");
	SHOWS(text, "└─ … 41 more inner  avg 119 ns  max 900 ns\n");
	assert_int_equal(count_of(text, "─ inner"), 8 + 1 + 8);
	assert_int_equal(count_of(text, "─ leaf"), 8 + 1 + 8);
	free(text);
}

static void elsewhere_each_sibling_has_its_line(void **state)
{
	char *text = tree_of(open_many, 0);

	(void)state;
	assert_int_equal(count_of(text, "─ inner"), SIBLINGS);
	assert_int_equal(count_of(text, "─ leaf"), SIBLINGS);
	SHOWS_NOT(text, "more");
	free(text);
}

static void open_deep(struct syn *s)
{
	struct syn_span *spans[DEPTH], *above = NULL;

	for (unsigned i = 0; i < DEPTH; i++)
		above = spans[i] = syn_open(s, i ? &inner : &outer, above, 0,
		                            i * 10, true);
	above = syn_open(s, &leaf, above, 0, 900, true);
	syn_close(s, above, 0, 1000);
	for (unsigned i = DEPTH; i--;)
		syn_close(s, spans[i], 0, 2000);
	syn_end(s, 3000);
}

static void the_name_of_a_deep_span_has_room_on_a_terminal(void **state)
{
	(void)state;
	for (unsigned columns = 80; columns < 140; columns++) {
		char *text = tree_of(open_deep, columns);

		SHOWS(text, "─ leaf");
		SHOWS(text, "+900 ns  (depth 50)");
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_and_ends_are_there_on_eighty_columns),
		cmocka_unit_test(many_siblings_are_one_line_on_a_terminal),
		cmocka_unit_test(elsewhere_each_sibling_has_its_line),
		cmocka_unit_test(
			the_name_of_a_deep_span_has_room_on_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

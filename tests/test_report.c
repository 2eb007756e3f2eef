/* SPDX-License-Identifier: MIT */
/* Texts for people: what is shown, how wide, and where the time went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "../export/escape.h"
#include "../export/terminal.h"
#include "synthetic.h"

static const struct gt_site_view outer = {
	.name = {"outer", 5},
	.target = {"t", 1},
	.level = GT_INFO,
};
static const struct gt_site_view inner = {
	.name = {"inner", 5},
	.target = {"t", 1},
	.level = GT_INFO,
};
static const struct gt_site_view leaf = {
	.name = {"leaf", 4},
	.target = {"t", 1},
	.level = GT_INFO,
};
static const struct gt_site_view note = {
	.name = {"note", 4},
	.target = {"t", 1},
	.level = GT_INFO,
};

typedef int new_fn(const struct gt_output *output,
                   const struct gt_report_options *options,
                   struct gt_sink **ret_sink);

static int write_all(void *context, const void *bytes, size_t count)
{
	gt__put_bytes(context, bytes, count);
	return 0;
}

static void add_stretch(struct syn *s, enum gt_host_span_kind kind,
                        uint64_t from_ns, uint64_t to_ns, uint64_t waiting_ns,
                        uint64_t parent_id)
{
	struct gt_host_span_view view = {
		.id = 7,
		.parent_id = parent_id,
		.start_ns = s->trace.start_ns + from_ns,
		.end_ns = s->trace.start_ns + to_ns,
		.kind = kind,
		.reason = GT_EXIT_IO,
		.port = 103,
		.waiting_ns = waiting_ns,
	};

	assert_int_equal(s->sinks[0]->host_span(s->sinks[0], &s->trace, &view),
	                 0);
}

/*
 * outer 0..10000 [note, inner 1000..5000 [leaf 2000..2500, note]],
 * leaf 20000..20100; the vCPU was out of the guest from 4000 to 5000.
 */
static void run(struct syn *s)
{
	struct syn_span *a, *b, *c;

	syn_begin(s, 0, "g.elf");
	a = syn_open(s, &outer, NULL, 0, 0, true);
	syn_event(s, &note, a, 0, 500, NULL, 0);
	b = syn_open(s, &inner, a, 0, 1000, true);
	c = syn_open(s, &leaf, b, 0, 2000, true);
	syn_close(s, c, 0, 2500);
	syn_event(s, &note, b, 0, 3000, NULL, 0);
	if (s->sinks[0]->host_span) {
		add_stretch(s, GT_HOST_GUEST, 0, 4000, 1000, s->trace.run_id);
		add_stretch(s, GT_HOST_EXIT, 4000, 5000, 0, b->view.id);
		add_stretch(s, GT_HOST_GUEST, 5000, 30000, 0, s->trace.run_id);
	}
	syn_close(s, b, 0, 5000);
	syn_close(s, a, 0, 10000);
	c = syn_open(s, &leaf, NULL, 0, 20000, true);
	syn_close(s, c, 0, 20100);
	syn_end(s, 30000);
}

/* What `new_sink` prints of the run above, NUL-terminated; free() it. */
static char *printed(new_fn *new_sink, struct gt_report_options options)
{
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};
	char *copy;

	gt__out_init(&text, &none);
	options.size = sizeof options;
	assert_int_equal(new_sink(&output, &options, &s.sinks[0]), 0);
	run(&s);
	assert_int_equal(syn_finish(&s), 0);
	syn_free(&s);
	copy = malloc(text.used + 1);
	assert_non_null(copy);
	memcpy(copy, text.bytes, text.used);
	copy[text.used] = '\0';
	gt__out_fini(&text);
	return copy;
}

#define SHOWS(text, what)                                        \
	do {                                                     \
		if (!strstr(text, what))                         \
			fail_msg("no '%s' in:\n%s", what, text); \
	} while (0)
#define SHOWS_NOT(text, what)                                    \
	do {                                                     \
		if (strstr(text, what))                          \
			fail_msg("'%s' is in:\n%s", what, text); \
	} while (0)

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
	/* 30 µs in all: 1 µs exits, 1 µs waiting, 28 µs guest. */
	SHOWS(text, "28.000 µs    93.3 %  guest\n");
	SHOWS(text, "1.000 µs     3.3 %  vCPU waiting for a CPU of the host "
	            "(estimated)\n");
	SHOWS(text, "1.000 µs     3.3 %  exits: io\n");
	/* outer, 10 µs: 8 guest, 1 exits, 1 waiting. */
	SHOWS(text, "80.0     10.0     10.0  outer");
	/* inner, 4 µs: 1 exits; of its 3 µs in the guest a quarter waited. */
	SHOWS(text, "56.3     25.0     18.8  inner");
	SHOWS_NOT(text, "exit ");
	free(text);
}

static void exits_stand_in_the_tree_where_they_happened(void **state)
{
	char *text;

	(void)state;
	text = printed(gt_tree_with, (struct gt_report_options){.exits = true});
	SHOWS(text, "   ├· note");
	SHOWS(text, "   └○ exit   1.000 µs  vCPU 0 io 103\n");
	free(text);
}

static size_t columns_of(const char *line, size_t count)
{
	struct gt_text text = {line, count};
	size_t at = 0, columns = 0;

	while (at < count) {
		uint32_t c = gt__next_code_point(&text, &at);

		if (c == 0x1b)
			while (at < count && line[at - 1] != 'm')
				at++;
		else
			columns += gt__columns_of(c);
	}
	return columns;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	static new_fn *const texts[] = {gt_report_with, gt_tree_with,
	                                gt_follow_with};
	struct gt_report_options options = {.colours = true, .exits = true};

	(void)state;
	for (options.columns = 20; options.columns < 130; options.columns++) {
		for (size_t i = 0; i < 3; i++) {
			char *text = printed(texts[i], options), *at, *end;

			for (at = text; (end = strchr(at, '\n')); at = end + 1)
				assert_in_range(
					columns_of(at, (size_t)(end - at)), 0,
					options.columns);
			free(text);
		}
	}
}

static void
without_colours_there_is_no_escape_and_with_them_text_is_equal(void **state)
{
	struct gt_report_options options = {.columns = 100};
	char *plain, *coloured, *from, *to;

	(void)state;
	plain = printed(gt_report_with, options);
	assert_null(strchr(plain, '\033'));
	options.colours = true;
	coloured = printed(gt_report_with, options);
	assert_non_null(strchr(coloured, '\033'));
	for (from = to = coloured; *from;) {
		if (*from == '\033')
			from = strchr(from, 'm') + 1;
		else
			*to++ = *from++;
	}
	*to = '\0';
	assert_string_equal(plain, coloured);
	free(plain);
	free(coloured);
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

/* ---- Following ----------------------------------------------------------- */

static void a_family_is_shown_when_its_last_span_has_ended(void **state)
{
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};
	struct syn_span *a, *b;
	size_t before;

	(void)state;
	gt__out_init(&text, &none);
	assert_int_equal(gt_follow_with(&output, NULL, &s.sinks[0]), 0);
	syn_begin(&s, 0, "g");
	a = syn_open(&s, &outer, NULL, 0, 0, true);
	b = syn_open(&s, &inner, a, 1, 10, true);
	syn_event(&s, &note, b, 1, 20, NULL, 0);
	syn_close(&s, a, 0, 30);
	assert_int_equal(text.used, 0);
	syn_event(&s, &note, NULL, 0, 35, NULL, 0); /* nobody's: at once */
	before = text.used;
	assert_true(before > 0);
	syn_close(&s, b, 1, 40);
	gt__put_char(&text, '\0');
	SHOWS(text.bytes + before, "outer");
	SHOWS(text.bytes + before, "└─ inner");
	SHOWS(text.bytes + before, "└· note");
	text.used--;
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

static void traced(struct syn *s, uint32_t index,
                   const struct gt_site_view *site, uint64_t duration_ns,
                   const struct gt_site_view *other)
{
	struct syn_span *span;

	syn_begin(s, index, "g");
	span = syn_open(s, site, NULL, 0, 0, true);
	syn_close(s, span, 0, duration_ns);
	span = syn_open(s, other, NULL, 0, 5000, true);
	syn_close(s, span, 0, 5010);
	syn_end(s, 6000);
}

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
	                  "+25.0    1.250 µs    +25.0  outer  [t]\n");
	SHOWS(text.bytes, "-10 ns     gone         0      1       10 ns     "
	                  "gone       10 ns     gone  inner  [t]\n");
	SHOWS(text.bytes, "+10 ns      new         1      0       10 ns      "
	                  "new       10 ns      new  leaf  [t]\n");
	assert_true(strstr(text.bytes, "outer") < strstr(text.bytes, "inner"));
	assert_true(strstr(text.bytes, "inner") < strstr(text.bytes, "leaf"));
	syn_free(&s);
	gt__out_fini(&text);
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

static void a_wide_character_takes_two_columns_and_a_mark_none(void **state)
{
	(void)state;
	assert_int_equal(gt__columns_of('a'), 1);
	assert_int_equal(gt__columns_of(0xe9), 1);
	assert_int_equal(gt__columns_of(0x301), 0);
	assert_int_equal(gt__columns_of(0x6f22), 2);
	assert_int_equal(gt__columns_of(0xd55c), 2);
	assert_int_equal(gt__columns_of(0x1f600), 2);
	assert_int_equal(gt__columns_of(0x2588), 1);
	assert_int_equal(gt__terminal_columns(syn_text("漢e\u0301字")), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_depth_cuts_off_what_is_below),
		cmocka_unit_test(short_spans_go_and_those_above_long_ones_stay),
		cmocka_unit_test(a_name_keeps_what_is_above_and_below_it),
		cmocka_unit_test(the_table_has_as_many_rows_as_asked_for),
		cmocka_unit_test(the_report_says_where_the_time_went),
		cmocka_unit_test(exits_stand_in_the_tree_where_they_happened),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(
			without_colours_there_is_no_escape_and_with_them_text_is_equal),
		cmocka_unit_test(a_histogram_counts_every_span_of_the_name),
		cmocka_unit_test(
			a_family_is_shown_when_its_last_span_has_ended),
		cmocka_unit_test(following_shows_every_span_and_event_once),
		cmocka_unit_test(
			a_diff_is_sorted_by_impact_and_names_what_is_new),
		cmocka_unit_test(a_diff_of_one_trace_is_freed),
		cmocka_unit_test(
			a_wide_character_takes_two_columns_and_a_mark_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

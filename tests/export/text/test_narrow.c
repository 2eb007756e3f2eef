/* SPDX-License-Identifier: MIT */
/* Texts for people on a terminal: how wide they are, and what is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "export/out/escape.h"
#include "export/out/terminal.h"
#include "tests/support/report_run.h"

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
	                                gt_follow_with, gt_report_with};
	struct gt_report_options options = {.colours = true, .exits = true};

	(void)state;
	for (options.columns = 20; options.columns < 130; options.columns++) {
		for (size_t i = 0; i < 4; i++) {
			char *text, *at, *end;

			options.histogram = i == 3 ? "leaf" : NULL;
			text = printed(texts[i], options);

			for (at = text; (end = strchr(at, '\n')); at = end + 1)
				assert_in_range(
					columns_of(at, (size_t)(end - at)), 0,
					options.columns);
			free(text);
		}
	}
}

static bool is_bar(const char *at)
{
	return !memcmp(at, "\xe2\x96", 2) && (unsigned char)at[2] < 0xa0;
}

/* The words of a text with one space between them, without bars and tables. */
static void reduce_to_words(char *text)
{
	char *table = strstr(text, "by name"), *from, *to;

	if (table) {
		from = strstr(table, "where the time went");
		assert_non_null(from);
		memmove(table, from, strlen(from) + 1);
	}
	for (from = to = text; *from; from++) {
		if (is_bar(from))
			from += 2;
		else if (*from != ' ' && *from != '\n')
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
}

static void
a_narrow_terminal_gets_every_word_outside_of_tree_and_tables(void **state)
{
	static const char *const histograms[] = {NULL, "leaf"};
	static const unsigned widths[] = {40, 60, 72, 80, 100};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct gt_report_options options = {.no_tree = true,
		                                    .histogram = histograms[i]};
		char *whole = printed(gt_report_with, options);

		reduce_to_words(whole);
		SHOWS(whole, i ? "1.000 µs 1 " : "(estimated) ");
		for (size_t j = 0; j < 5; j++) {
			char *narrow;

			options.columns = widths[j];
			narrow = printed(gt_report_with, options);
			reduce_to_words(narrow);
			assert_string_equal(narrow, whole);
			free(narrow);
		}
		free(whole);
	}
}

static void a_narrow_histogram_has_bars_as_long_as_there_is_room(void **state)
{
	struct gt_report_options options = {.histogram = "leaf", .columns = 40};
	char *text;

	(void)state;
	text = printed(gt_report_with, options);
	SHOWS(text, "500 ns –   1.000 µs  ██████████  1\n");
	free(text);
	options.columns = 33;
	text = printed(gt_report_with, options);
	SHOWS(text, "500 ns –   1.000 µs  1\n");
	free(text);
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

static void a_narrow_diff_leaves_out_columns_and_no_name(void **state)
{
	static const struct gt_site_view named = {
		.name = {"handle_request", 14},
		.target = {"t", 1},
		.level = GT_INFO,
	};
	struct gt_report_options options = {.size = sizeof options};
	struct gt_output none = {0};

	(void)state;
	for (options.columns = 40; options.columns < 120; options.columns++) {
		struct gt__out text;
		struct gt_output output = {write_all, &text};
		struct syn s = {.sink_count = 1};

		gt__out_init(&text, &none);
		assert_int_equal(gt_diff_with(&output, &options, &s.sinks[0]),
		                 0);
		traced(&s, 0, &named, 1000, &inner);
		traced(&s, 1, &named, 1250, &leaf);
		assert_int_equal(syn_finish(&s), 0);
		gt__put_char(&text, '\0');
		SHOWS(text.bytes, "+250 ns    +25.0");
		SHOWS(text.bytes, "  handle_request");
		SHOWS(text.bytes, "  inner  [t]\n");
		SHOWS(text.bytes, "  leaf  [t]\n");
		syn_free(&s);
		gt__out_fini(&text);
	}
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
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(
			a_narrow_terminal_gets_every_word_outside_of_tree_and_tables),
		cmocka_unit_test(
			a_narrow_histogram_has_bars_as_long_as_there_is_room),
		cmocka_unit_test(
			without_colours_there_is_no_escape_and_with_them_text_is_equal),
		cmocka_unit_test(a_narrow_diff_leaves_out_columns_and_no_name),
		cmocka_unit_test(
			a_wide_character_takes_two_columns_and_a_mark_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

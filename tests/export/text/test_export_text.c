/* SPDX-License-Identifier: MIT */
/* Exporters: guest text is harmless in every sink and comes back from JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "export/out/escape.h"
#include "export/out/words.h"
#include "tests/support/synthetic.h"

#define CODE_POINTS 0x110000u

static struct gt__out new_out(void)
{
	struct gt_output none = {0};
	struct gt__out out;

	gt__out_init(&out, &none);
	return out;
}

static size_t encode(uint32_t c, char *s)
{
	if (c < 0x80) {
		s[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		s[0] = (char)(0xc0 | c >> 6);
		s[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		s[0] = (char)(0xe0 | c >> 12);
		s[1] = (char)(0x80 | (c >> 6 & 63));
		s[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	s[0] = (char)(0xf0 | c >> 18);
	s[1] = (char)(0x80 | (c >> 12 & 63));
	s[2] = (char)(0x80 | (c >> 6 & 63));
	s[3] = (char)(0x80 | (c & 63));
	return 4;
}

static bool is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c < 0xe000;
}

/* C0, C1, DEL, bidi, separators, zero width, BOM: none may reach a terminal. */
static bool acts_on_a_terminal(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || c == 0x61c;
}

static void every_code_point_is_read_back(void **state)
{
	uint32_t c;
	char s[4];

	(void)state;
	for (c = 0; c < CODE_POINTS; c++) {
		struct gt_text text = {s, encode(c, s)};
		size_t at = 0;

		assert_int_equal(gt__next_code_point(&text, &at),
		                 is_surrogate(c) ? 0xfffd : c);
		assert_int_equal(at, is_surrogate(c) ? 1 : text.count);
	}
}

/* As a JSON reader does; returns CODE_POINTS for what is no JSON string. */
static uint32_t read_json_char(const struct gt__out *o)
{
	static const char names[] = "\"\\bfnrt";
	static const char letters[] = "\"\\\b\f\n\r\t";
	struct gt_text text = {o->bytes + 1, o->used - 2};
	size_t at = 0;
	char digits[5] = "";
	uint32_t c;

	if (o->used < 3 || o->bytes[0] != '"' || o->bytes[o->used - 1] != '"')
		return CODE_POINTS;
	c = gt__next_code_point(&text, &at);
	if (c < 0x20 || c == '"')
		return CODE_POINTS;
	if (c != '\\')
		return at == text.count ? c : CODE_POINTS;
	if (text.count == 2 && strchr(names, text.bytes[1]))
		return (unsigned char)
			letters[strchr(names, text.bytes[1]) - names];
	if (text.count != 6 || text.bytes[1] != 'u')
		return CODE_POINTS;
	memcpy(digits, text.bytes + 2, 4);
	return (uint32_t)strtoul(digits, NULL, 16);
}

static void c16_every_code_point_comes_back_from_json(void **state)
{
	struct gt__out o = new_out();
	uint32_t c;
	char s[4];

	(void)state;
	for (c = 0; c < CODE_POINTS; c++) {
		struct gt_text text = {s, encode(c, s)};

		if (is_surrogate(c))
			continue;
		o.used = 0;
		gt__put_json(&o, text);
		assert_int_equal(read_json_char(&o), c);
	}
	gt__out_fini(&o);
}

static void no_harm_in(const struct gt__out *o)
{
	struct gt_text text = {o->bytes, o->used};
	size_t at;

	for (at = 0; at < text.count;)
		assert_false(
			acts_on_a_terminal(gt__next_code_point(&text, &at)));
}

static void c17_no_code_point_reaches_a_terminal_that_acts_on_it(void **state)
{
	struct gt__out o = new_out();
	uint32_t c;
	char s[4];

	(void)state;
	for (c = 0; c < CODE_POINTS; c++) {
		struct gt_text text = {s, encode(c, s)};
		size_t columns;

		o.used = 0;
		columns = gt__put_terminal(&o, text);
		if (!is_surrogate(c))
			assert_int_equal(columns, gt__terminal_columns(text));
		gt__put_logfmt(&o, text);
		gt__put_folded(&o, text);
		gt__put_csv(&o, text);
		gt__put_json(&o, text);
		no_harm_in(&o);
		if (acts_on_a_terminal(c))
			assert_true(gt__is_hidden(c));
	}
	gt__out_fini(&o);
}

static void c13_bytes_that_are_no_utf8_are_replaced(void **state)
{
	struct gt__out o = new_out();
	uint32_t word;
	char s[3];

	(void)state;
	for (word = 0; word < 1u << 24; word += word < 1u << 16 ? 1 : 251) {
		struct gt_text text = {s, word < 1u << 16 ? 2 : 3};
		struct gt_text again;
		size_t at = 0;

		s[0] = (char)word;
		s[1] = (char)(word >> 8);
		s[2] = (char)(word >> 16);
		o.used = 0;
		gt__put_utf8(&o, text);
		/* What was put is UTF-8: putting it again changes nothing. */
		again = (struct gt_text){o.bytes, o.used};
		while (at < again.count) {
			size_t from = at;
			uint32_t c = gt__next_code_point(&again, &at);

			assert_true(c != 0xfffd || at - from == 3);
		}
	}
	gt__out_fini(&o);
}

static void expect(struct gt__out *o, const char *want)
{
	assert_int_equal(o->used, strlen(want));
	assert_memory_equal(o->bytes, want, o->used);
	o->used = 0;
}

/* `text` with and without blanks in front, as a cell: whether a mark is there.
 */
static void expect_mark(const char *text, bool is_marked)
{
	static const char *const blanks[] = {"",
	                                     " ",
	                                     "   ",
	                                     "\t",
	                                     "\r",
	                                     "\n",
	                                     "\r\n",
	                                     "\v\f",
	                                     "\xc2\xa0",
	                                     " \t ",
	                                     "\xe3\x80\x80",
	                                     "\xe2\x80\x83 ",
	                                     "\xe2\x80\xaf"};

	for (size_t i = 0; i < sizeof(blanks) / sizeof(*blanks); i++) {
		struct gt__out o = new_out();
		char cell[32];

		snprintf(cell, sizeof(cell), "%s%s", blanks[i], text);
		gt__put_csv(&o, syn_text(cell));
		assert_true(o.used > 2);
		if ((o.bytes[1] == '\'') != is_marked)
			fail_msg("blanks %zu, then %s: %.*s", i, text,
			         (int)o.used, (const char *)o.bytes);
		gt__out_fini(&o);
	}
}

static void blanks_in_front_make_no_formula_harmless(void **unused)
{
	static const char *const formulas[] = {"=1+1",
	                                       "+1",
	                                       "-1",
	                                       "@SUM(1)",
	                                       "\xef\xbc\x9d.",
	                                       "\xef\xbc\x8b.",
	                                       "\xef\xbc\x8d.",
	                                       "\xef\xbc\xa0."};

	(void)unused;
	for (size_t i = 0; i < 8; i++)
		expect_mark(formulas[i], true);
	expect_mark("1=1", false);
	expect_mark("\\=1", false);
	expect_mark("\xff=1", false);
}

/* Threat C16. */
static void each_sink_escapes_what_it_is_made_of(void **state)
{
	struct gt__out o = new_out();
	struct gt_text nul = {"a\0b", 3};

	(void)state;
	gt__put_json(&o, syn_text("\"},{\"\\\n"));
	expect(&o, "\"\\\"},{\\\"\\\\\\n\"");
	gt__put_json(&o, nul);
	expect(&o, "\"a\\u0000b\"");
	gt__put_csv(&o, syn_text("a\",\r\nb"));
	expect(&o, "\"a\"\",\\u{d}\\u{a}b\"");
	gt__put_csv(&o, syn_text("=1+1"));
	expect(&o, "\"'=1+1\"");
	gt__put_csv(&o, syn_text("'=1+1"));
	expect(&o, "\"''=1+1\"");
	gt__put_csv(&o, syn_text("a=1"));
	expect(&o, "\"a=1\"");
	gt__put_folded(&o, syn_text("a;b\nc"));
	expect(&o, "a\\u{3b}b\\u{a}c");
	gt__put_folded(&o, syn_text(""));
	expect(&o, "(unnamed)");
	gt__put_logfmt(&o, syn_text("a=b \"c\""));
	expect(&o, "\"a=b \\\"c\\\"\"");
	gt__put_logfmt(&o, syn_text(""));
	expect(&o, "\"\"");
	gt__put_terminal(&o, syn_text("\x1b[2J\xc2\x9b\x80"));
	expect(&o, "\\u{1b}[2J\\u{9b}\xef\xbf\xbd");
	gt__out_fini(&o);
}

/* ---- Whole sinks --------------------------------------------------------- */

static int write_all(void *context, const void *bytes, size_t count)
{
	gt__put_bytes(context, bytes, count);
	return 0;
}

static void c17_no_text_sink_shows_a_control_character(void **state)
{
	size_t i, at;

	(void)state;
	for (i = SYN_BINARY; i < SYN_FORMATS; i++) {
		struct gt__out text = new_out();
		struct gt_output output = {write_all, &text};
		struct syn s = {.sink_count = 1};
		struct gt_text all;

		assert_int_equal(syn_formats[i].make(&output, &s.sinks[0]), 0);
		syn_everything(&s, 0);
		assert_int_equal(syn_finish(&s), 0);
		all = (struct gt_text){text.bytes, text.used};
		for (at = 0; at < all.count;) {
			uint32_t c = gt__next_code_point(&all, &at);

			assert_true(c == '\n' || c == '\r' ||
			            !acts_on_a_terminal(c));
			assert_int_not_equal(c, 0xfffd);
		}
		syn_free(&s);
		gt__out_fini(&text);
	}
}

static const struct gt_report_options everything = {
	.size = sizeof everything, .columns = 100, .exits = true};
static const struct gt_report_options histogram = {.size = sizeof histogram,
                                                   .histogram = "*"};

static const struct {
	int (*make)(const struct gt_output *, const struct gt_report_options *,
	            struct gt_sink **);
	const struct gt_report_options *options;
} for_people[] = {
	{gt_report_with, &everything}, {gt_report_with, &histogram},
	{gt_tree_with, &everything},   {gt_follow_with, &everything},
	{gt_diff_with, &everything},
};

/* All that a terminal may act on stands below U+3000 and at the end. */
static struct gt_text hostile_text(void)
{
	static char bytes[3 * 0x3000 + 3];
	size_t used = 0;

	for (uint32_t c = 0; c < 0x3000; c++)
		used += encode(c, bytes + used);
	used += encode(0xfeff, bytes + used);
	return (struct gt_text){bytes, used};
}

/* As syn_unicode(), with what the host names as hostile as the rest. */
static void hostile_run(struct syn *s, uint32_t index)
{
	static const struct gt_site_view site = {
		.name = {"outer", 5}, .target = {"t", 1}, .level = GT_INFO};
	struct gt_host_span_view work = {
		.kind = GT_HOST_WORK, .start_ns = 1, .end_ns = 2};
	struct gt_text text = hostile_text();
	struct syn_span *span;

	syn_begin(s, index, "hostile");
	s->trace.guest_name = s->trace.vm_name = s->trace.backend = text;
	s->trace.guest_build_id = s->trace.vm_id = s->trace.host_name = text;
	span = syn_open(s, &site, NULL, 0, 0, true);
	work.name = text;
	work.parent_id = span->view.id;
	syn_host(s, work);
	syn_close(s, span, 0, 10);
	s->summary.ending = GT_ENDING_ABORTED;
	s->summary.message = text;
	syn_end(s, 20);
	syn_unicode(s, index + 1);
}

static void c17_nothing_for_people_acts_on_their_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof for_people / sizeof *for_people; i++) {
		struct gt__out text = new_out();
		struct gt_output output = {write_all, &text};
		struct syn s = {.sink_count = 1};
		struct gt_text all;

		assert_int_equal(for_people[i].make(&output,
		                                    for_people[i].options,
		                                    &s.sinks[0]),
		                 0);
		hostile_run(&s, 0);
		assert_int_equal(syn_finish(&s), 0);
		all = (struct gt_text){text.bytes, text.used};
		assert_true(all.count > 1000);
		for (size_t at = 0; at < all.count;) {
			uint32_t c = gt__next_code_point(&all, &at);

			assert_true(c == '\n' || !acts_on_a_terminal(c));
		}
		syn_free(&s);
		gt__out_fini(&text);
	}
}

static bool contains(const struct gt__out *o, const char *what)
{
	size_t i, count = strlen(what);

	for (i = 0; i + count <= o->used; i++)
		if (!memcmp(o->bytes + i, what, count))
			return true;
	return false;
}

static void the_tree_shows_where_a_guest_died(void **state)
{
	struct gt__out text = new_out();
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};

	(void)state;
	assert_int_equal(gt_tree_new(&output, &s.sinks[0]), 0);
	syn_everything(&s, 0);
	assert_int_equal(syn_finish(&s), 0);
	assert_int_equal(text.bytes[0], 'L'); /* of LOST: before all else */
	assert_true(contains(&text, "LOST 5 of 23 records, 3 events over a "
	                            "quota  demo-guest  emulated  ABORTED "
	                            "after 30.000 \u00b5s"));
	assert_true(contains(&text, "\u2717 assertion failed: head < tail\n"));
	assert_true(contains(&text, "\u2514\u2717 LOST"));
	assert_true(contains(&text, "\u2717 INTERRUPTED  \u25c0 it died in "
	                            "here  ["));
	assert_true(contains(&text, "\u25c0 last event  ["));
	assert_true(contains(&text, "expression=\"head < tail\"\n"));
	syn_free(&s);
	gt__out_fini(&text);
}

static void the_report_lists_only_what_was_lost(void **state)
{
	struct gt__out text = new_out();
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};

	(void)state;
	assert_int_equal(gt_report_new(&output, &s.sinks[0]), 0);
	syn_everything(&s, 0);
	assert_true(contains(&text, "5  records for which the guest found"));
	assert_false(contains(&text, "doorbells"));
	assert_false(contains(&text, "nothing lost"));
	assert_true(contains(&text, "12  io\n"));
	syn_random(&s, 1, 1, 10);
	assert_true(contains(&text, "nothing lost\n"));
	assert_int_equal(syn_finish(&s), 0);
	syn_free(&s);
	gt__out_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_is_read_back),
		cmocka_unit_test(c16_every_code_point_comes_back_from_json),
		cmocka_unit_test(
			c17_no_code_point_reaches_a_terminal_that_acts_on_it),
		cmocka_unit_test(c13_bytes_that_are_no_utf8_are_replaced),
		cmocka_unit_test(blanks_in_front_make_no_formula_harmless),
		cmocka_unit_test(each_sink_escapes_what_it_is_made_of),
		cmocka_unit_test(c17_no_text_sink_shows_a_control_character),
		cmocka_unit_test(c17_nothing_for_people_acts_on_their_terminal),
		cmocka_unit_test(the_tree_shows_where_a_guest_died),
		cmocka_unit_test(the_report_lists_only_what_was_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

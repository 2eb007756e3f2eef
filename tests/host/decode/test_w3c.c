/* SPDX-License-Identifier: MIT */
/*
 * What is a traceparent and a tracestate: the cases of W3C's own test of Trace
 * Context (github.com/w3c/trace-context, test/test.py), and its limits.
 */
#include "host/decode/w3c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ID   "12345678901234567890123456789012"
#define SPAN "1234567890123456"

struct read {
	bool good;
	uint8_t trace_id[16];
	uint64_t span_id;
	uint32_t flags;
};

/* From memory of its own size: nothing behind it is read. */
static struct read parse(const char *text)
{
	size_t count = strlen(text);
	char *copy = malloc(count + 1);
	struct read read = {.flags = 99};

	memcpy(copy, text, count);
	copy = realloc(copy, count ? count : 1);
	read.good = gt__traceparent_parse((struct gt_text){copy, count},
	                                  read.trace_id, &read.span_id,
	                                  &read.flags);
	free(copy);
	assert_int_equal(gt_check_traceparent(text),
	                 read.good ? 0 : -GT_ERROR_BAD_TRACEPARENT);
	return read;
}

static void a_traceparent_is_read(void **unused)
{
	static const char *const good[] = {
		"00-" ID "-" SPAN "-01",
		"01-" ID "-" SPAN "-01",
		"cc-" ID "-" SPAN "-01",
		"cc-" ID "-" SPAN "-01-what-the-future-will-be-like",
		"fe-" ID "-" SPAN "-01-",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct read read = parse(good[i]);

		assert_true(read.good);
		assert_int_equal(read.trace_id[0], 0x12);
		assert_int_equal(read.trace_id[15], 0x12);
		assert_int_equal(read.span_id, UINT64_C(0x1234567890123456));
		assert_int_equal(read.flags, 1);
	}
}

static void anything_else_is_none(void **unused)
{
	static const char *const bad[] = {
		"",
		"00",
		"foo",
		/* version */
		"ff-" ID "-" SPAN "-01",
		"ff-" ID "-" SPAN "-01-more",
		".0-" ID "-" SPAN "-01",
		"0.-" ID "-" SPAN "-01",
		"000-" ID "-" SPAN "-01",
		"0000-" ID "-" SPAN "-01",
		"0-" ID "-" SPAN "-01",
		"CC-" ID "-" SPAN "-01",
		"00-" ID "-" SPAN "-01.",
		"00-" ID "-" SPAN "-01-what-the-future-will-be-like",
		"cc-" ID "-" SPAN "-01.what-the-future-will-not-be-like",
		/* trace-id */
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-.2345678901234567890123456789012-" SPAN "-01",
		"00-1234567890123456789012345678901.-" SPAN "-01",
		"00-1234567890123456789012345678901A-" SPAN "-01",
		"00-123456789012345678901234567890123-" SPAN "-01",
		"00-1234567890123456789012345678901-" SPAN "-01",
		/* parent-id */
		"00-" ID "-0000000000000000-01",
		"00-" ID "-.234567890123456-01",
		"00-" ID "-123456789012345.-01",
		"00-" ID "-123456789012345B-01",
		"00-" ID "-12345678901234567-01",
		"00-" ID "-123456789012345-01",
		/* trace-flags */
		"00-" ID "-" SPAN "-.0",
		"00-" ID "-" SPAN "-0.",
		"00-" ID "-" SPAN "-001",
		"00-" ID "-" SPAN "-1",
		"cc-" ID "-" SPAN "-0A",
		"00-" ID "-" SPAN,
		"00-" ID "-" SPAN "-",
		/* blanks */
		" 00-" ID "-" SPAN "-01",
		"00-" ID "-" SPAN "-01 ",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct read read = parse(bad[i]);

		if (read.good)
			fail_msg("taken: \"%s\"", bad[i]);
		assert_int_equal(read.flags, 99); /* untouched */
	}
}

/* 3.2.2.5: others are not defined in version 00; of later ones, only sampled.
 */
static void flags_nobody_knows_are_not_taken(void **unused)
{
	(void)unused;
	assert_int_equal(parse("00-" ID "-" SPAN "-00").flags, 0);
	assert_int_equal(parse("00-" ID "-" SPAN "-03").flags, 3);
	assert_int_equal(parse("00-" ID "-" SPAN "-ff").flags, 3);
	assert_int_equal(parse("01-" ID "-" SPAN "-ff").flags, 1);
	assert_int_equal(parse("01-" ID "-" SPAN "-fe").flags, 0);
}

/* ---- tracestate ---------------------------------------------------------- */

static bool takes(const char *text)
{
	int r = gt_check_tracestate(text);

	assert_true(r == 0 || r == -GT_ERROR_BAD_TRACESTATE);
	return r == 0;
}

static char *filled(char *to, char with, size_t count, const char *rest)
{
	memset(to, with, count);
	strcpy(to + count, rest);
	return to;
}

static void a_tracestate_is_a_list_of_members(void **unused)
{
	static const char *const good[] = {
		"",
		"foo=1",
		"foo=1,bar=2",
		"foo=1 \t , \t bar=2, \t baz=3",
		"foo=1,",
		",foo=1,,bar=2",
		"foo@bar=1",
		"foo=1;b",
		"abcdefghijklmnopqrstuvwxyz0123456789_-*/= !\"#$%&'()*+-./"
		"0123456789:;<>?@[\\]^_`{|}~",
		"1a-2f@foo=bar1",
	};
	static const char *const bad[] = {
		"foo",      "foo=",         "foo=,bar=3",  "=1",
		"foo =1",   "FOO=1",        "foo.bar=1",   "@foo=1",
		"-foo=1",   "foo=bar=baz",  "foo=1,foo=1", "a=1,b=2,a=3",
		"foo=\x7f", "foo=\xc3\xa4", "foo=a\tb",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!takes(good[i]))
			fail_msg("refused: \"%s\"", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (takes(bad[i]))
			fail_msg("taken: \"%s\"", bad[i]);
}

static void its_limits_hold(void **unused)
{
	char text[1024], all[1024] = "";

	(void)unused;
	assert_true(takes(filled(text, 'z', 256, "=1")));
	assert_false(takes(filled(text, 'z', 257, "=1")));
	strcpy(text, "a=");
	filled(text + 2, '.', 256, "");
	assert_true(takes(text));
	filled(text + 2, '.', 257, "");
	assert_false(takes(text));
	for (unsigned i = 0; i < 32; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all),
		         "bar%02u=%02u,", i, i);
	assert_true(takes(all));
	strcat(all, "bar32=32");
	assert_false(takes(all));
}

/* 3.3.1.5: entries over 128 characters go first, then the last ones. */
static void one_that_is_too_long_loses_whole_members(void **unused)
{
	char text[600], to[64] = "", large[200];

	(void)unused;
	gt__tracestate_fit((struct gt_text){"a=1, b=2", 8}, to, 9);
	assert_string_equal(to, "a=1, b=2");
	gt__tracestate_fit((struct gt_text){"a=1, b=2", 8}, to, 8);
	assert_string_equal(to, "a=1,b=2");
	gt__tracestate_fit((struct gt_text){"a=1, b=2,c=3", 12}, to, 9);
	assert_string_equal(to, "a=1,b=2");
	gt__tracestate_fit((struct gt_text){"a=1,b=2", 7}, to, 7);
	assert_string_equal(to, "a=1");
	gt__tracestate_fit((struct gt_text){"a=1", 3}, to, 3);
	assert_string_equal(to, "");
	gt__tracestate_fit((struct gt_text){"a=1", 3}, to, 1);
	assert_string_equal(to, "");
	filled(large, 'x', 140, "");
	snprintf(text, sizeof(text), "a=1,b=%s,c=3", large);
	gt__tracestate_fit((struct gt_text){text, strlen(text)}, to,
	                   sizeof(to));
	assert_string_equal(to, "a=1,c=3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceparent_is_read),
		cmocka_unit_test(anything_else_is_none),
		cmocka_unit_test(flags_nobody_knows_are_not_taken),
		cmocka_unit_test(a_tracestate_is_a_list_of_members),
		cmocka_unit_test(its_limits_hold),
		cmocka_unit_test(one_that_is_too_long_loses_whole_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

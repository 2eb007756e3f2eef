/* SPDX-License-Identifier: MIT */
/* The language of gt_host_set_filter(), as host.h tells it. */
#include "host/decode/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool admits(const char *text, const char *target, enum gt_level level)
{
	struct gt_site_view site = {
		.target = {target, strlen(target)},
		.level = level,
	};
	struct gt__filter *filter;
	bool admitted;

	assert_int_equal(
		gt__filter_new((struct gt_text){text, strlen(text)}, &filter),
		0);
	admitted = gt__filter_admits(filter, &site);
	free(filter);
	return admitted;
}

/* The most verbose level that is on; GT_OFF: none is. */
static unsigned verbosity(const char *text, const char *target)
{
	unsigned level = GT_OFF;

	while (level < GT_TRACE && admits(text, target, level + 1))
		level++;
	for (unsigned above = level + 1; above <= GT_TRACE; above++)
		assert_false(admits(text, target, above));
	return level;
}

static bool is_bad(const char *text)
{
	struct gt__filter *filter = NULL;
	/* A copy of its own size: nothing behind it is read. */
	size_t count = strlen(text);
	char *copy = memcpy(malloc(count + !count), text, count);
	int r = gt__filter_new((struct gt_text){copy, count}, &filter);

	free(copy);
	if (r == 0) {
		free(filter);
		return false;
	}
	assert_int_equal(r, -GT_ERROR_BAD_FILTER);
	assert_null(filter); /* untouched */
	return true;
}

static void a_level_holds_for_all_targets(void **unused)
{
	static const char *const names[] = {"off",  "error", "warn",
	                                    "info", "debug", "trace"};
	static const char *const loud[] = {"OFF",  "Error", "WARN",
	                                   "InFo", "DEBUG", "tracE"};
	static const char *const numbers[] = {"0", "1", "2", "3", "4", "5"};

	(void)unused;
	for (unsigned level = 0; level < 6; level++) {
		assert_int_equal(verbosity(names[level], "any"), level);
		assert_int_equal(verbosity(loud[level], "any"), level);
		assert_int_equal(verbosity(numbers[level], ""), level);
	}
}

static void a_target_holds_for_itself_and_what_is_below(void **unused)
{
	(void)unused;
	assert_int_equal(verbosity("net=debug", "net"), GT_DEBUG);
	assert_int_equal(verbosity("net=debug", "net.tcp"), GT_DEBUG);
	assert_int_equal(verbosity("net=debug", "net::tcp"), GT_DEBUG);
	assert_int_equal(verbosity("net=debug", "net/tcp.c"), GT_DEBUG);
	for (unsigned next = 1; next < 256; next++) {
		char target[] = "net?";

		target[3] = (char)next;
		assert_int_equal(verbosity("net=debug", target),
		                 strchr(".:/", (int)next) ? GT_DEBUG : GT_OFF);
	}
	assert_int_equal(verbosity("net=debug", "ne"), GT_OFF);
	assert_int_equal(verbosity("net=debug", "Net"), GT_OFF);
	assert_int_equal(verbosity("net=debug", ""), GT_OFF);
	assert_int_equal(verbosity("net=debug", "a.net"), GT_OFF);
}

static void a_target_alone_means_trace(void **unused)
{
	(void)unused;
	assert_int_equal(verbosity("net", "net"), GT_TRACE);
	assert_int_equal(verbosity("net", "db"), GT_OFF);
	assert_int_equal(verbosity("6", "6"), GT_TRACE);
	assert_int_equal(verbosity("information", "information"), GT_TRACE);
	assert_int_equal(verbosity("info=warn", "info"), GT_WARN);
}

static void the_longest_match_holds_in_any_order(void **unused)
{
	static const char *const orders[] = {
		"info,net=debug,net.tcp=off", "net.tcp=off,net=debug,info",
		"net=debug,net.tcp=off,info", "info,net.tcp=off,net=debug"};

	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(verbosity(orders[i], "db"), GT_INFO);
		assert_int_equal(verbosity(orders[i], "net"), GT_DEBUG);
		assert_int_equal(verbosity(orders[i], "net.udp"), GT_DEBUG);
		assert_int_equal(verbosity(orders[i], "net.tcp"), GT_OFF);
		assert_int_equal(verbosity(orders[i], "net.tcp.x"), GT_OFF);
		assert_int_equal(verbosity(orders[i], "net.tcpx"), GT_DEBUG);
	}
}

static void of_two_equal_ones_the_later_holds(void **unused)
{
	(void)unused;
	assert_int_equal(verbosity("info,debug", "a"), GT_DEBUG);
	assert_int_equal(verbosity("debug,info", "a"), GT_INFO);
	assert_int_equal(verbosity("a=off,a=warn", "a"), GT_WARN);
}

static void what_nothing_matches_is_off(void **unused)
{
	(void)unused;
	assert_int_equal(verbosity("net=trace,db=trace", "kv"), GT_OFF);
}

static void blanks_around_words_do_not_count(void **unused)
{
	(void)unused;
	assert_int_equal(verbosity("  info  ", "a"), GT_INFO);
	assert_int_equal(verbosity(" a = debug , b = 0 ,  warn", "a"),
	                 GT_DEBUG);
	assert_int_equal(verbosity(" a = debug , b = 0 ,  warn", "b"), GT_OFF);
	assert_int_equal(verbosity(" a = debug , b = 0 ,  warn", "c"), GT_WARN);
}

/* isspace(3) in the C locale. */
static void every_blank_is_a_blank(void **unused)
{
	static const char blanks[] = " \t\n\v\f\r";

	(void)unused;
	for (const char *at = blanks; *at; at++) {
		char text[] = "?off?,?net?=?warn?";

		for (char *mark = text; (mark = strchr(mark, '?'));)
			*mark = *at;
		assert_int_equal(verbosity(text, "net"), GT_WARN);
		assert_int_equal(verbosity(text, "db"), GT_OFF);
	}
	assert_int_equal(verbosity("off,\r\n\tnet=warn\n", "net"), GT_WARN);
	assert_int_equal(verbosity("off,\xa0net", "net"), GT_OFF);
}

static void empty_directives_mean_nothing(void **unused)
{
	static const char *const infos[] = {"info,",  ",info",   "info,,",
	                                    ",,info", " , info", "info,\n"};

	(void)unused;
	for (size_t i = 0; i < sizeof(infos) / sizeof(*infos); i++)
		assert_int_equal(verbosity(infos[i], "a"), GT_INFO);
	assert_int_equal(verbosity("info,,a=1", "a"), GT_ERROR);
	assert_int_equal(verbosity("info,,a=1", "b"), GT_INFO);
}

/* As if there were no filter. */
static void none_at_all_is_trace(void **unused)
{
	(void)unused;
	assert_int_equal(verbosity("", "a"), GT_TRACE);
	assert_int_equal(verbosity(" ", "a"), GT_TRACE);
	assert_int_equal(verbosity(",, ,", "a"), GT_TRACE);
}

static void warning_is_warn(void **unused)
{
	(void)unused;
	assert_int_equal(verbosity("warning", "a"), GT_WARN);
	assert_int_equal(verbosity("Warning", "warning"), GT_WARN);
	assert_int_equal(verbosity("off,a=warning", "a"), GT_WARN);
	assert_int_equal(verbosity("warning=info", "warning"), GT_INFO);
	assert_int_equal(verbosity("warnings", "warnings"), GT_TRACE);
}

/* hyperlight.md: no level is on either wire. */
static void a_wire_without_levels_takes_off_and_trace(void **unused)
{
	static const char *const good[] = {"off",     "trace",       "0",
	                                   "5",       "off,net",     "",
	                                   "net=off", "net=5,db=off"};
	static const char *const bad[] = {"info", "error",           "1",
	                                  "a=4",  "trace,net=debug", "warning"};

	(void)unused;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(gt_filter_check(GT_WIRE_HYPERLIGHT_0_11,
		                                 good[i], NULL, NULL),
		                 0);
		assert_int_equal(gt_filter_check(GT_WIRE_HYPERLIGHT_0_12,
		                                 good[i], NULL, NULL),
		                 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(
			gt_filter_check(GT_WIRE_NATIVE, bad[i], NULL, NULL), 0);
		assert_int_equal(gt_filter_check(GT_WIRE_HYPERLIGHT_0_11,
		                                 bad[i], NULL, NULL),
		                 -GT_ERROR_NO_LEVELS);
		assert_int_equal(gt_filter_check(GT_WIRE_HYPERLIGHT_0_12,
		                                 bad[i], NULL, NULL),
		                 -GT_ERROR_NO_LEVELS);
	}
	assert_int_equal(
		gt_filter_check(GT_WIRE_HYPERLIGHT_0_12, "a=b", NULL, NULL),
		-GT_ERROR_BAD_FILTER);
}

static int append(void *context, struct gt_text target)
{
	strncat(context, target.bytes, target.count);
	strcat(context, ";");
	return strlen(context) > 20 ? -7 : 0;
}

static void its_targets_are_shown(void **unused)
{
	char text[64] = "";

	(void)unused;
	assert_int_equal(gt_filter_check(GT_WIRE_NATIVE,
	                                 "info, a = off ,b,,c::d=1", append,
	                                 text),
	                 0);
	assert_string_equal(text, "a;b;c::d;");
	assert_int_equal(gt_filter_check(GT_WIRE_NATIVE,
	                                 "quite_long_names,others", append,
	                                 text),
	                 -7);
	assert_string_equal(text, "a;b;c::d;quite_long_names;");
}

static void everything_else_is_refused(void **unused)
{
	static const char *const bad[] = {
		"=info", " =info",  "a=",         "a= ",    "a=6",
		"a=inf", "a=infos", "a=b=1",      "a==1",   "a=1=",
		"a=-1",  "a=33",    "a=info;b=1", "info,=", "a=\n"};

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!is_bad(bad[i]))
			fail_msg("accepted: \"%s\"", bad[i]);
}

static void sixty_four_directives_are_the_most(void **unused)
{
	char text[GT__DIRECTIVES_MAX * 4 + 8] = "";

	(void)unused;
	for (unsigned i = 0; i < GT__DIRECTIVES_MAX; i++)
		strcat(text, i ? ",a=1" : "a=1");
	assert_int_equal(verbosity(text, "a"), GT_ERROR);
	strcat(text, ",a=2");
	assert_true(is_bad(text));
}

static void a_text_of_65536_bytes_is_the_longest(void **unused)
{
	size_t count = 65536;
	char *text = calloc(1, count + 2);

	(void)unused;
	memset(text, ' ', count);
	memcpy(text + count - 5, "a=off", 5);
	assert_int_equal(verbosity(text, "a"), GT_OFF);
	text[count] = ' ';
	assert_true(is_bad(text));
	free(text);
}

/* Any bytes are taken or refused, and nothing behind them is read. */
static void any_text_is_safe(void **unused)
{
	static const char letters[] = "a=,1 nof.:/\xff";
	uint32_t state = 1;
	unsigned good = 0;

	(void)unused;
	for (unsigned i = 0; i < 100000; i++) {
		char text[16] = "";
		unsigned count = i % 15;

		for (unsigned j = 0; j < count; j++) {
			state = state * 1664525 + 1013904223;
			text[j] = letters[(state >> 16) % 12];
		}
		good += !is_bad(text);
	}
	assert_in_range(good, 1000, 95000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_holds_for_all_targets),
		cmocka_unit_test(a_target_holds_for_itself_and_what_is_below),
		cmocka_unit_test(a_target_alone_means_trace),
		cmocka_unit_test(the_longest_match_holds_in_any_order),
		cmocka_unit_test(of_two_equal_ones_the_later_holds),
		cmocka_unit_test(what_nothing_matches_is_off),
		cmocka_unit_test(blanks_around_words_do_not_count),
		cmocka_unit_test(every_blank_is_a_blank),
		cmocka_unit_test(empty_directives_mean_nothing),
		cmocka_unit_test(none_at_all_is_trace),
		cmocka_unit_test(warning_is_warn),
		cmocka_unit_test(a_wire_without_levels_takes_off_and_trace),
		cmocka_unit_test(its_targets_are_shown),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(sixty_four_directives_are_the_most),
		cmocka_unit_test(a_text_of_65536_bytes_is_the_longest),
		cmocka_unit_test(any_text_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Conditions on spans: what they mean, and which are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <guesttrace/analysis.h>
#include "export/run/where.h"
#include "tests/support/random64.h"

#define TEXT(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct gt_field fields[] = {
	{.key = TEXT("op"), .type = GT_TYPE_STRING, .value.text = TEXT("get")},
	{.key = TEXT("bytes"), .type = GT_TYPE_U64, .value.u64 = 100},
	{.key = TEXT("big"), .type = GT_TYPE_U64, .value.u64 = UINT64_MAX},
	{.key = TEXT("delta"), .type = GT_TYPE_I64, .value.i64 = -5},
	{.key = TEXT("load"), .type = GT_TYPE_F64, .value.f64 = 0.25},
	{.key = TEXT("hit"), .type = GT_TYPE_BOOL, .value.boolean = true},
	{.key = TEXT("at"), .type = GT_TYPE_POINTER, .value.u64 = 0x1f},
	{.key = TEXT("level"), .type = GT_TYPE_U64, .value.u64 = 9},
	{.key = TEXT("a b"),
         .type = GT_TYPE_STRING,
         .value.text = TEXT("x\"y")},
	{.key = TEXT("empty"), .type = GT_TYPE_STRING, .value.text = TEXT("")},
	{.key = TEXT("zero"), .type = GT_TYPE_U64, .value.u64 = 0},
	{.key = TEXT("op2"), .type = GT_TYPE_STRING, .value.text = TEXT("a")},
	{.key = TEXT("op2"), .type = GT_TYPE_STRING, .value.text = TEXT("b")},
};

static const struct gt_site_view site = {
	.name = TEXT("request"),
	.target = TEXT("kv.table"),
	.file = TEXT("kv.c"),
	.level = GT_WARN,
};

static const struct gt_trace trace = {.start_ns = 1000000};

static const struct gt_span_view span = {
	.id = 1,
	.start_ns = 1002000,
	.end_ns = 1022000,
	.site = &site,
	.fields = fields,
	.field_count = sizeof fields / sizeof *fields,
	.status = GT_STATUS_ERROR,
	.status_text = TEXT("no such key"),
	.vcpu = 2,
};

static bool holds(const char *text)
{
	struct gt__where *where;
	const char *why;
	size_t at;
	bool found;

	if (gt__where_new(text, &where, &at, &why))
		fail_msg("%s: %s at %zu", text, why, at);
	found = gt__where_holds(where, &trace, &span);
	gt__where_free(where);
	return found;
}

static void conditions_hold_of_what_a_span_has(void **state)
{
	static const char *const texts[] = {
		"op=get",
		"op==get",
		"op = get",
		"op=\"get\"",
		"op!=set",
		"op~g*",
		"op!~s*",
		"op~*",
		"bytes=100",
		"bytes>99",
		"bytes>=100",
		"bytes<=100",
		"bytes<101",
		"bytes!=99",
		"bytes=1e2",
		"big=18446744073709551615",
		"big>18446744073709551614",
		"delta<0",
		"delta=-5",
		"delta>-6",
		"load=0.25",
		"load<.5",
		"hit",
		"hit=true",
		"hit=1",
		"hit!=false",
		"at=0x1f",
		"at=31",
		"bytes",
		"op",
		".level=9",
		"\"level\"=9",
		"level=warn",
		"level>=warn",
		"level>info",
		"level<error",
		"level!=error",
		"status=error",
		"status!=ok",
		"vcpu=2",
		"vcpu>1",
		"duration=20us",
		"duration=20000",
		"duration>19.9us",
		"duration<1ms",
		"start=2us",
		"start<=2us",
		"name=request",
		"name~req*",
		"target=kv.table",
		"file~*.c",
		"message=\"no such key\"",
		"\"a b\"=\"x\\\"y\"",
		"!zero",
		"!empty",
		"!nothing",
		"op2=b",
		"!(op2=a)",
		"op=get && bytes=100",
		"op=set || bytes=100",
		"op=set && bytes=1 || hit",
		"hit || op=set && bytes=1",
		"!(op=set || bytes=1)",
		"!op=set && hit",
		"!!hit",
		"((op=get))",
		"(op=set || hit) && !(bytes=1)",
		" hit ",
		"zero=0",
		"empty=\"\"",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!holds(texts[i]))
			fail_msg("%s does not hold", texts[i]);
}

static void conditions_do_not_hold_of_what_it_has_not(void **state)
{
	static const char *const texts[] = {
		"op=set",
		"op!=get",
		"op>a",
		"op~s*",
		"op=g",
		"op=gets",
		"bytes=get",
		"bytes>100",
		"bytes!=100",
		"big=18446744073709551614",
		"delta>0",
		"load=0.5",
		"!hit",
		"hit=false",
		"nothing",
		"nothing=1",
		"nothing!=1",
		"nothing!~x",
		".name=request",
		"zero",
		"empty",
		"level<=info",
		"level=info",
		"status=ok",
		"vcpu=1",
		"duration>20us",
		"duration<20us",
		"start>2us",
		"name=other",
		"op2=a",
		"op=get && bytes=1",
		"op=set || bytes=1",
		"(hit || op=set) && bytes=1",
		"!op=get",
		"op=set || hit && zero",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		if (holds(texts[i]))
			fail_msg("%s holds", texts[i]);
}

static void what_cannot_be_read_is_refused_where_it_is(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} texts[] = {
		{"", 0},
		{"op=", 3},
		{"=get", 0},
		{"op=get &&", 9},
		{"op=get bytes=1", 7},
		{"(op=get", 7},
		{"op=get)", 6},
		{"op=\"get", 3},
		{"op=get & hit", 7},
		{"!", 1},
		{"()", 1},
		{"level=loud", 6},
		{"level~warn", 6},
		{"status>ok", 7},
		{"status=good", 7},
		{"duration>soon", 9},
		{"duration~1us", 9},
		{"duration", 8},
		{"vcpu=x", 5},
		{"name>a", 5},
		{"a;b", 1},
		{"start=1parsec", 6},
	};
	const char *why;
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (gt_where_check(texts[i].text, &at, &why) != -22)
			fail_msg("'%s' is not refused", texts[i].text);
		if (at != texts[i].at || !why || !*why)
			fail_msg("'%s': %s at %zu", texts[i].text, why, at);
	}
}

static void what_is_too_much_is_refused(void **state)
{
	char text[4096];
	const char *why;
	size_t at, i;

	(void)state;
	text[0] = '\0';
	for (i = 0; i < 64; i++)
		strcat(text, i ? "&&hit" : "hit");
	assert_true(holds(text));
	strcat(text, "&&hit");
	assert_int_equal(gt_where_check(text, &at, &why), -22);
	memset(text, '(', 900);
	strcpy(text + 900, "hit");
	assert_int_equal(gt_where_check(text, &at, &why), -22);
	memset(text, '!', 100);
	strcpy(text + 100, "hit");
	assert_true(holds(text));
	memset(text, 'a', 1001);
	text[1001] = '\0';
	assert_int_equal(gt_where_check(text, &at, &why), -22);
	text[1000] = '\0';
	assert_int_equal(gt_where_check(text, &at, &why), 0);
}

/* Pieces of conditions in any order: what is read is also evaluated. */
static void no_bytes_do_harm(void **state)
{
	static const char *const pieces[] = {
		"op",   "=",    "get",      "&&",    "||",   "!",  "(",
		")",    "\"",   "\\",       "~",     "<",    ">=", "bytes",
		"1",    "20us", "duration", "level", "warn", " ",  "hit",
		"\xff", ".",    "status",   "error", "*",    "[",
	};
	unsigned i, k, read = 0;

	(void)state;
	for (i = 0; i < 200000; i++) {
		unsigned count = 1 + (unsigned)(random64() % 12);
		struct gt__where *where;
		char text[128] = "";
		const char *why;
		size_t at;

		for (k = 0; k < count; k++)
			strcat(text, pieces[random64() %
			                    (sizeof pieces / sizeof *pieces)]);
		if (gt__where_new(text, &where, &at, &why))
			assert_true(at <= strlen(text));
		else
			read++, gt__where_holds(where, &trace, &span);
		gt__where_free(where);
	}
	assert_in_range(read, 1000, 199000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_hold_of_what_a_span_has),
		cmocka_unit_test(conditions_do_not_hold_of_what_it_has_not),
		cmocka_unit_test(what_cannot_be_read_is_refused_where_it_is),
		cmocka_unit_test(what_is_too_much_is_refused),
		cmocka_unit_test(no_bytes_do_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

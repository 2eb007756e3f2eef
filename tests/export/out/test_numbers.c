/* SPDX-License-Identifier: MIT */
/* Numbers as columns of tables, values of fields, and cells of spreadsheets. */
#include "export/out/escape.h"
#include "export/out/numbers.h"
#include "export/out/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char text[4096];
static size_t count;
static struct gt__out out;

static int take(void *context, const void *bytes, size_t number)
{
	(void)context;
	assert_true(number < sizeof(text) - count);
	memcpy(text + count, bytes, number);
	count += number;
	text[count] = '\0';
	return 0;
}

static int setup(void **unused)
{
	(void)unused;
	gt__out_init(&out, &(struct gt_output){take, NULL});
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	gt__out_fini(&out);
	return 0;
}

/* What was put since the last time. */
static const char *put(void)
{
	count = 0;
	text[0] = '\0';
	assert_int_equal(gt__out_flush(&out), 0);
	return text;
}

static void a_number_has_its_digits(void **unused)
{
	uint64_t value = 1;

	(void)unused;
	assert_int_equal(gt__digits(0), 1);
	for (size_t digits = 1; digits <= 20; digits++, value *= 10) {
		assert_int_equal(gt__digits(value), digits);
		if (digits > 1)
			assert_int_equal(gt__digits(value - 1), digits - 1);
	}
	assert_int_equal(gt__digits(UINT64_MAX), 20);
}

static void numbers_stand_on_the_right(void **unused)
{
	(void)unused;
	gt__put_count(&out, 42, 5);
	assert_string_equal(put(), "   42");
	gt__put_count(&out, 12345, 5);
	assert_string_equal(put(), "12345");
	gt__put_count(&out, 123456, 5);
	assert_string_equal(put(), "123456");
	gt__put_count(&out, UINT64_MAX, 0);
	assert_string_equal(put(), "18446744073709551615");
	gt__put_dash(&out, 3);
	assert_string_equal(put(), "  -");
	gt__put_dash(&out, 0);
	assert_string_equal(put(), "-");
}

static void parts_are_rounded(void **unused)
{
	(void)unused;
	gt__put_percent(&out, 1, 3, 6);
	assert_string_equal(put(), "  33.3");
	gt__put_percent(&out, 2, 3, 0);
	assert_string_equal(put(), "66.7");
	gt__put_percent(&out, 7, 0, 0);
	assert_string_equal(put(), "0.0");
	gt__put_percent(&out, 0, 7, 0);
	assert_string_equal(put(), "0.0");
	gt__put_percent(&out, UINT64_MAX, UINT64_MAX, 0);
	assert_string_equal(put(), "100.0");
	/* 1000 * (2^64 - 1) / 1 is over 64 bits. */
	gt__put_percent(&out, UINT64_MAX, 1, 0);
	assert_string_equal(put(), "1844674407370955161.5");
}

static void what_is_not_known_well_says_so(void **unused)
{
	(void)unused;
	gt__put_estimate(&out, 1, 2, 5);
	assert_string_equal(put(), "  ~50");
	gt__put_estimate(&out, 1, 1000, 0);
	assert_string_equal(put(), "<1");
	gt__put_estimate(&out, 0, 1000, 3);
	assert_string_equal(put(), "  0");
	gt__put_estimate(&out, 5, 0, 0);
	assert_string_equal(put(), "<1");
	gt__put_estimate(&out, 0, 0, 0);
	assert_string_equal(put(), "0");
}

static void changes_have_a_sign(void **unused)
{
	(void)unused;
	gt__put_change(&out, 1000, 1123, 7);
	assert_string_equal(put(), "  +12.3");
	gt__put_change(&out, 1000, 877, 0);
	assert_string_equal(put(), "-12.3");
	gt__put_change(&out, 1000, 1000, 0);
	assert_string_equal(put(), "0.0");
	gt__put_change(&out, 1, UINT64_MAX, 0);
	assert_string_equal(put(), "+1844674407370955161.5");
}

static void values_are_put_by_their_type(void **unused)
{
	static const struct {
		struct gt_field field;
		const char *text; /* NULL: not plain */
		unsigned kind;
	} rows[] = {
		{{.type = GT_TYPE_U64, .value = {.u64 = UINT64_MAX}},
	         "18446744073709551615",
	         GT__REAL},
		{{.type = GT_TYPE_U64, .value = {.u64 = INT64_MAX}},
	         "9223372036854775807",
	         GT__WHOLE},
		{{.type = GT_TYPE_I64, .value = {.i64 = INT64_MIN}},
	         "-9223372036854775808",
	         GT__WHOLE},
		{{.type = GT_TYPE_F64, .value = {.f64 = 0.5}}, "0.5", GT__REAL},
		{{.type = GT_TYPE_BOOL, .value = {.boolean = true}},
	         "true",
	         GT__WHOLE},
		{{.type = GT_TYPE_BOOL}, "false", GT__WHOLE},
		{{.type = GT_TYPE_POINTER, .value = {.u64 = 0x1f}},
	         "0x1f",
	         GT__WHOLE},
		{{.type = GT_TYPE_STRING}, NULL, GT__NO_NUMBER},
		{{.type = GT_TYPE_BYTES}, NULL, GT__NO_NUMBER},
		{{.type = GT_TYPE_PARENT}, NULL, GT__NO_NUMBER},
		{{.type = GT_TYPE_LINK}, NULL, GT__NO_NUMBER},
		{{.type = GT_TYPE_LINK_REMOTE}, NULL, GT__NO_NUMBER},
		{{.type = GT_TYPE_OK}, NULL, GT__NO_NUMBER},
		{{.type = GT_TYPE_FAILED}, NULL, GT__NO_NUMBER},
		{{.type = (enum gt_type)0}, NULL, GT__NO_NUMBER},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(gt__put_plain(&out, &rows[i].field),
		                 rows[i].text != NULL);
		assert_string_equal(put(), rows[i].text ? rows[i].text : "");
		assert_int_equal(gt__number_of(&rows[i].field).kind,
		                 rows[i].kind);
	}
}

/* Unicode's White_Space, but for what is hidden and comes as an escape. */
static void a_formula_is_one_behind_any_blank(void **unused)
{
	static const char *const blanks[] = {
		" ",      "\t",     "\n",     "\v",     "\f",
		"\r",     "\u00a0", "\u1680", "\u2000", "\u2005",
		"\u200a", "\u202f", "\u205f", "\u3000", "",
	};
	static const char *const others[] = {
		"x",      "!",      "\x08",   "\x0e",   "\u00a1",
		"\u167f", "\u1681", "\u1fff", "\u200b", "\u2030",
		"\u205e", "\u2060", "\u2fff", "\u3001",
	};
	char cell[16];

	(void)unused;
	for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
		strcpy(cell, blanks[i]);
		strcat(cell, "=1");
		gt__put_csv(&out, (struct gt_text){cell, strlen(cell)});
		assert_memory_equal(put(), "\"'", 2);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		strcpy(cell, others[i]);
		strcat(cell, "=1");
		gt__put_csv(&out, (struct gt_text){cell, strlen(cell)});
		assert_true(put()[0] == '"' && text[1] != '\'');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_number_has_its_digits),
		T(numbers_stand_on_the_right),
		T(parts_are_rounded),
		T(what_is_not_known_well_says_so),
		T(changes_have_a_sign),
		T(values_are_put_by_their_type),
		T(a_formula_is_one_behind_any_blank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Two site tables are one if nothing of them differs; and what a table says of
 * the functions around its sites is a name, or nothing (threats C, H).
 */
#include "host/decode/sites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GVA       UINT64_C(0x7000)
#define NAMES_MAX 300u

/* All that a site has. */
struct made {
	uint32_t gap; /* in front of it, of nothing */
	uint8_t kind, level, fields;
	uint32_t line;
	const char *text; /* `text_bytes` of it */
	size_t text_bytes;
	const char *function; /* NULL: it says nothing of one */
	size_t function_bytes;
	uint64_t named_at; /* instead of where it is; 0: where it is */
	bool named_nowhere;
};

#define TEXT(string)     .text = (string), .text_bytes = sizeof(string)
#define FUNCTION(string) .function = (string), .function_bytes = sizeof(string)

static const struct made usual = {
	.kind = GT_SITE_EVENT,
	.level = GT_INFO,
	.fields = 2,
	.line = 7,
	TEXT("name\0target\0file\0ua\0sb"),
	FUNCTION("main"),
};

/* A copy that ends where its memory ends. */
static struct gt__sites *make(const struct made *made)
{
	struct gt_site head = {
		.kind = made->kind,
		.level = made->level,
		.fields = made->fields,
		.size = (uint16_t)(sizeof(head) + made->text_bytes +
	                           (made->function ? 8 : 0)),
		.flags = made->function ? GT_SITE_NAMED : 0,
		.magic = GT_SITE_MAGIC,
		.line = made->line,
	};
	size_t end = (made->gap + head.size + 7u) & ~(size_t)7;
	uint64_t named = made->named_nowhere ? 0
	                 : made->named_at    ? made->named_at
	                                     : end;
	size_t count = end + made->function_bytes;
	uint8_t *bytes = calloc(1, count);
	struct gt__sites *sites = NULL;

	assert_non_null(bytes);
	memcpy(bytes + made->gap, &head, sizeof(head));
	memcpy(bytes + made->gap + sizeof(head), made->text, made->text_bytes);
	if (made->function) {
		memcpy(bytes + made->gap + head.size - 8, &named, 8);
		memcpy(bytes + end, made->function, made->function_bytes);
	}
	assert_int_equal(gt__sites_new(bytes, count, GVA, &sites), 0);
	free(bytes);
	assert_int_equal(sites->count, 1);
	return sites;
}

static void expect_equal(const struct made *a, const struct made *b, bool equal)
{
	struct gt__sites *one = make(a), *other = make(b);

	assert_int_equal(gt__sites_equal(one, other), equal);
	assert_int_equal(gt__sites_equal(other, one), equal);
	gt__sites_free(one);
	gt__sites_free(other);
}

static void what_is_the_same_is_equal(void **unused)
{
	struct made plain = usual,
		    bare = {.kind = GT_SITE_FIELDS, TEXT("\0\0\0")};

	(void)unused;
	plain.function = NULL;
	plain.function_bytes = 0;
	expect_equal(&usual, &usual, true);
	expect_equal(&plain, &plain, true);
	expect_equal(&bare, &bare, true);
}

static void whatever_differs_is_not(void **unused)
{
	struct made others[16], *other = others;

	(void)unused;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		others[i] = usual;
#define OTHER(member, value) (other++)->member = (value)
#define OTHER_TEXT(string)                              \
	do {                                            \
		other->text = (string);                 \
		(other++)->text_bytes = sizeof(string); \
	} while (0)
	other->gap = 8; /* and as long as the usual one */
	OTHER_TEXT("n\0t\0f\0ua\0sb");
	OTHER(gap, 8);
	OTHER(kind, GT_SITE_COUNTER);
	OTHER(level, GT_WARN);
	OTHER(line, 8);
	OTHER(fields, 1);
	OTHER(named_nowhere, true);
	OTHER(function, "mail");
	OTHER_TEXT("nome\0target\0file\0ua\0sb");
	OTHER_TEXT("nam\0target\0file\0ua\0sb\0");
	OTHER_TEXT("name\0tarzan\0file\0ua\0sb");
	OTHER_TEXT("name\0target\0fill\0ua\0sb");
	OTHER_TEXT("name\0target\0file\0ia\0sb");
	OTHER_TEXT("name\0target\0file\0uc\0sb");
	OTHER_TEXT("name\0target\0file\0ua\0sc");
	while (other-- > others)
		expect_equal(&usual, other, false);
}

static void tables_elsewhere_or_of_other_sizes_are_not(void **unused)
{
	static const uint8_t nothing[8];
	struct gt__sites *one = make(&usual), *empty, *elsewhere;

	(void)unused;
	assert_int_equal(gt__sites_new(nothing, sizeof(nothing), GVA, &empty),
	                 0);
	assert_int_equal(
		gt__sites_new(nothing, sizeof(nothing), GVA + 8, &elsewhere),
		0);
	assert_false(gt__sites_equal(one, empty));
	assert_false(gt__sites_equal(empty, elsewhere));
	gt__sites_free(one);
	gt__sites_free(empty);
	gt__sites_free(elsewhere);
}

/* ---- Functions ----------------------------------------------------------- */

static void expect_function(const struct made *made, const char *expected)
{
	struct gt__sites *sites = make(made);
	struct gt_text name = sites->sites[0].view.function;

	assert_int_equal(name.count, strlen(expected));
	if (name.count > 0)
		assert_memory_equal(name.bytes, expected, name.count);
	gt__sites_free(sites);
}

static void a_name_is_what_it_points_at(void **unused)
{
	struct made made = usual;

	(void)unused;
	expect_function(&made, "main");
	made.function = "~!\0\0";
	expect_function(&made, "~!");
	made.named_nowhere = true;
	expect_function(&made, "");
	made = usual;
	made.function = NULL;
	made.function_bytes = 0;
	expect_function(&made, "");
}

static void what_lies_outside_is_no_name(void **unused)
{
	static const uint64_t far[] = {64, 69, 4096, UINT64_MAX};
	struct made made = usual;

	(void)unused;
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		made.named_at = far[i] == 64 ? 0 : far[i];
		expect_function(&made, far[i] == 64 ? "main" : "");
	}
}

static void what_is_not_printable_or_has_no_end_is_none(void **unused)
{
	struct made made = usual;

	(void)unused;
	made.function = "ma n";
	expect_function(&made, "");
	made.function = "ma\x7fn";
	expect_function(&made, "");
	made.function = "ma\xc3\xa4";
	expect_function(&made, "");
	made.function = "mains"; /* the NUL is cut off */
	expect_function(&made, "");
	made.function = "\0main";
	expect_function(&made, "");
}

static void a_name_has_255_bytes_at_most(void **unused)
{
	char name[NAMES_MAX] = "";
	struct made made = usual;

	(void)unused;
	made.function = name;
	memset(name, 'n', 255);
	made.function_bytes = 256;
	expect_function(&made, name);
	name[255] = 'n';
	made.function_bytes = 257;
	expect_function(&made, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_the_same_is_equal),
		cmocka_unit_test(whatever_differs_is_not),
		cmocka_unit_test(tables_elsewhere_or_of_other_sizes_are_not),
		cmocka_unit_test(a_name_is_what_it_points_at),
		cmocka_unit_test(what_lies_outside_is_no_name),
		cmocka_unit_test(what_is_not_printable_or_has_no_end_is_none),
		cmocka_unit_test(a_name_has_255_bytes_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Conditions on spans (`report --where`) and bounds of changes (`diff
 * --fail-if`), as a user or a script writes them. The input: u8 length of a
 * text, the text, and the condition. What is refused has a reason and a place
 * in it; what is not holds of a span or does not, and says the same when it is
 * negated, joined with itself, and joined with its opposite.
 */
#include "export/run/where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define WHERE_MAX 2000u

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* -1: it cannot be read; else whether it holds. */
static int ask(const char *where, const struct gt_span_view *span)
{
	static const struct gt_trace trace = {.start_ns = 1000};
	const char *why = NULL;
	struct gt__where *read = NULL;
	size_t at = SIZE_MAX;
	int r = gt_where_check(where, &at, &why), holds;

	if (r < 0) {
		check(at <= strlen(where) && why && *why);
		return -1;
	}
	if (gt__where_new(where, &read, &at, &why) < 0)
		abort();
	holds = gt__where_holds(read, &trace, span);
	check(holds == gt__where_holds(read, &trace, span));
	gt__where_free(read);
	return holds;
}

/* Such a condition, of which there may be too much then. */
static void expect(const char *form, const char *where,
                   const struct gt_span_view *span, int holds)
{
	char text[3 * WHERE_MAX + 64], *to = text;

	for (; *form; form++) {
		if (*form == '@')
			to = stpcpy(to, where);
		else
			*to++ = *form;
	}
	*to = '\0';
	holds -= ask(text, span);
	/* Else it is too long. */
	check(holds == 0 || strlen(text) > 250);
}

static void try_where(const char *where, struct gt_text text)
{
	const struct gt_field fields[] = {
		{.key = {"op", 2}, .type = GT_TYPE_STRING, .value.text = text},
		{.key = text, .type = GT_TYPE_U64, .value.u64 = text.count},
		{.key = {"i", 1}, .type = GT_TYPE_I64, .value.i64 = INT64_MIN},
		{.key = {"f", 1}, .type = GT_TYPE_F64, .value.f64 = -0.5},
		{.key = {"b", 1}, .type = GT_TYPE_BOOL, .value.boolean = true},
		{.key = {"x", 1}, .type = GT_TYPE_BYTES, .value.text = text},
	};
	const struct gt_site_view site = {
		.name = text, .target = text, .level = GT_WARN};
	const struct gt_span_view span = {
		.id = 1,
		.start_ns = 2000,
		.end_ns = 3000,
		.site = &site,
		.fields = fields,
		.field_count = sizeof(fields) / sizeof(fields[0]),
		.status = GT_STATUS_ERROR,
		.status_text = text,
	};
	int holds = ask(where, &span);

	if (holds < 0)
		return;
	expect("(@)", where, &span, holds);
	expect("!(@)", where, &span, !holds);
	expect("(@)&&(@)", where, &span, holds);
	expect("(@)||!(@)", where, &span, true);
	expect("(@)&&!(@)", where, &span, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	size_t length = count && bytes[0] < count ? bytes[0] : 0;
	const char *why = NULL;
	char where[WHERE_MAX];
	size_t left;

	if (count < length + 1 || count - length - 1 >= sizeof(where))
		return 0;
	left = count - length - 1;
	memcpy(where, bytes + 1 + length, left);
	where[left] = '\0';
	if (gt_fail_if_check(where, &why) < 0)
		check(why && *why);
	try_where(where, (struct gt_text){(const char *)bytes + 1, length});
	return 0;
}

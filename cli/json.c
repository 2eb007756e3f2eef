/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "export/out/escape.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define REPLACEMENT 0xfffdu
#define EXACT_MAX   (UINT64_C(1) << 53) /* of a double, what most readers use */

static void put_escape(FILE *to, uint32_t code_point)
{
	if (code_point < 0x10000) {
		fprintf(to, "\\u%04" PRIx32, code_point);
		return;
	}
	code_point -= 0x10000;
	fprintf(to, "\\u%04" PRIx32 "\\u%04" PRIx32,
	        0xd800 + (code_point >> 10), 0xdc00 + (code_point & 0x3ff));
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The one at `at`, which goes behind it. */
static void put_code_point(FILE *to, struct gt_text text, size_t *at)
{
	const size_t from = *at;
	const uint32_t code_point = gt__next_code_point(&text, at);

	if (code_point == '"' || code_point == '\\')
		fprintf(to, "\\%c", (int)code_point);
	else if (gt__is_hidden(code_point))
		put_escape(to, code_point);
	else if (code_point == REPLACEMENT)
		fputs("\xef\xbf\xbd", to);
	else
		fwrite(text.bytes + from, 1, *at - from, to);
}

void json_text(FILE *to, struct gt_text text)
{
	size_t at = 0, from;

	putc('"', to);
	while (at < text.count) {
		for (from = at; at < text.count; at++)
			if (!is_plain(text.bytes[at]))
				break;
		fwrite(text.bytes + from, 1, at - from, to);
		if (at < text.count)
			put_code_point(to, text, &at);
	}
	putc('"', to);
}

void json_member_text(FILE *to, const char *key, struct gt_text text)
{
	fprintf(to, ",\"%s\":", key);
	json_text(to, text);
}

void json_member_u64(FILE *to, const char *key, uint64_t value)
{
	fprintf(to, ",\"%s\":%" PRIu64, key, value);
}

void json_member_exact(FILE *to, const char *key, uint64_t value)
{
	fprintf(to, ",\"%s\":\"%" PRIu64 "\"", key, value);
}

static void put_bytes(FILE *to, struct gt_text bytes)
{
	putc('[', to);
	for (size_t i = 0; i < bytes.count; i++)
		fprintf(to, "%s%u", i ? "," : "", (uint8_t)bytes.bytes[i]);
	putc(']', to);
}

/* The fewest digits that read back as the same number. */
static void put_f64(FILE *to, double value)
{
	char text[32];
	int digits = 1;

	if (isnan(value)) {
		fputs("\"NaN\"", to);
	} else if (isinf(value)) {
		fputs(value < 0 ? "\"-inf\"" : "\"inf\"", to);
	} else {
		do
			snprintf(text, sizeof(text), "%.*g", digits, value);
		while (digits++ < 17 && strtod(text, NULL) != value);
		fputs(text, to);
	}
}

static void put_u64(FILE *to, uint64_t value)
{
	const char *quote = value > EXACT_MAX ? "\"" : "";

	fprintf(to, "%s%" PRIu64 "%s", quote, value, quote);
}

static void put_i64(FILE *to, int64_t value)
{
	bool is_exact =
		value <= (int64_t)EXACT_MAX && value >= -(int64_t)EXACT_MAX;
	const char *quote = is_exact ? "" : "\"";

	fprintf(to, "%s%" PRId64 "%s", quote, value, quote);
}

void json_value(FILE *to, const struct gt_field *field)
{
	switch (field->type) {
	case GT_TYPE_U64:
		put_u64(to, field->value.u64);
		break;
	case GT_TYPE_I64:
		put_i64(to, field->value.i64);
		break;
	case GT_TYPE_F64:
		put_f64(to, field->value.f64);
		break;
	case GT_TYPE_BOOL:
		fputs(field->value.boolean ? "true" : "false", to);
		break;
	case GT_TYPE_STRING:
		json_text(to, field->value.text);
		break;
	case GT_TYPE_BYTES:
		put_bytes(to, field->value.text);
		break;
	case GT_TYPE_POINTER:
		fprintf(to, "\"0x%" PRIx64 "\"", field->value.u64);
		break;
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		fputs("null", to); /* never among a view's fields */
		break;
	}
}

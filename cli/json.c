/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define REPLACEMENT 0xfffdu

/* The least code point of a sequence of that many bytes. */
static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

/* The code point at `at` and how many bytes it takes. */
static size_t next(const uint8_t *at, size_t left, uint32_t *ret_code_point)
{
	size_t length = at[0] < 0x80   ? 1
	                : at[0] < 0xc2 ? 0
	                : at[0] < 0xe0 ? 2
	                : at[0] < 0xf0 ? 3
	                : at[0] < 0xf5 ? 4
	                               : 0;
	uint32_t code_point = at[0];

	*ret_code_point = REPLACEMENT;
	if (length == 0 || length > left)
		return 1;
	if (length > 1)
		code_point &= 0x7fu >> length;
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 1;
		code_point = code_point << 6 | (at[i] & 0x3fu);
	}
	if (code_point < least[length] || code_point > 0x10ffff ||
	    (code_point >= 0xd800 && code_point <= 0xdfff))
		return 1;
	*ret_code_point = code_point;
	return length;
}

static bool is_hidden(uint32_t code_point)
{
	static const uint32_t ranges[][2] = {
		{0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},
		{0x61c, 0x61c},   {0x180e, 0x180e},   {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f},   {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code_point >= ranges[i][0] && code_point <= ranges[i][1])
			return true;
	return false;
}

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

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void put_code_point(FILE *to, const uint8_t *at, size_t length,
                           uint32_t code_point)
{
	if (code_point == '"' || code_point == '\\')
		fprintf(to, "\\%c", (int)code_point);
	else if (is_hidden(code_point))
		put_escape(to, code_point);
	else if (code_point == REPLACEMENT)
		fputs("\xef\xbf\xbd", to);
	else
		fwrite(at, 1, length, to);
}

void json_text(FILE *to, struct gt_text text)
{
	const uint8_t *bytes = (const uint8_t *)text.bytes;
	size_t done = 0;

	putc('"', to);
	while (done < text.count) {
		uint32_t code_point;
		size_t length = 0;

		while (length < text.count - done &&
		       is_plain(bytes[done + length]))
			length++;
		fwrite(bytes + done, 1, length, to);
		done += length;
		if (done == text.count)
			break;
		length = next(bytes + done, text.count - done, &code_point);
		put_code_point(to, bytes + done, length, code_point);
		done += length;
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

void json_value(FILE *to, const struct gt_field *field)
{
	switch (field->type) {
	case GT_TYPE_U64:
		fprintf(to, "%" PRIu64, field->value.u64);
		break;
	case GT_TYPE_I64:
		fprintf(to, "%" PRId64, field->value.i64);
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

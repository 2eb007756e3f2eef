/* SPDX-License-Identifier: MIT */
/* A buffered writer with a sticky error, and numbers as text. */
#include "out.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_BYTES (64u << 10)  /* hand on once this much has gathered */
#define FIRST_BYTES (128u << 10) /* so that few records make it grow */

void gt__out_init(struct gt__out *out, const struct gt_output *output)
{
	memset(out, 0, sizeof *out);
	out->output = *output;
}

void gt__out_fini(struct gt__out *out)
{
	free(out->bytes);
	out->bytes = NULL;
	out->used = out->size = 0;
}

int gt__out_flush(struct gt__out *out)
{
	int rc;

	if (!out->error && out->used) {
		rc = out->output.write(out->output.context, out->bytes,
		                       out->used);
		if (rc < 0)
			out->error = rc;
	}
	out->used = 0;
	return out->error;
}

int gt__out_record(struct gt__out *out)
{
	if (out->used >= WRITE_BYTES)
		return gt__out_flush(out);
	return out->error;
}

char *gt__out_grow(struct gt__out *out, size_t count)
{
	size_t size = out->size ? out->size : FIRST_BYTES;
	char *bytes;

	while (size - out->used < count && size <= SIZE_MAX / 4)
		size *= 2;
	bytes = size - out->used < count ? NULL : realloc(out->bytes, size);
	if (!bytes) {
		out->error = -ENOMEM;
		return NULL;
	}
	out->bytes = bytes;
	out->size = size;
	return bytes + out->used;
}

void gt__put_bytes(struct gt__out *out, const void *bytes, size_t count)
{
	char *room;

	if (!count)
		return;
	room = gt__out_room(out, count);
	if (!room)
		return;
	memcpy(room, bytes, count);
	out->used += count;
}

void gt__put(struct gt__out *out, const char *text)
{
	gt__put_bytes(out, text, strlen(text));
}

void gt__put_u64(struct gt__out *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	gt__put_bytes(out, digits + at, sizeof digits - at);
}

void gt__put_i64(struct gt__out *out, int64_t value)
{
	uint64_t size = (uint64_t)value;

	if (value < 0) {
		gt__put_char(out, '-');
		size = 0 - size;
	}
	gt__put_u64(out, size);
}

static const char hex[] = "0123456789abcdef";

void gt__put_hex(struct gt__out *out, uint64_t value, unsigned digits)
{
	char *room = gt__out_room(out, digits);
	unsigned i;

	if (!room)
		return;
	for (i = digits; i--; value >>= 4)
		room[i] = hex[value & 15];
	out->used += digits;
}

void gt__put_hex_bytes(struct gt__out *out, const void *bytes, size_t count)
{
	const unsigned char *from = bytes;
	size_t i;

	for (i = 0; i < count; i++)
		gt__put_hex(out, from[i], 2);
}

void gt__put_pointer(struct gt__out *out, uint64_t value)
{
	unsigned digits = 1;

	while (digits < 16 && value >> digits * 4)
		digits++;
	gt__put(out, "0x");
	gt__put_hex(out, value, digits);
}

void gt__put_base64(struct gt__out *out, const void *bytes, size_t count)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
				     "mnopqrstuvwxyz0123456789+/";
	const unsigned char *from = bytes;
	size_t i, n;

	for (i = 0; i < count; i += 3) {
		uint32_t word = (uint32_t)from[i] << 16;
		char text[4];

		n = count - i;
		if (n > 1)
			word |= (uint32_t)from[i + 1] << 8;
		if (n > 2)
			word |= from[i + 2];
		text[0] = digits[word >> 18];
		text[1] = digits[word >> 12 & 63];
		text[2] = n > 1 ? digits[word >> 6 & 63] : '=';
		text[3] = n > 2 ? digits[word & 63] : '=';
		gt__put_bytes(out, text, sizeof text);
	}
}

/* printf follows the embedder's locale, whose decimal point may be anything. */
static void put_plain_number(struct gt__out *out, const char *text)
{
	bool point = false;

	for (; *text; text++) {
		if (strchr("0123456789+-e", *text)) {
			gt__put_char(out, *text);
			point = false;
		} else if (!point) {
			gt__put_char(out, '.');
			point = true;
		}
	}
}

/*
 * What few digits say: of a number of at most 15 digits, up to six of them
 * behind the point, no other double is as near, so these are its digits. False:
 * it is none of those, and nothing was put.
 */
static bool put_few_digits(struct gt__out *out, double value)
{
	const double size = fabs(value), scaled = size * 1e6;
	char digits[6];
	uint64_t whole, part;
	unsigned i;

	if (!(size >= 1e-4 && size < 1e8))
		return false;
	whole = (uint64_t)(scaled + 0.5);
	if ((double)whole / 1e6 < size || (double)whole / 1e6 > size)
		return false;
	part = whole % 1000000;
	if (value < 0)
		gt__put_char(out, '-');
	gt__put_u64(out, whole / 1000000);
	if (!part)
		return true;
	for (i = 6; i--; part /= 10)
		digits[i] = (char)('0' + part % 10);
	for (i = 6; digits[i - 1] == '0';)
		i--;
	gt__put_char(out, '.');
	gt__put_bytes(out, digits, i);
	return true;
}

void gt__put_f64(struct gt__out *out, double value)
{
	char text[64];
	int precision;

	if (put_few_digits(out, value))
		return;
	if (isnan(value) || isinf(value)) {
		gt__put(out, isnan(value) ? "NaN"
		             : value < 0  ? "-Infinity"
		                          : "Infinity");
		return;
	}
	for (precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, value);
		if (precision == 17 ||
		    !(strtod(text, NULL) < value || strtod(text, NULL) > value))
			break;
	}
	put_plain_number(out, text);
}

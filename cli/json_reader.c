/* SPDX-License-Identifier: MIT */
#include "json_reader.h"

#include <string.h>

static bool fail(struct json_reader *reader, const char *error)
{
	if (!reader->error)
		reader->error = error;
	return false;
}

static void skip_blanks(struct json_reader *reader)
{
	while (reader->at < reader->end && *reader->at &&
	       strchr(" \t\r\n", *reader->at))
		reader->at++;
}

bool json_take(struct json_reader *reader, char what)
{
	skip_blanks(reader);
	if (reader->error || reader->at == reader->end || *reader->at != what)
		return false;
	reader->at++;
	return true;
}

bool json_expect(struct json_reader *reader, char what)
{
	if (json_take(reader, what))
		return true;
	switch (what) {
	case '{':
		return fail(reader, "an object is expected");
	case '[':
		return fail(reader, "an array is expected");
	case ':':
		return fail(reader, "a colon is expected");
	case ',':
		return fail(reader, "a comma is expected");
	case '"':
		return fail(reader, "a string is expected");
	default:
		return fail(reader, "an object or array does not end");
	}
}

/* ---- Strings ------------------------------------------------------------- */

static bool read_hex(struct json_reader *reader, unsigned *ret_value)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		const char *digit = reader->at < reader->end && *reader->at
		                            ? strchr(digits, *reader->at)
		                            : NULL;

		if (!digit)
			return fail(reader, "\\u needs four digits");
		value = value * 16 + (unsigned)(digit - digits) % 16;
		reader->at++;
	}
	*ret_value = value;
	return true;
}

static char *put_utf8(char *to, unsigned code)
{
	unsigned more = code < 0x80      ? 0
	                : code < 0x800   ? 1
	                : code < 0x10000 ? 2
	                                 : 3;
	static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};

	*to++ = (char)(first[more] | code >> 6 * more);
	while (more-- > 0)
		*to++ = (char)(0x80 | (code >> 6 * more & 0x3f));
	return to;
}

/* Behind `\u`; a pair of surrogates is one character. */
static bool read_code(struct json_reader *reader, unsigned *ret_code)
{
	unsigned high, low;

	if (!read_hex(reader, &high))
		return false;
	*ret_code = high;
	if (high < 0xd800 || high > 0xdfff)
		return true;
	if (high > 0xdbff || reader->end - reader->at < 6 ||
	    memcmp(reader->at, "\\u", 2) != 0)
		return fail(reader, "half of a surrogate pair");
	reader->at += 2;
	if (!read_hex(reader, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(reader, "half of a surrogate pair");
	*ret_code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static bool read_escape(struct json_reader *reader, char **to)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;
	unsigned code;

	if (reader->at == reader->end)
		return fail(reader, "a string does not end");
	name = *reader->at ? strchr(names, *reader->at) : NULL;
	if (name) {
		reader->at++;
		*(*to)++ = values[name - names];
		return true;
	}
	if (*reader->at++ != 'u')
		return fail(reader, "no such escape in a string");
	if (!read_code(reader, &code))
		return false;
	*to = put_utf8(*to, code);
	return true;
}

bool json_read_text(struct json_reader *reader, struct gt_text *ret_text)
{
	char *from, *to;

	if (!json_expect(reader, '"'))
		return false;
	from = to = reader->at;
	while (reader->at < reader->end && *reader->at != '"') {
		char c = *reader->at++;

		if ((unsigned char)c < 0x20)
			return fail(reader, "a control character in a string");
		if (c != '\\')
			*to++ = c;
		else if (!read_escape(reader, &to))
			return false;
	}
	if (reader->at == reader->end)
		return fail(reader, "a string does not end");
	reader->at++;
	*ret_text = (struct gt_text){from, (size_t)(to - from)};
	return true;
}

/* ---- The rest ------------------------------------------------------------ */

bool json_read_u64(struct json_reader *reader, uint64_t *ret_value)
{
	uint64_t value = 0;
	const char *from;

	skip_blanks(reader);
	from = reader->at;
	for (; reader->at < reader->end && *reader->at >= '0' &&
	       *reader->at <= '9';
	     reader->at++) {
		unsigned digit = (unsigned)(*reader->at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return fail(reader, "a number of more than 64 bits");
		value = value * 10 + digit;
	}
	if (reader->at == from || (reader->at < reader->end && *reader->at &&
	                           strchr(".eE+-", *reader->at)))
		return fail(reader, "a whole number from 0 is expected");
	*ret_value = value;
	return !reader->error;
}

bool json_take_null(struct json_reader *reader)
{
	skip_blanks(reader);
	if (reader->error || reader->end - reader->at < 4 ||
	    memcmp(reader->at, "null", 4) != 0)
		return false;
	reader->at += 4;
	return true;
}

bool json_expect_end(struct json_reader *reader)
{
	skip_blanks(reader);
	if (!reader->error && reader->at != reader->end)
		return fail(reader, "something follows the object");
	return !reader->error;
}

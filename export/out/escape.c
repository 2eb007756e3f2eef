/* SPDX-License-Identifier: MIT */
/* Escaping: one function per kind of sink. */
#include "escape.h"
#include <guesttrace/utf8_sequence.h>
#include <string.h>

uint32_t gt__next_code_point(const struct gt_text *text, size_t *at)
{
	const unsigned char *s = (const unsigned char *)text->bytes + *at;
	int i, size = gt__utf8_sequence(s, text->count - *at);
	uint32_t c = s[0];

	*at += 1;
	if (size == 1)
		return c;
	if (size < 0)
		return 0xfffd;
	c &= 0x7fu >> size;
	for (i = 1; i < size; i++)
		c = c << 6 | (s[i] & 0x3fu);
	*at += (size_t)size - 1;
	return c;
}

bool gt__is_hidden(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{0x0000, 0x001f},   /* C0 */
		{0x007f, 0x009f},   /* DEL, C1 */
		{0x00ad, 0x00ad},   /* soft hyphen */
		{0x061c, 0x061c},   /* bidi */
		{0x180e, 0x180e},   /* zero width */
		{0x200b, 0x200f},   /* zero width, bidi */
		{0x2028, 0x202e},   /* line separators, bidi */
		{0x2060, 0x206f},   /* invisible operators, bidi */
		{0xfeff, 0xfeff},   /* BOM */
		{0xfff9, 0xfffb},   /* interlinear annotation */
		{0xe0000, 0xe007f}, /* tags */
	};
	size_t i;

	if (c >= 0x20 && c < 0x7f)
		return false;
	for (i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

struct range {
	uint32_t first, last;
};

static bool is_among(uint32_t c, const struct range *ranges, size_t count)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && c >= ranges[low].first;
}

size_t gt__columns_of(uint32_t c)
{
	static const struct range combining[] = {
		{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},
		{0x0610, 0x061a}, {0x064b, 0x065f}, {0x093c, 0x093c},
		{0x094d, 0x094d}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a},
		{0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
		{0x20d0, 0x20ff}, {0x302a, 0x302d}, {0x3099, 0x309a},
		{0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
	};
	static const struct range wide[] = {
		{0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},
		{0x2614, 0x2615},   {0x2648, 0x2653},   {0x26a1, 0x26a1},
		{0x2705, 0x2705},   {0x274c, 0x274c},   {0x2e80, 0x303e},
		{0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},
		{0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
		{0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
		{0x1b000, 0x1b2fb}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
		{0x1f900, 0x1faff}, {0x20000, 0x3fffd},
	};

	if (c < 0x300)
		return 1;
	if (is_among(c, combining, sizeof combining / sizeof *combining))
		return 0;
	return is_among(c, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

static void put_code_point(struct gt__out *out, uint32_t c)
{
	char s[4];
	size_t n = 0;

	if (c < 0x80) {
		s[n++] = (char)c;
	} else if (c < 0x800) {
		s[n++] = (char)(0xc0 | c >> 6);
		s[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		s[n++] = (char)(0xe0 | c >> 12);
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | c >> 18);
		s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (c & 0x3f));
	}
	gt__put_bytes(out, s, n);
}

static unsigned hex_digits(uint32_t c)
{
	unsigned digits = 1;

	while (c >> digits * 4) /* 6 at most: a code point has 21 bits */
		digits++;
	return digits;
}

/* \u{1b}; returns its columns. */
static size_t put_braced(struct gt__out *out, uint32_t c)
{
	unsigned digits = hex_digits(c);

	gt__put(out, "\\u{");
	gt__put_hex(out, c, digits);
	gt__put_char(out, '}');
	return digits + 4;
}

/* How many bytes at text[at..] are plain ASCII and not among `special`. */
static size_t plain_run(struct gt_text text, size_t at, const char *special)
{
	uint64_t ends[2] = {0}; /* a bit of each ASCII character */
	size_t from = at;

	for (; *special; special++)
		ends[*special >> 6 & 1] |= UINT64_C(1) << (*special & 63);
	for (; at < text.count; at++) {
		unsigned char c = (unsigned char)text.bytes[at];

		if (c < 0x20 || c >= 0x7f || ends[c >> 6] >> (c & 63) & 1)
			break;
	}
	return at - from;
}

static void put_json_escape(struct gt__out *out, uint32_t c)
{
	static const char letters[] = "\"\\\b\f\n\r\t";
	static const char names[] = "\"\\bfnrt";
	const char *letter = c && c < 0x80 ? strchr(letters, (int)c) : NULL;

	gt__put_char(out, '\\');
	if (letter) {
		gt__put_char(out, names[letter - letters]);
		return;
	}
	gt__put_char(out, 'u');
	gt__put_hex(out, c, 4);
}

void gt__put_json_inner(struct gt__out *out, struct gt_text text)
{
	size_t at = 0;

	while (at < text.count) {
		size_t run = plain_run(text, at, "\"\\");
		uint32_t c;

		gt__put_bytes(out, text.bytes + at, run);
		at += run;
		if (at == text.count)
			break;
		c = gt__next_code_point(&text, &at);
		/* Some readers (Perfetto's) refuse surrogate pairs. */
		if (c == '"' || c == '\\' || (gt__is_hidden(c) && c < 0x10000))
			put_json_escape(out, c);
		else
			put_code_point(out, c);
	}
}

void gt__put_json(struct gt__out *out, struct gt_text text)
{
	gt__put_char(out, '"');
	gt__put_json_inner(out, text);
	gt__put_char(out, '"');
}

/* Hidden code points and those in `special` as \u{..}; returns the columns. */
static size_t put_visible(struct gt__out *out, struct gt_text text,
                          const char *special)
{
	size_t at = 0, columns = 0;

	while (at < text.count) {
		size_t run = plain_run(text, at, special);
		uint32_t c;

		gt__put_bytes(out, text.bytes + at, run);
		at += run;
		columns += run;
		if (at == text.count)
			break;
		c = gt__next_code_point(&text, &at);
		/* Of ASCII what ended the run is hidden or special. */
		if (c < 0x80 || gt__is_hidden(c)) {
			columns += put_braced(out, c);
		} else {
			put_code_point(out, c);
			columns += gt__columns_of(c);
		}
	}
	return columns;
}

size_t gt__put_terminal(struct gt__out *out, struct gt_text text)
{
	return put_visible(out, text, "");
}

size_t gt__terminal_columns(struct gt_text text)
{
	size_t at = 0, columns = 0;

	while (at < text.count) {
		uint32_t c = gt__next_code_point(&text, &at);

		columns += gt__is_hidden(c) ? hex_digits(c) + 4
		                            : gt__columns_of(c);
	}
	return columns;
}

void gt__put_logfmt(struct gt__out *out, struct gt_text text)
{
	size_t at;

	if (text.count && plain_run(text, 0, " =\"\\") == text.count) {
		gt__put_bytes(out, text.bytes, text.count);
		return;
	}
	gt__put_char(out, '"');
	for (at = 0; at < text.count;) {
		uint32_t c = gt__next_code_point(&text, &at);

		if (c == '"' || c == '\\')
			gt__put_char(out, '\\');
		if (gt__is_hidden(c))
			put_braced(out, c);
		else
			put_code_point(out, c);
	}
	gt__put_char(out, '"');
}

void gt__put_folded(struct gt__out *out, struct gt_text text)
{
	if (!put_visible(out, text, ";"))
		gt__put(out, "(unnamed)");
}

static bool is_blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 ||
	       c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

/*
 * A spreadsheet takes a cell that begins so for a formula, in quotes or not,
 * and some look on behind blanks; the wide forms where its language writes
 * them. One that begins with the mark is marked as well, so that it can be told
 * from a mark of ours.
 */
static bool is_formula(struct gt_text text)
{
	uint32_t c = ' ';
	size_t at = 0;

	if (text.count && text.bytes[0] == GT__CSV_MARK)
		return true;
	while (at < text.count && is_blank(c))
		c = gt__next_code_point(&text, &at);
	switch (c) {
	case '=':
	case '+':
	case '-':
	case '@':
	case 0xff0b: /* full width: + - = @ */
	case 0xff0d:
	case 0xff1d:
	case 0xff20:
		return true;
	default:
		return false;
	}
}

void gt__put_csv(struct gt__out *out, struct gt_text text)
{
	size_t from = out->used;

	if (is_formula(text))
		gt__put_char(out, GT__CSV_MARK);
	put_visible(out, text, "");
	gt__quote_csv(out, from);
}

void gt__quote_csv(struct gt__out *out, size_t from)
{
	size_t i, quotes = 0, to;

	for (i = from; i < out->used; i++)
		quotes += out->bytes[i] == '"';
	if (!gt__out_room(out, quotes + 2))
		return;
	i = out->used;
	to = out->used += quotes + 2;
	out->bytes[--to] = '"';
	while (i > from) {
		out->bytes[--to] = out->bytes[--i];
		if (out->bytes[i] == '"')
			out->bytes[--to] = '"';
	}
	out->bytes[from] = '"';
}

void gt__put_utf8(struct gt__out *out, struct gt_text text)
{
	size_t at = 0, run, from;

	while (at < text.count) {
		for (run = at; run < text.count; run++)
			if ((unsigned char)text.bytes[run] >= 0x80)
				break;
		gt__put_bytes(out, text.bytes + at, run - at);
		at = run;
		if (at == text.count)
			break;
		from = at;
		put_code_point(out, gt__next_code_point(&text, &from));
		at = from;
	}
}

/* SPDX-License-Identifier: MIT */
/* Whether bytes are a JSON text (RFC 8259), all of them, in valid UTF-8. */
#ifndef GT_FUZZ_STRICT_JSON_H
#define GT_FUZZ_STRICT_JSON_H

#include "host/decode/utf8.h"

#include <stdbool.h>
#include <string.h>

#define JSON_DEPTH_MAX 256u

struct strict_json {
	const char *at, *end;
};

static void json_blanks(struct strict_json *j)
{
	while (j->at < j->end && *j->at && strchr(" \t\r\n", *j->at))
		j->at++;
}

static bool json_is(struct strict_json *j, char what)
{
	if (j->at == j->end || *j->at != what)
		return false;
	j->at++;
	return true;
}

static bool json_digits(struct strict_json *j)
{
	const char *from = j->at;

	while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
		j->at++;
	return j->at > from;
}

static bool json_number(struct strict_json *j)
{
	json_is(j, '-');
	if (!json_is(j, '0') && !json_digits(j))
		return false;
	if (json_is(j, '.') && !json_digits(j))
		return false;
	if (json_is(j, 'e') || json_is(j, 'E')) {
		if (!json_is(j, '+'))
			json_is(j, '-');
		return json_digits(j);
	}
	return true;
}

static bool json_string(struct strict_json *j)
{
	if (!json_is(j, '"'))
		return false;
	while (j->at < j->end && *j->at != '"') {
		char c = *j->at++;

		if ((unsigned char)c < 0x20)
			return false;
		if (c != '\\')
			continue;
		if (j->at == j->end || !*j->at)
			return false;
		c = *j->at++;
		if (c == 'u') {
			for (int i = 0; i < 4; i++, j->at++)
				if (j->at == j->end || !*j->at ||
				    !strchr("0123456789abcdefABCDEF", *j->at))
					return false;
		} else if (!strchr("\"\\/bfnrt", c)) {
			return false;
		}
	}
	return json_is(j, '"');
}

static bool json_word(struct strict_json *j, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(j->end - j->at) < length ||
	    memcmp(j->at, word, length) != 0)
		return false;
	j->at += length;
	return true;
}

static bool json_scalar(struct strict_json *j)
{
	if (j->at < j->end && *j->at == '"')
		return json_string(j);
	return json_word(j, "true") || json_word(j, "false") ||
	       json_word(j, "null") || json_number(j);
}

static bool json_key(struct strict_json *j)
{
	json_blanks(j);
	if (!json_string(j))
		return false;
	json_blanks(j);
	return json_is(j, ':');
}

/* One value, whatever is in it. */
static bool json_value_is_good(struct strict_json *j)
{
	char stack[JSON_DEPTH_MAX];
	size_t depth = 0;

	for (;;) {
		json_blanks(j);
		if (j->at < j->end && (*j->at == '{' || *j->at == '[')) {
			if (depth == JSON_DEPTH_MAX)
				return false;
			stack[depth++] = *j->at == '{' ? '}' : ']';
			j->at++;
			json_blanks(j);
			if (!json_is(j, stack[depth - 1])) {
				if (stack[depth - 1] == '}' && !json_key(j))
					return false;
				continue;
			}
			depth--;
		} else if (!json_scalar(j)) {
			return false;
		}
		for (;;) {
			json_blanks(j);
			if (depth == 0)
				return true;
			if (json_is(j, ','))
				break;
			if (!json_is(j, stack[--depth]))
				return false;
		}
		if (stack[depth - 1] == '}' && !json_key(j))
			return false;
	}
}

/* One text, or with `lines` any number of them, each ended by a line feed. */
static bool is_strict_json(const void *bytes, size_t count, bool lines)
{
	struct strict_json j = {bytes, (const char *)bytes + count};

	if (!gt__utf8_is_valid(bytes, count))
		return false;
	while (lines && j.at < j.end) {
		struct strict_json line = {
			j.at, memchr(j.at, '\n', (size_t)(j.end - j.at))};

		if (!line.end || !json_value_is_good(&line) ||
		    line.at != line.end)
			return false;
		j.at = line.end + 1;
	}
	if (lines)
		return true;
	if (!json_value_is_good(&j))
		return false;
	json_blanks(&j);
	return j.at == j.end;
}

#endif

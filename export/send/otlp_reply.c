/* SPDX-License-Identifier: MIT */
/* Replies of an OTLP endpoint: status, Retry-After, partial success. */
#include "otlp_reply.h"
#include "protobuf_cursor.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum gt__otlp_verdict gt__otlp_verdict(long status)
{
	if (status >= 200 && status < 300)
		return GT__OTLP_TAKEN;
	switch (status) {
	case 413:
		return GT__OTLP_TOO_LARGE;
	case 400:
	case 415:
	case 422:
		return GT__OTLP_REFUSED;
	case 429:
	case 502:
	case 503:
	case 504:
		return GT__OTLP_TRY_AGAIN;
	default:
		return GT__OTLP_TURNED_AWAY;
	}
}

/* Seconds, or a date (RFC 9110, 10.2.3). */
bool gt__otlp_retry_after(const char *value, int64_t now_unix_s,
                          uint32_t *ret_ms)
{
	const int64_t max = GT__RETRY_AFTER_MAX_MS / 1000;
	int64_t seconds = 0;
	size_t digits = strspn(value, "0123456789"), i;
	time_t date;

	if (digits && !value[digits]) {
		for (i = 0; i < digits && seconds <= max; i++)
			seconds = seconds * 10 + (value[i] - '0');
	} else {
		date = curl_getdate(value, NULL);
		if (date < 0)
			return false;
		seconds = date > now_unix_s ? date - now_unix_s : 0;
	}
	*ret_ms = (uint32_t)(seconds < max ? seconds : max) * 1000;
	return true;
}

/* ---- Protobuf ------------------------------------------------------------ */

uint64_t gt__otlp_rejected_protobuf(const void *body, size_t count)
{
	struct gt__cursor all = {body, count, false},
			  partial = {body, 0, false};
	uint64_t rejected;

	gt__find_field(all, 1, &partial);
	rejected = gt__find_field(partial, 1, NULL);
	return rejected <= INT64_MAX ? rejected : 0;
}

static struct gt_text text_of(struct gt__cursor text)
{
	return (struct gt_text){(const char *)text.at, text.left};
}

struct gt_text gt__otlp_message_protobuf(const void *body, size_t count,
                                         bool taken)
{
	struct gt__cursor all = {body, count, false}, part = {body, 0, false};
	struct gt__cursor message = {body, 0, false};

	if (taken)
		gt__find_field(all, 1, &part);
	gt__find_field(taken ? part : all, 2, &message);
	return text_of(message);
}

/* ---- JSON ---------------------------------------------------------------- */

/*
 * A string without its quotes, escapes as they stand: a key that is looked for
 * needs none.
 */
static struct gt__cursor take_string(struct gt__cursor *c)
{
	struct gt__cursor text = {c->at, 0, false};

	while (c->left && *c->at != '"') {
		size_t step = *c->at == '\\' && c->left > 1 ? 2 : 1;

		c->at += step;
		c->left -= step;
		text.left += step;
	}
	if (!c->left) {
		c->bad = true;
		return text;
	}
	c->at++;
	c->left--;
	return text;
}

static bool is_word(struct gt__cursor text, const char *word, const char *other)
{
	return (text.left == strlen(word) &&
	        !memcmp(text.at, word, text.left)) ||
	       (text.left == strlen(other) &&
	        !memcmp(text.at, other, text.left));
}

static uint64_t number_of(struct gt__cursor text)
{
	char digits[40];
	size_t count = 0;
	double value;
	char *end;

	while (count < text.left && count < sizeof digits - 1 &&
	       strchr("0123456789+-.eE", text.at[count]))
		count++;
	memcpy(digits, text.at, count);
	digits[count] = '\0';
	if (strspn(digits, "0123456789") == count && count <= 18)
		return strtoull(digits, NULL, 10);
	value = strtod(digits, &end); /* 1e3 is a number of JSON as well */
	return !*end && value >= 0 && value < 1e18 ? (uint64_t)value : 0;
}

/* A key has a name in lowerCamelCase and may have the one of the .proto. */
struct key {
	const char *word, *other;
};

/*
 * The last value of `key` in the object `outer`, or at the top if that is NULL:
 * a string without its quotes, or from the first digit of a number on. One pass
 * without a tree: the depth, the last key at depth 1, whether the last key is
 * the one.
 */
static struct gt__cursor find_json(const void *body, size_t count,
                                   const struct key *outer, struct key key)
{
	const struct gt__cursor none = {body, 0, false};
	struct gt__cursor c = {body, count, false}, found = none;
	bool is_inside = !outer, is_value = false;
	size_t depth = 0;

	while (c.left && !c.bad) {
		unsigned char byte = *c.at++;
		struct gt__cursor text = {c.at - 1, c.left, false};

		c.left--;
		if (byte == '{' || byte == '[')
			depth++;
		if ((byte == '}' || byte == ']') && depth)
			depth--;
		if (byte == '"')
			text = take_string(&c);
		if (is_value && (byte == '"' || (byte >= '0' && byte <= '9')))
			found = text;
		if (byte == ':' || byte == ' ' || byte == '\t' ||
		    byte == '\n' || byte == '\r')
			continue;
		is_value = false;
		if (byte != '"')
			continue;
		if (outer && depth == 1)
			is_inside = is_word(text, outer->word, outer->other);
		if (depth == (outer ? 2 : 1) && is_inside)
			is_value = is_word(text, key.word, key.other);
	}
	return c.bad ? none : found;
}

static const struct key partial_success = {"partialSuccess", "partial_success"};

/* A number may stand in quotes (proto3's JSON). */
uint64_t gt__otlp_rejected_json(const struct gt__otlp_signal *signal,
                                const void *body, size_t count)
{
	return number_of(find_json(
		body, count, &partial_success,
		(struct key){signal->rejected, signal->rejected_other}));
}

struct gt_text gt__otlp_message_json(const void *body, size_t count, bool taken)
{
	if (!taken)
		return text_of(find_json(body, count, NULL,
		                         (struct key){"message", "message"}));
	return text_of(
		find_json(body, count, &partial_success,
	                  (struct key){"errorMessage", "error_message"}));
}

/* SPDX-License-Identifier: MIT */
/* Replies of an OTLP endpoint: status, Retry-After, partial success. */
#include "otlp_reply.h"
#include <curl/curl.h>
#include <string.h>

enum gt__otlp_verdict gt__otlp_verdict(long status)
{
	if (status >= 200 && status < 300)
		return GT__OTLP_TAKEN;
	if (status == 429 || status == 502 || status == 503 || status == 504)
		return GT__OTLP_TRY_AGAIN;
	return GT__OTLP_REFUSED;
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

struct cursor {
	const unsigned char *at;
	size_t left;
	bool bad;
};

static uint64_t take_varint(struct cursor *c)
{
	uint64_t value = 0;
	unsigned shift;

	for (shift = 0; shift < 64 && c->left; shift += 7) {
		unsigned char byte = *c->at++;

		c->left--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	c->bad = true;
	return 0;
}

static struct cursor take(struct cursor *c, uint64_t count)
{
	struct cursor part = {c->at, 0, false};

	if (c->left < count) {
		c->bad = true;
		return part;
	}
	part.left = (size_t)count;
	c->at += part.left;
	c->left -= part.left;
	return part;
}

/* The last varint `number`, or the last message `number` in *ret_message. */
static uint64_t find(struct cursor c, uint64_t number,
                     struct cursor *ret_message)
{
	uint64_t found = 0;

	while (c.left && !c.bad) {
		uint64_t tag = take_varint(&c), value = 0;
		struct cursor part = {c.at, 0, false};

		switch (tag & 7) {
		case 0:
			value = take_varint(&c);
			break;
		case 1:
			take(&c, 8);
			break;
		case 2:
			value = take_varint(&c);
			part = take(&c, value);
			break;
		case 5:
			take(&c, 4);
			break;
		default:
			c.bad = true;
		}
		if (c.bad || tag >> 3 != number)
			continue;
		if ((tag & 7) == 0)
			found = value;
		else if (ret_message)
			*ret_message = part;
	}
	return c.bad ? 0 : found;
}

uint64_t gt__otlp_rejected_protobuf(const void *body, size_t count)
{
	struct cursor all = {body, count, false}, partial = {body, 0, false};
	uint64_t rejected;

	find(all, 1, &partial);
	rejected = find(partial, 1, NULL);
	return rejected <= INT64_MAX ? rejected : 0;
}

/* ---- JSON ---------------------------------------------------------------- */

/*
 * A string without its quotes, escapes as they stand: a key that is looked for
 * needs none.
 */
static struct cursor take_string(struct cursor *c)
{
	struct cursor text = {c->at, 0, false};

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

static bool is_word(struct cursor text, const char *word, const char *other)
{
	return (text.left == strlen(word) &&
	        !memcmp(text.at, word, text.left)) ||
	       (text.left == strlen(other) &&
	        !memcmp(text.at, other, text.left));
}

static uint64_t number_of(struct cursor text)
{
	uint64_t value = 0;

	for (; text.left && *text.at >= '0' && *text.at <= '9';
	     text.at++, text.left--) {
		if (value > (uint64_t)INT64_MAX / 10 - 1)
			return 0;
		value = value * 10 + (uint64_t)(*text.at - '0');
	}
	return value;
}

/*
 * One pass without a tree: the depth, the last key at depth 1 and whether a key
 * at depth 2 is the one. A number may stand in quotes (proto3's JSON).
 */
uint64_t gt__otlp_rejected_json(const void *body, size_t count)
{
	struct cursor c = {body, count, false};
	bool in_partial = false, is_value = false;
	uint64_t rejected = 0;
	size_t depth = 0;

	while (c.left && !c.bad) {
		unsigned char byte = *c.at++;
		struct cursor text = {c.at - 1, c.left, false};

		c.left--;
		if (byte == '{' || byte == '[')
			depth++;
		if ((byte == '}' || byte == ']') && depth)
			depth--;
		if (byte == '"')
			text = take_string(&c);
		if (is_value && (byte == '"' || (byte >= '0' && byte <= '9')))
			rejected = number_of(text);
		if (byte == ':' || byte == ' ' || byte == '\t' ||
		    byte == '\n' || byte == '\r')
			continue;
		is_value = false;
		if (byte != '"')
			continue;
		if (depth == 1)
			in_partial = is_word(text, "partialSuccess",
			                     "partial_success");
		if (depth == 2 && in_partial)
			is_value = is_word(text, "rejectedSpans",
			                   "rejected_spans");
	}
	return c.bad ? 0 : rejected;
}

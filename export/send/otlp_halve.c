/* SPDX-License-Identifier: MIT */
/*
 * What is not a span is copied as it stands, so that no field is lost that is
 * not known here: resource, scope and schema URL go into both halves.
 */
#include "otlp_halve.h"
#include "gzip.h"
#include "protobuf_cursor.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of the spans, in their order, those of from <= number < to are copied. */
struct half {
	uint64_t from, to;
	uint64_t number; /* spans seen */
	unsigned char *bytes;
	size_t used;
};

static void copy(struct half *h, const void *bytes, size_t count)
{
	memcpy(h->bytes + h->used, bytes, count);
	h->used += count;
}

static bool take_span(struct half *h)
{
	uint64_t number = h->number++;

	return number >= h->from && number < h->to;
}

/* ---- Protobuf ------------------------------------------------------------ */

/* resource_spans, scope_spans, spans (trace_service.proto, trace.proto). */
static const uint64_t path[] = {1, 2, 2};
#define SPAN_DEPTH (sizeof path / sizeof *path - 1)

/*
 * The length of a message that gets shorter, in as many bytes as it had: a
 * varint may have more of them than it needs.
 */
static void put_length(unsigned char *at, size_t bytes, uint64_t length)
{
	size_t i;

	for (i = 0; i + 1 < bytes; i++, length >>= 7)
		at[i] = (unsigned char)(length | 0x80);
	at[i] = (unsigned char)length;
}

/* The fields of a message; false: it is none. Recursion ends at the spans. */
static bool copy_message(struct half *h, struct gt__cursor c, unsigned depth)
{
	while (c.left && !c.bad) {
		const unsigned char *field = c.at;
		uint64_t tag = gt__take_varint(&c), value;
		size_t tag_bytes = (size_t)(c.at - field), from = h->used;
		struct gt__cursor part = gt__take_value(&c, tag, &value);
		size_t head_bytes = (size_t)(part.at - field);
		bool is_step = tag == (path[depth] << 3 | 2);

		if (c.bad)
			return false;
		if (is_step && depth < SPAN_DEPTH) {
			copy(h, field, head_bytes);
			if (!copy_message(h, part, depth + 1))
				return false;
			put_length(h->bytes + from + tag_bytes,
			           head_bytes - tag_bytes,
			           h->used - from - head_bytes);
		} else if (!is_step || take_span(h)) {
			copy(h, field, (size_t)(c.at - field));
		}
	}
	return !c.bad;
}

/* ---- JSON ---------------------------------------------------------------- */

/* {"resourceSpans":[{"scopeSpans":[{"spans":[ */
#define SPANS_DEPTH 6u

/* Behind the string or the object that begins at `at`; NULL: it does not end.
 */
static const unsigned char *behind(const unsigned char *at,
                                   const unsigned char *end)
{
	size_t depth = 0;
	bool is_string = false;

	for (; at < end; at++) {
		if (is_string && *at == '\\')
			at++;
		else if (*at == '"')
			is_string = !is_string;
		else if (!is_string && (*at == '{' || *at == '['))
			depth++;
		else if (!is_string && (*at == '}' || *at == ']'))
			depth--;
		if (at < end && !is_string && depth == 0)
			return at + 1;
	}
	return NULL;
}

/* The objects of an array up to its end, with commas between those that stay.
 */
static const unsigned char *copy_spans(struct half *h, const unsigned char *at,
                                       const unsigned char *end)
{
	bool is_first = true;

	while (at && at < end && *at != ']') {
		const unsigned char *from = at;

		if (*at != '{') {
			at++; /* a comma, a blank */
			continue;
		}
		at = behind(from, end);
		if (!at || !take_span(h))
			continue;
		if (!is_first)
			copy(h, ",", 1);
		copy(h, from, (size_t)(at - from));
		is_first = false;
	}
	return at;
}

static bool copy_json(struct half *h, const unsigned char *at,
                      const unsigned char *end)
{
	static const char key[] = "\"spans\":[";
	const size_t key_bytes = sizeof key - 1;
	size_t depth = 0;

	while (at && at < end) {
		const unsigned char *from = at;

		if (depth == SPANS_DEPTH - 1 &&
		    (size_t)(end - at) > key_bytes &&
		    memcmp(at, key, key_bytes) == 0) {
			copy(h, at, key_bytes);
			depth++;
			at = copy_spans(h, at + key_bytes, end);
			continue;
		}
		depth += *at == '{' || *at == '[';
		depth -= *at == '}' || *at == ']';
		at = *at == '"' ? behind(at, end) : at + 1;
		if (at)
			copy(h, from, (size_t)(at - from));
	}
	return at && depth == 0;
}

/* ---- Both ---------------------------------------------------------------- */

static bool copy_half(struct half *h, const struct gt__otlp_request *request)
{
	struct gt__cursor all = {request->bytes, request->count, false};

	h->used = 0;
	h->number = 0;
	return request->json ? copy_json(h, request->bytes,
	                                 request->bytes + request->count)
	                     : copy_message(h, all, 0);
}

static int make_half(const struct gt__otlp_request *request, uint64_t from,
                     uint64_t to, struct gt__otlp_request **ret_half)
{
	struct gt__otlp_request *half = malloc(sizeof *half + request->count);
	struct half h = {.from = from, .to = to};

	if (!half)
		return -ENOMEM;
	h.bytes = half->bytes;
	if (!copy_half(&h, request) || h.number != request->spans) {
		free(half);
		return -EBADMSG;
	}
	*half = (struct gt__otlp_request){
		.spans = to - from,
		.json = request->json,
		.count = h.used,
	};
	*ret_half = half;
	return 0;
}

int gt__otlp_halve(const struct gt__otlp_request *request,
                   struct gt__otlp_request *ret_halves[2])
{
	struct gt__otlp_request *plain = NULL, *first = NULL, *second = NULL;
	uint64_t middle = request->spans / 2;
	int rc = 0;

	if (request->spans < 2)
		return -ERANGE;
	if (request->gzip)
		rc = gt__gunzip(request, &plain);
	if (plain)
		request = plain;
	if (!rc)
		rc = make_half(request, 0, middle, &first);
	if (!rc)
		rc = make_half(request, middle, request->spans, &second);
	free(plain);
	if (rc) {
		free(first);
		return rc;
	}
	ret_halves[0] = first;
	ret_halves[1] = second;
	return 0;
}

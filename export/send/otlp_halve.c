/* SPDX-License-Identifier: MIT */
/*
 * What is no item (span, data point, log record) is copied as it stands, so
 * that no field is lost that is not known here: resource, scope and schema URL
 * go into both halves.
 */
#include "otlp_halve.h"
#include "gzip.h"
#include "otlp_signals.h"
#include "protobuf_cursor.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of the items, in their order, those of from <= number < to are copied. */
struct half {
	enum gt_otlp_signal signal;
	uint64_t from, to;
	uint64_t number; /* items seen */
	uint64_t taken;
	unsigned char *bytes;
	size_t used;
};

static void copy(struct half *h, const void *bytes, size_t count)
{
	memcpy(h->bytes + h->used, bytes, count);
	h->used += count;
}

static bool take_item(struct half *h)
{
	uint64_t number = h->number++;
	bool takes = number >= h->from && number < h->to;

	h->taken += takes;
	return takes;
}

/* ---- Protobuf ------------------------------------------------------------ */

/*
 * Down to the items, 1 << the numbers of the fields: resource_spans,
 * scope_spans, spans (trace_service.proto, trace.proto), likewise of logs;
 * resource_metrics, scope_metrics, metrics, gauge, sum or one of the
 * histograms, data_points (metrics.proto).
 */
static const struct {
	uint32_t steps[5];
	unsigned last;
} paths[] = {
	[GT_OTLP_TRACES] = {{1 << 1, 1 << 2, 1 << 2}, 2},
	[GT_OTLP_METRICS] = {{1 << 1, 1 << 2, 1 << 2,
                              1 << 5 | 1 << 7 | 1 << 9 | 1 << 10, 1 << 1},
                             4},
	[GT_OTLP_LOGS] = {{1 << 1, 1 << 2, 1 << 2}, 2},
};

#define METRIC_DEPTH 2u

static bool is_step(const struct half *h, uint64_t tag, unsigned depth)
{
	return (tag & 7) == 2 && tag >> 3 < 32 &&
	       paths[h->signal].steps[depth] >> (tag >> 3) & 1;
}

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

/*
 * The fields of a message; false: it is none. Recursion ends at the items. A
 * metric of which no data point stays goes as well.
 */
static bool copy_message(struct half *h, struct gt__cursor c, unsigned depth)
{
	while (c.left && !c.bad) {
		const unsigned char *field = c.at;
		uint64_t tag = gt__take_varint(&c), value;
		size_t tag_bytes = (size_t)(c.at - field), from = h->used;
		struct gt__cursor part = gt__take_value(&c, tag, &value);
		size_t head_bytes = (size_t)(part.at - field);
		bool steps = is_step(h, tag, depth);
		uint64_t taken = h->taken;

		if (c.bad)
			return false;
		if (steps && depth < paths[h->signal].last) {
			copy(h, field, head_bytes);
			if (!copy_message(h, part, depth + 1))
				return false;
			put_length(h->bytes + from + tag_bytes,
			           head_bytes - tag_bytes,
			           h->used - from - head_bytes);
			if (depth >= METRIC_DEPTH && h->taken == taken)
				h->used = from;
		} else if (!steps || take_item(h)) {
			copy(h, field, (size_t)(c.at - field));
		}
	}
	return !c.bad;
}

/* ---- JSON ---------------------------------------------------------------- */

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
static const unsigned char *copy_items(struct half *h, const unsigned char *at,
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
		if (!at || !take_item(h))
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
	const struct gt__otlp_signal *signal = gt__otlp_signal(h->signal);
	const size_t key_bytes = strlen(signal->items);
	size_t depth = 0;

	while (at && at < end) {
		const unsigned char *from = at;

		if (depth == signal->items_depth &&
		    (size_t)(end - at) > key_bytes &&
		    memcmp(at, signal->items, key_bytes) == 0) {
			copy(h, at, key_bytes);
			depth++;
			at = copy_items(h, at + key_bytes, end);
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
	h->number = h->taken = 0;
	h->signal = request->signal;
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
		.signal = request->signal,
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

/* SPDX-License-Identifier: MIT */
/*
 * gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md): a message in a frame each way,
 * the status in the trailers, or in the head where there is no message.
 */
#include "otlp_grpc.h"
#include "otlp_exchange.h"
#include "protobuf_cursor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FRAME_BYTES 5u /* whether it is compressed, and its length */

/* ---- The request --------------------------------------------------------- */

static void make_frame(const struct gt__otlp_request *request,
                       unsigned char frame[FRAME_BYTES])
{
	frame[0] = request->gzip;
	frame[1] = (unsigned char)(request->count >> 24);
	frame[2] = (unsigned char)(request->count >> 16);
	frame[3] = (unsigned char)(request->count >> 8);
	frame[4] = (unsigned char)request->count;
}

/* What libcurl sends next, of the frame and the body behind it. */
static size_t give(char *to, size_t size, size_t count, void *context)
{
	struct gt__otlp_exchange *x = context;
	const struct gt__otlp_request *request = x->request;
	unsigned char frame[FRAME_BYTES];
	const unsigned char *from = frame;
	size_t room = size * count, at = x->sent_bytes, left;

	make_frame(request, frame);
	if (at < FRAME_BYTES) {
		from += at;
		left = FRAME_BYTES - at;
	} else {
		from = request->bytes + (at - FRAME_BYTES);
		left = FRAME_BYTES + request->count - at;
	}
	if (left > room)
		left = room;
	memcpy(to, from, left);
	x->sent_bytes += left;
	return left;
}

/* Where a connection was lost libcurl sends all once more. */
static int rewind_to(void *context, curl_off_t offset, int origin)
{
	struct gt__otlp_exchange *x = context;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_CANTSEEK;
	x->sent_bytes = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

void gt__otlp_frame_grpc(struct gt__otlp_exchange *x)
{
	x->sent_bytes = 0;
	curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, rewind_to);
	curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
	                 (curl_off_t)(x->request->count + FRAME_BYTES));
}

/* ---- Status -------------------------------------------------------------- */

static const char *const names[] = {
	"OK",
	"CANCELLED",
	"UNKNOWN",
	"INVALID_ARGUMENT",
	"DEADLINE_EXCEEDED",
	"NOT_FOUND",
	"ALREADY_EXISTS",
	"PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION",
	"ABORTED",
	"OUT_OF_RANGE",
	"UNIMPLEMENTED",
	"INTERNAL",
	"UNAVAILABLE",
	"DATA_LOSS",
	"UNAUTHENTICATED",
};

const char *gt__otlp_grpc_name(unsigned long status)
{
	return status < sizeof names / sizeof *names ? names[status] : "";
}

/* What receivers say whose limit a message exceeds (4 MiB by default). */
static bool is_too_large(struct gt_text message)
{
	return memmem(message.bytes, message.count, "larger than max", 15) ||
	       memmem(message.bytes, message.count, "too large", 9);
}

enum gt__otlp_verdict gt__otlp_grpc_verdict(unsigned long status,
                                            struct gt_text message,
                                            bool has_retry_info)
{
	switch (status) {
	case 0:
		return GT__OTLP_TAKEN;
	case 3: /* INVALID_ARGUMENT */
		return GT__OTLP_REFUSED;
	case 1:  /* CANCELLED */
	case 4:  /* DEADLINE_EXCEEDED */
	case 10: /* ABORTED */
	case 11: /* OUT_OF_RANGE */
	case 14: /* UNAVAILABLE */
	case 15: /* DATA_LOSS */
		return GT__OTLP_TRY_AGAIN;
	case 8: /* RESOURCE_EXHAUSTED: for a while, or ever for so much */
		if (has_retry_info)
			return GT__OTLP_TRY_AGAIN;
		return is_too_large(message) ? GT__OTLP_TOO_LARGE
		                             : GT__OTLP_TURNED_AWAY;
	default:
		return GT__OTLP_TURNED_AWAY;
	}
}

/* ---- RetryInfo ----------------------------------------------------------- */

static int digit_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
				     "pqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* As far as it is base64, which may lack its padding. */
static size_t decode(const char *text, unsigned char *to, size_t room)
{
	unsigned bits = 0, held = 0;
	size_t count = 0;
	int digit;

	for (; count < room && (digit = digit_of(*text)) >= 0; text++) {
		bits = bits << 6 | (unsigned)digit;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		to[count++] = (unsigned char)(bits >> held);
	}
	return count;
}

/* Of a google.protobuf.Duration. */
static uint32_t ms_of(struct gt__cursor duration)
{
	uint64_t seconds = gt__find_field(duration, 1, NULL);
	uint64_t nanos = gt__find_field(duration, 2, NULL);

	/* And negative ones. */
	if (seconds >= GT__RETRY_AFTER_MAX_MS / 1000)
		return seconds > INT64_MAX ? 0 : GT__RETRY_AFTER_MAX_MS;
	return (uint32_t)(seconds * 1000 +
	                  (nanos < 1000000000 ? nanos / 1000000 : 0));
}

/* Of a google.protobuf.Any that holds one. */
static bool read_any(struct gt__cursor any, uint32_t *ret_ms)
{
	static const char type[] = "google.rpc.RetryInfo";
	const size_t bytes = sizeof type - 1;
	struct gt__cursor url = {any.at, 0, false}, value = url, delay = url;

	gt__find_field(any, 1, &url);
	gt__find_field(any, 2, &value);
	if (url.left < bytes ||
	    memcmp(url.at + url.left - bytes, type, bytes) != 0)
		return false;
	gt__find_field(value, 1, &delay);
	*ret_ms = ms_of(delay);
	return true;
}

bool gt__otlp_grpc_retry(const char *details, uint32_t *ret_ms)
{
	unsigned char bytes[1024];
	struct gt__cursor c = {bytes, decode(details, bytes, sizeof bytes),
	                       false};

	while (c.left && !c.bad) {
		uint64_t tag = gt__take_varint(&c), value;
		struct gt__cursor part = gt__take_value(&c, tag, &value);

		if (!c.bad && tag == (3 << 3 | 2) && read_any(part, ret_ms))
			return true;
	}
	return false;
}

/* ---- The reply ----------------------------------------------------------- */

/* Of the trailers, or of a head that has all; NULL. */
static const char *header(const struct gt__otlp_exchange *x, const char *name)
{
	struct curl_header *found;

	return curl_easy_header(x->easy, name, 0, CURLH_TRAILER | CURLH_HEADER,
	                        -1, &found) == CURLHE_OK
	               ? found->value
	               : NULL;
}

/* The message in the frame; empty where there is none that can be read. */
static struct gt_text message_in(const struct gt__otlp_exchange *x)
{
	const unsigned char *frame = (const unsigned char *)x->body;
	size_t count;

	if (x->body_bytes < FRAME_BYTES || frame[0])
		return (struct gt_text){x->body, 0};
	count = (size_t)frame[1] << 24 | (size_t)frame[2] << 16 |
	        (size_t)frame[3] << 8 | frame[4];
	if (count > x->body_bytes - FRAME_BYTES)
		count = 0;
	return (struct gt_text){x->body + FRAME_BYTES, count};
}

static void judge_taken(const struct gt__otlp_exchange *x,
                        struct gt__otlp_result *result)
{
	struct gt_text body = message_in(x);
	struct gt_text words =
		gt__otlp_message_protobuf(body.bytes, body.count, true);

	result->rejected_spans =
		gt__otlp_rejected_protobuf(body.bytes, body.count);
	if (words.count || result->rejected_spans)
		snprintf(result->error, sizeof result->error, "gRPC: %.*s",
		         (int)(words.count < 120 ? words.count : 120),
		         words.bytes);
}

void gt__otlp_judge_grpc(struct gt__otlp_exchange *x,
                         struct gt__otlp_result *result)
{
	const char *status = header(x, "grpc-status");
	const char *words = header(x, "grpc-message");
	const char *details = header(x, "grpc-status-details-bin");
	unsigned long code = status ? strtoul(status, NULL, 10) : 0;
	struct gt_text message = {words ? words : "",
	                          words ? strlen(words) : 0};

	result->answered = true;
	if (!status) {
		result->verdict = GT__OTLP_TURNED_AWAY;
		snprintf(result->error, sizeof result->error,
		         "HTTP 200 without a grpc-status (is this a gRPC "
		         "port? It is 4317)");
		return;
	}
	result->has_retry_after =
		details &&
		gt__otlp_grpc_retry(details, &result->retry_after_ms);
	result->verdict =
		gt__otlp_grpc_verdict(code, message, result->has_retry_after);
	if (result->verdict == GT__OTLP_TAKEN)
		judge_taken(x, result);
	else
		snprintf(result->error, sizeof result->error,
		         "gRPC %lu %s%s%.110s", code, gt__otlp_grpc_name(code),
		         *message.bytes ? ": " : "", message.bytes);
}

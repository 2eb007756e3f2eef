/* SPDX-License-Identifier: MIT */
/* What the replies of an OTLP endpoint mean, hostile ones too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "export/send/otlp_grpc.h"
#include "export/send/otlp_halve.h"
#include "export/send/otlp_reply.h"

#define NOW_S INT64_C(1795420800) /* Sun, 23 Nov 2026 08:00:00 GMT */

/* OTLP 1.11, "Retryable Response Codes"; RFC 9110, 15.5 and 15.6. */
static void a_status_tells_of_the_request_or_of_the_endpoint(void **state)
{
	(void)state;
	for (long status = 100; status < 1000; status++) {
		enum gt__otlp_verdict want = GT__OTLP_TURNED_AWAY;

		if (status / 100 == 2)
			want = GT__OTLP_TAKEN;
		if (status == 429 || status == 502 || status == 503 ||
		    status == 504)
			want = GT__OTLP_TRY_AGAIN;
		if (status == 400 || status == 415 || status == 422)
			want = GT__OTLP_REFUSED;
		if (status == 413)
			want = GT__OTLP_TOO_LARGE;
		assert_int_equal(gt__otlp_verdict(status), want);
	}
}

/* ---- Retry-After --------------------------------------------------------- */

static int64_t wait_ms(const char *value)
{
	uint32_t ms;

	return gt__otlp_retry_after(value, NOW_S, &ms) ? (int64_t)ms : -1;
}

static void retry_after_is_seconds_or_a_date(void **state)
{
	(void)state;
	assert_int_equal(wait_ms("0"), 0);
	assert_int_equal(wait_ms("120"), 120000);
	assert_int_equal(wait_ms("Mon, 23 Nov 2026 08:00:30 GMT"), 30000);
	assert_int_equal(wait_ms("Monday, 23-Nov-26 08:00:30 GMT"), 30000);
	assert_int_equal(wait_ms("Mon Nov 23 08:00:30 2026"), 30000);
	assert_int_equal(wait_ms("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
}

static void retry_after_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(wait_ms("3600"), GT__RETRY_AFTER_MAX_MS);
	assert_int_equal(wait_ms("3601"), GT__RETRY_AFTER_MAX_MS);
	assert_int_equal(wait_ms("4294967296"), GT__RETRY_AFTER_MAX_MS);
	assert_int_equal(wait_ms("99999999999999999999999999999999"),
	                 GT__RETRY_AFTER_MAX_MS);
	assert_int_equal(wait_ms("Fri, 31 Dec 2400 23:59:59 GMT"),
	                 GT__RETRY_AFTER_MAX_MS);
}

static void what_is_no_retry_after_is_none(void **state)
{
	(void)state;
	assert_int_equal(wait_ms(""), -1);
	assert_int_equal(wait_ms("-1"), -1);
	assert_int_equal(wait_ms("soon"), -1);
	assert_int_equal(wait_ms("1.5 s"), -1);
}

/* ---- Partial success ----------------------------------------------------- */

static uint64_t json(const char *text)
{
	return gt__otlp_rejected_json(gt__otlp_signal(GT_OTLP_TRACES), text,
	                              strlen(text));
}

static void rejected_spans_are_read_from_json(void **state)
{
	(void)state;
	assert_int_equal(json("{\"partialSuccess\":{\"rejectedSpans\":\"7\"}}"),
	                 7);
	assert_int_equal(json("{\"partialSuccess\":{\"rejectedSpans\":12}}"),
	                 12);
	assert_int_equal(json(" {\n\"partial_success\" : {\"errorMessage\" : "
	                      "\"a \\\"b\\\" {\", \"rejected_spans\" : 3 } } "),
	                 3);
	assert_int_equal(json("{\"x\":{\"rejectedSpans\":1},\"partialSuccess\":"
	                      "{\"rejectedSpans\":2},\"y\":{\"rejectedSpans\":"
	                      "3}}"),
	                 2);
	assert_int_equal(json("{\"partialSuccess\":{\"errorMessage\":"
	                      "\"rejectedSpans\"}}"),
	                 0);
}

static void each_signal_has_its_own_key(void **state)
{
	static const char *const keys[] = {
		"rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"};
	unsigned signal, key;

	(void)state;
	for (signal = 0; signal < 3; signal++)
		for (key = 0; key < 3; key++) {
			char text[80];

			snprintf(text, sizeof text,
			         "{\"partialSuccess\":{\"%s\":\"4\"}}",
			         keys[key]);
			assert_int_equal(
				gt__otlp_rejected_json(
					gt__otlp_signal(
						(enum gt_otlp_signal)signal),
					text, strlen(text)),
				signal == key ? 4 : 0);
		}
}

static void numbers_may_have_an_exponent(void **state)
{
	(void)state;
	assert_int_equal(json("{\"partialSuccess\":{\"rejectedSpans\":1e1}}"),
	                 10);
	assert_int_equal(
		json("{\"partialSuccess\":{\"rejectedSpans\":\"2.5E+3\"}}"),
		2500);
	assert_int_equal(json("{\"partialSuccess\":{\"rejectedSpans\":1e99}}"),
	                 0);
}

static bool says(struct gt_text message, const char *words)
{
	return message.count == strlen(words) &&
	       !memcmp(message.bytes, words, message.count);
}

static void the_words_of_the_endpoint_are_found(void **state)
{
	static const char partial[] =
		"{\"partialSuccess\":{\"rejectedSpans\":7,"
		"\"errorMessage\":\"too \\\"big\\\"\"}}";
	static const char bad[] = "{\"code\":3,\"message\":\"no tenant\","
				  "\"details\":[{\"message\":\"x\"}]}";
	static const char in_protobuf[] = "\x0a\x06\x12\x04"
					  "some";
	static const char status[] = "\x08\x03\x12\x02no";

	(void)state;
	assert_true(says(gt__otlp_message_json(partial, strlen(partial), true),
	                 "too \\\"big\\\""));
	assert_true(says(gt__otlp_message_json(bad, strlen(bad), false),
	                 "no tenant"));
	assert_true(says(gt__otlp_message_json(bad, strlen(bad), true), ""));
	assert_true(says(gt__otlp_message_protobuf(
				 in_protobuf, sizeof in_protobuf - 1, true),
	                 "some"));
	assert_true(says(
		gt__otlp_message_protobuf(status, sizeof status - 1, false),
		"no"));
	assert_true(says(gt__otlp_message_protobuf("no", 2, false), ""));
}

static void what_rejects_nothing_is_0(void **state)
{
	(void)state;
	assert_int_equal(json(""), 0);
	assert_int_equal(json("{}"), 0);
	assert_int_equal(json("<html>"), 0);
	assert_int_equal(json("{\"partialSuccess\":{\"rejectedSpans\":-5}}"),
	                 0);
	assert_int_equal(
		json("{\"partialSuccess\":{\"rejectedSpans\":\"-5\"}}"), 0);
	assert_int_equal(json("{\"partialSuccess\":{\"rejectedSpans\":"
	                      "99999999999999999999999}}"),
	                 0);
	assert_int_equal(json("{\"partialSuccess\":{\"rejectedSpans\":\"7"), 0);
	assert_int_equal(gt__otlp_rejected_protobuf("", 0), 0);
	assert_int_equal(gt__otlp_rejected_protobuf("\x0a\x00", 2), 0);
	assert_int_equal(gt__otlp_rejected_protobuf("\x0a\x05\x08\x07", 4), 0);
	/* -1 takes ten bytes. */
	assert_int_equal(gt__otlp_rejected_protobuf("\x0a\x0b\x08\xff\xff\xff"
	                                            "\xff\xff\xff\xff\xff\xff"
	                                            "\x01",
	                                            13),
	                 0);
}

static void rejected_spans_are_read_from_protobuf(void **state)
{
	static const char message[] = "\x0a\x09\x12\x04"
				      "some"
				      "\x08\xac\x02"; /* 300 */
	static const char unknown[] = "\x79"
				      "12345678" /* field 15, fixed64 */
				      "\x0a\x02\x08\x07"
				      "\x12\x01z";

	(void)state;
	assert_int_equal(
		gt__otlp_rejected_protobuf(message, sizeof(message) - 1), 300);
	assert_int_equal(
		gt__otlp_rejected_protobuf(unknown, sizeof(unknown) - 1), 7);
}

/* Threat F6. */
/* Each a copy of its own length, so that a sanitizer sees a step too far. */
static void any_bytes_are_safe(void **state)
{
	static const char letters[] =
		"{}[]\":\\ ,7-partialSuccess\x0a\x08\x12\xff\x80";
	uint32_t random = 7;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		size_t count = i % 24;
		char *bytes = malloc(count + !count);

		assert_non_null(bytes);
		for (size_t j = 0; j < count; j++) {
			random = random * 1664525 + 1013904223;
			bytes[j] =
				letters[(random >> 16) % (sizeof letters - 1)];
		}
		assert_true(
			gt__otlp_rejected_json(gt__otlp_signal(GT_OTLP_TRACES),
		                               bytes, count) <= INT64_MAX);
		says(gt__otlp_message_json(bytes, count, i & 32), "");
		says(gt__otlp_message_protobuf(bytes, count, i & 32), "");
		assert_true(gt__otlp_rejected_protobuf(bytes, count) <=
		            INT64_MAX);
		free(bytes);
	}
}

/* ---- gRPC ---------------------------------------------------------------- */

/* OTLP 1.11, "Failures": the table of retryable codes. */
static void
a_status_of_grpc_tells_of_the_request_or_of_the_endpoint(void **state)
{
	static const char large[] =
		"grpc: received message larger than max (5 vs. 4)";
	const struct gt_text none = {"", 0}, words = {large, sizeof(large) - 1};

	(void)state;
	for (unsigned long status = 0; status < 40; status++) {
		enum gt__otlp_verdict want = GT__OTLP_TURNED_AWAY;

		if (status == 0)
			want = GT__OTLP_TAKEN;
		if (status == 1 || status == 4 || status == 10 ||
		    status == 11 || status == 14 || status == 15)
			want = GT__OTLP_TRY_AGAIN;
		if (status == 3)
			want = GT__OTLP_REFUSED;
		assert_int_equal(gt__otlp_grpc_verdict(status, none, false),
		                 want);
	}
	assert_int_equal(gt__otlp_grpc_verdict(8, none, true),
	                 GT__OTLP_TRY_AGAIN);
	assert_int_equal(gt__otlp_grpc_verdict(8, words, false),
	                 GT__OTLP_TOO_LARGE);
}

/* Made by Python's base64 of a google.rpc.Status: code 14, one Any of type
 * type.googleapis.com/google.rpc.RetryInfo, a Duration of 1.2 s. */
static void retry_info_is_found(void **state)
{
	uint32_t ms = 0;

	(void)state;
	assert_true(gt__otlp_grpc_retry(
		"CA4aNQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5m"
		"bxIJCgcIARCAhK9f",
		&ms));
	assert_int_equal(ms, 1200);
	/* A Duration of 3600.999999999 s: no more than there is at most. */
	assert_true(gt__otlp_grpc_retry(
		"GjcKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8S"
		"CwoJCJAcEP+T69wD",
		&ms));
	assert_int_equal(ms, GT__RETRY_AFTER_MAX_MS);
	assert_false(gt__otlp_grpc_retry("", &ms));
	assert_false(gt__otlp_grpc_retry("CA4=", &ms));
	assert_false(gt__otlp_grpc_retry("!!!", &ms));
}

static uint32_t next(uint32_t *random)
{
	return (*random = *random * 1664525 + 1013904223) >> 16;
}

/* Bodies of a spool that somebody has written, headers of an endpoint. */
static void any_bytes_can_be_halved_and_decoded(void **state)
{
	static const char letters[] = "{}[]\",:\\spans\x0a\x12\x04\x80\xff\x02";
	uint32_t random = 1;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		size_t count = i % 48;
		struct gt__otlp_request *halves[2],
			*request = malloc(sizeof(*request) + count);
		char text[32];
		uint32_t ms;

		assert_non_null(request);
		*request = (struct gt__otlp_request){.spans = 2,
		                                     .json = i & 1,
		                                     .gzip = i % 5 == 0,
		                                     .count = count};
		for (size_t j = 0; j < count; j++)
			request->bytes[j] = (unsigned char)
				letters[next(&random) % (sizeof(letters) - 1)];
		if (gt__otlp_halve(request, halves) == 0) {
			assert_true(halves[0]->count <= count);
			free(halves[0]);
			free(halves[1]);
		}
		for (size_t j = 0; j < sizeof(text) - 1; j++)
			text[j] = (char)('A' + next(&random) % 58);
		text[sizeof(text) - 1] = '\0';
		gt__otlp_grpc_retry(text, &ms);
		free(request);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_status_tells_of_the_request_or_of_the_endpoint),
		cmocka_unit_test(retry_after_is_seconds_or_a_date),
		cmocka_unit_test(retry_after_has_a_limit),
		cmocka_unit_test(what_is_no_retry_after_is_none),
		cmocka_unit_test(rejected_spans_are_read_from_json),
		cmocka_unit_test(each_signal_has_its_own_key),
		cmocka_unit_test(numbers_may_have_an_exponent),
		cmocka_unit_test(the_words_of_the_endpoint_are_found),
		cmocka_unit_test(what_rejects_nothing_is_0),
		cmocka_unit_test(rejected_spans_are_read_from_protobuf),
		cmocka_unit_test(any_bytes_are_safe),
		cmocka_unit_test(
			a_status_of_grpc_tells_of_the_request_or_of_the_endpoint),
		cmocka_unit_test(retry_info_is_found),
		cmocka_unit_test(any_bytes_can_be_halved_and_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Replies of endpoints that are odd or wrong, byte by byte as they come, each
 * with what becomes of the request: by RFC 9110 and 9112, RFC 9113 for gRPC,
 * and OTLP 1.11, "OTLP/HTTP Response" and "Failures" (threat F6). A reply that
 * is none is nobody's fault for ever: the request is tried again.
 */
#include "tests/support/canned_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN     GT__OTLP_TAKEN
#define REFUSED   GT__OTLP_REFUSED
#define TOO_LARGE GT__OTLP_TOO_LARGE
#define AGAIN     GT__OTLP_TRY_AGAIN
#define AWAY      GT__OTLP_TURNED_AWAY

#define HTTP  GT_OTLP_HTTP_PROTOBUF
#define GRPC  GT_OTLP_GRPC
#define OK    "HTTP/1.1 200 OK\r\n"
#define JSON  "Content-Type: application/json\r\n"
#define PROTO "Content-Type: application/x-protobuf\r\n"
#define TEXT  "Content-Type: text/plain; charset=utf-8\r\n"
#define END   "\r\n"

/* Frames of HTTP/2: three bytes of length, type, flags, stream. */
#define SETTINGS   "\0\0\0\4\0\0\0\0\0"
#define TRAILER_1  "\1\5\0\0\0\1"
/* HPACK: `:status: 200`, and fields that are in no table. */
#define STATUS_200 "\x88"
#define STATUS_503 \
	"\x08\x03" \
	"503"
#define TYPE           \
	"\0\x0c"       \
	"content-type" \
	"\x10"         \
	"application/grpc"
#define STATUS(n)     \
	"\0\x0b"      \
	"grpc-status" \
	"\1" n
#define STATUS2(n)    \
	"\0\x0b"      \
	"grpc-status" \
	"\2" n
#define MESSAGE_40     \
	"\0\x0c"       \
	"grpc-message" \
	"\x26"         \
	"received message larger than max (5>4)"

/* clang-format off */
static const struct row {
	const char *name;
	enum gt_otlp_protocol protocol;
	const char *reply;
	size_t count;
	enum gt__otlp_verdict verdict;
	uint64_t rejected;
	int64_t retry_ms; /* -1: the endpoint does not say */
	const char *says; /* part of the error; NULL: there is none */
} rows[] = {
#define R(name, protocol, reply, ...) \
	{name, protocol, reply, sizeof(reply) - 1, __VA_ARGS__}
	/* Nothing that is a reply. */
	R("nothing_at_all", HTTP, "", AGAIN, 0, -1, ""),
	R("bytes_that_are_no_http", HTTP, "\x15\x03\x01\x00\x02\x02\x28", AGAIN, 0, -1, ""),
	R("a_banner_of_ssh", HTTP, "SSH-2.0-OpenSSH_9.2\r\n", AGAIN, 0, -1, "is this the gRPC port?"),
	R("settings_of_http_2", HTTP, SETTINGS, AGAIN, 0, -1, "is this the gRPC port?"),
	R("a_status_line_that_is_cut", HTTP, "HTTP/1.1 2", AGAIN, 0, -1, ""),
	R("a_status_that_is_no_number", HTTP, "HTTP/1.1 abc OK\r\n\r\n", AGAIN, 0, -1, ""),
	R("a_version_that_is_none", HTTP, "HTTP/9.9 200 OK\r\n\r\n", AGAIN, 0, -1, ""),
	R("headers_that_do_not_end", HTTP, OK "Content-Length: 5\r\n", AGAIN, 0, -1, ""),
	R("a_100_and_no_more", HTTP, "HTTP/1.1 100 Continue\r\n\r\n", AGAIN, 0, -1, ""),
	/* Bodies that are not as long as they say. */
	R("a_body_shorter_than_its_length", HTTP, OK PROTO "Content-Length: 50\r\n\r\nshort", AGAIN, 0, -1, ""),
	R("a_body_longer_than_its_length", HTTP, OK JSON "Content-Length: 2\r\n\r\n{}{\"partialSuccess\":{\"rejectedSpans\":9}}", TAKEN, 0, -1, NULL),
	R("a_length_that_is_negative", HTTP, OK "Content-Length: -1\r\n\r\n", AGAIN, 0, -1, ""),
	/* libcurl takes that for a body up to the end; what counts is the 200. */
	R("a_length_of_all_ones", HTTP, OK "Content-Length: 18446744073709551615\r\n\r\nx", TAKEN, 0, -1, NULL),
	R("a_chunk_that_is_cut", HTTP, OK "Transfer-Encoding: chunked\r\n\r\n50\r\nshort", AGAIN, 0, -1, ""),
	R("a_chunk_whose_size_is_no_number", HTTP, OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", AGAIN, 0, -1, ""),
	R("chunks_without_the_last_one", HTTP, OK "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", AGAIN, 0, -1, ""),
	R("a_body_in_chunks", HTTP, OK JSON "Transfer-Encoding: chunked\r\n\r\n14\r\n{\"partialSuccess\":{\"\r\n14\r\nrejectedSpans\":\"3\"}}\r\n0\r\n\r\n", TAKEN, 3, -1, "HTTP 200"),
	/* Bodies that say nothing, or lie. */
	R("a_body_that_is_no_protobuf", HTTP, OK PROTO END "\xff\xff\xff\xff", TAKEN, 0, -1, NULL),
	R("a_message_longer_than_the_body", HTTP, OK PROTO END "\x0a\x7f\x08\x05", TAKEN, 0, -1, NULL),
	R("a_negative_number_of_spans", HTTP, OK PROTO END "\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", TAKEN, 0, -1, NULL),
	R("more_spans_than_were_sent", HTTP, OK PROTO END "\x0a\x06\x08\xff\xff\xff\xff\x0f", TAKEN, 0xffffffff, -1, "HTTP 200"),
	R("json_that_is_cut", HTTP, OK JSON END "{\"partialSuccess\":{\"rejectedSpans\":\"7", TAKEN, 0, -1, NULL),
	R("json_of_another_signal", HTTP, OK JSON END "{\"partialSuccess\":{\"rejectedLogRecords\":\"7\"}}", TAKEN, 0, -1, NULL),
	R("json_whose_number_is_huge", HTTP, OK JSON END "{\"partialSuccess\":{\"rejectedSpans\":1e400}}", TAKEN, 0, -1, NULL),
	R("a_page_for_browsers", HTTP, OK "Content-Type: text/html\r\n\r\n<html>log in</html>", TAKEN, 0, -1, NULL),
	/* Statuses. */
	R("a_redirect", HTTP, "HTTP/1.1 308 Permanent Redirect\r\nLocation: http://127.0.0.1/\r\n\r\n", AWAY, 0, -1, "HTTP 308"),
	R("a_404_of_a_web_server", HTTP, "HTTP/1.1 404 Not Found\r\n" TEXT END "404 page not found\n", AWAY, 0, -1, "HTTP 404: 404 page not found"),
	R("a_401", HTTP, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n", AWAY, 0, -1, "HTTP 401"),
	R("a_400_with_a_status", HTTP, "HTTP/1.1 400 Bad Request\r\n" PROTO END "\x08\x03\x12\x03" "bad", REFUSED, 0, -1, "HTTP 400: bad"),
	R("a_400_that_means_413", HTTP, "HTTP/1.1 400 Bad Request\r\n" TEXT END "request body TOO LARGE\n", TOO_LARGE, 0, -1, "HTTP 400"),
	R("a_413", HTTP, "HTTP/1.1 413 Content Too Large\r\n\r\n", TOO_LARGE, 0, -1, "HTTP 413"),
	R("a_429_with_seconds", HTTP, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n\r\n", AGAIN, 0, 7000, "HTTP 429"),
	R("a_503_with_a_date_long_ago", HTTP, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", AGAIN, 0, 0, "HTTP 503"),
	R("a_503_with_a_year", HTTP, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 31536000\r\n\r\n", AGAIN, 0, 3600000, "HTTP 503"),
	R("a_503_with_nonsense", HTTP, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: -5\r\n\r\n", AGAIN, 0, -1, "HTTP 503"),
	R("a_status_of_999", HTTP, "HTTP/1.1 999 Huh\r\n\r\n", AWAY, 0, -1, "HTTP 999"),
	R("words_with_controls", HTTP, "HTTP/1.1 500 No\r\n" PROTO END "\x12\x06" "a\x1b[2J\x7f", AWAY, 0, -1, "HTTP 500: a?[2J?"),
	/* gRPC. */
	R("grpc_nothing_at_all", GRPC, "", AGAIN, 0, -1, ""),
	R("grpc_a_reply_of_http_1", GRPC, "HTTP/1.1 400 Bad Request\r\n\r\n", AGAIN, 0, -1, "is this the HTTP port?"),
	R("grpc_without_a_status", GRPC, SETTINGS "\0\0\1" TRAILER_1 STATUS_200, AWAY, 0, -1, "without a grpc-status"),
	R("grpc_invalid_argument", GRPC, SETTINGS "\0\0\x2f" TRAILER_1 STATUS_200 TYPE STATUS("3"), REFUSED, 0, -1, "gRPC 3 INVALID_ARGUMENT"),
	R("grpc_unavailable", GRPC, SETTINGS "\0\0\x30" TRAILER_1 STATUS_200 TYPE STATUS2("14"), AGAIN, 0, -1, "gRPC 14 UNAVAILABLE"),
	R("grpc_too_large", GRPC, SETTINGS "\0\0\x64" TRAILER_1 STATUS_200 TYPE STATUS("8") MESSAGE_40, TOO_LARGE, 0, -1, "gRPC 8 RESOURCE_EXHAUSTED"),
	R("grpc_a_status_of_99", GRPC, SETTINGS "\0\0\x30" TRAILER_1 STATUS_200 TYPE STATUS2("99"), AWAY, 0, -1, "gRPC 99"),
	R("grpc_a_proxy_that_answers_503", GRPC, SETTINGS "\0\0\5" TRAILER_1 STATUS_503, AGAIN, 0, -1, "HTTP 503"),
	R("grpc_a_stream_that_is_reset", GRPC, SETTINGS "\0\0\4\3\0\0\0\0\1\0\0\0\2", AGAIN, 0, -1, ""),
	R("grpc_goaway", GRPC, SETTINGS "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\2", AGAIN, 0, -1, ""),
	R("grpc_headers_that_do_not_decode", GRPC, SETTINGS "\0\0\2" TRAILER_1 "\xff\xff", AGAIN, 0, -1, ""),
#undef R
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void comes_to(void **state)
{
	const struct row *row = *state;
	struct gt__otlp_result result;

	canned_reply(GT_OTLP_TRACES, row->protocol, row->reply, row->count,
	             &result);
	if (result.verdict != row->verdict)
		fail_msg("verdict %d: %s", result.verdict, result.error);
	assert_true(result.rejected_spans == row->rejected);
	assert_int_equal(result.has_retry_after, row->retry_ms >= 0);
	if (row->retry_ms >= 0)
		assert_int_equal(result.retry_after_ms, row->retry_ms);
	if (!row->says)
		assert_string_equal(result.error, "");
	else if (!*result.error || !strstr(result.error, row->says))
		fail_msg("'%s' has no '%s'", result.error, row->says);
}

/*
 * The first header goes on from none (RFC 9112, 5.2): one of the reply before
 * is not what it goes on from.
 */
static void a_folded_line_has_no_header_of_the_reply_before(void **state)
{
	static const char first[] = OK JSON "Content-Length: 2\r\n\r\n{}";
	static const char folded[] = "HTTP/x Bad\r 400\n Bad\rntent-Type: "
				     "application/x-protobuf\n\r\n";
	struct gt__otlp_result result;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		canned_reply(GT_OTLP_TRACES, HTTP, i % 2 ? folded : first,
		             (i % 2 ? sizeof(folded) : sizeof(first)) - 1,
		             &result);
}

static int end(void **state)
{
	(void)state;
	canned_reply_free();
	return 0;
}

int main(void)
{
	static struct CMUnitTest tests[ROWS + 1] = {
		[ROWS] = cmocka_unit_test(
			a_folded_line_has_no_header_of_the_reply_before),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = comes_to,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	return _cmocka_run_group_tests("replies", tests, ROWS + 1, NULL, end);
}

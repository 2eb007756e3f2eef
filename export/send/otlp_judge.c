/* SPDX-License-Identifier: MIT */
/* What became of a request: the reply over HTTP, or what came in its place. */
#include "otlp_exchange.h"
#include "otlp_grpc.h"
#include "otlp_signals.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *content_type(const struct gt__otlp_exchange *x)
{
	const char *type = NULL;

	curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type);
	return type ? type : "";
}

/* What the endpoint has to say, in the first line of plain text as well. */
static struct gt_text message_of(const struct gt__otlp_exchange *x, bool json,
                                 bool taken)
{
	size_t line = 0;

	if (json)
		return gt__otlp_message_json(x->body, x->body_bytes, taken);
	if (strncasecmp(content_type(x), "text/plain", 10) != 0)
		return gt__otlp_message_protobuf(x->body, x->body_bytes, taken);
	while (line < x->body_bytes && x->body[line] >= ' ')
		line++;
	return (struct gt_text){x->body, taken ? 0 : line};
}

/* Proxies and receivers that answer 400 where 413 is meant. */
static bool says_too_large(struct gt_text message)
{
	static const char words[] = "too large";
	size_t i;

	for (i = 0; i + sizeof words - 1 <= message.count; i++)
		if (!strncasecmp(message.bytes + i, words, sizeof words - 1))
			return true;
	return false;
}

/* What its body says: how many it did not take, and why. */
static void judge_body(const struct gt__otlp_exchange *x, long status,
                       struct gt__otlp_result *result)
{
	bool json = strcasestr(content_type(x), "json") != NULL;
	bool taken = result->verdict == GT__OTLP_TAKEN;
	struct gt_text message = message_of(x, json, taken);
	int count = message.count < 120 ? (int)message.count : 120;

	if (status == 400 && says_too_large(message))
		result->verdict = GT__OTLP_TOO_LARGE;
	if (taken)
		result->rejected_spans =
			json ? gt__otlp_rejected_json(
				       gt__otlp_signal(x->request->signal),
				       x->body, x->body_bytes)
			     : gt__otlp_rejected_protobuf(x->body,
		                                          x->body_bytes);
	if (!taken || result->rejected_spans || count)
		snprintf(result->error, sizeof result->error, "HTTP %ld%s%.*s",
		         status, count ? ": " : "", count, message.bytes);
}

static void judge_reply(struct gt__otlp_exchange *x, long status,
                        struct gt__otlp_result *result)
{
	struct curl_header *after;

	result->answered = true;
	result->verdict = gt__otlp_verdict(status);
	if (curl_easy_header(x->easy, "Retry-After", 0, CURLH_HEADER, -1,
	                     &after) == CURLHE_OK)
		result->has_retry_after =
			gt__otlp_retry_after(after->value, (int64_t)time(NULL),
		                             &result->retry_after_ms);
	if (!x->too_long)
		judge_body(x, status, result);
	else
		snprintf(result->error, sizeof result->error,
		         "HTTP %ld and a reply too long", status);
}

/* Who speaks another protocol than was asked for. */
static const char *hint(const struct gt__otlp_exchange *x, CURLcode code)
{
	if (!x->grpc && (code == CURLE_UNSUPPORTED_PROTOCOL ||
	                 code == CURLE_WEIRD_SERVER_REPLY))
		return " (is this the gRPC port? HTTP is 4318)";
	if (x->grpc && (code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM ||
	                code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR ||
	                code == CURLE_RECV_ERROR))
		return " (is this the HTTP port? gRPC is 4317)";
	return "";
}

/* libcurl's messages may have bytes of the endpoint's in them. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void gt__otlp_judge(struct gt__otlp_exchange *x, CURLcode code,
                    struct gt__otlp_result *result)
{
	long status = 0;

	*result = (struct gt__otlp_result){.verdict = GT__OTLP_TRY_AGAIN};
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	/* Of 1xx a reply is still to come. */
	if (status < 200 || (code != CURLE_OK && !x->too_long)) {
		result->is_foreign = *hint(x, code) != '\0';
		snprintf(result->error, sizeof result->error, "%.110s%s",
		         x->error[0] ? x->error : curl_easy_strerror(code),
		         hint(x, code));
	} else if (x->grpc && status == 200) {
		gt__otlp_judge_grpc(x, result);
	} else {
		judge_reply(x, status, result);
	}
	make_printable(result->error);
}

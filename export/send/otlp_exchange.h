/* SPDX-License-Identifier: MIT */
/* A request under way and its reply, shared by the files that make and judge
 * it.
 */
#ifndef GUESTTRACE_OTLP_EXCHANGE_H
#define GUESTTRACE_OTLP_EXCHANGE_H

#include "otlp_post.h"
#include <curl/curl.h>

struct gt__otlp_exchange {
	CURL *easy;
	struct gt__otlp_request *request; /* NULL: none */
	bool grpc;
	size_t sent_bytes; /* of gRPC's frame */
	bool too_long;
	size_t head_bytes;
	size_t body_bytes;
	char body[GT__REPLY_BYTES_MAX];
	char error[CURL_ERROR_SIZE];
};

/* ---- otlp_judge.c ---- */

/* Of a request that ended with `code`. */
void gt__otlp_judge(struct gt__otlp_exchange *exchange, CURLcode code,
                    struct gt__otlp_result *ret_result);

/* ---- otlp_grpc.c ---- */

/* Has libcurl send the request in a frame of gRPC's. */
void gt__otlp_frame_grpc(struct gt__otlp_exchange *exchange);
/* A reply with the HTTP status 200, which is not gRPC's own. */
void gt__otlp_judge_grpc(struct gt__otlp_exchange *exchange,
                         struct gt__otlp_result *result);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Whole replies of an endpoint, as bytes on a connection: through libcurl to the
 * verdict (threat F6), HTTP/1.1 and gRPC over HTTP/2. The input: u8 signal and
 * protocol, then what the endpoint sends before it closes.
 */
#include "export/send/otlp_post.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define REPLY_BYTES_MAX (96u << 10) /* what a socket holds unread */

static int ours = -1, theirs = -1;

/* ---- The connection, which has been made --------------------------------- */

static curl_socket_t give_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
	(void)context;
	(void)purpose;
	(void)address;
	return ours < 0 ? CURL_SOCKET_BAD : dup(ours);
}

static int is_connected(void *context, curl_socket_t fd, curlsocktype purpose)
{
	(void)context;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

CURLMcode __real_curl_multi_add_handle(CURLM *multi, CURL *easy);
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *easy);

CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, give_socket);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, is_connected);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	return __real_curl_multi_add_handle(multi, easy);
}

static void connect_to(const uint8_t *reply, size_t count)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	               pair) < 0)
		abort();
	ours = pair[0];
	theirs = pair[1];
	if (count > REPLY_BYTES_MAX)
		count = REPLY_BYTES_MAX;
	if (count && write(theirs, reply, count) < 0)
		abort();
	shutdown(theirs, SHUT_WR);
}

/* ---- The request --------------------------------------------------------- */

static struct gt__otlp_post *post_for(unsigned setting)
{
	static struct gt__otlp_post *posts[8];
	struct gt_otlp_http_options options = {
		.size = sizeof(options),
		.url = "http://127.0.0.1:4318/v1/traces",
		.signal = (enum gt_otlp_signal)(setting % 4 % 3),
		.protocol = setting & 4 ? GT_OTLP_GRPC : GT_OTLP_HTTP_PROTOBUF,
		.timeout_ms = 200,
	};

	if (!posts[setting % 8] &&
	    gt__otlp_post_new(&options, &posts[setting % 8]) < 0)
		abort();
	return posts[setting % 8];
}

static void check_result(const struct gt__otlp_result *result)
{
	size_t length = strnlen(result->error, sizeof(result->error));

	if (result->verdict > GT__OTLP_TURNED_AWAY ||
	    length == sizeof(result->error) ||
	    (result->has_retry_after &&
	     result->retry_after_ms > GT__RETRY_AFTER_MAX_MS) ||
	    (result->verdict == GT__OTLP_TAKEN && !result->answered) ||
	    (result->verdict != GT__OTLP_TAKEN && length == 0))
		abort();
	for (size_t i = 0; i < length; i++)
		if (result->error[i] < ' ' || result->error[i] > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	unsigned setting = count ? bytes[0] : 0;
	struct gt__otlp_post *post = post_for(setting);
	struct gt__otlp_request *request = calloc(1, sizeof(*request) + 8);
	struct gt__otlp_result result;

	if (!request)
		abort();
	request->signal = (enum gt_otlp_signal)(setting % 4 % 3);
	request->count = 8;
	connect_to(bytes + !!count, count - !!count);
	if (gt__otlp_post_begin(post, request) < 0)
		abort();
	while (!gt__otlp_post_ended(post, &result))
		gt__otlp_post_wait(post, 50);
	check_result(&result);
	close(ours);
	close(theirs);
	free(request);
	return 0;
}

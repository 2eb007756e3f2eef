/* SPDX-License-Identifier: MIT */
#include "canned_reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_BYTES 8u
#define ROUNDS_MAX    8 /* of a ms: whoever does not send by then never will */

uint32_t canned_reply_timeout_ms = 1000;

static int listening = -1;

/* ---- The endpoint -------------------------------------------------------- */

static unsigned listen_somewhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t bytes = sizeof(address);

	if (listening < 0) {
		listening = socket(
			AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (listening < 0 ||
		    bind(listening, (struct sockaddr *)&address, bytes) < 0 ||
		    listen(listening, 16) < 0)
			abort();
	}
	getsockname(listening, (struct sockaddr *)&address, &bytes);
	return ntohs(address.sin_port);
}

/* A connection, if one waits; else -1. */
static int accept_one(void)
{
	/* It leaves nothing behind: there may be millions. */
	const struct linger at_once = {1, 0};
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
		           sizeof(at_once));
	return fd;
}

static void answer(int fd, const void *reply, size_t count)
{
	if (count > CANNED_BYTES_MAX)
		count = CANNED_BYTES_MAX;
	if (count && send(fd, reply, count, MSG_NOSIGNAL) < 0 &&
	    errno != EPIPE && errno != ECONNRESET)
		abort();
	shutdown(fd, SHUT_WR);
}

/*
 * Whether the request is there, as far as that is to be seen: libcurl may take
 * an answer before it for a failure. In HTTP/2 it ends with a frame of DATA
 * that says END_STREAM.
 */
static bool has_request(int fd, bool grpc)
{
	static char bytes[4096];
	ssize_t count = recv(fd, bytes, sizeof(bytes), MSG_PEEK);

	return count <= 0 ? count == 0
	       : grpc ? memmem(bytes, (size_t)count, "\0\1\0\0\0\1", 6) != NULL
	              : memmem(bytes, (size_t)count, "\r\n\r\n", 4) != NULL;
}

/* ---- The request --------------------------------------------------------- */

static struct gt__otlp_post *posts[3][3];

static struct gt__otlp_post *post_for(enum gt_otlp_signal signal,
                                      enum gt_otlp_protocol protocol)
{
	char url[64];
	const struct gt_otlp_http_options options = {
		.size = sizeof(options),
		.url = url,
		.signal = signal,
		.protocol = protocol,
		.timeout_ms = canned_reply_timeout_ms,
	};

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", listen_somewhere());
	if (!posts[signal][protocol] &&
	    gt__otlp_post_new(&options, &posts[signal][protocol]) < 0)
		abort();
	return posts[signal][protocol];
}

void canned_reply(enum gt_otlp_signal signal, enum gt_otlp_protocol protocol,
                  const void *reply, size_t count,
                  struct gt__otlp_result *ret_result)
{
	struct gt__otlp_post *post = post_for(signal, protocol);
	struct gt__otlp_request *request =
		calloc(1, sizeof(*request) + REQUEST_BYTES);
	int fd = -1, rounds = 0;
	bool answered = false;

	if (!request)
		abort();
	request->signal = signal;
	request->json = protocol == GT_OTLP_HTTP_JSON;
	request->count = REQUEST_BYTES;
	if (gt__otlp_post_begin(post, request) < 0)
		abort();
	while (!gt__otlp_post_ended(post, ret_result)) {
		int next = accept_one();

		/* It may try once more, on another connection. */
		if (next >= 0) {
			if (fd >= 0)
				close(fd);
			fd = next;
			answered = false;
			rounds = 0;
		} else if (fd >= 0 && !answered &&
		           (has_request(fd, protocol == GT_OTLP_GRPC) ||
		            ++rounds > ROUNDS_MAX)) {
			answer(fd, reply, count);
			answered = true;
		}
		gt__otlp_post_wait(post, answered ? 50 : 1);
	}
	if (fd >= 0)
		close(fd);
	free(request);
}

void canned_reply_free(void)
{
	close(listening);
	listening = -1;
	for (unsigned i = 0; i < 9; i++) {
		gt__otlp_post_free(posts[i / 3][i % 3]);
		posts[i / 3][i % 3] = NULL;
	}
}

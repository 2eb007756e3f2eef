/* SPDX-License-Identifier: MIT */
/* Requests to one endpoint, some at a time, by libcurl. */
#ifndef GUESTTRACE_OTLP_POST_H
#define GUESTTRACE_OTLP_POST_H

#include "otlp_reply.h"
#include "export/spool/otlp_request.h"
#include <guesttrace/export_otlp.h>

#define GT__REPLY_BYTES_MAX (64u << 10) /* and as much of headers */

/* As many hide a reply that takes 100 ms behind 80,000 spans/s. */
#define GT__POSTS_MAX       16u /* a power of two */
#define GT__POST_TIMEOUT_MS 10000u

struct gt__otlp_post;

struct gt__otlp_result {
	enum gt__otlp_verdict verdict;
	uint64_t rejected_spans; /* of a request that was taken */
	uint32_t retry_after_ms;
	bool has_retry_after;
	bool answered;   /* with a status, whatever it was */
	bool is_foreign; /* what is there seems to speak another protocol */
	/* "" or what happened; of what was taken whole, what the endpoint said.
	 */
	char error[160];
};

/* 0, -ENOMEM, -EINVAL for the URL, a header or a file that is not there, or
 * -ENOTSUP: no HTTP/2 for gRPC. */
int gt__otlp_post_new(const struct gt_otlp_http_options *options,
                      struct gt__otlp_post **ret_post);
void gt__otlp_post_free(struct gt__otlp_post *post);

/*
 * Whether it can go there: a spool may have JSON, which gRPC has not, or, where
 * somebody has moved files, another signal.
 */
bool gt__otlp_post_takes(const struct gt__otlp_post *post,
                         const struct gt__otlp_request *request);

/*
 * The request stays the caller's and where it is until it is given back. 0, or
 * -ENOMEM with GT__POSTS_MAX of them under way, or for want of memory.
 */
int gt__otlp_post_begin(struct gt__otlp_post *post,
                        struct gt__otlp_request *request);
/* One that is over; NULL: gt__otlp_post_wait(), and ask again. */
struct gt__otlp_request *
gt__otlp_post_ended(struct gt__otlp_post *post,
                    struct gt__otlp_result *ret_result);
/* One that is not, to be given up; NULL: there is none. */
struct gt__otlp_request *gt__otlp_post_take_back(struct gt__otlp_post *post);

/* Until something moves, somebody wakes it, or the time is over. */
void gt__otlp_post_wait(struct gt__otlp_post *post, uint32_t timeout_ms);
void gt__otlp_post_wake(struct gt__otlp_post *post); /* from any thread */

#endif

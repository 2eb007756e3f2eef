/* SPDX-License-Identifier: MIT */
/*
 * What an endpoint's reply means (OTLP 1.11, "OTLP/HTTP Response"). Pure
 * functions over hostile bytes.
 */
#ifndef GUESTTRACE_OTLP_REPLY_H
#define GUESTTRACE_OTLP_REPLY_H

#include "otlp_signals.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gt__otlp_verdict {
	GT__OTLP_TAKEN,     /* but for those of a partial success */
	GT__OTLP_REFUSED,   /* this request, for good */
	GT__OTLP_TOO_LARGE, /* likewise; its halves may be taken */
	GT__OTLP_TRY_AGAIN, /* later */
	/* Whatever the request is: moved, not allowed, not found, broken. */
	GT__OTLP_TURNED_AWAY,
};

/*
 * Of a reply that came: by its status alone (RFC 9110, 15; which are to be
 * tried again: OTLP 1.11, "Failures", "Retryable Response Codes").
 */
enum gt__otlp_verdict gt__otlp_verdict(long status);

/* ms to wait, at most GT__RETRY_AFTER_MAX_MS; false: no such value. */
#define GT__RETRY_AFTER_MAX_MS (60u * 60 * 1000)
bool gt__otlp_retry_after(const char *value, int64_t now_unix_s,
                          uint32_t *ret_ms);

/*
 * partial_success.rejected_spans of an ExportTraceServiceResponse, or what is
 * in its place for that signal, in protobuf under the same number; 0 where
 * there is none, where it is negative, or where the body is none.
 */
uint64_t gt__otlp_rejected_protobuf(const void *body, size_t count);
uint64_t gt__otlp_rejected_json(const struct gt__otlp_signal *signal,
                                const void *body, size_t count);

/*
 * What the endpoint says about it: of a request that was `taken` the message of
 * the partial success, else that of a google.rpc.Status. It stands in the body
 * and is as hostile; a JSON string with its escapes. Empty where there is none.
 */
struct gt_text gt__otlp_message_protobuf(const void *body, size_t count,
                                         bool taken);
struct gt_text gt__otlp_message_json(const void *body, size_t count,
                                     bool taken);

#endif

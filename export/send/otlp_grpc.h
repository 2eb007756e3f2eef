/* SPDX-License-Identifier: MIT */
/*
 * What the status of a gRPC call means (OTLP 1.11, "OTLP/gRPC Response",
 * "Failures"; grpc.io, "Status codes and their use in gRPC"). Pure functions
 * over hostile bytes.
 */
#ifndef GUESTTRACE_OTLP_GRPC_H
#define GUESTTRACE_OTLP_GRPC_H

#include "otlp_reply.h"

/*
 * `status` is grpc-status, `message` that of grpc-message;
 * `has_retry_info` whether the endpoint says when to come again.
 */
enum gt__otlp_verdict gt__otlp_grpc_verdict(unsigned long status,
                                            struct gt_text message,
                                            bool has_retry_info);

/* Its name, "" where it has none. */
const char *gt__otlp_grpc_name(unsigned long status);

/*
 * google.rpc.RetryInfo of a grpc-status-details-bin, in base64: ms, at most
 * GT__RETRY_AFTER_MAX_MS; false where there is none.
 */
bool gt__otlp_grpc_retry(const char *details, uint32_t *ret_ms);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Whole replies of an endpoint, as bytes on a connection: through libcurl to
 * the verdict (threat F6), HTTP/1.1 and gRPC over HTTP/2. The input: u8 signal
 * and protocol, then what the endpoint sends before it closes.
 */
#include "tests/support/canned_reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

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
	struct gt__otlp_result result;

	/* libcurl 8.14 waits until then for what a reply leaves open. */
	canned_reply_timeout_ms = 100;
	canned_reply((enum gt_otlp_signal)(setting % 4 % 3),
	             setting & 4 ? GT_OTLP_GRPC : GT_OTLP_HTTP_PROTOBUF,
	             bytes + !!count, count - !!count, &result);
	check_result(&result);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Whether bytes are a message of protobuf, as deep as its messages are known. */
#ifndef GT_FUZZ_PROTOBUF_CHECK_H
#define GT_FUZZ_PROTOBUF_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum protobuf_of {
	PROTOBUF_TRACES,
	PROTOBUF_LOGS,
	PROTOBUF_METRICS,
	PROTOBUF_PERFETTO,
};

bool is_protobuf(enum protobuf_of of, const void *bytes, size_t count);

#endif

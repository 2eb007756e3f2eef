/* SPDX-License-Identifier: MIT */
/*
 * Events as log records: a sink as export/otlp/otlp_encoder.h has it, whose
 * requests are those of logs/v1. Each event is one record, as soon as it is
 * shown; so is each loss.
 */
#ifndef GUESTTRACE_OTLP_LOGS_H
#define GUESTTRACE_OTLP_LOGS_H

#include "export/otlp/otlp.h"
#include "export/otlp/otlp_encoder.h"

struct gt__log {
	const uint8_t *trace_id; /* 16 bytes */
	uint64_t span_id;
	uint32_t flags; /* LogRecordFlags: W3C's */
	uint64_t time_ns;
	uint32_t severity; /* SeverityNumber; 0: not known */
	struct gt_text severity_text;
	struct gt_text body;
	struct gt__otlp_attributes attributes; /* `opening` has the name, too */
};

/* Of items that are struct gt__log. */
gt__otlp_put_fn gt__log_put_json;
gt__otlp_put_fn gt__log_put_protobuf;

/* 0 or -ENOMEM. */
int gt__otlp_logs_requests_new(bool json,
                               const struct gt__otlp_encoder_options *options,
                               struct gt_sink **ret_sink);

#endif

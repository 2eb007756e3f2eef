/* SPDX-License-Identifier: MIT */
/*
 * What stands between the spans and the wire: a sink that makes bodies of
 * ExportTraceServiceRequest (opentelemetry/proto/collector/trace/v1) and hands
 * over each as soon as it is complete.
 *
 * Its `finish` hands over what has gathered so far. It may be called at any
 * time and more than once, so that a span need not wait for a full request.
 */
#ifndef GUESTTRACE_OTLP_ENCODER_H
#define GUESTTRACE_OTLP_ENCODER_H

#include <guesttrace/export_otlp.h>

struct gt__otlp_encoder_options {
	/* Spans come into the request, this one or the next. May be NULL. */
	void (*begun)(void *context, uint64_t spans);
	/*
	 * One whole body: of JSON one TracesData object and a line feed.
	 * `bytes` are borrowed until it returns; an error ends the sink.
	 */
	int (*request)(void *context, const void *bytes, size_t count,
	               uint64_t spans);
	void *context;
	/* Of one request; 0: 512, and 512 KiB. A larger span goes alone. */
	uint32_t spans_max;
	uint32_t bytes_max;
	/* Of the resource; stay the caller's, which outlives the sink. */
	const struct gt_otlp_attribute *attributes;
	size_t attribute_count;
	bool no_host_spans;
	/* As in struct gt_otlp_options: */
	struct gt_otlp_limits limits;
	enum gt_otlp_events events;
	bool has_logs;
	/* Of spans; NULL: those of all traces. The caller's, which outlives the
	 * sink. `unsampled` is told of each that is left out. */
	const struct gt_sampler *sampler;
	void (*unsampled)(void *context);
	/* Of metrics: between two collections. */
	uint64_t interval_ns;
};

#define GT__INTERVAL_NS UINT64_C(60000000000) /* OpenTelemetry's */

/* Those of an encoder that are options of a file, too. */
struct gt__otlp_encoder_options
gt__otlp_file_options(const struct gt_otlp_options *options);

/* 0 or -ENOMEM. */
int gt__otlp_json_requests_new(const struct gt__otlp_encoder_options *options,
                               struct gt_sink **ret_sink);
int gt__otlp_protobuf_requests_new(
	const struct gt__otlp_encoder_options *options,
	struct gt_sink **ret_sink);

#endif

/* SPDX-License-Identifier: MIT */
#include "otlp_signals.h"

#define SERVICE(package, name) \
	"/opentelemetry.proto.collector." package ".v1." name "/Export"

static const struct gt__otlp_signal signals[] = {
	[GT_OTLP_TRACES] =
		{
			.http_path = "/v1/traces",
			.grpc_path = SERVICE("trace", "TraceService"),
			.rejected = "rejectedSpans",
			.rejected_other = "rejected_spans",
			.items = "\"spans\":[",
			.items_depth = 5,
			.delay_ms = 5000,
			.spool_delay_ms = 1000, /* so much a kill may take */
		},
	[GT_OTLP_METRICS] =
		{
			.http_path = "/v1/metrics",
			.grpc_path = SERVICE("metrics", "MetricsService"),
			.folder = "metrics",
			.rejected = "rejectedDataPoints",
			.rejected_other = "rejected_data_points",
			.items = "\"dataPoints\":[",
			.items_depth = 8,
			.delay_ms = 60000,
			.spool_delay_ms = 60000,
		},
	[GT_OTLP_LOGS] =
		{
			.http_path = "/v1/logs",
			.grpc_path = SERVICE("logs", "LogsService"),
			.folder = "logs",
			.rejected = "rejectedLogRecords",
			.rejected_other = "rejected_log_records",
			.items = "\"logRecords\":[",
			.items_depth = 5,
			.delay_ms = 1000,
			.spool_delay_ms = 1000,
		},
};

const struct gt__otlp_signal *gt__otlp_signal(enum gt_otlp_signal signal)
{
	return (size_t)signal < sizeof signals / sizeof *signals
	               ? &signals[signal]
	               : NULL;
}

const char *gt_otlp_path(enum gt_otlp_signal signal,
                         enum gt_otlp_protocol protocol)
{
	const struct gt__otlp_signal *words = gt__otlp_signal(signal);

	if (!words)
		return "";
	return protocol == GT_OTLP_GRPC ? words->grpc_path : words->http_path;
}

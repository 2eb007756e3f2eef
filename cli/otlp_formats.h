/* SPDX-License-Identifier: MIT */
/* The formats of OTLP: a signal each, into a file or to an endpoint. */
#ifndef GT_CLI_OTLP_FORMATS_H
#define GT_CLI_OTLP_FORMATS_H

#include <guesttrace/export_otlp.h>

typedef int new_sink_fn(const struct gt_output *output,
                        struct gt_sink **ret_sink);

struct otlp_format {
	/* Of the table of formats; its address tells which format it is. */
	new_sink_fn *new_sink;
	/* Into a file; NULL: to an endpoint. */
	int (*with)(const struct gt_output *output,
	            const struct gt_otlp_options *options,
	            struct gt_sink **ret_sink);
	enum gt_otlp_signal signal;
	bool is_binary;
};

struct otlp_options;

/* --otlp-events; complains and returns false. */
bool otlp_events_parse(struct otlp_options *options, const char *text);

/* --service-version; complains and returns false. */
bool otlp_version_parse(struct otlp_options *options, const char *text);

/* NULL: it is none. */
const struct otlp_format *otlp_format_of(new_sink_fn *new_sink);
/* It goes to an endpoint, not into a file. */
bool otlp_format_is_sent(new_sink_fn *new_sink);

new_sink_fn otlp_logs_json_new, otlp_logs_protobuf_new;
new_sink_fn otlp_metrics_json_new, otlp_metrics_protobuf_new;
/* Those that go to an endpoint are not made in this way: -ENOTSUP. */
new_sink_fn otlp_traces_new, otlp_metrics_new, otlp_logs_new;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Counters, durations and the run itself as metrics: a sink as
 * export/otlp/otlp_encoder.h has it, whose requests are those of metrics/v1 and
 * count data points. All are cumulative from the run's start.
 */
#ifndef GUESTTRACE_OTLP_METRICS_H
#define GUESTTRACE_OTLP_METRICS_H

#include "export/otlp/otlp_encoder.h"

/*
 * With options.interval_ns the times of the records tell when a collection is
 * due; without, `finish` makes one of each run that has not ended, as of now.
 * The end of a run makes one in either case. 0 or -ENOMEM.
 */
int gt__otlp_metrics_requests_new(
	bool json, const struct gt__otlp_encoder_options *options,
	struct gt_sink **ret_sink);

/* What became of the items of an exporter, which is of that signal. */
struct gt__exporter_figures {
	enum gt_otlp_signal signal;
	enum gt_otlp_protocol protocol;
	uint64_t exported, refused, dropped, in_flight;
};

/* Goes into the next `finish`, with the resource of the run last begun. */
int gt__otlp_metrics_exporters(struct gt_sink *sink,
                               const struct gt__exporter_figures *figures,
                               size_t count);

#endif

/* SPDX-License-Identifier: MIT */
/* The export to an OTLP endpoint, and what became of its spans. */
#ifndef GT_CLI_OTLP_OUTPUT_H
#define GT_CLI_OTLP_OUTPUT_H

#include <guesttrace/export_otlp.h>

struct otlp_options {
	const char *spool;  /* directory, NULL: $GUESTTRACE_SPOOL, or none */
	bool no_host_spans; /* of otlp-json and otlp-protobuf as well */
	bool asked_for_host_spans; /* or for none: otherwise otlp has none */
	bool offline; /* a capture: it may wait, and has to arrive */
	enum gt_otlp_events events; /* --otlp-events */
	bool asked_for_events;
	/* --service-version, as an attribute of the resource; or no key. */
	struct gt_otlp_attribute version;
	bool has_logs;             /* there is an output for log records */
	struct gt_sampler sampler; /* of spans: which are sent */
	/* Sinks that metrics tell of. */
	struct gt_sink *const *observed;
	size_t observed_count;
};

/*
 * `url` NULL: as the environment says. *ret_sink stays NULL if the environment
 * says that nothing is sent. Complains and returns < 0.
 */
int otlp_output_open(const char *url, enum gt_otlp_signal signal,
                     const struct otlp_options *options,
                     struct gt_sink **ret_sink);

/* Whether the path of a signal goes behind it. */
bool otlp_is_base(const char *url);

/*
 * After its finish. Says so where not every span, data point or log record was
 * acknowledged. 0, or -EIO where some of a capture were refused or dropped: a
 * guest's status stands, whatever the endpoint does.
 */
int otlp_output_report(struct gt_sink *sink, enum gt_otlp_signal signal,
                       const struct otlp_options *options);

/* guesttrace spool send DIR; returns the exit status. */
int otlp_spool_send(const char *url, const char *directory);

#endif

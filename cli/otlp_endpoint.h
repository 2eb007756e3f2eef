/* SPDX-License-Identifier: MIT */
/* Where a signal goes: the command line, then OpenTelemetry's variables. */
#ifndef GT_CLI_OTLP_ENDPOINT_H
#define GT_CLI_OTLP_ENDPOINT_H

#include <guesttrace/export_otlp.h>

/* Of the variables that are the signal's own: "OTEL_EXPORTER_OTLP_LOGS_". */
const char *otlp_prefix(enum gt_otlp_signal signal);

/* Whether the command line may name it. */
bool otlp_is_endpoint(const char *url);

/*
 * The URL for the signal and protocol of the options, for free(); NULL: no
 * memory. `given` is that of the command line or NULL; one of gRPC's sets the
 * protocol.
 */
char *otlp_endpoint(struct gt_otlp_http_options *options, const char *given);

#endif

/* SPDX-License-Identifier: MIT */
/* The samples of bench_host, and the guest that they and others record with. */
#ifndef GUESTTRACE_BENCH_HOST_SAMPLES_H
#define GUESTTRACE_BENCH_HOST_SAMPLES_H

#include <guesttrace/host.h>

/* Reading what guests wrote: records and events a second, all values read. */
double sample_decode_native(void);
double sample_decode_hyperlight11(void);
double sample_decode_hyperlight12(void);

/* Showing finished spans to a sink: spans a second. */
double sample_spans_to_otlp(void);
double sample_spans_to_otlp_json(void);
double sample_spans_to_perfetto(void);

/* From a capture's bytes to what a sink writes. */
double sample_capture_to_nothing(void); /* records a second */
double sample_capture_to_report(void);  /* MB a second */

/* The folder with Hyperlight's batches; set by main. */
extern const char *vectors;

/* Takes all bytes and keeps none. */
int write_nowhere(void *context, const void *bytes, size_t count);

/*
 * A host of the guest that is this process, announced, its ring empty. NULL
 * `capture` and no sinks are allowed.
 */
struct gt_host *live_host(struct gt_output capture);
void live_end(struct gt_host *host);

/* `rounds` of a span with a u64 and a string, and in it an event with two u64.
 */
#define ROUND_RECORDS 3u
void live_record(uint64_t rounds);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * OpenTelemetry's protocol, with options: into a file, or over HTTP to an
 * endpoint with a spool on disk for what cannot be sent. The conventions are
 * those of export.h.
 */
#ifndef GUESTTRACE_EXPORT_OTLP_H
#define GUESTTRACE_EXPORT_OTLP_H

#include <guesttrace/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of the events of spans. */
enum gt_otlp_events {
	GT_OTLP_EVENTS_SPANS = 0,
	GT_OTLP_EVENTS_LOGS = 1, /* log records alone */
	GT_OTLP_EVENTS_BOTH = 2,
};

/* What a sink makes of a run. */
enum gt_otlp_signal {
	GT_OTLP_TRACES = 0,
	GT_OTLP_METRICS = 1,
	GT_OTLP_LOGS = 2,
};

/* Of the resource. UTF-8, ended by NUL. Of equal keys the first is taken. */
struct gt_otlp_attribute {
	const char *key;
	const char *value;
};

struct gt_otlp_limit {
	bool is_set; /* else there is none */
	uint32_t max;
};

/*
 * OpenTelemetry's limits (its SDKs' environment variables, "Attribute Limits"
 * and "Span Limits"), of what the guest has said: what the host adds is not
 * counted. What is over a limit is dropped, and its number told; of a long text
 * and of long bytes the beginning stays.
 */
struct gt_otlp_limits {
	/*
	 * Of one span. Without a limit events for which a span has no room are
	 * in spans below it.
	 */
	struct gt_otlp_limit events;
	struct gt_otlp_limit links;
	struct gt_otlp_limit span_attributes;
	struct gt_otlp_limit event_attributes; /* or of a log record */
	struct gt_otlp_limit value_length;     /* in code points; bytes */
};

/* Zeros are the defaults. */
struct gt_otlp_options {
	size_t size; /* sizeof(struct gt_otlp_options) */
	/* Without the runs of the guest, its exits and the VMM's own work. */
	bool no_host_spans;
	const struct gt_otlp_attribute *attributes;
	size_t attribute_count;
	struct gt_otlp_limits limits;
	/*
	 * Of traces and logs, which are to be given the same. Events outside of
	 * spans are log records always, and otherwise events of the run as a
	 * span: there is a sink of logs if `events` asks for one, or `has_logs`
	 * says so.
	 */
	enum gt_otlp_events events;
	bool has_logs;
	/*
	 * Of metrics: how often all that was measured is told, by the times of
	 * the records; 60,000.
	 */
	uint32_t interval_ms;
};

/*
 * OTLP in a file, as gt_otlp_json_new() and gt_otlp_protobuf_new(). `options`
 * may be NULL; what they point to must outlive the sink. 0 or -ENOMEM.
 */
int gt_otlp_json_with(const struct gt_output *output,
                      const struct gt_otlp_options *options,
                      struct gt_sink **ret_sink);
int gt_otlp_protobuf_with(const struct gt_output *output,
                          const struct gt_otlp_options *options,
                          struct gt_sink **ret_sink);

/* The same of the events, as log records. */
int gt_otlp_logs_json_with(const struct gt_output *output,
                           const struct gt_otlp_options *options,
                           struct gt_sink **ret_sink);
int gt_otlp_logs_protobuf_with(const struct gt_output *output,
                               const struct gt_otlp_options *options,
                               struct gt_sink **ret_sink);

/*
 * The same of counters, of the durations of spans and of the run itself, as
 * metrics: cumulative, at each interval and at the end of the run.
 */
int gt_otlp_metrics_json_with(const struct gt_output *output,
                              const struct gt_otlp_options *options,
                              struct gt_sink **ret_sink);
int gt_otlp_metrics_protobuf_with(const struct gt_output *output,
                                  const struct gt_otlp_options *options,
                                  struct gt_sink **ret_sink);

/*
 * ---- OTLP over HTTP --------------------------------------------------------
 *
 * The sink makes export requests and a thread of its own sends them, so that a
 * call of the sink never waits for the network or a disk. otlp.md says
 * what follows from each reply. The functions are there where the library was
 * built with libcurl.
 */

enum gt_otlp_protocol {
	GT_OTLP_HTTP_PROTOBUF = 0,
	GT_OTLP_HTTP_JSON = 1,
	GT_OTLP_GRPC = 2,
};

/*
 * The path of an endpoint that takes a signal: "/v1/traces", or that of gRPC's
 * service; "" for no signal.
 */
const char *gt_otlp_path(enum gt_otlp_signal signal,
                         enum gt_otlp_protocol protocol);

/* All of it is copied. 0 and NULL stand for the default. */
struct gt_otlp_http_options {
	size_t size; /* sizeof(struct gt_otlp_http_options) */
	/*
	 * What one sink sends. What is said of spans here holds for the log
	 * records and the data points of the others, in the figures as well.
	 */
	enum gt_otlp_signal signal;
	/*
	 * Used as it is: http://localhost:4318, for gRPC http://localhost:4317,
	 * and gt_otlp_path().
	 */
	const char *url;
	enum gt_otlp_protocol protocol;
	bool gzip;
	/* "Name: value", of each request; none that tells of its body. */
	const char *const *headers;
	size_t header_count;
	const char *ca_file;          /* PEM; the system's authorities */
	const char *certificate_file; /* PEM, the client's own, with its key */
	const char *key_file;
	uint32_t timeout_ms; /* of one request: 10,000 */
	/*
	 * A span's, at most: 5,000; 1,000 with a spool; a log record's: 1,000;
	 * between two collections of metrics: 60,000.
	 */
	uint32_t delay_ms;
	uint32_t batch_spans; /* of one request: 512 */
	uint32_t queue_spans; /* in memory: 65,536; 64 MiB as well */
	uint32_t finish_ms;   /* `finish` waits to send what is left: 5,000 */
	uint32_t backoff_ms;  /* before the first retry: 1,000 */
	uint32_t backoff_max_ms; /* 30,000 */
	/*
	 * A call waits for room in the queue until the endpoint has been away
	 * for finish_ms: for captures, where no guest is held up. Else what has
	 * no room is dropped and counted at once.
	 */
	bool wait_for_room;
	/*
	 * Made if it is missing; none. Metrics and logs are in its folders of
	 * these names, each a spool of its own.
	 */
	const char *spool_directory;
	uint64_t spool_bytes; /* of all files of the signal in it: 512 MiB */
	/*
	 * Called once, from a thread of the sink, when the endpoint refuses for
	 * the first time, and once when it first seems to speak another
	 * protocol: `why` is printable ASCII and valid during the call.
	 * NULL: nobody wants to know before the end.
	 */
	void (*refused)(void *context, const char *why);
	void *refused_context;
	const struct gt_otlp_attribute *attributes;
	size_t attribute_count;
	bool no_host_spans; /* as in struct gt_otlp_options */
	struct gt_otlp_limits limits;
	enum gt_otlp_events events;
	bool has_logs;
	/*
	 * Of metrics: sinks of gt_otlp_http_new() whose figures are told as
	 * well, until its `finish`, beside its own. They are freed later.
	 */
	struct gt_sink *const *observed;
	size_t observed_count;
	/*
	 * Of spans: those of other traces are not sent. The parent of each is
	 * what recorded it, whose decision is in the trace flags; only where it
	 * is to be ignored the id decides. Those that are sent are sampled.
	 */
	struct gt_sampler sampler;
	/* Of spool_bytes, those that this sink may add and that are not taken
	 * yet: half. So it leaves room for the next one. */
	uint64_t spool_own_bytes;
};

/*
 * spans = acknowledged + rejected + spooled + dropped + queued, of this sink.
 * A span counts once its request is complete.
 */
struct gt_otlp_stats {
	uint64_t spans;
	uint64_t acknowledged; /* the endpoint has taken them */
	uint64_t rejected;     /* it refused them for good */
	uint64_t spooled;      /* on disk, to be sent */
	uint64_t dropped;      /* no room, or too late */
	uint64_t queued;       /* in memory */
	/* Of what was found in the spool: */
	uint64_t found_acknowledged;
	uint64_t found_rejected;
	uint64_t found_waiting;
	uint64_t found_lost; /* died with a process before it reached a disk */
	uint64_t damaged_spans; /* in requests that cannot be read any more */
	uint64_t damaged_bytes; /* between requests */
	/*
	 * Files that stay in it: they cannot be opened or read to their end, or
	 * nothing in them was written by this version.
	 */
	uint64_t unreadable_files;
	/* When last asked it took nothing, whatever it is, or spoke another
	 * protocol. */
	bool turned_away;
	uint64_t refused_kept;  /* spans in the folder `refused` of the spool */
	uint64_t requests;      /* tried */
	uint64_t failures;      /* of them, to be tried again */
	uint64_t spool_errors;  /* of the disk, a full one too */
	char last_error[160];   /* "" or why the last failed one failed: of the
	                           endpoint's own words, printable ASCII */
	char last_warning[160]; /* "" or what it said of a request it took */
	uint64_t unsampled;     /* not sent, and not among `spans` */
};

/* Whether "Name: value" may stand among the headers of the options. */
bool gt_otlp_is_header(const char *text);

#define GT_OTLP_WHY_BYTES 256 /* with a NUL */

/* Which of the files that TLS is given it cannot use. */
enum gt_otlp_tls_fault {
	GT_OTLP_TLS_GOOD = 0, /* none, as far as can be known */
	GT_OTLP_TLS_AUTHORITIES = 1,
	GT_OTLP_TLS_CLIENT = 2, /* certificate or key, or it is another's key */
};

/*
 * Has TLS read the files of the options, without an endpoint; no other option
 * is looked at. Stores in its words what is wrong, "" if nothing is. From any
 * thread; for some ms, with a slow disk for longer.
 */
enum gt_otlp_tls_fault
gt_otlp_tls_check(const struct gt_otlp_http_options *options,
                  char ret_why[GT_OTLP_WHY_BYTES]);

/*
 * Stores a new sink: 0, -ENOMEM, -EINVAL for an option, -ENOTSUP for gRPC with
 * a libcurl that lacks HTTP/2, or what kept the spool from being opened
 * (-EPERM: it belongs to another user or all may write to it).
 *
 * Its `finish` waits for the queue to be sent, at most finish_ms, with
 * wait_for_room from the latest reply that was good on; what is left then stays
 * in the spool, or is dropped where there is none. It is 0 in either case: the
 * figures say what became of the spans. `free` waits for nothing.
 */
int gt_otlp_http_new(const struct gt_otlp_http_options *options,
                     struct gt_sink **ret_sink);

/* Of a sink of gt_otlp_http_new() that is not freed; from any thread. */
void gt_otlp_http_stats(struct gt_sink *sink, struct gt_otlp_stats *ret_stats);

/*
 * Sends what the spool of the options holds, in its order, until nothing is
 * left, nobody answers, or who answers has taken nothing for finish_ms (here
 * 60,000 by default) or asks to wait for longer than that. 0: nothing is left;
 * -EAGAIN: requests, or files that cannot be read; -EBUSY: another process is
 * sending it; else as gt_otlp_http_new(). The figures are stored in any case
 * but -EINVAL.
 */
int gt_otlp_spool_send(const struct gt_otlp_http_options *options,
                       struct gt_otlp_stats *ret_stats);

#ifdef __cplusplus
}
#endif

#endif

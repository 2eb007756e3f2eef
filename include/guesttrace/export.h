/* SPDX-License-Identifier: MIT */
/*
 * Where finished spans go: the sink, what it is shown, and one constructor per
 * output format.
 *
 * Conventions. A sink is a struct of functions; a user's own is one small file.
 * It sees host time and exported ids and knows nothing of rings and batches.
 * Everything it is shown is borrowed until the function returns, except that a
 * `struct gt_trace` and the sites of its views stay where they are until
 * `end`. A function returns 0 or a negative errno; after an error the sink is
 * not called again, except for `free`. All calls for one sink come one after
 * the other, from the thread that drives the host library.
 */
#ifndef GUESTTRACE_EXPORT_H
#define GUESTTRACE_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <guesttrace/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Valid UTF-8 of `count` bytes without a terminator; it may hold any code
 * point, NUL and control characters too: escape at the sink. Of a GT_TYPE_BYTES
 * field it is the raw bytes.
 */
struct gt_text {
	const char *bytes;
	size_t count;
};

/* A call site. Two sites are one if their pointers are equal. */
struct gt_site_view {
	struct gt_text name;
	struct gt_text target;
	struct gt_text file;
	uint32_t line;
	enum gt_level level;
	struct gt_text function; /* empty: not known */
};

/* The site is borrowed; other than 0 ends the list, and is its result. */
typedef int gt_site_fn(void *context, const struct gt_site_view *site,
                       enum gt_site_kind kind);

struct gt_field {
	struct gt_text key;
	enum gt_type type; /* GT_TYPE_U64 .. GT_TYPE_POINTER */
	union {
		uint64_t u64; /* GT_TYPE_U64, GT_TYPE_POINTER */
		int64_t i64;
		double f64;
		bool boolean;
		struct gt_text text; /* GT_TYPE_STRING, GT_TYPE_BYTES */
	} value;
	uint32_t full_bytes; /* of a string before it was cut; else its count */
};

struct gt_link {
	uint8_t trace_id[16];
	uint64_t span_id;
	uint8_t flags; /* W3C trace flags of that span's context */
	bool remote;   /* of another process: gt_link_remote() */
};

enum gt_status {
	GT_STATUS_UNSET = 0, /* numbers of OTLP's Status.StatusCode */
	GT_STATUS_OK = 1,
	GT_STATUS_ERROR = 2,
};

/* Why a span's times or contents are not simply what the guest said. */
enum gt_span_flag {
	GT_SPAN_INTERRUPTED = 1, /* still open when the guest ended */
	GT_SPAN_CLOSE_LOST = 2,  /* ended when the loss was noticed; with
	                            INTERRUPTED: or was open at the end */
	GT_SPAN_ADJUSTED = 4,    /* a time was moved into its run */
	GT_SPAN_CUT = 8,         /* a string was cut */
	GT_SPAN_EVICTED = 16,    /* ended early: the table was full */
	GT_SPAN_REPLACED = 32,   /* its id was opened again */
	GT_SPAN_OPEN_LOST = 64,  /* starts where it was first seen */
	GT_SPAN_PARENT_GUESSED =
		128, /* after a loss, by the guest's one word */
};

/*
 * A trace of which spans of the guest are a part, other than the run's: that of
 * a request from elsewhere (a field `traceparent`), or one that begins in the
 * guest (`otel.new_root`). guests.md, "Traces of their own".
 */
struct gt_span_trace {
	uint8_t trace_id[16];
	uint32_t flags;             /* W3C trace flags */
	struct gt_text trace_state; /* W3C tracestate; empty: none */
};

/* A record that is no span: GT_EVENT, GT_COUNTER. */
struct gt_event_view {
	uint64_t time_ns;  /* since 1970-01-01 UTC */
	uint64_t span_id;  /* innermost entered span, 0 = none */
	uint64_t sequence; /* order of recording within the trace, from 1 */
	const struct gt_site_view *site;
	const struct gt_field *fields;
	size_t field_count;
	uint32_t vcpu;
	uint32_t level; /* of nesting: thread, interrupt, exception, NMI */
	unsigned flags; /* GT_SPAN_ADJUSTED, _CUT, _PARENT_GUESSED */
	const struct gt_span_trace *trace; /* of span_id; NULL: the run's */
};

struct gt_span_view {
	uint64_t id;        /* exported: unique in the trace, never 0 */
	uint64_t parent_id; /* exported; 0 = none */
	uint64_t guest_id;  /* as the guest numbers it: the same in each run */
	uint64_t guest_parent_id;
	uint64_t start_ns; /* since 1970-01-01 UTC */
	uint64_t end_ns;   /* >= start_ns; of an open span, start_ns */
	uint64_t sequence; /* order of opening, shared with events, from 1 */
	const struct gt_site_view *site;
	const struct gt_field *fields; /* late ones behind the opening's */
	size_t field_count;
	const struct gt_event_view *events; /* counters are not among them */
	size_t event_count;
	uint64_t dropped_events; /* shown to `event`, too many to keep */
	uint64_t dropped_fields;
	const struct gt_link *links;
	size_t link_count;
	enum gt_status status;
	struct gt_text status_text;
	uint32_t vcpu;       /* that opened it */
	uint32_t close_vcpu; /* that closed it */
	uint32_t level;      /* of nesting, at the opening */
	unsigned flags;      /* enum gt_span_flag */
	bool entered;        /* opened and entered by one record: GT_SPAN */
	/* The parent is no span of this run: it is the run's --traceparent, or
	 * with `trace` the one that a request named. */
	bool parent_remote;
	const struct gt_span_trace *trace; /* NULL: the run's own */
};

/* Why a vCPU left the guest. */
enum gt_exit_reason {
	GT_EXIT_OTHER = 0,
	GT_EXIT_IO = 1,
	GT_EXIT_MMIO = 2,
	GT_EXIT_HALT = 3,
	GT_EXIT_SHUTDOWN = 4,
	GT_EXIT_EXCEPTION = 5,
	GT_EXIT_INTERRUPTED = 6,
	GT_EXIT_TIMEOUT = 7,
	GT_EXIT_ERROR = 8,
};

#define GT_EXIT_REASONS 16u

enum gt_host_span_kind {
	GT_HOST_GUEST = 1, /* a vCPU in the guest: from an entry to an exit */
	GT_HOST_EXIT = 2,  /* out of it: from that exit to the next entry */
	GT_HOST_WORK = 3,  /* the VMM's own, see gt_host_span_begin() */
};

/*
 * What the host did meanwhile. The stretches of one vCPU (GT_HOST_GUEST and
 * GT_HOST_EXIT in turn) follow each other without gap or overlap, from its
 * first entry to its last exit; GT_HOST_WORK lies within an exit of its vCPU.
 */
struct gt_host_span_view {
	uint64_t id;        /* exported: unique in the trace, never 0 */
	uint64_t parent_id; /* exported; the run's id where no span was open */
	uint64_t start_ns;  /* since 1970-01-01 UTC */
	uint64_t end_ns;    /* >= start_ns */
	enum gt_host_span_kind kind;
	enum gt_exit_reason
		reason; /* GUEST: why it ended; EXIT: why it began */
	uint32_t vcpu;
	uint16_t port;       /* of GT_EXIT_IO, else 0 */
	bool tracing;        /* the exit was made to hand over records */
	struct gt_text name; /* of GT_HOST_WORK; else "guest", "exit" */
	/* Of the duration: its thread was ready, but did not run. Estimated. */
	uint64_t waiting_ns;
	unsigned flags; /* GT_SPAN_ADJUSTED, GT_SPAN_INTERRUPTED */
	const struct gt_span_trace *trace; /* of parent_id; NULL: the run's */
};

/*
 * Records of one vCPU that are missing, and what is known of when they were
 * made: behind `from_ns`, and by `to_ns`. What is lost in one run is the sum of
 * these, but for frames of a capture that are damaged: of those nobody knows
 * when they were.
 */
struct gt_loss_view {
	uint64_t from_ns;  /* since 1970-01-01 UTC */
	uint64_t to_ns;    /* >= from_ns */
	uint64_t span_id;  /* that was entered when it was noticed, 0 = none */
	uint64_t sequence; /* of the record before it; 0 = none */
	uint32_t vcpu;
	uint64_t records; /* as in struct gt_losses, like the others */
	uint64_t overwritten_bytes;
	uint64_t bad_records;
	uint64_t bad_bytes;
};

struct gt_summary;

/* One run of one VM. */
struct gt_trace {
	uint32_t index; /* of this run among those one sink is shown, from 0 */
	uint8_t trace_id[16];
	uint64_t parent_id; /* above the run, 0 = none */
	uint64_t run_id;    /* of the run as a span: parent of its roots, linked
	                       to by spans that begin a part in another trace */
	uint64_t start_ns;  /* first clock sample, since 1970-01-01 UTC */
	int64_t monotonic_offset_ns; /* UTC time - CLOCK_MONOTONIC */
	int64_t boottime_offset_ns;  /* CLOCK_BOOTTIME - CLOCK_MONOTONIC */
	uint32_t vcpus;
	uint32_t flags;            /* W3C trace flags */
	struct gt_text guest_name; /* the guest's file name, for example */
	struct gt_text vm_name;
	struct gt_text backend; /* "kvm", "emulated", or the embedder's own */
	struct gt_text guest_build_id; /* of its image, in hex */
	struct gt_text vm_id;          /* no other VM has it */
	struct gt_text host_name;   /* where it ran; each is empty if unknown */
	struct gt_text trace_state; /* W3C tracestate above the run */
	/*
	 * NULL as long as the guest runs. Then its ending, status and message
	 * are known: before the spans that were open at the end are closed.
	 */
	const struct gt_summary *summary;
	/*
	 * What has been counted so far, also while the guest runs; its ending,
	 * end and clock are not known. It changes with each record. May be
	 * NULL.
	 */
	const struct gt_summary *so_far;
};

/* What did not arrive, and why. All of them count from the start of the run. */
struct gt_losses {
	uint64_t records; /* the guest found no room */
	uint64_t strings_cut;
	uint64_t overwritten_bytes; /* flight recorder: gone too early */
	uint64_t bad_records; /* did not decode; one per damaged stretch, too */
	uint64_t bad_bytes;   /* skipped to find the next block or frame */
	uint64_t bad_requests; /* doorbells with unusable registers or memory */
	uint64_t unknown_spans;  /* closed, entered, ... without being open */
	uint64_t replaced_spans; /* an open id was opened again */
	uint64_t evicted_spans;  /* over the quota: ended early */
	uint64_t dropped_events; /* over the quota: not kept in spans */
	uint64_t dropped_fields;
	uint64_t adjusted_records; /* time outside the run: moved into it */
	uint64_t late_records;     /* out of order on their vCPU */
	uint64_t cut_bytes; /* the capture ends in the middle of a frame */
	/* Of the Hyperlight wires: */
	uint64_t repeated_batches; /* the same once more: not shown again */
	uint64_t unknown_kinds;    /* events of a newer guest: skipped */
	uint64_t crowded_names;    /* over the limit: shown as a field */
	/* Of all wires: */
	uint64_t bad_contexts; /* no traceparent or tracestate: shown as a
	                          field */
	uint64_t quota_requests; /* over a quota: neither doorbells nor batches
	                            were served */
	uint64_t quota_exits;    /* over a quota: not shown */
};

/* GT_ENDING_SNAPSHOT: of what gt_host_snapshot() wrote. */
enum gt_ending {
	GT_ENDING_UNKNOWN = 0, /* the capture has no end */
	GT_ENDING_HALTED = 1,
	GT_ENDING_ABORTED = 2,  /* abort or exception */
	GT_ENDING_SHUTDOWN = 3, /* triple fault */
	GT_ENDING_TIMEOUT = 4,
	GT_ENDING_INTERRUPTED = 5, /* by the host's user */
	GT_ENDING_FAILED = 6,      /* the VMM itself */
	GT_ENDING_SNAPSHOT = 7,    /* none: the run went on */
};

/* Where the host's idea of the TSC's rate comes from. */
enum gt_clock_source {
	GT_CLOCK_READINGS = 0,   /* paired readings of both clocks alone */
	GT_CLOCK_HYPERVISOR = 1, /* KVM_GET_TSC_KHZ */
	GT_CLOCK_CPUID = 2,      /* leaf 15h or 40000010h */
	GT_CLOCK_KERNEL = 3,
};

enum gt_clock_flag {
	GT_CLOCK_NOT_INVARIANT = 1, /* the CPU does not promise a fixed rate */
	GT_CLOCK_WARPED = 2,        /* the TSC went back between vCPUs */
	GT_CLOCK_RATE_DIFFERS = 4,  /* readings contradict the source */
	GT_CLOCK_MOVED = 8,         /* offset or scaling changed in the run */
	GT_CLOCK_OUTSIDE = 16,      /* `outside` is not 0 */
	GT_CLOCK_ESTIMATED = 32,    /* the VMM knew no offset, batches told */
};

struct gt_clock_summary {
	uint64_t error_bound_ns; /* every time is at most this far off */
	uint64_t frequency_hz;   /* of the host's TSC; 0: not known */
	enum gt_clock_source source;
	unsigned flags;  /* enum gt_clock_flag */
	uint64_t pieces; /* straight lines the times were placed on */
	/* Times with no reading before or behind: put on the nearest one. */
	uint64_t outside;
};

struct gt_summary {
	enum gt_ending ending;
	uint32_t status;        /* the guest's own, when halted */
	struct gt_text message; /* the abort's, for example */
	uint64_t end_ns;
	struct gt_clock_summary clock;
	uint64_t spans;
	uint64_t events;
	uint64_t counters;
	uint64_t records;
	uint64_t record_bytes;
	uint64_t exits[GT_EXIT_REASONS]; /* by enum gt_exit_reason */
	uint64_t tracing_exits; /* of those: made to hand over records */
	uint64_t tracing_ns;    /* host time spent on them */
	struct gt_losses losses;
	const uint64_t *lost_records; /* of `losses`, by vCPU; NULL: unknown */
	uint64_t guest_ns; /* that vCPUs were inside the guest, summed up */
};

/*
 * `begin` and `end` frame each trace; `finish` comes once, behind the last one,
 * and returns what failed late; `free` releases the sink in any state. `open`
 * comes at the opening of a span in the order of time per vCPU, `close` when it
 * has ended and is complete. `event` and `counter` come at once; an event that
 * its span has kept is in `close` again. `host_span` comes when a stretch of
 * the host is over, per vCPU in the order of their starts, between the records
 * of the guest or behind them; the VMM's own work comes when it is over, thus
 * behind what is part of it. `loss` comes when it is noticed, before the next
 * record of its vCPU that is there. NULL functions are skipped.
 */
struct gt_sink {
	int (*begin)(struct gt_sink *, const struct gt_trace *);
	int (*open)(struct gt_sink *, const struct gt_trace *,
	            const struct gt_span_view *);
	int (*close)(struct gt_sink *, const struct gt_trace *,
	             const struct gt_span_view *);
	int (*event)(struct gt_sink *, const struct gt_trace *,
	             const struct gt_event_view *);
	int (*counter)(struct gt_sink *, const struct gt_trace *,
	               const struct gt_event_view *);
	int (*host_span)(struct gt_sink *, const struct gt_trace *,
	                 const struct gt_host_span_view *);
	int (*end)(struct gt_sink *, const struct gt_trace *,
	           const struct gt_summary *);
	int (*finish)(struct gt_sink *);
	void (*free)(struct gt_sink *);
	int (*loss)(struct gt_sink *, const struct gt_trace *,
	            const struct gt_loss_view *);
};

/* Where a format's bytes go. `write` takes all of them or returns < 0. */
struct gt_output {
	int (*write)(void *context, const void *bytes, size_t count);
	void *context;
};

/*
 * Where the files of a format go that has several. `create` stores where the
 * bytes of a new file go, until the sink is freed; its name is relative, of
 * letters, digits, `_`, and at most one `.` and one `/`. It returns 0 or < 0.
 */
struct gt_directory {
	int (*create)(void *context, const char *name,
	              struct gt_output *ret_output);
	void *context;
};

/*
 * One constructor per format. Each stores a new sink that the caller owns and
 * ends with its `free`; `output` is copied and must outlive the sink. They
 * return 0 or -ENOMEM; html also -ENOTSUP, if it was not built in.
 *
 *   tree      text: the spans and events of each trace, indented
 *   perfetto  Perfetto's protobuf trace (TracePacket, TrackEvent)
 *   chrome    Chrome's JSON trace events
 *   otlp_json OTLP/JSON, one TracesData object per line
 *   folded    one line per stack: name;name;name self-time-in-ns
 *   folded_exits  the same with the time of VM exits inside of each span
 *   csv       one line per span, loss and run, RFC 4180
 *   html      one page for a browser, with a timeline; needs nothing else
 *   report    text: header, tree, names with times, where the time went, losses
 *   otlp_protobuf  ExportTraceServiceRequests of opentelemetry-proto, one
 *             behind the other: together they are one message
 *   report_json  the same as one JSON object, report.md
 *   diff_json    what changed from the first trace to the second
 *   sqlite    a database of SQLite with all traces, query.md: made in memory,
 *             written when it is finished; -ENOTSUP, if it was not built in
 */
int gt_tree_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_perfetto_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_chrome_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_otlp_json_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_otlp_protobuf_new(const struct gt_output *output,
                         struct gt_sink **ret_sink);
int gt_folded_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_folded_exits_new(const struct gt_output *output,
                        struct gt_sink **ret_sink);
int gt_csv_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_html_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_report_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_report_json_new(const struct gt_output *output,
                       struct gt_sink **ret_sink);
int gt_diff_json_new(const struct gt_output *output, struct gt_sink **ret_sink);
int gt_sqlite_new(const struct gt_output *output, struct gt_sink **ret_sink);

/*
 * The same with what each trace is called, by its index: the column `capture`
 * of its runs. `labels`, which stay the caller's, must outlive the sink; NULL:
 * none.
 */
int gt_sqlite_with(const struct gt_output *output, const char *const *labels,
                   uint32_t label_count, struct gt_sink **ret_sink);

struct gt_analysis;

/* How a text for people looks. Zeros are the defaults. */
struct gt_report_options {
	size_t size;      /* sizeof(struct gt_report_options) */
	unsigned columns; /* of the terminal: longer lines are cut, and there
	                     are bars; 0: neither */
	bool colours;     /* SGR sequences */
	/* Which spans the tree shows; those above one of them stay. */
	bool no_tree;
	bool exits;               /* VM exits and the VMM's own spans as well */
	uint32_t depth;           /* that many levels; 0: all */
	uint64_t min_duration_ns; /* spans that took at least this */
	const char *name;         /* spans of a name that fnmatch(3) finds, with
	                             what is below them; NULL: all */
	uint32_t top;             /* rows of the table of names; 0: all */
	/*
	 * The durations of spans whose name fnmatch(3) finds, in buckets,
	 * instead of anything else but the header; NULL: none.
	 */
	const char *histogram;
	const struct gt_analysis *analysis; /* analysis.h; NULL: none of it */
	/*
	 * Of gt_tree_with(): about how much memory may be kept for a run. Over
	 * it the older half is left out, and the text says so; 0: any.
	 */
	size_t max_bytes;
};

/*
 * Text for people: `report` and `tree` as above; `follow` shows each span that
 * has no parent when all below it has ended, at once; `diff` what changed per
 * name from the first trace it is shown to the second. The strings of
 * `options`, which may be NULL, must outlive the sink. 0 or -ENOMEM.
 */
int gt_report_with(const struct gt_output *output,
                   const struct gt_report_options *options,
                   struct gt_sink **ret_sink);
int gt_tree_with(const struct gt_output *output,
                 const struct gt_report_options *options,
                 struct gt_sink **ret_sink);
int gt_follow_with(const struct gt_output *output,
                   const struct gt_report_options *options,
                   struct gt_sink **ret_sink);
int gt_diff_with(const struct gt_output *output,
                 const struct gt_report_options *options,
                 struct gt_sink **ret_sink);

/*
 * The same for the Common Trace Format 1.8: the files `metadata`, `vcpu_N` and
 * `vcpu_N_host`. With `many`, which more than one run needs, each run has its
 * own below `run_INDEX/`.
 */
int gt_ctf_new(const struct gt_directory *directory, bool many,
               struct gt_sink **ret_sink);

/*
 * The tables of a database as files NAME.csv, and `schema.sql` and
 * `views.sql`: query.md. `labels` as above.
 */
int gt_tables_new(const struct gt_directory *directory,
                  const char *const *labels, uint32_t label_count,
                  struct gt_sink **ret_sink);

#ifdef __cplusplus
}
#endif

#endif

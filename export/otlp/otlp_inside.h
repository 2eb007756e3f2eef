/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of the encoder: otlp.c makes the guest's spans,
 * otlp_run.c and otlp_host.c those that no guest recorded, otlp_events.c their
 * events, and otlp_requests.c takes them all. After an error, which is
 * out.error, the sink puts nothing any more.
 */
#ifndef GUESTTRACE_OTLP_INSIDE_H
#define GUESTTRACE_OTLP_INSIDE_H

#include "otlp.h"
#include "otlp_attributes.h"
#include "otlp_sites.h"
#include "export/run/runs.h"

/* Attributes that one span mostly shares with the one before, encoded. */
struct gt__otlp_last_place {
	struct gt__otlp_place place;
	struct gt__out encoded; /* nothing yet: none is known */
};

struct gt__otlp_run {
	struct gt__run head;
	struct gt__otlp_sites span_sites;
	struct gt__otlp_sites event_sites;
	struct gt__out events; /* a buffer only: of the run, so far */
	uint32_t event_count;
	uint64_t events_weight;
	uint32_t event_spans;
	uint64_t first_event_ns;
	uint64_t last_event_ns;
	uint64_t span_id;
};

struct gt__otlp_sink {
	struct gt_sink sink;
	const struct gt__otlp_encoding *encoding;
	enum gt_otlp_signal signal;
	struct gt__otlp_encoder_options options;
	struct gt_output output;   /* unless options.request is set */
	struct gt_field *resource; /* room for it */
	struct gt__out out;        /* a buffer only: the request begun */
	struct gt__out scratch;    /* a buffer only: a part of it */
	struct gt__out further;    /* likewise: events behind the first */
	struct gt__otlp_last_place span_place;
	struct gt__otlp_last_place event_place;
	struct gt__run *runs;
	struct gt__otlp_fields fields; /* of one span, without its kind */
	struct gt__otlp_fields cut;    /* what limits leave of them */
	bool is_limited;               /* by any but events */
	struct gt__otlp_failure failure; /* of the span that is closed */
	struct gt_field error_type;
	const struct gt_trace *trace; /* whose request is begun, or NULL */
	size_t first;                 /* where its spans begin */
	size_t mark;                  /* for the encoding */
	uint32_t spans;
};

/* Trace flags as the sampler has them. */
static inline uint32_t gt__otlp_flags(const struct gt__otlp_sink *x,
                                      const uint8_t trace_id[16],
                                      uint32_t flags)
{
	const struct gt_sampler *sampler = x->options.sampler;

	if (!sampler || !sampler->ignores_parent)
		return flags;
	return (flags & ~(uint32_t)GT_TRACE_SAMPLED) |
	       gt_sampled_by_id(sampler, trace_id);
}

/*
 * Puts the span into its trace: `own`, or NULL: the run's; `remote`: of the
 * parent.
 */
static inline void gt__otlp_set_trace(const struct gt__otlp_sink *x,
                                      struct gt__otlp_span *span,
                                      const struct gt_trace *trace,
                                      const struct gt_span_trace *own,
                                      bool remote)
{
	uint32_t flags = own ? own->flags : trace->flags;

	span->trace_id = own ? own->trace_id : trace->trace_id;
	flags = gt__otlp_flags(x, span->trace_id, flags);
	span->trace_state = own ? own->trace_state : trace->trace_state;
	span->flags = (flags & 0xff) | GT__OTLP_HAS_REMOTE |
	              (remote ? GT__OTLP_REMOTE : 0);
}

/* Then gt__otlp_leave_out() is to be called instead of gt__otlp_put_span(). */
static inline bool gt__otlp_is_unsampled(const struct gt__otlp_sink *x,
                                         const struct gt__otlp_span *span)
{
	return x->options.sampler && !(span->flags & GT_TRACE_SAMPLED);
}

/* ---- otlp.c ---- */

/*
 * Stores a new sink of `size` bytes that begins with a struct gt__otlp_sink,
 * and has `begin`, `finish` and `free`: 0 or -ENOMEM. `output` is for requests
 * that nobody takes.
 */
int gt__otlp_sink_new(size_t size, enum gt_otlp_signal signal,
                      const struct gt__otlp_encoding *encoding,
                      const struct gt__otlp_encoder_options *options,
                      const struct gt_output *output,
                      struct gt__otlp_sink **ret_sink);
void gt__otlp_sink_free(struct gt_sink *sink);

/* ---- otlp_requests.c ---- */

/* NULL after an error, which a trace that has not begun is. */
struct gt__otlp_run *gt__otlp_find_run(struct gt__otlp_sink *x,
                                       const struct gt_trace *trace);

/*
 * Adds an item to the request, which is handed over when it is full; it counts
 * for `count`.
 */
int gt__otlp_put_item(struct gt__otlp_sink *x, const struct gt_trace *trace,
                      gt__otlp_put_fn *put, const void *item, uint32_t count);
int gt__otlp_put_span(struct gt__otlp_sink *x, const struct gt_trace *trace,
                      const struct gt__otlp_span *span);
int gt__otlp_leave_out(struct gt__otlp_sink *x);
/* Hands over what there is, if there is anything. */
void gt__otlp_end_request(struct gt__otlp_sink *x);

/* ---- otlp_events.c ---- */

/* The attributes of a place; of the same one as last, as they were. */
struct gt_text gt__otlp_encode_place(struct gt__otlp_sink *x,
                                     struct gt__otlp_last_place *last,
                                     enum gt__otlp_item item,
                                     const struct gt__otlp_place *place);
/*
 * A guest may set one field many times, and keys are unique in OTLP. Returns
 * what is to be freed once the attributes are encoded.
 */
struct gt_field *gt__otlp_make_unique(struct gt__otlp_sink *x,
                                      struct gt__otlp_attributes *attributes);
/* Encodes an event; `names_span`: its span is not the one it stands in. */
void gt__otlp_put_event(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                        struct gt__out *to, const struct gt_event_view *event,
                        bool names_span, bool first);

/*
 * Of one span, so that no request is larger than receivers take (4 MiB, gRPC's
 * default) and no line than readers of lines take (1 MiB). What they weigh is
 * the same in both encodings, so that spans of one id have the same events.
 */
#define GT__OTLP_EVENTS_MAX    512u
#define GT__OTLP_EVENTS_WEIGHT (512u << 10)
#define GT__OTLP_LOSS_WEIGHT   512u

uint64_t gt__otlp_weight(const struct gt_event_view *event);
/* How many of the first ones go into one span: one at least. */
size_t gt__otlp_fitting(const struct gt_event_view *events, size_t count);

/*
 * The attributes of an event, of a span, in a log. To be made unique, and their
 * room freed, when they are encoded.
 */
struct gt_field *gt__otlp_event_attributes(struct gt__otlp_sink *x,
                                           struct gt__otlp_run *run,
                                           enum gt__otlp_item item,
                                           const struct gt_event_view *event,
                                           struct gt__otlp_attributes *to);
/* Likewise of a loss: an event called LOST. Valid until scratch is used. */
void gt__otlp_loss_attributes(struct gt__otlp_sink *x, enum gt__otlp_item item,
                              const struct gt_loss_view *loss,
                              struct gt__otlp_attributes *to);

/* The same of a loss, which is of no site. */
void gt__otlp_put_loss(struct gt__otlp_sink *x, struct gt__out *to,
                       const struct gt_loss_view *loss, bool first);

/* ---- otlp_limits.c ---- */

bool gt__otlp_has_limits(const struct gt_otlp_limits *limits);
/*
 * Asked where x->is_limited, of attributes that have been made unique; what is
 * left out is counted.
 */
void gt__otlp_limit_span(struct gt__otlp_sink *x, struct gt__otlp_span *span);
void gt__otlp_limit_event(struct gt__otlp_sink *x,
                          struct gt__otlp_attributes *attributes);

/* ---- otlp_kind.c ---- */

/* SpanKind, as the guest says. */
uint32_t gt__otlp_kind(const struct gt_field *fields, size_t count);
/* The same; what says it is an attribute no more. */
uint32_t gt__otlp_find_kind(struct gt__otlp_sink *x,
                            struct gt__otlp_attributes *attributes);

#define GT__OTLP_KIND "otel.kind"

/* Most spans have no such field: the lengths of the keys tell. */
static inline uint32_t gt__otlp_take_kind(struct gt__otlp_sink *x,
                                          struct gt__otlp_attributes *a)
{
	size_t i;

	for (i = 0; i < a->guest_count; i++)
		if (a->guest[i].key.count == sizeof GT__OTLP_KIND - 1)
			return gt__otlp_find_kind(x, a);
	return GT__OTLP_INTERNAL;
}

/* ---- otlp_run.c ---- */

/* The events of a span for which it had no room, in spans below it. */
void gt__otlp_put_further(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                          const struct gt_span_view *span,
                          const struct gt_event_view *events, size_t count);

/* What the run is as a span: parent of what has none. */
uint64_t gt__otlp_run_id(const struct gt_trace *trace);
int gt__otlp_begin(struct gt_sink *sink, const struct gt_trace *trace);
int gt__otlp_event_outside(struct gt_sink *sink, const struct gt_trace *trace,
                           const struct gt_event_view *event);
int gt__otlp_counter(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event);
int gt__otlp_loss_outside(struct gt_sink *sink, const struct gt_trace *trace,
                          const struct gt_loss_view *loss);
int gt__otlp_end(struct gt_sink *sink, const struct gt_trace *trace,
                 const struct gt_summary *summary);
void gt__otlp_free_run(struct gt__otlp_run *run);

/* ---- otlp_host.c, of the sink ---- */

int gt__otlp_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_host_span_view *span);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * OTLP, in requests (opentelemetry/proto/collector/trace/v1), each with spans
 * of one run. In a file they stand one behind the other: of JSON, one
 * TracesData object per line; of protobuf, which merges what follows, one large
 * message.
 *
 * A run itself is a span named "run", written at its end, whose parent is the
 * one above the run: the guest's root spans are its children, and what was
 * recorded outside of any span (and every counter) are its events. When there
 * are many such events, they go into spans named "events" below it, so that
 * memory is bounded.
 */
#include "otlp.h"
#include "otlp_attributes.h"
#include "otlp_sites.h"
#include "runs.h"
#include <errno.h>
#include <string.h>

#define REQUEST_SPANS   512u
#define REQUEST_BYTES   (512u << 10)
#define RUN_EVENTS      512u /* events of a "run" or "events" span */
#define RUN_EVENT_BYTES (256u << 10)

/* SpanFlags of trace.proto */
#define FLAGS_HAS_REMOTE 0x100u
#define FLAGS_REMOTE     0x200u

#define TEXT(text) ((struct gt_text){(text), sizeof(text) - 1})

/* Attributes that one span mostly shares with the one before, encoded. */
struct place {
	struct gt__otlp_place place;
	struct gt__out encoded; /* nothing yet: none is known */
};

struct run {
	struct gt__run head;
	struct gt__otlp_sites span_sites;
	struct gt__otlp_sites event_sites;
	struct gt__out events; /* a buffer only: of the run, so far */
	uint32_t event_count;
	uint32_t event_spans;
	uint64_t first_event_ns;
	uint64_t last_event_ns;
	uint64_t span_id;
};

struct otlp {
	struct gt_sink sink;
	const struct gt__otlp_encoding *encoding;
	struct gt__otlp_encoder_options options;
	struct gt_output output;   /* unless options.request is set */
	struct gt_field *resource; /* room for it */
	struct gt__out out;        /* a buffer only: the request begun */
	struct gt__out scratch;    /* a buffer only: a part of it */
	struct place span_place;
	struct place event_place;
	struct gt__run *runs;
	const struct gt_trace *trace; /* whose request is begun, or NULL */
	size_t first;                 /* where its spans begin */
	size_t mark;                  /* for the encoding */
	uint32_t spans;
};

static struct run *find_run(struct otlp *x, const struct gt_trace *trace)
{
	struct run *run = gt__run_find(&x->runs, trace);

	if (!run && !x->out.error)
		x->out.error = -EINVAL;
	return x->out.error ? NULL : run;
}

/* ---- Requests ------------------------------------------------------------ */

/* Hands over the request in the buffer; its bytes stay there. */
static void hand_over(struct otlp *x, uint32_t spans)
{
	struct gt__out *o = &x->out;
	int rc;

	x->encoding->end(o, x->mark);
	if (o->error)
		return;
	if (x->options.request)
		rc = x->options.request(x->options.context, o->bytes, o->used,
		                        spans);
	else
		rc = x->output.write(x->output.context, o->bytes, o->used);
	if (rc < 0)
		o->error = rc;
}

static void end_request(struct otlp *x)
{
	if (x->trace)
		hand_over(x, x->spans);
	x->trace = NULL;
}

static void begin_request(struct otlp *x, const struct gt_trace *trace)
{
	size_t count =
		gt__otlp_resource(x->resource, trace, x->options.attributes,
	                          x->options.attribute_count);

	x->out.used = 0;
	x->mark = x->encoding->begin(&x->out, x->resource, count);
	x->first = x->out.used;
	x->trace = trace;
	x->spans = 0;
}

/* The last span, which begins at `from`, begins the next request instead. */
static void carry_over(struct otlp *x, size_t from,
                       const struct gt__otlp_span *span)
{
	x->out.used = from;
	hand_over(x, x->spans);
	x->out.used = x->first;
	x->spans = 0;
	x->encoding->span(&x->out, span, true);
}

static int put_span(struct otlp *x, const struct gt_trace *trace,
                    const struct gt__otlp_span *span)
{
	struct gt__out *o = &x->out;
	size_t from;

	if (x->options.begun)
		x->options.begun(x->options.context);
	if (x->trace != trace || x->spans >= x->options.spans_max) {
		end_request(x);
		begin_request(x, trace);
	}
	from = o->used;
	x->encoding->span(o, span, !x->spans);
	if (x->spans && o->used + GT__OTLP_END_BYTES > x->options.bytes_max)
		carry_over(x, from, span);
	x->spans++;
	return o->error;
}

/* ---- Spans --------------------------------------------------------------- */

static uint32_t at_most_u32(uint64_t value)
{
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static uint32_t span_flags(const struct gt_trace *trace, bool remote)
{
	return (trace->flags & 0xff) | FLAGS_HAS_REMOTE |
	       (remote ? FLAGS_REMOTE : 0);
}

static struct gt_text encode_place(struct otlp *x, struct place *last,
                                   bool event,
                                   const struct gt__otlp_place *place)
{
	struct gt_field host[GT__OTLP_PLACE_MAX];
	struct gt__out *to = &last->encoded;

	if (!to->used || memcmp(&last->place, place, sizeof *place) != 0) {
		to->used = 0;
		x->encoding->more(to, event, host, gt__otlp_place(host, place));
		last->place = *place;
		if (to->error)
			x->out.error = to->error;
	}
	return (struct gt_text){to->bytes, to->used};
}

static void put_event(struct otlp *x, struct run *run, struct gt__out *to,
                      const struct gt_event_view *e, bool names_span,
                      bool first)
{
	struct gt__otlp_place place = {e->vcpu, e->vcpu, e->level, e->flags};
	struct gt__otlp_event event = {
		.time_ns = e->time_ns,
		.attributes = {.guest = e->fields,
	                       .guest_count = e->field_count},
	};
	struct gt_field span_id;
	char hex[16];

	event.attributes.opening =
		gt__otlp_opening(&run->event_sites, x->encoding, true, e->site);
	event.attributes.place = encode_place(x, &x->event_place, true, &place);
	if (names_span && e->span_id) {
		gt__otlp_span_id(&span_id, e->span_id, hex);
		event.attributes.span_id = &span_id;
	}
	x->encoding->event(to, &event, first);
	if (run->event_sites.error)
		x->out.error = run->event_sites.error;
}

static struct gt_text put_events(struct otlp *x, struct run *run,
                                 const struct gt_span_view *span)
{
	struct gt__out *to = &x->scratch;
	size_t i;

	to->used = 0;
	for (i = 0; i < span->event_count; i++)
		put_event(x, run, to, &span->events[i], false, !i);
	if (to->error)
		x->out.error = to->error;
	return (struct gt_text){to->bytes, to->used};
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *v)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run = find_run(x, trace);
	struct gt__otlp_place place = {v->vcpu, v->close_vcpu, v->level,
	                               v->flags};
	struct gt__otlp_span span;

	if (!run)
		return x->out.error;
	span = (struct gt__otlp_span){
		.trace_id = trace->trace_id,
		.id = v->id,
		.parent_id = v->parent_id && !v->parent_remote ? v->parent_id
	                                                       : run->span_id,
		.flags = span_flags(trace, false),
		.start_ns = v->start_ns,
		.end_ns = v->end_ns,
		.attributes =
			{
				.guest = v->fields,
				.guest_count = v->field_count,
				.guest_id = v->guest_id,
			},
		.dropped_attributes = at_most_u32(v->dropped_fields),
		.dropped_events = at_most_u32(v->dropped_events),
		.links = v->links,
		.link_count = v->link_count,
		.status = v->status,
		.message = v->status_text,
	};
	span.attributes.opening =
		gt__otlp_opening(&run->span_sites, x->encoding, false, v->site);
	span.attributes.place = encode_place(x, &x->span_place, false, &place);
	if (run->span_sites.error)
		x->out.error = run->span_sites.error;
	if (v->event_count)
		span.events = put_events(x, run, v);
	return x->out.error ? x->out.error : put_span(x, trace, &span);
}

/* ---- The run ------------------------------------------------------------- */

static uint64_t own_id(const struct gt_trace *trace, uint32_t number)
{
	uint64_t id =
		gt__hash(GT__HASH, trace->trace_id, sizeof trace->trace_id);

	id = gt__hash(id, &trace->index, sizeof trace->index);
	id = gt__hash(id, &trace->start_ns, sizeof trace->start_ns);
	id = gt__hash(id, &number, sizeof number);
	return id ? id : 1;
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run;

	if (x->out.error)
		return x->out.error;
	run = gt__run_add(&x->runs, trace, sizeof *run);
	if (!run)
		return x->out.error = -ENOMEM;
	run->span_id = trace->run_id ? trace->run_id : own_id(trace, 0);
	return 0;
}

/* A span that no guest recorded, with the events that have gathered. */
static int put_synthetic(struct otlp *x, struct run *run, struct gt_text name,
                         struct gt__otlp_span *span,
                         const struct gt_summary *summary)
{
	struct gt_field host[GT__OTLP_RUN_MAX];
	struct gt__out *to = &x->scratch;

	to->used = 0;
	x->encoding->open(to, false, name, host,
	                  gt__otlp_synthetic(host, summary));
	if (to->error || run->events.error)
		return x->out.error = to->error ? to->error : run->events.error;
	span->trace_id = run->head.trace->trace_id;
	span->attributes.opening = (struct gt_text){to->bytes, to->used};
	span->events = (struct gt_text){run->events.bytes, run->events.used};
	put_span(x, run->head.trace, span);
	run->events.used = 0;
	run->event_count = 0;
	return x->out.error;
}

static int put_event_span(struct otlp *x, struct run *run)
{
	const struct gt_trace *trace = run->head.trace;
	struct gt__otlp_span span = {
		.id = own_id(trace, ++run->event_spans),
		.parent_id = run->span_id,
		.flags = span_flags(trace, false),
		.start_ns = run->first_event_ns,
		.end_ns = run->last_event_ns,
	};

	return put_synthetic(x, run, TEXT("events"), &span, NULL);
}

static int gather(struct otlp *x, struct run *run,
                  const struct gt_event_view *event)
{
	if (run->event_count >= RUN_EVENTS ||
	    run->events.used >= RUN_EVENT_BYTES)
		put_event_span(x, run);
	if (!run->event_count || event->time_ns < run->first_event_ns)
		run->first_event_ns = event->time_ns;
	if (!run->event_count || event->time_ns > run->last_event_ns)
		run->last_event_ns = event->time_ns;
	put_event(x, run, &run->events, event, true, !run->event_count++);
	return x->out.error;
}

static int show_event(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_event_view *event)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run = find_run(x, trace);

	if (!run || event->span_id)
		return x->out.error; /* its span brings it along */
	return gather(x, run, event);
}

/* No span keeps its counters: they are the run's. */
static int show_counter(struct gt_sink *sink, const struct gt_trace *trace,
                        const struct gt_event_view *event)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run = find_run(x, trace);

	return run ? gather(x, run, event) : x->out.error;
}

static enum gt_status run_status(const struct gt_summary *summary)
{
	switch (summary->ending) {
	case GT_ENDING_UNKNOWN:
	case GT_ENDING_INTERRUPTED:
	case GT_ENDING_SNAPSHOT:
		return GT_STATUS_UNSET;
	case GT_ENDING_HALTED:
		return summary->status ? GT_STATUS_ERROR : GT_STATUS_UNSET;
	case GT_ENDING_ABORTED:
	case GT_ENDING_SHUTDOWN:
	case GT_ENDING_TIMEOUT:
	case GT_ENDING_FAILED:
		break;
	}
	return GT_STATUS_ERROR;
}

static void free_run(struct run *run)
{
	gt__otlp_sites_fini(&run->span_sites);
	gt__otlp_sites_fini(&run->event_sites);
	gt__out_fini(&run->events);
	free(run);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run = find_run(x, trace);
	struct gt__otlp_span span = {
		.parent_id = trace->parent_id,
		.flags = span_flags(trace, trace->parent_id != 0),
		.start_ns = trace->start_ns,
		.end_ns = summary->end_ns > trace->start_ns ? summary->end_ns
	                                                    : trace->start_ns,
		.status = run_status(summary),
		.message = summary->message,
	};

	if (!run)
		return x->out.error;
	span.id = run->span_id;
	put_synthetic(x, run, TEXT("run"), &span, summary);
	end_request(x); /* the trace is the caller's from here on */
	gt__run_remove(&x->runs, &run->head);
	free_run(run);
	return x->out.error;
}

/* ---- The sink ------------------------------------------------------------ */

static int finish(struct gt_sink *sink)
{
	struct otlp *x = (struct otlp *)sink;

	end_request(x);
	return x->out.error;
}

static void free_sink(struct gt_sink *sink)
{
	struct otlp *x = (struct otlp *)sink;
	struct gt__run *run;

	if (!x)
		return;
	while ((run = x->runs)) {
		x->runs = run->next;
		free_run((struct run *)run);
	}
	gt__out_fini(&x->out);
	gt__out_fini(&x->scratch);
	gt__out_fini(&x->span_place.encoded);
	gt__out_fini(&x->event_place.encoded);
	free(x->resource);
	free(x);
}

static int new_sink(const struct gt__otlp_encoding *encoding,
                    const struct gt__otlp_encoder_options *options,
                    const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct otlp *x = calloc(1, sizeof *x);

	if (!x)
		return -ENOMEM;
	x->sink = (struct gt_sink){
		.begin = begin,
		.close = close_span,
		.event = show_event,
		.counter = show_counter,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	x->encoding = encoding;
	x->options = *options;
	x->output = *output;
	if (!x->options.spans_max)
		x->options.spans_max = REQUEST_SPANS;
	if (!x->options.bytes_max)
		x->options.bytes_max = REQUEST_BYTES;
	x->resource = calloc(options->attribute_count + GT__OTLP_RESOURCE_MAX,
	                     sizeof *x->resource);
	if (!x->resource) {
		free(x);
		return -ENOMEM;
	}
	*ret_sink = &x->sink;
	return 0;
}

int gt_otlp_json_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return new_sink(&gt__otlp_json, &(struct gt__otlp_encoder_options){0},
	                output, ret_sink);
}

int gt_otlp_protobuf_new(const struct gt_output *output,
                         struct gt_sink **ret_sink)
{
	return new_sink(&gt__otlp_protobuf,
	                &(struct gt__otlp_encoder_options){0}, output,
	                ret_sink);
}

int gt__otlp_json_requests_new(const struct gt__otlp_encoder_options *options,
                               struct gt_sink **ret_sink)
{
	return new_sink(&gt__otlp_json, options, &(struct gt_output){0},
	                ret_sink);
}

int gt__otlp_protobuf_requests_new(
	const struct gt__otlp_encoder_options *options,
	struct gt_sink **ret_sink)
{
	return new_sink(&gt__otlp_protobuf, options, &(struct gt_output){0},
	                ret_sink);
}

/* SPDX-License-Identifier: MIT */
/*
 * OTLP/JSON, one TracesData object (opentelemetry/proto/trace/v1/trace.proto)
 * per line, each with the spans of one run.
 *
 * A run itself is a span named "run", written at its end, whose parent is the
 * one above the run: the guest's root spans are its children, and what was
 * recorded outside of any span (and every counter) are its events. Its id
 * follows from the trace. When there are many such events, they go into spans
 * named "events" below it, so that memory is bounded.
 */
#include "escape.h"
#include "otlp_attributes.h"
#include "runs.h"
#include "words.h"
#include <errno.h>

#ifndef GT_VERSION
#define GT_VERSION "0.1.0"
#endif

#define LINE_SPANS      512u /* spans of one line */
#define LINE_BYTES      (256u << 10)
#define RUN_EVENTS      512u /* events of a "run" or "events" span */
#define RUN_EVENT_BYTES (256u << 10)

/* SpanFlags of trace.proto */
#define FLAGS_HAS_REMOTE 0x100u
#define FLAGS_REMOTE     0x200u

#define KIND_INTERNAL 1u /* SpanKind */

struct run {
	struct gt__run head;
	struct gt__out events; /* a buffer only: of the run, so far */
	uint32_t event_count;
	uint32_t event_spans;
	uint64_t first_event_ns;
	uint64_t last_event_ns;
	uint64_t span_id;
};

struct otlp {
	struct gt_sink sink;
	struct gt__out out;
	struct gt__run *runs;
	const struct gt_trace *line; /* whose line is begun, or NULL */
	uint32_t line_spans;
	uint64_t line_bytes;
};

static int done(struct otlp *x, int rc)
{
	if (rc && !x->out.error)
		x->out.error = rc;
	return gt__out_record(&x->out);
}

static struct run *find_run(struct otlp *x, const struct gt_trace *trace)
{
	struct run *run = gt__run_find(&x->runs, trace);

	if (!run && !x->out.error)
		x->out.error = -EINVAL;
	return x->out.error ? NULL : run;
}

/* ---- Lines --------------------------------------------------------------- */

static void put_resource(struct gt__out *o, const struct gt_trace *trace)
{
	static const struct gt_text unknown = {"unknown_service", 15};

	gt__put(o, "{\"resource\":{\"attributes\":[");
	gt__otlp_text(o, "service.name",
	              trace->guest_name.count ? trace->guest_name : unknown);
	gt__otlp_word(o, "host.arch", "amd64");
	gt__otlp_text(o, "guesttrace.vm", trace->vm_name);
	gt__otlp_text(o, "guesttrace.backend", trace->backend);
	gt__otlp_u64(o, "guesttrace.vcpus", trace->vcpus);
	gt__put(o, "]}");
}

static void end_line(struct otlp *x)
{
	if (x->line)
		gt__put(&x->out, "]}]}]}\n");
	x->line = NULL;
}

/* Begins a span in a line of its run's. */
static struct gt__out *next_span(struct otlp *x, const struct gt_trace *trace)
{
	struct gt__out *o = &x->out;

	if (x->line != trace || x->line_spans >= LINE_SPANS ||
	    x->line_bytes >= LINE_BYTES)
		end_line(x);
	if (x->line) {
		gt__put(o, ",");
	} else {
		gt__put(o, "{\"resourceSpans\":[");
		put_resource(o, trace);
		gt__put(o, ",\"scopeSpans\":[{\"scope\":{\"name\":"
		           "\"guesttrace\",\"version\":\"" GT_VERSION "\"},"
		           "\"spans\":[");
		x->line = trace;
		x->line_spans = 0;
		x->line_bytes = 0;
	}
	x->line_spans++;
	return o;
}

/* ---- Spans --------------------------------------------------------------- */

static void put_u64(struct gt__out *o, const char *key, uint64_t value)
{
	gt__put(o, ",\"");
	gt__put(o, key);
	gt__put(o, "\":\"");
	gt__put_u64(o, value);
	gt__put_char(o, '"');
}

static void put_u32(struct gt__out *o, const char *key, uint64_t value)
{
	gt__put(o, ",\"");
	gt__put(o, key);
	gt__put(o, "\":");
	gt__put_u64(o, value < UINT32_MAX ? value : UINT32_MAX);
}

static void put_id(struct gt__out *o, const char *key, uint64_t id)
{
	gt__put(o, ",\"");
	gt__put(o, key);
	gt__put(o, "\":\"");
	gt__put_hex(o, id, 16);
	gt__put_char(o, '"');
}

/* What every span begins with. */
static void put_head(struct gt__out *o, const struct gt_trace *trace,
                     uint64_t id, uint64_t parent_id, bool remote)
{
	uint64_t flags = (trace->flags & 0xff) | FLAGS_HAS_REMOTE;

	gt__put(o, "{\"traceId\":\"");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__put_char(o, '"');
	put_id(o, "spanId", id);
	if (parent_id)
		put_id(o, "parentSpanId", parent_id);
	put_u32(o, "flags", remote ? flags | FLAGS_REMOTE : flags);
	put_u32(o, "kind", KIND_INTERNAL);
}

static void put_times(struct gt__out *o, uint64_t start_ns, uint64_t end_ns)
{
	put_u64(o, "startTimeUnixNano", start_ns);
	put_u64(o, "endTimeUnixNano", end_ns > start_ns ? end_ns : start_ns);
}

static void put_event_view(struct gt__out *o, const struct gt_event_view *e,
                           bool names_span)
{
	gt__put(o, "{\"timeUnixNano\":\"");
	gt__put_u64(o, e->time_ns);
	gt__put(o, "\",\"name\":");
	gt__put_json(o, e->site->name);
	gt__otlp_begin(o, "attributes");
	gt__otlp_fields(o, e->fields, e->field_count);
	gt__otlp_site(o, e->site);
	gt__otlp_u64(o, "guesttrace.vcpu", e->vcpu);
	if (e->level)
		gt__otlp_u64(o, "guesttrace.nesting", e->level);
	gt__otlp_flags(o, e->flags);
	if (names_span && e->span_id) {
		gt__put(o, ",{\"key\":\"guesttrace.span_id\",\"value\":"
		           "{\"stringValue\":\"");
		gt__put_hex(o, e->span_id, 16);
		gt__put(o, "\"}}");
	}
	gt__put(o, "]}");
}

static void put_events(struct gt__out *o, const struct gt_span_view *span)
{
	size_t i;

	if (span->event_count) {
		gt__otlp_begin(o, "events");
		for (i = 0; i < span->event_count; i++) {
			if (i)
				gt__put_char(o, ',');
			put_event_view(o, &span->events[i], false);
		}
		gt__put_char(o, ']');
	}
	if (span->dropped_events)
		put_u32(o, "droppedEventsCount", span->dropped_events);
}

static void put_links(struct gt__out *o, const struct gt_span_view *span)
{
	size_t i;

	if (!span->link_count)
		return;
	gt__otlp_begin(o, "links");
	for (i = 0; i < span->link_count; i++) {
		gt__put(o, i ? ",{\"traceId\":\"" : "{\"traceId\":\"");
		gt__put_hex_bytes(o, span->links[i].trace_id, 16);
		gt__put_char(o, '"');
		put_id(o, "spanId", span->links[i].span_id);
		gt__put(o, ",\"attributes\":[]}");
	}
	gt__put_char(o, ']');
}

static void put_status(struct gt__out *o, enum gt_status status,
                       struct gt_text message)
{
	if (status == GT_STATUS_UNSET)
		return;
	gt__put(o, ",\"status\":{\"code\":");
	gt__put_u64(o, (uint64_t)status);
	if (status == GT_STATUS_ERROR && message.count) {
		gt__put(o, ",\"message\":");
		gt__put_json(o, message);
	}
	gt__put_char(o, '}');
}

static void put_attributes(struct gt__out *o, const struct gt_span_view *span)
{
	gt__otlp_begin(o, "attributes");
	gt__otlp_fields(o, span->fields, span->field_count);
	gt__otlp_site(o, span->site);
	gt__otlp_u64(o, "guesttrace.guest_id", span->guest_id);
	gt__otlp_u64(o, "guesttrace.vcpu", span->vcpu);
	if (span->close_vcpu != span->vcpu)
		gt__otlp_u64(o, "guesttrace.close_vcpu", span->close_vcpu);
	if (span->level)
		gt__otlp_u64(o, "guesttrace.nesting", span->level);
	gt__otlp_flags(o, span->flags);
	gt__put_char(o, ']');
	if (span->dropped_fields)
		put_u32(o, "droppedAttributesCount", span->dropped_fields);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run = find_run(x, trace);
	struct gt__out *o;
	uint64_t parent_id;
	size_t from;

	if (!run)
		return x->out.error;
	o = next_span(x, trace);
	from = o->used;
	parent_id = span->parent_id && !span->parent_remote ? span->parent_id
	                                                    : run->span_id;
	put_head(o, trace, span->id, parent_id, false);
	gt__put(o, ",\"name\":");
	gt__put_json(o, span->site->name);
	put_times(o, span->start_ns, span->end_ns);
	put_attributes(o, span);
	put_events(o, span);
	put_links(o, span);
	put_status(o, span->status, span->status_text);
	gt__put_char(o, '}');
	x->line_bytes += o->used - from;
	return done(x, 0);
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
	struct run *run = gt__run_add(&x->runs, trace, sizeof *run);

	if (!run)
		return done(x, -ENOMEM);
	run->span_id = own_id(trace, 0);
	return done(x, 0);
}

/* ,"events":[...] of what has gathered. */
static void put_gathered(struct gt__out *o, struct run *run)
{
	if (run->event_count) {
		gt__otlp_begin(o, "events");
		gt__put_bytes(o, run->events.bytes, run->events.used);
		gt__put_char(o, ']');
	}
	run->events.used = 0;
	run->event_count = 0;
}

static void put_event_span(struct otlp *x, struct run *run)
{
	const struct gt_trace *trace = run->head.trace;
	struct gt__out *o = next_span(x, trace);
	size_t from = o->used;

	put_head(o, trace, own_id(trace, ++run->event_spans), run->span_id,
	         false);
	gt__put(o, ",\"name\":\"events\"");
	put_times(o, run->first_event_ns, run->last_event_ns);
	gt__otlp_begin(o, "attributes");
	gt__otlp_true(o, "guesttrace.synthetic");
	gt__put_char(o, ']');
	put_gathered(o, run);
	gt__put_char(o, '}');
	x->line_bytes += o->used - from;
}

static void gather(struct otlp *x, struct run *run,
                   const struct gt_event_view *event)
{
	if (run->event_count >= RUN_EVENTS ||
	    run->events.used >= RUN_EVENT_BYTES)
		put_event_span(x, run);
	if (!run->event_count || event->time_ns < run->first_event_ns)
		run->first_event_ns = event->time_ns;
	if (!run->event_count || event->time_ns > run->last_event_ns)
		run->last_event_ns = event->time_ns;
	if (run->event_count++)
		gt__put_char(&run->events, ',');
	put_event_view(&run->events, event, true);
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run = find_run(x, trace);

	if (!run)
		return x->out.error;
	if (event->span_id)
		return done(x, 0); /* its span brings it along */
	gather(x, run, event);
	return done(x, run->events.error);
}

/* No span keeps its counters: they are the run's. */
static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *event)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run = find_run(x, trace);

	if (!run)
		return x->out.error;
	gather(x, run, event);
	return done(x, run->events.error);
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

static void put_run(struct otlp *x, struct run *run,
                    const struct gt_summary *summary)
{
	const struct gt_trace *trace = run->head.trace;
	struct gt__out *o = next_span(x, trace);

	put_head(o, trace, run->span_id, trace->parent_id,
	         trace->parent_id != 0);
	gt__put(o, ",\"name\":\"run\"");
	put_times(o, trace->start_ns, summary->end_ns);
	gt__otlp_begin(o, "attributes");
	gt__otlp_true(o, "guesttrace.synthetic");
	gt__otlp_outcome(o, summary);
	gt__put_char(o, ']');
	put_gathered(o, run);
	put_status(o, run_status(summary), summary->message);
	gt__put_char(o, '}');
}

static void free_run(struct run *run)
{
	gt__out_fini(&run->events);
	free(run);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct otlp *x = (struct otlp *)sink;
	struct run *run = find_run(x, trace);

	if (!run)
		return x->out.error;
	put_run(x, run, summary);
	end_line(x);
	gt__run_remove(&x->runs, &run->head);
	free_run(run);
	return gt__out_flush(&x->out);
}

static int finish(struct gt_sink *sink)
{
	struct otlp *x = (struct otlp *)sink;

	end_line(x);
	return gt__out_flush(&x->out);
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
	free(x);
}

int gt_otlp_json_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct otlp *x = calloc(1, sizeof *x);

	if (!x)
		return -ENOMEM;
	x->sink = (struct gt_sink){
		.begin = begin,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	gt__out_init(&x->out, output);
	*ret_sink = &x->sink;
	return 0;
}

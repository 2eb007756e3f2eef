/* SPDX-License-Identifier: MIT */
/*
 * A run itself is a span named "run", written at its end, whose parent is the
 * one above the run: the guest's root spans are its children, and what was
 * recorded outside of any span (and every counter, and every loss) are its
 * events. When there are many such events, they go into spans named "events"
 * below it, so that memory is bounded.
 */
#include "otlp_inside.h"
#include <errno.h>

#define TEXT(text) ((struct gt_text){(text), sizeof(text) - 1})

static uint64_t own_id(const struct gt_trace *trace, uint64_t span_id,
                       uint32_t number)
{
	uint64_t id =
		gt__hash(GT__HASH, trace->trace_id, sizeof trace->trace_id);

	id = gt__hash(id, &trace->index, sizeof trace->index);
	id = gt__hash(id, &trace->start_ns, sizeof trace->start_ns);
	if (span_id)
		id = gt__hash(id, &span_id, sizeof span_id);
	id = gt__hash(id, &number, sizeof number);
	return id ? id : 1;
}

uint64_t gt__otlp_run_id(const struct gt_trace *trace)
{
	return trace->run_id ? trace->run_id : own_id(trace, 0, 0);
}

int gt__otlp_begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__otlp_run *run;

	if (x->out.error)
		return x->out.error;
	run = gt__run_add(&x->runs, trace, sizeof *run);
	if (!run)
		return x->out.error = -ENOMEM;
	run->span_id = gt__otlp_run_id(trace);
	return 0;
}

/* A span that no guest recorded. */
static int put_synthetic(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                         struct gt_text name, struct gt__otlp_span *span,
                         const struct gt_summary *summary,
                         const struct gt__otlp_failure *failure)
{
	struct gt_field host[GT__OTLP_RUN_MAX];
	struct gt__out *to = &x->scratch;

	if (gt__otlp_is_unsampled(x, span))
		return gt__otlp_leave_out(x);
	to->used = 0;
	x->encoding->open(to, GT__OTLP_SPAN, name, host,
	                  gt__otlp_synthetic(host, summary, failure));
	if (to->error)
		x->out.error = to->error;
	if (x->out.error)
		return x->out.error;
	span->attributes.opening = (struct gt_text){to->bytes, to->used};
	return gt__otlp_put_span(x, run->head.trace, span);
}

/* The same with the events that have gathered. */
static int put_gathered(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                        struct gt_text name, struct gt__otlp_span *span,
                        const struct gt_summary *summary,
                        const struct gt__otlp_failure *failure)
{
	if (run->events.error)
		return x->out.error = run->events.error;
	span->events = (struct gt_text){run->events.bytes, run->events.used};
	put_synthetic(x, run, name, span, summary, failure);
	run->events.used = 0;
	run->event_count = 0;
	run->events_weight = 0;
	return x->out.error;
}

static int put_event_span(struct gt__otlp_sink *x, struct gt__otlp_run *run)
{
	const struct gt_trace *trace = run->head.trace;
	struct gt__otlp_span span = {
		.id = own_id(trace, 0, ++run->event_spans),
		.parent_id = run->span_id,
		.start_ns = run->first_event_ns,
		.end_ns = run->last_event_ns,
	};

	gt__otlp_set_trace(x, &span, trace, NULL, false);
	return put_gathered(x, run, TEXT("events"), &span, NULL, NULL);
}

static void put_part(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                     struct gt__otlp_span *span,
                     const struct gt_event_view *events, size_t count)
{
	struct gt__out *to = &x->further;
	size_t i;

	to->used = 0;
	span->start_ns = span->end_ns = events[0].time_ns;
	for (i = 0; i < count; i++) {
		uint64_t time_ns = events[i].time_ns;

		gt__otlp_put_event(x, run, to, &events[i], true, !i);
		if (time_ns < span->start_ns)
			span->start_ns = time_ns;
		if (time_ns > span->end_ns)
			span->end_ns = time_ns;
	}
	if (to->error)
		x->out.error = to->error;
	span->events = (struct gt_text){to->bytes, to->used};
	put_synthetic(x, run, TEXT("events"), span, NULL, NULL);
}

void gt__otlp_put_further(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                          const struct gt_span_view *above,
                          const struct gt_event_view *events, size_t count)
{
	const struct gt_trace *trace = run->head.trace;
	uint32_t number = 0;

	while (count && !x->out.error) {
		size_t part = gt__otlp_fitting(events, count);
		struct gt__otlp_span span = {
			.id = own_id(trace, above->id, ++number),
			.parent_id = above->id,
		};

		gt__otlp_set_trace(x, &span, trace, above->trace, false);
		put_part(x, run, &span, events, part);
		events += part;
		count -= part;
	}
}

/* For one event more, of that time and weight. */
static void make_room(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                      uint64_t time_ns, uint64_t weight)
{
	if (run->event_count &&
	    (run->event_count >= GT__OTLP_EVENTS_MAX ||
	     run->events_weight + weight > GT__OTLP_EVENTS_WEIGHT))
		put_event_span(x, run);
	run->events_weight += weight;
	if (!run->event_count || time_ns < run->first_event_ns)
		run->first_event_ns = time_ns;
	if (!run->event_count || time_ns > run->last_event_ns)
		run->last_event_ns = time_ns;
}

static int gather(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                  const struct gt_event_view *event)
{
	make_room(x, run, event->time_ns, gt__otlp_weight(event));
	gt__otlp_put_event(x, run, &run->events, event, true,
	                   !run->event_count++);
	return x->out.error;
}

int gt__otlp_event_outside(struct gt_sink *sink, const struct gt_trace *trace,
                           const struct gt_event_view *event)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(x, trace);

	if (!run || event->span_id) /* its span brings it along */
		return x->out.error;
	if (x->options.has_logs || x->options.events != GT_OTLP_EVENTS_SPANS)
		return 0;
	return gather(x, run, event);
}

/* No span keeps its counters: they are the run's. */
int gt__otlp_counter(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(x, trace);

	return run ? gather(x, run, event) : x->out.error;
}

/* A span is told at its end; the run has the losses of all, as they come. */
int gt__otlp_loss_outside(struct gt_sink *sink, const struct gt_trace *trace,
                          const struct gt_loss_view *loss)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(x, trace);

	if (!run)
		return x->out.error;
	make_room(x, run, loss->to_ns, GT__OTLP_LOSS_WEIGHT);
	gt__otlp_put_loss(x, &run->events, loss, !run->event_count++);
	return x->out.error;
}

void gt__otlp_free_run(struct gt__otlp_run *run)
{
	gt__otlp_sites_fini(&run->span_sites);
	gt__otlp_sites_fini(&run->event_sites);
	gt__out_fini(&run->events);
	free(run);
}

int gt__otlp_end(struct gt_sink *sink, const struct gt_trace *trace,
                 const struct gt_summary *summary)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(x, trace);
	struct gt__otlp_failure failure;
	bool failed = gt__otlp_failure(summary, &failure);
	struct gt__otlp_span span = {
		.parent_id = trace->parent_id,
		.start_ns = trace->start_ns,
		.end_ns = summary->end_ns > trace->start_ns ? summary->end_ns
	                                                    : trace->start_ns,
		.status = failed ? GT_STATUS_ERROR : GT_STATUS_UNSET,
	};

	if (!run)
		return x->out.error;
	span.id = run->span_id;
	gt__otlp_set_trace(x, &span, trace, NULL, trace->parent_id != 0);
	if (failed)
		span.message = failure.message;
	put_gathered(x, run, TEXT("run"), &span, summary,
	             failed ? &failure : NULL);
	gt__otlp_end_request(x); /* the trace is the caller's from here on */
	gt__run_remove(&x->runs, &run->head);
	gt__otlp_free_run(run);
	return x->out.error;
}

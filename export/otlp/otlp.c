/* SPDX-License-Identifier: MIT */
/*
 * OTLP, in requests (opentelemetry/proto/collector/trace/v1), each with spans
 * of one run. In a file they stand one behind the other: of JSON, one
 * TracesData object per line; of protobuf, which merges what follows, one large
 * message.
 */
#include "otlp_inside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_SPANS 512u
#define REQUEST_BYTES (512u << 10)

/* ---- Spans --------------------------------------------------------------- */

static uint32_t at_most_u32(uint64_t value)
{
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static struct gt_text put_events(struct gt__otlp_sink *x,
                                 struct gt__otlp_run *run,
                                 const struct gt_span_view *span, size_t count)
{
	struct gt__out *to = &x->scratch;
	size_t i;

	to->used = 0;
	for (i = 0; i < count; i++)
		gt__otlp_put_event(x, run, to, &span->events[i], false, !i);
	if (to->error)
		x->out.error = to->error;
	return (struct gt_text){to->bytes, to->used};
}

/* The first ones; the specification leaves open which are dropped. */
static size_t allowed_events(const struct gt__otlp_sink *x,
                             const struct gt_span_view *span)
{
	const struct gt_otlp_limit *limit = &x->options.limits.events;

	if (x->options.events == GT_OTLP_EVENTS_LOGS)
		return 0; /* and none is dropped */
	return limit->is_set && span->event_count > limit->max
	               ? limit->max
	               : span->event_count;
}

/*
 * A span that was open where the guest died is in error, unless the guest has
 * said how it went. What the span then points to is kept in `x`.
 */
static void blame(struct gt__otlp_sink *x, const struct gt_trace *trace,
                  const struct gt_span_view *v, struct gt__otlp_span *span)
{
	struct gt__otlp_failure *failure = &x->failure;

	if (v->status != GT_STATUS_UNSET ||
	    !gt__otlp_failure(trace->summary, failure))
		return;
	span->status = GT_STATUS_ERROR;
	span->message = failure->message;
	if (gt__otlp_has_error_type(v->fields, v->field_count))
		return;
	gt__otlp_error_type(&x->error_type, failure);
	span->attributes.last = &x->error_type;
	span->attributes.last_count = 1;
}

/* The run's roots are below its own span, those of other traces are not. */
static uint64_t parent_of(const struct gt_span_view *v,
                          const struct gt__otlp_run *run)
{
	if (v->trace || (v->parent_id && !v->parent_remote))
		return v->parent_id;
	return run->span_id;
}

static uint32_t dropped_events(const struct gt__otlp_sink *x,
                               const struct gt_span_view *span, size_t allowed)
{
	if (x->options.events == GT_OTLP_EVENTS_LOGS)
		return 0;
	return at_most_u32(span->dropped_events + span->event_count - allowed);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *v)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(x, trace);
	struct gt__otlp_place place = {v->vcpu, v->close_vcpu, v->level,
	                               v->flags};
	size_t events = allowed_events(x, v);
	size_t fitting =
		events > 1 ? gt__otlp_fitting(v->events, events) : events;
	struct gt__otlp_span span;
	struct gt_field *list;

	if (!run)
		return x->out.error;
	span = (struct gt__otlp_span){
		.id = v->id,
		.parent_id = parent_of(v, run),
		.start_ns = v->start_ns,
		.end_ns = v->end_ns,
		.attributes =
			{
				.guest = v->fields,
				.guest_count = v->field_count,
				.guest_id = v->guest_id,
				.dropped = at_most_u32(v->dropped_fields),
			},
		.dropped_events = dropped_events(x, v, events),
		.links = v->links,
		.link_count = v->link_count,
		.status = v->status,
		.message = v->status_text,
	};
	gt__otlp_set_trace(x, &span, trace, v->trace,
	                   v->trace && v->parent_remote);
	if (gt__otlp_is_unsampled(x, &span))
		return gt__otlp_leave_out(x);
	span.attributes.opening = gt__otlp_opening(
		&run->span_sites, x->encoding, GT__OTLP_SPAN, v->site);
	span.attributes.place =
		gt__otlp_encode_place(x, &x->span_place, GT__OTLP_SPAN, &place);
	if (run->span_sites.error)
		x->out.error = run->span_sites.error;
	if (v->flags & GT_SPAN_INTERRUPTED)
		blame(x, trace, v, &span);
	if (fitting)
		span.events = put_events(x, run, v, fitting);
	span.kind = gt__otlp_take_kind(x, &span.attributes);
	list = gt__otlp_make_unique(x, &span.attributes);
	if (x->is_limited)
		gt__otlp_limit_span(x, &span);
	if (!x->out.error)
		gt__otlp_put_span(x, trace, &span);
	free(list);
	if (fitting < events)
		gt__otlp_put_further(x, run, v, v->events + fitting,
		                     events - fitting);
	return x->out.error;
}

/* ---- The sink ------------------------------------------------------------ */

static int finish(struct gt_sink *sink)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;

	gt__otlp_end_request(x);
	return x->out.error;
}

void gt__otlp_sink_free(struct gt_sink *sink)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__run *run;

	if (!x)
		return;
	while ((run = x->runs)) {
		x->runs = run->next;
		gt__otlp_free_run((struct gt__otlp_run *)run);
	}
	gt__out_fini(&x->out);
	gt__out_fini(&x->scratch);
	gt__out_fini(&x->further);
	gt__out_fini(&x->span_place.encoded);
	gt__out_fini(&x->event_place.encoded);
	free(x->resource);
	free(x->fields.at);
	free(x->cut.at);
	free(x);
}

int gt__otlp_sink_new(size_t size, enum gt_otlp_signal signal,
                      const struct gt__otlp_encoding *encoding,
                      const struct gt__otlp_encoder_options *options,
                      const struct gt_output *output,
                      struct gt__otlp_sink **ret_sink)
{
	struct gt__otlp_sink *x = calloc(1, size);

	if (!x)
		return -ENOMEM;
	x->sink = (struct gt_sink){
		.begin = gt__otlp_begin,
		.finish = finish,
		.free = gt__otlp_sink_free,
	};
	x->signal = signal;
	x->encoding = encoding;
	x->options = *options;
	x->output = *output;
	x->is_limited = gt__otlp_has_limits(&options->limits);
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
	*ret_sink = x;
	return 0;
}

static int new_sink(const struct gt__otlp_encoding *encoding,
                    const struct gt__otlp_encoder_options *options,
                    const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct gt__otlp_sink *x;
	int rc = gt__otlp_sink_new(sizeof *x, GT_OTLP_TRACES, encoding, options,
	                           output, &x);

	if (rc)
		return rc;
	x->sink.close = close_span;
	x->sink.event = gt__otlp_event_outside;
	x->sink.counter = gt__otlp_counter;
	x->sink.host_span = options->no_host_spans ? NULL : gt__otlp_host_span;
	x->sink.end = gt__otlp_end;
	x->sink.loss = gt__otlp_loss_outside;
	*ret_sink = &x->sink;
	return 0;
}

/* The members of another version's struct are left at 0. */
struct gt__otlp_encoder_options
gt__otlp_file_options(const struct gt_otlp_options *given)
{
	struct gt_otlp_options options = {0};

	if (given)
		memcpy(&options, given,
		       given->size < sizeof options ? given->size
		                                    : sizeof options);
	return (struct gt__otlp_encoder_options){
		.no_host_spans = options.no_host_spans,
		.limits = options.limits,
		.events = options.events,
		.has_logs = options.has_logs,
		.interval_ns = (uint64_t)options.interval_ms * 1000000,
		.attributes = options.attributes,
		.attribute_count = options.attribute_count,
	};
}

static int new_file(const struct gt__otlp_encoding *encoding,
                    const struct gt_otlp_options *given,
                    const struct gt_output *output, struct gt_sink **ret_sink)
{
	const struct gt__otlp_encoder_options options =
		gt__otlp_file_options(given);

	return new_sink(encoding, &options, output, ret_sink);
}

int gt_otlp_json_with(const struct gt_output *output,
                      const struct gt_otlp_options *options,
                      struct gt_sink **ret_sink)
{
	return new_file(&gt__otlp_json, options, output, ret_sink);
}

int gt_otlp_protobuf_with(const struct gt_output *output,
                          const struct gt_otlp_options *options,
                          struct gt_sink **ret_sink)
{
	return new_file(&gt__otlp_protobuf, options, output, ret_sink);
}

int gt_otlp_json_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_otlp_json_with(output, NULL, ret_sink);
}

int gt_otlp_protobuf_new(const struct gt_output *output,
                         struct gt_sink **ret_sink)
{
	return gt_otlp_protobuf_with(output, NULL, ret_sink);
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

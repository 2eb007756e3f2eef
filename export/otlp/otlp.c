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

struct gt__otlp_run *gt__otlp_find_run(struct gt__otlp_sink *x,
                                       const struct gt_trace *trace)
{
	struct gt__otlp_run *run = gt__run_find(&x->runs, trace);

	if (!run && !x->out.error)
		x->out.error = -EINVAL;
	return x->out.error ? NULL : run;
}

/* ---- Requests ------------------------------------------------------------ */

/* Hands over the request in the buffer; its bytes stay there. */
static void hand_over(struct gt__otlp_sink *x, uint32_t spans)
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

void gt__otlp_end_request(struct gt__otlp_sink *x)
{
	if (x->trace)
		hand_over(x, x->spans);
	x->trace = NULL;
}

static void begin_request(struct gt__otlp_sink *x, const struct gt_trace *trace)
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
static void carry_over(struct gt__otlp_sink *x, size_t from,
                       const struct gt__otlp_span *span)
{
	x->out.used = from;
	hand_over(x, x->spans);
	x->out.used = x->first;
	x->spans = 0;
	x->encoding->span(&x->out, span, true);
}

int gt__otlp_put_span(struct gt__otlp_sink *x, const struct gt_trace *trace,
                      const struct gt__otlp_span *span)
{
	struct gt__out *o = &x->out;
	size_t from;

	if (x->options.begun)
		x->options.begun(x->options.context);
	if (x->trace != trace || x->spans >= x->options.spans_max) {
		gt__otlp_end_request(x);
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

static struct gt_text encode_place(struct gt__otlp_sink *x,
                                   struct gt__otlp_last_place *last, bool event,
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

/*
 * A guest may set one field many times, and keys are unique in OTLP. Returns
 * what is to be freed once the attributes are encoded.
 */
static struct gt_field *make_unique(struct gt__otlp_sink *x,
                                    struct gt__otlp_attributes *attributes)
{
	struct gt_field *list = NULL;
	size_t from = 0;
	int rc;

	if (attributes->guest_count <= GT__OTLP_UNIQUE_MAX)
		return NULL;
	rc = gt__otlp_last_of_each(attributes->guest, attributes->guest_count,
	                           &list, &from);
	if (rc) {
		x->out.error = rc;
		return NULL;
	}
	attributes->guest = list + from;
	attributes->guest_count -= from;
	return list;
}

void gt__otlp_put_event(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                        struct gt__out *to, const struct gt_event_view *e,
                        bool names_span, bool first)
{
	struct gt__otlp_place place = {e->vcpu, e->vcpu, e->level, e->flags};
	struct gt__otlp_event event = {
		.time_ns = e->time_ns,
		.attributes = {.guest = e->fields,
	                       .guest_count = e->field_count},
	};
	struct gt_field span_id, *list;
	char hex[16];

	event.attributes.opening =
		gt__otlp_opening(&run->event_sites, x->encoding, true, e->site);
	event.attributes.place = encode_place(x, &x->event_place, true, &place);
	if (names_span && e->span_id) {
		gt__otlp_span_id(&span_id, e->span_id, hex);
		event.attributes.span_id = &span_id;
	}
	list = make_unique(x, &event.attributes);
	x->encoding->event(to, &event, first);
	free(list);
	if (run->event_sites.error)
		x->out.error = run->event_sites.error;
}

static struct gt_text put_events(struct gt__otlp_sink *x,
                                 struct gt__otlp_run *run,
                                 const struct gt_span_view *span)
{
	struct gt__out *to = &x->scratch;
	size_t i;

	to->used = 0;
	for (i = 0; i < span->event_count; i++)
		gt__otlp_put_event(x, run, to, &span->events[i], false, !i);
	if (to->error)
		x->out.error = to->error;
	return (struct gt_text){to->bytes, to->used};
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *v)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(x, trace);
	struct gt__otlp_place place = {v->vcpu, v->close_vcpu, v->level,
	                               v->flags};
	struct gt__otlp_span span;
	struct gt_field *list;

	if (!run)
		return x->out.error;
	span = (struct gt__otlp_span){
		.trace_id = trace->trace_id,
		.id = v->id,
		.parent_id = v->parent_id && !v->parent_remote ? v->parent_id
	                                                       : run->span_id,
		.flags = gt__otlp_span_flags(trace, false),
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
	list = make_unique(x, &span.attributes);
	if (!x->out.error)
		gt__otlp_put_span(x, trace, &span);
	free(list);
	return x->out.error;
}

/* ---- The sink ------------------------------------------------------------ */

static int finish(struct gt_sink *sink)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;

	gt__otlp_end_request(x);
	return x->out.error;
}

static void free_sink(struct gt_sink *sink)
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
	gt__out_fini(&x->span_place.encoded);
	gt__out_fini(&x->event_place.encoded);
	free(x->resource);
	free(x);
}

static int new_sink(const struct gt__otlp_encoding *encoding,
                    const struct gt__otlp_encoder_options *options,
                    const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct gt__otlp_sink *x = calloc(1, sizeof *x);

	if (!x)
		return -ENOMEM;
	x->sink = (struct gt_sink){
		.begin = gt__otlp_begin,
		.close = close_span,
		.event = gt__otlp_event_outside,
		.counter = gt__otlp_counter,
		.host_span = options->no_host_spans ? NULL : gt__otlp_host_span,
		.end = gt__otlp_end,
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

/* The members of another version's struct are left at 0. */
static int new_file(const struct gt__otlp_encoding *encoding,
                    const struct gt_otlp_options *given,
                    const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct gt_otlp_options options = {0};
	struct gt__otlp_encoder_options encoder = {0};

	if (given)
		memcpy(&options, given,
		       given->size < sizeof options ? given->size
		                                    : sizeof options);
	encoder.no_host_spans = options.no_host_spans;
	encoder.attributes = options.attributes;
	encoder.attribute_count = options.attribute_count;
	return new_sink(encoding, &encoder, output, ret_sink);
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

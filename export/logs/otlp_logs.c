/* SPDX-License-Identifier: MIT */
/*
 * What a guest says, as log records. The text field `message` is the body and
 * no attribute; an event without one has its name there, so that tools that
 * show bodies alone show something. What was recorded outside of all spans is
 * of the run's own span.
 */
#include "otlp_logs.h"
#include "export/otlp/otlp_inside.h"
#include "export/out/losses.h"
#include <errno.h>
#include <stdlib.h>

struct logs {
	struct gt__otlp_sink base;
	gt__otlp_put_fn *put;
	struct gt__otlp_fields fields; /* of one event, without the body */
};

static bool is_message(const struct gt_field *field)
{
	return field->type == GT_TYPE_STRING &&
	       gt__same_text(field->key, (struct gt_text){"message", 7});
}

/* Of several messages the last counts, as of all equal keys. */
static void take_body(struct logs *x, struct gt__log *log)
{
	const struct gt_field *guest = log->attributes.guest;
	size_t count = log->attributes.guest_count, i = count, n = 0;

	while (i && !is_message(&guest[i - 1]))
		i--;
	if (!i)
		return;
	if (gt__otlp_fields_room(&x->fields, count) < 0) {
		x->base.out.error = -ENOMEM;
		return;
	}
	log->body = guest[i - 1].value.text;
	for (i = 0; i < count; i++)
		if (!is_message(&guest[i]))
			x->fields.at[n++] = guest[i];
	log->attributes.guest = x->fields.at;
	log->attributes.guest_count = n;
}

/* SeverityNumber of logs.proto: the first of each range of four. */
static uint32_t severity(enum gt_level level)
{
	switch (level) {
	case GT_ERROR:
		return 17;
	case GT_WARN:
		return 13;
	case GT_INFO:
		return 9;
	case GT_DEBUG:
		return 5;
	case GT_TRACE:
		return 1;
	case GT_OFF:
		break;
	}
	return 0; /* a wire that does not carry it */
}

static void say_level(struct gt__log *log, enum gt_level level)
{
	static const struct gt_text words[] = {
		[GT_OFF] = {"", 0},        [GT_ERROR] = {"ERROR", 5},
		[GT_WARN] = {"WARN", 4},   [GT_INFO] = {"INFO", 4},
		[GT_DEBUG] = {"DEBUG", 5}, [GT_TRACE] = {"TRACE", 5},
	};

	log->severity = severity(level);
	log->severity_text = words[log->severity ? level : GT_OFF];
}

static struct gt__log new_log(const struct gt__otlp_run *run, uint64_t time_ns,
                              uint64_t span_id, struct gt_text body)
{
	return (struct gt__log){
		.trace_id = run->head.trace->trace_id,
		.span_id = span_id ? span_id : run->span_id,
		.flags = run->head.trace->flags & 0xff,
		.time_ns = time_ns,
		.body = body,
	};
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct logs *x = (struct logs *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(&x->base, trace);
	struct gt__log log;
	struct gt_field *list;

	if (!run)
		return x->base.out.error;
	if (event->span_id && x->base.options.events == GT_OTLP_EVENTS_SPANS)
		return 0;
	log = new_log(run, event->time_ns, event->span_id, event->site->name);
	if (event->trace) {
		log.trace_id = event->trace->trace_id;
		log.flags = event->trace->flags & 0xff;
	}
	say_level(&log, event->site->level);
	list = gt__otlp_event_attributes(&x->base, run, GT__OTLP_LOG, event,
	                                 &log.attributes);
	take_body(x, &log); /* which is no attribute, and has no limit */
	if (x->base.is_limited)
		gt__otlp_limit_event(&x->base, &log.attributes);
	if (!x->base.out.error)
		gt__otlp_put_item(&x->base, trace, x->put, &log, 1);
	free(list);
	return x->base.out.error;
}

static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	struct logs *x = (struct logs *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(&x->base, trace);
	struct gt__out *words = &x->base.further;
	struct gt__log log;

	if (!run)
		return x->base.out.error;
	words->used = 0;
	gt__put(words, "LOST ");
	gt__put_gap(words, loss);
	if (words->error)
		return x->base.out.error = words->error;
	log = new_log(run, loss->to_ns, loss->span_id,
	              (struct gt_text){words->bytes, words->used});
	say_level(&log, GT_WARN);
	gt__otlp_loss_attributes(&x->base, GT__OTLP_LOG, loss, &log.attributes);
	return gt__otlp_put_item(&x->base, trace, x->put, &log, 1);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct logs *x = (struct logs *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(&x->base, trace);

	(void)summary;
	if (!run)
		return x->base.out.error;
	gt__otlp_end_request(&x->base); /* the trace is the caller's */
	gt__run_remove(&x->base.runs, &run->head);
	gt__otlp_free_run(run);
	return x->base.out.error;
}

static void free_sink(struct gt_sink *sink)
{
	struct logs *x = (struct logs *)sink;

	if (x)
		free(x->fields.at);
	gt__otlp_sink_free(sink);
}

static int new_sink(bool json, const struct gt__otlp_encoder_options *options,
                    const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct gt__otlp_sink *base;
	int rc = gt__otlp_sink_new(sizeof(struct logs), GT_OTLP_LOGS,
	                           json ? &gt__otlp_json : &gt__otlp_protobuf,
	                           options, output, &base);

	if (rc)
		return rc;
	((struct logs *)base)->put =
		json ? gt__log_put_json : gt__log_put_protobuf;
	base->sink.event = put_event;
	base->sink.loss = put_loss;
	base->sink.end = end;
	base->sink.free = free_sink;
	*ret_sink = &base->sink;
	return 0;
}

int gt__otlp_logs_requests_new(bool json,
                               const struct gt__otlp_encoder_options *options,
                               struct gt_sink **ret_sink)
{
	return new_sink(json, options, &(struct gt_output){0}, ret_sink);
}

static int new_file(bool json, const struct gt_output *output,
                    const struct gt_otlp_options *given,
                    struct gt_sink **ret_sink)
{
	const struct gt__otlp_encoder_options options =
		gt__otlp_file_options(given);

	return new_sink(json, &options, output, ret_sink);
}

int gt_otlp_logs_json_with(const struct gt_output *output,
                           const struct gt_otlp_options *options,
                           struct gt_sink **ret_sink)
{
	return new_file(true, output, options, ret_sink);
}

int gt_otlp_logs_protobuf_with(const struct gt_output *output,
                               const struct gt_otlp_options *options,
                               struct gt_sink **ret_sink)
{
	return new_file(false, output, options, ret_sink);
}

/* SPDX-License-Identifier: MIT */
/*
 * The OTLP sink: spans to an encoder, its requests to the sender. The lock is
 * held while the encoder works in memory and is free otherwise: the sender's
 * thread takes it only to have a request made of spans that have waited long
 * enough, and never waits for it.
 */
#include "export/logs/otlp_logs.h"
#include "export/metrics/otlp_metrics.h"
#include "export/otlp/otlp_encoder.h"
#include "otlp_sender.h"
#include "otlp_signals.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_SPANS 512u

struct otlp_http {
	struct gt_sink sink;
	struct gt_sink *encoder;
	struct gt__otlp_sender *sender;
	pthread_mutex_t lock;
	struct gt_sampler sampler;
	struct gt_otlp_attribute *attributes; /* copied */
	size_t attribute_count;
	enum gt_otlp_signal signal;
	enum gt_otlp_protocol protocol;
	uint32_t spans_max;        /* of a request */
	bool offline;              /* the records tell the time, not a clock */
	struct gt_sink **observed; /* of metrics, copied */
	size_t observed_count;
};

static void see_spans(void *context, uint64_t spans)
{
	struct otlp_http *x = context;

	gt__otlp_sender_gathers(x->sender, spans);
}

static void leave_out(void *context)
{
	struct otlp_http *x = context;

	gt__otlp_sender_leaves_out(x->sender);
}

static int take_request(void *context, const void *bytes, size_t count,
                        uint64_t spans)
{
	struct otlp_http *x = context;

	gt__otlp_sender_put(x->sender, bytes, count, spans);
	return 0;
}

static int tell_figures(struct otlp_http *x, struct otlp_http *of)
{
	struct gt__exporter_figures figures = {.signal = of->signal,
	                                       .protocol = of->protocol};
	struct gt_otlp_stats stats;

	gt__otlp_sender_stats(of->sender, &stats);
	figures.exported = stats.acknowledged;
	figures.refused = stats.rejected;
	figures.dropped = stats.dropped;
	figures.in_flight = stats.queued + stats.spooled;
	return gt__otlp_metrics_exporters(x->encoder, &figures, 1);
}

/* Under the lock. */
static int finish_encoder(struct otlp_http *x)
{
	int rc = 0;
	size_t i;

	if (x->signal == GT_OTLP_METRICS)
		rc = tell_figures(x, x);
	for (i = 0; i < x->observed_count && !rc; i++)
		rc = tell_figures(x, (struct otlp_http *)x->observed[i]);
	return rc ? rc : x->encoder->finish(x->encoder);
}

/* A full queue has enough to send: the thread that sends cannot wait for room,
 * and what it would hand over now is not complete. */
static bool flush(void *context)
{
	struct otlp_http *x = context;

	if (x->offline && x->signal == GT_OTLP_METRICS)
		return true;
	if (pthread_mutex_trylock(&x->lock) != 0)
		return false;
	if (x->encoder && gt__otlp_sender_has_room(x->sender, x->spans_max))
		finish_encoder(x);
	pthread_mutex_unlock(&x->lock);
	return true;
}

/* ---- The sink ------------------------------------------------------------ */

#define FORWARD_(name, type)                                                \
	static int name(struct gt_sink *sink, const struct gt_trace *trace, \
	                const struct type *view)                            \
	{                                                                   \
		struct otlp_http *x = (struct otlp_http *)sink;             \
		int rc;                                                     \
                                                                            \
		if (!x->encoder->name)                                      \
			return 0;                                           \
		pthread_mutex_lock(&x->lock);                               \
		rc = x->encoder->name(x->encoder, trace, view);             \
		pthread_mutex_unlock(&x->lock);                             \
		return rc;                                                  \
	}

FORWARD_(close, gt_span_view)
FORWARD_(event, gt_event_view)
FORWARD_(counter, gt_event_view)
FORWARD_(host_span, gt_host_span_view)
FORWARD_(end, gt_summary)
FORWARD_(loss, gt_loss_view)

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct otlp_http *x = (struct otlp_http *)sink;
	int rc;

	pthread_mutex_lock(&x->lock);
	rc = x->encoder->begin(x->encoder, trace);
	pthread_mutex_unlock(&x->lock);
	return rc;
}

static int finish(struct gt_sink *sink)
{
	struct otlp_http *x = (struct otlp_http *)sink;
	int rc;

	pthread_mutex_lock(&x->lock);
	rc = finish_encoder(x);
	pthread_mutex_unlock(&x->lock);
	gt__otlp_sender_finish(x->sender);
	return rc;
}

static void free_sink(struct gt_sink *sink)
{
	struct otlp_http *x = (struct otlp_http *)sink;
	size_t i;

	if (!x)
		return;
	gt__otlp_sender_free(x->sender);
	if (x->encoder)
		x->encoder->free(x->encoder);
	for (i = 0; i < x->attribute_count; i++) {
		free((char *)(uintptr_t)x->attributes[i].key);
		free((char *)(uintptr_t)x->attributes[i].value);
	}
	free(x->attributes);
	free(x->observed);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

/* ---- Set-up -------------------------------------------------------------- */

static bool is_copied(const struct otlp_http *x, const char *key)
{
	size_t i;

	for (i = 0; i < x->attribute_count; i++)
		if (!strcmp(x->attributes[i].key, key))
			return true;
	return false;
}

static int copy_attributes(struct otlp_http *x,
                           const struct gt_otlp_http_options *options)
{
	size_t i;

	if (!options->attribute_count)
		return 0;
	x->attributes = calloc(options->attribute_count, sizeof *x->attributes);
	if (!x->attributes)
		return -ENOMEM;
	for (i = 0; i < options->attribute_count; i++) {
		const struct gt_otlp_attribute *from = &options->attributes[i];
		struct gt_otlp_attribute *to =
			&x->attributes[x->attribute_count];

		if (is_copied(x, from->key))
			continue;
		to->key = strdup(from->key);
		to->value = strdup(from->value);
		x->attribute_count++;
		if (!to->key || !to->value)
			return -ENOMEM;
	}
	return 0;
}

/* A request fits into the queue. */
static uint32_t spans_max(const struct gt_otlp_http_options *options)
{
	uint32_t batch =
		options->batch_spans ? options->batch_spans : BATCH_SPANS;

	return options->queue_spans && options->queue_spans < batch
	               ? options->queue_spans
	               : batch;
}

static int copy_observed(struct otlp_http *x,
                         const struct gt_otlp_http_options *options)
{
	size_t count = options->observed_count;

	if (!count)
		return 0;
	x->observed = malloc(count * sizeof *x->observed);
	if (!x->observed)
		return -ENOMEM;
	memcpy(x->observed, options->observed, count * sizeof *x->observed);
	x->observed_count = count;
	return 0;
}

static uint64_t interval_ns(const struct gt_otlp_http_options *options)
{
	if (!options->wait_for_room)
		return 0;
	return options->delay_ms ? (uint64_t)options->delay_ms * 1000000
	                         : GT__INTERVAL_NS;
}

static int make_encoder(struct otlp_http *x,
                        const struct gt_otlp_http_options *options)
{
	struct gt__otlp_encoder_options encoder = {
		.begun = see_spans,
		.request = take_request,
		.context = x,
		.spans_max = spans_max(options),
		.attributes = x->attributes,
		.attribute_count = x->attribute_count,
		.no_host_spans = options->no_host_spans,
		.limits = options->limits,
		.events = options->events,
		.has_logs = options->has_logs,
		.sampler = &x->sampler,
		.unsampled = leave_out,
		.interval_ns = interval_ns(options),
	};
	bool json = options->protocol == GT_OTLP_HTTP_JSON;

	switch (options->signal) {
	case GT_OTLP_TRACES:
		return json ? gt__otlp_json_requests_new(&encoder, &x->encoder)
		            : gt__otlp_protobuf_requests_new(&encoder,
		                                             &x->encoder);
	case GT_OTLP_METRICS:
		return gt__otlp_metrics_requests_new(json, &encoder,
		                                     &x->encoder);
	case GT_OTLP_LOGS:
		return gt__otlp_logs_requests_new(json, &encoder, &x->encoder);
	}
	return -EINVAL;
}

static int check(const struct gt_otlp_http_options *options)
{
	return options->size == sizeof *options &&
	                       gt__otlp_signal(options->signal) &&
	                       options->protocol <= GT_OTLP_GRPC
	               ? 0
	               : -EINVAL;
}

int gt_otlp_http_new(const struct gt_otlp_http_options *options,
                     struct gt_sink **ret_sink)
{
	struct otlp_http *x;
	int rc = check(options);

	if (rc)
		return rc;
	x = calloc(1, sizeof *x);
	if (!x)
		return -ENOMEM;
	x->sink = (struct gt_sink){
		.begin = begin,
		.close = close,
		.event = event,
		.counter = counter,
		.end = end,
		.loss = loss,
		.finish = finish,
		.free = free_sink,
	};
	pthread_mutex_init(&x->lock, NULL);
	rc = copy_attributes(x, options);
	x->signal = options->signal;
	x->sampler = options->sampler;
	x->protocol = options->protocol;
	x->offline = options->wait_for_room;
	x->spans_max = spans_max(options);
	if (!rc)
		rc = copy_observed(x, options);
	if (!rc)
		rc = make_encoder(x, options);
	if (!rc && x->encoder->host_span)
		x->sink.host_span = host_span;
	/* Its thread may want to flush before it is known here. */
	pthread_mutex_lock(&x->lock);
	if (!rc)
		rc = gt__otlp_sender_new(options, flush, x, &x->sender);
	pthread_mutex_unlock(&x->lock);
	if (rc) {
		free_sink(&x->sink);
		return rc;
	}
	*ret_sink = &x->sink;
	return 0;
}

void gt_otlp_http_stats(struct gt_sink *sink, struct gt_otlp_stats *ret_stats)
{
	struct otlp_http *x = (struct otlp_http *)sink;

	gt__otlp_sender_stats(x->sender, ret_stats);
}

int gt_otlp_spool_send(const struct gt_otlp_http_options *options,
                       struct gt_otlp_stats *ret_stats)
{
	struct gt__otlp_sender *sender;
	int rc = check(options);

	*ret_stats = (struct gt_otlp_stats){0};
	if (!rc && !options->spool_directory)
		rc = -EINVAL;
	if (!rc)
		rc = gt__otlp_sender_new(options, NULL, NULL, &sender);
	if (rc)
		return rc;
	gt__otlp_sender_finish(sender);
	gt__otlp_sender_stats(sender, ret_stats);
	gt__otlp_sender_free(sender);
	return ret_stats->found_waiting || ret_stats->unreadable_files ? -EAGAIN
	                                                               : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The OTLP sink: spans to an encoder, its requests to the sender. The lock is
 * held while the encoder works in memory and is free otherwise: the sender's
 * thread takes it only to have a request made of spans that have waited long
 * enough, and never waits for it.
 */
#include "export/otlp/otlp_encoder.h"
#include "otlp_sender.h"
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
	struct gt_otlp_attribute *attributes; /* copied */
	size_t attribute_count;
};

static void see_spans(void *context, uint64_t spans)
{
	struct otlp_http *x = context;

	gt__otlp_sender_gathers(x->sender, spans);
}

static int take_request(void *context, const void *bytes, size_t count,
                        uint64_t spans)
{
	struct otlp_http *x = context;

	gt__otlp_sender_put(x->sender, bytes, count, spans);
	return 0;
}

static bool flush(void *context)
{
	struct otlp_http *x = context;

	if (pthread_mutex_trylock(&x->lock) != 0)
		return false;
	if (x->encoder)
		x->encoder->finish(x->encoder);
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

FORWARD_(open, gt_span_view)
FORWARD_(close, gt_span_view)
FORWARD_(event, gt_event_view)
FORWARD_(counter, gt_event_view)
FORWARD_(host_span, gt_host_span_view)
FORWARD_(end, gt_summary)

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
	rc = x->encoder->finish(x->encoder);
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
		.has_events_max = options->has_events_max,
		.events_max = options->events_max,
	};

	switch (options->protocol) {
	case GT_OTLP_HTTP_JSON:
		return gt__otlp_json_requests_new(&encoder, &x->encoder);
	case GT_OTLP_HTTP_PROTOBUF:
	case GT_OTLP_GRPC:
		return gt__otlp_protobuf_requests_new(&encoder, &x->encoder);
	}
	return -EINVAL;
}

static int check(const struct gt_otlp_http_options *options)
{
	return options->size == sizeof *options ? 0 : -EINVAL;
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
		.open = open,
		.close = close,
		.event = event,
		.counter = counter,
		.host_span = options->no_host_spans ? NULL : host_span,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	pthread_mutex_init(&x->lock, NULL);
	rc = copy_attributes(x, options);
	if (!rc)
		rc = make_encoder(x, options);
	if (!rc)
		rc = gt__otlp_sender_new(options, flush, x, &x->sender);
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

/* SPDX-License-Identifier: MIT */
/* Metrics in OTLP/JSON. */
#include "metric.h"
#include "export/otlp/otlp_json_attributes.h"
#include "export/out/escape.h"

static void put_double(struct gt__out *o, const char *key, double value)
{
	gt__put(o, key);
	gt__put_f64(o, value);
}

static void put_i64(struct gt__out *o, const char *key, int64_t value)
{
	gt__put(o, key);
	gt__put_i64(o, value);
}

static void put_number(struct gt__out *o, const struct gt__number *number)
{
	if (number->is_double) {
		put_double(o, ",\"asDouble\":", number->value.f64);
		return;
	}
	put_i64(o, ",\"asInt\":\"", number->value.i64);
	gt__put_char(o, '"');
}

static void put_exemplars(struct gt__out *o, const struct gt__series *series,
                          const uint8_t *trace_id)
{
	unsigned i;

	for (i = 0; i < series->exemplar_count; i++) {
		const struct gt__exemplar *e = &series->exemplars[i];

		gt__json_u64(o,
		             i ? ",{\"timeUnixNano\":"
		               : ",\"exemplars\":[{\"timeUnixNano\":",
		             e->time_ns);
		put_number(o, &e->number);
		gt__json_trace_id(o, ",\"traceId\":",
		                  e->has_trace ? e->trace_id : trace_id);
		gt__json_id(o, ",\"spanId\":", e->span_id);
		gt__put_char(o, '}');
	}
	if (i)
		gt__put_char(o, ']');
}

static void put_buckets(struct gt__out *o, const struct gt__exponential *h)
{
	unsigned i;

	put_i64(o, ",\"positive\":{\"offset\":", h->offset);
	gt__put(o, ",\"bucketCounts\":[");
	for (i = 0; i < h->used; i++) {
		gt__put(o, i ? ",\"" : "\"");
		gt__put_u64(o, h->counts[i]);
		gt__put_char(o, '"');
	}
	gt__put(o, "]}");
}

static void put_durations(struct gt__out *o, const struct gt__exponential *h)
{
	gt__json_u64(o, ",\"count\":", h->count);
	put_double(o, ",\"sum\":", h->sum);
	put_i64(o, ",\"scale\":", h->scale);
	gt__json_u64(o, ",\"zeroCount\":", h->zeros);
	put_buckets(o, h);
	if (!h->count)
		return;
	put_double(o, ",\"min\":", h->min);
	put_double(o, ",\"max\":", h->max);
}

static void put_point(struct gt__out *o, const struct gt__metric *metric,
                      const struct gt__series *series)
{
	gt__put(o, "{\"attributes\":[");
	gt__put_bytes(o, series->attributes.bytes, series->attributes.count);
	gt__put_char(o, ']');
	if (metric->meter->kind != GT__GAUGE)
		gt__json_u64(o, ",\"startTimeUnixNano\":", series->start_ns);
	gt__json_u64(o, ",\"timeUnixNano\":", metric->time_ns);
	if (series->durations)
		put_durations(o, series->durations);
	else
		put_number(o, &series->number);
	put_exemplars(o, series, metric->trace_id);
	gt__put_char(o, '}');
}

static const char *data_of(enum gt__metric_kind kind)
{
	switch (kind) {
	case GT__GAUGE:
		break;
	case GT__SUM:
		return ",\"sum\":{\"aggregationTemporality\":2,"
		       "\"isMonotonic\":false,\"dataPoints\":[";
	case GT__TOTAL:
		return ",\"sum\":{\"aggregationTemporality\":2,"
		       "\"isMonotonic\":true,\"dataPoints\":[";
	case GT__DURATIONS:
		return ",\"exponentialHistogram\":{"
		       "\"aggregationTemporality\":2,\"dataPoints\":[";
	}
	return ",\"gauge\":{\"dataPoints\":[";
}
_Static_assert(GT__CUMULATIVE == 2, "as the texts have it");

void gt__metric_put_json(struct gt__out *o, const void *item, bool first)
{
	const struct gt__metric *metric = item;
	const struct gt__meter *meter = metric->meter;
	const struct gt__series *series = metric->first;
	uint32_t i;

	gt__put(o, first ? "{\"name\":" : ",{\"name\":");
	gt__put_json(o, meter->name);
	gt__put(o, ",\"description\":\"");
	gt__put(o, meter->description);
	gt__put(o, "\",\"unit\":");
	gt__put_json(o, meter->unit);
	gt__put(o, data_of(meter->kind));
	for (i = 0; i < metric->count; i++, series = series->next) {
		if (i)
			gt__put_char(o, ',');
		put_point(o, metric, series);
	}
	gt__put(o, "]}}");
}

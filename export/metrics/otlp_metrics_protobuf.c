/* SPDX-License-Identifier: MIT */
/*
 * Metrics in OTLP/protobuf (opentelemetry/proto/metrics/v1/metrics.proto). A
 * point is at most POINT_MAX bytes beside its attributes.
 */
#include "metric.h"
#include "export/otlp/otlp_protobuf_attributes.h"

/* Fields of the messages, with their wire types. */
enum {
	SCOPE_METRICS_METRICS = 2 << 3 | 2,
	METRIC_NAME = 1 << 3 | 2,
	METRIC_DESCRIPTION = 2 << 3 | 2,
	METRIC_UNIT = 3 << 3 | 2,
	METRIC_GAUGE = 5 << 3 | 2,
	METRIC_SUM = 7 << 3 | 2,
	METRIC_EXPONENTIAL = 10 << 3 | 2,
	DATA_POINTS = 1 << 3 | 2,
	DATA_TEMPORALITY = 2 << 3 | 0,
	SUM_MONOTONIC = 3 << 3 | 0,
	NUMBER_START = 2 << 3 | 1, /* of both kinds of points */
	NUMBER_TIME = 3 << 3 | 1,
	NUMBER_DOUBLE = 4 << 3 | 1,
	NUMBER_EXEMPLARS = 5 << 3 | 2,
	NUMBER_INT = 6 << 3 | 1,
	EXPONENTIAL_COUNT = 4 << 3 | 1,
	EXPONENTIAL_SUM = 5 << 3 | 1,
	EXPONENTIAL_SCALE = 6 << 3 | 0,
	EXPONENTIAL_ZEROS = 7 << 3 | 1,
	EXPONENTIAL_POSITIVE = 8 << 3 | 2,
	EXPONENTIAL_EXEMPLARS = 11 << 3 | 2,
	EXPONENTIAL_MIN = 12 << 3 | 1,
	EXPONENTIAL_MAX = 13 << 3 | 1,
	BUCKETS_OFFSET = 1 << 3 | 0,
	BUCKETS_COUNTS = 2 << 3 | 2,
	EXEMPLAR_TIME = 2 << 3 | 1,
	EXEMPLAR_DOUBLE = 3 << 3 | 1,
	EXEMPLAR_SPAN_ID = 4 << 3 | 2,
	EXEMPLAR_TRACE_ID = 5 << 3 | 2,
	EXEMPLAR_INT = 6 << 3 | 1,
};

#define NUMBER_POINT_MAX (64u + GT__EXEMPLARS_MAX * 64u)
#define POINT_MAX        (NUMBER_POINT_MAX + 128u + GT__BUCKETS_MAX * 10u)
#define METRIC_MAX       64u /* beside its texts and points */

static unsigned char *put_double(unsigned char *p, unsigned tag, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	*p++ = (unsigned char)tag;
	return gt__pb_fixed64(p, bits);
}

static unsigned char *put_fixed(unsigned char *p, unsigned tag, uint64_t value)
{
	*p++ = (unsigned char)tag;
	return gt__pb_fixed64(p, value);
}

/* sint32 */
static unsigned char *put_signed(unsigned char *p, unsigned tag, int value)
{
	uint32_t bits = (uint32_t)value << 1;

	*p++ = (unsigned char)tag;
	return gt__pb_varint(p, value < 0 ? ~bits : bits);
}

static unsigned char *put_number(unsigned char *p, unsigned integer,
                                 unsigned real, const struct gt__number *number)
{
	return number->is_double
	               ? put_double(p, real, number->value.f64)
	               : put_fixed(p, integer, (uint64_t)number->value.i64);
}

static unsigned char *put_exemplars(unsigned char *p, unsigned tag,
                                    const struct gt__series *series,
                                    const uint8_t *trace_id)
{
	unsigned i;

	for (i = 0; i < series->exemplar_count; i++) {
		const struct gt__exemplar *e = &series->exemplars[i];
		unsigned char *from;

		*p++ = (unsigned char)tag;
		from = ++p;
		p = put_fixed(p, EXEMPLAR_TIME, e->time_ns);
		p = put_number(p, EXEMPLAR_INT, EXEMPLAR_DOUBLE, &e->number);
		p = gt__pb_id(p, EXEMPLAR_SPAN_ID, e->span_id);
		p = gt__pb_trace_id(p, EXEMPLAR_TRACE_ID,
		                    e->has_trace ? e->trace_id : trace_id);
		p = gt__pb_close(from, p);
	}
	return p;
}

static unsigned char *put_buckets(unsigned char *p,
                                  const struct gt__exponential *h)
{
	unsigned char *from, *counts;
	unsigned i;

	*p++ = EXPONENTIAL_POSITIVE;
	from = ++p;
	p = put_signed(p, BUCKETS_OFFSET, h->offset);
	*p++ = BUCKETS_COUNTS;
	counts = ++p;
	for (i = 0; i < h->used; i++)
		p = gt__pb_varint(p, h->counts[i]);
	return gt__pb_close(from, gt__pb_close(counts, p));
}

static unsigned char *put_durations(unsigned char *p,
                                    const struct gt__exponential *h)
{
	p = put_fixed(p, EXPONENTIAL_COUNT, h->count);
	p = put_double(p, EXPONENTIAL_SUM, h->sum);
	p = put_signed(p, EXPONENTIAL_SCALE, h->scale);
	p = put_fixed(p, EXPONENTIAL_ZEROS, h->zeros);
	p = put_buckets(p, h);
	if (!h->count)
		return p;
	p = put_double(p, EXPONENTIAL_MIN, h->min);
	return put_double(p, EXPONENTIAL_MAX, h->max);
}

static unsigned char *put_point(unsigned char *p,
                                const struct gt__metric *metric,
                                const struct gt__series *series)
{
	unsigned exemplars =
		series->durations ? EXPONENTIAL_EXEMPLARS : NUMBER_EXEMPLARS;
	unsigned char *from;

	*p++ = DATA_POINTS;
	from = ++p;
	p = gt__pb_put(p, series->attributes.bytes, series->attributes.count);
	if (metric->meter->kind != GT__GAUGE)
		p = put_fixed(p, NUMBER_START, series->start_ns);
	p = put_fixed(p, NUMBER_TIME, metric->time_ns);
	p = series->durations
	            ? put_durations(p, series->durations)
	            : put_number(p, NUMBER_INT, NUMBER_DOUBLE, &series->number);
	p = put_exemplars(p, exemplars, series, metric->trace_id);
	return gt__pb_close(from, p);
}

static size_t points_max(const struct gt__metric *metric)
{
	const struct gt__series *series = metric->first;
	size_t max = 0;
	uint32_t i;

	for (i = 0; i < metric->count; i++, series = series->next)
		max += series->attributes.count +
		       (series->durations ? POINT_MAX : NUMBER_POINT_MAX);
	return max;
}

static unsigned char *put_data(unsigned char *p,
                               const struct gt__metric *metric)
{
	static const unsigned char tags[] = {
		[GT__GAUGE] = METRIC_GAUGE,
		[GT__SUM] = METRIC_SUM,
		[GT__TOTAL] = METRIC_SUM,
		[GT__DURATIONS] = METRIC_EXPONENTIAL,
	};
	enum gt__metric_kind kind = metric->meter->kind;
	const struct gt__series *series = metric->first;
	unsigned char *from;
	uint32_t i;

	*p++ = tags[kind];
	from = ++p;
	for (i = 0; i < metric->count; i++, series = series->next)
		p = put_point(p, metric, series);
	if (kind != GT__GAUGE) {
		*p++ = DATA_TEMPORALITY;
		*p++ = GT__CUMULATIVE;
	}
	if (kind == GT__TOTAL) {
		*p++ = SUM_MONOTONIC;
		*p++ = 1;
	}
	return gt__pb_close(from, p);
}

void gt__metric_put_protobuf(struct gt__out *o, const void *item, bool first)
{
	const struct gt__metric *metric = item;
	const struct gt__meter *meter = metric->meter;
	size_t described = strlen(meter->description);
	unsigned char *from;
	unsigned char *p =
		gt__pb_room(o, METRIC_MAX + described + points_max(metric) +
	                               (meter->name.count + meter->unit.count) *
	                                       GT__PB_GROWTH);

	(void)first;
	if (!p)
		return;
	*p++ = SCOPE_METRICS_METRICS;
	from = ++p;
	*p++ = METRIC_NAME;
	p = gt__pb_utf8(p, meter->name);
	*p++ = METRIC_DESCRIPTION;
	p = gt__pb_bytes(p, meter->description, described);
	*p++ = METRIC_UNIT;
	p = gt__pb_utf8(p, meter->unit);
	p = put_data(p, metric);
	gt__pb_end_room(o, gt__pb_close(from, p));
}

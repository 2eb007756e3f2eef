/* SPDX-License-Identifier: MIT */
/* What there is to send of metrics, as metrics.proto has it. */
#ifndef GUESTTRACE_METRIC_H
#define GUESTTRACE_METRIC_H

#include "export/otlp/otlp.h"
#include "exponential.h"
#include <string.h>

enum gt__metric_kind {
	GT__GAUGE = 'g',     /* what it is now */
	GT__SUM = 's',       /* what has been added up, and taken away */
	GT__TOTAL = 't',     /* that only rises */
	GT__DURATIONS = 'd', /* an exponential histogram */
};

struct gt__number {
	bool is_double;
	union {
		int64_t i64;
		double f64;
	} value;
};

static inline struct gt__number gt__number_of(uint64_t value)
{
	return value > INT64_MAX
	               ? (struct gt__number){true, {.f64 = (double)value}}
	               : (struct gt__number){false, {.i64 = (int64_t)value}};
}

static inline struct gt__number gt__number_f64(double value)
{
	return (struct gt__number){true, {.f64 = value}};
}

/* A measurement, and the span in which it was made. */
struct gt__exemplar {
	uint64_t time_ns;
	uint64_t span_id;
	struct gt__number number;
	bool has_trace; /* of the span, other than the run's: */
	uint8_t trace_id[16];
};

/* NULL: the run's. */
static inline void gt__exemplar_trace(struct gt__exemplar *exemplar,
                                      const struct gt_span_trace *trace)
{
	exemplar->has_trace = trace;
	if (trace)
		memcpy(exemplar->trace_id, trace->trace_id, 16);
}

#define GT__EXEMPLARS_MAX 2u

/* One line of data points: what has the same name and attributes. */
struct gt__series {
	struct gt__series *next; /* of its meter */
	uint64_t start_ns;       /* what it counts from */
	uint64_t time_ns;        /* of the last measurement; 0: none */
	struct gt__number number;
	struct gt__exponential *durations; /* instead, of GT__DURATIONS */
	struct gt__exemplar exemplars[GT__EXEMPLARS_MAX];
	unsigned exemplar_count;
	struct gt_text attributes; /* encoded */
};

/* What its series have in common. */
struct gt__meter {
	struct gt_text name, unit;
	const char *description;
	enum gt__metric_kind kind;
	struct gt__series *series, **last;
};

/* A part of a meter's series, as an item of a request. */
struct gt__metric {
	const struct gt__meter *meter;
	const struct gt__series *first;
	uint32_t count;
	uint64_t time_ns;
	const uint8_t *trace_id; /* of the exemplars */
};

/* Of items that are struct gt__metric. */
gt__otlp_put_fn gt__metric_put_json;
gt__otlp_put_fn gt__metric_put_protobuf;

/* AggregationTemporality */
#define GT__CUMULATIVE 2u

#endif

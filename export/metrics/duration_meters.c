/* SPDX-License-Identifier: MIT */
/*
 * How long spans took, by name, kind and status, named as the Collector's span
 * metrics name them. A span of which an end is not known has no duration.
 */
#include "metrics_inside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_ENDS                                                  \
	(GT_SPAN_INTERRUPTED | GT_SPAN_CLOSE_LOST | GT_SPAN_EVICTED | \
	 GT_SPAN_REPLACED | GT_SPAN_OPEN_LOST)

static const struct gt__meter_kind durations = {
	.name = {"guesttrace.span.duration", 24},
	.unit = {"s", 1},
	.description = "How long spans took",
	.kind = GT__DURATIONS,
};

static void put_word(struct gt_field *to, struct gt_text key,
                     struct gt_text word)
{
	*to = (struct gt_field){
		.key = key, .type = GT_TYPE_STRING, .value.text = word};
}

static struct gt__series *overflow(struct gt__metrics_run *run)
{
	static const struct gt_field is_overflow = {
		.key = {"otel.metric.overflow", 20},
		.type = GT_TYPE_BOOL,
		.value.boolean = true,
	};

	run->overflow++;
	return gt__meters_series(&run->meters, &durations, &is_overflow, 1,
	                         NULL, 0, false);
}

static struct gt__series *find(struct gt__metrics_run *run, struct gt_text name,
                               unsigned kind, unsigned status)
{
	static const struct gt_text kinds[GT__SPAN_KINDS] = {
		GT__TEXT_INIT("SPAN_KIND_UNSPECIFIED"),
		GT__TEXT_INIT("SPAN_KIND_INTERNAL"),
		GT__TEXT_INIT("SPAN_KIND_SERVER"),
		GT__TEXT_INIT("SPAN_KIND_CLIENT"),
		GT__TEXT_INIT("SPAN_KIND_PRODUCER"),
		GT__TEXT_INIT("SPAN_KIND_CONSUMER"),
	};
	static const struct gt_text statuses[GT__SPAN_STATUSES] = {
		GT__TEXT_INIT("STATUS_CODE_UNSET"),
		GT__TEXT_INIT("STATUS_CODE_OK"),
		GT__TEXT_INIT("STATUS_CODE_ERROR"),
	};
	struct gt_field host[3];

	put_word(&host[0], GT__TEXT("span.name"), name);
	put_word(&host[1], GT__TEXT("span.kind"), kinds[kind]);
	put_word(&host[2], GT__TEXT("status.code"), statuses[status]);
	return gt__meters_series(&run->meters, &durations, host, 3, NULL, 0,
	                         true);
}

static bool make_room(struct gt__metrics_run *run, uint32_t number)
{
	uint32_t room = run->durations_room ? run->durations_room * 2 : 64;
	struct gt__site_durations *larger;

	if (number <= run->durations_room)
		return true;
	larger = realloc(run->durations, room * sizeof *larger);
	if (!larger) {
		run->meters.error = -ENOMEM;
		return false;
	}
	memset(larger + run->durations_room, 0,
	       (room - run->durations_room) * sizeof *larger);
	run->durations = larger;
	run->durations_room = room;
	return true;
}

/* Where the site keeps its series; NULL: nowhere. */
static struct gt__series **place_of(struct gt__metrics_run *run,
                                    const struct gt_site_view *site,
                                    unsigned index)
{
	uint32_t number = 0;
	bool is_new;

	if (gt__intern(&run->sites, site, &number, &is_new) < 0)
		run->meters.error = -ENOMEM;
	if (!number || number > GT__SITES_KEPT || !make_room(run, number))
		return NULL;
	return &run->durations[number - 1].series[index];
}

static struct gt__series *series_of(struct gt__metrics_run *run,
                                    const struct gt_span_view *span)
{
	unsigned kind = gt__otlp_kind(span->fields, span->field_count);
	unsigned status = span->status;
	struct gt__series **place, *series;

	place = place_of(run, span->site, kind * GT__SPAN_STATUSES + status);
	if (place && *place)
		return *place;
	series = find(run, span->site->name, kind, status);
	if (place && series)
		*place = series;
	return series || run->meters.error ? series : overflow(run);
}

/* The slowest, and behind it the latest. */
static void keep_exemplar(struct gt__series *series,
                          const struct gt_span_view *span, double seconds)
{
	struct gt__exemplar exemplar = {
		.time_ns = span->end_ns,
		.span_id = span->id,
		.number = gt__number_f64(seconds),
	};
	bool is_slowest = !series->exemplar_count ||
	                  seconds > series->exemplars[0].number.value.f64;

	gt__exemplar_trace(&exemplar, span->trace);
	if (!is_slowest || series->exemplar_count) {
		series->exemplars[1] =
			is_slowest ? series->exemplars[0] : exemplar;
		series->exemplar_count = 2;
	}
	if (!is_slowest)
		return;
	series->exemplars[0] = exemplar;
	if (!series->exemplar_count)
		series->exemplar_count = 1;
}

void gt__measure_span(struct gt__metrics_run *run,
                      const struct gt_span_view *span)
{
	double seconds = (double)(span->end_ns - span->start_ns) / 1e9;
	struct gt__series *series;

	if (span->flags & UNKNOWN_ENDS) {
		run->unmeasured++;
		return;
	}
	series = series_of(run, span);
	if (!series)
		return;
	gt__exponential_add(series->durations, seconds);
	series->time_ns = span->end_ns;
	if (run->is_sampled)
		keep_exemplar(series, span, seconds);
}

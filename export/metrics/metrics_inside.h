/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of the metrics sink: otlp_metrics.c is the sink and
 * collects, the others measure.
 */
#ifndef GUESTTRACE_METRICS_INSIDE_H
#define GUESTTRACE_METRICS_INSIDE_H

#include "meters.h"
#include "otlp_metrics.h"
#include "export/otlp/otlp_inside.h"

#define GT__TEXT(text) ((struct gt_text)GT__TEXT_INIT(text))
#define GT__TEXT_INIT(text)              \
	{                                \
		(text), sizeof(text) - 1 \
	}

/* Series of the durations of a site's spans, by kind and by status. */
#define GT__SPAN_KINDS    6u
#define GT__SPAN_STATUSES 3u
struct gt__site_durations {
	struct gt__series *series[GT__SPAN_KINDS * GT__SPAN_STATUSES];
};

/* Of a counter without attributes: the series of its first fields. */
#define GT__SITE_FIELDS 8u
struct gt__site_numbers {
	struct gt__site_number {
		const char *key; /* where the site has it */
		struct gt__series *series;
		enum gt__metric_kind kind;
	} fields[GT__SITE_FIELDS];
};

#define GT__SITES_KEPT 4096u /* of more, series are found each time */

struct gt__metrics_run {
	struct gt__run head;
	struct gt__meters meters;
	struct gt__intern counter_sites;
	struct gt__site_numbers *numbers; /* by number of the site - 1 */
	uint32_t numbers_room;
	struct gt__intern sites;
	struct gt__site_durations *durations; /* by number of the site - 1 */
	uint32_t durations_room;
	struct gt_summary figures; /* of the run, when last looked */
	bool has_figures;
	uint64_t looked_ns;
	uint64_t latest_ns;    /* of all times seen */
	uint64_t due_ns;       /* next collection, of interval_ns */
	uint64_t collected_ns; /* the last one's */
	uint32_t collections;  /* that the times of records have asked for */
	uint64_t measured;     /* records since the last one */
	uint64_t overflow;     /* measurements for which there is no series */
	uint64_t unusable;     /* no finite number, a name that is too long */
	uint64_t unmeasured;   /* spans of which an end is not known */
	bool is_sampled; /* of what is measured: its trace is sent as well */
	struct gt__otlp_fields fields; /* attributes of one counter */
	struct gt__out name;           /* a buffer only */
};

/* ---- counter_meters.c ---- */

void gt__measure_counter(struct gt__metrics_run *run,
                         const struct gt_event_view *counter);

/*
 * `KEY [UNIT]` of a field: the unit, in UCUM's words, behind a `+` if the
 * number only rises, and behind `+-` if it is a sum that may fall. Without the
 * brackets, or where they hold more than a unit may, the whole is the key, of a
 * gauge. *key becomes what goes before.
 */
void gt__split_unit(struct gt_text *key, struct gt_text *ret_unit,
                    enum gt__metric_kind *ret_kind);

/* ---- duration_meters.c ---- */

void gt__measure_span(struct gt__metrics_run *run,
                      const struct gt_span_view *span);

/* ---- run_meters.c ---- */

/* What is known of the run, as of `time_ns`. */
void gt__measure_run(struct gt__metrics_run *run, uint64_t time_ns);
void gt__measure_exporter(struct gt__meters *meters, uint64_t time_ns,
                          const struct gt__exporter_figures *figures);

#endif

/* SPDX-License-Identifier: MIT */
/* The run itself, what is missing of it, and who sends it. */
#include "metrics_inside.h"
#include <stddef.h>
#include <string.h>

static struct gt_text text_of(const char *text)
{
	return (struct gt_text){text, strlen(text)};
}

static void set(struct gt__meters *meters, uint64_t time_ns,
                const struct gt__meter_kind *kind,
                const struct gt_field *attributes, size_t count,
                struct gt__number number)
{
	struct gt__series *series = gt__meters_series(meters, kind, attributes,
	                                              count, NULL, 0, false);

	if (!series)
		return;
	series->number = number;
	series->time_ns = time_ns;
}

static struct gt__meter_kind total(const char *name, const char *unit,
                                   const char *description)
{
	return (struct gt__meter_kind){text_of(name), text_of(unit),
	                               description, GT__TOTAL};
}

/* ---- A run --------------------------------------------------------------- */

static const struct {
	size_t offset;
	const char *name, *unit, *description;
} totals[] = {
#define TOTAL(member, name, unit, description)                                 \
	{                                                                      \
		offsetof(struct gt_summary, member), "guesttrace." name, unit, \
			description                                            \
	}
	TOTAL(spans, "spans", "{span}", "Spans that have ended"),
	TOTAL(events, "events", "{event}", "Events"),
	TOTAL(counters, "counters", "{record}", "Records of counters"),
	TOTAL(records, "records", "{record}", "Records that the host took"),
	TOTAL(record_bytes, "record.bytes", "By", "What they took in rings"),
	TOTAL(tracing_exits, "exits.tracing", "{exit}",
              "Exits made to hand over records"),
#undef TOTAL
};

static void measure_totals(struct gt__metrics_run *run, uint64_t time_ns)
{
	size_t i;

	for (i = 0; i < sizeof totals / sizeof *totals; i++) {
		struct gt__meter_kind kind = total(
			totals[i].name, totals[i].unit, totals[i].description);
		uint64_t value;

		memcpy(&value, (const char *)&run->figures + totals[i].offset,
		       sizeof value);
		set(&run->meters, time_ns, &kind, NULL, 0,
		    gt__number_of(value));
	}
}

static void measure_times(struct gt__metrics_run *run, uint64_t time_ns)
{
	struct gt__meter_kind guest = total("guesttrace.guest.time", "s",
	                                    "Time of vCPUs inside the guest");
	struct gt__meter_kind tracing =
		total("guesttrace.tracing.time", "s",
	              "Host time spent on exits made to hand over records");

	set(&run->meters, time_ns, &guest, NULL, 0,
	    gt__number_f64((double)run->figures.guest_ns / 1e9));
	set(&run->meters, time_ns, &tracing, NULL, 0,
	    gt__number_f64((double)run->figures.tracing_ns / 1e9));
}

static void measure_exits(struct gt__metrics_run *run, uint64_t time_ns)
{
	struct gt__meter_kind kind =
		total("guesttrace.exits", "{exit}", "Exits from the guest");
	struct gt_field reason = {.key = GT__TEXT("guesttrace.reason"),
	                          .type = GT_TYPE_STRING};
	unsigned i;

	for (i = 0; i < GT_EXIT_REASONS; i++) {
		if (!run->figures.exits[i])
			continue;
		reason.value.text = text_of(gt__exit_word(i));
		set(&run->meters, time_ns, &kind, &reason, 1,
		    gt__number_of(run->figures.exits[i]));
	}
}

static bool counts_bytes(const char *word)
{
	size_t count = strlen(word);

	return count > 6 && !strcmp(word + count - 6, "_bytes");
}

/* All of them, so that one that begins to rise has been 0. */
static void measure_losses(struct gt__metrics_run *run, uint64_t time_ns)
{
	size_t i;

	for (i = 0; i < GT__LOSS_WORDS; i++) {
		const struct gt__loss_word *word = &gt__loss_words[i];
		struct gt__meter_kind kind =
			total(word->key, counts_bytes(word->word) ? "By" : "1",
		              word->prose);

		set(&run->meters, time_ns, &kind, NULL, 0,
		    gt__number_of(gt__loss(&run->figures.losses, i)));
	}
}

static void measure_measuring(struct gt__metrics_run *run, uint64_t time_ns)
{
	static const struct gt_field overflow = {
		.key = {"otel.metric.overflow", 20},
		.type = GT_TYPE_BOOL,
		.value.boolean = true,
	};
	struct gt__meter_kind beyond =
		total("guesttrace.metric.overflow", "{measurement}",
	              "Measurements for which there were too many series");
	struct gt__meter_kind unusable =
		total("guesttrace.metric.unusable", "{measurement}",
	              "Measurements that are no number, or have too long a "
	              "name");
	struct gt__meter_kind unmeasured =
		total("guesttrace.span.unmeasured", "{span}",
	              "Spans of which an end is not known");

	if (run->overflow)
		set(&run->meters, time_ns, &beyond, &overflow, 1,
		    gt__number_of(run->overflow));
	if (run->unusable)
		set(&run->meters, time_ns, &unusable, NULL, 0,
		    gt__number_of(run->unusable));
	if (run->unmeasured)
		set(&run->meters, time_ns, &unmeasured, NULL, 0,
		    gt__number_of(run->unmeasured));
}

void gt__measure_run(struct gt__metrics_run *run, uint64_t time_ns)
{
	if (run->has_figures) {
		measure_totals(run, time_ns);
		measure_times(run, time_ns);
		measure_exits(run, time_ns);
		measure_losses(run, time_ns);
	}
	measure_measuring(run, time_ns);
}

/* ---- An exporter --------------------------------------------------------- */

/* Names of OpenTelemetry's semantic conventions, "SDK metrics". */
static const struct {
	const char *exported, *in_flight, *unit;
	const char *types[3]; /* otel.component.type, by protocol */
} exporters[] = {
	[GT_OTLP_TRACES] = {"otel.sdk.exporter.span.exported",
                            "otel.sdk.exporter.span.inflight",
                            "{span}",
                            {"otlp_http_span_exporter",
                             "otlp_http_json_span_exporter",
                             "otlp_grpc_span_exporter"}},
	[GT_OTLP_METRICS] = {"otel.sdk.exporter.metric_data_point.exported",
                             "otel.sdk.exporter.metric_data_point.inflight",
                             "{data_point}",
                             {"otlp_http_metric_exporter",
                              "otlp_http_json_metric_exporter",
                              "otlp_grpc_metric_exporter"}},
	[GT_OTLP_LOGS] = {"otel.sdk.exporter.log.exported",
                          "otel.sdk.exporter.log.inflight",
                          "{log_record}",
                          {"otlp_http_log_exporter",
                           "otlp_http_json_log_exporter",
                           "otlp_grpc_log_exporter"}},
};

static struct gt_field word_field(struct gt_text key, const char *word)
{
	return (struct gt_field){.key = key,
	                         .type = GT_TYPE_STRING,
	                         .value.text = text_of(word)};
}

void gt__measure_exporter(struct gt__meters *meters, uint64_t time_ns,
                          const struct gt__exporter_figures *f)
{
	const char *type = exporters[f->signal].types[f->protocol];
	struct gt__meter_kind exported =
		total(exporters[f->signal].exported, exporters[f->signal].unit,
	              "Items for which the export has ended");
	struct gt__meter_kind in_flight = {
		text_of(exporters[f->signal].in_flight),
		text_of(exporters[f->signal].unit),
		"Items that wait, in memory or in the spool", GT__SUM};
	struct gt_field attributes[3] = {
		word_field(GT__TEXT("otel.component.type"), type),
		word_field(GT__TEXT("otel.component.name"), type),
	};

	set(meters, time_ns, &in_flight, attributes, 2,
	    gt__number_of(f->in_flight));
	set(meters, time_ns, &exported, attributes, 2,
	    gt__number_of(f->exported));
	attributes[2] = word_field(GT__TEXT("error.type"), "rejected");
	if (f->refused)
		set(meters, time_ns, &exported, attributes, 3,
		    gt__number_of(f->refused));
	attributes[2] = word_field(GT__TEXT("error.type"), "dropped");
	if (f->dropped)
		set(meters, time_ns, &exported, attributes, 3,
		    gt__number_of(f->dropped));
}

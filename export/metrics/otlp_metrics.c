/* SPDX-License-Identifier: MIT */
/*
 * The sink of metrics. What has been measured since the run began is sent at
 * each collection: the sender's thread asks for one, or, where nobody waits (a
 * capture, a file), the times of the records say that it is due.
 */
#include "metrics_inside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Data points of one Metric, so that no item is large. */
#define NUMBERS_MAX      16u
#define DURATIONS_MAX    8u
/*
 * Who made a capture chooses its times: after so many collections each has to
 * be paid for by as many records as there are series.
 */
#define COLLECTIONS_FREE 60u
/* Between two looks at the run's own figures. */
#define LOOK_NS          UINT64_C(100000000)

/* The resource of a run, when its trace is the caller's no more. */
struct kept_trace {
	struct gt_trace trace;
	char *texts;
};

struct metrics {
	struct gt__otlp_sink base;
	gt__otlp_put_fn *put;
	bool json;
	struct gt__run *runs;
	struct kept_trace kept;
	struct gt__meters exporters;
	bool has_exporters;
};

static struct gt__metrics_run *find_run(struct metrics *x,
                                        const struct gt_trace *trace)
{
	struct gt__metrics_run *run = gt__run_find(&x->runs, trace);

	if (!run && !x->base.out.error)
		x->base.out.error = -EINVAL;
	return x->base.out.error ? NULL : run;
}

static void free_run(struct gt__metrics_run *run)
{
	gt__meters_fini(&run->meters);
	gt__intern_fini(&run->sites);
	gt__intern_fini(&run->counter_sites);
	free(run->numbers);
	gt__out_fini(&run->name);
	free(run->durations);
	free(run->fields.at);
	free(run);
}

/* ---- Collections --------------------------------------------------------- */

/* From that series on, up to `max` that have been measured in a row. */
static uint32_t count_measured(const struct gt__series *series, uint32_t max)
{
	uint32_t count = 0;

	for (; series && series->time_ns && count < max; series = series->next)
		count++;
	return count;
}

static void put_meter(struct metrics *x, const struct gt_trace *trace,
                      const struct gt__meter *meter, uint64_t time_ns)
{
	const struct gt__series *series = meter->series;
	uint32_t max =
		meter->kind == GT__DURATIONS ? DURATIONS_MAX : NUMBERS_MAX;

	while (series && !x->base.out.error) {
		struct gt__metric metric = {
			.meter = meter,
			.first = series,
			.count = count_measured(series, max),
			.time_ns = time_ns,
			.trace_id = trace->trace_id,
		};

		if (!metric.count) {
			series = series->next;
			continue;
		}
		gt__otlp_put_item(&x->base, trace, x->put, &metric,
		                  metric.count);
		while (metric.count--)
			series = series->next;
	}
}

static void put_meters(struct metrics *x, const struct gt_trace *trace,
                       const struct gt__meters *meters, uint64_t time_ns)
{
	uint32_t i;

	if (meters->error)
		x->base.out.error = meters->error;
	for (i = 0; i < meters->meter_count; i++)
		put_meter(x, trace, meters->meters[i], time_ns);
	/* Exemplars are of what was measured since the last collection. */
	for (i = 0; i < meters->series_count; i++)
		meters->series[i]->exemplar_count = 0;
}

static void look(struct gt__metrics_run *run, const struct gt_summary *figures)
{
	if (!figures)
		return;
	run->figures = *figures;
	run->has_figures = true;
}

static uint64_t after(uint64_t ns, uint64_t by)
{
	return by < UINT64_MAX - ns ? ns + by : UINT64_MAX;
}

/* Times of one run rise, whoever asks. */
static void collect(struct metrics *x, struct gt__metrics_run *run,
                    uint64_t time_ns)
{
	if (time_ns < run->latest_ns)
		time_ns = run->latest_ns;
	if (time_ns <= run->collected_ns)
		time_ns = after(run->collected_ns, 1);
	run->collected_ns = time_ns;
	run->measured = 0;
	gt__measure_run(run, time_ns);
	put_meters(x, run->head.trace, &run->meters, time_ns);
}

/* UTC as the trace has it. */
static uint64_t now_ns(const struct gt_trace *trace)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec +
	       (uint64_t)trace->monotonic_offset_ns;
}

static bool is_due(const struct gt__metrics_run *run, uint64_t interval_ns,
                   uint64_t time_ns)
{
	return interval_ns && time_ns >= run->due_ns &&
	       (run->collections < COLLECTIONS_FREE ||
	        run->measured >= run->meters.series_count);
}

/* What is measured at a time is behind the collections that were due before. */
static struct gt__metrics_run *
pass_time(struct metrics *x, const struct gt_trace *trace, uint64_t time_ns)
{
	struct gt__metrics_run *run = find_run(x, trace);
	uint64_t interval_ns = x->base.options.interval_ns;

	if (!run)
		return NULL;
	if (time_ns >= after(run->looked_ns, LOOK_NS)) {
		look(run, trace->so_far);
		run->looked_ns = time_ns;
	}
	if (is_due(run, interval_ns, time_ns)) {
		uint64_t late = (time_ns - run->due_ns) % interval_ns;

		look(run, trace->so_far);
		collect(x, run, time_ns - late);
		run->due_ns = after(time_ns - late, interval_ns);
		run->collections += run->collections < COLLECTIONS_FREE;
	}
	run->measured++;
	if (time_ns > run->latest_ns)
		run->latest_ns = time_ns;
	return run;
}

/* ---- The sink ------------------------------------------------------------ */

static struct gt_text keep_text(struct gt_text text, char **to)
{
	struct gt_text kept = {*to, text.count};

	if (text.count)
		memcpy(*to, text.bytes, text.count);
	*to += text.count;
	return kept;
}

/* For the exporters' figures, which come when the run is over. */
static int keep_trace(struct kept_trace *kept, const struct gt_trace *trace)
{
	struct gt_trace *t = &kept->trace;
	char *to = malloc(trace->guest_name.count + trace->vm_name.count +
	                  trace->backend.count + trace->guest_build_id.count +
	                  trace->vm_id.count + trace->host_name.count + 1);

	if (!to)
		return -ENOMEM;
	free(kept->texts);
	kept->texts = to;
	*t = *trace;
	t->guest_name = keep_text(trace->guest_name, &to);
	t->vm_name = keep_text(trace->vm_name, &to);
	t->backend = keep_text(trace->backend, &to);
	t->guest_build_id = keep_text(trace->guest_build_id, &to);
	t->vm_id = keep_text(trace->vm_id, &to);
	t->host_name = keep_text(trace->host_name, &to);
	t->trace_state = (struct gt_text){NULL, 0};
	t->summary = t->so_far = NULL;
	return 0;
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct metrics *x = (struct metrics *)sink;
	struct gt__metrics_run *run;

	if (x->base.out.error)
		return x->base.out.error;
	/* What waits with the resource that was kept goes before. */
	if (x->base.trace == &x->kept.trace)
		gt__otlp_end_request(&x->base);
	run = gt__run_add(&x->runs, trace, sizeof *run);
	if (!run || keep_trace(&x->kept, trace) < 0)
		return x->base.out.error = -ENOMEM;
	run->meters.start_ns = trace->start_ns;
	run->meters.json = x->json;
	run->latest_ns = trace->start_ns;
	run->due_ns = after(trace->start_ns, x->base.options.interval_ns);
	if (!x->exporters.start_ns)
		x->exporters.start_ns = trace->start_ns;
	return 0;
}

static int result(struct metrics *x, const struct gt__metrics_run *run)
{
	if (!x->base.out.error)
		x->base.out.error = run->meters.error;
	return x->base.out.error;
}

/* An exemplar leads to a trace that there is (OpenTelemetry specification,
 * Metrics SDK, "Exemplar filter": TraceBased, its default). */
static bool is_sampled(const struct metrics *x, const struct gt_trace *trace,
                       const struct gt_span_trace *own)
{
	uint32_t flags = own ? own->flags : trace->flags;

	return !x->base.options.sampler ||
	       gt__otlp_flags(&x->base, own ? own->trace_id : trace->trace_id,
	                      flags) &
	               GT_TRACE_SAMPLED;
}

static int counter(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_event_view *view)
{
	struct metrics *x = (struct metrics *)sink;
	struct gt__metrics_run *run = pass_time(x, trace, view->time_ns);

	if (!run)
		return x->base.out.error;
	run->is_sampled = is_sampled(x, trace, view->trace);
	gt__measure_counter(run, view);
	return result(x, run);
}

static int event(struct gt_sink *sink, const struct gt_trace *trace,
                 const struct gt_event_view *view)
{
	struct metrics *x = (struct metrics *)sink;

	pass_time(x, trace, view->time_ns);
	return x->base.out.error;
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct metrics *x = (struct metrics *)sink;
	struct gt__metrics_run *run = pass_time(x, trace, span->end_ns);

	if (!run)
		return x->base.out.error;
	run->is_sampled = is_sampled(x, trace, span->trace);
	gt__measure_span(run, span);
	return result(x, run);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct metrics *x = (struct metrics *)sink;
	struct gt__metrics_run *run = find_run(x, trace);

	if (!run)
		return x->base.out.error;
	look(run, summary);
	collect(x, run, summary->end_ns);
	gt__otlp_end_request(&x->base); /* the trace is the caller's */
	gt__run_remove(&x->runs, &run->head);
	free_run(run);
	return x->base.out.error;
}

static int finish(struct gt_sink *sink)
{
	struct metrics *x = (struct metrics *)sink;
	struct gt__run *run;

	for (run = x->runs; run && !x->base.options.interval_ns;
	     run = run->next)
		collect(x, (struct gt__metrics_run *)run, now_ns(run->trace));
	if (x->has_exporters)
		put_meters(x, &x->kept.trace, &x->exporters,
		           now_ns(&x->kept.trace));
	x->has_exporters = false;
	gt__otlp_end_request(&x->base);
	return x->base.out.error;
}

int gt__otlp_metrics_exporters(struct gt_sink *sink,
                               const struct gt__exporter_figures *figures,
                               size_t count)
{
	struct metrics *x = (struct metrics *)sink;
	size_t i;

	if (!x->kept.texts)
		return 0; /* no run has begun */
	for (i = 0; i < count; i++)
		gt__measure_exporter(&x->exporters, now_ns(&x->kept.trace),
		                     &figures[i]);
	x->has_exporters = true;
	return x->exporters.error;
}

static void free_sink(struct gt_sink *sink)
{
	struct metrics *x = (struct metrics *)sink;
	struct gt__run *run;

	if (!x)
		return;
	while ((run = x->runs)) {
		x->runs = run->next;
		free_run((struct gt__metrics_run *)run);
	}
	gt__meters_fini(&x->exporters);
	free(x->kept.texts);
	gt__otlp_sink_free(sink);
}

static int new_sink(bool json, const struct gt__otlp_encoder_options *options,
                    const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct gt__otlp_sink *base;
	struct metrics *x;
	int rc = gt__otlp_sink_new(sizeof *x, GT_OTLP_METRICS,
	                           json ? &gt__otlp_json : &gt__otlp_protobuf,
	                           options, output, &base);

	if (rc)
		return rc;
	x = (struct metrics *)base;
	x->json = x->exporters.json = json;
	x->put = json ? gt__metric_put_json : gt__metric_put_protobuf;
	base->sink = (struct gt_sink){
		.begin = begin,
		.close = close_span,
		.event = event,
		.counter = counter,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	*ret_sink = &base->sink;
	return 0;
}

int gt__otlp_metrics_requests_new(
	bool json, const struct gt__otlp_encoder_options *options,
	struct gt_sink **ret_sink)
{
	return new_sink(json, options, &(struct gt_output){0}, ret_sink);
}

/* Nobody asks a file: the times of the records do. */
static int new_file(bool json, const struct gt_output *output,
                    const struct gt_otlp_options *given,
                    struct gt_sink **ret_sink)
{
	struct gt__otlp_encoder_options options = gt__otlp_file_options(given);

	if (!options.interval_ns)
		options.interval_ns = GT__INTERVAL_NS;
	return new_sink(json, &options, output, ret_sink);
}

int gt_otlp_metrics_json_with(const struct gt_output *output,
                              const struct gt_otlp_options *options,
                              struct gt_sink **ret_sink)
{
	return new_file(true, output, options, ret_sink);
}

int gt_otlp_metrics_protobuf_with(const struct gt_output *output,
                                  const struct gt_otlp_options *options,
                                  struct gt_sink **ret_sink)
{
	return new_file(false, output, options, ret_sink);
}

/* SPDX-License-Identifier: MIT */
/* What exporting costs, and the way from a capture to a report. */
#include "tests/support/memfile.h"
#include "harness.h"
#include "host_samples.h"
#include "span_set.h"

#define CAPTURE_BYTES 100000000u
#define ROUNDS        10u

int write_nowhere(void *context, const void *bytes, size_t count)
{
	uint64_t *sum = context;

	__asm__ volatile("" ::"r"(bytes) : "memory");
	*sum += count;
	return 0;
}

/* ---- Finished spans to a sink -------------------------------------------- */

typedef int make_fn(const struct gt_output *output, struct gt_sink **ret_sink);

static int show(struct gt_sink *sink, const struct span_set *set)
{
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < SPAN_SET_COUNT; i++) {
		const struct gt_span_view *span = &set->spans[i];

		if (sink->open)
			r |= sink->open(sink, &set->trace, span);
		if (sink->event && span->event_count)
			r |= sink->event(sink, &set->trace, span->events);
		r |= sink->close(sink, &set->trace, span);
	}
	return r;
}

static double spans_per_second(make_fn *make)
{
	const struct span_set *set = span_set();
	struct gt_summary summary = {.spans = SPAN_SET_COUNT,
	                             .end_ns = set->trace.start_ns + 1};
	uint64_t written = 0;
	struct gt_output output = {write_nowhere, &written};
	struct gt_sink *sink;
	double start, spent;
	int r = make(&output, &sink);

	if (r == 0 && sink->begin)
		r = sink->begin(sink, &set->trace);
	/* A sink lives long: its buffers have grown and its sites are known. */
	if (r == 0)
		r = show(sink, set);
	start = bench_cpu_seconds();
	for (unsigned i = 0; r == 0 && i < ROUNDS; i++)
		r = show(sink, set);
	spent = bench_cpu_seconds() - start;
	if (r == 0 && sink->end)
		r = sink->end(sink, &set->trace, &summary);
	if (r == 0 && sink->finish)
		r = sink->finish(sink);
	if (r < 0 || written < SPAN_SET_COUNT * 16)
		bench_fail("the spans were not exported");
	sink->free(sink);
	return ROUNDS * SPAN_SET_COUNT / spent;
}

double sample_spans_to_otlp(void)
{
	return spans_per_second(gt_otlp_protobuf_new);
}

double sample_spans_to_otlp_json(void)
{
	return spans_per_second(gt_otlp_json_new);
}

double sample_spans_to_perfetto(void)
{
	return spans_per_second(gt_perfetto_new);
}

/* ---- A capture ----------------------------------------------------------- */

static struct memfile capture;
static uint64_t capture_records;

/* Recorded once, by the guest that is this process. */
static void make_capture(void)
{
	struct gt_host *host =
		live_host((struct gt_output){memfile_write, &capture});

	while (capture.count < bench_times(CAPTURE_BYTES)) {
		live_record(1000);
		capture_records += 1000 * ROUND_RECORDS;
	}
	live_end(host);
}

static double replay(struct gt_sink *const *sinks, size_t count)
{
	struct memfile file = capture;
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = memfile_read,
		.context = &file,
		.sinks = sinks,
		.sink_count = count,
	};
	double start = bench_cpu_seconds();

	if (gt_replay(&options) < 0)
		bench_fail("the capture does not read");
	return bench_cpu_seconds() - start;
}

double sample_capture_to_nothing(void)
{
	if (!capture.count)
		make_capture();
	return (double)capture_records / replay(NULL, 0);
}

double sample_capture_to_report(void)
{
	uint64_t written = 0;
	struct gt_output output = {write_nowhere, &written};
	struct gt_sink *sink;
	double start;

	if (!capture.count)
		make_capture();
	start = bench_cpu_seconds();
	if (gt_report_new(&output, &sink) < 0)
		bench_fail("no sink");
	replay(&sink, 1);
	if (sink->finish(sink) < 0 || !written)
		bench_fail("no report");
	sink->free(sink);
	return (double)capture.count / 1e6 / (bench_cpu_seconds() - start);
}

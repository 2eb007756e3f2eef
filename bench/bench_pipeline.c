/* SPDX-License-Identifier: MIT */
/*
 * How fast the host takes records of the native wire, all checks on, stage by
 * stage: bytes to records; merged by time; placed, made to events or spans and
 * shown to a sink that reads every value; and such spans to OTLP. The median of
 * RUNS runs, which take turns.
 *
 *   bench_pipeline [RUNS [STAGE]]
 */
#include "../export/otlp_encoder.h"
#include "../host/levels.h"
#include "../host/pipeline.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SITES_GVA  UINT64_C(0x400000)
#define SITE_BYTES 64u
#define SITES      8u    /* spans and events in turn */
#define RECORDS    1600u /* a ring of 64 KiB */
#define DRAINS     250u
#define RUNS_MAX   1000

static struct gt__frame_buffer frame;
static uint8_t site_table[SITES * SITE_BYTES];
static uint64_t now_ns = 1000; /* TSC = ns */
static uint64_t seen;          /* keeps the work from being left out */

/* Of this thread on a CPU: other programs do not count. */
static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fill_sites(void)
{
	static const char texts[] = "handle_request\0app\0src/app.c\0ublock\0"
				    "ubytes";

	for (unsigned i = 0; i < SITES; i++) {
		struct gt_site site = {
			.kind = i % 2 ? GT_SITE_EVENT : GT_SITE_SPAN,
			.level = GT_INFO,
			.fields = 2,
			.size = SITE_BYTES,
			.magic = GT_SITE_MAGIC,
			.line = i + 1,
		};

		memcpy(site_table + i * SITE_BYTES, &site, sizeof(site));
		memcpy(site_table + i * SITE_BYTES + sizeof(site), texts,
		       sizeof(texts));
	}
}
_Static_assert(sizeof(struct gt_site) + sizeof("handle_request\0app\0"
                                               "src/app.c\0ublock\0ubytes") <=
                       SITE_BYTES,
               "a site has room");

/* ---- Frames -------------------------------------------------------------- */

static void put_head(unsigned site, enum gt_record_kind kind, uint64_t words)
{
	gt__frame_put64(&frame, (SITES_GVA + site * SITE_BYTES) | words << 32 |
	                                (uint64_t)kind << 48);
	gt__frame_put64(&frame, now_ns += 20);
}

static void put_valued(unsigned site, enum gt_record_kind kind, uint64_t i)
{
	put_head(site, kind, 4);
	gt__frame_put64(&frame, i);
	gt__frame_put64(&frame, 4096);
}

/* Events of the sites in turn, or spans, each opened and closed. */
static uint64_t put_records(bool spans, uint64_t pos)
{
	size_t from = frame.count;

	for (unsigned i = 0; i < RECORDS; i++) {
		uint64_t id = pos + frame.count - from;

		if (!spans) {
			put_valued(i % SITES | 1, GT_RECORD_EVENT, i);
			continue;
		}
		put_valued(i % SITES & ~1u, GT_RECORD_SPAN, i);
		put_head(i % SITES & ~1u, GT_RECORD_CLOSE, 3);
		gt__frame_put64(&frame, GT_ID_BASE(0, 0) + id);
	}
	return frame.count - from;
}

static const size_t pos_at = GT__FRAME_HEAD + 7 * 8;

/* A frame of records; its times and positions go on from one to the next. */
static void make_frame(bool spans, uint64_t pos)
{
	uint64_t bytes, end;

	gt__frame_begin(&frame);
	for (unsigned i = 0; i < 7 + 2 * GT_LEVELS; i++)
		gt__frame_put64(&frame, 0);
	bytes = put_records(spans, pos);
	end = now_ns + 20;
	gt__store64(frame.bytes + GT__FRAME_HEAD, end);
	gt__store64(frame.bytes + GT__FRAME_HEAD + 8, end);
	gt__store64(frame.bytes + pos_at, pos);
	gt__store64(frame.bytes + pos_at + 8, bytes);
}

static void show(struct gt__pipeline *pipeline, enum gt__frame_type type)
{
	gt__pipeline_frame(pipeline, type, 0, frame.bytes + GT__FRAME_HEAD,
	                   frame.count - GT__FRAME_HEAD);
}

static struct gt__pipeline *begin(struct gt_sink *sink)
{
	struct gt_limits limits = {.open_spans = 0};
	struct gt__pipeline *pipeline;

	if (gt__pipeline_new(&sink, 1, 0, &limits, &pipeline) < 0)
		exit(1);
	gt__frame_begin(&frame);
	gt__frame_put64(&frame, GT__CAPTURE_MAGIC);
	gt__frame_put32(&frame, GT_ABI_VERSION);
	gt__frame_put32(&frame, 1);
	gt__frame_put(&frame, "0123456789abcdef", 16);
	for (unsigned i = 0; i < 7; i++)
		gt__frame_put64(&frame, 0);
	gt__frame_put64(&frame, now_ns);
	gt__frame_put64(&frame, now_ns);
	gt__frame_put64(&frame, 0);
	for (unsigned i = 0; i < 3; i++)
		gt__frame_put_text(&frame, "name", 4);
	show(pipeline, GT__FRAME_START);
	gt__frame_begin(&frame);
	gt__frame_put32(&frame, 0);
	gt__frame_put32(&frame, 1);
	gt__frame_put64(&frame, SITES_GVA);
	gt__frame_put64(&frame, 0);
	for (unsigned i = 0; i < GT_LEVELS; i++)
		gt__frame_put64(&frame, 4096);
	show(pipeline, GT__FRAME_GUEST);
	gt__frame_begin(&frame);
	gt__frame_put(&frame, site_table, sizeof(site_table));
	show(pipeline, GT__FRAME_SITES);
	return pipeline;
}

/* ---- Sinks --------------------------------------------------------------- */

static uint64_t shown;

static void look(const struct gt_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		seen += fields[i].value.u64;
	shown++;
}

static int see_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	(void)sink;
	(void)trace;
	look(event->fields, event->field_count);
	return 0;
}

static int see_span(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	look(span->fields, span->field_count);
	return 0;
}

static int see_request(void *context, const void *bytes, size_t count,
                       uint64_t spans)
{
	(void)context;
	(void)bytes;
	seen += count;
	shown += spans;
	return 0;
}

/* ---- Stages -------------------------------------------------------------- */

static double measure_frames(struct gt_sink *sink, bool spans)
{
	struct gt__pipeline *pipeline = begin(sink);
	uint64_t pos = 0;
	double spent = 0;

	shown = 0;
	for (unsigned i = 0; i < DRAINS; i++) {
		double start;

		make_frame(spans, pos);
		pos += gt__load64(frame.bytes + pos_at + 8);
		start = seconds();
		show(pipeline, GT__FRAME_RECORDS);
		gt__pipeline_frame(pipeline, GT__FRAME_MERGE, 0,
		                   frame.bytes + GT__FRAME_HEAD, 8);
		spent += seconds() - start;
	}
	if (sink->finish)
		sink->finish(sink);
	if (shown != (uint64_t)DRAINS * RECORDS) {
		fprintf(stderr, "bench_pipeline: %llu shown\n",
		        (unsigned long long)shown);
		exit(1);
	}
	gt__pipeline_free(pipeline);
	return (double)DRAINS * RECORDS / spent;
}

static double pipeline_events(void)
{
	struct gt_sink sink = {.event = see_event};

	return measure_frames(&sink, false);
}

static double pipeline_spans(void)
{
	struct gt_sink sink = {.close = see_span};

	return measure_frames(&sink, true);
}

static double pipeline_otlp(void)
{
	struct gt__otlp_encoder_options options = {.request = see_request};
	struct gt_sink *sink;
	double result;

	if (gt__otlp_protobuf_requests_new(&options, &sink) < 0)
		exit(1);
	result = measure_frames(sink, true);
	sink->free(sink);
	return result;
}

static double read_records(void)
{
	struct gt__sites *sites;
	struct gt__record record;
	double start;
	uint64_t count = 0;

	if (gt__sites_new(site_table, sizeof(site_table), SITES_GVA, &sites) <
	    0)
		exit(1);
	make_frame(false, 0);
	start = seconds();
	for (unsigned i = 0; i < DRAINS; i++) {
		const uint8_t *at =
			frame.bytes + GT__FRAME_HEAD + GT__RECORDS_HEAD;
		const uint8_t *end = frame.bytes + frame.count;
		size_t length;

		for (; at < end; at += length, count++) {
			length = gt__record_read(sites, at, (size_t)(end - at),
			                         &record);
			if (!length)
				exit(1);
			seen += record.tsc;
		}
	}
	gt__sites_free(sites);
	return (double)count / (seconds() - start);
}

static double merge_records(void)
{
	struct gt__levels levels = {.inside = 0};
	struct gt_losses losses = {.records = 0};
	struct gt__merged merged;
	struct gt__sites *sites;
	uint64_t count = 0;
	double start;

	if (gt__sites_new(site_table, sizeof(site_table), SITES_GVA, &sites) <
	    0)
		exit(1);
	make_frame(false, 0);
	start = seconds();
	for (unsigned i = 0; i < DRAINS; i++) {
		gt__level_add(&levels.level[0], i * 65536,
		              frame.bytes + GT__FRAME_HEAD + GT__RECORDS_HEAD,
		              frame.count - GT__FRAME_HEAD - GT__RECORDS_HEAD);
		for (; gt__levels_peek(&levels, sites, false, &losses, &merged);
		     count++) {
			seen += merged.record->tsc;
			gt__levels_take(&levels, &merged);
		}
	}
	start = seconds() - start;
	gt__levels_fini(&levels);
	gt__sites_free(sites);
	return (double)count / start;
}

/* The sink alone: the span is the same each time but for its id and times. */
static double spans_to_otlp(void)
{
	struct gt__otlp_encoder_options options = {.request = see_request};
	static const struct gt_site_view site = {
		.name = {"handle_request", 14},
		.target = {"app", 3},
		.file = {"src/app.c", 9},
		.line = 20,
		.level = GT_INFO,
	};
	struct gt_field fields[2] = {
		{.key = {"block", 5}, .type = GT_TYPE_U64, .value.u64 = 17},
		{.key = {"bytes", 5}, .type = GT_TYPE_U64, .value.u64 = 4096},
	};
	struct gt_span_view view = {.site = &site,
	                            .fields = fields,
	                            .field_count = 2,
	                            .parent_id = 1};
	struct gt_trace trace = {.vcpus = 1};
	const unsigned count = 4 * DRAINS * RECORDS;
	struct gt_sink *sink;
	double start;

	if (gt__otlp_protobuf_requests_new(&options, &sink) < 0)
		exit(1);
	sink->begin(sink, &trace);
	start = seconds();
	for (unsigned i = 0; i < count; i++) {
		view.id = UINT64_C(0x123456789a000000) + i;
		view.guest_id = i * 32;
		view.start_ns = UINT64_C(1795420800123456789) + i;
		view.end_ns = view.start_ns + 100;
		fields[0].value.u64 = i;
		sink->close(sink, &trace, &view);
	}
	start = seconds() - start;
	sink->free(sink);
	return count / start;
}

/* ---- Results ------------------------------------------------------------- */

static const struct {
	const char *name, *unit;
	double (*run)(void);
} stages[] = {
	{"read_records", "events/s", read_records},
	{"merge_records", "events/s", merge_records},
	{"pipeline_events", "events/s", pipeline_events},
	{"pipeline_spans", "spans/s", pipeline_spans},
	{"spans_to_otlp", "spans/s", spans_to_otlp},
	{"pipeline_otlp", "spans/s", pipeline_otlp},
};
#define STAGES (sizeof(stages) / sizeof(*stages))

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, two = *(const double *)b;

	return (one > two) - (one < two);
}

int main(int argc, char **argv)
{
	static double results[STAGES][RUNS_MAX];
	int runs = argc > 1 ? atoi(argv[1]) : 15;

	if (runs < 1 || runs > RUNS_MAX) {
		fprintf(stderr, "usage: bench_pipeline [RUNS [STAGE]]\n");
		return 2;
	}
	fill_sites();
	for (int i = 0; i < runs; i++)
		for (size_t j = 0; j < STAGES; j++)
			if (argc < 3 || !strcmp(argv[2], stages[j].name))
				results[j][i] = stages[j].run();
	for (size_t j = 0; j < STAGES; j++) {
		if (argc > 2 && strcmp(argv[2], stages[j].name) != 0)
			continue;
		qsort(results[j], (size_t)runs, sizeof(double), compare);
		printf("%s %.0f %s\n", stages[j].name, results[j][runs / 2],
		       stages[j].unit);
	}
	free(frame.bytes);
	return seen == 0;
}
